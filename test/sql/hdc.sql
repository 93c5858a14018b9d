-- Codes of plans, and plans of statements given as text.  Codes depend on the
-- numbers of relations: only what holds for any is shown.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;
CREATE TABLE test_hdc (id int PRIMARY KEY, grp int, txt text);
INSERT INTO test_hdc SELECT i, i % 10, 'x' FROM generate_series(1, 2000) AS i;
ANALYZE test_hdc;
CREATE TABLE test_hdc_other (id int PRIMARY KEY, grp int);
INSERT INTO test_hdc_other SELECT i, i % 100 FROM generate_series(1, 2000) AS i;
ANALYZE test_hdc_other;

-- the same plan, whatever its constants; related; unrelated
SELECT length(ruvector_hdc_encode('SELECT 1'));
CREATE TABLE test_codes (name text, code bit(10000));
INSERT INTO test_codes VALUES
    ('one', ruvector_hdc_encode('SELECT * FROM test_hdc WHERE id = 1')),
    ('two', ruvector_hdc_encode('SELECT * FROM test_hdc WHERE id = 2;')),
    ('grouped', ruvector_hdc_encode('SELECT grp, count(*) FROM test_hdc GROUP BY grp')),
    ('sorted', ruvector_hdc_encode('SELECT grp, count(*) FROM test_hdc GROUP BY grp ORDER BY 1')),
    ('other', ruvector_hdc_encode('SELECT h.txt FROM test_hdc h JOIN test_hdc_other o USING (grp) WHERE o.id < 100'));
SELECT a.name, b.name, CASE
        WHEN ruvector_hdc_similarity(a.code, b.code) = 1 THEN 'same'
        WHEN ruvector_hdc_similarity(a.code, b.code) > 0.6 THEN 'related'
        WHEN ruvector_hdc_similarity(a.code, b.code) > 0.4 THEN 'unrelated'
        ELSE 'opposite' END AS similarity
FROM test_codes a JOIN test_codes b
    ON (a.name, b.name) IN (('one', 'two'), ('grouped', 'sorted'), ('one', 'other'))
ORDER BY 1, 2;
SELECT name, ruvector_hdc_similarity(code, code) AS itself,
    ruvector_hdc_similarity(code, ~code) AS opposite,
    length(replace(code::text, '0', '')) BETWEEN 4500 AND 5500 AS balanced
FROM test_codes ORDER BY 1;
-- similarity is the share of equal bits
SELECT bool_and(ruvector_hdc_similarity(a.code, b.code) =
    (1 - length(replace((a.code # b.code)::text, '0', '')) / 10000.0)::real)
FROM test_codes a, test_codes b;

-- never run
SELECT ruvector_hdc_encode('DELETE FROM test_hdc') IS NOT NULL,
    ruvector_hdc_encode('INSERT INTO test_hdc VALUES (0)') IS NOT NULL,
    ruvector_hdc_encode('UPDATE test_hdc SET grp = grp / 0') IS NOT NULL,
    ruvector_hdc_encode('WITH d AS (DELETE FROM test_hdc RETURNING *) SELECT * FROM d') IS NOT NULL,
    ruvector_hdc_encode('MERGE INTO test_hdc t USING test_hdc_other o ON t.id = o.id WHEN MATCHED THEN DELETE') IS NOT NULL,
    ruvector_hdc_encode('VALUES (1), (2)') IS NOT NULL;
SELECT count(*) FROM test_hdc;
SELECT ruvector_hdc_encode(NULL) IS NULL, ruvector_hdc_similarity(NULL, B'1') IS NULL;

-- exactly one statement with a plan, without parameters
SELECT ruvector_hdc_encode('');
SELECT ruvector_hdc_encode(' ; -- nothing');
SELECT ruvector_hdc_encode('SELECT 1; SELECT 2');
SELECT ruvector_hdc_encode('SELEC 1');
SELECT ruvector_hdc_encode('SELECT nothing FROM test_hdc');
SELECT ruvector_hdc_encode('SELECT * FROM test_hdc WHERE id = $1');
SELECT ruvector_hdc_encode('EXPLAIN SELECT 1');
SELECT ruvector_hdc_encode('DECLARE c CURSOR FOR SELECT 1');
SELECT ruvector_hdc_encode('PREPARE p AS SELECT 1');
SELECT ruvector_hdc_encode('SELECT 1 AS x INTO test_new');
SELECT ruvector_hdc_encode('DROP TABLE test_hdc');
CREATE RULE test_nothing AS ON INSERT TO test_hdc_other DO INSTEAD NOTHING;
SELECT ruvector_hdc_encode('INSERT INTO test_hdc_other VALUES (0)');
DROP RULE test_nothing ON test_hdc_other;
CREATE RULE test_also AS ON INSERT TO test_hdc_other
    DO ALSO INSERT INTO test_hdc VALUES (new.id);
SELECT ruvector_hdc_encode('INSERT INTO test_hdc_other VALUES (0)');
DROP RULE test_also ON test_hdc_other;
SELECT ruvector_hdc_similarity(B'101', B'101');
SELECT ruvector_hdc_similarity(code, B'1') FROM test_codes WHERE name = 'one';

-- with the caller's privileges
CREATE ROLE regress_hdc;
GRANT SELECT (id) ON test_hdc TO regress_hdc;
SET ROLE regress_hdc;
SELECT ruvector_hdc_encode('SELECT id FROM test_hdc') IS NOT NULL AS allowed;
SELECT ruvector_hdc_encode('SELECT * FROM test_hdc');
SELECT ruvector_hdc_encode('SELECT id FROM test_hdc WHERE id IN (SELECT id FROM test_hdc_other)');
SELECT ruvector_hdc_encode('DELETE FROM test_hdc');
RESET ROLE;

-- the code after a failure is what it was before; within EXPLAIN as well
SELECT ruvector_hdc_encode('SELECT * FROM test_hdc WHERE id = 3') =
    (SELECT code FROM test_codes WHERE name = 'one') AS same;
EXPLAIN (COSTS OFF) SELECT ruvector_hdc_encode('SELECT 1') IS NOT NULL;

REVOKE ALL ON test_hdc FROM regress_hdc;
DROP ROLE regress_hdc;
DROP TABLE test_codes, test_hdc, test_hdc_other;
