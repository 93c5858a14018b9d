/*-------------------------------------------------------------------------
 *
 * explain_receiver.c
 *	  Between EXPLAIN and whoever gets its rows.
 *
 * TEXT comes line by line and gets further lines at its end; the other
 * formats come as one row, into which groups are spliced.
 *
 * Everything in the context that was current when EXPLAIN began.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/tuptable.h"
#include "utils/builtins.h"

#include "ruvector_dag/errors.h"

#include "explain.h"

typedef struct ExplainReceiver
{
	DestReceiver pub;			/* must be first */
	DestReceiver *inner;
	RvdExplainRun *run;
	RvdExplainGroups ask;
	ExplainFormat format;
	List	   *groups;
	TupleTableSlot *slot;
} ExplainReceiver;

/* Nothing of ours may fail the statement: then there are no groups. */
static void
ask_for_groups(ExplainReceiver *r)
{
	MemoryContext cxt = CurrentMemoryContext;

	PG_TRY();
	{
		r->groups = r->ask(r->run, &r->format);
	}
	PG_CATCH();
	{
		if (rvd_error_is_interrupt())
			PG_RE_THROW();
		rvd_swallow_error("explaining a decision", cxt);
		r->groups = NIL;
	}
	PG_END_TRY();
}

static void
start_up(DestReceiver *self, int operation, TupleDesc desc)
{
	ExplainReceiver *r = (ExplainReceiver *) self;

	ask_for_groups(r);
	r->slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	r->inner->rStartup(r->inner, operation, desc);
}

static bool
send_text(ExplainReceiver *r, const char *text, int len)
{
	ExecClearTuple(r->slot);
	r->slot->tts_values[0] =
		PointerGetDatum(cstring_to_text_with_len(text, len));
	r->slot->tts_isnull[0] = false;
	ExecStoreVirtualTuple(r->slot);
	return r->inner->receiveSlot(r->slot, r->inner);
}

static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	ExplainReceiver *r = (ExplainReceiver *) self;
	char	   *edited = NULL;
	bool		isnull;
	Datum		value;

	if (r->groups != NIL && r->format != EXPLAIN_FORMAT_TEXT)
	{
		value = slot_getattr(slot, 1, &isnull);
		if (!isnull)
			edited = rvd_explain_splice(r->format,
										TextDatumGetCString(value),
										r->groups);
	}
	if (edited == NULL)
		return r->inner->receiveSlot(slot, r->inner);
	return send_text(r, edited, strlen(edited));
}

static void
send_lines(ExplainReceiver *r)
{
	ListCell   *lc;

	foreach(lc, r->groups)
	{
		const char *text = lfirst(lc);

		while (text && *text)
		{
			int			len = strcspn(text, "\n");

			if (!send_text(r, text, len))
				return;
			text += len;
			text += *text == '\n';
		}
	}
}

static void
shut_down(DestReceiver *self)
{
	ExplainReceiver *r = (ExplainReceiver *) self;

	if (r->format == EXPLAIN_FORMAT_TEXT)
		send_lines(r);
	r->inner->rShutdown(r->inner);
	ExecDropSingleTupleTableSlot(r->slot);
}

/* The inner one is its maker's. */
static void
destroy(DestReceiver *self)
{
	pfree(self);
}

DestReceiver *
rvd_explain_receiver(RvdExplainRun *run, RvdExplainGroups groups,
					 DestReceiver *inner)
{
	ExplainReceiver *r = palloc0(sizeof(ExplainReceiver));

	r->pub.rStartup = start_up;
	r->pub.receiveSlot = receive;
	r->pub.rShutdown = shut_down;
	r->pub.rDestroy = destroy;
	r->pub.mydest = inner->mydest;
	r->inner = inner;
	r->run = run;
	r->ask = groups;
	return &r->pub;
}
