/*-------------------------------------------------------------------------
 *
 * database.c
 *	  Slots of the databases that have the extension, and their rings.
 *
 * A slot changes hands under the control lock; every change moves the
 * control block's generation, by which backends know that what they remember
 * of their own slot (also: that there is none) has to be looked up again.
 * The counters in a slot are atomics.  Layer 2.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "store_internal.h"

RvdDatabase *
rvd_database_at(int i)
{
	return &rvd_store_head->databases[i];
}

static RvdDatabase *
find_slot(Oid database)
{
	for (int i = 0; i < RVD_MAX_DATABASES; i++)
	{
		RvdDatabase *db = rvd_database_at(i);

		if (db->database == database &&
			pg_atomic_read_u32(&db->state) != RVD_DB_FREE)
			return db;
	}
	return NULL;
}

/*
 * Remembered until the generation moves, so that the usual call costs two
 * comparisons, also in a database without the extension.
 */
RvdDatabase *
rvd_my_database(void)
{
	static uint32 known_generation = 0;
	static RvdDatabase *known = NULL;
	uint32		generation;

	if (rvd_store_head == NULL || !OidIsValid(MyDatabaseId))
		return NULL;
	generation = pg_atomic_read_u32(&rvd_store_head->control.generation);
	if (generation != known_generation)
	{
		pg_read_barrier();
		known = find_slot(MyDatabaseId);
		known_generation = generation;
	}
	if (known && known->database != MyDatabaseId)
		return NULL;			/* changed hands this very moment */
	return known;
}

static void
init_slot(RvdDatabase *db, Oid database)
{
	memset(db, 0, sizeof(*db));
	db->ring = -1;
	pg_atomic_init_u32(&db->state, RVD_DB_FREE);
	pg_atomic_init_u64(&db->executed_us, 0);
	pg_atomic_init_u64(&db->regret_us, 0);
	pg_atomic_init_u64(&db->saved_us, 0);
	pg_atomic_init_u64(&db->observed_us, 0);
	pg_atomic_init_u64(&db->queries, 0);
	pg_atomic_init_u64(&db->steered, 0);
	pg_atomic_init_u64(&db->trials, 0);
	pg_atomic_init_u64(&db->trials_won, 0);
	pg_atomic_init_u64(&db->trials_abandoned, 0);
	pg_atomic_init_u64(&db->lock_skips, 0);
	pg_atomic_init_u64(&db->errors, 0);
	pg_atomic_init_u64(&db->trajectories, 0);
	pg_atomic_init_u64(&db->ring_refused, 0);
	pg_atomic_init_u32(&db->cycle_wanted, 0);
	pg_atomic_init_u32(&db->cycle_done, 0);
	db->database = database;
}

/* A ring no slot holds, or -1.  Control lock held. */
static int
free_ring(void)
{
	for (int ring = 0; ring < rvd_store_layout.n_rings; ring++)
	{
		bool		taken = false;

		for (int i = 0; i < RVD_MAX_DATABASES && !taken; i++)
		{
			RvdDatabase *db = rvd_database_at(i);

			taken = pg_atomic_read_u32(&db->state) != RVD_DB_FREE &&
				db->ring == ring;
		}
		if (!taken)
			return ring;
	}
	return -1;
}

/*
 * What its former database left in a ring is thrown away by reading it: a
 * late producer may still be writing, so the ring must not be re-initialised.
 */
static void
empty_ring(RvdDatabase *db)
{
	RvdRing    *ring = rvd_database_ring(db);
	RvdTrajectory t;

	if (ring == NULL)
		return;
	for (uint64 n = rvd_ring_count(ring); n > 0; n--)
		if (rvd_ring_pop(ring, &t) != RVD_OK)
			break;
}

RvdDatabase *
rvd_database_attach(Oid database)
{
	RvdDatabase *db;
	bool		fresh = false;

	LWLockAcquire(rvd_control_lock(), LW_EXCLUSIVE);
	db = find_slot(database);
	for (int i = 0; i < RVD_MAX_DATABASES && db == NULL; i++)
	{
		RvdDatabase *candidate = rvd_database_at(i);

		if (pg_atomic_read_u32(&candidate->state) != RVD_DB_FREE)
			continue;
		init_slot(candidate, database);
		candidate->ring = free_ring();
		db = candidate;
		fresh = true;
	}
	if (db)
	{
		if (fresh)
			empty_ring(db);
		pg_atomic_write_u32(&db->state, RVD_DB_STARTING);
		pg_write_barrier();
		pg_atomic_fetch_add_u32(&rvd_control()->generation, 1);
	}
	LWLockRelease(rvd_control_lock());

	/* A straggler may have written after the last owner was forgotten. */
	for (int i = 0; fresh && i < RVD_NUM_TABLES; i++)
		rvd_table_clear(rvd_table(i), database);
	return db;
}

void
rvd_database_detach(Oid database)
{
	RvdDatabase *db;

	LWLockAcquire(rvd_control_lock(), LW_EXCLUSIVE);
	db = find_slot(database);
	if (db)
	{
		db->database = InvalidOid;
		db->learner_latch = NULL;
		db->learner_pid = 0;
		pg_atomic_write_u32(&db->state, RVD_DB_FREE);
		pg_write_barrier();
		pg_atomic_fetch_add_u32(&rvd_control()->generation, 1);
	}
	LWLockRelease(rvd_control_lock());

	for (int i = 0; i < RVD_NUM_TABLES; i++)
		rvd_table_clear(rvd_table(i), database);
}

RvdRing *
rvd_database_ring(RvdDatabase *db)
{
	return db->ring < 0 ? NULL : rvd_store_ring(db->ring);
}

void
rvd_database_wake(RvdDatabase *db, bool wait)
{
	LWLock	   *lock = rvd_control_lock();

	if (wait)
		LWLockAcquire(lock, LW_SHARED);
	else if (!LWLockConditionalAcquire(lock, LW_SHARED))
		return;
	if (db->learner_latch)
		SetLatch(db->learner_latch);
	LWLockRelease(lock);
}

/*
 * The learner comes by every second anyway; from half full on it is woken,
 * by every 64th record so that a burst does not drown it in signals.
 */
void
rvd_trajectory_push(RvdDatabase *db, const RvdTrajectory *t)
{
	RvdRing    *ring;
	uint64		waiting;

	if (db->database != MyDatabaseId)
		return;
	ring = rvd_database_ring(db);
	if (ring == NULL)
	{
		pg_atomic_fetch_add_u64(&db->ring_refused, 1);
		return;
	}
	if (rvd_ring_push(ring, t) != RVD_OK)
		return;					/* full: the ring has counted it */
	waiting = rvd_ring_count(ring);
	if (waiting >= ring->capacity / 2 && waiting % 64 == 0)
		rvd_database_wake(db, false);
}

void
rvd_wake_launcher(void)
{
	RvdControl *control = rvd_control();

	if (control == NULL)
		return;
	pg_atomic_write_u32(&control->rescan, 1);
	LWLockAcquire(rvd_control_lock(), LW_SHARED);
	if (control->launcher_latch)
		SetLatch(control->launcher_latch);
	LWLockRelease(rvd_control_lock());
}
