/*-------------------------------------------------------------------------
 *
 * neural.c
 *	  Neural areas: who has which, snapshots, memory, cycle report.
 *
 * Area i belongs to the database that has ring i.  An area changes hands with
 * the slot; a backend that looked it up a moment before may still come for
 * its locks.  Therefore the owner's OID is in the area: it is cleared before
 * the area is made anew and set when that is done, and hooks compare it once
 * they hold a lock.
 *
 * Snapshots are a double buffer.  The current one is read, and changed in
 * place by flushes of micro adapters, under the lock; the other is nobody's
 * but the learner's: whoever read it before the last swap has left, because
 * the swap took the lock exclusively.  So filling it needs no lock.  What
 * backends flush between the moment the learner copied a snapshot and the
 * moment it publishes the next one is replaced by what it learned.
 *
 * Layer 2.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "ruvector_dag/hash.h"
#include "ruvector_dag/settings.h"
#include "neural_internal.h"

/* ---- locks -------------------------------------------------------------- */

bool
rvd_neural_acquire(RvdNeural *n, RvdNeuralLock which, bool exclusive,
				   bool wait)
{
	if (!rvd_store_acquire(rvd_store_neural_lock(n->area, which),
						   exclusive ? LW_EXCLUSIVE : LW_SHARED, wait))
		return false;
	if (!wait && n->database != MyDatabaseId)
	{
		rvd_neural_release(n, which);
		return false;
	}
	return true;
}

void
rvd_neural_release(RvdNeural *n, RvdNeuralLock which)
{
	LWLockRelease(rvd_store_neural_lock(n->area, which));
}

/* ---- areas -------------------------------------------------------------- */

Size
rvd_snapshot_size(void)
{
	return MAXALIGN(offsetof(RvdSnapshot, bank) +
					rvd_bank_size(RVD_BANK_CAPACITY));
}

Size
rvd_neural_bytes(void)
{
	return CACHELINEALIGN(MAXALIGN(sizeof(RvdNeural)) +
						  2 * rvd_snapshot_size());
}

static RvdSnapshot *
snapshot_at(RvdNeural *n, int i)
{
	return (RvdSnapshot *) ((char *) n + MAXALIGN(sizeof(RvdNeural)) +
							i * rvd_snapshot_size());
}

RvdNeural *
rvd_database_neural(RvdDatabase *db)
{
	RvdNeural  *n;

	if (db == NULL || db->ring < 0 || db->ring >= rvd_store_layout.n_areas)
		return NULL;
	n = rvd_store_neural(db->ring);
	return OidIsValid(n->database) && n->database == db->database ? n : NULL;
}

RvdNeural *
rvd_my_neural(void)
{
	return rvd_database_neural(rvd_my_database());
}

/* Nobody's.  The rest is made when it is claimed. */
void
rvd_neural_set_up(RvdNeural *n, int area)
{
	n->database = InvalidOid;
	n->area = area;
	n->ever_used = false;
	n->current = 0;
}

void
rvd_neural_disown(RvdNeural *n)
{
	n->database = InvalidOid;
}

static void
forget_snapshot(RvdNeural *n, Oid database, bool keep_patterns)
{
	RvdSnapshot *s = rvd_snapshot_lock(n, true, true);

	memset(&n->report, 0, sizeof(n->report));
	s->published_at = 0;
	s->cycle = 0;
	rvd_model_init(&s->model, rvd_dag_base_lora_rank, rvd_dag_micro_lora_rank,
				   rvd_hash_mix(database));
	if (!keep_patterns)
	{
		s->next_pattern = 1;
		rvd_bank_init(&s->bank, RVD_BANK_CAPACITY);
	}
	rvd_snapshot_release(n);
}

void
rvd_neural_forget(RvdNeural *n, Oid database, bool keep_patterns)
{
	forget_snapshot(n, database, keep_patterns);
	rvd_neural_acquire(n, RVD_LOCK_ATTENTION, true, true);
	rvd_attention_state_init(&n->attention);
	rvd_neural_release(n, RVD_LOCK_ATTENTION);
	if (keep_patterns)
		return;
	rvd_neural_acquire(n, RVD_LOCK_BTSP, true, true);
	rvd_btsp_init(&n->btsp);
	rvd_neural_release(n, RVD_LOCK_BTSP);
}

void
rvd_neural_claim(RvdNeural *n, Oid database)
{
	Assert(!OidIsValid(n->database));
	rvd_neural_forget(n, database, false);
	n->ever_used = true;
	pg_write_barrier();
	n->database = database;
}

bool
rvd_neural_in_use(const RvdNeural *n)
{
	return OidIsValid(n->database);
}

bool
rvd_neural_ever_used(const RvdNeural *n)
{
	return n->ever_used;
}

/* ---- snapshots ---------------------------------------------------------- */

RvdSnapshot *
rvd_snapshot_lock(RvdNeural *n, bool exclusive, bool wait)
{
	if (!rvd_neural_acquire(n, RVD_LOCK_SNAPSHOT, exclusive, wait))
		return NULL;
	return snapshot_at(n, n->current);
}

void
rvd_snapshot_release(RvdNeural *n)
{
	rvd_neural_release(n, RVD_LOCK_SNAPSHOT);
}

void
rvd_snapshot_publish(RvdNeural *n, const RvdSnapshot *s)
{
	int			spare = 1 - n->current;

	Assert(s->bank.capacity == RVD_BANK_CAPACITY);
	memcpy(snapshot_at(n, spare), s, rvd_snapshot_size());
	rvd_neural_acquire(n, RVD_LOCK_SNAPSHOT, true, true);
	n->current = spare;
	rvd_neural_release(n, RVD_LOCK_SNAPSHOT);
}

/* ---- memory ------------------------------------------------------------- */

RvdBtsp *
rvd_btsp_lock(RvdNeural *n, bool exclusive, bool wait)
{
	if (!rvd_neural_acquire(n, RVD_LOCK_BTSP, exclusive, wait))
		return NULL;
	return &n->btsp;
}

void
rvd_btsp_release(RvdNeural *n)
{
	rvd_neural_release(n, RVD_LOCK_BTSP);
}

/* ---- cycle report ------------------------------------------------------- */

void
rvd_cycle_report_set(RvdNeural *n, const RvdCycleReport *r)
{
	rvd_neural_acquire(n, RVD_LOCK_SNAPSHOT, true, true);
	n->report = *r;
	rvd_neural_release(n, RVD_LOCK_SNAPSHOT);
}

void
rvd_cycle_report_get(RvdNeural *n, RvdCycleReport *r)
{
	rvd_neural_acquire(n, RVD_LOCK_SNAPSHOT, false, true);
	*r = n->report;
	rvd_neural_release(n, RVD_LOCK_SNAPSHOT);
}
