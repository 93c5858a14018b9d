/*-------------------------------------------------------------------------
 *
 * encode.c
 *	  One column of an entry: C bytes to Datum.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "entity.h"

static Datum
encode_number(RvdColumnKind kind, const char *at)
{
	switch (kind)
	{
		case RVD_COLUMN_INT8:
			return Int64GetDatum(*(const int64 *) at);
		case RVD_COLUMN_ATOMIC8:
			return Int64GetDatum((int64) pg_atomic_read_u64((pg_atomic_uint64 *) at));
		case RVD_COLUMN_UINT4:
			return Int64GetDatum((int64) *(const uint32 *) at);
		case RVD_COLUMN_UINT2:
			return Int32GetDatum((int32) *(const uint16 *) at);
		case RVD_COLUMN_OID:
			return ObjectIdGetDatum(*(const Oid *) at);
		case RVD_COLUMN_FLOAT8:
			return Float8GetDatum(*(const double *) at);
		case RVD_COLUMN_FLOAT4:
			return Float4GetDatum(*(const float *) at);
		default:
			return TimestampTzGetDatum(*(const TimestampTz *) at);
	}
}

/*
 * Text that was cut to fit its buffer may end within a character; what is
 * not valid in the database's encoding is left out.
 */
static Datum
encode_text(const RvdColumn *column, const char *at)
{
	int			len = strnlen(at, column->max);

	len = pg_encoding_verifymbstr(GetDatabaseEncoding(), at, len);
	return PointerGetDatum(cstring_to_text_with_len(at, len));
}

static Datum
make_array(Datum *elements, int n, Oid type)
{
	bool		wide = type == INT8OID || type == FLOAT8OID;

	if (n == 0)
		return PointerGetDatum(construct_empty_array(type));
	return PointerGetDatum(construct_array(elements, n, type, wide ? 8 : 4,
										   wide ? FLOAT8PASSBYVAL : true,
										   wide ? TYPALIGN_DOUBLE : TYPALIGN_INT));
}

static Datum
encode_floats(const double *values, int n)
{
	Datum		elements[RVD_LATENCY_LENGTH];

	for (int i = 0; i < n; i++)
		elements[i] = Float8GetDatum(values[i]);
	return make_array(elements, n, FLOAT8OID);
}

static Datum
encode_latency(const RvdLatency *s)
{
	double		v[RVD_LATENCY_LENGTH] = {
		s->n, s->n_censored, s->mean, s->m2, s->sum_ms,
		s->best_ms, s->worst_ms, s->last_ms, s->bound_ms
	};

	return encode_floats(v, RVD_LATENCY_LENGTH);
}

static Datum
encode_line(const RvdLine *l)
{
	double		v[RVD_LINE_LENGTH] = {l->n, l->sx, l->sy, l->sxx, l->sxy, l->syy};

	return encode_floats(v, RVD_LINE_LENGTH);
}

static Datum
encode_code(const uint64 *words)
{
	bytea	   *result = palloc(VARHDRSZ + RVD_HDC_BYTES);
	RvdHdc		code;

	memcpy(code.w, words, sizeof(code.w));
	SET_VARSIZE(result, VARHDRSZ + RVD_HDC_BYTES);
	rvd_hdc_to_bytes(&code, (uint8_t *) VARDATA(result));
	return PointerGetDatum(result);
}

static Datum
encode_array(const RvdColumn *column, const char *entry)
{
	int			n = rvd_column_count(column, entry) * column->per_member;
	Datum	   *elements = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		elements[i] = encode_number(column->element,
									rvd_column_element(column, entry, i));
	return make_array(elements, n, rvd_column_scalar_type(column->element));
}

Datum
rvd_column_encode(const RvdColumn *column, const char *entry, bool *isnull)
{
	const char *at = entry + column->offset;

	*isnull = column->kind == RVD_COLUMN_TIME && *(const TimestampTz *) at == 0;
	switch (column->kind)
	{
		case RVD_COLUMN_TEXT:
			return encode_text(column, at);
		case RVD_COLUMN_LATENCY:
			return encode_latency((const RvdLatency *) at);
		case RVD_COLUMN_LINE:
			return encode_line((const RvdLine *) at);
		case RVD_COLUMN_CODE:
			return encode_code((const uint64 *) at);
		case RVD_COLUMN_ARRAY:
			return encode_array(column, entry);
		default:
			return encode_number(column->kind, at);
	}
}
