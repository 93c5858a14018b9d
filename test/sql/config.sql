-- Overrides of settings: what is accepted, and what is in force.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
RESET client_min_messages;
CREATE SCHEMA test_config;
SET search_path = test_config, public;
CREATE TABLE orders (id int);
CREATE TABLE other (id int);

-- refused, with the key named
SELECT ruvector_enable_neural_dag('orders', '[]');
SELECT ruvector_enable_neural_dag('orders', '5');
SELECT ruvector_enable_neural_dag('orders', '{"dag_min_costs": 5}');
SELECT ruvector_enable_neural_dag('orders', '{"ruvector.dag_min_cost": 5}');
SELECT ruvector_enable_neural_dag('orders', '{"": 5}');
SELECT ruvector_enable_neural_dag('orders', '{"dag_min_cost": "5"}');
SELECT ruvector_enable_neural_dag('orders', '{"dag_min_cost": -1}');
SELECT ruvector_enable_neural_dag('orders', '{"dag_min_cost": null}');
SELECT ruvector_enable_neural_dag('orders', '{"dag_min_cost": {"dag_mode": "auto"}}');
SELECT ruvector_enable_neural_dag('orders', '{"dag_min_cost": 1e400}');
SELECT ruvector_enable_neural_dag('orders', '{"dag_mode": "loud"}');
SELECT ruvector_enable_neural_dag('orders', '{"dag_mode": ""}');
SELECT ruvector_enable_neural_dag('orders', '{"dag_mode": 1}');
SELECT ruvector_enable_neural_dag('orders', '{"dag_trial_budget": 10.01}');
SELECT ruvector_enable_neural_dag('orders', '{"dag_regret_limit": 1.1}');
SELECT ruvector_enable_neural_dag('orders', '{"dag_min_cost": 5, "dag_regret_limit": []}');
SELECT ruvector_neural_dag_enabled('orders');
DO $$
BEGIN
    PERFORM ruvector_enable_neural_dag('orders', '{"dag_min_costs": 5}');
EXCEPTION WHEN invalid_parameter_value THEN
    RAISE NOTICE 'SQLSTATE %', sqlstate;
END
$$;

-- accepted: ends of the ranges, and an empty object
SELECT ruvector_enable_neural_dag('orders', '{}');
SELECT ruvector_enable_neural_dag('orders',
    '{"dag_min_cost": 0, "dag_trial_budget": 0, "dag_regret_limit": 0, "dag_mode": "observe"}');
SELECT ruvector_enable_neural_dag('orders',
    '{"dag_min_cost": 1e9, "dag_trial_budget": 10, "dag_regret_limit": 1, "dag_mode": "ADVISE"}');
SELECT * FROM ruvector_dag_config('orders') WHERE source = 'table';

-- all settings, by name
SELECT name, value = current_setting(name) AS value FROM ruvector_dag_config() ORDER BY name;

-- the table's over the database's over the session's
SET ruvector.dag_min_cost = 77;
SELECT * FROM ruvector_dag_config() WHERE name = 'ruvector.dag_min_cost';
SELECT ruvector_enable_neural_dag(NULL, '{"dag_min_cost": 88, "dag_mode": "observe"}');
SELECT * FROM ruvector_dag_config() WHERE source = 'database';
SELECT * FROM ruvector_dag_config('other') WHERE source IN ('table', 'database');
SELECT ruvector_enable_neural_dag('orders', '{"dag_min_cost": 99}');
SELECT * FROM ruvector_dag_config('orders') WHERE source IN ('table', 'database');
-- a call without config takes all overrides away
SELECT ruvector_enable_neural_dag('orders');
SELECT * FROM ruvector_dag_config('orders') WHERE source IN ('table', 'database');
SELECT ruvector_disable_neural_dag();
SELECT * FROM ruvector_dag_config('orders') WHERE name = 'ruvector.dag_min_cost';
RESET ruvector.dag_min_cost;

-- nearest ancestor that names a key has the first word
CREATE TABLE parent (id int) PARTITION BY LIST (id);
CREATE TABLE middle PARTITION OF parent FOR VALUES IN (1, 2) PARTITION BY LIST (id);
CREATE TABLE leaf PARTITION OF middle FOR VALUES IN (1);
SELECT ruvector_enable_neural_dag('parent', '{"dag_min_cost": 1, "dag_trial_budget": 1.5}');
SELECT ruvector_enable_neural_dag('middle', '{"dag_min_cost": 2}');
SELECT * FROM ruvector_dag_config('leaf') WHERE source = 'table';
SELECT ruvector_enable_neural_dag('leaf', '{"dag_min_cost": 3}');
SELECT * FROM ruvector_dag_config('leaf') WHERE source = 'table';

-- a config that this version cannot read must not steer
UPDATE ruvector.dag_tables SET config = '{"dag_future": 1}' WHERE relid = 'orders'::regclass;
SELECT * FROM ruvector_dag_config('orders') WHERE source = 'table';

SET client_min_messages = warning;
DROP SCHEMA test_config CASCADE;
SELECT count(*) FROM ruvector.dag_tables;
