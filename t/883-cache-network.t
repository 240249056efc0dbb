#!/usr/bin/perl

# anonymous_networks: from an address in one of them index and crates of a private project need no token, by
# the pool and by nginx alone, and nothing else is seen; a change ends that at the next request, on all nodes.

use strict;
use warnings;

use Test::More;

use Berth::Cache;
use Berth::FastCGI qw(fetch);
use Berth::Test;
use Berth::Watch;

# The second node's nginx stands behind a proxy that it trusts, as real_ip_header says; the
# first one trusts nobody.
my $t = Berth::Test->new(workers => 2, cache_lease => 8);
my $elsewhere = Berth::Test->new(workers => 2, cache_lease => 3, database => $t->dsn('berth'),
    store => $t->store);
my $id = $t->project('demo/sub/private');
my $other = $t->project('demo/other');
my ($R, $O) = map { $t->registry($_) } $id, $other;
$t->user($_) for qw(dev owner stranger);
$t->member('dev', 'demo', 'maintainer');
$t->member('owner', 'demo', 'owner');
my %token = map { $_ => $t->token($_) } qw(dev owner stranger);
my @nodes = ($t, $elsewhere);
my @ports = (Berth::Cache::start($t), Berth::Cache::start($elsewhere, sub {
	s/^(\tlisten [^\n]*\n)/$1\tset_real_ip_from 127.0.0.1;\n\treal_ip_header X-Real-IP;\n/m;
	return $_;
}));
my @files = map { "$R/$_" } 'on/e_/one_crate', 'config.json', 'one_crate/1.0.0+b.1/download';
my ($index, $config, $crate) = @files;

is($t->publish($_, $token{dev}, 'one_crate', '1.0.0+b.1')->{status}, 200, "project $_ has a crate")
    for $id, $other;

sub networks { $t->berth_ok('project', 'set', 'demo/sub/private', "anonymous_networks=$_[0]"); return; }
sub get { my ($path, %headers) = @_; return Berth::Cache::get($ports[0], $path, %headers); }
sub status_from { return fetch($t->socket_path, $_[1], REMOTE_ADDR => $_[0])->{status}; }

subtest 'which addresses' => sub {
	# list, address, whether it is in it
	my @cases = (['', '192.0.2.7', 0], ['192.0.2.0/24', '192.0.2.7', 1], ['192.0.2.0/24', '192.0.3.7', 0],
	    ['192.0.2.0/24', '::ffff:192.0.2.7', 1], ['::ffff:192.0.2.0/120', '192.0.2.7', 1],
	    ['192.0.2.0/24', '::192.0.2.7', 0],
	    ['2001:db8::/32', '2001:db8:1::5', 1], ['2001:db8::/32', '2001:db9::5', 0],
	    ["10.0.0.1 \t2001:db8::7", '2001:db8::7', 1],
	    ['10.0.0.0/8', '', 0], ['10.0.0.0/8 fc00::/7', 'unix:', 0], ['10.0.0.0/8', '2001:db8::1', 0]);

	for my $case (@cases) {
		my ($list, $address, $in) = @$case;

		networks($list);
		is(status_from($address, $index), $in ? 200 : 401, "`$list`: `$address`");
	}
	networks('');
	$t->berth_ok(qw(group set demo anonymous_networks=198.51.100.0/24));
	is(status_from('198.51.100.1', $_), 200, 'a network of a group above: ' . s/.*cargo//r)
	    for @files, "$O/config.json";
	$t->berth_ok(qw(group set demo/sub anonymous_networks=203.0.113.9));
	is(status_from('203.0.113.9', $index), 200, 'of the group');
	is(status_from('203.0.113.9', "$O/config.json"), 401, 'of another group: no');
	is(status_from('198.51.100.1', '/api/v4/projects/999/packages/cargo/config.json'), 401,
	    'no such project: as ever');
	$t->berth_ok(qw(project set demo/other packages_enabled=false));
	is(status_from('198.51.100.1', "$O/config.json"), 401, 'packages that are switched off: as ever');
	$t->berth_ok(qw(project set demo/other packages_enabled=true));
	$t->berth_ok('group', 'set', $_, 'anonymous_networks=') for qw(demo demo/sub);
	is(status_from('198.51.100.1', $index), 401, 'taken back');
};

subtest 'nothing else' => sub {
	networks('127.0.0.0/8');
	is(get($_)->{status}, 200, "$_: without a token") for @files;
	like(get($config)->{body}, qr/"auth-required":true/, 'config.json is the same for all');
	like(get($_)->{headers}{'cache-control'}, qr/^private, /, "$_: for no shared cache") for @files;
	my $P = "/api/v4/projects/$id";
	my %closed = (GET => ["$R/api/v1/crates?q=one", "$R/api/v1/crates/one_crate/owners", $P, "$P/packages",
	    "$P/members",
	        '/api/v4/groups/demo', '/api/v4/groups/demo/packages', "$O/config.json", "$O/on/e_/one_crate"],
	    PUT => ["$R/api/v1/crates/new", "$R/api/v1/crates/one_crate/1.0.0/unyank"],
	    DELETE => ["$R/api/v1/crates/one_crate/1.0.0/yank"]);
	for my $method (sort keys %closed) {
		is($t->http($method => $_)->{status}, 401, "$method $_: 401") for @{ $closed{$method} };
	}
	is(get($index, Authorization => $token{stranger})->{status}, 404, 'a token is judged by itself');
	is(get($index, Authorization => 'x')->{status}, 401, 'a bad one is refused');
};

subtest 'by nginx alone' => sub {
	for my $path (@files) {
		my $first = get($path, Authorization => $token{dev});
		my $res = Berth::Cache::wait_static($t, $ports[0], $path);

		ok(defined $res, "$path: nginx sends it") or next;
		is($res->{body}, $first->{body}, 'the same bytes');
		is($res->{headers}{$_}, $first->{headers}{$_}, "the same $_")
		    for qw(cache-control vary etag content-type x-content-type-options);
		is(get($path, 'If-None-Match' => $res->{headers}{etag})->{status}, 304, 'conditional');
	}
	ok(-l "$_/net-127.0.0.1/$id", 'the grant is of the address')
	    for glob($t->{settings}{cache_dir} . '/grant/*');
	ok(!-e "$_/anyone/$id", 'and not of anyone') for glob($t->{settings}{cache_dir} . '/grant/*');
	is(get($index, Authorization => $token{stranger})->{status}, 404, 'a token finds no grant of an address');
	is(get("/-/berth/cache/index/$id/index/on/e_/one_crate")->{status}, 404,
	    'nor does who asks for the cache itself');
	is(get("$R/no/ne/none")->{status}, 404, 'what is not there: the pool says so');
};

# What a client writes into its headers is no address, unless the site trusts that header of its proxy.
subtest 'spoofed' => sub {
	networks('192.0.2.0/24');
	my @spoofed = map { ($_ => '192.0.2.1') }
	    qw(X-Forwarded-For X-Real-IP Forwarded Client-IP True-Client-IP Remote-Addr);

	is(get($_, @spoofed)->{status}, 401, "$_: no header counts") for @files;
	for my $n (1 .. 3) {
		my $from = sub {
			return Berth::Cache::get($ports[1], $_[1], 'X-Real-IP' => $_[0], 'X-Forwarded-For' => '192.0.2.1');
		};
		is($from->('192.0.2.1', $index)->{status}, 200, 'the address that a proxy names counts');
		Berth::Cache::wait_static($elsewhere, $ports[1], $_, 'X-Real-IP' => '192.0.2.1')
		    // fail("$_: not from a file") for $index, $crate;
		is($from->('203.0.113.1', $_)->{status}, 401, 'and one elsewhere has nothing of its grant')
		    for $index, $crate;
		is($from->($_, $index)->{status}, 401, "$_: no way into another's folder")
		    for '../net-192.0.2.1', '192.0.2.1/../net-192.0.2.1';
	}
	networks('2001:db8::/32');
	ok(defined Berth::Cache::wait_static($elsewhere, $ports[1], $index, 'X-Real-IP' => '2001:db8:0:0::00ff'),
	    'IPv6 as well, in any spelling');
	is(Berth::Cache::get($ports[1], $index, 'X-Real-IP' => '2001:db9::1')->{status}, 401, 'no other');
};

# By the API of a node, as the owner.
sub put {
	my ($node, $place, @networks) = @_;
	my $body = sprintf('{"anonymous_networks":[%s]}', join(',', map { qq("$_") } @networks));

	$nodes[$node]->http(PUT => "/api/v4/$place", { token => $token{owner}, body => $body,
	    headers => ['Content-Type: application/json'] })->{status} == 200 or die "not changed\n";
	return;
}

# Clients ask both nodes as fast as they can; for each read that begins after the change was
# answered, it holds.
subtest 'what ends it' => sub {
	my $group = $t->group('demo');
	my @changes = (
		['the list of the project', sub { networks('192.0.2.0/24') }, sub { networks('127.0.0.1') }],
		['packages that are switched off',
		    sub { $t->berth_ok(qw(project set demo/sub/private packages_enabled=false)) },
		    sub { $t->berth_ok(qw(project set demo/sub/private packages_enabled=true
		    anonymous_networks=127.0.0.1)) }],
		['the list of a group', sub { $t->berth_ok(qw(group set demo anonymous_networks=)) },
		    sub {
			$t->berth_ok(qw(project set demo/sub/private packages_enabled=true anonymous_networks=));
			$t->berth_ok(qw(group set demo anonymous_networks=127.0.0.0/8));
		    }],
		['the list of the project, by the API', sub { put(1, "projects/$id", '192.0.2.0/24') },
		    sub { put(0, "projects/$id", '127.0.0.1') }],
		['the list of a group, by the API', sub { put(0, "groups/$group") }, sub {
			put(1, "projects/$id");
			put(1, "groups/$group", '127.0.0.0/8');
		}],
	);

	for my $change (@changes) {
		my ($name, $take, $give) = @$change;

		$give->();
		for my $n (0, 1) {
			Berth::Cache::wait_static($nodes[$n], $ports[$n], $_) // die "no file on node $n\n" for $index, $crate;
		}
		my @after = Berth::Cache::meanwhile($t, \@ports, $name, $index, {}, $take);
		is(scalar(grep { $_->[2] != 401 } @after), 0, "$name: 401 for all that ask after it");
		for my $n (0, 1) {
			is(Berth::Cache::get($ports[$n], $_)->{status}, 401, "$name, node $n: and so on") for $index, $crate;
		}
	}
};

done_testing;
