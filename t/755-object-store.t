#!/usr/bin/perl

# The store is a bucket of an object store: publish, read, collect, check, back up, restore and copy, also
# if the store does not answer or has other bytes.  BERTH_S3 chooses a real store (t/lib/Berth/S3.pm).

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Fcntl qw(:flock);
use JSON::PP ();
use POSIX ();
use Test::More;

use Berth::Cluster;
use Berth::FastCGI qw(fetch);
use Berth::Fault;
use Berth::Metrics;
use Berth::S3;
use Berth::Test;

my $t = Berth::Test->new(workers => 6, keep_unused => 0, cache_lease => 3);
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;
my $s3 = Berth::S3->new($t->dir);
my $json = JSON::PP->new;
my @owner = ('--database', $t->dsn('berth_owner'));

$t->conf($s3->settings('berth'));
mkdir($t->store);
chmod(0750, $t->store);
my $id = $t->project('demo/registry');
$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');

sub publish { return $t->publish($id, $token, @_) }
sub get { return $t->http(GET => $t->registry($id) . "/$_[0]/1.0.0/download", { token => $token }) }
# Asks the pool for a crate, or for config.json, without nginx, which may have the file.
sub ask {
	my ($what, $token) = @_;
	my $path = $what =~ /\./ ? $what : "$what/1.0.0/download";
	my $c = Berth::FastCGI->connect($t->socket_path);

	$c->send_bytes(Berth::FastCGI::request($t->registry($id) . "/$path", REMOTE_ADDR => '127.0.0.1',
	    HTTP_AUTHORIZATION => $token));
	return $c;
}
sub deferred {
	return Berth::Metrics->parse($t->http(GET => '/-/metrics', { plain => 1 })->{body})
	    ->value('berth_deferred_requests', kind => 'read');
}
sub sha {
	my ($crate) = @_;

	return $t->psql("SELECT v.cksum FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.name = '$crate'");
}
sub below { my ($sha) = @_; return substr($sha, 0, 2) . '/' . substr($sha, 2, 2) . "/$sha" }
sub copy_of { return $t->store . '/' . below(sha($_[0])) }
sub staged { my ($crate) = @_; return $t->store . '/staging/' . substr(sha($crate), 0, 32) }
# The worker that makes the copy holds a lock until it has taken the name in staging away.
sub is_idle {
	open(my $file, '<', staged($_[0])) or return 1;
	return flock($file, LOCK_EX | LOCK_NB);
}
# A client has its answer before the file that it gets is a copy.
sub kept { my ($crate) = @_; return $t->wait_for(sub { -e copy_of($crate) && is_idle($crate) }) }
sub forget {
	kept($_) or die "there is no copy of $_\n" for @_;
	unlink(map { copy_of($_) } @_);
	return;
}
# All names of a file.
sub names_of {
	my $inode = (stat($_[0]))[1];

	return grep { (stat)[1] == $inode } $_[0], glob($t->store . '/staging/*');
}
# Makes a copy so old that it is not in use; returns its names.
sub make_old {
	my ($crate) = @_;

	kept($crate) or die "there is no copy of $crate\n";
	my @names = names_of(copy_of($crate));
	utime(time - 90, time - 90, @names) or die "utime: $!\n";
	return @names;
}
sub ready {
	my $res = $t->http(GET => '/-/readiness' . ($_[0] // ''));

	return "$res->{status} " . $t->json($res)->{store};
}
sub whole { return sha256_hex(get($_[0])->{body}) eq sha($_[0]) }
# Runs the code in another process, which ends well if the code returns something true.
sub child {
	my ($code) = @_;
	my $pid = fork() // die "fork: $!\n";

	return $pid if $pid != 0;
	POSIX::_exit($code->() ? 0 : 1);
}
# berth check, in a process of its own, of this node with a store that hangs: what it prints.
sub check_beside {
	my ($store) = @_;
	my $conf = $t->dir . '/hanging.conf';

	$store->fail('GET', 'hang');
	Berth::Test::write_file($conf,
	    Berth::Cluster::slurp($t->conf_path) =~ s/^store_endpoint = .*/store_endpoint = @{[ $store->url ]}/mr);
	my $pid = open(my $out, '-|') // die "fork: $!\n";
	return $out if $pid;
	my ($status, $said, $err) = $t->berth({ env => { BERTH_FAULT => undef } }, '-c', $conf, 'check', '--json');
	Berth::Test::write_file($t->dir . '/log/check', $err);
	STDOUT->printflush($said);
	POSIX::_exit($status);
}
sub has { my ($key) = @_; return scalar grep { $_ eq "berth/$key" } $s3->keys }

# The exit status, and what it prints.
sub berth {
	my ($status, $out, $err) = $t->berth(@_);

	return ($status, eval { $json->decode($out) } // $out, $err);
}

is(ready(), '200 ok', 'a node with an empty bucket is ready');
# It takes half a minute, in which the rest of the test goes on with another store.
my $silent = $s3->is_real ? undef : Berth::S3->new($t->dir);
my $hanging = $s3->is_real ? undef : check_beside($silent);
is(publish($_, '1.0.0')->{status}, 200, "$_ is published") for qw(first second third gone);
ok(whole('first') && -e copy_of('first'), 'a crate is downloaded, from a copy');
ok(has(below(sha('first'))), 'the bucket has it, under its digest');
ok(has('registry-id'), 'and the id of the registry');

subtest 'a cold node' => sub {
	forget('first');
	ok(whole('first'), 'brings the crate');
	ok(kept('first'), 'and keeps it');
	ok(whole('first'), 'nginx sends it');
	# the keeper's link to the copy leads nowhere now
	forget('first');
	ok(whole('first'), 'and the pool brings it again after nginx had it');
};

subtest 'pages of source bring both crates of a comparison' => sub {
	my $public = $t->project('demo/pub', 'public');
	my @crates;

	is($t->publish($public, $token, 'paged', $_, files => { new => "$_\n" })->{status}, 200, "$_ is published")
	    for '1.0.0', '1.1.0';
	@crates = map { $t->store . '/' . below($_) } split(/\n/, $t->psql(
	    "SELECT v.cksum FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.name = 'paged'"));
	is(unlink(@crates), 2, 'both copies are away');
	my $res = $t->http(GET => '/-/projects/demo/pub/-/crates/paged/diff/1.0.0..1.1.0');
	is($res->{status}, 200, 'the page') or diag($res->{body});
	like($res->{body}, qr/2 changed/, 'compares them');
	is(scalar(grep { -e } @crates), 2, 'and keeps both copies');
};

subtest 'two workers bring the same crate once' => sub {
	forget('second');
	$fault->arm('copy:fetched', 'hold');
	my @status;
	my $get = qr{^GET .*/@{[ sha('second') ]}$};
	my $asked = $s3->asked($get);
	my $reading = fork() // die "fork: $!\n";

	if ($reading == 0) {
		my @res = $t->parallel(3, sub { get('second') });

		POSIX::_exit(scalar grep { $_->{status} != 200 } @res);
	}
	ok($t->wait_for(sub { $fault->held == 1 }), 'one has the bytes');
	my ($pid) = $fault->held;
	$fault->disarm;
	$fault->release($pid);
	waitpid($reading, 0);
	is($?, 0, 'all of them are answered');
	is($s3->asked($get) - $asked, 1, 'the store was asked once')
	    unless $s3->is_real;
};

# cargo asks for all crates of a build at once.  No more than three of six workers fetch.
subtest 'a crowd of readers of uncached crates' => sub {
	my @crates = map { "cold$_" } 1 .. 12;
	my @readers;
	my $begin = sub {
		my ($crate) = @_;

		push @readers, child(sub { return whole($crate) });
	};

	is(publish($_, '1.0.0')->{status}, 200, "$_ is published") for @crates;
	forget(@crates);
	$fault->arm('copy:fetched', 'hold');
	$begin->($_) for splice(@crates, 0, 3);
	ok($t->wait_for(sub { $fault->held == 3 }), 'three workers fetch a crate');
	my @held = $fault->held;
	$begin->($_) for splice(@crates, 0, 8);
	# after the processes that would keep it open as well
	my $gone = ask($crates[0], $token);
	ok($t->wait_for(sub { deferred() == 9 }), 'the others wait, and occupy no worker') or diag(deferred());
	is(ask('config.json', $token)->answer->{status}, 200, "read $_ goes on meanwhile") for 1 .. 6;
	is(scalar($fault->held), 3, 'still three fetch');
	undef $gone;
	$fault->disarm;
	$fault->release($_) for @held;
	is(scalar(grep { waitpid($_, 0); $? != 0 } @readers), 0, 'nobody is refused');
	ok($t->wait_for(sub { deferred() == 0 }), 'nobody waits any more');
	ok(!-e copy_of($crates[0]), 'nothing is fetched for a client that has gone');
};

# Each time three of six workers fetch a crate, and one more waits.
subtest 'what happens while a request waits' => sub {
	my @crates = map { "cold$_" } 1 .. 4;
	my $wait = sub {
		my ($token) = @_;

		forget(grep { -e copy_of($_) } @crates);
		$fault->arm('copy:fetched', 'hold');
		my @held = map { ask($_, $token) } @crates[0 .. 2];
		ok($t->wait_for(sub { $fault->held == 3 }), 'three workers fetch a crate');
		my $waits = ask($crates[3], $token);
		ok($t->wait_for(sub { deferred() == 1 }), 'one more request waits');
		return ($waits, @held);
	};
	my $release = sub {
		my (@asked) = @_;
		my @held = $fault->held;

		$fault->disarm;
		$fault->release($_) for @held;
		return [map { $_->answer->{status} } @asked];
	};

	my $other = $t->token('dev');
	my ($waits, @held) = $wait->($other);
	$t->berth_ok({ stdin => "$other\n" }, 'token', 'revoke');
	is_deeply($release->($waits, @held), [401, 200, 200, 200], 'its token is revoked');
	ok(!-e copy_of($crates[3]), 'so nothing is fetched for it');

	($waits, @held) = $wait->($token);
	my $before = length($t->log('pool'));
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { substr($t->log('pool'), $before) =~ /reloaded: generation/ }), 'the pool reloads');
	is_deeply($release->($waits, @held), [(200) x 4], 'the worker serves it before it ends');

	# the worker runs the request again: what it has counted the first time counts once
	$t->berth_ok(qw(project set demo/registry visibility=public));
	my $page = sub {
		my ($crate, %more) = @_;
		my $c = Berth::FastCGI->connect($t->socket_path);

		$c->send_bytes(Berth::FastCGI::request("/-/projects/demo/registry/-/crates/$crate/1.0.0/source",
		    REMOTE_ADDR => '192.0.2.7', %more));
		return $c;
	};
	my $full = sub { return $t->psql("SELECT full_at FROM rate_limits WHERE actor LIKE '%192.0.2.7%'") };

	($waits, @held) = $wait->($token);
	my $reader = $page->($crates[3], HTTP_COOKIE => '__Host-berth=' . 'x' x 43);
	ok($t->wait_for(sub { deferred() == 2 }), 'a page of files waits as well');
	my $once = $full->();
	like($once, qr/^2/, 'its cookie of no session is a bad credential');
	is_deeply($release->($waits, @held, $reader), [(200) x 5], 'it is answered');
	is($full->(), $once, 'and counted as one');

	# a worker has reserved a slot for a request that needs none any more, and is killed before it gives it back
	($waits, @held) = $wait->($token);
	# workers remember the list of files of the other crate
	forget('cold5');
	$reader = $page->('cold5');
	ok($t->wait_for(sub { deferred() == 2 }), 'a page of files waits again');
	$t->berth_ok(qw(project set demo/registry visibility=private));
	my @fetch = $fault->held;
	$fault->arm('respond:page_source', 'kill');
	$fault->release($_) for @fetch;
	is($reader->answer, undef, 'its worker is killed');
	$fault->disarm;
	is_deeply([map { $_->answer->{status} } @held], [(200) x 3], 'the others are answered');
	undef $waits;
	ok($t->wait_for(sub { deferred() == 0 }), 'nobody waits');
	($waits, @held) = $wait->($token);
	is_deeply($release->($waits, @held), [(200) x 4], 'no slot is lost');

	$t->conf(request_timeout => 4);
	$t->stop_pool;
	$t->start_pool;
	($waits, @held) = $wait->($token);
	my $res = $waits->answer;
	is($res->{status}, 503, 'it waits in vain');
	is($res->{body}, "the registry's object store is slow; try again in a few seconds\n", 'and learns why');
	$release->();
	$_->answer for @held;
	$t->conf(request_timeout => undef);
	$t->stop_pool;
	$t->start_pool;
};

subtest 'a crash on the way' => sub {
	for my $point ('copy:fetched', 'copy:fsynced', 'copy:named') {
		forget('second');
		$fault->arm($point, 'kill');
		my $status = get('second')->{status};
		if ($point eq 'copy:fetched') {
			isnt($status, 200, "$point: the client hears of it");
		} else {
			is($status, 200, "$point: the client has the crate");
		}
		ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'the worker is dead');
		$fault->disarm;
		ok(whole('second'), 'the next one has the crate');
	}
};

subtest 'the client does not wait for the disk' => sub {
	my $staged = staged('second');

	forget('second');
	$fault->arm('copy:fsynced', 'hold');
	ok(whole('second'), 'it has the crate');
	ok($t->wait_for(sub { $fault->held == 1 }), 'while the worker syncs it');
	ok(!-e copy_of('second'), 'which is no copy yet');
	my ($pid) = $fault->held;
	$fault->disarm;
	$fault->release($pid);
	ok(kept('second'), 'it becomes one');
	ok(!-e $staged, 'whose name in staging is free for the next one');
	my (undef, $name) = names_of(copy_of('second'));
	ok($name, 'and is the same file as the one that nginx was given');
	# as if somebody trimmed it at once: nginx may still be sending the file
	open(my $sent, '<', $name) or die "$name: $!\n";
	forget('second');
	ok(whole('second'), 'it is fetched again');
	is(sha256_hex(do { local $/; <$sent> }), sha('second'), 'and the file of before stays as it was');
	forget('second');
	$fault->arm('copy:fsync', 'eio');
	ok(whole('second'), 'a disk that fails then does not fail the client');
	ok($t->wait_for(sub { $t->log('pool') =~ m{blob store: fsync \Q$staged\E: Input/output error} }),
	    'but the log says so') or diag($t->log('pool'));
	$fault->disarm;
	ok(!-e copy_of('second'), 'and there is no copy');
	ok(whole('second') && kept('second'), 'the next one has it');
};

# nginx opens the file late: after the worker has failed to make it a copy, and while the next one is fetched.
subtest 'nginx is late' => sub {
	plan skip_all => 'a real store has no other bytes' if $s3->is_real;
	my $nginx = $t->{nginx};
	my @nginx = split(/ /, Berth::Cluster::slurp("/proc/$nginx/task/$nginx/children"));
	my $path = $t->registry($id) . '/second/1.0.0/download';
	forget('second');
	$fault->arm('copy:fetched', 'hold');
	my @pids = child(sub { return whole('second') });
	ok($t->wait_for(sub { $fault->held == 1 }), 'a worker has the bytes');
	my ($first) = $fault->held;
	kill('STOP', @nginx);
	$fault->disarm;
	$fault->arm('copy:fsync', 'eio');
	my $before = length($t->log('pool'));
	$fault->release($first);
	ok($t->wait_for(sub { substr($t->log('pool'), $before) =~ /fsync \S+: Input/ }), 'and cannot sync them');
	$fault->disarm;
	$s3->fail('GET', 'cut', sha('second'));
	$fault->arm('copy:fetched', 'hold');
	my $began = time;
	push @pids, child(sub {
		return fetch($t->socket_path, $path, REQUEST_METHOD => 'GET', REMOTE_ADDR => '127.0.0.1',
		    HTTP_AUTHORIZATION => $token)->{status} == 503;
	});
	ok($t->wait_for(sub { $fault->held == 1 }), 'the next one has other bytes');
	kill('CONT', @nginx);
	waitpid($pids[0], 0);
	is($?, 0, 'the client of the first has the crate');
	my ($second) = $fault->held;
	$fault->disarm;
	$fault->release($second);
	waitpid($pids[1], 0);
	is($?, 0, 'the other one is refused');
	$s3->fail('GET', undef);
	ok($t->wait_for(sub { whole('second') }) && kept('second'), 'afterwards it is there');
	# its worker leaves the store alone for as long as it has waited, while the other one serves
	sleep(1 + time - $began);
};

subtest 'a disk that is full' => sub {
	forget('second');
	$fault->arm('s3:write', 'enospc');
	my $res = get('second');
	ok($fault->disarm, 'it was');
	is($res->{status}, 503, 'is 503');
	ok(!-e copy_of('second'), 'and leaves no copy');
	ok(whole('second'), 'later it is there');
	for my $error (qw(enospc eio)) {
		my $status = $error eq 'eio' ? 500 : 503;

		forget('second');
		my @staged = glob($t->store . '/staging/*');
		$fault->arm('copy:sent', $error);
		is(get('second')->{status}, $status, "$status if nginx cannot be given a name: $error");
		ok($fault->disarm, 'it was');
		ok(!-e copy_of('second'), 'there is no copy');
		is(join(' ', glob($t->store . '/staging/*')), "@staged", 'and nothing more in staging');
		ok(whole('second'), 'later it is there');
	}
	# as on a network file system that has no locks
	forget('second');
	$fault->arm('disk:lock', 'eio');
	is(get('second')->{status}, 500, 'a file that cannot be locked: 500');
	ok($fault->disarm, 'it was');
	ok($t->wait_for(sub { $t->log('pool') =~ m{blob store: lock \S+/staging/[0-9a-f]{32}: Input/output error} }),
	    'the log says so');
	ok(whole('second'), 'later it is there');
	# an attempt that fails on a full disk makes room for another one
	my @names = make_old('second');
	forget('first');
	$fault->arm('copy:sent', 'enospc', 'copy:full', 'enospc');
	ok(whole('first'), 'the client has the crate by a second attempt');
	ok($fault->disarm, 'after the first had no name for nginx');
	ok(!grep({ -e } @names), 'which took away a copy that was not in use');
	ok(kept('first') && whole('second'), 'later both are there');
};

subtest 'a disk that is full, and trouble at the store' => sub {
	plan skip_all => 'a real store cuts no answers' if $s3->is_real;
	my @names = make_old('second');
	forget('first');
	$s3->fail('GET', 'cut', sha('first'));
	$fault->arm('copy:full', 'enospc');
	is(get('first')->{status}, 503, 'a fetch that fails');
	ok($fault->disarm && !grep({ -e } @names), 'takes away a copy that is not in use, with all its names');
	$s3->fail('GET', undef);
	ok($t->wait_for(sub { whole('first') && whole('second') }), 'later both are there');
};

subtest 'other bytes' => sub {
	plan skip_all => 'a real store has none' if $s3->is_real;
	for my $how (qw(wrong cut 503)) {
		forget('second');
		$s3->fail('GET', $how, sha('second'));
		my $res = get('second');
		is($res->{status}, 503, "$how: 503");
		ok(!-e copy_of('second'), 'no copy');
		$s3->fail('GET', undef);
		ok($t->wait_for(sub { get('second')->{status} == 200 }), 'afterwards it is there');
	}
	like($t->log('pool'), qr/has other bytes, with the SHA-256 [0-9a-f]{64}; run `berth fsck --deep`/,
	    'the log says what is wrong');
	my $size = $t->psql("SELECT size FROM versions WHERE cksum = '" . sha('second') . "'");
	for my $how (qw(vast endless)) {
		forget('second');
		my $before = length($t->log('pool'));
		$s3->fail('GET', $how, sha('second'));
		is(get('second')->{status}, 503, "$how: 503");
		$s3->fail('GET', undef);
		ok(!-e copy_of('second'), 'no copy');
		like(substr($t->log('pool'), $before), qr/has more than $size bytes; run `berth fsck --deep`/, 'says why');
		is(get('second')->{status}, 200, 'and the store does not count as away');
	}
	cmp_ok($s3->flooded, '<', 32 << 20, 'no more is read');
	$s3->fail('GET', 'wrong', sha('second'));
	my ($status, $said) = berth(qw(fsck --deep));
	$s3->fail('GET', undef);
	like($said, qr/demo\/registry second\@1\.0\.0 .*its SHA-256 differs/, 'and so does fsck');
};

subtest 'a store that is away' => sub {
	forget('second');
	$s3->stop;
	my $res = get('second');
	is($res->{status}, 503, 'a cold read is 503');
	ok($res->{headers}{'retry-after'}, 'with a time');
	like($res->{body}, qr/the registry's object store does not answer/, 'and a reason');
	ok(whole('first'), 'a warm one is answered');
	is(ready('?for=reads'), '200 away', 'the node is ready for reads');
	like(ready(), qr/^503 away/, 'and not for writes');
	is(publish('late', '1.0.0')->{status}, 503, 'a publish is 503');
	# a worker that does not know yet whose store it is
	$t->stop_pool;
	$t->start_pool;
	for my $cold (get('second'), publish('late', '1.0.0')) {
		is($cold->{status}, 503, 'a new worker: 503');
		like($cold->{body}, qr/the registry's object store does not answer/, '  and the same reason');
	}
	is($t->psql("SELECT count(*) FROM crates WHERE name = 'late'"), 0, 'and nothing of it stays');
	$s3->start;
	ok($t->wait_for(sub { publish('late', '1.0.0')->{status} == 200 }), 'when it is back, it takes the crate');
	# each worker looks again by itself
	ok($t->wait_for(sub { whole('second') && whole('late') }), 'and gives all');
};

# With one worker, since each has its own opinion of the store.
subtest 'one object that the store cannot read' => sub {
	plan skip_all => "$ENV{BERTH_S3} does not fail on demand" if $s3->is_real;
	$t->stop_pool;
	$t->conf(workers => 1);
	$t->start_pool;
	forget(qw(first second third));
	ok(whole('first'), 'the store answers');
	forget('first');
	$s3->fail('GET', 500, sha('second'));
	is(get('second')->{status}, 503, 'one crate cannot be had');
	my $asked = $s3->asked(qr{^GET .*/@{[ sha('second') ]}$});
	is(get('second')->{status}, 503, 'nor at once again');
	is($s3->asked(qr{^GET .*/@{[ sha('second') ]}$}), $asked, 'for which nobody asks the store');
	ok(whole('first'), 'others can');
	forget('first');
	my ($status, $said) = berth(qw(fsck --deep));
	like("$status $said", qr/^1 .*demo\/registry second\@1\.0\.0 .*status 500.*; 1 problem, 0 repaired$/ms,
	    'fsck names it, and goes on');
	$s3->fail('GET', 500);
	is(get($_)->{status}, 503, "$_: the store answers for none") for qw(third first);
	$s3->fail('GET', undef);
	is(get($_)->{status}, 503, "$_: it is left alone for a while") for qw(third first);
	ok($t->wait_for(sub { get($_)->{status} == 200 }), "$_: and asked again") for qw(third first second);
	$t->stop_pool;
	$s3->fail('GET', 500);
	$t->start_pool;
	my $res = publish('unlucky', '1.0.0');
	is($res->{status}, 503, 'a pool that cannot even read whose store it is');
	like($res->{body}, qr/object store does not answer/, 'does not say that it is of another registry');
	$s3->fail('GET', undef);
	ok($t->wait_for(sub { ready() =~ /^200/ }), 'and goes on');
	$t->stop_pool;
	$t->conf(workers => 6);
	$t->start_pool;
};

subtest 'a bucket that does not exist' => sub {
	plan skip_all => 'real stores have other words' if $s3->is_real;
	my $none = Berth::Test->new(workers => 1, database => $t->dsn('berth'), $s3->settings('berth'),
	    store => 's3://none/berth', store_copies => $t->dir . '/none');
	my ($status, $said) = $none->berth('check');

	like($said, qr/NoSuchBucket; check the name of the bucket, none$/m, 'is told by name');
	$none->stop;
};

# Each kind of request that fails alone shows; clients learn neither status nor code.
subtest 'a store that refuses' => sub {
	plan skip_all => "$ENV{BERTH_S3} does not fail on demand" if $s3->is_real;
	my $told = qr/the registry's object store refuses a request of the registry; tell the registry's admin/;
	my $error = sub {
		$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'probe_store' AND claimed_until IS NULL;"
		    . ' NOTIFY berth_tasks');
		return $t->psql("SELECT error FROM tasks WHERE kind = 'probe_store' AND attempts > 0");
	};

	$t->run_tasks('probe_store');

	for my $case ([GET => '403 AccessDenied', qr/GET \S+ at \S+: status 403 AccessDenied; check store_creden/],
		[HEAD => '403 AccessDenied', qr/HEAD \S+ at \S+: status 403; check store_credentials, and the rights/],
		[GET => '403 RequestTimeTooSkewed', qr/status 403 RequestTimeTooSkewed; set the clock of this host/],
		[GET => '400 AuthorizationHeaderMalformed', qr/check store_endpoint and store_region/],
		[GET => '404 NoSuchBucket', qr/status 404 NoSuchBucket; check the name of the bucket, crates/]) {
		my ($method, $how, $detail) = @$case;
		my ($status, $code) = split(/ /, $how);

		forget('second');
		$s3->fail($method, $status, '', $code);
		my $res = $t->http(GET => '/-/readiness');
		my $said = $t->json($res);
		is("$res->{status} $said->{store}", '503 refused', "$method, $how: readiness");
		like($said->{store_detail}, $detail, '  has what the store answered, and what to do');
		$said = $t->json($t->http(GET => '/-/readiness?for=reads'));
		is("$said->{status} $said->{store}", 'ok refused', '  a node that has copies is ready for reads');
		like($said->{store_detail}, $detail, '  and says why');
		like((berth('check'))[1], $detail, '  so does berth check');
		ok($t->wait_for(sub { $error->() =~ $detail }), "  and so does the worker's task") or diag($error->());
		if ($method eq 'GET') {
			$res = get('second');
			is($res->{status}, 503, '  a read');
			like($res->{body}, $told, '  is told that this does not pass');
			unlike($res->{body}, qr/$status|$code|bucket|credential/i, '  and no internal detail');
		}
		$s3->fail($method, undef);
		ok(whole('second'), '  afterwards it is there');
	}
};

# Each of its requests is in time; all of them together are not.
subtest 'a publish to a slow object store' => sub {
	plan skip_all => 'a real store is not slow on demand' if $s3->is_real;
	$t->conf(request_timeout => 8);
	$t->stop_pool;
	$t->start_pool;
	$s3->fail('PUT|HEAD', 'slow3');
	my $began = time;
	my $status = publish('slowly', '1.0.0')->{status};
	is($status, 503, 'is refused');
	cmp_ok(time - $began, '<', 8, 'within request_timeout');
	$s3->fail('PUT', undef);
	ok($t->wait_for(sub { publish('slowly', '1.0.0')->{status} == 200 }), 'then it is well');
	$t->conf(request_timeout => undef);
	$t->stop_pool;
	$t->start_pool;
};

# The check of the store takes longer than all questions to the database may: it began with the test.
subtest 'berth check while the object store hangs' => sub {
	plan skip_all => 'real stores answer' if $s3->is_real;
	my $out = do { local $/; <$hanging> };
	my $err = Berth::Cluster::slurp($t->dir . '/log/check');
	my %checks = map { $_->{check} => $_ } @{ JSON::PP::decode_json($out) };

	close($hanging);
	is($checks{store}{state}, 'critical', 'is critical') or diag($out, $err);
	like($checks{store}{detail}, qr/object store/, '  names the store');
	unlike($checks{store}{detail}, qr/database/, '  and no other cause');
	is($checks{keys}{state}, 'warning', 'what it leaves no time for is not passed over without a word');
	is($checks{fsck}{state}, 'not checked', '  though said once');
};

subtest 'a publish that dies' => sub {
	$fault->arm('s3:uploaded', 'kill');
	isnt(publish('dying', '1.0.0')->{status}, 200, 'after its upload');
	ok($fault->disarm, 'it was');
	is($t->psql("SELECT count(*) FROM crates WHERE name = 'dying'"), 0, 'there is no crate');
	is(publish('dying', '1.0.0')->{status}, 200, 'the same bytes again');
	ok(whole('dying'), 'are there');
};

subtest 'fsck, collection and the trash' => sub {
	my $sha = sha('gone');

	$t->psql("DELETE FROM versions v USING crates c WHERE c.id = v.crate_id AND c.name = 'gone'");
	$t->start_worker;
	ok($t->run_tasks('collect_blobs'), 'a collection');
	ok(!has(below($sha)), 'takes a blob that no version needs') or diag($t->log('worker'));
	my ($status, $said) = berth('fsck');
	unlike($said, qr/^blob/m, 'nothing is missing');
	$sha = sha('third');
	# as if a collection had taken it by mistake
	$s3->curl('PUT', "berth/trash/$sha", '-H', 'x-amz-copy-source: /crates/berth/' . below($sha));
	$s3->curl('DELETE', 'berth/' . below($sha));
	($status, $said) = berth('fsck');
	like($said, qr/third\@1\.0\.0 .*it is in the trash: --repair puts it back/, 'a missing blob is found');
	is((berth(qw(fsck --repair)))[0], 0, 'and put back');
	ok(has(below($sha)) && !has("trash/$sha"), 'from the trash');
	($status, $said) = berth(qw(store show --json));
	is($said->{marks}, 'same', 'the store has the mark of the collection');
	is((berth(qw(store adopt --json)))[0], 0, 'the store is adopted anew');
	($status, $said) = berth(qw(store show --json));
	is($said->{registry}, $said->{store_id}, 'with the same id');
};

subtest 'copies that nobody uses' => sub {
	$t->conf(store_copies_size => '1m', keep_unused => '1d');
	utime(time - 3600, time - 3600, copy_of('first')) or die "utime: $!\n";
	utime(time - 90000, time - 90000, copy_of('second')) or die "utime: $!\n";
	$t->stop_worker;
	$t->start_worker;
	# the worker's first run may not have ended, nor be due
	ok($t->wait_for(sub { $t->run_tasks('probe_store') && !-e copy_of('second') }), 'go after keep_unused');
	ok(-e copy_of('first'), 'others stay as long as there is room');
	my $big = $t->store . '/aa/aa/' . 'aa' x 32;
	mkdir($t->store . "/$_") for 'aa', 'aa/aa';
	Berth::Test::write_file($big, 'x' x (2 << 20));
	utime(time - 1800, time - 1800, $big);
	ok($t->wait_for(sub { $t->run_tasks('probe_store') && !-e copy_of('first') && !-e $big }),
	    'and go, the oldest first, when there is none');
	ok(whole('first') && whole('second'), 'the crates are brought again');
	# the disk has the bytes as long as they have a name, and staging is swept after 116 seconds
	my @names = map { kept($_); names_of(copy_of($_)) } 'first', 'second';
	is(scalar @names, 4, 'a copy and what nginx was given have the same bytes');
	utime(time - 90, time - 90, @names) or die "utime: $!\n";
	$t->conf(keep_unused => '80');
	$t->stop_worker;
	$t->start_worker;
	ok($t->wait_for(sub { $t->run_tasks('probe_store') && !grep { -e } @names }), 'both go together')
	    or diag(grep { -e } @names);
	my $bad = $t->store . '/aa/aa/' . 'aa' x 31 . 'ab';
	mkdir($bad) or die "$bad: $!\n";
	utime(time - 90000, time - 90000, $bad) or die "utime: $!\n";
	my ($before) = $t->psql("UPDATE store_nodes SET seen_at = seen_at - interval '1 minute' RETURNING seen_at");
	$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'probe_store'; NOTIFY berth_tasks");
	ok($t->wait_for(sub { $t->psql("SELECT error FROM tasks WHERE kind = 'probe_store'") =~ /\Q$bad\E/ }),
	    'a copy that cannot be removed is an error');
	is($t->psql("SELECT seen_at > '$before' FROM store_nodes"), 't', 'and the node lives all the same');
	rmdir($bad);
	$t->stop_worker;
	$t->conf(keep_unused => '1d');
};

my $target = 's3://' . Berth::S3::BUCKET . '/backups';

sub backup { return berth('backup', '--json', @owner, @_, $target) }
sub manifests { return grep { m{^backups/2.*\.json$} } $s3->keys }
# The files of an interrupted backup.
sub leftovers {
	my %is = map { ($_ => 1) } $s3->keys;

	return grep { m{^backups/2} && !$is{ s/\.\w+$/.json/r } } CORE::keys %is;
}

subtest 'backups in a bucket' => sub {
	$t->conf(backup_endpoint => $s3->url);
	my ($status, $said, $err) = backup();
	like($err, qr/lacks the access key's id; backup_credentials of berth\.conf/,
	    'the credentials of the store do not count');
	is($status, 1, 'and there is no backup');
	$t->conf($s3->backup_settings);
	($status, my $first, $err) = backup();
	is($status, 0, 'a backup') or diag($err);
	is("$first->{missing} $first->{copied}", "0 $first->{blobs}", 'has all blobs');
	my $asked = $s3->asked(qr{^(?:HEAD|PUT) .*/backups/blobs/});
	($status, $said) = backup();
	is("$status $said->{copied}", '0 0', 'the next one copies nothing');
	is($s3->asked(qr{^(?:HEAD|PUT) .*/backups/blobs/}), $asked, 'and asks for no single blob');
	is((berth('backup', 'verify', '--at', $_->{backup}, $target))[0], 0, 'verify passes') for $first, $said;
	is(scalar(manifests()), 2, 'there are two');
	($status, $said) = backup('--keep', 1);
	is("$status $said->{removed} " . manifests(), '0 2 1', 'of three, one stays');
	is(join(' ', leftovers()), '', 'only blobs stay of the others');
};

subtest 'a backup to a bucket that ends early' => sub {
	my @before = manifests();

	is(publish('late2', '1.0.0')->{status}, 200, 'a crate');
	for my $point (qw(backup:dumped backup:copied)) {
		$fault->arm($point, 'kill');
		isnt((backup())[0], 0, $point);
		ok($fault->disarm, 'which was reached');
		is_deeply([manifests()], \@before, 'is no backup');
	}
	isnt(scalar(leftovers()), 0, 'it leaves files');
	if (!$s3->is_real) {
		for my $case ('dump', 'json') {
			$s3->fail('PUT', 503, ".$case");
			my ($status, undef, $err) = backup();
			is($status, 1, "a store that takes no $case");
			like($err, qr/PUT \S+\.$case at \S+: status 503/, 'is told');
			$s3->fail('PUT', undef);
			is_deeply([manifests()], \@before, 'and there is no backup');
		}
	}
	my ($status, $said, $err) = backup();
	is($status, 0, 'the next one') or diag($err);
	is(join(' ', leftovers()), '', 'removes the files of the others');
	is((berth('backup', 'verify', $target))[0], 0, 'and is good');
};

subtest 'two backups at once' => sub {
	$fault->arm('backup:dumped', 'hold');
	my $first = fork() // die "fork: $!\n";

	POSIX::_exit((backup())[0]) if $first == 0;
	ok($t->wait_for(sub { $fault->held == 1 }), 'one has its dump');
	my ($pid) = $fault->held;
	$fault->disarm;
	my ($status, undef, $err) = backup();
	is($status, 1, 'the other one is refused');
	like($err, qr/another backup of this registry runs/, 'and says why');
	$fault->release($pid);
	waitpid($first, 0);
	is($?, 0, 'the first one ends');
	is((berth('backup', 'verify', $target))[0], 0, 'and is good');
};

subtest 'two registries whose first backups have one target' => sub {
	my $other = Berth::Test->new($s3->settings('other'), $s3->backup_settings);
	my $both = 's3://' . Berth::S3::BUCKET . '/both';
	my $mine = $t->psql('SELECT id FROM registry');
	my $backup = sub { return berth('backup', '--json', @owner, $both) };

	$other->psql('UPDATE registry SET id = gen_random_uuid()');
	$fault->arm('backup:dumped', 'hold');
	my $first = fork() // die "fork: $!\n";
	POSIX::_exit(($backup->())[0]) if $first == 0;
	ok($t->wait_for(sub { $fault->held == 1 }), 'one has its dump');
	my ($pid) = $fault->held;
	$fault->disarm;
	my ($status, undef, $err) = $other->berth('backup', '--database', $other->dsn('berth_owner'), $both);
	is($status, 1, 'the other one is refused');
	like($err, qr{according to \Q$both\E/backups-of, the registry \Q$mine\E has its backups there}, 'and why');
	$fault->release($pid);
	waitpid($first, 0);
	is($?, 0, 'the first one ends');
	is((berth('backup', 'verify', $both))[0], 0, 'and is good');

	subtest 'at a store that supports no conditions' => sub {
		plan skip_all => 'the object of a real store cannot be replaced meanwhile' if $s3->is_real;
		my $owner = "$s3->{dir}/data/" . Berth::S3::BUCKET . '/both/backups-of';
		$fault->arm('backup:copied', 'hold');
		$first = fork() // die "fork: $!\n";
		POSIX::_exit(($backup->())[0]) if $first == 0;
		ok($t->wait_for(sub { $fault->held == 1 }), 'a backup has all but its manifest');
		($pid) = $fault->held;
		$fault->disarm;
		Berth::Test::write_file($owner, $other->psql('SELECT id FROM registry') . "\n");
		$fault->release($pid);
		waitpid($first, 0);
		is($? >> 8, 1, 'another registry has the target since then, and the backup fails');
		is(scalar(grep { m{^both/.*\.json$} } $s3->keys), 1, 'which is no backup');
		unlink($owner);
		is(($backup->())[0], 0, 'without the object the next one passes');
		is(Berth::Cluster::slurp($owner), "$mine\n", 'and makes the object again');
	};
};

# They have one id, as after a restore of one's backup into the other.
subtest 'two databases of one registry' => sub {
	my $copy = Berth::Test->new($s3->settings('copy'), $s3->backup_settings);
	my $both = 's3://' . Berth::S3::BUCKET . '/copies';

	$copy->psql("UPDATE registry SET id = '" . $t->psql('SELECT id FROM registry') . "'");
	$fault->arm('backup:copied', 'hold');
	my $child = open(my $run, '-|') // die "fork: $!\n";
	if ($child == 0) {
		STDOUT->printflush((berth('backup', '--json', @owner, $both))[2]);
		POSIX::_exit(0);
	}
	ok($t->wait_for(sub { $fault->held == 1 }), 'a backup has all but its manifest');
	my ($pid) = $fault->held;
	$fault->disarm;
	is(($copy->berth('backup', '--database', $copy->dsn('berth_owner'), $both))[0], 0, 'the copy makes one');
	$fault->release($pid);
	like(do { local $/; <$run> }, qr{\Q$both\E/\S+ was removed while the backup ran, probably},
	    'which ends it');
	close($run);
	is(scalar(grep { m{^copies/.*\.json$} } $s3->keys), 1, 'only the backup of the copy has a manifest');
	is((berth('backup', 'verify', $both))[0], 0, 'what is there is good');

	my $again = sub { return $_[0]->berth('backup', '--database', $_[0]->dsn('berth_owner'), $both) };
	my $twin = qr/\Q$both\E has a backup of \S+ by another database with the id of this registry/;
	is(($again->($copy))[0], 0, 'the copy goes on');
	my ($status, undef, $err) = $again->($t);
	is($status, 1, 'the other one is refused');
	like($err, $twin, 'and why');
	# as a restore does, after which the one of before is away
	$t->psql('UPDATE store_state SET adopted_at = now()');
	is(($again->($t))[0], 0, 'one that is restored afterwards goes on') for 1 .. 2;
	($status, undef, $err) = $again->($copy);
	is($status, 1, 'then the copy is refused');
	like($err, $twin, 'and why');
};

subtest 'the database ends the session of a backup' => sub {
	my @before = manifests();

	$fault->arm('backup:copied', 'hold');
	my $first = fork() // die "fork: $!\n";
	if ($first == 0) {
		my ($status, undef, $err) = backup();
		POSIX::_exit($err =~ /the backup has failed: the database has ended the session/ ? $status : 42);
	}
	ok($t->wait_for(sub { $fault->held == 1 }), 'one has all but its manifest');
	my ($pid) = $fault->held;
	$fault->disarm;
	is($t->psql('SELECT count(pg_terminate_backend(pid)) FROM pg_locks l'
	    . ' JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()'
	    . " WHERE locktype = 'advisory' AND classid = 1651864180 AND objid = 1 AND granted"), 1,
	    'it has its lock no more');
	ok($t->wait_for(sub { (backup())[0] == 0 }), 'another one clears away what it has written');
	$fault->release($pid);
	waitpid($first, 0);
	is($? >> 8, 1, 'it has failed, and says so');
	is(scalar(manifests()), @before + 1, 'and is no backup');
	is((berth('backup', 'verify', $target))[0], 0, 'the newest is good');
};

subtest 'verify of a bucket' => sub {
	plan skip_all => 'a real store has no other bytes' if $s3->is_real;
	for my $case (['wrong', sha('first'), 1, qr/blobs\/\S+ is damaged: .*: 0, damaged or \w+: 1\): remove/s],
	    ['wrong', '.dump', 1, qr/dump is damaged/], ['404', sha('first'), 1, qr/status 404 .*; check the name/],
	    ['503', sha('first'), 1, qr/GET \S+ at \S+: status 503 SlowDown/], ['403', '.json', 1,
	        qr/status 403 \w+; check backup_credentials/],
	    (map { [$_, sha('first'), 1, qr/the object \S+ at \S+ has more than \d+ bytes/] } qw(vast endless)),
	    ['500', sha('first'), 1, qr/GET \S+ at \S+: status 500 .*damaged or unreadable: 1\)/s],
	    ['vast', '.dump', 1, qr/the object 2\S+\.dump at \S+ has more than \d+ bytes/],
	    ['endless', '.blobs', 1, qr/the object 2\S+\.blobs at \S+ has more than \d+ bytes/],
	    ['endless', '.json', 1, qr/the object 2\S+\.json at \S+ has more than 65536 bytes/]) {
		my ($how, $where, $want, $why) = @$case;

		$s3->fail('GET', $how, $where);
		my ($status, $said, $err) = berth('backup', 'verify', $target);
		$s3->fail('GET', undef);
		is($status, $want, "$how of $where");
		like($err, $why, 'is told');
		unlike($err, qr/damaged/, 'and is no damage') if $how eq '503';
		cmp_ok($s3->flooded, '<', 32 << 20, 'and no more is read') if $how eq 'endless';
	}
	$s3->fail('GET', 'again', '/crates');
	like((berth('backup', 'verify', $target))[2], qr/list of backups\/2 at \S+ does not go on after 2\S+Z\./,
	    'a list without end is told, too');
	$s3->fail('GET', 'empty', '/crates');
	like((berth('backup', 'verify', $target))[2], qr/list of backups\/2 at \S+ does not go on: /,
	    'so is one that goes on with nothing');
	$s3->fail('GET', undef);
	$s3->curl('DELETE', 'backups/blobs/' . below(sha('first')));
	my ($status, $said, $err) = berth('backup', 'verify', $target);
	like($err, qr/blobs\/\S+ is missing\n.*: 1, damaged or unreadable: 0\): the next/s,
	    'verify names a missing blob');
	is((backup())[1]{copied}, 1, 'and the next backup brings it back');
};

subtest 'fsck takes a blob from a bucket' => sub {
	my $key = 'berth/' . below(sha('first'));

	$s3->curl('DELETE', $key);
	my ($status, $said) = berth('fsck', '--from', $target);
	is($status, 0, 'a missing blob') or diag($said);
	like($said, qr{first\@1\.0\.0 .*the store lacks it; it is back, from s3://crates/backups}, 'is back');
	ok(has(below(sha('first'))), 'in its place');
	is((berth('fsck', '--from', 's3://B'))[0], 2, 'refuses a wrong name of a bucket');
};

subtest 'restore' => sub {
	my $dir = $t->dir . '/backup';
	my ($status, $said, $err);

	if (!$s3->is_real) {
		$s3->fail('GET', 500, below(sha('first')));
		($status, $said, $err) = berth('backup', '--json', @owner, $dir);
		is("$status $said->{missing}", '1 1', 'a backup goes on past an object that the store cannot read');
		like($err, qr/neither .* can give 1 of the blobs/, 'and says that it is not whole');
		$s3->fail('GET', undef);
	}
	($status, $said, $err) = berth('backup', '--json', @owner, $dir);
	is($status, 0, 'a backup of an object store, to a directory') or diag($err);
	is($said->{missing}, 0, 'has all blobs');
	is((berth('backup', 'verify', $dir))[0], 0, 'of which each byte is right');
	my %is = $s3->settings('restored');
	mkdir($is{store_copies});
	my $conf = $t->dir . '/restore.conf';
	Berth::Test::write_file($conf, Berth::Cluster::slurp($t->conf_path)
	    =~ s/^(store\w*) = .*\n//gmr . join('', map { "$_ = $is{$_}\n" } keys %is));
	my @restore = (Berth::Cluster->build_dir . '/berth', '-c', $conf, 'restore', '--json', '--create',
	    '--grant-to', 'berth', '--database',
	    $t->dsn('postgres') =~ s/dbname=\S+/dbname=@{[ $t->{database} ]}_back/r);
	if (!$s3->is_real) {
		$s3->fail('GET', 'wrong', '.dump');
		is((Berth::Cluster::capture(@restore, $target))[0], 1, 'a dump with other bytes is refused');
		$s3->fail('GET', 500, sha('first'));
	}
	my @back = (Berth::Cluster->build_dir . '/berth', '-c', $conf, '--database',
	    $t->dsn('berth') =~ s/dbname=\S+/dbname=@{[ $t->{database} ]}_back/r);
	($status, my $out, $err) = Berth::Cluster::capture(@restore, $target);
	if (!$s3->is_real) {
		like("$status $err", qr/^1 .*cannot give them; `berth fsck --repair --from \Q$target\E` tries again/s,
		    'a restore says so if the bucket does not give an object');
		$s3->fail('GET', undef);
		($status, $out, $err) = Berth::Cluster::capture(@back, 'fsck', '--repair', '--from', $target);
	}
	is($status, 0, 'a restore from a bucket to another prefix') or diag($err);
	is(scalar(grep { m{^restored/../../} } $s3->keys), $said->{blobs}, 'has all of them');
	ok((grep { $_ eq 'restored/registry-id' } $s3->keys), 'and its id');
	is((Berth::Cluster::capture(@back, 'fsck', '--deep'))[0], 0, 'and fsck finds nothing wrong');
	$t->psql("DROP DATABASE IF EXISTS $t->{database}_back");
};

subtest 'from one kind to the other' => sub {
	my $dir = $t->dir . '/files';
	my %is = $s3->settings('moved');
	my @from = ('s3://crates/berth', $dir);

	is((berth(qw(store copy --json), @from))[0], 1, 'a directory that is not there is refused');
	mkdir($dir);
	$fault->arm('store_copy:copied', 'kill');
	isnt((berth(qw(store copy --json), @from))[0], 0, 'a copy that dies');
	my ($status, $said, $err) = berth(qw(store copy --json), @from);
	is($status, 0, 'goes on') or diag($err);
	is($said->{blobs}, $t->psql('SELECT count(DISTINCT cksum) FROM versions'), 'over all blobs');
	($status, $said) = berth(qw(store copy --json), @from);
	is($said->{copied}, 0, 'and has nothing to do then');
	($status, $said, $err) = berth(qw(store copy --json), $dir, $is{store});
	is($said->{copied}, $said->{blobs}, 'and back, to another prefix') or diag($err);
	$t->conf(store => $dir, store_copies => undef);
	is(sha256_hex(Berth::Cluster::slurp("$dir/" . below(sha('first')))), sha('first'), 'with the right bytes');
	is((berth(qw(fsck --deep)))[0], 0, 'fsck finds the directory whole');
	is((berth(qw(store adopt)))[0], 0, 'and it is adopted');
	$t->conf(%is);
	mkdir($t->store);
	($status, $said, $err) = berth(qw(fsck --deep));
	is($status, 0, 'and the bucket, too') or diag($said, $err);
	$t->conf($s3->settings('berth'));
};

subtest 'by TLS, and with the bucket in the name of the host' => sub {
	my $tls = $t->cacert =~ s{/ca\.pem\z}{}r;
	my $url = $s3->tls_url($tls);
	my $use = sub {
		my ($name, %conf) = @_;

		$t->stop_pool;
		$t->conf($s3->settings('berth'), %conf);
		$t->start_pool;
		return if $name eq '';
		is(publish($name, '1.0.0')->{status}, 200, "$name: a publish");
		forget($name);
		ok(whole($name), "$name: and its bytes come back");
	};

	$use->('encrypted', store_endpoint => $url, store_ca_file => "$tls/ca.pem");
	$use->('', store_endpoint => $url, store_ca_file => undef);
	forget('encrypted');
	is(get('encrypted')->{status}, 503, 'a certificate of an authority that nobody knows is refused');
	# a busy machine may be too slow for the first attempt
	ok($t->wait_for(sub {
		get('encrypted');
		return $t->log('pool') =~ /: GET \S+ at https:\S+: SSL certificate problem/;
	}), 'and the log says so');
	if (!$s3->is_real) {
		my $asked = $s3->asked(qr{^PUT /crates/berth/});

		$use->('hosted', store_endpoint => $s3->host_url, store_path_style => 'off');
		cmp_ok($s3->asked(qr{^PUT /crates/berth/}), '>', $asked, 'hosted: the bucket is in the name of the host');
	}
	$use->('', store_ca_file => undef, store_path_style => undef);
};

subtest 'a new node' => sub {
	my @used = qw(first second third);
	my $metrics = sub { return $t->http(GET => '/-/metrics')->{body} };

	for my $n (0 .. $#used) {
		$t->psql("INSERT INTO download_days (crate_id, version_id, day, project_id, downloads, last_at)"
		    . " SELECT c.id, v.id, current_date, c.project_id, 10 - $n, now() FROM crates c JOIN versions v"
		    . " ON v.crate_id = c.id WHERE c.name = '$used[$n]' ON CONFLICT (crate_id, version_id, day)"
		    . " DO UPDATE SET downloads = excluded.downloads");
	}
	unlink(glob($t->store . '/??/??/*'));
	my $two = length(get('first')->{body}) + length(get('second')->{body});
	ok(kept('first') && kept('second'), 'copies of the first two');
	unlink(glob($t->store . '/??/??/*'));
	# half of it has room for two of them
	$t->conf(store_copies_size => 2 * ((1 << 20) + $two + 100));
	my $filler = $t->store . '/bb/bb/' . 'bb' x 32;
	mkdir($t->store . "/$_") for 'bb', 'bb/bb';
	Berth::Test::write_file($filler, 'x' x (1 << 20));
	my $blobs = qr{^GET /crates/berth/../};
	$t->start_worker;
	$fault->arm('copy:full', 'enospc');
	ok($t->run_tasks('warm_copies'), 'with a full disk');
	ok($fault->disarm && !-e copy_of('first') && !-e copy_of('second'), 'it takes no room from what is used');
	if (!$s3->is_real) {
		$s3->fail('GET', 'wrong', sha('first'));
		ok($t->wait_for(sub { $t->run_tasks('warm_copies') && -e copy_of('second') }),
		    'a damaged blob does not keep back what comes after it') or diag($t->log('worker'));
		$s3->fail('GET', undef);
		ok(!-e copy_of('first'), 'but is left out');
		unlink(map { copy_of($_) } @used);
	}
	my $before = $s3->asked($blobs);
	ok($t->wait_for(sub { $t->run_tasks('warm_copies') && -e copy_of('second') }),
	    'fetches the crates that are downloaded most') or diag($t->log('worker'));
	ok(-e copy_of('first'), 'begins with the first of them');
	ok(!-e copy_of('third'), 'leaves room for copies that clients ask for');
	ok($t->run_tasks('warm_copies'), 'runs a second time');
	is($s3->asked($blobs) - $before, 2, 'fetches no copy again') unless $s3->is_real;
	unlink($filler);
	$t->stop_worker;
	$t->conf(store_copies_size => undef);

	my $count = qr/^berth_store_request_duration_seconds_count\{operation="get"\} (\d+)$/m;
	my $gets = sub { return ($metrics->() =~ $count)[0] };
	my $n = $gets->();
	ok(whole('third'), 'a client asks for a crate without a copy');
	cmp_ok($gets->(), '>', $n, 'the metrics count a request to the store');
	$s3->stop;
	forget('third');
	is(get('third')->{status}, 503, 'with the store away');
	like($metrics->(), qr/^berth_store_request_errors_total\{operation="get"\} [1-9]/m, 'and errors');
	$s3->start;
	ok($t->wait_for(sub { get('third')->{status} == 200 }), 'and back');
};

subtest 'berth node list' => sub {
	my $other = Berth::Test->new(workers => 1, database => $t->dsn('berth'), node => 'web2',
	    $s3->settings('berth'), external_url => $t->url =~ s/localhost/registry.localhost/r);

	$t->http(GET => '/-/readiness');
	my $res = $other->http(GET => '/-/readiness');
	is($t->json($res)->{status}, 'failed', 'a node with another external_url is not ready');
	like($t->json($res)->{node_detail}, qr/^external_url of this node is \S+registry\.\S+, and most nodes/,
	    'and says why');
	my ($status, $said) = berth(qw(node list --json));
	is(scalar @$said, 2, 'two nodes');
	my ($mine, $web2) = sort { ($a->{node} eq 'web2') <=> ($b->{node} eq 'web2') } @$said;
	is($web2->{differs}, 'external_url', 'it differs in that');
	is($mine->{differs}, undef, 'the one that was there first does not');
	is($mine->{state}, 'live', 'it lives');
	like($mine->{keys}, qr/^\w\w:[0-9a-f]{12}/, 'with its keys');
	is($mine->{cache}, 'served', 'and its cache');
	$other->stop;
};

subtest 'secrets' => sub {
	my $logs = $t->log('pool') . $t->log('worker') . Berth::Cluster::slurp($t->dir . '/log/nginx-error.log');

	unlike($logs, qr/\Q@{[ Berth::S3::SECRET ]}\E|Signature=/, 'no log has one');
	$s3->stop;
	forget('first');
	my $res = get('first');
	unlike($res->{body}, qr/@{[ Berth::S3::ID ]}|127\.0\.0\.1/, 'nor does an answer');
};

done_testing();
