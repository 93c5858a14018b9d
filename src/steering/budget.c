/*-------------------------------------------------------------------------
 *
 * budget.c
 *	  Work of ours that is interrupted when its time is up.  See budget.h.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "ruvector_dag/budget.h"
#include "ruvector_dag/own_time.h"

/* The timer fires again after this long, or a quarter of the budget. */
#define MIN_REPEAT_MS	20

static TimeoutId timer;
static bool timer_registered = false;
static bool under_way = false;
static volatile sig_atomic_t expired = 0;
static volatile sig_atomic_t real_cancel = 0;
static RvdOwnTime clock_since;
static double budget_ms;

/* While others have the processors the work may go on, but not for ever. */
static void
on_expired(void)
{
	double		own_ms;
	double		elapsed = rvd_own_time_elapsed_ms(&clock_since, &own_ms);

	if (!expired && own_ms < budget_ms && elapsed < 2 * budget_ms)
		return;
	expired = 1;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

static void
on_sigint(SIGNAL_ARGS)
{
	real_cancel = 1;
	StatementCancelHandler(postgres_signal_arg);
}

bool
rvd_budget_free(void)
{
	return !under_way;
}

void
rvd_budget_begin(void)
{
	if (!timer_registered)
	{
		timer = RegisterTimeout(USER_TIMEOUT, on_expired);
		timer_registered = true;
	}
	under_way = true;
	expired = 0;
	real_cancel = 0;
	pqsignal(SIGINT, on_sigint);
	if (QueryCancelPending)
		real_cancel = 1;		/* it came before us */
}

/*
 * The timer may have fired without anybody looking.  Take its request back,
 * but not one that came from elsewhere at the same moment.
 */
static void
forget_our_cancel(void)
{
	if (!expired)
		return;
	QueryCancelPending = false;
	if (real_cancel)
	{
		InterruptPending = true;
		QueryCancelPending = true;
	}
}

void
rvd_budget_end(void)
{
	/* in this order: what comes in between is still noted */
	forget_our_cancel();
	pqsignal(SIGINT, StatementCancelHandler);
	under_way = false;
}

void
rvd_budget_start(double ms)
{
	TimestampTz end = GetCurrentTimestamp() + (TimestampTz) (ms * 1000.0);

	budget_ms = ms;
	rvd_own_time_start(&clock_since);
	enable_timeout_every(timer, end, Max(MIN_REPEAT_MS, (int) ms / 4));
}

void
rvd_budget_stop(void)
{
	disable_timeout(timer, false);
}

bool
rvd_budget_expired(void)
{
	return expired != 0;
}

bool
rvd_budget_is_ours(int sqlerrcode)
{
	return expired && !real_cancel && sqlerrcode == ERRCODE_QUERY_CANCELED;
}

bool
rvd_budget_cancelled(void)
{
	return real_cancel != 0;
}
