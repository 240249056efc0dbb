#!/usr/bin/perl

# Requests that may write have a socket and workers of their own: nginx sends them there, the socket's
# backlog is the queue, and no request there, even one without end, keeps anybody from reading.

use strict;
use warnings;

use IO::Socket::UNIX;
use POSIX ();
use Socket qw(AF_UNIX SOCK_STREAM pack_sockaddr_un);
use Test::More;
use Time::HiRes qw(sleep time);

use Berth::FastCGI qw(begin fetch params request stdin);
use Berth::Metrics;
use Berth::Test;

# Needs no database.
use constant PAGE => '/-/style.css';

my $t = Berth::Test->new(workers => 1, write_workers => 1, cache_dir => undef);
my $id = $t->project('demo/registry');
my $R = $t->registry($id);
my $publish = "$R/api/v1/crates/new";
$t->user('alice');
$t->member('alice', 'demo', 'maintainer');
my $token = $t->token('alice');
my ($read, $write) = ($t->socket_path, $t->write_socket_path);
my $noise = join('', map { chr(int(rand(256))) } 1 .. 200_000); # nginx asks before it reads so much

$t->start_pool;
ok($t->wait_for(sub { $t->log('pool') =~ /ready: 1 workers, 1 write workers/ }), 'one of each kind');
my %kind = map { pid_of(fetch($_->[1], PAGE)->{headers}{'x-request-id'}) => $_->[0] } ['read', $read],
    ['write', $write];
is(scalar keys %kind, 2, 'each socket has a worker of its own');

subtest 'which requests nginx sends where' => sub {
	my @conf = map { split(/^(?=location )/m, Berth::Cluster::slurp($_)) }
	    glob("$Berth::Cluster::ROOT/conf/nginx/*.conf");
	my %pass;
	for my $part (@conf) {
		my ($location) = $part =~ /^\s*location (.*) \{/m;

		$pass{ $location // 'what locations include' } = $_ for $part =~ /fastcgi_pass (\S+);/g;
	}

	cmp_ok(scalar keys %pass, '>=', 8, 'locations were found');
	is(delete $pass{'= /-/berth/upload-authorize'}, 'berth', 'whether somebody may upload is read');
	is(delete $pass{'@berth_upload_wait'}, 'berth_write',
	    'and asked of those who wait, where the others cannot say');
	is_deeply([grep { $pass{$_} ne '$berth_pool' } sort keys %pass], [], 'everywhere else the method counts');
	my %methods = (read => [qw(GET HEAD OPTIONS)], write => [qw(PUT POST PATCH DELETE MERGE)]);
	for my $path ("$R/config.json", "$R/api/v1/crates/none/1.0.0/yank", '/api/v4', '/-', '/api/v4/user',
	    '/-/tokens', '/-/liveness', '/-/readiness', '/-/worker', '/-/metrics', '/elsewhere') {
		for my $want (sort keys %methods) {
			my %got = map { $_ => kind_of($t->http($_ => $path,
			    { token => $token, headers => ['Content-Length: 0'] })) } @{ $methods{$want} };

			is_deeply(\%got, { map { $_ => $want } @{ $methods{$want} } }, "$want: $path");
		}
	}
	my $res = $t->publish($id, $token, 'first', '1.0.0', files => { noise => $noise });
	is($res->{status}, 200, 'a publish');
	is_deeply([map { $kind{$_} } pids_of($res->{headers}{'x-request-id'}, 2)], [qw(read write)],
	    'is asked about by one kind and done by the other');
};

subtest 'either kind serves what comes to it' => sub {
	my $body = $t->publish_body($t->metadata('direct', '1.0.0'), $t->make_crate('direct', '1.0.0'));

	is(fetch($read, $publish, REQUEST_METHOD => 'PUT', HTTP_AUTHORIZATION => $token, body => $body)->{status},
	    200, 'a publish by the socket for reads, as nginx files of before send it');
	is(fetch($write, "$R/di/re/direct", HTTP_AUTHORIZATION => $token)->{status}, 200,
	    'a read by the one for writes');
};

subtest 'writers that do not end' => sub {
	my @held = map { slow_write() } 1 .. 20;
	my $m = metrics(sub { $_[0]->value('berth_workers', kind => 'write', state => 'busy') == 1 });
	my $slowest = 0;

	is($m->value('berth_workers', kind => 'write', state => 'busy'), 1, 'the only one for writes is busy');
	for my $path ("$R/config.json", "$R/fi/rs/first", "$R/api/v1/crates?q=first",
	    '/api/v4/projects/' . $id . '/packages', "$R/first/1.0.0/download") {
		for (1 .. 5) {
			my $began = time;

			is($t->http(GET => $path, { token => $token })->{status}, 200, "meanwhile: $path");
			$slowest = time - $began if time - $began > $slowest;
		}
	}
	cmp_ok($slowest, '<', 10, 'nobody waited for the writers') or diag("$slowest s");
	my $before = $m->value('berth_worker_queue_duration_seconds_count', kind => 'write');
	my $pid = open(my $answer, '-|') // die "fork: $!\n";
	if ($pid == 0) {
		# theirs to close is not ours
		undef @held;
		print $t->publish($id, $token, 'waits', '1.0.0', files => { noise => $noise })->{status};
		close(STDOUT);
		POSIX::_exit(0);
	}
	ok($t->wait_for(sub { $t->log('pool')
	    =~ /route=publish_authorize status=204(?s:.*route=publish_authorize status=204)/ }),
	    'a publish may come');
	sleep(1.5);
	undef @held;
	my $res = <$answer>;
	close($answer);
	is($res, 200, 'a publish waits for its turn and is done');
	$m = metrics(sub { $_[0]->value('berth_worker_queue_duration_seconds_count', kind => 'write') > $before });
	cmp_ok($m->value('berth_worker_queue_duration_seconds_sum', kind => 'write'), '>', 0.5,
	    'how long it waited is counted');
	like($t->log('pool'), qr/route=publish status=200 .* queue_ms=\d{3,}\./, 'and logged');
};

subtest 'who has waited for too long' => sub {
	my $late = sub { return fetch($write, $publish, REQUEST_METHOD => 'PUT', HTTP_AUTHORIZATION => 'x',
	    body => 'x' x 300_000, BERTH_SENT => sprintf('%.3f', time - $_[0])) };
	my $res = $late->(22);

	is($res->{status}, 503, 'three quarters of request_timeout are over');
	is($res->{headers}{'retry-after'}, 5, 'it may come again');
	like($t->json($res)->{errors}[0]{detail}, qr/^the registry is busy/, 'in the error format of its route');
	is($late->(15)->{status}, 401, 'one that still has time is served');
	is(fetch($write, $publish, REQUEST_METHOD => 'PUT', BERTH_SENT => $_)->{status}, 401, "no time: `$_`")
	    for '', 'x', '1', '-1.000', '1.0', '1.0000', '9' x 30 . '.000', sprintf('%.3f', time + 100);
	is($t->http(PUT => $publish, { token => 'x',
	    headers => ['Berth-Sent: 1.000', 'BERTH_SENT: 1.000'] })->{status}, 401,
	    'no client can say so');
};

subtest 'who has gone while he waited' => sub {
	my @held = slow_write();
	my $gone = Berth::FastCGI->connect($write);
	my $body = $t->publish_body($t->metadata('gone', '1.0.0'), $t->make_crate('gone', '1.0.0'));

	$gone->send_bytes(request($publish, REQUEST_METHOD => 'PUT', HTTP_AUTHORIZATION => $token, body => $body,
	    REQUEST_ID => 'a1' x 16));
	undef $gone;
	undef @held;
	is(fetch($write, PAGE)->{status}, 200, 'the next one is served');
	is($t->psql("SELECT count(*) FROM crates WHERE name = 'gone'"), 0, 'and nothing was published');
	unlike($t->log('pool'), qr/ id=(?:a1){16} /, 'or even looked at');
};

subtest 'a queue that is full, and a pool that is away' => sub {
	my %away = (cargo => $publish, gitlab => '/api/v4/projects/1/deploy_tokens', text => '/-/tokens');
	my $said = sub {
		my ($res, $shape) = @_;

		return $shape eq 'cargo' ? $t->json($res)->{errors}[0]{detail}
		    : $shape eq 'gitlab' ? $t->json($res)->{message} : $res->{body};
	};
	my $unavailable = sub {
		my ($what, $shape, %opt) = @_;
		my $res = $t->http(($shape eq 'cargo' ? 'PUT' : 'POST') => $away{$shape},
		    { token => $token, body => 'x', %opt });

		is($res->{status}, 503, "$what: 503 to a write ($shape)");
		is($res->{headers}{'retry-after'}, 5, "$what: which may come again");
		is($res->{headers}{'cache-control'}, 'private, no-store', "$what: kept by nobody");
		like($res->{headers}{'x-served-by'}, qr/^[0-9a-f]{32}$/, "$what: with a request id");
		like($said->($res, $shape), $shape eq 'gitlab' ? qr/^503 Service Unavailable$/
		    : qr/^the registry is busy or restarting; .*\n?\z/, "$what: in its shape");
	};

	# A socket that nobody accepts from: the system refuses what does not fit at once.
	unlink($write);
	my $full = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $write, Listen => 1) or die "$write: $!\n";
	my @queued;
	for (1 .. 100) {
		socket(my $c, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
		$c->blocking(0);
		connect($c, pack_sockaddr_un($write)) or last;
		push @queued, $c;
	}
	cmp_ok(scalar @queued, '<', 100, 'full: there is no more room');
	my $began = time;
	$unavailable->('full', $_) for sort keys %away;
	cmp_ok(time - $began, '<', 10, 'full: it is said at once');
	like($t->log('nginx-error'), qr/Resource temporarily unavailable/, 'full: that was it');
	is($t->http(GET => "$R/config.json", { token => $token })->{status}, 200, 'full: reads go on');
	close($full);
	undef @queued;
	$unavailable->('away', $_) for sort keys %away;
	is($t->http(GET => "$R/config.json", { token => $token })->{status}, 200, 'away: reads go on');

	unlink($write);
	my $silent = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $write, Listen => 8) or die "$write: $!\n";
	$t->stop_nginx;
	$t->start_nginx(sub { s/fastcgi_read_timeout \d+s/fastcgi_read_timeout 1s/r });
	$unavailable->('too slow', $_) for sort keys %away;
	$t->stop_pool;
	is($t->http(GET => "$R/config.json", { token => $token, no_pool => 1 })->{status}, 502,
	    'a read: 502 as ever');
	$unavailable->('no pool to ask', 'cargo', no_pool => 1);
	close($silent);
	unlink($write);
};

$t->stop;
done_testing();

# The pids of the workers that have logged the request, in order.
sub pids_of {
	my ($request_id, $n) = @_;
	my @pids;

	$t->wait_for(sub { return (@pids = $t->log('pool') =~ / pid=(\d+) event=request id=$request_id /g) >= $n });
	return @pids;
}

sub pid_of { return (pids_of($_[0], 1))[0] }

sub kind_of {
	my ($res) = @_;

	return $kind{ pid_of($res->{headers}{'x-request-id'}) };
}

# A request that begins, but never sends its body.
sub slow_write {
	my $c = Berth::FastCGI->connect($write) // die "$write: $!\n";

	$c->send_bytes(begin() . params(REQUEST_METHOD => 'PUT', REQUEST_URI => $publish,
	    HTTP_AUTHORIZATION => $token, CONTENT_LENGTH => 100_000) . params() . stdin('x'));
	return $c;
}

sub metrics {
	my ($until) = @_;
	my $m;

	$t->wait_for(sub { return $until->($m = Berth::Metrics->parse($t->http(GET => '/-/metrics')->{body})) });
	return $m;
}
