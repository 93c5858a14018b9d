-- The chain: a statement with a wrong estimate, a better plan, and what each
-- function says of it.  The better plan is some twenty times as fast, so that
-- noise does not decide.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;
CREATE SCHEMA test_learning;
SET search_path = test_learning, public;
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

-- one arm, so that it does not depend on draws what is tried when
UPDATE ruvector.dag_arms SET enabled = arm_id = 1;

-- x, y and z say the same, which the server takes for a coincidence
CREATE TABLE item (id int, x int, y int, z int, k int);
INSERT INTO item SELECT i, i % 50, i % 50, i % 50, 3 FROM generate_series(1, 20000) i;
CREATE TABLE fact (k int, id int, amount int);
INSERT INTO fact SELECT i / 1000, i % 1000 * 50 + 7, i FROM generate_series(1, 20000) i;
CREATE INDEX ON fact (k);
CREATE TABLE idle (id int);
VACUUM ANALYZE item;
VACUUM ANALYZE fact;
SET max_parallel_workers_per_gather = 0;
SELECT ruvector_enable_neural_dag('item', '{"dag_min_cost": 0}');

\set query 'SELECT count(amount) FROM item JOIN fact ON fact.k = item.k AND fact.id = item.id WHERE x = 7 AND y = 7 AND z = 7;'
:query
:query
:query
:query
:query
:query
:query
:query
:query
:query
:query
:query

SELECT (l ->> 'success')::bool AS success, (l ->> 'trajectories_processed')::int > 0 AS trajectories,
       (l ->> 'patterns_extracted')::int AS patterns, l #> '{training,skipped}' AS skipped, (l ->> 'duration_ms')::float8 > 0 AS duration
FROM ruvector_dag_learn('item') AS l;

SELECT calls, mean_ms < baseline_ms AS faster, speedup > 2 AS speedup, state, plans > 1 AS plans, trials > 0 AS trials,
       query LIKE 'SELECT count(amount)%' AS query
FROM ruvector_dag_queries('item') WHERE query LIKE 'SELECT count(amount)%';

SELECT role, arm, calls > 0 AS calls, mean_ms BETWEEN best_ms AND worst_ms AS mean, est_cost > 0 AS cost, skeleton,
       first_seen <= last_used AS times
FROM ruvector_dag_plans((SELECT queryid FROM ruvector_dag_queries('item') WHERE query LIKE 'SELECT count(amount)%'))
WHERE role IN ('baseline', 'proven') ORDER BY role;

SELECT c -> 'relations' AS relations, c -> 'clauses' AS clauses, c -> 'rows' AS rows
FROM ruvector_dag_plans() AS p, jsonb_array_elements(p.configuration -> 'rows') AS c
WHERE p.role = 'proven' AND c -> 'relations' = '["item"]' AND c ->> 'clauses' LIKE '%x = ?%';

-- for patterns it takes more
SELECT count(*) FROM ruvector_dag_patterns('item');

SELECT relations, clauses, learned, q_error = greatest(estimated / learned, learned / estimated) AS q_error,
       observations > 0 AS observations, updated_at IS NOT NULL AS updated
FROM ruvector_dag_rows('item') WHERE relations = '{item}' AND clauses LIKE '%x = ?%';
SELECT count(*) FROM ruvector_dag_rows('idle');

SELECT count(*) > 5 AS trajectories, bool_and(execution_us > 0 AND rows = 1) AS measured,
       count(attention_type) > 0 AS attention, min(quality) >= 0 AND max(quality) > 0.9 AS quality,
       count(peak_memory_kb) AS not_measured, count(DISTINCT plan_id) AS plans
FROM ruvector_dag_trajectories('item')
WHERE queryid = (SELECT queryid FROM ruvector_dag_queries('item') WHERE query LIKE 'SELECT count(amount)%');
SELECT count(*) FROM ruvector_dag_trajectories('item', max_rows => 3);
SELECT count(*) FROM ruvector_dag_trajectories('item', '0 seconds');
SELECT count(*) FROM ruvector_dag_trajectories('idle');

-- the newest come first
SELECT bool_and(in_order) FROM (
    SELECT recorded_at <= lag(recorded_at, 1, 'infinity') OVER () AS in_order
    FROM ruvector_dag_trajectories()) AS t;

SELECT s -> 'enabled' AS enabled, (s ->> 'queries_processed')::int >= 12 AS queries, (s ->> 'steered')::int > 0 AS steered,
       (s ->> 'trials_won')::int AS won,
       (s ->> 'plans_proven')::int AS proven, (s ->> 'patterns_stored')::int AS patterns,
       (s ->> 'pattern_hit_rate')::float8 BETWEEN 0.01 AND 1 AS hit_rate, (s ->> 'avg_latency_us')::float8 > 0 AS latency,
       (s ->> 'saved_ms')::float8 > 0 AS saved, (s ->> 'background_cycles')::int > 0 AS cycles,
       (s ->> 'last_cycle')::timestamptz <= clock_timestamp() AS last_cycle
FROM ruvector_dag_learning_stats('item') AS s;
SELECT s -> 'enabled' AS enabled, s -> 'queries_processed' AS queries, s -> 'pattern_hit_rate' AS hit_rate,
       s -> 'avg_latency_us' AS latency
FROM ruvector_dag_learning_stats('idle') AS s;

SELECT component, budget_bytes >= allocated_bytes AS budget, allocated_bytes >= peak_bytes AS allocated,
       peak_bytes >= used_bytes AS peak, used_bytes > 0 AS used
FROM ruvector_dag_memory() WHERE component <> 'rings' ORDER BY component;
SELECT sum(budget_bytes) <= pg_size_bytes(current_setting('ruvector.dag_memory_mb')) AS within_cap
FROM ruvector_dag_memory();

SELECT h -> 'healthy' AS healthy, h -> 'issues' AS issues, h -> 'metrics' -> 'errors' AS errors,
       (h -> 'metrics' -> 'plans' ->> 'used')::int > 0 AS plans, (h -> 'buffer' ->> 'capacity')::int > 0 AS capacity,
       h -> 'buffer' -> 'drop_rate' AS drop_rate
FROM ruvector_dag_health_report('item') AS h;
SELECT ruvector_dag_health_report('idle') -> 'issues' AS issues;
SET ruvector.dag_mode = observe;
SELECT ruvector_dag_health_report('item') -> 'issues' AS issues;
SET ruvector.neural_dag_enabled = off;
SELECT ruvector_dag_health_report('item') -> 'issues' AS issues;
SELECT ruvector_dag_learning_stats('item') -> 'enabled' AS enabled;
RESET ALL;
SET search_path = test_learning, public;
SELECT ruvector_disable_neural_dag('item');
SELECT ruvector_dag_health_report() -> 'issues' AS issues;

-- what was learned outlives being switched off, and goes with a reset
SELECT count(*) FROM ruvector_dag_plans() WHERE role = 'proven';
SELECT ruvector_dag_reset('idle');
SELECT count(*) FROM ruvector_dag_plans() WHERE role = 'proven';
SELECT ruvector_dag_reset('item', keep_patterns => true) > 0 AS removed;
SELECT count(*) FROM ruvector_dag_rows('item');
SELECT role, count(*) FROM ruvector_dag_plans() GROUP BY role ORDER BY role;
SELECT count(*) FROM ruvector_dag_queries('item');
SELECT count(*) FROM ruvector.dag_plans WHERE role = 2;
SELECT ruvector_dag_reset('item') > 0 AS removed;
SELECT count(*) FROM ruvector_dag_plans();
SELECT count(*) FROM ruvector_dag_queries('item');
SELECT count(*) FROM ruvector_dag_trajectories('item');
SELECT count(*) FROM ruvector.dag_classes WHERE relations && ARRAY['item'::regclass::oid];
SELECT ruvector_dag_reset() >= 0 AS everything;
SELECT (SELECT count(*) FROM ruvector_dag_queries() WHERE query NOT LIKE '%ruvector_%')
     + (SELECT count(*) FROM ruvector_dag_plans()) + (SELECT count(*) FROM ruvector_dag_rows()) AS in_memory,
       (SELECT count(*) FROM ruvector.dag_classes) + (SELECT count(*) FROM ruvector.dag_instances)
     + (SELECT count(*) FROM ruvector.dag_plans) + (SELECT count(*) FROM ruvector.dag_row_knowledge) AS in_tables;

UPDATE ruvector.dag_arms SET enabled = true;
SET client_min_messages = warning;
DROP SCHEMA test_learning CASCADE;
