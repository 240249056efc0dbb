package Berth::File;

# Whole files, as bytes.

use strict;
use warnings;

use Exporter qw(import);
use File::Basename qw(dirname);
use File::Path qw(make_path);

our @EXPORT_OK = qw(slurp write_file);

sub slurp {
	my ($path) = @_;

	open(my $fh, '<:raw', $path) or die "$path: $!\n";
	local $/;
	return scalar(<$fh>) // '';
}

# Makes the folder, too.
sub write_file {
	my ($path, $bytes) = @_;

	make_path(dirname($path));
	open(my $fh, '>:raw', $path) or die "$path: $!\n";
	print {$fh} $bytes or die "$path: $!\n";
	close($fh) or die "$path: $!\n";
	return $path;
}

1;
