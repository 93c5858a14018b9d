/*-------------------------------------------------------------------------
 *
 * hdc_bundle.c
 *	  Bundling: the majority of many codes.  See hdc.h.
 *
 * One counter per bit, kept in slices (hdc_sliced.c); the majority compares
 * all 10,000 of them with half the number of members, from the highest plane
 * down.  Exact: no majority of majorities anywhere.
 *
 * The caller's memory; no state.  Schmuck, Benini, Rahimi, "Hardware
 * optimizations of dense binary hyperdimensional computing" (2019).
 * Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "hdc_simd.h"

#include <string.h>

#include "hdc_private.h"

#define MAX_MEMBERS		((UINT32_C(1) << RVD_HDC_PLANES) - 1)
#define MIN_PLANES		3

/* Fills up a batch of rows that has fewer than RVD_SLICE_ROWS. */
static const RvdHdc no_bits = {{0}};

void
rvd_hdc_bundle_init(RvdHdcBundle *b)
{
	memset(b, 0, sizeof(*b));
	b->n_planes = MIN_PLANES;
}

RvdStatus
rvd_hdc_bundle_add_rows(RvdHdcBundle *b, const RvdHdc *rows, int n)
{
	const uint64_t *row[RVD_SLICE_ROWS];

	if (n < 0 || n > RVD_SLICE_ROWS)
		return RVD_ERR_ARGUMENT;
	if (b->n + (uint32_t) n > MAX_MEMBERS)
		return RVD_ERR_FULL;

	b->n += (uint32_t) n;
	while (b->n_planes < RVD_HDC_PLANES && b->n >> b->n_planes != 0)
		b->n_planes++;
	for (int i = 0; i < RVD_SLICE_ROWS; i++)
		row[i] = i < n ? rows[i].w : no_bits.w;
	rvd_sliced_add(b->plane[0], RVD_HDC_WORDS, b->n_planes, row);
	return RVD_OK;
}

RvdStatus
rvd_hdc_bundle_add(RvdHdcBundle *b, const RvdHdc *v)
{
	return rvd_hdc_bundle_add_rows(b, v, 1);
}

/*
 * greater: the counter exceeds half; equal: it is half.  A plane where half
 * has a 0 decides for those that have a 1 and were equal so far.
 */
RVD_CLONES static void
compare_with_half(const RvdHdcBundle *b, const uint64_t *tie, uint64_t *out)
{
	uint32_t	half = b->n / 2;

	for (int i = 0; i < RVD_HDC_WORDS; i += RVD_SLICE_WORDS)
	{
		RvdSlice	greater = {0};
		RvdSlice	equal = ~greater;

		for (int p = b->n_planes - 1; p >= 0; p--)
		{
			RvdSlice	plane = RVD_SLICE_IN(b->plane[p] + i);

			if (half >> p & 1)
				equal &= plane;
			else
			{
				greater |= equal & plane;
				equal &= ~plane;
			}
		}
		RVD_SLICE(out + i) = greater | (equal & RVD_SLICE_IN(tie + i));
	}
}

/* An odd number of members has no ties; half is then rounded down. */
RvdStatus
rvd_hdc_bundle_majority(const RvdHdcBundle *b, RvdHdc *out)
{
	RvdHdc		tie;

	if (b->n == 0)
		return RVD_ERR_EMPTY;
	if (b->n % 2 == 0)
		rvd_hdc_atom(RVD_HDC_TIE, 0, &tie);
	else
		tie = no_bits;
	compare_with_half(b, tie.w, out->w);
	return RVD_OK;
}
