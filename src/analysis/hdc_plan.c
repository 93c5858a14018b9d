/*-------------------------------------------------------------------------
 *
 * hdc_plan.c
 *	  Encoding a plan as a hyperdimensional code.  See hdc.h.
 *
 * A plan is a multiset of features, each one code, all of weight 1:
 *
 *	per node	operator, relation and index			hashed
 *	per node	OP ^ LEVEL(rows) ^ ROLE_ROWS			product
 *	per edge	parent's and child's operator, side		hashed
 *	per constant of the statement, its hash				hashed
 *
 * An operator is RvdOp with its variant; a side is the kind of the edge.
 * Hashed features are independent whenever they differ, so that distances
 * follow the law of bundles exactly; the product keeps plans near whose row
 * counts are near.  A level is two octaves of rows.
 *
 * Cost: 2 n + edges + parameters codes are generated from their seeds, which
 * takes most of the time; adding seven of them costs less than one.
 *
 * Memory: the caller's bundle and 10 KB of stack.  Persisted: codes must
 * never change.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "hdc_simd.h"

#include <math.h>

#include "hdc_private.h"
#include "ruvector_dag/hash.h"

/* Tags that keep tuples of different meaning apart, and the one role. */
#define TUPLE_NODE		1
#define TUPLE_EDGE		2
#define ROLE_ROWS		1

/* Features wait here until there are enough to be added at once. */
typedef struct Batch
{
	RvdHdcBundle *bundle;
	int			n;
	RvdHdc		row[RVD_SLICE_ROWS];
} Batch;

static void
flush(Batch *batch)
{
	rvd_hdc_bundle_add_rows(batch->bundle, batch->row, batch->n);
	batch->n = 0;
}

/* Room for one more feature. */
static RvdHdc *
next_row(Batch *batch)
{
	if (batch->n == RVD_SLICE_ROWS)
		flush(batch);
	return &batch->row[batch->n++];
}

static uint64_t
operator_id(const RvdDagNode *node)
{
	return (uint64_t) node->op << 16 | node->variant;
}

/* round(log2(rows + 1) / 2), at most the highest level; NaN counts as 0. */
static int
rows_level(double rows)
{
	double		level;

	if (!(rows > 0))
		return 0;
	level = floor(log2(rows + 1) / 2 + 0.5);
	return level < RVD_HDC_LEVELS ? (int) level : RVD_HDC_LEVELS - 1;
}

/* rows_zero: level 0 in the role of a row count. */
static void
add_node(Batch *batch, const RvdDagNode *node, const RvdHdc *rows_zero)
{
	uint64_t	tuple = rvd_hash_combine(TUPLE_NODE, operator_id(node));
	RvdHdc	   *row;

	tuple = rvd_hash_combine(tuple, node->relation);
	tuple = rvd_hash_combine(tuple, node->index);
	rvd_hdc_atom(RVD_HDC_FEATURE, tuple, next_row(batch));

	row = next_row(batch);
	rvd_hdc_atom(RVD_HDC_OPERATOR, operator_id(node), row);
	rvd_hdc_bind(row, rows_zero, row);
	rvd_hdc_raise_level(row, rows_level(node->est_rows));
}

static void
add_edge(Batch *batch, const RvdDag *dag, int edge)
{
	const RvdDagNode *parent = &dag->nodes[dag->edge_parent[edge]];
	const RvdDagNode *child = &dag->nodes[dag->edge_child[edge]];
	uint64_t	tuple = rvd_hash_combine(TUPLE_EDGE, operator_id(parent));

	tuple = rvd_hash_combine(tuple, operator_id(child));
	tuple = rvd_hash_combine(tuple, dag->edge_kind[edge]);
	rvd_hdc_atom(RVD_HDC_FEATURE, tuple, next_row(batch));
}

RvdStatus
rvd_hdc_encode_plan(const RvdDag *dag, const uint64_t *parameters,
					int n_parameters, RvdHdcBundle *bundle, RvdHdc *out)
{
	Batch		batch;
	RvdHdc		role;
	RvdHdc		rows_zero;
	int64_t		n_features;

	if (dag->n_nodes < 1 || n_parameters < 0)
		return RVD_ERR_ARGUMENT;
	n_features = 2 * (int64_t) dag->n_nodes + dag->n_edges + n_parameters;
	if (n_features >= INT64_C(1) << RVD_HDC_PLANES)
		return RVD_ERR_FULL;

	rvd_hdc_bundle_init(bundle);
	batch.bundle = bundle;
	batch.n = 0;
	rvd_hdc_atom(RVD_HDC_ROLE, ROLE_ROWS, &role);
	rvd_hdc_level(0, &rows_zero);
	rvd_hdc_bind(&rows_zero, &role, &rows_zero);
	for (int i = 0; i < dag->n_nodes; i++)
		add_node(&batch, &dag->nodes[i], &rows_zero);
	for (int i = 0; i < dag->n_edges; i++)
		add_edge(&batch, dag, i);
	for (int i = 0; i < n_parameters; i++)
		rvd_hdc_atom(RVD_HDC_PARAMETER, parameters[i], next_row(&batch));
	flush(&batch);
	return rvd_hdc_bundle_majority(bundle, out);
}
