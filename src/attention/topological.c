/*-------------------------------------------------------------------------
 *
 * topological.c
 *	  Attention of an operator to its nearest inputs.
 *
 *	   C(v)	   v and the nearest context - 1 nodes of its input cone, by
 *			   distance, then preorder
 *	   A[v,u]  softmax over u in C(v) of
 *			   bias_u + sum_m gain_m <q_v, k_u>_m / 8
 *			   + ln(distance_decay) * dist(v, u)
 *	   p	   = mass . A,	mass = softmax(bias)
 *	   bias_v  = s_v + load_weight * ln(load_v + 0.001 / n)
 *
 * So every operator hands its share on to the inputs that explain it; with
 * no load and nothing learned, p is the mean of the columns of A.  The score
 * of an operator stands in mass as well as in the rows: otherwise a leaf,
 * whose row is itself alone, could never lose what cost ascribes to it.
 *
 * A row depends on nodes of its own cone only (through loads also on their
 * total).  At most n * context pairs; rows: yes.
 *
 * Source: attention masked to reachable nodes, after Luo, Thost, Shi,
 * "Transformers over Directed Acyclic Graphs", NeurIPS 2023.  Memory: the
 * caller's.  No state.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "attention_internal.h"
#include "ruvector_dag/vec.h"

static RvdConeSpec
context_spec(const RvdAttentionWork *w)
{
	RvdConeSpec spec = {0};

	spec.limit = w->in->params->context;
	spec.levels = INT32_MAX;
	spec.per_edge = log(w->in->params->distance_decay);
	spec.bias = w->bias;
	spec.heads = w->heads;
	return spec;
}

static RvdStatus
compute(const RvdAttentionInput *in, RvdAttentionOutput *out, void *work)
{
	RvdAttentionWork w;
	RvdConeSpec spec;

	if (!rvd_attention_prepare(&w, in, out, work) ||
		!rvd_softmax(w.bias, w.a, w.n))
		return rvd_attention_fall_back(in, out, true);

	spec = context_spec(&w);
	memset(out->p, 0, (size_t) w.n * sizeof(double));
	if (out->rows != NULL)
		out->rows->row_start[0] = 0;
	for (int32_t v = 0; v < w.n; v++)
	{
		int32_t		count = rvd_cone_keep_row(&w, &spec, v, out);

		if (count == 0)
			return rvd_attention_fall_back(in, out, true);
		out->pairs_scored += (uint64_t) count;
		for (int32_t i = 0; i < count; i++)
			out->p[w.order[i]] += w.a[v] * w.row[i];
	}
	if (out->rows != NULL)
		out->rows->present = true;
	return RVD_OK;
}

/* One row of the output, or made again if rows were not kept. */
static int32_t
fetch_row(RvdAttentionWork *w, const RvdConeSpec *spec,
		  const RvdAttentionOutput *out, int32_t v,
		  const int32_t **column, const double **weight)
{
	uint64_t	edges = 0;

	if (out->rows != NULL && out->rows->present)
	{
		int32_t		at = out->rows->row_start[v];

		*column = out->rows->column + at;
		*weight = out->rows->weight + at;
		return out->rows->row_start[v + 1] - at;
	}
	*column = w->order;
	*weight = w->row;
	return rvd_cone_row(w, spec, v, &edges);
}

/*
 * With g = dL/dp and r_v = sum_u A[v,u] g_u, what reaches the scores of row
 * v is mass_v A[v,u] (g_u - r_v), and through the mass mass_v (r_v - mean).
 */
static RvdStatus
backward(const RvdAttentionInput *in, const RvdAttentionOutput *out,
		 const double *share, double *grad_s, double *grad_gain, void *work)
{
	RvdAttentionWork w;
	RvdConeSpec spec;
	double		mean = 0;

	if (out->fell_back || !rvd_attention_prepare_again(&w, in, work))
		return RVD_OK;
	spec = context_spec(&w);
	(void) rvd_softmax(w.bias, w.a, w.n);
	for (int32_t v = 0; v < w.n; v++)
		w.b[v] = rvd_attention_slope(out->p[v], share[v], w.n);

	for (int32_t v = 0; v < w.n; v++)
	{
		const int32_t *column;
		const double *weight;
		int32_t		count = fetch_row(&w, &spec, out, v, &column, &weight);

		w.c[v] = 0;
		for (int32_t i = 0; i < count; i++)
			w.c[v] += weight[i] * w.b[column[i]];
		mean += w.a[v] * w.c[v];
		for (int32_t i = 0; i < count; i++)
		{
			double		g = w.a[v] * weight[i] * (w.b[column[i]] - w.c[v]);

			grad_s[column[i]] += g;
			for (int m = 0; in->vectors != NULL && m < RVD_HEADS; m++)
				grad_gain[m] += g * rvd_head_score(in, m, v, column[i]);
		}
	}
	for (int32_t v = 0; v < w.n; v++)
		grad_s[v] += w.a[v] * (w.c[v] - mean);
	return RVD_OK;
}

const RvdAttentionKernel rvd_kernel_topological = {
	"topological", compute, backward, rvd_attention_bound_context
};
