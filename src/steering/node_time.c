/*-------------------------------------------------------------------------
 *
 * node_time.c
 *	  Counts and times of an executed plan, by node of its graph, and what
 *	  they teach the latency model.
 *
 * The server's clock of a node includes its inputs, all loops and, below
 * Gather, all workers.  An input's time is taken off the node that pulls it:
 * for a CTE the reader that took longest, for an InitPlan the node it is
 * attached to.  Where that is not quite where the time was spent, a negative
 * remainder is cut to nothing.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "executor/instrument.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"

#include "ruvector_dag/look.h"
#include "ruvector_dag/observe.h"
#include "ruvector_dag/plan_dag.h"

/* Shares below this are as good as nothing. */
#define SMALL_SHARE		0.001

/* Kinds of operators with less of the cost than this are not judged. */
#define MIN_COST_SHARE	0.01

typedef struct NodeClock
{
	const RvdDag *dag;
	int			max_id;
	int		   *index;			/* by plan_node_id; -1: not in the graph */
	double	   *act_rows;
	double	   *total_ms;
} NodeClock;

static bool
read_clocks(PlanState *ps, void *context)
{
	NodeClock  *c = context;
	int			id;

	if (ps == NULL)
		return false;
	id = ps->plan->plan_node_id;
	if (ps->instrument && id >= 0 && id <= c->max_id && c->index[id] >= 0)
	{
		Instrumentation *in = ps->instrument;
		int			i = c->index[id];

		InstrEndLoop(in);
		if (in->nloops > 0)
		{
			c->act_rows[i] = in->ntuples / in->nloops;
			c->total_ms[i] = in->total * 1000.0;
		}
	}
	return planstate_tree_walker(ps, read_clocks, context);
}

static void
number_nodes(NodeClock *c)
{
	for (int i = 0; i < c->dag->n_nodes; i++)
		c->max_id = Max(c->max_id, c->dag->nodes[i].plan_node_id);
	c->index = palloc(sizeof(int) * (c->max_id + 1));
	for (int i = 0; i <= c->max_id; i++)
		c->index[i] = -1;
	for (int i = 0; i < c->dag->n_nodes; i++)
		if (c->dag->nodes[i].plan_node_id >= 0)
			c->index[c->dag->nodes[i].plan_node_id] = i;
}

/* The consumer whose clock a shared producer's time is in. */
static int
longest_consumer(const RvdDag *dag, const double *total_ms, int node)
{
	int			best = -1;

	for (int e = dag->parent_start[node]; e < dag->parent_start[node + 1]; e++)
		if (best < 0 || total_ms[dag->parent[e]] > total_ms[best])
			best = dag->parent[e];
	return best;
}

static void
subtract_inputs(const RvdDag *dag, const double *total_ms, double *self_ms)
{
	memcpy(self_ms, total_ms, sizeof(double) * dag->n_nodes);
	for (int i = 0; i < dag->n_nodes; i++)
	{
		int			consumer = longest_consumer(dag, total_ms, i);

		if (consumer >= 0)
			self_ms[consumer] -= total_ms[i];
	}
	for (int i = 0; i < dag->n_nodes; i++)
		self_ms[i] = Max(self_ms[i], 0);
}

void
rvd_observe_nodes(QueryDesc *query_desc, const RvdDag *dag, double *act_rows,
				  double *self_ms)
{
	NodeClock	c = {0};

	c.dag = dag;
	c.act_rows = act_rows;
	c.total_ms = palloc0(sizeof(double) * dag->n_nodes);
	for (int i = 0; i < dag->n_nodes; i++)
		act_rows[i] = -1;
	number_nodes(&c);
	if (query_desc->planstate)
		(void) read_clocks(query_desc->planstate, &c);
	if (self_ms)
		subtract_inputs(dag, c.total_ms, self_ms);
	pfree(c.total_ms);
	pfree(c.index);
}

/* ---- targets ------------------------------------------------------------------ */

static double
row_error(const RvdDag *dag, const double *act_rows, int i)
{
	if (act_rows[i] < 0)
		return NAN;
	return log((act_rows[i] + 1) / (Max(dag->nodes[i].est_rows, 0) + 1));
}

/* What a node's own estimate added to the errors of its inputs. */
static double
added_error(const RvdDag *dag, const double *act_rows, int i)
{
	double		error = row_error(dag, act_rows, i);

	for (int e = dag->child_start[i]; e < dag->child_start[i + 1]; e++)
		if (dag->child_kind[e] <= RVD_EDGE_MEMBER)
			error -= row_error(dag, act_rows, dag->child[e]);
	return error;
}

static void
row_targets(const RvdDag *dag, const double *act_rows, float *targets)
{
	const RvdOpRoles *roles = rvd_plan_op_roles();
	double		sum[3] = {0};
	int			n[3] = {0};

	for (int i = 0; i < dag->n_nodes; i++)
	{
		int			traits = roles->traits[dag->nodes[i].op];
		int			which = traits & RVD_OP_IS_SCAN ? 0 :
			traits & RVD_OP_IS_JOIN ? 1 :
			traits & RVD_OP_IS_AGGREGATE ? 2 : -1;
		double		error = which < 0 ? NAN :
			which == 1 ? added_error(dag, act_rows, i) :
			row_error(dag, act_rows, i);

		if (isnan(error))
			continue;
		sum[which] += error;
		n[which]++;
	}
	for (int k = 0; k < 3; k++)
		if (n[k] > 0)
			targets[RVD_OUT_ROWS_SCAN - 1 + k] = (float) (sum[k] / n[k]);
}

/* Per kind of operator: ln of its share of time over its share of cost. */
static void
cost_targets(const RvdDag *dag, const double *self_ms, float *targets)
{
	const RvdOpRoles *roles = rvd_plan_op_roles();
	double	   *loops = palloc(sizeof(double) * dag->n_nodes);
	double	   *cost = palloc(sizeof(double) * dag->n_nodes);
	double		ms_of[RVD_COST_CLASSES] = {0};
	double		cost_of[RVD_COST_CLASSES] = {0};
	double		ms = 0;
	double		units = 0;

	rvd_features_loops(dag, roles, loops);
	rvd_features_self_cost(dag, roles, loops, cost);
	for (int i = 0; i < dag->n_nodes; i++)
	{
		int			class = roles->cost_class[dag->nodes[i].op];

		ms_of[class] += self_ms[i];
		cost_of[class] += cost[i];
		ms += self_ms[i];
		units += cost[i];
	}
	for (int k = 0; k < RVD_COST_CLASSES && ms > 0 && units > 0; k++)
		if (cost_of[k] >= MIN_COST_SHARE * units)
			targets[RVD_OUT_COST - 1 + k] =
				(float) log((ms_of[k] / ms + SMALL_SHARE) /
							(cost_of[k] / units + SMALL_SHARE));
	pfree(loops);
	pfree(cost);
}

void
rvd_observe_targets(const RvdDag *dag, const double *act_rows,
					const double *self_ms, float *targets)
{
	for (int i = 0; i < RVD_TRAJECTORY_TARGETS; i++)
		targets[i] = NAN;
	row_targets(dag, act_rows, targets);
	if (self_ms)
		cost_targets(dag, self_ms, targets);
}

/* ---- the whole ------------------------------------------------------------------ */

void
rvd_observation_init(RvdObservation *o)
{
	o->counted = o->timed = false;
	o->news = 0;
	for (int i = 0; i < RVD_TRAJECTORY_NODES; i++)
		o->rows[i] = o->self_ms[i] = -1;
	for (int i = 0; i < RVD_TRAJECTORY_TARGETS; i++)
		o->targets[i] = NAN;
}

void
rvd_observe_run(QueryDesc *query_desc, RvdTag *tag, bool complete, bool timed,
				RvdObservation *o)
{
	MemoryContext old = MemoryContextSwitchTo(query_desc->estate->es_query_cxt);
	double	   *act_rows;
	double	   *self_ms;
	RvdDag		dag;

	rvd_observation_init(o);
	o->counted = complete;
	o->timed = timed && complete;
	o->news = rvd_observe_rows(query_desc, tag, complete, o->rows);
	if (complete &&
		rvd_plan_dag_build(query_desc->plannedstmt, &dag) == RVD_OK)
	{
		act_rows = palloc(sizeof(double) * dag.n_nodes);
		self_ms = palloc(sizeof(double) * dag.n_nodes);
		rvd_observe_nodes(query_desc, &dag, act_rows, timed ? self_ms : NULL);
		rvd_observe_targets(&dag, act_rows, timed ? self_ms : NULL,
							o->targets);
		if (timed)
		{
			for (int i = 0; i < Min(dag.n_nodes, RVD_TRAJECTORY_NODES); i++)
				o->self_ms[i] = (float) self_ms[i];
			rvd_reflect_timed(tag->queryid, &dag, self_ms, act_rows);
		}
	}
	MemoryContextSwitchTo(old);
}
