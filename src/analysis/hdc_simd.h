/*-------------------------------------------------------------------------
 *
 * hdc_simd.h
 *	  How the loops over bits are compiled, and the one they share.
 *	  Layer 1, pure, private to the folder.
 *
 * Slices are the vector types of GNU C.  Clones for several instruction
 * sets are made where an indirect function can choose among them: not under
 * a sanitizer (the resolver would run before its runtime is up) and not with
 * clang (its output is also the server's JIT bitcode).  A slice is as wide
 * as the registers of most machines then; wider ones would live in memory.
 * Only integers: every clone gives the same bits.
 *
 * Include before anything else that defines functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_HDC_SIMD_H
#define RVD_HDC_SIMD_H

#include <stdint.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#pragma GCC optimize ("O3")
#endif

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__OPTIMIZE__) && \
	defined(__GNUC__) && !defined(__clang__) && \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RVD_CLONES \
	__attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#define RVD_SLICE_BYTES	32
#else
#define RVD_CLONES
#define RVD_SLICE_BYTES	16
#endif

#define RVD_SLICE_WORDS	(RVD_SLICE_BYTES / 8)

typedef uint64_t RvdSlice
__attribute__((vector_size(RVD_SLICE_BYTES), aligned(8), may_alias));

/* The slice that starts at a word. */
#define RVD_SLICE(word)	(*(RvdSlice *) (word))
#define RVD_SLICE_IN(word) (*(const RvdSlice *) (word))

/* Bits set in a word: sums of pairs, of fours, of bytes, of all. */
static inline uint64_t
rvd_count_bits(uint64_t x)
{
	x -= (x >> 1) & UINT64_C(0x5555555555555555);
	x = (x & UINT64_C(0x3333333333333333)) +
		((x >> 2) & UINT64_C(0x3333333333333333));
	x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	x += x >> 8;
	x += x >> 16;
	x += x >> 32;
	return x & 0x7f;
}

/* Rows added at a time: what three bits can count. */
#define RVD_SLICE_ROWS	7

/*
 * Bit-sliced counters: bit j of plane p is bit p of counter j, planes of
 * words each, one after the other.  Adds to every counter the bits of the
 * rows (exactly RVD_SLICE_ROWS; a row of zeroes adds nothing).  At least
 * three planes, and enough that no counter overflows.  O(words * planes).
 */
extern void rvd_sliced_add(uint64_t *planes, int words, int n_planes,
						   const uint64_t *const *rows);

#endif							/* RVD_HDC_SIMD_H */
