/*-------------------------------------------------------------------------
 *
 * hdc.c
 *	  ruvector_hdc_encode, ruvector_hdc_similarity: codes of plans.
 *
 * Bit i of the code is bit i of the bit string, counted from the left, which
 * the server keeps in the highest bit of a byte and the code in the lowest.
 *
 * Memory: CurrentMemoryContext.  Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/varbit.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/hdc.h"

#include "plan_text.h"

PG_FUNCTION_INFO_V1(ruvector_hdc_encode);
PG_FUNCTION_INFO_V1(ruvector_hdc_similarity);

static uint8
reverse_bits(uint8 byte)
{
	uint8		reversed = 0;

	for (int i = 0; i < 8; i++)
		reversed |= ((byte >> i) & 1) << (7 - i);
	return reversed;
}

static VarBit *
code_to_bits(const RvdHdc *code)
{
	int			size = VARBITTOTALLEN(RVD_HDC_BITS);
	VarBit	   *bits = palloc0(size);
	uint8	   *bytes = VARBITS(bits);

	SET_VARSIZE(bits, size);
	VARBITLEN(bits) = RVD_HDC_BITS;
	rvd_hdc_to_bytes(code, bytes);
	for (int i = 0; i < RVD_HDC_BYTES; i++)
		bytes[i] = reverse_bits(bytes[i]);
	return bits;
}

static void
bits_to_code(const VarBit *bits, const char *name, RvdHdc *code)
{
	uint8		bytes[RVD_HDC_BYTES];

	if (VARBITLEN(bits) != RVD_HDC_BITS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must have %d bits", name,
						RVD_HDC_BITS),
				 errdetail("It has %d.", VARBITLEN(bits)),
				 errhint("Codes come from ruvector_hdc_encode(); columns for them are of type bit(%d).",
						 RVD_HDC_BITS)));
	for (int i = 0; i < RVD_HDC_BYTES; i++)
		bytes[i] = reverse_bits(VARBITS(bits)[i]);
	(void) rvd_hdc_from_bytes(bytes, RVD_HDC_BYTES, code);
}

Datum
ruvector_hdc_encode(PG_FUNCTION_ARGS)
{
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	RvdHdcBundle *bundle = palloc(sizeof(RvdHdcBundle));
	RvdHdc		code;
	RvdDag		dag;

	rvd_sql_plan_dag(rvd_sql_plan_text(query), &dag);
	if (rvd_hdc_encode_plan(&dag, NULL, 0, bundle, &code) != RVD_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("the plan could not be encoded")));
	PG_RETURN_VARBIT_P(code_to_bits(&code));
}

Datum
ruvector_hdc_similarity(PG_FUNCTION_ARGS)
{
	RvdHdc		a;
	RvdHdc		b;

	bits_to_code(PG_GETARG_VARBIT_P(0), "a", &a);
	bits_to_code(PG_GETARG_VARBIT_P(1), "b", &b);
	PG_RETURN_FLOAT4((float4) (1.0 - rvd_hdc_distance(&a, &b)));
}
