-- Looking at a statement: its operators weighed, its bottlenecks, its minimum
-- cut, what is expected of it.  The figures depend on what was learned; what
-- is shown here does not.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;
CREATE SCHEMA test_query_view;
SET search_path = test_query_view, public;
SET max_parallel_workers_per_gather = 0;
DO $$
BEGIN
    FOR i IN 1..600 LOOP
        EXIT WHEN NOT ruvector_dag_health_report() -> 'issues'
            ?| ARRAY['no learner is running in this database',
                     'the learner is still loading: nothing is steered yet'];
        PERFORM pg_sleep(0.1);
    END LOOP;
END
$$;
SELECT ruvector_dag_reset() >= 0 AS fresh;

CREATE TABLE customer (id int PRIMARY KEY, tier int, txt text);
INSERT INTO customer SELECT i, i % 5, repeat('x', 100) FROM generate_series(1, 5000) i;
CREATE TABLE orders (id int PRIMARY KEY, customer_id int, status int, total int);
INSERT INTO orders SELECT i, i % 5000 + 1, i % 1000, i % 977 FROM generate_series(1, 40000) i;
CREATE INDEX orders_customer_id_idx ON orders (customer_id);
CREATE TABLE empty (id int);
CREATE TABLE part (id int, v int) PARTITION BY HASH (id);
DO $$
BEGIN
    FOR i IN 0..199 LOOP
        EXECUTE format('CREATE TABLE part_%s PARTITION OF part FOR VALUES WITH (MODULUS 200, REMAINDER %s)', i, i);
    END LOOP;
END
$$;
INSERT INTO part SELECT i, i % 10 FROM generate_series(1, 20000) i;
VACUUM ANALYZE customer;
VACUUM ANALYZE orders;
ANALYZE part;

-- ---- node_id is EXPLAIN's order; weights are shares --------------------
CREATE FUNCTION explained(plan json) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT plan ->> 'Node Type'
    UNION ALL
    SELECT explained(value) FROM json_array_elements(plan -> 'Plans')
$$;
CREATE FUNCTION agrees(query text, OUT nodes int, OUT operators bool, OUT sum_1 bool, OUT path bool, OUT bottlenecks bool)
LANGUAGE plpgsql AS $$
DECLARE
    plan json;
    names text[];
    seen text[];
    kind text;
BEGIN
    EXECUTE 'EXPLAIN (COSTS OFF, FORMAT JSON) ' || query INTO plan;
    names := ARRAY(SELECT explained(plan -> 0 -> 'Plan'));
    nodes := cardinality(names);
    sum_1 := true;
    operators := true;
    FOREACH kind IN ARRAY ARRAY['auto', 'topological', 'causal_cone', 'critical_path', 'mincut_gated',
        'hierarchical_lorentz', 'parallel_branch', 'temporal_btsp', 'ensemble']
    LOOP
        SELECT array_agg(operator ORDER BY node_id), sum_1 AND abs(sum(weight) - 1) < 1e-4 AND min(weight) >= 0
        INTO seen, sum_1 FROM ruvector_dag_attention(query, kind);
        operators := operators AND seen = names;
    END LOOP;
    -- from a leaf up to the root, costs rising
    SELECT bool_and(names[node_id + 1] = operator AND path_position = place AND accumulated_cost >= before)
           AND (array_agg(node_id ORDER BY place DESC))[1] = 0
    INTO path
    FROM (SELECT *, row_number() OVER w AS place, lag(accumulated_cost, 1, 0::float8) OVER w AS before
          FROM ruvector_dag_critical_path(query) WINDOW w AS (ORDER BY path_position)) AS p;
    SELECT coalesce(bool_and(names[node_id + 1] = operator AND bottleneck_score BETWEEN 0 AND 1
                             AND impact_estimate BETWEEN 0 AND 1), true)
    INTO bottlenecks FROM ruvector_dag_bottlenecks(query, 0);
END
$$;
SELECT nodes / 10 AS tens, operators, sum_1, path, bottlenecks, q AS query FROM unnest(ARRAY[
    'SELECT 1',
    'SELECT * FROM orders WHERE id = 5',
    'SELECT * FROM orders o JOIN customer c ON c.id = o.customer_id WHERE c.tier = 3 ORDER BY o.total LIMIT 5',
    'SELECT * FROM orders WHERE customer_id = 5 OR id = 7',
    'WITH w AS MATERIALIZED (SELECT customer_id, count(*) n FROM orders GROUP BY 1) SELECT * FROM w a JOIN w b USING (n)',
    'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT * FROM r JOIN customer ON id = n',
    'SELECT (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) FROM customer c WHERE c.id > (SELECT min(id) FROM orders)',
    'SELECT id IN (SELECT id FROM empty) FROM customer WHERE tier > (SELECT v FROM part p WHERE p.id = customer.id ORDER BY v LIMIT 1)',
    'SELECT v, count(*) FROM part GROUP BY v ORDER BY 2',
    'UPDATE part SET v = 1 WHERE id < 5',
    'INSERT INTO empty SELECT id FROM customer',
    'WITH d AS (DELETE FROM empty RETURNING *) SELECT * FROM d',
    'MERGE INTO empty e USING customer c ON c.id = e.id WHEN MATCHED THEN DELETE',
    'SELECT tier FROM customer UNION SELECT status FROM orders EXCEPT SELECT v FROM part',
    'VALUES (1), (2)',
    'SELECT 1 WHERE false'
]) AS q, agrees(q) AS a;
SELECT count(*) FROM empty;

-- ---- what a DBA would point at ------------------------------------------
-- a scan of everything for a little
SELECT node_id, operator, relation, bottleneck_score, impact_estimate > 0.9 AS impact, suggested_action
FROM ruvector_dag_bottlenecks('SELECT count(*) FROM orders WHERE status = 7');
-- a sort, and what becomes of it with more memory
SELECT node_id, operator, bottleneck_score > 0.5 AS score, impact_estimate > 0.5 AS impact, suggested_action
FROM ruvector_dag_bottlenecks('SELECT * FROM orders ORDER BY total, status') WHERE node_id = 0;
SET work_mem = '64kB';
SELECT suggested_action FROM ruvector_dag_bottlenecks('SELECT * FROM orders ORDER BY total, status') WHERE node_id = 0;
RESET work_mem;
-- many lookups
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT operator, relation, impact_estimate > 0.5 AS impact, suggested_action
FROM ruvector_dag_bottlenecks('SELECT count(o.total) FROM customer c JOIN orders o ON o.customer_id = c.id') LIMIT 1;
SELECT operator, relation, suggested_action
FROM ruvector_dag_bottlenecks('SELECT count(*) FROM customer c JOIN customer d ON d.tier + 1 = c.tier') LIMIT 1;
RESET ALL;
SET search_path = test_query_view, public;
SET max_parallel_workers_per_gather = 0;
-- a scan that stops early
SELECT suggested_action FROM ruvector_dag_bottlenecks('SELECT * FROM orders LIMIT 40');
-- partitions are all alike
SELECT count(*), min(operator) AS operator, bool_and(relation LIKE 'part%') AS partitions, max(impact_estimate) < 0.01 AS small
FROM ruvector_dag_bottlenecks('SELECT v, count(*) FROM part GROUP BY v');
-- nothing that takes no time
SELECT count(*) FROM ruvector_dag_bottlenecks('SELECT * FROM empty WHERE false', 0) WHERE impact_estimate <= 0;
-- a higher threshold leaves out no leaf and adds nothing
SELECT (SELECT count(*) FROM ruvector_dag_bottlenecks(q, 0)) >= (SELECT count(*) FROM ruvector_dag_bottlenecks(q)) AS fewer,
       (SELECT min(bottleneck_score) FROM ruvector_dag_bottlenecks(q, 1)) AS leaves
FROM (VALUES ('SELECT status, count(*) FROM orders GROUP BY 1 ORDER BY 2')) AS v(q);

-- ---- minimum cut ------------------------------------------------------
SELECT m -> 'cut' AS cut, m -> 'unit' AS unit, (m ->> 'global_mincut')::float8 > 0 AS mincut,
       (m ->> 'frontier_share')::float8 BETWEEN 0.9 AND 1 AS share, m -> 'threshold' AS threshold,
       m -> 'bottleneck_count' AS n, m #> '{bottlenecks,0,operator}' AS operator, m #> '{bottlenecks,0,relation}' AS relation,
       m #> '{bottlenecks,0,node_id}' AS node, m #> '{bottlenecks,0,criticality}' AS criticality,
       m #> '{bottlenecks,0,in_frontier}' AS frontier
FROM ruvector_dag_mincut_analysis('SELECT count(*) FROM orders WHERE status = 7') AS m;
SET ruvector.dag_mincut_threshold = 0.25;
SELECT m -> 'threshold' AS threshold FROM ruvector_dag_mincut_analysis('SELECT 1') AS m;
RESET ruvector.dag_mincut_threshold;

-- of a table: the statement on it that took most time
SELECT ruvector_dag_mincut_analysis('orders');
SELECT node_id, criticality > 0 AND criticality < 1 AS criticality, is_bottleneck FROM ruvector_dag_mincut_criticality('orders');
SELECT ruvector_enable_neural_dag('orders', '{"dag_min_cost": 0, "dag_mode": "observe"}');
SELECT count(*) FROM orders WHERE status = 8;
SELECT id FROM orders WHERE id = 9;
-- these take more time, but none can be planned as it stands
SELECT count(*) AS several FROM orders AS a JOIN orders AS b USING (total)\; SELECT 1 AS one;
DO $$
DECLARE
    x int := 9;
BEGIN
    PERFORM count(*) FROM orders AS a JOIN orders AS b USING (total) WHERE a.id > x;
END
$$;
PREPARE parameter (int) AS SELECT count(*) AS parameter FROM orders AS a JOIN orders AS b USING (total) WHERE a.id > $1;
EXECUTE parameter (1);
SELECT (m ->> 'queryid')::bigint = q.queryid AS class, m #> '{bottlenecks,0,operator}' AS operator
FROM ruvector_dag_mincut_analysis('orders') AS m, ruvector_dag_queries('orders') AS q
WHERE q.query = 'SELECT count(*) FROM orders WHERE status = 8;';
SELECT ruvector_dag_mincut_analysis('orders'::regclass) = ruvector_dag_mincut_analysis('test_query_view.orders') AS same;
SELECT * FROM ruvector_dag_mincut_criticality('orders');
-- nor where their texts mean another table
CREATE SCHEMA test_query_view_2;
CREATE TABLE test_query_view_2.orders (LIKE orders);
SET search_path = test_query_view_2, public;
SELECT ruvector_dag_mincut_analysis('test_query_view.orders');
SET search_path = test_query_view, public;
-- a name with a blank in it is a name
CREATE TABLE "big orders" (id int);
SELECT ruvector_dag_mincut_analysis('"big orders"');
SELECT ruvector_dag_mincut_analysis('SELECT') -> 'bottleneck_count' AS bottlenecks;

-- ---- what is expected -----------------------------------------------------
SELECT metric, postgres_estimate, learned_estimate, confidence
FROM ruvector_dag_estimate('SELECT total FROM customer c JOIN orders o ON o.customer_id = c.id ORDER BY 1')
WHERE metric NOT LIKE 'share%' AND metric <> 'cost';
SELECT bool_and(postgres_estimate BETWEEN 0 AND 1), abs(sum(postgres_estimate) - 1) < 1e-9 AS sum_1, count(learned_estimate)
FROM ruvector_dag_estimate('SELECT total FROM customer c JOIN orders o ON o.customer_id = c.id ORDER BY 1')
WHERE metric LIKE 'share%';
-- correlated columns, which the server takes for independent; then learned
SELECT ruvector_enable_neural_dag('orders', '{"dag_min_cost": 0}');
SELECT postgres_estimate AS before, learned_estimate
FROM ruvector_dag_estimate('SELECT * FROM orders WHERE id % 10 = 3 AND status % 10 = 3') WHERE metric = 'rows';
SELECT count(*) FROM (SELECT * FROM orders WHERE id % 10 = 3 AND status % 10 = 3 OFFSET 0) AS s;
SELECT postgres_estimate AS after, learned_estimate
FROM ruvector_dag_estimate('SELECT * FROM orders WHERE id % 10 = 3 AND status % 10 = 3') WHERE metric = 'rows';
-- a model, after enough runs
SET ruvector.dag_overhead_limit = 1;
DO $$
BEGIN
    FOR i IN 1..140 LOOP
        EXECUTE format('SELECT count(*) FROM orders WHERE status > %s', i % 14);
    END LOOP;
END
$$;
RESET ruvector.dag_overhead_limit;
SELECT l -> 'success' AS success, l #> '{training,skipped}' AS skipped, (l #>> '{training,trajectories}')::int >= 70 AS trajectories,
       (SELECT count(*) FROM jsonb_object_keys(l #> '{training,steps_ms}')) AS steps
FROM ruvector_dag_learn() AS l;
SELECT metric, postgres_estimate > 0 AS postgres, learned_estimate > 0 AS learned, confidence BETWEEN 0 AND 1 AS confidence
FROM ruvector_dag_estimate('SELECT count(*) FROM orders WHERE status > 3')
WHERE metric IN ('execution time (ms)', 'rows of scans, true / estimated', 'share of time: sequential scans');
SELECT a.* FROM agrees('SELECT count(*) FROM orders WHERE status > 3') AS a;
SELECT accumulated_cost::numeric(10,3) = postgres_estimate::numeric(10,3) AS all_on_the_path
FROM ruvector_dag_critical_path('SELECT count(*) FROM orders WHERE status > 3'),
     ruvector_dag_estimate('SELECT count(*) FROM orders WHERE status > 3')
WHERE metric = 'cost' AND node_id = 0;

-- ---- the embedding -----------------------------------------------------------
SELECT plan_id <> 0 AS plan, total_cost > 0 AS cost, cardinality(plan_features) AS features, cardinality(embedding) AS embedding,
       (SELECT abs(sum(e::float8 * e) - 1) < 1e-5 FROM unnest(embedding) AS e) AS unit
FROM ruvector.dag_embedding('SELECT * FROM orders', 'topological');

-- ---- NULL, and what is refused ----------------------------------------------
SELECT (SELECT count(*) FROM ruvector_dag_attention(NULL)) + (SELECT count(*) FROM ruvector_dag_attention('SELECT 1', NULL))
     + (SELECT count(*) FROM ruvector_dag_critical_path(NULL)) + (SELECT count(*) FROM ruvector_dag_bottlenecks(NULL))
     + (SELECT count(*) FROM ruvector_dag_bottlenecks('SELECT 1', NULL)) + (SELECT count(*) FROM ruvector_dag_estimate(NULL))
     + (SELECT count(*) FROM ruvector_dag_mincut_criticality(NULL)) AS rows,
       ruvector_dag_mincut_analysis(NULL::text) IS NULL AND ruvector_dag_mincut_analysis(NULL::regclass) IS NULL AS nothing;
CREATE FUNCTION test_error(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN sqlstate || ': ' || sqlerrm || coalesce(' | ' || nullif(detail, ''), '') || coalesce(' | ' || nullif(hint, ''), '');
END
$$;
SELECT s AS statement, test_error(s) FROM unnest(ARRAY[
    $$SELECT ruvector_dag_attention('')$$,
    $$SELECT ruvector_dag_attention('SELECT 1; SELECT 2')$$,
    $$SELECT ruvector_dag_attention('VACUUM orders')$$,
    $$SELECT ruvector_dag_attention('SELECT 1', 'topologic')$$,
    $$SELECT ruvector_dag_attention('SELECT 1', '')$$,
    $$SELECT ruvector_dag_attention('SELECT 1', 'Causal_Cone')$$,
    $$SELECT ruvector_dag_critical_path('SELECT * FROM orders WHERE id = $1')$$,
    $$SELECT ruvector_dag_critical_path('SELECT * FROM nowhere')$$,
    $$SELECT ruvector_dag_bottlenecks('SELECT 1', 2)$$,
    $$SELECT ruvector_dag_bottlenecks('SELECT 1', -0.1)$$,
    $$SELECT ruvector_dag_bottlenecks('SELECT 1', 'NaN')$$,
    $$SELECT ruvector_dag_bottlenecks('EXPLAIN SELECT 1')$$,
    $$SELECT ruvector_dag_mincut_analysis('')$$,
    $$SELECT ruvector_dag_mincut_analysis('nowhere')$$,
    $$SELECT ruvector_dag_mincut_analysis('SELECT FROM nowhere')$$,
    $$SELECT ruvector_dag_mincut_analysis('empty')$$,
    $$SELECT ruvector_dag_mincut_analysis(4000000000::oid::regclass)$$,
    $$SELECT ruvector_dag_mincut_criticality('empty')$$,
    $$SELECT ruvector_dag_mincut_criticality(0::regclass)$$,
    $$SELECT ruvector_dag_estimate('DROP TABLE orders')$$,
    $$SELECT ruvector.dag_embedding('SELECT 1', 'none')$$,
    $$SELECT ruvector_dag_extract_patterns(NULL, 9)$$,
    $$SELECT ruvector_dag_extract_patterns(NULL, 1001)$$,
    $$SELECT ruvector_dag_extract_patterns('empty')$$,
    $$SELECT ruvector_dag_consolidate_patterns(NULL, 0)$$,
    $$SELECT ruvector_dag_consolidate_patterns(NULL, 'NaN')$$,
    $$SELECT ruvector_dag_consolidate_patterns(NULL, NULL)$$,
    $$SELECT ruvector_dag_consolidate_patterns('empty')$$
]) AS s;
-- a table that is gone
CREATE TABLE gone (id int);
SELECT 'gone'::regclass::oid AS gone \gset
DROP TABLE gone;
SELECT test_error(format('SELECT ruvector_dag_mincut_criticality(%s)', :gone)) = format('42P01: relation with OID %s does not exist', :gone) AS gone;

-- ---- with the caller's privileges ----------------------------------------------
CREATE ROLE regress_view;
GRANT USAGE ON SCHEMA test_query_view TO regress_view;
GRANT SELECT (id) ON orders TO regress_view;
SET ROLE regress_view;
SELECT s AS statement, test_error(s) FROM unnest(ARRAY[
    $$SELECT ruvector_dag_attention('SELECT id FROM orders')$$,
    $$SELECT ruvector_dag_attention('SELECT * FROM orders')$$,
    $$SELECT ruvector_dag_critical_path('SELECT * FROM customer')$$,
    $$SELECT ruvector_dag_bottlenecks('DELETE FROM orders')$$,
    $$SELECT ruvector_dag_estimate('SELECT total FROM orders')$$,
    $$SELECT ruvector_dag_mincut_analysis('SELECT total FROM orders')$$,
    $$SELECT ruvector_dag_mincut_analysis('orders')$$,
    $$SELECT ruvector_dag_mincut_criticality('orders')$$,
    $$SELECT ruvector.dag_embedding('SELECT id FROM orders')$$,
    $$SELECT ruvector_dag_extract_patterns()$$,
    $$SELECT ruvector_dag_consolidate_patterns()$$,
    $$SELECT ruvector_dag_latency()$$
]) AS s;
-- learned row counts are for who could count all rows
RESET ROLE;
GRANT SELECT ON orders TO regress_view;
SET ROLE regress_view;
SELECT metric, learned_estimate IS NOT NULL AS learned
FROM ruvector_dag_estimate('SELECT count(*) FROM orders WHERE status > 3') WHERE metric IN ('rows', 'rows of scans, true / estimated');
RESET ROLE;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON orders USING (id < 10);
SET ROLE regress_view;
SELECT metric, learned_estimate IS NOT NULL AS learned
FROM ruvector_dag_estimate('SELECT count(*) FROM orders WHERE status > 3') WHERE metric IN ('rows', 'rows of scans, true / estimated');
RESET ROLE;

-- ---- latency of the extension's own operations ----------------------------------
SELECT operation, target_us, (calls > 0) = (p50_us IS NOT NULL) AS calls,
       coalesce(p50_us <= p95_us AND p95_us <= p99_us AND p99_us <= max_us, true) AS ordered
FROM ruvector_dag_latency();

DEALLOCATE parameter;
SELECT ruvector_dag_reset() >= 0 AS clean;
SET client_min_messages = warning;
DROP SCHEMA test_query_view, test_query_view_2 CASCADE;
DROP ROLE regress_view;
