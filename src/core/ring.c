/*-------------------------------------------------------------------------
 *
 * ring.c
 *	  Bounded multi-producer single-consumer ring for shared memory.
 *
 * D. Vyukov's bounded queue.  Every slot carries a sequence number that says
 * whose turn it is: `pos` when the producer of position pos may fill it,
 * `pos + 1` when the consumer may empty it, and `pos + capacity` once it is
 * free for the next lap.  Positions are 64-bit and never wrap in practice.
 *
 * Concurrency: the record bytes are ordinary memory.  A producer's stores
 * become visible by its release store of the sequence, which the consumer
 * reads with acquire; the way back is the same.  `tail` and the counters
 * need no order of their own.  The consumer moves `head` before it frees the
 * slot, so whoever gets the slot sees a head that leaves at most `capacity`
 * records waiting: peak can never overshoot.
 *
 * One slot would be ambiguous (filled at pos and free at pos + 1 look the
 * same), therefore a ring has at least two.
 *
 * Memory: the caller's; no pointers inside, so every process may map it at
 * an address of its own.  Layer 0.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "ruvector_dag/ring.h"

#define RING_MIN_CAPACITY	2
#define RING_MAX_CAPACITY	(UINT32_C(1) << 31)

/* Atomics that take a lock would take a process-local one. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics lock-free");
_Static_assert(sizeof(RvdRing) == 128, "two cache lines before slots");

typedef struct RingSlot
{
	_Atomic uint64_t sequence;
	unsigned char record[];		/* record_size bytes, padded to 8 */
} RingSlot;

static size_t
slot_size(uint32_t record_size)
{
	return sizeof(RingSlot) + (((size_t) record_size + 7) & ~(size_t) 7);
}

static RingSlot *
slot_at(RvdRing *ring, uint64_t pos)
{
	size_t		i = (size_t) (pos & (ring->capacity - 1));

	return (RingSlot *) ((char *) (ring + 1) +
						 i * slot_size(ring->record_size));
}

/* Next power of two, at least RING_MIN_CAPACITY; 0 if there is none. */
static uint32_t
round_capacity(uint32_t capacity)
{
	uint32_t	rounded = RING_MIN_CAPACITY;

	if (capacity == 0 || capacity > RING_MAX_CAPACITY)
		return 0;
	while (rounded < capacity)
		rounded <<= 1;
	return rounded;
}

size_t
rvd_ring_size(uint32_t capacity, uint32_t record_size)
{
	size_t		slots = round_capacity(capacity);
	size_t		slot = slot_size(record_size);

	if (slots == 0 || record_size == 0 ||
		slots > (SIZE_MAX - sizeof(RvdRing)) / slot)
		return 0;
	return sizeof(RvdRing) + slots * slot;
}

uint32_t
rvd_ring_fit(size_t size, uint32_t record_size)
{
	uint32_t	capacity = RING_MIN_CAPACITY;
	size_t		slots;

	if (record_size == 0 || size < sizeof(RvdRing))
		return 0;
	slots = (size - sizeof(RvdRing)) / slot_size(record_size);
	if (slots < RING_MIN_CAPACITY)
		return 0;
	while (capacity < RING_MAX_CAPACITY && (size_t) capacity * 2 <= slots)
		capacity <<= 1;
	return capacity;
}

RvdStatus
rvd_ring_init(RvdRing *ring, uint32_t capacity, uint32_t record_size)
{
	if (ring == NULL || (uintptr_t) ring % 64 != 0 ||
		rvd_ring_size(capacity, record_size) == 0)
		return RVD_ERR_ARGUMENT;

	ring->capacity = round_capacity(capacity);
	ring->record_size = record_size;
	atomic_init(&ring->tail, 0);
	atomic_init(&ring->head, 0);
	atomic_init(&ring->dropped, 0);
	atomic_init(&ring->peak, 0);
	for (uint32_t i = 0; i < ring->capacity; i++)
		atomic_init(&slot_at(ring, i)->sequence, i);
	return RVD_OK;
}

/*
 * Raise peak to the records waiting once position pos is filled.  Called
 * before pos is published: the consumer cannot have passed it.
 */
static void
note_peak(RvdRing *ring, uint64_t pos)
{
	uint64_t	head = atomic_load_explicit(&ring->head,
											memory_order_relaxed);
	uint64_t	waiting = pos + 1 - head;
	uint64_t	peak = atomic_load_explicit(&ring->peak,
											memory_order_relaxed);

	while (waiting > peak &&
		   !atomic_compare_exchange_weak_explicit(&ring->peak, &peak, waiting,
												  memory_order_relaxed,
												  memory_order_relaxed))
		;
}

RvdStatus
rvd_ring_push(RvdRing *ring, const void *record)
{
	uint64_t	pos = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	RingSlot   *slot;

	for (;;)
	{
		uint64_t	sequence;

		slot = slot_at(ring, pos);
		sequence = atomic_load_explicit(&slot->sequence, memory_order_acquire);
		if (sequence == pos)
		{
			/* our turn unless another producer is faster; reloads pos then */
			if (atomic_compare_exchange_weak_explicit(&ring->tail, &pos,
													  pos + 1,
													  memory_order_relaxed,
													  memory_order_relaxed))
				break;
		}
		else if (sequence < pos)
		{
			/* still holds the record of one lap ago */
			atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
			return RVD_ERR_FULL;
		}
		else
			pos = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	}

	note_peak(ring, pos);
	memcpy(slot->record, record, ring->record_size);
	atomic_store_explicit(&slot->sequence, pos + 1, memory_order_release);
	return RVD_OK;
}

RvdStatus
rvd_ring_pop(RvdRing *ring, void *record)
{
	uint64_t	pos = atomic_load_explicit(&ring->head, memory_order_relaxed);
	RingSlot   *slot = slot_at(ring, pos);

	if (atomic_load_explicit(&slot->sequence, memory_order_acquire) != pos + 1)
		return RVD_ERR_EMPTY;

	memcpy(record, slot->record, ring->record_size);
	atomic_store_explicit(&ring->head, pos + 1, memory_order_relaxed);
	atomic_store_explicit(&slot->sequence, pos + ring->capacity,
						  memory_order_release);
	return RVD_OK;
}

uint64_t
rvd_ring_count(RvdRing *ring)
{
	uint64_t	tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	uint64_t	head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	/* two reads are no snapshot: the consumer may pass what we saw of tail */
	return tail > head ? tail - head : 0;
}
