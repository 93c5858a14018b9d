/*-------------------------------------------------------------------------
 *
 * test_ring.c
 *	  Ring: sizes, order, wrap-around, counting, and many producers against
 *	  one consumer, as threads (for the thread sanitizer) and as processes.
 *
 *-------------------------------------------------------------------------
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ruvector_dag/hash.h"
#include "ruvector_dag/ring.h"

#define N_PRODUCERS		4
#define N_RECORDS		20000	/* a producer */

typedef struct Record
{
	uint32_t	producer;
	uint32_t	number;
	uint64_t	check;			/* of the two above */
	uint32_t	tail[6];		/* copies of number; no padding */
} Record;

typedef struct Producer
{
	pthread_t	thread;
	RvdRing    *ring;
	uint32_t	id;
	int			retry;			/* until it fits, else drop */
	uint64_t	refused;		/* pushes that met a full ring */
} Producer;

/* What the consumer has seen. */
typedef struct Tally
{
	uint64_t	popped;
	uint64_t	damaged;
	uint64_t	disordered;		/* not after the producer's last */
	int64_t		last[N_PRODUCERS];
} Tally;

static RvdRing *
open_ring(uint32_t capacity, uint32_t record_size)
{
	size_t		size = rvd_ring_size(capacity, record_size);
	RvdRing    *ring;

	assert_int_not_equal(size, 0);
	/* aligned_alloc wants a multiple; the rest is not the ring's */
	ring = aligned_alloc(64, (size + 63) & ~(size_t) 63);
	memset((void *) ring, 0xa5, size);
	assert_int_equal(rvd_ring_init(ring, capacity, record_size), RVD_OK);
	return ring;
}

static Record
make_record(uint32_t producer, uint32_t number)
{
	Record		record;

	record.producer = producer;
	record.number = number;
	record.check = rvd_hash_combine(producer, number);
	for (int i = 0; i < 6; i++)
		record.tail[i] = number;
	return record;
}

static void
tally_record(Tally *tally, const Record *record)
{
	Record		expected = make_record(record->producer, record->number);

	tally->popped++;
	if (record->producer >= N_PRODUCERS ||
		record->check != expected.check ||
		memcmp(record->tail, expected.tail, sizeof(expected.tail)) != 0)
	{
		tally->damaged++;
		return;
	}
	if ((int64_t) record->number <= tally->last[record->producer])
		tally->disordered++;
	tally->last[record->producer] = record->number;
}

static void
produce(Producer *producer)
{
	for (uint32_t i = 0; i < N_RECORDS; i++)
	{
		Record		record = make_record(producer->id, i);

		while (rvd_ring_push(producer->ring, &record) != RVD_OK)
		{
			producer->refused++;
			if (!producer->retry)
				break;
			sched_yield();
		}
	}
}

static void *
produce_thread(void *arg)
{
	produce(arg);
	return NULL;
}

static void
start_tally(Tally *tally)
{
	memset(tally, 0, sizeof(*tally));
	for (int i = 0; i < N_PRODUCERS; i++)
		tally->last[i] = -1;
}

/* Consume until every push of every producer is accounted for. */
static void
consume(RvdRing *ring, Tally *tally, uint64_t expected, int counts_drops)
{
	Record		record;

	for (;;)
	{
		uint64_t	done = tally->popped +
		(counts_drops ? atomic_load(&ring->dropped) : 0);

		if (rvd_ring_pop(ring, &record) == RVD_OK)
			tally_record(tally, &record);
		else if (done >= expected)
			return;
		else
			sched_yield();
	}
}

/* Returns the refusals summed over the producers. */
static uint64_t
run_threads(RvdRing *ring, int retry, Tally *tally)
{
	Producer	producers[N_PRODUCERS];
	uint64_t	refused = 0;

	start_tally(tally);
	for (uint32_t i = 0; i < N_PRODUCERS; i++)
	{
		producers[i] = (Producer) {.ring = ring, .id = i, .retry = retry};
		assert_int_equal(pthread_create(&producers[i].thread, NULL,
										produce_thread, &producers[i]), 0);
	}
	consume(ring, tally, (uint64_t) N_PRODUCERS * N_RECORDS, !retry);
	for (int i = 0; i < N_PRODUCERS; i++)
	{
		pthread_join(producers[i].thread, NULL);
		refused += producers[i].refused;
	}
	return refused;
}

static void
sizes_round_up_to_powers_of_two(void **state)
{
	size_t		slot = 8 + 40;	/* sequence and 36 bytes padded */

	assert_int_equal(rvd_ring_size(4, 36), sizeof(RvdRing) + 4 * slot);
	assert_int_equal(rvd_ring_size(5, 36), sizeof(RvdRing) + 8 * slot);
	assert_int_equal(rvd_ring_size(1, 36), sizeof(RvdRing) + 2 * slot);
	assert_int_equal(rvd_ring_size(0, 36), 0);
	assert_int_equal(rvd_ring_size(4, 0), 0);
	assert_int_equal(rvd_ring_size(UINT32_MAX, 36), 0);
}

static void
fit_is_the_largest_that_fits(void **state)
{
	for (uint32_t record_size = 1; record_size < 100; record_size += 7)
	{
		for (size_t size = 0; size < 20000; size += 61)
		{
			uint32_t	capacity = rvd_ring_fit(size, record_size);

			if (capacity == 0)
				assert_true(rvd_ring_size(2, record_size) > size);
			else
			{
				assert_true(rvd_ring_size(capacity, record_size) <= size);
				assert_true(rvd_ring_size(capacity + 1, record_size) > size);
			}
		}
	}
	assert_int_equal(rvd_ring_fit(1 << 20, 0), 0);
}

static void
init_refuses_what_it_cannot_hold(void **state)
{
	RvdRing    *ring = open_ring(4, 8);

	assert_int_equal(rvd_ring_init(ring, 0, 8), RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_ring_init(ring, 4, 0), RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_ring_init(NULL, 4, 8), RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_ring_init((RvdRing *) ((char *) ring + 8), 4, 8),
					 RVD_ERR_ARGUMENT);
	free(ring);
}

/* Fill and drain rings of every small size over many laps. */
static void
records_come_out_in_order_over_many_laps(void **state)
{
	for (uint32_t capacity = 1; capacity <= 9; capacity++)
	{
		RvdRing    *ring = open_ring(capacity, sizeof(Record));
		uint32_t	in = 0;
		uint32_t	out = 0;
		Record		record;

		assert_int_equal(rvd_ring_pop(ring, &record), RVD_ERR_EMPTY);
		for (uint32_t lap = 0; lap < 100; lap++)
		{
			uint32_t	n = 1 + lap % ring->capacity;

			for (uint32_t i = 0; i < n; i++)
			{
				record = make_record(1, in++);
				assert_int_equal(rvd_ring_push(ring, &record), RVD_OK);
			}
			assert_int_equal(rvd_ring_count(ring), n);
			for (uint32_t i = 0; i < n; i++)
			{
				Record		expected = make_record(1, out++);

				assert_int_equal(rvd_ring_pop(ring, &record), RVD_OK);
				assert_memory_equal(&record, &expected, sizeof(record));
			}
			assert_int_equal(rvd_ring_pop(ring, &record), RVD_ERR_EMPTY);
		}
		assert_int_equal(atomic_load(&ring->dropped), 0);
		assert_int_equal(atomic_load(&ring->peak), ring->capacity);
		free(ring);
	}
}

/* Sizes that need padding, in blocks of their exact size. */
static void
records_of_every_size_are_copied_whole(void **state)
{
	for (uint32_t size = 1; size <= 70; size++)
	{
		RvdRing    *ring = open_ring(2, size);
		unsigned char *in = malloc(size);
		unsigned char *out = malloc(size);

		for (unsigned int round = 0; round < 8; round++)
		{
			memset(in, (int) (size + round), size);
			in[size - 1] = (unsigned char) ~in[0];
			assert_int_equal(rvd_ring_push(ring, in), RVD_OK);
			memset(out, 0, size);
			assert_int_equal(rvd_ring_pop(ring, out), RVD_OK);
			assert_memory_equal(in, out, size);
		}
		free(in);
		free(out);
		free(ring);
	}
}

/* The newest is refused, the oldest survive. */
static void
full_ring_drops_and_counts(void **state)
{
	RvdRing    *ring = open_ring(4, sizeof(uint64_t));
	uint64_t	value;

	for (value = 0; value < 4; value++)
		assert_int_equal(rvd_ring_push(ring, &value), RVD_OK);
	for (; value < 9; value++)
		assert_int_equal(rvd_ring_push(ring, &value), RVD_ERR_FULL);
	assert_int_equal(atomic_load(&ring->dropped), 5);
	assert_int_equal(rvd_ring_count(ring), 4);

	assert_int_equal(rvd_ring_pop(ring, &value), RVD_OK);
	assert_int_equal(value, 0);
	value = 100;
	assert_int_equal(rvd_ring_push(ring, &value), RVD_OK);
	assert_int_equal(rvd_ring_push(ring, &value), RVD_ERR_FULL);
	for (uint64_t i = 1; i < 4; i++)
	{
		assert_int_equal(rvd_ring_pop(ring, &value), RVD_OK);
		assert_int_equal(value, i);
	}
	assert_int_equal(rvd_ring_pop(ring, &value), RVD_OK);
	assert_int_equal(value, 100);
	assert_int_equal(rvd_ring_count(ring), 0);
	free(ring);
}

static void
peak_is_the_most_ever_waiting(void **state)
{
	RvdRing    *ring = open_ring(8, sizeof(uint64_t));
	uint64_t	value = 0;

	for (int i = 0; i < 3; i++)
		rvd_ring_push(ring, &value);
	for (int i = 0; i < 2; i++)
		rvd_ring_pop(ring, &value);
	rvd_ring_push(ring, &value);
	assert_int_equal(atomic_load(&ring->peak), 3);
	for (int i = 0; i < 3; i++)
		rvd_ring_push(ring, &value);
	assert_int_equal(atomic_load(&ring->peak), 5);
	free(ring);
}

static void
check_threads(uint32_t capacity, int retry)
{
	RvdRing    *ring = open_ring(capacity, sizeof(Record));
	uint64_t	pushed = (uint64_t) N_PRODUCERS * N_RECORDS;
	Tally		tally;
	uint64_t	refused = run_threads(ring, retry, &tally);

	assert_int_equal(tally.damaged, 0);
	assert_int_equal(tally.disordered, 0);
	assert_int_equal(atomic_load(&ring->dropped), refused);
	assert_int_equal(tally.popped, retry ? pushed : pushed - refused);
	assert_int_equal(rvd_ring_count(ring), 0);
	assert_in_range(atomic_load(&ring->peak), 1, ring->capacity);
	free(ring);
}

static void
threads_lose_nothing_when_they_retry(void **state)
{
	check_threads(2, 1);
	check_threads(64, 1);
}

static void
threads_drop_exactly_what_is_counted(void **state)
{
	check_threads(2, 0);
	check_threads(64, 0);
	check_threads(4096, 0);
}

/* Nothing in the ring may depend on where it is mapped. */
static void
ring_works_at_two_addresses(void **state)
{
	size_t		size = rvd_ring_size(4, sizeof(uint64_t));
	FILE	   *file = tmpfile();
	RvdRing    *one;
	RvdRing    *other;

	assert_int_equal(ftruncate(fileno(file), (off_t) size), 0);
	one = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			   fileno(file), 0);
	other = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
				 fileno(file), 0);
	assert_ptr_not_equal(one, MAP_FAILED);
	assert_ptr_not_equal(other, MAP_FAILED);
	assert_int_equal(rvd_ring_init(one, 4, sizeof(uint64_t)), RVD_OK);
	for (uint64_t i = 0; i < 20; i++)
	{
		uint64_t	value = i;

		assert_int_equal(rvd_ring_push(one, &value), RVD_OK);
		assert_int_equal(rvd_ring_pop(other, &value), RVD_OK);
		assert_int_equal(value, i);
	}
	munmap(one, size);
	munmap(other, size);
	fclose(file);
}

static void
processes_lose_nothing_when_they_retry(void **state)
{
	size_t		size = rvd_ring_size(64, sizeof(Record));
	RvdRing    *ring = mmap(NULL, size, PROT_READ | PROT_WRITE,
							MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	Tally		tally;

	assert_ptr_not_equal(ring, MAP_FAILED);
	assert_int_equal(rvd_ring_init(ring, 64, sizeof(Record)), RVD_OK);
	for (uint32_t i = 0; i < N_PRODUCERS; i++)
	{
		pid_t		child = fork();

		assert_int_not_equal(child, -1);
		if (child == 0)
		{
			Producer	producer = {.ring = ring, .id = i, .retry = 1};

			alarm(60);			/* no orphan if the parent fails */
			produce(&producer);
			_exit(0);
		}
	}
	start_tally(&tally);
	consume(ring, &tally, (uint64_t) N_PRODUCERS * N_RECORDS, 0);
	for (int i = 0; i < N_PRODUCERS; i++)
	{
		int			status;

		assert_int_not_equal(wait(&status), -1);
		assert_int_equal(status, 0);
	}
	assert_int_equal(tally.popped, (uint64_t) N_PRODUCERS * N_RECORDS);
	assert_int_equal(tally.damaged, 0);
	assert_int_equal(tally.disordered, 0);
	munmap(ring, size);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_round_up_to_powers_of_two),
		cmocka_unit_test(fit_is_the_largest_that_fits),
		cmocka_unit_test(init_refuses_what_it_cannot_hold),
		cmocka_unit_test(records_come_out_in_order_over_many_laps),
		cmocka_unit_test(records_of_every_size_are_copied_whole),
		cmocka_unit_test(full_ring_drops_and_counts),
		cmocka_unit_test(peak_is_the_most_ever_waiting),
		cmocka_unit_test(threads_lose_nothing_when_they_retry),
		cmocka_unit_test(threads_drop_exactly_what_is_counted),
		cmocka_unit_test(ring_works_at_two_addresses),
		cmocka_unit_test(processes_lose_nothing_when_they_retry),
	};

	alarm(300);					/* a lost record must not hang the build */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
