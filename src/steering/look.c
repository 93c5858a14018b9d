/*-------------------------------------------------------------------------
 *
 * look.c
 *	  Embedding, code and predicted time of a plan.  See look.h.
 *
 * Embeddings and codes are cached in shared memory by the plan's fingerprint,
 * the size of its estimates, the kernel, and the cycle whose model weighed
 * it.  Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/timestamp.h"

#include "ruvector_dag/hash.h"
#include "ruvector_dag/look.h"
#include "ruvector_dag/plan_dag.h"
#include "ruvector_dag/settings.h"

#include "plan_view.h"
#include "reflect.h"

double
rvd_look_clock_us(instr_time since)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, since);
	return INSTR_TIME_GET_MILLISEC(now) * 1000.0;
}

/* ---- which kernel ----------------------------------------------------------- */

static RvdRng *
selector_rng(void)
{
	static RvdRng rng;
	static int	for_pid = 0;

	if (for_pid != MyProcPid)
	{
		for_pid = MyProcPid;
		rvd_rng_init(&rng, RVD_RNG_SELECTOR,
					 rvd_hash_combine((uint64) MyProcPid,
									  (uint64) GetCurrentTimestamp()));
	}
	return &rng;
}

/* What is known of kernels for this class; else of all classes together. */
static bool
read_selector(int64 queryid, RvdSelector *selector)
{
	RvdKey		key = {(uint64) queryid, MyDatabaseId};
	RvdClass   *c = rvd_table_find(rvd_table(RVD_CLASSES), key, false, false);
	RvdNeural  *neural;
	RvdAttentionState *s;
	uint32		timed = 0;

	if (c != NULL)
	{
		timed = c->timed_runs;
		*selector = c->selector;
		rvd_table_release(rvd_table(RVD_CLASSES), key);
	}
	if (timed > 0)
		return true;
	neural = rvd_my_neural();
	s = neural ? rvd_attention_state_lock(neural, false, false) : NULL;
	if (s == NULL)
		return false;
	timed = (uint32) Min(s->timed_runs, PG_UINT32_MAX);
	*selector = s->selector;
	rvd_attention_state_release(neural);
	return timed > 0;
}

int
rvd_look_choose_attention(int64 queryid)
{
	RvdSelector selector = {0};
	int			arm;

	if (rvd_dag_attention_type != RVD_ATTENTION_AUTO)
		arm = rvd_dag_attention_type;
	else if (!rvd_part_on(RVD_PART_SELECTOR) ||
			 !read_selector(queryid, &selector))
		arm = RVD_ATTENTION_TOPOLOGICAL;
	else
		arm = rvd_selector_choose(&selector, rvd_dag_ucb_c,
								  rvd_dag_attention_exploration,
								  selector_rng(), NULL);
	/* a kernel that never takes part would for ever be the one to try */
	if (arm == RVD_ATTENTION_MINCUT_GATED &&
		!(rvd_dag_mincut_enabled && rvd_part_on(RVD_PART_MINCUT)))
	{
		arm = rvd_selector_best(&selector);
		if (arm < 0 || arm == RVD_ATTENTION_MINCUT_GATED)
			arm = RVD_ATTENTION_TOPOLOGICAL;
	}
	return arm;
}

/* ---- cache ------------------------------------------------------------------- */

/* Estimates in steps of a factor 1.6: nearby constants share an entry. */
static uint64
size_hash(const RvdDag *dag)
{
	uint64		h = 0;

	for (int i = 0; i < dag->n_nodes; i++)
	{
		const RvdDagNode *n = &dag->nodes[dag->preorder[i]];

		h = rvd_hash_combine(h, (uint64) rint(2 * log1p(Max(n->est_rows, 0))));
	}
	return h;
}

static uint64
current_cycle(void)
{
	RvdNeural  *neural = rvd_my_neural();
	const RvdSnapshot *s = neural ? rvd_snapshot_lock(neural, false, false) :
		NULL;
	uint64		cycle = 0;

	if (s)
	{
		cycle = s->cycle;
		rvd_snapshot_release(neural);
	}
	return cycle;
}

static bool
read_cache(RvdLook *look)
{
	RvdKey		key = {look->embedding_key, MyDatabaseId};
	RvdCachedEmbedding *e;

	if (!rvd_part_on(RVD_PART_CACHE))
		return false;
	e = rvd_table_find(rvd_table(RVD_EMBEDDINGS), key, false, false);
	if (e == NULL)
		return false;
	memcpy(look->embedding, e->embedding, sizeof(look->embedding));
	memcpy(look->plan, e->plan, sizeof(look->plan));
	memcpy(look->code.w, e->code, sizeof(look->code.w));
	/* a code is never all zero but where codes are switched off */
	look->coded = rvd_part_on(RVD_PART_HDC);
	rvd_table_release(rvd_table(RVD_EMBEDDINGS), key);
	return true;
}

static void
write_cache(const RvdLook *look)
{
	RvdKey		key = {look->embedding_key, MyDatabaseId};
	RvdCachedEmbedding *e;
	bool		found;

	if (!rvd_part_on(RVD_PART_CACHE) || !look->coded)
		return;
	e = rvd_table_enter(rvd_table(RVD_EMBEDDINGS), key, MyDatabaseId, &found,
						false);
	if (e == NULL)
		return;
	e->attention = look->attention;
	memcpy(e->embedding, look->embedding, sizeof(look->embedding));
	memcpy(e->plan, look->plan, sizeof(look->plan));
	memcpy(e->code, look->code.w, sizeof(look->code.w));
	e->head.dirty = false;
	rvd_table_release(rvd_table(RVD_EMBEDDINGS), key);
}

/* ---- the look ------------------------------------------------------------------ */

static void
embed(RvdLook *look, const RvdDag *dag)
{
	RvdPlanView v;
	double	   *p = palloc(sizeof(double) * dag->n_nodes);

	rvd_plan_view(&v, dag);
	rvd_plan_weigh(&v, look->attention, p);
	memcpy(look->plan, v.plan, sizeof(look->plan));
	look->embedded =
		rvd_embedding_pool(v.n, v.vectors, p,
						   v.rows_out.present ? v.rows_out.row_start : NULL,
						   v.rows_out.column, v.rows_out.weight,
						   look->embedding) == RVD_OK;
}

static void
encode(RvdLook *look, const RvdDag *dag)
{
	RvdHdcBundle *bundle;
	instr_time	start;

	if (!rvd_part_on(RVD_PART_HDC))
		return;
	bundle = palloc(sizeof(RvdHdcBundle));
	INSTR_TIME_SET_CURRENT(start);
	look->coded = rvd_hdc_encode_plan(dag, NULL, 0, bundle,
									  &look->code) == RVD_OK;
	rvd_operation_add(RVD_TIME_ENCODE, rvd_look_clock_us(start));
	pfree(bundle);
}

static void
predict(RvdLook *look)
{
	RvdNeural  *neural = rvd_part_on(RVD_PART_MODEL) ? rvd_my_neural() : NULL;
	const RvdSnapshot *s;
	RvdModelInput *in;
	instr_time	start;

	if (neural == NULL)
		return;
	INSTR_TIME_SET_CURRENT(start);
	in = palloc(sizeof(RvdModelInput));
	rvd_model_input(in, look->embedding, look->plan, look->total_cost);
	s = rvd_snapshot_lock(neural, false, false);
	if (s)
	{
		rvd_model_predict(&s->model, rvd_reflect_micro(s->published_at), in,
						  &look->prediction);
		rvd_snapshot_release(neural);
	}
	pfree(in);
	rvd_operation_add(RVD_TIME_PREDICT, rvd_look_clock_us(start));
}

void
rvd_look(RvdLook *look, const RvdDag *dag, uint64 fingerprint, int attention,
		 bool want_code)
{
	RvdDatabase *db = rvd_my_database();
	instr_time	start;

	memset(look, 0, sizeof(*look));
	look->attention = attention;
	look->total_cost = dag->nodes[dag->root].total_cost;
	look->embedding_key =
		rvd_embedding_key(fingerprint,
						  rvd_hash_combine(size_hash(dag), current_cycle()),
						  attention);
	if (db == NULL)
		return;
	if (read_cache(look))
	{
		look->embedded = true;
		pg_atomic_fetch_add_u64(&db->cache_hits, 1);
	}
	else
	{
		INSTR_TIME_SET_CURRENT(start);
		embed(look, dag);
		rvd_operation_add(RVD_TIME_EMBED, rvd_look_clock_us(start));
		pg_atomic_fetch_add_u64(&db->cache_misses, 1);
		if (want_code)
			encode(look, dag);
		if (look->embedded)
			write_cache(look);
	}
	if (look->embedded)
		predict(look);
}
