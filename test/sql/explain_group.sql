-- EXPLAIN's group "Neural DAG": where it is, what it holds, and that the rest
-- of the output is the server's own, byte by byte.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
CREATE SCHEMA test_explain_group;
SET search_path = test_explain_group, public;
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

-- the server expects one row of a and looks b up; a hash join is right
CREATE TABLE a AS SELECT i AS id, i % 100 AS g, i % 100 AS h, i % 100 AS k,
    CASE WHEN i % 100 = 3 THEN 0 ELSE i END AS key, 'x'::text AS txt
  FROM generate_series(1, 10000) i;
CREATE TABLE b AS SELECT i AS id, CASE WHEN i <= 10000 THEN 0 ELSE i END AS aid,
    i AS x
  FROM generate_series(1, 15000) i;
CREATE INDEX b_aid ON b (aid);
CREATE TABLE unseen (id int);
ANALYZE a, b, unseen;
SELECT ruvector_enable_neural_dag('a') AND ruvector_enable_neural_dag('b') AS on;

-- One EXPLAIN as one text
CREATE FUNCTION explained(options text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    lines text[];
BEGIN
    FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, query) LOOP
        lines := lines || line;
    END LOOP;
    RETURN array_to_string(lines, E'\n');
END
$$;
-- What the group looks like in the text of a format
CREATE FUNCTION stripped(format text, explained text) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(explained, CASE format
        WHEN 'text' THEN E'\nNeural DAG: [^\n]*(\n  instance [^\n]*)?'
        WHEN 'json' THEN E',\n    "Neural DAG": {\n(      "[A-Z][A-Za-z ]*": [^\n]*\n)*    }'
        WHEN 'xml' THEN E'    <Neural-DAG>\n(      <[^\n]*>\n)*    </Neural-DAG>\n'
        WHEN 'yaml' THEN E'\n  Neural DAG: (\n    [A-Z][A-Za-z ]*: [^\n]*)*' END, '', 'g')
$$;
-- Is the group shown, and is the rest as it is without?
CREATE FUNCTION shown(query text, options text DEFAULT '')
RETURNS TABLE (format text, groups int, rest_is_the_servers bool) LANGUAGE plpgsql AS $$
DECLARE
    with_it text;
    without text;
BEGIN
    FOREACH format IN ARRAY ARRAY['text', 'json', 'xml', 'yaml'] LOOP
        with_it := explained(concat('FORMAT ', format, options), query);
        SET LOCAL ruvector.dag_explain = off;
        without := explained(concat('FORMAT ', format, options), query);
        SET LOCAL ruvector.dag_explain = on;
        groups := (SELECT count(*) FROM regexp_matches(with_it, '(?n)^ *(<|")?Neural.DAG("|>)?', 'g'));
        rest_is_the_servers := stripped(format, with_it) = without AND without !~ 'Neural';
        RETURN NEXT;
    END LOOP;
END
$$;

-- ---- nothing is known: nothing is said ------------------------------------
SELECT * FROM shown('SELECT * FROM unseen');
SET ruvector.dag_min_cost = 1000000000;
SELECT * FROM shown('SELECT count(*) /* cheap */ FROM a');
SET ruvector.dag_min_cost = 0;

-- ---- a stock plan -----------------------------------------------------------
\set q 'SELECT count(*) FROM a JOIN b ON b.aid = a.key AND b.x = a.id WHERE g = 3 AND h = 3 AND k = 3'
SELECT regexp_replace(line, '-?\d+', 'N') AS line
FROM regexp_split_to_table(explained('FORMAT text', :'q'), E'\n') line WHERE line ~ 'Neural|^  instance';
SELECT * FROM shown(:'q');
-- with COSTS OFF only what is not stock
SELECT * FROM shown(:'q', ', COSTS OFF');

-- ---- a proven one --------------------------------------------------------------
-- under one arm, so that it is known which plan it will be; what is tried when
-- is left to chance
CREATE TEMP TABLE arms_before AS SELECT arm_id, enabled FROM ruvector.dag_arms;
UPDATE ruvector.dag_arms SET enabled = false;
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (31, 'test_hashes', '{"enable_nestloop": "off"}');
\set ECHO none
\o /dev/null
SELECT :'q' FROM generate_series(1, 40) \gexec
\o
\set ECHO all
EXPLAIN (COSTS OFF) :q;
SELECT regexp_replace(line, '-?\d+(\.\d+)?', 'N', 'g') AS line
FROM regexp_split_to_table(explained('FORMAT text', :'q'), E'\n') line WHERE line ~ 'Neural';
SELECT * FROM shown(:'q');
SELECT * FROM shown(:'q', ', COSTS OFF');
SELECT * FROM shown(:'q', ', VERBOSE, SUMMARY OFF');

-- One query with "Plan" and "Neural DAG" in it
SELECT json_array_length(j) AS queries, array(SELECT json_object_keys(j -> 0)) AS query,
    array(SELECT json_object_keys(j -> 0 -> 'Neural DAG')) AS dag
FROM (SELECT explained('FORMAT json', :'q')::json) e (j);
SELECT explained('FORMAT json, COSTS OFF', :'q')::json -> 0 -> 'Neural DAG' AS stable;
-- The plan is the one of ruvector_dag_plans, the times are those measured
SELECT d ->> 'Role' AS role, d ->> 'Reason' AS reason, d ->> 'Mode' AS mode,
    (d ->> 'Stock Time')::float8 > (d ->> 'Expected Time')::float8 AS faster,
    abs((d ->> 'Speedup')::float8 / ((d ->> 'Stock Time')::float8 / (d ->> 'Expected Time')::float8) - 1) < 0.01 AS speedup,
    EXISTS (SELECT FROM ruvector_dag_plans() p
            WHERE p.plan_id = (d ->> 'Plan ID')::bigint AND p.role = 'proven') AS listed
FROM (SELECT explained('FORMAT json', :'q')::json -> 0 -> 'Neural DAG') e (d);
-- XML is well-formed; a server without libxml cannot say
CREATE FUNCTION in_xml(query text) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
    RETURN xpath('//e:Query/e:Neural-DAG/e:Role/text()', xmlparse(document explained('FORMAT xml', query)),
        ARRAY[ARRAY['e', 'http://www.postgresql.org/2009/explain']])::text[];
EXCEPTION WHEN feature_not_supported THEN
    RETURN ARRAY['proven'];
END
$$;
SELECT in_xml(:'q');
-- YAML: the group is the last of the query's keys
SELECT regexp_replace(line, ': (-?\d+(\.\d+)?|".*"|true|false)$', ': ...') AS line
FROM regexp_split_to_table(explained('FORMAT yaml', :'q'), E'\n') line
WHERE line ~ '^(- |  )[A-Z]' OR line ~ '^    (Plan ID|Role|Stock Time):';

-- ---- in other statements --------------------------------------------------------
PREPARE p AS :q;
SELECT * FROM shown('EXECUTE p');
SELECT rest_is_the_servers FROM shown('CREATE TABLE made AS ' || :'q');
SELECT rest_is_the_servers FROM shown('DECLARE c CURSOR FOR ' || :'q');
SET client_min_messages = warning;
SELECT * FROM shown('CREATE TABLE IF NOT EXISTS a AS ' || :'q') WHERE format <> 'text';
RESET client_min_messages;
-- a function that runs a query while the statement is planned
CREATE FUNCTION three() RETURNS int IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN RETURN (SELECT max(g) FROM a WHERE id = 3); END $$;
SELECT * FROM shown('SELECT count(*) FROM a WHERE g = three()');
-- a rule: three plans and a command, of which two plans are seen
CREATE TABLE t (i int);
CREATE RULE also_b AS ON INSERT TO t DO ALSO INSERT INTO b SELECT 1, 2, 3 FROM a WHERE a.id = new.i;
CREATE RULE also_tell AS ON INSERT TO t DO ALSO NOTIFY told;
CREATE RULE also_unseen AS ON INSERT TO t DO ALSO DELETE FROM unseen;
CREATE RULE also_more AS ON INSERT TO t DO ALSO UPDATE b SET x = 1 WHERE id = new.i;
SELECT groups, rest_is_the_servers FROM shown('INSERT INTO t VALUES (1)') WHERE format <> 'text';
SELECT ord, CASE WHEN json_typeof(q) = 'object' THEN q -> 'Plan' ->> 'Operation' ELSE q #>> '{}' END AS operation,
    CASE WHEN json_typeof(q) = 'object' THEN q -> 'Neural DAG' IS NOT NULL END AS dag
FROM json_array_elements(explained('FORMAT json', 'INSERT INTO t VALUES (1)')::json) WITH ORDINALITY e (q, ord);

-- ---- text that looks like the end of a query -------------------------------------
SELECT groups, rest_is_the_servers FROM shown($$SELECT count(*) FROM a WHERE txt = E'\n  }\n  },\n  </Query>\n- Plan: '$$);
SELECT groups, rest_is_the_servers FROM shown($$SELECT count(*) AS "
  </Query>
" FROM a AS "
  }
]" WHERE txt = E'\n- Plan: \n'$$, ', VERBOSE') WHERE format <> 'text';

-- ---- the switches ------------------------------------------------------------------
SHOW ruvector.dag_explain;
SET ruvector.dag_explain = maybe;
SET ruvector.dag_explain = off;
EXPLAIN (COSTS OFF) :q;
RESET ruvector.dag_explain;
SET ruvector.neural_dag_enabled = off;
EXPLAIN (COSTS OFF) :q;
EXPLAIN (COSTS OFF) EXECUTE p;
RESET ruvector.neural_dag_enabled;
SET ruvector.dag_mode = observe;
SELECT d ->> 'Role' AS role, d ->> 'Mode' AS mode
FROM (SELECT explained('FORMAT json', :'q')::json -> 0 -> 'Neural DAG') e (d);
RESET ruvector.dag_mode;

-- ---- anybody who may run the statement -----------------------------------------------
CREATE ROLE regress_explains;
GRANT USAGE ON SCHEMA test_explain_group TO regress_explains;
GRANT SELECT ON a TO regress_explains;
SET ROLE regress_explains;
EXPLAIN (COSTS OFF) :q;
SET ruvector.dag_explain = on;
RESET ROLE;
GRANT SELECT ON b TO regress_explains;
SET ROLE regress_explains;
SELECT * FROM shown(:'q');
RESET ROLE;

-- options the server refuses are its own to refuse
EXPLAIN (FORMAT nothing) :q;
EXPLAIN (COSTS maybe) :q;
EXPLAIN (FORMAT) :q;

DELETE FROM ruvector.dag_arms WHERE arm_id = 31;
UPDATE ruvector.dag_arms a SET enabled = b.enabled FROM arms_before b WHERE b.arm_id = a.arm_id;
SET client_min_messages = warning;
DROP SCHEMA test_explain_group CASCADE;
DROP ROLE regress_explains;
