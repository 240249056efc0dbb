#!/usr/bin/perl
# Who may do what, through nginx: every kind of caller, every route, every kind of project.  The
# same decision as a function is in t/unit/access.c.

use strict;
use warnings;

use Test::More;

use Berth::Access;
use Berth::Cache;
use Berth::Test;

# Limits on how often are another matter: hundreds of refusals come from one address here.
my $t = Berth::Test->new(publish_burst => 0, new_crate_burst => 0, yank_burst => 0, failed_login_burst => 0);
my $port = Berth::Cache::start($t);

# ---- places: one group with a project of each visibility, one that is off; and elsewhere ----

my @places = Berth::Access::places();
my %visibility = Berth::Access::visibility();
my %id = map { $_ => $t->project("demo/$_", $visibility{$_}) } keys %visibility;
$id{missing} = 987654321;
$t->project($_) for qw(apps/reader apps/other trusted/deep/app);
$t->berth_ok(qw(project allow demo/priv --from apps/reader));
$t->berth_ok(qw(project allow demo/priv --from trusted --policies admin_packages));

# ---- callers: a token each ----

my @roles = qw(guest reporter developer maintainer owner);
$t->user($_) for @roles, qw(stranger lapsed removed gone looksafter guest2);
$t->user('admin', admin => 1);
$t->member($_, 'demo', $_) for @roles;
$t->berth_ok(qw(member set lapsed demo owner --expires 2020-01-01));
$t->member('gone', 'demo', 'owner');
$t->member('removed', 'demo', 'owner');
my %token = map { $_ => $t->token($_) } @roles, qw(stranger lapsed removed gone admin);
$token{read_api} = $t->token('owner', scopes => 'read_api');
$token{expired} = $t->ended_token('owner');
$token{$_} = $t->token('owner') for qw(revoked unknown);
$token{garbage} = 'x';
$token{malformed} = 'berth_pat_' . 'a' x 49;
# these are given crates once there are some
$t->member('guest2', 'demo', 'guest');
$token{$_->[0]} = $t->token($_->[1])
    for ['stranger with the crate', 'looksafter'], ['guest with the crate', 'guest2'];
$token{'with the crate, read_api'} = $t->token('looksafter', scopes => 'read_api');
$token{'job of who has the crate'} = $t->job_token('demo/priv', 'looksafter');
$token{'reading job of who has the crate'} = $t->job_token('apps/reader', 'looksafter');
$token{'trusted job of who has the crate'} = $t->job_token('trusted/deep/app', 'looksafter');
$token{'deploy, reads'} = $t->deploy_token('demo', 'read');
$token{'deploy, writes'} = $t->deploy_token('demo', 'write');
$token{'deploy of priv, writes'} = $t->deploy_token('demo/priv', 'read', 'write');
$token{'deploy of priv, reads'} = $t->deploy_token('demo/priv', 'read');
$token{'deploy without a scope'} = $t->deploy_token('demo', 'read');
$token{'deploy of elsewhere'} = $t->deploy_token('apps', 'read', 'write');
$token{'deploy, revoked'} = $t->deploy_token('demo', 'write');
$token{"job of $_"} = $t->job_token('demo/priv', $_) for qw(stranger guest reporter developer admin gone);
$token{'job that has ended'} = $t->job_token('demo/priv', 'owner');
$token{'job past its time'} = $t->job_token('demo/priv', 'owner');
$token{"foreign job of $_"} = $t->job_token('apps/other', $_) for qw(owner admin);
$token{"reading job of $_"} = $t->job_token('apps/reader', $_) for qw(stranger guest owner);
$token{"trusted job of $_"} = $t->job_token('trusted/deep/app', $_) for qw(stranger reporter developer);

sub digest { return "(SELECT digest FROM tokens WHERE handle = '" . Berth::Test::token_handle($_[0]) . "')"; }

$t->psql('DELETE FROM tokens WHERE digest = ' . digest($token{unknown}));
$t->psql("UPDATE tokens SET scopes = '{}' WHERE digest = " . digest($token{'deploy without a scope'}));
$t->psql("UPDATE tokens SET expires_at = now() WHERE digest = " . digest($token{'job past its time'}));
$t->berth_ok({ stdin => $token{$_} }, qw(token revoke))
    for 'revoked', 'deploy, revoked', 'job that has ended';

# ---- what there is to be read; and what is read and published in what follows ----

my %crate = map { $_ => $t->make_crate($_, '1.0.0') } qw(abcd Foo_Lib);
for my $place (qw(pub int priv)) {
	for my $name (sort keys %crate) {
		my $res = $t->http(PUT => $t->registry($id{$place}) . '/api/v1/crates/new', { token => $token{removed},
			body => $t->publish_body($t->metadata($name, '1.0.0'), $crate{$name}) });

		is($res->{status}, 200, "$name is in $place") or diag($res->{body});
	}
}
$t->berth_ok('owner', 'add', "demo/$_", 'abcd', qw(looksafter guest2)) for qw(pub int priv);
# both from the very next request on: these tokens have just been used, or could have been
$t->member('removed', 'demo', 'none');
$t->berth_ok(qw(user block gone));
$t->berth_ok(qw(project set demo/off packages_enabled=false));

my $versions = 0;

# name, method, path, headers, status where it is allowed
my @reads = (
	['config.json', GET => 'config.json', [], 200],
	['config.json', HEAD => 'config.json', [], 200],
	['index', GET => 'ab/cd/abcd', [], 200],
	['index', HEAD => 'ab/cd/abcd', [], 200],
	['index, conditional', GET => 'ab/cd/abcd', ['If-None-Match: *'], 304],
	['download', GET => 'abcd/1.0.0/download', [], 200],
	['download', HEAD => 'abcd/1.0.0/download', [], 200],
	['download, a range', GET => 'abcd/1.0.0/download', ['Range: bytes=0-9'], 206],
	['config.json', OPTIONS => 'config.json', [], 405],
	['index', OPTIONS => 'ab/cd/abcd', [], 405],
	['index', POST => 'ab/cd/abcd', [], 405],
	['download', OPTIONS => 'abcd/1.0.0/download', [], 405],
	['download, conditional', GET => 'abcd/1.0.0/download', ['If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT'],
	    200],
	['search', GET => 'api/v1/crates?q=abcd', [], 200],
	['crate', GET => 'api/v1/crates/abcd', [], 200],
	['versions', GET => 'api/v1/crates/abcd/versions', [], 200],
	['version', GET => 'api/v1/crates/abcd/1.0.0', [], 200],
);
my @writes = (
	['publish', PUT => 'api/v1/crates/new', [], 200],
	['yank', DELETE => 'api/v1/crates/abcd/1.0.0/yank', [], 200],
	['unyank', PUT => 'api/v1/crates/abcd/1.0.0/unyank', [], 200],
	['publish', OPTIONS => 'api/v1/crates/new', [], 405],
	['yank', OPTIONS => 'api/v1/crates/abcd/1.0.0/yank', [], 405],
);

# The body of an error, in the error format of its route: nothing after it tells more than its sentence.
sub sentence_of {
	my ($res, $writes) = @_;

	return eval { $t->json($res)->{errors}[0]{detail} } // "no JSON: $res->{body}" if $writes;
	return $res->{body} =~ /\A([^\n]+)\n\z/ ? $1 : "no line: $res->{body}";
}

sub check {
	my ($caller, $place, $route, $want, $writes) = @_;
	my ($name, $method, $path, $headers, $success) = @$route;
	my %opt = (token => $token{$caller}, headers => $headers);

	if ($name eq 'publish' && $method eq 'PUT') {
		my $version = '1.' . ++$versions . '.0';

		$opt{body} = $t->publish_body($t->metadata('abcd', $version),
		    $want ? 'x' : $t->make_crate('abcd', $version));
	}
	my $res = Berth::Cache::ask($port, $method, $t->registry($id{$place}) . "/$path", \%opt);
	my @bad = ($res->{status} == ($want || $success) ? () : "status $res->{status}, not " . ($want || $success));

	if ($want) {
		my $sentence = $method eq 'HEAD' ? '' : sentence_of($res, $path =~ m{^api/v1/});

		push @bad, "body `$sentence`" if $method ne 'HEAD' && $sentence !~ /\A[A-Za-z][^\n{}]+\z/;
		push @bad, "body `$sentence`" if $want == 404 && $method ne 'HEAD' && $sentence ne 'Project Not Found';
		push @bad, 'where to log in' if ($want == 401) != defined $res->{headers}{'www-authenticate'};
		push @bad, 'kept by others' if ($res->{headers}{'cache-control'} // '') !~ /private|no-store/;
		push @bad, 'an ETag' if defined $res->{headers}{etag};
	}
	return map { "$method $name: $_" } @bad;
}

is(join(' ', sort(Berth::Access::callers())), join(' ', sort keys %token, 'anonymous'),
    'every caller has a row');
for my $caller (Berth::Access::callers()) {
	for my $place (@places) {
		my ($read, $write) = Berth::Access::decision($caller, $place);
		my @bad = ((map { check($caller, $place, $_, $read, 0) } @reads),
		    (map { check($caller, $place, $_, $write, 1) } @writes));

		is(join("\n", @bad), '', "$caller, $place: " . ($read || 'reads') . ', ' . ($write || 'writes'));
	}
}
# An address is no more there for those who may not know of it than a crate that is not: whatever they try.
for my $method (qw(GET HEAD OPTIONS POST BREW)) {
	for my $caller ('anonymous', 'stranger') {
		my @shapes = map {
			my $res = $t->http($method => $t->registry($id{priv}) . "/$_", { token => $token{$caller} });

			join('; ', $res->{status}, $method eq 'HEAD' ? () : $res->{body}, map { "$_: $res->{headers}{$_}" }
			    sort grep { !/^(?:date|x-request-id|x-served-by)$/ } keys %{ $res->{headers} });
		} qw(ab/cd/abcd no/ne/none abcd/1.0.0/download none/1.0.0/download);

		is(scalar(grep { $_ ne $shapes[0] } @shapes), 0,
		    "$method: what is there looks to $caller as what is not: $shapes[0]");
		like($shapes[0], $caller eq 'anonymous' ? qr/^401;/ : qr/^404;/, "$method: and is refused");
	}
}

# ---- GitLab's headers: each for its kind of token, on every route ----

my $list = "/api/v4/projects/$id{priv}/packages";
my @kinds = (
	['Private-Token', 'reporter'],
	['Deploy-Token', 'deploy, reads'],
	['Job-Token', 'job of reporter'],
);

sub with { my ($path, @headers) = @_; return $t->http(GET => $path, { headers => \@headers })->{status}; }

for my $kind (@kinds) {
	my ($header, $caller) = @$kind;

	is(with($list, "$header: $token{$caller}"), 200, "$header: $caller");
	is(with($list, "Authorization: Bearer $token{$caller}"), 200, "$caller: as a bearer");
	is(with($t->registry($id{priv}) . '/ab/cd/abcd', "$header: $token{$caller}"), 200,
	    "$header: for cargo's routes as well");
	is(with($t->registry($id{pub}) . '/ab/cd/abcd', "$header: x"), 401,
	    "$header: garbage is refused where nobody needs a token");
	is(with($list, "$header: $token{ $_->[1] }"), 401, "$header: not for $_->[1]")
	    for grep { $_ != $kind } @kinds;
	is(with($list, "$header: x"), 401, "$header: garbage");
	for my $other (grep { $_ ne $header } 'Authorization', map { $_->[0] } @kinds) {
		is(with($list, "$header: $token{$caller}", "$other: $token{$caller}"), 400, "$header and $other: 400");
		is(with($t->registry($id{priv}) . '/ab/cd/abcd', "$header: $token{$caller}", "$other: $token{$caller}"),
		    400, "$header and $other, cargo's routes: 400");
	}
}
is(with($list), 401, 'none of them');
is(with($list, "Private-Token: $token{$_}"), $_ eq 'stranger' ? 404 : $_ eq 'guest' ? 403 : 401,
    "Private-Token: $_") for qw(stranger guest revoked expired gone);

# ---- who has published ----

sub published_by {
	my ($kind) = @_;

	return join("\n", $t->psql("SELECT DISTINCT count(v.user_id), count(*) = count(e.id), count(e.user_id)"
	    . " FROM versions v"
	    . " JOIN tokens t ON t.id = v.token_id JOIN audit_events e ON e.token_id = t.id"
	    . " AND e.version = v.version AND e.action = 'crate.publish' WHERE t.kind = '$kind' GROUP BY v.id"));
}
is(published_by('deploy'), '0|t|0', 'deploy tokens publish as nobody, which the audit says as well');
is(published_by('job'), '1|t|1', 'jobs as the user who has started them');
like($t->log('pool'), qr{ route=publish status=200 .* actor=token:\d+ }, 'and the log names the token');

# ---- tokens that are limited ----

my $root = $t->registry($id{priv});

sub limited { return $t->token('developer', @_); }

sub put {
	my ($token, $name, $version) = @_;

	return $t->http(PUT => "$root/api/v1/crates/new", { token => $token,
		body => $t->publish_body($t->metadata($name, $version), $t->make_crate($name, $version)) });
}

sub yank {
	my ($token, $name) = @_;

	return $t->http(DELETE => "$root/api/v1/crates/$name/1.0.0/yank", { token => $token });
}

sub refused {
	my ($res, $name, $lacks) = @_;

	is($res->{status}, 403, "$name: refused");
	is(sentence_of($res, 1), "this token does not have the required permissions to perform this action: $lacks",
	    "$name: why");
}

sub lacks { return "it lacks the operation `$_[0]`"; }

sub not_for { return "it does not cover the crate `$_[0]`, only `$_[1]`"; }

sub done {
	my ($res, $name) = @_;

	is($res->{status}, 200, "$name: done") or diag($res->{body});
}

my @spellings = qw(Foo_Lib foo-lib FOO_LIB foo_lib FOO-lib);
my $mine = limited(crates => 'foo-lib');
my $other = limited(crates => 'abcd,foo-li,foo-libs,foolib*');
my $prefix = limited(crates => 'FOO_*');
for my $spelling (@spellings) {
	done(yank($mine, $spelling), "its crate as $spelling");
	refused(yank($other, $spelling), "not its crate as $spelling",
	    not_for('Foo_Lib', 'abcd,foo-li,foo-libs,foolib*'));
	done(yank($prefix, $spelling), "its prefix as $spelling");
}
refused(yank($mine, 'abcd'), 'another crate', not_for('abcd', 'foo-lib'));
done(yank($other, 'ABCD'), 'that one');
done(put($mine, 'Foo_Lib', '1.1.0'), 'a version of its crate');
done(put($prefix, 'foo_new', '1.0.0'), 'a new crate with its prefix');
my $before = $t->psql('SELECT (SELECT count(*) FROM crates), (SELECT count(*) FROM versions),'
    . ' (SELECT count(*) FROM blobs)');
refused(put($mine, 'abcd', '9.0.0'), 'a version of another crate', not_for('abcd', 'foo-lib'));
refused(put($mine, 'foo_newer', '1.0.0'), 'a new crate that is not its own', not_for('foo-newer', 'foo-lib'));
refused(put($prefix, 'foonew', '1.0.0'), 'a new crate without its prefix', not_for('foonew', 'foo-*'));
refused(put($mine, 'foo_libs', '1.0.0'), 'a name that is longer', not_for('foo-libs', 'foo-lib'));

my %only = map { $_ => limited(operations => $_) } qw(publish-new publish-update yank owners);
refused(put($only{'publish-new'}, 'abcd', '9.0.0'), 'publish-new of a crate that is there',
    lacks('publish-update'));
refused(put($only{'publish-new'}, 'Abcd', '9.0.0'), 'in another spelling', lacks('publish-update'));
refused(put($only{'publish-update'}, 'brand-new', '1.0.0'), 'publish-update of a new crate',
    lacks('publish-new'));
refused(put($only{$_}, 'abcd', '9.0.0'), "publishing with $_", lacks('publish-new` or `publish-update'))
    for qw(yank owners);
refused(yank($only{$_}, 'abcd'), "yanking with $_", lacks('yank')) for qw(publish-new publish-update owners);
is($t->psql('SELECT (SELECT count(*) FROM crates), (SELECT count(*) FROM versions),'
    . ' (SELECT count(*) FROM blobs)'), $before, 'whatever was refused has left nothing');
done(put($only{'publish-new'}, 'brand_new', '1.0.0'), 'publish-new of a new crate');
refused(put($only{'publish-new'}, 'brand_new', '1.0.1'), 'and then no more', lacks('publish-update'));
done(put($only{'publish-update'}, 'brand_new', '1.0.1'), 'publish-update of it');
done(yank($only{yank}, 'brand-new'), 'yank');
is($t->http(GET => "$root/config.json", { token => $only{$_} })->{status}, 200, "reading with $_")
    for sort keys %only;
refused(put(limited(crates => 'abcd', operations => 'publish-new'), 'abcd', '9.0.0'), 'both limits count',
    lacks('publish-update'));

# What a token of each kind lacks, in the words of each route.
for my $case (
	['a limited token of an owner, to delete a package', $t->token('owner', operations => 'yank'),
	    DELETE => "/api/v4/projects/$id{priv}/packages/1", qr/: it needs a token without limits$/],
	['a token for some crates, to add a member', $t->token('owner', crates => 'abcd'),
	    POST => "/api/v4/projects/$id{priv}/members", qr/: it needs a token without limits$/],
	['one that reads, to yank', limited(scopes => 'read_api'), DELETE => "$root/api/v1/crates/abcd/1.0.0/yank",
	    qr/the scope `api`$/],
	['a deploy token that makes tokens of jobs, to read',
	    $t->berth_ok(qw(token add --deploy demo/priv --scopes create_job_token)), GET => "$root/config.json",
	    qr/needs a deploy token of it, or of a group above it, with `read_package_registry`$/],
	['one that reads, to yank', $t->deploy_token('demo/priv', 'read'),
	    DELETE => "$root/api/v1/crates/abcd/1.0.0/yank",
	    qr/needs a deploy token of it, or of a group above it, with `write_package_registry`$/],
) {
	my ($name, $with, $method, $path, $want) = @$case;
	my $res = $t->http($method => $path, { token => $with });

	is($res->{status}, 403, "$name: 403");
	like($res->{body} =~ /"(?:detail|message)":"([^"]*)"/ ? $1 : $res->{body} =~ s/\n\z//r, $want,
	    "$name: what is missing");
}

# What became of a token, and which header it goes into.
for my $case (
	['one that has expired', 'expired', 'Authorization', qr/^the token has expired$/],
	['one that is revoked', 'revoked', 'Authorization', qr/^the token was revoked$/],
	['one of a blocked user', 'gone', 'Authorization', qr/^the user of the token is blocked$/],
	['one that is unknown', 'unknown', 'Authorization', qr/^the token is invalid, expired or revoked$/],
	["a deploy token as a user's", 'deploy, reads', 'Private-Token', qr/^the header PRIVATE-.* as DEPLOY-/],
	["a user's token as a job's", 'reporter', 'Job-Token', qr/^the header JOB-TOKEN .* as PRIVATE-TOKEN, /],
	['one of another system', 'foreign', 'Private-Token', qr/^the token is invalid, expired or revoked$/],
) {
	my ($name, $caller, $header, $want) = @$case;
	my $res = $t->http(GET => "$root/config.json", { headers => ["$header: "
	    . ($token{$caller} // 'glpat-abcdefghijklmnopqrst')] });

	is($res->{status}, 401, "$name: 401");
	like($res->{body} =~ s/\n\z//r, $want, "$name: says so");
}

# The place, and the role that the caller has there.
for my $case (
	['guest', GET => "/api/v4/projects/$id{priv}/packages",
	    qr{^403 reading packages of project `demo/priv` needs at least the reporter role; you have the guest}],
	['reporter', DELETE => "$root/api/v1/crates/abcd/1.0.0/yank",
	    qr{^yanking in project `demo/priv` needs at least the developer role; you have the reporter role$}],
	['stranger', DELETE => $t->registry($id{pub}) . '/api/v1/crates/abcd/1.0.0/yank',
	    qr{^yanking in project `demo/pub` needs at least the developer role$}],
) {
	my ($caller, $method, $path, $want) = @$case;

	like($t->http($method => $path, { token => $token{$caller} })->{body} =~ /"(?:detail|message)":"([^"]*)"/
	    ? $1 : '', $want, "$caller: needs a role");
}

# ---- changes of access hold from the next request on ----

sub status_of { return $t->http(GET => "$root/ab/cd/abcd", { token => $token{ $_[0] } })->{status}; }

is(status_of('foreign job of owner'), 404, 'a job from elsewhere');
$t->berth_ok(qw(project allow demo/priv --from apps/other));
is(status_of('foreign job of owner'), 200, 'is let in');
$t->berth_ok(qw(project disallow demo/priv --from apps/other));
is(status_of('foreign job of owner'), 404, 'and out again');
is(status_of('trusted job of developer'), 200, 'a job');
$t->member('developer', 'demo', 'guest');
is(status_of('trusted job of developer'), 403, 'loses what its user loses');
is(status_of('job of developer'), 403, 'at home as well');
$t->berth_ok(qw(user block guest));
is(status_of($_), 401, "$_: blocked") for 'guest', 'job of guest', 'reading job of guest';

# ---- when a token was used ----

subtest 'last_used_at' => sub {
	my $u = Berth::Test->new(workers => 1);
	my $id = $u->project('demo/registry');
	my @users = map { $u->user("u$_"); $u->member("u$_", 'demo', 'reporter'); $u->token("u$_") } 1 .. 3;
	my $used = sub {
		return $u->psql('SELECT last_used_at IS NOT NULL AND last_used_at > now() - interval \'1 hour\' FROM tokens'
		    . ' WHERE digest = ' . digest($users[ $_[0] ]));
	};
	my $get = sub {
		return $u->http(GET => $u->registry($id) . '/config.json', { token => $users[ $_[0] ] })->{status};
	};

	$u->berth_ok({ stdin => $users[2] }, qw(token revoke));
	is($get->(0), 200, 'one is used');
	ok($u->wait_for(sub { $used->(0) eq 't' }), 'it is written when the worker has nothing to do');
	is($get->(1), 200, 'another one');
	is($get->(2), 401, 'one that is revoked');
	is($used->(1), 'f', 'is not written again within the minute');
	is($u->stop_pool, 0, 'the pool ends');
	is($used->(1), 't', 'which writes what is left');
	is($used->(2), 'f', 'a token that was refused was not used');
	my $list = JSON::PP->new->decode($u->berth_ok(qw(token list --json)));
	like($list->[0]{last_used_at}, qr/^\d{4}-\d\d-\d\dT/, 'token list shows it');
};

done_testing();
