/*-------------------------------------------------------------------------
 *
 * node_lookup.c
 *	  Which executed scans teach the rows of a parameterised lookup.
 *
 * A nested loop hands values down by executor parameters; the columns they
 * come from, with their equals in the outer side, name the lookup.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"

#include "ruvector_dag/compat.h"

#include "node_map.h"

typedef struct ParamList
{
	int			ids[MAX_NEST_PARAMS];
	int			n;
} ParamList;

static bool
collect_params(Node *node, ParamList *list)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
	{
		Param	   *param = (Param *) node;

		if (param->paramkind == PARAM_EXEC && list->n < MAX_NEST_PARAMS)
			list->ids[list->n++] = param->paramid;
		return false;
	}
	return expression_tree_walker(node, collect_params, (void *) list);
}

void
rvd_node_push_params(MapContext *m, NestLoop *join)
{
	ListCell   *lc;

	foreach(lc, join->nestParams)
	{
		NestLoopParam *nlp = (NestLoopParam *) lfirst(lc);
		NestParam  *out;

		if (m->n_params == MAX_NEST_PARAMS)
			return;
		out = &m->params[m->n_params++];
		out->paramno = nlp->paramno;
		out->rti = 0;
		/* the executor's OUTER_VAR keeps the column it came from */
		if (IsA(nlp->paramval, Var))
		{
			out->rti = nlp->paramval->varnosyn;
			out->attno = nlp->paramval->varattnosyn;
		}
	}
}

/* Conditions its index answers. */
static List *
index_conditions(Plan *scan)
{
	switch (nodeTag(scan))
	{
		case T_IndexScan:
			return ((IndexScan *) scan)->indexqualorig;
		case T_IndexOnlyScan:
			return ((IndexOnlyScan *) scan)->indexqual;
		case T_BitmapHeapScan:
			return ((BitmapHeapScan *) scan)->bitmapqualorig;
		default:
			return NIL;
	}
}

/* The column behind an executor parameter set by a nested loop, if plain. */
static bool
param_column(MapContext *m, PlannerInfo *root, int paramno, RvdColumn *column)
{
	for (int j = 0; j < m->n_params; j++)
	{
		NestParam  *np = &m->params[j];

		if (np->paramno != paramno || np->rti == 0 ||
			np->rti > (Index) list_length(m->stmt->rtable) ||
			m->root[np->rti] != root)
			continue;
		column->rti = m->rti[np->rti];
		column->attno = np->attno;
		return true;
	}
	return false;
}

/* A single column stands together with its equals in the outer side. */
static int
add_equals(MapContext *m, RvdRoot *root, Index own, NodeState st,
		   RvdColumn *columns)
{
	RvdColumn	equals[RVD_LOOKUP_COLUMNS];
	int			n = rvd_root_equal_columns(root, own, columns[0], equals);
	int			kept = 1;

	for (int i = 1; i < n; i++)
		if (st.outer_root == rvd_root_planner(root) &&
			bms_is_member(equals[i].rti, st.outer))
			columns[kept++] = equals[i];
	return kept;
}

/* The distinct columns behind the parameters; 0: none, or not all known. */
static int
outer_columns(MapContext *m, PlannerInfo *root, const ParamList *list,
			  RvdColumn *columns)
{
	int			n = 0;

	for (int i = 0; i < list->n; i++)
	{
		RvdColumn	c;
		bool		seen = false;

		if (!param_column(m, root, list->ids[i], &c))
			return 0;			/* also depends on something else */
		for (int k = 0; k < n; k++)
			seen |= columns[k].rti == c.rti && columns[k].attno == c.attno;
		if (seen)
			continue;
		if (n == RVD_LOOKUP_COLUMNS)
			return 0;
		columns[n++] = c;
	}
	return n;
}

static void
record_columns(MapContext *m, const ParamList *list, Plan *counter,
			   NodeState st, const NodeResult *r, bool fetched)
{
	RvdRoot    *root = rvd_planning_root(m->p, r->root);
	RvdColumn	columns[RVD_LOOKUP_COLUMNS];
	int			n = outer_columns(m, r->root, list, columns);
	int			own;
	RvdSubject	s;

	if (n == 0 || !bms_get_singleton_member(r->set, &own))
		return;
	if (n == 1)
		n = add_equals(m, root, own, st, columns);
	if (rvd_root_lookup_subject(root, own, columns, n, fetched, &s))
		rvd_node_record(m, counter, st, r, &s, fetched);
}

void
rvd_node_record_lookup(MapContext *m, Plan *scan, Plan *counter, NodeState st,
					   const NodeResult *r)
{
	ParamList	list = {.n = 0};
	NodeState	whole = st;

	(void) collect_params((Node *) index_conditions(scan), &list);
	/* each loop fetches what it fetches, whoever asks for it how often */
	if (counter != scan)
		whole.cut = true;
	record_columns(m, &list, scan, whole, r, true);
	(void) collect_params((Node *) scan->qual, &list);
	record_columns(m, &list, counter, st, r, false);
}
