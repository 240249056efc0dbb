#!/usr/bin/perl
# Every answer of every location of nginx has each header of Berth's once, whatever its status: also
# those that nginx makes after it has begun another one, such as 416.  No error is kept by a cache.

use strict;
use warnings;

use IO::Socket::UNIX;
use Test::More;

use Berth::Cache;
use Berth::Test;

my $t = Berth::Test->new(workers => 2, publish_burst => 0, new_crate_burst => 0, failed_login_burst => 0);
my %id = (private => $t->project('demo/private', 'private'), public => $t->project('demo/public', 'public'));

$t->user('dev');
$t->member('dev', 'demo', 'maintainer');
$t->user('guest');
$t->member('guest', 'demo', 'guest');
my ($token, $guest) = map { $t->token($_) } qw(dev guest);
my ($P, $O) = map { $t->registry($id{$_}) } qw(private public);
my $hsts = sub { s/^\t#on ("max-age)/\ton  $1/mr };
my $port = Berth::Cache::start($t, $hsts);
my $large = $t->dir . '/large';

is($t->publish($_, $token, 'abcd', '1.0.0')->{status}, 200, 'there is a crate') for values %id;
open(my $fh, '>', $large) or die "$large: $!\n";
truncate($fh, (12 << 20) + 1) or die "$large: $!\n";
close($fh);

my @once = qw(cache-control x-request-id x-served-by x-content-type-options strict-transport-security);
my @never_twice = qw(vary etag retry-after allow content-type content-length last-modified www-authenticate
    accept-ranges content-range);
my %seen;

# One answer: of that status, with each header once.
sub once {
	my ($what, $status, $res) = @_;
	my %count;

	$count{ $_->[0] }++ for @{ $res->{header_list} };
	is($res->{status}, $status, "$what: $status");
	is(join(' ', grep { ($count{$_} // 0) != 1 } @once), '', "$what, $status: each of these is there once");
	is(join(' ', grep { ($count{$_} // 0) > 1 } @never_twice), '', "$what, $status: and none of these twice");
	my $kept = join('; ', map { $_->[1] } grep { $_->[0] eq 'cache-control' } @{ $res->{header_list} });
	like($kept, $status >= 400 ? qr/^(?:private, )?no-store$/ : qr/^(?:private|public|no-store)/,
	    "$what, $status: $kept");
	$seen{$status}++;
}

sub ask {
	my ($method, $path, %opt) = @_;

	return $t->http($method => $path, { tls => 1, headers => [map { ref ? @$_ : $_ } $opt{headers} // ()],
		map { $_ => $opt{$_} } grep { defined $opt{$_} } qw(token body curl no_pool) });
}

my @too_large = (curl => ['-H', 'Expect: 100-continue', '--expect100-timeout', 10, '-T', $large]);

# Of a project that is named by its path nginx has no files.
my ($by_path, $open_by_path) = map { "/api/v4/projects/demo%2F$_/packages/cargo" } qw(private public);

# What a file is asked for in every way: name, status, headers.
my @file = (['whole', 200], ['a part', 206, 'Range: bytes=2-5'],
	['from the first byte on', 206, 'Range: bytes=0-'],
	['the end', 206, 'Range: bytes=-3'], ['several parts', 200, 'Range: bytes=0-1,3-4'],
	['not modified', 304, 'If-None-Match: *'],
	['another one', 412, 'If-Match: "x"'], ['no such part', 416, 'Range: bytes=99999999-'],
	['part of no sense', 416, 'Range: bytes=5-2'],
	['the end of nothing', 416, 'Range: bytes=-0']);

subtest 'crates by the pool' => sub {
	for my $case (@file) {
		my ($what, $status, @headers) = @$case;

		once("crate, $what", $status,
		    ask(GET => "$by_path/abcd/1.0.0/download", token => $token, headers => \@headers));
		once("public crate, $what", $status, ask(GET => "$open_by_path/abcd/1.0.0/download", headers => \@headers));
	}
	my $res = ask(GET => "$by_path/abcd/1.0.0/download", token => $token);
	is($res->{headers}{'cache-control'}, 'private, max-age=31536000, immutable',
	    'a whole crate is kept for ever');
	is($res->{headers}{'x-berth-cache-control'}, undef, 'what the pool said to nginx is hidden');
	$res = ask(GET => "$open_by_path/abcd/1.0.0/download");
	is($res->{headers}{'cache-control'}, 'public, max-age=31536000, immutable',
	    'by all where anyone may read it');
};

subtest 'files by nginx' => sub {
	ok(defined Berth::Cache::wait_static($t, $port, "$O/abcd/1.0.0/download"), 'the crate is there') or return;
	for my $case (@file) {
		my ($what, $status, @headers) = @$case;
		my $res = ask(GET => "$O/abcd/1.0.0/download", headers => \@headers);

		once("crate of nginx, $what", $status, $res);
	}
	ok(defined Berth::Cache::wait_static($t, $port, "$O/ab/cd/abcd"), 'the index file is there') or return;
	for my $case (grep { $_->[1] !~ /^(?:206|416)$/ } @file) {
		my ($what, $status, @headers) = @$case;

		once("index of nginx, $what", $status,
		    ask(GET => "$O/ab/cd/abcd", headers => ['Accept-Encoding: gzip', @headers]));
	}
};

# nginx and the pool agree about conditions, whatever a client writes.  The time of a file of nginx is a hash
# of its bytes, and answers of the pool have no time.
subtest 'conditions' => sub {
	my @dates = ('', 'never', map { "Thu, 01 Jan $_ 00:00:00 GMT" } 1970, 2099);
	my @values = ('', '*', '"x"', 'ETAG', 'W/ETAG', 'BARE', '"x", ETAG', ',', ', ETAG', '"');
	my @asked = (map({ my $field = $_; map { [$field => $_] } @values } qw(If-None-Match If-Match)),
	    map({ my $field = $_; map { [$field => $_], [$field => $_, 'If-None-Match' => 'ETAG'],
	        [$field => $_, 'If-None-Match' => '"x"'] } @dates } qw(If-Modified-Since If-Unmodified-Since)),
	    map({ ['If-Range' => $_, Range => 'bytes=0-1'] } @dates, @values));
	# What differs: no configuration of nginx can tell an empty header from none, or overlook one, and the pool
	# looks at no If-Match.  No client gets a time to ask with.
	my %differs;
	$differs{"If-Match $_"} = '412 200' for '', '"x"', 'W/ETAG', 'BARE', ',', '"';
	$differs{"If-Modified-Since $_ If-None-Match ETAG"} = '200 304' for @dates;
	$differs{"If-Unmodified-Since $_"} = '412 200' for '', ' If-None-Match "x"';
	$differs{'If-Unmodified-Since  If-None-Match ETAG'} = '412 304';

	for my $case (['anyone', 'ab/cd/abcd', $O, $open_by_path], ['anyone', 'config.json', $O, $open_by_path],
		['anyone', 'abcd/1.0.0/download', $O, $open_by_path], ['a token', 'ab/cd/abcd', $P, $by_path, $token],
		['a token', 'config.json', $P, $by_path, $token]) {
		my ($who, $file, $nginx, $pool, @token) = @$case;
		my @as = map { (Authorization => $_) } @token;
		my $first = Berth::Cache::wait_static($t, $port, "$nginx/$file", @as);
		my $etag = $first->{headers}{etag};
		my @wrong;

		ok(defined $etag, "$who: nginx sends $file") or next;
		for my $asked (@asked) {
			my @headers = map { s/ETAG/$etag/r =~ s/BARE/$etag =~ tr{"}{}dr/er } @$asked;
			my @got = map { Berth::Cache::get($port, "$_/$file", @as, @headers)->{status} } $nginx, $pool;
			my $differs = $file =~ /download/ ? undef : $differs{"@$asked"};

			push @wrong, "@$asked: @got" if defined $differs ? "@got" ne $differs : $got[0] != $got[1];
		}
		is(join("\n", @wrong), '', "$who: $file: nginx and the pool agree about " . @asked . ' conditions');
	}
};

subtest 'answers of the pool, and what nginx refuses' => sub {
	my $long = '?' . 'x' x 20000;
	my @cases = (
		['index', 200, GET => "$P/ab/cd/abcd", token => $token],
		['index', 304, GET => "$P/ab/cd/abcd", token => $token, headers => ['If-None-Match: *']],
		['index', 401, GET => "$P/ab/cd/abcd"], ['index', 403, GET => "$P/ab/cd/abcd", token => $guest],
		['index', 404, GET => "$P/no/ne/none", token => $token],
		['index', 405, POST => "$P/ab/cd/abcd", token => $token],
		['index', 413, GET => "$P/ab/cd/abcd", token => $token, @too_large],
		['index', 414, GET => "$P/ab/cd/abcd$long"],
		['index', 400, GET => "$P//ab/cd/abcd"], ['crate', 404, GET => "$P/none/1.0.0/download", token => $token],
		['crate', 401, GET => "$P/abcd/1.0.0/download"],
		['crate', 403, GET => "$P/abcd/1.0.0/download", token => $guest],
		['config.json', 200, GET => "$P/config.json", token => $token], ['me', 302, GET => "$P/me"],
		['search', 200, GET => "$P/api/v1/crates?q=a", token => $token],
		['publish', 401, PUT => "$P/api/v1/crates/new", body => 'x'],
		['publish', 403, PUT => "$P/api/v1/crates/new", token => $guest, body => 'x'],
		['publish', 400, PUT => "$P/api/v1/crates/new", token => $token, body => 'x'],
		['publish', 404, PUT => '/api/v4/projects/99/packages/cargo/api/v1/crates/new', token => $token,
		    body => 'x'],
		['publish', 413, PUT => "$P/api/v1/crates/new", token => $token, @too_large],
		['publish', 405, POST => "$P/api/v1/crates/new", token => $token, body => 'x'],
		['yank', 413, DELETE => "$P/api/v1/crates/abcd/1.0.0/yank", token => $token, @too_large],
		['packages', 200, GET => "/api/v4/projects/$id{private}/packages", token => $token],
		['packages', 401, GET => "/api/v4/projects/$id{private}/packages"],
		['packages', 403, GET => "/api/v4/projects/$id{private}/packages", token => $guest],
		['packages', 404, GET => '/api/v4/projects/99/packages', token => $token],
		['packages', 405, BREW => "/api/v4/projects/$id{private}/packages", token => $token],
		['packages', 413, POST => "/api/v4/projects/$id{private}/packages", token => $token, @too_large],
		['packages', 414, GET => "/api/v4/projects/$id{private}/packages$long"],
		['/api/v4', 404, GET => '/api/v4'], ['/-', 308, GET => '/-'], ['a page', 404, GET => '/-/none'],
		['a page', 413, POST => '/-/sign-in', @too_large],
		(map { ["page $_", 404, GET => "/-/$_", headers => ['Accept: text/html']] } 'none', 'projects/none',
		    'projects/demo/private', 'projects/demo/public/-/crates/none', 'groups/none',
		    'projects/demo/public/-/crates/abcd/9.0.0'),
		['page of a search', 400, GET => '/-/search?page=x', headers => ['Accept: text/html']],
		['sign-in', 200, GET => '/-/sign-in'], ['nothing', 404, GET => '/nothing'],
		['nothing', 413, POST => '/nothing', @too_large],
		['a blob', 404, GET => '/-/blob/ab/cd/' . 'a' x 64],
		['a file', 404, GET => "/-/berth/cache/index/$id{public}/index/ab/cd/abcd"],
		['an internal page', 404, GET => '/-/berth/error'],
		['metrics', 404, GET => '/-/metrics', public => 1],
		['openapi', 200, GET => '/api/v4/openapi.json'],
	);

	once($_->[0], $_->[1], ask(@{$_}[2 .. $#$_])) for @cases;
};

# Starts nginx anew, with HSTS and the change.
sub with_nginx {
	my ($edit) = @_;

	$t->stop_nginx;
	$t->start_nginx(sub { local $_ = $hsts->(); return $edit->(); });
}

subtest 'too many' => sub {
	with_nginx(sub {
		s/^server \{\n/include berth\/berth-limits-http.conf;\n${&}include berth\/berth-limits.conf;\n/mr
		    =~ s/burst=\d+/burst=1/gr =~ s{rate=\d+r/s}{rate=1r/m}gr;
	});
	ask(GET => '/nothing') for 1 .. 3;
	ask(PUT => '/nothing', body => 'x') for 1 .. 3;
	once($_->[0], 429, ask(@{$_}[1 .. $#$_])) for ['index', GET => "$O/ab/cd/abcd"],
	    ['config.json', GET => "$O/config.json"], ['crate', GET => "$O/abcd/1.0.0/download"],
	    ['search', GET => "$O/api/v1/crates?q=a"], ['publish', PUT => "$O/api/v1/crates/new", body => 'x'],
	    ['packages', GET => "/api/v4/projects/$id{public}/packages"],
	    ['nothing', GET => '/nothing'], ['a page', GET => '/-/none'];
};

subtest 'bytes that are gone' => sub {
	with_nginx(sub { s{(location \^~ /-/blob/ \{\n\tinternal;\n\talias ")[^"]*}{$1/nonexistent/}r });
	once("crate, $_->[0]", 500, ask(GET => "$by_path/abcd/1.0.0/download", token => $token,
	    headers => [@{$_}[2 .. $#$_]])) for @file;
};

subtest 'the pool is away, or does not answer' => sub {
	my @cases = (['index', 0, GET => "$P/ab/cd/abcd"], ['search', 0, GET => "$P/api/v1/crates?q=a"],
		['crate', 0, GET => "$by_path/abcd/1.0.0/download", headers => ['Range: bytes=2-']],
		['packages', 0, GET => "/api/v4/projects/$id{private}/packages"], ['a page', 0, GET => '/-/none'],
		['nothing', 0, GET => '/nothing'],
		['publish', 1, PUT => "$P/api/v1/crates/new", token => $token, body => 'x'],
		['yank', 1, DELETE => "$P/api/v1/crates/abcd/1.0.0/yank", token => $token],
		['a write', 1, POST => "/api/v4/projects/$id{private}/members", token => $token, body => 'x']);

	is($t->stop_pool, 0, 'the pool ends');
	with_nginx(sub { s/fastcgi_read_timeout \d+s/fastcgi_read_timeout 1s/r });
	once($_->[0], $_->[1] ? 503 : 502, ask(@{$_}[2 .. $#$_], no_pool => 1)) for @cases;
	my $silent = IO::Socket::UNIX->new(Type => Socket::SOCK_STREAM(), Listen => 16, Local => $t->socket_path)
	    or die "socket: $!\n";
	once("$_->[0], nobody answers", $_->[1] ? 503 : 504, ask(@{$_}[2 .. $#$_], no_pool => 1)) for @cases;
};

is(join(' ', grep { !$seen{$_} } 200, 206, 302, 304, 400, 401, 403, 404, 405, 412, 413, 414, 416, 429, 500,
    502, 503, 504), '', 'all of these statuses were seen');

done_testing();
