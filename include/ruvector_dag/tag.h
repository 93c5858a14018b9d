/*-------------------------------------------------------------------------
 *
 * tag.h
 *	  What we know of a plan when it comes to be executed.  Layer 4.
 *
 * PlannedStmt has no field for extensions before 19, and cached plans are
 * copies, so a pointer does not survive.  A PlanInvalItem with an impossible
 * cache id does: it is copied with the plan and matches no invalidation.  It
 * carries a number that finds a slot in a small pool of this backend.  When
 * a slot was recycled in the meantime the plan simply runs unobserved.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_TAG_H
#define RVD_TAG_H

#include "postgres.h"

#include "nodes/plannodes.h"

#include "ruvector_dag/look.h"
#include "ruvector_dag/planning.h"
#include "ruvector_dag/signature.h"
#include "ruvector_dag/store.h"

#define RVD_TAG_SUBJECTS	64

/* One plan node whose rows are the rows of a subject. */
typedef struct RvdTagSubject
{
	int32		plan_node_id;
	bool		cut;			/* may be stopped early: a lower bound */
	bool		first_match;	/* every loop may stop at its first row */
	bool		divided;		/* workers share its rows */
	bool		fetched;		/* with the rows its filter removed */
	RvdSubject	subject;
	double		est_rows;
} RvdTagSubject;

typedef struct RvdTagNode
{
	int32		plan_node_id;
	int16		op;
	int16		depth;
	float		est_rows;
} RvdTagNode;

/* Candidates tried in one run, at the most. */
#define RVD_TAG_CANDIDATES	3

typedef struct RvdTagCandidate
{
	PlannedStmt *stmt;			/* in candidate_cxt */
	uint32		tag;			/* its own */
	double		budget_ms;
} RvdTagCandidate;

/* Of a statement with parameters: made with or without their values. */
typedef enum RvdBinding
{
	RVD_BINDING_NONE = 0,		/* no parameters */
	RVD_BINDING_CUSTOM,
	RVD_BINDING_GENERIC
} RvdBinding;

typedef struct RvdTag
{
	uint32		id;				/* 0: free */
	uint64		touched;

	int64		queryid;
	uint64		instance;		/* 0: pooled */
	uint64		seen_instance;	/* hash of the constants, always */
	uint64		fingerprint;
	RvdPlanRole role;
	uint16		arm;			/* whose settings it runs under, 0: none */
	bool		stock;			/* a candidate that is the server's own plan */
	bool		replayed;		/* the stock plan, made without searching */
	bool		pinned;			/* by an administrator: never demoted */
	RvdBinding	binding;
	bool		pooled;			/* class taken as one: ratios, not times */
	double		est_cost;
	double		planning_ms;	/* charged to the first execution */
	double		around_ms;		/* of it, not in the planner itself */
	double		stock_planning_ms;	/* the stock plan's, typical; 0: not known */
	double		baseline_ms;	/* expected, 0: not known */
	uint32		executions;		/* > 1: the plan is a cached one */
	bool		may_explore;	/* a candidate might be tried where it runs */
	bool		exploring;		/* so the decision was when it was planned */
	bool		first_run;		/* of an instance never measured */
	bool		measured;		/* its baseline is: runs may be timed by node */
	double		expected_ms;	/* of the stock plan: measured, else predicted */
	Oid			first_relation;

	/* what the neural core says of the plan, and of the stock plan it is to
	 * replace */
	RvdLook		look;
	bool		has_stock_code;
	RvdHdc		stock_code;

	/* candidates to be tried, one after the other, in place of this plan */
	int			n_candidates;
	RvdTagCandidate candidates[RVD_TAG_CANDIDATES];
	uint64		candidates_seen;	/* invalidations when they were planned */
	MemoryContext candidate_cxt;	/* their plans */

	bool		counts_rows;	/* subjects are known: count per node */
	int			n_subjects;
	RvdTagSubject subjects[RVD_TAG_SUBJECTS];
	int			n_nodes;
	RvdTagNode	nodes[RVD_TRAJECTORY_NODES];
} RvdTag;

/* Take a slot (the least recently used) and mark the plan with it. */
extern RvdTag *rvd_tag_attach(PlannedStmt *stmt);

/* The plan's slot, or NULL: not marked, or the slot was recycled. */
extern RvdTag *rvd_tag_find(PlannedStmt *stmt);
extern RvdTag *rvd_tag_by_id(uint32 id);
extern void rvd_tag_drop_candidates(RvdTag *tag);

/* Number of relcache invalidations seen so far by this backend. */
extern uint64 rvd_tag_invalidations(void);

/*
 * Fill subjects and nodes of the tag from the plan and the planning run that
 * made it, and describe new subjects in the row table.
 */
extern void rvd_tag_map_nodes(RvdTag *tag, PlannedStmt *stmt, RvdPlanning *p);

#endif							/* RVD_TAG_H */
