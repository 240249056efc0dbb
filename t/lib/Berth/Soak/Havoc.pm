package Berth::Soak::Havoc;

# Events that happen to a registry in a day, once in each period of a soak, always at the same time of its
# first half: so processes have the same age and history at the end of each period.  All events happen to
# the node `a`; the pool of the node `b` has only those of the database, so its processes are as old as the
# soak.
#
#	my $havoc = Berth::Soak::Havoc->new(cluster => $cluster, a => $t, b => $other);
#	$havoc->due(0.4);          # how much of the period has passed: does what is due
#	my $why = $havoc->excuse($began, $told, $node, $status);   # undef: nothing that happened explains it

use strict;
use warnings;

use Time::HiRes qw(sleep);

use Berth::Cache;
use Berth::Cluster;
use Berth::Soak::Sample;
use Berth::Test;
use Berth::Watch;

# The time in a period, the event, how many seconds after its end a request may still fail, and the nodes
# (0: a, 1: b) and statuses that it explains.
my @events = (
	[0.01, 'the pool is reloaded', \&reload],
	[0.06, 'a read worker is killed', sub { kill_child($_[0], 'read workers') }, 2, qr/^0$/, qr/^502$/],
	[0.1, 'the keeper is killed', sub { kill_child($_[0], 'keeper') }],
	[0.14, 'a write worker is killed', sub { kill_child($_[0], 'write workers') }, 2, qr/^0$/, qr/^502$/],
	[0.18, 'PostgreSQL is stopped and started', sub { restart($_[0]) }, 20, qr/^[01]$/, qr/^50[234]$/],
	# a request is lost if its connection ends
	[0.28, 'keys are rotated', \&rotate_keys, 3, qr/^[01]$/, qr/^599$/],
	[0.38, 'logs are rotated', \&rotate_logs],
);

sub new {
	my ($class, %opt) = @_;

	return bless { %opt, done => [], next => 0, period => 0 }, $class;
}

# Does what is due; a period that has passed begins the next one.
sub due {
	my ($self, $passed) = @_;

	while ($self->{next} < @events && $events[$self->{next}][0] <= $passed) {
		my ($at, $name, $do, @excuse) = @{ $events[$self->{next}++] };
		my $began = Berth::Watch::now();

		$do->($self);
		push @{ $self->{done} }, { name => $name, began => $began, ended => Berth::Watch::now(),
		    excuse => \@excuse };
	}
	return;
}

sub next_period {
	my ($self) = @_;

	$self->due(1);
	$self->{next} = 0;
	$self->{period}++;
	return;
}

# What happened, and how often.
sub counts {
	my ($self) = @_;
	my %n;

	$n{ $_->{name} }++ for @{ $self->{done} };
	return map { [$_->[1], $n{ $_->[1] } // 0] } @events;
}

sub excuse {
	my ($self, $began, $told, $node, $status) = @_;

	for my $event (@{ $self->{done} }) {
		my ($after, $nodes, $statuses) = @{ $event->{excuse} };

		return $event->{name} if defined $after && $node =~ $nodes && $status =~ $statuses
		    && $told >= $event->{began} && $began <= $event->{ended} + $after;
	}
	return undef;
}

# ---- what is done ----

# Waits until the new workers serve, and the old ones have gone.
sub reload {
	my ($self) = @_;
	my $pool = $self->{a}->pool_pid;
	my %old = map { $_ => 1 } Berth::Bench::Load::children($pool);

	kill('HUP', $pool);
	Berth::Test::wait_for(sub {
		my @now = Berth::Bench::Load::children($pool);

		return @now >= keys %old && !grep { $old{$_} } @now;
	}) or die "a pool does not come to an end of its reload\n";
	return;
}

sub kill_child {
	my ($self, $role) = @_;
	my @children = grep { Berth::Soak::Sample::role($_) eq $role }
	    Berth::Bench::Load::children($self->{a}->pool_pid);

	kill('KILL', $children[rand @children] // die "there is no process among the $role\n");
	return;
}

# In turn as an administrator stops it, and as a crash does.
sub restart {
	my ($self) = @_;

	$self->{cluster}->restart($self->{period} % 2 ? 'fast' : 'immediate');
	return;
}

# A new key for tokens, and the end of the one that the last period has made.
sub rotate_keys {
	my ($self) = @_;
	my $old = $self->{slot};

	$self->{slot} = $self->{a}->berth_ok('key', 'add');
	reload($self);
	reload_nginx($self);
	$self->{a}->berth_ok('key', 'retire', $old) if defined $old;
	return;
}

sub reload_nginx {
	my ($self) = @_;

	for my $t (@$self{qw(a b)}) {
		my %old = map { $_ => 1 } Berth::Bench::Load::children($t->{nginx});

		kill('HUP', $t->{nginx});
		Berth::Test::wait_for(sub { grep { !$old{$_} } Berth::Bench::Load::children($t->{nginx}) })
		    or die "nginx does not reload\n";
	}
	return;
}

# One rotated log is kept of each, as logrotate does it.  What Berth itself writes to its standard error is
# truncated.
sub rotate_logs {
	my ($self) = @_;

	for my $t (@$self{qw(a b)}) {
		my $dir = $t->dir . '/log';

		for my $log (glob("$dir/nginx-berth*.log"), "$dir/berth.log") {
			rename($log, "$log.1") or die "$log: $!\n" if -e $log;
		}
		kill('USR1', $t->{nginx}, $t->pool_pid);
		Berth::Test::wait_for(sub { -e "$dir/berth.log" && -e "$dir/nginx-berth.log" })
		    or die "the logs in $dir are not opened again\n";
		truncate($_, 0) for "$dir/worker.log", "$dir/pool.log", "$dir/nginx-error.log";
	}
	truncate($self->{cluster}->server_log, 0);
	return;
}

1;
