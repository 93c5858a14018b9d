/*-------------------------------------------------------------------------
 *
 * test_hdc.c
 *	  Hyperdimensional codes against naive twins that count bit by bit, and
 *	  bundles against the exact laws of their distances.
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

#include "hdc_naive.h"

static RvdHdcBundle bundle;

/* ---- atoms ------------------------------------------------------------- */

/* T8.2: SplitMix64 as published, one step after the other. */
static void
atoms_are_the_naive_stream(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		RvdHdcKind	kind = below(RVD_HDC_PARAMETER + 1);
		uint64_t	id = i < 10 ? i : rvd_rng_next(&rng);
		uint64_t	s = rvd_hash_combine(UINT64_C(0x7276645f68646331), kind);
		RvdHdc		atom;
		RvdHdc		naive;

		memset(&naive, 0, sizeof(naive));
		s = rvd_hash_combine(s, id);
		for (int w = 0; w < (D + 63) / 64; w++)
		{
			uint64_t	z = (s += UINT64_C(0x9E3779B97F4A7C15));

			z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
			z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
			naive.w[w] = z ^ (z >> 31);
		}
		naive.w[D / 64] &= 0xffff;
		memset(&atom, 0xff, sizeof(atom));
		rvd_hdc_atom(kind, id, &atom);
		assert_same(&atom, &naive);
	}
}

/* T8.7, also between kinds of one id. */
static void
atoms_are_half_apart(void **state)
{
	enum
	{
		N = 70
	};
	static RvdHdc atom[N];
	double		sum = 0;
	int			pairs = 0;

	for (int i = 0; i < N; i++)
		rvd_hdc_atom(i % 7, (uint64_t) (i / 7), &atom[i]);
	for (int i = 0; i < N; i++)
		for (int j = 0; j < i; j++, pairs++)
		{
			double		d = rvd_hdc_distance(&atom[i], &atom[j]);

			assert_true(fabs(d - 0.5) < 5 * 0.005);
			sum += d;
		}
	assert_true(fabs(sum / pairs - 0.5) < 5 * 0.005 / sqrt(pairs));
}

/* ---- algebra ----------------------------------------------------------- */

static void
distance_counts_bits(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		RvdHdc		a;
		RvdHdc		b;

		random_code(&a);
		b = a;
		for (int k = below(200); k > 0; k--)
			b.w[below(156)] ^= rvd_rng_next(&rng);
		assert_true(rvd_hdc_distance(&a, &b) ==
					naive_distance(&a, &b) / (double) D);
	}
}

/* T8.3 */
static void
binding_is_an_involution_and_an_isometry(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		RvdHdc		a;
		RvdHdc		b;
		RvdHdc		c;
		RvdHdc		ac;
		RvdHdc		bc;

		random_code(&a);
		random_code(&b);
		random_code(&c);
		rvd_hdc_bind(&a, &c, &ac);
		rvd_hdc_bind(&b, &c, &bc);
		assert_true(rvd_hdc_distance(&a, &b) == rvd_hdc_distance(&ac, &bc));
		assert_tail_zero(&ac);
		rvd_hdc_bind(&ac, &c, &ac);
		assert_same(&ac, &a);
	}
}

/* Where the definition sends a bit. */
static int
permuted_place(int i)
{
	if (i >= 156 * 64)
		return i;
	return (i / 64 + 1) % 156 * 64 + (i % 64 + 1) % 64;
}

static void
permutation_moves_each_bit(void **state)
{
	for (int i = 0; i < 100; i++)
	{
		RvdHdc		a;
		RvdHdc		b;
		RvdHdc		naive;

		random_code(&a);
		memset(&naive, 0, sizeof(naive));
		for (int k = 0; k < D; k++)
			set_bit(&naive, permuted_place(k), get_bit(&a, k));
		rvd_hdc_permute(&a, &b);
		assert_same(&b, &naive);
	}
}

/* T8.3: inverse on both sides, in place too; distributes over binding. */
static void
permutation_has_its_inverse_and_distributes(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		RvdHdc		a;
		RvdHdc		b;
		RvdHdc		ab;
		RvdHdc		pa;
		RvdHdc		pb;
		RvdHdc		t;

		random_code(&a);
		random_code(&b);
		rvd_hdc_permute(&a, &pa);
		rvd_hdc_permute(&b, &pb);
		rvd_hdc_unpermute(&pa, &t);
		assert_same(&t, &a);
		rvd_hdc_unpermute(&a, &t);
		rvd_hdc_permute(&t, &t);
		assert_same(&t, &a);
		rvd_hdc_permute(&t, &t);
		assert_same(&t, &pa);
		rvd_hdc_unpermute(&t, &t);
		assert_same(&t, &a);

		rvd_hdc_bind(&a, &b, &ab);
		rvd_hdc_permute(&ab, &ab);
		rvd_hdc_bind(&pa, &pb, &t);
		assert_same(&ab, &t);
		assert_true(rvd_hdc_distance(&a, &b) == rvd_hdc_distance(&pa, &pb));
		assert_true(fabs(rvd_hdc_distance(&a, &pa) - 0.5) < 5 * 0.005);
	}
}

static void
levels_are_evenly_spaced(void **state)
{
	static RvdHdc level[RVD_HDC_LEVELS];
	RvdHdc		v;

	for (int i = 0; i < RVD_HDC_LEVELS; i++)
	{
		rvd_hdc_level(i, &level[i]);
		assert_tail_zero(&level[i]);
		for (int j = 0; j <= i; j++)
			assert_int_equal(naive_distance(&level[i], &level[j]),
							 i * D / 30 - j * D / 30);
	}
	assert_true(rvd_hdc_distance(&level[0], &level[15]) == 0.5);
	assert_true(rvd_hdc_distance(&level[3], &level[9]) == 0.2);
	rvd_hdc_level(-5, &v);
	assert_same(&v, &level[0]);
	rvd_hdc_level(99, &v);
	assert_same(&v, &level[15]);
}

/* ---- bundles ----------------------------------------------------------- */

static void
bundle_is_the_counted_majority(void **state)
{
	static int	count[D];

	for (int i = 0; i < N_CASES + 6; i++)
	{
		int			many = 255 + (i - N_CASES) * 153;
		int			n = i < N_CASES ? 1 + i % 20 : many;
		RvdHdc		v;
		RvdHdc		naive;

		rvd_hdc_bundle_init(&bundle);
		memset(count, 0, sizeof(count));
		for (int k = 0; k < n; k++)
		{
			/* now and then again, so that counts differ widely */
			if (k == 0 || below(4) > 0)
				random_code(&v);
			assert_int_equal(rvd_hdc_bundle_add(&bundle, &v), RVD_OK);
			count_bits(&v, count);
		}
		assert_int_equal(bundle.n, n);
		assert_int_equal(rvd_hdc_bundle_majority(&bundle, &v), RVD_OK);
		naive_majority(count, n, &naive);
		assert_same(&v, &naive);
	}
}

/* T8.6: of two members, bits that differ are those of the tie vector. */
static void
ties_take_the_tie_vector(void **state)
{
	RvdHdc		a;
	RvdHdc		not_a;
	RvdHdc		tie;
	RvdHdc		v;

	rvd_hdc_atom(RVD_HDC_TIE, 0, &tie);
	random_code(&a);
	not_a = a;
	for (int i = 0; i < D; i++)
		set_bit(&not_a, i, !get_bit(&a, i));
	rvd_hdc_bundle_init(&bundle);
	for (int k = 0; k < 3; k++)
	{
		rvd_hdc_bundle_add(&bundle, &a);
		rvd_hdc_bundle_add(&bundle, &not_a);
		assert_int_equal(rvd_hdc_bundle_majority(&bundle, &v), RVD_OK);
		assert_same(&v, &tie);
	}
	rvd_hdc_bundle_add(&bundle, &a);
	rvd_hdc_bundle_majority(&bundle, &v);
	assert_same(&v, &a);
}

/* 32,768 times a, 32,767 times b: one vote decides, at the very limit. */
static void
bundle_is_exact_up_to_its_limit(void **state)
{
	RvdHdc		a;
	RvdHdc		b;
	RvdHdc		v;

	random_code(&a);
	random_code(&b);
	rvd_hdc_bundle_init(&bundle);
	assert_int_equal(rvd_hdc_bundle_majority(&bundle, &v), RVD_ERR_EMPTY);
	for (int i = 0; i < 65535; i++)
		assert_int_equal(rvd_hdc_bundle_add(&bundle, i % 2 ? &b : &a), RVD_OK);
	rvd_hdc_bundle_majority(&bundle, &v);
	assert_same(&v, &a);
	assert_int_equal(rvd_hdc_bundle_add(&bundle, &a), RVD_ERR_FULL);
	assert_int_equal(bundle.n, 65535);
	rvd_hdc_bundle_majority(&bundle, &v);
	assert_same(&v, &a);
}

/* ---- T8.1: exact expectations ------------------------------------------ */

static double
binomial(int n, int k)
{
	return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) -
			   n * log(2));
}

/* Two bundles of n (odd) that share m members. */
static double
expected_distance(int n, int m)
{
	double		d = 0;

	for (int k = 0; k <= m; k++)
	{
		double		q = 0;

		for (int j = 0; j <= n - m; j++)
			if (2 * (k + j) > n)
				q += binomial(n - m, j);
		d += binomial(m, k) * 2 * q * (1 - q);
	}
	return d;
}

/* n atoms: the first ones of a stream two bundles share, the rest own. */
static void
bundle_of(uint64_t shared, int common, uint64_t own, int n, RvdHdc *out)
{
	RvdHdc		v;

	rvd_hdc_bundle_init(&bundle);
	for (int i = 0; i < n; i++)
	{
		rvd_hdc_atom(RVD_HDC_FEATURE,
					 rvd_hash_combine(i < common ? shared : own, i), &v);
		rvd_hdc_bundle_add(&bundle, &v);
	}
	rvd_hdc_bundle_majority(&bundle, out);
}

static void
overlapping_bundles_follow_the_formula(void **state)
{
	static const int common[] = {151, 150, 149, 140, 120, 75, 0};
	static const double known[] = {0, 0.0325, 0.0488, 0.1209, 0.2069,
	0.3341, 0.5};
	const int	n = 151;
	const int	seeds = 200;

	for (int c = 0; c < 7; c++)
	{
		double		p = expected_distance(n, common[c]);
		double		sum = 0;

		assert_true(fabs(p - known[c]) < 6e-5);
		for (uint64_t s = 0; s < seeds; s++)
		{
			RvdHdc		a;
			RvdHdc		b;

			bundle_of(3 * s, common[c], 3 * s + 1, n, &a);
			bundle_of(3 * s, common[c], 3 * s + 2, n, &b);
			sum += rvd_hdc_distance(&a, &b);
		}
		assert_true(fabs(sum / seeds - p) <=
					5 * sqrt(p * (1 - p) / D / seeds));
	}
}

static void
members_are_as_near_as_the_formula_says(void **state)
{
	static const int size[] = {1, 3, 11, 51, 151};
	const int	seeds = 200;

	for (int c = 0; c < 5; c++)
	{
		int			n = size[c];
		double		p = 0.5 - binomial(n - 1, (n - 1) / 2) / 2;
		double		sum = 0;

		for (uint64_t s = 0; s < seeds; s++)
		{
			RvdHdc		member;
			RvdHdc		whole;

			bundle_of(s, n, 0, n, &whole);
			rvd_hdc_atom(RVD_HDC_FEATURE,
						 rvd_hash_combine(s, s % (uint64_t) n), &member);
			sum += rvd_hdc_distance(&member, &whole);
		}
		assert_true(fabs(sum / seeds - p) <=
					5 * sqrt(p * (1 - p) / D / seeds) + 1e-12);
	}
}

/* T8.4, hashed features alone: e of 149 replaced, mean over 60 bundles. */
static void
edited_bundles_follow_the_arccos_law(void **state)
{
	static const int edits[] = {1, 2, 5, 10, 20, 40, 100};

	for (int c = 0; c < 7; c++)
	{
		double		law = acos((149.0 - edits[c]) / 149.0) / M_PI;
		double		sum = 0;

		for (uint64_t s = 0; s < 60; s++)
		{
			RvdHdc		a;
			RvdHdc		b;

			bundle_of(3 * s, 149 - edits[c], 3 * s + 1, 149, &a);
			bundle_of(3 * s, 149 - edits[c], 3 * s + 2, 149, &b);
			sum += rvd_hdc_distance(&a, &b);
		}
		assert_true(fabs(sum / 60 - law) < 0.005);
	}
}

/* ---- bytes ------------------------------------------------------------- */

/* T8.5 */
static void
bytes_go_there_and_back(void **state)
{
	uint8_t		bytes[RVD_HDC_BYTES + 1];

	for (int i = 0; i < N_CASES; i++)
	{
		RvdHdc		a;
		RvdHdc		b;

		random_code(&a);
		bytes[RVD_HDC_BYTES] = 0x5a;
		rvd_hdc_to_bytes(&a, bytes);
		assert_int_equal(bytes[RVD_HDC_BYTES], 0x5a);
		for (int k = 0; k < D; k += 1 + below(40))
			assert_int_equal(bytes[k / 8] >> (k % 8) & 1, get_bit(&a, k));
		memset(&b, 0xff, sizeof(b));
		assert_int_equal(rvd_hdc_from_bytes(bytes, RVD_HDC_BYTES, &b), RVD_OK);
		assert_same(&a, &b);
	}
}

static void
wrong_lengths_are_refused(void **state)
{
	static const size_t wrong[] = {0, 1, 1249, 1251, 1280};
	static uint8_t bytes[1280];
	RvdHdc		v;

	for (int i = 0; i < 5; i++)
		assert_int_equal(rvd_hdc_from_bytes(bytes, wrong[i], &v),
						 RVD_ERR_ARGUMENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(atoms_are_the_naive_stream),
		TEST(atoms_are_half_apart),
		TEST(distance_counts_bits),
		TEST(binding_is_an_involution_and_an_isometry),
		TEST(permutation_moves_each_bit),
		TEST(permutation_has_its_inverse_and_distributes),
		TEST(levels_are_evenly_spaced),
		TEST(bundle_is_the_counted_majority),
		TEST(ties_take_the_tie_vector),
		TEST(bundle_is_exact_up_to_its_limit),
		TEST(overlapping_bundles_follow_the_formula),
		TEST(members_are_as_near_as_the_formula_says),
		TEST(edited_bundles_follow_the_arccos_law),
		TEST(bytes_go_there_and_back),
		TEST(wrong_lengths_are_refused),
	};

	return cmocka_run_group_tests_name("hdc", tests, NULL, NULL);
}
