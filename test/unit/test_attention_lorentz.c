/*-------------------------------------------------------------------------
 *
 * test_attention_lorentz.c
 *	  Hyperbolic geometry of the Lorentz kernel: distances against 50-digit
 *	  arithmetic (T1.17), points on the manifold and the triangle inequality
 *	  (T1.13), two formulas for the centroid (T1.14), its minimality
 *	  (T1.15), boosts (T1.16), and what placing a plan promises.
 *
 *-------------------------------------------------------------------------
 */
#include "attention_cases.h"

#include "../../src/attention/hyperboloid.h"

#define DIM		32				/* RVD_LORENTZ_DIM */
#define POINTS	12

typedef struct Cloud
{
	int32_t		n;
	double		r[POINTS];
	double		u[POINTS * DIM];
	double		weight[POINTS];
} Cloud;

static int
setup(void **state)
{
	rvd_rng_init(&test_rng, RVD_RNG_TEST, 15);
	return 0;
}

static void
random_direction(double *u)
{
	double		norm = 0;

	for (int j = 0; j < DIM; j++)
	{
		u[j] = rvd_rng_normal(&test_rng);
		norm += u[j] * u[j];
	}
	for (int j = 0; j < DIM; j++)
		u[j] /= sqrt(norm);
}

static void
random_cloud(Cloud *cloud, double largest)
{
	cloud->n = 1 + below(POINTS);
	for (int32_t v = 0; v < cloud->n; v++)
	{
		cloud->r[v] = largest * uniform();
		random_direction(cloud->u + v * DIM);
		cloud->weight[v] = uniform();
	}
}

/* x[DIM + 1] of polar coordinates, and back. */
static void
to_lorentz(double r, const double *u, double *x)
{
	x[0] = cosh(r);
	for (int j = 0; j < DIM; j++)
		x[j + 1] = sinh(r) * u[j];
}

static double
to_polar(const double *x, double *u)
{
	double		length = 0;

	for (int j = 1; j <= DIM; j++)
		length += x[j] * x[j];
	length = sqrt(length);
	for (int j = 0; j < DIM; j++)
		u[j] = x[j + 1] / length;
	return asinh(length);
}

static double
product(const double *x, const double *y)
{
	double		sum = -x[0] * y[0];

	for (int j = 1; j <= DIM; j++)
		sum += x[j] * y[j];
	return sum;
}

static double
distance(const Cloud *cloud, int32_t a, int32_t b)
{
	return rvd_hyperboloid_distance(cloud->r[a], cloud->r[b],
									rvd_hyperboloid_chord2(cloud->u + a * DIM,
														   cloud->u + b * DIM,
														   DIM));
}

/* T1.17: r1, r2, |u1 - u2|^2, arcosh of the Lorentz product in 50 digits */
static const double exact[][4] = {
	{0.0, 0.0, 0.0, 0.0},
	{0.0, 3.0, 2.0, 3.0},
	{1.0, 1.0, 0.0, 0.0},
	{0.0001, 0.0001, 1e-08, 1.0000000016666667217e-8},
	{4.0, 4.0, 1e-10, 0.00027289917112444914119},
	{15.0, 15.0, 4.0, 30.0},
	{15.0, 0.0, 1.0, 15.0},
	{15.0, 15.0, 1e-13, 0.51128964298281948077},
	{7.5, 7.5000001, 0.0, 1.0000000028043132261e-7},
	{1e-09, 2e-09, 4.0, 3.0000000000000001868e-9},
	{15.0, 14.9999999, 1e-12, 1.4921699479698900023},
	{4.857491, 2.262738, 0.0002589844374441, 2.6006818878188586395},
	{1.086544, 8.03823, 9.77973291e-08, 6.9516861903472696641},
	{0.869984, 7.611536, 1.12722e-11, 6.7415520000132369501},
	{6.504685, 1.047831, 4.90474e-11, 5.4568540000874387788},
	{6.367788, 12.402782, 1.223724e-10, 6.0350043899347473672},
	{3.348584, 9.411498, 0.9431207516418931, 11.319219717395311382},
	{8.656544, 5.950207, 2.075492930550647, 13.950661643107592612},
	{0.69874, 12.877027, 1.19500969e-08, 12.17828700909699246},
	{2.163826, 1.766884, 2.01299122e-08, 0.39694230138857661855},
	{12.241895, 2.710896, 3.81295741845e-05, 9.5331441956663620427},
	{9.583702, 5.585963, 1.49621353747e-05, 4.233633869773931051},
	{0.941835, 0.894018, 1.1845804e-09, 0.047817013705725601939},
	{10.206, 6.413885, 2.35410612e-08, 3.7943054796947389631},
};

static void
distances_agree_with_50_digits(void **state)
{
	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
	{
		double		d = rvd_hyperboloid_distance(exact[i][0], exact[i][1],
												 exact[i][2]);

		assert_true(fabs(d - exact[i][3]) <= 4e-15 * exact[i][3]);
	}
}

static void
distances_agree_with_the_lorentz_product(void **state)
{
	for (int c = 0; c < 1000; c++)
	{
		Cloud		cloud;
		double		x[DIM + 1];
		double		y[DIM + 1];
		int32_t		a;
		int32_t		b;

		random_cloud(&cloud, 3);
		a = below(cloud.n);
		b = below(cloud.n);
		to_lorentz(cloud.r[a], cloud.u + a * DIM, x);
		to_lorentz(cloud.r[b], cloud.u + b * DIM, y);
		assert_close(distance(&cloud, a, b),
					 acosh(fmax(1, -product(x, y))), 1e-6);
	}
}

static void
distance_is_a_metric(void **state)
{
	for (int c = 0; c < 1000; c++)
	{
		Cloud		cloud;
		int32_t		i;
		int32_t		j;
		int32_t		k;

		random_cloud(&cloud, c % 2 ? 15 : 1e-3);
		i = below(cloud.n);
		j = below(cloud.n);
		k = below(cloud.n);
		assert_true(distance(&cloud, i, i) == 0);
		assert_true(distance(&cloud, i, j) == distance(&cloud, j, i));
		assert_true(distance(&cloud, i, k) <= distance(&cloud, i, j) +
					distance(&cloud, j, k) + 1e-12);
		assert_true(i == j || distance(&cloud, i, j) > 0);
	}
}

/* T1.14: the Einstein midpoint of the Klein model is the same point. */
static void
centroid_is_the_klein_midpoint(void **state)
{
	for (int c = 0; c < 1000; c++)
	{
		Cloud		cloud;
		double		klein[DIM] = {0};
		double		weights = 0;
		double		length = 0;
		double		u_mu[DIM];
		double		r_mu;

		random_cloud(&cloud, 4);
		r_mu = rvd_hyperboloid_centroid(cloud.n, DIM, cloud.r, cloud.u,
										cloud.weight, u_mu);
		for (int32_t v = 0; v < cloud.n; v++)
		{
			double		lorentz_factor = cosh(cloud.r[v]);

			weights += cloud.weight[v] * lorentz_factor;
			for (int j = 0; j < DIM; j++)
				klein[j] += cloud.weight[v] * lorentz_factor *
					tanh(cloud.r[v]) * cloud.u[v * DIM + j];
		}
		for (int j = 0; j < DIM; j++)
		{
			klein[j] /= weights;
			length += klein[j] * klein[j];
			assert_close(klein[j], tanh(r_mu) * u_mu[j], 1e-12);
		}
		assert_close(atanh(sqrt(length)), r_mu, 1e-9);
	}
}

/* sum of weights times -2 - 2 <x, mu> = 2 (cosh d - 1) */
static double
cost(const Cloud *cloud, double r_mu, const double *u_mu)
{
	double		sum = 0;

	for (int32_t v = 0; v < cloud->n; v++)
	{
		double		chord2 = rvd_hyperboloid_chord2(cloud->u + v * DIM, u_mu,
													DIM);
		double		half = sinh(rvd_hyperboloid_distance(cloud->r[v], r_mu,
														 chord2) / 2);

		sum += cloud->weight[v] * 4 * half * half;
	}
	return sum;
}

/* T1.15 */
static void
no_point_nearby_is_a_better_centroid(void **state)
{
	for (int c = 0; c < 500; c++)
	{
		Cloud		cloud;
		double		mu[DIM + 1];
		double		u_mu[DIM];
		double		r_mu;
		double		best;

		random_cloud(&cloud, 5);
		r_mu = rvd_hyperboloid_centroid(cloud.n, DIM, cloud.r, cloud.u,
										cloud.weight, u_mu);
		best = cost(&cloud, r_mu, u_mu);
		to_lorentz(r_mu, u_mu, mu);
		for (int j = 1; j <= DIM; j++)
			mu[j] += 0.1 * (uniform() - 0.5);
		r_mu = to_polar(mu, u_mu);
		assert_true(cost(&cloud, r_mu, u_mu) >= best * (1 - 1e-12));
	}
}

/* Of one far point the centroid is the point itself, to full precision. */
static void
centroid_of_one_point_is_that_point(void **state)
{
	for (int c = 0; c < 200; c++)
	{
		double		r = 15 * uniform();
		double		weight = 1e-3 + uniform();
		double		u[DIM];
		double		u_mu[DIM];

		random_direction(u);
		assert_close(rvd_hyperboloid_centroid(1, DIM, &r, u, &weight,
											  u_mu), r, 1e-12 * (1 + r));
		assert_true(rvd_hyperboloid_chord2(u, u_mu, DIM) < 1e-28);
	}
}

static void
centroid_of_the_centre_is_the_centre(void **state)
{
	double		r[2] = {0, 0};
	double		weight[2] = {1, 1};
	double		u[2 * DIM];
	double		u_mu[DIM];

	random_direction(u);
	for (int j = 0; j < DIM; j++)
		u[DIM + j] = -u[j];
	assert_true(rvd_hyperboloid_centroid(2, DIM, r, u, weight, u_mu) == 0);
	/* two opposite points balance as well */
	r[0] = r[1] = 2;
	assert_true(rvd_hyperboloid_centroid(2, DIM, r, u, weight, u_mu) < 1e-12);
}

/* Boost along a direction by rapidity t. */
static void
boost(double *x, const double *along, double t)
{
	double		part = 0;
	double		time = x[0];

	for (int j = 0; j < DIM; j++)
		part += x[j + 1] * along[j];
	x[0] = cosh(t) * time + sinh(t) * part;
	for (int j = 0; j < DIM; j++)
		x[j + 1] += (sinh(t) * time + (cosh(t) - 1) * part) * along[j];
}

static double
distance_from(const Cloud *cloud, int32_t v, double r, const double *u)
{
	return rvd_hyperboloid_distance(r, cloud->r[v],
									rvd_hyperboloid_chord2(u, cloud->u + v * DIM,
														   DIM));
}

/* T1.16: distances to the centroid are what p is made of. */
static void
boosts_do_not_change_distances_to_the_centroid(void **state)
{
	for (int c = 0; c < 500; c++)
	{
		Cloud		cloud;
		Cloud		moved;
		double		along[DIM];
		double		u_mu[DIM];
		double		u_moved[DIM];
		double		t = 4 * uniform() - 2;
		double		r_mu;
		double		r_moved;

		random_cloud(&cloud, 3);
		moved = cloud;
		random_direction(along);
		for (int32_t v = 0; v < cloud.n; v++)
		{
			double		x[DIM + 1];

			to_lorentz(cloud.r[v], cloud.u + v * DIM, x);
			boost(x, along, t);
			assert_close(product(x, x), -1, 1e-5);	/* T1.13 */
			moved.r[v] = to_polar(x, moved.u + v * DIM);
		}
		r_mu = rvd_hyperboloid_centroid(cloud.n, DIM, cloud.r, cloud.u,
										cloud.weight, u_mu);
		r_moved = rvd_hyperboloid_centroid(cloud.n, DIM, moved.r, moved.u,
										   cloud.weight, u_moved);
		for (int32_t v = 0; v < cloud.n; v++)
			assert_close(distance_from(&cloud, v, r_mu, u_mu),
						 distance_from(&moved, v, r_moved, u_moved), 1e-6);
	}
}

/* ---- placing a plan ---------------------------------------------------------- */

typedef struct Placed
{
	double	   *r;
	double	   *u;
} Placed;

static Placed
place(const Plan *plan)
{
	size_t		n = (size_t) plan->n;
	int32_t    *above = malloc(n * sizeof(int32_t));
	uint64_t   *path = malloc(n * sizeof(uint64_t));
	Placed		placed = {
		malloc(n * sizeof(double)), malloc(n * DIM * sizeof(double))
	};

	rvd_hyperboloid_place(&plan->dag, placed.r, placed.u, above, path);
	free(above);
	free(path);
	return placed;
}

static double
placed_distance(const Placed *placed, int32_t a, int32_t b)
{
	return rvd_hyperboloid_distance(placed->r[a], placed->r[b],
									rvd_hyperboloid_chord2(placed->u + a * DIM,
														   placed->u + b * DIM,
														   DIM));
}

static void
placed_free(Placed *placed)
{
	free(placed->r);
	free(placed->u);
}

/* T1.13 of what the kernel uses: unit directions, radius by depth. */
static void
operators_lie_on_the_hyperboloid(void **state)
{
	for (int c = 0; c < 300; c++)
	{
		Plan		plan;
		Placed		placed;

		plan_create(&plan, (PlanShape) below(N_SHAPES), 1 + below(60));
		placed = place(&plan);
		for (int32_t v = 0; v < plan.n; v++)
		{
			double		zero[DIM] = {0};

			assert_close(rvd_hyperboloid_chord2(placed.u + v * DIM, zero,
												DIM), 1, 1e-12);
			assert_true(placed.r[v] <= 15 + 1e-9);
			assert_true((placed.r[v] == 0) == (v == plan.dag.root));
		}
		placed_free(&placed);
		plan_free(&plan);
	}
}

/* Deep plans are drawn together, but siblings never fall on each other. */
static void
siblings_stay_apart_at_any_depth(void **state)
{
	static const int32_t sizes[] = {30, 300, 3000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		Plan		plan;
		Placed		placed;

		plan_create(&plan, SHAPE_LEFT_DEEP, sizes[i]);
		placed = place(&plan);
		for (int32_t v = 0; v < plan.n; v++)
		{
			int32_t		first = plan.dag.child_start[v];

			if (plan.dag.child_start[v + 1] - first == 2)
				assert_true(placed_distance(&placed, plan.dag.child[first],
											plan.dag.child[first + 1]) >
							(sizes[i] == 30 ? 0.5 : 1e-3));
		}
		placed_free(&placed);
		plan_free(&plan);
	}
}

#define BINARY_NODES	127

/* Distances follow those in the tree: correlation over a binary tree. */
static void
distances_follow_the_tree(void **state)
{
	Plan		plan;
	Placed		placed;
	double		sum[5] = {0};
	int			pairs = 0;
	double		correlation;

	plan_allocate(&plan, BINARY_NODES, BINARY_NODES);
	for (int32_t v = 0; v < BINARY_NODES; v++)
	{
		plan.nodes[v].op = (uint16_t) (1 + below(30));
		if (v > 0)
			plan.edges[plan.n_edges++] = (PlanEdge)
		{
			v, (v - 1) / 2, RVD_EDGE_OUTER
		};
	}
	plan_build(&plan);
	placed = place(&plan);
	for (int32_t a = 0; a < BINARY_NODES; a++)
		for (int32_t b = a + 1; b < BINARY_NODES; b++)
		{
			int32_t		i = a;
			int32_t		j = b;
			double		tree = 0;
			double		d = placed_distance(&placed, a, b);

			for (; i != j; tree++)
			{
				if (i > j)
					i = (i - 1) / 2;
				else
					j = (j - 1) / 2;
			}
			sum[0] += tree;
			sum[1] += d;
			sum[2] += tree * tree;
			sum[3] += d * d;
			sum[4] += tree * d;
			pairs++;
		}
	correlation = (sum[4] - sum[0] * sum[1] / pairs) /
		sqrt((sum[2] - sum[0] * sum[0] / pairs) *
			 (sum[3] - sum[1] * sum[1] / pairs));
	assert_true(correlation > 0.95);
	placed_free(&placed);
	plan_free(&plan);
}

/* Of two equal subtrees, without the load's own term in the scores. */
static void
a_hot_subtree_attracts(void **state)
{
	Plan		plan;
	Run			run;
	double		p[2] = {0, 0};

	plan_allocate(&plan, 31, 31);
	for (int32_t v = 0; v < plan.n; v++)
	{
		plan.nodes[v].op = (uint16_t) (1 + below(30));
		if (v > 0)
			plan.edges[plan.n_edges++] = (PlanEdge)
		{
			v, (v - 1) / 2, RVD_EDGE_OUTER
		};
	}
	plan_build(&plan);
	plan_fill(&plan);
	plan_connect(&plan);
	plan.in.weights = NULL;
	plan.params.load_weight = 0;
	for (int32_t v = 0; v < plan.n; v++)
		plan.load[v] = 1;
	for (int32_t v = 3; v <= 4; v++)
		plan.load[v] = plan.load[2 * v + 1] = plan.load[2 * v + 2] = 100;
	run_kernel(&run, RVD_ATTENTION_LORENTZ, &plan.in);
	for (int32_t v = 1; v < plan.n; v++)
	{
		int32_t		top = v;

		while (top > 2)
			top = (top - 1) / 2;
		p[top - 1] += run.p[v];
	}
	assert_true(p[0] > 3 * p[1]);
	run_close(&run);
	plan_free(&plan);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distances_agree_with_50_digits),
		cmocka_unit_test(distances_agree_with_the_lorentz_product),
		cmocka_unit_test(distance_is_a_metric),
		cmocka_unit_test(centroid_is_the_klein_midpoint),
		cmocka_unit_test(no_point_nearby_is_a_better_centroid),
		cmocka_unit_test(centroid_of_one_point_is_that_point),
		cmocka_unit_test(centroid_of_the_centre_is_the_centre),
		cmocka_unit_test(boosts_do_not_change_distances_to_the_centroid),
		cmocka_unit_test(operators_lie_on_the_hyperboloid),
		cmocka_unit_test(siblings_stay_apart_at_any_depth),
		cmocka_unit_test(distances_follow_the_tree),
		cmocka_unit_test(a_hot_subtree_attracts),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
