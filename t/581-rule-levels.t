#!/usr/bin/perl
# A user whom a rule keeps out can neither remove the rule nor get past it by another route that writes:
# changing or removing a protection rule needs the highest level that it names, before and after.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Berth::Routes;
use Berth::Test;

my $t = Berth::Test->new(publish_burst => 0, new_crate_burst => 0, failed_login_burst => 0, yank_burst => 0);
my $json = JSON::PP->new->canonical;
my $id = $t->project('demo/registry');
my $other = $t->project('demo/other');
my $group = $t->psql("SELECT id FROM groups WHERE full_path = 'demo'");
my $api = "/api/v4/projects/$id";
my %level = (maintainer => 40, owner => 50, admin => 60);
my @callers = sort { $level{$a} <=> $level{$b} } keys %level;
my (%user, %token);

for my $who (@callers) {
	$user{$who} = $t->user($who, $who eq 'admin' ? (admin => 1) : ());
	$t->member($who, 'demo', $who) if $who ne 'admin';
	$token{$who} = $t->token($who);
}

sub call {
	my ($as, $method, $path, $body) = @_;

	return $t->http($method => $path, { token => $token{$as},
		defined $body ? (body => $json->encode($body), headers => ['Content-Type: application/json']) : () });
}

sub rule_row {
	return $t->psql('SELECT package_name_pattern, minimum_access_level_for_push, minimum_access_level_for_delete'
	    . " FROM protection_rules WHERE id = $_[0]");
}

sub audit_rows { return $t->psql("SELECT count(*) FROM audit_events WHERE action LIKE 'protection.%'"); }

# Stores a rule directly.
sub rule {
	my ($push, $delete) = map { defined $_ ? $level{$_} : 'NULL' } @_;

	$t->psql('DELETE FROM protection_rules');
	return $t->psql('INSERT INTO protection_rules (project_id, package_name_pattern, normalized_pattern,'
	    . " minimum_access_level_for_push, minimum_access_level_for_delete)"
	    . " VALUES ($id, 'locked', 'locked', $push, $delete) RETURNING id");
}

sub highest { my ($most) = sort { $b <=> $a } map { $level{$_} } grep { defined } @_; return $most; }

subtest 'a rule: who changes it, who removes it' => sub {
	my @rules = (['maintainer', undef], ['owner', undef], ['admin', undef], [undef, 'owner'], [undef, 'admin'],
	    ['maintainer', 'owner'], ['owner', 'admin'], ['admin', 'owner']);
	my $push = 'minimum_access_level_for_push';
	my $delete = 'minimum_access_level_for_delete';
	my @changes = ( # what is asked, and what the rule names then besides
		['removed', 'DELETE'],
		['another name', 'PATCH', { package_name_pattern => 'elsewhere' }],
		['milder', 'PATCH', { $push => 'maintainer', $delete => undef }],
		['the same', 'PATCH', {}],
		['for owners', 'PATCH', { $push => 'owner', $delete => 'owner' }],
		['for administrators', 'PATCH', { $delete => 'admin' }],
	);

	for my $rule (@rules) {
		for my $change (@changes) {
			my ($what, $method, $body) = @$change;
			my @after = map { exists $body->{ $_->[0] } ? $body->{ $_->[0] } : $_->[1] } [$push, $rule->[0]],
			    [$delete, $rule->[1]];
			my $need = highest(@$rule, $method eq 'PATCH' ? @after : ());

			for my $who (@callers) {
				my $rule_id = rule(@$rule);
				my ($before, $audited) = (rule_row($rule_id), audit_rows());
				my $res = call($who, $method, "$api/packages/protection/rules/$rule_id", $body);
				my $name = join(' and ', map { $_ // 'nobody' } @$rule) . ": $what, by the $who";

				if ($level{$who} >= $need) {
					like($res->{status}, qr/^20[04]$/, "$name: done") or diag($res->{body});
				} else {
					is("$res->{status} " . rule_row($rule_id) . ' ' . audit_rows(), "403 $before $audited",
					    "$name: refused, and nothing is changed") or diag($res->{body});
					like($t->json($res)->{message} // '', qr/needs that level/, '  with the reason');
				}
			}
		}
	}
	my $res = call('maintainer', POST => "$api/packages/protection/rules",
	    { package_name_pattern => 'more', $delete => 'owner' });
	is($res->{status}, 201, 'a maintainer makes a stricter rule') or diag($res->{body});
	is(call('maintainer', DELETE => "$api/packages/protection/rules/" . $t->json($res)->{id})->{status}, 403,
	    'and does not take it back');
	is(($t->berth('protect', 'remove', 'demo/registry', $t->json($res)->{id}))[0], 0,
	    'whoever runs the command does');
};

# Every route that writes in a project or group, and what a maintainer tries by it: the calls, each with
# its status; or why the route gets nobody past a rule.
my $crate = 'locked';
is($t->publish($id, $token{admin}, $crate, '1.0.0')->{status}, 200, 'a crate');
my $package = $t->psql('SELECT max(id) FROM versions');
my $locked = rule('owner', 'owner');
my $cargo = "$api/packages/cargo";
my $of_group = "/api/v4/groups/$group/-/packages/cargo/api/v1/crates";
my $idp = 'https://ci.example.com';
$t->psql("INSERT INTO trusted_issuers (url, kind, audience) VALUES ('$idp', 'generic', 'berth')");
my $trust = { issuer => $idp, claims => { sub => 'x' } };
my %tried = (
	publish => [[403, 'publish', $cargo]],
	publish_authorize => 'asks whether a publish may come; it stores nothing',
	yank => [[403, DELETE => "$cargo/api/v1/crates/$crate/1.0.0/yank"]],
	unyank => [[403, PUT => "$cargo/api/v1/crates/$crate/1.0.0/unyank"]],
	owners_add => [[200, PUT => "$cargo/api/v1/crates/$crate/owners", { users => ['maintainer'] }]],
	owners_remove => [[404, DELETE => "$cargo/api/v1/crates/$crate/owners", { users => ['nobody-there'] }]],
	publish_group => [[403, 'publish', "/api/v4/groups/$group/-/packages/cargo"]],
	publish_authorize_group => 'asks whether a publish may come; it stores nothing',
	yank_group => [[403, DELETE => "$of_group/$crate/1.0.0/yank"]],
	unyank_group => [[403, PUT => "$of_group/$crate/1.0.0/unyank"]],
	owners_add_group => [[200, PUT => "$of_group/$crate/owners", { users => ['maintainer'] }]],
	owners_remove_group => [[404, DELETE => "$of_group/$crate/owners", { users => ['nobody-there'] }]],
	package_status => [[403, PATCH => "$api/packages/$package", { status => 'error' }]],
	package_delete => [[403, DELETE => "$api/packages/$package"]],
	package_file_delete => [[403, DELETE => "$api/packages/$package/package_files/$package"]],
	deploy_token_create => [[403, POST => "$api/deploy_tokens",
	    { name => 'x', scopes => ['create_job_token'] }]],
	deploy_token_create_group => [[403, POST => "/api/v4/groups/$group/deploy_tokens",
	    { name => 'x', scopes => ['create_job_token'] }]],
	deploy_token_delete => 'takes a token away',
	deploy_token_delete_group => 'takes a token away',
	member_add => [[403, POST => "$api/members", { user_id => $user{maintainer}, access_level => 50 }]],
	member_edit => [[403, PUT => "$api/members/$user{owner}", { access_level => 10 }],
	    [404, PUT => "$api/members/$user{maintainer}", { access_level => 40 }]],
	member_remove => [[403, DELETE => "$api/members/$user{owner}"]],
	member_add_group => [[403, POST => "/api/v4/groups/$group/members",
	    { user_id => $user{maintainer}, access_level => 50 }]],
	member_edit_group => [[403, PUT => "/api/v4/groups/$group/members/$user{maintainer}",
	    { access_level => 50 }]],
	member_remove_group => [[403, DELETE => "/api/v4/groups/$group/members/$user{owner}"]],
	protection_rule_create => [[422, POST => "$api/packages/protection/rules",
	    { package_name_pattern => 'LOCKED', minimum_access_level_for_push => 'maintainer' }]],
	project_change => [[403, PUT => $api, { anonymous_networks => ['192.0.2.0/24'] }]],
	group_change => [[403, PUT => "/api/v4/groups/$group", { anonymous_networks => ['192.0.2.0/24'] }]],
	protection_rule_change => [[403, PATCH => "$api/packages/protection/rules/$locked",
	    { package_name_pattern => 'x' }]],
	protection_rule_delete => [[403, DELETE => "$api/packages/protection/rules/$locked"]],
	job_token_scope_change => [[204, PATCH => "$api/job_token_scope", { enabled => JSON::PP::false }]],
	job_token_allowlist_add => [[201, POST => "$api/job_token_scope/allowlist",
	    { target_project_id => $other + 0, job_token_policies => ['admin_packages'] }]],
	job_token_groups_allowlist_add => [[201, POST => "$api/job_token_scope/groups_allowlist",
	    { target_group_id => $group + 0, job_token_policies => ['admin_packages'] }]],
	job_token_allowlist_remove => 'takes a right away',
	job_token_groups_allowlist_remove => 'takes a right away',
	trust_rule_add => [[403, POST => "$cargo/trusted_publishing/rules", { %$trust, user => 'owner' }],
		[201, POST => "$cargo/trusted_publishing/rules", { %$trust, user => 'maintainer' }],
		[201, POST => "$cargo/trusted_publishing/rules", { %$trust, claims => { sub => 'y' } }]],
	trust_rule_remove => 'takes a right away',
	job_token_create => [[403, POST => "$cargo/job_tokens", { user => 'owner', pipeline => 1, job => 1 }]],
	job_token_end => [[403, DELETE => "$cargo/job_tokens/1"]],
	trusted_exchange => 'takes an ID token, no token of a user: by a trust rule, which is a developer at most',
	trusted_revoke => 'takes a token away',
);
$t->member('owner', 'demo/registry', 'owner');

for my $route (Berth::Routes::all()) {
	my @writes = grep { !/^(?:GET|HEAD)$/ } @{ $route->{methods} };
	my $calls = $tried{ $route->{name} };

	next if !@writes || $route->{pattern} !~ m{^api/v4/(?:projects|groups)/};
	ok(defined $calls, "$route->{name}: is in the table") or next;
	next if !ref $calls;
	for my $call (@$calls) {
		my ($status, @call) = @$call;
		my $res = $call[0] eq 'publish'
		    ? $t->http(PUT => "$call[1]/api/v1/crates/new", { token => $token{maintainer},
			body => $t->publish_body($t->metadata($crate, '1.1.0'), $t->make_crate($crate, '1.1.0')) })
		    : call('maintainer', @call);

		is($res->{status}, $status, "$route->{name}, by a maintainer: $status") or diag("@call: $res->{body}");
	}
}

# After all that the rule still holds, with each credential of the maintainer.
my %by = (maintainer => $token{maintainer}, job => $t->job_token('demo/registry', 'maintainer'),
    'foreign job' => $t->job_token('demo/other', 'maintainer'),
    'deploy token' => $t->deploy_token('demo/registry', 'read', 'write'));
for my $who (sort keys %by) {
	my $res = $t->publish($id, $by{$who}, $crate, '2.0.0');

	is($res->{status}, 403, "$who: still kept out");
	like($res->{body}, qr/package protected/, '  by the rule');
}
is($t->publish($id, $token{owner}, $crate, '2.0.0')->{status}, 200, 'an owner is not');

done_testing();
