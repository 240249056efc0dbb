#!/usr/bin/perl

# The lists of projects and of groups show exactly those that the one decision allows, for all kinds of
# callers and places; and a page of either costs no more beside ten thousand other projects.

use strict;
use warnings;

use List::Util qw(min);
use Test::More;

use Berth::FastCGI qw(fetch);
use Berth::Test;

use constant { MANY => 10_000, RATIO_MAX => 15, GROUPS_RATIO_MAX => 4 };

my $t = Berth::Test->new(workers => 1, max_requests => 0,
    pool_build => -x "$Berth::Cluster::ROOT/build/berth-fcgi" ? "$Berth::Cluster::ROOT/build" : undef);

# ---- places of all kinds, and callers of all kinds ----

my %project;
for my $visibility (qw(private internal public)) {
	$project{"$_/$visibility"} = $t->project("$_/$visibility", $visibility)
	    for qw(top top/below elsewhere Upper);
}
$project{'top/off'} = $t->project('top/off', 'public');
$t->berth_ok(qw(project set top/off packages_enabled=off));
$project{'top/packages'} = $t->project('top/packages', 'private');
$t->berth_ok(qw(project set top/packages public_packages=on));

# groups without a project, and one whose only public project is off
my %group = (map { $_ => $t->group($_) }
    qw(top top/below top/below/deep elsewhere Upper empty empty/inner silent));
$project{'silent/off'} = $t->project('silent/off', 'public');
$t->berth_ok(qw(project set silent/off packages_enabled=off));

my @roles = qw(guest reporter developer maintainer owner);
my %token;
for my $role (@roles) {
	$t->user("$role-$_") for qw(above below here);
	$t->member("$role-above", 'top', $role);
	$t->member("$role-below", 'top/below', $role);
	$t->member("$role-here", 'elsewhere/private', $role);
	$token{"$role-$_"} = $t->token("$role-$_") for qw(above below here);
}
$t->user($_, $_ eq 'admin' ? (admin => 1) : ()) for qw(admin stranger crate past two);
$t->member('past', 'top', 'owner');
$t->member('two', 'top', 'guest');
$t->member('two', 'top/below/private', 'owner');
$t->user('inner');
$t->member('inner', 'empty/inner', 'maintainer');
$token{inner} = $t->token('inner');
$token{$_} = $t->token($_) for qw(admin stranger crate past two);
$t->psql("UPDATE members SET expires_at = now() - interval '1 s'"
    . " WHERE user_id = (SELECT id FROM users WHERE username = 'past')");
is($t->publish($project{'top/private'}, $token{'owner-above'}, 'given', '1.0.0')->{status}, 200, 'a crate');
$t->member('crate', 'top/private', 'guest');
$t->berth_ok('owner', 'add', 'top/private', 'given', 'crate');
$t->member('crate', 'top/private', 'none');
$token{'read_api'} = $t->token('guest-above', scopes => 'read_api');
$token{'one crate'} = $t->token('guest-above', crates => 'given');
$token{anonymous} = undef;

sub ask {
	my ($who, $path) = @_;
	my %param = (REMOTE_ADDR => '127.0.0.1');

	$param{HTTP_AUTHORIZATION} = $token{$who} if defined $token{$who};
	return fetch($t->socket_path, $path, %param);
}

# All pages of a list: paths.
sub listed {
	my ($who, $path) = @_;
	my ($page, @paths, $total) = (1);

	while ($page ne '') {
		my $res = ask($who, $path . ($path =~ /\?/ ? '&' : '?') . "per_page=4&page=$page");

		return "status $res->{status}" if $res->{status} != 200;
		push @paths, map { $_->{path_with_namespace} // $_->{full_path} } @{ $t->json($res) };
		$total = $res->{headers}{'x-total'};
		$page = $res->{headers}{'x-next-page'};
	}
	return "$total in all, but " . @paths if $total != @paths;
	return join(' ', @paths);
}

$t->start_pool;

subtest 'a group is as visible as its projects that have packages' => sub {
	my $path = "/api/v4/groups/$group{silent}";
	my $become = sub {
		my ($visibility, $packages) = @_;

		$t->psql("UPDATE projects SET visibility = '$visibility', packages_enabled = $packages"
		    . ' WHERE id = ' . $project{'silent/off'});
	};

	for (['public', 'false', 401, 404], ['public', 'true', 200, 200], ['internal', 'false', 401, 404],
		['internal', 'true', 401, 200], ['private', 'true', 401, 404]) {
		my ($visibility, $packages, @status) = @$_;

		$become->($visibility, $packages);
		is(ask($_, $path)->{status}, shift(@status), "$visibility, packages $packages: $_")
		    for qw(anonymous stranger);
	}
	$t->member('past', 'silent/off', 'guest');
	is(ask('past', $path)->{status}, 200, 'a member of a private project');
	$t->psql("UPDATE members SET expires_at = now() - interval '1 s' WHERE project_id = $project{'silent/off'}");
	is(ask('past', $path)->{status}, 404, 'until the membership ends');
	$become->('public', 'false');
};

my $group = $group{top};
for my $who (sort keys %token) {
	my @may = grep { ask($who, "/api/v4/projects/$project{$_}")->{status} == 200 } sort { lc $a cmp lc $b }
	    keys %project;
	my @level = map { $t->json(ask($who, "/api/v4/projects/$project{$_}"))->{permissions}{project_access} } @may;
	my %level = map { $may[$_] => ($level[$_] // { access_level => 0 })->{access_level} } 0 .. $#may;

	if ($who ne 'anonymous') {
		is(listed($who, '/api/v4/projects'), join(' ', @may), "$who: the list is what may be seen one by one");
		is(listed($who, '/api/v4/projects?sort=desc'), join(' ', reverse @may), "$who: backwards");
		is(listed($who, "/api/v4/projects?visibility=internal"), join(' ', grep { m{/internal$} } @may),
		    "$who: by visibility");
		is(listed($who, '/api/v4/projects?owned=true'), join(' ', grep { $level{$_} >= 50 } @may),
		    "$who: one's own");
		is(listed($who, '/api/v4/projects?membership=true'), join(' ', grep { $level{$_} >= 10 } @may),
		    "$who: as a member");
		for my $least (10, 30, 50) {
			is(listed($who, "/api/v4/projects?min_access_level=$least"), join(' ', grep { $level{$_} >= $least } @may),
			    "$who: from level $least on");
		}
		is(listed($who, '/api/v4/projects?search=BELOW'), join(' ', grep { /below/i } @may),
		    "$who: by a part of the path");
	}
	is(listed($who, "/api/v4/groups/$group/projects"), join(' ', grep { m{^top/[^/]+$} } @may),
	    "$who: of a group");
	is(listed($who, "/api/v4/groups/$group/projects?include_subgroups=true"), join(' ', grep { m{^top/} } @may),
	    "$who: of a group and those below it");
}

for my $who (sort keys %token) {
	my @may = grep { ask($who, "/api/v4/groups/$group{$_}")->{status} == 200 } sort { lc $a cmp lc $b }
	    keys %group;

	is(listed($who, "/api/v4/groups/$group/subgroups"), join(' ', grep { m{^top/[^/]+$} } @may),
	    "$who: groups of a group");
	is(listed($who, "/api/v4/groups/$group/descendant_groups"), join(' ', grep { m{^top/} } @may),
	    "$who: and at any depth");
	next if $who eq 'anonymous';
	is(listed($who, '/api/v4/groups'), join(' ', @may), "$who: groups are those that may be seen one by one");
	is(listed($who, '/api/v4/groups?sort=desc'), join(' ', reverse @may), "$who: groups backwards");
	is(listed($who, '/api/v4/groups?top_level_only=true'), join(' ', grep { !m{/} } @may),
	    "$who: groups in no other");
	is(listed($who, '/api/v4/groups?search=BELOW'), join(' ', grep { /below/ } @may),
	    "$who: groups by a part of the path");
	is(listed($who, "/api/v4/groups?skip_groups[]=$group{top}&skip_groups[]=$group{Upper}"),
	    join(' ', grep { !/^(?:top|Upper)$/ } @may), "$who: without some");
	my ($mine) = map { $_->[1] } grep { $who =~ $_->[0] }
	    [qr/^(?:guest|reporter|developer|maintainer|owner)-above$/, 'top top/below top/below/deep'],
	    [qr/-below$/, 'top/below top/below/deep'],
	    [qr/^(?:two|read_api|one crate)$/, 'top top/below top/below/deep'], [qr/^inner$/, 'empty/inner'],
	    [qr//, ''];
	is(listed($who, '/api/v4/groups?all_available=false'), $mine, "$who: groups as a member");
	is(listed($who, '/api/v4/groups?min_access_level=30'),
	    $who =~ /^(?:developer|maintainer|owner|inner)/ ? $mine : '', "$who: groups as a developer");
	is(listed($who, '/api/v4/groups?owned=true'), $who =~ /^owner/ ? $mine : '', "$who: groups of one's own");
}
is(ask('admin', "/api/v4/groups?$_")->{status}, 400, $_)
    for qw(skip_groups=x owned=maybe top_level_only=2 min_access_level=x sort=up page=0);

# ---- ten thousand others ----

# The fewest milliseconds of twelve requests; of up to a hundred until it is less than $enough, because the
# machine may be busy.
sub fastest {
	my ($path, $enough) = @_;
	my @ms;

	while (@ms < 12 || ($enough // 0) && @ms < 100 && min(@ms) >= $enough) {
		my $res = ask('stranger', $path);

		# the pool logs the line after the answer
		$t->wait_for(sub { $t->log('pool') =~ /\bid=\Q$res->{headers}{'x-request-id'}\E .*? ms=([\d.]+)/
		    and push @ms, $1 }) or die "not in the log\n";
	}
	return min(@ms);
}

my %few = map { $_ => fastest("/api/v4/$_") } 'groups', 'groups?sort=desc', "groups/$group/descendant_groups",
    map { "projects?$_" } qw(page=1 sort=desc per_page=10);
$t->psql("INSERT INTO projects (group_id, path, full_path, visibility) SELECT $group, 'p' || i, 'top/p' || i,"
    . " 'internal' FROM generate_series(1, " . MANY . ") i; ANALYZE projects");
for my $query (sort keys %few) {
	my $most = $query =~ /^groups/ ? GROUPS_RATIO_MAX : RATIO_MAX;
	my $many = fastest("/api/v4/$query", $most * $few{$query});

	cmp_ok($many / $few{$query}, '<', $most,
	    sprintf('%s: %.1f ms among few, %.1f ms among %d', $query, $few{$query}, $many, MANY));
}
my $res = ask('stranger', '/api/v4/projects');
is($res->{headers}{'x-total'}, undef, 'more than ten thousand are not counted');
is($res->{headers}{'x-next-page'}, 2, 'but there is another page');
$res = ask('stranger', '/api/v4/projects?search=top/p9999');
is($res->{headers}{'x-total'}, 1, 'those that are looked for are');
$res = ask('stranger', '/api/v4/projects?page=101&per_page=100');
is(scalar @{ $t->json($res) }, 10, 'the last page') or diag($res->{headers}{'x-next-page'});
is($res->{headers}{'x-next-page'}, '', 'has no other after it');
done_testing();
