# The neural core in the loop: each learned number changes what is done, and
# with the part switched off it does not.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use RvdTest;

my $node = new_server('neural', "ruvector.dag_regret_limit = 1\n");
set_up($node, 'postgres');

sub stat_of
{
	my ($key) = @_;
	return $node->safe_psql('postgres',
		"SELECT ruvector_dag_learning_stats() #>> '{$key}'");
}

# The same joins, another output: a class of its own with nearly this plan.
sub sibling
{
	my ($output) = @_;
	(my $sql = $query) =~ s/count\(\*\)/$output/;
	return $sql;
}

sub run_with
{
	my ($sql, $settings) = @_;
	return $node->safe_psql('postgres', ($settings // '') . "$sql;");
}

# ---- one statement is learned, timed, and trained on --------------------------
cmp_ok(teach($node, 'postgres'), '>', 0, 'the query is steered');
$node->safe_psql('postgres', "$query;" x 70);
cmp_ok(stat_of('neural,timed_runs'), '>', 0, 'some of its runs were timed');
is($node->safe_psql('postgres', q{
SELECT count(*) FROM jsonb_each(ruvector_dag_learning_stats() -> 'neural' -> 'kernels')
WHERE (value ->> 'overlap')::float8 BETWEEN 0.01 AND 1}),
	'8', 'every kernel was scored by them');
learn($node, 'postgres');
is($node->safe_psql('postgres',
	q{SELECT ruvector_dag_learn() #>> '{training,skipped}'}), 'true',
	'a second cycle at once has nothing to train on');
cmp_ok(stat_of('neural,training_cycles'), '>', 0, 'a cycle trained');
cmp_ok(stat_of('neural,model_samples'), '>=', 50, 'on what was recorded');

# ---- the model predicts --------------------------------------------------------
$node->safe_psql('postgres', $query);
learn($node, 'postgres');
is($node->safe_psql('postgres', q{
SELECT predicted_us BETWEEN execution_us / 20 AND execution_us * 20
  AND attention_type IS NOT NULL AND quality BETWEEN 0 AND 1
FROM ruvector_dag_trajectories() ORDER BY trajectory_id DESC LIMIT 1}),
	't', 'a run after it was predicted, weighed and judged');
is($node->safe_psql('postgres', qq{
SELECT learned_estimate > 0 AND confidence BETWEEN 0 AND 1
FROM ruvector_dag_estimate('$query') WHERE metric = 'execution time (ms)'}),
	't', 'and the estimate function shows a prediction');

# ---- first runs: a memory of what was proven -----------------------------------
my $trials = stat_of('trials');
my $plain = run_with(sibling('count(*) + 1'),
	'SET ruvector.debug_parts_off = \'btsp,bank\';');
is(stat_of('trials'), $trials,
	'without memories and patterns a first run is no trial');
is(stat_of('neural,recalls'), '0', 'and nothing is recalled');
my $recalled = run_with(sibling('count(*) + 2'));
is(stat_of('neural,recalls') + stat_of('neural,pattern_hits'), 1,
	'a near-identical statement recalls the proven plan');
is(stat_of('neural,first_run_trials'), '1', 'and its first run is a trial');
is(stat_of('trials'), $trials + 1, 'counted as one');
is($recalled, $plain + 1, 'with the right rows');

# ---- a catastrophe is not repeated on a sibling ---------------------------------
# A stable function that sleeps as told: the reference is quick when measured
# and slow when tried.
$node->safe_psql('postgres', q{
CREATE FUNCTION nap(int) RETURNS int STABLE LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(current_setting('test.nap')::float8); RETURN $1; END $$});
my $nap = sub { "SET test.nap = '$_[0]';" };
my $slow = sub {
	my ($output) = @_;
	return sibling($output) . ' AND nap(a.id) = a.id';
};

sub teach_baseline
{
	my ($sql) = @_;
	# what is to be seen is the veto, not a first run
	run_with($sql, $nap->(0) . 'SET ruvector.debug_parts_off = \'btsp,bank\';')
	  for 1 .. 2;
	return;
}
teach_baseline($slow->('count(*)'));
# A first trial is short; with three times the budget it proves something.
# The model, which takes the candidate for a good one, shall not keep it from that.
run_with($slow->('count(*)'), $nap->('0.01') .
	  'SET ruvector.debug_parts_off = \'model\'; SET ruvector.dag_trial_budget = 3;');
my $abandoned = stat_of('trials_abandoned');
is($abandoned, '1', 'its trial was abandoned');

teach_baseline($slow->('count(*) + 1'));
$trials = stat_of('trials');
my $vetoes = stat_of('neural,vetoes');
run_with($slow->('count(*) + 1'), $nap->(0));
is(stat_of('trials'), $trials, 'its plan is not tried on a sibling');
cmp_ok(stat_of('neural,vetoes'), '>', $vetoes, 'because a memory forbids it');

teach_baseline($slow->('count(*) + 2'));
$trials = stat_of('trials');
run_with($slow->('count(*) + 2'),
	$nap->(0) . 'SET ruvector.debug_parts_off = \'btsp\';');
is(stat_of('trials'), $trials + 1, 'without the memory it is');

# ---- what was learned outlives the server ---------------------------------------
learn($node, 'postgres');
my @keys = ('neural,patterns', 'neural,model_samples', 'neural,timed_runs');
my @before = map { stat_of($_) } @keys;
$node->stop('immediate');
$node->start;
learn($node, 'postgres');
is_deeply([ map { stat_of($_) } @keys ], \@before,
	'patterns, model and kernels are loaded again');
is($node->safe_psql('postgres',
	'SELECT count(*) > 0 FROM ruvector.dag_memories'), 't',
	'memories are kept');
teach_baseline($slow->('count(*) + 3'));
$trials = stat_of('trials');
$vetoes = stat_of('neural,vetoes');
run_with($slow->('count(*) + 3'), $nap->(0));
cmp_ok(stat_of('neural,vetoes'), '>', $vetoes, 'and recalled after a restart');

# ---- kernels: what is chosen follows what was rewarded ---------------------------
is($node->safe_psql('postgres', qq{
SELECT bool_and(abs(total - 1) < 0.001) FROM (
  SELECT sum(weight) AS total FROM unnest(ARRAY['auto', 'ensemble',
    'topological', 'causal_cone', 'critical_path', 'mincut_gated',
    'hierarchical_lorentz', 'parallel_branch', 'temporal_btsp']) kind,
    ruvector_dag_attention('$query', kind) GROUP BY kind) x}),
	't', 'weights of every kernel sum to 1');
$node->safe_psql('postgres', qq{
SET ruvector.dag_attention_type = 'hierarchical_lorentz'; $query});
learn($node, 'postgres');
is($node->safe_psql('postgres', q{
SELECT attention_type FROM ruvector_dag_trajectories()
ORDER BY trajectory_id DESC LIMIT 1}),
	'hierarchical_lorentz', 'the kernel asked for is the one used');

$node->stop;
done_testing();
