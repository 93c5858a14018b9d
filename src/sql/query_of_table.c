/*-------------------------------------------------------------------------
 *
 * query_of_table.c
 *	  Which statement stands for a table: of the classes on it, the one that
 *	  took most time so far.
 *
 * All that is kept of a class is the text of its first execution.  That may
 * be cut, have parameters, be one of several statements sent as one, stand in
 * a function, be another role's, or mean something else under this
 * search_path; so it is planned in a subtransaction, and what cannot be
 * planned, or comes out as another class, is passed over.
 *
 * Everything in CurrentMemoryContext.  Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/resowner.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/errors.h"
#include "query_view.h"
#include "sql_common.h"

/* So many texts are tried before it is given up. */
#define ATTEMPTS	20

/* Does the text stand for values that are not in it? */
static bool
has_parameter(const char *text)
{
	for (const char *c = text; *c; c++)
		if (c[0] == '$' && c[1] >= '1' && c[1] <= '9')
			return true;
	return false;
}

/*
 * Only what the caller ran himself: planning evaluates functions that claim
 * to be immutable, and those in another role's statement would run with the
 * caller's rights.  (A text that was cut may end on a whole character of four
 * bytes.)
 */
static bool
may_be_planned(const RvdClass *c)
{
	return c->query[0] != '\0' && strlen(c->query) < RVD_QUERY_TEXT - 4 &&
		c->user == GetUserId() && !has_parameter(c->query);
}

static int
compare_total(const void *a, const void *b)
{
	double		x = (*(RvdClass *const *) a)->total_ms;
	double		y = (*(RvdClass *const *) b)->total_ms;

	return x > y ? -1 : x < y;
}

/* Is it an error that says nothing but that this text is of no use here? */
static bool
is_about_text(int code)
{
	switch (ERRCODE_TO_CATEGORY(code))
	{
		case ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION:
		case ERRCODE_FEATURE_NOT_SUPPORTED:
		case ERRCODE_INVALID_SCHEMA_NAME:
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
			return true;
		default:
			return code == RVD_ERRCODE_INVALID_DAG;
	}
}

/*
 * Is the statement on the class's tables?  Without a query id, or with one
 * that knows tables by their names, its text may mean others by now.
 */
static bool
is_on_tables(const PlannedStmt *stmt, const RvdClass *c, List *family)
{
	ListCell   *lc;
	bool		same = (int64) stmt->queryId == (int64) c->head.key.a;

	if (same && !RVD_QUERYID_BY_NAME)
		return true;
	if (!same && stmt->queryId != 0)
		return false;
	foreach(lc, stmt->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_RELATION &&
			list_member_oid(family, rte->relid))
			return true;
	}
	return false;
}

/* The class's text as a plan, if it can be planned and is of that class. */
static bool
try_class(RvdQueryView *q, const RvdClass *c, List *family)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool planned = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		rvd_query_view(q, c->query);
		planned = is_on_tables(q->stmt, c, family);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
		if (!is_about_text(error->sqlerrcode))
			ReThrowError(error);
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
	return planned;
}

int64
rvd_query_view_of_table(RvdQueryView *q, Oid tab)
{
	RvdKnowledge k;
	RvdClass  **order;
	List	   *family = rvd_sql_relation_family(tab);
	int			attempts = 0;

	rvd_knowledge_load(&k, tab);
	order = palloc(sizeof(RvdClass *) * Max(k.n_classes, 1));
	for (int i = 0; i < k.n_classes; i++)
		order[i] = &k.classes[i];
	qsort(order, k.n_classes, sizeof(RvdClass *), compare_total);
	for (int i = 0; i < k.n_classes && attempts < ATTEMPTS; i++)
	{
		if (!may_be_planned(order[i]))
			continue;
		attempts++;
		if (try_class(q, order[i], family))
			return (int64) order[i]->head.key.a;
	}
	ereport(ERROR,
			(errcode(RVD_ERRCODE_PATTERN_NOT_FOUND),
			 errmsg("no statement on table %s can be analyzed",
					rvd_sql_relation_name(tab)),
			 k.n_classes == 0 ?
			 errdetail("No statement on it is known.") :
			 errdetail("Classes of statements on it that are known: %d. Of none is there a text that you may see, that is complete, has no parameters, and can be planned by you as it stands.",
					   k.n_classes),
			 errhint("Give the text of a statement instead.")));
	return 0;
}
