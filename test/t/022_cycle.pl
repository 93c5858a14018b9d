# The learning cycle by itself: planted clusters of executions are found, the
# model learns them, keeps what it learned, and is learned again when its
# bytes are damaged.  Only the learner maps OpenBLAS.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

# Executions with embeddings around the directions of so many clusters, ten
# instances each.  How long they take depends on the cluster and not on the
# cost; so does by how much joins are underestimated.
my $plant = q{
CREATE FUNCTION u(k bigint, seed bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(k, seed) & 1048575) / 524288.0 - 1 $$;
CREATE FUNCTION ms(cluster bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT exp(3 + 2 * u(cluster, 7)) $$;
CREATE SEQUENCE planted;
CREATE FUNCTION plant(n int, clusters int DEFAULT 20) RETURNS void LANGUAGE sql AS $$
INSERT INTO ruvector.dag_trajectories (queryid, instance, plan_id, recorded_at,
    planning_ms, execution_ms, expected_ms, rows, shared_hit, shared_read,
    temp_blocks, outcome, role, trial, trial_abandoned, node_ops, node_depths,
    node_est_rows, node_act_rows, quality, predicted_ms, attention, total_cost,
    embedding_key, targets, plan_features, embedding)
SELECT c, i, 100 * c + i, now(), 1, ms(c) * exp(0.05 * u(r, 8)), 0, 1, 0, 0,
    0, 0, 0, false, false, '{1}', '{0}', '{1}', '{1}', 'NaN', 0, c % 7, 1000, c,
    array_fill('NaN'::real, ARRAY[13]) || ARRAY[c::real / 10, 'NaN'],
    array_fill(0::real, ARRAY[16]), e.v
FROM (SELECT r, r % clusters + 1 AS c, r / clusters % 10 AS i
      FROM (SELECT nextval('planted') - 1 AS r FROM generate_series(1, n)) s) x,
  LATERAL (SELECT array_agg((w / norm)::real ORDER BY d) AS v
    FROM (SELECT d, w, sqrt(sum(w * w) OVER ()) AS norm
      FROM (SELECT d, u(d, c) + 0.2 * u(d, 1000 * c + i) AS w
        FROM generate_series(1, 256) d) a) b) e
$$;
};

my $node = new_server('cycle');
$node->safe_psql('postgres', 'CREATE EXTENSION ruvector_dag');
$node->safe_psql('postgres', $plant);
cycle($node, 'success');

# One figure of a cycle that is run now; several with | between them.  After a
# start of the server it takes a moment until there is a learner.
sub cycle
{
	my ($server, @paths) = @_;
	my $columns = join(', ', map { "l #>> '{$_}'" } @paths);
	my ($status, $answer, $error);

	for (1 .. 100)
	{
		($status, $answer, $error) = $server->psql('postgres',
			"SELECT $columns FROM ruvector_dag_learn() AS l");
		last if $error !~ /no learner is running/;
		select(undef, undef, undef, 0.1);
	}
	die $error if $status != 0;
	return $answer;
}

sub plant
{
	my ($n) = @_;

	$node->safe_psql('postgres', "SELECT plant($n)");
}

# What is stored of the model and the patterns.
sub stored
{
	return $node->safe_psql('postgres', q{
SELECT md5(m::text) FROM ruvector.dag_model m
UNION ALL (SELECT md5(string_agg(p::text, ' ' ORDER BY id)) FROM ruvector.dag_patterns p)});
}

sub fails
{
	my ($server, $sql, $like, $what) = @_;
	my ($status, undef, $error) = $server->psql('postgres',
		"\\set VERBOSITY verbose\n$sql");

	like($error, $like, $what);
}

# ---- too few --------------------------------------------------------------------
plant(49);
is(cycle($node, 'success', 'training,skipped', 'training,reason', 'patterns_extracted'),
	'true|true|49 executions are waiting, it takes 50|0',
	'49 executions are not enough, which is no failure');
fails($node, 'SELECT ruvector_dag_extract_patterns()',
	qr/RV011.*not enough trajectories.*There are 49 complete executions.*49 of them not learned/s,
	'who asks for patterns is told');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ruvector.dag_model'), '0',
	'nothing was learned');

# ---- planted clusters -------------------------------------------------------------
plant(951);
my $first = $node->safe_psql('postgres', 'SELECT ruvector_dag_learn()');
diag("cycle of 1,000 executions: $first");
my ($trajectories, $before, $after, $patterns) = split /\|/,
  $node->safe_psql('postgres', qq{
SELECT l #>> '{training,trajectories}', l #>> '{training,loss_before}',
    l #>> '{training,loss_after}', l ->> 'patterns_extracted'
FROM (SELECT '$first'::jsonb AS l) x});
is($trajectories, '1000', 'all were trained on');
cmp_ok($after, '<', 0.2 * $before, 'the loss falls');
is($patterns, '20', 'as many patterns as were planted');
is($node->safe_psql('postgres', q{
SELECT count(DISTINCT example) FROM ruvector.dag_patterns
WHERE abs(ln(baseline_ms / ms(example))) < 0.05 AND abs(inflate - example / 10.0) < 1e-4
    AND attention = example % 7 AND tightness > 0.9 AND samples = 50
    AND verified = 0 AND configuration = 0 AND latency_ms = baseline_ms}),
	'20', 'each with the figures of all its executions');
is(cycle($node, 'training,skipped', 'training,reason', 'patterns_extracted'),
	'true|0 executions are waiting, it takes 50|20',
	'nothing is learned from twice as if it were new');

# ---- who maps OpenBLAS ---------------------------------------------------------------
sub maps_blas
{
	my ($pid) = @_;

	return slurp_file("/proc/$pid/maps") =~ /blas/i ? 1 : 0;
}

my $learner = learner_pid($node, 'postgres');
my @threads = glob("/proc/$learner/task/*");
is(scalar @threads, 1, 'a learner that has learned has one thread');
SKIP:
{
	my $library = $node->config_data('--pkglibdir') . '/ruvector_dag_blas.so';

	skip 'built without OpenBLAS', 1 unless -e $library;
	is(maps_blas($learner), 1, 'the learner maps OpenBLAS');
}
my @others = split /\n/, $node->safe_psql('postgres', q{
SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)
UNION ALL SELECT pid::text FROM pg_stat_activity WHERE backend_type = 'ruvector_dag launcher'
UNION ALL SELECT pg_backend_pid()::text});
my $sleeper = $node->background_psql('postgres');
push @others, split /\n/, $node->safe_psql('postgres', q{
SELECT pid FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()});
cmp_ok(scalar(grep { -e "/proc/$_/maps" } @others), '>=', 3, 'postmaster, launcher, a backend');
is(scalar(grep { -e "/proc/$_/maps" && maps_blas($_) } @others), 0, 'and none of them does');
$sleeper->quit;

# ---- what was tried decides the configuration --------------------------------------------
# Plans known of the instances of a cluster: role, reason, runs, mean ln ratio,
# runs cut short and where.
my @tried = (
	[ '1, 2, 3', 2, 3, 3, -1.2, 0, 0 ],    # proven
	[ '4, 5', 3, 4, 2, 0.05, 0, 0 ],       # no gain
	[ '6, 7', 3, 5, 0, 0, 1, 0.9 ],        # abandoned
	[ '8', 3, 5, 0, 0, 1, 5 ],             # abandoned late
	[ '9', 1, 2, 3, -2, 0, 0 ],            # not decided
	[ '10', 3, 9, 3, -2, 0, 0 ],           # superseded
	[ '11', 3, 4, 2, 0.3, 0, 0 ],          # one without gain, one proven
	[ '11', 2, 3, 9, -0.5, 0, 0 ]);
foreach my $t (@tried)
{
	my ($clusters, $role, $reason, $n, $mean, $cut, $bound) = @$t;

	$node->safe_psql('postgres', qq{
INSERT INTO ruvector.dag_plans (queryid, instance, plan_id, value, role, reason,
    trials, trials_abandoned, observed, timed, est_cost, predicted_ms, latency,
    ratio, arm, memo_keys, memo_rows, skeleton)
SELECT c, i, 90000 + 10 * c + $role, 1, $role, $reason, 0, 0, 0, 0, 1, 1,
    '{0,0,0,0,0,0,0,0,0}', ARRAY[$n, $cut, $mean, 0, $n, 1, 1, 1, $bound],
    1, '{}', '{}', ''
FROM generate_series(0, 9) i, unnest(ARRAY[$clusters]) c});
}
$node->restart;
cycle($node, 'success');
my $ids = $node->safe_psql('postgres',
	q{SELECT string_agg(id || ':' || example, ' ' ORDER BY id) FROM ruvector.dag_patterns});
is($node->safe_psql('postgres', 'SELECT ruvector_dag_extract_patterns()'), '20',
	'patterns can be extracted from what was learned before');
is($node->safe_psql('postgres',
		q{SELECT string_agg(id || ':' || example, ' ' ORDER BY id) FROM ruvector.dag_patterns}),
	$ids, 'they are the same patterns, also after a restart');
my $evidence = q{
SELECT string_agg(format('%s:%s:%s:%s', example, configuration, verified,
    round(mean_ratio::numeric, 3)), ' ' ORDER BY example)
FROM ruvector.dag_patterns WHERE example <= 12};
my $known = '1:1:30:-1.200 2:1:30:-1.200 3:1:30:-1.200 4:0:20:0.050 5:0:20:0.050 '
  . '6:0:10:0.531 7:0:10:0.531 8:0:10:1.609 9:0:0:0.000 10:0:0:0.000 11:1:40:-0.500 12:0:0:0.000';
is($node->safe_psql('postgres', $evidence), $known, 'what was tried is their evidence');
$node->safe_psql('postgres', 'SELECT ruvector_dag_extract_patterns()') for 1 .. 3;
is($node->safe_psql('postgres', $evidence), $known, 'which does not grow by being read again');
is($node->safe_psql('postgres', q{
SELECT bool_and(abs(ln(latency_ms / baseline_ms) + 1.2) < 1e-3) FROM ruvector.dag_patterns
WHERE example <= 3}), 't', 'the expected time is that under the configuration');

# ---- the model is kept --------------------------------------------------------------------
plant(200);
my ($skipped, $new, $replayed, $loss) = split /\|/,
  cycle($node, 'training,skipped', 'training,trajectories', 'training,replayed',
	'training,loss_before');
is("$skipped $new $replayed", 'false 200 200', 'new executions, and as many old ones');
cmp_ok($loss, '<', 0.2 * $before, 'the model was there after the restart');

# ---- a step fails ---------------------------------------------------------------------------
my $stored = stored();
plant(100);
$node->safe_psql('postgres',
	'ALTER TABLE ruvector.dag_patterns ADD CONSTRAINT no CHECK (false) NOT VALID');
fails($node, 'SELECT ruvector_dag_learn()', qr/RV004.*learning cycle failed/s,
	'a cycle that cannot write its result fails');
is(stored(), $stored, 'model and patterns are as they were');
$node->safe_psql('postgres', 'ALTER TABLE ruvector.dag_patterns DROP CONSTRAINT no');
is(cycle($node, 'training,trajectories', 'training,replayed'), '100|100',
	'nothing was lost by it');
isnt(stored(), $stored, 'the next one writes');

# ---- damage ------------------------------------------------------------------------------------
foreach my $damage (
	[ 'model = set_byte(model, 1000, get_byte(model, 1000) # 1)', 'checksum does not match' ],
	[ 'trainer = substr(trainer, 2)', 'another size' ],
	[ 'version = 99', 'another version' ])
{
	my ($change, $why) = @$damage;
	my $log = -s $node->logfile;

	$node->safe_psql('postgres', "UPDATE ruvector.dag_model SET $change");
	$node->restart;
	($new, $loss, $patterns) = split /\|/, cycle($node, 'training,trajectories',
		'training,loss_before', 'patterns_extracted');
	my @ignored = slurp_file($node->logfile, $log) =~ /ignores the model.*\n.*$why/g;
	is(scalar @ignored, 1, "a model is ignored, and that logged once: $why");
	is($new, '1300', 'everything is learned again');
	cmp_ok($loss, '>', 0.5 * $before, 'from the beginning');
	is($patterns, '20', 'the patterns stay');
}
my $log = -s $node->logfile;
$node->safe_psql('postgres', q{
UPDATE ruvector.dag_patterns SET centroid = '{1,2,3}' WHERE example = 20});
$node->restart;
is(cycle($node, 'patterns_extracted'), '19', 'a damaged pattern is left out');
like(slurp_file($node->logfile, $log), qr/skipped 1 damaged rows of table "ruvector.dag_patterns"/,
	'and that is logged');

# ---- by itself -----------------------------------------------------------------------------------
plant(60);
$node->safe_psql('postgres', q{ALTER SYSTEM SET ruvector.dag_background_interval_ms = 1000});
$node->reload;
ok($node->poll_query_until('postgres', q{
SELECT last_trajectory = (SELECT max(id) FROM ruvector.dag_trajectories)
FROM ruvector.dag_model}), 'a cycle runs every ruvector.dag_background_interval_ms');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ruvector.dag_patterns'), '20',
	'the damaged pattern was learned again');
$node->safe_psql('postgres', q{ALTER SYSTEM RESET ruvector.dag_background_interval_ms});
$node->reload;

# ---- arguments, and many at a time -------------------------------------------------------------------
fails($node, 'SELECT ruvector_dag_extract_patterns(NULL, 9)',
	qr/22023.*between 10 and 1000/s, 'too few clusters');
fails($node, 'SELECT ruvector_dag_extract_patterns(NULL, 1001)',
	qr/22023.*between 10 and 1000/s, 'too many clusters');
foreach my $threshold ('0', '-0.5', '1.01', q{'NaN'})
{
	fails($node, "SELECT ruvector_dag_consolidate_patterns(NULL, $threshold)",
		qr/22023.*threshold.*out of range/s, "threshold $threshold is refused");
}
is($node->safe_psql('postgres', 'SELECT ruvector_dag_consolidate_patterns()'), '0',
	'patterns far apart are not merged');
is($node->safe_psql('postgres', q{SELECT ruvector_dag_extract_patterns(num_clusters => 10) > 20}),
	't', 'fewer clusters than kinds of plans are other patterns');
my $merged = $node->safe_psql('postgres', q{
WITH b AS (SELECT count(*) AS n FROM ruvector.dag_patterns)
SELECT ruvector_dag_consolidate_patterns(similarity_threshold => 0.5), n FROM b});
my ($gone, $were) = split /\|/, $merged;
cmp_ok($gone, '>', 0, 'those can be merged again');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ruvector.dag_patterns'), $were - $gone,
	'as many went as it says');
my $script = $node->basedir . '/ask.sql';
append_to_file($script, q{\set k random(10, 40)
SELECT ruvector_dag_extract_patterns(NULL, :k);
SELECT ruvector_dag_consolidate_patterns(NULL, 0.99);
SELECT ruvector_dag_learn();
});
$node->command_ok([ 'pgbench', '-n', '-c', '6', '-j', '2', '-t', '3', '-f', $script, 'postgres' ],
	'six sessions that ask all get an answer');

# ---- parts ----------------------------------------------------------------------------------------------
$node->safe_psql('postgres', q{ALTER SYSTEM SET ruvector.debug_parts_off = 'kmeans'});
$node->reload;
plant(60);
is(cycle($node, 'training,clusters'), '200', 'without K-means every instance is a cluster');
$node->safe_psql('postgres', q{ALTER SYSTEM SET ruvector.debug_parts_off = 'base_lora'});
$node->reload;
plant(60);
($before, $after) = split /\|/, cycle($node, 'training,loss_before', 'training,loss_after');
cmp_ok($after, '>', 0.9 * $before, 'without a base adapter nothing is learned');
$node->safe_psql('postgres', q{ALTER SYSTEM RESET ruvector.debug_parts_off});
$node->reload;
plant(60);
($before, $after) = split /\|/, cycle($node, 'training,loss_before', 'training,loss_after');
cmp_ok($after, '<', 0.2 * $before, 'and with it everything again');

# ---- another workload ends a task ---------------------------------------------------------------------------
$node->safe_psql('postgres', q{
CREATE TABLE r AS SELECT i, i % 10 AS g FROM generate_series(1, 5000) i;
CREATE TABLE s AS SELECT i, i % 7 AS h FROM generate_series(1, 5000) i;
ANALYZE r, s;
SELECT ruvector_enable_neural_dag('r');
SELECT ruvector_enable_neural_dag('s')});

sub workload
{
	my ($query) = @_;

	$node->safe_psql('postgres', join("\n", ("$query;") x 60));
	my ($waiting, $distance, $tasks) = split /\|/,
	  cycle($node, 'training,trajectories', 'training,workload_distance', 'training,ewc_tasks');
	return ($distance, $tasks);
}

my ($distance, $tasks) = workload('SELECT count(*) FROM r WHERE g = 3');
is($distance, '', 'the first workload is compared with none');
my $had = $tasks;
($distance, $tasks) = workload('SELECT count(*) FROM r WHERE g = 3');
cmp_ok($distance, '<', 0.1, 'the same workload is near');
cmp_ok($tasks, '>=', $had, 'whatever the errors say');
$had = $tasks;
($distance, $tasks) = workload(
	'SELECT h, count(*), sum(s.i) FROM s JOIN r ON r.i = s.i GROUP BY h ORDER BY 3 DESC');
cmp_ok($distance, '>', 0.33, 'another one is not');
cmp_ok($tasks, '>', $had, 'and what was learned before is consolidated');

# ---- a standby -----------------------------------------------------------------------------------------------
my $count = $node->safe_psql('postgres', 'SELECT count(*) FROM ruvector.dag_patterns');
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay');
is(cycle($standby, 'training,skipped', 'patterns_extracted'), "true|$count",
	'a standby has the patterns and learns nothing');
fails($standby, 'SELECT ruvector_dag_extract_patterns()', qr/25006.*during recovery/s,
	'nor can it be asked to');
unlike(slurp_file($standby->logfile), qr/in a read-only transaction|cannot execute (INSERT|DELETE)/,
	'nothing tried to write');
$standby->promote;
$node->stop;
$node = $standby;
plant(60);
$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
($new, $loss) = split /\|/, cycle($node, 'training,trajectories', 'training,loss_before');
is($new, '60', 'promoted, it goes on where the primary was');
cmp_ok($loss, '<', 0.5, 'with its model');
$node->stop;
done_testing();
