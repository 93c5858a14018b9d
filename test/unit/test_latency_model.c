/*-------------------------------------------------------------------------
 *
 * test_latency_model.c
 *	  The latency model: inputs, answers, instant steps and training cycles,
 *	  against versions in double that know none of its shortcuts.
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

#include "ruvector_dag/latency_model.h"
#include "ruvector_dag/rng.h"
#include "ruvector_dag/vec.h"

#include "../../src/learning/model_parts.h"

#define N_CASES		1000
#define IN			RVD_MODEL_IN
#define ZIN			RVD_MODEL_MICRO_IN
#define OUT			RVD_MODEL_OUT
#define PROTOTYPES	12

/* ln ms of a plan is SLOPE * ln cost + OFFSET plus a correction. */
#define SLOPE		0.9
#define OFFSET		(-5.0)

static RvdRng rng;

/* A workload: where its plans lie, and how each output depends on them. */
typedef struct World
{
	float		prototype[PROTOTYPES][RVD_EMBEDDING_DIM];
	float		truth[OUT][IN];
	double		scatter;
	double		noise;
} World;

static void
normals(float *x, int n, double sd)
{
	for (int i = 0; i < n; i++)
		x[i] = (float) (sd * rvd_rng_normal(&rng));
}

/* A plan of one prototype. */
static void
plan_of(const World *w, int prototype, RvdModelInput *in)
{
	float		e[RVD_EMBEDDING_DIM];
	float		f[RVD_PLAN_FEATURES];
	double		log_cost = 2 + 12 * rvd_rng_uniform(&rng);

	normals(e, RVD_EMBEDDING_DIM, w->scatter / 16);
	rvd_vec_axpy(1, w->prototype[prototype], e, RVD_EMBEDDING_DIM);
	assert_true(rvd_vec_normalize(e, RVD_EMBEDDING_DIM));
	normals(f, RVD_PLAN_FEATURES, 1);
	f[RVD_PF_BIAS] = 1;
	f[RVD_PF_COST] = (float) (log_cost - 8) / 3;
	rvd_model_input(in, e, f, exp(log_cost));
}

static void
any_plan(const World *w, RvdModelInput *in)
{
	plan_of(w, (int) rvd_rng_below(&rng, PROTOTYPES), in);
}

/* Plans whose cost says everything. */
static void
plain_world(World *w, double scatter, double noise)
{
	float		common[RVD_EMBEDDING_DIM];

	memset(w, 0, sizeof(*w));
	w->scatter = scatter;
	w->noise = noise;
	normals(common, RVD_EMBEDDING_DIM, 1.0 / 16);
	for (int p = 0; p < PROTOTYPES; p++)
	{
		normals(w->prototype[p], RVD_EMBEDDING_DIM, 1.0 / 16);
		rvd_vec_axpy(1, common, w->prototype[p], RVD_EMBEDDING_DIM);
		assert_true(rvd_vec_normalize(w->prototype[p], RVD_EMBEDDING_DIM));
	}
}

static void
new_world(World *w, double scatter, double noise)
{
	RvdModelInput in;

	plain_world(w, scatter, noise);
	for (int j = 0; j < OUT; j++)
	{
		double		sum = 0;
		double		square = 0;

		/* a spread of 0.8 ln units, two times or a half */
		normals(w->truth[j], IN, 1);
		for (int i = 0; i < 300; i++)
		{
			double		y;

			any_plan(w, &in);
			y = rvd_vec_dot_exact(w->truth[j], in.x, IN);
			sum += y / 300;
			square += y * y / 300;
		}
		rvd_vec_scale((float) (0.8 / sqrt(square - sum * sum)), w->truth[j],
					  IN);
	}
}

/* What a run of the plan would measure; the other outputs if timed. */
static void
measure(const World *w, RvdModelSample *s, bool timed)
{
	for (int j = 0; j < OUT; j++)
	{
		double		y = rvd_vec_dot_exact(w->truth[j], s->input.x, IN);

		if (j == RVD_OUT_LATENCY)
			y += SLOPE * s->input.log_cost + OFFSET;
		s->target[j] = timed || j == RVD_OUT_LATENCY ?
			(float) (y + w->noise * rvd_rng_normal(&rng)) : NAN;
	}
}

static RvdModelSample *
new_samples(const World *w, int n, int timed_every)
{
	RvdModelSample *s = malloc(sizeof(*s) * (size_t) n);

	for (int i = 0; i < n; i++)
	{
		any_plan(w, &s[i].input);
		measure(w, &s[i], timed_every > 0 && i % timed_every == 0);
	}
	return s;
}

static RvdTrainOptions
defaults(void)
{
	RvdTrainOptions o = {.rate = 0.001, .epochs = 8, .batch = 32, .ewc = true,
	.lambda_min = 2000, .lambda_max = 15000, .fisher_decay = 0.999, .seed = 1};

	return o;
}

static int
by_size(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Median |error| of ln ms over samples; of the line alone if so wanted. */
static double
median_error(const RvdLatencyModel *m, const RvdModelSample *s, int n,
			 bool line_only)
{
	double	   *e = malloc(sizeof(double) * (size_t) n);
	double		median;

	for (int i = 0; i < n; i++)
	{
		RvdPrediction p;
		double		said;
		double		sd;

		rvd_model_predict(m, NULL, &s[i].input, &p);
		said = p.log_ms;
		if (line_only)
			(void) rvd_line_predict(&m->line, s[i].input.log_cost, &said, &sd);
		e[i] = fabs(said - s[i].target[RVD_OUT_LATENCY]);
	}
	qsort(e, (size_t) n, sizeof(*e), by_size);
	median = e[n / 2];
	free(e);
	return median;
}

/* A model with a line and nothing else. */
static void
calibrated(RvdLatencyModel *m, uint64_t seed)
{
	rvd_model_init(m, 8, 2, seed);
	for (int i = 0; i < 100; i++)
		rvd_line_add(&m->line, i * 0.14, SLOPE * i * 0.14 + OFFSET);
	m->samples = 100;
}

/* ---- inputs ------------------------------------------------------------- */

static void
input_is_scaled_embedding_and_features(void **state)
{
	for (int c = 0; c < N_CASES; c++)
	{
		float		e[RVD_EMBEDDING_DIM];
		float		f[RVD_PLAN_FEATURES];
		RvdModelInput in;
		double		cost = exp(10 * rvd_rng_normal(&rng));

		normals(e, RVD_EMBEDDING_DIM, 1);
		normals(f, RVD_PLAN_FEATURES, 1);
		rvd_model_input(&in, e, f, cost);
		assert_true(in.log_cost == log(fmax(cost, 1)));
		for (int i = 0; i < RVD_EMBEDDING_DIM; i++)
			assert_true(in.x[i] == 16 * e[i]);
		for (int i = 0; i < RVD_PLAN_FEATURES; i++)
			assert_true(in.x[RVD_EMBEDDING_DIM + i] == f[i] &&
						in.z[48 + i] == f[i]);
	}
}

/* Squared norms and inner products survive in expectation. */
static void
projection_preserves_geometry(void **state)
{
	float		none[RVD_PLAN_FEATURES] = {0};
	double		norm = 0;
	double		off = 0;
	int			used[48] = {0};

	for (int c = 0; c < N_CASES; c++)
	{
		float		e[2][RVD_EMBEDDING_DIM];
		RvdModelInput in[2];
		double		square;
		double		expected;

		for (int k = 0; k < 2; k++)
		{
			normals(e[k], RVD_EMBEDDING_DIM, 1);
			rvd_vec_normalize(e[k], RVD_EMBEDDING_DIM);
			rvd_model_input(&in[k], e[k], none, 1);
		}
		square = rvd_vec_dot_exact(in[0].z, in[0].z, ZIN) / 48;
		expected = rvd_vec_dot_exact(e[0], e[1], RVD_EMBEDDING_DIM);
		norm += square / N_CASES;
		off += pow(rvd_vec_dot_exact(in[0].z, in[1].z, ZIN) / 48 - expected,
				   2) / N_CASES;
		assert_true(square > 0.4 && square < 2);
	}
	assert_true(fabs(norm - 1) < 0.05);
	assert_true(sqrt(off) < 0.2);

	/* one component at a time: three slots, one in each group */
	for (int i = 0; i < RVD_EMBEDDING_DIM; i++)
	{
		float		e[RVD_EMBEDDING_DIM] = {0};
		RvdModelInput in;
		int			slots[3] = {0};

		e[i] = 1;
		rvd_model_input(&in, e, none, 1);
		for (int k = 0; k < 48; k++)
			if (in.z[k] != 0)
			{
				assert_true(fabs(fabs(in.z[k]) - 4) < 1e-6);
				slots[k / 16]++;
				used[k]++;
			}
		assert_true(slots[0] == 1 && slots[1] == 1 && slots[2] == 1);
	}
	for (int k = 0; k < 48; k++)
		assert_true(used[k] >= 4 && used[k] <= 32);
}

static void
rows_over_z_are_rows_over_x(void **state)
{
	World	   *w = malloc(sizeof(*w));

	plain_world(w, 1, 0);
	for (int c = 0; c < 200; c++)
	{
		RvdMicro	micro;
		RvdModelInput in;
		float		ax[2 * IN];

		rvd_micro_reset(&micro, 2, (uint64_t) c);
		any_plan(w, &in);
		rvd_model_project_rows(&micro, ax);
		for (int k = 0; k < 2; k++)
			assert_true(fabs(rvd_vec_dot_exact(micro.a + k * ZIN, in.z, ZIN) -
							 rvd_vec_dot_exact(ax + k * IN, in.x, IN)) < 1e-4);
	}
	free(w);
}

/* ---- the answer --------------------------------------------------------- */

static void
new_model_knows_nothing(void **state)
{
	RvdLatencyModel m;
	RvdModelInput in = {0};
	RvdPrediction p;

	rvd_model_init(&m, 8, 2, 1);
	in.log_cost = 7;
	in.z[0] = 2;
	rvd_model_predict(&m, NULL, &in, &p);
	assert_false(p.known);
	assert_true(p.log_ms == 7);
	assert_true(fabs(p.sd - sqrt(5)) < 1e-6);
	for (int j = 0; j < OUT; j++)
		assert_true(p.out[j] == 0);
	assert_int_equal(m.version, RVD_MODEL_VERSION);
	assert_int_equal(m.micro.rank, 2);
}

static void
ranks_stay_within_their_room(void **state)
{
	RvdLatencyModel m;

	rvd_model_init(&m, 0, 0, 1);
	assert_true(m.base_rank == 0 && m.micro.rank == 0);
	rvd_model_init(&m, 1, 9, 1);
	assert_true(m.base_rank == 4 && m.micro.rank == 2);
	rvd_model_init(&m, 99, -1, 1);
	assert_true(m.base_rank == RVD_MODEL_BASE_RANK && m.micro.rank == 0);
}

/* All parts at random, added up the long way. */
static void
prediction_is_the_sum_of_its_parts(void **state)
{
	RvdLatencyModel m;
	World	   *w = malloc(sizeof(*w));

	plain_world(w, 1, 0.1);
	for (int c = 0; c < 200; c++)
	{
		RvdMicro	own;
		RvdModelInput in;
		RvdPrediction p;
		double		leverage = 0;

		calibrated(&m, (uint64_t) c);
		m.base_rank = 4 + c % 13;
		rvd_micro_reset(&own, 1 + c % 2, (uint64_t) c);
		normals(m.w, OUT * IN, 0.05);
		normals(m.base_a, m.base_rank * IN, 0.05);
		normals(m.base_b, m.base_rank * OUT, 0.5);
		normals(m.micro.b, OUT * 2, 0.5);
		normals(own.b, OUT * own.rank, 0.5);
		normals(m.precision, ZIN * ZIN, 0.001);
		for (int i = 0; i < ZIN; i++)
			m.precision[i * ZIN + i] += 1;
		m.variance[0] = 0.3f;
		any_plan(w, &in);
		rvd_model_predict(&m, c % 3 ? &own : NULL, &in, &p);
		for (int j = 0; j < OUT; j++)
		{
			double		o = rvd_vec_dot_exact(m.w + j * IN, in.x, IN);

			for (int k = 0; k < m.base_rank; k++)
				o += m.base_b[j * m.base_rank + k] *
					rvd_vec_dot_exact(m.base_a + k * IN, in.x, IN);
			for (int k = 0; k < 2; k++)
				o += m.micro.b[j * 2 + k] *
					rvd_vec_dot_exact(m.micro.a + k * ZIN, in.z, ZIN);
			for (int k = 0; k < own.rank && c % 3; k++)
				o += own.b[j * own.rank + k] *
					rvd_vec_dot_exact(own.a + k * ZIN, in.z, ZIN);
			assert_true(fabs(p.out[j] - o) < 1e-4 * (1 + fabs(o)));
			if (j == 0)
				assert_true(fabs(p.log_ms - o - SLOPE * in.log_cost - OFFSET) <
							1e-4 * (1 + fabs(o)));
		}
		for (int i = 0; i < ZIN; i++)
			for (int j = 0; j < ZIN; j++)
				leverage += (double) in.z[i] * m.precision[i * ZIN + j] *
					in.z[j];
		assert_true(p.known);
		assert_true(fabs(p.sd - sqrt(0.3 * (1 + leverage))) < 1e-3 * p.sd);
	}
	free(w);
}

static void
input_that_is_not_finite_is_not_known(void **state)
{
	RvdLatencyModel m;
	RvdModelInput in = {0};
	RvdPrediction p;

	calibrated(&m, 1);
	in.x[5] = NAN;
	rvd_model_predict(&m, NULL, &in, &p);
	assert_true(!p.known && p.log_ms == 0 && isfinite(p.sd));
	in.x[5] = 1e9f;
	rvd_model_predict(&m, NULL, &in, &p);
	assert_false(p.known);
	in.x[5] = 1;
	rvd_model_predict(&m, NULL, &in, &p);
	assert_true(p.known);
}

/* ---- the instant step --------------------------------------------------- */

/*
 * Plans of three prototypes take e times as long from now on.  How far off
 * they are after some runs, as a mean over worlds; one run in share is of
 * these plans, the others as they were.
 */
static double
error_after(World *w, int runs, double rate, int share)
{
	double		sum = 0;

	for (int c = 0; c < 10; c++)
	{
		static RvdLatencyModel m;
		RvdMicro	micro;

		rvd_rng_init(&rng, RVD_RNG_TEST, (uint64_t) c);
		plain_world(w, 0.4, 0.1);
		calibrated(&m, (uint64_t) c);
		rvd_micro_reset(&micro, 2, 1000 + (uint64_t) c);
		for (int i = 0; i < runs; i++)
		{
			RvdModelSample s;
			bool		slow = share == 1 ||
				rvd_rng_below(&rng, (uint64_t) share) == 0;

			plan_of(w, (slow ? 0 : 3) + (int) rvd_rng_below(&rng, 3),
					&s.input);
			measure(w, &s, false);
			s.target[RVD_OUT_LATENCY] += slow ? 1 : 0;
			assert_int_equal(rvd_micro_learn(&micro, &m, &s, rate), RVD_OK);
		}
		assert_int_equal(micro.samples, runs);
		for (int i = 0; i < 100; i++)
		{
			RvdModelInput in;
			RvdPrediction p;

			plan_of(w, i % 3, &in);
			rvd_model_predict(&m, &micro, &in, &p);
			sum += fabs(p.log_ms - SLOPE * in.log_cost - OFFSET - 1) / 1000;
		}
	}
	return sum;
}

static void
shift_is_half_learned_after_fifty_runs(void **state)
{
	World	   *w = malloc(sizeof(*w));

	assert_true(error_after(w, 0, 0.02, 1) > 0.99);
	assert_true(error_after(w, 50, 0.02, 1) < 0.5);

	/* fifty of them among other plans that did not change */
	assert_true(error_after(w, 200, 0.02, 4) < 0.75);
	free(w);
}

static void
small_rate_is_slower_but_gets_there(void **state)
{
	World	   *w = malloc(sizeof(*w));
	double		last = 1.01;

	for (int runs = 0; runs <= 400; runs += 100)
	{
		double		e = error_after(w, runs, 0.002, 1);

		assert_true(e < last);
		last = e;
	}
	assert_true(last < 0.5);
	assert_true(error_after(w, 50, 0.002, 1) >
				error_after(w, 50, 0.02, 1));
	free(w);
}

static void
instant_step_refuses_what_says_nothing(void **state)
{
	static RvdLatencyModel m;
	World	   *w = malloc(sizeof(*w));
	RvdModelSample s;
	RvdMicro	micro;
	RvdMicro	before;

	new_world(w, 1, 0);
	any_plan(w, &s.input);
	measure(w, &s, true);
	rvd_model_init(&m, 8, 2, 1);
	rvd_micro_reset(&micro, 2, 1);
	before = micro;
	assert_int_equal(rvd_micro_learn(&micro, &m, &s, 0.02), RVD_ERR_EMPTY);
	calibrated(&m, 1);
	micro.rank = 0;
	assert_int_equal(rvd_micro_learn(&micro, &m, &s, 0.02), RVD_ERR_EMPTY);
	micro.rank = 2;
	s.input.z[3] = NAN;
	assert_int_equal(rvd_micro_learn(&micro, &m, &s, 0.02),
					 RVD_ERR_ARGUMENT);
	s.input.z[3] = 0;
	for (int j = 0; j < OUT; j++)
		s.target[j] = j % 2 ? NAN : INFINITY;
	assert_int_equal(rvd_micro_learn(&micro, &m, &s, 0.02),
					 RVD_ERR_ARGUMENT);
	s.target[0] = 1e6f;			/* no ln ms */
	assert_int_equal(rvd_micro_learn(&micro, &m, &s, 0.02),
					 RVD_ERR_ARGUMENT);
	assert_memory_equal(&micro, &before, sizeof(micro));
	s.target[9] = 1;			/* one output is enough */
	assert_int_equal(rvd_micro_learn(&micro, &m, &s, 0.02), RVD_OK);
	assert_int_equal(micro.samples, 1);
	for (int j = 0; j < OUT; j++)
		assert_true((micro.b[j * 2] != 0) == (j == 9));
	free(w);
}

/* out[j] of an adapter at z */
static double
adapter_at(const RvdMicro *m, const float *z, int j)
{
	double		o = 0;

	for (int k = 0; k < m->rank; k++)
		o += m->b[j * m->rank + k] *
			rvd_vec_dot_exact(m->a + k * ZIN, z, ZIN);
	return o;
}

static void
folding_adds_up(void **state)
{
	for (int c = 0; c < N_CASES; c++)
	{
		RvdMicro	shared;
		RvdMicro	first;
		RvdMicro	second;
		float		z[ZIN];

		rvd_micro_reset(&shared, 2, 1);
		rvd_micro_reset(&first, 1, 2);
		rvd_micro_reset(&second, 1, 3);
		first.samples = 100;
		second.samples = 7;
		normals(first.b, OUT, 1);
		normals(second.b, OUT, 1);
		rvd_micro_fold(&shared, &first);
		rvd_micro_fold(&shared, &second);
		assert_int_equal(shared.samples, 107);
		normals(z, ZIN, 1);
		for (int j = 0; j < OUT; j++)
			assert_true(fabs(adapter_at(&shared, z, j) -
							 adapter_at(&first, z, j) -
							 adapter_at(&second, z, j)) < 1e-4);
	}
}

static void
folding_leaves_alone_what_it_cannot_use(void **state)
{
	RvdMicro	shared;
	RvdMicro	flushed;
	RvdMicro	before;

	rvd_micro_reset(&shared, 2, 1);
	rvd_micro_reset(&flushed, 2, 2);
	normals(flushed.b, OUT * 2, 1);
	before = shared;
	rvd_micro_fold(&shared, &flushed);	/* no samples */
	assert_memory_equal(&shared, &before, sizeof(shared));
	flushed.samples = 5;
	flushed.b[3] = NAN;
	rvd_micro_fold(&shared, &flushed);
	assert_memory_equal(&shared, &before, sizeof(shared));
	flushed.b[3] = 0;
	flushed.rank = 0;
	rvd_micro_fold(&shared, &flushed);
	assert_memory_equal(&shared, &before, sizeof(shared));
	flushed.rank = 2;
	shared.rank = 0;
	rvd_micro_fold(&shared, &flushed);
	assert_int_equal(shared.samples, 0);
	shared.rank = 2;
	shared.samples = UINT32_MAX - 2;
	rvd_micro_fold(&shared, &flushed);
	assert_int_equal(shared.samples, UINT32_MAX);
}

/* ---- training: what it achieves ----------------------------------------- */

static void
one_cycle_halves_the_error_of_the_line(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdTrainer t;
	double		factor = 1;

	for (uint64_t seed = 0; seed < 3; seed++)
	{
		RvdModelSample *s;
		RvdTrainOptions o = defaults();
		RvdTrainReport r;
		double		model;
		double		line;
		double		z_square = 0;

		rvd_rng_init(&rng, RVD_RNG_TEST, seed);
		new_world(w, 0.2, 0.1);
		s = new_samples(w, 1500, 0);
		memset(&t, 0, sizeof(t));
		rvd_model_init(&m, 8, 2, seed);
		assert_int_equal(rvd_model_train(&m, &t, s, 500, 500, &o, &r), RVD_OK);
		assert_true(r.loss_after < r.loss_before / 4);
		model = median_error(&m, s + 500, 1000, false);
		line = median_error(&m, s + 500, 1000, true);
		assert_true(model < 0.65 * line);
		factor *= line / model;
		assert_int_equal(m.samples, 500);
		assert_int_equal(m.seen[0], 500);
		assert_int_equal(m.seen[1], 0);

		/* it knows how far off it is, on plans it has not seen */
		for (int i = 500; i < 1500; i++)
		{
			RvdPrediction p;

			rvd_model_predict(&m, NULL, &s[i].input, &p);
			z_square += pow((p.log_ms - s[i].target[0]) / p.sd, 2) / 1000;
		}
		assert_true(z_square > 0.4 && z_square < 1.6);
		free(s);
	}

	/* twice as good, as a geometric mean */
	assert_true(factor > pow(2, 3));
	free(w);
}

static void
every_output_is_learned(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdTrainer t;
	RvdModelSample *s;
	RvdTrainOptions o = defaults();
	RvdTrainReport r;

	new_world(w, 0.2, 0.1);

	/* of rank three, which the adapter has room for */
	for (int j = 3; j < OUT; j++)
		for (int i = 0; i < IN; i++)
			w->truth[j][i] = w->truth[j % 3][i] * (1 - 0.1f * (float) j);
	s = new_samples(w, 1300, 2);
	memset(&t, 0, sizeof(t));
	rvd_model_init(&m, 8, 2, 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(rvd_model_train(&m, &t, s, 1000, i ? 0 : 1000, &o,
										 &r), RVD_OK);
	for (int j = 0; j < OUT; j++)
	{
		double		off = 0;
		double		mean = 0;
		double		size = 0;

		/* the line knows the mean of output 0 only */
		for (int i = 1000; i < 1300; i += 2)
			mean += (s[i].target[j] - (j ? 0 : SLOPE * s[i].input.log_cost)) /
				150;
		for (int i = 1000; i < 1300; i += 2)
		{
			RvdPrediction p;
			double		y = s[i].target[j];

			rvd_model_predict(&m, NULL, &s[i].input, &p);
			off += pow((j ? p.out[j] : p.log_ms) - y, 2);
			size += pow(y - (j ? 0 : SLOPE * s[i].input.log_cost) - mean, 2);
		}

		/* outputs close to constant have nothing to be learned but noise */
		assert_true(off < 0.5 * size + 150 * 0.06);
		assert_true(m.seen[j] == (j ? 500 : 1000));
		assert_true(m.variance[j] > 0.0025f && m.variance[j] < 0.5f);
	}
	free(s);
	free(w);
}

/* Excess error on A after learning B, summed over worlds. */
static void
forget(bool ewc, double *excess, double *on_b)
{
	World	   *a = malloc(sizeof(*a));
	World	   *b = malloc(sizeof(*b));
	static RvdLatencyModel m;
	static RvdTrainer t;

	*excess = *on_b = 0;
	for (uint64_t seed = 0; seed < 2; seed++)
	{
		RvdModelSample *sa;
		RvdModelSample *sb;
		RvdTrainOptions o = defaults();
		RvdTrainReport r;

		o.ewc = ewc;
		rvd_rng_init(&rng, RVD_RNG_TEST, 50 + seed);
		new_world(a, 0.4, 0.1);
		new_world(b, 0.4, 0.1);
		sa = new_samples(a, 900, 0);
		sb = new_samples(b, 900, 0);
		memset(&t, 0, sizeof(t));
		rvd_model_init(&m, 8, 2, seed);
		for (int c = 0; c < 2; c++)
			assert_int_equal(rvd_model_train(&m, &t, sa + c * 300, 300, 300,
											 &o, &r), RVD_OK);
		assert_int_equal(t.ewc_tasks, 0);
		*excess -= median_error(&m, sa + 600, 300, false);
		for (int c = 0; c < 2; c++)
		{
			assert_int_equal(rvd_model_train(&m, &t, sb + c * 300, 300, 300,
											 &o, &r), RVD_OK);
			assert_int_equal(r.boundaries, c == 0);
			assert_true(ewc ? r.lambda >= 2000 && r.lambda <= 15000 :
						r.lambda == 0);
		}
		assert_int_equal(t.ewc_tasks, 1);
		*excess += median_error(&m, sa + 600, 300, false);
		*on_b += median_error(&m, sb + 600, 300, false);
		free(sa);
		free(sb);
	}
	free(a);
	free(b);
}

static void
former_task_is_forgotten_far_less(void **state)
{
	double		with;
	double		without;
	double		b_with;
	double		b_without;

	forget(true, &with, &b_with);
	forget(false, &without, &b_without);
	assert_true(without > 0);
	assert_true(with < without / 8);

	/* and the new one is learned nevertheless */
	assert_true(b_with < 1.5 * b_without);
}

/* ---- training: how it gets there ---------------------------------------- */

/*
 * The line learns until its slope is known, and then stays, whatever comes;
 * where costs are all alike it never is.
 */
static void
line_stays_once_it_is_known(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdTrainer t;
	RvdModelSample *s;
	RvdTrainOptions o = defaults();
	RvdTrainReport r;
	RvdLine		line;

	plain_world(w, 0.4, 0.5);
	s = new_samples(w, 500, 0);
	o.epochs = 0;
	memset(&t, 0, sizeof(t));
	rvd_model_init(&m, 8, 2, 1);
	assert_int_equal(rvd_model_train(&m, &t, s, 150, 150, &o, &r), RVD_OK);
	assert_int_equal(m.line.n, 150);
	assert_int_equal(rvd_model_train(&m, &t, s, 500, 500, &o, &r), RVD_OK);
	assert_int_equal(m.line.n, 650);
	line = m.line;
	for (int i = 0; i < 500; i++)
		s[i].target[RVD_OUT_LATENCY] += 3;
	assert_int_equal(rvd_model_train(&m, &t, s, 500, 500, &o, &r), RVD_OK);
	assert_memory_equal(&line, &m.line, sizeof(line));
	assert_int_equal(m.samples, 1150);

	memset(&t, 0, sizeof(t));
	rvd_model_init(&m, 8, 2, 1);
	for (int i = 0; i < 500; i++)
		s[i].input.log_cost = 7 + 0.01 * rvd_rng_normal(&rng);
	for (int c = 1; c <= 4; c++)
	{
		assert_int_equal(rvd_model_train(&m, &t, s, 500, 500, &o, &r),
						 RVD_OK);
		assert_int_equal(m.line.n, 500 * c);
	}
	free(s);
	free(w);
}

/* Weighted Huber loss of samples in double, theta = base_a, base_b. */
static double
huber_loss(const double *theta, int rank, const RvdLine *line,
		   const RvdModelSample *s, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
	{
		double		q[16];
		double		weights = 0;
		double		loss = 0;
		double		y;
		double		sd;

		assert_true(rvd_line_predict(line, s[i].input.log_cost, &y, &sd) > 0);
		for (int k = 0; k < rank; k++)
		{
			q[k] = 0;
			for (int x = 0; x < IN; x++)
				q[k] += theta[k * IN + x] * s[i].input.x[x];
		}
		for (int j = 0; j < OUT; j++)
		{
			double		e = (j == 0 ? y : 0) - s[i].target[j];
			double		weight = j == 0 ? 1 : 0.25;

			if (isnan(s[i].target[j]))
				continue;
			for (int k = 0; k < rank; k++)
				e += theta[RVD_MODEL_BASE_RANK * IN + j * rank + k] * q[k];
			e = fabs(e);
			loss += weight * (e < 1 ? e * e / 2 : e - 0.5);
			weights += weight;
		}
		sum += loss / weights / n;
	}
	return sum;
}

/*
 * One step on one batch: every row of A moves against its gradient, by finite
 * differences of the loss, and every element of B too; and the loss falls.
 */
static void
a_training_step_follows_the_finite_differences(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdLatencyModel before;
	static RvdTrainer t;
	static double theta[RVD_MODEL_BASE_SIZE];
	RvdModelSample *s;
	RvdTrainOptions o = defaults();
	RvdTrainReport r;
	double		start;
	double		h = 1e-5;

	new_world(w, 0.5, 0.3);
	s = new_samples(w, 40, 2);
	memset(&t, 0, sizeof(t));
	rvd_model_init(&m, 8, 0, 3);
	o.epochs = 2;
	assert_int_equal(rvd_model_train(&m, &t, s, 40, 40, &o, &r), RVD_OK);
	before = m;
	o.epochs = 1;
	o.batch = 40;
	assert_int_equal(rvd_model_train(&m, &t, s, 40, 0, &o, &r), RVD_OK);
	assert_true(r.loss_after < r.loss_before);
	for (int i = 0; i < RVD_MODEL_BASE_SIZE; i++)
		theta[i] = rvd_model_theta(&before)[i];
	start = huber_loss(theta, 8, &m.line, s, 40);

	for (int k = 0; k < 8; k++)
	{
		double		gg = 0;
		double		gd = 0;
		double		dd = 0;

		for (int c = 0; c < 30; c++)
		{
			int			i = k * IN + (int) rvd_rng_below(&rng, IN);
			double		at = theta[i];
			double		g;
			double		d = rvd_model_theta(&before)[i] -
				rvd_model_theta(&m)[i];

			theta[i] = at + h;
			g = huber_loss(theta, 8, &m.line, s, 40);
			theta[i] = at - h;
			g = (g - huber_loss(theta, 8, &m.line, s, 40)) / (2 * h);
			theta[i] = at;
			gg += g * g;
			gd += g * d;
			dd += d * d;
		}
		assert_true(gd > (1 - 1e-4) * sqrt(gg) * sqrt(dd));
	}
	for (int i = RVD_MODEL_BASE_RANK * IN;
		 i < RVD_MODEL_BASE_RANK * IN + OUT * 8; i++)
	{
		double		at = theta[i];
		double		g;
		double		d = rvd_model_theta(&before)[i] - rvd_model_theta(&m)[i];

		theta[i] = at + h;
		g = huber_loss(theta, 8, &m.line, s, 40);
		theta[i] = at - h;
		g = (g - huber_loss(theta, 8, &m.line, s, 40)) / (2 * h);
		theta[i] = at;
		assert_true(g * d > 0 || fabs(g) < 1e-5 || fabs(d) < 1e-6);
	}
	for (int i = 0; i < RVD_MODEL_BASE_SIZE; i++)
		theta[i] = rvd_model_theta(&m)[i];
	assert_true(huber_loss(theta, 8, &m.line, s, 40) < start);
	free(s);
	free(w);
}

/* Neither how B A is divided nor the unit of the inputs makes a difference. */
static void
training_knows_no_units(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m[2];
	static RvdTrainer t;
	RvdModelSample *s;
	RvdTrainOptions o = defaults();
	RvdTrainReport r[2];

	new_world(w, 0.4, 0.1);
	s = new_samples(w, 300, 3);
	o.epochs = 2;
	for (int k = 0; k < 2; k++)
	{
		memset(&t, 0, sizeof(t));
		rvd_model_init(&m[k], 8, 0, 1);
		for (int i = 0; i < OUT * 8; i++)
			m[k].base_b[i] = 0.02f * (float) (i % 5) * (k ? 8 : 1);
		for (int i = 0; i < 8 * IN; i++)
			m[k].base_a[i] *= k ? 1.0f / 8 / 4 : 1;
		for (int i = 0; i < 300; i++)
			rvd_vec_scale(k ? 4 : 1, s[i].input.x, IN);
		assert_int_equal(rvd_model_train(&m[k], &t, s, 300, 300, &o, &r[k]),
						 RVD_OK);
	}
	assert_true(r[0].loss_after < 0.5 * r[0].loss_before);
	assert_true(fabs(r[1].loss_after / r[0].loss_after - 1) < 0.01);
	free(s);
	free(w);
}

/* Moving average of sum_j w_j (d o_j / d theta)^2 / variance, numerically. */
static void
fisher_is_that_of_the_outputs(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdTrainer t;
	RvdModelSample *s;
	RvdTrainOptions o = defaults();
	RvdTrainReport r;

	new_world(w, 0.5, 0.3);
	s = new_samples(w, 60, 3);
	memset(&t, 0, sizeof(t));
	rvd_model_init(&m, 8, 0, 3);
	o.fisher_decay = 0.9;
	assert_int_equal(rvd_model_train(&m, &t, s, 60, 50, &o, &r), RVD_OK);
	assert_int_equal(t.ewc_samples, 50);
	for (int c = 0; c < 300; c++)
	{
		int			i = (int) (c % 3 ? rvd_rng_below(&rng, 8 * IN) :
							   RVD_MODEL_BASE_RANK * IN +
							   rvd_rng_below(&rng, OUT * 8));
		float	   *theta = rvd_model_theta(&m) + i;
		float		at = *theta;
		double		fisher = 0;

		for (int n = 0; n < 50; n++)
		{
			float		up[OUT];
			float		down[OUT];
			double		sum = 0;
			double		weights = 0;

			*theta = at + 0.25f;
			rvd_model_slow_part(&m, &s[n].input, up);
			*theta = at - 0.25f;
			rvd_model_slow_part(&m, &s[n].input, down);
			*theta = at;
			for (int j = 0; j < OUT; j++)
			{
				double		weight = isnan(s[n].target[j]) ? 0 :
					j == 0 ? 1 : 0.25;

				sum += weight * pow((up[j] - down[j]) / 0.5, 2);
				weights += weight;
			}
			fisher = 0.9 * fisher + 0.1 * sum / weights / m.variance[0];
		}
		assert_true(fabs(t.fisher[i] - fisher) < 1e-3 * fisher + 1e-5);
	}
	free(s);
	free(w);
}

/* a[n * n] <- its inverse, by Gauss and Jordan in double */
static void
invert(double *a, int n)
{
	double	   *b = calloc((size_t) (n * n), sizeof(double));

	for (int i = 0; i < n; i++)
		b[i * n + i] = 1;
	for (int c = 0; c < n; c++)
	{
		double		pivot = a[c * n + c];

		for (int j = 0; j < n; j++)
		{
			a[c * n + j] /= pivot;
			b[c * n + j] /= pivot;
		}
		for (int i = 0; i < n; i++)
		{
			double		f = a[i * n + c];

			for (int j = 0; i != c && j < n; j++)
			{
				a[i * n + j] -= f * a[c * n + j];
				b[i * n + j] -= f * b[c * n + j];
			}
		}
	}
	memcpy(a, b, sizeof(double) * (size_t) (n * n));
	free(b);
}

/* The precision is the inverse of what was seen, faded by half in 10,000. */
static void
precision_is_the_inverse_of_what_was_seen(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdTrainer t;
	static double seen[ZIN * ZIN];
	static double inverse[ZIN * ZIN];
	RvdTrainOptions o = defaults();

	new_world(w, 1, 0.1);
	memset(&t, 0, sizeof(t));
	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < ZIN; i++)
		seen[i * ZIN + i] = 1;
	rvd_model_init(&m, 0, 0, 3);
	for (int cycle = 0; cycle < 6; cycle++)
	{
		RvdModelSample *s = new_samples(w, 300, 0);
		RvdTrainReport r;
		double		g = pow(0.5, 250 / 10000.0);
		float		pz[ZIN];

		for (int i = 0; i < ZIN; i++)
			for (int j = 0; j < ZIN; j++)
			{
				seen[i * ZIN + j] = g * seen[i * ZIN + j] +
					(i == j ? 1 - g : 0);
				for (int n = 0; n < 250; n++)
					seen[i * ZIN + j] += (double) s[n].input.z[i] *
						s[n].input.z[j];
			}
		memcpy(inverse, seen, sizeof(seen));
		invert(inverse, ZIN);
		assert_int_equal(rvd_model_train(&m, &t, s, 300, 250, &o, &r), RVD_OK);
		for (int n = 0; n < 300; n++)
		{
			double		leverage = 0;

			for (int i = 0; i < ZIN; i++)
				for (int j = 0; j < ZIN; j++)
					leverage += s[n].input.z[i] * inverse[i * ZIN + j] *
						s[n].input.z[j];
			assert_true(fabs(rvd_model_leverage(&m, s[n].input.z, pz) -
							 leverage) < 0.01 * leverage + 1e-4);
		}
		free(s);
	}
	free(w);
}

/* ---- training: what the micro adapter learned goes into the base -------- */

/* W + base + shared micro at an input */
static void
all_parts(const RvdLatencyModel *m, const RvdModelInput *in, float *out)
{
	rvd_model_slow_part(m, in, out);
	for (int j = 0; j < OUT; j++)
		out[j] += (float) adapter_at(&m->micro, in->z, j);
}

static void
absorbing_the_micro_adapter_changes_no_answer(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdTrainer t;
	RvdModelSample *s;
	RvdTrainOptions o = defaults();

	new_world(w, 0.5, 0.1);
	s = new_samples(w, 50, 2);
	o.epochs = 0;

	/* empty base; half full; full, so that something must go to W; off */
	for (int c = 0; c < 40; c++)
	{
		RvdTrainReport r;
		float		was[50][OUT];
		int			rank = c % 4 == 3 ? 0 : 8;
		double		norm = 0;
		double		square = 0;

		memset(&t, 0, sizeof(t));
		rvd_model_init(&m, rank, 2, (uint64_t) c);
		for (int j = 0; j < OUT; j++)
			for (int k = 0; k < rank && c % 4 > 0; k++)
				m.base_b[j * 8 + k] = j != k || (c % 4 == 1 && k >= 4) ? 0 :
					0.3f;
		for (int k = 0; k < 2; k++)
			m.micro.b[(10 + k) * 2 + k] = 0.3f;
		m.micro.samples = 100;
		for (int i = 0; i < 50; i++)
			all_parts(&m, &s[i].input, was[i]);
		assert_int_equal(rvd_model_train(&m, &t, s, 50, 50, &o, &r), RVD_OK);
		assert_int_equal(m.micro.samples, 0);
		assert_int_equal(m.micro.rank, 2);
		for (int i = 0; i < OUT * 2; i++)
			assert_true(m.micro.b[i] == 0);
		for (int i = 0; i < OUT * IN; i++)
			norm += fabs(m.w[i]);
		assert_true((norm > 0) == (c % 4 >= 2));
		assert_true(r.absorbed > 0);
		assert_true(c % 4 == 2 ? r.lost > 0.05 : r.lost < 1e-6);
		for (int i = 0; i < 50; i++)
		{
			float		is[OUT];

			all_parts(&m, &s[i].input, is);
			for (int j = 0; j < OUT; j++)
				assert_true(fabs(is[j] - was[i][j]) < 1e-3);
			square += pow(is[0] + rvd_model_line(&m, s[i].input.log_cost) -
						  s[i].target[0], 2) / 50;
		}

		/* and the report speaks of all parts */
		assert_true(fabs(r.loss_after - square) < 1e-3 * square);

		/* nothing to absorb: nothing moves */
		assert_int_equal(rvd_model_train(&m, &t, s, 50, 0, &o, &r), RVD_OK);
		assert_true(r.absorbed == 0);
	}
	free(s);
	free(w);
}

/*
 * Recompressed factors lie where the old ones were, so that anchor and
 * Fisher still mean what they meant: a micro adapter that is next to nothing
 * must not look like a change of all parameters.
 */
static void
absorbing_stays_at_the_anchor(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdTrainer t;
	RvdModelSample *s;
	RvdTrainOptions o = defaults();
	RvdTrainReport r;
	RvdEwc		e;
	double		size = 0;
	double		moved = 0;

	new_world(w, 0.4, 0.1);
	s = new_samples(w, 500, 2);
	memset(&t, 0, sizeof(t));
	rvd_model_init(&m, 8, 2, 1);
	assert_int_equal(rvd_model_train(&m, &t, s, 500, 500, &o, &r), RVD_OK);
	assert_memory_equal(t.anchor, rvd_model_theta(&m), sizeof(t.anchor));

	/* factors of unequal length, as training leaves them */
	rvd_vec_scale(2, m.base_a, 8 * IN);
	rvd_vec_scale(0.5f, m.base_b, OUT * 8);
	e = (RvdEwc) {RVD_MODEL_BASE_SIZE, t.fisher, t.consolidated, t.anchor,
		t.ewc_samples, 0, 0};
	rvd_ewc_consolidate(&e, rvd_model_theta(&m), o.fisher_decay);
	t.ewc_samples = 0;
	t.ewc_consolidated = e.consolidated_samples;
	t.ewc_tasks = 1;

	normals(m.micro.b, OUT * 2, 1e-4);
	m.micro.samples = 100;
	o.epochs = 0;
	o.ewc = false;
	assert_int_equal(rvd_model_train(&m, &t, s, 500, 0, &o, &r), RVD_OK);
	for (int i = 0; i < RVD_MODEL_BASE_SIZE; i++)
	{
		size += pow(t.anchor[i], 2);
		moved += pow(t.anchor[i] - rvd_model_theta(&m)[i], 2);
	}
	assert_true(moved < 0.03 * size);
	free(s);
	free(w);
}

static void
divergence_from_the_anchor_has_a_budget(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdTrainer t;
	RvdModelSample *s;
	RvdTrainOptions o = defaults();
	RvdTrainReport r;
	RvdEwc		e;

	new_world(w, 0.4, 0.1);
	s = new_samples(w, 500, 0);
	memset(&t, 0, sizeof(t));
	rvd_model_init(&m, 8, 2, 1);
	assert_int_equal(rvd_model_train(&m, &t, s, 500, 500, &o, &r), RVD_OK);
	assert_false(r.constrained);
	for (int i = 0; i < RVD_MODEL_BASE_SIZE; i++)
		t.consolidated[i] = 1;
	t.ewc_tasks = 1;
	t.ewc_samples = 0;
	for (int i = 0; i < 8 * IN; i++)
		m.base_a[i] += 1;
	o.epochs = 0;
	assert_int_equal(rvd_model_train(&m, &t, s, 500, 100, &o, &r), RVD_OK);
	assert_true(r.constrained);
	e = (RvdEwc) {RVD_MODEL_BASE_SIZE, t.fisher, t.consolidated, t.anchor,
		0, 0, 1};
	assert_true(fabs(rvd_ewc_divergence(&e, rvd_model_theta(&m)) - 0.05) <
				1e-3);
	free(s);
	free(w);
}

/* Both factors are held: with much evidence on either neither moves. */
static void
evidence_holds_both_factors(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdTrainer t;
	RvdModelSample *s;
	RvdTrainOptions o = defaults();
	RvdTrainReport r;
	int			size_a = RVD_MODEL_BASE_RANK * IN;

	new_world(w, 0.4, 0.1);
	s = new_samples(w, 300, 0);
	for (int which = 0; which < 2; which++)
	{
		double		moved[2] = {0};

		memset(&t, 0, sizeof(t));
		rvd_model_init(&m, 8, 0, 1);
		o.epochs = 2;
		assert_int_equal(rvd_model_train(&m, &t, s, 300, 300, &o, &r), RVD_OK);
		t.ewc_tasks = 1;
		for (int i = 0; i < RVD_MODEL_BASE_SIZE; i++)
			t.consolidated[i] = (i >= size_a) == which ? 1e8f : 0;
		assert_int_equal(rvd_model_train(&m, &t, s, 300, 0, &o, &r), RVD_OK);
		for (int i = 0; i < RVD_MODEL_BASE_SIZE; i++)
			moved[i >= size_a] += fabs(rvd_model_theta(&m)[i] - t.anchor[i]);
		assert_true(moved[which] < 1e-3 * moved[1 - which]);
	}
	free(s);
	free(w);
}

/* ---- training: what it survives ----------------------------------------- */

static void
same_seed_same_model(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m[3];
	static RvdTrainer t;
	RvdModelSample *s;

	new_world(w, 0.4, 0.1);
	s = new_samples(w, 200, 3);
	for (int i = 0; i < 3; i++)
	{
		RvdTrainOptions o = defaults();
		RvdTrainReport r;

		o.seed = i < 2 ? 1 : 2;
		memset(&t, 0, sizeof(t));
		rvd_model_init(&m[i], 8, 2, 4);
		assert_int_equal(rvd_model_train(&m[i], &t, s, 200, 200, &o, &r),
						 RVD_OK);
	}
	assert_memory_equal(&m[0], &m[1], sizeof(m[0]));
	assert_true(memcmp(&m[0], &m[2], sizeof(m[0])) != 0);
	free(s);
	free(w);
}

/* Spoil a sample in one of many ways. */
static void
spoil(RvdModelSample *s, int how)
{
	switch (how % 6)
	{
		case 0:
			s->input.x[rvd_rng_below(&rng, IN)] = NAN;
			break;
		case 1:
			s->input.z[rvd_rng_below(&rng, ZIN)] = INFINITY;
			break;
		case 2:
			s->input.log_cost = NAN;
			break;
		case 3:
			s->input.x[rvd_rng_below(&rng, IN)] = 1e30f;
			break;
		case 4:
			for (int j = 0; j < OUT; j++)
				s->target[j] = j % 2 ? NAN : INFINITY;
			break;
		default:
			s->target[0] = 1e6f;
			break;
	}
}

static void
spoilt_samples_are_passed_over(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdTrainer t;
	RvdModelSample *s;
	RvdTrainOptions o = defaults();
	RvdTrainReport r;

	new_world(w, 0.3, 0.1);
	s = new_samples(w, 1500, 0);
	for (int i = 0; i < 1000; i += 2)
		spoil(&s[i], i / 2);
	memset(&t, 0, sizeof(t));
	rvd_model_init(&m, 8, 2, 1);
	for (int c = 0; c < 2; c++)
		assert_int_equal(rvd_model_train(&m, &t, s + c * 500, 500, 500, &o,
										 &r), RVD_OK);
	assert_int_equal(m.samples, 500);
	assert_int_equal(m.line.n, 250);	/* its slope is known then */
	assert_true(median_error(&m, s + 1000, 500, false) <
				0.6 * median_error(&m, s + 1000, 500, true));

	for (int i = 0; i < 500; i++)
		spoil(&s[i], i);
	assert_int_equal(rvd_model_train(&m, &t, s, 500, 500, &o, &r),
					 RVD_ERR_EMPTY);
	free(s);
	free(w);
}

/* Heavy tails within what counts as a sample, over many cycles. */
static void
training_does_not_diverge(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdTrainer t;
	RvdTrainReport r;

	for (int c = 0; c < 16; c++)
	{
		RvdTrainOptions o = defaults();
		RvdModelSample *s;

		if (c % 8 == 0)
		{
			new_world(w, 0.5, 0.2);
			memset(&t, 0, sizeof(t));
			rvd_model_init(&m, 4 + c, 2, (uint64_t) c);
		}
		s = new_samples(w, 120, 2);
		o.rate = c % 2 ? 0.001 : 10;
		o.batch = 1 + c * 4;
		for (int i = 0; i < 120; i++)
		{
			double		k = exp(rvd_rng_normal(&rng));

			for (int x = 0; x < IN; x++)
				s[i].input.x[x] *= (float) k;
			if (rvd_rng_uniform(&rng) < 0.05)
				s[i].target[rvd_rng_below(&rng, OUT)] =
					(float) (80 * rvd_rng_uniform(&rng) - 40);
		}
		if (c % 3 == 0)
		{
			normals(m.micro.b, OUT * m.micro.rank, 1);
			m.micro.samples = 50;
		}
		assert_int_equal(rvd_model_train(&m, &t, s, 120, 100, &o, &r), RVD_OK);
		for (int i = 0; i < 120; i++)
		{
			RvdPrediction p;

			rvd_model_predict(&m, NULL, &s[i].input, &p);
			assert_true(fabs(p.log_ms) < 1e4);
			assert_true(p.sd > 0 && p.sd < 100);
		}
		free(s);
	}
	free(w);
}

static void
arguments_are_checked(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdLatencyModel before;
	static RvdTrainer t;
	RvdModelSample *s;
	RvdTrainReport r;

	new_world(w, 0.5, 0.1);
	s = new_samples(w, 5, 0);
	memset(&t, 0, sizeof(t));
	rvd_model_init(&m, 8, 2, 1);
	before = m;
	for (int how = 0; how < 11; how++)
	{
		RvdTrainOptions o = defaults();
		int			n = how == 0 ? -1 : 5;
		int			n_new = how == 1 ? -1 : how == 2 ? 6 : how == 0 ? -1 : 5;

		if (how == 3)
			o.rate = NAN;
		if (how == 4)
			o.epochs = -1;
		if (how == 5)
			o.batch = 0;
		if (how == 6)
			o.fisher_decay = 1;
		if (how == 7)
			o.lambda_max = 1;
		if (how == 8)
			o.lambda_min = -1;
		if (how == 10)
			o.batch = RVD_MAX_BATCH + 1;
		if (how == 9)
			n = n_new = 0;
		assert_int_equal(rvd_model_train(&m, &t, s, n, n_new, &o, &r),
						 how == 9 ? RVD_ERR_EMPTY : RVD_ERR_ARGUMENT);
	}
	m.micro.samples = 1;
	m.micro.b[0] = NAN;
	{
		RvdTrainOptions o = defaults();

		assert_int_equal(rvd_model_train(&m, &t, s, 5, 5, &o, &r),
						 RVD_ERR_ARGUMENT);
		m = before;
		m.base_b[0] = INFINITY;
		assert_int_equal(rvd_model_train(&m, &t, s, 5, 5, &o, &r),
						 RVD_ERR_STATE);
	}
	free(s);
	free(w);
}

/* Only outputs other than the latency: no line, but they are learned. */
static void
latency_may_be_missing(void **state)
{
	World	   *w = malloc(sizeof(*w));
	static RvdLatencyModel m;
	static RvdTrainer t;
	RvdModelSample *s;
	RvdTrainOptions o = defaults();
	RvdTrainReport r;

	new_world(w, 0.5, 0.1);
	s = new_samples(w, 200, 1);
	for (int i = 0; i < 200; i++)
		s[i].target[RVD_OUT_LATENCY] = NAN;
	memset(&t, 0, sizeof(t));
	rvd_model_init(&m, 8, 2, 1);
	assert_int_equal(rvd_model_train(&m, &t, s, 200, 200, &o, &r), RVD_OK);
	assert_true(m.line.n == 0);
	assert_true(m.seen[0] == 0 && m.seen[1] == 200);
	assert_true(r.loss_before == 0 && r.loss_after == 0);
	free(s);
	free(w);
}

static int
setup(void **state)
{
	rvd_rng_init(&rng, RVD_RNG_TEST, 4);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(input_is_scaled_embedding_and_features),
		cmocka_unit_test(projection_preserves_geometry),
		cmocka_unit_test(rows_over_z_are_rows_over_x),
		cmocka_unit_test(new_model_knows_nothing),
		cmocka_unit_test(ranks_stay_within_their_room),
		cmocka_unit_test(prediction_is_the_sum_of_its_parts),
		cmocka_unit_test(input_that_is_not_finite_is_not_known),
		cmocka_unit_test(shift_is_half_learned_after_fifty_runs),
		cmocka_unit_test(small_rate_is_slower_but_gets_there),
		cmocka_unit_test(instant_step_refuses_what_says_nothing),
		cmocka_unit_test(folding_adds_up),
		cmocka_unit_test(folding_leaves_alone_what_it_cannot_use),
		cmocka_unit_test(one_cycle_halves_the_error_of_the_line),
		cmocka_unit_test(every_output_is_learned),
		cmocka_unit_test(former_task_is_forgotten_far_less),
		cmocka_unit_test(line_stays_once_it_is_known),
		cmocka_unit_test(a_training_step_follows_the_finite_differences),
		cmocka_unit_test(training_knows_no_units),
		cmocka_unit_test(fisher_is_that_of_the_outputs),
		cmocka_unit_test(precision_is_the_inverse_of_what_was_seen),
		cmocka_unit_test(absorbing_the_micro_adapter_changes_no_answer),
		cmocka_unit_test(absorbing_stays_at_the_anchor),
		cmocka_unit_test(divergence_from_the_anchor_has_a_budget),
		cmocka_unit_test(evidence_holds_both_factors),
		cmocka_unit_test(same_seed_same_model),
		cmocka_unit_test(spoilt_samples_are_passed_over),
		cmocka_unit_test(training_does_not_diverge),
		cmocka_unit_test(arguments_are_checked),
		cmocka_unit_test(latency_may_be_missing),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
