#!/usr/bin/perl

# What is taken away is gone: eight clients ask two pools that share one database for an index file,
# as fast as they can, while their token is revoked, their user blocked, their membership removed or
# their role lowered.  No request that begins after that has returned is answered 200, on either pool,
# by any worker.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use Berth::FastCGI qw(fetch);
use Berth::Test;

use constant {
	CLIENTS => 8,
	BEFORE => 25, # requests of each client that must have succeeded before anything is taken away
	AFTER => 25, # that each begins after it was
	MOST => 50_000, # of each client, whatever happens
};

my $t = Berth::Test->new(workers => 4, max_requests => 200);
my $elsewhere = Berth::Test->new(workers => 4, database => $t->dsn('berth'), store => $t->store);
my $id = $t->project('demo/registry');
my $index = $t->registry($id) . '/3/o/one';
my @sockets = map { $_->socket_path } $t, $elsewhere;
my $rounds = 0;

$t->user('dev');
$t->member('dev', 'demo', 'developer');
is($t->publish($id, $t->token('dev'), 'one', '1.0.0')->{status}, 200, 'there is a crate');
$elsewhere->start_pool;

# One client: [began, which pool, status] of each request, until AFTER more than it takes to
# find the file $gone.
sub hammer {
	my ($n, $token, $started, $gone) = @_;
	my ($left, @asked) = (AFTER);

	for my $i (1 .. MOST) {
		my $pool = ($n + $i) % @sockets;
		my $is_gone = -e $gone;
		my $began = clock_gettime(CLOCK_MONOTONIC);
		my $res = fetch($sockets[$pool], $index, HTTP_AUTHORIZATION => $token, REMOTE_ADDR => '192.0.2.1');

		push @asked, [$began, $pool, $res->{status}];
		touch("$started.$n") if $i == BEFORE;
		last if $is_gone && --$left == 0;
	}
	return \@asked;
}

sub touch {
	open(my $fh, '>', $_[0]) or die "$_[0]: $!\n";
	close($fh);
	return;
}

# Eight clients run while $take_away does, with a token of user dev; all that they asked after it
# has returned must have been answered with $status.
sub holds {
	my ($name, $status, $take_away) = @_;
	my $token = $t->token('dev');
	my $file = $t->dir . '/round' . ++$rounds;
	my $returned = "$file.returned";
	my $pid = fork // die "fork: $!\n";

	# beside the clients, who are children of this process
	if ($pid == 0) {
		my $all = $t->wait_for(sub { !grep { !-e "$file.started.$_" } 0 .. CLIENTS - 1 }, 60);

		my $done = eval { $take_away->($token); 1 } or warn $@;
		Berth::Test::write_file("$returned.new", clock_gettime(CLOCK_MONOTONIC));
		rename("$returned.new", $returned);
		POSIX::_exit($all && $done ? 0 : 1);
	}
	my @asked = map { @$_ } $t->parallel(CLIENTS,
	    sub { return hammer($_[0], $token, "$file.started", $returned) });
	waitpid($pid, 0);
	is($?, 0, "$name: it happened, after all clients were served");
	my $moment = Berth::Cluster::slurp($returned);
	for my $pool (0, 1) {
		my @here = grep { $_->[1] == $pool } @asked;
		my @before = grep { $_->[0] < $moment && $_->[2] == 200 } @here;
		my @after = grep { $_->[0] > $moment } @here;

		cmp_ok(scalar @before, '>=', CLIENTS * int(BEFORE / 2),
		    "$name: pool $pool: it was good, @{[scalar @before]} times");
		cmp_ok(scalar @after, '>=', CLIENTS * int(AFTER / 2),
		    "$name: pool $pool: asked again, @{[scalar @after]} times");
		is(scalar(grep { $_->[2] == 200 } @after), 0, "$name: pool $pool: no 200 begins after that");
		is(scalar(grep { $_->[2] != $status } @after), 0, "$name: pool $pool: but $status");
	}
	return;
}

holds('the token is revoked', 401, sub { $t->berth_ok({ stdin => "$_[0]\n" }, 'token', 'revoke') });
holds('the user is blocked', 401, sub { $t->berth_ok('user', 'block', 'dev') });
$t->berth_ok('user', 'unblock', 'dev');
holds('the membership is removed', 404, sub { $t->berth_ok('member', 'set', 'dev', 'demo', 'none') });
$t->member('dev', 'demo', 'developer');
holds('the role becomes too low', 403, sub { $t->member('dev', 'demo', 'guest') });

done_testing();
