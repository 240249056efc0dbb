#!/usr/bin/perl

# A replica of the database answers searches and lists, and no caller sees older data: the replica answers
# only when it has replayed everything that was acknowledged.  If it lags or does not answer, the primary
# answers.  The primary always decides about rights.  Has a PostgreSQL cluster of its own, with a standby.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Berth::Cluster;
use Berth::Standby;
use Berth::Test;

my $cluster = Berth::Cluster->start(synchronous_commit => 'on');
my $t = Berth::Test->new(workers => 1, cache_dir => undef);
my $id = $t->project('demo/registry');
my $R = $t->registry($id);
$t->user('dev');
$t->member('dev', 'demo', 'maintainer');
my $token = $t->token('dev');
my $standby = Berth::Standby->start($cluster, $cluster);
my $json = JSON::PP->new->utf8;

$t->conf(database_read => $t->dsn('berth') =~ s/host=\S+/'host=' . $standby->socket_dir/er);
$t->start_pool;
$t->start_worker;

sub on_standby { return Berth::Standby::run($standby, 'postgres', $_[0]); }

# Waits until the standby has replayed everything.
sub caught_up {
	my ($end) = $cluster->sql('postgres', 'SELECT pg_current_wal_lsn()');

	return $t->wait_for(sub { on_standby("SELECT pg_last_wal_replay_lsn() >= '$end'") eq 't' }, 30);
}

# Which server has answered since the last call.
my %before;
sub answered_by {
	my %now = $t->http(GET => '/-/metrics')->{body} =~ /^berth_replica_reads_total\{replica="(\w+)"\} (\d+)$/mg;
	my $by = join(' ', map { my $n = $now{$_} - ($before{$_} // 0); $n ? "$_:$n" : () } sort keys %now);

	%before = %now;
	return $by;
}

sub search {
	my $res = $t->http(GET => "$R/api/v1/crates?q=$_[0]", { token => $token });

	return $res->{status} == 200 ? join(' ', map { "$_->{name}-$_->{max_version}" }
	    @{ $json->decode($res->{body})->{crates} }) : $res->{status};
}

sub list {
	my ($of, $with) = @_;
	my $res = $t->http(GET => "/api/v4/$of/packages?order_by=version", { token => $with // $token });

	return $res->{status} == 200 ? join(' ', map { "$_->{name}-$_->{version}" } @{ $json->decode($res->{body}) })
	    : $res->{status};
}

is($t->publish($id, $token, 'alpha', '1.0.0')->{status}, 200, 'a publish');
$t->update_search;
# the pool's own writes, as of when a token was used, are on their way
ok($t->wait_for(sub { caught_up() && search('alpha') eq 'alpha-1.0.0' && answered_by() =~ /answered:1/ }, 30),
    'the replica answers a search');
for my $of ("projects/$id", 'groups/demo') {
	ok($t->wait_for(sub { caught_up() && list($of) eq 'alpha-1.0.0' && answered_by() =~ /answered:1/ }, 30),
	    "and a list of $of");
}

# ---- it lags ----

on_standby('SELECT pg_wal_replay_pause()');
answered_by();
# its commit would wait for a standby that replays, not for one that has written it
is($t->publish($id, $token, 'beta', '1.0.0')->{status}, 200, 'a publish, while the replica replays nothing');
is(search('beta'), 'beta-1.0.0', 'is found at once');
is(list("projects/$id"), 'alpha-1.0.0 beta-1.0.0', 'and listed');
is(answered_by(), 'lags:2', 'by the primary');
on_standby('SELECT pg_wal_replay_resume()');

# ---- what is not up to date yet is brought up to date at the primary ----

$t->stop_worker;
is($t->publish($id, $token, 'alpha', '1.1.0')->{status}, 200, 'a publish that no worker has seen yet');
ok(caught_up(), 'the replica has it');
is(search('alpha'), 'alpha-1.1.0', 'the exact name shows it');
is(answered_by(), 'lags:1', 'by the primary');

# ---- rights ----

on_standby('SELECT pg_wal_replay_pause()');
$t->user('guest');
$t->member('guest', 'demo', 'reporter');
my $guest = $t->token('guest');
is(list("projects/$id", $guest), 'alpha-1.0.0 beta-1.0.0 alpha-1.1.0', 'a new member may read');
$t->berth_ok('member', 'set', 'guest', 'demo', 'none');
is(list("projects/$id", $guest), 404, 'and no more, once removed');
on_standby('SELECT pg_wal_replay_resume()');

# ---- it is away ----

answered_by();
Berth::Standby::strike('STOP', $standby);
is(search('beta'), 'beta-1.0.0', 'a replica that is cut off');
is(answered_by(), 'away:1', 'the primary answers');
is(search('beta'), 'beta-1.0.0', 'and again, without asking it');
Berth::Standby::strike('KILL', $standby);
is(search('alpha'), 'alpha-1.1.0', 'a replica that has gone');
like($t->log('pool'), qr/database_read: /, 'the log says so');
unlike($t->log('pool'), qr/ status=50/, 'no request failed');

done_testing();
