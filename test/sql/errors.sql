-- Calls that are refused, with their SQLSTATE.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;
CREATE TABLE test_errors (id int);

CREATE FUNCTION test_error(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN sqlstate || ': ' || sqlerrm;
END
$$;

SELECT s AS statement, test_error(s) FROM unnest(ARRAY[
    'SELECT ruvector_dag_learn(''test_errors'')',
    'SET LOCAL ruvector.neural_dag_enabled = off; SELECT ruvector_dag_learn()',
    'SELECT ruvector_dag_learn(4000000000::oid::regclass)',
    'SELECT ruvector_dag_reset(NULL, NULL)',
    'SELECT ruvector_dag_reset(4000000000::oid::regclass)',
    'SELECT ruvector_dag_trajectories(NULL, ''-1 second'')',
    'SELECT ruvector_dag_trajectories(NULL, NULL)',
    'SELECT ruvector_dag_trajectories(NULL, ''1 hour'', NULL)',
    'SELECT ruvector_dag_trajectories(NULL, ''1 hour'', 0)',
    'SELECT ruvector_dag_trajectories(4000000000::oid::regclass)',
    'SELECT ruvector_dag_patterns(4000000000::oid::regclass)',
    'SELECT ruvector_dag_queries(4000000000::oid::regclass)',
    'SELECT ruvector_dag_rows(4000000000::oid::regclass)',
    'SELECT ruvector_dag_config(4000000000::oid::regclass)',
    'SELECT ruvector_dag_learning_stats(4000000000::oid::regclass)',
    'SELECT ruvector_dag_health_report(4000000000::oid::regclass)',
    'SELECT ruvector.dag_on_drop()',
    'SET ruvector.dag_min_cots = 1'
]) AS s;

-- message, detail and hint
SELECT ruvector_dag_learn('test_errors');
SET ruvector.neural_dag_enabled = off;
SELECT ruvector_dag_learn();
RESET ruvector.neural_dag_enabled;

-- no such query class is no error
SELECT count(*) FROM ruvector_dag_plans(1);

DROP TABLE test_errors;
DROP FUNCTION test_error;
