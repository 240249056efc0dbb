package Berth::Harness;

# TAP::Harness that writes down what was skipped and why, one line each, into
# the file that BERTH_SKIP_LOG names: prove itself mentions skipped tests only
# in passing, and t/run wants to judge the reasons.

use strict;
use warnings;

use parent 'TAP::Harness';

sub make_parser {
	my ($self, $job) = @_;
	my ($parser, $session) = $self->SUPER::make_parser($job);
	my $name = $job->filename;

	$parser->callback(test => sub {
		my ($result) = @_;

		_write($name, $result->explanation) if $result->has_skip;
	});
	$parser->callback(plan => sub {
		my ($result) = @_;

		_write($name, $result->explanation) if $result->has_skip;
	});
	return ($parser, $session);
}

sub _write {
	my ($name, $reason) = @_;

	open(my $log, '>>', $ENV{BERTH_SKIP_LOG}) or die "$ENV{BERTH_SKIP_LOG}: $!\n";
	print {$log} "$name\t", $reason // '', "\n";
	close($log);
}

1;
