/*-------------------------------------------------------------------------
 *
 * attention.h
 *	  Kernels that say which operators of a plan matter.  Layer 1, pure.
 *
 * A kernel turns a plan graph and what is known of its nodes into a
 * distribution p over nodes: p >= 0, sum 1 (to 1e-9).  Some also give
 * context rows: A[v, u], how much node u explains node v; each row is a
 * distribution and contains v.  Masked nodes are left out, never multiplied
 * into a score; all sums of exponentials are taken with the maximum out.
 *
 * Scores are learned: s_v = score . phi_v (phi of features.h) and, for rows,
 * gain[m] * <q_v, k_u> / sqrt(64) summed over the four heads m, where q and
 * k are the head's slice of the node vectors.  All zero is the cold start:
 * pure structure and load.  What is learned is the share of self time, by
 * the gradient of the cross entropy (rvd_attention_gradient).
 *
 * To add a kernel: one file with an RvdAttentionKernel, one line in
 * registry.c and a name here before RVD_NUM_KERNELS.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_ATTENTION_H
#define RVD_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ruvector_dag/dag.h"
#include "ruvector_dag/embedding.h"
#include "ruvector_dag/features.h"

/* Persisted: append only. */
typedef enum RvdAttentionKind
{
	RVD_ATTENTION_TOPOLOGICAL = 0,
	RVD_ATTENTION_CAUSAL_CONE,
	RVD_ATTENTION_CRITICAL_PATH,
	RVD_ATTENTION_MINCUT_GATED,
	RVD_ATTENTION_LORENTZ,
	RVD_ATTENTION_PARALLEL_BRANCH,
	RVD_ATTENTION_TEMPORAL_BTSP,
	RVD_NUM_KERNELS,
	RVD_ATTENTION_ENSEMBLE = RVD_NUM_KERNELS,	/* mixture of all */
	RVD_NUM_ATTENTIONS
} RvdAttentionKind;

/* Defaults by rvd_attention_defaults; what each means: algorithms in docs. */
typedef struct RvdAttentionParams
{
	int			context;		/* nodes per context row: 8 */
	double		distance_decay; /* per edge of distance: 0.9 */
	double		cone_decay;		/* causal cone, per level: 0.9 */
	int			cone_depth;		/* levels: 10 */
	double		path_tau;		/* critical path, slack scale: 0.1 */
	double		cut_threshold;	/* min-cut gate: 0.5 */
	double		cut_floor;		/* gate of what is below it: 0.5 */
	double		lorentz_beta;	/* 1 */
	double		branch_tau;		/* 1: share of load */
	int			branch_siblings;	/* 8 */
	double		trace_eta;		/* temporal: 1 */
	double		trace_gain;		/* weight of a plateau: 2 */
	double		load_weight;	/* kernels with a load term: weight of ln load */
} RvdAttentionParams;

extern void rvd_attention_defaults(RvdAttentionParams *params);

/* Learned weights of one kernel; all zero: cold. */
typedef struct RvdAttentionWeights
{
	float		score[RVD_NODE_FEATURES];
	float		gain[RVD_HEADS];
} RvdAttentionWeights;

/*
 * What happened lately at a slot (operator, relation, parent's operator),
 * faded exponentially: see rvd_trace_*.
 */
typedef struct RvdTrace
{
	double		time_s;			/* of the last observation */
	float		eligibility;	/* share of self time, fades in 60 s */
	float		plateau;		/* surprises, fade in 600 s */
} RvdTrace;

extern uint64_t rvd_trace_slot(uint16_t op, uint32_t relation,
							   uint16_t parent_op);

/* activity: share of self time; surprise: |ln((act + 1) / (est + 1))| */
extern void rvd_trace_observe(RvdTrace *t, double now_s, double activity,
							  double surprise);

/* The two values at a time; a clock that went back counts as 0 s. */
extern void rvd_trace_at(const RvdTrace *t, double now_s,
						 double *eligibility, double *plateau);

typedef struct RvdAttentionInput
{
	const RvdDag *dag;			/* finished */
	const double *load;			/* [n] >= 0, any unit: (expected) self time */
	const float *phi;			/* [n * RVD_NODE_FEATURES] */
	const float *vectors;		/* [n * 256]; NULL: heads are not used */
	const RvdTrace *traces;		/* [n], zero: unseen; NULL: all unseen */
	double		now_s;
	const RvdAttentionParams *params;
	const RvdAttentionWeights *weights; /* of this kernel; NULL: cold */
} RvdAttentionInput;

/* Context rows in CSR form; in the caller's memory. */
typedef struct RvdAttentionRows
{
	int32_t    *row_start;		/* [n + 1] */
	int32_t    *column;			/* [capacity] */
	double	   *weight;			/* [capacity] */
	int32_t		capacity;		/* at least rvd_attention_row_capacity() */
	bool		present;		/* set: the kernel has rows */
} RvdAttentionRows;

typedef struct RvdAttentionOutput
{
	double	   *p;				/* [n], the caller's */
	RvdAttentionRows *rows;		/* NULL: not wanted */
	bool		fell_back;		/* input was not finite: p is uniform */
	uint64_t	pairs_scored;	/* honest work counters */
	uint64_t	edges_walked;
} RvdAttentionOutput;

typedef struct RvdAttentionKernel
{
	const char *name;			/* as in SQL: "causal_cone" */
	RvdStatus	(*compute) (const RvdAttentionInput *in,
							RvdAttentionOutput *out, void *work);

	/*
	 * d/ds_v of -sum a_v ln((1 - e) p_v + e / n), e = 0.001, given p, rows
	 * as computed: grad_s[n] += ; and d/d gain[m] into grad_gain[4].
	 */
	RvdStatus	(*backward) (const RvdAttentionInput *in,
							 const RvdAttentionOutput *out,
							 const double *share, double *grad_s,
							 double *grad_gain, void *work);

	/*
	 * No more pairs (v, u) than this are ever scored.  Edges: at most ten
	 * times n on a tree; where producers are shared, those of the nodes seen.
	 */
	uint64_t	(*pairs_bound) (const RvdAttentionParams *params, int n);
} RvdAttentionKernel;

extern const RvdAttentionKernel *rvd_attention_kernel(int kind);

/* RVD_NUM_ATTENTIONS if the name is unknown; "ensemble" has a kind too. */
extern int	rvd_attention_by_name(const char *name);
extern const char *rvd_attention_name(int kind);

/* Bytes of workspace (8-byte aligned) and capacity of rows for any kernel. */
extern size_t rvd_attention_workspace(const RvdDag *dag);
extern int32_t rvd_attention_row_capacity(const RvdDag *dag,
										  const RvdAttentionParams *params);

/*
 * Run kernel kind (not the ensemble).  n = 0, no params or one outside its
 * range: RVD_ERR_ARGUMENT; rows too small: RVD_ERR_FULL.  What is not finite,
 * or a negative load: RVD_OK with fell_back set, p uniform and each row the
 * node itself.
 */
extern RvdStatus rvd_attention_compute(int kind, const RvdAttentionInput *in,
									   RvdAttentionOutput *out, void *work);

/*
 * Loss of p against the measured share (sums to 1), in nats, and its
 * gradient in the weights: *grad is overwritten.  out as computed with rows.
 */
extern double rvd_attention_loss(const double *p, const double *share, int n);
extern RvdStatus rvd_attention_gradient(int kind, const RvdAttentionInput *in,
										const RvdAttentionOutput *out,
										const double *share,
										RvdAttentionWeights *grad, void *work);

/* Overlap sum min(p, share), in [0, 1]: the reward of a kernel. */
extern double rvd_attention_overlap(const double *p, const double *share,
									int n);

/*
 * One normalised gradient step: w -= rate * g / (1 + |g|), and a leak that
 * forgets weights nobody confirms.
 */
extern void rvd_attention_learn(RvdAttentionWeights *w,
								const RvdAttentionWeights *grad, double rate);

/* ---- ensemble ---------------------------------------------------------- */

/*
 * Bayes mixture over the kernels with fixed share (Cesa-Bianchi and Lugosi
 * 2006, ch. 3 and 5): regret against the best kernel is at most ln 7 nats
 * for share 0, on any data.
 */
typedef struct RvdMixture
{
	double		log_weight[RVD_NUM_KERNELS];	/* logsumexp = 0 */
} RvdMixture;

extern void rvd_mixture_init(RvdMixture *m);
extern void rvd_mixture_weights(const RvdMixture *m, double *pi);
extern void rvd_mixture_update(RvdMixture *m, const double *loss,
							   double share);

/* p[n] = sum_k pi_k p_k, each p_k floored as in the loss. */
extern void rvd_mixture_combine(const RvdMixture *m,
								const double *const *kernel_p, int n,
								double *p);

#endif							/* RVD_ATTENTION_H */
