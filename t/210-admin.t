#!/usr/bin/perl

# The admin command: what each subcommand prints, as text and as JSON, its exit
# statuses, and what it refuses.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path);
use JSON::PP ();
use Test::More;

use Berth::Crate;
use Berth::Test;

my $t = Berth::Test->new;
my $token_form = qr/berth_pat_[\w-]{74}/;

# It succeeds, says nothing on standard error; returns standard output.
sub works {
	my ($name, @args) = @_;
	my ($status, $out, $err) = $t->berth(@args);

	is($status, 0, "$name: exit status");
	is($err, '', "$name: nothing on standard error");
	return $out;
}

# As works(), for what prints an id alone; returns the id.
sub id_of {
	my ($name, @args) = @_;
	my $out = works($name, @args);

	like($out, qr/\A[1-9]\d*\n\z/, "$name: prints an id alone");
	chomp $out;
	return $out;
}

sub json_of {
	my ($name, @args) = @_;
	my $out = works($name, @args, '--json');

	is($out =~ tr/\n//, 1, "$name: one line");
	return JSON::PP->new->utf8->decode($out);
}

sub fails {
	my ($name, $want, $why, @args) = @_;
	my ($status, $out, $err) = $t->berth(@args);

	is($status, $want, "$name: exit status");
	is($out, '', "$name: nothing on standard output");
	like($err, $why, "$name: says why");
	unlike($err, qr/\b(?:22|23)\d{3}\b|database:/, "$name: in our own words") if $want == 2;
	is($err =~ /^usage: /m ? 1 : 0, $want == 2 ? 1 : 0, "$name: usage only where it helps");
}

# What the command prints at a terminal, standard error included.
sub at_terminal {
	my (@args) = @_;
	my ($status, $out) = Berth::Cluster::capture({ env => { BERTH_CONF => $t->conf_path } },
	    qw(script --quiet --return --command), join(' ', ($ENV{BERTH_BUILD} // 'build') . '/berth', @args),
	    '/dev/null');

	is($status, 0, "@args at a terminal: exit status");
	return $out =~ s/\r\n/\n/gr;
}

subtest 'users' => sub {
	my $alice = id_of('add', qw(user add alice --email alice@example.org --name), 'Alice Ä');
	my $root = json_of('add, JSON', qw(user add root --email=root@example.org --admin));

	is_deeply($root, { id => $alice + 1, username => 'root', name => 'root',
		email => 'root@example.org', is_admin => JSON::PP::true, state => 'active' }, 'what it was given');
	fails('the same', 1, qr/user `alice` already exists/, qw(user add alice --email a@b));
	fails('another case', 1, qr/user `Alice` already exists/, qw(user add Alice --email a@b));
	fails('no e-mail', 2, qr/--email EMAIL is missing/, qw(user add bob));
	fails('bad e-mail', 2, qr/`bob` is not an e-mail/, qw(user add bob --email bob));
	fails('e-mail with a space', 2, qr/not an e-mail/, qw(user add bob --email), 'a b@c');
	fails('no name', 2, qr/^berth: NAME is missing$/m, qw(user add --email a@b));
	fails('two names', 2, qr/unexpected argument `c`/, qw(user add b c --email a@b));
	fails('a slash', 2, qr/username `a\/b`/, qw(user add a/b --email a@b));
	fails('a dot first', 2, qr/username `\.a` may contain only/, qw(user add .a --email a@b));
	fails('an empty name', 2, qr/username is empty/, 'user', 'add', '', '--email', 'a@b');
	fails('beyond ASCII', 2, qr/username/, 'user', 'add', "\xc3\xa9", '--email', 'a@b');
	fails('no UTF-8', 2, qr/name is not valid UTF-8/, qw(user add b --email a@b --name), "\xff");
	fails('a control character', 2, qr/name holds a control/, qw(user add b --email a@b --name), "a\nb");
	id_of('255 bytes', 'user', 'add', 'x' x 255, qw(--email a@b --name), 'n' x 255);
	fails('256 bytes', 2, qr/longer than 255/, 'user', 'add', 'x' x 256, qw(--email a@b));
	fails('256 characters', 2, qr/name is longer than 255/, qw(user add b --email a@b --name), 'n' x 256);
	is(id_of('block', qw(user block ALICE)), $alice, 'block: the id');
	is($t->psql("SELECT state FROM users WHERE id = $alice"), 'blocked', 'blocked');
	is(id_of('block again', qw(user block alice)), $alice, 'twice does no harm');
	is_deeply(json_of('unblock', qw(user unblock alice)),
	    { id => $alice + 0, username => 'alice', state => 'active' }, 'unblock, JSON');
	is(at_terminal(qw(user block alice)), "id: $alice\nusername: alice\nstate: blocked\n",
	    'a person at a terminal sees what it is now');
	is(at_terminal(qw(user unblock alice --json)), '{"id":' . $alice . ',"username":"alice","state":"active"}'
	    . "\n", 'as JSON it is the same at a terminal');
	fails('nobody', 1, qr/user `nobody` does not exist/, qw(user block nobody));
	my $set = sub { json_of("set @_", qw(user set ALICE), @_) };
	is_deeply($set->('name=A = b', 'email=a@b', 'admin=true'), { id => $alice + 0, username => 'alice',
		name => 'A = b', email => 'a@b', is_admin => JSON::PP::true, state => 'active' }, 'what it is now');
	is(id_of('set', qw(user set alice admin=false)), $alice, 'set: the id');
	is_deeply($set->("name=Alice \xc3\x84", 'email=alice@example.org'), { id => $alice + 0, username => 'alice',
		name => "Alice \x{c4}", email => 'alice@example.org', is_admin => JSON::PP::false, state => 'active' },
	    'and back');
	fails('set: no e-mail', 2, qr/`bob` is not an e-mail/, qw(user set alice email=bob));
	fails('set: an unknown key', 2, qr/`state=x` must be KEY=VALUE; KEY is email, name or admin/,
	    qw(user set alice state=x));
	fails('set: blocked has its own commands', 2, qr/must be KEY=VALUE/, qw(user set alice blocked=true));
	fails('set: no value', 2, qr/must be KEY=VALUE/, qw(user set alice name));
	fails('set: neither', 2, qr/admin must be true or false, not `yes`/, qw(user set alice admin=yes));
	fails('set: nobody', 1, qr/user `nobody` does not exist/, qw(user set nobody name=x));
	my $list = json_of('list', qw(user list));
	is_deeply([map { $_->{username} } @$list], ['alice', 'root', 'x' x 255], 'list');
	is($list->[0]{name}, "Alice \x{c4}", 'a name beyond ASCII') or diag($list->[0]{name});
	like($list->[0]{created_at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'a time');
	like(works('list as text', qw(user list)), qr/^id +username .*\n$alice +alice +active +false /m, 'a table');
};

subtest 'groups' => sub {
	my $a = id_of('top', qw(group add tools));
	my $b = id_of('nested', qw(group add tools/Sub));
	my $c = json_of('deeper', qw(group add Tools/SUB/leaf))->{id};

	is($t->psql("SELECT full_path, ancestor_ids FROM groups WHERE id = $c"), "tools/Sub/leaf|{$a,$b,$c}",
	    'the spelling of its parents, itself and all above it');
	fails('the same', 1, qr/`TOOLS` exists already/, qw(group add TOOLS));
	fails('no parent', 1, qr/group `none` does not exist/, qw(group add none/x));
	fails('an empty part', 2, qr/is empty/, qw(group add tools//x));
	fails('a slash at the end', 2, qr/is empty/, qw(group add tools/));
	fails('dots', 2, qr/`\.\.`/, qw(group add tools/..));
	fails('too deep', 2, qr/more than 20 levels/, qw(group add), join('/', ('a') x 21));
	fails('20 levels without parents', 1, qr/does not exist/, qw(group add), join('/', ('a') x 20));
	fails('too long', 2, qr/longer than 1024/, qw(group add), join('/', ('a' x 204) x 5, 'a'));
	is(join(' ', map { $_->{full_path} } @{ json_of('list', qw(group list)) }),
	    'tools tools/Sub tools/Sub/leaf', 'list');
};

subtest 'projects' => sub {
	my $id = id_of('add', qw(project add tools/registry --visibility private));

	is_deeply(json_of('show', qw(project show TOOLS/Registry)), { id => $id + 0,
		full_path => 'tools/registry', visibility => 'private', packages_enabled => JSON::PP::true,
		public_packages => JSON::PP::false, anonymous_networks => '', readme_images => JSON::PP::false,
		created_at => json_of('list', qw(project list))->[0]{created_at} }, 'show');
	fails('the same', 1, qr/exists already/, qw(project add Tools/REGISTRY --visibility public));
	fails('the path of a group', 1, qr/exists already/, qw(project add tools/sub --visibility public));
	fails('a group with its path', 1, qr/exists already/, qw(group add tools/Registry));
	fails('no group', 1, qr/group `none` does not exist; --parents creates/,
	    qw(project add none/x --visibility public));
	id_of('with the groups above it', qw(project add new/Deep/one --visibility private --parents));
	id_of('of which some are there', qw(project add new/deep/er/two --visibility private --parents));
	is(join(' ', grep { /^new/ } map { $_->{full_path} } @{ json_of('list', qw(group list)) }),
	    'new new/Deep new/Deep/er', 'groups that were missing');
	fails('below a project', 1, qr/exists already|does not exist/,
	    qw(project add tools/registry/x --visibility public --parents));
	fails('groups above a project that cannot be', 2, qr/not `secret`/,
	    qw(project add fresh/group/x --visibility secret --parents));
	is($t->psql("SELECT count(*) FROM groups WHERE full_path LIKE 'fresh%'"), 0, 'are not made either');
	fails('not in a group', 2, qr/must be GROUP\/NAME/, qw(project add x --visibility public));
	fails('no visibility', 2, qr/--visibility \S+ is missing/, qw(project add tools/x));
	fails('bad visibility', 2, qr/not `secret`/, qw(project add tools/x --visibility secret));
	for my $visibility (qw(internal public private)) {
		is(id_of($visibility, qw(project set tools/registry), "visibility=$visibility"), $id, 'set: the id');
		is(json_of('show', qw(project show tools/registry))->{visibility}, $visibility, $visibility);
	}
	id_of('two at once', qw(project set tools/registry packages_enabled=false public_packages=true));
	is($t->psql("SELECT packages_enabled, public_packages, visibility FROM projects WHERE id = $id"),
	    'f|t|private', 'both, and nothing else');
	is(json_of('on', qw(project set tools/registry packages_enabled=on public_packages=off))
	    ->{packages_enabled}, JSON::PP::true, 'on and off');
	for my $place ([project => 'tools/registry'], [group => 'tools']) {
		my ($noun, $path) = @$place;

		id_of("networks of a $noun", $noun, 'set', $path, "anonymous_networks= 192.0.2.0/24\t2001:db8::/32 ");
		is(json_of('show', $noun, 'show', $path)->{anonymous_networks}, '192.0.2.0/24 2001:db8::/32', 'shown');
		fails("$_ is no network", 2, qr/anonymous_networks: `\Q$_\E` is neither/, $noun, 'set', $path,
		    "anonymous_networks=10.0.0.0/8 $_") for qw(192.0.2.1/24 192.0.2.0/33 example.org);
		fails("$_ is as good as public",
		    2, qr/`\Q$_\E` covers too much of the Internet; use the visibility `public`/, $noun, 'set', $path,
		    "anonymous_networks=::1 $_") for qw(0.0.0.0/0 ::/0 2000::/3);
		fails('too many', 2, qr/more than 64/, $noun, 'set', $path,
		    'anonymous_networks=' . join(' ', map { "192.0.2.$_" } 1 .. 65));
		is(json_of('show', $noun, 'show', $path)->{anonymous_networks}, '192.0.2.0/24 2001:db8::/32', 'unchanged');
		id_of('none', $noun, 'set', $path, 'anonymous_networks=');
		is(json_of('show', $noun, 'show', $path)->{anonymous_networks}, '', 'no network');
	}
	id_of('images', qw(project set tools/registry readme_images=on));
	is(json_of('show', qw(project show tools/registry))->{readme_images}, JSON::PP::true, 'shown');
	fails('no such key', 2, qr/unknown key `colour`/, qw(project set tools/registry colour=red));
	fails('no value', 2, qr/must be KEY=VALUE/, qw(project set tools/registry visibility));
	fails('bad value', 2, qr/must be true or false/, qw(project set tools/registry public_packages=1));
	fails('nothing to set', 2, qr/^berth: KEY=VALUE is missing$/m, qw(project set tools/registry));
	fails('a bad one changes nothing', 2, qr/unknown key/,
	    qw(project set tools/registry visibility=public x=y));
	is(json_of('show', qw(project show tools/registry))->{visibility}, 'private', 'unchanged');
	fails('unknown', 1, qr/project `tools\/x` does not exist/, qw(project set tools/x visibility=public));
	fails('unknown', 1, qr/project `tools\/x` does not exist/, qw(project show tools/x));
	like(works('show as text', qw(project show tools/registry)), qr/^visibility: private$/m, 'text');
	like(works('list as text', qw(project list)), qr/^$id +tools\/registry +private +true +false /m, 'table');
	id_of('a mirror', qw(project add tools/mirror --visibility private --mirror crates-io));
	my %mirror = map { $_->{full_path} => $_->{mirror_url} } @{ json_of('list', qw(project list)) };
	is_deeply([@mirror{qw(tools/mirror tools/registry)}], ['crates-io', undef], 'which of them are mirrors');
	like(works('list as text', qw(project list)), qr/ tools\/mirror .* crates-io$/m, 'as text, too');
};

subtest 'what may be published into a project' => sub {
	my %own = (max_crate_size => '9m', max_unpacked_size => '1g', max_entries => '7', max_dependencies => '0',
		max_features => '10000', max_keywords => '6', max_categories => '1000',
		required_metadata => 'description license', strict_metadata => 'license',
		reserved_names => 'house In_House',
		allowed_registries => '*', mirror_url => 'crates-io');
	my $policy = "SELECT policy FROM projects WHERE full_path = 'tools/registry'";
	my @set = qw(project set tools/registry);

	is($t->psql($policy), '{}', 'nothing at first');
	id_of('all at once', @set, map { "$_=$own{$_}" } sort keys %own);
	is_deeply(JSON::PP->new->decode(scalar $t->psql($policy)), \%own, 'is kept as it was given');
	my $shown = json_of('show', qw(project show tools/registry));
	is_deeply({ map { ($_ => $shown->{$_}) } keys %own }, \%own, 'and shown');
	like(works('show as text', qw(project show tools/registry)), qr/^reserved_names: house In_House$/m,
	    'as text');
	is(json_of('set, JSON', @set, 'max_entries=8')->{max_entries}, '8', 'another value');
	id_of('with another key', @set, 'visibility=private', 'max_entries=');
	is_deeply([map { exists json_of('show', qw(project show tools/registry))->{$_} ? 1 : 0 }
	    qw(max_entries max_features)], [0, 1], 'empty: that key is the configuration\'s again');
	id_of('default', @set, map { "$_=default" } keys %own);
	is($t->psql($policy), '{}', 'default: all are');
	id_of('an empty list', @set, 'required_metadata=""');
	is($t->psql($policy), '{"required_metadata": "\\"\\""}', 'is none of those');
	id_of('back', @set, 'required_metadata=');

	for my $case (
		['max_crate_size=1023', qr/max_crate_size must be from 1024 to 4294967295/],
		['max_crate_size=10485761',
		    qr/cannot be larger than in the configuration, 10485760, because nginx enforces that limit/],
		['max_crate_size=11m', qr/cannot be larger/],
		['max_unpacked_size=1k5', qr/max_unpacked_size must be a number of bytes, or .*: `1k5`$/m],
		['max_entries=0', qr/max_entries must be from 1 to 1000000/],
		['max_dependencies=10001', qr/max_dependencies must be from 0 to 10000/],
		['max_features=-1', qr/max_features must be a number/],
		['max_keywords=1001', qr/max_keywords must be from 0 to 1000/],
		['max_categories=99999999999999999999', qr/max_categories is too large/],
		['required_metadata=description,license',
		    qr/required_metadata must be a list of these words: description license readme/],
		['reserved_names=a b,c', qr/reserved_names must be names of crates/],
		["reserved_names=\xff", qr/reserved_names must be UTF-8/],
		['allowed_registries=crates-io', qr/allowed_registries must be index URLs/],
		['max_metadata_size=1k', qr/unknown key `max_metadata_size`; the keys are visibility, .*max_crate_size, /],
		['workers=3', qr/unknown key `workers`/],
		['max_entries', qr/must be KEY=VALUE/],
	) {
		fails($case->[0], 2, $case->[1], @set, 'max_features=1', $case->[0]);
	}
	is($t->psql($policy), '{}', 'what is refused changes nothing, also not beside it');
	id_of('as large as the configuration', @set, 'max_crate_size=10m');
	my ($status, $out) = $t->berth({ env => { BERTH_CONF => '' } }, '--database', $t->dsn('berth'), @set,
	    'max_crate_size=1g');
	is($status, 0, 'without a configuration there is nothing to compare with');
	id_of('back', @set, 'max_crate_size=default');
};

subtest 'a group and a project that want one path at once' => sub {
	# the loser's sentence does not belong into the output of the test
	my @berth = ('sh', '-c', 'BERTH_CONF=$0 exec "$@" 2> /dev/null', $t->conf_path,
	    $t->build . '/berth');

	for my $round (1 .. 5) {
		my @runs = map {
			open(my $fh, '-|', @berth, @$_) or die "berth: $!\n";
			$fh;
		} ['group', 'add', "tools/race$round"],
		    ['project', 'add', "tools/race$round", '--visibility', 'public'];
		my @ids = grep { length } map { my $fh = $_; local $/; scalar <$fh> // '' } @runs;

		is(scalar @ids, 1, "round $round: one of them gets it");
	}
};

subtest 'members' => sub {
	my %level = (guest => 10, reporter => 20, developer => 30, maintainer => 40, owner => 50);
	my $alice = json_of('users', qw(user list))->[0]{id};
	my $row = "SELECT access_level, expires_at AT TIME ZONE 'UTC' FROM members WHERE user_id = $alice";

	for my $word (sort keys %level) {
		is(id_of($word, qw(member set alice tools/sub), $word, '--force'), $alice, "$word: the user's id");
		is($t->psql($row), "$level{$word}|", "$word: the row");
	}
	id_of('until', qw(member set ALICE TOOLS/SUB owner --expires 2031-02-28));
	is($t->psql($row), '50|2031-02-28 00:00:00', 'until that day begins');
	id_of('until a moment', qw(member set alice tools/sub owner --expires 2032-02-29T12:34:56Z));
	is($t->psql($row), '50|2032-02-29 12:34:56', 'until that moment');
	id_of('for ever', qw(member set alice tools/sub guest --force));
	is($t->psql($row), '10|', 'without end again');
	is_deeply(json_of('in a project', qw(member set alice tools/registry developer --expires 2031-01-01)),
	    { id => $alice, username => 'alice', full_path => 'tools/registry', access_level => 30,
		level => 'developer', expires_at => '2031-01-01T00:00:00Z' }, 'in a project, JSON');
	my $list = json_of('list', qw(member list));
	is(join(' ', map { "$_->{full_path}:$_->{level}" } @$list),
	    'tools/registry:developer tools/Sub:guest', 'list') or diag(explain($list));
	is(scalar @{ json_of('list of one', qw(member list tools/sub)) }, 1, 'list of one place');
	is(scalar @{ json_of('list of none', qw(member list tools)) }, 0, 'not of what lies below');
	id_of('none', qw(member set alice tools/sub none));
	is($t->psql("SELECT count(*) FROM members"), 1, 'the other one stays');
	fails('no such level', 2, qr/not `king`/, qw(member set alice tools king));
	fails('a number', 2, qr/not `30`/, qw(member set alice tools 30));
	fails('no such user', 1, qr/user `nobody` does not exist/, qw(member set nobody tools guest));
	fails('no such place', 1, qr/no group or project `toolz`/, qw(member set alice toolz guest));
	fails('no such place', 1, qr/no group or project `toolz`/, qw(member list toolz));
	fails('none until', 2, qr/the level `none` ends a membership, so leave out expires/,
	    qw(member set alice tools none --expires 2031-01-01));
	for my $date ('2031-02-30', '2031-13-01', '2031-1-1', '31-01-01', 'tomorrow', '', '2031-01-01T24:00:00Z',
		'2031-01-01 ', '2031-01-01T00:00:00', '1970-12-31', '2031-00-10', '2031-01-00') {
		fails("date `$date`", 2, qr/date/, qw(member set alice tools guest --expires), $date);
	}
};

subtest 'tokens' => sub {
	my $out = works('add', qw(token add --user alice --scopes api));
	like($out, qr/\A$token_form\n\z/, 'prints the token alone');
	chomp(my $token = $out);
	my $more = json_of('add, JSON', qw(token add --user ALICE --expires 2031-01-31 --scopes),
	    'read_api,api', '--name', 'a laptop');
	like($more->{token}, qr/\A$token_form\z/, 'the token');
	isnt($more->{token}, $token, 'another one');
	is_deeply($more->{scopes}, ['api', 'read_api'], 'scopes');
	is($more->{expires_at}, '2031-01-31T00:00:00Z', 'end');
	fails('an end that is past', 2, qr/the date 2020-01-31 is past/,
	    qw(token add --user alice --scopes api --expires 2020-01-31));
	fails('of a deploy token', 2, qr/the date 2020-01-31 is past/,
	    qw(token add --deploy tools --scopes read_package_registry --expires 2020-01-31));

	require Digest::SHA;
	is($t->psql("SELECT id FROM tokens WHERE handle = '" . Berth::Test::token_handle($more->{token}) . "'"),
	    $more->{id}, 'the database has the digest');
	my ($dump) = join("\n", $t->psql('SELECT t FROM tokens t'));
	unlike($dump, $token_form, 'and not the token');

	my $list = json_of('list', qw(token list --user Alice));
	is(join(' ', map { join('/', $_->{kind}, $_->{user}, @{ $_->{scopes} }) } @$list),
	    'personal/alice/api personal/alice/api/read_api', 'list');
	is($list->[1]{name}, 'a laptop', 'name');
	is($list->[0]{expires_at}, undef, 'no end');
	is($list->[$_]{slot}, substr(Berth::Test::token_handle($_ ? $more->{token} : $token), 0, 2),
	    "token $_: the slot of its key") for 0, 1;
	$t->psql("UPDATE tokens SET handle = NULL WHERE id = $list->[0]{id}");
	is_deeply([map { $_->{slot} } @{ json_of('list', qw(token list --user Alice)) }], [undef, $list->[1]{slot}],
	    'the old form has none');
	is(scalar @{ json_of('of another', qw(token list --user root)) }, 0, 'another user has none');
	fails('of nobody', 1, qr/user `nobody` does not exist/, qw(token list --user nobody));
	unlike(works('list', qw(token list)) . works('list', qw(token list --json)), $token_form,
	    'no list shows a token');

	is(id_of('revoke', qw(token revoke), $more->{id}), $more->{id}, 'revoked by id');
	my $when = $t->psql("SELECT revoked_at FROM tokens WHERE id = $more->{id}");
	isnt($when, '', 'it is');
	id_of('revoke again', qw(token revoke), $more->{id});
	is($t->psql("SELECT revoked_at FROM tokens WHERE id = $more->{id}"), $when, 'the time stays');
	is_deeply(json_of('revoke from standard input', { stdin => "$token\r\n" }, qw(token revoke)),
	    { id => $list->[0]{id}, revoked => JSON::PP::true }, 'revoked by the token itself');
	is($t->psql('SELECT count(*) FROM tokens WHERE revoked_at IS NULL'), 0, 'both are');

	fails('unknown id', 1, qr/no such token/, qw(token revoke 999999));
	fails('no id', 2, qr/`x1` is not a valid id/, qw(token revoke x1));
	fails('id 0', 2, qr/not a valid id/, qw(token revoke 0));
	fails('too long', 2, qr/not a valid id/, qw(token revoke 9999999999999999999));
	fails('as an argument', 2, qr/standard input/, qw(token revoke), $token);
	fails('empty input', 2, qr/must hold one token/, { stdin => '' }, qw(token revoke));
	fails('other input', 2, qr/must hold one token/, { stdin => "glpat-xyz\n" }, qw(token revoke));
	fails('two tokens', 2, qr/must hold one token/, { stdin => "$token\n$token\n" }, qw(token revoke));
	fails('NUL', 2, qr/must hold one token/, { stdin => "$token\0" }, qw(token revoke));
	(my $other = $token) =~ s/(.)$/$1 eq 'a' ? 'b' : 'a'/e;
	fails('mistyped', 2, qr/must hold one token/, { stdin => $other }, qw(token revoke));
	fails('nobody', 1, qr/user `nobody` does not exist/, qw(token add --user nobody --scopes api));
	works('block', qw(user block alice));
	fails("blocked, @$_", 1, qr/\Aberth: user `alice` is blocked: `berth user unblock alice` unblocks/,
	    qw(token add --user alice), @$_)
	    for [qw(--scopes api)], [qw(--job tools/registry --job 1 --pipeline 17 --ttl 60)];
	works('unblock', qw(user unblock alice));
	fails('no scope', 2, qr/--scopes \S+ is missing/, qw(token add --user alice));
	fails('unknown scope', 2, qr/no scope `sudo`/, qw(token add --user alice --scopes), 'api,sudo');
	fails('empty scope', 2, qr/no scope ``/, qw(token add --user alice --scopes), 'api,');
	fails('part of a scope', 2, qr/no scope `ap`/, qw(token add --user alice --scopes ap));
	fails('a deploy token of a user', 2, qr/no option --user here\nusage: berth token add --deploy/,
	    qw(token add --deploy tools --user alice --scopes read_package_registry));
	fails('a name of two lines', 2, qr/control character/,
	    qw(token add --user alice --scopes api --name), "a\nb");
};

subtest 'limits of tokens' => sub {
	my @add = qw(token add --user alice --scopes api);
	my $limited = json_of('add', @add, '--crates', 'Foo_Bar,foo-*,*', '--operations', 'yank,publish-new,yank');

	is_deeply($limited->{crates}, ['foo-bar', 'foo-*', '*'], 'patterns in normal form');
	is_deeply($limited->{operations}, ['publish-new', 'yank'], 'operations');
	is($t->psql("SELECT crate_patterns, operations FROM tokens WHERE id = $limited->{id}"),
	    '{foo-bar,foo-*,*}|{publish-new,yank}', 'the row');
	my ($listed) = grep { $_->{id} == $limited->{id} } @{ json_of('list', qw(token list --user alice)) };
	is_deeply([@{$listed}{qw(crates operations namespace)}],
	    [['foo-bar', 'foo-*', '*'], ['publish-new', 'yank'], undef], 'listed');
	my $plain = json_of('without', @add);
	is_deeply([@{$plain}{qw(crates operations)}], [undef, undef], 'no limit is null');
	id_of('revoke', qw(token revoke), $_->{id}) for $limited, $plain;
	for my $pattern ('', 'a,', ',a', 'a b', '*a', 'a**', '9a', '_a', 'a.b', 'a%', 'x' x 65, "\xc3\xa9") {
		fails("crates `$pattern`", 2, qr/is neither a crate's name nor/, @add, '--crates', $pattern);
	}
	json_of('100 patterns', @add, '--crates', join(',', map { "c$_" } 1 .. 100));
	fails('101 patterns', 2, qr/at most 100/, @add, '--crates', join(',', map { "c$_" } 1 .. 101));
	fails('no such operation', 2,
	    qr/no operation `publish`; a user's token has publish-new, publish-update, yank or owners/,
	    @add, '--operations', 'publish');
	fails('an empty one', 2, qr/no operation ``/, @add, '--operations', 'yank,');
	for my $limit (['--crates', 'a'], ['--operations', 'yank']) {
		fails("$limit->[0] with read_api", 2, qr/need the scope api; .* scope read_api: leave these options out/,
		    qw(token add --user alice --scopes read_api), @$limit);
	}
};

subtest 'tokens of groups and projects' => sub {
	my $out = works('add', qw(token add --deploy tools --scopes read_package_registry));
	like($out, qr/\Aberth_dep_[\w-]{74}\n\z/, 'prints the token alone');
	my $more = json_of('of a project', qw(token add --name servers --deploy TOOLS/Registry --expires 2031-01-31),
	    '--scopes', 'write_package_registry,read_package_registry');
	is_deeply([@{$more}{qw(user namespace name expires_at)}],
	    [undef, 'TOOLS/Registry', 'servers', '2031-01-31T00:00:00Z'], 'what was asked');
	is_deeply($more->{scopes}, ['read_package_registry', 'write_package_registry'], 'scopes');
	is_deeply([map { [@{$_}{qw(user namespace crates)}] } grep { $_->{kind} eq 'deploy' }
	    @{ json_of('list', qw(token list)) }],
	    [[undef, 'tools', undef], [undef, 'tools/registry', undef]], 'listed with their places');
	is($t->psql("SELECT user_id IS NULL, t.group_id IS NULL, full_path FROM tokens t"
	    . " JOIN projects p ON p.id = project_id WHERE t.id = $more->{id}"), 't|t|tools/registry', 'the row');
	my @read = qw(--scopes read_package_registry);
	fails('nowhere', 1, qr/no group or project `none`/, qw(token add --deploy none), @read);
	fails('a bad path', 2, qr/path is empty or has an empty part/, qw(token add --deploy a//b), @read);
	fails('a scope of users', 2, qr/no scope `api`; a deploy token has/,
	    qw(token add --deploy tools --scopes api));
	fails('no scope', 2, qr/--scopes \S+ is missing/, qw(token add --deploy=tools));
	fails('limits', 2, qr/no option --crates here/, qw(token add --deploy tools --crates a), @read);
};

subtest 'tokens of jobs' => sub {
	my @job = qw(--job tools/registry --user alice --pipeline 17 --job 423);
	my $out = works('add', qw(token add), @job, qw(--ttl 60));
	like($out, qr/\Aberth_job_[\w-]{74}\n\z/, 'prints the token alone');
	my $more = json_of('with everything',
	    qw(token add --ttl=2592000 --ref main --commit abc --job-url https://ci.example/1),
	    @job, qw(--name nightly));
	is_deeply([@{$more}{qw(user namespace pipeline job name)}], ['alice', 'tools/registry', 17, 423, 'nightly'],
	    'what was asked');
	is_deeply($more->{scopes}, [], 'no scopes');
	is($t->psql("SELECT round(extract(epoch FROM expires_at - created_at)), pipeline, job, job_url, ref, commit"
	    . " FROM tokens WHERE id = $more->{id}"), '2592000|17|423|https://ci.example/1|main|abc', 'the row');
	my ($listed) = grep { $_->{id} == $more->{id} } @{ json_of('list', qw(token list)) };
	is_deeply([@{$listed}{qw(kind user namespace pipeline job job_url ref commit)}],
	    ['job', 'alice', 'tools/registry', 17, 423, 'https://ci.example/1', 'main', 'abc'], 'listed');
	like(works('the two --job in the other order',
	    qw(token add --job 423 --job tools/registry --user alice --pipeline 17 --ttl 60)),
	    qr/\Aberth_job_/, 'are told apart');
	my %good = (user => 'alice', pipeline => 17, ttl => 60);
	for my $case (
		[2, qr/--ttl must be a number/, ttl => '1h'],
		[2, qr/--ttl must be from 1 to 2592000/, ttl => 0],
		[2, qr/--ttl must be from 1 to 2592000/, ttl => 2592001],
		[2, qr/--pipeline must be a number/, pipeline => -1],
		[2, qr/--pipeline must be from 1/, pipeline => 0],
		[2, qr/--pipeline must be a number/, pipeline => '9' x 19],
		[1, qr/user `nobody` does not exist/, user => 'nobody'],
		[2, qr/ref holds a control/, ref => "a\nb"],
		[2, qr/commit is not valid UTF-8/, commit => "\xff"],
		[2, qr/job_url is longer/, 'job-url' => 'x' x 256],
	) {
		my ($status, $why, $key, $value) = @$case;
		my %given = (%good, $key => $value);

		fails("$key `$value`", $status, $why, qw(token add --job tools/registry --job 423),
		    map { ("--$_", $given{$_}) } sort keys %given);
	}
	my @rest = qw(--user alice --pipeline 17 --ttl 60);
	fails('no such project', 1, qr/project `tools\/none` does not exist/,
	    qw(token add --job tools/none --job 1), @rest);
	fails('a group', 1, qr/project `tools` does not exist/, qw(token add --job tools --job 1), @rest);
	fails('no number', 2, qr/--job N is missing/, qw(token add --job tools/registry), @rest);
	fails('three', 2, qr/--job is given twice/, qw(token add --job a/b --job 1 --job 2), @rest);
	fails('two paths', 2, qr/--job must be a number/, qw(token add --job a/b --job c/d), @rest);
	fails('scopes', 2, qr/no option --scopes here/, qw(token add --job tools/registry --job 1 --scopes api),
	    @rest);
};

subtest 'whose jobs a project lets in' => sub {
	my @allow = qw(project allow tools/registry);
	my $id = json_of('show', qw(project show tools/registry))->{id};
	my $allowed = sub {
		return [@{ json_of('show', qw(project show TOOLS/registry)) }{qw(job_token_read_packages
		    job_token_admin_packages)}];
	};

	id_of('another project', qw(project add tools/app --visibility private));
	is_deeply($allowed->(), [undef, undef], 'nobody else at first');
	is(id_of('allow', @allow, qw(--from tools/APP)), $id, 'the id');
	is_deeply($allowed->(), [['tools/app'], []], 'to read');
	is_deeply(json_of('again', @allow, qw(--from tools/app --policies),
	    'admin_packages,read_packages')->{policies}, ['read_packages', 'admin_packages'], 'with other policies');
	is_deeply($allowed->(), [['tools/app'], ['tools/app']], 'replaces them');
	id_of('a group', @allow, qw(--from tools/sub));
	is_deeply($allowed->(), [['tools/app', 'tools/Sub'], ['tools/app']], 'and a group');
	like(works('show as text', qw(project show tools/registry)),
	    qr/^job_token_read_packages: tools\/app,tools\/Sub$/m, 'text');
	is(id_of('disallow', qw(project disallow tools/registry --from tools/app)), $id, 'the id');
	is_deeply($allowed->(), [['tools/Sub'], []], 'the other one stays');
	fails('itself', 2, qr/need no entry/, @allow, qw(--from tools/registry));
	fails('nowhere', 1, qr/no group or project `none`/, @allow, qw(--from none));
	fails('no such project', 1, qr/project `tools\/none`/, qw(project allow tools/none --from tools));
	fails('no such policy', 2, qr/no policy `write`; an allow-list has read_packages or admin_packages/,
	    @allow, qw(--from tools --policies write));
	fails('from where', 2, qr/--from \S+ is missing/, @allow);
	$t->psql("INSERT INTO projects (group_id, path, full_path) SELECT g.id, 'n' || i, 'tools/n' || i"
	    . " FROM groups g, generate_series(1, 199) i WHERE full_path = 'tools'");
	$t->psql("INSERT INTO job_token_allowlist (project_id, from_project_id, policies)"
	    . " SELECT $id, id, '{read_packages}' FROM projects WHERE full_path LIKE 'tools/n%'");
	fails('one too many', 2, qr/at most 200/, @allow, qw(--from tools));
	id_of('but one that is there', @allow, qw(--from tools/sub --policies admin_packages));
	id_of('and one can go', qw(project disallow tools/registry --from tools/sub));
	id_of('for another', @allow, qw(--from tools));
	$t->psql('DELETE FROM job_token_allowlist');
	$t->psql("DELETE FROM projects WHERE full_path LIKE 'tools/n%'");
};

# Each command that removes something, where there is nothing: one that removes an object by its name or id
# fails, and one that brings a state about succeeds, and says that nothing was there.
subtest 'nothing to remove' => sub {
	my $fails = sub { return [1, qr/\Aberth: .*$_[0]/] };
	my $says = sub { return [0, qr/\Aberth: $_[0], so nothing has changed\n\z/] };
	my $p = 'tools/registry';
	my %commands = (
		'user unpin alice' => $says->('the user had no pin'),
		"project unpin $p" => $says->('the project had no pin'),
		"project disallow $p --from tools/app" => $says->('the project had no such permission'),
		'flag unset writes' => $says->('the flag had no such setting'),
		"flag unset writes --project $p" => $says->('the flag had no such setting'),
		'member set root tools/app none' => $says->('the user was not a member there'),
		"protect remove $p 99" => $fails->('has no protection rule 99'),
		'token revoke 999999' => $fails->('no such token exists'),
		'issuer remove https://none.example' => $fails->('there is no issuer'),
		"trust remove $p 99" => $fails->('has no trust rule 99'),
		'tasks remove 999999' => $fails->('there is no task 999999'),
		'key retire 0z' => $fails->('slot `0z` does not exist'),
		"owner remove $p none alice" => $fails->('crate `none` does not exist'),
		"delete $p none" => $fails->('crate `none` does not exist'),
	);
	my %known = map { /^(?:delete|\w+ \w+)/ ? ($& => 1) : () } keys %commands;
	my ($status, $out) = $t->berth('--help');

	my @removing = $out =~ /^    berth (delete|\w+ (?:remove|un(?!block)|dis(?!able)|retire|revoke)\w*)\b/mg;
	is(join(', ', grep { !$known{$_} } @removing), '', 'all commands that remove something');
	for my $command (sort keys %commands) {
		my ($want, $why) = @{ $commands{$command} };
		($status, $out, my $err) = $t->berth(split(/ /, $command));

		is($status, $want, "$command: exit status");
		like($err, $why, '  and what it says');
	}
	works('one that is there', qw(flag set writes on));
	works('is removed without a word', qw(flag unset writes));
};

subtest 'the command line' => sub {
	my ($status, $out, $err) = $t->berth;
	is($status, 2, 'no command');
	like($err, qr/berth token list/, 'lists them');
	($status, $out, $err) = $t->berth('--help');
	is("$status$err", '0', '--help');
	my @commands = $out =~ /^    berth (.*)$/mg;
	cmp_ok(scalar @commands, '>', 14, 'lists the commands');
	for my $command (@commands) {
		my @words = $command =~ /^([a-z ]*[a-z])/ ? split(/ /, $1) : die $command;
		my $help = works("$command --help", @words, '--help');

		like($help, qr/^usage: berth \Q$command\E\n\n[A-Z]/m, "$command: help");
	}
	is(works('help', qw(help user add)), works('--help', qw(user add --help)), 'help, of a command');
	is(works('help for a noun', qw(help user)), works('--help', qw(user --help)), '  of a noun');
	is(works('help for all', 'help'), $out, '  of all');
	is(works("help for all: @$_", @$_), $out, '  whatever says it twice')
	    for [qw(help -h)], [qw(-h --help)], [qw(help help)];
	fails('an option with a value twice', 2, qr/--wait is given twice/, qw(--wait 1 --wait 1 user list));
	is(works('help for help', qw(help help)), $out, '  and of itself');
	fails('help for none', 2, qr/no command `flog`/, qw(help flog));
	fails('no switch', 2, qr/^berth: --confirm is missing$/m, qw(store collect));
	like(works('version', '--version'), qr/\Aberth \d+\.\d+\.\d+(?:-rc\.\d+)?\n\z/, '--version');
	like($out, qr/\nWhat a command does: berth COMMAND --help; /, 'and says where each is explained');
	like(works('noun', qw(user --help)),
	    qr/berth user add .*\nWhat a command does: berth user COMMAND --help; /s, 'help for a noun');
	like(works($_, 'import', $_, '--help'), qr/\n--accept-legacy: .*--dry-run: .*berth-import\(7\)/s,
	    "import $_: its common options, and the manual") for qw(directory index kellnr gitea mirror);
	fails('unknown noun', 2, qr/\Aberth: there is no command `flog`\nusage: berth COMMAND .*berth --help\n\z/,
	    qw(flog set));
	fails('unknown verb', 2, qr/no command `user remove`/, qw(user remove x));
	fails('no verb', 2, qr/\A/, qw(user));
	fails('unknown option', 2, qr/no option --colour here/, qw(user list --colour=red));
	fails('unknown letter', 2, qr/no option -x here/, qw(user list -x));
	fails('a flag with a value', 2, qr/--admin takes no value/, qw(user add b --email a@b --admin=yes));
	fails('no value', 2, qr/--email needs EMAIL/, qw(user add b --email));
	fails('twice', 2, qr/--email is given twice/, qw(user add b --email a@b --email c@d));
	id_of('two dashes', qw(user add --email a@b --), '_dashes');
	fails('a word after two dashes', 2, qr/`--json`/, qw(user add --email a@b -- --json));
	fails('no configuration', 1, qr{/nonexistent}, qw(-c /nonexistent user list));
	is(works('another place for -c', 'user', 'list', '-c', $t->conf_path), works('as usual', qw(user list)),
	    'global options go anywhere');
	($status, $out) = $t->berth({ env => { BERTH_CONF => undef } }, '--database', $t->dsn('berth'),
	    qw(user list));
	is($status, 0, '--database needs no configuration');
	fails('an empty BERTH_CONF', 1, qr{berth\.conf}, { env => { BERTH_CONF => '' } }, qw(user list));
	fails('no database', 1, qr/database: connect/, '--database', 'host=/nonexistent', qw(user list));
};

subtest 'arguments that are missing' => sub {
	my $commands = 0;

	# each command whose first word after the verb is an argument
	for ($t->berth_ok('--help') =~ /^ +berth ([a-z]+(?: [a-z]+)?(?: [A-Z]\S*)+)/mg) {
		my ($command, @arguments) = /^([a-z ]+) (.*)$/ ? ($1, split(/ /, $2)) : ();

		for my $given (0 .. $#arguments) {
			fails("$command with $given", 2, qr/^berth: \Q$arguments[$given]\E is missing$/m, split(/ /, $command),
			    @arguments[0 .. $given - 1]);
		}
		$commands++;
	}
	cmp_ok($commands, '>', 40, 'there are many');
	fails('behind options', 2, qr/^berth: TARGET is missing$/m, qw(backup --keep 3));
	fails('behind an option with a value', 2, qr/^berth: CLAIM=PATTERN is missing$/m,
	    qw(trust add tools/registry --issuer https://ci.example));
};

subtest 'output that nobody takes' => sub {
	my $bin = $t->build;
	my $berth = "$bin/berth";
	my $conf = $t->conf_path;

	is(system("BERTH_CONF=$conf $berth user list > /dev/full 2> /dev/null") >> 8, 1, 'a full disk is an error');
	for my $command ('berth --version', 'berth --help', 'berth user add --help', 'berth-fcgi -V',
		'berth-fcgi -h', 'berth-fcgi -r', 'berth-worker -V') {
		my ($status, undef, $err) = Berth::Cluster::capture('/bin/sh', '-c', "$bin/$command > /dev/full");

		is($status, 1, "$command: a full disk is an error");
		like($err, qr/\Aberth\S*: standard output: \S/, "$command: and says so");
	}
	# its note is behind the first flush, so the last one has nothing left to write
	my (undef, undef, $err) = Berth::Cluster::capture({ env => { BERTH_CONF => $conf } }, '/bin/sh', '-c',
	    "$berth user link alice > /dev/full");
	like($err, qr/^berth: standard output: not all of it could be written$/m,
	    'it names no reason that it does not know');
};

subtest 'output that is closed' => sub {
	my $berth = $t->build . '/berth';
	my $server_log = Berth::Cluster->inherited->server_log;
	my $length = length(Berth::Cluster::slurp($server_log));
	my $many = $t->psql("SELECT count(*) FROM audit_events");

	cmp_ok($many, '>', 20, 'the list is longer than the buffer of standard output');
	for my $closed ('>&-', '>&- 2>&-', '0<&- >&- 2>&-') {
		my ($status, undef, $err) = Berth::Cluster::capture({ env => { BERTH_CONF => $t->conf_path } }, '/bin/sh',
		    '-c', "exec $berth audit --json --limit 1000 $closed");

		is($status, 1, "$closed: is an error");
		like($err, qr/\Aberth: standard output: /, "$closed: it says so") if $closed !~ /2>/;
	}
	unlike(substr(Berth::Cluster::slurp($server_log), $length), qr/invalid frontend message/,
	    'the text does not go into the connection to the database');
};

subtest 'the configuration' => sub {
	my $u = Berth::Test->new(database => 'host=/nonexistent user=berth password=hunter2', workers => 3);
	my $ask = sub {
		my ($env, @args) = @_;

		return $u->berth({ env => $env }, 'config', 'show', @args);
	};
	my ($status, $out, $err) = $ask->({ BERTH_CONF_MAX_ENTRIES => 7 });

	is($status, 0, 'config show, without a database') or diag($err);
	is($err, '', 'nothing on standard error');
	like($out, qr/^# \Q@{[$u->conf_path]}\E:\d+\nworkers = 3$/m, 'a value and where it is from');
	like($out, qr/^# BERTH_CONF_MAX_ENTRIES\nmax_entries = 7$/m, 'from the environment');
	like($out, qr/^max_keywords = 5$/m, 'a default');
	unlike($out, qr/^#.*\nmax_keywords/m, 'is from nowhere');
	like($out, qr{^database = user=berth password=\*\*\*\* host=/nonexistent$}m, 'the password is masked');
	unlike($out, qr/hunter2/, 'everywhere');
	is((Berth::Cluster::capture($u->build . '/berth-fcgi', '-t', '-c', $u->conf_path))[1]
	    =~ s/20000/7/r =~ s/^# berth-fcgi: .* is ok\n\z//mr,
	    $out =~ s/^# BERTH.*\n//mr, 'as berth-fcgi -t shows it');
	is(($ask->({}, 'workers'))[1], "3\n", 'one value');
	is(($ask->({}, 'reserved_names'))[1], "\n", 'an empty one');
	is(($ask->({}, 'database'))[1], "user=berth password=**** host=/nonexistent\n", 'a secret');
	($status, $out) = $ask->({ BERTH_CONF_WORKERS => 5 }, 'workers', '--json');
	is_deeply(JSON::PP->new->decode($out), { key => 'workers', value => '5', source => 'BERTH_CONF_WORKERS' },
	    'one value as JSON');
	($status, $out) = $ask->({}, '--json');
	my %all = map { $_->{key} => $_ } @{ JSON::PP->new->decode($out) };
	is_deeply($all{max_keywords}, { key => 'max_keywords', value => '5', source => undef },
	    'all of them as JSON');
	is($all{database}{value}, 'user=berth password=**** host=/nonexistent', 'with secrets masked');
	ok(!exists $all{public_dir}, 'without the keys that are gone');
	for my $case (
		['no such key', {}, 2, qr/unknown key `colour`/, 'colour'],
		['a key that is gone', {}, 2, qr/`public_dir` was replaced by `cache_dir`/, 'public_dir'],
		['no configuration', { BERTH_CONF => undef }, 2, qr/-c FILE is missing/, '--database', 'dbname=x'],
		['none where it is said to be', { BERTH_CONF => '/nonexistent' }, 1,
		    qr/\Aberth: cannot read \/nonexistent: No such file or directory\n\z/],
		['a bad variable', { BERTH_CONF_DATABASE => "password=hunter2\nx" }, 1,
		    qr/\Aberth: BERTH_CONF_DATABASE: database must be one line\n\z/],
	) {
		my ($name, $env, $want, $why, @args) = @$case;

		($status, $out, $err) = $ask->($env, @args);
		is($status, $want, "$name: exit status");
		is($out, '', "$name: nothing on standard output");
		like($err, $why, "$name: says why");
		unlike($err, qr/hunter2/, "$name: keeps the secret");
	}
};

subtest 'the manual page' => sub {
	# bold and underlined letters come as letter, backspace, letter
	my $page = `mandoc -Tascii -Owidth=1000 fcgi/man/berth.1` =~ s/.\x08//gr;
	my (undef, $help) = $t->berth('--help');

	for my $command ($help =~ /^    berth (.*)$/mg) {
		my ($words) = $command =~ /^([a-z ]*[a-z])/;

		ok($page =~ /^ +berth \Q$words\E\b/m, "berth $words is in fcgi/man/berth.1");
		for my $option ($command =~ /(--[a-z-]+)/g) {
			ok($page =~ /berth \Q$words\E .*\Q$option\E\b/, "berth $words $option is in fcgi/man/berth.1");
		}
	}
	my (undef, undef, $keys) = $t->berth(qw(project set tools/registry x=y));
	ok($page =~ /\b$_\b/, "project set $_ is in fcgi/man/berth.1")
	    for $keys =~ /^berth: .*there are (.*)$/m ? split(/, /, $1) : 'nothing';
	ok($page =~ /\Q$_\E\b/, "$_ is in fcgi/man/berth.1")
	    for qw(-c --config --database --help --json --version BERTH_CONF);
};

subtest 'the examples of the manual page' => sub {
	my $other = Berth::Test->new;
	my $source = do { open(my $fh, '<', 'fcgi/man/berth.1') or die "berth.1: $!\n"; local $/; <$fh> };
	my ($examples) = $source =~ s/\\e$/\\/mgr =~ /^\.Sh EXAMPLES\n(.*?)^\.Sh /ms;
	my ($prepare, $people, $tokens, $revoke, $policy, @rest) = $examples =~ /^\.Bd -literal.*?\n(.*?)^\.Ed/msg;
	my $dir = $other->dir;
	my $database = $other->dsn('berth_owner');

	# what the examples find there
	my $crate = Berth::Crate::make('tidy', '1.0.0');
	make_path("$dir/old/index/ti/dy", "$dir/old/crates");
	Berth::Test::write_file("$dir/old/crates/tidy-1.0.0.crate", $crate);
	Berth::Test::write_file("$dir/old/index/ti/dy/tidy", JSON::PP->new->encode({ name => 'tidy', vers => '1.0.0',
		deps => [], features => {}, yanked => JSON::PP::false, cksum => sha256_hex($crate) }) . "\n");
	$prepare =~ s/'dbname=berth user=postgres'/'$database'/ or fail('the first example has changed');
	for my $script ($prepare, $people, $tokens, $policy, @rest) {
		open(my $fh, '>', "$dir/script") or die "$dir/script: $!\n";
		print {$fh} "set -e\n$script";
		close($fh);
		my ($status, $out, $err) = Berth::Cluster::capture({ dir => $dir, env => { BERTH_CONF => $other->conf_path,
			PATH => $other->build . ":$ENV{PATH}" } }, 'sh', "$dir/script");
		is($status, 0, 'it runs') or diag($err);
		if ($script eq $people) {
			my ($token) = $out =~ /^($token_form)$/m;
			my ($done) = $other->berth({ stdin => $token }, $revoke =~ /^berth (\S+) (\S+) < /);
			is($done, 0, 'the token is revoked');
			make_crate($other, 'hello', '0.1.0-rc.1');
		}
	}
	ok(-s "$dir/adoption.svg", 'what they write is there');
};

# A crate of tools/registry with one version, as rows that nobody downloads.
sub make_crate {
	my ($at, $name, $version) = @_;

	$at->psql("INSERT INTO blobs (sha256, size) VALUES (repeat('0', 64), 1)");
	$at->psql('INSERT INTO crates (project_id, name, normalized_name)'
	    . " SELECT id, '$name', '$name' FROM projects WHERE full_path = 'tools/registry'");
	$at->psql('INSERT INTO versions (crate_id, project_id, version, version_base, index_line,'
	    . " cksum, size, published_at)"
	    . " SELECT id, project_id, '$version', '$version', '{}', repeat('0', 64), 1, now()"
	    . " FROM crates WHERE name = '$name'");
}

subtest 'a claim that is almost a known one' => sub {
	my $issuer = 'https://typos.example';
	my %says = (enviroment => 'environment', refs => 'ref', wrokflow => 'workflow', eventname => 'event_name',
		environment => undef, ref => undef, sha => undef, repository_id => undef);

	works('the issuer', qw(issuer add), $issuer, qw(--kind github));
	for my $claim (sort keys %says) {
		my ($status, $out, $err) = $t->berth(qw(trust add tools/registry --issuer), $issuer,
		    'repository=octo/app', "$claim=x");

		like("$status$out", qr/\A0[1-9]\d*\n\z/, "$claim: is added");
		is($err, $says{$claim} ? "berth: warning: the rule matches only tokens with the claim `$claim`; is"
		    . " `$says{$claim}` meant?\n" : '', "$claim: what it says");
	}
};

subtest 'the file of the first key' => sub {
	my $key_file = $t->dir . '/first.key';

	$t->conf(token_key => $key_file);
	for my $mode (0640, 0604) {
		unlink($key_file);
		chmod($mode, $t->conf_path) or die $t->conf_path . ": $!\n";
		like($t->berth_ok(qw(key add)), qr/^[0-9a-z]{2}$/, 'a slot');
		is((stat($key_file))[2] & 07777, $mode & 0640, sprintf('%04o: mode as the configuration has', $mode));
	}
	my $whole = Berth::Cluster::slurp($key_file);
	my $limit = length($whole) + 20; # the new file has 50 bytes more
	my (undef, $said) = Berth::Cluster::capture({ env => { BERTH_CONF => $t->conf_path } }, '/bin/sh', '-c',
	    "trap '' XFSZ; prlimit --fsize=$limit " . $t->build . '/berth key add 2>&1 | cat');
	is($said, "berth: token_key: cannot write $key_file: File too large\n", 'a full disk: says so');
	is(Berth::Cluster::slurp($key_file), $whole, 'the file stays as it is');
	ok(!-e "$key_file.new", 'and no other file has keys');

	my @adding = map {
		open(my $pipe, '-|', $t->build . '/berth', '-c', $t->conf_path, qw(key add)) or die "berth: $!\n";
		$pipe;
	} 1 .. 6;
	my @added = map { scalar(<$_>) // '' } @adding;
	is(join(' ', map { close($_) ? 0 : $? } @adding), '0 0 0 0 0 0', 'six at once');
	is(join('', map { "$_\n" } Berth::Cluster::slurp($key_file) =~ s/\A\Q$whole\E//r =~ /^(\w\w) "/mg),
	    join('', sort @added), 'the file has the keys of all');
	my @live = grep { !$_->{retired_at} } @{ json_of('list', qw(key list)) };
	my $last = pop(@live)->{slot};
	is(works('one of several', qw(key retire), $_->{slot}), "$_->{slot}\n", 'is retired') for @live;
	my ($status, $out, $err) = $t->berth(qw(key retire), $last);
	is("$status$out", "0$last\n", 'so is the last one');
	like($err, qr/\Aberth: warning: no key is live now, .*; `berth key add` makes a key\n\z/, 'with a warning');
};

# A list comes in parts: the server keeps its rows, 500 go into memory at a time.
subtest 'lists of many rows' => sub {
	my %sql = (
		token => "INSERT INTO tokens (kind, digest, user_id, scopes)"
		    . " SELECT 'personal', sha256(('many' || i)::bytea), u.id, '{api}'"
		    . " FROM generate_series(1, 6000) i, (SELECT min(id) AS id FROM users) u",
		user => "INSERT INTO users (username) SELECT 'many-' || i FROM generate_series(1, 1200) i",
		project => "INSERT INTO projects (group_id, path, full_path) SELECT id, 'many-' || i,"
		    . " full_path || '/many-' || i FROM generate_series(1, 1200) i,"
		    . " (SELECT id, full_path FROM groups ORDER BY id LIMIT 1) g",
		member => "INSERT INTO members (user_id, project_id, access_level) SELECT u.id, p.id, 30"
		    . " FROM users u JOIN projects p ON p.path = u.username WHERE u.username LIKE 'many-%'",
	);
	my %of = (token => ['tokens', [qw(token list)], 'id', 0], user => ['users', [qw(user list)], 'username', 1],
		project => ['projects', [qw(project list)], 'full_path', 1],
		member => ['members', [qw(member list)], 'username', 1],
		download => ['download_days', [qw(report downloads)], 'downloads', 5]);

	$t->psql($sql{$_}) for qw(token user project member);
	$t->psql("INSERT INTO download_days (crate_id, version_id, day, project_id, downloads, last_at)"
	    . " SELECT 1, i, '2020-01-01', 1, i, now() FROM generate_series(1, 1200) i");
	for my $kind (sort keys %of) {
		my ($table, $command, $key, $column) = @{ $of{$kind} };
		my ($rows) = $t->psql("SELECT count(*) FROM $table");
		my @json = map { $_->{$key} } @{ json_of($kind, @$command) };
		my ($head, @lines) = split(/\n/, works($kind, @$command));

		is(scalar(@json), $rows, "$kind: all rows as JSON");
		is_deeply([map { (split(/ +/))[$column] } @lines], \@json, 'and the same in the table, below one head');
	}

	my @list = ($t->build . '/berth', '-c', $t->conf_path, qw(token list --json));
	open(my $out, '-|', @list) // die "fork: $!\n";
	my $held = "pg_stat_activity a WHERE a.query LIKE 'FETCH%'";

	is(getc($out), '[', 'somebody reads the first page of a pager');
	# it sends more than a pipe holds, so it cannot end before the rest is read
	ok($t->wait_for(sub { $t->psql("SELECT 1 FROM $held AND a.state = 'idle'") }), 'the session is idle');
	is(join('', $t->psql("SELECT count(*) FROM $held AND a.backend_xmin IS NOT NULL"),
	    $t->psql("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
	        . " WHERE a.query LIKE 'FETCH%'")), '00',
	    'meanwhile its session has no snapshot and no lock');
	close($out);
	isnt($?, 0, 'and it ends when nobody reads on');
};

done_testing();
