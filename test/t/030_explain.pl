# EXPLAIN's group where only a whole server shows it: a steered statement with
# ANALYZE, EXPLAIN within EXPLAIN, neighbours that instrument, restarts.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

my $node = new_server('explain', "ruvector.dag_regret_limit = 1\n");
set_up($node, 'postgres');

# Under one arm, so that it is known which plan it will be; what is tried when
# is left to chance
$node->safe_psql('postgres', q{UPDATE ruvector.dag_arms SET enabled = false;
INSERT INTO ruvector.dag_arms (arm_id, name, settings) VALUES (31, 'test_hashes', '{"enable_nestloop": "off"}')});
my $steered = '';
for (my $run = 0; $run < 60 && $steered eq ''; $run++)
{
	$node->safe_psql('postgres', $query);
	$steered = $node->safe_psql('postgres',
		q{SELECT plan_id FROM ruvector_dag_plans() WHERE role = 'proven'});
}
isnt($steered, '', 'a statement is steered');

sub explained
{
	my ($options, $what, $before) = @_;
	return $node->safe_psql('postgres', ($before // '') . "EXPLAIN ($options) $what");
}

# The query's only group, checked to be well-formed JSON with one query.
sub group
{
	my ($options, $what, $before) = @_;
	my $queries = decode_json(explained("FORMAT JSON, $options", $what, $before));

	is(scalar(@$queries), 1, "$what, $options: one query");
	is(join(',', sort grep { /^(Plan|Neural DAG)$/ } keys %{ $queries->[0] }),
		'Neural DAG,Plan', 'it has a plan and the group');
	return $queries->[0]{'Neural DAG'};
}

# ---- with and without ANALYZE, by itself and prepared ---------------------------
my $generic = 'SET plan_cache_mode = force_generic_plan;';
my $prepare = "PREPARE p AS $query;";
foreach my $options ('SUMMARY OFF', 'ANALYZE', 'ANALYZE, BUFFERS, TIMING OFF',
	'ANALYZE, BUFFERS, WAL, SETTINGS, VERBOSE')
{
	foreach my $case ([ $query, '' ], [ 'EXECUTE p', $prepare ],
		[ 'EXECUTE p', $generic . $prepare ])
	{
		my $group = group($options, @$case);

		is($group->{'Plan ID'}, $steered, 'of the plan that is proven');
		is($group->{'Role'}, 'proven', 'it says so');
		is($group->{'Arm'}, 'test_hashes', 'with its arm');
		cmp_ok($group->{'Stock Time'}, '>', $group->{'Expected Time'},
			'and what was gained');
	}
	my $text = explained($options, $query);

	like($text, qr/^Neural DAG: plan \Q$steered\E proven \(.+\), .* ms expected instead of .* ms$/m,
		"text, $options");
	is(scalar(() = $text =~ /Neural DAG/g), 1, 'once');
	like(explained("FORMAT XML, $options", $query),
		qr{</Plan>.*\n    <Neural-DAG>\n      <Plan-ID>\Q$steered\E</Plan-ID>\n.*    </Neural-DAG>\n(    .*\n)*  </Query>\n</explain>$}s,
		"xml, $options");
	like(explained("FORMAT YAML, $options", $query),
		qr{^- Plan: \n.*\n  Neural DAG: \n    Plan ID: \Q$steered\E\n    Role: "proven"\n}s,
		"yaml, $options");
	is($node->safe_psql('postgres', "SELECT 1 WHERE xmlparse(document \$x\$"
			. explained("FORMAT XML, $options", $query) . "\$x\$) IS NOT NULL"),
		'1', 'well-formed') if $options eq 'ANALYZE';
}

# ---- looking does not count ----------------------------------------------------------
my $before = digest($node, 'postgres');
explained('FORMAT JSON', $query);
explained('ANALYZE', $query);
is(digest($node, 'postgres'), $before, 'nothing is learned from an EXPLAIN');

# ---- EXPLAIN in what EXPLAIN ANALYZE runs, and neighbours that instrument -------------
$node->safe_psql('postgres', qq{
CREATE FUNCTION looked() RETURNS SETOF text LANGUAGE plpgsql AS \$\$
DECLARE line text;
BEGIN
  FOR line IN EXPLAIN $query LOOP RETURN NEXT line; END LOOP;
  PERFORM ($query);
END \$\$;
CREATE FUNCTION twice() RETURNS bigint LANGUAGE sql AS '$query; SELECT 1::bigint';
CREATE TABLE t (i bigint);
CREATE TABLE u (i bigint);
CREATE RULE also AS ON INSERT TO t DO ALSO INSERT INTO u SELECT a.id FROM a WHERE a.id = 1});
my $outer = 'SELECT count(*) + twice() - 1 FROM looked() l, a WHERE l ~ $x$Neural DAG: plan$x$ AND a.id = 1';
is($node->safe_psql('postgres', $outer), '1', 'EXPLAIN in a function has its group');
my $auto = "LOAD 'auto_explain'; SET auto_explain.log_analyze = on;"
  . ' SET auto_explain.log_nested_statements = on; SET auto_explain.log_min_duration = 0;';
foreach my $neighbour ('', $auto)
{
	my $group = group('ANALYZE', $outer, $neighbour);

	isnt($group->{'Plan ID'}, $steered, 'the outer one has its own');
	is($group->{'Role'}, 'baseline', 'which is a stock plan');
	$group = group('ANALYZE', 'EXECUTE p', $neighbour . $prepare);
	is($group->{'Plan ID'}, $steered, 'a neighbour that instruments changes nothing');
	my $queries = decode_json(explained('ANALYZE, FORMAT JSON',
		'INSERT INTO t SELECT count(*) FROM looked()', $neighbour));
	is(join(',', map { ref $_->{'Neural DAG'} } @$queries), 'HASH,HASH',
		'two queries of a rule have a group each');
}

# ---- errors in the middle leave nothing behind ------------------------------------------
my ($rc, $stdout) = $node->psql('postgres',
	"EXPLAIN ANALYZE SELECT 1 / (g - g) FROM a; EXPLAIN (COSTS OFF) $query;",
	on_error_stop => 0);
like($stdout, qr/Hash Join.*\nNeural DAG: proven, arm "test_hashes"$/s, 'after an error');

# ---- a restart keeps it; without the library there is nothing ------------------------------
$node->restart;
learn($node, 'postgres');
is(group('SUMMARY OFF', $query)->{'Plan ID'}, $steered, 'after a restart');

my @formats = map { "EXPLAIN (FORMAT $_) SELECT * FROM generate_series(1, 10) g;" }
  qw(text json xml yaml);
my $ours = $node->safe_psql('postgres', "@formats");
is($node->safe_psql('postgres',
		"SELECT ruvector_dag_health_report() -> 'metrics' -> 'errors'"),
	'0', 'no error was caught in a hook');
$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', "''");
$node->restart;
is($node->safe_psql('postgres', "@formats"), $ours,
	'what is not seen is explained as without the library');

$node->stop;
done_testing();
