#!/usr/bin/perl

# The audit log: each change leaves exactly one row that says who, from where and what; what
# fails or changes nothing leaves none; nobody changes a row.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use Sys::Hostname qw(hostname);
use Test::More;

use Berth::Test;

my $t = Berth::Test->new;
my $me = getpwuid($<) // "uid $<";
my $seen = $t->psql('SELECT max(id) FROM audit_events');
my $json = JSON::PP->new->utf8;
my %secret;

# The rows that came since the last look, each a hash of its columns.
sub new_rows {
	my @rows = map { $json->decode($_) } grep { length }
	    $t->psql("SELECT to_jsonb(e) FROM audit_events e WHERE id > $seen ORDER BY id");

	$seen = $rows[-1]{id} if @rows;
	return @rows;
}

# The command succeeds and leaves exactly this row; returns what it printed.
sub leaves {
	my ($name, $want, @args) = @_;
	my ($status, $out, $err) = $t->berth({ env => { SUDO_USER => undef },
	    (ref $args[0] ? %{ shift @args } : ()) }, @args);

	is($status, 0, "$name: exit status") or diag($err);
	row_is($name, { system_user => $me, host => hostname() }, $want);
	chomp $out;
	return $out;
}

sub row_is {
	my ($name, $by, $want) = @_;
	my @rows = new_rows();
	my %detail = (%$by, %{ $want->{detail} // {} });

	is(scalar @rows, 1, "$name: one row") or return diag(explain(\@rows));
	my %row = (user_id => undef, token_id => undef, project_id => undef, crate => undef,
	    version => undef, remote_addr => undef, request_id => undef, %$want,
	    detail => \%detail);
	delete $row{$_} for grep { ref $row{$_} eq 'Regexp' } keys %row;
	my %got = %{ $rows[0] };
	like($got{$_}, $want->{$_},
	    "$name: $_") for grep { ref $want->{$_} eq 'Regexp' } keys %$want;
	delete @got{qw(id at), grep { ref $want->{$_} eq 'Regexp' } keys %$want};
	is_deeply(\%got, \%row, "$name: the row") or diag(explain(\%got));
	return;
}

# The command ends with this status and leaves no row.
sub leaves_nothing {
	my ($name, $status, @args) = @_;

	is(($t->berth(@args))[0], $status, "$name: exit status");
	is(scalar new_rows(), 0, "$name: no row");
	return;
}

sub id { my ($sql) = @_; return $t->psql($sql) + 0; }

subtest 'migrations' => sub {
	my @rows = map { $json->decode($_) }
	    $t->psql("SELECT to_jsonb(e) FROM audit_events e ORDER BY id");
	my @migrations = $t->psql('SELECT version, topic FROM schema_migrations ORDER BY version');

	is_deeply([map { "$_->{detail}{version}|$_->{detail}{topic}" }
	    grep { $_->{action} eq 'schema.migrate' } @rows], \@migrations, 'one row for each');
	is_deeply([map { $_->{detail}{role} } grep { $_->{action} eq 'schema.grant' } @rows],
	    ['berth'], 'and one for what the role of the pool was given');
	is_deeply([grep { ($_->{detail}{system_user} // '') eq '' } @rows], [],
	    'each knows the system user');
};

subtest 'what the command changes' => sub {
	my $out = leaves('user add', { action => 'user.create', detail => { user_id => 1,
	    user => 'alice', admin => JSON::PP::false } },
	    qw(user add alice --email alice@example.org));
	is($out, 1, 'the first user');
	leaves('user add, admin', { action => 'user.create', detail => { user_id => 2,
	    user => 'root', admin => JSON::PP::true, sudo_user => 'anna' } },
	    { env => { SUDO_USER => 'anna' } }, qw(user add root --admin --email root@example.org));
	leaves_nothing('a name that is taken', 1, qw(user add ALICE --email a@b));
	leaves_nothing('a name that is none', 2, qw(user add a/b --email a@b));
	leaves('SUDO_USER that is no text', { action => 'user.block', detail => { user_id => 1,
	    user => 'Alice' } }, { env => { SUDO_USER => "\xff" } }, qw(user block Alice));
	leaves_nothing('blocked again', 0, qw(user block alice));
	leaves_nothing('nobody', 1, qw(user block nobody));
	leaves('unblock', { action => 'user.unblock', detail => { user_id => 1, user => 'alice' } },
	    qw(user unblock alice));
	leaves_nothing('unblocked again', 0, qw(user unblock alice));
	leaves('user set', { action => 'user.set', detail => { user_id => 1, user => 'alice', name => 'Al',
	    admin => JSON::PP::false } }, qw(user set alice name=Al admin=false));
	leaves_nothing('set again', 0, qw(user set alice name=Al));
	leaves_nothing('unpin of a user who is not pinned', 0, qw(user unpin alice));
	$t->psql("INSERT INTO gitlab_pins (gitlab, kind, gitlab_id, name, user_id)"
	    . " VALUES ('https://x', 'user', 7, 'alice', 1)");
	leaves('unpin', { action => 'user.unpin', detail => { user_id => 1, user => 'alice' } },
	    qw(user unpin alice));
	leaves_nothing('unpin of nobody', 1, qw(user unpin nobody));

	my $group = leaves('group add', { action => 'group.create', detail => { group => 'tools',
	    group_id => 1 } }, qw(group add tools));
	leaves_nothing('the same', 1, qw(group add Tools));
	leaves_nothing('below nothing', 1, qw(group add none/x));
	my $project = leaves('project add', { action => 'project.create', project_id => 1,
		detail => { project => 'tools/crates', visibility => 'private' } },
	    qw(project add tools/crates --visibility private));
	leaves_nothing('the same', 1, qw(project add tools/CRATES --visibility private));
	leaves_nothing('no such visibility', 2, qw(project add tools/other --visibility secret));
	my @set = qw(project set tools/crates);
	leaves('visibility', { action => 'project.set', project_id => 1,
	    detail => { visibility => 'public' } }, @set, 'visibility=public');
	leaves_nothing('the same again', 0, @set, 'visibility=public');
	leaves('several', { action => 'project.set', project_id => 1, detail => {
		packages_enabled => JSON::PP::false, public_packages => JSON::PP::true,
		policy => { max_entries => '7' } } }, @set,
	    qw(packages_enabled=off public_packages=true max_entries=7));
	leaves_nothing('a policy that is so already', 0, @set, 'max_entries=7');
	leaves('back to the configuration', { action => 'project.set', project_id => 1,
		detail => { policy => { max_entries => undef } } }, @set, 'max_entries=');
	leaves('networks', { action => 'project.set', project_id => 1,
	    detail => { anonymous_networks => '192.0.2.0/24' } }, @set, 'anonymous_networks=192.0.2.0/24');
	leaves_nothing('the same networks', 0, @set, 'anonymous_networks=192.0.2.0/24');
	leaves('images', { action => 'project.set', project_id => 1, detail => { readme_images => JSON::PP::true } },
	    @set, 'readme_images=true');
	leaves_nothing('which are so already', 0, @set, 'readme_images=on');
	leaves('networks of a group', { action => 'group.set', detail => { group => 'tools', group_id => 1,
		anonymous_networks => '::1' } }, qw(group set tools anonymous_networks=::1));
	leaves_nothing('the same', 0, qw(group set tools anonymous_networks=::1));
	leaves_nothing('of no group', 1, qw(group set none anonymous_networks=::1));
	leaves_nothing('a bad value beside a good one', 2, @set,
	    qw(visibility=private max_entries=0));
	leaves_nothing('no such project', 1, qw(project set tools/x visibility=public));
	$t->psql("INSERT INTO gitlab_pins (gitlab, kind, gitlab_id, name, project_id)"
	    . " VALUES ('https://x', 'project', 7, 'a/b', 1)");
	leaves('unpin', { action => 'project.unpin', project_id => 1, detail => { project => 'tools/crates' } },
	    qw(project unpin tools/crates));
	leaves_nothing('unpinned again', 0, qw(project unpin tools/crates));

	leaves('member', { action => 'member.set', project_id => 1, detail => { user_id => 1,
	    user => 'alice', path => 'tools/crates', level => 'developer' } },
	    qw(member set alice tools/crates developer));
	leaves_nothing('the same', 0, qw(member set alice tools/crates developer));
	leaves('until', { action => 'member.set', project_id => 1, detail => { user_id => 1,
	    user => 'alice', path => 'tools/crates', level => 'developer',
	    expires_at => '2035-01-31T00:00:00Z' } },
	    qw(member set alice tools/crates developer --expires 2035-01-31));
	leaves('of a group', { action => 'member.set', detail => { user_id => 1, user => 'alice',
	    path => 'tools', level => 'owner' } }, qw(member set alice tools owner));
	leaves('none', { action => 'member.remove', project_id => 1, detail => { user_id => 1,
	    user => 'alice', path => 'tools/crates' } }, qw(member set alice tools/crates none));
	leaves_nothing('none again', 0, qw(member set alice tools/crates none));
	leaves_nothing('no such place', 1, qw(member set alice toolz owner));

	leaves('protect add', { action => 'protection.create', project_id => 1,
	    detail => { rule_id => 1, pattern => 'Lib_*', push => 'owner' } },
	    qw(protect add tools/crates Lib_* --push owner));
	leaves_nothing('the same', 1, qw(protect add tools/crates lib-* --push admin));
	leaves_nothing('no level', 2, qw(protect add tools/crates x));
	leaves('protect remove', { action => 'protection.remove', project_id => 1,
	    detail => { rule_id => 1, pattern => 'Lib_*', push => 'owner' } },
	    qw(protect remove tools/crates 1));
	leaves_nothing('removed again', 1, qw(protect remove tools/crates 1));

	my $token = leaves('token add', { action => 'token.create', detail => { token_id => 1,
	    kind => 'personal', user => 'alice', scopes => ['api'], name => 'a "laptop"',
	    expires_at => '2035-01-31T00:00:00Z' } },
	    qw(token add --user alice --scopes api --expires 2035-01-31 --name), 'a "laptop"');
	$secret{$token} = 1;
	leaves_nothing('of nobody', 1, qw(token add --user nobody --scopes api));
	leaves('token revoke, by itself', { action => 'token.revoke', detail => { token_id => 1 } },
	    { stdin => $token }, qw(token revoke));
	leaves_nothing('revoked again', 0, qw(token revoke 1));
	leaves_nothing('no such token', 1, qw(token revoke 99));
	leaves('JSON changes nothing here', { action => 'user.block', detail => { user_id => 2,
	    user => 'root' } }, qw(user block root --force --json));
	leaves_nothing('what only reads', 0, $_, 'list') for qw(user group project member token);
	leaves_nothing('as does protect', 0, qw(protect list tools/crates));
};

subtest 'what comes over HTTP' => sub {
	$t->berth_ok(qw(project set tools/crates packages_enabled=on));
	my $token = $t->token('alice');
	$secret{$token} = 1;
	my $id = id("SELECT id FROM tokens WHERE handle = '" . Berth::Test::token_handle($token) . "'");
	my %by = (project_id => 1, user_id => 1, token_id => $id, remote_addr => '127.0.0.1');
	my $R = $t->registry(1) . '/api/v1/crates';
	new_rows();

	my $res = $t->publish(1, $token, 'Foo_bar', '1.0.0+b');
	is($res->{status}, 200, 'publish') or diag($res->{body});
	row_is('publish', {}, { %by, action => 'crate.publish', crate => 'Foo_bar',
	    version => '1.0.0+b', request_id => qr/^\Q$res->{headers}{'x-served-by'}\E$/ });
	is($t->publish(1, $token, 'Foo_bar', '1.0.0')->{status}, 400, 'a version that is there');
	is(scalar new_rows(), 0, 'no row');
	for my $case (['DELETE', 'yank', 'crate.yank'], ['PUT', 'unyank', 'crate.unyank']) {
		my ($method, $verb, $action) = @$case;
		my $done = $t->http($method => "$R/foo-bar/1.0.0/$verb", { token => $token });

		is($done->{status}, 200, $verb) or diag($done->{body});
		row_is($verb, {}, { %by, action => $action, crate => 'Foo_bar',
		    version => '1.0.0+b',
		    request_id => qr/^\Q$done->{headers}{'x-served-by'}\E$/ });
		is($t->http($method => "$R/foo-bar/1.0.0/$verb", { token => $token })->{status},
		    200, "$verb again");
		is(scalar new_rows(), 0, "$verb again: no row");
	}
	is($t->http(DELETE => "$R/foo-bar/2.0.0/yank", { token => $token })->{status}, 404,
	    'no such version');
	is($t->http(DELETE => "$R/foo-bar/1.0.0/yank", { token => 'x' })->{status}, 401,
	    'no token');
	is(scalar new_rows(), 0, 'no row');
};

subtest 'jobs and deploy tokens' => sub {
	$t->berth_ok(qw(member set alice tools developer --force));
	my @job = (qw(--pipeline 7 --job 423 --ref main --commit), '0123456789' x 4);
	my $token = $t->berth_ok(qw(token add --job tools/crates --user alice --ttl 3600), @job);
	my $deploy = $t->deploy_token('tools/crates', 'read', 'write');
	@secret{$token, $deploy} = (1, 1);

	is($t->publish(1, $token, 'by-job', '1.0.0')->{status}, 200, 'a job publishes');
	is($t->publish(1, $deploy, 'by-deploy', '1.0.0')->{status}, 200, 'a deploy token does');
	my ($of_job) = export(qw(--crate by-job));
	is_deeply([@$of_job{qw(user token_kind job_project pipeline job ref commit)}],
	    ['alice', 'job', 'tools/crates', 7, 423, 'main', $job[-1]], 'whose job it was');
	my ($of_deploy) = export(qw(--crate by-deploy));
	is_deeply([@$of_deploy{qw(user token_kind job_project pipeline job ref commit)}],
	    [undef, 'deploy', (undef) x 5], 'a deploy token is nobody');
	new_rows();
};

subtest 'no secrets' => sub {
	my $rows = join("\n", $t->psql('SELECT e FROM audit_events e'));

	cmp_ok(scalar keys %secret, '==', 4, 'tokens were made');
	unlike($rows, qr/berth_(?:pat|dep|job)_/, 'no token');
	for my $token (sort keys %secret) {
		my $digest = sha256_hex($t->psql('SELECT id FROM registry') . " $token");

		is($t->psql("SELECT count(*) FROM tokens WHERE digest = '\\x$digest'"), 1, 'the database has its digest');
		unlike($rows, qr/\Q$digest\E/i, 'no digest');
	}
};

subtest 'ten at once block one user' => sub {
	my @done = $t->parallel(10, sub { ($t->berth(qw(user block alice)))[0] });

	is_deeply(\@done, [(0) x 10], 'all succeed');
	is_deeply([map { $_->{action} } new_rows()], ['user.block'],
	    'one of them has changed something');
};

# The rows of an export.
sub export {
	my (@args) = @_;

	return map { $json->decode($_) } split(/\n/, $t->berth_ok('audit', '--json', @args));
}

subtest 'the list and the export' => sub {
	my @all = export();
	my $rows = id('SELECT count(*) FROM audit_events');

	is(scalar @all, $rows, 'the export has every row');
	is_deeply([map { $_->{id} } @all], [sort { $a <=> $b } map { $_->{id} } @all],
	    'oldest first');
	my ($publish) = grep { $_->{action} eq 'crate.publish' } @all;
	my $token = $publish->{token_id};
	like($publish->{at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/, 'when');
	my @keys = grep { !/^(?:id|at|request_id)$/ } keys %$publish;
	is_deeply({ map { ($_ => $publish->{$_}) } @keys }, {
		action => 'crate.publish', user => 'alice', user_id => 1, token_id => $token,
		    token_kind => 'personal',
		(map { ($_ => undef) } qw(job_issuer job_project pipeline job job_url ref commit)),
		project => 'tools/crates', project_id => 1, crate => 'Foo_bar',
		    version => '1.0.0+b',
		remote_addr => '127.0.0.1', detail => {} }, 'who, from where, what')
		    or diag(explain($publish));
	my ($made) = grep { $_->{action} eq 'token.create' } @all;
	is($made->{user}, undef, 'the command is no user of the registry');
	is($made->{detail}{system_user}, $me, 'but one of the system');

	my @table = split(/\n/, $t->berth_ok('audit'));
	is(scalar @table, $rows + 1, 'the table has every row, and one of names');
	like($table[0],
	    qr/^at +action +who +token +project +crate +version +from +request +detail$/,
	    'the names');
	like($table[-1], qr/ schema\.migrate +system:\S+ .*"version": 1[,}]/,
	    'newest first, so the first is last');
	my ($line) = grep { / crate\.publish .* Foo_bar / } @table;
	like($line,
	    qr{^\Q$publish->{at}\E +crate\.publish +alice +$token +tools/crates +Foo_bar +1\.0\.0},
	    'a publish');

	my $is = sub {
		my ($name, $want, @args) = @_;
		my @ids = map { $_->{id} } export(@args);

		is_deeply(\@ids, [map { $_->{id} } grep { $want->($_) } @all], $name);
		cmp_ok(scalar @ids, '>', 0, "$name: some") unless $name =~ /none/;
		is(scalar(() = $t->berth_ok('audit', @args) =~ /\n/g), scalar @ids,
		    "$name: the table");
	};
	my $unused = $t->psql('SELECT min(id) FROM tokens t WHERE NOT EXISTS (SELECT FROM audit_events e'
	    . ' WHERE e.token_id = t.id)');
	$is->('of a project', sub { ($_[0]{project_id} // 0) == 1 }, qw(--project Tools/CRATES));
	$is->('by a user', sub { ($_[0]{user} // '') eq 'alice' }, qw(--user ALICE));
	$is->('with a token', sub { ($_[0]{token_id} // 0) == $token }, '--token', $token);
	$is->('none with another', sub { 0 }, '--token', $unused);
	$is->('none by another', sub { 0 }, qw(--user root));
	$is->('of an action', sub { $_[0]{action} eq 'member.set' }, qw(--action member.set));
	$is->('of a crate', sub { ($_[0]{crate} // '') eq 'Foo_bar' }, '--crate',
	    $_) for qw(Foo_bar foo-bar FOO_BAR);
	$is->('several', sub { $_[0]{action} eq 'crate.yank' },
	    qw(--crate foo-bar --action crate.yank --user alice));
	$is->('since long ago', sub { 1 }, qw(--since 2001-01-01));
	$is->('none until then', sub { 0 }, qw(--until 2001-01-01));
	$is->('none from far ahead', sub { 0 }, qw(--since 9000-01-01));
	is_deeply([map { $_->{id} } export(qw(--limit 3))], [map { $_->{id} } @all[0 .. 2]],
	    'limit: the oldest of an export');
	like($t->berth_ok(qw(audit --limit 1)), qr/\n\Q$all[-1]{at}\E [^\n]*\z/,
	    'limit: the newest of a table');

	for my $case (['action', 2, qr/there is no action `token`/, qw(--action token)],
		['crate', 2, qr/`1a` is not the name of a crate/, qw(--crate 1a)],
		['project', 1, qr/project `tools\/x` does not exist/, qw(--project tools/x)],
		['user', 1, qr/user `nobody` does not exist/, qw(--user nobody)],
		['date', 2, qr/not a date/, qw(--since yesterday)],
		['a token that never was', 1, qr/token 999999 does not exist, and no change/, qw(--token 999999)],
		['token', 2, qr/`me` is not a valid id of a token/, qw(--token me)],
		['limit', 2, qr/`0` is not a valid number of rows: give a whole number from 1/, qw(--limit 0)]) {
		my ($name, $want, $why, @args) = @$case;
		my ($status, $out, $err) = $t->berth('audit', @args);

		is("$status$out", $want, "$name: refused");
		like($err, $why, "$name: says why");
	}
	is_deeply([$t->berth(qw(audit --crate nosuch))], [0, '', "berth: no change matches\n"],
	    'nothing is found, which it says');
	is(scalar new_rows(), 0, 'looking changes nothing');
	my $manual = Berth::Cluster::slurp("$Berth::Cluster::ROOT/fcgi/man/berth.1");
	my ($page) = $manual =~ /^The actions are\n(.*?)^\.Sh /ms;
	my ($names) = Berth::Cluster::slurp("$Berth::Cluster::ROOT/fcgi/store/audit.c")
	    =~ /audit_action_names\[AUDIT__MAX\] = \{(.*?)\};/s;
	is_deeply([sort $page =~ /^\.Li ([a-z_]+\.[a-z]+)/mg], [sort $names =~ /"([^"]+)"/g],
	    'berth(1) names the actions');
};

subtest 'a long log' => sub {
	# many rows of one moment, so that pages end between equal times
	$t->psql('INSERT INTO audit_events (at, action, crate, detail)'
	    . " SELECT timestamptz '2001-02-03 04:05:06Z' + (i / 700) * interval '1 second',"
	    . " 'crate.publish', 'long-' || i % 3, jsonb_build_object('i', i)"
	    . ' FROM generate_series(0, 2999) i');
	my @args = qw(--since 2001-01-01 --until 2002-01-01);

	is_deeply([map { $_->{detail}{i} } export(@args)], [0 .. 2999],
	    'the export: each once, in order');
	is_deeply([$t->berth_ok('audit', @args) =~ /"i": (\d+)\}$/mg], [reverse 0 .. 2999],
	    'the table as well');
	is_deeply([map { $_->{detail}{i} } export(@args, qw(--crate LONG_1 --limit 600))],
	    [map { 3 * $_ + 1 } 0 .. 599], 'a part of it');
	my @second = qw(--since 2001-02-03T04:05:07Z --until 2001-02-03T04:05:08Z);
	is_deeply([map { $_->{detail}{i} } export(@second)], [700 .. 1399],
	    'a second: from its beginning, and not the next');
	is(scalar(() = $t->berth_ok('audit', @args, qw(--limit 1000)) =~ /^at /mg), 1,
	    'the names stand there once');
	my ($status) = Berth::Cluster::capture({ env => { BERTH_CONF => $t->conf_path } }, 'sh',
	    '-c', '"$0" audit > /dev/full', $t->build . '/berth');
	is($status, 1, 'a full disk is an error');
};

subtest 'nobody changes a row' => sub {
	my $rows = $t->psql('SELECT count(*), sum(id) FROM audit_events');
	my $try = sub {
		my ($role, $sql) = @_;

		return (Berth::Cluster::capture('psql', '-XAtq', '-d', $t->dsn($role), '-c',
		    $sql))[2];
	};

	for my $sql ("UPDATE audit_events SET action = 'x'", 'DELETE FROM audit_events',
	    'TRUNCATE audit_events',
		'DELETE FROM audit_events WHERE false') {
		like($try->('berth', $sql), qr/permission denied/, "the role of the pool: $sql");
		like($try->($_, $sql), qr/rows of audit_events are never changed or removed/,
		    "$_: $sql") for qw(berth_owner postgres);
	}
	for my $sql ('ALTER TABLE audit_events DISABLE TRIGGER ALL',
	    'DROP TRIGGER audit_events_append_only ON audit_events',
		'DROP TABLE audit_events', 'SET session_replication_role = replica') {
		like($try->('berth', $sql), qr/permission denied|must be owner/,
		    "the role of the pool: $sql");
	}
	is(scalar $t->psql('SELECT count(*), sum(id) FROM audit_events'), $rows,
	    'they are all there');
	is($t->psql("SELECT string_agg(p, ' ' ORDER BY p)"
	    . " FROM unnest('{SELECT,INSERT,UPDATE}'::text[]) p"
	    . " WHERE has_any_column_privilege('berth', 'audit_events', p)"), 'INSERT SELECT',
	    'it reads and adds');
	is($t->psql("SELECT string_agg(p, ' ' ORDER BY p) FROM unnest('{DELETE,TRUNCATE,TRIGGER}'::text[]) p"
	    . " WHERE has_table_privilege('berth', 'audit_events', p)"), '', 'and does nothing else');
};

done_testing();
