/*-------------------------------------------------------------------------
 *
 * join_tree.h
 *	  Between join_order.c and join_record.c.  Layer 4, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_JOIN_TREE_H
#define RVD_JOIN_TREE_H

#include "ruvector_dag/join_order.h"
#include "ruvector_dag/join_tokens.h"

/* Its place among the memo's rows: rows of these members, joined. */
extern uint64 rvd_join_rows_key(const RvdJoinProblem *problem, uint64 members);

/* Would the search join these two without being forced to? */
extern bool rvd_join_is_connected(PlannerInfo *root, RelOptInfo *a,
								  RelOptInfo *b);

/* RVD_JOIN_NESTED ..., 0: no join. */
extern int	rvd_join_method(const Path *path);

#endif							/* RVD_JOIN_TREE_H */
