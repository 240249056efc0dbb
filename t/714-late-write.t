#!/usr/bin/perl

# What comes between the verdict about a crate and the end of its publish takes long, or fails.  Has a
# PostgreSQL cluster of its own, since it stops it.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);

use Berth::Cluster;
use Berth::Fault;
use Berth::Test;

my $cluster = Berth::Cluster->start;
my $t = Berth::Test->new(workers => 1, cache_dir => undef, inspect_timeout => 2, request_timeout => 8);
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;
my $id = $t->project('demo/registry');
my $R = $t->registry($id);
$t->user('dev');
$t->member('dev', 'demo', 'maintainer');
my $token = $t->token('dev');
$t->start_pool;
is($t->publish($id, $token, 'first', '1.0.0')->{status}, 200, 'a publish');

# The processes of the pool.
sub processes {
	my $pid = $t->pool_pid;

	return join(' ', sort split(' ', Berth::Cluster::slurp("/proc/$pid/task/$pid/children")));
}

my $before = processes();
my $res = $fault->during('blob:fsynced', sub { $t->publish($id, $token, 'slow', '1.0.0') }, sub { sleep(3) });
is($res->{status}, 200, 'the disk takes longer than inspect_timeout') or diag($res->{body});

$res = $fault->during('publish:inspect', sub { $t->publish($id, $token, 'away', '1.0.0') },
    sub { $cluster->halt('immediate') });
is($res->{status}, 503, 'the database goes away for longer than patience');
$cluster->resume;
ok($t->wait_for(sub {
	return $t->http(PUT => "$R/api/v1/crates/first/1.0.0/unyank", { token => $token })->{status} == 200;
}), 'requests succeed again');
is(processes(), $before, 'no process of the pool has ended');
unlike($t->log('pool'), qr/was ended by signal|runtime error|AddressSanitizer/, 'the log names no crash');
is($t->publish($id, $token, 'away', '1.0.0')->{status}, 200, 'the publish succeeds then');

done_testing();
