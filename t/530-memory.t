#!/usr/bin/perl
# Memory: an idle worker is small, and the size of a crate does not show in any process.
# Of the plain build: sanitizers keep shadow memory of their own.

use strict;
use warnings;

use List::Util qw(max);
use Test::More;

use Berth::Test;

# Linux counts in kB.  What is idle is counted without pages of programs and libraries, which all
# processes share, and of which kernels differ in how many they map.
use constant { IDLE_MAX => 5 * 1024, RISE_MAX => 2 * 1024 };

my $plain = "$Berth::Cluster::ROOT/build";
plan skip_all => 'the plain build is not there (make check makes it)' unless -x "$plain/berth-fcgi";

# The keeper would be a child that takes no request.
my $t = Berth::Test->new(workers => 2, write_workers => 1, max_requests => 0, cache_dir => undef,
    inspector => "$plain/berth-inspect", pool_build => $plain);
my $id = $t->project('demo/registry');
$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');

sub status_of {
	my ($pid) = @_;

	open(my $fh, '<', "/proc/$pid/status") or return;
	return { map { /^(\w+):\s+(\d+) kB/ ? ($1 => $2) : () } <$fh> };
}

sub children {
	my ($pid) = @_;

	return split(' ', do { local (@ARGV, $/) = "/proc/$pid/task/$pid/children"; <> } // '');
}

sub publish_some {
	my ($version, $size) = @_;
	my $bytes = join('', map { chr(int(rand(256))) } 1 .. 4096) x ($size / 4096);

	# not compressible by a window of 32 kB would need random bytes throughout
	substr($bytes, $_ * 4096, 8) = pack('NN', rand(2**32), rand(2**32)) for 0 .. $size / 4096 - 1;
	for my $i (1 .. 8) {
		my $res = $t->publish($id, $token, 'heavy', "$version.$i", files => { 'data.bin' => $bytes });

		is($res->{status}, 200, "version $version.$i") or diag($res->{body});
	}
}

$t->start_pool;
my @workers;
Berth::Test::wait_for(sub { @workers = children($t->pool_pid); return @workers == 3; });
is(scalar @workers, 3, 'two workers, and one that writes');
# the first request connects and warms up
publish_some('0.1', 4096);
# large bodies come by curl, and TLS has memory of its own
$t->http(GET => '/-/liveness', { tls => 1 }) for 1 .. 8;
my @kinds = ([$t->pool_pid], \@workers, [$t->{nginx}], [children($t->{nginx})]);
# of each kind the most that one came to: a sibling may still do for the first time what that one did
my @before = map { max(map { status_of($_)->{VmHWM} } @$_) } @kinds;
for my $worker (@workers) {
	my $status = status_of($worker);
	my $own = $status->{VmRSS} - $status->{RssFile};

	cmp_ok($own, '<', IDLE_MAX, "an idle worker has $own kB");
}

my $random = '';
{
	open(my $urandom, '<:raw', '/dev/urandom') or die "urandom: $!\n";
	read($urandom, $random, 10_000_000);
}
for my $i (1 .. 8) {
	my $res = $t->publish($id, $token, 'heavy', "1.0.$i", files => { 'data.bin' => $random });

	is($res->{status}, 200, "a crate of 10 MB, $i") or diag($res->{body});
}
for my $i (0 .. $#kinds) {
	for my $pid (@{ $kinds[$i] }) {
		my $rise = status_of($pid)->{VmHWM} - $before[$i];

		cmp_ok($rise, '<', RISE_MAX, "process $pid rose by $rise kB");
	}
}

done_testing();
