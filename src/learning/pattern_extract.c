/*-------------------------------------------------------------------------
 *
 * pattern_extract.c
 *	  From clusters of stock plans to patterns.  See pattern_extract.h.
 *
 * Members are sorted by cluster and instance, so that a cluster is a run of
 * the order and an instance a run of a cluster; sums are in double.
 *
 * Sources: learning.md and algorithms.md, sections 5 and 6 (minimum members,
 * tightness as the mean resultant length, evidence by log ratios).
 *
 * Memory: the caller's workspace.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/pattern_extract.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ruvector_dag/vec.h"

/* A learned plan must take less than this share of the stock plan's time. */
#define MIN_GAIN		0.95

#define KERNELS			16

/* A member's place in the order. */
typedef struct Place
{
	uint64_t	instance;
	int64_t		queryid;
	int32_t		cluster;
	int32_t		member;
} Place;

/* The members of one cluster and room for its relations. */
typedef struct Cluster
{
	const RvdPatternMember *members;
	const float *points;
	const Place *place;
	int			n;
	uint32_t   *relations;		/* [n * RVD_MEMBER_RELATIONS] */
} Cluster;

static size_t
places_size(int n)
{
	return (size_t) n * sizeof(Place);
}

size_t
rvd_patterns_workspace(int n)
{
	return places_size(n) +
		(size_t) n * RVD_MEMBER_RELATIONS * sizeof(uint32_t);
}

static int
compare_places(const void *a, const void *b)
{
	const Place *x = a;
	const Place *y = b;

	if (x->cluster != y->cluster)
		return x->cluster < y->cluster ? -1 : 1;
	if (x->instance != y->instance)
		return x->instance < y->instance ? -1 : 1;
	if (x->queryid != y->queryid)
		return x->queryid < y->queryid ? -1 : 1;
	return x->member < y->member ? -1 : x->member > y->member;
}

static const RvdPatternMember *
member_at(const Cluster *c, int i)
{
	return &c->members[c->place[i].member];
}

static const float *
point_at(const Cluster *c, int i)
{
	return c->points + (size_t) c->place[i].member * RVD_EMBEDDING_DIM;
}

/* Mean direction and how long the mean is.  False: there is no direction. */
static bool
locate(const Cluster *c, RvdPattern *p)
{
	double		sum[RVD_EMBEDDING_DIM] = {0};

	for (int i = 0; i < c->n; i++)
	{
		const float *x = point_at(c, i);

		for (int d = 0; d < RVD_EMBEDDING_DIM; d++)
			sum[d] += x[d];
	}
	for (int d = 0; d < RVD_EMBEDDING_DIM; d++)
		p->centroid[d] = (float) (sum[d] / c->n);
	p->tightness = (float) rvd_vec_norm(p->centroid, RVD_EMBEDDING_DIM);
	return rvd_vec_normalize(p->centroid, RVD_EMBEDDING_DIM);
}

/* ---- evidence ------------------------------------------------------------ */

/* Is member i the first of its instance with evidence? */
static bool
brings_evidence(const Cluster *c, int i)
{
	if (member_at(c, i)->verified == 0)
		return false;
	for (int j = i - 1;
		 j >= 0 && c->place[j].instance == c->place[i].instance; j--)
		if (member_at(c, j)->verified > 0)
			return false;
	return true;
}

static double
evidence_weight(const RvdPatternMember *m)
{
	return m->verified < RVD_MEMBER_VERIFIED_MAX ? m->verified :
		RVD_MEMBER_VERIFIED_MAX;
}

/*
 * Pool the ratios of the instances; the variance is that of a run of any
 * member: within an instance plus between them.
 */
static uint32_t
configuration_of(const RvdPatternMember *m)
{
	return m->configuration < RVD_CONFIGURATIONS ? m->configuration :
		RVD_CONFIGURATION_STOCK;
}

/*
 * The configuration that did most for the members, by runs and gain; where
 * none gained, the one that was verified most.
 */
static uint32_t
best_configuration(const Cluster *c)
{
	double		gain[RVD_CONFIGURATIONS] = {0};
	double		weight[RVD_CONFIGURATIONS] = {0};
	uint32_t	best = 0;

	for (int i = 0; i < c->n; i++)
		if (brings_evidence(c, i))
		{
			const RvdPatternMember *m = member_at(c, i);

			weight[configuration_of(m)] += evidence_weight(m);
			gain[configuration_of(m)] -= evidence_weight(m) * m->ratio;
		}
	for (uint32_t k = 1; k < RVD_CONFIGURATIONS; k++)
		if (weight[k] > 0 &&
			(weight[best] <= 0 || gain[k] > fmax(gain[best], 0) ||
			 (gain[best] <= 0 && gain[k] <= 0 && weight[k] > weight[best])))
			best = k;
	return best;
}

static void
weigh_evidence(const Cluster *c, RvdPattern *p)
{
	uint32_t	configuration = best_configuration(c);
	double		weight = 0;
	double		mean = 0;
	double		variance = 0;

	for (int i = 0; i < c->n; i++)
		if (brings_evidence(c, i) &&
			configuration_of(member_at(c, i)) == configuration)
		{
			weight += evidence_weight(member_at(c, i));
			mean += evidence_weight(member_at(c, i)) * member_at(c, i)->ratio;
		}
	if (weight <= 0)
		return;
	mean /= weight;
	for (int i = 0; i < c->n; i++)
		if (brings_evidence(c, i) &&
			configuration_of(member_at(c, i)) == configuration)
		{
			const RvdPatternMember *m = member_at(c, i);
			double		away = m->ratio - mean;

			variance += evidence_weight(m) * (m->ratio_variance + away * away);
		}
	p->verified = (uint32_t) weight;
	p->mean_ratio = (float) mean;
	p->ratio_variance = (float) (variance / weight);
	if (mean < log(MIN_GAIN))
		p->configuration = configuration;
}

/* ---- description --------------------------------------------------------- */

/* Averages over runs. */
static void
average(const Cluster *c, RvdPattern *p)
{
	double		runs = 0;
	double		log_ms = 0;
	double		quality = 0;
	double		inflate_runs = 0;
	double		inflate = 0;

	for (int i = 0; i < c->n; i++)
	{
		const RvdPatternMember *m = member_at(c, i);

		runs += m->runs;
		log_ms += (double) m->runs * m->log_ms;
		quality += (double) m->runs * m->quality;
		if (isfinite(m->inflate))
		{
			inflate_runs += m->runs;
			inflate += (double) m->runs * m->inflate;
		}
	}
	p->baseline_ms = (float) exp(log_ms / runs);
	p->latency_ms = p->baseline_ms;
	if (p->configuration != RVD_CONFIGURATION_STOCK)
		p->latency_ms = (float) exp(log_ms / runs + p->mean_ratio);
	p->quality = (float) (quality / runs);
	p->inflate = inflate_runs > 0 ? (float) (inflate / inflate_runs) : 0.0f;
}

/* The kernel most runs used; ties: the lowest. */
static int16_t
usual_attention(const Cluster *c)
{
	uint64_t	uses[KERNELS] = {0};
	int			best = 0;

	for (int i = 0; i < c->n; i++)
	{
		int			kernel = member_at(c, i)->attention;

		if (kernel >= 0 && kernel < KERNELS)
			uses[kernel] += member_at(c, i)->runs;
	}
	for (int kernel = 1; kernel < KERNELS; kernel++)
		if (uses[kernel] > uses[best])
			best = kernel;
	return (int16_t) best;
}

static int
compare_relations(const void *a, const void *b)
{
	uint32_t	x = *(const uint32_t *) a;
	uint32_t	y = *(const uint32_t *) b;

	return x < y ? -1 : x > y;
}

/* Keep the most frequent; equally frequent ones in ascending order. */
static void
note_relation(RvdPattern *p, int *counts, uint32_t relation, int count)
{
	int			at = p->n_relations;

	while (at > 0 && counts[at - 1] < count)
		at--;
	if (at == RVD_PATTERN_RELATIONS)
		return;
	if (p->n_relations < RVD_PATTERN_RELATIONS)
		p->n_relations++;
	for (int i = p->n_relations - 1; i > at; i--)
	{
		p->relations[i] = p->relations[i - 1];
		counts[i] = counts[i - 1];
	}
	p->relations[at] = relation;
	counts[at] = count;
}

static void
usual_relations(const Cluster *c, RvdPattern *p)
{
	int			counts[RVD_PATTERN_RELATIONS];
	int			n = 0;

	for (int i = 0; i < c->n; i++)
	{
		const RvdPatternMember *m = member_at(c, i);

		for (int r = 0; r < m->n_relations && r < RVD_MEMBER_RELATIONS; r++)
			c->relations[n++] = m->relations[r];
	}
	qsort(c->relations, n, sizeof(uint32_t), compare_relations);
	for (int i = 0, end; i < n; i = end)
	{
		for (end = i + 1; end < n && c->relations[end] == c->relations[i];)
			end++;
		note_relation(p, counts, c->relations[i], end - i);
	}
}

/* The query of the member nearest to the centroid. */
static int64_t
example(const Cluster *c, const RvdPattern *p)
{
	double		nearest = INFINITY;
	int			best = 0;

	for (int i = 0; i < c->n; i++)
	{
		double		away = rvd_vec_distance(point_at(c, i), p->centroid,
											RVD_EMBEDDING_DIM);

		if (away < nearest)
		{
			nearest = away;
			best = i;
		}
	}
	return member_at(c, best)->queryid;
}

/* ---- clusters ------------------------------------------------------------ */

/* False: too few, or all over the place. */
static bool
describe(const Cluster *c, const RvdExtractOptions *options, RvdPattern *p)
{
	uint64_t	runs = 0;

	for (int i = 0; i < c->n; i++)
		runs += member_at(c, i)->runs;
	memset(p, 0, sizeof(*p));
	if ((uint32_t) c->n < options->min_members || runs < options->min_runs ||
		!locate(c, p))
		return false;
	p->samples = runs < UINT32_MAX ? (uint32_t) runs : UINT32_MAX;
	p->updated_at = options->now;
	weigh_evidence(c, p);
	average(c, p);
	p->attention = usual_attention(c);
	usual_relations(c, p);
	p->example = example(c, p);
	return true;
}

RvdStatus
rvd_patterns_extract(const float *points, const RvdPatternMember *members,
					 int n, const int32_t *assignment, int k,
					 const RvdExtractOptions *options, RvdPattern *patterns,
					 int *count, void *work)
{
	Place	   *places = work;
	Cluster		c = {.members = members, .points = points};

	*count = 0;
	if (n == 0)
		return RVD_OK;
	c.relations = (uint32_t *) ((char *) work + places_size(n));
	for (int i = 0; i < n; i++)
	{
		if (assignment[i] < 0 || assignment[i] >= k || members[i].runs == 0)
			return RVD_ERR_ARGUMENT;
		places[i] = (Place) {members[i].instance, members[i].queryid,
			assignment[i], i};
	}
	qsort(places, n, sizeof(Place), compare_places);
	for (int start = 0, end; start < n; start = end)
	{
		for (end = start + 1;
			 end < n && places[end].cluster == places[start].cluster;)
			end++;
		c.place = places + start;
		c.n = end - start;
		if (describe(&c, options, &patterns[*count]))
			(*count)++;
	}
	return RVD_OK;
}
