package Berth::Harness;

# TAP::Harness that writes down what was skipped and why, one line each, into
# the file that BERTH_SKIP_LOG names: prove itself mentions skipped tests only
# in passing, and t/run wants to judge the reasons.
#
# It ends the run after an hour, or after BERTH_TIME_LIMIT seconds, and names the
# tests that still run: whoever only stops a run that hangs does not learn which
# test it was.

use strict;
use warnings;

use POSIX ();

use parent 'TAP::Harness';

use constant TIME_LIMIT_S => 3600;

my %began; # by the names of the tests that run

sub runtests {
	my ($self, @tests) = @_;
	my $limit = $ENV{BERTH_TIME_LIMIT} // TIME_LIMIT_S;

	local $SIG{ALRM} = sub {
		print STDERR "the tests have not ended after $limit s; still running: ",
		    join(', ', map { "$_ for " . (time - $began{$_}) . ' s' } sort keys %began), "\n";
		# TAP::Parser would take an exception for an error of one test; t/run ends what is left
		POSIX::_exit(1);
	};
	alarm($limit);
	my $result = $self->SUPER::runtests(@tests);
	alarm(0);
	return $result;
}

sub make_parser {
	my ($self, $job) = @_;
	my ($parser, $session) = $self->SUPER::make_parser($job);
	my $name = $job->filename;

	$began{$name} = time;
	$parser->callback(EOF => sub { delete $began{$name} });
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
