#!/usr/bin/perl

# Behind a real PgBouncer that gives each transaction another session (pool_mode = transaction): with
# `database_direct` for programs that need a session, everything works, whatever other clients leave in the
# sessions.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Berth::FastCGI qw(fetch);
use Berth::Pooler;
use Berth::Cache;
use Berth::Test;

my $t = Berth::Test->new(workers => 4, cache_lease => 6);
my $direct = $t->dsn('berth');
my $id = $t->project('demo/public', 'public');
my $hidden = $t->project('demo/private');
$t->user('alice');
$t->member('alice', 'demo', 'maintainer');
my $token = $t->token('alice');
my $R = $t->registry($id);
my $index = "$R/ab/cd/abcd";
my $json = JSON::PP->new->utf8;

# fewer sessions than workers, so sessions change between workers
my $pooler = Berth::Pooler->start($t, pool_mode => 'transaction', default_pool_size => 3,
	query_wait_timeout => 5);
$t->conf(database => $pooler->dsn('berth'), database_direct => $direct);

sub readiness { return fetch($t->socket_path, '/-/readiness', REMOTE_ADDR => '127.0.0.1'); }

sub versions {
	my ($res) = @_;

	return $res->{status} if $res->{status} != 200;
	return join(' ', map { my $v = $json->decode($_); $v->{vers} . ($v->{yanked} ? '-' : '') }
	    split(/\n/, $res->{body}));
}

# Runs a text as a client of the pooler.
sub through_pooler {
	my ($sql) = @_;

	return Berth::Cluster::capture('psql', '-XAtq', '-d', $pooler->dsn('berth'), '-c', $sql);
}

sub yank {
	my ($yes) = @_;

	$t->berth_ok('-c', $t->conf_path, $yes ? 'yank' : 'unyank', 'demo/public', 'abcd@1.0.0');
	return;
}

for my $program (qw(berth-fcgi berth-worker)) {
	my ($status, $out, $err) = Berth::Cluster::capture($t->build . "/$program", '-t', '-c', $t->conf_path);

	is($status, 0, "$program -t") or diag($err);
}
my $port = Berth::Cache::start($t);
is(readiness()->{status}, 200, 'readiness');
is($t->publish($id, $token, 'abcd', "1.$_.0")->{status}, 200, "publish 1.$_.0") for 0 .. 2;
ok(Berth::Cache::wait_static($t, $port, $index), 'the keeper hears, and nginx sends files');

subtest 'changes are seen at once' => sub {
	for my $yanked (1, 0, 1, 0) {
		yank($yanked);
		is(versions(Berth::Cache::get($port, $index)),
		    $yanked ? '1.0.0- 1.1.0 1.2.0' : '1.0.0 1.1.0 1.2.0', $yanked ? 'yanked' : 'unyanked');
	}
};

# Asks the pool itself: `?` keeps nginx from answering from the cache.
sub ask_pool { return versions(Berth::Cache::get($port, "$index?x")); }

subtest 'many at once share the sessions' => sub {
	my @answers = $t->parallel(8, sub {
		my ($n) = @_;
		my @got = map { ask_pool() } 1 .. 15;

		push @got, $t->publish($id, $token, "crate-$n", "1.$_.0")->{status} for 1 .. 3;
		return \@got;
	});
	my %seen;
	$seen{$_}++ for map { @$_ } @answers;

	is_deeply(\%seen, { '1.0.0 1.1.0 1.2.0' => 120, 200 => 24 }, 'all answers are right');
	is($t->psql("SELECT count(*) FROM versions WHERE normalized_name LIKE 'crate%'"), 24,
	    'each publish, once');
	cmp_ok($t->psql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'berth'"
	    . ' AND datname = current_database()'), '<=', 3 + 1,
	    'by no more sessions than the pooler may have, beside the one that listens');
};

subtest 'what others leave in the sessions' => sub {
	for my $sql ("SET search_path = nowhere", "SET statement_timeout = 1; SET lock_timeout = 1",
	    "SET TimeZone = 'Asia/Tokyo'", 'DEALLOCATE ALL', 'DISCARD ALL') {
		# with any of the three sessions
		through_pooler($sql) for 1 .. 4;
		is(ask_pool(), '1.0.0 1.1.0 1.2.0', "$sql: a read");
		is($t->http(DELETE => "$R/api/v1/crates/abcd/1.1.0/yank", { token => $token })->{status}, 200,
		    "$sql: a write");
		is($t->http(PUT => "$R/api/v1/crates/abcd/1.1.0/unyank", { token => $token })->{status}, 200,
		    "$sql: and back");
	}
	# in the midst of writes, and in all sessions
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		through_pooler('DEALLOCATE ALL') for 1 .. 40;
		POSIX::_exit(0);
	}
	my %seen;
	$seen{ $t->publish($id, $token, 'efgh', "1.$_.0")->{status} }++ for 1 .. 20;
	waitpid($pid, 0);
	is_deeply(\%seen, { 200 => 20 }, 'publishes while another client drops the statements');
	unlike($t->log('pool'), qr/ status=500 /, 'no internal error');
};

subtest 'sessions that end' => sub {
	$t->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'berth'"
	    . " AND application_name NOT LIKE '%cache%' AND datname = current_database()");
	ok($t->wait_for(sub { ask_pool() eq '1.0.0 1.1.0 1.2.0' }), 'reads go on');
	is($t->publish($id, $token, 'efgh', '2.0.0')->{status}, 200, 'a publish finds another one');
	ok(Berth::Cache::wait_static($t, $port, $index), 'the keeper serves');
};

subtest 'the worker, and commands' => sub {
	$t->start_worker;
	$t->run_tasks('collect_blobs');
	$t->stop_worker;
	is(Berth::Cache::get($port, $t->registry($hidden) . '/ab/cd/abcd')->{status}, 401,
	    'a private project');
	my ($status, $out) = $t->berth('-c', $t->conf_path, 'user', 'list');
	is($status, 0, 'berth');
};

subtest 'two connection strings to two databases' => sub {
	my $other = $t->dsn('berth') =~ s/dbname=\S+/dbname=postgres/r;

	$t->stop_pool;
	$t->conf(database_direct => $other);
	$t->start_pool;
	is(ask_pool(), '1.0.0 1.1.0 1.2.0', 'the pool answers');
	ok(!Berth::Cache::is_static($t, Berth::Cache::get($port, $index)), 'but nothing is served from a cache');
	$t->stop_pool;
	$t->conf(database_direct => $direct);
};

subtest 'pool_mode = statement' => sub {
	$pooler->stop;
	$pooler = Berth::Pooler->start($t, pool_mode => 'statement');
	$t->start_pool;
	my $res = readiness();
	is($res->{status}, 503, 'is refused by readiness');
	like($t->log('pool'), qr/transaction blocks not allowed/, 'the log says why');
	is(Berth::Cache::get($port, $index)->{status}, 503, 'nothing is answered');
};

done_testing();
