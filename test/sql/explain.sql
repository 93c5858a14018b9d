-- ruvector_dag_explain: the decision about a statement; and the history of
-- plans.  Figures depend on what was measured; what is shown here does not.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
CREATE SCHEMA test_explain;
SET search_path = test_explain, public;
SET max_parallel_workers_per_gather = 0;
SET ruvector.dag_min_cost = 0;
SET ruvector.dag_regret_limit = 1;
SET ruvector.dag_overhead_limit = 1;
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
RESET client_min_messages;
CREATE TABLE a AS SELECT i AS id, i % 100 AS g, i % 100 AS h, i % 100 AS k,
    CASE WHEN i % 100 = 3 THEN 0 ELSE i END AS key
  FROM generate_series(1, 10000) i;
CREATE TABLE b AS SELECT i AS id, CASE WHEN i <= 10000 THEN 0 ELSE i END AS aid,
    i AS x
  FROM generate_series(1, 15000) i;
CREATE INDEX b_aid ON b (aid);
CREATE TABLE unseen (id int);
ANALYZE a, b, unseen;
SELECT ruvector_enable_neural_dag('a') AND ruvector_enable_neural_dag('b') AS on;
-- under one arm, so that it is known which plan it will be
CREATE TEMP TABLE arms_before AS SELECT arm_id, enabled FROM ruvector.dag_arms;
UPDATE ruvector.dag_arms SET enabled = false;
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (31, 'test_hashes', '{"enable_nestloop": "off"}');
\set q 'SELECT count(*) FROM a JOIN b ON b.aid = a.key AND b.x = a.id WHERE g = 3 AND h = 3 AND k = 3'
CREATE FUNCTION why(query text, OUT looked_at bool, OUT why_not text, OUT stock bool, OUT why text) LANGUAGE sql AS $$
    SELECT (e -> 'class' ->> 'looked_at')::bool, e -> 'class' ->> 'why_not', (e -> 'choice' ->> 'stock')::bool, e -> 'choice' ->> 'why'
    FROM ruvector_dag_explain(query) e
$$;

-- ---- statements that are not looked at --------------------------------------
\x on
SELECT * FROM why('SELECT * FROM unseen');
SET ruvector.dag_min_cost = 1000000000;
SELECT * FROM why(:'q');
SET ruvector.dag_min_cost = 0;
SET ruvector.neural_dag_enabled = off;
SELECT * FROM why(:'q');
RESET ruvector.neural_dag_enabled;
SET compute_query_id = off;
SELECT * FROM why(:'q');
RESET compute_query_id;

-- ---- from first sight to a proven plan -----------------------------------------
SELECT * FROM why(:'q');
SELECT ruvector_dag_explain(:'q') -> 'steps' AS steps;
:q \gset
SELECT * FROM why(:'q');
SELECT e -> 'instance' ->> 'state' AS state, e -> 'instance' -> 'stock_runs' AS stock_runs, e -> 'class' -> 'calls' AS calls,
    e -> 'choice' -> 'may_try_another' AS may_try, e -> 'choice' -> 'plan_id' = e -> 'stock_plan' -> 'plan_id' AS same_plan
FROM ruvector_dag_explain(:'q') e;
:q \gset
SELECT * FROM why(:'q');
SELECT e -> 'instance' ->> 'state' AS state, e -> 'choice' -> 'may_try_another' AS may_try,
    (e -> 'choice' ->> 'expected_ms')::float8 > 0 AS expected
FROM ruvector_dag_explain(:'q') e;
\set ECHO none
\o /dev/null
SELECT :'q' FROM generate_series(1, 40) \gexec
\o
\set ECHO all
SELECT * FROM why(:'q');
SELECT array(SELECT jsonb_object_keys(e)) AS sections, e -> 'choice' ->> 'role' AS role, e -> 'choice' ->> 'arm' AS arm,
    (e -> 'choice' ->> 'stock_ms')::float8 > (e -> 'choice' ->> 'expected_ms')::float8 AS faster,
    e -> 'choice' -> 'plan_id' = e -> 'instance' -> 'best_plan' AS best,
    e -> 'stock_plan' -> 'plan_id' = e -> 'instance' -> 'stock_plan' AS stock,
    e -> 'class' -> 'calls' AS calls
FROM (SELECT ruvector_dag_explain(:'q') - 'memory') s (e);
-- the same as EXPLAIN says
CREATE FUNCTION explained(query text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
    RETURN plan -> 0 -> 'Neural DAG';
END
$$;
SELECT explained(:'q') -> 'Plan ID' = ruvector_dag_explain(:'q') -> 'choice' -> 'plan_id' AS same_plan;
\x off
-- every plan of these constants, with what it was and why
SELECT p ->> 'role' AS role, p ->> 'arm' AS arm, (p -> 'cost') IS NOT NULL AS cost, jsonb_path_query_array(p, '$.history[*].role') AS roles,
    p -> 'history' -> -1 ->> 'reason' = p ->> 'reason' AS reason_is_the_last
FROM jsonb_array_elements(ruvector_dag_explain(:'q') -> 'plans') p ORDER BY 1;
SELECT role, arm, state IN ('steered', 'exploring') AS state, jsonb_path_query_array(history, '$[*].role') AS roles,
    history -> 0 ->> 'reason' AS first_reason,
    (history -> 0 ->> 'at')::timestamptz = first_seen AS since_then
FROM ruvector_dag_plans() WHERE arm <> 'default' OR role = 'baseline' ORDER BY 1;
-- modes
\x on
SET ruvector.dag_mode = observe;
SELECT * FROM why(:'q');
SET ruvector.dag_mode = advise;
SELECT * FROM why(:'q');
RESET ruvector.dag_mode;
\x off

-- ---- nothing is run, nothing is counted --------------------------------------------
CREATE FUNCTION boom() RETURNS int VOLATILE LANGUAGE plpgsql AS $$ BEGIN RAISE 'was run'; END $$;
SELECT (ruvector_dag_explain('DELETE FROM a WHERE id = boom()') -> 'choice' ->> 'stock')::bool AS stock;
SELECT calls AS before FROM ruvector_dag_queries('a') WHERE state = 'steered' OR plans > 1 ORDER BY calls DESC LIMIT 1 \gset
SELECT ruvector_dag_explain(:'q') IS NOT NULL AS asked FROM generate_series(1, 3);
SELECT max(calls) = :before AS as_before FROM ruvector_dag_queries('a');

-- ---- errors ----------------------------------------------------------------------------
SELECT ruvector_dag_explain(NULL) IS NULL AS strict;
SELECT ruvector_dag_explain('SELECT 1; SELECT 2');
SELECT ruvector_dag_explain('');
SELECT ruvector_dag_explain('VACUUM');
SELECT ruvector_dag_explain('SELECT $1');
SELECT ruvector_dag_explain('SELECT nothing FROM a');

-- ---- privileges ----------------------------------------------------------------------------
CREATE ROLE regress_asks;
GRANT USAGE ON SCHEMA test_explain TO regress_asks;
GRANT SELECT ON a TO regress_asks;
GRANT SELECT (aid, x) ON b TO regress_asks;
SET ROLE regress_asks;
SELECT ruvector_dag_explain('SELECT id FROM b');
-- may run it, but could not have counted all of b: no cost of learned plans
SELECT p ->> 'role' AS role, p ? 'cost' AS cost
FROM jsonb_array_elements(ruvector_dag_explain(:'q') -> 'plans') p ORDER BY 1;
RESET ROLE;

DELETE FROM ruvector.dag_arms WHERE arm_id = 31;
UPDATE ruvector.dag_arms a SET enabled = b.enabled FROM arms_before b WHERE b.arm_id = a.arm_id;
SET client_min_messages = warning;
DROP SCHEMA test_explain CASCADE;
DROP ROLE regress_asks;
