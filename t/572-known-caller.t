#!/usr/bin/perl

# A worker that knows a caller asks only whether what the facts rest on is still the same.  Whatever takes a
# right away is noticed by the next publish, and by one that is under way.

use strict;
use warnings;

use File::Path qw(make_path);
use Test::More;

use Berth::Cluster;
use Berth::Crate;
use Berth::FastCGI;
use Berth::RoundTrips;
use Berth::Test;

# One worker that writes: whom it knows is known.
my $t = Berth::Test->new(workers => 1, write_workers => 1, publish_burst => 0, new_crate_burst => 0,
    failed_login_burst => 0);
my $between = $t->dir . '/pg';
make_path($between);
my $trips = Berth::RoundTrips->start($between, Berth::Cluster->inherited->socket_dir);
my $id = $t->project('demo/priv');

$t->group('away');
$t->user($_) for qw(owner dev);
$t->member('owner', 'demo', 'owner');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');
my $token_id = $t->psql('SELECT max(id) FROM tokens');
my $row = "id = $token_id";
my $of_dev = "user_id = (SELECT id FROM users WHERE username = 'dev')";
$t->stop_pool;
$t->conf(database => "host=$between dbname=$t->{database} user=berth");
$t->start_pool;

my $n = 0;
sub publish { return $t->publish($id, $token, 'crate-' . ++$n, '1.0.0'); }

# The statements about the caller that one publish makes, in all its round trips.
sub asked {
	my ($times) = @_;

	$trips->take;
	is(publish()->{status}, 200, 'published') for 1 .. $times // 1;
	return join(' ', grep { /^access_/ } map { @$_ } $trips->take);
}

# a use of a token is written down once in a minute, which is a new version of its row
sub used { return $t->psql('UPDATE tokens SET last_used_at = now()'); }

used();
is(asked(), 'access_facts access_facts', 'a caller whom the worker does not know');
is(asked(), 'access_facts_grounds access_grounds_hold', 'a caller whom it knows');
is(asked(), 'access_grounds_hold access_grounds_hold', 'and of whom it knows what the facts rest on');

# A publish that waits for this table when something changes; for the audit log it waits once it has written
# its version.
sub under_way {
	my ($do, $table) = (@_, 'audit_events');
	my $mode = $table eq 'audit_events' ? 'SHARE' : 'ACCESS EXCLUSIVE';
	my @crate = ('crate-' . ++$n, '1.0.0');
	my $pid = open(my $in, '|-', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $t->dsn('postgres'))
	    // die "psql: $!\n";
	# databases of other tests have tables with the same number
	my $locks = "SELECT count(*) FROM pg_locks WHERE relation = '$table'::regclass"
	    . ' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND ';

	$in->autoflush(1);
	print {$in} "BEGIN; LOCK TABLE $table IN $mode MODE;\n";
	$t->wait_for(sub { $t->psql("$locks mode IN ('ShareLock', 'AccessExclusiveLock') AND granted") })
	    or die "no lock\n";
	my $c = Berth::FastCGI->connect($t->write_socket_path) or die "pool: $!\n";
	$c->send_bytes(Berth::FastCGI::request($t->registry($id) . '/api/v1/crates/new', REQUEST_METHOD => 'PUT',
	    REMOTE_ADDR => '127.0.0.1', HTTP_AUTHORIZATION => $token,
	    body => $t->publish_body(Berth::Crate::metadata(@crate), Berth::Crate::make(@crate))));
	ok($t->wait_for(sub { $t->psql("$locks NOT granted") }, 20), 'a publish waits');
	print {$in} "$do; COMMIT;\n";
	close($in) or die "psql: $?\n";
	return $c->answer;
}

# What changes, how it is undone, and the answers to the publish after it and to one that is under way.
my @changes = (
	['the token is revoked', "UPDATE tokens SET revoked_at = now() WHERE $row",
		"UPDATE tokens SET revoked_at = NULL WHERE $row", 401, 401],
	['the token has ended', "UPDATE tokens SET expires_at = now() WHERE $row",
		"UPDATE tokens SET expires_at = NULL WHERE $row", 401, 401],
	['the token may not publish', "UPDATE tokens SET operations = '{yank}' WHERE $row",
		"UPDATE tokens SET operations = NULL WHERE $row", 403, 403],
	['the token has another scope', "UPDATE tokens SET scopes = '{read_api}' WHERE $row",
		"UPDATE tokens SET scopes = '{api}' WHERE $row", 403, 403],
	['the user is blocked', "UPDATE users SET state = 'blocked' WHERE username = 'dev'",
		"UPDATE users SET state = 'active' WHERE username = 'dev'", 401, 401],
	['a lower role', "UPDATE members SET access_level = 20 WHERE $of_dev",
		"UPDATE members SET access_level = 30 WHERE $of_dev", 403, 403],
	['no member', "DELETE FROM members WHERE $of_dev", sub { $t->member('dev', 'demo', 'developer') }, 404, 404],
	['the membership has ended', "UPDATE members SET expires_at = now() WHERE $of_dev",
		"UPDATE members SET expires_at = NULL WHERE $of_dev", 404, 404],
	['the project has moved', "UPDATE projects SET group_id = (SELECT id FROM groups WHERE full_path = 'away'),"
	    . " full_path = 'away/priv' WHERE id = $id",
		"UPDATE projects SET group_id = (SELECT id FROM groups WHERE full_path = 'demo'),"
	    . " full_path = 'demo/priv' WHERE id = $id", 404, 404],
	['the group has moved', "UPDATE groups SET ancestor_ids = (SELECT ancestor_ids FROM groups"
	    . " WHERE full_path = 'away') WHERE full_path = 'demo'",
		"UPDATE groups SET ancestor_ids = ARRAY[id] WHERE full_path = 'demo'", 404, 404],
	['packages are off', "UPDATE projects SET packages_enabled = false WHERE id = $id",
		"UPDATE projects SET packages_enabled = true WHERE id = $id", 404, 404],
	['metadata that the project requires',
		"UPDATE projects SET policy = '{\"required_metadata\": \"repository\"}' WHERE id = $id",
		"UPDATE projects SET policy = '{}' WHERE id = $id", 400, 200],
	['writes are off', "INSERT INTO feature_flags (name, percentage) VALUES ('writes', 0)",
		"DELETE FROM feature_flags WHERE name = 'writes'", 503, 503],
);

for my $change (@changes) {
	my ($name, $do, $undo, $next, $under_way) = @$change;

	asked(3);
	$t->psql($do);
	is(publish()->{status}, $next, "$name: the next publish");
	ref $undo ? $undo->() : $t->psql($undo);
	asked(3);

	is(under_way($do)->{status}, $under_way, "$name: the publish under way");
	ref $undo ? $undo->() : $t->psql($undo);
}

# What ends by itself changes no row.
for my $case (['tokens', $row], ['members', $of_dev]) {
	my ($table, $where) = @$case;

	used();
	$t->psql("UPDATE $table SET expires_at = now() + interval '8 s' WHERE $where");
	asked(3);
	is(asked(), 'access_grounds_hold access_grounds_hold', "$table with an end: the worker knows the caller");
	$t->psql("SELECT pg_sleep(extract(epoch FROM expires_at - clock_timestamp())) FROM $table WHERE $where");
	is(publish()->{status}, $table eq 'tokens' ? 401 : 404, "$table: the end has come");
	$t->psql("UPDATE $table SET expires_at = NULL WHERE $where");
}

# Further rights start no epoch: a publish that is refused asks for the facts.
my $further = "INSERT INTO members (user_id, project_id, access_level, expires_at)"
    . " SELECT id, $id, %d, %s FROM users WHERE username = 'dev'";
my $no_further = "DELETE FROM members WHERE $of_dev AND project_id = $id";

sub publish_as {
	my ($name) = @_;

	return $t->publish($id, $token, $name, '1.0.' . ++$n)->{status};
}

$t->psql("UPDATE members SET access_level = 20 WHERE $of_dev");
is(publish()->{status}, 403, 'a reporter');
$t->psql(sprintf($further, 30, 'NULL'));
is(publish()->{status}, 200, 'a further membership is noticed at once');
$t->psql("$no_further; UPDATE members SET access_level = 30 WHERE $of_dev");

$t->berth_ok('protect', 'add', 'demo/priv', 'guarded', '--push', 'maintainer');
asked(3);
is(publish_as('guarded'), 403, 'a developer may not publish a protected crate');
asked(3);
is(asked(), 'access_grounds_hold access_grounds_hold', 'the worker knows the developer');
$t->psql(sprintf($further, 40, 'NULL'));
is(publish_as('guarded'), 200, 'who may as a maintainer at once');
$t->psql("$no_further; UPDATE members SET access_level = 20 WHERE $of_dev; DELETE FROM protection_rules;"
    . " INSERT INTO crate_owners (crate_id, user_id, project_id) SELECT c.id, u.id, c.project_id"
    . " FROM crates c, users u WHERE c.name = 'guarded' AND u.username = 'dev'");
is(publish_as('guarded'), 200, 'who has one crate publishes it') for 1 .. 3;
is(publish_as('other'), 403, 'and no other');
$t->psql(sprintf($further, 30, 'NULL'));
is(publish_as('other'), 200, 'but does at once as a developer');

# A worker keeps few callers, each in one of eight places: here two share a place.  The versions of their
# rows cannot tell them apart, since one transaction has written them.
my $place = "SELECT get_byte(digest, 0) % 8 FROM tokens WHERE";
my $narrow;
do {
	$narrow = $t->token('dev', scopes => 'read_api');
} until $t->psql("$place id = (SELECT max(id) FROM tokens)") == $t->psql("$place id = $token_id");
used();
asked(3);
is($t->publish($id, $narrow, 'by-another', '1.0.0')->{status}, 403, 'another token in its place');
my $other;
do { $other = $t->project('away/p' . ++$n) } until $other % 8 == $id % 8;
$t->psql('UPDATE projects SET public_packages = public_packages');
asked(3);
is($t->publish($other, $token, 'elsewhere', '1.0.0')->{status}, 404, 'another project in its place');
is($t->psql("SELECT count(*) FROM crates WHERE name IN ('by-another', 'elsewhere')"), 0, 'nothing is there');

# The facts and what they rest on are of one moment.  Here a membership has ended, and the publish that
# notices this waits for a lock while another membership begins, which ends as well.
$t->psql("$no_further; DELETE FROM crate_owners;"
    . " UPDATE members SET access_level = 30, expires_at = now() + interval '4 s' WHERE $of_dev");
is(publish()->{status}, 200, 'a membership that ends');
my $sleep = "SELECT pg_sleep(extract(epoch FROM max(expires_at) - clock_timestamp())) FROM members"
    . " WHERE $of_dev";
$t->psql($sleep);
is(under_way(sprintf($further, 30, "now() + interval '4 s'"), 'feature_flags')->{status}, 200,
    'the other membership lets it in');
$t->psql($sleep);
is(publish()->{status}, 404, 'until it ends');

done_testing();
$trips->stop;
