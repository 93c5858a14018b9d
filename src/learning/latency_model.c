/*-------------------------------------------------------------------------
 *
 * latency_model.c
 *	  How long a plan will take: the model's inputs and its answer.
 *
 * The answer's uncertainty is that of Bayesian linear regression: residual
 * variance times one plus the leverage z' (sum z z' + I)^-1 z, so a plan
 * unlike everything seen is known to be unknown.
 *
 * The projection from the embedding to the micro adapter's input is a sparse
 * signed one (Achlioptas 2003; Kane and Nelson 2014): each of 256 components
 * goes, with signs, to one output in each of three groups of sixteen, by
 * hash, divided by sqrt(3).  Squared norms are preserved in expectation, and
 * it needs neither a table nor more than 768 additions.
 *
 * Everything is in the caller's structs; the caller provides the locking.
 * Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/latency_model.h"

#include <math.h>
#include <string.h>

#include "ruvector_dag/hash.h"
#include "ruvector_dag/rng.h"
#include "ruvector_dag/vec.h"
#include "model_parts.h"

/* sqrt(RVD_EMBEDDING_DIM): the squared norm becomes the number of inputs. */
#define EMBEDDING_SCALE		16.0f

/* The projection's part of z. */
#define PROJECTED			(RVD_MODEL_MICRO_IN - RVD_PLAN_FEATURES)
#define GROUPS				3
#define GROUP_SIZE			(PROJECTED / GROUPS)

/* x to z: sqrt(48) / 16 for the dimension, 1 / sqrt(3) for three copies. */
#define PROJECTION_SCALE	0.25f

/* What a run's ln ms may be off while nothing is known, squared. */
#define START_VARIANCE		1.0f

#define MIN_RANK			4

void
rvd_model_init(RvdLatencyModel *m, int base_rank, int micro_rank,
			   uint64_t seed)
{
	RvdLora		base;

	memset(m, 0, sizeof(*m));
	m->version = RVD_MODEL_VERSION;
	if (base_rank > 0)
		m->base_rank = base_rank < MIN_RANK ? MIN_RANK :
			base_rank < RVD_MODEL_BASE_RANK ? base_rank : RVD_MODEL_BASE_RANK;
	base = rvd_model_base(m);
	rvd_lora_init(&base, seed);
	for (int j = 0; j < RVD_MODEL_OUT; j++)
		m->variance[j] = START_VARIANCE;
	for (int i = 0; i < RVD_MODEL_MICRO_IN; i++)
		m->precision[i * RVD_MODEL_MICRO_IN + i] = 1;
	rvd_micro_reset(&m->micro, micro_rank, seed);
}

/* ---- inputs ------------------------------------------------------------- */

/* Where component i of the embedding goes in a group, and its sign. */
static int
projected_slot(uint64_t hash, int group)
{
	return group * GROUP_SIZE + (int) ((hash >> (8 * group)) % GROUP_SIZE);
}

static float
projected_sign(uint64_t hash, int group)
{
	return (hash >> (32 + group)) & 1 ? 1.0f : -1.0f;
}

static uint64_t
component_hash(int i)
{
	return rvd_hash_combine(RVD_RNG_PROJECTION, (uint64_t) i);
}

void
rvd_model_input(RvdModelInput *in, const float *embedding,
				const float *plan_features, double total_cost)
{
	memset(in, 0, sizeof(*in));
	in->log_cost = log(fmax(total_cost, 1.0));
	for (int i = 0; i < RVD_EMBEDDING_DIM; i++)
	{
		uint64_t	hash = component_hash(i);

		in->x[i] = EMBEDDING_SCALE * embedding[i];
		for (int g = 0; g < GROUPS; g++)
			in->z[projected_slot(hash, g)] +=
				PROJECTION_SCALE * projected_sign(hash, g) * in->x[i];
	}
	memcpy(in->x + RVD_EMBEDDING_DIM, plan_features,
		   sizeof(float) * RVD_PLAN_FEATURES);
	memcpy(in->z + PROJECTED, plan_features,
		   sizeof(float) * RVD_PLAN_FEATURES);
}

void
rvd_model_project_rows(const RvdMicro *micro, float *ax)
{
	for (int i = 0; i < RVD_EMBEDDING_DIM; i++)
	{
		uint64_t	hash = component_hash(i);

		for (int k = 0; k < micro->rank; k++)
		{
			float		sum = 0;

			for (int g = 0; g < GROUPS; g++)
				sum += projected_sign(hash, g) *
					micro->a[k * RVD_MODEL_MICRO_IN + projected_slot(hash, g)];
			ax[k * RVD_MODEL_IN + i] = PROJECTION_SCALE * sum;
		}
	}
	for (int k = 0; k < micro->rank; k++)
		memcpy(ax + k * RVD_MODEL_IN + RVD_EMBEDDING_DIM,
			   micro->a + k * RVD_MODEL_MICRO_IN + PROJECTED,
			   sizeof(float) * RVD_PLAN_FEATURES);
}

static bool
all_within(const float *x, int n)
{
	bool		within = true;

	for (int i = 0; i < n; i++)
		within &= fabsf(x[i]) <= RVD_MAX_INPUT;
	return within;
}

bool
rvd_model_input_sane(const RvdModelInput *in)
{
	return fabs(in->log_cost) <= RVD_MAX_INPUT &&
		all_within(in->x, RVD_MODEL_IN) &&
		all_within(in->z, RVD_MODEL_MICRO_IN);
}

/* ---- the answer --------------------------------------------------------- */

double
rvd_model_line(const RvdLatencyModel *m, double log_cost)
{
	double		y = log_cost;
	double		sd;

	(void) rvd_line_predict(&m->line, log_cost, &y, &sd);
	return y;
}

void
rvd_model_slow_part(const RvdLatencyModel *m, const RvdModelInput *in,
					float *out)
{
	RvdLora		base = rvd_model_base(m);

	for (int j = 0; j < RVD_MODEL_OUT; j++)
		out[j] = rvd_vec_dot(m->w + j * RVD_MODEL_IN, in->x, RVD_MODEL_IN);
	rvd_lora_forward(&base, in->x, out);
}

double
rvd_model_leverage(const RvdLatencyModel *m, const float *z, float *pz)
{
	for (int i = 0; i < RVD_MODEL_MICRO_IN; i++)
		pz[i] = rvd_vec_dot(m->precision + i * RVD_MODEL_MICRO_IN, z,
							RVD_MODEL_MICRO_IN);

	/* rounding may take it below */
	return fmax(0, rvd_vec_dot_exact(pz, z, RVD_MODEL_MICRO_IN));
}

void
rvd_model_predict(const RvdLatencyModel *m, const RvdMicro *micro,
				  const RvdModelInput *in, RvdPrediction *p)
{
	float		pz[RVD_MODEL_MICRO_IN];
	RvdLora		adapter;

	memset(p, 0, sizeof(*p));
	p->sd = sqrt(START_VARIANCE * (1.0 + RVD_MODEL_MICRO_IN));
	if (!rvd_model_input_sane(in))
		return;
	rvd_model_slow_part(m, in, p->out);
	adapter = rvd_micro_adapter(&m->micro);
	rvd_lora_forward(&adapter, in->z, p->out);
	if (micro)
	{
		adapter = rvd_micro_adapter(micro);
		rvd_lora_forward(&adapter, in->z, p->out);
	}
	p->known = m->samples > 0;
	p->log_ms = rvd_model_line(m, in->log_cost) + p->out[RVD_OUT_LATENCY];
	p->sd = sqrt(m->variance[RVD_OUT_LATENCY] *
				 (1 + rvd_model_leverage(m, in->z, pz)));
}
