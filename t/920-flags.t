#!/usr/bin/perl

# Feature flags: what is switched off is not there, for nobody, and looks like a project that is
# not there; from the next request on.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Berth::Publish;
use Berth::Routes;

my $p = Berth::Publish->new(workers => 2);
my $t = $p->test;
my $json = JSON::PP->new;
my $registry = 'package_registry_cargo_support';
my $public = $t->project('demo/public', 'public');
my $internal = $t->project('demo/internal', 'internal');
my $missing = 4711;

for my $who (qw(reporter maintainer)) {
	$t->user($who);
	$t->member($who, 'demo', $who);
}
$t->user('stranger');
$t->user('root', admin => 1);
my %token = (
	anonymous => undef,
	developer => $p->token,
	(map { ($_ => $t->token($_)) } qw(reporter maintainer stranger root)),
	deploy => $t->deploy_token('demo', 'read', 'write'),
	job => $t->job_token('demo/registry', 'dev'),
	unknown => 'garbage',
);

is($t->publish($_, $p->token, 'hello', '1.0.0')->{status}, 200, "something is in $_")
    for $p->id, $public, $internal;

# Everything that cargo asks a registry for: name => [method, what follows the root, body].
my %cargo = (
	config => [GET => '/config.json'],
	index => [GET => '/he/ll/hello'],
	head => [HEAD => '/he/ll/hello'],
	download => [GET => '/hello/1.0.0/download'],
	publish => [PUT => '/api/v1/crates/new', body => $t->publish_body(
	    $t->metadata('hello', '2.0.0'), $t->make_crate('hello', '2.0.0'))],
	yank => [DELETE => '/api/v1/crates/hello/1.0.0/yank'],
	unyank => [PUT => '/api/v1/crates/hello/1.0.0/unyank'],
	search => [GET => '/api/v1/crates?q=hello'],
	crate => [GET => '/api/v1/crates/hello'],
	version => [GET => '/api/v1/crates/hello/1.0.0'],
	owners => [GET => '/api/v1/crates/hello/owners'],
);

# What a client sees, but for what tells one answer from the next.
sub answer {
	my ($id, $name, $who) = @_;
	my ($method, $path, %opt) = @{ $cargo{$name} };
	my $res = $t->http($method => $t->registry($id) . $path, { token => $token{$who}, %opt });
	my %headers = %{ $res->{headers} };

	delete @headers{qw(date x-served-by x-request-id)};
	return join("\n", $res->{status}, (map { "$_: $headers{$_}" } sort keys %headers),
	    $method eq 'HEAD' ? () : $res->{body});
}

sub status_of {
	my ($id, $name, $who) = @_;

	return (split(/\n/, answer($id, $name, $who)))[0];
}

sub flag { return $t->berth_ok('flag', @_); }

# Nobody gets another answer than where there is no project.
sub all_gone {
	my ($why, $id) = @_;

	for my $who (sort keys %token) {
		my @differ = grep { answer($id, $_, $who) ne answer($missing, $_, $who) } sort keys %cargo;

		is("@differ", '', "$why: as no project, to $who");
	}
}

subtest 'the registry is on' => sub {
	is(status_of($public, 'index', 'anonymous'), 200, 'a public one');
	is(status_of($p->id, 'index', 'reporter'), 200, 'a private one');
	is(status_of($p->id, 'index', 'anonymous'), 401, 'needs a token');
};

subtest 'off for all' => sub {
	is(flag('set', $registry, 'off'), $registry, 'prints the name');
	all_gone('private', $p->id);
	all_gone('internal', $internal);
	all_gone('public', $public);
	is(status_of($public, 'index', 'root'), 404, 'to an administrator too');
	is($t->http(GET => "/api/v4/projects/$public/packages", {})->{status}, 200,
	    'the management API is another thing');
	flag('set', $registry, 'on', '--project', 'Demo/Public');
	is(status_of($public, 'index', 'anonymous'), 200, 'one project has it nevertheless');
	is(status_of($internal, 'index', 'stranger'), 404, 'no other');
	flag('unset', $registry);
	is(status_of($internal, 'index', 'stranger'), 200, 'all have it');
	flag('unset', $registry, '--project', 'demo/public');
};

subtest 'off for one project' => sub {
	flag('set', $registry, 'off', '--project', 'demo/public');
	all_gone('public', $public);
	is(status_of($internal, 'index', 'stranger'), 200, 'another has it');
	is($t->psql("SELECT count(*) FROM versions WHERE version = '2.0.0'"), 0,
	    'nothing was published meanwhile');
	flag('set', $registry, 'on', '--project', 'demo/public');
	is(status_of($public, 'index', 'anonymous'), 200, 'and back');
	flag('unset', $registry, '--project', 'demo/public');
};

subtest 'on for some' => sub {
	my @ids = map { $t->project("demo/some$_", 'public') } 1 .. 12;
	my $on = sub { join(' ', grep { status_of($_, 'config', 'anonymous') == 200 } @ids) };

	flag('set', $registry, '40%');
	my $some = $on->();
	my $n = () = $some =~ /\d+/g;
	ok($n > 0 && $n < @ids, "$n of 12") or diag($some);
	is($on->(), $some, 'always the same');
	flag('set', $registry, '80%');
	my %more = map { ($_ => 1) } split(/ /, $on->());
	is(join(' ', grep { !$more{$_} } split(/ /, $some)), '', 'who has it keeps it');
	flag('set', $registry, '0%');
	is($on->(), '', 'none');
	flag('set', $registry, '100%');
	is($on->(), "@ids", 'all');
	flag('unset', $registry);
};

subtest 'packages by the API' => sub {
	my $list = sub { return $t->http(GET => $_[0], { token => $token{reporter} }) };
	my $group = '/api/v4/groups/demo/packages';
	my $paths = sub { join(' ', sort map { $_->{project_path} } @{ $t->json($list->($group)) }) };

	is($paths->(), 'demo/internal demo/public demo/registry', 'a group lists all of its projects');
	flag(qw(set packages_api off --project demo/public));
	is($list->("/api/v4/projects/$public/packages")->{status}, 404, 'one project has none');
	is($list->("/api/v4/projects/$public/packages")->{body},
	    $list->("/api/v4/projects/$missing/packages")->{body}, 'as no project');
	is($paths->(), 'demo/internal demo/registry', 'the group does not list it');
	is(status_of($public, 'index', 'anonymous'), 200, 'cargo does not care');
	flag(qw(set packages_api off));
	is($list->($group)->{status}, 404, 'the group has none');
	flag(qw(unset packages_api));
	flag(qw(unset packages_api --project demo/public));
	is($list->("/api/v4/projects/$public/packages")->{status}, 200, 'and back');
};

subtest 'the token page' => sub {
	my $get = sub { return $t->http(GET => $_[0], {}) };

	is($get->('/-/tokens')->{status} == 404, '', 'is there');
	flag(qw(set token_page off));
	is($get->($_)->{status}, 404, "$_ is not") for '/-/tokens', '/-/sign-in';
	is($t->http(POST => $_, { body => '' })->{status}, 404, "nor to POST $_")
	    for '/-/tokens', '/-/sign-in', '/-/sign-out', '/-/tokens/1/revoke';
	is($t->http(GET => '/api/v4/personal_access_tokens', { token => $token{reporter} })->{status}, 200,
	    'the API is another thing');
	flag(qw(unset token_page));
	flag(qw(set tokens_api off));
	is($t->http(GET => '/api/v4/personal_access_tokens', { token => $token{reporter} })->{status}, 404,
	    'which can be off as well');
	flag(qw(unset tokens_api));
};

subtest 'pages' => sub {
	my $get = sub { return $t->http(GET => $_[0], {}) };
	my @pages = ('/-/', '/-/search?q=x', '/-/projects', '/-/projects/demo/public', '/-/groups/demo');

	is($get->($_)->{status}, 200, "$_ is there") for @pages;
	like($get->('/-/tokens')->{body}, qr/role="search"/, 'all pages lead to the search');
	flag(qw(set token_page off));
	unlike($get->('/-/')->{body}, qr{/-/tokens}, 'no page leads to one that is off');
	flag(qw(unset token_page));
	flag(qw(set web_pages off));
	is($get->($_)->{status}, 404, "$_ is not") for @pages;
	unlike($get->('/-/tokens')->{body}, qr/role="search"/, 'and nothing leads there');
	flag(qw(unset web_pages));
};

# Every route that changes something, with a caller who may do it: 503, and nothing has changed.
subtest 'maintenance' => sub {
	my %value = (id => $p->id, crate => 'hello', name => 'hello', version => '1.0.0', user_id => 1);
	my @routes = grep { defined $_->{writes} } Berth::Routes::all();
	my $state = sub { $t->psql('SELECT (SELECT count(*) FROM audit_events), (SELECT count(*) FROM versions),'
	    . ' (SELECT count(*) FROM tokens), (SELECT count(*) FROM sessions)') };
	my (%status, @wrong);
	is($t->http(DELETE => $t->registry($public) . '/api/v1/crates/hello/1.0.0/yank',
	    { token => $token{root} })->{status}, 200, 'a yank');
	$t->psql('DELETE FROM rate_limits');
	flag(qw(set writes off));
	my $before = $state->();
	for my $route (@routes) {
		my ($method) = grep { !/^(?:GET|HEAD)$/ } @{ $route->{methods} } or next;
		my ($name, $path) = ($route->{name}, Berth::Routes::path($route, %value));
		my $res = $t->http($method => $path, { token => $token{root},
		    body => $name eq 'publish' ? $cargo{publish}[3] : '{}' });

		$status{$name}{ $res->{status} } = $res;
		push @wrong, "$method $path: $res->{status}" if $res->{status} !~ /^(?:503|40[134])$/;
		push @wrong, "$method $path: $res->{body}" if $res->{status} == 503
		    && ($res->{body} !~ /read-only for maintenance/ || $res->{headers}{'retry-after'} ne 60);
	}
	is(join("\n", @wrong), '', 'each is refused');
	my @refused = grep { $status{$_}{503} } sort keys %status;
	cmp_ok(scalar @refused, '>=', 30, scalar(@refused) . ' routes by maintenance, others by their rights');
	is(join(' ', grep { !$status{$_}{503} } qw(publish yank unyank owners_add sign_in trusted_exchange)), '',
	    'these among them');
	like($status{publish}{503}{body}, qr/\A\{"errors":\[\{"detail":"the registry is read-only[^"]*"\}\]\}\z/,
	    'in the format of cargo');
	is($state->(), $before, 'nothing has changed');
	is(status_of($public, $_, 'anonymous'), 200, "$_ goes on") for qw(config index download search crate);
	is($t->http(GET => '/-/tokens', {})->{status} < 500, 1, 'as does a page');
	is($t->publish($p->id, undef, 'hello', '3.0.0')->{status}, 401, 'a stranger learns nothing of it');
	like($t->http(GET => '/-/metrics')->{body}, qr/^berth_maintenance 1$/m, 'the metric');
	flag(qw(unset writes));
	is($t->publish($p->id, $p->token, 'hello', '3.0.0')->{status}, 200, 'and back');
	like($t->http(GET => '/-/metrics')->{body}, qr/^berth_maintenance 0$/m, 'the metric');
};

subtest 'the command' => sub {
	my @cases = (
		[2, qr/there is no flag `x`; there are $registry, search/, qw(set x on)],
		[2, qr/there is no flag/, qw(unset x)],
		[2, qr/is on, off or a percentage/, qw(set search maybe)],
		[2, qr/is on, off or a percentage/, qw(set search 101%)],
		[2, qr/set the flag of one project to on or off/, qw(set search 10% --project demo/public)],
		[2, qr/tokens_api is the same for all projects/, qw(set tokens_api 10%)],
		[2, qr/tokens_api is the same for all projects/, qw(set tokens_api on --project demo/public)],
		[1, qr/project `demo\/none` does not exist/, qw(set search on --project demo/none)],
		[1, qr/project `demo\/none` does not exist/, qw(unset search --project demo/none)],
	);

	for my $case (@cases) {
		my ($want, $why, @args) = @$case;
		my ($status, $out, $err) = $t->berth('flag', @args);

		is("$status$out", $want, "@args");
		like($err, $why, 'says why');
	}
	my $before = $t->psql('SELECT count(*) FROM audit_events');
	flag(qw(set search 25%));
	flag(qw(set search 25%));
	flag(qw(set search on --project demo/public));
	my @list = @{ $json->decode(flag('list', '--json')) };
	is_deeply([map { [@$_{qw(name value project)}] } grep { $_->{name} eq 'search' } @list],
	    [['search', '25%', undef], ['search', 'on', 'demo/public']], 'list');
	is_deeply([map { $_->{value} } grep { $_->{name} eq 'owners' } @list], ['on'],
	    'what nobody has set is as it is');
	flag(qw(unset search));
	flag(qw(unset search));
	flag(qw(unset search --project demo/public));
	is_deeply([map { $json->decode($_) } $t->psql('SELECT jsonb_build_array(action, project_id,'
	    . " detail ->> 'flag', detail ->> 'value') FROM audit_events ORDER BY id OFFSET $before")],
	    [['flag.set', undef, 'search', '25%'], ['flag.set', $public + 0, 'search', 'on'],
	    ['flag.unset', undef, 'search', undef], ['flag.unset', $public + 0, 'search', undef]],
	    'the audit log has what changed something');
	$t->psql("INSERT INTO feature_flags (name, percentage) VALUES ('of_tomorrow', 0)");
	is(status_of($public, 'index', 'anonymous'), 200, 'a flag that is not known switches nothing');
	unlike(flag('list'), qr/of_tomorrow/, 'nor is it listed');
};

done_testing();
