/*-------------------------------------------------------------------------
 *
 * snapshot_patterns.c
 *	  The bank out of ruvector.dag_patterns.
 *
 * Each row is judged by itself; one that does not hold what we write is left
 * out.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "ruvector_dag/vec.h"
#include "cycle.h"
#include "spi_column.h"

/* Within the ranges the rest relies on? */
static bool
decode_ranges(const RvdPattern *p, int64 id, int64 configuration,
			  int64 samples, int64 verified)
{
	return id > 0 &&
		configuration >= RVD_CONFIGURATION_STOCK &&
		configuration < RVD_CONFIGURATIONS &&
		samples > 0 && samples <= PG_UINT32_MAX &&
		verified >= 0 && verified <= samples * RVD_MEMBER_VERIFIED_MAX &&
		p->ratio_variance >= 0 && p->tightness >= 0 && p->quality >= 0 &&
		p->latency_ms >= 0 && p->baseline_ms >= 0;
}

static bool
decode_pattern(uint64 row, RvdPattern *p)
{
	int64		id;
	int64		configuration;
	int64		samples;
	int64		verified;
	int64		attention;
	int			relations;

	memset(p, 0, sizeof(*p));
	relations = rvd_spi_array(row, 13, OIDOID, RVD_PATTERN_RELATIONS,
							  p->relations);
	if (!rvd_spi_int(row, 1, &id) ||
		!rvd_spi_int(row, 2, &configuration) ||
		!rvd_spi_int(row, 3, &samples) ||
		!rvd_spi_int(row, 4, &verified) ||
		!rvd_spi_real(row, 5, &p->tightness) ||
		!rvd_spi_real(row, 6, &p->mean_ratio) ||
		!rvd_spi_real(row, 7, &p->ratio_variance) ||
		!rvd_spi_real(row, 8, &p->quality) ||
		!rvd_spi_real(row, 9, &p->latency_ms) ||
		!rvd_spi_real(row, 10, &p->baseline_ms) ||
		!rvd_spi_real(row, 11, &p->inflate) ||
		!rvd_spi_int(row, 12, &attention) || relations < 0 ||
		!rvd_spi_int(row, 14, &p->example) ||
		!rvd_spi_time(row, 15, &p->updated_at) ||
		rvd_spi_array(row, 16, FLOAT4OID, RVD_EMBEDDING_DIM,
					  p->centroid) != RVD_EMBEDDING_DIM ||
		!decode_ranges(p, id, configuration, samples, verified))
		return false;
	p->id = (uint64) id;
	p->configuration = (uint32) configuration;
	p->samples = (uint32) samples;
	p->verified = (uint32) verified;
	p->attention = (int16) attention;
	p->n_relations = (int16) relations;
	return rvd_vec_normalize(p->centroid, RVD_EMBEDDING_DIM);
}

void
rvd_snapshot_read_patterns(RvdSnapshot *s)
{
	int64		damaged = 0;

	if (SPI_execute("SELECT id, configuration, samples, verified, tightness,"
					" mean_ratio, ratio_variance, quality, latency_ms,"
					" baseline_ms, inflate, attention, relations, example,"
					" updated_at, centroid"
					" FROM ruvector.dag_patterns ORDER BY id",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read ruvector.dag_patterns");
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		RvdPattern	p;

		if (!decode_pattern(row, &p))
		{
			damaged++;
			continue;
		}
		(void) rvd_bank_add(&s->bank, &p);
		s->next_pattern = Max(s->next_pattern, p.id + 1);
	}
	if (damaged > 0)
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("ruvector_dag skipped " INT64_FORMAT " damaged rows of table \"ruvector.dag_patterns\"",
						damaged),
				 errhint("What they held will be learned again.")));
}
