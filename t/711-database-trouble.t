#!/usr/bin/perl

# The database in trouble while somebody publishes: the right status, in cargo's format, and
# nothing half.  Has a PostgreSQL cluster of its own, since it kills it.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Berth::Agreement qw(agrees index_of staged);
use Berth::Cluster;
use Berth::Fault;
use Berth::Test;

my $cluster = Berth::Cluster->start;
# a keeper asks the database at any time: t/890-cache-crash.t
my $t = Berth::Test->new(workers => 4, write_workers => 2, cache_dir => undef);
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;

my $id = $t->project('demo/registry');
my $other = $t->project('demo/other');
my $R = $t->registry($id);
$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');
# the cluster saves time where it may lose data; what is acknowledged here must stay
# (what a sequence of a database that was copied has counted so far is in no log before a checkpoint)
$cluster->sql('postgres', "ALTER DATABASE $t->{database} SET synchronous_commit = on", 'CHECKPOINT');

sub publish {
	my ($name, $version, $project) = @_;

	return $t->publish($project // $id, $token, $name, $version);
}

sub versions {
	my ($name) = @_;

	return join(' ',
	    $t->psql("SELECT v.version FROM versions v JOIN crates c ON c.id = v.crate_id"
	    . " WHERE c.name = '$name' AND c.project_id = $id ORDER BY v.id"));
}

# 503 as cargo reads it, which says nothing about what is behind.
sub unavailable {
	my ($name, $res) = @_;

	is($res->{status}, 503, "$name: 503") or diag($res->{body});
	is($res->{body},
	    '{"errors":[{"detail":"the registry is temporarily unavailable, please try again"}]}',
	    "$name: the body");
	is($res->{headers}{'content-type'}, 'application/json', "$name: its type");
	is($res->{headers}{'retry-after'}, 5, "$name: Retry-After");
}

sub sessions {
	my ($condition) = @_;

	return $t->psql('SELECT pid FROM pg_stat_activity WHERE datname = current_database()'
	    . " AND pid <> pg_backend_pid() AND usename = 'berth' AND $condition");
}

sub cut_off {
	$t->psql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
	    . " WHERE datname = current_database() AND usename = 'berth'");
}

# A psql that holds its session open; statements go in one by one.
sub session {
	my (@statements) = @_;

	open(my $psql, '|-', $cluster->tool('psql'), '-XAtq', '-o', '/dev/null', '-d',
	    $t->dsn('postgres')) or die "psql: $!\n";
	$psql->autoflush(1);
	print {$psql} "SET application_name = 'holder';\n", map { "$_;\n" } @statements;
	return $psql;
}

sub holder_is {
	my ($condition) = @_;
	my $query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holder'";

	return $t->wait_for(sub { $t->psql("$query AND $condition") == 1 });
}

# Whatever happened, answer and database agree; a second attempt settles it.
sub settle {
	my ($name, $crate, $res) = @_;
	my $there = versions($crate);

	if ($res->{status} == 200) {
		is($there, '1.0.0', "$name: 200, and it is there");
	} else {
		unavailable($name, $res);
		is($there, '', "$name: it is not there");
		is(publish($crate, '1.0.0')->{status}, 200, "$name: the second attempt");
	}
	agrees($t, $name, token => $token, only => [$crate]);
}

$t->start_pool;
# from then on both workers know the caller (fcgi/call/known_caller.h)
ok($t->wait_for(sub {
	$t->parallel(12, sub { publish("known-$_[0]", '1.0.0')->{status} });
	my %worker = map { $_ => 1 } $t->log('pool') =~ /pid=(\d+) event=request [^\n]*route=publish /g;
	return keys %worker == 2;
}), 'each worker has had a publish');
# a worker asks once for the registry and its keys, and a pool asks once in a lease for a confirmed commit
my @points = grep { /^(?:send|sent|answered):(?!(?:registry_id|token_slot_live|session_confirm)$)/ }
    $fault->trace('responded:publish', sub { is(publish('first', '1.0.0')->{status}, 200, 'a publish') });
cmp_ok(scalar @points, '>', 15, 'there are points');

# ---- the session ends at each step ----

for my $i (0 .. $#points) {
	my $res = $fault->during($points[$i], sub { publish("cut-$i", '1.0.0') }, \&cut_off);

	settle("cut off at $points[$i]", "cut-$i", $res);
}

# ---- the answer to COMMIT is lost ----

for my $name ('lost-new', 'first') {
	$fault->arm('sent:session_commit', 'eio');
	my $res = publish($name, '2.0.0');
	is($res->{status}, 200, "answer lost, $name: 200, since it happened") or diag($res->{body});
	ok($fault->disarm, "answer lost, $name: reached");
	like(versions($name), qr/\b2\.0\.0$/, "answer lost, $name: it is there");
}
# COMMIT takes its time: what is asked meanwhile must not be answered too early
$t->psql(<<'SQL');
CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON versions DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION slow_commit();
SQL
for my $name ('slow-new', 'first') {
	$fault->arm('sent:session_commit', 'eio');
	is(publish($name, '3.0.0')->{status}, 200, "answer lost, $name: COMMIT had not ended yet");
	ok($fault->disarm, "answer lost, $name: reached");
	like(versions($name), qr/\b3\.0\.0$/, "answer lost, $name: it is there");
}
$t->psql('DROP TRIGGER slow_commit ON versions');
# COMMIT never arrives: it is found not to have happened, and done again
my $lost = $fault->during('send:session_commit', sub { publish('never', '1.0.0') }, \&cut_off);
is($lost->{status}, 200, 'COMMIT lost: published again') or diag($lost->{body});
is(versions('never'), '1.0.0', 'COMMIT lost: once');
$fault->arm('sent:session_commit', 'eio');
is($t->http(DELETE => "$R/api/v1/crates/first/1.0.0/yank", { token => $token })->{status}, 200,
    'yank, answer lost: 200, since it happened');
ok($fault->disarm, 'yank, answer lost: reached');
is($t->psql("SELECT count(*) FROM audit_events WHERE action = 'crate.yank'"), 1, 'yank, answer lost: once');
$t->user('helper');
$t->member('dev', 'demo', 'maintainer');
for my $case (['PUT', 'owner.add', 'as an owner'], ['DELETE', 'owner.remove', 'is no longer']) {
	my ($method, $action, $said) = @$case;

	$fault->arm('sent:session_commit', 'eio');
	my $res = $t->http($method => "$R/api/v1/crates/first/owners",
	    { token => $token, body => '{"users":["helper"]}',
		headers => ['Content-Type: application/json'] });
	is($res->{status}, 200, "$action, answer lost: 200, since it happened") or diag($res->{body});
	note($res->{body});
	ok($fault->disarm, "$action, answer lost: reached");
	is($t->psql("SELECT count(*) FROM audit_events WHERE action = '$action'"), 1, "$action, answer lost: once");
}
my ($lines) = index_of($t, $id, 'first', $token);
ok($lines->[0]{yanked}, 'yank: in the index');
agrees($t, 'answers lost', token => $token);

# ---- locks ----

$t->conf(database_timeout => 2);
$t->stop_pool;
$t->start_pool;
{
	my $psql = session('BEGIN', "SELECT 1 FROM crates WHERE name = 'first' FOR UPDATE");

	holder_is("state = 'idle in transaction'");
	my $started = time;
	unavailable('the crate is locked', publish('first', '4.0.0'));
	cmp_ok(time - $started, '<', 20, 'the crate is locked: in time');
	is(publish('unlocked', '1.0.0')->{status}, 200, 'the crate is locked: others are not');
	is($t->http(GET => "$R/fi/rs/first", { token => $token })->{status}, 200,
	    'the crate is locked: reads are served');
	unavailable('the crate is locked, yank',
	    $t->http(PUT => "$R/api/v1/crates/first/1.0.0/unyank", { token => $token }));
	close($psql);
}
is(publish('first', '4.0.0')->{status}, 200, 'the lock is gone: the second attempt');

$t->psql(<<'SQL');
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE INSERT ON versions FOR EACH ROW EXECUTE FUNCTION slow();
SQL
unavailable('a slow statement', publish('slow', '1.0.0'));
is($t->psql("SELECT count(*) FROM crates WHERE name = 'slow'"), 0,
    'a slow statement: nothing is left');
$t->psql('DROP TRIGGER slow ON versions');
is(publish('slow', '1.0.0')->{status}, 200, 'a slow statement: the second attempt');

# ---- deadlocks ----

$t->conf(database_timeout => undef);
$t->stop_pool;
# long enough for the other side to come
$cluster->sql('postgres', "ALTER DATABASE $t->{database} SET deadlock_timeout = '4s'");
is(publish('dead', '1.0.0', $other)->{status}, 200, 'the same bytes elsewhere');
{
	# It is the worker that notices: the other side would take a minute.
	my $psql = session("SET deadlock_timeout = '60s'", 'BEGIN',
	    'UPDATE blobs SET stored_at = now() WHERE sha256 = (SELECT v.cksum FROM versions v'
	    . " JOIN crates c ON c.id = v.crate_id WHERE c.name = 'dead')");
	ok(holder_is("state = 'idle in transaction' AND query LIKE 'UPDATE blobs%'"),
	    'the other side has the bytes');
	my ($status, $holder) = $t->parallel(2, sub {
		return publish('dead', '1.0.0')->{status} if $_[0] == 0;
		# the crate's row is the worker's, as yet unseen by others, and it waits for the blob's
		$t->wait_for(sub { sessions("wait_event_type = 'Lock'") }) or return 'the worker does not wait';
		print {$psql} 'INSERT INTO crates (project_id, name, normalized_name)'
		    . " VALUES ($id, 'dead', 'dead') ON CONFLICT DO NOTHING;\nROLLBACK;\n";
		return holder_is("wait_event_type = 'Lock'") ? 'waits' : 'does not wait';
	});

	is($holder, 'waits', 'deadlock: the other side waits');
	is($status, 200, 'deadlock: tried again, and taken');
	close($psql);
	like(Berth::Cluster::slurp("$cluster->{pg}/log"), qr/ERROR:  deadlock detected/,
	    'deadlock: there was one');
	is(versions('dead'), '1.0.0', 'deadlock: published once');
}
$t->psql(<<'SQL');
CREATE SEQUENCE attempts;
GRANT USAGE ON SEQUENCE attempts TO berth;
CREATE FUNCTION deadlock() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM nextval('attempts'); RAISE 'deadlock detected' USING ERRCODE = '40P01'; END $$;
CREATE TRIGGER deadlock BEFORE INSERT ON versions FOR EACH ROW EXECUTE FUNCTION deadlock();
SQL
unavailable('deadlocks without end', publish('hopeless', '1.0.0'));
is($t->psql('SELECT last_value FROM attempts'), 3, 'deadlocks without end: three attempts');
is($t->psql("SELECT count(*) FROM crates WHERE name = 'hopeless'"), 0,
    'deadlocks without end: nothing is left');
$t->psql('DROP TRIGGER deadlock ON versions; DROP SEQUENCE attempts');

# ---- case 141: a server that only reads ----

# a write waits for it to be promoted
$t->conf(request_timeout => 6);
$t->stop_pool;
$t->start_pool;
$cluster->sql('postgres', "ALTER DATABASE $t->{database} SET default_transaction_read_only = on");
cut_off();
$t->wait_for(sub { !sessions('true') });
unavailable('read-only', publish('first', '5.0.0'));
is($t->http(GET => "$R/fi/rs/first", { token => $token })->{status}, 200, 'read-only: the index');
is($t->http(GET => "$R/first/1.0.0/download", { token => $token })->{status}, 200,
    'read-only: a download');
$cluster->sql('postgres', "ALTER DATABASE $t->{database} RESET default_transaction_read_only");
cut_off();
$t->wait_for(sub { !sessions('true') });
is(publish('first', '5.0.0')->{status}, 200, 'written again: the second attempt');
$t->conf(request_timeout => undef);
$t->stop_pool;
$t->start_pool;

# ---- the server crashes ----

# a session of before may not know yet that it will end
sub is_up { return $t->wait_for(sub { eval { $cluster->sql($t->{database}, 'SELECT 1') } }); }

my %crash = (
	'kill -9 of a backend' => sub {
		my ($pid) = sessions("state <> 'idle'");

		($pid) = sessions('true') if !defined $pid;
		kill('KILL', $pid) or die "kill $pid: $!\n";
		# the server ends all sessions, recovers, and is back
		$t->wait_for(sub { !kill(0, $pid) });
		is_up();
	},
	'immediate restart' => sub { $cluster->restart('immediate'); },
);
my $n = 0;
for my $how (sort keys %crash) {
	for my $point (qw(answered:crate_grow_index send:session_commit sent:session_commit
	    answered:session_commit)) {
		my $crate = 'crash-' . ++$n;
		my $res = $fault->during($point, sub { publish($crate, '1.0.0') }, $crash{$how});

		ok(is_up(), "$how at $point: the server is back");
		settle("$how at $point", $crate, $res);
	}
}
agrees($t, 'in the end', token => $token);
ok($t->wait_for(sub { !staged($t) }, 10), 'nothing is staged');
is(scalar(() = $t->log('pool') =~ / status=500 /g), 0, 'no internal error');

done_testing();
