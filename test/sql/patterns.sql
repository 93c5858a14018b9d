-- Patterns: clusters of stock plans and what did best for them; how they are
-- made, merged, shown, used for statements never seen, and forgotten.  The
-- better plan is some twenty times as fast, so that noise does not decide.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;
CREATE SCHEMA test_patterns;
SET search_path = test_patterns, public;
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
-- one arm, so that it does not depend on draws what is tried when
UPDATE ruvector.dag_arms SET enabled = arm_id = 1;
SELECT ruvector_dag_reset() >= 0 AS fresh;

-- x, y and z say the same, which the server takes for a coincidence
CREATE TABLE item (id int, x int, y int, z int, k int);
INSERT INTO item SELECT i, i % 50, i % 50, i % 50, 3 FROM generate_series(1, 20000) i;
CREATE TABLE fact (k int, id int, amount int);
INSERT INTO fact SELECT i / 1000, i % 1000 * 50 + 7, i FROM generate_series(1, 20000) i;
CREATE INDEX ON fact (k);
CREATE TABLE idle (id int);
VACUUM ANALYZE item;
VACUUM ANALYZE fact;
SELECT ruvector_enable_neural_dag(NULL, '{"dag_min_cost": 0, "dag_regret_limit": 1}');

-- none yet
SELECT * FROM ruvector_dag_patterns();
SELECT ruvector_dag_extract_patterns();
SELECT ruvector_dag_consolidate_patterns();

-- many statements, each run until its plan is decided
\set ECHO none
\o /dev/null
SELECT format('SELECT count(amount) FROM item JOIN fact ON fact.k = item.k AND fact.id = item.id WHERE x = %1$s AND y = %1$s AND z = %1$s', i)
FROM generate_series(5, 24) i, generate_series(1, 6) \gexec
\o
\set ECHO all
SELECT count(*) > 10 AS proven FROM ruvector_dag_plans() WHERE role = 'proven';
SELECT ruvector_dag_extract_patterns() > 0 AS patterns;
SELECT l #> '{training,skipped}' AS skipped, (l ->> 'patterns_extracted')::int > 0 AS patterns
FROM ruvector_dag_learn() AS l;

SELECT table_names, cardinality(centroid) AS centroid,
       (SELECT abs(sum(c::float8 * c) - 1) < 1e-5 FROM unnest(centroid) AS c) AS unit,
       attention_type IN ('topological', 'causal_cone', 'critical_path', 'mincut_gated', 'hierarchical_lorentz', 'parallel_branch',
           'temporal_btsp', 'ensemble') AS attention, confidence > 0.5 AS confidence,
       sample_count > 10 AS samples, avg_latency_us < baseline_latency_us AS latency, speedup > 2 AS speedup,
       avg_quality BETWEEN 0 AND 1 AS quality, configuration -> 'learned_rows' AS learned_rows,
       (configuration ->> 'verified_runs')::int > 3 AS verified, (configuration ->> 'tightness')::float8 > 0.9 AS tight,
       (configuration ->> 'usual_join_error')::float8 > 0 AS join_error, example_query LIKE 'SELECT count(amount)%' AS example,
       updated_at <= clock_timestamp() AS updated
FROM ruvector_dag_patterns('item') ORDER BY confidence DESC LIMIT 1;
SELECT count(*) FROM ruvector_dag_patterns('idle');
SELECT count(*) = count(DISTINCT pattern_id) AS different FROM ruvector_dag_patterns();
SELECT (s ->> 'patterns_stored')::int = (SELECT count(*) FROM ruvector_dag_patterns()) AS stored,
       (s #>> '{neural,patterns}')::int = (s ->> 'patterns_stored')::int AS same, (s #>> '{neural,training_cycles}')::int AS cycles,
       (s #>> '{neural,model_samples}')::int > 50 AS samples, s #> '{neural,available}' AS available
FROM ruvector_dag_learning_stats() AS s;
SELECT key FROM jsonb_object_keys(ruvector_dag_learning_stats() -> 'neural') AS key ORDER BY key COLLATE "C";
SELECT ruvector_dag_learning_stats('item') ? 'neural' AS of_a_table;

-- a class never seen, whose plan is one of these: its first run is a trial
SELECT sum(amount) FROM item JOIN fact ON fact.k = item.k AND fact.id = item.id WHERE x = 33 AND y = 33 AND z = 33;
SELECT (s #>> '{neural,pattern_lookups}')::int > 0 AS looked, (s #>> '{neural,pattern_hits}')::int > 0 AS found,
       (s #>> '{neural,first_run_trials}')::int > 0 AS tried
FROM ruvector_dag_learning_stats() AS s;
SELECT calls, trials, abandoned_trials FROM ruvector_dag_queries() WHERE query LIKE 'SELECT sum(amount)%';
-- a pattern counts only where it is similar enough
SELECT (s #>> '{neural,pattern_hits}')::int AS hits FROM ruvector_dag_learning_stats() AS s \gset
SET ruvector.dag_similarity = 1;
SELECT max(amount) FROM item JOIN fact ON fact.k = item.k AND fact.id = item.id WHERE x = 33 AND y = 33 AND z = 33;
RESET ruvector.dag_similarity;
SELECT (s #>> '{neural,pattern_hits}')::int - :hits AS hits FROM ruvector_dag_learning_stats() AS s;
-- and sure enough
SET ruvector.dag_confidence = 1;
SELECT min(amount) FROM item JOIN fact ON fact.k = item.k AND fact.id = item.id WHERE x = 33 AND y = 33 AND z = 33;
RESET ruvector.dag_confidence;
SELECT (s #>> '{neural,pattern_hits}')::int - :hits AS hits FROM ruvector_dag_learning_stats() AS s;
-- without patterns and memories a first run is no trial
SET ruvector.debug_parts_off = bank, btsp;
SELECT avg(amount) FROM item JOIN fact ON fact.k = item.k AND fact.id = item.id WHERE x = 33 AND y = 33 AND z = 33;
RESET ruvector.debug_parts_off;
SELECT calls, trials FROM ruvector_dag_queries() WHERE query LIKE 'SELECT avg(amount)%';

-- centroid and row errors are for those who may read the tables
CREATE ROLE regress_patterns;
GRANT USAGE ON SCHEMA test_patterns TO regress_patterns;
SET ROLE regress_patterns;
SELECT centroid IS NULL AS centroid, configuration ? 'usual_join_error' AS join_error, example_query, sample_count > 10 AS samples
FROM ruvector_dag_patterns('item') ORDER BY confidence DESC LIMIT 1;
RESET ROLE;
GRANT SELECT ON item, fact TO regress_patterns;
SET ROLE regress_patterns;
SELECT centroid IS NULL AS centroid, configuration ? 'usual_join_error' AS join_error, example_query
FROM ruvector_dag_patterns('item') ORDER BY confidence DESC LIMIT 1;
RESET ROLE;

-- merging leaves one of each configuration where everything is alike
SELECT ruvector_dag_consolidate_patterns(NULL, 0.0001) >= 0 AS merged;
SELECT count(*) <= 2 AS patterns FROM ruvector_dag_patterns();
SELECT ruvector_dag_consolidate_patterns(NULL, 0.0001) AS merged_again;

-- kept by a reset, if wanted
SELECT ruvector_dag_reset(NULL, keep_patterns => true) > 0 AS removed;
SELECT count(*) > 0 AS patterns FROM ruvector_dag_patterns();
SELECT ruvector_dag_reset() > 0 AS removed;
SELECT count(*) FROM ruvector_dag_patterns();

SET client_min_messages = warning;
SELECT ruvector_disable_neural_dag();
DROP SCHEMA test_patterns CASCADE;
DROP ROLE regress_patterns;
