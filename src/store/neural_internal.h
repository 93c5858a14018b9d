/*-------------------------------------------------------------------------
 *
 * neural_internal.h
 *	  A neural area as it lies in shared memory.  Layer 2, private to the
 *	  store.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_NEURAL_INTERNAL_H
#define RVD_NEURAL_INTERNAL_H

#include "store_internal.h"

/* Locks of an area, RVD_NEURAL_LOCKS of them. */
typedef enum RvdNeuralLock
{
	RVD_LOCK_SNAPSHOT = 0,		/* current, what is in it, report */
	RVD_LOCK_ATTENTION,
	RVD_LOCK_BTSP
} RvdNeuralLock;

struct RvdNeural
{
	Oid			database;		/* InvalidOid: nobody's; control lock to
								 * change, any time to read */
	int			area;			/* its number; never changes */
	bool		ever_used;		/* control lock */
	int			current;		/* of the two snapshots */
	RvdCycleReport report;
	RvdAttentionState attention;
	RvdBtsp		btsp;
	/* two snapshots of rvd_snapshot_size() follow */
};

/*
 * The lock, held.  False: not to be had, or the area has changed hands since
 * the caller looked it up (a hook only; those who wait always get it).
 */
extern bool rvd_neural_acquire(RvdNeural *n, RvdNeuralLock which,
							   bool exclusive, bool wait);
extern void rvd_neural_release(RvdNeural *n, RvdNeuralLock which);

/* attention_state.c; lock held exclusively */
extern void rvd_attention_state_init(RvdAttentionState *s);

#endif							/* RVD_NEURAL_INTERNAL_H */
