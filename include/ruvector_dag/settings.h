/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  Every setting (GUC), under the prefix "ruvector.".  Layer 2.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_SETTINGS_H
#define RVD_SETTINGS_H

#include "postgres.h"

typedef enum RvdMode
{
	RVD_MODE_OBSERVE = 0,		/* record only */
	RVD_MODE_ADVISE,			/* also plan what would be tried; run nothing */
	RVD_MODE_AUTO				/* steer */
} RvdMode;

/* Kernels by number of attention.h, and: */
#define RVD_ATTENTION_AUTO	(-1)	/* the selector chooses */

extern PGDLLIMPORT bool rvd_neural_dag_enabled;
extern PGDLLIMPORT int rvd_dag_mode;
extern PGDLLIMPORT double rvd_dag_min_cost; /* planner cost units */
extern PGDLLIMPORT double rvd_dag_trial_budget; /* x expected baseline */
extern PGDLLIMPORT double rvd_dag_regret_limit; /* share of executed time */
extern PGDLLIMPORT double rvd_dag_overhead_limit;	/* share */
extern PGDLLIMPORT int rvd_dag_memory_mb;
extern PGDLLIMPORT int rvd_dag_max_trajectories;	/* per database */
extern PGDLLIMPORT int rvd_dag_background_interval_ms;
extern PGDLLIMPORT bool rvd_dag_track_query_text;
extern PGDLLIMPORT int rvd_dag_work_mem_limit;	/* kB, of arms */
extern PGDLLIMPORT bool rvd_dag_explain;	/* group in EXPLAIN */
extern PGDLLIMPORT bool rvd_dag_join_order;

/* The neural core; ranges in settings.c. */
extern PGDLLIMPORT int rvd_dag_attention_type;	/* RvdAttentionKind or AUTO */
extern PGDLLIMPORT double rvd_dag_attention_exploration;
extern PGDLLIMPORT double rvd_dag_ucb_c;
extern PGDLLIMPORT bool rvd_dag_mincut_enabled;
extern PGDLLIMPORT double rvd_dag_mincut_threshold;
extern PGDLLIMPORT double rvd_dag_learning_rate;	/* micro-LoRA */
extern PGDLLIMPORT int rvd_dag_micro_lora_rank;
extern PGDLLIMPORT int rvd_dag_base_lora_rank;
extern PGDLLIMPORT double rvd_dag_base_lora_lr;
extern PGDLLIMPORT double rvd_dag_ewc_lambda;
extern PGDLLIMPORT double rvd_dag_ewc_max_lambda;
extern PGDLLIMPORT double rvd_dag_ewc_fisher_decay;
extern PGDLLIMPORT int rvd_dag_pattern_clusters;
extern PGDLLIMPORT double rvd_dag_quality_threshold;
extern PGDLLIMPORT double rvd_dag_confidence;
extern PGDLLIMPORT double rvd_dag_similarity;

/* Developer options, hidden from SHOW ALL; used by the test suite. */
extern PGDLLIMPORT int rvd_debug_row_factor_seed;
extern PGDLLIMPORT int rvd_debug_trial_seed;
extern PGDLLIMPORT char *rvd_debug_arm;
extern PGDLLIMPORT bool rvd_debug_replay;

/* Is every plan to be made in a way a developer's option says? */
static inline bool
rvd_debug_plans(void)
{
	return rvd_debug_row_factor_seed != 0 || rvd_debug_arm[0] != '\0' ||
		rvd_debug_replay;
}

/*
 * Parts that can be switched off by name (ruvector.debug_parts_off, a list),
 * to see what each one is worth.  The name is the lower-case end.
 */
typedef enum RvdPart
{
	RVD_PART_ATTENTION = 0x0001,	/* off: mean pooling */
	RVD_PART_SELECTOR = 0x0002, /* off: always the topological kernel */
	RVD_PART_MICRO_LORA = 0x0004,
	RVD_PART_BASE_LORA = 0x0008,
	RVD_PART_EWC = 0x0010,
	RVD_PART_KMEANS = 0x0020,	/* off: every instance its own pattern */
	RVD_PART_BANK = 0x0040,		/* off: no match is ever found */
	RVD_PART_MINCUT = 0x0080,
	RVD_PART_HDC = 0x0100,		/* off: no codes, hence no memory either */
	RVD_PART_BTSP = 0x0200,
	RVD_PART_CACHE = 0x0400,	/* of embeddings */
	RVD_PART_RING = 0x0800,		/* off: no trajectories */
	RVD_PART_ROWS = 0x1000,		/* off: no learned row counts */
	RVD_PART_MODEL = 0x2000		/* off: no predictions */
} RvdPart;

extern PGDLLIMPORT int rvd_debug_parts_off; /* bits */

static inline bool
rvd_part_on(RvdPart part)
{
	return (rvd_debug_parts_off & part) == 0;
}

/*
 * Define them.  Settings of context postmaster are defined only while
 * shared_preload_libraries is being processed.
 */
extern void rvd_settings_init(bool preloading);

#endif							/* RVD_SETTINGS_H */
