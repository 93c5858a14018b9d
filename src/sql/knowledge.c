/*-------------------------------------------------------------------------
 *
 * knowledge.c
 *	  Copies of what is in shared memory, for the SQL functions.  Layer 7.
 *
 * Each table is copied partition by partition, so a copy is not one moment's:
 * a plan may belong to a class that has just been evicted.  Readers look
 * classes and instances up and cope with their absence.
 *
 * Memory: CurrentMemoryContext; gone with the call.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/jsonb.h"

#include "ruvector_dag/guard.h"
#include "ruvector_dag/report.h"

#include "sql_common.h"

typedef struct KnowledgeSlot
{
	uint64		key;			/* hash key, must be first */
	int			position;
} KnowledgeSlot;

static HTAB *
rvd_knowledge_make_index(const char *name)
{
	HASHCTL		ctl;

	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(uint64);
	ctl.entrysize = sizeof(KnowledgeSlot);
	ctl.hcxt = CurrentMemoryContext;
	return hash_create(name, 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
rvd_knowledge_index_add(HTAB *index, uint64 key, int position)
{
	KnowledgeSlot *slot = hash_search(index, &key, HASH_ENTER, NULL);

	slot->position = position;
}

/* Position of a key, or -1. */
static int
rvd_knowledge_index_find(HTAB *index, uint64 key)
{
	KnowledgeSlot *slot = hash_search(index, &key, HASH_FIND, NULL);

	return slot ? slot->position : -1;
}

/* Keep the classes that touch the table or what inherits from it. */
static void
rvd_knowledge_filter(RvdKnowledge *k, Oid tab)
{
	List	   *family = rvd_sql_relation_family(tab);
	int			kept = 0;

	for (int i = 0; i < k->n_classes; i++)
	{
		if (rvd_sql_touches(k->classes[i].relations,
							k->classes[i].n_relations, family))
			k->classes[kept++] = k->classes[i];
	}
	k->n_classes = kept;
}

/* Drop instances and plans whose class was filtered out. */
static void
rvd_knowledge_filter_members(RvdKnowledge *k)
{
	int			kept = 0;

	for (int i = 0; i < k->n_instances; i++)
	{
		if (rvd_knowledge_class(k, k->instances[i].queryid) != NULL)
			k->instances[kept++] = k->instances[i];
	}
	k->n_instances = kept;
	kept = 0;
	for (int i = 0; i < k->n_plans; i++)
	{
		if (rvd_knowledge_class(k, k->plans[i].queryid) != NULL)
			k->plans[kept++] = k->plans[i];
	}
	k->n_plans = kept;
}

void
rvd_knowledge_load(RvdKnowledge *k, Oid tab)
{
	k->classes = (RvdClass *) rvd_table_copy(rvd_table(RVD_CLASSES),
											 MyDatabaseId, false,
											 &k->n_classes);
	k->instances = (RvdInstance *) rvd_table_copy(rvd_table(RVD_INSTANCES),
												  MyDatabaseId, false,
												  &k->n_instances);
	k->plans = (RvdPlan *) rvd_table_copy(rvd_table(RVD_PLANS),
										  MyDatabaseId, false, &k->n_plans);
	if (OidIsValid(tab))
		rvd_knowledge_filter(k, tab);

	k->class_index = rvd_knowledge_make_index("ruvector_dag classes");
	for (int i = 0; i < k->n_classes; i++)
		rvd_knowledge_index_add(k->class_index, k->classes[i].head.key.a, i);
	if (OidIsValid(tab))
		rvd_knowledge_filter_members(k);
}

RvdClass *
rvd_knowledge_class(const RvdKnowledge *k, int64 queryid)
{
	int			i = rvd_knowledge_index_find(k->class_index, (uint64) queryid);

	return i < 0 ? NULL : &k->classes[i];
}

HTAB *
rvd_knowledge_plan_index(const RvdKnowledge *k)
{
	HTAB	   *index = rvd_knowledge_make_index("ruvector_dag plans");

	for (int i = 0; i < k->n_plans; i++)
		rvd_knowledge_index_add(index, k->plans[i].head.key.a, i);
	return index;
}

RvdPlan *
rvd_knowledge_plan(const RvdKnowledge *k, HTAB *index, int64 queryid,
				   uint64 instance, uint64 fingerprint)
{
	int			i = rvd_knowledge_index_find(index,
											 rvd_plan_key(queryid, instance,
														  fingerprint));

	return i < 0 ? NULL : &k->plans[i];
}

HTAB *
rvd_knowledge_instance_index(const RvdKnowledge *k)
{
	HTAB	   *index = rvd_knowledge_make_index("ruvector_dag instances");

	for (int i = 0; i < k->n_instances; i++)
		rvd_knowledge_index_add(index, k->instances[i].head.key.a, i);
	return index;
}

RvdInstance *
rvd_knowledge_instance(const RvdKnowledge *k, HTAB *index, int64 queryid,
					   uint64 instance)
{
	int			i = rvd_knowledge_index_find(index,
											 rvd_instance_key(queryid,
															  instance));

	return i < 0 ? NULL : &k->instances[i];
}

void
rvd_knowledge_add_history(RvdJson *json, const RvdPlan *plan)
{
	for (int i = 0; i < (int) Min(plan->n_history, RVD_PLAN_HISTORY); i++)
	{
		rvd_json_begin_object(json, NULL);
		rvd_json_add_time(json, "at", plan->history_at[i]);
		rvd_json_add_text(json, "role",
						  rvd_report_role(plan->history_role[i]));
		rvd_json_add_text(json, "reason",
						  rvd_reason_text(plan->history_reason[i]));
		rvd_json_end_object(json);
	}
}

RvdRows *
rvd_knowledge_rows(int *n)
{
	return (RvdRows *) rvd_table_copy(rvd_table(RVD_ROWS), MyDatabaseId,
									  false, n);
}

double
rvd_knowledge_mean_ms(const RvdLatency *latency)
{
	return latency->n == 0 ? NAN : latency->sum_ms / latency->n;
}

const char *
rvd_knowledge_query_text(const RvdClass *class)
{
	if (class == NULL || class->query[0] == '\0')
		return NULL;
	return rvd_may_read_text(class->user) ? class->query
		: RVD_INSUFFICIENT_PRIVILEGE;
}

HTAB *
rvd_configuration_index(RvdRows *rows, int n)
{
	HTAB	   *index = rvd_knowledge_make_index("ruvector_dag rows");

	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < rows[i].model.n; j++)
			rvd_knowledge_index_add(index, rows[i].model.obs[j].exact, i);
	}
	return index;
}

/*
 * A correction whose knowledge has been evicted meanwhile still works; it has
 * only lost its name, and is shown with its key.
 */
Datum
rvd_configuration_jsonb(const RvdPlan *plan, RvdRows *rows, HTAB *index)
{
	RvdJson		json;

	rvd_json_begin(&json);
	rvd_json_add_text(&json, "reason", rvd_reason_text(plan->reason));
	rvd_json_begin_array(&json, "rows");
	/* those of the server's own plan are but its estimates, noted */
	for (int i = 0; plan->memo.arm != 0 && i < plan->memo.n; i++)
	{
		int			at = rvd_knowledge_index_find(index, plan->memo.key[i]);

		rvd_json_begin_object(&json, NULL);
		if (at < 0)
			rvd_json_add_text(&json, "key",
							  psprintf("%016llx",
									   (unsigned long long) plan->memo.key[i]));
		else
		{
			rvd_json_begin_array(&json, "relations");
			for (int j = 0; j < rows[at].n_relations; j++)
				rvd_json_element_text(&json,
									  rvd_sql_relation_name(rows[at].relations[j]));
			rvd_json_end_array(&json);
			rvd_json_add_text(&json, "clauses", rows[at].clauses);
		}
		rvd_json_add_float(&json, "rows", plan->memo.rows[i]);
		rvd_json_end_object(&json);
	}
	rvd_json_end_array(&json);
	return JsonbPGetDatum(rvd_json_end(&json));
}
