package Berth::Http;

# One request over plain HTTP/1.1, on a connection of its own, in this process: a test asks thousands of
# times, and a curl for each of them would take most of its time.
#
#	my $res = Berth::Http::request($port, GET => '/', ['Accept: */*'], undef, 60);
#	is($res->{error}, undef);      # head and body as they came

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use constant CHUNK => 65536;

# Returns { head, body, error }: the status line with the header, '' if there was none; the body without
# chunks; what went wrong, or undef.  $path and the headers ("Name: value") go over the wire as they are.
sub request {
	my ($port, $method, $path, $headers, $body, $seconds) = @_;
	my %c = (in => '', until => clock_gettime(CLOCK_MONOTONIC) + $seconds, bare => $method eq 'HEAD');
	my @lines = ("$method $path HTTP/1.1", @$headers);

	push @lines, "Host: localhost:$port" unless grep { /^host:/i } @$headers;
	push @lines, 'Content-Length: ' . length($body) if defined $body;
	$c{out} = join("\r\n", @lines, '', $body // '');
	$c{socket} = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => $seconds)
	    or return { head => '', body => '', error => "connect: $!" };
	$c{socket}->blocking(0);
	my $res = { head => '', body => '' };
	eval {
		($res->{head}, my $length) = read_head(\%c);
		$res->{body} = read_body(\%c, $length);
		1;
	} or $res->{error} = $@ =~ s/\n\z//r;
	return $res;
}

# Sends and receives until there is more; dies where nothing more can come.
sub more {
	my ($c) = @_;
	my $left = $c->{until} - clock_gettime(CLOCK_MONOTONIC);
	my $all = IO::Select->new($c->{socket});
	my ($can_read, $can_write) = $left > 0
	    ? IO::Select->select($all, length $c->{out} ? $all : undef, undef, $left) : ();

	die "timed out\n" unless $can_read || $can_write;
	if (@{ $can_write // [] }) {
		local $SIG{PIPE} = 'IGNORE';
		my $n = syswrite($c->{socket}, $c->{out}, CHUNK);

		# who is refused early may find that nobody reads the rest
		$c->{out} = defined $n ? substr($c->{out}, $n) : $!{EAGAIN} ? $c->{out} : '';
	}
	if (@{ $can_read // [] }) {
		my $n = sysread($c->{socket}, $c->{in}, CHUNK, length $c->{in});

		die "the connection was reset: $!\n" if !defined $n && !$!{EAGAIN};
		return 0 if defined $n && $n == 0;
	}
	return 1;
}

# The last head, behind those of status 1xx, and how long its body is; undef: as long as the connection.
sub read_head {
	my ($c) = @_;

	while (1) {
		until ($c->{in} =~ /\r\n\r\n/) {
			more($c) or die length $c->{in} ? "the answer ends in its head\n" : "empty reply\n";
		}
		$c->{in} =~ s/\A(.*?\r\n)\r\n//s;
		my $head = $1;
		next if $head =~ m{\AHTTP/1\.1 1};
		# an error ends the upload
		$c->{out} = '' if $head =~ m{\AHTTP/1\.1 [45]};
		return ($head, $c->{bare} || $head =~ m{\AHTTP/1\.1 (?:204|304)} ? 0
		    : $head =~ /^transfer-encoding: chunked\r$/mi ? 'chunked'
		    : $head =~ /^content-length: *(\d+)\r$/mi ? $1 : undef);
	}
}

sub read_body {
	my ($c, $length) = @_;
	my $body = '';

	return read_chunks($c) if defined $length && $length eq 'chunked';
	while (!defined $length || length $c->{in} < $length) {
		more($c) or last;
	}
	die 'the body ends after ' . length($c->{in}) . " of $length bytes\n"
	    if defined $length && length $c->{in} < $length;
	return defined $length ? substr($c->{in}, 0, $length) : $c->{in};
}

sub read_chunks {
	my ($c) = @_;
	my $body = '';

	while (1) {
		until ($c->{in} =~ /\A([0-9A-Fa-f]+)\r\n/) {
			more($c) or die "the body ends before its last chunk\n";
		}
		my ($n, $start) = (hex($1), $+[0]);
		until (length $c->{in} >= $start + $n + 2) {
			more($c) or die "the body ends in a chunk\n";
		}
		return $body if $n == 0;
		$body .= substr($c->{in}, $start, $n);
		substr($c->{in}, 0, $start + $n + 2, '');
	}
}

1;
