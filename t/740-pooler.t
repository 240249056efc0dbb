#!/usr/bin/perl

# Behind a connection pooler, a real PgBouncer: one that gives each client a session of its own is as
# good as PostgreSQL itself; every program detects one that shares sessions and refuses it in one sentence,
# at the start and when its mode changes, and never gives a stale answer.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);

use Berth::FastCGI qw(fetch);
use Berth::Pooler;
use Berth::Cache;
use Berth::Routes;
use Berth::Test;
use Berth::Watch;

# The sentence, whoever says it.
use constant REFUSED => qr/the connection to the database goes through a pooler[^\n]*\bpool_mode = session\b/;

my $t = Berth::Test->new(workers => 4, cache_lease => 6);
my $direct = $t->dsn('berth');
my $id = $t->project('demo/public', 'public');
$t->user('alice');
$t->member('alice', 'demo', 'maintainer');
my $token = $t->token('alice');
my $R = $t->registry($id);
my $index = "$R/ab/cd/abcd";
my $json = JSON::PP->new->utf8;

# The versions that the index shows, yanked ones with a `-`.
sub versions {
	my ($res) = @_;

	return join(' ', map { my $v = $json->decode($_); $v->{vers} . ($v->{yanked} ? '-' : '') }
	    split(/\n/, $res->{body}));
}

sub readiness { return fetch($t->socket_path, '/-/readiness', REMOTE_ADDR => '127.0.0.1'); }

# Changes the database without the pooler; keepers get the notifications in any kind of session.
sub yank {
	my ($yes) = @_;

	$t->berth_ok('--database', $direct, $yes ? 'yank' : 'unyank', 'demo/public', 'abcd@1.0.0');
	return;
}

my $pooler = Berth::Pooler->start($t, pool_mode => 'session');
$t->conf(database => $pooler->dsn('berth'));
my $port = Berth::Cache::start($t);

subtest 'pool_mode = session' => sub {
	my ($status, $out, $err) = Berth::Cluster::capture($t->build . '/berth-fcgi', '-t', '-c', $t->conf_path);

	is($status, 0, 'berth-fcgi -t') or diag($err);
	is((Berth::Cluster::capture($t->build . '/berth-worker', '-t', '-c', $t->conf_path))[0], 0,
	    'berth-worker -t');
	is((Berth::Cluster::capture($t->build . '/berth', 'migrate', '--database', $pooler->dsn('berth_owner')))[0],
	    0, 'berth migrate');
	is(($t->berth('user', 'add', 'bob', '--email', 'bob@example.org'))[0], 0, 'berth user add');
	is($t->publish($id, $token, 'abcd', "1.$_.0")->{status}, 200, "publish 1.$_.0") for 0 .. 2;
	is(readiness()->{status}, 200, 'readiness');
	ok(Berth::Cache::wait_static($t, $port, $index), 'the keeper hears, and nginx sends files');
	for my $round (1 .. 3) {
		for my $yanked (1, 0) {
			yank($yanked);
			is(versions(Berth::Cache::get($port, $index)), $yanked ? '1.0.0- 1.1.0 1.2.0' : '1.0.0 1.1.0 1.2.0',
			    "a change is seen at once");
			Berth::Cache::wait_static($t, $port, $index);
		}
	}
	$t->start_worker;
	$t->run_tasks('collect_blobs');
	$t->stop_worker;
	unlike($t->log('pool') . $t->log('worker'), REFUSED, 'nobody complains');
};

# What each program says.
sub refused_by_all {
	my ($mode) = @_;

	for my $case (['berth-fcgi -t', 'berth-fcgi', '-t', '-c', $t->conf_path],
	    ['berth-worker -t', 'berth-worker', '-t', '-c', $t->conf_path],
	    ['berth', 'berth', '-c', $t->conf_path, 'user', 'add', 'carol', '--email', 'carol@example.org'],
	    ['berth migrate', 'berth', 'migrate', '--database', $pooler->dsn('berth_owner')]) {
		my ($name, $program, @args) = @$case;
		my ($status, $out, $err) = Berth::Cluster::capture($t->build . "/$program", @args);

		is($status, 1, "$mode: $name is refused");
		like($err, REFUSED, "$mode: $name: and says why");
		is(($err =~ tr/\n//), 1, "$mode: $name: in one sentence") or diag($err);
	}
	is($t->psql("SELECT count(*) FROM users WHERE username = 'carol'"), 0, "$mode: and nothing is done");
}

# Every route that needs the database.
sub refused_on_all_routes {
	my ($mode) = @_;
	my ($slow, @other) = (0);
	my @routes = grep { $_->{name} !~ /^(?:me|style|favicon|openapi|liveness|metrics|readiness|worker)$/ }
	    Berth::Routes::all();

	for my $route (@routes) {
		my ($method) = @{ $route->{methods} };
		my $path = Berth::Routes::path($route, id => $id);
		my $began = Berth::Watch::now();
		my $res = fetch($t->socket_path, $path, REQUEST_METHOD => $method, REMOTE_ADDR => '127.0.0.1',
		    HTTP_AUTHORIZATION => $token, $route->{name} eq 'publish_authorize' ? (BERTH_SUBREQUEST => 1) : ());

		push @other, "$method $path: $res->{status}"
		    if $res->{status} != 503 && !($res->{status} =~ /^4/ && $res->{status} != 404);
		$slow = Berth::Watch::now() - $began if Berth::Watch::now() - $began > $slow;
	}
	cmp_ok(scalar @routes, '>=', 50, "$mode: there are routes");
	is(join("\n", @other), '', "$mode: each answers 503, or has its own complaint first");
	cmp_ok($slow, '<', 8, "$mode: soon: $slow s");
	is(fetch($t->socket_path, '/-/liveness', REMOTE_ADDR => '127.0.0.1')->{status}, 200, "$mode: liveness");
	my $res = readiness();
	is($res->{status}, 503, "$mode: readiness");
	is($json->decode($res->{body})->{database}, 'unreachable', "$mode: it is the database's");
	like($t->log('pool'), REFUSED, "$mode: the log says why");
}

for my $mode (qw(transaction statement)) {
	subtest "pool_mode = $mode" => sub {
		$t->stop_pool;
		$pooler->stop;
		$pooler = Berth::Pooler->start($t, pool_mode => $mode);
		refused_by_all($mode);
		$t->start_pool;
		refused_on_all_routes($mode);
		is(Berth::Cache::get($port, $index)->{status}, 503, "$mode: nginx has no file either");
		my $began = Berth::Watch::now();
		yank(1);
		cmp_ok(Berth::Watch::now() - $began, '<', 15, "$mode: nobody waits for its keeper");
		yank(0);
		my $tasks = 'SELECT coalesce(max(done_at)::text, \'\'), count(claimed_until) FROM tasks';
		my $before = $t->psql($tasks);
		my $pid = fork // die "fork: $!\n";
		if ($pid == 0) {
			open(STDERR, '>', $t->dir . '/log/refused-worker.log') or POSIX::_exit(126);
			{ no warnings 'exec'; exec($t->build . '/berth-worker', '-c', $t->conf_path); }
			POSIX::_exit(127);
		}
		ok($t->wait_for(sub { $t->log('refused-worker') =~ REFUSED }), "$mode: berth-worker says so, too");
		kill('TERM', $pid);
		waitpid($pid, 0);
		is($t->psql($tasks), $before, "$mode: and does nothing");
		# other clients have used the pooler before: it has many idle sessions
		refused_by_all("$mode, many sessions") if $mode eq 'transaction';
	};
}

subtest 'the mode changes while everything runs' => sub {
	$t->stop_pool;
	$pooler->stop;
	$pooler = Berth::Pooler->start($t, pool_mode => 'session');
	$t->start_pool;
	ok($t->wait_for(sub { readiness()->{status} == 200 }), 'all is well');
	ok(Berth::Cache::wait_static($t, $port, $index), 'nginx sends files');
	$pooler->set(pool_mode => 'transaction');
	my $until = Berth::Watch::now() + 120;
	my ($round, @wrong, %seen) = (0);
	# readers see every finished change, or get no answer
	while (Berth::Watch::now() < $until && ($seen{503} // 0) < 20) {
		my $yanked = ++$round % 2;
		yank($yanked);
		for (1 .. 4) {
			my $res = Berth::Cache::get($port, $index);

			$seen{ $res->{status} }++;
			push @wrong, versions($res)
			    if $res->{status} == 200 && versions($res) ne ($yanked ? '1.0.0- 1.1.0 1.2.0' : '1.0.0 1.1.0 1.2.0');
		}
	}
	is(join("\n", @wrong), '', "never a stale answer in $round changes");
	cmp_ok($seen{503} // 0, '>=', 20, 'and then it is refused');
	# each worker finds out for itself
	ok($t->wait_for(sub { return !grep { readiness()->{status} != 503 } 1 .. 8 }), 'by readiness, too');
	yank(0);
	$pooler->set(pool_mode => 'session');
	ok($t->wait_for(sub { return !grep { readiness()->{status} != 200 } 1 .. 8 }), 'and back');
	ok(Berth::Cache::wait_static($t, $port, $index), 'nginx sends files again');
};

subtest 'fewer sessions than workers' => sub {
	$t->stop_pool;
	$pooler->stop;
	$pooler = Berth::Pooler->start($t, pool_mode => 'session', default_pool_size => 3);
	$t->conf(database_timeout => 2);
	$t->start_pool;
	my ($round, @wrong, %seen) = (0);
	for my $yanked (1, 0, 1, 0) {
		yank($yanked);
		for (1 .. 6) {
			my $res = Berth::Cache::get($port, $index);

			$seen{ $res->{status} }++;
			push @wrong, versions($res)
			    if $res->{status} == 200 && versions($res) ne ($yanked ? '1.0.0- 1.1.0 1.2.0' : '1.0.0 1.1.0 1.2.0');
		}
	}
	is(join("\n", @wrong), '', 'no wrong answer');
	is(join(' ', grep { !/^(?:200|503)$/ } sort keys %seen), '',
	    'answers are right, or 503: ' . join(', ', map { "$seen{$_} of $_" } sort keys %seen));
};

done_testing();
