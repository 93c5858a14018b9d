/*-------------------------------------------------------------------------
 *
 * look.h
 *	  What the neural core has to say about a plan before it runs.
 *	  Layer 4.
 *
 * From a plan graph: features, expected load of each operator, weights of
 * the chosen attention kernel, embedding (cached), hyperdimensional code,
 * predicted time, nearest patterns, memories.  Never raises, never waits;
 * what cannot be had is left out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_LOOK_H
#define RVD_LOOK_H

#include "postgres.h"

#include "ruvector_dag/neural.h"
#include "ruvector_dag/scope.h"

typedef struct RvdLook
{
	bool		embedded;		/* embedding and plan are set */
	int			attention;		/* RvdAttentionKind used */
	uint64		embedding_key;
	double		total_cost;
	float		plan[RVD_PLAN_FEATURES];
	float		embedding[RVD_EMBEDDING_DIM];
	bool		coded;			/* code is set */
	RvdHdc		code;
	RvdPrediction prediction;	/* .known false: none */
} RvdLook;

/* What a plan's nodes are to a kernel; all arrays of n in one palloc. */
typedef struct RvdPlanView
{
	const RvdDag *dag;
	int			n;
	double	   *loops;
	double	   *self_cost;
	double	   *load;			/* expected: self cost, by learned factors */
	double	   *rows;			/* estimated, of all loops */
	float	   *phi;
	float	   *vectors;
	RvdTrace   *traces;
	float		plan[RVD_PLAN_FEATURES];
	void	   *work;			/* workspace of a kernel */
	RvdAttentionRows rows_out;
} RvdPlanView;

/* In CurrentMemoryContext. */
extern void rvd_plan_view(RvdPlanView *view, const RvdDag *dag);

/*
 * Weights of one kernel, or of the ensemble, on the plan: p[n].  Learned
 * weights and traces are read from shared memory if to be had.
 */
extern void rvd_plan_weigh(RvdPlanView *view, int attention, double *p);

/*
 * ln of what an operator's share of the time is to its share of the cost, by
 * RvdCostClass, as far as the model is to be believed; 0: as the cost has it.
 */
extern double rvd_cost_factor(const RvdLatencyModel *m,
							  const RvdPrediction *p, int class);

/* Kernel for this class now: by setting, else by the selector. */
extern int	rvd_look_choose_attention(int64 queryid);

/*
 * fingerprint: of the plan.  The embedding and the prediction are always
 * wanted, the code only where memories matter.
 */
extern void rvd_look(RvdLook *look, const RvdDag *dag, uint64 fingerprint,
					 int attention, bool want_code);

/* ---- what it means for a statement whose instance was never measured ------- */

typedef struct RvdAdvice
{
	uint16		arm;			/* plan under it and try that; 0: nothing */
	float		inflate;		/* for joins nobody measured: ln(true / est.) */
	double		expected_ms;	/* of the stock plan; 0: not known */
} RvdAdvice;

/* Nearest patterns and memories of a stock plan. */
extern void rvd_advise(const RvdLook *look, RvdAdvice *advice);

/* Does a memory say that this candidate was a catastrophe? */
extern bool rvd_look_vetoed(const RvdLook *candidate);

/* ---- after the run (reflect.c) ------------------------------------------------ */

struct RvdRun;

/*
 * The instant loop of the neural core: micro-LoRA step, memories when the
 * outcome surprises.  look: of the plan that ran.  stock_code: of the class's
 * stock plan if it is known, for memories of proven plans.
 */
extern void rvd_reflect_run(const RvdLook *look, const struct RvdRun *run,
							const float *targets);

/* A candidate that was stopped far beyond what was expected. */
extern void rvd_reflect_abandoned(const RvdLook *look, int64 queryid,
								  uint64 plan_id, double ms,
								  double expected_ms);

/* A candidate was proven: remember the stock plan it beats. */
extern void rvd_reflect_proven(const RvdHdc *stock_code, int64 queryid,
							   uint64 plan_id, double log_ratio);

/*
 * After a timed run: self_ms[n] by node of the plan (in the order of the
 * graph).  Scores all kernels by overlap, trains their weights, rewards the
 * class's and the general selector, updates the mixture and the traces.
 */
extern void rvd_reflect_timed(int64 queryid, const RvdDag *dag,
							  const double *self_ms, const double *act_rows);

/* Flush the process's micro adapter if it is due (or at exit). */
extern void rvd_reflect_flush(bool now);

#endif							/* RVD_LOOK_H */
