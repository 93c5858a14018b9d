/*-------------------------------------------------------------------------
 *
 * keys.c
 *	  How the parts of an instance's or a plan's name make one key.
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
