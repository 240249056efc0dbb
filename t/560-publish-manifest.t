#!/usr/bin/perl
# What a manifest may say, through nginx and the pool: manifest 88-98, metadata 99-106, dependencies
# and features 107-117 of the cases that the registry was specified by, and 28: the metadata that a
# client sends beside the crate agrees with the manifest in it.

use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use JSON::PP ();
use Test::More;

use Berth::Archive;
use Berth::Publish;

use constant MIB => 1 << 20;
use constant PUBLIC => 'https://github.com/rust-lang/crates.io-index';

# the names of tests are text
binmode(Test::More->builder->$_, ':encoding(UTF-8)') for qw(output failure_output todo_output);

my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my $peer = 'sparse+https://peer.example/index/';
my $p = Berth::Publish->new(allowed_registries => PUBLIC . " $peer");
my $t = $p->test;
my $own = 'sparse+' . $t->url . $p->root . '/';
my $own_by_path = 'sparse+' . $t->url . $t->registry('demo%2Fregistry') . '/';
my $neighbour = 'sparse+' . $t->url . $t->registry(4711) . '/';

# ---- helpers ----

# A crate whose manifest is this, and some files besides.
sub crate {
	my ($manifest, $name, $version, %files) = @_;

	return Berth::Crate::make($name // 'foo', $version // '1.0.0',
	    manifest => encode_utf8($manifest),
	    files => \%files);
}

# The manifest: lines of [package], then tables.
sub manifest {
	my ($package, $tables, $name, $version) = @_;

	return sprintf(qq([package]\nname = "%s"\nversion = "%s"\n%s%s), $name // 'foo', $version
	    // '1.0.0',
	    $package // '', $tables // '');
}

# A dependency of the metadata, as cargo sends it.
sub dep {
	my ($name, $req, %over) = @_;

	return { name => $name, version_req => $req, features => [], optional => $false,
	    default_features => $true,
		target => undef, kind => 'normal', registry => undef, %over };
}

# The same in the index.
sub line_dep {
	my ($name, $req, %over) = @_;

	return { name => $name, req => $req, features => [], optional => $false,
	    default_features => $true,
		target => undef, kind => 'normal', registry => undef, %over };
}

# [dependencies] with one of them, in the registry itself.
sub depends {
	my ($key, $more) = @_;

	return qq([dependencies."$key"]\nversion = "1"\nregistry-index = "$own"\n) . ($more // '');
}

sub features {
	return "[features]\n$_[0]\n";
}

# A crate of this manifest is refused; %over is metadata that agrees, where it must be looked at.
sub refused {
	my ($name, $detail, $manifest, %over) = @_;

	$p->refused($name, $p->put_crate('foo', '1.0.0', crate($manifest), %over), 400, $detail);
}

my $taken = 0;

# A crate of a manifest made of these parts is taken; returns its line of the index.
sub taken {
	my ($name, $package, $tables, %over) = @_;
	my ($crate, $version) = ('good', '1.0.' . $taken++);
	my $files = delete $over{files} // {};

	return $p->taken($name, $crate, $version,
	    crate(manifest($package, $tables, $crate, $version), $crate,
		$version, %$files), %over);
}

$p->taken('before all', $_, '1.0.0', Berth::Crate::make($_, '1.0.0')) for qw(base other_base);
my $before = $p->settled;
my $fail = qr/^failed to parse `Cargo\.toml` manifest file: /;

# ---- 88-98: the manifest ----

refused('case 88: empty', qr/${fail}missing field `package`/, '');
refused('case 88: not TOML', qr/${fail}line 1, column \d+: /, 'hello');
refused('case 89: no name', qr/${fail}missing field `name`/, qq([package]\nversion = "1.0.0"\n));
refused('case 90: no version', qr/${fail}missing field `version`/, qq([package]\nname = "foo"\n));
# the folder is compared first, since cargo could not unpack such a crate: both names are said
refused('case 91: another name', qr/foo-1\.0\.0.*`bar-1\.0\.0`/, manifest('', '', 'bar'));
refused('case 92: another version', qr/foo-1\.0\.0.*`foo-2\.0\.0`/,
    manifest('', '', 'foo', '2.0.0'));
for my $case (
	['version', qq([package]\nname = "foo"\nversion.workspace = true\n)],
	['a field', manifest("edition.workspace = true\n")],
	['a list', manifest("keywords = { workspace = true }\n")],
	['a dependency', manifest('', "[dependencies]\nbase.workspace = true\n")],
	['a dependency of a target', manifest('',
	    "[target.'cfg(unix)'.build-dependencies]\nbase = { workspace = true }\n")],
	['lints', manifest('', "[lints]\nworkspace = true\n")],
) {
	my ($what, $toml) = @$case;

	refused("case 93: $what",
	    qr/${fail}line \d+, column \d+: value from workspace hasn't been set$/, $toml);
}
refused('case 94: [patch]', qr/${fail}crates cannot be published with `\[patch\]` tables$/,
    manifest('', "[patch.crates-io]\nbase = { path = \"../base\" }\n"));
refused('case 95: [workspace] alone', qr/${fail}missing field `package`/,
    "[workspace]\nmembers = []\n");
for my $value ('', '1.0.0-beta.2', '>=1.60', '1.', 'x', '1.2.3.4', '01.60') {
	refused("case 96: rust-version `$value`", qr/^invalid `rust-version` value `\Q$value\E`/,
	    manifest(qq(rust-version = "$value"\n)), rust_version => $value);
}
refused('case 97: readme is a number', qr/${fail}line 4, column \d+: `package\.readme` must be /,
    manifest("readme = 1\n"));
refused("case 98: edition $_", qr/${fail}unknown edition `\Q$_\E`/, manifest(qq(edition = "$_"\n)))
    for '2014', '2027', '';

# what cargo refuses at whoever depends on the crate
refused("a key: $_->[0]", qr/$fail.*$_->[1]/, manifest("$_->[0]\n")) for
    ['build = 5', qr/`package\.build` must be a string, a boolean or an array of strings/],
    ['resolver = "9"', qr/`resolver` setting `9` is not valid/],
    ['autobins = 1', qr/`package\.autobins` must be a boolean/];
$p->refused('no target', $p->put_crate('foo', '1.0.0',
    crate(manifest(), undef, undef, 'src/lib.rs' => undef)),
    400, qr/^the crate has no target; add src\/lib\.rs or src\/main\.rs/);
$p->refused('a library that is not in the crate', $p->put_crate('foo', '1.0.0',
    crate(manifest('', qq([lib]\npath = "src/other.rs"\n)))), 400,
    qr/^`Cargo\.toml` has a library, but its file `src\/other\.rs` is not in the crate/);

# ---- 102-106: metadata ----

refused('case 102: 1001 bytes', qr/^The `description` is too long: it has \d+ bytes, /,
    manifest('description = "' . 'd' x 1001 . qq("\n)));
refused('case 102: 1001 bytes in fewer characters', qr/^The `description` is too long: it has \d+ bytes, /,
    manifest('description = "' . 'é' x 500 . qq(d"\n)));
for my $field (qw(documentation homepage repository)) {
	refused("case 103: $field of 2001 bytes", qr/^`$field` has 2001 bytes, and at most 2000 are allowed$/,
	    manifest(qq($field = ") . 'h' x 2001 . qq("\n)));
	refused("case 103: $field with a control byte", qr/^`$field` has a control character$/,
	    manifest(qq($field = "https://example.org/\\t"\n)));
}
refused('case 104: 6 keywords',
    qr/^expected at most 5 keywords per crate, but this one has 6; .*max_keywords/,
    manifest(qq(keywords = ["a", "b", "c", "d", "e", "f"]\n)));
refused('case 104: 21 bytes', qr/^"k+" is an invalid keyword: it has 21 bytes, /,
    manifest('keywords = ["' . 'k' x 21 . qq("]\n)));
refused("case 104: $_", qr/^"\Q$_\E" is an invalid keyword: a keyword begins with /,
    manifest(qq(keywords = ["$_"]\n)))
    for '?@?%', 'áccênts', '', '-a', 'a b';
refused('case 105: 6 categories',
    qr/^expected at most 5 categories per crate, but this one has 6; .*max_categories/,
    manifest(qq(categories = ["a", "b", "c", "d", "e", "f"]\n)));

# ---- 107-114: dependencies and features ----

refused("case 107: dependency $_->[0]", $_->[1], manifest('', depends($_->[0]))) for
    ['🦀', qr/^invalid character `🦀` in dependency name: `🦀`, the first character must be/],
    ['1-foo', qr/^the name `1-foo` cannot be used as a dependency name, .* start with a digit$/],
    ['foo🦀', qr/^invalid character `🦀` in dependency name: `foo🦀`, characters must be/],
    ['_foo', qr/the first character must be an ASCII letter$/],
    ['d' x 65, qr/ is too long: it has 65 characters, and at most 64 are allowed$/],
    ['', qr/^dependency name cannot be empty$/];
refused("case 107: renamed $_->[0]", $_->[1], manifest('',
    depends($_->[0], qq(package = "base"\n)))) for
    ['💩', qr/^invalid character `💩` in dependency name: `💩`, the first .* letter, or `_`$/],
    ['1-foo', qr/cannot start with a digit$/],
    ['foo-🦀-bar', qr/^invalid character `🦀` in dependency name: `foo-🦀-bar`, characters must be/],
    ['d' x 65, qr/ is too long: it has 65 characters, and at most 64 are allowed$/],
    ['', qr/^dependency name cannot be empty$/];
refused('case 107: a package that is no name', qr/in dependency name: `a\/b`/,
    manifest('', depends('ok', qq(package = "a/b"\n))));
for my $case (['broken',
    qr/^dependency `base`: "broken" is an invalid version requirement: the major number is not a number$/],
    ['', qr/^dependency `base`: "" is an invalid version requirement: the major number is missing$/],
	['1.0.0.0', qr/is an invalid version requirement: expected a comma .* instead of `\.`$/],
	    ['*', qr/^wildcard \(`\*`\) dependency constraints are not allowed\..*`base`$/]) {
	my ($req, $detail) = @$case;

	refused("case 108: $req", $detail, manifest('',
	    qq([dependencies]\nbase = { version = "$req", registry-index = "$own" }\n)));
}
refused('case 108: none', qr/^wildcard/, manifest('',
    qq([dependencies]\nbase = { registry-index = "$own" }\n)));
# case 109: in the same registry by its exact name
for my $name (qw(nowhere Base other-base)) {
	refused("case 109: $name", qr/^no known crate named `\Q$name\E` in .*"registry": "\Q${\ PUBLIC}\E"/,
	    manifest('', depends($name)), deps => [dep($name, '^1')]);
}
refused('case 109: not allowed',
    qr/is hosted on the registry `sparse\+https:\/\/evil\.example\/`, which .* allowed_registries /,
    manifest('',
    qq([dependencies]\nbase = { version = "1", registry-index = "sparse+https://evil.example/" }\n)));
# cargo would take it for a git repository, and send the token there
refused('case 109: its own address without sparse+',
    qr/names this server, but no index/,
    manifest('', '[dependencies]' . qq(\nbase = { version = "1", registry-index = ")
    . substr($own, 7) . qq(" }\n)));
refused("case 109: address `$_`", qr/is not the URL of a registry's index$/,
    manifest('', qq([dependencies]\nbase = { version = "1", registry-index = "$_" }\n)))
    for 'sparse+https://peer.example/index', 'x', '/';
# spellings that nobody serves; of a project that the caller may not read nothing is said either
$t->project($_) for 'demo/other', 'secret/hidden';
for my $case ((map { [$_, qr/names this server, but no index; .*`\Qsparse+${\ $t->url}\E/] }
    '01', '0', '', 'demo/registry', 'demo', 'demo%252Fregistry', '99999999999999999999'),
    (map { [$_, qr/`base`: there is no project `\Q${\ s{%2F}{\/}ir}\E` here that you may read/] }
    'demo%2Fnever', 'secret%2Fhidden', 'Secret%2fHidden')) {
	my ($id, $detail) = @$case;
	my $url = 'sparse+' . $t->url . "/api/v4/projects/$id/packages/cargo/";

	refused("case 109: project `$id`", $detail, manifest('',
	    qq([dependencies]\nbase = { version = "1", registry-index = "$url" }\n)),
	    deps => [dep('base', '^1', registry => $url)]);
}
for my $case ([16, qr/there is no project `demo\/p1` here that you may read/],
    [17, qr/name more than 16 projects of this server by path; use their ids$/]) {
	my ($n, $detail) = @$case;

	refused("case 109: $n projects by path", $detail, manifest(''), deps => [map { dep('base', '^1',
	    registry => 'sparse+' . $t->url . "/api/v4/projects/demo%2Fp$_/packages/cargo/") } 1 .. $n]);
}
refused('case 109: nothing where the manifest has the public one',
    qr/^dependency `base`: the metadata names no registry.*send "registry": "\Q${\ PUBLIC}\E"/,
    manifest('', qq([dependencies]\nbase = "1"\n)), deps => [dep('base', '^1')]);
refused('case 109: by the name of somebody\'s configuration',
    qr/`dependencies\.base(?:\.registry)?`? is a name on the machine|registry-index/,
    manifest('', qq([dependencies]\nbase = { version = "1", registry = "mine" }\n)));

sub many {
	my ($n, $line) = @_;

	return join("\n", map { sprintf($line, $_) } 1 .. $n) . "\n";
}
refused('case 111: 501 dependencies',
    qr/at most 500 dependencies, but this one declares 501; .*max_dependencies for the project$/,
    manifest('', "[dependencies]\n" . many(501, 'd%d = "1"')));
refused('case 111: of all kinds together',
    qr/at most 500 dependencies, but this one declares 501; .*max_dependencies for the project$/,
    manifest('', "[dependencies]\n" . many(200, 'd%d = "1"') . "[dev-dependencies]\n"
    . many(200, 'd%d = "1"')
	. "[target.'cfg(unix)'.dependencies]\n" . many(101, 'd%d = "1"')));
for my $case (['""', qr/^feature cannot be empty$/],
    ['"~foo"', qr/^invalid character `~` in feature `~foo`, the first character must be/],
	['"-foo"', qr/^invalid character `-` in feature `-foo`, the first/],
	    ['"foo bar"', qr/^invalid character ` ` in feature `foo bar`, characters/]) {
	my ($key, $detail) = @$case;

	refused("case 113: $key", $detail, manifest('', features("$key = []")));
}
refused('case 113: value !bar', qr/^invalid character `!` in feature `!bar`/,
    manifest('', features('a = ["!bar"]')));
refused("case 113: value $_->[0]", $_->[1], manifest('', features(qq(a = ["$_->[0]"]))
    . depends('base'))) for
    ['', qr/^feature cannot be empty$/], ['base/', qr/^feature cannot be empty$/],
    ['nothing', qr/neither a dependency nor another feature$/],
    ['dep:nothing', qr/is not a dependency$/], ['dep:base', qr/is not an optional dependency$/],
    ['base?/x', qr/is not an optional dependency$/],
    ['nothing/x', qr/is not a dependency$/], ['dep:base/x', qr/has both `dep:` and `\/`$/],
    ['xdep:base', qr/^invalid character `:`/];
refused('case 113: a feature that includes itself', qr/^feature `x` includes itself$/,
    manifest('', features('x = ["x"]')));
refused('case 114: 5001 features',
    qr/at most 5000 features, but this one declares 5001; .*max_features for the project$/,
    manifest('', features(many(5001, 'f%d = []'))));
refused('case 114: 5001 values', qr/^a feature can enable at most 5000 .*`all` enables 5001; .*max_features/,
    manifest('', features("x = []\nall = [" . '"x",' x 5001 . ']')));
refused("case 117: links `$_`", qr/^invalid `links` value/, manifest(qq(links = "$_"\n)),
    links => $_) for '', 'a b', 'l' x 129;

# ---- 28: metadata and manifest say different things ----

my $with = manifest(qq(links = "native"\nrust-version = "1.70"\n), features('a = []')
    . depends('base'));
my %same = (links => 'native', rust_version => '1.70', features => { a => [] },
    deps => [dep('base', '^1')]);
for my $case (
	['no dependency', qr/the manifest has the dependency `base`/, deps => []],
	['one more dependency', qr/the metadata has the dependency `other_base`/,
	    deps => [dep('base', '^1'), dep('other_base', '^1')]],
	['requirement', qr/metadata requirement `\^2` does not match manifest requirement `\^1`/,
	    deps => [dep('base', '^2')]],
	['kind', qr/metadata kind `dev`/, deps => [dep('base', '^1', kind => 'dev')]],
	['optional', qr/metadata optional `true`/, deps => [dep('base', '^1', optional => $true)]],
	['default-features', qr/metadata default-features `false`/,
	    deps => [dep('base', '^1', default_features => $false)]],
	['target', qr/metadata target `cfg\(unix\)`/,
	    deps => [dep('base', '^1', target => 'cfg(unix)')]],
	['registry', qr/metadata registry `\Q$peer\E`/,
	    deps => [dep('base', '^1', registry => $peer)]],
	['features of a dependency', qr/metadata feature `x`/,
	    deps => [dep('base', '^1', features => ['x'])]],
	['package', qr/metadata package `other_base`/,
	    deps => [dep('other_base', '^1', explicit_name_in_toml => 'base')]],
	['no feature', qr/the manifest has the feature `a`/, features => {}],
	['one more feature', qr/the metadata has the feature `b`/,
	    features => { a => [], b => [] }],
	['values', qr/feature `a`: metadata value `base\/x`/, features => { a => ['base/x'] }],
	['links', qr/metadata links `\(none\)` does not match manifest links `native`/,
	    links => undef],
	['rust_version', qr/metadata rust_version `1\.71`/, rust_version => '1.71'],
) {
	my ($what, $detail, %over) = @$case;

	refused("case 28: $what", $detail, $with, %same, %over);
}

is($p->settled, $before, 'all of these have left nothing');
$p->agrees('after all of these');

# ---- what must be taken ----

is(taken('case 28: they agree', qq(links = "native"\nrust-version = "1.70"\n), features('a = []')
    . depends('base'), %same)->{line}{links},
    'native', 'case 117: links in the index');
my $plain = taken('case 99: neither description nor licence', '', '');
ok(!exists $plain->{line}{links}, 'case 117: no links, no member');
# What the public registry refuses is a warning here unless configured otherwise
is(scalar @{ $plain->{warnings} }, 2, 'case 99: two warnings');
like("@{ $plain->{warnings} }", qr/description.*license/s, 'case 99: which cargo prints');
my $about = qq(description = "d"\n);
is_deeply(taken('case 100: license-file alone', $about . qq(license-file = "LICENSE"\n), '',
    license_file => 'LICENSE')->{warnings}, [],
    'case 100: is no reason to warn');
is_deeply(taken('case 101: a licence', $about . qq(license = "MIT OR Apache-2.0"\n), '')->{warnings}, [],
    'case 101: SPDX knows it');
is_deeply(taken('case 101: our own licence', $about . qq(license = "Proprietary"\n), '')->{warnings},
    ['`license` is not an SPDX expression: `Proprietary`; see https://spdx.org/licenses'],
    'case 101: SPDX does not, and that is a warning');
# what people write where they have no web page
my @addresses = ('ssh://git@example.org/x.git', 'git@example.org:group/x.git', 'git://example.org/x',
    '../x', 'example.org', 'ftp://example.org/', 'https://', 'https:/x', 'https://a b/');
for my $field (qw(documentation homepage repository)) {
	is_deeply(taken("case 103: $field $_", qq($about$field = "$_"\nlicense = "MIT"\n), '')->{warnings},
	    ["`$field` is not a web address, so nothing links to it: `$_`"], "case 103: $field $_: a warning")
	    for $field eq 'repository' ? @addresses : $addresses[1];
}
taken('case 102: 1000 bytes', 'description = "' . 'd' x 1000 . qq("\n), '',
    description => 'd' x 1000);
taken('case 103: addresses',
    qq(documentation = "https://example.org/d?x#y^2|{z}"\nhomepage = "http://example.org"\n)
	. qq(repository = "https://git\@example.org:8443/x.git"\n), '');
taken('case 104: keywords', 'keywords = ["c++", "1password", "crates-io_index", "' . 'k' x 20
    . qq(", "a"]\n), '');
# A private registry has no list of categories
taken('case 105: categories that nobody knows',
    qq(categories = ["bar", "our-own", "c", "d", "e"]\n), '');
is(taken('case 96: rust-version', qq(rust-version = "1.69"\n), '',
    rust_version => '1.69')->{line}{rust_version}, '1.69',
    'case 96: in the index');
ok(!exists taken("case 97: readme = $_", "readme = $_\n", '')->{line}{readme},
    'case 97: is not in the index') for 'true', 'false', '"x"';
taken("case 98: edition $_", qq(edition = "$_"\n), '') for qw(2015 2018 2021 2024);
for my $case (['1 MiB', 'r' x MIB, MIB], ['one byte more', 'r' x (MIB + 1), ''], ['empty', '', 0],
    ['not UTF-8', "\xff", ''], ['not there', undef, '']) {
	my ($what, $text, $length) = @$case;

	taken("case 106: readme $what", qq(readme = "README.md"\n), '',
	    files => { 'README.md' => $text });
	is($t->psql('SELECT octet_length(readme) FROM versions ORDER BY id DESC LIMIT 1'), $length,
	    "case 106: readme $what: is kept or not");
}

is_deeply(taken('case 107: renamed to _x', '', depends('_x', qq(package = "base"\n)),
	deps => [dep('base', '^1', explicit_name_in_toml => '_x')])->{line}{deps},
	    [line_dep('_x', '^1', package => 'base')], 'case 107: its line');
for my $case (['1.*', '1.*'], ['>= 1, <2', '>=1, <2'], ['=1.0.0-rc.1', '=1.0.0-rc.1'],
    ['1.0.0+meta', '^1.0.0'], ['~1', '~1']) {
	my ($req, $canonical) = @$case;

	is(taken("case 108: $req", '',
	    qq([dependencies]\nbase = { version = "$req", registry-index = "$own" }\n),
		deps => [dep('base', $canonical)])->{line}{deps}[0]{req}, $canonical,
		    "case 108: $req in the index");
}
# every spelling of one registry is one in the index: [name, in the manifest, in the index, in the metadata]
my $other = 'sparse+' . $t->url
    . $t->registry($t->psql("SELECT id FROM projects WHERE full_path = 'demo/other'")) . '/';
my ($host) = $t->url =~ m{//([^:/]+)};
my $project = sub { $_[0] =~ s{projects/[^/]+}{projects/$_[1]}r };
my $sparse = 'sparse+https://index.crates.io/';
for my $case (['0.*', '^0', '0.*'], ['^0.*', '0.*', '^0'], ['~1.2', '1.2.*', '~1.2'],
    ['>=1, <2', '<2.0, >=1.0', '>=1, <2']) {
	my ($req, $said, $canonical) = @$case;

	is(taken("case 108: $req, and $said in the metadata", '',
	    qq([dependencies]\nbase = { version = "$req", registry-index = "$own" }\n),
		deps => [dep('base', $said)])->{line}{deps}[0]{req}, $canonical,
		    "case 108: $req in the index is that of the manifest");
}
for my $case (['itself', $own, undef], ['itself by path', $own_by_path, undef, $own],
    (map { ["itself, $_", $project->($own, $_), undef, $own_by_path] }
	qw(demo%2fregistry Demo%2FREGISTRY %64emo%2Fregistr%79)),
    ['itself, host in upper case', $own =~ s/\Q$host\E/uc($host)/er, undef, $own],
    ['itself, with a user', $own =~ s{//}{//me@}r, undef, $own],
    ['itself, scheme in upper case', $own =~ s{^[^:]+}{uc($&)}er, undef, $own],
    ['a neighbour', $neighbour, $neighbour],
    (map { ["another project, $_", $project->($own, $_), $other, $other] }
	qw(demo%2Fother demo%2fother DEMO%2FOther d%65mo%2Fother)),
    (map { ["the public one, $_", $_, PUBLIC, undef],
    ["the public one, $_, as cargo says", $_, PUBLIC, PUBLIC] }
	map({ (PUBLIC . $_) } '', '/', '.git', '.git/'), $sparse, 'sparse+https://index.crates.io:443/'),
    ['the public one in two spellings', PUBLIC . '.git', PUBLIC, $sparse],
	['another one', $peer, $peer], ['the public one, which needs no words', undef, PUBLIC, $sparse]) {
	my ($what, $url, $registry, $said) = @$case;
	my $index = defined $url ? qq(, registry-index = "$url") : '';

	# a crate of another registry need not be in this one
	my $name = defined $registry ? 'elsewhere' : 'base';
	is_deeply(taken("case 109: $what", '',
	    qq([dependencies]\n$name = { version = "1"$index }\n),
		deps => [dep($name, '^1', registry => $said // $url // $registry)])->{line}{deps},
		    [line_dep($name, '^1', registry => $registry)],
	    "case 109: $what: its line");
}
is(scalar @{ taken('case 111: 500 dependencies', '', "[dependencies]\n" . many(500, 'd%d = "1"'),
	deps => [map { dep("d$_", '^1', registry => PUBLIC) } 1 .. 500])->{line}{deps} }, 500,
	    'case 111: all are in the line');
my $again = qq(= { version = "1", registry-index = "$own" }\n);
is_deeply([map { [$_->{kind}, $_->{target}] } @{ taken('case 112: one crate in every place', '',
	"[build-dependencies]\nbase $again\[dev-dependencies]\nbase $again"
	. "[dependencies]\nbase $again"
	. "[target.'cfg(unix)'.dependencies]\nbase $again",
	deps => [dep('base', '^1', kind => 'build'), dep('base', '^1', kind => 'dev'),
	    dep('base', '^1'), dep('base', '^1', target => 'cfg(unix)')])
	->{line}{deps} }], [['normal', undef], ['normal', 'cfg(unix)'], ['build', undef],
	    ['dev', undef]], 'case 112: normal first');
my %names = map { $_ => [] } 'foo.bar', '0foo', '_foo', 'foo.你好世界', 'a+b-c';
is_deeply(taken('case 113: names', '', features(join("\n", map { qq("$_" = []) } sort keys %names)),
    features => \%names)->{line}{features},
    \%names, 'case 113: in the line');
is_deeply(taken('case 113: values', '', features('a = ["dep:base", "base?/x", "b"]' . "\n"
    . 'b = ["base/y"]' . "\n" . 'c = []')
	. depends('base', "optional = true\n"),
	    features => { a => ['dep:base', 'base?/x', 'b'], b => ['base/y'], c => [] },
	deps => [dep('base', '^1', optional => $true)])->{line}{features2},
	    { a => ['dep:base', 'base?/x', 'b'] }, 'case 113: the new syntax');
# as the nightly of cargo 1.101 writes and sends them
my $nightly = taken('features as tables, builtin dependencies, times without seconds', '',
    qq([package.metadata]\nat = 07:32\n[features]\na = { enables = ["dep:std"], doc = "d" }\n)
	. "[dependencies]\nstd = { builtin = true, optional = true }\ncore = { builtin = true }\n",
    features => { a => ['dep:std'] }, builtin_deps => [
	{ name => 'std', optional => $true, features => [], default_features => $true, target => undef,
		kind => 'normal' }, { name => 'core' }])->{line};
is_deeply([@$nightly{qw(deps features2 v)}], [[], { a => ['dep:std'] }, 2], 'its features in the line');
is_deeply($nightly->{builtin_deps}, [map { { name => $_, features => [], target => undef, kind => 'normal',
	optional => $_ eq 'std' ? $true : $false, default_features => $true } } 'core', 'std'],
    'and what is builtin');
ok(!exists $plain->{line}{builtin_deps}, 'no builtin dependencies, no member');
# with -Zbindeps (RFC 3028): a line without these is read as an ordinary dependency
my @built = (artifact => ['bin:x', 'cdylib'], bindep_target => 'x86_64-unknown-none', lib => $true);
my $built = taken('the artifacts of a dependency', '', depends('base',
	qq(artifact = ["bin:x", "cdylib"]\ntarget = "x86_64-unknown-none"\nlib = true\n)),
    deps => [dep('base', '^1', @built)])->{line};
is_deeply([@$built{qw(deps v)}], [[line_dep('base', '^1', @built)], 3],
    'are in the line, which tells other versions of cargo to leave it');
refused('artifacts that the metadata lacks',
    qr/^dependency `base`: metadata artifact `\(none\)` does not match manifest artifact `bin`$/,
    manifest('', depends('base', qq(artifact = "bin"\n))), deps => [dep('base', '^1')]);
refused('an artifact that cargo does not know',
    qr/^dependency `base`: `exe` is not an artifact; write `bin`, /,
    manifest('', depends('base', qq(artifact = "exe"\n))), deps => [dep('base', '^1', artifact => ['exe'])]);
my %most = map { ("f$_" => []) } 1 .. 299;
taken('case 114: 300 features with 300 values', '',
    features(many(299, 'f%d = []') . 'all = [' . '"f1",' x 300 . ']'),
    features => { %most, all => [('f1') x 300] });
$p->agrees('at the end');

$p->covers(28, 88 .. 109, 111 .. 114, 117);
done_testing();
