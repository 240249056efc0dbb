#!/usr/bin/perl

# The database fails over to a synchronous standby, while clients publish and read: `database` names all
# servers.  Publishes wait and succeed, no acknowledged publish is lost, and nginx goes on to answer from
# the cache.
# Has a PostgreSQL cluster of its own, whose servers it stops.

use strict;
use warnings;

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Berth::Cache;
use Berth::Cluster;
use Berth::Standby;
use Berth::Test;

use constant {
	PUBLISHERS => 3,
	PATIENCE => 20, # s, of a publish
};

my $cluster = Berth::Cluster->start(synchronous_commit => 'on');
# two publishes at once, so that one is in each state when the server ends
my $t = Berth::Test->new(workers => 3, write_workers => PUBLISHERS, cache_lease => 10, database_timeout => 3);
my $id = $t->project('demo/registry', 'public');
my $R = $t->registry($id);
$t->user('dev');
$t->member('dev', 'demo', 'maintainer');
my $token = $t->token('dev');

my @servers = ($cluster, Berth::Standby->start($cluster, $cluster));
my ($dbname) = $t->dsn('berth') =~ /dbname=(\S+)/;
# the third one does not exist yet
my $hosts = join(',', map { $_->socket_dir } @servers) =~ s{(.*,)(.*)1/sock\z}{$1${2}1/sock,${2}2/sock}r;
sub of_all { return "host=$hosts dbname=$dbname user=berth target_session_attrs=read-write"; }

$t->conf(database => of_all());
my $port = Berth::Cache::start($t);
is($t->publish($id, $token, 'quiet', '1.0.0')->{status}, 200, 'a publish');
my $quiet = "$R/qu/ie/quiet";
ok(Berth::Cache::wait_static($t, $port, $quiet), 'nginx sends its index file');

my $meanwhiles = 0;

# Runs $do in processes of their own until you call the returned function, which returns the result of
# each.
sub meanwhile {
	my ($n, $do) = @_;
	my $over = $t->dir . '/over' . ++$meanwhiles;
	my (@pids, @pipes);

	for my $i (0 .. $n - 1) {
		pipe($pipes[$i], my $out) or die "pipe: $!\n";
		$pids[$i] = fork // die "fork: $!\n";
		next if $pids[$i] != 0;
		Berth::Test::give($out, $do->($i, sub { -e $over }));
		POSIX::_exit(0);
	}
	return sub {
		open(my $fh, '>', $over) or die "$over: $!\n";
		my @got = map { Berth::Test::take($_) } @pipes;
		waitpid($_, 0) for @pids;
		return @got;
	};
}

sub publisher {
	my ($round) = @_;

	return sub {
		my ($i, $over) = @_;
		my @done;

		for (my $n = 0; !$over->(); $n++) {
			my $began = time;
			my $res = $t->publish($id, $token, "$round-$i", "1.$n.0");
			push @done, ["$round-$i", "1.$n.0", $res->{status}, time - $began];
		}
		return \@done;
	};
}

sub reader {
	my ($i, $over) = @_;
	my %seen;

	while (!$over->()) {
		$seen{ Berth::Cache::get($port, $quiet)->{status} }++;
		sleep(0.05);
	}
	return \%seen;
}

# $fall ends the server's service; then the next one takes its place.
sub fails_over {
	my ($round, $fall, $next) = @_;
	my $publishes = meanwhile(PUBLISHERS, publisher($round));
	my $reads = meanwhile(1, \&reader);

	sleep(0.7);
	$fall->();
	sleep(0.5);
	$next->promote;
	my $promoted = time;
	# each of them succeeds
	ok($t->wait_for(sub {
		sleep(0.1);
		return (eval { Berth::Standby::run($next, $dbname, 'SELECT count(DISTINCT normalized_name) FROM versions'
		    . " WHERE published_at > to_timestamp($promoted) AND normalized_name LIKE '$round-%'") } // 0)
		    == PUBLISHERS;
	}, 30), "$round: publishes go on at the new primary");
	my @done = map { @$_ } $publishes->();
	my ($seen) = $reads->();
	my @failed = grep { $_->[2] != 200 } @done;
	my ($longest) = sort { $b <=> $a } map { $_->[3] } @done;
	is(scalar @failed, 0, "$round: of " . @done . ' publishes, none failed')
	    or diag(join("\n", map { "@$_" } @failed));
	cmp_ok($longest, '<', PATIENCE, sprintf('%s: the longest took %.1f s', $round, $longest));
	cmp_ok($longest, '>', 0.5, "$round: and waited");
	my %there = map { $_ => 1 } split(/\n/, Berth::Standby::run($next, $dbname,
	    "SELECT c.name || ' ' || v.version FROM versions v JOIN crates c ON c.id = v.crate_id"));
	is(join(', ', grep { !$there{$_} } map { "$_->[0] $_->[1]" } grep { $_->[2] == 200 } @done), '',
	    "$round: all that were acknowledged are there");
	is(join(' ', sort keys %$seen), 200, "$round: of $seen->{200} cached reads, none failed");
	return;
}

# as if its host were cut off: connections are accepted, and nobody answers
fails_over('cut-off', sub { Berth::Standby::strike('STOP', $servers[0]) }, $servers[1]);
push @servers, Berth::Standby->start($cluster, $servers[1]);
ok(Berth::Cache::wait_static($t, $port, $quiet), 'the keeper serves again');
fails_over('killed', sub { Berth::Standby::strike('KILL', $servers[1]) }, $servers[2]);
is(scalar(() = $t->log('pool') =~ / status=500 /g), 0, 'no internal error');

# ---- the first server comes back, cut off from the others: it answers reads, and its commits wait ----

sub yanked {
	my ($port) = @_;
	my $res = Berth::Cache::get($port, "$quiet?x");

	return $res->{status} == 200 ? ($res->{body} =~ /"yanked":true/ ? 'yes' : 'no') : $res->{status};
}

# The workers that read, of the pool that knows all servers.
sub readers {
	my $master = $t->pool_pid;

	return grep { (eval { Berth::Cluster::slurp("/proc/$_/cmdline") } // '') =~ /read worker/ }
	    split(/ /, Berth::Cluster::slurp("/proc/$master/task/$master/children"));
}

# Counts a column over the sessions whose COMMIT waits for a standby of the first server.
sub at_commits {
	my ($column) = @_;

	return Berth::Standby::run($cluster, $dbname, "SELECT count($column) FROM pg_stat_activity"
	    . " WHERE query = 'COMMIT' AND wait_event = 'SyncRep'");
}

# The number of COMMITs that wait.
sub commits { return at_commits('pid') }

# Ends the sessions in which they wait, and returns how many these were.
sub end_commits { return at_commits('pg_terminate_backend(pid)') }

{
	Berth::Standby::strike('CONT', $servers[0]);
	my $lost = Berth::Test->new(workers => 2, cache_lease => 3, database_timeout => 1, node => 'lost',
	    database => $t->dsn('berth'), store => $t->store);
	my $its_port = Berth::Cache::start($lost);
	is($t->http(DELETE => "$R/api/v1/crates/quiet/1.0.0/yank", { token => $token })->{status}, 200,
	    'a yank at the new primary');
	is(Berth::Standby::run($cluster, $dbname, 'SELECT count(*) FROM versions WHERE yanked'), 0,
	    'of which the old one says nothing');
	my $began = time;
	is(yanked($its_port), 503, 'a node that sees only the old one answers no reads');
	# it waits for half of a lease; a busy machine takes its time, too
	cmp_ok(time - $began, '<', 6, 'and does not wait for a request to time out to say so');
	# on a busy machine it may not have had a connection for the first read
	ok($lost->wait_for(sub {
		return yanked($its_port) eq 503 && $lost->log('pool') =~ /confirmed no commit for the time of a lease/;
	}), 'its log says why') or diag($lost->log('pool'));
	is(yanked($port), 'yes', 'the others serve the new state');
	# new workers try the first server first
	my @readers = readers();
	kill('KILL', @readers);
	ok($t->wait_for(sub { my %old = map { $_ => 1 } @readers; return @readers == grep { !$old{$_} } readers() }),
	    'all workers that read are new');
	is(join(' ', map { yanked($port) } @readers), join(' ', ('yes') x @readers),
	    'new workers serve the new state, too');
	# one address that leads to another server than before, as a balancer's: only the keeper is with the new one
	my $way = $t->dir . '/way';
	my $lead = sub { unlink($way); symlink($_[0]->socket_dir, $way) or die "$way: $!\n" };
	$lead->($servers[2]);
	my $led = Berth::Test->new(workers => 1, cache_lease => 3, database_timeout => 1, node => 'led',
	    database => "host=$way dbname=$dbname user=berth application_name=led", store => $t->store);
	my $led_port = Berth::Cache::start($led);
	is(yanked($led_port), 'yes', 'a node with one address, which leads to the new primary');
	ok(Berth::Cache::wait_static($led, $led_port, $quiet), 'and its keeper serves');
	$lead->($servers[0]);
	# of its sessions, that with the name of a request
	is(Berth::Standby::run($servers[2], $dbname, 'SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity'
	    . " WHERE application_name LIKE 'led %'"), 1, 'the session of its worker ends');
	my @said = map { yanked($led_port) } 1 .. 5;
	is(join(' ', grep { $_ ne 503 } @said), '', 'the next one is with the old primary, and answers nothing');
	like($led->log('pool'), qr/confirmed no commit for the time of a lease/, 'its log says why, too');
	$led->stop_pool;
	# a publish that the first failover has met at its COMMIT waits on, and has the lock that each NOTIFY takes
	ok($lost->wait_for(sub { return end_commits() == 0 }), 'no commit waits there yet');
	# PostgreSQL would answer that a COMMIT has succeeded, if Berth cancelled it
	my $status;
	ok($lost->wait_for(sub {
		$status = $lost->http(DELETE => "$R/api/v1/crates/quiet/1.0.0/yank", { token => $token,
		    may_fail => 1, curl => ['--max-time', 4] })->{status};
		# on a busy machine an earlier statement may be late, which is a 503
		return $status =~ /^2/ || commits() > 0;
	}), 'what is written there waits');
	unlike($status, qr/^2/, 'and is not acknowledged');
	$lost->stop_pool;
	# no commit waits for the standby any more
	Berth::Standby::run($cluster, 'postgres', $_)
	    for 'ALTER SYSTEM RESET synchronous_standby_names', 'SELECT pg_reload_conf()';
}

done_testing();
