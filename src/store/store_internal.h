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

#include "ruvector_dag/neural.h"
#include "ruvector_dag/store.h"

/*
 * LWLocks: one for the control block, then this many for each table, then
 * those of the neural areas.
 */
#define RVD_PARTITIONS		64
#define RVD_NEURAL_LOCKS	3
#define RVD_FIRST_NEURAL_LOCK	(1 + RVD_NUM_TABLES * RVD_PARTITIONS)
#define RVD_NUM_LOCKS		(RVD_FIRST_NEURAL_LOCK + \
							 RVD_MAX_DATABASES * RVD_NEURAL_LOCKS)

#define RVD_TABLE_WAYS		8

/* Figures of one table, in shared memory. */
typedef struct RvdTableCounters
{
	pg_atomic_uint64 used;
	pg_atomic_uint64 peak;
	pg_atomic_uint64 evicted;
	pg_atomic_uint64 clock;		/* uses, of a table that is a cache */
} RvdTableCounters;

struct RvdTable
{
	const char *name;
	Size		entry_size;
	bool		cache;			/* value: when last used */
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

/*
 * Histogram of an operation's times: buckets of 1/8 octave from 0.01 us to
 * 10^7 us; what lies outside counts in the first or last one.
 */
#define RVD_OPERATION_BUCKETS	240

typedef struct RvdOperationCounters
{
	pg_atomic_uint64 bucket[RVD_OPERATION_BUCKETS];
	pg_atomic_uint64 max_ns;
} RvdOperationCounters;

/* Head of the block in shared memory; rings, areas and entries follow. */
typedef struct RvdStoreHead
{
	RvdControl	control;
	RvdDatabase databases[RVD_MAX_DATABASES];
	RvdTableCounters counters[RVD_NUM_TABLES];
	RvdOperationCounters operations[RVD_NUM_OPERATIONS];
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
	int			n_areas;		/* neural; those of the first rings */
	Size		area_bytes;		/* of one */
	Size		table_budget[RVD_NUM_TABLES];
	uint32		table_sets[RVD_NUM_TABLES];
	Size		table_bytes[RVD_NUM_TABLES];
	Size		total;			/* the one block */
} RvdLayout;

extern RvdStoreHead *rvd_store_head;	/* NULL: not preloaded */
extern RvdLayout rvd_store_layout;

extern RvdRing *rvd_store_ring(int i);	/* 0 .. n_rings - 1 */

/*
 * LWLock of a neural area; shmem.c.  Without wait, a bounded number of
 * attempts, and a failure is counted in the slot of this database: table.c.
 */
extern LWLock *rvd_store_neural_lock(int area, int which);
extern bool rvd_store_acquire(LWLock *lock, LWLockMode mode, bool wait);

/* neural.c; 0 .. n_areas - 1.  Set up: in the postmaster, once. */
extern Size rvd_neural_bytes(void);
extern RvdNeural *rvd_store_neural(int i);
extern void rvd_neural_set_up(RvdNeural *n, int area);

/*
 * An area changes hands: nobody finds it until it is claimed, which also
 * makes everything in it anew.  ever_used: it was claimed once.
 */
extern void rvd_neural_disown(RvdNeural *n);
extern void rvd_neural_claim(RvdNeural *n, Oid database);
extern bool rvd_neural_in_use(const RvdNeural *n);
extern bool rvd_neural_ever_used(const RvdNeural *n);

/* operation.c */
extern void rvd_operation_set_up(void);

/* table.c: fill in the parts that do not depend on shared memory. */
extern void rvd_table_describe(RvdTable *table, RvdTableId id);
extern Size rvd_table_set_bytes(RvdTableId id);

/* Make an entry free; its partition is held exclusively and stays held. */
extern void rvd_table_free_entry(RvdTable *table, RvdEntry *e);

#endif							/* RVD_STORE_INTERNAL_H */
