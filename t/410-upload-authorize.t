#!/usr/bin/perl
# Before nginx reads the body of a publish of 200 kB or more, the application says whether this caller may
# upload it: the upload of a caller who may not costs no transfer and no disk, and gets the same answer as
# always.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(stat time);

use Berth::Test;

my $t = Berth::Test->new;
my $id = $t->project('demo/priv');
my $pub = $t->project('demo/pub', 'public');
my $small = $t->project('demo/small');
$t->berth_ok('project', 'set', 'demo/small', 'max_crate_size=64k');
$t->user($_) for qw(dev guest stranger);
$t->member('dev', 'demo', 'developer');
$t->member('guest', 'demo', 'guest');
my %token = map { $_ => $t->token($_) } qw(dev guest stranger);
$token{read} = $t->token('dev', scopes => 'read_api');
my $big = 'x' x (5 << 20);
my $noise = join('', map { chr(int(rand(256))) } 1 .. 200_000);

# When nginx last made or removed a file for a body.
sub files_changed { return (stat($t->dir . '/nginx/tmp/body'))[9] // die "no directory for bodies\n"; }

sub new_of { return $t->registry($_[0]) . '/api/v1/crates/new'; }

sub refused {
	my ($name, $res, $status, $detail) = @_;

	is($res->{status}, $status, "$name: status") or diag($res->{body});
	is($res->{headers}{'content-type'}, 'application/json', "$name: JSON");
	like(eval { $t->json($res)->{errors}[0]{detail} } // '', $detail, "$name: detail");
	is($res->{headers}{'cache-control'}, 'private, no-store', "$name: kept by nobody");
	is($res->{headers}{$_}, undef, "$name: $_ is between us") for qw(x-berth-status x-berth-refusal);
	is_deeply([map { $_->[1] } grep { $_->[0] eq 'www-authenticate' } @{ $res->{header_list} }],
	    $status == 401 ? ['Cargo login_url="' . $t->url . '/-/tokens"'] : [], "$name: where to log in, once");
	is_deeply([$t->routes_of($res, 1)], ['publish_authorize'], "$name: the upload was not asked for")
	    if $status < 500;
}

$t->start_nginx;
my $unused = files_changed();
for my $http2 (0, 1) {
	my $over = $http2 ? 'HTTP/2' : 'HTTP/1.1';

	for my $case (
		['no token', $id, undef, 401, qr/token/],
		['no token, public', $pub, undef, 401, qr/token/],
		['garbage', $id, 'garbage', 401, qr/invalid/],
		['another scheme', $id, 'Digest x', 401, qr/./],
		['guest', $id, $token{guest}, 403, qr/role/],
		['read_api', $id, $token{read}, 403, qr/scope `api`/],
		['stranger', $id, $token{stranger}, 404, qr/^Project Not Found$/],
		['stranger, public', $pub, $token{stranger}, 403, qr/role/],
		['no such project', 4711, $token{dev}, 404, qr/^Project Not Found$/],
		['more than this project takes', $small, $token{dev}, 413, qr/^max upload size is: 65536 bytes;/],
	) {
		my ($name, $project, $token, $status, $detail) = @$case;

		refused("$name, $over", $t->http(PUT => new_of($project),
		    { token => $token, body => $big, http2 => $http2 }), $status, $detail);
	}
}
is(files_changed(), $unused, 'no refused body touched the disk');

my $res = $t->http(PUT => new_of($id), { token => $token{dev},
	body => $t->publish_body($t->metadata('foo', '1.0.0'), $t->make_crate('foo', '1.0.0',
	files => { noise => $noise })) });
is($res->{status}, 200, 'who may, may');
is_deeply([$t->routes_of($res, 2)], ['publish_authorize', 'publish'], 'asked first, under the same id');
is($res->{headers}{'x-berth-status'}, undef, 'nothing of it shows');
$res = $t->http(PUT => new_of($id), { token => $token{dev}, body => $big });
is($res->{status}, 413, 'a body that is no publish is read and refused');
is_deeply([$t->routes_of($res, 2)], ['publish_authorize', 'publish'], 'by the publish');
isnt(files_changed(), $unused, 'that one went to the disk');

# a small body is read at once, and refused with the same words
for my $case ([199_999, 'publish'], [200_000, 'publish_authorize']) {
	my ($size, $route) = @$case;

	for my $who (['guest', 403, qr/role/], ['stranger', 404, qr/^Project Not Found$/]) {
		my ($name, $status, $detail) = @$who;

		$res = $t->http(PUT => new_of($id), { token => $token{$name}, body => 'x' x $size });
		is($res->{status}, $status, "$size bytes, $name");
		like($t->json($res)->{errors}[0]{detail}, $detail, '  why');
		is_deeply([$t->routes_of($res, 1)], [$route], "  by $route");
	}
	$res = $t->http(PUT => new_of($id), { body => 'x' x $size });
	is($res->{status}, 401, "$size bytes, no token");
	is_deeply([$t->routes_of($res, 1)], ['publish_authorize'], '  takes no worker that writes');
}

# quotas: what can have no room is not uploaded
{
	my $used = $t->psql('SELECT sum(size) FROM versions');
	my $least = length($big) - 8 - (1 << 20); # what is no metadata
	my $quota = sub { $t->berth_ok('project', 'set', 'demo/priv', @_); };
	my $put = sub { return $t->http(PUT => new_of($id), { token => $token{dev}, body => $_[0] // $big }); };
	my $foo = sub { return $put->($t->publish_body($t->metadata('foo', $_[0]), $t->make_crate('foo', $_[0],
	    files => { noise => $noise }))); };

	$quota->('quota_versions=1');
	refused('no version more', $put->(), 403,
	    qr/^the quota of `demo\/priv` is 1 versions: 1 are used, and this needs 1 more$/);
	refused('however small', $foo->('1.0.1'), 403, qr/is 1 versions: 1 are used, and this needs 1 more$/);
	$quota->('quota_versions=', 'quota_bytes=' . ($used + $least - 1));
	my $most = $used + $least - 1;
	my $needs = "$used are used, and this needs at least $least more";
	refused('a byte too many', $put->(), 403,
	    qr/^the quota of `demo\/priv` is $most bytes of crates: $needs$/);
	$quota->('quota_bytes=' . ($used + $least));
	$res = $put->();
	is_deeply([$t->routes_of($res, 2)], ['publish_authorize', 'publish'], 'what might have room is looked at');
	$quota->("quota_bytes=$used");
	refused('all is used', $foo->('1.0.1'), 403, qr/this needs at least 1 more$/);
	$quota->('quota_bytes=' . ($used + 1));
	$res = $foo->('1.0.1');
	is($res->{status}, 403, 'a small one that has none');
	like($t->json($res)->{errors}[0]{detail}, qr/bytes of crates: $used are used, and this needs \d+ more$/,
	    'is refused when its size is known');
	$quota->('quota_bytes=', 'quota_crates=1');
	$res = $foo->('1.0.1');
	is($res->{status}, 200, 'a crate that is there needs no room for one') or diag($res->{body});
	$quota->('quota_crates=');
	$t->berth_ok('group', 'set', 'demo', 'quota_versions=2');
	refused('of a group', $put->(), 403, qr/^the quota of `demo` is 2 versions/);
	$t->berth_ok('group', 'set', 'demo', 'quota_versions=');
}

# a client that waits for 100 Continue has its answer before it sent a byte (nginx says 100 as well,
# since it would read what comes all the same)
my $head = "PUT @{[new_of($id)]} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n"
    . "Expect: 100-continue\r\nConnection: close\r\n";
my $answer = $t->raw("$head\r\n");
like($answer, qr{^HTTP/1\.1 401 }m, 'Expect: 100-continue without a token: 401 at once');
like($answer, qr/"detail":"this registry needs a token"/, 'with the reason');

# Debian's cargo asks before each upload: the answer is there at once, however large the body is
my $plain = $t->plain_port;
for my $size (100, 3_000_000) {
	my $body = $t->publish_body($t->metadata('asks-first', "1.0.$size"),
	    $t->make_crate('asks-first', "1.0.$size",
	    files => { 'noise.bin' => join('', map { chr(int(rand(256))) } 1 .. $size) }));
	my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $plain) or die "$plain: $@\n";
	my $began = time;
	my $said = '';

	print {$s} "PUT @{[new_of($id)]} HTTP/1.1\r\nHost: localhost\r\nAuthorization: $token{dev}\r\n"
	    . "Accept: application/json\r\n"
	    . 'Content-Length: ' . length($body) . "\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
	sysread($s, $said, 4096, length $said) or last
	    while $said !~ /\r\n\r\n/ && IO::Select->new($s)->can_read(10);
	is($said, "HTTP/1.1 100 Continue\r\n\r\n", "$size bytes: go on");
	print {$s} $body;
	$s->flush;
	$said = do { local $/; <$s> };
	like($said, qr{^HTTP/1\.1 200 }, '  and published');
	cmp_ok(time - $began, '<', 5, '  without a pause');
}

# other methods keep their answer
$res = $t->http(POST => new_of($id), { token => $token{dev}, body => 'x' });
is($res->{status}, 405, 'POST');
like($res->{headers}{allow} // '', qr/\bPUT\b/, 'Allow');
is($t->http(PUT => '/api/v4/projects/%ff/packages/cargo/api/v1/crates/new',
    { token => $token{dev}, body => 'x' })->{status}, 400, 'a bad path');

# clients cannot ask in nginx's name
is($t->http(GET => '/-/berth/upload-authorize', { token => $token{dev} })->{status}, 404,
    'the location is internal');
for my $header ('Berth-Subrequest: 1', 'BERTH_SUBREQUEST: 1') {
	$res = $t->http(GET => $t->registry(4711) . '/config.json', { token => $token{dev}, headers => [$header] });
	is($res->{status}, 404, "$header is only a header");
}

# nobody to ask
$t->conf(database => 'host=/nonexistent dbname=none');
$t->stop_pool;
refused('database away', $t->http(PUT => new_of($id), { token => $token{dev}, body => $big }), 503,
    qr/temporarily unavailable/);
$t->stop_pool;
$res = $t->http(PUT => new_of($id), { token => $token{dev}, body => $big, no_pool => 1 });
is($res->{status}, 503, 'no pool');
is($res->{headers}{'retry-after'}, 5, 'Retry-After');
like($t->json($res)->{errors}[0]{detail}, qr/busy or restarting/, 'in the shape of cargo');

done_testing();
