/*-------------------------------------------------------------------------
 *
 * kernels_plan.h
 *	  Between the two files that make the random plans of bench/kernels.
 *
 * Operators have the numbers of src/plan, which needs the server's headers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_BENCH_KERNELS_PLAN_H
#define RVD_BENCH_KERNELS_PLAN_H

#include "kernels.h"

#define OP_APPEND		4
#define OP_SEQ_SCAN		9
#define OP_INDEX_SCAN	11
#define OP_CTE_SCAN		21
#define OP_NEST_LOOP	26
#define OP_MERGE_JOIN	27
#define OP_HASH_JOIN	28
#define OP_MATERIAL		29
#define OP_SORT			31
#define OP_AGG			34
#define OP_HASH			39
#define OP_LIMIT		42
#define N_OPS			43

/* Fills the n zeroed nodes and adds edges, 2 n at most. */
extern void plan_grow(Plan *plan, PlanFamily family, RvdRng *stream);

#endif							/* RVD_BENCH_KERNELS_PLAN_H */
