/*-------------------------------------------------------------------------
 *
 * cut_tree_build.c
 *	  Dynamic minimum cut of a tree: from parents to places.
 *
 *	1 order: inputs before consumers (Kahn), which also finds what is no tree
 *	2 heavy: the input with the largest subtree continues its consumer's path
 *	3 sequence: the nodes of each path from its top, weights summed up; the
 *	  weight of a node is its subtree without its heavy input's
 *	4 places: the weighted median of a stretch is its top place; what is
 *	  above it, below it and hangs off it follow, depth first
 *	5 values: every place pulled once, last to first
 *
 * No step recurses: a tree may be one path of two million nodes.  The stack
 * of step 4 holds at most three entries a level, and levels are bounded by
 * rvd_cut_tree_pull_bound().
 *
 * Memory: the notes of steps 1 to 4 live in the places themselves, the notes
 * of node i in nodes[i]; link and node, which are kept, lie beside them.
 * O(n log n).  Layer 1.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "cut_tree_node.h"

#define CACHE_LINE		64
#define MAX_LEVELS		43		/* rvd_cut_tree_pull_bound(MAX_NODES) */

/* A stretch of a path (first >= 0), or the light inputs from ~first on. */
typedef struct Stretch
{
	int32_t		first;
	int32_t		end;
	int32_t		link;
} Stretch;

size_t
rvd_cut_tree_size(int32_t n)
{
	if (n < 1 || n > RVD_CUT_MAX_NODES)
		return 0;
	return (size_t) n * (sizeof(RvdCutNode) + sizeof(int32_t)) + CACHE_LINE;
}

/* Sum of what is finite; false if something is negative or too large. */
static bool
sum_finite(RvdCutTree *t, const int64_t *value, RvdStatus *status)
{
	for (int32_t i = 0; i < t->n; i++)
	{
		if (value[i] < 0)
		{
			*status = RVD_ERR_ARGUMENT;
			return false;
		}
		if (value[i] == RVD_CUT_INFINITE)
			continue;
		if (value[i] >= t->infinite - t->finite_sum)
		{
			*status = RVD_ERR_FULL;
			return false;
		}
		t->finite_sum += value[i];
	}
	return true;
}

/* Clear the notes and count inputs; false if there is not one root. */
static bool
count_inputs(RvdCutTree *t, RvdCutNode *nodes, const int32_t *parent)
{
	t->root = -1;
	for (int32_t i = 0; i < t->n; i++)
	{
		nodes[i].note.pending = 0;
		nodes[i].note.size = 1;
		nodes[i].note.heavy = -1;
		nodes[i].note.light = -1;
	}
	for (int32_t i = 0; i < t->n; i++)
	{
		if (parent[i] == -1)
		{
			if (t->root >= 0)
				return false;
			t->root = i;
		}
		else if (parent[i] < 0 || parent[i] >= t->n)
			return false;
		else
			nodes[parent[i]].note.pending++;
	}
	return t->root >= 0;
}

/* Steps 1 and 2; false if not everything hangs below the root. */
static bool
find_heavy(const RvdCutTree *t, RvdCutNode *nodes, const int32_t *parent)
{
	int32_t		placed = 0;

	for (int32_t i = 0; i < t->n; i++)
	{
		if (nodes[i].note.pending == 0)
			nodes[placed++].note.order = i;
	}
	for (int32_t k = 0; k < placed; k++)
	{
		int32_t		node = nodes[k].note.order;
		int32_t		above = parent[node];
		int32_t		size = nodes[node].note.size;
		RvdCutNote *note;

		if (above < 0)
			continue;
		note = &nodes[above].note;
		note->size += size;
		if (note->heavy < 0 || size > nodes[note->heavy].note.size)
			note->heavy = node;
		if (--note->pending == 0)
			nodes[placed++].note.order = above;
	}
	if (placed != t->n)
		return false;

	for (int32_t i = 0; i < t->n; i++)
	{
		int32_t		above = parent[i];

		if (above < 0 || nodes[above].note.heavy == i)
			continue;
		nodes[i].note.next_light = nodes[above].note.light;
		nodes[above].note.light = i;
	}
	return true;
}

/* Step 3. */
static void
line_up_paths(const RvdCutTree *t, RvdCutNode *nodes, const int32_t *parent)
{
	int32_t		end = 0;
	int32_t		sum = 0;

	for (int32_t k = t->n - 1; k >= 0; k--)
	{
		int32_t		top = nodes[k].note.order;
		int32_t		node = top;

		if (top != t->root && nodes[parent[top]].note.heavy == top)
			continue;
		nodes[top].note.start = end;
		while (node >= 0)
		{
			int32_t		heavy = nodes[node].note.heavy;

			sum += nodes[node].note.size;
			if (heavy >= 0)
				sum -= nodes[heavy].note.size;
			nodes[end].note.sequence = node;
			nodes[end].note.weight = sum;
			end++;
			node = heavy;
		}
		nodes[top].note.end = end;
	}
}

/* Where the stretch first .. end - 1 splits into halves by weight. */
static int32_t
find_median(const RvdCutNode *nodes, int32_t first, int32_t end)
{
	int32_t		before = first > 0 ? nodes[first - 1].note.weight : 0;
	int32_t		total = nodes[end - 1].note.weight - before;
	int32_t		last = end - 1;

	while (first < last)
	{
		int32_t		middle = first + (last - first) / 2;

		if (2 * (nodes[middle].note.weight - before) >= total)
			last = middle;
		else
			first = middle + 1;
	}
	return first;
}

/* Step 4: place[] and, in the notes, links. */
static void
assign_places(const RvdCutTree *t, RvdCutNode *nodes)
{
	Stretch		stack[3 * MAX_LEVELS + 3];
	int32_t		depth = 0;
	int32_t		placed = 0;

	stack[depth++] = (Stretch) {nodes[t->root].note.start,
	nodes[t->root].note.end, RVD_CUT_TOP};
	while (depth > 0)
	{
		Stretch		s = stack[--depth];
		int32_t		median;
		int32_t		node;

		if (s.first < 0)
		{
			int32_t		top = ~s.first;

			if (nodes[top].note.next_light >= 0)
				stack[depth++] = (Stretch) {~nodes[top].note.next_light, 0,
				s.link};
			s.first = nodes[top].note.start;
			s.end = nodes[top].note.end;
		}
		median = find_median(nodes, s.first, s.end);
		node = nodes[median].note.sequence;
		t->place[node] = placed;
		nodes[node].note.link = s.link;

		if (nodes[node].note.light >= 0)
			stack[depth++] = (Stretch) {~nodes[node].note.light, 0,
			placed * 4 + RVD_CUT_OWN};
		if (median + 1 < s.end)
			stack[depth++] = (Stretch) {median + 1, s.end,
			placed * 4 + RVD_CUT_LOWER};
		if (s.first < median)
			stack[depth++] = (Stretch) {s.first, median,
			placed * 4 + RVD_CUT_UPPER};
		placed++;
	}
}

/* Step 5; the notes go. */
static void
fill_values(const RvdCutTree *t, RvdCutNode *nodes, const int64_t *capacity,
			const int64_t *injection)
{
	RvdCutPiece neutral = {RVD_CUT_NEUTRAL, 0};

	if (t->frontier)
		neutral.cap = -RVD_CUT_NEUTRAL;

	for (int32_t i = 0; i < t->n; i++)
	{
		nodes[t->place[i]].link = nodes[i].note.link;
		nodes[t->place[i]].node = i;
	}
	for (int32_t i = 0; i < t->n; i++)
	{
		RvdCutNode *node = &nodes[t->place[i]];

		node->piece[RVD_CUT_UPPER] = neutral;
		node->piece[RVD_CUT_LOWER] = neutral;
		node->piece[RVD_CUT_OWN].cap =
			capacity[i] < t->infinite ? capacity[i] : t->infinite;
		node->piece[RVD_CUT_OWN].inflow =
			injection[i] < t->infinite ? injection[i] : t->infinite;
		node->flow = 0;
	}
	for (int32_t k = t->n - 1; k >= 0; k--)
	{
		RvdCutPiece whole = rvd_cut_tree_whole(&nodes[k], t->frontier);
		RvdCutNode *above = nodes + (nodes[k].link >> 2);
		RvdCutSide	side = rvd_cut_tree_side(&nodes[k]);

		if (side < RVD_CUT_OWN)
		{
			above->piece[side] = whole;
			continue;
		}
		nodes[k].flow = rvd_cut_tree_outflow(whole, t->frontier);
		if (side == RVD_CUT_OWN)
			above->piece[RVD_CUT_OWN].inflow += nodes[k].flow;
	}
}

RvdStatus
rvd_cut_tree_build(RvdCutTree *t, void *mem, size_t size, int32_t n,
				   const int32_t *parent, const int64_t *capacity,
				   const int64_t *injection, bool frontier)
{
	size_t		needed = rvd_cut_tree_size(n);
	RvdStatus	status;
	RvdCutNode *nodes;

	if (needed == 0 || mem == NULL || (uintptr_t) mem % 8 != 0 ||
		size < needed)
		return RVD_ERR_ARGUMENT;

	memset(t, 0, sizeof(*t));
	t->n = n;
	t->frontier = frontier;
	t->infinite = (RVD_CUT_NEUTRAL - 1) / n;
	nodes = (RvdCutNode *) (((uintptr_t) mem + CACHE_LINE - 1) &
							~(uintptr_t) (CACHE_LINE - 1));
	t->nodes = nodes;
	t->place = (int32_t *) (nodes + n);

	if (!sum_finite(t, capacity, &status) ||
		!sum_finite(t, injection, &status))
		return status;
	if (!count_inputs(t, nodes, parent) || !find_heavy(t, nodes, parent))
		return RVD_ERR_ARGUMENT;
	line_up_paths(t, nodes, parent);
	assign_places(t, nodes);
	fill_values(t, nodes, capacity, injection);
	return RVD_OK;
}
