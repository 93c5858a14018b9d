/*-------------------------------------------------------------------------
 *
 * hdc_sliced.c
 *	  Adding rows of bits to bit-sliced counters.  See hdc_simd.h.
 *
 * Four carry-save adders turn seven bits of weight 1 into one bit each of
 * weight 1, 2 and 4, which three more add to the lowest planes; what is
 * carried out of these ripples through the rest.  So a counter is touched
 * once for seven rows.
 *
 * The caller's memory; no state.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "hdc_simd.h"

/* (a + b + c): low bit into low, high bit into high; low may be an input. */
#define CARRY_SAVE(high, low, a, b, c) \
	do { \
		RvdSlice	a_ = (a); \
		RvdSlice	b_ = (b); \
		RvdSlice	c_ = (c); \
		RvdSlice	half_ = a_ ^ b_; \
		(high) = (a_ & b_) | (half_ & c_); \
		(low) = half_ ^ c_; \
	} while (0)

#define ROW(r)		RVD_SLICE_IN(rows[r] + i)
#define PLANE(p)	RVD_SLICE(planes + (p) * words + i)

RVD_CLONES void
rvd_sliced_add(uint64_t *planes, int words, int n_planes,
			   const uint64_t *const *rows)
{
	for (int i = 0; i < words; i += RVD_SLICE_WORDS)
	{
		RvdSlice	one;
		RvdSlice	two;
		RvdSlice	four;
		RvdSlice	twos[3];
		RvdSlice	carry;

		CARRY_SAVE(twos[0], one, ROW(0), ROW(1), ROW(2));
		CARRY_SAVE(twos[1], one, one, ROW(3), ROW(4));
		CARRY_SAVE(twos[2], one, one, ROW(5), ROW(6));
		CARRY_SAVE(four, two, twos[0], twos[1], twos[2]);

		carry = PLANE(0) & one;
		PLANE(0) ^= one;
		CARRY_SAVE(carry, PLANE(1), PLANE(1), two, carry);
		CARRY_SAVE(carry, PLANE(2), PLANE(2), four, carry);
		for (int p = 3; p < n_planes; p++)
		{
			RvdSlice	overflow = PLANE(p) & carry;

			PLANE(p) ^= carry;
			carry = overflow;
		}
	}
}
