/*-------------------------------------------------------------------------
 *
 * advise.c
 *	  What patterns and memories say about a plan.
 *
 * A statement whose instance was never measured has no baseline and no tried
 * candidates of its own.  Its stock plan may still lie close to a pattern
 * that is known to gain from learned rows, or be nearly the plan of a
 * statement for which a faster one was proven; then its very first run may
 * be a trial.  And a candidate that is nearly a plan that went wrong
 * elsewhere is not run at all.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "ruvector_dag/arm.h"
#include "ruvector_dag/look.h"
#include "ruvector_dag/settings.h"

#include "plan_view.h"

/* Joins of that many plans must have been counted before their mean tells. */
#define MIN_JOIN_PLANS		10
#define MAX_INFLATE			3.4 /* ln 30 */

/* What a recalled code may differ by: two or three of 30 features. */
#define SAME_PLAN_DISTANCE	0.16

/* Confidence of a recall that counts. */
#define RECALL_CONFIDENCE	0.5

/* Trials before their success says something, and how many it is worth. */
#define MIN_TRIALS			20
#define GENERAL_WEIGHT		4.0

/* A memory must speak of at least this: ln(time / expected). */
#define CATASTROPHE			0.0	/* slower than what was in use */

/* How long a memory forbids: ten minutes at first, a week at most. */
#define VETO_US				INT64CONST(600000000)
#define MAX_DOUBLINGS		10

/* ---- memories ------------------------------------------------------------- */

static bool
same_plan(const RvdHdc *code, const uint64 *cue)
{
	RvdHdc		other;

	memcpy(other.w, cue, sizeof(other.w));
	return rvd_hdc_distance(code, &other) <= SAME_PLAN_DISTANCE;
}

bool
rvd_look_recall(const RvdHdc *code, uint64 *id)
{
	RvdNeural  *neural = rvd_my_neural();
	RvdBtsp    *btsp;
	double		confidence = 0;
	bool		found;
	instr_time	start;

	if (neural == NULL)
		return false;
	INSTR_TIME_SET_CURRENT(start);
	btsp = rvd_btsp_lock(neural, false, false);
	if (btsp == NULL)
		return false;
	found = rvd_btsp_recall(btsp, code, id, &confidence) == RVD_OK &&
		confidence >= RECALL_CONFIDENCE;
	rvd_btsp_release(neural);
	rvd_operation_add(RVD_TIME_RECALL, rvd_look_clock_us(start));
	return found;
}

/* The memory this code recalls, if it is of that kind and truly near. */
static bool
recall(const RvdLook *look, RvdMemoryKind kind, RvdMemory *memory)
{
	RvdKey		key = {0, MyDatabaseId};
	RvdMemory  *m;
	bool		good;

	if (!look->coded || !rvd_part_on(RVD_PART_BTSP) ||
		!rvd_look_recall(&look->code, &key.a))
		return false;
	m = rvd_table_find(rvd_table(RVD_MEMORIES), key, false, false);
	if (m == NULL)
		return false;
	good = m->kind == kind && same_plan(&look->code, m->cue);
	if (good)
		*memory = *m;
	rvd_table_release(rvd_table(RVD_MEMORIES), key);
	return good;
}

/*
 * A memory of one run may be wrong (a cold cache, a lock, a gain too small for
 * its budget): it holds for ten minutes, twice as long each time it is
 * confirmed, and then the like is tried once more.
 */
bool
rvd_look_vetoed(const RvdLook *candidate)
{
	RvdMemory	memory;

	return recall(candidate, RVD_MEMORY_CATASTROPHE, &memory) &&
		memory.log_ratio >= CATASTROPHE &&
		GetCurrentTimestamp() - memory.at <
		(VETO_US << Min(Max(memory.seen, 1) - 1, MAX_DOUBLINGS));
}

/* ---- patterns --------------------------------------------------------------- */

/*
 * The most confident match that advises learned rows and is sure and near
 * enough, or -1.
 */
static int
choose_match(const RvdBank *bank, const RvdMatch *matches, int n)
{
	int			best = -1;

	for (int i = 0; i < n; i++)
	{
		const RvdPattern *p = &bank->pattern[matches[i].index];

		if (p->configuration != 0 &&
			matches[i].similarity > rvd_dag_similarity &&
			matches[i].confidence > rvd_dag_confidence &&
			(best < 0 || matches[i].confidence > matches[best].confidence))
			best = i;
	}
	return best;
}

/* The nearest pattern, if it is near: what it says short of being sure. */
typedef struct Opinion
{
	double		runs;			/* verified; 0: no pattern is near */
	double		better;			/* probability that learned rows win */
} Opinion;

static void
read_opinion(const RvdBank *bank, const RvdMatch *matches, int n,
			 Opinion *opinion)
{
	const RvdPattern *p;

	if (n == 0 || matches[0].similarity <= rvd_dag_similarity)
		return;
	p = &bank->pattern[matches[0].index];
	opinion->runs = p->verified;
	if (p->verified > 0)
		opinion->better = rvd_pattern_confidence(p, 1.0) *
			(p->verified + 3.0) / p->verified;
}

static void
advise_by_pattern(const RvdLook *look, RvdAdvice *advice, Opinion *opinion)
{
	RvdNeural  *neural = rvd_my_neural();
	RvdMatch	matches[RVD_BANK_TOP];
	const RvdSnapshot *s;
	instr_time	start;
	int			n;
	int			best;

	if (neural == NULL || !rvd_part_on(RVD_PART_BANK))
		return;
	INSTR_TIME_SET_CURRENT(start);
	s = rvd_snapshot_lock(neural, false, false);
	if (s == NULL)
		return;
	n = rvd_bank_search(&s->bank, look->embedding, matches);
	best = choose_match(&s->bank, matches, n);
	read_opinion(&s->bank, matches, n, opinion);
	if (best >= 0)
	{
		const RvdPattern *p = &s->bank.pattern[matches[best].index];

		advice->arm = (uint16) p->configuration;
		advice->inflate = p->inflate;
	}
	rvd_snapshot_release(neural);
	rvd_operation_add(RVD_TIME_MATCH, rvd_look_clock_us(start));
}

/* The arm that did best in the class the memory is of. */
static uint16
memory_arm(const RvdMemory *memory)
{
	RvdKey		key = {(uint64) memory->queryid, MyDatabaseId};
	RvdClass   *c = rvd_table_find(rvd_table(RVD_CLASSES), key, false, false);
	uint16		arm = RVD_ARM_NONE;

	if (c != NULL)
	{
		arm = rvd_arm_record_best(c->arms, RVD_ARMS);
		rvd_table_release(rvd_table(RVD_CLASSES), key);
	}
	return arm != RVD_ARM_NONE ? arm : RVD_ARM_LEARNED;
}

static void
advise_by_memory(const RvdLook *look, RvdAdvice *advice)
{
	RvdMemory	memory;

	if (!recall(look, RVD_MEMORY_PROVEN, &memory))
		return;
	advice->arm = memory_arm(&memory);
}

/*
 * Neither a sure pattern nor a memory: then what trials came to so far in
 * this database, and the nearest pattern where there is one, as successes of
 * so many trials.  A trial is worth it where it is more likely to win than
 * not; what it may cost is limited by its budget and by the account.
 */
static bool
advise_by_experience(RvdDatabase *db, const Opinion *opinion)
{
	double		won = pg_atomic_read_u64(&db->trials_won);
	double		trials = pg_atomic_read_u64(&db->trials);
	double		general = (won + 1) / (trials + 2);

	if (trials < MIN_TRIALS ||
		pg_atomic_read_u64(&db->saved_us) < pg_atomic_read_u64(&db->regret_us))
		return false;
	return (general * GENERAL_WEIGHT + opinion->better * opinion->runs) /
		(GENERAL_WEIGHT + opinion->runs) >= 0.5;
}

/* Joins nobody counted: as wrong as joins of such plans usually are. */
static float
usual_join_error(const RvdLook *look)
{
	RvdNeural  *neural = rvd_part_on(RVD_PART_MODEL) ? rvd_my_neural() : NULL;
	const RvdSnapshot *s = neural ? rvd_snapshot_lock(neural, false, false) :
		NULL;
	bool		seen;

	if (s == NULL)
		return 0;
	seen = s->model.seen[RVD_OUT_ROWS_JOIN] >= MIN_JOIN_PLANS;
	rvd_snapshot_release(neural);
	return seen ? look->prediction.out[RVD_OUT_ROWS_JOIN] : 0;
}

void
rvd_advise(const RvdLook *look, RvdAdvice *advice)
{
	RvdDatabase *db = rvd_my_database();

	Opinion		opinion = {0, 0};

	memset(advice, 0, sizeof(*advice));
	if (db == NULL || !look->embedded)
		return;
	pg_atomic_fetch_add_u64(&db->pattern_lookups, 1);
	advise_by_pattern(look, advice, &opinion);
	if (advice->arm != RVD_ARM_NONE)
		pg_atomic_fetch_add_u64(&db->pattern_hits, 1);
	else
	{
		advise_by_memory(look, advice);
		if (advice->arm != RVD_ARM_NONE)
			pg_atomic_fetch_add_u64(&db->recalls, 1);
		else if (rvd_part_on(RVD_PART_BANK) &&
				 advise_by_experience(db, &opinion))
			advice->arm = RVD_ARM_LEARNED;
	}
	if (advice->inflate == 0)
		advice->inflate = usual_join_error(look);
	advice->inflate = Max(0, Min(advice->inflate, MAX_INFLATE));
	if (look->prediction.known)
		advice->expected_ms = exp(look->prediction.log_ms);
}
