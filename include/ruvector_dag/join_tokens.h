/*-------------------------------------------------------------------------
 *
 * join_tokens.h
 *	  Orders of joins as short lists of numbers, to be remembered with a plan.
 *	  Layer 0, pure.
 *
 * A join problem is a set of relations, numbered from 0, to be joined into
 * one; its order is a binary tree with each relation in one leaf.  A list
 * holds the trees of several problems one after the other:
 *
 *	 sequence << 6 | relations		which problem of the statement
 *	 check, low half				what the relations were (caller's hash)
 *	 check, high half
 *	 then, until the tree is whole, one token per leaf or join:
 *		bits 0-5	number of a relation, pushed on a stack
 *		0x4000		... unless this is set: then nothing is pushed
 *		0x8000		the two topmost are joined
 *		0x2000		... which no clause connects
 *		0x1000		... the upper one of the two is the outer side
 *		0x0c00		... by which method
 *
 * So a tree that joins one relation after the other takes a token per
 * relation; each right side that is a join itself takes one more.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_JOIN_TOKENS_H
#define RVD_JOIN_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "ruvector_dag/status.h"

#define RVD_JOIN_RELATIONS	60	/* of one problem, at most */
#define RVD_JOIN_PROBLEMS	1024	/* of one statement */

/* Elements of a tree in postfix that are not relations: RVD_JOIN of flags. */
#define RVD_JOIN_NESTED		1
#define RVD_JOIN_MERGED		2
#define RVD_JOIN_HASHED		3
#define RVD_JOIN_METHOD		3	/* mask; 0: not said */
#define RVD_JOIN_SWAPPED	4
#define RVD_JOIN_PRODUCT	8
#define RVD_JOIN(flags)		(-1 - (flags))
#define RVD_JOIN_FLAGS(element)	(-1 - (element))

typedef struct RvdJoinTree
{
	int32_t		sequence;		/* 0 .. RVD_JOIN_PROBLEMS - 1 */
	int32_t		relations;		/* 2 .. RVD_JOIN_RELATIONS */
	uint32_t	check;
	int8_t		element[2 * RVD_JOIN_RELATIONS - 1];	/* 2 * relations - 1 */
} RvdJoinTree;

/* Is it a tree with each of its relations in one leaf?  O(relations). */
extern bool rvd_join_tree_valid(const RvdJoinTree *tree);

/*
 * Append a tree to a list of *used tokens.  RVD_ERR_ARGUMENT: not valid;
 * RVD_ERR_FULL: it would need more than capacity; the list stays as it was.
 */
extern RvdStatus rvd_join_tokens_put(uint16_t *tokens, int32_t capacity,
									 int32_t *used, const RvdJoinTree *tree);

/*
 * The tree of the problem with that sequence number.  RVD_ERR_EMPTY: not
 * there, or nothing that makes sense comes before it.  Takes any numbers for
 * tokens; a tree that is handed out is valid.  O(used).
 */
extern RvdStatus rvd_join_tokens_get(const uint16_t *tokens, int32_t used,
									 int32_t sequence, RvdJoinTree *tree);

#endif							/* RVD_JOIN_TOKENS_H */
