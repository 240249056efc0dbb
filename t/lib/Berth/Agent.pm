package Berth::Agent;

# A client of plain HTTP/1.1 that keeps its connection, and does little else: those who watch a change ask a
# hundred times a second.
#
#	my $agent = Berth::Agent->new($port);
#	my $res = $agent->request(GET => '/', { Accept => '*/*' });      # { status, headers, body }
#
# Names of headers are in lower case; of one that comes more than once the value is a list.  Where there is no
# answer the status is 599, and the body says why.

use strict;
use warnings;

use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_RCVTIMEO SO_SNDTIMEO);

use constant { CHUNK => 65536, PATIENCE => 30 };

# What may be asked again where the server has closed the connection meanwhile.
my %idempotent = map { $_ => 1 } qw(GET HEAD PUT DELETE);

sub new {
	my ($class, $port) = @_;

	return bless { port => $port, in => '' }, $class;
}

sub request {
	my ($self, $method, $path, $headers, $body) = @_;
	my %has = map { lc $_ => 1 } keys %$headers;
	my $out = join("\r\n", "$method $path HTTP/1.1", "Host: 127.0.0.1:$self->{port}",
	    (map { "$_: $headers->{$_}" } sort keys %$headers),
	    defined $body ? ('Content-Length: ' . length $body,
		$has{'content-type'} ? () : 'Content-Type: application/octet-stream') : (),
	    '', $body // '');
	my $res;

	for my $again (0, 1) {
		$res = eval { $self->_exchange($method, $out) } and return $res;
		delete $self->{socket};
		last if $@ ne "closed\n" || !$idempotent{$method};
	}
	return { status => 599, headers => {}, body => $@ };
}

sub _exchange {
	my ($self, $method, $out) = @_;

	if (!$self->{socket}) {
		$self->{in} = '';
		$self->{socket} = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port},
		    Timeout => PATIENCE) or die "connect: $!\n";
		setsockopt($self->{socket}, SOL_SOCKET, $_, pack('l!l!', PATIENCE, 0)) // die "setsockopt: $!\n"
		    for SO_RCVTIMEO, SO_SNDTIMEO;
	}
	$self->_send($out);
	my ($status, %headers) = $self->_head;
	my $body = $method eq 'HEAD' || $status =~ /^(?:204|304)$/ ? '' : $self->_body(\%headers);
	delete $self->{socket} if lc($headers{connection} // '') eq 'close';
	return { status => $status, headers => \%headers, body => $body };
}

sub _send {
	my ($self, $out) = @_;
	local $SIG{PIPE} = 'IGNORE';

	while (length $out) {
		my $n = syswrite($self->{socket}, $out);
		next if !defined $n && $!{EINTR};
		die $!{EPIPE} || $!{ECONNRESET} ? "closed\n" : "write: $!\n" unless defined $n;
		substr($out, 0, $n, '');
	}
	return;
}

sub _more {
	my ($self) = @_;

	while (1) {
		my $n = sysread($self->{socket}, $self->{in}, CHUNK, length $self->{in});
		return if $n;
		next if !defined $n && $!{EINTR};
		die defined $n || $!{ECONNRESET} ? "closed\n" : "read: $!\n";
	}
}

# The last head, behind those of status 1xx: (status, headers).
sub _head {
	my ($self) = @_;
	my ($status, $end, $lines, %headers);

	do {
		$self->_more until ($end = index($self->{in}, "\r\n\r\n")) >= 0;
		$lines = substr($self->{in}, 0, $end);
		substr($self->{in}, 0, $end + 4, '');
		($status) = $lines =~ m{\AHTTP/1\.1 (\d{3})} or die "no HTTP: $lines\n";
	} while ($status < 200);
	for my $line (split(/\r\n/, $lines)) {
		my ($name, $value) = $line =~ /\A([^:\s]+):[ \t]*(.*?)[ \t]*\z/s or next;

		$name = lc $name;
		$headers{$name} = !exists $headers{$name} ? $value
		    : [ref $headers{$name} ? @{ $headers{$name} } : $headers{$name}, $value];
	}
	return ($status, %headers);
}

sub _body {
	my ($self, $headers) = @_;
	my $body = '';

	if (($headers->{'transfer-encoding'} // '') eq 'chunked') {
		while (1) {
			$self->_more until $self->{in} =~ s/\A([0-9A-Fa-f]+)[^\r\n]*\r\n//;
			my $n = hex($1);
			$self->_more while length $self->{in} < $n + 2;
			$body .= substr($self->{in}, 0, $n);
			substr($self->{in}, 0, $n + 2, '');
			return $body if $n == 0;
		}
	}
	if (defined(my $n = $headers->{'content-length'})) {
		$self->_more while length $self->{in} < $n;
		return substr($self->{in}, 0, $n, '');
	}
	# as long as the connection
	1 while eval { $self->_more; 1 };
	die $@ if $@ ne "closed\n";
	delete $self->{socket};
	return $self->{in};
}

1;
