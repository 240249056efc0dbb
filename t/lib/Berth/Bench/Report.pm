package Berth::Bench::Report;

# What was measured, as a table and as JSON.  A row is one thing that was asked for; it has
# several contenders, who were measured in turn in each round.  Their ratios are made within a
# round, so that a machine whose speed drifts slows both sides of each.

use strict;
use warnings;

use JSON::PP ();

use constant NAME_WIDTH => 34;

# Orders the columns; who is first there is 1.00.
my @order = qw(quiet floor static bare sql pool before berth public jobs members publishes);
my %title = (sql => 'bare+sql', pool => 'by the pool', before => 'private before', berth => 'private');

# Whom the private project is compared with at the end of a row: the bare responder with a statement, and
# the build before.
my @compared = qw(sql before);

sub new {
	my ($class, %about) = @_;

	return bless { about => \%about, rows => [], notes => [] }, $class;
}

# Of one round: the measurement of each contender (Berth::Bench::Load::measure).
sub add {
	my ($self, $part, $name, $round) = @_;
	my $row = $self->row($part, $name);

	push @{ $self->{rows} }, $row = { part => $part, name => $name, rounds => [] } unless $row;
	push @{ $row->{rounds} }, $round;
	return;
}

# What was measured under that name, or undef.
sub row {
	my ($self, $part, $name) = @_;
	my ($row) = grep { $_->{part} eq $part && $_->{name} eq $name } @{ $self->{rows} };

	return $row;
}

# Figures that have no contenders: name => number.
sub note {
	my ($self, $part, $name, $unit, %figures) = @_;

	push @{ $self->{notes} }, { part => $part, name => $name, unit => $unit, figures => \%figures };
	return;
}

sub contenders {
	my ($row) = @_;

	return in_order(keys %{ $row->{rounds}[0] });
}

# Contenders in the order of the columns; other registries are last.
sub in_order {
	my (@who) = @_;
	my %there = map { $_ => 1 } @who;
	my %known = map { $_ => 1 } @order;

	return ((grep { $there{$_} } @order), grep { !$known{$_} } sort keys %there);
}

# The ratios of two contenders' rates, round by round.
sub ratios {
	my ($row, $who, $to) = @_;

	return map { $_->{$who}{rate} / $_->{$to}{rate} } @{ $row->{rounds} };
}

# Microseconds of CPU that all servers together spent on one request.
sub cpu {
	my ($row, $who) = @_;

	return median(map { my $cpu = $_->{$who}{cpu}; my $sum = 0; $sum += $_ for values %$cpu; $sum }
	    @{ $row->{rounds} });
}

sub median {
	my @sorted = sort { $a <=> $b } @_;

	return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

sub min {
	my ($min) = sort { $a <=> $b } @_;

	return $min;
}

# ---- the table ----

# One row: rates as ratios to the first contender, median and (least) of the rounds; at the end
# those of Berth to whom it is compared with.
sub row_text {
	my ($row, @columns) = @_;
	my ($first, @others) = contenders($row);
	my $rate = median(map { $_->{$first}{rate} } @{ $row->{rounds} });
	my $text = sprintf('%-*s %8.*f/s', NAME_WIDTH, $row->{name}, $rate < 10 ? 2 : 0, $rate);

	for my $who (@columns) {
		my @ratios = (grep { $_ eq $who } @others) ? ratios($row, $who, $first) : ();

		$text .= sprintf('%15s', @ratios ? sprintf('%.3g (%.3g)', median(@ratios), min(@ratios)) : '');
	}
	for my $who (grep { my $who = $_; grep { $_ eq $who } @others } @compared) {
		my @ratios = ratios($row, 'berth', $who);

		$text .= sprintf(' %7.2f (%.2f)', median(@ratios), min(@ratios));
	}
	return $text;
}

sub cpu_text {
	my ($row) = @_;

	return sprintf('%-*s', NAME_WIDTH, '') . '  CPU us ' . join(' ', map {
		my $who = $_;
		my %sum;

		for my $group (qw(nginx berth bare sql postgres)) {
			my @all = map { $_->{$who}{cpu}{$group} // () } @{ $row->{rounds} };
			$sum{$group} = median(@all) if @all;
		}
		my @parts = map { sprintf('%s %.0f', $_, $sum{$_}) } grep { $sum{$_} >= 0.5 } sort keys %sum;
		sprintf('%s %.0f (%s);', $who, cpu($row, $who), join(', ', @parts));
	} contenders($row));
}

sub print_part {
	my ($self, $part, $verbose) = @_;
	my @rows = grep { $_->{part} eq $part } @{ $self->{rows} };

	my %seen = map { $_ => 1 } map { contenders($_) } @rows;
	my ($first, @columns) = in_order(keys %seen);

	printf("\n%-*s %10s%s%s%s\n", NAME_WIDTH, $part, "$first=1",
	    join('', map { sprintf(' %14s', $title{$_} // $_) } @columns),
	    map({ $seen{$_} ? sprintf(' %14s', "private/$_") : '' } @compared)) if @rows;
	print "\n" unless @rows;
	for my $row (@rows) {
		print row_text($row, @columns), "\n";
		print cpu_text($row), "\n" if $verbose;
	}
	for my $note (grep { $_->{part} eq $part } @{ $self->{notes} }) {
		my $f = $note->{figures};

		printf("%-*s %s\n", NAME_WIDTH, $note->{name},
		    join('; ', map { sprintf('%s %.4g %s', $_, $f->{$_}, $note->{unit}) } sort keys %$f));
	}
	return;
}

# ---- for later ----

sub write_json {
	my ($self, $path) = @_;
	my $json = JSON::PP->new->utf8->canonical->pretty;

	open(my $fh, '>', "$path.new") or die "$path.new: $!\n";
	print {$fh} $json->encode({ %$self }) or die "$path.new: $!\n";
	close($fh) or die "$path.new: $!\n";
	rename("$path.new", $path) or die "$path: $!\n";
	return;
}

sub read_json {
	my ($class, $path) = @_;

	open(my $fh, '<', $path) or die "$path: $!\n";
	local $/;
	return bless JSON::PP->new->utf8->decode(scalar <$fh>), $class;
}

1;
