package Berth::Bench::Many;

# Where there are many crates: the index file of one, and a crate; index files of a few thousand in
# turn; and how much memory everybody has after all that.

use strict;
use warnings;

use Berth::Bench::Index;
use Berth::Bench::Load;
use Berth::Populate;
use Berth::Publish;

use constant { PER_CRATE => 3, IN_TURN => 4000, BYTES => 145_000 };

sub run {
	my ($stand, $report, $opt) = @_;
	my $n = $opt->{n};
	my $start = time;

	return if $opt->{c};
	my $project = $stand->test->project('demo/many');
	Berth::Populate::fill($stand->dsn, project => $project, crates => $n, versions => PER_CRATE * $n);
	$report->note('many', 'to fill the database', 's', "$n crates" => time - $start);
	$stand->publish('crate-large', BYTES);
	my @who = qw(static sql berth public);
	my @rows = (["200, 30 versions", map { $stand->index($_, 'few-versions') } @who],
		["304, 30 versions", map { $stand->index($_, 'few-versions', unchanged => 1) } @who],
		['145 kB', $stand->get('static', 'blob/crate-large'),
		    map { $stand->download($_, 'crate-large') } qw(pool berth public)]);
	Berth::Bench::Index::side_by_side($stand, $report, $opt, 'many', h2 => \@rows);
	for my $round (1 .. $opt->{r}) {
		my $request = $stand->index('berth', 'few-versions');

		$request->{list} = $stand->dir . '/uris';
		$stand->save('uris', join('', map { $stand->test->url . $stand->test->registry($project) . '/'
			    . Berth::Publish::index_path(Berth::Populate::crate_name(int(rand($n)))) . "\n" } 1 .. IN_TURN));
		$report->add('many', 'h2 200, ' . IN_TURN . ' crates in turn',
		    { berth => Berth::Bench::Load::measure($stand, 'h2', $request, $opt->{s}) });
	}
	return;
}

sub memory {
	my ($stand, $report, $opt) = @_;
	my %groups = $stand->groups;

	return if $opt->{c};
	for my $who (sort keys %groups) {
		my ($master, @children) = map { $_ / 1024 } Berth::Bench::Load::pss_kb($groups{$who});
		my ($least, $most) = (sort { $a <=> $b } @children)[0, -1];
		my $sum = $master;

		$sum += $_ for @children;
		$report->note('memory', "$who: 1 + " . @children . ' processes', 'MB', all => $sum,
		    'the first' => $master, 'the others from' => $least, 'to' => $most);
	}
	return;
}

1;
