#!/usr/bin/perl
# A client that was made for GitLab: Debian's python3-gitlab.  What it does is in the script beside
# this, which writes TAP; here is what it finds.

use strict;
use warnings;

use Test::More;

use Berth::Test;

my $t = Berth::Test->new(publish_burst => 0, new_crate_burst => 0, failed_login_burst => 0);
my $id = $t->project('demo/registry');
my %user = map { $_ => $t->user($_) } qw(mia ron sam);
$user{root} = $t->user('root', admin => 1);
my $foreign = $t->project('apps/web');
my %token = (
	maintainer => $t->token('mia'),
	reporter => $t->token('ron'),
	stranger => $t->token('sam'),
	spare => $t->token('mia'),
	admin => $t->token('root'),
	job => $t->job_token('demo/registry', 'mia'),
	foreign_job => $t->job_token('apps/web', 'mia'),
);
$t->member('mia', 'demo', 'maintainer');
$t->member('ron', 'demo', 'reporter');
my ($stranger, $spare) = map { $t->psql("SELECT max(id) FROM tokens t WHERE user_id = $user{$_}"
    . " AND kind = 'personal'") } qw(sam mia);

for my $crate ((map { [sprintf('crate-%02d', $_), '0.1.0'] } 1 .. 22), ['alpha', '1.0.0'],
    ['alpha', '1.1.0']) {
	is($t->publish($id, $token{maintainer}, @$crate)->{status}, 200, "@$crate is there")
	    or BAIL_OUT('nothing to look at');
}
is($t->publish($id, $token{job}, 'from-job', '1.0.0')->{status}, 200, 'and one from a job');

my $given = JSON::PP->new->canonical->encode({ %token, spare_id => $spare + 0, foreign_id => $stranger + 0,
	stranger_user_id => $user{sam} + 0, reporter_user_id => $user{ron} + 0, foreign_project_id => $foreign + 0,
	foreign_group_id => $t->group('apps') + 0 });
my ($status, $out, $err) = Berth::Cluster::capture({ env => { no_proxy => '*' } }, '/usr/bin/python3',
    't/901-gitlab-client.py', $t->url, $t->cacert, 'demo', 'demo/registry', $given);

subtest 'python-gitlab' => sub {
	my $lines = 0;

	for my $line (split /\n/, $out) {
		if ($line =~ /^(not )?ok \d+ - (.*)$/) {
			ok(!$1, $2);
			$lines++;
		} elsif ($line =~ /^# (.*)$/) {
			diag($1);
		}
	}
	is($status, 0, 'the client ends well') or diag($err);
	like($out, qr/^1\.\.$lines$/m, 'and has done all that it was to do');
};

# What python-gitlab, glab and Terraform's provider call for packages, projects, groups, members, tokens and
# users: it is served as GitLab has them, or there is no such thing, and the answer says so.
subtest 'calls of clients' => sub {
	my ($P, $G) = ("/projects/$id", '/groups/' . $t->group('demo'));
	my $package = $t->psql("SELECT min(id) FROM versions WHERE status = 'default'");
	my $own = $t->psql("SELECT max(id) FROM tokens WHERE user_id = $user{ron}");
	my %served = ( # with what the answer has
		user => ['id username name state is_admin', '/user'],
		version => ['version revision enterprise kas', '/version', '/metadata'],
		project => ['id name path path_with_namespace namespace visibility web_url permissions', $P,
		    '/projects/demo%2Fregistry'],
		projects => ['id path_with_namespace', '/projects?simple=true&per_page=20',
		    '/projects?search=reg&order_by=id&sort=asc', "$G/projects?include_subgroups=true"],
		group => ['id name path full_path full_name parent_id visibility web_url', $G,
		    '/groups/demo?with_projects=false'],
		groups => ['id full_path', '/groups?search=de&top_level_only=true',
		    '/groups?page=1&per_page=100&order_by=name&statistics=true'],
		none => ['', "$G/subgroups?skip_groups[]=1", "$G/descendant_groups", "$P/deploy_tokens?active=true",
			"$G/deploy_tokens", "$P/job_token_scope/allowlist",
			"$P/job_token_scope/groups_allowlist", "$P/packages/protection/rules", "$P/packages/$package/pipelines"],
		packages => ['id name version package_type status created_at _links',
		    "$P/packages?package_type=cargo&order_by=created_at", "$G/packages?exclude_subgroups=true"],
		package => ['id name version versions', "$P/packages/$package"],
		files => ['id package_id file_name file_sha256 size', "$P/packages/$package/package_files"],
		members => ['id username access_level state', "$P/members/all?user_ids=$user{mia}", "$G/members?query=mia",
		    "$G/members/all"],
		member => ['id username access_level expires_at', "$P/members/all/$user{mia}", "$G/members/$user{mia}"],
		scope => ['inbound_enabled', "$P/job_token_scope"],
		tokens => ['id name scopes active revoked expires_at user_id',
		    "/personal_access_tokens?user_id=$user{ron}&state=active"],
		token => ['id name scopes active', '/personal_access_tokens/self', "/personal_access_tokens/$own"],
	);
	my %absent = (
		GET => [qw(/users /users?username=mia /users/1 /users/1/projects /users/1/memberships /namespaces
		    /namespaces/1 /namespaces?search=demo /deploy_tokens /events /todos /application/settings /features
		    /license /runners /search?scope=projects&search=x /topics /hooks /keys /user/emails /user/keys
		    /user/personal_access_tokens /job/allowed_agents),
			(map {
				my $at = $_;

				map { "$at/$_" } qw(access_tokens access_tokens/1 access_requests audit_events badges hooks invitations
				    invitations/a@b.c issues labels merge_requests milestones runners variables variables/X wikis);
			} $P, $G),
			(map { "$P/$_" } qw(approvals branches deploy_keys environments events export forks groups import
			    invited_groups jobs languages pipelines protected_branches protected_branches/main protected_tags
			    push_rule releases releases/v1 repository/branches repository/commits
			    repository/files/README.md?ref=main repository/tags repository/tree share_locations services snippets
			    starrers statistics triggers users packages/generic/a/1.0.0/b registry/repositories)),
			(map { "$G/$_" } qw(billable_members epics saml_group_links ldap_group_links service_accounts
			    shared_projects registry/repositories projects/shared avatar push_rule))],
		POST => [qw(/projects /projects/user/1 /groups /users /users/1/personal_access_tokens
		    /user/personal_access_tokens /personal_access_tokens /markdown),
			(map {
				my $at = $_;

				map { "$at/$_" }
				    qw(access_tokens access_tokens/1/rotate share hooks variables invitations transfer restore);
			} $P, $G),
			(map { "$P/$_" } '', qw(archive unarchive fork star trigger/pipeline housekeeping uploads packages
			    deploy_keys repository/branches members/1)), "$G/projects/1", "$G/packages"],
		PUT => [(map {
			my $at = $_;

			map { "$at/$_" } qw(access_tokens/1 hooks/1 variables/X invitations/a@b.c deploy_tokens/1);
		} $P, $G),
			"$P/packages/generic/a/1.0.0/b", "$P/transfer", '/application/settings', '/users/1', '/user/status',
			'/personal_access_tokens/1'],
		PATCH => [$P, $G, "$P/members/1", "$P/access_tokens/1", '/user/status'],
		DELETE => [(map {
			my $at = $_;

			map { "$at/$_" } qw(access_tokens/1 hooks/1 share/1 variables/X invitations/a@b.c);
		} $P, $G), '/users/1', "$P/fork"],
	);
	my $call = sub {
		my ($method, $path) = @_;

		return $t->http($method => "/api/v4$path",
		    { headers => ["PRIVATE-TOKEN: $token{admin}", 'Content-Type: application/json'],
			$method =~ /^P/ ? (body => '{"name":"x"}') : () });
	};

	for my $what (sort keys %served) {
		my ($has, @paths) = @{ $served{$what} };

		for my $path (@paths) {
			my $res = $call->(GET => $path);
			my $got = $res->{status} == 200 ? $t->json($res) : {};
			my $one = ref $got eq 'ARRAY' ? $got->[0] : $got;

			is($res->{status}, 200, "$path is served");
			is(join(' ', grep { !exists $one->{$_} } split(/ /, $has)), '', "$path: with what a client looks at");
			is(ref $got, 'ARRAY', "$path: an empty list") if $has eq '';
		}
	}
	for my $method (sort keys %absent) {
		for my $path (@{ $absent{$method} }) {
			my $res = $call->($method => $path);

			is("$res->{status} $res->{headers}{'content-type'}", '404 application/json',
			    "$method $path: there is none");
			like($res->{body}, qr/^\{"message":"404 Not Found - Berth has no such part of GitLab's API; [^"]+"\}$/,
			    'and it is said');
		}
	}
	# who hears 404 believes that it is gone
	for my $path ($P, $G, "$P/packages", "$P/job_token_scope") {
		my $res = $call->(DELETE => $path);

		is($res->{status}, 405, "DELETE $path: stays");
		like($res->{body}, qr/^\{"message":"405 Method Not Allowed - Berth has no such part of GitLab's API; /,
		    'and it is said');
	}
	is($call->($_ => "$P/packages/protection/rules/1")->{status}, 404, "$_ of a rule: only the list shows it")
	    for qw(GET HEAD);
	is($call->(PUT => $_)->{status}, 400, "PUT $_: only what this server has") for $P, $G;
};

is($t->psql("SELECT count(*) FROM audit_events WHERE action = 'crate.delete' AND user_id = $user{mia}"), 3,
    'what was deleted is in the audit');
is($t->psql("SELECT string_agg(DISTINCT action, ' ' ORDER BY action) FROM audit_events"
    . " WHERE request_id IS NOT NULL"),
    'crate.delete crate.publish member.remove member.set project.allow project.disallow project.set'
    . ' protection.change'
    . ' protection.create protection.remove token.create token.revoke token.rotate', 'and so is all else');
is($t->psql("SELECT count(*) FROM audit_events WHERE request_id IS NOT NULL"
    . " AND (user_id IS NULL OR token_id IS NULL OR remote_addr IS NULL)"), 0,
    'with who it was and from where');
unlike(join('', map { $t->log($_) } qw(pool nginx-error nginx-berth)), qr/berth_(?:pat|dep|job)_/,
    'no log has a token');

done_testing();
