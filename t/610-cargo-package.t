#!/usr/bin/perl
# Crates as `cargo package` makes them, of every kind that people publish: berth-inspect accepts
# the bytes, `cargo publish` gets them in, a download brings the same bytes back, and the index says
# what the manifest said.  Without any network: the public registry is a directory with two crates.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path);
use IO::Uncompress::Gunzip qw(gunzip $GunzipError);
use JSON::PP ();
use Test::More;

use Berth::File qw(write_file);
use Berth::Publish;

my $missing = Berth::Test::cargo_missing();
plan skip_all => $missing if $missing;

use constant PUBLIC => 'https://github.com/rust-lang/crates.io-index';
use constant { FILES => 5000, README => 900 << 10 };

my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my $p = Berth::Publish->new;
my $t = $p->test;
my $work = $t->dir . '/packages';
$t->cargo_setup(priv => { id => $p->id, token => $p->token });
my ($minor) = ($t->cargo('--version'))[1] =~ /^cargo 1\.(\d+)/;
# the edition that came with cargo 1.85
my $newest = $minor >= 85 ? '2024' : '2021';

# ---- the packages ----

my $here = 'registry = "priv"';
my $lib = { 'src/lib.rs' => "pub fn answer() -> u32 {\n    42\n}\n" };
my $main = { 'src/main.rs' => "fn main() {}\n" };
my $deep = 'a-rather-long-folder-name/' x 5;

sub line_dep {
	my ($name, $req, %over) = @_;

	return { name => $name, req => $req, features => [], optional => $false,
	    default_features => $true,
		target => undef, kind => 'normal', registry => undef, %over };
}

# In the order of publication.  name, version (1.0.0); package: lines of [package] besides these;
# tables: the rest of the manifest; files; dir, where not the name; line: what the index says
# besides the usual; has, lacks: paths in the crate; look: more to ask of the entries and of the verdict's
# package; prepare: done before cargo runs.
my @packages = (
	# without an edition: 2015
	{ name => 'base', files => $lib,
	    tables => "[features]\ndefault = [\"std\"]\nstd = []\nextra = []\n",
		line => { features => { default => ['std'], extra => [], std => [] } },
		look => sub { is($_[1]{edition}, undef, 'base: no edition') } },
	{ name => 'other-name', files => $lib, package => "edition = \"2018\"\n",
	    tables => "[lib]\nname = \"lib_of_another_name\"\n",
		look => sub { ok($_[1]{has_lib}, 'other-name: is a library') } },
	{ name => 'a-binary', files => $main, package => "edition = \"2021\"\n",
		look => sub { is_deeply([$_[1]{bins}, $_[1]{has_lib}], [['a-binary'], $false],
		    'a-binary: its program') } },
	{ name => 'lib-and-bins', package => "edition = \"2021\"\ndefault-run = \"tool\"\n",
		files => { %$lib, %$main, 'src/bin/tool.rs' => "fn main() {}\n",
		    'src/bin/multi/main.rs' => "fn main() {}\n" },
		look => sub { is_deeply([sort @{ $_[1]{bins} }], [qw(lib-and-bins multi tool)],
		    'lib-and-bins: all programs') } },
	{ name => 'native-sys', version => '0.3.1',
	    files => { %$lib, 'build.rs' => "fn main() {}\n", 'src/native.c' => "int x;\n" },
		package => "edition = \"2021\"\nlinks = \"native\"\nbuild = \"build.rs\"\n"
		    . "rust-version = \"1.70\"\n",
		line => { links => 'native', rust_version => '1.70' },
		    has => ['build.rs', 'src/native.c'] },
	{ name => 'derive-it', files => { 'src/lib.rs' => '' },
	    package => "edition = \"$newest\"\n", tables => "[lib]\nproc-macro = true\n",
		look => sub { is($_[1]{edition}, $newest, 'derive-it: the newest edition') } },
	# everything inherited is resolved when cargo packages
	{ name => 'member', version => '3.2.1', dir => 'workspace/member',
	    files => { %$lib, '../README.md' => "# of all\n",
			'../LICENSE' => "as you like\n", '../Cargo.toml' => <<"TOML" },
[workspace]
members = ["member"]
resolver = "2"
[workspace.package]
version = "3.2.1"
edition = "2021"
rust-version = "1.74"
authors = ["Somebody <somebody\@example.org>"]
keywords = ["inherited"]
license-file = "LICENSE"
readme = "README.md"
[workspace.dependencies]
base = { version = "1.0.0", $here, default-features = false }
[workspace.lints.rust]
unsafe_code = "forbid"
TOML
		manifest => "[package]\nname = \"member\"\n"
		    . join('', map { "$_.workspace = true\n" }
			qw(version edition rust-version authors keywords license-file readme))
			. "[dependencies]\nbase = { workspace = true, features = [\"extra\"] }\n"
			. "[lints]\nworkspace = true\n",
		line => { rust_version => '1.74',
		    deps => [line_dep('base', '^1.0.0', default_features => $false,
		    features => ['extra'])] },
		has => ['README.md', 'LICENSE'],
		look => sub { is_deeply([@{ $_[1] }{qw(keywords readme license_file)}],
		    [['inherited'], "# of all\n", 'LICENSE'], 'member: what it inherits') } },
	{ name => 'long-paths', files => { %$lib, "$deep/file.txt" => 'x',
	    "src/$deep$deep/mod.rs" => '' }, has => [($deep =~ s{/$}{}r) . '/file.txt'] },
	{ name => 'executables', files => { %$lib, 'run.sh' => "#!/bin/sh\n",
	    'all.sh' => "#!/bin/sh\n" },
		prepare => sub { chmod(0755, "$_[0]/run.sh") && chmod(0777, "$_[0]/all.sh")
		    or die "chmod: $!\n" },
		look => sub { is($_[0]{$_}{mode} & 0111, 0111, "executables: $_ can be run")
		    for 'run.sh', 'all.sh' } },
	{ name => 'in-git', files => { %$lib, '.gitignore' => "/ignored\n", 'ignored' => '',
	    '.hidden' => '' }, prepare => \&commit,
		has => ['.cargo_vcs_info.json', '.gitignore', '.hidden'], lacks => ['ignored'],
		look => sub { like($_[0]{'.cargo_vcs_info.json'}{bytes}, qr/"sha1": "[0-9a-f]{40}"/,
		    'in-git: its commit') } },
	{ name => 'below-in-git', dir => 'repository/crates/below', files => $lib,
	    prepare => sub { commit("$_[0]/../..") },
		look => sub { like($_[0]{'.cargo_vcs_info.json'}{bytes},
		    qr{"path_in_vcs": "crates/below"}, 'below-in-git: its place') } },
	{ name => 'includes', files => { %$lib, 'data/in.bin' => "\0\1", 'secret.txt' => 'x' },
	    package => "include = [\"src/**\", \"data/*.bin\"]\n",
		has => ['data/in.bin'], lacks => ['secret.txt'] },
	{ name => 'excludes', files => { %$lib, 'tests/big.bin' => 'x' x 1000,
	    'doc/kept.md' => 'x' }, package => "exclude = [\"tests/*\"]\n",
		has => ['doc/kept.md'], lacks => ['tests/big.bin'] },
	{ name => 'readme-below', files => { %$lib, 'docs/guide/START.md' => "# start\n" },
	    package => "readme = \"docs/guide/START.md\"\n",
		look => sub { is($_[1]{readme}, "# start\n", 'readme-below: is found') } },
	{ name => 'big-readme', files => { %$lib, 'README.md' => 'words ' x (README / 6) },
	    look => sub { is(length $_[1]{readme}, README, 'big-readme: whole') } },
	{ name => 'licence-file', files => { %$lib, 'LICENSE-OURS.txt' => "as you like\n" },
	    package => "license-file = \"LICENSE-OURS.txt\"\n",
		has => ['LICENSE-OURS.txt'] },
	{ name => 'all-targets', files => { %$lib, 'examples/one.rs' => "fn main() {}\n",
	    'examples/two/main.rs' => "fn main() {}\n",
			'tests/it.rs' => '', 'benches/fast.rs' => "fn main() {}\n" },
			    has => ['examples/two/main.rs', 'tests/it.rs', 'benches/fast.rs'] },
	{ name => 'foreign-names', files => { %$lib, "r\xc3\xa9sum\xc3\xa9.txt" => 'x',
	    "\xe6\x97\xa5\xe6\x9c\xac/\xe8\xaa\x9e.rs" => '',
			"e\xcc\x81.txt" => 'x', 'with blank & more.txt' => 'x',
			    "\xf0\x9f\xa6\x80" => 'x' },
			    has => ["r\xc3\xa9sum\xc3\xa9.txt", "\xf0\x9f\xa6\x80"] },
	{ name => 'one-file', files => $lib, lacks => ['.cargo_vcs_info.json'],
		look => sub { is(scalar(grep { !/^Cargo\./ } keys %{ $_[0] }), 1,
		    'one-file: and what cargo adds') } },
	{ name => 'many-files', files => { %$lib,
	    map { (sprintf('data/%02d/%04d.txt', $_ % 50, $_) => "$_\n") } 1 .. FILES },
		look => sub { cmp_ok(scalar keys %{ $_[0] }, '>', FILES,
		    'many-files: all of them') } },
	{ name => 'empty-files', files => { %$lib, 'empty' => '',
	    'sub/Cargo.toml' => "[package]\nname = \"sub\"\nversion = \"0.1.0\"\n",
	    'sub/src/lib.rs' => '' },
		has => ['empty'], lacks => ['sub/Cargo.toml'] },
	{ name => 'linked', files => { %$lib, 'real.txt' => "real\n" },
		prepare => sub { symlink('real.txt', "$_[0]/link.txt") || $!{EEXIST}
		    or die "symlink: $!\n" },
		look => sub { is($_[0]{'link.txt'}{bytes}, "real\n",
		    'linked: a link is packed as what it leads to') } },
	{ name => 'pre-release', version => '1.0.0-rc.1+build.5', files => $lib },
	{ name => 'Mixed_Case-9', version => '0.0.0', files => $lib },
	{ name => 'says-a-lot', files => { %$lib, %$main },
	    package => "edition = \"2021\"\nautobins = true\npublish = [\"priv\"]\n"
			. "authors = [\"A <a\@example.org>\", \"B\"]\n"
			. "homepage = \"https://example.org\"\n"
			. "documentation = \"https://example.org/d\"\n"
			. "repository = \"https://example.org/r\"\n"
			. "keywords = [\"a\", \"b\", \"c\", \"d\", \"e\"]\n"
			. "categories = [\"development-tools\"]\nresolver = \"2\"\n",
		tables => "[package.metadata.tool]\nworkspace = true\nlist = [1, 2.5, 1979-05-27]\n"
			. "[badges.maintenance]\nstatus = \"as-is\"\n"
			. "[profile.release]\nlto = true\n"
			. "[lints.rust]\nunsafe_code = { level = \"forbid\", priority = 1 }\n",
		look => sub { is_deeply([@{ $_[1] }{qw(authors keywords)}],
		    [['A <a@example.org>', 'B'], [qw(a b c d e)]], 'says-a-lot: lists') } },
	{ name => 'feature-syntax', files => $lib, tables => <<"TOML",
[features]
default = ["std"]
std = []
"0num" = []
_under = []
"with.dots" = []
"c++" = ["std"]
"gr\xc3\xb6\xc3\x9fe" = []
implicit = ["libc"]
strong = ["base/std"]
weak = ["base?/extra"]
explicit = ["dep:serde"]
all = ["explicit", "std"]
[dependencies]
base = { version = "1", $here, optional = true, default-features = false }
serde = { version = "1.0", optional = true }
libc = { version = "0.2", optional = true }
TOML
		line => {
			features => { default => ['std'], std => [], '0num' => [], _under => [],
			    'with.dots' => [], 'c++' => ['std'], "gr\x{f6}\x{df}e" => [],
				implicit => ['libc'], strong => ['base/std'] },
			features2 => { weak => ['base?/extra'], explicit => ['dep:serde'],
			    all => ['explicit', 'std'] }, v => 2,
			deps => [line_dep('base', '^1', optional => $true,
			    default_features => $false),
				line_dep('libc', '^0.2', optional => $true, registry => PUBLIC),
				    line_dep('serde', '^1.0', optional => $true,
				    registry => PUBLIC)],
		} },
	{ name => 'depends', package => "edition = \"2021\"\n",
		files => { %$lib, 'build.rs' => "fn main() {}\n" }, tables => <<"TOML",
[dependencies]
base = { version = "1", $here }
renamed = { package = "base", version = "1.0", $here, default-features = false, features = ["extra"] }
other-name = { package = "other-name", version = ">=1, <3", $here }
public = { package = "serde", version = "~1.0" }
[dev-dependencies]
base = { version = "1.0.0", $here, features = ["extra"] }
serde = "1"
only-a-path = { path = "only-a-path" }
[build-dependencies]
libc = { version = "0.2.*" }
[target.'cfg(all(unix, not(target_os = "macos")))'.dependencies]
libc = "=0.2.0"
[target.x86_64-unknown-linux-gnu.build-dependencies]
build_base = { package = "base", version = "1", $here }
TOML
		prepare => sub { write_package({ name => 'only-a-path', files => $lib,
		    dir => 'depends/only-a-path' }) },
		line => { deps => [
			line_dep('base', '^1'),
			    line_dep('base', '^1.0.0', kind => 'dev', features => ['extra']),
			line_dep('build_base', '^1', package => 'base', kind => 'build',
			    target => 'x86_64-unknown-linux-gnu'),
			line_dep('libc', '=0.2.0',
			    target => 'cfg(all(unix, not(target_os = "macos")))',
			    registry => PUBLIC),
			line_dep('libc', '0.2.*', kind => 'build', registry => PUBLIC),
			# nothing is renamed, but this is the library's name then, not its own
			line_dep('other-name', '>=1, <3', package => 'other-name'),
			line_dep('public', '~1.0', package => 'serde', registry => PUBLIC),
			line_dep('renamed', '^1.0', package => 'base', default_features => $false,
			    features => ['extra']),
			line_dep('serde', '^1', kind => 'dev', registry => PUBLIC),
		] } },
);

# ---- making them ----

# Returns the folder of the package.
sub write_package {
	my ($package) = @_;
	my $dir = "$work/" . ($package->{dir} // $package->{name});

	write_file("$dir/Cargo.toml", $package->{manifest} // sprintf(
		qq([package]\nname = "%s"\nversion = "%s"\ndescription = "made for a test"\n%s%s%s),
		    $package->{name}, $package->{version} // '1.0.0',
		($package->{package} // '') =~ /^license-file/m ? '' : qq(license = "MIT"\n),
		    $package->{package} // '', $package->{tables} // ''));
	write_file("$dir/$_", $package->{files}{$_}) for sort keys %{ $package->{files} };
	return $dir;
}

# A repository with one commit of all that is there.
sub commit {
	my ($dir) = @_;
	# not the repository that a hook may run this test in
	my %env = ((map { ($_ => undef) } grep { /^GIT_/ } keys %ENV), HOME => $work,
	    GIT_CONFIG_NOSYSTEM => 1, map { ("GIT_${_}_NAME" => 'T',
	    "GIT_${_}_EMAIL" => 't@example.org') } qw(AUTHOR COMMITTER));

	for my $command (['init', '-q'], ['add', '.'], ['commit', '-qm', 'all']) {
		my ($status, undef, $err) = Berth::Cluster::capture({ dir => $dir, env => \%env },
		    'git', @$command);
		die "git @$command: $err" if $status != 0;
	}
}

# What the public registry has, for this cargo: its requirements can be resolved.
sub write_public_registry {
	for my $name (['serde', '1.0.0'], ['libc', '0.2.0']) {
		my ($crate, $version) = @$name;

		write_package({ name => $crate, version => $version, files => $lib,
		    dir => "vendor/$crate" });
		write_file("$work/vendor/$crate/.cargo-checksum.json",
		    JSON::PP->new->encode({ files => {}, package => sha256_hex($crate) }));
	}
	write_file("$work/.cargo/config.toml",
	    "[source.crates-io]\nreplace-with = \"here\"\n[source.here]\n"
	    . "directory = \"$work/vendor\"\n");
}

# ---- looking at them ----

sub cargo_ok {
	my ($name, $dir, @args) = @_;
	my ($status, $out, $err) = $t->cargo(@args, dir => $dir,
	    env => { CARGO_TARGET_DIR => "$work/target" });

	return is($status, 0, $name) || (diag("cargo @args\n$out$err"), 0)[1];
}

# The entries of a crate by their paths below its folder, and the size of the archive.
sub entries {
	my ($crate) = @_;
	my ($tar, $long, %entries);

	gunzip(\$crate, \$tar) or die "gunzip: $GunzipError\n";
	for (my $at = 0; (my $name = unpack('Z100', substr($tar, $at, 100))) ne '';) {
		my ($mode, $size, $type) = unpack('x100 a8 x16 a12 x20 a1', substr($tar, $at, 512));
		my ($bytes, $path) = (substr($tar, $at + 512, oct($size =~ s/\0.*//sr)), $long
		    // $name);

		undef $long;
		if ($type eq 'L') {
			$long = unpack('Z*', $bytes);
		} else {
			$entries{ $path =~ s{^[^/]*/}{}r } = { mode => oct($mode =~ s/\0.*//sr),
			    bytes => $bytes };
		}
		$at += 512 + length($bytes) + (-length($bytes) % 512);
	}
	return (\%entries, length $tar);
}

# What berth-inspect says of the bytes.
sub inspect {
	my ($name, $crate, $folder) = @_;
	my ($status, $out, $err) = Berth::Cluster::capture({ stdin => $crate }, $t->build
	    . '/berth-inspect', '-f', $folder);
	my $verdict = eval { JSON::PP->new->utf8->decode($out) } // {};

	ok($status == 0 && $verdict->{accepted}, "$name: berth-inspect accepts it")
	    or diag($out, $err);
	return $verdict;
}

sub check_package {
	my ($package) = @_;
	my ($name, $version) = ($package->{name}, $package->{version} // '1.0.0');
	my $dir = write_package($package);

	$package->{prepare}->($dir) if $package->{prepare};
	cargo_ok("$name: cargo package", $dir, 'package', '--no-verify', '--allow-dirty') or return;
	my $crate = do { local (@ARGV, $/) = "$work/target/package/$name-$version.crate"; <> };
	my ($entries, $size) = entries($crate);
	my $verdict = inspect($name, $crate, "$name-$version");

	is_deeply([@$verdict{qw(entries unpacked_size)}], [scalar keys %$entries, $size],
	    "$name: and has read all of it");
	is_deeply([@{ $verdict->{package} }{qw(name vers)}], [$name, $version],
	    "$name: name and version");
	is(join(' ', grep { !$entries->{$_} } 'Cargo.toml', @{ $package->{has} // [] }), '',
	    "$name: what must be in it");
	is(join(' ', grep { $entries->{$_} } @{ $package->{lacks} // [] }), '',
	    "$name: what must not");
	$package->{look}->($entries, $verdict->{package}) if $package->{look};

	cargo_ok("$name: cargo publish", $dir, 'publish', '--no-verify', '--allow-dirty',
	    '--registry', 'priv') or return;
	my $res = $p->get("/$name/$version/download");
	ok($res->{status} == 200 && $res->{body} eq $crate, "$name: the same bytes come back");
	my ($line) = $p->index_lines($name);
	like(delete $line->{pubtime}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, "$name: pubtime");
	is_deeply($line, { name => $name, vers => $version, deps => [], features => {},
	    cksum => sha256_hex($crate), yanked => $false,
		%{ $package->{line} // {} } }, "$name: its line is what the manifest says")
		    or diag(explain($line));
}

write_public_registry();
check_package($_) for @packages;
$p->agrees('at the end');
is(scalar(grep { / status=5\d\d / } split(/\n/, $t->log('pool'))), 0, 'no server error');

done_testing();
