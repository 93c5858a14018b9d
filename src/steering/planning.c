/*-------------------------------------------------------------------------
 *
 * planning.c
 *	  State of one run of the planner, and its decisions on row counts.
 *
 * A decision is made once per set of relations and run and then sticks, so
 * that GEQO's tours, both directions of a join and parallel paths agree.
 *
 * Layer 4.  Memory: the context that was current when the run began.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/planning.h"
#include "ruvector_dag/settings.h"

RvdPlanning *rvd_planning = NULL;

typedef struct DecidedKey
{
	PlannerInfo *root;
	Relids		relids;
} DecidedKey;

typedef struct DecidedEntry
{
	DecidedKey	key;
	RvdDecidedRows *rows;
} DecidedEntry;

static uint32
decided_hash(const void *key, Size size)
{
	const DecidedKey *k = (const DecidedKey *) key;

	return bms_hash_value(k->relids) ^
		(uint32) rvd_hash_mix((uint64) (uintptr_t) k->root);
}

static int
decided_match(const void *a, const void *b, Size size)
{
	const DecidedKey *x = (const DecidedKey *) a;
	const DecidedKey *y = (const DecidedKey *) b;

	return !(x->root == y->root && bms_equal(x->relids, y->relids));
}

void
rvd_planning_begin(RvdPlanning *p, RvdPlanningKind kind,
				   const RvdMemo *replay, RvdMemo *memo)
{
	memset(p, 0, sizeof(*p));
	p->outer = rvd_planning;
	p->kind = kind;
	p->cxt = CurrentMemoryContext;
	p->replay = replay;
	p->memo = memo;
	if (memo)
		memo->n = memo->n_joins = 0;
	rvd_planning = p;
}

void
rvd_planning_end(RvdPlanning *p)
{
	rvd_planning = p->outer;
}

void
rvd_planning_see(RvdPlanning *p, PlannerInfo *root)
{
	MemoryContext old;

	if (p->planners != NIL && llast(p->planners) == root)
		return;
	old = MemoryContextSwitchTo(p->cxt);
	p->planners = list_append_unique_ptr(p->planners, root);
	MemoryContextSwitchTo(old);
}

RvdRoot *
rvd_planning_root(RvdPlanning *p, PlannerInfo *root)
{
	ListCell   *lc;
	MemoryContext old;
	RvdRoot    *r;

	foreach(lc, p->roots)
		if (rvd_root_planner((RvdRoot *) lfirst(lc)) == root)
			return (RvdRoot *) lfirst(lc);
	old = MemoryContextSwitchTo(p->cxt);
	r = rvd_root_build(root);
	p->roots = lappend(p->roots, r);
	MemoryContextSwitchTo(old);
	return r;
}

RvdDecidedRows *
rvd_planning_decided(RvdPlanning *p, PlannerInfo *root, Relids relids)
{
	DecidedKey	key = {root, relids};
	DecidedEntry *e;

	if (p->decided == NULL)
		return NULL;
	e = hash_search(p->decided, &key, HASH_FIND, NULL);
	return e ? e->rows : NULL;
}

RvdDecidedRows *
rvd_planning_add(RvdPlanning *p, PlannerInfo *root, Relids relids,
				 double estimate, double target)
{
	MemoryContext old = MemoryContextSwitchTo(p->cxt);
	RvdDecidedRows *d = palloc0(sizeof(RvdDecidedRows));
	DecidedKey	key;
	DecidedEntry *e;

	if (p->decided == NULL)
	{
		HASHCTL		ctl;

		memset(&ctl, 0, sizeof(ctl));
		ctl.keysize = sizeof(DecidedKey);
		ctl.entrysize = sizeof(DecidedEntry);
		ctl.hash = decided_hash;
		ctl.match = decided_match;
		ctl.hcxt = p->cxt;
		p->decided = hash_create("ruvector_dag decided rows", 64, &ctl,
								 HASH_ELEM | HASH_FUNCTION | HASH_COMPARE |
								 HASH_CONTEXT);
	}
	d->root = root;
	d->relids = bms_copy(relids);
	d->estimate = estimate;
	d->target = target;
	key.root = root;
	key.relids = d->relids;
	e = hash_search(p->decided, &key, HASH_ENTER, NULL);
	e->rows = d;
	p->decided_list = lappend(p->decided_list, d);
	MemoryContextSwitchTo(old);
	return d;
}

void
rvd_planning_forget(RvdPlanning *p, int n)
{
	while (list_length(p->decided_list) > n)
	{
		RvdDecidedRows *d = (RvdDecidedRows *) llast(p->decided_list);
		DecidedKey	key = {d->root, d->relids};

		(void) hash_search(p->decided, &key, HASH_REMOVE, NULL);
		p->decided_list = list_delete_last(p->decided_list);
	}
	for (int i = 0; i < n; i++)
		((RvdDecidedRows *) list_nth(p->decided_list, i))->known = 0;
}

/* A developer's stress: the same factor whenever the same set is asked. */
static double
random_factor_rows(Relids relids, double estimate)
{
	uint64		h = rvd_hash_mix((uint64) rvd_debug_row_factor_seed);
	int			x = -1;

	while ((x = bms_next_member(relids, x)) >= 0)
		h = rvd_hash_combine(h, (uint64) x);
	return estimate * pow(10.0, (double) (h % 9001) / 1000.0 - 4.5);
}

double
rvd_memo_rows(const RvdMemo *memo, uint64 key)
{
	for (int i = 0; i < memo->n; i++)
		if (memo->key[i] == key)
			return memo->rows[i];
	return -1;
}

static void
memo_record(RvdPlanning *p, uint64 exact, double rows)
{
	if (p->memo == NULL || rvd_memo_rows(p->memo, exact) >= 0)
		return;
	if (p->memo->n == RVD_MEMO_ROWS)
	{
		p->memo_overflow = true;
		return;
	}
	p->memo->key[p->memo->n] = exact;
	p->memo->rows[p->memo->n] = (float) rows;
	p->memo->n++;
}

double
rvd_planning_lookup(RvdPlanning *p, const RvdSubject *s, double log_estimate)
{
	RvdKey		key = {s->id.sig, MyDatabaseId};
	RvdRows    *entry;
	RvdRowSource source;
	double		rows = -1;

	if (p->kind == RVD_PLAN_REPLAY)
	{
		rows = rvd_memo_rows(p->replay, s->id.exact);
		if (rows >= 0)
			memo_record(p, s->id.exact, rows);
		return rows;
	}
	if (p->kind == RVD_PLAN_NOTE)
	{
		memo_record(p, s->id.exact, exp(Max(log_estimate, 0)));
		return -1;
	}
	entry = rvd_table_find(rvd_table(RVD_ROWS), key, false, false);
	if (entry == NULL)
		return -1;
	source = rvd_row_model_predict(&entry->model, s->id.exact, s->x, s->dims,
								   s->log_reference, log_estimate, &rows);
	rvd_table_release(rvd_table(RVD_ROWS), key);
	if (source == RVD_ROW_UNKNOWN)
		return -1;
	memo_record(p, s->id.exact, rows);
	p->corrected = Max(p->corrected,
					   fabs(log(Max(rows, 1.0)) - Max(log_estimate, 0)));
	return (float) rows;		/* what a replay of the memo will see */
}

double
rvd_planning_groups(RvdPlanning *p, PlannerInfo *root, Relids relids,
					List *exprs, double estimate)
{
	Relids		base = bms_intersect(relids, root->all_baserels);
	RvdSubject	subject;
	double		groups = -1;

	if (rvd_debug_row_factor_seed != 0)
		groups = random_factor_rows(base, estimate);
	else if (rvd_root_groups_subject(rvd_planning_root(p, root), base, exprs,
									 &subject))
		groups = rvd_planning_lookup(p, &subject, log(Max(estimate, 1.0)));
	bms_free(base);
	return groups < 0 ? -1 : clamp_row_est(groups);
}

/* Its place among the memo's rows: no subject hashes to it but by chance. */
#define USUAL_ERROR_KEY		UINT64CONST(0x7573756c6572726f)

double
rvd_planning_usual_error(RvdPlanning *p)
{
	double		factor = exp(Max(p->usual_error, 0));

	if (p->kind == RVD_PLAN_REPLAY)
		factor = rvd_memo_rows(p->replay, USUAL_ERROR_KEY);
	if (factor <= 1)
		return 0;
	memo_record(p, USUAL_ERROR_KEY, factor);
	return log((float) factor);
}

RvdDecidedRows *
rvd_planning_decide(RvdPlanning *p, PlannerInfo *root, Relids relids,
					double estimate)
{
	RvdDecidedRows *d;
	RvdSubject	subject;
	double		target = -1;
	Relids		base = NULL;

	/* since 16 joinrels carry outer-join ids too: key on base relations */
	if (!bms_is_subset(relids, root->all_baserels))
		relids = base = bms_intersect(relids, root->all_baserels);
	d = rvd_planning_decided(p, root, relids);
	if (d == NULL)
	{
		if (rvd_debug_row_factor_seed != 0)
			target = clamp_row_est(random_factor_rows(relids, estimate));
		/* a search asks for more sets than a memo holds; see join_order.h */
		else if (p->kind == RVD_PLAN_NOTE && bms_num_members(relids) > 2)
			;
		else if (rvd_root_subject(rvd_planning_root(p, root), relids, &subject))
			target = rvd_planning_lookup(p, &subject, log(Max(estimate, 1.0)));
		if (target >= 0)
			target = clamp_row_est(target);
		d = rvd_planning_add(p, root, relids, estimate, target);
	}
	bms_free(base);
	return d;
}
