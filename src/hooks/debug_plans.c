/*-------------------------------------------------------------------------
 *
 * debug_plans.c
 *	  Plans made and tried as developer's options say.
 *
 * What is promised for every plan (the same rows, no leak, no lost cancel)
 * is tested on plans nobody would choose.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "ruvector_dag/arm.h"
#include "ruvector_dag/compat.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/settings.h"

#include "steer.h"

/* Budgets of trials: this much, times up to this factor. */
#define LEAST_BUDGET_MS		0.05
#define BUDGET_SPREAD		1000.0

/* Make the plan again from its memo; what comes out is what runs. */
static PlannedStmt *
replay(RvdSteerJob *job, RvdPlanned *first, RvdMemo *memo)
{
	RvdPlanned	second;
	int			orders = memo->n_joins;
	bool		same;

	if (!rvd_steer_identify(first))
		return first->stmt;
	memset(&second, 0, sizeof(second));
	same = rvd_steer_replay(job, &second, memo, first->fingerprint);
	if (second.stmt == NULL)
		return first->stmt;
	ereport(INFO,
			(errmsg("made again: %s plan, %d of %d join orders, %.3f ms after %.3f ms",
					same ? "same" : "another", second.run.orders_used,
					orders > 0 ? list_length(second.run.join_problems) : 0,
					second.ms, first->ms)));
	return second.stmt;
}

/* The plan under the arm and the row factors that are set. */
PlannedStmt *
rvd_debug_plan(RvdSteerJob *job)
{
	const RvdArm *arm = rvd_debug_arm[0] ? rvd_arm_by_name(rvd_debug_arm) : NULL;
	RvdPlanSpec spec = {.kind = RVD_PLAN_STOCK};
	RvdPlanned	planned;
	RvdMemo    *memo = NULL;

	memset(&planned, 0, sizeof(planned));
	if (rvd_debug_replay)
		spec.memo = memo = palloc0(sizeof(RvdMemo));
	if (rvd_debug_row_factor_seed != 0 || (arm && arm->learned_rows))
		spec.kind = RVD_PLAN_LEARNED;
	if (arm)
		spec.arm = arm->id;
	rvd_steer_run(job, &planned, &spec);
	return memo ? replay(job, &planned, memo) : planned.stmt;
}

/* A number in [0, 1) that differs each time. */
static double
draw(uint64 *state)
{
	*state = rvd_hash_mix(*state + UINT64CONST(0x9e3779b97f4a7c15));
	return (double) (*state >> 11) / 9007199254740992.0;
}

static uint16
draw_arm(uint64 *state)
{
	uint32		enabled = rvd_arms_enabled();
	uint16		id = (uint16) (draw(state) * (RVD_MAX_ARMS + 1));

	return (enabled & (1U << id)) ? id : RVD_ARM_NONE;
}

/* A plan by chance, to be cut at a moment by chance. */
void
rvd_debug_offer(RvdSteerJob *job, RvdTag *tag)
{
	static uint64 state = 0;
	static int	seeded_by = 0;
	int			saved = rvd_debug_row_factor_seed;
	RvdPlanSpec spec = {.kind = RVD_PLAN_LEARNED};
	RvdPlanned	candidate;

	if (seeded_by != rvd_debug_trial_seed)
		state = seeded_by = rvd_debug_trial_seed;
	spec.arm = draw_arm(&state);
	rvd_debug_row_factor_seed = 1 + (int) (draw(&state) * 1000000);
	PG_TRY();
	{
		rvd_steer_run_guarded(job, &candidate, &spec);
	}
	PG_FINALLY();
	{
		rvd_debug_row_factor_seed = saved;
	}
	PG_END_TRY();
	if (rvd_steer_identify(&candidate) && candidate.may_be_tried)
		rvd_steer_attach(job, tag, &candidate, spec.arm,
						 LEAST_BUDGET_MS * pow(BUDGET_SPREAD, draw(&state)));
}
