/*-------------------------------------------------------------------------
 *
 * stats.c
 *	  Running statistics of latencies on the log scale, and a running line.
 *
 * B. P. Welford, "Note on a method for calculating corrected sums of squares
 * and products", Technometrics 4 (1962); T. F. Chan, G. H. Golub, R. J.
 * LeVeque, "Updating formulae and a pairwise algorithm for computing sample
 * variances", STAN-CS-79-773 (1979).  Both avoid the difference of two large
 * sums that the textbook formula takes.
 *
 * No memory, no state but the caller's; the caller provides the locking.
 * Layer 1.
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <limits.h>
#include <math.h>

#include "ruvector_dag/stats.h"

#define LATENCY_FLOOR_MS	0.001
#define PRIOR_SD			0.15
#define PRIOR_RUNS			2.0

/* Spread of x below this share of its mean square is rounding, not spread. */
#define LINE_EPSILON		1e-10

/* What is counted for ms: NaN and too small become the floor. */
static double
clean_ms(double ms)
{
	if (!(ms > LATENCY_FLOOR_MS))
		return LATENCY_FLOOR_MS;
	return ms < FLT_MAX ? ms : FLT_MAX;
}

static uint32_t
add_saturated(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

void
rvd_latency_add(RvdLatency *s, double ms)
{
	double		delta;
	double		log_ms;

	ms = clean_ms(ms);
	log_ms = log(ms);
	if (s->n == 0 || ms < s->best_ms)
		s->best_ms = (float) ms;
	if (s->n == 0 || ms > s->worst_ms)
		s->worst_ms = (float) ms;
	s->last_ms = (float) ms;
	s->sum_ms += ms;
	s->n = add_saturated(s->n, 1);

	delta = log_ms - s->mean;
	s->mean += delta / s->n;
	s->m2 += delta * (log_ms - s->mean);
}

void
rvd_latency_add_censored(RvdLatency *s, double ms)
{
	ms = clean_ms(ms);
	s->n_censored = add_saturated(s->n_censored, 1);
	if (ms > s->bound_ms)
		s->bound_ms = (float) ms;
}

void
rvd_latency_merge(RvdLatency *into, const RvdLatency *s)
{
	double		n_into = into->n;
	double		n_s = s->n;
	double		delta = s->mean - into->mean;

	into->n_censored = add_saturated(into->n_censored, s->n_censored);
	if (s->bound_ms > into->bound_ms)
		into->bound_ms = s->bound_ms;
	if (s->n == 0)
		return;

	if (into->n == 0 || s->best_ms < into->best_ms)
		into->best_ms = s->best_ms;
	if (into->n == 0 || s->worst_ms > into->worst_ms)
		into->worst_ms = s->worst_ms;
	into->last_ms = s->last_ms;
	into->sum_ms += s->sum_ms;
	into->n = add_saturated(into->n, s->n);
	into->mean += delta * (n_s / (n_into + n_s));
	into->m2 += s->m2 + delta * delta * (n_into * n_s / (n_into + n_s));
}

double
rvd_latency_typical(const RvdLatency *s)
{
	return s->n > 0 ? exp(s->mean) : 0.0;
}

double
rvd_latency_variance(const RvdLatency *s)
{
	double		freedom = s->n > 1 ? (double) s->n - 1.0 : 0.0;

	return (PRIOR_RUNS * PRIOR_SD * PRIOR_SD + s->m2) /
		(PRIOR_RUNS + freedom);
}

double
rvd_latency_stddev_ms(const RvdLatency *s)
{
	double		variance;

	if (s->n < 2)
		return 0.0;
	variance = s->m2 / ((double) s->n - 1.0);
	return sqrt(expm1(variance)) * exp(s->mean + variance / 2.0);
}

void
rvd_line_add(RvdLine *l, double x, double y)
{
	if (!isfinite(x) || !isfinite(y))
		return;
	l->n += 1.0;
	l->sx += x;
	l->sy += y;
	l->sxx += x * x;
	l->sxy += x * y;
	l->syy += y * y;
}

int
rvd_line_predict(const RvdLine *l, double x, double *y, double *sd)
{
	double		mean_x;
	double		mean_y;
	double		cxx;			/* centred sums of squares and products */
	double		cxy;
	double		cyy;

	if (!(l->n >= 1.0))
		return 0;
	mean_x = l->sx / l->n;
	mean_y = l->sy / l->n;
	cxx = l->sxx - l->sx * mean_x;
	cxy = l->sxy - l->sx * mean_y;
	cyy = fmax(l->syy - l->sy * mean_y, 0.0);

	*y = mean_y;
	*sd = l->n > 1.0 ? sqrt(cyy / (l->n - 1.0)) : 0.0;
	if (l->n > 1.0 && cxx > LINE_EPSILON * l->sxx && isfinite(x))
	{
		double		slope = cxy / cxx;

		*y = mean_y + slope * (x - mean_x);

		/* two points always lie on a line: keep the spread around the mean */
		if (l->n > 2.0)
			*sd = sqrt(fmax(cyy - slope * cxy, 0.0) / (l->n - 2.0));
	}
	return l->n < INT_MAX ? (int) l->n : INT_MAX;
}
