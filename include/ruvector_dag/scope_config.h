/*-------------------------------------------------------------------------
 *
 * scope_config.h
 *	  Overrides of settings stored with an enabled table.  Layer 4.
 *
 * A config is a JSON object.  Its keys are names of settings without the
 * prefix "ruvector."; what it does not name is not overridden.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_SCOPE_CONFIG_H
#define RVD_SCOPE_CONFIG_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "ruvector_dag/scope.h"

typedef enum RvdScopeKey
{
	RVD_SCOPE_MODE = 0,			/* value: RvdMode */
	RVD_SCOPE_MIN_COST,
	RVD_SCOPE_TRIAL_BUDGET,
	RVD_SCOPE_REGRET_LIMIT
} RvdScopeKey;

#define RVD_NUM_SCOPE_KEYS (RVD_SCOPE_REGRET_LIMIT + 1)

typedef struct RvdScopeConfig
{
	uint32		set;			/* bit per RvdScopeKey: overridden */
	double		value[RVD_NUM_SCOPE_KEYS];
} RvdScopeConfig;

/* Name of a key without prefix, and whether its setting is superuser's. */
extern const char *rvd_scope_config_name(RvdScopeKey key);
extern bool rvd_scope_config_is_privileged(RvdScopeKey key);

/* A value as text, palloc'd. */
extern char *rvd_scope_config_show(RvdScopeKey key, double value);

/*
 * Read a config object.  False if it is not one, names an unknown key or has
 * a value out of range; then *complaint (if not NULL) is a palloc'd message
 * that names the key, and *hint (if not NULL) advice or NULL.
 */
extern bool rvd_scope_config_parse(Jsonb *jb, RvdScopeConfig *config,
								   char **complaint, char **hint);

/* What base names and config does not is taken over from base. */
extern void rvd_scope_config_inherit(RvdScopeConfig *config,
									 const RvdScopeConfig *base);

/* Two tables of one statement: where both speak, the more careful holds. */
extern void rvd_scope_config_merge_careful(RvdScopeConfig *into,
										   const RvdScopeConfig *other);

/*
 * Overrides that hold for one table: its own, then its ancestors', then the
 * whole database's (whole alone with InvalidOid).  Returns whether the table
 * is enabled.  May raise; for SQL functions.
 */
extern bool rvd_scope_of_table(Oid relid, RvdScopeConfig *own,
							   RvdScopeConfig *whole);

#endif							/* RVD_SCOPE_CONFIG_H */
