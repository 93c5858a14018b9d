/*-------------------------------------------------------------------------
 *
 * store_internal.h
 *	  What the files of the store share among themselves.  Layer 2.
 *
 * All pointers here are set by the shared memory start-up hook, before any
 * process is forked, and never change afterwards.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_STORE_INTERNAL_H
#define RVD_STORE_INTERNAL_H

#include "ruvector_dag/store.h"

/* LWLocks: one for the control block, then this many for each table. */
#define RVD_PARTITIONS		64
#define RVD_NUM_LOCKS		(1 + RVD_NUM_TABLES * RVD_PARTITIONS)

#define RVD_TABLE_WAYS		8

/* Figures of one table, in shared memory. */
typedef struct RvdTableCounters
{
	pg_atomic_uint64 used;
	pg_atomic_uint64 peak;
	pg_atomic_uint64 evicted;
} RvdTableCounters;

struct RvdTable
{
	const char *name;
	Size		entry_size;
	void		(*construct) (void *entry); /* after zeroing; may be NULL */
	uint32		n_sets;
	char	   *entries;		/* shared: n_sets * RVD_TABLE_WAYS */
	LWLockPadded *locks;		/* shared: RVD_PARTITIONS */
	RvdTableCounters *counters; /* shared */
};

static inline RvdEntry *
rvd_table_entry_at(const RvdTable *table, uint32 set, int way)
{
	return (RvdEntry *) (table->entries +
						 ((Size) set * RVD_TABLE_WAYS + way) *
						 table->entry_size);
}

/* Head of the block in shared memory; rings and entries follow. */
typedef struct RvdStoreHead
{
	RvdControl	control;
	RvdDatabase databases[RVD_MAX_DATABASES];
	RvdTableCounters counters[RVD_NUM_TABLES];
} RvdStoreHead;

/* How the memory is divided; the same in every process. */
typedef struct RvdLayout
{
	Size		cap;			/* dag_memory_mb in bytes */
	Size		lock_bytes;
	Size		head_bytes;
	uint32		ring_capacity;	/* records; 0: no ring fits */
	int			n_rings;
	Size		ring_bytes;		/* of one */
	Size		ring_budget;	/* of all */
	Size		table_budget[RVD_NUM_TABLES];
	uint32		table_sets[RVD_NUM_TABLES];
	Size		table_bytes[RVD_NUM_TABLES];
	Size		total;			/* the one block */
} RvdLayout;

extern RvdStoreHead *rvd_store_head;	/* NULL: not preloaded */
extern RvdLayout rvd_store_layout;

extern RvdRing *rvd_store_ring(int i);	/* 0 .. n_rings - 1 */

/* table.c: fill in the parts that do not depend on shared memory. */
extern void rvd_table_describe(RvdTable *table, RvdTableId id);
extern Size rvd_table_set_bytes(RvdTableId id);

/* Make an entry free; its partition is held exclusively and stays held. */
extern void rvd_table_free_entry(RvdTable *table, RvdEntry *e);

#endif							/* RVD_STORE_INTERNAL_H */
