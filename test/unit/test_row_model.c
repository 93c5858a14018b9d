/*-------------------------------------------------------------------------
 *
 * test_row_model.c
 *	  Learned rows: exact answers, bounds, neighbours, eviction.
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

#include "ruvector_dag/hash.h"
#include "ruvector_dag/row_model.h"

#define N_CASES		2000

static const float here[2] = {-2.0f, -3.0f};
static const float far_away[2] = {-14.0f, -3.0f};

static double
predict(const RvdRowModel *m, uint64_t exact, const float *x,
		double reference, double estimate, RvdRowSource *source)
{
	double		rows = -1;

	*source = rvd_row_model_predict(m, exact, x, 2, log(reference),
									log(estimate), &rows);
	return rows;
}

static void
nothing_known_says_nothing(void **state)
{
	RvdRowModel m = {0};
	RvdRowSource source;

	assert_true(predict(&m, 1, here, 100, 100, &source) == -1);
	assert_int_equal(source, RVD_ROW_UNKNOWN);
}

static void
seen_before_is_answered_exactly(void **state)
{
	uint64_t	seed = 7;

	for (int c = 0; c < N_CASES; c++)
	{
		RvdRowModel m = {0};
		double		rows = 1 + (double) (rvd_hash_mix(++seed) % 10000000);
		RvdRowSource source;

		m.kind = (uint16_t) (seed % 3);
		for (int i = 0; i < 10; i++)
			(void) rvd_row_model_observe(&m, rvd_hash_mix(seed + 100 + i), here,
										 2, 17.0 * i, log(20), false);
		(void) rvd_row_model_observe(&m, 1, here, 2, rows, log(100), false);
		assert_float_equal(predict(&m, 1, far_away, 5, 5, &source), rows,
						   rows * 1e-6);
		assert_int_equal(source, RVD_ROW_EXACT);
	}
}

static void
last_count_replaces_the_one_before(void **state)
{
	RvdRowModel m = {0};
	RvdRowSource source;

	assert_true(rvd_row_model_observe(&m, 1, here, 2, 100, 0, false));
	assert_false(rvd_row_model_observe(&m, 1, here, 2, 110, 0, false));
	assert_true(rvd_row_model_observe(&m, 1, here, 2, 500, 0, false));
	assert_float_equal(predict(&m, 1, here, 9, 9, &source), 500, 1e-3);
	assert_int_equal(m.n, 1);
}

static void
bound_only_raises(void **state)
{
	RvdRowModel m = {0};
	RvdRowSource source;
	double		rows;

	/* below the server's estimate a bound says nothing */
	(void) rvd_row_model_observe(&m, 1, here, 2, 50, log(100), true);
	(void) predict(&m, 1, here, 100, 100, &source);
	assert_int_equal(source, RVD_ROW_UNKNOWN);

	/* above it, the prediction exceeds the bound */
	(void) rvd_row_model_observe(&m, 1, here, 2, 1000, log(100), true);
	rows = predict(&m, 1, here, 100, 100, &source);
	assert_int_equal(source, RVD_ROW_BOUND);
	assert_true(rows > 1000);

	/* a smaller bound changes nothing, a larger one raises again */
	assert_false(rvd_row_model_observe(&m, 1, here, 2, 10, log(100), true));
	assert_float_equal(predict(&m, 1, here, 100, 100, &source), rows, 1e-6);
	assert_true(rvd_row_model_observe(&m, 1, here, 2, 4000, log(100), true));
	assert_true(predict(&m, 1, here, 100, 100, &source) > rows);

	/* a clean count, even a lower one, settles it */
	assert_true(rvd_row_model_observe(&m, 1, here, 2, 700, log(100), false));
	assert_float_equal(predict(&m, 1, here, 100, 100, &source), 700, 1e-3);
	assert_int_equal(source, RVD_ROW_EXACT);

	/* and a bound below a clean count does not touch it */
	assert_false(rvd_row_model_observe(&m, 1, here, 2, 600, log(100), true));
	(void) predict(&m, 1, here, 100, 100, &source);
	assert_int_equal(source, RVD_ROW_EXACT);
}

static void
neighbours_correct_a_base_relation(void **state)
{
	RvdRowModel m = {.kind = RVD_ROW_BASE};
	RvdRowSource source;
	double		rows;

	/* the server is wrong by a factor of 50, six constants say */
	for (uint64_t i = 1; i <= 6; i++)
		(void) rvd_row_model_observe(&m, i, here, 2, 100 * 50, log(100), false);
	rows = predict(&m, 99, here, 200, 200, &source);
	assert_int_equal(source, RVD_ROW_NEIGHBOUR);
	assert_true(rows > 200 * 20 && rows < 200 * 51);

	/* far from all of them the server's estimate stands */
	(void) predict(&m, 99, far_away, 200, 200, &source);
	assert_int_equal(source, RVD_ROW_UNKNOWN);
}

static void
small_or_doubtful_corrections_are_left_alone(void **state)
{
	RvdRowModel small = {.kind = RVD_ROW_BASE};
	RvdRowModel mixed = {.kind = RVD_ROW_BASE};
	RvdRowSource source;

	for (uint64_t i = 1; i <= 6; i++)
	{
		(void) rvd_row_model_observe(&small, i, here, 2, 130, log(100), false);
		(void) rvd_row_model_observe(&mixed, i, here, 2, i % 2 ? 10000 : 1,
									 log(100), false);
	}
	(void) predict(&small, 99, here, 100, 100, &source);
	assert_int_equal(source, RVD_ROW_UNKNOWN);
	(void) predict(&mixed, 99, here, 100, 100, &source);
	assert_int_equal(source, RVD_ROW_UNKNOWN);
}

static void
joins_need_agreeing_neighbours(void **state)
{
	RvdRowModel m = {.kind = RVD_ROW_JOIN};
	RvdRowSource source;

	(void) rvd_row_model_observe(&m, 1, here, 2, 500, log(1e6), false);
	(void) predict(&m, 9, here, 1e6, 10, &source);
	assert_int_equal(source, RVD_ROW_UNKNOWN);
	(void) rvd_row_model_observe(&m, 2, here, 2, 1000, log(2e6), false);
	assert_float_equal(predict(&m, 9, here, 4e6, 10, &source), 2000, 1);
	assert_int_equal(source, RVD_ROW_NEIGHBOUR);
	(void) rvd_row_model_observe(&m, 3, here, 2, 1e6, log(1e6), false);
	(void) predict(&m, 9, here, 4e6, 10, &source);
	assert_int_equal(source, RVD_ROW_UNKNOWN);
}

static void
full_model_forgets_the_oldest(void **state)
{
	RvdRowModel m = {0};
	RvdRowSource source;

	for (uint64_t i = 1; i <= RVD_ROW_OBS + 1; i++)
		(void) rvd_row_model_observe(&m, i, far_away, 2, 10.0 * i, 0, false);
	assert_int_equal(m.n, RVD_ROW_OBS);
	(void) predict(&m, 1, here, 1, 1, &source);
	assert_int_equal(source, RVD_ROW_UNKNOWN);
	for (uint64_t i = 2; i <= RVD_ROW_OBS + 1; i++)
		assert_float_equal(predict(&m, i, here, 1, 1, &source), 10.0 * i, 1e-3);
}

static void
senseless_counts_are_refused(void **state)
{
	RvdRowModel m = {0};
	RvdRowSource source;
	float		odd[2] = {NAN, INFINITY};

	assert_false(rvd_row_model_observe(&m, 1, here, 2, -1, 0, false));
	assert_false(rvd_row_model_observe(&m, 1, here, 2, NAN, 0, false));
	assert_false(rvd_row_model_observe(&m, 1, here, 2, 5, NAN, false));
	assert_int_equal(m.n, 0);
	assert_true(rvd_row_model_observe(&m, 1, odd, 2, 5, 0, false));
	assert_float_equal(predict(&m, 1, here, 1, 1, &source), 5, 1e-6);
}

static void
lookups_keep_fractions(void **state)
{
	RvdRowModel m = {.kind = RVD_ROW_LOOKUP};
	RvdRowSource source;

	(void) rvd_row_model_observe(&m, 1, here, 2, 0.02, 0, false);
	assert_float_equal(predict(&m, 1, here, 1, 1, &source), 0.02, 1e-6);
}

/* Whatever is observed, what comes back is finite and not negative. */
static void
predictions_are_always_usable(void **state)
{
	uint64_t	seed = 42;

	for (int c = 0; c < N_CASES; c++)
	{
		RvdRowModel m = {.kind = (uint16_t) (c % 3)};

		for (int i = 0; i < 40; i++)
		{
			uint64_t	h = rvd_hash_mix(++seed);
			float		x[3] = {-(float) (h % 20), -(float) (h % 7), 0};
			double		rows = -1;
			RvdRowSource source;

			(void) rvd_row_model_observe(&m, h % 24, x, 3,
										 exp((double) (h % 40) - 10),
										 (double) (h % 30), h % 5 == 0);
			source = rvd_row_model_predict(&m, h % 31, x, 3,
										   (double) (h % 30), 3, &rows);
			if (source == RVD_ROW_UNKNOWN)
				assert_true(rows == -1);
			else
				assert_true(isfinite(rows) && rows > 0);
			assert_true(m.n <= RVD_ROW_OBS);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_known_says_nothing),
		cmocka_unit_test(seen_before_is_answered_exactly),
		cmocka_unit_test(last_count_replaces_the_one_before),
		cmocka_unit_test(bound_only_raises),
		cmocka_unit_test(neighbours_correct_a_base_relation),
		cmocka_unit_test(small_or_doubtful_corrections_are_left_alone),
		cmocka_unit_test(joins_need_agreeing_neighbours),
		cmocka_unit_test(full_model_forgets_the_oldest),
		cmocka_unit_test(senseless_counts_are_refused),
		cmocka_unit_test(lookups_keep_fractions),
		cmocka_unit_test(predictions_are_always_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
