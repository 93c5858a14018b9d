/*-------------------------------------------------------------------------
 *
 * expr_hash.c
 *	  One walk over an expression, two hashes: without and with constants.
 *
 * Not the server's query jumble, which sees range-table positions and is
 * computed before rewriting; here expressions come from the planner, and a
 * Var is known by the relation behind it.  Parse locations never enter.
 *
 * Layer 4.  No allocation.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/expr_hash.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/signature.h"

/* Deeper nesting than this is left out of the hash. */
#define MAX_QUERY_DEPTH	32

#define TOKEN_NULL		0x6e756c6cU
#define TOKEN_END		0x656e64U
#define TOKEN_CONST		0x636f6e73U

void
rvd_expr_hash_init(RvdExprHash *h, RvdRelationSignature relation,
				   void *context)
{
	memset(h, 0, sizeof(*h));
	h->sig = UINT64CONST(0x5851f42d4c957f2d);
	h->exact = UINT64CONST(0x14057b7ef767814f);
	h->relation = relation;
	h->context = context;
}

void
rvd_expr_hash_token(RvdExprHash *h, uint64 token)
{
	h->sig = rvd_hash_combine(h->sig, token);
	h->exact = rvd_hash_combine(h->exact, token);
}

static uint64
hash_datum(Datum value, bool isnull, Oid type, int16 typlen, bool typbyval)
{
	if (isnull)
		return TOKEN_NULL;
	if (typbyval)
		return rvd_hash_combine(type, (uint64) value);
	/* expanded and out-of-line values: only their address is at hand */
	if (typlen == -1 && VARATT_IS_EXTERNAL(DatumGetPointer(value)))
		return type;
	return rvd_hash_bytes(DatumGetPointer(value),
						  datumGetSize(value, false, typlen), type);
}

static void
hash_const(RvdExprHash *h, Const *c)
{
	/* a parameter and a constant are the same to the signature */
	h->sig = rvd_hash_combine(h->sig, TOKEN_CONST);
	h->exact = rvd_hash_combine(h->exact,
								hash_datum(c->constvalue, c->constisnull,
										   c->consttype, c->constlen,
										   c->constbyval));
}

static void
hash_param(RvdExprHash *h, Param *p)
{
	if (p->paramkind != PARAM_EXTERN)
	{
		rvd_expr_hash_token(h, rvd_hash_combine(p->paramkind, p->paramtype));
		return;
	}
	h->sig = rvd_hash_combine(h->sig, TOKEN_CONST);
	h->exact = rvd_hash_combine(h->exact, rvd_hash_combine(TOKEN_CONST,
														   p->paramid));
}

static void
hash_var(RvdExprHash *h, Var *v)
{
	uint64		sig;
	uint64		exact;

	rvd_expr_hash_token(h, (uint64) (uint16) v->varattno);
	if (h->query_depth == 0 && v->varlevelsup == 0)
	{
		if (h->own_rti != 0 && v->varno == (int) h->own_rti)
			return;
		if (h->relation &&
			h->relation(h->context, (Index) v->varno, &sig, &exact))
		{
			h->sig = rvd_hash_combine(h->sig, sig);
			h->exact = rvd_hash_combine(h->exact, exact);
			return;
		}
	}
	rvd_expr_hash_token(h, ((uint64) v->varlevelsup << 32) | (uint32) v->varno);
}

static bool hash_walker(Node *node, RvdExprHash *h);

static void
hash_range_table(RvdExprHash *h, List *rtable)
{
	ListCell   *lc;

	foreach(lc, rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		rvd_expr_hash_token(h, (uint64) rte->rtekind);
		rvd_expr_hash_token(h, rte->relid);
		rvd_expr_hash_token(h, (uint64) rte->jointype);
	}
}

static void
hash_query(RvdExprHash *h, Query *q)
{
	if (h->query_depth >= MAX_QUERY_DEPTH)
		return;
	h->query_depth++;
	rvd_expr_hash_token(h, (uint64) q->commandType);
	rvd_expr_hash_token(h, list_length(q->rtable));
	hash_range_table(h, q->rtable);
	(void) query_tree_walker(q, hash_walker, (void *) h, 0);
	h->query_depth--;
}

/* What tells two nodes of a kind apart, besides their children. */
static void
hash_fields(RvdExprHash *h, Node *node)
{
	switch (nodeTag(node))
	{
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			rvd_expr_hash_token(h, ((OpExpr *) node)->opno);
			break;
		case T_ScalarArrayOpExpr:
			rvd_expr_hash_token(h, ((ScalarArrayOpExpr *) node)->opno);
			rvd_expr_hash_token(h, ((ScalarArrayOpExpr *) node)->useOr);
			break;
		case T_FuncExpr:
			rvd_expr_hash_token(h, ((FuncExpr *) node)->funcid);
			break;
		case T_Aggref:
			rvd_expr_hash_token(h, ((Aggref *) node)->aggfnoid);
			break;
		case T_WindowFunc:
			rvd_expr_hash_token(h, ((WindowFunc *) node)->winfnoid);
			break;
		case T_BoolExpr:
			rvd_expr_hash_token(h, ((BoolExpr *) node)->boolop);
			break;
		case T_NullTest:
			rvd_expr_hash_token(h, ((NullTest *) node)->nulltesttype);
			break;
		case T_BooleanTest:
			rvd_expr_hash_token(h, ((BooleanTest *) node)->booltesttype);
			break;
		case T_RelabelType:
			rvd_expr_hash_token(h, ((RelabelType *) node)->resulttype);
			break;
		case T_CoerceViaIO:
			rvd_expr_hash_token(h, ((CoerceViaIO *) node)->resulttype);
			break;
		case T_MinMaxExpr:
			rvd_expr_hash_token(h, ((MinMaxExpr *) node)->op);
			break;
		case T_SQLValueFunction:
			rvd_expr_hash_token(h, ((SQLValueFunction *) node)->op);
			break;
		case T_SubLink:
			rvd_expr_hash_token(h, ((SubLink *) node)->subLinkType);
			break;
		case T_SubPlan:
			rvd_expr_hash_token(h, ((SubPlan *) node)->subLinkType);
			rvd_expr_hash_token(h, ((SubPlan *) node)->plan_id);
			break;
		case T_FieldSelect:
			rvd_expr_hash_token(h, ((FieldSelect *) node)->fieldnum);
			break;
		case T_JoinExpr:
			rvd_expr_hash_token(h, ((JoinExpr *) node)->jointype);
			break;
		case T_RangeTblRef:
			rvd_expr_hash_token(h, ((RangeTblRef *) node)->rtindex);
			break;
		case T_SortGroupClause:
			rvd_expr_hash_token(h, ((SortGroupClause *) node)->tleSortGroupRef);
			rvd_expr_hash_token(h, ((SortGroupClause *) node)->sortop);
			break;
		case T_SetOperationStmt:
			rvd_expr_hash_token(h, ((SetOperationStmt *) node)->op);
			rvd_expr_hash_token(h, ((SetOperationStmt *) node)->all);
			break;
		default:
			break;
	}
}

static bool
hash_walker(Node *node, RvdExprHash *h)
{
	if (node == NULL)
	{
		rvd_expr_hash_token(h, TOKEN_NULL);
		return false;
	}
	rvd_expr_hash_token(h, (uint64) nodeTag(node));
	switch (nodeTag(node))
	{
		case T_Const:
			hash_const(h, (Const *) node);
			return false;
		case T_Param:
			hash_param(h, (Param *) node);
			return false;
		case T_Var:
			hash_var(h, (Var *) node);
			return false;
		case T_RestrictInfo:
			return hash_walker((Node *) ((RestrictInfo *) node)->clause, h);
		case T_PlaceHolderVar:
			return hash_walker((Node *) ((PlaceHolderVar *) node)->phexpr, h);
		case T_Query:
			hash_query(h, (Query *) node);
			break;
		default:
			hash_fields(h, node);
			(void) expression_tree_walker(node, hash_walker, (void *) h);
			break;
	}
	rvd_expr_hash_token(h, TOKEN_END);
	return false;
}

void
rvd_expr_hash_node(RvdExprHash *h, Node *node)
{
	(void) hash_walker(node, h);
}

Query *
rvd_expr_cte_query(PlannerInfo *root, RangeTblEntry *rte)
{
	PlannerInfo *cteroot = root;
	ListCell   *lc;
	int			i = 0;
	int			plan_id;

	if (rte->self_reference)
		return NULL;
	for (Index up = rte->ctelevelsup; up > 0 && cteroot; up--)
		cteroot = cteroot->parent_root;
	if (cteroot == NULL)
		return NULL;
	foreach(lc, cteroot->parse->cteList)
	{
		CommonTableExpr *cte = (CommonTableExpr *) lfirst(lc);

		if (strcmp(cte->ctename, rte->ctename) == 0)
			break;
		i++;
	}
	if (lc == NULL || i >= list_length(cteroot->cte_plan_ids))
		return NULL;
	plan_id = list_nth_int(cteroot->cte_plan_ids, i);
	if (plan_id <= 0 || plan_id > list_length(root->glob->subroots))
		return NULL;
	return ((PlannerInfo *) list_nth(root->glob->subroots, plan_id - 1))->parse;
}

/* ---- a statement's constants -------------------------------------------- */

static void
hash_bound_parameters(RvdExprHash *h, ParamListInfo params)
{
	for (int i = 0; i < params->numParams; i++)
	{
		ParamExternData *p;
		ParamExternData workspace;

		p = params->paramFetch ?
			params->paramFetch(params, i + 1, true, &workspace) :
			&params->params[i];
		if (OidIsValid(p->ptype) && (p->pflags & PARAM_FLAG_CONST))
		{
			int16		typlen;
			bool		typbyval;

			get_typlenbyval(p->ptype, &typlen, &typbyval);
			h->exact = rvd_hash_combine(h->exact,
										hash_datum(p->value, p->isnull,
												   p->ptype, typlen,
												   typbyval));
		}
	}
}

uint64
rvd_query_instance(Query *query, ParamListInfo params)
{
	RvdExprHash h;

	rvd_expr_hash_init(&h, NULL, NULL);
	rvd_expr_hash_node(&h, (Node *) query);
	if (params)
		hash_bound_parameters(&h, params);
	/* 0 stands for "the class taken as one" */
	return h.exact != 0 ? h.exact : 1;
}
