/*-------------------------------------------------------------------------
 *
 * replay.c
 *	  Make a plan again from what was remembered with it.
 *
 * With the order of its joins, if that is known, else by searching; a plan
 * that turns out to be another one in its order gets a second chance by the
 * search, and if that succeeds the order is forgotten.
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
	   uint64 fingerprint)
{
	RvdPlanSpec spec = {.kind = RVD_PLAN_REPLAY, .replay = memo};

	rvd_steer_run_guarded(job, planned, &spec);
	return rvd_steer_identify(planned) && planned->fingerprint == fingerprint;
}

bool
rvd_steer_replay(RvdSteerJob *job, RvdPlanned *planned, RvdMemo *memo,
				 uint64 fingerprint)
{
	double		ms;

	if (replay(job, planned, memo, fingerprint))
		return true;
	if (planned->run.orders_used == 0)
		return false;
	ms = planned->ms;
	memo->n_joins = 0;
	if (!replay(job, planned, memo, fingerprint))
		return false;
	planned->ms += ms;
	rvd_join_order_forget(rvd_plan_key(job->decision.queryid,
									   job->decision.instance, fingerprint));
	return true;
}
