/* ruvector_dag 0.1.0: install script */

-- complain if the script is sourced in psql rather than by CREATE EXTENSION
\echo Use "CREATE EXTENSION ruvector_dag" to load this file. \quit

-- ======================================================================
-- 1. Tables: what was learned, written by the learner
-- ======================================================================

CREATE SCHEMA ruvector;
COMMENT ON SCHEMA ruvector IS 'what ruvector_dag has learned in this database';

-- What is enabled.  A regclass is dumped by name, so that what is enabled
-- survives dump and restore; relid 0 stands for the whole database.
CREATE TABLE ruvector.dag_tables (
    relid       regclass PRIMARY KEY,
    config      jsonb,
    enabled_by  oid DEFAULT (quote_ident(session_user)::regrole::oid),
    enabled_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ruvector.dag_tables IS
    'tables whose statements are learned from; relid 0: all of the database';

-- The steering account (microseconds) and counters of this database.
CREATE TABLE ruvector.dag_account (
    only_row         boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    executed_us      bigint NOT NULL,
    regret_us        bigint NOT NULL,
    saved_us         bigint NOT NULL,
    observed_us      bigint NOT NULL,
    queries          bigint NOT NULL,
    steered          bigint NOT NULL,
    trials           bigint NOT NULL,
    trials_won       bigint NOT NULL,
    trials_abandoned bigint NOT NULL,
    trajectories     bigint NOT NULL
);
COMMENT ON TABLE ruvector.dag_account IS
    'what steering has cost and saved; one row';

-- Arrays "latency" and "baseline": complete runs, runs cut short, mean of ln
-- ms, sum of squared deviations of it, total, best, worst, last ms, largest
-- lower bound.  64-bit hashes are bigint, bit for bit.
CREATE TABLE ruvector.dag_classes (
    queryid          bigint PRIMARY KEY,
    value            real NOT NULL,
    userid           oid NOT NULL,
    flags            bigint NOT NULL,
    calls            bigint NOT NULL,
    total_ms         float8 NOT NULL,
    est_cost         float8 NOT NULL,
    latency          float8[] NOT NULL,
    line             float8[] NOT NULL, -- ln ms on ln cost: n, x, y, xx, xy, yy
    instances        bigint NOT NULL,
    trials           bigint NOT NULL,
    trials_won       bigint NOT NULL,
    trials_abandoned bigint NOT NULL,
    regret_ms        float8 NOT NULL,
    saved_ms         float8 NOT NULL,
    steered          bigint NOT NULL,
    first_seen       timestamptz,
    last_used        timestamptz,
    invalidated      timestamptz,
    relations        oid[] NOT NULL,
    query            text NOT NULL
);
COMMENT ON TABLE ruvector.dag_classes IS 'query classes';

-- state: 0 learning, 1 exploring, 2 settled, 3 cooling
CREATE TABLE ruvector.dag_instances (
    queryid       bigint,
    instance      bigint,
    value         real NOT NULL,
    state         bigint NOT NULL,
    calls         bigint NOT NULL,
    baseline_plan bigint NOT NULL,
    baseline_cost float8 NOT NULL,
    baseline      float8[] NOT NULL,
    best_plan     bigint NOT NULL,      -- 0: the baseline
    trying_plan   bigint NOT NULL,      -- undecided; 0: none
    rounds        bigint NOT NULL,
    fixed_points  bigint NOT NULL,
    demotions     bigint NOT NULL,
    cool_until    bigint NOT NULL,
    next_look     bigint NOT NULL,
    slow_streak   bigint NOT NULL,
    last_used     timestamptz,
    PRIMARY KEY (queryid, instance)
);
COMMENT ON TABLE ruvector.dag_instances IS
    'query classes with one set of constants';

-- role: 0 baseline, 1 candidate, 2 proven, 3 rejected
CREATE TABLE ruvector.dag_plans (
    queryid          bigint,
    instance         bigint,
    plan_id          bigint,
    value            real NOT NULL,
    role             bigint NOT NULL,
    reason           bigint NOT NULL,
    trials           bigint NOT NULL,
    trials_abandoned bigint NOT NULL,
    observed         bigint NOT NULL,
    est_cost         float8 NOT NULL,
    predicted_ms     float8 NOT NULL,
    latency          float8[] NOT NULL,
    ratio            float8[] NOT NULL, -- the same of run / expected baseline
    first_seen       timestamptz,
    last_used        timestamptz,
    role_changed     timestamptz,
    memo_keys        bigint[] NOT NULL, -- the learned rows that make it again
    memo_rows        real[] NOT NULL,
    skeleton         text NOT NULL,
    PRIMARY KEY (queryid, instance, plan_id)
);
COMMENT ON TABLE ruvector.dag_plans IS 'every plan seen or tried';

-- kind: 0 base relation, 1 join, 2 lookup.  Per observation one member of
-- each array, of obs_x six.
CREATE TABLE ruvector.dag_row_knowledge (
    signature     bigint PRIMARY KEY,
    value         real NOT NULL,
    kind          integer NOT NULL,
    sequence      bigint NOT NULL,
    updated_at    timestamptz,
    last_estimate real NOT NULL,
    last_rows     real NOT NULL,
    relations     oid[] NOT NULL,
    clauses       text NOT NULL,
    obs_exact     bigint[] NOT NULL,
    obs_x         real[] NOT NULL,
    obs_y         real[] NOT NULL,
    obs_rows      real[] NOT NULL,
    obs_weight    real[] NOT NULL,
    obs_sequence  bigint[] NOT NULL,
    obs_count     integer[] NOT NULL,
    obs_censored  integer[] NOT NULL
);
COMMENT ON TABLE ruvector.dag_row_knowledge IS
    'what executions taught about numbers of rows';

-- outcome: 0 complete, 1 partial, 2 failed; role as in dag_plans; rows < 0 in
-- node_act_rows: not counted
CREATE TABLE ruvector.dag_trajectories (
    id              bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    queryid         bigint NOT NULL,
    instance        bigint NOT NULL,
    plan_id         bigint NOT NULL,
    recorded_at     timestamptz NOT NULL,
    planning_ms     real NOT NULL,
    execution_ms    real NOT NULL,
    expected_ms     real NOT NULL,
    rows            float8 NOT NULL,
    shared_hit      bigint NOT NULL,
    shared_read     bigint NOT NULL,
    temp_blocks     bigint NOT NULL,
    outcome         smallint NOT NULL,
    role            smallint NOT NULL,
    trial           boolean NOT NULL,
    trial_abandoned boolean NOT NULL,
    node_ops        smallint[] NOT NULL,
    node_depths     smallint[] NOT NULL,
    node_est_rows   real[] NOT NULL,
    node_act_rows   real[] NOT NULL
);
COMMENT ON TABLE ruvector.dag_trajectories IS
    'the last executions above ruvector.dag_min_cost';

SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_tables', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_account', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_classes', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_instances', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_plans', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_row_knowledge', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_trajectories', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_trajectories_id_seq', '');

-- A table that is dropped is no longer enabled.
CREATE FUNCTION ruvector.dag_on_drop() RETURNS event_trigger
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'ruvector_dag_on_drop';
REVOKE ALL ON FUNCTION ruvector.dag_on_drop() FROM PUBLIC;
CREATE EVENT TRIGGER ruvector_dag_on_drop ON sql_drop
    EXECUTE FUNCTION ruvector.dag_on_drop();

-- When this transaction commits, the launcher looks for a new database.
CREATE FUNCTION ruvector.dag_wake_launcher() RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'ruvector_dag_wake_launcher';
REVOKE ALL ON FUNCTION ruvector.dag_wake_launcher() FROM PUBLIC;
SELECT ruvector.dag_wake_launcher();

-- ======================================================================
-- 2. Functions
-- ======================================================================

-- ---- switching on ----------------------------------------------------

CREATE FUNCTION ruvector_enable_neural_dag(tab regclass DEFAULT NULL,
                                           config jsonb DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_enable_neural_dag';
COMMENT ON FUNCTION ruvector_enable_neural_dag(regclass, jsonb) IS
    'learn from and steer statements on a table (NULL: every user table of the database); config replaces the settings overridden for it before';

CREATE FUNCTION ruvector_disable_neural_dag(tab regclass DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_disable_neural_dag';
COMMENT ON FUNCTION ruvector_disable_neural_dag(regclass) IS
    'stop learning from a table (NULL: the whole database); what was learned is kept';

CREATE FUNCTION ruvector_neural_dag_enabled(tab regclass DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_neural_dag_enabled';
COMMENT ON FUNCTION ruvector_neural_dag_enabled(regclass) IS
    'is the table (NULL: the whole database) enabled, and the master switch on?';

CREATE FUNCTION ruvector_dag_config(tab regclass DEFAULT NULL,
        OUT name text, OUT value text, OUT source text)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 20
    AS 'MODULE_PATHNAME', 'ruvector_dag_config';
COMMENT ON FUNCTION ruvector_dag_config(regclass) IS
    'the settings in force and where each comes from: default, file, session, database or table';

CREATE FUNCTION ruvector_dag_reset(tab regclass DEFAULT NULL,
                                   keep_patterns boolean DEFAULT false)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_reset';
COMMENT ON FUNCTION ruvector_dag_reset(regclass, boolean) IS
    'forget what was learned about a table (NULL: everything), except proven plans if keep_patterns; how many rows were removed';

-- Whoever changes the table, backends read it again when that commits.
CREATE FUNCTION ruvector.dag_tables_changed() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'ruvector_dag_tables_changed';
COMMENT ON FUNCTION ruvector.dag_tables_changed() IS
    'tells every backend to read ruvector.dag_tables again';
CREATE TRIGGER dag_tables_changed
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ruvector.dag_tables
    FOR EACH STATEMENT EXECUTE FUNCTION ruvector.dag_tables_changed();
ALTER TABLE ruvector.dag_tables ENABLE ALWAYS TRIGGER dag_tables_changed;

-- ---- seeing what was learned -----------------------------------------

CREATE FUNCTION ruvector_dag_patterns(tab regclass DEFAULT NULL,
        OUT pattern_id bigint, OUT table_names text[], OUT centroid real[],
        OUT attention_type text, OUT confidence real, OUT sample_count integer,
        OUT avg_latency_us float8, OUT baseline_latency_us float8,
        OUT speedup float8, OUT avg_quality float8, OUT configuration jsonb,
        OUT example_query text, OUT updated_at timestamptz)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'ruvector_dag_patterns';
COMMENT ON FUNCTION ruvector_dag_patterns(regclass) IS
    'proven plans; confidence is the probability that the plan is faster than the baseline; NULL stands for what is not measured';

CREATE FUNCTION ruvector_dag_queries(tab regclass DEFAULT NULL,
        OUT queryid bigint, OUT calls bigint, OUT mean_ms float8,
        OUT baseline_ms float8, OUT speedup float8, OUT state text,
        OUT plans integer, OUT trials integer, OUT abandoned_trials integer,
        OUT regret_ms float8, OUT query text)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'ruvector_dag_queries';
COMMENT ON FUNCTION ruvector_dag_queries(regclass) IS
    'query classes; state: counted, learning, exploring, settled, steered or cooling';

CREATE FUNCTION ruvector_dag_plans(queryid bigint DEFAULT NULL,
        OUT queryid bigint, OUT plan_id bigint, OUT role text, OUT arm text,
        OUT configuration jsonb, OUT calls bigint, OUT mean_ms float8,
        OUT stddev_ms float8, OUT best_ms float8, OUT worst_ms float8,
        OUT est_cost float8, OUT skeleton text, OUT first_seen timestamptz,
        OUT last_used timestamptz, OUT instance bigint)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'ruvector_dag_plans';
COMMENT ON FUNCTION ruvector_dag_plans(bigint) IS
    'every distinct plan ever tried, per query class and set of constants (instance)';

CREATE FUNCTION ruvector_dag_rows(tab regclass DEFAULT NULL,
        OUT relations text[], OUT clauses text, OUT estimated float8,
        OUT learned float8, OUT q_error float8, OUT observations integer,
        OUT updated_at timestamptz)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'ruvector_dag_rows';
COMMENT ON FUNCTION ruvector_dag_rows(regclass) IS
    'learned numbers of rows, of relations the caller may read';

CREATE FUNCTION ruvector_dag_trajectories(tab regclass DEFAULT NULL,
        since interval DEFAULT '1 hour', max_rows integer DEFAULT 100,
        OUT trajectory_id bigint, OUT queryid bigint,
        OUT recorded_at timestamptz, OUT plan_id bigint,
        OUT attention_type text, OUT planning_us float8,
        OUT execution_us float8, OUT rows float8, OUT shared_hit bigint,
        OUT shared_read bigint, OUT temp_blks bigint,
        OUT peak_memory_kb bigint, OUT quality float8, OUT predicted_us float8)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_trajectories';
COMMENT ON FUNCTION ruvector_dag_trajectories(regclass, interval, integer) IS
    'single executions, newest first; NULL stands for what is not measured';

CREATE FUNCTION ruvector_dag_learning_stats(tab regclass DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_learning_stats';
COMMENT ON FUNCTION ruvector_dag_learning_stats(regclass) IS
    'counters of learning for a table (NULL: the whole database)';

CREATE FUNCTION ruvector_dag_health_report(tab regclass DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_health_report';
COMMENT ON FUNCTION ruvector_dag_health_report(regclass) IS
    'what stands in the way of learning, with figures';

CREATE FUNCTION ruvector_dag_memory(
        OUT component text, OUT budget_bytes bigint,
        OUT allocated_bytes bigint, OUT used_bytes bigint,
        OUT peak_bytes bigint)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL RESTRICTED ROWS 8
    AS 'MODULE_PATHNAME', 'ruvector_dag_memory';
COMMENT ON FUNCTION ruvector_dag_memory() IS
    'the memory budget, line by line; all databases together';

-- ---- controlling -----------------------------------------------------

CREATE FUNCTION ruvector_dag_learn(tab regclass DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_learn';
COMMENT ON FUNCTION ruvector_dag_learn(regclass) IS
    'ask the learner for a cycle now and wait for it';

-- ======================================================================
-- 3. Who may do what
-- ======================================================================

-- Roles are the cluster's: another database may have made it.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles
                   WHERE rolname = 'ruvector_dag_admin') THEN
        CREATE ROLE ruvector_dag_admin NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;                       -- made at the same moment
END
$$;

-- Schema and tables stay closed: functions show what the caller may see.
REVOKE ALL ON SCHEMA ruvector FROM PUBLIC;
REVOKE ALL ON FUNCTION ruvector.dag_tables_changed() FROM PUBLIC;

-- Functions that check ownership or hide what the caller may not see keep
-- EXECUTE for PUBLIC; these act on what all share.
REVOKE ALL ON FUNCTION ruvector_dag_reset(regclass, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ruvector_dag_reset(regclass, boolean)
    TO ruvector_dag_admin;
REVOKE ALL ON FUNCTION ruvector_dag_learn(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ruvector_dag_learn(regclass) TO ruvector_dag_admin;

-- Overriding these for a table takes the right to set them.
GRANT SET ON PARAMETER ruvector.dag_mode, ruvector.dag_trial_budget,
    ruvector.dag_regret_limit TO ruvector_dag_admin;
