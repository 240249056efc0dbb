#!/usr/bin/perl

# berth-inspect: each hostile archive that is known to have fooled a registry
# or a client is refused, sound crates pass, and neither memory, time nor
# rights are there for a crate to take.

use strict;
use warnings;

use Cwd qw(abs_path);
use Fcntl qw(F_SETFD);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Handle;
use JSON::PP qw(decode_json);
use POSIX qw(:sys_wait_h);
use Socket qw(AF_UNIX SOCK_SEQPACKET);
use Test::More;
use Time::HiRes qw(sleep time);

use lib dirname(abs_path(__FILE__)) . '/lib';
use Berth::Archive;
use Berth::Crate;
use Berth::File qw(slurp);
use Berth::Test;

use constant MIB => 1 << 20;
use constant DEADLINE => 60;

chdir(abs_path(dirname(__FILE__)) . '/..') or die "chdir: $!\n";
my $build = $ENV{BERTH_BUILD} // 'build';
our $program = "$build/berth-inspect";
# What a build with sanitizers must do without is looked at in the plain one.
my $plain = -x 'build/berth-inspect' ? 'build/berth-inspect' : undef;
my $dir = tempdir(CLEANUP => 1);

my $folder = 'foo-1.0.0';
# the only file in most crates here, which stands for the library as well
my $manifest = Berth::Crate::manifest('foo', '1.0.0') =~ s{src/lib\.rs}{Cargo.toml}r;
my $toml = file('Cargo.toml', $manifest);

accepted('an ordinary crate', $toml, file('src/lib.rs', '//'));
verdict_of_an_ordinary_crate();
accepted_variants();
refused_containers();
refused_types();
refused_headers();
refused_pax();
refused_paths();
refused_manifests();
limits();
usage();
index_lines();
bombs();
subtest 'memory' => \&memory;
subtest 'sandbox' => \&sandbox;
subtest 'libraries' => \&libraries;
subtest 'crates of the real cargo' => \&real_cargo;

done_testing();

# ---- helpers ----

# An entry below the folder.
sub file {
	my ($path, $bytes, %opt) = @_;

	return Berth::Crate::entry("$folder/$path", $bytes // '', %opt);
}

sub manifest_with_readme {
	return $manifest =~ s/^license/readme = "README.md"\nlicense/mr;
}

sub save {
	my ($bytes) = @_;
	my $path = "$dir/input.crate";

	open(my $fh, '>:raw', $path) or die "$path: $!\n";
	print {$fh} $bytes or die "$path: $!\n";
	close($fh) or die "$path: $!\n";
	return $path;
}

# Runs the inspector: exit status, verdict (undef: none), standard error.
sub inspect {
	my ($bytes, @options) = @_;
	my $in = save($bytes);
	my $pid = fork // die "fork: $!\n";

	if ($pid == 0) {
		open(STDIN, '<', $in) or die "$in: $!\n";
		open(STDOUT, '>', "$dir/out") or die "$dir/out: $!\n";
		open(STDERR, '>', "$dir/err") or die "$dir/err: $!\n";
		exec { $program } $program, @options or POSIX::_exit(127);
	}
	waitpid($pid, 0);
	my $status = $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
	my ($out, $err) = map { slurp("$dir/$_") } qw(out err);
	my $verdict = $out =~ /\A\{.*\}\n\z/ ? eval { decode_json($out) } : undef;
	return ($status, $verdict, $out, $err);
}

# A path of so many bytes, in folders of 200.
sub nested {
	my ($n) = @_;

	return substr(('a' x 199 . '/') x ($n / 200 + 1), 0, $n);
}

sub accepted_bytes {
	my ($name, $bytes, @options) = @_;
	my ($status, $verdict, undef, $err) = inspect($bytes, @options);

	ok($status eq '0' && $verdict && $verdict->{accepted}, "accepted: $name")
	    or diag("status $status, ", $verdict ? $verdict->{error} // '' : 'no verdict', " $err");
	return $verdict // {};
}

sub accepted {
	my ($name, @entries) = @_;

	return accepted_bytes($name, Berth::Archive::crate(@entries));
}

sub refused_bytes {
	my ($name, $why, $bytes, @options) = @_;
	my ($status, $verdict, undef, $err) = inspect($bytes, @options);
	my $error = $verdict ? $verdict->{error} // '' : 'no verdict';

	ok($status eq '1' && $verdict && !$verdict->{accepted} && $verdict->{status} == 400
	    && $error =~ $why && !exists $verdict->{package}, "refused: $name")
	    or diag("status $status, $error $err");
}

sub refused {
	my ($name, $why, @entries) = @_;

	refused_bytes($name, $why, Berth::Archive::crate(@entries));
}

# ---- sound crates ----

sub verdict_of_an_ordinary_crate {
	my $v = accepted('with a readme', file('Cargo.toml', manifest_with_readme()),
	    file('README.md', "# foo \xe2\x98\x83\n"), file('src/lib.rs'));

	is($v->{entries}, 3, 'entries');
	is($v->{unpacked_size}, 512 * (2 + 2 + 1 + 2), 'unpacked size');
	is($v->{package}{name}, 'foo', 'name');
	is($v->{package}{readme}, "# foo \x{2603}\n", 'the readme is text in UTF-8');
}

sub accepted_variants {
	accepted('directories', Berth::Crate::entry("$folder/", '', type => '5'), $toml,
	    file('src/', '', type => '5'), file('src/lib.rs'));
	accepted('a long path', $toml, file('a' x 200));
	accepted('a path of 1024 bytes', $toml, file(nested(1024 - length("$folder/"))));
	accepted('PAX path, time and the right size', $toml,
	    Berth::Archive::pax("path=$folder/b\xc3\xa4r", 'mtime=1.5', 'size=3'), file('x', 'abc'));
	accepted('a POSIX prefix', $toml,
	    Berth::Crate::entry('x', '', magic => "ustar\00000", prefix => $folder));
	accepted('a file twice, with the same bytes', $toml, file('x', 1), $toml, file('x', 1));
	accepted('a manifest in a folder', $toml, file('sub/Cargo.toml', 'not read'));
	accepted(".cargo_vcs_info.json $_", $toml, file('.cargo_vcs_info.json', $_)) for '{}', '{', '';
	accepted("mode $_", $toml, file('x', '', mode => oct($_))) for qw(0755 0666 0777 0600 0);
	accepted_bytes('zeros up to a tape record',
	    Berth::Crate::compress($toml . "\0" x 10240));
	accepted_bytes('the folder that is wanted', Berth::Archive::crate($toml), '-f', $folder);
}

# ---- gzip, and the end of the archive ----

sub refused_containers {
	my $tar = $toml . Berth::Archive::end();
	my $gzip = Berth::Crate::compress($tar);
	my $malformed = qr/^uploaded tarball is malformed or too large when decompressed: gzip/;
	my ($bad_crc, $bad_size) = ($gzip, $gzip);

	substr($bad_crc, -8, 1) ^= "\1";
	substr($bad_size, -4, 1) ^= "\1";
	refused_bytes('nothing', $malformed, '');
	refused_bytes('a plain tar', $malformed, $tar);
	refused_bytes('zstd', $malformed, "\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00");
	refused_bytes('xz', $malformed, "\xfd7zXZ\0\0\4");
	refused_bytes('bzip2', $malformed, 'BZh91AY&SY');
	refused_bytes('a wrong CRC', $malformed, $bad_crc);
	refused_bytes('a wrong length', $malformed, $bad_size);
	refused_bytes('cut off', $malformed, substr($gzip, 0, -1));
	refused_bytes('cut off in the middle', $malformed, substr($gzip, 0, length($gzip) / 2));
	refused_bytes('two members', $malformed, $gzip . Berth::Archive::crate(file('second')));
	refused_bytes('garbage behind it', $malformed, "${gzip}x");
	refused_bytes('a zero behind it', $malformed, "$gzip\0");

	$malformed = qr/^uploaded tarball is malformed or too large when decompressed: /;
	refused_bytes('gzip in gzip', $malformed, Berth::Crate::compress($gzip));
	refused_bytes('an empty tar', qr/missing a `Cargo.toml`/, Berth::Archive::crate());
	refused_bytes('no end', $malformed, Berth::Crate::compress($toml));
	refused_bytes('one block as the end', $malformed, Berth::Crate::compress($toml . "\0" x 512));
	refused_bytes('a size beyond the end', $malformed,
	    Berth::Archive::crate($toml, file('x', 'abc', size => 4096)));
	refused('an entry behind a block of zeros', $malformed, $toml, "\0" x 512, file('hidden'));
	refused('an entry behind the end', $malformed, $toml, Berth::Archive::end(), file('hidden'));
	refused('text behind the end', $malformed, $toml, Berth::Archive::end(), 'x' x 512);
}

sub refused_types {
	my %names = (1 => 'Link', 2 => 'Symlink', 3 => 'Char', 4 => 'Block', 6 => 'Fifo',
	    7 => 'Continuous', S => 'GNUSparse', g => 'XGlobalHeader', K => 'GNULongLink');

	for my $type (qw(1 2 3 4 6 7 S Z V M N D X g K A), "\xff") {
		my $name = $names{$type} // 'Other(' . ord($type) . ')';

		refused(sprintf('type %s', $type =~ /\w/a ? $type : ord($type)),
		    qr/^unexpected tar entry type \Q$name found: $folder\/bar\E$/, $toml,
		    file('bar', '', type => $type, linkname => 'Cargo.toml'));
		refused('the same with data', qr/^unexpected tar entry type \Q$name\E found/, $toml,
		    file('bar', 'data', type => $type));
	}
	refused('a directory with data', qr/^unexpected tar entry type Directory with data found/,
	    $toml, file('bar', 'data', type => '5'));
	refused('a file with the name of a directory', qr/^invalid path found/, $toml,
	    file('dir/', 'data'));
	refused('a directory at the place of a symlink', qr/^unexpected tar entry type Symlink/, $toml,
	    file('bar', '', type => '2', linkname => '/etc'), file('bar', '', type => '5'));
}

sub refused_headers {
	my $bad = file('x', 'abc');
	my $malformed = qr/^uploaded tarball is malformed or too large when decompressed: /;

	substr($bad, 0, 1) = 'F';
	refused('a wrong checksum', qr/${malformed}wrong checksum/, $toml, $bad);
	for my $size ("\x80" . "\0" x 10 . "\3", "\xff" x 12, '0x000000003 ', '-0000000003 ', "\0" x 12) {
		refused('a size that is not octal', qr/${malformed}bad size/, $toml,
		    Berth::Archive::patch(file('x', 'abc'), 124 => $size));
	}
	refused('a name that goes on behind a NUL', $malformed, $toml, file("x\0y"));
	refused('an unknown magic', $malformed, $toml, file('x', '', magic => 'ustar  x'));
	refused('something in the padding', $malformed, $toml, substr(file('x', 'abc'), 0, -1) . 'x');
	for my $mode (qw(04755 02755 01777 07777)) {
		refused("mode $mode", qr/^invalid path found: .*set-id or sticky/, $toml,
		    file('x', '', mode => oct($mode)));
	}
}

sub refused_pax {
	my $target = file('x', 'a' x 37);

	refused('PAX size 2048, header 37: the next entry would vanish',
	    qr/^uploaded tarball is malformed: PAX size 2048/, $toml,
	    Berth::Archive::pax('size=2048'), $target, file('swallowed'));
	refused("PAX size $_", qr/^uploaded tarball is malformed: .*`size`/, $toml,
	    Berth::Archive::pax("size=$_"), $target)
	    for 'abc', '-37', '+37', '37 ', '99999999999999999999999';
	for my $key (qw(GNU.sparse.name GNU.sparse.size GNU.sparse.major linkpath SCHILY.xattr.user.x
	    LIBARCHIVE.xattr.x hdrcharset charset unknown)) {
		refused("PAX key $key",
		    qr/^uploaded tarball is malformed: the PAX key `\Q$key\E` is not allowed/, $toml,
		    Berth::Archive::pax("$key=bar-9.9.9/evil"), $target);
	}
	refused('a key twice', qr/given twice/, $toml,
	    Berth::Archive::pax("path=$folder/a", "path=$folder/b"), $target);
	refused('a NUL in a PAX path', qr/bad value for the PAX key `path`/, $toml,
	    Berth::Archive::pax("path=$folder/a\0b"), $target);
	refused('a wrong record length', qr/^uploaded tarball is malformed: /, $toml,
	    Berth::Crate::entry('pax', "99 path=a\n", type => 'x'), $target);

	my $long = Berth::Crate::entry('././@LongLink', "$folder/l\0", type => 'L');
	my $pax = Berth::Archive::pax("path=$folder/p");
	refused("$_->[0]", qr/two extension headers/, $toml, @$_[1, 2], $target)
	    for ['x and L', $pax, $long], ['L and x', $long, $pax], ['x and x', $pax, $pax],
	    ['L and L', $long, $long];
	refused('L for nothing', qr/an extension header at the end/, $toml, $long);
	refused('a PAX path elsewhere', qr/^invalid path found: bar-1.0.0\/x/, $toml,
	    Berth::Archive::pax('path=bar-1.0.0/x'), $target);
}

sub refused_paths {
	refused("path $_", qr/^invalid path found: \Q$_\E/, $toml, Berth::Crate::entry($_, ''))
	    for 'bar-1.0.0/a', 'foo-1.0.00/a', 'foo-1.0.0', "$folder/../x", "$folder/a/../../x", '../x',
	    "/$folder/x", '/etc/passwd', "./$folder/x", "$folder/./x", "$folder//x", "$folder/x ",
	    "$folder/x.", "$folder/x\\y", "$folder/C:x", "$folder/nul", "$folder/src/AUX.rs",
	    "$folder/com1.txt/x", "$folder/.cargo-ok";
	refused('a path that is not UTF-8', qr/^invalid path found: .*not UTF-8/, $toml,
	    file("x\xff.rs"));
	refused('a control character', qr/^invalid path found: .*control/, $toml, file("x\x1by"));
	refused('a path of 1025 bytes', qr/longer than 1024|extension header of/, $toml,
	    file(nested(1025 - length("$folder/"))));
	refused('a component of 256 bytes', qr/a component is longer than 255 bytes/, $toml,
	    file('a' x 256));
	refused('a path twice', qr/^invalid path found: .*already/, $toml, file('x', 1), file('x', 2));
	refused('paths that differ by case', qr/^invalid path found: .*already/, $toml,
	    file('src/lib.rs'), file('SRC/Lib.rs'));
	refused('also beyond ASCII', qr/^invalid path found: .*already/, $toml,
	    file("\xc3\x84"), file("\xc3\xa4"));
	refused('a file, then as a folder', qr/^invalid path found/, $toml, file('x'), file('x/y'));
	refused('a folder, then as a file', qr/^invalid path found/, $toml, file('x/y'), file('x'));
	refused_bytes('another folder than the one that is wanted',
	    qr/^invalid path found: \Q$folder\E\/Cargo.toml/, Berth::Archive::crate($toml),
	    '-f', 'foo-1.0.1');
}

sub refused_manifests {
	my $fail = qr/^failed to parse `Cargo.toml` manifest file/;

	refused('no manifest', qr/^uploaded tarball is missing a `Cargo.toml` manifest file$/,
	    file('src/lib.rs'));
	refused("the manifest is called $_",
	    qr/missing a `Cargo.toml`.*; `\Q$_\E` was found, but must be .* with that exact casing/,
	    file($_, $manifest)) for 'CARGO.TOML', 'Cargo.Toml';
	refused('two manifests',
	    qr/more than one `Cargo.toml` manifest file; found `Cargo.toml`, `cargo.toml`/, $toml,
	    file('cargo.toml', $manifest));
	refused('another manifest', qr/^invalid path found: .*already/, $toml, file('Cargo.toml', "$manifest\n"));
	refused('one of over 1 MiB', $fail, file('Cargo.toml', $manifest . '#' x MIB));
	refused('an empty one', $fail, file('Cargo.toml', ''));
	refused('one that is not UTF-8', $fail, file('Cargo.toml', "$manifest# \xff\n"));
	refused('a NUL', $fail, file('Cargo.toml', "$manifest# \0\n"));
	refused('a manifest of another version', qr/^invalid path found: \Q$folder\E\/Cargo.toml/,
	    file('Cargo.toml', Berth::Crate::manifest('foo', '1.0.1')));
	refused('a manifest of another crate', qr/^invalid path found: \Q$folder\E\/Cargo.toml/,
	    file('Cargo.toml', Berth::Crate::manifest('bar', '1.0.0')));
}

# ---- limits and options ----

sub limits {
	my $crate = Berth::Archive::crate($toml, map { file("f$_") } 1 .. 4);
	my $size = 512 * (2 + 4 + 2);

	accepted_bytes('as many entries as allowed', $crate, '-e', 5);
	refused_bytes('one more', qr/^uploaded tarball contains more than 4 entries; .*max_entries/,
	    $crate, '-e', 4);
	accepted_bytes('one byte less than allowed', $crate, '-s', $size + 1);
	refused_bytes('so many',
	    qr/^uploaded tarball is .* decompressed: it has $size bytes or more; .* raise max_unpacked_size/,
	    $crate, '-s', $size);
	accepted('20000 entries', $toml, map { file("f$_") } 1 .. 19999);
	refused('20001 entries', qr/more than 20000 entries/, $toml, map { file("f$_") } 1 .. 20000);
	refused('too many folders', qr/more than 20000 folders/, $toml,
	    map { file("f$_" . '/a' x 400 . '/x') } 1 .. 60);
}

sub usage {
	for my $bad (['-s', 'x'], ['-s', '0'], ['-s', '-1'], ['-s', '9223372036854775808'],
	    ['-e', '1000001'], ['-e', ''], ['-x'], ['file.crate'], ['-f'], ['-l', 'a' x 63],
	    ['-l', 'a' x 65], ['--index-line', 'A' x 64]) {
		my ($status, undef, $out, $err) = inspect('', @$bad);

		ok($status eq '2' && $out eq '' && $err =~ /^usage: /m, "usage: @$bad");
	}
	for my $bad (['--serve', '-s', 5], ['-e', 5, '--serve'], ['--serve', 'x']) {
		my ($status, undef, $out, $err) = inspect('', @$bad);

		ok($status eq '2' && $out eq '' && $err =~ /^usage: /m, "usage: @$bad");
	}
	my ($alone, undef, $out, $err) = inspect($toml, '--serve');
	ok($alone eq '2' && $out eq '' && $err =~ /^berth-inspect: standard input is not the socket of a worker/,
	    '--serve without a worker');
	for my $option ('-h', '--help', '-V') {
		my ($status, undef, $out, $err) = inspect('', $option);

		ok($status eq '0' && $out =~ /berth-inspect/ && $err eq '', $option);
	}
}

# So many dependencies that qsort() asks for memory, which the sandbox must let it do.
sub index_lines {
	my $sum = '0a' x 32;
	my $deps = join('', "d10 = { version = '1', optional = true }\n", map { "d$_ = '1'\n" } 11 .. 40);
	my $bytes = Berth::Archive::crate(file('Cargo.toml',
		"${manifest}[dependencies]\n$deps\[features]\nx = ['d10?/y']\n"));

	for my $which ($program, grep { $_ ne $program } $plain // ()) {
		local $program = $which;
		my ($status, $line, undef, $err) = inspect($bytes, '-l', $sum);

		is($status, 0, "$which: an index line") or diag($err);
		like(delete $line->{pubtime}, qr/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'published now');
		is(scalar @{ delete $line->{deps} }, 31, 'dependencies');
		is_deeply($line, { name => 'foo', vers => '1.0.0', cksum => $sum, features => {},
			features2 => { x => ['d10?/y'] }, yanked => JSON::PP::false, v => 2 }, 'the rest');
	}
	refused_bytes('a crate that could not be in an index',
	    qr/^dependency `a`: "b" is an invalid version requirement/,
	    Berth::Archive::crate(file('Cargo.toml', "${manifest}[dependencies]\na = 'b'\n")),
	    '--index-line', $sum);
	refused_bytes('what is no crate', qr/gzip/, 'x', '-l', $sum);
}

sub bombs {
	my %bombs = (
		'a file of 8 GB' => [file('x', '', size => (8 << 30) - 512), 10240],
		'many files' => [map({ (file("f$_", '', size => 100 << 20), 100) } 1 .. 100)],
		'just below, then one more' => [file('x', '', size => 500 << 20), 500,
			file('y', '', size => 8000 << 20), 9500],
		'zeros behind the end' => [10240],
	);

	# An eighth of what may be unpacked, to know how fast this machine is: the limit costs some eight
	# times as much, a bomb as a whole more than a hundred times.
	my $most = 30 * cpu_of(sub { accepted('64 MiB of zeros', $toml, file('x', "\0" x (64 << 20))) });
	for my $name (sort keys %bombs) {
		my $bomb = Berth::Archive::bomb($toml, @{ $bombs{$name} });
		my $used = cpu_of(sub {
			refused_bytes("bomb: $name, " . length($bomb) . ' bytes',
			    qr/^uploaded tarball is malformed or too large when decompressed/, $bomb);
		});

		cmp_ok($used, '<', $most, 'little of it is unpacked');
	}
}

# Seconds of CPU of the programs that are run.
sub cpu_of {
	my ($run) = @_;
	my $before = (times)[2] + (times)[3];

	$run->();
	return (times)[2] + (times)[3] - $before;
}

# ---- what it takes from the machine ----

# Starts a build with its output blocked by a full pipe, and waits until it
# sleeps: on a read of $in where that has nothing to give, else on its verdict.
# Calls $look with its pid, then lets it end.  Returns the exit status.
sub while_blocked {
	my ($which, $in, $look) = @_;

	pipe(my $r, my $w) or die "pipe: $!\n";
	$w->blocking(0);
	1 while defined syswrite($w, 'x' x 4096);
	$w->blocking(1);
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open(STDIN, '<&', $in) or die "stdin: $!\n";
		open(STDOUT, '>&', $w) or die "stdout: $!\n";
		# one descriptor too many, for it to close
		open(my $extra, '<', '/dev/null') or die "/dev/null: $!\n";
		fcntl($extra, F_SETFD, 0);
		exec { $which } $which or POSIX::_exit(127);
	}
	close($w);
	close($in);
	my $end = time + DEADLINE;
	sleep(0.002) until slurp("/proc/$pid/stat") =~ /^\d+ \(berth-.*\) [SZ] / || time > $end;
	$look->($pid);
	local $/;
	my $drained = <$r>;
	waitpid($pid, 0);
	return $?;
}

sub status_of {
	my ($pid) = @_;

	return { slurp("/proc/$pid/status") =~ /^(\w+):\s+(\d+)/mg };
}

# The end of a manifest: tables of 1025 members under headers.  The trees of members
# and the arrays of values double, so that this number leaves most behind.
sub tables {
	my ($n, $header, $member) = @_;

	return join('', map {
		my $table = $_;
		(sprintf("[$header]\n", $table), map { sprintf("a%x%s\n", $_, $member) } 1 .. 1025)
	} 1 .. $n);
}

sub has_sanitizers { return index(slurp("/proc/$_[0]/exe"), '__asan_init') >= 0 }

sub memory {
	my $readme = file('README.md', "\1" x MIB);
	my $lists = join('', map { "l$_ = [" . '[],' x 1025 . "]\n" } 1 .. 97);
	my $features = "[features]\n" . $lists =~ s/\[\]/''/gr;
	# name, what it may use at most, exit status, crate
	my @crates = (
		['an ordinary crate', 16, 0, $toml],
		['64 MiB of zeros', 16, 0, $toml, file('x', "\0" x (64 << 20))],
		['20000 files', 32, 0, $toml, map { file("f$_/x") } 1 .. 19999],
		['1 MiB of readme', 32, 0, file('Cargo.toml', manifest_with_readme()), $readme],
		['too many values', 32, 1,
			file('Cargo.toml', "$manifest\[metadata]\ny = [" . '1,' x 500000 . "]\n")],
		['many tables', 32, 0, file('Cargo.toml', $manifest . tables(48, 'metadata.t%d', '={}'))],
		['many lists', 32, 0, file('Cargo.toml', "$manifest\[metadata]\n$lists")],
		['many dependencies', 32, 0,
			file('Cargo.toml', $manifest . tables(35, 'target.t%d.dependencies', '={}'))],
		['many features, files and a readme', 32, 0, map({ file("f$_/x") } 1 .. 19998), $readme,
			file('Cargo.toml', manifest_with_readme() . $features)],
		['the same, with a file twice', 32, 0, map({ file("f$_/x") } 1 .. 19996), $readme,
			file('Cargo.toml', manifest_with_readme() . $features), file('x'), file('x')],
	);

	@crates = map { [@$_[0 .. 2], Berth::Archive::crate(@$_[3 .. $#$_])] } @crates;
	push @crates, ['a bomb', 16, 1, Berth::Archive::bomb($toml, 10240)];
	for my $which ($program, grep { $_ ne $program } $plain // ()) {
		for my $case (@crates) {
			my ($name, $limit, $want, $crate) = @$case;

			open(my $in, '<', save($crate)) or die "input: $!\n";
			my $status = while_blocked($which, $in, sub {
				my ($pid) = @_;
				my $kb = status_of($pid)->{VmHWM};

				# the sanitizers keep freed memory, and shadow all of it
				$limit = 600 if has_sanitizers($pid);
				cmp_ok($kb, '<', $limit << 10, "$which: $name: below $limit MB ($kb kB)");
			});
			is($status >> 8, $want, $want ? 'it was refused' : 'it was accepted');
		}
	}
}

sub sandbox {
	my $looked = 0;

	for my $which ($program, grep { $_ ne $program } $plain // ()) {
		pipe(my $r, my $w) or die "pipe: $!\n";
		my $status = while_blocked($which, $r, sub {
			my ($pid) = @_;

			if (!has_sanitizers($pid)) {
				my $s = status_of($pid);
				opendir(my $dh, "/proc/$pid/fd") or die "fd: $!\n";
				my @fds = sort grep { /^\d/ } readdir($dh);

				is($s->{Seccomp}, 2, "$which: a filter of system calls is on");
				is($s->{NoNewPrivs}, 1, 'it cannot gain privileges');
				is("@fds", '0 1 2', 'it has no descriptors but the standard ones');
				my $limits = slurp("/proc/$pid/limits");
				like($limits, qr/^Max open files\s+0\s+0\s/m, 'it can open none');
				like($limits, qr/^Max address space\s+268435456\s/m, 'memory is limited');
				like($limits, qr/^Max cpu time\s+26\s+26\s/m, 'time is limited');
				$looked++;
			}
			close($w);
		});
		is($status >> 8, 1, "$which: nothing at all is refused");
	}
	note('no sandbox under sanitizers, and no build/berth-inspect') unless $looked;
}

# The child of a template, which waits for a crate, has no library in memory whose code it never calls, if the
# loader has bound all symbols, and no library of others is there that may call it.
sub libraries {
	plan skip_all => 'no build/berth-inspect' unless defined $plain;
	my $unneeded = qr/^(?:libxml2|libicu\w+|libstdc\+\+|libzstd|liblzma|libbz2|liblz4|libnettle|libacl)\.so/;

	for my $case ([0], [0, LD_BIND_NOW => ''], [1, LD_BIND_NOW => 1],
	    [0, LD_BIND_NOW => 1, LD_PRELOAD => 'libpthread.so.0']) {
		my ($bound, %environment) = @$case;
		socketpair(my $worker, my $template, AF_UNIX, SOCK_SEQPACKET, 0) or die "socketpair: $!\n";
		my $pid = fork() // die "fork: $!\n";
		if ($pid == 0) {
			%ENV = %environment;
			open(STDIN, '<&', $template) or POSIX::_exit(1);
			exec($plain, '--serve') or POSIX::_exit(1);
		}
		close($template);
		my $child;
		ok(Berth::Test::wait_for(sub {
			($child) = split(' ', slurp("/proc/$pid/task/$pid/children"));
			return defined $child;
		}), 'the template has a child');
		my %library = map { m{/([^/]+\.so[.\d]*)$} ? ($1 => 1) : () } split(/\n/, slurp("/proc/$child/maps"));
		ok(scalar(grep { /^libarchive\.so/ } keys %library), 'which has what it needs');
		my @unneeded = sort grep { /$unneeded/ } keys %library;
		$bound ? is_deeply(\@unneeded, [], 'and nothing else')
		    : isnt(scalar @unneeded, 0, 'and the rest, whose code could still be called');
		close($worker);
		waitpid($pid, 0);
		is($?, 0, 'it ends with its worker');
	}
}

# ---- real crates ----

sub real_cargo {
	my $missing = Berth::Test::cargo_missing();
	plan skip_all => $missing if $missing;
	my $work = "$dir/foo";

	make_path("$work/src/" . 'deep/' x 20, "$work/docs");
	my %files = (
		'Cargo.toml' => "[package]\nname = \"foo\"\nversion = \"1.0.0+meta\"\nedition = \"2021\"\n"
		    . "description = \"d\"\nlicense = \"MIT\"\nreadme = \"docs/README.md\"\n",
		'src/lib.rs' => "",
		'src/main.rs' => "fn main() {}\n",
		"docs/README.md" => "# real\n",
		"r\xc3\xa9sum\xc3\xa9.txt" => "x",
		'src/' . 'deep/' x 20 . 'file.rs' => '',
		'tool.sh' => "#!/bin/sh\n",
	);
	for my $path (sort keys %files) {
		open(my $fh, '>:raw', "$work/$path") or die "$path: $!\n";
		print {$fh} $files{$path};
		close($fh) or die "$path: $!\n";
	}
	chmod(0775, "$work/tool.sh") or die "chmod: $!\n";
	local $ENV{CARGO_TARGET_DIR} = "$dir/target";
	my $said = `cd $work && cargo package --offline --no-verify --allow-dirty 2>&1`;
	is($?, 0, 'cargo package') or diag($said);
	my $v = accepted_bytes('what cargo made', slurp("$dir/target/package/foo-1.0.0+meta.crate"),
	    '-f', 'foo-1.0.0+meta');
	is($v->{package}{name}, 'foo', 'name');
	is($v->{package}{vers}, '1.0.0+meta', 'version');
	is($v->{package}{readme}, "# real\n", 'readme');
	cmp_ok($v->{entries}, '>=', scalar keys %files, 'entries');
}
