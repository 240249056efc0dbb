#!/usr/bin/perl

# berth-worker: jobs are run once each, whoever is there to run them; what fails is tried again,
# and in the end is dead; one that dies, or loses the database, loses no job.

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

sub job {
	my ($columns, @where) = @_;

	return $t->psql("SELECT $columns FROM jobs WHERE " . join(' AND ', @where));
}

# A job without a period, of a kind that has one; returns its id.
sub add_job {
	my ($kind, %columns) = @_;
	my @names = sort keys %columns;

	return $t->psql('INSERT INTO jobs (' . join(', ', 'kind', @names) . ') VALUES ('
	    . join(', ', "'$kind'", @columns{@names}) . ") RETURNING id; NOTIFY berth_jobs");
}

sub gone {
	my ($id) = @_;

	return $t->wait_for(sub { job('count(*)', "id = $id") == 0 });
}

# What workers have logged of jobs: [id, kind, result, attempt, detail] ...
sub said {
	my (@names) = @_;

	return map { /event=job id=(\d+) kind=(\w+) result=(\w+) attempt=(\d+) ms=[\d.]+(?: detail=(.*))?$/
	    ? [$1, $2, $3, $4, $5 // ''] : () } map { split(/\n/, $t->log($_)) } @names;
}

subtest 'options' => sub {
	my ($status, $out, $err) = Berth::Cluster::capture($worker, '-t', '-c', $t->conf_path);
	is("$status$out$err", '0', 'a good configuration');
	($status, undef, $err) = Berth::Cluster::capture($worker, '-t', '-c', '/nonexistent');
	is($status, 1, 'none');
	like($err, qr{^berth-worker: cannot read /nonexistent: No such file}, 'says so');
	($status) = Berth::Cluster::capture($worker, '-x');
	is($status, 2, 'an option that there is not');
	is((Berth::Cluster::capture($worker, '--version'))[1] =~ /^berth-worker \d/, 1, 'the version');
	my $before = $t->psql('SELECT count(*) FROM jobs');
	is($before, 0, 'nothing of this has touched the database');
};

subtest 'jobs with a period' => sub {
	# three start at the same moment, and one of them runs each
	$t->start_worker($_, node => 'one') for qw(worker1 worker2 worker3);
	ok($t->wait_for(sub { job('bool_and(done_at IS NOT NULL)', 'period > 0') eq 't' }), 'each is run at once');
	is(job("count(*) FILTER (WHERE runs <> 1 OR attempts <> 0)", 'true'), 0, 'once');
	is(job("run_at - done_at = make_interval(secs => period)", "kind = 'sweep_limits'"), 't',
	    'and again when the period is over');
	like($t->berth_ok('jobs', 'list'), qr/^\d+ +sweep_limits +waiting +0 .* 3600 /m, 'listed');
	my $done = job('done_at', "kind = 'sweep_limits'");
	$t->run_jobs('sweep_limits');
	cmp_ok(job('done_at', "kind = 'sweep_limits'"), 'gt', $done, 'run_jobs() lets it run now');
	$t->psql("DELETE FROM jobs WHERE kind = 'sweep_limits'");
	$t->start_worker('worker4', node => 'one');
	ok($t->wait_for(sub { job('count(*)', "kind = 'sweep_limits'") == 1 }), 'one that was removed is back');
	is($t->stop_worker($_), 0, "$_ ends") for qw(worker1 worker2 worker3 worker4);
};

subtest 'what the sweeps do' => sub {
	my @files = map { sprintf("%032x", $_) } 1 .. 3;

	Berth::Test::_write("$staging/$_", 'x') for @files, 'README';
	utime(time - 3600, time - 3600, map { "$staging/$_" } @files[0, 1], 'README');
	$t->psql("INSERT INTO write_limits SELECT 'user:' || n, 'publish', true, now() - interval '1 s' FROM generate_series(1, 2500) n;"
	    . "INSERT INTO write_limits VALUES ('user:0', 'publish', true, now() + interval '1 h')");
	for my $table (qw(used_id_tokens refused_job_tokens)) {
		$t->psql("INSERT INTO $table SELECT sha256(convert_to('old ' || n, 'UTF8')), now() - interval '1 s' FROM generate_series(1, 1500) n;"
		    . "INSERT INTO $table SELECT sha256(convert_to('new ' || n, 'UTF8')), now() + interval '1 h' FROM generate_series(1, 3) n");
	}
	$t->start_worker;
	$t->run_jobs($_) for qw(sweep_staging sweep_limits sweep_ci_tokens);
	is(join(' ', map { -e "$staging/$_" ? 1 : 0 } @files, 'README'), '0 0 1 1', 'old staging files, ours alone');
	is($t->psql('SELECT string_agg(actor, $$ $$) FROM write_limits'), 'user:0', 'full buckets');
	is($t->psql("SELECT count(*), min(until_at) > now() FROM $_"), '3|t', "$_: those that still say something")
	    for qw(used_id_tokens refused_job_tokens);
	is_deeply([map { [@$_[1, 2, 4]] } grep { $_->[4] ne '' } said('worker')], [
	    ['sweep_staging', 'done', '"2 staging files removed"'],
	    ['sweep_limits', 'done', '"2500 buckets removed"'],
	    ['sweep_ci_tokens', 'done', '"3000 digests removed"']], 'logged');
	unlink("$staging/README", "$staging/$files[2]");
};

# Each of these jobs is done before the next one is there: somebody who looks every 5 seconds would
# need 15 of them for all but the first.
sub is_woken {
	my ($name) = @_;
	my $started = time;

	for (1 .. 4) {
		my $id = add_job('sweep_limits');
		ok(gone($id), 'done');
	}
	cmp_ok(time - $started, '<', 12, $name);
	return;
}

subtest 'woken' => sub {
	is_woken('without a wait');
	my $slow = time;
	my $later = add_job('sweep_limits', run_at => "now() + interval '2 s'");
	ok(gone($later), 'one that is to wait');
	cmp_ok(time - $slow, '>=', 2, 'waits');
};

# When it is to be tried again, in seconds from that moment on, to which comes how long the attempt
# was, and this test was not looked after.
sub put_off { return job("extract(epoch FROM run_at - '$_[1]')::int", "id = $_[0]") }
sub moment { return $t->psql('SELECT clock_timestamp()') }

subtest 'attempts' => sub {
	rename($t->store, $t->store . '.away') or die;
	my $since = moment();
	my $id = add_job('sweep_staging');
	ok($t->wait_for(sub { job('error IS NOT NULL', "id = $id") eq 't' }), 'it fails');
	is(job('attempts, claimed_until IS NULL', "id = $id"), '1|t', 'another attempt is to come');
	cmp_ok(put_off($id, $since), '>=', 5, 'not at once');
	cmp_ok(put_off($id, $since), '<', 20, 'in some seconds');
	like(job('error', "id = $id"), qr/^store .*: open: No such file/, 'it is known why');
	like($t->berth_ok('jobs', 'list'), qr/^$id +sweep_staging +failing +1 .*store .*: open/m, 'listed');
	$since = moment();
	$t->psql("UPDATE jobs SET attempts = 3, run_at = now() WHERE id = $id; NOTIFY berth_jobs");
	ok($t->wait_for(sub { job('attempts', "id = $id") == 4 && job('claimed_until IS NULL', "id = $id") eq 't' }), 'the fourth');
	cmp_ok(put_off($id, $since), '>=', 40, 'is farther from the next');
	cmp_ok(put_off($id, $since), '<', 75, 'but not as far as the fifth');
	$t->psql("UPDATE jobs SET attempts = 9, run_at = now() WHERE id = $id; NOTIFY berth_jobs");
	ok($t->wait_for(sub { job('dead_at IS NOT NULL', "id = $id") eq 't' }), 'after the tenth it is dead');
	my $dead = JSON::PP->new->decode($t->berth_ok(qw(jobs list --dead --json)));
	is_deeply([map { [@{$_}{qw(id kind state attempts period)}] } @$dead], [[$id, 'sweep_staging', 'dead', 10, undef]],
	    'the only one');
	is($t->berth_ok(qw(jobs list --dead --kind sweep_limits --json)), '[]', 'of its kind');
	# one with a period goes on
	my $periodic = job('id', "kind = 'sweep_staging'", 'period > 0');
	$since = moment();
	$t->psql("UPDATE jobs SET attempts = 30, run_at = now() WHERE id = $periodic; NOTIFY berth_jobs");
	ok($t->wait_for(sub { job('attempts', "id = $periodic") == 31 && job('claimed_until IS NULL', "id = $periodic") eq 't' }),
	    'one with a period');
	is(job('dead_at IS NULL', "id = $periodic"), 't', 'never dies');
	cmp_ok(put_off($periodic, $since), '>=', 15 * 60, 'it waits a quarter of an hour');
	cmp_ok(put_off($periodic, $since), '<', 20 * 60, 'and hardly longer');
	rename($t->store . '.away', $t->store) or die;
	is($t->berth_ok('jobs', 'retry', $periodic), $periodic, 'retried');
	ok($t->wait_for(sub { job('attempts = 0 AND error IS NULL AND claimed_until IS NULL', "id = $periodic") eq 't' }), 'it gets on');
	is($t->berth_ok('jobs', 'retry', $id), $id, 'so is the dead one');
	ok(gone($id), 'and is done');
	is_deeply([map { $_->[2] } grep { $_->[0] == $id } said('worker')], [qw(failed failed dead done)], 'logged');
};

subtest 'the admin command' => sub {
	my $id = add_job('sweep_limits', dead_at => 'now()', key => "'k'", error => "'why'");
	my $same = add_job('sweep_limits', key => "'k'", run_at => "now() + interval '1 h'");
	my ($status, undef, $err) = $t->berth('jobs', 'retry', $id);
	is($status, 1, 'another with its key waits');
	like($err, qr/another job waits already in the place of job $id/, 'says so');
	is($t->berth_ok('jobs', 'remove', $same), $same, 'removed');
	is(job('count(*)', "id = $same"), 0, 'gone');
	for my $verb (qw(retry remove)) {
		($status, undef, $err) = $t->berth('jobs', $verb, $same);
		is($status, 1, "$verb: not there");
		like($err, qr/there is no job $same/, 'says so');
		($status) = $t->berth('jobs', $verb, 'x');
		is($status, 2, "$verb: no number");
	}
	$t->berth_ok('jobs', 'retry', $id);
	ok(gone($id), 'retried');
	is($t->psql("SELECT string_agg(action || ' ' || (detail ->> 'id') || ' ' || (detail ->> 'kind'), ', ' ORDER BY id)"
	    . " FROM audit_events WHERE action LIKE 'job.%' AND (detail ->> 'id')::bigint IN ($id, $same)"),
	    "job.remove $same sweep_limits, job.retry $id sweep_limits", 'both are in the audit log');
};

subtest 'of a kind that nobody knows' => sub {
	my $id = add_job('from_the_future');
	my $after = add_job('sweep_limits');
	ok(gone($after), 'what comes after it is done');
	is(job('runs, claimed_until IS NULL', "id = $id"), '0|t', 'it waits for somebody who does');
	$t->psql("DELETE FROM jobs WHERE id = $id");
};

subtest 'a key' => sub {
	my $insert = "INSERT INTO jobs AS j (kind, key) VALUES ('sweep_limits', 'k') ON CONFLICT (kind, key) WHERE dead_at IS NULL"
	    . " DO UPDATE SET again = j.again OR j.claimed_until IS NOT NULL";

	$fault->during('job:sweep_limits', sub { add_job('sweep_limits', key => "'k'") }, sub {
		$t->psql($insert) for 1, 2;
		is(job('count(*), bool_and(again)', "key = 'k'"), '1|t', 'one that runs is to run once more');
	});
	ok($t->wait_for(sub { job('count(*)', "key = 'k'") == 0 }), 'and then is done');
	my @runs = grep { $_->[1] eq 'sweep_limits' } said('worker');
	is_deeply([map { $_->[2] } grep { $_->[0] == $runs[-1][0] } @runs], [qw(done done)], 'twice');
	is($t->stop_worker, 0, 'the worker ends');
};

subtest 'many workers, many jobs' => sub {
	my @names = map { "worker-many$_" } 1 .. 4;

	$t->start_worker($_) for @names;
	$t->psql("INSERT INTO jobs (kind) SELECT 'sweep_limits' FROM generate_series(1, 400); NOTIFY berth_jobs");
	ok($t->wait_for(sub { job('count(*)', 'period IS NULL') == 0 }, 60), 'all are done');
	# the lines come before the rows go
	my @said = grep { $_->[1] eq 'sweep_limits' && $_->[3] == 1 && $_->[2] eq 'done' } said(@names);
	my %ids = map { $_->[0] => 1 } @said;
	is(scalar(@said) . ' ' . keys %ids, '400 400', 'each once');
	cmp_ok(scalar(grep { scalar said($_) > 20 } @names), '>', 1, 'by several of them');
	$t->stop_worker($_) for @names;
};

subtest 'one is killed at work' => sub {
	my $pid = $t->start_worker('worker-a');
	$fault->arm('job:sweep_limits', 'wait');
	my $id = add_job('sweep_limits');
	ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'it is at it');
	$t->start_worker('worker-b');
	my $other = add_job('sweep_limits');
	ok(gone($other), 'another does what else there is');
	is(job('runs, claimed_by', "id = $id"), '1|' . `hostname` =~ s/\n//r . ", pid $pid", 'and not that one');
	is(job('count(*)', "id = $id"), 1, 'which is not done');
	my $started = time;
	$t->stop_worker('worker-a', 'KILL');
	ok(gone($id), 'until the first is dead');
	cmp_ok(time - $started, '<', 15, 'at once');
	$fault->disarm;
	is_deeply([map { [@$_[2, 3]] } grep { $_->[0] == $id } said('worker-a', 'worker-b')], [['done', 2]], 'as the second attempt');
	# one that kills whoever runs it, even if it never ends, lets others have their turn
	$t->stop_worker('worker-b');
	$t->psql("UPDATE jobs SET run_at = now() - interval '1 h' WHERE kind = 'sweep_limits'");
	$t->psql("UPDATE jobs SET attempts = 7, claimed_until = now() + interval '1 h', backend_pid = 0 WHERE kind = 'sweep_limits'");
	$fault->arm('job:sweep_limits', 'wait');
	$t->start_worker('worker-c');
	ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'the eighth is at it');
	$t->stop_worker('worker-c', 'KILL');
	$fault->disarm;
	is(job("run_at > now() + interval '2 min'", "kind = 'sweep_limits'"), 't', 'and dies: the ninth waits');
	$other = add_job('sweep_staging');
	$t->start_worker('worker-b');
	ok(gone($other), 'does something else');
	is(job('attempts', "kind = 'sweep_limits'"), 8, 'first');
	$t->psql("UPDATE jobs SET run_at = now() WHERE kind = 'sweep_limits'; NOTIFY berth_jobs");
	ok($t->wait_for(sub { job('attempts', "kind = 'sweep_limits'") == 0 }), 'and then that');
	# a job that kills everybody is dead one day
	$t->psql("INSERT INTO jobs (kind, attempts) VALUES ('sweep_limits', 10); NOTIFY berth_jobs");
	ok($t->wait_for(sub { job('count(*)', 'dead_at IS NOT NULL') == 1 }), 'one at which ten have died');
	is(job('error', 'dead_at IS NOT NULL'), 'each worker that ran it ended before the job was done', 'says so');
	$t->psql('DELETE FROM jobs WHERE dead_at IS NOT NULL');
	$t->stop_worker('worker-b');
};

subtest 'graceful stop' => sub {
	my $pid = $t->start_worker;
	$fault->arm('job:sweep_limits', 'wait');
	my $id = add_job('sweep_limits');
	my $next = add_job('sweep_staging', run_at => "now() - interval '1 s'");
	ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'at work');
	my $waiting = add_job('sweep_staging');
	kill('TERM', $pid);
	$fault->disarm;
	is($t->stop_worker, 0, 'ends well');
	is(job('count(*)', "id = $id"), 0, 'when the job is done');
	is(job('runs', "id = $waiting"), 0, 'without another');
	$t->psql('DELETE FROM jobs WHERE period IS NULL');
};

subtest 'signals' => sub {
	my $pidfile = $t->dir . '/worker.pid';
	my $log = $t->dir . '/log/other.log';
	my $conf = $t->conf(worker_pid_file => $pidfile);

	my $pid = $t->start_worker;
	is(Berth::Cluster::_slurp($pidfile), "$pid\n", 'the pid file');
	my ($status, $out, $err) = Berth::Cluster::capture($worker, '-c', $conf);
	is($status, 1, 'a second one does not start');
	like($err, qr/another one is running/, 'says so');
	Berth::Test::_write($conf, "nonsense\n");
	kill('HUP', $pid);
	ok($t->wait_for(sub { $t->log('worker') =~ /reload refused: \S+:1: / }), 'a bad configuration is refused');
	$t->conf(worker_log_file => $log, node => 'elsewhere');
	kill('HUP', $pid);
	ok($t->wait_for(sub { -e $log && Berth::Cluster::_slurp($log) =~ /msg=reloaded/ }), 'a good one is taken');
	ok(gone(add_job('sweep_limits', node => "'elsewhere'")), 'it has another name');
	rename($log, "$log.1") or die;
	kill('USR1', $pid);
	ok($t->wait_for(sub { -e $log }), 'the log is opened again');
	is($t->stop_worker, 0, 'ends');
	ok(!-e $pidfile, 'the pid file is gone');
	$t->conf(worker_log_file => undef, worker_pid_file => undef, node => undef);
};

subtest 'the database is away' => sub {
	my $pid = $t->start_worker;

	$cluster->restart('immediate');
	my $id = add_job('sweep_limits');
	ok(gone($id), 'after a crash of it: goes on by itself');
	is_woken('woken as before');
	# in the middle of a job
	$fault->arm('ran:sweep_limits', 'wait');
	$id = add_job('sweep_limits');
	ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'a job has been done, which nobody knows');
	$cluster->restart('immediate');
	$fault->disarm;
	ok(gone($id), 'it is done again');
	is($t->_ended('worker'), 0, 'the worker is the same');
	# another schema
	$t->psql("INSERT INTO schema_migrations (version, topic, checksum) VALUES (9999, 'future', '')");
	$t->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'berth-worker%'");
	ok($t->wait_for(sub { $t->log('worker') =~ /the schema has version 9999/ }), 'a schema of the future: says why');
	$id = add_job('sweep_limits');
	$t->psql('DELETE FROM schema_migrations WHERE version = 9999');
	ok(gone($id), 'it waits, and goes on when the schema fits');
	is($t->_ended('worker'), 0, 'the worker is the same');
};

done_testing();
