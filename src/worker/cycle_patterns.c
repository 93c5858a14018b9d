/*-------------------------------------------------------------------------
 *
 * cycle_patterns.c
 *	  Steps 2, 3 and half of 6 of a cycle: stock plans are clustered,
 *	  clusters become patterns, patterns go into the bank.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "miscadmin.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/settings.h"
#include "cycle.h"

#define MAX_ITERATIONS		100
#define TOLERANCE			1e-6
/*
 * Four verified runs an instance at most: so many of them give a cluster the
 * evidence that a confidence of 0.8 takes (n / (n + 3)).
 */
#define INSTANCES_PER_CLUSTER	6

/* Of a cluster that becomes a pattern. */
#define MIN_MEMBERS			2
#define MIN_RUNS			5

static int
compare_keys(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

/*
 * Sort the members' instances into keys[n_members], each once; returns how
 * many there are.
 */
static int
distinct_instances(const RvdLearningCycle *c, uint64 *keys)
{
	int			n = 0;

	for (int i = 0; i < c->n_members; i++)
		keys[i] = c->members[i].instance;
	qsort(keys, c->n_members, sizeof(uint64), compare_keys);
	for (int i = 0; i < c->n_members; i++)
		if (i == 0 || keys[i] != keys[n - 1])
			keys[n++] = keys[i];
	return n;
}

/* Every instance a cluster of its own. */
static void
separate(RvdLearningCycle *c, const uint64 *keys, int instances)
{
	for (int i = 0; i < c->n_members; i++)
	{
		const uint64 *key = bsearch(&c->members[i].instance, keys, instances,
									sizeof(uint64), compare_keys);

		c->assignment[i] = (int32) (key - keys);
	}
	c->k = instances;
	c->report.clusters = instances;
}

/* Many clusters of many plans take seconds. */
static void
look_up(void *arg, int iteration, double cost)
{
	CHECK_FOR_INTERRUPTS();
}

static void
fit(RvdLearningCycle *c, int k)
{
	RvdKmeansOptions options = {
		.k = k, .max_iterations = MAX_ITERATIONS, .tolerance = TOLERANCE,
		.seed = rvd_hash_combine(c->learner->database, c->state->cycle),
		.gemm = rvd_cycle_gemm(), .progress = look_up
	};
	RvdKmeansResult result = {
		.centroid = palloc(sizeof(float) * RVD_EMBEDDING_DIM * k),
		.assignment = c->assignment, .size = palloc(sizeof(int32) * k)
	};
	void	   *work = palloc(rvd_kmeans_workspace(c->n_members,
												   RVD_EMBEDDING_DIM, k));

	if (rvd_kmeans_fit(c->points, c->n_members, RVD_EMBEDDING_DIM, &options,
					   &result, work) != RVD_OK)
		ereport(ERROR,
				(errcode(RVD_ERRCODE_LEARNING_FAILED),
				 errmsg("could not cluster %d plans", c->n_members)));
	c->report.clusters = result.k;
	pfree(work);
	pfree(result.size);
	pfree(result.centroid);

	work = palloc(rvd_clusters_workspace(result.k));
	c->k = rvd_clusters_join(c->points, c->n_members, c->assignment, result.k,
							 RVD_CYCLE_MERGE_THRESHOLD, work);
	pfree(work);
}

void
rvd_cycle_cluster(RvdLearningCycle *c)
{
	uint64	   *keys = palloc(sizeof(uint64) * (c->n_members + 1));
	int			instances = distinct_instances(c, keys);
	int			k = c->request.clusters;

	c->assignment = palloc(sizeof(int32) * (c->n_members + 1));
	if (k <= 0)
		k = Min(rvd_dag_pattern_clusters,
				Max(1, instances / INSTANCES_PER_CLUSTER));
	if (c->n_members > 0 && rvd_part_on(RVD_PART_KMEANS))
		fit(c, k);
	else
		separate(c, keys, instances);
	pfree(keys);
}

void
rvd_cycle_patterns(RvdLearningCycle *c)
{
	bool		clustered = rvd_part_on(RVD_PART_KMEANS);
	RvdExtractOptions options = {
		.min_members = clustered ? MIN_MEMBERS : 1,
		.min_runs = clustered ? MIN_RUNS : 1,
		.now = GetCurrentTimestamp()
	};
	RvdPattern *fresh = palloc(sizeof(RvdPattern) * (c->k + 1));
	void	   *work = palloc(rvd_patterns_workspace(c->n_members) + 1);
	int			n;

	rvd_cycle_find_evidence(c);
	if (rvd_patterns_extract(c->points, c->members, c->n_members,
							 c->assignment, c->k, &options, fresh, &n,
							 work) != RVD_OK)
		ereport(ERROR,
				(errcode(RVD_ERRCODE_LEARNING_FAILED),
				 errmsg("could not extract patterns from %d clusters", c->k)));
	c->report.merged = rvd_patterns_merge(&c->next->bank, fresh, n,
										  RVD_CYCLE_MERGE_THRESHOLD,
										  &c->next->next_pattern);
}
