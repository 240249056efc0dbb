package Berth::Metrics;

# Reads what /-/metrics prints, as strictly as the text format (version 0.0.4) allows it to be
# read, and rather more so than Prometheus does.
#
#	my $m = Berth::Metrics->parse($text);           # dies where the text is not in order
#	$m->value('berth_http_requests_total', route => 'index', status => 200);    # undef: not there
#	$m->sum('berth_http_requests_total', route => 'index');
#	$m->names;                                      # of families
#	$m->type('berth_blobs');

use strict;
use warnings;

my $name = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
my $label = qr/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"/;

sub parse {
	my ($class, $text) = @_;
	my $self = bless { type => {}, samples => {}, order => [] }, $class;
	my $family;

	die "the text does not end in a newline\n" unless $text =~ /\n\z/;
	for my $line (split /\n/, $text) {
		if ($line =~ /^# HELP ($name) (\S.*\S)$/) {
			die "$1 comes twice\n" if exists $self->{type}{$1};
			die "$1 begins before the type of the one above\n"
			    if defined $family && !defined $self->{type}{$family};
			$family = $1;
			push @{ $self->{order} }, $family;
			$self->{type}{$family} = undef;
		} elsif ($line =~ /^# TYPE ($name) (counter|gauge|histogram)$/) {
			die "TYPE of $1 is not below its HELP\n" unless ($family // '') eq $1 && !defined $self->{type}{$1};
			$self->{type}{$1} = $2;
		} else {
			$self->_sample($family, $line);
		}
	}
	for my $name (@{ $self->{order} }) {
		my $type = $self->{type}{$name} // die "$name has no type\n";

		die "$name: a counter's name ends in _total\n" if ($type eq 'counter') != ($name =~ /_total$/);
		$self->_check_histogram($name) if $type eq 'histogram';
	}
	return $self;
}

sub _sample {
	my ($self, $family, $line) = @_;
	my ($name, undef, $labels, $value) = $line =~ /^($name)(\{((?:$label(?:,(?=[a-zA-Z_]))?)*)\})? (\S+)$/
	    ? ($1, $2, $3, $6) : die "not a sample: $line\n";
	my %labels;

	die "$name is not of the family above it\n" unless defined $family && defined $self->{type}{$family};
	my $suffixes = $self->{type}{$family} eq 'histogram' ? qr/_bucket|_sum|_count/ : qr//;
	die "$name is not of the family $family\n" unless $name =~ /^\Q$family\E$suffixes$/;
	die "$name: `$value` is not a number\n" unless $value =~ /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
	die "$name: less than nothing\n" if $value < 0 && $self->{type}{$family} ne 'gauge';
	while (defined $labels && $labels =~ /$label/g) {
		die "$name: label $1 is there twice\n" if exists $labels{$1};
		$labels{$1} = $2;
	}
	my $key = _key($name, %labels);
	die "$key is there twice\n" if exists $self->{samples}{$key};
	$self->{samples}{$key} = { name => $name, labels => \%labels, value => $value };
}

# Buckets go up, the last one has all, and there is a sum.
sub _check_histogram {
	my ($self, $name) = @_;
	my %buckets;

	for my $s (grep { $_->{name} eq "${name}_bucket" } values %{ $self->{samples} }) {
		my %labels = %{ $s->{labels} };
		my $le = delete $labels{le} // die "$name: a bucket without a bound\n";
		push @{ $buckets{ _key('', %labels) } }, [$le eq '+Inf' ? 9**9**9 : $le, $s->{value}];
	}
	my @counts = grep { $_->{name} eq "${name}_count" } values %{ $self->{samples} };
	die "$name: buckets without a count\n" if @counts != keys %buckets;
	for my $count (@counts) {
		my @sorted = sort { $a->[0] <=> $b->[0] } @{ $buckets{ _key('', %{ $count->{labels} }) } // [] };

		die "$name: a count without buckets\n" unless @sorted;
		for my $i (1 .. $#sorted) {
			die "$name: a bucket has less than the one before\n" if $sorted[$i][1] < $sorted[$i - 1][1];
		}
		die "$name: no last bucket, or one that has not all\n"
		    unless $sorted[-1][0] == 9**9**9 && $sorted[-1][1] == $count->{value};
		die "$name: no sum\n" unless defined $self->value("${name}_sum", %{ $count->{labels} });
	}
}

sub _key {
	my ($name, %labels) = @_;

	return join("\0", $name, map { ($_, $labels{$_}) } sort keys %labels);
}

sub names { return @{ $_[0]{order} }; }
sub type { return $_[0]{type}{ $_[1] }; }

sub value {
	my ($self, $name, %labels) = @_;

	return ($self->{samples}{ _key($name, %labels) } // return undef)->{value};
}

# Of all that have these labels, whatever others they have.
sub sum {
	my ($self, $name, %labels) = @_;
	my $sum = 0;

	for my $s (grep { $_->{name} eq $name } values %{ $self->{samples} }) {
		$sum += $s->{value} unless grep { ($s->{labels}{$_} // '') ne $labels{$_} } keys %labels;
	}
	return $sum;
}

# Everything that counts and here is less than in the earlier one: nothing may be.
sub less_than {
	my ($self, $earlier) = @_;
	my %counts = map { $_ => 1 } grep { ($earlier->type($_) // '') ne 'gauge' } $earlier->names;
	my @less;

	for my $key (sort keys %{ $earlier->{samples} }) {
		my $old = $earlier->{samples}{$key};
		my $new = $self->{samples}{$key};

		next unless $counts{ $old->{name} } || $counts{ $old->{name} =~ s/_(?:bucket|sum|count)$//r };
		push @less, join(' ', split(/\0/, $key)) if !defined $new || $new->{value} < $old->{value};
	}
	return @less;
}

1;
