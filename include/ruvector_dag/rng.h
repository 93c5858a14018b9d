/*-------------------------------------------------------------------------
 *
 * rng.h
 *	  Seeded pseudo-random numbers.  Layer 0, pure.
 *
 * xoshiro256** 1.0 (Blackman and Vigna 2018) filled by SplitMix64 from a
 * purpose and an id, so that no two uses share a stream.  Not
 * cryptographic.  Streams are part of persisted meaning (projections, item
 * memories): never change the output.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_RNG_H
#define RVD_RNG_H

#include <stdint.h>

typedef struct RvdRng
{
	uint64_t	s[4];
} RvdRng;

/* Purposes; append only. */
typedef enum RvdRngPurpose
{
	RVD_RNG_TEST = 0,
	RVD_RNG_KMEANS,
	RVD_RNG_LORA,
	RVD_RNG_PROJECTION,
	RVD_RNG_HDC,
	RVD_RNG_BTSP,
	RVD_RNG_SELECTOR,
	RVD_RNG_LORENTZ,
	RVD_RNG_TRAINING,
	RVD_RNG_CHOICE
} RvdRngPurpose;

extern void rvd_rng_init(RvdRng *rng, RvdRngPurpose purpose, uint64_t id);
extern uint64_t rvd_rng_next(RvdRng *rng);

/* [0, 1) with 53 bits */
extern double rvd_rng_uniform(RvdRng *rng);

/* 0 .. n - 1 without bias (Lemire 2019); n > 0 */
extern uint64_t rvd_rng_below(RvdRng *rng, uint64_t n);

/* Standard normal (Box and Muller, the cosine branch). */
extern double rvd_rng_normal(RvdRng *rng);

#endif							/* RVD_RNG_H */
