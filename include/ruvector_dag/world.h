/*-------------------------------------------------------------------------
 *
 * world.h
 *	  The tables of a plan as they are now.  Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_WORLD_H
#define RVD_WORLD_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "nodes/plannodes.h"

#include "ruvector_dag/compat.h"

/*
 * A number that changes when an index of one of the statement's tables comes
 * or goes, or one of them grows or shrinks by about two.  Never 0 or 1.  May
 * read catalogs, and raise what that raises.  O(relations).
 */
#define RVD_WORLD_SUSPECT	1	/* of an instance: look anew in any case */
extern uint64 rvd_world_of(const PlannedStmt *stmt);

/*
 * In words, what may have made the server plan otherwise than it did at
 * that time.  For rare events: it looks up statistics.
 */
extern void rvd_world_trigger(const PlannedStmt *stmt, TimestampTz since,
							  char *text, Size size);

#endif							/* RVD_WORLD_H */
