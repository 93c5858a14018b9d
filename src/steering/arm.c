/*-------------------------------------------------------------------------
 *
 * arm.c
 *	  The arms of ruvector.dag_arms, as this backend knows them.
 *
 * Filled on demand, in a subtransaction so that a failure costs nothing but
 * the arms; the relcache callback only marks it as stale, since it may arrive
 * in the middle of anything.
 *
 * Layer 4.  Memory: one context below CacheMemoryContext.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "ruvector_dag/arm.h"
#include "ruvector_dag/hash.h"
#include "scope_cache.h"

#define ARM_TABLE "dag_arms"

static bool arms_loaded = false;
static bool arms_busy = false;
static Oid	arms_table = InvalidOid;
static MemoryContext arms_context = NULL;
static RvdArm arms[RVD_MAX_ARMS + 1];
static uint32 arms_enabled = 0;
static uint64 arms_generation = 0;
static uint64 arms_hash = 0;

static void
on_relcache_invalidation(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == arms_table || !OidIsValid(arms_table))
	{
		arms_generation++;
		arms_loaded = false;
	}
}

void
rvd_arm_init(void)
{
	CacheRegisterRelcacheCallback(on_relcache_invalidation, (Datum) 0);
}

void
rvd_arm_invalidate(void)
{
	Oid			table = rvd_scope_own_table(ARM_TABLE);

	if (OidIsValid(table))
		CacheInvalidateRelcacheByRelid(table);
}

/* ---- reading -------------------------------------------------------------- */

/* One setting of the jsonb object; anything but a scalar makes it invalid. */
static bool
add_setting(RvdArm *arm, const JsonbValue *key, const JsonbValue *value)
{
	RvdArmSetting *s;
	const char *unused;
	char	   *text;

	if (arm->n == RVD_ARM_SETTINGS)
		return false;
	switch (value->type)
	{
		case jbvString:
			text = pnstrdup(value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			text = DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
			break;
		case jbvBool:
			text = pstrdup(value->val.boolean ? "on" : "off");
			break;
		default:
			return false;
	}
	s = &arm->set[arm->n];
	s->name = pnstrdup(key->val.string.val, key->val.string.len);
	s->value = text;
	if (!rvd_arm_setting_allowed(s->name, &unused))
		return false;
	arm->at_run |= rvd_arm_setting_acts_at_run(s->name);
	arm->n++;
	return true;
}

static bool
read_settings(RvdArm *arm, Jsonb *settings)
{
	JsonbIterator *it = JsonbIteratorInit(&settings->root);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(settings))
		return false;
	(void) JsonbIteratorNext(&it, &value, true);
	while ((token = JsonbIteratorNext(&it, &key, true)) == WJB_KEY)
	{
		if (JsonbIteratorNext(&it, &value, true) != WJB_VALUE ||
			!add_setting(arm, &key, &value))
			return false;
	}
	return true;
}

static AttrNumber
column(TupleDesc desc, const char *name, Oid type)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && att->atttypid == type &&
			strcmp(NameStr(att->attname), name) == 0)
			return att->attnum;
	}
	return InvalidAttrNumber;
}

static uint64
hash_text(const char *text)
{
	return rvd_hash_bytes(text, strlen(text), 0);
}

static uint64
hash_arm(const RvdArm *arm)
{
	uint64		h = rvd_hash_combine(arm->id,
									 (arm->enabled ? 2 : 0) +
									 (arm->learned_rows ? 1 : 0));

	for (int i = 0; i < arm->n; i++)
		h = rvd_hash_combine(rvd_hash_combine(h, hash_text(arm->set[i].name)),
							 hash_text(arm->set[i].value));
	return h;
}

/* An arm that cannot be used as it stands is not there. */
static void
read_arm(TupleDesc desc, HeapTuple tuple, const AttrNumber *at)
{
	Datum		value[5];
	bool		isnull;
	MemoryContext old;
	RvdArm		arm;
	int16		id;

	for (int i = 0; i < 5; i++)
	{
		value[i] = heap_getattr(tuple, at[i], desc, &isnull);
		if (isnull)
			return;
	}
	id = DatumGetInt16(value[0]);
	if (id < 1 || id > RVD_MAX_ARMS)
		return;
	memset(&arm, 0, sizeof(arm));
	old = MemoryContextSwitchTo(arms_context);
	arm.id = (uint16) id;
	arm.name = TextDatumGetCString(value[1]);
	arm.learned_rows = DatumGetBool(value[3]);
	arm.enabled = DatumGetBool(value[4]);
	if (read_settings(&arm, DatumGetJsonbP(value[2])))
	{
		arms[id] = arm;
		arms_hash += hash_arm(&arm);
		if (arm.enabled)
			arms_enabled |= 1U << id;
	}
	MemoryContextSwitchTo(old);
}

/* SnapshotSelf for the reasons given in scope_table.c. */
static void
read_arms(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	AttrNumber	at[5] = {
		column(desc, "arm_id", INT2OID), column(desc, "name", TEXTOID),
		column(desc, "settings", JSONBOID),
		column(desc, "learned_rows", BOOLOID),
		column(desc, "enabled", BOOLOID)
	};
	SysScanDesc scan;
	HeapTuple	tuple;

	for (int i = 0; i < lengthof(at); i++)
		if (at[i] == InvalidAttrNumber)
			return;
	scan = systable_beginscan(rel, InvalidOid, false, SnapshotSelf, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		read_arm(desc, tuple, at);
	systable_endscan(scan);
}

static void
forget_arms(void)
{
	memset(arms, 0, sizeof(arms));
	arms_enabled = 0;
	arms_hash = 1;
	arms_table = InvalidOid;
	if (arms_context == NULL)
		arms_context = AllocSetContextCreate(CacheMemoryContext,
											 "ruvector_dag arms",
											 ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(arms_context);
}

static void
load_arms(void *arg)
{
	uint64		generation;
	Oid			table;

	forget_arms();
	generation = arms_generation;
	table = rvd_scope_own_table(ARM_TABLE);
	if (!OidIsValid(table))
	{
		arms_loaded = generation == arms_generation;
		return;
	}
	arms_loaded = rvd_scope_read_own(table, &arms_generation, read_arms);
	arms_table = table;
}

static bool
have_arms(void)
{
	if (likely(arms_loaded))
		return true;
	if (arms_busy || !IsTransactionState() || IsInParallelMode() ||
		!OidIsValid(MyDatabaseId))
		return false;
	return rvd_scope_guard(load_arms, NULL, &arms_busy) && arms_loaded;
}

/* ---- looking up ------------------------------------------------------------- */

const RvdArm *
rvd_arm(uint16 id)
{
	if (id < 1 || id > RVD_MAX_ARMS || !have_arms() || arms[id].id == 0)
		return NULL;
	return &arms[id];
}

uint32
rvd_arms_enabled(void)
{
	return have_arms() ? arms_enabled : 0;
}

uint32
rvd_arms_learned(void)
{
	uint32		learned = 0;

	if (!have_arms())
		return 0;
	for (int i = 1; i <= RVD_MAX_ARMS; i++)
		if (arms[i].enabled && arms[i].learned_rows)
			learned |= 1U << i;
	return learned;
}

uint64
rvd_arms_hash(void)
{
	return have_arms() ? arms_hash : 0;
}

const RvdArm *
rvd_arm_by_name(const char *name)
{
	if (!have_arms())
		return NULL;
	for (int i = 1; i <= RVD_MAX_ARMS; i++)
		if (arms[i].id != 0 && strcmp(arms[i].name, name) == 0)
			return &arms[i];
	return NULL;
}

const char *
rvd_arm_name(uint16 id)
{
	const RvdArm *arm;

	if (id == RVD_ARM_NONE)
		return "none";
	arm = rvd_arm(id);
	return arm ? arm->name : NULL;
}
