package Berth::Watch;

# What clients see of a change: several ask, as fast as they can, while it is made, and go on for a
# while once whoever makes it has been answered.
#
#	my ($moment, @asked) = Berth::Watch::change($t, { clients => 8, before => 5, after => 20 },
#	    sub { my ($turn) = @_; return [now(), get($pools[$turn % 2], $path)->{status}] },
#	    sub { $t->berth_ok('user', 'block', 'dev') });
#
# The change is not begun before each client has asked `before` times; each asks `after` times more
# after it.  $moment is when it was done, of the clock that now() reads.

use strict;
use warnings;

use POSIX ();
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use Berth::Cluster;
use Berth::Test;

use constant { MOST => 100_000, PATIENCE => 60 };

my $rounds = 0;

sub now { return clock_gettime(CLOCK_MONOTONIC) }

sub change {
	my ($t, $often, $ask, $change) = @_;
	my $file = $t->dir . '/watch' . ++$rounds;
	my @clients = 0 .. $often->{clients} - 1;
	my $pid = fork // die "fork: $!\n";

	if ($pid == 0) {
		my $all = $t->wait_for(sub { !grep { !-e "$file.started.$_" } @clients }, PATIENCE);
		my $done = eval { $change->(); 1 } or warn $@;

		Berth::Test::write_file("$file.new", now());
		rename("$file.new", "$file.done");
		POSIX::_exit($all && $done ? 0 : 1);
	}
	my @asked = map { @$_ } $t->parallel(scalar @clients, sub {
		my ($n) = @_;
		my ($left, @mine) = ($often->{after});

		for my $i (1 .. MOST) {
			my $done = -e "$file.done";

			push @mine, $ask->($n + $i);
			Berth::Test::write_file("$file.started.$n", '') if $i == $often->{before};
			last if $done && --$left == 0;
		}
		return \@mine;
	});
	waitpid($pid, 0);
	is($?, 0, 'the change was made, with all clients at work');
	return (Berth::Cluster::slurp("$file.done"), @asked);
}

1;
