/*-------------------------------------------------------------------------
 *
 * pattern_extract.h
 *	  From clusters of stock plans to patterns, and into the bank.
 *	  Layer 1, pure.
 *
 * A member is one stock plan of one instance with what its runs showed and
 * with what became of the learned plan that was tried in its place.  What
 * was tried is the evidence of a pattern; it belongs to the instance, so that
 * two plans of one instance bring it once.
 *
 * Members are read anew from the whole history in every cycle: the evidence
 * of a fresh pattern contains what an older one of the same plans had, so it
 * replaces that instead of being added to it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_PATTERN_EXTRACT_H
#define RVD_PATTERN_EXTRACT_H

#include <stddef.h>
#include <stdint.h>

#include "ruvector_dag/bank.h"
#include "ruvector_dag/status.h"

/* RvdPattern.configuration: an arm by number, 0 for the stock plan. */
#define RVD_CONFIGURATION_STOCK		0
#define RVD_CONFIGURATIONS			32

#define RVD_MEMBER_RELATIONS	12

/* Runs of one instance count as evidence up to this many. */
#define RVD_MEMBER_VERIFIED_MAX	4

typedef struct RvdPatternMember
{
	uint64_t	instance;		/* key of its instance */
	int64_t		queryid;
	uint32_t	runs;			/* executions it stands for, >= 1 */
	uint32_t	verified;		/* runs of another plan; 0: none was tried */
	uint32_t	configuration;	/* what the plan was made under, 1 .. 31 */
	float		ratio;			/* mean of ln(its time / baseline) */
	float		ratio_variance; /* of one run's */
	float		log_ms;			/* mean ln ms of the stock plan */
	float		quality;		/* mean, 0 .. 1 */
	float		inflate;		/* mean ln(true / estimated) of joins; NaN */
	int16_t		attention;		/* kernel, 0 .. 15 */
	int16_t		n_relations;
	uint32_t	relations[RVD_MEMBER_RELATIONS];
} RvdPatternMember;

typedef struct RvdExtractOptions
{
	uint32_t	min_members;	/* of a cluster that becomes a pattern */
	uint32_t	min_runs;		/* of all its members together */
	int64_t		now;			/* the caller's clock: updated_at */
} RvdExtractOptions;

extern size_t rvd_clusters_workspace(int k);

/*
 * Join clusters whose mean directions are nearer than threshold: K-means cuts
 * a large group of equal plans in pieces, which would be patterns with a part
 * of the evidence each.  The lowest number takes in its like, the most alike
 * first, until all are apart; assignment[n] is renumbered 0, 1, ...  Returns
 * how many clusters there are then.  O(n 256 + k^2 256) as a rule.
 */
extern int	rvd_clusters_join(const float *points, int n, int32_t *assignment,
							  int k, double threshold, void *work);

extern size_t rvd_patterns_workspace(int n);

/*
 * points[n * RVD_EMBEDDING_DIM] of the members, assignment[n] in 0 .. k - 1.
 * Fills patterns[k] in order of the clusters, ids 0; *count: how many there
 * are.  The order of the members does not matter but for rounding.
 * The configuration is the one that promises most: of all members' evidence
 * its own counts, and it must take less than 0.95 of the stock plan's time;
 * otherwise it is stock, and mean_ratio says why. A cluster without a direction (R = 0) is left out.
 * RVD_ERR_ARGUMENT: assignment out of range.  O(n (256 + log n)).
 */
extern RvdStatus rvd_patterns_extract(const float *points,
									  const RvdPatternMember *members, int n,
									  const int32_t *assignment, int k,
									  const RvdExtractOptions *options,
									  RvdPattern *patterns, int *count,
									  void *work);

/*
 * Put fresh patterns, all of one updated_at that no old one has, into the
 * bank.  One nearer than threshold to an old one is news of the same plans:
 * the old id stays, the centroids are averaged by samples, and the figures
 * and the configuration are those of the pattern with more evidence (the
 * fresh one if equal).  An old one meets one fresh one at most; the others
 * are added under *next_id, which advances.  Returns how many met.
 * O(n * bank * 256).
 */
extern int	rvd_patterns_merge(RvdBank *bank, const RvdPattern *fresh, int n,
							   double threshold, uint64_t *next_id);

#endif							/* RVD_PATTERN_EXTRACT_H */
