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

-- Arms: planner settings under which plans are made and tried.  Edit freely:
-- a plan made under an arm that has changed is no longer used.
CREATE TABLE ruvector.dag_arms (
    arm_id       smallint PRIMARY KEY CHECK (arm_id BETWEEN 1 AND 31),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 63
                     AND name NOT IN ('none', 'default') AND name !~ '[[:cntrl:]]'),
    settings     jsonb NOT NULL DEFAULT '{}',
    learned_rows boolean NOT NULL DEFAULT true,
    enabled      boolean NOT NULL DEFAULT true,
    shipped      boolean NOT NULL DEFAULT false,
    description  text,
    UNIQUE (name) DEFERRABLE INITIALLY DEFERRED -- names may be swapped, also by a dump
);
COMMENT ON TABLE ruvector.dag_arms IS
    'planner settings under which plans are made and tried; yours to edit';
CREATE FUNCTION ruvector.dag_arms_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'ruvector_dag_arms_changed';
REVOKE ALL ON FUNCTION ruvector.dag_arms_changed() FROM PUBLIC;
COMMENT ON FUNCTION ruvector.dag_arms_changed() IS
    'tells every backend to read ruvector.dag_arms again';
CREATE FUNCTION ruvector.dag_arm_check() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'ruvector_dag_arm_check';
REVOKE ALL ON FUNCTION ruvector.dag_arm_check() FROM PUBLIC;
COMMENT ON FUNCTION ruvector.dag_arm_check() IS
    'refuses settings that an arm cannot have';
CREATE TRIGGER dag_arms_changed
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ruvector.dag_arms
    FOR EACH STATEMENT EXECUTE FUNCTION ruvector.dag_arms_changed();
CREATE TRIGGER dag_arm_check
    BEFORE INSERT OR UPDATE OR DELETE ON ruvector.dag_arms
    FOR EACH ROW EXECUTE FUNCTION ruvector.dag_arm_check();
CREATE TRIGGER dag_arm_truncate
    BEFORE TRUNCATE ON ruvector.dag_arms
    FOR EACH STATEMENT EXECUTE FUNCTION ruvector.dag_arm_check();
ALTER TABLE ruvector.dag_arms ENABLE ALWAYS TRIGGER dag_arms_changed;
ALTER TABLE ruvector.dag_arms ENABLE ALWAYS TRIGGER dag_arm_check;
ALTER TABLE ruvector.dag_arms ENABLE ALWAYS TRIGGER dag_arm_truncate;

-- The arms shipped, chosen by measurement: bench/oracle.
INSERT INTO ruvector.dag_arms (arm_id, name, settings, learned_rows, shipped, description) VALUES
    (1, 'learned_rows', '{}', true, true,
     'learned row counts and nothing else'),
    (2, 'no_nestloop_no_index',
     '{"enable_nestloop": "off", "enable_indexscan": "off", "enable_indexonlyscan": "off"}', false, true,
     'joins of whole tables: what helps where lookups are far more than estimated'),
    (3, 'nestloop_cheap_pages',
     '{"enable_hashjoin": "off", "enable_mergejoin": "off", "random_page_cost": 0.3, "seq_page_cost": 0.3}', false, true,
     'lookups one by one, pages taken to be in memory'),
    (4, 'small_cache', '{"effective_cache_size": "8MB", "random_page_cost": 4}', false, true,
     'indexes taken to be on disk'),
    (5, 'hash_only', '{"enable_nestloop": "off", "enable_mergejoin": "off"}', false, true,
     'hash joins only'),
    (6, 'hash_only_64mb',
     '{"enable_nestloop": "off", "enable_mergejoin": "off", "work_mem": "64MB"}', false, true,
     'hash joins only, with more memory within ruvector.dag_work_mem_limit'),
    (7, 'as_written_pages_4',
     '{"join_collapse_limit": 1, "from_collapse_limit": 1, "random_page_cost": 4}', false, true,
     'joins in the order the statement has, indexes dear'),
    (8, 'no_hash_no_seqscan', '{"enable_hashjoin": "off", "enable_seqscan": "off"}', false, true,
     'indexes wherever there is one, no hash joins'),
    (9, 'merge_only', '{"enable_nestloop": "off", "enable_hashjoin": "off"}', false, true,
     'merge joins only'),
    (10, 'as_written', '{"join_collapse_limit": 1, "from_collapse_limit": 1}', false, true,
     'joins in the order the statement has'),
    (11, 'no_indexscan', '{"enable_indexscan": "off", "enable_indexonlyscan": "off"}', false, true,
     'no index scans, bitmaps allowed'),
    (12, 'no_hashjoin', '{"enable_hashjoin": "off"}', false, true,
     'no hash joins'),
    (13, 'learned_hash_only',
     '{"enable_nestloop": "off", "enable_mergejoin": "off"}', true, true,
     'learned row counts, hash joins only'),
    (14, 'join_search_wide',
     '{"join_collapse_limit": 20, "from_collapse_limit": 20, "geqo": "off"}', true, true,
     'learned row counts, and all orders of joins searched'),
    (15, 'parallel',
     '{"parallel_setup_cost": 0, "parallel_tuple_cost": 0, "min_parallel_table_scan_size": 0}', false, true,
     'parallel workers as soon as the session may have them'),
    (16, 'no_parallel', '{"max_parallel_workers_per_gather": 0}', false, true,
     'no parallel workers'),
    (17, 'no_jit', '{"jit": "off"}', false, true,
     'nothing compiled');

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
    pinned_plan      bigint NOT NULL DEFAULT 0,   -- 0: none
    pinned_instance  bigint NOT NULL DEFAULT 0,   -- where it was seen
    arm_n            bigint[] NOT NULL, -- per arm: outcomes, mean of ln(time / baseline)
    arm_mean         real[] NOT NULL,
    custom           float8[] NOT NULL, -- prepared statements: planning and run of
    generic          float8[] NOT NULL, -- custom plans, runs of generic ones
    custom_planning_ms float8 NOT NULL,
    selector_n       bigint[] NOT NULL, -- per kernel: times rewarded
    selector_mean    real[] NOT NULL,   -- and the mean of the rewards
    timed_runs       bigint NOT NULL,
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
    arms_planned  bigint NOT NULL,      -- bits of arms
    failed_rounds bigint NOT NULL,      -- executions in a row whose trials all failed
    lost          bigint NOT NULL,      -- candidates that did
    waiting       bigint NOT NULL,      -- times a plan to be tried was offered in vain
    planning_ms   float8 NOT NULL,      -- of the stock plan
    explored_ms   float8 NOT NULL,      -- spent on planning candidates
    drift_n       bigint NOT NULL,      -- Page-Hinkley test of its time
    drift_mean    float8 NOT NULL,
    drift_sum     float8 NOT NULL,
    drift_min_sum float8 NOT NULL,
    world         bigint NOT NULL,      -- indexes of its tables, and arms, hashed
    world_pages   float8 NOT NULL,      -- size of its tables
    world_changed timestamptz,
    flips         bigint NOT NULL,      -- changes of plan by the server held back
    trigger       text NOT NULL,        -- of the last one
    candidate_plans     bigint[] NOT NULL,
    candidate_arms      integer[] NOT NULL,
    candidate_trials    integer[] NOT NULL,
    candidate_predicted real[] NOT NULL, -- ln(time / baseline), by the model
    candidate_sd        real[] NOT NULL,
    candidate_corrected real[] NOT NULL, -- largest |ln(learned / estimated rows)|
    candidate_cut       real[] NOT NULL, -- stopped at that time / baseline
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
    timed            bigint NOT NULL,
    est_cost         float8 NOT NULL,
    predicted_ms     float8 NOT NULL,
    latency          float8[] NOT NULL,
    ratio            float8[] NOT NULL, -- the same of run / expected baseline
    first_seen       timestamptz,
    last_used        timestamptz,
    role_changed     timestamptz,
    history_roles    integer[] NOT NULL DEFAULT '{}', -- the last changes of role, oldest first
    history_reasons  integer[] NOT NULL DEFAULT '{}',
    history_times    bigint[] NOT NULL DEFAULT '{}', -- microseconds since 2000-01-01
    arm              integer NOT NULL DEFAULT 0, -- of dag_arms, 0: none
    memo_joins       integer[] NOT NULL DEFAULT '{}', -- the order of joins that makes it again
    memo_keys        bigint[] NOT NULL, -- and the learned rows
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

-- kind: 0 a plan that was far too slow, 1 a stock plan that a faster one was
-- proven against; plan_id: the slow plan, or the proven one.  cue: the code,
-- 10,000 bits.
CREATE TABLE ruvector.dag_memories (
    kind      bigint,
    queryid   bigint,
    plan_id   bigint,
    value     real NOT NULL,
    seen      bigint NOT NULL,
    log_ratio real NOT NULL,            -- ln(time / expected time)
    ms        real NOT NULL,
    at        timestamptz,
    cue       bytea NOT NULL,
    PRIMARY KEY (kind, queryid, plan_id)
);
COMMENT ON TABLE ruvector.dag_memories IS
    'plans remembered because their run surprised';

-- A row for each attention kernel; the ensemble has no weights of its own.
CREATE TABLE ruvector.dag_attention (
    kind       smallint PRIMARY KEY,
    name       text NOT NULL,
    score      real[] NOT NULL,
    gain       real[] NOT NULL,
    pulls      bigint NOT NULL,         -- times rewarded, all classes
    mean       real NOT NULL,           -- of the rewards
    log_weight float8 NOT NULL,         -- in the ensemble
    timed_runs bigint NOT NULL
);
COMMENT ON TABLE ruvector.dag_attention IS
    'what the attention kernels have learned';

-- outcome: 0 complete, 1 partial, 2 failed; role as in dag_plans; rows < 0 in
-- node_act_rows: not counted; ms < 0 in node_self_ms: not timed.  From
-- attention on NULL if the plan was not embedded; NaN in targets: not
-- observed.
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
    node_act_rows   real[] NOT NULL,
    node_self_ms    real[],
    quality         real,               -- against expected_ms; NULL: not known
    predicted_ms    real,               -- before the run; 0: not predicted
    attention       smallint,           -- kernel, as in dag_attention
    total_cost      float8,
    embedding_key   bigint,
    targets         real[],
    plan_features   real[],
    embedding       real[]
);
COMMENT ON TABLE ruvector.dag_trajectories IS
    'the last executions above ruvector.dag_min_cost';
-- floats hardly compress: do not even try
ALTER TABLE ruvector.dag_trajectories ALTER COLUMN embedding SET STORAGE EXTERNAL;

-- Clusters of stock plans with the configuration that did best on them: 0 the
-- stock plan, 1 a plan with learned rows.  ratio: ln(time / stock plan's).
CREATE TABLE ruvector.dag_patterns (
    id             bigint PRIMARY KEY,
    configuration  integer NOT NULL,
    samples        bigint NOT NULL,     -- runs of members
    verified       bigint NOT NULL,     -- runs that the ratio rests on
    tightness      real NOT NULL,       -- norm of the members' mean
    mean_ratio     real NOT NULL,
    ratio_variance real NOT NULL,
    quality        real NOT NULL,
    latency_ms     real NOT NULL,
    baseline_ms    real NOT NULL,
    inflate        real NOT NULL,       -- ln(true / estimated rows) of joins
    attention      smallint NOT NULL,   -- kernel, as in dag_attention
    relations      oid[] NOT NULL,
    example        bigint NOT NULL,     -- queryid
    updated_at     timestamptz NOT NULL,
    centroid       real[] NOT NULL
);
COMMENT ON TABLE ruvector.dag_patterns IS
    'what worked for which kind of plan';

-- The latency model and what its training keeps, as they lie in memory;
-- checksum: CRC-32C of the three.  What does not match is learned again.
CREATE TABLE ruvector.dag_model (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version         integer NOT NULL,
    cycle           bigint NOT NULL,
    last_trajectory bigint NOT NULL,    -- trained on up to this id
    next_pattern    bigint NOT NULL,
    model           bytea NOT NULL,
    trainer         bytea NOT NULL,
    workload        bytea,              -- bundle of the last cycle's codes
    checksum        bigint NOT NULL
);
COMMENT ON TABLE ruvector.dag_model IS
    'the latency model; one row';

SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_tables', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_arms', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_account', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_classes', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_instances', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_plans', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_row_knowledge', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_memories', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_attention', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_trajectories', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_patterns', '');
SELECT pg_catalog.pg_extension_config_dump('ruvector.dag_model', '');
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

-- ---- an administrator's word ------------------------------------------

CREATE FUNCTION ruvector_dag_pin(queryid bigint, plan_id bigint)
    RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_pin';
COMMENT ON FUNCTION ruvector_dag_pin(bigint, bigint) IS
    'hold a query class to one of its plans; false: it was already';

CREATE FUNCTION ruvector_dag_unpin(queryid bigint)
    RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_unpin';
COMMENT ON FUNCTION ruvector_dag_unpin(bigint) IS
    'give a query class back to the learner; false: it was not pinned';

CREATE FUNCTION ruvector_dag_block(queryid bigint)
    RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_block';
COMMENT ON FUNCTION ruvector_dag_block(bigint) IS
    'never steer this query class: stock plans, counted only; false: it was blocked already';

CREATE FUNCTION ruvector_dag_unblock(queryid bigint)
    RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_unblock';
COMMENT ON FUNCTION ruvector_dag_unblock(bigint) IS
    'let a query class be steered again; false: it was not blocked';

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
    'clusters of similar plans and what did best for them; confidence at similarity 1; NULL: not measured, or not for the caller';

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
        OUT last_used timestamptz, OUT instance bigint,
        OUT state text, OUT history jsonb)
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

CREATE FUNCTION ruvector_dag_extract_patterns(tab regclass DEFAULT NULL,
                                              num_clusters integer DEFAULT NULL)
    RETURNS integer
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_extract_patterns';
COMMENT ON FUNCTION ruvector_dag_extract_patterns(regclass, integer) IS
    'ask for a cycle with that many clusters (NULL: ruvector.dag_pattern_clusters); how many patterns there are then';

CREATE FUNCTION ruvector_dag_consolidate_patterns(tab regclass DEFAULT NULL,
        similarity_threshold real DEFAULT 0.95)
    RETURNS integer
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_consolidate_patterns';
COMMENT ON FUNCTION ruvector_dag_consolidate_patterns(regclass, real) IS
    'merge patterns of one configuration that are at least so similar; how many went';

-- ---- looking at a statement -------------------------------------------

CREATE FUNCTION ruvector_dag_attention(query text,
        attention_type text DEFAULT 'auto',
        OUT node_id integer, OUT operator text, OUT weight real)
    RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_attention';
COMMENT ON FUNCTION ruvector_dag_attention(text, text) IS
    'share of the work each operator is expected to have; node_id: place in EXPLAIN, from 0';

CREATE FUNCTION ruvector_dag_critical_path(query text,
        OUT path_position integer, OUT node_id integer, OUT operator text,
        OUT accumulated_cost float8, OUT attention_weight real)
    RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_critical_path';
COMMENT ON FUNCTION ruvector_dag_critical_path(text) IS
    'the chain of operators with the most expected work, from its leaf to the root';

CREATE FUNCTION ruvector_dag_bottlenecks(query text,
        threshold real DEFAULT 0.5,
        OUT node_id integer, OUT operator text, OUT relation text,
        OUT bottleneck_score real, OUT impact_estimate real,
        OUT suggested_action text)
    RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_bottlenecks';
COMMENT ON FUNCTION ruvector_dag_bottlenecks(text, real) IS
    'operators that dominate what feeds them; impact: share of the expected time';

CREATE FUNCTION ruvector_dag_mincut_analysis(query text)
    RETURNS jsonb
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_mincut_analysis';
COMMENT ON FUNCTION ruvector_dag_mincut_analysis(text) IS
    'minimum cut and time frontier of a statement''s plan';

CREATE FUNCTION ruvector_dag_mincut_analysis(tab regclass)
    RETURNS jsonb
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_mincut_analysis_table';
COMMENT ON FUNCTION ruvector_dag_mincut_analysis(regclass) IS
    'the same of the statement on a table that took most time so far';

CREATE FUNCTION ruvector_dag_mincut_criticality(tab regclass,
        OUT node_id bigint, OUT criticality real, OUT is_bottleneck boolean)
    RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_mincut_criticality';
COMMENT ON FUNCTION ruvector_dag_mincut_criticality(regclass) IS
    'criticality of each operator of the statement on a table that took most time so far';

CREATE FUNCTION ruvector_dag_estimate(query text,
        OUT metric text, OUT postgres_estimate float8,
        OUT learned_estimate float8, OUT confidence real)
    RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_estimate';
COMMENT ON FUNCTION ruvector_dag_estimate(text) IS
    'what the server expects of a statement and what was learned; NULL: nothing yet';

CREATE FUNCTION ruvector_dag_explain(query text)
    RETURNS jsonb
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_explain';
COMMENT ON FUNCTION ruvector_dag_explain(text) IS
    'the decision about a statement, step by step: what is known of it, which plan would run, and why; the statement is not run';

CREATE FUNCTION ruvector.dag_embedding(query text,
        attention_type text DEFAULT 'auto',
        OUT plan_id bigint, OUT total_cost float8,
        OUT plan_features real[], OUT embedding real[])
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'ruvector_dag_embedding';
REVOKE ALL ON FUNCTION ruvector.dag_embedding(text, text) FROM PUBLIC;
COMMENT ON FUNCTION ruvector.dag_embedding(text, text) IS
    'the plan of a statement as the latency model and the patterns see it';

CREATE FUNCTION ruvector_dag_latency(
        OUT operation text, OUT calls bigint, OUT p50_us float8,
        OUT p95_us float8, OUT p99_us float8, OUT max_us float8,
        OUT target_us float8)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL RESTRICTED ROWS 12
    AS 'MODULE_PATHNAME', 'ruvector_dag_latency';
COMMENT ON FUNCTION ruvector_dag_latency() IS
    'how long the extension''s own operations take, since the server started';

-- ---- attention kernels on vectors ------------------------------------

CREATE FUNCTION ruvector_attention_topological(query real[],
        ancestors real[][], config jsonb DEFAULT NULL)
    RETURNS real[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'ruvector_attention_topological';
COMMENT ON FUNCTION ruvector_attention_topological(real[], real[], jsonb) IS
    'weights of ancestors by similarity to the query, fading by position; config: decay_rate, temperature';

CREATE FUNCTION ruvector_attention_causal_cone(query real[],
        ancestors real[][], depths integer[], decay_rate real DEFAULT 0.1,
        max_depth integer DEFAULT 10)
    RETURNS real[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'ruvector_attention_causal_cone';
COMMENT ON FUNCTION ruvector_attention_causal_cone(real[], real[], integer[], real, integer) IS
    'weights of ancestors by similarity, fading by depth and none beyond max_depth';

CREATE FUNCTION ruvector_attention_critical_path(query real[],
        ancestors real[][], is_critical boolean[], boost real DEFAULT 1.5)
    RETURNS real[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'ruvector_attention_critical_path';
COMMENT ON FUNCTION ruvector_attention_critical_path(real[], real[], boolean[], real) IS
    'weights of ancestors by similarity, those on the critical path boosted';

CREATE FUNCTION ruvector_attention_mincut_gated(query real[],
        ancestors real[][], criticalities real[], threshold real DEFAULT 0.5)
    RETURNS real[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'ruvector_attention_mincut_gated';
COMMENT ON FUNCTION ruvector_attention_mincut_gated(real[], real[], real[], real) IS
    'weights of ancestors by similarity, halved below a criticality';

CREATE FUNCTION ruvector_attention_hierarchical_lorentz(query real[],
        ancestors real[][], depths integer[], curvature real DEFAULT -1.0,
        temperature real DEFAULT 1.0)
    RETURNS real[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'ruvector_attention_hierarchical_lorentz';
COMMENT ON FUNCTION ruvector_attention_hierarchical_lorentz(real[], real[], integer[], real, real) IS
    'weights of ancestors by nearness in hyperbolic space, deeper ones further out';

CREATE FUNCTION ruvector_attention_parallel_branch(query real[],
        ancestors real[][], parallel_nodes real[][],
        common_ancestor_mask boolean[], cross_weight real DEFAULT 0.5,
        common_boost real DEFAULT 2.0)
    RETURNS real[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'ruvector_attention_parallel_branch';
COMMENT ON FUNCTION ruvector_attention_parallel_branch(real[], real[], real[], boolean[], real, real) IS
    'weights of ancestors by similarity to the query and, through parallel nodes, to its siblings';

CREATE FUNCTION ruvector_attention_temporal_btsp(query real[],
        ancestors real[][], timestamps float8[],
        window_ms real DEFAULT 50.0, boost real DEFAULT 1.5)
    RETURNS real[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'ruvector_attention_temporal_btsp';
COMMENT ON FUNCTION ruvector_attention_temporal_btsp(real[], real[], float8[], real, real) IS
    'weights of ancestors by similarity, fading with age, boosted within the window; timestamps in ms';

CREATE FUNCTION ruvector_attention_ensemble(query real[],
        ancestors real[][], attention_types text[],
        weights real[] DEFAULT NULL)
    RETURNS real[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'ruvector_attention_ensemble';
COMMENT ON FUNCTION ruvector_attention_ensemble(real[], real[], text[], real[]) IS
    'convex mixture of kernels by name, each with its defaults; weights NULL: equal';

-- Bit strings have no length in a function's signature: it is 10,000.
CREATE FUNCTION ruvector_hdc_encode(query text)
    RETURNS bit
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'ruvector_hdc_encode';
COMMENT ON FUNCTION ruvector_hdc_encode(text) IS
    'hyperdimensional code, 10,000 bits, of the plan of one statement, which is not run';

CREATE FUNCTION ruvector_hdc_similarity(a bit, b bit)
    RETURNS real
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'ruvector_hdc_similarity';
COMMENT ON FUNCTION ruvector_hdc_similarity(bit, bit) IS
    'share of equal bits of two codes: 1 the same, about 0.5 unrelated';

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
REVOKE ALL ON FUNCTION ruvector_dag_extract_patterns(regclass, integer)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ruvector_dag_extract_patterns(regclass, integer)
    TO ruvector_dag_admin;
REVOKE ALL ON FUNCTION ruvector_dag_consolidate_patterns(regclass, real)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ruvector_dag_consolidate_patterns(regclass, real)
    TO ruvector_dag_admin;

-- Overriding these for a table takes the right to set them.
GRANT SET ON PARAMETER ruvector.dag_mode, ruvector.dag_trial_budget,
    ruvector.dag_regret_limit TO ruvector_dag_admin;
REVOKE ALL ON FUNCTION ruvector_dag_pin(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ruvector_dag_pin(bigint, bigint) TO ruvector_dag_admin;
REVOKE ALL ON FUNCTION ruvector_dag_unpin(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ruvector_dag_unpin(bigint) TO ruvector_dag_admin;
REVOKE ALL ON FUNCTION ruvector_dag_block(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ruvector_dag_block(bigint) TO ruvector_dag_admin;
REVOKE ALL ON FUNCTION ruvector_dag_unblock(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ruvector_dag_unblock(bigint) TO ruvector_dag_admin;
