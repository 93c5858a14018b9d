-- Attention kernels on vectors of one's own: weights, and what is refused.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;

CREATE FUNCTION test_digits(weights real[]) RETURNS numeric[] LANGUAGE sql AS
    'SELECT array_agg(round(w::numeric, 4) ORDER BY i)
     FROM unnest(weights) WITH ORDINALITY AS u(w, i)';

CREATE FUNCTION test_error(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT;
    RETURN sqlstate || ': ' || sqlerrm || coalesce(' | ' || nullif(detail, ''), '')
        || coalesce(' | ' || nullif(hint, ''), '');
END
$$;

-- every kernel, with its defaults and without
SELECT test_digits(ruvector_attention_topological('{1,0}', '{{1,0},{0,1},{1,1}}'));
SELECT test_digits(ruvector_attention_topological('{1,0}', '{{1,0},{0,1},{1,1}}',
    '{"decay_rate": 0, "temperature": 0.1}'));
SELECT test_digits(ruvector_attention_causal_cone('{1,0}', '{{1,0},{0,1},{1,1}}',
    '{0,1,11}'));
SELECT test_digits(ruvector_attention_causal_cone('{1,0}', '{{1,0},{0,1},{1,1}}',
    '{0,1,11}', 0.5, 11));
SELECT test_digits(ruvector_attention_critical_path('{1,0}', '{{1,0},{0,1},{1,1}}',
    '{f,t,f}'));
SELECT test_digits(ruvector_attention_critical_path('{1,0}', '{{1,0},{0,1},{1,1}}',
    '{f,t,f}', 10));
SELECT test_digits(ruvector_attention_mincut_gated('{1,0}', '{{1,0},{0,1},{1,1}}',
    '{0.5,0.4,0.6}'));
SELECT test_digits(ruvector_attention_mincut_gated('{1,0}', '{{1,0},{0,1},{1,1}}',
    '{0.5,0.4,0.6}', 0.6));
SELECT test_digits(ruvector_attention_hierarchical_lorentz('{1,0}',
    '{{1,0},{0,1},{1,1}}', '{0,1,2}'));
SELECT test_digits(ruvector_attention_hierarchical_lorentz('{1,0}',
    '{{1,0},{0,1},{1,1}}', '{0,1,2}', -0.5, 2));
SELECT test_digits(ruvector_attention_parallel_branch('{1,0}', '{{1,0},{0,1},{1,1}}',
    '{{0,5}}', '{f,f,f}', 0));
SELECT test_digits(ruvector_attention_parallel_branch('{1,0}', '{{1,0},{0,1},{1,1}}',
    '{{0,5},{1,1}}', '{f,f,t}'));
SELECT test_digits(ruvector_attention_temporal_btsp('{1,0}', '{{1,0},{0,1},{1,1}}',
    '{1700000000000,1700000000050,1700000000101}'));
SELECT test_digits(ruvector_attention_temporal_btsp('{1,0}', '{{1,0},{0,1},{1,1}}',
    '{1700000000000,1700000000050,1700000000101}', 200, 1));
SELECT test_digits(ruvector_attention_ensemble('{1,0}', '{{1,0},{0,1},{1,1}}',
    '{topological,causal_cone,critical_path,mincut_gated,hierarchical_lorentz,parallel_branch,temporal_btsp}'));
SELECT test_digits(ruvector_attention_ensemble('{1,0}', '{{1,0},{0,1},{1,1}}',
    '{topological,hierarchical_lorentz}', '{0,3}'));

-- the mixture is one
SELECT max(abs(e - (0.25 * t + 0.75 * l))) < 1e-6 AS is_mixture
FROM unnest(ruvector_attention_ensemble('{1,2}', '{{1,0},{0,1},{3,1}}',
                '{topological,hierarchical_lorentz}', '{1,3}'),
            ruvector_attention_topological('{1,2}', '{{1,0},{0,1},{3,1}}'),
            ruvector_attention_hierarchical_lorentz('{1,2}', '{{1,0},{0,1},{3,1}}',
                '{0,1,2}')) AS u(e, t, l);

-- extreme numbers, one ancestor, other lower bounds
SELECT test_digits(ruvector_attention_topological('{3e38,3e38}', '{{3e38,0},{-3e38,0},{0,0}}'));
SELECT test_digits(ruvector_attention_topological('{1e-45,-0}', '{{1e-45,-0},{0,0}}'));
SELECT test_digits(ruvector_attention_hierarchical_lorentz('{3e38,0}',
    '{{3e38,0},{0,3e38}}', '{0,2147483647}', -3e38, 1e-30));
SELECT ruvector_attention_ensemble('{7}', '{{3}}', '{topological}');
SELECT test_digits(ruvector_attention_topological('[5:6]={1,0}', '[3:4][0:1]={{1,0},{0,1}}'));

-- sums are 1
SELECT bool_and(abs(total - 1) < 1e-5) AS sums_to_one
FROM generate_series(1, 50) AS n,
    LATERAL (SELECT array_agg((sin(i * 7) * 3)::real) AS q
             FROM generate_series(1, 8) AS i) AS query,
    LATERAL (SELECT array_agg(v) AS a
             FROM generate_series(1, n) AS r,
                 LATERAL (SELECT array_agg((cos(r * 31 + i) * 4)::real) AS v
                          FROM generate_series(1, 8) AS i) AS row) AS ancestors,
    LATERAL (SELECT sum(w) AS total
             FROM unnest(ruvector_attention_ensemble(q, a,
                 '{topological,causal_cone,hierarchical_lorentz}')) AS w) AS sums;

-- a missing argument is unknown, not wrong
SELECT ruvector_attention_topological(NULL, '{{1}}') IS NULL AS query,
    ruvector_attention_topological('{1}', NULL) IS NULL AS ancestors,
    ruvector_attention_ensemble('{1}', '{{1}}', NULL) IS NULL AS types,
    ruvector_attention_critical_path('{1}', '{{1}}', NULL) IS NULL AS flags;

-- what is refused
SELECT s AS statement, test_error(s) FROM unnest(ARRAY[
    -- arrays
    $$SELECT ruvector_attention_topological('{}', '{{1}}')$$,
    $$SELECT ruvector_attention_topological('{1,NULL}', '{{1,2}}')$$,
    $$SELECT ruvector_attention_topological('{1,NaN}', '{{1,2}}')$$,
    $$SELECT ruvector_attention_topological('{{1,2}}', '{{1,2}}')$$,
    $$SELECT ruvector_attention_topological('{1,2}', '{}')$$,
    $$SELECT ruvector_attention_topological('{1,2}', '{1,2}')$$,
    $$SELECT ruvector_attention_topological('{1,2}', '{{{1,2}}}')$$,
    $$SELECT ruvector_attention_topological('{1,2}', '{{1,2,3}}')$$,
    $$SELECT ruvector_attention_topological('{1,2}', '{{1,NULL}}')$$,
    $$SELECT ruvector_attention_topological('{1,2}', '{{1,2},{-Infinity,3}}')$$,
    -- config
    $$SELECT ruvector_attention_topological('{1}', '{{1}}', '{"decay": 1}')$$,
    $$SELECT ruvector_attention_topological('{1}', '{{1}}', '{"decay_rate": "1"}')$$,
    $$SELECT ruvector_attention_topological('{1}', '{{1}}', '{"decay_rate": -1}')$$,
    $$SELECT ruvector_attention_topological('{1}', '{{1}}', '{"temperature": 0}')$$,
    $$SELECT ruvector_attention_topological('{1}', '{{1}}', '{"temperature": 1e400}')$$,
    $$SELECT ruvector_attention_topological('{1}', '{{1}}', '{"temperature": {"a": 1}}')$$,
    $$SELECT ruvector_attention_topological('{1}', '{{1}}', '[1]')$$,
    $$SELECT ruvector_attention_topological('{1}', '{{1}}', '1')$$,
    -- causal cone
    $$SELECT ruvector_attention_causal_cone('{1}', '{{1},{2}}', '{0}')$$,
    $$SELECT ruvector_attention_causal_cone('{1}', '{{1},{2}}', '{{0,1}}')$$,
    $$SELECT ruvector_attention_causal_cone('{1}', '{{1},{2}}', '{0,NULL}')$$,
    $$SELECT ruvector_attention_causal_cone('{1}', '{{1},{2}}', '{0,-1}')$$,
    $$SELECT ruvector_attention_causal_cone('{1}', '{{1},{2}}', '{11,12}')$$,
    $$SELECT ruvector_attention_causal_cone('{1}', '{{1}}', '{0}', 'NaN')$$,
    $$SELECT ruvector_attention_causal_cone('{1}', '{{1}}', '{0}', -0.1)$$,
    $$SELECT ruvector_attention_causal_cone('{1}', '{{1}}', '{0}', 0.1, -1)$$,
    -- critical path
    $$SELECT ruvector_attention_critical_path('{1}', '{{1}}', '{t,f}')$$,
    $$SELECT ruvector_attention_critical_path('{1}', '{{1}}', '{NULL}')$$,
    $$SELECT ruvector_attention_critical_path('{1}', '{{1}}', '{t}', 0)$$,
    $$SELECT ruvector_attention_critical_path('{1}', '{{1}}', '{t}', 'Infinity')$$,
    -- min-cut gated
    $$SELECT ruvector_attention_mincut_gated('{1}', '{{1}}', '{}')$$,
    $$SELECT ruvector_attention_mincut_gated('{1}', '{{1}}', '{1.5}')$$,
    $$SELECT ruvector_attention_mincut_gated('{1}', '{{1}}', '{NaN}')$$,
    $$SELECT ruvector_attention_mincut_gated('{1}', '{{1}}', '{1}', 1.5)$$,
    -- hierarchical Lorentz
    $$SELECT ruvector_attention_hierarchical_lorentz('{1}', '{{1}}', '{-1}')$$,
    $$SELECT ruvector_attention_hierarchical_lorentz('{1}', '{{1}}', '{0}', 0)$$,
    $$SELECT ruvector_attention_hierarchical_lorentz('{1}', '{{1}}', '{0}', '-Infinity')$$,
    $$SELECT ruvector_attention_hierarchical_lorentz('{1}', '{{1}}', '{0}', -1, 0)$$,
    -- parallel branch
    $$SELECT ruvector_attention_parallel_branch('{1}', '{{1}}', '{}', '{t}')$$,
    $$SELECT ruvector_attention_parallel_branch('{1}', '{{1}}', '{{1,2}}', '{t}')$$,
    $$SELECT ruvector_attention_parallel_branch('{1}', '{{1}}', '{{1}}', '{t,f}')$$,
    $$SELECT ruvector_attention_parallel_branch('{1}', '{{1}}', '{{1}}', '{t}', -1)$$,
    $$SELECT ruvector_attention_parallel_branch('{1}', '{{1}}', '{{1}}', '{t}', 1, 0)$$,
    $$SELECT ruvector_attention_parallel_branch('{1}',
        array_fill(1::real, '{40000,1}'), array_fill(1::real, '{40000,1}'),
        array_fill(true, '{40000}'))$$,
    -- temporal BTSP
    $$SELECT ruvector_attention_temporal_btsp('{1}', '{{1}}', '{1,2}')$$,
    $$SELECT ruvector_attention_temporal_btsp('{1}', '{{1}}', '{Infinity}')$$,
    $$SELECT ruvector_attention_temporal_btsp('{1}', '{{1}}', '{1}', 0)$$,
    $$SELECT ruvector_attention_temporal_btsp('{1}', '{{1}}', '{1}', 50, -1)$$,
    -- ensemble
    $$SELECT ruvector_attention_ensemble('{1}', '{{1}}', '{}')$$,
    $$SELECT ruvector_attention_ensemble('{1}', '{{1}}', '{topologic}')$$,
    $$SELECT ruvector_attention_ensemble('{1}', '{{1}}', '{ensemble}')$$,
    $$SELECT ruvector_attention_ensemble('{1}', '{{1}}', '{NULL}')$$,
    $$SELECT ruvector_attention_ensemble('{1}', '{{1}}', '{{topological}}')$$,
    $$SELECT ruvector_attention_ensemble('{1}', '{{1}}', '{topological}', '{1,2}')$$,
    $$SELECT ruvector_attention_ensemble('{1}', '{{1}}', '{topological}', '{NULL}')$$,
    $$SELECT ruvector_attention_ensemble('{1}', '{{1}}', '{topological}', '{-1}')$$,
    $$SELECT ruvector_attention_ensemble('{1}', '{{1}}', '{topological}', '{0}')$$,
    $$SELECT ruvector_attention_ensemble('{1}', '{{1}}', '{topological}', '{NaN}')$$
]) AS s;

-- usable where only immutable functions are
SELECT proname, provolatile, proparallel FROM pg_proc
WHERE proname LIKE 'ruvector\_attention\_%' ORDER BY 1;

DROP FUNCTION test_error;
DROP FUNCTION test_digits;
