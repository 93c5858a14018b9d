/*-------------------------------------------------------------------------
 *
 * subject.c
 *	  What the row model is asked about: sets of relations, and lookups.
 *
 * The signature of a set is a sum over what lies inside it, so that hundreds
 * of sets of a large join cost a few additions each.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"

#include "ruvector_dag/expr_hash.h"
#include "ruvector_dag/hash.h"

#include "root.h"

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
						int n_outer, bool fetched, RvdSubject *s)
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
	s->id.sig = rvd_hash_combine(r->rels[rti].id.sig, s->id.sig + fetched);
	s->id.exact = rvd_hash_combine(r->rels[rti].id.exact,
								   s->id.exact + fetched);
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
