/*-------------------------------------------------------------------------
 *
 * train_boundary.c
 *	  The end of a task that shows elsewhere than in the model's errors.
 *
 * Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "train.h"

#include "model_parts.h"

bool
rvd_trainer_consolidate(RvdTrainer *t, const RvdLatencyModel *m,
						double fisher_decay)
{
	RvdEwc		e = rvd_trainer_ewc(t, 0, RVD_MODEL_BASE_SIZE);

	if (t->ewc_samples == 0)
		return false;
	rvd_ewc_consolidate(&e, rvd_model_theta((RvdLatencyModel *) m),
						fisher_decay);
	t->ewc_samples = e.samples;
	t->ewc_consolidated = e.consolidated_samples;
	t->ewc_tasks = e.tasks;
	return true;
}
