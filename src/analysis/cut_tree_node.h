/*-------------------------------------------------------------------------
 *
 * cut_tree_node.h
 *	  What a place of the dynamic minimum cut holds.  Private to cut_tree*.c
 *	  and to the driver that counts instructions.
 *
 * The heavy paths' binary trees, hung below each other by the light edges,
 * are one tree of at most rvd_cut_tree_pull_bound() levels; a node's index
 * in depth-first order of that tree is its place.  A node keeps copies of
 * what its two binary children come to, so that a step of an update reads
 * and writes one cache line and never looks at a sibling; small subtrees are
 * neighbours in memory, large ones are few and stay in the cache.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_CUT_TREE_NODE_H
#define RVD_CUT_TREE_NODE_H

#include "ruvector_dag/flow.h"

/*
 * Absent pieces limit nothing: larger than every sum, and still no overflow
 * when a sum is added to it.
 */
#define RVD_CUT_NEUTRAL		(INT64_C(1) << 62)

/* x -> min(cap, inflow + x), or max */
typedef struct RvdCutPiece
{
	int64_t		cap;
	int64_t		inflow;
} RvdCutPiece;

/* Which piece of the place above this one feeds. */
typedef enum RvdCutSide
{
	RVD_CUT_UPPER = 0,			/* of the same path, nearer the root */
	RVD_CUT_LOWER,				/* of the same path, further down */
	RVD_CUT_OWN,				/* a light edge: adds to its inflow */
	RVD_CUT_TOP					/* nothing is above */
} RvdCutSide;

/*
 * What the build notes of node i, in nodes[i] until the values take its
 * place; order, sequence and weight are lists that share the space.
 */
typedef struct RvdCutNote
{
	int32_t		order;			/* [k]: inputs before consumers */
	int32_t		pending;		/* inputs not yet in order */
	int32_t		size;			/* of the subtree */
	int32_t		heavy;			/* largest input, -1: leaf */
	int32_t		light;			/* first of the other inputs, -1: none */
	int32_t		next_light;		/* the next of its siblings */
	int32_t		start;			/* of a path's top: first in sequence */
	int32_t		end;			/* and one past the last */
	int32_t		sequence;		/* [k]: paths one after the other */
	int32_t		weight;			/* [k]: sum of weights up to there */
	int32_t		link;
} RvdCutNote;

typedef struct RvdCutNode
{
	union
	{
		struct
		{
			RvdCutPiece piece[3];	/* by RvdCutSide */
			int64_t		flow;	/* of the path, if this is its top place */
		};
		RvdCutNote	note;
	};
	int32_t		link;			/* place above * 4 + RvdCutSide */
	int32_t		node;			/* the caller's number */
} RvdCutNode;

static inline RvdCutNode *
rvd_cut_tree_nodes(const RvdCutTree *t)
{
	return t->nodes;
}

static inline RvdCutSide
rvd_cut_tree_side(const RvdCutNode *node)
{
	return (RvdCutSide) (node->link & 3);
}

/* What a path passes whose pieces come to this. */
static inline int64_t
rvd_cut_tree_outflow(RvdCutPiece all, bool frontier)
{
	if (frontier)
		return all.cap > all.inflow ? all.cap : all.inflow;
	return all.cap < all.inflow ? all.cap : all.inflow;
}

/* Associative, not commutative. */
static inline RvdCutPiece
rvd_cut_tree_compose(RvdCutPiece upper, RvdCutPiece lower, bool frontier)
{
	int64_t		through = upper.inflow + lower.cap;
	RvdCutPiece all;

	if (frontier)
		all.cap = upper.cap > through ? upper.cap : through;
	else
		all.cap = upper.cap < through ? upper.cap : through;
	all.inflow = upper.inflow + lower.inflow;
	return all;
}

/* All of a place's stretch of its path: a pull. */
static inline RvdCutPiece
rvd_cut_tree_whole(const RvdCutNode *node, bool frontier)
{
	RvdCutPiece below = rvd_cut_tree_compose(node->piece[RVD_CUT_OWN],
											 node->piece[RVD_CUT_LOWER],
											 frontier);

	return rvd_cut_tree_compose(node->piece[RVD_CUT_UPPER], below, frontier);
}

/*
 * As rvd_cut_tree_update, but goes on to the root even if nothing changes
 * any more: the worst case, for measuring.
 */
extern RvdStatus rvd_cut_tree_update_fully(RvdCutTree *t, int32_t node,
										   int64_t capacity);

#endif							/* RVD_CUT_TREE_NODE_H */
