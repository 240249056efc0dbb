package Berth::FastCGI;

# FastCGI by hand, for what no web server would send.
#
#	my $c = Berth::FastCGI->connect($path);
#	$c->send_bytes(begin() . params(REQUEST_URI => '/') . params() . stdin());
#	my $res = $c->answer;    # { status, headers, body, end => [app, protocol] }

use strict;
use warnings;

use Exporter qw(import);
use IO::Select;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM);

our @EXPORT_OK = qw(record begin pairs params stdin request fetch
    BEGIN_REQUEST ABORT_REQUEST END_REQUEST PARAMS INPUT OUTPUT GET_VALUES GET_VALUES_RESULT
    RESPONDER KEEP_CONN);

use constant {
	BEGIN_REQUEST => 1, ABORT_REQUEST => 2, END_REQUEST => 3, PARAMS => 4, INPUT => 5,
	OUTPUT => 6, GET_VALUES => 9, GET_VALUES_RESULT => 10,
	RESPONDER => 1, KEEP_CONN => 1,
};

# Seconds that an answer may take.
use constant PATIENCE => 30;

# One record; options: id, version, padding (bytes), length (a wrong one).
sub record {
	my ($type, $content, %opt) = @_;

	return pack('CCnnCx', $opt{version} // 1, $type, $opt{id} // 1,
	    $opt{length} // length $content, $opt{padding} // 0)
	    . $content . ("\xaa" x ($opt{padding} // 0));
}

sub begin {
	my ($flags, $role, %opt) = @_;

	return record(BEGIN_REQUEST, pack('nCx5', $role // RESPONDER, $flags // 0), %opt);
}

# Name-value pairs in the short form where it does; with { long => 1 } never.
sub pairs {
	my %opt = ref $_[0] ? %{ shift() } : ();
	my $out = '';

	while (my ($name, $value) = splice(@_, 0, 2)) {
		$out .= join('', map { !$opt{long} && $_ < 128 ? pack('C', $_) : pack('N', $_ | 1 << 31) }
		    length $name, length $value) . $name . $value;
	}
	return $out;
}

# One record of parameters, or, of none, the one that ends them.
sub params { return record(PARAMS, pairs(@_)); }

sub stdin { return record(INPUT, $_[0] // ''); }

# All the records of a simple request; a hash of parameters, `flags` and `body`.
sub request {
	my ($uri, %opt) = @_;
	my $body = delete $opt{body} // '';
	my $flags = delete $opt{flags} // 0;
	my %params = (REQUEST_METHOD => 'GET', REQUEST_URI => $uri, CONTENT_LENGTH => length $body,
	    %opt);
	my $out = begin($flags) . params(%params) . params();

	$out .= stdin(substr($body, 0, 65535, '')) while length $body;
	return $out . stdin();
}

sub connect {
	my ($class, $path) = @_;
	my $sock = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) or return undef;

	return bless { sock => $sock }, $class;
}

# False where the peer has gone.
sub send_bytes {
	my ($self, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';

	while (length $bytes) {
		my $n = syswrite($self->{sock}, $bytes);
		return 0 unless defined $n;
		substr($bytes, 0, $n, '');
	}
	return 1;
}

sub shut { shutdown($_[0]{sock}, 1); return; }

# Up to the end of a request, or of the connection: [type, id, content] each.
# Dies where nothing comes for too long.
sub records {
	my ($self) = @_;
	my @records;

	while (defined(my $head = $self->_take(8))) {
		my ($type, $id, $n, $padding) = unpack('xCnnC', $head);
		my $content = $self->_take($n + $padding);

		last unless defined $content;
		push @records, [$type, $id, substr($content, 0, $n)];
		last if $type == END_REQUEST;
	}
	return @records;
}

# The answer to a request; undef where the connection ends without one.
sub answer {
	my ($self) = @_;
	my @records = $self->records;
	my $end = pop @records;

	return undef unless defined $end && $end->[0] == END_REQUEST;
	my $text = join('', map { $_->[2] } grep { $_->[0] == OUTPUT } @records);
	my ($head, $body) = split /\r\n\r\n/, $text, 2;
	my %headers = map { /^([^:]+): (.*)$/ ? (lc $1 => $2) : () } split /\r\n/, $head // '';

	return {
		status => ($headers{status} // '') =~ /^(\d+)/ ? $1 : undef,
		headers => \%headers,
		body => $body,
		end => [unpack('NC', $end->[2])],
	};
}

# A request on a connection of its own.
sub fetch {
	my ($path, $uri, %opt) = @_;
	my $c = __PACKAGE__->connect($path) or return undef;

	$c->send_bytes(request($uri, %opt));
	return $c->answer;
}

sub _take {
	my ($self, $n) = @_;
	my $out = '';

	while (length $out < $n) {
		die "no answer within @{[PATIENCE]} s\n"
		    unless IO::Select->new($self->{sock})->can_read(PATIENCE);
		my $got = sysread($self->{sock}, $out, $n - length $out, length $out);
		return undef unless $got;
	}
	return $out;
}

1;
