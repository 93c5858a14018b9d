/*-------------------------------------------------------------------------
 *
 * table_scan.c
 *	  Going through a whole shared table: copy, look for changes, clear.
 *
 * One partition at a time; between two of them nothing is locked, so what is
 * found is not a snapshot.  For workers and SQL functions, which may wait.
 * Layer 2.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store_internal.h"

/* Entries of one partition, at most. */
static int
partition_entries(const RvdTable *table)
{
	return (table->n_sets / RVD_PARTITIONS + 1) * RVD_TABLE_WAYS;
}

static bool
wanted(const RvdEntry *e, Oid database, bool only_dirty)
{
	return OidIsValid(e->database) &&
		(e->database == database || !OidIsValid(database)) &&
		(e->dirty || !only_dirty);
}

/* How many entries of the partition, whose lock is held, are wanted? */
static int
count_wanted(const RvdTable *table, int partition, Oid database,
			 bool only_dirty)
{
	int			n = 0;

	for (uint32 set = partition; set < table->n_sets; set += RVD_PARTITIONS)
		for (int way = 0; way < RVD_TABLE_WAYS; way++)
			if (wanted(rvd_table_entry_at(table, set, way), database, only_dirty))
				n++;
	return n;
}

/*
 * Copy the wanted entries of a partition to out, which has room for all of
 * the partition; clears their flags if only_dirty.
 */
static int
copy_partition(RvdTable *table, int partition, Oid database, bool only_dirty,
			   char *out)
{
	LWLock	   *lock = &table->locks[partition].lock;
	int			n = 0;

	LWLockAcquire(lock, only_dirty ? LW_EXCLUSIVE : LW_SHARED);
	for (uint32 set = partition; set < table->n_sets; set += RVD_PARTITIONS)
		for (int way = 0; way < RVD_TABLE_WAYS; way++)
		{
			RvdEntry   *e = rvd_table_entry_at(table, set, way);

			if (!wanted(e, database, only_dirty))
				continue;
			memcpy(out + n * table->entry_size, e, table->entry_size);
			if (only_dirty)
				e->dirty = false;
			n++;
		}
	LWLockRelease(lock);
	return n;
}

/*
 * Memory is allocated between locks: room for the worst case of a partition
 * is made before it is locked, and only if a look under the shared lock says
 * that there is something to copy.
 */
char *
rvd_table_copy(RvdTable *table, Oid database, bool only_dirty, int *count)
{
	Size		size = table->entry_size;
	Size		room = 0;
	char	   *out = palloc(size);

	*count = 0;
	for (int p = 0; p < RVD_PARTITIONS; p++)
	{
		LWLock	   *lock = &table->locks[p].lock;
		int			n;

		LWLockAcquire(lock, LW_SHARED);
		n = count_wanted(table, p, database, only_dirty);
		LWLockRelease(lock);
		if (n == 0)
			continue;
		if (*count + partition_entries(table) > room)
		{
			room = Max(room * 2, *count + partition_entries(table));
			out = repalloc_huge(out, room * size);
		}
		*count += copy_partition(table, p, database, only_dirty,
								 out + *count * size);
	}
	return out;
}

bool
rvd_table_any_dirty(RvdTable *table, Oid database)
{
	for (int p = 0; p < RVD_PARTITIONS; p++)
	{
		LWLock	   *lock = &table->locks[p].lock;
		int			n;

		LWLockAcquire(lock, LW_SHARED);
		n = count_wanted(table, p, database, true);
		LWLockRelease(lock);
		if (n > 0)
			return true;
	}
	return false;
}

int64
rvd_table_clear(RvdTable *table, Oid database)
{
	int64		cleared = 0;

	for (int p = 0; p < RVD_PARTITIONS; p++)
	{
		LWLockAcquire(&table->locks[p].lock, LW_EXCLUSIVE);
		for (uint32 set = p; set < table->n_sets; set += RVD_PARTITIONS)
			for (int way = 0; way < RVD_TABLE_WAYS; way++)
			{
				RvdEntry   *e = rvd_table_entry_at(table, set, way);

				if (!wanted(e, database, false))
					continue;
				rvd_table_free_entry(table, e);
				cleared++;
			}
		LWLockRelease(&table->locks[p].lock);
	}
	return cleared;
}
