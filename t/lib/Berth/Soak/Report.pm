package Berth::Soak::Report;

# The results of a soak, as tables: begin, end and growth of memory and disk, how long answers took, and
# wrong answers.  Begin and end are medians: of the samples of the first periods after the warm-up, and of
# the last ones.
#
#	my $report = Berth::Soak::Report->new(periods => 12);
#	$report->sample($period, $sample);       # of Berth::Soak::Sample
#	$report->client($seen);                  # of Berth::Soak::Client
#	$report->print($havoc);
#	exit(1) if $report->failures;

use strict;
use warnings;

use Berth::Soak::Client;

# The growth that is allowed: 2 %.  A process gets memory in pages; a few pages do not count as growth.
use constant { GROWTH_MAX => 0.02, PAGES_KB => 16, DESCRIPTORS => 1 };

sub new {
	my ($class, %opt) = @_;

	return bless { %opt, samples => [], clients => [], failures => [] }, $class;
}

sub failures { return @{ $_[0]{failures} } }
sub sample { my ($self, $period, $sample) = @_; push @{ $self->{samples}[$period] }, $sample; return; }
sub client { my ($self, $seen) = @_; push @{ $self->{clients} }, $seen; return; }
sub fail { my ($self, $why) = @_; push @{ $self->{failures} }, $why; return; }

# The periods that are compared: a quarter of them after the warm-up, and the last quarter.  With fewer
# than three periods there is no warm-up.
sub begin {
	my $n = $_[0]{periods};

	return $n < 3 ? () : map { int(($n + 5) / 6) + $_ } 0 .. quarter($n) - 1;
}

sub end { my $n = $_[0]{periods}; return $n - quarter($n) .. $n - 1; }
sub quarter { return int($_[0] / 4) || 1; }

sub median {
	my @sorted = sort { $a <=> $b } grep { defined } @_;

	return @sorted ? $sorted[$#sorted / 2] : undef;
}

sub print_all {
	my ($self, $havoc) = @_;

	$self->_judge_answers($havoc);
	$self->_print_taken('memory', 'kB', sub { return $_[1] > $_[0] + PAGES_KB * $_[2] });
	$self->_print_taken('descriptors', '', sub { return $_[1] > $_[0] + DESCRIPTORS * $_[2] });
	$self->_print_taken('disk', 'bytes', sub { return 0 });
	$self->_print_latency;
	printf("\n%-44s %10s\n", 'what happened', 'times');
	printf("    %-40s %10d\n", @$_) for $havoc->counts;
	printf("\n%d answers, %d wrong, %d times nobody while something happened, %d times without a cause\n",
	    @{ $self->{answers} }{qw(good wrong excused unexcused)});
	print "FAILED: $_\n" for @{ $self->{failures} };
	print "all was flat, and all answers were right\n" if !@{ $self->{failures} } && $self->begin;
	print "too short to say whether it grows: that needs three periods\n" if !$self->begin;
	return;
}

# One table: each row that exists at both ends; $over tells from begin, end and the number of processes
# whether the growth is too large.
sub _print_taken {
	my ($self, $what, $unit, $over) = @_;
	my %rows = map { map { $_ => 1 } keys %{ $_->{$what} } } map { @{ $_ // [] } } @{ $self->{samples} };

	printf("\n%-44s %10s %10s %8s\n", "$what" . ($unit ? ", $unit" : ''), 'begin', 'end', 'growth');
	for my $row (sort keys %rows) {
		my ($begin, $end) = map { $self->_of($what, $row, @$_) } [$self->begin], [$self->end];

		next if $row =~ /, others$/ || !defined $end;
		if (!defined $begin) {
			printf("    %-40s %10s %10d\n", $row, '-', $end);
			next;
		}
		my $growth = $begin > 0 ? $end / $begin - 1 : 0;

		printf("    %-40s %10d %10d %7.1f%%\n", $row, $begin, $end, 100 * $growth);
		my $processes = $self->_of('processes', $row, $self->end) // 1;
		$self->fail(sprintf('%s of %s grows by %.1f %%: %s', $what, $row, 100 * $growth,
		    join(' ', map { $self->_of($what, $row, $_) // '-' } 0 .. $self->{periods} - 1)))
		    if $growth > GROWTH_MAX && $over->($begin, $end, $processes);
	}
	return;
}

sub _of {
	my ($self, $what, $row, @periods) = @_;

	return median(map { map { $_->{$what}{$row} } @{ $self->{samples}[$_] // [] } } @periods);
}

sub _print_latency {
	my ($self) = @_;
	my %took;

	for my $seen (@{ $self->{clients} }) {
		for my $kind (keys %{ $seen->{took} }) {
			for my $period (keys %{ $seen->{took}{$kind} }) {
				my $of = $seen->{took}{$kind}{$period};

				$took{$kind}[$period]{$_} += $of->{$_} for keys %$of;
			}
		}
	}
	printf("\n%-24s %29s  %29s\n", '', 'begin', 'end');
	printf("%-24s %8s %6s %6s %6s  %8s %6s %6s %6s\n", 'answers, ms', ('number', qw(p50 p95 p99)) x 2);
	for my $kind (sort keys %took) {
		my @figures = map { figures(map { $took{$kind}[$_] // {} } @$_) } [$self->begin], [$self->end];

		printf("    %-20s %8d %6s %6s %6s  %8d %6s %6s %6s\n", $kind, @figures);
	}
	return;
}

# The number of answers, and percentiles in milliseconds.
sub figures {
	my (@periods) = @_;
	my ($n, %sum) = (0);

	for my $of (@periods) {
		$sum{$_} += $of->{$_}, $n += $of->{$_} for keys %$of;
	}
	return ($n, map {
		my ($left, $at) = ($n * $_, 0);

		for my $bucket (sort { $a <=> $b } keys %sum) {
			$at = $bucket;
			last if ($left -= $sum{$bucket}) <= 0;
		}
		$n ? sprintf('%.1f', 1000 * Berth::Soak::Client::seconds($at)) : '-';
	} 0.5, 0.95, 0.99);
}

# Requests that nobody answered must have a cause.
sub _judge_answers {
	my ($self, $havoc) = @_;
	my %n = (good => 0, wrong => 0, excused => 0, unexcused => 0);

	for my $seen (@{ $self->{clients} }) {
		$n{good} += $seen->{answers};
		$n{wrong} += $seen->{wrongs};
		$self->fail("wrong: $_") for @{ $seen->{wrong} };
		for my $away (@{ $seen->{away} }) {
			if (defined $havoc->excuse(@$away[0 .. 3])) {
				$n{excused}++;
			} else {
				$n{unexcused}++;
				$self->fail(sprintf('%s: %s from node %d', $away->[4], @$away[3, 2])) if $n{unexcused} <= 20;
			}
		}
	}
	$self->{answers} = \%n;
	return;
}

1;
