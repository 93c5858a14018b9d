/*-------------------------------------------------------------------------
 *
 * planning.h
 *	  State of one run of the planner: what is corrected, and with what.
 *	  Layer 4.
 *
 * The planner hook pushes a RvdPlanning around each run it cares about; the
 * path hooks find it in rvd_planning and record roots, ask for rows and
 * change estimates.  Nothing outlives the run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_PLANNING_H
#define RVD_PLANNING_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#include "ruvector_dag/signature.h"
#include "ruvector_dag/store.h"

/* How estimates are treated in a run. */
typedef enum RvdPlanningKind
{
	RVD_PLAN_STOCK = 0,			/* only watch */
	RVD_PLAN_NOTE,				/* as stock; its estimates go into the memo */
	RVD_PLAN_LEARNED,			/* correct with what is known now */
	RVD_PLAN_REPLAY				/* correct with a plan's memo */
} RvdPlanningKind;

/* One relation or join in one run: decided once, the same for all askers. */
typedef struct RvdDecidedRows
{
	PlannerInfo *root;
	Relids		relids;
	double		estimate;		/* the server's, when first asked */
	double		target;			/* < 0: leave alone */
	double		known;			/* > 0: of a known join order, goes first */
	bool		flows;			/* reached through clause selectivities */
} RvdDecidedRows;

typedef struct RvdPlanning
{
	struct RvdPlanning *outer;
	RvdPlanningKind kind;
	MemoryContext cxt;
	List	   *planners;		/* PlannerInfo, in order of appearance */
	List	   *roots;			/* RvdRoot, built on demand */
	List	   *swept;			/* PlannerInfo whose relations are corrected */
	const RvdMemo *replay;		/* RVD_PLAN_REPLAY: its corrections */
	RvdMemo    *memo;			/* what was looked up, NULL: do not record */
	bool		memo_overflow;
	struct HTAB *decided;
	List	   *decided_list;	/* RvdDecidedRows, creation order */
	int			rebuilding;		/* > 0: inside add_paths_to_joinrel again */
	double		join_error_sum;	/* of ln(true / estimated), pairs known */
	int			join_error_n;
	double		usual_error;	/* the same of such plans; worth one pair */
	double		corrected;		/* largest |ln(learned / estimated)| looked up */
	List	   *join_problems;	/* RvdJoinProblem of join_order.h */
	double		known_rows;		/* > 0: of the join that is being built */
	int			orders_used;	/* problems joined in a known order */
	bool		same_methods;	/* and by the methods known with it */
} RvdPlanning;

extern PGDLLIMPORT RvdPlanning *rvd_planning;	/* innermost run, or NULL */

extern void rvd_planning_begin(RvdPlanning *p, RvdPlanningKind kind,
							   const RvdMemo *replay, RvdMemo *memo);
extern void rvd_planning_end(RvdPlanning *p);

/* Remember that this root belongs to the run.  Cheap. */
extern void rvd_planning_see(RvdPlanning *p, PlannerInfo *root);

/* The root's signatures, built at first use. */
extern RvdRoot *rvd_planning_root(RvdPlanning *p, PlannerInfo *root);

/*
 * Rows of a set of base relations in this run, decided at first use.
 * estimate: the server's figure now.  NULL if it cannot be named.
 */
extern RvdDecidedRows *rvd_planning_decide(RvdPlanning *p, PlannerInfo *root,
										   Relids relids, double estimate);
extern RvdDecidedRows *rvd_planning_decided(RvdPlanning *p, PlannerInfo *root,
											Relids relids);
extern RvdDecidedRows *rvd_planning_add(RvdPlanning *p, PlannerInfo *root,
										Relids relids, double estimate,
										double target);

/* Undo: as if only the first n decisions of the run had been made. */
extern void rvd_planning_forget(RvdPlanning *p, int n);

/* Rows a memo has under a key, or -1.  O(rows). */
extern double rvd_memo_rows(const RvdMemo *memo, uint64 key);

/* Learned rows of a subject, or -1.  log_estimate: the server's, ln rows. */
extern double rvd_planning_lookup(RvdPlanning *p, const RvdSubject *subject,
								  double log_estimate);

/* Groups of a set of relations by these expressions, or -1. */
extern double rvd_planning_groups(RvdPlanning *p, PlannerInfo *root,
								  Relids relids, List *exprs,
								  double estimate);

/*
 * ln(true / estimated rows) of joins in plans like this one, for pairs nobody
 * counted; 0: not known.  Part of the memo, so that a replay has it too.
 */
extern double rvd_planning_usual_error(RvdPlanning *p);

/* ---- what the path hooks do (rows_*.c, selectivity.c) ------------------- */

extern void rvd_rows_correct_relation(RvdPlanning *p, PlannerInfo *root,
									  RelOptInfo *rel, Index rti,
									  RangeTblEntry *rte);
extern void rvd_rows_correct_lookups(RvdPlanning *p, PlannerInfo *root,
									 RelOptInfo *rel);

/*
 * Make the relation's clauses multiply out to target rows, so that index
 * costs and everything else derived from them follow.
 */
extern void rvd_selectivity_push(PlannerInfo *root, RelOptInfo *rel,
								 double target);

/*
 * All paths of a grouping (or DISTINCT) are there: make them again with the
 * groups that were counted.  extra: as create_upper_paths_hook has it.
 */
extern void rvd_rows_correct_groups(RvdPlanning *p, PlannerInfo *root,
									RelOptInfo *input_rel,
									RelOptInfo *grouped_rel, bool distinct);

extern void rvd_rows_correct_pairs(RvdPlanning *p, PlannerInfo *root,
								   List *initial_rels);
extern void rvd_rows_correct_join(RvdPlanning *p, PlannerInfo *root,
								  RelOptInfo *joinrel, RelOptInfo *outerrel,
								  RelOptInfo *innerrel, JoinType jointype,
								  JoinPathExtraData *extra);

#endif							/* RVD_PLANNING_H */
