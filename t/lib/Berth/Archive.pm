package Berth::Archive;

# Archives that no honest program writes: for those that must refuse them.
# Sound ones, and the entries to build these from, are in Berth::Crate.

use strict;
use warnings;

use Compress::Raw::Zlib qw(Z_OK Z_FINISH Z_FULL_FLUSH WANT_GZIP);

use Berth::Crate;

use constant MIB => 1 << 20;

# The end of an archive: two blocks of zeros.
sub end {
	return "\0" x 1024;
}

# The entries, ended and compressed: a .crate.
sub crate {
	return Berth::Crate::compress(join('', @_, end()));
}

# Bytes of a header changed, and the checksum made right again.
# patch($entry, $offset => $bytes, ...)
sub patch {
	my ($entry, %change) = @_;

	substr($entry, $_, length($change{$_})) = $change{$_} for keys %change;
	substr($entry, 148, 8) = ' ' x 8;
	substr($entry, 148, 8) = sprintf("%06o\0 ", unpack('%32C*', substr($entry, 0, 512)));
	return $entry;
}

# A PAX header with these records: "path=a/b", ...
sub pax {
	my (@records) = @_;
	my $text = '';

	for my $record (@records) {
		# the length counts its own digits
		my $n = length($record) + 3;
		$n++ while length("$n $record\n") != $n;
		$text .= "$n $record\n";
	}
	return Berth::Crate::entry('pax', $text, type => 'x');
}

# A small gzip file that becomes very large: parts are bytes, or a number of
# MiB of zeros.  Each MiB is compressed alone, so that one of them serves for all.
sub bomb {
	my (@parts) = @_;
	my ($z, $status) = Compress::Raw::Zlib::Deflate->new(-WindowBits => WANT_GZIP,
	    -Level => 9, -AppendOutput => 1);
	die "deflate: $status\n" unless $status == Z_OK;
	my $out = '';
	my $mib;

	for my $part (@parts) {
		my $zeros = $part =~ /\A\d+\z/;
		if ($zeros && defined $mib) {
			$out .= $mib x $part;
			next;
		}
		my $at = length($out);
		$z->deflate($zeros ? "\0" x MIB : $part, $out);
		$z->flush($out, Z_FULL_FLUSH);
		next unless $zeros;
		$mib = substr($out, $at);
		$out .= $mib x ($part - 1);
	}
	# the checksum is that of fewer bytes: nobody may get so far
	$z->flush($out, Z_FINISH);
	return $out;
}

1;
