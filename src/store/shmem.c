/*-------------------------------------------------------------------------
 *
 * shmem.c
 *	  The fixed block of shared memory: how large, how divided, set up once.
 *
 * Everything is sized from ruvector.dag_memory_mb when the server starts and
 * never grows: locks, head (control block, database slots, counters), rings,
 * tables.  The shares below say what each part may take; what rounding
 * leaves over is left unused, so the sum never exceeds the setting.
 *
 * Start-up runs in the postmaster, alone; everything set here is inherited
 * by fork.  After a crash the server runs it again and all starts empty; the
 * learners then load what was persisted.  Layer 2.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "ruvector_dag/settings.h"
#include "store_internal.h"

#define TRANCHE_NAME		"ruvector_dag"

/* Shares of what locks and head leave, in percent. */
#define SHARE_RINGS			35
static const int share_tables[RVD_NUM_TABLES] = {
	[RVD_CLASSES] = 8,
	[RVD_INSTANCES] = 6,
	[RVD_PLANS] = 25,
	[RVD_ROWS] = 25
};

/* Alignment of the parts, and what the server adds to keep track of us. */
#define SLACK_BYTES			(16 * 1024)

RvdStoreHead *rvd_store_head = NULL;
RvdLayout	rvd_store_layout;

static RvdTable tables[RVD_NUM_TABLES];
static LWLockPadded *locks = NULL;
static char *rings = NULL;

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

/*
 * As many rings of the wanted capacity as fit, one per database at most; if
 * not even one does, one of the largest capacity that does.
 */
static void
lay_out_rings(RvdLayout *l, Size budget)
{
	Size		size;

	l->ring_budget = budget;
	size = CACHELINEALIGN(rvd_ring_size(rvd_dag_max_trajectories,
										sizeof(RvdTrajectory)));
	l->ring_capacity = rvd_dag_max_trajectories;
	if (size == 0 || size > budget)
	{
		l->ring_capacity = rvd_ring_fit(budget - PG_CACHE_LINE_SIZE,
										sizeof(RvdTrajectory));
		size = CACHELINEALIGN(rvd_ring_size(l->ring_capacity,
											sizeof(RvdTrajectory)));
	}
	l->ring_bytes = size;
	l->n_rings = size == 0 ? 0 : Min(RVD_MAX_DATABASES, budget / size);
}

static void
lay_out(RvdLayout *l)
{
	Size		rest;

	memset(l, 0, sizeof(*l));
	l->cap = (Size) rvd_dag_memory_mb * 1024 * 1024;
	l->lock_bytes = RVD_NUM_LOCKS * sizeof(LWLockPadded);
	l->head_bytes = CACHELINEALIGN(sizeof(RvdStoreHead));
	rest = l->cap - l->lock_bytes - l->head_bytes - SLACK_BYTES;

	lay_out_rings(l, rest / 100 * SHARE_RINGS);
	l->total = l->head_bytes + l->n_rings * l->ring_bytes;
	for (int i = 0; i < RVD_NUM_TABLES; i++)
	{
		Size		set_bytes = rvd_table_set_bytes(i);

		l->table_budget[i] = rest / 100 * share_tables[i];
		l->table_sets[i] = (l->table_budget[i] - PG_CACHE_LINE_SIZE) / set_bytes;
		l->table_bytes[i] = CACHELINEALIGN(l->table_sets[i] * set_bytes);
		l->total += l->table_bytes[i];
	}
	l->total += PG_CACHE_LINE_SIZE; /* to align the block itself */
}

static void
rvd_shmem_request(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();

	lay_out(&rvd_store_layout);
	RequestAddinShmemSpace(rvd_store_layout.total);
	RequestNamedLWLockTranche(TRANCHE_NAME, RVD_NUM_LOCKS);
}

static void
init_head(RvdStoreHead *head)
{
	RvdControl *control = &head->control;

	memset(head, 0, sizeof(*head));
	pg_atomic_init_u32(&control->generation, 1);
	pg_atomic_init_u32(&control->rescan, 0);
	pg_atomic_init_u64(&control->worker_refused, 0);
	control->started_at = GetCurrentTimestamp();
	for (int i = 0; i < RVD_MAX_JOBS; i++)
		pg_atomic_init_u32(&control->jobs[i].result, RVD_JOB_RUNNING);
	for (int i = 0; i < RVD_MAX_DATABASES; i++)
		pg_atomic_init_u32(&head->databases[i].state, RVD_DB_FREE);
	for (int i = 0; i < RVD_NUM_TABLES; i++)
	{
		pg_atomic_init_u64(&head->counters[i].used, 0);
		pg_atomic_init_u64(&head->counters[i].peak, 0);
		pg_atomic_init_u64(&head->counters[i].evicted, 0);
	}
}

static void
attach_tables(char *at, bool fresh)
{
	for (int i = 0; i < RVD_NUM_TABLES; i++)
	{
		RvdTable   *table = &tables[i];

		rvd_table_describe(table, i);
		table->n_sets = rvd_store_layout.table_sets[i];
		table->entries = at;
		table->locks = &locks[1 + i * RVD_PARTITIONS];
		table->counters = &rvd_store_head->counters[i];
		if (fresh)
			memset(at, 0, rvd_store_layout.table_bytes[i]);
		at += rvd_store_layout.table_bytes[i];
	}
}

static void
rvd_shmem_startup(void)
{
	const RvdLayout *l = &rvd_store_layout;
	bool		found;
	char	   *block;

	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	block = ShmemInitStruct("ruvector_dag", l->total, &found);
	block = (char *) CACHELINEALIGN(block);
	locks = GetNamedLWLockTranche(TRANCHE_NAME);
	rvd_store_head = (RvdStoreHead *) block;
	rings = block + l->head_bytes;
	if (!found)
	{
		init_head(rvd_store_head);
		for (int i = 0; i < l->n_rings; i++)
			if (rvd_ring_init(rvd_store_ring(i), l->ring_capacity,
							  sizeof(RvdTrajectory)) != RVD_OK)
				elog(ERROR, "could not initialize trajectory ring");
	}
	attach_tables(rings + l->n_rings * l->ring_bytes, !found);
	LWLockRelease(AddinShmemInitLock);
}

void
rvd_store_init(void)
{
	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = rvd_shmem_request;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = rvd_shmem_startup;
}

bool
rvd_preloaded(void)
{
	return rvd_store_head != NULL;
}

RvdControl *
rvd_control(void)
{
	return rvd_store_head ? &rvd_store_head->control : NULL;
}

LWLock *
rvd_control_lock(void)
{
	return &locks[0].lock;
}

RvdTable *
rvd_table(RvdTableId id)
{
	return &tables[id];
}

RvdRing *
rvd_store_ring(int i)
{
	return (RvdRing *) (rings + i * rvd_store_layout.ring_bytes);
}
