#!/usr/bin/perl

# make check-fleet: Patroni with etcd on three database hosts, two nodes of Berth.  The real cargo publishes a
# workspace of 20 crates during a failover: a server is killed, or a host is cut off; the nodes find the
# primary by libpq, or by HAProxy as berth-operations(7) has it.  No publish fails, and no acknowledged one is
# lost.  Reads from a cache do not fail at node `one` until its lease ends, and at node `two`, which has stale
# mode, until the failover is over.

use strict;
use warnings;

use File::Path qw(make_path);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Berth::Cache;
use Berth::Cluster;
use Berth::Fleet;
use Berth::Test;

use constant {
	CRATES => 20,
	LEASE => 20,
	# the last renewal was a quarter of the lease ago at most, and the names end 2 seconds before it
	SURE => 20 * 3 / 4 - 2,
};

die "make check-fleet needs root\n" if $> != 0;
for my $program (qw(patroni etcd haproxy ip curl cargo)) {
	(Berth::Cluster::capture('sh', '-c', "command -v $program"))[0] == 0
	    or die "$program is missing: scripts/packages check-fleet lists what is needed\n";
}

my $fleet = Berth::Fleet->start;
$fleet->sql('postgres', $_) for 'CREATE ROLE berth_owner LOGIN', 'CREATE ROLE berth LOGIN',
    "CREATE DATABASE berth OWNER berth_owner ENCODING 'UTF8' TEMPLATE template0";
# libpq stops at a standby that has not heard of the database yet
for my $host (0 .. 2) {
	Berth::Test::wait_for(sub {
		sleep(0.2);
		return (Berth::Cluster::capture('psql', '-XAtq', '-d', 'host=' . $fleet->address($host)
		    . ' dbname=berth user=berth', '-c', 'SELECT 1'))[0] == 0;
	}, 60) or die "a standby lags\n";
}
my %database = (database => $fleet->dsn('berth', 'berth'), database_timeout => 4, token_key => '',
	cache_lease => LEASE, workers => 4, publish_burst => 1000, new_crate_burst => 1000);
my $t = Berth::Test->new(%database, node => 'one');
my $other = Berth::Test->new(%database, node => 'two', store => $t->store, cache_stale_max => 120);
Berth::Cluster::run_command($t->build . '/berth', 'migrate', '--database',
    $fleet->dsn('berth', 'berth_owner'), '--grant-to', 'berth');
Berth::Cluster::run_command('sh', '-c', 'printf "%s\n" "$1" > "$2"', 'sh',
    $fleet->sql('berth', 'SELECT id FROM registry'), $t->store . '/registry-id');
my $id = $t->project('demo/registry', 'public');
my $R = $t->registry($id);
$t->user('dev');
$t->member('dev', 'demo', 'maintainer');
my $token = $t->token('dev');
my @ports = map { Berth::Cache::start($_) } $t, $other;

is($t->publish($id, $token, 'quiet', '1.0.0')->{status}, 200, 'a publish');
my $quiet = "$R/qu/ie/quiet";
ok(defined Berth::Cache::wait_static(@$_[0, 1], $quiet), "nginx of $_->[2] sends its index file")
    for [$t, $ports[0], 'one'], [$other, $ports[1], 'two'];
$t->cargo_setup(berth => { id => $id, token => $token });
{
	# as cargo comes
	my $config = $t->dir . '/cargo-home/config.toml';
	put($config, Berth::Cluster::slurp($config) =~ s/retry = 0/retry = 3/r);
}

# A workspace whose crates depend on one another.
sub make_workspace {
	my ($name) = @_;
	my $dir = $t->dir . "/$name";
	my @names = map { sprintf('%s-%02d', $name, $_) } 1 .. CRATES;

	make_path(map { "$dir/$_/src" } @names);
	for my $n (0 .. $#names) {
		put("$dir/$names[$n]/src/lib.rs", '');
		put("$dir/$names[$n]/Cargo.toml", "[package]\nname = \"$names[$n]\"\nversion = \"1.0.0\"\n"
		    . "edition = \"2021\"\ndescription = \"made for a test\"\nlicense = \"MIT\"\n[dependencies]\n"
		    . ($n >= 5 ? "$names[$n - 5] = { path = \"../$names[$n - 5]\", version = \"1\","
		    . " registry = \"berth\" }\n" : ''));
	}
	put("$dir/Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"$name-*\"]\n");
	return $dir;
}

sub put {
	my ($path, $text) = @_;

	open(my $fh, '>', $path) or die "$path: $!\n";
	print {$fh} $text;
	close($fh) or die "$path: $!\n";
	return;
}

# Reads on each node until the file exists; returns the answers.
sub readers {
	my $over = $t->dir . '/over' . time;
	my @pipes;

	for my $i (0 .. $#ports) {
		pipe($pipes[$i], my $out) or die "pipe: $!\n";
		my $pid = fork // die "fork: $!\n";
		next if $pid;
		my %seen;
		while (!-e $over) {
			my $res = Berth::Cache::get($ports[$i], $quiet);
			$seen{ $res->{status} . (($res->{headers}{'cache-status'} // '') =~ /stale/ ? ' stale' : '') }++;
			sleep(0.1);
		}
		Berth::Test::give($out, \%seen);
		POSIX::_exit(0);
	}
	return sub { put($over, ''); return map { Berth::Test::take($_) } @pipes; };
}

# The number of crates of the workspace in the primary, asked without Berth.
sub published {
	my ($name) = @_;

	my $sql = "SELECT count(*) FROM versions WHERE normalized_name LIKE '$name-%'";

	return eval { $fleet->sql('berth', $sql) } // 0;
}

sub fails_over {
	my ($name, $fall) = @_;
	my $dir = make_workspace($name);
	my $old = $fleet->leader;
	my $reads = readers();
	my $began;
	my $cargo = fork // die "fork: $!\n";

	if ($cargo == 0) {
		my ($status, $out, $err) = $t->cargo('publish', '--workspace', '--no-verify', '--allow-dirty',
		    '--registry', 'berth', dir => $dir);
		put("$dir/err", $err);
		POSIX::_exit($status);
	}
	ok($t->wait_for(sub { sleep(0.2); published($name) >= 3 }, 240), "$name: cargo publishes");
	$began = time;
	$fall->($old);
	my $new;
	# Patroni may be faster to start a server that was killed than to promote another one
	ok($t->wait_for(sub {
		$new = eval { $fleet->leader } // return 0;
		return $new != $old || (eval { $fleet->sql('postgres',
		    "SELECT pg_postmaster_start_time() > to_timestamp($began)") } // '') eq 't';
	}, 90), sprintf('%s: %s host leads after %.1f s', $name, $new == $old ? 'the same' : 'another',
	    my $took = time - $began));
	waitpid($cargo, 0);
	is($?, 0, "$name: cargo has published all") or diag(Berth::Cluster::slurp("$dir/err"));
	is(published($name), CRATES, "$name: all crates are there");
	my @seen = $reads->();
	for my $node (0, 1) {
		my %of = %{ $seen[$node] };
		my $failed = 0;

		$failed += $of{$_} for grep { !/^200/ } keys %of;
		# the keeper begins anew at the new primary
		ok($failed == 0 || ($node == 0 && $took > SURE - 2), "$name: node $node: cached reads: "
		    . join(', ', map { "$of{$_} x $_" } sort keys %of));
	}
	return;
}

fails_over('cut-off', sub { $fleet->cut_off($_[0]) });
$fleet->connect($_) for 0 .. 2;
$fleet->wait_whole;
is(published('cut-off'), CRATES, 'with the old primary back, all crates are still there');
fails_over('killed', sub { $fleet->kill_postgres($_[0]) });
$fleet->wait_whole;

# ---- by HAProxy ----

# What the manual page has, with the addresses and the port of this test.
sub haproxy_section {
	my ($port) = @_;
	my ($part) = Berth::Cluster::slurp("$Berth::Cluster::ROOT/fcgi/man/berth-operations.7")
	    =~ /^\.Ss With HAProxy before PostgreSQL\n(.*?)^\.Ss /ms;
	my ($text) = ($part // '') =~ /^\.Bd .*?\n(.*?)^\.Ed$/ms or die "berth-operations(7) has no such section\n";

	$text =~ s/10\.0\.0\.2(\d)/$fleet->address($1 - 1)/ge == 3 or die "it has not three servers\n";
	$text =~ s/127\.0\.0\.1:5000/127.0.0.1:$port/ or die "it has another address\n";
	return $text;
}

my $balancer = Berth::Test::claim_port();
$fleet->start_haproxy(haproxy_section($balancer));
for my $node ($t, $other) {
	$node->stop_pool;
	$node->conf(database => "host=127.0.0.1 port=$balancer dbname=berth user=berth");
	$node->start_pool;
}
ok(defined Berth::Cache::wait_static(@$_[0, 1], $quiet), "by HAProxy: nginx of $_->[2] sends the index file")
    for [$t, $ports[0], 'one'], [$other, $ports[1], 'two'];
fails_over('balanced', sub { $fleet->cut_off($_[0]) });
$fleet->connect($_) for 0 .. 2;
$fleet->wait_whole;
is(published($_), CRATES, "in the end, all crates of $_") for qw(cut-off killed balanced);
is($fleet->sql('berth', "SELECT count(*) FROM versions"), 3 * CRATES + 1, 'and each once');
is(scalar(() = join('', map { $_->log('pool') } $t, $other) =~ / status=500 /g), 0, 'no internal error');
diag($fleet->log) if !Test::More->builder->is_passing;

done_testing();
