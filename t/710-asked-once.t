#!/usr/bin/perl

# cargo asks its web API once: what passes within its patience (a database that restarts or fails over,
# a rate limit that frees up, a pool that restarts) is waited for inside the request, and nothing is
# done twice.  Has a PostgreSQL cluster of its own, since it stops it.

use strict;
use warnings;

use File::Path qw(make_path);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Berth::Cluster;
use Berth::Test;

use constant {
	AWAY => 10, # the failover that a workspace must survive
	CRATES => 20,
};

my $cluster = Berth::Cluster->start;
my $t = Berth::Test->new(workers => 4, cache_dir => undef);
my $id = $t->project('demo/registry');
my $R = $t->registry($id);
$t->user($_) for qw(dev guy);
$t->member('dev', 'demo', 'maintainer');
my $token = $t->token('dev');
my $body = { dev => '{"users":["guy"]}' };
$t->start_pool;
is($t->publish($id, $token, 'first', '1.0.0')->{status}, 200, 'a publish');

sub call {
	my ($method, $path, @body) = @_;

	return $t->http($method => "$R/api/v1/crates/$path", { token => $token,
	    @body ? (body => @body, headers => ['Content-Type: application/json']) : () });
}

# Does this in a process of its own, after so many seconds.
sub beside {
	my ($seconds, $do) = @_;
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0) {
		sleep($seconds);
		my $ok = eval { $do->(); 1 };
		warn $@ if !$ok;
		POSIX::_exit($ok ? 0 : 1);
	}
	return $pid;
}

sub ended {
	my ($pid, $name) = @_;

	waitpid($pid, 0);
	is($?, 0, $name);
}

sub audited {
	my ($action) = @_;

	return $t->psql("SELECT count(*) FROM audit_events WHERE action = '$action'");
}

# ---- every write of cargo's web API waits for the database, and is done once ----

my @writes = (
	['publish', 'crate.publish', sub { $t->publish($id, $token, 'second', '1.0.0') }],
	['yank', 'crate.yank', sub { call(DELETE => 'first/1.0.0/yank') }],
	['unyank', 'crate.unyank', sub { call(PUT => 'first/1.0.0/unyank') }],
	['owner add', 'owner.add', sub { call(PUT => 'first/owners', $body->{dev}) }],
	['owner remove', 'owner.remove', sub { call(DELETE => 'first/owners', $body->{dev}) }],
);

for my $case (@writes) {
	my ($name, $action, $do) = @$case;
	my $before = audited($action);

	$cluster->halt('fast');
	my $back = beside(1, sub { $cluster->resume });
	my $started = time;
	my $res = $do->();
	is($res->{status}, 200, "$name, the database is away: done") or diag($res->{body});
	cmp_ok(time - $started, '>', 0.5, "$name: it waited");
	ended($back, "$name: the database is back");
	is(audited($action) - $before, 1, "$name: once");
}

# ---- no wait: for a client that has gone, in a read, in a pool that stops ----

# Of each yank in the pool's log its status, and how long it took in ms.
sub yanks {
	return map { [$_ =~ / status=(\d+) ms=([\d.]+) /] } grep { / route=yank / } split(/\n/, $t->log('pool'));
}

$cluster->halt('fast');
{
	my $started = time;
	is($t->http(GET => "$R/fi/rs/first", { token => $token })->{status}, 503, 'a read says so at once');
	cmp_ok(time - $started, '<', 2, 'and quickly');
}
{
	my $before = yanks();

	$t->http(DELETE => "$R/api/v1/crates/first/1.0.0/yank",
	    { token => $token, may_fail => 1, curl => ['--max-time', 4] });
	ok($t->wait_for(sub { yanks() > $before }, 15), 'a client goes: its request ends');
	my ($status, $ms) = @{ (yanks())[-1] };
	is($status, 503, 'without having happened');
	cmp_ok($ms, '<', 12_000, 'long before its time');
}
$t->conf(drain_timeout => 4);
{
	my $before = yanks();

	# the pool reads its configuration without the database
	kill('HUP', $t->pool_pid) or die "HUP: $!\n";
	ok($t->wait_for(sub { $t->log('pool') =~ /reloaded: generation 2/ }), 'a shorter drain_timeout');
	# the workers before may take one more request on their way out, and have the longer one
	ok($t->wait_for(sub { $t->http(GET => '/-/metrics')->{body}
	    =~ /^berth_workers\{kind="write",state="draining"\} 0$/m }), 'they have ended');
	my $waits = beside(0, sub { $t->http(DELETE => "$R/api/v1/crates/first/1.0.0/yank",
	    { token => $token })->{status} == 503 or die "not 503\n" });
	ok($t->wait_for(sub { $t->http(GET => '/-/metrics')->{body}
	    =~ /^berth_workers\{kind="write",state="busy"\} 1$/m }), 'a worker has it');
	$t->stop_pool;
	ended($waits, 'a pool that stops answers the request that waits');
	my ($status, $ms) = @{ (yanks())[-1] };
	is($status, 503, 'in time for the drain');
	unlike($t->log('pool'), qr/ killed: /, 'so that no worker is killed');
	is(scalar(yanks()), $before + 1, 'one request');
}
$t->conf(drain_timeout => 10);
$cluster->resume;
$t->start_pool;

# ---- a limit that frees up soon ----

$t->conf(yank_burst => 1, yank_per_minute => 30);
$t->stop_pool;
$t->start_pool;
{
	my $started = time;
	my @status = map { call(DELETE => 'first/1.0.0/yank')->{status} } 1 .. 2;
	is_deeply(\@status, [200, 200], 'a limit that frees up in two seconds: waited for');
	cmp_ok(time - $started, '>', 1, 'the second one waited');
}
# one for each caller, and half of the workers that write
$t->conf(yank_burst => 1, yank_per_minute => 12, write_workers => 4);
$t->stop_pool;
$t->start_pool;
{
	my @callers = map {
		my $name = "caller$_";

		$t->user($name);
		$t->member($name, 'demo', 'maintainer');
		$t->token($name);
	} 1 .. 4;
	my $yank = sub {
		my $started = time;
		my $res = $t->http(DELETE => "$R/api/v1/crates/first/1.0.0/yank", { token => $callers[$_[0]] });

		return [$res->{status}, time - $started];
	};

	is($yank->($_)->[0], 200, 'one that is free') for 0 .. 2;
	my @all = $t->parallel(3, $yank);
	is(join(' ', sort map { $_->[0] } @all), '200 200 429', 'three callers: two may wait');
	is($yank->(3)->[0], 200, 'one that is free');
	my @twice = $t->parallel(2, sub { $yank->(3) });
	is(join(' ', sort map { $_->[0] } @twice), '200 429', 'one caller twice at once: the second one is refused');
	cmp_ok((grep { $_->[0] == 429 } @twice)[0][1], '<', 2, 'at once');
}
$t->conf(yank_burst => undef, yank_per_minute => 1, write_workers => undef);
$t->stop_pool;
$t->start_pool;

# ---- the real cargo ----

SKIP: {
	my $missing = Berth::Test::cargo_missing();
	skip $missing, 1 if $missing;
	my ($major, $minor) = `cargo --version` =~ /(\d+)\.(\d+)/;
	skip "cargo $major.$minor publishes no workspace", 1 if $minor < 90;

	$t->conf(publish_burst => 1000, new_crate_burst => 1000, yank_per_minute => undef);
	$t->stop_pool;
	$t->start_pool;
	$t->cargo_setup(berth => { id => $id, token => $token });
	my $config = "$t->{dir}/cargo-home/config.toml";
	my $text = Berth::Cluster::slurp($config);
	# as cargo comes
	$text =~ s/retry = 0/retry = 3/;
	open(my $fh, '>', $config) or die "$config: $!\n";
	print {$fh} $text;
	close($fh);

	my $dir = "$t->{dir}/workspace";
	my @names = map { sprintf('member-%02d', $_) } 1 .. CRATES;
	for my $n (0 .. $#names) {
		make_path("$dir/$names[$n]/src");
		put("$dir/$names[$n]/src/lib.rs", '');
		put("$dir/$names[$n]/Cargo.toml", "[package]\nname = \"$names[$n]\"\nversion = \"1.0.0\"\n"
		    . "edition = \"2021\"\ndescription = \"made for a test\"\nlicense = \"MIT\"\n[dependencies]\n"
		    . ($n >= 5 ? "$names[$n - 5] = { path = \"../$names[$n - 5]\", version = \"1\","
		    . " registry = \"berth\" }\n" : ''));
	}
	put("$dir/Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"member-*\"]\n");
	activate();
	# each after so many versions are there
	my $trouble = beside(0, sub {
		for my $case (
			[2, sub { $cluster->restart('fast') }],
			[7, sub { $cluster->halt('immediate'); sleep(AWAY); $cluster->resume }],
			[11, sub { kill('HUP', $t->{pool}) or die "HUP: $!\n" }],
			[16, sub { kill('USR2', $t->{pool}) or die "USR2: $!\n" }],
		) {
			my ($after, $do) = @$case;

			$t->wait_for(sub { eval { $t->psql("SELECT count(*) FROM versions"
			    . " WHERE published_at > now() - interval '1 hour'") } // 0 >= $after }, 120);
			$do->();
		}
	});
	my ($status, $out, $err) = $t->cargo('publish', '--workspace', '--no-verify', '--allow-dirty', '--registry',
	    'berth', dir => $dir);
	is($status, 0, 'a workspace is published through a restart, a failover, a reload and a restart of the pool')
	    or diag($err);
	ended($trouble, 'all of it happened meanwhile');
	is($t->psql("SELECT count(*) FROM versions v JOIN crates c ON c.id = v.crate_id"
	    . " WHERE c.name LIKE 'member-%'"), CRATES, 'all crates, once');
}
is(scalar(() = $t->log('pool') =~ / status=500 /g), 0, 'no internal error');

# From now on the pool is started as systemd starts it: somebody else has its sockets, whose backlog waits
# while it restarts, at SIGUSR2.
sub activate {
	my $dir = $t->dir . '/activated';
	my $pool = $t->build . '/berth-fcgi';

	make_path($dir);
	$t->stop_pool;
	put("$dir/berth-fcgi", <<"END" . <<'END');
#!/usr/bin/perl
our (\$pool, \@paths) = ('$pool', '@{[$t->socket_path]}', '@{[$t->socket_path =~ s/\.sock$/-write.sock/r]}');
END
use strict; use warnings; use IO::Socket::UNIX; use POSIX ();
our ($pool, @paths); my ($child, $over);
$^F = 100;
unlink(@paths);
my @sockets = map { IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $_, Listen => 128)
    // die "$_: $!\n" } @paths;
sub start {
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	POSIX::dup2(fileno($sockets[$_]), 20 + $_) for 0, 1;
	POSIX::dup2(20 + $_, 3 + $_) for 0, 1;
	@ENV{qw(LISTEN_PID LISTEN_FDS LISTEN_FDNAMES)} = ($$, 2, 'berth-fcgi.socket:write');
	exec($pool, @ARGV) or die "$pool: $!\n";
}
$SIG{HUP} = sub { kill(HUP => $child) };
$SIG{USR2} = sub { kill(TERM => $child) };
$SIG{TERM} = sub { $over = 1; kill(TERM => $child) };
until ($over) {
	$child = start();
	1 until waitpid($child, 0) == $child;
}
exit($? >> 8);
END
	chmod(0755, "$dir/berth-fcgi") or die "$dir: $!\n";
	$t->{pool_build} = $dir;
	$t->start_pool;
	return;
}

sub put {
	my ($path, $text) = @_;

	open(my $fh, '>', $path) or die "$path: $!\n";
	print {$fh} $text;
	close($fh) or die "$path: $!\n";
}

done_testing();
