#!/usr/bin/perl

# Upgrades without a pause: two builds of the same sources run side by side, and the later one
# has one more migration and statement (t/next/).  Both orders: the schema first, under old
# programs, and the programs first.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Berth::Cluster;
use Berth::Test;
use Berth::Upgrade;

use constant NEXT => 9000;

my $old = Berth::Test->new(workers => 2);
my $build = Berth::Upgrade::next_build($old->build);
my $newest = newest(glob("$Berth::Cluster::ROOT/sql/migrations/*.sql"));
my $id = $old->project('demo/registry');
my $published = 0;

$old->user('ann');
$old->member('ann', 'demo/registry', 'maintainer');
my $token = $old->token('ann');
my $config = $old->registry($id) . '/config.json';

# The later build, in the same database and with the same store.
sub beside {
	return Berth::Test->new(workers => 2, pool_build => $build, database => $old->dsn('berth'),
	    store => $old->store);
}

sub newest { return (sort { $a <=> $b } map { m{/(\d{4})_} ? $1 + 0 : () } @_)[-1]; }

# Runs `berth migrate` of a build, by default the later one: (exit status, output, errors).
sub migrate {
	my ($program, @more) = @_;

	return Berth::Cluster::capture($program // "$build/berth", 'migrate', '--database',
	    $old->dsn('berth_owner'), @more);
}

# The answer to a request, its status and how long it took.
sub ask {
	my ($t, $path) = @_;
	my $started = time;
	my $res = $t->http(GET => $path, { token => $path =~ m{^/-/} ? undef : $token });

	return { %$res, seconds => time - $started };
}

sub ready {
	my ($t) = @_;
	my $res = ask($t, '/-/readiness');
	my $said = eval { $t->json($res) } // {};

	return "$res->{status} " . ($said->{schema} // $res->{body});
}

# patience: each worker looks at the schema once a second, and the one that is asked may not have looked yet
sub publishes {
	my ($t, $what, $patience) = @_;
	my $res;

	$published++;
	$t->wait_for(sub {
		$res = $t->publish($id, $token, 'demo', "1.0.$published");
		return $res->{status} != 503;
	}, $patience // 0);

	is($res->{status}, 200, "$what: publish") or diag($res->{body});
	like($t->http(GET => $t->registry($id) . '/de/mo/demo', { token => $token })->{body}, qr/"1\.0\.$published"/,
	    "$what: and it is read");
}

# The worker of that build still works, as the same process.
sub works {
	my ($t, $what) = @_;

	$old->psql("INSERT INTO tasks (kind) VALUES ('sweep_limits')");
	$old->psql('NOTIFY berth_tasks');
	ok($t->wait_for(sub { $old->psql("SELECT count(*) FROM tasks WHERE kind = 'sweep_limits'"
	    . " AND period IS NULL") == 0 }), "$what: a task is done") or diag($t->log('worker'));
	is($t->has_ended('worker'), 0, "$what: the worker has not ended");
}

# Ends every session of the programs, so that they connect anew.
sub cut_off {
	$old->psql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
	    . " WHERE datname = current_database() AND usename = 'berth'");
}

# Programs that wait for their schema are alive and say so at once.
sub waits {
	my ($t, $schema, $what) = @_;
	my $pid = $t->pool_pid;

	for (1 .. 3) {
		my $alive = ask($t, '/-/liveness');
		my $res = ask($t, $config);

		is($alive->{status}, 200, "$what: it is alive");
		is($res->{status}, 503, "$what: 503");
		like($res->{body}, qr/the registry is being upgraded; try again in a moment/, "$what: says why");
		cmp_ok($alive->{seconds} + $res->{seconds}, '<', 5, "$what: at once");
	}
	is(ready($t), "503 $schema", "$what: readiness");
	is($t->has_ended('worker'), 0, "$what: the worker waits");
	ok($t->wait_for(sub { $t->log('worker') =~ /run `berth migrate`/ }), "$what: and says for what");
	is($t->pool_pid, $pid, "$what: the same pool");
}

subtest 'programs first: they wait, and serve without a restart' => sub {
	my $next = beside();

	$old->start_worker;
	$next->start_pool;
	$next->start_worker;
	publishes($old, 'the old one');
	waits($next, 'too old', 'the later one');
	works($old, 'the old one');
	my ($status, $out, $err) = migrate(undef, '--grant-to', 'berth');
	is($status, 0, 'the later one migrates') or diag($err);
	is($out, "9000_next\n", 'what it brings');
	is($old->psql('SELECT floor FROM schema_migrations WHERE version = ' . NEXT), 56, 'its floor is recorded');
	my $pid = $next->{pool};
	ok($next->wait_for(sub { ready($next) eq '200 ok' }, 10), 'it is ready');
	is(ask($next, $config)->{status}, 200, 'and serves') for 1 .. 4;
	is($next->{pool}, $pid, 'as the same pool');
	publishes($next, 'the later one', 5);
	publishes($old, 'the old one beside it');
	$old->stop_worker;
	works($next, 'the later one');
	$next->stop;
};

subtest 'the schema first: the old programs go on' => sub {
	$old->start_worker;
	is(ready($old), '200 ok', 'readiness');
	publishes($old, 'a session from before');
	cut_off();
	ok($old->wait_for(sub { ready($old) eq '200 ok' }, 10), 'ready with new sessions') or diag(ready($old));
	publishes($old, 'a new session');
	works($old, 'a new session');
	$old->stop_pool;
	$old->start_pool;
	is(ready($old), '200 ok', 'ready after a restart');
	publishes($old, 'after a restart');
	is(($old->berth(qw(project list --json)))[0], 0, 'the admin command works, too');
	my ($status, $out, $err) = migrate($old->build . '/berth', '--grant-to', 'berth');
	is($status, 0, 'its `berth migrate` is no failure') or diag($err);
	is($out, '', 'applies nothing');
	my $versions = qr/\(it has migration 9000, and this program has $newest\)/;
	like($err, qr/nothing to do: the database is newer than this program and allows it $versions/,
	    'and says so');
};

subtest 'a schema whose floor is above the program' => sub {
	$old->psql('UPDATE schema_migrations SET floor = ' . NEXT . ' WHERE version = ' . NEXT);
	is(ready($old), '503 too new', 'readiness');
	is(ask($old, '/-/liveness')->{status}, 200, 'alive');
	cut_off();
	is(ready($old), '503 too new', 'also with new sessions');
	is(ask($old, $config)->{status}, 503, 'which are not used');
	my ($status, undef, $err) = migrate($old->build . '/berth');
	is($status, 1, 'its `berth migrate` fails');
	my $needs = "its migration 9000 needs a program of version 9000 at least, and this one has $newest";
	like($err, qr/$needs; install a newer one/, 'says why');
	is(($old->berth(qw(project list)))[0], 1, 'the admin command refuses');
	$old->psql('UPDATE schema_migrations SET floor = NULL WHERE version = ' . NEXT);
	is(ready($old), '503 too new', 'nor without a floor');
	$old->psql('UPDATE schema_migrations SET floor = 56 WHERE version = ' . NEXT);
	ok($old->wait_for(sub { ready($old) eq '200 ok' }, 10), 'allowed again');
	works($old, 'allowed again');
};

subtest 'a promise that does not hold' => sub {
	$old->psql('ALTER TABLE quotas RENAME COLUMN max_crates TO other');
	cut_off();
	is(ask($old, $config)->{status}, 503, 'a statement that does not prepare');
	is(ready($old), '503 too new', 'readiness');
	is(ask($old, '/-/liveness')->{status}, 200, 'alive');
	$old->psql('ALTER TABLE quotas RENAME COLUMN other TO max_crates');
	ok($old->wait_for(sub { ready($old) eq '200 ok' }, 10), 'it goes on');
};

subtest 'no schema yet' => sub {
	my $name = "empty_$$";
	my $dsn = $old->dsn('postgres') =~ s/dbname=\S+/dbname=$name/r;

	$old->psql("CREATE DATABASE $name OWNER berth_owner");
	# it becomes another registry than that of the tests' keys
	my $next = Berth::Test->new(workers => 2, pool_build => $build, database => $dsn =~ s/user=\S+/user=berth/r,
	    token_key => undef);
	$next->start_pool;
	$next->start_worker;
	waits($next, 'missing', 'no schema');
	# the tables without the rights to them
	my $owner = $dsn =~ s/user=\S+/user=berth_owner/r;
	is((Berth::Cluster::capture("$build/berth", 'migrate', '--database', $owner))[0], 0, 'migrated');
	waits($next, 'missing', 'no rights');
	is((Berth::Cluster::capture("$build/berth", 'migrate', '--database', $owner, '--grant-to', 'berth'))[0], 0,
	    'granted');
	ok($next->wait_for(sub { ready($next) eq '200 ok' }, 10), 'ready');
	$next->stop;
	$old->psql("DROP DATABASE $name WITH (FORCE)");
};

done_testing();
