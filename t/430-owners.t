#!/usr/bin/perl

# Owners of a crate: who they are, who makes and unmakes them, what they may do, and that it holds
# at once, also against a publish that is under way.  Over HTTP, by the real cargo, by berth(1).

use strict;
use warnings;

use Test::More;

use Berth::Test;

my $t = Berth::Test->new(workers => 4, publish_burst => 0, new_crate_burst => 0, yank_burst => 0,
    failed_login_burst => 0);
my $id = $t->project('demo/priv');
my $public = $t->project('demo/pub', 'public');

$t->user($_) for qw(stranger guest reporter developer bob carol blocked lapsed);
$t->user($_, email => "$_\@example.com") for qw(maintainer owner);
$t->user('admin', admin => 1);
$t->member($_, 'demo', $_) for qw(guest reporter developer owner);
$t->member('maintainer', 'demo/priv', 'maintainer');
$t->member('blocked', 'demo', 'owner');
$t->berth_ok(qw(member set lapsed demo owner --expires 2020-01-01));
my %token = map { $_ => $t->token($_) }
    qw(stranger guest reporter developer maintainer owner admin bob carol blocked);
$t->berth_ok(qw(user block blocked));
for my $name (qw(Foo_Lib other)) {
	is($t->publish($id, $token{developer}, $name, '1.0.0')->{status}, 200, "$name is there");
}
is($t->publish($public, $token{developer}, 'open', '1.0.0')->{status}, 200, 'and one that is public');

sub path {
	my ($crate, $project) = @_;

	return $t->registry($project // $id) . "/api/v1/crates/$crate/owners";
}

sub ask {
	my ($method, $who, $crate, $users, %opt) = @_;
	my $body = !defined $users ? undef : ref $users ? JSON::PP->new->encode({ $opt{key} // 'users' => $users })
	    : $users;

	return $t->http($method => path($crate, $opt{project}), { token => $token{$who} // $who, body => $body,
		defined $body ? (headers => { 'Content-Type' => 'application/json' }) : () });
}

sub detail { return eval { $t->json($_[0])->{errors}[0]{detail} } // "no error: $_[0]{body}"; }

sub logins {
	return join(' ', map { $_->{login} } @{ $t->json(ask(GET => $_[0], $_[1] // 'foo-lib'))->{users} });
}

sub is_error {
	my ($res, $status, $detail, $name) = @_;

	is($res->{status}, $status, "$name: status") or diag($res->{body});
	like(detail($res), $detail, "$name: why");
}

sub audit { return $t->psql("SELECT count(*) FROM audit_events WHERE action = 'owner.$_[0]'"); }

# ---- who they are ----

my $list = $t->json(ask(GET => 'reporter', 'foo-lib'));
is_deeply([map { $_->{login} } @{ $list->{users} }], [qw(owner maintainer)],
    'by role, here or above: no developer, nobody who is blocked or whose time is over');
is_deeply([sort keys %{ $list->{users}[0] }], [qw(id kind login name)], 'what is said of one');
is_deeply([map { $_->{email} } @{ $t->json(ask(GET => 'maintainer', 'foo-lib'))->{users} }],
    ['owner@example.com', 'maintainer@example.com'], 'maintainers see e-mail addresses, too');
is_deeply([map { $_->{email} }
    @{ $t->json(ask(GET => 'stranger', 'open', undef, project => $public))->{users} }], [undef],
    'others do not: the whole of it is in t/911-people.t');
is(ask(GET => $_, 'Foo_LIB')->{status}, 200, "$_ may ask, in any spelling")
    for qw(reporter developer owner admin);
is_error(ask(GET => 'guest', 'foo-lib'), 403, qr/reporter role/, 'a guest');
is_error(ask(GET => 'stranger', 'foo-lib'), 404, qr/^Project Not Found$/, 'a stranger');
is_error(ask(GET => 'stranger', 'none'), 404, qr/^Project Not Found$/, 'a stranger and no crate: the same');
is_error(ask(GET => 'owner', 'none'), 404, qr/^crate `none` does not exist$/, 'no such crate');
is_error(ask(GET => 'owner', 'no%20ne'), 404, qr/^crate `no ne` does not exist$/, 'no name of a crate');
is($t->http(GET => path('open', $public))->{status}, 401, 'nobody may ask without a token, and be it public');

# ---- who changes them ----

is_error(ask(PUT => $_, 'foo-lib', ['bob']), 403, qr/maintainer role/, "$_ may not")
    for qw(reporter developer);
is_error(ask(PUT => 'stranger', 'foo-lib', ['bob']), 404, qr/Project Not Found/, 'a stranger may not');
is_error(ask(PUT => $t->token('owner', scopes => 'read_api'), 'foo-lib', ['bob']), 403, qr/scope `api`/,
    'a right to read is none to write');
is_error(ask(PUT => $t->job_token('demo/priv', 'owner'), 'foo-lib', ['bob']), 403, qr/needs a user's token/,
    'a job may not');
is_error(ask(PUT => $t->deploy_token('demo/priv', 'write'), 'foo-lib', ['bob']), 403,
    qr/needs a user's token/, 'a deploy token may not');
for my $operation (qw(publish-new publish-update yank)) {
	is_error(ask(PUT => $t->token('owner', operations => $operation), 'foo-lib', ['bob']), 403,
	    qr/required permissions/, "with $operation");
}
is_error(ask(PUT => $t->token('owner', operations => 'owners', crates => 'other'), $_, ['bob']), 403,
    qr/required permissions/, "a token of another crate, named as $_") for qw(Foo_Lib foo-lib);
is(logins('owner'), 'owner maintainer', 'nothing has changed');
is(audit('add'), 0, 'nor is it in the audit log');

is_error(ask(PUT => 'owner', 'foo-lib', []), 400, qr/name at least one user/, 'nobody is named');
is_error(ask(PUT => 'owner', 'foo-lib', '{}'), 400, qr/name at least one user/, 'nor in nothing');
is_error(ask(PUT => 'owner', 'foo-lib', '{"users":"bob'), 400, qr/request body/, 'no JSON');
is_error(ask(PUT => 'owner', 'foo-lib', '{"users":[{}]}'), 400, qr/users is invalid/, 'no names');
is_error(ask(PUT => 'owner', 'foo-lib', [map { "user$_" } 1 .. 11]), 400, qr/at most 10/, 'eleven');
is_error(ask(PUT => 'owner', 'foo-lib', ['bob', 'BOB']), 400, qr/`BOB` is named twice/, 'one twice');
is_error(ask(PUT => 'owner', 'foo-lib', ['github:org:team']), 400, qr{`github:org:team` is a team},
    'a team');
is_error(ask(PUT => 'owner', 'foo-lib', ["b\\u0000"]), 400, qr/./, 'a NUL');
is_error(ask(PUT => 'owner', 'foo-lib', ['blocked']), 400, qr/`blocked` is blocked/, 'one who is blocked');
is_error(ask(PUT => 'owner', 'foo-lib', ['bob', 'nobody']), 404, qr/^user `nobody` does not exist$/,
    'one of two is not there');
is_error(ask(PUT => 'owner', 'none', ['bob']), 404, qr/^crate `none` does not exist$/, 'no crate');
is(logins('owner'), 'owner maintainer', 'all or nothing');
is(audit('add'), 0, 'and no audit row');

my $res = ask(PUT => $t->token('maintainer', operations => 'owners', crates => 'foo*'), 'foo-LIB', ['Bob']);
is($res->{status}, 200, 'a maintainer gives the crate to somebody') or diag($res->{body});
is_deeply($t->json($res), { ok => JSON::PP::true, msg => 'user `bob` is now an owner of crate `Foo_Lib`' },
    'and is told so');
is(logins('maintainer'), 'owner maintainer bob', 'who is an owner now');
is(logins('maintainer', 'other'), 'owner maintainer', 'of this crate alone');
is($t->json(ask(PUT => 'owner', 'foo-lib', ['bob']))->{msg},
    'user `bob` is already an owner of crate `Foo_Lib`', 'once more is once');
is($t->json(ask(PUT => 'owner', 'foo-lib', ['maintainer'], key => 'owners'))->{msg},
    'user `maintainer` is already an owner of crate `Foo_Lib`', 'by role as well; `owners` for `users`');
is($t->psql('SELECT count(*) FROM crate_owners'), 1, 'which is not written down');
is(audit('add'), 1, 'one audit row for one change');
is($t->psql("SELECT e.crate, u.username, e.detail ->> 'user' FROM audit_events e"
    . " JOIN users u ON u.id = e.user_id"
    . " WHERE action = 'owner.add'"), 'Foo_Lib|maintainer|bob', 'who, whom, what');

# ---- what an owner may do ----

my $versions = 0;

sub publish { return $t->publish($id, $token{ $_[0] } // $_[0], $_[1], '2.' . ++$versions . '.0'); }

sub yank {
	return $t->http(($_[2] // 'DELETE') => $t->registry($id) . "/api/v1/crates/$_[1]/1.0.0/"
	    . ($_[2] ? 'unyank' : 'yank'), { token => $token{ $_[0] } // $_[0] });
}

is($t->http(GET => $t->registry($id) . '/config.json', { token => $token{bob} })->{status}, 200,
    'bob, a stranger before, reads');
is($t->http(GET => $t->registry($id) . '/ot/he/other', { token => $token{bob} })->{status}, 200,
    'all of the project') for 1 .. 16;
is(publish('bob', 'Foo_Lib')->{status}, 200, 'publishes');
is(yank('bob', 'foo-lib')->{status}, 200, 'yanks');
is(yank('bob', 'foo-lib', 'PUT')->{status}, 200, 'unyanks');
is_error(publish('bob', 'other'), 403, qr/ownership of the crate/, 'another crate');
is_error(yank('bob', 'other'), 403, qr/ownership of the crate/, 'to yank another');
is_error(publish('bob', 'brand-new'), 403, qr/ownership of the crate/, 'a new crate');
is_error(ask(PUT => 'bob', 'foo-lib', ['carol']), 403, qr/maintainer role/, 'and makes no owners');
is_error(publish($t->token('bob', crates => 'other'), 'Foo_Lib'), 403, qr/required permissions/,
    'a limited token stays limited');
is(publish($t->job_token('demo/priv', 'bob'), 'Foo_Lib')->{status}, 200, 'a job of his publishes it');
is_error(publish($t->job_token('demo/priv', 'bob'), 'other'), 403, qr/ownership of the crate/,
    'and no other');
is($t->psql("SELECT count(*) FROM crates WHERE normalized_name = 'brand-new'"), 0,
    'what was refused has left nothing');
$t->berth_ok(qw(protect add demo/priv foo-lib --push maintainer));
is_error(publish('bob', 'Foo_Lib'), 403, qr/^package protected/, 'a rule counts more than the gift');
$t->berth_ok('protect', 'remove', 'demo/priv', $t->psql('SELECT id FROM protection_rules'));
for my $who (qw(guest reporter)) {
	is(ask(PUT => 'owner', 'foo-lib', [$who])->{status}, 200, "$who is given the crate");
	is(publish($who, 'Foo_Lib')->{status}, 200, "$who publishes it");
	is_error(publish($who, 'other'), 403, qr/ownership of the crate/, "$who: no other");
}

# ---- taking away ----

is_error(ask(DELETE => 'owner', 'foo-lib', ['maintainer']), 400, qr/by their role in the project/,
    'by role: not here');
is_error(ask(DELETE => 'owner', 'foo-lib', ['carol']), 400,
    qr/^user `carol` is not an owner of crate `Foo_Lib`$/, 'no owner');
is_error(ask(DELETE => 'owner', 'foo-lib', ['bob', 'carol']), 400, qr/carol/, 'one of two');
is_error(ask(DELETE => 'bob', 'foo-lib', ['guest']), 403, qr/maintainer role/, 'an owner takes from nobody');
is(logins('owner'), 'owner maintainer bob guest reporter', 'all or nothing');
is($t->json(ask(DELETE => 'maintainer', 'foo-lib', ['bob', 'guest', 'reporter']))->{msg},
    'user `bob` is no longer an owner of crate `Foo_Lib`,'
    . ' user `guest` is no longer an owner of crate `Foo_Lib`,'
    . ' user `reporter` is no longer an owner of crate `Foo_Lib`', 'three at once');
is(audit('remove'), 3, 'each in the audit log');
is($t->http(GET => $t->registry($id) . '/ot/he/other', { token => $token{bob} })->{status}, 404,
    'bob, whom workers knew, reads no more') for 1 .. 8;
is_error(publish('bob', 'Foo_Lib'), 404, qr/Project Not Found/, 'from the next request on, on every worker')
    for 1 .. 8;
is_error(publish('reporter', 'Foo_Lib'), 403, qr/developer role/, 'who has another role keeps that');
is_error(ask(DELETE => 'maintainer', 'foo-lib', ['bob']), 400, qr/not an owner/,
    'once more is an error that tells of a slip');

# ---- the last one ----

my $lone = $t->project('lone/one');
is($t->publish($lone, $token{admin}, 'orphan', '1.0.0')->{status}, 200, 'a crate without an owner');
is(logins_in($lone, 'orphan'), '', 'has none');
is(ask(PUT => 'admin', 'orphan', ['bob', 'carol'], project => $lone)->{status}, 200, 'is given to two');
is(ask(DELETE => 'admin', 'orphan', ['bob'], project => $lone)->{status}, 200, 'taken from one');
is_error(ask(DELETE => 'admin', 'orphan', ['carol'], project => $lone), 400,
    qr/cannot remove the last owner of crate `orphan`/, 'but not from the last');
is(logins_in($lone, 'orphan'), 'carol', 'who stays');
$t->member('owner', 'lone', 'owner');
is(ask(DELETE => 'admin', 'orphan', ['carol'], project => $lone)->{status}, 200,
    'unless there is one by role');

sub logins_in {
	return join(' ', map { $_->{login} }
	    @{ $t->json(ask(GET => 'admin', $_[1], undef, project => $_[0]))->{users} });
}

# ---- a gift that is taken back while its owner publishes ----

for my $round (1 .. 4) {
	ask(PUT => 'owner', 'foo-lib', ['bob']);
	my @answers = $t->parallel(6, sub {
		my ($i) = @_;

		return $i == 3 ? { taken => ask(DELETE => 'owner', 'foo-lib', ['bob'])->{status} }
		    : { status => $t->publish($id, $token{bob}, 'Foo_Lib', "3.$round.$i")->{status} };
	});
	is((grep { defined $_->{taken} } @answers)[0]{taken}, 200, "round $round: taken away");
	is(join(' ', grep { !/^(?:200|403|404)$/ } map { $_->{status} // () } @answers), '',
	    "round $round: published or refused");
	is($t->psql("SELECT count(*) FROM audit_events p, audit_events r WHERE p.action = 'crate.publish'"
	    . " AND p.version LIKE '3.$round.%'"
	    . " AND r.action = 'owner.remove'"
	    . " AND r.id = (SELECT max(id) FROM audit_events WHERE action = 'owner.remove')"
	    . ' AND p.id > r.id'), 0, "round $round: nothing after it");
	is(publish('bob', 'Foo_Lib')->{status}, 404, "round $round: and then no more");
}

subtest 'the decision is made where the crate is locked' => sub {
	ask(PUT => 'owner', 'foo-lib', ['bob']);
	my $pid = open(my $in, '|-', 'psql', '-XAtq', '-d', $t->dsn('postgres')) // die "psql: $!\n";
	$in->autoflush(1);
	print {$in} "BEGIN; SELECT id FROM crates WHERE normalized_name = 'foo-lib' FOR UPDATE;\n";
	ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
	    . " AND datname = current_database()") == 1 }), 'the crate is locked');
	my ($first) = $t->parallel(1, sub {
		my $child = fork;
		if ($child == 0) {
			open(STDOUT, '>', '/dev/null');
			my $r = $t->publish($id, $token{bob}, 'Foo_Lib', '4.0.0');
			open(my $o, '>', $t->dir . '/late') or POSIX::_exit(1);
			print {$o} $r->{status};
			close $o;
			POSIX::_exit(0);
		}
		$t->wait_for(sub { $t->psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
		    . " AND datname = current_database()") == 1 });
		$t->psql("DELETE FROM crate_owners");
		print {$in} "COMMIT;\n";
		close($in);
		waitpid($child, 0);
		return 'done';
	});
	is($first, 'done', 'a publish waits for the lock, and meanwhile the gift is taken back');
	is(Berth::Cluster::slurp($t->dir . '/late'), 403, 'it is refused when it has the lock');
	is($t->psql("SELECT count(*) FROM versions WHERE version = '4.0.0'"), 0, 'and has left nothing');
};

# ---- berth(1) ----

is($t->berth_ok(qw(owner add demo/priv foo_lib bob Carol)),
    'user `bob` is now an owner of crate `Foo_Lib`, user `carol` is now an owner of crate `Foo_Lib`',
    'berth owner add');
my $rows = JSON::PP->new->decode($t->berth_ok(qw(owner list demo/priv FOO-LIB --json)));
is(join(' ', map { "$_->{username}:$_->{by}" } @$rows),
    'owner:owner maintainer:maintainer bob:crate carol:crate', 'list');
is($t->berth_ok(qw(owner remove demo/priv foo-lib carol)),
    'user `carol` is no longer an owner of crate `Foo_Lib`', 'remove');
is($t->psql("SELECT detail ->> 'system_user' IS NOT NULL FROM audit_events WHERE action = 'owner.remove'"
    . " ORDER BY id DESC LIMIT 1"), 't', 'the audit log has who it was');
for my $case (
	[[qw(add demo/priv foo-lib nobody)], 1, qr/user `nobody` does not exist/],
	[[qw(add demo/none foo-lib bob)], 1, qr/project `demo\/none` does not exist/],
	[[qw(add demo/priv none bob)], 1, qr/crate `none` does not exist/],
	[[qw(list demo/priv none)], 1, qr/crate `none` does not exist/],
	[[qw(add demo/priv foo-lib)], 2, qr/^berth: USER is missing$/m],
	[['add', 'demo/priv', 'foo-lib', map { "u$_" } 1 .. 11], 2, qr/unexpected argument `u11`/],
) {
	my ($args, $want, $says) = @$case;
	my ($status, undef, $err) = $t->berth('owner', @$args);

	is($status, $want, "owner @$args: exit status");
	like($err, $says, 'and why');
}

# ---- the real cargo ----

SKIP: {
	my $why = $t->cargo_missing;
	skip $why, 1 if $why;
	$t->cargo_setup(priv => { id => $id, token => $token{maintainer} });
	my $owner = sub { return $t->cargo('owner', @_); };
	my ($status, $out, $err) = $owner->(qw(--registry priv --list foo-lib));

	is($status, 0, 'cargo owner --list') or diag($err);
	is($out, "owner (owner <owner\@example.com>)\nmaintainer (maintainer <maintainer\@example.com>)\n"
	    . "bob (bob <bob\@example.org>)\n", 'what it shows');
	($status, $out, $err) = $owner->(qw(--registry priv --add carol foo-lib));
	is($status, 0, '--add') or diag($err);
	like($err, qr/^ +Owner user `carol` is now an owner of crate `Foo_Lib`$/m, 'what it says');
	($status, $out, $err) = $owner->(qw(--registry priv --remove carol --remove bob foo-lib));
	is($status, 0, '--remove') or diag($err);
	like($err, qr/^ +Owner removing \["carol", "bob"\] from crate foo-lib$/m, 'what it says');
	is(logins('owner'), 'owner maintainer', 'and so it is');
	($status, $out, $err) = $owner->(qw(--registry priv --add nobody foo-lib));
	isnt($status, 0, '--add of somebody who is not there');
	like($err,
	    qr/the remote server responded with an error \(status 404 Not Found\): user `nobody` does not exist/,
	    'what it says');
	($status, $out, $err) = $owner->(qw(--registry priv --remove owner foo-lib));
	isnt($status, 0, '--remove of an owner by role');
	like($err, qr/\(status 400 Bad Request\): user `owner` is an owner of crate `Foo_Lib` by their role/,
	    'what it says');
	$t->cargo_setup(priv => { id => $id, token => $token{reporter} });
	($status, $out, $err) = $owner->(qw(--registry priv --add bob foo-lib));
	isnt($status, 0, '--add by who may not');
	like($err, qr/\(status 403 Forbidden\): changing owners of project `[^`]+` needs at least the maintainer/,
	    'what it says');
}

done_testing();
