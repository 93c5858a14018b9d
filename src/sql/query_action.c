/*-------------------------------------------------------------------------
 *
 * query_action.c
 *	  What could be done about an operator that dominates its plan.
 *
 * One sentence from the plan's estimates alone: what the operator does, in
 * figures, and what usually makes that less.  Nothing is tried.
 *
 * Everything in CurrentMemoryContext.  Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "executor/nodeHash.h"
#include "miscadmin.h"
#include "utils/syscache.h"

#include "ruvector_dag/plan_dag.h"
#include "query_view.h"

/* A scan that returns less than this share of its table is selective. */
#define SELECTIVE_SHARE		0.1

/* An input run more often than this is looked up, not read. */
#define MANY_LOOPS			1000

/* Fewer rows than this do not pay for starting workers. */
#define FEW_ROWS_PARALLEL	1000

/* As statistics say; -1: never analyzed. */
static double
table_rows(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	double		rows = -1;

	if (HeapTupleIsValid(tuple))
	{
		rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
		ReleaseSysCache(tuple);
	}
	return rows;
}

/* Of all inputs that deliver rows, per run. */
static double
input_rows(const RvdQueryView *q, int node)
{
	double		rows = 0;

	for (int e = q->dag.child_start[node]; e < q->dag.child_start[node + 1]; e++)
		if (q->dag.child_kind[e] != RVD_EDGE_INITPLAN &&
			q->dag.child_kind[e] != RVD_EDGE_SUBPLAN)
			rows += q->dag.nodes[q->dag.child[e]].est_rows;
	return rows;
}

static double
outer_rows(const RvdQueryView *q, int node)
{
	for (int e = q->dag.child_start[node]; e < q->dag.child_start[node + 1]; e++)
		if (q->dag.child_kind[e] == RVD_EDGE_OUTER)
			return q->dag.nodes[q->dag.child[e]].est_rows;
	return 1;
}

/*
 * Rows of a scan that several processes share: the plan says how many each
 * returns.  The planner's rule: the leader helps less the more workers it has
 * to serve.
 */
static double
scan_rows(const RvdQueryView *q, int node)
{
	const RvdDag *dag = &q->dag;
	const RvdOpRoles *roles = rvd_plan_op_roles();
	double		rows = dag->nodes[node].est_rows;

	if (!(dag->nodes[node].flags & RVD_NODE_PARALLEL_AWARE))
		return rows;
	while (dag->parent_start[node + 1] > dag->parent_start[node])
	{
		node = dag->parent[dag->parent_start[node]];
		if (roles->traits[dag->nodes[node].op] & RVD_OP_IS_GATHER)
		{
			double		workers = dag->nodes[node].variant;

			return rows * (workers + Max(1.0 - 0.3 * workers, 0));
		}
	}
	return rows;
}

static const char *
size_text(double bytes)
{
	return bytes < 1024 * 1024 ? psprintf("%.0f kB", bytes / 1024) :
		psprintf("%.0f MB", bytes / 1024 / 1024);
}

/* ---- by kind of operator ----------------------------------------------------- */

/* What part of it a scan is expected to read: a Limit may stop it. */
static double
part_read(const RvdQueryView *q, int node)
{
	double		whole = q->dag.nodes[node].total_cost * q->view.loops[node];

	return whole > 0 && q->view.self_cost[node] < whole * 0.99 ?
		q->view.self_cost[node] / whole : 1;
}

static char *
seq_scan_action(const RvdQueryView *q, int node)
{
	Oid			relation = q->dag.nodes[node].relation;
	double		all = OidIsValid(relation) ? table_rows(relation) : 0;
	double		rows = scan_rows(q, node);
	double		part = part_read(q, node);

	if (all < 0)
		return pstrdup("the table was never analyzed: run ANALYZE on it");
	if (q->view.loops[node] >= MANY_LOOPS)
		return psprintf("reads the table %.0f times: an index on the columns it is joined by",
						q->view.loops[node]);
	all = Max(all, rows);
	if (rows < all * SELECTIVE_SHARE)
		return psprintf("reads %.0f of %.0f rows for %.0f: an index on the columns of its filter",
						all * part, all, rows * part);
	return psprintf("reads %.0f of %.0f rows, for which no index would help: only fewer rows would",
					all * part, all);
}

static char *
lookup_action(const RvdQueryView *q, int node)
{
	double		loops = q->view.loops[node];

	if (loops >= MANY_LOOPS)
		return psprintf("looked up %.0f times: check the row estimate of the join's outer side, or join by hashing",
						loops);
	if (loops >= 2)
		return psprintf("looked up %.0f times for %.0f rows each: fewer rows on the join's outer side",
						loops, scan_rows(q, node));
	return psprintf("reads %.0f rows by an index: a more selective one, or fewer rows",
					scan_rows(q, node));
}

/* Does what is kept fit into memory? */
static char *
memory_action(const RvdQueryView *q, double rows, int node, double limit,
			  const char *does, const char *setting, const char *other)
{
	double		bytes = rows * Max(q->dag.nodes[node].width, 1);

	if (bytes > limit)
		return psprintf("%s about %s, more than fits into memory: more %s, or %s",
						does, size_text(bytes), setting, other);
	return psprintf("%s about %s in memory: %s", does, size_text(bytes),
					other);
}

static char *
gather_action(const RvdQueryView *q, int node)
{
	int			workers = q->dag.nodes[node].variant;
	double		rows = q->dag.nodes[node].est_rows;

	if (rows < FEW_ROWS_PARALLEL)
		return psprintf("starts workers (%d) for %.0f rows: if what is below gets cheaper, they are not needed",
						workers, rows);
	return psprintf("takes %.0f rows from workers (%d): aggregate or filter below it",
					rows, workers);
}

static char *
other_action(const RvdQueryView *q, int node)
{
	const RvdDag *dag = &q->dag;

	if (rvd_plan_op_roles()->traits[dag->nodes[node].op] & RVD_OP_IS_GATHER)
		return gather_action(q, node);
	if (dag->nodes[node].op == RVD_OP_MODIFY_TABLE)
		return psprintf("writes %.0f rows: indexes and triggers of the table count as well",
						input_rows(q, node));
	if (dag->child_start[node] == dag->child_start[node + 1])
		return psprintf("returns %.0f rows: fewer would help",
						dag->nodes[node].est_rows);
	return psprintf("takes in %.0f rows: fewer would help",
					input_rows(q, node));
}

char *
rvd_query_view_action(const RvdQueryView *q, int node)
{
	const RvdDagNode *n = &q->dag.nodes[node];

	switch (rvd_plan_op_roles()->cost_class[n->op])
	{
		case RVD_COST_SEQ_SCAN:
			return seq_scan_action(q, node);
		case RVD_COST_INDEX_SCAN:
		case RVD_COST_BITMAP_SCAN:
			return lookup_action(q, node);
		case RVD_COST_NESTED_LOOP:
			return psprintf("runs its inner side %.0f times: check the row estimate of the outer side",
							outer_rows(q, node));
		case RVD_COST_HASH:
			return memory_action(q, n->est_rows, node,
								 get_hash_memory_limit(), "hashes",
								 "work_mem or hash_mem_multiplier",
								 "filter the hashed side earlier");
		case RVD_COST_HASH_JOIN:
		case RVD_COST_MERGE_JOIN:
			return psprintf("makes %.0f rows of %.0f: filter its inputs earlier",
							n->est_rows, input_rows(q, node));
		case RVD_COST_MATERIAL:
			return psprintf("returns %.0f kept rows %.0f times: check the row estimate of the join's outer side, or join by hashing",
							n->est_rows, q->view.loops[node]);
		case RVD_COST_SORT:
			return memory_action(q, input_rows(q, node), node,
								 work_mem * 1024.0, "sorts", "work_mem",
								 "an index in that order");
		case RVD_COST_AGGREGATE:
			return psprintf("aggregates %.0f rows: filter or aggregate them earlier",
							input_rows(q, node));
		default:
			return other_action(q, node);
	}
}
