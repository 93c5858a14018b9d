/*-------------------------------------------------------------------------
 *
 * row_model.c
 *	  Learned rows of one clause signature.  See row_model.h.
 *
 * Layer 1, pure: knows nothing of relations or clauses, only hashes, log
 * selectivities and counts.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/row_model.h"

#include <math.h>
#include <string.h>

/* A neighbour at this distance in log selectivity counts e^-0.5. */
#define BANDWIDTH		1.0

/* Weight of the server's own estimate among a base relation's neighbours. */
#define SHRINK			1.0

/* A correction must exceed this many standard errors, and a factor of two. */
#define Z_APPLY			1.64

/* Spread of log corrections assumed while there is but one observation. */
#define PRIOR_VARIANCE	1.0

/* Neighbours of joins and lookups must agree to about a factor of e. */
#define MAX_SPREAD		1.0
#define MIN_NEIGHBOURS	1.5

#define MAX_CORRECTION	9.21	/* ln 10^4 */

/*
 * A run cut short has seen "at least this many".  The count itself as
 * prediction would propose the same plan again; twice it doubles with every
 * further cut, so that the bound is overtaken in a few rounds.
 */
#define BOUND_FACTOR	2.0

#define NEWS_FACTOR		1.2

static RvdRowObservation *
find_exact(RvdRowModel *m, uint64_t exact)
{
	for (int i = 0; i < m->n; i++)
		if (m->obs[i].exact == exact)
			return &m->obs[i];
	return NULL;
}

/* A free place, else the observation made longest ago, bounds first. */
static RvdRowObservation *
make_room(RvdRowModel *m)
{
	RvdRowObservation *oldest = NULL;

	if (m->n < RVD_ROW_OBS)
		return &m->obs[m->n++];
	for (int i = 0; i < m->n; i++)
	{
		RvdRowObservation *o = &m->obs[i];

		if (oldest == NULL || o->censored > oldest->censored ||
			(o->censored == oldest->censored &&
			 o->sequence < oldest->sequence))
			oldest = o;
	}
	return oldest;
}

bool
rvd_row_model_observe(RvdRowModel *m, uint64_t exact, const float *x,
					  int dims, double rows, double log_reference,
					  bool censored)
{
	RvdRowObservation *o = find_exact(m, exact);
	double		floor_rows = m->kind == RVD_ROW_LOOKUP ? 1e-3 : 1.0;
	double		counted = rows > floor_rows ? rows : floor_rows;
	bool		news;

	if (!(rows >= 0) || !isfinite(rows) || !isfinite(log_reference))
		return false;

	m->sequence++;
	if (o == NULL)
	{
		o = make_room(m);
		memset(o, 0, sizeof(*o));
		o->exact = exact;
		news = true;
	}
	else
	{
		/* a bound below what is known says nothing */
		if (censored && counted <= o->rows)
			return false;
		/* a first clean count is news: the bound predicted more than it */
		news = (o->censored && !censored) ||
			counted > o->rows * NEWS_FACTOR ||
			counted * NEWS_FACTOR < o->rows;
	}
	for (int i = 0; i < RVD_ROW_DIMS; i++)
		o->x[i] = i < dims && isfinite(x[i]) ? x[i] : 0.0f;
	o->rows = (float) counted;
	o->y = (float) (log(counted) - log_reference);
	o->weight = 1.0f;
	o->sequence = m->sequence;
	o->censored = censored;
	if (o->count < UINT16_MAX)
		o->count++;
	return news;
}

/* Kernel-weighted mean and variance of y around the point x. */
static double
neighbours(const RvdRowModel *m, const float *x, int dims,
		   double *mean, double *variance)
{
	double		w_sum = 0;
	double		y_sum = 0;
	double		yy_sum = 0;

	for (int i = 0; i < m->n; i++)
	{
		const RvdRowObservation *o = &m->obs[i];
		double		d2 = 0;
		double		w;

		if (o->censored)
			continue;
		for (int j = 0; j < RVD_ROW_DIMS; j++)
		{
			double		d = (j < dims ? x[j] : 0.0) - o->x[j];

			d2 += d * d;
		}
		w = o->weight * exp(-d2 / (2 * BANDWIDTH * BANDWIDTH));
		w_sum += w;
		y_sum += w * o->y;
		yy_sum += w * o->y * (double) o->y;
	}
	if (w_sum <= 0)
		return 0;
	*mean = y_sum / w_sum;
	*variance = yy_sum / w_sum - *mean * *mean;
	if (*variance < 0)
		*variance = 0;
	return w_sum;
}

static double
clip(double v, double limit)
{
	return v > limit ? limit : v < -limit ? -limit : v;
}

RvdRowSource
rvd_row_model_predict(const RvdRowModel *m, uint64_t exact, const float *x,
					  int dims, double log_reference, double log_estimate,
					  double *rows)
{
	const RvdRowObservation *o = find_exact((RvdRowModel *) m, exact);
	double		w;
	double		mean;
	double		variance;

	if (o && !o->censored)
	{
		*rows = o->rows;
		return RVD_ROW_EXACT;
	}
	if (o && log((double) o->rows) > log_estimate)
	{
		*rows = o->rows * BOUND_FACTOR;
		return RVD_ROW_BOUND;
	}

	w = neighbours(m, x, dims, &mean, &variance);
	if (w <= 0)
		return RVD_ROW_UNKNOWN;
	if (m->kind == RVD_ROW_BASE)
	{
		/* sample variance, with one pseudo-observation of the prior */
		variance = (variance * w + PRIOR_VARIANCE) / (w + 1.0);
		mean = mean * w / (w + SHRINK);
		if (fabs(mean) <= Z_APPLY * sqrt(variance / (w + SHRINK)) ||
			fabs(mean) <= log(2.0))
			return RVD_ROW_UNKNOWN;
		mean = clip(mean, MAX_CORRECTION);
	}
	else if (w < MIN_NEIGHBOURS || sqrt(variance) > MAX_SPREAD)
		return RVD_ROW_UNKNOWN;
	*rows = exp(log_reference + mean);
	return RVD_ROW_NEIGHBOUR;
}
