#!/usr/bin/perl

# The registry of a group: the crates of all projects below it under one URL, for the real cargo and for
# callers with different rights; which project has a name, to which project a publish goes, and the
# dependencies in the index.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Berth::Cluster;
use Berth::File qw(write_file);
use Berth::Json;
use Berth::Publish;
use Berth::Test;

use constant { PATH => 17, FLAGS => 23 }; # columns of the facts

my $t = Berth::Test->new(workers => 3);
my %id = (app => $t->project('team/app', 'private'), core => $t->project('team/core', 'internal'),
    deep => $t->project('team/sub/deep', 'private'), other => $t->project('other/place', 'private'));
my %group = (team => $t->group('team'), sub => $t->group('team/sub'));
my %user = map { $_ => $t->user($_) } qw(dev reader mixed stranger);
$t->member('dev', 'team', 'maintainer');
$t->member('dev', 'other', 'maintainer');
$t->member('reader', 'team', 'reporter');
$t->member('mixed', 'team/app', 'developer');
my %token = (map({ $_ => $t->token($_) } keys %user), 
    group_deploy => $t->deploy_token('team', 'read', 'write'), deploy => $t->deploy_token('team/app', 'read'),
    sub_deploy => $t->deploy_token('team/sub', 'read'), job => $t->job_token('team/app', 'dev'),
    deep_job => $t->job_token('team/sub/deep', 'dev'), foreign_job => $t->job_token('other/place', 'dev'));

sub registry { return $t->path . "/api/v4/groups/$group{$_[0] // 'team'}/-/packages/cargo"; }

sub ask {
	my ($method, $path, $who, %more) = @_;

	return $t->http($method => registry($more{group}) . $path,
	    { defined $who ? (token => $token{$who}) : (), %more });
}

sub index_of {
	my ($name, $who, %more) = @_;

	return ask(GET => '/' . Berth::Publish::index_path($name), $who, %more);
}

sub lines {
	my ($res) = @_;

	return map { Berth::Json::decode($_) } split(/\n/, $res->{body});
}

# Publishes to the group; as Berth::Test::publish.
sub publish {
	my ($who, $name, $version, %opt) = @_;
	my $over = delete $opt{metadata} // {};
	my $body = $t->publish_body(Berth::Crate::metadata($name, $version, %$over),
	    Berth::Crate::make($name, $version, %opt));

	return ask(PUT => '/api/v1/crates/new', $who, body => $body);
}

sub detail { return Berth::Json::decode($_[0]{body})->{errors}[0]{detail} // ''; }

sub project_index { return 'sparse+' . $t->url . $t->registry($id{ $_[0] }) . '/'; }

my $group_index = 'sparse+' . $t->url . registry() . '/';

# a dependency, in the metadata and in the manifest
sub depends {
	my ($name, $registry, %more) = @_;
	my $of = $more{manifest} // $registry;
	my $kind = $more{kind} // 'normal';
	my $table = $kind eq 'dev' ? 'dev-dependencies' : 'dependencies';

	return (metadata => { deps => [{ name => $name, version_req => '^1', features => [], 
		optional => JSON::PP::false,
		default_features => JSON::PP::true, target => undef, kind => $kind,
		defined $registry ? (registry => $registry) : () }] },
	    toml => "\n[$table.$name]\nversion = \"1\"\nregistry-index = \"$of\"\n");
}

sub put_ok {
	my ($name, $res) = @_;

	is($res->{status}, 200, "$name: published") or diag($res->{body});
}

put_ok('to the project core', $t->publish($id{core}, $token{dev}, 'base', '1.0.0'));
put_ok('to the project app', $t->publish($id{app}, $token{dev}, 'tool_kit', '1.0.0'));
put_ok('to the project deep', $t->publish($id{deep}, $token{dev}, 'secret', '1.0.0'));
put_ok('elsewhere', $t->publish($id{other}, $token{dev}, 'outside', '1.0.0'));

subtest 'config.json, and where it is' => sub {
	my $res = ask(GET => '/config.json', 'dev');
	my $root = $t->url . registry();

	is_deeply($t->json($res), { dl => $root, api => $root, 'auth-required' => JSON::PP::true }, 'config.json');
	like($res->{headers}{'cache-control'}, qr/^private/, 'for nobody else');
	is(ask(GET => '/config.json')->{status}, 401, 'nobody gets 401, so that cargo sends its token');
	is(ask(GET => '/config.json', 'dev', headers => ['If-None-Match: ' . $res->{headers}{etag}])->{status}, 304,
	    'conditional');
	is($t->http(GET => '/api/v4/groups/team/-/packages/cargo/config.json', { token => $token{dev} })->{body},
	    $res->{body}, 'the same by path');
	like(ask(GET => '/index/config.json', 'dev')->{body}, qr/write index = "sparse\+\Q$root\E\/"/,
	    'beside the index');
	is(ask(GET => '/me')->{status}, 302, 'where tokens are made');
	my $get = sub { return $t->http(GET => "/api/v4/groups$_[0]", { token => $token{dev} }) };
	is($t->json($get->('/team'))->{cargo_index_url}, "sparse+$root/", 'the management API names the index');
	my ($listed) = grep { $_->{full_path} eq 'team' } @{ $t->json($get->('')) };
	is($listed->{cargo_index_url}, "sparse+$root/", 'so does the list');
	is($get->('/4711/-/packages/cargo/config.json')->{status}, 404, 'a group that does not exist');
};

# r: reads the index and the crate; -: 404 as for a name that does not exist; config.json decides between
# 404 and 401
my @crates = qw(tool_kit base secret nothing);
my %rights = (
	dev => 'rrr-', reader => 'rrr-', mixed => 'rr--', stranger => '-r--', group_deploy => 'rrr-',
	deploy => 'r---', sub_deploy => '--r-', job => 'rr--', deep_job => '-rr-', foreign_job => '-r--',
);

for my $who (sort keys %rights) {
	subtest "rights of $who" => sub {
		is(ask(GET => '/config.json', $who)->{status}, 200, 'config.json');
		my $none = index_of('nothing', $who);
		for my $i (0 .. $#crates) {
			my $crate = $crates[$i];
			my $may = substr($rights{$who}, $i, 1) eq 'r';
			my $res = index_of($crate, $who);
			my $file = ask(GET => "/$crate/1.0.0/download", $who);

			is($res->{status}, $may ? 200 : 404, "index of $crate");
			is("$res->{status} $res->{body}", "404 $none->{body}", 'the same as for no crate') unless $may;
			is($file->{status}, $may ? 200 : 404, "download of $crate");
			is(ask(GET => "/api/v1/crates/$crate", $who)->{status}, $may ? 200 : 404, "about $crate");
			is(ask(GET => "/api/v1/crates/$crate/owners", $who)->{status}, $may ? 200 : 404, "owners of $crate")
			    unless $who =~ /deploy/;
		}
	};
}

subtest 'the registry of a group whose projects are private' => sub {
	my $config = sub { return ask(GET => '/config.json', $_[0], group => 'sub')->{status} };
	my %status = (map({ $_ => 200 } qw(dev reader group_deploy sub_deploy deep_job)),
	    map { $_ => 404 } qw(mixed stranger deploy past));

	$user{past} = $t->user('past');
	$t->member('past', 'team/sub', 'reporter');
	$t->psql("UPDATE members SET expires_at = now() - interval '1 s' WHERE user_id = $user{past}");
	$token{past} = $t->token('past');
	is($config->($_), $status{$_}, "config.json for $_") for sort keys %status;
};

subtest 'nobody, and bad tokens' => sub {
	is(index_of($_)->{status}, 401, "$_: nobody") for @crates;
	is($t->http(GET => registry() . '/ba/se/base', { token => 'nonsense' })->{status}, 401, 'a bad token');
	$t->berth_ok('project', 'set', 'team/core', 'visibility=public');
	is(index_of('base')->{status}, 200, 'a public crate for nobody');
	for my $path ('/se/cr/secret', '/no/th/nothing', '/secret/1.0.0/download', '/api/v1/crates/nothing') {
		is(ask(GET => $path)->{status}, 401, "$path: what else there is, and what not, needs a token");
	}
	is($t->json(ask(GET => '/config.json'))->{'auth-required'}, JSON::PP::true, 'cargo sends its token');
	$t->berth_ok('project', 'set', 'team/core', 'visibility=internal');
	is(index_of('base')->{status}, 401, 'no longer');
	$t->berth_ok('group', 'set', 'team', 'anonymous_networks=127.0.0.0/8');
	is(ask(GET => $_)->{status}, 200, "$_: from a network without a token")
	    for '/config.json', '/se/cr/secret', '/secret/1.0.0/download';
	is(index_of('nothing')->{status}, 404, 'no such crate');
	$t->berth_ok('group', 'set', 'team', 'anonymous_networks=');
	is(index_of('secret')->{status}, 401, 'no longer');
	for (['group', 'set', 'team/sub'], ['project', 'set', 'team/sub/deep']) {
		$t->berth_ok(@$_, 'anonymous_networks=127.0.0.0/8');
		is(join(' ', map { ask(GET => $_)->{status} } '/config.json', '/se/cr/secret', '/to/ol/tool_kit'),
		    '200 200 404', "@$_: where part of the group is open to the network, config.json is, too");
		is(ask(GET => '/api/v1/crates?q=')->{status}, 401, 'searches need a token');
		$t->berth_ok(@$_, 'anonymous_networks=');
	}
	is(ask(GET => '/config.json')->{status}, 401, 'no longer');
};

# The rows of a statement of sql/queries/ with these values, as a text each.
sub facts {
	my ($name, @values) = @_;
	my $statements = Berth::Cluster::slurp("$Berth::Cluster::ROOT/build/gen/store/stmt.inc");
	my ($sql) = $statements =~ /, "$name", "(.*)"\)$/m;
	my ($status, $out, $err) = Berth::Cluster::capture({ stdin => 'PREPARE s AS ' . $sql =~ s/\\(.)/$1/gr
		. ";\nEXECUTE s(" . join(', ', @values) . ");\n" }, 'psql', '-XAtq', '-d', $t->dsn('postgres'));

	is("$status $err", '0 ', "$name has an answer") if "$status $err" ne '0 ';
	return split(/\n/, $out);
}

# A search and a list of packages read the facts of these projects.
subtest 'the projects that a caller of the group is asked about' => sub {
	my $asked = sub {
		my ($token) = @_;

		return join("\n", map { (split(/\|/))[PATH] } facts('access_facts_projects', $token, $group{team}, 'true'));
	};
	my $below = sub {
		my ($condition) = @_;

		return $t->psql("SELECT full_path FROM projects WHERE full_path LIKE 'team/%' AND $condition"
		    . ' ORDER BY lower(full_path), id');
	};

	is($asked->('1'), $below->('true'), 'with a token: all of them');
	is($asked->('NULL'), '', 'without one: none, if all are internal or private');
	$t->psql("UPDATE projects SET visibility = 'public' WHERE full_path = 'team/core'");
	is($asked->('NULL'), 'team/core', 'one that is public');
	$t->psql("UPDATE projects SET visibility = 'internal', public_packages = true"
	    . " WHERE full_path = 'team/core'");
	is($asked->('NULL'), 'team/core', 'one whose packages are');
	$t->psql("UPDATE projects SET public_packages = false WHERE full_path = 'team/core'");
	for my $case (['projects', 'team/sub/deep', "full_path = 'team/sub/deep'"],
	    ['groups', 'team/sub', "full_path LIKE 'team/sub/%'"], ['groups', 'team', 'true']) {
		my ($table, $path, $open) = @$case;

		$t->psql("UPDATE $table SET anonymous_networks = '127.0.0.0/8' WHERE full_path = '$path'");
		is($asked->('NULL'), $below->($open), "$path is open to networks: what is in it");
		$t->psql("UPDATE $table SET anonymous_networks = '' WHERE full_path = '$path'");
	}
};

# That statement reads for all projects at once what access_facts looks up for one.
subtest 'the facts are those of each project' => sub {
	my @projects = $t->psql("SELECT id FROM projects WHERE full_path LIKE 'team/%'"
	    . ' ORDER BY lower(full_path), id');
	my $row = sub {
		my @columns = split(/\|/, $_[0], -1);

		# the flags come in any order
		$columns[FLAGS] = join(' ', sort split(/ /, $columns[FLAGS]));
		return join('|', @columns);
	};

	$t->psql('INSERT INTO crate_owners (crate_id, user_id, project_id) SELECT c.id, u.id, c.project_id'
	    . " FROM crates c JOIN users u ON u.username = 'stranger'"
	    . " WHERE c.project_id = $id{core} AND c.name = 'base'");
	$t->berth_ok('flag', 'set', 'package_registry_cargo_support', '100%', @$_)
	    for [], ['--project', 'team/core'];
	$t->berth_ok('member', 'set', 'mixed', 'team/sub', 'guest');
	# memberships of all kinds, settings of the projects, and a user of each kind
	$t->psql("UPDATE members SET expires_at = now() - interval '1 s' WHERE user_id = $user{reader};"
	    . " INSERT INTO members (user_id, project_id, access_level) VALUES ($user{reader}, $id{deep}, 10);"
	    . " UPDATE users SET state = 'blocked' WHERE id = $user{mixed};"
	    . " UPDATE users SET is_admin = true WHERE id = $user{stranger};"
	    . " UPDATE projects SET job_token_limited = false WHERE id = $id{core};"
	    . " UPDATE projects SET anonymous_networks = '10.0.0.0/8' WHERE id = $id{deep}");
	$t->berth_ok('project', 'allow', 'team/sub/deep', '--from', 'other/place');
	for my $token ($t->psql('SELECT id FROM tokens ORDER BY id')) {
		my ($digest) = $t->psql("SELECT digest FROM tokens WHERE id = $token");

		is_deeply([map { $row->($_) } facts('access_facts_projects', $token, $group{team}, 'true')],
		    [map { $row->(facts('access_facts', "'$digest'", $_, 'NULL')) } @projects], "token $token");
	}
	# without a token only projects that somebody may read without one
	for my $open ('', "visibility = 'public'") {
		$t->psql("UPDATE projects SET $open WHERE id = $id{app}") if $open ne '';
		my @rows = map { $row->($_) } facts('access_facts_projects', 'NULL', $group{team}, 'true');
		my %one = map { $_ => $row->(facts('access_facts', 'NULL', $_, 'NULL')) } @projects;

		is_deeply(\@rows, [map { $one{$_} } grep { $_ == $id{deep} || $open ne '' && $_ == $id{app} } @projects],
		    'no token');
	}
	$t->psql("UPDATE members SET expires_at = NULL WHERE user_id = $user{reader};"
	    . " DELETE FROM members WHERE user_id = $user{reader} AND project_id = $id{deep};"
	    . " UPDATE users SET state = 'active' WHERE id = $user{mixed};"
	    . " UPDATE users SET is_admin = false WHERE id = $user{stranger};"
	    . " UPDATE projects SET visibility = 'private' WHERE id = $id{app};"
	    . " UPDATE projects SET job_token_limited = true WHERE id = $id{core};"
	    . " UPDATE projects SET anonymous_networks = '' WHERE id = $id{deep}");
	$t->berth_ok('project', 'disallow', 'team/sub/deep', '--from', 'other/place');
	$t->berth_ok('flag', 'unset', 'package_registry_cargo_support', @$_) for [], ['--project', 'team/core'];
	$t->berth_ok('member', 'set', 'mixed', 'team/sub', 'none');
	$t->psql('DELETE FROM crate_owners');
};

subtest 'spellings' => sub {
	is(index_of('tool-kit', 'dev')->{status}, 404, 'the other spelling is not in the index, as in a project');
	is(index_of('TOOL_KIT', 'dev')->{status}, 200, 'the case does not matter');
	is(ask(GET => '/to/xx/tool_kit', 'dev')->{status}, 400, 'the wrong folder');
	put_ok('the other spelling elsewhere', $t->publish($id{deep}, $token{dev}, 'Tool-Kit', '2.0.0'));
	is_deeply([map { "$_->{name} $_->{vers}" } lines(index_of('tool_kit', 'dev'))], ['tool_kit 1.0.0'],
	    'one of both has the name');
	is(index_of('tool-kit', 'dev')->{status}, 404, 'the other one is shadowed');
	is(ask(GET => '/Tool-Kit/2.0.0/download', 'dev')->{status}, 404, 'and not merged');
	is($t->berth_ok('group', 'shadowed', 'team', '--json') =~ tr/\n//dr,
	    '[{"crate":"Tool-Kit","project":"team/sub/deep","served":"team/app"}]', 'and reported');
	is(index_of('tool-kit', 'dev', group => 'sub')->{status}, 200, 'in its own group it is served');
};

subtest 'the configured order' => sub {
	my ($status, undef, $err) = $t->berth('group', 'set', 'team', 'registry_projects=other/place');
	like("$status $err", qr/^1 .*no project `other\/place` below group `team`/, 'a project that is not below');
	$t->berth_ok('group', 'set', 'team', 'registry_projects=team/sub/deep ' . $id{core});
	like($t->berth_ok('group', 'show', 'team'), qr{team/sub/deep team/core}, 'is shown');
	is_deeply([map { $_->{name} } lines(index_of('tool-kit', 'dev'))], ['Tool-Kit'],
	    'the other project has the name now');
	is(index_of('tool_kit', $_)->{status}, 404, "$_: not the one that was first") for qw(dev mixed);
	is(index_of('tool-kit', 'mixed')->{status}, 404, 'who may read only the shadowed one gets nothing');
	my $change = sub {
		return $t->http(PUT => '/api/v4/groups/team', { token => $token{ $_[0] }, body => $_[1],
			headers => ['Content-Type: application/json'] });
	};
	is($change->(reader => '{"registry_projects":[]}')->{status}, 403, 'a reporter cannot change it');
	my $refused = $change->(dev => '{"default_project":"team/app"}');
	is($refused->{status}, 403, 'nor can a maintainer');
	like($refused->{body}, qr/attributes of group `team` needs at least the owner role; you have the maintainer/,
	    'who is told');
	$t->member('dev', 'team', 'owner');
	my $group = $t->json($change->(dev => '{"registry_projects":[],"default_project":"team/app"}'));
	is_deeply([@$group{qw(registry_projects default_project)}], [[], 'team/app'], 'an owner can');
	like($change->(dev => '{"default_project":"other/place"}')->{body}, qr/no project `other\/place` below/,
	    'but for a project of another group');
	is($t->json($change->(dev => '{"default_project":""}'))->{default_project}, undef, 'none');
	is(index_of('tool_kit', 'dev')->{status}, 200, 'back');
};

subtest 'where a publish goes' => sub {
	my $res = publish('dev', 'new-one', '1.0.0');
	is($res->{status}, 409, 'a new name without a default project');
	like(detail($res),
	    qr/^group `team` has no project where you may publish `new-one`.*group set team default_pr/,
	    'says what to set');
	my $alike = sub {
		my @res = map { publish('mixed', $_, '1.1.0') } qw(secret unheard);
		return is("$res[0]{status} " . detail($res[0]) =~ s/secret/unheard/r, "$res[1]{status} " . detail($res[1]),
		    "$_[0]: a name of a project that one may not read is as one that is new");
	};
	$alike->('no default project');
	$t->berth_ok('group', 'set', 'team', 'default_project=team/core');
	$alike->('a default project for others');
	$res = publish('dev', 'new-one', '1.0.0');
	put_ok('a new name', $res);
	like($t->json($res)->{warnings}{other}[0],
	    qr{^`new-one` is new in this group.* the default project of the group, `team/core`, which is internal; },
	    'a warning says which project has it now');
	is_deeply($t->json(publish('dev', 'new-one', '1.0.1'))->{warnings}{other}, [], 'once');
	is($t->psql("SELECT project_id FROM crates WHERE name = 'new-one'"), $id{core}, 'is in the default project');
	put_ok('a name that there is', publish('dev', 'tool_kit', '1.1.0'));
	is($t->psql("SELECT string_agg(version, ' ' ORDER BY id) FROM versions WHERE project_id = $id{app}"),
	    '1.0.0 1.1.0', 'it is in its project');
	like(detail(publish('dev', 'tool-kit', '1.2.0')), qr/previously named `tool_kit`/, 'the other spelling');
	$t->berth_ok('group', 'set', 'team', 'default_project=team/app');
	like(detail(publish('mixed', 'secret', '1.1.0')), qr/the name `secret` is taken in group `team`/,
	    'a name that would have been published, if it were new');
	$t->berth_ok('group', 'set', 'team', 'default_project=team/core');
	$t->berth_ok('project', 'set', 'team/core', 'packages_enabled=false');
	$alike->('a default project whose registry is off');
	like(detail(publish('dev', 'unheard', '1.0.0')), qr{^the registry of `team/core`, .* is switched off},
	    'which the answer says');
	$t->berth_ok('project', 'set', 'team/core', 'packages_enabled=true');
	my ($home) = $t->psql("SELECT group_id FROM projects WHERE id = $id{core}");
	my ($away) = $t->psql("SELECT group_id FROM projects WHERE id = $id{other}");
	$t->psql("UPDATE projects SET group_id = $away, full_path = 'other/core' WHERE id = $id{core}");
	$alike->('a default project that has gone to another group');
	like(detail(publish('dev', 'unheard', '1.0.0')),
	    qr/^group `team` has no project where you may publish `unheard`/, 'is none');
	$t->psql("UPDATE projects SET group_id = $home, full_path = 'team/core' WHERE id = $id{core}");
	$res = publish('mixed', 'mine', '1.0.0');
	is($res->{status}, 403, 'a new name of who may not publish to the default project');
	put_ok('but to their own project they may', publish('mixed', 'tool_kit', '1.3.0'));
	is(publish('reader', 'tool_kit', '1.4.0')->{status}, 403, 'a reporter');
	is(publish('stranger', 'tool_kit', '1.4.0')->{status}, 403, 'somebody else');
	is(publish(undef, 'tool_kit', '1.4.0')->{status}, 401, 'nobody');
	put_ok('a deploy token of the group', publish('group_deploy', 'tool_kit', '1.4.0'));
	is(publish('deploy', 'tool_kit', '1.5.0')->{status}, 403, 'one that only reads');
	put_ok('a job', publish('job', 'tool_kit', '1.5.0'));
	is($t->publish($id{app}, $token{dev}, 'tool_kit', '1.5.0')->{status}, 400, 'there once for all URLs');
	my $rule = $t->berth_ok('protect', 'add', 'team/app', 'tool*', '--push', 'admin');
	is(publish('dev', 'tool_kit', '1.6.0')->{status}, 403, 'a rule of the project holds');
	$t->berth_ok('protect', 'remove', 'team/app', $rule);
	$t->berth_ok('project', 'set', 'team/app', 'max_crate_size=1024');
	my %large = (files => { data => join('', map { chr(33 + rand(90)) } 1 .. 4000) });
	is(publish('dev', 'tool_kit', '1.6.0', %large)->{status}, 413, 'a limit of the project holds');
	$t->berth_ok('project', 'set', 'team/app', 'max_crate_size=default');
	is($t->psql("SELECT count(*) FROM audit_events WHERE action = 'crate.publish' AND project_id = $id{app}"), 5,
	    'each is recorded with its project');
};

subtest 'yank, owners, search' => sub {
	is(ask(DELETE => '/api/v1/crates/tool_kit/1.1.0/yank', 'dev')->{status}, 200, 'yank');
	my ($line) = grep { $_->{vers} eq '1.1.0' } lines(index_of('tool_kit', 'dev'));
	is($line->{yanked}, JSON::PP::true, 'is yanked');
	is(ask(PUT => '/api/v1/crates/tool_kit/1.1.0/unyank', 'dev', body => '')->{status}, 200, 'unyank');
	is(ask(DELETE => '/api/v1/crates/tool_kit/1.1.0/yank', 'reader')->{status}, 403, 'a reporter');
	for my $case (['secret', 'mixed'], ['nothing', 'mixed'], ['secret', 'stranger'], ['nothing', 'stranger'],
	    ['nothing', 'reader']) {
		my ($crate, $who) = @$case;
		for my $change ([DELETE => '1.0.0/yank', 'yank'], [PUT => 'owners', 'owners']) {
			my $res = ask($change->[0] => "/api/v1/crates/$crate/$change->[1]", $who, body => '{"users":["dev"]}',
			    headers => ['Content-Type: application/json']);

			is("$res->{status} " . detail($res), "404 crate `$crate` does not exist",
			    "$change->[2] by $who: $crate is not there, whatever the role");
		}
	}
	is(ask(DELETE => '/api/v1/crates/nothing/1.0.0/yank')->{status}, 401, 'nobody');
	is(ask(PUT => '/api/v1/crates/tool_kit/owners', 'dev', body => '{"users":["stranger"]}',
	    headers => ['Content-Type: application/json'])->{status}, 200, 'an owner is added');
	is(index_of('tool_kit', 'stranger')->{status}, 200, 'who then may read');
	put_ok('and publish', publish('stranger', 'tool_kit', '1.7.0'));
	$t->update_search;
	my %found = (dev => 'base new-one secret tool_kit', mixed => 'base new-one tool_kit', deploy => 'tool_kit');
	for my $who (sort keys %found) {
		my $answer = $t->json(ask(GET => '/api/v1/crates?q=', $who));
		is(join(' ', sort map { $_->{name} } @{ $answer->{crates} }), $found{$who}, "$who: finds");
		is($answer->{meta}{total}, scalar(split(/ /, $found{$who})), "$who: as many");
	}
	my $answer = $t->json(ask(GET => '/api/v1/crates?q=tool', 'dev'));
	is(join(' ', map { $_->{name} } @{ $answer->{crates} }), 'tool_kit', 'by name, without what is shadowed');
};

subtest 'dependencies' => sub {
	my $of = sub { return (map { $_->{deps}[0]{registry} } (lines($_[0]))[-1])[0] };
	my $in_project = sub {
		return $t->http(GET => $t->registry($id{ $_[0] }) . '/' . Berth::Publish::index_path($_[1]),
		    { token => $token{dev} });
	};
	my $on = sub { return depends($_[0], undef, manifest => $group_index) };

	put_ok('on the group', publish('dev', 'uses-base', '1.0.0', $on->('base')));
	is($of->(index_of('uses-base', 'dev')), undef, 'in the group it is the same registry');
	is($of->($in_project->(core => 'uses-base')), undef, 'as in its own project, which has it');
	put_ok('on another project', publish('dev', 'uses-kit', '1.0.0', $on->('tool_kit')));
	is($of->(index_of('uses-kit', 'dev')), undef, 'in the group it is the same registry');
	is($of->($in_project->(core => 'uses-kit')), project_index('app'), 'in the project it is the other project');
	put_ok('by the path of the group', publish('dev', 'by-path', '1.0.0', depends('tool_kit', undef,
	    manifest => $group_index =~ s{groups/\d+}{groups/TEAM}r)));
	is($of->($in_project->(core => 'by-path')), project_index('app'), 'is the same');
	put_ok('to the project, by the URL of the group', $t->publish($id{core}, $token{dev}, 'by-url', '1.0.0',
	    depends('tool_kit', $group_index)));
	is($of->($in_project->(core => 'by-url')), project_index('app'), 'which becomes that of the project');
	put_ok('on a project elsewhere', publish('dev', 'uses-outside', '1.0.0',
	    depends('outside', project_index('other'))));
	is($of->(index_of('uses-outside', 'dev')), project_index('other'), 'which stays');
	my $res = publish('dev', 'lonely', '1.0.0', $on->('nowhere'));
	like("$res->{status} " . detail($res), qr/^400 dependency `nowhere`: no crate of that name/,
	    'on nothing');
	$t->member('mixed', 'team/core', 'developer');
	is(publish('mixed', 'spy', '1.0.0', $on->('secret'))->{status}, 400,
	    'on what one may not read');
	like(detail(publish('dev', 'slip', '1.0.0', $on->('tool-kit'))),
	    qr/has that crate as `tool_kit`/, 'in the wrong spelling');
	put_ok('on itself', publish('dev', 'itself', '1.0.0',
	    depends('itself', undef, manifest => $group_index, kind => 'dev')));
	is($of->(index_of('itself', 'dev')), undef, 'which is the same registry');
	$t->berth_ok('group', 'set', 'team', 'registry_projects=team/sub/deep');
	is($of->(index_of('uses-kit', 'dev')), project_index('app'),
	    'where another project has the name, the project is named');
	my $etag = index_of('uses-kit', 'dev')->{headers}{etag};
	is(index_of('uses-kit', 'dev', headers => ["If-None-Match: $etag"])->{status}, 304, 'conditional');
	$t->berth_ok('group', 'set', 'team', 'registry_projects=');
	isnt(index_of('uses-kit', 'dev', headers => ["If-None-Match: $etag"])->{status}, 304, 'another file');
	is($of->(index_of('tool_kit', 'dev')), undef, 'back');
};

# A crate moves: its versions go into another project, and are deleted where they were.  The files of the
# crates that depend on it stay as they are.
subtest 'a crate moves to another project' => sub {
	my $of = sub { return (map { $_->{deps}[0]{registry} } (lines(index_of(@_)))[-1])[0] };
	my $delete = sub {
		my ($project, $name) = @_;
		my @ids = $t->psql("SELECT id FROM versions WHERE project_id = $id{$project}"
		    . " AND normalized_name = '$name' AND status <> 'pending_destruction'");

		for my $version (@ids) {
			my $res = $t->http(DELETE => "/api/v4/projects/$id{$project}/packages/$version", { token => $token{dev} });

			is($res->{status}, 204, "$name is deleted from $project");
		}
	};

	put_ok('to the project core', $t->publish($id{core}, $token{dev}, $_->[0], '1.0.0', @{ $_->[1] }))
	    for ['nomad', []], ['uses-nomad', [depends('nomad', undef, manifest => project_index('core'))]];
	put_ok('to its new project', $t->publish($id{deep}, $token{dev}, 'nomad', '1.0.0'));
	is($of->('uses-nomad', 'dev'), undef, 'the old project still has the name');
	$t->berth_ok('group', 'set', 'team', 'registry_projects=team/sub/deep');
	is($of->('uses-nomad', 'dev'), project_index('core'), 'the new one has it, and the old one has the crate');
	$delete->('core', 'nomad');
	is($of->('uses-nomad', 'dev'), undef, 'the old project has it no more: it is the crate of the group');
	my $old = '/-/projects/team/core/-/crates';
	my %cookie = map { $_ => $t->sign_in($_) } qw(dev mixed);
	for my $path ("$old/nomad", "$old/Nomad/1.0.0", "$old/nomad/1.0.0/source") {
		my $res = $t->http(GET => $path, { headers => ["Cookie: $cookie{dev}"] });

		is($res->{status}, 404, "the pages of the old project: $path");
		like($res->{body}, qr{team/core has no crate nomad, and team/sub/deep has it\.}, '  say where it is');
		like($res->{body}, qr{<a href="/-/projects/team/sub/deep/-/crates/nomad">}, '  and link to it');
	}
	unlike($t->http(GET => "$old/nomad", { headers => ["Cookie: $cookie{mixed}"] })->{body}, qr/deep/,
	    'if the viewer may see it');
	unlike($t->http(GET => "$old/no-mad", { headers => ["Cookie: $cookie{dev}"] })->{body}, qr/deep/,
	    'no other crate');
	$t->berth_ok('group', 'set', 'team', 'registry_projects=');
	is($of->('uses-nomad', 'dev'), undef, 'in whatever order');
	is(index_of('nomad', 'dev')->{status}, 200, 'which is there');
	# a name of a project elsewhere is nothing that the group could replace
	put_ok('elsewhere', $t->publish($id{other}, $token{dev}, 'nomad', '1.0.0'));
	put_ok('on that one', publish('dev', 'uses-other', '1.0.0', depends('nomad', project_index('other'))));
	$delete->('other', 'nomad');
	is($of->('uses-other', 'dev'), project_index('other'), 'a project of another group keeps its name');
	$delete->(@$_) for ['deep', 'nomad'], ['core', 'uses-nomad'], ['core', 'uses-other'];
};

subtest 'a name goes and comes back' => sub {
	my @ids = $t->psql("SELECT id FROM versions WHERE project_id = $id{app}");
	is($t->http(DELETE => "/api/v4/projects/$id{app}/packages/$_", { token => $token{dev} })->{status}, 204,
	    "version $_ is deleted") for @ids;
	is_deeply([map { $_->{name} } lines(index_of('tool-kit', 'dev'))], ['Tool-Kit'],
	    'the shadowed crate has the name');
	is($t->berth_ok('group', 'shadowed', 'team', '--json') =~ tr/\n//dr, '[]', 'nothing is shadowed');
};

subtest 'cargo' => sub {
	my $missing = Berth::Test::cargo_missing();
	plan skip_all => $missing if $missing;
	my $home = $t->cargo_setup;
	my $app = $t->dir . '/app';

	write_file("$home/config.toml", Berth::Cluster::slurp("$home/config.toml")
	    . "[registries.team]\nindex = \"$group_index\"\ncredential-provider = \"cargo:token\"\n");
	write_file("$home/credentials.toml", "[registries.team]\ntoken = \"$token{dev}\"\n");
	my $ok = sub {
		my ($name, @args) = @_;
		my ($status, $out, $err) = $t->cargo(@args);

		is($status, 0, $name) or diag("$out$err");
		return $out;
	};
	# a workspace: one crate is in the default project, one in app, and one depends on both and on deep
	my %members = (left => ['', ''],
	    right => ['left = { version = "1", path = "../left", registry = "team" }', ''],
	    both => ['right = { version = "1", path = "../right", registry = "team" }' . "\n"
	        . 'left = { version = "1", path = "../left", registry = "team" }' . "\n"
	        . 'secret = { version = "1", registry = "team" }', 'secret::answer() + right::answer()']);
	my $ws = $t->dir . '/ws';
	put_ok('right is of app', $t->publish($id{app}, $token{dev}, 'right', '1.0.0'));
	write_file("$ws/Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"left\", \"right\", \"both\"]\n");
	for my $name (keys %members) {
		my ($deps, $body) = @{ $members{$name} };

		write_file("$ws/$name/Cargo.toml", "[package]\nname = \"$name\"\nversion = \"1.1.0\"\nedition = \"2021\"\n"
		    . "description = \"made for a test\"\nlicense = \"MIT\"\n[dependencies]\n$deps\n");
		write_file("$ws/$name/src/lib.rs", 'pub fn answer() -> u32 { ' . ($body || 42) . " }\n");
	}
	my (undef, $version) = $t->cargo('--version');
	if (($version =~ /^cargo 1\.(\d+)/)[0] >= 90) {
		$ok->('cargo publish --workspace', 'publish', '--workspace', '--registry', 'team', '--allow-dirty',
		    dir => $ws);
	} else {
		$ok->("cargo publish -p $_", 'publish', '-p', $_, '--registry', 'team', '--allow-dirty', dir => $ws)
		    for qw(left right both);
	}
	is($t->psql("SELECT string_agg(c.name || ' ' || p.path, ', ' ORDER BY c.name) FROM crates c JOIN projects p"
	    . " ON p.id = c.project_id WHERE c.name IN ('left', 'right', 'both')"),
	    'both core, left core, right app', 'each went to its project');
	write_file("$app/Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
	write_file("$app/src/main.rs", "fn main() { println!(\"{}\", both::answer() + base::answer()); }\n");
	$ok->("cargo add $_", 'add', '--registry', 'team', $_, dir => $app) for qw(both base);
	is($ok->('cargo run', 'run', '--quiet', dir => $app), "126\n", 'crates of three projects through one URL');
	my $lock = Berth::Cluster::slurp("$app/Cargo.lock");
	is(scalar(() = $lock =~ /source = "\Q$group_index\E"/g), 5, 'the lock file names the group') or diag($lock);
	unlike($lock, qr/projects/, 'and no project');
	like($ok->('cargo search', 'search', 'both', '--registry', 'team'), qr/^both = "1\.1\.0"/m, 'cargo search');
	$ok->('cargo yank', 'yank', '--registry', 'team', 'right@1.1.0', dir => $app);
	$ok->('cargo owner', 'owner', '--registry', 'team', '--list', 'right', dir => $app);
};

# An export has the same crates as the group's registry, and one project can import all of them.
subtest 'export' => sub {
	my $out = $t->dir . '/static';
	my $copy = $t->project('other/copy');
	put_ok('on another project of the group', $t->publish($id{app}, $token{dev}, 'joins', '1.0.0',
	    depends('base', $group_index)));
	my @served = $t->psql("SELECT c.name FROM crates c JOIN projects p ON p.id = c.project_id WHERE c.index_body"
	    . " IS NOT NULL AND p.full_path LIKE 'team/%' ORDER BY 1");
	my $bodies = sub {
		my ($read) = @_;

		return { map { $_ => $read->($_) } @served };
	};
	my $export = sub { Berth::Json::decode($t->berth_ok('--json', 'export', 'team', $out, '--url',
	    'https://static.test')) };
	my $said = $export->();
	is($said->{crates}, scalar @served, 'all crates below the group');
	my $group = $bodies->(sub { index_of($_[0], 'dev')->{body} });
	is_deeply($bodies->(sub { Berth::Cluster::slurp("$out/index/" . Berth::Publish::index_path($_[0])) }),
	    $group, 'the index files of the group');
	is(Berth::Json::decode($group->{joins})->{deps}[0]{registry}, undef, 'with dependencies inside of it');
	my $file = "$out/crates/joins/joins-1.0.0.crate";
	my $bytes = Berth::Cluster::slurp($file);
	Berth::Test::write_file($file, $bytes ^ ("\1" x length($bytes)));
	is($export->()->{copied}, 1, 'a crate of that name from another project is replaced');
	ok(Berth::Cluster::slurp($file) eq $bytes, 'by the one of the index');
	my ($status, undef, $err) = $t->berth('import', 'mirror', $out, '--into', 'other/copy');
	is($status, 0, 'an import of it') or diag($err);
	is_deeply($bodies->(sub { $t->http(GET => $t->registry($copy) . '/' . Berth::Publish::index_path($_[0]),
	    { token => $token{dev} })->{body} }), $group, 'has the same bytes of the index');
	$t->berth_ok('project', 'set', 'team/app', 'packages_enabled=false');
	cmp_ok($export->()->{crates}, '<', scalar @served, 'without a project that is switched off');
	($status, undef, $err) = $t->berth('export', 'none', $out, '--url', 'https://static.test');
	is("$status $err", "1 berth: group `none` does not exist\n", 'no such group');
};

done_testing();
