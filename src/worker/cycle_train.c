/*-------------------------------------------------------------------------
 *
 * cycle_train.c
 *	  Steps 4 and 5 of a cycle: has the workload changed, and what do the
 *	  runs teach the latency model?
 *
 * The codes of this cycle's plans, bundled, are compared with those of the
 * last one.  A distance that two samples of one workload do not have ends a
 * task before the new runs are learned: what was learned so far is
 * consolidated, so that they cannot overwrite it.  (Changes of the model's
 * own error are found while it is trained.)  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "ruvector_dag/errors.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/settings.h"
#include "cycle.h"

/* Unrelated workloads are 0.5 apart, samples of one a few hundredths. */
#define NEW_WORKLOAD_DISTANCE	0.33

/* A majority of fewer codes says nothing. */
#define MIN_CODES		20

/* At least so many passes, and with few executions so many steps. */
#define EPOCHS			8
#define MAX_EPOCHS		60
#define BATCH			32
#define STEPS			400

/* Is there a code in the cache for the embedding?  (It may have gone.) */
static bool
find_code(RvdLearningCycle *c, uint64 key_of_embedding, RvdHdc *code)
{
	RvdTable   *table = rvd_table(RVD_EMBEDDINGS);
	RvdKey		key = {key_of_embedding, c->learner->database};
	RvdCachedEmbedding *e = rvd_table_find(table, key, false, true);
	uint64		any = 0;

	if (e == NULL)
		return false;
	memcpy(code->w, e->code, sizeof(code->w));
	rvd_table_release(table, key);
	for (int i = 0; i < RVD_HDC_WORDS; i++)
		any |= code->w[i];
	return any != 0;
}

void
rvd_cycle_workload(RvdLearningCycle *c)
{
	RvdHdcBundle *bundle = palloc(sizeof(RvdHdcBundle));
	RvdHdc		majority;

	c->report.workload_distance = NAN;
	rvd_hdc_bundle_init(bundle);
	for (int i = 0; i < c->n_new && rvd_part_on(RVD_PART_HDC); i++)
	{
		RvdHdc		code;

		if (find_code(c, c->keys[i], &code))
			(void) rvd_hdc_bundle_add(bundle, &code);
	}
	if (bundle->n < MIN_CODES ||
		rvd_hdc_bundle_majority(bundle, &majority) != RVD_OK)
		return;
	if (c->state->has_workload)
		c->report.workload_distance =
			rvd_hdc_distance(&majority, &c->state->workload);
	c->state->workload = majority;
	c->state->has_workload = true;
	if (c->report.workload_distance > NEW_WORKLOAD_DISTANCE &&
		rvd_part_on(RVD_PART_EWC))
		(void) rvd_trainer_consolidate(&c->state->trainer, &c->next->model,
									   rvd_dag_ewc_fisher_decay);
}

void
rvd_cycle_train(RvdLearningCycle *c)
{
	int			epochs = STEPS * BATCH / Max(c->n_samples, 1);
	RvdTrainOptions options = {
		.rate = rvd_dag_base_lora_lr,
		.epochs = Max(EPOCHS, Min(epochs, MAX_EPOCHS)), .batch = BATCH,
		.ewc = rvd_part_on(RVD_PART_EWC),
		.lambda_min = rvd_dag_ewc_lambda,
		.lambda_max = Max(rvd_dag_ewc_lambda, rvd_dag_ewc_max_lambda),
		.fisher_decay = rvd_dag_ewc_fisher_decay,
		.seed = rvd_hash_combine(c->learner->database, c->state->cycle)
	};
	RvdStatus	status = rvd_model_train(&c->next->model, &c->state->trainer,
										 c->samples, c->n_samples, c->n_new,
										 &options, &c->report.train);

	/* executions of which nothing can be learned are no failure */
	if (status != RVD_OK && status != RVD_ERR_EMPTY)
		ereport(ERROR,
				(errcode(RVD_ERRCODE_LEARNING_FAILED),
				 errmsg("could not train the latency model on %d executions",
						c->n_samples)));
	c->state->last_id = c->newest_id;
}
