/*-------------------------------------------------------------------------
 *
 * attention_naive.h
 *	  The attention kernels written down from their definitions: dense
 *	  matrices, plain exponentials, no sharing of work.
 *
 * For moderate scores only.  p[n] and A[n * n] of each kernel; A is left
 * alone by kernels without rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_TEST_ATTENTION_NAIVE_H
#define RVD_TEST_ATTENTION_NAIVE_H

#include "attention_cases.h"
#include "ruvector_dag/flow.h"
#include "ruvector_dag/hash.h"

#define FAR		1000000

typedef struct Naive
{
	const Plan *plan;
	int32_t		n;
	double	   *share;			/* of load */
	double	   *s;
	double	   *bias;
	int		   *edges;			/* [n * n] edges from parent v to child u */
	int		   *dist;			/* [n * n] down from v to u, FAR if not below */
	int32_t    *rank;			/* of a depth-first visit */
	double	   *p;
	double	   *rows;			/* [n * n] */
} Naive;

static inline void
naive_visit(Naive *x, int32_t v, int32_t *next)
{
	const RvdDag *dag = &x->plan->dag;

	if (x->rank[v] >= 0)
		return;
	x->rank[v] = (*next)++;
	for (int32_t e = 0; e < dag->n_edges; e++)
		if (dag->edge_parent[e] == v)
			naive_visit(x, dag->edge_child[e], next);
}

static inline void
naive_distances(Naive *x)
{
	const int32_t n = x->n;

	for (int32_t i = 0; i < n * n; i++)
		x->dist[i] = i / n == i % n ? 0 : x->edges[i] > 0 ? 1 : FAR;
	for (int32_t k = 0; k < n; k++)
		for (int32_t i = 0; i < n; i++)
			for (int32_t j = 0; x->dist[i * n + k] < FAR && j < n; j++)
				if (x->dist[i * n + k] + x->dist[k * n + j] <
					x->dist[i * n + j])
					x->dist[i * n + j] = x->dist[i * n + k] +
						x->dist[k * n + j];
}

static inline void
naive_open(Naive *x, const Plan *plan)
{
	const int32_t n = plan->n;
	double		sum = 0;
	int32_t		next = 0;

	x->plan = plan;
	x->n = n;
	x->share = malloc((size_t) n * sizeof(double));
	x->s = calloc((size_t) n, sizeof(double));
	x->bias = malloc((size_t) n * sizeof(double));
	x->edges = calloc((size_t) n * (size_t) n, sizeof(int));
	x->dist = malloc((size_t) n * (size_t) n * sizeof(int));
	x->rank = malloc((size_t) n * sizeof(int32_t));
	x->p = calloc((size_t) n, sizeof(double));
	x->rows = calloc((size_t) n * (size_t) n, sizeof(double));
	for (int32_t v = 0; v < n; v++)
	{
		sum += plan->load[v];
		x->rank[v] = -1;
	}
	for (int32_t v = 0; v < n; v++)
	{
		x->share[v] = sum > 0 ? plan->load[v] / sum : 1.0 / n;
		for (int j = 0; j < RVD_NODE_FEATURES; j++)
			x->s[v] += (double) plan->weights.score[j] *
				plan->phi[v * RVD_NODE_FEATURES + j];
		x->bias[v] = x->s[v] + plan->params.load_weight *
			log(x->share[v] + 0.001 / n);
	}
	for (int32_t e = 0; e < plan->n_edges; e++)
		x->edges[plan->edges[e].parent * n + plan->edges[e].child]++;
	naive_distances(x);
	naive_visit(x, plan->dag.root, &next);
}

static inline void
naive_close(Naive *x)
{
	free(x->share);
	free(x->s);
	free(x->bias);
	free(x->edges);
	free(x->dist);
	free(x->rank);
	free(x->p);
	free(x->rows);
}

/* Scores to a distribution; NAN marks what is left out. */
static inline void
naive_softmax(const double *score, double *p, int32_t n)
{
	double		sum = 0;

	for (int32_t v = 0; v < n; v++)
		sum += isnan(score[v]) ? 0 : exp(score[v]);
	for (int32_t v = 0; v < n; v++)
		p[v] = isnan(score[v]) ? 0 : exp(score[v]) / sum;
}

static inline double
naive_heads(const Naive *x, int32_t v, int32_t u)
{
	const float *q = x->plan->vectors + v * RVD_EMBEDDING_DIM;
	const float *k = x->plan->vectors + u * RVD_EMBEDDING_DIM;
	double		sum = 0;

	for (int i = 0; i < RVD_EMBEDDING_DIM; i++)
		sum += (double) x->plan->weights.gain[i / RVD_HEAD_DIM] *
			q[i] * k[i] / sqrt(RVD_HEAD_DIM);
	return sum;
}

/* Is u among the first limit nodes seen from v?  Up or down. */
static inline bool
naive_near(const Naive *x, int32_t v, int32_t u, bool up, int32_t limit)
{
	const int32_t n = x->n;
	int			d = up ? x->dist[u * n + v] : x->dist[v * n + u];
	int32_t		before = 0;

	for (int32_t w = 0; w < n; w++)
	{
		int			dw = up ? x->dist[w * n + v] : x->dist[v * n + w];

		if (dw < d || (dw == d && x->rank[w] < x->rank[u]))
			before++;
	}
	return d < FAR && before < limit;
}

static inline void
naive_context(Naive *x, const double *bias, bool heads)
{
	const int32_t n = x->n;
	const RvdAttentionParams *params = &x->plan->params;
	double	   *score = malloc((size_t) n * sizeof(double));

	for (int32_t v = 0; v < n; v++)
	{
		for (int32_t u = 0; u < n; u++)
		{
			score[u] = NAN;
			if (!naive_near(x, v, u, false, params->context))
				continue;
			score[u] = bias[u] + x->dist[v * n + u] *
				log(params->distance_decay);
			if (heads)
				score[u] += naive_heads(x, v, u);
		}
		naive_softmax(score, x->rows + v * n, n);
	}
	free(score);
}

static inline void
naive_topological(Naive *x)
{
	const int32_t n = x->n;
	double	   *mass = malloc((size_t) n * sizeof(double));

	naive_context(x, x->bias, true);
	naive_softmax(x->bias, mass, n);
	for (int32_t u = 0; u < n; u++)
	{
		x->p[u] = 0;
		for (int32_t v = 0; v < n; v++)
			x->p[u] += mass[v] * x->rows[v * n + u];
	}
	free(mass);
}

static inline void
naive_causal_cone(Naive *x)
{
	const int32_t n = x->n;
	const RvdAttentionParams *params = &x->plan->params;
	double	   *score = malloc((size_t) n * sizeof(double));

	for (int32_t v = 0; v < n; v++)
	{
		for (int32_t u = 0; u < n; u++)
		{
			int			d = x->dist[u * n + v];

			score[u] = NAN;
			if (d < params->cone_depth &&
				naive_near(x, v, u, true, params->cone_depth))
				score[u] = x->bias[u] + d * log(params->cone_decay);
		}
		naive_softmax(score, x->rows + v * n, n);
	}
	for (int32_t u = 0; u < n; u++)
		score[u] = x->bias[u] + x->dist[x->plan->dag.root * n + u] *
			log(params->cone_decay);
	naive_softmax(score, x->p, n);
	free(score);
}

/* Bellman: relax until every path has had its say. */
static inline void
naive_critical_path(Naive *x)
{
	const int32_t n = x->n;
	double	   *down = malloc((size_t) n * sizeof(double));
	double	   *up = malloc((size_t) n * sizeof(double));
	double	   *score = malloc((size_t) n * sizeof(double));
	double		longest = 0;

	memcpy(down, x->share, (size_t) n * sizeof(double));
	memcpy(up, x->share, (size_t) n * sizeof(double));
	for (int32_t round = 0; round < n; round++)
	{
		for (int32_t v = 0; v < n; v++)
			for (int32_t u = 0; u < n; u++)
			{
				if (x->edges[v * n + u] == 0)
					continue;
				down[v] = fmax(down[v], x->share[v] + down[u]);
				up[u] = fmax(up[u], x->share[u] + up[v]);
			}
	}
	for (int32_t v = 0; v < n; v++)
		longest = fmax(longest, down[v]);
	for (int32_t v = 0; v < n; v++)
		score[v] = log(x->share[v] + 0.001 * longest / n) + x->s[v] -
			(longest - (down[v] + up[v] - x->share[v])) /
			(x->plan->params.path_tau * longest);
	naive_softmax(score, x->p, n);
	free(down);
	free(up);
	free(score);
}

/* Heaviest frontier below and at v; trees only. */
static inline double
naive_frontier(const Naive *x, int32_t v, double *inputs)
{
	const int32_t n = x->n;

	*inputs = 0;
	for (int32_t u = 0; u < n; u++)
	{
		double		ignored;

		if (x->edges[v * n + u] > 0)
			*inputs += naive_frontier(x, u, &ignored);
	}
	return fmax(x->share[v], *inputs);
}

static inline void
naive_mincut_gated(Naive *x)
{
	const int32_t n = x->n;
	const RvdDag *dag = &x->plan->dag;
	double	   *kappa = malloc((size_t) n * sizeof(double));
	uint8_t    *in_cut = malloc((size_t) n);
	void	   *work = malloc(rvd_flow_workspace(dag));
	RvdFlowResult flow = {.criticality = kappa,.in_cut = in_cut};

	/* where producers are shared the flow analysis has oracles of its own */
	assert_int_equal(rvd_flow_analyse(dag, RVD_FLOW_TIME, x->share, NULL,
									  &flow, work), RVD_OK);
	for (int32_t v = 0; v < n; v++)
	{
		double		inputs;

		if (dag->n_edges == n - 1)
		{
			(void) naive_frontier(x, v, &inputs);
			kappa[v] = x->share[v] / (x->share[v] + inputs);
		}
		kappa[v] = x->bias[v] +
			log(kappa[v] >= x->plan->params.cut_threshold ? 1 :
				x->plan->params.cut_floor);
	}
	naive_softmax(kappa, x->p, n);
	naive_context(x, kappa, false);
	free(kappa);
	free(in_cut);
	free(work);
}

/* ---- Lorentz: in the coordinates of the hyperboloid, long double ---------- */

#define NAIVE_DIM	32

typedef struct NaivePoint
{
	uint64_t	path;
	int			depth;
	long double u[NAIVE_DIM];
	long double x[NAIVE_DIM + 1];
} NaivePoint;

static inline void
naive_place(const Naive *x, NaivePoint *points, double rho, int32_t v,
			int32_t parent, int32_t kind, int32_t position)
{
	const RvdDagNode *node = &x->plan->dag.nodes[v];
	NaivePoint *point = &points[v];
	long double norm = 0;
	RvdRng		rng;
	uint64_t	bits;

	point->path = parent < 0 ? UINT64_C(0x7276642e68797062)
		: points[parent].path;
	point->path = rvd_hash_combine(point->path, (uint64_t) node->op |
								   (uint64_t) kind << 16 |
								   (uint64_t) node->relation << 32);
	point->path = rvd_hash_combine(point->path, (uint64_t) position);
	rvd_rng_init(&rng, RVD_RNG_LORENTZ, point->path);
	bits = rvd_rng_next(&rng);
	point->depth = parent < 0 ? 0 : points[parent].depth + 1;
	for (int j = 0; j < NAIVE_DIM; j++)
	{
		long double sign = (bits >> (63 - j)) % 2 == 1 ? 1.0L : -1.0L;

		point->u[j] = sign / sqrtl(NAIVE_DIM);
		if (point->depth > 1)
			point->u[j] = points[parent].u[j] + point->u[j] *
				2 * expl(-(long double) rho * points[parent].depth);
		norm += point->u[j] * point->u[j];
	}
	point->x[0] = coshl((long double) rho * point->depth);
	for (int j = 0; j < NAIVE_DIM; j++)
	{
		point->u[j] /= sqrtl(norm);
		point->x[j + 1] = sinhl((long double) rho * point->depth) *
			point->u[j];
	}
}

/* Longest way from the root: what depth means. */
static inline int
naive_depth(const Naive *x, int32_t v)
{
	const int32_t n = x->n;
	int			depth = 0;

	for (int32_t u = 0; u < n; u++)
		if (x->edges[u * n + v] > 0 && x->plan->dag.nodes[u].depth + 1 > depth)
			depth = x->plan->dag.nodes[u].depth + 1;
	return depth;
}

/* The first parent in preorder from which the way down is a longest one. */
static inline void
naive_place_all(const Naive *x, NaivePoint *points, double rho)
{
	const int32_t n = x->n;
	const RvdDag *dag = &x->plan->dag;

	naive_place(x, points, rho, dag->root, -1, 0, 0);
	for (int depth = 1; depth < n; depth++)
	{
		for (int32_t v = 0; v < n; v++)
		{
			int32_t		best = -1;
			int32_t		position = 0;

			if (v == dag->root || naive_depth(x, v) != depth)
				continue;
			for (int32_t u = 0; u < n; u++)
				if (x->edges[u * n + v] > 0 && naive_depth(x, u) == depth - 1 &&
					(best < 0 || x->rank[u] < x->rank[best]))
					best = u;
			for (int32_t e = 0; e < dag->n_edges; e++)
			{
				if (dag->edge_parent[e] != best)
					continue;
				if (dag->edge_child[e] == v)
				{
					naive_place(x, points, rho, v, best, dag->edge_kind[e],
								position);
					break;
				}
				position++;
			}
		}
	}
}

static inline void
naive_lorentz(Naive *x)
{
	const int32_t n = x->n;
	NaivePoint *points = calloc((size_t) n, sizeof(NaivePoint));
	double	   *score = malloc((size_t) n * sizeof(double));
	long double mu[NAIVE_DIM + 1] = {0};
	long double norm = 0;
	int			deepest = 0;

	for (int32_t v = 0; v < n; v++)
		deepest = naive_depth(x, v) > deepest ? naive_depth(x, v) : deepest;
	naive_place_all(x, points, deepest > 15 ? 15.0 / deepest : 1.0);
	for (int32_t v = 0; v < n; v++)
		for (int j = 0; j <= NAIVE_DIM; j++)
			mu[j] += x->share[v] * points[v].x[j];
	for (int j = 1; j <= NAIVE_DIM; j++)
		norm += mu[j] * mu[j];
	norm = sqrtl(mu[0] * mu[0] - norm);
	for (int32_t v = 0; v < n; v++)
	{
		long double half = 0;	/* cosh(distance) - 1 = |x - mu|^2 / 2 */

		for (int j = 0; j <= NAIVE_DIM; j++)
		{
			long double d = points[v].x[j] - mu[j] / norm;

			half += (j == 0 ? -d * d : d * d) / 2;
		}
		half = fmaxl(half, 0);
		score[v] = x->bias[v] - x->plan->params.lorentz_beta *
			(double) log1pl(half + sqrtl(half * (half + 2)));
	}
	naive_softmax(score, x->p, n);
	free(points);
	free(score);
}

/* ---- parallel branch -------------------------------------------------------- */

static inline int
naive_readers(const Naive *x, int32_t v)
{
	int			readers = 0;

	for (int32_t u = 0; u < x->n; u++)
		readers += x->edges[u * x->n + v];
	return readers;
}

static inline double
naive_inclusive(const Naive *x, int32_t v)
{
	double		sum = x->share[v] * exp(x->s[v]);

	for (int32_t u = 0; u < x->n; u++)
		if (x->edges[v * x->n + u] > 0)
			sum += naive_inclusive(x, u) * x->edges[v * x->n + u] /
				naive_readers(x, u);
	return sum;
}

static inline bool
naive_is_sibling(const Naive *x, const double *inclusive, int32_t parent,
				 int32_t v, int32_t u)
{
	const int32_t n = x->n;
	int32_t		b = x->plan->params.branch_siblings;
	int32_t		before_u = 0;
	int32_t		before_v = 0;

	if (u == v)
		return true;
	if (x->edges[parent * n + u] == 0)
		return false;
	for (int32_t w = 0; w < n; w++)
	{
		if (x->edges[parent * n + w] == 0)
			continue;
		before_u += inclusive[w] > inclusive[u] ||
			(inclusive[w] == inclusive[u] && x->rank[w] < x->rank[u]);
		before_v += inclusive[w] > inclusive[v] ||
			(inclusive[w] == inclusive[v] && x->rank[w] < x->rank[v]);
	}
	/* one place is v's own, taken from the last if v has none */
	return before_u < (before_v < b ? b : b - 1);
}

static inline void
naive_siblings(Naive *x, const double *inclusive)
{
	const int32_t n = x->n;
	double	   *score = malloc((size_t) n * sizeof(double));

	for (int32_t v = 0; v < n; v++)
	{
		int32_t		parent = -1;

		for (int32_t u = 0; u < n; u++)
			if (x->edges[u * n + v] > 0 &&
				(parent < 0 || x->rank[u] < x->rank[parent]))
				parent = u;
		for (int32_t u = 0; u < n; u++)
		{
			score[u] = NAN;
			if (parent < 0 ? u == v
				: naive_is_sibling(x, inclusive, parent, v, u))
				score[u] = naive_heads(x, v, u) -
					fabs(log(inclusive[v]) - log(inclusive[u]));
		}
		naive_softmax(score, x->rows + v * n, n);
	}
	free(score);
}

/* Where a unit of mass let loose at the root comes to rest, n steps on. */
static inline void
naive_parallel_branch(Naive *x)
{
	const int32_t n = x->n;
	const double power = 1 / x->plan->params.branch_tau;
	double	   *inclusive = malloc((size_t) n * sizeof(double));
	double	   *mass = calloc((size_t) n, sizeof(double));
	double	   *moved = malloc((size_t) n * sizeof(double));

	for (int32_t v = 0; v < n; v++)
	{
		inclusive[v] = naive_inclusive(x, v);
		x->p[v] = 0;
	}
	mass[x->plan->dag.root] = 1;
	for (int32_t round = 0; round < n; round++)
	{
		memset(moved, 0, (size_t) n * sizeof(double));
		for (int32_t v = 0; v < n; v++)
		{
			double		stop = pow(x->share[v] * exp(x->s[v]), power);
			double		all = stop;

			if (mass[v] == 0)
				continue;
			for (int32_t u = 0; u < n; u++)
				if (x->edges[v * n + u] > 0)
					all += x->edges[v * n + u] *
						pow(inclusive[u] / naive_readers(x, u), power);
			x->p[v] += mass[v] * stop / all;
			for (int32_t u = 0; u < n; u++)
				if (x->edges[v * n + u] > 0)
					moved[u] += mass[v] * x->edges[v * n + u] *
						pow(inclusive[u] / naive_readers(x, u), power) / all;
		}
		memcpy(mass, moved, (size_t) n * sizeof(double));
	}
	naive_siblings(x, inclusive);
	free(inclusive);
	free(mass);
	free(moved);
}

static inline void
naive_temporal_btsp(Naive *x)
{
	const RvdAttentionParams *params = &x->plan->params;
	double	   *score = malloc((size_t) x->n * sizeof(double));

	for (int32_t v = 0; v < x->n; v++)
	{
		const RvdTrace *t = &x->plan->traces[v];
		double		dt = fmax(0, x->plan->in.now_s - t->time_s);

		score[v] = x->bias[v] + params->trace_eta *
			log(1 + t->eligibility * exp(-dt / 60) *
				(1 + params->trace_gain * t->plateau * exp(-dt / 600)));
	}
	naive_softmax(score, x->p, x->n);
	free(score);
}

static inline void
naive_kernel(Naive *x, int kind)
{
	static void (*const kernels[RVD_NUM_KERNELS]) (Naive *) = {
		[RVD_ATTENTION_TOPOLOGICAL] = naive_topological,
		[RVD_ATTENTION_CAUSAL_CONE] = naive_causal_cone,
		[RVD_ATTENTION_CRITICAL_PATH] = naive_critical_path,
		[RVD_ATTENTION_MINCUT_GATED] = naive_mincut_gated,
		[RVD_ATTENTION_LORENTZ] = naive_lorentz,
		[RVD_ATTENTION_PARALLEL_BRANCH] = naive_parallel_branch,
		[RVD_ATTENTION_TEMPORAL_BTSP] = naive_temporal_btsp,
	};

	kernels[kind] (x);
}

#endif							/* RVD_TEST_ATTENTION_NAIVE_H */
