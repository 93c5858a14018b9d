# What the TAP tests share: a server with the extension preloaded, a workload
# that is sure to be steered, and a digest of what is known.
package RvdTest;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_server set_up learn teach digest first_plan learners
  learner_pid neighbours_agree no_crash $query);

# All of a's rows with g = 3 point to one key, which a third of b has; the
# server expects one row and one match and so looks b up row by row, reading
# millions of rows.  Once the rows of a are known it hashes.
our $query = 'SELECT count(*) FROM a JOIN b ON b.aid = a.key AND b.x = a.id '
  . 'WHERE g = 3 AND h = 3 AND k = 3';

my $data = q{
CREATE TABLE a AS SELECT i AS id, i % 100 AS g, i % 100 AS h, i % 100 AS k,
    CASE WHEN i % 100 = 3 THEN 0 ELSE i END AS key
  FROM generate_series(1, 20000) i;
CREATE TABLE b AS SELECT i AS id, CASE WHEN i <= 20000 THEN 0 ELSE i END AS aid,
    i AS x
  FROM generate_series(1, 30000) i;
CREATE INDEX b_aid ON b (aid);
ANALYZE a, b;
};

# A running server.
sub new_server
{
	my ($name, $conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 1);
	$node->append_conf('postgresql.conf', qq{
shared_preload_libraries = 'ruvector_dag'
ruvector.dag_min_cost = 0
ruvector.dag_overhead_limit = 1
max_parallel_workers_per_gather = 0
autovacuum = off
max_worker_processes = 20
restart_after_crash = on
} . ($conf // ''));
	$node->start;
	return $node;
}

# Extension, data, everything enabled, learner at work.
sub set_up
{
	my ($node, $db) = @_;

	$node->safe_psql($db, 'CREATE EXTENSION ruvector_dag');
	# one arm, so that it does not depend on draws what is tried when
	$node->safe_psql($db, 'UPDATE ruvector.dag_arms SET enabled = arm_id = 1');
	$node->safe_psql($db, $data);
	$node->safe_psql($db, 'SELECT ruvector_enable_neural_dag()');
	learn($node, $db);
}

# Wait for the learner, then for a whole cycle: all that is known is in memory
# before and in the tables after.
sub learn
{
	my ($node, $db) = @_;

	$node->poll_query_until($db,
		q{SELECT ruvector_dag_learn() ->> 'success'}, 'true')
	  or die "no cycle was completed in database $db";
}

# Run the query until it is steered; returns how many runs that took.
sub teach
{
	my ($node, $db) = @_;

	for my $run (1 .. 20)
	{
		$node->safe_psql($db, $query);
		return $run if proven($node, $db);
	}
	return 0;
}

# Everything known, to be compared; but for when a plan was last used, which
# a mere EXPLAIN of it moves.
sub digest
{
	my ($node, $db) = @_;

	return $node->safe_psql($db, q{
SELECT 'plan', (to_jsonb(p) - 'last_used')::text FROM ruvector_dag_plans() p
UNION ALL SELECT 'class', q::text FROM ruvector_dag_queries() q
UNION ALL SELECT 'rows', r::text FROM ruvector_dag_rows() r
ORDER BY 1, 2});
}

# How the query would be run now.
sub first_plan
{
	my ($node, $db) = @_;
	my $plan = $node->safe_psql($db, "EXPLAIN (COSTS OFF) $query");

	return $plan =~ /Hash Join/ ? 'hash join'
	  : $plan =~ /Nested Loop/ ? 'nested loop' : $plan;
}

sub proven
{
	my ($node, $db) = @_;

	return $node->safe_psql($db,
		q{SELECT count(*) FROM ruvector_dag_plans() WHERE role = 'proven'});
}

# Run the query beside pg_stat_statements and others until it is steered, and
# see that they saw what there was to see: right rows, and every execution
# counted once.
sub neighbours_agree
{
	my ($node, $order) = @_;
	my $wrong = 0;
	my $runs = 0;
	my $expected = $node->safe_psql('postgres',
		"SET ruvector.neural_dag_enabled = off; $query");

	$node->safe_psql('postgres', 'SELECT pg_stat_statements_reset()');
	do
	{
		$runs++;
		$wrong++ if $node->safe_psql('postgres', $query) ne $expected;
	} until ($runs >= 6 && proven($node, 'postgres') || $runs == 25);
	is($wrong, 0, "$order: the rows are right");
	is($node->safe_psql('postgres', q{
SELECT sum(s.calls), sum(s.rows) FROM pg_stat_statements s
JOIN ruvector_dag_queries() q USING (queryid) WHERE q.query LIKE '%b.aid = a.key%'}),
		"$runs|$runs", "$order: pg_stat_statements counts every execution once");
	# to a hash join as a rule; an arm may have another answer
	isnt(first_plan($node, 'postgres'), 'nested loop', "$order: the plan is changed");
	return;
}

sub no_crash
{
	my ($node, $what) = @_;

	unlike(slurp_file($node->logfile),
		qr/PANIC|TRAP|was terminated by signal|WARNING:.*(leak|still referenced)/,
		"$what: no crash");
	return;
}

sub learners
{
	my ($node) = @_;

	return $node->safe_psql('postgres', q{
SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_stat_activity
WHERE backend_type = 'ruvector_dag learner'});
}

sub learner_pid
{
	my ($node, $db) = @_;

	return $node->safe_psql('postgres', qq{
SELECT pid FROM pg_stat_activity
WHERE backend_type = 'ruvector_dag learner' AND datname = '$db'});
}

1;
