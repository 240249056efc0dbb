#!/usr/bin/perl

# What would leave a registry without an administrator, or a group or project without an owner: each
# command that could, and each route of the API, refuses it, also where several come at the same moment.
# --force does it anyway.

use strict;
use warnings;

use Test::More;

use Berth::OpenAPI;
use Berth::Test;

my $t = Berth::Test->new(publish_burst => 0, new_crate_burst => 0);

my $project = $t->project('tools/registry');
$t->berth_ok(qw(group add tools/sub));
my ($group, $sub) = map { $t->psql("SELECT id FROM groups WHERE full_path = '$_'") } 'tools', 'tools/sub';
my %user = map { $_ => $t->user($_) } qw(ann bea eve);
my $admin = 'root';
$t->user($admin, admin => 1);
my $root = $t->token($admin);
is($t->publish($project, $root, 'lonely', '1.0.0')->{status}, 200, 'a crate');

my $is_last = qr/user `\w+` is the last (?:owner of `\S+`|administrator .* blocked); .* use --force$/m;
my $blocked = "SELECT count(*) FROM users WHERE is_admin AND state = 'active'";
my $owners = 'SELECT count(*) FROM members WHERE access_level = 50 AND expires_at IS NULL';

# Before each of them ann owns the place, and nobody else does.
my %members = map {
	my ($path, $url) = @$_;
	my $set = sub { ['member', 'set', 'ann', $path, @_] };

	("$path, none" => $set->('none'), "$path, maintainer" => $set->('maintainer'),
	    "$path, until a day" => $set->('owner', '--expires', '2031-01-01'),
	    "$path, until a day that is over" => $set->('owner', '--expires', '2001-01-01'))
} ['tools'], ['tools/sub'], ['tools/registry'];

# Each command: what it must not do in silence, or why it cannot.
my $no_people = 'changes nothing that people have';
my $only_more = 'takes nothing away';
my $reads = 'only reads';
my %commands = (
	'user block' => { 'the only one' => ['user', 'block', $admin] },
	'user set' => { 'no administrator' => ['user', 'set', $admin, 'admin=false'] },
	'member set' => \%members,
	'apply' => 'goes by those, with the same --force: t/212-provision.t',
	'owner remove' => 'leaves an owner, whoever asks: t/430-owners.t',
	'token revoke' => 'ends a token, and its user can have another',
	(map { $_ => $only_more } 'migrate', 'user add', 'user unblock', 'user link', 'group add', 'project add',
	    (map { "import $_" } qw(directory index kellnr gitea mirror)), 'key add', 'token add', 'owner add',
	    'issuer enable', 'trust add', 'unyank', 'undelete'),
	(map { $_ => $no_people } 'user unpin', 'group set', 'project set', 'project allow', 'project disallow',
	    'project unpin', 'key retire', 'protect add', 'protect remove', 'issuer add', 'issuer disable',
	    'issuer remove', 'trust remove', 'yank', 'flag set', 'flag unset', 'delete', 'retention set',
	    'retention run', 'store adopt', 'store collect', 'store copy', 'tasks retry', 'tasks remove'),
	(map { $_ => $reads } 'user pins', 'user list', 'group list', 'group show', 'group shadowed',
	    'project show', 'project pins',
	    'project list', 'key list', 'member list', 'token list', 'owner list', 'protect list', 'issuer list',
	    'trust list', 'flag list', 'retention show', 'fsck', 'node list', 'store show', 'audit', 'tasks list',
	    'report adoption', 'report downloads', 'report storage', 'config show', 'export', 'backup',
	    'backup verify', 'check'),
	restore => 'fills an empty database',
);

my ($status, $help) = $t->berth('--help');
my %there = map { $_ => 1 } $help =~ /^    berth (\S+(?: [a-z]+\b)?)/mg;
is_deeply([sort keys %there], [sort keys %commands], 'all commands are in the table');

sub ann_owns {
	$t->psql('DELETE FROM members');
	$t->psql("UPDATE users SET state = 'active', is_admin = is_admin OR username = '$admin'");
	$t->berth_ok('member', 'set', 'ann', $_[0], 'owner') if defined $_[0];
}

for my $command (grep { ref $commands{$_} } sort keys %commands) {
	my $cases = $commands{$command};

	for my $case (sort keys %$cases) {
		my @words = @{ $cases->{$case} };
		my $left = $command =~ /^user/ ? $blocked : $owners;
		ann_owns($command eq 'member set' ? $words[3] : undef);
		my $rows = $t->psql('SELECT count(*) FROM audit_events');
		my ($exit, $out, $err) = $t->berth(@words);

		is($exit, 1, "$command, $case: refused");
		like($err, $is_last, 'in a sentence');
		is($out, '', 'and nothing else');
		is($t->psql($left), 1, 'one is left');
		is($t->psql('SELECT count(*) FROM audit_events'), $rows, 'nothing is in the audit log');
		$t->berth_ok(@words, '--force');
		is($t->psql($left), 0, '--force does it');
		is($t->psql('SELECT count(*) FROM audit_events'), $rows + 1, 'and leaves a row');
	}
}

subtest 'what is refused is only the last' => sub {
	ann_owns('tools');
	$t->berth_ok(qw(member set ann tools owner));
	$t->berth_ok(qw(member set bea), $_, 'owner') for 'tools/sub', 'tools/registry';
	$t->berth_ok(qw(member set bea), $_, 'none') for 'tools/sub', 'tools/registry';
	is(($t->berth(qw(member set ann tools none)))[0], 1, 'owners below are none above');
	$t->berth_ok(qw(member set bea tools owner));
	$t->berth_ok(qw(user block bea));
	is(($t->berth(qw(member set ann tools none)))[0], 1, 'a blocked owner is none');
	$t->berth_ok(qw(user unblock bea));
	$t->berth_ok(qw(member set ann tools none));
	$t->berth_ok(qw(member set ann tools none));
	$t->berth_ok(qw(member set eve tools none));
	ann_owns('tools');
	$t->berth_ok(qw(member set ann tools owner --expires 2031-01-01 --force));
	is(($t->berth(qw(member set ann tools owner --expires 2030-01-01)))[0], 1, 'an end that comes sooner');
	$t->berth_ok(qw(member set ann tools owner --expires 2032-01-01));
	$t->berth_ok(qw(member set ann tools owner));
	$t->berth_ok(qw(user add other --email other@example.org --admin));
	$t->berth_ok('user', 'block', $admin);
	is(($t->berth(qw(user block other)))[0], 1, 'a blocked administrator is none');
	$t->berth_ok('user', 'block', $admin);
	$t->berth_ok('user', 'unblock', $admin);
};

# The routes that take the role of a member away, for an owner and for an administrator alike, as GitLab does.
my @routes = map { my $of = $_; map { [$_->[0] => "$of/members/$user{ann}", $_->[1]] } ['DELETE'],
	['PUT', '{"access_level":40}'], ['PUT', '{"access_level":50,"expires_at":"2031-01-01"}'] }
    "/api/v4/groups/$group", "/api/v4/groups/$sub", "/api/v4/projects/$project";
my $described = Berth::OpenAPI->new;

for my $route (@routes) {
	my ($method, $path, $body) = @$route;

	ann_owns($path =~ m{groups/$group/} ? 'tools' : $path =~ /groups/ ? 'tools/sub' : 'tools/registry');
	for my $who ($root, $t->token('ann')) {
		my $res = $t->http($method => $path, { token => $who, defined $body ? (body => $body,
			headers => ['Content-Type: application/json']) : () });

		is($res->{status}, 403, "$method $path " . ($body // ''));
		like($res->{body}, qr/user `ann` is the last owner of `tools[\w\/]*`: make another user an owner first/,
		    'says why');
		is(join('', $described->complaints($method, $path, $res)), '', 'as it is described');
	}
	is($t->psql($owners), 1, 'the owner stays');
}

subtest 'at the same moment' => sub {
	my @many = map { "many$_" } 1 .. 8;
	my %id = map { $_ => $t->user($_) } @many;

	for my $round (1 .. 3) {
		ann_owns();
		$t->psql("UPDATE users SET is_admin = username LIKE 'many%'");
		my @exits = $t->parallel(8, sub { ($t->berth('user', 'block', $many[$_[0]]))[0] });
		is_deeply([sort @exits], [(0) x 7, 1], 'administrators block each other, and one stays');
		is($t->psql($blocked), 1, 'is left');
		$t->psql("UPDATE users SET state = 'active', is_admin = username = '$admin'");
		for my $place (['tools', "groups/$group"], ['tools/registry', "projects/$project"]) {
			my ($path, $url) = @$place;

			ann_owns();
			$t->berth_ok('member', 'set', $_, $path, 'owner') for @many;
			@exits = $t->parallel(8, sub { $_[0] % 2 ? ($t->berth('member', 'set', $many[$_[0]], $path, 'none'))[0]
			    : $t->http(DELETE => "/api/v4/$url/members/$id{$many[$_[0]]}", { token => $root })->{status}
			    == 204 ? 0 : 1 });
			is_deeply([sort @exits], [(0) x 7, 1], "owners of $path go, and one stays");
			is($t->psql($owners), 1, 'is left');
		}
	}
};

done_testing();
