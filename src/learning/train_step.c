/*-------------------------------------------------------------------------
 *
 * train_step.c
 *	  Mini-batch steps on the base adapter.
 *
 * The loss is the Huber loss of each output seen, weighted, the mean over
 * the batch.  How long a step must be depends on the inputs' lengths, on
 * their spread and on how the product B A is divided between its factors,
 * none of which a fixed rate knows.  So
 *	- each row of A and each element of B is measured in units of its own
 *	  curvature (the other factor's size; a diagonal form of T. Tong, C. Ma,
 *	  Y. Chi, "Accelerating ill-conditioned low-rank matrix estimation via
 *	  scaled gradient descent", 2021), which makes the step the same for all
 *	  divisions of the product;
 *	- the length that would minimise the batch's loss along that direction
 *	  is computed (Cauchy's step for the Gauss-Newton model), shortened where
 *	  the two factors' joint change, which that model leaves out, matters;
 *	- of that, a share of twice the rate per sample of the batch is done, up
 *	  to ten times as much while the loss is far above what noise leaves.
 * Element by element it is the proximal EWC step.
 *
 * Batches are permutations computed from a seed, not stored.  Memory: the
 * trainer's scratch holds A's gradient; the rest is 8 KB of stack.  Layer 1,
 * pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "model_parts.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/rng.h"
#include "ruvector_dag/vec.h"
#include "train.h"

#define MAX_BOOST		10.0
#define MAX_SHARE		0.8		/* of Cauchy's step */

/* A normalised step is stable up to twice the full one: rate's unit. */
#define STABLE			2.0
#define BLEND			0.1		/* of a batch in the running loss */

/* Loss that noise leaves: an sd of 0.15 on an idle server (see stats.c). */
#define NOISE_LOSS		(0.15 * 0.15 / 2)

/* Curvatures below this share of the mean count as much as that. */
#define MIN_CURVATURE	0.01

/* One mini-batch: its members, gradient and curvatures. */
typedef struct Batch
{
	RvdCycle   *c;
	RvdLora		base;
	uint64_t	key;			/* of the epoch's permutation */
	int			first;
	int			last;			/* not included */
	int			n;				/* usable ones, and these: */
	const RvdModelSample *member[RVD_MAX_BATCH];
	float		q[RVD_MAX_BATCH][RVD_LORA_MAX_RANK];	/* A x */
	double		loss;
	float	   *grad_a;			/* [rank * in], scratch */
	float		grad_b[RVD_MODEL_OUT * RVD_LORA_MAX_RANK];
	double		curve_a[RVD_LORA_MAX_RANK];
	double		curve_b[RVD_MODEL_OUT * RVD_LORA_MAX_RANK];
} Batch;

/*
 * Position i of the permutation of 0 .. n - 1 that belongs to a key: a
 * Feistel network over the next even number of bits, walked until it lands
 * inside (Black and Rogaway 2002).  At most four rounds of it on average.
 */
static int
permuted(int i, int n, uint64_t key)
{
	int			half = 1;
	uint32_t	mask;
	uint32_t	x = (uint32_t) i;

	while (((uint64_t) 1 << (2 * half)) < (uint64_t) n)
		half++;
	mask = ((uint32_t) 1 << half) - 1;
	do
	{
		uint32_t	left = x >> half;
		uint32_t	right = x & mask;

		for (int round = 0; round < 4; round++)
		{
			uint32_t	f = (uint32_t) rvd_hash_combine(key + (uint64_t) round,
														right);
			uint32_t	swap = right;

			right = (left ^ f) & mask;
			left = swap;
		}
		x = left << half | right;
	} while (x >= (uint32_t) n);
	return (int) x;
}

static double
huber(double e)
{
	e = fabs(e);
	return e < 1 ? e * e / 2 : e - 0.5;
}

/* Gradient, curvatures and loss of one sample, added up. */
static void
accumulate(Batch *b, const RvdModelSample *s)
{
	float		error[RVD_MODEL_OUT];
	float		weight[RVD_MODEL_OUT];
	float		back[RVD_LORA_MAX_RANK] = {0};
	double		pull[RVD_LORA_MAX_RANK] = {0};
	float	   *q = b->q[b->n];
	double		length;
	int			rank = b->base.rank;

	b->member[b->n++] = s;
	rvd_cycle_errors(b->c, s, error, weight, q);
	length = rvd_vec_dot_exact(s->input.x, s->input.x, RVD_MODEL_IN);
	for (int j = 0; j < RVD_MODEL_OUT; j++)
	{
		const float *row = b->base.b + j * rank;
		float		g = weight[j] * fmaxf(-1, fminf(1, error[j]));

		if (weight[j] == 0)
			continue;
		b->loss += weight[j] * huber(error[j]);
		for (int k = 0; k < rank; k++)
		{
			back[k] += g * row[k];
			pull[k] += (double) weight[j] * row[k] * row[k];
			b->grad_b[j * rank + k] += g * q[k];
			b->curve_b[j * rank + k] += (double) weight[j] * q[k] * q[k];
		}
	}
	for (int k = 0; k < rank; k++)
	{
		rvd_vec_axpy(back[k], s->input.x, b->grad_a + k * RVD_MODEL_IN,
					 RVD_MODEL_IN);
		b->curve_a[k] += pull[k] * length;
	}
}

/* Means from sums, and no curvature next to zero. */
static void
finish(double *curve, int n, int batch)
{
	double		mean = 0;

	for (int i = 0; i < n; i++)
		mean += (curve[i] /= batch) / n;
	for (int i = 0; i < n; i++)
		curve[i] = fmax(curve[i], MIN_CURVATURE * mean + 1e-12);
}

static void
measure(Batch *b)
{
	int			rank = b->base.rank;

	b->n = 0;
	b->loss = 0;
	b->grad_a = b->c->t->scratch;
	memset(b->grad_a, 0, sizeof(float) * (size_t) (rank * RVD_MODEL_IN));
	memset(b->grad_b, 0, sizeof(b->grad_b));
	memset(b->curve_a, 0, sizeof(b->curve_a));
	memset(b->curve_b, 0, sizeof(b->curve_b));
	for (int i = b->first; i < b->last; i++)
	{
		const RvdModelSample *s;

		s = &b->c->samples[permuted(i, b->c->n, b->key)];
		if (rvd_sample_usable(s))
			accumulate(b, s);
	}
	if (b->n == 0)
		return;
	b->loss /= b->n;
	rvd_vec_scale(1.0f / b->n, b->grad_a, rank * RVD_MODEL_IN);
	rvd_vec_scale(1.0f / b->n, b->grad_b, rank * RVD_MODEL_OUT);
	finish(b->curve_a, rank, b->n);

	/* an output is measured against itself: some are seen seldom */
	for (int j = 0; j < RVD_MODEL_OUT; j++)
		finish(b->curve_b + j * rank, rank, b->n);
}

/*
 * How one sample's outputs would move along the direction: first and second
 * order, squared and weighted.
 */
static void
add_response(const Batch *b, int i, double *first, double *second)
{
	const RvdModelSample *s = b->member[i];
	const float *q = b->q[i];
	float		weight[RVD_MODEL_OUT];
	double		dq[RVD_LORA_MAX_RANK];
	int			rank = b->base.rank;

	rvd_cycle_weights(s, weight);
	for (int k = 0; k < rank; k++)
		dq[k] = rvd_vec_dot(b->grad_a + k * RVD_MODEL_IN, s->input.x,
							RVD_MODEL_IN) / b->curve_a[k];
	for (int j = 0; j < RVD_MODEL_OUT; j++)
	{
		double		one = 0;
		double		two = 0;

		if (weight[j] == 0)
			continue;
		for (int k = 0; k < rank; k++)
		{
			double		db = b->grad_b[j * rank + k] /
				b->curve_b[j * rank + k];

			one += db * q[k] + b->base.b[j * rank + k] * dq[k];
			two += db * dq[k];
		}
		*first += weight[j] * one * one;
		*second += weight[j] * two * two;
	}
}

/* Inner product of gradient and direction: what a short step gains. */
static double
slope(const Batch *b)
{
	double		sum = 0;

	for (int k = 0; k < b->base.rank; k++)
	{
		const float *g = b->grad_a + k * RVD_MODEL_IN;

		sum += rvd_vec_dot_exact(g, g, RVD_MODEL_IN) / b->curve_a[k];
	}
	for (int i = 0; i < RVD_MODEL_OUT * b->base.rank; i++)
		sum += (double) b->grad_b[i] * b->grad_b[i] / b->curve_b[i];
	return sum;
}

/* Cauchy's step; 0 if there is nowhere to go. */
static double
full_step(const Batch *b)
{
	double		first = 0;
	double		second = 0;
	double		eta;

	for (int i = 0; i < b->n; i++)
		add_response(b, i, &first, &second);
	if (!(first > 0))
		return 0;
	eta = slope(b) * b->n / first;
	if (second > 0)
		eta = fmin(eta, sqrt(first / second) / 2);
	return eta;
}

static void
apply(Batch *b, double eta)
{
	RvdCycle   *c = b->c;
	int			rank = b->base.rank;

	for (int k = 0; k < rank; k++)
	{
		RvdEwc		e = rvd_trainer_ewc(c->t, k * RVD_MODEL_IN, RVD_MODEL_IN);

		rvd_ewc_step(&e, b->base.a + k * RVD_MODEL_IN,
					 b->grad_a + k * RVD_MODEL_IN, eta / b->curve_a[k],
					 c->pull);
	}
	for (int i = 0; i < RVD_MODEL_OUT * rank; i++)
	{
		RvdEwc		e = rvd_trainer_ewc(c->t, RVD_MODEL_BASE_RANK *
										RVD_MODEL_IN + i, 1);

		rvd_ewc_step(&e, b->base.b + i, b->grad_b + i, eta / b->curve_b[i],
					 c->pull);
	}
}

void
rvd_train_epochs(RvdCycle *c)
{
	const RvdTrainOptions *o = c->options;
	Batch		b;
	double		loss = -1;
	int			batches = (c->n + o->batch - 1) / o->batch;

	b.c = c;
	b.base = rvd_model_base(c->m);
	for (int epoch = 0; epoch < o->epochs && b.base.rank > 0; epoch++)
	{
		b.key = rvd_hash_combine(rvd_hash_combine(RVD_RNG_TRAINING, o->seed),
								 (uint64_t) epoch);
		for (int i = 0; i < batches; i++)
		{
			double		boost;

			b.first = i * o->batch;
			b.last = b.first + o->batch < c->n ? b.first + o->batch : c->n;
			measure(&b);
			if (b.n == 0)
				continue;
			loss = loss < 0 ? b.loss : loss + BLEND * (b.loss - loss);
			boost = fmax(1, fmin(MAX_BOOST, loss / NOISE_LOSS));
			apply(&b, full_step(&b) *
				  fmin(MAX_SHARE, STABLE * o->rate * boost * b.n));
		}
	}
}
