# Every other extension that hooks into planner or executor and is to be had,
# in every order of shared_preload_libraries.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

my ($libdir) = run_command([ 'pg_config', '--pkglibdir' ]);
my @optional = (
	[ 'pg_qualstats', 'Debian: postgresql-NN-pg-qualstats' ],
	[ 'pg_hint_plan', 'not packaged by Debian' ]);
my @libraries = ('pg_stat_statements', 'auto_explain', 'ruvector_dag');
my %here = map { $_->[0] => -e "$libdir/$_->[0].so" } @optional;

foreach my $pair (@optional)
{
  SKIP:
	{
		my ($name, $where) = @$pair;
		skip "$name is not installed ($where)", 1 unless $here{$name};
		push @libraries, $name;
		pass("$name takes part");
	}
}

sub permutations
{
	my @items = @_;

	return [] unless @items;
	return map {
		my $i = $_;
		map { [ $items[$i], @$_ ] }
		  permutations(@items[ grep { $_ != $i } 0 .. $#items ])
	} 0 .. $#items;
}

# Up to four: all orders.  More: each library in each place, both ways round.
sub orders
{
	my @items = @_;

	return permutations(@items) if @items <= 4;
	return map {
		my $i = $_;
		my @turned = @items[ map { ($_ + $i) % @items } 0 .. $#items ];
		([@turned], [ reverse @turned ])
	} 0 .. $#items;
}

my $node = new_server('order', q{
ruvector.dag_regret_limit = 1
auto_explain.log_min_duration = 0
pg_stat_statements.track = all
});
set_up($node, 'postgres');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements');
my $quals = $here{pg_qualstats};
$node->safe_psql('postgres', 'CREATE EXTENSION pg_qualstats') if $quals;

foreach my $list (orders(@libraries))
{
	my $order = join(',', @$list);

	$node->append_conf('postgresql.conf', "shared_preload_libraries = '$order'");
	# of each run, or none would be: a sampled run is not tried
	$node->append_conf('postgresql.conf', 'pg_qualstats.sample_rate = 0') if $quals;
	$node->restart;
	learn($node, 'postgres');
	$node->safe_psql('postgres', 'SELECT ruvector_dag_reset()');
	neighbours_agree($node, $order);
	next unless $quals;

	# Now every run is looked at: the proven plan runs, nothing is tried
	$node->safe_psql('postgres', 'SELECT pg_qualstats_reset()');
	my $trials = $node->safe_psql('postgres',
		"SELECT ruvector_dag_learning_stats() ->> 'trials'");
	$node->safe_psql('postgres', "SET pg_qualstats.sample_rate = 1; $query; $query");
	is($node->safe_psql('postgres', "SELECT ruvector_dag_learning_stats() ->> 'trials'"),
		$trials, "$order: what pg_qualstats samples is not tried");
	cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM pg_qualstats()'), '>', 0,
		"$order: pg_qualstats sees conditions");
}
no_crash($node, 'all orders');
$node->stop;
done_testing();
