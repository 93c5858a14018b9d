/*-------------------------------------------------------------------------
 *
 * reflect_timed.c
 *	  After a run whose operators were timed: teach the attention kernels.
 *
 * Every kernel is computed again from what was known before the run (its
 * estimates; the measured times are not among its inputs) and scored by the
 * overlap of its weights with the measured share of self time.  The score is
 * the reward of the class's selector and of the general one; its gradient
 * trains the kernel's weights; its loss the mixture.  Last of all the traces
 * of the temporal kernel take in what happened.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "ruvector_dag/look.h"
#include "ruvector_dag/settings.h"

#include "plan_view.h"

#define LEARNING_RATE	0.05
#define FIXED_SHARE		0.01	/* of the mixture, against drift */

typedef struct Scores
{
	bool		used[RVD_NUM_ATTENTIONS];
	double		overlap[RVD_NUM_ATTENTIONS];
	double		loss[RVD_NUM_KERNELS];
	RvdAttentionWeights gradient[RVD_NUM_KERNELS];
} Scores;

static bool
shares_of(const double *self_ms, int n, double *share)
{
	double		total = 0;

	for (int i = 0; i < n; i++)
		total += self_ms[i];
	if (!(total > 0) || isinf(total))
		return false;
	for (int i = 0; i < n; i++)
		share[i] = self_ms[i] / total;
	return true;
}

static void
score(RvdPlanView *v, const double *share,
	  const RvdAttentionWeights *weights, const RvdMixture *mixture,
	  Scores *scores)
{
	double	   *p = palloc(sizeof(double) * v->n * RVD_NUM_KERNELS);
	double	   *mixed = palloc(sizeof(double) * v->n);
	const double *each[RVD_NUM_KERNELS];
	RvdAttentionParams params;
	RvdAttentionInput in;

	rvd_attention_defaults(&params);
	params.cut_threshold = rvd_dag_mincut_threshold;
	memset(&in, 0, sizeof(in));
	in.dag = v->dag;
	in.load = v->load;
	in.phi = v->phi;
	in.vectors = v->vectors;
	in.traces = v->traces;
	in.now_s = GetCurrentTimestamp() / (double) USECS_PER_SEC;
	in.params = &params;
	for (int k = 0; k < RVD_NUM_KERNELS; k++)
	{
		RvdAttentionOutput out;

		each[k] = p + (Size) k * v->n;
		scores->used[k] = rvd_plan_view_uses(v->dag, k);
		if (!scores->used[k])
		{
			for (int i = 0; i < v->n; i++)
				p[(Size) k * v->n + i] = 1.0 / v->n;
			scores->loss[k] = rvd_attention_loss(each[k], share, v->n);
			continue;
		}
		(void) rvd_plan_view_kernel(v, k, &weights[k], true, &out,
									p + (Size) k * v->n);
		in.weights = &weights[k];
		scores->overlap[k] = rvd_attention_overlap(each[k], share, v->n);
		scores->loss[k] = rvd_attention_loss(each[k], share, v->n);
		if (rvd_attention_gradient(k, &in, &out, share, &scores->gradient[k],
								   v->work) != RVD_OK)
			memset(&scores->gradient[k], 0, sizeof(RvdAttentionWeights));
	}
	rvd_mixture_combine(mixture, each, v->n, mixed);
	scores->used[RVD_ATTENTION_ENSEMBLE] = true;
	scores->overlap[RVD_ATTENTION_ENSEMBLE] =
		rvd_attention_overlap(mixed, share, v->n);
	pfree(p);
	pfree(mixed);
}

static void
reward_class(int64 queryid, const Scores *scores)
{
	RvdKey		key = {(uint64) queryid, MyDatabaseId};
	RvdClass   *c = rvd_table_find(rvd_table(RVD_CLASSES), key, true, false);

	if (c == NULL)
		return;
	for (int k = 0; k < RVD_NUM_ATTENTIONS; k++)
		if (scores->used[k])
			rvd_selector_reward(&c->selector, k, scores->overlap[k]);
	c->timed_runs++;
	c->head.dirty = true;
	rvd_table_release(rvd_table(RVD_CLASSES), key);
}

static void
observe_traces(RvdAttentionState *s, const RvdDag *dag, const double *share,
			   const double *act_rows)
{
	double		now = GetCurrentTimestamp() / (double) USECS_PER_SEC;

	for (int i = 0; i < dag->n_nodes; i++)
	{
		double		est = dag->nodes[i].est_rows;
		double		surprise = act_rows[i] < 0 ? 0 :
			fabs(log((act_rows[i] + 1) / (est + 1)));
		RvdTraceSlot *slot;

		slot = rvd_attention_state_trace(s, rvd_plan_view_slot(dag, i), true);
		rvd_trace_observe(&slot->trace, now, share[i], surprise);
	}
}

void
rvd_reflect_timed(int64 queryid, const RvdDag *dag, const double *self_ms,
				  const double *act_rows)
{
	RvdNeural  *neural = rvd_my_neural();
	double	   *share = palloc(sizeof(double) * dag->n_nodes);
	RvdAttentionWeights weights[RVD_NUM_KERNELS];
	RvdMixture	mixture;
	RvdAttentionState *s;
	RvdPlanView v;
	Scores	   *scores;
	instr_time	start;

	if (neural == NULL || !rvd_part_on(RVD_PART_ATTENTION) ||
		!shares_of(self_ms, dag->n_nodes, share))
		return;
	INSTR_TIME_SET_CURRENT(start);
	s = rvd_attention_state_lock(neural, false, false);
	if (s == NULL)
		return;
	memcpy(weights, s->weights, sizeof(weights));
	mixture = s->mixture;
	rvd_attention_state_release(neural);

	rvd_plan_view(&v, dag);
	scores = palloc(sizeof(Scores));
	score(&v, share, weights, &mixture, scores);

	s = rvd_attention_state_lock(neural, true, false);
	if (s == NULL)
		return;
	for (int k = 0; k < RVD_NUM_KERNELS; k++)
		if (scores->used[k])
			rvd_attention_learn(&s->weights[k], &scores->gradient[k],
								LEARNING_RATE);
	for (int k = 0; k < RVD_NUM_ATTENTIONS; k++)
		if (scores->used[k])
			rvd_selector_reward(&s->selector, k, scores->overlap[k]);
	rvd_mixture_update(&s->mixture, scores->loss, FIXED_SHARE);
	observe_traces(s, dag, share, act_rows);
	s->timed_runs++;
	s->dirty = true;
	rvd_attention_state_release(neural);
	reward_class(queryid, scores);
	rvd_operation_add(RVD_TIME_TIMED, rvd_look_clock_us(start));
}
