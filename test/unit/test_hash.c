/*-------------------------------------------------------------------------
 *
 * test_hash.c
 *	  Hashing: persisted values never change, single bits matter, order
 *	  matters where it should and only there.
 *
 *-------------------------------------------------------------------------
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ruvector_dag/hash.h"

#define N_HASHES	200000

/* Bits in which two hashes differ. */
static int
distance(uint64_t a, uint64_t b)
{
	return __builtin_popcountll(a ^ b);
}

/* A change of these values orphans everything ever persisted. */
static void
persisted_values_stay(void **state)
{
	assert_int_equal(rvd_hash_mix(1), UINT64_C(0x5692161d100b05e5));
	assert_int_equal(rvd_hash_combine(1, 2), UINT64_C(0x30883360cc68d7b1));
	assert_int_equal(rvd_hash_add(1, 2), UINT64_C(0x1191bcd799a65ecf));
	assert_int_equal(rvd_hash_bytes("", 0, 0), UINT64_C(0x6db6ca64564daeaa));
	assert_int_equal(rvd_hash_bytes("a", 1, 0), UINT64_C(0xb415511d4adb012e));
	assert_int_equal(rvd_hash_bytes("Seq Scan on orders", 18, 7),
					 UINT64_C(0x2b7d49fd8e43a9aa));
}

static void
null_is_an_empty_string(void **state)
{
	assert_int_equal(rvd_hash_bytes(NULL, 0, 5), rvd_hash_bytes("x", 0, 5));
}

static void
length_and_seed_matter(void **state)
{
	static const char zeroes[32];

	for (size_t n = 0; n < sizeof(zeroes); n++)
	{
		for (size_t m = 0; m < n; m++)
			assert_int_not_equal(rvd_hash_bytes(zeroes, n, 0),
								 rvd_hash_bytes(zeroes, m, 0));
		assert_int_not_equal(rvd_hash_bytes(zeroes, n, 0),
							 rvd_hash_bytes(zeroes, n, 1));
	}
}

/* Bytes are read one string at a time from heap blocks of their exact size. */
static void
every_bit_flips_half_of_the_hash(void **state)
{
	long		total = 0;
	long		flips = 0;

	for (size_t n = 1; n <= 24; n++)
	{
		unsigned char *bytes = malloc(n);
		uint64_t	hash;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char) (i * 37 + n);
		hash = rvd_hash_bytes(bytes, n, 0);
		for (size_t bit = 0; bit < n * 8; bit++)
		{
			int			d;

			bytes[bit / 8] ^= (unsigned char) (1 << bit % 8);
			d = distance(hash, rvd_hash_bytes(bytes, n, 0));
			bytes[bit / 8] ^= (unsigned char) (1 << bit % 8);
			assert_in_range(d, 8, 56);
			total += d;
			flips++;
		}
		free(bytes);
	}
	/* mean of 2,400 flips of 64 fair bits: 32, standard error 0.08 */
	assert_in_range(total * 100 / flips, 3150, 3250);
}

static void
address_does_not_matter(void **state)
{
	char		buffer[64];
	const char *text = "customer_country_idx";
	uint64_t	hash = rvd_hash_bytes(text, 20, 3);

	for (size_t shift = 0; shift < 16; shift++)
	{
		memcpy(buffer + shift, text, 20);
		assert_int_equal(rvd_hash_bytes(buffer + shift, 20, 3), hash);
	}
}

static void
combine_is_ordered(void **state)
{
	for (uint64_t a = 0; a < 100; a++)
		for (uint64_t b = 0; b < a; b++)
			assert_int_not_equal(rvd_hash_combine(a, b),
								 rvd_hash_combine(b, a));
}

static void
add_counts_members_in_any_order(void **state)
{
	uint64_t	forward = 0;
	uint64_t	backward = 0;
	uint64_t	twice;

	for (uint64_t i = 0; i < 50; i++)
	{
		forward = rvd_hash_add(forward, i);
		backward = rvd_hash_add(backward, 49 - i);
	}
	assert_int_equal(forward, backward);
	twice = rvd_hash_add(forward, 7);
	assert_int_not_equal(twice, forward);
	assert_int_not_equal(rvd_hash_add(twice, 7), twice);
	/* an even number of one member does not cancel out, nor does zero */
	assert_int_not_equal(rvd_hash_add(rvd_hash_add(0, 9), 9), 0);
	assert_int_not_equal(rvd_hash_add(0, 0), 0);
}

static int
compare_hashes(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return x < y ? -1 : x > y;
}

/* 200,000 hashes of 64 bits collide with probability 1e-9. */
static void
small_numbers_do_not_collide(void **state)
{
	uint64_t   *hashes = malloc(N_HASHES * sizeof(uint64_t));

	for (uint32_t i = 0; i < N_HASHES; i++)
		hashes[i] = rvd_hash_bytes(&i, sizeof(i), 0);
	qsort(hashes, N_HASHES, sizeof(uint64_t), compare_hashes);
	for (int i = 1; i < N_HASHES; i++)
		assert_int_not_equal(hashes[i], hashes[i - 1]);
	free(hashes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(persisted_values_stay),
		cmocka_unit_test(null_is_an_empty_string),
		cmocka_unit_test(length_and_seed_matter),
		cmocka_unit_test(every_bit_flips_half_of_the_hash),
		cmocka_unit_test(address_does_not_matter),
		cmocka_unit_test(combine_is_ordered),
		cmocka_unit_test(add_counts_members_in_any_order),
		cmocka_unit_test(small_numbers_do_not_collide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
