# Who may do what, with sessions of their own rather than SET ROLE; a library
# that is not preloaded; what a dump carries over.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# All functions that need shared memory, with arguments that are valid.
my @calls = (
	"ruvector_enable_neural_dag('t')", "ruvector_disable_neural_dag('t')",
	"ruvector_neural_dag_enabled('t')", 'ruvector_dag_config()',
	'ruvector_dag_reset()', 'ruvector_dag_patterns()',
	'ruvector_dag_pin(1, 1)', 'ruvector_dag_unpin(1)',
	"ruvector_dag_explain('SELECT 1')", 'ruvector_dag_block(1)', 'ruvector_dag_unblock(1)',
	'ruvector_dag_queries()', 'ruvector_dag_plans()',
	'ruvector_dag_rows()', 'ruvector_dag_trajectories()',
	'ruvector_dag_learning_stats()', 'ruvector_dag_health_report()',
	'ruvector_dag_memory()', 'ruvector_dag_learn()',
	"ruvector_dag_extract_patterns()", "ruvector_dag_consolidate_patterns()",
	"ruvector_dag_attention('SELECT 1')",
	"ruvector_dag_critical_path('SELECT 1')",
	"ruvector_dag_bottlenecks('SELECT 1')",
	"ruvector_dag_mincut_analysis('SELECT 1')",
	"ruvector_dag_mincut_criticality('t')",
	"ruvector_dag_estimate('SELECT 1')", "ruvector_dag_latency()");

# ---- not preloaded ---------------------------------------------------------

my $bare = PostgreSQL::Test::Cluster->new('bare');
$bare->init;
$bare->start;
$bare->safe_psql('postgres',
	'CREATE EXTENSION ruvector_dag; CREATE TABLE t (id int)');

foreach my $call (@calls)
{
	my ($rc, $out, $err) = $bare->psql('postgres',
		"\\set VERBOSITY verbose\nSELECT $call");
	like($err, qr/RV010: ruvector_dag is not loaded by shared_preload_libraries/,
		"not preloaded: $call");
}
my ($rc, $out, $err) = $bare->psql('postgres', 'SELECT ruvector_dag_memory()');
like(
	$err,
	qr/HINT:  Put shared_preload_libraries = 'ruvector_dag' into postgresql.conf/,
	'the hint names the line to put into postgresql.conf');

# every function of the extension that is not a trigger, and that does not
# work by itself, has been called
my $names = join(', ', map { /^(\w+)/; "'$1'" } @calls);
is( $bare->safe_psql(
		'postgres',
		"SELECT string_agg(p.proname, ', ') FROM pg_proc p
			JOIN pg_depend d ON d.classid = 'pg_proc'::regclass
				AND d.objid = p.oid AND d.deptype = 'e'
		WHERE p.pronamespace <> 'ruvector'::regnamespace
			AND p.proname LIKE 'ruvector%' AND p.proname NOT IN ($names)
			AND p.provolatile <> 'i' AND p.proname <> 'ruvector_hdc_encode'"),
	'', 'no function was forgotten');

is( $bare->safe_psql(
		'postgres',
		"LOAD 'ruvector_dag'; INSERT INTO t VALUES (1); SELECT count(*) FROM t"),
	'1', 'LOAD changes nothing for statements');
is( $bare->safe_psql(
		'postgres',
		"INSERT INTO ruvector.dag_tables (relid) VALUES ('t'); DROP TABLE t;
		SELECT count(*) FROM ruvector.dag_tables"),
	'0', 'the triggers work without shared memory');
$bare->safe_psql('postgres', 'DROP EXTENSION ruvector_dag');
$bare->stop;

# ---- preloaded -------------------------------------------------------------

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(auth_extra => [ '--create-role', 'alice,bob,carol,dave' ]);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'ruvector_dag'
max_worker_processes = 16
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE alice LOGIN;
CREATE ROLE bob LOGIN;
CREATE ROLE carol LOGIN IN ROLE pg_read_all_stats;
CREATE ROLE dave LOGIN CREATEDB;
CREATE DATABASE other OWNER dave;
SQL

sub as_user
{
	my ($user, $sql, $db) = @_;
	my ($rc, $out, $err) = $node->psql($db // 'postgres', $sql,
		extra_params => [ '-U', $user ]);
	return ($rc, $out, $err);
}

($rc, $out, $err) = as_user('dave', 'CREATE EXTENSION ruvector_dag', 'other');
like($err, qr/permission denied to create extension/, 'not trusted');

# the role of administrators is there already for the second database
$node->safe_psql('postgres', 'CREATE EXTENSION ruvector_dag');
$node->safe_psql('other', 'CREATE EXTENSION ruvector_dag');
is( $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_roles WHERE rolname = 'ruvector_dag_admin' AND NOT rolcanlogin"),
	'1', 'one role of administrators');

foreach my $db ('postgres', 'other')
{
	$node->poll_query_until($db,
		"SELECT NOT ruvector_dag_health_report() -> 'issues' ?| ARRAY[
			'no learner is running in this database',
			'the learner is still loading: nothing is steered yet']")
	  or die "no learner in $db";
}

($rc, $out, $err) = as_user('dave', 'SELECT ruvector_enable_neural_dag()', 'other');
is($out, 't', "a database's owner may enable it");
($rc, $out, $err) = as_user('alice', 'SELECT ruvector_enable_neural_dag()');
like($err, qr/permission denied to switch ruvector_dag for database/,
	'others may not');
$node->safe_psql('postgres', 'GRANT ruvector_dag_admin TO bob');
($rc, $out, $err) = as_user('bob', 'SELECT ruvector_dag_reset() >= 0');
is($out, 't', 'an administrator by GRANT may reset');
$node->safe_psql('postgres', 'REVOKE ruvector_dag_admin FROM bob');
($rc, $out, $err) = as_user('bob', 'SELECT ruvector_dag_reset()');
like($err, qr/permission denied for function ruvector_dag_reset/,
	'and no longer after REVOKE');

# Who ran it sees the text; who may read the table sees the counts.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE private (id int, kind int);
INSERT INTO private SELECT i, i % 4 FROM generate_series(1, 400) i;
ALTER TABLE private OWNER TO alice;
SELECT ruvector_enable_neural_dag('private', '{"dag_min_cost": 0}');
SQL
($rc, $out, $err) = as_user('alice',
	"SELECT count(*) FROM private WHERE kind = 3");
is($out, '100', 'the statement runs');
is( $node->safe_psql('postgres', "SELECT ruvector_dag_learn() ->> 'success'"),
	'true', 'and is drained');

my $texts = "SELECT query FROM ruvector_dag_queries('private')
	WHERE query LIKE '%kind = 3' AND query NOT LIKE '%ruvector%'
		OR query = '<insufficient privilege>'";
my $counts = "SELECT count(*) FROM ruvector_dag_rows('private')";
my %sees = (
	alice => [ 'SELECT count(*) FROM private WHERE kind = 3', 1 ],
	bob => [ '<insufficient privilege>', 0 ],
	carol => [ 'SELECT count(*) FROM private WHERE kind = 3', 1 ]);
foreach my $user (sort keys %sees)
{
	($rc, $out, $err) = as_user($user, "SELECT DISTINCT query FROM ($texts) AS t");
	is($out, $sees{$user}[0], "text as $user sees it");
	($rc, $out, $err) = as_user($user, $counts);
	is($out, $sees{$user}[1], "counts as $user sees them");
	($rc, $out, $err) = as_user($user,
		"SELECT count(*) FROM ruvector_dag_queries('private')
		WHERE query LIKE '%kind%' AND query NOT LIKE '%ruvector%'");
	is($out, $sees{$user}[1], "no other column tells $user the text");
}
# of a statement that only ever failed neither text nor tables are known
($rc, $out, $err) = as_user('alice', 'SELECT 1 / (kind - kind) FROM private');
like($err, qr/division by zero/, 'a statement fails');
($rc, $out, $err) = as_user('bob',
	"SELECT count(*) FROM ruvector_dag_plans() WHERE skeleton LIKE '%private%'");
is($out, '0', 'and its plan is not for everybody');
is( $node->safe_psql('other', 'SELECT count(*) FROM ruvector_dag_rows()'),
	'0', 'another database shows nothing of it');

# Nobody reads the tables themselves, not even through the functions' owner.
($rc, $out, $err) = as_user('carol', 'SELECT * FROM ruvector.dag_classes');
like($err, qr/permission denied for schema ruvector/, 'tables are closed');

# ---- dump and restore ------------------------------------------------------

my $dump = $node->backup_dir . '.sql';
$node->command_ok(
	[ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
# other OIDs than in the database that was dumped
$node->safe_psql('restored', 'CREATE TABLE in_between (); DROP TABLE in_between');
$node->command_ok(
	[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $node->connstr('restored') ],
	'restore');
is( $node->safe_psql('restored',
		"SELECT ruvector_neural_dag_enabled('private'), ruvector_neural_dag_enabled()"),
	't|f', 'what is enabled is enabled after a restore');
isnt(
	$node->safe_psql('restored', "SELECT 'private'::regclass::oid"),
	$node->safe_psql('postgres', "SELECT 'private'::regclass::oid"),
	'under another OID');

$node->stop;
done_testing();
