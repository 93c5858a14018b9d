/*-------------------------------------------------------------------------
 *
 * patterns.c
 *	  ruvector_dag_patterns, ruvector_dag_plans: what was learned of kinds of
 *	  plans, and what was tried and what won.
 *	  Layer 7.
 *
 * A pattern is a cluster of stock plans with what did best for them; the
 * learner extracts them once per cycle.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/neural.h"
#include "ruvector_dag/report.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_patterns);
PG_FUNCTION_INFO_V1(ruvector_dag_plans);

/* A copy of the bank as it is now, or NULL: there is none. */
static RvdBank *
rvd_patterns_copy_bank(void)
{
	RvdNeural  *neural = rvd_my_neural();
	RvdBank    *copy;
	const RvdSnapshot *s;

	if (neural == NULL)
		return NULL;
	copy = palloc(rvd_bank_size(RVD_BANK_CAPACITY));
	s = rvd_snapshot_lock(neural, false, true);
	memcpy(copy, &s->bank, rvd_bank_size(s->bank.n));
	rvd_snapshot_release(neural);
	return copy;
}

static Datum
rvd_patterns_centroid(const RvdPattern *p)
{
	Datum		elements[RVD_EMBEDDING_DIM];

	for (int i = 0; i < RVD_EMBEDDING_DIM; i++)
		elements[i] = Float4GetDatum(p->centroid[i]);
	return PointerGetDatum(construct_array(elements, RVD_EMBEDDING_DIM,
										   FLOAT4OID, 4, true, TYPALIGN_INT));
}

int
rvd_sql_count_patterns(Oid tab)
{
	RvdBank    *bank = rvd_patterns_copy_bank();
	List	   *family;
	int			n = 0;

	if (bank == NULL || !OidIsValid(tab))
		return bank ? bank->n : 0;
	family = rvd_sql_relation_family(tab);
	for (int i = 0; i < bank->n; i++)
		n += rvd_sql_touches(bank->pattern[i].relations,
							 bank->pattern[i].n_relations, family);
	return n;
}

/*
 * Centroid and row errors tell of what was counted: they are for those who
 * may read every relation of the members.  A pattern keeps a bounded number
 * of relations; when that many are there more may have been left out.
 */
static bool
rvd_patterns_may_read(const RvdPattern *p, const RvdClass *example)
{
	if (rvd_may_read_all_stats())
		return true;
	return p->n_relations < RVD_PATTERN_RELATIONS &&
		rvd_may_read_relations(p->relations, p->n_relations) &&
		rvd_may_read_class(example);
}

/* What a plan near the pattern is made with. */
static Datum
rvd_patterns_configuration(const RvdPattern *p, bool readable)
{
	RvdJson		json;

	rvd_json_begin(&json);
	rvd_json_add_bool(&json, "learned_rows", p->configuration != 0);
	if (readable)
		rvd_json_add_float(&json, "usual_join_error", exp(p->inflate));
	rvd_json_add_int(&json, "verified_runs", p->verified);
	rvd_json_add_float(&json, "tightness", p->tightness);
	return JsonbPGetDatum(rvd_json_end(&json));
}

static void
rvd_patterns_add(FunctionCallInfo fcinfo, const RvdKnowledge *k,
				 const RvdPattern *p)
{
	RvdClass   *class = rvd_knowledge_class(k, p->example);
	bool		readable = rvd_patterns_may_read(p, class);
	RvdRow		row = {0};

	rvd_row_add(&row, Int64GetDatum((int64) p->id));
	rvd_row_add(&row, rvd_sql_relation_names(p->relations, p->n_relations));
	if (readable)
		rvd_row_add(&row, rvd_patterns_centroid(p));
	else
		rvd_row_add_null(&row);
	rvd_row_add_text(&row, rvd_attention_name(p->attention));
	rvd_row_add(&row, Float4GetDatum((float) rvd_pattern_confidence(p, 1.0)));
	rvd_row_add(&row, Int32GetDatum((int32) p->samples));
	rvd_row_add_float(&row, p->latency_ms > 0 ? p->latency_ms * 1000.0 : NAN);
	rvd_row_add_float(&row, p->baseline_ms > 0 ? p->baseline_ms * 1000.0 : NAN);
	rvd_row_add_float(&row, p->verified > 0 ? exp(-p->mean_ratio) : NAN);
	rvd_row_add_float(&row, p->quality);
	rvd_row_add(&row, rvd_patterns_configuration(p, readable));
	rvd_row_add_text(&row, rvd_knowledge_query_text(class));
	rvd_row_add_time(&row, p->updated_at);
	rvd_row_put(&row, fcinfo);
}

Datum
ruvector_dag_patterns(PG_FUNCTION_ARGS)
{
	RvdKnowledge k;
	RvdBank    *bank;
	List	   *family = NIL;
	Oid			tab;

	rvd_require_preload();
	tab = rvd_sql_arg_relation(fcinfo, 0);
	rvd_knowledge_load(&k, InvalidOid);
	if (OidIsValid(tab))
		family = rvd_sql_relation_family(tab);
	bank = rvd_patterns_copy_bank();
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; bank && i < bank->n; i++)
	{
		const RvdPattern *p = &bank->pattern[i];

		if (!OidIsValid(tab) ||
			rvd_sql_touches(p->relations, p->n_relations, family))
			rvd_patterns_add(fcinfo, &k, p);
	}
	return (Datum) 0;
}

static const char *
rvd_plans_arm(const RvdPlan *plan)
{
	const char *name = rvd_report_arm(plan->memo.arm);

	return name ? name : "default";
}

/*
 * One plan.  Its shape, cost and corrections tell of learned counts, so they
 * are for those who may read the relations.
 */
static void
rvd_plans_add(FunctionCallInfo fcinfo, const RvdKnowledge *k,
			  HTAB *instances, const RvdPlan *plan, RvdRows *rows,
			  HTAB *index)
{
	bool		readable;
	const RvdLatency *latency = &plan->latency;
	const RvdInstance *instance;
	RvdRow		row = {0};
	RvdJson		history;

	readable = rvd_may_read_class(rvd_knowledge_class(k, plan->queryid));
	rvd_row_add(&row, Int64GetDatum(plan->queryid));
	rvd_row_add(&row, Int64GetDatum((int64) plan->fingerprint));
	rvd_row_add_text(&row, rvd_report_role(plan->role));
	rvd_row_add_text(&row, rvd_plans_arm(plan));
	if (readable)
		rvd_row_add(&row, rvd_configuration_jsonb(plan, rows, index));
	else
		rvd_row_add_null(&row);
	rvd_row_add(&row, Int64GetDatum(latency->n));
	rvd_row_add_float(&row, rvd_knowledge_mean_ms(latency));
	rvd_row_add_float(&row, latency->n > 1
					  ? rvd_latency_stddev_ms(latency) : NAN);
	rvd_row_add_float(&row, latency->n > 0 ? latency->best_ms : NAN);
	rvd_row_add_float(&row, latency->n > 0 ? latency->worst_ms : NAN);
	rvd_row_add_float(&row, readable ? plan->est_cost : NAN);
	rvd_row_add_text(&row, readable && plan->skeleton[0] != '\0'
					 ? plan->skeleton : NULL);
	rvd_row_add_time(&row, plan->first_seen);
	rvd_row_add_time(&row, plan->last_used);
	rvd_row_add(&row, Int64GetDatum((int64) plan->instance));
	instance = rvd_knowledge_instance(k, instances, plan->queryid,
									  plan->instance);
	rvd_row_add_text(&row, instance ? rvd_report_state(instance) : NULL);
	rvd_json_begin_list(&history);
	rvd_knowledge_add_history(&history, plan);
	rvd_row_add(&row, JsonbPGetDatum(rvd_json_end_list(&history)));
	rvd_row_put(&row, fcinfo);
}

Datum
ruvector_dag_plans(PG_FUNCTION_ARGS)
{
	RvdKnowledge k;
	RvdRows    *rows;
	int			n_rows;
	HTAB	   *index;
	HTAB	   *instances;

	rvd_require_preload();
	rvd_knowledge_load(&k, InvalidOid);
	instances = rvd_knowledge_instance_index(&k);
	rows = rvd_knowledge_rows(&n_rows);
	index = rvd_configuration_index(rows, n_rows);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < k.n_plans; i++)
	{
		if (PG_ARGISNULL(0) || k.plans[i].queryid == PG_GETARG_INT64(0))
			rvd_plans_add(fcinfo, &k, instances, &k.plans[i], rows, index);
	}
	return (Datum) 0;
}
