# Processes that die, and writes that fail.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

my $node = new_server('crash');

set_up($node, 'postgres');
cmp_ok(teach($node, 'postgres'), '>', 0, 'a better plan was found');
learn($node, 'postgres');
my $known = digest($node, 'postgres');

# Kill a process and wait until the server is back.
sub kill_and_wait
{
	my ($pid) = @_;
	my $started = $node->safe_psql('postgres',
		q{SELECT backend_start FROM pg_stat_activity
		  WHERE backend_type = 'checkpointer'});

	kill 'KILL', $pid;
	$node->poll_query_until('postgres', qq{
SELECT backend_start > '$started' FROM pg_stat_activity
WHERE backend_type = 'checkpointer'}) or die 'the server did not come back';
}

sub check_all_known
{
	my ($what) = @_;

	learn($node, 'postgres');
	is(digest($node, 'postgres'), $known, "$what: all is known again");
	is(first_plan($node, 'postgres'), 'hash join', "$what: steered again");
}

# kill -9
my ($in, $out) = ('', '');
my $session = IPC::Run::start(
	[ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
	'<', \$in, '>', \$out, '2>', \my $err);
$in .= "SELECT pg_backend_pid();\n";
$session->pump until $out =~ /(\d+)\s/;
kill_and_wait($1);
$session->finish;
check_all_known('backend killed');

my $pid = learner_pid($node, 'postgres');
kill_and_wait($pid);
check_all_known('learner killed');
isnt(learner_pid($node, 'postgres'), $pid, 'it is another learner');

kill_and_wait($node->safe_psql('postgres', q{
SELECT pid FROM pg_stat_activity
WHERE backend_type = 'ruvector_dag launcher'}));
check_all_known('launcher killed');

# pg_terminate_backend: gone in order, back in some seconds, nothing unloaded
$pid = learner_pid($node, 'postgres');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
check_all_known('learner terminated');
isnt(learner_pid($node, 'postgres'), $pid, 'a new learner took over');

# A write that fails is made up for; the learner does not die of it
$pid = learner_pid($node, 'postgres');
$node->safe_psql('postgres', q{
ALTER TABLE ruvector.dag_classes ADD CONSTRAINT never CHECK (false) NOT VALID});
$node->safe_psql('postgres', 'SELECT count(*) FROM a WHERE g = 11 AND id > 0');
my ($status, undef, $error) =
  $node->psql('postgres', 'SELECT ruvector_dag_learn()');
isnt($status, 0, 'a cycle that cannot write fails');
like($error, qr/the learning cycle failed/, 'and says so');
like(slurp_file($node->logfile), qr/violates check constraint "never"/,
	'the log has the reason');
is(first_plan($node, 'postgres'), 'hash join', 'steering goes on');
$node->safe_psql('postgres', 'ALTER TABLE ruvector.dag_classes DROP CONSTRAINT never');
$known = digest($node, 'postgres');
learn($node, 'postgres');
is(learner_pid($node, 'postgres'), $pid, 'the learner has survived');
$node->stop('immediate');
$node->start;
check_all_known('after a write had failed');

# A locked table: nobody waits for the learner, nor it for anybody
$pid = learner_pid($node, 'postgres');
($in, $out) = ('', '');
$session = IPC::Run::start(
	[ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
	'<', \$in, '>', \$out, '2>', \$err);
$in .= "BEGIN; LOCK TABLE ruvector.dag_plans;\n\\echo locked\n";
$session->pump until $out =~ /locked/;
$node->safe_psql('postgres', 'SELECT count(*) FROM a WHERE g = 12 AND id > 0');
($status) = $node->psql('postgres', 'SELECT ruvector_dag_learn()');
isnt($status, 0, 'no cycle while a table is locked');
is($node->safe_psql('postgres', q{
SELECT count(*) FROM pg_locks WHERE NOT granted}), '0', 'the learner does not wait for it');
$known = digest($node, 'postgres');
$in .= "COMMIT;\n\\q\n";
$session->finish;
check_all_known('table unlocked');
is(learner_pid($node, 'postgres'), $pid, 'by the same learner');

# DROP EXTENSION: forgotten, also when it is created anew at once
$node->safe_psql('postgres', 'DROP EXTENSION ruvector_dag');
$node->poll_query_until('postgres', q{
SELECT count(*) = 0 FROM pg_stat_activity
WHERE backend_type = 'ruvector_dag learner'})
  or die 'the learner did not leave';
pass('the learner leaves when the extension is dropped');
is(first_plan($node, 'postgres'), 'nested loop', 'and nothing is steered');
$node->safe_psql('postgres', 'CREATE EXTENSION ruvector_dag');
learn($node, 'postgres');
is(digest($node, 'postgres'), '', 'nothing is known in a new extension');
$node->safe_psql('postgres', 'SELECT ruvector_enable_neural_dag()');
teach($node, 'postgres');
$node->safe_psql('postgres',
	'DROP EXTENSION ruvector_dag; CREATE EXTENSION ruvector_dag');
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM ruvector_dag_plans()})
  or die 'the old extension was not forgotten';
learn($node, 'postgres');
is(digest($node, 'postgres'), '', 'nor if it takes the place of another');

$node->stop;
done_testing();
