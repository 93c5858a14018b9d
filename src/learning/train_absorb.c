/*-------------------------------------------------------------------------
 *
 * train_absorb.c
 *	  What the micro adapter learned goes into the base.
 *
 * The micro adapter's input is a linear map of the base's, so its A becomes
 * one over the base's input by multiplying with the map, and the sum of the
 * two is recompressed.  What the rank has no room for goes to the dense W
 * when it is more than 5 % of the energy.
 *
 * Recompression chooses factors of its own, though: A and B may be any
 * R A and B R^-1.  The anchor and the Fisher belong to the factors as they
 * were, so the new ones are turned, by the orthogonal R that comes nearest
 * (Procrustes; Schoenemann 1966), and their rows scaled, to lie on them.
 *
 * Memory: 5 KB of stack.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "lora_absorb.h"
#include "model_parts.h"
#include "ruvector_dag/vec.h"
#include "small_matrix.h"
#include "train.h"

#define MAX_LOST		0.05

/* Rows are not scaled by more: one of them is not what it was. */
#define MAX_STRETCH		10.0

/* |B A| by Frobenius: trace of (B' B) (A A') */
static double
product_norm(const RvdLora *l)
{
	double		sum = 0;

	for (int i = 0; i < l->rank; i++)
		for (int j = 0; j < l->rank; j++)
		{
			double		bb = 0;

			for (int p = 0; p < l->out; p++)
				bb += (double) l->b[p * l->rank + i] * l->b[p * l->rank + j];
			sum += bb * rvd_vec_dot_exact(l->a + i * l->in, l->a + j * l->in,
										  l->in);
		}
	return l->scale * sqrt(fmax(sum, 0));
}

/* r[i * rank + k]: how row i of the anchor lies on row k of the new ones */
static void
overlap(const RvdLora *base, const RvdLora *anchor, double *r)
{
	int			rank = base->rank;

	for (int i = 0; i < rank; i++)
		for (int k = 0; k < rank; k++)
		{
			double		sum = rvd_vec_dot_exact(anchor->a + i * base->in,
												base->a + k * base->in,
												base->in);

			for (int p = 0; p < base->out; p++)
				sum += (double) anchor->b[p * rank + i] *
					base->b[p * rank + k];
			r[i * rank + k] = sum;
		}
}

/* A <- R A, B <- B R', in place */
static void
turn(RvdLora *base, const double *r)
{
	double		old[RVD_LORA_MAX_RANK];
	int			rank = base->rank;

	for (int c = 0; c < base->in + base->out; c++)
	{
		bool		in_a = c < base->in;
		float	   *x = in_a ? base->a + c : base->b + (c - base->in) * rank;
		int			step = in_a ? base->in : 1;

		for (int k = 0; k < rank; k++)
			old[k] = x[k * step];
		for (int i = 0; i < rank; i++)
		{
			double		sum = 0;

			for (int k = 0; k < rank; k++)
				sum += r[i * rank + k] * old[k];
			x[i * step] = (float) sum;
		}
	}
}

/* Give each row of A the length it has in the anchor. */
static void
stretch(RvdLora *base, const RvdLora *anchor)
{
	for (int k = 0; k < base->rank; k++)
	{
		double		wanted = rvd_vec_norm(anchor->a + k * base->in, base->in);
		double		is = rvd_vec_norm(base->a + k * base->in, base->in);

		if (!(wanted < MAX_STRETCH * is && is < MAX_STRETCH * wanted))
			continue;
		rvd_vec_scale((float) (wanted / is), base->a + k * base->in,
					  base->in);
		for (int p = 0; p < base->out; p++)
			base->b[p * base->rank + k] *= (float) (is / wanted);
	}
}

static void
lie_on_anchor(RvdLora *base, RvdTrainer *t)
{
	double		r[RVD_LORA_MAX_RANK * RVD_LORA_MAX_RANK];
	RvdLora		anchor = *base;

	anchor.a = t->anchor;
	anchor.b = t->anchor + RVD_MODEL_BASE_RANK * RVD_MODEL_IN;
	overlap(base, &anchor, r);
	if (rvd_small_polar(r, base->rank))
	{
		turn(base, r);
		stretch(base, &anchor);
	}
}

RvdStatus
rvd_train_absorb(RvdCycle *c)
{
	RvdLatencyModel *m = c->m;
	float		ax[RVD_MODEL_MICRO_RANK * RVD_MODEL_IN];
	RvdLora		base = rvd_model_base(m);
	RvdLora		micro = rvd_micro_adapter(&m->micro);
	RvdStatus	status = RVD_OK;

	if (m->micro.rank == 0 || m->micro.samples == 0)
		return RVD_OK;
	rvd_model_project_rows(&m->micro, ax);
	micro.in = RVD_MODEL_IN;
	micro.a = ax;
	c->report->absorbed = product_norm(&micro);
	if (base.rank == 0)
		rvd_lora_merge(&micro, 1, m->w);
	else
	{
		bool		spill = rvd_lora_absorb_loss(&base, &micro, 1) > MAX_LOST;

		if (spill)
		{
			rvd_lora_merge(&base, 1, m->w);
			rvd_lora_merge(&micro, 1, m->w);
		}
		status = rvd_lora_absorb(&base, &micro, 1, &c->report->lost);
		if (status != RVD_OK)
			return status;
		if (spill)
			rvd_lora_merge(&base, -1, m->w);
		if (c->t->ewc_tasks > 0 || c->t->ewc_samples > 0)
			lie_on_anchor(&base, c->t);
	}
	rvd_micro_reset(&m->micro, m->micro.rank, c->options->seed);
	return RVD_OK;
}
