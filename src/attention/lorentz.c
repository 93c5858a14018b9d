/*-------------------------------------------------------------------------
 *
 * lorentz.c
 *	  Attention to the hot subtree, at whatever depth it is.
 *
 *	   x_v	   the operator on the hyperboloid: far from the centre by its
 *			   depth, in a direction near its parent's (hyperboloid.c)
 *	   mu	   Lorentz centroid of all x_v, weighted by load_v
 *	   p	   = softmax(-lorentz_beta * dist(mu, x_v) + bias_v)
 *	   bias_v  = s_v + load_weight * ln(load_v + 0.001 / n)
 *
 * Distances follow those in the tree, through the common ancestor: mu moves
 * down into a subtree only if most of the load is in there.  With no load
 * every operator weighs the same.
 *
 * n distances of 32 numbers, edges twice; rows: no.  Source: Gulcehre et al.,
 * "Hyperbolic Attention Networks", ICLR 2019; Law et al., "Lorentzian
 * Distance Learning", ICML 2019.  Memory: the caller's.  No state.
 * Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "attention_internal.h"
#include "hyperboloid.h"

static RvdStatus
compute(const RvdAttentionInput *in, RvdAttentionOutput *out, void *work)
{
	RvdAttentionWork w;
	double		u_mu[RVD_LORENTZ_DIM];
	double		r_mu;

	if (!rvd_attention_prepare(&w, in, out, work))
		return rvd_attention_fall_back(in, out, false);

	rvd_hyperboloid_place(w.dag, w.a, w.points, w.index, w.path);
	out->edges_walked += 2 * (uint64_t) w.dag->n_edges;
	r_mu = rvd_hyperboloid_centroid(w.n, RVD_LORENTZ_DIM, w.a, w.points,
									w.load, u_mu);
	for (int32_t v = 0; v < w.n; v++)
	{
		const double *u = w.points + (size_t) v * RVD_LORENTZ_DIM;
		double		chord2 = rvd_hyperboloid_chord2(u, u_mu, RVD_LORENTZ_DIM);

		w.c[v] = w.bias[v] - in->params->lorentz_beta *
			rvd_hyperboloid_distance(r_mu, w.a[v], chord2);
	}
	if (!rvd_attention_softmax_p(&w, w.c, out))
		return rvd_attention_fall_back(in, out, false);
	return RVD_OK;
}

const RvdAttentionKernel rvd_kernel_lorentz = {
	"hierarchical_lorentz", compute, rvd_attention_softmax_backward,
	rvd_attention_bound_n
};
