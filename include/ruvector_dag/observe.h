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

#endif							/* RVD_OBSERVE_H */
