/*-------------------------------------------------------------------------
 *
 * observe.h
 *	  From an executed plan's counts to row knowledge.  Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_OBSERVE_H
#define RVD_OBSERVE_H

#include "postgres.h"

#include "executor/execdesc.h"

#include "ruvector_dag/tag.h"

/*
 * Teach the row models what this execution counted.  complete: the statement
 * ran to its end; otherwise only finished inputs of blocking nodes are exact
 * and the rest are lower bounds.  nodes (RVD_TRAJECTORY_NODES) receives the
 * rows per operator for the trajectory, -1 where not counted.
 * Returns how many answers changed enough to change plans.  Never raises.
 */
extern int	rvd_observe_rows(QueryDesc *queryDesc, RvdTag *tag, bool complete,
							 float *nodes);

/* What one execution showed, node by node. */
typedef struct RvdObservation
{
	bool		counted;		/* rows */
	bool		timed;			/* and times */
	int			news;			/* row answers that changed */
	float		rows[RVD_TRAJECTORY_NODES]; /* < 0: not counted */
	float		self_ms[RVD_TRAJECTORY_NODES];	/* < 0: not timed */
	float		targets[RVD_TRAJECTORY_TARGETS];	/* of the latency model */
} RvdObservation;

/* Nothing seen. */
extern void rvd_observation_init(RvdObservation *o);

/*
 * All of it, of a run that counted (timed: and timed) its nodes.  A timed
 * and complete run also teaches the attention kernels.  Works in a memory
 * context of the statement.
 */
extern void rvd_observe_run(QueryDesc *queryDesc, RvdTag *tag, bool complete,
							bool timed, RvdObservation *o);

/* ---- node_time.c ---------------------------------------------------------- */

/*
 * Per node of the graph of the plan that ran: rows per loop (< 0: not
 * executed) and, if self_ms is not NULL, the time of the node without its
 * inputs.  All loops, all workers.
 */
extern void rvd_observe_nodes(QueryDesc *queryDesc, const RvdDag *dag,
							  double *act_rows, double *self_ms);

/* Targets of the latency model but the first; NaN where not observed. */
extern void rvd_observe_targets(const RvdDag *dag, const double *act_rows,
								const double *self_ms, float *targets);

#endif							/* RVD_OBSERVE_H */
