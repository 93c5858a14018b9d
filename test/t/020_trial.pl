# Trials: what is tried, what never is, and that nobody's cancel is lost.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

# Rich enough that no trial is put off for want of an allowance
my $node = new_server('trial', "ruvector.dag_regret_limit = 1\n");
set_up($node, 'postgres');

my $stats = sub {
	my ($key) = @_;
	return $node->safe_psql('postgres',
		"SELECT ruvector_dag_learning_stats() ->> '$key'");
};
my $expected = $node->safe_psql('postgres',
	"SET ruvector.neural_dag_enabled = off; $query");

sub forget
{
	$node->safe_psql('postgres', 'SELECT ruvector_dag_reset()');
}

# Baseline runs, so that the next execution would be a trial.
sub prepare_trial
{
	forget();
	$node->safe_psql('postgres', $query) for 1 .. 2;
	return;
}

# ---- a plain SELECT is tried, and its rows are right -------------------------
prepare_trial();
my $trials = $stats->('trials');
is($node->safe_psql('postgres', $query), $expected, 'a trial gives the rows');
is($stats->('trials'), $trials + 1, 'it was a trial');
is($node->safe_psql('postgres', q{
SELECT count(*) FROM ruvector_dag_plans() WHERE role = 'proven'}),
	'1', 'and a plan was proven by it');

# ---- what must not be tried --------------------------------------------------
my %never = (
	'a cursor' => "BEGIN; DECLARE c CURSOR FOR $query; FETCH ALL FROM c; COMMIT",
	'a cursor WITH HOLD' => "DECLARE c CURSOR WITH HOLD FOR $query; FETCH ALL FROM c",
	'EXPLAIN' => "EXPLAIN $query",
	'EXPLAIN ANALYZE' => "EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) $query",
	'CREATE TABLE AS' => "CREATE TEMP TABLE made AS $query",
	'a serializable transaction' => "BEGIN ISOLATION LEVEL SERIALIZABLE; $query; COMMIT",
	'a transaction that has written' =>
	  "BEGIN; CREATE TEMP TABLE w (i int); INSERT INTO w VALUES (1); $query; COMMIT",
	'a function' => "DO \$\$ BEGIN PERFORM 1 FROM ($query) x; END \$\$",
	'observe mode' => "SET ruvector.dag_mode = observe; $query",
	'advise mode' => "SET ruvector.dag_mode = advise; $query",
	'a budget of nothing' => "SET ruvector.dag_trial_budget = 0; $query",
	'the switch off' => "SET ruvector.neural_dag_enabled = off; $query");
foreach my $what (sort keys %never)
{
	prepare_trial();
	$trials = $stats->('trials');
	$node->safe_psql('postgres', $never{$what});
	is($stats->('trials'), $trials, "no trial: $what");
}
foreach my $pair (
	[ 'FOR UPDATE', "SELECT b.id FROM a JOIN b ON b.aid = a.key AND b.x = a.id WHERE g = 3 AND h = 3 AND k = 3 FOR UPDATE" ],
	[ 'a volatile function', "$query AND random() >= 0" ])
{
	my ($what, $sql) = @$pair;
	forget();
	$trials = $stats->('trials');
	$node->safe_psql('postgres', $sql) for 1 .. 4;
	is($stats->('trials'), $trials, "no trial: $what");
}

# Advise planned it all the same
prepare_trial();
$node->safe_psql('postgres', "SET ruvector.dag_mode = advise; $query");
is($node->safe_psql('postgres', q{
SELECT count(*) FROM ruvector_dag_plans() WHERE role = 'candidate' AND calls = 0}),
	'1', 'advise shows the candidate');

# EXPLAIN is never counted as an execution
forget();
$node->safe_psql('postgres', "EXPLAIN ANALYZE $query") for 1 .. 2;
is($node->safe_psql('postgres', 'SELECT coalesce(sum(calls), 0) FROM ruvector_dag_queries()'),
	'0', 'EXPLAIN ANALYZE is not an execution');

# ---- prepared statements, protocol level portals ------------------------------
prepare_trial();
$trials = $stats->('trials');
is($node->safe_psql('postgres', "PREPARE p AS $query; EXECUTE p"), $expected,
	'a prepared statement gives the rows');
cmp_ok($stats->('trials'), '>', $trials, 'and is tried');

# A cached generic plan: planned once, later decisions reach it
forget();
my $executes = 'EXECUTE p(3);' x 6 . "SELECT pg_sleep(10.5);" . 'EXECUTE p(3);' x 6;
(my $generic = $query) =~ s/g = 3/g = \$1/;
my $out = $node->safe_psql('postgres',
	"SET plan_cache_mode = force_generic_plan; PREPARE p(int) AS $generic; $executes EXPLAIN (COSTS OFF) EXECUTE p(3)");
like($out, qr/Hash Join/, 'a cached generic plan is reached');
is(scalar(() = $out =~ /^$expected$/mg), 12, 'its rows are right all the time');

# ---- abandoned: over budget ----------------------------------------------------
# A stable function that sleeps as told: the reference is quick when measured
# and slow when tried.
$node->safe_psql('postgres', q{
CREATE FUNCTION nap(int) RETURNS int STABLE LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(current_setting('test.nap')::float8); RETURN $1; END $$});
my $slow = "$query AND nap(a.id) = a.id";
my $nap = sub { "SET test.nap = '$_[0]'; $_[1]" };
my $prepare_slow = sub {
	forget();
	$node->safe_psql('postgres', $nap->(0, $slow)) for 1 .. 2;
};
$prepare_slow->();
my $abandoned = $stats->('trials_abandoned');
is($node->safe_psql('postgres', $nap->('0.01', $slow)), $expected,
	'an abandoned trial leaves the rows as they are');
is($stats->('trials_abandoned'), $abandoned + 1, 'it was abandoned');
is($node->safe_psql('postgres', q{
SELECT role, reason FROM (SELECT role, configuration ->> 'reason' AS reason
FROM ruvector_dag_plans()) p WHERE role = 'rejected'}),
	'', 'a first trial is short, and does not reject');
is($node->safe_psql('postgres', q{
SELECT role, configuration ->> 'reason' FROM ruvector_dag_plans()
WHERE role = 'candidate'}),
	'candidate|its trial was stopped early; may be tried for longer', 'and says why');
# one that had longer than the reference takes is not tried again
$prepare_slow->();
$node->safe_psql('postgres', $nap->('0.01', "SET ruvector.dag_trial_budget = 3; $slow"));
is($node->safe_psql('postgres', q{
SELECT configuration ->> 'reason' FROM ruvector_dag_plans() WHERE role = 'rejected'}),
	'did not finish within its trial budget', 'a long one does');

# A function that catches the cancel meant for the trial: its rows are void
$node->safe_psql('postgres', q{
CREATE FUNCTION stubborn(int) RETURNS int STABLE LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(current_setting('test.nap')::float8); RETURN $1;
EXCEPTION WHEN query_canceled THEN RETURN -1; END $$});
(my $caught = $slow) =~ s/nap\(/stubborn(/;
forget();
$node->safe_psql('postgres', $nap->(0, $caught)) for 1 .. 2;
$abandoned = $stats->('trials_abandoned');
is($node->safe_psql('postgres', $nap->('0.01', $caught)), $expected,
	'a caught cancel does not make wrong rows');
is($stats->('trials_abandoned'), $abandoned + 1, 'but an abandoned trial');

# ---- errors of the statement itself ---------------------------------------------
forget();
my ($rc, $stdout, $stderr) = $node->psql('postgres',
	"SELECT 1 / (g - g) FROM a WHERE id = 5");
like($stderr, qr/division by zero/, 'an error is the user\'s');

# Parameters the server itself would not look at
my $unassigned = q{DO $$ DECLARE r record; flag bool := false; n int;
BEGIN SELECT count(*) INTO n FROM a WHERE id = CASE WHEN flag THEN r.id ELSE 5 END; END $$};
my ($stock) = $node->psql('postgres', "SET ruvector.neural_dag_enabled = off; $unassigned");
my ($ours) = $node->psql('postgres', $unassigned);
is($ours, $stock, 'an unassigned record is no more of an error than without us');

# ---- time-outs and cancels: honoured, never swallowed, never invented ------------
my $wrong = 0;
my $cancelled = 0;
for my $i (1 .. 25)
{
	$prepare_slow->() if $i % 5 == 1;
	my $ms = 5 + int(rand(120));
	($rc, $stdout, $stderr) = $node->psql('postgres',
		$nap->('0.005', "SET statement_timeout = $ms; $slow"));
	if ($rc == 0) { $wrong++ if $stdout ne $expected; }
	elsif ($stderr =~ /canceling statement due to statement timeout/) { $cancelled++; }
	else { $wrong++; diag($stderr); }
}
is($wrong, 0, 'statement_timeout is honoured during trials');
cmp_ok($cancelled, '>', 0, 'and did strike');

$wrong = 0;
for my $i (1 .. 6)
{
	$prepare_slow->();
	my ($in, $o, $e) = ('', '', '');
	my $h = IPC::Run::start([ 'psql', '-X', '-A', '-t', '-q', '-d', $node->connstr('postgres'),
			'-c', "SET application_name = 'victim'", '-c', "SET test.nap = '0.05'", '-c', $slow ],
		'<', \$in, '>', \$o, '2>', \$e);
	$node->poll_query_until('postgres', q{
SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'victim'
  AND state = 'active' AND wait_event = 'PgSleep'});
	select(undef, undef, undef, 0.02 * $i);
	$node->safe_psql('postgres', q{
SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'});
	$h->finish;
	$wrong++ unless $e =~ /canceling statement due to user request/ && $o eq '';
}
is($wrong, 0, 'pg_cancel_backend is honoured during trials');

# None invented: many trials, no time-out, no error
forget();
($rc, $stdout, $stderr) = $node->psql('postgres', $nap->(0, "$slow;" x 12));
is($rc, 0, 'no cancel is invented') or diag($stderr);
is($stdout, join("\n", ($expected) x 12), 'and every result is there');

# ---- nothing is left behind --------------------------------------------------------
$out = $node->safe_psql('postgres',
	"BEGIN; $query; SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND mode <> 'AccessShareLock' AND locktype = 'relation'; COMMIT");
like($out, qr/\n0$/, 'no lock but the statement\'s own');
my $log = slurp_file($node->logfile);
unlike($log, qr/leak|PANIC|TRAP|not closed|still referenced|server process .* was terminated/,
	'no leak and no crash in the server log');
is($node->safe_psql('postgres',
		"SELECT ruvector_dag_health_report() -> 'metrics' -> 'errors'"),
	'0', 'no error was caught in a hook');

$node->stop;
done_testing();
