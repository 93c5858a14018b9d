-- Tables of one name in two schemas: from 18 on a statement's query id knows
-- tables by their names alone, so that one class may stand for both.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;
CREATE ROLE regress_same_name;
CREATE SCHEMA test_same_name_1;
CREATE SCHEMA test_same_name_2;
GRANT USAGE ON SCHEMA test_same_name_1, test_same_name_2 TO PUBLIC;
CREATE TABLE test_same_name_1.tenant AS SELECT i AS id, i % 10 AS g FROM generate_series(1, 500) i;
CREATE TABLE test_same_name_2.tenant AS SELECT * FROM test_same_name_1.tenant;
CREATE INDEX tenant_secret_idx ON test_same_name_2.tenant (id);
ANALYZE test_same_name_1.tenant, test_same_name_2.tenant;
GRANT SELECT ON test_same_name_1.tenant TO regress_same_name;
SET search_path = test_same_name_1, public;
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
SELECT ruvector_enable_neural_dag();
SET ruvector.dag_min_cost = 0;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_indexonlyscan = off;
-- the very same statement, three times here and three times there
SELECT count(*) FROM tenant WHERE id < 7;
SELECT count(*) FROM tenant WHERE id < 7;
SELECT count(*) FROM tenant WHERE id < 7;
SET search_path = test_same_name_2, public;
SELECT count(*) FROM tenant WHERE id < 7;
SELECT count(*) FROM tenant WHERE id < 7;
SELECT count(*) FROM tenant WHERE id < 7;
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET enable_indexonlyscan;
-- each table has its statement, with its own plans
SELECT count(*) FROM ruvector_dag_queries('test_same_name_1.tenant');
SELECT count(*) FROM ruvector_dag_queries('test_same_name_2.tenant');
SELECT count(DISTINCT plan_id), count(DISTINCT instance) FROM ruvector_dag_plans() WHERE skeleton LIKE '%tenant%';
-- who may read one table sees nothing of the other
SET ROLE regress_same_name;
SELECT count(*) AS leaked FROM ruvector_dag_plans() WHERE skeleton LIKE '%secret%';
RESET ROLE;
GRANT SELECT ON test_same_name_2.tenant TO regress_same_name;
SET ROLE regress_same_name;
SELECT count(*) AS granted FROM ruvector_dag_plans() WHERE skeleton LIKE '%secret%';
RESET ROLE;
SELECT ruvector_disable_neural_dag();
SELECT ruvector_dag_reset() >= 0 AS clean;
SET client_min_messages = warning;
DROP SCHEMA test_same_name_1, test_same_name_2 CASCADE;
DROP ROLE regress_same_name;
