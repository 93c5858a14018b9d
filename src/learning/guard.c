/*-------------------------------------------------------------------------
 *
 * guard.c
 *	  Judging plans by what they cost.  See guard.h.
 *
 * Layer 1, pure: numbers in, verdicts out.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/guard.h"

#include <math.h>

/* Gains below this are not worth a changed plan. */
#define MIN_GAIN		0.95
#define ALPHA			0.05
#define Z_LAST			1.5
#define MAX_UNDECIDED	6

/* Mixing precision of the interval: 1 is tightest at the first few runs. */
#define RHO				1.0

/* Less than this part of its share is not worth the trial. */
#define MIN_PART		0.6

/* Runs slower than this beyond the expectation are slow, in ms and share. */
#define SLOW_SHARE		1.3
#define SLOW_MS			2.0
#define DISASTER_SHARE	3.0
#define DISASTER_MS		20.0

const char *
rvd_reason_text(int reason)
{
	switch (reason)
	{
		case RVD_REASON_STOCK:
			return "what the server chooses by itself";
		case RVD_REASON_PROPOSED:
			return "proposed by an arm";
		case RVD_REASON_FASTER:
			return "faster than the plan it replaced, beyond noise";
		case RVD_REASON_NO_GAIN:
			return "not faster";
		case RVD_REASON_ABANDONED:
			return "did not finish within its trial budget";
		case RVD_REASON_DEMOTED:
			return "turned slow after it was proven";
		case RVD_REASON_LOST:
			return "its configuration no longer leads to it";
		case RVD_REASON_FAILED:
			return "raised an error under trial";
		case RVD_REASON_SUPERSEDED:
			return "a faster plan took its place";
		case RVD_REASON_CUT:
			return "its trial was stopped early; may be tried for longer";
		case RVD_REASON_HELD:
			return "kept in use after the server changed its plan";
		case RVD_REASON_WORLD:
			return "to be proven again: statistics, indexes, size or settings changed";
		case RVD_REASON_PINNED:
			return "pinned by an administrator";
		default:
			return "";
	}
}

double
rvd_guard_anytime_z(double n, double rho, double alpha)
{
	return sqrt((n + rho) / n * log((n + rho) / (rho * alpha * alpha)));
}

double
rvd_guard_halfwidth(uint32_t n, double variance, double alpha)
{
	if (n == 0)
		return INFINITY;
	return sqrt(variance / n) * rvd_guard_anytime_z(n, RHO, alpha);
}

RvdVerdict
rvd_guard_judge(const RvdLatency *candidate, const RvdLatency *reference,
				uint32_t baseline_runs, double baseline_variance)
{
	double		gain;
	double		own;
	double		other = 0;
	double		spread;
	bool		referred = reference && reference->n > 0;

	if (candidate->n == 0)
		return RVD_UNDECIDED;

	gain = candidate->mean - (referred ? reference->mean : 0.0);
	own = rvd_latency_variance(candidate);
	if (candidate->n < MAX_UNDECIDED)
	{
		own = rvd_guard_halfwidth(candidate->n, own, ALPHA);
		if (referred)
			other = rvd_guard_halfwidth(reference->n,
										rvd_latency_variance(reference), ALPHA);
		else if (baseline_runs > 0)
			other = rvd_guard_halfwidth(baseline_runs, baseline_variance, ALPHA);
		spread = sqrt(own * own + other * other);
	}
	else
	{
		own /= candidate->n;
		if (referred)
			other = rvd_latency_variance(reference) / reference->n;
		else if (baseline_runs > 0)
			other = baseline_variance / baseline_runs;
		spread = Z_LAST * sqrt(own + other);
	}

	if (gain + spread < log(MIN_GAIN))
		return RVD_PROMOTE;
	if (gain > log(MIN_GAIN) || candidate->n >= MAX_UNDECIDED)
		return RVD_REJECT;
	return RVD_UNDECIDED;
}

int
rvd_guard_slow(double ms, double expected_ms)
{
	if (!(expected_ms > 0))
		return 0;
	if (ms > expected_ms * DISASTER_SHARE && ms - expected_ms > DISASTER_MS)
		return 2;
	if (ms > expected_ms * SLOW_SHARE && ms - expected_ms > SLOW_MS)
		return 1;
	return 0;
}

double
rvd_guard_budget(double reference_ms, double trial_budget, double share,
				 double allowance_ms)
{
	double		want = reference_ms * trial_budget * share;

	if (!(want > 0))
		return 0;
	if (allowance_ms >= want)
		return want;
	return allowance_ms >= want * MIN_PART ? allowance_ms : 0;
}

double
rvd_guard_allowance(double limit, double executed, double saved, double regret)
{
	double		left = limit * executed + saved - regret;

	return left > 0 ? left : 0;
}
