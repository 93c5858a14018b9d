/*-------------------------------------------------------------------------
 *
 * learn.c
 *	  What a run taught: account, class, instance, plan, in this order.
 *
 * Each entry is updated under its own partition lock, never two at once; an
 * update whose lock is not to be had is given up (and counted by the store).
 * The figures are statistics: losing one now and then harms nothing.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "ruvector_dag/decision.h"

#include "learn_run.h"

void
rvd_learn_run(const RvdRun *run)
{
	RvdInstanceView view;
	double		saved = rvd_learn_account(run);
	bool		demoted;

	rvd_learn_class(run, saved);
	demoted = rvd_learn_instance(run, &view);
	rvd_learn_plan(run, &view, demoted);
	if (run->outcome == RVD_RUN_COMPLETE && run->tag->executions > 1 &&
		!run->trial)
		rvd_learn_reach_cached_plans(run);
}
