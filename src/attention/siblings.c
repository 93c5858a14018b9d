/*-------------------------------------------------------------------------
 *
 * siblings.c
 *	  Rows of the parallel branch kernel: an operator among its siblings.
 *
 *	   A[c,c'] softmax over c' in S(c) of
 *			   sum_m gain_m <q_c, k_c'>_m / 8 - |ln I_c - ln I_c'|
 *	   S(c)	   c and the inputs of its parent with the largest inclusive load
 *			   I, branch_siblings nodes in all; ties in preorder
 *
 * Equal loads attract: what a balanced join or partition has in common is
 * its context, a lone heavy input keeps to itself.  One selection serves all
 * the inputs of a parent, so an Append of 1,000 parts stays at 8 pairs each.
 * A shared producer counts as input of its first reader in preorder.
 *
 * Memory: the kernel's workspace.  No state.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "attention_internal.h"
#include "ruvector_dag/vec.h"

/* The first parent in preorder into w->index; -1 at the root. */
static void
find_homes(RvdAttentionWork *w)
{
	const RvdDag *dag = w->dag;

	for (int32_t v = 0; v < w->n; v++)
		w->index[v] = -1;
	for (int32_t i = 0; i < w->n; i++)
	{
		int32_t		parent = dag->preorder[i];

		for (int32_t e = dag->child_start[parent];
			 e < dag->child_start[parent + 1]; e++)
		{
			if (w->index[dag->child[e]] < 0)
				w->index[dag->child[e]] = parent;
		}
	}
}

/* Lengths of the rows of a parent's inputs, each counted once. */
static void
measure_rows(RvdAttentionWork *w, int32_t parent, int32_t *length)
{
	const RvdDag *dag = w->dag;
	int32_t		limit = w->in->params->branch_siblings;
	int32_t		count = 0;

	w->mark++;
	for (int32_t e = dag->child_start[parent];
		 e < dag->child_start[parent + 1]; e++)
	{
		if (w->stamp[dag->child[e]] != w->mark)
			count++;
		w->stamp[dag->child[e]] = w->mark;
	}
	for (int32_t e = dag->child_start[parent];
		 e < dag->child_start[parent + 1]; e++)
	{
		if (w->index[dag->child[e]] == parent)
			length[dag->child[e]] = count < limit ? count : limit;
	}
}

static bool
is_heavier(const RvdAttentionWork *w, const double *log_load, int32_t a,
		   int32_t b)
{
	if (log_load[a] != log_load[b])
		return log_load[a] > log_load[b];
	return w->dag->rank[a] < w->dag->rank[b];
}

/* The heaviest inputs of a parent into w->order; how many. */
static int32_t
select_heaviest(RvdAttentionWork *w, const double *log_load, int32_t parent)
{
	const RvdDag *dag = w->dag;
	int32_t		limit = w->in->params->branch_siblings;
	int32_t		count = 0;

	w->mark++;
	for (int32_t e = dag->child_start[parent];
		 e < dag->child_start[parent + 1]; e++)
	{
		int32_t		node = dag->child[e];
		int32_t		at;

		if (w->stamp[node] == w->mark)
			continue;
		w->stamp[node] = w->mark;
		if (count == limit &&
			!is_heavier(w, log_load, node, w->order[count - 1]))
			continue;
		at = count < limit ? count++ : count - 1;
		for (; at > 0 && is_heavier(w, log_load, node, w->order[at - 1]); at--)
			w->order[at] = w->order[at - 1];
		w->order[at] = node;
	}
	return count;
}

/* The row of c: itself, then the heaviest others; false: not finite. */
static bool
fill_row(RvdAttentionWork *w, const double *log_load, int32_t c,
		 RvdAttentionRows *rows)
{
	const int32_t first = rows->row_start[c];
	const int32_t count = rows->row_start[c + 1] - first;
	int32_t    *column = rows->column + first;
	double	   *weight = rows->weight + first;

	column[0] = c;
	for (int32_t i = 1, from = 0; i < count; from++)
	{
		if (w->order[from] != c)
			column[i++] = w->order[from];
	}
	for (int32_t i = 0; i < count; i++)
	{
		weight[i] = log_load[column[i]] == log_load[c] ? 0 :
			-fabs(log_load[column[i]] - log_load[c]);
		if (w->heads)
		{
			double		score = rvd_heads_score(w->in, c, column[i]);

			if (!isfinite(score))
				return false;
			weight[i] += score;
		}
	}
	return rvd_softmax(weight, weight, count);
}

bool
rvd_sibling_rows(RvdAttentionWork *w, const double *log_load,
				 RvdAttentionOutput *out)
{
	const RvdDag *dag = w->dag;
	RvdAttentionRows *rows = out->rows;

	find_homes(w);
	rows->row_start[0] = 0;
	rows->row_start[dag->root + 1] = 1;
	for (int32_t v = 0; v < w->n; v++)
		measure_rows(w, v, rows->row_start + 1);
	for (int32_t v = 0; v < w->n; v++)
		rows->row_start[v + 1] += rows->row_start[v];

	(void) fill_row(w, log_load, dag->root, rows);
	for (int32_t v = 0; v < w->n; v++)
	{
		if (dag->child_start[v] == dag->child_start[v + 1])
			continue;
		(void) select_heaviest(w, log_load, v);
		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
		{
			int32_t		c = dag->child[e];

			if (w->index[c] == v && !fill_row(w, log_load, c, rows))
				return false;
		}
	}
	out->edges_walked += 5 * (uint64_t) dag->n_edges;
	out->pairs_scored += (uint64_t) rows->row_start[w->n];
	rows->present = true;
	return true;
}
