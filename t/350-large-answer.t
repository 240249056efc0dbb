#!/usr/bin/perl

# Answers of some megabytes: whole, however slowly they are read, also one after the other over
# one connection; and peers that do not read to the end, which cost nobody anything.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Test::More;

use Berth::FastCGI qw(request fetch KEEP_CONN);
use Berth::Populate;
use Berth::Test;

use constant { VERSIONS => 12_000, TIMEOUT => 3 };

my $t = Berth::Test->new(workers => 2, write_workers => 1, request_timeout => TIMEOUT);
my $id = $t->project('demo/registry', 'public');
my $index = $t->registry($id) . '/la/rg/large';
my $path = $t->socket_path;

Berth::Populate::add($t->dsn('postgres'), project => $id, crates => [['large', VERSIONS], ['small', 1]]);
my $want = join('', map {
	my $version = Berth::Populate::version($_);
	Berth::Populate::index_line('large', $version, Berth::Populate::cksum('large', $version),
	    Berth::Populate::time_of(0, $_), undef) . "\n";
} 0 .. VERSIONS - 1);
cmp_ok(length $want, '>', 2_000_000, 'the index file has some megabytes');
my $master = $t->pool_pid;
$t->wait_for(sub { $t->log('pool') =~ /ready: 2 workers/ });
my $workers = workers();

sub is_whole {
	my ($res, $what) = @_;

	is($res->{status}, 200, "$what: status");
	is($res->{headers}{'content-length'}, length $want, "$what: length");
	is(sha256_hex($res->{body} // ''), sha256_hex($want), "$what: bytes");
	return;
}

is_whole(fetch($path, $index), 'at once');
my $c = client();
for my $i (1, 2, 3) {
	$c->send_bytes(request($index, flags => KEEP_CONN));
	is_whole($c->answer, "request $i of one connection");
}
undef $c;

$c = client();
$c->send_bytes(request($index));
my ($bytes, $n) = ('', 0);
while (sysread($c->{sock}, $bytes, 100_000)) {
	$n += length $bytes;
	select(undef, undef, undef, 0.005);
}
cmp_ok($n, '>', length $want, 'slowly: all of it comes');

my $res = $t->http(GET => $index);
is(sha256_hex($res->{body}), sha256_hex($want), 'through nginx');
$res = $t->http(GET => $index, { curl => ['--compressed'] });
is(sha256_hex($res->{body}), sha256_hex($want), 'and compressed');
is($t->http(HEAD => $index)->{headers}{'content-length'}, length $want, 'its length alone');

# ---- peers that do not want it ----

for my $read (0, 1, 70_000, 1_000_000) {
	$c = client();
	$c->send_bytes(request($index));
	$c->_take($read) if $read > 0;
	undef $c;
	is(fetch($path, $t->registry($id) . '/sm/al/small')->{status}, 200,
	    "gone after $read bytes: the next one is served");
}

# One for each worker: who reads nothing for so long has gone.
my @silent = map { client() } 1, 2;
$_->send_bytes(request($index)) for @silent;
is_whole(fetch($path, $index), 'silent readers do not hold the workers');
is(workers(), $workers, 'the workers are those of the beginning');
is($t->stop_pool, 0, 'and all ends well');
done_testing();

sub client {
	return Berth::FastCGI->connect($path) // die "$path: $!\n";
}

sub workers {
	open(my $fh, '<', "/proc/$master/task/$master/children") or die "children: $!\n";
	return join(' ', sort { $a <=> $b } split ' ', <$fh> // '');
}
