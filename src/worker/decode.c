/*-------------------------------------------------------------------------
 *
 * decode.c
 *	  One column of an entry: Datum to C bytes.
 *
 * Reading trusts nothing: rows may have been edited, restored from another
 * version or damaged.  A value that is NULL, out of range, not finite or of
 * the wrong length makes decoding answer false, and the caller skips the
 * row.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "entity.h"

static bool
decode_unsigned(int64 value, uint32 most, uint32 *out)
{
	if (value < 0 || value > most)
		return false;
	*out = (uint32) value;
	return true;
}

static bool
decode_number(RvdColumnKind kind, Datum value, char *at)
{
	uint32		small;

	switch (kind)
	{
		case RVD_COLUMN_INT8:
			*(int64 *) at = DatumGetInt64(value);
			return true;
		case RVD_COLUMN_ATOMIC8:
			pg_atomic_init_u64((pg_atomic_uint64 *) at, DatumGetInt64(value));
			return DatumGetInt64(value) >= 0;
		case RVD_COLUMN_UINT4:
			return decode_unsigned(DatumGetInt64(value), PG_UINT32_MAX,
								   (uint32 *) at);
		case RVD_COLUMN_UINT2:
			if (!decode_unsigned(DatumGetInt32(value), PG_UINT16_MAX, &small))
				return false;
			*(uint16 *) at = small;
			return true;
		case RVD_COLUMN_OID:
			*(Oid *) at = DatumGetObjectId(value);
			return true;
		case RVD_COLUMN_FLOAT8:
			*(double *) at = DatumGetFloat8(value);
			return isfinite(*(double *) at);
		case RVD_COLUMN_FLOAT4:
			*(float *) at = DatumGetFloat4(value);
			return isfinite(*(float *) at);
		default:
			*(TimestampTz *) at = DatumGetTimestampTz(value);
			return !TIMESTAMP_NOT_FINITE(*(TimestampTz *) at);
	}
}

static bool
decode_text(const RvdColumn *column, Datum value, char *at)
{
	text	   *t = DatumGetTextPP(value);
	int			len = pg_mbcliplen(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t),
								   column->max - 1);

	memcpy(at, VARDATA_ANY(t), len);
	at[len] = '\0';
	return true;
}

/* Elements of a one-dimensional array without NULLs; -1 if it is not one. */
static int
open_array(Datum value, Oid type, Datum **elements)
{
	ArrayType  *a = DatumGetArrayTypeP(value);
	bool		wide = type == INT8OID || type == FLOAT8OID;
	int			n;

	if (ARR_ELEMTYPE(a) != type || ARR_NDIM(a) > 1 || array_contains_nulls(a))
		return -1;
	deconstruct_array(a, type, wide ? 8 : 4, wide ? FLOAT8PASSBYVAL : true,
					  wide ? TYPALIGN_DOUBLE : TYPALIGN_INT,
					  elements, NULL, &n);
	return n;
}

static bool
decode_floats(Datum value, double *out, int n)
{
	Datum	   *elements;

	if (open_array(value, FLOAT8OID, &elements) != n)
		return false;
	for (int i = 0; i < n; i++)
	{
		out[i] = DatumGetFloat8(elements[i]);
		if (!isfinite(out[i]))
			return false;
	}
	return true;
}

static bool
decode_latency(Datum value, RvdLatency *s)
{
	double		v[RVD_LATENCY_LENGTH];

	if (!decode_floats(value, v, RVD_LATENCY_LENGTH) ||
		v[0] < 0 || v[0] > PG_UINT32_MAX || v[1] < 0 || v[1] > PG_UINT32_MAX ||
		v[3] < 0 || v[4] < 0)
		return false;
	s->n = (uint32) v[0];
	s->n_censored = (uint32) v[1];
	s->mean = v[2];
	s->m2 = v[3];
	s->sum_ms = v[4];
	s->best_ms = v[5];
	s->worst_ms = v[6];
	s->last_ms = v[7];
	s->bound_ms = v[8];
	return true;
}

static bool
decode_line(Datum value, RvdLine *l)
{
	double		v[RVD_LINE_LENGTH];

	if (!decode_floats(value, v, RVD_LINE_LENGTH))
		return false;
	l->n = v[0];
	l->sx = v[1];
	l->sy = v[2];
	l->sxx = v[3];
	l->sxy = v[4];
	l->syy = v[5];
	return true;
}

static bool
decode_code(Datum value, uint64 *words)
{
	bytea	   *b = DatumGetByteaPP(value);
	RvdHdc		code;

	if (rvd_hdc_from_bytes((const uint8_t *) VARDATA_ANY(b),
						   VARSIZE_ANY_EXHDR(b), &code) != RVD_OK)
		return false;
	memcpy(words, code.w, sizeof(code.w));
	return true;
}

/*
 * Several arrays may share a counter: the first of the entity's columns that
 * does sets it, the others must agree.
 */
static bool
set_count(const RvdColumn *columns, int which, char *entry, int members)
{
	const RvdColumn *column = &columns[which];

	if (column->count_width == 0)
		return members == column->max;
	if (members > column->max)
		return false;
	for (int i = 0; i < which; i++)
		if (columns[i].kind == RVD_COLUMN_ARRAY &&
			columns[i].count_width != 0 &&
			columns[i].count_offset == column->count_offset)
			return rvd_column_count(column, entry) == members;
	if (column->count_width == 2)
		*(uint16 *) (entry + column->count_offset) = members;
	else
		*(int32 *) (entry + column->count_offset) = members;
	return true;
}

static bool
decode_array(const RvdColumn *columns, int which, Datum value, char *entry)
{
	const RvdColumn *column = &columns[which];
	Datum	   *elements;
	Oid			type = rvd_column_scalar_type(column->element);
	int			n = open_array(value, type, &elements);

	if (n < 0 || n % column->per_member != 0 ||
		!set_count(columns, which, entry, n / column->per_member))
		return false;
	for (int i = 0; i < n; i++)
		if (!decode_number(column->element, elements[i],
						   (char *) rvd_column_element(column, entry, i)))
			return false;
	return true;
}

bool
rvd_column_decode(const RvdColumn *columns, int which, Datum value,
				  bool isnull, char *entry)
{
	const RvdColumn *column = &columns[which];
	char	   *at = entry + column->offset;

	if (isnull)
		return column->kind == RVD_COLUMN_TIME;
	switch (column->kind)
	{
		case RVD_COLUMN_TEXT:
			return decode_text(column, value, at);
		case RVD_COLUMN_LATENCY:
			return decode_latency(value, (RvdLatency *) at);
		case RVD_COLUMN_LINE:
			return decode_line(value, (RvdLine *) at);
		case RVD_COLUMN_CODE:
			return decode_code(value, (uint64 *) at);
		case RVD_COLUMN_ARRAY:
			return decode_array(columns, which, value, entry);
		default:
			return decode_number(column->kind, value, at);
	}
}
