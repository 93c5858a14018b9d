/*-------------------------------------------------------------------------
 *
 * memory.c
 *	  The memory budget, line by line.  Layer 2.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store_internal.h"

static void
control_line(RvdMemoryLine *line)
{
	const RvdLayout *l = &rvd_store_layout;

	line->component = "control";
	line->budget_bytes = l->cap - l->n_rings * l->ring_bytes -
		l->n_areas * l->area_bytes;
	for (int i = 0; i < RVD_NUM_TABLES; i++)
		line->budget_bytes -= l->table_budget[i];
	line->allocated_bytes = l->lock_bytes + l->head_bytes;
	line->used_bytes = line->allocated_bytes;
	line->peak_bytes = line->allocated_bytes;
}

/* Peaks are those of each ring, which need not have been at one time. */
static void
rings_line(RvdMemoryLine *line)
{
	const RvdLayout *l = &rvd_store_layout;
	uint64		used = 0;
	uint64		peak = 0;

	for (int i = 0; i < l->n_rings; i++)
	{
		RvdRing    *ring = rvd_store_ring(i);

		used += rvd_ring_count(ring);
		peak += atomic_load_explicit(&ring->peak, memory_order_relaxed);
	}
	line->component = "rings";
	line->budget_bytes = l->n_rings * l->ring_bytes;
	line->allocated_bytes = line->budget_bytes;
	line->used_bytes = used * sizeof(RvdTrajectory);
	line->peak_bytes = peak * sizeof(RvdTrajectory);
}

/* An area is in use as a whole; the first ones are given out first. */
static void
neural_line(RvdMemoryLine *line)
{
	const RvdLayout *l = &rvd_store_layout;
	int			used = 0;
	int			peak = 0;

	for (int i = 0; i < l->n_areas; i++)
	{
		used += rvd_neural_in_use(rvd_store_neural(i));
		peak += rvd_neural_ever_used(rvd_store_neural(i));
	}
	line->component = "neural";
	line->budget_bytes = l->n_areas * l->area_bytes;
	line->allocated_bytes = line->budget_bytes;
	line->used_bytes = used * l->area_bytes;
	line->peak_bytes = peak * l->area_bytes;
}

static void
table_line(RvdMemoryLine *line, RvdTableId id)
{
	RvdTableUsage usage;
	Size		entry_size = rvd_table_entry_size(rvd_table(id));

	rvd_table_usage(rvd_table(id), &usage);
	line->component = usage.name;
	line->budget_bytes = rvd_store_layout.table_budget[id];
	line->allocated_bytes = rvd_store_layout.table_bytes[id];
	line->used_bytes = usage.used * entry_size;
	line->peak_bytes = usage.peak * entry_size;
}

int
rvd_memory_lines(RvdMemoryLine *lines)
{
	int			n = 0;

	StaticAssertStmt(3 + RVD_NUM_TABLES <= RVD_MEMORY_LINES,
					 "too many memory lines");
	if (!rvd_preloaded())
		return 0;
	control_line(&lines[n++]);
	rings_line(&lines[n++]);
	neural_line(&lines[n++]);
	for (int i = 0; i < RVD_NUM_TABLES; i++)
		table_line(&lines[n++], i);
	return n;
}
