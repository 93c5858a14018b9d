/*-------------------------------------------------------------------------
 *
 * entity.h
 *	  How an entry of a shared table is written as a row, and read again.
 *
 * Each kind of entry that is persisted is described once, by a table of columns;
 * statements, writing and reading all follow from it.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_ENTITY_H
#define RVD_ENTITY_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "ruvector_dag/store.h"

/* What the bytes of the entry are; the SQL type follows from it. */
typedef enum RvdColumnKind
{
	RVD_COLUMN_INT8,			/* int64 or uint64, bit for bit: bigint */
	RVD_COLUMN_ATOMIC8,			/* pg_atomic_uint64: bigint */
	RVD_COLUMN_UINT4,			/* uint32: bigint */
	RVD_COLUMN_UINT2,			/* uint16: integer */
	RVD_COLUMN_OID,				/* Oid: oid */
	RVD_COLUMN_FLOAT8,			/* double: double precision */
	RVD_COLUMN_FLOAT4,			/* float: real */
	RVD_COLUMN_TIME,			/* TimestampTz, 0 as NULL: timestamptz */
	RVD_COLUMN_TEXT,			/* char[max]: text */
	RVD_COLUMN_LATENCY,			/* RvdLatency: float8[9] */
	RVD_COLUMN_LINE,			/* RvdLine: float8[6] */
	RVD_COLUMN_CODE,			/* uint64[RVD_HDC_WORDS]: bytea of 1,250 */
	RVD_COLUMN_ARRAY			/* array of one of the plain numbers above */
} RvdColumnKind;

typedef struct RvdColumn
{
	const char *name;
	RvdColumnKind kind;
	bool		key;			/* part of the primary key */
	Size		offset;			/* in the entry; array: of element 0 */
	int			max;			/* text: buffer; array: most members */
	/* arrays only */
	RvdColumnKind element;
	Size		stride;			/* bytes from one member to the next */
	int			per_member;		/* consecutive elements of each member */
	Size		count_offset;	/* how many members there are */
	int			count_width;	/* of that counter: 2 or 4 bytes; 0: none,
								 * there are always max members */
} RvdColumn;

typedef struct RvdEntity
{
	RvdTableId	table;
	const char *relation;		/* in schema ruvector */
	const RvdColumn *columns;
	int			n_columns;
	/* key.a of an entry whose columns are set */
	uint64		(*key) (const void *entry);
	/* is what was read within the ranges the rest relies on? */
	bool		(*valid) (const void *entry);
} RvdEntity;

#define RVD_MAX_COLUMNS 40

extern const RvdEntity rvd_entities[RVD_NUM_PERSISTED];

/* Elements of RvdLatency and RvdLine as arrays */
#define RVD_LATENCY_LENGTH	9
#define RVD_LINE_LENGTH		6

/* SQL type of a column, of a plain number or text */
extern Oid	rvd_column_type(const RvdColumn *column);
extern Oid	rvd_column_scalar_type(RvdColumnKind kind);

/* Members an array column has in this entry, and its i-th element */
extern int	rvd_column_count(const RvdColumn *column, const char *entry);
extern const char *rvd_column_element(const RvdColumn *column,
									  const char *entry, int i);

extern Datum rvd_column_encode(const RvdColumn *column, const char *entry,
							   bool *isnull);

/*
 * Put a value into columns[which] of the entry, which was zero but for the
 * columns before it.  False: the value is not one we could have written.
 */
extern bool rvd_column_decode(const RvdColumn *columns, int which,
							  Datum value, bool isnull, char *entry);

#endif							/* RVD_ENTITY_H */
