/*-------------------------------------------------------------------------
 *
 * learner.h
 *	  What the parts of a learner share.  Layer 6, private to workers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_LEARNER_H
#define RVD_LEARNER_H

#include "postgres.h"

#include "ruvector_dag/store.h"
#include "entity.h"

/* Tables a learner writes; in this order, locked all or none. */
extern const char *const rvd_learner_relations[];
extern const int rvd_learner_n_relations;

/* Why a learner leaves. */
typedef enum RvdLeave
{
	RVD_LEAVE_NOT = 0,
	RVD_LEAVE_EXTENSION_GONE,	/* forget everything */
	RVD_LEAVE_EXTENSION_NEW,	/* the same, and start again */
	RVD_LEAVE_DATABASE			/* somebody wants the database to himself */
} RvdLeave;

typedef struct RvdLearner
{
	RvdDatabase *db;
	Oid			database;
	Oid			extension;		/* pg_extension.oid when it started */
	RvdLeave	leave;
	bool		deferred;		/* put off: a table was locked */
	MemoryContext scratch;		/* reset after each task */
	int64		at_last_cycle;	/* trajectories drained by then */
} RvdLearner;

/* ---- transaction.c ----------------------------------------------------- */

/* Settings under which a worker's own statements run. */
extern void rvd_worker_set_options(const char *application_name);

/* OID of the extension, InvalidOid if it is not there.  In a transaction. */
extern Oid	rvd_learner_find_extension(void);

/*
 * Begin a transaction in which all tables may be written and SPI is
 * connected.  False, with nothing open: this server is a standby, a table is
 * locked by somebody (deferred is set: try later), or the extension is gone
 * (leave is set).
 */
extern bool rvd_learner_begin_write(RvdLearner *learner);

/* Begin one that reads.  False as above, but on a standby it can. */
extern bool rvd_learner_begin_read(RvdLearner *learner);

/* One of these two, tried this often, this far apart, while it is put off. */
#define RVD_LEARNER_ATTEMPTS	20
#define RVD_LEARNER_ATTEMPT_MS	100

extern bool rvd_learner_begin_soon(RvdLearner *learner,
								   bool (*begin_one) (RvdLearner *));
extern void rvd_learner_commit(void);

/* Is some session waiting to have the database to itself? */
extern bool rvd_database_wanted(Oid database);

/* Prepare once, keep for the life of the process; *plan NULL at first. */
struct _SPI_plan;
extern struct _SPI_plan *rvd_learner_prepare(struct _SPI_plan **plan,
											 const char *sql,
											 int nargs, Oid *types);

/* ---- load.c ------------------------------------------------------------ */

/*
 * Read what was persisted into shared memory; what is there already stays as
 * it is, unless refresh is set and it is clean.
 */
extern void rvd_learner_load(RvdLearner *learner, bool refresh);

/* ---- tasks; false: failed (an error counts as that too) ---------------- */

extern bool rvd_learner_drain(void *learner);	/* drain.c */
extern bool rvd_learner_persist(void *learner); /* persist.c */
extern bool rvd_learner_cycle(void *learner);	/* cycle.c */
extern bool rvd_learner_save_model(void *learner);	/* snapshot_save.c */

/* ---- snapshot_load.c --------------------------------------------------- */

/*
 * Model and bank, unless what is published is ahead of the tables; refresh:
 * unless it is the same.  In a transaction that reads.
 */
extern void rvd_snapshot_load(RvdLearner *learner, bool refresh);

/* ---- account.c --------------------------------------------------------- */

extern void rvd_account_load(RvdLearner *learner);
extern bool rvd_account_changed(RvdLearner *learner);
extern void rvd_account_save(RvdLearner *learner);
extern void rvd_account_saved(RvdLearner *learner); /* it was committed */

/* ---- attention_save.c -------------------------------------------------- */

extern void rvd_attention_load(RvdLearner *learner, bool refresh);
extern bool rvd_attention_changed(RvdLearner *learner);

/* Take a copy, clean from then on; write it; if that failed, dirty again. */
extern void rvd_attention_collect(RvdLearner *learner);
extern void rvd_attention_save(void);
extern void rvd_attention_not_saved(RvdLearner *learner);

/* ---- recall.c ---------------------------------------------------------- */

/* The one-shot memory learns all memories there are, the oldest first. */
extern void rvd_recall_restore(RvdLearner *learner);

/* The same from scratch with the newest ones, if it is nearly full. */
extern void rvd_recall_tidy(RvdLearner *learner);

#endif							/* RVD_LEARNER_H */
