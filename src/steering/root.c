/*-------------------------------------------------------------------------
 *
 * root.c
 *	  Read a planner root: per relation and per clause one hash.
 *
 * Done once per root and planning run, before anything is corrected; subject.c
 * answers from it.
 *
 * Layer 4.  Memory: everything in the context of the planning run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"

#include "ruvector_dag/expr_hash.h"
#include "ruvector_dag/hash.h"

#include "root.h"

#define MIN_LOG_SELECTIVITY	(-20.0)

PlannerInfo *
rvd_root_planner(const RvdRoot *r)
{
	return r->root;
}

static double
log_floor(double selectivity)
{
	return selectivity > 2e-9 ? log(selectivity) : MIN_LOG_SELECTIVITY;
}

/* ---- base relations ----------------------------------------------------- */

/* What kind of thing the relation is, before its clauses. */
static bool
hash_source(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte,
			RvdSignature *id)
{
	RvdExprHash h;

	rvd_expr_hash_init(&h, NULL, NULL);
	rvd_expr_hash_token(&h, (uint64) rte->rtekind);
	switch (rte->rtekind)
	{
		case RTE_RELATION:
			rvd_expr_hash_token(&h, rte->relid);
			rvd_expr_hash_token(&h, rte->inh);
			rvd_expr_hash_node(&h, (Node *) rte->tablesample);
			break;
		case RTE_SUBQUERY:
			if (rel->subroot == NULL || rel->subroot->parse == NULL)
				return false;
			rvd_expr_hash_node(&h, (Node *) rel->subroot->parse);
			break;
		case RTE_FUNCTION:
			rvd_expr_hash_node(&h, (Node *) rte->functions);
			break;
		case RTE_VALUES:
			rvd_expr_hash_token(&h, list_length(rte->values_lists));
			rvd_expr_hash_node(&h, (Node *) rte->values_lists);
			break;
		case RTE_CTE:
			{
				Query	   *query = rvd_expr_cte_query(root, rte);

				if (query == NULL)
					return false;
				rvd_expr_hash_node(&h, (Node *) query);
				break;
			}
		default:
			return false;
	}
	id->sig = h.sig;
	id->exact = h.exact;
	return true;
}

static void
read_relation(RvdRoot *r, Index rti)
{
	PlannerInfo *root = r->root;
	RelOptInfo *rel = root->simple_rel_array[rti];
	RangeTblEntry *rte = root->simple_rte_array[rti];
	RootRel    *out = &r->rels[rti];
	uint64		order[RVD_ROW_DIMS];
	double		tuples;
	ListCell   *lc;

	if (rel == NULL || rte == NULL || rel->reloptkind != RELOPT_BASEREL ||
		!hash_source(root, rel, rte, &out->id))
		return;

	out->log_rows = log(Max(rel->rows, 1.0));
	tuples = Max(rel->tuples, rel->rows);
	out->log_selectivity = log_floor(rel->rows / Max(tuples, 1.0));

	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *ri = lfirst_node(RestrictInfo, lc);
		RvdExprHash h;
		float		x;
		int			at;

		rvd_expr_hash_init(&h, NULL, NULL);
		h.own_rti = rti;
		rvd_expr_hash_node(&h, (Node *) ri->clause);
		out->id.sig = rvd_hash_add(out->id.sig, h.sig);
		out->id.exact = rvd_hash_add(out->id.exact, h.exact);

		/* coordinates in the order of the clauses' hashes */
		x = (float) log_floor(clause_selectivity(root, (Node *) ri, 0,
												 JOIN_INNER, NULL));
		at = out->dims;
		if (at == RVD_ROW_DIMS)
			continue;
		while (at > 0 && order[at - 1] > h.sig)
		{
			order[at] = order[at - 1];
			out->x[at] = out->x[at - 1];
			at--;
		}
		order[at] = h.sig;
		out->x[at] = x;
		out->dims++;
	}
	out->valid = true;
}

/* ---- join clauses, equivalence classes, special joins ------------------- */

/* Signatures of this root's relations, for Vars in expressions over several. */
static bool
relation_signature(void *context, Index rti, uint64 *sig, uint64 *exact)
{
	RvdRoot    *r = (RvdRoot *) context;

	if (rti >= (Index) r->n_rels || !r->rels[rti].valid)
		return false;
	*sig = r->rels[rti].id.sig;
	*exact = r->rels[rti].id.exact;
	return true;
}

RvdSignature
rvd_root_hash_clause(RvdRoot *r, Node *clause)
{
	RvdExprHash h;
	RvdSignature id;

	rvd_expr_hash_init(&h, relation_signature, r);
	rvd_expr_hash_node(&h, clause);
	id.sig = h.sig;
	id.exact = h.exact;
	return id;
}

/* Clauses of joininfo lists hang on every relation they mention: once each. */
static void
read_join_clauses(RvdRoot *r)
{
	List	   *seen = NIL;
	ListCell   *lc;

	for (int i = 1; i < r->n_rels; i++)
	{
		RelOptInfo *rel = r->root->simple_rel_array[i];

		if (rel == NULL || rel->reloptkind != RELOPT_BASEREL)
			continue;
		foreach(lc, rel->joininfo)
			seen = list_append_unique_ptr(seen, lfirst(lc));
	}
	foreach(lc, r->root->join_info_list)
		seen = lappend(seen, lfirst(lc));

	r->clauses = palloc0(sizeof(RootClause) * Max(list_length(seen), 1));
	foreach(lc, seen)
	{
		RootClause *c = &r->clauses[r->n_clauses++];

		if (IsA(lfirst(lc), RestrictInfo))
		{
			RestrictInfo *ri = (RestrictInfo *) lfirst(lc);

			c->relids = bms_intersect(ri->required_relids,
									  r->root->all_baserels);
			c->id = rvd_root_hash_clause(r, (Node *) ri->clause);
			c->clause = (Node *) ri->clause;
		}
		else
		{
			SpecialJoinInfo *sj = (SpecialJoinInfo *) lfirst(lc);
			uint64		sig = 0;
			uint64		exact = 0;
			int			x = -1;

			while ((x = bms_next_member(sj->min_righthand, x)) >= 0)
				if (x < r->n_rels && r->rels[x].valid)
				{
					sig = rvd_hash_add(sig, r->rels[x].id.sig);
					exact = rvd_hash_add(exact, r->rels[x].id.exact);
				}
			c->relids = bms_intersect(bms_union(sj->min_lefthand,
												sj->min_righthand),
									  r->root->all_baserels);
			c->id.sig = rvd_hash_combine(sj->jointype, sig);
			c->id.exact = rvd_hash_combine(sj->jointype, exact);
		}
	}
}

static void
read_equivalences(RvdRoot *r)
{
	ListCell   *lc;
	ListCell   *lm;

	r->classes = palloc0(sizeof(RootClass) *
						 Max(list_length(r->root->eq_classes), 1));
	foreach(lc, r->root->eq_classes)
	{
		EquivalenceClass *ec = (EquivalenceClass *) lfirst(lc);
		RootClass  *c;

		/* members equal to a constant became clauses of their relations */
		if (ec->ec_merged != NULL || ec->ec_has_const ||
			list_length(ec->ec_members) < 2)
			continue;
		c = &r->classes[r->n_classes++];
		c->members = palloc0(sizeof(RootClause) * list_length(ec->ec_members));
		foreach(lm, ec->ec_members)
		{
			EquivalenceMember *em = (EquivalenceMember *) lfirst(lm);

			if (em->em_is_child || bms_is_empty(em->em_relids))
				continue;
			c->members[c->n].relids = bms_intersect(em->em_relids,
													r->root->all_baserels);
			c->members[c->n].id = rvd_root_hash_clause(r, (Node *) em->em_expr);
			c->members[c->n].clause = (Node *) em->em_expr;
			c->n++;
		}
	}
}

RvdRoot *
rvd_root_build(PlannerInfo *root)
{
	RvdRoot    *r = palloc0(sizeof(RvdRoot));

	r->root = root;
	r->n_rels = root->simple_rel_array_size;
	r->rels = palloc0(sizeof(RootRel) * Max(r->n_rels, 1));
	for (int i = 1; i < r->n_rels; i++)
		read_relation(r, i);
	read_join_clauses(r);
	read_equivalences(r);
	return r;
}
