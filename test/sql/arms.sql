-- Arms: what can be written into their table, and what they do to a plan.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;
CREATE SCHEMA test_arms;
SET search_path = test_arms, public;

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

-- those shipped
SELECT arm_id, name, learned_rows, enabled FROM ruvector.dag_arms WHERE shipped ORDER BY arm_id;
CREATE TEMP TABLE arms_before AS SELECT * FROM ruvector.dag_arms;

-- what an arm cannot have
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (20, 'x', '{"shared_buffers": "1GB"}');
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (20, 'x', '{"search_path": "x"}');
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (20, 'x', '{"enable_everything": "on"}');
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (20, 'x', '{"work_mem": "much"}');
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (20, 'x', '{"random_page_cost": -3}');
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (20, 'x', '{"geqo": {"a": 1}}');
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (20, 'x', '{"geqo": null}');
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (20, 'x', '[1]');
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (32, 'x', '{}');
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (0, 'x', '{}');
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (20, 'hash_only', '{}');
INSERT INTO ruvector.dag_arms (arm_id, name, settings)
SELECT 20, 'x', jsonb_object_agg(name, setting) FROM (SELECT name, setting FROM pg_settings
    WHERE name LIKE 'enable\_%' ORDER BY name LIMIT 13) s;
UPDATE ruvector.dag_arms SET settings = '{"port": 1}' WHERE arm_id = 1;
SELECT ruvector.dag_arms_changed();
SELECT ruvector.dag_arm_check();
SELECT count(*) FROM ruvector.dag_arms WHERE arm_id = 20;
DELETE FROM ruvector.dag_arms WHERE arm_id = 9;
TRUNCATE ruvector.dag_arms;
INSERT INTO ruvector.dag_arms (arm_id, name) VALUES (20, 'default');
INSERT INTO ruvector.dag_arms (arm_id, name) VALUES (20, E'two\nlines');
-- names can be swapped
UPDATE ruvector.dag_arms SET name = CASE arm_id WHEN 9 THEN 'as_written' ELSE 'merge_only' END WHERE arm_id IN (9, 10);
UPDATE ruvector.dag_arms SET name = CASE arm_id WHEN 10 THEN 'as_written' ELSE 'merge_only' END WHERE arm_id IN (9, 10);

-- a dump has the rows shipped: they take the place of those there
INSERT INTO ruvector.dag_arms (arm_id, name, settings, learned_rows, enabled, shipped, description)
VALUES (5, 'hash_only', '{"enable_nestloop": "off"}', true, false, true, 'mine');
SELECT settings, learned_rows, enabled, description FROM ruvector.dag_arms WHERE arm_id = 5;
UPDATE ruvector.dag_arms a SET settings = b.settings, learned_rows = b.learned_rows, enabled = b.enabled,
    description = b.description FROM arms_before b WHERE a.arm_id = b.arm_id AND a.arm_id = 5;

-- under an arm
CREATE TABLE t (id int PRIMARY KEY, v int);
INSERT INTO t SELECT i, i FROM generate_series(1, 1000) i;
CREATE TABLE u (tid int, w int);
INSERT INTO u SELECT i, i FROM generate_series(1, 10) i;
ANALYZE t; ANALYZE u;
SELECT ruvector_enable_neural_dag('t');
SET max_parallel_workers_per_gather = 0;
SET ruvector.dag_explain = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM u JOIN t ON t.id = u.tid;
SET ruvector.debug_arm = 'hash_only';
EXPLAIN (COSTS OFF) SELECT count(*) FROM u JOIN t ON t.id = u.tid;
SELECT count(*) FROM u JOIN t ON t.id = u.tid;
SHOW enable_nestloop;
-- an edit is seen at once, and an abort takes it back
BEGIN;
UPDATE ruvector.dag_arms SET settings = '{"enable_nestloop": "off", "enable_hashjoin": "off"}' WHERE name = 'hash_only';
EXPLAIN (COSTS OFF) SELECT count(*) FROM u JOIN t ON t.id = u.tid;
ROLLBACK;
EXPLAIN (COSTS OFF) SELECT count(*) FROM u JOIN t ON t.id = u.tid;
-- an error under an arm leaves the session's settings as they are
SELECT 1 / (count(*) - 10) FROM u JOIN t ON t.id = u.tid;
SHOW enable_nestloop;

-- memory while it runs, within the limit
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (20, 'memory', '{"work_mem": "32MB"}');
CREATE FUNCTION memory_now() RETURNS text STABLE LANGUAGE sql AS $$ SELECT current_setting('work_mem') $$;
SET work_mem = '1MB';
SET ruvector.debug_arm = 'memory';
SELECT memory_now() FROM t WHERE id = 1;
SET ruvector.dag_work_mem_limit = '8MB';
SELECT memory_now() FROM t WHERE id = 1;
SET ruvector.dag_work_mem_limit = '512kB';
SELECT memory_now() FROM t WHERE id = 1;
SET work_mem = '16MB';
SELECT memory_now() FROM t WHERE id = 1;
SHOW work_mem;
RESET ALL;
SET search_path = test_arms, public;

DELETE FROM ruvector.dag_arms WHERE arm_id = 20;
SELECT count(*) FROM (TABLE ruvector.dag_arms EXCEPT TABLE arms_before) changed;
SET client_min_messages = warning;
DROP SCHEMA test_arms CASCADE;
