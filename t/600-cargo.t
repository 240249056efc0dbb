#!/usr/bin/perl
# The real cargo, end to end: a workspace is published to a private and to a public registry, and
# another project resolves, builds, locks, vendors and installs from it.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path);
use JSON::PP ();
use Test::More;

use Berth::File qw(write_file);
use Berth::Test;

my $missing = Berth::Test::cargo_missing();
plan skip_all => $missing if $missing;

my $t = Berth::Test->new(workers => 4);
my %id = (priv => $t->project('demo/priv', 'private'), pub => $t->project('demo/pub', 'public'));
$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');
# what cargo asks is in one log, whoever answers, and in order
$t->start_pool;
$t->start_nginx(sub { s{berth-cache\.log" berth buffer=64k flush=1s}{berth.log" berth}gr });

# ---- a workspace with everything that reaches an index line ----

# name => [ version, files besides src/lib.rs, manifest after [package] ]; REG is the registry
my %members = (
	# one letter, build metadata
	x => ['1.0.0+meta.1', {}, "[features]\ndefault = [\"std\"]\nstd = []\nextra = []\n"],
	# two letters, a build dependency and a build script
	xy => ['0.2.0', { 'build.rs' => "fn main() { println!(\"cargo:rustc-env=BUILT={}\", x::answer()); }\n" },
		"links = \"xy-native\"\nrust-version = \"1.70\"\nbuild = \"build.rs\"\n"
		. "[features]\nextra = []\n[build-dependencies]\n"
		    . "x = { version = \"1\", registry = \"REG\", path = \"../x\" }\n"],
	# three letters: renamed, optional with dep: and ?/, dev, target-specific
	xyz => ['0.3.1', { 'src/lib.rs' => "pub fn answer() -> u32 { ex::answer() }\n" }, <<'TOML'],
[features]
default = []
with-xy = ["dep:xy", "xy?/extra"]
all = ["with-xy", "ex/extra"]
[dependencies]
ex = { package = "x", version = "1.0", registry = "REG", path = "../x", default-features = false, features = [
    "std"] }
xy = { version = "0.2", registry = "REG", path = "../xy", optional = true }
[dev-dependencies]
ex = { package = "x", version = "1", registry = "REG", path = "../x" }
[target.'cfg(unix)'.dependencies]
only_unix = { version = ">=0.1, <2", registry = "REG", path = "../only_unix" }
TOML
	only_unix => ['0.1.0', {}, ''],
	# many letters, upper and lower case, underscore
	Foo_Lib => ['1.2.3-rc.1', { 'src/lib.rs' => "pub fn answer() -> u32 { xyz::answer() }\n" },
		"[dependencies]\n"
		    . "xyz = { version = \"0.3\", registry = \"REG\", path = \"../xyz\", features = [\"with-xy\"] }\n"],
	'demo-tool' => ['2.0.0', { 'src/lib.rs' => undef,
		'src/main.rs' => "fn main() { println!(\"the answer is {}\", Foo_Lib::answer()); }\n" },
		"[dependencies]\nFoo_Lib = { version = \"=1.2.3-rc.1\", registry = \"REG\", path = \"../Foo_Lib\" }\n"],
);
my @order = qw(only_unix x xy xyz Foo_Lib demo-tool);

sub write_workspace {
	my ($dir, $registry) = @_;

	write_file("$dir/Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = ["
	    . join(', ', map { "\"$_\"" } @order) . "]\n");
	for my $name (@order) {
		my ($version, $files, $rest) = @{ $members{$name} };
		my %files = ('src/lib.rs' => "pub fn answer() -> u32 { 42 }\n", %$files);

		write_file("$dir/$name/Cargo.toml", "[package]\nname = \"$name\"\nversion = \"$version\"\n"
		    . "edition = \"2021\"\ndescription = \"made for a test\"\nlicense = \"MIT\"\n"
		    . $rest =~ s/REG/$registry/gr);
		write_file("$dir/$name/$_", $files{$_}) for grep { defined $files{$_} } keys %files;
	}
	return $dir;
}

# cargo, which must succeed; its standard error is returned, and shown if it does not.
sub cargo_ok {
	my ($name, @args) = @_;
	my ($status, $out, $err) = $t->cargo(@args);

	is($status, 0, $name) or diag("cargo @args[0..1]\n$out$err");
	return wantarray ? ($err, $out) : $err;
}

# What cargo has asked so far.  nginx writes a line after its answer, so that the last ones may be
# late: once a request of our own is in the log, those before it are.
my $markers = 0;

sub access_log {
	my $marker = '/api/v4/marker/' . ++$markers;

	$t->http(GET => $marker);
	$t->wait_for(sub { $t->log('nginx-berth') =~ m{path="$marker"} }, 10) or die "nginx writes no log\n";
	return grep { /id=[0-9a-f]{32}/ && /agent="cargo/ } split(/\n/, $t->log('nginx-berth'));
}

# Did cargo really speak HTTP/2?
sub protocols {
	my %seen = map { / protocol=(\S+)/ ? ($1 => 1) : () } access_log();

	return join(' ', sort keys %seen);
}

# The requests since the mark, as [method, path, status].
sub requests_since {
	my ($mark) = @_;
	my @lines = access_log();

	return map { /method=(\S+) path="([^"]*)" status=(\d+)/ ? [$1, $2, $3] : () } @lines[$mark .. $#lines];
}

# ---- what the public registry would write, field by field ----

my $null = undef;
my ($true, $false) = (JSON::PP::true, JSON::PP::false);

sub dep {
	my ($name, $req, %over) = @_;

	return { name => $name, req => $req, features => [], optional => $false, default_features => $true,
		target => $null, kind => 'normal', registry => $null, %over };
}

my %golden = (
	x => { deps => [], features => { default => ['std'], extra => [], std => [] } },
	only_unix => { deps => [], features => {} },
	xy => { deps => [dep(x => '^1', kind => 'build')], features => { extra => [] },
		links => 'xy-native', rust_version => '1.70' },
	xyz => {
		deps => [
			dep(ex => '^1.0', package => 'x', default_features => $false, features => ['std']),
			dep(ex => '^1', package => 'x', kind => 'dev'),
			dep(only_unix => '>=0.1, <2', target => 'cfg(unix)'),
			dep(xy => '^0.2', optional => $true),
		],
		features => { default => [] },
		features2 => { 'with-xy' => ['dep:xy', 'xy?/extra'], all => ['with-xy', 'ex/extra'] },
		v => 2,
	},
	Foo_Lib => { deps => [dep(xyz => '^0.3', features => ['with-xy'])], features => {} },
	'demo-tool' => { deps => [dep(Foo_Lib => '=1.2.3-rc.1')], features => {} },
);

sub index_path {
	my $n = lc shift;

	return length $n == 1 ? "1/$n" : length $n == 2 ? "2/$n"
	    : length $n == 3 ? '3/' . substr($n, 0, 1) . "/$n" : substr($n, 0, 2) . '/' . substr($n, 2, 2) . "/$n";
}

sub index_lines {
	my ($reg, $name) = @_;
	my $res = $t->http(GET => $t->registry($id{$reg}) . '/' . index_path($name), { token => $token });

	is($res->{status}, 200, "$reg: index of $name");
	like($res->{body}, qr/\}\n\z/, "$reg: ends in a newline");
	return map { JSON::PP->new->utf8->decode($_) } split(/\n/, $res->{body});
}

for my $reg (qw(priv pub)) {
	my $home = $t->cargo_setup(map { $_ => { id => $id{$_}, token => $token } } qw(priv pub));
	my $ws = write_workspace($t->dir . "/ws-$reg", $reg);
	my ($mark, $err);

	# cargo before 1.90 publishes one package at a time
	my (undef, $version) = $t->cargo('--version');
	my $workspace = ($version =~ /^cargo 1\.(\d+)/)[0] >= 90;

	$mark = access_log();
	if ($workspace) {
		$err = cargo_ok("$reg: cargo publish --workspace", 'publish', '--workspace', '--registry', $reg,
		    '--allow-dirty', dir => $ws);
	} else {
		$err .= cargo_ok("$reg: cargo publish -p $_", 'publish', '-p', $_, '--registry', $reg,
		    '--allow-dirty', dir => $ws) for @order;
	}
	like($err, qr/Published .*\b\Q$_\E v\Q$members{$_}[0]\E.* at registry `$reg`/, "$reg: $_ is published")
	    for @order;
	unlike($err, qr/^warning: .*(?:description|license|timed out|registry)/m,
	    "$reg: no warning from the registry");

	my @requests = requests_since($mark);
	is(scalar(grep { $_->[0] eq 'PUT' } @requests), scalar @order, "$reg: one PUT a crate");
	is(scalar(grep { $_->[2] >= 500 } @requests), 0, "$reg: no server error");
	# the first look at a crate's index after its PUT finds it: no second poll is needed.  All that
	# cargo asks for after the last PUT is config.json and each crate that it waits for, once.
	my ($last) = grep { $requests[$_][0] eq 'PUT' } reverse 0 .. $#requests;
	my %asked;
	$asked{ $_->[1] }++ for grep { $_->[1] !~ m{/config\.json$} } @requests[$last + 1 .. $#requests];
	is_deeply([grep { $_ != 1 } values %asked], [], "$reg: no poll beyond the first after the last PUT");
	for my $name (@order) {
		my $path = index_path($name);
		my @looks = map { $_->[2] } grep { $_->[1] =~ m{/cargo/\Q$path\E$} } @requests;
		my ($missed) = grep { $looks[$_] == 404 } reverse 0 .. $#looks;

		is(scalar(grep { $_ == 404 } @looks[0 .. $missed]), $missed + 1,
		    "$reg: $name is never missed once it was there");
	}

	for my $name (@order) {
		my ($line, @more) = index_lines($reg, $name);
		my ($cksum, $pubtime) = delete @$line{qw(cksum pubtime)};
		my $download = $t->http(GET => $t->registry($id{$reg}) . "/$name/$members{$name}[0]/download",
		    { token => $token });

		is(scalar @more, 0, "$reg: one line for $name");
		is_deeply($line, { name => $name, vers => $members{$name}[0], yanked => $false, %{ $golden{$name} } },
		    "$reg: the line of $name is what the public registry would write")
		    or diag(JSON::PP->new->canonical->pretty->encode($line));
		like($pubtime, qr/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, "$reg: pubtime of $name");
		is($download->{status}, 200, "$reg: download of $name");
		is(sha256_hex($download->{body}), $cksum, "$reg: cksum of $name");
		is($download->{headers}{'content-encoding'}, undef, "$reg: no Content-Encoding on $name");
		my ($local) = glob("$ws/target/package/$name-*.crate");
		is(sha256_hex(do { local (@ARGV, $/) = $local; <> }), $cksum, "$reg: the bytes that cargo packed")
		    if $local;
	}

	# a second publish of the same version is refused, by cargo and by us
	my ($status, undef, $again) = $t->cargo('publish', '-p', 'x', '--registry', $reg, '--allow-dirty',
	    dir => $ws);
	isnt($status, 0, "$reg: the same version again fails");
	like($again, qr/already (?:exists|uploaded)/, "$reg: and says why");

	# ---- another project uses it ----
	my $app = $t->dir . "/app-$reg";
	write_file("$app/Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
	write_file("$app/src/main.rs", "fn main() { println!(\"{}\", Foo_Lib::answer() + x::answer()); }\n");
	cargo_ok("$reg: cargo add x", 'add', '--registry', $reg, 'x', dir => $app);
	cargo_ok("$reg: cargo add Foo_Lib", 'add', '--registry', $reg, 'Foo_Lib@1.2.3-rc.1', dir => $app);
	$err = cargo_ok("$reg: cargo add with another spelling", 'add', '--registry', $reg, 'only-unix',
	    dir => $app);
	like($err, qr/translating `only-unix` to `only_unix`/, "$reg: cargo finds the right spelling");
	cargo_ok("$reg: cargo generate-lockfile", 'generate-lockfile', dir => $app);
	my $lock = do { local (@ARGV, $/) = "$app/Cargo.lock"; <> };
	my $source = 'sparse+' . $t->url . $t->registry($id{$reg}) . '/';
	like($lock, qr/source = "\Q$source\E"/, "$reg: the lock file names the registry by id");
	cargo_ok("$reg: cargo fetch --locked", 'fetch', '--locked', dir => $app);
	(undef, my $out) = cargo_ok("$reg: cargo run --offline", 'run', '--quiet', '--offline', dir => $app);
	is($out, "84\n", "$reg: the program runs");

	$mark = access_log();
	cargo_ok("$reg: a second build", 'build', dir => $app);
	is(scalar(requests_since($mark)), 0, "$reg: makes no request");

	cargo_ok("$reg: cargo update", 'update', dir => $app);
	$mark = access_log();
	cargo_ok("$reg: cargo update again", 'update', dir => $app);
	my @update = requests_since($mark);
	cmp_ok(scalar @update, '>=', 4, "$reg: it asks");
	is_deeply([grep { $_->[1] !~ m{/config\.json$} && $_->[2] != 304 } @update], [],
	    "$reg: all are 304 but config.json");

	($err, $out) = cargo_ok("$reg: cargo info", 'info', '--registry', $reg, 'xyz', dir => $app);
	like($out, qr/version: 0\.3\.1.*license: MIT.*with-xy/s, "$reg: cargo info shows the crate");
	cargo_ok("$reg: cargo tree", 'tree', dir => $app);
	cargo_ok("$reg: cargo vendor", 'vendor', "$app/vendor", dir => $app);
	ok(-e "$app/vendor/Foo_Lib/Cargo.toml", "$reg: vendored");

	cargo_ok("$reg: cargo install", 'install', '--registry', $reg, 'demo-tool', '--root',
	    $t->dir . "/root-$reg");
	my $tool = $t->dir . "/root-$reg/bin/demo-tool";
	is(`$tool`, "the answer is 42\n", "$reg: the installed program runs");
	cargo_ok("$reg: cargo install --index", 'install', '--index', $source, 'demo-tool', '--force', '--root',
	    $t->dir . "/root-$reg") if $reg eq 'pub';

	# ---- yank ----
	write_file("$ws/x/Cargo.toml",
	    do { local (@ARGV, $/) = "$ws/x/Cargo.toml"; <> } =~ s/1\.0\.0\+meta\.1/1.1.0/r);
	cargo_ok("$reg: publish a newer x", 'publish', '-p', 'x', '--registry', $reg, '--allow-dirty', dir => $ws);
	is_deeply([map { $_->{vers} } index_lines($reg, 'x')], ['1.0.0+meta.1', '1.1.0'],
	    "$reg: lines in order of publication");
	$err = cargo_ok("$reg: cargo yank", 'yank', '--registry', $reg, 'x@1.1.0', dir => $app);
	like($err, qr/Yank x\@1\.1\.0/, "$reg: text of yank");
	is_deeply([map { $_->{yanked} ? 1 : 0 } index_lines($reg, 'x')], [0, 1], "$reg: yanked at once");
	cargo_ok("$reg: cargo yank again", 'yank', '--registry', $reg, 'x@1.1.0', dir => $app);
	cargo_ok("$reg: update after the yank", 'update', dir => $app);
	like(do { local (@ARGV, $/) = "$app/Cargo.lock"; <> }, qr/name = "x"\nversion = "1\.0\.0\+meta\.1"/,
	    "$reg: a yanked version is not chosen");
	# matched without build metadata
	cargo_ok("$reg: yank by the version without build metadata", 'yank', '--registry', $reg, 'x@1.0.0',
	    dir => $app);
	cargo_ok("$reg: a locked build still works", 'fetch', '--locked', dir => $app);
	unlink("$app/Cargo.lock");
	($status, undef, $err) = $t->cargo('update', dir => $app);
	isnt($status, 0, "$reg: but nothing new may rely on yanked versions");
	cargo_ok("$reg: cargo yank --undo", 'yank', '--undo', '--registry', $reg, $_, dir => $app)
	    for 'x@1.0.0', 'x@1.1.0';
	is_deeply([map { $_->{yanked} ? 1 : 0 } index_lines($reg, 'x')], [0, 0], "$reg: undone");
	cargo_ok("$reg: resolves again", 'update', dir => $app);
	($status, undef, $err) = $t->cargo('yank', '--registry', $reg, 'x@9.9.9', dir => $app);
	like($err, qr/status 404 Not Found\): crate `x` does not have a version `9\.9\.9`/,
	    "$reg: yank of nothing says so");
}

# ---- what people see when something is wrong ----

sub fails_with {
	my ($name, $pattern, @args) = @_;
	my ($status, undef, $err) = $t->cargo(@args);

	isnt($status, 0, "$name: fails");
	like($err, $pattern, "$name: says why");
}

my $app = $t->dir . '/app-priv';
unlink("$app/Cargo.lock");
$t->cargo_setup(priv => { id => $id{priv} });
fails_with('no token', qr/no token found for `priv`/, 'update', dir => $app);
# cargo login asks where to get a token; without a terminal it reads one at once
like(join('', $t->cargo('login', '--registry', 'priv', dir => $app)),
    qr{\Q@{[$t->url]}\E/-/tokens|no token|empty}, 'cargo login');
$t->cargo_setup(priv => { id => $id{priv}, token => substr($token, 0, -1) . ($token =~ /0$/ ? '1' : '0') });
fails_with('a wrong token', qr/token rejected for `priv`.*the token is invalid, expired or revoked/s,
    'update', dir => $app);
my $reader = $t->token('dev', scopes => 'read_api');
$t->cargo_setup(priv => { id => $id{priv}, token => $reader });
cargo_ok('a token that can only read reads', 'update', dir => $app);
fails_with('a token that can only read', qr/403 Forbidden\): the token does not have the scope `api`/,
    'yank', '--registry', 'priv', 'x@1.0.0', dir => $app);
$t->cargo_setup(priv => { id => $id{priv}, token => "Bearer $token" });
cargo_ok('a token with Bearer', 'update', dir => $app);
$t->cargo_setup(priv => { id => 4711, token => $token });
unlink("$app/Cargo.lock");
fails_with('a project that is not there', qr/config\.json not found in registry|no matching package/,
    'update', dir => $app);

# only the environment, as in a pipeline
$t->cargo_setup();
cargo_ok('configured by the environment alone', 'update', dir => $app, env => {
	CARGO_REGISTRIES_PRIV_INDEX => 'sparse+' . $t->url . $t->registry($id{priv}) . '/',
	CARGO_REGISTRIES_PRIV_CREDENTIAL_PROVIDER => 'cargo:token',
	CARGO_REGISTRIES_PRIV_TOKEN => $token,
});

# a public registry needs no token to build
my $public = $t->dir . '/app-pub';
$t->cargo_setup(pub => { id => $id{pub} });
unlink("$public/Cargo.lock");
cargo_ok('a public registry without a token', 'fetch', dir => $public);

is(protocols(), 'HTTP/2.0', 'all of it over HTTP/2');

# nothing of it is in a log
unlike($t->log($_), qr/\Q$token\E/, "no token in $_")
    for qw(pool nginx-error nginx-berth nginx-berth-downloads);

done_testing();
