/*-------------------------------------------------------------------------
 *
 * row_model.h
 *	  What executions taught about the rows of one clause signature.
 *	  Layer 1, pure.
 *
 * A signature stands for a relation with its clauses, or a set of joined
 * relations, constants removed.  Each observation has
 *	 exact	hash of the same with its constants: a query seen before is
 *			answered by what was counted;
 *	 x		log selectivities of the members as the server estimates them:
 *			a query not seen before is answered by its neighbours;
 *	 y		ln rows - ln reference, where the reference is the server's own
 *			uncorrected figure (base relation: its estimate; join: product of
 *			its members' estimates; lookups and groups: 1).
 * After Ivanov and Bartunov, "Adaptive Cardinality Estimation",
 * arXiv:1711.08330, with log corrections, censored observations and shrinkage
 * (design page "algorithms" 12.2).
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_ROW_MODEL_H
#define RVD_ROW_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define RVD_ROW_DIMS	6
#define RVD_ROW_OBS		16

typedef struct RvdRowObservation
{
	uint64_t	exact;
	float		x[RVD_ROW_DIMS];
	float		y;				/* ln rows - ln reference */
	float		rows;			/* rows (per loop for lookups) last counted */
	float		weight;			/* 1 clean; fades as data changes */
	uint32_t	sequence;		/* of the entry's counter: recency */
	uint16_t	count;			/* times seen, saturates */
	uint16_t	censored;		/* 1: rows is only a lower bound */
} RvdRowObservation;

/* How much of the server's own estimate a prediction may lean on. */
typedef enum RvdRowKind
{
	RVD_ROW_BASE = 0,			/* shrink towards the server's estimate */
	RVD_ROW_JOIN,				/* no anchor: needs agreeing neighbours */
	RVD_ROW_LOOKUP,				/* rows per loop of a parameterised scan */
	RVD_ROW_GROUP				/* groups of a query level; persisted: append */
} RvdRowKind;

typedef enum RvdRowSource
{
	RVD_ROW_UNKNOWN = 0,
	RVD_ROW_EXACT,				/* this very query was counted */
	RVD_ROW_BOUND,				/* at least that many */
	RVD_ROW_NEIGHBOUR
} RvdRowSource;

typedef struct RvdRowModel
{
	uint32_t	sequence;		/* observations ever made */
	uint16_t	n;				/* entries used */
	uint16_t	kind;			/* RvdRowKind */
	RvdRowObservation obs[RVD_ROW_OBS];
} RvdRowModel;

/*
 * Record a count.  x has dims <= RVD_ROW_DIMS values (the rest read as 0),
 * rows >= 0, log_reference finite.  A censored count only ever raises, and
 * never replaces a clean one that is larger.  When full, the oldest
 * observation makes room.  Returns true if what would be predicted for this
 * exact hash changed by more than a fifth.  O(RVD_ROW_OBS).
 */
extern bool rvd_row_model_observe(RvdRowModel *m, uint64_t exact,
								  const float *x, int dims,
								  double rows, double log_reference,
								  bool censored);

/*
 * Predict rows.  log_estimate is the server's own ln rows (used to judge
 * bounds: a bound below the estimate says nothing).  *rows is set unless the
 * answer is RVD_ROW_UNKNOWN.  O(RVD_ROW_OBS).
 */
extern RvdRowSource rvd_row_model_predict(const RvdRowModel *m, uint64_t exact,
										  const float *x, int dims,
										  double log_reference,
										  double log_estimate,
										  double *rows);

#endif							/* RVD_ROW_MODEL_H */
