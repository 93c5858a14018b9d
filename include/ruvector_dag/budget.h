/*-------------------------------------------------------------------------
 *
 * budget.h
 *	  Work of ours that is interrupted when its time is up.  Layer 4.
 *
 * For work in a subtransaction: a timer interrupts it by the same flag as a
 * cancel, and the caller swallows that error, and only that one.  A real
 * cancel arrives as SIGINT (pg_cancel_backend, statement_timeout and
 * lock_timeout all send it), so meanwhile SIGINT is noted.
 *
 *		rvd_budget_begin();
 *		PG_TRY();
 *			... subtransaction, rvd_budget_start(ms), work ...
 *			on an error: rvd_budget_stop(), is it rvd_budget_is_ours()?
 *		PG_FINALLY();
 *			rvd_budget_end();
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_BUDGET_H
#define RVD_BUDGET_H

#include "postgres.h"

/* One at a time: is none under way? */
extern bool rvd_budget_free(void);

extern void rvd_budget_begin(void);
extern void rvd_budget_end(void);

/*
 * The clock starts: ms of own time (own_time.h), never more than twice as
 * long by the wall.  It fires again and again, for functions that catch the
 * first time and go on.
 */
extern void rvd_budget_start(double ms);
extern void rvd_budget_stop(void);

/* Did it fire?  Then what the work made is void, even if it went on. */
extern bool rvd_budget_expired(void);

/* Is an error with this SQLSTATE our timer's doing and nobody else's? */
extern bool rvd_budget_is_ours(int sqlerrcode);

/* Did somebody cancel the statement meanwhile? */
extern bool rvd_budget_cancelled(void);

#endif							/* RVD_BUDGET_H */
