/*-------------------------------------------------------------------------
 *
 * latency_micro.c
 *	  The latency model's instant part: one small step after every run.
 *
 * Each process trains an adapter of its own against what model, shared
 * adapter and its own say together, and folds it into the shared one now and
 * then.  Products B A add up; averaging A and B by themselves would average
 * nothing that means anything.
 *
 * An adapter belongs to its process, the shared one to whoever holds the
 * model's lock.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/latency_model.h"

#include <string.h>

#include "model_parts.h"

void
rvd_micro_reset(RvdMicro *micro, int rank, uint64_t seed)
{
	RvdLora		l;

	memset(micro, 0, sizeof(*micro));
	micro->rank = rank < 0 ? 0 :
		rank < RVD_MODEL_MICRO_RANK ? rank : RVD_MODEL_MICRO_RANK;
	l = rvd_micro_adapter(micro);

	/* not the base's numbers */
	rvd_lora_init(&l, ~seed);
}

RvdStatus
rvd_micro_learn(RvdMicro *micro, const RvdLatencyModel *m,
				const RvdModelSample *s, double rate)
{
	RvdPrediction p;
	RvdLora		l = rvd_micro_adapter(micro);
	float		error[RVD_MODEL_OUT] = {0};
	bool		any = false;
	RvdStatus	status;

	if (m->samples == 0 || micro->rank == 0)
		return RVD_ERR_EMPTY;
	if (!rvd_model_input_sane(&s->input))
		return RVD_ERR_ARGUMENT;
	rvd_model_predict(m, micro, &s->input, &p);
	for (int j = 0; j < RVD_MODEL_OUT; j++)
	{
		double		said = j == RVD_OUT_LATENCY ? p.log_ms : p.out[j];

		if (!rvd_target_seen(s, j))
			continue;
		error[j] = (float) (said - s->target[j]);
		any = true;
	}
	if (!any)
		return RVD_ERR_ARGUMENT;
	status = rvd_lora_step(&l, s->input.z, error, rate);
	if (status == RVD_OK && micro->samples < UINT32_MAX)
		micro->samples++;
	return status;
}

void
rvd_micro_fold(RvdMicro *shared, const RvdMicro *flushed)
{
	RvdLora		into = rvd_micro_adapter(shared);
	RvdLora		from = rvd_micro_adapter(flushed);
	double		lost;

	if (shared->rank == 0 || flushed->rank == 0 || flushed->samples == 0)
		return;
	if (rvd_lora_absorb(&into, &from, 1, &lost) != RVD_OK)
		return;
	shared->samples = shared->samples > UINT32_MAX - flushed->samples ?
		UINT32_MAX : shared->samples + flushed->samples;
}
