/*-------------------------------------------------------------------------
 *
 * drift.c
 *	  Changes of a stream's mean, and boundaries of tasks.
 *
 * E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954), in the
 * form of Hinkley with the running mean; A. Bifet, R. Gavalda, "Learning
 * from time-changing data with adaptive windowing", SDM 2007: a window that
 * drops its older part as soon as two parts of it differ in mean beyond
 * chance, kept as an exponential histogram.
 *
 * One test alone alarms too often or too late for what a boundary costs
 * (parameters are tied down): both have to agree.
 *
 * State is the caller's, all zero at the start; nothing else is kept.  O(1)
 * and O(log^2 n) per number.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/drift.h"

#include <math.h>
#include <string.h>

#define ADWIN_MAX		10.0
#define ADWIN_MIN_PART	5		/* samples on either side of a cut */

#define PAGE_DELTA		0.5
#define PAGE_LAMBDA		10.0
#define WINDOW_DELTA	0.002
#define MIN_TASK		50
#define SETTLED			200		/* samples that say what is usual in a task */
#define SUSPICION		3.0		/* of Page-Hinkley's ten: perhaps a change */
#define COOL_DOWN		200
#define AGREE_WITHIN	50

/* Standard deviations are taken to the window's range with this as zero. */
#define CENTER			5.0

/* Spread below this share of the mean, or this, is nobody's concern. */
#define MIN_SD_SHARE	0.05
#define MIN_SD			0.01

bool
rvd_page_hinkley_add(RvdPageHinkley *d, double x, double delta, double lambda)
{
	if (!isfinite(x))
		return false;
	d->n++;
	d->mean += (x - d->mean) / d->n;
	d->sum += x - d->mean - delta;
	d->min_sum = fmin(d->min_sum, d->sum);
	if (d->sum - d->min_sum <= lambda)
		return false;
	memset(d, 0, sizeof(*d));
	return true;
}

/* ---- adaptive window ---------------------------------------------------- */

/* Count, sum and squared deviations of some part of the window. */
typedef struct Part
{
	double		n;
	double		sum;
	double		m2;
} Part;

static Part
bucket_of(const RvdAdwin *d, int level, int i)
{
	Part		p = {ldexp(1, level), d->bucket_sum[level][i],
	d->bucket_m2[level][i]};

	return p;
}

/* Chan, Golub and LeVeque's formula. */
static void
part_add(Part *into, const Part *p)
{
	if (into->n > 0 && p->n > 0)
	{
		double		delta = p->sum / p->n - into->sum / into->n;

		into->m2 += delta * delta * into->n * p->n / (into->n + p->n);
	}
	into->m2 += p->m2;
	into->sum += p->sum;
	into->n += p->n;
}

static Part
whole(const RvdAdwin *d)
{
	Part		all = {0, 0, 0};

	for (int level = d->levels - 1; level >= 0; level--)
		for (int i = 0; i < d->count[level]; i++)
		{
			Part		p = bucket_of(d, level, i);

			part_add(&all, &p);
		}
	return all;
}

/* Forget the oldest n buckets of a level. */
static void
remove_first(RvdAdwin *d, int level, int n)
{
	size_t		rest = sizeof(float) * (size_t) (d->count[level] - n);

	memmove(d->bucket_sum[level], d->bucket_sum[level] + n, rest);
	memmove(d->bucket_m2[level], d->bucket_m2[level] + n, rest);
	d->count[level] -= n;
}

static void
append(RvdAdwin *d, int level, const Part *p)
{
	int			i = d->count[level]++;

	d->bucket_sum[level][i] = (float) p->sum;
	d->bucket_m2[level][i] = (float) p->m2;
	if (level >= d->levels)
		d->levels = level + 1;
}

static void
drop_oldest(RvdAdwin *d)
{
	Part		all;

	remove_first(d, d->levels - 1, 1);
	while (d->levels > 0 && d->count[d->levels - 1] == 0)
		d->levels--;
	all = whole(d);
	d->n = (uint64_t) all.n;
	d->sum = all.sum;
}

/* Where a level is too full its two oldest buckets become one of the next. */
static void
compress(RvdAdwin *d)
{
	for (int level = 0; level < d->levels &&
		 d->count[level] > RVD_ADWIN_BUCKETS; level++)
	{
		Part		pair = bucket_of(d, level, 0);
		Part		second = bucket_of(d, level, 1);

		if (level == RVD_ADWIN_LEVELS - 1)
		{
			drop_oldest(d);
			return;
		}
		part_add(&pair, &second);
		remove_first(d, level, 2);
		append(d, level + 1, &pair);
	}
}

/* Do the means of the window's two parts differ beyond chance? */
static bool
parts_differ(const Part *old, const Part *all, double log_term)
{
	double		n_new = all->n - old->n;
	double		harmonic = 1 / old->n + 1 / n_new;	/* 1/m */
	double		variance = all->m2 / all->n;
	double		gap = fabs(old->sum / old->n - (all->sum - old->sum) / n_new);

	return gap > sqrt(2 * harmonic * variance * log_term) +
		2.0 / 3.0 * harmonic * log_term;
}

static bool
must_cut(const RvdAdwin *d, double delta)
{
	Part		all = whole(d);
	Part		old = {0, 0, 0};
	double		log_term = log(2 * all.n / delta);

	for (int level = d->levels - 1; level >= 0; level--)
		for (int i = 0; i < d->count[level]; i++)
		{
			Part		p = bucket_of(d, level, i);

			part_add(&old, &p);
			if (all.n - old.n < ADWIN_MIN_PART)
				return false;
			if (old.n >= ADWIN_MIN_PART && parts_differ(&old, &all, log_term))
				return true;
		}
	return false;
}

bool
rvd_adwin_add(RvdAdwin *d, double x, double delta)
{
	Part		one = {1, 0, 0};
	bool		changed = false;

	if (isnan(x))
		return false;
	one.sum = fmax(0, fmin(ADWIN_MAX, x));
	append(d, 0, &one);
	d->n++;
	d->sum += one.sum;
	compress(d);
	while (must_cut(d, delta))
	{
		drop_oldest(d);
		changed = true;
	}
	return changed;
}

double
rvd_adwin_mean(const RvdAdwin *d)
{
	return d->n > 0 ? d->sum / (double) d->n : 0;
}

/* ---- boundaries --------------------------------------------------------- */

/* Samples of the present task, this one included. */
static uint64_t
task_samples(const RvdBoundary *b)
{
	return b->n - b->last_alarm;
}

/*
 * No longer than needed, since a slow drift must not become what is usual,
 * and not while a change may be under way: it would hide itself.
 */
static void
learn_spread(RvdBoundary *b, double x)
{
	double		delta = x - b->mean;

	if (b->usual >= SETTLED || b->candidate > 0 ||
		b->page.sum - b->page.min_sum > SUSPICION)
		return;
	b->usual++;
	b->mean += delta / (double) b->usual;
	b->m2 += delta * (x - b->mean);
}

static bool
agree(const RvdBoundary *b)
{
	uint64_t	apart;

	if (b->candidate == 0 || b->cut == 0)
		return false;
	apart = b->candidate > b->cut ? b->candidate - b->cut :
		b->cut - b->candidate;
	return apart <= AGREE_WITHIN;
}

/*
 * Both tests on a standardised sample.  Where they have agreed and only wait
 * for the cool-down, nothing they say later changes that.
 */
static void
run_tests(RvdBoundary *b, double z)
{
	double		before = rvd_adwin_mean(&b->window);
	bool		settled = agree(b);
	bool		alarm;
	bool		cut;

	alarm = rvd_page_hinkley_add(&b->page, z, PAGE_DELTA, PAGE_LAMBDA);
	cut = rvd_adwin_add(&b->window, z + CENTER, WINDOW_DELTA);
	if (alarm && !settled)
		b->candidate = b->n;

	/* errors that became smaller are no new task */
	if (cut && !settled && rvd_adwin_mean(&b->window) > before)
		b->cut = b->n;
}

static void
start_task(RvdBoundary *b)
{
	b->last_alarm = b->n;
	b->candidate = 0;
	b->cut = 0;
	b->usual = 0;
	b->mean = 0;
	b->m2 = 0;
	memset(&b->page, 0, sizeof(b->page));
	memset(&b->window, 0, sizeof(b->window));
}

/*
 * The cube root of a squared error is nearly Gaussian (Wilson and Hilferty
 * 1931), which the run lengths of the tests assume.
 */
bool
rvd_boundary_add(RvdBoundary *b, double error)
{
	double		x = cbrt(error * error);
	double		sd;

	if (!isfinite(x))
		return false;
	b->n++;
	if (task_samples(b) <= MIN_TASK)
	{
		learn_spread(b, x);
		return false;
	}
	sd = sqrt(b->m2 / (double) (b->usual - 1));
	sd = fmax(sd, MIN_SD_SHARE * b->mean + MIN_SD);
	run_tests(b, fmax(-CENTER, fmin(CENTER, (x - b->mean) / sd)));
	learn_spread(b, fmin(x, b->mean + CENTER * sd));

	if (!agree(b))
	{
		if (b->candidate && b->n - b->candidate > AGREE_WITHIN)
			b->candidate = 0;
		return false;
	}
	if (b->last_alarm > 0 && task_samples(b) < COOL_DOWN)
		return false;
	start_task(b);
	return true;
}
