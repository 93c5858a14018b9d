/*-------------------------------------------------------------------------
 *
 * reset.c
 *	  ruvector_dag_reset: forget.  Layer 7.
 *
 * Order matters.  The tables are locked against the learner first: it
 * collects what is dirty only while it holds its own locks on them, so from
 * then on nothing that is deleted here can be written back.  Then memory is
 * cleared, then the rows are deleted.
 *
 * Memory does not roll back: when the transaction is undone the rows are
 * still there, and the learner loads them again when it next starts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/neural.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_reset);

/* What to forget; what is kept is decided before anything is removed. */
typedef struct ResetScope
{
	List	   *family;			/* NIL: everything */
	RvdKnowledge k;				/* of the table, or of all */
	HTAB	   *kept;			/* what is proven and kept, by hash: classes,
								 * instances, memories */
	int64		removed[RVD_NUM_TABLES];	/* from memory */
} ResetScope;

/* ---- memory ------------------------------------------------------------ */

/* A class in the set of what is kept, apart from any of its instances. */
static uint64
rvd_reset_class_hash(int64 queryid)
{
	return rvd_hash_mix(~(uint64) queryid);
}

static void
rvd_reset_note_kept(ResetScope *scope, bool keep_patterns)
{
	HASHCTL		ctl;

	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(uint64);
	ctl.entrysize = sizeof(uint64);
	ctl.hcxt = CurrentMemoryContext;
	scope->kept = hash_create("ruvector_dag kept by reset", 64, &ctl,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (int i = 0; keep_patterns && i < scope->k.n_plans; i++)
	{
		RvdPlan    *plan = &scope->k.plans[i];
		uint64		instance = rvd_instance_key(plan->queryid, plan->instance);
		uint64		class = rvd_reset_class_hash(plan->queryid);
		uint64		memory = rvd_memory_id(RVD_MEMORY_PROVEN, plan->queryid,
										   plan->fingerprint);

		if (plan->role != RVD_PLAN_PROVEN)
			continue;
		(void) hash_search(scope->kept, &instance, HASH_ENTER, NULL);
		(void) hash_search(scope->kept, &class, HASH_ENTER, NULL);
		(void) hash_search(scope->kept, &memory, HASH_ENTER, NULL);
	}
}

static bool
rvd_reset_keeps(const ResetScope *scope, uint64 hash)
{
	return hash_search(scope->kept, &hash, HASH_FIND, NULL) != NULL;
}

/* Delete the original of a copy, if it is still there. */
static void
rvd_reset_remove(ResetScope *scope, RvdTableId id, const RvdEntry *copy)
{
	RvdTable   *table = rvd_table(id);
	void	   *entry = rvd_table_find(table, copy->key, true, true);

	if (entry == NULL)
		return;
	rvd_table_delete(table, entry);
	scope->removed[id]++;
}

static void
rvd_reset_memory(ResetScope *scope)
{
	RvdRows    *rows;
	int			n_rows;

	for (int i = 0; i < scope->k.n_plans; i++)
	{
		RvdPlan    *plan = &scope->k.plans[i];

		/* an instance that is kept needs its baseline's plan as well */
		if (!rvd_reset_keeps(scope, rvd_instance_key(plan->queryid,
													 plan->instance)) ||
			(plan->role != RVD_PLAN_PROVEN &&
			 plan->role != RVD_PLAN_BASELINE))
			rvd_reset_remove(scope, RVD_PLANS, &plan->head);
	}
	for (int i = 0; i < scope->k.n_instances; i++)
	{
		RvdInstance *instance = &scope->k.instances[i];

		if (!rvd_reset_keeps(scope, rvd_instance_key(instance->queryid,
													 instance->instance)))
			rvd_reset_remove(scope, RVD_INSTANCES, &instance->head);
	}
	for (int i = 0; i < scope->k.n_classes; i++)
	{
		RvdClass   *class = &scope->k.classes[i];

		if (!rvd_reset_keeps(scope, rvd_reset_class_hash(class->head.key.a)))
			rvd_reset_remove(scope, RVD_CLASSES, &class->head);
	}
	rows = rvd_knowledge_rows(&n_rows);
	for (int i = 0; i < n_rows; i++)
	{
		if (scope->family == NIL ||
			rvd_sql_touches(rows[i].relations, rows[i].n_relations,
							scope->family))
			rvd_reset_remove(scope, RVD_ROWS, &rows[i].head);
	}
}

/* Memories: the entry, and what leads to it. */
static void
rvd_reset_memories(ResetScope *scope)
{
	RvdNeural  *neural = rvd_my_neural();
	int			n;
	RvdMemory  *memories = (RvdMemory *) rvd_table_copy(rvd_table(RVD_MEMORIES),
														MyDatabaseId, false,
														&n);

	for (int i = 0; i < n; i++)
	{
		RvdMemory  *m = &memories[i];

		if (rvd_reset_keeps(scope, m->head.key.a) ||
			(scope->family != NIL &&
			 rvd_knowledge_class(&scope->k, m->queryid) == NULL))
			continue;
		rvd_reset_remove(scope, RVD_MEMORIES, &m->head);
		if (neural == NULL)
			continue;
		(void) rvd_btsp_forget(rvd_btsp_lock(neural, true, true),
							   m->head.key.a);
		rvd_btsp_release(neural);
	}
}

/* Patterns of plans on the table, or all. */
static void
rvd_reset_patterns(ResetScope *scope, RvdNeural *neural)
{
	RvdSnapshot *s = rvd_snapshot_lock(neural, true, true);
	int			kept = 0;

	for (int i = 0; i < s->bank.n; i++)
	{
		RvdPattern *p = &s->bank.pattern[i];

		if (scope->family != NIL &&
			!rvd_sql_touches(p->relations, p->n_relations, scope->family))
			s->bank.pattern[kept++] = *p;
	}
	s->bank.n = kept;
	s->published_at = GetCurrentTimestamp();	/* a cycle under way is void */
	rvd_snapshot_release(neural);
}

/* The model, and what is known of all kernels, go only with everything. */
static void
rvd_reset_neural(ResetScope *scope, bool keep_patterns)
{
	RvdNeural  *neural = rvd_my_neural();

	rvd_reset_memories(scope);
	if (neural != NULL && !keep_patterns)
		rvd_reset_patterns(scope, neural);
	if (scope->family != NIL)
		return;
	if (neural != NULL)
		rvd_neural_forget(neural, MyDatabaseId, keep_patterns);
	(void) rvd_table_clear(rvd_table(RVD_EMBEDDINGS), MyDatabaseId);
}

/* ---- tables ------------------------------------------------------------ */

/*
 * $1: the table and what inherits from it, NULL for everything; $2: keep what
 * is proven (role 2).  Classes go last: the others are found through them.
 */
#define OF_FAMILY \
	"($1 IS NULL OR x.queryid IN (SELECT c.queryid " \
	"FROM ruvector.dag_classes c WHERE c.relations && $1)) "
#define UNLESS_PROVEN(condition) \
	"AND NOT ($2 AND EXISTS (SELECT 1 FROM ruvector.dag_plans p " \
	"WHERE p.role = 2 AND " condition ")) "
#define SAME_INSTANCE "p.queryid = x.queryid AND p.instance = x.instance"

static const struct
{
	int			id;				/* RvdTableId; -1: not in memory */
	const char *sql;
}			reset_steps[] = {
	{-1, "DELETE FROM ruvector.dag_trajectories x WHERE " OF_FAMILY
	UNLESS_PROVEN("p.queryid = x.queryid")},
	{RVD_ROWS, "DELETE FROM ruvector.dag_row_knowledge x "
	"WHERE ($1 IS NULL OR x.relations && $1) AND $2 IS NOT NULL"},
	{RVD_MEMORIES, "DELETE FROM ruvector.dag_memories x WHERE " OF_FAMILY
	UNLESS_PROVEN("x.kind = 1 AND p.queryid = x.queryid "
				  "AND p.plan_id = x.plan_id")},
	{-1, "DELETE FROM ruvector.dag_patterns x "
	"WHERE ($1 IS NULL OR x.relations && $1) AND NOT $2"},
	{-1, "DELETE FROM ruvector.dag_model "
	"WHERE $1 IS NULL AND $2 IS NOT NULL"},
	{-1, "DELETE FROM ruvector.dag_attention "
	"WHERE $1 IS NULL AND $2 IS NOT NULL"},
	{RVD_INSTANCES, "DELETE FROM ruvector.dag_instances x WHERE " OF_FAMILY
	UNLESS_PROVEN(SAME_INSTANCE)},
	{RVD_PLANS, "DELETE FROM ruvector.dag_plans x WHERE " OF_FAMILY
	UNLESS_PROVEN(SAME_INSTANCE " AND x.role IN (0, 2)")},
	{RVD_CLASSES, "DELETE FROM ruvector.dag_classes x "
		"WHERE ($1 IS NULL OR x.relations && $1) "
	UNLESS_PROVEN("p.queryid = x.queryid")},
};

static Datum
rvd_reset_family_array(const ResetScope *scope)
{
	int			n = 0;
	Datum	   *oids = palloc(sizeof(Datum) * (list_length(scope->family) + 1));
	ListCell   *lc;

	foreach(lc, scope->family)
		oids[n++] = ObjectIdGetDatum(lfirst_oid(lc));
	return PointerGetDatum(construct_array(oids, n, OIDOID, sizeof(Oid), true,
										   TYPALIGN_INT));
}

/* Rows removed by one step: a kind is in memory, in its table, or in both. */
static int64
rvd_reset_step(const ResetScope *scope, int step, Datum family, bool keep)
{
	Oid			types[2] = {OIDARRAYOID, BOOLOID};
	Datum		values[2] = {family, BoolGetDatum(keep)};
	char		nulls[2] = {scope->family == NIL ? 'n' : ' ', ' '};
	int64		deleted;
	int			id = reset_steps[step].id;

	if (SPI_execute_with_args(reset_steps[step].sql, 2, types, values, nulls,
							  false, 0) != SPI_OK_DELETE)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not delete what was learned"),
				 errdetail("The statement is: %s", reset_steps[step].sql)));
	deleted = (int64) SPI_processed;

	/*
	 * The larger of the two is how many there were: only the moments before
	 * the learner writes, and evictions, make them differ.
	 */
	return id < 0 ? deleted : Max(deleted, scope->removed[id]);
}

static void
rvd_reset_lock_tables(void)
{
	if (SPI_execute("LOCK TABLE ruvector.dag_attention, ruvector.dag_classes, "
					"ruvector.dag_instances, ruvector.dag_memories, "
					"ruvector.dag_model, ruvector.dag_patterns, "
					"ruvector.dag_plans, ruvector.dag_row_knowledge, "
					"ruvector.dag_trajectories IN SHARE ROW EXCLUSIVE MODE",
					false, 0) != SPI_OK_UTILITY)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not lock the tables of what was learned")));
}

Datum
ruvector_dag_reset(PG_FUNCTION_ARGS)
{
	ResetScope	scope = {0};
	RvdOwner	saved;
	Oid			tab;
	bool		keep;
	Datum		family;
	int64		removed = 0;

	rvd_require_preload();
	tab = rvd_sql_arg_relation(fcinfo, 0);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"keep_patterns\" must not be null")));
	keep = PG_GETARG_BOOL(1);

	rvd_sql_become_owner(&saved);
	rvd_reset_lock_tables();
	if (OidIsValid(tab))
		scope.family = rvd_sql_relation_family(tab);
	family = rvd_reset_family_array(&scope);
	rvd_knowledge_load(&scope.k, tab);
	rvd_reset_note_kept(&scope, keep);
	rvd_reset_memory(&scope);
	rvd_reset_neural(&scope, keep);
	if (!OidIsValid(tab) && !keep && rvd_my_database() != NULL)
		memset(rvd_my_database()->arms, 0, sizeof(rvd_my_database()->arms));
	for (int i = 0; i < (int) lengthof(reset_steps); i++)
		removed += rvd_reset_step(&scope, i, family, keep);
	rvd_sql_resume_caller(&saved);
	PG_RETURN_INT64(removed);
}
