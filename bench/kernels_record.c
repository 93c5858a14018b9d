/*-------------------------------------------------------------------------
 *
 * kernels_record.c
 *	  Many producers record into one ring, each call timed.
 *
 * All start together and yield the processor after every record, as a
 * backend does between statements, so that they take turns rather than run
 * one after the other.  Together they write no more than the ring holds, and
 * it is emptied between rounds: a record that is refused costs nothing and
 * would flatter the figure.  A consumer reads meanwhile, as the learner does.
 *
 * Threads instead of processes: the ring knows no difference.  Being
 * descheduled in the middle of a call counts, as it would in a server.
 *
 *-------------------------------------------------------------------------
 */
#define _POSIX_C_SOURCE 200809L
#include "kernels.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ruvector_dag/ring.h"

#define RECORD			2048
#define CAPACITY		8192
#define ROUNDS			12

typedef struct Record
{
	unsigned char bytes[RECORD];
} Record;

typedef struct Producer
{
	RvdRing    *ring;
	pthread_barrier_t *start;
	int			n;
	double	   *us;				/* [n] */
	RvdStatus	status;
} Producer;

typedef struct Consumer
{
	RvdRing    *ring;
	int			expected;
} Consumer;

static void *
produce(void *arg)
{
	Producer   *p = arg;
	Record		record;

	memset(&record, 1, sizeof(record));
	pthread_barrier_wait(p->start);
	for (int i = 0; i < p->n && p->status == RVD_OK; i++)
	{
		double		start = now_us();

		p->status = rvd_ring_push(p->ring, &record);
		p->us[i] = now_us() - start;
		sched_yield();
	}
	return NULL;
}

static void *
consume(void *arg)
{
	const Consumer *c = arg;
	const struct timespec pause = {0, 1000000};
	Record		record;
	int			left = c->expected;

	while (left > 0)
	{
		if (rvd_ring_pop(c->ring, &record) == RVD_OK)
			left--;
		else
			nanosleep(&pause, NULL);
	}
	sink = record.bytes[0];
	return NULL;
}

static void
start_thread(pthread_t *thread, void *(*run) (void *), void *arg)
{
	if (pthread_create(thread, NULL, run, arg) != 0)
	{
		fprintf(stderr, "kernels: no more threads\n");
		exit(1);
	}
}

/* n records of each of the threads, their times into us[threads * n]. */
static void
run_round(RvdRing *ring, int threads, int n, double *us)
{
	pthread_t  *thread = get_memory(sizeof(pthread_t) * (size_t) threads);
	Producer   *producer = get_memory(sizeof(Producer) * (size_t) threads);
	Consumer	consumer = {ring, threads * n};
	pthread_t	reader;
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, (unsigned) threads);
	start_thread(&reader, consume, &consumer);
	for (int t = 0; t < threads; t++)
	{
		producer[t] = (Producer) {ring, &start, n, us + t * n, RVD_OK};
		start_thread(&thread[t], produce, &producer[t]);
	}
	for (int t = 0; t < threads; t++)
	{
		pthread_join(thread[t], NULL);
		must(producer[t].status, "rvd_ring_push");
	}
	pthread_join(reader, NULL);
	pthread_barrier_destroy(&start);
	free(thread);
	free(producer);
}

void
measure_record(int threads)
{
	int			n = CAPACITY / threads;
	int			total = threads * n;
	size_t		size = rvd_ring_size(CAPACITY, RECORD);
	RvdRing    *ring = get_memory(size);
	double	   *us = get_memory(sizeof(double) * (size_t) (total * ROUNDS));

	/* memory of the server is there already */
	memset(ring, 0, size);
	must(n < 1 ? RVD_ERR_ARGUMENT :
		 rvd_ring_init(ring, CAPACITY, RECORD), "rvd_ring_init");
	for (int round = 0; round < ROUNDS; round++)
		run_round(ring, threads, n, us + round * total);
	report("record", quantile(us, total * ROUNDS, 0.99));
	printf("note record: %d records by %d threads, median %.2f us, none "
		   "refused\n", total * ROUNDS, threads,
		   quantile(us, total * ROUNDS, 0.5));
	free(us);
	free(ring);
}
