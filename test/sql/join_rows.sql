-- Joins of every kind: their rows are counted, and known when the statement is
-- planned again.  How the planner represents outer joins, and which of them
-- it can turn around, differs from version to version.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;
CREATE SCHEMA test_join_rows;
SET search_path = test_join_rows, public;
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

-- x and y say the same, which the server takes for a coincidence
CREATE TABLE p (id int PRIMARY KEY, x int, y int);
INSERT INTO p SELECT i, i % 40, i % 40 FROM generate_series(1, 4000) i;
CREATE TABLE q (id int PRIMARY KEY, p_id int, x int, y int);
INSERT INTO q SELECT i, i / 3, i % 30, i % 30 FROM generate_series(1, 9000) i;
CREATE TABLE r (id int PRIMARY KEY, q_id int, x int, y int);
INSERT INTO r SELECT i, i / 2, i % 20, i % 20 FROM generate_series(1, 6000) i;
CREATE TABLE h (k int, x int, y int) PARTITION BY HASH (k);
CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE h1 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO h SELECT i, i % 30, i % 30 FROM generate_series(1, 3000) i;
CREATE INDEX ON q (p_id);
CREATE INDEX ON r (q_id);
VACUUM ANALYZE p;
VACUUM ANALYZE q;
VACUUM ANALYZE r;
ANALYZE h;
SET max_parallel_workers_per_gather = 0;
SELECT ruvector_enable_neural_dag();
SET ruvector.dag_min_cost = 0;
SET ruvector.dag_mode = observe;

CREATE TABLE asked (n int GENERATED ALWAYS AS IDENTITY, query text);
INSERT INTO asked (query) VALUES
    ('SELECT p.id, q.id FROM p JOIN q ON q.p_id = p.id WHERE q.x = 3 AND q.y = 3'),
    ('SELECT p.id, q.id FROM p LEFT JOIN q ON q.p_id = p.id WHERE p.x = 3 AND p.y = 3'),
    ('SELECT p.id, q.id FROM q RIGHT JOIN p ON q.p_id = p.id AND q.x = q.y WHERE p.x = 4 AND p.y = 4'),
    ('SELECT p.id, q.id, r.id FROM p LEFT JOIN q ON q.p_id = p.id LEFT JOIN r ON r.q_id = q.id WHERE p.x = 5 AND p.y = 5'),
    ('SELECT p.id, q.id, r.id FROM p LEFT JOIN (q JOIN r ON r.q_id = q.id) ON q.p_id = p.id WHERE p.x = 6 AND p.y = 6'),
    ('SELECT p.id, q.id FROM (SELECT * FROM p WHERE x = 7 AND y = 7) p FULL JOIN (SELECT * FROM q WHERE x = 7 AND y = 7) q ON q.p_id = p.id'),
    ('SELECT p.id FROM p WHERE x = 8 AND y = 8 AND EXISTS (SELECT FROM q WHERE q.p_id = p.id)'),
    ('SELECT p.id FROM p WHERE id IN (SELECT p_id FROM q WHERE x = 9 AND y = 9)'),
    ('SELECT p.id FROM p WHERE x = 10 AND y = 10 AND NOT EXISTS (SELECT FROM q WHERE q.p_id = p.id AND q.x = q.y)'),
    ('SELECT q.id FROM q WHERE x = 11 AND y = 11 AND NOT EXISTS (SELECT FROM r WHERE r.q_id = q.id AND r.x = 11)'),
    ('SELECT a.k, b.k FROM h a LEFT JOIN h b ON a.k = b.k AND b.x = 12 AND b.y = 12 WHERE a.x = 12 AND a.y = 12'),
    ('SELECT p.id, c FROM p LEFT JOIN (SELECT p_id, count(*) AS c FROM q WHERE x = y GROUP BY p_id) s ON s.p_id = p.id WHERE p.x = 13 AND p.y = 13'),
    ('SELECT a.id FROM q a JOIN q b ON a.id = b.id WHERE a.x = 14 AND b.y = 14');

CREATE FUNCTION truth(query text) RETURNS bigint LANGUAGE plpgsql SET ruvector.neural_dag_enabled = off AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE 'SELECT count(*) FROM (' || query || ') q' INTO n;
    RETURN n;
END
$$;
CREATE FUNCTION compare() RETURNS TABLE (n int, stock text, learned text) LANGUAGE sql AS $$
    SELECT n, CASE WHEN greatest(postgres_estimate / t, t / postgres_estimate) > 1.3 THEN 'wrong' ELSE 'right' END,
        CASE WHEN learned_estimate IS NULL THEN 'unknown' WHEN greatest(learned_estimate / t, t / learned_estimate) > 1.05 THEN 'wrong' ELSE 'right' END
    FROM asked, truth(query) AS t, ruvector_dag_estimate(query)
    WHERE metric = 'rows' ORDER BY n
$$;
SELECT * FROM compare();
\o /dev/null
SELECT query FROM asked ORDER BY n \gexec
SELECT query FROM asked ORDER BY n \gexec
\o
SELECT * FROM compare();
RESET ALL;

SELECT ruvector_disable_neural_dag();
SELECT ruvector_dag_reset() >= 0 AS clean;
SET client_min_messages = warning;
DROP SCHEMA test_join_rows CASCADE;
