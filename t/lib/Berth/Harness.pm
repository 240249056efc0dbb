package Berth::Harness;

# TAP::Harness that writes down what was skipped and why, one line each, into
# the file that BERTH_SKIP_LOG names: prove itself mentions skipped tests only
# in passing, and t/run wants to judge the reasons.
#
# It runs nothing if there is no test of one of the names.
#
# At the end it names all that has failed, since the logs that a failed test shows are long.
#
# It ends the run after an hour, or after BERTH_TIME_LIMIT seconds, and names the
# tests that still run: whoever only stops a run that hangs does not learn which
# test it was.

use strict;
use warnings;

use POSIX ();

use parent 'TAP::Harness';

use constant TIME_LIMIT_S => 3600;

use constant NAMED_MAX => 20; # failures of one file

my %began; # by the names of the tests that run
my %failed; # by the names of the tests: what has failed, each with the subtests around it

sub runtests {
	my ($self, @tests) = @_;
	my $limit = $ENV{BERTH_TIME_LIMIT} // TIME_LIMIT_S;

	# TAP::Parser would show a stack of its own functions
	if (my @absent = grep { !-e } map { ref ? $_->[0] : $_ } @tests) {
		print STDERR map { "there is no test $_\n" } @absent;
		POSIX::_exit(2);
	}
	local $SIG{ALRM} = sub {
		print STDERR "the tests have not ended after $limit s; still running: ",
		    join(', ', map { "$_ for " . (time - $began{$_}) . ' s' } sort keys %began), "\n";
		# TAP::Parser would take an exception for an error of one test; t/run ends what is left
		POSIX::_exit(1);
	};
	alarm($limit);
	my $result = $self->SUPER::runtests(@tests);
	alarm(0);
	for my $name (sort keys %failed) {
		my @all = @{ $failed{$name} };
		my @shown = splice(@all, 0, NAMED_MAX);

		print STDERR map({ "not ok: $name: $_\n" } @shown), @all ? "not ok: $name: and " . @all . " more\n" : ();
	}
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
	_note_failures($parser, $name);
	return ($parser, $session);
}

# The lines of a subtest are indented, and come before the line of the subtest itself.
sub _note_failures {
	my ($parser, $name) = @_;
	my @within; # by depth: what has failed there since the last subtest around it has ended

	$parser->callback(ALL => sub {
		my ($indent, $not, $text) = $_[0]->raw =~ /^((?: {4})*)(not )?ok (\d+(?: - .*)?)$/ or return;
		my $depth = length($indent) / 4;
		my $inner = $within[$depth + 1];

		$within[$depth + 1] = undef;
		$text =~ s/^\d+ - //;
		return if !$not || $text =~ /# TODO\b/;
		push @{ $depth > 0 ? $within[$depth] //= [] : $failed{$name} //= [] },
		    $inner ? map { "$text: $_" } @$inner : $text;
	});
	return;
}

sub _write {
	my ($name, $reason) = @_;

	open(my $log, '>>', $ENV{BERTH_SKIP_LOG}) or die "$ENV{BERTH_SKIP_LOG}: $!\n";
	print {$log} "$name\t", $reason // '', "\n";
	close($log);
}

1;
