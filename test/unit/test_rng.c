/*-------------------------------------------------------------------------
 *
 * test_rng.c
 *	  The generator against published and independently computed outputs,
 *	  and its distributions against their moments.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ruvector_dag/rng.h"

#define N_DRAWS		200000

/* State 1, 2, 3, 4, as in the authors' and others' test vectors. */
static void
next_is_xoshiro256_starstar(void **state)
{
	static const uint64_t expected[] = {
		UINT64_C(11520), UINT64_C(0), UINT64_C(1509978240),
		UINT64_C(1215971899390074240), UINT64_C(1216172134540287360),
		UINT64_C(607988272756665600), UINT64_C(16172922978634559625),
		UINT64_C(8476171486693032832), UINT64_C(10595114339597558777),
		UINT64_C(2904607092377533576)
	};
	RvdRng		rng = {{1, 2, 3, 4}};

	for (int i = 0; i < 10; i++)
		assert_true(rvd_rng_next(&rng) == expected[i]);
}

/*
 * Streams are part of what is persisted; computed with another
 * implementation (Python's integers).
 */
static void
streams_never_change(void **state)
{
	static const struct
	{
		RvdRngPurpose purpose;
		uint64_t	id;
		uint64_t	out[3];
	}			known[] = {
		{RVD_RNG_TEST, 0,
			{UINT64_C(0xbe830d84f1b9f86f), UINT64_C(0xbfe9852791e0a4c0),
		UINT64_C(0xab15c0c3fb44e7d1)}},
		{RVD_RNG_HDC, 1,
			{UINT64_C(0x7dc2a9a0d7e033f9), UINT64_C(0x34ad6b83c99e2e8b),
		UINT64_C(0x6248c4de6a02a4ae)}},
		{RVD_RNG_KMEANS, UINT64_MAX,
			{UINT64_C(0x3d5998ff6864a467), UINT64_C(0xf85f704644259d06),
		UINT64_C(0x32c5b3428ab4b36c)}},
	};

	for (int i = 0; i < 3; i++)
	{
		RvdRng		rng;

		rvd_rng_init(&rng, known[i].purpose, known[i].id);
		for (int j = 0; j < 3; j++)
			assert_true(rvd_rng_next(&rng) == known[i].out[j]);
	}
}

static void
streams_differ_by_purpose_and_id(void **state)
{
	uint64_t	first[9 * 200];
	int			n = 0;

	for (int purpose = RVD_RNG_TEST; purpose <= RVD_RNG_TRAINING; purpose++)
		for (uint64_t id = 0; id < 200; id++)
		{
			RvdRng		rng;

			rvd_rng_init(&rng, (RvdRngPurpose) purpose, id);
			first[n++] = rvd_rng_next(&rng);
		}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			assert_true(first[i] != first[j]);
}

static void
uniform_has_its_moments_and_range(void **state)
{
	RvdRng		rng;
	double		sum = 0;
	double		squares = 0;

	rvd_rng_init(&rng, RVD_RNG_TEST, 1);
	for (int i = 0; i < N_DRAWS; i++)
	{
		double		u = rvd_rng_uniform(&rng);

		assert_true(u >= 0 && u < 1);
		sum += u;
		squares += u * u;
	}
	assert_true(fabs(sum / N_DRAWS - 0.5) < 0.004);
	assert_true(fabs(squares / N_DRAWS - 1.0 / 3) < 0.004);
}

static void
uniform_takes_the_high_bits(void **state)
{
	RvdRng		a;
	RvdRng		b;

	rvd_rng_init(&a, RVD_RNG_TEST, 2);
	b = a;
	for (int i = 0; i < 1000; i++)
		assert_true(rvd_rng_uniform(&a) ==
					ldexp((double) (rvd_rng_next(&b) >> 11), -53));
}

/* Chi-square with n - 1 degrees, at five standard deviations. */
static void
below_is_even(void **state)
{
	static const int sizes[] = {1, 2, 3, 7, 10, 64, 100, 1000};
	int			count[1000];

	for (int s = 0; s < 8; s++)
	{
		int			n = sizes[s];
		double		expected = (double) N_DRAWS / n;
		double		chi = 0;
		RvdRng		rng;

		memset(count, 0, sizeof(count));
		rvd_rng_init(&rng, RVD_RNG_TEST, 3 + (uint64_t) s);
		for (int i = 0; i < N_DRAWS; i++)
		{
			uint64_t	x = rvd_rng_below(&rng, (uint64_t) n);

			assert_true(x < (uint64_t) n);
			count[x]++;
		}
		for (int i = 0; i < n; i++)
			chi += (count[i] - expected) * (count[i] - expected) / expected;
		assert_true(fabs(chi - (n - 1)) <= 5 * sqrt(2.0 * n));
	}
}

/*
 * For n = 3 * 2^62 a plain product would make every third result twice as
 * likely: x = 0 mod 3 in half of the draws.  Also the limits.
 */
static void
below_has_no_bias_at_large_n(void **state)
{
	uint64_t	n = UINT64_C(3) << 62;
	int			third = 0;
	RvdRng		rng;

	rvd_rng_init(&rng, RVD_RNG_TEST, 40);
	for (int i = 0; i < N_DRAWS; i++)
	{
		uint64_t	x = rvd_rng_below(&rng, n);

		assert_true(x < n);
		third += x % 3 == 0;
	}
	assert_true(fabs((double) third / N_DRAWS - 1.0 / 3) < 0.006);
	for (int i = 0; i < 1000; i++)
	{
		assert_true(rvd_rng_below(&rng, 1) == 0);
		assert_true(rvd_rng_below(&rng, UINT64_MAX) < UINT64_MAX);
	}
}

/* The high half of the product, against 128-bit arithmetic. */
static void
below_scales_by_the_high_half(void **state)
{
	RvdRng		rng;
	int			compared = 0;

	rvd_rng_init(&rng, RVD_RNG_TEST, 41);
	for (int i = 0; i < 10000; i++)
	{
		uint64_t	n = (rvd_rng_next(&rng) >> (i % 64)) | 1;
		RvdRng		copy = rng;
		unsigned __int128 product = (unsigned __int128) rvd_rng_next(&copy) * n;
		uint64_t	x = rvd_rng_below(&rng, n);

		if ((uint64_t) product < (0 - n) % n)
			continue;			/* refused: another draw was made */
		assert_true(x == (uint64_t) (product >> 64));
		assert_memory_equal(&rng, &copy, sizeof(rng));
		compared++;
	}
	assert_in_range(compared, 9000, 10000);
}

static void
normal_has_its_moments_and_tails(void **state)
{
	RvdRng		rng;
	double		power[5] = {0};
	int			beyond = 0;

	rvd_rng_init(&rng, RVD_RNG_TEST, 50);
	for (int i = 0; i < N_DRAWS; i++)
	{
		double		z = rvd_rng_normal(&rng);
		double		p = 1;

		assert_true(isfinite(z));
		for (int k = 0; k < 5; k++, p *= z)
			power[k] += p;
		beyond += fabs(z) > 1.959964;
	}
	assert_true(fabs(power[1] / N_DRAWS) < 0.012);
	assert_true(fabs(power[2] / N_DRAWS - 1) < 0.016);
	assert_true(fabs(power[3] / N_DRAWS) < 0.045);
	assert_true(fabs(power[4] / N_DRAWS - 3) < 0.12);
	assert_true(fabs((double) beyond / N_DRAWS - 0.05) < 0.0025);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_is_xoshiro256_starstar),
		cmocka_unit_test(streams_never_change),
		cmocka_unit_test(streams_differ_by_purpose_and_id),
		cmocka_unit_test(uniform_has_its_moments_and_range),
		cmocka_unit_test(uniform_takes_the_high_bits),
		cmocka_unit_test(below_is_even),
		cmocka_unit_test(below_has_no_bias_at_large_n),
		cmocka_unit_test(below_scales_by_the_high_half),
		cmocka_unit_test(normal_has_its_moments_and_tails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
