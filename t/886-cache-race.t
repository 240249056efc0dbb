#!/usr/bin/perl

# A hint that waits while what it speaks of is taken away: at each step from the hint to the file the
# keeper stands still until the change is committed.  Once the change is answered nobody is sent anything
# that it has taken away, and no grant stays.

use strict;
use warnings;

use POSIX ();
use Test::More;

use Berth::Cache;
use Berth::Cluster;
use Berth::Fault;
use Berth::Publish;
use Berth::Test;
use Berth::Watch;

use constant { LEASE => 3, SLOW => 12, AFTER => 5 };

my $t = Berth::Test->new(workers => 2, cache_lease => LEASE, failed_login_burst => 0);
# whose keeper comes to no fault point
my $elsewhere = Berth::Test->new(workers => 2, cache_lease => LEASE, failed_login_burst => 0,
	database => $t->dsn('berth'),
	store => $t->store);
my @ports = (undef, Berth::Cache::start($elsewhere));
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;

my ($id, $public) = ($t->project('demo/private'), $t->project('demo/public', 'public'));
my %id = map { $_ => $t->user($_) } qw(dev mate guest);
$t->member('mate', 'demo', 'maintainer');
my %token = map { $_ => $t->token($_) } qw(dev mate guest);
my $port = $ports[0] = Berth::Cache::start($t);
my ($R, $P) = map { $t->registry($_) } $id, $public;
my $index = 'on/e_/one_crate';
is($t->publish($_, $token{mate}, 'one_crate', '1.0.0')->{status}, 200, 'there is a crate') for $id, $public;

sub get { return Berth::Cache::get($port, $_[0], defined $_[1] ? (Authorization => $_[1]) : ()); }
sub is_static { return Berth::Cache::is_static($t, $_[0]); }
sub handle { return Berth::Test::token_handle($_[0]); }
sub grants { return grep { m{/\Q$_[0]\E/\Q$_[1]\E$} && -l } glob($t->dir . '/cache/grant/*/*/*'); }

# What of a project nginx could send is gone, as if nobody had asked for it.
sub forget { unlink(glob($t->dir . "/cache/project/$_[0]/index/on/e_/*")); return; }

# The keeper is at its work again: what was asked for before has been done.
sub caught_up {
	return defined Berth::Cache::wait_static($t, $port, "$R/$index", Authorization => $token{mate});
}

# Each: what it is, who reads where, the change, whether the database has it, what is answered then (200: by
# the pool), and the way back.
my %fresh = map { $_ => sub { [$t->token('dev'), $id] } } qw(revoked rotated);
my $same = sub { [$token{dev}, $id] };
my @changes = (
	['a token that is revoked', $fresh{revoked},
		sub { ($t->berth({ stdin => "$_[0]\n" }, 'token', 'revoke'))[0] == 0 },
		sub { "SELECT revoked_at IS NOT NULL FROM tokens WHERE handle = '" . handle($_[0]) . q(') }, 401],
	['a token that is rotated', $fresh{rotated},
		sub { $t->http(POST => '/api/v4/personal_access_tokens/self/rotate',
		    { headers => ["PRIVATE-TOKEN: $_[0]"] })->{status} == 200 },
		sub { "SELECT revoked_at IS NOT NULL FROM tokens WHERE handle = '" . handle($_[0]) . q(') }, 401],
	['a user who is blocked', $same, sub { ($t->berth('user', 'block', 'dev'))[0] == 0 },
		sub { "SELECT state = 'blocked' FROM users WHERE id = $id{dev}" }, 401,
		sub { $t->berth_ok('user', 'unblock', 'dev') }],
	['a membership that is lost', $same, sub { ($t->berth('member', 'set', 'dev', 'demo', 'none'))[0] == 0 },
		sub { "SELECT count(*) = 0 FROM members WHERE user_id = $id{dev}" }, 404,
		sub { $t->member('dev', 'demo', 'maintainer') }],
	['a slot that is retired', $same, sub { ($t->berth('key', 'retire', '00'))[0] == 0 },
		sub { "SELECT retired_at IS NOT NULL FROM token_slots WHERE slot = '00'" }, 200,
		# as nobody can but a test: a slot that is retired stays so
		sub { $t->psql("UPDATE token_slots SET retired_at = NULL WHERE slot = '00'") }],
	['a project that is made private', sub { [undef, $public] },
		sub { ($t->berth('project', 'set', 'demo/public', 'visibility=private'))[0] == 0 },
		sub { "SELECT visibility = 'private' FROM projects WHERE id = $public" }, 401,
		sub { $t->berth_ok('project', 'set', 'demo/public', 'visibility=public') }],
);
$t->member('dev', 'demo', 'maintainer');

# Until the change is committed, the keeper waits at the point; then it goes on, and the change is answered.
sub race {
	my ($point, $change) = @_;
	my ($name, $reader, $do, $done, $status, $back) = @$change;
	my ($token, $project) = @{ $reader->() };
	my $path = $t->registry($project) . "/$index";
	my $who = defined $token ? handle($token) : 'anyone';

	forget($project);
	$fault->arm($point, 'wait');
	is(get($path, $token)->{status}, 200, 'it is read');
	ok($t->wait_for(sub { -e $t->dir . '/fault.taken' }), 'the keeper stands still') or return;
	my $pid = fork // die "fork: $!\n";
	POSIX::_exit($do->($token) ? 0 : 1) if $pid == 0;
	ok($t->wait_for(sub { $t->psql($done->($token)) eq 't' }), 'the change is committed');
	ok($fault->disarm, 'and the keeper goes on');
	waitpid($pid, 0);
	is($?, 0, 'the change is answered');
	is(scalar(grants($who, $project)), 0, 'no grant is left');
	my @after = map { get($path, $token) } 1 .. AFTER;
	is(join(' ', map { $_->{status} } @after), join(' ', ($status) x AFTER), "each read: $status");
	is(scalar(grep { is_static($_) } @after), 0, 'none from a file') if $status == 200;
	is(scalar(grants($who, $project)), 0, 'and none comes');
	$back->() if defined $back;
	return;
}

my @passed = $fault->trace('cache:placed', sub { get("$R/$index", $token{dev}) });
my @points = grep { /^cache|cache_(?:decide|index)/ } @passed;
is(join(' ', @points),
    join(' ', qw(cache:hinted send:cache_decide sent:cache_decide answered:cache_decide cache:decided
    cache:entered cache:grant cache:granted send:cache_index sent:cache_index answered:cache_index cache:read
    cache:write cache:written cache:placed)), 'these are the steps from a hint to a file');

# Where the decision becomes a grant every change is made; elsewhere each in its turn.
my $turn = 0;
for my $point (@points) {
	my @made = $point =~ /^cache:(?:hinted|decided|granted)$/ ? @changes : $changes[$turn++ % @changes];

	for my $change (@made) {
		subtest "$change->[0]: $point" => sub { race($point, $change) };
	}
}

# The mark that a crate does not exist goes with the crate's first publish, wherever the keeper stands.
for my $point (grep { /cache_index|^cache:(?:read|written|placed)$/ } @points) {
	subtest "a crate that comes: $point" => sub {
		my $name = 'come_' . $point =~ tr/a-z//cdr;
		my $file = Berth::Publish::index_path($name);
		my $mark = $t->dir . "/cache/project/$id/index/$file.absent";

		ok(caught_up(), 'the keeper has done everything');
		$fault->arm($point, 'wait');
		is(get("$R/$file", $token{mate})->{status}, 404, 'it is not there');
		ok($t->wait_for(sub { -e $t->dir . '/fault.taken' }), 'the keeper stands still') or return;
		my $pid = fork // die "fork: $!\n";
		POSIX::_exit($t->publish($id, $token{mate}, $name, '1.0.0')->{status} == 200 ? 0 : 1) if $pid == 0;
		ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM crates WHERE name = '$name'"
		    . " AND index_body IS NOT NULL") == 1 }), 'the publish is committed');
		ok($fault->disarm, 'and the keeper goes on');
		waitpid($pid, 0);
		is($?, 0, 'it is answered');
		is(join(' ', map { get("$R/$file", $token{mate})->{status} } 1 .. AFTER), join(' ', (200) x AFTER),
		    'it is there');
		ok(!-e $mark, 'no mark is left');
	};
}

# All that is decided is of one moment: with a membership its end is known.
subtest 'a membership that comes while the keeper asks' => sub {
	my $keeper = Berth::Cache::keeper($t);

	$t->member('guest', 'demo', 'maintainer');
	ok(caught_up(), 'the keeper has done everything');
	kill('STOP', $keeper);
	is(get("$R/$index", $token{guest})->{status}, 200, 'a hint waits');
	# which waits for no keeper
	$t->psql("DELETE FROM members WHERE user_id = $id{guest}");
	# Flags are what only the decision asks for: whoever asks for ends alone is not held up by this lock.  The
	# membership comes once the keeper waits for it, and ends within its lease.
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		$t->psql(<<"SQL");
BEGIN;
LOCK TABLE feature_flags IN ACCESS EXCLUSIVE MODE;
DO \$\$
BEGIN
	WHILE NOT EXISTS (SELECT FROM pg_locks WHERE relation = 'feature_flags'::regclass AND NOT granted) LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
END
\$\$;
INSERT INTO members (user_id, project_id, access_level, expires_at)
VALUES ($id{guest}, $id, 40, clock_timestamp() + interval '${\ (LEASE - 1)} s');
COMMIT;
SQL
		POSIX::_exit(0);
	}
	ok($t->wait_for(sub {
		$t->psql("SELECT count(*) FROM pg_locks WHERE relation = 'feature_flags'::regclass"
		    . " AND mode = 'AccessExclusiveLock'") > 0;
	}), 'a lock');
	kill('CONT', $keeper);
	waitpid($pid, 0);
	is($?, 0, 'a membership comes, which will end');
	ok(caught_up(), 'the keeper has decided');
	is(scalar(grants(handle($token{guest}), $id)), 0, 'it has granted nothing that ends within its lease');
	ok($t->wait_for(sub { get("$R/$index", $token{guest})->{status} == 404 }, SLOW),
	    'once it has ended nobody is served');
};

# Longer than its lease: whoever has changed something is answered meanwhile, and what the keeper does then
# comes too late to be seen.
subtest 'a change that is answered while keepers stand still' => sub {
	my $mine = $t->token('dev');
	my $keeper = Berth::Cache::keeper($elsewhere);

	ok(caught_up(), 'the keeper has done everything');
	ok(defined Berth::Cache::wait_static($elsewhere, $ports[1], "$R/$index", Authorization => $token{mate}),
	    'the other as well');
	kill('STOP', $keeper);
	$fault->arm('cache:decided', 'wait');
	is(Berth::Cache::get($_, "$R/$index", Authorization => $mine)->{status}, 200, 'a hint') for @ports;
	ok($t->wait_for(sub { -e $t->dir . '/fault.taken' }), 'one waits in the keeper, one before it');
	my $began = Berth::Watch::now();
	$t->berth_ok({ stdin => "$mine\n" }, 'token', 'revoke');
	cmp_ok(Berth::Watch::now() - $began, '<', LEASE + SLOW, 'revoked, once the leases have ended');
	is(Berth::Cache::get($_, "$R/$index", Authorization => $mine)->{status}, 401, 'nobody is served') for @ports;
	$fault->disarm;
	kill('CONT', $keeper);
	for my $n (0 .. 2 * AFTER) {
		is(Berth::Cache::get($_, "$R/$index", Authorization => $mine)->{status}, 401, 'nor later') for @ports;
	}
	ok(caught_up(), 'the keeper goes on');
	ok(defined Berth::Cache::wait_static($elsewhere, $ports[1], "$R/$index", Authorization => $token{mate}),
	    'the other, too');
	is(scalar(grants(handle($mine), $id)), 0, 'no grant is left');
	is(scalar(grep { -l } glob($elsewhere->dir . "/cache/grant/*/" . handle($mine) . '/*')), 0, 'nor there');
};

done_testing();
