/*-------------------------------------------------------------------------
 *
 * test_join_tokens.c
 *	  Orders of joins come back as they were put, take the tokens they ought
 *	  to, and nothing that is not a tree is ever handed out.
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

#include "ruvector_dag/join_tokens.h"
#include "ruvector_dag/rng.h"

#define CAPACITY	48
#define LONG		2000

/* A random tree over all its relations: join two random parts at a time. */
static void
random_tree(RvdRng *rng, int relations, RvdJoinTree *tree)
{
	int8_t		part[RVD_JOIN_RELATIONS][2 * RVD_JOIN_RELATIONS];
	int			length[RVD_JOIN_RELATIONS];
	int			parts = relations;

	memset(tree, 0, sizeof(*tree));
	tree->relations = relations;
	tree->sequence = (int32_t) rvd_rng_below(rng, RVD_JOIN_PROBLEMS);
	tree->check = (uint32_t) rvd_rng_next(rng);
	for (int i = 0; i < relations; i++)
	{
		part[i][0] = (int8_t) i;
		length[i] = 1;
	}
	while (parts > 1)
	{
		int			a = (int) rvd_rng_below(rng, (uint32_t) parts);
		int			b = (int) rvd_rng_below(rng, (uint32_t) parts - 1);

		if (b >= a)
			b++;
		memcpy(part[a] + length[a], part[b], (size_t) length[b]);
		length[a] += length[b];
		part[a][length[a]++] = (int8_t) RVD_JOIN((int) rvd_rng_below(rng, 16));
		parts--;
		if (b != parts)
		{
			memcpy(part[b], part[parts], (size_t) length[parts]);
			length[b] = length[parts];
		}
	}
	memcpy(tree->element, part[0], (size_t) length[0]);
}

/* One relation after the other. */
static void
left_deep_tree(int relations, int sequence, RvdJoinTree *tree)
{
	memset(tree, 0, sizeof(*tree));
	tree->relations = relations;
	tree->sequence = sequence;
	tree->check = 0xdeadbeef;
	tree->element[0] = 0;
	for (int i = 1; i < relations; i++)
	{
		tree->element[2 * i - 1] = (int8_t) i;
		tree->element[2 * i] = RVD_JOIN(0);
	}
}

static void
assert_same_tree(const RvdJoinTree *a, const RvdJoinTree *b)
{
	assert_int_equal(a->sequence, b->sequence);
	assert_int_equal(a->relations, b->relations);
	assert_int_equal(a->check, b->check);
	assert_memory_equal(a->element, b->element,
						(size_t) (2 * a->relations - 1));
}

/* An oracle by recursion: where the tree that ends at element i begins. */
static int
begins_at(const RvdJoinTree *tree, int i, int *leaves)
{
	if (i < 0)
		return -1;
	if (tree->element[i] >= 0)
	{
		if (tree->element[i] >= tree->relations)
			return -1;
		leaves[tree->element[i]]++;
		return i;
	}
	if (tree->element[i] < -16)
		return -1;
	i = begins_at(tree, i - 1, leaves);
	return i <= 0 ? -1 : begins_at(tree, i - 1, leaves);
}

static bool
naively_valid(const RvdJoinTree *tree)
{
	int			leaves[RVD_JOIN_RELATIONS] = {0};

	if (tree->relations < 2 || tree->relations > RVD_JOIN_RELATIONS ||
		tree->sequence < 0 || tree->sequence >= RVD_JOIN_PROBLEMS)
		return false;
	if (begins_at(tree, 2 * tree->relations - 2, leaves) != 0)
		return false;
	for (int i = 0; i < tree->relations; i++)
		if (leaves[i] != 1)
			return false;
	return true;
}

static void
persisted_form_stays(void **state)
{
	static const uint16_t expected[] = {
		5 << 6 | 4, 0xbeef, 0xdead, 2, 0x9000 | 0, 3, 0xac00 | 1, 0xf400
	};
	RvdJoinTree tree = {5, 4, 0xdeadbeef, {2, 0, RVD_JOIN(4), 3, 1, RVD_JOIN(11), RVD_JOIN(13)}};
	RvdJoinTree back;
	uint16_t	tokens[CAPACITY];
	int32_t		used = 0;

	assert_int_equal(rvd_join_tokens_put(tokens, CAPACITY, &used, &tree),
					 RVD_OK);
	assert_int_equal(used, 8);
	assert_memory_equal(tokens, expected, sizeof(expected));
	assert_int_equal(rvd_join_tokens_get(tokens, used, 5, &back), RVD_OK);
	assert_same_tree(&tree, &back);
	assert_int_equal(rvd_join_tokens_get(tokens, used, 4, &back),
					 RVD_ERR_EMPTY);
}

static void
size_is_as_promised(void **state)
{
	uint16_t	tokens[CAPACITY];

	for (int n = 2; n <= CAPACITY - 3; n++)
	{
		RvdJoinTree tree;
		int32_t		used = 0;

		left_deep_tree(n, 0, &tree);
		assert_int_equal(rvd_join_tokens_put(tokens, CAPACITY, &used, &tree),
						 RVD_OK);
		assert_int_equal(used, n + 3);
	}
}

/* Any tree, any number of them, in order; what does not fit changes nothing. */
static void
trees_come_back(void **state)
{
	static uint16_t tokens[LONG];
	static uint16_t before[LONG];
	RvdRng		rng;

	rvd_rng_init(&rng, RVD_RNG_TEST, 7);
	for (int round = 0; round < 3000; round++)
	{
		RvdJoinTree tree[8];
		RvdJoinTree back;
		int			n = 1 + (int) rvd_rng_below(&rng, 8);
		int			kept = 0;
		int32_t		capacity = (int32_t) rvd_rng_below(&rng, LONG);
		int32_t		used = 0;

		if (round % 3 == 0)
			capacity = CAPACITY;
		for (int i = 0; i < n; i++)
		{
			int32_t		was = used;

			random_tree(&rng, 2 + (int) rvd_rng_below(&rng,
													  RVD_JOIN_RELATIONS - 1),
						&tree[kept]);
			tree[kept].sequence = i;
			memcpy(before, tokens, sizeof(tokens));
			if (rvd_join_tokens_put(tokens, capacity, &used, &tree[kept]) ==
				RVD_OK)
			{
				assert_true(used <= capacity);
				kept++;
				continue;
			}
			assert_int_equal(used, was);
			assert_memory_equal(tokens, before, sizeof(tokens));
			/* no tree needs more than this */
			assert_true(was + 3 + 2 * tree[kept].relations - 2 > capacity);
		}
		for (int i = 0; i < kept; i++)
		{
			assert_int_equal(rvd_join_tokens_get(tokens, used,
												 tree[i].sequence, &back),
							 RVD_OK);
			assert_same_tree(&tree[i], &back);
		}
	}
}

static void
wrong_trees_are_refused(void **state)
{
	uint16_t	tokens[CAPACITY];
	RvdRng		rng;
	int			refused = 0;

	rvd_rng_init(&rng, RVD_RNG_TEST, 11);
	for (int round = 0; round < 20000; round++)
	{
		RvdJoinTree tree;
		int32_t		used = 0;
		bool		valid;

		random_tree(&rng, 2 + (int) rvd_rng_below(&rng, 12), &tree);
		assert_true(rvd_join_tree_valid(&tree));
		for (int i = (int) rvd_rng_below(&rng, 3); i > 0; i--)
			tree.element[rvd_rng_below(&rng, (uint32_t)
									   (2 * tree.relations - 1))] =
				(int8_t) ((int) rvd_rng_below(&rng, 36) - 20);
		if (rvd_rng_below(&rng, 16) == 0)
			tree.relations = (int32_t) rvd_rng_below(&rng, 70);
		if (rvd_rng_below(&rng, 16) == 0)
			tree.sequence = (int32_t) rvd_rng_below(&rng, 1100) - 20;
		valid = naively_valid(&tree);
		assert_int_equal(rvd_join_tree_valid(&tree), valid);
		assert_int_equal(rvd_join_tokens_put(tokens, CAPACITY, &used, &tree) !=
						 RVD_ERR_ARGUMENT, valid);
		refused += !valid;
	}
	assert_true(refused > 2000);
}

/* Whatever the tokens: a status, and a valid tree if it is RVD_OK. */
static void
fuzzed_tokens_are_harmless(void **state)
{
	RvdRng		rng;
	int			found = 0;

	rvd_rng_init(&rng, RVD_RNG_TEST, 13);
	for (int round = 0; round < 200000; round++)
	{
		RvdJoinTree tree;
		int32_t		used = 0;
		int32_t		length = (int32_t) rvd_rng_below(&rng, CAPACITY + 1);
		/* of their very size, so that ASan sees what is read beyond */
		uint16_t   *tokens = malloc(sizeof(uint16_t) * CAPACITY);
		uint16_t   *exact = malloc(sizeof(uint16_t) * (size_t) length + 1);

		memset(tokens, 0, sizeof(uint16_t) * CAPACITY);
		if (round % 2 == 0)
			for (int i = 0; i < CAPACITY; i++)
				tokens[i] = (uint16_t) rvd_rng_next(&rng);
		else
		{
			random_tree(&rng, 2 + (int) rvd_rng_below(&rng, 14), &tree);
			tree.sequence = 3;
			(void) rvd_join_tokens_put(tokens, CAPACITY, &used, &tree);
			for (int i = (int) rvd_rng_below(&rng, 3); i > 0; i--)
				tokens[rvd_rng_below(&rng, CAPACITY)] ^=
					(uint16_t) (1u << rvd_rng_below(&rng, 16));
		}
		memcpy(exact, tokens, sizeof(uint16_t) * (size_t) length);
		for (int s = 0; s < 5; s++)
			if (rvd_join_tokens_get(exact, length, s, &tree) == RVD_OK)
			{
				assert_true(naively_valid(&tree));
				assert_int_equal(tree.sequence, s);
				found++;
			}
		free(tokens);
		free(exact);
	}
	assert_true(found > 10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(persisted_form_stays),
		cmocka_unit_test(size_is_as_promised),
		cmocka_unit_test(trees_come_back),
		cmocka_unit_test(wrong_trees_are_refused),
		cmocka_unit_test(fuzzed_tokens_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
