#!/usr/bin/perl

# Pages of crates that nginx sends by itself: the same as the pool's, only for requests without a
# credential, and never stale, whatever has changed and whatever a worker was doing at that time.

use strict;
use warnings;

use POSIX ();
use JSON::PP ();
use Test::More;

use Berth::Cache;
use Berth::Cluster;
use Berth::Crate;
use Berth::Fault;
use Berth::Test;

use constant LEASE => 3;

my $t = Berth::Test->new(workers => 3, write_workers => 2, cache_lease => LEASE, publish_burst => 0,
    new_crate_burst => 0, change_burst => 0);
my $elsewhere = Berth::Test->new(workers => 2, cache_lease => LEASE, database => $t->dsn('berth'),
    store => $t->store, external_url => $t->url);
my @ports = (undef, Berth::Cache::start($elsewhere));
my $fault = Berth::Fault->new($t);
my %id = (pub => $t->project('demo/pub', 'public'), user => $t->project('demo/user', 'public'));
$t->user('dev');
$t->member('dev', 'demo', 'owner');
my $token = $t->token('dev');
$ports[0] = Berth::Cache::start($t);
my @nodes = ($t, $elsewhere);
my $cookie = $t->sign_in('dev');
my $root = '/-/projects/demo/pub/-/crates/base';

sub publish {
	my ($place, $name, $version, @deps) = @_;
	my $index = 'sparse+' . $t->url . $t->registry($id{pub}) . '/';
	my $res = $t->publish($id{$place}, $token, $name, $version, !@deps ? () : (
		manifest => Berth::Crate::manifest($name, $version)
		    . qq([dependencies.base]\nversion = "^1"\nregistry-index = "$index"\n),
		metadata => { deps => [{ name => 'base', version_req => '^1', features => [], optional => JSON::PP::false,
		    default_features => JSON::PP::true, target => undef, kind => 'normal', explicit_name_in_toml => undef,
		    registry => $index }] }));

	return $res->{status} == 200 || diag($res->{body}) && 0;
}

ok(publish('pub', 'base', '1.0.0'), 'there is a crate');
$t->update_search;
sub get { my ($node, $path, %headers) = @_; return Berth::Cache::get($ports[$node], $path, %headers); }
sub static { my ($node, @more) = @_; return Berth::Cache::wait_static($nodes[$node], $ports[$node], @more); }

# ---- the same ----

for my $path ($root, "$root/1.0.0") {
	my $first = get(0, $path);
	my $res = static(0, $path);

	ok(defined $res, "$path: nginx sends it by itself") or next;
	is($res->{body}, $first->{body}, '  the same bytes');
	is($res->{headers}{$_}, $first->{headers}{$_}, "  the same $_") for qw(content-type content-encoding
	    content-length cache-control vary content-security-policy x-frame-options referrer-policy
	    cross-origin-opener-policy x-content-type-options set-cookie last-modified strict-transport-security);
	my $etag = $res->{headers}{etag};
	like($etag, qr/^"/, '  with an ETag');
	is(get(0, $path, 'If-None-Match' => $etag)->{status}, 304, '  which is not sent again');
	is(get(0, $path, 'If-Unmodified-Since' => 'Thu, 01 Jan 1970 00:00:00 GMT')->{status}, 200,
	    '  and has no time by which it could have changed');
	my $other = static(1, $path);
	is($other->{headers}{etag}, $etag, '  and is the same on all nodes');
	is(Berth::Cache::request($ports[0], HEAD => $path, { headers => { 'Accept-Encoding' => 'gzip' } })
	    ->{headers}{'content-length'}, $res->{headers}{'content-length'}, '  HEAD');
}

# ---- who asks the pool ----

for my $case (['a cookie', $root, Cookie => $cookie], ['any cookie', $root, Cookie => 'x=y'],
	['a token', $root, Authorization => $token], ['another token', $root, 'PRIVATE-TOKEN' => $token],
	['a query', "$root?page=1"], ['no gzip', $root, 'Accept-Encoding' => 'br'],
	['another spelling', $root =~ s/base/BASE/r],
	['another path', $root =~ s/demo/DEMO/r], ['no such version', "$root/2.0.0"], ['the front page', '/-/'],
	['a slash', "$root/"], ['a way out', "/-/projects/demo/../demo/pub/-/crates/base"],
	['another', '/-/projects/demo/pub/-/crates/../crates/base'], ['another', "$root/../base"],
	['one in code', '/-/projects/demo/pub/%2e%2e/pub/-/crates/base'], ['a body', $root, 'Content-Length' => 0],
	['the file itself', "/-/berth/cache/page/projects/demo/pub/-/crates/base.html"]) {
	my ($what, $path, @headers) = @$case;
	my $res = get(0, $path, @headers);

	ok(!Berth::Cache::is_static($t, $res) || $res->{status} >= 400, "$what: not from a file");
	is($res->{headers}{'content-encoding'}, undef, '  as it is') if "@headers" =~ /Cookie: __|br$/;
}
like(get(0, $root, Cookie => $cookie)->{body}, qr/Signed in as/, 'who is signed in has a page of their own');

# ---- what has changed ----

sub api { return $t->http($_[0] => "/api/v4/projects/$id{pub}/packages/$_[1]", { token => $token,
    headers => ['Content-Type: application/json'], body => $_[2] })->{status}; }
sub package_id {
	return $t->psql("SELECT id FROM versions WHERE version = '$_[0]' AND project_id = $id{pub}");
}

# Each: a name, the change, text that the page has after it (or its status), and text that it no longer
# has.
my @changes = (
	['a version', sub { publish('pub', 'base', '1.1.0') }, qr{<h1>base <span class="version">1\.1\.0},
		qr{>1\.0\.0</span>}],
	['a yank', sub { $t->berth_ok(qw(yank demo/pub base@1.1.0)) }, qr/badge bad">yanked/],
	['its undoing', sub { $t->berth_ok(qw(unyank demo/pub base@1.1.0)) }, qr/1\.1\.0/, qr/badge bad">yanked/],
	['who depends on it', sub { publish('pub', 'near', '1.0.0') && publish('user', 'far', '1.0.0', 'base') },
		qr/>far</],
	['who does not any more', sub { publish('user', 'far', '2.0.0') }, qr/>1\.0\.0</],
	['a version that is deprecated', sub { api(PATCH => package_id('1.1.0'), '{"status":"deprecated"}') == 200 },
		qr/badge bad">deprecated/],
	['the other project private', sub { $t->berth_ok(qw(project set demo/user visibility=private)); 1 },
		qr/No crate that you may see/, qr/>far</],
	['and public again', sub { $t->berth_ok(qw(project set demo/user visibility=public)); 1 }, qr/>far</],
	['a version that is deleted', sub { api(DELETE => package_id('1.1.0')) == 204 }, qr/>1\.0\.0</, qr/1\.1\.0/],
	['a registry that is off', sub { $t->berth_ok(qw(project set demo/pub packages_enabled=false)); 1 }, 404],
	['and on', sub { $t->berth_ok(qw(project set demo/pub packages_enabled=true)); 1 }, qr/<h1>base/],
	['the project private', sub { $t->berth_ok(qw(project set demo/pub visibility=private)); 1 }, 404],
	['and public', sub { $t->berth_ok(qw(project set demo/pub visibility=public)); 1 }, qr/<h1>base/],
	['pages off', sub { $t->berth_ok(qw(flag set web_pages off)); 1 }, 404],
	['and on', sub { $t->berth_ok(qw(flag set web_pages on)); 1 }, qr/<h1>base/],
);

sub is_now {
	my ($node, $want, $no) = @_;
	my $res = get($node, $root);

	return is($res->{status}, $want, "  node $node: $want") if !ref $want;
	like($res->{body}, $want, "  node $node has it");
	unlike($res->{body}, $no, '  and not what was') if defined $no;
	return;
}

for my $change (@changes) {
	my ($name, $do, $want, $no) = @$change;

	# if the page exists, it is in the cache of both nodes
	for my $node (0, 1) {
		static($node, $root) if get($node, $root)->{status} == 200;
	}
	ok($do->(), $name);
	is_now($_, $want, $no) for 0, 1;
}

# ---- images of other web servers, for which nginx has no policy ----

$t->psql("UPDATE versions SET readme = '![seal](https://img.example/seal.png)' WHERE version = '1.0.0'"
    . " AND project_id = $id{pub}");
for my $allowed ('true', 'false', 'true', 'false') {
	my $image = qr{<img [^>]*src="https://img\.example/seal\.png"};
	my $csp = "img-src 'self'" . ($allowed eq 'true' ? ' https:' : '');

	$t->berth_ok(qw(project set demo/pub), "readme_images=$allowed");
	for my $node (0, 1) {
		my @res = map { get($node, $root) } 1 .. 2;

		is(scalar(grep { ($_->{body} =~ $image) eq ($allowed eq 'true') } @res), 2, "images $allowed, node $node");
		like($_->{headers}{'content-security-policy'}, qr/; \Q$csp\E; /, '  and the policy') for @res;
		if ($allowed eq 'false') {
			static($node, $root);
		} else {
			ok(!Berth::Cache::is_static($nodes[$node], $res[1]), '  nginx does not send it by itself');
		}
	}
}

# ---- while a worker makes it ----

SKIP: {
	skip $fault->missing, 1 if $fault->missing;
	static(0, $root);
	my @passed = grep { /^page:/ } $fault->trace('page:kept', sub { get(0, "$root/1.0.0") });
	is("@passed", 'page:made page:looked page:kept', 'these are the steps');
	$t->berth_ok(qw(yank demo/pub base@1.0.0));
	for my $point (@passed) {
		$t->berth_ok(qw(unyank demo/pub base@1.0.0));
		static(0, '/-/projects/demo/pub/-/crates/near');
		$fault->arm($point, 'wait');
		my $pid = fork // die "fork: $!\n";
		if ($pid == 0) {
			my $res = $t->http(GET => $root, { headers => ['Accept-Encoding: gzip'] });
			POSIX::_exit($res->{status} == 200 ? 0 : 1);
		}
		ok($t->wait_for(sub { -e $t->dir . '/fault.taken' }), "$point: a worker stands still") or last;
		$t->berth_ok(qw(yank demo/pub base@1.0.0));
		is_now(1, qr/badge bad">yanked/);
		ok($fault->disarm, '  and goes on');
		waitpid($pid, 0);
		is($?, 0, '  and answers');
		is_now(0, qr/badge bad">yanked/) for 1 .. 3;
		my $res = static(0, $root);
		like($res->{body}, qr/badge bad">yanked/, '  as the next file does');
	}
}

# ---- what nobody is told of ----

{
	static(0, $root);
	$t->psql("INSERT INTO download_days (crate_id, version_id, day, project_id, downloads, last_at)"
	    . " SELECT crate_id, id, (now() AT TIME ZONE 'UTC')::date, project_id, 4711, now()"
	    . " FROM versions WHERE version = '1.0.0' AND project_id = $id{pub} AND normalized_name = 'base'");
	my $began = time;
	ok($t->wait_for(sub { get(0, $root)->{body} =~ /4\xc2\xa0711 in the last 90 days/ }), 'downloads are seen');
	cmp_ok(time - $began, '<=', LEASE + 12, 'soon');
}
is(scalar(grep { !m{/(?:base|near|far)(?:\.html\.gz)?$|/\d+\.\d+\.\d+\.html\.gz$} }
	glob($t->dir . '/cache/grant/*/page/projects/demo/*/-/crates/* ' . $t->dir
	    . '/cache/grant/*/page/projects/demo/*/-/crates/*/*')), 0, 'there are no other files');
done_testing();
