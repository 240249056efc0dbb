#!/usr/bin/perl

# Index files of any size that a database may hold: yanks, deletions and changes of status work
# in memory that does not grow with the file; slow readers hold no worker; and no
# publish makes a larger file or a longer line than the configuration allows.
# It uses the plain build, since it measures memory and time.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(time);

use Berth::File qw(slurp);
use Berth::Populate;
use Berth::Test;

use constant {
	MB => 1 << 20,
	RISE_MAX => 64 * 1024, # kB, of a worker that rebuilds the largest file
	HEAD_RISE_MAX => 24 * 1024, # of one that reads what is compressed
	READERS => 5,
};

my $plain = "$Berth::Cluster::ROOT/build";
plan skip_all => 'the plain build is not there (make check makes it)' unless -x "$plain/berth-fcgi";

my $t = Berth::Test->new(workers => 2, max_requests => 0, cache_dir => undef,
    inspector => "$plain/berth-inspect", pool_build => $ENV{BERTH_POOL_BUILD} // $plain);
my $id = $t->project('demo/registry', 'public');
my $root = $t->registry($id);
$t->user('dev');
$t->member('dev', 'demo', 'maintainer');
my $token = $t->token('dev');

# ---- files as an old database may hold them: lines of 1 MB ----

my %size = (huge => 100, larger => 73, large => 60, usual => 24);
Berth::Populate::add($t->dsn('postgres'), project => $id,
    crates => [map { [$_, $size{$_}] } sort keys %size]);
$t->psql(<<'SQL');
SET session_replication_role = replica;
UPDATE versions v SET index_line = replace(v.index_line, '"deps":[]', '"deps":[' || d.text || ']')
  FROM (SELECT string_agg('{"name":"' || md5(i::text) || '","req":"^1.' || i % 7 || '",'
                             || '"features":[],"optional":false,"default_features":true,'
                             || '"target":null,"kind":"normal","registry":null}', ',') AS text
          FROM generate_series(1, 6350) i) d
SQL

sub path_of { return "$root/" . substr($_[0], 0, 2) . '/' . substr($_[0], 2, 2) . "/$_[0]" }

sub text_size {
	return $t->psql("SELECT sum(octet_length(v.index_line) + 1) FROM versions v"
	    . " JOIN crates c ON c.id = v.crate_id"
	    . " WHERE c.name = '$_[0]' AND v.status IN ('default', 'hidden', 'deprecated')");
}

# Index files equal their versions (whose blobs are not there).
sub are_in_order {
	my ($what, @crates) = @_;
	my (undef, $out) = $t->berth('fsck');

	for my $crate (@crates) {
		is(join("\n", grep { /^index .* $crate / } split(/\n/, $out)), '', "$crate: $what");
	}
	return;
}

sub children {
	my ($pid) = @_;

	return split(' ', do { local (@ARGV, $/) = "/proc/$pid/task/$pid/children"; <> } // '');
}

# The most memory that a worker ever had, in kB.
sub peak {
	return max(map { my $pid = $_; do { local (@ARGV, $/) = "/proc/$pid/status"; <> } =~ /^VmHWM:\s+(\d+)/m }
	    children($t->pool_pid));
}

sub version_id {
	my ($crate, $version) = @_;

	return $t->psql("SELECT v.id FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.name = '$crate'"
	    . " AND v.version = '$version'");
}

cmp_ok(text_size('huge'), '>', 95 * MB, 'the largest has ' . text_size('huge') . ' bytes');
is($t->http(GET => "$root/config.json")->{status}, 200, 'the pool is there');
my $before = peak();
my $crates = "$root/api/v1/crates";
my $of = "/api/v4/projects/$id/packages";
my @changes = (
	['yank', 200, DELETE => "$crates/huge/0.0.1/yank"],
	['status', 200, PATCH => "$of/" . version_id('huge', '0.0.2'), body => '{"status":"deprecated"}'],
	['delete', 204, DELETE => "$of/" . version_id('huge', '0.0.3')],
);

for (@changes) {
	my ($what, $want, $method, $path, %opt) = @$_;
	my $since = time;
	my $res = $t->http($method => $path, { token => $token, %opt,
	    $opt{body} ? (headers => { 'Content-Type' => 'application/json' }) : () });

	is($res->{status}, $want, sprintf('%s: status, after %.1f s', $what, time - $since)) or diag($res->{body});
}
are_in_order('yank, status and delete', 'huge');
my $rise = peak() - $before;
cmp_ok($rise, '<', RISE_MAX, "a worker has grown by $rise kB");
my ($status, undef, $err) = $t->berth('undelete', 'demo/registry', 'huge@0.0.3');
is($status, 0, 'what was deleted comes back') or diag($err);
$t->psql("UPDATE crates SET index_body = '\\x00' WHERE name = 'huge'");
($status, my $out) = $t->berth('fsck', '--repair');
like($out, qr/huge.*it cannot be unpacked/, 'fsck finds what is wrong with it');
are_in_order('fsck --repair', 'huge');

# ---- who reads it ----

$t->http(DELETE => "$crates/$_/0.0.1/yank", { token => $token }) for qw(larger large usual);
my $res = $t->http(GET => path_of('huge'),
    { curl => ['-H', 'Accept-Encoding: gzip', '--output', '/dev/null'] });
is($res->{status}, 200, 'cargo, which takes gzip, reads the largest');
for my $method (qw(GET HEAD)) {
	for my $crate (qw(huge larger)) {
		my $res = $t->http($method => path_of($crate));

		is($res->{status}, 406, "$method of $crate without gzip");
		like($res->{body}, qr/has \d+ bytes before it is compressed; .* `Accept-Encoding: gzip`$/, 'told why')
		    if $method eq 'GET';
	}
}
$t->stop_pool;
$t->start_pool;
is($t->http(HEAD => path_of('usual'))->{status}, 200, 'HEAD') for 1 .. 4;
$before = peak();
for my $crate (qw(usual large)) {
	is($t->http(HEAD => path_of($crate))->{headers}{'content-length'}, text_size($crate),
	    "HEAD: the length of $crate");
}
$rise = peak() - $before;
cmp_ok($rise, '<', HEAD_RISE_MAX, "HEAD expands nothing: a worker has grown by $rise kB");
$res = $t->http(GET => path_of('usual'));
is(length($res->{body}), text_size('usual'), 'what takes no gzip reads a usual one');

# Slow readers read their first bytes and no more.
for my $crate (qw(larger large)) {
	my @readers = map { slow_reader(path_of($crate)) } 1 .. READERS;
	my $since = time;

	is($t->http(GET => "$root/config.json")->{status}, 200, "$crate: others are served beside slow readers");
	cmp_ok(time - $since, '<', 20, sprintf('after %.1f s', time - $since));
	kill('KILL', @readers);
	waitpid($_, 0) for @readers;
}

# ---- what a publish may add ----

my @deps = map { { name => "dep-$_", version_req => '^1', features => [], optional => JSON::PP::false(),
    default_features => JSON::PP::true(), target => undef, kind => 'normal', registry => undef } } 1 .. 20;
$t->stop_pool;
$t->conf(max_index_line_size => '1k', max_index_size => '2k', allowed_registries => '*');
$t->start_pool;
$res = $t->publish($id, $token, 'long', '1.0.0',
    manifest => qq([package]\nname = "long"\nversion = "1.0.0"\n[features]\n)
    . join('', map { "feature-number-$_ = []\n" } 1 .. 60),
    metadata => { features => { map { ("feature-number-$_" => []) } 1 .. 60 } });
is($res->{status}, 400, 'a line that is too long is refused');
like($res->{body},
    qr/index line of this version would have 1\d\d\d bytes, and the limit is 1024.*max_index_line_size/,
    'told why');
is($t->psql("SELECT count(*) FROM crates WHERE name = 'long'"), 0, 'and nothing is stored');

my $n = 0;
$n++ while $n < 20 && ($res = $t->publish($id, $token, 'many', "1.0.$n"))->{status} == 200;
is($res->{status}, 400, "after $n versions the index file is full");
my $bytes = qr/(?:more than )?[12]\d\d\d bytes/;
like($res->{body},
    qr/index file of crate `many` would have $bytes with this version, and the limit is 2048.*max_index_size/,
    'told why');
is($t->psql("SELECT count(*) FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.name = 'many'"), $n,
    'nothing is stored');
is($t->http(DELETE => "$crates/many/1.0.0/yank", { token => $token })->{status}, 200, 'a yank is possible');
is($t->http(PUT => "$crates/many/1.0.0/unyank", { token => $token })->{status}, 200, 'and an unyank');
is($t->http(DELETE => "$of/" . version_id('many', '1.0.1'), { token => $token })->{status}, 204,
    'a version is deleted');
is($t->publish($id, $token, 'many', "1.0.$n")->{status}, 200, 'then there is room for another');
is($t->publish($id, $token, 'huge', '9.0.0')->{status}, 400,
    'an old file that is too large gets no version more');
my $damage = sub {
	$t->psql("UPDATE crates SET index_body = substr(index_body, 1, octet_length(index_body) - 8)"
	    . " || '\\xeeeeeeeeeeeeeeee' WHERE name = '$_[0]'");
};
$damage->('many');
$res = $t->publish($id, $token, 'many', '1.1.0');
is($res->{status}, 400, 'a file that is full and damaged is full');
like($res->{body},
    qr/index file of crate `many` would have [12]\d\d\d bytes with this version, /, 'told why');
is($t->psql("SELECT count(*) FROM versions WHERE version = '1.1.0'"), 0, 'nothing is stored');
is($t->http(DELETE => "$crates/many/1.0.0/yank", { token => $token })->{status}, 200,
    'a yank mends the file');
is($t->publish($id, $token, 'cut', "1.0.$_")->{status}, 200, "a small crate, 1.0.$_") for 0, 1;
$damage->('cut');
$res = $t->publish($id, $token, 'cut', '1.0.2');
is($res->{status}, 200, 'a file whose end is damaged is no large one') or diag($res->{body});
are_in_order('in order at the end', qw(huge many cut));

# ---- the numbers of nginx and those of the pool ----

my $conf = join('', map { slurp($_) } glob("$Berth::Cluster::ROOT/conf/nginx/*.conf"));
my @taken = $conf =~ /^\s*fastcgi_max_temp_file_size (\d+)m;/mg;
my ($body) = slurp("$Berth::Cluster::ROOT/fcgi/http/response.h") =~ /RESPONSE_BODY_MAX = (\d+) << 20/;
is(scalar @taken, 1, 'nginx has one limit for what it takes off a worker');
cmp_ok($taken[0], '>=', $body // 'inf', "it takes any answer of the pool, of up to $body MB");
my ($largest) = slurp("$Berth::Cluster::ROOT/fcgi/config/settings.c")
    =~ /MEMBER\(max_index_size\)[^}]*\.max = (\d+) << 20/;
cmp_ok($body, '>', $largest // 'inf', "which is more than the largest index file, of $largest MB");
is(slurp("$Berth::Cluster::ROOT/conf/nginx/berth-fastcgi.conf") =~ /^fastcgi_buffering on;/m, 1,
    'it does so in all locations');
unlike($conf, qr/fastcgi_buffering off|proxy_max_temp_file_size/, 'and no location is against it');
done_testing();

sub slow_reader {
	my ($path) = @_;
	my $pid = fork // die "fork: $!\n";

	return $pid if $pid;
	open(STDOUT, '>', '/dev/null') or POSIX::_exit(1);
	open(STDERR, '>', '/dev/null') or POSIX::_exit(1);
	exec('curl', '-s', '--noproxy', '*', '--http1.1', '--cacert', $t->cacert, '--limit-rate', '1k',
	    $t->url . $path) or POSIX::_exit(1);
}
