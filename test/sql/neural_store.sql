-- What the neural core keeps: its part of the memory, its tables, what a
-- timed run leaves there, and that a reset takes it away.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;
CREATE SCHEMA test_neural_store;
SET search_path = test_neural_store, public;
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
SELECT ruvector_dag_reset() >= 0 AS forgotten;

-- every part has memory within its budget, and the budgets are the cap
SELECT component, allocated_bytes > 0 AS allocated, budget_bytes >= allocated_bytes AS budget,
       allocated_bytes >= peak_bytes AND peak_bytes >= used_bytes AS used
FROM ruvector_dag_memory() ORDER BY component;
SELECT sum(budget_bytes) = pg_size_bytes(current_setting('ruvector.dag_memory_mb')) AS whole
FROM ruvector_dag_memory();

-- all that is learned is dumped
SELECT relname FROM pg_class
WHERE relnamespace = 'ruvector'::regnamespace AND relkind IN ('r', 'S')
  AND oid <> ALL (SELECT unnest(extconfig) FROM pg_extension WHERE extname = 'ruvector_dag')
ORDER BY relname;

-- runs with per-node times teach the kernels
CREATE TABLE item (id int, x int);
INSERT INTO item SELECT i, i % 50 FROM generate_series(1, 20000) i;
ANALYZE item;
UPDATE ruvector.dag_arms SET enabled = arm_id = 1;
-- what the tests before have left behind, also what is drained every second
SELECT pg_sleep(1.5);
SELECT ruvector_dag_reset() >= 0 AS fresh;
SELECT ruvector_enable_neural_dag('item', '{"dag_min_cost": 0}');
SET ruvector.dag_overhead_limit = 1;
SET max_parallel_workers_per_gather = 0;
SELECT count(*) FROM item AS a JOIN item AS b USING (id) WHERE a.x < 40;
SELECT count(*) FROM item AS a JOIN item AS b USING (id) WHERE a.x < 40;
SELECT count(*) FROM item AS a JOIN item AS b USING (id) WHERE a.x < 40;
SELECT count(*) FROM item AS a JOIN item AS b USING (id) WHERE a.x < 40;
SELECT ruvector_dag_learn() -> 'success' AS learned;
SELECT kind, name, cardinality(score) AS score, cardinality(gain) AS gain, pulls > 0 AS pulls,
       mean BETWEEN 0 AND 1 AS mean, timed_runs > 0 AS timed
FROM ruvector.dag_attention ORDER BY kind;
SELECT abs(sum(exp(log_weight)) - 1) < 1e-9 AS mixture
FROM ruvector.dag_attention WHERE name <> 'ensemble';
SELECT cardinality(selector_n) AS n, cardinality(selector_mean) AS mean, timed_runs > 0 AS timed
FROM ruvector.dag_classes WHERE relations && ARRAY['item'::regclass::oid];
SELECT bool_or(timed > 0) AS timed, bool_and(timed <= observed) AS observed FROM ruvector.dag_plans;

-- executions carry what the latency model is trained on
SELECT bool_and((embedding IS NULL) = (attention IS NULL) AND (embedding IS NULL) = (targets IS NULL)
            AND (embedding IS NULL) = (plan_features IS NULL) AND (embedding IS NULL) = (total_cost IS NULL)
            AND (embedding IS NULL) = (embedding_key IS NULL)) AS together,
       bool_or(embedding IS NOT NULL) AS embedded,
       min(cardinality(embedding)) AS embedding, min(cardinality(targets)) AS targets,
       min(cardinality(plan_features)) AS features,
       bool_and(cardinality(node_self_ms) = cardinality(node_ops)) AS nodes,
       bool_or(0 <= ANY (node_self_ms)) AS timed,
       bool_and(quality BETWEEN 0 AND 1) AS quality
FROM ruvector.dag_trajectories
WHERE queryid IN (SELECT queryid FROM ruvector_dag_queries('item'));
SELECT bool_and(abs((SELECT sum(e * e) FROM unnest(embedding::float8[]) AS e) - 1) < 1e-5) AS unit
FROM ruvector.dag_trajectories WHERE embedding IS NOT NULL;
SELECT bool_and(attention_type IN (SELECT name FROM ruvector.dag_attention)) AS named
FROM ruvector_dag_trajectories('item');

-- enough of them make a model and patterns
DO $$
BEGIN
    FOR i IN 1..120 LOOP
        EXECUTE format('SELECT count(*) FROM item AS a JOIN item AS b USING (id) WHERE a.x < %s', 10 + i % 5);
    END LOOP;
END
$$;
SELECT ruvector_dag_learn() -> 'success' AS learned;
SELECT count(*) > 0 AS patterns, bool_and(relations = ARRAY['item'::regclass::oid]) AS of_item
FROM ruvector.dag_patterns;
SELECT cycle > 0 AS model FROM ruvector.dag_model;

-- one table's reset leaves what all share; everything's takes it
SELECT ruvector_dag_reset('item', keep_patterns => true) > 0 AS removed;
SELECT count(*) > 0 AS patterns FROM ruvector.dag_patterns;
SELECT ruvector_dag_reset('item') > 0 AS removed;
SELECT count(*) FROM ruvector.dag_patterns;
SELECT count(*) FROM ruvector.dag_model;
SELECT count(*) FROM ruvector.dag_attention;
SELECT ruvector_dag_reset() >= 9 AS removed;
SELECT count(*) FROM ruvector.dag_model;
SELECT count(*) FROM ruvector.dag_attention;
SELECT count(*) FROM ruvector.dag_memories;

SET client_min_messages = warning;
DROP SCHEMA test_neural_store CASCADE;
