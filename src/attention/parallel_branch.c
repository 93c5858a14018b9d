/*-------------------------------------------------------------------------
 *
 * parallel_branch.c
 *	  Attention that flows down from the root and splits at every branch.
 *
 *	   l_v	   = load_v exp(s_v)
 *	   I_v	   = l_v + sum over inputs c of I_c / readers_c
 *	   m_root  = 1; at v the choices are to stop (l_v) or to go on to an
 *			   input c (I_c / readers_c), in proportion to the choice's load
 *			   to the power 1 / branch_tau
 *	   p_v	   = m_v * share of stopping;  m_c = sum of what parents send
 *	   A[c,c'] among siblings: see siblings.c
 *
 * With branch_tau = 1, p_v = l_v / sum l: also where a producer is shared,
 * since each of its readers answers for an equal part of it and sends its
 * part of the mass; larger values flatten.  p sums to 1 by construction.
 *
 * Loads live as logarithms: exp(s) may be anything, and a chain of shared
 * producers doubles nothing.  With no load every operator counts the same.
 * The rows do not enter p, so gains are used here but not learned.
 *
 * Edges four times, at most n * branch_siblings pairs; rows: yes.  Memory: the
 * caller's.  No state.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "attention_internal.h"
#include "ruvector_dag/vec.h"

/* ln (I_c / readers_c): what one reading edge answers for */
static double
part_of(const RvdAttentionWork *w, int32_t c)
{
	const RvdDag *dag = w->dag;
	int32_t		readers = dag->parent_start[c + 1] - dag->parent_start[c];

	return readers > 1 ? w->b[c] - log(readers) : w->b[c];
}

/* Sums of the choices at every node, the largest taken out. */
static double *
sums_of(const RvdAttentionWork *w)
{
	return w->points + w->n;
}

/*
 * What the choices at v weigh together: the largest logarithm into w->c, the
 * sum over it beside.  Shares are quotients of these sums rather than
 * differences of logarithms, so they sum to 1 whatever the scores' size.
 */
static void
sum_choices(RvdAttentionWork *w, int32_t v)
{
	const RvdDag *dag = w->dag;
	const double tau = w->in->params->branch_tau;
	double		largest = w->a[v];
	double		sum;

	for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
		largest = fmax(largest, part_of(w, dag->child[e]));
	w->c[v] = largest;
	sums_of(w)[v] = 1;
	if (isinf(largest))
		return;
	sum = exp((w->a[v] - largest) / tau);
	for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
		sum += exp((part_of(w, dag->child[e]) - largest) / tau);
	sums_of(w)[v] = sum;
}

/* Bottom up: ln l_v into w->a, ln I_v into w->b; -inf: no load. */
static void
sum_loads(RvdAttentionWork *w)
{
	const RvdDag *dag = w->dag;

	for (int32_t i = 0; i < w->n; i++)
	{
		int32_t		v = dag->topo[i];

		w->a[v] = log(w->load[v]) + w->score[v];
		w->b[v] = w->a[v];
		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
			w->b[v] = rvd_logaddexp(w->b[v], part_of(w, dag->child[e]));
		sum_choices(w, v);
	}
}

/* Share of a choice at v whose load has this logarithm; 0 if nothing has. */
static double
choice(const RvdAttentionWork *w, int32_t v, double log_load)
{
	if (isinf(log_load))
		return 0;
	return exp((log_load - w->c[v]) / w->in->params->branch_tau) /
		sums_of(w)[v];
}

/* Top down: the mass of every node into w->d, and p. */
static void
split_mass(RvdAttentionWork *w, double *p)
{
	const RvdDag *dag = w->dag;

	memset(w->d, 0, (size_t) w->n * sizeof(double));
	w->d[dag->root] = 1;
	for (int32_t i = w->n - 1; i >= 0; i--)
	{
		int32_t		v = dag->topo[i];

		p[v] = w->d[v] * choice(w, v, w->a[v]);
		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
			w->d[dag->child[e]] += w->d[v] *
				choice(w, v, part_of(w, dag->child[e]));
	}
}

static RvdStatus
compute(const RvdAttentionInput *in, RvdAttentionOutput *out, void *work)
{
	RvdAttentionWork w;

	if (!rvd_attention_prepare(&w, in, out, work))
		return rvd_attention_fall_back(in, out, true);
	sum_loads(&w);
	split_mass(&w, out->p);
	out->edges_walked += 4 * (uint64_t) w.dag->n_edges;
	for (int32_t v = 0; v < w.n; v++)
		if (!isfinite(out->p[v]))
			return rvd_attention_fall_back(in, out, true);
	if (out->rows != NULL && !rvd_sibling_rows(&w, w.b, out))
		return rvd_attention_fall_back(in, out, true);
	return RVD_OK;
}

/*
 * h_v into w->row: what a unit of mass at v adds to the loss.  Bottom up,
 * as it is the mean of its choices' values.
 */
static void
value_mass(RvdAttentionWork *w, const double *slope)
{
	const RvdDag *dag = w->dag;

	for (int32_t i = 0; i < w->n; i++)
	{
		int32_t		v = dag->topo[i];
		double		h = choice(w, v, w->a[v]) * slope[v];

		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
			h += choice(w, v, part_of(w, dag->child[e])) *
				w->row[dag->child[e]];
		w->row[v] = h;
	}
}

/*
 * Top down.  A choice's load moves the shares at v by
 * mass * share * (value - h_v) / tau; an inclusive load passes on what
 * reaches it, collected in w->bias, in proportion to what it is made of.
 */
static RvdStatus
backward(const RvdAttentionInput *in, const RvdAttentionOutput *out,
		 const double *share, double *grad_s, double *grad_gain, void *work)
{
	const double power = 1 / in->params->branch_tau;
	RvdAttentionWork w;
	const RvdDag *dag = in->dag;
	double	   *slope;

	if (out->fell_back || !rvd_attention_prepare_again(&w, in, work))
		return RVD_OK;
	slope = w.points;
	sum_loads(&w);
	split_mass(&w, slope);
	for (int32_t v = 0; v < w.n; v++)
		slope[v] = rvd_attention_slope(out->p[v], share[v], w.n);
	value_mass(&w, slope);

	memset(w.bias, 0, (size_t) w.n * sizeof(double));
	for (int32_t i = w.n - 1; i >= 0; i--)
	{
		int32_t		v = dag->topo[i];
		double		pull = power * w.d[v];

		if (isinf(w.b[v]))
			continue;
		grad_s[v] += pull * choice(&w, v, w.a[v]) * (slope[v] - w.row[v]) +
			w.bias[v] * exp(w.a[v] - w.b[v]);
		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
		{
			int32_t		c = dag->child[e];
			double		part = part_of(&w, c);

			w.bias[c] += pull * choice(&w, v, part) *
				(w.row[c] - w.row[v]) + w.bias[v] * exp(part - w.b[v]);
		}
	}
	return RVD_OK;
}

static uint64_t
pairs_bound(const RvdAttentionParams *params, int n)
{
	return (uint64_t) n * (uint64_t) params->branch_siblings;
}

const RvdAttentionKernel rvd_kernel_parallel_branch = {
	"parallel_branch", compute, backward, pairs_bound
};
