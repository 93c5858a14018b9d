/*-------------------------------------------------------------------------
 *
 * test_on_vectors.c
 *	  Attention kernels on plain vectors against their formulas, written down
 *	  naively in long double, and against what they must do at extremes.
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

#include "ruvector_dag/attention.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/on_vectors.h"

#define N_CASES		1500
#define MAX_N		12
#define MAX_D		9
#define MAX_M		5

typedef long double real;

static uint64_t seed = 3;

static int
below(int n)
{
	return (int) (rvd_hash_mix(++seed) % (uint64_t) n);
}

static double
uniform(void)
{
	return (double) (rvd_hash_mix(++seed) >> 11) * 0x1p-53;
}

typedef struct Case
{
	RvdOnVectors in;
	float		query[MAX_D];
	float		ancestors[MAX_N * MAX_D];
	float		parallel[MAX_M * MAX_D];
	int			m;
	int32_t		depth[MAX_N];
	bool		flag[MAX_N];
	float		criticality[MAX_N];
	double		time_ms[MAX_N];
	double		weight[MAX_N];
	double		work[MAX_N + MAX_M];
} Case;

static void
random_case(Case *c, double spread)
{
	c->in.d = 1 + below(MAX_D);
	c->in.n = 1 + below(MAX_N);
	c->in.query = c->query;
	c->in.ancestors = c->ancestors;
	c->m = 1 + below(MAX_M);
	for (int i = 0; i < MAX_D; i++)
		c->query[i] = (float) (spread * (2 * uniform() - 1));
	for (int i = 0; i < MAX_N * MAX_D; i++)
		c->ancestors[i] = (float) (spread * (2 * uniform() - 1));
	for (int i = 0; i < MAX_M * MAX_D; i++)
		c->parallel[i] = (float) (spread * (2 * uniform() - 1));
	for (int i = 0; i < MAX_N; i++)
	{
		c->depth[i] = below(6);
		c->flag[i] = below(2);
		c->criticality[i] = (float) uniform();
		c->time_ms[i] = 1e12 + below(200);
	}
	c->depth[0] = 0;
}

/* ---- formulas ---------------------------------------------------------- */

static real
similarity(const Case *c, const float *x, int i)
{
	real		sum = 0;

	for (int k = 0; k < c->in.d; k++)
		sum += (real) x[k] * c->ancestors[i * c->in.d + k];
	return sum / sqrtl(c->in.d);
}

static void
normalize(real *w, int n)
{
	real		sum = 0;

	for (int i = 0; i < n; i++)
		sum += w[i];
	for (int i = 0; i < n; i++)
		w[i] /= sum;
}

static void
check(const Case *c, RvdStatus status, real *expected)
{
	double		sum = 0;

	assert_int_equal(status, RVD_OK);
	normalize(expected, c->in.n);
	for (int i = 0; i < c->in.n; i++)
	{
		assert_true(fabsl(c->weight[i] - expected[i]) < 1e-12);
		sum += c->weight[i];
	}
	assert_true(fabs(sum - 1) < 1e-12);
}

static void
topological_is_its_formula(void **state)
{
	for (int t = 0; t < N_CASES; t++)
	{
		Case		c;
		real		w[MAX_N];
		double		decay = uniform();
		double		temperature = 0.2 + uniform();

		random_case(&c, 3);
		for (int i = 0; i < c.in.n; i++)
			w[i] = expl((similarity(&c, c.query, i) - decay * i) /
						temperature);
		check(&c, rvd_on_topological(&c.in, decay, temperature, c.weight), w);
	}
}

static void
causal_cone_is_its_formula(void **state)
{
	for (int t = 0; t < N_CASES; t++)
	{
		Case		c;
		real		w[MAX_N];
		double		decay = uniform();
		int			deepest = below(6);
		bool		positions = below(3) == 0;

		random_case(&c, 3);
		for (int i = 0; i < c.in.n; i++)
		{
			int			depth = positions ? i : c.depth[i];

			w[i] = depth > deepest ? 0 :
				expl(similarity(&c, c.query, i)) * powl(expl(-decay), depth);
		}
		check(&c, rvd_on_causal_cone(&c.in, positions ? NULL : c.depth, decay,
									 deepest, c.weight), w);
	}
}

static void
critical_path_is_its_formula(void **state)
{
	for (int t = 0; t < N_CASES; t++)
	{
		Case		c;
		real		w[MAX_N];
		double		boost = 0.1 + 3 * uniform();

		random_case(&c, 3);
		for (int i = 0; i < c.in.n; i++)
			w[i] = expl(similarity(&c, c.query, i)) * (c.flag[i] ? boost : 1);
		check(&c, rvd_on_critical_path(&c.in, c.flag, boost, c.weight), w);
	}
}

static void
mincut_gated_is_its_formula(void **state)
{
	for (int t = 0; t < N_CASES; t++)
	{
		Case		c;
		real		w[MAX_N];
		float		threshold = (float) uniform();

		random_case(&c, 3);
		c.criticality[0] = threshold;	/* saturated: not gated */
		for (int i = 0; i < c.in.n; i++)
			w[i] = expl(similarity(&c, c.query, i)) *
				(c.criticality[i] < threshold ? 0.5L : 1);
		check(&c, rvd_on_mincut_gated(&c.in, c.criticality, threshold,
									  c.weight), w);
	}
}

static void
temporal_btsp_is_its_formula(void **state)
{
	for (int t = 0; t < N_CASES; t++)
	{
		Case		c;
		real		w[MAX_N];
		double		window = 1 + below(100);
		double		boost = 0.5 + 2 * uniform();
		double		now = 0;

		random_case(&c, 3);
		for (int i = 0; i < c.in.n; i++)
			now = fmax(now, c.time_ms[i]);
		for (int i = 0; i < c.in.n; i++)
		{
			double		age = now - c.time_ms[i];

			w[i] = expl(similarity(&c, c.query, i)) * expl(-age / window) *
				(age <= window ? boost : 1);
		}
		check(&c, rvd_on_temporal_btsp(&c.in, c.time_ms, window, boost,
									   c.weight), w);
	}
}

static void
parallel_branch_is_its_formula(void **state)
{
	for (int t = 0; t < N_CASES; t++)
	{
		Case		c;
		real		w[MAX_N];
		real		own[MAX_N];
		real		beta[MAX_M];
		double		cross = 2 * uniform();
		double		boost = 0.5 + 2 * uniform();

		random_case(&c, 2);
		for (int i = 0; i < c.in.n; i++)
			own[i] = expl(similarity(&c, c.query, i)) *
				(c.flag[i] ? boost : 1);
		normalize(own, c.in.n);
		for (int j = 0; j < c.m; j++)
		{
			real		sum = 0;

			for (int k = 0; k < c.in.d; k++)
				sum += (real) c.query[k] * c.parallel[j * c.in.d + k];
			beta[j] = expl(sum / sqrtl(c.in.d));
		}
		normalize(beta, c.m);
		memcpy(w, own, sizeof(w));
		for (int j = 0; j < c.m; j++)
		{
			real		passed[MAX_N];

			for (int i = 0; i < c.in.n; i++)
				passed[i] = expl(similarity(&c, c.parallel + j * c.in.d, i)) *
					(c.flag[i] ? boost : 1);
			normalize(passed, c.in.n);
			for (int i = 0; i < c.in.n; i++)
				w[i] += cross * beta[j] * passed[i];
		}
		check(&c, rvd_on_parallel_branch(&c.in, c.parallel, c.m, c.flag, cross,
										 boost, c.work, c.weight), w);
	}
}

/* ---- hyperbolic distance ----------------------------------------------- */

/* By the hyperboloid itself: arcosh of minus the Lorentz product. */
static real
distance_by_definition(const float *x, const float *y, double sy, int d,
					   real curvature)
{
	real		root = sqrtl(-curvature);
	real		nx = 0;
	real		ny = 0;
	real		product;

	for (int k = 0; k < d; k++)
	{
		nx += (real) x[k] * x[k];
		ny += (real) y[k] * y[k] * sy * sy;
	}
	nx = sqrtl(nx) * root;
	ny = sqrtl(ny) * root;
	product = -coshl(nx) * coshl(ny);
	for (int k = 0; k < d; k++)
		product += sinhl(nx) * x[k] * root / nx *
			(sinhl(ny) * y[k] * sy * root / ny);
	return acoshl(fmaxl(-product, 1)) / root;
}

static void
lorentz_is_its_formula(void **state)
{
	for (int t = 0; t < N_CASES; t++)
	{
		Case		c;
		real		w[MAX_N];
		double		curvature = -0.1 - 2 * uniform();
		double		temperature = 0.3 + uniform();

		random_case(&c, 0.8);
		for (int i = 0; i < c.in.n; i++)
		{
			const float *a = c.ancestors + i * c.in.d;
			double		exact = rvd_on_distance(c.query, a, 1 + c.depth[i],
												c.in.d, curvature);
			real		naive = distance_by_definition(c.query, a,
													   1 + c.depth[i],
													   c.in.d, curvature);

			/* the definition cancels where points are near */
			assert_true(fabsl(exact - naive) < 1e-7);
			w[i] = expl(-(real) exact / temperature);
		}
		check(&c, rvd_on_lorentz(&c.in, c.depth, curvature, temperature,
								 c.weight), w);
	}
}

static void
distance_is_a_metric(void **state)
{
	for (int t = 0; t < N_CASES; t++)
	{
		Case		c;
		double		curvature = -exp(4 * uniform() - 2);
		double		scale = exp(6 * uniform() - 3);
		float	   *x = c.query;
		float	   *y = c.ancestors;
		float	   *z = c.parallel;
		double		xy;
		double		yz;
		double		xz;

		random_case(&c, scale);
		xy = rvd_on_distance(x, y, 1, c.in.d, curvature);
		yz = rvd_on_distance(y, z, 1, c.in.d, curvature);
		xz = rvd_on_distance(x, z, 1, c.in.d, curvature);
		assert_true(xy >= 0 && isfinite(xy));
		assert_true(xz <= (xy + yz) * (1 + 1e-12));
		assert_true(fabs(xy - rvd_on_distance(y, x, 1, c.in.d, curvature)) <=
					1e-12 * xy);
		assert_true(rvd_on_distance(x, x, 1, c.in.d, curvature) == 0);
	}
}

/* Along a ray from the origin distance is the difference of radii. */
static void
distance_along_a_ray_and_far_out(void **state)
{
	float		x[] = {3, 4};
	float		zero[] = {0, 0};
	float		huge[] = {3e38f, 3e38f};
	float		tiny[] = {1e-45f, 0};
	float		across[] = {-4, 3};

	assert_true(fabs(rvd_on_distance(x, x, 3, 2, -1) - 10) < 1e-12);
	assert_true(fabs(rvd_on_distance(x, x, 3, 2, -4) - 10) < 1e-12);
	assert_true(fabs(rvd_on_distance(zero, x, 7, 2, -1) - 35) < 1e-12);
	assert_true(fabs(rvd_on_distance(x, zero, 7, 2, -1) - 5) < 1e-12);
	assert_true(fabs(rvd_on_distance(x, x, 1e6, 2, -1) - (5e6 - 5)) < 1e-6);
	/* at a right angle, far out: r1 + r2 - ln 2 */
	assert_true(fabs(rvd_on_distance(x, across, 100, 2, -1) -
					 (505 - log(2))) < 1e-4);
	/* nearly flat: Euclidean */
	assert_true(fabs(rvd_on_distance(x, across, 1, 2, -1e-12) -
					 5 * sqrt(2)) < 1e-6);
	assert_true(isfinite(rvd_on_distance(huge, x, 1e9, 2, -1e38)));
	assert_true(isfinite(rvd_on_distance(tiny, x, 1, 2, -1e-45)));
	assert_true(rvd_on_distance(tiny, zero, 1, 2, -1) > 0);
}

/* ---- ensemble ---------------------------------------------------------- */

static void
ensemble_is_a_mixture(void **state)
{
	static const float half[MAX_N] = {0};
	static const bool no[MAX_N] = {false};
	static const double at_once[MAX_N] = {0};

	for (int t = 0; t < N_CASES; t++)
	{
		Case		c;
		real		w[MAX_N] = {0};
		int			kind[9];
		double		mix[9];
		double		scale = exp(600 * (2 * uniform() - 1));
		bool		equal = below(3) == 0;
		int			k = 1 + below(9);

		random_case(&c, 2);
		for (int j = 0; j < k; j++)
		{
			RvdStatus	status = RVD_ERR_STATE;

			kind[j] = below(RVD_NUM_KERNELS);
			mix[j] = below(4) == 0 && j > 0 ? 0 : uniform() + 1e-3;
			switch (kind[j])
			{
				case RVD_ATTENTION_TOPOLOGICAL:
					status = rvd_on_topological(&c.in, 0.1, 1, c.weight);
					break;
				case RVD_ATTENTION_CAUSAL_CONE:
					status = rvd_on_causal_cone(&c.in, NULL, 0.1, 10,
												c.weight);
					break;
				case RVD_ATTENTION_CRITICAL_PATH:
					status = rvd_on_critical_path(&c.in, no, 1.5, c.weight);
					break;
				case RVD_ATTENTION_MINCUT_GATED:
					status = rvd_on_mincut_gated(&c.in, half, 0.5, c.weight);
					break;
				case RVD_ATTENTION_LORENTZ:
					status = rvd_on_lorentz(&c.in, NULL, -1, 1, c.weight);
					break;
				case RVD_ATTENTION_PARALLEL_BRANCH:
					status = rvd_on_parallel_branch(&c.in, c.parallel, 1, no,
													0, 2, c.work, c.weight);
					break;
				case RVD_ATTENTION_TEMPORAL_BTSP:
					status = rvd_on_temporal_btsp(&c.in, at_once, 50, 1.5,
												  c.weight);
					break;
			}
			assert_int_equal(status, RVD_OK);
			for (int i = 0; i < c.in.n; i++)
				w[i] += (equal ? 1 : mix[j]) * c.weight[i];
			mix[j] *= scale;
		}
		check(&c, rvd_on_ensemble(&c.in, kind, equal ? NULL : mix, k, c.work,
								  c.weight), w);
	}
}

/* ---- extremes ---------------------------------------------------------- */

static void
all_kernels(Case *c, RvdStatus status[8], double sums[8])
{
	static const int kinds[] = {0, 1, 2, 3, 4, 5, 6};

	for (int k = 0; k < 8; k++)
	{
		for (int i = 0; i < MAX_N; i++)
			c->weight[i] = NAN;
		switch (k)
		{
			case 0:
				status[k] = rvd_on_topological(&c->in, 0.1, 1, c->weight);
				break;
			case 1:
				status[k] = rvd_on_causal_cone(&c->in, c->depth, 0.1, 10,
											   c->weight);
				break;
			case 2:
				status[k] = rvd_on_critical_path(&c->in, c->flag, 1.5,
												 c->weight);
				break;
			case 3:
				status[k] = rvd_on_mincut_gated(&c->in, c->criticality, 0.5,
												c->weight);
				break;
			case 4:
				status[k] = rvd_on_lorentz(&c->in, c->depth, -1, 1, c->weight);
				break;
			case 5:
				status[k] = rvd_on_parallel_branch(&c->in, c->parallel, c->m,
												   c->flag, 0.5, 2, c->work,
												   c->weight);
				break;
			case 6:
				status[k] = rvd_on_temporal_btsp(&c->in, c->time_ms, 50, 1.5,
												 c->weight);
				break;
			case 7:
				status[k] = rvd_on_ensemble(&c->in, kinds, NULL, 7, c->work,
											c->weight);
				break;
		}
		sums[k] = 0;
		for (int i = 0; i < c->in.n; i++)
			sums[k] += c->weight[i] >= 0 ? c->weight[i] : NAN;
	}
}

/* T1.1: zeroes, denormals, huge and equal numbers, one ancestor. */
static void
any_finite_numbers_give_a_distribution(void **state)
{
	static const float odd[] = {0, -0.0f, 1e-45f, 3.4e38f, -3.4e38f, 1};
	RvdStatus	status[8];
	double		sums[8];

	for (int t = 0; t < N_CASES; t++)
	{
		Case		c;

		random_case(&c, 1);
		for (int i = 0; i < MAX_D; i++)
			if (below(2))
				c.query[i] = odd[below(6)];
		for (int i = 0; i < MAX_N * MAX_D; i++)
			if (below(2))
				c.ancestors[i] = odd[below(6)];
		for (int i = 0; i < MAX_M * MAX_D; i++)
			if (below(2))
				c.parallel[i] = odd[below(6)];
		for (int i = 0; i < MAX_N; i++)
			if (below(4) == 0)
				c.time_ms[i] = below(2) ? -1.7e308 : 1.7e308;
		all_kernels(&c, status, sums);
		for (int k = 0; k < 8; k++)
		{
			assert_int_equal(status[k], RVD_OK);
			assert_true(fabs(sums[k] - 1) < 1e-12);
		}
	}
}

static void
one_ancestor_takes_all(void **state)
{
	Case		c;
	RvdStatus	status[8];
	double		sums[8];

	random_case(&c, 1);
	c.in.n = 1;
	all_kernels(&c, status, sums);
	for (int k = 0; k < 8; k++)
		assert_true(fabs(sums[k] - 1) < 1e-15);
}

static void
numbers_that_are_none_are_refused(void **state)
{
	static const float bad[] = {NAN, INFINITY, -INFINITY};
	RvdStatus	status[8];
	double		sums[8];

	for (int t = 0; t < N_CASES; t++)
	{
		Case		c;
		int			where = below(3);

		random_case(&c, 1);
		if (where == 0)
			c.query[below(c.in.d)] = bad[below(3)];
		else if (where == 1)
			c.ancestors[below(c.in.n * c.in.d)] = bad[below(3)];
		else
			c.parallel[below(c.m * c.in.d)] = bad[below(3)];
		all_kernels(&c, status, sums);
		for (int k = 0; k < 8; k++)
			assert_int_equal(status[k], where == 2 && k != 5 ? RVD_OK :
							 RVD_ERR_ARGUMENT);
	}
}

static void
refused(RvdStatus status)
{
	assert_int_equal(status, RVD_ERR_ARGUMENT);
}

static void
arguments_out_of_range_are_refused(void **state)
{
	static const double not_positive[] = {0, -1, NAN, INFINITY};
	static const int ensemble[] = {RVD_ATTENTION_ENSEMBLE};
	static const int kind[] = {0, 2};
	Case		c;

	random_case(&c, 1);
	c.in.n = 3;
	for (int i = 0; i < 4; i++)
	{
		double		bad = not_positive[i];
		double		mix[] = {1, bad};
		double		negative = i == 0 ? -1e-9 : bad;

		refused(rvd_on_topological(&c.in, negative, 1, c.weight));
		refused(rvd_on_topological(&c.in, 0.1, bad, c.weight));
		refused(rvd_on_causal_cone(&c.in, c.depth, negative, 10, c.weight));
		refused(rvd_on_critical_path(&c.in, c.flag, bad, c.weight));
		refused(rvd_on_mincut_gated(&c.in, c.criticality, negative, c.weight));
		refused(rvd_on_lorentz(&c.in, c.depth, i == 1 ? 1 : bad == INFINITY ?
							   -bad : bad, 1, c.weight));
		refused(rvd_on_lorentz(&c.in, c.depth, -1, bad, c.weight));
		refused(rvd_on_parallel_branch(&c.in, c.parallel, 1, c.flag, negative,
									   2, c.work, c.weight));
		refused(rvd_on_parallel_branch(&c.in, c.parallel, 1, c.flag, 1, bad,
									   c.work, c.weight));
		refused(rvd_on_temporal_btsp(&c.in, c.time_ms, bad, 1, c.weight));
		refused(rvd_on_temporal_btsp(&c.in, c.time_ms, 1, bad, c.weight));
		if (i > 0)
			refused(rvd_on_ensemble(&c.in, kind, mix, 2, c.work, c.weight));
		mix[0] = 0;
		refused(rvd_on_ensemble(&c.in, kind, mix, 2, c.work, c.weight));
	}
	refused(rvd_on_mincut_gated(&c.in, c.criticality, 1.01, c.weight));
	refused(rvd_on_causal_cone(&c.in, c.depth, 0.1, -1, c.weight));
	refused(rvd_on_parallel_branch(&c.in, c.parallel, 0, c.flag, 1, 2, c.work,
								   c.weight));
	refused(rvd_on_ensemble(&c.in, kind, NULL, 0, c.work, c.weight));
	refused(rvd_on_ensemble(&c.in, ensemble, NULL, 1, c.work, c.weight));
	c.criticality[1] = 1.5f;
	refused(rvd_on_mincut_gated(&c.in, c.criticality, 0.5, c.weight));
	c.time_ms[2] = NAN;
	refused(rvd_on_temporal_btsp(&c.in, c.time_ms, 1, 1, c.weight));
	c.depth[1] = -1;
	refused(rvd_on_causal_cone(&c.in, c.depth, 0.1, 10, c.weight));
	refused(rvd_on_lorentz(&c.in, c.depth, -1, 1, c.weight));
	c.in.n = 0;
	refused(rvd_on_topological(&c.in, 0.1, 1, c.weight));
	c.in.n = 3;
	c.in.d = 0;
	refused(rvd_on_topological(&c.in, 0.1, 1, c.weight));
}

static void
nothing_within_reach_is_no_answer(void **state)
{
	Case		c;

	random_case(&c, 1);
	for (int i = 0; i < MAX_N; i++)
		c.depth[i] = 5 + i;
	assert_int_equal(rvd_on_causal_cone(&c.in, c.depth, 0.1, 4, c.weight),
					 RVD_ERR_EMPTY);
}

/* T1.4: the highest score takes all, or all are alike. */
static void
temperature_goes_from_winner_to_uniform(void **state)
{
	for (int t = 0; t < N_CASES; t++)
	{
		Case		c;
		int			best = 0;

		random_case(&c, 1);
		for (int i = 0; i < c.in.n; i++)
			if (similarity(&c, c.query, i) > similarity(&c, c.query, best))
				best = i;
		/* the smallest there is: scores must not overflow */
		assert_int_equal(rvd_on_topological(&c.in, 0, 5e-324, c.weight),
						 RVD_OK);
		assert_true(c.weight[best] > 1 - 1e-12);
		assert_int_equal(rvd_on_lorentz(&c.in, c.depth, -1, 5e-324, c.weight),
						 RVD_OK);
		assert_int_equal(rvd_on_topological(&c.in, 0, 1e300, c.weight),
						 RVD_OK);
		for (int i = 0; i < c.in.n; i++)
			assert_true(fabs(c.weight[i] - 1.0 / c.in.n) < 1e-12);
		assert_int_equal(rvd_on_lorentz(&c.in, c.depth, -1, 1e300, c.weight),
						 RVD_OK);
		for (int i = 0; i < c.in.n; i++)
			assert_true(fabs(c.weight[i] - 1.0 / c.in.n) < 1e-12);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topological_is_its_formula),
		cmocka_unit_test(causal_cone_is_its_formula),
		cmocka_unit_test(critical_path_is_its_formula),
		cmocka_unit_test(mincut_gated_is_its_formula),
		cmocka_unit_test(temporal_btsp_is_its_formula),
		cmocka_unit_test(parallel_branch_is_its_formula),
		cmocka_unit_test(lorentz_is_its_formula),
		cmocka_unit_test(distance_is_a_metric),
		cmocka_unit_test(distance_along_a_ray_and_far_out),
		cmocka_unit_test(ensemble_is_a_mixture),
		cmocka_unit_test(any_finite_numbers_give_a_distribution),
		cmocka_unit_test(one_ancestor_takes_all),
		cmocka_unit_test(numbers_that_are_none_are_refused),
		cmocka_unit_test(arguments_out_of_range_are_refused),
		cmocka_unit_test(nothing_within_reach_is_no_answer),
		cmocka_unit_test(temperature_goes_from_winner_to_uniform),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
