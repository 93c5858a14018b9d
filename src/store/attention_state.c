/*-------------------------------------------------------------------------
 *
 * attention_state.c
 *	  What a database's attention kernels have learned: weights, selector,
 *	  mixture, traces.
 *
 * Traces are kept in a direct-mapped table: a key has one slot, and who
 * claims it for another key loses that one's past.  They fade within minutes
 * anyway.  Layer 2.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "ruvector_dag/hash.h"
#include "neural_internal.h"

/* Cold: kernels go by structure and load, none is preferred. */
void
rvd_attention_state_init(RvdAttentionState *s)
{
	memset(s, 0, sizeof(*s));
	rvd_mixture_init(&s->mixture);
}

RvdAttentionState *
rvd_attention_state_lock(RvdNeural *n, bool exclusive, bool wait)
{
	if (!rvd_neural_acquire(n, RVD_LOCK_ATTENTION, exclusive, wait))
		return NULL;
	return &n->attention;
}

void
rvd_attention_state_release(RvdNeural *n)
{
	rvd_neural_release(n, RVD_LOCK_ATTENTION);
}

RvdTraceSlot *
rvd_attention_state_trace(RvdAttentionState *s, uint64 key, bool claim)
{
	RvdTraceSlot *slot = &s->traces[rvd_hash_mix(key) % RVD_TRACE_SLOTS];

	if (key == 0)
		return NULL;
	if (slot->key == key)
		return slot;
	if (!claim)
		return NULL;
	memset(slot, 0, sizeof(*slot));
	slot->key = key;
	return slot;
}
