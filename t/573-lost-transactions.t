#!/usr/bin/perl

# A server that has lost transactions, after a failover or from a backup, uses their numbers again: what a
# worker has seen under a number says nothing about a row that has this number now.  Has a cluster of its own,
# since it puts back an older copy of it.

use strict;
use warnings;

use File::Path qw(remove_tree);
use Test::More;

use Berth::Cluster;
use Berth::Test;

my $cluster = Berth::Cluster->start;
my $t = Berth::Test->new(workers => 1, write_workers => 1, publish_burst => 0, new_crate_burst => 0,
    failed_login_burst => 0, cache_dir => undef);
my $id = $t->project('demo/priv');
my $data = $cluster->socket_dir =~ s/sock$/data/r;
my $row = 'id = (SELECT max(id) FROM tokens)';

$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');
$t->start_pool;

my $n = 0;
sub publish { return $t->publish($id, $token, 'crate-' . ++$n, '1.0.0')->{status}; }

sub version_of_row { return $t->psql("SELECT xmin FROM tokens WHERE $row"); }

# the worker notes the use of the token now, and not again in the next minute
is(publish(), 200, "publish $_") for 1 .. 4;
$cluster->halt('fast');
is(system('cp', '-a', $data, "$data.old"), 0, 'a copy of the cluster');
$cluster->resume;
$t->psql("UPDATE tokens SET last_used_at = now() WHERE $row");
my $version = version_of_row();
is(publish(), 200, 'a publish that knows the token by this version of its row') for 1 .. 3;
is(version_of_row(), $version, 'which is still the same');

$cluster->halt('fast');
remove_tree($data);
rename("$data.old", $data) or die "$data.old: $!\n";
$cluster->resume;
$t->psql("UPDATE tokens SET revoked_at = now() WHERE $row");
is(version_of_row(), $version, 'the revocation has the number of a transaction that was lost');
is(publish(), 401, 'and holds at once');

done_testing();
