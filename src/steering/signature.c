/*-------------------------------------------------------------------------
 *
 * signature.c
 *	  Identity of relations with their clauses, joins and lookups.
 *
 * A root is read once per planning run: per relation and per clause one
 * hash.  The signature of a set is then a sum over what lies inside it, so
 * that hundreds of sets of a large join cost a few additions each.
 *
 * Layer 4.  Memory: everything in the context of the planning run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"

#include "ruvector_dag/expr_hash.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/signature.h"

#define MIN_LOG_SELECTIVITY	(-20.0)

typedef struct RootRel
{
	bool		valid;
	RvdSignature id;
	double		log_rows;		/* the server's own, uncorrected */
	double		log_selectivity;	/* of all its clauses together */
	int			dims;
	float		x[RVD_ROW_DIMS];	/* log selectivity per clause */
} RootRel;

/* A join clause, an equivalence class member or a special join. */
typedef struct RootClause
{
	Relids		relids;			/* base relations it needs */
	RvdSignature id;
	Node	   *clause;			/* for text; NULL: special join */
} RootClause;

typedef struct RootClass
{
	int			n;
	RootClause *members;
} RootClass;

struct RvdRoot
{
	PlannerInfo *root;
	int			n_rels;
	RootRel    *rels;			/* by range-table index */
	int			n_clauses;
	RootClause *clauses;
	int			n_classes;
	RootClass  *classes;
};

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

static RvdSignature
hash_clause(RvdRoot *r, Node *clause)
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
			c->id = hash_clause(r, (Node *) ri->clause);
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
			c->members[c->n].id = hash_clause(r, (Node *) em->em_expr);
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

/* ---- questions ----------------------------------------------------------- */

/* Joins take one coordinate per member, in the order of their signatures. */
static void
join_coordinates(RvdRoot *r, Relids relids, RvdSubject *s)
{
	uint64		order[RVD_ROW_DIMS];
	int			x = -1;

	while ((x = bms_next_member(relids, x)) >= 0 && s->dims < RVD_ROW_DIMS)
	{
		int			at = s->dims;

		while (at > 0 && order[at - 1] > r->rels[x].id.sig)
		{
			order[at] = order[at - 1];
			s->x[at] = s->x[at - 1];
			at--;
		}
		order[at] = r->rels[x].id.sig;
		s->x[at] = (float) r->rels[x].log_selectivity;
		s->dims++;
	}
}

static void
add_signature(RvdSignature *to, RvdSignature id)
{
	to->sig = rvd_hash_add(to->sig, id.sig);
	to->exact = rvd_hash_add(to->exact, id.exact);
}

/* What the clauses, classes and special joins inside the set contribute. */
static void
add_inner_clauses(RvdRoot *r, Relids relids, RvdSignature *to)
{
	for (int i = 0; i < r->n_clauses; i++)
		if (bms_is_subset(r->clauses[i].relids, relids))
			add_signature(to, r->clauses[i].id);
	for (int i = 0; i < r->n_classes; i++)
	{
		RootClass  *c = &r->classes[i];
		RvdSignature inside = {0, 0};
		int			n = 0;

		for (int j = 0; j < c->n; j++)
			if (bms_is_subset(c->members[j].relids, relids))
			{
				add_signature(&inside, c->members[j].id);
				n++;
			}
		if (n > 1)
		{
			inside.sig = rvd_hash_mix(inside.sig);
			inside.exact = rvd_hash_mix(inside.exact);
			add_signature(to, inside);
		}
	}
}

bool
rvd_root_subject(RvdRoot *r, Relids relids, RvdSubject *s)
{
	int			only;
	int			x = -1;

	memset(s, 0, sizeof(*s));
	if (bms_is_empty(relids))
		return false;
	if (bms_get_singleton_member(relids, &only))
	{
		if (only >= r->n_rels || !r->rels[only].valid)
			return false;
		s->id = r->rels[only].id;
		s->kind = RVD_ROW_BASE;
		s->dims = r->rels[only].dims;
		memcpy(s->x, r->rels[only].x, sizeof(s->x));
		s->log_reference = r->rels[only].log_rows;
		return true;
	}

	s->kind = RVD_ROW_JOIN;
	while ((x = bms_next_member(relids, x)) >= 0)
	{
		if (x >= r->n_rels || !r->rels[x].valid)
			return false;
		add_signature(&s->id, r->rels[x].id);
		s->log_reference += r->rels[x].log_rows;
	}
	add_inner_clauses(r, relids, &s->id);
	s->id.sig = rvd_hash_mix(s->id.sig ^ RVD_ROW_JOIN);
	s->id.exact = rvd_hash_mix(s->id.exact ^ RVD_ROW_JOIN);
	join_coordinates(r, relids, s);
	return true;
}

bool
rvd_root_lookup_subject(RvdRoot *r, Index rti, const RvdColumn *outer,
						int n_outer, RvdSubject *s)
{
	memset(s, 0, sizeof(*s));
	if (rti >= (Index) r->n_rels || !r->rels[rti].valid || n_outer == 0)
		return false;
	for (int i = 0; i < n_outer; i++)
	{
		RvdSignature id;

		if (outer[i].rti >= (Index) r->n_rels || !r->rels[outer[i].rti].valid)
			return false;
		id = r->rels[outer[i].rti].id;
		id.sig = rvd_hash_combine(id.sig, outer[i].attno);
		id.exact = rvd_hash_combine(id.exact, outer[i].attno);
		add_signature(&s->id, id);
		if (s->dims < RVD_ROW_DIMS - 1)
			s->x[s->dims++] = (float) r->rels[outer[i].rti].log_selectivity;
	}
	s->x[s->dims++] = (float) r->rels[rti].log_selectivity;
	s->id.sig = rvd_hash_combine(r->rels[rti].id.sig, s->id.sig);
	s->id.exact = rvd_hash_combine(r->rels[rti].id.exact, s->id.exact);
	s->kind = RVD_ROW_LOOKUP;
	return true;
}

/* The plain column behind an equivalence member, casts of no effect aside. */
static Var *
member_column(const RootClause *member)
{
	Node	   *expr = member->clause;

	while (expr && IsA(expr, RelabelType))
		expr = (Node *) ((RelabelType *) expr)->arg;
	return expr && IsA(expr, Var) ? (Var *) expr : NULL;
}

int
rvd_root_equal_columns(RvdRoot *r, Index rti, RvdColumn column, RvdColumn *out)
{
	int			n = 0;

	out[n++] = column;
	for (int i = 0; i < r->n_classes; i++)
	{
		RootClass  *c = &r->classes[i];
		bool		inside = false;

		for (int j = 0; j < c->n && !inside; j++)
		{
			Var		   *v = member_column(&c->members[j]);

			inside = v && (Index) v->varno == column.rti &&
				v->varattno == column.attno;
		}
		for (int j = 0; inside && j < c->n && n < RVD_LOOKUP_COLUMNS; j++)
		{
			Var		   *v = member_column(&c->members[j]);

			if (v == NULL || (Index) v->varno == rti ||
				((Index) v->varno == column.rti &&
				 v->varattno == column.attno))
				continue;
			out[n].rti = v->varno;
			out[n++].attno = v->varattno;
		}
	}
	return n;
}

double
rvd_root_natural_rows(RvdRoot *r, Index rti)
{
	return rti < (Index) r->n_rels && r->rels[rti].valid ?
		exp(r->rels[rti].log_rows) : 0;
}

int
rvd_root_relations(RvdRoot *r, Relids relids, Oid *out, int max)
{
	int			n = 0;
	int			x = -1;

	while ((x = bms_next_member(relids, x)) >= 0 && n < max)
	{
		RangeTblEntry *rte = x < r->n_rels ? r->root->simple_rte_array[x] : NULL;

		if (rte && rte->rtekind == RTE_RELATION)
			out[n++] = rte->relid;
	}
	return n;
}

void
rvd_root_clauses_text(RvdRoot *r, Relids relids, char *out, int size)
{
	StringInfoData buf;
	int			x = -1;
	ListCell   *lc;

	initStringInfo(&buf);
	while ((x = bms_next_member(relids, x)) >= 0)
	{
		RelOptInfo *rel = x < r->n_rels ? r->root->simple_rel_array[x] : NULL;

		if (rel == NULL)
			continue;
		foreach(lc, rel->baserestrictinfo)
			rvd_expr_text_list(&buf, r->root,
							   (Node *) lfirst_node(RestrictInfo, lc)->clause,
							   " AND ");
	}
	for (int i = 0; i < r->n_clauses; i++)
		if (r->clauses[i].clause &&
			bms_is_subset(r->clauses[i].relids, relids))
			rvd_expr_text_list(&buf, r->root, r->clauses[i].clause, " AND ");
	for (int i = 0; i < r->n_classes; i++)
	{
		StringInfoData one;
		int			n = 0;

		initStringInfo(&one);
		for (int j = 0; j < r->classes[i].n; j++)
			if (bms_is_subset(r->classes[i].members[j].relids, relids))
			{
				rvd_expr_text_list(&one, r->root,
								   r->classes[i].members[j].clause, " = ");
				n++;
			}
		if (n > 1)
			appendStringInfo(&buf, "%s%s", buf.len ? " AND " : "", one.data);
	}
	strlcpy(out, buf.data, size);
	/* never leave half a multibyte character behind */
	if (buf.len >= size)
		out[pg_mbcliplen(buf.data, buf.len, size - 1)] = '\0';
}
