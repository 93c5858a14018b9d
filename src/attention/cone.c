/*-------------------------------------------------------------------------
 *
 * cone.c
 *	  Cones of a plan graph: what feeds an operator, what consumes it.
 *
 * Breadth first, level by level, and stopped as soon as enough nodes are
 * found: a row of k nodes costs the inputs of at most k nodes, not the cone.
 * Within a level nodes come in preorder, a name that does not depend on how
 * nodes are numbered.  On a tree seen from above they arrive in that order,
 * so the walk ends with the last node taken; where nodes are shared the
 * level is walked to its end and the first in preorder are kept.
 *
 * Memory: the kernel's workspace.  No state.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "attention_internal.h"
#include "ruvector_dag/vec.h"

#define ROOT_OF_HEAD_DIM	8.0

/* The level being filled: order[from .. *end), at most to limit, by rank. */
static void
insert_by_rank(RvdAttentionWork *w, int32_t from, int32_t *end,
			   int32_t limit, int32_t node)
{
	const int32_t *rank = w->dag->rank;
	int32_t		at = *end;

	if (at == limit)
	{
		if (rank[w->order[at - 1]] < rank[node])
			return;
		at--;
	}
	else
		(*end)++;
	for (; at > from && rank[w->order[at - 1]] > rank[node]; at--)
		w->order[at] = w->order[at - 1];
	w->order[at] = node;
}

/* Neighbours of order[first .. last) not seen before go behind last. */
static int32_t
next_level(RvdAttentionWork *w, const RvdConeSpec *spec, int32_t first,
		   int32_t last, uint64_t *edges)
{
	const RvdDag *dag = w->dag;
	const int32_t *start = spec->upward ? dag->parent_start : dag->child_start;
	const int32_t *next = spec->upward ? dag->parent : dag->child;
	int32_t		end = last;

	for (int32_t i = first; i < last; i++)
	{
		for (int32_t e = start[w->order[i]]; e < start[w->order[i] + 1]; e++)
		{
			int32_t		node = next[e];

			if (end == spec->limit && w->tree)
				return end;
			(*edges)++;
			if (w->stamp[node] == w->mark)
				continue;
			w->stamp[node] = w->mark;
			insert_by_rank(w, last, &end, spec->limit, node);
		}
	}
	return end;
}

int32_t
rvd_cone_collect(RvdAttentionWork *w, const RvdConeSpec *spec, int32_t v,
				 uint64_t *edges)
{
	int32_t		first = 0;
	int32_t		count = 1;

	w->mark++;
	w->stamp[v] = w->mark;
	w->order[0] = v;
	w->distance[0] = 0;
	for (int32_t level = 1; level < spec->levels && count < spec->limit;
		 level++)
	{
		int32_t		end = next_level(w, spec, first, count, edges);

		if (end == count)
			break;
		first = count;
		for (; count < end; count++)
			w->distance[count] = level;
	}
	return count;
}

int32_t
rvd_cone_row(RvdAttentionWork *w, const RvdConeSpec *spec, int32_t v,
			 uint64_t *edges)
{
	int32_t		count = rvd_cone_collect(w, spec, v, edges);

	for (int32_t i = 0; i < count; i++)
	{
		double		score = spec->bias[w->order[i]] +
			spec->per_edge * w->distance[i];

		if (spec->heads)
			score += rvd_heads_score(w->in, v, w->order[i]);
		if (!isfinite(score))
			return 0;
		w->row[i] = score;
	}
	(void) rvd_softmax(w->row, w->row, count);
	return count;
}

int32_t
rvd_cone_keep_row(RvdAttentionWork *w, const RvdConeSpec *spec, int32_t v,
				  RvdAttentionOutput *out)
{
	RvdAttentionRows *rows = out->rows;
	int32_t		count = rvd_cone_row(w, spec, v, &out->edges_walked);

	if (rows == NULL || count == 0)
		return count;
	memcpy(rows->column + rows->row_start[v], w->order,
		   (size_t) count * sizeof(int32_t));
	memcpy(rows->weight + rows->row_start[v], w->row,
		   (size_t) count * sizeof(double));
	rows->row_start[v + 1] = rows->row_start[v] + count;
	return count;
}

double
rvd_head_score(const RvdAttentionInput *in, int head, int32_t v, int32_t u)
{
	const float *q = in->vectors + (size_t) v * RVD_EMBEDDING_DIM;
	const float *k = in->vectors + (size_t) u * RVD_EMBEDDING_DIM;

	return rvd_vec_dot(q + head * RVD_HEAD_DIM, k + head * RVD_HEAD_DIM,
					   RVD_HEAD_DIM) / ROOT_OF_HEAD_DIM;
}

double
rvd_heads_score(const RvdAttentionInput *in, int32_t v, int32_t u)
{
	double		sum = 0;

	for (int m = 0; m < RVD_HEADS; m++)
	{
		if (in->weights->gain[m] != 0)
			sum += in->weights->gain[m] * rvd_head_score(in, m, v, u);
	}
	return sum;
}
