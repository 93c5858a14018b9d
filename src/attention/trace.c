/*-------------------------------------------------------------------------
 *
 * trace.c
 *	  What happened lately at a slot, as two sums that fade.
 *
 * The sum over all observations of a_j exp(-(now - t_j) / tau) needs no
 * list of them: it is carried from one observation to the next by
 * E <- E exp(-dt / tau) + a, and faded once more when it is read.
 *
 * An observation that is not finite is left out; one from before the last
 * counts as simultaneous with it, and from then on the new clock holds.
 *
 * No memory, no state.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "ruvector_dag/attention.h"
#include "ruvector_dag/hash.h"

#define ELIGIBILITY_S	60.0
#define PLATEAU_S		600.0

/* An estimate off by more than this factor is a surprise: ln 4. */
#define SURPRISE		1.38629436111989061883

/* Persisted with the slots: never changes. */
#define SLOT_SEED		UINT64_C(0x7276642e74726163)

uint64_t
rvd_trace_slot(uint16_t op, uint32_t relation, uint16_t parent_op)
{
	uint64_t	hash = rvd_hash_combine(SLOT_SEED, (uint64_t) op |
										(uint64_t) parent_op << 16 |
										(uint64_t) relation << 32);

	return hash != 0 ? hash : 1;
}

void
rvd_trace_at(const RvdTrace *t, double now_s,
			 double *eligibility, double *plateau)
{
	double		dt = now_s - t->time_s;

	/* fmax would turn a clock that is not a number into now */
	if (dt < 0)
		dt = 0;
	*eligibility = t->eligibility * exp(-dt / ELIGIBILITY_S);
	*plateau = t->plateau * exp(-dt / PLATEAU_S);
}

void
rvd_trace_observe(RvdTrace *t, double now_s, double activity, double surprise)
{
	double		eligibility;
	double		plateau;

	if (!isfinite(now_s) || !isfinite(activity) || isnan(surprise))
		return;
	rvd_trace_at(t, now_s, &eligibility, &plateau);
	if (activity > 0)
		eligibility += activity < 1 ? activity : 1;
	if (surprise > SURPRISE)
		plateau += 1;
	t->time_s = now_s;
	t->eligibility = (float) eligibility;
	t->plateau = (float) plateau;
}
