#!/usr/bin/perl

# A write that has waited is decided again: an event that ends a right meanwhile fails the
# write as well, with the error that it would have got after the event, and leaves nothing of it.
# For every write of the application's table whose caller shows a token.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Berth::FastCGI;
use Berth::Routes;
use Berth::Test;

my $t = Berth::Test->new(workers => 2, cache_dir => undef);
my $json = JSON::PP->new->utf8;
my $id = $t->project('demo/registry');
my $R = $t->registry($id);
my $P = "/api/v4/projects/$id";
my $other = $t->project('demo/other');
my $group = $t->psql("SELECT id FROM groups WHERE full_path = 'demo'");
my $V = "/api/v4/groups/$group/-/packages/cargo";

$t->user($_) for qw(owner dev colleague root);
$t->member('owner', 'demo', 'owner');
$t->member('dev', 'demo/registry', 'developer');
my %token = (owner => $t->token('owner'), dev => $t->token('dev'),
    deploy => $t->berth_ok(qw(token add --deploy demo/registry --scopes create_job_token)));
is($t->publish($id, $token{dev}, 'foo', $_)->{status}, 200, "foo $_") for qw(1.0.0 1.1.0);
my $version = $t->psql("SELECT id FROM versions WHERE version = '1.0.0'");
my $spare = $t->psql(q(SELECT id FROM tokens WHERE kind = 'deploy'));

sub body_of { return $json->encode({@_}); }
my $crate = $t->publish_body($t->metadata('foo', '2.0.0'), $t->make_crate('foo', '2.0.0'));

# The objects of the changes, made before each case: name => the statement, which returns an id.
my %there = (
	rule => "INSERT INTO protection_rules"
	    . " (project_id, package_name_pattern, normalized_pattern, minimum_access_level_for_push)"
	    . " VALUES ($id, 'x*', 'x*', 40) RETURNING id",
);

# The writes: route => [caller, method, path, body].  They wait for a row of the audit log, which each
# of them writes; if the event itself would wait for that row, they wait for something else.
my ($colleague, $dev) = map { $t->psql("SELECT id FROM users WHERE username = '$_'") } qw(colleague dev);
my %writes = (
	publish => ['dev', PUT => "$R/api/v1/crates/new", $crate],
	publish_group => ['dev', PUT => "$V/api/v1/crates/new", $t->publish_body($t->metadata('foo', '3.0.0'),
	    $t->make_crate('foo', '3.0.0'))],
	yank => ['dev', DELETE => "$R/api/v1/crates/foo/1.0.0/yank"],
	unyank => ['dev', PUT => "$R/api/v1/crates/foo/1.1.0/unyank"],
	unyank_group => ['dev', PUT => "$V/api/v1/crates/foo/1.1.0/unyank"],
	owners_add => ['owner', PUT => "$R/api/v1/crates/foo/owners", body_of(users => ['colleague']),
	    'crate_owners'],
	owners_remove => ['owner', DELETE => "$R/api/v1/crates/foo/owners", body_of(users => ['root']),
	    'crate_owners'],
	package_status => ['owner', PATCH => "$P/packages/$version", body_of(status => 'deprecated')],
	package_delete => ['owner', DELETE => "$P/packages/$version"],
	package_file_delete => ['owner', DELETE => "$P/packages/$version/package_files/$version"],
	deploy_token_create => ['owner', POST => "$P/deploy_tokens",
	    body_of(name => 'x', scopes => ['read_package_registry'])],
	deploy_token_delete => ['owner', DELETE => "$P/deploy_tokens/$spare"],
	deploy_token_create_group => ['owner', POST => "/api/v4/groups/$group/deploy_tokens",
	    body_of(name => 'x', scopes => ['read_package_registry'])],
	member_add => ['owner', POST => "$P/members", body_of(user_id => $colleague, access_level => 20), 'members'],
	member_edit => ['owner', PUT => "$P/members/ROOT", body_of(access_level => 30), 'members'],
	member_remove => ['owner', DELETE => "$P/members/ROOT", '', 'members'],
	member_add_group => ['owner', POST => "/api/v4/groups/$group/members",
	    body_of(user_id => $colleague, access_level => 20), 'members'],
	protection_rule_create => ['owner', POST => "$P/packages/protection/rules",
		body_of(package_name_pattern => 'y*', package_type => 'cargo',
		    minimum_access_level_for_push => 'maintainer')],
	protection_rule_change => ['owner', PATCH => "$P/packages/protection/rules/RULE",
	    body_of(minimum_access_level_for_push => 'owner')],
	protection_rule_delete => ['owner', DELETE => "$P/packages/protection/rules/RULE"],
	job_token_scope_change => ['owner', PATCH => "$P/job_token_scope", body_of(enabled => JSON::PP::false),
	    'projects'],
	job_token_allowlist_add => ['owner', POST => "$P/job_token_scope/allowlist",
	    body_of(target_project_id => $other), 'job_token_allowlist'],
	job_token_groups_allowlist_add => ['owner', POST => "$P/job_token_scope/groups_allowlist",
	    body_of(target_group_id => $group), 'job_token_allowlist'],
	project_change => ['owner', PUT => $P, body_of(anonymous_networks => ['192.0.2.1']), 'projects'],
	group_change => ['owner', PUT => "/api/v4/groups/$group", body_of(anonymous_networks => ['192.0.2.1']),
	    'groups'],
	job_token_create => ['deploy', POST => "$R/job_tokens",
	    body_of(user => 'owner', pipeline => 1, job => 2, ttl => 60)],
);

# Writes that no event can interrupt, each with the reason.
my %other = (
	publish_authorize => 'it only looks', publish_authorize_group => 'it only looks',
	yank_group => 'as yank', owners_add_group => 'as owners_add', owners_remove_group => 'as owners_remove',
	personal_token_revoke => 'the token is locked', personal_token_revoke_self => 'it ends its own right',
	personal_token_rotate => 'the token is locked', personal_token_rotate_self => 'the token is locked',
	trusted_revoke => 'it ends its own right', job_token_end => 'it ends a right',
	deploy_token_delete_group => 'as deploy_token_delete', member_edit_group => 'as member_edit',
	member_remove_group => 'as member_remove',
	job_token_allowlist_remove => 'as the one that adds',
	job_token_groups_allowlist_remove => 'as the one that adds',
	trust_rule_add => 'as protection_rule_create', trust_rule_remove => 'as protection_rule_delete',
);
my @unknown = grep { !$writes{$_} && !$other{$_} } map { $_->{name} }
    grep { $_->{policy} && $_->{pattern} !~ m{^-/} && grep({ !/^(?:GET|HEAD)$/ } @{ $_->{methods} }) }
    Berth::Routes::all();
is("@unknown", '', 'every write of the table is known here');

# What ends a right: name => [statement, its opposite, status, of which callers].
my $token_of = sub {
	return "(SELECT max(id) FROM tokens WHERE handle = '" . Berth::Test::token_handle($_[0]) . "')";
};
my %ends = (
	'the token is revoked' => [q(UPDATE tokens SET revoked_at = now() WHERE id = %s),
	    q(UPDATE tokens SET revoked_at = NULL WHERE id = %s), 401],
	'the token has expired' => [q(UPDATE tokens SET expires_at = now() - interval '1 hour' WHERE id = %s),
		q(UPDATE tokens SET expires_at = NULL WHERE id = %s), 401],
);
my %ends_publish = (
	'the user is blocked' => [q(UPDATE users SET state = 'blocked' WHERE username = 'dev'),
	    q(UPDATE users SET state = 'active' WHERE username = 'dev'), 401],
	'the user is no member' => ["DELETE FROM members WHERE user_id = $dev",
		"INSERT INTO members (user_id, project_id, access_level) SELECT $dev, $id, 30", 404],
	'the user is a guest' => ["UPDATE members SET access_level = 10 WHERE user_id = $dev",
		"UPDATE members SET access_level = 30 WHERE user_id = $dev", 403],
	'packages are switched off' => ["UPDATE projects SET packages_enabled = false WHERE id = $id",
		"UPDATE projects SET packages_enabled = true WHERE id = $id", 404],
	'the flag is off' => [q(INSERT INTO feature_flags (name, percentage)
	    VALUES ('package_registry_cargo_support', 0)), q(DELETE FROM feature_flags), 404],
);

sub fingerprint {
	return join(' ', $t->psql(q(SELECT (SELECT count(*) FROM audit_events), (SELECT count(*) FROM versions),
	    (SELECT count(*) FROM tokens), (SELECT count(*) FROM members), (SELECT count(*) FROM protection_rules),
	    (SELECT count(*) FROM crate_owners), (SELECT count(*) FROM job_token_allowlist),
	    (SELECT string_agg(anonymous_networks, ' ') FROM projects),
	    (SELECT string_agg(anonymous_networks, ' ') FROM groups),
	    (SELECT string_agg(md5(index_body) || index_revision, ' ' ORDER BY id) FROM crates))));
}

# Sends the request while a session locks the table; ends the right, unlocks, and reads the answer.
sub waiting {
	my ($write, $end) = @_;
	my ($who, $method, $path, $body, $table) = @$write;
	my $pid = open(my $in, '|-', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $t->dsn('postgres'))
	    // die "psql: $!\n";

	$in->autoflush(1);
	$table //= 'audit_events';
	print {$in} "BEGIN; LOCK TABLE $table IN SHARE MODE;\n";
	# databases of other tests have tables with the same number
	my $locks = "SELECT count(*) FROM pg_locks WHERE relation = '$table'::regclass"
	    . ' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND';
	$t->wait_for(sub { $t->psql("$locks mode = 'ShareLock' AND granted") }) or die "no lock\n";
	my $c = Berth::FastCGI->connect($t->socket_path) or die "pool: $!\n";
	$c->send_bytes(Berth::FastCGI::request($path, REQUEST_METHOD => $method, REMOTE_ADDR => '127.0.0.1',
	    CONTENT_TYPE => 'application/json', HTTP_AUTHORIZATION => $token{$who}, body => $body // ''));
	my $waits = $t->wait_for(sub { $t->psql("$locks NOT granted") }, 20);
	print {$in} "$end;\n" if defined $end;
	print {$in} "COMMIT;\n";
	close($in) or die "psql: $?\n";
	my $res = $c->answer;
	$res->{waited} = $waits;
	return $res;
}

# Before each case: makes its object.
sub prepare {
	my ($write) = @_;
	my $again = "ON CONFLICT (project_id, normalized_pattern) DO UPDATE SET package_name_pattern = 'x*'";
	my ($rule) = $t->psql($there{rule} =~ s/RETURNING/$again RETURNING/r);
	my ($root) = $t->psql("INSERT INTO members (user_id, project_id, access_level) SELECT id, $id, 20 FROM users"
	    . " WHERE username = 'root' ON CONFLICT DO NOTHING RETURNING user_id");

	$root //= $t->psql("SELECT id FROM users WHERE username = 'root'");
	$t->psql("INSERT INTO crate_owners (crate_id, user_id, project_id) SELECT c.id, $root, $id"
	    . " FROM crates c ON CONFLICT DO NOTHING");
	$t->psql("UPDATE versions SET yanked = true WHERE version = '1.1.0'");
	return [map { defined $_ ? s/\bRULE\b/$rule/r =~ s/\bROOT\b/$root/r : $_ } @$write];
}

my %id_of = map { $_ => $t->psql("SELECT id FROM tokens WHERE handle = '"
    . Berth::Test::token_handle($token{$_}) . "'") } keys %token;
die "tokens are not stored by their SHA-256\n" if grep { !$id_of{$_} } keys %id_of;
$t->start_pool;

sub refused {
	my ($name, $write, $end, $back, $status) = @_;

	$write = prepare($write);
	my $before = fingerprint();
	my $res = waiting($write, $end);
	ok($res->{waited}, "$name: it waits");
	is($res->{status}, $status, "$name: $status") or diag($res->{body});
	$t->psql($back);
	is(fingerprint(), $before, "$name: nothing is left");
	return;
}

for my $route (sort keys %writes) {
	for my $end (sort keys %ends) {
		my ($sql, $back, $status) = @{ $ends{$end} };

		next if $end =~ /expired/ && $route !~ /^(?:publish|yank)$/;
		refused("$route, and $end", $writes{$route}, map({ sprintf($_, $id_of{ $writes{$route}[0] }) } $sql, $back),
		    $status);
	}
}
refused("publish, and $_", $writes{publish}, @{ $ends_publish{$_} }) for sort keys %ends_publish;
refused('publish_group, and another project has the name', $writes{publish_group},
    "UPDATE groups SET registry_projects = ARRAY[$other];"
    . ' INSERT INTO crates (project_id, name, normalized_name, index_body)'
    . " SELECT $other, name, normalized_name, index_body FROM crates",
    "UPDATE groups SET registry_projects = '{}'; DELETE FROM crates WHERE project_id = $other", 503);

# Without an event each write succeeds.
for my $route (sort grep { !/^(?:package_delete|package_file_delete|deploy_token_delete)$/ } keys %writes) {
	my $res = waiting(prepare($writes{$route}));

	ok($res->{waited} && $res->{status} =~ /^20[014]$/, "$route, and nothing ends: $res->{status}")
	    or diag($res->{body});
}

# A user who leaves ends their own right, and the request succeeds.
$t->user('leaver');
$t->member('leaver', 'demo/registry', 'owner');
my $leaver = $t->psql("SELECT id FROM users WHERE username = 'leaver'");
is($t->http(DELETE => "$P/members/$leaver", { token => $t->token('leaver') })->{status}, 204,
    'a member leaves by themself');
my $last = $t->token('colleague');
is($t->http(DELETE => '/api/v4/personal_access_tokens/self', { token => $last })->{status}, 204,
    'a token that ends itself');
is($t->http(POST => '/api/v4/personal_access_tokens/self/rotate',
    { token => $t->token('colleague') })->{status}, 200, 'or is rotated by itself');

done_testing();
