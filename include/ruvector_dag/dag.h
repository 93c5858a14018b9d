/*-------------------------------------------------------------------------
 *
 * dag.h
 *	  The plan graph: operators, data flow edges, orders.  Layer 0, pure.
 *
 * An edge u -> v says that v consumes the output of u (u child, v parent).
 * A plan is a tree but for shared producers (CTE, worktable, InitPlan),
 * which make it a DAG.  All memory is one block of the caller's, sized by
 * rvd_dag_size(); nothing is allocated, nothing is global.
 *
 * Life: rvd_dag_init -> add_node / add_edge ... -> rvd_dag_finish; after
 * finish the graph is read-only and the CSR arrays and orders are valid.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_DAG_H
#define RVD_DAG_H

#include <stddef.h>
#include <stdint.h>

#include "ruvector_dag/status.h"

#define RVD_DAG_MAX_NODES	4096
#define RVD_DAG_MAX_EDGES	(16 * RVD_DAG_MAX_NODES)

/* How data flows along an edge. */
typedef enum RvdEdgeKind
{
	RVD_EDGE_OUTER = 0,			/* left or only input */
	RVD_EDGE_INNER,				/* right input of a join */
	RVD_EDGE_MEMBER,			/* one of many inputs (Append, BitmapAnd ...) */
	RVD_EDGE_SUBQUERY,			/* plan below a SubqueryScan */
	RVD_EDGE_INITPLAN,			/* run once, value used by the parent */
	RVD_EDGE_SUBPLAN,			/* run per row or hashed by the parent */
	RVD_EDGE_SHARED				/* CTE or worktable producer to its scan */
} RvdEdgeKind;

#define RVD_NODE_PARALLEL_AWARE	0x0001
#define RVD_NODE_ASYNC			0x0002
#define RVD_NODE_CTE			0x0004	/* root of a CTE's plan */
#define RVD_NODE_HASHED			0x0008	/* root of a hashed SubPlan */

typedef struct RvdDagNode
{
	int32_t		plan_node_id;	/* the server's, unique in a statement */
	uint16_t	op;				/* RvdOp of plan_dag.h; 0 is invalid */
	uint16_t	flags;			/* RVD_NODE_* */
	uint16_t	variant;		/* strategy or join type, per op */
	uint16_t	depth;			/* set by finish: longest path from the root */
	uint32_t	relation;		/* OID scanned or modified, 0 if none */
	uint32_t	index;			/* OID of the index used, 0 if none */
	int32_t		scan_ordinal;	/* n-th scan of the same relation, from 0 */
	int32_t		width;			/* bytes per row, estimated */
	uint64_t	label;			/* hash of what else tells plans apart, or 0 */
	double		est_rows;		/* rows per loop */
	double		startup_cost;	/* planner units */
	double		total_cost;		/* planner units */
} RvdDagNode;

typedef struct RvdDag
{
	int32_t		n_nodes;
	int32_t		n_edges;
	int32_t		max_nodes;
	int32_t		max_edges;
	int32_t		finished;
	int32_t		root;			/* index of the only node without parents */
	RvdDagNode *nodes;			/* [n_nodes] */
	int32_t    *edge_child;		/* [n_edges] in order of insertion */
	int32_t    *edge_parent;	/* [n_edges] */
	uint8_t    *edge_kind;		/* [n_edges] RvdEdgeKind */
	/* after finish */
	int32_t    *child_start;	/* [n_nodes + 1] CSR over children */
	int32_t    *child;			/* [n_edges] node index, insertion order kept */
	uint8_t    *child_kind;		/* [n_edges] */
	int32_t    *parent_start;	/* [n_nodes + 1] CSR over parents */
	int32_t    *parent;			/* [n_edges] */
	int32_t    *topo;			/* [n_nodes] children before parents */
	int32_t    *preorder;		/* [n_nodes] depth first from the root */
	int32_t    *rank;			/* [n_nodes] position of a node in preorder */
	int32_t    *scratch;		/* [2 * max_nodes] for finish alone */
} RvdDag;

/* Bytes needed for a graph of that many nodes and edges; 0 if out of range. */
extern size_t rvd_dag_size(int32_t max_nodes, int32_t max_edges);

/* mem must be 8-byte aligned and live as long as the graph. */
extern RvdStatus rvd_dag_init(RvdDag *dag, void *mem, size_t size,
							  int32_t max_nodes, int32_t max_edges);

/* Copies *node; *index (may be NULL) receives its position.  O(1). */
extern RvdStatus rvd_dag_add_node(RvdDag *dag, const RvdDagNode *node,
								  int32_t *index);

/* Both ends must exist and differ.  O(1). */
extern RvdStatus rvd_dag_add_edge(RvdDag *dag, int32_t child, int32_t parent,
								  RvdEdgeKind kind);

/*
 * Build CSR arrays, a topological order (children first; deterministic),
 * the order of a depth-first visit and depths.  RVD_ERR_CYCLE if cyclic,
 * RVD_ERR_ARGUMENT if empty or if not exactly one node has no parent,
 * RVD_ERR_STATE if finished before; the graph is unusable after a failure.
 * O(nodes + edges).
 */
extern RvdStatus rvd_dag_finish(RvdDag *dag);

/*
 * Identity of a plan shape: operators, relations, indexes, labels, flags,
 * edge kinds, order of inputs and what is shared; not costs, rows, widths,
 * plan_node_id or the order in which nodes were added.  Needs finish (else
 * 0).  O(nodes + edges).
 */
extern uint64_t rvd_dag_fingerprint(const RvdDag *dag);

#endif							/* RVD_DAG_H */
