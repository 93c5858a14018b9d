/*-------------------------------------------------------------------------
 *
 * json.c
 *	  Builds the jsonb answers of the SQL functions.  Layer 7.
 *
 * Memory: CurrentMemoryContext.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "sql_common.h"

static void
rvd_json_key(RvdJson *json, const char *key)
{
	JsonbValue	v;

	if (key == NULL)
		return;					/* the outermost, or an array's element */
	v.type = jbvString;
	v.val.string.val = pstrdup(key);
	v.val.string.len = strlen(key);
	(void) pushJsonbValue(&json->state, WJB_KEY, &v);
}

static void
rvd_json_value(RvdJson *json, const char *key, JsonbValue *v)
{
	rvd_json_key(json, key);
	(void) pushJsonbValue(&json->state, key ? WJB_VALUE : WJB_ELEM, v);
}

void
rvd_json_begin(RvdJson *json)
{
	json->state = NULL;
	json->result = NULL;
	(void) pushJsonbValue(&json->state, WJB_BEGIN_OBJECT, NULL);
}

Jsonb *
rvd_json_end(RvdJson *json)
{
	json->result = pushJsonbValue(&json->state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(json->result);
}

void
rvd_json_begin_list(RvdJson *json)
{
	json->state = NULL;
	json->result = NULL;
	(void) pushJsonbValue(&json->state, WJB_BEGIN_ARRAY, NULL);
}

Jsonb *
rvd_json_end_list(RvdJson *json)
{
	json->result = pushJsonbValue(&json->state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(json->result);
}

void
rvd_json_begin_object(RvdJson *json, const char *key)
{
	rvd_json_key(json, key);
	(void) pushJsonbValue(&json->state, WJB_BEGIN_OBJECT, NULL);
}

void
rvd_json_end_object(RvdJson *json)
{
	(void) pushJsonbValue(&json->state, WJB_END_OBJECT, NULL);
}

void
rvd_json_begin_array(RvdJson *json, const char *key)
{
	rvd_json_key(json, key);
	(void) pushJsonbValue(&json->state, WJB_BEGIN_ARRAY, NULL);
}

void
rvd_json_end_array(RvdJson *json)
{
	(void) pushJsonbValue(&json->state, WJB_END_ARRAY, NULL);
}

void
rvd_json_add_int(RvdJson *json, const char *key, int64 value)
{
	JsonbValue	v;

	v.type = jbvNumeric;
	v.val.numeric = int64_to_numeric(value);
	rvd_json_value(json, key, &v);
}

void
rvd_json_add_float(RvdJson *json, const char *key, double value)
{
	JsonbValue	v;

	if (isnan(value) || isinf(value))
		v.type = jbvNull;
	else
	{
		v.type = jbvNumeric;
		v.val.numeric =
			DatumGetNumeric(DirectFunctionCall1(float8_numeric,
												Float8GetDatum(value)));
	}
	rvd_json_value(json, key, &v);
}

void
rvd_json_add_bool(RvdJson *json, const char *key, bool value)
{
	JsonbValue	v;

	v.type = jbvBool;
	v.val.boolean = value;
	rvd_json_value(json, key, &v);
}

void
rvd_json_add_text(RvdJson *json, const char *key, const char *value)
{
	JsonbValue	v;

	if (value == NULL)
		v.type = jbvNull;
	else
	{
		v.type = jbvString;
		v.val.string.val = pstrdup(value);
		v.val.string.len = strlen(value);
	}
	rvd_json_value(json, key, &v);
}

/* ISO 8601 as jsonb has it; 0 (never) becomes null. */
void
rvd_json_add_time(RvdJson *json, const char *key, TimestampTz t)
{
	rvd_json_add_text(json, key, t == 0 ? NULL : timestamptz_to_str(t));
}

void
rvd_json_element_text(RvdJson *json, const char *value)
{
	rvd_json_add_text(json, NULL, value);
}
