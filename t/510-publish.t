#!/usr/bin/perl
# What a publish must refuse, and what it must take.  Numbers are those of the cases that the
# registry was specified by: framing 1-16, JSON 17-28, names and versions 29-46.  After each
# refusal nothing is left.

use strict;
use warnings;

use Test::More;

use Berth::Publish;

my $p = Berth::Publish->new(max_crate_size => '1m');
my ($t, $id, $token, $R, $new) = ($p->test, $p->id, $p->token, $p->root, $p->new_path);

is($p->publish('foo', '1.0.0')->{status}, 200, 'a first version');
my $crate = $t->make_crate('bar', '1.0.0');
my $meta = $t->metadata('bar', '1.0.0');
my $json = '{"name":"bar","vers":"1.0.0","deps":[],"features":{}}';

# ---- framing ----

my $whole = $t->publish_body($json, $crate);
for my $case (
	[1, '', 400, qr/^invalid metadata length$/],
	[2, "\0\0", 400, qr/^invalid metadata length$/],
	[3, "\x64\0\0\0\0", 400, qr/^invalid metadata length for remaining payload: 100$/],
	[4, pack('V', (1 << 20) + 1) . 'x' x 100, 413, qr/^JSON metadata blob .* 1048577 .*README/],
	['4 2^32-1', "\xff\xff\xff\xff" . 'x' x 100, 413, qr/blob too large: it has \d+ bytes/],
	['4 2^31', "\0\0\0\x80" . 'x' x 100, 413, qr/blob too large: it has \d+ bytes/],
	[5, pack('V/a*', $json), 400, qr/^invalid tarball length$/],
	[6, pack('V/a*', $json) . "\0\0", 400, qr/^invalid tarball length$/],
	[7, pack('V/a*', $json) . "\x64\0\0\0\0", 400,
	    qr/^invalid tarball length for remaining payload: 100$/],
	[8, pack('V/a*', $json) . pack('V', (1 << 20) + 1) . 'x' x 1000, 413,
	    qr/^max upload size is: 1048576 bytes;/],
	['8 2^32-1', pack('V/a*', $json) . "\xff\xff\xff\xffx", 413,
	    qr/^max upload size is: 1048576 bytes;/],
	[9, pack('V/a* V/a*', $json, ''), 400, qr/malformed/],
	[10, "${whole}xx", 400, qr/./],
	['11 short', pack('V', length($json) - 1) . substr($whole, 4), 400, qr/./],
	['11 long', pack('V', length($json) + 1) . substr($whole, 4), 400, qr/./],
	['12 two objects', $t->publish_body("$json $json", $crate), 400, qr/trailing/],
	['13 crate cut', substr($whole, 0, -10), 400,
	    qr/^invalid tarball length for remaining payload: \d+$/],
) {
	my ($n, $body, $status, $detail) = @$case;

	$p->refused("case $n", $p->put($body), $status, $detail);
}
$p->refused('case 15', $p->put('x' x (13 << 20)), 413, qr/./);
$p->refused('case 15, over HTTP/2', $p->put('x' x (13 << 20), http2 => 1), 413, qr/./);
$p->refused("case 16: $_", $p->http($_ => $new, { token => $token, body => $whole }), 405, qr/./)
    for qw(POST PATCH);
is($p->http(GET => $new, { token => $token })->{status}, 405, 'case 16: GET');

# a client that goes away in the middle: nginx, which waits for the whole body, says 400 to nobody
$p->http(GET => "$R/config.json", { token => $token });
my $before = $p->settled;
$t->raw("PUT $new HTTP/1.1\r\nHost: localhost\r\nAuthorization: $token\r\nContent-Length: "
    . length($whole)
    . "\r\n\r\n" . substr($whole, 0, -10), s_client => ['-no_ign_eof']);
ok($t->wait_for(sub { $t->log('nginx-berth') =~ m{path="\Q$new\E" status=(?:400|499) } }),
    'case 13: the client goes away');
is($p->settled, $before, 'case 13: nothing is left');

# a refusal, whoever made it, leaves the connection as it was
for my $case (['authorize', '', 401], ['framing', "Authorization: $token", 413],
    ['crate', "Authorization: $token", 400]) {
	my ($what, $header, $status) = @$case;
	# small where it is refused unread: curl hangs up on whoever answers before it has sent all
	my $body = $what eq 'crate' ? $t->publish_body($json, 'not gzip at all')
	    : pack('V', (1 << 20) + 1) . 'x' x ($what eq 'authorize' ? 500 : 500_000);
	my $file = $t->dir . '/again';

	open(my $fh, '>:raw', $file) or die "$file: $!\n";
	print {$fh} $body;
	close($fh) or die "$file: $!\n";
	my (undef, $out) = Berth::Cluster::capture('curl', '-sS', '--noproxy', '*', '--http1.1',
	    '--cacert', $t->cacert,
	    '-w', '%{http_code} %{num_connects},', '-X', 'PUT', '-H', $header, '-H', 'Expect:',
	    '--data-binary', "\@$file",
	    map { ('-o', '/dev/null', $t->url . $new) } 1, 2);
	is($out, "$status 1,$status 0,", "the connection goes on after a refusal: $what");
}

# ---- JSON ----

for my $case (
	[17, '{}', qr/^invalid upload request: missing field `name`/],
	['17 vers', '{"name":"bar"}', qr/missing field `vers`/],
	['18 not JSON', 'hello', qr/^invalid upload request: /],
	['18 empty', '', qr/^invalid upload request: /],
	['18 truncated', substr($json, 0, -1), qr/^invalid upload request: /],
	['19 array', '[]', qr/^invalid upload request: /],
	['19 string', '"x"', qr/^invalid upload request: /],
	['19 null', 'null', qr/^invalid upload request: /],
	['20 name 1', '{"name":1,"vers":"1.0.0"}', qr/field `name` must be a string/],
	['20 name null', '{"name":null,"vers":"1.0.0"}', qr/`name`/],
	['20 name {}', '{"name":{},"vers":"1.0.0"}', qr/field `name` must be a string/],
	['20 vers 1', '{"name":"bar","vers":1}', qr/field `vers` must be a string/],
	['20 deps {}', '{"name":"bar","vers":"1.0.0","deps":{}}', qr/`deps`/],
	['20 features []', '{"name":"bar","vers":"1.0.0","features":[]}', qr/`features`/],
	['21 twice', '{"name":"bar","vers":"1.0.0","name":"bar"}', qr/duplicate field `name`/],
	['22 NaN', '{"name":"bar","vers":"1.0.0","x":NaN}', qr/./],
	['22 comma', '{"name":"bar","vers":"1.0.0",}', qr/./],
	['22 comment', '{"name":"bar","vers":"1.0.0"/**/}', qr/./],
	['22 quotes', q({'name':'bar','vers':'1.0.0'}), qr/./],
	['22 TRUE', '{"name":"bar","vers":"1.0.0","x":TRUE}', qr/./],
	['22 zero', '{"name":"bar","vers":"1.0.0","x":01}', qr/./],
	['23 UTF-8', "{\"name\":\"bar\",\"vers\":\"1.0.0\",\"x\":\"\xff\"}", qr/UTF-8/],
	['23 surrogate', '{"name":"bar","vers":"1.0.0","x":"\ud800"}', qr/surrogate/],
	['23 control', "{\"name\":\"bar\",\"vers\":\"1.0.0\",\"x\":\"\x01\"}", qr/control/],
	['24 NUL', '{"name":"ba\u0000r","vers":"1.0.0"}', qr/NUL/],
	['24 NUL raw', "{\"name\":\"ba\0r\",\"vers\":\"1.0.0\"}", qr/control/],
	['25 depth', '{"name":"bar","vers":"1.0.0","x":' . '[' x 1000 . ']' x 1000 . '}', qr/deep/],
) {
	my ($n, $text, $detail) = @$case;

	$p->refused("case $n", $p->put($t->publish_body($text, $crate)), 400, $detail);
}

# ---- names and versions ----

for my $case (
	[29, '', qr/^crate name cannot be empty$/],
	(map { [30, $_,
	    qr/^invalid character `.*` in crate name: `\Q$_\E`, characters must be/] } 'foo bar',
	    'foo+x', 'foo.x', 'foo/x'),
	[31, 'x' x 65, qr/ is too long: it has 65 characters, and at most 64 are allowed$/],
	[32, "snow\xe2\x98\x83", qr/^invalid character `\x{2603}` in crate name/],
	[32, "\xc3\xa1cc\xc3\xaants",
	    qr/^invalid character `\x{e1}` in crate name: .*, the first character must be/],
	[32, "\xe4\xba\xac", qr/the first character must be/],
	[33, '123', qr/cannot start with a digit$/],
	[33, '_foo', qr/the first character must be an ASCII letter$/],
	[33, 'foo::bar', qr/^the crate name `foo::bar` is in a namespace/],
	[33, '-foo', qr/the first character must be an ASCII letter$/],
	(map { [34, $_, qr/reserved name/] } qw(std STD compiler-rt compiler_rt coMpiLer_Rt)),
	(map { [35, $_, qr/reserved name/] } qw(nul CON com1 new)),
) {
	my ($n, $name, $detail) = @$case;
	my $text = qq({"name":"$name","vers":"1.0.0"});

	$p->refused("case $n: " . substr($name, 0, 12) =~ s/[^ -~]/?/gr,
	    $p->put($t->publish_body($text, $crate)), 400, $detail);
}
for my $vers ('broken', '1', '1.0', 'v1.0.0', '01.0.0', '1.0.0-', '1.0.0-01', ' 1.0.0', '1.0.0 ',
    '', '1.0.0+', '1.0.0-a..b',
	'18446744073709551616.0.0') {
	$p->refused("case 39, 41: $vers",
	    $p->put($t->publish_body(qq({"name":"bar","vers":"$vers"}), $crate)), 400,
	    qr/^"\Q$vers\E" is an invalid semver version: \S.*$/);
}
$p->refused('case 42', $p->put($t->publish_body('{"name":"bar","vers":"1.0.0-' . 'a' x 145 . '"}',
    $crate)), 400,
    qr/^the version number is too long: it has \d+ characters, and at most 150 are allowed$/);

# the crate inside is another one
$p->refused('case 91', $p->put($t->publish_body($meta,
    $t->make_crate('bar', '1.0.0', manifest => Berth::Crate::manifest('baz', '1.0.0')))),
    400, qr/bar.*baz|baz.*bar/s);
$p->refused('case 92', $p->put($t->publish_body($t->metadata('bar', '1.0.1'), $crate)), 400,
    qr/1\.0\.1|1\.0\.0/);
$p->refused('case 47', $p->put($t->publish_body($meta,
    $t->make_crate('bar', '1.0.0', entries => [Berth::Crate::entry('evil-1.0.0/a', 'x')]))),
    400, qr/invalid path found/);
$p->refused("case 53: type $_", $p->put($t->publish_body($meta, $t->make_crate('bar', '1.0.0',
    entries => [Berth::Crate::entry('bar-1.0.0/link', '', type => $_,
    linkname => '/etc/passwd')]))), 400,
    qr/unexpected tar entry type|malformed/) for 1, 2, 3, 4, 6, 7, 'S', 'V', 'g';
$p->refused('case 74', $p->put($t->publish_body($meta, 'not gzip at all')), 400, qr/malformed/);
$p->refused('case 28', $p->put($t->publish_body($t->metadata('bar', '1.0.0',
    features => { a => [] }), $crate)), 400, qr/feature/);

# ---- who may not ----

$t->user($_) for qw(guest reporter stranger);
$t->member('guest', 'demo', 'guest');
$t->member('reporter', 'demo', 'reporter');
my $reader = $t->token('dev', scopes => 'read_api');
for my $case (
	['no token', undef, 401, qr/token/],
	['garbage', 'nonsense', 401, qr/invalid/],
	['read_api', $reader, 403, qr/scope `api`/],
	['guest', $t->token('guest'), 403, qr/role/],
	['reporter', $t->token('reporter'), 403, qr/role/],
	['stranger', $t->token('stranger'), 404, qr/^Project Not Found$/],
) {
	my ($who, $their, $status, $detail) = @$case;

	$p->refused("case 43, 118, 126: $who", $p->http(PUT => $new,
	    { token => $their, body => $whole }), $status, $detail);
	$p->refused("$who, yank", $p->http(DELETE => "$R/api/v1/crates/foo/1.0.0/yank",
	    { token => $their }), $status, $detail);
}
$p->refused('no such project', $p->http(PUT => $t->registry(4711) . '/api/v1/crates/new',
    { token => $token, body => $whole }),
    404, qr/^Project Not Found$/);
ok(defined $p->http(PUT => $new, { body => $whole })->{headers}{'www-authenticate'},
    '401 says where to log in');

# ---- already there ----

$p->refused('case 43', $p->publish('foo', '1.0.0'), 400,
    qr/^crate version `1\.0\.0` is already uploaded$/);
$p->refused('case 44', $p->publish('foo', '1.0.0+other'), 400,
    qr/^crate version `1\.0\.0` is already uploaded$/);
$p->refused("case 36: $_", $p->publish($_, '2.0.0'), 400, qr/^crate was previously named `foo`$/)
    for qw(Foo FOO);
is($p->publish('foo-bar', '1.0.0')->{status}, 200, 'foo-bar');
$p->refused('case 37', $p->publish('foo_bar', '1.0.1'), 400,
    qr/^crate was previously named `foo-bar`$/);

# ---- what must be taken ----

my $res = $p->put($t->publish_body("  $json\n ", $crate));
is($res->{status}, 200, 'case 12, 26, 27: spaces, missing fields') or diag($res->{body});
is_deeply($t->json($res)->{warnings}, { invalid_categories => [], invalid_badges => [],
    other => [] }, 'no warnings');
is($p->publish('bar', '1.1.0', metadata => { unknown => { a => [1, 2,
    { b => undef }] } })->{status}, 200,
    'case 26: unknown fields');
for my $version ('0.0.0-pre', '1.0.0-alpha.1+b.2', '18446744073709551615.0.0', '0.1.0') {
	is($p->publish('bar', $version)->{status}, 200, "case 40, 41, 46: $version");
}
is($p->publish('y' x 64, '1.0.0')->{status}, 200, 'case 31: 64 characters');
is($p->publish('subdir', '1.0.0', files => { 'sub/Cargo.toml' => 'not a manifest' })->{status}, 200,
    'case 81');
is($p->publish('ex' . $_->[0], '1.0.0', @{ $_->[1] })->{status}, 200, "a publish $_->[0]")
    for ['-small', []], ['-large', [files => { 'data.bin' => join('',
    map { chr(int(rand(256))) } 1 .. 900_000) }]];
# over HTTP/2, in pieces without a length, with a pause for 100 Continue
for my $case (['http2', { http2 => 1 }], ['chunked', { headers => ['Transfer-Encoding: chunked'] }],
	['expect', { headers => ['Expect: 100-continue'] }],
	    ['octets', { headers => ['Content-Type: application/octet-stream'] }]) {
	my ($name, $opt) = @$case;

	$res = $p->http(PUT => $new, { %$opt, token => $token,
		body => $t->publish_body($t->metadata("way-$name", '1.0.0'),
		    $t->make_crate("way-$name", '1.0.0')) });
	is($res->{status}, 200, "case 14: published, $name") or diag($res->{body});
}
# warnings
$res = $p->put($t->publish_body({ name => 'bare', vers => '1.0.0', deps => [], features => {} },
	$t->make_crate('bare', '1.0.0',
	    manifest => "[package]\nname = \"bare\"\nversion = \"1.0.0\"\n")));
is($res->{status}, 200, 'case 99: neither description nor licence');
my @other = @{ $t->json($res)->{warnings}{other} };
like("@other", qr/description/, 'is a warning');
like("@other", qr/license/, 'and another');

# ---- yank ----

my $yank = "$R/api/v1/crates/Foo-Bar/1.0.0/yank";
my $events = $t->psql('SELECT count(*) FROM audit_events');
for my $method (DELETE => DELETE => ) {
	$res = $p->http($method => $yank, { token => $token });
	is($res->{status}, 200, 'case 131: yank');
	is_deeply($t->json($res), { ok => JSON::PP::true() }, 'ok');
}
like($p->http(GET => "$R/fo/o-/foo-bar", { token => $token })->{body}, qr/"yanked":true/,
    'in the index');
$p->refused('case 45', $p->publish('foo-bar', '1.0.0'), 400, qr/already uploaded/);
is($p->http(GET => "$R/foo-bar/1.0.0/download", { token => $token })->{status}, 200,
    'still to be had');
$res = $p->http(PUT => "$R/api/v1/crates/foo-bar/1.0.0+meta/unyank",
    { token => $token, curl => ['-H', 'Content-Length: 0'] });
is($res->{status}, 200, 'unyank, with build metadata');
is($t->psql('SELECT count(*) FROM audit_events'), $events + 2, 'one audit row for each change');
$p->refused('case 132: crate', $p->http(DELETE => "$R/api/v1/crates/nothing/1.0.0/yank",
    { token => $token }), 404, qr/^crate `nothing` does not exist$/);
$p->refused('case 132: version', $p->http(DELETE => "$R/api/v1/crates/foo/3.0.0/yank",
    { token => $token }), 404,
    qr/^crate `foo` does not have a version `3\.0\.0`$/);
$p->refused('case 132: no semver', $p->http(DELETE => "$R/api/v1/crates/foo/broken/yank",
    { token => $token }), 404, qr/does not have a version/);
$p->refused('case 132: no name', $p->http(DELETE => "$R/api/v1/crates/f%40o/1.0.0/yank",
    { token => $token }), 404, qr/does not exist/);

$p->agrees('after all of this');
# 38, a name that was deleted lately: no crate is ever deleted, so no name becomes free
$p->covers(1 .. 37, 39 .. 46);

done_testing();
