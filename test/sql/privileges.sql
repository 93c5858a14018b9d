-- Who may see and do what.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;
CREATE ROLE regress_dag_owner;
CREATE ROLE regress_dag_reader;
CREATE ROLE regress_dag_stranger;
CREATE ROLE regress_dag_stats IN ROLE pg_read_all_stats;
CREATE ROLE regress_dag_admin IN ROLE ruvector_dag_admin;
CREATE SCHEMA test_privileges;
GRANT USAGE ON SCHEMA test_privileges TO PUBLIC;
GRANT CREATE ON SCHEMA test_privileges TO regress_dag_owner;
SET search_path = test_privileges, public;
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

-- what PUBLIC may not call
SELECT p.oid::regprocedure
FROM pg_proc p
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'ruvector_dag'
WHERE NOT has_function_privilege('regress_dag_stranger', p.oid, 'EXECUTE')
ORDER BY p.oid::regprocedure::text COLLATE "C";
-- tables and schema are closed
SELECT count(*) FROM pg_class
WHERE relnamespace = 'ruvector'::regnamespace AND relkind IN ('r', 'S')
    AND (has_table_privilege('regress_dag_stranger', oid, 'SELECT')
         OR has_table_privilege('regress_dag_stats', oid, 'SELECT'));
SELECT has_schema_privilege('regress_dag_stranger', 'ruvector', 'USAGE');

-- enabling takes ownership
SET ROLE regress_dag_owner;
CREATE TABLE mine (id int, secret int);
INSERT INTO mine SELECT i, i % 3 FROM generate_series(1, 300) i;
GRANT SELECT ON mine TO regress_dag_reader;
SELECT ruvector_enable_neural_dag('mine', '{"dag_min_cost": 0}');
SELECT ruvector_enable_neural_dag();
SELECT ruvector_disable_neural_dag();
SET ROLE regress_dag_stranger;
SELECT ruvector_enable_neural_dag('mine');
SELECT ruvector_disable_neural_dag('mine');
SELECT ruvector_neural_dag_enabled('mine');
SELECT ruvector_dag_reset();
SELECT ruvector_dag_learn();
SELECT * FROM ruvector.dag_tables;
-- not even with an operator or a table of one's own in the way
SET search_path = test_privileges, public;
RESET ROLE;
GRANT CREATE ON SCHEMA test_privileges TO regress_dag_stranger;
SET ROLE regress_dag_stranger;
CREATE FUNCTION evil_eq(regclass, oid) RETURNS bool LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''called as %'', current_user; END';
CREATE OPERATOR = (LEFTARG = regclass, RIGHTARG = oid, FUNCTION = evil_eq);
CREATE TABLE own (id int);
SELECT ruvector_enable_neural_dag('own');
SELECT ruvector_disable_neural_dag('own');
RESET ROLE;

-- keys of settings that are the superuser's take the right to set them
SET ROLE regress_dag_owner;
SELECT ruvector_enable_neural_dag('mine', '{"dag_mode": "auto"}');
SELECT ruvector_enable_neural_dag('mine', '{"dag_trial_budget": 1}');
SELECT ruvector_enable_neural_dag('mine', '{"dag_regret_limit": 0.5}');
RESET ROLE;
GRANT SET ON PARAMETER ruvector.dag_mode TO regress_dag_owner;
SET ROLE regress_dag_owner;
SELECT ruvector_enable_neural_dag('mine', '{"dag_mode": "auto", "dag_min_cost": 0}');
RESET ROLE;
REVOKE SET ON PARAMETER ruvector.dag_mode FROM regress_dag_owner;

-- the admin role
SET ROLE regress_dag_admin;
SELECT ruvector_enable_neural_dag(NULL, '{"dag_regret_limit": 0.05}');
SELECT ruvector_disable_neural_dag();
SELECT ruvector_enable_neural_dag('mine');
SELECT ruvector_dag_learn() -> 'success' AS learn;
SELECT ruvector_dag_consolidate_patterns() >= 0 AS consolidate;
RESET ROLE;

-- something to see
SET ROLE regress_dag_owner;
SELECT count(*) FROM mine WHERE secret = 1;
SELECT count(*) FROM mine WHERE secret = 1;
RESET ROLE;
SELECT ruvector_dag_learn() -> 'success' AS learn;
CREATE TABLE target AS
SELECT queryid FROM ruvector_dag_queries() WHERE query = 'SELECT count(*) FROM mine WHERE secret = 1;';
GRANT SELECT ON target TO PUBLIC;
CREATE FUNCTION look(OUT query text, OUT skeleton bool, OUT cost bool, OUT rows bigint, OUT trajectories bigint,
    OUT trajectory_rows bigint) LANGUAGE sql AS
$$
    SELECT (SELECT q.query FROM ruvector_dag_queries() AS q JOIN target USING (queryid)),
        (SELECT bool_and(p.skeleton IS NOT NULL) FROM ruvector_dag_plans() AS p JOIN target USING (queryid)),
        (SELECT bool_and(p.est_cost IS NOT NULL) FROM ruvector_dag_plans() AS p JOIN target USING (queryid)),
        (SELECT count(*) FROM ruvector_dag_rows('mine')),
        (SELECT count(*) FROM ruvector_dag_trajectories() AS t JOIN target USING (queryid)),
        (SELECT count(t.rows) FROM ruvector_dag_trajectories() AS t JOIN target USING (queryid))
$$;
SET ROLE regress_dag_owner;
SELECT * FROM look();
SET ROLE regress_dag_reader;
SELECT * FROM look();
SET ROLE regress_dag_stranger;
SELECT * FROM look();
SET ROLE regress_dag_stats;
SELECT * FROM look();
RESET ROLE;

-- a column alone is not enough, and row security hides counts
REVOKE SELECT ON mine FROM regress_dag_reader;
GRANT SELECT (id) ON mine TO regress_dag_reader;
SET ROLE regress_dag_reader;
SELECT * FROM look();
RESET ROLE;
GRANT SELECT ON mine TO regress_dag_reader;
ALTER TABLE mine ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON mine USING (id < 10);
SET ROLE regress_dag_reader;
SELECT * FROM look();
SET ROLE regress_dag_owner;
SELECT * FROM look();
RESET ROLE;

-- a dropped relation is nobody's
DROP FUNCTION look();
CREATE FUNCTION look() RETURNS bigint LANGUAGE sql AS
    'SELECT count(*) FROM ruvector_dag_rows() WHERE ''(dropped)'' = ANY (relations)';
DROP TABLE mine;
SET ROLE regress_dag_owner;
SELECT look();
RESET ROLE;
SELECT look() > 0 AS look;

SELECT ruvector_dag_reset() >= 0 AS clean;
SET client_min_messages = warning;
DROP SCHEMA test_privileges CASCADE;
DROP ROLE regress_dag_owner, regress_dag_reader, regress_dag_stranger, regress_dag_stats, regress_dag_admin;
