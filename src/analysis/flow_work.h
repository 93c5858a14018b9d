/*-------------------------------------------------------------------------
 *
 * flow_work.h
 *	  What the parts of the flow analysis share.  Private to flow*.c.
 *
 * Words.  The cone of v: v and all that feeds it.  A node is a module if all
 * that feeds it feeds nothing else but through it; then its cone acts on the
 * rest like one source of what it passes.  It is private if moreover one
 * operator alone reads it.  In a tree all nodes are.
 *
 * The skeleton of v is its cone with the private modules made injections and
 * the other modules sources: the nodes by which inputs of v may meet.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_FLOW_WORK_H
#define RVD_FLOW_WORK_H

#include <math.h>

#include "dinic.h"
#include "ruvector_dag/flow.h"

typedef struct RvdFlowWork
{
	const RvdDag *dag;
	bool		frontier;		/* max instead of min */
	bool		tree;			/* every node has one reader at most */
	bool		weighted;		/* gains are not all 1 */
	double	   *capacity;		/* [n] c_v, or the load */
	double	   *gain;			/* [n] what a unit that arrives leaves as */
	double	   *arriving;		/* [n] X_v; INFINITY at leaves of a cut */
	double	   *passing;		/* [n] F(v), in units of v's output */
	int32_t    *pending;		/* [n] stack of the report */

	/* of DAGs only */
	uint8_t    *module;			/* [n] */
	uint8_t    *private;		/* [n] */
	uint8_t    *repeated;		/* [m] by position in dag->child */
	int32_t    *dominator;		/* [n] next node on every way to the root */
	int32_t    *dominator_depth;	/* [n] */
	int32_t    *reach;			/* [n] least dominator_depth fed from below */

	/* the skeleton last collected */
	int32_t		stamp;
	int32_t		n_members;
	bool		overlap;		/* two inputs share a producer */
	int32_t    *mark;			/* [n] stamp of the last skeleton it is in */
	int32_t    *owner;			/* [n] input of v that reached it first */
	int32_t    *slot;			/* [n] position among the members */
	int32_t    *member;			/* [n] consumers before inputs once sorted */
	int32_t    *stack;			/* [n] */
	double	   *injection;		/* [n] by node: sum of its private inputs */
	double	   *weight;			/* [n] by node: units of v per unit passed */

	/* minimum flow, by slot */
	int64_t    *lower;			/* [n] the load */
	int64_t    *source;			/* [n] the injection */
	int64_t    *asked;			/* [n] by readers that it supplies */
	int64_t    *drawn;			/* [n] from supplier or injection */
	int64_t    *through;		/* [n] that and what inputs send up */
	int32_t    *supplier;		/* [n] input it asks, -1: its injection */
	int32_t    *lift;			/* [n] reader that gets what none asked for */
	RvdDinic	net;
} RvdFlowWork;

/* Vertices of the network: see flow_skeleton.c. */
#define RVD_FLOW_TOP		0
#define RVD_FLOW_SOURCE		1
#define RVD_FLOW_IN(slot)	(2 + 2 * (slot))
#define RVD_FLOW_OUT(slot)	(3 + 2 * (slot))

/* Is it c_v rather than X_v that decides?  kappa >= 1/2. */
static inline bool
rvd_flow_saturated(const RvdFlowWork *w, int32_t v)
{
	return w->frontier ? w->capacity[v] >= w->arriving[v]
		: w->capacity[v] <= w->arriving[v];
}

static inline bool
rvd_flow_private(const RvdFlowWork *w, int32_t v)
{
	return w->tree || w->private[v];
}

/*
 * An edge that is there twice is one way, but carries its rows twice: only
 * where gains count is it looked at again.
 */
static inline bool
rvd_flow_skips(const RvdFlowWork *w, int32_t edge)
{
	return !w->tree && !w->weighted && w->repeated[edge];
}

/* flow_modules.c: module, private, repeated.  O(m * depth) at worst. */
extern void rvd_flow_find_modules(RvdFlowWork *w);

/*
 * flow_skeleton.c: collect the skeleton of v; returns what arrives from
 * private inputs, and in w->n_members, w->overlap what is to be done.
 */
extern double rvd_flow_collect(RvdFlowWork *w, int32_t v);

/* Order the members, set their weights. */
extern void rvd_flow_sort_members(RvdFlowWork *w, int32_t v);

/*
 * flow_cut.c, flow_frontier.c: what the members let arrive at v, each
 * operator counted once.  Afterwards rvd_dinic_reached() tells the vertices
 * on v's side of the cut nearest v.
 */
extern double rvd_flow_solve_cut(RvdFlowWork *w, int32_t v);
extern double rvd_flow_solve_frontier(RvdFlowWork *w, int32_t v);

static inline double
rvd_flow_solve(RvdFlowWork *w, int32_t v)
{
	rvd_flow_sort_members(w, v);
	return w->frontier ? rvd_flow_solve_frontier(w, v)
		: rvd_flow_solve_cut(w, v);
}

/* flow_report.c: fill in_cut, n_cut. */
extern void rvd_flow_report(RvdFlowWork *w, RvdFlowResult *result);

/*
 * Fixed point of one network: x * 2^exponent, rounded.  The exponent keeps
 * whatever adds up to sum (> 0) below 2^58.
 */
static inline int
rvd_flow_exponent(double sum)
{
	int			exponent;

	frexp(sum, &exponent);
	return 58 - exponent;
}

static inline int64_t
rvd_flow_fix(double x, int exponent)
{
	return (int64_t) (ldexp(x, exponent) + 0.5);
}

#endif							/* RVD_FLOW_WORK_H */
