/*-------------------------------------------------------------------------
 *
 * observe.c
 *	  From an executed plan's counts to row knowledge.
 *
 * Static taints (limits, first matches, merge inputs) come with the tag; here
 * are added those only the run can tell: the outer side of a hash join whose
 * table was empty, and, in an abandoned trial, everything but the inputs of
 * blocking nodes that had finished.
 *
 * Layer 4.  No allocation; row table entries are locked one at a time and
 * given up rather than waited for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/instrument.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "utils/timestamp.h"

#include "ruvector_dag/observe.h"
#include "ruvector_dag/store.h"

/* HashJoinState.hj_JoinState while the table is being built. */
#define HASH_JOIN_BUILDING	1

/* Lookups cut short are a fair sample from this many loops on. */
#define MIN_SAMPLE_LOOPS	10

typedef struct ObserveContext
{
	RvdTag	   *tag;
	float	   *nodes;
	bool		cut;			/* what is below may be incomplete */
	bool		running;		/* statement was stopped in mid-flight */
	bool		leader_only;	/* and the workers' counts are lost */
	int			news;
	TimestampTz now;
} ObserveContext;

typedef struct Counts
{
	double		rows;			/* all loops, all workers */
	double		loops;
} Counts;

/* filtered: with the rows that were fetched but not returned. */
static Counts
read_counts(PlanState *ps, bool filtered)
{
	Instrumentation *in = ps->instrument;
	Counts		c = {0, 0};

	if (in == NULL)
		return c;
	c.rows = in->ntuples + in->tuplecount;
	c.loops = in->nloops + (in->running ? 1 : 0);
	if (filtered)
		c.rows += in->nfiltered1 + in->nfiltered2;
	return c;
}

static void
teach(ObserveContext *o, const RvdTagSubject *t, Counts c)
{
	RvdKey		key = {t->subject.id.sig, MyDatabaseId};
	RvdTable   *table = rvd_table(RVD_ROWS);
	bool		lookup = t->subject.kind == RVD_ROW_LOOKUP;
	bool		censored;
	double		rows;
	bool		found;
	RvdRows    *entry;

	if (c.loops < 1)
		return;					/* never executed: nothing is known */
	/* under Gather the loops are the workers', who share the rows */
	rows = t->divided && !lookup ? c.rows : c.rows / c.loops;
	if (lookup)
		censored = t->first_match ||
			((t->cut || o->cut || o->leader_only) &&
			 c.loops < MIN_SAMPLE_LOOPS);
	else
		censored = t->cut || t->first_match || o->cut || o->leader_only;
	if (censored && (rows < 1 || t->subject.kind == RVD_ROW_GROUP))
		return;

	entry = rvd_table_enter(table, key, MyDatabaseId, &found, false);
	if (entry == NULL)
		return;
	if (!found)
		entry->model.kind = t->subject.kind;
	if (rvd_row_model_observe(&entry->model, t->subject.id.exact, t->subject.x,
							  t->subject.dims, rows, t->subject.log_reference,
							  censored))
		o->news++;
	entry->updated_at = o->now;
	/* a steered plan's estimate is our own: not what the server thinks */
	if (o->tag->role == RVD_PLAN_BASELINE || entry->last_estimate == 0)
		entry->last_estimate = (float) t->est_rows;
	entry->last_rows = (float) rows;
	entry->head.value = (float) (o->now / USECS_PER_SEC) +
		entry->model.sequence;
	entry->head.dirty = true;
	rvd_table_release(table, key);
}

static void
observe_node(ObserveContext *o, PlanState *ps)
{
	int			id = ps->plan->plan_node_id;
	Counts		c = read_counts(ps, false);

	for (int i = 0; i < o->tag->n_nodes; i++)
		if (o->tag->nodes[i].plan_node_id == id && c.loops > 0)
			o->nodes[i] = (float) (c.rows / c.loops);
	if (ps->instrument == NULL)
		return;
	for (int i = 0; i < o->tag->n_subjects; i++)
		if (o->tag->subjects[i].plan_node_id == id)
			teach(o, &o->tag->subjects[i],
				  read_counts(ps, o->tag->subjects[i].fetched));
}

static bool observe_walker(PlanState *ps, void *context);

/* Walk one input with its own knowledge of completeness. */
static void
observe_input(ObserveContext *o, PlanState *input, bool cut)
{
	bool		saved = o->cut;

	if (input == NULL)
		return;
	o->cut = cut;
	(void) observe_walker(input, o);
	o->cut = saved;
}

static void
observe_hash_join(ObserveContext *o, HashJoinState *hj)
{
	PlanState  *outer = outerPlanState(hj);
	PlanState  *inner = innerPlanState(hj);
	bool		built = hj->hj_HashTable != NULL &&
		hj->hj_JoinState > HASH_JOIN_BUILDING;
	bool		empty = inner && inner->instrument &&
		inner->instrument->ntuples + inner->instrument->tuplecount == 0;

	observe_input(o, outer, o->cut || empty);
	observe_input(o, inner, o->running ? !built : o->cut);
}

/* Has this node read all its input, whatever became of the statement? */
static bool
input_finished(PlanState *ps)
{
	switch (nodeTag(ps))
	{
		case T_SortState:
			return ((SortState *) ps)->sort_Done;
		case T_AggState:
			return ((AggState *) ps)->agg_done ||
				((AggState *) ps)->table_filled;
		default:
			return false;
	}
}

static bool
observe_walker(PlanState *ps, void *context)
{
	ObserveContext *o = (ObserveContext *) context;
	bool		saved = o->cut;
	bool		saved_leader = o->leader_only;

	if (ps == NULL)
		return false;
	observe_node(o, ps);
	if (o->running && (IsA(ps, GatherState) || IsA(ps, GatherMergeState)))
		o->leader_only = true;
	if (IsA(ps, HashJoinState))
	{
		observe_hash_join(o, (HashJoinState *) ps);
		return false;
	}
	if (o->running && input_finished(ps))
		o->cut = false;
	(void) planstate_tree_walker(ps, observe_walker, context);
	o->cut = saved;
	o->leader_only = saved_leader;
	return false;
}

int
rvd_observe_rows(QueryDesc *queryDesc, RvdTag *tag, bool complete,
				 float *nodes)
{
	ObserveContext o;

	memset(&o, 0, sizeof(o));
	o.tag = tag;
	o.nodes = nodes;
	o.cut = !complete;
	o.running = !complete;
	o.now = GetCurrentTimestamp();
	for (int i = 0; i < RVD_TRAJECTORY_NODES; i++)
		nodes[i] = -1;
	if (queryDesc->planstate != NULL)
		(void) observe_walker(queryDesc->planstate, &o);
	return o.news;
}
