#!/usr/bin/perl

# A keeper that does not serve: monitoring and the log say so and why, the pool answers, and the keeper comes
# back by itself once its trouble is over.

use strict;
use warnings;

use Fcntl qw(:flock);
use File::Path qw(remove_tree);
use Test::More;

use Berth::Cache;
use Berth::Cluster;
use Berth::Metrics;
use Berth::Test;

use constant { LEASE => 3, FILE_MAX => 3 * 512 * 1024 };

my $cluster = Berth::Cluster->inherited // Berth::Cluster->start;
my $t = Berth::Test->new(workers => 2, cache_lease => LEASE);
my $id = $t->project('demo/public', 'public');
my $R = $t->registry($id);
my $index = "$R/on/e_/one_crate";
my $cache = $t->dir . '/cache';
$t->user('dev');
$t->member('dev', 'demo', 'maintainer');
my $token = $t->token('dev');

# The node is new, and somebody else has the lock of its cache_dir.
open(my $lock, '>', "$cache/lock") or die "$cache/lock: $!\n";
flock($lock, LOCK_EX) or die "$cache/lock: $!\n";
my $port = Berth::Cache::start($t);
is($t->publish($id, $token, 'one_crate', '1.0.0')->{status}, 200, 'there is a crate');

sub metrics { return Berth::Metrics->parse($t->http(GET => '/-/metrics')->{body}); }

sub readiness {
	my $res = $t->http(GET => '/-/readiness');

	return { code => $res->{status}, %{ $t->json($res) } };
}

# Once the keeper is in that state: what monitoring says.
sub becomes {
	my ($state, $detail) = @_;
	my ($ready, $m);
	my $serving = $state eq 'serves' ? 1 : 0;

	ok($t->wait_for(sub {
		($ready, $m) = (readiness(), metrics());
		return $ready->{cache} eq ($serving ? 'served' : 'not served')
		    && $m->value('berth_cache_serving') == $serving && $m->value('berth_cache_keeper', state => $state) == 1
		    && (!defined $detail || $ready->{cache_detail} =~ $detail);
	}), "monitoring says: $state" . (defined $detail ? ", $detail" : ''))
	    or diag(explain($ready), $m->value('berth_cache_serving'));
	is($ready->{code}, 200, '  and the pool is ready');
	is($m->sum('berth_cache_keeper'), 1, '  one state at a time');
	like($ready->{cache_detail}, qr/^cache_dir \Q$cache\E: /, '  the detail has the path') if !$serving;
	is($ready->{cache_detail}, undef, '  no detail') if $serving;
	return $m;
}

# It serves what is, not what was.
my $version = 1;
sub serves {
	my ($name) = @_;

	becomes('serves');
	$version++;
	is($t->publish($id, $token, 'one_crate', "$version.0.0")->{status}, 200, "$name: a publish");
	my $res = Berth::Cache::wait_static($t, $port, $index);
	ok(defined $res, "$name: nginx answers again");
	like($res->{body}, qr/"vers":"$version\.0\.0"/, "$name: with the new version");
	return;
}

subtest 'a lock that another process has' => sub {
	my $m = becomes('locked', qr/another process has locked the directory/);
	is($m->value('berth_cache_lease_seconds'), undef, 'it has never had a lease');
	close($lock);
	serves('unlocked');
	my $left = metrics()->value('berth_cache_lease_seconds');
	cmp_ok($left, '>=', 0, 'the lease has not ended');
	cmp_ok($left, '<=', LEASE, 'and does so soon');
};

subtest 'a keeper that stands still' => sub {
	my $keeper = Berth::Cache::keeper($t);

	kill('STOP', $keeper) or die "not stopped\n";
	ok($t->wait_for(sub { readiness()->{cache} eq 'not served' }), 'monitoring finds out by the lease');
	like(readiness()->{cache_detail}, qr/its keeper hangs, or has just died/, 'and says what it may be');
	is(metrics()->value('berth_cache_serving'), 0, 'as the metric does');
	ok($t->wait_for(sub { metrics()->value('berth_cache_lease_seconds') < 0 }), 'and since when');
	is(Berth::Cache::get($port, $index)->{status}, 200, 'the pool answers');
	kill('CONT', $keeper);
	serves('continued');
};

subtest 'a keeper that is killed' => sub {
	my $ends = sub {
		return { map { $_ => metrics()->value('berth_worker_ends_total', kind => 'keeper', reason => $_) }
		    qw(retired crashed killed) };
	};
	my $keeper = Berth::Cache::keeper($t);

	is_deeply($ends->(), { retired => 0, crashed => 0, killed => 0 }, 'none has ended');
	kill('KILL', $keeper) or die "not killed\n";
	ok($t->wait_for(sub { $t->log('pool') =~ /"the cache's keeper $keeper was ended by signal 9 \(Killed\)"/ }),
	    'the log calls it by its name');
	ok($t->wait_for(sub { $ends->()->{crashed} == 1 }), 'and it is counted');
	is(metrics()->value('berth_worker_ends_total', kind => 'read', reason => 'crashed'), 0, 'as what it is');
	serves('killed');
};

my $away = "$cache.away";
my $file = sub { open(my $fh, '>', $cache) or die "$cache: $!\n"; };
for my $case (
	['emptied', sub { remove_tree($cache, { keep_root => 1 }) }],
	['without grants', sub { rename("$cache/grant", "$cache/trash/by-hand") or die "$cache: $!\n" }],
	['replaced', sub { rename($cache, $away) && mkdir($cache, 0750) or die "$cache: $!\n" },
	    sub { remove_tree($away) }],
	['away for a while',
		sub {
			rename($cache, $away) or die "$cache: $!\n";
			becomes('directory', qr/cannot use the directory/);
		},
		sub {
			my $remedy = "make the directory and give it to the pool's user";

			like($t->log('pool'), qr/cache: cache_dir: \Q$cache\E: No such file or directory; $remedy/,
			    'the log has path and remedy');
		},
		sub { rename($away, $cache) or die "$cache: $!\n" }],
	['a file for a while', sub { rename($cache, $away) or die "$cache: $!\n"; $file->(); becomes('directory') },
		undef,
		sub { unlink($cache) && rename($away, $cache) or die "$cache: $!\n" }],
) {
	my ($name, $break, $look, $mend) = @$case;

	subtest "cache_dir is $name" => sub {
		my $before = () = $t->log('pool') =~ /cache: cache_dir: \Q$cache\E was emptied or replaced/g;

		$break->();
		ok($t->wait_for(sub { $before < (() =
		    $t->log('pool') =~ /cache: cache_dir: \Q$cache\E was emptied or replaced/g) }), 'the log says so');
		is(Berth::Cache::get($port, $index)->{status}, 200, 'somebody answers');
		$mend->() if defined $mend;
		serves($name);
		$look->() if defined $look;
	};
}

subtest 'an index file that takes too long to read' => sub {
	my $path = "$R/bi/g_/big_crate";
	my $body = sub {
		$t->psql("UPDATE crates SET index_body = decode(repeat('00', $_[0]), 'hex')"
		    . " WHERE normalized_name = 'big-crate' OR name = 'big_crate'");
	};
	my $ask = sub {
		return Berth::Cache::request($port, GET => $path, { headers => { 'Accept-Encoding' => 'gzip' } });
	};

	is($t->publish($id, $token, 'big_crate', '1.0.0')->{status}, 200, 'a crate');
	$body->(FILE_MAX);
	ok($t->wait_for(sub {
		my $res = $ask->();

		return length $res->{body} == FILE_MAX && Berth::Cache::is_static($t, $res);
	}), 'the longest that the keeper reads');
	$body->(FILE_MAX + 1);
	ok($t->wait_for(sub { length $ask->()->{body} == FILE_MAX + 1 }), 'a longer one');
	for (1 .. 5) {
		my $res = $ask->();

		ok(!Berth::Cache::is_static($t, $res), 'the pool sends it');
		is(length $res->{body}, FILE_MAX + 1, '  whole');
		ok(defined Berth::Cache::wait_static($t, $port, $index), '  and nginx the others');
	}
};

# nginx follows its lease to the end, and monitoring says what nginx does.
subtest 'a database that takes no connections for a while' => sub {
	my $allow = sub { $cluster->sql('postgres', "ALTER DATABASE $t->{database} ALLOW_CONNECTIONS $_[0]") };

	$t->conf(cache_lease => 20);
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { (metrics()->value('berth_cache_lease_seconds') // 0) > LEASE }), 'the lease is long');
	serves('a long lease');
	$allow->('false');
	$cluster->sql('postgres', 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity'
	    . " WHERE datname = '$t->{database}'");
	ok($t->wait_for(sub { metrics()->value('berth_cache_keeper', state => 'database') == 1 }),
	    'the keeper is without a database');
	my $res = Berth::Cache::get($port, $index);
	ok(Berth::Cache::is_static($t, $res), 'nginx goes on');
	is(metrics()->value('berth_cache_serving'), 1, 'as the metric says');
	is(readiness()->{cache}, 'served', 'and readiness');
	$allow->('true');
	serves('when it is back');
};

subtest 'without cache_dir' => sub {
	$t->conf(cache_dir => undef);
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { !defined readiness()->{cache} }), 'readiness has no word of it');
	# a worker of before may answer once more
	ok($t->wait_for(sub {
		my $m = metrics();

		return !grep { defined } map { $m->value(@$_) } ['berth_cache_serving'], ['berth_cache_lease_seconds'],
		    ['berth_cache_keeper', state => 'serves'];
	}), 'nor have the metrics');
};

done_testing();
