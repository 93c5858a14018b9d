/*-------------------------------------------------------------------------
 *
 * bank.c
 *	  The patterns of a database, searched exactly.  See bank.h.
 *
 * A thousand centroids are scanned in some ten microseconds, so there is no
 * index to keep.  Products in float rule out all but a few; those are
 * compared by products in double, so the answer is that of exact arithmetic.
 *
 * Memory: one block, the caller's, without pointers; searching writes
 * nothing, everything else needs it alone.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/bank.h"

#include "ruvector_dag/vec.h"

/* A product of unit vectors of 256 floats is not off by more in float. */
#define FLOAT_ERROR		4e-6

/* Patterns per round of the scan. */
#define ROUND			64

/* From one centroid to the next, in floats. */
#define STRIDE			(sizeof(RvdPattern) / sizeof(float))

_Static_assert(sizeof(RvdPattern) % sizeof(float) == 0,
			   "centroids lie a whole number of floats apart");

size_t
rvd_bank_size(int32_t capacity)
{
	return sizeof(RvdBank) + (size_t) capacity * sizeof(RvdPattern);
}

void
rvd_bank_init(RvdBank *b, int32_t capacity)
{
	b->n = 0;
	b->capacity = capacity;
}

/* ---- searching ----------------------------------------------------------- */

typedef struct Found
{
	int			n;
	int32_t		index[RVD_BANK_TOP];
	double		similarity[RVD_BANK_TOP];
} Found;

/* Keep the best, by similarity and then by id. */
static void
consider(const RvdBank *b, Found *f, int32_t index, double similarity)
{
	int			at = f->n;

	while (at > 0 && (f->similarity[at - 1] < similarity ||
					  (f->similarity[at - 1] == similarity &&
					   b->pattern[f->index[at - 1]].id > b->pattern[index].id)))
		at--;
	if (at == RVD_BANK_TOP)
		return;
	if (f->n < RVD_BANK_TOP)
		f->n++;
	for (int i = f->n - 1; i > at; i--)
	{
		f->index[i] = f->index[i - 1];
		f->similarity[i] = f->similarity[i - 1];
	}
	f->index[at] = index;
	f->similarity[at] = similarity;
}

static void
scan(const RvdBank *b, const float *query, int32_t first, int n, Found *f)
{
	float		product[ROUND];

	rvd_vec_dots(query, b->pattern[first].centroid, STRIDE, n,
				 RVD_EMBEDDING_DIM, product);
	for (int i = 0; i < n; i++)
		if (f->n < RVD_BANK_TOP ||
			product[i] > f->similarity[RVD_BANK_TOP - 1] - FLOAT_ERROR)
		{
			double		similarity =
				rvd_vec_dot_exact(query, b->pattern[first + i].centroid,
								  RVD_EMBEDDING_DIM);

			/* not so for what is not a number, or not a unit vector */
			if (similarity > -2 && similarity < 2)
				consider(b, f, first + i, similarity);
		}
}

int
rvd_bank_search(const RvdBank *b, const float *query, RvdMatch *matches)
{
	double		norm = rvd_vec_norm(query, RVD_EMBEDDING_DIM);
	Found		f = {.n = 0};

	if (!(norm > 0 && norm < 2))
		return 0;
	for (int32_t first = 0; first < b->n; first += ROUND)
		scan(b, query, first, b->n - first < ROUND ? b->n - first : ROUND, &f);
	for (int i = 0; i < f.n; i++)
	{
		matches[i].index = f.index[i];
		matches[i].similarity = (float) f.similarity[i];
		matches[i].confidence =
			(float) rvd_pattern_confidence(&b->pattern[f.index[i]],
										   f.similarity[i]);
	}
	return f.n;
}

/* ---- keeping ------------------------------------------------------------- */

/* Is a kept before b goes?  By value, then news, then age of the id. */
static bool
outlives(const RvdPattern *a, const RvdPattern *b)
{
	double		value_a = rvd_pattern_value(a);
	double		value_b = rvd_pattern_value(b);

	if (value_a != value_b)
		return value_a > value_b;
	if (a->updated_at != b->updated_at)
		return a->updated_at > b->updated_at;
	return a->id < b->id;
}

RvdStatus
rvd_bank_add(RvdBank *b, const RvdPattern *p)
{
	int32_t		least = 0;

	if (b->n < b->capacity)
	{
		b->pattern[b->n++] = *p;
		return RVD_OK;
	}
	for (int32_t i = 1; i < b->n; i++)
		if (outlives(&b->pattern[least], &b->pattern[i]))
			least = i;
	if (b->n == 0 || outlives(&b->pattern[least], p))
		return RVD_ERR_FULL;
	b->pattern[least] = *p;
	return RVD_OK;
}

/* ---- consolidating ------------------------------------------------------- */

static void
sort_by_id(RvdBank *b)
{
	for (int32_t i = 0; i + 1 < b->n; i++)
	{
		int32_t		least = i;

		for (int32_t j = i + 1; j < b->n; j++)
			if (b->pattern[j].id < b->pattern[least].id)
				least = j;
		if (least != i)
		{
			RvdPattern	swap = b->pattern[i];

			b->pattern[i] = b->pattern[least];
			b->pattern[least] = swap;
		}
	}
}

/* The one after i most like it, beyond the threshold; -1: none. */
static int32_t
most_alike(const RvdBank *b, int32_t i, double threshold)
{
	float		product[ROUND];
	double		best = threshold;
	int32_t		found = -1;

	for (int32_t first = i + 1; first < b->n; first += ROUND)
	{
		int			n = b->n - first < ROUND ? b->n - first : ROUND;

		rvd_vec_dots(b->pattern[i].centroid, b->pattern[first].centroid,
					 STRIDE, n, RVD_EMBEDDING_DIM, product);
		for (int j = 0; j < n; j++)
			if (product[j] > best && b->pattern[first + j].configuration ==
				b->pattern[i].configuration)
			{
				best = product[j];
				found = first + j;
			}
	}
	return found;
}

/*
 * The oldest takes in its like, the most alike first, until none is left;
 * then the next oldest.
 */
static int
merge_alike(RvdBank *b, double threshold)
{
	int			gone = 0;

	for (int32_t i = 0; i < b->n; i++)
	{
		int32_t		j;

		while ((j = most_alike(b, i, threshold)) >= 0)
		{
			rvd_pattern_absorb(&b->pattern[i], &b->pattern[j]);
			for (int32_t k = j; k + 1 < b->n; k++)
				b->pattern[k] = b->pattern[k + 1];
			b->n--;
			gone++;
		}
	}
	return gone;
}

/* Centroids that moved may have come near older ones: again until still. */
int
rvd_bank_consolidate(RvdBank *b, double threshold)
{
	int			gone = 0;
	int			more;

	sort_by_id(b);
	while ((more = merge_alike(b, threshold)) > 0)
		gone += more;
	return gone;
}
