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

/* Stands for indexes in an instance: look anew in any case. */
#define RVD_WORLD_SUSPECT	1

typedef struct RvdWorld
{
	uint64		indexes;		/* of its tables, and the arms; never 0 or 1 */
	double		pages;			/* of its tables together */
} RvdWorld;

/* May read catalogs, and raise what that raises.  O(relations). */
extern void rvd_world_of(const PlannedStmt *stmt, RvdWorld *world);

/*
 * An index came or went, an arm was edited, or the tables have grown or
 * shrunk by two since then.
 */
extern bool rvd_world_differs(const RvdWorld *now, uint64 indexes,
							  double pages);

/*
 * In words, what may have made the server plan otherwise than it did at
 * that time.  For rare events: it looks up statistics.
 */
extern void rvd_world_trigger(const PlannedStmt *stmt, TimestampTz since,
							  char *text, Size size);

#endif							/* RVD_WORLD_H */
