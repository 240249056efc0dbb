#!/usr/bin/perl
# The management API where it changes things: what becomes of packages that are deleted or given
# another status, whose tokens are whose, who grants what, and parameters that cannot be.

use strict;
use warnings;

use Test::More;

use Berth::OpenAPI;
use Berth::Test;

my $t = Berth::Test->new(publish_burst => 0, new_crate_burst => 0, failed_login_burst => 0, yank_burst => 0);
my $described = Berth::OpenAPI->new;
my $id = $t->project('demo/registry');
my $api = "/api/v4/projects/$id";
my %user = map { $_ => $t->user($_) } qw(mia max ron own sam);
$t->member(@$_) for ['mia', 'demo', 'maintainer'], ['max', 'demo', 'maintainer'], ['ron', 'demo', 'reporter'],
    ['own', 'demo', 'owner'];
my %token = map { $_ => $t->token($_) } keys %user;

# Every answer is as conf/openapi.json says.
sub call {
	my ($as, $method, $path, $json) = @_;
	my $res = $t->http($method => $path, { token => $token{$as} // $as,
		defined $json ? (body => ref $json ? JSON::PP->new->utf8->encode($json) : $json,
		    headers => ['Content-Type: application/json']) : () });
	my @complaints = $path =~ m{/packages/cargo/} ? () : $described->complaints($method, $path, $res);

	fail(join("\n", @complaints)) if @complaints;
	return $res;
}

sub status { return call(@_)->{status}; }

sub index_of {
	my ($crate) = @_;
	my $res = call('ron', GET => "$api/packages/cargo/" . substr($crate, 0, 2) . '/' . substr($crate, 2, 2)
	    . "/$crate");

	return join(' ', $res->{status}, $res->{body} =~ /"vers":"([^"]+)"/g);
}

sub package_id {
	return $t->psql("SELECT v.id FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.name = '$_[0]'"
	    . " AND v.version = '$_[1]'");
}

sub last_audit {
	return $t->psql('SELECT action || coalesce(\' \' || crate || \' \' || version, \'\') FROM audit_events'
	    . ' ORDER BY id DESC LIMIT 1');
}

for my $crate (['alpha', '1.0.0'], ['alpha', '1.1.0'], ['beta', '1.0.0']) {
	is($t->publish($id, $token{mia}, @$crate)->{status}, 200, "@$crate is there");
}

subtest 'another status' => sub {
	my $package = package_id('alpha', '1.0.0');
	my $path = "$api/packages/$package";
	my @cases = ( # shown, listed, in the index, can be downloaded
		['deprecated', 200, 1, '200 1.0.0 1.1.0', 200],
		['hidden', 404, 0, '200 1.0.0 1.1.0', 200],
		['error', 404, 1, '200 1.1.0', 404],
		['default', 200, 1, '200 1.0.0 1.1.0', 200],
	);

	for my $case (@cases) {
		my ($status, $shown, $listed, $index, $download) = @$case;
		my $res = call('mia', PATCH => $path, { status => $status, status_message => "it is $status" });

		is($res->{status}, 200, "$status: given");
		is_deeply([@{ $t->json($res) }{qw(status status_message)}], [$status, "it is $status"], '  and told');
		is(last_audit(), 'crate.status alpha 1.0.0', '  in the audit');
		is(status('ron', GET => $path), $shown, "  shown: $shown");
		is(scalar(grep { $_->{id} == $package } @{ $t->json(call('ron', GET => "$api/packages")) }), $listed,
		    "  listed: $listed");
		is(scalar(grep { $_->{id} == $package } @{ $t->json(call('ron', GET => "$api/packages?status=$status")) }),
		    1, '  or asked for');
		is(index_of('alpha'), $index, "  the index: $index");
		is(status('ron', GET => "$api/packages/cargo/alpha/1.0.0/download"), $download, "  download: $download");
	}
	my $before = $t->psql('SELECT count(*) FROM audit_events');
	is(status('mia', PATCH => $path, { status => 'default', status_message => 'it is default' }), 200,
	    'what is so already');
	is($t->psql('SELECT count(*) FROM audit_events'), $before, 'changes nothing');
	is($t->json(call('mia', PATCH => $path, { status => 'default' }))->{status_message}, undef,
	    'no message takes it away');
	is(status('mia', PATCH => $path, $_), 400, JSON::PP->new->canonical->encode($_))
	    for {}, { status => undef }, { status => 'gone' }, { status => 'pending_destruction' },
	    { status => 'processing' },
	    { status => 'error', status_message => 'a' x 256 }, { status => 'error', status_message => "a\nb" };
	is(status('mia', PATCH => "$api/packages/$package", $_->[0]), $_->[1], "body $_->[0]")
	    for ['{', 400], ['[]', 400], ['{"status":"error"} x', 400];
	is(status('mia', PATCH => "$api/packages/999999999", { status => 'error' }), 404,
	    'a package that is not there');
};

subtest 'images of a README' => sub {
	my $put = sub { return call('own', PUT => "/api/v4/projects/$id", $_[0]) };
	my $get = sub { return $t->json(call($_[0], GET => "/api/v4/projects/$id"))->{readme_images} };

	is($get->('mia'), JSON::PP::false, 'none at first');
	is($t->json($put->({ readme_images => JSON::PP::true }))->{readme_images}, JSON::PP::true, 'the answer');
	is(last_audit(), 'project.set', 'in the audit');
	is($put->({ readme_images => $_ })->{status}, 400, 'not ' . ($_ // 'null')) for undef, 'maybe', [];
	is($put->({ anonymous_networks => [] })->{status}, 200, 'another setting');
	is($get->('own'), JSON::PP::true, 'does not change it');
	is(status('mia', PUT => "/api/v4/projects/$id", { readme_images => JSON::PP::false }), 403,
	    'a maintainer does not, either');
	is($t->json($put->({ readme_images => 'false' }))->{readme_images}, JSON::PP::false, 'off');
};

subtest 'networks' => sub {
	for my $place (["projects/$id", project => 'demo/registry'],
	    ["groups/@{[$t->group('demo')]}", group => 'demo']) {
		my ($path, $noun, $name) = @$place;
		my $put = sub { return call('own', PUT => "/api/v4/$path", $_[0]) };
		my $networks = sub { return $t->json(call($_[0] // 'own', GET => "/api/v4/$path"))->{anonymous_networks} };
		my @wrong = (
			[{}, qr/anonymous_networks is missing/],
			[{ anonymous_networks => undef }, qr/anonymous_networks is missing/],
			[{ anonymous_networks => { a => 1 } }, qr/anonymous_networks is invalid/],
			[{ anonymous_networks => [[]] }, qr/anonymous_networks is invalid/],
			[{ anonymous_networks => '192.0.2.1/24' }, qr/`192.0.2.1\/24` is neither/],
			[{ anonymous_networks => ['::1', 'example.org'] }, qr/`example.org` is neither/],
			[{ anonymous_networks => [map { "192.0.2.$_" } 1 .. 65] }, qr/more than 64/],
			[{ anonymous_networks => ['0.0.0.0/0'] }, qr/visibility `public`/],
			[{ anonymous_networks => ['::1', '::/0'] }, qr/`::\/0` covers too much/],
			(map { [{ anonymous_networks => [], $_ => 'x' }, qr/^[^:]*\b$_ cannot be changed here/] }
			    qw(visibility packages_enabled package_registry_access_level name path description)),
		);

		is_deeply($networks->(), [], "$noun: none at first");
		my $two = ['192.0.2.0/24', '2001:db8::/32'];
		is_deeply($t->json($put->({ anonymous_networks => $two }))->{anonymous_networks}, $two,
		    'the answer has them');
		is($t->json({ body => scalar $t->berth_ok($noun, 'show', $name, '--json') })->{anonymous_networks},
		    '192.0.2.0/24 2001:db8::/32', 'the command shows them');
		is(last_audit(), "$noun.set", 'in the audit');
		my $rows = $t->psql('SELECT count(*) FROM audit_events');
		is($put->({ anonymous_networks => '192.0.2.0/24, 2001:db8::/32' })->{status}, 200, 'as one text');
		is($t->psql('SELECT count(*) FROM audit_events'), $rows, 'and the same leaves no row');
		for my $wrong (@wrong) {
			my ($change, $why) = @$wrong;
			my $res = $put->($change);

			is($res->{status}, 400, JSON::PP->new->canonical->encode($change));
			like($t->json($res)->{message}, $why, 'says why');
		}
		is_deeply($networks->('mia'), ['192.0.2.0/24', '2001:db8::/32'],
		    'a maintainer sees that nothing has changed');
		is(status('mia', PUT => "/api/v4/$path", { anonymous_networks => [] }), 403, 'and changes nothing');
		$t->berth_ok(qw(flag set settings_api off));
		is($put->({ anonymous_networks => [] })->{status}, 404, 'without the settings API nobody does');
		$t->berth_ok(qw(flag set settings_api on));
		is($t->http(PUT => "/api/v4/$path",
		    { token => $token{own}, body => 'anonymous_networks[]=::1&anonymous_networks[]=10.0.0.0/8',
			headers => ['Content-Type: application/x-www-form-urlencoded'] })->{status}, 200, 'as a form');
		is_deeply($networks->(), ['::1', '10.0.0.0/8'], 'is the same');
		is($put->({ anonymous_networks => [] })->{status}, 200, 'an empty list');
		is_deeply($networks->(), [], 'is none');
	}
};

subtest 'a package is deleted' => sub {
	my $package = package_id('alpha', '1.0.0');
	my $crate = $t->make_crate('alpha', '1.0.0');
	my $publish = sub {
		return $t->http(PUT => "$api/packages/cargo/api/v1/crates/new", { token => $token{mia},
			body => $t->publish_body($t->metadata('alpha', '1.0.0', @{ $_[1] // [] }), $_[0]) });
	};

	is(status('mia', DELETE => "$api/packages/$package"), 204, 'it is');
	is(last_audit(), 'crate.delete alpha 1.0.0', 'in the audit');
	is(index_of('alpha'), '200 1.1.0', 'not in the index');
	is(status('ron', GET => "$api/packages/cargo/alpha/1.0.0/download"), 404, 'nor downloaded');
	is(status('mia', $_->[0] => "$api/packages/$package$_->[1]", $_->[2]), 404,
	    "$_->[0] $_->[1]: not there any more")
	    for ['GET', ''], ['GET', '/package_files'], ['GET', '/pipelines'], ['DELETE', ''],
	    ['PATCH', '', { status => 'default' }];
	is_deeply([map { [@$_{qw(id status)}] }
	    @{ $t->json(call('ron', GET => "$api/packages?status=pending_destruction")) }],
	    [[$package, 'pending_destruction']], 'but it waits');
	is($publish->($t->make_crate('alpha', '1.0.0', files => { 'src/lib.rs' => '// other' }))->{status}, 400,
	    'other bytes never come back');
	is(status('mia', DELETE => "$api/packages/" . package_id('alpha', '1.1.0') . '/package_files/'
	    . package_id('alpha', '1.1.0')), 204, 'without its file');
	is(index_of('alpha'), '404', 'no index is left');
	is(status('mia', DELETE => "$api/packages/" . package_id('beta', '1.0.0') . '/package_files/1'), 404,
	    'a file of another package');
};

subtest 'protected from being deleted' => sub {
	my $beta = package_id('beta', '1.0.0');
	my $rule = $t->json(call('mia', POST => "$api/packages/protection/rules",
	    { package_name_pattern => 'BETA', minimum_access_level_for_delete => 'owner' }));
	my $res = call('mia', DELETE => "$api/packages/$beta");

	is($res->{status}, 403, 'a maintainer cannot');
	like($t->json($res)->{message}, qr/^403 .*protected/, 'and is told why');
	is(status('mia', PATCH => "$api/packages/$beta", { status => 'error' }), 403, 'nor change its status');
	is(status('own', PATCH => "$api/packages/$beta", { status => 'deprecated' }), 200, 'an owner can');
	is(status('mia', DELETE => "$api/packages/protection/rules/$rule->{id}"), 403, 'nor take the rule away');
	is(status('own', DELETE => "$api/packages/protection/rules/$rule->{id}"), 204, 'an owner can');
	is(status('mia', DELETE => "$api/packages/$beta"), 204, 'and it is deleted');
};

subtest 'tokens of other people' => sub {
	my ($mine) = @{ $t->json(call('mia', GET => '/api/v4/personal_access_tokens')) };
	my $path = "/api/v4/personal_access_tokens/$mine->{id}";
	my ($job) = map { $t->psql("SELECT max(id) FROM tokens WHERE kind = 'job'") }
	    $t->job_token('demo/registry', 'mia');
	my $admin = $user{root} = $t->user('root', admin => 1);

	$token{root} = $t->token('root');
	for my $call (['GET', $path], ['DELETE', $path], ['POST', "$path/rotate"]) {
		my $res = call('max', @$call);

		is("$res->{status} $res->{body}", '404 {"message":"404 Not Found"}',
		    "$call->[0] of another one's: not there");
	}
	is(call('max', GET => '/api/v4/personal_access_tokens/999999999')->{body}, '{"message":"404 Not Found"}',
	    'just as one that is not');
	for my $call (['GET', ''], ['DELETE', ''], ['POST', '/rotate']) {
		is(status($_, $call->[0] => "/api/v4/personal_access_tokens/$job$call->[1]"), 404,
		    "$call->[0] of a job's by $_: nor is that") for qw(mia root);
	}
	is(status('mia', GET => $path), 200, 'its own is there');
	is(status('max', GET => "/api/v4/personal_access_tokens?user_id=$user{mia}"), 403, 'nobody lists them');
	is(scalar @{ $t->json(call('root', GET => "/api/v4/personal_access_tokens?user_id=$user{mia}")) }, 1,
	    'but administrators');
	is(status('root', GET => $path), 200, 'who see one');
	is(status('root', POST => "$path/rotate"), 404, 'and do not come by another');
	is(status('mia', GET => '/api/v4/user'), 200, 'which is still good');
	is(status('root', DELETE => $path), 204, 'they revoke it');
	is(status('mia', GET => '/api/v4/user'), 401, 'from the next request on');
	$token{mia} = $t->token('mia');
};

subtest 'a token in place of another' => sub {
	my $own = sub { return $t->json(call($_[0], GET => '/api/v4/personal_access_tokens/self')); };
	my %limited = (scopes => $t->token('sam', scopes => 'read_api'),
	    crates => $t->token('sam', crates => 'abc*'), operations => $t->token('sam', operations => 'yank'));
	my $sam = $own->('sam');
	my $plain = $t->psql("SELECT max(id) FROM tokens WHERE user_id = $user{sam}");

	is_deeply([@$sam{qw(crates operations scopes expires_at)}], [undef, undef, ['api'], undef],
	    'one without limits');
	for my $kind (sort keys %limited) {
		is(status($limited{$kind}, POST => "/api/v4/personal_access_tokens/$sam->{id}/rotate"), 403,
		    "limited by $kind: comes by no other");
		is(status($limited{$kind}, DELETE => "/api/v4/personal_access_tokens/$sam->{id}"), 403,
		    '  and ends no other');
		is(status($limited{$kind}, POST => '/api/v4/personal_access_tokens/self/rotate'), 403,
		    '  nor goes on for longer');
	}
	my $narrow = $t->token('sam', crates => 'abc*', operations => 'yank');
	my $res = call('sam', POST => "/api/v4/personal_access_tokens/" . $own->($narrow)->{id} . '/rotate',
	    { expires_at => '2027-01-31' });
	is($res->{status}, 200, 'a token with limits is rotated');
	my $new = $t->json($res);
	is_deeply([@$new{qw(crates operations scopes expires_at active)}],
	    [['abc*'], ['yank'], ['api'], '2027-01-31', JSON::PP::true], 'and keeps them');
	my $reader = $own->($t->token('sam', scopes => 'read_api'))->{id};
	is_deeply($t->json(call('sam', POST => "/api/v4/personal_access_tokens/$reader/rotate"))->{scopes},
	    ['read_api'], 'as another one keeps its scopes');
	is($own->($new->{token})->{id}, $new->{id}, 'the new one is good');
	is(status('sam', POST => "/api/v4/personal_access_tokens/$_->[0]/rotate", $_->[1]), $_->[2], "$_->[3]")
	    for [$new->{id}, { expires_at => '2020-01-01' }, 400, 'not into the past'],
	    [$new->{id}, { expires_at => '2099-01-01' }, 400, 'not for ever'],
	    [$new->{id}, { expires_at => 'soon' }, 400, 'by a date'], ['x', {}, 400, 'by an id'];
	is(status('sam', DELETE => "/api/v4/personal_access_tokens/$new->{id}"), 204, 'it is revoked');
	is(status('sam', POST => "/api/v4/personal_access_tokens/$new->{id}/rotate"), 404,
	    'and no other comes of it');
	is(status($narrow, GET => '/api/v4/personal_access_tokens/self'), 401, 'the old one has ended long since');
	my $late = $t->token('sam');
	my $late_id = $own->($late)->{id};
	$t->psql("UPDATE tokens SET expires_at = now() WHERE id = $late_id");
	is(status('sam', POST => "/api/v4/personal_access_tokens/$late_id/rotate"), 404,
	    'nor of one that has expired');
	is(status($limited{scopes}, DELETE => '/api/v4/personal_access_tokens/self'), 204,
	    'a token that reads ends itself');
	is(status($limited{scopes}, GET => '/api/v4/personal_access_tokens/self'), 401, 'and has');
	$res = call('sam', POST => '/api/v4/personal_access_tokens/self/rotate');
	is($res->{status}, 200, 'one rotates itself');
	$token{sam} = $t->json($res)->{token};
	is(status('sam', GET => '/api/v4/user'), 200, 'and goes on');
	my @listed = map { $t->json(call('sam', GET => "/api/v4/personal_access_tokens?$_")) } 'state=active',
	    'revoked=true', 'search=nothing-like-it';
	ok((!grep { !$_->{active} } @{ $listed[0] }) && @{ $listed[0] } > 0, 'lists those that are good');
	ok((!grep { !$_->{revoked} } @{ $listed[1] }) && @{ $listed[1] } > 2, 'or revoked');
	is(scalar @{ $listed[2] }, 0, 'or named so');
	is(call('sam', GET => '/api/v4/personal_access_tokens', { $_ => undef })->{body},
	    call('sam', GET => '/api/v4/personal_access_tokens')->{body}, "null is no filter by $_")
	    for qw(state revoked);
};

# Who manages one place reaches nothing of another through it: an id is not there if its object is of another
# project or group, or if the object is of another kind.
subtest 'ids of another place' => sub {
	my ($beside, $group) = ($t->project('beside/it'), $t->group('demo'));
	my %to = (ours => [$id, $group, 'own'], theirs => [$beside, $t->group('beside'), 'kim']);

	$user{kim} = $t->user('kim');
	$t->member('kim', 'beside', 'owner');
	$token{kim} = $t->token('kim');
	my %service = map { $_ => $t->berth_ok('token', 'add', '--deploy', $_, '--scopes', 'create_job_token') }
	    qw(demo/registry beside/it);
	is($t->publish($id, $token{mia}, 'apart', '1.0.0')->{status}, 200, 'a package');
	$t->berth_ok(qw(issuer add https://ci.example --kind generic));
	my %made = map { my ($name, $make) = @$_; $make->(); $name => $t->psql('SELECT max(id) FROM tokens') } (
		[started => sub { $t->job_token('demo/registry', 'mia') }],
		[job => sub { $t->job_token('demo/registry', 'mia') }],
		[deploy => sub { $t->deploy_token('demo/registry', 'read') }],
		[above => sub { $t->deploy_token('demo', 'read') }]);
	$t->psql("UPDATE tokens SET source = 'service' WHERE id = $made{job}");
	$made{rule} = $t->psql('INSERT INTO protection_rules (project_id, package_name_pattern, normalized_pattern,'
	    . " minimum_access_level_for_push) VALUES ($id, 'q*', 'q*', 40) RETURNING id");
	$made{trust} = $t->psql('INSERT INTO trust_rules (project_id, issuer_id, claims, operations)'
	    . " SELECT $id, id, '{\"sub\": \"x\"}', '{yank}' FROM trusted_issuers RETURNING id");
	my ($package, $of_mia) = (package_id('apart', '1.0.0'),
	    $t->psql("SELECT max(id) FROM tokens WHERE kind = 'personal' AND user_id = $user{mia}"));
	my @cases = (
		(map { [theirs => $_->[0], "P/packages/$package$_->[1]", $_->[2]] } ['GET', ''], ['DELETE', ''],
		    ['PATCH', '', { status => 'hidden' }], ['GET', '/package_files'], ['GET', '/pipelines']),
		[theirs => 'DELETE', "P/packages/protection/rules/$made{rule}"],
		[theirs => 'PATCH', "P/packages/protection/rules/$made{rule}", { package_name_pattern => 'z*' }],
		[theirs => 'DELETE', "P/packages/cargo/trusted_publishing/rules/$made{trust}"],
		(map { my $method = $_; map { [theirs => $method, $_] } "P/deploy_tokens/$made{deploy}",
		    "P/deploy_tokens/$made{above}", "G/deploy_tokens/$made{deploy}", "G/deploy_tokens/$made{above}" }
		    'GET', 'DELETE'),
		(map { [ours => 'DELETE', "P/deploy_tokens/$_"] } @made{qw(job started above)}, $of_mia),
		[$service{'beside/it'}, 'DELETE', "$beside/packages/cargo/job_tokens/$made{job}"],
		(map { [$service{'demo/registry'}, 'DELETE', "$id/packages/cargo/job_tokens/$_"] }
		    @made{qw(started deploy above)}, $of_mia));
	my $all = sub { $t->psql("SELECT md5(string_agg(x, '' ORDER BY x)) FROM ("
	    . "SELECT v.id || status FROM versions v UNION ALL SELECT p::text FROM protection_rules p"
	    . " UNION ALL SELECT id || 't' FROM trust_rules"
	    . " UNION ALL SELECT id || coalesce(revoked_at::text, '') FROM tokens) r (x)") };
	my $before = $all->();

	for my $case (@cases) {
		my ($place, $method, $path, $json) = @$case;
		my ($project, $of, $as) = $to{$place} ? @{ $to{$place} } : (undef, undef, $place);
		my $url = $path =~ s{^P/}{/api/v4/projects/$project/}r =~ s{^G/}{/api/v4/groups/$of/}r
		    =~ s{^(?=\d)}{/api/v4/projects/}r;

		is(status($as, $method => $url, $json), 404, "$method $url");
		is($all->(), $before, '  nothing has changed');
	}
	$t->psql('DELETE FROM protection_rules; DELETE FROM trust_rules;'
	    . " DELETE FROM tokens WHERE kind = 'deploy' OR id IN ($made{job}, $made{started})");
};

subtest 'who grants what' => sub {
	my $members = "$api/members";
	my $group = '/api/v4/groups/demo/members';

	is(status('mia', POST => $members, { user_id => $user{sam}, access_level => 50 }), 403,
	    'no maintainer makes an owner');
	is(status('mia', POST => $members, { username => 'sam', access_level => 40 }), 201,
	    'but another maintainer');
	is(status('mia', POST => $members, { user_id => $user{sam}, access_level => 30 }), 409, 'once');
	is(status('own', PUT => "$members/$user{sam}", { access_level => 50, expires_at => '2099-01-01' }), 200,
	    'an owner makes another');
	my $res = call('own', PUT => "$members/$user{sam}", { access_level => 50 });
	is($t->json($res)->{expires_at}, '2099-01-01', 'whose end stays where nothing is said of it');
	$res = call('own', PUT => "$members/$user{sam}", { access_level => 50, expires_at => undef });
	is($t->json($res)->{expires_at}, undef, 'unless it is taken away');
	is(status('mia', PUT => "$members/$user{sam}", { access_level => 10 }), 403, 'whom no maintainer degrades');
	is(status('mia', DELETE => "$members/$user{sam}"), 403, 'or removes');
	is(status('own', DELETE => "$members/$user{sam}"), 204, 'an owner does');
	is(status('mia', POST => $group, { user_id => $user{sam}, access_level => 10 }), 403,
	    'members of a group are for owners');
	is(status('own', POST => $group, { user_id => $user{sam}, access_level => 10 }), 201, 'who add them');
	is(status('own', DELETE => "$group/$user{own}"), 403, 'the last owner stays');
	is(status('own', PUT => "$group/$user{own}", { access_level => 40 }), 403, 'and stays one');
	is(status('own', PUT => "$group/$user{sam}", { access_level => 50 }), 200, 'with another');
	is(status('own', DELETE => "$group/$user{own}"), 204, 'she can go');
	is(status('own', GET => $api), 404, 'and is out');
	is(status('sam', PUT => "$group/$user{mia}", { access_level => 40 }), 200, 'what is so already');
	is(status('mia', POST => $members, $_), 400, JSON::PP->new->canonical->encode($_))
	    for {}, { access_level => 30 }, { user_id => $user{sam} }, { user_id => 'x', access_level => 30 },
	    { user_id => $user{sam}, access_level => 35 },
	    { user_id => $user{sam}, username => 'sam', access_level => 30 },
	    { user_id => $user{sam}, access_level => 30, expires_at => '2027-02-30' },
	    { user_id => $user{sam}, access_level => 30, expires_at => '2020-01-01' };
	$t->psql("INSERT INTO members (user_id, project_id, access_level, expires_at)"
	    . " VALUES ($user{max}, $id, 50, now() - interval '1 day')");
	is(status('mia', PUT => "$members/$user{max}", { access_level => 20 }), 404,
	    'whose time is over is no member');
	for (["$members?per_page=100", undef], ["$members/all?per_page=100", 40]) {
		my ($list, $level) = @$_;
		my ($listed) = grep { $_->{id} == $user{max} } @{ $t->json(call('mia', GET => $list)) };

		is($listed && $listed->{access_level}, $level, 'a list shows the membership of the group alone');
	}
	is(status('mia', POST => $members, { user_id => $user{max}, access_level => 20 }), 201,
	    'and can become one again');
	is(status('mia', DELETE => "$members/$user{max}"), 204, 'and go');
	is(status('mia', POST => $members, { user_id => 999999999, access_level => 30 }), 404, 'nobody');
};

subtest 'settings that cannot be' => sub {
	my @cases = (
		(map { ['deploy_tokens', $_, 400] } {}, { name => 'x' }, { name => 'x', scopes => [] },
		    { name => 'x', scopes => ['api'] },
		    { name => "x\ny", scopes => ['read_package_registry'] },
		    { name => 'x', scopes => ['read_package_registry'], expires_at => 'never' },
		    { name => 'x', scopes => ['read_package_registry'], expires_at => '2020-01-01' },
		    { name => 'x', scopes => ['read_package_registry'], username => 'a b' },
		    { name => { a => 1 }, scopes => ['read_package_registry'] },
		    { name => 'x' x 300, scopes => ['read_package_registry'] }),
		['deploy_tokens', { name => 'x', scopes => ['create_job_token', 'read_package_registry'] }, 403],
		(map { ['packages/protection/rules', $_, 400] } {}, { package_name_pattern => 'x' },
		    { package_name_pattern => 'x/y', minimum_access_level_for_push => 'owner' },
		    { package_name_pattern => 'x', minimum_access_level_for_push => 'developer' },
		    { package_name_pattern => 'x', package_type => 'npm', minimum_access_level_for_push => 'owner' }),
		(map { ['job_token_scope/allowlist', $_, 400] } {}, { target_project_id => 'x' },
		    { target_project_id => 0 }, { target_project_id => $id },
		    { target_project_id => $id, job_token_policies => ['all'] }),
		['job_token_scope/allowlist', { target_project_id => 999999999 }, 404],
		['job_token_scope/groups_allowlist', { target_group_id => 999999999 }, 404],
	);

	is(status('max', POST => "$api/$_->[0]", $_->[1]), $_->[2],
	    "$_->[0] " . JSON::PP->new->canonical->encode($_->[1])) for @cases;
	is(status('max', PATCH => "$api/job_token_scope", $_), 400, JSON::PP->new->canonical->encode($_))
	    for {}, { enabled => 'perhaps' }, { enabled => [] };
	is(status('max', GET => "$api/deploy_tokens?active=perhaps"), 400, 'a list');
	is($t->psql("SELECT (SELECT count(*) FROM tokens WHERE kind = 'deploy') + (SELECT count(*)"
	    . " FROM protection_rules) + (SELECT count(*) FROM job_token_allowlist)"),
	    0, 'nothing is left of them');
	my $res = $t->http(POST => "$api/deploy_tokens", { token => $token{max},
		body => 'name=mirror&scopes[]=read_package_registry&scopes[]=write_package_registry',
		headers => ['Content-Type: application/x-www-form-urlencoded'] });
	is($res->{status}, 201, 'a form does as well');
	is_deeply($t->json($res)->{scopes}, [qw(read_package_registry write_package_registry)], 'with its lists');
	is(scalar @{ $t->json(call('max', GET => "$api/deploy_tokens", { active => $_->[0] })) }, $_->[1],
	    'active ' . ($_->[0] // 'null')) for [undef, 1], ['true', 1], ['false', 0];
	is($t->http(POST => "$api/deploy_tokens", { token => $token{max}, body => 'x',
	    headers => ['Content-Type: text/plain'] })->{status}, 415, 'but no other kind');
	my $deploy = $t->json($res)->{token};
	is($t->psql("SELECT count(*) FROM tokens WHERE position('" . substr($deploy, 10) . "' IN tokens::text) > 0"),
	    0, 'the token itself is nowhere');
	is($t->psql("SELECT count(*) FROM audit_events WHERE position('" . substr($deploy, 10)
	    . "' IN audit_events::text) > 0"), 0, 'nor in the audit');
};

subtest 'projects that a caller may see' => sub {
	$t->user('eve');
	$token{eve} = $t->token('eve');
	$t->project('demo/Open-Tools', 'public');
	$t->project('demo/sub/inner', 'internal');
	$t->project('demo/sub/closed');
	$t->project('other/registry');
	$t->project('other/open', 'public');
	my $list = sub {
		my ($as, $query, $group) = @_;
		my $res = call($as, GET => '/api/v4' . (defined $group ? "/groups/$group" : '') . "/projects$query");
		my @paths = map { $_->{path_with_namespace} } @{ $t->json($res) };

		is($res->{headers}{'x-total'}, scalar @paths, "$as: $query, counted") if $query !~ /page/;
		return join(' ', @paths);
	};
	my $all = 'demo/Open-Tools demo/registry demo/sub/closed demo/sub/inner';

	is($list->('ron', ''), "$all other/open", 'a member');
	is($list->('eve', ''), 'demo/Open-Tools demo/sub/inner other/open', 'a stranger');
	is($list->('ron', '?search=REGISTRY'), 'demo/registry', 'part of a path, and not what they may not know of');
	is($list->('ron', '?search=o%2Fr'), 'demo/registry', 'with its groups');
	is($list->('ron', '?search=open'), 'demo/Open-Tools other/open', 'in any case');
	is($list->('ron', "?search=$_"), '', "nothing like $_") for qw(%25 _ nothing %C3%9C);
	is($list->('ron', '?search='), "$all other/open", 'nothing asked');
	is($list->('ron', '?visibility=private'), 'demo/registry demo/sub/closed', 'private ones');
	is($list->('eve', '?visibility=private'), '', 'of which a stranger sees none');
	is($list->('eve', '?visibility=internal'), 'demo/sub/inner', 'internal ones');
	is($list->('ron', '?visibility=public&search=other'), 'other/open', 'both');
	is($list->('ron', '?min_access_level=20'), $all, 'where they are somebody');
	is($list->('ron', '?min_access_level=30'), '', 'or more than that');
	is($list->('ron', '?sort=desc'), join(' ', reverse split(/ /, "$all other/open")), 'the other way round');
	is($list->('ron', '?per_page=2&page=2'), 'demo/sub/closed demo/sub/inner', 'page by page');
	is($list->('ron', '', 'demo'), 'demo/Open-Tools demo/registry', 'of a group');
	is($list->('ron', '?include_subgroups=true&search=sub', 'demo'), 'demo/sub/closed demo/sub/inner',
	    'and those below');
	is($list->('ron', '?search=other', 'demo'), '', 'but no other group');
	is(status('ron', GET => "/api/v4/projects?$_"), 400, "$_: refused")
	    for 'search=%00', 'search=%ff', 'visibility=secret', 'min_access_level=x';
};

done_testing();
