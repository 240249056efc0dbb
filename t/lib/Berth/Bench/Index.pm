package Berth::Bench::Index;

# Index files of all sizes, 200 and 304; what is not there; config.json.

use strict;
use warnings;

use Berth::Bench::Load;

use constant { WARM_UP => 3, ROUNDS => 5 }; # seconds, however slow; rounds at least

# Crates and how many versions they have; the last one's index file has 11 MB.
our %versions = ('one-version' => 1, 'few-versions' => 30, 'many-versions' => 1000, 'huge-index' => 55_000);

my @everybody = qw(static bare sql before berth public);

sub run {
	my ($stand, $report, $opt) = @_;
	my (@rows, @few);
	my @who = $stand->contenders(@everybody);

	for my $name (sort { $versions{$a} <=> $versions{$b} } keys %versions) {
		my $what = "$versions{$name} version" . ($versions{$name} > 1 ? 's' : '');

		push @rows, ["200, $what", map { $stand->index($_, $name) } @who],
		    ["304, $what", map { $stand->index($_, $name, unchanged => 1) } @who];
	}
	push @rows, ['200, without gzip, 30 versions',
		map { $stand->index($_, 'few-versions', plain => 1) } $stand->contenders(qw(before berth public))],
	    ['404', $stand->get('static', 'index/nothing', status => 404),
		map { $stand->get($_, 'no/th/nothing', status => 404) } $stand->contenders(qw(before berth public))],
	    ['config.json', config_json($stand)];
	# the lines of a group may name other registries than those of the project
	$stand->save('index/group', body($stand, $stand->index('group', 'few-versions')));
	push @rows, ['200, 30 versions, group', $stand->index('static', 'group'),
	    $stand->index('group', 'few-versions')];
	@few = grep { $_->[0] =~ /^(?:200|304), (?:30|1000) versions$/ } @rows;
	side_by_side($stand, $report, $opt, 'index', h2 => \@rows, h1 => \@few);
	per_byte($stand, $report);
	beside_peers($stand, $report, $opt) if $stand->peers && !$opt->{c};
	return;
}

# Other registries, which have other bytes: over HTTP/1.1, which all of them speak.
sub beside_peers {
	my ($stand, $report, $opt) = @_;
	my $crate = 'bench-index-' . time;
	my @requests = ($stand->index('berth', 'few-versions'));

	for my $peer ($stand->peers) {
		$peer->fill($crate, $versions{'few-versions'});
		push @requests, $peer->index($crate);
	}
	for my $round (1 .. $opt->{r}) {
		$report->add('index', 'h1 200, 30 versions, registries', { map {
			$_->{who} => Berth::Bench::Load::measure($stand, 'h1', $_, $opt->{s})
		} @requests });
	}
	return;
}

# What a byte of a long index file costs all processes beside one of a short one: work that grows
# with the number of versions would show here.
sub per_byte {
	my ($stand, $report) = @_;
	my %us;

	for my $n (30, 1000, 55_000) {
		my ($name) = grep { $versions{$_} == $n } keys %versions;
		my ($row) = $report->row('index', "h2 200, $n versions");

		return if !defined $row || !defined $name;
		$us{$n} = Berth::Bench::Report::cpu($row, 'berth') / length(body($stand, $stand->index('berth', $name)));
	}
	$report->note('index', 'CPU time per byte to 30 versions', 'times',
	    map { ("$_ versions" => $us{$_} / $us{30}) } 1000, 55_000);
	return;
}

# The two registries have different ones: only one is compared with a file.
sub config_json {
	my ($stand) = @_;
	my $berth = $stand->get('berth', 'config.json');

	$stand->save('registry/config.json', body($stand, $berth));
	return ($stand->get('static', 'registry/config.json'),
	    map { $stand->get($_, 'config.json') } $stand->contenders(qw(before berth)));
}

# Rows for each protocol: a name and requests, which all must be answered with the same bytes.
sub side_by_side {
	my ($stand, $report, $opt, $part, %rows) = @_;

	if (defined $opt->{m}) {
		for my $proto (keys %rows) {
			@{ $rows{$proto} } = grep { "$proto $_->[0]" =~ $opt->{m} } @{ $rows{$proto} };
		}
	}
	agree($stand, @$_) for map { @$_ } values %rows;
	return if $opt->{c};
	warm_up($stand, grep { $_->{who} =~ /^(?:berth|before|group)$/ } map {
		my (undef, @requests) = @$_;

		@requests;
	} map { @$_ } values %rows);
	for my $round (1 .. $opt->{r}) {
		for my $proto (reverse sort keys %rows) {
			for my $row (@{ $rows{$proto} }) {
				my ($name, @requests) = @$row;
				my %measured = map {
					$_->{who} => Berth::Bench::Load::measure($stand, $proto, $_, $opt->{s})
				} @requests;

				$report->add($part, "$proto $name", \%measured);
			}
		}
	}
	return;
}

# nginx answers by itself soon after the pool has answered; in a build of before the pool remembered what
# it had decided, after a second.
sub warm_up {
	my ($stand, @requests) = @_;
	my $end = time + WARM_UP;
	my $rounds = 0;

	while (@requests && (time < $end || $rounds++ < ROUNDS)) {
		body($stand, $_) for @requests;
	}
	return;
}

# Errors are put into words of their own, and another build may answer otherwise.
sub agree {
	my ($stand, $name, @requests) = @_;
	my %bodies = map { $_->{who} => body($stand, $_) } @requests;
	my ($first, @others) = grep { $_ ne 'before' } map { $_->{who} } @requests;

	return if $requests[0]{status} >= 400;
	for my $who (@others) {
		die "$name: $who answers other bytes than $first\n" if $bodies{$who} ne $bodies{$first};
	}
	return;
}

sub body {
	my ($stand, $request) = @_;
	# another build's certificate is of an authority of its own
	my $res = $stand->test->http(GET => $request->{url} // $request->{path},
	    { headers => $request->{headers}, curl => $request->{url} ? ['-k'] : [] });

	die "$request->{who}: $request->{path}: $res->{status} and not $request->{status}\n$res->{body}"
	    if $res->{status} != $request->{status};
	return $res->{body};
}

1;
