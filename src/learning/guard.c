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
#define Z_PROMOTE		2.5
#define Z_LAST			1.5
#define MAX_UNDECIDED	6

/* Share of the reference's time after which a first trial is cut. */
#define FIRST_TRIAL_SHARE	0.7

/* A trial that could not run this long teaches nothing. */
#define MIN_USEFUL_SHARE	0.3

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
			return "proposed by learned row counts";
		case RVD_REASON_FASTER:
			return "faster than the plan it replaced, beyond noise";
		case RVD_REASON_NO_GAIN:
			return "not faster";
		case RVD_REASON_ABANDONED:
			return "did not finish within its trial budget";
		case RVD_REASON_DEMOTED:
			return "turned slow after it was proven";
		case RVD_REASON_LOST:
			return "its row counts no longer lead to it";
		case RVD_REASON_FAILED:
			return "raised an error under trial";
		case RVD_REASON_SUPERSEDED:
			return "a faster plan took its place";
		default:
			return "";
	}
}

RvdVerdict
rvd_guard_judge(const RvdLatency *candidate, const RvdLatency *reference,
				uint32_t baseline_runs, double baseline_variance)
{
	double		gain;
	double		variance;
	double		z;
	double		ref_mean = reference && reference->n > 0 ? reference->mean : 0.0;

	if (candidate->n == 0)
		return RVD_UNDECIDED;

	gain = candidate->mean - ref_mean;
	variance = rvd_latency_variance(candidate) / candidate->n;
	if (reference && reference->n > 0)
		variance += rvd_latency_variance(reference) / reference->n;
	else if (baseline_runs > 0)
		variance += baseline_variance / baseline_runs;

	z = candidate->n >= MAX_UNDECIDED ? Z_LAST : Z_PROMOTE;
	if (gain + z * sqrt(variance) < log(MIN_GAIN))
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
rvd_guard_budget(double reference_ms, double trial_budget,
				 uint32_t runs_before, double allowance_ms)
{
	double		want = reference_ms * trial_budget;
	double		budget;

	if (!(want > 0))
		return 0;
	budget = runs_before == 0 ? want * FIRST_TRIAL_SHARE : want;
	if (allowance_ms < budget)
		budget = allowance_ms;
	return budget >= want * MIN_USEFUL_SHARE ? budget : 0;
}

double
rvd_guard_allowance(double limit, double executed, double saved, double regret)
{
	double		left = limit * executed + saved - regret;

	return left > 0 ? left : 0;
}
