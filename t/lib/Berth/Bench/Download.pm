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
			map { $stand->download($_, $name) } $stand->contenders(qw(pool before berth public))];
	}
	Berth::Bench::Index::side_by_side($stand, $report, $opt, 'download', h2 => \@rows, h1 => [@rows]);
	return;
}

# An index file for callers who take turns, each with a token of their own.
sub tokens {
	my ($stand, $report, $opt) = @_;
	my $t = $stand->test;
	my $list = $stand->dir . '/tokens';
	my @tokens;

	my @numbers = $opt->{q} ? (20) : (1, 20, 200);

	return if $opt->{c};
	for my $n (@numbers) {
		push @tokens, $t->token('dev') while @tokens < $n;
		Berth::Test::_write($t->holds_tokens("$list.$n"), join('', map { "$_\n" } @tokens));
	}
	for my $round (1 .. $opt->{r}) {
		for my $n (@numbers) {
			my %measured;

			for my $who (qw(static bare sql berth)) {
				my $request = $stand->index($who, 'few-versions');

				@{ $request->{headers} } = grep { !/^Authorization/ } @{ $request->{headers} };
				$request->{script} = "$Berth::Cluster::ROOT/t/bench/tokens.lua";
				$request->{env} = { BENCH_TOKENS => "$list.$n" };
				$measured{$who} = Berth::Bench::Load::measure($stand, 'h1', $request, $opt->{s});
			}
			$report->add('tokens', "h1 $n token" . ($n > 1 ? 's' : ''), \%measured);
		}
	}
	return;
}

1;
