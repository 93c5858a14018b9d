/*-------------------------------------------------------------------------
 *
 * test_schedule.c
 *	  The table of tasks, with time made up.
 *
 *-------------------------------------------------------------------------
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/worker/schedule.c"

#define N	3

static void
make_tasks(RvdTask *tasks)
{
	for (int i = 0; i < N; i++)
		tasks[i] = (RvdTask)
	{
		.name = "task", .interval_us = 10 * (i + 1)
	};
	rvd_schedule_start(tasks, N, 1000);
}

static void
test_first_runs_an_interval_after_start(void **state)
{
	RvdTask		tasks[N];

	make_tasks(tasks);
	assert_null(rvd_schedule_due(tasks, N, 1009));
	assert_int_equal(rvd_schedule_wait(tasks, N, 1004), 6);
	assert_ptr_equal(rvd_schedule_due(tasks, N, 1010), &tasks[0]);
	assert_int_equal(rvd_schedule_wait(tasks, N, 1010), 0);
}

static void
test_longest_due_goes_first(void **state)
{
	RvdTask		tasks[N];

	make_tasks(tasks);
	tasks[2].due = 500;
	assert_ptr_equal(rvd_schedule_due(tasks, N, 2000), &tasks[2]);
	rvd_schedule_ended(&tasks[2], 2000, true);
	assert_ptr_equal(rvd_schedule_due(tasks, N, 2000), &tasks[0]);
	rvd_schedule_ended(&tasks[0], 2000, true);
	assert_ptr_equal(rvd_schedule_due(tasks, N, 2000), &tasks[1]);
	rvd_schedule_ended(&tasks[1], 2000, true);
	assert_null(rvd_schedule_due(tasks, N, 2000));
}

/* However late a task runs, the next run is an interval after it. */
static void
test_late_runs_are_not_made_up_for(void **state)
{
	RvdTask		tasks[N];

	make_tasks(tasks);
	rvd_schedule_ended(&tasks[0], 999999, true);
	assert_int_equal(tasks[0].due, 999999 + 10);
}

static void
test_failures_back_off_and_recover(void **state)
{
	RvdTask		task = {.name = "task",.interval_us = 1000000};
	int64_t		expected = task.interval_us;

	for (int i = 0; i < 100; i++)
	{
		rvd_schedule_ended(&task, 0, false);
		assert_int_equal(task.due, expected);
		expected *= 2;
		if (expected > RVD_SCHEDULE_LONGEST_US)
			expected = RVD_SCHEDULE_LONGEST_US;
	}
	rvd_schedule_ended(&task, 0, true);
	assert_int_equal(task.due, task.interval_us);
	rvd_schedule_ended(&task, 0, false);
	assert_int_equal(task.due, task.interval_us);
}

/* An interval beyond the longest pause is not shortened by failing. */
static void
test_failure_never_hastens(void **state)
{
	RvdTask		task = {.name = "task",.interval_us = 10 * RVD_SCHEDULE_LONGEST_US};

	for (int i = 0; i < 5; i++)
	{
		rvd_schedule_ended(&task, 7, false);
		assert_int_equal(task.due, 7 + task.interval_us);
	}
}

static void
test_hurry_respects_back_off(void **state)
{
	RvdTask		task = {.name = "task",.interval_us = 1000};

	rvd_schedule_start(&task, 1, 0);
	rvd_schedule_hurry(&task, 5);
	assert_int_equal(task.due, 5);
	rvd_schedule_hurry(&task, 50);	/* overdue stays as overdue as it is */
	assert_int_equal(task.due, 5);
	rvd_schedule_ended(&task, 10, false);
	rvd_schedule_hurry(&task, 20);
	assert_int_equal(task.due, 1010);
}

static void
test_shorter_interval_takes_effect_at_once(void **state)
{
	RvdTask		task = {.name = "task",.interval_us = 1000000};

	rvd_schedule_start(&task, 1, 0);
	rvd_schedule_set_interval(&task, 100, 50);
	assert_int_equal(task.due, 150);
	rvd_schedule_set_interval(&task, 5000, 60);
	assert_int_equal(task.due, 150);
	rvd_schedule_ended(&task, 150, true);
	assert_int_equal(task.due, 5150);
}

/* Over a long simulated time each task runs as often as it should. */
static void
test_rates_over_time(void **state)
{
	RvdTask		tasks[N];
	int			runs[N] = {0};
	int64_t		now = 1000;

	make_tasks(tasks);
	while (now < 1000 + 6000)
	{
		RvdTask    *task;

		now += rvd_schedule_wait(tasks, N, now);
		while ((task = rvd_schedule_due(tasks, N, now)) != NULL)
		{
			runs[task - tasks]++;
			rvd_schedule_ended(task, now, true);
		}
	}
	assert_int_equal(runs[0], 600);
	assert_int_equal(runs[1], 300);
	assert_int_equal(runs[2], 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_runs_an_interval_after_start),
		cmocka_unit_test(test_longest_due_goes_first),
		cmocka_unit_test(test_late_runs_are_not_made_up_for),
		cmocka_unit_test(test_failures_back_off_and_recover),
		cmocka_unit_test(test_failure_never_hastens),
		cmocka_unit_test(test_hurry_respects_back_off),
		cmocka_unit_test(test_shorter_interval_takes_effect_at_once),
		cmocka_unit_test(test_rates_over_time)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
