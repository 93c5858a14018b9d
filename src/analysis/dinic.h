/*-------------------------------------------------------------------------
 *
 * dinic.h
 *	  Maximum flow in a small network.  Private to the analysis.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_DINIC_H
#define RVD_DINIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Residual of an arc without a capacity.  The sum of what flows must stay
 * below it too: then no residual exceeds 2^62.
 */
#define RVD_DINIC_INFINITE	(INT64_C(1) << 61)

typedef struct RvdDinicArc
{
	int64_t		residual;
	int32_t		to;
	int32_t		next;			/* of the same vertex, -1: last */
} RvdDinicArc;

/* Arcs are in pairs: e ^ 1 is the reverse of e. */
typedef struct RvdDinic
{
	int32_t		n_vertices;
	int32_t		n_arcs;			/* both directions counted */
	RvdDinicArc *arc;			/* [2 * max_arcs] */
	int32_t    *first;			/* [max_vertices] */
	int32_t    *cursor;			/* [max_vertices] */
	int32_t    *level;			/* [max_vertices] */
	int32_t    *list;			/* [max_vertices] queue, or arcs of a path */
} RvdDinic;

/*
 * Places the arrays in mem (8-byte aligned) and returns their size; mem NULL
 * only tells the size.
 */
extern size_t rvd_dinic_place(RvdDinic *d, void *mem, size_t max_vertices,
							  size_t max_arcs);

/* An empty network of that many vertices. */
extern void rvd_dinic_open(RvdDinic *d, int32_t n_vertices);

/* An arc and its reverse with their residual capacities. */
extern void rvd_dinic_add(RvdDinic *d, int32_t from, int32_t to,
						  int64_t residual, int64_t reverse);

/*
 * Maximum flow from source to sink.  O(V^2 E), far less on plans.  Leaves
 * the source's side of the minimum cut nearest the source.
 */
extern int64_t rvd_dinic_run(RvdDinic *d, int32_t source, int32_t sink);

/* After a run: is the vertex on the source's side? */
static inline bool
rvd_dinic_reached(const RvdDinic *d, int32_t vertex)
{
	return d->level[vertex] >= 0;
}

#endif							/* RVD_DINIC_H */
