# Generic or custom plans: by what they cost, not by what they were estimated to.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

# No trials: what is left is the choice between the two
my $node = new_server('plan_cache', "ruvector.dag_trial_budget = 0\n");
set_up($node, 'postgres');

# Of 20000 rows 300 have v = 0, all with the same key, which a sixth of d has;
# without the value one row is expected, and d is looked up row by row.
$node->safe_psql('postgres', q{
CREATE TABLE skewed AS SELECT i AS id, CASE WHEN i <= 300 THEN 0 ELSE i END AS v,
    CASE WHEN i <= 300 THEN 0 ELSE i END AS key
  FROM generate_series(1, 20000) i;
CREATE INDEX ON skewed (v);
CREATE TABLE d AS SELECT i AS id, CASE WHEN i <= 5000 THEN 0 ELSE i END AS aid
  FROM generate_series(1, 30000) i;
CREATE INDEX ON d (aid);
ANALYZE skewed, d});
my $skewed = 'PREPARE p(int) AS SELECT count(*) FROM skewed s JOIN d ON d.aid = s.key AND d.id = s.id WHERE s.v = $1;';

# One value of v has one row, the other nine two thousand each; planning eight
# relations that all join to each other takes far longer than either run.
$node->safe_psql('postgres', 'CREATE TABLE big AS SELECT i AS k, CASE WHEN i = 1 THEN 9 ELSE i % 9 END AS v FROM generate_series(1, 18000) i; CREATE INDEX ON big (v); ANALYZE big;'
	  . join('', map { "CREATE TABLE c$_ AS SELECT i AS k FROM generate_series(1, 20) i; ANALYZE c$_;" } 1 .. 7));
my $joins = 'PREPARE p(int) AS SELECT count(*) FROM big '
  . join(' ', map { "JOIN c$_ USING (k)" } 1 .. 7) . ' WHERE v = $1;';

# Executions in a session of their own: generic plans among them, and rows.
sub generic
{
	my ($prepare, $value, $n, $before) = @_;
	my $out = $node->safe_psql('postgres', ($before // '') . $prepare
		. "EXECUTE p($value);" x $n
		. 'SELECT generic_plans FROM pg_prepared_statements');
	my @lines = split(/\n/, $out);
	my $generic = pop @lines;
	my %seen = map { $_ => 1 } @lines;

	is(scalar(@lines), $n, "$n results");
	is(scalar(keys %seen), 1, 'all of them equal');
	return $generic;
}
my $off = 'SET ruvector.neural_dag_enabled = off;';

# ---- a generic plan that is a disaster -----------------------------------------
is(generic($skewed, 0, 8, $off), 3, 'the server takes the generic plan after five executions');
my $first = generic($skewed, 0, 60);
cmp_ok($first, '>=', 3, 'it is measured');
# within a second, the time between two invalidations
cmp_ok($first, '<', 50, 'and then given up, in the same session');
is(generic($skewed, 0, 12), 0, 'the next session does not fall for it');
is(generic($skewed, 0, 8, 'SET plan_cache_mode = force_generic_plan;'), 8,
	'unless the user says so');
my $explained = 'SET plan_cache_mode = force_generic_plan;' . $skewed;
my $text = $node->safe_psql('postgres', "$explained EXPLAIN EXECUTE p(0)");
like($text, qr/custom plans, cheaper with their planning/, 'EXPLAIN says so');
like($text, qr/^Aggregate  \(cost=\d+\.\d\d\.\.\d{1,6}\.\d\d /, 'and shows the plan\'s own cost');
$text = $node->safe_psql('postgres', $skewed . 'EXECUTE p(0);' x 7 . 'EXPLAIN EXECUTE p(0)');
like($text, qr/Hash Join/, 'the custom plan is used');

# ---- planning that takes longer than the run ----------------------------------------
is(generic($joins, 9, 8, $off), 0, 'the server plans each time');
my $second = generic($joins, 9, 20);
cmp_ok($second, '>=', 10, 'the generic plan is tried and kept');
# The first planning of a session is slow, and few runs with such a spread leave
# it open: the generic plan is tried on, and the verdict needs more of both.
my $explain = $joins . 'EXECUTE p(9);' x 7 . 'EXPLAIN EXECUTE p(9)';
my $next = 0;
for (1 .. 40)
{
	$next = generic($joins, 9, 12);
	$text = $node->safe_psql('postgres', $explain);
	last if $next >= 6 && $text =~ /cheaper than planning anew/;
}
cmp_ok($next, '>=', 6, 'in a later session, too');
like($text, qr/generic plan, cheaper than planning anew/, 'EXPLAIN says so');
unlike($text, qr/cost=\d+\.\d\d\.\.0\.00 rows=1 width=8/, 'and shows the plan\'s own cost');
is(generic($joins, 9, 8, 'SET plan_cache_mode = force_custom_plan;'), 0,
	'unless the user says so');

# ---- it survives a restart ------------------------------------------------------------
learn($node, 'postgres');
$node->restart;
learn($node, 'postgres');
is(generic($skewed, 0, 8), 0, 'custom after a restart');
cmp_ok(generic($joins, 9, 8), '>=', 2, 'generic after a restart');
is($node->safe_psql('postgres',
		"SELECT ruvector_dag_health_report() -> 'metrics' -> 'errors'"),
	'0', 'no error was caught in a hook');

$node->stop;
done_testing();
