/*-------------------------------------------------------------------------
 *
 * own_time.c
 *	  Elapsed time less time spent waiting for a processor.
 *
 * The second number of /proc/self/schedstat.  The file is opened once per
 * process and read again and again, which is safe in a signal handler.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"

#include "ruvector_dag/own_time.h"

static int	stat_fd = -1;
static int	opened_by = 0;		/* process: a child must open its own */

static void
open_stat(void)
{
	if (opened_by == MyProcPid)
		return;
	opened_by = MyProcPid;
	stat_fd = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
	if (stat_fd >= 0)
		ReserveExternalFD();
}

/* 0 where it is not known. */
static uint64
waited_ns(void)
{
	char		line[96];
	int			saved_errno = errno;
	ssize_t		n = stat_fd < 0 ? 0 : pread(stat_fd, line, sizeof(line), 0);
	ssize_t		i = 0;
	uint64		result = 0;

	errno = saved_errno;
	while (i < n && line[i] != ' ')
		i++;
	for (i++; i < n && line[i] >= '0' && line[i] <= '9'; i++)
		result = result * 10 + (uint64) (line[i] - '0');
	return result;
}

void
rvd_own_time_start(RvdOwnTime *t)
{
	open_stat();
	t->waited_ns = waited_ns();
	INSTR_TIME_SET_CURRENT(t->since);
}

double
rvd_own_time_elapsed_ms(const RvdOwnTime *t, double *own_ms)
{
	instr_time	now;
	uint64		waited = waited_ns();
	double		elapsed;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, t->since);
	elapsed = INSTR_TIME_GET_MILLISEC(now);
	*own_ms = elapsed;
	if (waited > t->waited_ns)
		*own_ms = Max(elapsed - (double) (waited - t->waited_ns) / 1e6, 0.001);
	return elapsed;
}

double
rvd_own_time_ms(const RvdOwnTime *t)
{
	double		own_ms;

	(void) rvd_own_time_elapsed_ms(t, &own_ms);
	return own_ms;
}
