/*-------------------------------------------------------------------------
 *
 * expr_text.c
 *	  Expressions as text without their constants, for people to read.
 *
 * The server's deparser prints constants and wants one relation at a time;
 * learned row counts are shown to users who may not see the values they were
 * learned with, so here every constant and parameter is "?".
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/expr_hash.h"

static void expr_text(StringInfo buf, PlannerInfo *root, Node *node);

static void
var_text(StringInfo buf, PlannerInfo *root, Var *v)
{
	RangeTblEntry *rte;

	if (v->varlevelsup != 0 || v->varno <= 0 ||
		v->varno >= root->simple_rel_array_size ||
		(rte = root->simple_rte_array[v->varno]) == NULL)
	{
		appendStringInfoString(buf, "<column>");
		return;
	}
	if (rte->rtekind == RTE_RELATION)
	{
		char	   *rel = get_rel_name(rte->relid);
		char	   *att = get_attname(rte->relid, v->varattno, true);

		appendStringInfo(buf, "%s.%s", rel ? quote_identifier(rel) : "?",
						 v->varattno == 0 ? "*" :
						 att ? quote_identifier(att) : "?");
	}
	else if (v->varattno > 0 &&
			 v->varattno <= list_length(rte->eref->colnames))
		appendStringInfo(buf, "(%s).%s",
						 rte->rtekind == RTE_SUBQUERY ? "subquery" :
						 rte->rtekind == RTE_CTE ? "cte" : "function",
						 quote_identifier(strVal(list_nth(rte->eref->colnames,
														  v->varattno - 1))));
	else
		appendStringInfoString(buf, "<column>");
}

static void
args_text(StringInfo buf, PlannerInfo *root, List *args, const char *separator)
{
	ListCell   *lc;

	foreach(lc, args)
	{
		if (foreach_current_index(lc) > 0)
			appendStringInfoString(buf, separator);
		expr_text(buf, root, (Node *) lfirst(lc));
	}
}

static void
operator_text(StringInfo buf, PlannerInfo *root, Oid opno, List *args,
			  const char *before_last, const char *after_last)
{
	char	   *name = get_opname(opno);

	if (list_length(args) == 2)
	{
		expr_text(buf, root, (Node *) linitial(args));
		appendStringInfo(buf, " %s %s", name ? name : "?", before_last);
		expr_text(buf, root, (Node *) lsecond(args));
		appendStringInfoString(buf, after_last);
	}
	else
	{
		appendStringInfo(buf, "%s ", name ? name : "?");
		args_text(buf, root, args, " ");
	}
}

static void
function_text(StringInfo buf, PlannerInfo *root, FuncExpr *f)
{
	char	   *name;

	/* a cast nobody wrote */
	if (f->funcformat == COERCE_IMPLICIT_CAST && f->args != NIL)
	{
		expr_text(buf, root, (Node *) linitial(f->args));
		return;
	}
	name = get_func_name(f->funcid);
	appendStringInfo(buf, "%s(", name ? quote_identifier(name) : "?");
	args_text(buf, root, f->args, ", ");
	appendStringInfoChar(buf, ')');
}

static void
bool_text(StringInfo buf, PlannerInfo *root, BoolExpr *b)
{
	if (b->boolop == NOT_EXPR)
	{
		appendStringInfoString(buf, "NOT ");
		expr_text(buf, root, (Node *) linitial(b->args));
		return;
	}
	appendStringInfoChar(buf, '(');
	args_text(buf, root, b->args, b->boolop == AND_EXPR ? " AND " : " OR ");
	appendStringInfoChar(buf, ')');
}

static void
expr_text(StringInfo buf, PlannerInfo *root, Node *node)
{
	check_stack_depth();
	if (node == NULL)
		return;
	switch (nodeTag(node))
	{
		case T_Var:
			var_text(buf, root, (Var *) node);
			break;
		case T_Const:
		case T_Param:
			appendStringInfoChar(buf, '?');
			break;
		case T_OpExpr:
			operator_text(buf, root, ((OpExpr *) node)->opno,
						  ((OpExpr *) node)->args, "", "");
			break;
		case T_DistinctExpr:
			args_text(buf, root, ((DistinctExpr *) node)->args,
					  " IS DISTINCT FROM ");
			break;
		case T_ScalarArrayOpExpr:
			operator_text(buf, root, ((ScalarArrayOpExpr *) node)->opno,
						  ((ScalarArrayOpExpr *) node)->args,
						  ((ScalarArrayOpExpr *) node)->useOr ? "ANY (" : "ALL (",
						  ")");
			break;
		case T_FuncExpr:
			function_text(buf, root, (FuncExpr *) node);
			break;
		case T_BoolExpr:
			bool_text(buf, root, (BoolExpr *) node);
			break;
		case T_NullTest:
			expr_text(buf, root, (Node *) ((NullTest *) node)->arg);
			appendStringInfoString(buf, ((NullTest *) node)->nulltesttype ==
								   IS_NULL ? " IS NULL" : " IS NOT NULL");
			break;
		case T_RelabelType:
			expr_text(buf, root, (Node *) ((RelabelType *) node)->arg);
			break;
		case T_CoerceViaIO:
			expr_text(buf, root, (Node *) ((CoerceViaIO *) node)->arg);
			break;
		case T_PlaceHolderVar:
			expr_text(buf, root, (Node *) ((PlaceHolderVar *) node)->phexpr);
			break;
		case T_SubPlan:
		case T_AlternativeSubPlan:
			appendStringInfoString(buf, "<subquery>");
			break;
		default:
			appendStringInfoString(buf, "<expression>");
			break;
	}
}

void
rvd_expr_text_list(StringInfo buf, PlannerInfo *root, Node *expr,
				   const char *separator)
{
	if (buf->len > 0)
		appendStringInfoString(buf, separator);
	expr_text(buf, root, expr);
}
