/*-------------------------------------------------------------------------
 *
 * table.c
 *	  Set-associative tables in shared memory.
 *
 * A key's hash picks a set of RVD_TABLE_WAYS neighbouring entries; the set's
 * number modulo RVD_PARTITIONS picks the lock.  A full set makes room by
 * evicting its least valuable entry, so a new key always gets in and nothing
 * ever moves: an entry stays where it is until it is deleted or evicted.
 *
 * The value of an entry is what its owner says it is worth; in a cache it is
 * the time of its last use, in uses of the whole cache, so that of a set the
 * least recently used entry goes.  A float counts that exactly up to 2^24
 * and in steps of a few uses long after.
 *
 * Locking: an entry is touched only while its partition's LWLock is held.
 * Counters are atomics and may be read at any time.  The lock is never held
 * across anything that can raise an error.  Layer 2.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/s_lock.h"

#include "ruvector_dag/hash.h"
#include "store_internal.h"

/* How often a hook tries for a lock before it goes without. */
#define LOCK_ATTEMPTS	16

static void
construct_class(void *entry)
{
	pg_atomic_init_u64(&((RvdClass *) entry)->calls, 0);
}

static const struct
{
	const char *name;
	Size		entry_size;
	bool		cache;
	void		(*construct) (void *entry);
}			descriptions[RVD_NUM_TABLES] = {
	[RVD_CLASSES] = {"classes", sizeof(RvdClass), false, construct_class},
	[RVD_INSTANCES] = {"instances", sizeof(RvdInstance), false, NULL},
	[RVD_PLANS] = {"plans", sizeof(RvdPlan), false, NULL},
	[RVD_ROWS] = {"rows", sizeof(RvdRows), false, NULL},
	[RVD_MEMORIES] = {"memories", sizeof(RvdMemory), false, NULL},
	[RVD_EMBEDDINGS] = {"embeddings", sizeof(RvdCachedEmbedding), true, NULL}
};

void
rvd_table_describe(RvdTable *table, RvdTableId id)
{
	table->name = descriptions[id].name;
	table->entry_size = MAXALIGN(descriptions[id].entry_size);
	table->cache = descriptions[id].cache;
	table->construct = descriptions[id].construct;
}

Size
rvd_table_set_bytes(RvdTableId id)
{
	return RVD_TABLE_WAYS * MAXALIGN(descriptions[id].entry_size);
}

Size
rvd_table_entry_size(RvdTable *table)
{
	return table->entry_size;
}

static inline uint32
set_of(const RvdTable *table, RvdKey key)
{
	uint64		hash = rvd_hash_combine(key.a, key.b);

	return (uint32) (((hash >> 32) * table->n_sets) >> 32);
}

static inline LWLock *
lock_of(const RvdTable *table, uint32 set)
{
	return &table->locks[set % RVD_PARTITIONS].lock;
}

/* A hook goes without: counted in the slot of its database. */
static void
count_lock_skip(void)
{
	RvdDatabase *db = rvd_my_database();

	if (db)
		pg_atomic_fetch_add_u64(&db->lock_skips, 1);
}

bool
rvd_store_acquire(LWLock *lock, LWLockMode mode, bool wait)
{
	if (wait)
	{
		LWLockAcquire(lock, mode);
		return true;
	}
	for (int i = 0; i < LOCK_ATTEMPTS; i++)
	{
		if (LWLockConditionalAcquire(lock, mode))
			return true;
		SPIN_DELAY();
	}
	count_lock_skip();
	return false;
}

/*
 * The entry of a cache is used now.  Readers that share the lock may store
 * this at one time: either value will do.
 */
static void
touch(RvdTable *table, RvdEntry *e)
{
	if (table->cache)
		e->value = (float) pg_atomic_add_fetch_u64(&table->counters->clock, 1);
}

/* The entry with that key in a set whose lock is held, or NULL. */
static RvdEntry *
lookup(const RvdTable *table, uint32 set, RvdKey key)
{
	for (int way = 0; way < RVD_TABLE_WAYS; way++)
	{
		RvdEntry   *e = rvd_table_entry_at(table, set, way);

		if (OidIsValid(e->database) && e->key.a == key.a && e->key.b == key.b)
			return e;
	}
	return NULL;
}

static void
count_entry(RvdTable *table)
{
	uint64		used = pg_atomic_add_fetch_u64(&table->counters->used, 1);
	uint64		peak = pg_atomic_read_u64(&table->counters->peak);

	while (peak < used &&
		   !pg_atomic_compare_exchange_u64(&table->counters->peak, &peak, used))
		;
}

void
rvd_table_free_entry(RvdTable *table, RvdEntry *e)
{
	memset(e, 0, table->entry_size);
	pg_atomic_fetch_sub_u64(&table->counters->used, 1);
}

/* A free entry of the set, made by eviction if need be. */
static RvdEntry *
make_room(RvdTable *table, uint32 set)
{
	RvdEntry   *victim = NULL;

	for (int way = 0; way < RVD_TABLE_WAYS; way++)
	{
		RvdEntry   *e = rvd_table_entry_at(table, set, way);

		if (!OidIsValid(e->database))
			return e;
		if (victim == NULL || !(e->value >= victim->value))
			victim = e;
	}
	rvd_table_free_entry(table, victim);
	pg_atomic_fetch_add_u64(&table->counters->evicted, 1);
	return victim;
}

void *
rvd_table_find(RvdTable *table, RvdKey key, bool exclusive, bool wait)
{
	uint32		set = set_of(table, key);
	LWLock	   *lock = lock_of(table, set);
	RvdEntry   *e;

	if (!rvd_store_acquire(lock, exclusive ? LW_EXCLUSIVE : LW_SHARED, wait))
		return NULL;
	e = lookup(table, set, key);
	if (e == NULL)
		LWLockRelease(lock);
	else
		touch(table, e);
	return e;
}

void *
rvd_table_enter(RvdTable *table, RvdKey key, Oid database, bool *found,
				bool wait)
{
	uint32		set = set_of(table, key);
	LWLock	   *lock = lock_of(table, set);
	RvdEntry   *e;

	Assert(OidIsValid(database));
	*found = false;
	if (!rvd_store_acquire(lock, LW_EXCLUSIVE, wait))
		return NULL;
	e = lookup(table, set, key);
	if (e)
	{
		*found = true;
		touch(table, e);
		return e;
	}

	e = make_room(table, set);
	memset(e, 0, table->entry_size);
	if (table->construct)
		table->construct(e);
	e->key = key;
	e->database = database;
	e->dirty = true;
	touch(table, e);
	count_entry(table);
	return e;
}

void
rvd_table_release(RvdTable *table, RvdKey key)
{
	LWLockRelease(lock_of(table, set_of(table, key)));
}

void
rvd_table_delete(RvdTable *table, void *entry)
{
	RvdEntry   *e = entry;
	RvdKey		key = e->key;

	Assert(LWLockHeldByMeInMode(lock_of(table, set_of(table, key)),
								LW_EXCLUSIVE));
	rvd_table_free_entry(table, e);
	rvd_table_release(table, key);
}

void
rvd_table_mark_dirty(RvdTable *table, RvdKey key)
{
	RvdEntry   *e = rvd_table_find(table, key, true, true);

	if (e)
	{
		e->dirty = true;
		rvd_table_release(table, key);
	}
}

void
rvd_table_usage(RvdTable *table, RvdTableUsage *usage)
{
	usage->name = table->name;
	usage->capacity = (int64) table->n_sets * RVD_TABLE_WAYS;
	usage->allocated_bytes = usage->capacity * table->entry_size +
		RVD_PARTITIONS * sizeof(LWLockPadded);
	usage->used = pg_atomic_read_u64(&table->counters->used);
	usage->peak = pg_atomic_read_u64(&table->counters->peak);
	usage->evicted = pg_atomic_read_u64(&table->counters->evicted);
}
