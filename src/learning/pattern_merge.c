/*-------------------------------------------------------------------------
 *
 * pattern_merge.c
 *	  Fresh patterns meet those of former cycles.  See pattern_extract.h.
 *
 * Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/pattern_extract.h"

#include "ruvector_dag/vec.h"

/*
 * The nearest old pattern beyond threshold, -1: none; ties: the first.  What
 * bears the date of the fresh one is another fresh one, or has met one.
 */
static int
nearest_old(const RvdBank *bank, const RvdPattern *fresh, double threshold)
{
	double		best = threshold;
	int			found = -1;

	for (int i = 0; i < bank->n; i++)
	{
		const RvdPattern *old = &bank->pattern[i];
		double		cosine = rvd_vec_dot(old->centroid, fresh->centroid,
										 RVD_EMBEDDING_DIM);

		if (cosine > best && old->updated_at != fresh->updated_at)
		{
			best = cosine;
			found = i;
		}
	}
	return found;
}

/* Average direction by samples; what cannot be averaged stays. */
static void
average_centroid(RvdPattern *p, const RvdPattern *old, const RvdPattern *fresh)
{
	float		mean[RVD_EMBEDDING_DIM] = {0};

	rvd_vec_axpy((float) old->samples, old->centroid, mean, RVD_EMBEDDING_DIM);
	rvd_vec_axpy((float) fresh->samples, fresh->centroid, mean,
				 RVD_EMBEDDING_DIM);
	if (rvd_vec_normalize(mean, RVD_EMBEDDING_DIM))
		for (int d = 0; d < RVD_EMBEDDING_DIM; d++)
			p->centroid[d] = mean[d];
}

/* News of an old pattern. */
static void
renew(RvdPattern *old, const RvdPattern *fresh)
{
	RvdPattern	p = fresh->verified >= old->verified ? *fresh : *old;

	p.id = old->id;
	p.updated_at = fresh->updated_at;
	p.samples = old->samples > fresh->samples ? old->samples : fresh->samples;
	average_centroid(&p, old, fresh);
	*old = p;
}

int
rvd_patterns_merge(RvdBank *bank, const RvdPattern *fresh, int n,
				   double threshold, uint64_t *next_id)
{
	int			met = 0;

	for (int i = 0; i < n; i++)
	{
		int			old = nearest_old(bank, &fresh[i], threshold);

		if (old >= 0)
		{
			renew(&bank->pattern[old], &fresh[i]);
			met++;
		}
		else
		{
			RvdPattern	p = fresh[i];

			p.id = (*next_id)++;
			(void) rvd_bank_add(bank, &p);	/* full: the least valuable goes */
		}
	}
	return met;
}
