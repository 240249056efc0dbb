package Berth::Bench::Plan;

# Computes the resources of a registry from the cost of one request, one crate and one publish, and from
# the numbers of people, jobs and crates.  All assumptions are in this file, and are printed with the plan.
#
#	my %cost = (us => { 'index, by nginx' => 20, ... }, crate => 2000, ...);      # t/bench/capacity measures it
#	my %plan = Berth::Bench::Plan::plan(\%cost, developers => 50, jobs => 500, crates => 1000, versions => 10,
#	    bytes => 60_000);

use strict;
use warnings;

use POSIX qw(ceil);

# Requests of one developer and of one CI job in a day, by route of the table.  A developer updates some times
# a day, mostly without news; a job begins with nothing.
our %demand = (
	developer => { 'index, unchanged, by nginx' => 3000, 'index, by nginx' => 150, 'crate, by nginx' => 100,
	    'config.json, by nginx' => 20, 'search' => 5, 'page' => 20, 'index, by the pool' => 30,
	    'crate, by the pool' => 5, 'publish' => 0.2 },
	job => { 'index, by nginx' => 300, 'crate, by nginx' => 150, 'config.json, by nginx' => 1,
	    'index, by the pool' => 30, 'crate, by the pool' => 15, 'job token' => 1, 'publish' => 0.05 },
);

# A working day has its requests in eight hours, and bursts of so many times the mean; a core is used to a
# half; a table and its indexes are larger in use than when they were made.
use constant { BUSY_S => 8 * 3600, PEAK => 10, USED => 0.5, BLOAT => 1.5, DAYS => 30, SPARE => 2 };

# Requests a day, by route.
sub requests {
	my (%opt) = @_;
	my %n;

	for my $pair (['developer', $opt{developers}], ['job', $opt{jobs}]) {
		my ($who, $many) = @$pair;

		$n{$_} += $demand{$who}{$_} * $many for keys %{ $demand{$who} };
	}
	return %n;
}

# The number of cores for these requests a second, by route, with reserve.
sub cores {
	my ($cost, %rate) = @_;
	my %us = (nginx => 0, pool => 0, PostgreSQL => 0);

	for my $route (keys %rate) {
		$us{$_} += $rate{$route} * $cost->{us}{$route}{$_} for keys %us;
	}
	return map { $_ => $us{$_} / 1e6 / USED } keys %us;
}

# Workers that are busy at once: the time that the pool, and PostgreSQL for it, work on their requests.
sub workers {
	my ($cost, $kind, %rate) = @_;
	my $busy = 0;

	for my $route (grep { ($cost->{worker}{$_} // '') eq $kind } keys %rate) {
		$busy += $rate{$route} * $cost->{seconds}{$route};
	}
	return 2 > ceil($busy * SPARE) ? 2 : ceil($busy * SPARE);
}

sub sizes {
	my ($cost, %opt) = @_;
	my $versions = $opt{crates} * $opt{versions};

	return (database => BLOAT * ($opt{crates} * $cost->{crate} + $versions * $cost->{version}),
	    cache => $opt{crates} * $cost->{cached}, store => $versions * $opt{bytes});
}

sub plan {
	my ($cost, %opt) = @_;
	my %a_day = requests(%opt);
	my %rate = map { $_ => $a_day{$_} / BUSY_S * PEAK } keys %a_day;
	my %plan = (rate => 0, sizes($cost, %opt), cores => { cores($cost, %rate) },
	    read => workers($cost, 'read', %rate), write => workers($cost, 'write', %rate), logs => 0, journal => 0);

	for my $route (keys %a_day) {
		$plan{rate} += $rate{$route};
		$plan{logs} += $a_day{$route} * $cost->{log}{$route}{nginx};
		$plan{journal} += $a_day{$route} * $cost->{log}{$route}{pool};
	}
	$plan{wal} = $a_day{publish} * $cost->{wal};
	$plan{publishes} = $a_day{publish};
	$plan{memory} = $plan{read} * ($cost->{memory}{read} + $cost->{memory}{session})
	    + $plan{write} * ($cost->{memory}{write} + $cost->{memory}{session}) + $cost->{memory}{rest};
	return %plan;
}

# The paper part: a registry as large as the public one, whose index is read by many.  All of the reads are
# answered by nginx of each node.
sub internet {
	my ($cost, %opt) = @_;
	my $a_node = $opt{rate} / $opt{nodes};
	my $unchanged = $opt{unchanged};
	my $us = $unchanged * $cost->{us}{'index, unchanged, by nginx'}{nginx}
	    + (1 - $unchanged) * $cost->{us}{'index, by nginx'}{nginx};

	return (sizes($cost, %opt), a_node => $a_node, cores => $a_node * $us / 1e6 / USED,
	    network => $a_node * ((1 - $unchanged) * $cost->{body} + HEADERS()) * 8,
	    logs => $a_node * $cost->{log}{'index, by nginx'}{nginx} * 86400);
}

# Bytes of an answer beside its body, over HTTP/2 and TLS.
sub HEADERS { return 250 }

# ---- for people ----

sub bytes {
	my ($n) = @_;
	my @units = ('B', 'kB', 'MB', 'GB', 'TB');

	while (@units > 1 && $n >= 1000) {
		$n /= 1000;
		shift @units;
	}
	return sprintf($n < 10 && $units[0] ne 'B' ? '%.1f %s' : '%.0f %s', $n, $units[0]);
}

1;
