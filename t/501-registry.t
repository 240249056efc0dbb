#!/usr/bin/perl
# What cargo reads: config.json, the index, downloads, and who may.  Through nginx.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP ();
use Test::More;

use Berth::Test;

my $t = Berth::Test->new;
my $priv = $t->project('demo/priv', 'private');
my $int = $t->project('demo/int', 'internal');
my $pub = $t->project('demo/pub', 'public');
$t->user($_) for qw(dev guest reporter stranger gone);
$t->member('dev', 'demo', 'developer');
$t->member('guest', 'demo/priv', 'guest');
$t->member('reporter', 'demo', 'reporter');
$t->member('gone', 'demo', 'owner');
my %token = map { $_ => $t->token($_) } qw(dev guest reporter stranger gone);
$token{read} = $t->token('dev', scopes => 'read_api');
$token{expired} = $t->ended_token('dev');
$t->berth_ok('user', 'block', 'gone');

sub is_text {
	my ($res, $status, $sentence, $name) = @_;

	is($res->{status}, $status, "$name: status");
	like($res->{headers}{'content-type'} // '', qr{^text/plain}, "$name: plain text");
	like($res->{body}, qr/^$sentence\n\z/, "$name: one sentence");
}

my ($R, $P, $I) = map { $t->registry($_) } $priv, $pub, $int;
my %crate;
for my $name (qw(a ab abc abcd Foo_Lib), 'x' x 64) {
	$crate{$name} = $t->make_crate($name, '1.0.0');
	for my $id ($priv, $pub) {
		my $res = $t->http(PUT => $t->registry($id) . '/api/v1/crates/new',
		    { token => $token{dev}, body => $t->publish_body($t->metadata($name, '1.0.0'), $crate{$name}) });

		is($res->{status}, 200, "$name is published") or diag($res->{body});
	}
}

# ---- config.json ----

my $res = $t->http(GET => "$R/config.json");
is_text($res, 401, 'this registry needs a token', 'no token');
is($res->{headers}{'www-authenticate'}, 'Cargo login_url="' . $t->url . '/-/tokens"',
    'where to log in: quoted and absolute');
is($t->http(GET => '/-/tokens')->{status}, 200, 'the page is there');
$res = $t->http(GET => "$R/me");
is($res->{status}, 302, 'R/me redirects');
is($res->{headers}{location}, $t->url . '/-/tokens', 'to it');

$res = $t->http(GET => "$R/config.json", { token => $token{dev} });
is($res->{status}, 200, 'with a token');
is($res->{body}, '{"dl":"' . $t->url . $R . '","api":"' . $t->url . $R . '","auth-required":true}',
    'config.json');
is($res->{headers}{'cache-control'}, 'private, no-cache', 'private');
like($res->{headers}{vary}, qr/Authorization/, 'varies by Authorization');
is($t->http(GET => '/api/v4/projects/demo%2Fpriv/packages/cargo/config.json',
    { token => $token{dev} })->{body}, $res->{body}, 'by full path: the same, with the numeric id');
is($t->http(GET => '/api/v4/projects/DEMO%2fPriv/packages/cargo/config.json',
    { token => $token{dev} })->{status}, 200, 'paths compare without case');
is($t->http(GET => "/api/v4/projects/0$priv/packages/cargo/config.json", { token => $token{dev} })->{status},
    404, 'an id has one spelling');
is($t->http(GET => "$R/config.json", { token => $token{dev}, headers => { Host => 'evil.example' } })->{body},
    $res->{body}, 'the Host header changes nothing');
$res = $t->http(GET => "$P/config.json");
like($res->{body}, qr/"auth-required":false/, 'a public registry needs no token');
is($res->{headers}{'cache-control'}, 'public, no-cache', 'and may be kept by others');
is($t->http(GET => "$P/config.json", { token => $token{dev} })->{headers}{'cache-control'},
    'private, no-cache', 'an answer to a token may not');

# ---- the forms of Authorization ----

sub base64 { require MIME::Base64; return MIME::Base64::encode_base64($_[0], ''); }

for my $form ($token{dev}, "Bearer $token{dev}", "bearer  $token{dev}", "Token $token{dev}",
	"token   $token{dev}", 'Basic ' . base64("dev:$token{dev}"),
	'Basic ' . base64("$token{dev}:"), 'basic ' . base64(":$token{dev}")) {
	is($t->http(GET => "$R/config.json", { token => $form })->{status}, 200,
	    'Authorization: ' . substr($form, 0, 7) . '...');
}
for my $bad ('x', 'berth_pat_' . 'a' x 49, "Digest $token{dev}", 'Token', "Token Bearer $token{dev}",
	'Basic !!!', "Bearer \xff", 'Bearer ' . 'x' x 3000,
	substr($token{dev}, 0, -1), "$token{dev}x", lc $token{dev}) {
	my $shown = substr($bad, 0, 20) =~ s/[^ -~]/?/gr;

	for my $root ($R, $P) {
		$res = $t->http(GET => "$root/config.json", { token => $bad });
		is($res->{status}, 401, "Authorization: $shown");
		ok(defined $res->{headers}{'www-authenticate'}, 'tells where to log in');
	}
}
is($t->http(GET => "$P/config.json",
    { headers => ["Authorization: $token{dev}", "Authorization: $token{dev}"] })->{status},
    400, 'two credentials');

# ---- who may read ----

my $missing = $t->registry(987654321);
for my $case (
	# caller, private, internal, public, missing
	[undef, 401, 401, 200, 401],
	[$token{expired}, 401, 401, 401, 401],
	[$token{gone}, 401, 401, 401, 401],
	[$token{stranger}, 404, 200, 200, 404],
	[$token{guest}, 403, 200, 200, 404],
	[$token{reporter}, 200, 200, 200, 404],
	[$token{dev}, 200, 200, 200, 404],
	[$token{read}, 200, 200, 200, 404],
) {
	my ($caller, @want) = @$case;
	my ($who) = defined $caller ? grep { $token{$_} eq $caller } keys %token : 'anonymous';

	for my $root ($R, $I, $P, $missing) {
		my $want = shift @want;

		for my $path ('config.json', 'ab/cd/abcd', 'abcd/1.0.0/download') {
			my $expect = $root eq $I && $path ne 'config.json' && $want == 200 ? 404 : $want;

			for my $method (qw(GET HEAD)) {
				is($t->http($method => "$root/$path", { token => $caller })->{status}, $expect,
				    "$who $method $root/$path");
			}
		}
	}
}
# a project that one may not know of looks exactly like one that is not there
for my $caller (undef, $token{stranger}) {
	my ($hidden, $none) = map {
		my $r = $t->http(GET => "$_/ab/cd/abcd", { token => $caller });
		delete @{ $r->{headers} }{qw(date x-request-id x-served-by)};
		[$r->{status}, $r->{body}, $r->{headers}];
	} $R, $missing;

	is_deeply($hidden, $none, (defined $caller ? 'a stranger' : 'anonymous') . ' learns nothing');
}
for my $extra (
	['Range: bytes=0-1'],
	['If-None-Match: *'],
	['If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT'],
) {
	is($t->http(GET => "$R/abcd/1.0.0/download", { headers => $extra })->{status}, 401, "no token, $extra->[0]");
}

# ---- revocation holds from the next request on ----

my $short = $t->token('dev');
is($t->http(GET => "$R/ab/cd/abcd", { token => $short })->{status}, 200, 'before');
$t->berth_ok({ stdin => "$short\n" }, 'token', 'revoke');
is($t->http(GET => "$R/ab/cd/abcd", { token => $short })->{status}, 401, 'after the revocation');

# ---- the index ----

for my $case (['a', '1/a'], ['ab', '2/ab'], ['abc', '3/a/abc'], ['abcd', 'ab/cd/abcd'],
	['Foo_Lib', 'fo/o_/foo_lib'],
	['x' x 64, 'xx/xx/' . 'x' x 64]) {
	my ($name, $path) = @$case;

	$res = $t->http(GET => "$R/$path", { token => $token{dev} });
	is($res->{status}, 200, "index of $name");
	like($res->{headers}{'content-type'}, qr{^text/plain}, 'plain text');
	my $line = JSON::PP->new->utf8->decode($res->{body});
	is($line->{name}, $name, 'the name as published');
	is($line->{cksum}, sha256_hex($crate{$name}), 'cksum');
}
# Dependabot takes two letters as the folder of three, and leaves capitals where they are: the same answer.
for my $case (['1/a', '1/A'], ['2/ab', '2/AB', '2/aB'], ['3/a/abc', '3/A/ABC', '3/ab/abc', '3/Ab/aBC'],
	['ab/cd/abcd', 'Ab/Cd/AbCd', 'AB/CD/abcd'],
	['fo/o_/foo_lib', 'fo/o_/Foo_LIB', 'Fo/o_/Foo_Lib', 'FO/O_/foo_lib']) {
	my ($canonical, @others) = map {
		my $answer = $t->http(GET => "$R/$_", { token => $token{dev} });

		+{ %$answer, path => $_ };
	} @$case;

	for my $other (@others) {
		is($other->{status}, 200, "$other->{path} is found");
		is($other->{body}, $canonical->{body}, "$other->{path} has the bytes of $canonical->{path}");
		is($other->{headers}{etag}, $canonical->{headers}{etag}, "$other->{path} has its ETag");
	}
}
# These paths look like those of the index, but are not: with the route that answers them.
for my $case (['abcd/1.0.0/download', 200, 'download'], ['AB/1.0.0/download', 404, 'download'],
	['abc/1.0.0/download', 200, 'download'],
	['api/v1/crates?q=abcd', 200, 'search'], ['API/v1/crates?q=abcd', 404, '-'], ['Config.json', 404, '-'],
	['Do/wn/download', 404, 'index'], ['3/ab/download', 400, 'index']) {
	my ($path, $status, $route) = @$case;

	# with a query the pool answers, whose log has the route
	$res = $t->http(GET => "$R/$path" . ($path =~ /\?/ ? '' : '?x'), { token => $token{dev} });
	is($res->{status}, $status, "$path: $status");
	# the pool logs the line after the answer
	ok($t->wait_for(sub { $t->log('pool') =~ /id=$res->{headers}{'x-request-id'} .* route=\Q$route\E / }),
	    "$path: the route is $route");
}
for my $path ('fo/o-/foo-lib', 'no/ne/none', '1/b', '2/zz', '3/z/zzz', 'ab/cd/abcde', '12/34/1234', 'new') {
	is_text($t->http(GET => "$R/$path", { token => $token{dev} }), 404, '(?:Crate )?Not Found',
	    "nothing at $path");
}
for my $path ('1/ab', '2/a', '3/b/abc', '3/bc/abc', '3/ac/abc', '3/ab/abcd', '3/a/abcd', '3/ab/ab',
    'xx/xx/abcd', '1/abcd', 'ab/cd/abc', 'AB/c_/abcd') {
	is_text($t->http(GET => "$R/$path", { token => $token{dev} }), 400, 'Request path does not match.*',
	    "wrong place $path");
}
is($t->http(GET => "$R/ab/cd/%61bcd", { token => $token{dev} })->{status}, 200,
    'an escaped letter is that letter');
for my $path ('ab/cd/abcd%00', 'ab/cd/abcd%2F', 'ab/cd/..%2f', 'ab/cd/%ff', 'ab/cd/%c3%a9', 'ab/cd/%0d%0a',
	'/ab/cd/abcd',
	'ab//cd/abcd', 'ab/cd/abcd/', 'ab/cd/abcd;x', 'ab/cd/%', './ab/cd/abcd', 'ab/../ab/cd/abcd',
	'ab/cd/abcd%5c') {
	like($t->http(GET => "$R/$path", { token => $token{dev} })->{status}, qr/^40[04]$/, "refused: $path");
}

# conditional requests
my $index = "$R/ab/cd/abcd";
$res = $t->http(GET => $index, { token => $token{dev} });
my $etag = $res->{headers}{etag};
my $plain = $res->{body};
like($etag, qr/^"[0-9a-f]+-[0-9a-f]+-plain"$/, 'a strong ETag');
is($res->{headers}{'last-modified'}, undef, 'no Last-Modified');
for my $case ([$etag, 304], ["W/$etag", 304], ["\"x\", W/$etag", 304], ['*', 304], ['"x"', 200], ['', 200]) {
	my ($value, $want) = @$case;

	$res = $t->http(GET => $index, { token => $token{dev}, headers => ["If-None-Match: $value"] });
	is($res->{status}, $want, "If-None-Match: $value");
	is($res->{body}, $want == 304 ? '' : $plain, 'body');
	is($res->{headers}{etag}, $etag, 'the ETag is told again');
}
# compressed and not: the same lines
for my $case (['gzip', 1], ['deflate, gzip', 1], ['br', 0], ['identity', 0], ['gzip;q=0', 0],
	['br, zstd, gzip', 1], ['gzip, br, zstd', 1], ['br, zstd', 0], ['zstd;q=1.0, br;q=0.9, gzip;q=0.1', 1],
	['br, zstd, gzip;q=0', 0]) {
	my ($accept, $gzip) = @$case;

	$res = $t->http(GET => $index, { token => $token{dev}, headers => { 'Accept-Encoding' => $accept } });
	is($res->{headers}{'content-encoding'}, $gzip ? 'gzip' : undef, "Accept-Encoding: $accept");
	my $text = $res->{body};
	gunzip(\$res->{body}, \$text) if $gzip;
	is($text, $plain, 'the same lines');
	like($res->{headers}{vary}, qr/Accept-Encoding/, 'Vary');
	is($t->http(GET => $index, { token => $token{dev},
	    headers => ["If-None-Match: $res->{headers}{etag}"] })->{status}, 304,
	    'its ETag is known in either form');
}
my $head = $t->http(HEAD => $index, { token => $token{dev} });
is($head->{headers}{$_}, $t->http(GET => $index, { token => $token{dev} })->{headers}{$_}, "HEAD: $_")
    for qw(content-length etag content-type cache-control vary);
for my $method (qw(POST PUT DELETE PATCH OPTIONS)) {
	$res = $t->http($method => $index, { token => $token{dev} });
	is($res->{status}, 405, "$method on the index");
	like($res->{headers}{allow} // '', qr/GET/, 'Allow');
}

# ---- download ----

my $dl = "$R/abcd/1.0.0/download";
$res = $t->http(GET => $dl, { token => $token{dev}, headers => { 'Accept-Encoding' => 'gzip' } });
is($res->{status}, 200, 'download');
is($res->{body}, $crate{abcd}, 'byte for byte');
is($res->{headers}{'content-encoding'}, undef, 'no Content-Encoding');
is($res->{headers}{'content-length'}, length $crate{abcd}, 'Content-Length');
is($res->{headers}{'content-type'}, 'application/gzip', 'Content-Type');
like($res->{headers}{'cache-control'}, qr/private.*immutable/, 'for ever, but for the caller alone');
like($res->{headers}{etag}, qr/^"/, 'a strong ETag');
is($res->{headers}{'x-accel-redirect'}, undef, 'the redirect is between us');
is($res->{headers}{'x-berth-download'}, undef, 'and so are the ids');
my $tag = $res->{headers}{etag};
is($t->http(GET => $dl, { token => $token{dev}, headers => ["If-None-Match: $tag"] })->{status}, 304,
    'its ETag: 304');
$res = $t->http(GET => $dl, { token => $token{dev}, headers => ['Range: bytes=10-19'] });
is($res->{status}, 206, 'Range');
is($res->{body}, substr($crate{abcd}, 10, 10), 'the bytes asked for');
$head = $t->http(HEAD => $dl, { token => $token{dev} });
is($head->{status}, 200, 'HEAD');
is($head->{headers}{'content-length'}, length $crate{abcd}, 'with the length');
like($t->http(GET => "$P/abcd/1.0.0/download")->{headers}{'cache-control'}, qr/public.*immutable/, 'public');
for my $path ('Abcd/1.0.0/download', 'abcd/1.0.1/download', 'abcd/1.0/download', 'abcd/1.0.0+x/download',
	'foo-lib/1.0.0/download',
	'abcd/%2e%2e/download', 'abcd/download') {
	like($t->http(GET => "$R/$path", { token => $token{dev} })->{status}, qr/^40[04]$/, "nothing at $path");
}
# a crate that is called `download`, of which the index and the download look alike
is($t->publish($priv, $token{dev}, 'download', '1.0.0')->{status}, 200, 'a crate called download');
like($t->http(GET => "$R/do/wn/download", { token => $token{dev} })->{body}, qr/"name":"download"/,
    'its index');
is($t->http(GET => "$R/download/1.0.0/download", { token => $token{dev} })->{status}, 200, 'its bytes');
# `+` is a plus
is($t->publish($priv, $token{dev}, 'plus', '1.0.0+b.1')->{status}, 200, 'build metadata');
is($t->http(GET => "$R/plus/1.0.0$_/download", { token => $token{dev} })->{status}, 200, "$_")
    for '+b.1', '%2Bb.1';
is($t->http(GET => "$R/plus/1.0.0 b.1/download" =~ s/ /%20/r, { token => $token{dev} })->{status}, 404,
    'and no space');

# ---- addresses that people write in place of the index ----

my $where = quotemeta('In cargo\'s configuration write index = "sparse+' . $t->{settings}{external_url}
    . "$R/\"");
for my $path ('', '/', '/metadata', '/metadata/', '/metadata/config.json', '/index', '/index/',
	'/index/config.json', '/api/v1/config.json',
	'/info/refs?service=git-upload-pack', '/index/info/refs?service=git-upload-pack', '/config.json/') {
	is_text($t->http(GET => "$R$path", { token => $token{dev} }), 404,
	    "There is no index at this address\\. $where", "`$path`: where the index is");
}
is_text($t->http(GET => '/api/v4/projects/demo%2Fpriv/packages/cargo/metadata/config.json',
    { token => $token{dev} }), 404, "There is no index .*$where", 'by its path: the address has the id');
for my $case ([undef, 401], [$token{stranger}, 404, 'Project Not Found'], ['brt_' . 'x' x 43, 401]) {
	my ($as, $status, $text) = @$case;

	for my $path ('', '/metadata/config.json', '/info/refs') {
		my $res = $t->http(GET => "$R$path", { token => $as });
		my $index = $t->http(GET => "$R/config.json", { token => $as });

		is($res->{status}, $status, "`$path`: $status, as of config.json");
		is($res->{body}, $index->{body}, '  word for word');
	}
}
is($t->http(DELETE => "$R$_", { token => $token{dev} })->{status}, 405, "DELETE of `$_`")
    for '/metadata/config.json', '/index';

# ---- unknown routes have the shape of their place ----

is_deeply($t->json($t->http(GET => "$R/api/v1/nothing", { token => $token{dev} })),
    { errors => [{ detail => 'Not Found' }] }, 'api/v1');
is_deeply($t->json($t->http(GET => '/api/v4/nothing')), { message => "404 Not Found - Berth has no such part"
    . " of GitLab's API; api/v4/openapi.json of this registry lists the parts that it has" },
    'management API');
is_text($t->http(GET => "$R/nothing", { token => $token{dev} }), 404, 'Not Found', 'registry');
$res = $t->http(GET => "$R/api/v1/crates/new", { token => $token{dev} });
is($res->{status}, 405, 'GET of the publish route');
ok(defined $t->json($res)->{errors}[0]{detail}, 'in the shape of cargo');
for my $path ("$R/config.json", "$R/nothing", '/api/v4/nothing', "$R/api/v1/nothing") {
	$res = $t->http(GET => $path);
	like($res->{headers}{'x-served-by'} // '', qr/^[0-9a-f]{32}$/, "X-Served-By on $path");
	# it is written after the answer
	my $logged = qr/event=request id=$res->{headers}{'x-served-by'} /;
	ok($t->wait_for(sub { $t->log('pool') =~ $logged }), 'the id of its log line');
}
my ($line) = grep { /method=GET route=download status=200/ && /actor=user/ } split(/\n/, $t->log('pool'));
my $times = join(' ', map { "$_=\\d+\\.\\d+" } qw(ms db_ms queue_ms));
like($line,
    qr{ id=[0-9a-f]{32} method=GET route=download status=200 $times bytes=\d+ actor=user:\d+/token:\d+ },
    'one line a request');

done_testing();
