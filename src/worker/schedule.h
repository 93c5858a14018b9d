/*-------------------------------------------------------------------------
 *
 * schedule.h
 *	  A table of tasks that are due from time to time.  Pure.
 *
 * Time is an argument everywhere (microseconds, any origin), so that a test
 * can let it pass as it likes.  A task that fails is tried again after its
 * interval, then twice that, and so on up to RVD_SCHEDULE_LONGEST_US.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_SCHEDULE_H
#define RVD_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define RVD_SCHEDULE_LONGEST_US	(INT64_C(300) * 1000000)

typedef struct RvdTask
{
	const char *name;			/* for pg_stat_activity and the log */
	int64_t		interval_us;	/* > 0 */
	bool		(*run) (void *context);	/* false: it failed */
	int64_t		due;
	int			failures;		/* in a row */
} RvdTask;

/* The first run of each task is due an interval from now.  O(n). */
extern void rvd_schedule_start(RvdTask *tasks, int n, int64_t now);

/* The task that is due longest, NULL if none is.  O(n). */
extern RvdTask *rvd_schedule_due(RvdTask *tasks, int n, int64_t now);

/* Microseconds until the next task is due, 0 if one is already.  O(n). */
extern int64_t rvd_schedule_wait(const RvdTask *tasks, int n, int64_t now);

/* A run of the task ended. */
extern void rvd_schedule_ended(RvdTask *task, int64_t now, bool ok);

/* Due now, unless it waits after a failure. */
extern void rvd_schedule_hurry(RvdTask *task, int64_t now);

/* Change the interval; what is due later than that becomes due earlier. */
extern void rvd_schedule_set_interval(RvdTask *task, int64_t interval_us,
									  int64_t now);

#endif							/* RVD_SCHEDULE_H */
