/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  Every setting of the extension, in one place.
 *
 * A setting exists once something reads it; docs/settings.md describes each.
 * Layer 2.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <limits.h>

#include "nodes/pg_list.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "ruvector_dag/attention.h"
#include "ruvector_dag/compat.h"
#include "ruvector_dag/settings.h"

bool		rvd_neural_dag_enabled = true;
int			rvd_dag_mode = RVD_MODE_AUTO;
double		rvd_dag_min_cost = 1000.0;
double		rvd_dag_trial_budget = 1.0;
double		rvd_dag_regret_limit = 0.1;
double		rvd_dag_overhead_limit = 0.01;
int			rvd_dag_memory_mb = 100;
int			rvd_dag_max_trajectories = 10000;
int			rvd_dag_background_interval_ms = 3600000;
bool		rvd_dag_track_query_text = true;
int			rvd_dag_work_mem_limit = 65536;
bool		rvd_dag_explain = true;
bool		rvd_dag_join_order = true;
int			rvd_dag_attention_type = RVD_ATTENTION_AUTO;
double		rvd_dag_attention_exploration = 0.1;
double		rvd_dag_ucb_c = 1.414;
bool		rvd_dag_mincut_enabled = true;
double		rvd_dag_mincut_threshold = 0.5;
double		rvd_dag_learning_rate = 0.002;
int			rvd_dag_micro_lora_rank = 2;
int			rvd_dag_base_lora_rank = 8;
double		rvd_dag_base_lora_lr = 0.001;
double		rvd_dag_ewc_lambda = 2000.0;
double		rvd_dag_ewc_max_lambda = 15000.0;
double		rvd_dag_ewc_fisher_decay = 0.999;
int			rvd_dag_pattern_clusters = 100;
double		rvd_dag_quality_threshold = 0.3;
double		rvd_dag_confidence = 0.8;
double		rvd_dag_similarity = 0.9;
int			rvd_debug_row_factor_seed = 0;
int			rvd_debug_trial_seed = 0;
char	   *rvd_debug_arm = "";
bool		rvd_debug_replay = false;
int			rvd_debug_parts_off = 0;

static char *debug_parts_off_string = NULL;

static const struct config_enum_entry mode_options[] = {
	{"observe", RVD_MODE_OBSERVE, false},
	{"advise", RVD_MODE_ADVISE, false},
	{"auto", RVD_MODE_AUTO, false},
	{NULL, 0, false}
};

static const struct config_enum_entry attention_options[] = {
	{"auto", RVD_ATTENTION_AUTO, false},
	{"topological", RVD_ATTENTION_TOPOLOGICAL, false},
	{"causal_cone", RVD_ATTENTION_CAUSAL_CONE, false},
	{"critical_path", RVD_ATTENTION_CRITICAL_PATH, false},
	{"mincut_gated", RVD_ATTENTION_MINCUT_GATED, false},
	{"hierarchical_lorentz", RVD_ATTENTION_LORENTZ, false},
	{"parallel_branch", RVD_ATTENTION_PARALLEL_BRANCH, false},
	{"temporal_btsp", RVD_ATTENTION_TEMPORAL_BTSP, false},
	{"ensemble", RVD_ATTENTION_ENSEMBLE, false},
	{NULL, 0, false}
};

static const struct
{
	const char *name;
	int			part;
}			part_names[] =
{
	{"attention", RVD_PART_ATTENTION}, {"selector", RVD_PART_SELECTOR},
	{"micro_lora", RVD_PART_MICRO_LORA}, {"base_lora", RVD_PART_BASE_LORA},
	{"ewc", RVD_PART_EWC}, {"kmeans", RVD_PART_KMEANS},
	{"bank", RVD_PART_BANK}, {"mincut", RVD_PART_MINCUT},
	{"hdc", RVD_PART_HDC}, {"btsp", RVD_PART_BTSP},
	{"cache", RVD_PART_CACHE}, {"ring", RVD_PART_RING},
	{"rows", RVD_PART_ROWS}, {"model", RVD_PART_MODEL}
};

/* The bits of a list of parts are its check's extra. */
static bool
check_parts_off(char **newval, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*newval ? *newval : "");
	List	   *names;
	ListCell   *lc;
	int			bits = 0;
	int		   *result;

	if (!SplitIdentifierString(copy, ',', &names))
	{
		GUC_check_errdetail("List syntax is invalid.");
		return false;
	}
	foreach(lc, names)
	{
		int			i = 0;

		while (i < lengthof(part_names) &&
			   strcmp(part_names[i].name, lfirst(lc)) != 0)
			i++;
		if (i == lengthof(part_names))
		{
			GUC_check_errdetail("There is no part \"%s\".",
								(char *) lfirst(lc));
			return false;
		}
		bits |= part_names[i].part;
	}
	list_free(names);
	pfree(copy);
	result = rvd_guc_extra(sizeof(int));
	if (result == NULL)
		return false;
	*result = bits;
	*extra = result;
	return true;
}

static void
assign_parts_off(const char *newval, void *extra)
{
	rvd_debug_parts_off = extra ? *((int *) extra) : 0;
}

/* What a user may switch in a session. */
static void
define_user_settings(void)
{
	DefineCustomBoolVariable("ruvector.neural_dag_enabled",
							 "Learns from statements and steers their plans.",
							 "Off: the extension does nothing at all.",
							 &rvd_neural_dag_enabled, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("ruvector.dag_explain",
							 "Lets EXPLAIN say what is known of a plan and why it is used.",
							 NULL,
							 &rvd_dag_explain, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("ruvector.dag_join_order",
							 "Makes plans again in the order of joins they had.",
							 "Off: orders are neither used nor remembered, and every planning searches.",
							 &rvd_dag_join_order, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_min_cost",
							 "Cheaper statements are only counted, never steered.",
							 "In planner cost units; a millisecond measured counts as 100 of them.",
							 &rvd_dag_min_cost, 1000.0, 0.0, DBL_MAX,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("ruvector.debug_arm",
							   "Plans every statement under the arm of this name.",
							   "For tests.",
							   &rvd_debug_arm, "",
							   PGC_SUSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("ruvector.debug_parts_off",
							   "Switches parts off, by name.",
							   "For measuring what each one is worth.",
							   &debug_parts_off_string, "",
							   PGC_SUSET, GUC_LIST_INPUT | GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE,
							   check_parts_off, assign_parts_off, NULL);
	DefineCustomBoolVariable("ruvector.debug_replay",
							 "Makes every plan again from what would be remembered with it.",
							 "For tests: says whether it is the same plan, and runs the second one.",
							 &rvd_debug_replay, false,
							 PGC_USERSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE,
							 NULL, NULL, NULL);
	DefineCustomIntVariable("ruvector.debug_row_factor_seed",
							"Multiplies every row estimate by a pseudo-random factor.",
							"For tests: 0 is off, any other value seeds the factors.",
							&rvd_debug_row_factor_seed, 0, 0, INT_MAX,
							PGC_USERSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE,
							NULL, NULL, NULL);
	DefineCustomIntVariable("ruvector.debug_trial_seed",
							"Tries a pseudo-random plan under a pseudo-random budget wherever a trial is possible.",
							"For tests: 0 is off, any other value seeds them.",
							&rvd_debug_trial_seed, 0, 0, INT_MAX,
							PGC_SUSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE,
							NULL, NULL, NULL);
}

/* The neural core: kernels, latency model, patterns. */
static void
define_neural_settings(void)
{
	DefineCustomEnumVariable("ruvector.dag_attention_type",
							 "The kernel that weighs a plan's operators; auto lets the selector choose.",
							 NULL,
							 &rvd_dag_attention_type, RVD_ATTENTION_AUTO,
							 attention_options, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_attention_exploration",
							 "Share of choices the selector makes at random.",
							 NULL,
							 &rvd_dag_attention_exploration, 0.1, 0.0, 1.0,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_ucb_c",
							 "How much the selector favours kernels it knows little of.",
							 NULL,
							 &rvd_dag_ucb_c, 1.414, 0.0, 10.0,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("ruvector.dag_mincut_enabled",
							 "Lets the min-cut gated kernel take part.",
							 NULL,
							 &rvd_dag_mincut_enabled, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_mincut_threshold",
							 "Criticality from which an operator counts as a bottleneck.",
							 "0.5 is exactly where it throttles what it is given.",
							 &rvd_dag_mincut_threshold, 0.5, 0.0, 1.0,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_learning_rate",
							 "Largest step of the per-query adapter of the latency model.",
							 NULL,
							 &rvd_dag_learning_rate, 0.002, 0.0001, 1.0,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("ruvector.dag_pattern_clusters",
							"Patterns extracted from one cycle's executions, at most.",
							NULL,
							&rvd_dag_pattern_clusters, 100, 10, 1000,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_quality_threshold",
							 "Executions of lower quality do not become patterns.",
							 "0.5 is as fast as the class's reference, 0.3 is 1.74 times slower.",
							 &rvd_dag_quality_threshold, 0.3, 0.0, 1.0,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_confidence",
							 "Confidence a pattern needs before what it advises is tried.",
							 "Its similarity must suffice as well.",
							 &rvd_dag_confidence, 0.8, 0.0, 1.0,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_similarity",
							 "Cosine similarity a pattern needs before what it advises is tried.",
							 "Its confidence must suffice as well.",
							 &rvd_dag_similarity, 0.9, 0.0, 1.0,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_ewc_lambda",
							 "Least weight of what was learned before against what is new.",
							 NULL,
							 &rvd_dag_ewc_lambda, 2000.0, 100.0, 50000.0,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_ewc_max_lambda",
							 "Largest weight of what was learned before against what is new.",
							 NULL,
							 &rvd_dag_ewc_max_lambda, 15000.0, 100.0, 50000.0,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_ewc_fisher_decay",
							 "Decay of the moving average behind the Fisher information.",
							 NULL,
							 &rvd_dag_ewc_fisher_decay, 0.999, 0.9, 0.99999,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_base_lora_lr",
							 "Step of the latency model's base adapter in a learning cycle.",
							 NULL,
							 &rvd_dag_base_lora_lr, 0.001, 0.00001, 1.0,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* What only the administrator may change, because others pay for it. */
static void
define_superuser_settings(void)
{
	DefineCustomEnumVariable("ruvector.dag_mode",
							 "Observe records only, advise also plans what it would try, auto steers.",
							 NULL,
							 &rvd_dag_mode, RVD_MODE_AUTO, mode_options,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_overhead_limit",
							 "Share of execution time that counting rows per plan node may cost.",
							 NULL,
							 &rvd_dag_overhead_limit, 0.01, 0.0, 1.0,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_regret_limit",
							 "Share of execution time that exploration may cost.",
							 "Abandoned trials, planning of candidates and slower runs count; what steering has saved is added.",
							 &rvd_dag_regret_limit, 0.1, 0.0, 1.0,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("ruvector.dag_track_query_text",
							 "Keeps the text of query classes.",
							 NULL,
							 &rvd_dag_track_query_text, true,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_trial_budget",
							 "A trial may take at most this multiple of the expected time.",
							 "0 turns trials off.",
							 &rvd_dag_trial_budget, 1.0, 0.0, 10.0,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("ruvector.dag_work_mem_limit",
							"Memory that an arm's work_mem may raise an operation's to.",
							"A session whose own work_mem is larger keeps that.",
							&rvd_dag_work_mem_limit, 65536, 64, MAX_KILOBYTES,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
}

static void
define_server_settings(bool preloading)
{
	DefineCustomIntVariable("ruvector.dag_background_interval_ms",
							"Time between learning cycles.",
							NULL,
							&rvd_dag_background_interval_ms,
							3600000, 1000, 86400000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	if (!preloading)
		return;
	DefineCustomIntVariable("ruvector.dag_micro_lora_rank",
							"Rank of the per-query adapter of the latency model.",
							NULL,
							&rvd_dag_micro_lora_rank, 2, 1, 2,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("ruvector.dag_base_lora_rank",
							"Rank of the base adapter of the latency model.",
							NULL,
							&rvd_dag_base_lora_rank, 8, 4, 16,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("ruvector.dag_max_trajectories",
							"Executions kept per database until the learner reads them.",
							NULL,
							&rvd_dag_max_trajectories, 10000, 100, 1000000,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("ruvector.dag_memory_mb",
							"Shared memory of the extension, all of it.",
							NULL,
							&rvd_dag_memory_mb, 100, 16, 4096,
							PGC_POSTMASTER, GUC_UNIT_MB, NULL, NULL, NULL);
}

void
rvd_settings_init(bool preloading)
{
	define_user_settings();
	define_neural_settings();
	define_superuser_settings();
	define_server_settings(preloading);
	MarkGUCPrefixReserved("ruvector");
}
