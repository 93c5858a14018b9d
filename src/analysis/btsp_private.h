/*-------------------------------------------------------------------------
 *
 * btsp_private.h
 *	  What writing and recalling share.  Layer 1, pure, private to the
 *	  folder.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_BTSP_PRIVATE_H
#define RVD_BTSP_PRIVATE_H

#include "ruvector_dag/btsp.h"

#define RVD_BTSP_ROW_WORDS	(RVD_BTSP_NEURONS / 64)

/* The input a code activates in each group, 0 .. 63. */
extern void rvd_btsp_inputs(const RvdBtsp *m, const RvdHdc *cue,
							uint8_t *input);

/* Row of weights of an input of a group. */
static inline int
rvd_btsp_row(int group, int input)
{
	return group << RVD_BTSP_BITS | input;
}

#endif							/* RVD_BTSP_PRIVATE_H */
