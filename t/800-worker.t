#!/usr/bin/perl

# berth-worker: tasks are run once each, whoever is there to run them; what fails is tried again,
# and in the end is dead; one that dies, or loses the database, loses no task.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Berth::Cluster;
use Berth::Fault;
use Berth::Test;

my $cluster = Berth::Cluster->start;
my $t = Berth::Test->new;
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;

# the cluster saves time where it may lose data; of what is here before a crash all must stay
# (what a sequence of a database that was copied has counted so far is in no log before a checkpoint)
$cluster->sql('postgres', "ALTER DATABASE $t->{database} SET synchronous_commit = on", 'CHECKPOINT');
my $worker = $t->build . '/berth-worker';
my $staging = $t->store . '/staging';

sub task {
	my ($columns, @where) = @_;

	return $t->psql("SELECT $columns FROM tasks WHERE " . join(' AND ', @where));
}

# A task without a period, of a kind that has one; returns its id.
sub add_task {
	my ($kind, %columns) = @_;
	my @names = sort keys %columns;

	return $t->psql('INSERT INTO tasks (' . join(', ', 'kind', @names) . ') VALUES ('
	    . join(', ', "'$kind'", @columns{@names}) . ") RETURNING id; NOTIFY berth_tasks");
}

sub gone {
	my ($id) = @_;

	return $t->wait_for(sub { task('count(*)', "id = $id") == 0 });
}

# What workers have logged of tasks: [id, kind, result, attempt, detail] ...
sub said {
	my (@names) = @_;

	return map { /event=task id=(\d+) kind=(\w+) result=(\w+) attempt=(\d+) ms=[\d.]+(?: detail=(.*))?$/
	    ? [$1, $2, $3, $4, $5 // ''] : () } map { split(/\n/, $t->log($_)) } @names;
}

subtest 'options' => sub {
	my ($status, $out, $err) = Berth::Cluster::capture($worker, '-t', '-c', $t->conf_path);
	my $ok = '# berth-worker: the configuration ' . $t->conf_path . " is ok\n";
	is("$status$out$err", "0$ok", 'a good configuration');
	($status, undef, $err) = Berth::Cluster::capture($worker, '-t', '-c', '/nonexistent');
	is($status, 1, 'none');
	like($err, qr{^berth-worker: cannot read /nonexistent: No such file}, 'says so');
	($status, $out, $err) = Berth::Cluster::capture({ env => { BERTH_CONF => $t->conf_path } }, $worker, '-t');
	is("$status$out$err", "0$ok", 'BERTH_CONF names the configuration');
	for my $case (
		[{ store => '/nonexistent/store' }, 1, qr{store: /nonexistent/store does not exist, and cannot be made }
		    . qr{in /nonexistent: No such file or directory}],
		[{ database => 'host=/nonexistent password=hunter2' }, 0, qr{warning: the database does not answer }
		    . qr{\([^\n]*\); encoding, store and token_key are not checked}],
		[{ database => $t->dsn('berth') =~ s/\bdbname=\S+/dbname=postgres/r }, 0, qr{warning: database: there is }
		    . qr{no schema yet; run `berth migrate`; store and token_key are not checked}],
	) {
		my ($conf, $want, $why) = @$case;
		my $u = Berth::Test->new(%$conf);

		($status, $out, $err) = Berth::Cluster::capture($worker, '-t', '-c', $u->conf_path);
		is("$status$out", $want == 0 ? "0# berth-worker: the configuration @{[$u->conf_path]} is ok\n" : $want,
		    join(' ', '-t: another', keys %$conf));
		like($err, qr/\Aberth-worker: $why\n\z/, 'says why');
		unlike($err, qr/hunter2/, 'without the password');
	}
	($status) = Berth::Cluster::capture($worker, '-x');
	is($status, 2, 'an option that there is not');
	is((Berth::Cluster::capture($worker, '--version'))[1] =~ /^berth-worker \d/, 1, 'the version');
	my $before = $t->psql('SELECT count(*) FROM tasks');
	is($before, 0, 'nothing of this has touched the database');
};

subtest 'tasks with a period' => sub {
	# three start at the same moment, and one of them runs each
	$t->start_worker($_, node => 'one') for qw(worker1 worker2 worker3);
	ok($t->wait_for(sub { task('bool_and(done_at IS NOT NULL)', 'period > 0') eq 't' }), 'each is run at once');
	is(task("count(*) FILTER (WHERE runs <> 1 OR attempts <> 0)", 'true'), 0, 'once');
	is(task("run_at - done_at = make_interval(secs => period)", "kind = 'sweep_limits'"), 't',
	    'and again when the period is over');
	like($t->berth_ok('tasks', 'list'), qr/^\d+ +sweep_limits +waiting +0 .* 3600 /m, 'listed');
	my $done = task('done_at', "kind = 'sweep_limits'");
	$t->run_tasks('sweep_limits');
	cmp_ok(task('done_at', "kind = 'sweep_limits'"), 'gt', $done, 'run_tasks() lets it run now');
	$t->psql("DELETE FROM tasks WHERE kind = 'sweep_limits'");
	$t->start_worker('worker4', node => 'one');
	ok($t->wait_for(sub { task('count(*)', "kind = 'sweep_limits'") == 1 }), 'one that was removed is back');
	is($t->stop_worker($_), 0, "$_ ends") for qw(worker1 worker2 worker3 worker4);
};

subtest 'what the sweeps do' => sub {
	my @files = map { sprintf("%032x", $_) } 1 .. 3;

	Berth::Test::write_file("$staging/$_", 'x') for @files, 'README';
	utime(time - 3600, time - 3600, map { "$staging/$_" } @files[0, 1], 'README');
	$t->psql("INSERT INTO rate_limits SELECT 'user:' || n, 'publish', true, now() - interval '1 s'"
	    . " FROM generate_series(1, 2500) n;"
	    . "INSERT INTO rate_limits VALUES ('user:0', 'publish', true, now() + interval '1 h')");
	for my $table (qw(used_id_tokens refused_job_tokens)) {
		$t->psql("INSERT INTO $table SELECT sha256(convert_to('old ' || n, 'UTF8')), now() - interval '1 s'"
		    . " FROM generate_series(1, 1500) n;"
		    . "INSERT INTO $table SELECT sha256(convert_to('new ' || n, 'UTF8')), now() + interval '1 h'"
		    . " FROM generate_series(1, 3) n");
	}
	$t->start_worker;
	$t->run_tasks($_) for qw(sweep_staging sweep_limits sweep_ci_tokens);
	is(join(' ', map { -e "$staging/$_" ? 1 : 0 } @files, 'README'), '0 0 1 1', 'old staging files, ours alone');
	is($t->psql('SELECT string_agg(actor, $$ $$) FROM rate_limits'), 'user:0', 'full buckets');
	is($t->psql("SELECT count(*), min(until_at) > now() FROM $_"), '3|t', "$_: those that still say something")
	    for qw(used_id_tokens refused_job_tokens);
	is_deeply([map { [@$_[1, 2, 4]] } grep { $_->[4] ne '' } said('worker')], [
	    ['sweep_staging', 'done', '"2 staging files removed"'],
	    ['sweep_limits', 'done', '"2500 buckets removed"'],
	    ['sweep_ci_tokens', 'done', '"3000 digests removed"']], 'logged');
	unlink("$staging/README", "$staging/$files[2]");
};

# Each of these tasks is done before the next one is there: somebody who looks every 5 seconds would
# need 15 of them for all but the first.
sub is_woken {
	my ($name) = @_;
	my $started = time;

	for (1 .. 4) {
		my $id = add_task('sweep_limits');
		ok(gone($id), 'done');
	}
	cmp_ok(time - $started, '<', 12, $name);
	return;
}

subtest 'woken' => sub {
	is_woken('without a wait');
	my $slow = time;
	my $later = add_task('sweep_limits', run_at => "now() + interval '2 s'");
	ok(gone($later), 'one that is to wait');
	cmp_ok(time - $slow, '>=', 2, 'waits');
};

# When it is to be tried again, in seconds from that moment on, to which comes how long the attempt
# was, and this test was not looked after.
sub put_off { return task("extract(epoch FROM run_at - '$_[1]')::int", "id = $_[0]") }
sub moment { return $t->psql('SELECT clock_timestamp()') }

subtest 'attempts' => sub {
	rename($t->store, $t->store . '.away') or die;
	my $since = moment();
	my $id = add_task('sweep_staging');
	ok($t->wait_for(sub { task('error IS NOT NULL', "id = $id") eq 't' }), 'it fails');
	is(task('attempts, claimed_until IS NULL', "id = $id"), '1|t', 'another attempt is to come');
	cmp_ok(put_off($id, $since), '>=', 5, 'not at once');
	cmp_ok(put_off($id, $since), '<', 20, 'in some seconds');
	like(task('error', "id = $id"), qr/^store .*: open: No such file/, 'it is known why');
	like($t->berth_ok('tasks', 'list'), qr/^$id +sweep_staging +failing +1 .*store .*: open/m, 'listed');
	$since = moment();
	$t->psql("UPDATE tasks SET attempts = 3, run_at = now() WHERE id = $id; NOTIFY berth_tasks");
	ok($t->wait_for(sub { task('attempts', "id = $id") == 4
	    && task('claimed_until IS NULL', "id = $id") eq 't' }), 'the fourth');
	cmp_ok(put_off($id, $since), '>=', 40, 'is farther from the next');
	cmp_ok(put_off($id, $since), '<', 75, 'but not as far as the fifth');
	$t->psql("UPDATE tasks SET attempts = 9, run_at = now() WHERE id = $id; NOTIFY berth_tasks");
	ok($t->wait_for(sub { task('dead_at IS NOT NULL', "id = $id") eq 't' }), 'after the tenth it is dead');
	my $dead = JSON::PP->new->decode($t->berth_ok(qw(tasks list --dead --json)));
	is_deeply([map { [@{$_}{qw(id kind state attempts period)}] } @$dead],
	    [[$id, 'sweep_staging', 'dead', 10, undef]], 'the only one');
	is($t->berth_ok(qw(tasks list --dead --kind sweep_limits --json)), '[]', 'of its kind');
	my ($status, $out, $err) = $t->berth(qw(tasks list --kind NOPE));
	is("$status$out", '2', 'a kind that does not exist');
	like($err, qr/no kind of task `NOPE`; the kinds are: apply_retention, .*, weigh_crates$/m, 'says which do');
	# one with a period goes on
	my $periodic = task('id', "kind = 'sweep_staging'", 'period > 0');
	$since = moment();
	$t->psql("UPDATE tasks SET attempts = 30, run_at = now() WHERE id = $periodic; NOTIFY berth_tasks");
	ok($t->wait_for(sub { task('attempts', "id = $periodic") == 31
	    && task('claimed_until IS NULL', "id = $periodic") eq 't' }), 'one with a period');
	is(task('dead_at IS NULL', "id = $periodic"), 't', 'never dies');
	cmp_ok(put_off($periodic, $since), '>=', 10 * 60, 'it waits for its period');
	cmp_ok(put_off($periodic, $since), '<', 13 * 60, 'and hardly longer');
	rename($t->store . '.away', $t->store) or die;
	is($t->berth_ok('tasks', 'retry', $periodic), $periodic, 'retried');
	ok($t->wait_for(sub { task('attempts = 0 AND error IS NULL'
	    . ' AND claimed_until IS NULL', "id = $periodic") eq 't' }), 'it gets on');
	is($t->berth_ok('tasks', 'retry', $id), $id, 'so is the dead one');
	ok(gone($id), 'and is done');
	is_deeply([map { $_->[2] } grep { $_->[0] == $id } said('worker')], [qw(failed failed dead done)], 'logged');
};

subtest 'the admin command' => sub {
	my $id = add_task('sweep_limits', dead_at => 'now()', key => "'k'", error => "'why'");
	my $same = add_task('sweep_limits', key => "'k'", run_at => "now() + interval '1 h'");
	my ($status, undef, $err) = $t->berth('tasks', 'retry', $id);
	is($status, 1, 'another with its key waits');
	like($err, qr/another task is already waiting instead of task $id/, 'says so');
	is($t->berth_ok('tasks', 'remove', $same), $same, 'removed');
	is(task('count(*)', "id = $same"), 0, 'gone');
	for my $verb (qw(retry remove)) {
		($status, undef, $err) = $t->berth('tasks', $verb, $same);
		is($status, 1, "$verb: not there");
		like($err, qr/there is no task $same/, 'says so');
		($status) = $t->berth('tasks', $verb, 'x');
		is($status, 2, "$verb: no number");
	}
	$t->berth_ok('tasks', 'retry', $id);
	ok(gone($id), 'retried');
	is($t->psql("SELECT string_agg(action || ' ' || (detail ->> 'id') || ' ' || (detail ->> 'kind'), ', '"
	    . " ORDER BY id)"
	    . " FROM audit_events WHERE action LIKE 'task.%' AND (detail ->> 'id')::bigint IN ($id, $same)"),
	    "task.remove $same sweep_limits, task.retry $id sweep_limits", 'both are in the audit log');
};

subtest 'of a kind that nobody knows' => sub {
	my $id = add_task('from_the_future');
	my $after = add_task('sweep_limits');
	ok(gone($after), 'what comes after it is done');
	is(task('runs, claimed_until IS NULL', "id = $id"), '0|t', 'it waits for somebody who does');
	$t->psql("DELETE FROM tasks WHERE id = $id");
	is($t->stop_worker, 0, 'the worker ends');
};

subtest 'many workers, many tasks' => sub {
	my @names = map { "worker-many$_" } 1 .. 4;

	$t->start_worker($_) for @names;
	$t->psql("INSERT INTO tasks (kind) SELECT 'sweep_limits' FROM generate_series(1, 400); NOTIFY berth_tasks");
	ok($t->wait_for(sub { task('count(*)', 'period IS NULL') == 0 }, 60), 'all are done');
	# the lines come before the rows go
	my @said = grep { $_->[1] eq 'sweep_limits' && $_->[3] == 1 && $_->[2] eq 'done' } said(@names);
	my %ids = map { $_->[0] => 1 } @said;
	is(scalar(@said) . ' ' . keys %ids, '400 400', 'each once');
	cmp_ok(scalar(grep { scalar said($_) > 20 } @names), '>', 1, 'by several of them');
	$t->stop_worker($_) for @names;
};

subtest 'one is killed at work' => sub {
	my $pid = $t->start_worker('worker-a');
	$fault->arm('task:sweep_limits', 'wait');
	my $id = add_task('sweep_limits');
	ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'it is at it');
	$t->start_worker('worker-b');
	my $other = add_task('sweep_limits');
	ok(gone($other), 'another does what else there is');
	is(task('runs, claimed_by', "id = $id"), '1|' . `hostname` =~ s/\n//r . ", pid $pid", 'and not that one');
	is(task('count(*)', "id = $id"), 1, 'which is not done');
	my $started = time;
	$t->stop_worker('worker-a', 'KILL');
	ok(gone($id), 'until the first is dead');
	cmp_ok(time - $started, '<', 15, 'at once');
	$fault->disarm;
	is_deeply([map { [@$_[2, 3]] } grep { $_->[0] == $id } said('worker-a', 'worker-b')], [['done', 2]],
	    'as the second attempt');
	# one that kills whoever runs it, even if it never ends, lets others have their turn
	$t->stop_worker('worker-b');
	$t->psql("UPDATE tasks SET run_at = now() - interval '1 h' WHERE kind = 'sweep_limits'");
	$t->psql("UPDATE tasks SET attempts = 7, claimed_until = now() + interval '1 h', backend_pid = 0"
	    . " WHERE kind = 'sweep_limits'");
	$fault->arm('task:sweep_limits', 'wait');
	$t->start_worker('worker-c');
	ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'the eighth is at it');
	$t->stop_worker('worker-c', 'KILL');
	$fault->disarm;
	is(task("run_at > now() + interval '2 min'", "kind = 'sweep_limits'"), 't', 'and dies: the ninth waits');
	$other = add_task('sweep_staging');
	$t->start_worker('worker-b');
	ok(gone($other), 'does something else');
	is(task('attempts', "kind = 'sweep_limits'"), 8, 'first');
	$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'sweep_limits'; NOTIFY berth_tasks");
	ok($t->wait_for(sub { task('attempts', "kind = 'sweep_limits'") == 0 }), 'and then that');
	# a task that kills everybody is dead one day
	$t->psql("INSERT INTO tasks (kind, attempts) VALUES ('sweep_limits', 10); NOTIFY berth_tasks");
	ok($t->wait_for(sub { task('count(*)', 'dead_at IS NOT NULL') == 1 }), 'one at which ten have died');
	is(task('error', 'dead_at IS NOT NULL'), 'each worker that ran it ended before the task was done',
	    'says so');
	$t->psql('DELETE FROM tasks WHERE dead_at IS NOT NULL');
	$t->stop_worker('worker-b');
};

subtest 'graceful stop' => sub {
	my $pid = $t->start_worker;
	$fault->arm('task:sweep_limits', 'wait');
	my $id = add_task('sweep_limits');
	my $next = add_task('sweep_staging', run_at => "now() - interval '1 s'");
	ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'at work');
	my $waiting = add_task('sweep_staging');
	kill('TERM', $pid);
	$fault->disarm;
	is($t->stop_worker, 0, 'ends well');
	is(task('count(*)', "id = $id"), 0, 'when the task is done');
	is(task('runs', "id = $waiting"), 0, 'without another');
	$t->psql('DELETE FROM tasks WHERE period IS NULL');
};

subtest 'signals' => sub {
	my $pidfile = $t->dir . '/worker.pid';
	my $log = $t->dir . '/log/other.log';
	my $conf = $t->conf(worker_pid_file => $pidfile);

	my $pid = $t->start_worker;
	is(Berth::Cluster::slurp($pidfile), "$pid\n", 'the pid file');
	my ($status, $out, $err) = Berth::Cluster::capture($worker, '-c', $conf);
	is($status, 1, 'a second one does not start');
	like($err, qr/another process is running/, 'says so');
	Berth::Test::write_file($conf, "nonsense\n");
	kill('HUP', $pid);
	ok($t->wait_for(sub { $t->log('worker') =~ /reload refused: \S+:1: / }), 'a bad configuration is refused');
	$t->conf(worker_log_file => $log, node => 'elsewhere');
	kill('HUP', $pid);
	ok($t->wait_for(sub { -e $log && Berth::Cluster::slurp($log) =~ /msg=reloaded/ }), 'a good one is taken');
	ok(gone(add_task('sweep_limits', node => "'elsewhere'")), 'it has another name');
	rename($log, "$log.1") or die;
	kill('USR1', $pid);
	ok($t->wait_for(sub { -e $log }), 'the log is opened again');
	is($t->stop_worker, 0, 'ends');
	ok(!-e $pidfile, 'the pid file is gone');
	$t->conf(worker_log_file => undef, worker_pid_file => undef, node => undef);
};

subtest 'changes of crates come first' => sub {
	my $id = $t->project('demo/registry');
	my $known = sub { return $t->psql("SELECT count(*) FROM crate_search WHERE name = '$_[0]'"); };

	$t->user('dev');
	$t->member('dev', 'demo', 'developer');
	my $token = $t->token('dev');
	my $publish = sub { is($t->publish($id, $token, $_[0], '1.0.0')->{status}, 200, "$_[0] is published"); };
	$t->start_worker($_) for qw(first-a first-b);
	# nobody tells the worker: who looks every 5 seconds would need 15 of them for all but the first
	my $started = time;
	for my $name (map { "soon-$_" } 1 .. 4) {
		$publish->($name);
		ok($t->wait_for(sub { $known->($name) == 1 }), 'and found');
	}
	cmp_ok(time - $started, '<', 12, 'soon');
	$t->stop_worker('first-b');
	# a long task stops for it, and it comes before what was due sooner
	$t->psql("INSERT INTO rate_limits SELECT 'user:' || n, 'publish', true, now() - interval '1 s'"
	    . " FROM generate_series(1, 5000) n");
	$fault->arm('answered:rate_limit_sweep', 'wait');
	my $long = add_task('sweep_limits');
	ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'a worker is at something else');
	my $before = length($t->log('first-a'));
	my $since = time;
	my $older = add_task('sweep_staging', run_at => "now() - interval '1 h'");
	$publish->('while-busy');
	# it asks once a second
	ok($t->wait_for(sub { time - $since > 1 }), 'it has been for a second');
	is($known->('while-busy'), 0, 'so that the crate is not found yet');
	$fault->disarm;
	ok(gone($older) && gone($long), 'all is done');
	is($known->('while-busy'), 1, 'and the crate is found');
	is(join(' ', map { "$_->[1]:$_->[2]" }
	    grep { $_->[1] eq 'update_search' || $_->[0] == $long || $_->[0] == $older }
	    map { /event=task id=(\d+) kind=(\w+) result=(\w+)/ ? [$1, $2, $3] : () }
	    split(/\n/, substr($t->log('first-a'), $before))),
	    'sweep_limits:again update_search:done sweep_staging:done sweep_limits:done', 'in this order');
	# one that fails waits for its next attempt like any other
	$t->psql('ALTER TABLE crate_names RENAME COLUMN listed_versions TO other');
	$publish->('failing');
	ok($t->wait_for(sub { task('error IS NOT NULL AND claimed_until IS NULL',
	    "kind = 'update_search'") eq 't' }), 'it fails');
	is(task("run_at > now() AND dead_at IS NULL", "kind = 'update_search'"), 't', 'and waits');
	$t->psql('ALTER TABLE crate_names RENAME COLUMN other TO listed_versions');
	$t->berth_ok('tasks', 'retry', task('id', "kind = 'update_search'"));
	ok($t->wait_for(sub { $known->('failing') == 1 }), 'retried: it gets on');
	is($t->psql('SELECT count(*) FROM crates_due'), 0, 'nothing is left');
	# two workers, publishes of one crate and of many, and those who ask for it by name: nobody is
	# in another's way
	$t->start_worker('first-b');
	my $log = length(Berth::Cluster::slurp($cluster->server_log));
	my @said = $t->parallel(5, sub {
		my ($i) = @_;

		return [map { $t->http(GET => $t->registry($id) . '/api/v1/crates?q=at-once',
		    { token => $token })->{status} } 1 .. 40] if $i >= 3;
		return [map { $t->publish($id, $token, $_ % 2 ? 'at-once' : "at-once-$i-$_", "1.$i.$_")->{status} }
		    1 .. 20];
	});
	is(join(' ', map { @$_ } @said), join(' ', (200) x (3 * 20 + 2 * 40)), 'all succeed');
	unlike(substr(Berth::Cluster::slurp($cluster->server_log), $log), qr/deadlock detected/,
	    'without a deadlock');
	ok($t->wait_for(sub { $t->psql('SELECT count(*) FROM crates_due') == 0 }), 'the workers come to an end');
	is($t->psql("SELECT max_version FROM crate_search WHERE name = 'at-once'"), '1.2.19',
	    'the highest is shown');
	is($t->psql('SELECT listed_versions FROM crate_names WHERE normalized_name = $$at-once$$'), 30,
	    'each version is counted');
	is($t->psql("SELECT count(*) FROM crate_search WHERE name LIKE 'at-once-%'"), 30,
	    'and so are the others there');
	is($t->psql('SELECT sum(crates) = (SELECT count(*) FROM crate_search) FROM search_counts'), 't', 'all once');
	$t->stop_worker($_) for qw(first-a first-b);
};

subtest 'the database is away' => sub {
	my $pid = $t->start_worker;

	$cluster->restart('immediate');
	my $id = add_task('sweep_limits');
	ok(gone($id), 'after a crash of it: goes on by itself');
	is_woken('woken as before');
	# in the middle of a task
	$fault->arm('ran:sweep_limits', 'wait');
	$id = add_task('sweep_limits');
	ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'a task has been done, which nobody knows');
	$cluster->restart('immediate');
	$fault->disarm;
	ok(gone($id), 'it is done again');
	is($t->has_ended('worker'), 0, 'the worker is the same');
	# another schema
	$t->psql("INSERT INTO schema_migrations (version, topic, checksum) VALUES (9999, 'future', '')");
	$t->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
	    . " WHERE application_name LIKE 'berth-worker%'");
	ok($t->wait_for(sub { $t->log('worker') =~ /the schema has version 9999/ }),
	    'a schema of the future: says why');
	$id = add_task('sweep_limits');
	$t->psql('DELETE FROM schema_migrations WHERE version = 9999');
	ok(gone($id), 'it waits, and goes on when the schema fits');
	is($t->has_ended('worker'), 0, 'the worker is the same');
};

done_testing();
