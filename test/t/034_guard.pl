# The guard: the server changes its mind, tables change, an administrator says
# what is to be done.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

my $node = new_server('guard', "ruvector.dag_regret_limit = 1\n");
set_up($node, 'postgres');
# nothing is learned here: no arm at all
$node->safe_psql('postgres', 'UPDATE ruvector.dag_arms SET enabled = false');

# Few rows of few.k are 7.  The server looks each of them up in many, until it
# is told that most rows are 7: then it reads all of many, which takes a
# hundred times as long.
$node->safe_psql('postgres', q{
CREATE TABLE few (k int, v int);
INSERT INTO few SELECT CASE WHEN i % 1000 = 0 THEN 7 ELSE 0 END, i FROM generate_series(1, 20000) i;
CREATE INDEX few_k ON few (k);
CREATE TABLE many (id int PRIMARY KEY, w int);
INSERT INTO many SELECT i, i FROM generate_series(1, 300000) i;
VACUUM ANALYZE few; VACUUM ANALYZE many});
my $join = 'SELECT count(w) FROM few JOIN many ON many.id = few.v WHERE few.k = 7';

sub mislead
{
	# the rows are gone again, what ANALYZE saw of them stays
	$node->safe_psql('postgres', q{
INSERT INTO few SELECT 7, -i FROM generate_series(1, 200000) i;
ANALYZE few; DELETE FROM few WHERE v < 0});
}

sub plan_of
{
	my ($sql, $sets) = @_;
	my $text = $node->safe_psql('postgres',
		($sets // '') . "; SET ruvector.dag_explain = off; EXPLAIN (COSTS OFF) $sql");

	return $text =~ /Hash Join/ ? 'hash join' : $text =~ /Nested Loop/ ? 'nested loop' : $text;
}

sub role_of
{
	my ($what) = @_;
	return $node->safe_psql('postgres', qq{
SELECT role || ': ' || (history -> -1 ->> 'reason') FROM ruvector_dag_plans()
WHERE skeleton ~ '$what' AND skeleton ~ 'few'});
}

# ---- the server changes its mind, for the worse ------------------------------------
my $stock = 'SET ruvector.neural_dag_enabled = off';
is(plan_of($join), 'nested loop', 'looked up one by one');
$node->safe_psql('postgres', $join) for 1 .. 2;
mislead();
is(plan_of($join, $stock), 'hash join', 'the server thinks otherwise now');
my $log = -s $node->logfile;
is($node->safe_psql('postgres', $join), '20', 'the rows are right');
my $said = slurp_file($node->logfile, $log);
like($said, qr/keeps its plan, though the server would now choose another/, 'it is logged');
like($said, qr/Trigger: ANALYZE of few at .*Kept plan.*Nested Loop.*New plan.*Hash Join/s,
	'with the trigger and both plans');
is(plan_of($join), 'nested loop', 'the old plan is kept in use');
is(role_of('Nested Loop'), 'proven: kept in use after the server changed its plan', 'and says why');
is(role_of('Hash Join'), 'rejected: did not finish within its trial budget',
	'what the server would choose was tried, and was not as good');
$node->safe_psql('postgres', $join) for 1 .. 3;
is(plan_of($join), 'nested loop', 'for good');

# what was held outlives the server
learn($node, 'postgres');
$node->stop('immediate');
$node->start;
learn($node, 'postgres');
is(plan_of($join), 'nested loop', 'also after a restart');

# ---- for the better: the new plan is adopted ----------------------------------------
my $all = 'SELECT count(w) FROM few JOIN many ON many.id = few.v WHERE few.k = 0 AND few.v > 10';
$node->safe_psql('postgres', q{
CREATE STATISTICS none ON k, v FROM few;
UPDATE pg_class SET reltuples = 10, relpages = 1 WHERE relname = 'few'});
my $before = plan_of($all, $stock);
$node->safe_psql('postgres', $all) for 1 .. 2;
$node->safe_psql('postgres', 'VACUUM ANALYZE few');
SKIP:
{
	my $after = plan_of($all, $stock);
	$node->safe_psql('postgres', $all);
	# where the server had the same plan before, there is nothing to adopt
	skip "the plan did not change ($before)", 1 if $after eq $before;
	is(plan_of($all), $after, 'a plan that is as good is adopted');
}

# ---- without the guard's memory it would have been taken ------------------------------
$node->safe_psql('postgres', 'SELECT ruvector_dag_reset()');
mislead();
$node->safe_psql('postgres', $join);
is(plan_of($join), 'hash join', 'a statement not measured before has nothing to hold on to');

# ---- pin and block -----------------------------------------------------------------------
$node->safe_psql('postgres', q{SELECT ruvector_dag_reset();
UPDATE ruvector.dag_arms SET enabled = arm_id = 1});
ok(teach($node, 'postgres'), 'a better plan was found');
is(first_plan($node, 'postgres'), 'hash join', 'and is used');
my ($class, $baseline) = split /\|/, $node->safe_psql('postgres', q{
SELECT queryid, plan_id FROM ruvector_dag_plans()
WHERE role = 'baseline' AND skeleton ~ 'on a' LIMIT 1});
is($node->safe_psql('postgres', "SELECT ruvector_dag_pin($class, $baseline)"), 't', 'pinned');
is($node->safe_psql('postgres', "SELECT ruvector_dag_pin($class, $baseline)"), 'f', 'it was already');
is(first_plan($node, 'postgres'), 'nested loop', 'the pinned plan is used');
is($node->safe_psql('postgres', "SELECT state FROM ruvector_dag_queries() WHERE queryid = $class"),
	'pinned', 'and shown as that');
my $trials = $node->safe_psql('postgres', q{SELECT ruvector_dag_learning_stats() ->> 'trials'});
$node->safe_psql('postgres', $query) for 1 .. 3;
is($node->safe_psql('postgres', q{SELECT ruvector_dag_learning_stats() ->> 'trials'}), $trials,
	'nothing is tried against it');
learn($node, 'postgres');
$node->restart;
learn($node, 'postgres');
is(first_plan($node, 'postgres'), 'nested loop', 'a pin outlives the server');
is($node->safe_psql('postgres', "SELECT ruvector_dag_unpin($class)"), 't', 'unpinned');
is(first_plan($node, 'postgres'), 'hash join', 'the learner has it again');
is($node->safe_psql('postgres', "SELECT ruvector_dag_block($class)"), 't', 'blocked');
is(first_plan($node, 'postgres'), 'nested loop', 'the server plans it');
is($node->safe_psql('postgres', "SELECT state FROM ruvector_dag_queries() WHERE queryid = $class"),
	'blocked', 'and it is shown as blocked');
is($node->safe_psql('postgres', "SELECT ruvector_dag_unblock($class)"), 't', 'unblocked');
is(first_plan($node, 'postgres'), 'hash join', 'and it is steered again');
my ($rc, $out, $err) = $node->psql('postgres', "SELECT ruvector_dag_pin($class, 1)");
like($err, qr/has no plan 1/, 'a plan that is not there cannot be pinned');
($rc, $out, $err) = $node->psql('postgres', 'SELECT ruvector_dag_block(1)');
like($err, qr/query 1 is not known/, 'nor a class blocked');

# ---- the tables change ------------------------------------------------------------------------
$node->safe_psql('postgres', $query);
$node->safe_psql('postgres', 'CREATE INDEX later ON b (x, aid)');
$node->safe_psql('postgres', $query);
is($node->safe_psql('postgres', q{
SELECT count(*) > 0 FROM ruvector_dag_plans() p, jsonb_array_elements(history) h
WHERE h ->> 'reason' ~ 'to be proven again' OR role = 'proven'}), 't',
	'a new index makes it look again, and something is in use');
is($node->safe_psql('postgres', $query), '200', 'with the right rows');

done_testing();
