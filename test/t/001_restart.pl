# What was learned outlives every kind of restart, and steers the first
# statement after it; damaged rows do no harm; the memory cap holds.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

my $node = new_server('restart', "ruvector.dag_memory_mb = 16\n");

# The cap, at its minimum
is($node->safe_psql('postgres', q{
SELECT sum(allocated_size) <= 16 * 1024 * 1024 AND sum(allocated_size) > 0
FROM pg_shmem_allocations WHERE name = 'ruvector_dag'}),
	't', 'shared memory stays within dag_memory_mb');
set_up($node, 'postgres');
is($node->safe_psql('postgres', q{
SELECT string_agg(component, ' ' ORDER BY component) FROM ruvector_dag_memory()
WHERE allocated_bytes BETWEEN 1 AND budget_bytes
  AND used_bytes <= allocated_bytes AND peak_bytes <= allocated_bytes}),
	'classes control embeddings instances memories plans rings rows',
	'every part has memory within its budget, only that none is left for neural areas');
is($node->safe_psql('postgres', q{
SELECT sum(budget_bytes) <= 16 * 1024 * 1024 FROM ruvector_dag_memory()}),
	't', 'the budgets add up to no more than the cap');

# Something to remember
is(first_plan($node, 'postgres'), 'nested loop', 'stock plan to begin with');
cmp_ok(teach($node, 'postgres'), '>', 0, 'a better plan was found');
is(first_plan($node, 'postgres'), 'hash join', 'it is used');
learn($node, 'postgres');
my $known = digest($node, 'postgres');
my $account = q{
SELECT s -> 'queries_processed', s -> 'trials_won', s -> 'trajectories_recorded'
FROM ruvector_dag_learning_stats() s};
my $figures = $node->safe_psql('postgres', $account);

for my $mode ('fast', 'immediate')
{
	$node->stop($mode);
	$node->start;
	learn($node, 'postgres');
	is(digest($node, 'postgres'), $known, "$mode stop: all is known again");
	is($node->safe_psql('postgres', $account), $figures,
		"$mode stop: counters and account go on");
	is(first_plan($node, 'postgres'), 'hash join',
		"$mode stop: the first plan is steered");
}

# The same for a statement that runs, not only for EXPLAIN
$node->stop('immediate');
$node->start;
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM ruvector_dag_plans()})
  or die 'nothing was loaded';
my $calls = q{SELECT sum(calls) FROM ruvector_dag_plans() WHERE role = 'proven'};
my $before = $node->safe_psql('postgres', $calls);
$node->safe_psql('postgres', $query);
is($node->safe_psql('postgres', $calls), $before + 1,
	'the first execution after an immediate stop runs the proven plan');

# An orderly shutdown writes what is new without being asked
$node->safe_psql('postgres', 'SELECT count(*) FROM a WHERE g = 7');
$known = digest($node, 'postgres');
$node->restart;
learn($node, 'postgres');
is(digest($node, 'postgres'), $known, 'a shutdown persists what is dirty');

# Damage: each row is broken in its own way
my $plans = $node->safe_psql('postgres', 'SELECT count(*) FROM ruvector.dag_plans');
$node->safe_psql('postgres', q{
SET ruvector.neural_dag_enabled = off;
CREATE TEMP TABLE one AS SELECT * FROM ruvector.dag_plans LIMIT 1;
UPDATE one SET role = 77, instance = 1;
INSERT INTO ruvector.dag_plans TABLE one;
UPDATE one SET role = 0, instance = 2, memo_keys = '{1,2}', memo_rows = '{1}';
INSERT INTO ruvector.dag_plans TABLE one;
UPDATE one SET instance = 3, memo_keys = '{1,NULL}', memo_rows = '{1,2}';
INSERT INTO ruvector.dag_plans TABLE one;
UPDATE one SET instance = 4, memo_keys = '{}', memo_rows = '{}', latency = '{1,2}';
INSERT INTO ruvector.dag_plans TABLE one;
UPDATE one SET instance = 5, est_cost = 'NaN';
INSERT INTO ruvector.dag_plans TABLE one;
UPDATE one SET instance = 6, est_cost = 1, latency = '{-1,0,0,0,0,0,0,0,0}';
INSERT INTO ruvector.dag_plans TABLE one;
UPDATE one SET instance = 7, latency = '{0,0,0,0,0,0,0,0,0}',
    memo_keys = array_fill(1::bigint, ARRAY[1000]),
    memo_rows = array_fill(1::real, ARRAY[1000]);
INSERT INTO ruvector.dag_plans TABLE one;
UPDATE one SET instance = 8, memo_keys = '{{1},{2}}', memo_rows = '{{1},{2}}';
INSERT INTO ruvector.dag_plans TABLE one;
});
$node->restart;
learn($node, 'postgres');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ruvector_dag_plans()'),
	$plans, 'damaged rows are skipped, the others loaded');
like(slurp_file($node->logfile),
	qr/skipped 8 damaged rows of table "ruvector.dag_plans"/,
	'and counted in the log, once');

# More classes than fit: the valuable ones stay
my $many = '';
for my $n (0 .. 2047)
{
	my @columns = map { $n >> $_ & 1 ? 'g' : 'h' } 0 .. 10;
	$many .= 'SELECT ' . join(', ', @columns) . " FROM a WHERE id = 0;\n";
}
$node->safe_psql('postgres', $many);
my $classes = q{
SELECT m -> 'evicted' > '0' AND m -> 'used' <= m -> 'capacity'
FROM (SELECT ruvector_dag_health_report() -> 'metrics' -> 'classes' AS m) x};
is($node->safe_psql('postgres', $classes), 't', 'a full table evicts');
is($node->safe_psql('postgres', q{
SELECT count(*) = 1 FROM ruvector_dag_queries() WHERE query LIKE '%b.aid = a.key%'}),
	't', 'but not what it saves most time by');
is($node->safe_psql('postgres', q{
SELECT count(*) FROM ruvector_dag_memory() WHERE used_bytes > allocated_bytes}),
	'0', 'and no part outgrows its memory');
is(first_plan($node, 'postgres'), 'hash join', 'which goes on being saved');
learn($node, 'postgres');
is($node->safe_psql('postgres', q{
SELECT (SELECT count(*) FROM ruvector.dag_classes) <=
  1.5 * (ruvector_dag_health_report() #>> '{metrics,classes,capacity}')::int}),
	't', 'nor does a table on disk grow without bound');

# The history is bounded
$node->safe_psql('postgres', 'ALTER SYSTEM SET ruvector.dag_max_trajectories = 100');
$node->safe_psql('postgres', q{
SET ruvector.neural_dag_enabled = off;
INSERT INTO ruvector.dag_trajectories (queryid, instance, plan_id, recorded_at,
  planning_ms, execution_ms, expected_ms, rows, shared_hit, shared_read,
  temp_blocks, outcome, role, trial, trial_abandoned, node_ops, node_depths,
  node_est_rows, node_act_rows)
SELECT 1, 1, 1, now(), 0, 0, 0, 0, 0, 0, 0, 0, 0, false, false, '{}', '{}', '{}', '{}'
FROM generate_series(1, 25000)});
$node->restart;
$node->safe_psql('postgres', 'SELECT count(*) FROM a WHERE g = 8');
learn($node, 'postgres');
$node->safe_psql('postgres', 'SELECT count(*) FROM a WHERE g = 8');
learn($node, 'postgres');
$node->safe_psql('postgres', 'SELECT count(*) FROM a WHERE g = 8');
learn($node, 'postgres');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM ruvector.dag_trajectories'),
	'<=', 102, 'old trajectories are removed, batch by batch');
cmp_ok($node->safe_psql('postgres',
		q{SELECT count(*) FROM ruvector.dag_trajectories WHERE queryid <> 1}),
	'>=', 3, 'the newest are kept');

$node->stop;
done_testing();
