/*-------------------------------------------------------------------------
 *
 * sql_common.h
 *	  What the SQL functions share.  Layer 7, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_SQL_COMMON_H
#define RVD_SQL_COMMON_H

#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

#include "ruvector_dag/store.h"

#define RVD_INSUFFICIENT_PRIVILEGE "<insufficient privilege>"

/* ---- common.c ---------------------------------------------------------- */

/*
 * Argument n as relation OID; InvalidOid if NULL (the whole database).
 * Raises 42P01 if there is no such relation.
 */
extern Oid	rvd_sql_arg_relation(FunctionCallInfo fcinfo, int n);

/* Name as one would write it, schema only if needed; "(dropped)" if gone. */
extern char *rvd_sql_relation_name(Oid relid);
extern Datum rvd_sql_relation_names(const Oid *relids, int n);

/* The relation with everything that inherits from it. */
extern List *rvd_sql_relation_family(Oid relid);
extern bool rvd_sql_touches(const Oid *relids, int n, List *family);

/* Are the extension's tables in this database? */
extern bool rvd_sql_installed(void);

/*
 * Run SQL as the owner of the extension's tables, search_path fixed: connect
 * to SPI, switch; and back.  An error in between is undone by the server's
 * abort.
 */
typedef struct RvdOwner
{
	Oid			user;
	int			security;
	int			nest_level;
} RvdOwner;

extern void rvd_sql_become_owner(RvdOwner *saved);
extern void rvd_sql_resume_caller(RvdOwner *saved);

/* Builders for jsonb objects; a NaN or infinite number becomes null. */
typedef struct RvdJson
{
	JsonbParseState *state;
	JsonbValue *result;
} RvdJson;

extern void rvd_json_begin(RvdJson *json);
extern Jsonb *rvd_json_end(RvdJson *json);
/* The same with an array as the whole. */
extern void rvd_json_begin_list(RvdJson *json);
extern Jsonb *rvd_json_end_list(RvdJson *json);
extern void rvd_json_begin_object(RvdJson *json, const char *key);
extern void rvd_json_end_object(RvdJson *json);
extern void rvd_json_begin_array(RvdJson *json, const char *key);
extern void rvd_json_end_array(RvdJson *json);
extern void rvd_json_add_int(RvdJson *json, const char *key, int64 value);
extern void rvd_json_add_float(RvdJson *json, const char *key, double value);
extern void rvd_json_add_bool(RvdJson *json, const char *key, bool value);
extern void rvd_json_add_text(RvdJson *json, const char *key,
							  const char *value);
extern void rvd_json_add_time(RvdJson *json, const char *key, TimestampTz t);
extern void rvd_json_element_text(RvdJson *json, const char *value);

/* ---- patterns.c ---------------------------------------------------------- */

/* Patterns in the bank that touch the table (InvalidOid: all). */
extern int	rvd_sql_count_patterns(Oid tab);

/* ---- neural_stats.c ------------------------------------------------------ */

/* The neural core of this database as an object "neural". */
extern void rvd_neural_stats_add(RvdJson *json, RvdDatabase *db);

/* ---- privileges.c ------------------------------------------------------ */

extern bool rvd_may_read_all_stats(void);

/* Query texts: who ran it, and pg_read_all_stats. */
extern bool rvd_may_read_text(Oid user);

/*
 * Counts learned from these relations: whoever can read every row of all of
 * them (SELECT, row security not in force), and pg_read_all_stats.
 */
extern bool rvd_may_read_relations(const Oid *relids, int n);
extern bool rvd_may_read_class(const RvdClass *class);
extern bool rvd_may_read_knowledge(const RvdRows *rows);

/* Owner of the table; whole database: see file.  Raises if not. */
extern void rvd_require_ownership(Oid relid);

/* ---- knowledge.c ------------------------------------------------------- */

/* A copy of what is in shared memory for this database. */
typedef struct RvdKnowledge
{
	RvdClass   *classes;
	int			n_classes;
	RvdInstance *instances;
	int			n_instances;
	RvdPlan    *plans;
	int			n_plans;
	HTAB	   *class_index;	/* queryid -> class */
} RvdKnowledge;

/* Classes, instances and plans; tab (if valid): only those touching it. */
extern void rvd_knowledge_load(RvdKnowledge *k, Oid tab);
extern RvdClass *rvd_knowledge_class(const RvdKnowledge *k, int64 queryid);

extern HTAB *rvd_knowledge_plan_index(const RvdKnowledge *k);
extern RvdPlan *rvd_knowledge_plan(const RvdKnowledge *k, HTAB *index,
								   int64 queryid, uint64 instance,
								   uint64 fingerprint);

/* Instances by rvd_instance_key(); NULL if it is not there any more. */
extern HTAB *rvd_knowledge_instance_index(const RvdKnowledge *k);
extern RvdInstance *rvd_knowledge_instance(const RvdKnowledge *k, HTAB *index,
										   int64 queryid, uint64 instance);

/* A plan's roles, oldest first: an array of {at, role, reason}. */
extern void rvd_knowledge_add_history(RvdJson *json, const RvdPlan *plan);

/* Row knowledge, all of it. */
extern RvdRows *rvd_knowledge_rows(int *n);

/* Mean of complete runs in ms, NaN if there are none. */
extern double rvd_knowledge_mean_ms(const RvdLatency *latency);

/* Text of a class for the caller: masked, or NULL if not kept. */
extern const char *rvd_knowledge_query_text(const RvdClass *class);

/*
 * A plan's corrections as {"rows": [{"relations", "clauses", "rows"}]},
 * names looked up in rows.  index: of rvd_configuration_index.
 */
extern HTAB *rvd_configuration_index(RvdRows *rows, int n);
extern Datum rvd_configuration_jsonb(const RvdPlan *plan, RvdRows *rows,
									 HTAB *index);

/* A row under construction for a materialized set. */
#define RVD_SQL_COLUMNS 20

typedef struct RvdRow
{
	int			n;
	Datum		values[RVD_SQL_COLUMNS];
	bool		nulls[RVD_SQL_COLUMNS];
} RvdRow;

extern void rvd_row_add(RvdRow *row, Datum value);
extern void rvd_row_add_null(RvdRow *row);
extern void rvd_row_add_text(RvdRow *row, const char *value);	/* NULL: null */
extern void rvd_row_add_float(RvdRow *row, double value);	/* NaN: null */
extern void rvd_row_add_time(RvdRow *row, TimestampTz value);	/* 0: null */
extern void rvd_row_put(RvdRow *row, FunctionCallInfo fcinfo);

#endif							/* RVD_SQL_COMMON_H */
