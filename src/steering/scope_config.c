/*-------------------------------------------------------------------------
 *
 * scope_config.c
 *	  Overrides of settings stored with an enabled table.  Layer 4.
 *
 * The only reader of the JSON in ruvector.dag_tables.config.  Used by SQL to
 * refuse what makes no sense and by the scope cache, which must live with
 * whatever is in the table; so parsing answers instead of raising.
 *
 * Memory: complaints are palloc'd in CurrentMemoryContext; no state.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "ruvector_dag/scope_config.h"
#include "ruvector_dag/settings.h"

typedef struct ScopeKeyInfo
{
	const char *name;
	bool		privileged;		/* the setting is a superuser's */
	double		min;
	double		max;
	bool		careful_is_high;	/* larger values do less harm */
} ScopeKeyInfo;

static const ScopeKeyInfo scope_keys[RVD_NUM_SCOPE_KEYS] = {
	[RVD_SCOPE_MODE] = {"dag_mode", true,
	RVD_MODE_OBSERVE, RVD_MODE_AUTO, false},
	[RVD_SCOPE_MIN_COST] = {"dag_min_cost", false, 0.0, 1e300, true},
	[RVD_SCOPE_TRIAL_BUDGET] = {"dag_trial_budget", true, 0.0, 10.0, false},
	[RVD_SCOPE_REGRET_LIMIT] = {"dag_regret_limit", true, 0.0, 1.0, false},
};

static const char *const scope_modes[] = {
	[RVD_MODE_OBSERVE] = "observe",
	[RVD_MODE_ADVISE] = "advise",
	[RVD_MODE_AUTO] = "auto",
};

const char *
rvd_scope_config_name(RvdScopeKey key)
{
	return scope_keys[key].name;
}

bool
rvd_scope_config_is_privileged(RvdScopeKey key)
{
	return scope_keys[key].privileged;
}

char *
rvd_scope_config_show(RvdScopeKey key, double value)
{
	if (key == RVD_SCOPE_MODE)
		return pstrdup(scope_modes[(int) value]);
	return psprintf("%.15g", value);
}

/* Position of a key in scope_keys, or -1. */
static int
rvd_scope_config_find(const JsonbValue *name)
{
	for (int i = 0; i < RVD_NUM_SCOPE_KEYS; i++)
	{
		if (strlen(scope_keys[i].name) == (size_t) name->val.string.len &&
			memcmp(scope_keys[i].name, name->val.string.val,
				   name->val.string.len) == 0)
			return i;
	}
	return -1;
}

/* A mode by name; false if there is none of that name. */
static bool
rvd_scope_config_mode(const JsonbValue *v, double *out)
{
	if (v->type != jbvString)
		return false;
	for (int i = 0; i < (int) lengthof(scope_modes); i++)
	{
		if (strlen(scope_modes[i]) == (size_t) v->val.string.len &&
			pg_strncasecmp(scope_modes[i], v->val.string.val,
						   v->val.string.len) == 0)
		{
			*out = i;
			return true;
		}
	}
	return false;
}

/* One value; false with a complaint if it does not fit its key. */
static bool
rvd_scope_config_value(RvdScopeKey key, const JsonbValue *v, double *out,
					   char **complaint, char **hint)
{
	const ScopeKeyInfo *info = &scope_keys[key];

	if (key == RVD_SCOPE_MODE)
	{
		if (rvd_scope_config_mode(v, out))
			return true;
		*complaint = psprintf("invalid value for config key \"%s\"",
							  info->name);
		*hint = pstrdup("Available values: \"observe\", \"advise\", \"auto\".");
		return false;
	}

	if (v->type != jbvNumeric)
	{
		*complaint = psprintf("value for config key \"%s\" must be a number",
							  info->name);
		return false;
	}
	*out = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  NumericGetDatum(v->val.numeric)));
	if (isnan(*out) || *out < info->min || *out > info->max)
	{
		*complaint = psprintf("value for config key \"%s\" is out of range",
							  info->name);
		*hint = info->max > 1e100
			? psprintf("It must not be less than %g.", info->min)
			: psprintf("It must be between %g and %g.",
					   info->min, info->max);
		return false;
	}
	return true;
}

bool
rvd_scope_config_parse(Jsonb *jb, RvdScopeConfig *config,
					   char **complaint, char **hint)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	char	   *unused_complaint;
	char	   *unused_hint;

	if (complaint == NULL)
		complaint = &unused_complaint;
	if (hint == NULL)
		hint = &unused_hint;
	*complaint = NULL;
	*hint = NULL;
	memset(config, 0, sizeof(*config));

	if (!JB_ROOT_IS_OBJECT(jb))
	{
		*complaint = pstrdup("config must be a JSON object");
		return false;
	}

	it = JsonbIteratorInit(&jb->root);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		int			key;

		if (token != WJB_KEY)
			continue;
		key = rvd_scope_config_find(&v);
		if (key < 0)
		{
			*complaint = psprintf("unrecognized config key \"%.*s\"",
								  v.val.string.len, v.val.string.val);
			*hint = pstrdup("Available keys: dag_mode, dag_min_cost, "
							"dag_trial_budget, dag_regret_limit.");
			return false;
		}
		(void) JsonbIteratorNext(&it, &v, true);
		if (!rvd_scope_config_value(key, &v, &config->value[key],
									complaint, hint))
			return false;
		config->set |= 1U << key;
	}
	return true;
}

void
rvd_scope_config_inherit(RvdScopeConfig *config, const RvdScopeConfig *base)
{
	for (int i = 0; i < RVD_NUM_SCOPE_KEYS; i++)
	{
		if ((base->set & (1U << i)) != 0 && (config->set & (1U << i)) == 0)
			config->value[i] = base->value[i];
	}
	config->set |= base->set;
}

void
rvd_scope_config_merge_careful(RvdScopeConfig *into,
							   const RvdScopeConfig *other)
{
	for (int i = 0; i < RVD_NUM_SCOPE_KEYS; i++)
	{
		if ((other->set & (1U << i)) == 0)
			continue;
		if ((into->set & (1U << i)) == 0)
			into->value[i] = other->value[i];
		else if (scope_keys[i].careful_is_high)
			into->value[i] = Max(into->value[i], other->value[i]);
		else
			into->value[i] = Min(into->value[i], other->value[i]);
	}
	into->set |= other->set;
}

void
rvd_scope_check_config(Datum jsonb_config)
{
	RvdScopeConfig config;
	char	   *complaint;
	char	   *hint;

	if (rvd_scope_config_parse(DatumGetJsonbP(jsonb_config), &config,
							   &complaint, &hint))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg_internal("%s", complaint),
			 hint ? errhint("%s", hint) : 0));
}
