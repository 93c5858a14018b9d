/*-------------------------------------------------------------------------
 *
 * cycle_read.c
 *	  What a cycle learns from, out of ruvector.dag_trajectories.
 *
 * The model learns from complete runs of any plan: those it has not seen yet,
 * newest first if there are too many, and as many of the older ones again,
 * chosen by a hash of their number and the cycle's, so that it does not
 * forget.  Patterns come from runs of stock plans that were not slow for what
 * they are, one member per plan and instance, out of the whole history: what
 * is known of an instance often came after its runs were read for the first
 * time.
 *
 * Everything is copied into the cycle's context; a row that does not hold
 * what we write is passed over.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "ruvector_dag/settings.h"
#include "ruvector_dag/vec.h"
#include "cycle.h"
#include "spi_column.h"

#define MAX_NEW			2000
#define MAX_MEMBERS		4000

/* How far back anything is looked for, by number. */
#define MAX_HISTORY		200000

/* A run without an expectation is as good as expected. */
#define UNKNOWN_QUALITY	"0.5"

#define USABLE	"outcome = 0 AND embedding IS NOT NULL"
#define COLUMNS "id, execution_ms, total_cost, embedding_key, embedding, " \
	"plan_features, targets"
#define HISTORY "FROM ruvector.dag_trajectories WHERE " USABLE

/* Ascending by number: the order in which they happened. */
static const char *const new_statement =
	"SELECT " COLUMNS " FROM (SELECT " COLUMNS " " HISTORY
	" AND id > $1 ORDER BY id DESC LIMIT $2) AS x ORDER BY id";

static const char *const replay_statement =
	"SELECT " COLUMNS " FROM ruvector.dag_trajectories WHERE id IN"
	" (SELECT id " HISTORY " AND id <= $1 AND id > $1 - $4"
	" ORDER BY pg_catalog.hashint8extended(id, $3), id LIMIT $2)"
	" ORDER BY id";

static const char *const member_statement =
	"WITH g AS (SELECT pg_catalog.max(id) AS id, pg_catalog.count(*) AS runs,"
	" pg_catalog.avg(pg_catalog.ln(greatest(execution_ms, 0.001)::float8)) AS log_ms,"
	" pg_catalog.avg(coalesce(nullif(quality, 'NaN'), " UNKNOWN_QUALITY ")) AS quality,"
	" pg_catalog.avg(nullif(targets[$4], 'NaN')) AS inflate"
	" " HISTORY " AND role = 0"
	" AND coalesce(nullif(quality, 'NaN'), " UNKNOWN_QUALITY ") >= $1"
	" AND id > (SELECT pg_catalog.max(id) FROM ruvector.dag_trajectories) - $3"
	" GROUP BY queryid, instance, plan_id ORDER BY 1 DESC LIMIT $2)"
	" SELECT t.queryid, t.instance, g.runs, g.log_ms, g.quality, g.inflate,"
	" t.attention, t.embedding"
	" FROM g JOIN ruvector.dag_trajectories t USING (id) ORDER BY id";

static SPIPlanPtr new_plan = NULL;
static SPIPlanPtr replay_plan = NULL;
static SPIPlanPtr member_plan = NULL;

/* ---- counts ------------------------------------------------------------- */

/* A number out of one row and column; 0 if it is NULL. */
static int64
one_number(SPIPlanPtr *plan, const char *sql, int64 argument)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(argument)};
	int64		number = 0;

	rvd_learner_prepare(plan, sql, 1, types);
	if (SPI_execute_plan(*plan, values, NULL, true, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not count trajectories");
	(void) rvd_spi_int(0, 1, &number);
	return number;
}

void
rvd_cycle_count(RvdLearningCycle *c)
{
	static SPIPlanPtr last_plan = NULL;
	static SPIPlanPtr new_count_plan = NULL;
	static SPIPlanPtr all_count_plan = NULL;
	int64		last = one_number(&last_plan,
								  "SELECT pg_catalog.max(id)"
								  " FROM ruvector.dag_trajectories"
								  " WHERE id > $1", 0);

	if (last > 0 && last < c->state->last_id)
		c->state->last_id = 0;	/* numbering has begun anew */
	c->report.waiting = one_number(&new_count_plan,
								   "SELECT pg_catalog.count(*) " HISTORY
								   " AND id > $1", c->state->last_id);
	if (c->request.extract)
		c->usable = one_number(&all_count_plan,
							   "SELECT pg_catalog.count(*) " HISTORY
							   " AND id > $1", last - MAX_HISTORY);
}

/* ---- samples ------------------------------------------------------------ */

/* False: NULL, or not n finite numbers. */
static bool
vector(uint64 row, int number, int n, float *out)
{
	return rvd_spi_array(row, number, FLOAT4OID, n, out) == n &&
		rvd_vec_all_finite(out, n);
}

/* False: not what we write. */
static bool
read_sample(uint64 row, RvdModelSample *s)
{
	float		embedding[RVD_EMBEDDING_DIM];
	float		features[RVD_PLAN_FEATURES];
	double		ms;
	double		cost;

	if (!rvd_spi_number(row, 2, &ms) || !rvd_spi_number(row, 3, &cost) ||
		!vector(row, 5, RVD_EMBEDDING_DIM, embedding) ||
		!vector(row, 6, RVD_PLAN_FEATURES, features))
		return false;
	rvd_model_input(&s->input, embedding, features, cost);
	s->target[RVD_OUT_LATENCY] = (float) log(Max(ms, 0.001));
	if (rvd_spi_array(row, 7, FLOAT4OID, RVD_TRAJECTORY_TARGETS,
					  s->target + 1) != RVD_TRAJECTORY_TARGETS)
		for (int i = 1; i < RVD_MODEL_OUT; i++)
			s->target[i] = NAN;
	/* where times by operator are known, clocks made the run slower */
	for (int i = 0; i < RVD_COST_CLASSES; i++)
		if (!isnan(s->target[RVD_OUT_COST + i]))
			s->target[RVD_OUT_LATENCY] = NAN;
	return true;
}

static void
read_new(RvdLearningCycle *c)
{
	Oid			types[2] = {INT8OID, INT8OID};
	Datum		values[2] = {
		Int64GetDatum(c->state->last_id), Int64GetDatum(MAX_NEW)
	};

	rvd_learner_prepare(&new_plan, new_statement, 2, types);
	if (SPI_execute_plan(new_plan, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read new trajectories");
	c->samples = MemoryContextAlloc(c->context, sizeof(RvdModelSample) *
									(2 * SPI_processed + 1));
	c->keys = MemoryContextAlloc(c->context,
								 sizeof(uint64) * (SPI_processed + 1));
	c->newest_id = c->state->last_id;
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		int64		key = 0;

		(void) rvd_spi_int(row, 1, &c->newest_id);
		(void) rvd_spi_int(row, 4, &key);
		if (!read_sample(row, &c->samples[c->n_new]))
			continue;
		c->keys[c->n_new++] = (uint64) key;
	}
	c->n_samples = c->n_new;
}

static void
read_replay(RvdLearningCycle *c)
{
	Oid			types[4] = {INT8OID, INT8OID, INT8OID, INT8OID};
	Datum		values[4] = {
		Int64GetDatum(c->state->last_id), Int64GetDatum(c->n_new),
		Int64GetDatum((int64) c->state->cycle), Int64GetDatum(MAX_HISTORY)
	};

	rvd_learner_prepare(&replay_plan, replay_statement, 4, types);
	if (SPI_execute_plan(replay_plan, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read trajectories again");
	for (uint64 row = 0; row < SPI_processed; row++)
		if (read_sample(row, &c->samples[c->n_samples]))
			c->n_samples++;
	c->report.replayed = c->n_samples - c->n_new;
}

void
rvd_cycle_read_samples(RvdLearningCycle *c)
{
	read_new(c);
	read_replay(c);
	c->report.trajectories = c->n_new;
}

/* ---- members ------------------------------------------------------------ */

static bool
read_member(uint64 row, RvdPatternMember *m, float *point)
{
	int64		instance;
	int64		runs;
	int64		attention = 0;

	memset(m, 0, sizeof(*m));
	m->inflate = NAN;
	(void) rvd_spi_real(row, 6, &m->inflate);
	(void) rvd_spi_int(row, 7, &attention);
	if (!rvd_spi_int(row, 1, &m->queryid) || !rvd_spi_int(row, 2, &instance) ||
		!rvd_spi_int(row, 3, &runs) || !rvd_spi_real(row, 4, &m->log_ms) ||
		!rvd_spi_real(row, 5, &m->quality) ||
		!vector(row, 8, RVD_EMBEDDING_DIM, point))
		return false;
	m->instance = rvd_instance_key(m->queryid, (uint64) instance);
	m->runs = (uint32) Min(runs, PG_INT32_MAX);
	m->attention = (int16) attention;
	return rvd_vec_normalize(point, RVD_EMBEDDING_DIM);
}

void
rvd_cycle_read_members(RvdLearningCycle *c)
{
	Oid			types[4] = {FLOAT8OID, INT8OID, INT8OID, INT4OID};
	Datum		values[4] = {
		Float8GetDatum(rvd_dag_quality_threshold), Int64GetDatum(MAX_MEMBERS),
		Int64GetDatum(MAX_HISTORY),
		Int32GetDatum(RVD_OUT_ROWS_JOIN)	/* arrays of SQL begin at 1 */
	};

	rvd_learner_prepare(&member_plan, member_statement, 4, types);
	if (SPI_execute_plan(member_plan, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read stock plans");
	c->members = MemoryContextAlloc(c->context, sizeof(RvdPatternMember) *
									(SPI_processed + 1));
	c->points = MemoryContextAlloc(c->context, sizeof(float) *
								   RVD_EMBEDDING_DIM * (SPI_processed + 1));
	for (uint64 row = 0; row < SPI_processed; row++)
		if (read_member(row, &c->members[c->n_members],
						c->points + c->n_members * RVD_EMBEDDING_DIM))
			c->n_members++;
}
