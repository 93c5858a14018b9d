/*-------------------------------------------------------------------------
 *
 * dinic.c
 *	  Maximum flow in a small network.
 *
 * E. A. Dinic, "Algorithm for solution of a problem of maximum flow in
 * networks with power estimation", Soviet Math. Dokl. 11, 1970: levels by
 * breadth-first search, then a blocking flow along paths that climb one
 * level a step, until the sink is out of reach.  A path may be thousands of
 * arcs long, so it is kept in a list rather than on the stack.
 *
 * Memory: the caller's.  Layer 1.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "dinic.h"

size_t
rvd_dinic_place(RvdDinic *d, void *mem, size_t max_vertices, size_t max_arcs)
{
	size_t		arcs = 2 * max_arcs * sizeof(RvdDinicArc);
	size_t		vertices = ((max_vertices + 1) & ~(size_t) 1) *
		sizeof(int32_t);
	char	   *p = mem;

	if (p != NULL)
	{
		d->arc = (RvdDinicArc *) p;
		d->first = (int32_t *) (p + arcs);
		d->cursor = (int32_t *) (p + arcs + vertices);
		d->level = (int32_t *) (p + arcs + 2 * vertices);
		d->list = (int32_t *) (p + arcs + 3 * vertices);
	}
	return arcs + 4 * vertices;
}

void
rvd_dinic_open(RvdDinic *d, int32_t n_vertices)
{
	d->n_vertices = n_vertices;
	d->n_arcs = 0;
	for (int32_t v = 0; v < n_vertices; v++)
		d->first[v] = -1;
}

static void
add_half(RvdDinic *d, int32_t from, int32_t to, int64_t residual)
{
	RvdDinicArc *arc = &d->arc[d->n_arcs];

	arc->residual = residual;
	arc->to = to;
	arc->next = d->first[from];
	d->first[from] = d->n_arcs++;
}

void
rvd_dinic_add(RvdDinic *d, int32_t from, int32_t to, int64_t residual,
			  int64_t reverse)
{
	add_half(d, from, to, residual);
	add_half(d, to, from, reverse);
}

/* Levels of all that the source reaches; does it reach the sink? */
static bool
set_levels(RvdDinic *d, int32_t source, int32_t sink)
{
	int32_t		n_seen = 0;

	memset(d->level, -1, (size_t) d->n_vertices * sizeof(int32_t));
	d->level[source] = 0;
	d->list[n_seen++] = source;
	for (int32_t k = 0; k < n_seen; k++)
	{
		int32_t		v = d->list[k];

		for (int32_t e = d->first[v]; e >= 0; e = d->arc[e].next)
		{
			int32_t		to = d->arc[e].to;

			if (d->arc[e].residual > 0 && d->level[to] < 0)
			{
				d->level[to] = d->level[v] + 1;
				d->list[n_seen++] = to;
			}
		}
	}
	return d->level[sink] >= 0;
}

/*
 * Fill the path's arcs; *length becomes the number of arcs before the first
 * that is full now.
 */
static int64_t
fill_path(RvdDinic *d, int32_t *length)
{
	int64_t		flow = RVD_DINIC_INFINITE;
	int32_t		full = 0;

	for (int32_t k = 0; k < *length; k++)
	{
		int64_t		residual = d->arc[d->list[k]].residual;

		if (residual < flow)
		{
			flow = residual;
			full = k;
		}
	}
	for (int32_t k = 0; k < *length; k++)
	{
		d->arc[d->list[k]].residual -= flow;
		d->arc[d->list[k] ^ 1].residual += flow;
	}
	*length = full;
	return flow;
}

/* The next arc that leads from v one level on, -1 if there is none left. */
static int32_t
next_arc(RvdDinic *d, int32_t v)
{
	for (int32_t e = d->cursor[v]; e >= 0; e = d->arc[e].next)
	{
		if (d->arc[e].residual > 0 &&
			d->level[d->arc[e].to] == d->level[v] + 1)
		{
			d->cursor[v] = e;
			return e;
		}
	}
	d->cursor[v] = -1;
	return -1;
}

static int64_t
block_flow(RvdDinic *d, int32_t source, int32_t sink)
{
	int64_t		flow = 0;
	int32_t		length = 0;
	int32_t		v = source;

	memcpy(d->cursor, d->first, (size_t) d->n_vertices * sizeof(int32_t));
	for (;;)
	{
		int32_t		e;

		if (v == sink)
		{
			flow += fill_path(d, &length);
			v = d->arc[d->list[length] ^ 1].to;
		}
		e = next_arc(d, v);
		if (e >= 0)
		{
			d->list[length++] = e;
			v = d->arc[e].to;
		}
		else if (length == 0)
			return flow;
		else
		{
			/* a dead end: nobody comes here again */
			d->level[v] = -1;
			v = d->arc[d->list[--length] ^ 1].to;
		}
	}
}

int64_t
rvd_dinic_run(RvdDinic *d, int32_t source, int32_t sink)
{
	int64_t		flow = 0;

	while (set_levels(d, source, sink))
		flow += block_flow(d, source, sink);
	return flow;
}
