/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  Background workers: one launcher, one learner per database that has
 *	  the extension.  Layer 6.
 *
 * The launcher finds the databases and keeps their learners running.  A
 * learner loads what was persisted into shared memory, drains its ring into
 * ruvector.dag_trajectories, persists what changed, runs learning cycles and
 * leaves when the extension or the database goes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_WORKER_H
#define RVD_WORKER_H

#include "postgres.h"

/*
 * True in launcher and learners: the hooks of this extension must then pass
 * everything on untouched.
 */
extern PGDLLIMPORT bool rvd_in_worker;

/* Register the launcher.  Only while shared_preload_libraries is loaded. */
extern void rvd_worker_register(void);

/*
 * Make the learner of a database leave it, for a command that needs the
 * database to itself (DROP DATABASE, CREATE DATABASE ... TEMPLATE, ALTER
 * DATABASE ... RENAME or SET TABLESPACE), and keep it away for ten seconds.
 * Waits up to five seconds; returns whether it is gone.  A learner also sees
 * by itself, within a second, that somebody waits for its database: calling
 * this only makes it faster.  Does nothing for a user who could not drop the
 * database.
 */
extern bool rvd_worker_release_database(Oid database);

/* Entry points of the workers. */
extern PGDLLEXPORT void rvd_launcher_main(Datum arg);
extern PGDLLEXPORT void rvd_learner_main(Datum arg);

#endif							/* RVD_WORKER_H */
