/*-------------------------------------------------------------------------
 *
 * hash.h
 *	  64-bit hashing of bytes and of hashes.  Layer 0, pure.
 *
 * Not cryptographic.  Stable across processes, platforms of one endianness
 * and versions of this extension: hashes are persisted, so the functions
 * must never change their output.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_HASH_H
#define RVD_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Finalizer of SplitMix64 (Steele, Lea, Flood 2014): a bijection. */
static inline uint64_t
rvd_hash_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	x ^= x >> 31;
	return x;
}

/* Ordered combination: combine(a, b) != combine(b, a). */
static inline uint64_t
rvd_hash_combine(uint64_t a, uint64_t b)
{
	return rvd_hash_mix(a * UINT64_C(0x9e3779b97f4a7c15) + b + UINT64_C(0x632be59bd9b4e019));
}

/*
 * Unordered accumulation: add the members of a multiset one by one to an
 * accumulator that starts at any value; order does not matter, counts do.
 */
static inline uint64_t
rvd_hash_add(uint64_t acc, uint64_t member)
{
	return acc + rvd_hash_mix(member ^ UINT64_C(0xa0761d6478bd642f));
}

/* n bytes at p (p may be NULL when n is 0); O(n). */
extern uint64_t rvd_hash_bytes(const void *p, size_t n, uint64_t seed);

#endif							/* RVD_HASH_H */
