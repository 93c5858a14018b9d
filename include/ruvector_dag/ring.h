/*-------------------------------------------------------------------------
 *
 * ring.h
 *	  Bounded multi-producer single-consumer ring of fixed-size records, for
 *	  shared memory.  Layer 0, pure (C11 atomics only, no pointers inside).
 *
 * A producer never waits: when the ring is full the new record is dropped
 * and counted.  Slots carry sequence numbers (D. Vyukov's bounded queue,
 * 1024cores.net): a producer claims a position by compare-and-swap on tail,
 * copies, then publishes by storing the slot's sequence with release order.
 * A producer that dies between claim and publish leaves a hole; the server
 * re-creates shared memory after such a crash, so the consumer may simply
 * stop in front of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_RING_H
#define RVD_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "ruvector_dag/status.h"

typedef struct RvdRing
{
	uint32_t	capacity;		/* slots, power of two */
	uint32_t	record_size;	/* bytes */
	_Atomic uint64_t tail;		/* next position to claim (producers) */
	char		pad1[48];
	_Atomic uint64_t head;		/* next position to read (consumer) */
	_Atomic uint64_t dropped;	/* records refused because the ring was full */
	_Atomic uint64_t peak;		/* most records ever waiting */
	char		pad2[40];
	/* slots follow */
} RvdRing;

/*
 * Bytes for that many slots (rounded up to a power of two, at least 2); 0 if
 * unusable.
 */
extern size_t rvd_ring_size(uint32_t capacity, uint32_t record_size);

/* Largest power-of-two capacity that fits in size bytes; 0 if none. */
extern uint32_t rvd_ring_fit(size_t size, uint32_t record_size);

/* mem: 64-byte aligned, rvd_ring_size() bytes. */
extern RvdStatus rvd_ring_init(RvdRing *ring, uint32_t capacity,
							   uint32_t record_size);

/* Copy a record in.  RVD_ERR_FULL (and counted) when full.  Never waits. */
extern RvdStatus rvd_ring_push(RvdRing *ring, const void *record);

/* Copy the oldest record out.  RVD_ERR_EMPTY when none.  One consumer. */
extern RvdStatus rvd_ring_pop(RvdRing *ring, void *record);

/* Records waiting, a snapshot. */
extern uint64_t rvd_ring_count(RvdRing *ring);

#endif							/* RVD_RING_H */
