/*-------------------------------------------------------------------------
 *
 * arms.c
 *	  Triggers of ruvector.dag_arms: an edit is checked, and told to all.
 *
 * Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"

#include "ruvector_dag/arm.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_arms_changed);
PG_FUNCTION_INFO_V1(ruvector_dag_arm_check);

static void
require_trigger(FunctionCallInfo fcinfo, const char *name)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as a trigger", name)));
}

/* Statement trigger; needs no shared memory. */
Datum
ruvector_dag_arms_changed(PG_FUNCTION_ARGS)
{
	require_trigger(fcinfo, "ruvector_dag_arms_changed");
	rvd_arm_invalidate();
	/* see ruvector_dag_tables_changed */
	CommandCounterIncrement();
	return PointerGetDatum(NULL);
}

static void
check_setting(const char *name, const char *value)
{
	const char *complaint = NULL;

	if (!rvd_arm_setting_allowed(name, &complaint))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an arm cannot have the setting \"%s\"", name),
				 errdetail("%s", complaint)));
	/* raises what SET would */
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SET, false, ERROR, false);
}

static void
check_settings(Jsonb *settings)
{
	JsonbIterator *it = JsonbIteratorInit(&settings->root);
	JsonbValue	key;
	JsonbValue	value;
	int			n = 0;

	if (!JB_ROOT_IS_OBJECT(settings))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the settings of an arm must be a JSON object"),
				 errhint("For example {\"enable_nestloop\": \"off\"}.")));
	(void) JsonbIteratorNext(&it, &value, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char	   *name = pnstrdup(key.val.string.val, key.val.string.len);

		if (JsonbIteratorNext(&it, &value, true) != WJB_VALUE ||
			(value.type != jbvString && value.type != jbvNumeric &&
			 value.type != jbvBool))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the value of setting \"%s\" must be a string, number or boolean",
							name)));
		if (++n > RVD_ARM_SETTINGS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("an arm can have %d settings at most",
							RVD_ARM_SETTINGS)));
		check_setting(name,
					  value.type == jbvBool ? (value.val.boolean ? "on" : "off") :
					  value.type == jbvString ?
					  pnstrdup(value.val.string.val, value.val.string.len) :
					  DatumGetCString(DirectFunctionCall1(numeric_out,
														  NumericGetDatum(value.val.numeric))));
	}
}

/*
 * A dump has all rows, and those shipped are there already when it is
 * restored: such a row takes the place of the one there.  True: it did.
 */
static bool
replace_shipped(HeapTuple tuple, TupleDesc desc)
{
	Oid			types[6] = {INT2OID, TEXTOID, JSONBOID, BOOLOID, BOOLOID, TEXTOID};
	const char *names[6] = {"arm_id", "name", "settings", "learned_rows",
	"enabled", "description"};
	Datum		values[6];
	char		nulls[7] = "      ";
	bool		isnull;
	bool		replaced;

	if (!DatumGetBool(SPI_getbinval(tuple, desc, SPI_fnumber(desc, "shipped"),
									&isnull)) || isnull)
		return false;
	for (int i = 0; i < 6; i++)
	{
		values[i] = SPI_getbinval(tuple, desc, SPI_fnumber(desc, names[i]),
								  &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	if (SPI_execute_with_args("UPDATE ruvector.dag_arms SET name = $2, "
							  "settings = $3, learned_rows = $4, "
							  "enabled = $5, description = $6 "
							  "WHERE arm_id = $1 AND shipped",
							  6, types, values, nulls, false, 0) != SPI_OK_UPDATE)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not write table \"ruvector.dag_arms\"")));
	replaced = SPI_processed > 0;
	return replaced;
}

/*
 * CREATE EXTENSION would bring it back when a dump is restored: so it stays,
 * and can be switched off.
 */
static void
refuse_to_delete(TriggerData *data)
{
	bool		isnull;
	Datum		shipped;

	if (TRIGGER_FIRED_BY_DELETE(data->tg_event))
	{
		TupleDesc	desc = RelationGetDescr(data->tg_relation);

		shipped = SPI_getbinval(data->tg_trigtuple, desc,
								SPI_fnumber(desc, "shipped"), &isnull);
		if (isnull || !DatumGetBool(shipped))
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("arms that came with the extension cannot be deleted"),
			 errhint("UPDATE ruvector.dag_arms SET enabled = false switches one off.")));
}

/* Row trigger, before insert, update or delete; and before truncate. */
Datum
ruvector_dag_arm_check(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	tuple;
	Datum		settings;
	bool		isnull;
	bool		replaced = false;

	require_trigger(fcinfo, "ruvector_dag_arm_check");
	if (TRIGGER_FIRED_BY_DELETE(data->tg_event) ||
		TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
	{
		refuse_to_delete(data);
		return PointerGetDatum(data->tg_trigtuple);
	}
	desc = RelationGetDescr(data->tg_relation);
	tuple = TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple :
		data->tg_trigtuple;
	if (SPI_connect() != SPI_OK_CONNECT)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not connect to SPI")));
	settings = SPI_getbinval(tuple, desc, SPI_fnumber(desc, "settings"),
							 &isnull);
	if (!isnull)
		check_settings(DatumGetJsonbP(settings));
	if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
		replaced = replace_shipped(tuple, desc);
	SPI_finish();
	return PointerGetDatum(replaced ? NULL : tuple);
}
