#!/usr/bin/perl

# /-/liveness and /-/readiness: what they say while the database or the store is in trouble, and to
# whom.  Has a PostgreSQL cluster of its own, since it stops it.

use strict;
use warnings;

use POSIX ();
use Test::More;
use Time::HiRes qw(time);

use Berth::Cluster;
use Berth::FastCGI qw(fetch);
use Berth::Test;

my $cluster = Berth::Cluster->start;
my $t = Berth::Test->new(workers => 2);
my $id = $t->project('demo/registry');
my @paths = qw(/-/liveness /-/readiness /-/metrics);

sub get { return $t->http(GET => $_[0]); }

# What readiness says: status and the words of its body.
sub ready {
	my ($query) = @_;
	my $res = get('/-/readiness' . ($query // ''));
	my $said = eval { $t->json($res) } // { status => "no JSON: $res->{body}" };

	return join(' ', $res->{status}, map { $_ . '=' . ($said->{$_} // '-') } qw(status database schema store));
}

use constant GOOD => '200 status=ok database=ok schema=ok store=ok';

# Takes other settings by a reload, and waits until the processes of before have ended, because each of their
# workers may take one more request.
sub reload {
	my (%settings) = @_;
	my $master = $t->pool_pid;
	my @before = split(' ', Berth::Cluster::slurp("/proc/$master/task/$master/children"));

	$t->conf(%settings);
	kill('HUP', $master);
	return $t->wait_for(sub { !grep { -e "/proc/$_" } @before });
}

# Says so after a while, and liveness takes no notice.
sub becomes {
	my ($want, $name, $query) = @_;
	my $last;

	$t->wait_for(sub { $last = ready($query); return $last eq $want; }, 60);
	is($last, $want, $name);
	is(get('/-/liveness')->{status}, 200, "$name: the process is alive");
}

sub cut_off {
	$t->psql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
	    . " WHERE datname = current_database() AND usename = 'berth'");
}

subtest 'all is well' => sub {
	my $res = get('/-/liveness');

	is($res->{status}, 200, 'liveness');
	is($res->{body}, '{"status":"ok"}', 'its body');
	is($res->{headers}{'content-type'}, 'application/json', 'its type');
	is($res->{headers}{'cache-control'}, 'private, no-store', 'nobody keeps it');
	is(ready(), GOOD, 'readiness');
	is(ready('?for=reads'), GOOD, 'for reads');
	is(get('/-/readiness?for=writes')->{status}, 400, 'for something else');
	is($t->http(HEAD => $_)->{status}, 200, "HEAD $_") for @paths;
	# the file of the probe goes after the answer
	ok($t->wait_for(sub { !(() = glob($t->store . '/staging/*')) }), 'nothing is left in the store');
};

subtest 'for whom' => sub {
	my $nowhere = fetch($t->socket_path, '/-/nowhere', REMOTE_ADDR => '203.0.113.9');
	my %in = map { $_ => 1 } qw(127.0.0.1 127.9.9.9 ::1 ::ffff:127.0.0.1);

	is($nowhere->{status}, 404, 'a path that leads nowhere');
	for my $from (sort keys %in, '203.0.113.9', '10.0.0.1', '::2', 'unix:', '', '127.0.0.1.evil.example') {
		for my $path (@paths) {
			my $res = fetch($t->socket_path, $path, REMOTE_ADDR => $from);

			if ($in{$from}) {
				is($res->{status}, 200, "$path from $from");
				next;
			}
			is($res->{status}, 404, "$path from `$from`");
			is($res->{body}, $nowhere->{body}, "$path from `$from`: as if it were not there");
			is_deeply([sort keys %{ $res->{headers} }], [sort keys %{ $nowhere->{headers} }],
			    "$path from `$from`: down to the headers");
		}
	}
	is(fetch($t->socket_path, $_)->{status}, 404, "$_ from nobody knows where") for @paths;
	for my $method (qw(HEAD POST OPTIONS DELETE BREW)) {
		my $ask = sub {
			return fetch($t->socket_path, $_[0], REQUEST_METHOD => $method, REMOTE_ADDR => $_[1])->{status};
		};

		is(join(' ', map { $ask->($_, '203.0.113.9') } @paths), '404 404 404', "$method from elsewhere");
		is(join(' ', map { $ask->($_, '127.0.0.1') } @paths), $method eq 'HEAD' ? '200 200 200' : '405 405 405',
		    "$method from here");
	}
	ok(reload(monitoring_allow => '10.0.0.0/8 2001:db8::/32'), 'another list, by a reload');
	is(fetch($t->socket_path, $paths[0], REMOTE_ADDR => $_)->{status}, 200, "$_ may")
	    for '10.1.2.3', '2001:db8::7';
	is(fetch($t->socket_path, $paths[0], REMOTE_ADDR => $_)->{status}, 404, "$_ may not") for '127.0.0.1', '::1';
	is(get($_)->{status}, 404, "$_ through nginx") for @paths;
	ok(reload(monitoring_allow => ''), 'an empty list');
	is(fetch($t->socket_path, $paths[0], REMOTE_ADDR => $_)->{status}, 404, "$_ may not")
	    for '127.0.0.1', '::1', '';
	ok(reload(monitoring_allow => undef), 'the default again');
	becomes(GOOD, 'lets us in again');
};

# What the pool knows of the worker of its node.
subtest 'the worker' => sub {
	my $ask = sub {
		my $res = get("/-/worker$_[0]");
		my $said = $t->json($res);

		return join(' ', $res->{status}, map { $said->{$_} // '-' } qw(status node seen_seconds_ago))
		    . " @{ $said->{failing} }";
	};

	ok(reload(node => 'one'), 'a node has a name');
	is($ask->(''), '503 failed one - ', 'there was never one');
	$t->start_worker;
	ok($t->wait_for(sub { $ask->('') =~ /^200 ok one \d $/ }), 'it works') or diag($ask->(''));
	is($ask->('?node=two'), '503 failed two - ', 'that of another node does not');
	$t->stop_worker;
	$t->psql("UPDATE tasks SET done_at = now() - interval '100 seconds' WHERE kind = 'probe_store';"
	    . " UPDATE tasks SET attempts = 2 WHERE kind = 'collect_blobs'");
	like($ask->(''), qr/^503 failed one 10\d collect_blobs$/, 'it has ended, and a task had failed before');
	is(fetch($t->socket_path, '/-/worker', REMOTE_ADDR => $_)->{status}, 404, "not for $_")
	    for '203.0.113.9', '10.0.0.1';
	$t->conf(node => undef);
};

subtest 'the database only reads' => sub {
	$cluster->sql('postgres', "ALTER DATABASE $t->{database} SET default_transaction_read_only = on");
	cut_off();
	becomes('503 status=failed database=read-only schema=ok store=ok', 'read-only');
	becomes('200 status=ok database=read-only schema=ok store=ok', 'which will do for reads', '?for=reads');
	$cluster->sql('postgres', "ALTER DATABASE $t->{database} RESET default_transaction_read_only");
	cut_off();
	becomes(GOOD, 'writable again');
};

subtest 'the schema is another' => sub {
	my $newest = '(SELECT max(version) FROM schema_migrations)';
	my $newer = "INSERT INTO schema_migrations (version, topic, checksum) VALUES (9999, 'future', 'x')";
	my $older = "CREATE TABLE aside AS SELECT * FROM schema_migrations WHERE version = $newest;"
	    . "DELETE FROM schema_migrations WHERE version = $newest";
	my %back = ($newer => 'DELETE FROM schema_migrations WHERE version = 9999',
	    $older => 'INSERT INTO schema_migrations SELECT * FROM aside; DROP TABLE aside');

	my %is = ($newer => 'too new', $older => 'too old');

	for my $change ($newer, $older) {
		$t->psql($change);
		becomes("503 status=failed database=ok schema=$is{$change} store=ok", 'another version');
		becomes("503 status=failed database=ok schema=$is{$change} store=ok", 'also for reads', '?for=reads');
		$t->psql($back{$change});
		becomes(GOOD, 'it fits again');
	}
	# who has no connection any more gets none
	$t->psql($newer);
	cut_off();
	becomes('503 status=failed database=ok schema=too new store=ok', 'found when connecting');
	$t->psql($back{$newer});
	becomes(GOOD, 'it fits again');
};

subtest 'the encoding is another' => sub {
	my $name = "$t->{database}_ascii";
	my $dsn = $t->dsn('berth') =~ s/dbname=\S+/dbname=$name/r;

	$cluster->sql('postgres',
	    "CREATE DATABASE $name TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
	$t->conf(database => $dsn);
	kill('HUP', $t->pool_pid);
	becomes('503 status=failed database=ok schema=not UTF8 store=ok', 'readiness says so');
	becomes('503 status=failed database=ok schema=not UTF8 store=ok', 'also for reads', '?for=reads');
	like($t->log('pool'), qr/route=readiness status=503 .*its encoding is SQL_ASCII, and Berth needs UTF8/,
	    'the log says what to do');
	my $res = get($t->registry($id) . '/config.json');
	is($res->{status}, 503, 'nothing is served from it');
	unlike($res->{body}, qr/SQL_ASCII|upgraded/, 'and a client hears neither why nor that it would pass');
	$t->conf(database => $t->dsn('berth'));
	kill('HUP', $t->pool_pid);
	becomes(GOOD, 'the right one again');
};

subtest 'the store' => sub {
	my $staging = $t->store . '/staging';

	# also root cannot make a file in what is no directory
	rename($staging, "$staging.away") or die "$staging: $!\n";
	open(my $fh, '>', $staging) or die "$staging: $!\n";
	close($fh);
	becomes('503 status=failed database=ok schema=ok store=not writable', 'not writable');
	becomes(GOOD, 'which will do for reads', '?for=reads');
	unlink($staging);
	rename("$staging.away", $staging) or die "$staging: $!\n";
	becomes(GOOD, 'writable again');
	rename($t->store, $t->store . '.away') or die "store: $!\n";
	becomes('503 status=failed database=ok schema=ok store=unreadable', 'gone', '?for=reads');
	rename($t->store . '.away', $t->store) or die "store: $!\n";
	becomes(GOOD, 'back again');
	is(scalar(my @left = glob("$staging/*")), 0, 'nothing is left in it');
};

subtest 'the database is away' => sub {
	# this cluster commits without waiting for the disk, and the schema has just been put right
	$cluster->sql('postgres', 'CHECKPOINT');
	$cluster->halt('immediate');
	becomes('503 status=failed database=unreachable schema=unknown store=ok', 'stopped');
	becomes('503 status=failed database=unreachable schema=unknown store=ok', 'also for reads', '?for=reads');
	is(get('/-/metrics')->{status}, 200, 'the metrics are there');
	like($t->log('pool'), qr/route=readiness status=503 .* detail="?[^"]*database/, 'the log says why');
	unlike(get('/-/readiness')->{body}, qr/sock|connect|host/, 'the answer does not');
	$cluster->resume;
	becomes(GOOD, 'started again');
};

subtest 'the database hangs' => sub {
	my ($postmaster) = split /\n/, Berth::Cluster::slurp("$cluster->{pg}/data/postmaster.pid");
	my @backends = $t->psql("SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
	    . " AND usename = 'berth'");

	kill('STOP', $postmaster, @backends) or die "kill: $!\n";
	my $started = time;
	is(ready(), '503 status=failed database=unreachable schema=unknown store=ok', 'it does not answer');
	cmp_ok(time - $started, '<', 20, 'which is said in time');
	is(get('/-/liveness')->{status}, 200, 'liveness is not kept waiting');
	kill('CONT', $postmaster, @backends);
	becomes(GOOD, 'it goes on');
};

# A proxy beside nginx makes everybody look like this host: this host has a server of its own.
subtest 'which server' => sub {
	ok(reload(monitoring_allow => '127.0.0.0/8 ::1/128 10.0.0.0/8'), 'another network');
	for my $case (['nginx files of before', undef, 200, 200, 200, 404],
		['the public server', 'public', 404, 404, 200, 404],
		['the one for monitoring', 'monitoring', 200, 200, 200, 404]) {
		my ($name, $listener, @want) = @$case;

		for my $address ('127.0.0.1', '::1', '10.1.2.3', '192.0.2.1') {
			my $want = shift @want;

			is(fetch($t->socket_path, $_, REMOTE_ADDR => $address,
			    defined $listener ? (BERTH_LISTENER => $listener) : ())->{status}, $want, "$name, $address: $_")
			    for @paths;
		}
	}
	ok(reload(monitoring_allow => undef), 'the default again');
	is($t->http(GET => $_, { public => 1 })->{status}, 404, "$_ by the public server of nginx") for @paths;
	my %lies = map { $_ => 'monitoring' } 'BERTH_LISTENER', 'Berth-Listener';
	is($t->http(GET => $_, { public => 1, headers => { %lies, Host => 'berth-monitoring' } })->{status}, 404,
	    '  whatever a client says') for @paths;
	becomes(GOOD, 'by the other');
	is($t->http(GET => $_, { curl => ['http://127.0.0.1:' . $t->monitoring_port . $_] })->{status}, 404,
	    "the other has no $_") for '/', '/-/', '/-/tokens', '/api/v4/user', $t->registry($id) . '/config.json';
};

# What nginx has in berth-site.conf, and this pool in berth.conf.
subtest 'nginx has other paths' => sub {
	my $other = $t->dir . '/other';

	mkdir($other) or die "$other: $!\n";
	symlink($t->store, "$other/store") or die "$other/store: $!\n";
	for my $case (['the same', [], 200, undef], ['the store by another path',
		[BERTH_NGINX_STORE => "$other/store"], 200, undef],
		['another store', [BERTH_NGINX_STORE => $other], 503, qr/has \$berth_store \Q$other\E, and .* store = /],
		['a store that is not there, as in a container', [BERTH_NGINX_STORE => '/nowhere'], 200,
		qr{has \$berth_store /nowhere, which does not exist for the pool, and .* store = .*; make them equal}],
		['a cache that is not there', [BERTH_NGINX_CACHE_DIR => '/nowhere'], 200,
		qr{has \$berth_cache_dir /nowhere, which does not exist for the pool, and }],
		['the same root', [BERTH_NGINX_ROOT => '/'], 200, undef],
		['another root', [BERTH_NGINX_ROOT => '/cargo/'], 503, qr{has \$berth_root "/cargo", and .*_url = https:}],
		['another cache', [BERTH_NGINX_CACHE_DIR => $other], 200, qr/has \$berth_cache_dir \Q$other\E, and /],
		['a cache with a long path', [BERTH_NGINX_CACHE_DIR => '/' . join('/', ('d' x 199) x 19)], 200,
		qr{has \$berth_cache_dir (?:/d+){19}, which does not exist for the pool, and .*; make them equal}],
		['a store that its workers reach', [BERTH_NGINX_STORE => $t->store, BERTH_NGINX_REACHES => 'of store'],
		200, undef],
		['a store that they do not reach', [BERTH_NGINX_STORE => $t->store, BERTH_NGINX_REACHES => 'of cache_dir'],
		503, qr/\Anginx's workers cannot reach \$berth_store \Q@{[$t->store]}\E: check .* in the group/],
		['a cache that they do not reach', [BERTH_NGINX_CACHE_DIR => $t->dir . "/cache",
		BERTH_NGINX_REACHES => 'of store'], 200, qr/\Anginx's workers cannot reach \$berth_cache_dir /],
		['keys', [BERTH_NGINX_KEYS => "of $other"], 200, undef],
		['no keys', [BERTH_NGINX_KEYS => 'of '], 200, qr/\Anginx has no keys, so the pool .*: reload nginx; /]) {
		my ($name, $param, $status, $detail) = @$case;
		my $res = fetch($t->socket_path, '/-/readiness', REMOTE_ADDR => '127.0.0.1', @$param);
		my $said = $t->json($res);

		is($res->{status}, $status, $name);
		defined $detail ? like($said->{nginx_detail}, $detail, '  says so')
		    : is($said->{nginx_detail}, undef, '  has nothing to say');
		is($said->{status}, $status == 200 ? 'ok' : 'failed', '  and how bad that is');
	}
	$t->stop_nginx;
	$t->start_nginx(sub { s/^(\tdefault )"\Q@{[$t->store]}\E";/$1"$other";/mr });
	becomes('503 status=failed database=ok schema=ok store=ok', 'through nginx');
	$t->stop_nginx;
	$t->start_nginx(sub { s/^(\tdefault )"\Q@{[$t->store]}\E";/$1"\/nowhere";/mr });
	becomes('503 status=failed database=ok schema=ok store=ok', 'a store that nginx does not reach');
	$t->stop_nginx;
	# nginx logs what it cannot look at, unless it does not exist
	symlink('loop', "$other/loop") or die "$other/loop: $!\n";
	$t->start_nginx(sub { s/^(\tdefault )"\Q@{[$t->store]}\E";/$1"$other\/loop";/mr });
	my $looks = sub { scalar(() = $t->log('nginx-error') =~ m{\Q$other\E/loop/\.}g) };
	my $before = $looks->();
	$t->http(GET => $_) for grep { !/readiness/ } @paths;
	is($looks->(), $before, 'only readiness looks at the directories');
	$t->http(GET => '/-/readiness');
	cmp_ok($looks->(), '>', $before, 'and does');
	$t->stop_nginx;
	my $changed = 0;
	$t->start_nginx(sub {
		s/^(\tdefault )"\Q@{[$t->store]}\E";/$1"$other\/store";/mr
		    =~ s/\A(?=# Berth, http level: include once inside http)/$changed++; "disable_symlinks on;\n"/er;
	});
	is($changed, 1, 'nginx follows no symbolic links elsewhere');
	is($t->json($t->http(GET => '/-/readiness'))->{nginx_detail}, undef, 'a symbolic link leads to the store');
	$t->stop_nginx;
	$t->start_nginx(sub { s/^\tinclude "\S+\.key";\n//mgr });
	my $said = $t->json($t->http(GET => '/-/readiness'));
	like($said->{nginx_detail}, qr/\Anginx has no keys, /, 'an nginx without keys');
	$t->stop_nginx;
};

subtest 'nginx' => sub {
	my $res = $t->http(GET => '/-/readiness', { headers => ['X-Forwarded-For: 10.0.0.1'] });

	is($res->{status}, 200, 'what a client says of its address does not count');
	for my $path (@paths) {
		$res = $t->http(GET => $path, { headers => ['Authorization: a', 'Authorization: b'] });
		is($res->{status}, 400, "$path: an error of nginx");
		like($res->{body}, qr/^[^\n<{]+\n\z/, "$path: is one sentence");
	}
	is(get('/-/liveness/')->{status}, 404, 'a slash behind it');
	is($t->stop_pool, 0, 'the pool ends');
	for my $path (@paths) {
		$res = $t->http(GET => $path, { no_pool => 1 });
		is($res->{status}, 502, "$path: without it");
		like($res->{body}, qr/^[^\n<{]+\n\z/, "$path: one sentence");
		like($res->{headers}{'x-served-by'}, qr/^[0-9a-f]{32}$/, "$path: with a request id");
	}
};

done_testing();
