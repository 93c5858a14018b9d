/*-------------------------------------------------------------------------
 *
 * flow.h
 *	  Bottlenecks of a plan: minimum cut, time frontier, critical path.
 *	  Layer 1, pure.
 *
 * What arrives at v is X_v = a_v + sum over inputs F(u); what passes is
 * F(v) = min(c_v, X_v); F(root) is the maximum flow and the minimum vertex
 * cut between sources and root.  With max in place of min the same recursion
 * gives the frontier: the largest total self time of any set of operators
 * none of which is above another.
 *	 criticality kappa_v = X_v / (c_v + X_v); >= 1/2 iff v is saturated;
 *	 of the frontier: t_v / (t_v + sum F), >= 1/2 iff v dominates its inputs.
 * Shared producers (CTE, InitPlan) make the plan a DAG: the cut counts each
 * operator once; tree parts are contracted and Dinic (1970) solves the rest.
 * There X_v is the minimum cut (the heaviest antichain) of what feeds v.
 * Leaves are unlimited sources: kappa 1.  X = c = 0: kappa 0.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_FLOW_H
#define RVD_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ruvector_dag/dag.h"
#include "ruvector_dag/features.h"

/* What the capacity of an operator is. */
typedef enum RvdFlowMode
{
	RVD_FLOW_ROWS = 0,			/* input rows it can take per unit of time */
	RVD_FLOW_UNIT,				/* 1: structural separators */
	RVD_FLOW_TIME				/* frontier of self times */
} RvdFlowMode;

typedef struct RvdFlowResult
{
	double		value;			/* cut (rows / unit), or the frontier's time */
	double	   *criticality;	/* [n] in [0, 1], the caller's */
	uint8_t    *in_cut;			/* [n] member of the cut / of the frontier */
	int32_t		n_cut;
	bool		disconnected;	/* nothing can pass: value 0, empty cut */
} RvdFlowResult;

/* Largest load where loads are added up: n of them are still finite. */
#define RVD_FLOW_MAX_LOAD	1e300

/* Bytes of workspace, 8-byte aligned, also of rvd_critical_path. */
extern size_t rvd_flow_workspace(const RvdDag *dag);

/*
 * load[n] >= 0: self time (or cost) of all loops; rows[n] >= 0: rows of all
 * loops (used by RVD_FLOW_ROWS alone; RVD_FLOW_UNIT uses neither).  Of equal
 * cuts and frontiers in_cut is the one nearest the root.  Relative error
 * below 1e-9, on trees 1e-12.  O(n) on trees, else see above.
 *
 * RVD_FLOW_ROWS: c_v = input rows (leaf: its own) / load, no load less than
 * 0.001 (1 us if in ms), no rows less than 1; what passes is converted to
 * output rows by their ratio to input rows, so that value is in rows of the
 * root; an infinite load is an operator that lets nothing pass.
 *
 * RVD_ERR_ARGUMENT: negative or not a number, or a load above
 * RVD_FLOW_MAX_LOAD for RVD_FLOW_TIME; RVD_ERR_STATE: not finished.
 */
extern RvdStatus rvd_flow_analyse(const RvdDag *dag, RvdFlowMode mode,
								  const double *load, const double *rows,
								  RvdFlowResult *result, void *work);

/* ---- critical path (Kelley and Walker 1959) ----------------------------- */

typedef struct RvdCriticalPath
{
	double		length;			/* sum of load on the path */
	double	   *slack;			/* [n] >= 0, 0 on every longest path */
	int32_t    *path;			/* [n] nodes from the root to a leaf */
	int32_t		n_path;
} RvdCriticalPath;

/* Ties go to the first input.  work as for the flow.  O(n + m). */
extern RvdStatus rvd_critical_path(const RvdDag *dag, const double *load,
								   RvdCriticalPath *result, void *work);

/* ---- dynamic minimum cut of a tree -------------------------------------- */

/*
 * Heavy paths, each a weight-balanced binary tree over functions
 * x -> min(c, s + x) (or max), static form of Sleator and Tarjan's biased
 * trees (1983).  Capacities are int64 fixed point; RVD_CUT_INFINITE stands
 * for none.  At most 2 log2 n + 1 pulls per update, O(1) query, O(n log n)
 * build, 8 words a node and its place.
 */
typedef struct RvdCutTree RvdCutTree;

#define RVD_CUT_MAX_NODES	(1 << 21)
#define RVD_CUT_INFINITE	INT64_MAX

/* Bytes for n nodes, 0 if out of range. */
extern size_t rvd_cut_tree_size(int32_t n);

/*
 * parent[n]: parent of each node, -1 for the one root; capacity[n] >= 0;
 * injection[n] >= 0 or RVD_CUT_INFINITE (what enters at the node itself).
 * RVD_ERR_ARGUMENT: not one tree; RVD_ERR_FULL: finite capacities and
 * injections together are not below 2^62 / n, so that n infinite ones still
 * fit int64.  frontier: max instead of min.  An update that is refused
 * changes nothing.
 */
extern RvdStatus rvd_cut_tree_build(RvdCutTree *t, void *mem, size_t size,
									int32_t n, const int32_t *parent,
									const int64_t *capacity,
									const int64_t *injection, bool frontier);
extern RvdStatus rvd_cut_tree_update(RvdCutTree *t, int32_t node,
									 int64_t capacity);

/* RVD_CUT_INFINITE if there is no finite cut. */
extern int64_t rvd_cut_tree_value(const RvdCutTree *t);

/*
 * The cut nearest the root; of the frontier, its members.  Returns how many
 * (at most n), -1 if infinite.  v >= 0 is the capacity of node v; ~v is the
 * injection of node v, which is part of the cut where v itself is not
 * saturated.  What passes nothing is left out.  O(n), writes only nodes[].
 */
extern int32_t rvd_cut_tree_report(const RvdCutTree *t, int32_t *nodes);

/* Compositions done by the last update, and at most ever: 2 log2 n + 1. */
extern int32_t rvd_cut_tree_pulls(const RvdCutTree *t);
extern int32_t rvd_cut_tree_pull_bound(int32_t n);

struct RvdCutTree
{
	int32_t		n;
	int32_t		root;
	int32_t		pulls;
	bool		frontier;
	int64_t		infinite;		/* finite stand-in, above every sum */
	int64_t		finite_sum;		/* of capacities and injections */
	void	   *nodes;			/* private */
	int32_t    *place;			/* [n] where in nodes */
};

#endif							/* RVD_FLOW_H */
