#!/usr/bin/perl

# What a peer on the pool's socket may do wrong.  None of it costs so much as a
# worker.  There is no database: what is asked for here needs none.

use strict;
use warnings;

use Test::More;

use Berth::FastCGI qw(record begin pairs params stdin request fetch BEGIN_REQUEST
    ABORT_REQUEST PARAMS INPUT GET_VALUES GET_VALUES_RESULT RESPONDER KEEP_CONN);
use Berth::Test;

# The one page that needs no database.
use constant { PAGE => '/-/style.css', AUTHORIZER => 2, FILTER => 3 };

my $t = Berth::Test->new(database => 'host=/nonexistent', workers => 2, write_workers => 1,
    cache_dir => undef, request_timeout => 3);
my $path = $t->socket_path;
my $master = $t->pool_pid;

$t->wait_for(sub { $t->log('pool') =~ /ready: 2 workers, 1 write workers/ });
my $workers = workers();
like($workers, qr/^\d+ \d+ \d+$/, 'two workers, and one that writes');

# ---- sound requests, however they are cut ----

my $res = fetch($path, PAGE, REQUEST_ID => 'a1' x 16);
is($res->{status}, 200, 'a plain request');
is_deeply($res->{end}, [0, 0], 'ends well');
is($res->{headers}{'content-length'}, length $res->{body}, 'its length is right');
is($res->{headers}{'x-request-id'}, 'a1' x 16, 'the id that was given');
is($res->{headers}{'x-served-by'}, 'a1' x 16, 'also where cargo shows it');
like(fetch($path, PAGE, REQUEST_ID => 'x')->{headers}{'x-request-id'}, qr/^[0-9a-f]{32}$/,
    'a bad id is replaced');

my $c = client();
$c->send_bytes($_) for split //, request(PAGE);
is($c->answer->{status}, 200, 'byte by byte');

my $pairs = pairs(REQUEST_METHOD => 'GET', REQUEST_URI => PAGE, CONTENT_LENGTH => 0);
answers([begin(), (map { record(PARAMS, $_) } split //, $pairs), params(), stdin()], 200,
    'a record for each byte of the parameters');
answers([begin(), record(PARAMS, $pairs, padding => 255), params(), record(INPUT, 'x', padding => 7),
    stdin()], 200, 'padding');
answers([begin(), record(PARAMS, pairs({ long => 1 }, REQUEST_METHOD => 'GET',
    REQUEST_URI => PAGE)), params(), stdin()], 200, 'long lengths of short parameters');

my $huge = pairs(HTTP_X_HUGE => 'x' x 200_000) . $pairs;
answers([begin(), (map { record(PARAMS, $_) } unpack('(a65535)*', $huge)), params(), stdin()], 200,
    'parameters of more than 64 kB');
answers([begin(), (map { params("HTTP_X_$_" => $_) } 1 .. 2000), record(PARAMS, $pairs), params(),
    stdin()], 200, 'two thousand parameters');
answers([request(PAGE, body => 'x' x 65536)], 200, 'a body that nobody wants');
answers([request(PAGE, body => 'x' x 65537)], 413, 'too much of it');
answers([begin(), record(PARAMS, $pairs . pairs(REQUEST_URI => '/nowhere')), params(), stdin()],
    200, 'the first of two equal parameters counts');

$c = client();
for my $n (1, 2) {
	$c->send_bytes(request(PAGE, flags => KEEP_CONN));
	is($c->answer->{status}, 200, "request $n of a kept connection");
}
$c->send_bytes(request(PAGE));
is($c->answer->{status}, 200, 'and the last');
ok(!defined $c->answer, 'after which it is closed');

# ---- headers that mean nothing here ----

is(fetch($path, PAGE, HTTP_CONTENT_LENGTH => 99999999, HTTP_TRANSFER_ENCODING => 'chunked',
    HTTP_HOST => 'evil.example', SERVER_NAME => 'evil.example')->{status}, 200,
    'what only nginx may judge is ignored');
is(fetch($path, 'http://evil.example/-/style.css')->{status}, 400, 'an absolute URI');
is(fetch($path, PAGE, CONTENT_LENGTH => '+0')->{status}, 400, 'a length that is none');
is(fetch($path, '/%2e%2e/x')->{status}, 400, 'a dot segment');
is(fetch($path, '/' . 'a' x 5000)->{status}, 414, 'a path that is too long');
answers([begin(), params(REQUEST_METHOD => 'GET'), params(), stdin()], 400, 'no path at all');
answers([begin(), params(), stdin()], 400, 'no parameters at all');

# ---- management records, multiplexing ----

$c = client();
$c->send_bytes(record(GET_VALUES, pairs(FCGI_MPXS_CONNS => ''), id => 0) . request(PAGE));
my @records = $c->records;
is($records[0][0], GET_VALUES_RESULT, 'a question about the application is answered');
is($records[0][2], pairs(FCGI_MPXS_CONNS => 0), 'truly');
is($records[-1][0], Berth::FastCGI::END_REQUEST, 'and the request after it too');

$c = client();
$c->send_bytes(begin() . record(PARAMS, $pairs) . begin(0, RESPONDER, id => 2) . params() . stdin());
my $second = $c->answer;
is_deeply($second->{end}, [0, 1], 'a second request at the same time is refused');
is($c->answer->{status}, 200, 'and the first one answered');

# ---- nonsense ----

my @nonsense = (
	'nothing' => '',
	'half a header' => "\1\1\0",
	'an HTTP request' => "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	'another version' => begin(0, RESPONDER, version => 2),
	'another version of the parameters' => begin() . record(PARAMS, $pairs, version => 0),
	'an authorizer' => begin(0, AUTHORIZER) . record(PARAMS, $pairs) . params() . stdin(),
	'a filter' => begin(0, FILTER) . record(PARAMS, $pairs) . params() . stdin(),
	'an unknown role' => begin(0, 99) . record(PARAMS, $pairs) . params() . stdin(),
	'a beginning of a wrong length' => record(BEGIN_REQUEST, "\0\1\0"),
	'request number 0' => begin(0, RESPONDER, id => 0),
	'the parameters first' => record(PARAMS, $pairs) . params() . stdin(),
	'a body instead of parameters' => begin() . stdin('x'),
	'an abort among the parameters' => begin() . record(PARAMS, $pairs)
	    . record(ABORT_REQUEST, '') . params() . stdin(),
	'parameters that break off' => begin() . record(PARAMS, $pairs),
	'a record that breaks off' => begin() . record(PARAMS, $pairs, length => 65535),
	'a name longer than all that comes' => begin() . record(PARAMS, pack('NC', 1 << 31 | 1 << 24, 1)
	    . 'x' x 100) . params() . stdin(),
	'a value longer than all that comes' => begin() . record(PARAMS, pack('CN', 1, 1 << 31 | 1 << 24)
	    . 'x' x 100) . params() . stdin(),
	'a length that breaks off' => begin() . record(PARAMS, "\x80\0") . params() . stdin(),
	'a value without its length' => begin() . record(PARAMS, "\1") . params() . stdin(),
);
while (my ($what, $bytes) = splice(@nonsense, 0, 2)) {
	$c = client();
	$c->send_bytes($bytes);
	$c->shut;
	ok(!defined $c->answer, "$what: no answer");
}

for my $case (
	['an abort in the body', record(ABORT_REQUEST, '')],
	['another version in the body', record(INPUT, 'x', version => 9)],
	['a body that breaks off', ''],
) {
	my ($what, $bytes) = @$case;

	$c = client();
	$c->send_bytes(begin() . record(PARAMS, $pairs) . params() . $bytes);
	$c->shut;
	eval { $c->answer; 1 } or diag($@);
	is($@, '', "$what: it ends");
}

# Two that say no more, one for each worker: they are cut off, and nobody waits for good.
my @silent = map { client() } 1, 2;
$_->send_bytes("\1") for @silent;
is(fetch($path, PAGE)->{status}, 200, 'silent peers do not hold the workers');
ok(!defined $_->answer, 'and are cut off') for @silent;

is(workers(), $workers, 'the workers are those of the beginning');
is($t->pool_pid, $master, 'so is the master');
is($t->stop_pool, 0, 'and it ends well');
done_testing();

sub client {
	return Berth::FastCGI->connect($path) // die "$path: $!\n";
}

sub answers {
	my ($pieces, $status, $what) = @_;
	my $peer = client();

	$peer->send_bytes(join('', @$pieces));
	my $got = $peer->answer;
	is(defined $got ? $got->{status} : 'no answer', $status, $what);
	return;
}

# The pids of the workers, sorted.
sub workers {
	open(my $fh, '<', "/proc/$master/task/$master/children") or die "children: $!\n";
	return join(' ', sort { $a <=> $b } split ' ', <$fh> // '');
}
