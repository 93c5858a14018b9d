/*-------------------------------------------------------------------------
 *
 * kernels_operations.c
 *	  What is done with one plan before it runs, timed: attention,
 *	  embedding, minimum cut, hyperdimensional code, nearest patterns.
 *
 * Each operation goes round over many plans or queries, so that no branch is
 * learned by heart and no input stays in the first cache.
 *
 *-------------------------------------------------------------------------
 */
#include "kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/analysis/cut_tree_node.h"
#include "ruvector_dag/bank.h"
#include "ruvector_dag/btsp.h"
#include "ruvector_dag/flow.h"
#include "ruvector_dag/hdc.h"
#include "ruvector_dag/vec.h"

#define PLANS			64
#define SHARED_PLANS	16		/* of them: one in four has shared inputs */

typedef struct Plans
{
	Plan	   *plan[PLANS];
	int			kind;			/* kernel */
	RvdMixture	mixture;
	RvdFlowMode mode;
	RvdFlowResult flow;
	RvdHdcBundle bundle;
	RvdHdc		code;
} Plans;

static Plan *
plan_at(const Plans *s, int64_t i)
{
	return s->plan[i % PLANS];
}

static void
make_plans(Plans *s, int32_t n)
{
	for (int i = 0; i < PLANS; i++)
		s->plan[i] = plan_make(i < SHARED_PLANS ? PLAN_SHARED : PLAN_JOINS, n,
							   (uint64_t) i);
	rvd_mixture_init(&s->mixture);
}

static void
free_plans(Plans *s)
{
	for (int i = 0; i < PLANS; i++)
		plan_free(s->plan[i]);
}

/* ---- attention and embedding -------------------------------------------- */

static void
run_attention(void *arg, int64_t i)
{
	const Plans *s = arg;

	plan_attend(plan_at(s, i), s->kind);
	sink = plan_at(s, i)->p[0];
}

static void
run_ensemble(void *arg, int64_t i)
{
	const Plans *s = arg;

	plan_attend_ensemble(plan_at(s, i), &s->mixture);
	sink = plan_at(s, i)->p[0];
}

static void
run_embedding(void *arg, int64_t i)
{
	const Plans *s = arg;
	Plan	   *plan = plan_at(s, i);

	plan_describe(plan);
	sink = (double) rvd_dag_fingerprint(&plan->dag);
	plan_attend(plan, s->kind);
	plan_embed(plan);
	sink = plan->embedding[0];
}

static void
measure_attention(Plans *s, double seconds)
{
	char		name[80];

	make_plans(s, 20);
	for (int kind = 0; kind < RVD_NUM_ATTENTIONS; kind++)
	{
		s->kind = kind;
		snprintf(name, sizeof(name), "attention_%s", rvd_attention_name(kind));
		report(name, measure(kind == RVD_ATTENTION_ENSEMBLE ? run_ensemble :
							 run_attention, s, seconds));
	}
	/* the kernel of a class nobody knows, and one with rows of context */
	s->kind = RVD_ATTENTION_TOPOLOGICAL;
	report("embedding", measure(run_embedding, s, seconds));
	free_plans(s);
}

/* ---- minimum cut -------------------------------------------------------- */

static void
run_flow(void *arg, int64_t i)
{
	Plans	   *s = arg;
	Plan	   *plan = plan_at(s, i);

	must(rvd_flow_analyse(&plan->dag, s->mode, plan->self_cost, plan->rows,
						  &s->flow, plan->work), "rvd_flow_analyse");
	sink = s->flow.value;
}

static void
measure_flow(Plans *s, double seconds)
{
	static double criticality[100];
	static uint8_t in_cut[100];
	PlanFamily	families[] = {PLAN_JOINS, PLAN_SHARED};
	const char *names[] = {"cut_tree", "cut_shared", "frontier_shared"};

	s->flow.criticality = criticality;
	s->flow.in_cut = in_cut;
	for (int f = 0; f < 2; f++)
	{
		for (int i = 0; i < PLANS; i++)
			s->plan[i] = plan_make(families[f], 100, (uint64_t) i);
		s->mode = RVD_FLOW_ROWS;
		report(names[f], measure(run_flow, s, seconds));
		s->mode = RVD_FLOW_TIME;
		if (families[f] == PLAN_SHARED)
			report(names[2], measure(run_flow, s, seconds));
		free_plans(s);
	}
}

/* So many per node that hardly one sets what is there already. */
#define UPDATES		(1 << 16)

typedef struct Tree
{
	RvdCutTree	tree;
	int32_t		node[UPDATES];	/* to be changed, and to what */
	int64_t		capacity[UPDATES];
} Tree;

static void
run_update(void *arg, int64_t i)
{
	Tree	   *t = arg;
	int			k = (int) (i & (UPDATES - 1));

	must(rvd_cut_tree_update(&t->tree, t->node[k], t->capacity[k]),
		 "rvd_cut_tree_update");
	sink = (double) rvd_cut_tree_value(&t->tree);
}

/* Up to the root, though nothing may change any more: the worst case. */
static void
run_full_update(void *arg, int64_t i)
{
	Tree	   *t = arg;
	int			k = (int) (i & (UPDATES - 1));

	must(rvd_cut_tree_update_fully(&t->tree, t->node[k], t->capacity[k]),
		 "rvd_cut_tree_update_fully");
	sink = (double) rvd_cut_tree_value(&t->tree);
}

/* The tree of a plan, leaves being unlimited sources. */
static void
measure_update(int32_t n, double seconds)
{
	Tree	   *t = get_memory(sizeof(Tree));
	Plan	   *plan = plan_make(PLAN_JOINS, n, 1);
	size_t		size = rvd_cut_tree_size(n);
	void	   *mem = get_memory(size);
	int32_t    *parent = get_memory((size_t) n * sizeof(int32_t));
	int64_t    *capacity = get_memory((size_t) n * sizeof(int64_t));
	int64_t    *injection = get_memory((size_t) n * sizeof(int64_t));
	RvdRng		rng;

	rvd_rng_init(&rng, RVD_RNG_TEST, 1);
	for (int32_t v = 0; v < n; v++)
	{
		parent[v] = -1;
		injection[v] = RVD_CUT_INFINITE;
		capacity[v] = 1 + (int64_t) rvd_rng_below(&rng, 1000000);
	}
	for (int32_t e = 0; e < plan->n_edges; e++)
	{
		parent[plan->edges[e].child] = plan->edges[e].parent;
		injection[plan->edges[e].parent] = 0;
	}
	for (int i = 0; i < UPDATES; i++)
	{
		t->node[i] = (int32_t) rvd_rng_below(&rng, (uint64_t) n);
		t->capacity[i] = 1 + (int64_t) rvd_rng_below(&rng, 1000000);
	}
	must(rvd_cut_tree_build(&t->tree, mem, size, n, parent, capacity,
							injection, false), "rvd_cut_tree_build");
	report("cut_update", measure(run_update, t, seconds));
	report("cut_update_full", measure(run_full_update, t, seconds));
	free(t);
	free(mem);
	free(parent);
	free(capacity);
	free(injection);
	plan_free(plan);
}

/* ---- codes and memories ------------------------------------------------- */

static void
run_encode(void *arg, int64_t i)
{
	Plans	   *s = arg;

	must(rvd_hdc_encode_plan(&plan_at(s, i)->dag, NULL, 0, &s->bundle,
							 &s->code), "rvd_hdc_encode_plan");
	sink = (double) s->code.w[0];
}

#define MEMORIES	1000

typedef struct Memories
{
	RvdBtsp		btsp;
	RvdHdc		code[MEMORIES];
} Memories;

static void
run_recall(void *arg, int64_t i)
{
	Memories   *m = arg;
	uint64_t	id;
	double		confidence;

	must(rvd_btsp_recall(&m->btsp, &m->code[i * 7 % MEMORIES], &id,
						 &confidence), "rvd_btsp_recall");
	sink = confidence;
}

static void
measure_codes(Plans *s, double seconds)
{
	Memories   *m = get_memory(sizeof(Memories));

	make_plans(s, 50);
	report("encode", measure(run_encode, s, seconds));
	free_plans(s);

	rvd_btsp_init(&m->btsp);
	for (int i = 0; i < MEMORIES; i++)
	{
		rvd_hdc_atom(RVD_HDC_FEATURE, (uint64_t) i, &m->code[i]);
		must(rvd_btsp_write(&m->btsp, &m->code[i], (uint64_t) i + 1),
			 "rvd_btsp_write");
	}
	report("recall", measure(run_recall, m, seconds));
	free(m);
}

/* ---- nearest patterns --------------------------------------------------- */

#define QUERIES		256

typedef struct Search
{
	RvdBank    *bank;
	float		query[QUERIES][RVD_EMBEDDING_DIM];
} Search;

static void
run_search(void *arg, int64_t i)
{
	Search	   *s = arg;
	RvdMatch	matches[RVD_BANK_TOP];

	if (rvd_bank_search(s->bank, s->query[i % QUERIES], matches) !=
		RVD_BANK_TOP)
		must(RVD_ERR_EMPTY, "rvd_bank_search");
	sink = matches[0].similarity;
}

static void
draw_direction(RvdRng *rng, float *x)
{
	for (int j = 0; j < RVD_EMBEDDING_DIM; j++)
		x[j] = (float) rvd_rng_normal(rng);
	(void) rvd_vec_normalize(x, RVD_EMBEDDING_DIM);
}

static void
measure_search(int32_t n, const char *name, double seconds)
{
	Search	   *s = get_memory(sizeof(Search));
	RvdRng		rng;

	rvd_rng_init(&rng, RVD_RNG_TEST, (uint64_t) n);
	s->bank = get_memory(rvd_bank_size(n));
	rvd_bank_init(s->bank, n);
	for (int32_t i = 0; i < n; i++)
	{
		RvdPattern	p = {.id = (uint64_t) i + 1, .samples = 4, .verified = 4,
		.tightness = 0.9f};

		draw_direction(&rng, p.centroid);
		must(rvd_bank_add(s->bank, &p), "rvd_bank_add");
	}
	for (int i = 0; i < QUERIES; i++)
		draw_direction(&rng, s->query[i]);
	report(name, measure(run_search, s, seconds));
	free(s->bank);
	free(s);
}

void
measure_plans(double seconds)
{
	Plans	   *s = get_memory(sizeof(Plans));

	memset(s, 0, sizeof(*s));
	measure_attention(s, seconds);
	measure_search(1000, "search_1000", seconds);
	measure_search(10000, "search_10000", seconds);
	measure_flow(s, seconds);
	measure_update(2000, seconds);
	measure_codes(s, seconds);
	free(s);
}
