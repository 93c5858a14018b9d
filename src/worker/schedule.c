/*-------------------------------------------------------------------------
 *
 * schedule.c
 *	  A table of tasks that are due from time to time.  Pure: no clock, no
 *	  allocation, no server.
 *
 *-------------------------------------------------------------------------
 */
#include <stddef.h>

#include "schedule.h"

void
rvd_schedule_start(RvdTask *tasks, int n, int64_t now)
{
	for (int i = 0; i < n; i++)
	{
		tasks[i].due = now + tasks[i].interval_us;
		tasks[i].failures = 0;
	}
}

RvdTask *
rvd_schedule_due(RvdTask *tasks, int n, int64_t now)
{
	RvdTask    *first = NULL;

	for (int i = 0; i < n; i++)
		if (tasks[i].due <= now && (first == NULL || tasks[i].due < first->due))
			first = &tasks[i];
	return first;
}

int64_t
rvd_schedule_wait(const RvdTask *tasks, int n, int64_t now)
{
	int64_t		wait = RVD_SCHEDULE_LONGEST_US;

	for (int i = 0; i < n; i++)
	{
		if (tasks[i].due <= now)
			return 0;
		if (tasks[i].due - now < wait)
			wait = tasks[i].due - now;
	}
	return wait;
}

void
rvd_schedule_ended(RvdTask *task, int64_t now, bool ok)
{
	int64_t		wait = task->interval_us;

	if (ok)
		task->failures = 0;
	else
	{
		for (int i = 0; i < task->failures && wait < RVD_SCHEDULE_LONGEST_US; i++)
			wait *= 2;
		if (wait > RVD_SCHEDULE_LONGEST_US && wait > task->interval_us)
			wait = task->interval_us > RVD_SCHEDULE_LONGEST_US ?
				task->interval_us : RVD_SCHEDULE_LONGEST_US;
		task->failures++;
	}
	task->due = now + wait;
}

void
rvd_schedule_hurry(RvdTask *task, int64_t now)
{
	if (task->failures == 0 && task->due > now)
		task->due = now;
}

void
rvd_schedule_set_interval(RvdTask *task, int64_t interval_us, int64_t now)
{
	task->interval_us = interval_us;
	if (task->due > now + interval_us)
		task->due = now + interval_us;
}
