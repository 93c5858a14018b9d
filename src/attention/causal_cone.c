/*-------------------------------------------------------------------------
 *
 * causal_cone.c
 *	  Everything that feeds the result, fading with the distance from it.
 *
 *	   p_u	   proportional to exp(bias_u) * cone_decay ^ dist(u, root)
 *	   A[v,u]  proportional to exp(bias_u) * cone_decay ^ dist(v, u) over v
 *			   and its consumers up to the root: cone_depth levels, v's own
 *			   the first, and at most cone_depth nodes
 *	   bias_v  = s_v + load_weight * ln(load_v + 0.001 / n)
 *
 * p is the cone of causes of the root; a row is the cone of effects of an
 * operator: how far its error travels up, and who asks for its output how
 * often.  (Its causes are the rows of the topological kernel.)
 *
 * The weights are separable, so on a tree rows need no pair loop: with
 * Z_v = exp(bias_v) + cone_decay * Z_parent, taken in logarithms, the row of
 * v is v and the row of its parent times a constant, as long as the cone is
 * not cut off.  That recursion would count paths where nodes are shared;
 * there, and below cone_depth levels, rows come from the capped walk.
 *
 * At most n * cone_depth pairs; rows: yes.  Memory: the caller's.  No state.
 * Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "attention_internal.h"
#include "ruvector_dag/vec.h"

/* Shortest distance from the root to every node into w->index. */
static void
measure_distances(RvdAttentionWork *w, uint64_t *edges)
{
	const RvdDag *dag = w->dag;

	for (int32_t v = 0; v < w->n; v++)
		w->index[v] = INT32_MAX;
	w->index[dag->root] = 0;
	for (int32_t i = w->n - 1; i >= 0; i--)
	{
		int32_t		v = dag->topo[i];

		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
		{
			if (w->index[dag->child[e]] > w->index[v] + 1)
				w->index[dag->child[e]] = w->index[v] + 1;
		}
	}
	*edges += (uint64_t) dag->n_edges;
}

/* The row of v from that of its parent; Z in w->a. */
static void
extend_row(RvdAttentionWork *w, RvdAttentionRows *rows, int32_t v,
		   double per_edge)
{
	const int32_t parent = w->dag->parent[w->dag->parent_start[v]];
	const int32_t from = rows->row_start[parent];
	const int32_t to = rows->row_start[v];
	const int32_t count = rows->row_start[v + 1] - to - 1;
	double		carry;

	w->a[v] = rvd_logaddexp(w->bias[v], per_edge + w->a[parent]);
	carry = exp(per_edge + w->a[parent] - w->a[v]);
	rows->column[to] = v;
	rows->weight[to] = exp(w->bias[v] - w->a[v]);
	for (int32_t i = 0; i < count; i++)
	{
		rows->column[to + 1 + i] = rows->column[from + i];
		rows->weight[to + 1 + i] = rows->weight[from + i] * carry;
	}
}

static bool
rows_of_tree(RvdAttentionWork *w, const RvdConeSpec *spec,
			 RvdAttentionOutput *out)
{
	RvdAttentionRows *rows = out->rows;
	const RvdDag *dag = w->dag;

	rows->row_start[0] = 0;
	for (int32_t v = 0; v < w->n; v++)
		rows->row_start[v + 1] = rows->row_start[v] +
			(w->index[v] < spec->limit ? w->index[v] + 1 : spec->limit);
	for (int32_t i = 0; i < w->n; i++)
	{
		int32_t		v = dag->preorder[i];

		if (v != dag->root && w->index[v] < spec->limit)
		{
			extend_row(w, rows, v, spec->per_edge);
			out->edges_walked++;
			continue;
		}
		if (!rvd_cone_keep_row(w, spec, v, out))
			return false;
		w->a[v] = w->bias[v];	/* of the root; no one asks for another */
	}
	return true;
}

static bool
rows_of_dag(RvdAttentionWork *w, const RvdConeSpec *spec,
			RvdAttentionOutput *out)
{
	out->rows->row_start[0] = 0;
	for (int32_t v = 0; v < w->n; v++)
	{
		if (!rvd_cone_keep_row(w, spec, v, out))
			return false;
	}
	return true;
}

static RvdStatus
compute(const RvdAttentionInput *in, RvdAttentionOutput *out, void *work)
{
	RvdAttentionWork w;
	RvdConeSpec spec = {0};

	if (!rvd_attention_prepare(&w, in, out, work))
		return rvd_attention_fall_back(in, out, true);
	spec.upward = true;
	spec.limit = in->params->cone_depth;
	spec.levels = in->params->cone_depth;
	spec.per_edge = log(in->params->cone_decay);
	spec.bias = w.bias;

	measure_distances(&w, &out->edges_walked);
	for (int32_t v = 0; v < w.n; v++)
		w.b[v] = w.bias[v] + spec.per_edge * w.index[v];
	if (!rvd_attention_softmax_p(&w, w.b, out))
		return rvd_attention_fall_back(in, out, true);
	if (out->rows == NULL)
		return RVD_OK;

	if (!(w.tree ? rows_of_tree(&w, &spec, out) : rows_of_dag(&w, &spec, out)))
		return rvd_attention_fall_back(in, out, true);
	out->pairs_scored += (uint64_t) (out->rows->row_start[w.n] - w.n);
	out->rows->present = true;
	return RVD_OK;
}

static uint64_t
pairs_bound(const RvdAttentionParams *params, int n)
{
	return (uint64_t) n * (uint64_t) params->cone_depth;
}

const RvdAttentionKernel rvd_kernel_causal_cone = {
	"causal_cone", compute, rvd_attention_softmax_backward, pairs_bound
};
