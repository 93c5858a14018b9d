/*-------------------------------------------------------------------------
 *
 * report.h
 *	  What is known of a plan that was just made, for people to read.
 *	  Layer 4.
 *
 * EXPLAIN's group and ruvector_dag_explain() say the same because both read
 * it here.  Nothing in it tells of row counts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_REPORT_H
#define RVD_REPORT_H

#include "postgres.h"

#include "nodes/plannodes.h"

#include "ruvector_dag/bank.h"
#include "ruvector_dag/store.h"
#include "ruvector_dag/tag.h"

typedef struct RvdPatternMatch
{
	uint64		id;
	float		similarity;
	float		confidence;
	uint32		verified;		/* members whose configuration was measured */
	bool		learned_rows;	/* what it advises */
} RvdPatternMatch;

typedef struct RvdPlanReport
{
	int64		queryid;
	uint64		instance;
	uint64		plan_id;
	bool		stock;			/* the server's own choice */
	uint32		role;			/* RvdPlanRole */
	int			reason;			/* RvdReason; RVD_REASON_NONE: not known */
	uint16		arm;			/* 0: settings as they are */
	const char *state;			/* of the instance; NULL: not known yet */
	int			mode;			/* RvdMode */
	double		stock_ms;		/* expected of the stock plan, 0: not known */
	double		expected_ms;	/* of this plan, as measured; 0: never */
	double		predicted_ms;	/* by the latency model; 0: not known */
	const char *plan_cache;		/* generic or custom, and why; NULL: no say */
	bool		may_try;		/* a run now might try another plan */
	bool		matched;		/* pattern is set: the nearest there is */
	RvdPatternMatch pattern;
} RvdPlanReport;

/*
 * Of a plan with a tag.  Never raises, never waits: what cannot be had is
 * left out.
 */
extern void rvd_report_plan(const RvdTag *tag, PlannedStmt *stmt,
							RvdPlanReport *report);

/* The nearest patterns of a plan, best first; returns how many, to
 * RVD_BANK_TOP. */
extern int	rvd_report_patterns(const RvdLook *look,
								RvdPatternMatch *matches);

/* The memory that a plan recalls, if there is one: how near, in [0, 1]. */
extern bool rvd_report_memory(const RvdLook *look, RvdMemory *memory,
							  double *distance);

/* "baseline", "candidate", "proven", "rejected"; NULL if unknown. */
extern const char *rvd_report_role(uint32 role);

/* "learning", "exploring", "settled", "steered", "cooling". */
extern const char *rvd_report_state(const RvdInstance *instance);

/* Name of an arm, palloc'd; NULL for 0, the settings as they are. */
extern const char *rvd_report_arm(uint16 arm);

/* "observe", "advise", "auto". */
extern const char *rvd_report_mode(int mode);

#endif							/* RVD_REPORT_H */
