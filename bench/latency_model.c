/*
 * latency_model.c
 *	  Trains and judges the latency model on what bench/latency_model
 *	  gathered.  Standard input, one execution per line:
 *		variant split statement ms cost plan[16] embedding[256]
 *	  split is "train" or "test"; statement is a number.  Standard output,
 *	  one line per variant (the first ones, "cost" and "line", need none):
 *		variant n median_q p90_q rank_correlation statements top1
 *	  rank correlation: Spearman's, of the predicted with the true times of
 *	  the plans of one test statement, averaged over statements with at least
 *	  two plans; top1: how often the plan predicted fastest was within 10 % of
 *	  the fastest.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ruvector_dag/latency_model.h"

#define MAX_ROWS	4000
#define MAX_VARIANTS 16
#define CYCLES		4
#define RATE		0.001

typedef struct Row
{
	int			variant;
	int			test;
	int			statement;
	double		ms;
	double		cost;
	float		plan[RVD_PLAN_FEATURES];
	float		embedding[RVD_EMBEDDING_DIM];
	double		predicted;		/* ln ms */
} Row;

static Row *rows;
static int	n_rows;
static char names[MAX_VARIANTS][32];
static int	n_variants;

static int
variant_of(const char *name)
{
	for (int i = 0; i < n_variants; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	if (n_variants == MAX_VARIANTS)
		exit(2);
	snprintf(names[n_variants], sizeof(names[0]), "%s", name);
	return n_variants++;
}

static void
read_rows(void)
{
	char		name[32];
	char		split[8];

	rows = malloc(sizeof(Row) * MAX_ROWS * MAX_VARIANTS);
	while (n_rows < MAX_ROWS * MAX_VARIANTS)
	{
		Row		   *r = &rows[n_rows];

		if (scanf("%31s %7s %d %lf %lf", name, split, &r->statement, &r->ms,
				  &r->cost) != 5)
			return;
		r->variant = variant_of(name);
		r->test = strcmp(split, "test") == 0;
		for (int i = 0; i < RVD_PLAN_FEATURES; i++)
			if (scanf("%f", &r->plan[i]) != 1)
				exit(2);
		for (int i = 0; i < RVD_EMBEDDING_DIM; i++)
			if (scanf("%f", &r->embedding[i]) != 1)
				exit(2);
		n_rows++;
	}
}

static int
compare_double(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* Average ranks of v[n] into r[n]. */
static void
rank(const double *v, int n, double *r)
{
	for (int i = 0; i < n; i++)
	{
		int			less = 0;
		int			same = 0;

		for (int j = 0; j < n; j++)
		{
			less += v[j] < v[i];
			same += v[j] == v[i];
		}
		r[i] = less + (same + 1) / 2.0;
	}
}

static double
correlation(const double *x, const double *y, int n)
{
	double		mx = 0,
				my = 0,
				sxy = 0,
				sxx = 0,
				syy = 0;

	for (int i = 0; i < n; i++)
	{
		mx += x[i] / n;
		my += y[i] / n;
	}
	for (int i = 0; i < n; i++)
	{
		sxy += (x[i] - mx) * (y[i] - my);
		sxx += (x[i] - mx) * (x[i] - mx);
		syy += (y[i] - my) * (y[i] - my);
	}
	return sxx > 0 && syy > 0 ? sxy / sqrt(sxx * syy) : 0;
}

static void
judge(const char *label, int variant)
{
	static double q[MAX_ROWS];
	double		sum = 0;
	int			n = 0;
	int			groups = 0;
	int			top = 0;
	int			last = 0;

	for (int i = 0; i < n_rows; i++)
	{
		const Row  *r = &rows[i];

		if (r->variant != variant || !r->test)
			continue;
		q[n++] = exp(fabs(r->predicted - log(r->ms)));
		last = r->statement > last ? r->statement : last;
	}
	for (int s = 0; s <= last; s++)
	{
		double		p[64],
					t[64],
					rp[64],
					rt[64];
		int			m = 0;
		int			best = 0;
		int			chosen = 0;

		for (int i = 0; i < n_rows && m < 64; i++)
			if (rows[i].variant == variant && rows[i].test &&
				rows[i].statement == s)
			{
				p[m] = rows[i].predicted;
				t[m] = rows[i].ms;
				m++;
			}
		if (m < 2)
			continue;
		rank(p, m, rp);
		rank(t, m, rt);
		sum += correlation(rp, rt, m);
		for (int i = 1; i < m; i++)
		{
			best = t[i] < t[best] ? i : best;
			chosen = p[i] < p[chosen] ? i : chosen;
		}
		top += t[chosen] <= t[best] * 1.1;
		groups++;
	}
	qsort(q, n, sizeof(double), compare_double);
	printf("%s %d %.3f %.3f %.3f %d %.3f\n", label, n, n ? q[n / 2] : 0,
		   n ? q[(int) (n * 0.9)] : 0, groups ? sum / groups : 0, groups,
		   groups ? (double) top / groups : 0);
}

/* One fixed price of a cost unit: its median over the training runs. */
static void
judge_cost(void)
{
	static double ratio[MAX_ROWS];
	int			n = 0;

	for (int i = 0; i < n_rows; i++)
		if (rows[i].variant == 0 && !rows[i].test)
			ratio[n++] = log(rows[i].ms) - log(fmax(rows[i].cost, 1));
	qsort(ratio, n, sizeof(double), compare_double);
	for (int i = 0; i < n_rows; i++)
		rows[i].predicted = log(fmax(rows[i].cost, 1)) + ratio[n / 2];
	judge("cost", 0);
}

static void
judge_line(void)
{
	RvdLine		line;

	memset(&line, 0, sizeof(line));
	for (int i = 0; i < n_rows; i++)
		if (rows[i].variant == 0 && !rows[i].test)
			rvd_line_add(&line, log(fmax(rows[i].cost, 1)), log(rows[i].ms));
	for (int i = 0; i < n_rows; i++)
	{
		double		sd;

		rvd_line_predict(&line, log(fmax(rows[i].cost, 1)),
						 &rows[i].predicted, &sd);
	}
	judge("line", 0);
}

static void
judge_model(int variant)
{
	RvdLatencyModel *m = malloc(sizeof(RvdLatencyModel));
	RvdTrainer *t = calloc(1, sizeof(RvdTrainer));
	RvdModelSample *samples = malloc(sizeof(RvdModelSample) * MAX_ROWS);
	RvdTrainOptions o = {
		.rate = RATE, .epochs = 8, .batch = 32, .ewc = true,
		.lambda_min = 2000, .lambda_max = 15000, .fisher_decay = 0.999,
		.seed = 1
	};
	RvdTrainReport report;
	int			n = 0;

	for (int i = 0; i < n_rows && n < MAX_ROWS; i++)
	{
		const Row  *r = &rows[i];

		if (r->variant != variant || r->test)
			continue;
		rvd_model_input(&samples[n].input, r->embedding, r->plan, r->cost);
		for (int k = 0; k < RVD_MODEL_OUT; k++)
			samples[n].target[k] = NAN;
		samples[n++].target[0] = (float) log(r->ms);
	}
	rvd_model_init(m, 8, 2, 1);
	/* the first cycle sees them as new, later ones as replayed */
	for (int c = 0; c < CYCLES; c++)
	{
		o.seed = c + 1;
		if (rvd_model_train(m, t, samples, n, c == 0 ? n : 0, &o,
							&report) != RVD_OK)
			exit(3);
	}
	for (int i = 0; i < n_rows; i++)
		if (rows[i].variant == variant)
		{
			RvdModelInput in;
			RvdPrediction p;

			rvd_model_input(&in, rows[i].embedding, rows[i].plan, rows[i].cost);
			rvd_model_predict(m, NULL, &in, &p);
			rows[i].predicted = p.log_ms;
		}
	judge(names[variant], variant);
	free(m);
	free(t);
	free(samples);
}

int
main(void)
{
	read_rows();
	judge_cost();
	judge_line();
	for (int v = 0; v < n_variants; v++)
		judge_model(v);
	return 0;
}
