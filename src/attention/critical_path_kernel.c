/*-------------------------------------------------------------------------
 *
 * critical_path_kernel.c
 *	  Attention to the chain of operators that bounds the latency.
 *
 *	   p	   = softmax(ln(load_v + eps) - slack_v / (path_tau * L) + s_v)
 *	   L	   length of the longest path by load, slack_v how much longer
 *			   the longest path through v could become before it is one
 *	   eps	   = 0.001 L / n
 *
 * With no load at all every operator counts the same: what remains is the
 * longest chain.  A serial plan takes the sum of its loads, not L; there the
 * path is its most expensive chain.
 *
 * n scores, edges twice; rows: no.  Source: Kelley and Walker, "Critical-Path
 * Planning and Scheduling", 1959.  Memory: the caller's.  No state.
 * Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "attention_internal.h"
#include "ruvector_dag/flow.h"

static RvdStatus
compute(const RvdAttentionInput *in, RvdAttentionOutput *out, void *work)
{
	RvdAttentionWork w;
	RvdCriticalPath critical = {0};
	RvdStatus	status;
	double		eps;
	double		scale;

	if (!rvd_attention_prepare(&w, in, out, work))
		return rvd_attention_fall_back(in, out, false);
	critical.slack = w.a;
	critical.path = w.index;
	status = rvd_critical_path(w.dag, w.load, &critical, w.flow);
	if (status != RVD_OK)
		return status;
	out->edges_walked += 2 * (uint64_t) w.dag->n_edges;

	eps = RVD_ATTENTION_LOAD_EPS * critical.length / w.n;
	scale = in->params->path_tau * critical.length;
	for (int32_t v = 0; v < w.n; v++)
		w.b[v] = log(w.load[v] + eps) - critical.slack[v] / scale +
			w.score[v];
	if (!rvd_attention_softmax_p(&w, w.b, out))
		return rvd_attention_fall_back(in, out, false);
	return RVD_OK;
}

const RvdAttentionKernel rvd_kernel_critical_path = {
	"critical_path", compute, rvd_attention_softmax_backward,
	rvd_attention_bound_n
};
