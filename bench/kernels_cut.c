/*-------------------------------------------------------------------------
 *
 * kernels_cut.c
 *	  Cost of an update of the dynamic minimum cut, for counting.
 *
 *		kernels_cut FAMILY N UPDATES [seed]
 *
 * Builds a tree of N nodes and sets UPDATES capacities, uniform over nodes,
 * each carried up to the root even where nothing changes any more (the
 * usual update stops there; random trees would then show 3 steps at any
 * size).  Run twice under an instruction counter with different UPDATES, the
 * difference of the counts over the difference of UPDATES is the cost of one
 * update: everything else here, drawing the updates too, does not depend on
 * UPDATES.
 *
 * Prints one line of key=value: ns per update, the mean and the largest
 * number of pulls and the bound that is proved.
 *
 *-------------------------------------------------------------------------
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../src/analysis/cut_tree_node.h"
#include "ruvector_dag/rng.h"

#define DRAWN		(1 << 17)	/* updates drawn, used in turn */
#define CAPACITY	1000000

typedef struct Update
{
	int32_t		node;
	int32_t		capacity;
} Update;

typedef void (*Family) (int32_t *parent, int32_t n, RvdRng *rng);

static void
grow_recursive(int32_t *parent, int32_t n, RvdRng *rng)
{
	for (int32_t i = 1; i < n; i++)
		parent[i] = (int32_t) rvd_rng_below(rng, (uint64_t) i);
}

static void
grow_binary(int32_t *parent, int32_t n, RvdRng *rng)
{
	for (int32_t i = 1; i < n; i++)
		parent[i] = (i - 1) / 2;
}

static void
grow_path(int32_t *parent, int32_t n, RvdRng *rng)
{
	for (int32_t i = 1; i < n; i++)
		parent[i] = i - 1;
}

/* Joins 0, 2, 4 ... below each other, each with a scan. */
static void
grow_leftdeep(int32_t *parent, int32_t n, RvdRng *rng)
{
	for (int32_t i = 1; i < n; i++)
		parent[i] = (i - 1) / 2 * 2;
}

/* A complete binary tree with edges of about sqrt(n) / 2 nodes. */
static void
grow_sqrtpaths(int32_t *parent, int32_t n, RvdRng *rng)
{
	int32_t		length = (int32_t) (sqrt((double) n) / 2) + 1;

	/* fork f is node f * length; nodes between hang in a row below it */
	for (int32_t i = 1; i < n; i++)
	{
		int32_t		branch = (i - 1) / length;

		if ((i - 1) % length != 0)
			parent[i] = i - 1;
		else
			parent[i] = branch / 2 * length;
	}
}

/* Root, sqrt(n) groups, leaves. */
static void
grow_append(int32_t *parent, int32_t n, RvdRng *rng)
{
	int32_t		groups = (int32_t) sqrt((double) n);

	for (int32_t i = 1; i < n; i++)
		parent[i] = i <= groups ? 0 : 1 + (i - 1) % groups;
}

static const struct
{
	const char *name;
	Family		grow;
}			families[] =
{
	{"recursive", grow_recursive},
	{"binary", grow_binary},
	{"path", grow_path},
	{"leftdeep", grow_leftdeep},
	{"sqrtpaths", grow_sqrtpaths},
	{"append", grow_append},
};

static void *
get_memory(size_t size)
{
	void	   *p = malloc(size);

	if (p == NULL)
	{
		fprintf(stderr, "kernels_cut: out of memory\n");
		exit(1);
	}
	return p;
}

static Family
find_family(const char *name)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
	{
		if (strcmp(families[i].name, name) == 0)
			return families[i].grow;
	}
	return NULL;
}

/* Leaves are unlimited sources, capacities uniform. */
static void
plant(RvdCutTree *t, Family grow, int32_t n, RvdRng *rng)
{
	int32_t    *parent = get_memory((size_t) n * sizeof(int32_t));
	int64_t    *capacity = get_memory((size_t) n * sizeof(int64_t));
	int64_t    *injection = get_memory((size_t) n * sizeof(int64_t));
	size_t		size = rvd_cut_tree_size(n);

	parent[0] = -1;
	grow(parent, n, rng);
	for (int32_t i = 0; i < n; i++)
	{
		capacity[i] = 1 + (int64_t) rvd_rng_below(rng, CAPACITY);
		injection[i] = RVD_CUT_INFINITE;
	}
	for (int32_t i = 1; i < n; i++)
		injection[parent[i]] = 0;
	if (rvd_cut_tree_build(t, get_memory(size), size, n, parent, capacity,
						   injection, false) != RVD_OK)
	{
		fprintf(stderr, "kernels_cut: not a tree\n");
		exit(1);
	}
	free(parent);
	free(capacity);
	free(injection);
}

static double
seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

/* The part whose cost is proportional to n_updates; returns seconds. */
static double
run_updates(RvdCutTree *t, const Update *drawn, long n_updates,
			long *pulls, int32_t *most)
{
	double		start = seconds_now();

	for (long k = 0; k < n_updates; k++)
	{
		const Update *u = &drawn[k & (DRAWN - 1)];

		rvd_cut_tree_update_fully(t, u->node, u->capacity);
		*pulls += t->pulls;
		if (t->pulls > *most)
			*most = t->pulls;
	}
	return seconds_now() - start;
}

int
main(int argc, char **argv)
{
	Family		grow = argc > 1 ? find_family(argv[1]) : NULL;
	long		n = argc > 2 ? atol(argv[2]) : 0;
	long		n_updates = argc > 3 ? atol(argv[3]) : -1;
	long		pulls = 0;
	int32_t		most = 0;
	double		seconds;
	Update	   *drawn;
	RvdCutTree	tree;
	RvdRng		rng;

	if (grow == NULL || n < 1 || n > RVD_CUT_MAX_NODES || n_updates < 1)
	{
		fprintf(stderr, "usage: kernels_cut FAMILY N UPDATES [seed]\n"
				"FAMILY: recursive binary path leftdeep sqrtpaths append\n");
		return 2;
	}
	rvd_rng_init(&rng, RVD_RNG_TEST,
				 argc > 4 ? strtoull(argv[4], NULL, 10) : 1);
	plant(&tree, grow, (int32_t) n, &rng);
	drawn = get_memory(DRAWN * sizeof(Update));
	for (int i = 0; i < DRAWN; i++)
	{
		drawn[i].node = (int32_t) rvd_rng_below(&rng, (uint64_t) n);
		drawn[i].capacity = 1 + (int32_t) rvd_rng_below(&rng, CAPACITY);
	}

	seconds = run_updates(&tree, drawn, n_updates, &pulls, &most);
	printf("family=%s n=%ld updates=%ld ns=%.1f pulls=%.3f most=%d bound=%d "
		   "value=%lld\n", argv[1], n, n_updates,
		   seconds / (double) n_updates * 1e9,
		   (double) pulls / (double) n_updates, most,
		   rvd_cut_tree_pull_bound((int32_t) n),
		   (long long) rvd_cut_tree_value(&tree));
	return 0;
}
