#!/usr/bin/perl

# What nginx sends tells the truth whatever dies, hangs or fails, and wherever: two nodes are read without
# a pause while workers and keepers are killed at each step of a publish, disks fail and the database
# goes away.  Has a PostgreSQL cluster of its own, since it stops it.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);

use Berth::Cluster;
use Berth::Fault;
use Berth::Cache;
use Berth::Test;
use Berth::Watch;

# What ends with a lease may take a slow machine so much longer; what does not end with it never ends.
use constant { LEASE => 3, SLOW => 12 };

my $cluster = Berth::Cluster->start;
my @settings = (workers => 2, cache_lease => LEASE);
my $t = Berth::Test->new(@settings);
my $elsewhere = Berth::Test->new(@settings, database => $t->dsn('berth'), store => $t->store);
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;

my $id = $t->project('demo/public', 'public');
my $private = $t->project('demo/private', 'private');
my $R = $t->registry($id);
$t->user('dev');
$t->member('dev', 'demo', 'maintainer');
my $token = $t->token('dev');
# the cluster saves time where it may lose data; what is acknowledged here must stay
# (what a sequence of a database that was copied has counted so far is in no log before a checkpoint)
$cluster->sql('postgres', "ALTER DATABASE $t->{database} SET synchronous_commit = on", 'CHECKPOINT');
my @nodes = ($t, $elsewhere);
my @ports = map { Berth::Cache::start($_) } @nodes;
my $index = "$R/on/e_/one_crate";
my $count = 0;

sub publish { return $t->publish($id, $token, 'one_crate', shift); }
sub next_version { return '1.' . ++$count . '.0'; }
sub versions { return join(' ', $_[0]{body} =~ /"vers":"([^"]+)"/g); }
sub truth { return join(' ', $t->psql("SELECT v.version FROM versions v JOIN crates c ON c.id = v.crate_id"
	. " WHERE c.project_id = $id ORDER BY v.id")); }
sub seen { return versions(Berth::Cache::get($ports[$_[0]], $index)); }

# Files are there on both nodes.
sub warm_up {
	Berth::Cache::wait_static($nodes[$_], $ports[$_], $index) // die "no file on node $_\n" for 0, 1;
	return;
}

# Both nodes are read while $body runs; what each answered only ever grew.
sub watched {
	my ($name, $body) = @_;
	my $stop = $t->dir . '/stop';
	my @pids = map {
		my $node = $_;
		my $pid = fork // die "fork: $!\n";

		if ($pid == 0) {
			my ($had, $bad, $n) = ('', 0, 0);
			until (-e $stop) {
				sleep(0.005);
				my $res = Berth::Cache::get($ports[$node], $index);

				# the pool may be busy or killed; then it says so
				next if $res->{status} =~ /^50[234]$/;
				my $now = versions($res);
				$bad++ if $res->{status} != 200 || index($now, $had) != 0;
				$had = $now;
				$n++;
			}
			diag("$name: node $node: wrong $bad times of $n") if $bad;
			POSIX::_exit($bad ? 1 : $n > 0 ? 0 : 2);
		}
		$pid;
	} 0, 1;

	my $done = eval { $body->(); 1 };
	my $why = $@;
	Berth::Test::write_file($stop, '');
	for my $node (0, 1) {
		waitpid($pids[$node], 0);
		is($?, 0, "$name: node $node: nobody saw what was before again");
	}
	unlink($stop);
	die $why unless $done;
	return;
}

is(publish('1.0.0')->{status}, 200, 'there is a crate');
warm_up();
# reads by the pool, and their hints, are no part of a publish: whether there is one depends on what nginx
# still has; nor is what a worker asks once, with its first request
my @points = grep { /cache|commit|set_index|^respond:publish/ && !/authorize|renew|hinted|cache_server/ }
    $fault->trace('responded:publish', sub {
	is(publish(next_version())->{status}, 200, 'a publish');
	# what the keepers do after it belongs to it
	warm_up();
});
my %passed = map { $_ => 1 } @points;
ok($passed{$_}, "$_: is passed") for qw(sent:session_commit send:cache_sync answered:cache_sync
	send:cache_acknowledge cache:acknowledged send:cache_index cache:read cache:written cache:placed
	respond:publish);

for my $point (@points) {
	subtest "killed at $point" => sub {
		warm_up();
		watched($point, sub {
			my $version = next_version();

			$fault->arm($point, 'kill');
			my $res = publish($version);
			# a keeper may come there after the answer, when somebody reads
			ok($t->wait_for(sub { seen($_) for 0, 1; -e $t->dir . '/fault.taken' }), 'reached');
			$fault->disarm;
			if ($res->{status} == 200) {
				is(seen($_), truth(), "node $_: the truth") for 0, 1;
				like(truth(), qr/ \Q$version\E$/, 'which has the version');
			} else {
				is($res->{status}, 503, 'no answer');
				for my $node (0, 1) {
					ok($t->wait_for(sub { seen($node) eq truth() }, LEASE + SLOW), "node $node: the truth, soon");
				}
			}
			$res = publish($version);
			like($res->{status}, qr/^(?:200|400)$/, 'the second attempt');
			is(seen($_), truth(), "node $_: the truth") for 0, 1;
		});
	};
}

subtest 'read before a change, written after it' => sub {
	watched('late', sub {
		# not before, or those who watch bring it back too early
		my $miss = sub {
			unlink(glob($t->dir . "/cache/project/$id/index/on/e_/*"));
			return seen(0);
		};
		$fault->during('cache:read', $miss, sub {
			my $began = Berth::Watch::now();
			is(publish(next_version())->{status}, 200, 'a publish meanwhile');
			cmp_ok(Berth::Watch::now() - $began, '<', LEASE + SLOW, 'waits no longer than the lease');
			is(seen($_), truth(), "node $_: is seen") for 0, 1;
		});
		is(seen($_), truth(), "node $_: is seen when the file is written") for (0, 1) x 20;
	});
	warm_up();
};

subtest 'the directory cannot be written' => sub {
	for my $case (
		['cache:remove', 'eio'],
		['cache:unlease', 'eio'],
		['disk:readdir', 'eio'],
		['cache:write', 'enospc'],
	) {
		my ($point, $error) = @$case;

		warm_up();
		watched("$point $error", sub {
			$fault->arm($point, $error);
			is(publish(next_version())->{status}, 200, "$point: a publish");
			is(seen($_), truth(), "$point: node $_: the truth") for 0, 1;
			ok($t->wait_for(sub { seen($_) for 0, 1; -e $t->dir . '/fault.taken' }), "$point: reached");
			$fault->disarm;
			is(publish(next_version())->{status}, 200, "$point: another");
			is(seen($_), truth(), "$point: node $_: the truth") for 0, 1;
		});
	}
	warm_up();
	$fault->arm('cache:discard', 'erofs');
	$t->berth_ok('project', 'set', 'demo/public', 'visibility=private');
	is(Berth::Cache::get($ports[$_], $index)->{status}, 401, "a project: node $_: private") for 0, 1;
	ok($fault->disarm, 'a project: reached');
	$t->berth_ok('project', 'set', 'demo/public', 'visibility=public');
	warm_up();
	like($t->log('pool') . $elsewhere->log('pool'), qr/cache: cache_dir: .*Input\/output error/,
	    'the log says so');
};

# What the publish has seen to be private is read, as it was before, before it is committed.
subtest 'made public while a publish is under way' => sub {
	$t->berth_ok('project', 'set', 'demo/public', 'visibility=private');
	my $version = next_version();
	my $res = $fault->during('send:session_commit', sub { return publish($version); }, sub {
		my $flipped = eval {
			$t->psql("SET lock_timeout = '1s'; UPDATE projects SET visibility = 'public' WHERE id = $id");
			1;
		};
		warm_up() if $flipped;
	});

	is($res->{status}, 200, 'it is published');
	$t->berth_ok('project', 'set', 'demo/public', 'visibility=public');
	is(seen($_), truth(), "node $_: the truth") for 0, 1;
	warm_up();
	is(seen($_), truth(), "node $_: also from the file") for 0, 1;
};

# A machine that sleeps, say: the session is given up although all that was asked is answered.
subtest 'a keeper that stands still where it begins' => sub {
	# whoever has to wait for it waits until then
	$t->conf(database_timeout => 2, cache_lease => 20);
	$fault->arm('sent:cache_listen', 'wait');
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { -e $t->dir . '/fault.taken' }), 'it does');
	# longer than it waits for an answer
	sleep(2 + 2);
	$fault->disarm;
	warm_up();
	my $began = Berth::Watch::now();
	is(publish(next_version())->{status}, 200, 'a publish');
	cmp_ok(Berth::Watch::now() - $began, '<', SLOW, 'is heard of');
	is(seen($_), truth(), "node $_: the truth") for 0, 1;
	$t->conf(database_timeout => undef, cache_lease => LEASE);
	ok(Berth::Cache::reload($t), 'and back');
	warm_up();
};

# Whoever asks again, since the first answer was lost or is still to come, hears that it is done: then it is
# for others, too, also on a node that hangs.
subtest 'asked again while a node hangs' => sub {
	my $file = $t->registry($private) . '/ag/ai/again';
	my $path = $t->registry($private) . '/api/v1/crates/again/1.0.0/yank';
	my $yank = sub { return $t->http(DELETE => $path, { token => $token })->{status} == 200 };
	my $read = sub { return Berth::Cache::get($ports[1], $file, Authorization => $token) };
	my @member = ('member', 'set', 'dev', 'demo');
	my @cases = (
		['a yank', $yank, "SELECT yanked FROM versions JOIN crates c ON c.id = crate_id WHERE c.name = 'again'",
			sub { $_[0]{status} == 200 && $_[0]{body} =~ /"yanked":true/ }],
		['a membership', sub { ($t->berth(@member, 'none'))[0] == 0 }, 'SELECT count(*) = 0 FROM members',
		    sub { $_[0]{status} == 404 }],
	);

	is($t->publish($private, $token, 'again', '1.0.0')->{status}, 200, 'a private crate');
	for my $case (@cases) {
		my ($name, $do, $done, $good) = @$case;

		ok(defined Berth::Cache::wait_static($elsewhere, $ports[1], $file, Authorization => $token),
		    "$name: nginx sends it");
		my $keeper = Berth::Cache::keeper($elsewhere);
		kill('STOP', $keeper);
		my $pid = fork // die "fork: $!\n";
		POSIX::_exit($do->() ? 0 : 1) if $pid == 0;
		ok($t->wait_for(sub { $t->psql($done) eq 't' }), "$name: is done, and not answered");
		ok($do->(), "$name: again");
		ok($good->($read->()), "$name: is seen");
		waitpid($pid, 0);
		is($?, 0, "$name: so was the first");
		kill('CONT', $keeper);
	}
	$t->member('dev', 'demo', 'maintainer');
	warm_up();
};

# By whatever way it is found done already: the nodes are asked as they were the first time.
subtest 'whatever is done already' => sub {
	my $R = $t->registry($private);
	my $api = "/api/v4/projects/$private/packages";
	my $asks = sub { return scalar(grep { $_ eq 'send:cache_sync' } $fault->trace('send:cache_sync', @_)); };
	my $by_api = sub {
		my ($method, $path, $again, %opt) = @_;

		return [200, $again, sub { $t->http($method => $path, { token => $token, %opt })->{status} }];
	};
	my $by_command = sub {
		my ($again, @args) = @_;

		return [0, $again, sub { ($t->berth(@args))[0] }];
	};
	my $publish = sub { $t->publish($private, $token, 'asked', shift) };

	is($publish->('1.0.0')->{status}, 200, 'a private crate');
	$t->user('guest');
	$t->member('guest', 'demo/private', 'guest');
	my $spare = $t->token('dev');
	my ($package) = $t->psql("SELECT v.id FROM versions v JOIN crates c ON c.id = v.crate_id"
	    . " WHERE c.name = 'asked'");
	my $hidden = { body => '{"status":"hidden"}', headers => ['Content-Type: application/json'] };
	$t->berth_ok('owner', 'add', 'demo/private', 'asked', 'guest');
	$t->berth_ok('project', 'allow', 'demo/private', '--from', 'demo/public');
	$t->berth_ok('issuer', 'add', 'https://ci.example.com', '--kind', 'github');
	my $rule = $t->berth_ok('trust', 'add', 'demo/private', '--issuer', 'https://ci.example.com',
	    'repository=octo/app');
	my @cases = (
		['a publish', [200, 400, sub { $publish->('2.0.0')->{status} }]],
		['a yank', $by_api->(DELETE => "$R/api/v1/crates/asked/2.0.0/yank", 200)],
		['a status', $by_api->(PATCH => "$api/$package", 200, %$hidden)],
		['a deletion', $by_command->(1, 'delete', 'demo/private', 'asked@2.0.0')],
		['and back', $by_command->(1, 'undelete', 'demo/private', 'asked@2.0.0')],
		['an owner', $by_command->(2, 'owner', 'remove', 'demo/private', 'asked', 'guest')],
		['a membership', $by_command->(0, 'member', 'set', 'guest', 'demo/private', 'none')],
		['whose jobs come in', $by_command->(0, 'project', 'disallow', 'demo/private', '--from', 'demo/public')],
		['whom a project trusts', $by_command->(1, 'trust', 'remove', 'demo/private', $rule)],
		['a user', $by_command->(0, 'user', 'block', 'guest')],
		['a setting', $by_command->(0, 'project', 'set', 'demo/private', 'packages_enabled=false')],
		['a token', [0, 0, sub { ($t->berth({ stdin => "$spare\n" }, 'token', 'revoke'))[0] }]],
	);

	for my $case (@cases) {
		my ($name, $what) = @$case;
		my ($first, $again, $do) = @$what;
		my ($was, $is);

		is($asks->(sub { $was = $do->() }), 1, "$name: the nodes are asked");
		is($was, $first, "$name: is done");
		is($asks->(sub { $is = $do->() }), 1, "$name: and again");
		is($is, $again, "$name: is so already");
	}
	$t->berth_ok('project', 'set', 'demo/private', 'packages_enabled=true');
	# who sees only in its transaction that another was faster
	my $asked;
	my $late = $fault->during('answered:version_check_new', sub { return $publish->('3.0.0') }, sub {
		is($publish->('3.0.0')->{status}, 200, 'a publish that is faster');
		# which lets the other go on
		$asked = $asks->(sub { });
	});
	is($late->{status}, 400, 'one that comes too late');
	is($asked, 1, 'it asks the nodes');
};

# The session of a keeper, or all of them, are ended.
subtest 'sessions that end' => sub {
	watched('sessions', sub {
		for my $round (1 .. 5) {
			warm_up();
			$t->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'berth'"
			    . ($round % 2 ? " AND query LIKE '%cache%'" : ''));
			my $version = next_version();
			my $res;
			# the worker's own session may be the one that was ended
			ok($t->wait_for(sub { $res = publish($version); $res->{status} != 503 }, 20), 'a publish');
			is(seen($_), truth(), "node $_: the truth") for 0, 1;
		}
	});
};

subtest 'the database is away for a moment' => sub {
	my $secret = $t->registry($private) . '/on/e_/one_crate';
	my $read = sub { $t->http(GET => $secret, { token => $token }) };
	is($t->publish($private, $token, 'one_crate', '1.0.0')->{status}, 200, 'a private crate');

	# so long that it is sure to outlast the stop
	$t->conf(cache_lease => 10);
	ok(Berth::Cache::reload($t), 'a longer lease');
	warm_up();
	watched('away', sub {
		my $began = Berth::Watch::now();
		$cluster->halt('fast');
		my $res = Berth::Cache::get($ports[0], $index);
		is($res->{status}, 200, 'public reads go on');
		ok(Berth::Cache::is_static($t, $res), 'from the file');
		$res = $read->();
		is($res->{status}, 503, 'private ones do not');
		is($res->{headers}{'retry-after'}, 5, 'and say when to come back');
		ok($t->wait_for(sub { Berth::Cache::get($ports[0], $index)->{status} == 503 }),
		    'in the end public ones neither');
		cmp_ok(Berth::Watch::now() - $began, '<', 10 + SLOW, 'which is that of the lease');
		# more of it than is removed at once
		my ($made, $trash) = map { $t->dir . "/$_" } qw(before cache/trash/before);
		mkdir($made) or die "$made: $!\n";
		Berth::Test::write_file("$made/$_", 'x') for 1 .. 500;
		rename($made, $trash) or die "$trash: $!\n";
		ok($t->wait_for(sub { !-e $trash }), 'a keeper that cannot begin sweeps');
		$cluster->resume;
		ok($t->wait_for(sub { $read->()->{status} == 200 }), 'private reads recover');
		is(publish(next_version())->{status}, 200, 'a publish');
		is(seen($_), truth(), "node $_: the truth") for 0, 1;
	});
	warm_up();
	watched('restart', sub {
		$cluster->restart('immediate');
		ok($t->wait_for(sub { publish(next_version())->{status} == 200 }), 'a crash of it, and a publish');
		is(seen($_), truth(), "node $_: the truth") for 0, 1;
	});
};

done_testing();
