package Berth::Leaks;

# Looks for tokens where none may be: in logs, in the database, in what nginx has cached or
# buffered, in core files, in names of files.  Every test ends with it (Berth::Test).
#
# A token has a form, by which it is found whoever made it.  A secret or a MAC alone has none: they are
# found of the tokens that somebody has told of, know().  Slot and handle may lie anywhere.

use strict;
use warnings;

use File::Find qw(find);

# Ours, of both forms; a secret with its MAC, whatever stands before it; and identity tokens with their
# signature.
use constant TOKEN => qr/
	berth_(?:pat|dep|job)_(?:[0-9A-Za-z]{18}_[0-9A-Za-z]{32}_[0-9A-Za-z_-]{21}[AQgw]|[0-9A-Za-z]{49})
	|_[0-9A-Za-z]{32}_[0-9A-Za-z_-]{21}[AQgw]
	|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}
/x;

# Cargo's own, and what it has built.
my $skipped = qr{/(?:cargo-home|target|\.git)$};

# Looked at in pieces, of which the end belongs to the next one as well: a token may lie across two.
use constant { PIECE => 1 << 20, KEPT => 4096 };

# Secrets and MACs of the tokens that are known, and a pattern of them all.
my (%known, $pattern);

# Tokens of ours in a text, such as what a program has printed, are known from now on.
sub know {
	my ($text) = @_;

	return if index($text, 'berth_') < 0;
	for my $part ($text
	    =~ /berth_(?:pat|dep|job)_[0-9A-Za-z]{18}_([0-9A-Za-z]{32})_([0-9A-Za-z_-]{21}[AQgw])/g) {
		$pattern = undef unless $known{$part}++;
	}
	for my $secret ($text =~ /berth_(?:pat|dep|job)_([0-9A-Za-z]{49})(?![0-9A-Za-z])/g) {
		$pattern = undef unless $known{ substr($secret, 0, 43) }++;
	}
	return;
}

# What of a text must not be there, or undef: the beginning of a token; of a part nothing.
sub in_text {
	my ($text) = @_;

	return substr($1, 0, 14) . '...' if $text =~ /(${\ TOKEN})/;
	# one alternation of fixed texts, which perl looks for at once
	$pattern //= do { my $all = join('|', map { quotemeta } sort keys %known); qr/$all/ };
	return %known && $text =~ $pattern ? 'the secret or MAC of a token' : undef;
}

# Files below a directory, or the one file, that hold one, each with the beginning of what was found.  Those
# whose paths are keys of %$fine hold theirs on purpose.
sub in_files {
	my ($dir, $fine) = @_;
	my @found;

	find({ no_chdir => 1, wanted => sub {
		if (-d $_ && $_ =~ $skipped) {
			$File::Find::prune = 1;
		} elsif (defined in_text(-l $_ ? "$_ " . readlink($_) : $_)) {
			push @found, "the name of $dir/...";
		} elsif (-f $_ && -s _ && !$fine->{$_}) {
			my $what = _in_file($_);
			push @found, "$_: $what" if defined $what;
		}
	} }, $dir) if -e $dir;
	return @found;
}

# The same of what comes in pieces, which $read gives to a sub, and dies if it cannot.
sub in_pieces {
	my ($name, $read) = @_;
	my ($text, $what) = ('');

	eval {
		$read->(sub {
			$text .= $_[0];
			return if defined $what || length $text < PIECE;
			$what = in_text($text);
			$text = substr($text, -KEPT);
		});
		1;
	} or return "$name: cannot be read: $@";
	$what //= in_text($text);
	return defined $what ? "$name: $what" : ();
}

# Core files of whatever was started in this directory.
sub in_cores {
	my ($dir) = @_;

	return map { my $what = _in_file($_); defined $what ? "$_: $what" : () } grep { -f }
	    glob("$dir/core $dir/core.*");
}

sub _in_file {
	my ($path) = @_;

	# whoever removes it now will not have it later
	open(my $in, '<:raw', $path) or return undef;
	return _in_handle($in);
}

sub _in_handle {
	my ($in) = @_;
	my $text = '';

	while (sysread($in, $text, PIECE, length $text)) {
		my $what = in_text($text);
		return $what if defined $what;
		$text = substr($text, -KEPT) if length $text > KEPT;
	}
	return undef;
}

1;
