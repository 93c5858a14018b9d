/*-------------------------------------------------------------------------
 *
 * on_vectors.h
 *	  The attention kernels on vectors of the caller's, without a plan.
 *	  Layer 1, pure.
 *
 * A query vector q and n ancestors a_i of d numbers each give n weights that
 * sum to 1.  All but parallel branch and the ensemble are softmax over
 * scores; s_i = <q, a_i> / sqrt(d):
 *	topological			(s_i - decay i) / temperature, i: position from 0
 *	causal cone			s_i - decay depth_i; beyond max_depth: left out
 *	critical path		s_i + ln boost where critical
 *	min-cut gated		s_i + ln 0.5 where criticality < threshold
 *	hierarchical Lorentz -distance(x_q, x_i) / temperature on the hyperboloid
 *						of that curvature: x_q is q, x_i is (1 + depth_i) a_i
 *						taken as tangent vector at the origin
 *	temporal BTSP		s_i - age_i / window, + ln boost where age_i <= window;
 *						age_i = latest time - time_i
 *	parallel branch		(own_i + cross_weight cross_i) / (1 + cross_weight)
 *		own = softmax(s_i + c_i), c_i = ln common_boost for common ancestors;
 *		cross_i = sum_j beta_j softmax_i(<b_j, a_i> / sqrt(d) + c_i), parallel
 *		nodes b_j, beta = softmax(<q, b_j> / sqrt(d))
 *	ensemble			convex mixture of kernels
 *
 * Everything in double, exponentials with the maximum taken out.  Arguments
 * must be finite and in the stated ranges: RVD_ERR_ARGUMENT otherwise, and
 * RVD_ERR_EMPTY if every ancestor is left out; never an answer then.
 * Matrices are by rows.  weight[n] is the result, also used on the way.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_ON_VECTORS_H
#define RVD_ON_VECTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "ruvector_dag/status.h"

typedef struct RvdOnVectors
{
	int			d;				/* >= 1 */
	int			n;				/* >= 1 */
	const float *query;			/* [d] */
	const float *ancestors;		/* [n * d] */
} RvdOnVectors;

#define RVD_ON_DECAY			0.1
#define RVD_ON_MAX_DEPTH		10
#define RVD_ON_TEMPERATURE		1.0
#define RVD_ON_CURVATURE		(-1.0)
#define RVD_ON_GATE_FLOOR		0.5

/* decay >= 0, temperature > 0.  O(n d). */
extern RvdStatus rvd_on_topological(const RvdOnVectors *in, double decay,
									double temperature, double *weight);

/* depth[n] >= 0; NULL: the positions.  decay >= 0, max_depth >= 0.  O(n d). */
extern RvdStatus rvd_on_causal_cone(const RvdOnVectors *in,
									const int32_t *depth, double decay,
									int max_depth, double *weight);

/* critical[n]; boost > 0.  O(n d). */
extern RvdStatus rvd_on_critical_path(const RvdOnVectors *in,
									  const bool *critical, double boost,
									  double *weight);

/* criticality[n] and threshold in [0, 1].  O(n d). */
extern RvdStatus rvd_on_mincut_gated(const RvdOnVectors *in,
									 const float *criticality,
									 double threshold, double *weight);

/* depth as above; curvature < 0, temperature > 0.  O(n d). */
extern RvdStatus rvd_on_lorentz(const RvdOnVectors *in, const int32_t *depth,
								double curvature, double temperature,
								double *weight);

/*
 * parallel[m * d], m >= 1; common[n]; cross_weight >= 0, common_boost > 0.
 * work: [n + m].  O(m n d).
 */
extern RvdStatus rvd_on_parallel_branch(const RvdOnVectors *in,
										const float *parallel, int m,
										const bool *common,
										double cross_weight,
										double common_boost,
										double *work, double *weight);

/* time_ms[n]; window_ms > 0, boost > 0.  O(n d). */
extern RvdStatus rvd_on_temporal_btsp(const RvdOnVectors *in,
									  const double *time_ms,
									  double window_ms, double boost,
									  double *weight);

/*
 * Mixture of kernels given by RvdAttentionKind (not the ensemble), each with
 * its defaults and what nobody gave taken as: depth the position, nothing
 * critical, equal criticalities and times, no parallel nodes.  mix[k] >= 0 in
 * any scale, not all 0; NULL: equal.  work: [n].  O(k n d).
 */
extern RvdStatus rvd_on_ensemble(const RvdOnVectors *in, const int *kind,
								 const double *mix, int k,
								 double *work, double *weight);

/* Hyperbolic distance of the points that tangent vectors x, sy * y reach. */
extern double rvd_on_distance(const float *x, const float *y, double sy,
							  int d, double curvature);

#endif							/* RVD_ON_VECTORS_H */
