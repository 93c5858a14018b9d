/*-------------------------------------------------------------------------
 *
 * cycle.c
 *	  One learning cycle: everything drained and persisted, and an account of
 *	  what is known by then.
 *
 * Runs every ruvector.dag_background_interval_ms and when somebody asks, by
 * raising cycle_wanted and waking the learner; cycle_done follows it when the
 * answer is in the slot.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "learner.h"

/* Patterns, so far, are the plans that proved themselves. */
static int64
count_patterns(RvdLearner *learner)
{
	MemoryContext old = MemoryContextSwitchTo(learner->scratch);
	int64		patterns = 0;
	int			n;
	char	   *plans = rvd_table_copy(rvd_table(RVD_PLANS),
									   learner->database, false, &n);
	Size		size = rvd_table_entry_size(rvd_table(RVD_PLANS));

	for (int i = 0; i < n; i++)
		if (((RvdPlan *) (plans + i * size))->role == RVD_PLAN_PROVEN)
			patterns++;
	MemoryContextSwitchTo(old);
	MemoryContextReset(learner->scratch);
	return patterns;
}

/* A table locked by somebody else is tried this often, this far apart. */
#define ATTEMPTS		20
#define ATTEMPT_MS		100

/*
 * Everything there was must have reached the tables, or the cycle failed:
 * who asked for it relies on that.  On a standby there is nothing to write.
 */
static bool
write_everything(RvdLearner *learner)
{
	for (int i = 0; i < ATTEMPTS && !ShutdownRequestPending; i++)
	{
		bool		ok;

		learner->deferred = false;
		ok = rvd_learner_drain(learner);
		ok = rvd_learner_persist(learner) && ok;
		if (!learner->deferred || !ok)
			return ok && !learner->leave;
		(void) WaitLatch(MyLatch, WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 ATTEMPT_MS, PG_WAIT_EXTENSION);
		CHECK_FOR_INTERRUPTS();
	}
	return false;
}

static void
answer(RvdLearner *learner, uint32 wanted, bool ok, double ms)
{
	RvdDatabase *db = learner->db;
	int64		drained = pg_atomic_read_u64(&db->trajectories);
	int64		patterns = ok ? count_patterns(learner) : 0;

	LWLockAcquire(rvd_control_lock(), LW_EXCLUSIVE);
	db->cycle_failed = !ok;
	db->cycle_ms = ms;
	db->cycle_trajectories = drained - learner->at_last_cycle;
	db->cycle_patterns = patterns;
	db->last_cycle = GetCurrentTimestamp();
	db->cycles++;
	LWLockRelease(rvd_control_lock());
	if (ok)
		learner->at_last_cycle = drained;
	pg_write_barrier();
	pg_atomic_write_u32(&db->cycle_done, wanted);
}

bool
rvd_learner_cycle(void *arg)
{
	RvdLearner *learner = arg;
	uint32		wanted = pg_atomic_read_u32(&learner->db->cycle_wanted);
	instr_time	start;
	instr_time	end;
	bool		ok;

	INSTR_TIME_SET_CURRENT(start);
	PG_TRY();
	{
		ok = write_everything(learner);
	}
	PG_CATCH();
	{
		INSTR_TIME_SET_CURRENT(end);
		INSTR_TIME_SUBTRACT(end, start);
		answer(learner, wanted, false, INSTR_TIME_GET_MILLISEC(end));
		PG_RE_THROW();
	}
	PG_END_TRY();
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	answer(learner, wanted, ok, INSTR_TIME_GET_MILLISEC(end));
	return ok;
}
