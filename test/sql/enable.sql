-- Switching on and off; who is covered; what invalidates the cache.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;
CREATE SCHEMA test_enable;
SET search_path = test_enable, public;
CREATE TABLE t (id int);
CREATE TABLE u (id int);

-- one table
SELECT ruvector_neural_dag_enabled('t'), ruvector_neural_dag_enabled();
SELECT ruvector_enable_neural_dag('t');
SELECT ruvector_enable_neural_dag('test_enable.t');
SELECT ruvector_neural_dag_enabled('t'), ruvector_neural_dag_enabled('u'), ruvector_neural_dag_enabled();
SELECT relid, config FROM ruvector.dag_tables;
SELECT ruvector_disable_neural_dag('t');
SELECT ruvector_neural_dag_enabled('t');
SELECT ruvector_disable_neural_dag('t');
SELECT ruvector_disable_neural_dag();

-- the whole database
SELECT ruvector_enable_neural_dag();
SELECT ruvector_neural_dag_enabled(), ruvector_neural_dag_enabled('u');
SELECT ruvector_neural_dag_enabled('pg_class'), ruvector_neural_dag_enabled('ruvector.dag_plans'),
       ruvector_neural_dag_enabled('information_schema.sql_features');
SELECT ruvector_disable_neural_dag('u');
SELECT ruvector_disable_neural_dag();
SELECT ruvector_neural_dag_enabled(), ruvector_neural_dag_enabled('u');

-- the master switch
SELECT ruvector_enable_neural_dag('t');
SET ruvector.neural_dag_enabled = off;
SELECT ruvector_neural_dag_enabled('t');
SELECT ruvector_enable_neural_dag('u');
RESET ruvector.neural_dag_enabled;
SELECT ruvector_neural_dag_enabled('t'), ruvector_neural_dag_enabled('u');
SELECT ruvector_disable_neural_dag('t'), ruvector_disable_neural_dag('u');

-- transactional, also within savepoints
BEGIN;
SELECT ruvector_enable_neural_dag('t');
SELECT ruvector_neural_dag_enabled('t');
ROLLBACK;
SELECT ruvector_neural_dag_enabled('t');
BEGIN;
SELECT ruvector_neural_dag_enabled('t');
SAVEPOINT s;
SELECT ruvector_enable_neural_dag('t');
SELECT ruvector_neural_dag_enabled('t');
ROLLBACK TO s;
SELECT ruvector_neural_dag_enabled('t');
COMMIT;
SELECT ruvector_neural_dag_enabled('t');

-- whoever changes the table, the cache follows
INSERT INTO ruvector.dag_tables (relid) VALUES ('t');
SELECT ruvector_neural_dag_enabled('t');
UPDATE ruvector.dag_tables SET relid = 'u';
SELECT ruvector_neural_dag_enabled('t'), ruvector_neural_dag_enabled('u');
DELETE FROM ruvector.dag_tables;
SELECT ruvector_neural_dag_enabled('u');
INSERT INTO ruvector.dag_tables (relid) VALUES ('t');
SELECT ruvector_neural_dag_enabled('t');
TRUNCATE ruvector.dag_tables;
SELECT ruvector_neural_dag_enabled('t');
SET session_replication_role = replica;
INSERT INTO ruvector.dag_tables (relid) VALUES ('t');
RESET session_replication_role;
SELECT ruvector_neural_dag_enabled('t');
SELECT ruvector.dag_tables_changed();

-- a rename changes nothing, a drop removes the row
ALTER TABLE t RENAME TO t2;
SELECT ruvector_neural_dag_enabled('t2');
BEGIN;
DROP TABLE t2;
SELECT count(*) FROM ruvector.dag_tables;
ROLLBACK;
SELECT ruvector_neural_dag_enabled('t2');
DROP TABLE t2;
SELECT count(*) FROM ruvector.dag_tables;

-- partitions and children are covered, as they come and go
CREATE TABLE p (id int) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
CREATE TABLE p11 (id int);
CREATE TABLE base (id int);
CREATE TABLE child () INHERITS (base);
CREATE TABLE later (id int);
SELECT ruvector_enable_neural_dag('p'), ruvector_enable_neural_dag('base');
SELECT ruvector_neural_dag_enabled('p1'), ruvector_neural_dag_enabled('p11'),
       ruvector_neural_dag_enabled('child'), ruvector_neural_dag_enabled('later');
ALTER TABLE p1 ATTACH PARTITION p11 FOR VALUES FROM (0) TO (5);
ALTER TABLE later INHERIT base;
SELECT ruvector_neural_dag_enabled('p11'), ruvector_neural_dag_enabled('later');
SELECT ruvector_disable_neural_dag('p11');
ALTER TABLE p DETACH PARTITION p1;
ALTER TABLE later NO INHERIT base;
SELECT ruvector_neural_dag_enabled('p'), ruvector_neural_dag_enabled('p1'), ruvector_neural_dag_enabled('p11'),
       ruvector_neural_dag_enabled('later');

-- what is not a table users keep data in
CREATE VIEW v AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW mv AS SELECT 1 AS one;
CREATE SEQUENCE s;
CREATE INDEX i ON u (id);
SELECT ruvector_enable_neural_dag('v');
SELECT ruvector_enable_neural_dag('s');
SELECT ruvector_enable_neural_dag('i');
SELECT ruvector_enable_neural_dag('pg_class');
SELECT ruvector_enable_neural_dag('ruvector.dag_tables');
SELECT ruvector_enable_neural_dag('mv');
SELECT ruvector_enable_neural_dag('no_such_table');
SELECT ruvector_enable_neural_dag(4000000000::oid::regclass);
SELECT ruvector_disable_neural_dag(4000000000::oid::regclass);
SELECT ruvector_neural_dag_enabled(4000000000::oid::regclass);

SET client_min_messages = warning;
DROP SCHEMA test_enable CASCADE;
SELECT count(*) FROM ruvector.dag_tables;

-- every function and every table says what it is
SELECT p.oid::regprocedure
FROM pg_proc p
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'ruvector_dag'
WHERE obj_description(p.oid, 'pg_proc') IS NULL AND p.pronamespace <> 'ruvector'::regnamespace;
