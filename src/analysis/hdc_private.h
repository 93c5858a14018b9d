/*-------------------------------------------------------------------------
 *
 * hdc_private.h
 *	  What the files of hdc share.  Layer 1, pure, private to the folder.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_HDC_PRIVATE_H
#define RVD_HDC_PRIVATE_H

#include "ruvector_dag/hdc.h"

/*
 * The same as n calls of rvd_hdc_bundle_add(), n <= RVD_SLICE_ROWS, at
 * little more than the price of one.
 */
extern RvdStatus rvd_hdc_bundle_add_rows(RvdHdcBundle *b,
										 const RvdHdc *rows, int n);

/*
 * From level 0 to a level, 0 .. RVD_HDC_LEVELS - 1, of whatever level 0 is
 * bound into.
 */
extern void rvd_hdc_raise_level(RvdHdc *v, int level);

#endif							/* RVD_HDC_PRIVATE_H */
