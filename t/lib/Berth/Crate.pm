package Berth::Crate;

# Crates for tests, made in memory as `cargo package` makes them: one gzip
# member, GNU tar headers, everything below NAME-VERSION/.

use strict;
use warnings;

use IO::Compress::Gzip qw(gzip $GzipError);

# A .crate.  Options: manifest (text of Cargo.toml), toml (text added to the
# manifest made here), files ({ path below the folder => bytes }), folder (in place of
# NAME-VERSION), entries (a list of raw tar entries put before the end, see entry()).
sub make {
	my ($name, $version, %opt) = @_;
	my $folder = $opt{folder} // "$name-$version";
	my %files = (
		'Cargo.toml' => $opt{manifest} // manifest($name, $version) . ($opt{toml} // ''),
		'src/lib.rs' => "pub fn answer() -> u32 {\n    42\n}\n",
		%{ $opt{files} // {} },
	);
	my $tar = join('', (map { entry("$folder/$_", $files{$_}) } grep { defined $files{$_} }
	    sort keys %files), @{ $opt{entries} // [] }, "\0" x 1024);

	return compress($tar);
}

# The manifest that cargo would write for a library without dependencies.
sub manifest {
	my ($name, $version) = @_;
	my $lib = $name =~ tr/-/_/r;

	return <<"TOML";
[package]
edition = "2021"
name = "$name"
version = "$version"
description = "made for a test"
license = "MIT"

[lib]
name = "$lib"
path = "src/lib.rs"
TOML
}

# The metadata that goes with make(NAME, VERSION); %over replaces keys, undef stays null.
sub metadata {
	my ($name, $version, %over) = @_;

	return {
		name => $name,
		vers => $version,
		deps => [],
		features => {},
		authors => [],
		description => 'made for a test',
		documentation => undef,
		homepage => undef,
		readme => undef,
		readme_file => undef,
		keywords => [],
		categories => [],
		license => 'MIT',
		license_file => undef,
		repository => undef,
		badges => {},
		links => undef,
		rust_version => undef,
		%over,
	};
}

# One tar entry as GNU tar and cargo write it.  Options: type (default '0'),
# mode, linkname, magic, size (a lie about the length), prefix.
sub entry {
	my ($path, $bytes, %opt) = @_;
	my $long = '';

	if (length($path) > 100) {
		$long = entry('././@LongLink', "$path\0", type => 'L');
		$path = substr($path, 0, 100);
	}
	my $header = pack('a100 a8 a8 a8 a12 a12 a8 a1 a100 a8 a32 a32 a8 a8 a155 x12', $path,
	    sprintf('%07o', $opt{mode} // 0644), sprintf('%07o', 0), sprintf('%07o', 0),
	    sprintf('%011o', $opt{size} // length($bytes)), sprintf('%011o', 1153704088), ' ' x 8,
	    $opt{type} // '0', $opt{linkname} // '', $opt{magic} // "ustar  \0", '', '', '', '',
	    $opt{prefix} // '');
	substr($header, 148, 8) = sprintf("%06o\0 ", unpack('%32C*', $header));
	return $long . $header . $bytes . "\0" x (-length($bytes) % 512);
}

sub compress {
	my ($tar) = @_;
	my $crate;

	gzip(\$tar, \$crate, -Minimal => 1) or die "gzip: $GzipError\n";
	return $crate;
}

1;
