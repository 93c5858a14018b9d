/*-------------------------------------------------------------------------
 *
 * temporal_btsp.c
 *	  Attention to what was slow or misjudged in the recent past.
 *
 *	   p	   = softmax(bias_v + trace_eta * ln(1 + E_v (1 + trace_gain P_v)))
 *	   E, P	   eligibility and plateau of the operator's slot, now
 *	   bias_v  = s_v + load_weight * ln(load_v + 0.001 / n)
 *
 * A slot never seen has E = P = 0.  n scores; rows: no.
 *
 * Source: behavioural time scale plasticity, Bittner et al., Science 357
 * (2017): a plateau potential marks for learning what was active within
 * seconds of it.  Memory: the caller's.  No state.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "attention_internal.h"

static RvdStatus
compute(const RvdAttentionInput *in, RvdAttentionOutput *out, void *work)
{
	const RvdAttentionParams *params = in->params;
	RvdAttentionWork w;

	if (!rvd_attention_prepare(&w, in, out, work))
		return rvd_attention_fall_back(in, out, false);
	for (int32_t v = 0; v < w.n; v++)
	{
		double		eligibility;
		double		plateau;

		w.a[v] = w.bias[v];
		if (in->traces == NULL)
			continue;
		rvd_trace_at(&in->traces[v], in->now_s, &eligibility, &plateau);
		if (!isfinite(in->now_s - in->traces[v].time_s) ||
			!(eligibility >= 0) || !(plateau >= 0))
			return rvd_attention_fall_back(in, out, false);
		w.a[v] += params->trace_eta *
			log1p(eligibility * (1 + params->trace_gain * plateau));
	}
	if (!rvd_attention_softmax_p(&w, w.a, out))
		return rvd_attention_fall_back(in, out, false);
	return RVD_OK;
}

const RvdAttentionKernel rvd_kernel_temporal_btsp = {
	"temporal_btsp", compute, rvd_attention_softmax_backward,
	rvd_attention_bound_n
};
