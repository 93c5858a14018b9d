/*-------------------------------------------------------------------------
 *
 * reflect.c
 *	  After a run: the instant part of the latency model, and memories of
 *	  what surprised.
 *
 * The micro adapter belongs to this process; it takes one step per run and
 * is flushed into the shared model every hundred runs, after a minute, or
 * when the process ends.  It starts from zero again whenever a cycle has
 * published a new model, which has absorbed what was flushed.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"

#include "ruvector_dag/decision.h"
#include "ruvector_dag/look.h"
#include "ruvector_dag/settings.h"

#include "plan_view.h"
#include "reflect.h"

#define FLUSH_RUNS			100
#define FLUSH_MS			60000

/* |ln(time / expected)| beyond which a run is worth a memory. */
#define SURPRISE			0.69	/* ln 2 */

/* A trial stopped before that part of the expected time proves nothing. */
#define ABANDONED_SHARE		1.0

static RvdMicro micro;			/* of this process */
static TimestampTz micro_model; /* when the model it corrects was published */
static TimestampTz micro_since; /* first step not flushed */

const RvdMicro *
rvd_reflect_micro(TimestampTz published_at)
{
	return micro.samples > 0 && micro_model == published_at &&
		rvd_part_on(RVD_PART_MICRO_LORA) ? &micro : NULL;
}

static void
start_micro(const RvdSnapshot *s)
{
	rvd_micro_reset(&micro, rvd_dag_micro_lora_rank,
					(uint64) MyProcPid << 32 | (uint32) s->cycle);
	micro_model = s->published_at;
}

void
rvd_reflect_flush(bool now)
{
	RvdDatabase *db = rvd_my_database();
	RvdNeural  *neural;
	RvdSnapshot *s;

	if (db == NULL || micro.samples == 0 ||
		(!now && micro.samples < FLUSH_RUNS &&
		 !TimestampDifferenceExceeds(micro_since, GetCurrentTimestamp(),
									 FLUSH_MS)))
		return;
	neural = rvd_my_neural();
	s = neural ? rvd_snapshot_lock(neural, true, false) : NULL;
	if (s == NULL)
		return;					/* the next run will do */
	if (s->published_at == micro_model)
		rvd_micro_fold(&s->model.micro, &micro);
	start_micro(s);
	rvd_snapshot_release(neural);
	pg_atomic_fetch_add_u64(&db->micro_flushes, 1);
}

static void
flush_at_exit(int code, Datum arg)
{
	rvd_reflect_flush(true);
}

static void
step_micro(const RvdLook *look, double ms, const float *targets)
{
	static bool registered = false;
	RvdDatabase *db = rvd_my_database();
	RvdNeural  *neural = rvd_my_neural();
	RvdModelSample *sample;
	const RvdSnapshot *s;

	if (db == NULL || neural == NULL || !rvd_part_on(RVD_PART_MICRO_LORA) ||
		!rvd_part_on(RVD_PART_MODEL))
		return;
	if (!registered)
	{
		before_shmem_exit(flush_at_exit, (Datum) 0);
		registered = true;
	}
	sample = palloc(sizeof(RvdModelSample));
	rvd_model_input(&sample->input, look->embedding, look->plan,
					look->total_cost);
	sample->target[0] = (float) log(Max(ms, 0.001));
	memcpy(&sample->target[1], targets, sizeof(float) * RVD_TRAJECTORY_TARGETS);
	s = rvd_snapshot_lock(neural, false, false);
	if (s != NULL)
	{
		if (micro.rank == 0 || s->published_at != micro_model)
			start_micro(s);
		if (micro.samples == 0)
			micro_since = GetCurrentTimestamp();
		if (s->model.samples > 0)
			(void) rvd_micro_learn(&micro, &s->model, sample,
								   rvd_dag_learning_rate);
		rvd_snapshot_release(neural);
		pg_atomic_fetch_add_u64(&db->micro_steps, 1);
	}
	pfree(sample);
	rvd_reflect_flush(false);
}

/* ---- memories ----------------------------------------------------------------- */

/* Lead from the code to the id; false: the memory is full or busy. */
static bool
write_cue(const RvdHdc *code, uint64 id)
{
	RvdNeural  *neural = rvd_my_neural();
	RvdBtsp    *btsp = neural ? rvd_btsp_lock(neural, true, false) : NULL;
	bool		written;

	if (btsp == NULL)
		return false;
	written = rvd_btsp_write(btsp, code, id) == RVD_OK;
	rvd_btsp_release(neural);
	return written;
}

static void
forget(uint64 id)
{
	RvdKey		key = {id, MyDatabaseId};
	RvdNeural  *neural = rvd_my_neural();
	RvdMemory  *m = rvd_table_find(rvd_table(RVD_MEMORIES), key, true, false);
	RvdBtsp    *btsp;

	if (m == NULL)
		return;
	m->log_ratio = -10;			/* persisted: it says nothing any more */
	m->head.value = 0;
	m->head.dirty = true;
	rvd_table_release(rvd_table(RVD_MEMORIES), key);
	btsp = neural ? rvd_btsp_lock(neural, true, false) : NULL;
	if (btsp == NULL)
		return;
	(void) rvd_btsp_forget(btsp, id);
	rvd_btsp_release(neural);
}

static void
remember(RvdMemoryKind kind, const RvdHdc *code, int64 queryid,
		 uint64 plan_id, double log_ratio, double ms)
{
	RvdKey		key = {rvd_memory_id(kind, queryid, plan_id), MyDatabaseId};
	RvdMemory  *m;
	bool		found;

	if (!rvd_part_on(RVD_PART_BTSP) || !write_cue(code, key.a))
		return;
	m = rvd_table_enter(rvd_table(RVD_MEMORIES), key, MyDatabaseId, &found,
						false);
	if (m == NULL)
		return;
	m->kind = kind;
	m->seen++;
	m->queryid = queryid;
	m->plan_id = plan_id;
	m->log_ratio = (float) log_ratio;
	m->ms = (float) ms;
	m->at = GetCurrentTimestamp();
	memcpy(m->cue, code->w, sizeof(m->cue));
	m->head.value = (float) (m->at / USECS_PER_SEC);
	m->head.dirty = true;
	rvd_table_release(rvd_table(RVD_MEMORIES), key);
}

/* A candidate that does well speaks against what is remembered of its like. */
static void
contradict(const RvdLook *look)
{
	RvdKey		key = {0, MyDatabaseId};
	RvdMemory  *m;
	bool		bad;

	if (!look->coded || !rvd_part_on(RVD_PART_BTSP) ||
		!rvd_look_recall(&look->code, &key.a))
		return;
	m = rvd_table_find(rvd_table(RVD_MEMORIES), key, false, false);
	if (m == NULL)
		return;
	bad = m->kind == RVD_MEMORY_CATASTROPHE;
	rvd_table_release(rvd_table(RVD_MEMORIES), key);
	if (bad)
		forget(key.a);
}

void
rvd_reflect_abandoned(const RvdLook *look, int64 queryid, uint64 plan_id,
					  double ms, double expected_ms)
{
	if (look->coded && ms > expected_ms * ABANDONED_SHARE && expected_ms > 0)
		remember(RVD_MEMORY_CATASTROPHE, &look->code, queryid, plan_id,
				 log(ms / expected_ms), ms);
}

void
rvd_reflect_proven(const RvdHdc *stock_code, int64 queryid, uint64 plan_id,
				   double log_ratio)
{
	if (log_ratio < -SURPRISE)
		remember(RVD_MEMORY_PROVEN, stock_code, queryid, plan_id, log_ratio,
				 0);
}

/* ---- the whole ------------------------------------------------------------------ */

void
rvd_reflect_run(const RvdLook *look, const RvdRun *run, const float *targets)
{
	const RvdTag *tag = run->tag;

	if (run->outcome != RVD_RUN_COMPLETE || !look->embedded)
		return;
	step_micro(look, run->ms, targets);
	if (tag->role == RVD_PLAN_BASELINE || !(tag->baseline_ms > 0))
		return;
	if (log(run->ms / tag->baseline_ms) > SURPRISE)
	{
		if (look->coded)
			remember(RVD_MEMORY_CATASTROPHE, &look->code, tag->queryid,
					 tag->fingerprint, log(run->ms / tag->baseline_ms),
					 run->ms);
	}
	else if (run->trial && run->ms < tag->baseline_ms)
		contradict(look);
}
