/*-------------------------------------------------------------------------
 *
 * persist.c
 *	  From shared memory into the tables of schema ruvector.
 *
 * Only entries changed since they were last written are copied (which clears
 * their flags) and upserted, all in one transaction; if that fails they are
 * marked again, and the next attempt writes them as they are then.  Nothing
 * is written, and no transaction begun, while nothing is dirty.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "learner.h"

/* Beyond what memory can hold, a table keeps this share more, in percent. */
#define KEEP_PERCENT	125

typedef struct Batch
{
	char	   *entries;
	int			n;
} Batch;

static SPIPlanPtr upserts[RVD_NUM_PERSISTED];

static void
append_columns(StringInfo sql, const RvdEntity *entity, bool only_keys)
{
	bool		first = true;

	for (int i = 0; i < entity->n_columns; i++)
	{
		if (only_keys && !entity->columns[i].key)
			continue;
		appendStringInfo(sql, "%s%s", first ? "" : ", ",
						 quote_identifier(entity->columns[i].name));
		first = false;
	}
}

static char *
upsert_statement(const RvdEntity *entity)
{
	StringInfoData sql;
	bool		first = true;

	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO ruvector.%s (", entity->relation);
	append_columns(&sql, entity, false);
	appendStringInfoString(&sql, ") VALUES (");
	for (int i = 0; i < entity->n_columns; i++)
		appendStringInfo(&sql, "%s$%d", i > 0 ? ", " : "", i + 1);
	appendStringInfoString(&sql, ") ON CONFLICT (");
	append_columns(&sql, entity, true);
	appendStringInfoString(&sql, ") DO UPDATE SET ");
	for (int i = 0; i < entity->n_columns; i++)
	{
		const char *name = quote_identifier(entity->columns[i].name);

		if (entity->columns[i].key)
			continue;
		appendStringInfo(&sql, "%s%s = EXCLUDED.%s", first ? "" : ", ",
						 name, name);
		first = false;
	}
	return sql.data;
}

static SPIPlanPtr
upsert_plan(const RvdEntity *entity)
{
	Oid			types[RVD_MAX_COLUMNS];

	if (upserts[entity->table] != NULL)
		return upserts[entity->table];
	Assert(entity->n_columns <= RVD_MAX_COLUMNS);
	for (int i = 0; i < entity->n_columns; i++)
		types[i] = rvd_column_type(&entity->columns[i]);
	return rvd_learner_prepare(&upserts[entity->table],
							   upsert_statement(entity),
							   entity->n_columns, types);
}

static void
write_entry(const RvdEntity *entity, SPIPlanPtr plan, const char *entry)
{
	Datum		values[RVD_MAX_COLUMNS];
	char		nulls[RVD_MAX_COLUMNS];

	for (int i = 0; i < entity->n_columns; i++)
	{
		bool		isnull;

		values[i] = rvd_column_encode(&entity->columns[i], entry, &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write to ruvector.%s", entity->relation);
}

static void
write_batch(const RvdEntity *entity, const Batch *batch)
{
	Size		size = rvd_table_entry_size(rvd_table(entity->table));
	SPIPlanPtr	plan = upsert_plan(entity);
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "ruvector_dag persist",
													  ALLOCSET_DEFAULT_SIZES);

	for (int i = 0; i < batch->n; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		write_entry(entity, plan, batch->entries + i * size);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextDelete(row_context);
}

/*
 * Memory forgets by eviction, tables by this: rows beyond what a table of
 * shared memory can hold go, least valuable first.  Evicted entries of high
 * value come back at the next start.
 */
static void
trim(const RvdEntity *entity)
{
	RvdTableUsage usage;
	StringInfoData sql;

	rvd_table_usage(rvd_table(entity->table), &usage);
	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "DELETE FROM ruvector.%s WHERE ctid IN"
					 " (SELECT ctid FROM ruvector.%s"
					 " ORDER BY value DESC OFFSET " INT64_FORMAT ")",
					 entity->relation, entity->relation,
					 usage.capacity * KEEP_PERCENT / 100);
	if (SPI_execute(sql.data, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not trim ruvector.%s", entity->relation);
}

/* Rows written since a table was last trimmed. */
static int64 written[RVD_NUM_PERSISTED];

static void
write_all(RvdLearner *learner, const Batch *batches)
{
	for (int i = 0; i < RVD_NUM_PERSISTED; i++)
	{
		const RvdEntity *entity = &rvd_entities[i];
		RvdTableUsage usage;

		if (batches[i].n > 0)
			write_batch(entity, &batches[i]);
		rvd_table_usage(rvd_table(i), &usage);
		written[i] += batches[i].n;
		if (written[i] > usage.capacity / 4)
		{
			trim(entity);
			written[i] = 0;
		}
	}
	rvd_account_save(learner);
	rvd_attention_save();
}

static void
mark_again(const Batch *batches)
{
	for (int t = 0; t < RVD_NUM_PERSISTED; t++)
	{
		RvdTable   *table = rvd_table(t);
		Size		size = rvd_table_entry_size(table);

		for (int i = 0; i < batches[t].n; i++)
			rvd_table_mark_dirty(table,
								 ((RvdEntry *) (batches[t].entries + i * size))->key);
	}
}

/* Take the dirty entries; they must outlive the transaction. */
static int
collect(RvdLearner *learner, Batch *batches)
{
	MemoryContext old = MemoryContextSwitchTo(learner->scratch);
	int			n = 0;

	for (int i = 0; i < RVD_NUM_PERSISTED; i++)
	{
		batches[i].entries = rvd_table_copy(rvd_table(i), learner->database,
											true, &batches[i].n);
		n += batches[i].n;
	}
	MemoryContextSwitchTo(old);
	return n;
}

static bool
anything_dirty(RvdLearner *learner)
{
	for (int i = 0; i < RVD_NUM_PERSISTED; i++)
		if (rvd_table_any_dirty(rvd_table(i), learner->database))
			return true;
	return rvd_account_changed(learner) || rvd_attention_changed(learner);
}

bool
rvd_learner_persist(void *arg)
{
	RvdLearner *learner = arg;
	Batch		batches[RVD_NUM_PERSISTED] = {{NULL, 0}};

	if (RecoveryInProgress() || !anything_dirty(learner))
		return true;
	if (!rvd_learner_begin_write(learner))
		return true;			/* not now: the next time will do */

	PG_TRY();
	{
		collect(learner, batches);
		rvd_attention_collect(learner);
		write_all(learner, batches);
		rvd_learner_commit();
	}
	PG_CATCH();
	{
		mark_again(batches);
		rvd_attention_not_saved(learner);
		PG_RE_THROW();
	}
	PG_END_TRY();
	rvd_account_saved(learner);
	rvd_recall_tidy(learner);
	learner->db->last_persist = GetCurrentTimestamp();
	return true;
}
