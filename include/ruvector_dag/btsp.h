/*-------------------------------------------------------------------------
 *
 * btsp.h
 *	  One-shot memory from hyperdimensional codes to ids.  Layer 1, pure.
 *
 * After Wu and Maass (Nature Communications 16:342, 2025): binary weights,
 * one presentation, recall by the sums.  Deterministic here: bit-sampling
 * LSH (Indyk and Motwani 1998) turns a code into 128 of 8,192 inputs; an
 * item writes the 16 neurons its id hashes to; recall sums the 128 active
 * rows and lets the 16 strongest neurons vote.
 *
 * The memory is one block without pointers: fit for shared memory.  Not
 * synchronised.  What it holds is a function of its live items alone: the
 * weight of an input and a neuron is set if and only if some item that
 * writes the neuron has the input.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_BTSP_H
#define RVD_BTSP_H

#include <stddef.h>
#include <stdint.h>

#include "ruvector_dag/hdc.h"

#define RVD_BTSP_GROUPS		128
#define RVD_BTSP_BITS		6		/* sampled per group */
#define RVD_BTSP_INPUTS		(RVD_BTSP_GROUPS << RVD_BTSP_BITS)
#define RVD_BTSP_NEURONS	4096
#define RVD_BTSP_WRITERS	16		/* neurons an item writes */
#define RVD_BTSP_CAPACITY	4096	/* items the id lists have room for */

/*
 * A winner must reach the sum that a code sharing this many of its inputs
 * with the cue would have; unrelated codes share 2, those at distance 0.25
 * on average 23.
 */
#define RVD_BTSP_MIN_OVERLAP	16

#define RVD_BTSP_ACCEPT			0.5 /* confidence from which to believe */

typedef struct RvdBtsp
{
	uint32_t	n_items;		/* slots 0 .. n_items - 1 are live */
	uint32_t	clock;			/* presentations, for "newer wins" */
	uint64_t	n_set;			/* weights that are set */
	uint16_t	sample[RVD_BTSP_GROUPS][RVD_BTSP_BITS]; /* bits of a code */

	/* items */
	uint64_t	id[RVD_BTSP_CAPACITY];
	uint32_t	version[RVD_BTSP_CAPACITY]; /* of the writer set */
	uint32_t	written[RVD_BTSP_CAPACITY]; /* clock */
	uint8_t		input[RVD_BTSP_CAPACITY][RVD_BTSP_GROUPS]; /* 0 .. 63 */
	uint16_t	writer[RVD_BTSP_CAPACITY][RVD_BTSP_WRITERS];	/* neurons */

	/* per neuron the list of its items: entry slot * 16 + k is writer k */
	uint16_t	n_entries[RVD_BTSP_NEURONS];
	uint16_t	first[RVD_BTSP_NEURONS];	/* entry, if any */
	uint16_t	next[RVD_BTSP_CAPACITY * RVD_BTSP_WRITERS];

	uint64_t	weight[RVD_BTSP_INPUTS][RVD_BTSP_NEURONS / 64];
} RvdBtsp;

extern void rvd_btsp_init(RvdBtsp *m);

/*
 * Store.  The same id again with a code that has the same inputs changes
 * nothing; with another it is rewritten under a new version, its old neurons
 * being depressed.  RVD_ERR_FULL when the table is full (the density is then
 * at most 0.25; 0.22 for unrelated codes).
 */
extern RvdStatus rvd_btsp_write(RvdBtsp *m, const RvdHdc *cue, uint64_t id);

/*
 * Forget an item: its neurons are depressed at its inputs, except where
 * another item needs the weight.  RVD_ERR_EMPTY: unknown.
 */
extern RvdStatus rvd_btsp_forget(RvdBtsp *m, uint64_t id);

/*
 * Recall: the id most winners vote for and its share of them, the newer of
 * equals; believe it from RVD_BTSP_ACCEPT on.  Winners are the 16 neurons of
 * the largest sums; those that tie for the last places share them.  With no
 * neuron above the threshold the confidence is 0 and *id too.
 * RVD_ERR_EMPTY: nothing stored.  128 rows are read.
 */
extern RvdStatus rvd_btsp_recall(const RvdBtsp *m, const RvdHdc *cue,
								 uint64_t *id, double *confidence);

/* Share of weights that are set. */
extern double rvd_btsp_density(const RvdBtsp *m);

#endif							/* RVD_BTSP_H */
