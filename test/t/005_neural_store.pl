# What the neural core learned outlives a restart; damaged rows do no harm;
# a server with too little memory for it works without.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

my $node = new_server('neural_store');
my $used = q{
SELECT string_agg(component || ' ' || used_bytes, ' ' ORDER BY component)
FROM ruvector_dag_memory() WHERE component IN ('memories', 'neural')};
my $attention = q{SELECT kind, name, score, gain, pulls, mean, log_weight,
  timed_runs FROM ruvector.dag_attention ORDER BY kind};
my $memories = q{SELECT kind, queryid, plan_id, value, seen, log_ratio, ms, at,
  cue FROM ruvector.dag_memories ORDER BY 1, 2, 3};
my $timed_runs = 'SELECT max(timed_runs) FROM ruvector.dag_attention';
my $pulls = q{SELECT pulls FROM ruvector.dag_attention WHERE name = 'topological'};

set_up($node, 'postgres');
cmp_ok(teach($node, 'postgres'), '>', 0, 'a better plan was found');
$node->safe_psql('postgres', "$query;\n" x 5);
learn($node, 'postgres');

my $kernels = $node->safe_psql('postgres', $attention);
my $cues = $node->safe_psql('postgres', $memories);
my $parts = $node->safe_psql('postgres', $used);
my $runs = $node->safe_psql('postgres', $timed_runs);
my $pulled = $node->safe_psql('postgres', $pulls);

is(scalar(split /\n/, $kernels), 8, 'every kernel has a row');
cmp_ok($runs, '>', 0, 'and was taught by timed runs');
cmp_ok(scalar(split /\n/, $cues), '>=', 1, 'the proven plan is remembered');
like($parts, qr/^memories [1-9]\d+ neural [1-9]\d+$/, 'memory is in use');

# Restarts, and that learning goes on where it was
for my $mode ('fast', 'immediate')
{
	$node->stop($mode);
	$node->start;
	learn($node, 'postgres');
	is($node->safe_psql('postgres', $used), $parts, "$mode stop: all is back");
	is($node->safe_psql('postgres', $attention), $kernels,
		"$mode stop: what the kernels know is as it was");
	is($node->safe_psql('postgres', $memories), $cues,
		"$mode stop: so are the memories");
}
# The one-shot memory is made again from the table: a sibling of the statement,
# of a class of its own, recalls its stock plan
(my $sibling = $query) =~ s/count\(\*\)/count(*), 1/;
$node->safe_psql('postgres', $sibling);
cmp_ok($node->safe_psql('postgres', q{
SELECT ruvector_dag_learning_stats() #>> '{neural,recalls}'}),
	'>', 0, 'what was proven is recalled');
my $timed = 0;
for my $run (1 .. 10)
{
	$node->safe_psql('postgres',
		'SELECT count(*) FROM a JOIN b ON b.x = a.id WHERE g = 4');
	learn($node, 'postgres');
	$timed = $node->safe_psql('postgres', $timed_runs) - $runs;
	last if $timed > 0;
}
cmp_ok($timed, '>', 0, 'timed runs are added to those before');
is($node->safe_psql('postgres', $pulls), $pulled + $timed,
	'and so are the rewards');

# Damage: each row is broken in its own way
$node->safe_psql('postgres', q{
SET ruvector.neural_dag_enabled = off;
CREATE TEMP TABLE one AS SELECT * FROM ruvector.dag_memories LIMIT 1;
UPDATE one SET kind = 9;
INSERT INTO ruvector.dag_memories TABLE one;
UPDATE one SET kind = 0, plan_id = 1, cue = substr(cue, 2);
INSERT INTO ruvector.dag_memories TABLE one;
UPDATE one SET plan_id = 2, cue = cue || '\x0000'::bytea;
INSERT INTO ruvector.dag_memories TABLE one;
UPDATE one SET plan_id = 3, cue = substr(cue, 1, 1250), ms = 'NaN';
INSERT INTO ruvector.dag_memories TABLE one;
UPDATE ruvector.dag_attention SET gain = '{1,2,3}' WHERE kind = 0;
UPDATE ruvector.dag_attention SET score[3] = 'Infinity' WHERE kind = 1;
UPDATE ruvector.dag_attention SET mean = 2 WHERE kind = 2;
UPDATE ruvector.dag_attention SET name = 'unheard of' WHERE kind = 3;
UPDATE ruvector.dag_classes SET selector_n = '{1,2}'
  WHERE queryid = (SELECT min(queryid) FROM ruvector.dag_classes
    WHERE query LIKE '%b.x = a.id WHERE%' AND query NOT LIKE '%b.aid = a.key%');
});
my $sane = $node->safe_psql('postgres', 'SELECT count(*) FROM ruvector.dag_memories') - 4;
$node->restart;
learn($node, 'postgres');
is($node->safe_psql('postgres', q{
SELECT used_bytes / 1352 FROM ruvector_dag_memory() WHERE component = 'memories'}),
	$sane, 'damaged memories are skipped, the others loaded');
my $log = slurp_file($node->logfile);
like($log, qr/skipped 4 damaged rows of table "ruvector.dag_memories"/,
	'and counted in the log');
like($log, qr/skipped 1 damaged rows of table "ruvector.dag_classes"/,
	'so is a class with a selector of the wrong length');
my $skipped = () = $log =~ /skipped a damaged row of table "ruvector.dag_attention"/g;
is($skipped, 4, 'each damaged kernel is mentioned');

# Too little memory: nothing neural, everything else
my $rows = $node->safe_psql('postgres', $attention);
$node->append_conf('postgresql.conf', 'ruvector.dag_memory_mb = 16');
$node->restart;
learn($node, 'postgres');
is($node->safe_psql('postgres', q{
SELECT allocated_bytes, used_bytes FROM ruvector_dag_memory()
WHERE component = 'neural'}), '0|0', 'there is no area at 16 MB');
is(first_plan($node, 'postgres'), 'hash join', 'proven plans are used');
$node->safe_psql('postgres', "$query;\n" x 5);
learn($node, 'postgres');
is($node->safe_psql('postgres', $attention), $rows,
	'and the tables are left alone');
is($node->safe_psql('postgres', q{
SELECT ruvector_dag_health_report() #>> '{metrics,errors}'}),
	'0', 'without an error');

$node->stop;
done_testing();
