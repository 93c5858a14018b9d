/*-------------------------------------------------------------------------
 *
 * account.c
 *	  The steering account and the counters of a database, kept in the one
 *	  row of ruvector.dag_account.
 *
 * A restart must not forget what trials have cost, or the promise about
 * regret would hold per start only.  What was loaded is added to the atomics
 * in the slot, once per life of the slot, so that nothing counted meanwhile
 * is lost.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "learner.h"

static const struct
{
	const char *column;
	Size		offset;
}			figures[] = {
	{"executed_us", offsetof(RvdDatabase, executed_us)},
	{"regret_us", offsetof(RvdDatabase, regret_us)},
	{"saved_us", offsetof(RvdDatabase, saved_us)},
	{"observed_us", offsetof(RvdDatabase, observed_us)},
	{"queries", offsetof(RvdDatabase, queries)},
	{"steered", offsetof(RvdDatabase, steered)},
	{"trials", offsetof(RvdDatabase, trials)},
	{"trials_won", offsetof(RvdDatabase, trials_won)},
	{"trials_abandoned", offsetof(RvdDatabase, trials_abandoned)},
	{"trajectories", offsetof(RvdDatabase, trajectories)}
};

#define N_FIGURES	lengthof(figures)

static int64 last_saved[N_FIGURES];
static int64 being_saved[N_FIGURES];
static SPIPlanPtr save_plan = NULL;

static pg_atomic_uint64 *
figure(RvdLearner *learner, int i)
{
	return (pg_atomic_uint64 *) ((char *) learner->db + figures[i].offset);
}

static void
append_names(StringInfo sql)
{
	for (int i = 0; i < N_FIGURES; i++)
		appendStringInfo(sql, "%s%s", i > 0 ? ", " : "", figures[i].column);
}

/* Of several rows, of which only an edited table can have any, the first. */
static bool
read_row(int64 *values)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	append_names(&sql);
	appendStringInfoString(&sql, " FROM ruvector.dag_account");
	if (SPI_execute(sql.data, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read ruvector.dag_account");
	if (SPI_processed == 0)
		return false;
	for (int i = 0; i < N_FIGURES; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0],
										  SPI_tuptable->tupdesc, i + 1,
										  &isnull);

		if (SPI_gettypeid(SPI_tuptable->tupdesc, i + 1) != INT8OID || isnull)
			return false;
		values[i] = DatumGetInt64(value);
	}
	return true;
}

void
rvd_account_load(RvdLearner *learner)
{
	int64		values[N_FIGURES];

	if (learner->db->account_loaded)
		return;
	if (read_row(values))
		for (int i = 0; i < N_FIGURES; i++)
		{
			pg_atomic_fetch_add_u64(figure(learner, i), values[i]);
			last_saved[i] = values[i];
		}
	LWLockAcquire(rvd_control_lock(), LW_EXCLUSIVE);
	learner->db->account_loaded = true;
	LWLockRelease(rvd_control_lock());
}

bool
rvd_account_changed(RvdLearner *learner)
{
	for (int i = 0; i < N_FIGURES; i++)
		if ((int64) pg_atomic_read_u64(figure(learner, i)) != last_saved[i])
			return true;
	return false;
}

void
rvd_account_save(RvdLearner *learner)
{
	Oid			types[N_FIGURES];
	Datum		values[N_FIGURES];
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "INSERT INTO ruvector.dag_account (");
	append_names(&sql);
	appendStringInfoString(&sql, ") VALUES (");
	for (int i = 0; i < N_FIGURES; i++)
	{
		appendStringInfo(&sql, "%s$%d", i > 0 ? ", " : "", i + 1);
		types[i] = INT8OID;
		being_saved[i] = pg_atomic_read_u64(figure(learner, i));
		values[i] = Int64GetDatum(being_saved[i]);
	}
	appendStringInfoString(&sql, ") ON CONFLICT (only_row) DO UPDATE SET ");
	for (int i = 0; i < N_FIGURES; i++)
		appendStringInfo(&sql, "%s%s = EXCLUDED.%s", i > 0 ? ", " : "",
						 figures[i].column, figures[i].column);
	rvd_learner_prepare(&save_plan, sql.data, N_FIGURES, types);
	if (SPI_execute_plan(save_plan, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write to ruvector.dag_account");
}

void
rvd_account_saved(RvdLearner *learner)
{
	memcpy(last_saved, being_saved, sizeof(last_saved));
}
