# Cancels during trials: the smaller version of scripts/cancels, whose program
# it runs (test/cancels.py says what is interrupted how, and what is checked).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

my $count = 100;
my $program = "$FindBin::Bin/../cancels.py";
my $node = new_server('cancels', q{
ruvector.dag_regret_limit = 1
max_connections = 20
});
$node->safe_psql('postgres', 'CREATE EXTENSION ruvector_dag');

my ($out, $err) = ('', '');
my $ok = IPC::Run::run([ 'python3', $program, '--db', $node->connstr('postgres') . ' user='
		. $node->safe_psql('postgres', 'SELECT current_user'), '--count', $count ],
	'>', \$out, '2>', \$err);
my %result = $out =~ /^RESULT (.*)$/m ? $1 =~ /(\w+)=(\d+)/g : ();
diag($out . $err) unless $ok;

is($result{interruptions}, $count, "$count statements were interrupted");
is($result{swallowed}, 0, 'no interruption was swallowed');
is($result{invented}, 0, 'none was invented, and none was left over');
is($result{wrong_state}, 0, 'transactions and rows are as they should be');
cmp_ok($result{honoured} // 0, '>=', $count / 2, 'interruptions were honoured');
cmp_ok($result{trials} // 0, '>', 0, 'trials ran meanwhile');
ok($ok, 'and the program is content');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|was terminated by signal|WARNING:.*leak/,
	'no crash and no leak in the server log');
$node->stop;
done_testing();
