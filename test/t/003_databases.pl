# Many databases: apart in what they know, and free to come and go.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

my $node = new_server('databases');

# Only where the extension is
$node->safe_psql('postgres', 'CREATE DATABASE one');
$node->safe_psql('postgres', 'CREATE DATABASE two');
$node->safe_psql('postgres', 'CREATE DATABASE without');
set_up($node, 'one');
set_up($node, 'two');
is(learners($node), 'one two', 'a learner in each database with the extension');
cmp_ok(teach($node, 'one'), '>', 0, 'learned in one database');
is(digest($node, 'two') =~ /proven/ ? 'known' : 'unknown', 'unknown',
	'unknown in the other');
is(first_plan($node, 'two'), 'nested loop', 'and not steered there');
is($node->safe_psql('without', 'SELECT 1'), '1',
	'a database without the extension works');

# A table that goes is no longer enabled, whoever drops it
$node->safe_psql('one', q{
CREATE ROLE nobody_special;
GRANT CREATE ON SCHEMA public TO nobody_special;
SET ROLE nobody_special;
CREATE TABLE mine AS SELECT 1 AS i;
SELECT ruvector_enable_neural_dag('mine');
});
is($node->safe_psql('one', 'SELECT relid FROM ruvector.dag_tables ORDER BY relid::oid'),
	"-\nmine", 'enabled by its owner');
$node->safe_psql('one', q{
SET ROLE nobody_special;
SET search_path = '';
DROP TABLE public.mine});
is($node->safe_psql('one', 'SELECT relid FROM ruvector.dag_tables'),
	'-', 'dropped by its owner, who may not touch our tables');

# Dump and restore
$node->safe_psql('one', q{SELECT ruvector_enable_neural_dag('a', '{"dag_mode": "observe"}')});
learn($node, 'one');
my $dump = $node->basedir . '/dump.sql';
command_ok([ 'pg_dump', '-f', $dump, $node->connstr('one') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump,
		$node->connstr('restored') ], 'restore');
for my $table (qw(tables classes instances plans row_knowledge trajectories))
{
	my $all = "SELECT t::text FROM ruvector.dag_$table t ORDER BY 1";
	my $rows = $node->safe_psql('one', $all);

	isnt($rows, '', "dag_$table: there is something to restore");
	is($node->safe_psql('restored', $all), $rows, "dag_$table: restored");
}
$node->safe_psql('one', q{SELECT ruvector_disable_neural_dag('a')});
$node->safe_psql('restored', 'SELECT count(*) FROM a WHERE g = 1');
learn($node, 'restored');
pass('a learner writes where another one did before');

# DDL that needs the database to itself
$node->safe_psql('postgres', 'DROP DATABASE restored');
pass('DROP DATABASE while its learner runs');
$node->safe_psql('postgres', 'DROP DATABASE two WITH (FORCE)');
pass('the same WITH (FORCE)');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE one');
pass('CREATE DATABASE from one with a learner');
learn($node, 'copy');
$node->safe_psql('postgres', 'ALTER DATABASE copy RENAME TO renamed');
pass('ALTER DATABASE RENAME');
learn($node, 'one');
learn($node, 'renamed');
is(learners($node), 'one renamed', 'learners in what is left');
is(first_plan($node, 'renamed'), 'hash join', 'the copy knows what one knew');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|learner.*ERROR/,
	'no learner failed');

# No background worker to be had: the launcher and the server's own for
# logical replication take both
$node->append_conf('postgresql.conf', 'max_worker_processes = 2');
$node->restart;
is($node->safe_psql('one', $query), '200', 'statements run without a learner');
my (undef, undef, $error) = $node->psql('one', 'SELECT ruvector_dag_learn()');
like($error, qr/no learner is running in this database/, 'which is said');
my $logged = 0;
for (1 .. 100)
{
	$logged = slurp_file($node->logfile) =~ /no background worker slot is free/;
	last if $logged;
	select undef, undef, undef, 0.1;
}
ok($logged, 'and logged');
$node->append_conf('postgresql.conf', 'max_worker_processes = 20');
$node->restart;
learn($node, 'one');
is(first_plan($node, 'one'), 'hash join', 'with workers all is as before');

$node->stop;
done_testing();
