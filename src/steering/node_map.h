/*-------------------------------------------------------------------------
 *
 * node_map.h
 *	  Between node_map.c and node_lookup.c.  Layer 4, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_NODE_MAP_H
#define RVD_NODE_MAP_H

#include "ruvector_dag/tag.h"

#define MAX_NEST_PARAMS	32

typedef struct NestParam
{
	int			paramno;
	Index		rti;			/* flattened; 0: not a plain column */
	AttrNumber	attno;
} NestParam;

typedef struct MapContext
{
	RvdPlanning *p;
	PlannedStmt *stmt;
	RvdTag	   *tag;
	PlannerInfo **root;			/* by flattened range-table index */
	int		   *rti;			/* index within that root */
	NestParam	params[MAX_NEST_PARAMS];
	int			n_params;
} MapContext;

/* How a node is run, handed down. */
typedef struct NodeState
{
	bool		repeated;		/* once per row of something */
	bool		cut;			/* may be stopped early */
	bool		first_match;	/* each repetition stops at its first row */
	Relids		outer;			/* what it is repeated for, in outer_root */
	PlannerInfo *outer_root;
} NodeState;

/* What a node delivers, handed up. */
typedef struct NodeResult
{
	PlannerInfo *root;
	Relids		set;			/* base relations of root; NULL: no set */
	bool		divided;
	bool		grouped;		/* groups of the set, no longer its rows */
} NodeResult;

/* Note that this node's count is the subject's. */
extern void rvd_node_record(MapContext *m, Plan *plan, NodeState st,
							const NodeResult *r, const RvdSubject *s,
							bool fetched);

/* Parameters a nested loop sets for its inner side. */
extern void rvd_node_push_params(MapContext *m, NestLoop *join);

/*
 * A scan looked up with parameters.  counter: the node whose rows per loop
 * are the lookup's (the scan, or a Memoize above it).
 */
extern void rvd_node_record_lookup(MapContext *m, Plan *scan, Plan *counter,
								   NodeState st, const NodeResult *r);

#endif							/* RVD_NODE_MAP_H */
