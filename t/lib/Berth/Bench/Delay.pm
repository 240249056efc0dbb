package Berth::Bench::Delay;

# A line that takes its time: what comes to its port goes on to another one of this machine, and
# back, each byte so many seconds after it came, however many are on the way.
#
#	my $line = Berth::Bench::Delay->start($port, 0.025);
#	connect_to($line->port);
#	$line->stop;

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

use constant PIECE => 65536;

sub start {
	my ($class, $to, $seconds) = @_;
	my $listen = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1', ReuseAddr => 1)
	    or die "listen: $!\n";
	my $pid = fork // die "fork: $!\n";

	if ($pid == 0) {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
		$SIG{PIPE} = 'IGNORE';
		serve($listen, $to, $seconds);
		POSIX::_exit(0);
	}
	return bless { pid => $pid, port => $listen->sockport }, $class;
}

sub port { $_[0]{port} }

sub stop {
	my ($self) = @_;
	my $pid = delete $self->{pid} // return;

	kill('TERM', $pid);
	local $?;
	waitpid($pid, 0);
	return;
}

sub DESTROY { $_[0]->stop }

sub serve {
	my ($listen, $to, $seconds) = @_;
	my $select = IO::Select->new($listen);
	my (%other, @queue);

	# what is due first stands first, since all wait equally long
	while (1) {
		my $wait = @queue ? $queue[0][0] - time : undef;

		for my $sock ($select->can_read(defined $wait && $wait < 0 ? 0 : $wait)) {
			if ($sock == $listen) {
				join_up($listen, $to, $select, \%other);
				next;
			}
			my $n = sysread($sock, my $bytes, PIECE);
			push @queue, [time + $seconds, $other{$sock}, $n ? $bytes : undef];
			$select->remove($sock) if !$n;
		}
		pass_on(shift @queue) while @queue && $queue[0][0] <= time;
	}
}

sub join_up {
	my ($listen, $to, $select, $other) = @_;
	my $client = $listen->accept or return;
	my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $to) or return;

	setsockopt($_, IPPROTO_TCP, TCP_NODELAY, 1) for $client, $server;
	@{$other}{ $client, $server } = ($server, $client);
	$select->add($client, $server);
	return;
}

# No bytes: the other side has ended.
sub pass_on {
	my (undef, $sock, $bytes) = @{ $_[0] };

	if (!defined $bytes) {
		shutdown($sock, 1);
		return;
	}
	while (length $bytes) {
		my $n = syswrite($sock, $bytes) // return;
		substr($bytes, 0, $n, '');
	}
	return;
}

1;
