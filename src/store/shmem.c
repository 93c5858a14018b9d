/*-------------------------------------------------------------------------
 *
 * shmem.c
 *	  The fixed block of shared memory: how large, how divided, set up once.
 *
 * Everything is sized from ruvector.dag_memory_mb when the server starts and
 * never grows: locks, head (control block, database slots, counters), rings,
 * neural areas, tables.  Rings and areas take whole pieces out of a share
 * each; the tables divide what that leaves.  What rounding leaves over is
 * left unused, so the sum never exceeds the setting.
 *
 * Two databases come before one with a longer buffer: the capacity of a ring
 * is cut until two fit.  An area is of one size, some 7.5 MB; databases whose
 * rings come after the last area do without the neural core.
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

StaticAssertDecl(sizeof(RvdTrajectory) <= 2048,
				 "a buffer of 10,000 trajectories must fit into 20 MB");

#define TRANCHE_NAME		"ruvector_dag"

/* At most this many percent of what locks and head leave. */
#define SHARE_RINGS			30
#define SHARE_NEURAL		16

/* Percent of what rings and areas leave. */
static const int share_tables[RVD_NUM_TABLES] = {
	[RVD_CLASSES] = 10,
	[RVD_INSTANCES] = 8,
	[RVD_PLANS] = 32,
	[RVD_ROWS] = 32,
	[RVD_MEMORIES] = 5,
	[RVD_EMBEDDINGS] = 13
};

/* So many databases shall have a ring before rings are made longer. */
#define DATABASES_SERVED	2

/* Alignment of the parts, and what the server adds to keep track of us. */
#define SLACK_BYTES			(16 * 1024)

RvdStoreHead *rvd_store_head = NULL;
RvdLayout	rvd_store_layout;

static RvdTable tables[RVD_NUM_TABLES];
static LWLockPadded *locks = NULL;
static char *rings = NULL;
static char *areas = NULL;

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

/*
 * As many rings of the wanted capacity as fit, one per database at most; of
 * a lower one if that leaves too few.
 */
static void
lay_out_rings(RvdLayout *l, Size budget)
{
	Size		each = budget / DATABASES_SERVED - PG_CACHE_LINE_SIZE;
	Size		size;

	l->ring_capacity = rvd_dag_max_trajectories;
	size = rvd_ring_size(l->ring_capacity, sizeof(RvdTrajectory));
	if (size == 0 || size > each)
	{
		l->ring_capacity = rvd_ring_fit(each, sizeof(RvdTrajectory));
		size = rvd_ring_size(l->ring_capacity, sizeof(RvdTrajectory));
	}
	l->ring_bytes = CACHELINEALIGN(size);
	l->n_rings = size == 0 ? 0 :
		Min(RVD_MAX_DATABASES, budget / l->ring_bytes);
}

static void
lay_out_tables(RvdLayout *l, Size budget)
{
	for (int i = 0; i < RVD_NUM_TABLES; i++)
	{
		Size		set_bytes = rvd_table_set_bytes(i);

		l->table_budget[i] = budget / 100 * share_tables[i];
		l->table_sets[i] = (l->table_budget[i] - PG_CACHE_LINE_SIZE) / set_bytes;
		l->table_bytes[i] = CACHELINEALIGN(l->table_sets[i] * set_bytes);
	}
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
	l->area_bytes = rvd_neural_bytes();
	l->n_areas = Min(l->n_rings, rest / 100 * SHARE_NEURAL / l->area_bytes);
	rest -= l->n_rings * l->ring_bytes + l->n_areas * l->area_bytes;
	lay_out_tables(l, rest);

	l->total = l->head_bytes + l->n_rings * l->ring_bytes +
		l->n_areas * l->area_bytes;
	for (int i = 0; i < RVD_NUM_TABLES; i++)
		l->total += l->table_bytes[i];
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
		pg_atomic_init_u64(&head->counters[i].clock, 0);
	}
	rvd_operation_set_up();
}

static void
init_rings_and_areas(const RvdLayout *l)
{
	for (int i = 0; i < l->n_rings; i++)
		if (rvd_ring_init(rvd_store_ring(i), l->ring_capacity,
						  sizeof(RvdTrajectory)) != RVD_OK)
			elog(ERROR, "could not initialize trajectory ring");
	for (int i = 0; i < l->n_areas; i++)
		rvd_neural_set_up(rvd_store_neural(i), i);
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
	areas = rings + l->n_rings * l->ring_bytes;
	if (!found)
	{
		init_head(rvd_store_head);
		init_rings_and_areas(l);
	}
	attach_tables(areas + l->n_areas * l->area_bytes, !found);
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

RvdNeural *
rvd_store_neural(int i)
{
	return (RvdNeural *) (areas + i * rvd_store_layout.area_bytes);
}

LWLock *
rvd_store_neural_lock(int area, int which)
{
	Assert(which < RVD_NEURAL_LOCKS);
	return &locks[RVD_FIRST_NEURAL_LOCK + area * RVD_NEURAL_LOCKS + which].lock;
}
