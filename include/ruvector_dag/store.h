/*-------------------------------------------------------------------------
 *
 * store.h
 *	  Everything kept in shared memory.  Layer 2.
 *
 * One fixed request of ruvector.dag_memory_mb, never grown:
 *	 control block		atomics only
 *	 database slots		one per database with the extension
 *	 rings				trajectories, one per database slot that has one
 *	 neural areas		models, bank, memory: neural.h, the same slots
 *	 tables				query classes, instances, plans, row knowledge,
 *						memories, cached embeddings
 *
 * Tables are set-associative: a key's hash picks a set of RVD_TABLE_WAYS
 * entries, the least valuable of which makes room when the set is full.  So
 * a lookup, an insertion and an eviction touch one set under one partition
 * lock, whatever the size of the table.
 *
 * Locking: an entry is read or written only between a successful
 * rvd_table_find/_enter and rvd_table_release, which hold the LWLock of its
 * partition.  Hooks pass wait = false: the lock is tried a bounded number of
 * times and then given up, so that no statement ever waits for us; workers
 * and SQL functions pass wait = true.  Nothing that can raise an error may be
 * called while a partition is held.  Never hold two.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_STORE_H
#define RVD_STORE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/latch.h"
#include "storage/lwlock.h"

#include "ruvector_dag/choice.h"
#include "ruvector_dag/drift.h"
#include "ruvector_dag/embedding.h"
#include "ruvector_dag/features.h"
#include "ruvector_dag/hdc.h"
#include "ruvector_dag/ring.h"
#include "ruvector_dag/row_model.h"
#include "ruvector_dag/selector.h"
#include "ruvector_dag/stats.h"

/* ---- tables ------------------------------------------------------------ */

typedef struct RvdKey
{
	uint64		a;
	uint64		b;
} RvdKey;

/* First member of every entry. */
typedef struct RvdEntry
{
	RvdKey		key;
	Oid			database;		/* InvalidOid: the slot is free */
	bool		dirty;			/* changed since last persisted */
	float		value;			/* eviction takes the smallest of a set */
} RvdEntry;

typedef struct RvdTable RvdTable;

/*
 * The tables by name; each has an entry type below.  Sizes in shmem.c.
 */
typedef enum RvdTableId
{
	RVD_CLASSES = 0,
	RVD_INSTANCES,
	RVD_PLANS,
	RVD_ROWS,
	RVD_MEMORIES,
	/* persisted up to here */
	RVD_EMBEDDINGS
} RvdTableId;

#define RVD_NUM_PERSISTED (RVD_MEMORIES + 1)
#define RVD_NUM_TABLES (RVD_EMBEDDINGS + 1)

extern RvdTable *rvd_table(RvdTableId id);

/*
 * Entry with that key, its partition locked (exclusive or shared), or NULL
 * with nothing locked: not there, or, with wait = false, lock not to be had.
 */
extern void *rvd_table_find(RvdTable *table, RvdKey key, bool exclusive,
							bool wait);

/*
 * The same, but made if missing: a new entry is zeroed but for its header
 * (key, database set; dirty; value 0) and *found is false.  Exclusive.  NULL
 * only if wait is false and the lock was not to be had.
 */
extern void *rvd_table_enter(RvdTable *table, RvdKey key, Oid database,
							 bool *found, bool wait);
extern void rvd_table_release(RvdTable *table, RvdKey key);

/* Free the entry (partition held exclusively by find/enter) and release. */
extern void rvd_table_delete(RvdTable *table, void *entry);

/*
 * Visit: copies the entries of one database, partition by partition, into
 * palloc'd memory: an array of *count entries of the table's size, in
 * CurrentMemoryContext.  only_dirty: just those, whose flag is cleared.
 * Waits for locks.  For workers and SQL functions.
 */
extern char *rvd_table_copy(RvdTable *table, Oid database, bool only_dirty,
							int *count);

/* Is any entry of the database dirty?  Stops at the first.  Waits. */
extern bool rvd_table_any_dirty(RvdTable *table, Oid database);

/* Set dirty again (a persist failed) */
extern void rvd_table_mark_dirty(RvdTable *table, RvdKey key);

/* Free all entries of a database (InvalidOid: of all); returns how many. */
extern int64 rvd_table_clear(RvdTable *table, Oid database);

extern Size rvd_table_entry_size(RvdTable *table);

typedef struct RvdTableUsage
{
	const char *name;
	Size		allocated_bytes;	/* entries and locks */
	int64		capacity;			/* entries */
	int64		used;
	int64		peak;
	int64		evicted;
} RvdTableUsage;

extern void rvd_table_usage(RvdTable *table, RvdTableUsage *usage);

/* ---- entries ----------------------------------------------------------- */

#define RVD_ARMS			32	/* by number; 0: settings as they are */
#define RVD_CANDIDATES		12
#define RVD_PLAN_HISTORY	8
#define RVD_QUERY_TEXT		1024
#define RVD_TRIGGER_TEXT	120
#define RVD_SKELETON_TEXT	1536
#define RVD_CLASS_RELATIONS	12
#define RVD_MEMO_ROWS		96
#define RVD_ROW_RELATIONS	10
#define RVD_ROW_CLAUSES		200

/* What is known of the class as a whole; readers of the letters: docs. */
typedef enum RvdClassFlag
{
	RVD_CLASS_POOLED = 0x0001,	/* constants hardly ever repeat: one instance */
	RVD_CLASS_BLOCKED = 0x0002	/* an administrator wants it left alone */
} RvdClassFlag;

/*
 * Query class: key {queryId, database}.
 */
typedef struct RvdClass
{
	RvdEntry	head;
	Oid			user;			/* who ran the text that is shown */
	uint32		flags;
	pg_atomic_uint64 calls;		/* lock shared: executions seen, all */
	double		total_ms;		/* of complete executions */
	double		est_cost;		/* default plan, last planned */
	RvdLatency	latency;		/* whatever plan ran */
	RvdLine		line;			/* ln ms on ln default cost, baseline runs */
	uint32		instances;		/* distinct sets of constants, estimated */
	uint32		window_calls;	/* executions since seen was cleared */
	uint64		seen[8];		/* linear counting of instances, not persisted */
	uint32		trials;
	uint32		trials_won;
	uint32		trials_abandoned;
	double		regret_ms;		/* abandoned trials, candidate planning */
	double		saved_ms;		/* expected baseline less actual, steered */
	uint64		steered;		/* executions under a plan not the baseline */
	TimestampTz first_seen;
	TimestampTz last_used;
	TimestampTz invalidated;	/* cached plans last thrown away */
	uint64		pinned_plan;	/* by an administrator; 0: none */
	uint64		pinned_instance;	/* where it was seen */
	RvdArmRecord arms[RVD_ARMS];	/* what each did for its instances */
	RvdLatency	custom;			/* prepared: planning and run of custom plans */
	RvdLatency	generic;		/* and runs of generic ones */
	double		custom_planning_ms; /* of all in custom */
	uint64		generic_asked;	/* plannings; not persisted */
	RvdSelector selector;		/* kernels, by timed runs of this class */
	uint32		timed_runs;
	int32		n_relations;
	Oid			relations[RVD_CLASS_RELATIONS];
	char		query[RVD_QUERY_TEXT];	/* as written by its first user, cut */
} RvdClass;

/* A plan that may be tried in an instance, and what its trials said. */
typedef struct RvdCandidate
{
	uint64		plan;			/* fingerprint */
	float		predicted;		/* ln(time / baseline's) by the latency model */
	float		sd;				/* of that; 0: no prediction */
	float		corrected;		/* |ln(learned / estimated rows)|, largest */
	float		cut;			/* stopped at this time / baseline's; 0: not */
	uint16		arm;
	uint16		trials;
} RvdCandidate;

/* Where an instance stands; order matters to nobody but readers. */
typedef enum RvdInstanceState
{
	RVD_INSTANCE_LEARNING = 0,	/* baseline runs are being collected */
	RVD_INSTANCE_EXPLORING,		/* candidates are planned and tried */
	RVD_INSTANCE_SETTLED,		/* nothing new to try: best plan in use */
	RVD_INSTANCE_COOLING		/* demoted: baseline until cool_until calls */
} RvdInstanceState;

/*
 * Instance: a class with one set of constants (or, with instance = 0, the
 * class taken as one because its constants hardly ever repeat).
 * Key {rvd_instance_key(queryid, instance), database}.
 */
typedef struct RvdInstance
{
	RvdEntry	head;
	int64		queryid;
	uint64		instance;
	uint32		state;			/* RvdInstanceState */
	uint32		calls;
	uint64		baseline_plan;	/* fingerprint of the stock plan last seen */
	double		baseline_cost;
	RvdLatency	baseline;		/* runs of the stock plan */
	uint64		best_plan;		/* fingerprint; 0: the baseline is best */
	uint64		trying_plan;	/* candidate under trial, undecided; 0: none */
	uint32		rounds;			/* candidates tried */
	uint32		fixed_points;	/* consecutive looks that found nothing new */
	uint32		demotions;
	uint32		cool_until;		/* calls */
	uint32		next_look;		/* calls: when a settled one looks again */
	uint32		slow_streak;	/* steered runs in a row slower than baseline */
	uint32		arms_planned;	/* bits: what they lead to is known */
	uint32		failed_rounds;	/* executions in a row whose trials all failed */
	uint32		lost;			/* candidates that did, since things changed */
	uint32		waiting;		/* offers of trying_plan since it last ran */
	double		planning_ms;	/* of the stock plan, typical */
	double		explored_ms;	/* spent on planning candidates */
	int32		n_candidates;
	RvdCandidate candidates[RVD_CANDIDATES];
	RvdPageHinkley drift;		/* of ln(time / usual) of the plan in use */
	uint64		world;			/* of world.h when last looked; 0: never */
	double		world_pages;
	TimestampTz world_changed;
	uint32		flips;			/* plans of the server held back */
	char		trigger[RVD_TRIGGER_TEXT];	/* of the last such event */
	TimestampTz last_used;
} RvdInstance;

typedef enum RvdPlanRole
{
	RVD_PLAN_BASELINE = 0,
	RVD_PLAN_CANDIDATE,
	RVD_PLAN_PROVEN,
	RVD_PLAN_REJECTED
} RvdPlanRole;

/*
 * The configuration that makes a plan again: planner settings (an arm of
 * table dag_arms), learned rows as they were then, and the order of joins.
 */
#define RVD_MEMO_JOINS		48

typedef struct RvdMemo
{
	int32		n;
	uint16		arm;			/* RvdArm id; 0: settings as they are */
	uint16		n_joins;		/* tokens used of joins; 0: by the search */
	uint16		joins[RVD_MEMO_JOINS];	/* join tree in postfix, join_order.h */
	uint64		key[RVD_MEMO_ROWS];	/* exact hash of base, join or lookup */
	float		rows[RVD_MEMO_ROWS];
} RvdMemo;

/*
 * Plan: key {rvd_plan_key(queryid, instance, fingerprint), database}.
 */
typedef struct RvdPlan
{
	RvdEntry	head;
	int64		queryid;
	uint64		instance;
	uint64		fingerprint;	/* the plan_id of SQL */
	uint32		role;			/* RvdPlanRole */
	uint32		reason;			/* RvdReason of guard.h: why that role */
	uint32		trials;
	uint32		trials_abandoned;
	uint32		observed;		/* runs with per-node counts */
	uint32		timed;			/* of them, with per-node times */
	double		est_cost;		/* under the configuration that made it */
	double		predicted_ms;	/* budget side's expectation when first tried */
	RvdLatency	latency;
	RvdLatency	ratio;			/* time / expected baseline time, unit 1 */
	TimestampTz first_seen;
	TimestampTz last_used;
	TimestampTz role_changed;
	uint32		n_history;		/* changes of role, the last few, oldest first */
	uint16		history_role[RVD_PLAN_HISTORY];
	uint16		history_reason[RVD_PLAN_HISTORY];
	TimestampTz history_at[RVD_PLAN_HISTORY];
	RvdMemo		memo;			/* n = 0 for a baseline */
	char		skeleton[RVD_SKELETON_TEXT];
} RvdPlan;

/*
 * Row knowledge: key {signature, database}.
 */
typedef struct RvdRows
{
	RvdEntry	head;
	RvdRowModel model;
	TimestampTz updated_at;
	float		last_estimate;	/* the server's, when last counted */
	float		last_rows;
	int32		n_relations;
	Oid			relations[RVD_ROW_RELATIONS];
	char		clauses[RVD_ROW_CLAUSES];	/* constants removed, cut */
} RvdRows;

/* What a memory is of. */
typedef enum RvdMemoryKind
{
	RVD_MEMORY_CATASTROPHE = 0, /* cue: the plan that was far too slow */
	RVD_MEMORY_PROVEN			/* cue: the stock plan; a faster one was proven */
} RvdMemoryKind;

/*
 * A memory: key {id, database}, where id = rvd_memory_id().  The BTSP memory
 * of neural.h leads from a code to the id; this says what it stands for.
 */
typedef struct RvdMemory
{
	RvdEntry	head;
	uint32		kind;			/* RvdMemoryKind */
	uint32		seen;			/* times confirmed */
	int64		queryid;		/* class it happened in */
	uint64		plan_id;		/* the slow plan, or the proven one */
	float		log_ratio;		/* ln(time / expected); cut short: at least */
	float		ms;
	TimestampTz at;				/* last */
	uint64		cue[RVD_HDC_WORDS];
} RvdMemory;

/* Same kind, plan and class: the same memory. */
extern uint64 rvd_memory_id(RvdMemoryKind kind, int64 queryid,
							uint64 plan_id);

/*
 * Embedding of a plan, cached: key {rvd_embedding_key(), database}.  Not
 * persisted.  head.value is when it was last used: set by _find and _enter,
 * not by their callers.
 */
typedef struct RvdCachedEmbedding
{
	RvdEntry	head;
	int32		attention;		/* RvdAttentionKind used */
	float		embedding[RVD_EMBEDDING_DIM];
	float		plan[RVD_PLAN_FEATURES];
	uint64		code[RVD_HDC_WORDS];
} RvdCachedEmbedding;

/*
 * fingerprint: of the plan; sizes: hash of its estimates in coarse steps;
 * attention: kernel.
 */
extern uint64 rvd_embedding_key(uint64 fingerprint, uint64 sizes,
								int attention);

extern uint64 rvd_instance_key(int64 queryid, uint64 instance);
extern uint64 rvd_plan_key(int64 queryid, uint64 instance, uint64 fingerprint);

/* ---- trajectories ------------------------------------------------------ */

/* Outcome of one execution above the threshold. */
typedef enum RvdOutcome
{
	RVD_RUN_COMPLETE = 0,
	RVD_RUN_PARTIAL,			/* a cursor that was not read to its end */
	RVD_RUN_FAILED				/* error or cancel: censored */
} RvdOutcome;

#define RVD_TRAJECTORY_NODES 32

typedef struct RvdTrajectoryNode
{
	int16		op;				/* RvdOp */
	int16		depth;
	float		est_rows;
	float		act_rows;		/* < 0: not counted or never executed */
	float		self_ms;		/* < 0: not timed */
} RvdTrajectoryNode;

/* Targets of the latency model but the first, which is execution_ms. */
#define RVD_TRAJECTORY_TARGETS 15

typedef struct RvdTrajectory
{
	int64		queryid;
	uint64		instance;
	uint64		plan_id;
	TimestampTz recorded_at;
	float		planning_ms;	/* of planning it (0: cached plan) */
	float		execution_ms;
	float		expected_ms;	/* baseline's, 0 if not known */
	double		rows;
	int64		shared_hit;
	int64		shared_read;
	int64		temp_blocks;	/* read + written */
	uint8		outcome;		/* RvdOutcome */
	uint8		role;			/* RvdPlanRole at execution */
	bool		trial;
	bool		trial_abandoned;	/* before this run */
	bool		embedded;		/* the members below are set */
	int16		n_nodes;
	int16		attention;		/* RvdAttentionKind */
	RvdTrajectoryNode nodes[RVD_TRAJECTORY_NODES];
	float		quality;		/* against expected_ms; NaN: not known */
	float		predicted_ms;	/* by the latency model, before; 0: not */
	double		total_cost;
	uint64		embedding_key;	/* of the cached embedding: leads to its code */
	float		targets[RVD_TRAJECTORY_TARGETS];	/* NaN: not observed */
	float		plan[RVD_PLAN_FEATURES];
	float		embedding[RVD_EMBEDDING_DIM];
} RvdTrajectory;

/* ---- databases --------------------------------------------------------- */

#define RVD_MAX_DATABASES 16

typedef enum RvdDatabaseState
{
	RVD_DB_FREE = 0,
	RVD_DB_STARTING,			/* learner started, tables not loaded yet */
	RVD_DB_READY,				/* loaded: backends may steer */
	RVD_DB_STOPPED				/* learner gone; knowledge stays in memory */
} RvdDatabaseState;

/*
 * What somebody wants of the learner, and its answer.  One at a time: the
 * next one waits until the answer was read (or for a second, in case nobody
 * waits for it any more).
 */
typedef struct RvdCycleRequest
{
	uint32		number;			/* cycle_wanted then; answered: cycle_done */
	bool		extract;		/* patterns are wanted, from whatever there is */
	int32		clusters;		/* of K-means; 0: by the setting */
	float		threshold;		/* > 0: no cycle, only merge patterns so near */

	bool		answered;
	bool		taken;			/* the answer was read */
	bool		failed;
	bool		skipped;		/* too few trajectories for what was wanted */
	int64		waiting;		/* trajectories not trained on yet */
	int64		usable;			/* all that can be learned from, old ones too */
	int32		patterns;		/* in the bank after it */
	int32		merged;
	TimestampTz answered_at;
} RvdCycleRequest;

typedef struct RvdDatabase
{
	Oid			database;		/* control lock to change */
	pg_atomic_uint32 state;		/* RvdDatabaseState */
	int32		ring;			/* index of its ring, -1: none left */
	Latch	   *learner_latch;	/* control lock */
	pid_t		learner_pid;	/* control lock */
	bool		account_loaded; /* control lock: persisted account added */
	TimestampTz hold_until;		/* control lock: no learner before then */

	/* account of steering, microseconds; see guard.h */
	pg_atomic_uint64 executed_us;	/* expected baseline time of all executed */
	pg_atomic_uint64 regret_us;
	pg_atomic_uint64 saved_us;
	pg_atomic_uint64 observed_us;	/* time of executions with counts on */
	pg_atomic_uint64 timed_us;	/* of them, with per-node times; not persisted */

	/* counters */
	pg_atomic_uint64 queries;	/* executions seen */
	pg_atomic_uint64 steered;
	pg_atomic_uint64 trials;
	pg_atomic_uint64 trials_won;
	pg_atomic_uint64 trials_abandoned;
	pg_atomic_uint64 lock_skips;	/* updates given up because of a lock */
	pg_atomic_uint64 errors;	/* caught in a hook */
	pg_atomic_uint64 trajectories;	/* drained so far */
	pg_atomic_uint64 ring_refused;	/* not recorded: no ring */
	pg_atomic_uint64 join_orders;	/* join problems built in a known order */
	pg_atomic_uint64 join_orders_refused;	/* not legal any more, or in vain */
	pg_atomic_uint64 joins_built;	/* join relations, of large problems */

	RvdArmRecord arms[RVD_ARMS];	/* statistics: a lost update harms nothing */

	/* counters of the neural core; none is persisted */
	pg_atomic_uint64 cache_hits;	/* embeddings */
	pg_atomic_uint64 cache_misses;
	pg_atomic_uint64 pattern_lookups;	/* classes or instances first seen */
	pg_atomic_uint64 pattern_hits;	/* similarity and confidence sufficed */
	pg_atomic_uint64 first_run_trials;
	pg_atomic_uint64 vetoes;	/* candidates a memory kept from running */
	pg_atomic_uint64 recalls;	/* proven plans of a near-identical query */
	pg_atomic_uint64 micro_steps;
	pg_atomic_uint64 micro_flushes;

	/* requests to the learner and its answers */
	pg_atomic_uint32 cycle_wanted;
	pg_atomic_uint32 cycle_done;
	RvdCycleRequest request;	/* control lock */
	int64		cycle_trajectories; /* of the last cycle; control lock */
	int64		cycle_patterns;
	double		cycle_ms;
	bool		cycle_failed;
	TimestampTz last_cycle;
	TimestampTz last_persist;
	uint64		cycles;
} RvdDatabase;

/* The slot of the database this process is connected to, or NULL: none. */
extern RvdDatabase *rvd_my_database(void);

/* The same, and what was persisted is in memory, or nobody will load it. */
extern bool rvd_database_loaded(void);

/* Claim (or find) the slot of a database; NULL when all are taken. */
extern RvdDatabase *rvd_database_attach(Oid database);

/* Forget a database: frees slot and all its entries. */
extern void rvd_database_detach(Oid database);

extern RvdDatabase *rvd_database_at(int i);	/* 0 .. RVD_MAX_DATABASES - 1 */

/* Its trajectory ring, NULL if it has none. */
extern RvdRing *rvd_database_ring(RvdDatabase *db);

/*
 * Wake its learner, if it has one.  wait = false: only if the control lock is
 * to be had at once.
 */
extern void rvd_database_wake(RvdDatabase *db, bool wait);

/* Record a trajectory; never waits.  Wakes the learner at half full. */
extern void rvd_trajectory_push(RvdDatabase *db, const RvdTrajectory *t);

/* ---- control ----------------------------------------------------------- */

/* What a learner has to say to the launcher when it leaves. */
typedef enum RvdJobResult
{
	RVD_JOB_RUNNING = 0,		/* still at it, or it died without a word */
	RVD_JOB_NO_EXTENSION,		/* nothing to do in this database */
	RVD_JOB_NO_SLOT,			/* RVD_MAX_DATABASES are served already */
	RVD_JOB_STOPPED,			/* told to stop, or made way for DROP DATABASE */
	RVD_JOB_RESTART				/* the extension was created anew */
} RvdJobResult;

#define RVD_MAX_JOBS (RVD_MAX_DATABASES + 4)

typedef struct RvdJob
{
	Oid			database;		/* set by the launcher; InvalidOid: free */
	pg_atomic_uint32 result;	/* RvdJobResult, set by the learner */
} RvdJob;

typedef struct RvdControl
{
	pg_atomic_uint32 generation;	/* moves when a database slot changes hands */
	pg_atomic_uint32 rescan;	/* launcher: look at the databases again */
	Latch	   *launcher_latch;	/* control lock */
	pid_t		launcher_pid;
	TimestampTz started_at;
	pg_atomic_uint64 worker_refused;	/* no background worker slot */
	RvdJob		jobs[RVD_MAX_JOBS];
} RvdControl;

extern RvdControl *rvd_control(void);	/* NULL: not preloaded */
extern LWLock *rvd_control_lock(void);
extern bool rvd_preloaded(void);		/* shared memory is there */

/* Tell the launcher that the set of databases may have changed. */
extern void rvd_wake_launcher(void);

typedef struct RvdMemoryLine
{
	const char *component;
	Size		budget_bytes;
	Size		allocated_bytes;
	Size		used_bytes;
	Size		peak_bytes;
} RvdMemoryLine;

#define RVD_MEMORY_LINES 12

/* Fills up to RVD_MEMORY_LINES; returns how many. */
extern int	rvd_memory_lines(RvdMemoryLine *lines);

/* Called by _PG_init: installs shmem_request_hook and shmem_startup_hook. */
extern void rvd_store_init(void);

#endif							/* RVD_STORE_H */
