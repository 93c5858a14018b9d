/*-------------------------------------------------------------------------
 *
 * train.c
 *	  A training cycle of the latency model, in the background.
 *
 * The order matters.  Boundaries are looked for first, in the errors of the
 * base as it was published: after absorbing what the micro adapter learned
 * meanwhile the base would not be surprised any more, and its parameters
 * would no longer be those of the task that ends.  For the same reason the
 * anchor is set before anything is trained.  Then the micro adapter is
 * absorbed, the line takes the new samples, and only then the base is
 * trained, on what the line leaves.
 *
 * lambda says how many former samples the Fisher information stands for.  The
 * loss is a mean, so the penalty is lambda over the number of samples
 * trained on, times the variance that the loss is not divided by.
 *
 * The model is the learner's copy; nobody reads it meanwhile.  No memory of
 * its own.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "train.h"

#include <math.h>
#include <string.h>

#include "model_parts.h"
#include "ruvector_dag/vec.h"

/* Nats that outputs on former tasks may move per new sample. */
#define BUDGET_PER_SAMPLE	0.0005

/* Samples and standard error of the slope from which on the line stays. */
#define MIN_LINE			200
#define SURE_SLOPE			0.02

#define OTHERS_WEIGHT		0.25f

bool
rvd_sample_usable(const RvdModelSample *s)
{
	bool		any = false;

	for (int j = 0; j < RVD_MODEL_OUT; j++)
		any |= rvd_target_seen(s, j);
	return any && rvd_model_input_sane(&s->input);
}

void
rvd_cycle_weights(const RvdModelSample *s, float *weight)
{
	float		sum = 0;

	for (int j = 0; j < RVD_MODEL_OUT; j++)
	{
		weight[j] = !rvd_target_seen(s, j) ? 0 :
			j == RVD_OUT_LATENCY ? 1 : OTHERS_WEIGHT;
		sum += weight[j];
	}
	rvd_vec_scale(1 / sum, weight, RVD_MODEL_OUT);
}

void
rvd_cycle_errors(const RvdCycle *c, const RvdModelSample *s, float *error,
				 float *weight, float *q)
{
	const RvdLatencyModel *m = c->m;
	const float *x = s->input.x;

	rvd_cycle_weights(s, weight);
	for (int k = 0; k < m->base_rank; k++)
		q[k] = rvd_vec_dot(m->base_a + k * RVD_MODEL_IN, x, RVD_MODEL_IN);
	for (int j = 0; j < RVD_MODEL_OUT; j++)
	{
		float		out;

		error[j] = 0;
		if (weight[j] == 0)
			continue;
		out = rvd_vec_dot(m->base_b + j * m->base_rank, q, m->base_rank);

		/* W is hardly ever in use, and would cost as much again */
		if (c->dense)
			out += rvd_vec_dot(m->w + j * RVD_MODEL_IN, x, RVD_MODEL_IN);
		if (j == RVD_OUT_LATENCY)
			out += (float) rvd_model_line(m, s->input.log_cost);
		error[j] = out - s->target[j];
	}
}

static void
note_dense(RvdCycle *c)
{
	c->dense = false;
	for (int i = 0; i < RVD_MODEL_OUT * RVD_MODEL_IN; i++)
		c->dense |= c->m->w[i] != 0;
}

static double
mean_square(const RvdCycle *c)
{
	double		sum = 0;
	int			n = 0;

	for (int i = 0; i < c->n; i++)
	{
		float		error[RVD_MODEL_OUT];
		float		weight[RVD_MODEL_OUT];
		float		q[RVD_MODEL_BASE_RANK];

		if (!rvd_sample_usable(&c->samples[i]) ||
			!rvd_target_seen(&c->samples[i], RVD_OUT_LATENCY))
			continue;
		rvd_cycle_errors(c, &c->samples[i], error, weight, q);
		sum += (double) error[RVD_OUT_LATENCY] * error[RVD_OUT_LATENCY];
		n++;
	}
	return n > 0 ? sum / n : 0;
}

/*
 * Errors in standard deviations: what a cycle of training does to their size
 * is no change of the workload.
 */
static void
find_boundaries(RvdCycle *c)
{
	double		sd = sqrt(c->m->variance[RVD_OUT_LATENCY]);

	/* the line alone being wrong is no news */
	if (c->m->samples == 0)
		return;
	for (int i = 0; i < c->n_new; i++)
	{
		const RvdModelSample *s = &c->samples[i];
		float		error[RVD_MODEL_OUT];
		float		weight[RVD_MODEL_OUT];
		float		q[RVD_MODEL_BASE_RANK];

		if (!rvd_sample_usable(s) || !rvd_target_seen(s, RVD_OUT_LATENCY))
			continue;
		rvd_cycle_errors(c, s, error, weight, q);
		if (!rvd_boundary_add(&c->t->boundary, error[RVD_OUT_LATENCY] / sd))
			continue;
		c->report->boundaries++;
		(void) rvd_trainer_consolidate(c->t, c->m, c->options->fisher_decay);
	}
}

/* Is the slope known? */
static bool
line_is_sure(const RvdLine *l)
{
	double		spread = l->n > 0 ? l->sxx - l->sx * l->sx / l->n : 0;
	double		y;
	double		sd;

	return l->n >= MIN_LINE && spread > 0 &&
		rvd_line_predict(l, 0, &y, &sd) > 0 &&
		sd < SURE_SLOPE * sqrt(spread);
}

/*
 * The line is a calibration, not a memory of the latest workload: if it went
 * on to follow that, the answers for all others would move with it, and no
 * penalty would hold them.
 */
static void
learn_line(RvdCycle *c)
{
	bool		sure = line_is_sure(&c->m->line);

	for (int i = 0; i < c->n_new; i++)
	{
		const RvdModelSample *s = &c->samples[i];

		if (!rvd_sample_usable(s))
			continue;
		if (!sure && rvd_target_seen(s, RVD_OUT_LATENCY))
			rvd_line_add(&c->m->line, s->input.log_cost,
						 s->target[RVD_OUT_LATENCY]);
		c->m->samples++;
	}
}

static void
set_penalty(RvdCycle *c)
{
	RvdEwc		e = rvd_trainer_ewc(c->t, 0, RVD_MODEL_BASE_SIZE);
	const RvdTrainOptions *o = c->options;

	c->pull = 0;
	if (!o->ewc || e.tasks == 0)
		return;
	c->report->lambda = rvd_ewc_lambda(&e, 1, o->lambda_min, o->lambda_max);
	c->pull = c->report->lambda * c->m->variance[RVD_OUT_LATENCY] /
		c->n_usable;
}

/* Hold the parameters near the anchor, or note where they are. */
static void
settle(RvdCycle *c)
{
	RvdTrainer *t = c->t;
	RvdEwc		e = rvd_trainer_ewc(t, 0, RVD_MODEL_BASE_SIZE);
	float	   *theta = rvd_model_theta(c->m);

	if (t->ewc_tasks == 0)
		memcpy(t->anchor, theta, sizeof(t->anchor));
	else if (c->options->ewc)
		c->report->constrained =
			rvd_ewc_constrain(&e, theta, BUDGET_PER_SAMPLE *
							  (double) (t->ewc_samples +
										(uint64_t) c->n_new));
}

static bool
all_finite(RvdLatencyModel *m)
{
	return rvd_vec_all_finite(rvd_model_theta(m), RVD_MODEL_BASE_SIZE) &&
		rvd_vec_all_finite(m->w, RVD_MODEL_OUT * RVD_MODEL_IN) &&
		rvd_vec_all_finite(m->variance, RVD_MODEL_OUT) &&
		rvd_vec_all_finite(m->precision,
						   RVD_MODEL_MICRO_IN * RVD_MODEL_MICRO_IN);
}

static bool
options_valid(const RvdTrainOptions *o)
{
	return o->rate >= 0 && o->epochs >= 0 &&
		o->batch > 0 && o->batch <= RVD_MAX_BATCH &&
		o->fisher_decay > 0 && o->fisher_decay < 1 &&
		o->lambda_min >= 0 && o->lambda_max >= o->lambda_min;
}

RvdStatus
rvd_model_train(RvdLatencyModel *m, RvdTrainer *t,
				const RvdModelSample *samples, int n, int n_new,
				const RvdTrainOptions *options, RvdTrainReport *report)
{
	RvdCycle	c = {m, t, samples, n, n_new, 0, options, report, true, 0};
	RvdStatus	status;

	memset(report, 0, sizeof(*report));
	if (n < 0 || n_new < 0 || n_new > n || !options_valid(options))
		return RVD_ERR_ARGUMENT;
	for (int i = 0; i < n; i++)
		c.n_usable += rvd_sample_usable(&samples[i]);
	if (c.n_usable == 0)
		return RVD_ERR_EMPTY;

	note_dense(&c);
	find_boundaries(&c);
	status = rvd_train_absorb(&c);
	if (status != RVD_OK)
		return status;
	note_dense(&c);
	learn_line(&c);
	report->loss_before = mean_square(&c);
	set_penalty(&c);
	rvd_train_epochs(&c);
	settle(&c);
	report->loss_after = mean_square(&c);

	/* precision first: the variances discount what a sample explains itself */
	rvd_train_precision(&c);
	rvd_train_variances(&c);
	rvd_train_fisher(&c);
	return all_finite(m) ? RVD_OK : RVD_ERR_STATE;
}
