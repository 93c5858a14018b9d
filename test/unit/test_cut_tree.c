/*-------------------------------------------------------------------------
 *
 * test_cut_tree.c
 *	  Dynamic minimum cut of trees against all cuts, against antichains, and
 *	  against computing everything anew after each update.
 *
 * Trees live in heap blocks of exactly the size asked for, so that the
 * address sanitizer sees a write past them.  Numbers in comments are those
 * of the design's tests.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/analysis/cut_tree_node.h"
#include "ruvector_dag/rng.h"

#define N_CASES		3000
#define SMALL		10			/* all subsets of that many are tried */
#define UPDATES		10000

typedef struct Tree
{
	int32_t		n;
	bool		frontier;
	int32_t    *parent;
	int32_t    *order;			/* parents first */
	int64_t    *capacity;
	int64_t    *injection;
	int64_t    *arriving;
	int32_t    *cut;
	void	   *mem;
	RvdCutTree	t;
} Tree;

static RvdRng rng;

static int32_t
below(int32_t n)
{
	return (int32_t) rvd_rng_below(&rng, (uint64_t) n);
}

/* ---- families ----------------------------------------------------------- */

typedef int32_t (*Family) (int32_t i, int32_t n);

static int32_t
recursive(int32_t i, int32_t n)
{
	return below(i);
}

static int32_t
binary(int32_t i, int32_t n)
{
	return (i - 1) / 2;
}

static int32_t
path(int32_t i, int32_t n)
{
	return i - 1;
}

static int32_t
leftdeep(int32_t i, int32_t n)
{
	return (i - 1) / 2 * 2;
}

static int32_t
sqrtpaths(int32_t i, int32_t n)
{
	int32_t		length = (int32_t) (sqrt((double) n) / 2) + 1;

	return (i - 1) % length != 0 ? i - 1 : (i - 1) / length / 2 * length;
}

static int32_t
append(int32_t i, int32_t n)
{
	int32_t		groups = (int32_t) sqrt((double) n);

	return i <= groups ? 0 : 1 + (i - 1) % groups;
}

static int32_t
star(int32_t i, int32_t n)
{
	return 0;
}

static const Family families[] = {
	recursive, binary, path, leftdeep, sqrtpaths, append, star
};

#define N_FAMILIES	((int) (sizeof(families) / sizeof(families[0])))

/* ---- trees -------------------------------------------------------------- */

/*
 * Labels are shuffled: a parent's number says nothing.  But of the largest
 * trees, which would take seconds.
 */
static void
plant(Tree *tree, Family family, int32_t n, bool frontier)
{
	tree->n = n;
	tree->frontier = frontier;
	tree->parent = malloc((size_t) n * sizeof(int32_t));
	tree->order = malloc((size_t) n * sizeof(int32_t));
	tree->cut = malloc((size_t) n * sizeof(int32_t));
	tree->capacity = malloc((size_t) n * sizeof(int64_t));
	tree->injection = malloc((size_t) n * sizeof(int64_t));
	tree->arriving = malloc((size_t) n * sizeof(int64_t));
	tree->mem = malloc(rvd_cut_tree_size(n));
	for (int32_t i = 0; i < n; i++)
		tree->order[i] = i;
	for (int32_t i = n - 1; i > 0 && n <= 100000; i--)
	{
		int32_t		j = below(i + 1);
		int32_t		swap = tree->order[i];

		tree->order[i] = tree->order[j];
		tree->order[j] = swap;
	}
	tree->parent[tree->order[0]] = -1;
	for (int32_t i = 1; i < n; i++)
		tree->parent[tree->order[i]] = tree->order[family(i, n)];
	for (int32_t i = 0; i < n; i++)
	{
		tree->capacity[i] = 1 + below(1000);
		tree->injection[i] = frontier ? 0 : RVD_CUT_INFINITE;
	}
	for (int32_t i = 1; i < n; i++)
		tree->injection[tree->parent[tree->order[i]]] = 0;
}

static void
build(Tree *tree)
{
	assert_int_equal(rvd_cut_tree_build(&tree->t, tree->mem,
										rvd_cut_tree_size(tree->n), tree->n,
										tree->parent, tree->capacity,
										tree->injection, tree->frontier),
					 RVD_OK);
}

static void
fell(Tree *tree)
{
	free(tree->parent);
	free(tree->order);
	free(tree->cut);
	free(tree->capacity);
	free(tree->injection);
	free(tree->arriving);
	free(tree->mem);
}

/* A stand-in for infinity that no sum here reaches. */
static int64_t
as_number(int64_t x)
{
	return x == RVD_CUT_INFINITE ? INT64_C(1) << 48 : x;
}

static int64_t
infinite_again(int64_t x)
{
	return x >= INT64_C(1) << 48 ? RVD_CUT_INFINITE : x;
}

static bool
saturated(const Tree *tree, int32_t v)
{
	int64_t		c = as_number(tree->capacity[v]);

	return tree->frontier ? c >= tree->arriving[v] : c <= tree->arriving[v];
}

/* Everything anew; arriving[] too. */
static int64_t
recompute(Tree *tree)
{
	int64_t		pass = 0;

	for (int32_t i = 0; i < tree->n; i++)
		tree->arriving[i] = as_number(tree->injection[i]);
	for (int32_t k = tree->n - 1; k >= 0; k--)
	{
		int32_t		v = tree->order[k];

		pass = saturated(tree, v) ? as_number(tree->capacity[v])
			: tree->arriving[v];
		if (tree->parent[v] >= 0)
			tree->arriving[tree->parent[v]] += pass;
	}
	return infinite_again(pass);
}

/* Small values, so that there are ties, and 0 and infinity. */
static int64_t
odd_capacity(void)
{
	switch (below(8))
	{
		case 0:
			return 0;
		case 1:
			return RVD_CUT_INFINITE;
		default:
			return below(12);
	}
}

static void
plant_odd(Tree *tree, int32_t n, bool frontier)
{
	plant(tree, families[below(N_FAMILIES)], n, frontier);
	for (int32_t i = 0; i < n; i++)
	{
		tree->capacity[i] = odd_capacity();
		if (below(3) == 0)
			tree->injection[i] = frontier ? below(6) : odd_capacity();
	}
}

/* ---- against all cuts --------------------------------------------------- */

/*
 * Cost of the cut whose source side is the set: outputs of members that leave
 * the set, injections into the rest.
 */
static int64_t
cost_of_side(const Tree *tree, int32_t set)
{
	int64_t		cost = 0;

	for (int32_t v = 0; v < tree->n; v++)
	{
		int32_t		p = tree->parent[v];

		if (!(set >> v & 1))
			cost += as_number(tree->injection[v]);
		else if (p < 0 || !(set >> p & 1))
			cost += as_number(tree->capacity[v]);
	}
	return cost;
}

static int64_t
cheapest_cut(const Tree *tree)
{
	int64_t		best = INT64_MAX;

	for (int32_t set = 0; set < 1 << tree->n; set++)
	{
		int64_t		cost = cost_of_side(tree, set);

		if (cost < best)
			best = cost;
	}
	return infinite_again(best);
}

/* T7.1 */
static void
value_is_the_cheapest_cut(void **state)
{
	int			infinite = 0;

	for (int i = 0; i < N_CASES; i++)
	{
		Tree		tree;
		int64_t		value;

		plant_odd(&tree, 1 + below(SMALL - 1), false);
		build(&tree);
		value = rvd_cut_tree_value(&tree.t);
		infinite += value == RVD_CUT_INFINITE;
		assert_int_equal(value, cheapest_cut(&tree));
		assert_int_equal(value, recompute(&tree));
		fell(&tree);
	}
	assert_in_range(infinite, 1, N_CASES / 2);
}

/* What still passes when cut[] but for the one skipped is taken out. */
static int64_t
pass_without(const Tree *tree, int32_t n_cut, int32_t skip)
{
	Tree		rest = *tree;
	int64_t		capacity[SMALL];
	int64_t		injection[SMALL];
	int64_t		arriving[SMALL];

	memcpy(capacity, tree->capacity, (size_t) tree->n * sizeof(int64_t));
	memcpy(injection, tree->injection, (size_t) tree->n * sizeof(int64_t));
	for (int32_t k = 0; k < n_cut; k++)
	{
		int32_t		v = tree->cut[k];

		if (k == skip)
			continue;
		if (v >= 0)
			capacity[v] = 0;
		else
			injection[~v] = 0;
	}
	rest.capacity = capacity;
	rest.injection = injection;
	rest.arriving = arriving;
	return recompute(&rest);
}

/* Source side of the reported cut: what it cuts off from the root. */
static int32_t
reported_side(const Tree *tree, int32_t n_cut)
{
	int32_t		side = 0;

	for (int32_t k = 0; k < tree->n; k++)
	{
		int32_t		v = tree->order[k];

		for (int32_t j = 0; j < n_cut; j++)
			side |= tree->cut[j] == v ? 1 << v : 0;
		if (tree->parent[v] >= 0 && side >> tree->parent[v] & 1)
			side |= 1 << v;
	}
	return side;
}

/* T7.3 */
static void
report_is_a_cut_of_that_cost_and_none_of_it_is_idle(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		Tree		tree;
		int64_t		value;
		int64_t		cost = 0;
		int32_t		n_cut;

		plant_odd(&tree, 1 + below(SMALL), false);
		build(&tree);
		value = rvd_cut_tree_value(&tree.t);
		n_cut = rvd_cut_tree_report(&tree.t, tree.cut);
		if (value == RVD_CUT_INFINITE)
		{
			assert_int_equal(n_cut, -1);
			fell(&tree);
			continue;
		}
		assert_in_range(n_cut, 0, tree.n);
		for (int32_t k = 0; k < n_cut; k++)
		{
			int32_t		v = tree.cut[k];

			cost += v >= 0 ? tree.capacity[v] : tree.injection[~v];
		}
		assert_int_equal(cost, value);
		assert_int_equal(pass_without(&tree, n_cut, -1), 0);
		for (int32_t k = 0; k < n_cut; k++)
			assert_int_not_equal(pass_without(&tree, n_cut, k), 0);
		fell(&tree);
	}
}

/* Nothing is 0 here, so cuts are what they cut off. */
static void
report_is_the_cut_nearest_the_root(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		Tree		tree;
		int64_t		value;
		int32_t		side;

		plant(&tree, families[below(N_FAMILIES)], 1 + below(SMALL), false);
		for (int32_t v = 0; v < tree.n; v++)
			tree.capacity[v] = 1 + below(4);
		build(&tree);
		value = rvd_cut_tree_value(&tree.t);
		side = reported_side(&tree, rvd_cut_tree_report(&tree.t, tree.cut));
		assert_int_equal(cost_of_side(&tree, side), value);
		/* every other of that cost cuts off no more */
		for (int32_t set = 0; set < 1 << tree.n; set++)
		{
			if (cost_of_side(&tree, set) == value)
				assert_int_equal(set & ~side, 0);
		}
		fell(&tree);
	}
}

/* T7.4: also right derivative 1 iff the node is in every minimum cut. */
static void
value_is_monotone_and_concave_in_each_capacity(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		Tree		tree;
		int32_t		v;
		int64_t		value[20];

		plant(&tree, families[below(N_FAMILIES)], 1 + below(SMALL - 1), false);
		for (int32_t k = 0; k < tree.n; k++)
			tree.capacity[k] = 1 + below(8);
		build(&tree);
		v = below(tree.n);
		for (int c = 0; c < 20; c++)
		{
			assert_int_equal(rvd_cut_tree_update(&tree.t, v, c), RVD_OK);
			value[c] = rvd_cut_tree_value(&tree.t);
			if (c > 0)
				assert_in_range(value[c] - value[c - 1], 0, 1);
			if (c > 1)
				assert_true(value[c] - value[c - 1] <=
							value[c - 1] - value[c - 2]);
		}
		for (int c = 1; c < 19; c++)
		{
			bool		in_every = true;

			tree.capacity[v] = c;
			for (int32_t set = 0; set < 1 << tree.n; set++)
			{
				int32_t		p = tree.parent[v];
				bool		leaves = set >> v & 1 &&
					(p < 0 || !(set >> p & 1));

				if (!leaves && cost_of_side(&tree, set) == value[c])
					in_every = false;
			}
			assert_int_equal(value[c + 1] - value[c], in_every);
			c += 4;
		}
		fell(&tree);
	}
}

/* ---- updates ------------------------------------------------------------ */

static void
check_updates(Family family, int32_t n, bool frontier, int n_updates)
{
	Tree		tree;
	int32_t		bound = rvd_cut_tree_pull_bound(n);

	plant(&tree, family, n, frontier);
	build(&tree);
	assert_int_equal(rvd_cut_tree_value(&tree.t), recompute(&tree));
	for (int k = 0; k < n_updates; k++)
	{
		int32_t		v = below(n);
		int64_t		c = below(4) == 0 ? odd_capacity() : below(1000);

		tree.capacity[v] = c;
		assert_int_equal(rvd_cut_tree_update(&tree.t, v, c), RVD_OK);
		assert_int_equal(rvd_cut_tree_value(&tree.t), recompute(&tree));
		/* T7.5 */
		assert_in_range(rvd_cut_tree_pulls(&tree.t), 1, bound);
	}
	fell(&tree);
}

/* T7.2 */
static void
updates_equal_computing_anew(void **state)
{
	const int32_t sizes[] = {1, 2, 3, 7, 30, 211};

	for (int f = 0; f < N_FAMILIES; f++)
	{
		for (int s = 0; s < 6; s++)
		{
			check_updates(families[f], sizes[s], false, UPDATES / 2);
			check_updates(families[f], sizes[s], true, UPDATES / 2);
		}
		check_updates(families[f], f < 2 ? 2000 : 1000, false, UPDATES);
		check_updates(families[f], 2000, true, UPDATES / 10);
	}
}

/* Also that every node has a place of its own. */
static void
stopping_early_leaves_the_same_structure(void **state)
{
	for (int i = 0; i < 100; i++)
	{
		Tree		tree;
		Tree		twin;
		size_t		bytes;
		int32_t		n = 1 + below(60);
		uint8_t		seen[60] = {0};

		plant_odd(&tree, n, i % 2 == 0);
		twin = tree;
		twin.mem = malloc(rvd_cut_tree_size(n));
		build(&tree);
		build(&twin);
		bytes = (size_t) n * sizeof(RvdCutNode);
		for (int32_t v = 0; v < n; v++)
			seen[rvd_cut_tree_nodes(&tree.t)[tree.t.place[v]].node] = 1;
		for (int32_t v = 0; v < n; v++)
			assert_true(seen[v]);
		for (int k = 0; k < 300; k++)
		{
			int32_t		v = below(n);
			int64_t		c = odd_capacity();
			int32_t		pulls;

			assert_int_equal(rvd_cut_tree_update(&tree.t, v, c), RVD_OK);
			assert_int_equal(rvd_cut_tree_update_fully(&twin.t, v, c), RVD_OK);
			pulls = twin.t.pulls;
			assert_true(tree.t.pulls <= pulls);
			/* the same once more: one looks no further, the other does */
			assert_int_equal(rvd_cut_tree_update(&tree.t, v, c), RVD_OK);
			assert_int_equal(tree.t.pulls, 1);
			assert_int_equal(rvd_cut_tree_update_fully(&twin.t, v, c), RVD_OK);
			assert_int_equal(twin.t.pulls, pulls);
			assert_memory_equal(tree.t.nodes, twin.t.nodes, bytes);
			assert_int_equal(tree.t.finite_sum, twin.t.finite_sum);
		}
		free(twin.mem);
		fell(&tree);
	}
}

/* T7.5 at sizes where the bound could be missed, without stopping early. */
static void
pulls_stay_below_the_bound(void **state)
{
	const int32_t sizes[] = {1, 2, 3, 4, 15, 16, 17, 1000, 20000};

	assert_int_equal(rvd_cut_tree_pull_bound(0), 0);
	assert_int_equal(rvd_cut_tree_pull_bound(1), 1);
	assert_int_equal(rvd_cut_tree_pull_bound(1023), 19);
	assert_int_equal(rvd_cut_tree_pull_bound(1024), 21);
	assert_int_equal(rvd_cut_tree_pull_bound(RVD_CUT_MAX_NODES), 43);
	for (int f = 0; f < N_FAMILIES; f++)
	{
		for (int s = 0; s < 9; s++)
		{
			Tree		tree;

			plant(&tree, families[f], sizes[s], false);
			build(&tree);
			for (int32_t v = 0; v < sizes[s]; v++)
			{
				assert_int_equal(rvd_cut_tree_update_fully(&tree.t, v, v),
								 RVD_OK);
				assert_in_range(tree.t.pulls, 1,
								rvd_cut_tree_pull_bound(sizes[s]));
			}
			fell(&tree);
		}
	}
}

/* ---- frontier ----------------------------------------------------------- */

/* Strict ancestors, as sets. */
static void
set_ancestors(const Tree *tree, int32_t *above)
{
	for (int32_t k = 0; k < tree->n; k++)
	{
		int32_t		v = tree->order[k];
		int32_t		p = tree->parent[v];

		above[v] = p < 0 ? 0 : above[p] | 1 << p;
	}
}

/* Sum over the set, -1 if one of it is above another. */
static int64_t
antichain_sum(const Tree *tree, const int32_t *above, int32_t set)
{
	int64_t		sum = 0;

	for (int32_t v = 0; v < tree->n; v++)
	{
		if (!(set >> v & 1))
			continue;
		if (above[v] & set)
			return -1;
		sum += tree->capacity[v];
	}
	return sum;
}

/* All that is above a member. */
static int32_t
closed_above(const Tree *tree, const int32_t *above, int32_t set)
{
	int32_t		all = 0;

	for (int32_t v = 0; v < tree->n; v++)
		all |= set >> v & 1 ? above[v] : 0;
	return all;
}

/* T7.8 */
static void
frontier_is_the_heaviest_antichain(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		Tree		tree;
		int32_t		above[12];
		int32_t		reported = 0;
		int32_t		n_cut;
		int64_t		best = 0;

		plant(&tree, families[below(N_FAMILIES)], 1 + below(12), true);
		for (int32_t v = 0; v < tree.n; v++)
			tree.capacity[v] = 1 + below(9);
		set_ancestors(&tree, above);
		build(&tree);
		n_cut = rvd_cut_tree_report(&tree.t, tree.cut);
		for (int32_t k = 0; k < n_cut; k++)
			reported |= 1 << tree.cut[k];
		for (int32_t set = 0; set < 1 << tree.n; set++)
		{
			int64_t		sum = antichain_sum(&tree, above, set);

			best = sum > best ? sum : best;
		}
		assert_int_equal(rvd_cut_tree_value(&tree.t), best);
		assert_int_equal(antichain_sum(&tree, above, reported), best);
		/* none of that weight is nearer the root */
		for (int32_t set = 0; set < 1 << tree.n; set++)
		{
			if (antichain_sum(&tree, above, set) == best)
				assert_int_equal(closed_above(&tree, above, reported) &
								 ~closed_above(&tree, above, set), 0);
		}
		fell(&tree);
	}
}

/* ---- arithmetic --------------------------------------------------------- */

/* T7.7 */
static void
composition_is_associative_and_applies_in_turn(void **state)
{
	for (int i = 0; i < 100000; i++)
	{
		bool		frontier = i % 2 == 0;
		RvdCutPiece p[3];
		RvdCutPiece left;
		RvdCutPiece right;
		int64_t		x = below(2000);
		int64_t		y = x;

		for (int k = 0; k < 3; k++)
		{
			p[k].cap = below(1000);
			p[k].inflow = below(1000);
			if (below(5) == 0)
			{
				p[k].cap = frontier ? -RVD_CUT_NEUTRAL : RVD_CUT_NEUTRAL;
				p[k].inflow = 0;
			}
		}
		left = rvd_cut_tree_compose(rvd_cut_tree_compose(p[0], p[1], frontier),
									p[2], frontier);
		right = rvd_cut_tree_compose(p[0], rvd_cut_tree_compose(p[1], p[2],
																frontier),
									 frontier);
		assert_int_equal(left.cap, right.cap);
		assert_int_equal(left.inflow, right.inflow);
		for (int k = 2; k >= 0; k--)
		{
			y += p[k].inflow;
			if (frontier ? p[k].cap > y : p[k].cap < y)
				y = p[k].cap;
		}
		left.inflow += x;
		assert_int_equal(rvd_cut_tree_outflow(left, frontier), y);
	}
}

/* T7.10 */
static void
sums_that_could_overflow_are_refused(void **state)
{
	Tree		tree;
	int64_t		most;

	plant(&tree, binary, 1000, false);
	build(&tree);
	most = tree.t.infinite;
	assert_true(most < (INT64_C(1) << 62) / 1000 + 1);
	assert_true(most * 1000 < INT64_C(1) << 62);

	/* at build: exactly at the limit, and one less */
	for (int32_t v = 0; v < 1000; v++)
		tree.capacity[v] = 0;
	tree.capacity[17] = most - 1;
	build(&tree);
	tree.capacity[18] = 1;
	assert_int_equal(rvd_cut_tree_build(&tree.t, tree.mem,
										rvd_cut_tree_size(1000), 1000,
										tree.parent, tree.capacity,
										tree.injection, false), RVD_ERR_FULL);
	tree.capacity[18] = 0;
	tree.injection[tree.order[0]] = 1;
	assert_int_equal(rvd_cut_tree_build(&tree.t, tree.mem,
										rvd_cut_tree_size(1000), 1000,
										tree.parent, tree.capacity,
										tree.injection, false), RVD_ERR_FULL);
	tree.injection[tree.order[0]] = 0;

	/* and by updates, which then change nothing */
	build(&tree);
	assert_int_equal(rvd_cut_tree_update(&tree.t, 3, 1), RVD_ERR_FULL);
	assert_int_equal(tree.t.finite_sum, most - 1);
	assert_int_equal(rvd_cut_tree_value(&tree.t), recompute(&tree));
	assert_int_equal(rvd_cut_tree_update(&tree.t, 17, most - 2), RVD_OK);
	assert_int_equal(rvd_cut_tree_update(&tree.t, 3, 1), RVD_OK);
	assert_int_equal(rvd_cut_tree_update(&tree.t, 3, RVD_CUT_INFINITE),
					 RVD_OK);
	assert_int_equal(tree.t.finite_sum, most - 2);
	assert_int_equal(rvd_cut_tree_update(&tree.t, 3, RVD_CUT_INFINITE - 1),
					 RVD_ERR_FULL);
	fell(&tree);

	/* nothing but infinity: the largest sums there are */
	for (int f = 0; f < N_FAMILIES; f++)
	{
		for (int frontier = 0; frontier < 2; frontier++)
		{
			plant(&tree, families[f], 500, frontier == 1);
			for (int32_t v = 0; v < 500; v++)
				tree.capacity[v] = tree.injection[v] = RVD_CUT_INFINITE;
			build(&tree);
			for (int32_t v = 0; v < 500; v++)
			{
				assert_int_equal(rvd_cut_tree_value(&tree.t),
								 RVD_CUT_INFINITE);
				assert_int_equal(rvd_cut_tree_report(&tree.t, tree.cut), -1);
				assert_int_equal(rvd_cut_tree_update(&tree.t, v, RVD_CUT_INFINITE),
								 RVD_OK);
			}
			fell(&tree);
		}
	}
}

static void
two_million_nodes_in_one_path(void **state)
{
	Tree		tree;
	int32_t		n = RVD_CUT_MAX_NODES;

	plant(&tree, path, n, false);
	build(&tree);
	assert_int_equal(rvd_cut_tree_value(&tree.t), recompute(&tree));
	for (int k = 0; k < 2; k++)
	{
		int32_t		v = below(n);

		assert_int_equal(rvd_cut_tree_update_fully(&tree.t, v, 0), RVD_OK);
		assert_int_equal(rvd_cut_tree_value(&tree.t), 0);
		assert_in_range(tree.t.pulls, 1, 43);
		assert_int_equal(rvd_cut_tree_report(&tree.t, tree.cut), 0);
		assert_int_equal(rvd_cut_tree_update(&tree.t, v, 5000), RVD_OK);
		tree.capacity[v] = 5000;
		assert_int_equal(rvd_cut_tree_value(&tree.t), recompute(&tree));
		assert_int_equal(rvd_cut_tree_report(&tree.t, tree.cut), 1);
	}
	fell(&tree);
}

static void
try_parents(const int32_t *parent, RvdStatus expected)
{
	int64_t		value[4] = {1, 1, 1, 1};
	RvdCutTree	t;
	size_t		size = rvd_cut_tree_size(4);
	void	   *mem = malloc(size);

	assert_int_equal(rvd_cut_tree_build(&t, mem, size, 4, parent, value,
										value, false), expected);
	free(mem);
}

static void
what_is_no_tree_is_refused(void **state)
{
	try_parents((int32_t[]) {-1, 0, 0, 2}, RVD_OK);
	try_parents((int32_t[]) {-1, -1, 0, 2}, RVD_ERR_ARGUMENT);
	try_parents((int32_t[]) {1, 0, 0, 2}, RVD_ERR_ARGUMENT);
	try_parents((int32_t[]) {-1, 2, 1, 0}, RVD_ERR_ARGUMENT);
	try_parents((int32_t[]) {-1, 1, 0, 0}, RVD_ERR_ARGUMENT);
	try_parents((int32_t[]) {-1, 0, 0, 4}, RVD_ERR_ARGUMENT);
	try_parents((int32_t[]) {-1, 0, 0, -2}, RVD_ERR_ARGUMENT);
}

static void
nonsense_is_refused(void **state)
{
	Tree		tree;
	size_t		size = rvd_cut_tree_size(10);

	assert_int_equal(rvd_cut_tree_size(0), 0);
	assert_int_equal(rvd_cut_tree_size(-1), 0);
	assert_int_equal(rvd_cut_tree_size(RVD_CUT_MAX_NODES + 1), 0);
	plant(&tree, path, 10, false);
#define TRY_BUILD(mem, size, n) \
	rvd_cut_tree_build(&tree.t, mem, size, n, tree.parent, tree.capacity, \
					   tree.injection, false)
	assert_int_equal(TRY_BUILD(NULL, size, 10), RVD_ERR_ARGUMENT);
	assert_int_equal(TRY_BUILD(tree.mem, size - 1, 10), RVD_ERR_ARGUMENT);
	assert_int_equal(TRY_BUILD((char *) tree.mem + 4, size, 10),
					 RVD_ERR_ARGUMENT);
	assert_int_equal(TRY_BUILD(tree.mem, size, 0), RVD_ERR_ARGUMENT);
	tree.capacity[3] = -1;
	assert_int_equal(TRY_BUILD(tree.mem, size, 10), RVD_ERR_ARGUMENT);
	tree.capacity[3] = 1;
	tree.injection[3] = -1;
	assert_int_equal(TRY_BUILD(tree.mem, size, 10), RVD_ERR_ARGUMENT);
	tree.injection[3] = 0;
	build(&tree);
	assert_int_equal(rvd_cut_tree_update(&tree.t, -1, 1), RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_cut_tree_update(&tree.t, 10, 1), RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_cut_tree_update(&tree.t, 0, -1), RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_cut_tree_update_fully(&tree.t, 0, -1),
					 RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_cut_tree_value(&tree.t), recompute(&tree));
	fell(&tree);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_is_the_cheapest_cut),
		cmocka_unit_test(report_is_a_cut_of_that_cost_and_none_of_it_is_idle),
		cmocka_unit_test(report_is_the_cut_nearest_the_root),
		cmocka_unit_test(value_is_monotone_and_concave_in_each_capacity),
		cmocka_unit_test(updates_equal_computing_anew),
		cmocka_unit_test(stopping_early_leaves_the_same_structure),
		cmocka_unit_test(pulls_stay_below_the_bound),
		cmocka_unit_test(frontier_is_the_heaviest_antichain),
		cmocka_unit_test(composition_is_associative_and_applies_in_turn),
		cmocka_unit_test(sums_that_could_overflow_are_refused),
		cmocka_unit_test(two_million_nodes_in_one_path),
		cmocka_unit_test(what_is_no_tree_is_refused),
		cmocka_unit_test(nonsense_is_refused),
	};

	rvd_rng_init(&rng, RVD_RNG_TEST, 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
