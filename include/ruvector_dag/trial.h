/*-------------------------------------------------------------------------
 *
 * trial.h
 *	  A candidate plan run in place of the reference, under a time budget.
 *	  Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_TRIAL_H
#define RVD_TRIAL_H

#include "postgres.h"

#include "executor/execdesc.h"
#include "nodes/parsenodes.h"

#include "ruvector_dag/dag.h"
#include "ruvector_dag/observe.h"
#include "ruvector_dag/tag.h"

typedef struct RvdTrial
{
	RvdTag	   *tag;			/* of the candidate, a copy */
	double		ms;				/* spent, sending rows included */
	bool		won;			/* finished in time, rows were sent */
	bool		failed;			/* raised an error of its own */
	RvdObservation seen;
} RvdTrial;

/* Could a statement like this be tried at all?  Asked before planning. */
extern bool rvd_trial_query_allowed(Query *query, int cursor_options);

/* Does the plan hold only nodes that may run twice? */
extern bool rvd_trial_plan_allowed(const RvdDag *dag);

/*
 * Is this very run of the executor one that may be replaced by a trial?
 * other_instrumentation: somebody else wants to see the reference run.
 */
extern bool rvd_trial_run_allowed(QueryDesc *queryDesc, RvdTag *tag,
								  bool other_instrumentation);

/*
 * The tag's candidates, taken from it: its slot may be recycled while they
 * run.  In CurrentMemoryContext; NULL if there are none any more.
 */
typedef struct RvdTrials RvdTrials;

extern RvdTrials *rvd_trials_take(RvdTag *tag);

/*
 * Run the next candidate within its budget; false: there is none left.  If it
 * finishes, its rows have been sent to the query's receiver and es_processed
 * is set: the caller must not run the reference.  If not, everything is as if
 * nothing had happened.  A real cancel, any time-out but ours, and shutdown
 * are raised as always.
 */
extern bool rvd_trials_next(RvdTrials *trials, QueryDesc *queryDesc,
							RvdTrial *trial);
extern void rvd_trials_end(RvdTrials *trials);

#endif							/* RVD_TRIAL_H */
