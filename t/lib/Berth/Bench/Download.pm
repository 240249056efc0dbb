package Berth::Bench::Download;

# Crates of all sizes, by the address that config.json gives, as cargo asks for them, and by one that only
# the pool answers.

use strict;
use warnings;

use Berth::Bench::Index;

my @sizes = (['10 kB', 'crate-small', 10_000], ['20 kB', 'crate-medium', 20_000],
    ['145 kB', 'crate-large', 145_000], ['10 MB', 'crate-huge', 9_990_000]);

sub run {
	my ($stand, $report, $opt) = @_;
	my @rows;

	for my $size (@sizes) {
		my ($what, $name, $bytes) = @$size;

		$stand->publish($name, $bytes);
		push @rows, ["$what", $stand->get('static', "blob/$name"),
			map { $stand->download($_, $name) } $stand->contenders(qw(pool before berth public group))];
	}
	Berth::Bench::Index::side_by_side($stand, $report, $opt, 'download', h2 => \@rows, h1 => [@rows]);
	return;
}

1;
