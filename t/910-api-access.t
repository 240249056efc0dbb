#!/usr/bin/perl
# Who may do what by the management API: every route of it, every kind of caller, in a private and in
# a public place.  What is allowed ends in an answer that
# changes nothing: a parameter is missing, or the thing is not there.

use strict;
use warnings;

use Test::More;

use Berth::OpenAPI;
use Berth::Cache;
use Berth::Test;

my $t = Berth::Test->new(publish_burst => 0, new_crate_burst => 0, failed_login_burst => 0);
my $port = Berth::Cache::start($t);
my $described = Berth::OpenAPI->new;

# ---- places: a project in a group of its own, private and public; and one that is not there ----

my %project = (priv => $t->project('closed/priv'), pub => $t->project('open/pub', 'public'),
    none => 987654321);
my %group = (priv => $t->group('closed'), pub => $t->group('open'), none => 987654321);

$t->project('apps/web');

# ---- callers: a token each, and a role in both groups ----

my @roles = qw(guest reporter developer maintainer owner);
my %user = map { $_ => $t->user($_) } @roles, 'stranger';
$user{admin} = $t->user('admin', admin => 1);
for my $role (@roles) {
	$t->member($role, $_, $role) for qw(closed open);
}
my %token = map { $_ => $t->token($_) } @roles, qw(stranger admin);
$token{garbage} = 'x';
$token{'owner, read_api'} = $t->token('owner', scopes => 'read_api');
$token{'owner, one crate'} = $t->token('owner', crates => 'abcd');
$token{'owner, publishing'} = $t->token('owner', operations => 'publish-new');
$token{'deploy, writes'} = { priv => $t->deploy_token('closed', 'read', 'write'),
    pub => $t->deploy_token('open', 'read', 'write') };
$token{'deploy of elsewhere'} = $t->deploy_token('apps', 'read', 'write');
$token{'job of maintainer'} = { priv => $t->job_token('closed/priv', 'maintainer'),
    pub => $t->job_token('open/pub', 'maintainer') };
$token{'foreign job of owner'} = $t->job_token('apps/web', 'owner');
for my $of ('deploy, writes', 'job of maintainer') {
	$token{$of}{none} = $token{$of}{priv};
}
# Those that get the same as one of the table: every token that is no good any more, for whatever reason; and
# a deploy token that cannot even publish.
my %same = ('deploy, reads' => 'deploy, writes', map { $_ => 'garbage' } qw(malformed revoked expired gone),
    'deploy, revoked', 'job, ended', 'job, late');
$t->user('gone');
$t->member('gone', $_, 'owner') for qw(closed open);
$token{malformed} = 'berth_pat_' . 'a' x 49;
$token{gone} = $t->token('gone');
$token{expired} = $t->ended_token('owner');
$token{revoked} = $t->token('owner');
$token{'deploy, reads'} = { priv => $t->deploy_token('closed', 'read'),
    pub => $t->deploy_token('open', 'read') };
$token{'deploy, reads'}{none} = $token{'deploy, reads'}{priv};
$token{'deploy, revoked'} = $t->deploy_token('closed', 'read', 'write');
$token{$_} = $t->job_token('closed/priv', 'maintainer') for 'job, ended', 'job, late';
$t->psql("UPDATE tokens SET expires_at = now() WHERE handle = '"
    . Berth::Test::token_handle($token{'job, late'}) . "'");
$t->berth_ok({ stdin => $token{$_} }, qw(token revoke)) for 'revoked', 'deploy, revoked', 'job, ended';
my %package;
for my $place (qw(priv pub)) {
	my $res = $t->publish($project{$place}, $token{owner}, 'abcd', '1.0.0');

	is($res->{status}, 200, "a crate is in $place") or diag($res->{body});
	$package{$place} = $t->psql("SELECT max(id) FROM versions");
}
$package{none} = 1;

# ---- routes: by what one must be allowed to; method, path, what comes of it where one is ----

my $gone = 987654321;
my %routes = (
	read_package => [
		[GET => 'P/packages', 200], [GET => 'P/packages/PACKAGE', 200],
		[GET => 'P/packages/PACKAGE/package_files', 200],
		[GET => 'P/packages/PACKAGE/pipelines', 200],
	],
	delete_package => [
		[DELETE => "P/packages/$gone", 404], [DELETE => "P/packages/$gone/package_files/$gone", 404],
		[PATCH => "P/packages/PACKAGE", 400],
	],
	read_owners => [[GET => 'R/api/v1/crates/abcd/owners', 200]],
	change_owners => [map { [$_ => 'R/api/v1/crates/abcd/owners', 400] } 'PUT', 'DELETE'],
	create_job_token => [[POST => 'R/job_tokens', 400], [DELETE => "R/job_tokens/$gone", 404]],
	read_settings => [
		[GET => 'R/trusted_publishing/rules', 200],
		(map { [GET => "P/$_", 200] } 'deploy_tokens', 'packages/protection/rules', 'job_token_scope',
		    'job_token_scope/allowlist', 'job_token_scope/groups_allowlist'),
		[GET => "P/deploy_tokens/$gone", 404],
	],
	change_settings => [
		[POST => 'R/trusted_publishing/rules', 400], [DELETE => "R/trusted_publishing/rules/$gone", 404],
		(map { [POST => "P/$_", 400] } 'deploy_tokens', 'packages/protection/rules', 'job_token_scope/allowlist',
		    'job_token_scope/groups_allowlist'),
		[PATCH => "P/packages/protection/rules/$gone", 404], [PATCH => 'P/job_token_scope', 400],
		(map { [DELETE => "P/$_/$gone", 404] } 'deploy_tokens', 'packages/protection/rules',
		    'job_token_scope/allowlist', 'job_token_scope/groups_allowlist'),
	],
	change_networks => [[PUT => 'P', 400]],
	change_group_networks => [[PUT => 'G', 400]],
	read_place => [[GET => 'P', 200]],
	read_members => [[GET => 'P/members', 200], [GET => 'P/members/all', 200], [GET => "P/members/$gone", 404],
	    [GET => "P/members/all/$gone", 404]],
	change_members => [[POST => 'P/members', 400], [PUT => "P/members/$gone", 400],
	    [DELETE => "P/members/$gone", 404]],
	read_group_packages => [[GET => 'G/packages', 200]],
	read_group_settings => [[GET => 'G/deploy_tokens', 200], [GET => "G/deploy_tokens/$gone", 404]],
	change_group_settings => [[POST => 'G/deploy_tokens', 400], [DELETE => "G/deploy_tokens/$gone", 404]],
	read_group => [map { [GET => $_, 200] } 'G', 'G/projects', 'G/subgroups', 'G/descendant_groups'],
	read_group_members => [[GET => 'G/members', 200], [GET => 'G/members/all', 200],
	    [GET => "G/members/$gone", 404], [GET => "G/members/all/$gone", 404]],
	change_group_members => [[POST => 'G/members', 400], [PUT => "G/members/$gone", 400],
	    [DELETE => "G/members/$gone", 404]],
	read_token => [[GET => '/api/v4/version', 200], [GET => '/api/v4/metadata', 200]],
	read_account => [
		[GET => '/api/v4/user', 200], [GET => '/api/v4/projects', 200], [GET => '/api/v4/groups', 200],
		[GET => '/api/v4/personal_access_tokens', 200],
		[GET => '/api/v4/personal_access_tokens/self', 200], [GET => "/api/v4/personal_access_tokens/$gone", 404],
	],
	change_account => [[DELETE => "/api/v4/personal_access_tokens/$gone", 404],
	    [POST => "/api/v4/personal_access_tokens/$gone/rotate", 404]],
);

# The status for each caller in the order of @callers; 0 is "it is done".
my @callers = ('anonymous', 'garbage', 'stranger', @roles, 'admin', 'owner, read_api', 'owner, one crate',
    'owner, publishing',
    'deploy, writes', 'deploy of elsewhere', 'job of maintainer', 'foreign job of owner');
my @table = (
	#                          an.  g.   str. gst. rep. dev. mnt. own. adm. r_a. crt. pub. dep. d.el job  foreign
	[read_package => 'priv', qw(401 401 404 403 0   0   0   0   0   0   0   0   0   404 0   404)],
	[read_package => 'pub', qw( 0   401 0   0   0   0   0   0   0   0   0   0   0   0   0   0)],
	[read_package => 'none', qw(401 401 404 404 404 404 404 404 404 404 404 404 404 404 404 404)],
	[delete_package => 'priv', qw(401 401 404 403 403 403 0 0   0   403 403 403 403 404 0   404)],
	[delete_package => 'pub', qw(401 401 403 403 403 403 0  0   0   403 403 403 403 403 0   403)],
	[delete_package => 'none', qw(401 401 404 404 404 404 404 404 404 404 404 404 404 404 404 404)],
	[read_owners => 'priv', qw( 401 401 404 403 0   0   0   0   0   0   0   0   0   404 0   404)],
	[read_owners => 'pub', qw(  401 401 0   0   0   0   0   0   0   0   0   0   0   0   0   0)],
	[read_owners => 'none', qw( 401 401 404 404 404 404 404 404 404 404 404 404 404 404 404 404)],
	[change_owners => 'priv', qw(401 401 404 403 403 403 0  0   0   403 0   403 403 404 403 404)],
	[change_owners => 'pub', qw(401 401 403 403 403 403 0   0   0   403 0   403 403 403 403 403)],
	[change_owners => 'none', qw(401 401 404 404 404 404 404 404 404 404 404 404 404 404 404 404)],
	# those that may are below
	[create_job_token => 'priv', qw(401 401 404 403 403 403 403 403 403 403 403 403 403 404 403 404)],
	[create_job_token => 'pub', qw(401 401 403 403 403 403 403 403 403 403 403 403 403 403 403 403)],
	[create_job_token => 'none', qw(401 401 404 404 404 404 404 404 404 404 404 404 404 404 404 404)],
	[read_settings => 'priv', qw(401 401 404 403 403 403 0  0   0   0   0   0   403 404 403 404)],
	[read_settings => 'pub', qw(401 401 403 403 403 403 0   0   0   0   0   0   403 403 403 403)],
	[change_settings => 'priv', qw(401 401 404 403 403 403 0 0  0   403 403 403 403 404 403 404)],
	[change_settings => 'pub', qw(401 401 403 403 403 403 0 0   0   403 403 403 403 403 403 403)],
	[change_settings => 'none', qw(401 401 404 404 404 404 404 404 404 404 404 404 404 404 404 404)],
	[change_networks => 'priv', qw(401 401 404 403 403 403 403 0 0  403 403 403 403 404 403 404)],
	[change_networks => 'pub', qw(401 401 403 403 403 403 403 0 0   403 403 403 403 403 403 403)],
	[change_networks => 'none', qw(401 401 404 404 404 404 404 404 404 404 404 404 404 404 404 404)],
	[change_group_networks => 'pub', qw(401 401 403 403 403 403 403 0 0 403 403 403 403 403 403 403)],
	[read_place => 'priv', qw(  401 401 404 0   0   0   0   0   0   0   0   0   403 404 403 404)],
	[read_place => 'pub', qw(   0   401 0   0   0   0   0   0   0   0   0   0   403 403 403 403)],
	[read_place => 'none', qw(  401 401 404 404 404 404 404 404 404 404 404 404 404 404 404 404)],
	[read_members => 'priv', qw(401 401 404 0   0   0   0   0   0   0   0   0   403 404 403 404)],
	[read_members => 'pub', qw( 401 401 0   0   0   0   0   0   0   0   0   0   403 403 403 403)],
	[change_members => 'priv', qw(401 401 404 403 403 403 0 0   0   403 403 403 403 404 403 404)],
	[change_members => 'pub', qw(401 401 403 403 403 403 0  0   0   403 403 403 403 403 403 403)],
	[read_group_packages => 'pub', qw(0 401 0 0 0   0   0   0   0   0   0   0   0   0   0   0)],
	[read_group_settings => 'pub', qw(401 401 403 403 403 403 0 0 0 0   0   0   403 403 403 403)],
	[change_group_settings => 'pub', qw(401 401 403 403 403 403 0 0 0 403 403 403 403 403 403 403)],
	# who is a member knows of the group, by whatever token
	[read_group => 'priv', qw(  401 401 404 0   0   0   0   0   0   0   0   0   403 404 403 403)],
	[read_group => 'pub', qw(   0   401 0   0   0   0   0   0   0   0   0   0   403 403 403 403)],
	[read_group => 'none', qw(  401 401 404 404 404 404 404 404 404 404 404 404 404 404 404 404)],
	[read_group_members => 'pub', qw(401 401 0 0 0  0   0   0   0   0   0   0   403 403 403 403)],
	[change_group_members => 'pub', qw(401 401 403 403 403 403 403 0 0  403 403 403 403 403 403 403)],
	[read_token => '-', qw(     401 401 0   0   0   0   0   0   0   0   0   0   0   0   0   0)],
	[read_account => '-', qw(   401 401 0   0   0   0   0   0   0   0   0   0   403 403 403 403)],
	[change_account => '-', qw( 401 401 0   0   0   0   0   0   0   403 403 403 403 403 403 403)],
);

sub token_of {
	my ($caller, $place) = @_;
	my $token = $token{$caller};

	return ref $token ? $token->{ $place eq '-' ? 'priv' : $place } : $token;
}

# The path of a route: R is the registry of project P, G a group.
sub url {
	my ($path, $project, $group, $package) = @_;

	return $path =~ s{^R(?=/)}{P/packages/cargo}r =~ s{^P(?=/|$)}{/api/v4/projects/$project}r
	    =~ s{^G(?=/|$)}{/api/v4/groups/$group}r =~ s{PACKAGE}{$package}r;
}

sub check {
	my ($caller, $place, $route, $want) = @_;
	my ($method, $path, $success) = @$route;
	my $url = url($path, $project{$place}, $group{$place}, $package{$place} // 1);
	my $res = Berth::Cache::ask($port, $method => $url, { token => token_of($caller, $place),
		$method =~ /^P/ ? (body => '{}', headers => ['Content-Type: application/json']) : () });
	my $status = $want || $success;
	my @bad = ($res->{status} == $status ? () : "status $res->{status}, not $status: $res->{body}",
	    $described->complaints($method, $url, $res));
	my $unknown = $res->{body} =~ /"(?:404 )?(?:Project|Group) Not Found"/;

	# of two 404, one is about the place
	push @bad, "body $res->{body}" if $status == 404 && $unknown != ($want == 404);
	push @bad, 'where to log in' if ($status == 401) != defined $res->{headers}{'www-authenticate'};
	push @bad, 'kept by others' if ($res->{headers}{'cache-control'} // '') !~ /private|no-store/;
	return map { "$method $path: $_" } @bad;
}

my (%described, %tested);
for my $operation ($described->operations) {
	$described{$operation}++ if $operation =~ m{ /api/v4/}
	    && $operation !~ m{/openapi\.json$|/api/v4/job$}
	    && $operation !~ m{/packages/cargo(?!.*/(?:owners|rules|job_tokens)(?:/|$))(?:/|$)}
	    && $operation !~ m{/groups/.*/packages/cargo/};
}
$t->berth_ok(qw(user block gone));
for my $row (@table) {
	my ($class, $place, @cells) = @$row;
	my %want = map { $callers[$_] => $cells[$_] } 0 .. $#callers;

	is(scalar @cells, scalar @callers, "$class, $place: a cell for each caller");
	for my $caller (@callers) {
		my $want = shift @cells;
		my @bad = map { check($caller, $place, $_, $want) } @{ $routes{$class} };

		is(join("\n", @bad), '', "$class, $place, $caller: " . ($want || 'done'));
	}
	for my $caller (sort keys %same) {
		my @bad = map { check($caller, $place, $_, $want{ $same{$caller} }) } @{ $routes{$class} };

		is(join("\n", @bad), '', "$class, $place, $caller: as $same{$caller}");
	}
	for my $route (@{ $routes{$class} }) {
		my $path = url($route->[1], 1, 1, 1);
		my (undef, $name) = $described->operation($route->[0], $path);

		$tested{"$route->[0] $name"}++;
	}
}
my $mints = $t->berth_ok(qw(token add --deploy closed/priv --scopes create_job_token));
for my $route (@{ $routes{create_job_token} }) {
	my ($method, $path, $status) = @$route;

	is(Berth::Cache::ask($port, $method => url($path, $project{priv}, 0, 0), { token => $mints,
		$method eq 'POST' ? (body => '{}', headers => ['Content-Type: application/json']) : () })->{status},
	    $status, "a deploy token that makes tokens of jobs: $method");
}
# of a place that one may read, the networks are for who may read its settings
for my $row (grep { $_->[0] =~ /^read_(?:group_)?settings$/ } @table) {
	my ($class, $place, @cells) = @$row;
	my $url = $class =~ /group/ ? "/api/v4/groups/$group{$place}" : "/api/v4/projects/$project{$place}";
	my %want = map { $callers[$_] => $cells[$_] } 0 .. $#callers;
	my @told = grep { my $res = Berth::Cache::ask($port, GET => $url, { token => token_of($_, $place) });
		$res->{status} == 200 && exists $t->json($res)->{anonymous_networks} } @callers;

	is(join(', ', @told), join(', ', grep { !$want{$_} } @callers),
	    "$class, $place: who is told of the networks");
	my @listed = grep { exists $_->{anonymous_networks} } map { @{ $t->json(Berth::Cache::ask($port,
	    GET => "/api/v4/$_", { token => $token{admin} })) } } qw(projects groups);
	is(scalar @listed, 0, 'and no list tells them');
}
# those that would end the token that asks are in t/930-manage.t
$tested{$_}++ for 'DELETE /api/v4/personal_access_tokens/self',
    'POST /api/v4/personal_access_tokens/self/rotate';
is(join("\n", grep { !$tested{$_} } sort keys %described), '', 'every management route was asked');

# ---- GitLab's headers ----

my $list = "/api/v4/projects/$project{priv}/packages";
my $status = sub { return $t->http(GET => $list, { headers => [@_] })->{status}; };
is($status->("PRIVATE-TOKEN: $token{reporter}"), 200, 'PRIVATE-TOKEN');
is($status->("DEPLOY-TOKEN: $token{'deploy, writes'}{priv}"), 200, 'DEPLOY-TOKEN');
is($status->("JOB-TOKEN: $token{'job of maintainer'}{priv}"), 200, 'JOB-TOKEN');
is($status->("JOB-TOKEN: $token{reporter}"), 401, "a user's token under another header");
is($status->("PRIVATE-TOKEN: $token{reporter}", "Authorization: Bearer $token{reporter}"), 400,
    'two at once');

done_testing();
