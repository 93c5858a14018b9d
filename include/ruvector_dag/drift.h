/*-------------------------------------------------------------------------
 *
 * drift.h
 *	  Has a stream of numbers changed its mean?  Layer 1, pure.
 *
 * Page-Hinkley (Page 1954) raises a candidate, ADWIN (Bifet and Gavalda
 * 2007, exponential histogram) confirms: run lengths in algorithms 4.3, 10.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_DRIFT_H
#define RVD_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

/* Upward shift of a stream in standard deviations. */
typedef struct RvdPageHinkley
{
	uint32_t	n;
	double		mean;
	double		sum;			/* of x - mean - delta */
	double		min_sum;
} RvdPageHinkley;

/* True: alarm (delta 0.5, lambda 10 usually); the state starts anew. */
extern bool rvd_page_hinkley_add(RvdPageHinkley *d, double x, double delta,
								 double lambda);

#define RVD_ADWIN_LEVELS	24
#define RVD_ADWIN_BUCKETS	5		/* per level */

typedef struct RvdAdwin
{
	uint64_t	n;
	double		sum;
	int32_t		levels;
	int32_t		count[RVD_ADWIN_LEVELS];
	float		bucket_sum[RVD_ADWIN_LEVELS][RVD_ADWIN_BUCKETS + 1];
	float		bucket_m2[RVD_ADWIN_LEVELS][RVD_ADWIN_BUCKETS + 1];
} RvdAdwin;

/* x clipped to [0, 10].  True: older samples were dropped, mean changed. */
extern bool rvd_adwin_add(RvdAdwin *d, double x, double delta);
extern double rvd_adwin_mean(const RvdAdwin *d);

/*
 * Boundary of tasks: Page-Hinkley on standardised cube roots of squared
 * errors, confirmed by ADWIN within 50 samples; at least 50 samples a task
 * and 200 between two alarms.
 */
typedef struct RvdBoundary
{
	RvdPageHinkley page;
	RvdAdwin	window;
	uint64_t	n;
	uint64_t	last_alarm;		/* n then; 0: none */
	uint64_t	candidate;		/* n then; 0: none pending */
	uint64_t	cut;			/* n at the window's last rise; 0: none */
	uint64_t	usual;			/* samples behind these two, of this task: */
	double		mean;			/* of x, for standardising */
	double		m2;
} RvdBoundary;

/*
 * error: of the base model, in ln units or in its standard deviations, but
 * always in the same.  True: a new task begins here.
 */
extern bool rvd_boundary_add(RvdBoundary *b, double error);

#endif							/* RVD_DRIFT_H */
