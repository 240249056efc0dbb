#!/usr/bin/perl

# The pool as ops see it: signals, sockets, the pid file, the log, the database
# going away.  What needs an application that misbehaves is in t/unit/pool.c.

use strict;
use warnings;

use IO::Select;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(AF_UNIX PF_UNSPEC SOCK_STREAM);
use Test::More;
use Time::HiRes qw(sleep time);

use Berth::FastCGI qw(fetch);
use Berth::Test;

# The one page that needs no database.
use constant { PAGE => '/-/style.css', CONFIG => '/api/v4/projects/1/packages/cargo/config.json' };

# Nobody is there: what needs the database is answered 503.
my @away = (cache_dir => undef, database => 'host=/nonexistent', write_workers => 1);

subtest 'no database' => sub {
	my $t = Berth::Test->new(@away, workers => 1);
	my $before = ready($t);
	my $res = fetch($t->socket_path, CONFIG);

	is($res->{status}, 503, 'what needs it is unavailable');
	is($res->{headers}{'retry-after'}, 5, 'and will not be for long');
	is($res->{headers}{'cache-control'}, 'private, no-store', 'which nobody remembers');
	unlike($res->{body}, qr/nonexistent|connect|socket/i, 'no internal detail is told');
	is(fetch($t->socket_path, PAGE)->{status}, 200, 'what does not, is there');
	is(workers($t), $before, 'the worker lives');
	$t->stop_pool;
	like($t->log('pool'), qr/event=request id=[0-9a-f]{32} method=GET route=config_json status=503 /,
	    'the log line names the route');
	like($t->log('pool'), qr/status=503 .* detail=".*nonexistent.*" path=\S+$/m, 'and the reason');
};

subtest 'a worker is killed' => sub {
	my $t = Berth::Test->new(@away, workers => 2);
	my $before = ready($t);
	my ($victim) = split ' ', $before;

	kill('KILL', $victim);
	ok($t->wait_for(sub { workers($t) =~ /^\d+ \d+ \d+$/ && workers($t) ne $before }),
	    'another takes its place');
	unlike(workers($t), qr/\b$victim\b/, 'and it is gone');
	is(fetch($t->socket_path, PAGE)->{status}, 200, 'the pool serves');
	is($t->stop_pool, 0, 'SIGTERM ends it well');
	like($t->log('pool'), qr/worker $victim was ended by signal 9 \(Killed\)/, 'the log tells');
};

subtest 'a worker is killed, under a starter that ignores SIGCHLD' => sub {
	my $t = Berth::Test->new(@away, workers => 1);
	local $SIG{CHLD} = 'IGNORE';
	my $before = ready($t);

	$SIG{CHLD} = 'DEFAULT';
	my ($victim) = split ' ', $before;
	kill('KILL', $victim);
	ok($t->wait_for(sub { $t->log('pool') =~ /worker $victim was ended by signal 9/ }), 'the master sees that');
	ok($t->wait_for(sub { workers($t) =~ /^\d+ \d+$/ }), 'another takes its place');
	is($t->stop_pool, 0, 'SIGTERM ends it well');
};

subtest 'a log that cannot be opened' => sub {
	my $t = Berth::Test->new(@away, workers => 1, log_file => '/nonexistent/pool.log');
	my ($status, $err) = run_pool($t);

	is($status, 1, 'the pool does not start');
	like($err, qr{\Aberth-fcgi: cannot open the log file /nonexistent/pool\.log: No such file},
	    'and names the file');
};

subtest 'log rotation' => sub {
	my $t = Berth::Test->new(@away, workers => 2);
	my $log = $t->dir . '/log/requests.log';

	$t->conf(log_file => $log);
	$t->start_pool;
	ok($t->wait_for(sub { slurp($log) =~ /ready: 2 workers/ }), 'the log is a file');
	rename($log, "$log.1") or die "$log: $!\n";
	kill('USR1', $t->pool_pid);
	# each worker opens it anew between two requests
	ok($t->wait_for(sub { open_logs($t, $log) == 4 }), 'SIGUSR1 opens the new file in all processes');
	my $old = slurp("$log.1");
	is(fetch($t->socket_path, PAGE)->{status}, 200, 'a request');
	ok($t->wait_for(sub { slurp($log) =~ /route=style/ }), 'is logged in the new file');
	is(slurp("$log.1"), $old, 'and the old one does not change any more');
	is((stat $log)[2] & 07777, 0640, 'its mode');
	$t->stop_pool;
};

subtest 'reload under load' => sub {
	my $t = Berth::Test->new(@away, workers => 2);
	my $before = ready($t);
	my @load = map { load($t->socket_path) } 1 .. 3;

	for my $round (2 .. 5) {
		$t->conf(workers => $round);
		kill('HUP', $t->pool_pid);
		ok($t->wait_for(sub { $t->log('pool') =~ /reloaded: generation $round serves/ }),
		    "generation $round serves");
	}
	ok($t->wait_for(sub { (split ' ', workers($t)) == 6 }), 'with as many workers as it says');
	for my $pid (split ' ', $before) {
		ok(!kill(0, $pid) || workers($t) !~ /\b$pid\b/, "worker $pid of the first has gone");
	}
	my ($good, $bad) = (0, 0);
	for my $load (@load) {
		my ($g, $b) = unload($load);
		$good += $g;
		$bad += $b;
	}
	is($bad, 0, 'no request failed');
	cmp_ok($good, '>', 50, "of $good");
	is($t->stop_pool, 0, 'the end');
};

# The old workers end while the only request comes: whoever of them was woken for it takes it.
subtest 'a request and a reload' => sub {
	my $t = Berth::Test->new(@away, workers => 2);
	my $slowest = 0;

	$t->start_pool;
	for my $round (1 .. 60) {
		my $began = time;

		kill('HUP', $t->pool_pid);
		sleep($round % 12 / 300);
		is(fetch($t->socket_path, PAGE)->{status}, 200, "round $round");
		$slowest = time - $began if time - $began > $slowest;
	}
	# who does waits for good
	cmp_ok($slowest, '<', 20, 'nobody waits for the next one');
};

subtest 'a reload that is refused' => sub {
	my $t = Berth::Test->new(@away, workers => 2);
	my $before = ready($t);
	my %bad = (workers => 'many', no_such_key => 1, socket_mode => '888');

	for my $key (sort keys %bad) {
		$t->conf($key => $bad{$key});
		my $refused = () = $t->log('pool') =~ /reload refused/g;
		kill('HUP', $t->pool_pid);
		ok($t->wait_for(sub { (() = $t->log('pool') =~ /reload refused/g) > $refused }),
		    "$key = $bad{$key} is refused");
		like($t->log('pool'), qr/berth\.conf:\d+: .*$key/, 'the log says where');
		$t->conf($key => $key eq 'workers' ? 2 : undef);
	}
	my $beside = write_beside($t, '10-site.conf', "no_such_key = 1\n");
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { $t->log('pool') =~ /reload refused: \Q$beside\E:1: unknown key/ }),
	    'so is a bad file of conf.d');
	unlink($beside);
	unlink($t->conf_path);
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { $t->log('pool') =~ /reload refused: cannot read/ }), 'so is no file at all');
	is(workers($t), $before, 'the workers are the same');
	is(fetch($t->socket_path, PAGE)->{status}, 200, 'and serve');

	$t->conf(log_file => '/nonexistent/berth.log');
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { $t->log('pool') =~ m{reload refused: /nonexistent/berth\.log: No such} }),
	    'so is a log that cannot be opened');
	$t->conf(log_file => undef, socket_mode => '0600');
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { $t->log('pool') =~ /write_socket, socket_mode or socket_owner needs a restart/ }),
	    'what only a restart changes is said');
	$t->stop_pool;
};

# Leaves the process one descriptor more than it has open.
sub leave_one {
	my ($pid) = @_;
	my %open = map { m{(\d+)$} => 1 } glob "/proc/$pid/fd/*";
	my ($limit, $free) = (0, 0);

	$free += !$open{ $limit++ } while $free < 1;
	return (Berth::Cluster::capture('prlimit', '--pid', $pid, "--nofile=$limit:"))[0];
}

subtest 'a reload that gets no workers' => sub {
	my $t = Berth::Test->new(@away, workers => 2);
	my $before = ready($t);
	my $other = $t->dir . '/log/other.log';
	my $failed = sub { return scalar(() = $_[0] =~ /reload failed: /g) };

	is(leave_one($t->pool_pid), 0, 'the master may open one file more');
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { $failed->($t->log('pool')) == 1 }), 'a reload fails');
	like($t->log('pool'), qr/reload failed: cannot save the settings .*: Too many open files; the old/, 'why');
	is(workers($t), $before, 'the workers are the same');
	like(fetch($t->socket_path, '/-/metrics', REMOTE_ADDR => '127.0.0.1')->{body},
	    qr/^berth_reloads_total\{result="failed"\} 1$/m,
	    'it is counted');

	$t->conf(log_file => $other);
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { -e $other && $failed->(slurp($other)) == 1 }), 'the same with another log');
	$t->conf(log_file => undef, workers => 'many');
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { $t->log('pool') =~ /reload refused/ }), 'the old one is the log again');

	Berth::Cluster::capture('prlimit', '--pid', $t->pool_pid, '--nofile=1024:');
	$t->conf(workers => 3);
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { $t->log('pool') =~ /reloaded: generation/ }), 'the next one is done');
	$t->stop_pool;
};

subtest 'files beside berth.conf, and the environment' => sub {
	my $t = Berth::Test->new(@away, workers => 2);
	my $site = write_beside($t, '10-site.conf', "workers = 3\nmax_keywords = 4\n");
	local $ENV{BERTH_CONF_WRITE_WORKERS} = 2;

	is(scalar(split / /, ready($t)), 3 + 2, 'the workers that the file and the variable ask for');
	my ($status, $err, $out) = run_pool($t, '-t');
	is($status, 0, '-t') or diag($err);
	like($out, qr/^# berth-fcgi: the configuration \Q@{[$t->conf_path]}\E is ok\n\z/m,
	    'says so in its last line');
	like($out, qr/^# \Q$site\E:1\nworkers = 3$/m, 'says what is from the file');
	like($out, qr/^# BERTH_CONF_WRITE_WORKERS\nwrite_workers = 2$/m, 'what from a variable');
	like($out, qr/^# \Q@{[$t->conf_path]}\E:\d+\nstore = /m, 'what from berth.conf');
	like($out, qr/^max_requests = 10000$/m, 'and what is a default');
	unlike($out, qr/^#.*\nmax_requests/m, 'is from nowhere');
	my $copy = $t->dir . '/copy/berth.conf';
	mkdir($t->dir . '/copy') or die;
	Berth::Test::write_file($copy, $out);
	my $again = (Berth::Cluster::capture({ env => { BERTH_CONF_WRITE_WORKERS => undef } },
	    $t->build . '/berth-fcgi', '-t', '-c', $copy))[1];
	is($again =~ s/^#.*\n//mgr, $out =~ s/^#.*\n//mgr, 'what it prints is a configuration that says the same');

	write_beside($t, '20-more.conf', "workers = 1\n");
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { (split / /, workers($t)) == 1 + 2 }), 'a reload reads all of them again');
	$ENV{BERTH_CONF_DATABASE} = "password=hunter2 host='x";
	($status, $err) = run_pool($t, '-t');
	is($status, 1, 'a bad variable');
	like($err, qr/malformed connection string/, 'is told');
	unlike($err, qr/hunter2/, 'not what it has');
	$ENV{BERTH_CONF_WORKERS_MAX} = 1;
	for my $program (qw(berth-fcgi berth-worker)) {
		($status, undef, $err) = Berth::Cluster::capture($t->build . "/$program", '-t', '-c', $t->conf_path);
		is($status, 1, "$program: a variable without a key");
		like($err, qr/\A$program: BERTH_CONF_WORKERS_MAX: unknown key `workers_max`\n\z/, 'is named');
	}
	delete @ENV{qw(BERTH_CONF_DATABASE BERTH_CONF_WORKERS_MAX)};
};

subtest 'retirement' => sub {
	my $t = Berth::Test->new(@away, workers => 1, max_requests => 5);
	my $before = ready($t);
	my @status = map { fetch($t->socket_path, PAGE)->{status} } 1 .. 12;

	is("@status", join(' ', (200) x 12), 'no request is lost');
	ok($t->wait_for(sub { workers($t) =~ /^\d+ \d+$/ && workers($t) ne $before }), 'the worker is new');
	$t->stop_pool;
	my %served;
	$served{$_}++ for $t->log('pool') =~ /pid=(\d+) event=request /g;
	is(join(' ', sort { $b <=> $a } values %served), '5 5 2', 'each served as many as it may');
	unlike($t->log('pool'), qr/level=error/, 'and none of this is an error');
};

subtest 'two of them' => sub {
	my $t = Berth::Test->new(@away, workers => 1);

	ready($t);
	my $pid_file = $t->dir . '/berth.pid';
	is(slurp($pid_file), $t->pool_pid . "\n", 'the pid file');
	my ($status, $err) = run_pool($t);
	is($status, 1, 'a second one with the same configuration does not start');
	like($err, qr/another process is running/, 'and says why');
	my $path = $t->conf(pid_file => undef);
	($status, $err) = run_pool($t);
	is($status, 1, 'nor one with the same socket');
	like($err, qr/another process already listens on \S+/, 'and says why');
	is(fetch($t->socket_path, PAGE)->{status}, 200, 'the first one is not disturbed');
	is($t->stop_pool, 0, 'SIGTERM ends it');
	ok(!-e $t->socket_path && !-e $t->write_socket_path, 'the sockets are gone');
	ok(!-e $pid_file, 'so is the pid file');
};

subtest 'a socket that is passed' => sub {
	my $t = Berth::Test->new(@away, workers => 1);
	my @paths = map { $t->dir . "/$_.sock" } qw(passed passed-write);
	my $pass = sub {
		my ($names, @fds) = @_;

		# out of the way first
		POSIX::dup2($fds[$_], 20 + $_) for 0 .. $#fds;
		POSIX::dup2(20 + $_, 3 + $_) for 0 .. $#fds;
		@ENV{qw(LISTEN_PID LISTEN_FDS LISTEN_FDNAMES)} = ($$, scalar @fds, $names);
	};
	# how to start it, and on how many sockets it then serves
	my %ways = (
		'on descriptor 0' => [sub { POSIX::dup2($_[0], 0) }, 1],
		'by systemd' => [sub { $pass->('berth-fcgi.socket', $_[0]) }, 1],
		'two by systemd' => [sub { $pass->('berth-fcgi.socket:write', @_) }, 2],
		'two by systemd, the other first' => [sub { $pass->('write:berth-fcgi.socket', reverse @_) }, 2],
	);

	# nothing is closed on exec: dup2() of a descriptor onto itself would not change that
	local $^F = 100;
	for my $way (sort keys %ways) {
		my ($arrange, $n) = @{ $ways{$way} };
		my @listeners = map { IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $_, Listen => 5)
		    // die "$_: $!\n" } @paths;
		my $log = $t->dir . '/log/passed.log';

		unlink($log);
		my $pid = fork // die "fork: $!\n";
		if ($pid == 0) {
			POSIX::dup2(POSIX::open($log, POSIX::O_WRONLY | POSIX::O_CREAT | POSIX::O_APPEND), 2);
			$arrange->(map { fileno($_) } @listeners);
			{ no warnings "exec"; exec($t->build . "/berth-fcgi", "-c", $t->conf_path); }
			POSIX::_exit(127);
		}
		close $_ for @listeners;
		for my $path (@paths[0 .. $n - 1]) {
			is(fetch($path, PAGE, REQUEST_METHOD => $_)->{status}, $_ eq 'GET' ? 200 : 405, "$way: it serves: $_")
			    for qw(GET PUT);
		}
		ok($t->wait_for(sub { slurp($log) =~ /ready: 1 workers, @{[$n - 1]} write workers/ }), "$way: its workers");
		is(slurp($log) =~ /level=warn .*there are no write workers/ ? 1 : 0, $n == 1 ? 1 : 0,
		    "$way: it warns where there are none");
		ok(!-e $t->socket_path, "$way: and makes none of its own");
		kill('TERM', $pid);
		waitpid($pid, 0);
		is($?, 0, "$way: it ends well");
		ok(-e $_, "$way: and leaves the socket") for @paths;
		unlink(@paths);
	}
};

# Memory addresses that one process of the pool reveals are of no use in another.
subtest 'workers are not copies' => sub {
	my $t = Berth::Test->new(@away, workers => 2);
	my @pids = split(' ', ready($t));
	my %name = map { $_ => (split(/\0/, slurp("/proc/$_/cmdline")))[0] } @pids;

	is_deeply([sort values %name],
	    ['berth-fcgi: read worker', 'berth-fcgi: read worker', 'berth-fcgi: write worker'],
	    'ps shows which is which');
	is(slurp("/proc/$_/comm"), "berth-fcgi\n", "process $_ has the program's name") for @pids;
	SKIP: {
		skip('no ASLR on this machine', 1) if slurp('/proc/sys/kernel/randomize_va_space') =~ /^0/;
		for my $what (qr{\[stack\]}, qr{/libc\.so}, qr{/libfcgi\.so}) {
			my %at;

			$at{ (slurp("/proc/$_/maps") =~ /^([0-9a-f]+)-.*$what/m)[0] // 'nowhere' } = 1 for $t->pool_pid, @pids;
			is(scalar keys %at, 4, "$what is elsewhere in each") or diag(join(' ', sort keys %at));
		}
	}
	is($t->stop_pool, 0, 'the end');
};

# A worker that replaces another one has the same version and the same settings.
subtest 'what has changed meanwhile' => sub {
	my $t = Berth::Test->new(@away, workers => 1, max_requests => 0);
	my $program = $t->dir . '/program/berth-fcgi';

	mkdir($t->dir . '/program') or die;
	Berth::Test::write_file($program, slurp($t->build . '/berth-fcgi'));
	chmod(0755, $program) or die;
	$t->{pool_build} = $t->dir . '/program';
	my $before = ready($t);
	Berth::Test::write_file("$program.new", "#!/bin/sh\nexit 1\n");
	chmod(0755, "$program.new") or die;
	rename("$program.new", $program) or die;
	unlink($t->conf_path) or die;
	kill('KILL', split(' ', $before));
	ok($t->wait_for(sub {
		my %old = map { $_ => 1 } split(' ', $before);
		my @new = split(' ', workers($t));

		return @new == 2 && !grep { $old{$_} } @new;
	}),
	    'both workers are new');
	is(fetch($_, PAGE)->{status}, 200, "and serve, with neither the program nor the configuration there: $_")
	    for $t->socket_path, $t->write_socket_path;
	is($t->stop_pool, 0, 'the end');
};

# What -t says of a database that is away.
my $unanswered = qr/berth-fcgi: warning: the database does not answer \([^\n]*nonexistent[^\n]*\); /
    . qr/encoding, store and token_key are not checked\n/;

subtest 'options' => sub {
	my $t = Berth::Test->new(@away, workers => 3, database => 'host=/nonexistent password=hunter2');
	my ($status, $err, $out) = run_pool($t, '-t');

	is($status, 0, '-t of a good file');
	like($out, qr/^workers = 3$/m, 'prints what is in effect');
	like($out, qr/^write_socket = \Q@{[$t->write_socket_path]}\E$/m, 'also where the second socket is');
	like($out, qr{^database = password=\*\*\*\* host=/nonexistent$}m, 'with secrets masked');
	unlike($out, qr/hunter2/, 'everywhere');
	for my $case (
		[1, undef, ''],
		[3, 'https://gitlab.example.com', ''],
		[2, 'https://gitlab.example.com', 'warning: workers: with fewer than 3'],
	) {
		my ($workers, $gitlab, $warning) = @$case;

		$t->conf(workers => $workers, gitlab_url => $gitlab);
		($status, $err) = run_pool($t, '-t');
		is($status, 0, "$workers workers" . ($gitlab ? ' and a GitLab' : ''));
		like($err, $warning eq '' ? qr/\A$unanswered\z/ : qr/\A${unanswered}berth-fcgi: \Q$warning\E[^\n]*\n\z/,
		    'warns of the database' . ($warning eq '' ? '' : ', and of them'));
		unlike($err, qr/hunter2/, 'without the password');
	}
	$t->conf(workers => 0, gitlab_url => undef);
	($status, $err) = run_pool($t, '-t');
	is($status, 1, '-t of a bad file');
	like($err, qr/berth\.conf:\d+: .*workers/, 'says where');
	for my $case ([database => 'foo=bar', qr/malformed connection string/],
		[socket => '/' . 'x' x 200, qr/at most \d+ bytes/],
		[write_socket => '/' . 'x' x 200, qr/write_socket: the path of a socket has at most \d+ bytes/],
		[socket_owner => 'nobody-of-this-name', qr/no user `nobody-of-this-name`/],
		[store => '/nonexistent/store/',
			qr{store: /nonexistent/store/ does not exist, and cannot be made in /nonexistent: No such file}],
		[inspector => '/nonexistent/inspect', qr{cannot run /nonexistent/inspect: No such file}]) {
		my ($key, $value, $why) = @$case;
		my $u = Berth::Test->new(@away, $key => $value);

		($status, $err, $out) = run_pool($u, '-t');
		is($status, 1, "-t of what could not start: $key");
		like($err, $why, 'says why');
		is($out, '', 'and nothing else');
	}
	($status, $err, $out) = run_pool($t, '-V');
	is($status, 0, '-V');
	like($out, qr/^berth-fcgi \d+\.\d+\.\d+(?:-rc\.\d+)?$/, 'prints the version');
	($status, $err, $out) = run_pool($t, '-h');
	is($status, 0, '-h');
	like($out, qr/^usage: berth-fcgi/, 'prints the usage');
	is((run_pool($t, '--help'))[2], $out, '--help, too');
	is((run_pool($t, '-x'))[0], 2, 'an unknown option');
	my $by_variable = sub { Berth::Cluster::capture({ env => { BERTH_CONF => $_[0] } },
	    $t->build . '/berth-fcgi', @_[1 .. $#_]) };
	$t->conf(workers => 2);
	like(($by_variable->($t->conf_path, '-t'))[1], qr/^workers = 2$/m, 'BERTH_CONF names the configuration');
	like(($by_variable->('/nonexistent', '-t', '-c', $t->conf_path))[1], qr/^workers = 2$/m, 'unless -c does');
	like(($by_variable->('/nonexistent', '-t'))[2], qr{cannot read /nonexistent: }, 'and only then');
	unlike(($by_variable->('', '-t'))[2], qr{cannot read : }, 'an empty one is none');
	is((run_pool($t, '--nginx'))[0], 2, '--nginx without -t');
	$t->conf(workers => 2);
	is((run_pool($t, '-t', '--nginx'))[0], 0, 'nginx of this machine has what it needs');
	my $bin = $t->dir . '/bin';
	mkdir($bin) or die "$bin: $!\n";
	Berth::Test::write_file("$bin/nginx", "#!/bin/sh\necho 'configure arguments: --with-http_ssl_module' >&2\n");
	chmod(0755, "$bin/nginx") or die "$bin/nginx: $!\n";
	local $ENV{PATH} = "$bin:$ENV{PATH}";
	($status, $err, $out) = run_pool($t, '-t', '--nginx');
	is("$status$out", '1', 'another nginx has not');
	like($err, qr/^berth-fcgi: nginx lacks modules .*; http_secure_link_module \(/, 'says which');
	# systemd lets the pool write only below some directories
	my $store = $t->store;
	for my $case (['nothing', '', 0, qr{store: .* not write to \Q$store\E; .*ReadWritePaths=\Q$store\E$}m],
		['the store', "/nowhere -$store", 0, qr/\A$unanswered\z/], ['all', '/', 0, qr/\A$unanswered\z/],
		['what is above it', '/srv +' . $t->dir, 0, qr/\A$unanswered\z/],
		['what only begins alike', substr($store, 0, -1), 0, qr/may not write/],
		['without the unit', '', 1, qr/\A$unanswered\z/]) {
		my ($name, $paths, $exit, $want) = @$case;

		Berth::Test::write_file("$bin/systemctl", "#!/bin/sh\necho ProtectSystem=strict\n"
		    . "echo 'ReadWritePaths=$paths'\nexit $exit\n");
		chmod(0755, "$bin/systemctl");
		$t->conf(cache_dir => undef, pid_file => undef);
		($status, $err) = run_pool($t, '-t');
		is($status, 0, "the unit allows $name");
		like($err, $want, '  which is what -t says');
	}
	for my $case (['45s', 30], ['45s', 44], ['1min 30s', 89], ['1h', 3599], ['infinity', 86400], ['', 300],
		['45s', 45, 60], ['45s', 60, 75], ['1min 30s', 90, 105], ['500ms', 1, 16],
		# the forms of systemd.time(7)
		['1.5min', 89], ['1.5min', 90, 105], ['1min 30.500s', 91, 106], ['2min 30s', 150, 165], ['2 h', 7200, 7215],
		['1h30min', 5400, 5415], ['90', 90, 105], ['1 minute 5 sec', 65, 80], ["900000 \xc2\xb5s 1s", 2, 17],
		['1d', 86399], ['1d', 86400, 86415], ['1month', 86400], ['1y 2w', 86400], ['9' x 400, 86400],
		['0', 86400], ['5 fortnights', 300], ['1.5', 2, 17], ['s', 300], ['1..5s', 300], ['-1s', 300]) {
		my ($stop, $drain, $need) = @$case;

		Berth::Test::write_file("$bin/systemctl",
		    "#!/bin/sh\necho ProtectSystem=strict\necho ReadWritePaths=/\necho 'TimeoutStopUSec=$stop'\n");
		$t->conf(drain_timeout => $drain);
		($status, $err) = run_pool($t, '-t');
		is($status, 0, "TimeoutStopSec=$stop, drain_timeout = $drain");
		like($err, defined $need ? qr/drain_timeout: .* take $drain s .* TimeoutStopSec=$need$/m
		    : qr/\A$unanswered\z/, '  which is what -t says');
	}
	$t->conf(drain_timeout => undef);
	Berth::Test::write_file("$bin/systemctl", "#!/bin/sh\nexec sleep 100\n");
	my $began = time;
	($status, $err) = run_pool($t, '-t');
	is($status, 0, 'a systemctl that hangs is left alone');
	like($err, qr/\A$unanswered\z/, '  without a word');
	cmp_ok(time - $began, '<', 60, '  soon');
	Berth::Test::write_file("$bin/nginx", "#!/bin/sh\necho broken >&2\nexit 3\n");
	like((run_pool($t, '-t', '--nginx'))[1], qr/^berth-fcgi: cannot run `nginx -V`: broken$/,
	    'nor one that fails');
	is((run_pool($t, 'x'))[0], 2, 'an argument');
};

subtest 'the database comes and goes' => sub {
	my $t = Berth::Test->new(workers => 1);
	my $before = ready($t);
	my $status = sub { fetch($t->socket_path, CONFIG)->{status} };

	is($status->(), 401, 'it is there');
	for my $round (1, 2) {
		$t->psql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
		    . "WHERE usename = 'berth' AND datname = current_database()");
		my $first = $status->();
		like($first, qr/^(?:401|503)$/, "a request after its connection was ended: $first");
		is($status->(), 401, 'the next one has a new connection');
	}
	is(workers($t), $before, 'the worker lives');
	$t->stop_pool;
};

done_testing();

# Starts the pool; waits until all workers serve; returns their pids.
sub ready {
	my ($t) = @_;

	$t->start_pool;
	$t->wait_for(sub { $t->log('pool') =~ /ready: / }) or die $t->log('pool');
	return workers($t);
}

# The pids of the workers, sorted.
sub workers {
	my ($t) = @_;
	my $pid = $t->pool_pid;

	return join(' ', sort { $a <=> $b } split ' ', slurp("/proc/$pid/task/$pid/children"));
}

# Writes a file of conf.d; returns its path.
sub write_beside {
	my ($t, $name, $text) = @_;
	my $dir = $t->dir . '/conf.d';

	mkdir($dir);
	Berth::Test::write_file("$dir/$name", $text);
	return "$dir/$name";
}

# How many processes of the pool have this file open.
sub open_logs {
	my ($t, $path) = @_;

	return scalar grep {
		my $pid = $_;

		grep { (readlink($_) // '') eq $path } glob("/proc/$pid/fd/*");
	} $t->pool_pid, split ' ', workers($t);
}

# Asks without a pause, in a process of its own, until unload().  That is no
# signal, which could interrupt a request and make it look like a failed one.
sub load {
	my ($path) = @_;

	socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "socketpair: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid != 0) {
		close $theirs;
		return { pid => $pid, sock => $ours };
	}
	close $ours;
	my ($good, $bad) = (0, 0);
	my $told = IO::Select->new($theirs);
	until ($told->can_read(0)) {
		my $res = eval { fetch($path, PAGE) };
		$res && $res->{status} == 200 ? $good++ : $bad++;
	}
	syswrite($theirs, "$good $bad");
	POSIX::_exit(0);
}

# (good, bad) answers.
sub unload {
	my ($load) = @_;

	shutdown($load->{sock}, 1);
	sysread($load->{sock}, my $text, 100);
	waitpid($load->{pid}, 0);
	return split ' ', $text;
}

# Runs berth-fcgi to its end: (exit status, standard error, standard output).
sub run_pool {
	my ($t, @options) = @_;
	my ($status, $out, $err) = Berth::Cluster::capture($t->build . '/berth-fcgi', @options,
	    grep { !grep { /^x$/ } @options } '-c', $t->conf_path);

	return ($status, $err, $out);
}

sub slurp {
	my ($path) = @_;

	open(my $fh, '<', $path) or return '';
	local $/;
	return <$fh> // '';
}
