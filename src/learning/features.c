/*-------------------------------------------------------------------------
 *
 * features.c
 *	  How often each operator runs, and what it costs by itself.
 *
 * The planner's costs are per run and include the inputs, and not every input
 * runs to its end: a Limit stops early, a merge join may, a nested loop pays
 * less for the second scan of what a Material keeps.  So costs are handed
 * down from the root: each operator has an amount, the root the cost of the
 * plan; its inputs ask for what they would cost by their own estimate, inputs
 * that run once first; what is left is the operator's own.  An input that got
 * less than it asked for asks for less below, in proportion.
 *
 * Memory: the results double as accumulators, nothing else is needed.
 * Concurrency: none, the graph is only read.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/features.h"

#include <stdbool.h>

#define MAX_LOOPS		1e12

/* Rounds of a recursive union: what the planner assumes for any. */
#define ROUNDS			10.0

/* Beyond any plan's; keeps products finite. */
#define MAX_AMOUNT		1e100

#define UNSERVED		(-1.0)

/* How an input is served from its consumer's amount, in this order. */
typedef enum Serve
{
	SERVE_FIRST = 0,			/* runs once, to its end */
	SERVE_PLAIN,				/* runs with its consumer */
	SERVE_REPEATED,				/* per row: the least sure of the estimates */
	SERVE_NEVER					/* paid elsewhere */
} Serve;

/* One operator and what its inputs deliver per run. */
typedef struct Consumer
{
	int32_t		v;
	double		outer_rows;		/* >= 1 */
	double		rows_seen;		/* >= 1, by its expressions */
} Consumer;

/* Not fmin and fmax: those are calls, and nothing here is NaN. */
static double
lesser(double a, double b)
{
	return a < b ? a : b;
}

static double
greater(double a, double b)
{
	return a > b ? a : b;
}

/* A number of the planner's made harmless. */
static double
amount(double x)
{
	if (!(x > 0))
		return 0;				/* NaN too */
	return x < MAX_AMOUNT ? x : MAX_AMOUNT;
}

static unsigned
traits_of(const RvdDag *dag, const RvdOpRoles *roles, int32_t v)
{
	int			op = dag->nodes[v].op;

	return op < roles->n_ops ? roles->traits[op] : 0;
}

static bool
is_loop(const RvdDag *dag, const RvdOpRoles *roles, int32_t v)
{
	return (traits_of(dag, roles, v) & RVD_OP_IS_LOOP) != 0;
}

static bool
is_store(const RvdDag *dag, const RvdOpRoles *roles, int32_t v)
{
	return (traits_of(dag, roles, v) & RVD_OP_IS_STORE) != 0;
}

/* Of operators without a class, only recursive unions have an inner input. */
static bool
is_recursion(const RvdDag *dag, const RvdOpRoles *roles, int32_t v)
{
	int			op = dag->nodes[v].op;

	return op < roles->n_ops && roles->cost_class[op] == RVD_COST_OTHER;
}

/*
 * Expressions are evaluated for the rows that come in or, in a scan, for
 * more than go out; how many more the plan does not say.
 */
static Consumer
consumer_of(const RvdDag *dag, int32_t v)
{
	Consumer	c = {v, 0, 0};

	for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
	{
		double		rows = amount(dag->nodes[dag->child[e]].est_rows);

		if (dag->child_kind[e] == RVD_EDGE_OUTER)
			c.outer_rows += rows;
		if (dag->child_kind[e] == RVD_EDGE_OUTER ||
			dag->child_kind[e] == RVD_EDGE_MEMBER ||
			dag->child_kind[e] == RVD_EDGE_SUBQUERY)
			c.rows_seen += rows;
	}
	c.outer_rows = greater(c.outer_rows, 1);
	c.rows_seen = greater(c.rows_seen, amount(dag->nodes[v].est_rows));
	c.rows_seen = greater(c.rows_seen, 1);
	return c;
}

static Serve
serve_of(const RvdDag *dag, const RvdOpRoles *roles, int32_t v, int32_t e)
{
	switch (dag->child_kind[e])
	{
		case RVD_EDGE_INITPLAN:
			return SERVE_FIRST;
		case RVD_EDGE_SHARED:
			return SERVE_NEVER;
		case RVD_EDGE_SUBPLAN:
			return dag->nodes[dag->child[e]].flags & RVD_NODE_HASHED ?
				SERVE_FIRST : SERVE_REPEATED;
		case RVD_EDGE_INNER:
			return is_loop(dag, roles, v) || is_recursion(dag, roles, v) ?
				SERVE_REPEATED : SERVE_PLAIN;
		default:
			return SERVE_PLAIN;
	}
}

/* Runs of a repeated input per run of its consumer. */
static double
repeats(const RvdDag *dag, const RvdOpRoles *roles, const Consumer *c,
		int32_t e)
{
	if (dag->child_kind[e] == RVD_EDGE_SUBPLAN)
		return c->rows_seen;
	return is_loop(dag, roles, c->v) ? c->outer_rows : ROUNDS;
}

/* ---- loops ------------------------------------------------------------- */

/* Runs that an operator, run so often itself, gives to its inputs. */
static void
hand_down_loops(const RvdDag *dag, const RvdOpRoles *roles, int32_t v,
				double *loops)
{
	Consumer	consumer = consumer_of(dag, v);

	for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
	{
		int32_t		c = dag->child[e];
		Serve		serve = serve_of(dag, roles, v, e);
		double		runs = loops[v];

		if (serve == SERVE_NEVER)
			continue;
		if (serve == SERVE_FIRST)
			runs = 1;
		else if (serve == SERVE_REPEATED &&
				 !(dag->child_kind[e] == RVD_EDGE_INNER &&
				   is_loop(dag, roles, v) && is_store(dag, roles, c)))
			runs *= repeats(dag, roles, &consumer, e);
		loops[c] = lesser(loops[c] + runs, MAX_LOOPS);
	}
}

void
rvd_features_loops(const RvdDag *dag, const RvdOpRoles *roles, double *loops)
{
	for (int32_t v = 0; v < dag->n_nodes; v++)
		loops[v] = 0;

	/* consumers first: how often what each operator returns is made */
	for (int32_t i = dag->n_nodes - 1; i >= 0; i--)
	{
		int32_t		v = dag->topo[i];

		loops[v] = greater(loops[v], 1);
		hand_down_loops(dag, roles, v, loops);
	}

	/* a store below a loop is read as often as anything else there */
	for (int32_t v = 0; v < dag->n_nodes; v++)
	{
		double		more;

		if (!is_loop(dag, roles, v))
			continue;
		more = loops[v] * (consumer_of(dag, v).outer_rows - 1);
		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
		{
			double	   *own = &loops[dag->child[e]];

			if (dag->child_kind[e] == RVD_EDGE_INNER &&
				is_store(dag, roles, dag->child[e]))
				*own = lesser(*own + more, MAX_LOOPS);
		}
	}
}

/* ---- costs ------------------------------------------------------------- */

/* How often an operator's inputs are run: a store's less often than itself. */
static double
runs_of_inputs(const RvdDag *dag, const RvdOpRoles *roles, int32_t v,
			   const double *loops)
{
	if (is_store(dag, roles, v))
		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
			if (dag->child_kind[e] == RVD_EDGE_OUTER)
				return lesser(loops[v], loops[dag->child[e]]);
	return loops[v];
}

/*
 * What input e asks for.  done: the share of its estimate that the consumer
 * got, at most 1.
 */
static double
request(const RvdDag *dag, const RvdOpRoles *roles, const Consumer *consumer,
		int32_t e, Serve serve, const double *loops, double runs, double done)
{
	double		once = amount(dag->nodes[dag->child[e]].total_cost);

	if (serve == SERVE_FIRST)
		return once;
	if (serve == SERVE_PLAIN)
		return once * runs * done;
	runs = loops[consumer->v] * repeats(dag, roles, consumer, e);
	return once * lesser(runs, MAX_LOOPS) * done;
}

/* Serve all inputs of one urgency; returns what is left. */
static double
serve_inputs(const RvdDag *dag, const RvdOpRoles *roles,
			 const Consumer *consumer, Serve serve, const double *loops,
			 double runs, double done, double left, double *self)
{
	int32_t		first = dag->child_start[consumer->v];
	int32_t		end = dag->child_start[consumer->v + 1];
	double		asked = 0;
	double		scale;

	for (int32_t e = first; e < end; e++)
		if (serve_of(dag, roles, consumer->v, e) == serve)
			asked += request(dag, roles, consumer, e, serve, loops, runs,
							 done);
	if (!(asked > 0))
		scale = 0;
	else
		scale = asked > left ? left / asked : 1;
	for (int32_t e = first; e < end; e++)
	{
		double	   *share = &self[dag->child[e]];

		if (serve_of(dag, roles, consumer->v, e) != serve)
			continue;
		*share = greater(*share, 0) +
			scale * request(dag, roles, consumer, e, serve, loops, runs,
							done);
	}
	return greater(left - scale * asked, 0);
}

void
rvd_features_self_cost(const RvdDag *dag, const RvdOpRoles *roles,
					   const double *loops, double *self)
{
	/* until an operator's turn comes: the amount it was served */
	for (int32_t v = 0; v < dag->n_nodes; v++)
		self[v] = UNSERVED;

	for (int32_t i = dag->n_nodes - 1; i >= 0; i--)
	{
		int32_t		v = dag->topo[i];
		Consumer	consumer;
		double		runs = runs_of_inputs(dag, roles, v, loops);
		double		full = amount(dag->nodes[v].total_cost) * runs;
		double		left = self[v] == UNSERVED ? full : self[v];
		double		done = full > 0 ? lesser(left / full, 1) : 0;

		self[v] = left;
		if (dag->child_start[v] == dag->child_start[v + 1])
			continue;
		consumer = consumer_of(dag, v);
		for (Serve serve = SERVE_FIRST; serve < SERVE_NEVER; serve++)
			left = serve_inputs(dag, roles, &consumer, serve, loops, runs,
								done, left, self);
		self[v] = left;
	}
}
