package Berth::RoundTrips;

# Stands between a pool and PostgreSQL and writes down each round trip: which prepared statements
# were sent before a Sync, after which the pool has to wait.
#
#	my $trips = Berth::RoundTrips->start($dir, $cluster->socket_dir);
#	my $t = ...database => "host=$dir dbname=...";
#	$trips->take;      # those since the last call: [['access_facts', 'crate_index'], ...]
#	$trips->stop;
#
# With deaf => 1 it drops the notifications of other sessions, as a pooler that shares sessions would: a
# session's own notifications arrive with its answers.

use strict;
use warnings;

use IO::Select;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOCK_STREAM);

use Berth::Cluster;

my $name = '.s.PGSQL.5432';

sub start {
	my ($class, $dir, $server, %opt) = @_;
	my $listener = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => "$dir/$name", Listen => 16)
	    or die "$dir/$name: $!\n";
	my $self = bless { owner => $$, log => "$dir/round-trips", read => 0 }, $class;

	open(my $log, '>', $self->{log}) or die "$self->{log}: $!\n";
	$self->{pid} = fork // die "fork: $!\n";
	return $self if $self->{pid};
	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
	_relay($listener, "$server/$name", $log, $opt{deaf});
	POSIX::_exit(0);
}

sub stop {
	my ($self) = @_;
	my $pid = $self->{owner} == $$ ? delete $self->{pid} : undef;

	return unless defined $pid;
	local $?;
	kill('TERM', $pid);
	waitpid($pid, 0);
}

sub DESTROY { $_[0]->stop; }

# What came before the answer to a request was written down before that.
sub take {
	my ($self) = @_;
	my $text = Berth::Cluster::slurp($self->{log});
	my @lines = split(/\n/, substr($text, $self->{read}));

	$self->{read} = length $text;
	return map { [split(/ /, $_)] } @lines;
}

sub _relay {
	my ($listener, $server, $log, $deaf) = @_;
	my $select = IO::Select->new($listener);
	my (%peer, %client, %unread);

	while (my @ready = $select->can_read) {
		for my $sock (@ready) {
			if ($sock == $listener) {
				my $in = $listener->accept or next;
				my $out = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $server);

				if (!defined $out) {
					close($in);
					next;
				}
				@peer{$in, $out} = ($out, $in);
				$client{$in} = { buffer => '', started => 0, names => [] };
				$select->add($in, $out);
				next;
			}
			my $n = sysread($sock, my $bytes, 1 << 16);
			my $peer = $peer{$sock};
			_note($client{$sock}, $bytes, $log) if $n && $client{$sock};
			$bytes = _without_notifications($unread{$sock} //= { bytes => '', own => '' }, $bytes)
			    if $n && $deaf && !$client{$sock};
			if (!$n || !_send($peer, $bytes)) {
				delete @peer{$sock, $peer};
				delete @client{$sock, $peer};
				$select->remove($sock, $peer);
				close($_) for $sock, $peer;
				last;
			}
		}
	}
}

sub _send {
	my ($to, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';

	while (length $bytes) {
		my $n = syswrite($to, $bytes);
		return 0 unless defined $n;
		substr($bytes, 0, $n, '');
	}
	return 1;
}

# The server's messages, as far as they are complete: each has a type and its length.  K has the
# session's process, and A begins with that of the notifying session.
sub _without_notifications {
	my ($from, $bytes) = @_;
	my $left = '';

	$from->{bytes} .= $bytes;
	while (length $from->{bytes} >= 5 && length $from->{bytes} > unpack('N', substr($from->{bytes}, 1, 4))) {
		my $message = substr($from->{bytes}, 0, 1 + unpack('N', substr($from->{bytes}, 1, 4)), '');

		$from->{own} = substr($message, 5, 4) if $message =~ /^K/;
		$left .= $message if $message !~ /^A/ || substr($message, 5, 4) eq $from->{own};
	}
	return $left;
}

# The client's messages: the first has no type, the others a type and their length.
sub _note {
	my ($c, $bytes, $log) = @_;

	$c->{buffer} .= $bytes;
	while (length $c->{buffer} >= 5) {
		my $head = $c->{started} ? 1 : 0;
		my $length = unpack('N', substr($c->{buffer}, $head, 4));
		last if length $c->{buffer} < $head + $length;
		my $message = substr($c->{buffer}, 0, $head + $length, '');

		if (!$c->{started}) {
			$c->{started} = 1;
			next;
		}
		my $type = substr($message, 0, 1);
		# Bind: the portal's name, the statement's
		my ($name) = $type eq 'B' ? (split(/\0/, substr($message, 5), 3))[1] : ();

		# the first round trip of each request tells its id
		push @{ $c->{names} }, $name if defined $name && $name ne 'session_tell_request';
		if ($type eq 'S') {
			syswrite($log, join(' ', map { length $_ ? $_ : '-' } @{ $c->{names} }) . "\n");
			$c->{names} = [];
		}
	}
}

1;
