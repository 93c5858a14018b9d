/*-------------------------------------------------------------------------
 *
 * bank.h
 *	  ReasoningBank: patterns of plans and what worked for them.
 *	  Layer 1, pure.
 *
 * A pattern is a cluster of stock plans (centroid of their embeddings) with
 * the configuration that did best on its members and how sure that is.  The
 * bank is one block without pointers, searched exactly: the five nearest by
 * cosine, ties by id.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_BANK_H
#define RVD_BANK_H

#include <stddef.h>
#include <stdint.h>

#include "ruvector_dag/embedding.h"
#include "ruvector_dag/status.h"

#define RVD_BANK_TOP		5
#define RVD_PATTERN_RELATIONS	8

/* How plans are made under a pattern: RvdCandidateSource of bank users. */
typedef struct RvdPattern
{
	uint64_t	id;
	uint32_t	configuration;	/* index of the candidate source; 0: stock */
	uint32_t	samples;		/* members, weighted over cycles */
	uint32_t	verified;		/* members whose configuration was measured */
	float		tightness;		/* R: norm of the mean of the members */
	float		mean_ratio;		/* of ln(time / baseline) under it */
	float		ratio_variance; /* of one member's */
	float		quality;		/* mean, 0 .. 1 */
	float		latency_ms;		/* typical, under the configuration */
	float		baseline_ms;	/* typical, stock */
	float		inflate;		/* mean ln(true / estimated rows) of joins */
	int16_t		attention;		/* kernel most of them used */
	int16_t		n_relations;
	uint32_t	relations[RVD_PATTERN_RELATIONS];
	int64_t		example;		/* query id */
	int64_t		updated_at;		/* the caller's clock */
	float		centroid[RVD_EMBEDDING_DIM];	/* unit norm */
} RvdPattern;

typedef struct RvdBank
{
	int32_t		n;
	int32_t		capacity;
	RvdPattern	pattern[];
} RvdBank;

typedef struct RvdMatch
{
	int32_t		index;
	float		similarity;		/* cosine */
	float		confidence;
} RvdMatch;

extern size_t rvd_bank_size(int32_t capacity);
extern void rvd_bank_init(RvdBank *b, int32_t capacity);

/*
 * Up to RVD_BANK_TOP matches, best first; returns how many.  query: unit
 * norm; a zero or non-finite one matches nothing.  O(n * 256).
 */
extern int	rvd_bank_search(const RvdBank *b, const float *query,
							RvdMatch *matches);

/*
 * clamp((cos - 0.5) / 0.5, 0, 1) * P(ratio < 1) * n / (n + 3), where n is
 * verified and P the normal posterior of the mean log ratio (from a prior of
 * mean 0.35, sd 0.7; runs spread by 0.05 at least): 0 without evidence,
 * monotone in each part.
 */
extern double rvd_pattern_confidence(const RvdPattern *p, double similarity);

/* What it is worth keeping: samples * |mean_ratio| * confidence at 1. */
extern double rvd_pattern_value(const RvdPattern *p);

/*
 * Make one of two whose members and evidence are apart.  Figures are
 * weighted by samples, the ratio by verified, times on the log scale;
 * attention and example are those of the larger; id and configuration stay.
 */
extern void rvd_pattern_absorb(RvdPattern *into, const RvdPattern *p);

/*
 * Add a pattern; when full, the least valuable, of equals the one updated
 * longest ago, makes room (which may be the new one: RVD_ERR_FULL).
 */
extern RvdStatus rvd_bank_add(RvdBank *b, const RvdPattern *p);

/*
 * Merge patterns nearer than threshold (0.95) that have the same
 * configuration, with rvd_pattern_absorb(); the older (lower) id stays.
 * Afterwards no two such are left, and patterns are in order of id.  Does not
 * depend on their order before.  Returns how many went.  O(n^2 * 256).
 */
extern int	rvd_bank_consolidate(RvdBank *b, double threshold);

#endif							/* RVD_BANK_H */
