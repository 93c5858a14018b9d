/*-------------------------------------------------------------------------
 *
 * learn.h
 *	  Asking the learner for something and waiting for its answer.  Layer 7,
 *	  private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_SQL_LEARN_H
#define RVD_SQL_LEARN_H

#include "postgres.h"

#include "ruvector_dag/store.h"

/* RV001 if switched off; RV013 if tab is given and not enabled. */
extern void rvd_learn_check_scope(Oid tab);

/*
 * Have *request answered: its wishes are read, the rest is filled in.  Raises
 * RV004 if there is no learner or it failed.
 */
extern void rvd_learn_request(RvdCycleRequest *request);

#endif							/* RVD_SQL_LEARN_H */
