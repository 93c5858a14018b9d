/*-------------------------------------------------------------------------
 *
 * stats.h
 *	  Running statistics of latencies on the log scale.  Layer 1, pure.
 *
 * Latencies are multiplicative: everything is kept as the natural log of
 * milliseconds (floored at 1 us).  Mean and spread by Welford's recurrence
 * (Technometrics 1962).  A censored run ("at least this slow") never enters
 * the moments; it only raises the bound.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_STATS_H
#define RVD_STATS_H

#include <stdint.h>

typedef struct RvdLatency
{
	uint32_t	n;				/* complete runs */
	uint32_t	n_censored;		/* runs cut short */
	double		mean;			/* of ln ms */
	double		m2;				/* sum of squared deviations */
	double		sum_ms;
	float		best_ms;
	float		worst_ms;
	float		last_ms;
	float		bound_ms;		/* largest censored figure: a lower bound */
} RvdLatency;

/* ms < 0.001, NaN: counted as 0.001; infinite: as FLT_MAX.  O(1). */
extern void rvd_latency_add(RvdLatency *s, double ms);
extern void rvd_latency_add_censored(RvdLatency *s, double ms);

/*
 * Fold s into *into (Chan, Golub, LeVeque 1979); last_ms is taken from s
 * unless s has no complete run.
 */
extern void rvd_latency_merge(RvdLatency *into, const RvdLatency *s);

/* Geometric mean in ms; 0 if no complete run. */
extern double rvd_latency_typical(const RvdLatency *s);

/*
 * Variance of one run's log latency: the sample's, shrunk towards a prior of
 * sd 0.15 (a tenth or so of noise on an idle server) worth two runs, so that
 * two equal runs do not claim certainty.
 */
extern double rvd_latency_variance(const RvdLatency *s);

/*
 * Standard deviation in ms of the complete runs, by the log-normal moments;
 * 0 with fewer than two.
 */
extern double rvd_latency_stddev_ms(const RvdLatency *s);

/*
 * Ordinary least squares of y on x from running sums: a class's log latency
 * on its log default cost, which gives an instance never seen before an
 * expectation.
 */
typedef struct RvdLine
{
	double		n;
	double		sx;
	double		sy;
	double		sxx;
	double		sxy;
	double		syy;
} RvdLine;

extern void rvd_line_add(RvdLine *l, double x, double y);

/*
 * Predicted y at x and the residual's standard deviation; the plain mean is
 * used while x has no spread.  With two points *sd is the spread around the
 * mean (the line leaves no residual), with one it is 0.  Returns the number
 * of points; 0: untouched.  rvd_line_add() ignores what is not finite.
 */
extern int	rvd_line_predict(const RvdLine *l, double x,
							 double *y, double *sd);

#endif							/* RVD_STATS_H */
