# Numbers of groups: counted, used, shared, kept; never learned from a count
# that was cut.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

my $node = new_server('groups');
set_up($node, 'postgres');

# Three columns that say the same: 50 groups, where the server expects 20,000
$node->safe_psql('postgres', q{
CREATE TABLE f AS SELECT i AS id, i % 50 AS a, i % 50 * 7 AS b, i % 50 + 1000 AS c, i % 3 AS d
  FROM generate_series(1, 200000) i;
CREATE TABLE g AS SELECT i AS id, i % 10 AS k FROM generate_series(0, 49) i;
ANALYZE f, g;});

# Groups expected where learned rows are used; $top: the node that makes them
sub expected
{
	my ($sql, $settings) = @_;
	my $plan = $node->safe_psql('postgres',
		"SET ruvector.debug_arm = learned_rows;" . ($settings // '') . "EXPLAIN $sql");

	return -1 unless $plan =~ /(?:Aggregate|Group|Unique)  \(cost=\S+ rows=(\d+)/;
	return $1;
}

sub forget
{
	$node->safe_psql('postgres', 'SELECT ruvector_dag_reset()');
}

sub learned
{
	return $node->safe_psql('postgres', 'SELECT ruvector_dag_learn()')
	  && $node->safe_psql('postgres',
		'SELECT count(*) FROM ruvector.dag_row_knowledge WHERE kind = 3');
}

my $grouped = 'SELECT a, b, c, count(*) FROM f GROUP BY a, b, c';

# ---- cut: nothing is learned ---------------------------------------------------
$node->safe_psql('postgres', "$grouped LIMIT 1");
$node->safe_psql('postgres', 'SELECT 1 WHERE EXISTS (SELECT a, b, c FROM f GROUP BY a, b, c)');
$node->safe_psql('postgres', "BEGIN; DECLARE c CURSOR FOR $grouped; FETCH 3 FROM c; COMMIT");
is(learned(), 0, 'a count that was cut teaches nothing');
cmp_ok(expected($grouped), '>', 10000, 'the server expects many');

# ---- read to its end ------------------------------------------------------------
$node->safe_psql('postgres', $grouped);
is(expected($grouped), 50, 'one run teaches the number of groups');
cmp_ok(learned(), '>', 0, 'it is in the table');
is(expected("SELECT DISTINCT c, a, b FROM f"), 50, 'DISTINCT asks for the same groups');
is(expected("SELECT c, b, a FROM f GROUP BY 1, 2, 3"), 50, 'grouping without aggregates, too');
is(expected($grouped, 'SET enable_hashagg = off;'), 50, 'by sort as well');
is(expected($grouped, 'SET max_parallel_workers_per_gather = 2;'
	. 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;'), 50,
	'and in parallel');
cmp_ok(expected('SELECT a, b, c, d FROM f GROUP BY a, b, c, d'), '>', 10000,
	'other groups are others');
cmp_ok(expected("SELECT a, b, c FROM f WHERE d < 3 GROUP BY a, b, c"), '>', 10000,
	'of other rows, too');
$node->restart;
learn($node, 'postgres');
is(expected($grouped), 50, 'a restart keeps it');

# ---- HAVING: the groups are counted, not what is left of them -------------------
forget();
$node->safe_psql('postgres', "$grouped HAVING count(*) > 4000");
is(expected($grouped), 50, 'groups that HAVING throws away are counted');

# ---- DISTINCT teaches GROUP BY; over a join; in a subquery ----------------------
forget();
$node->safe_psql('postgres', 'SELECT DISTINCT a, b, c FROM f');
is(expected($grouped), 50, 'DISTINCT teaches GROUP BY');
my $joined = 'SELECT g.k, f.b, f.c, count(*) FROM f JOIN g ON g.id = f.a GROUP BY 1, 2, 3';
$node->safe_psql('postgres', $joined);
is(expected($joined), 50, 'groups of a join');
my $sub = "SELECT count(*) FROM (SELECT g.k, f.b, f.a FROM f JOIN g ON g.id = f.a GROUP BY 1, 2, 3 OFFSET 0) s, g WHERE g.id = s.a";
$node->safe_psql('postgres', $sub);
like($node->safe_psql('postgres', "SET ruvector.debug_arm = learned_rows; EXPLAIN $sub"),
	qr/(?:Aggregate|Group)  \(cost=\S+ rows=50 /, 'groups of a subquery');

# ---- left alone -------------------------------------------------------------------
forget();
my $sets = 'SELECT a, b, c, count(*) FROM f GROUP BY GROUPING SETS ((a, b, c), (a))';
$node->safe_psql('postgres', $sets) for 1 .. 2;
is(learned(), 0, 'grouping sets teach nothing');
$node->safe_psql('postgres', 'SELECT DISTINCT count(*) FROM f GROUP BY d') for 1 .. 2;
is(expected('SELECT count(*) FROM f GROUP BY d'), 3, 'DISTINCT of groups is not their number');

$node->stop;
done_testing();
