/*-------------------------------------------------------------------------
 *
 * entity.c
 *	  The columns of dag_classes, dag_instances, dag_plans,
 *	  dag_row_knowledge and dag_memories, as they lie in the entries.
 *	  Layer 6.
 *
 * In step with section 1 of the install script.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "ruvector_dag/row_model.h"
#include "entity.h"

/*
 * A member added to an entry needs a column here and in the install script,
 * or the comment of store.h that it is not persisted.  Then correct the size.
 */
#if SIZEOF_VOID_P == 8
StaticAssertDecl(sizeof(RvdClass) == 1824, "dag_classes lacks a column");
StaticAssertDecl(sizeof(RvdInstance) == 776, "dag_instances lacks a column");
StaticAssertDecl(sizeof(RvdPlan) == 3112, "dag_plans lacks a column");
StaticAssertDecl(sizeof(RvdRows) == 1200, "dag_row_knowledge lacks a column");
StaticAssertDecl(sizeof(RvdMemory) == 1352, "dag_memories lacks a column");
#endif

#define PLAIN(type, column, of, field) \
	{.name = column, .kind = RVD_COLUMN_##of, .offset = offsetof(type, field)}
#define KEY(type, column, of, field) \
	{.name = column, .kind = RVD_COLUMN_##of, .key = true, \
	 .offset = offsetof(type, field)}
#define TEXT_OF(type, column, field) \
	{.name = column, .kind = RVD_COLUMN_TEXT, \
	 .offset = offsetof(type, field), .max = sizeof(((type *) 0)->field)}
#define ARRAY_OF(type, column, of, field, most, step, per, counter) \
	{.name = column, .kind = RVD_COLUMN_ARRAY, \
	 .offset = offsetof(type, field), .max = most, \
	 .element = RVD_COLUMN_##of, .stride = step, .per_member = per, \
	 .count_offset = offsetof(type, counter), \
	 .count_width = sizeof(((type *) 0)->counter)}

#define FIXED_ARRAY_OF(type, column, of, field) \
	{.name = column, .kind = RVD_COLUMN_ARRAY, \
	 .offset = offsetof(type, field), \
	 .max = lengthof(((type *) 0)->field), .element = RVD_COLUMN_##of, \
	 .stride = sizeof(((type *) 0)->field[0]), .per_member = 1}

#define RECORDS(column, of, field) \
	{.name = column, .kind = RVD_COLUMN_ARRAY, \
	 .offset = offsetof(RvdClass, arms[0].field), .max = RVD_ARMS, \
	 .element = RVD_COLUMN_##of, .stride = sizeof(RvdArmRecord), \
	 .per_member = 1}

static const RvdColumn class_columns[] = {
	KEY(RvdClass, "queryid", INT8, head.key.a),
	PLAIN(RvdClass, "value", FLOAT4, head.value),
	PLAIN(RvdClass, "userid", OID, user),
	PLAIN(RvdClass, "flags", UINT4, flags),
	PLAIN(RvdClass, "calls", ATOMIC8, calls),
	PLAIN(RvdClass, "total_ms", FLOAT8, total_ms),
	PLAIN(RvdClass, "est_cost", FLOAT8, est_cost),
	PLAIN(RvdClass, "latency", LATENCY, latency),
	PLAIN(RvdClass, "line", LINE, line),
	PLAIN(RvdClass, "instances", UINT4, instances),
	PLAIN(RvdClass, "trials", UINT4, trials),
	PLAIN(RvdClass, "trials_won", UINT4, trials_won),
	PLAIN(RvdClass, "trials_abandoned", UINT4, trials_abandoned),
	PLAIN(RvdClass, "regret_ms", FLOAT8, regret_ms),
	PLAIN(RvdClass, "saved_ms", FLOAT8, saved_ms),
	PLAIN(RvdClass, "steered", INT8, steered),
	PLAIN(RvdClass, "first_seen", TIME, first_seen),
	PLAIN(RvdClass, "last_used", TIME, last_used),
	PLAIN(RvdClass, "invalidated", TIME, invalidated),
	PLAIN(RvdClass, "pinned_plan", INT8, pinned_plan),
	PLAIN(RvdClass, "pinned_instance", INT8, pinned_instance),
	RECORDS("arm_n", UINT4, n),
	RECORDS("arm_mean", FLOAT4, mean),
	PLAIN(RvdClass, "custom", LATENCY, custom),
	PLAIN(RvdClass, "generic", LATENCY, generic),
	PLAIN(RvdClass, "custom_planning_ms", FLOAT8, custom_planning_ms),
	FIXED_ARRAY_OF(RvdClass, "selector_n", UINT4, selector.n),
	FIXED_ARRAY_OF(RvdClass, "selector_mean", FLOAT4, selector.mean),
	PLAIN(RvdClass, "timed_runs", UINT4, timed_runs),
	ARRAY_OF(RvdClass, "relations", OID, relations, RVD_CLASS_RELATIONS,
			 sizeof(Oid), 1, n_relations),
	TEXT_OF(RvdClass, "query", query)
};

#define CANDIDATES(column, kind, field) \
	ARRAY_OF(RvdInstance, column, kind, candidates[0].field, RVD_CANDIDATES, \
			 sizeof(RvdCandidate), 1, n_candidates)

static const RvdColumn instance_columns[] = {
	KEY(RvdInstance, "queryid", INT8, queryid),
	KEY(RvdInstance, "instance", INT8, instance),
	PLAIN(RvdInstance, "value", FLOAT4, head.value),
	PLAIN(RvdInstance, "state", UINT4, state),
	PLAIN(RvdInstance, "calls", UINT4, calls),
	PLAIN(RvdInstance, "baseline_plan", INT8, baseline_plan),
	PLAIN(RvdInstance, "baseline_cost", FLOAT8, baseline_cost),
	PLAIN(RvdInstance, "baseline", LATENCY, baseline),
	PLAIN(RvdInstance, "best_plan", INT8, best_plan),
	PLAIN(RvdInstance, "trying_plan", INT8, trying_plan),
	PLAIN(RvdInstance, "rounds", UINT4, rounds),
	PLAIN(RvdInstance, "fixed_points", UINT4, fixed_points),
	PLAIN(RvdInstance, "demotions", UINT4, demotions),
	PLAIN(RvdInstance, "cool_until", UINT4, cool_until),
	PLAIN(RvdInstance, "next_look", UINT4, next_look),
	PLAIN(RvdInstance, "slow_streak", UINT4, slow_streak),
	PLAIN(RvdInstance, "arms_planned", UINT4, arms_planned),
	PLAIN(RvdInstance, "failed_rounds", UINT4, failed_rounds),
	PLAIN(RvdInstance, "lost", UINT4, lost),
	PLAIN(RvdInstance, "waiting", UINT4, waiting),
	PLAIN(RvdInstance, "planning_ms", FLOAT8, planning_ms),
	PLAIN(RvdInstance, "explored_ms", FLOAT8, explored_ms),
	PLAIN(RvdInstance, "drift_n", UINT4, drift.n),
	PLAIN(RvdInstance, "drift_mean", FLOAT8, drift.mean),
	PLAIN(RvdInstance, "drift_sum", FLOAT8, drift.sum),
	PLAIN(RvdInstance, "drift_min_sum", FLOAT8, drift.min_sum),
	PLAIN(RvdInstance, "world", INT8, world),
	PLAIN(RvdInstance, "world_pages", FLOAT8, world_pages),
	PLAIN(RvdInstance, "world_changed", TIME, world_changed),
	PLAIN(RvdInstance, "flips", UINT4, flips),
	TEXT_OF(RvdInstance, "trigger", trigger),
	CANDIDATES("candidate_plans", INT8, plan),
	CANDIDATES("candidate_arms", UINT2, arm),
	CANDIDATES("candidate_trials", UINT2, trials),
	CANDIDATES("candidate_predicted", FLOAT4, predicted),
	CANDIDATES("candidate_sd", FLOAT4, sd),
	CANDIDATES("candidate_corrected", FLOAT4, corrected),
	CANDIDATES("candidate_cut", FLOAT4, cut),
	PLAIN(RvdInstance, "last_used", TIME, last_used)
};

#define HISTORY(column, kind, field) \
	ARRAY_OF(RvdPlan, column, kind, field, RVD_PLAN_HISTORY, \
			 sizeof(((RvdPlan *) 0)->field[0]), 1, n_history)

static const RvdColumn plan_columns[] = {
	KEY(RvdPlan, "queryid", INT8, queryid),
	KEY(RvdPlan, "instance", INT8, instance),
	KEY(RvdPlan, "plan_id", INT8, fingerprint),
	PLAIN(RvdPlan, "value", FLOAT4, head.value),
	PLAIN(RvdPlan, "role", UINT4, role),
	PLAIN(RvdPlan, "reason", UINT4, reason),
	PLAIN(RvdPlan, "trials", UINT4, trials),
	PLAIN(RvdPlan, "trials_abandoned", UINT4, trials_abandoned),
	PLAIN(RvdPlan, "observed", UINT4, observed),
	PLAIN(RvdPlan, "timed", UINT4, timed),
	PLAIN(RvdPlan, "est_cost", FLOAT8, est_cost),
	PLAIN(RvdPlan, "predicted_ms", FLOAT8, predicted_ms),
	PLAIN(RvdPlan, "latency", LATENCY, latency),
	PLAIN(RvdPlan, "ratio", LATENCY, ratio),
	PLAIN(RvdPlan, "first_seen", TIME, first_seen),
	PLAIN(RvdPlan, "last_used", TIME, last_used),
	PLAIN(RvdPlan, "role_changed", TIME, role_changed),
	HISTORY("history_roles", UINT2, history_role),
	HISTORY("history_reasons", UINT2, history_reason),
	HISTORY("history_times", INT8, history_at),
	PLAIN(RvdPlan, "arm", UINT2, memo.arm),
	ARRAY_OF(RvdPlan, "memo_joins", UINT2, memo.joins, RVD_MEMO_JOINS,
			 sizeof(uint16), 1, memo.n_joins),
	ARRAY_OF(RvdPlan, "memo_keys", INT8, memo.key, RVD_MEMO_ROWS,
			 sizeof(uint64), 1, memo.n),
	ARRAY_OF(RvdPlan, "memo_rows", FLOAT4, memo.rows, RVD_MEMO_ROWS,
			 sizeof(float), 1, memo.n),
	TEXT_OF(RvdPlan, "skeleton", skeleton)
};

#define OBSERVATIONS(name, kind, field, per) \
	ARRAY_OF(RvdRows, name, kind, model.obs[0].field, RVD_ROW_OBS, \
			 sizeof(RvdRowObservation), per, model.n)

static const RvdColumn row_columns[] = {
	KEY(RvdRows, "signature", INT8, head.key.a),
	PLAIN(RvdRows, "value", FLOAT4, head.value),
	PLAIN(RvdRows, "kind", UINT2, model.kind),
	PLAIN(RvdRows, "sequence", UINT4, model.sequence),
	PLAIN(RvdRows, "updated_at", TIME, updated_at),
	PLAIN(RvdRows, "last_estimate", FLOAT4, last_estimate),
	PLAIN(RvdRows, "last_rows", FLOAT4, last_rows),
	ARRAY_OF(RvdRows, "relations", OID, relations, RVD_ROW_RELATIONS,
			 sizeof(Oid), 1, n_relations),
	TEXT_OF(RvdRows, "clauses", clauses),
	OBSERVATIONS("obs_exact", INT8, exact, 1),
	OBSERVATIONS("obs_x", FLOAT4, x, RVD_ROW_DIMS),
	OBSERVATIONS("obs_y", FLOAT4, y, 1),
	OBSERVATIONS("obs_rows", FLOAT4, rows, 1),
	OBSERVATIONS("obs_weight", FLOAT4, weight, 1),
	OBSERVATIONS("obs_sequence", UINT4, sequence, 1),
	OBSERVATIONS("obs_count", UINT2, count, 1),
	OBSERVATIONS("obs_censored", UINT2, censored, 1)
};

static const RvdColumn memory_columns[] = {
	KEY(RvdMemory, "kind", UINT4, kind),
	KEY(RvdMemory, "queryid", INT8, queryid),
	KEY(RvdMemory, "plan_id", INT8, plan_id),
	PLAIN(RvdMemory, "value", FLOAT4, head.value),
	PLAIN(RvdMemory, "seen", UINT4, seen),
	PLAIN(RvdMemory, "log_ratio", FLOAT4, log_ratio),
	PLAIN(RvdMemory, "ms", FLOAT4, ms),
	PLAIN(RvdMemory, "at", TIME, at),
	PLAIN(RvdMemory, "cue", CODE, cue)
};

static uint64
head_key(const void *entry)
{
	return ((const RvdEntry *) entry)->key.a;
}

static uint64
instance_key(const void *entry)
{
	const RvdInstance *e = entry;

	return rvd_instance_key(e->queryid, e->instance);
}

static uint64
plan_key(const void *entry)
{
	const RvdPlan *e = entry;

	return rvd_plan_key(e->queryid, e->instance, e->fingerprint);
}

static uint64
memory_key(const void *entry)
{
	const RvdMemory *e = entry;

	return rvd_memory_id(e->kind, e->queryid, e->plan_id);
}

static bool
class_valid(const void *entry)
{
	const RvdClass *e = entry;

	for (int i = 0; i < lengthof(e->selector.mean); i++)
		if (e->selector.mean[i] < 0 || e->selector.mean[i] > 1)
			return false;
	return e->total_ms >= 0 && e->est_cost >= 0 && e->regret_ms >= 0 &&
		e->line.n >= 0;
}

static bool
instance_valid(const void *entry)
{
	const RvdInstance *e = entry;

	for (int i = 0; i < e->n_candidates; i++)
		if (e->candidates[i].arm >= RVD_ARMS)
			return false;
	return e->state <= RVD_INSTANCE_COOLING && e->baseline_cost >= 0;
}

static bool
plan_valid(const void *entry)
{
	const RvdPlan *e = entry;

	if (e->role > RVD_PLAN_REJECTED || e->est_cost < 0 ||
		e->memo.arm >= RVD_ARMS)
		return false;
	for (int i = 0; i < e->memo.n; i++)
		if (e->memo.rows[i] < 0)
			return false;
	return true;
}

static bool
rows_valid(const void *entry)
{
	const RvdRows *e = entry;

	if (e->model.kind > RVD_ROW_GROUP)
		return false;
	for (int i = 0; i < e->model.n; i++)
		if (e->model.obs[i].rows < 0 || e->model.obs[i].weight < 0 ||
			e->model.obs[i].censored > 1)
			return false;
	return true;
}

static bool
memory_valid(const void *entry)
{
	const RvdMemory *e = entry;

	return e->kind <= RVD_MEMORY_PROVEN && e->ms >= 0;
}

const RvdEntity rvd_entities[RVD_NUM_PERSISTED] = {
	[RVD_CLASSES] = {
		RVD_CLASSES, "dag_classes", class_columns, lengthof(class_columns),
		head_key, class_valid
	},
	[RVD_INSTANCES] = {
		RVD_INSTANCES, "dag_instances", instance_columns,
		lengthof(instance_columns), instance_key, instance_valid
	},
	[RVD_PLANS] = {
		RVD_PLANS, "dag_plans", plan_columns, lengthof(plan_columns),
		plan_key, plan_valid
	},
	[RVD_ROWS] = {
		RVD_ROWS, "dag_row_knowledge", row_columns, lengthof(row_columns),
		head_key, rows_valid
	},
	[RVD_MEMORIES] = {
		RVD_MEMORIES, "dag_memories", memory_columns,
		lengthof(memory_columns), memory_key, memory_valid
	}
};
