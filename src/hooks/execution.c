/*-------------------------------------------------------------------------
 *
 * execution.c
 *	  Executions under way in this backend.
 *
 * A small static array: an entry must outlive the memory of a statement that
 * fails, so that the transaction callbacks can record it as censored, and
 * nothing may be allocated per statement.  When too many are open at once
 * (cursors), the further ones run unobserved.
 *
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"

#include "execution.h"

#define MAX_EXECUTIONS	32

static RvdExecution executions[MAX_EXECUTIONS];
static int	num_executions = 0;

RvdExecution *
rvd_execution_begin(QueryDesc *query_desc)
{
	RvdExecution *e;

	if (num_executions == MAX_EXECUTIONS)
		return NULL;
	e = &executions[num_executions++];
	memset(e, 0, offsetof(RvdExecution, usage));
	e->query_desc = query_desc;
	e->subxact = GetCurrentSubTransactionId();
	return e;
}

RvdExecution *
rvd_execution_find(QueryDesc *query_desc)
{
	for (int i = num_executions - 1; i >= 0; i--)
		if (executions[i].query_desc == query_desc)
			return &executions[i];
	return NULL;
}

void
rvd_execution_drop(RvdExecution *e)
{
	int			i = e - executions;

	num_executions--;
	if (i < num_executions)
		memmove(&executions[i], &executions[i + 1],
				sizeof(RvdExecution) * (num_executions - i));
}

double
rvd_execution_clock(instr_time since)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, since);
	return INSTR_TIME_GET_MILLISEC(now);
}

/* What is only counted is not worth looking at how busy the machine is. */
void
rvd_execution_start_clock(RvdExecution *e)
{
	e->running = true;
	if (e->tag_id != 0)
		rvd_own_time_start(&e->since);
	else
		INSTR_TIME_SET_CURRENT(e->since.since);
}

void
rvd_execution_stop_clock(RvdExecution *e)
{
	if (!e->running)
		return;
	e->ms += e->tag_id != 0 ? rvd_own_time_ms(&e->since) :
		rvd_execution_clock(e->since.since);
	e->running = false;
}

static void
forget_executions(SubTransactionId subxact, bool all, bool failed)
{
	for (int i = num_executions - 1; i >= 0; i--)
		if (all || executions[i].subxact == subxact)
		{
			if (failed && executions[i].runs > 0)
				rvd_execution_censored(&executions[i]);
			rvd_execution_drop(&executions[i]);
		}
}

static void
on_transaction_end(XactEvent event, void *arg)
{
	if (num_executions == 0)
		return;
	switch (event)
	{
		case XACT_EVENT_ABORT:
			forget_executions(InvalidSubTransactionId, true, true);
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			forget_executions(InvalidSubTransactionId, true, false);
			break;
		default:
			break;
	}
}

static void
on_subtransaction_end(SubXactEvent event, SubTransactionId subxact,
					  SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_executions(subxact, false, true);
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (int i = 0; i < num_executions; i++)
			if (executions[i].subxact == subxact)
				executions[i].subxact = parent;
	}
}

void
rvd_execution_init(void)
{
	RegisterXactCallback(on_transaction_end, NULL);
	RegisterSubXactCallback(on_subtransaction_end, NULL);
}
