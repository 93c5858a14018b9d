/*-------------------------------------------------------------------------
 *
 * hdc.h
 *	  Hyperdimensional codes: plans and workloads as 10,000 bits.
 *	  Layer 1, pure.
 *
 * Binary spatter code (Kanerva 1996): bind is XOR, permute a fixed rotation,
 * bundle the bitwise majority, distance the share of differing bits (0.5 for
 * unrelated codes).  Atoms come from a stream seeded by (kind, id): no item
 * memory is needed for correctness.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_HDC_H
#define RVD_HDC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ruvector_dag/dag.h"

#define RVD_HDC_BITS	10000
#define RVD_HDC_WORDS	160		/* 157 used, the rest and the tail are 0 */
#define RVD_HDC_BYTES	1250

typedef struct RvdHdc
{
	uint64_t	w[RVD_HDC_WORDS];
} RvdHdc;

typedef enum RvdHdcKind
{
	RVD_HDC_OPERATOR = 0,
	RVD_HDC_RELATION,
	RVD_HDC_ROLE,
	RVD_HDC_LEVEL,
	RVD_HDC_FEATURE,			/* hashed tuples */
	RVD_HDC_TIE,
	RVD_HDC_PARAMETER
} RvdHdcKind;

extern void rvd_hdc_atom(RvdHdcKind kind, uint64_t id, RvdHdc *out);

/* out may be one of the arguments, here and below. */
extern void rvd_hdc_bind(const RvdHdc *a, const RvdHdc *b, RvdHdc *out);
extern void rvd_hdc_permute(const RvdHdc *a, RvdHdc *out);
extern void rvd_hdc_unpermute(const RvdHdc *a, RvdHdc *out);

/*
 * Level 0 .. 15, others clipped: d(L_i, L_j) = |i - j| / 30, exactly but for
 * one bit where 10,000 / 30 is no whole number.
 */
#define RVD_HDC_LEVELS	16
extern void rvd_hdc_level(int level, RvdHdc *out);

/* Share of differing bits. */
extern double rvd_hdc_distance(const RvdHdc *a, const RvdHdc *b);

/*
 * Majority of what was added; ties take the bit of the fixed tie vector.
 * Bit-sliced counters, exact up to 65,535 members.  ~20 KB.
 */
#define RVD_HDC_PLANES	16
typedef struct RvdHdcBundle
{
	uint32_t	n;
	int32_t		n_planes;		/* in use, at least 3 */
	uint64_t	plane[RVD_HDC_PLANES][RVD_HDC_WORDS];
} RvdHdcBundle;

extern void rvd_hdc_bundle_init(RvdHdcBundle *b);

/* RVD_ERR_FULL: it has 65,535 members.  RVD_ERR_EMPTY: it has none. */
extern RvdStatus rvd_hdc_bundle_add(RvdHdcBundle *b, const RvdHdc *v);
extern RvdStatus rvd_hdc_bundle_majority(const RvdHdcBundle *b, RvdHdc *out);

/*
 * Code of a plan: per node operator with relation and index (hashed) and
 * operator with level of rows (product), per edge parent, child and side
 * (hashed); and optionally the hash of the statement's constants as further
 * features.  An operator is op and variant; a side the kind of the edge; the
 * level of rows round(log2(rows + 1) / 2).  The order in which nodes and
 * edges were added does not matter; the graph need not be finished.
 * bundle: workspace, need not be initialised.  RVD_ERR_ARGUMENT for an empty
 * plan, RVD_ERR_FULL for more than 65,535 features.  O(features); 0.2 us
 * each, mostly for regenerating atoms.
 */
extern RvdStatus rvd_hdc_encode_plan(const RvdDag *dag,
									 const uint64_t *parameters,
									 int n_parameters,
									 RvdHdcBundle *bundle, RvdHdc *out);

/* 1,250 bytes, first bit of the code in the lowest bit of the first byte */
extern void rvd_hdc_to_bytes(const RvdHdc *v, uint8_t *bytes);

/* RVD_ERR_ARGUMENT if length is not 1,250. */
extern RvdStatus rvd_hdc_from_bytes(const uint8_t *bytes, size_t length,
									RvdHdc *v);

#endif							/* RVD_HDC_H */
