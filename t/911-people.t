#!/usr/bin/perl
# Data about people and the hosts of a CI system, and who gets it: every route that reads, every
# kind of caller, in a public place, where nothing else keeps anybody out.

use strict;
use warnings;

use Test::More;

use Berth::Routes;
use Berth::Test;

my $t = Berth::Test->new(publish_burst => 0, new_crate_burst => 0, failed_login_burst => 0);
my $id = $t->project('open/pub', 'public');
my $group = $t->psql("SELECT id FROM groups WHERE full_path = 'open'");
my @roles = qw(guest reporter developer maintainer owner);
my (%user, %token);

for my $who (@roles, 'stranger', 'admin') {
	$user{$who} = $t->berth_ok('user', 'add', $who, '--name', "$who-by-name", '--email', "$who\@people.example",
	    $who eq 'admin' ? '--admin' : ());
	$t->member($who, 'open', $who) if grep { $_ eq $who } @roles;
	$token{$who} = $t->token($who);
}
$token{'owner, read_api'} = $t->token('owner', scopes => 'read_api');
$token{'deploy, reads'} = $t->deploy_token('open/pub', 'read');
$token{"maintainer's job"} = $t->job_token('open/pub', 'maintainer');
$t->project('apps/web');
$token{'job of elsewhere'} = $t->job_token('apps/web', 'owner');

# The owner is the crate's; the developer has started the job that published it.
# The numbers are so long that no checksum and no time has them by chance.
my $job = $t->berth_ok(qw(token add --job open/pub --user developer --pipeline 470000000011
    --job 470000000012 --ttl 3600 --ref ci-branch --commit c0ffee11c0ffee),
    '--job-url', 'https://ci.internal.example/job/470000000012');
is($t->publish($id, $job, 'abcd', '1.0.0')->{status}, 200, 'published by a job');
is($t->publish($id, $token{developer}, 'abcd', '1.1.0')->{status}, 200, 'and by a person');
my ($by_job, $by_person) = map { $t->psql("SELECT id FROM versions WHERE version = '$_'") } qw(1.0.0 1.1.0);

# The texts that an answer may show, and to whom.
my @reporters = (qw(reporter developer maintainer owner admin), 'owner, read_api', 'deploy, reads',
    "maintainer's job");
my @managers = (qw(maintainer owner admin), 'owner, read_api');
my @signed_in = grep { $_ ne 'anonymous' } 'anonymous', keys %token;
my %fields = (
	'address of the owner' => [qr/owner\@people\.example/, @managers],
	'address of the maintainer' => [qr/maintainer\@people\.example/, @managers],
	'host of the CI system' => [qr/ci\.internal\.example/, @reporters],
	'branch' => [qr/ci-branch/, @reporters],
	'commit' => [qr/c0ffee11c0ffee/, @reporters],
	'pipeline' => [qr/470000000011/, @reporters],
	'creator' => [qr/"creator_id":\d/, @reporters],
	'name of who started the job' => [qr/"pipelines":\[\{[^]]*developer-by-name/, @reporters],
	'names of owners' => [qr/-by-name/, @signed_in],
);

my (%told, %walked);
for my $caller ('anonymous', sort keys %token) {
	for my $route (Berth::Routes::all()) {
		next if !grep { $_ eq 'GET' } @{ $route->{methods} };
		for my $package ($by_job, $by_person) {
			my $path = Berth::Routes::path($route, id => $route->{pattern} =~ m{/groups/} ? $group : $id,
			    package_id => $package, user_id => $user{owner});

			next if $package == $by_person && $route->{pattern} !~ /:package_id/;
			# what callers are told of themselves
			next if $path =~ m{^/api/v4/(?:user|job|personal_access_tokens)\b};
			my $res = $t->http(GET => $path, { token => $token{$caller} });
			my @seen = grep { $res->{body} =~ $fields{$_}[0] } sort keys %fields;

			$walked{$path}++;
			for my $field (@seen) {
				$told{"$caller: $field"} = 1;
				my @allowed = @{ $fields{$field} }[1 .. $#{ $fields{$field} }];
				fail("$caller is told the $field by $path") if !grep { $_ eq $caller } @allowed;
			}
		}
	}
}
cmp_ok(scalar keys %walked, '>', 25, 'many paths were asked');
for my $field (sort keys %fields) {
	my (undef, @allowed) = @{ $fields{$field} };

	is_deeply([sort grep { $told{"$_: $field"} } 'anonymous', keys %token], [sort @allowed],
	    "the $field: who is told");
}

# An owner sees their own address, whatever their role.
$t->berth_ok(qw(owner add open/pub abcd guest));
my %address = map { $_->{login} => $_->{email} } @{ $t->json($t->http(GET => $t->registry($id)
    . '/api/v1/crates/abcd/owners', { token => $token{guest} }))->{users} };
is_deeply([@address{qw(guest owner)}], ['guest@people.example', undef],
    'a guest who has the crate is told of themselves');

done_testing();
