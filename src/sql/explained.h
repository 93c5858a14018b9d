/*-------------------------------------------------------------------------
 *
 * explained.h
 *	  All that ruvector_dag_explain() has to tell of one statement.
 *	  Layer 7, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_EXPLAINED_H
#define RVD_EXPLAINED_H

#include "postgres.h"

#include "ruvector_dag/decision.h"
#include "ruvector_dag/report.h"

#include "query_view.h"
#include "sql_common.h"

typedef struct RvdExplained
{
	bool		in_scope;		/* a table of it is enabled; scope is set */
	RvdScope	scope;
	RvdDecision decision;
	RvdQueryView stock;			/* the server's plan */
	RvdLook		look;			/* at it, with its code */
	uint64		stock_plan;
	bool		may_read;		/* row counts are for the caller */

	RvdKnowledge known;
	const RvdClass *class;		/* NULL: never seen */
	const RvdInstance *instance;	/* NULL: these constants were never run */

	int			n_patterns;
	RvdPatternMatch patterns[RVD_BANK_TOP];
	bool		recalled;		/* memory is set */
	RvdMemory	memory;
	double		distance;

	bool		looked_at;		/* now is set: what would run has a tag */
	RvdPlanReport now;
} RvdExplained;

/* Why the statement is not looked at; NULL: it is. */
extern const char *rvd_explained_obstacle(const RvdExplained *x);

/* Why the plan that would run now is that one. */
extern const char *rvd_explained_reason(const RvdExplained *x);

/* The decision in sentences, an array under key "steps". */
extern void rvd_explained_steps(const RvdExplained *x, RvdJson *json);

/* Candidate of the instance with that plan, NULL: none. */
extern const RvdCandidate *rvd_explained_candidate(const RvdExplained *x,
												   uint64 plan);

/* Is the match sure and near enough for what it advises to be tried? */
extern bool rvd_explained_advises(const RvdPatternMatch *match);

#endif							/* RVD_EXPLAINED_H */
