#!/usr/bin/perl

# berth check: for each check a case in which it warns or fails, and one registry in which all is well; what
# monitoring makes of it; how long it takes when nobody answers.

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(time);

use Berth::Cluster;
use Berth::Publish;
use Berth::Test;

my $cluster = Berth::Cluster->start(max_prepared_transactions => 2);
my $p = Berth::Publish->new;
my $t = $p->test;
my $json = JSON::PP->new;
my $bin = $t->dir . '/bin';
my $conf = $t->conf(monitoring_url => 'http://127.0.0.1:' . $t->monitoring_port);

# (exit status, { check => [state, detail] }, standard error)
sub check {
	my @to = grep { m{^http://} } @_;
	my ($status, $out, $err) = $t->berth('check', '--json', @to ? ('--monitoring', @to) : (),
	    grep { !m{^http://} } @_);
	my $rows = eval { $json->decode($out) } // [];

	return ($status, { map { $_->{check} => [$_->{state}, $_->{detail}] } @$rows }, $err);
}

sub session {
	my ($role) = @_;

	return Berth::Session->new($cluster->socket_dir . '/.s.PGSQL.5432', $t->{database}, $role);
}

# Waits until a session has waited so many seconds for a lock.
sub waits {
	my ($seconds) = @_;

	$t->wait_for(sub {
		$t->psql('SELECT 1 FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE NOT granted)'
		    . " AND clock_timestamp() > query_start + interval '$seconds s'") ne '';
	}) or die "nobody waits\n";
	return;
}

sub program {
	my ($name, $text) = @_;

	Berth::Test::write_file("$bin/$name", "#!/bin/sh\n$text\n");
	chmod(0755, "$bin/$name") or die "$bin/$name: $!\n";
}

# Reloads the pool with that key, until readiness says how that went.
sub reload {
	my ($key, $value, $state) = @_;

	$t->conf($key => $value);
	kill('HUP', $t->pool_pid);
	$t->wait_for(sub { $t->json($t->http(GET => '/-/readiness'))->{reload} eq $state })
	    or die "the reload is not $state\n";
	# the command reads the same file
	$t->conf($key => undef);
	return;
}

# A configuration that names a key which does not exist.
sub unknown_key {
	my $path = $t->dir . '/unknown.conf';

	Berth::Test::write_file($path, Berth::Cluster::slurp($conf) . "nonsense = 1\n");
	return $path;
}

# So many hours ago an issuer was added, and its keys were read and could not be read; none: never.
sub keys_of_issuer {
	my (%hours) = @_;
	my $ago = sub { defined $_[0] ? "now() - interval '$_[0] hours'" : $_[1] };

	$t->psql('UPDATE trusted_issuers SET created_at = ' . $ago->($hours{added}, 'created_at')
	    . ', jwks_fetched_at = ' . $ago->($hours{read}, 'NULL')
	    . ', jwks_failed_at = ' . $ago->($hours{failed}, 'NULL'));
	return;
}

mkdir($bin) or die "$bin: $!\n";
local $ENV{PATH} = "$bin:$ENV{PATH}";
# a machine with systemd has units of its own
my $units = "echo ProtectSystem=strict\necho ReadWritePaths=/";
program('systemctl', $units);
is($p->publish('alpha', '1.0.0')->{status}, 200, 'a crate');
$t->run_tasks('check_store');
$t->update_search;
$t->psql("DELETE FROM tasks WHERE kind IN ('count_downloads')");
$t->berth_ok(qw(issuer add https://ci.example --kind github));
keys_of_issuer(read => 0);

my @all;

subtest 'all is well' => sub {
	my ($status, $checks, $err) = check();

	@all = sort keys %$checks;
	cmp_ok(scalar @all, '>=', 15, 'there are checks');
	is($status, 0, 'exit status') or diag(explain($checks), $err);
	is(join(' ', grep { $checks->{$_}[0] ne 'ok' } @all), '', 'each is ok') or diag(explain($checks));
	my ($code, $out) = $t->berth('check');
	is($code, 0, 'as text');
	like($out, qr/\ABERTH OK - \d+ checks\ncheck +state +detail\n/, 'the first line is for monitoring');
	is(($out =~ tr/\n//), @all + 2, 'a line for each');
};

# check => name, state, what it says, what makes it so (its value goes to the last), limits, what ends it,
# another address of monitoring
my @cases = (
	[database => 'nobody answers', 'critical', qr/connect/, sub {
		$t->conf(database => 'host=/nonexistent');
	}, [], sub { $t->conf(database => $t->dsn('berth')) }],
	[database => 'a standby', 'critical', qr/accepts no writes/, sub {
		$cluster->sql('postgres', "ALTER DATABASE $t->{database} SET default_transaction_read_only = on");
	}, [], sub {
		$cluster->sql('postgres', "ALTER DATABASE $t->{database} RESET default_transaction_read_only");
	}],
	[locks => 'somebody waits', 'warning',
	    qr/session \d+ of the role berth \(psql\) has locks for which 1 session waits, one for [1-9]/, sub {
		my ($holder, $waiter) = map { session('berth') } 1 .. 2;

		$holder->run('BEGIN; UPDATE access_epoch SET id = gen_random_uuid()');
		$waiter->start('UPDATE access_epoch SET id = gen_random_uuid()');
		waits(2);
		return [$holder, $waiter];
	}, [], sub { $_[0][0]->run('ROLLBACK') }],
	# PostgreSQL 13 does not know since when it waits
	$t->psql('SHOW server_version_num') < 140000 ? () : [locks => 'a long statement has just begun to wait',
	    'warning', qr/for which 1 session waits, one for \d s:/, sub {
		my ($holder, $waiter) = map { session('berth') } 1 .. 2;

		$holder->run('BEGIN; UPDATE access_epoch SET id = gen_random_uuid()');
		$waiter->start("DO 'BEGIN PERFORM pg_sleep(10); UPDATE access_epoch SET id = gen_random_uuid(); END'");
		$t->wait_for(sub {
			$t->psql("SELECT 1 FROM pg_locks WHERE NOT granted AND waitstart < clock_timestamp() - interval '1.6 s'")
			    ne '';
		}) or die "nobody waits\n";
		return [$holder, $waiter];
	}, [], sub { $_[0][0]->run('ROLLBACK') }],
	[locks => 'for a prepared transaction', 'warning',
	    qr/\Aa prepared transaction has locks for which 1 s.*ROLLBACK PREPARED; .* is `forgotten`\z/, sub {
		my ($holder, $waiter) = map { session('berth') } 1 .. 2;

		$holder->run("BEGIN; UPDATE access_epoch SET id = gen_random_uuid(); PREPARE TRANSACTION 'forgotten'");
		$waiter->start('UPDATE access_epoch SET id = gen_random_uuid()');
		waits(1.6);
		return [$holder, $waiter];
	}, [], sub { $_[0][0]->run("ROLLBACK PREPARED 'forgotten'") }],
	# Autovacuum is off here, and gives way: another process of the server stands for it.
	[locks => 'for autovacuum', 'warning', qr/\Aautovacuum \(process \d+ of the server\) has .*: let it /, sub {
		my ($holder, $waiter) = map { session('berth') } 1 .. 2;

		$holder->run('BEGIN; UPDATE access_epoch SET id = gen_random_uuid()');
		$waiter->start('UPDATE access_epoch SET id = gen_random_uuid()');
		waits(1.6);
		$t->psql('ALTER FUNCTION pg_catalog.pg_blocking_pids(int) RENAME TO real_pids;'
		    . ' CREATE FUNCTION pg_catalog.pg_blocking_pids(int) RETURNS int[] LANGUAGE sql AS'
		    . " 'SELECT array_agg(pid) FROM pg_stat_activity WHERE usesysid IS NULL'");
		return [$holder, $waiter];
	}, [], sub {
		$t->psql('DROP FUNCTION pg_catalog.pg_blocking_pids(int);'
		    . ' ALTER FUNCTION pg_catalog.real_pids(int) RENAME TO pg_blocking_pids');
		$_[0][0]->run('ROLLBACK');
	}],
	[rights => 'a table', 'critical',
	    qr/the role berth lacks 1 of its rights .* such as SELECT on crate_owners: run `berth migrate --g/, sub {
		$t->psql('REVOKE SELECT ON crate_owners FROM berth');
	}, [], sub { $t->psql('GRANT SELECT ON crate_owners TO berth') }],
	[rights => 'columns', 'critical', qr/lacks 2 of its rights .* such as INSERT on audit_events:/, sub {
		$t->psql('REVOKE INSERT (detail) ON audit_events FROM berth;'
		    . ' REVOKE UPDATE (unused_days) ON retention_policies FROM berth');
	}, [], sub {
		$t->psql('GRANT INSERT (detail) ON audit_events TO berth;'
		    . ' GRANT UPDATE (unused_days) ON retention_policies TO berth');
	}],
	[rights => 'a sequence', 'critical', qr/lacks 1 of its rights .* such as USAGE on versions_id_seq:/, sub {
		$t->psql('REVOKE USAGE ON SEQUENCE versions_id_seq FROM berth');
	}, [], sub { $t->psql('GRANT USAGE ON SEQUENCE versions_id_seq TO berth') }],
	[versions => 'a newer schema', 'critical', qr/install a newer one/, sub {
		$t->psql("INSERT INTO schema_migrations (version, topic, checksum) VALUES (9999, 'future', 'x')");
	}, [], sub { $t->psql('DELETE FROM schema_migrations WHERE version = 9999') }],
	[versions => 'a worker of another version', 'warning', qr{sessions: 1 of berth-worker/7\)}, sub {
		my $session = session('berth');
		$session->run("SET application_name = 'berth-worker/7 abc'");
		return $session;
	}, [], sub { }],
	[writes => 'off', 'warning', qr/read-only for maintenance/, sub {
		$t->berth_ok(qw(flag set writes off));
	}, [], sub { $t->berth_ok(qw(flag unset writes)) }],
	[clock => 'an hour', 'critical', qr/ (?:3600|3599)\.\d+ s apart: set both clocks/, sub {
		$t->psql('ALTER FUNCTION pg_catalog.clock_timestamp() RENAME TO real_clock;'
		    . ' CREATE FUNCTION pg_catalog.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS'
		    . " 'SELECT pg_catalog.real_clock() + interval ''1 hour'''");
	}, [], sub {
		$t->psql('DROP FUNCTION pg_catalog.clock_timestamp();'
		    . ' ALTER FUNCTION pg_catalog.real_clock() RENAME TO clock_timestamp');
	}],
	[inspector => 'none', 'critical', qr/cannot run/, sub { $t->conf(inspector => '/nonexistent') }, [],
	    sub { $t->conf(inspector => $t->build . '/berth-inspect') }],
	[directories => 'no store', 'critical', qr/cannot be made/, sub {
		$t->conf(store => '/nonexistent/store');
	}, [], sub { $t->conf(store => $t->dir . '/store') }],
	[directories => 'a store that could be made', 'critical', qr/the directory \S+ does not exist; mount/, sub {
		$t->conf(store => $t->dir . '/other');
	}, [], sub { $t->conf(store => $t->dir . '/store') }],
	[store => 'it is missing', 'critical', qr/the directory \S+ does not exist; mount/, sub {
		$t->conf(store => $t->dir . '/other');
	}, [], sub { $t->conf(store => $t->dir . '/store') }],
	[store => 'below a file', 'critical', qr/store: cannot look at \S+: Not a directory/, sub {
		$t->conf(store => $t->conf_path . '/store');
	}, [], sub { $t->conf(store => $t->dir . '/store') }],
	[store => 'of another registry', 'critical', qr/belongs to the registry/, sub {
		rename($t->store . '/registry-id', $t->dir . '/id') or die;
		Berth::Test::write_file($t->store . '/registry-id', "00000000-0000-4000-8000-000000000000\n");
	}, [], sub { rename($t->dir . '/id', $t->store . '/registry-id') or die }],
	[collection => 'one waits', 'warning', qr/1200 of 3000 files/, sub {
		$t->psql('UPDATE store_state SET held_files = 1200, held_of = 3000, held_at = now()');
	}, [], sub { $t->psql('UPDATE store_state SET held_files = NULL, held_of = NULL, held_at = NULL') }],
	[collection => 'after a restore', 'warning', qr/restored from a dump/, sub {
		$t->psql("SET session_replication_role = replica; UPDATE store_state SET written_by = '3'");
	}, [], sub {
		$t->psql('SET session_replication_role = replica;'
		    . ' UPDATE store_state SET written_by = pg_current_xact_id()::xid');
	}],
	[fsck => 'problems', 'warning', qr/3 problems/, sub { $t->psql('UPDATE store_check SET problems = 3') }, [],
	    sub { $t->psql('UPDATE store_check SET problems = 0') }],
	[fsck => 'long ago', 'warning', qr/(?:29|30) days ago/, sub {
		$t->psql("UPDATE store_check SET checked_at = now() - interval '30 days'");
	}, [], sub { $t->psql('UPDATE store_check SET checked_at = now()') }],
	[keys => 'a slot that this host lacks', 'warning', qr/slot/, sub {
		$t->psql("INSERT INTO token_slots (slot, fingerprint) VALUES ('0z', repeat('0', 64))");
	}, [], sub { $t->psql("DELETE FROM token_slots WHERE slot = '0z'") }],
	[keys => 'no live slot', 'warning', qr/no key is live, .*`berth key add`/, sub {
		$t->psql('UPDATE token_slots SET retired_at = now()');
	}, [], sub { $t->psql('UPDATE token_slots SET retired_at = NULL') }],
	[keys => 'no file', 'critical', qr/nowhere\.key/, sub {
		$t->conf(token_key => $t->dir . '/nowhere.key');
	}, [], sub { $t->conf(token_key => $cluster->token_key) }],
	[permissions => 'for all', 'warning', qr/every user of this host|all who read the store/, sub {
		# nobody comes as far as the directory of tests
		mkdir("/tmp/berth-check-$$") or die;
		chmod(0755, "/tmp/berth-check-$$") or die;
		$t->conf(cache_dir => "/tmp/berth-check-$$");
	}, [], sub { rmdir("/tmp/berth-check-$$"); $t->conf(cache_dir => $t->dir . '/cache') }],
	[units => 'another store', 'warning', qr/ReadWritePaths=/, sub {
		program('systemctl', "echo ProtectSystem=strict\necho ReadWritePaths=");
	}, [], sub { program('systemctl', $units) }],
	[units => 'too little time to stop', 'warning', qr/drain_timeout: .*TimeoutStopSec=315/, sub {
		program('systemctl', "$units\necho TimeoutStopUSec=45s");
		$t->conf(drain_timeout => 300);
	}, [], sub { program('systemctl', $units); $t->conf(drain_timeout => undef) }],
	[units => 'a machine without units', 'not checked', qr/no unit of Berth/, sub {
		program('systemctl', 'exit 1');
	}, [], sub { program('systemctl', $units) }],
	[workers => 'one, and a GitLab', 'warning', qr/fewer than 3/, sub {
		$t->conf(gitlab_url => 'https://gitlab.example.com', workers => 1);
	}, [], sub { $t->conf(gitlab_url => undef, workers => 2) }],
	[disk => 'little is free', 'warning', qr/store: \d+ MiB free at .*enlarge/, sub { }, ['disk=1000000g,1m'],
	    sub { }],
	[disk => "where the database's directory is not known", 'warning',
	    qr{database: \d+ MiB free at /var/lib/postgresql \(assumed, since .*pg_read_all_settings\)}, sub {
		-d '/var/lib/postgresql' or die "no /var/lib/postgresql, which Debian's PostgreSQL has\n";
	},
	    ['disk=1000000g,1m'], sub { }],
	[disk => 'nothing is free', 'critical', qr/store: .*cache_dir: .*database: /, sub {
		$t->psql('GRANT pg_read_all_settings TO berth');
	}, ['disk=2000000g,1000000g'], sub { $t->psql('REVOKE pg_read_all_settings FROM berth') }],
	[worker => 'it hangs', 'critical', qr/last seen to work 3\d\d s ago: check/, sub {
		$t->stop_worker;
		$t->psql("UPDATE tasks SET done_at = now() - interval '310 seconds' WHERE kind = 'probe_store'");
	}, [], sub { $t->psql("UPDATE tasks SET done_at = now() WHERE kind = 'probe_store'") }],
	[worker => 'it works, and cannot use the store', 'warning',
	    qr/last seen to work 1\d\d s ago: its task probe_store fails: `berth tasks list` has the error\z/, sub {
		$t->psql("UPDATE tasks SET done_at = now() - interval '100 seconds', attempts = 3"
		    . " WHERE kind = 'probe_store'");
	}, [], sub { $t->psql("UPDATE tasks SET done_at = now(), attempts = 0 WHERE kind = 'probe_store'") }],
	[tasks => 'a dead one', 'warning', qr/weigh_crates has failed/, sub {
		$t->psql("UPDATE tasks SET period = NULL, dead_at = now() WHERE kind = 'weigh_crates'");
	}, [], sub { $t->psql("UPDATE tasks SET period = 21600, dead_at = NULL WHERE kind = 'weigh_crates'") }],
	[tasks => 'one that fails', 'warning', qr/sweep_limits has failed/, sub {
		$t->psql("UPDATE tasks SET attempts = 3 WHERE kind = 'sweep_limits'");
	}, [], sub { $t->psql("UPDATE tasks SET attempts = 0 WHERE kind = 'sweep_limits'") }],
	[tasks => 'no worker', 'critical', qr/sweep_limits has been due for \d+ s: check whether berth-worker/, sub {
		$t->psql("UPDATE tasks SET run_at = now() - interval '2 hours', claimed_until = NULL"
		    . " WHERE kind = 'sweep_limits'");
	}, [], sub { $t->psql("UPDATE tasks SET run_at = now() + interval '1 hour'") }],
	[tasks => 'of a node that is gone', 'critical',
		qr/probe_store of node gone has been due for \d+ s: .* runs there; if the node is gone/, sub {
		$t->psql("INSERT INTO tasks (kind, key, node, period, run_at) VALUES ('probe_store', 'gone', 'gone', 30,"
		    . " now() - interval '2 hours')");
	}, [], sub { $t->psql("DELETE FROM tasks WHERE node = 'gone'") }],
	[search => 'no worker', 'warning', qr/as they were [67]\d s ago: check whether berth-worker/, sub {
		$t->psql("INSERT INTO crates_due (crate_id, due_at) SELECT id, now() - interval '70 seconds' FROM crates");
	}, [], sub { $t->psql('DELETE FROM crates_due') }],
	[issuers => 'never used', 'warning', qr/ci\.example: its keys were never read, because no job .*`iss`/,
	    sub { keys_of_issuer(added => 48) }, [], sub { keys_of_issuer(read => 0) }],
	[issuers => 'not used yet', 'ok', qr{\Ahttps://ci\.example\z},
	    sub { keys_of_issuer(added => 0) }, [], sub { keys_of_issuer(read => 0) }],
	[issuers => 'never read', 'warning', qr/ci\.example: its keys were never read, and the last try failed at 2/,
	    sub { keys_of_issuer(added => 0, failed => 0) }, [], sub { keys_of_issuer(read => 0) }],
	[issuers => 'not read now', 'warning', qr/last read at 2\S+Z, and the last try failed at 2\S+Z: the log/,
	    sub { keys_of_issuer(read => 2, failed => 0) }, [], sub { keys_of_issuer(read => 0) }],
	[issuers => 'not read for long', 'critical', qr/failed at 2\S+Z, so its tokens are refused: the log/,
	    sub { keys_of_issuer(read => 25, failed => 0) }, [], sub { keys_of_issuer(read => 0, failed => 1) }],
	[issuers => 'not read once, and not asked for since', 'warning', qr/failed at 2\S+Z: the log/,
	    sub { keys_of_issuer(read => 30, failed => 20) }, [], sub { keys_of_issuer(read => 0, failed => 1) }],
	[issuers => 'none', 'not checked', qr/no issuer/,
	    sub { $t->berth_ok(qw(issuer disable https://ci.example)) }, [],
	    sub { $t->berth_ok(qw(issuer enable https://ci.example)) }],
	[pool => 'nobody answers', 'critical', qr/readiness: .*(?:refused|connect)/i, sub { },
	    [], sub { }, ['http://127.0.0.1:9']],
	[pool => 'another address', 'critical', qr/answers 404: check monitoring_allow/, sub { },
	    [], sub { }, ['http://127.0.0.1:' . $t->plain_port]],
	[pool => 'the pool is down', 'critical',
	    qr/answers 502: nginx does not reach the pool: check whether berth-fcgi/,
	    sub { $t->stop_pool }, [], sub { $t->start_pool }],
	[pool => 'not ready', 'critical', qr/store: .*the pool is not ready/, sub {
		rename($t->store . '/registry-id', $t->dir . '/id') or die;
		Berth::Test::write_file($t->store . '/registry-id', "00000000-0000-4000-8000-000000000000\n");
	}, [], sub { rename($t->dir . '/id', $t->store . '/registry-id') or die }],
	[pool => "nginx's files", 'critical', qr/berth-site\.conf of nginx has \$berth_root/, sub {
		$t->stop_pool;
		$t->conf(external_url => $t->url . '/below');
		$t->start_pool;
	}, [], sub {
		$t->stop_pool;
		$t->conf(external_url => $t->url);
		$t->start_pool;
	}],
	[pool => "nginx's cache", 'warning', qr/berth-site\.conf of nginx has \$berth_cache_dir/, sub {
		$t->stop_pool;
		mkdir($t->dir . '/cache2', 0750);
		$t->conf(cache_dir => $t->dir . '/cache2');
		$t->start_pool;
	}, [], sub {
		$t->stop_pool;
		$t->conf(cache_dir => $t->dir . '/cache');
		$t->start_pool;
	}],
	[pool => 'a reload that was refused', 'warning', qr/\Areload: failed: the pool runs with an older /, sub {
		reload('no_such_key', 1, 'failed');
	}, [], sub { reload('no_such_key', undef, 'ok') }],
	[pool => 'a node with another external_url', 'critical', qr/external_url of this node is /, sub {
		$t->psql("INSERT INTO store_nodes (node, since, external_url, seen_at)"
		    . " SELECT 'other' || n, now(), 'https://other.example.com', now() FROM generate_series(1, 2) n");
	}, [], sub { $t->psql("DELETE FROM store_nodes WHERE node LIKE 'other%'") }],
	[certificate => 'soon', 'warning', qr/expires in \d+ days, at .*renew it/, sub { },
	    ['certificate=300000d,1d'], sub { }],
	[certificate => 'now', 'critical', qr/expires in \d+ days, at .*renew it/, sub { },
	    ['certificate=300000d,200000d'], sub { }],
	[certificate => 'of another host', 'critical', qr/not for the host of external_url/, sub {
		$t->conf(external_url => $t->url =~ s/localhost/registry.localhost/r);
	}, [], sub { $t->conf(external_url => $t->url) }],
	[nginx => 'without modules', 'critical', qr/lacks modules/, sub {
		program('nginx', "echo 'configure arguments: --with-http_ssl_module' >&2");
	}, [], sub { unlink("$bin/nginx") }],
	[nginx => 'a reload that failed', 'warning', qr/last `systemctl reload nginx` failed, .*`nginx -t`/, sub {
		program('systemctl', "$units\necho ReloadResult=exit-code");
	}, [], sub { program('systemctl', $units) }],
	[nginx => 'a reload that did not', 'ok', qr/has not failed/, sub {
		program('systemctl', "$units\necho ReloadResult=success");
	}, [], sub { program('systemctl', $units) }],
);

subtest 'each of them' => sub {
	my %has = map { ($_->[0] => 1) } @cases;

	is(join(' ', grep { !$has{$_} } @all), '', 'has a case');
	for my $case (@cases) {
		my ($check, $name, $state, $detail, $break, $limits, $mend, $more) = @$case;
		my $made = $break->();
		my ($status, $checks, $err) = check((map { ('--limit', $_) } @$limits), @{ $more // [] });

		is($checks->{$check}[0], $state, "$check, $name") or diag($err);
		like($checks->{$check}[1], $detail, '  says why');
		cmp_ok($status, '>=', { warning => 1, critical => 2 }->{$state} // 0, '  exit status');
		$mend->($made);
	}
	$t->start_worker;
	ok($t->wait_for(sub { (check())[0] == 0 }), 'everything is well again') or diag(explain((check())[1]));
};

# One finding, and not one for each check that comes after it.
subtest 'the database answers too slowly' => sub {
	my $holder = session('postgres');

	$holder->run('BEGIN; LOCK TABLE store_check');
	my ($status, $checks) = check('http://127.0.0.1:9');
	$holder->run('ROLLBACK');
	is($checks->{fsck}[0], 'warning', 'one check runs out of time');
	like($checks->{fsck}[1], qr/slow, or a lock holds it up\z/, '  says why');
	is(join(' ', map { "$_: $checks->{$_}[0]" } qw(database worker tasks search issuers)),
	    'database: ok worker: not checked tasks: not checked search: not checked issuers: not checked',
	    'those after it cannot tell') or diag(explain($checks));
	is("$status $checks->{pool}[0]", '2 critical', 'what is not the database counts as ever');
	unlike($checks->{pool}[1], qr/slow|lock/, '  and has its own cause');
};

subtest 'for monitoring' => sub {
	my @ask = ('check', '--limit', 'disk=2000000g,1000000g', '--limit', 'certificate=300000d,1d');
	my ($status, $out, $err) = $t->berth(@ask);

	is("$status$err", 2, 'critical');
	like($out, qr/\ABERTH CRITICAL - 2 of \d+ checks; disk: store: /, 'the worst comes first');
	like($out, qr/^certificate +warning +/m, 'and the others in the table');
	$t->conf(database => 'host=/nonexistent');
	($status, $out) = $t->berth('check');
	like($out, qr/\ABERTH CRITICAL - \d+ of \d+ checks; database: (?!database)/, 'one name of what is wrong');
	$t->conf(database => $t->dsn('berth'));
	for my $unusable (['/nonexistent', qr/\/nonexistent: No such file/],
	    [unknown_key(), qr/unknown key `nonsense`/]) {
		my ($path, $why) = @$unusable;
		($status, $out, $err) = $t->berth('check', '-c', $path);
		is($status, 2, "the configuration $path is critical");
		like($out, qr/\ABERTH CRITICAL - configuration: .*$why.*\n/, '  which the first line says');
		like($out, qr/^configuration +critical +.*$why/m, '  and the table');
		like($err, $why, '  and standard error');
		my $rows = $json->decode(($t->berth('check', '--json', '-c', $path))[1]);
		is("@{$rows->[0]}{qw(check state)}", 'configuration critical', '  and the JSON');
		like($rows->[0]{detail}, $why, '  with the reason');
	}
	for my $bad (['nowhere=1,2', qr/no check `nowhere` has limits; these have: locks, clock, fsck,/],
	    ['disk=1', qr/disk=WARNING,CRITICAL/], ['disk=a,b', qr/--limit disk: `a` must/]) {
		($status, $out, $err) = $t->berth('check', '--limit', $bad->[0]);
		is($status, 2, "--limit $bad->[0]");
		like($err, $bad->[1], '  says why');
	}
	is(($t->berth({ env => { BERTH_CONF => undef } }, 'check', '--database', $t->dsn('berth')))[0], 2,
	    'without a configuration');
};

# Servers that take a connection and never say anything.
subtest 'when nobody answers' => sub {
	my @silent = map { IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') // die "$!\n" } 1 .. 3;
	my @ports = map { $_->sockport } @silent;

	$t->conf(database => "host=127.0.0.1 port=$ports[0]", external_url => "https://localhost:$ports[1]");
	program('nginx', 'exec sleep 20');
	program('systemctl', 'exec sleep 20');
	my $began = time;
	my ($status, $checks) = check("http://127.0.0.1:$ports[2]");
	my $took = time - $began;
	is($status, 2, 'critical');
	is(join(' ', map { $checks->{$_}[0] } qw(database pool certificate nginx)),
	    'critical critical critical critical', 'each of them') or diag(explain($checks));
	is($checks->{$_}[0], 'not checked', "$_ is not judged") for qw(clock store tasks search);
	# programs of tests have eight times the time (CHECK_SLOWNESS)
	cmp_ok($took, '<', 8, "it takes $took s");
	unlink("$bin/$_") for qw(nginx systemctl);
	$t->conf(database => $t->dsn('berth'), external_url => $t->url);
};

done_testing();
