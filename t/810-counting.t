#!/usr/bin/perl

# Downloads are counted exactly once: only whole ones, across rotation, copies, several nodes,
# compression, garbage, replays, and a worker that is killed wherever it is.

use strict;
use warnings;

use File::Copy qw(copy);
use IO::Compress::Gzip qw(gzip $GzipError);
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

use Berth::Fault;
use Berth::Test;

my $t = Berth::Test->new(workers => 4, log_level => 'info', cache_log => '');
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;

my $log = $t->dir . '/log/nginx-berth-downloads.log';
my $private = $t->project('demo/private');
my $public = $t->project('demo/public', 'public');
my %user = map { $_ => $t->user($_) } qw(dev ann);
$t->member('dev', 'demo', 'developer');
$t->member('ann', 'demo', 'reporter');
my $dev = $t->token('dev');
my @ann = map { $t->token('ann') } 1, 2;
my $deploy = $t->deploy_token('demo/private', 'read');
my $job = $t->job_token('demo/private', 'dev');
my $large = join('', map { pack('N*', map { int(rand(2**32)) } 1 .. 1024) } 1 .. 2048);

for my $publish (
	[$private, 'small'],
	[$public, 'small'],
	[$private, 'large', files => { 'large/data' => $large }],
) {
	my ($id, $name, %opt) = @$publish;
	my $res = $t->publish($id, $dev, $name, '1.0.0', %opt);

	is($res->{status}, 200, "$name is published") or BAIL_OUT($res->{body});
}
my ($small) = $t->psql("SELECT v.id FROM versions v JOIN crates c ON c.id = v.crate_id"
    . " WHERE c.project_id = $private AND c.name = 'small'");
my $size = $t->psql("SELECT size FROM versions WHERE id = $small");
my ($small_crate) = $t->psql("SELECT crate_id FROM versions WHERE id = $small");

sub download {
	my ($id, $token, %opt) = @_;
	my $method = delete $opt{method} // 'GET';
	my $res = $t->http($method => $t->registry($id) . '/' . (delete $opt{crate} // 'small') . '/1.0.0/download',
	    { token => $token, %opt });

	# nginx writes its line, which is what is counted, after the answer
	$t->nginx_logged('nginx-berth-downloads', $res) if $res->{status} =~ /^20[06]$/ && !$opt{may_fail};
	return $res;
}

# project/crate/version of the database, and how many.
sub days {
	# it may have been midnight in between
	return join(' ', $t->psql("SELECT p.path || '/' || c.name || '/' || v.version || '=' || sum(d.downloads)"
	    . " FROM download_days d"
	    . " JOIN versions v ON v.id = d.version_id JOIN crates c ON c.id = d.crate_id"
	    . " JOIN projects p ON p.id = d.project_id"
	    . " WHERE d.day BETWEEN (now() AT TIME ZONE 'UTC' - interval '1 h')::date"
	    . " AND (now() AT TIME ZONE 'UTC')::date GROUP BY p.path, c.name, v.version ORDER BY 1"));
}

sub total { return $t->psql('SELECT coalesce(sum(downloads), 0) FROM download_days') }

# A line as nginx would write it.
my $lines = 0;
sub line {
	my (%with) = @_;

	return sprintf('%s id=%032x method=%s status=%s complete=%s bytes=%s ids="%s"' . "\n",
	    $with{at} // sprintf('%.3f', time),
	    $with{id} // ++$lines . $$, $with{method} // 'GET', $with{status} // 200, $with{complete} // 'OK',
	    $with{bytes} // $size, $with{ids} // "$private/$small_crate/$small user:$user{dev}");
}

sub append {
	my ($path, @text) = @_;

	open(my $fh, '>>', $path) or die "$path: $!\n";
	print {$fh} @text;
	close($fh) or die "$path: $!\n";
}

sub forget {
	$t->psql('TRUNCATE download_days, usage_months, download_logs');
	unlink(glob("$log*"));
}

sub garbage { return $t->psql("SELECT string_agg(garbage::text, ' ' ORDER BY garbage) FROM download_logs") }

subtest 'what counts' => sub {
	is(download($private, $dev)->{status}, 200, 'a user');
	is(download($private, $_)->{status}, 200, 'another, by two tokens') for @ann;
	is(download($private, $deploy)->{status}, 200, 'a deploy token');
	is(download($private, $job)->{status}, 200, 'a job');
	is(download($public, undef)->{status}, 200, 'anybody');
	is(download($private, $dev, http2 => 1)->{status}, 200, 'over HTTP/2');
	is(download($private, $dev, headers => { Range => 'bytes=0-' })->{status}, 206, 'a range that is all of it');
	$t->run_tasks('count_downloads');
	is(days(), 'private/small/1.0.0=7 public/small/1.0.0=1', 'each once');
	is(join(' ', $t->psql("SELECT p.path, actor, CASE actor WHEN 'user' THEN u.username WHEN 'deploy' THEN"
	    . " t.kind WHEN 'job' THEN t.kind END, sum(m.downloads)"
	    . " FROM usage_months m JOIN projects p ON p.id = m.project_id LEFT JOIN users u ON u.id = m.actor_id"
	    . " LEFT JOIN tokens t ON t.id = m.actor_id"
	    . " WHERE month BETWEEN date_trunc('month', now() AT TIME ZONE 'UTC' - interval '1 h')"
	    . " AND now() AT TIME ZONE 'UTC' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")),
	    'private|deploy|deploy|1 private|job|job|1 private|user|ann|2 private|user|dev|3 public|anybody||1',
	    'for whom');
	is($t->psql("SELECT downloads, now() - last_downloaded_at < interval '10 min' FROM version_downloads"
	    . " WHERE version_id = $small"), '7|t', 'and when last');
	unlike($t->log('nginx-berth-downloads.log'), qr/berth_(?:pat|dep|job)_/, 'no token is in the log');
	is(garbage(), 0, 'each line is understood');
};

subtest 'what does not count' => sub {
	my $before = total();
	my $etag = download($private, $dev, method => 'HEAD')->{headers}{etag};

	is(download($private, $dev, headers => { 'If-None-Match' => $etag })->{status}, 304, 'not modified');
	is(download($private, $dev, headers => { Range => 'bytes=0-9' })->{status}, 206, 'the start');
	is(download($private, $dev, headers => { Range => 'bytes=10-' })->{status}, 206, 'the rest');
	is(download($private, $dev, headers => { Range => 'bytes=9999999-' })->{status}, 416, 'nothing of it');
	is(download($private, undef)->{status}, 401, 'no token');
	is(download($private, $dev, crate => 'none')->{status}, 404, 'no crate');
	for my $http2 (0, 1) {
		my $res = download($private, $dev, crate => 'large', http2 => $http2, may_fail => 1,
		    curl => ['--limit-rate', '64k', '--max-time', 2]);
		cmp_ok(length $res->{body}, '<', 8 << 20, 'broken off, HTTP/' . ($http2 ? 2 : 1.1));
	}
	ok($t->wait_for(sub { (() = $t->log('nginx-berth-downloads.log') =~ /complete= /g) == 2 }),
	    'nginx notices both');
	$t->run_tasks('count_downloads');
	is(total(), $before, 'none of them');
	is(garbage(), 0, 'all the same they are understood');
	is(download($private, $dev, crate => 'large')->{status}, 200, 'the whole of it');
	$t->run_tasks('count_downloads');
	is(total(), $before + 1, 'does count');
	is($t->log('nginx-error') =~ /\[(?:crit|alert|emerg)\].*/ ? $& : '', '', 'nginx has no complaint');
};

$t->stop_nginx;

subtest 'by names, as nginx may do it alone' => sub {
	forget();
	append($log, line(ids => "$public/small/1.0.0"), line(ids => "$public/Small/1.0.0"),
	    line(ids => "$public/small/1.0.1"),
	    line(ids => "$private/small/1.0.0", bytes => $size - 1), line(ids => '999/small/1.0.0'));
	$t->run_tasks('count_downloads');
	is(days(), 'public/small/1.0.0=1', 'exactly as they are');
};

subtest 'a clock that is ahead' => sub {
	forget();
	append($log, line(at => sprintf('%d.000', time + 80000)), line());
	$t->run_tasks('count_downloads');
	is(days(), 'private/small/1.0.0=2', 'today is the last day');
	is($t->psql('SELECT max(last_at) <= now() FROM download_days'), 't', 'and now the last time');
};

subtest 'lines that are none' => sub {
	forget();
	append($log, "\n", 'x' x 100_000, "\n", "\0\0\0\n", line(at => '99.1'), line(at => '4102444800.0'),
	    line(ids => ''), line(ids => "$private/$small_crate/$small ghost:1"), line(), "\xff\xfe\n",
	    line(ids => "$public/$small_crate/$small"), line(ids => "$private/$small_crate/999999999"));
	$t->run_tasks('count_downloads');
	is(days(), 'private/small/1.0.0=1', 'the one that is');
	is(garbage(), 8, 'how many were garbage');
	like($t->log('worker'), qr/1 downloads counted; skipped 8 lines .* berth_download .* are in \Q$log\E/,
	    'and the log says in which file');
	append($log, 'y' x (3 << 20), "\n", line());
	$t->run_tasks('count_downloads');
	is(total(), 2, 'after a line of 3 MiB');
	cmp_ok(garbage(), '>', 8, 'which is counted');
};

subtest 'the last line' => sub {
	forget();
	my $text = line();
	append($log, line(), substr($text, 0, 50));
	$t->run_tasks('count_downloads');
	is(total(), 1, 'half of a line waits');
	append($log, substr($text, 50));
	$t->run_tasks('count_downloads');
	is(total(), 2, 'for the other half');
	$t->run_tasks('count_downloads');
	is(total(), 2, 'and is counted once');
	is(garbage(), 0, 'as a whole');
};

subtest 'rotation' => sub {
	forget();
	append($log, map { line() } 1 .. 10);
	$t->run_tasks('count_downloads');
	append($log, map { line() } 1 .. 5);
	rename($log, "$log.1") or die;
	# whoever has it open goes on writing to it
	append("$log.1", map { line() } 1 .. 3);
	append($log, map { line() } 1 .. 7);
	$t->run_tasks('count_downloads');
	is(total(), 25, 'renamed: the rest of the old one, and the new one');
	append("$log.1", line());
	$t->run_tasks('count_downloads');
	is(total(), 26, 'a late line');
	rename("$log.1", "$log.2");
	rename($log, "$log.1");
	append($log, line());
	$t->run_tasks('count_downloads');
	is(total(), 27, 'twice');
	# a worker that was away meanwhile
	$t->stop_worker;
	append($log, line());
	rename("$log.2", "$log.3");
	rename("$log.1", "$log.2");
	rename($log, "$log-20260131");
	append($log, line(), line());
	$t->run_tasks('count_downloads');
	is(total(), 30, 'while nobody was looking');
	append("$log.4.xz", line());
	append($t->dir . '/log/nginx-berth.log.1', line());
	append("${log}s", line());
	mkdir("$log.d") or die;
	$t->run_tasks('count_downloads');
	is(total(), 30, 'other files are none of ours');
	rmdir("$log.d");
	unlink("${log}s", "$log.4.xz");
};

subtest 'copied and truncated' => sub {
	forget();
	append($log, map { line() } 1 .. 10);
	$t->run_tasks('count_downloads');
	append($log, map { line() } 1 .. 5);
	copy($log, "$log.1") or die;
	$t->run_tasks('count_downloads');
	is(total(), 15, 'a copy beside it is counted once');
	append($log, line());
	unlink("$log.1");
	copy($log, "$log.1") or die;
	truncate($log, 0) or die;
	append($log, map { line() } 1 .. 20);
	$t->run_tasks('count_downloads');
	is(total(), 36, 'the rest from the copy, and the new lines');
	truncate($log, 0) or die;
	$t->run_tasks('count_downloads');
	append($log, line());
	$t->run_tasks('count_downloads');
	is(total(), 37, 'truncated without a copy');
};

# The log as gzip leaves it: $from goes, $to is there.
sub compress {
	my ($from, $to) = @_;

	gzip($from => $to) or die "$to: $GzipError\n";
	unlink($from) or die "$from: $!\n";
}

# All that is there is counted, or given up.
sub count_compressed {
	$t->run_tasks('count_downloads');
	$t->wait_for(sub { $t->psql("SELECT count(*) FROM tasks WHERE kind = 'count_compressed'"
	    . " AND dead_at IS NULL") == 0 })
	    or die "a compressed log is not done:\n"
	    . $t->psql("SELECT * FROM tasks WHERE kind = 'count_compressed'");
}

sub finished { return $t->psql('SELECT count(finished_at) FROM download_logs') }

subtest 'compressed' => sub {
	forget();
	append($log, map { line() } 1 .. 10);
	$t->run_tasks('count_downloads');
	append($log, map { line() } 1 .. 5);
	compress($log, "$log.2.gz");
	count_compressed();
	is(total(), 15, 'one that was read in part: the rest');
	is(finished(), 1, 'then it is done with');
	count_compressed();
	is(total(), 15, 'once');
	rename("$log.2.gz", "$log-20260131.gz") or die;
	append("$log.5", map { line() } 1 .. 20);
	compress("$log.5", "$log.5.gz");
	append("$log.6", map { line() } 1 .. 3);
	compress("$log.6", "$log.6.gz");
	append($log, line());
	count_compressed();
	is(total(), 39, 'others that nobody has seen before');
	is(finished(), 3, 'each');
	unlike($t->log('worker'), qr/kind=count_compressed result=failed/, 'at the first attempt');

	# more than a piece, in two members, and a last line that was torn
	my $text = join('', map { line() } 1 .. 15_000);
	gzip(\$text => "$log.7.gz") or die $GzipError;
	gzip(\(join('', map { line() } 1 .. 7) . substr(line(), 0, 50)) => "$log.7.gz", Append => 1)
	    or die $GzipError;
	count_compressed();
	is(total(), 39 + 15_007, 'two members of gzip, of ' . length($text) . ' bytes and a few');
	is(garbage(), '0 0 0 0 1', 'what has no end gets none any more');
	is($t->psql('SELECT max(position) FROM download_logs'), length($text) + 7 * length(line()) + 50,
	    'all of it was read');

	# compressed on the way: both are there
	append("$log.8", map { line() } 1 .. 4);
	gzip("$log.8" => "$log.8.gz") or die $GzipError;
	truncate("$log.8.gz", 200) or die;
	count_compressed();
	is(total(), 39 + 15_007 + 4, 'the one that is whole counts');
	is($t->psql("SELECT count(*) FROM tasks WHERE kind = 'count_compressed'"), 0, 'of the other nobody speaks');
	gzip("$log.8" => "$log.8.gz") or die $GzipError;
	append("$log.8", line());
	unlink("$log.8");
	count_compressed();
	is(total(), 39 + 15_007 + 4, 'nor when it is alone then');
	gzip(\'' => "$log.9.gz") or die $GzipError;
	count_compressed();
	is(finished(), 5, 'an empty one is nothing');
};

# Is there one on which all attempts were spent, which is over in half an hour?
sub given_up {
	return $t->wait_for(sub {
		$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'count_compressed' AND dead_at IS NULL"
		    . " AND attempts > 0 AND claimed_until IS NULL; NOTIFY berth_tasks");
		return $t->psql("SELECT count(*) FROM tasks WHERE kind = 'count_compressed' AND dead_at IS NOT NULL") == 1;
	});
}

subtest 'compressed and damaged' => sub {
	forget();
	my $text = join('', map { line() } 1 .. 2000);
	gzip(\$text => "$log.1.gz") or die $GzipError;
	my $whole = Berth::Cluster::slurp("$log.1.gz");
	my %damaged = (
		'cut' => substr($whole, 0, length($whole) / 2),
		'without its last bytes' => substr($whole, 0, -4),
		'of another checksum' => substr($whole, 0, -8) . 'wrongsum',
		'with something behind it' => $whole . 'something',
		'no gzip at all' => $text,
		'empty' => '',
	);

	unlink("$log.1.gz");
	append($log, line());
	for my $how (sort keys %damaged) {
		append("$log.1.gz", $damaged{$how});
		$t->psql("TRUNCATE download_days, usage_months, download_logs");
		$t->run_tasks('count_downloads');
		ok(given_up(), "$how: it is given up");
		$t->run_tasks('count_downloads');
		is(total(), 1, 'and counts nothing, while others do');
		my ($status, $out) = $t->berth('tasks', 'list', '--dead');
		like($out, qr/count_compressed.*gzip: [^\n]*\Q$log.1.gz\E/s, 'which berth tasks shows');
		like($t->log('worker'), qr/kind=count_compressed result=dead [^\n]*gzip: /, 'and the log');
		is($t->psql("SELECT count(*) FROM tasks WHERE kind = 'count_compressed'"), 1, 'once');

		# somebody has it from elsewhere
		my $id = $t->psql("SELECT id FROM tasks WHERE kind = 'count_compressed'");
		unlink("$log.1.gz");
		append("$log.1.gz", $whole);
		$t->berth_ok('tasks', 'retry', $id);
		count_compressed();
		is(total(), 2001, 'whole again, it counts');
		is($t->psql("SELECT count(*) FROM tasks WHERE kind = 'count_compressed'"), 0, 'and the task is gone');
		unlink("$log.1.gz");
	}
	# of those who may not read it, root is none
	symlink("$log.1.gz", "$log.1.gz") or die;
	append($log, line());
	$t->run_tasks('count_downloads');
	is(total(), 2002, 'one that cannot be opened keeps nobody from the others');
	ok(given_up(), 'and is given up');
	like($t->psql("SELECT error FROM tasks WHERE kind = 'count_compressed'"),
	    qr{^cannot open: .*; \Q$log.1.gz\E$}, 'which says why');
	unlink("$log.1.gz");
	$t->berth_ok('tasks', 'retry', $t->psql("SELECT id FROM tasks WHERE kind = 'count_compressed'"));
	count_compressed();
	is($t->psql("SELECT count(*) FROM tasks WHERE kind = 'count_compressed'"), 0,
	    'when it has gone so has the task');
};

subtest 'replays' => sub {
	forget();
	append($log, map { line() } 1 .. 10);
	copy($log, "$log.kept") or die;
	$t->run_tasks('count_downloads');
	rename($log, $t->dir . '/elsewhere') or die;
	unlink("$log.kept");
	append($log, line());
	$t->run_tasks('count_downloads');
	is(total(), 11, 'a log goes away');
	copy($t->dir . '/elsewhere', "$log.9") or die;
	$t->run_tasks('count_downloads');
	is(total(), 11, 'and comes back');
	unlink($log);
	rename($t->dir . '/elsewhere', $log) or die;
	append($log, line());
	$t->run_tasks('count_downloads');
	is(total(), 12, 'and goes on');
};

subtest 'several nodes' => sub {
	forget();
	$t->stop_worker;
	$t->psql("DELETE FROM tasks WHERE kind = 'count_downloads'");
	my %logs = map { $_ => $t->dir . "/log/downloads-$_.log" } qw(one two);
	my $same = line();
	append($logs{$_}, $same, map { line() } 1 .. 4) for qw(one two);
	$t->start_worker("worker-$_", node => $_, download_log => $logs{$_}) for qw(one two);
	# a worker is ready before it has its tasks
	ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM tasks WHERE kind = 'count_downloads'") == 2 }),
	    'each has its task');
	$t->run_tasks('count_downloads');
	is(total(), 10, 'each counts its own');
	is($t->psql("SELECT string_agg(node || ' ' || position, ', ' ORDER BY node) FROM download_logs"),
	    join(', ', map { "$_ " . -s $logs{$_} } qw(one two)), 'and knows how far it is');
	$t->stop_worker('worker-two');
	# two of one node at once, who both read the same
	$t->start_worker('worker-three', node => 'one', download_log => $logs{one});
	append($logs{one}, map { line() } 1 .. 5);
	$fault->arm('count:read', 'wait');
	$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'count_downloads'"
	    . " AND node = 'one'; NOTIFY berth_tasks");
	ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'one has read and not counted');
	$t->psql("INSERT INTO tasks (kind, node) VALUES ('count_downloads', 'one'); NOTIFY berth_tasks");
	ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM tasks WHERE kind = 'count_downloads'"
	    . " AND period IS NULL") == 0 }), 'the other has counted');
	is(total(), 15, 'once');
	$fault->disarm;
	ok($t->wait_for(sub { $t->psql("SELECT bool_and(claimed_until IS NULL) FROM tasks") eq 't' }),
	    'the first goes on');
	is(total(), 15, 'and finds that it was late');
	$t->stop_worker($_) for qw(worker-one worker-three);
	$t->psql("DELETE FROM tasks WHERE kind = 'count_downloads'");
};

subtest 'killed anywhere' => sub {
	forget();
	my $want = 0;

	for my $point (qw(task:count_downloads count:read send:session_begin send:download_log_count
	    sent:download_log_count answered:download_log_count send:session_commit sent:session_commit
	    answered:session_commit count:counted ran:count_downloads send:task_done answered:task_done)) {
		$t->start_worker;
		append($log, map { line() } 1 .. 3);
		$want += 3;
		$fault->arm($point, 'kill');
		$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'count_downloads'; NOTIFY berth_tasks");
		ok($t->wait_for(sub { $t->has_ended('worker') }), "$point: it dies") or last;
		delete $t->{workers}{worker};
		ok($fault->disarm, 'there');
		if ($point =~ /^answered|^count:counted/) {
			rename($log, "$log.$point") or die;
		}
		$t->start_worker;
		$t->run_tasks('count_downloads');
		is(total(), $want, 'each is counted, once');
		$t->stop_worker;
	}
	is($t->psql('SELECT sum(downloads) FROM usage_months'), $want, 'in both tables');
};

subtest 'killed anywhere in what is compressed' => sub {
	forget();
	my $want = 0;

	for my $point (qw(task:count_compressed count:checked count:read send:download_log_count
	    sent:download_log_count answered:download_log_count count:counted send:download_log_finish
	    answered:download_log_finish ran:count_compressed)) {
		my $aside = $t->dir . '/aside';

		$t->start_worker;
		append($aside, map { line() } 1 .. 9000);
		$want += 9000;
		$fault->arm($point, 'kill');
		compress($aside, "$log.$point.gz");
		$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'count_downloads'; NOTIFY berth_tasks");
		ok($t->wait_for(sub { $t->has_ended('worker') }), "$point: it dies") or last;
		delete $t->{workers}{worker};
		ok($fault->disarm, 'there');
		$t->start_worker;
		# one at which a worker has died waits for a while
		$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'count_compressed'; NOTIFY berth_tasks");
		count_compressed();
		is(total(), $want, 'each is counted, once');
	}
	is($t->psql('SELECT sum(downloads) FROM usage_months'), $want, 'in both tables');
	is(finished(), 10, 'each is done with');
};

# 10,000 downloads by 4 clients through nginx, while the log is rotated in both ways, and the
# worker is killed three times.
subtest '10,000 downloads' => sub {
	forget();
	my ($clients, $each) = (4, 2500);

	$t->start_nginx;
	$t->start_worker;
	# by the process that looks for what lies about
	$t->holds_tokens($t->dir . "/curl.$_") for 1 .. $clients;
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		POSIX::_exit(clients($clients, $each) ? 0 : 1);
	}
	my ($kills, $rotations, $ended) = (0, 0, 0);
	my $begun = time;
	while (!$ended) {
		$ended = waitpid($pid, POSIX::WNOHANG()) == $pid;
		my $lines = $t->log('nginx-berth-downloads.log') =~ tr/\n//;
		if ($lines > 700 && !$ended) {
			rename($log, "$log." . ++$rotations) or die;
			kill('USR1', $t->{nginx});
		}
		# wherever it is: it is made to be busy
		$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'count_downloads'; NOTIFY berth_tasks");
		if ($kills < 3 && $rotations >= 2 * ($kills + 1)) {
			sleep(rand(0.02));
			$t->stop_worker('worker', 'KILL');
			$kills++;
			$t->start_worker;
		}
		sleep(0.1);
	}
	is($?, 0, 'all clients are content');
	is($kills, 3, 'three workers were killed');
	cmp_ok($rotations, '>', 5, "the log was rotated $rotations times");
	ok($t->wait_for(sub { eval { $t->run_tasks('count_downloads') } && total() >= $clients * $each }),
	    'counting ends');
	$t->run_tasks('count_downloads');
	is(total(), $clients * $each, 'as many are counted as there were');
	is($t->psql('SELECT sum(downloads) FROM usage_months'), $clients * $each, 'in both tables');
	is(garbage() =~ /[1-9]/ ? 1 : 0, 0, 'no line was lost on the way');
	diag(sprintf('%d downloads in %.1f s', $clients * $each, time - $begun));
};

# Do all clients get all of it, each time?
sub clients {
	my ($clients, $each) = @_;
	my @curls;

	for my $n (1 .. $clients) {
		my $config = $t->dir . "/curl.$n";
		my $url = $t->url . $t->registry($private) . '/small/1.0.0/download';
		open(my $fh, '>', $config) or die "$config: $!\n";
		print {$fh} "silent\nshow-error\nnoproxy = \"*\"\ncacert = \"" . $t->cacert
		    . "\"\nheader = \"Authorization: $dev\"\n",
		    $n % 2 ? "http2\n" : "http1.1\n", 'write-out = "%{http_code} %{size_download}\n"', "\n",
		    # so long that the log is rotated some times meanwhile, however fast the machine is
		    "rate = \"500/s\"\n",
		    map { "url = \"$url\"\noutput = \"/dev/null\"\n" } 1 .. $each;
		close($fh) or die;
		open($curls[$n - 1], '-|', 'curl', '-K', $config) or die "curl: $!\n";
	}
	my $good = 0;
	for my $fh (@curls) {
		$good += grep { $_ eq "200 $size\n" } <$fh>;
		close($fh);
	}
	diag("$good good answers") if $good != $clients * $each;
	return $good == $clients * $each;
}

done_testing();
