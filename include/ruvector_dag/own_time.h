/*-------------------------------------------------------------------------
 *
 * own_time.h
 *	  Time a statement took by itself: elapsed, less the time in which this
 *	  process was ready to run and others had the processors.  Layer 4.
 *
 * Plans are compared by it, so that a busy machine does not make a good plan
 * look bad, nor a trial end early.  Sleeping, waiting for disks and for locks
 * count.  Where the system does not tell (not Linux, or a kernel without
 * scheduler statistics) it is elapsed time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_OWN_TIME_H
#define RVD_OWN_TIME_H

#include "postgres.h"

#include "portability/instr_time.h"

typedef struct RvdOwnTime
{
	instr_time	since;
	uint64		waited_ns;		/* for a processor, until then */
} RvdOwnTime;

/* Two microseconds or so. */
extern void rvd_own_time_start(RvdOwnTime *t);
extern double rvd_own_time_ms(const RvdOwnTime *t);

/* The same; in a signal handler, once start was called in this process. */
extern double rvd_own_time_elapsed_ms(const RvdOwnTime *t, double *own_ms);

#endif							/* RVD_OWN_TIME_H */
