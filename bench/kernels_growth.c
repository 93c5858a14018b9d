/*-------------------------------------------------------------------------
 *
 * kernels_growth.c
 *	  How the work and the time of the attention kernels grow with the plan.
 *
 * Work is what a kernel counts: pairs scored and edges walked, with context
 * rows, as for an embedding.  It is deterministic.  A mean over several plans
 * where the family is a random one.
 *
 *-------------------------------------------------------------------------
 */
#include "kernels.h"

#include <stdio.h>
#include <stdlib.h>

static const int32_t sizes[] = {10, 20, 50, 100, 200, 500, 1000, 2000};

#define N_SIZES		((int) (sizeof(sizes) / sizeof(sizes[0])))

typedef struct Cell
{
	Plan	  **plan;
	int			plans;
	int			kind;
} Cell;

static void
run_kernel(void *arg, int64_t i)
{
	const Cell *c = arg;

	plan_attend(c->plan[i % c->plans], c->kind);
}

/* Mean work of the plans; the largest share of what a kernel promised. */
static double
count_work(const Cell *c, double *share)
{
	double		sum = 0;

	*share = 0;
	for (int i = 0; i < c->plans; i++)
	{
		Plan	   *plan = c->plan[i];
		uint64_t	bound = rvd_attention_kernel(c->kind)->
			pairs_bound(&plan->params, plan->n);
		double		pairs;

		plan_attend(plan, c->kind);
		pairs = (double) plan->out.pairs_scored;
		sum += pairs + (double) plan->out.edges_walked;
		if (pairs / (double) bound > *share)
			*share = pairs / (double) bound;
	}
	return sum / c->plans;
}

void
measure_growth(int plans, double seconds)
{
	Cell		c = {get_memory(sizeof(Plan *) * (size_t) plans), plans, 0};

	for (int family = 0; family < PLAN_FAMILIES; family++)
	{
		for (int s = 0; s < N_SIZES; s++)
		{
			for (int i = 0; i < plans; i++)
				c.plan[i] = plan_make((PlanFamily) family, sizes[s],
									  (uint64_t) i);
			for (c.kind = 0; c.kind < RVD_NUM_KERNELS; c.kind++)
			{
				double		share;
				double		work = count_work(&c, &share);
				double		us = measure(run_kernel, &c, seconds / 10);

				printf("growth %s %s %d %.1f %.1f %.4f\n",
					   rvd_attention_name(c.kind), plan_family_names[family],
					   sizes[s], work, 1000 * us, share);
			}
			fflush(stdout);
			for (int i = 0; i < plans; i++)
				plan_free(c.plan[i]);
		}
	}
	free(c.plan);
}
