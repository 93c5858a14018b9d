/*-------------------------------------------------------------------------
 *
 * cycle_blas.c
 *	  OpenBLAS, where there is one, and only here.
 *
 * A library of our own that is linked with OpenBLAS is loaded when the first
 * cycle clusters.  OpenBLAS is told beforehand to start no threads: it reads
 * the environment while it is loaded.  A server without it learns with loops
 * of our own, which are slower.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "cycle.h"

#define LIBRARY		"ruvector_dag_blas"
#define FUNCTION	"rvd_blas_gemm"

static RvdGemm gemm = NULL;
static bool looked = false;

static void
log_missing(const char *why)
{
	ereport(LOG,
			(errcode(ERRCODE_UNDEFINED_FILE),
			 errmsg("ruvector_dag learns without OpenBLAS"),
			 errdetail("%s", why),
			 errhint("Cycles take longer, nothing else changes. Install OpenBLAS and build the extension again.")));
}

/* Not in a transaction, so that an error caught here leaves nothing behind. */
static RvdGemm
load(void)
{
	MemoryContext old = CurrentMemoryContext;
	volatile RvdGemm found = NULL;

	PG_TRY();
	{
		found = (RvdGemm) load_external_function("$libdir/" LIBRARY, FUNCTION,
												 false, NULL);
		if (found == NULL)
			log_missing("Library \"" LIBRARY "\" has no function \"" FUNCTION "\".");
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(old);
		error = CopyErrorData();
		FlushErrorState();
		log_missing(error->message);
		FreeErrorData(error);
	}
	PG_END_TRY();
	return found;
}

RvdGemm
rvd_cycle_gemm(void)
{
	char		path[MAXPGPATH];

	if (looked)
		return gemm;
	looked = true;
	snprintf(path, sizeof(path), "%s/%s%s", pkglib_path, LIBRARY, DLSUFFIX);
	if (access(path, R_OK) != 0)
		log_missing("Library \"" LIBRARY "\" is not installed.");
	else if (setenv("OPENBLAS_NUM_THREADS", "1", 1) == 0)
		gemm = load();
	return gemm;
}
