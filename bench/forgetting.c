/*-------------------------------------------------------------------------
 *
 * forgetting.c
 *	  Does learning a second workload cost what was learned of the first?
 *
 * Driver of bench/forgetting; links the pure layers, needs no server.  Two
 * synthetic workloads.  Plans of either scatter around prototypes of their
 * own, which share a common part, and all plan features are drawn alike, so
 * that their inputs overlap; ln ms is linear in ln cost plus a correction
 * that is linear in the input, another one in each workload.  What a step
 * for one moves is thereby not free of the other: where they contradict each
 * other no model of this kind can have both.  The model sees workload A for
 * some cycles, then B, never A again: nothing is replayed.  Data, seeds and
 * initial model are the same with and without EWC; options.ewc is all that
 * differs.  Nobody tells the model when the workload changes.
 *
 * In the first table the corrections have mean zero over their workload, in
 * the second B is slower as a whole, by e^0.7 = 2, which also has to be
 * learned and is what A suffers from most.
 *
 * Errors are medians of |predicted - measured ln ms| over plans not trained
 * on.  Prints a table by seed for each and the RESULT line, which is the
 * first table's.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ruvector_dag/latency_model.h"
#include "ruvector_dag/rng.h"
#include "ruvector_dag/vec.h"

#define PROTOTYPES		8
#define PER_CYCLE		500
#define HELD_OUT		1000
#define SCATTER			0.4		/* of plans around their prototype */
#define SPREAD			0.8		/* sd of the correction in ln units */
#define NOISE			0.1		/* sd of a measured ln ms */

typedef struct Workload
{
	float		prototype[PROTOTYPES][RVD_EMBEDDING_DIM];
	float		truth[RVD_MODEL_IN];
	double		offset;			/* takes the mean out of the correction */
	double		low_cost;		/* ln cost is uniform over ten units from it */
} Workload;

typedef struct Outcome
{
	double		line_a;			/* the calibrated cost alone, on A */
	double		a_before;		/* on A, after A */
	double		a_after;		/* on A, after B */
	double		b_before;		/* on B, after A */
	double		b_after;		/* on B, after B */
	unsigned	tasks;			/* boundaries found */
} Outcome;

static RvdRng rng;

static void
random_vector(float *x, int n, double length)
{
	for (int i = 0; i < n; i++)
		x[i] = (float) (length / sqrt(n) * rvd_rng_normal(&rng));
}

static void
make_plan(const Workload *w, RvdModelInput *in)
{
	float		e[RVD_EMBEDDING_DIM];
	float		f[RVD_PLAN_FEATURES];
	const float *prototype = w->prototype[rvd_rng_below(&rng, PROTOTYPES)];
	double		log_cost = w->low_cost + 10 * rvd_rng_uniform(&rng);

	random_vector(e, RVD_EMBEDDING_DIM, SCATTER);
	rvd_vec_axpy(1, prototype, e, RVD_EMBEDDING_DIM);
	(void) rvd_vec_normalize(e, RVD_EMBEDDING_DIM);
	f[RVD_PF_BIAS] = 1;
	f[RVD_PF_COST] = (float) (log_cost - 8) / 3;
	for (int i = RVD_PF_COST + 1; i < RVD_PLAN_FEATURES; i++)
		f[i] = (float) rvd_rng_normal(&rng);
	rvd_model_input(in, e, f, exp(log_cost));
}

static double
correction(const Workload *w, const RvdModelInput *in)
{
	return rvd_vec_dot_exact(w->truth, in->x, RVD_MODEL_IN) - w->offset;
}

/*
 * Scale the truth to the spread wanted, over this workload's plans, and move
 * its mean to the level.
 */
static void
calibrate(Workload *w, double level)
{
	RvdModelInput in;
	double		sum = 0;
	double		square = 0;
	int			n = 2000;

	for (int i = 0; i < n; i++)
	{
		double		c;

		make_plan(w, &in);
		c = correction(w, &in);
		sum += c;
		square += c * c;
	}
	sum /= n;
	square = SPREAD / sqrt(square / n - sum * sum);
	rvd_vec_scale((float) square, w->truth, RVD_MODEL_IN);
	w->offset = sum * square - level;
}

static void
make_workloads(Workload *w, double level)
{
	float		common[RVD_EMBEDDING_DIM];

	random_vector(common, RVD_EMBEDDING_DIM, 1);
	for (int k = 0; k < 2; k++)
	{
		for (int p = 0; p < PROTOTYPES; p++)
		{
			random_vector(w[k].prototype[p], RVD_EMBEDDING_DIM, 1);
			rvd_vec_axpy(1, common, w[k].prototype[p], RVD_EMBEDDING_DIM);
			(void) rvd_vec_normalize(w[k].prototype[p], RVD_EMBEDDING_DIM);
		}
		random_vector(w[k].truth, RVD_MODEL_IN, 1);
		w[k].low_cost = 2 + 2 * k;
		w[k].offset = 0;
		calibrate(&w[k], k * level);
	}
}

static void
make_samples(const Workload *w, RvdModelSample *s, int n)
{
	for (int i = 0; i < n; i++)
	{
		make_plan(w, &s[i].input);
		for (int j = 0; j < RVD_MODEL_OUT; j++)
			s[i].target[j] = NAN;
		s[i].target[RVD_OUT_LATENCY] =
			(float) (0.9 * s[i].input.log_cost - 5 +
					 correction(w, &s[i].input) +
					 NOISE * rvd_rng_normal(&rng));
	}
}

/* ---- measuring ---------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
median(double *x, int n)
{
	qsort(x, (size_t) n, sizeof(*x), compare);
	return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

static double
error_on(const RvdLatencyModel *m, const RvdModelSample *s, bool line_only)
{
	static double error[HELD_OUT];

	for (int i = 0; i < HELD_OUT; i++)
	{
		RvdPrediction p;
		double		said;
		double		sd;

		rvd_model_predict(m, NULL, &s[i].input, &p);
		said = p.log_ms;
		if (line_only)
			(void) rvd_line_predict(&m->line, s[i].input.log_cost, &said, &sd);
		error[i] = fabs(said - s[i].target[RVD_OUT_LATENCY]);
	}
	return median(error, HELD_OUT);
}

static void
train(RvdLatencyModel *m, RvdTrainer *t, const RvdModelSample *s, int cycles,
	  bool ewc, uint64_t seed)
{
	for (int i = 0; i < cycles; i++)
	{
		/* the settings' defaults */
		RvdTrainOptions options = {.rate = 0.001, .epochs = 8, .batch = 32,
			.ewc = ewc, .lambda_min = 2000, .lambda_max = 15000,
		.fisher_decay = 0.999, .seed = seed + (uint64_t) i};
		RvdTrainReport report;

		if (rvd_model_train(m, t, s + i * PER_CYCLE, PER_CYCLE, PER_CYCLE,
							&options, &report) != RVD_OK)
		{
			fprintf(stderr, "training failed\n");
			exit(1);
		}
	}
}

static Outcome
run(const RvdModelSample *a, const RvdModelSample *b, int cycles, bool ewc,
	uint64_t seed)
{
	static RvdLatencyModel m;
	static RvdTrainer t;
	Outcome		o;
	const RvdModelSample *test_a = a + cycles * PER_CYCLE;
	const RvdModelSample *test_b = b + cycles * PER_CYCLE;

	memset(&t, 0, sizeof(t));
	rvd_model_init(&m, 8, 2, seed);
	train(&m, &t, a, cycles, ewc, 1000 * seed);
	o.line_a = error_on(&m, test_a, true);
	o.a_before = error_on(&m, test_a, false);
	o.b_before = error_on(&m, test_b, false);
	train(&m, &t, b, cycles, ewc, 1000 * seed + 500);
	o.a_after = error_on(&m, test_a, false);
	o.b_after = error_on(&m, test_b, false);
	o.tasks = t.ewc_tasks;
	return o;
}

/* Medians over seeds. */
typedef struct Summary
{
	double		forgotten_with;	/* error on A after B / after A */
	double		forgotten_without;
	double		b_with;
	double		b_without;
} Summary;

static Summary
compare_all(double level, int seeds, int cycles)
{
	int			n = cycles * PER_CYCLE + HELD_OUT;
	RvdModelSample *a = malloc(sizeof(*a) * (size_t) n);
	RvdModelSample *b = malloc(sizeof(*b) * (size_t) n);
	double	   *ratio = malloc(sizeof(double) * 4 * (size_t) seeds);
	Summary		s;

	if (a == NULL || b == NULL || ratio == NULL)
		exit(2);
	printf("median |error| of ln ms; %d cycles of %d of A, then of B; "
		   "level of B: %+.1f\n\n", cycles, PER_CYCLE, level);
	printf("%4s %8s %8s | %10s %10s | %8s %10s %10s | %s\n", "seed",
		   "A line", "A", "A, B with", "without", "B before", "B with",
		   "without", "boundaries");
	for (int i = 0; i < seeds; i++)
	{
		static Workload w[2];
		Outcome		with;
		Outcome		without;

		rvd_rng_init(&rng, RVD_RNG_TEST, (uint64_t) i);
		make_workloads(w, level);
		make_samples(&w[0], a, n);
		make_samples(&w[1], b, n);
		with = run(a, b, cycles, true, (uint64_t) i);
		without = run(a, b, cycles, false, (uint64_t) i);
		printf("%4d %8.3f %8.3f | %10.3f %10.3f | %8.3f %10.3f %10.3f | "
			   "%u %u\n", i, with.line_a, with.a_before, with.a_after,
			   without.a_after, with.b_before, with.b_after, without.b_after,
			   with.tasks, without.tasks);
		ratio[i] = with.a_after / with.a_before;
		ratio[seeds + i] = without.a_after / without.a_before;
		ratio[2 * seeds + i] = with.b_after;
		ratio[3 * seeds + i] = without.b_after;
	}
	s.forgotten_with = median(ratio, seeds);
	s.forgotten_without = median(ratio + seeds, seeds);
	s.b_with = median(ratio + 2 * seeds, seeds);
	s.b_without = median(ratio + 3 * seeds, seeds);
	printf("\nerror on A after B / before: %.2f with EWC, %.2f without; "
		   "on B: %.3f with, %.3f without\n\n", s.forgotten_with,
		   s.forgotten_without, s.b_with, s.b_without);
	free(a);
	free(b);
	free(ratio);
	return s;
}

int
main(int argc, char **argv)
{
	int			seeds = argc > 1 ? atoi(argv[1]) : 12;
	int			cycles = argc > 2 ? atoi(argv[2]) : 4;
	Summary		same;

	if (seeds < 1 || cycles < 1)
	{
		fprintf(stderr, "usage: forgetting [SEEDS [CYCLES]]\n");
		return 2;
	}
	same = compare_all(0, seeds, cycles);
	(void) compare_all(0.7, seeds, cycles);
	printf("RESULT forgetting_with_ewc=%.2f forgetting_without_ewc=%.2f "
		   "b_with=%.3f b_without=%.3f\n", same.forgotten_with,
		   same.forgotten_without, same.b_with, same.b_without);
	return 0;
}
