/*-------------------------------------------------------------------------
 *
 * pin.c
 *	  ruvector_dag_pin, _unpin, _block, _unblock: an administrator's word on
 *	  a query class.  Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "ruvector_dag/decision.h"
#include "ruvector_dag/errors.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_pin);
PG_FUNCTION_INFO_V1(ruvector_dag_unpin);
PG_FUNCTION_INFO_V1(ruvector_dag_block);
PG_FUNCTION_INFO_V1(ruvector_dag_unblock);

/* The class, its partition locked exclusively; raises if there is none. */
static RvdClass *
require_class(int64 queryid)
{
	RvdKey		key = {(uint64) queryid, MyDatabaseId};
	RvdClass   *class;

	rvd_require_preload();
	class = rvd_table_find(rvd_table(RVD_CLASSES), key, true, true);
	if (class == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("query " INT64_FORMAT " is not known in this database",
						queryid),
				 errhint("See ruvector_dag_queries().")));
	return class;
}

static void
release_class(RvdClass *class)
{
	RvdKey		key = class->head.key;

	rvd_class_value(class);
	class->head.dirty = true;
	rvd_table_release(rvd_table(RVD_CLASSES), key);
}

/* An instance in which the class had that plan, the one with most runs. */
static bool
find_plan(int64 queryid, uint64 plan_id, uint64 *instance)
{
	RvdTable   *table = rvd_table(RVD_PLANS);
	Size		size = rvd_table_entry_size(table);
	int			n;
	char	   *plans = rvd_table_copy(table, MyDatabaseId, false, &n);
	bool		found = false;
	uint32		most = 0;

	for (int i = 0; i < n; i++)
	{
		RvdPlan    *plan = (RvdPlan *) (plans + i * size);

		if (plan->queryid != queryid || plan->fingerprint != plan_id ||
			(found && plan->latency.n < most))
			continue;
		found = true;
		most = plan->latency.n;
		*instance = plan->instance;
	}
	pfree(plans);
	return found;
}

Datum
ruvector_dag_pin(PG_FUNCTION_ARGS)
{
	int64		queryid = PG_GETARG_INT64(0);
	uint64		plan_id = (uint64) PG_GETARG_INT64(1);
	uint64		instance = 0;
	RvdClass   *class;
	bool		changed;

	release_class(require_class(queryid));
	if (!find_plan(queryid, plan_id, &instance))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("query " INT64_FORMAT " has no plan " INT64_FORMAT,
						queryid, (int64) plan_id),
				 errhint("See ruvector_dag_plans(" INT64_FORMAT ").", queryid)));
	class = require_class(queryid);
	changed = class->pinned_plan != plan_id;
	class->pinned_plan = plan_id;
	class->pinned_instance = instance;
	release_class(class);
	PG_RETURN_BOOL(changed);
}

Datum
ruvector_dag_unpin(PG_FUNCTION_ARGS)
{
	RvdClass   *class = require_class(PG_GETARG_INT64(0));
	bool		changed = class->pinned_plan != 0;

	class->pinned_plan = class->pinned_instance = 0;
	release_class(class);
	PG_RETURN_BOOL(changed);
}

static bool
set_blocked(int64 queryid, bool blocked)
{
	RvdClass   *class = require_class(queryid);
	bool		changed = ((class->flags & RVD_CLASS_BLOCKED) != 0) != blocked;

	if (blocked)
		class->flags |= RVD_CLASS_BLOCKED;
	else
		class->flags &= ~RVD_CLASS_BLOCKED;
	release_class(class);
	return changed;
}

Datum
ruvector_dag_block(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(set_blocked(PG_GETARG_INT64(0), true));
}

Datum
ruvector_dag_unblock(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(set_blocked(PG_GETARG_INT64(0), false));
}
