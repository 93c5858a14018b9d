/*-------------------------------------------------------------------------
 *
 * kernels_learning.c
 *	  What is done after a run and in the background, timed: prediction, the
 *	  step of the micro adapter, clustering, a cycle of training.
 *
 * Samples scatter around prototypes, as plans of one workload do, and every
 * target is observed, which is the most there is to do.  The model has been
 * trained and has a former task to hold on to.  Settings are the defaults.
 *
 *-------------------------------------------------------------------------
 */
#include "kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ruvector_dag/kmeans.h"
#include "ruvector_dag/latency_model.h"
#include "ruvector_dag/vec.h"

#define SAMPLES			1000
#define CLUSTERS		100
#define PROTOTYPES		60
#define SCATTER			0.5		/* length of what is added to a prototype */
#define INSTANT_CALLS	20000
#define FLUSH_EVERY		100
#define RATE			0.002

typedef struct Learning
{
	RvdLatencyModel model;
	RvdTrainer	trainer;
	RvdMicro	micro;
	RvdModelSample sample[SAMPLES];
	float		point[SAMPLES * RVD_EMBEDDING_DIM];
	float		features[SAMPLES][RVD_PLAN_FEATURES];

	/* of the operation that is timed */
	RvdLatencyModel model_now;
	RvdTrainer	trainer_now;
	float		centroid[CLUSTERS * RVD_EMBEDDING_DIM];
	int32_t		assignment[SAMPLES];
	int32_t		size[CLUSTERS];
	void	   *work;
} Learning;

static void
draw(RvdRng *rng, float *x, double length)
{
	for (int j = 0; j < RVD_EMBEDDING_DIM; j++)
		x[j] = (float) (length / sqrt(RVD_EMBEDDING_DIM) *
						rvd_rng_normal(rng));
}

static void
make_samples(Learning *l)
{
	static float prototype[PROTOTYPES][RVD_EMBEDDING_DIM];
	RvdRng		rng;

	rvd_rng_init(&rng, RVD_RNG_TEST, 2);
	for (int i = 0; i < PROTOTYPES; i++)
		draw(&rng, prototype[i], 1);
	for (int i = 0; i < SAMPLES; i++)
	{
		float	   *e = l->point + i * RVD_EMBEDDING_DIM;
		double		log_cost = 2 + 10 * rvd_rng_uniform(&rng);

		draw(&rng, e, SCATTER);
		rvd_vec_axpy(1, prototype[rvd_rng_below(&rng, PROTOTYPES)], e,
					 RVD_EMBEDDING_DIM);
		(void) rvd_vec_normalize(e, RVD_EMBEDDING_DIM);
		for (int j = 0; j < RVD_PLAN_FEATURES; j++)
			l->features[i][j] = (float) rvd_rng_normal(&rng);
		rvd_model_input(&l->sample[i].input, e, l->features[i], exp(log_cost));
		for (int j = 0; j < RVD_MODEL_OUT; j++)
			l->sample[i].target[j] = (float) rvd_rng_normal(&rng);
		l->sample[i].target[RVD_OUT_LATENCY] =
			(float) (0.9 * log_cost - 5 + 8 * e[0]);
	}
}

static void
train(Learning *l, RvdLatencyModel *m, RvdTrainer *t)
{
	RvdTrainOptions options = {.rate = 0.001, .epochs = 8, .batch = 32,
		.ewc = true, .lambda_min = 2000, .lambda_max = 15000,
	.fisher_decay = 0.999, .seed = 1};
	RvdTrainReport said;

	must(rvd_model_train(m, t, l->sample, SAMPLES, SAMPLES, &options, &said),
		 "rvd_model_train");
	sink = said.loss_after;
}

static void
run_training(void *arg, int64_t i)
{
	Learning   *l = arg;

	l->model_now = l->model;
	l->trainer_now = l->trainer;
	train(l, &l->model_now, &l->trainer_now);
}

static void
run_clustering(void *arg, int64_t i)
{
	Learning   *l = arg;
	RvdKmeansOptions options = {.k = CLUSTERS, .max_iterations = 100,
		.tolerance = 1e-6, .seed = (uint64_t) i, .gemm = NULL};
	RvdKmeansResult result = {.centroid = l->centroid,
		.assignment = l->assignment, .size = l->size};

	must(rvd_kmeans_fit(l->point, SAMPLES, RVD_EMBEDDING_DIM, &options,
						&result, l->work), "rvd_kmeans_fit");
	sink = result.cost;
}

static void
run_prediction(void *arg, int64_t i)
{
	Learning   *l = arg;
	RvdPrediction p;

	rvd_model_predict(&l->model, &l->micro, &l->sample[i % SAMPLES].input, &p);
	sink = p.log_ms;
}

static void
run_step(void *arg, int64_t i)
{
	Learning   *l = arg;

	must(rvd_micro_learn(&l->micro, &l->model, &l->sample[i % SAMPLES],
						 RATE), "rvd_micro_learn");
}

/* As a backend does it: the input is made anew, a full adapter is flushed. */
static void
run_instant(void *arg, int64_t i)
{
	Learning   *l = arg;
	int			k = (int) (i % SAMPLES);

	rvd_model_input(&l->sample[k].input, l->point + k * RVD_EMBEDDING_DIM,
					l->features[k], exp(l->sample[k].input.log_cost));
	run_step(l, i);
	if (l->micro.samples < FLUSH_EVERY)
		return;
	rvd_micro_fold(&l->model.micro, &l->micro);
	rvd_micro_reset(&l->micro, l->micro.rank, (uint64_t) i);
}

void
measure_learning(double seconds)
{
	Learning   *l = get_memory(sizeof(Learning));
	double		clustering;
	double		training;

	memset(l, 0, sizeof(*l));
	l->work = get_memory(rvd_kmeans_workspace(SAMPLES, RVD_EMBEDDING_DIM,
											  CLUSTERS));
	make_samples(l);
	rvd_model_init(&l->model, 8, RVD_MODEL_MICRO_RANK, 1);
	train(l, &l->model, &l->trainer);
	if (!rvd_trainer_consolidate(&l->trainer, &l->model, 0.999))
		must(RVD_ERR_STATE, "rvd_trainer_consolidate");
	rvd_micro_reset(&l->micro, RVD_MODEL_MICRO_RANK, 1);

	report("predict", measure(run_prediction, l, seconds));
	report("micro_step", measure(run_step, l, seconds));
	report("instant", measure_p99(run_instant, l, INSTANT_CALLS));
	clustering = measure(run_clustering, l, seconds);
	training = measure(run_training, l, seconds);
	report("kmeans", clustering);
	report("train", training);
	report("cycle", clustering + training);
	free(l->work);
	free(l);
}
