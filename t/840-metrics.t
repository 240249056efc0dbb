#!/usr/bin/perl

# /-/metrics: what it counts is what has happened, in the format that Prometheus reads, over all
# workers and however many of them come and go.

use strict;
use warnings;

use Digest::SHA ();
use File::Path qw(remove_tree);
use Test::More;

use Berth::FastCGI;
use Berth::Metrics;
use Berth::Test;

# What nginx sends by itself is not the pool's to count.
my $t = Berth::Test->new(workers => 3, write_workers => 1, cache_dir => undef);
my $id = $t->project('demo/registry');
my $R = $t->registry($id);
$t->user('alice');
$t->member('alice', 'demo', 'maintainer');
my $token = $t->token('alice');

my @scrapes;

# Numbers of a request are there after its answer: what is waited for is the truth of $until.
sub scrape {
	my ($until) = @_;
	my $m;

	$t->wait_for(sub {
		my $res = $t->http(GET => '/-/metrics');

		$res->{status} == 200 or die "/-/metrics: $res->{status}\n";
		$m = Berth::Metrics->parse($res->{body});
		push @scrapes, $res->{body};
		return !defined $until || $until->($m);
	});
	return $m;
}

sub workers {
	my $pid = $t->pool_pid;

	return sort { $a <=> $b } split ' ', Berth::Cluster::slurp("/proc/$pid/task/$pid/children");
}

subtest 'the answer' => sub {
	my $res = $t->http(GET => '/-/metrics');

	is($res->{status}, 200, 'it is there');
	is($res->{headers}{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8', 'its type');
	is($res->{headers}{'cache-control'}, 'private, no-store', 'nobody keeps it');
	my $m = eval { Berth::Metrics->parse($res->{body}) };
	is($@, '', 'it is in order');
	is($m->value('berth_build_info', version => '1.0.0-rc.1'), 1, 'the version');
	cmp_ok(abs($m->value('berth_start_time_seconds') - time), '<', 60, 'when it was started');
	is($m->value('berth_database_up'), 1, 'the database answers');
	is($m->value('berth_database_writable'), 1, 'and takes writes');
	cmp_ok($m->value('berth_store_free_bytes'), '>', 0, 'the store has room');
	is($m->value('berth_blobs'), 0, 'and nothing in it');
	is($t->http(HEAD => '/-/metrics')->{status}, 200, 'HEAD');
	is($t->http(GET => '/-/metrics', { headers => { 'X-Forwarded-For' => '203.0.113.1' } })->{status},
	    200, 'it is the address that nginx saw which counts');
};

subtest 'requests by route and status' => sub {
	my $before = scrape();

	is($t->publish($id, $token, 'counted', '1.0.0',
	    files => { noise => join('', map { chr(int(rand(256))) } 1 .. 200_000) })->{status}, 200, 'a publish');
	$t->http(GET => "$R/config.json", { token => $token }) for 1 .. 20;
	$t->http(GET => "$R/config.json") for 1 .. 3;
	$t->http(GET => "$R/co/un/counted", { token => $token }) for 1 .. 7;
	$t->http(GET => "$R/1/x", { token => $token });
	$t->http(GET => '/nowhere') for 1 .. 2;
	$t->http(GET => "$R/counted/1.0.0/download", { token => $token });
	my $route = sub {
		my ($m, $r, $s) = @_;

		return $m->value('berth_http_requests_total', route => $r, status => $s) // 0;
	};
	my @want = (
		['publish', 200, 1, 'a publish'],
		['config_json', 200, 20, 'config.json'],
		['config_json', 401, 3, 'without a token'],
		['index', 200, 7, 'an index file'],
		['index', 404, 1, 'one that is not there, of another pattern of the same route'],
		['-', 404, 2, 'no route at all'],
		['download', 200, 1, 'a download'],
		['publish_authorize', 204, 1, 'what nginx asks before a publish'],
	);
	# each worker counts its own when it has answered
	my $m = scrape(sub { my ($m) = @_; return !grep { $route->($m, @$_[0, 1]) < $_->[2] } @want });

	is($route->($m, @$_[0, 1]), $_->[2], $_->[3]) for @want;
	is($m->value('berth_http_request_duration_seconds_count', route => 'config_json'), 23, 'how long they took');
	cmp_ok($m->value('berth_http_request_duration_seconds_sum', route => 'config_json'), '>', 0, 'in all');
	cmp_ok($m->value('berth_database_seconds_total', route => 'config_json'), '>', 0, 'in the database');
	cmp_ok($m->value('berth_database_seconds_total', route => 'config_json'), '<',
	    $m->value('berth_http_request_duration_seconds_sum', route => 'config_json'), 'which is a part of it');
	cmp_ok($m->value('berth_http_response_bytes_total', route => 'index'), '>', 100, 'bytes');
	is($m->value('berth_http_requests_total', route => 'token_page', status => 200), undef,
	    'what nobody asked for is not shown');
	is_deeply([$m->less_than($before)], [], 'nothing has become less');
};

subtest 'stages of a publish' => sub {
	my $m = scrape();
	my %count = map { $_ => $m->value('berth_publish_stage_duration_seconds_count', stage => $_) }
	    qw(read wait inspect check store commit);

	is_deeply(\%count, { map { $_ => 1 } qw(read wait inspect check store commit) },
	    'one publish, each of them once');
	# the bytes come into the store beside the commit
	my $sum = $m->sum('berth_publish_stage_duration_seconds_sum')
	    - $m->value('berth_publish_stage_duration_seconds_sum', stage => 'store');
	cmp_ok($sum, '>', 0, 'they take time');
	cmp_ok($sum, '<=', $m->value('berth_http_request_duration_seconds_sum', route => 'publish'),
	    'no more than the request');
	is($t->publish($id, $token, 'counted', '1.0.0')->{status}, 400, 'the same once more');
	$m = scrape(sub { ($_[0]->value('berth_http_requests_total', route => 'publish', status => 400)
	    // 0) == 1 });
	is($m->value('berth_publish_stage_duration_seconds_count', stage => 'check'), 2, 'is checked');
	is($m->value('berth_publish_stage_duration_seconds_count', stage => 'store'), 1, 'and comes no further');
};

subtest 'token failures by reason' => sub {
	my %token = map { $_ => $_ eq 'expired' ? $t->ended_token('alice') : $t->token('alice') }
	    qw(revoked expired unknown);
	my $failures = sub { my ($m) = @_; return { map { $_ => $m->value('berth_token_failures_total',
	    reason => $_) } qw(missing malformed unknown revoked expired blocked) }; };

	$t->berth_ok({ stdin => $token{revoked} }, qw(token revoke));
	$t->psql("DELETE FROM tokens WHERE handle = '" . Berth::Test::token_handle($token{unknown}) . "'");
	$t->user('mallory');
	$t->member('mallory', 'demo', 'owner');
	$token{blocked} = $t->token('mallory');
	$t->berth_ok(qw(user block mallory));
	my $before = $failures->(scrape());
	my %more = (missing => 1, malformed => 2, unknown => 3, revoked => 4, expired => 5, blocked => 6);
	$token{malformed} = 'x';
	for my $reason (sort keys %more) {
		is($t->http(GET => "$R/config.json", { token => $token{$reason} })->{status}, 401, $reason)
		    for 1 .. $more{$reason};
	}
	is($t->http(GET => "$R/config.json", { token => 'Basic ?' })->{status}, 401, 'one that cannot be read');
	is($t->http(GET => "$R/config.json",
	    { headers => { 'Private-Token' => $token, 'Job-Token' => $token } })->{status}, 400, 'two');
	is($t->http(DELETE => "$R/api/v1/crates/counted/1.0.0/yank", { token => $token{revoked} })->{status}, 401,
	    'also for a write');
	$more{malformed}++;
	$more{revoked}++;
	my %want = map { $_ => $before->{$_} + $more{$_} } keys %more;
	my $m = scrape(sub { my $now = $failures->($_[0]); return !grep { $now->{$_} < $want{$_} } keys %want });
	is_deeply($failures->($m), \%want, 'each is counted for what it is');
};

subtest 'refusals by reason' => sub {
	my $counts = sub { my ($m) = @_; return { map { $_ => $m->value('berth_refusals_total', reason => $_) }
	    qw(malformed token no_right not_found conflict too_large rate_limit protected quota) }; };
	my $publish = sub {
		my ($by, $name, %opt) = @_;
		my $version = $opt{version} // '1.0.0';

		return $t->http(PUT => "$R/api/v1/crates/new", { token => $by, body => $opt{body}
		    // $t->publish_body(Berth::Crate::metadata($name, $version), Berth::Crate::make($name, $version)) });
	};
	my %user = map { $_ => $t->user($_) } qw(guest developer);
	$t->member($_, 'demo/registry', $_) for sort keys %user;
	my %by = map { $_ => $t->token($_) } sort keys %user;
	$t->berth_ok(qw(protect add demo/registry guarded-* --push owner));
	my @cases = (
		[malformed => 400, sub { $publish->($token, 'x', body => 'x') }],
		[token => 401, sub { $t->http(GET => "$R/config.json") }],
		[no_right => 403, sub { $publish->($by{guest}, 'counted') }],
		[not_found => 404, sub { $t->http(GET => "$R/no/ne/none", { token => $token }) }],
		[conflict => 409, sub { $t->http(POST => "/api/v4/projects/$id/members", { token => $token,
		    headers => ['Content-Type: application/x-www-form-urlencoded'],
		    body => "user_id=$user{developer}&access_level=20" }) }],
		[too_large => 413, sub { $t->http(PUT => "$R/api/v1/crates/new", { token => $token,
		    headers => ['Content-Length: 900000000'], may_fail => 1 }) }],
		[protected => 403, sub { $publish->($by{developer}, 'guarded-one') }],
		[quota => 403, sub { $publish->($by{developer}, 'one-more') }],
	);
	$t->berth_ok(qw(project set demo/registry quota_crates=1));
	my $before = $counts->(scrape());
	for my $case (@cases) {
		my ($reason, $status, $do) = @$case;
		my $res = $do->();

		is($res->{status}, $status, "$reason: refused") or diag($res->{body});
	}
	$t->berth_ok(qw(project set demo/registry quota_crates=));
	my %want = map { $_ => $before->{$_} } keys %$before;
	$want{ $_->[0] }++ for @cases;
	my $m = scrape(sub { my $now = $counts->($_[0]); return !grep { $now->{$_} < $want{$_} } keys %want });
	is_deeply($counts->($m), \%want, 'each is counted for its reason');
	like($t->log('pool'), qr/ status=403 .* detail="the quota of `demo\/registry` is 1 crates: /,
	    'the log says whose quota it is');
};

subtest 'workers come and go' => sub {
	my $m = scrape(sub { ($_[0]->value('berth_workers', kind => 'read', state => 'idle') // 0) >= 2 });
	my $requests = $m->sum('berth_http_requests_total');
	my $ends = sub { return $_[0]->sum('berth_worker_ends_total', reason => $_[1]); };

	is($m->sum('berth_workers', kind => 'read'), 3, 'three workers');
	is($m->sum('berth_workers', kind => 'write'), 1, 'and one that writes');
	is($ends->($m, $_), 0, "none has ended: $_") for qw(retired crashed killed);
	my ($victim) = workers();
	my $served = sub { return $_[0]->value('berth_worker_requests_total', kind => $_[1]) };
	cmp_ok($served->($m, 'read'), '>', $served->($m, 'write'), 'each kind has served what came to it');
	my $agree = sub {
		return !grep { $served->($_[0], $_) != $_[0]->value('berth_worker_queue_duration_seconds_count',
		    kind => $_) } qw(read write);
	};
	ok($agree->(scrape($agree)), 'and of each of these it is known how long it waited');
	kill('KILL', $victim) or die "kill $victim: $!\n";
	my $after = scrape(sub { $ends->($_[0], 'crashed') == 1
	    && $_[0]->value('berth_workers', kind => 'read', state => 'idle') >= 2
	    && $_[0]->value('berth_workers', kind => 'write', state => 'idle') == 1
	    && $_[0]->sum('berth_workers') == 4 });
	is($ends->($after, 'crashed'), 1, 'one crashed');
	is($after->sum('berth_workers'), 4, 'and there are four again');
	is_deeply([$after->less_than($m)], [], 'it took no count with it');

	$t->conf(workers => 5);
	kill('HUP', $t->pool_pid);
	my $reloaded = scrape(sub { $_[0]->value('berth_reloads_total', result => 'done') == 1
	    && $_[0]->sum('berth_workers') == 6 && $ends->($_[0], 'retired') >= 4 });
	is($reloaded->value('berth_reloads_total', result => 'done'), 1, 'a reload');
	is($reloaded->sum('berth_workers'), 6, 'five workers, and the one that writes');
	cmp_ok($ends->($reloaded, 'retired'), '>=', 4, 'the old ones have retired');
	is($ends->($reloaded, 'crashed'), 1, 'and did not crash');
	is_deeply([$reloaded->less_than($after)], [], 'nothing has become less');
	cmp_ok($reloaded->sum('berth_http_requests_total'), '>', $requests, 'all requests, of all generations');

	$t->conf(workers => 'many');
	kill('HUP', $t->pool_pid);
	my $refused = scrape(sub { $_[0]->value('berth_reloads_total', result => 'failed') == 1 });
	is($refused->value('berth_reloads_total', result => 'failed'), 1, 'a reload that is refused');
	is($refused->value('berth_reload_ok'), 0, '  is not in force');
	my $said = $t->json($t->http(GET => '/-/readiness'));
	is($said->{reload}, 'failed', '  as readiness says');
	like($said->{reload_detail}, qr/older configuration, since .*: `berth-fcgi -t` or the pool's log /, '  why');
	$t->conf(workers => 5);
	kill('HUP', $t->pool_pid);
	is(scrape(sub { $_[0]->value('berth_reload_ok') == 1 })->value('berth_reload_ok'), 1,
	    '  until one succeeds');
	is($t->json($t->http(GET => '/-/readiness'))->{reload}, 'ok', '  also for readiness');
};

subtest 'at the same time' => sub {
	my $route = sub {
		return $_[0]->value('berth_http_requests_total', route => 'token_page', status => 200) // 0;
	};

	$t->parallel(8, sub {
		$t->http(GET => '/-/tokens', { curl => [map { $t->url . '/-/tokens' } 2 .. 25] });
		return 1;
	});
	my $m = scrape(sub { $route->($_[0]) == 200 });
	is($route->($m), 200, 'each of 200 requests is counted once');
};

subtest 'the store' => sub {
	# counted at most once a minute: of a new pool, at once
	$t->stop_pool;
	my $m = scrape();

	is($m->value('berth_blobs'), 1, 'one crate');
	is($m->value('berth_blob_bytes'), $t->psql('SELECT sum(size) FROM blobs'), 'its bytes');
	cmp_ok(abs($m->value('berth_blobs_counted_timestamp_seconds') - time), '<', 60, 'counted now');
};

subtest 'memory' => sub {
	my $m;

	# the master looks at it now and then, and a worker has some at once
	ok($t->wait_for(sub {
		$m = scrape();
		return 2 == grep { ($m->value('berth_memory_bytes', kind => $_) // 0) > 100_000 } qw(read write);
	}), 'of each kind of worker') or diag($scrapes[-1]);
	is($m->type('berth_memory_bytes'), 'gauge', 'a gauge');
};

subtest 'background tasks' => sub {
	$t->psql("INSERT INTO tasks (kind, run_at)"
	    . " VALUES ('test', now() - interval '1 hour'), ('test', now() + interval '1 hour')");
	$t->psql("INSERT INTO tasks (kind, attempts, run_at) VALUES ('test', 2, now() + interval '1 hour')");
	$t->psql("INSERT INTO tasks (kind, dead_at) SELECT 'test', now() FROM generate_series(1, 4)");
	$t->psql("INSERT INTO tasks (kind, claimed_until, claimed_by)"
	    . " VALUES ('test', now() + interval '1 hour', 'x')");
	$t->psql("INSERT INTO tasks (kind, period, done_at)"
	    . " VALUES (E'odd \\\\ \"kind\"\\n', 60, to_timestamp(1700000000))");
	my $m = scrape();
	my $odd = 'odd \\\\ \"kind\"\n';

	is($m->value('berth_tasks', kind => 'test', state => $_->[0]), $_->[1], "$_->[0]")
	    for ['waiting', 2], ['failing', 1], ['dead', 4], ['running', 1];
	cmp_ok(abs($m->value('berth_tasks_late_seconds', kind => 'test') - 3600), '<', 60, 'one is late');
	is($m->value('berth_tasks_late_seconds', kind => $odd), 0, 'others are not')
	    or diag(join("\n", grep { /odd/ } split(/\n/, $scrapes[-1])));
	is($m->value('berth_tasks_done_timestamp_seconds', kind => $odd), 1700000000, 'when it was done');
	is($m->value('berth_tasks_done_timestamp_seconds', kind => 'test'), 0, 'never');
	$t->psql("INSERT INTO tasks (kind, node, attempts)"
	    . " VALUES ('mine', 'a', 0), ('mine', 'a', 2), ('mine', 'b', 0)");
	$m = scrape();
	is(join(' ', map { $m->value('berth_tasks', kind => 'mine', node => $_->[0], state => $_->[1]) }
	    ['a', 'waiting'], ['a', 'failing'], ['b', 'waiting'], ['b', 'failing']), '1 1 1 0', 'by node');
	$t->psql("DELETE FROM tasks WHERE kind = 'mine'");
	$t->psql('DELETE FROM tasks');
};

subtest 'a store that is not mounted' => sub {
	my $there = $t->store;

	is(scrape()->value('berth_store_ok'), 1, 'it is there');
	rename($there, "$there.away") or die "$there: $!\n";
	is(scrape()->value('berth_store_ok'), 0, 'it is away');
	mkdir($there, 0750) or die "$there: $!\n";
	is(scrape()->value('berth_store_ok'), 0, 'another directory is in its place');
	remove_tree($there) if -d $there;
	rename("$there.away", $there) or die "$there: $!\n";
	is(scrape()->value('berth_store_ok'), 1, 'it is back');
};

subtest 'what a check of the store has left' => sub {
	my @names = ('berth_store_problems', 'berth_store_checked_timestamp_seconds');
	my $m = scrape();

	is($m->value($_), 0, "$_: no check") for @names;
	$t->psql("INSERT INTO store_check (checked_at, problems) VALUES (to_timestamp(1700000000), 7)");
	$m = scrape();
	is_deeply([map { $m->value($_) } @names], [7, 1700000000], 'how many, and when');
	$t->psql('DELETE FROM store_check');
	is($m->value('berth_store_damaged_blobs'), 0, 'none is damaged');
	$t->psql("INSERT INTO blobs (sha256, size) VALUES (repeat('0', 64), 1);"
	    . "INSERT INTO damaged_blobs SELECT repeat('0', 64);"
	    . 'INSERT INTO damaged_blobs SELECT cksum FROM versions LIMIT 1');
	is(scrape()->value('berth_store_damaged_blobs'), 1, 'a damaged blob that a version needs counts');
	$t->psql("DELETE FROM damaged_blobs; DELETE FROM blobs WHERE sha256 = repeat('0', 64)");
};

subtest 'what searches and lists lack' => sub {
	$t->update_search;
	$t->stop_worker;
	is(scrape()->value('berth_search_late_seconds'), 0, 'nothing');
	$t->psql("INSERT INTO crates_due (crate_id, due_at) SELECT id, now() - n * interval '1 hour'"
	    . " FROM crates, generate_series(1, 2) n");
	cmp_ok(abs(scrape()->value('berth_search_late_seconds') - 7200), '<', 60, 'the oldest change');
	$t->psql('DELETE FROM crates_due');
};

subtest 'the queues of the sockets' => sub {
	my $m = scrape();
	my $queue = sub { return $_[0]->value('berth_socket_queue', kind => $_[1]) };

	plan(skip_all => 'no root: the kernel does not tell of sockets') if !defined $queue->($m, 'read');
	is(join(' ', map { $queue->($m, $_) } qw(read write)), '0 0', 'nobody waits');
	cmp_ok($m->value('berth_socket_queue_limit', kind => $_), '>=', 100, "$_: many may") for qw(read write);
	my @readers = grep { Berth::Cluster::slurp("/proc/$_/cmdline") =~ /read worker/ } workers();
	is(kill('STOP', @readers), scalar @readers, 'no worker reads');
	my @waiting = map { Berth::FastCGI->connect($t->socket_path) } 1 .. 5;
	my $asked = sub {
		my $res = Berth::FastCGI::fetch($t->write_socket_path, '/-/metrics', REMOTE_ADDR => '127.0.0.1',
		    BERTH_LISTENER => 'monitoring') // { status => 0, body => '' };

		return $res->{status} == 200 ? $queue->(Berth::Metrics->parse($res->{body}), 'read') : -1;
	};
	ok($t->wait_for(sub { $asked->() == 5 }), 'five wait');
	undef @waiting;
	kill('CONT', @readers);
	ok($t->wait_for(sub { $asked->() == 0 }), 'and are taken');
};

subtest 'what nginx answers by itself' => sub {
	my $log = $t->dir . '/log/nginx-berth-cache.log';
	my $line = '2026-11-29T07:00:00+00:00 id=%d remote=127.0.0.1 method=GET path="%s/%s" status=200 bytes=3'
	    . ' s=0.000 pool_s=- protocol=HTTP/2.0 agent="cargo"' . "\n";
	my $n = 0;
	my $write = sub {
		open(my $fh, '>>', $log) or die "$log: $!\n";
		printf {$fh} $line, ++$n, $R, $_ for @_;
		close($fh) or die "$log: $!\n";
		$t->run_tasks('count_answers');
	};
	my $answers = sub { my $m = scrape(); return join(' ', map {
		$m->value('berth_nginx_answers_total', route => $_) // '-' }
		qw(index config_json download page_crate page_version)); };

	is($answers->(), '- - - - -', 'nothing at first');
	$write->('config.json', ('co/un/counted') x 3, 'counted/1.0.0/download');
	is($answers->(), '3 1 1 - -', 'each by its route');
	rename($log, "$log.1") or die "$log: $!\n";
	$write->('co/un/counted');
	is($answers->(), '4 1 1 - -', 'once, also when the log was rotated');
	$R = '/-/projects/demo/registry/-/crates';
	$write->('counted', 'counted', 'counted/1.0.0');
	is($answers->(), '4 1 1 2 1', 'pages, too');
	$write->();
	is($answers->(), '4 1 1 2 1', 'and no more');
	is(scrape()->value('berth_nginx_errors_total'), 0, 'no error');
	$line =~ s/status=200/status=500/;
	$write->('counted/1.0.0', 'counted/1.0.0');
	is($answers->(), '4 1 1 2 1', 'an error is of no route');
	is(scrape()->value('berth_nginx_errors_total'), 2, 'but counted');
	is($t->psql("SELECT sum(garbage) FROM download_logs"), 0, 'no line is taken for garbage');
	$t->stop_worker;
};

subtest 'an error of nginx itself' => sub {
	my $body = $t->dir . '/nginx/tmp/body';
	my $errors = sub { $t->run_tasks('count_answers'); return scrape()->value('berth_nginx_errors_total') };
	my $before = $errors->();
	my $lines = sub {
		my $text = join('', map { Berth::Cluster::slurp($_) } glob($t->dir . "/log/$_[0]*"));

		return scalar(() = $text =~ /method=PUT .* status=500 /g);
	};
	my $file = $t->dir . '/large';

	Berth::Test::write_file($file, 'x' x (2 << 20));
	# as a disk that is full: nginx cannot keep the body
	rename($body, "$body.away") or die "$body: $!\n";
	my $res = $t->http(PUT => $t->registry($id) . '/api/v1/crates/new', { token => $token,
	    curl => ['--data-binary', "\@$file"] });
	rename("$body.away", $body) or die "$body: $!\n";
	is($res->{status}, 500, 'a publish fails');
	ok($t->wait_for(sub { $errors->() == $before + 1 }), 'one more error');
	is($lines->('nginx-berth.'), 1, 'it is in the log of what the pool answers');
	is($lines->('nginx-berth-cache.'), 1, 'and where Berth counts it');
	is(scrape()->value('berth_http_requests_total', route => 'publish', status => 500) // 0, 0,
	    'the pool knows nothing of it');
	# nginx asks the pool before it reads the body, and nobody answers
	my $counted = sub {
		$t->run_tasks('count_answers');
		return $t->psql("SELECT coalesce(sum(answers), 0) FROM nginx_answers WHERE route = 'error'");
	};
	$before = $counted->();
	$t->stop_pool;
	$res = $t->http(PUT => $t->registry($id) . '/api/v1/crates/new', { token => $token, no_pool => 1,
	    curl => ['--data-binary', "\@$file"] });
	is($res->{status}, 503, 'a publish while the pool is down');
	ok($t->wait_for(sub { $counted->() == $before + 1 }), '  is one, too');
	# what only a client gets wrong, before the next real one
	is($t->http(GET => '/', { no_pool => 1, curl => ['-H', 'Transfer-Encoding: nonsense'] })->{status}, 501,
	    'what nginx does not know');
	is($t->http(GET => "/-/", { no_pool => 1 })->{status}, 502, 'a page');
	ok($t->wait_for(sub { $counted->() > $before + 1 }), '  is one, too');
	is($counted->(), $before + 2, '  and the other is none');
	$t->start_pool;
};

subtest 'while the database is away' => sub {
	my $away = Berth::Test->new(workers => 1, database => 'host=/nonexistent');
	my $res = $away->http(GET => '/-/metrics');

	is($res->{status}, 200, 'they are there');
	my $m = Berth::Metrics->parse($res->{body});
	is($m->value('berth_database_up'), 0, 'and say so');
	is($m->value('berth_database_writable'), 0, 'that nothing can be written');
	is($m->value('berth_blobs'), undef, 'what is not known is not shown');
	$away->stop_pool;
};

subtest 'issuers whose keys cannot be read' => sub {
	my %url = map { $_ => "https://$_.example.org" } qw(read new away disabled);
	my $ok = sub { return $_[0]->value('berth_issuer_keys_ok', issuer => $url{ $_[1] }) };

	$t->berth_ok('issuer', 'add', $_, '--kind', 'gitlab') for values %url;
	$t->berth_ok('issuer', 'disable', $url{disabled});
	$t->psql("UPDATE trusted_issuers SET jwks_fetched_at = now() - interval '1 hour',"
	    . " jwks_failed_at = now() - interval '2 hours' WHERE url = '$url{read}'");
	$t->psql("UPDATE trusted_issuers SET jwks_fetched_at = now() - interval '1 hour', jwks_failed_at = now()"
	    . " WHERE url IN ('$url{away}', '$url{disabled}')");
	my $m = scrape();
	is($ok->($m, 'away'), 0, 'the last read has failed');
	is($ok->($m, 'read'), 1, 'an earlier one has failed');
	is($ok->($m, 'new'), 1, 'nobody has tried');
	is($ok->($m, 'disabled'), undef, 'nobody tries');
};

subtest 'when the certificate expires' => sub {
	my $name = 'berth_certificate_expires_timestamp_seconds';
	my $server = $t->cacert =~ s{[^/]+\z}{server.pem}r;
	my $end = (Berth::Cluster::capture('openssl', 'x509', '-enddate', '-noout', '-in', $server))[1]
	    =~ s/.*=|\n//gr;

	$t->run_tasks('check_certificate');
	my $m = scrape();
	is($m->value($name), $t->psql("SELECT extract(epoch FROM '$end'::timestamptz)::bigint"),
	    'is the end in the file');
	$t->psql("UPDATE node_certificates SET seen_at = now() - interval '25 hours'");
	is(Berth::Metrics->parse($t->http(GET => '/-/metrics')->{body})->value($name), undef, 'not a day later');
};

subtest 'the manual page' => sub {
	my $page = Berth::Cluster::slurp("$Berth::Cluster::ROOT/fcgi/man/berth-fcgi.8");
	my %told = map { $_ => 1 } $page =~ /\b(berth_[a-z_]+)\b/g;

	is_deeply([sort keys %told], [sort Berth::Metrics->parse($scrapes[-1])->names],
	    'fcgi/man/berth-fcgi.8 has each metric that is shown, and no other');
};

# What is asked of Prometheus is there to be asked: names, labels, and values of these.
subtest 'alerts and dashboard' => sub {
	my $m = Berth::Metrics->parse($scrapes[-1]);
	my %values = (instance => {}, job => {});
	my %asked;

	for my $s (map { values %{ Berth::Metrics->parse($_)->{samples} } } @scrapes) {
		$values{$_}{ $s->{labels}{$_} } = 1 for keys %{ $s->{labels} };
	}
	for my $file (qw(prometheus/berth-rules.yml grafana/berth.json)) {
		my $text = Berth::Cluster::slurp("$Berth::Cluster::ROOT/conf/$file");
		my @exprs = $text =~ /^ *expr: (?:>\n)?(.*?)^ *(?:for|labels):/msg;

		if ($file =~ /json$/) {
			my $dashboard = eval { JSON::PP->new->utf8->decode($text) };
			is($@, '', "$file is JSON");
			@exprs = map { $_->{expr} } map { @{ $_->{targets} } } @{ $dashboard->{panels} };
			my %ids = map { $_->{id} => 1 } @{ $dashboard->{panels} };
			is(scalar keys %ids, scalar @{ $dashboard->{panels} }, "$file: each panel has its own id");
		}
		cmp_ok(scalar @exprs, '>', 10, "$file: expressions were found");
		for my $expr (@exprs) {
			ok($expr =~ /\bberth_|^up\{/, "$file: $expr") or next;
			# `a < b > 1` asks whether a is more than 1
			my $flat = $expr =~ s/"[^"]*"//gr;
			1 while $flat =~ s/\([^()]*\)|\{[^{}]*\}|\[[^\]]*\]//g;
			is(join('; ', grep { (() = /[<>]=?|[!=]=/g) > 1 } split(/\b(?:and|or|unless)\b/, $flat)), '',
			    'compares only what was not compared already');
			for my $name ($expr =~ /\b(berth_[a-z_]+)\b/g) {
				$asked{ $name =~ s/_(?:bucket|sum|count)$//r }++;
				ok(defined($m->type($name)) || ($m->type($name =~ s/_(?:bucket|sum|count)$//r) // '') eq 'histogram',
				    "$name is shown") or diag($expr);
			}
			while ($expr =~ /([a-z_]+)(=~?)"([^"]*)"/g) {
				my ($label, $op, $value) = ($1, $2, $3);

				ok(exists $values{$label}, "there is a label $label") or next;
				next if $label =~ /^(?:instance|job|status)$/;
				ok(exists $values{$label}{$_}, "and it can be $_") for $op eq '=' ? $value : split(/\|/, $value);
			}
		}
	}
	is_deeply([grep { !$asked{$_} } $m->names], [],
	    'conf/grafana/berth.json or conf/prometheus/berth-rules.yml uses each metric');
};

subtest 'promtool' => sub {
	my @missing;
	my $check = sub {
		my ($what, @command) = @_;
		my ($status, $out, $err) = Berth::Cluster::capture({ stdin => $scrapes[-1] }, 'promtool', 'check',
		    @command);

		if ($status == 127) {
			push @missing, $what;
		} else {
			is($status, 0, "$what: it has nothing against them") or diag("$out$err");
		}
	};

	$check->('metrics', 'metrics');
	$check->('rules', 'rules', "$Berth::Cluster::ROOT/conf/prometheus/berth-rules.yml");
	pass('it is not on this machine; what it would read was read by other means above') if @missing == 2;
};

done_testing();
