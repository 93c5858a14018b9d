/*-------------------------------------------------------------------------
 *
 * mincut_gated.c
 *	  Attention to the operators that throttle everything above them.
 *
 *	   gate_v  1 if criticality_v >= cut_threshold, else cut_floor
 *	   p	   = softmax(ln gate_v + bias_v)
 *	   A[v,u]  softmax over u in C(v) of ln gate_u + bias_u
 *			   + ln(distance_decay) * dist(v, u);  C(v): v and its nearest
 *			   context - 1 inputs, as in topological.c
 *	   bias_v  = s_v + load_weight * ln(load_v + 0.001 / n)
 *
 * Criticality is that of the time frontier (flow.h): at 1/2 an operator takes
 * as long as the heaviest frontier of its inputs.  The gate is a prior weight
 * and so stands in the exponent as a logarithm; a mask multiplied into scores
 * would favour what it shuts out whenever these are negative.  It does not
 * depend on anything learned.  With no load every operator counts the same.
 *
 * At most n * context pairs; rows: yes.  Memory: the caller's.  No state.
 * Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "attention_internal.h"
#include "ruvector_dag/flow.h"

/* ln gate_v + bias_v into w->b */
static RvdStatus
gate_scores(RvdAttentionWork *w, uint64_t *edges)
{
	const RvdAttentionParams *params = w->in->params;
	RvdFlowResult flow = {0};
	RvdStatus	status;

	flow.criticality = w->a;
	flow.in_cut = w->flag;
	status = rvd_flow_analyse(w->dag, RVD_FLOW_TIME, w->load, NULL, &flow,
							  w->flow);
	if (status != RVD_OK)
		return status;
	*edges += (uint64_t) w->dag->n_edges;
	for (int32_t v = 0; v < w->n; v++)
	{
		w->b[v] = w->bias[v];
		if (!(w->a[v] >= params->cut_threshold))
			w->b[v] += log(params->cut_floor);
	}
	return RVD_OK;
}

static RvdStatus
compute(const RvdAttentionInput *in, RvdAttentionOutput *out, void *work)
{
	RvdAttentionWork w;
	RvdConeSpec spec = {0};
	RvdStatus	status;

	if (!rvd_attention_prepare(&w, in, out, work))
		return rvd_attention_fall_back(in, out, true);
	status = gate_scores(&w, &out->edges_walked);
	if (status != RVD_OK)
		return status;
	if (!rvd_attention_softmax_p(&w, w.b, out))
		return rvd_attention_fall_back(in, out, true);
	if (out->rows == NULL)
		return RVD_OK;

	spec.limit = in->params->context;
	spec.levels = INT32_MAX;
	spec.per_edge = log(in->params->distance_decay);
	spec.bias = w.b;
	out->rows->row_start[0] = 0;
	for (int32_t v = 0; v < w.n; v++)
	{
		int32_t		count = rvd_cone_keep_row(&w, &spec, v, out);

		if (count == 0)
			return rvd_attention_fall_back(in, out, true);
		out->pairs_scored += (uint64_t) (count - 1);
	}
	out->rows->present = true;
	return RVD_OK;
}

const RvdAttentionKernel rvd_kernel_mincut_gated = {
	"mincut_gated", compute, rvd_attention_softmax_backward,
	rvd_attention_bound_context
};
