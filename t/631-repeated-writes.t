#!/usr/bin/perl

# No caller can repeat a write for ever: each route that writes is counted, or
# the test has a reason why not.  Rows of ended tokens go after a while, and the audit log stays true.

use strict;
use warnings;

use Test::More;

use Berth::FastCGI qw(fetch);
use Berth::Routes;
use Berth::Test;

# Routes that are not counted before their handler: where they are counted, or why they are not.
my %own = (
	map({ $_ => 'counted by its handler: t/630-limits.t', "${_}_group" => 'counted by the same handler' }
		qw(publish yank unyank)),
	trusted_exchange => 'counted by its trust rule: t/650-oidc.t',
	token_page_create => 'counted by its user: below',
	token_page => 'it opens no session: its forms do, and are counted (below)',
	sign_in => 'a link is good once, and an administrator makes it;'
	    . ' one that is not good counts as a failed login',
# A user who loses a token must be able to end it, whatever else was done in their name.  A token ends
# once, and is counted when it is made; ending it again writes nothing (below).
	map { $_ => 'it ends what was counted when it was made' } qw(personal_token_revoke personal_token_revoke_self
		deploy_token_delete deploy_token_delete_group job_token_end trusted_revoke token_page_revoke sign_out),
);
# Routes with other methods than GET and HEAD that write nothing.
my %reads = map { $_ => 'it looks, for nginx' } qw(publish_authorize publish_authorize_group);

my $t = Berth::Test->new(workers => 2, sso => 'on', change_burst => 2, change_per_minute => 1,
    token_burst => 2, token_per_minute => 1,
    job_token_burst => 2, job_token_per_minute => 1, failed_login_burst => 0);
my $id = $t->project('demo/registry');
my $group = $t->psql("SELECT id FROM groups WHERE full_path = 'demo'");
# the group's registry counts requests about a crate that it has
$t->psql("INSERT INTO crates (project_id, name, normalized_name) VALUES ($id, 'abcd', 'abcd')");
$t->user('boss');
$t->member('boss', 'demo', 'owner');
my %token = (boss => $t->token('boss'), spare => $t->token('boss'),
    mint => $t->berth_ok('token', 'add', '--deploy', 'demo/registry', '--scopes', 'create_job_token'));
$t->start_pool;

sub forget { $t->psql('DELETE FROM rate_limits'); return; }

sub ask {
	my ($route, $method, %param) = @_;
	my $path = Berth::Routes::path($route, id => $route->{pattern} =~ m{^api/v4/groups/} ? $group : $id,
	    token_id => $param{id} // 987654);

	return fetch($t->socket_path, $path, REQUEST_METHOD => $method, REMOTE_ADDR => '127.0.0.1',
	    HTTP_AUTHORIZATION => $param{token} // $token{ $route->{name} eq 'job_token_create' ? 'mint' : 'boss' });
}

# ---- each route ----

my %seen;
my %bucket = (WRITES_CHANGE => 'change', WRITES_TOKEN => 'token', WRITES_JOB_TOKEN => 'job_token');
for my $route (Berth::Routes::all()) {
	my ($name, $writes) = @$route{qw(name writes)};
	my ($method) = @{ $route->{methods} };

	$seen{$name} = 1;
	if (!defined $writes) {
		ok(!(grep { !/^(?:GET|HEAD)$/ } @{ $route->{methods} }) || $reads{$name}, "$name: only reads");
		next;
	}
	if ($writes eq 'WRITES_OWN') {
		ok(defined $own{$name}, "$name: " . ($own{$name} // 'there is no reason why it is not counted'));
		next;
	}
	ok(!exists $own{$name}, "$name is counted");
	ok($route->{policy}, "$name: it is known who asks");
	forget();
	# The token of the caller is not good for a second rotation of itself.
	$t->psql("UPDATE tokens SET revoked_at = NULL WHERE id IN (1, 2)");
	my @res = map {
		my $res = ask($route, $method);

		$t->psql('UPDATE tokens SET revoked_at = NULL WHERE id = 1');
		$res;
	} 1 .. 3;
	is(scalar(grep { $_->{status} =~ /^(?:429|5\d\d)$/ } @res[0, 1]), 0, "$method $name: the first two pass")
	    or diag("@{[map { $_->{status} } @res]}");
	is($res[2]{status}, 429, "$method $name: the third does not") or diag($res[2]{body});
	like($res[2]{headers}{'retry-after'} // '', qr/^[1-9]\d*$/, "$name: and is told when");
	like($res[2]{body}, qr/too many .* in a short time; please try again in \d+ second/, "$name: in a sentence");
	is(join(' ', $t->psql('SELECT action FROM rate_limits')), $bucket{$writes}, "$name: counted as what it is");
}
is(join(' ', grep { !$seen{$_} } sort(keys %own, keys %reads)), '',
    'each of the reasons is for a route that is there');

# ---- tokens: what ends, ends once ----

forget();
$t->psql('UPDATE tokens SET revoked_at = NULL');
# The version of the token's row: each new one ends the token's grants once more.
sub row_of { return $t->psql("SELECT xmin FROM tokens WHERE id = $_[0]"); }
my %route = map { $_->{name} => $_ } Berth::Routes::all();
my $deploy = $t->psql("INSERT INTO tokens (kind, digest, name, project_id, scopes)"
    . " VALUES ('deploy', sha256('d'), 'd', $id, '{read_package_registry}') RETURNING id");
my $personal = $t->psql("INSERT INTO tokens (kind, digest, name, user_id, scopes)"
    . " VALUES ('personal', sha256('p'), 'p', 1, '{api}') RETURNING id");
my $of_job = $t->psql("INSERT INTO tokens"
    . " (kind, source, digest, name, user_id, project_id, scopes, expires_at, pipeline, job)"
    . " VALUES ('job', 'service', sha256('j'), 'j', 1, $id, '{}', now() + interval '1 h', 1, 1)"
    . " RETURNING id");
for my $case (
	['personal_token_revoke', $personal],
	['deploy_token_delete', $deploy],
	['job_token_end', $of_job, token => $token{mint}],
) {
	my ($name, $token_id, %opt) = @$case;
	my $before = row_of($token_id);

	like(ask($route{$name}, 'DELETE', id => $token_id, %opt)->{status}, qr/^20\d$/, "$name");
	isnt(row_of($token_id), $before, "$name: decisions end");
	$before = row_of($token_id);
	ask($route{$name}, 'DELETE', id => $token_id, %opt) for 1 .. 5;
	is(row_of($token_id), $before, "$name: again, and no more of them do");
}
my @rotated = map { ask($route{personal_token_rotate}, 'POST', id => 2)->{status} } 1 .. 5;
is($rotated[-1], 429, 'a token is not rotated for ever');

# ---- the token page ----

# The requests of a page of single sign-on: a session's cookie and its forms.
sub visit {
	my $res = fetch($t->socket_path, '/-/tokens', REMOTE_ADDR => '127.0.0.1', BERTH_SSO_USER => 'boss');
	my ($cookie) = ($res->{headers}{'set-cookie'} // '') =~ /^(__Host-berth=[^;]*)/;
	my ($form) = $res->{body} =~ /name="form" value="([0-9a-f]{64})"/;

	return sub {
		my ($path, $fields) = @_;

		return fetch($t->socket_path, $path, REMOTE_ADDR => '127.0.0.1', BERTH_SSO_USER => 'boss',
		    REQUEST_METHOD => 'POST',
		    HTTP_COOKIE => $cookie, HTTP_ORIGIN => $t->url, CONTENT_TYPE => 'application/x-www-form-urlencoded',
		    body => "$fields&form=$form")->{status};
	};
}

forget();
my $post = visit();
is($post->('/-/tokens', 'name=n&scope=api'), 200, 'a page opens a session and makes a token');
is($post->('/-/tokens', 'name=n&scope=api'), 429, 'and no more of them');
is(visit()->('/-/sign-out', ''), 429, 'nor sessions');
is($post->("/-/tokens/$personal/revoke", ''), 303, 'a token can be revoked all the same');
is($post->('/-/sign-out', ''), 303, 'and the session ended');

# ---- what is left of tokens ----

subtest 'sweep_tokens' => sub {
	$t->stop_pool;
	$t->conf(map { ("${_}_burst" => undef) } qw(change token job_token));
	$t->start_pool;
	$t->psql('UPDATE tokens SET revoked_at = NULL');
	my $publisher = $t->token('boss');
	is($t->publish($id, $publisher, 'one', '1.0.0')->{status}, 200, 'a version is published');
	my $worker = $t->job_token('demo/registry', 'boss');
	is($t->http(DELETE => $t->registry($id) . '/api/v1/crates/one/1.0.0/yank', { token => $worker })->{status},
	    200, 'and yanked by a job');
	my $idle = $t->job_token('demo/registry', 'boss');
	my $rotating = $t->token('boss');
	my $res = $t->http(POST => '/api/v4/personal_access_tokens/self/rotate', { token => $rotating });
	is($res->{status}, 200, 'a token is rotated') or diag($res->{body});
	my $new = $t->json($res)->{token};
	my $recent = $t->token('boss');
	my %row = map {
		my ($handle) = $_->[1] =~ /^berth_[a-z]+_(\w{18})_/;

		$_->[0] => $t->psql("SELECT id FROM tokens WHERE handle = '$handle'");
	}
	    ['publisher', $publisher], ['job', $worker], ['idle job', $idle], ['rotated', $rotating], ['new', $new],
	    ['recent', $recent];

	$t->psql("UPDATE tokens SET revoked_at = now() - interval '91 days'"
	    . " WHERE id IN ($row{publisher}, $row{job}, $row{rotated}, $row{'idle job'});"
	    . "UPDATE tokens SET expires_at = revoked_at WHERE id = $row{rotated};"
	    . "UPDATE tokens SET revoked_at = now() - interval '89 days' WHERE id = $row{recent}");
	my $known = $t->psql("INSERT INTO tokens"
	    . " (kind, digest, name, user_id, scopes, revoked_at, expires_at, family)"
	    . " VALUES ('personal', sha256('k'), 'k', 1, '{api}', now() - interval '91 days',"
	    . " now() + interval '1 day', 1) RETURNING id");
	$t->run_tasks('sweep_tokens');
	my %there = map { $_ => 1 } $t->psql('SELECT id FROM tokens');
	ok($there{$known}, 'one that was replaced is known until its own end');
	is(join(', ', grep { !$there{ $row{$_} } } sort keys %row), 'idle job, rotated',
	    'those go of which nothing needs to be known');
	my @audit = grep { $_->{token_id} == $row{rotated} } map { JSON::PP->new->decode($_) }
	    split(/\n/, $t->berth_ok('audit', '--action', 'token.rotate', '--json'));
	is_deeply([@{ $audit[0] }{qw(user token_id token_kind)}], ['boss', $row{rotated} + 0, 'personal'],
	    'of one that is gone the audit log still has user, number and kind') or diag(explain($audit[0]));
	@audit = map { JSON::PP->new->decode($_) }
	    split(/\n/, $t->berth_ok('audit', '--action', 'crate.yank', '--json'));
	is($audit[0]{job}, 423, 'of a job, which it was') or diag(explain($audit[0]));
	is($t->http(GET => '/api/v4/user', { token => $new })->{status}, 200, 'what is good goes on');
};
done_testing();
