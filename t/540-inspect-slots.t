#!/usr/bin/perl

# Inspections of crates: a limited number runs at once, two of one actor, in turns and with the lowest
# priority; a publish that finds no slot gets 503 with Retry-After, and no slot is lost with a worker that
# is killed.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Berth::FastCGI;
use Berth::Fault;
use Berth::Metrics;
use Berth::Test;

use constant SLOTS => 3;

my $t = Berth::Test->new(workers => 9, write_workers => 9, inspect_slots => SLOTS, cache_dir => undef);
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;

my $id = $t->project('demo/registry');
my $R = $t->registry($id);

# Each inspection begins when the test says so.
$t->conf(inspector => $fault->inspector);

my %token;
for my $name (qw(one two)) {
	$t->user($name);
	$t->member($name, 'demo', 'developer');
	$token{$name} = $t->token($name);
}
# of one user: slots belong to the user, not to the token
$token{again} = $t->token('one');
$token{deploy} = $t->deploy_token('demo', qw(read write));
$token{job} = $t->job_token('demo/registry', 'two');

my $version = 0;
# Starts a publish; the test reads its answer later.
sub begin {
	my ($who, $name) = @_;
	my $v = '1.0.' . ++$version;
	my $c = Berth::FastCGI->connect($t->socket_path) or die "pool: $!\n";

	$c->send_bytes(Berth::FastCGI::request("$R/api/v1/crates/new", REQUEST_METHOD => 'PUT',
	    REMOTE_ADDR => '127.0.0.1',
	    HTTP_AUTHORIZATION => $token{$who},
	    body => $t->publish_body($t->metadata($name, $v), $t->make_crate($name, $v))));
	return $c;
}

# A field of /proc/PID/stat, from the state on.
sub stat_of {
	my ($pid, $field) = @_;

	return (split(/ /, Berth::Cluster::slurp("/proc/$pid/stat") =~ s/.*\) //sr))[$field];
}

# Waits until the inspection that was told to go on is over.
sub go {
	my ($pid) = @_;

	$fault->release($pid);
	return $t->wait_for(sub { !kill(0, $pid) });
}

my (%told, @nice);
# The pid of the next running inspection that was not told to go on yet.
sub next_one {
	my $pid;

	$t->wait_for(sub { ($pid) = grep { !$told{$_} } $fault->held; return defined $pid }) or return;
	$told{$pid} = 1;
	push @nice, stat_of($pid, 16);
	return $pid;
}

# Inspections that run or wait, by the metrics.
sub counted {
	my $m = Berth::Metrics->parse(Berth::FastCGI::fetch($t->socket_path, '/-/metrics',
	    REMOTE_ADDR => '127.0.0.1')->{body});

	return join(' ', map { $m->value('berth_inspections', state => $_) } qw(running waiting));
}

sub wait_for_count {
	my ($wanted, $name) = @_;
	my $now;

	$t->wait_for(sub { ($now = counted()) eq $wanted });
	is($now, $wanted, $name);
	return;
}

$t->start_pool;
$fault->arm('inspect:taken', 'hold');
# name => who publishes at the same time, how many run then and how many wait
my @bounds = (
	[['one', 'one', 'one'], '2 1', 'a user has two slots'],
	[['one', 'again', 'again'], '2 1', 'whatever the token'],
	[['deploy', 'deploy', 'deploy'], '2 1', 'a deploy token has two'],
	[['two', 'job', 'job'], '2 1', 'the job of a user has those of the user'],
	[['one', 'one', 'two', 'deploy', 'deploy'], '3 2', 'and all together as many as there are'],
);
for my $case (@bounds) {
	my ($who, $count, $name) = @$case;
	my @c = map { begin($_, 'bounds') } @$who;

	wait_for_count($count, $name);
	go(next_one()) for @c;
	is_deeply([map { $_->answer->{status} } @c], [(200) x @c], "$name: and all are taken in the end");
}
is(counted(), '0 0', 'nothing is left');

is_deeply(\@nice, [(10) x @nice], 'inspections run behind everything else');

# A user with a full queue, and another user who comes later.
{
	my @c = map { begin('one', 'first') } 1 .. 4;

	wait_for_count('2 2', 'two of four');
	push @c, map { begin('deploy', 'second') } 1, 2;
	wait_for_count('3 3', 'one of the other two goes past those that wait');
	go(next_one()) for @c;
	is_deeply([map { $_->answer->{status} } @c], [(200) x @c], 'all of them are taken');
}

# Workers that are killed while they hold a slot.
{
	my @c = map { begin('one', 'killed') } 1, 2;
	my @pids = map { next_one() } @c;

	wait_for_count('2 0', 'two hold a slot');
	push @c, begin('one', 'killed');
	wait_for_count('2 1', 'another one waits');
	for my $pid (@pids) {
		my $template = stat_of($pid, 1);

		kill(KILL => stat_of($template, 1));
		ok($t->wait_for(sub { !kill(0, $pid) && !kill(0, $template) }),
		    'a killed worker takes its inspector along');
	}
	ok(go(next_one()), 'it gets a slot');
	is($c[2]->answer->{status}, 200, 'and is taken');
	wait_for_count('0 0', 'no slot is lost');
}

# A publish waits for a slot, and not for ever.
$t->stop_pool;
$t->conf(request_timeout => 4);
$t->start_pool;
{
	my @c = map { begin('one', 'late') } 1 .. 3;
	my @pids = map { next_one() } 1, 2;
	my ($busy) = grep { $_->{status} == 503 && $_->{body} =~ /too many crates/ } map { $_->answer } @c;

	ok(defined $busy, 'a publish that gets no slot in time: 503');
	like($busy->{headers}{'retry-after'} // '', qr/^[1-9][0-9]*$/, 'with Retry-After');
	is($busy->{body}, '{"errors":[{"detail":"too many crates are being published at this moment;'
	    . ' please try again in a minute"}]}', 'in a sentence, as cargo shows it');
	go($_) for @pids;
	is($t->psql("SELECT count(*) FROM crates WHERE name = 'late'"), 0, 'nothing is stored');
}

# Half of the workers that write may wait, so that publishes of one user leave some for everybody else.
$t->stop_pool;
$t->conf(request_timeout => undef, write_workers => 2);
$t->start_pool;
{
	my @c = map { begin('one', 'many') } 1 .. 2;
	my @pids = map { next_one() } 1, 2;

	push @c, begin('one', 'many');
	wait_for_count('2 1', 'one waits');
	my $started = time;
	is(begin('one', 'many')->answer->{status}, 503, 'the next one is refused');
	cmp_ok(time - $started, '<', 10, 'soon');
	go($_) for @pids;
	go(next_one());
	is_deeply([map { $_->answer->{status} } @c], [(200) x 3], 'the others are taken');
}

# Half of the workers that read may be busy for people who read source, so that a crawler leaves some for
# everybody else.
$t->stop_pool;
$t->conf(workers => 4, write_workers => undef);
$t->berth_ok(qw(project set demo/registry visibility=public));
$t->start_pool;
{
	my @pages = map { "/-/projects/demo/registry/-/crates/bounds/$_/source" }
	    $t->psql("SELECT version FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.name = 'bounds'"
	    . ' ORDER BY v.id LIMIT 4');
	my $open = sub {
		my $c = Berth::FastCGI->connect($t->socket_path) or die "pool: $!\n";

		$c->send_bytes(Berth::FastCGI::request(shift @pages, REMOTE_ADDR => '192.0.2.1'));
		return $c;
	};
	my @c = map { $open->() } 1, 2;
	my @pids = map { next_one() } @c;
	my @more = map { $open->() } 1, 2;
	my $started = time;

	is(Berth::FastCGI::fetch($t->socket_path, "$R/config.json", REMOTE_ADDR => '192.0.2.2')->{status}, 200,
	    'while crates are opened for pages, a read goes on');
	is(join(' ', map { $_->answer->{status} } @more), '503 503', 'more pages are refused');
	cmp_ok(time - $started, '<', 1.9, 'all of it at once, and not after two seconds');
	go($_) for @pids;
	is(join(' ', map { $_->answer->{status} } @c), '200 200', 'the first ones are shown');
}

done_testing();
