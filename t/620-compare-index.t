#!/usr/bin/perl

# scripts/compare-index, without any registry: a cargo home is made up, and a
# program takes the place of cargo.  Equal lines are equal, each rule explains
# what it should and nothing more, and what no rule explains is an error.

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use JSON::PP ();
use Test::More;

use lib dirname(abs_path(__FILE__)) . '/lib';
use Berth::Crate;
use Berth::File qw(slurp write_file);

chdir(abs_path(dirname(__FILE__)) . '/..') or die "chdir: $!\n";
my $build = $ENV{BERTH_BUILD} // 'build';
my $dir = tempdir(CLEANUP => 1);
my $json = JSON::PP->new->utf8->canonical;
my $homes = 0;

subtest 'equal lines' => \&equal_lines;
subtest 'differences that a rule explains' => \&explained;
subtest 'differences that none explains' => \&unexplained;
subtest 'refusals' => \&refusals;
subtest 'what cargo is asked for' => \&fetching;
subtest 'trouble' => \&trouble;

done_testing();

# ---- helpers ----

# A crate in a new cargo home, and its index line.  %$line replaces what the line of a
# crate without dependencies would have; the manifest ends in $toml.
sub home_with {
	my ($name, $version, $toml, $line, %opt) = @_;
	my $home = "$dir/home" . ++$homes;
	my $crate = Berth::Crate::make($name, $version, toml => $toml, %opt);
	my $lower = lc $name;
	my $folder = length $lower > 3 ? substr($lower, 0, 2) . '/' . substr($lower, 2, 2)
	    : length $lower == 3 ? '3/' . substr($lower, 0, 1) : length $lower;
	my $text = $json->encode({ name => $name, vers => $version, deps => [], features => {},
		cksum => sha256_hex($crate), yanked => JSON::PP::true, %$line });

	write_file("$home/registry/cache/registry-1/$name-$version.crate", $crate);
	write_file("$home/registry/index/registry-1/.cache/$folder/$lower", pack('C L<', 3, 2)
	    . "etag: \"x\"\0" . "0.0.1\0{\"not\":\"read\"}\0$version\0$text\0");
	return $home;
}

# Exit status, standard output, standard error.
sub compare {
	my (@arguments) = @_;
	my $pid = fork // die "fork: $!\n";

	if ($pid == 0) {
		open(STDOUT, '>', "$dir/out") or die "$dir/out: $!\n";
		open(STDERR, '>', "$dir/err") or die "$dir/err: $!\n";
		exec('scripts/compare-index', '-b', "$build/berth-inspect", @arguments);
		die "exec: $!\n";
	}
	waitpid($pid, 0);
	return ($? >> 8, slurp("$dir/out"), slurp("$dir/err"));
}

sub is_equal {
	my ($name, @crate) = @_;
	my ($status, $out, $err) = compare('-c', home_with(@crate));

	is($status, 0, $name) or diag($out);
	is($out, "1 crates, 1 equal, 0 different, 0 refused\n", "$name: equal");
	is($err, '', "$name: nothing else is said");
}

# A dependency in an index line.
sub dependency {
	my ($name, $req, %more) = @_;

	return { name => $name, req => $req, features => [], optional => JSON::PP::false,
		default_features => JSON::PP::true, target => undef, kind => 'normal', %more };
}

# ---- tests ----

sub equal_lines {
	is_equal('no dependencies', 'abcd', '1.0.0', '', {});
	is_equal('a name with digits, build metadata', 'Ab-1c', '1.0.0-rc.1+b-2', '', {});
	is_equal("a name of $_", 'x' x $_, '1.0.0', '', {}) for 1 .. 3;
	is_equal('dependencies in the order of the index', 'abcd', '1.0.0',
	    "[dependencies]\nb = '1'\na = '=1.2'\n[dev-dependencies]\nb = '2'\n",
	    { deps => [dependency('a', '=1.2'), dependency('b', '^1'),
		    dependency('b', '^2', kind => 'dev')] });
	is_equal('features of both kinds', 'abcd', '1.0.0',
	    "[dependencies]\na = { version = '1', optional = true }\n"
		. "[features]\nold = []\nnew = ['dep:a']\n",
	    { deps => [dependency('a', '^1', optional => JSON::PP::true)], v => 2,
		features => { old => [] }, features2 => { new => ['dep:a'] } });
	is_equal('a name given twice', 'abcd', '1.0.0',
	    "[dependencies]\na = { version = '1', package = 'a' }\n",
	    { deps => [dependency('a', '^1', package => 'a')] });
	is_equal('members that are null or left out', 'abcd', '1.0.0', "[dependencies]\na = '1'\n",
	    { deps => [{ name => 'a', req => '^1' }], links => undef, v => 1 });
}

sub explained {
	# the rule, a dependency of the manifest, what the index has
	my @cases = (
		['blanks', "a = '>=0.2, <0.4'", dependency('a', '>= 0.2, < 0.4')],
		['caret and wildcard', "a = '^0.*'", dependency('a', '0.*')],
		['caret as a range', "a = '0.1'", dependency('a', '>=0.1.0, <0.2.0')],
		['caret as a range', "a = '1.2.3'", dependency('a', '>=1.2.3, <2.0.0')],
		['caret as a range', "a = '0'", dependency('a', '>=0.0.0, <1.0.0')],
		['caret as a range', "a = '0.0.3'", dependency('a', '>=0.0.3, <0.0.4')],
		['spelling of targets', "[target.'cfg(any(x=\"a, b\",unix,))'.dependencies]\na = '1'",
			dependency('a', '^1', target => 'cfg(any(x="a, b",unix,))')],
		['removed from the index', "a = '1'\n[dev-dependencies]\nb = '1'", dependency('a', '^1')],
		['blanks, caret and wildcard', "a = '^0.*'\nb = '=1'", dependency('a', '0.*'),
			dependency('b', '= 1')],
	);

	for my $case (@cases) {
		my ($rule, $toml, @deps) = @$case;
		my $home = home_with('abcd', '1.0.0', ($toml =~ /^\[/ ? '' : "[dependencies]\n")
		    . "$toml\n", { deps => \@deps });
		my ($status, $out) = compare('-v', '-c', $home);

		is($status, 0, "$rule: $deps[0]{req}") or diag($out);
		like($out, qr/^abcd 1\.0\.0 deps: ours \{.*\}, index .*\[\Q$rule\E\]$/m, 'with the rule');
		like($out, qr/^1 crates, 0 equal, 1 different, 0 refused$/m, 'counted');
		my ($brief) = (compare('-c', $home))[1];
		unlike($brief, qr/^abcd/m, 'without -v only counted');
		like($brief, qr/^\Q$_\E: 1 \(/m, "the reason: $_") for split(/, /, $rule);
	}
}

sub unexplained {
	my $deps = "[dependencies]\na = '1'\nb = '1'\n";
	my @both = map { dependency($_, '^1') } qw(a b);
	# field, what is shown of it, the end of the manifest, the line
	my @cases = (
		['deps', 'the order differs', $deps, { deps => [reverse @both] }],
		['deps', 'ours \{.*"\^1".*\}, index \{.*"\^1\.0".*\}', $deps,
			{ deps => [$both[0], dependency('b', '^1.0')] }],
		['deps', 'ours , index \{.*"c".*\}', $deps, { deps => [@both, dependency('c', '^1')] }],
		['deps', 'ours \{.*"b".*\}, index ', $deps, { deps => [$both[0]] }],
		['deps', '.*', $deps, { deps => [$both[0], dependency('b', '>= 2')] }],
		['features', 'ours \{"x":\[\]\}, index \{\}', "[features]\nx = []\n", {}],
		['features2', 'ours , index "x"', "[features]\nx = []\n", { features2 => { x => [] } }],
		['links', 'ours null, index "z"', '', { links => 'z' }],
		['rust_version', 'ours null, index "1\.70"', '', { rust_version => '1.70' }],
		['v', 'ours 1, index 2', '', { v => 2 }],
		['vers', 'ours "1\.0\.0", index "1\.0"', '', { vers => '1.0' }],
		['name', 'ours "abcd", index "ABCD"', '', { name => 'ABCD' }],
		['cksum', 'ours ".*", index "0"', '', { cksum => '0' }],
	);

	for my $case (@cases) {
		my ($field, $shown, $toml, $line) = @$case;
		my ($status, $out) = compare('-c', home_with('abcd', '1.0.0', $toml, $line));

		is($status, 1, "$field differs");
		like($out, qr/^abcd 1\.0\.0 $field: $shown \[NOT EXPLAINED\]$/m, 'it is shown');
		like($out, qr/^1 crates, 0 equal, 1 different, 0 refused$/m, 'counted');
	}
}

sub refusals {
	my $manifest = Berth::Crate::manifest('abcd', '1.0.0');
	my $features = join('', "[features]\n", map { "f$_ = []\n" } 1 .. 5001);
	my @cases = (
		[0, 'wildcard', "[dependencies]\na = '*'\n"],
		[0, 'max_features', $features],
		[0, 'lists of libraries', '', manifest => "$manifest\[[lib]]\n" =~ s/^\[lib\].*?(?=\[\[)//msr],
		[0, 'path twice', '',
			entries => [Berth::Crate::entry('abcd-1.0.0/Cargo.toml', "$manifest\n")]],
		[1, 'NOT EXPLAINED', "[dependencies]\na = '1.b'\n"],
	);

	for my $case (@cases) {
		my ($want, $rule, $toml, %opt) = @$case;
		my ($status, $out) = compare('-v', '-c', home_with('abcd', '1.0.0', $toml, {}, %opt));

		is($status, $want, "refused: $rule") or diag($out);
		like($out, qr/^abcd 1\.0\.0 refused: .*\[\Q$rule\E\]$/m, 'it is shown');
		like($out, qr/^1 crates, 0 equal, 0 different, 1 refused$/m, 'counted');
	}
}

# In the place of cargo a program that notes what it is asked for, and fails where it is
# asked for more than one crate and `bad` is among them.
sub fetching {
	my $bin = "$dir/bin";

	write_file("$bin/cargo", <<'SH');
#!/bin/sh
for last; do :; done
{ echo "$CARGO_HOME ${RUSTC_BOOTSTRAP-} $*"; grep '^d[0-9]' "$last"; } >>"$0.log"
! grep -q '"bad"' "$last"
SH
	chmod(0755, "$bin/cargo") or die "chmod: $!\n";
	local $ENV{PATH} = "$bin:$ENV{PATH}";
	delete local $ENV{RUSTC_BOOTSTRAP};
	my $home = home_with('abcd', '1.0.0', '', {});
	write_file("$dir/list", "# names\nbad\n\n  log\@0.3.8  # an old one\n");
	my ($status, $out, $err) = compare('-o', '-c', $home, '-f', "$dir/list", 'abcd');
	my ($first, @rest) = split(/^(?=\/)/m, slurp("$bin/cargo.log"));

	is($status, 0, 'what there is was compared');
	like($out, qr/^1 crates, 1 equal/, 'and is equal');
	like($first, qr/^\Q$home\E 1 -Z minimal-versions fetch --quiet --manifest-path /,
	    'the oldest versions, into the home that is given');
	like($first, qr/"abcd", version = "\*".*"bad", version = "\*".*"log", version = "=0\.3\.8"/s,
	    'all together');
	is(scalar @rest, 3, 'then one by one');
	is($err, "compare-index: cargo could not fetch all of bad\n", 'which one it was is said');
}

sub trouble {
	my $none = "$dir/none";

	for my $bad ([], ['-x'], ['-c', $none, '-b', $none], ['a b'], ['x"]'], ['-f', $none]) {
		my ($status, $out, $err) = compare(@$bad);

		is($status, 2, "trouble: @$bad");
		is($out, '', 'nothing is compared');
		like($err, qr/^(?:usage: |compare-index: |Unknown option)/, 'it is said why');
	}
	my $home = home_with('abcd', '1.0.0', '', {});
	my $cache = "$home/registry/index/registry-1/.cache/ab/cd/abcd";
	write_file($cache, slurp($cache) =~ s/^\x03/\x04/r);
	my ($status, undef, $err) = compare('-c', $home);
	is($status, 2, 'another format of the cache');
	like($err, qr/a format \(4\) that is not known here/, 'is not guessed at');
	unlink($cache) or die "$cache: $!\n";
	is((compare('-c', $home))[1], "0 crates, 0 equal, 0 different, 0 refused\n",
	    'a crate that the index does not have is left out');
}
