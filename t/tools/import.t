#!/usr/bin/perl

# berth-import(7), run: imports of what real registries have made of the same crates, compared field by field
# with what was published there.  `make check-tools` runs this; a registry that is not on this machine is
# skipped.  Give their programs in the environment: KELLNR, NORA, and GITEA with its source in GITEA_ROOT; or
# put kellnr, nora and gitea into build/tools/bin.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;

use Berth::Cluster;
use Berth::Crate;
use Berth::File qw(write_file);
use Berth::Publish;
use Berth::Test;

my $json = JSON::PP->new->utf8->canonical;
my $t = Berth::Test->new(workers => 2);

$t->user($_) for qw(dev ann);
$t->member('dev', 'demo', 'reporter') if $t->group('demo');
$t->start_pool;
my $token = $t->token('dev');

# The versions to publish to each registry: name, version, dependencies, whether it is yanked.
my @crates = (
	['leaf', '1.0.0', [], 0],
	['leaf', '1.1.0', [], 1],
	['leaf', '0.9.0+later', [], 0],
	['Stem_Crate', '2.0.0-rc.1', ['leaf'], 0],
	['ab', '0.1.0', [], 0],
	['abc', '0.1.0', [], 0],
);
my %sum; # of those that were published

subtest 'Kellnr' => \&kellnr;
subtest 'NORA' => \&nora;
subtest 'Gitea' => \&gitea;

$t->stop;
done_testing();

# ---- helpers ----

sub program {
	my ($name) = @_;
	my ($found) = grep { -x } $ENV{ uc $name } // '', "$Berth::Cluster::ROOT/build/tools/bin/$name";

	plan skip_all => "no $name on this machine" if !defined $found;
	return $found;
}

# The body of an answer; dies if it is not 2xx.
sub curl {
	my ($url, @options) = @_;
	my $stdin = ref $options[-1] ? ${ pop @options } : '';
	my ($status, $out, $err) = Berth::Cluster::capture({ stdin => $stdin }, 'curl', '-sS', '--fail-with-body',
	    @options, $url);

	die "$url: $err$out\n" if $status != 0;
	return $out;
}

sub request {
	my ($method, $url, $authorization, $body) = @_;

	$body = $json->encode($body) if ref $body;
	return curl($url, '-X', $method, '-H', "Authorization: $authorization", '-H',
	    'Content-Type: application/json', defined $body ? ('--data-binary', '@-', \$body) : ());
}

# Publishes all crates to the registry with that API, and yanks what is to be yanked.
sub publish_all {
	my ($api, $authorization, %opt) = @_;

	for (@crates) {
		my ($name, $version, $deps, $yanked) = @$_;
		my $toml = join('', map { "[dependencies.$_]\nversion = \"1\"\nregistry-index = \"sparse+$api/\"\n" }
		    @$deps);
		my $bytes = Berth::Crate::make($name, $version, toml => $toml);
		my $metadata = Berth::Crate::metadata($name, $version, deps => [map { { name => $_, version_req => '^1',
			features => [], optional => JSON::PP::false, default_features => JSON::PP::true, target => undef,
			kind => 'normal', registry => undef } } @$deps]);

		request(PUT => "$api/api/v1/crates/new", $authorization, $t->publish_body($metadata, $bytes));
		request(DELETE => "$api/api/v1/crates/$name/$version/yank", $authorization)
		    if $yanked && !$opt{no_yanks};
		$sum{"$name $version"} = sha256_hex($bytes);
	}
}

# The line of each version in the project's index: "NAME VERSION" => hash, and the versions in their order.
sub imported {
	my ($project, $name) = @_;
	my $res = $t->http(GET => $t->registry($project) . '/' . Berth::Publish::index_path($name),
	    { token => $token });

	return map { $json->decode($_) } split(/\n/, $res->{body});
}

# Compares the import with what was published there; `times`: that registry stores times of publication.
sub compare {
	my ($project, %opt) = @_;
	my %lines = map { ("$_->{name} $_->{vers}" => $_) } map { imported($project, $_) } map { lc $_ }
	    keys %{ { map { ($_->[0] => 1) } @crates } };

	is_deeply([sort keys %lines], [sort keys %sum], 'the same versions');
	for (@crates) {
		my ($name, $version, $deps, $yanked) = @$_;
		my $line = $lines{"$name $version"} // next;

		is($line->{cksum}, $sum{"$name $version"}, "$name $version: checksum");
		is($line->{yanked} ? 1 : 0, $opt{no_yanks} ? 0 : $yanked, 'yanked or not');
		is_deeply([map { "$_->{name} $_->{req} " . ($_->{registry} // 'here') } @{ $line->{deps} }],
		    [map { "$_ ^1 here" } @$deps], 'dependencies in the same registry');
		is(sha256_hex($t->http(GET => $t->registry($project) . "/$name/$version/download",
		    { token => $token })->{body}), $sum{"$name $version"}, 'bytes');
		is($line->{pubtime}, $opt{times}{"$name $version"}, 'time of publication') if $opt{times};
	}
	is_deeply([map { $_->{vers} } imported($project, 'leaf')], ['1.0.0', '1.1.0', '0.9.0+later'],
	    'in the order of publication') if $opt{ordered};
}

sub import_of {
	my ($kind, $project, @args) = @_;
	my ($status, $out, $err) = $t->berth('--json', 'import', $kind, @args, '--into', $project);
	my @rows = map { $json->decode($_) } split(/\n/, $out);
	my $summary = @rows ? pop @rows : {};

	return ($status, $summary, \@rows, $err);
}

# The downloads of all versions that have any.
sub downloads {
	my ($project) = @_;

	return [$t->psql("SELECT c.name || ' ' || v.version || ' ' || d.downloads FROM versions v JOIN crates c"
	    . ' ON c.id = v.crate_id JOIN version_downloads d ON d.crate_id = c.id AND d.version_id = v.id'
	    . " WHERE v.project_id = $project ORDER BY 1")];
}

# ---- registries ----

sub kellnr {
	my $program = program('kellnr');
	my ($dir, $port, $secret) = ($t->dir . '/kellnr', Berth::Test::claim_port(), join('', 'a' .. 'z', 1 .. 6));
	my $url = "http://127.0.0.1:$port";

	%sum = ();
	make_path($dir);
	local @ENV{map { "KELLNR_$_" } qw(REGISTRY__DATA_DIR LOCAL__IP LOCAL__PORT ORIGIN__HOSTNAME ORIGIN__PORT
	    SETUP__ADMIN_PWD SETUP__ADMIN_TOKEN REGISTRY__AUTH_REQUIRED REGISTRY__DOWNLOAD_COUNTER_FLUSH_SECONDS)}
	    = ($dir, '127.0.0.1', $port, '127.0.0.1', $port, 'admin', $secret, 'true', 0);
	my $pid = Berth::Test::spawn("$dir.log", $program, 'start');
	ok(Berth::Test::wait_for(sub {
		eval { curl("$url/api/v1/crates/config.json", '-H', "Authorization: $secret") };
	}, 60), 'it runs') or diag(Berth::Cluster::slurp("$dir.log"));
	publish_all($url, $secret);
	my $cookies = "$dir/cookies";
	curl("$url/api/v1/auth/login", '-c', $cookies, '-H', 'Content-Type: application/json', '--data-binary', '@-',
	    \$json->encode({ user => 'admin', pwd => 'admin' }));
	for my $name (qw(dev ghost)) {
		curl("$url/api/v1/users", '-b', $cookies, '-H', 'Content-Type: application/json', '--data-binary', '@-',
		    \$json->encode({ name => $name, pwd1 => 'x' x 12, pwd2 => 'x' x 12 }));
	}
	request(PUT => "$url/api/v1/crates/leaf/owners", $secret, { users => ['dev', 'ghost'] });
	request(GET => "$url/api/v1/crates/dl/leaf/1.0.0/download", $secret) for 1 .. 3;

	my $ask = sub { return Berth::Cluster::capture('sqlite3', '-readonly', "$dir/db.sqlite", @_) };
	ok($t->wait_for(sub { ($ask->('SELECT max(downloads) FROM crate_meta'))[1] eq "3\n" }),
	    'downloads are counted');
	my %times = map { my $line = $json->decode($_); ("$line->{name} $line->{vers}" => $line->{pubtime}) }
	    map { split(/\n/, request(GET => "$url/api/v1/crates/" . Berth::Publish::index_path($_), $secret)) }
	    keys %{ { map { (lc($_->[0]) => 1) } @crates } };
	# Kellnr before 6.0 has no time in its index
	Berth::Cluster::capture('sqlite3', "$dir/db.sqlite", ".backup $dir/before.sqlite");
	Berth::Cluster::capture('sqlite3', "$dir/before.sqlite", 'ALTER TABLE crate_index DROP COLUMN pubtime');
	my $file = $t->holds_tokens(write_file("$dir/token", $secret));
	my %way = (files => [$dir], before => ["$dir/before.sqlite", '--crates', "$dir/crates"]);
	for my $way (sort keys %way) {
		my $id = $t->project("demo/kellnr-$way");
		my ($status, $summary, $rows, $err) = import_of('kellnr', "demo/kellnr-$way", @{ $way{$way} });

		is_deeply([$status, @$summary{qw(imported owners downloads)}], [0, scalar @crates, 1, 1], "$way: all")
		    or diag explain $summary, $rows, $err;
		compare($id, times => \%times, ordered => 1);
		is_deeply(downloads($id), ['leaf 1.0.0 3'], 'downloads');
		is($t->psql("SELECT string_agg(u.username, ' ') FROM crate_owners o JOIN users u ON u.id = o.user_id"
		    . " WHERE o.project_id = $id"), 'dev', 'owners');
		is_deeply([sort map { "$_->{crate} $_->{reason}" } @$rows], [sort map { my $of = $_; map {
		    "$of `$_` owns the crate there, but is not an active user here" } 'admin', $of eq 'leaf'
		    ? 'ghost' : () } qw(leaf Stem_Crate ab abc)], 'those who are not here');
		($status, $summary) = import_of('kellnr', "demo/kellnr-$way", @{ $way{$way} });
		is_deeply([$status, @$summary{qw(there owners downloads)}], [0, scalar @crates, 0, 0], 'again: nothing');
	}
	my $id = $t->project('demo/kellnr-http');
	my @args = ('index', 'demo/kellnr-http', "sparse+$url/api/v1/crates/", '--token-file', $file);
	my ($status, $summary, undef, $err) = import_of(@args);
	like("$status $err", qr/^2 .*--list FILE/s, 'by its index, without a list, it says what to do');
	write_file("$dir/names", join('', map { "$_\n" } sort keys %{ { map { ($_->[0] => 1) } @crates } }));
	($status, $summary) = import_of(@args, '--list', "$dir/names");
	is_deeply([$status, $summary->{imported}], [0, scalar @crates], 'with one');
	compare($id, times => \%times);
	kill('TERM', $pid);
	waitpid($pid, 0);
}

# It has no yanks, no owners and no search.
sub nora {
	my $program = program('nora');
	my ($dir, $port) = ($t->dir . '/nora', Berth::Test::claim_port());
	my $url = "http://127.0.0.1:$port";

	%sum = ();
	make_path($dir);
	local @ENV{map { "NORA_$_" } qw(HOST PORT PUBLIC_URL STORAGE_PATH AUTH_ENABLED)} = ('127.0.0.1', $port, $url,
	    "$dir/storage", 'false');
	my $pid = Berth::Test::spawn("$dir.log", 'sh', '-c', "cd $dir && exec $program serve");
	ok(Berth::Test::wait_for(sub { eval { curl("$url/cargo/index/config.json") } }, 60), 'it runs')
	    or diag(Berth::Cluster::slurp("$dir.log"));
	publish_all("$url/cargo", 'x', no_yanks => 1);
	my $id = $t->project('demo/nora');
	my @args = ('index', 'demo/nora', "sparse+$url/cargo/index/");
	my ($status, $summary, $rows, $err) = import_of(@args);
	like("$status $err", qr/^2 .*--list FILE/s, 'without a list it says what to do');
	write_file("$dir/names", join('', map { "$_\n" } sort keys %{ { map { ($_->[0] => 1) } @crates } }));
	($status, $summary, $rows, $err) = import_of(@args, '--list', "$dir/names");
	is_deeply([$status, $summary->{imported}, $rows], [0, scalar @crates, []], 'all')
	    or diag explain $summary, $rows, $err;
	compare($id, no_yanks => 1);
	($status, $summary) = import_of(@args, '--list', "$dir/names");
	is_deeply([$status, $summary->{there}], [0, scalar @crates], 'again: nothing');
	kill('TERM', $pid);
	waitpid($pid, 0);
}

sub gitea {
	my $program = program('gitea');
	my ($dir, $port) = ($t->dir . '/gitea', Berth::Test::claim_port());
	my $url = "http://127.0.0.1:$port";
	my $root = $ENV{GITEA_ROOT} // plan skip_all => 'GITEA_ROOT does not name its source';
	my $dsn = $t->dsn('postgres');
	my ($host, $at) = map { $dsn =~ /\b$_=(\S+)/ ? $1 : '' } qw(host port);

	%sum = ();
	make_path("$dir/custom/conf");
	$t->psql('CREATE DATABASE gitea');
	write_file("$dir/custom/conf/app.ini", <<"INI");
APP_NAME = peer
RUN_USER = @{[scalar getpwuid($>)]}
RUN_MODE = prod
WORK_PATH = $dir
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = $port
ROOT_URL = $url/
STATIC_ROOT_PATH = $root
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = postgres
HOST = $host@{[$at ? ":$at" : '']}
NAME = gitea
USER = postgres
SSL_MODE = disable
[security]
INSTALL_LOCK = true
[repository]
ROOT = $dir/repositories
[packages]
ENABLED = true
[log]
LEVEL = Warn
INI
	$t->holds_tokens("$dir/custom/conf/app.ini"); # of its own, which it writes there
	local $ENV{GITEA_WORK_DIR} = $dir;
	local $ENV{HOME} = $dir;
	local $ENV{TZ} = 'America/St_Johns'; # its API tells times in the zone where it runs
	local $ENV{GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT} = 'true';
	my @gitea = ($program, '--config', "$dir/custom/conf/app.ini");
	my ($status, $out, $err) = Berth::Cluster::capture(@gitea, 'migrate');
	is($status, 0, 'its database') or diag $out, $err;
	($status, $out, $err) = Berth::Cluster::capture(@gitea, 'admin', 'user', 'create', '--username', 'team',
	    '--password', 'a-long-password', '--email', 'team@example.org', '--must-change-password=false',
	    '--access-token', '--access-token-scopes', 'all', '--access-token-name', 'import');
	my ($secret) = $out =~ /\b([0-9a-f]{40})\b/;
	ok(defined $secret, 'a user with a token') or diag $out, $err;
	my $pid = Berth::Test::spawn("$dir.log", @gitea, 'web');
	my $registry = "$url/api/packages/team/cargo";
	ok(Berth::Test::wait_for(sub { eval { curl("$url/api/v1/version") } }, 90), 'it runs')
	    or diag(Berth::Cluster::slurp("$dir.log"));
	publish_all($registry, "Bearer $secret");

	# sets the times some days apart
	my %times = map { /(.*) (\S+)/ } split(/\n/, (Berth::Cluster::capture('psql', '-XAtq', '-d',
	    $dsn =~ s/\bdbname=\S+/dbname=gitea/r, '-c', 'UPDATE package_version v'
	    . ' SET created_unix = 1700000000 + 90001 * v.id FROM package p WHERE p.id = v.package_id RETURNING'
	    . " p.name || ' ' || v.version || to_char(to_timestamp(v.created_unix) AT TIME ZONE 'UTC',"
	    . q{' YYYY-MM-DD"T"HH24:MI:SS"Z"')}))[1]);
	my $id = $t->project('demo/gitea');
	my $file = $t->holds_tokens(write_file("$dir/token", "Bearer $secret\n"));
	my @args = ('gitea', 'demo/gitea', "sparse+$registry/", '--token-file', $file);
	my $summary;
	my $rows;
	($status, $summary, $rows, $err) = import_of(@args);
	is_deeply([$status, $summary->{imported}, $rows], [0, scalar @crates, []], 'all, by its API')
	    or diag explain $summary, $rows, $err;
	compare($id, times => \%times);
	($status, $summary) = import_of(@args);
	is_deeply([$status, $summary->{there}], [0, scalar @crates], 'again: nothing');
	($status, $summary, undef, $err) = import_of('index', @args[1 .. $#args]);
	is_deeply([$status, $summary->{there}], [0, scalar @crates], 'by the index alone: the same');
	kill('TERM', $pid);
	waitpid($pid, 0);
}
