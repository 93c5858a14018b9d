# A standby steers with what its primary learned, writes nothing, and goes on
# learning when it is promoted.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

my $primary = new_server('primary');
$primary->safe_psql('postgres', 'CREATE DATABASE doomed');
set_up($primary, 'postgres');
set_up($primary, 'doomed');
cmp_ok(teach($primary, 'postgres'), '>', 0, 'a better plan was found');
learn($primary, 'postgres');

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay');

learn($standby, 'postgres');
is(digest($standby, 'postgres'), digest($primary, 'postgres'),
	'the standby knows what the primary learned');
is(first_plan($standby, 'postgres'), 'hash join', 'and steers by it');
is($standby->safe_psql('postgres', $query), '200', 'statements run there');
learn($standby, 'postgres');

# The learner must not hold up replay
learn($standby, 'doomed');
$primary->safe_psql('postgres', 'DROP DATABASE doomed');
$primary->wait_for_catchup($standby, 'replay');
is($standby->safe_psql('postgres',
		q{SELECT count(*) FROM pg_database WHERE datname = 'doomed'}),
	'0', 'DROP DATABASE is replayed in spite of a learner');
unlike(slurp_file($standby->logfile), qr/in a read-only transaction|during recovery/,
	'nothing tried to write');

$standby->promote;
$standby->safe_psql('postgres', 'SELECT count(*) FROM a WHERE g = 21 AND id > 0');
learn($standby, 'postgres');
is($standby->safe_psql('postgres', q{
SELECT count(*) FROM ruvector.dag_classes
WHERE query LIKE '%g = 21 AND id > 0%'}), '1', 'promoted, it persists what it learns');

$standby->stop;
$primary->stop;
done_testing();
