/*-------------------------------------------------------------------------
 *
 * spi_column.c
 *	  Columns of the rows that SPI returned last.  See spi_column.h.
 *
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/timestamp.h"

#include "spi_column.h"

/* InvalidOid: NULL. */
static Oid
get(uint64 row, int column, Datum *value)
{
	bool		isnull;

	*value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						   column, &isnull);
	return isnull ? InvalidOid : SPI_gettypeid(SPI_tuptable->tupdesc, column);
}

bool
rvd_spi_int(uint64 row, int column, int64 *out)
{
	Datum		value;

	switch (get(row, column, &value))
	{
		case INT8OID:
			*out = DatumGetInt64(value);
			return true;
		case INT4OID:
			*out = DatumGetInt32(value);
			return true;
		case INT2OID:
			*out = DatumGetInt16(value);
			return true;
		default:
			return false;
	}
}

bool
rvd_spi_number(uint64 row, int column, double *out)
{
	Datum		value;
	Oid			type = get(row, column, &value);
	double		number;

	if (type == FLOAT4OID)
		number = DatumGetFloat4(value);
	else if (type == FLOAT8OID)
		number = DatumGetFloat8(value);
	else
		return false;
	if (!isfinite(number))
		return false;
	*out = number;
	return true;
}

bool
rvd_spi_real(uint64 row, int column, float *out)
{
	double		number;

	if (!rvd_spi_number(row, column, &number))
		return false;
	*out = (float) number;
	return true;
}

bool
rvd_spi_time(uint64 row, int column, int64 *out)
{
	Datum		value;

	if (get(row, column, &value) != TIMESTAMPTZOID)
		return false;
	*out = DatumGetTimestampTz(value);
	return true;
}

bool
rvd_spi_bytes(uint64 row, int column, void *out, Size length)
{
	Datum		value;
	bytea	   *bytes;

	if (get(row, column, &value) != BYTEAOID)
		return false;
	bytes = DatumGetByteaPP(value);
	if (VARSIZE_ANY_EXHDR(bytes) != length)
		return false;
	memcpy(out, VARDATA_ANY(bytes), length);
	return true;
}

int
rvd_spi_array(uint64 row, int column, Oid element, int most, void *out)
{
	Datum		value;
	Oid			type = get(row, column, &value);
	ArrayType  *array;
	int			n;

	if (type != (element == OIDOID ? OIDARRAYOID : FLOAT4ARRAYOID))
		return -1;
	array = DatumGetArrayTypeP(value);
	n = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array) || n > most ||
		ARR_ELEMTYPE(array) != element)
		n = -1;
	else
		memcpy(out, ARR_DATA_PTR(array), (Size) n * 4);
	if (DatumGetPointer(value) != (Pointer) array)
		pfree(array);
	return n;
}
