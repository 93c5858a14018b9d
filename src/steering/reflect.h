/*-------------------------------------------------------------------------
 *
 * reflect.h
 *	  This process's part of the latency model.  Layer 4, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_REFLECT_H
#define RVD_REFLECT_H

#include "postgres.h"

#include "ruvector_dag/latency_model.h"

/* The adapter not flushed yet, if it corrects that very model; or NULL. */
extern const RvdMicro *rvd_reflect_micro(TimestampTz published_at);

#endif							/* RVD_REFLECT_H */
