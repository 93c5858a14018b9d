/*-------------------------------------------------------------------------
 *
 * scope_table.c
 *	  Reads ruvector.dag_tables.  Layer 4.
 *
 * Columns are found by name and type, so that a table of another version of
 * the extension, seen between an upgrade of the library and ALTER EXTENSION,
 * is read as far as it is understood.
 *
 * Memory: rows go into the caller's hash table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/jsonb.h"
#include "utils/snapmgr.h"

#include "scope_cache.h"
#include "ruvector_dag/settings.h"

/*
 * Overrides in a row.  A row that this version cannot read (restored from
 * another, edited by hand) must not steer by accident: it only observes.
 */
static void
rvd_scope_table_config(Datum datum, bool isnull, RvdScopeConfig *config)
{
	char	   *complaint;

	memset(config, 0, sizeof(*config));
	if (isnull || rvd_scope_config_parse(DatumGetJsonbP(datum), config,
										 &complaint, NULL))
		return;
	ereport(LOG,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("ruvector_dag: a config in table \"%s.%s\" cannot be used: %s",
					SCOPE_SCHEMA, SCOPE_TABLE, complaint),
			 errdetail("Statements on that table are only observed."),
			 errhint("Call ruvector_enable_neural_dag() for it again.")));
	memset(config, 0, sizeof(*config));
	config->set = 1U << RVD_SCOPE_MODE;
	config->value[RVD_SCOPE_MODE] = RVD_MODE_OBSERVE;
}

/* Column number by name and type family, or InvalidAttrNumber. */
static AttrNumber
rvd_scope_table_column(TupleDesc desc, const char *name, Oid type, Oid other)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0 &&
			(att->atttypid == type || att->atttypid == other))
			return att->attnum;
	}
	return InvalidAttrNumber;
}

/*
 * Read every row.  SnapshotSelf, not an MVCC snapshot: what counts is what is
 * committed now, and a serializable transaction must get no predicate lock
 * (and with it no serialization failure) from our reading.  A row that is
 * being updated may be missed for an instant; its writer's invalidation
 * message then makes us read again.
 */
void
rvd_scope_table_read(Relation rel, ScopeContents *contents)
{
	TupleDesc	desc = RelationGetDescr(rel);
	AttrNumber	att_relid = rvd_scope_table_column(desc, "relid", OIDOID,
											 REGCLASSOID);
	AttrNumber	att_config = rvd_scope_table_column(desc, "config", JSONBOID,
											  JSONBOID);
	SysScanDesc scan;
	HeapTuple	tuple;

	if (att_relid == InvalidAttrNumber || att_config == InvalidAttrNumber)
		return;
	scan = systable_beginscan(rel, InvalidOid, false, SnapshotSelf, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Oid			relid = DatumGetObjectId(heap_getattr(tuple, att_relid,
														  desc, &isnull));
		Datum		config;
		ScopeRelation *row;

		if (isnull)
			continue;
		config = heap_getattr(tuple, att_config, desc, &isnull);
		contents->any = true;
		if (!OidIsValid(relid))
		{
			contents->whole = true;
			rvd_scope_table_config(config, isnull,
								  &contents->whole_config);
			continue;
		}
		row = hash_search(contents->tables, &relid, HASH_ENTER, NULL);
		row->enabled = true;
		rvd_scope_table_config(config, isnull, &row->config);
	}
	systable_endscan(scan);
}

