/*-------------------------------------------------------------------------
 *
 * cycle.c
 *	  One learning cycle, or the answer to another request: the order of
 *	  steps, their times, the account given.
 *
 * Runs every ruvector.dag_background_interval_ms and when somebody asks, by
 * filling in the slot's request, raising cycle_wanted and waking the learner;
 * cycle_done follows it when the answer is in the slot.
 *
 * With fewer than 50 runs to learn from only what was in the rings is
 * written; those runs wait for the next cycle.  On a standby nothing is
 * written, so nothing is learned either.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "ruvector_dag/hash.h"
#include "ruvector_dag/settings.h"
#include "cycle.h"

static const char *const step_names[RVD_CYCLE_STEPS] = {
	[RVD_STEP_DRAIN] = "drain",
	[RVD_STEP_CLUSTER] = "cluster",
	[RVD_STEP_PATTERNS] = "patterns",
	[RVD_STEP_EWC] = "workload",
	[RVD_STEP_TRAIN] = "train",
	[RVD_STEP_PUBLISH] = "publish"
};

/* ---- steps -------------------------------------------------------------- */

typedef struct Step
{
	RvdLearningCycle *c;
	RvdCycleStep which;
	instr_time	start;
} Step;

/* Begin a step, in the cycle's own memory once there is one. */
static Step
begin_step(RvdLearningCycle *c, RvdCycleStep which)
{
	Step		step = {.c = c, .which = which};
	char		activity[64];

	snprintf(activity, sizeof(activity),
			 "ruvector_dag: cycle, step %d of %d: %s", which + 1,
			 RVD_CYCLE_STEPS, step_names[which]);
	pgstat_report_activity(STATE_RUNNING, activity);
	CHECK_FOR_INTERRUPTS();
	if (c->context != NULL)
		MemoryContextSwitchTo(c->context);
	INSTR_TIME_SET_CURRENT(step.start);
	return step;
}

static void
end_step(Step *step)
{
	instr_time	end;

	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, step->start);
	step->c->report.step_ms[step->which] += INSTR_TIME_GET_MILLISEC(end);
}

static void
run_step(RvdLearningCycle *c, RvdCycleStep which,
		 void (*run) (RvdLearningCycle *c))
{
	Step		step = begin_step(c, which);

	run(c);
	end_step(&step);
}

/*
 * Everything there was must have reached the tables, or the cycle failed:
 * who asked for it relies on that.  On a standby there is nothing to write.
 */
static bool
write_everything(RvdLearner *learner)
{
	for (int i = 0; i < RVD_LEARNER_ATTEMPTS && !ShutdownRequestPending; i++)
	{
		bool		ok;

		learner->deferred = false;
		ok = rvd_learner_drain(learner);
		ok = rvd_learner_persist(learner) && ok;
		if (!learner->deferred || !ok)
			return ok && !learner->leave;
		(void) WaitLatch(MyLatch, WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 RVD_LEARNER_ATTEMPT_MS, PG_WAIT_EXTENSION);
		CHECK_FOR_INTERRUPTS();
	}
	return false;
}

static bool
drain(RvdLearningCycle *c)
{
	Step		step = begin_step(c, RVD_STEP_DRAIN);
	bool		ok = write_everything(c->learner);

	end_step(&step);
	return ok;
}

/* A base of another rank than is wanted cannot be trained: begin anew. */
static void
check_rank(RvdLearningCycle *c)
{
	int			rank = rvd_part_on(RVD_PART_BASE_LORA) ?
		rvd_dag_base_lora_rank : 0;

	if (c->next->model.base_rank == rank)
		return;
	rvd_model_init(&c->next->model, rank, rvd_dag_micro_lora_rank,
				   rvd_hash_mix(c->learner->database));
	memset(&c->state->trainer, 0, sizeof(c->state->trainer));
	c->state->last_id = 0;
}

/*
 * Decide what there is enough for, and read it.  Patterns that somebody asks
 * for can also be made from what the model has seen already.  False: the
 * extension has gone, or its tables are locked for long.
 */
static bool
read_history(RvdLearningCycle *c)
{
	Step		step = begin_step(c, RVD_STEP_DRAIN);

	if (!rvd_learner_begin_soon(c->learner, rvd_learner_begin_read))
		return false;
	rvd_cycle_count(c);
	c->trains = c->report.waiting >= RVD_CYCLE_MIN_TRAJECTORIES;
	c->extracts = c->trains || c->usable >= RVD_CYCLE_MIN_TRAJECTORIES;
	c->report.skipped = !c->trains;
	if (c->trains)
		rvd_cycle_read_samples(c);
	if (c->extracts)
		rvd_cycle_read_members(c);
	rvd_learner_commit();
	end_step(&step);
	return true;
}

static bool
save(RvdLearningCycle *c)
{
	Step		step = begin_step(c, RVD_STEP_PUBLISH);
	bool		ok = rvd_snapshot_save(c, true);

	end_step(&step);
	return ok;
}

/* ---- what can be asked for ---------------------------------------------- */

static bool
learn(RvdLearningCycle *c)
{
	check_rank(c);
	if (!read_history(c))
		return false;
	if (!c->extracts)
		return rvd_learner_save_model(c->learner);
	run_step(c, RVD_STEP_CLUSTER, rvd_cycle_cluster);
	run_step(c, RVD_STEP_PATTERNS, rvd_cycle_patterns);
	if (c->trains)
	{
		run_step(c, RVD_STEP_EWC, rvd_cycle_workload);
		run_step(c, RVD_STEP_TRAIN, rvd_cycle_train);
	}
	return save(c);
}

static bool
consolidate(RvdLearningCycle *c)
{
	Step		step = begin_step(c, RVD_STEP_PUBLISH);
	bool		ok = true;

	c->report.merged = rvd_bank_consolidate(&c->next->bank,
											c->request.threshold);
	if (c->report.merged > 0)
		ok = rvd_snapshot_save(c, true);
	end_step(&step);
	return ok;
}

/* What this cycle did not do stays as the last one that did reported it. */
static void
complete_report(RvdLearningCycle *c)
{
	RvdCycleReport *r = &c->report;
	RvdCycleReport last;

	rvd_cycle_report_get(c->neural, &last);
	r->patterns = c->next->bank.n;
	r->cycles = last.cycles + (c->trains ? 1 : 0);
	r->ewc_tasks = c->state->trainer.ewc_tasks;
	if (!c->extracts)
	{
		r->clusters = last.clusters;
		r->merged = last.merged;
	}
	if (c->trains)
	{
		r->waiting = 0;
		return;
	}
	r->trajectories = last.trajectories;
	r->replayed = last.replayed;
	r->workload_distance = last.workload_distance;
	r->train = last.train;
}

static bool
run(RvdLearningCycle *c)
{
	bool		ok;

	if (!drain(c))
		return false;
	c->neural = rvd_database_neural(c->learner->db);
	if (c->neural == NULL)
		return true;
	c->context = AllocSetContextCreate(c->learner->scratch,
									   "ruvector_dag cycle",
									   ALLOCSET_DEFAULT_SIZES);
	rvd_snapshot_take(c);
	if (RecoveryInProgress())
		ok = true;
	else if (c->request.threshold > 0)
		ok = consolidate(c);
	else if ((ok = learn(c)))
	{
		complete_report(c);
		rvd_cycle_report_set(c->neural, &c->report);
	}
	c->report.patterns = c->next->bank.n;
	MemoryContextSwitchTo(c->learner->scratch);
	MemoryContextDelete(c->context);
	return ok;
}

/* ---- the whole ---------------------------------------------------------- */

static double
elapsed_ms(instr_time start)
{
	instr_time	end;

	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	return INSTR_TIME_GET_MILLISEC(end);
}

bool
rvd_learner_cycle(void *arg)
{
	RvdLearningCycle c = {.learner = arg};
	uint32		wanted = rvd_cycle_take_request(&c);
	instr_time	start;
	volatile bool ok = false;

	INSTR_TIME_SET_CURRENT(start);
	PG_TRY();
	{
		ok = run(&c);
	}
	PG_CATCH();
	{
		rvd_cycle_answer(&c, wanted, false, elapsed_ms(start));
		PG_RE_THROW();
	}
	PG_END_TRY();
	rvd_cycle_answer(&c, wanted, ok, elapsed_ms(start));
	return ok;
}
