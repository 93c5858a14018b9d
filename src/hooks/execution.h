/*-------------------------------------------------------------------------
 *
 * execution.h
 *	  Executions under way in this backend.  Layer 6, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_EXECUTION_H
#define RVD_EXECUTION_H

#include "executor/execdesc.h"
#include "executor/instrument.h"
#include "portability/instr_time.h"

#include "ruvector_dag/own_time.h"
#include "ruvector_dag/trial.h"

typedef struct RvdExecution
{
	QueryDesc  *query_desc;
	uint32		tag_id;			/* 0: only counted */
	SubTransactionId subxact;
	bool		foreign_eyes;	/* somebody else instruments it */
	bool		counts_rows;	/* we do */
	bool		times_nodes;	/* with clocks */
	bool		partial;		/* read piecemeal */
	bool		running;
	uint32		runs;
	double		ms;				/* in ExecutorRun; tagged: its own time */
	RvdOwnTime	since;
	bool		after_trial;	/* an abandoned trial came before */
	bool		replaced;		/* the candidate's rows were sent instead */
	/* set only where they are needed: not cleared for every statement */
	BufferUsage usage;			/* at its start */
	RvdTrial	trial;			/* tag in the statement's memory */
} RvdExecution;


/* A new entry, zeroed; NULL when too many are open at once. */
extern RvdExecution *rvd_execution_begin(QueryDesc *query_desc);
extern RvdExecution *rvd_execution_find(QueryDesc *query_desc);
extern void rvd_execution_drop(RvdExecution *e);

/* Time since, in ms. */
extern double rvd_execution_clock(instr_time since);

/* The executor begins to run it, and ends. */
extern void rvd_execution_start_clock(RvdExecution *e);
extern void rvd_execution_stop_clock(RvdExecution *e);

/* The statement came to its end: learn from it.  after_run.c */
extern void rvd_execution_learn(RvdExecution *e, QueryDesc *query_desc);

/* It did not: record how long it took at least. */
extern void rvd_execution_censored(RvdExecution *e);

/* Transaction callbacks. */
extern void rvd_execution_init(void);

#endif							/* RVD_EXECUTION_H */
