/*-------------------------------------------------------------------------
 *
 * replay.c
 *	  Make a plan again from what was remembered with it.
 *
 * With the order of its joins, if that is known, else by searching.  In its
 * order alone a plan may turn out to be another one: among fewer candidates
 * another join method wins.  Then its methods are prescribed as well, and if
 * that does not help the search has its chance and the order is forgotten.
 *
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "ruvector_dag/join_order.h"

#include "steer.h"

static bool
replay(RvdSteerJob *job, RvdPlanned *planned, const RvdMemo *memo,
	   bool same_methods, uint64 fingerprint)
{
	RvdPlanSpec spec = {
		.kind = RVD_PLAN_REPLAY, .replay = memo, .same_methods = same_methods
	};
	double		ms = planned->ms;

	rvd_steer_run_guarded(job, planned, &spec);
	planned->ms += ms;			/* of the tries before */
	return rvd_steer_identify(planned) && planned->fingerprint == fingerprint;
}

bool
rvd_steer_replay(RvdSteerJob *job, RvdPlanned *planned, RvdMemo *memo,
				 uint64 fingerprint)
{
	planned->ms = 0;
	if (replay(job, planned, memo, false, fingerprint))
		return true;
	if (planned->run.orders_used == 0)
		return false;
	if (replay(job, planned, memo, true, fingerprint))
		return true;
	memo->n_joins = 0;
	if (!replay(job, planned, memo, false, fingerprint))
		return false;
	rvd_join_order_forget(rvd_plan_key(job->decision.queryid,
									   job->decision.instance, fingerprint));
	return true;
}
