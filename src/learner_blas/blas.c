/*-------------------------------------------------------------------------
 *
 * blas.c
 *	  Products of matrices by OpenBLAS: a shared library of its own.
 *
 * OpenBLAS starts threads while it is being loaded, unless told otherwise,
 * and takes memory for its buffers: neither must ever happen in the
 * postmaster or in a client's backend.  So nothing but this file knows it,
 * and nothing but the learner loads this file (cycle_blas.c).  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <cblas.h>

#include "fmgr.h"

#include "ruvector_dag/kmeans.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void rvd_blas_gemm(int m, int n, int k, const float *a,
									  const float *b, float *c);

/* RvdGemm: c[m * n] = a[m * k] b[n * k]', row-major. */
void
rvd_blas_gemm(int m, int n, int k, const float *a, const float *b, float *c)
{
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k,
				1.0f, a, k, b, k, 0.0f, c, n);
}
