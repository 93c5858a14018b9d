/*-------------------------------------------------------------------------
 *
 * operation.c
 *	  How long our own operations take: histograms in shared memory.
 *
 * One atomic increment per measurement and, while a new maximum is being
 * set, a compare-and-swap; nothing else, no lock.  A bucket is an eighth of
 * an octave wide, so a quantile is off by at most 4.5 %.  Readers add up
 * buckets that others are counting into: what they see was true at some time
 * while they looked.  Layer 2.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "store_internal.h"

#define FIRST_US			0.01
#define LAST_US				1e7
#define BUCKETS_PER_OCTAVE	8

/* Targets: what the design promises, in microseconds. */
static const struct
{
	const char *name;
	double		target_us;
}			operations[RVD_NUM_OPERATIONS] = {
	[RVD_TIME_LOOKUP] = {"class lookup", 5},
	[RVD_TIME_EMBED] = {"plan embedding", 200},
	[RVD_TIME_ATTENTION] = {"attention kernel", 500},
	[RVD_TIME_MATCH] = {"pattern match", 1000},
	[RVD_TIME_PREDICT] = {"latency prediction", 100},
	[RVD_TIME_ENCODE] = {"hyperdimensional encoding", 100},
	[RVD_TIME_RECALL] = {"memory recall", 100},
	[RVD_TIME_RECORD] = {"trajectory record", 50},
	[RVD_TIME_INSTANT] = {"instant loop", 100},
	[RVD_TIME_TIMED] = {"timed run", 1000},
	[RVD_TIME_MINCUT] = {"min-cut analysis", 10000},
	[RVD_TIME_CYCLE] = {"learning cycle", 5e6}
};

static inline bool
is_operation(RvdOperation op)
{
	return (uint32) op < RVD_NUM_OPERATIONS;
}

static RvdOperationCounters *
counters_of(RvdOperation op)
{
	return &rvd_store_head->operations[op];
}

const char *
rvd_operation_name(RvdOperation op)
{
	return is_operation(op) ? operations[op].name : NULL;
}

double
rvd_operation_target_us(RvdOperation op)
{
	return is_operation(op) ? operations[op].target_us : 0;
}

static int
bucket_of(double us)
{
	double		octaves;

	if (us <= FIRST_US)
		return 0;
	octaves = log2(Min(us, LAST_US) / FIRST_US);
	return Min((int) (octaves * BUCKETS_PER_OCTAVE),
			   RVD_OPERATION_BUCKETS - 1);
}

/* Geometric middle of a bucket. */
static double
bucket_us(int bucket)
{
	return FIRST_US * exp2((bucket + 0.5) / BUCKETS_PER_OCTAVE);
}

/* Negative, NaN: a clock that jumped; not counted. */
void
rvd_operation_add(RvdOperation op, double us)
{
	RvdOperationCounters *c;
	uint64		ns;
	uint64		max;

	if (rvd_store_head == NULL || !is_operation(op) || !(us >= 0))
		return;
	c = counters_of(op);
	ns = (uint64) (Min(us, 1e12) * 1000);
	pg_atomic_fetch_add_u64(&c->bucket[bucket_of(us)], 1);
	max = pg_atomic_read_u64(&c->max_ns);
	while (max < ns && !pg_atomic_compare_exchange_u64(&c->max_ns, &max, ns))
		;
}

/* The time that a share of all calls did not exceed. */
static double
quantile(const uint64 *buckets, uint64 calls, double share, double max_us)
{
	uint64		rank = (uint64) ceil(share * calls);
	uint64		sum = 0;
	int			i = 0;

	for (; i < RVD_OPERATION_BUCKETS - 1; i++)
	{
		sum += buckets[i];
		if (sum >= rank)
			break;
	}
	return Min(bucket_us(i), max_us);
}

void
rvd_operation_stats(RvdOperation op, RvdOperationStats *s)
{
	uint64		buckets[RVD_OPERATION_BUCKETS];

	memset(s, 0, sizeof(*s));
	if (rvd_store_head == NULL || !is_operation(op))
		return;
	for (int i = 0; i < RVD_OPERATION_BUCKETS; i++)
	{
		buckets[i] = pg_atomic_read_u64(&counters_of(op)->bucket[i]);
		s->calls += buckets[i];
	}
	if (s->calls == 0)
		return;
	s->max_us = pg_atomic_read_u64(&counters_of(op)->max_ns) / 1000.0;
	s->p50_us = quantile(buckets, s->calls, 0.50, s->max_us);
	s->p95_us = quantile(buckets, s->calls, 0.95, s->max_us);
	s->p99_us = quantile(buckets, s->calls, 0.99, s->max_us);
}

void
rvd_operation_set_up(void)
{
	for (int op = 0; op < RVD_NUM_OPERATIONS; op++)
	{
		for (int i = 0; i < RVD_OPERATION_BUCKETS; i++)
			pg_atomic_init_u64(&counters_of(op)->bucket[i], 0);
		pg_atomic_init_u64(&counters_of(op)->max_ns, 0);
	}
}
