/*-------------------------------------------------------------------------
 *
 * explain.h
 *	  Between utility.c, executor.c and explain*.c.  Layer 6, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_EXPLAIN_H
#define RVD_EXPLAIN_H

#include "postgres.h"

#include "executor/execdesc.h"
#include "nodes/parsenodes.h"
#include "tcop/dest.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/report.h"

/* ---- explain.c --------------------------------------------------------------- */

/* One EXPLAIN under way; they nest. */
typedef struct RvdExplainRun
{
	struct RvdExplainRun *outer;
	ExplainStmt *stmt;
	MemoryContext cxt;
	List	   *plans;			/* RvdExplainedPlan, as they were explained */
} RvdExplainRun;

/*
 * Around an EXPLAIN; end also after an error.  begin returns where its rows
 * are to be sent.
 */
extern DestReceiver *rvd_explain_begin(RvdExplainRun *run, PlannedStmt *pstmt,
									   DestReceiver *dest);
extern void rvd_explain_end(RvdExplainRun *run);

/* A plan is started; if it is the one to be explained, remember it. */
extern void rvd_explain_note(QueryDesc *query_desc, int eflags);

/* Installs the server's own hook, where it has one. */
extern void rvd_explain_init(void);

/* ---- explain_group.c --------------------------------------------------------- */

/* Write the group; es stands within the query's own group. */
extern void rvd_explain_group(struct ExplainState *es,
							  const RvdPlanReport *report);

/* ---- explain_receiver.c ------------------------------------------------------ */

/*
 * A receiver that adds groups to the rows of an EXPLAIN and passes them on.
 * groups: asked for when the rows come, and its options are known to be good;
 * returns one text per explained plan, NULL where there is none, or NIL.
 */
typedef List *(*RvdExplainGroups) (RvdExplainRun *run, ExplainFormat *format);

extern DestReceiver *rvd_explain_receiver(RvdExplainRun *run,
										  RvdExplainGroups groups,
										  DestReceiver *inner);

/* ---- explain_splice.c --------------------------------------------------------- */

/*
 * Text of an EXPLAIN with each group at the end of its query; NULL if the text
 * has not as many queries as there are groups.  Not for EXPLAIN_FORMAT_TEXT.
 */
extern char *rvd_explain_splice(ExplainFormat format, const char *text,
								List *groups);

/*
 * A state to write such a group with: as the server's stands at the end of a
 * query.
 */
extern struct ExplainState *rvd_explain_state(ExplainFormat format);

#endif							/* RVD_EXPLAIN_H */
