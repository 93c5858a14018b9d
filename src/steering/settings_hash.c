/*-------------------------------------------------------------------------
 *
 * settings_hash.c
 *	  The planner settings of the session, as a number.
 *
 * What is proven under some settings need not be right under others, and two
 * sessions that plan differently must not take each other's plans for a
 * change of mind of the server: so the settings are part of an instance.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "jit/jit.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "optimizer/geqo.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "utils/guc.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/signature.h"

static uint64
switches(void)
{
	const bool	on[] = {
		enable_seqscan, enable_indexscan, enable_indexonlyscan,
		enable_bitmapscan, enable_tidscan, enable_sort,
		enable_incremental_sort, enable_hashagg, enable_nestloop,
		enable_material, enable_memoize, enable_mergejoin, enable_hashjoin,
		enable_gathermerge, enable_partitionwise_join,
		enable_partitionwise_aggregate, enable_parallel_append,
		enable_parallel_hash, enable_partition_pruning, enable_async_append,
		enable_geqo, parallel_leader_participation, jit_enabled
	};
	uint64		bits = 0;

	for (int i = 0; i < lengthof(on); i++)
		bits |= (uint64) on[i] << i;
	return bits;
}

uint64
rvd_planner_settings_hash(void)
{
	const double reals[] = {
		seq_page_cost, random_page_cost, cpu_tuple_cost,
		cpu_index_tuple_cost, cpu_operator_cost, parallel_tuple_cost,
		parallel_setup_cost, cursor_tuple_fraction, hash_mem_multiplier
	};
	const int	integers[] = {
		effective_cache_size, work_mem, max_parallel_workers_per_gather,
		min_parallel_table_scan_size, min_parallel_index_scan_size,
		geqo_threshold, Geqo_effort, join_collapse_limit,
		from_collapse_limit, constraint_exclusion
	};
	uint64		h = rvd_hash_combine(switches(), rvd_newer_planner_switches());

	for (int i = 0; i < lengthof(reals); i++)
	{
		uint64		bits;

		memcpy(&bits, &reals[i], sizeof(bits));
		h = rvd_hash_combine(h, bits);
	}
	for (int i = 0; i < lengthof(integers); i++)
		h = rvd_hash_combine(h, (uint64) (uint32) integers[i]);
	return h;
}
