/*-------------------------------------------------------------------------
 *
 * model_parts.h
 *	  What the files of the latency model share.  Layer 1, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_MODEL_PARTS_H
#define RVD_MODEL_PARTS_H

#include <math.h>
#include <stddef.h>

#include "ruvector_dag/latency_model.h"

/* ln units: e^50 ms is 10^14 years. */
#define RVD_MAX_TARGET		50.0f

/* Components of inputs are logs and shares; these are not. */
#define RVD_MAX_INPUT		1e4f

/* Both factors of the base, which lie side by side, as one vector. */
_Static_assert(offsetof(RvdLatencyModel, base_b) ==
			   offsetof(RvdLatencyModel, base_a) +
			   sizeof(((RvdLatencyModel *) 0)->base_a),
			   "factors of the base adapter are one vector");

static inline float *
rvd_model_theta(RvdLatencyModel *m)
{
	return (float *) ((char *) m + offsetof(RvdLatencyModel, base_a));
}

/* Views; those of a const model are for reading. */
static inline RvdLora
rvd_model_base(const RvdLatencyModel *m)
{
	RvdLora		l = {RVD_MODEL_IN, RVD_MODEL_OUT, m->base_rank, 1.0f,
	(float *) m->base_a, (float *) m->base_b};

	return l;
}

static inline RvdLora
rvd_micro_adapter(const RvdMicro *m)
{
	RvdLora		l = {RVD_MODEL_MICRO_IN, RVD_MODEL_OUT, m->rank, 1.0f,
	(float *) m->a, (float *) m->b};

	return l;
}

static inline bool
rvd_target_seen(const RvdModelSample *s, int output)
{
	return fabsf(s->target[output]) <= RVD_MAX_TARGET;	/* false for NaN */
}

/* latency_model.c */
extern bool rvd_model_input_sane(const RvdModelInput *in);

/* The line at a cost; the cost itself while there is none. */
extern double rvd_model_line(const RvdLatencyModel *m, double log_cost);

/* out[RVD_MODEL_OUT]: W x + base(x), overwritten. */
extern void rvd_model_slow_part(const RvdLatencyModel *m,
								const RvdModelInput *in, float *out);

/*
 * How unlike what was seen z is: z' (sum z z' + I)^-1 z, >= 0.
 * pz[RVD_MODEL_MICRO_IN]: the product on the way.
 */
extern double rvd_model_leverage(const RvdLatencyModel *m, const float *z,
								 float *pz);

/* An adapter's rows over z as rows over x: ax[rank * RVD_MODEL_IN]. */
extern void rvd_model_project_rows(const RvdMicro *micro, float *ax);

#endif							/* RVD_MODEL_PARTS_H */
