/*-------------------------------------------------------------------------
 *
 * learn_run.h
 *	  Between the files that learn from a run.  Layer 4, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_LEARN_RUN_H
#define RVD_LEARN_RUN_H

#include "ruvector_dag/decision.h"

/* What the plan update needs to know of its instance. */
typedef struct RvdInstanceView
{
	RvdLatency	baseline;
	uint64		best_plan;
} RvdInstanceView;

/* learn_instance.c: true if the plan in use is demoted. */
extern bool rvd_learn_instance(const RvdRun *run, RvdInstanceView *view);

/* learn_plan.c */
extern void rvd_learn_plan(const RvdRun *run, const RvdInstanceView *view,
						   bool demoted);

/* learn_verdict.c: the instance follows the verdict on a candidate. */
extern void rvd_learn_verdict(const RvdTag *tag, RvdVerdict verdict);

/* learn_verdict.c: the server's own plan takes the place of the one in use. */
extern void rvd_learn_adopt_stock(const RvdTag *tag, double ms);

/*
 * learn_cached.c: may cached plans of the (locked) class be thrown away now?
 * If so, not again for so long.
 */
extern bool rvd_learn_may_replan(RvdClass *c, int every_ms);

/*
 * learn_cached.c: throw away the cached plans on the first relation of this
 * one.  Not on a standby, where invalidations cannot be written.
 */
extern void rvd_learn_replan(const RvdTag *tag);

#endif							/* RVD_LEARN_RUN_H */
