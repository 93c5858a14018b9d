/*-------------------------------------------------------------------------
 *
 * lora_absorb.h
 *	  What absorbing an adapter would cost.  Layer 1, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_LORA_ABSORB_H
#define RVD_LORA_ABSORB_H

#include "ruvector_dag/lora.h"

/*
 * Share of energy that rvd_lora_absorb() with these arguments would drop,
 * without doing it; 1 if it would refuse.
 */
extern double rvd_lora_absorb_loss(const RvdLora *l, const RvdLora *m,
								   float factor);

#endif							/* RVD_LORA_ABSORB_H */
