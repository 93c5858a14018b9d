-- Which statements are seen, and under which settings.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;
CREATE SCHEMA test_scope;
SET search_path = test_scope, public;
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

CREATE TABLE seen (id int, v int);
CREATE TABLE unseen (id int, v int);
INSERT INTO seen SELECT i, i FROM generate_series(1, 100) i;
INSERT INTO unseen SELECT i, i FROM generate_series(1, 100) i;
CREATE VIEW seen_view AS SELECT id AS vid FROM seen;
CREATE FUNCTION seen_count() RETURNS bigint LANGUAGE plpgsql AS
    'BEGIN RETURN (SELECT count(*) /* plpgsql */ FROM seen); END';
SELECT ruvector_enable_neural_dag('seen', '{"dag_min_cost": 0}');

-- seen
SELECT count(*) /* plain */ FROM seen;
SELECT count(*) /* join */ FROM unseen JOIN seen USING (id);
SELECT count(*) /* subquery */ FROM (SELECT id + 1 FROM seen OFFSET 0) AS s;
WITH w AS MATERIALIZED (SELECT id FROM seen) SELECT count(*) /* cte */ FROM w;
SELECT count(*) /* sublink */ FROM unseen WHERE id IN (SELECT id FROM seen);
SELECT (SELECT max(id) FROM seen) AS target_sublink;
SELECT count(*) /* view */ FROM seen_view;
SELECT seen_count();
SELECT count(*) /* union */ FROM (SELECT id FROM unseen UNION ALL SELECT id FROM seen) AS u;
UPDATE seen SET v = 0 WHERE id = 1;
INSERT INTO unseen SELECT * FROM seen WHERE id = 2;
DELETE FROM unseen USING seen WHERE unseen.id = seen.id AND seen.id = 3;
PREPARE prepared (int) AS SELECT count(*) /* prepared */ FROM seen WHERE id < $1;
EXECUTE prepared(5);

-- not seen
SELECT count(*) /* other table */ FROM unseen;
SELECT count(*) /* no table */ FROM generate_series(1, 3);
EXPLAIN (COSTS OFF) SELECT count(*) /* explain */ FROM seen WHERE id = 4;
SET ruvector.neural_dag_enabled = off;
SELECT count(v) /* switched off */ FROM seen;
RESET ruvector.neural_dag_enabled;

SELECT substring(query FROM '/\* .* \*/|AS target_sublink|UPDATE|INSERT|DELETE') COLLATE "C" AS statement, calls, state
FROM ruvector_dag_queries('seen')
WHERE query NOT LIKE '%ruvector_%' ORDER BY 1;

-- of several tables with overrides, the most careful counts
CREATE TABLE careful (id int, v int);
INSERT INTO careful SELECT i, i FROM generate_series(1, 100) i;
SELECT ruvector_enable_neural_dag('careful', '{"dag_min_cost": 1e9}');
SELECT count(*) /* careful */ FROM careful;
SELECT count(*) /* careful with bold */ FROM careful JOIN seen USING (id);
SELECT count(*) /* bold with careful */ FROM seen s JOIN careful c USING (v);
-- a table that says nothing leaves it to the others
CREATE TABLE silent (id int, v int);
SELECT ruvector_enable_neural_dag('silent');
SELECT count(*) /* silent */ FROM silent;
SELECT count(*) /* silent with bold */ FROM silent JOIN seen USING (id);
SELECT substring(query FROM '/\* .* \*/') COLLATE "C" AS statement, calls, state
FROM ruvector_dag_queries()
WHERE query ~ '/\* .*(careful|silent).* \*/' AND query NOT LIKE '%ruvector_%' ORDER BY 1;

-- with the whole database every user table is seen, but none of the system's
SELECT ruvector_enable_neural_dag(NULL, '{"dag_min_cost": 0}');
SELECT count(*) > 0 /* whole */ AS whole FROM unseen;
SELECT count(*) > 0 /* catalog */ AS catalog FROM pg_class;
SELECT count(*) > 0 /* ours */ AS ours FROM ruvector.dag_tables;
SELECT ruvector_disable_neural_dag();
SELECT substring(query FROM '/\* .* \*/') COLLATE "C" AS statement, state
FROM ruvector_dag_queries()
WHERE query ~ '/\* (whole|catalog|ours) \*/' AND query NOT LIKE '%ruvector_%' ORDER BY 1;

-- a partition is seen through its parent, and the parent through itself
CREATE TABLE part (id int) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (10);
SELECT ruvector_enable_neural_dag('part', '{"dag_min_cost": 0}');
SELECT count(*) /* parent */ FROM part;
SELECT count(*) /* partition */ FROM part1;
SELECT substring(query FROM '/\* .* \*/') COLLATE "C" AS statement, state
FROM ruvector_dag_queries('part')
WHERE query NOT LIKE '%ruvector_%' ORDER BY 1;

-- what is remembered of a table follows its ancestors
CREATE TABLE middle (id int) PARTITION BY RANGE (id);
CREATE TABLE leaf PARTITION OF middle FOR VALUES FROM (10) TO (20);
SELECT min(id) /* before */ FROM leaf;
ALTER TABLE part ATTACH PARTITION middle FOR VALUES FROM (10) TO (20);
SELECT max(id) /* attached */ FROM leaf;
ALTER TABLE part DETACH PARTITION middle;
SELECT sum(id) /* detached */ FROM leaf;
SELECT substring(query FROM '/\* .* \*/') COLLATE "C" AS statement, state
FROM ruvector_dag_queries()
WHERE query ~ 'FROM leaf' AND query NOT LIKE '%ruvector_%' ORDER BY 1;

SET client_min_messages = warning;
DROP SCHEMA test_scope CASCADE;
