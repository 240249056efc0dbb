#!/usr/bin/perl

# Provisioning that can be repeated: --if-missing of each command that creates, and berth apply, which
# makes the registry what a file says, all of it or nothing.

use strict;
use warnings;

use JSON::PP ();
use POSIX ();
use Test::More;

use Berth::Test;

my $t = Berth::Test->new;
my $json = JSON::PP->new->utf8->canonical;
my $hub = 'https://hub.example.com';
my $file = $t->dir . '/registry.toml';

# All that commands can change, but times and ids.
sub state_of_things {
	return join("\n", map { $t->psql($_) } 'SELECT username, name, email, is_admin, state FROM users ORDER BY 1',
	    'SELECT full_path, anonymous_networks FROM groups ORDER BY 1',
	    'SELECT full_path, visibility, packages_enabled, public_packages, readme_images, anonymous_networks,'
	    . ' policy FROM projects ORDER BY 1',
	    'SELECT user_id, project_id, group_id, access_level, expires_at FROM members ORDER BY 1, 2, 3',
	    'SELECT * FROM protection_rules ORDER BY id',
	    'SELECT url, kind, audience, enabled FROM trusted_issuers ORDER BY 1',
	    'SELECT id, claims, crate_patterns, operations, user_id FROM trust_rules ORDER BY id',
	    'SELECT count(*) FROM audit_events');
}

sub apply {
	my ($toml, @options) = @_;

	Berth::Test::write_file($file, $toml);
	return $t->berth('apply', $file, @options);
}

# Runs commands at the same time: status, output and errors of each.
sub at_once {
	my @commands = @_;
	my %running = map {
		my $pid = fork // die "fork: $!\n";

		if ($pid == 0) {
			Berth::Test::write_file($t->dir . "/at-once$_", $json->encode([$t->berth(@{ $commands[$_] })]));
			POSIX::_exit(0);
		}
		($_ => $pid);
	} 0 .. $#commands;

	waitpid($_, 0) for values %running;
	return map { $json->decode(Berth::Cluster::slurp($t->dir . "/at-once$_")) } 0 .. $#commands;
}

# ---- --if-missing ----

# Each command: words that create, other words for the same object, and what differs then; or why it has no
# such option.
my $no_object = 'changes what is there';
my $always_new = 'makes a new one each time';
my @creating = (
	['user add', ['alice', '--email', 'alice@example.org'],
		['Alice', '--email', 'other@example.org', '--name', 'Al', '--admin'],
		'user `Alice` has email alice@example.org, not other@example.org',
		'user `Alice` has name alice, not Al', 'user `Alice` has admin false, not true'],
	['group add', ['tools'], ['TOOLS']],
	['project add', ['tools/app', '--visibility', 'private'],
		['Tools/App', '--visibility', 'public', '--parents'],
		'project `Tools/App` has visibility private, not public'],
	['member set', ['alice', 'tools', 'developer', '--expires', '2035-01-31'],
		['alice', 'tools', 'owner', '--expires', '2036-01-31'],
		'member `alice tools` has level developer, not owner',
		'member `alice tools` has expires 2035-01-31, not 2036-01-31'],
	['project allow', ['tools/app', '--from', 'tools'],
		['tools/app', '--from', 'tools', '--policies', 'admin_packages'],
		'allow `tools/app tools` has policies read_packages, not admin_packages'],
	['protect add', ['tools/app', 'core-*', '--push', 'owner'],
		['tools/app', 'Core_*', '--push', 'admin', '--delete', 'admin'],
		'protect `tools/app Core_*` has push owner, not admin',
		'protect `tools/app Core_*` has delete -, not admin'],
	['issuer add', [$hub, '--kind', 'github'],
		[$hub, '--kind', 'gitlab', '--audience', 'x', '--jwks-url', "$hub/keys"],
		"issuer `$hub` has kind github, not gitlab", "issuer `$hub` has audience -, not x",
		"issuer `$hub` has jwks_url -, not $hub/keys"],
	['trust add', ['tools/app', '--issuer', $hub, 'repository=octo/app', 'workflow=ci.yml'],
		['tools/app', '--issuer', $hub, 'workflow=ci.yml', 'repository=octo/app', '--crates', 'a-*',
		'--operations', 'yank', '--user', 'alice'],
		map { qr/^berth: warning: trust `tools\/app \Q$hub\E .*` has \Q$_\E$/ } 'crates all, not a-*',
		'operations publish-new,publish-update, not yank', 'user -, not alice'],
	['token add', $always_new],
	['key add', $always_new],
	['owner add', 'succeeds for an owner: t/430-owners.t'],
	['flag set', $no_object],
	['user set', $no_object],
	['group set', $no_object],
	['project set', $no_object],
	['retention set', $no_object],
);

my (undef, $help) = $t->berth('--help');
my %there = map { $_ => 1 } $help =~ /^    berth (\w+ (?:add|set|allow)\b)/mg;
is_deeply([sort map { $_->[0] } @creating], [sort keys %there], 'each command that creates is in the table');

for my $case (grep { ref $_->[1] } @creating) {
	my ($command, $words, $others, @differ) = @$case;

	subtest "$command --if-missing" => sub {
		my @command = split(/ /, $command);
		my ($status, $id, $err) = $t->berth(@command, @$words, '--if-missing');
		my $before = state_of_things();

		is($status, 0, 'created');
		like($id, qr/^\d+\n$/, 'prints its id');
		is($err, '', 'and nothing else');
		($status, my $out, $err) = $t->berth(@command, @$words, '--if-missing');
		is($status, 0, 'again');
		is($out, $id, 'the same id');
		like($err, qr/\Aberth: \w+ `.*` already exists; nothing is changed\n\z/, 'says so');
		($status, $out, $err) = $t->berth(@command, @$others, '--if-missing');
		is($status, 0, 'with other values');
		is($out, $id, 'the same id');
		my ($first, @warnings) = split(/\n/, $err);
		like($first, qr/already exists; nothing is changed$/, 'says so');
		is(scalar @warnings, scalar @differ, 'one line for each value that differs') or diag($err);
		for my $i (0 .. $#differ) {
			my $expected = ref $differ[$i] ? $differ[$i] : qr/^berth: warning: \Q$differ[$i]\E$/;

			like($warnings[$i], $expected, 'which');
		}
		is(state_of_things(), $before, 'nothing has changed');
		my $shown = $json->decode($t->berth_ok(@command, @$others, '--if-missing', '--json'));
		is($shown->{id}, $id + 0, 'JSON has the id');
		($status, undef, $err) = $t->berth(@command, @$words);
		is($status, $command =~ /^(?:member set|project allow)$/ ? 0 : 1, 'without it');
	};
}

subtest 'at once, --if-missing' => sub {
	my @ran = at_once(map { [qw(group add at-once --if-missing)] } 1 .. 6);
	my %ids = map { $_->[1] => 1 } @ran;

	is(join(' ', map { $_->[0] } @ran), '0 0 0 0 0 0', 'all succeed');
	is(scalar keys %ids, 1, 'with one id');
	is($t->psql("SELECT count(*) FROM audit_events WHERE detail ->> 'group' = 'at-once'"), 1, 'one is made');
	@ran = at_once(map { [qw(trust add tools/app --if-missing repository=octo/at-once --issuer), $hub] } 1 .. 4);
	is(join(' ', map { $_->[0] } @ran), '0 0 0 0', 'rules, which have no name');
	is($t->psql("SELECT count(*) FROM trust_rules WHERE claims ->> 'repository' = 'octo/at-once'"), 1,
	    'one is made');
};

# ---- berth apply ----

# Each kind: what makes it, and then changes it; the lines of both, and what is there afterwards.
my $claims = '{"repository":"octo/lib"}';
my @kinds = (
	['user', 'username = "bob"', { email => '"bob@example.org"', name => '"Bob"', admin => 'false' },
		{ email => '"robert@example.org"', name => '"Robert"', admin => 'true', blocked => 'true' },
		'user bob',
		['email bob@example.org -> robert@example.org', 'name Bob -> Robert', 'admin false -> true',
		'blocked false -> true'],
		"SELECT name, email, is_admin, state FROM users WHERE username = 'bob'",
		'Robert|robert@example.org|t|blocked', '--force'],
	['group', 'path = "platform"', { quota_bytes => '"10g"' },
		{ quota_bytes => '5', quota_crates => '7', anonymous_networks => '["10.0.0.0/8", "192.0.2.7"]' },
		'group platform', ['anonymous_networks - -> 10.0.0.0/8 192.0.2.7', 'quota_bytes 10g (10737418240) -> 5',
		'quota_crates - -> 7'],
		"SELECT anonymous_networks FROM groups WHERE full_path = 'platform'", '10.0.0.0/8 192.0.2.7'],
	['issuer', "url = \"$hub/second\"", { kind => '"github"' }, { enabled => 'false' }, "issuer $hub/second",
		['enabled true -> false'],
		"SELECT kind, enabled FROM trusted_issuers WHERE url = '$hub/second'", 'github|f'],
	['project', 'path = "platform/lib"', { visibility => '"private"', max_keywords => '3' },
		{ visibility => '"internal"', max_keywords => '"default"', packages_enabled => 'false',
		public_packages => 'true', required_metadata => '["license", "readme"]', quota_versions => '9',
		max_crate_size => '"1m"' }, 'project platform/lib',
		['visibility private -> internal', 'packages_enabled true -> false', 'public_packages false -> true',
		'quota_versions - -> 9', 'max_crate_size - -> 1m', 'max_keywords 3 -> -',
		'required_metadata - -> license readme'],
		"SELECT visibility, packages_enabled, public_packages, policy->>'max_crate_size', policy ? 'max_keywords'"
		. " FROM projects WHERE full_path = 'platform/lib'", 'internal|f|t|1m|f'],
	['member', "user = \"alice\"\npath = \"platform\"", { level => '"owner"' },
		{ level => '"developer"', expires => '2035-01-31' }, 'member alice platform',
		['level owner -> developer', 'expires - -> 2035-01-31'],
		"SELECT access_level, expires_at AT TIME ZONE 'UTC' FROM members m JOIN groups g ON g.id = m.group_id"
		. " WHERE full_path = 'platform'", '30|2035-01-31 00:00:00', '--force'],
	['allow', "project = \"platform/lib\"\nfrom = \"tools\"", {}, { policies => '["admin_packages"]' },
		'allow platform/lib tools', ['policies read_packages -> admin_packages'],
		"SELECT policies FROM job_token_allowlist a JOIN projects p ON p.id = a.project_id"
		. " WHERE full_path = 'platform/lib'", '{admin_packages}'],
	['protect', "project = \"platform/lib\"\npattern = \"x-*\"", { push => '"owner"' },
		{ push => '"none"', delete => '"owner"' }, 'protect platform/lib x-*',
		['push owner -> -', 'delete - -> owner'],
		"SELECT minimum_access_level_for_push, minimum_access_level_for_delete FROM protection_rules"
		. " WHERE package_name_pattern = 'x-*'", '|50'],
	['trust', "project = \"platform/lib\"\nissuer = \"$hub\"\nclaims = { repository = \"octo/lib\" }",
		{ crates => '["a", "b-*"]' }, { operations => '["yank"]', user => '"alice"' },
		"trust platform/lib $hub $claims",
		['operations publish-new,publish-update -> yank', 'user - -> alice'],
		"SELECT crate_patterns, operations FROM trust_rules WHERE claims ->> 'repository' = 'octo/lib'",
		'{a,b-*}|{yank}'],
);

sub table {
	my ($kind, $names, $values) = @_;

	return "[[$kind]]\n$names\n" . join('', map { "$_ = $values->{$_}\n" } sort keys %$values) . "\n";
}

for my $case (@kinds) {
	my ($kind, $names, $first, $then, $line, $changes, $sql, $expected, @options) = @$case;

	subtest $kind => sub {
		my $before = state_of_things();
		my ($status, $out, $err) = apply(table($kind, $names, $first), '--dry-run');
		is("$status $err", '0 ', 'dry run');
		is($out, "create $line\n1 created, 0 changed (dry run: the registry is unchanged)\n", 'says what would be');
		is(state_of_things(), $before, 'and does nothing');

		($status, $out, $err) = apply(table($kind, $names, $first));
		is("$status $err", '0 ', 'create');
		is($out, "create $line\n1 created, 0 changed\n", 'one line');
		my $made = state_of_things();
		isnt($made, $before, 'it is there');
		is((apply(table($kind, $names, $first)))[1], "nothing to change\n", 'again');
		is((apply(table($kind, $names, {})))[1], "nothing to change\n", 'what is not named stays');
		is(state_of_things(), $made, 'nothing has changed');

		my $lines = join('', map { "change $line $_\n" } @$changes);
		my $n = @$changes;
		($status, $out, $err) = apply(table($kind, $names, $then), @options, '--dry-run');
		is($out, "${lines}0 created, $n changed (dry run: the registry is unchanged)\n", 'dry run of changes')
		    or diag($err);
		is(state_of_things(), $made, 'does nothing');
		($status, $out, $err) = apply(table($kind, $names, $then), @options);
		is("$status $err", '0 ', 'change');
		is($out, "${lines}0 created, $n changed\n", 'a line for each');
		is($t->psql($sql), $expected, 'is so now');
		my $changed = state_of_things();
		is((apply(table($kind, $names, $then)))[1], "nothing to change\n", 'again');
		is(state_of_things(), $changed, 'nothing has changed');
	};
}

# The group exists, and the registry names projects of the same file.
subtest 'registry' => sub {
	my $toml = table(registry => 'group = "Team"', { projects => '["team/two", "TEAM/one"]',
		default_project => '"team/one"' })
	    . table(group => 'path = "team"', {})
	    . join('', map { table(project => "path = \"team/$_\"", { visibility => '"private"' }) } 'one', 'two');
	my $sql = "SELECT (SELECT string_agg(p.path, ' ' ORDER BY o.place)"
	    . ' FROM unnest(registry_projects) WITH ORDINALITY AS o (id, place) JOIN projects p USING (id)),'
	    . " (SELECT path FROM projects WHERE id = default_project_id) FROM groups WHERE full_path = 'team'";

	like((apply($toml))[1], qr{^create registry Team\n}m, 'with its projects');
	is($t->psql($sql), 'two one|one', 'is so now');
	is((apply($toml))[1], "nothing to change\n", 'again');
	is((apply(table(registry => 'group = "team"', { projects => '[]', default_project => '""' })))[1],
	    "change registry team projects team/two team/one -> -\n"
	    . "change registry team default_project team/one -> -\n0 created, 2 changed\n", 'nothing any more');
	is($t->psql($sql), '|', 'is so now');
	like((apply(table(registry => 'group = "team"', { default_project => '"tools/app"' })))[2],
	    qr{there is no project `tools/app` below group `team`}, 'a project of another group');
	like((apply(table(registry => 'group = "nowhere"', { projects => '[]' })))[2],
	    qr/no group or project `nowhere` exists/, 'no group');
};

subtest 'errors leave nothing' => sub {
	my $good = "[[group]]\npath = \"never\"\n";
	my $before = state_of_things();
	my @cases = (
		['syntax', 'x =', qr/:3: column \d+: /],
		['an unknown table', "[[token]]\nuser = \"alice\"\n",
			qr/:3: unknown table `token`: the tables are user, group, issuer, project, registry, .* and trust$/m],
		['an unknown key', "[[project]]\npath = \"a/b\"\nvisible = true\n",
			qr/:5: \[\[project\]\] has no key `visible`: the keys are path, visibility, .*max_crate_size, /],
		['another name', "[[user]]\nuser = \"x\"\n",
			qr/:4: \[\[user\]\] has no key `user`: the keys are username, email, name, admin, blocked$/m],
		['no name', "[[member]]\nuser = \"alice\"\n", qr/:3: \[\[member\]\] needs `path`/],
		['no array', "[project]\npath = \"a/b\"\n", qr/:3: project must be tables, \[\[project\]\]/],
		['an array of something', "project = [1]\n", qr/:1: project must be tables/, ''],
		['a wrong type', "[[project]]\npath = 1\n", qr/:4: path must be a string/],
		['a wrong type of a switch', "[[user]]\nusername = \"x\"\nadmin = \"true\"\n",
			qr/:5: admin must be true or false/],
		['a list of wrong types', "[[group]]\npath = \"x\"\nanonymous_networks = [1]\n",
			qr/:5: anonymous_networks must be an array of strings/],
		['claims of wrong types', "[[trust]]\nproject = \"tools/app\"\nissuer = \"$hub\"\nclaims = { a = 1 }\n",
			qr/:6: claims must be a table of strings/],
		['a NUL', "[[group]]\npath = \"a\\u0000b\"\n", qr/:4: path contains a NUL/],
		['a float', "[[group]]\npath = \"x\"\nquota_bytes = 1.5\n", qr/:5: quota_bytes must be a number/],
		['one rule twice, in another spelling', join('', map { "[[protect]]\nproject = \"tools/app\"\n"
			. "pattern = \"$_\"\npush = \"owner\"\n" } 'Core-*', 'core_*'),
			qr/:7: protect(?:ion rule)? `tools\/app core_\*` is also in line 3$/m],
		['one trust rule twice, its claims in another order',
			join('', map { "[[trust]]\nproject = \"tools/app\"\nissuer = \"$hub\"\nclaims = { $_ }\n" }
			'repository = "a/b", ref = "x"', 'ref = "x", repository = "a/b"'),
			qr/:7: trust `tools\/app .*` is also in line 3$/m],
		['one object twice', "[[group]]\npath = \"NEVER\"\n", qr/:3: group `NEVER` is also in line 1$/m],
		['what differs by case, and is one', "[[member]]\nuser = \"alice\"\npath = \"tools\"\n"
			. "[[member]]\nuser = \"ALICE\"\npath = \"Tools\"\n", qr/:6: member `ALICE Tools` is also in line 3$/m],
		['a group that is missing', "[[project]]\npath = \"nowhere/x\"\nvisibility = \"private\"\n",
			qr/:3: \[\[project\]\] nowhere\/x: group `nowhere` does not exist/],
		['a missing value', "[[project]]\npath = \"tools/y\"\n",
			qr/:3: \[\[project\]\] tools\/y: project .* does not exist, and to create it `visibility` is needed/],
		['an unknown role', "[[member]]\nuser = \"alice\"\npath = \"tools\"\nlevel = \"boss\"\n",
			qr/:3: \[\[member\]\] alice tools: .*`boss`/],
		['an unknown user', "[[member]]\nuser = \"nobody\"\npath = \"tools\"\nlevel = \"guest\"\n",
			qr/:3: \[\[member\]\] nobody tools: user `nobody` does not exist/],
		['a bad visibility', "[[project]]\npath = \"tools/y\"\nvisibility = \"secret\"\n", qr/:3: .*not `secret`/],
		['a bad setting', "[[project]]\npath = \"tools/app\"\nmax_keywords = -1\n",
			qr/:3: \[\[project\]\] tools\/app: max_keywords must be a number without a unit: `-1`$/m],
		['a quota of an unknown unit', "[[group]]\npath = \"tools\"\nquota_bytes = \"10x\"\n",
			qr/:3: \[\[group\]\] tools: quota_bytes must be a number of bytes, .*: k, m or g: `10x`$/m],
		['a size of an unknown unit', "[[project]]\npath = \"tools/app\"\nmax_crate_size = \"5mb\"\n",
			qr/:3: \[\[project\]\] tools\/app: max_crate_size must be a number of bytes, .*: `5mb`$/m],
		['a list in one string', "[[project]]\npath = \"tools/app\"\nrequired_metadata = \"license readme\"\n",
			qr/:5: required_metadata must be an array of strings, such as \["a", "b"\]; it is a string$/m],
		['no issuer', "[[trust]]\nproject = \"tools/app\"\nissuer = \"https://no.example\"\n"
			. "claims = { repository = \"a/b\" }\n",
			qr/:3: \[\[trust\]\] tools\/app https:\/\/no\.example: there is no issuer `https:\/\/no\.example`:/],
		['no crates', "[[trust]]\nproject = \"tools/app\"\nissuer = \"$hub\"\nclaims = { repository = \"a/b\" }\n"
			. "crates = []\n", qr/:3: \[\[trust\]\] tools\/app \Q$hub\E: `` is neither a crate's name/],
		['a user without a name', "[[trust]]\nproject = \"tools/app\"\nissuer = \"$hub\"\n"
			. "claims = { repository = \"a/b\" }\nuser = \"\"\n",
			qr/:3: \[\[trust\]\] [^ ]+ [^ ]+: username is empty/],
		['an empty level', "[[protect]]\nproject = \"tools/app\"\npattern = \"x\"\npush = \"\"\n",
			qr/:3: \[\[protect\]\] tools\/app x: the level must be/],
		['no claims', "[[trust]]\nproject = \"tools/app\"\nissuer = \"$hub\"\nclaims = { ref = \"x\" }\n",
			qr/:3: .*`repository`/],
		['what no command changes', "[[issuer]]\nurl = \"$hub\"\nkind = \"gitlab\"\n",
			qr/:3: \[\[issuer\]\] \Q$hub\E: issuer `\Q$hub\E` has kind github, and no command changes it to gitlab/],
		['a bad e-mail', "[[user]]\nusername = \"alice\"\nemail = \"nobody\"\n",
			qr/:3: .*not an e-mail/],
	);

	for (@cases) {
		my ($name, $toml, $why, $first) = @$_;
		my ($status, $out, $err) = apply(($first // $good) . $toml);

		is($status, 1, "$name: fails");
		is($out, '', "$name: prints nothing");
		like($err, qr/\Aberth: \Q$file\E$why/, "$name: where and why");
		is($err =~ tr/\n//, 1, "$name: in one line");
	}
	is(state_of_things(), $before, 'nothing is there');
	is(($t->berth('apply', $t->dir . '/none'))[0], 1, 'no file');
	is(($t->berth('apply'))[0], 2, 'no argument');
};

subtest 'what may be a mistake' => sub {
	my $member = "[[member]]\nuser = \"alice\"\npath = \"doubted\"\nlevel = \"guest\"\nexpires = ";
	my $slash = "there is also an issuer `$hub`, which differs only by the slash at the end; compare both with"
	    . ' the `iss` of a token, and remove the wrong one, with its trust rules';
	my $user = sub { "[[user]]\nusername = \"$_[0]\"\nemail = \"$_[1]\"\n" };
	my @cases = (
		['an end in the past', $member . "2020-01-31\n",
			'5: [[member]] alice doubted: expires 2020-01-31 is past: this membership has no effect'],
		['an end to come', $member . "2035-01-31\n"],
		['no end', $member . "\"never\"\n"],
		['the email of a user who is there', $user->('carol', 'Alice@example.org'),
			'5: [[user]] carol: user `alice` has the same email, Alice@example.org'],
		['one of two in the file', $user->('dora', 'd@example.org') . $user->('emil', 'd@example.org'),
			'8: [[user]] emil: user `dora` has the same email, d@example.org'],
		['another', $user->('frida', 'f@example.org')],
		['an issuer with a slash too many', "[[issuer]]\nurl = \"$hub/\"\nkind = \"github\"\n",
			"5: [[issuer]] $hub/: $slash"],
		['another issuer', "[[issuer]]\nurl = \"$hub/other\"\nkind = \"github\"\n"],
	);

	apply($user->('alice', 'alice@example.org'));
	$t->berth_ok('issuer', 'add', $hub, '--if-missing', '--kind', 'github');
	for my $case (@cases) {
		my ($name, $toml, $doubt) = @$case;

		for my $option ('--dry-run', '--json') {
			my ($status, undef, $err) = apply("[[group]]\npath = \"doubted\"\n\n\n$toml", $option);

			is($status, 0, "$name: $option");
			is($err, defined $doubt ? "berth: warning: $file:$doubt\n" : '', '  warns');
		}
	}
	$t->psql("DELETE FROM members USING groups g WHERE group_id = g.id AND g.full_path = 'doubted'");
	$t->berth_ok('issuer', 'remove', $_) for "$hub/", "$hub/other";
};

subtest 'the last of them' => sub {
	$t->berth_ok(qw(group add owned));
	$t->berth_ok(qw(member set alice owned owner));
	my %last = (
		'owner' => ["[[member]]\nuser = \"alice\"\npath = \"owned\"\nlevel = \"none\"\n",
			qr/:1: \[\[member\]\] alice owned: user `alice` is the last owner of `owned`; .*--force/],
		'administrator' => ["[[user]]\nusername = \"bob\"\nblocked = true\n",
			qr/:1: \[\[user\]\] bob: user `bob` is the last administrator who is not blocked; .*--force/],
		'administrator, by rights' => ["[[user]]\nusername = \"bob\"\nadmin = false\n",
			qr/:1: \[\[user\]\] bob: user `bob` is the last administrator who is not blocked; .*--force/],
	);

	for my $what (sort keys %last) {
		my ($toml, $why) = @{ $last{$what} };
		$t->psql("UPDATE users SET state = 'active', is_admin = username = 'bob'");
		my $before = state_of_things();
		my ($status, undef, $err) = apply($toml);

		is($status, 1, "the last $what");
		like($err, $why, 'says so');
		is(state_of_things(), $before, 'stays');
		is((apply($toml, '--force'))[0], 0, 'goes with --force');
		isnt(state_of_things(), $before, 'is gone');
	}
	is((apply($last{owner}[0]))[1], "nothing to change\n", 'who is no member is none');

	my @people = map { "[[user]]\nusername = \"$_->[0]\"\nemail = \"$_->[0]\@example.org\"\nadmin = $_->[1]\n" }
	    ['bob', 'false'], ['nora', 'true'];
	my @owners = map { "[[member]]\nuser = \"$_->[0]\"\npath = \"owned\"\nlevel = \"$_->[1]\"\n" }
	    ['alice', 'none'], ['nora', 'owner'];
	for my $order ([0, 1], [1, 0]) {
		$t->psql("UPDATE users SET state = 'active', is_admin = username = 'bob'");
		$t->psql("DELETE FROM members USING groups g WHERE group_id = g.id AND full_path = 'owned'");
		$t->berth_ok(qw(member set alice owned owner));
		my ($status, undef, $err) = apply(join('', @people[@$order], @owners[@$order]));

		is("$status $err", '0 ', 'one goes, and another comes: ' . join(' ', @$order));
		is($t->psql('SELECT string_agg(username, \' \') FROM users WHERE is_admin'), 'nora', 'who may do all');
		is($t->psql("SELECT string_agg(username, ' ') FROM members m JOIN users u ON u.id = user_id"
		    . " JOIN groups g ON g.id = group_id WHERE full_path = 'owned' AND access_level = 50"), 'nora',
		    'who owns it');
		my $before = state_of_things();
		like((apply(join('', $people[0], map { s/true/false/r } $people[1])))[2],
		    qr/\[\[user\]\] nora: user `nora` is the last administrator/, 'if both go');
		like((apply(join('', $owners[0], map { s/"owner"/"guest"/r } $owners[1])))[2],
		    qr/\[\[member\]\] nora owned: user `nora` is the last owner/, 'the one who goes last is named');
		is(state_of_things(), $before, 'both stay');
	}
	$t->psql("UPDATE users SET is_admin = username = 'bob'");
	$t->berth_ok(qw(user unblock bob));
};

# A rule for an issuer that is disabled is allowed: it lets jobs in once the issuer is enabled.
subtest 'an issuer that is disabled' => sub {
	my $off = "$hub/off";
	my $toml = "[[issuer]]\nurl = \"$off\"\nkind = \"github\"\nenabled = false\n"
	    . "[[trust]]\nproject = \"tools/app\"\nissuer = \"$off\"\nclaims = { repository = \"a/b\" }\n";
	my ($status, undef, $err) = apply($toml);

	is("$status $err", '0 ', 'the file has a rule for it');
	is((apply($toml))[1], "nothing to change\n", 'again');
	$t->berth_ok(qw(trust add tools/app repository=c/d --issuer), $off);
	is($t->psql("SELECT count(*) FROM trust_rules r JOIN trusted_issuers i ON i.id = r.issuer_id"
	    . " WHERE url = '$off' AND NOT enabled"), 2, 'they are there');
	$t->berth_ok(qw(issuer remove), $off);
};

subtest 'standard input, JSON, nothing' => sub {
	my $toml = "[[group]]\npath = \"from-stdin\"\n"
	    . "[[project]]\npath = \"tools/app\"\nvisibility = \"internal\"\n";

	is_deeply($json->decode(($t->berth({ stdin => $toml }, qw(apply - --json)))[1]), [
		{ action => 'create', kind => 'group', name => 'from-stdin', key => undef, from => undef, to => undef },
		{ action => 'change', kind => 'project', name => 'tools/app', key => 'visibility', from => 'private',
			to => 'internal' }], 'lines as JSON');
	is(($t->berth({ stdin => $toml }, qw(apply - --json)))[1], "[]\n", 'nothing to change');
	like(($t->berth({ stdin => 'x' }, qw(apply -)))[2], qr/^berth: standard input:1: column 2: /, 'where');
	is((apply(''))[1], "nothing to change\n", 'an empty file');
};

subtest 'the order of trust rules, and the end of a membership' => sub {
	my $rules = sub { return "[[trust]]\nproject = \"tools/app\"\nissuer = \"$hub\"\n"
	    . "claims = { repository = \"acme/one\" }\ncrates = [\"$_[0]\"]\n"
	    . "[[trust]]\nproject = \"tools/app\"\nissuer = \"$hub\"\nclaims = { repository = \"acme/*\" }\n" };
	my $order = sub { return $t->psql("SELECT string_agg((claims ->> 'repository') || ' '"
	    . " || coalesce(array_to_string(crate_patterns, ','), 'all'), '; ' ORDER BY id) FROM trust_rules"
	    . " WHERE claims ->> 'repository' LIKE 'acme/%'") };

	$t->berth_ok('issuer', 'add', $hub, '--if-missing', '--kind', 'github');
	is((apply($rules->('x-*')))[0], 0, 'a narrow rule before a wide one');
	is($order->(), 'acme/one x-*; acme/* all', 'in this order');
	is((apply($rules->('y-*')))[0], 0, 'the narrow one changes');
	is($order->(), 'acme/one y-*; acme/* all', 'and stays the first that fits');
	is((apply($rules->('y-*')))[1], "nothing to change\n", 'again');
	# versions before 1.0.0-rc.1 made rules with equal claims
	$t->psql("INSERT INTO trust_rules (project_id, issuer_id, claims, crate_patterns, operations)"
	    . " SELECT project_id, issuer_id, claims, '{z}', operations FROM trust_rules"
	    . " WHERE claims ->> 'repository' LIKE 'acme/%' ORDER BY id");
	is((apply($rules->('x-*')))[0], 0, 'the narrow one changes, and each has an equal one');
	is($order->(), 'acme/one x-*; acme/* all; acme/one z; acme/* z', 'all come back');
	$t->user('ends');
	$t->berth_ok(qw(member set ends tools developer --expires 2035-01-31T20:00:00Z));
	apply("[[member]]\nuser = \"ends\"\npath = \"tools\"\nlevel = \"maintainer\"\n");
	is($t->psql("SELECT access_level, expires_at FROM members m JOIN users u ON u.id = m.user_id"
	    . " WHERE u.username = 'ends'"), '40|2035-01-31 20:00:00+00',
	    'an end that the file does not name stays');
	for (['2035-01-31T20:00:00Z', "nothing to change\n"],
		['2035-01-31', 'change member ends tools expires 2035-01-31T20:00:00Z -> 2035-01-31'
		    . "\n0 created, 1 changed\n"]) {
		my ($end, $says) = @$_;
		my @apply = "[[member]]\nuser = \"ends\"\npath = \"tools\"\nlevel = \"maintainer\"\nexpires = $end\n";

		is((apply(@apply))[1], $says, "an end of $end");
		is((apply(@apply))[1], "nothing to change\n", '  again');
	}
	is((Berth::Cluster::capture('timeout', 20, $t->build . '/berth', '-c', $t->conf_path, 'apply',
	    '/dev/zero'))[0], 1, 'a file without an end is refused');
};

subtest 'who did it' => sub {
	my $last = $t->psql('SELECT max(id) FROM audit_events');

	apply("[[group]]\npath = \"audited\"\n"
	    . "[[project]]\npath = \"audited/x\"\nvisibility = \"private\"\nmax_keywords = 1\n"
	    . "[[member]]\nuser = \"alice\"\npath = \"audited\"\nlevel = \"owner\"\n");
	is($t->psql("SELECT string_agg(action, ' ' ORDER BY id) FROM audit_events WHERE id > $last"),
	    'group.create project.create project.set member.set', 'the rows that the commands leave');
	is($t->psql("SELECT count(*) FROM audit_events WHERE id > $last AND detail ->> 'system_user' IS NULL"), 0,
	    'with the operator');
};

subtest 'two at once' => sub {
	my $toml = join('', map { "[[group]]\npath = \"many$_\"\n"
	    . "[[project]]\npath = \"many$_/x\"\nvisibility = \"private\"\n"
	    . "[[member]]\nuser = \"alice\"\npath = \"many$_\"\nlevel = \"owner\"\n" } 1 .. 20);

	Berth::Test::write_file($file, $toml);
	my @ran = at_once(map { ['apply', $file] } 1 .. 4);
	is(join(' ', map { $_->[0] } @ran), '0 0 0 0', 'all succeed');
	is_deeply([sort map { ($_->[1] =~ /(.*)\n\z/)[0] } @ran],
	    ['60 created, 0 changed', ('nothing to change') x 3], 'one does it, the others find it done');
	is($t->psql("SELECT count(*) FROM projects WHERE full_path LIKE 'many%'"), 20, 'once');
};

subtest 'the example of the manual' => sub {
	my ($example) = Berth::Cluster::slurp('fcgi/man/berth.1')
	    =~ /^\.Li registry\.toml\n.*?^\.Bd -literal\n(.*?)^\.Ed/ms
	    or return fail('there is one');

	$example =~ s/\\&//g;
	my ($status, $out, $err) = apply($example);
	is("$status $err", '0 ', 'works as it stands there');
	like($out, qr/^\d+ created, 0 changed$/m, 'creates all of it');
	unlike($out, qr/^change/m, 'and changes nothing');
	is((apply($example))[1], "nothing to change\n", 'again');
	like($example, qr/^\[\[$_->[0]\]\]$/m, "has a $_->[0]") for @kinds;
};

subtest 'the file that is installed' => sub {
	my $u = Berth::Test->new;
	my $sample = "$Berth::Cluster::ROOT/conf/registry.toml";

	$u->berth_ok('apply', $sample);
	is($u->psql('SELECT username, is_admin FROM users'), 'alice|t', 'the first administrator');
	is($u->psql('SELECT full_path, visibility FROM projects'), 'tools/crates|private', 'the first project');
	my $events = $u->psql('SELECT count(*) FROM audit_events');
	$u->berth_ok('apply', $sample);
	is($u->psql('SELECT count(*) FROM audit_events'), $events, 'nothing changes a second time');
	like($u->berth_ok(qw(token add --user alice --scopes api)), qr/^berth_pat_/, 'a token for her');
};

done_testing();
