/*-------------------------------------------------------------------------
 *
 * spi_column.h
 *	  Columns of the rows that SPI returned last.  Layer 6, private.
 *
 * Each returns false (the array: -1), and *out is untouched, if the value is
 * NULL or not of that type: somebody may have edited what we wrote.  Columns
 * count from 1.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_SPI_COLUMN_H
#define RVD_SPI_COLUMN_H

#include "postgres.h"

/* smallint, integer or bigint */
extern bool rvd_spi_int(uint64 row, int column, int64 *out);

/* real or double precision; finite */
extern bool rvd_spi_number(uint64 row, int column, double *out);
extern bool rvd_spi_real(uint64 row, int column, float *out);

extern bool rvd_spi_time(uint64 row, int column, int64 *out);

/* bytea of exactly that length */
extern bool rvd_spi_bytes(uint64 row, int column, void *out, Size length);

/*
 * real[] or oid[] without NULLs of at most most elements: copies them and
 * returns how many.
 */
extern int	rvd_spi_array(uint64 row, int column, Oid element, int most,
						  void *out);

#endif							/* RVD_SPI_COLUMN_H */
