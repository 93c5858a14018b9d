/*-------------------------------------------------------------------------
 *
 * arm_settings.c
 *	  The settings of an arm in force for one run of the planner, or of a
 *	  plan.
 *
 * They are set the way a function's SET clause is, on a nesting level of
 * their own, by the server's own machinery: values are checked as in SET,
 * parallel workers get them, and an abort takes them back.
 *
 * An arm advises a plan, it does not hand out resources: it cannot have more
 * parallel workers than the session may have, nor, beyond
 * ruvector.dag_work_mem_limit, more memory.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "optimizer/cost.h"
#include "utils/guc.h"

#include "ruvector_dag/arm.h"
#include "ruvector_dag/settings.h"

/* Beside these, everything that begins with enable_. */
static const char *const plan_settings[] = {
	"cpu_index_tuple_cost", "cpu_operator_cost", "cpu_tuple_cost",
	"effective_cache_size", "from_collapse_limit", "geqo", "geqo_effort",
	"geqo_generations", "geqo_pool_size", "geqo_seed", "geqo_selection_bias",
	"geqo_threshold", "jit", "jit_above_cost",
	"jit_inline_above_cost", "jit_optimize_above_cost",
	"join_collapse_limit", "max_parallel_workers_per_gather",
	"min_parallel_index_scan_size", "min_parallel_table_scan_size",
	"parallel_leader_participation", "parallel_setup_cost",
	"parallel_tuple_cost", "random_page_cost", "seq_page_cost", "work_mem"
};

bool
rvd_arm_setting_acts_at_run(const char *name)
{
	return strcmp(name, "work_mem") == 0 ||
		strcmp(name, "parallel_leader_participation") == 0;
}

bool
rvd_arm_setting_allowed(const char *name, const char **complaint)
{
	const char *value = GetConfigOption(name, true, false);

	if (value == NULL)
	{
		*complaint = "This server has no such setting.";
		return false;
	}
	if (strncmp(name, "enable_", 7) == 0)
		return true;
	for (int i = 0; i < lengthof(plan_settings); i++)
		if (strcmp(plan_settings[i], name) == 0)
			return true;
	*complaint = "An arm may have enable_* and the planner's costs and limits, work_mem and jit.";
	return false;
}

/* Not to be raised above what the session has, or the limit; in its unit. */
static bool
is_too_much(const char *name, const char *value)
{
	int			wanted;
	int			most;
	int			unit = 0;

	if (strcmp(name, "work_mem") == 0)
	{
		most = Max(work_mem, rvd_dag_work_mem_limit);
		unit = GUC_UNIT_KB;
	}
	else if (strcmp(name, "max_parallel_workers_per_gather") == 0)
		most = max_parallel_workers_per_gather;
	else
		return false;
	return !parse_int(value, &wanted, unit, NULL) || wanted > most;
}

/* Within a session that cannot have as much, as much as it can have. */
static void
apply_most(const char *name)
{
	char		most[32];

	if (strcmp(name, "work_mem") != 0 || rvd_dag_work_mem_limit <= work_mem)
		return;
	snprintf(most, sizeof(most), "%dkB", rvd_dag_work_mem_limit);
	(void) set_config_option(name, most, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, DEBUG1, false);
}

int
rvd_arm_apply(const RvdArm *arm, bool at_run)
{
	int			nest_level = NewGUCNestLevel();

	for (int i = 0; i < arm->n; i++)
	{
		const RvdArmSetting *s = &arm->set[i];

		if (at_run && !rvd_arm_setting_acts_at_run(s->name))
			continue;
		if (is_too_much(s->name, s->value))
			apply_most(s->name);
		else
			(void) set_config_option(s->name, s->value, PGC_USERSET,
									 PGC_S_SESSION, GUC_ACTION_SAVE, true,
									 DEBUG1, false);
	}
	return nest_level;
}

void
rvd_arm_revert(int nest_level)
{
	AtEOXact_GUC(true, nest_level);
}
