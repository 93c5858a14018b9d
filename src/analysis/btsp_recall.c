/*-------------------------------------------------------------------------
 *
 * btsp_recall.c
 *	  One-shot memory: recall.  See btsp.h.
 *
 * The 128 rows of the cue's inputs are added into bit-sliced counters, one
 * per neuron (hdc_sliced.c).  The strongest neurons are found on the slices
 * too, from the highest down, without ever unpacking a sum: those with the
 * bit, if there are enough of them, are the new candidates; if not, all of
 * them win and the others compete for the places left.  In the end the
 * candidates are equal; if they are more than the places, each gets the same
 * fraction of a vote, which is what drawing lots would give on average.
 *
 * A threshold keeps a nearly empty memory from answering with whatever is
 * there: without it one stored item would be the best match of any cue.  It
 * rises with the density, which adds to every sum.
 *
 * Reads 64 KB of weights.  13 KB of stack; no state.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "hdc_simd.h"

#include <string.h>

#include "btsp_private.h"

#define PLANES		8			/* sums up to 128 */
#define WORDS		RVD_BTSP_ROW_WORDS
#define PLACES		RVD_BTSP_WRITERS

/* Rows are added in full batches, and the next batch is looked at. */
#define PADDED_GROUPS	(RVD_BTSP_GROUPS + 2 * RVD_SLICE_ROWS)

_Static_assert(RVD_BTSP_GROUPS < 1 << PLANES, "sums fit");
_Static_assert(WORDS % RVD_SLICE_WORDS == 0, "rows are whole slices");

/* Both kinds of votes for an item, in one number. */
#define SURE_VOTE	256
#define TIED_VOTE	1

_Static_assert(RVD_BTSP_WRITERS < SURE_VOTE, "votes fit");

static const uint64_t no_bits[WORDS] = {0};

typedef struct Winners
{
	uint64_t	sure[WORDS];	/* stronger than the ties */
	uint64_t	tied[WORDS];	/* equal, and share the places left */
	int			n_tied;
	int			places;			/* left for them */
} Winners;

/* The rows lie anywhere in 4 MB: ask for the next ones while adding. */
static void
prefetch_row(const uint64_t *row)
{
	for (int i = 0; i < WORDS; i += 8)
		__builtin_prefetch(row + i);
}

static void
sum_rows(const RvdBtsp *m, const uint8_t *input, uint64_t *planes)
{
	const uint64_t *row[PADDED_GROUPS];

	for (int g = 0; g < RVD_BTSP_GROUPS; g++)
		row[g] = m->weight[rvd_btsp_row(g, input[g])];
	for (int g = RVD_BTSP_GROUPS; g < PADDED_GROUPS; g++)
		row[g] = no_bits;

	memset(planes, 0, PLANES * WORDS * sizeof(uint64_t));
	for (int g = 0; g < RVD_BTSP_GROUPS; g += RVD_SLICE_ROWS)
	{
		for (int r = 0; r < RVD_SLICE_ROWS; r++)
			prefetch_row(row[g + RVD_SLICE_ROWS + r]);
		rvd_sliced_add(planes, WORDS, PLANES, row + g);
	}
}

/* Neurons whose sum is at least least > 0: greater than least - 1. */
static void
find_candidates(const uint64_t *planes, int least, uint64_t *candidates)
{
	for (int i = 0; i < WORDS; i++)
	{
		uint64_t	greater = 0;
		uint64_t	equal = ~UINT64_C(0);

		for (int p = PLANES - 1; p >= 0; p--)
		{
			uint64_t	plane = planes[p * WORDS + i];

			if ((least - 1) >> p & 1)
				equal &= plane;
			else
			{
				greater |= equal & plane;
				equal &= ~plane;
			}
		}
		candidates[i] = greater;
	}
}

/* w->tied holds the candidates. */
static void
choose_winners(const uint64_t *planes, Winners *w)
{
	memset(w->sure, 0, sizeof(w->sure));
	w->places = PLACES;
	w->n_tied = 0;
	for (int i = 0; i < WORDS; i++)
		w->n_tied += (int) rvd_count_bits(w->tied[i]);

	for (int p = PLANES - 1; p >= 0 && w->n_tied > w->places; p--)
	{
		const uint64_t *plane = planes + p * WORDS;
		int			n = 0;

		for (int i = 0; i < WORDS; i++)
			n += (int) rvd_count_bits(w->tied[i] & plane[i]);
		for (int i = 0; i < WORDS; i++)
		{
			if (n < w->places)
			{
				w->sure[i] |= w->tied[i] & plane[i];
				w->tied[i] &= ~plane[i];
			}
			else
				w->tied[i] &= plane[i];
		}
		w->n_tied = n < w->places ? w->n_tied - n : n;
		w->places -= n < w->places ? n : 0;
	}
}

/*
 * A vote for each item of each neuron of a set of winners.  An item has no
 * neuron twice, so both kinds of votes fit a byte.
 */
static void
count_votes(const RvdBtsp *m, const uint64_t *neurons, uint16_t weight,
			uint16_t *votes)
{
	for (int i = 0; i < WORDS; i++)
	{
		for (uint64_t left = neurons[i]; left != 0; left &= left - 1)
		{
			uint64_t	below = (left - 1) & ~left;
			int			neuron = i * 64 + (int) rvd_count_bits(below);
			uint16_t	entry = m->first[neuron];

			for (int k = 0; k < m->n_entries[neuron]; k++)
			{
				votes[entry / RVD_BTSP_WRITERS] += weight;
				entry = m->next[entry];
			}
		}
	}
}

/*
 * The item with the largest share of the winners, the newer of equals; 0
 * shares if nobody has any.
 */
static double
best_item(const RvdBtsp *m, const Winners *w, const uint16_t *votes,
		  uint64_t *id)
{
	uint32_t	places = w->n_tied < w->places ? w->n_tied : w->places;
	uint32_t	each = w->n_tied > 0 ? w->n_tied : 1;
	uint32_t	best = 0;
	uint32_t	newest = 0;

	*id = 0;
	for (uint32_t slot = 0; slot < m->n_items; slot++)
	{
		uint32_t	shares;

		if (votes[slot] == 0)
			continue;
		shares = votes[slot] / SURE_VOTE * each +
			votes[slot] % SURE_VOTE * places;
		if (shares > best || (shares == best && m->written[slot] > newest))
		{
			best = shares;
			newest = m->written[slot];
			*id = m->id[slot];
		}
	}
	return (double) best / (PLACES * each);
}

/* The sum a code with that many common inputs would have on average. */
static int
threshold(const RvdBtsp *m)
{
	int			others = RVD_BTSP_GROUPS - RVD_BTSP_MIN_OVERLAP;

	return RVD_BTSP_MIN_OVERLAP + (int) (others * rvd_btsp_density(m));
}

RvdStatus
rvd_btsp_recall(const RvdBtsp *m, const RvdHdc *cue, uint64_t *id,
				double *confidence)
{
	uint8_t		input[RVD_BTSP_GROUPS];
	uint64_t	planes[PLANES * WORDS];
	uint16_t	votes[RVD_BTSP_CAPACITY];
	Winners		w;

	*id = 0;
	*confidence = 0;
	if (m->n_items == 0)
		return RVD_ERR_EMPTY;

	rvd_btsp_inputs(m, cue, input);
	sum_rows(m, input, planes);
	find_candidates(planes, threshold(m), w.tied);
	choose_winners(planes, &w);

	memset(votes, 0, sizeof(votes));
	count_votes(m, w.sure, SURE_VOTE, votes);
	count_votes(m, w.tied, TIED_VOTE, votes);
	*confidence = best_item(m, &w, votes, id);
	return RVD_OK;
}
