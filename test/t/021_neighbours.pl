# Other extensions in the same hooks, in either order; processes and threads;
# and no effect at all where nothing was asked for.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

# All threads of a process, and whether it maps a BLAS.
sub threads
{
	my ($pid) = @_;
	my @tasks = glob("/proc/$pid/task/*");

	return scalar @tasks;
}

sub maps_blas
{
	my ($pid) = @_;

	return slurp_file("/proc/$pid/maps") =~ /blas/i ? 1 : 0;
}

foreach my $order ('pg_stat_statements,auto_explain,ruvector_dag',
	'ruvector_dag,auto_explain,pg_stat_statements')
{
	(my $name = $order) =~ s/\W/_/g;
	my $node = new_server($name, qq{
shared_preload_libraries = '$order'
ruvector.dag_regret_limit = 1
auto_explain.log_min_duration = 0
pg_stat_statements.track = all
});
	set_up($node, 'postgres');
	$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements');
	neighbours_agree($node, $order);
	like(slurp_file($node->logfile), qr/plan:\s+Query Text: SELECT count\(\*\) FROM a JOIN b/,
		"$order: auto_explain logs");

	# auto_explain that times nodes wants to see the plan it was given
	$node->safe_psql('postgres', 'SELECT ruvector_dag_reset()');
	my $trials = $node->safe_psql('postgres',
		"SELECT ruvector_dag_learning_stats() ->> 'trials'");
	$node->safe_psql('postgres',
		"SET auto_explain.log_analyze = on; $query; $query; $query; $query");
	is($node->safe_psql('postgres', "SELECT ruvector_dag_learning_stats() ->> 'trials'"),
		$trials, "$order: nothing is tried under auto_explain.log_analyze");
	no_crash($node, $order);
	$node->stop;
}

# ---- processes --------------------------------------------------------------------
my $node = new_server('processes', "ruvector.dag_regret_limit = 1\n");
set_up($node, 'postgres');
my $psql = $node->background_psql('postgres');
my $pid = $psql->query_safe('SELECT pg_backend_pid()') if $psql->can('query_safe');
SKIP:
{
	skip 'this server version has no query_safe', 3 unless $pid;
	$psql->query_safe($query) for 1 .. 4;
	is(threads($pid), 1, 'a backend that learns and tries has one thread');
	is(maps_blas($pid), 0, 'and maps no BLAS');
	my $postmaster = $node->safe_psql('postgres',
		"SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)");
	is(threads($postmaster) . maps_blas($postmaster), '10',
		'nor does the postmaster');
	$psql->quit;
}
$pid = learner_pid($node, 'postgres');
is(threads($pid), 1, 'the learner has no thread it does not need yet');

# ---- nothing asked for ---------------------------------------------------------------
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->safe_psql('plain', 'CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) i');
is($node->safe_psql('plain', 'SELECT count(*) FROM t') x 1, '1000',
	'a database without the extension works');
is($node->safe_psql('postgres', q{
SELECT count(*) FROM pg_stat_activity
WHERE datname = 'plain' AND backend_type LIKE 'ruvector_dag%'}), '0',
	'and has no learner');
my $calls = 'SELECT coalesce(sum(calls), 0) FROM ruvector_dag_queries()';
$node->safe_psql('postgres', 'SELECT ruvector_dag_reset()');
$node->safe_psql('postgres', 'SELECT ruvector_disable_neural_dag()');
$node->safe_psql('postgres', $query) for 1 .. 3;
is($node->safe_psql('postgres', $calls), '0', 'disabled: nothing is counted');
$node->safe_psql('postgres', 'SELECT ruvector_enable_neural_dag()');
$node->safe_psql('postgres', 'SELECT ruvector_dag_reset()');
$node->safe_psql('postgres',
	"SET ruvector.neural_dag_enabled = off; $query; $query; $query");
is($node->safe_psql('postgres', $calls), '0', 'switched off: nothing is counted');
$node->stop;
done_testing();
