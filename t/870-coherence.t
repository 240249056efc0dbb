#!/usr/bin/perl

# Nothing of before is ever seen: eight clients read from two
# pools that share one database, as fast as they can, while versions are published and yanked, tokens
# revoked, visibility and roles changed, and PostgreSQL is restarted.  Whatever has been answered to whoever
# changed it holds for every request that begins after that, on either pool.  Has a cluster of
# its own, since it restarts it.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);

use Berth::Cache;
use Berth::Cluster;
use Berth::FastCGI qw(fetch);
use Berth::Json;
use Berth::Test;
use Berth::Watch;

use constant { CLIENTS => 8, ROUNDS => 4, AFTER => 20 };

my $cluster = Berth::Cluster->start;
my $t = Berth::Test->new(workers => 4, write_workers => 2, max_requests => 300, failed_login_burst => 0);
# one has a cache for its nginx, the other has none
my $elsewhere = Berth::Test->new(workers => 4, write_workers => 2, cache_dir => undef,
    failed_login_burst => 0, database => $t->dsn('berth'), store => $t->store);
my $id = $t->project('demo/registry');
my ($home, $away) = map { $t->group($_) } qw(demo away);
my @sockets = map { $_->socket_path } $t, $elsewhere;

$t->user('dev');
$t->user('stranger');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');
my $stranger = $t->token('stranger');
my $R = $t->registry($id);
$t->start_pool;
$elsewhere->start_pool;

sub get {
	my ($pool, $path, $whose) = @_;

	return fetch($sockets[$pool], "$R/$path", (defined $whose ? (HTTP_AUTHORIZATION => $whose) : ()),
	    REMOTE_ADDR => '192.0.2.1');
}

# The versions of a crate, yanked ones with a `-`.
sub versions_in {
	my ($body) = @_;

	return map { my $v = Berth::Json::decode($_); $v->{vers} . ($v->{yanked} ? '-' : '') } split(/\n/, $body);
}

# Clients ask both pools while $change->() is called.  When it was done, and what they saw: [began,
# pool, status, body, Retry-After].
sub under_load {
	my ($path, $whose, $change) = @_;

	return Berth::Watch::change($t, { clients => CLIENTS, before => 5, after => AFTER }, sub {
		my ($turn) = @_;
		my $pool = $turn % 2;
		my $began = Berth::Watch::now();
		my $res = get($pool, $path, $whose);

		return [$began, $pool, $res->{status}, $res->{body}, $res->{headers}{'retry-after'}];
	}, $change);
}

# Into another group, which no command does.
sub move {
	my ($group, $path) = @_;

	$t->psql("UPDATE projects SET group_id = $group, full_path = '$path' WHERE id = $id");
	return;
}

# Of what was asked after that moment, all must be good.
sub all_good {
	my ($name, $moment, $asked, $good) = @_;

	for my $pool (0, 1) {
		my @after = grep { $_->[1] == $pool && $_->[0] > $moment } @$asked;
		my @bad = grep { !$good->($_) } @after;

		cmp_ok(scalar @after, '>=', CLIENTS * AFTER / 4, "$name: pool $pool was asked, @{[scalar @after]} times");
		is(scalar @bad, 0, "$name: pool $pool: each sees it") or diag(explain($bad[0]));
	}
	return;
}

is($t->publish($id, $token, 'one', '1.0.0')->{status}, 200, 'there is a crate');

subtest 'publish and yank' => sub {
	for my $i (1 .. ROUNDS) {
		my ($moment, @asked) = under_load('3/o/one', $token,
		    sub { $t->publish($id, $token, 'one', "1.$i.0")->{status} == 200 or die "not published\n" });

		all_good("version 1.$i.0", $moment, \@asked, sub {
			my (undef, undef, $status, $body) = @{ $_[0] };
			return $status == 200 && grep { $_ eq "1.$i.0" } versions_in($body);
		});
		($moment, @asked) = under_load('3/o/one', $token,
		    sub { $t->http(DELETE => "$R/api/v1/crates/one/1.$i.0/yank", { token => $token })->{status} == 200
			or die "not yanked\n" });
		all_good("yank of 1.$i.0", $moment, \@asked, sub {
			my (undef, undef, $status, $body) = @{ $_[0] };
			return $status == 200 && grep { $_ eq "1.$i.0-" } versions_in($body);
		});
		is(scalar(grep { $_->[2] != 200 } @asked), 0, 'nothing else was answered meanwhile');
	}
};

subtest 'what is taken away' => sub {
	my @changes = (
		['revocation', 401, sub { $t->berth_ok({ stdin => "$_[0]\n" }, 'token', 'revoke') }],
		['a blocked user', 401, sub { $t->berth_ok('user', 'block', 'dev') },
		    sub { $t->berth_ok('user', 'unblock', 'dev') }],
		['no membership', 404, sub { $t->berth_ok('member', 'set', 'dev', 'demo', 'none') },
		    sub { $t->member('dev', 'demo', 'developer') }],
		['a lower role', 403, sub { $t->member('dev', 'demo', 'guest') },
		    sub { $t->member('dev', 'demo', 'developer') }],
		['packages off', 404, sub { $t->berth_ok('project', 'set', 'demo/registry', 'packages_enabled=false') },
			sub { $t->berth_ok('project', 'set', 'demo/registry', 'packages_enabled=true') }],
		['rotation', 401, sub { $t->http(POST => '/api/v4/personal_access_tokens/self/rotate',
		    { headers => ["PRIVATE-TOKEN: $_[0]"] })->{status} == 200
			or die "not rotated\n" }, undef, '3/o/one'],
		['a flag', 404,
			sub { $t->berth_ok('flag', 'set', 'package_registry_cargo_support', 'off', '--project', 'demo/registry') },
			sub { $t->berth_ok('flag', 'set', 'package_registry_cargo_support', 'on', '--project', 'demo/registry') },
			'config.json'],
		['a project moved', 404, sub { move($away, 'away/registry') }, sub { move($home, 'demo/registry') },
		    'one/1.0.0/download'],
		['a token deleted', 401, sub { $t->psql("DELETE FROM tokens WHERE id = (SELECT max(id) FROM tokens)") }],
	);

	for my $change (@changes) {
		my ($name, $status, $take, $give, @paths) = @$change;
		my $mine = $t->token('dev');

		for my $path (@paths ? @paths : ('3/o/one', 'one/1.0.0/download', 'config.json')) {
			my ($moment, @asked) = under_load($path, $mine, sub { $take->($mine) });

			all_good("$name: $path", $moment, \@asked, sub { $_[0][2] == $status });
			is(scalar(grep { $_->[2] != 200 && $_->[2] != $status } @asked), 0, "$name: 200, then $status");
			$give->() if defined $give;
			$mine = $t->token('dev') if !defined $give;
		}
	}
};

subtest 'visibility, for who is not a member' => sub {
	my $set = sub {
		my ($v) = @_;

		return sub { $t->berth_ok('project', 'set', 'demo/registry', "visibility=$v") };
	};
	my ($moment, @asked) = under_load('3/o/one', $stranger, $set->('internal'));

	all_good('internal', $moment, \@asked, sub { $_[0][2] == 200 });
	($moment, @asked) = under_load('3/o/one', $stranger, $set->('private'));
	all_good('private', $moment, \@asked, sub { $_[0][2] == 404 });
	($moment, @asked) = under_load('3/o/one', undef, $set->('public'));
	all_good('public', $moment, \@asked, sub { $_[0][2] == 200 });
	is(get(0, '3/o/one', 'nonsense')->{status}, 401, 'a bad token is no missing one');
	($moment, @asked) = under_load('3/o/one', undef, $set->('private'));
	all_good('private again', $moment, \@asked, sub { $_[0][2] == 401 });
};

subtest 'what ends by itself' => sub {
	my $short = $t->job_token('demo/registry', 'dev', ttl => 5);
	my $until = Berth::Watch::now() + 5.2;
	my $turn = 0;
	my %seen;

	while (($seen{after}{401} // 0) < AFTER && Berth::Watch::now() < $until + 10) {
		my $began = Berth::Watch::now();
		my $res = get($turn++ % 2, '3/o/one', $short);

		$seen{ $began > $until ? 'after' : 'before' }{ $res->{status} }++;
		sleep(0.02);
	}
	is_deeply([sort keys %{ $seen{after} }], [401], 'a token that has expired');
	ok($seen{before}{200}, 'it was good before');
	$t->psql("UPDATE members SET expires_at = now() + interval '3 seconds'");
	is(get(0, '3/o/one', $token)->{status}, 200, 'a membership that will end');
	ok($t->wait_for(sub { get(0, '3/o/one', $token)->{status} == 404 }), 'has ended');
	$t->psql('UPDATE members SET expires_at = NULL');
	is(get(0, '3/o/one', $token)->{status}, 200, 'and is back');
};

subtest 'PostgreSQL is restarted' => sub {
	my $want = join(' ', sort(versions_in(get(0, '3/o/one', $token)->{body})));

	for my $mode ('fast', 'immediate') {
		my ($moment, @asked) = under_load('3/o/one', $token, sub { $cluster->restart($mode) });
		my @refused = grep { $_->[2] != 200 } @asked;

		is(scalar(grep { $_->[2] == 200 && join(' ', sort(versions_in($_->[3]))) ne $want } @asked), 0,
		    "$mode: no wrong answer");
		cmp_ok(scalar @refused, '>', 0, "$mode: somebody was refused");
		is(scalar(grep { $_->[2] != 503 || ($_->[4] // 0) != 5 } @refused), 0,
		    "$mode: 503 with Retry-After, @{[scalar @refused]} times of @{[scalar @asked]}");
		ok($t->wait_for(sub { get($_, '3/o/one', $token)->{status} == 200 }, 20), "$mode: pool $_ recovers")
		    for 0, 1;
	}
};

# Three nodes lose the database: one goes on in stale mode, one does so for a moment, and one does not at
# all.  After the leases, writers wait for none of them; the answers say which nodes may be stale, and for how
# long.
subtest 'stale mode' => sub {
	my $way = $t->dir . '/way';
	my @settings = (workers => 2, cache_lease => 3, database_timeout => 1, failed_login_burst => 0,
	    database => $t->dsn('berth'), store => $t->store);
	my %node = (on => Berth::Test->new(@settings, node => 'on', cache_stale_max => 40),
	    briefly => Berth::Test->new(@settings, node => 'briefly', cache_stale_max => 4),
	    never => Berth::Test->new(@settings, node => 'never'));
	my @names = sort keys %node;

	symlink($cluster->socket_dir, $way) or die "$way: $!\n";
	my $apart = $t->dsn('berth') =~ s/host=\S+/host=$way/r . ' application_name=apart';
	$_->conf(database => $apart) for values %node;
	my %port = map { $_ => Berth::Cache::start($node{$_}) } @names;
	my ($mine, $yours, $theirs) = map { $t->token('dev') } 1 .. 3;
	my $ask = sub {
		my ($name, $whose, $path) = @_;

		return Berth::Cache::get($port{$name}, "$R/" . ($path // '3/o/one'), Authorization => $whose);
	};
	my $told = sub { return ($_[0]{headers}{'cache-status'} // 'not') . " $_[0]{status}"; };
	my $stale = 'Berth; hit; detail=stale 200';
	my $warm = sub {
		for my $name (@names) {
			Berth::Cache::wait_static($node{$name}, $port{$name}, "$R/$_->[0]", Authorization => $_->[1])
			    // die "$name: no file\n"
			    for ['3/o/one', $mine], ['3/o/one', $yours], ['3/o/one', $theirs], ['one/1.0.0/download', $yours];
		}
	};
	my $sessions = sub {
		return $cluster->sql('postgres', "SELECT $_[0] FROM pg_stat_activity WHERE application_name LIKE 'apart%'");
	};
	my $cut = sub {
		unlink($way) or die "$way: $!\n";
		$sessions->('pg_terminate_backend(pid)');
	};
	my $listed = sub {
		my (undef, $out) = $t->berth('--json', 'node', 'list');
		my ($row) = grep { $_->{node} eq $_[0] } @{ Berth::Json::decode($out) };

		return "$row->{cache}, $row->{stale_max} s";
	};
	my $revoke = sub {
		my ($node, $token) = @_;

		return $node->http(DELETE => '/api/v4/personal_access_tokens/self',
		    { headers => ["PRIVATE-TOKEN: $token"] });
	};

	fetch($node{$_}->socket_path, '/-/readiness', REMOTE_ADDR => '127.0.0.1') for @names;
	$warm->();
	is($listed->('on'), 'served, 40 s', 'the row of a node says beforehand how long stale mode lasts');
	$cut->();
	my $res = $revoke->($t, $mine);
	is($res->{status}, 204, 'another node revokes a token');
	my %bound = ($res->{headers}{'berth-stale-nodes'} // '') =~ /(\w+);s=(\d+)/g;
	is(join(' ', sort keys %bound), 'briefly on', 'the answer names the nodes that may be stale');
	ok($bound{on} > 30 && $bound{on} <= 40 && $bound{briefly} <= 4, 'and for how long')
	    or diag(explain(\%bound));
	is($told->($ask->('on', $mine)), $stale, 'the node is stale');
	is($told->($ask->('never', $mine)), 'not 503', 'a node without the key is not');
	ok($t->wait_for(sub { $ask->('briefly', $mine)->{status} == 503 }, 10), 'stale mode ends');
	is($told->($ask->('on', $yours, 'one/1.0.0/download')), $stale, 'sends a crate');
	like($ask->('on', $yours, 'one/1.0.0/download')->{headers}{'cache-control'}, qr/^private, /,
	    'shared caches must not store the answer');
	is($ask->('on', $yours, '3/n/not')->{status}, 503, 'sends no file that it had not');
	is($listed->('on'), 'may be stale, 40 s', 'berth node list says so');
	$res = fetch($node{on}->socket_path, '/-/metrics', REMOTE_ADDR => '127.0.0.1');
	like($res->{body}, qr/^berth_cache_keeper\{state="stale"\} 1$/m, 'metrics say so');
	my (undef, undef, $err) = $t->berth({ stdin => "$yours\n" }, 'token', 'revoke');
	like($err, qr/^berth: these nodes .*\bon;s=\d+/m, 'a command says so');

	symlink($cluster->socket_dir, $way) or die "$way: $!\n";
	my @seen;
	ok($t->wait_for(sub { push @seen, $ask->('on', $mine); $seen[-1]{status} != 200 }, 10),
	    'stale mode ends when the database is back');
	push @seen, map { $ask->('on', $mine) } 1 .. 30;
	is(scalar(grep { $_->{status} == 200 && $told->($_) ne $stale } @seen), 0,
	    'no stale answer passes for a current one');
	ok($t->wait_for(sub { $ask->('on', $theirs)->{status} == 200 && $ask->('on', $mine)->{status} == 401 }, 10),
	    'a token that was revoked meanwhile is refused');

	# only the keeper has lost the database: a change at this node takes effect at this node
	$_->stop_pool for values %node;
	$node{on}->conf(database => $t->dsn('berth'), database_direct => $apart);
	$node{on}->start_pool;
	@names = ('on');
	$mine = $yours = $t->token('dev');
	$warm->();
	$cut->();
	ok($t->wait_for(sub { $told->($ask->('on', $mine)) eq $stale }, 30),
	    'stale mode begins');
	$res = $revoke->($node{on}, $mine);
	is("$res->{status} " . ($res->{headers}{'berth-stale-nodes'} // 'nobody'), '204 nobody',
	    'this node revokes a token');
	is($ask->('on', $mine)->{status}, 401, 'stale mode has ended before the answer');
	is($told->($ask->('on', $theirs)), 'not 200', 'the pool decides');

	# the same while the keeper stands still: once it goes on, it must not begin stale mode
	symlink($cluster->socket_dir, $way) or die "$way: $!\n";
	$mine = $yours = $t->token('dev');
	$warm->();
	my $still = Berth::Cache::keeper($node{on});
	kill('STOP', $still);
	$cut->();
	my $over = "SELECT lease_until < now() FROM cache_nodes WHERE host = 'on'";
	ok($t->wait_for(sub { $t->psql($over) eq 't' }, 30),
	    'the lease of a keeper that stands still ends');
	is($revoke->($node{on}, $mine)->{status}, 204, 'this node revokes a token');
	kill('CONT', $still);
	ok($t->wait_for(sub {
		return fetch($node{on}->socket_path, '/-/metrics', REMOTE_ADDR => '127.0.0.1')->{body}
		    =~ /^berth_cache_keeper\{state="(?:database|stale)"\} 1$/m;
	}, 30), 'the keeper goes on');
	is($ask->('on', $mine)->{status}, 401, 'no stale mode after the answer');

	# a host that does not answer any more, which the keeper's other session notices first
	$node{on}->stop_pool;
	$node{on}->conf(database => $apart, database_direct => undef);
	symlink($cluster->socket_dir, $way) or die "$way: $!\n";
	$node{on}->start_pool;
	$mine = $yours = $t->token('dev');
	$warm->();
	unlink($way) or die "$way: $!\n";
	my @silent = $sessions->('pid');
	kill('STOP', @silent) == @silent or die "no session of @silent stands still\n";
	ok($t->wait_for(sub { $told->($ask->('on', $mine)) eq $stale }, 30), 'the database is silent: stale');
	kill('KILL', Berth::Cache::keeper($node{on}));
	kill('CONT', @silent);
	$node{on}->stop_pool;

	# a keeper that dies in stale mode leaves names: the next one, which has no database either, removes them
	$node{on}->conf(database => $t->dsn('berth'), database_direct => $apart, cache_lease => 6);
	symlink($cluster->socket_dir, $way) or die "$way: $!\n";
	$node{on}->start_pool;
	$warm->();
	$cut->();
	ok($t->wait_for(sub { $told->($ask->('on', $mine)) eq $stale }, 30), 'stale again');
	my $keeper = Berth::Cache::keeper($node{on});
	kill('KILL', $keeper);
	ok($t->wait_for(sub {
		my $next = Berth::Cache::keeper($node{on});

		return defined $next && $next != $keeper && fetch($node{on}->socket_path, '/-/metrics',
		    REMOTE_ADDR => '127.0.0.1')->{body} =~ /^berth_cache_keeper\{state="database"\} 1$/m;
	}), 'a keeper dies');
	is($revoke->($node{on}, $mine)->{status}, 204, 'a revocation');
	is($ask->('on', $mine)->{status}, 401, 'holds at once');
	$node{on}->stop_pool;
};

# A table that the decision looks at, and whose changes nobody would notice, must not come to be.
subtest 'each table that decides has its trigger' => sub {
	# what pages list is found by the same rule, but decides nothing
	my $sql = Berth::Cluster::slurp("$Berth::Cluster::ROOT/sql/queries/access.sql")
	    =~ s/^-- name: page_.*?(?=^-- (?:name|part): |\z)//gmsr =~ s/^--.*$//gmr;
	my %table = map { $_ => 1 } $sql =~ /\b(?:FROM|JOIN) ([a-z_]+)\b/g;
	my @watched = $t->psql("SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = 'access_changed'");

	# which are none
	delete @table{ qw(unnest now access_epoch), $sql =~ /\b([a-z_]+) AS (?:MATERIALIZED )?\(/g };
	cmp_ok(scalar keys %table, '>=', 6, 'tables were found');
	delete @table{@watched};
	is(join(' ', sort keys %table), 'tokens', 'all of them are watched, and tokens each for itself');
	my @columns = $t->psql(<<'SQL');
SELECT a.attname FROM pg_attribute a JOIN pg_trigger g ON g.tgrelid = a.attrelid AND g.tgname = 'tokens_cache'
 WHERE a.attrelid = 'tokens'::regclass AND a.attnum > 0 AND NOT a.attisdropped
   AND NOT a.attnum = ANY (g.tgattr::smallint[])
   AND a.attname NOT IN ('id', 'name', 'created_at', 'last_used_at', 'pipeline', 'job', 'job_url', 'ref',
                         'commit', 'source', 'issuer', 'claims', 'checked_until', 'login', 'family')
SQL
	is("@columns", '', 'and all columns of tokens but those that decide nothing');
	my $before = $t->psql('SELECT id FROM access_epoch');
	$t->psql('UPDATE tokens SET last_used_at = now()');
	is($t->psql('SELECT id FROM access_epoch'), $before, 'a use of a token changes nothing');
	$t->psql("UPDATE users SET name = 'x'");
	is($t->psql('SELECT id FROM access_epoch'), $before, 'nor does the name of a user');
	$t->psql('UPDATE tokens SET revoked_at = now() WHERE id = (SELECT max(id) FROM tokens)');
	is($t->psql('SELECT id FROM access_epoch'), $before, 'nor the end of one token');
	$t->psql("UPDATE users SET state = 'blocked'");
	isnt($t->psql('SELECT id FROM access_epoch'), $before, 'but the state of a user does');
};

done_testing();
