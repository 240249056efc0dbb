#!/usr/bin/perl

# All nodes of a registry have one store: a node with another one, or a copy, is not ready and says which
# node it does not see; nodes ignore those that have gone.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Berth::Cluster;
use Berth::Test;

my $t = Berth::Test->new(workers => 1, node => 'web/1');
my $id = $t->project('demo/registry');
$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');

is($t->publish($id, $token, 'first', '1.0.0')->{status}, 200, 'a publish');
is($t->http(GET => '/-/readiness')->{status}, 200, 'one node is ready');

my $copy = $t->dir . '/copy';
Berth::Cluster::run_command('cp', '-a', $t->store, $copy);
my @shared = (workers => 1, database => $t->dsn('berth'), external_url => $t->url);
my %node = (
	'web/1' => $t,
	web2 => Berth::Test->new(@shared, node => 'web2', store => $copy),
	web3 => Berth::Test->new(@shared, node => 'web3', store => $t->store),
);

# "200 ok", or "503 what: why".
sub ready {
	my ($node) = @_;
	my $res = $node{$node}->http(GET => '/-/readiness');
	my $said = $t->json($res);

	return "$res->{status} $said->{store}" . (defined $said->{store_detail} ? ": $said->{store_detail}" : '');
}

# Moves the times of a node into the past, if the build has nodes at all.
sub back {
	my ($interval, $where) = @_;

	$t->psql("UPDATE store_nodes SET since = since - interval '$interval'" . ($where // ''))
	    if $t->psql("SELECT to_regclass('store_nodes') IS NOT NULL") eq 't';
}

is(ready($_), '200 ok', "$_ is new") for sort keys %node;
back('5 minutes');
like(ready('web2'),
    qr/\A503 not shared: store .*: the node web3 uses this registry, but its file is missing here/,
    'a node with a copy of the store does not see the others');
for my $node ('web/1', 'web3') {
	like(ready($node),
	    qr/\A503 not shared: store .*: the node web2 uses this registry, but its file is missing here/,
	    "$node does not see that one");
}
is($t->http(GET => '/-/readiness?for=reads')->{status}, 503, 'which holds for reads, too');
is($node{web3}->publish($id, $token, 'second', '1.0.0')->{status}, 200, 'what one node publishes');
my $path = $t->registry($id) . '/second/1.0.0/download';
is($t->http(GET => $path, { token => $token })->{status}, 200, 'is there on a node with the same store');
my $res = $node{web2}->http(GET => $path, { token => $token });
is($res->{status}, 503, 'on a node with another one it is not');
like($res->{body}, qr/\Athe bytes of second 1\.0\.0 are missing in this host's store/,
    'and the answer says so');

subtest 'an old copy' => sub {
	my ($file) = grep { Berth::Cluster::slurp($_) =~ m{ web/1$}m } glob("$copy/nodes/*");

	ok(defined $file, 'the copy has the file of a node') or return;
	$t->psql("DELETE FROM store_nodes WHERE node = 'web3'");
	$t->psql("UPDATE store_nodes SET seen_at = seen_at - interval '1 minute' WHERE node = 'web/1'");
	$t->http(GET => '/-/readiness');
	Berth::Test::write_file($file, "1000000000 web/1\n");
	like(ready('web2'), qr{the node web/1 uses this registry, but its file is an old copy here}, 'is found');
};

subtest 'the worker' => sub {
	$t->start_worker;
	ok($t->wait_for(sub {
		$t->psql("SELECT error FROM tasks WHERE kind = 'probe_store'"
		    . " AND node = 'web/1'") =~ /the node web2 uses this registry/;
	}), 'says so as well');
	ok($t->wait_for(sub { $t->log('worker') =~ m{level=warn .*kind=probe_store .*the node web2} }),
	    'in its log');
	$t->stop_worker;
};

# A node without a cache, or of a program that does not tell its schema, has nothing there.  If no node has a
# lease, there is none to compare another one with.
subtest 'berth node list' => sub {
	my @facts = qw(schema cache lease_ms stale_max behind);
	my $list = sub {
		my ($status, $out, $err) = $t->berth(qw(node list --json));

		is($status, 0, $_[0]) or diag($err);
		my $nodes = $status == 0 ? JSON::PP::decode_json($out) : [];

		return map { my $node = $_; ($node->{node} => join(' ', map { $node->{$_} // '-' } @facts)) } @$nodes;
	};

	$t->psql("INSERT INTO store_nodes (node, since, seen_at) VALUES ('bare', now(), now())");
	my %is = $list->('a node lives');
	is($is{bare}, '- - - - -', 'nothing is known of a bare one');
	like($is{'web/1'}, qr/\A\d+ served [1-9]\d* \d+ 0\z/, 'everything of that with a cache');
	$t->psql("UPDATE store_nodes SET seen_at = now() - interval '2 hours' WHERE node IN ('bare', 'web/1')");
	my $states = JSON::PP::decode_json($t->berth_ok(qw(node list --json)));
	is_deeply({ map { $_->{node} => $_->{state} } grep { $_->{node} =~ /bare|1/ } @$states },
	    { bare => 'gone', 'web/1' => 'live' }, 'a node that cannot write its file lives by its lease');
	# none takes a new lease meanwhile
	$_->stop_pool for values %node;
	$t->psql("UPDATE cache_nodes SET lease_until = now() - interval '1 hour'");
	%is = $list->('no node has a lease');
	like($is{'web/1'}, qr/\A\d+ not served 0 \d+ -\z/, 'the last one is behind nobody');
	is(($t->berth(qw(node list)))[0], 0, 'nor does the table fail');
	$t->psql("DELETE FROM store_nodes WHERE node = 'bare'");
	$_->start_pool for values %node;
};

subtest 'nodes that have gone' => sub {
	$node{web2}->stop_pool;
	$t->psql("UPDATE store_nodes SET seen_at = now() - interval '91 seconds' WHERE node = 'web2'");
	is(ready($_), '200 ok', "$_ does not wait for one") for 'web/1', 'web3';
	$t->psql("UPDATE store_nodes SET seen_at = now() - interval '25 hours' WHERE node = 'web2'");
	my @old = glob($t->store . '/nodes/*');
	Berth::Test::write_file($t->store . '/nodes/' . 'ab' x 16, "1 gone\n");
	utime(time - 90000, time - 90000, $t->store . '/nodes/' . 'ab' x 16);
	$t->start_worker;
	ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM store_nodes WHERE node = 'web2'") == 0 }),
	    'after a day it is forgotten');
	ok($t->wait_for(sub { !-e $t->store . '/nodes/' . 'ab' x 16 }), 'with its file');
	is(scalar(grep { -e } @old), scalar @old, 'those of the others stay');
	$t->stop_worker;
};

done_testing();
