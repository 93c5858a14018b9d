/*-------------------------------------------------------------------------
 *
 * plan_role.c
 *	  A plan's role, why it has it, and which ones it had before.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "ruvector_dag/decision.h"

void
rvd_plan_note_role(RvdPlan *plan)
{
	if (plan->n_history == RVD_PLAN_HISTORY)
	{
		plan->n_history--;
		memmove(plan->history_role, plan->history_role + 1,
				sizeof(plan->history_role[0]) * plan->n_history);
		memmove(plan->history_reason, plan->history_reason + 1,
				sizeof(plan->history_reason[0]) * plan->n_history);
		memmove(plan->history_at, plan->history_at + 1,
				sizeof(plan->history_at[0]) * plan->n_history);
	}
	plan->history_role[plan->n_history] = (uint16) plan->role;
	plan->history_reason[plan->n_history] = (uint16) plan->reason;
	plan->history_at[plan->n_history] = plan->role_changed;
	plan->n_history++;
}

void
rvd_plan_change_role(RvdPlan *plan, RvdPlanRole role, RvdReason reason)
{
	plan->role = role;
	plan->reason = reason;
	plan->role_changed = GetCurrentTimestamp();
	plan->head.dirty = true;
	rvd_plan_note_role(plan);
}
