/*-------------------------------------------------------------------------
 *
 * status.h
 *	  What a pure function answers.  Layer 0, pure.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_STATUS_H
#define RVD_STATUS_H

typedef enum RvdStatus
{
	RVD_OK = 0,
	RVD_ERR_ARGUMENT,			/* an argument is outside its documented range */
	RVD_ERR_FULL,				/* the caller's memory holds no more */
	RVD_ERR_EMPTY,				/* nothing there */
	RVD_ERR_CYCLE,				/* the graph is not acyclic */
	RVD_ERR_STATE				/* called out of order */
} RvdStatus;

#endif							/* RVD_STATUS_H */
