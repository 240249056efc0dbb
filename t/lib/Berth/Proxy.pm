package Berth::Proxy;

# A proxy for HTTP CONNECT on this machine, which writes down what it is asked.
#
#	my $proxy = Berth::Proxy->new($t);
#	$proxy->set(user => 'berth:secret');     # 407 for all others
#	$proxy->set(status => 403);              # its answer to everybody
#	is_deeply([map { $_->{line} } $proxy->asked], ['CONNECT localhost:8443 HTTP/1.1']);
#	$proxy->stop; $proxy->start;
#
# All names are this machine's for it, so hosts that nobody else knows can be reached.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);

use Berth::Cluster;
use Berth::Test;

my $json = JSON::PP->new->utf8->canonical;
my $count = 0;

sub new {
	my ($class, $t) = @_;
	my $dir = $t->dir . '/proxy' . ++$count;
	my $self = bless { owner => $$, dir => $dir, port => Berth::Test::claim_port() }, $class;

	mkdir($dir) or die "$dir: $!\n";
	$self->set;
	$self->start;
	return $self;
}

sub place { return "localhost:$_[0]{port}" }

sub set {
	my ($self, %answers) = @_;

	Berth::Test::write_file("$self->{dir}/answers.new", $json->encode(\%answers));
	rename("$self->{dir}/answers.new", "$self->{dir}/answers") or die "answers: $!\n";
	return;
}

sub start {
	my ($self) = @_;

	return if $self->{pid};
	$self->{pid} = Berth::Test::spawn("$self->{dir}/log", $^X, "-I$Berth::Cluster::ROOT/t/lib",
	    '-MBerth::Proxy', '-e', 'Berth::Proxy::serve(@ARGV)', $self->{dir}, $self->{port});
	Berth::Test::wait_for(sub { -e "$self->{dir}/listens" }, 30) or die "the proxy does not start\n";
	return;
}

sub stop {
	my ($self) = @_;

	return if $self->{owner} != $$ || !$self->{pid};
	local ($?, $!);
	# with those that it has forked
	kill('TERM', -$self->{pid});
	waitpid(delete $self->{pid}, 0);
	unlink("$self->{dir}/listens");
	return;
}

sub DESTROY { $_[0]->stop }

# What it was asked so far: { line => ..., headers => { name => value } }.
sub asked {
	my ($self) = @_;

	my @lines = -e "$self->{dir}/asked" ? split(/\n/, Berth::Cluster::slurp("$self->{dir}/asked")) : ();

	return map { $json->decode($_) } @lines;
}

# ---- the process ----

sub serve {
	my ($dir, $port) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 64,
	    ReuseAddr => 1) or die "port $port: $!\n";

	$SIG{CHLD} = 'IGNORE';
	Berth::Test::write_file("$dir/listens", '');
	while (1) {
		my $client = $listener->accept or next;

		next if fork;
		_answer($dir, $client);
		exit(0);
	}
}

sub _answer {
	my ($dir, $client) = @_;
	my $head = '';

	while ($head !~ /\r\n\r\n/) {
		sysread($client, $head, 65536, length($head)) or return;
		# TLS, say
		return if $head !~ /^[A-Z]/;
	}
	my ($line, @lines) = split(/\r\n/, $head);
	my %headers = map { my ($name, $value) = split(/: */, $_, 2); (lc $name, $value) } @lines;
	open(my $asked, '>>', "$dir/asked") or die "asked: $!\n";
	syswrite($asked, $json->encode({ line => $line, headers => \%headers }) . "\n");
	my $answers = $json->decode(Berth::Cluster::slurp("$dir/answers"));
	my $user = $answers->{user};
	my $status = $answers->{status};

	sleep($answers->{delay}) if $answers->{delay};
	$status //= 407 if defined $user
	    && ($headers{'proxy-authorization'} // '') ne 'Basic ' . encode_base64($user, '');
	my ($port) = $line =~ /^CONNECT \S+:(\d+) HTTP/;
	$status //= 405 unless $port;
	my $there = $status ? undef : IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
	$status //= $there ? 200 : 502;
	syswrite($client, "HTTP/1.1 $status Answer\r\n"
	    . ($status == 407 ? "Proxy-Authenticate: Basic realm=\"x\"\r\n" : '')
	    . ($status == 200 ? '' : "Content-Length: 0\r\n") . "\r\n");
	_relay($client, $there) if $status == 200;
}

sub _relay {
	my ($client, $there) = @_;
	my $both = IO::Select->new($client, $there);

	while (1) {
		for my $from ($both->can_read) {
			my $to = $from == $client ? $there : $client;

			sysread($from, my $bytes, 65536) or return;
			syswrite($to, $bytes) or return;
		}
	}
}

1;
