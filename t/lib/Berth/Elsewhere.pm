package Berth::Elsewhere;

# Another server on this machine, over TLS with a certificate of the tests' own authority: an
# issuer of identity tokens, a GitLab.  nginx does TLS, a small process behind it answers what it is
# told to.
#
#	my $there = Berth::Elsewhere->new($t);
#	$there->answer('/keys', { keys => [...] });         # a hash is JSON, text is itself
#	$there->answer('/slow', 'x', status => 200, delay => 3, headers => ['Location: /keys']);
#	$there->answer('/large', 'x', length => 1 << 30);   # what it announces
#	$there->answer_header('/api/v4/job', 'job-token', { $token => [200, {...}] }, [401, {...}]);
#	is($there->count('/keys'), 1);
#	$there->stop; $there->start;
#
# What it is told is in a file that it reads anew for each request.

use strict;
use warnings;

use IO::Socket::UNIX;
use JSON::PP ();
use Socket qw(SOCK_STREAM);
use Storable ();
use Time::HiRes qw(sleep);

use Berth::Cluster;

my $json = JSON::PP->new->utf8->canonical;
my $count = 0;

sub new {
	my ($class, $t) = @_;
	my $dir = $t->dir . '/elsewhere' . ++$count;
	my $self = bless { owner => $$, dir => $dir, tls => $t->cacert =~ s{/[^/]*$}{}r, routes => {} }, $class;

	mkdir($dir) or die "$dir: $!\n";
	$self->{port} = Berth::Test::claim_port();
	# by their tokens it knows who asks
	$t->holds_tokens("$dir/routes");
	$self->_tell;
	$self->start;
	return $self;
}

sub url { "https://localhost:$_[0]{port}" }

sub start {
	my ($self) = @_;

	return if $self->{nginx};
	$self->{server} = Berth::Test::spawn("$self->{dir}/server.log", $^X, "-I$Berth::Cluster::ROOT/t/lib",
	    '-MBerth::Elsewhere', '-e', 'Berth::Elsewhere::serve($ARGV[0])', "$self->{dir}/");
	$self->_write_nginx_conf;
	$self->{nginx} = Berth::Test::spawn("$self->{dir}/nginx.log", Berth::Test::nginx_program(), '-e',
	    'stderr', '-c', "$self->{dir}/nginx.conf", '-g', 'daemon off;');
	Berth::Test::wait_for(sub {
		return -S "$self->{dir}/sock" && IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port});
	}, 30) or die "the other server does not start\n";
	return;
}

sub stop {
	my ($self) = @_;

	return if $self->{owner} != $$;
	local ($?, $!);
	for my $what (qw(nginx server)) {
		my $pid = delete $self->{$what} // next;

		kill('TERM', $pid);
		waitpid($pid, 0);
	}
	unlink("$self->{dir}/sock");
	return;
}

sub DESTROY { $_[0]->stop }

# The answer to a path, whatever is asked.
sub answer {
	my ($self, $path, $body, %opt) = @_;

	$self->{routes}{$path} = { answer => [$opt{status} // 200, $body, $opt{headers} // [], $opt{length}],
	    delay => $opt{delay} // 0 };
	$self->_tell;
	return;
}

# One that depends on a header: value => [status, body], and [status, body] for all others.
sub answer_header {
	my ($self, $path, $header, $by_value, $else, %opt) = @_;

	$self->{routes}{$path} = { header => $header, by_value => $by_value, answer => $else,
	    delay => $opt{delay} // 0 };
	$self->_tell;
	return;
}

# How often a path was asked for.
sub count {
	my ($self, $path) = @_;

	return scalar grep { $_ eq $path } $self->paths;
}

sub paths {
	my ($self) = @_;

	return -e "$self->{dir}/asked" ? split(/\n/, Berth::Cluster::slurp("$self->{dir}/asked")) : ();
}

sub _tell {
	my ($self) = @_;

	# not as JSON: large bodies would take Perl seconds, at each request
	Storable::store($self->{routes}, "$self->{dir}/routes.new");
	rename("$self->{dir}/routes.new", "$self->{dir}/routes") or die "routes: $!\n";
}

sub _write_nginx_conf {
	my ($self) = @_;
	my $d = $self->{dir};

	Berth::Test::write_file("$d/nginx.conf", <<"CONF");
@{[$> == 0 ? 'user root;' : '']}
worker_processes 1;
pid "$d/nginx.pid";
error_log stderr error;
events { }
http {
	access_log off;
	@{[map { "${_}_temp_path \"$d/$_\";\n" } qw(client_body fastcgi proxy scgi uwsgi)]}
	large_client_header_buffers 4 16k;
	server {
		listen 127.0.0.1:$self->{port} ssl;
		ssl_certificate "$self->{tls}/server.pem";
		ssl_certificate_key "$self->{tls}/server.key";
		location / {
			proxy_pass "http://unix:$d/sock";
			proxy_read_timeout 60s;
		}
	}
}
CONF
}

# ---- the process behind nginx ----

# One request after the other; one that is to wait is answered by a process of its own.
sub serve {
	my ($dir) = @_;
	my $listener = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => "${dir}sock", Listen => 64)
	    or die "${dir}sock: $!\n";

	$SIG{CHLD} = 'IGNORE';
	# a client that has seen enough hangs up
	$SIG{PIPE} = 'IGNORE';
	while (1) {
		my $client = $listener->accept or next;
		my ($line, %headers) = _read_head($client) or next;
		my ($method, $path) = split(/ /, $line);

		open(my $asked, '>>', "${dir}asked") or die "asked: $!\n";
		print {$asked} "$path\n";
		close($asked);
		my $route = Storable::retrieve("${dir}routes")->{$path};
		if ($route && $route->{delay} && fork) {
			next;
		}
		sleep($route->{delay}) if $route && $route->{delay};
		_respond($client, $route, \%headers);
		exit(0) if $route && $route->{delay};
	}
}

sub _read_head {
	my ($client) = @_;
	my $head = '';

	while ($head !~ /\r\n\r\n/) {
		sysread($client, $head, 65536, length($head)) or return;
	}
	my ($line, @lines) = split(/\r\n/, $head);
	return ($line, map { my ($name, $value) = split(/: */, $_, 2); (lc $name, $value) } grep { length } @lines);
}

sub _respond {
	my ($client, $route, $headers) = @_;
	my $answer = $route ? $route->{answer} : [404, { message => '404 Not Found' }];

	if ($route && defined $route->{header}) {
		$answer = $route->{by_value}{ $headers->{ $route->{header} } // '' } // $answer;
	}
	my ($status, $body, $more, $length) = @$answer;
	$body = $json->encode($body) if ref $body;
	print {$client} "HTTP/1.0 $status Answer\r\nContent-Type: application/json\r\nContent-Length: ",
	    $length // length($body), "\r\n", map({ "$_\r\n" } @{ $more // [] }), "\r\n", $body;
	close($client);
}

1;
