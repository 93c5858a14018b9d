/*-------------------------------------------------------------------------
 *
 * registry.c
 *	  The attention kernels by number and name, and the way to run one.
 *
 * A kernel's number is persisted; its place in the list is that number.
 * Arguments are checked here, once, so that kernels need not.
 *
 * No state.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "attention_internal.h"

#define ENSEMBLE_NAME	"ensemble"

static const RvdAttentionKernel *const kernels[RVD_NUM_KERNELS] = {
	[RVD_ATTENTION_TOPOLOGICAL] = &rvd_kernel_topological,
	[RVD_ATTENTION_CAUSAL_CONE] = &rvd_kernel_causal_cone,
	[RVD_ATTENTION_CRITICAL_PATH] = &rvd_kernel_critical_path,
	[RVD_ATTENTION_MINCUT_GATED] = &rvd_kernel_mincut_gated,
	[RVD_ATTENTION_LORENTZ] = &rvd_kernel_lorentz,
	[RVD_ATTENTION_PARALLEL_BRANCH] = &rvd_kernel_parallel_branch,
	[RVD_ATTENTION_TEMPORAL_BTSP] = &rvd_kernel_temporal_btsp,
};

const RvdAttentionKernel *
rvd_attention_kernel(int kind)
{
	return kind >= 0 && kind < RVD_NUM_KERNELS ? kernels[kind] : NULL;
}

const char *
rvd_attention_name(int kind)
{
	if (kind == RVD_ATTENTION_ENSEMBLE)
		return ENSEMBLE_NAME;
	return kind >= 0 && kind < RVD_NUM_KERNELS ? kernels[kind]->name : NULL;
}

int
rvd_attention_by_name(const char *name)
{
	for (int kind = 0; kind < RVD_NUM_ATTENTIONS; kind++)
	{
		if (strcmp(rvd_attention_name(kind), name) == 0)
			return kind;
	}
	return RVD_NUM_ATTENTIONS;
}

/* Load weighs one: with nothing learned p is the expected share of time. */
void
rvd_attention_defaults(RvdAttentionParams *params)
{
	*params = (RvdAttentionParams)
	{
		.context = 8,
		.distance_decay = 0.9,
		.cone_decay = 0.9,
		.cone_depth = 10,
		.path_tau = 0.1,
		.cut_threshold = 0.5,
		.cut_floor = 0.5,
		.lorentz_beta = 1,
		.branch_tau = 1,
		.branch_siblings = 8,
		.trace_eta = 1,
		.trace_gain = 2,
		.load_weight = 1
	};
}

size_t
rvd_attention_workspace(const RvdDag *dag)
{
	RvdAttentionWork w;

	return rvd_attention_lay_out(&w, dag, NULL);
}

/* Nodes of one row, its own at least, and never more than there are. */
static int32_t
row_length(int wanted, int32_t n)
{
	if (wanted < 1)
		return 1;
	return wanted < n ? wanted : n;
}

int32_t
rvd_attention_row_capacity(const RvdDag *dag, const RvdAttentionParams *params)
{
	const int32_t n = dag->n_nodes;
	int32_t		longest = row_length(params->context, n);

	if (longest < row_length(params->cone_depth, n))
		longest = row_length(params->cone_depth, n);
	if (longest < row_length(params->branch_siblings, n))
		longest = row_length(params->branch_siblings, n);
	return n * longest;
}

static bool
is_positive(double x)
{
	return x > 0 && !isinf(x);
}

static bool
is_share(double x)
{
	return x > 0 && x <= 1;
}

static bool
are_sound(const RvdAttentionParams *params)
{
	return params->context >= 1 &&
		params->cone_depth >= 1 &&
		params->branch_siblings >= 1 &&
		is_share(params->distance_decay) &&
		is_share(params->cone_decay) &&
		is_share(params->cut_floor) &&
		isfinite(params->cut_threshold) &&
		is_positive(params->path_tau) &&
		is_positive(params->branch_tau) &&
		params->lorentz_beta >= 0 && isfinite(params->lorentz_beta) &&
		params->trace_eta >= 0 && isfinite(params->trace_eta) &&
		params->trace_gain >= 0 && isfinite(params->trace_gain) &&
		params->load_weight >= 0 && isfinite(params->load_weight);
}

RvdStatus
rvd_attention_compute(int kind, const RvdAttentionInput *in,
					  RvdAttentionOutput *out, void *work)
{
	const RvdAttentionKernel *kernel = rvd_attention_kernel(kind);
	const RvdDag *dag = in->dag;

	if (kernel == NULL || dag == NULL || dag->n_nodes < 1 ||
		in->load == NULL || in->params == NULL || !are_sound(in->params) ||
		out->p == NULL || work == NULL || (uintptr_t) work % 8 != 0)
		return RVD_ERR_ARGUMENT;
	if (!dag->finished)
		return RVD_ERR_STATE;
	if (out->rows != NULL &&
		out->rows->capacity < rvd_attention_row_capacity(dag, in->params))
		return RVD_ERR_FULL;
	return kernel->compute(in, out, work);
}
