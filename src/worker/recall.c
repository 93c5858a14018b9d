/*-------------------------------------------------------------------------
 *
 * recall.c
 *	  The one-shot memory of a database, made from its memories.
 *
 * What is remembered is an entry of RVD_MEMORIES, which is persisted; the
 * BTSP memory only leads from a code to its id.  So it is not persisted but
 * presented with every cue again, in order of time: newer wins.  An entry
 * that was evicted leaves its id behind there, which leads to nothing; from
 * time to time the memory is made anew from what there is.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "ruvector_dag/neural.h"
#include "learner.h"

#define NEARLY_FULL		(RVD_BTSP_CAPACITY / 4 * 3)
#define KEPT_NEWEST		(RVD_BTSP_CAPACITY / 2)

static int
older_first(const void *a, const void *b)
{
	TimestampTz at_a = (*(const RvdMemory *const *) a)->at;
	TimestampTz at_b = (*(const RvdMemory *const *) b)->at;

	return at_a < at_b ? -1 : at_a > at_b;
}

/* The database's memories in order of time, in CurrentMemoryContext. */
static RvdMemory **
memories_by_time(RvdLearner *learner, int *n)
{
	RvdTable   *table = rvd_table(RVD_MEMORIES);
	Size		size = rvd_table_entry_size(table);
	char	   *entries = rvd_table_copy(table, learner->database, false, n);
	RvdMemory **sorted = palloc(sizeof(RvdMemory *) * Max(*n, 1));

	for (int i = 0; i < *n; i++)
		sorted[i] = (RvdMemory *) (entries + i * size);
	qsort(sorted, *n, sizeof(RvdMemory *), older_first);
	return sorted;
}

static RvdStatus
present(RvdBtsp *memory, const RvdMemory *m)
{
	RvdHdc		cue;

	memcpy(cue.w, m->cue, sizeof(cue.w));
	return rvd_btsp_write(memory, &cue, m->head.key.a);
}

/* The lock is let go after each, so that statements can recall meanwhile. */
void
rvd_recall_restore(RvdLearner *learner)
{
	RvdNeural  *neural = rvd_database_neural(learner->db);
	RvdStatus	status = RVD_OK;
	RvdMemory **memories;
	int			n;

	if (neural == NULL)
		return;
	memories = memories_by_time(learner, &n);
	for (int i = Max(0, n - KEPT_NEWEST); i < n && status == RVD_OK; i++)
	{
		status = present(rvd_btsp_lock(neural, true, true), memories[i]);
		rvd_btsp_release(neural);
		CHECK_FOR_INTERRUPTS();
	}
}

void
rvd_recall_tidy(RvdLearner *learner)
{
	RvdNeural  *neural = rvd_database_neural(learner->db);
	RvdMemory **memories;
	RvdBtsp    *memory;
	uint32		items;
	int			n;

	if (neural == NULL)
		return;
	/* after a commit the current context may be one that is never reset */
	MemoryContextSwitchTo(learner->scratch);
	items = rvd_btsp_lock(neural, false, true)->n_items;
	rvd_btsp_release(neural);
	if (items < NEARLY_FULL)
		return;

	/* some milliseconds, in which statements go without */
	memories = memories_by_time(learner, &n);
	memory = rvd_btsp_lock(neural, true, true);
	rvd_btsp_init(memory);
	for (int i = Max(0, n - KEPT_NEWEST); i < n; i++)
		if (present(memory, memories[i]) != RVD_OK)
			break;
	rvd_btsp_release(neural);
}
