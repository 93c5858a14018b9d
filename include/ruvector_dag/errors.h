/*-------------------------------------------------------------------------
 *
 * errors.h
 *	  SQLSTATEs of class RV.  Layer 2.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_ERRORS_H
#define RVD_ERRORS_H

#include "postgres.h"

#define RVD_ERRCODE_DISABLED		MAKE_SQLSTATE('R','V','0','0','1')
#define RVD_ERRCODE_INVALID_ATTENTION MAKE_SQLSTATE('R','V','0','0','2')
#define RVD_ERRCODE_PATTERN_NOT_FOUND MAKE_SQLSTATE('R','V','0','0','3')
#define RVD_ERRCODE_LEARNING_FAILED MAKE_SQLSTATE('R','V','0','0','4')
#define RVD_ERRCODE_NOT_PRELOADED	MAKE_SQLSTATE('R','V','0','1','0')
#define RVD_ERRCODE_INSUFFICIENT_TRAJECTORIES MAKE_SQLSTATE('R','V','0','1','1')
#define RVD_ERRCODE_INVALID_DAG		MAKE_SQLSTATE('R','V','0','1','2')
#define RVD_ERRCODE_TABLE_NOT_ENABLED MAKE_SQLSTATE('R','V','0','1','3')

/* RV010 unless the library was loaded by shared_preload_libraries. */
extern void rvd_require_preload(void);

/*
 * In a PG_CATCH: is the error a query cancel or a shutdown?  Such an error is
 * never swallowed but thrown on.
 */
extern bool rvd_error_is_interrupt(void);

/*
 * Log a caught error at most once per kind per minute and count it in the
 * database's slot.  Clears the error state.  For hooks: the caller goes on
 * with the stock plan.  kind: a string constant.
 */
extern void rvd_swallow_error(const char *kind, MemoryContext restore);

#endif							/* RVD_ERRORS_H */
