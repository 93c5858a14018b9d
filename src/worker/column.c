/*-------------------------------------------------------------------------
 *
 * column.c
 *	  Where a column lies in an entry and which SQL type it has.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

#include "entity.h"

Oid
rvd_column_scalar_type(RvdColumnKind kind)
{
	switch (kind)
	{
		case RVD_COLUMN_INT8:
		case RVD_COLUMN_ATOMIC8:
		case RVD_COLUMN_UINT4:
			return INT8OID;
		case RVD_COLUMN_UINT2:
			return INT4OID;
		case RVD_COLUMN_OID:
			return OIDOID;
		case RVD_COLUMN_FLOAT8:
			return FLOAT8OID;
		case RVD_COLUMN_FLOAT4:
			return FLOAT4OID;
		case RVD_COLUMN_TIME:
			return TIMESTAMPTZOID;
		case RVD_COLUMN_TEXT:
			return TEXTOID;
		case RVD_COLUMN_CODE:
			return BYTEAOID;
		default:
			return InvalidOid;
	}
}

Oid
rvd_column_type(const RvdColumn *column)
{
	if (column->kind == RVD_COLUMN_LATENCY || column->kind == RVD_COLUMN_LINE)
		return FLOAT8ARRAYOID;
	if (column->kind != RVD_COLUMN_ARRAY)
		return rvd_column_scalar_type(column->kind);
	switch (rvd_column_scalar_type(column->element))
	{
		case INT8OID:
			return INT8ARRAYOID;
		case INT4OID:
			return INT4ARRAYOID;
		case OIDOID:
			return OIDARRAYOID;
		default:
			return FLOAT4ARRAYOID;
	}
}

int
rvd_column_count(const RvdColumn *column, const char *entry)
{
	const char *at = entry + column->count_offset;
	int			n = column->max;

	if (column->count_width == 2)
		n = *(const uint16 *) at;
	else if (column->count_width == 4)
		n = *(const int32 *) at;
	return Max(0, Min(n, column->max));
}

static Size
element_size(RvdColumnKind kind)
{
	switch (kind)
	{
		case RVD_COLUMN_INT8:
			return 8;
		case RVD_COLUMN_UINT2:
			return 2;
		default:
			return 4;
	}
}

const char *
rvd_column_element(const RvdColumn *column, const char *entry, int i)
{
	return entry + column->offset +
		i / column->per_member * column->stride +
		i % column->per_member * element_size(column->element);
}
