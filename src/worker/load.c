/*-------------------------------------------------------------------------
 *
 * load.c
 *	  From the tables of schema ruvector into shared memory.
 *
 * Rows are read through a cursor in order of rising value, so that where a
 * set of a shared table overflows the most valuable ones stay.  A row that
 * does not decode is skipped and counted; it can harm nobody.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "learner.h"

#define FETCH_ROWS	200

static char *
select_statement(const RvdEntity *entity)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 0; i < entity->n_columns; i++)
		appendStringInfo(&sql, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(entity->columns[i].name));
	appendStringInfo(&sql, " FROM ruvector.%s ORDER BY value NULLS FIRST",
					 entity->relation);
	return sql.data;
}

/* The columns must have the types we write; an altered table is refused. */
static void
check_types(const RvdEntity *entity, TupleDesc desc)
{
	for (int i = 0; i < entity->n_columns; i++)
		if (SPI_gettypeid(desc, i + 1) != rvd_column_type(&entity->columns[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of table \"ruvector.%s\" has an unexpected type",
							entity->columns[i].name, entity->relation),
					 errhint("Drop and create the extension \"ruvector_dag\" again.")));
}

static bool
decode_row(const RvdEntity *entity, HeapTuple tuple, TupleDesc desc,
		   char *entry)
{
	for (int i = 0; i < entity->n_columns; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(tuple, desc, i + 1, &isnull);

		if (!rvd_column_decode(entity->columns, i, value, isnull, entry))
			return false;
	}
	return entity->valid(entry);
}

/* Put what was read into the shared table. */
static void
apply(RvdLearner *learner, const RvdEntity *entity, const char *entry,
	  bool refresh)
{
	RvdTable   *table = rvd_table(entity->table);
	RvdKey		key = {entity->key(entry), learner->database};
	RvdEntry   *e;
	bool		found;

	e = rvd_table_enter(table, key, learner->database, &found, true);
	if (!found || (refresh && !e->dirty))
	{
		memcpy((char *) e + sizeof(RvdEntry), entry + sizeof(RvdEntry),
			   rvd_table_entry_size(table) - sizeof(RvdEntry));
		e->value = ((const RvdEntry *) entry)->value;
		e->dirty = false;
	}
	rvd_table_release(table, key);
}

/* Apply the rows SPI just fetched; returns how many were damaged. */
static int
apply_batch(RvdLearner *learner, const RvdEntity *entity, char *entry,
			bool refresh)
{
	int			damaged = 0;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		memset(entry, 0, rvd_table_entry_size(rvd_table(entity->table)));
		if (decode_row(entity, SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
					   entry))
			apply(learner, entity, entry, refresh);
		else
			damaged++;
		CHECK_FOR_INTERRUPTS();
	}
	return damaged;
}

static void
load_entity(RvdLearner *learner, const RvdEntity *entity, bool refresh)
{
	char	   *entry = palloc0(rvd_table_entry_size(rvd_table(entity->table)));
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "ruvector_dag load",
													  ALLOCSET_DEFAULT_SIZES);
	SPIPlanPtr	plan = SPI_prepare(select_statement(entity), 0, NULL);
	Portal		portal;
	int64		damaged = 0;

	if (plan == NULL)
		elog(ERROR, "could not prepare reading ruvector.%s", entity->relation);
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	for (;;)
	{
		MemoryContext old;

		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		check_types(entity, SPI_tuptable->tupdesc);
		old = MemoryContextSwitchTo(row_context);
		damaged += apply_batch(learner, entity, entry, refresh);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	MemoryContextDelete(row_context);
	if (damaged > 0 && !refresh)
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("ruvector_dag skipped " INT64_FORMAT " damaged rows of table \"ruvector.%s\"",
						damaged, entity->relation),
				 errhint("What they held will be learned again.")));
}

/* What the arms did in the database, from what they did in its classes. */
static void
recall_arms(RvdLearner *learner)
{
	RvdTable   *table = rvd_table(RVD_CLASSES);
	Size		size = rvd_table_entry_size(table);
	int			n;
	char	   *classes = rvd_table_copy(table, learner->database, false, &n);
	RvdArmRecord sum[RVD_ARMS];

	memset(sum, 0, sizeof(sum));
	for (int i = 0; i < n; i++)
	{
		const RvdClass *c = (const RvdClass *) (classes + i * size);

		for (int arm = 0; arm < RVD_ARMS; arm++)
			if (c->arms[arm].n > 0)
				rvd_arm_record_add(&sum[arm], c->arms[arm].mean, false);
	}
	memcpy(learner->db->arms, sum, sizeof(sum));
	pfree(classes);
}

void
rvd_learner_load(RvdLearner *learner, bool refresh)
{
	for (int i = 0; i < RVD_NUM_PERSISTED; i++)
		load_entity(learner, &rvd_entities[i], refresh);
	if (!refresh)
		recall_arms(learner);
	rvd_account_load(learner);
	rvd_attention_load(learner, refresh);
	rvd_recall_restore(learner);
}
