/*-------------------------------------------------------------------------
 *
 * plan_view.h
 *	  Parts of look.h that stay within the layer.  Layer 4, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_PLAN_VIEW_H
#define RVD_PLAN_VIEW_H

#include "portability/instr_time.h"

#include "ruvector_dag/look.h"

/* Does the kernel take part, by the settings? */
extern bool rvd_plan_view_uses(const RvdDag *dag, int kind);

/* Key of a node's trace. */
extern uint64 rvd_plan_view_slot(const RvdDag *dag, int node);

/* One kernel with given weights; context rows go to v->rows_out. */
extern RvdStatus rvd_plan_view_kernel(RvdPlanView *v, int kind,
									  const RvdAttentionWeights *weights,
									  bool want_rows, RvdAttentionOutput *out,
									  double *p);

/* Id of the memory that a code recalls; false: none.  (advise.c) */
extern bool rvd_look_recall(const RvdHdc *code, uint64 *id);

extern double rvd_look_clock_us(instr_time since);

#endif							/* RVD_PLAN_VIEW_H */
