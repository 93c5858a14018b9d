/*-------------------------------------------------------------------------
 *
 * learn_account.c
 *	  The account of steering, and what instruments may cost.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "ruvector_dag/decision.h"
#include "ruvector_dag/neural.h"
#include "ruvector_dag/settings.h"

/*
 * Share of its time that counting rows costs an execution, at the most; and
 * that clocks at every node do.
 */
#define COUNTING_COST		0.10
#define TIMING_COST			0.40

/* Of the overhead limit, the part that goes into clocks. */
#define TIMING_PART			0.5

/*
 * A plan is timed once in so many runs, and no more often than that in all:
 * short statements, whose clocks the account can always pay for, would
 * otherwise be slowed down several times in a row.
 */
#define TIMED_EVERY			20
#define TIMED_RUNS			4

/* First executions of a plan that count rows whatever the account says. */
#define FREE_COUNTS			1

static void
add_us(pg_atomic_uint64 *counter, double ms)
{
	if (ms > 0)
		pg_atomic_fetch_add_u64(counter, (int64) (ms * 1000.0));
}

/* Saved (or, negative, lost) against the expected baseline time. */
double
rvd_learn_account(const RvdRun *run)
{
	const RvdTag *tag = run->tag;
	RvdDatabase *db = rvd_my_database();
	double		expected = tag->baseline_ms > 0 ? tag->baseline_ms : run->ms;
	double		saved = 0;

	if (db == NULL)
		return 0;
	pg_atomic_fetch_add_u64(&db->queries, 1);
	/* instruments cost as much where the run fails */
	if (run->counted_rows)
		add_us(&db->observed_us, run->ms);
	if (run->timed)
		add_us(&db->timed_us, run->ms);
	if (run->outcome != RVD_RUN_COMPLETE)
		return 0;
	if (tag->role == RVD_PLAN_BASELINE)
		add_us(&db->executed_us, run->ms);
	else
	{
		/* clocks are no fault of the plan's */
		saved = run->timed ? 0 : expected - run->ms;
		pg_atomic_fetch_add_u64(&db->steered, 1);
		add_us(&db->executed_us, expected);
		add_us(saved > 0 ? &db->saved_us : &db->regret_us, fabs(saved));
	}
	if (run->trial)
	{
		pg_atomic_fetch_add_u64(&db->trials, 1);
		pg_atomic_fetch_add_u64(&db->trials_won, 1);
	}
	return saved;
}

/*
 * Clocks slow a run down by a good part, so what it took does not count
 * among the others': only where an expectation exists already, and within
 * the limit on overhead.
 */
bool
rvd_learn_want_times(const RvdTag *tag)
{
	RvdDatabase *db = rvd_my_database();
	RvdKey		key = {rvd_plan_key(tag->queryid, tag->instance,
									tag->fingerprint), MyDatabaseId};
	RvdPlan    *plan;
	uint32		timed = 0;
	uint32		runs = 0;
	double		cost;

	if (db == NULL || !tag->measured || !(tag->baseline_ms > 0) ||
		tag->n_candidates > 0 ||
		rvd_my_neural() == NULL || !rvd_part_on(RVD_PART_ATTENTION))
		return false;
	plan = rvd_table_find(rvd_table(RVD_PLANS), key, false, false);
	if (plan != NULL)
	{
		timed = plan->timed;
		runs = plan->latency.n;
		rvd_table_release(rvd_table(RVD_PLANS), key);
	}
	cost = (pg_atomic_read_u64(&db->timed_us) + tag->baseline_ms * 1000.0) *
		TIMING_COST;
	return timed < TIMED_RUNS && runs >= timed * TIMED_EVERY &&
		cost <= rvd_dag_overhead_limit * TIMING_PART *
		pg_atomic_read_u64(&db->executed_us);
}

bool
rvd_learn_want_rows(const RvdTag *tag)
{
	RvdDatabase *db = rvd_my_database();
	RvdKey		key = {rvd_plan_key(tag->queryid, tag->instance,
									tag->fingerprint), MyDatabaseId};
	RvdPlan    *plan;
	uint32		observed = 0;
	double		cost;

	if (db == NULL)
		return false;
	plan = rvd_table_find(rvd_table(RVD_PLANS), key, false, false);
	if (plan != NULL)
	{
		observed = plan->observed;
		rvd_table_release(rvd_table(RVD_PLANS), key);
	}
	if (observed < FREE_COUNTS && !tag->pooled)
		return true;
	cost = pg_atomic_read_u64(&db->observed_us) * COUNTING_COST;
	return cost <= rvd_dag_overhead_limit *
		pg_atomic_read_u64(&db->executed_us);
}
