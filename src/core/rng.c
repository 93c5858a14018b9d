/*-------------------------------------------------------------------------
 *
 * rng.c
 *	  xoshiro256** with SplitMix64 seeding.  See rng.h.
 *
 * State is the caller's; nothing is shared.  Blackman and Vigna, "Scrambled
 * linear pseudorandom number generators" (2018); Steele, Lea, Flood,
 * "Fast splittable pseudorandom number generators" (2014); Lemire, "Fast
 * random integer generation in an interval" (2019).  Layer 0, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/rng.h"

#include <math.h>

#include "ruvector_dag/hash.h"

#define GOLDEN_GAMMA	UINT64_C(0x9e3779b97f4a7c15)
#define TWO_PI			6.283185307179586476925

static inline uint64_t
rotate_left(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

/*
 * Four successive outputs of one SplitMix64 stream are distinct, so the
 * state is never the all-zero one that xoshiro cannot leave.
 */
void
rvd_rng_init(RvdRng *rng, RvdRngPurpose purpose, uint64_t id)
{
	uint64_t	x = rvd_hash_combine((uint64_t) purpose, id);

	for (int i = 0; i < 4; i++)
		rng->s[i] = rvd_hash_mix(x += GOLDEN_GAMMA);
}

uint64_t
rvd_rng_next(RvdRng *rng)
{
	uint64_t   *s = rng->s;
	uint64_t	result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t	t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

double
rvd_rng_uniform(RvdRng *rng)
{
	return (double) (rvd_rng_next(rng) >> 11) * 0x1p-53;
}

/* High and low half of a 128-bit product, in C that has no such type. */
static uint64_t
multiply_wide(uint64_t a, uint64_t b, uint64_t *low)
{
	uint64_t	a0 = (uint32_t) a;
	uint64_t	a1 = a >> 32;
	uint64_t	b0 = (uint32_t) b;
	uint64_t	b1 = b >> 32;
	uint64_t	mid = a1 * b0 + ((a0 * b0) >> 32);
	uint64_t	mid2 = a0 * b1 + (uint32_t) mid;

	*low = a * b;
	return a1 * b1 + (mid >> 32) + (mid2 >> 32);
}

/*
 * The high half of next * n, where those low halves are refused that would
 * make some results likelier: 2^64 mod n of them.
 */
uint64_t
rvd_rng_below(RvdRng *rng, uint64_t n)
{
	uint64_t	low;
	uint64_t	high = multiply_wide(rvd_rng_next(rng), n, &low);

	if (low < n)
	{
		uint64_t	refused = (0 - n) % n;

		while (low < refused)
			high = multiply_wide(rvd_rng_next(rng), n, &low);
	}
	return high;
}

/* 1 - uniform is in (0, 1], where the logarithm is finite. */
double
rvd_rng_normal(RvdRng *rng)
{
	double		radius = sqrt(-2.0 * log(1.0 - rvd_rng_uniform(rng)));

	return radius * cos(TWO_PI * rvd_rng_uniform(rng));
}
