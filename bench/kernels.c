/*-------------------------------------------------------------------------
 *
 * kernels.c
 *	  Times and work of the neural core's operations, without a server.
 *
 *		kernels SECONDS PLANS [THREADS]
 *
 * SECONDS: how long each operation is measured; PLANS: how many plans of each
 * family and size the growth of the kernels is measured on; THREADS: how many
 * record into one ring.  Driver of bench/kernels, which knows the targets and
 * makes tables; prints lines of
 *		time OPERATION MICROSECONDS
 *		growth KERNEL FAMILY N COUNTER NANOSECONDS LARGEST_SHARE_OF_BOUND
 *		note TEXT
 *
 *-------------------------------------------------------------------------
 */
#define _POSIX_C_SOURCE 200809L
#include "kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BATCH_US		300.0
#define MIN_BATCHES		9
#define MAX_BATCHES		20000

volatile double sink;

double
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return 1e6 * (double) now.tv_sec + 1e-3 * (double) now.tv_nsec;
}

void *
get_memory(size_t size)
{
	void	   *p;

	if (posix_memalign(&p, 64, size > 0 ? size : 1) != 0)
	{
		fprintf(stderr, "kernels: out of memory\n");
		exit(1);
	}
	return p;
}

void
must(RvdStatus status, const char *what)
{
	if (status != RVD_OK)
	{
		fprintf(stderr, "kernels: %s: status %d\n", what, (int) status);
		exit(1);
	}
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

double
quantile(double *values, int n, double q)
{
	qsort(values, (size_t) n, sizeof(double), compare_doubles);
	return values[(int) (q * (n - 1) + 0.5)];
}

/* Mean time of calls, starting with call number i. */
static double
run_batch(Operation run, void *arg, int64_t i, int64_t calls)
{
	double		start = now_us();

	for (int64_t k = 0; k < calls; k++)
		run(arg, i + k);
	return (now_us() - start) / (double) calls;
}

double
measure(Operation run, void *arg, double seconds)
{
	double	   *batch = get_memory(MAX_BATCHES * sizeof(double));
	double		end;
	double		median;
	int64_t		calls = 1;
	int64_t		done = 0;
	int			n = 0;

	/* warm up, and find out how many calls make a batch */
	for (;;)
	{
		double		us = run_batch(run, arg, done, calls) * (double) calls;

		done += calls;
		if (us >= BATCH_US)
			break;
		calls *= 2;
	}
	end = now_us() + 1e6 * seconds;
	while (n < MIN_BATCHES || (n < MAX_BATCHES && now_us() < end))
	{
		batch[n++] = run_batch(run, arg, done, calls);
		done += calls;
	}
	median = quantile(batch, n, 0.5);
	free(batch);
	return median;
}

double
measure_p99(Operation run, void *arg, int calls)
{
	double	   *us = get_memory((size_t) calls * sizeof(double));
	double		p99;

	for (int i = 0; i < calls; i++)
	{
		double		start = now_us();

		run(arg, i);
		us[i] = now_us() - start;
	}
	p99 = quantile(us, calls, 0.99);
	free(us);
	return p99;
}

void
report(const char *operation, double us)
{
	printf("time %s %.4f\n", operation, us);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	double		seconds = argc > 1 ? atof(argv[1]) : 0;
	int			plans = argc > 2 ? atoi(argv[2]) : 0;
	int			threads = argc > 3 ? atoi(argv[3]) : 50;

	if (!(seconds > 0) || plans < 1 || threads < 1)
	{
		fprintf(stderr, "usage: kernels SECONDS PLANS [THREADS]\n");
		return 2;
	}
	measure_plans(seconds);
	measure_learning(seconds);
	measure_record(threads);
	measure_growth(plans, seconds);
	return 0;
}
