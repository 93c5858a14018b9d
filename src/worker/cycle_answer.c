/*-------------------------------------------------------------------------
 *
 * cycle_answer.c
 *	  What was asked of the learner, and the answer, in the database's slot.
 *
 * The answer is complete before cycle_done says so.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "cycle.h"

uint32
rvd_cycle_take_request(RvdLearningCycle *c)
{
	RvdDatabase *db = c->learner->db;
	uint32		wanted;

	LWLockAcquire(rvd_control_lock(), LW_SHARED);
	wanted = pg_atomic_read_u32(&db->cycle_wanted);
	if (wanted != pg_atomic_read_u32(&db->cycle_done) &&
		db->request.number == wanted && !db->request.answered)
		c->request = db->request;
	LWLockRelease(rvd_control_lock());
	return wanted;
}

static void
answer_request(RvdLearningCycle *c, RvdCycleRequest *request, bool ok)
{
	if (c->request.number == 0 || request->number != c->request.number)
		return;
	request->failed = !ok;
	request->skipped = request->extract && !c->extracts;
	request->waiting = c->report.waiting;
	request->usable = c->usable;
	request->patterns = c->report.patterns;
	request->merged = c->report.merged;
	request->answered_at = GetCurrentTimestamp();
	request->answered = true;
}

void
rvd_cycle_answer(RvdLearningCycle *c, uint32 wanted, bool ok, double ms)
{
	RvdLearner *learner = c->learner;
	RvdDatabase *db = learner->db;
	int64		drained = pg_atomic_read_u64(&db->trajectories);

	LWLockAcquire(rvd_control_lock(), LW_EXCLUSIVE);
	db->cycle_failed = !ok;
	db->cycle_ms = ms;
	db->cycle_trajectories = drained - learner->at_last_cycle;
	db->cycle_patterns = ok ? c->report.patterns : 0;
	db->last_cycle = GetCurrentTimestamp();
	db->cycles++;
	answer_request(c, &db->request, ok);
	LWLockRelease(rvd_control_lock());
	if (ok)
		learner->at_last_cycle = drained;
	if (ok && c->trains)
		rvd_operation_add(RVD_TIME_CYCLE, ms * 1000.0);
	pg_write_barrier();
	pg_atomic_write_u32(&db->cycle_done, wanted);
}
