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

#include "utils/guc.h"

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
int			rvd_debug_row_factor_seed = 0;

static const struct config_enum_entry mode_options[] = {
	{"observe", RVD_MODE_OBSERVE, false},
	{"advise", RVD_MODE_ADVISE, false},
	{"auto", RVD_MODE_AUTO, false},
	{NULL, 0, false}
};

/* What a user may switch in a session. */
static void
define_user_settings(void)
{
	DefineCustomBoolVariable("ruvector.neural_dag_enabled",
							 "Learns from statements and steers their plans.",
							 "Off: the extension does nothing at all.",
							 &rvd_neural_dag_enabled, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("ruvector.dag_min_cost",
							 "Cheaper statements are only counted, never steered.",
							 "In planner cost units; a millisecond measured counts as 100 of them.",
							 &rvd_dag_min_cost, 1000.0, 0.0, DBL_MAX,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("ruvector.debug_row_factor_seed",
							"Multiplies every row estimate by a pseudo-random factor.",
							"For tests: 0 is off, any other value seeds the factors.",
							&rvd_debug_row_factor_seed, 0, 0, INT_MAX,
							PGC_USERSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE,
							NULL, NULL, NULL);
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
	define_superuser_settings();
	define_server_settings(preloading);
	MarkGUCPrefixReserved("ruvector");
}
