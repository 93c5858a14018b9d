/*-------------------------------------------------------------------------
 *
 * keys.c
 *	  How the parts of an entry's name make one key.
 *
 * Persisted rows carry the parts, so these may change between versions.
 * Layer 2.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "ruvector_dag/hash.h"
#include "ruvector_dag/store.h"

uint64
rvd_instance_key(int64 queryid, uint64 instance)
{
	return rvd_hash_combine((uint64) queryid, instance);
}

uint64
rvd_plan_key(int64 queryid, uint64 instance, uint64 fingerprint)
{
	return rvd_hash_combine(rvd_instance_key(queryid, instance), fingerprint);
}

uint64
rvd_memory_id(RvdMemoryKind kind, int64 queryid, uint64 plan_id)
{
	return rvd_hash_combine(rvd_instance_key(queryid, plan_id), kind);
}

uint64
rvd_embedding_key(uint64 fingerprint, uint64 sizes, int attention)
{
	return rvd_hash_combine(rvd_hash_combine(fingerprint, sizes),
							(uint64) attention);
}
