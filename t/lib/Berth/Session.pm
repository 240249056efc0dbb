package Berth::Session;

# A session with PostgreSQL, by its protocol, in this process: a test asks thousands of times, and a psql with
# a session of its own for each of them would take a third of its time.
#
#	my $session = Berth::Session->new("$dir/.s.PGSQL.5432", $database, $role);
#	print $session->run('SELECT 1; SELECT 2');      # as psql -At: "1\n2\n"
#
# The statements of one text are one transaction, as for psql -c.  Errors die with what psql says.

use strict;
use warnings;

use IO::Select;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM);

use constant PROTOCOL => 3 << 16;

# Fields of an error, and what psql writes before them.
my @shown = ([M => ''], [D => "\nDETAIL:  "], [H => "\nHINT:  "], [W => "\nCONTEXT:  "]);

sub new {
	my ($class, $path, $database, $role) = @_;
	my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path)
	    or die "error: connection to server on socket \"$path\" failed: $!\n";
	my $self = bless { owner => $$, socket => $socket, in => '' }, $class;

	$self->_send('', pack('N(Z*)*x', PROTOCOL, user => $role, database => $database,
	    application_name => 'psql'));
	$self->_answer;
	return $self;
}

# What psql -At prints for these statements; or $take gets it, row by row, where it may be too much.
sub run {
	my ($self, $sql, $take) = @_;

	# the bytes that a program would get
	utf8::encode($sql) if utf8::is_utf8($sql);
	$self->_send('Q', "$sql\0");
	return $self->_answer($take);
}

# Sends these statements, and waits neither for their end nor for what they answer.
sub start {
	my ($self, $sql) = @_;

	$self->_send('Q', "$sql\0");
	return;
}

# Lets nothing of what was run before be seen by what is run next: no setting, lock or table of the session.
# False where only a new session can do that.
sub forget {
	my ($self) = @_;

	return 0 if $self->{state} ne 'I' || $self->has_ended;
	return eval { $self->run('DISCARD ALL'); 1 } // 0;
}

# The server says nothing by itself, unless it ends the session.
sub has_ended {
	my ($self) = @_;

	return IO::Select->new($self->{socket})->can_read(0) ? 1 : 0;
}

# The session ends, whoever else has a copy of the socket.
sub DESTROY {
	my ($self) = @_;

	# at the very end the socket may have gone first
	$self->_send('X', '') if $self->{owner} == $$ && defined $self->{socket};
}

sub _send {
	my ($self, $type, $content) = @_;
	my $bytes = $type . pack('N', 4 + length $content) . $content;
	local $SIG{PIPE} = 'IGNORE';

	while (length $bytes) {
		my $n = syswrite($self->{socket}, $bytes);
		next if !defined $n && $!{EINTR};
		# the server may have said why
		return unless defined $n;
		substr($bytes, 0, $n, '');
	}
	return;
}

# Up to where the server is ready for more.  Notices are as nothing; what it asks for COPY it does not get.
sub _answer {
	my ($self, $take) = @_;
	my ($out, $error) = ('');

	$take //= sub { $out .= $_[0] };
	while (1) {
		my ($type, $content) = $self->_message;
		die $error // "server closed the connection unexpectedly\n" unless defined $type;
		if ($type eq 'D') {
			$take->(_row($content));
		} elsif ($type eq 'd') {
			$take->($content);
		} elsif ($type eq 'E') {
			$error //= _error($content);
		} elsif ($type eq 'G') {
			$self->_send('f', "there is nothing to copy\0");
		} elsif ($type eq 'Z') {
			$self->{state} = $content;
			die $error if defined $error;
			return $out;
		}
	}
}

sub _row {
	my ($content) = @_;
	my $n = unpack('n', $content);
	my $at = 2;
	my @columns;

	for (1 .. $n) {
		my $length = unpack('l>', substr($content, $at, 4));

		push @columns, $length < 0 ? '' : substr($content, $at + 4, $length);
		$at += 4 + ($length < 0 ? 0 : $length);
	}
	return join('|', @columns) . "\n";
}

sub _error {
	my ($content) = @_;
	my %field = map { /\A(.)(.*)\z/s ? ($1 => $2) : () } split(/\0/, $content);

	return "$field{S}:  " . join('', map { my ($key, $before) = @$_;
		defined $field{$key} ? "$before$field{$key}" : () } @shown) . "\n";
}

# The next message: (type, content), or nothing at the end of the session.
sub _message {
	my ($self) = @_;

	$self->_read(5) or return;
	my ($type, $length) = unpack('a N', $self->{in});
	$self->_read(1 + $length) or return;
	my $message = substr($self->{in}, 0, 1 + $length, '');
	return ($type, substr($message, 5));
}

sub _read {
	my ($self, $n) = @_;

	while (length $self->{in} < $n) {
		my $got = sysread($self->{socket}, $self->{in}, 1 << 16, length $self->{in});
		next if !defined $got && $!{EINTR};
		return 0 unless $got;
	}
	return 1;
}

1;
