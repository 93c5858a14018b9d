/*-------------------------------------------------------------------------
 *
 * hdc_naive.h
 *	  What the tests of hyperdimensional codes share: codes of random bits,
 *	  and distance and majority bit by bit.
 *
 *-------------------------------------------------------------------------
 */
#ifndef HDC_NAIVE_H
#define HDC_NAIVE_H

#include "ruvector_dag/hash.h"
#include "ruvector_dag/hdc.h"
#include "ruvector_dag/rng.h"

#define D			RVD_HDC_BITS
#define N_CASES		1000

static RvdRng rng;

static inline int
reset_rng(void **state)
{
	rvd_rng_init(&rng, RVD_RNG_TEST, 17);
	return 0;
}

static inline int
below(int n)
{
	return (int) rvd_rng_below(&rng, (uint64_t) n);
}

static inline int
get_bit(const RvdHdc *v, int i)
{
	return (int) (v->w[i / 64] >> (i % 64)) & 1;
}

static inline void
set_bit(RvdHdc *v, int i, int bit)
{
	v->w[i / 64] &= ~(UINT64_C(1) << (i % 64));
	v->w[i / 64] |= (uint64_t) bit << (i % 64);
}

static inline void
random_code(RvdHdc *v)
{
	memset(v, 0, sizeof(*v));
	for (int i = 0; i < D; i += 16)
		v->w[i / 64] |= (rvd_rng_next(&rng) & 0xffff) << (i % 64);
}

static inline void
assert_same(const RvdHdc *a, const RvdHdc *b)
{
	assert_memory_equal(a, b, sizeof(*a));
}

static inline void
assert_tail_zero(const RvdHdc *v)
{
	for (int i = D; i < RVD_HDC_WORDS * 64; i++)
		assert_int_equal(get_bit(v, i), 0);
}

static inline int
naive_distance(const RvdHdc *a, const RvdHdc *b)
{
	int			n = 0;

	for (int i = 0; i < RVD_HDC_WORDS * 64; i++)
		n += get_bit(a, i) != get_bit(b, i);
	return n;
}

/* Majority of counts; ties from the vector that belongs to all bundles. */
static inline void
naive_majority(const int *count, int n, RvdHdc *out)
{
	RvdHdc		tie;

	rvd_hdc_atom(RVD_HDC_TIE, 0, &tie);
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < D; i++)
		set_bit(out, i, 2 * count[i] == n ? get_bit(&tie, i) :
				2 * count[i] > n);
}

static inline void
count_bits(const RvdHdc *v, int *count)
{
	for (int i = 0; i < D; i++)
		count[i] += get_bit(v, i);
}

#define TEST(f)	cmocka_unit_test_setup(f, reset_rng)

#endif							/* HDC_NAIVE_H */
