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

/* Counters of a slot; all start at 0. */
static const Size counters[] = {
	offsetof(RvdDatabase, executed_us), offsetof(RvdDatabase, regret_us),
	offsetof(RvdDatabase, saved_us), offsetof(RvdDatabase, observed_us),
	offsetof(RvdDatabase, timed_us), offsetof(RvdDatabase, queries),
	offsetof(RvdDatabase, steered), offsetof(RvdDatabase, trials),
	offsetof(RvdDatabase, trials_won), offsetof(RvdDatabase, trials_abandoned),
	offsetof(RvdDatabase, lock_skips), offsetof(RvdDatabase, errors),
	offsetof(RvdDatabase, trajectories), offsetof(RvdDatabase, ring_refused),
	offsetof(RvdDatabase, join_orders),
	offsetof(RvdDatabase, join_orders_refused),
	offsetof(RvdDatabase, joins_built),
	offsetof(RvdDatabase, cache_hits), offsetof(RvdDatabase, cache_misses),
	offsetof(RvdDatabase, pattern_lookups), offsetof(RvdDatabase, pattern_hits),
	offsetof(RvdDatabase, first_run_trials), offsetof(RvdDatabase, vetoes),
	offsetof(RvdDatabase, recalls), offsetof(RvdDatabase, micro_steps),
	offsetof(RvdDatabase, micro_flushes)
};

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

bool
rvd_database_loaded(void)
{
	RvdDatabase *db = rvd_my_database();

	return db != NULL && pg_atomic_read_u32(&db->state) != RVD_DB_STARTING;
}

static void
init_slot(RvdDatabase *db, Oid database)
{
	memset(db, 0, sizeof(*db));
	db->ring = -1;
	pg_atomic_init_u32(&db->state, RVD_DB_FREE);
	for (int i = 0; i < lengthof(counters); i++)
		pg_atomic_init_u64((pg_atomic_uint64 *) ((char *) db + counters[i]), 0);
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

/* The neural area of a slot, whoever's it is; NULL: none. */
static RvdNeural *
area_of(const RvdDatabase *db)
{
	if (db->ring < 0 || db->ring >= rvd_store_layout.n_areas)
		return NULL;
	return rvd_store_neural(db->ring);
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
		{
			empty_ring(db);
			if (area_of(db))
				rvd_neural_disown(area_of(db));
		}
		pg_atomic_write_u32(&db->state, RVD_DB_STARTING);
		pg_write_barrier();
		pg_atomic_fetch_add_u32(&rvd_control()->generation, 1);
	}
	LWLockRelease(rvd_control_lock());

	/* A straggler may have written after the last owner was forgotten. */
	for (int i = 0; fresh && i < RVD_NUM_TABLES; i++)
		rvd_table_clear(rvd_table(i), database);
	if (fresh && area_of(db))
		rvd_neural_claim(area_of(db), database);
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
		if (area_of(db))
			rvd_neural_disown(area_of(db));
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
