#!/usr/bin/perl
# Archives that a publish must refuse or take, through nginx and the pool: cases 47-87 of those that
# the registry was specified by.  What berth-inspect makes of each variant is in t/150-inspect.t.

use strict;
use warnings;

use Test::More;

use Berth::Archive;
use Berth::Publish;

use constant { MIB => 1 << 20, MAX_ENTRIES => 50 };

my $p = Berth::Publish->new(max_entries => MAX_ENTRIES);
my $t = $p->test;
# the only file in most crates here, which stands for the library as well
my $manifest = Berth::Crate::manifest('foo', '1.0.0') =~ s{src/lib\.rs}{Cargo.toml}r;

sub file {
	my ($path, $bytes, %opt) = @_;

	return Berth::Crate::entry("foo-1.0.0/$path", $bytes // '', %opt);
}

# The manifest, then these entries.
sub crate {
	return Berth::Archive::crate(file('Cargo.toml', $manifest), @_);
}

# Entries instead of the manifest.
sub bare {
	return Berth::Archive::crate(@_);
}

# One bit of the bytes is another.
sub flipped {
	my ($bytes, $at) = @_;

	substr($bytes, $at, 1) ^= "\1";
	return $bytes;
}

my $good = crate(file('src/lib.rs'));
my $tar = file('Cargo.toml', $manifest) . Berth::Archive::end();
my $malformed = qr/^uploaded tarball is malformed or too large when decompressed/;
my $unreadable = qr/^failed to parse `Cargo.toml` manifest file: /;
my $target = file('x', 'a' x 37);

$p->taken('before all', 'base', '1.0.0', Berth::Crate::make('base', '1.0.0'));
my $before = $p->settled;

# number, what, detail, crate
my @refused = (
	[47, 'another folder', qr{^invalid path found: bar-1\.0\.0/a},
	    crate(Berth::Crate::entry('bar-1.0.0/a', ''))],
	[47, 'another folder, all of it', qr{^invalid path found: bar-1\.0\.0/},
	    Berth::Crate::make('foo', '1.0.0', folder => 'bar-1.0.0')],
	[47, 'a longer name', qr{^invalid path found: foo-1\.0\.00/a},
	    crate(Berth::Crate::entry('foo-1.0.00/a', ''))],
	[47, 'no folder', qr{^invalid path found: a\b}, crate(Berth::Crate::entry('a', ''))],
	[49, '..', qr{^invalid path found: foo-1\.0\.0/\.\./x}, crate(file('../x'))],
	[49, '.. behind a folder', qr{^invalid path found: foo-1\.0\.0/a/\.\./\.\./x},
	    crate(file('a/../../x'))],
	[50, 'absolute', qr{^invalid path found: /etc/passwd},
	    crate(Berth::Crate::entry('/etc/passwd', ''))],
	# stricter than the public registry, which takes `./`
	[50, './', qr{^invalid path found: \./foo},
	    crate(Berth::Crate::entry('./foo-1.0.0/x', ''))],
	[52, 'a name that is not UTF-8', qr/^invalid path found: .*not UTF-8/,
	    crate(file("x\xff.rs"))],
	typed(53, 1, 'Link'), typed(54, 2, 'Symlink'), typed(55, 3, 'Char'), typed(56, 4, 'Block'),
	typed(57, 6, 'Fifo'), typed(58, 7, 'Continuous'), typed(59, 'S', 'GNUSparse'),
	    typed(60, 'Z', 'Other(90)'),
	[61, 'a directory with data', qr/^unexpected tar entry type Directory with data found/,
	    crate(file('bar', 'data', type => 5))],
	[61, 'a file with the name of a directory', qr/^invalid path found/,
	    crate(file('dir/', 'data'))],
	typed(62, 'V', 'Other(86)'), typed(62, 'M', 'Other(77)'), typed(62, 'N', 'Other(78)'),
	    typed(62, 'D', 'Other(68)'),
	typed(62, 'X', 'Other(88)'), typed(62, 'g', 'XGlobalHeader'), typed(62, 'K', 'GNULongLink'),
	(map { [68, "PAX key $_",
	    qr/^uploaded tarball is malformed: the PAX key `\Q$_\E` is not allowed/,
		crate(Berth::Archive::pax("$_=bar-9.9.9/evil"), $target)] }
	    qw(GNU.sparse.name GNU.sparse.major linkpath SCHILY.xattr.user.x hdrcharset unknown)),
	[68, 'PAX size that is not the header\'s',
	    qr/^uploaded tarball is malformed: PAX size 2048/,
		crate(Berth::Archive::pax('size=2048'), $target, file('swallowed'))],
	[68, 'PAX size that is not a number', qr/^uploaded tarball is malformed: .*`size`/,
	    crate(Berth::Archive::pax('size=abc'), $target)],
	[68, 'PAX path inside a comment', qr/^uploaded tarball is malformed: .*`comment`/,
	    crate(Berth::Archive::pax("comment=x\n29 path=foo-1.0.0/Cargo.toml"), $target)],
	[68, 'PAX path elsewhere', qr{^invalid path found: bar-1\.0\.0/x},
	    crate(Berth::Archive::pax('path=bar-1.0.0/x'), $target)],
	[68, 'two names for one entry', qr/two extension headers/,
	    crate(Berth::Archive::pax('path=foo-1.0.0/p'),
		Berth::Crate::entry('././@LongLink', "foo-1.0.0/l\0", type => 'L'), $target)],
	[71, 'a size beyond the end', $malformed, crate(file('x', 'abc', size => 4096))],
	[71, 'a block cut off', $malformed, Berth::Crate::compress(file('Cargo.toml', $manifest)
	    . substr(file('x', 'abc'), 0, 700))],
	[71, 'no end', $malformed, Berth::Crate::compress(file('Cargo.toml', $manifest))],
	[71, 'an entry behind the end', $malformed, crate(Berth::Archive::end(), file('hidden'))],
	[71, 'a wrong checksum', $malformed, crate(flipped(file('x', 'abc'), 0))],
	[73, 'one entry too many', qr/^uploaded tarball contains more than 50 entries; .*max_entries/,
	    crate(map { file("f$_") } 1 .. MAX_ENTRIES)],
	[74, 'no gzip', $malformed, $tar],
	[74, 'zstd', $malformed, "\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00"],
	[74, 'xz', $malformed, "\xfd7zXZ\0\0\4"],
	[74, 'bzip2', $malformed, 'BZh91AY&SY'],
	[74, 'gzip in gzip', $malformed, Berth::Crate::compress($good)],
	[74, 'two members', $malformed, $good . bare(file('second'))],
	[74, 'something behind it', $malformed, "${good}x"],
	[74, 'a wrong CRC', $malformed, flipped($good, -8)],
	[74, 'a wrong length', $malformed, flipped($good, -4)],
	[74, 'cut off', $malformed, substr($good, 0, -1)],
	[77, 'no manifest', qr/^uploaded tarball is missing a `Cargo\.toml` manifest file$/,
	    bare(file('src/lib.rs'))],
	[77, 'nothing at all', qr/^uploaded tarball is missing a `Cargo\.toml` manifest file$/,
	    bare()],
	[78, 'CARGO.TOML',
	    qr/^uploaded tarball is missing .*; `CARGO\.TOML` was found, but .* that exact casing$/,
		bare(file('CARGO.TOML', $manifest))],
	[79, 'two manifests',
	    qr/^uploaded tarball contains more than one .*; found `Cargo\.toml`, `cargo\.toml`$/,
		crate(file('cargo.toml', $manifest))],
	# stricter: the public registry takes the last one
	[79, 'another manifest of the same name', qr/^invalid path found: .*already has this path, with other bytes/,
	    crate(file('Cargo.toml', "$manifest\n"))],
	(map { [83, "mode $_", qr/^invalid path found: .*set-id or sticky/,
	    crate(file('x', '', mode => oct($_)))] } qw(04755 02755 01777)),
	[84, '.cargo-ok', qr{^invalid path found: foo-1\.0\.0/\.cargo-ok},
	    crate(file('.cargo-ok', '{"v":1}'))],
	[84, '.cargo-ok as a folder', qr{^invalid path found: foo-1\.0\.0/\.cargo-ok},
	    crate(file('.cargo-ok/x'))],
	[84, '.CARGO-OK', qr{^invalid path found: foo-1\.0\.0/\.CARGO-OK},
	    crate(file('.CARGO-OK'))],
	[86, 'over 1 MiB', $unreadable, bare(file('Cargo.toml', $manifest . '#' x MIB))],
	[86, 'not UTF-8', $unreadable, bare(file('Cargo.toml', "$manifest# \xff\n"))],
	[86, 'a byte order mark', $unreadable, bare(file('Cargo.toml', "\xef\xbb\xbf$manifest"))],
	[86, 'a NUL', $unreadable, bare(file('Cargo.toml', "$manifest# \0\n"))],
);

# What libraries and clients understand differently, and what no file
# system can hold
my @strict = (
	['a path twice, with other bytes', qr/^invalid path found: .*already/,
	    crate(file('x', 1), file('x', 2))],
	['paths that differ by case', qr/^invalid path found: .*already/,
	    crate(file('src/lib.rs'), file('SRC/Lib.rs'))],
	['a file that is a folder as well', qr/^invalid path found/, crate(file('x'), file('x/y'))],
	['a path of 1025 bytes', qr/longer than 1024|extension header/,
	    crate(file('a' x (1025 - length('foo-1.0.0/'))))],
	['a component that is `.`', qr/^invalid path found/, crate(file('./x'))],
	['an empty component', qr/^invalid path found/, crate(file('a//x'))],
	['a backslash', qr/^invalid path found/, crate(file('a\\x'))],
	['a control character', qr/^invalid path found: .*control/, crate(file("x\x1by"))],
	['a blank at the end', qr/^invalid path found/, crate(file('x '))],
	['a device of Windows', qr/^invalid path found/, crate(file('src/nul.rs'))],
	['a symlink, then a directory in its place', qr/^unexpected tar entry type Symlink/,
		crate(file('bar', '', type => 2, linkname => '/etc'), file('bar', '', type => 5))],
);

# An entry of this type, empty and with data.
sub typed {
	my ($number, $type, $name) = @_;

	return map { [$number, "type $type" . (length ? ' with data' : ''),
	    qr{^unexpected tar entry type \Q$name\E found: foo-1\.0\.0/bar},
		crate(file('bar', $_, type => $type, linkname => 'Cargo.toml'))] } '', 'data';
}

for my $case (@refused, map { ['2.1', @$_] } @strict) {
	my ($number, $what, $detail, $bytes) = @$case;

	$p->refused(($number eq '2.1' ? '' : 'case ') . "$number: $what",
	    $p->put_crate('foo', '1.0.0', $bytes), 400, $detail);
}

# ---- bombs: the workers neither wait for long nor grow ----

# The first match in a file of /proc, undef where the process is gone.
sub proc {
	my ($path, $pattern) = @_;

	open(my $fh, '<', "/proc/$path") or return undef;
	local $/;
	return (<$fh> // '') =~ $pattern ? $1 : undef;
}

sub peak_kb {
	return proc("$_[0]/status", qr/^VmHWM:\s+(\d+)/m) // 0;
}

my $pool = $t->pool_pid;
my @workers = grep { (proc("$_/stat", qr/^\d+ \(.*\) \S (\d+) /)
    // 0) == $pool } map { m{(\d+)$} } glob('/proc/[0-9]*');
cmp_ok(scalar @workers, '>=', 2, 'the workers are there');
my %peak = map { $_ => peak_kb($_) } @workers;
for my $case (['one large file', file('x', '', size => (8 << 30) - 512), 9000],
    ['zeros behind the end', Berth::Archive::end(), 9000],
	['many files', map { (file("f$_", '', size => 100 << 20), 100) } 1 .. 40]) {
	my ($what, @parts) = @$case;
	my $bomb = Berth::Archive::bomb(file('Cargo.toml', $manifest), @parts);

	cmp_ok(length($bomb), '<', 10 * MIB, 'a bomb that is small enough');
	$p->refused("case 75: $what", $p->put_crate('foo', '1.0.0', $bomb), 400, $malformed);
}
cmp_ok(peak_kb($_) - $peak{$_}, '<', 32 << 10, 'case 75: no worker grows by 32 MiB') for @workers;

is($p->settled, $before, 'all of these have left nothing');
$p->agrees('after all of these');

# ---- what must be taken ----

my $n = 0;
for my $case (
	[63, 'directories', sub { my $f = shift; Berth::Crate::entry("$f/", '', type => 5),
	    Berth::Crate::entry("$f/src", '', type => 5) }],
	[65, 'PAX path, size and times', sub { Berth::Archive::pax("path=$_[0]/b\xc3\xa4r",
	    'mtime=1.5', 'atime=1', 'ctime=1', 'size=3', 'uid=0'),
		Berth::Crate::entry("$_[0]/short", 'abc') }],
	[65, 'PAX comment and names', sub { Berth::Archive::pax('comment=hello', 'uname=root',
	    'gname=root', 'gid=0'), Berth::Crate::entry("$_[0]/x", '') }],
	[65, 'a long path', sub { Berth::Crate::entry("$_[0]/" . 'a' x 200, '') }],
	[73, 'as many entries as allowed', sub { my $f = shift; map { Berth::Crate::entry("$f/f$_",
	    '') } 1 .. MAX_ENTRIES - 1 }],
	[77, 'a file and the manifest twice, with the same bytes', sub { my ($f, $toml) = @_;
	    ($toml, (Berth::Crate::entry("$f/x", 'x')) x 2) }],
	[81, 'another manifest below', sub { Berth::Crate::entry("$_[0]/sub/Cargo.toml",
	    'not one') }],
	# old cargos packed the modes of the disk; whoever unpacks has a umask
	(map { my $mode = $_; [83, "mode $mode",
	    sub { Berth::Crate::entry("$_[0]/x", '', mode => oct($mode)) }] } qw(0755 0666 0777)),
	(map { my $text = $_; [87, ".cargo_vcs_info.json `$text`",
	    sub { Berth::Crate::entry("$_[0]/.cargo_vcs_info.json", $text) }] } '{}', '{', ''),
) {
	my ($number, $what, $entries) = @$case;
	my ($name, $version) = ('good', '1.0.' . $n++);
	my $toml = Berth::Crate::entry("$name-$version/Cargo.toml",
	    Berth::Crate::manifest($name, $version) =~ s{src/lib\.rs}{Cargo.toml}r);

	$p->taken("case $number: $what", $name, $version,
	    bare($toml, $entries->("$name-$version", $toml)));
}
is(scalar $p->index_lines('good'), $n, 'all of them are in the index');

# Pool and inspector with an OpenSSL that has only what FIPS allows.  The inspector gets no environment, so a
# script gives it the configuration; the plain one has a sandbox, besides.
subtest 'OpenSSL is confined to FIPS' => sub {
	my ($conf, $script) = map { $t->dir . "/$_" } qw(openssl.cnf inspect);
	my $x = sub { Berth::Crate::entry("twice-$_[0]/x", $_[1]) };

	Berth::Test::write_file($conf, "openssl_conf = start\n[start]\nproviders = list\n[list]\nonly = only\n"
	    . "[only]\nmodule = $Berth::Cluster::ROOT/build/confined.so\nactivate = 1\n");
	Berth::Test::write_file($script, '');
	chmod(0755, $script);
	like(($t->berth({ env => { OPENSSL_CONF => $conf } }, 'check'))[1], qr/^keys +critical .* has no MD5/m,
	    'the keys of tokens cannot be used, so the pool looks all tokens up');
	$t->conf(inspector => $script);
	my %build = ('1.0.0' => "$Berth::Cluster::ROOT/build", '2.0.0' => $t->build);
	for my $version (sort keys %build) {
		my $toml = Berth::Crate::entry("twice-$version/Cargo.toml",
		    Berth::Crate::manifest('twice', $version) =~ s{src/lib\.rs}{Cargo.toml}r);

		Berth::Test::write_file($script,
		    "#!/bin/sh\nOPENSSL_CONF=$conf exec $build{$version}/berth-inspect \"\$@\"\n");
		$t->stop_pool;
		{
			local $ENV{OPENSSL_CONF} = $conf;
			$t->start_pool;
		}
		like(($p->put_crate('twice', $version, bare($toml, $x->($version, 1), $x->($version, 2))))->{body},
		    qr/already has this path, with other bytes/, "$version: a file twice, with other bytes");
		$p->taken("$version: a file twice, with the same bytes", 'twice', $version,
		    bare($toml, ($x->($version, 1)) x 2));
	}
	$t->stop_pool;
	$t->conf(inspector => $t->build . '/berth-inspect');
	$t->start_pool;
};
$p->agrees('at the end');

$p->covers(47, 49, 50, 52 .. 63, 65, 68, 71, 73 .. 75, 77 .. 79, 81, 83, 84, 86, 87);
done_testing();
