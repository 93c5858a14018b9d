/*-------------------------------------------------------------------------
 *
 * test_btsp.c
 *	  The one-shot memory against a naive twin that keeps a list of items,
 *	  and against what theory and simulation say it can hold.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hdc_naive.h"
#include "ruvector_dag/btsp.h"

#define GROUPS	RVD_BTSP_GROUPS
#define NEURONS	RVD_BTSP_NEURONS
#define WRITERS	RVD_BTSP_WRITERS
#define ALL		((double) RVD_BTSP_INPUTS * NEURONS)

static RvdBtsp memory;
static RvdBtsp other;

/* Flips each bit with probability d. */
static void
add_noise(RvdHdc *v, double d)
{
	for (int i = 0; i < D; i++)
		if (rvd_rng_uniform(&rng) < d)
			set_bit(v, i, !get_bit(v, i));
}

/* Code of item i of a numbered world; items of one family are near. */
static void
code_of(uint64_t world, uint64_t i, RvdHdc *v)
{
	rvd_hdc_atom(RVD_HDC_FEATURE, rvd_hash_combine(world, i), v);
}

static void
fill_memory(RvdBtsp *m, uint64_t world, int items)
{
	RvdHdc		v;

	rvd_btsp_init(m);
	for (int i = 0; i < items; i++)
	{
		code_of(world, (uint64_t) i, &v);
		assert_int_equal(rvd_btsp_write(m, &v, (uint64_t) i), RVD_OK);
	}
}

/* ---- a naive twin: a list of items, sums and winners by definition ----- */

#define TWIN_ITEMS	1000
#define FEW_IDS		64

typedef struct TwinItem
{
	uint64_t	id;
	int			written;
	RvdHdc		code;
	uint16_t	writer[WRITERS];
} TwinItem;

typedef struct Twin
{
	int			n;
	TwinItem	item[TWIN_ITEMS];
} Twin;

static TwinItem *
twin_find(Twin *twin, uint64_t id)
{
	for (int i = 0; i < twin->n; i++)
		if (twin->item[i].id == id)
			return &twin->item[i];
	return NULL;
}

static int
same_input(const RvdHdc *a, const RvdHdc *b, int g)
{
	for (int k = 0; k < RVD_BTSP_BITS; k++)
		if (get_bit(a, memory.sample[g][k]) != get_bit(b, memory.sample[g][k]))
			return 0;
	return 1;
}

/* Which neurons an item gets is not the twin's business. */
static void
learn_writers(TwinItem *item)
{
	for (uint32_t slot = 0; slot < memory.n_items; slot++)
		if (memory.id[slot] == item->id)
		{
			memcpy(item->writer, memory.writer[slot], sizeof(item->writer));
			return;
		}
	fail();
}

static void
twin_write(Twin *twin, const RvdHdc *cue, uint64_t id, int now)
{
	TwinItem   *item = twin_find(twin, id);
	int			same = item != NULL;

	for (int g = 0; g < GROUPS && same; g++)
		same = same_input(cue, &item->code, g);
	if (same)
		return;
	if (item == NULL)
		item = &twin->item[twin->n++];
	item->id = id;
	item->written = now;
	item->code = *cue;
	learn_writers(item);
}

static void
twin_sums(const Twin *twin, const RvdHdc *cue, int *sum)
{
	static int	stamp[NEURONS];

	memset(sum, 0, NEURONS * sizeof(int));
	memset(stamp, 0xff, sizeof(stamp));
	for (int g = 0; g < GROUPS; g++)
		for (int i = 0; i < twin->n; i++)
		{
			const TwinItem *item = &twin->item[i];

			if (!same_input(cue, &item->code, g))
				continue;
			for (int k = 0; k < WRITERS; k++)
				if (stamp[item->writer[k]] != g)
				{
					stamp[item->writer[k]] = g;
					sum[item->writer[k]]++;
				}
		}
}

/*
 * The 16 places go to the largest sums above the threshold; share[j] is
 * what neuron j holds of a place.
 */
static void
twin_shares(const int *sum, double density, double *share)
{
	int			least = (int) floor(16 + 112 * density);

	for (int j = 0; j < NEURONS; j++)
	{
		int			stronger = 0;
		int			equal = 0;

		share[j] = 0;
		if (sum[j] < least)
			continue;
		for (int k = 0; k < NEURONS; k++)
		{
			stronger += sum[k] > sum[j];
			equal += sum[k] == sum[j];
		}
		if (stronger < 16)
			share[j] = fmin(1, (16.0 - stronger) / equal);
	}
}

static uint64_t
twin_recall(const Twin *twin, const RvdHdc *cue, double density,
			double *confidence)
{
	static int	sum[NEURONS];
	static double share[NEURONS];
	uint64_t	id = 0;
	int			newest = -1;

	twin_sums(twin, cue, sum);
	twin_shares(sum, density, share);
	*confidence = 0;
	for (int i = 0; i < twin->n; i++)
	{
		const TwinItem *item = &twin->item[i];
		double		votes = 0;

		for (int k = 0; k < WRITERS; k++)
			votes += share[item->writer[k]];
		votes /= 16;
		if (votes > *confidence + 1e-9 ||
			(votes > 0 && fabs(votes - *confidence) < 1e-9 &&
			 item->written > newest))
		{
			*confidence = votes;
			newest = item->written;
			id = item->id;
		}
	}
	return id;
}

/* Few ids and few families of codes, so that all kinds of clashes happen. */
static void
random_cue(RvdHdc *v)
{
	code_of(7, (uint64_t) below(12), v);
	if (below(3) > 0)
		add_noise(v, 0.3 * rvd_rng_uniform(&rng));
}

static void
assert_weights_of(const Twin *twin)
{
	uint64_t	n_set = 0;

	memset(other.weight, 0, sizeof(other.weight));
	for (int i = 0; i < twin->n; i++)
		for (int g = 0; g < GROUPS; g++)
		{
			int			input = 0;

			for (int k = 0; k < RVD_BTSP_BITS; k++)
				input += get_bit(&twin->item[i].code,
								 memory.sample[g][k]) << k;
			for (int k = 0; k < WRITERS; k++)
			{
				int			j = twin->item[i].writer[k];

				other.weight[g * 64 + input][j / 64] |= UINT64_C(1) << j % 64;
			}
		}
	assert_memory_equal(memory.weight, other.weight, sizeof(other.weight));
	for (int i = 0; i < RVD_BTSP_INPUTS; i++)
		for (int w = 0; w < NEURONS / 64; w++)
			for (uint64_t x = memory.weight[i][w]; x != 0; x &= x - 1)
				n_set++;
	assert_true(rvd_btsp_density(&memory) == n_set / ALL);
}

static void
assert_recalls_like(const Twin *twin, const RvdHdc *cue, double *conf)
{
	double		expected_conf;
	uint64_t	expected = twin_recall(twin, cue, rvd_btsp_density(&memory),
									   &expected_conf);
	uint64_t	id;

	assert_int_equal(rvd_btsp_recall(&memory, cue, &id, conf),
					 twin->n ? RVD_OK : RVD_ERR_EMPTY);
	assert_true(fabs(*conf - expected_conf) < 1e-9);
	assert_int_equal(id, expected);
}

/* Random writes, rewrites and forgets; 1,500 recalls compared. */
static void
recalls_what_the_naive_twin_recalls(void **state)
{
	static Twin twin;
	int			accepted = 0;

	for (int run = 0; run < 15; run++)
	{
		rvd_btsp_init(&memory);
		twin.n = 0;
		for (int t = 1; t <= 100; t++)
		{
			uint64_t	id = (uint64_t) below(run % 3 == 0 ? 6 : FEW_IDS);
			double		conf;
			RvdHdc		cue;

			if (below(4) == 0)
			{
				TwinItem   *item = twin_find(&twin, id);

				assert_int_equal(rvd_btsp_forget(&memory, id),
								 item ? RVD_OK : RVD_ERR_EMPTY);
				if (item)
					*item = twin.item[--twin.n];
			}
			else
			{
				random_cue(&cue);
				assert_int_equal(rvd_btsp_write(&memory, &cue, id), RVD_OK);
				twin_write(&twin, &cue, id, t);
			}
			assert_int_equal(memory.n_items, twin.n);

			random_cue(&cue);
			assert_recalls_like(&twin, &cue, &conf);
			accepted += conf >= RVD_BTSP_ACCEPT;
		}
		assert_weights_of(&twin);
	}
	assert_true(accepted > 300 && accepted < 1200);
}

/* Sums with much background, cues that are hardly recognised. */
static void
crowded_memory_recalls_what_the_twin_recalls(void **state)
{
	static Twin twin;
	int			accepted = 0;

	fill_memory(&memory, 3, TWIN_ITEMS);
	for (twin.n = 0; twin.n < TWIN_ITEMS; twin.n++)
	{
		TwinItem   *item = &twin.item[twin.n];

		item->id = (uint64_t) twin.n;
		item->written = twin.n;
		code_of(3, item->id, &item->code);
		learn_writers(item);
	}
	for (int q = 0; q < 80; q++)
	{
		double		conf;
		RvdHdc		cue;

		code_of(3, (uint64_t) below(2 * TWIN_ITEMS), &cue);
		add_noise(&cue, 0.25 + 0.1 * rvd_rng_uniform(&rng));
		assert_recalls_like(&twin, &cue, &conf);
		accepted += conf >= RVD_BTSP_ACCEPT;
	}
	assert_true(accepted > 8 && accepted < 32);
}

/* Each bit is read once, so that no bit counts twice. */
static void
sampled_bits_are_distinct(void **state)
{
	RvdHdc		seen = {{0}};

	rvd_btsp_init(&memory);
	for (int g = 0; g < GROUPS; g++)
		for (int k = 0; k < RVD_BTSP_BITS; k++)
		{
			assert_true(memory.sample[g][k] < D);
			assert_int_equal(get_bit(&seen, memory.sample[g][k]), 0);
			set_bit(&seen, memory.sample[g][k], 1);
		}
}

/* ---- single items ------------------------------------------------------ */

/* T9.5, also for an id of 0 and in a memory that is not empty. */
static void
one_presentation_is_enough(void **state)
{
	rvd_btsp_init(&memory);
	for (uint64_t i = 0; i < 300; i++)
	{
		uint64_t	id;
		double		conf;
		RvdHdc		v;

		code_of(1, i, &v);
		assert_int_equal(rvd_btsp_write(&memory, &v, i * i), RVD_OK);
		assert_int_equal(rvd_btsp_recall(&memory, &v, &id, &conf), RVD_OK);
		assert_int_equal(id, i * i);
		assert_true(conf == 1);
	}
}

static void
empty_memory_rejects(void **state)
{
	uint64_t	id = 77;
	double		conf = 77;
	RvdHdc		v;

	code_of(1, 1, &v);
	rvd_btsp_init(&memory);
	assert_int_equal(rvd_btsp_recall(&memory, &v, &id, &conf), RVD_ERR_EMPTY);
	assert_true(id == 0 && conf == 0);
	assert_int_equal(rvd_btsp_forget(&memory, 1), RVD_ERR_EMPTY);
	assert_true(rvd_btsp_density(&memory) == 0);

	/* one item: whatever is not like it is still unknown */
	rvd_btsp_write(&memory, &v, 1);
	code_of(1, 2, &v);
	assert_int_equal(rvd_btsp_recall(&memory, &v, &id, &conf), RVD_OK);
	assert_true(id == 0 && conf == 0);
}

/* T9.6 */
static void
same_write_changes_nothing(void **state)
{
	fill_memory(&memory, 1, 50);
	other = memory;
	for (uint64_t i = 0; i < 50; i++)
	{
		RvdHdc		v;

		code_of(1, i, &v);
		assert_int_equal(rvd_btsp_write(&memory, &v, i), RVD_OK);
	}
	assert_memory_equal(&memory, &other, sizeof(other));
}

static void
rewritten_item_forgets_its_old_code(void **state)
{
	uint16_t	writer[WRITERS];
	uint64_t	id;
	double		conf;
	double		density;
	RvdHdc		old;
	RvdHdc		new;

	fill_memory(&memory, 1, 200);
	density = rvd_btsp_density(&memory);
	code_of(1, 20, &old);
	code_of(2, 20, &new);
	memcpy(writer, memory.writer[20], sizeof(writer));
	assert_int_equal(rvd_btsp_write(&memory, &new, 20), RVD_OK);
	assert_int_equal(memory.n_items, 200);
	assert_int_equal(memory.version[20], 1);
	assert_memory_not_equal(writer, memory.writer[20], sizeof(writer));
	assert_true(fabs(rvd_btsp_density(&memory) - density) < 0.0001);

	rvd_btsp_recall(&memory, &new, &id, &conf);
	assert_true(id == 20 && conf == 1);
	rvd_btsp_recall(&memory, &old, &id, &conf);
	assert_true(conf < RVD_BTSP_ACCEPT);
}

/* Two ids, one code: all 32 neurons tie, and the newer id is right. */
static void
newer_of_two_equals_wins(void **state)
{
	for (uint64_t i = 0; i < 100; i++)
	{
		uint64_t	id;
		double		conf;
		RvdHdc		v;

		rvd_btsp_init(&memory);
		code_of(1, i, &v);
		rvd_btsp_write(&memory, &v, 100 + i);
		rvd_btsp_write(&memory, &v, 300 - i);
		rvd_btsp_recall(&memory, &v, &id, &conf);
		assert_int_equal(id, 300 - i);
		assert_true(conf >= RVD_BTSP_ACCEPT && conf < 0.6);
	}
}

/* Forgetting half leaves exactly the memory of the other half. */
static void
forgotten_is_as_if_never_written(void **state)
{
	RvdHdc		v;

	fill_memory(&memory, 1, 1000);
	for (uint64_t i = 0; i < 1000; i += 2)
		assert_int_equal(rvd_btsp_forget(&memory, i), RVD_OK);
	rvd_btsp_init(&other);
	for (uint64_t i = 1; i < 1000; i += 2)
	{
		code_of(1, i, &v);
		rvd_btsp_write(&other, &v, i);
	}
	assert_int_equal(memory.n_items, 500);
	assert_true(memory.n_set == other.n_set);
	assert_memory_equal(memory.weight, other.weight, sizeof(other.weight));
	assert_memory_equal(memory.n_entries, other.n_entries,
						sizeof(other.n_entries));
	for (uint64_t i = 0; i < 1000; i++)
	{
		uint64_t	id;
		double		conf;

		code_of(1, i, &v);
		rvd_btsp_recall(&memory, &v, &id, &conf);
		assert_true(i % 2 ? id == i && conf == 1 : conf < RVD_BTSP_ACCEPT);
	}
}

/* Writers: distinct, and spread evenly over the neurons (chi-square). */
static void
writers_are_distinct_and_even(void **state)
{
	double		chi2 = 0;
	double		e = 4096.0 * WRITERS / NEURONS;
	int			used[NEURONS] = {0};

	fill_memory(&memory, 1, 4096);
	for (int i = 0; i < 4096; i++)
		for (int k = 0; k < WRITERS; k++)
		{
			for (int l = 0; l < k; l++)
				assert_int_not_equal(memory.writer[i][k], memory.writer[i][l]);
			used[memory.writer[i][k]]++;
		}
	for (int j = 0; j < NEURONS; j++)
	{
		assert_int_equal(used[j], memory.n_entries[j]);
		chi2 += (used[j] - e) * (used[j] - e) / e;
	}
	assert_true(fabs(chi2 - NEURONS) < 5 * sqrt(2.0 * NEURONS));
}

/* ---- capacity ---------------------------------------------------------- */

/* T9.1: density 1 - (1 - k / (n 2^r))^M */
static void
density_follows_the_formula(void **state)
{
	static const int items[] = {100, 1000, 4096};

	for (int i = 0; i < 3; i++)
	{
		double		law = 1 - pow(1 - 16.0 / (4096 * 64), items[i]);

		fill_memory(&memory, 3, items[i]);
		assert_true(fabs(rvd_btsp_density(&memory) - law) <
					5 * sqrt(law * (1 - law) / ALL) + 0.002 * law);
	}
}

/* T9.1: codes at distance d share 128 (1 - d)^6 inputs. */
static void
overlap_follows_the_formula(void **state)
{
	static const double noise[] = {0.05, 0.1, 0.2, 0.3, 0.5};
	const int	n = 200;

	rvd_btsp_init(&memory);
	for (int c = 0; c < 5; c++)
	{
		double		p = pow(1 - noise[c], 6);
		double		sum = 0;

		for (uint64_t i = 0; i < n; i++)
		{
			RvdHdc		a;
			RvdHdc		b;

			code_of(4, i, &a);
			b = a;
			add_noise(&b, noise[c]);
			for (int g = 0; g < GROUPS; g++)
				sum += same_input(&a, &b, g);
		}
		assert_true(fabs(sum / n - GROUPS * p) <
					5 * sqrt(GROUPS * p * (1 - p) / n));
	}
}

/* Cues with noise d: share recalled rightly; wrong is never accepted. */
static double
share_recalled(int items, double d, int cues)
{
	int			right = 0;

	for (int q = 0; q < cues; q++)
	{
		uint64_t	i = (uint64_t) below(items);
		uint64_t	id;
		double		conf;
		RvdHdc		v;

		code_of(3, i, &v);
		add_noise(&v, d);
		rvd_btsp_recall(&memory, &v, &id, &conf);
		if (conf < RVD_BTSP_ACCEPT)
			continue;
		assert_int_equal(id, i);
		right++;
	}
	return (double) right / cues;
}

/*
 * T9.2.  The simulation had 0.22 at noise 0.3 of 1,000 items and, of 5,000,
 * 0.60 at noise 0.2; of 4,000 it is more.
 */
static void
noisy_cues_are_recalled_as_simulated(void **state)
{
	double		share;

	fill_memory(&memory, 3, 1000);
	assert_true(share_recalled(1000, 0, 500) == 1);
	assert_true(share_recalled(1000, 0.1, 500) == 1);
	assert_true(share_recalled(1000, 0.2, 500) > 0.99);
	share = share_recalled(1000, 0.3, 500);
	assert_true(share > 0.15 && share < 0.38);
	assert_true(share_recalled(1000, 0.4, 200) < 0.02);

	fill_memory(&memory, 3, 4000);
	assert_true(share_recalled(4000, 0, 500) == 1);
	assert_true(share_recalled(4000, 0.1, 500) > 0.99);
	share = share_recalled(4000, 0.2, 500);
	assert_true(share > 0.58 && share < 0.82);
	assert_true(share_recalled(4000, 0.3, 200) < 0.02);
}

/* T9.3: 0 of 50,000, however much is stored. */
static void
unknown_cues_are_never_accepted(void **state)
{
	static const int items[] = {1, 30, 300, 1000, 4096};

	for (int c = 0; c < 5; c++)
	{
		fill_memory(&memory, 3, items[c]);
		for (uint64_t q = 0; q < 10000; q++)
		{
			uint64_t	id;
			double		conf;
			RvdHdc		v;

			code_of(5, q, &v);
			rvd_btsp_recall(&memory, &v, &id, &conf);
			assert_true(conf < RVD_BTSP_ACCEPT);
		}
	}
}

/* 200 families of 20, a tenth of the bits from their centre. */
static void
siblings_are_told_apart(void **state)
{
	enum
	{
		N = 4000
	};
	static RvdHdc variant[N];

	rvd_btsp_init(&memory);
	for (int i = 0; i < N; i++)
	{
		code_of(6, (uint64_t) i / 20, &variant[i]);
		add_noise(&variant[i], 0.1);
		rvd_btsp_write(&memory, &variant[i], (uint64_t) i);
	}
	for (int c = 0; c < 3; c++)
	{
		static const double noise[] = {0, 0.05, 0.1};
		int			right = 0;

		for (int q = 0; q < 300; q++)
		{
			int			i = below(N);
			RvdHdc		v = variant[i];
			uint64_t	id;
			double		conf;

			add_noise(&v, noise[c]);
			rvd_btsp_recall(&memory, &v, &id, &conf);
			if (conf < RVD_BTSP_ACCEPT)
				continue;
			assert_int_equal(id, i);
			right++;
		}
		assert_true(right > 0.98 * 300);
	}
}

/* T9.4: what is accepted is the nearest code there is. */
static void
accepted_is_the_nearest(void **state)
{
	enum
	{
		N = 600
	};
	static RvdHdc code[N];
	int			accepted = 0;

	rvd_btsp_init(&memory);
	for (int i = 0; i < N; i++)
	{
		code_of(8, (uint64_t) i / 3, &code[i]);
		add_noise(&code[i], 0.15);
		rvd_btsp_write(&memory, &code[i], (uint64_t) i);
	}
	for (int q = 0; q < 1000; q++)
	{
		RvdHdc		v = code[below(N)];
		uint64_t	id;
		double		conf;
		int			nearest = 0;

		add_noise(&v, 0.25 * rvd_rng_uniform(&rng));
		rvd_btsp_recall(&memory, &v, &id, &conf);
		if (conf < RVD_BTSP_ACCEPT)
			continue;
		for (int i = 1; i < N; i++)
			if (rvd_hdc_distance(&v, &code[i]) <
				rvd_hdc_distance(&v, &code[nearest]))
				nearest = i;
		assert_int_equal(id, nearest);
		accepted++;
	}
	assert_true(accepted > 800);
}

/* T9.7: full means refused; rewriting and forgetting still work. */
static void
full_table_refuses(void **state)
{
	uint64_t	id;
	double		conf;
	RvdHdc		v;

	fill_memory(&memory, 3, RVD_BTSP_CAPACITY);
	assert_true(rvd_btsp_density(&memory) < 0.25);
	code_of(9, 1, &v);
	assert_int_equal(rvd_btsp_write(&memory, &v, 1 << 20), RVD_ERR_FULL);
	assert_int_equal(rvd_btsp_write(&memory, &v, 17), RVD_OK);
	rvd_btsp_recall(&memory, &v, &id, &conf);
	assert_true(id == 17 && conf == 1);

	code_of(9, 2, &v);
	assert_int_equal(rvd_btsp_forget(&memory, 0), RVD_OK);
	assert_int_equal(rvd_btsp_write(&memory, &v, 1 << 20), RVD_OK);
	assert_int_equal(rvd_btsp_write(&memory, &v, 1 << 21), RVD_ERR_FULL);
	rvd_btsp_recall(&memory, &v, &id, &conf);
	assert_true(id == 1 << 20 && conf == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(recalls_what_the_naive_twin_recalls),
		TEST(crowded_memory_recalls_what_the_twin_recalls),
		TEST(sampled_bits_are_distinct),
		TEST(one_presentation_is_enough),
		TEST(empty_memory_rejects),
		TEST(same_write_changes_nothing),
		TEST(rewritten_item_forgets_its_old_code),
		TEST(newer_of_two_equals_wins),
		TEST(forgotten_is_as_if_never_written),
		TEST(writers_are_distinct_and_even),
		TEST(density_follows_the_formula),
		TEST(overlap_follows_the_formula),
		TEST(noisy_cues_are_recalled_as_simulated),
		TEST(unknown_cues_are_never_accepted),
		TEST(siblings_are_told_apart),
		TEST(accepted_is_the_nearest),
		TEST(full_table_refuses),
	};

	return cmocka_run_group_tests_name("btsp", tests, NULL, NULL);
}
