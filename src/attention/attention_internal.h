/*-------------------------------------------------------------------------
 *
 * attention_internal.h
 *	  What the attention kernels share.  Layer 1, pure.
 *
 * Every kernel starts with rvd_attention_prepare(), which lays the caller's
 * workspace out and derives the three numbers of an operator that scores are
 * made of:
 *	   load_v	share of all load; 1/n each if there is no load at all, so
 *				that nothing but structure is left
 *	   score_v	s_v = score . phi_v, what was learned
 *	   bias_v	s_v + load_weight * ln(load_v + 0.001 / n)
 *
 * What counts as a scored pair: (v, u) with u in the row of v, once; the
 * pair (v, v) is the operator's own score, which p is made of too.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_ATTENTION_INTERNAL_H
#define RVD_ATTENTION_INTERNAL_H

#include "ruvector_dag/attention.h"

/* Uniform part of p in the loss: no operator is ever impossible. */
#define RVD_ATTENTION_FLOOR		0.001

/* What is added to a share of load before its logarithm: this over n. */
#define RVD_ATTENTION_LOAD_EPS	0.001

/* Directions of the Lorentz kernel. */
#define RVD_LORENTZ_DIM			32

typedef struct RvdAttentionWork
{
	const RvdAttentionInput *in;
	const RvdDag *dag;
	int32_t		n;
	bool		tree;			/* nothing is shared */
	bool		heads;			/* vectors given and a gain is not zero */
	int32_t		mark;			/* of the last cone, in stamp */
	double	   *load;			/* [n] see above */
	double	   *score;			/* [n] */
	double	   *bias;			/* [n] */
	double	   *row;			/* [n] weights of one row */
	double	   *a;				/* [n] the kernel's */
	double	   *b;				/* [n] the kernel's */
	double	   *c;				/* [n] the kernel's */
	double	   *d;				/* [n] the kernel's */
	double	   *gradient;		/* [n] of rvd_attention_gradient() alone */
	int32_t    *order;			/* [n] nodes of one cone or row */
	int32_t    *distance;		/* [n] of order[], in edges */
	int32_t    *stamp;			/* [n] zeroed by prepare */
	int32_t    *index;			/* [n] the kernel's */
	uint64_t   *path;			/* [n] the kernel's */
	uint8_t    *flag;			/* [n] the kernel's */
	double	   *points;			/* [n * RVD_LORENTZ_DIM] or ... */
	void	   *flow;			/* ... rvd_flow_workspace(), the same bytes */
} RvdAttentionWork;

/* Lays out mem, NULL only adds up; bytes needed. */
extern size_t rvd_attention_lay_out(RvdAttentionWork *w, const RvdDag *dag,
									void *mem);

/* Resets out; false if a number that the kernels read is not finite. */
extern bool rvd_attention_prepare(RvdAttentionWork *w,
								  const RvdAttentionInput *in,
								  RvdAttentionOutput *out, void *mem);

/* The same without touching the output: for the way back. */
extern bool rvd_attention_prepare_again(RvdAttentionWork *w,
										const RvdAttentionInput *in,
										void *mem);

/* p uniform; has_rows: every row is the node itself. */
extern RvdStatus rvd_attention_fall_back(const RvdAttentionInput *in,
										 RvdAttentionOutput *out,
										 bool has_rows);

/* p = softmax(score), counting n pairs; false: not finite. */
extern bool rvd_attention_softmax_p(const RvdAttentionWork *w,
									const double *score,
									RvdAttentionOutput *out);

/* d loss / d p_v, with the floor. */
extern double rvd_attention_slope(double p, double share, int32_t n);

/* backward() of every kernel with p = softmax(s_v + what s does not enter). */
extern RvdStatus rvd_attention_softmax_backward(const RvdAttentionInput *in,
												const RvdAttentionOutput *out,
												const double *share,
												double *grad_s,
												double *grad_gain,
												void *work);

extern uint64_t rvd_attention_bound_n(const RvdAttentionParams *params,
									  int n);
extern uint64_t rvd_attention_bound_context(const RvdAttentionParams *params,
											int n);

/* ---- cones (cone.c) ------------------------------------------------------ */

/* A row: the nearest nodes of a cone and how they are weighed. */
typedef struct RvdConeSpec
{
	bool		upward;			/* consumers, else inputs */
	int32_t		limit;			/* nodes */
	int32_t		levels;			/* the node's own is the first */
	double		per_edge;		/* added to a score per edge of distance */
	const double *bias;			/* [n] */
	bool		heads;			/* add the heads' scores */
} RvdConeSpec;

/*
 * v and the nearest nodes of its cone by distance, then preorder, into
 * w->order and w->distance; how many.
 */
extern int32_t rvd_cone_collect(RvdAttentionWork *w, const RvdConeSpec *spec,
								int32_t v, uint64_t *edges);

/* The row of v into w->order and w->row; 0: a score is not finite. */
extern int32_t rvd_cone_row(RvdAttentionWork *w, const RvdConeSpec *spec,
							int32_t v, uint64_t *edges);

/* The same, also into out->rows at row_start[v], if rows are wanted. */
extern int32_t rvd_cone_keep_row(RvdAttentionWork *w, const RvdConeSpec *spec,
								 int32_t v, RvdAttentionOutput *out);

/* <q_v, k_u> / 8 of one head, and sum of gain * that over the heads. */
extern double rvd_head_score(const RvdAttentionInput *in, int head,
							 int32_t v, int32_t u);
extern double rvd_heads_score(const RvdAttentionInput *in, int32_t v,
							  int32_t u);

/* Rows of siblings (siblings.c) from the logarithms of inclusive loads. */
extern bool rvd_sibling_rows(RvdAttentionWork *w, const double *log_inclusive,
							 RvdAttentionOutput *out);

/* ---- the kernels: one file each, listed in registry.c ---------------------- */

extern const RvdAttentionKernel rvd_kernel_topological;
extern const RvdAttentionKernel rvd_kernel_causal_cone;
extern const RvdAttentionKernel rvd_kernel_critical_path;
extern const RvdAttentionKernel rvd_kernel_mincut_gated;
extern const RvdAttentionKernel rvd_kernel_lorentz;
extern const RvdAttentionKernel rvd_kernel_parallel_branch;
extern const RvdAttentionKernel rvd_kernel_temporal_btsp;

#endif							/* RVD_ATTENTION_INTERNAL_H */
