#!/usr/bin/perl

# Host names and TLS: no answer leads to the Host that the client names, no matter who made the answer, and
# HSTS is on every answer once if it is switched on, and on none if it is not.

use strict;
use warnings;

use IO::Socket::UNIX;
use Test::More;

use Berth::Routes;
use Berth::Test;

my $t = Berth::Test->new(workers => 4, max_crate_size => '10m');
my $private = $t->project('demo/registry');
my $public = $t->project('demo/public', 'public');
$t->user('alice');
$t->member('alice', 'demo', 'maintainer');
my $token = $t->token('alice');
my $R = $t->registry($private);

is($t->publish($_, $token, 'abcd', '1.0.0')->{status}, 200, 'a crate') for $private, $public;

# Every location of conf/nginx that a path reaches, with one slash at its end, with none and with two.
sub location_paths {
	my @paths;

	for my $file (qw(berth-locations.conf berth-internal.conf berth-server.conf)) {
		my $text = Berth::Cluster::slurp("$Berth::Cluster::ROOT/conf/nginx/$file");

		push @paths, $1 while $text =~ m{^\s*location (?:=|\^~)? ?(/\S*) \{}mg;
	}
	return map { my $bare = s{/+\z}{}r; ($bare eq '' ? '/' : $bare, "$bare/", "$bare//") } @paths;
}

my @locations = location_paths();
cmp_ok(scalar @locations, '>=', 3 * 10, 'locations were found');

subtest 'no answer names the Host of the request' => sub {
	my @asked = ((map { [GET => $_] } @locations),
	    (map {
		my $r = $_;

		map { [$_ => Berth::Routes::path($r, id => $private)] } grep { /^(?:GET|POST|PUT|DELETE)$/ }
		    @{ $r->{methods} };
	    } Berth::Routes::all()),
	    [GET => $t->registry($public) . '/config.json'], [GET => "/api/v4/projects/$public/packages/cargo"]);
	my (@bad, %locations);

	for my $asked (@asked) {
		my ($method, $path) = @$asked;

		for my $who ($token, undef) {
			# what writes would end the token
			next if defined $who && $method ne 'GET';
			my $res = $t->http($method, $path, { token => $who, headers => { Host => 'evil.example' } });
			my $text = join("\n", (map { "$_->[0]: $_->[1]" } @{ $res->{header_list} }), $res->{body});

			push @bad, "$method $path: $res->{status}" if $text =~ /evil/i || $res->{status} == 301;
			$locations{ $res->{headers}{location} =~ s/\?.*//r }++ if defined $res->{headers}{location};
		}
	}
	is(join("\n", @bad), '', scalar @asked . ' paths: none does, and none is redirected by nginx');
	# / leads to the front page by nginx alone, which knows no address but the path
	is(join("\n", grep { $_ ne '/-/' && index($_, $t->url . '/') != 0 } sort keys %locations), '',
	    'every Location is below external_url')
	    and ok($locations{ $t->url . '/-/tokens' }, 'and there were some');
};

subtest 'a redirect that nginx makes by itself names no host' => sub {
	$t->stop_nginx;
	my $extra = 'location ^~ /extra/ { include berth/berth-common.conf; fastcgi_pass berth; }';
	$t->start_nginx(sub { s/^(location \^~ \/-\/ \{)/$extra\n$1/mr });
	my $res = $t->http(GET => '/extra', { headers => { Host => 'evil.example' } });

	is($res->{status}, 301, 'of a location that somebody adds');
	is($res->{headers}{location}, '/extra/', 'it is a path');
};

# ---- HSTS ----

# One request for each status, location and maker of answers.
sub answers {
	my $big = $t->dir . '/large';

	open(my $fh, '>', $big) or die "$big: $!\n";
	truncate($fh, (12 << 20) + 1) or die "$big: $!\n";
	close($fh);
	return (
		(map { ["location $_", GET => $_] } @locations),
		['200 of the pool', GET => "$R/ab/cd/abcd", { token => $token }],
		['200 of nginx, perhaps', GET => $t->registry($public) . '/ab/cd/abcd'],
		['crate', GET => "$R/abcd/1.0.0/download", { token => $token }],
		['public crate', GET => $t->registry($public) . '/abcd/1.0.0/download'],
		['206', GET => $t->registry($public) . '/abcd/1.0.0/download', { headers => { Range => 'bytes=0-3' } }],
		['416', GET => $t->registry($public) . '/abcd/1.0.0/download',
		    { headers => { Range => 'bytes=99999999-' } }],
		['304', GET => "$R/config.json", { token => $token, headers => { 'If-None-Match' => '*' } }],
		['302', GET => "$R/me"],
		['page', GET => '/-/tokens'],
		['400 of the pool', GET => "$R/api/v1/crates?per_page=x", { token => $token }],
		['400 of nginx', GET => "$R/config.json",
		    { headers => ["Authorization: $token", "Authorization: $token"] }],
		['401', GET => "$R/config.json"],
		['401 of an upload', PUT => "$R/api/v1/crates/new", { body => 'x' }],
		['404', GET => '/nowhere'],
		['405', POST => "$R/config.json", { token => $token }],
		['413', PUT => "$R/api/v1/crates/new",
		    { token => $token, curl => ['-H', 'Expect: 100-continue', '--expect100-timeout', 10, '-T', $big] }],
		['414', GET => '/' . 'x' x 17000],
		['501', GET => "$R/config.json", { headers => { 'Transfer-Encoding' => 'gzip' } }],
	);
}

sub hsts {
	my ($asked, %more) = @_;
	my (undef, $method, $path, $opt) = @$asked;
	my $res = $t->http($method, $path, { tls => 1, %{ $opt // {} }, %more });

	is(scalar(grep { $_->[0] eq 'x-served-by' } @{ $res->{header_list} }), 1, "$asked->[0]: one X-Served-By");
	return ($res->{status}, map { $_->[1] } grep { $_->[0] eq 'strict-transport-security' }
	    @{ $res->{header_list} });
}

subtest 'HSTS' => sub {
	my $wanted = 'max-age=31536000';
	my %statuses;

	$t->stop_nginx;
	$t->start_nginx;
	is_deeply([map { my ($status, @have) = hsts($_); @have } answers()], [], 'is off by default');
	$t->stop_nginx;
	$t->start_nginx(sub { s/^\t#on "max-age/\ton "max-age/mr });
	for my $asked (answers()) {
		my ($status, @have) = hsts($asked);

		$statuses{$status}++;
		is_deeply(\@have, [$wanted], "switched on: $asked->[0], $status: once");
	}
	my $plain = $t->http(GET => 'http://localhost:' . $t->port . "$R/config.json", { may_fail => 1 });
	is($plain->{headers}{'strict-transport-security'}, undef, 'never over plain HTTP');
	$t->stop_pool;
	for my $asked (
		['502', GET => "$R/config.json"],
		['502 of an upload', PUT => "$R/api/v1/crates/new", { body => 'x' }],
		['502 of the management API', GET => '/api/v4/user'],
		['502 of a page', GET => '/-/tokens'],
	) {
		my ($status, @have) = hsts($asked, no_pool => 1);

		$statuses{$status}++;
		is_deeply(\@have, [$wanted], "$asked->[0]: $status");
	}
	# a server that accepts and never answers
	my $silent = IO::Socket::UNIX->new(Type => Socket::SOCK_STREAM(), Listen => 8, Local => $t->socket_path)
	    or die "socket: $!\n";
	$t->stop_nginx;
	$t->start_nginx(sub { s/^\t#on "max-age/\ton "max-age/mr
	    =~ s/fastcgi_read_timeout \d+s/fastcgi_read_timeout 1s/r });
	my ($status, @have) = hsts(['504', GET => "$R/config.json"], no_pool => 1);
	$statuses{$status}++;
	is_deeply(\@have, [$wanted], "504: $status");
	is(join(' ', grep { !$statuses{$_} } 200, 206, 302, 400, 401, 404, 405, 413, 414, 416, 501, 502, 504), '',
	    'all of these statuses were seen');
};

done_testing();
