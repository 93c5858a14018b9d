/*-------------------------------------------------------------------------
 *
 * work.c
 *	  What the attention kernels share: workspace, scores, softmax, fallback.
 *
 * Loads come in any unit and any size.  They are divided by the largest
 * before they are summed, so neither 1e300 overflows nor a denormal is lost
 * against itself; only shares go on from here.  The added 0.001 / n keeps an
 * operator that was thought free within reach of a learned score.
 *
 * Memory: one block of the caller's, laid out by rvd_attention_lay_out().
 * No state.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "attention_internal.h"
#include "ruvector_dag/flow.h"
#include "ruvector_dag/vec.h"

typedef struct Carver
{
	char	   *base;
	size_t		used;
} Carver;

static void *
carve(Carver *carver, size_t bytes)
{
	void	   *p = carver->base ? carver->base + carver->used : NULL;

	carver->used += (bytes + 7) & ~(size_t) 7;
	return p;
}

size_t
rvd_attention_lay_out(RvdAttentionWork *w, const RvdDag *dag, void *mem)
{
	Carver		carver = {mem, 0};
	size_t		n = (size_t) dag->n_nodes;
	size_t		points = n * RVD_LORENTZ_DIM * sizeof(double);
	size_t		flow = rvd_flow_workspace(dag);
	double	  **doubles[] = {
		&w->load, &w->score, &w->bias, &w->row,
		&w->a, &w->b, &w->c, &w->d, &w->gradient
	};
	int32_t   **ints[] = {&w->order, &w->distance, &w->stamp, &w->index};

	for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++)
		*doubles[i] = carve(&carver, n * sizeof(double));
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++)
		*ints[i] = carve(&carver, n * sizeof(int32_t));
	w->path = carve(&carver, n * sizeof(uint64_t));
	w->flag = carve(&carver, n);
	/* no kernel needs both */
	w->points = carve(&carver, points > flow ? points : flow);
	w->flow = w->points;
	return carver.used;
}

/* Shares of load into w->load; false if one is negative or not finite. */
static bool
take_loads(RvdAttentionWork *w)
{
	const double *load = w->in->load;
	double		largest = 0;
	double		sum = 0;

	for (int32_t v = 0; v < w->n; v++)
	{
		if (!(load[v] >= 0) || isinf(load[v]))
			return false;
		if (load[v] > largest)
			largest = load[v];
	}
	for (int32_t v = 0; v < w->n; v++)
	{
		w->load[v] = largest > 0 ? load[v] / largest : 1.0;
		sum += w->load[v];
	}
	for (int32_t v = 0; v < w->n; v++)
		w->load[v] /= sum;
	return true;
}

/* What was learned; false if it is not finite. */
static bool
take_scores(RvdAttentionWork *w)
{
	const RvdAttentionInput *in = w->in;
	const RvdAttentionWeights *weights = in->weights;
	const int	n_phi = w->n * RVD_NODE_FEATURES;

	memset(w->score, 0, (size_t) w->n * sizeof(double));
	w->heads = false;
	if (in->phi != NULL && !rvd_vec_all_finite(in->phi, n_phi))
		return false;
	if (weights == NULL)
		return true;
	if (!rvd_vec_all_finite(weights->score, RVD_NODE_FEATURES) ||
		!rvd_vec_all_finite(weights->gain, RVD_HEADS))
		return false;
	for (int32_t v = 0; in->phi != NULL && v < w->n; v++)
		w->score[v] = rvd_vec_dot_exact(weights->score,
										in->phi + v * RVD_NODE_FEATURES,
										RVD_NODE_FEATURES);
	for (int m = 0; m < RVD_HEADS; m++)
		w->heads = w->heads || weights->gain[m] != 0;
	w->heads = w->heads && in->vectors != NULL;
	return true;
}

bool
rvd_attention_prepare_again(RvdAttentionWork *w, const RvdAttentionInput *in,
							void *mem)
{
	const double weight = in->params->load_weight;
	double		eps;

	(void) rvd_attention_lay_out(w, in->dag, mem);
	w->in = in;
	w->dag = in->dag;
	w->n = in->dag->n_nodes;
	w->tree = in->dag->n_edges == in->dag->n_nodes - 1;
	w->mark = 0;
	memset(w->stamp, 0, (size_t) w->n * sizeof(int32_t));
	if (!take_loads(w) || !take_scores(w))
		return false;

	eps = RVD_ATTENTION_LOAD_EPS / w->n;
	for (int32_t v = 0; v < w->n; v++)
		w->bias[v] = w->score[v] +
			(weight > 0 ? weight * log(w->load[v] + eps) : 0.0);
	return true;
}

bool
rvd_attention_prepare(RvdAttentionWork *w, const RvdAttentionInput *in,
					  RvdAttentionOutput *out, void *mem)
{
	out->fell_back = false;
	out->pairs_scored = 0;
	out->edges_walked = 0;
	if (out->rows != NULL)
		out->rows->present = false;
	return rvd_attention_prepare_again(w, in, mem);
}

RvdStatus
rvd_attention_fall_back(const RvdAttentionInput *in, RvdAttentionOutput *out,
						bool has_rows)
{
	const int32_t n = in->dag->n_nodes;
	RvdAttentionRows *rows = has_rows ? out->rows : NULL;

	for (int32_t v = 0; v < n; v++)
		out->p[v] = 1.0 / n;
	out->fell_back = true;
	if (rows == NULL)
		return RVD_OK;
	for (int32_t v = 0; v < n; v++)
	{
		rows->row_start[v] = v;
		rows->column[v] = v;
		rows->weight[v] = 1;
	}
	rows->row_start[n] = n;
	rows->present = true;
	return RVD_OK;
}

bool
rvd_attention_softmax_p(const RvdAttentionWork *w, const double *score,
						RvdAttentionOutput *out)
{
	out->pairs_scored += (uint64_t) w->n;
	return rvd_softmax(score, out->p, w->n);
}

double
rvd_attention_slope(double p, double share, int32_t n)
{
	const double keep = 1 - RVD_ATTENTION_FLOOR;

	return -share * keep / (keep * p + RVD_ATTENTION_FLOOR / n);
}

/* Of a softmax: p_v (g_v - sum p g).  What is constant in s drops out. */
RvdStatus
rvd_attention_softmax_backward(const RvdAttentionInput *in,
							   const RvdAttentionOutput *out,
							   const double *share, double *grad_s,
							   double *grad_gain, void *work)
{
	const int32_t n = in->dag->n_nodes;
	double		mean = 0;

	if (out->fell_back)
		return RVD_OK;
	for (int32_t v = 0; v < n; v++)
		mean += out->p[v] * rvd_attention_slope(out->p[v], share[v], n);
	for (int32_t v = 0; v < n; v++)
		grad_s[v] += out->p[v] *
			(rvd_attention_slope(out->p[v], share[v], n) - mean);
	return RVD_OK;
}

uint64_t
rvd_attention_bound_n(const RvdAttentionParams *params, int n)
{
	return (uint64_t) n;
}

uint64_t
rvd_attention_bound_context(const RvdAttentionParams *params, int n)
{
	return (uint64_t) n * (uint64_t) params->context;
}
