#!/usr/bin/perl

# The inspector that waits for a crate: at each step it is killed or stopped, or its worker is, or there are
# no descriptors.  The crate gets its own verdict or none, and the next publish works.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Berth::Agreement qw(agrees staged);
use Berth::Cluster;
use Berth::Fault;
use Berth::Test;

use constant TIMEOUT => 2;

# one worker has one inspector, so that each publish meets what the one before has left
my $t = Berth::Test->new(workers => 1, cache_dir => undef);
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;

my $id = $t->project('demo/registry');
$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');
my ($cases, $version) = (0, 0);
$t->conf(inspector => $fault->inspector, inspect_timeout => TIMEOUT);

# A file comes twice, so that the inspector goes through the crate again, with hashes.
sub publish {
	my ($name) = @_;
	my $text = "$name " . ++$version . "\n";

	return $t->publish($id, $token, $name, "1.0.$version", files => { 'which.txt' => $text },
	    entries => [Berth::Crate::entry("$name-1.0.$version/which.txt", $text)]);
}

sub children {
	my ($pid) = @_;
	my $text = eval { Berth::Cluster::slurp("/proc/$pid/task/$pid/children") };

	return split(' ', $text // '');
}

sub name_of {
	my ($pid) = @_;

	return eval { Berth::Cluster::slurp("/proc/$pid/comm") =~ s/\n//r } // '';
}

# Worker, template and the process that waits for a crate.
sub processes {
	my @found;

	$t->wait_for(sub {
		for my $worker (children($t->pool_pid)) {
			my ($template) = grep { name_of($_) eq 'berth-inspect' } children($worker) or next;
			my ($child) = children($template) or next;

			@found = ($worker, $template, $child);
		}
		return @found;
	}) or die "no inspector waits\n";
	return @found;
}

# Have they ended?  Their parents may not have waited for them yet.
sub gone {
	return !grep { (eval { Berth::Cluster::slurp("/proc/$_/stat") } // '') =~ /\) [^ZX]/ } @_;
}

sub descriptors {
	my ($pid) = @_;

	return scalar(my @all = glob("/proc/$pid/fd/*"));
}

# Breaks something; the publish after that has this status, and the next one succeeds, with another inspector
# unless it $stays.  $dying: what breaks is the process for that next one; wait until its template has ended,
# which takes jobs until then.
sub survives {
	my ($what, $status, $break, $stays, $dying) = @_;
	my $name = 'case-' . ++$cases;
	my ($worker, $template, $child) = processes();

	$break->($worker, $template, $child);
	my $started = time;
	my $res = publish($name);
	like($res->{status}, qr/^(?:$status)\z/, "$what: $status") or diag($res->{body});
	cmp_ok(time - $started, '<', 5 * TIMEOUT, "$what: in time");
	is($t->psql("SELECT count(*) FROM crates WHERE name = '$name'"), $res->{status} == 200 ? 1 : 0,
	    "$what: " . ($res->{status} == 200 ? 'published' : 'nothing is published'));
	ok($t->wait_for(sub { gone($template) }), "$what: it ends") if $dying;
	is(publish($name)->{status}, 200, "$what: the next publish");
	ok($t->wait_for(sub { gone($template, $child) }), "$what: the inspector was replaced") unless $stays;
	# what a killed worker leaves is in t/700-crash.t
	unlink(staged($t)) if gone($worker);
	# which ends after the answer
	ok($t->wait_for(sub { !staged($t) }), "$what: nothing is staged");
	agrees($t, $what, token => $token, only => [$name]);
}

# Kills processes and waits for their end.
sub kills {
	my (@pids) = @_;

	kill(KILL => @pids);
	ok($t->wait_for(sub { gone(@pids) }), 'killed');
}

is(publish('first')->{status}, 200, 'a publish');
my ($worker, $template) = processes();
# a worker answers first and clears up after that
my $descriptors = 0;
$t->wait_for(sub { my $before = $descriptors; return ($descriptors = descriptors($worker)) == $before });
is(publish('first')->{status}, 200, 'another one');
is_deeply([(processes())[0, 1]], [$worker, $template], 'by the same template');
ok($t->wait_for(sub { descriptors($worker) <= $descriptors }, 10), 'which takes no more descriptors');

# point => action, status of the publish that comes there, or either of two; new: that needs a new template,
# stays: or takes none; dying: it is not the publish's own that ends
my %points = (
	forked => ['kill', 200, 'dying'], # the process for the next crate
	taken => ['kill', 500],
	read => ['kill', 500],
	half => ['eio', 500, 'stays'], # of the verdict
	hash => ['eio', 500], # of a file of the crate
	judged => ['kill', 500],
	written => ['kill', 500],
	ended => ['kill', 500], # the template
	handed => ['kill', 503], # the worker
	# the same job once more: the next process refuses it, perhaps before the worker asks how the first has ended
	twice => ['eio', '200|500', 'dying'],
	verdict => ['emfile', 500],
	socket => ['emfile', 500, 'new'],
	errors => ['emfile', 500, 'new'],
);
my %in_source;
for my $file (glob("$Berth::Cluster::ROOT/fcgi/*.c $Berth::Cluster::ROOT/fcgi/{*,*/*}/*.c")) {
	my $source = Berth::Cluster::slurp($file);

	$in_source{$1}++ while $source =~ /\bFAULT_\w+\("inspect", "(\w+)"\)/g;
}
is_deeply([sort keys %points], [sort keys %in_source], 'all points of the sources are here');
for my $point (sort keys %points) {
	my ($action, $status, $is) = (@{ $points{$point} }, '');

	survives("$action at $point", $status, sub {
		kills(@_[1, 2]) if $is eq 'new';
		$fault->arm("inspect:$point", $action);
	}, $is eq 'stays', $is eq 'dying');
	ok($fault->disarm, "$action at $point: reached");
}
like($t->log('pool'), qr/="(?:the inspector's verdict does not end"|[^"]*: job \d+ was handed to )/,
    'a job that came twice is noticed');

like($t->log('pool'), qr/stderr="[^"]*OpenSSL cannot hash a file of the crate/, 'a hash that fails is told');
survives('a verdict and another exit status', 500, sub { $fault->arm('inspect:written', 'eio') }, 'stays');
ok($fault->disarm, 'reached');
like($t->log('pool'), qr/verdict and exit status differ: it has accepted the crate, and exited with 1"/,
    'the log names both');

survives('the template is killed between two publishes', 200, sub { kills($_[1]) });
survives('the process that waits is killed', 200, sub { kills($_[2], $_[1]) });
survives('both are killed', 200, sub { kills(@_[1, 2]) });
survives('the process that waits is stopped', 503, sub { kill(STOP => $_[2]) });
survives('the template is stopped', 503, sub { kill(STOP => $_[1]) });
survives('both are stopped', 503, sub { kill(STOP => @_[1, 2]) });
survives('the process that waits has no room for descriptors', 500, sub {
	is((Berth::Cluster::capture('prlimit', '--pid', $_[2], '--nofile=2'))[0], 0, 'a limit');
});
survives('the worker reloads', 200, sub {
	my @all = @_;

	kill(HUP => $t->pool_pid);
	ok($t->wait_for(sub { gone(@all) }), 'the inspector ends with its worker');
});

my @all = processes();
$t->stop_pool;
ok($t->wait_for(sub { gone(@all) }), 'none outlives the pool');
done_testing();
