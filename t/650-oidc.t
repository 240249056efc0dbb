#!/usr/bin/perl
# Jobs of other CI systems that show an identity token: which are believed, which are let in, once
# each, and what they may then do.

use strict;
use warnings;

use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

use Berth::Elsewhere;
use Berth::FastCGI qw(fetch);
use Berth::IdToken;
use Berth::Metrics;
use Berth::Test;

my $t = Berth::Test->new(workers => 8, failed_login_burst => 0);
$t->conf(ci_ca_file => $t->cacert);

# ---- two issuers of the same kind, and what they know of a job ----

my %there = map { $_ => Berth::Elsewhere->new($t) } qw(hub lab);
my %issuer = (hub => $there{hub}->url, lab => $there{lab}->url . '/gitlab');
my %key = (
	hub => Berth::IdToken->new($t->dir, 'RS256', 'hub-1'),
	lab => Berth::IdToken->new($t->dir, 'ES256', 'lab-1'),
	next => Berth::IdToken->new($t->dir, 'RS256', 'hub-2'),
	stranger => Berth::IdToken->new($t->dir, 'RS256', 'hub-1-of-a-stranger'),
);
my $serial = 0;

sub publish_keys {
	my ($which, @keys) = @_;
	my $there = $there{$which};

	$there->answer(($which eq 'lab' ? '/gitlab' : '') . '/.well-known/openid-configuration',
	    { issuer => $issuer{$which}, jwks_uri => $there->url . '/keys' });
	$there->answer('/keys', { keys => [map { $_->jwk } @keys] });
}

sub claims {
	my ($which, %over) = @_;
	my $now = int(time);
	my %claims = (iss => $issuer{$which}, aud => $t->url, iat => $now, nbf => $now - 5, exp => $now + 300,
	    jti => 'id-' . ++$serial, sub => 'repo:octo/app:ref:refs/heads/main', ref => 'refs/heads/main',
	    sha => 'ab' x 20);

	if ($which eq 'hub') {
		%claims = (%claims, repository => 'octo/app', repository_owner_id => '77', run_id => '4711',
		    event_name => 'push', workflow_ref => 'octo/app/.github/workflows/release.yml@refs/heads/main');
	} else {
		%claims = (%claims, project_path => 'octo/app', namespace_id => '77', pipeline_id => '17', job_id => '423',
		    pipeline_source => 'push', ref => 'main',
		    ci_config_ref_uri => 'localhost/octo/app//.gitlab-ci.yml@refs/heads/main');
	}
	%claims = (%claims, %over);
	delete @claims{ grep { !defined $claims{$_} } keys %claims };
	return \%claims;
}

sub id_token {
	my ($which, %over) = @_;

	return $key{$which}->sign(claims($which, %over));
}

publish_keys(hub => $key{hub});
publish_keys(lab => $key{lab});
my %id = (
	app => $t->project('tools/app'),
	lab => $t->project('tools/lab'),
	none => $t->project('tools/none'),
);
$t->user('dev');
$t->member('dev', 'tools', 'developer');
my $dev = $t->token('dev');
my %rule;
$t->berth_ok('issuer', 'add', $issuer{hub}, '--kind', 'github');
$t->berth_ok('issuer', 'add', $issuer{lab}, '--kind', 'gitlab', '--audience', 'berth');
$rule{app} = $t->berth_ok('trust', 'add', 'tools/app', '--issuer', $issuer{hub}, 'repository=octo/app',
    'workflow=release.yml', 'ref=refs/heads/*', '--crates', 'hello,hello-*');
$rule{lab} = $t->berth_ok('trust', 'add', 'tools/lab', '--issuer', $issuer{lab}, 'project_path=octo/app',
    '--user', 'dev', '--operations', 'publish-new,yank');

sub exchange {
	my ($project, $jwt, %opt) = @_;

	return $t->http(POST => $t->registry($id{$project}) . ($opt{path} // '/trusted_publishing/tokens'), {
		headers => { 'Content-Type' => 'application/json' },
		body => JSON::PP->new->encode({ jwt => $jwt }),
	});
}

sub message { return eval { $t->json($_[0])->{message} } // "no JSON: $_[0]{body}" }

sub read_config {
	my ($project, $token) = @_;

	return $t->http(GET => $t->registry($id{$project}) . '/config.json', { token => $token });
}

# ---- what administrators see of it ----

subtest 'issuers' => sub {
	my ($status, undef, $err) = $t->berth('issuer', 'add', 'http://ci.example.org', '--kind', 'github');
	is($status, 2, 'only https');
	like($err, qr/the issuer must be https:/, 'says so');
	($status, undef, $err) = $t->berth('issuer', 'add', 'https://ci.example.org', '--kind', 'jenkins');
	like($err, qr/must be gitlab, github, gitea or generic/, 'kinds');
	($status) = $t->berth('issuer', 'add', $issuer{hub}, '--kind', 'github');
	is($status, 1, 'once only');
	my $ci = 'https://ci.example.org';
	for my $pair (["$issuer{hub}/", $issuer{hub}], [$ci, undef], ["$ci/", $ci]) {
		my ($url, $other) = @$pair;

		($status, undef, $err) = $t->berth('issuer', 'add', $url, '--kind', 'github');
		is($status, 0, "$url is another issuer");
		like($err, defined $other
		    ? qr/\Aberth: warning: issuer `\Q$url\E`: there is also an issuer `\Q$other\E`, which differs only by/
		    : qr/\A\z/, defined $other ? 'with a warning' : 'without a warning');
	}
	$t->berth_ok('issuer', 'remove', $_) for "$issuer{hub}/", $ci, "$ci/";
	my $list = JSON::PP->new->decode($t->berth_ok('issuer', 'list', '--json'));
	is_deeply([map { [@$_{qw(url kind rules)}] } @$list],
	    [[$issuer{hub}, 'github', 1], [$issuer{lab}, 'gitlab', 1]], 'listed');
	($status) = $t->berth('issuer', 'remove', 'https://ci.example.org');
	is($status, 1, 'nothing to remove');
};

subtest 'rules' => sub {
	my %wrong = (
		'no repository' => [['ref=main'], qr/must have a pattern for `repository`/],
		'no owner' => [['repository=*/app'], qr/must name the owner/],
		'part of an owner' => [['repository=oc*/app'], qr/must name the owner/],
		'any' => [['repository=*'], qr/must name the owner/],
		'the issuer' => [['repository=a/b', 'iss=x'], qr/`iss` is checked in every token; leave it out/],
		'no name' => [['repository=a/b', 'A b=x'], qr/not the name of a claim/],
		'nothing' => [['repository=a/b', 'ref='], qr/must have 1 to 255 bytes/],
		'no pattern' => [['repository=a/b', 'ref'], qr/is not CLAIM=PATTERN/],
	);

	for my $name (sort keys %wrong) {
		my ($status, undef, $err) = $t->berth('trust', 'add', 'tools/none', '--issuer', $issuer{hub},
		    @{ $wrong{$name}[0] });
		is($status, 2, "$name: refused");
		like($err, $wrong{$name}[1], "$name: says why");
	}
	my ($status, undef, $err) = $t->berth('trust', 'add', 'tools/none', '--issuer', 'https://ci.example.org',
	    'repository=a/b');
	like($err, qr/no issuer `https:\/\/ci.example.org`: .*`berth issuer add`/, 'no such issuer');
	($status, undef, $err) = $t->berth('trust', 'add', 'tools/nowhere', '--issuer', $issuer{hub},
	    'repository=a/b');
	like($err, qr/project `tools\/nowhere` does not exist/, 'no such project');
	($status, undef, $err) = $t->berth('trust', 'add', 'tools/none', '--issuer', $issuer{hub}, 'repository=a/b',
	    '--user', 'nobody');
	like($err, qr/user `nobody` does not exist/, 'no such user');
	($status, my $id, $err) = $t->berth('trust', 'add', 'tools/app', '--issuer', $issuer{hub},
	    'ref=refs/heads/*', 'workflow=release.yml', 'repository=octo/app', '--operations', 'yank');
	is("$status $id", '1 ', 'the same issuer and claims, in another order');
	is($err, "berth: trust rule $rule{app} of `tools/app` already has this issuer and these claims; to change"
	    . " it, remove it first: `berth trust remove tools/app $rule{app}`, or use `berth apply`\n", 'why');

	my $gone = 'https://gone.example.org';
	$t->berth_ok('issuer', 'add', $gone, '--kind', 'github');
	my $psql = open(my $in, '|-', 'psql', '-XAtq', '-d', $t->dsn('postgres')) // die "psql: $!\n";
	$in->autoflush(1);
	print {$in} "BEGIN; DELETE FROM trusted_issuers WHERE url = '$gone';\n";
	ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
	    . ' AND datname = current_database()') == 1 }), 'an issuer is being removed');
	my $child = open(my $out, '-|') // die "fork: $!\n";
	if ($child == 0) {
		print +($t->berth('trust', 'add', 'tools/none', '--issuer', $gone, 'repository=a/b'))[2];
		close(STDOUT);
		POSIX::_exit(0);
	}
	ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
	    . ' AND datname = current_database()') == 1 }), 'a new rule waits for that');
	print {$in} "COMMIT;\n";
	close($in);
	like(join('', <$out>), qr/there is no issuer `\Q$gone\E`/, 'and finds no issuer');
	close($out);
	for my $removal ([1, 'rule is'], [2, 'rules are']) {
		my ($n, $said) = @$removal;

		$t->berth_ok('issuer', 'add', $gone, '--kind', 'github');
		$t->berth_ok('trust', 'add', 'tools/none', '--issuer', $gone, "repository=a/$_") for 1 .. $n;
		is(($t->berth('issuer', 'remove', $gone))[2], "berth: $n trust $said removed with the issuer\n",
		    'an issuer does not lose its rules silently');
	}
	my ($rule) = @{ JSON::PP->new->decode($t->berth_ok('trust', 'list', 'tools/app', '--json')) };
	is_deeply([@$rule{qw(issuer crates operations user)}, $rule->{claims}{workflow}],
	    [$issuer{hub}, ['hello', 'hello-*'], ['publish-new', 'publish-update'], undef, 'release.yml'], 'listed');
};

# ---- an exchange, and what the token may do ----

subtest 'exchange' => sub {
	my $jwt = id_token('hub');
	my $res = exchange(app => $jwt);

	is($res->{status}, 200, 'a token') or diag($res->{body});
	my $token = $t->json($res)->{token};
	like($token, qr/^berth_job_/, 'of a job');
	like($res->{headers}{'cache-control'}, qr/no-store/, 'kept by nobody');
	is(read_config(app => $token)->{status}, 200, 'reads');
	is($t->publish($id{app}, $token, 'hello', '1.0.0')->{status}, 200, 'publishes its crate');
	is($t->publish($id{app}, $token, 'Hello_World', '1.0.0')->{status}, 200, 'and one like the pattern');
	is($t->publish($id{app}, $token, 'other', '1.0.0')->{status}, 403, 'no other');
	is($t->http(DELETE => $t->registry($id{app}) . '/api/v1/crates/hello/1.0.0/yank',
	    { token => $token })->{status}, 403, 'nor another operation');
	is(read_config(lab => $token)->{status}, 404, 'and knows no other project');
	is($t->http(GET => "/api/v4/projects/$id{app}", { token => $token })->{status} =~ /^40[34]$/, 1,
	    'nor its settings');

	is($t->http(DELETE => $t->registry($id{app}) . '/trusted_publishing/tokens', { token => $token })->{status},
	    204, 'given back');
	is(read_config(app => $token)->{status}, 401, 'and no good any more');

	$res = exchange(app => id_token('hub'), path => '/api/v1/trusted_publishing/tokens');
	is($res->{status}, 200, 'where clients of the public registry ask');
	$token = $t->json($res)->{token};
	is($t->http(DELETE => $t->registry($id{app}) . '/api/v1/trusted_publishing/tokens', { headers => {
		Authorization => "Bearer $token" } })->{status}, 204, 'and give it back');
	# the last step of a job that has outlived its token, or of one that repeats it
	my $end = sub { return $t->http(DELETE => $t->registry($id{app}) . "/$_[0]trusted_publishing/tokens",
	    { headers => ["Authorization: Bearer $_[1]"] })->{status}; };
	my $audits = sub { return $t->psql("SELECT count(*) FROM audit_events WHERE action = 'token.revoke'"); };
	for my $path ('', 'api/v1/') {
		my ($late, $again) = map { $t->json(exchange(app => id_token('hub')))->{token} } 1 .. 2;

		$t->psql("UPDATE tokens SET expires_at = now() WHERE handle = '" . Berth::Test::token_handle($late) . "'");
		is(read_config(app => $late)->{status}, 401, 'a token has expired');
		is($end->($path, $again), 204, 'another one is given back');
		my $before = $audits->();
		is($end->($path, $_), 204, 'and so is each once more') for $late, $again;
		is($audits->(), $before, 'which the audit log does not repeat');
		# one letter of the secret, and one of a user
		substr($again, 35, 1) =~ tr/A-Za-z0-9/B-ZAb-za1-90/;
		is($end->($path, $_), 401, 'but not what is no token of a job') for $again, $t->ended_token('dev');
	}
	# one that has ended counts as a bad credential of its address
	my $dead = $t->json(exchange(app => id_token('hub')))->{token};
	is($end->('', $dead), 204, 'a token is given back');
	my $revoked = sub { return Berth::Metrics->parse($t->http(GET => '/-/metrics', { plain => 1 })->{body})
	    ->value('berth_token_failures_total', reason => 'revoked') // 0; };
	my $counted = $revoked->();
	is($end->('', $dead), 204, 'and once more');
	ok($t->wait_for(sub { return $revoked->() == $counted + 1 }), 'which the metric counts');
	$t->stop_pool;
	$t->conf(failed_login_burst => 2, failed_login_per_minute => 1);
	$t->psql('DELETE FROM rate_limits');
	is(join(' ', map { $end->('', $dead) } 1 .. 3), '204 204 429', 'but not for ever');
	$t->stop_pool;
	$t->conf(failed_login_burst => 0, failed_login_per_minute => undef);
	$t->psql('DELETE FROM rate_limits');
	# a job gives back a token that is refused only for now: that token stays dead
	for my $case ([app => 'hub', [issuer => 'disable', $issuer{hub}], [issuer => 'enable', $issuer{hub}]],
		[lab => 'lab', [qw(user block dev)], [qw(user unblock dev)]]) {
		my ($project, $issuer, $off, $on) = @$case;
		my @tokens = map { $t->json(exchange($project => id_token($issuer, aud => [$t->url, 'berth'])))->{token} }
		    1 .. 2;
		my $now = sub { map { read_config($project => $_)->{status} } @tokens };

		$t->berth_ok(@$off);
		is(join(' ', $now->()), '401 401', "@$off[0, 1]: no token is good");
		is($t->http(DELETE => $t->registry($id{$project}) . '/trusted_publishing/tokens',
		    { token => $tokens[0] })->{status}, 204, '  and one is given back');
		$t->berth_ok(@$on);
		is(join(' ', $now->()), '401 200', "@$on[0, 1]: the other one is good again");
	}
	for my $token ($dev, $t->token('dev', scopes => 'read_api')) {
		my $res = $t->http(DELETE => $t->registry($id{app}) . '/trusted_publishing/tokens', { token => $token });

		is("$res->{status} " . message($res), '403 403 only job tokens can be revoked here', 'a token of a user');
	}
	my ($seconds) = $t->psql('SELECT extract(epoch FROM max(expires_at) - now())::int FROM tokens'
	    . ' WHERE source = \'exchange\'');
	cmp_ok(abs($seconds - 1800), '<', 60, 'half an hour');
};

subtest 'directly, as the token of cargo' => sub {
	my $jwt = id_token('lab', aud => ['elsewhere', 'berth']);

	is(read_config(lab => $jwt)->{status}, 200, 'reads');
	is(read_config(lab => "Bearer $jwt")->{status}, 200, 'again');
	is($t->publish($id{lab}, $jwt, 'direct', '1.0.0')->{status}, 200, 'publishes');
	is($t->http(DELETE => $t->registry($id{lab}) . '/api/v1/crates/direct/1.0.0/yank',
	    { token => $jwt })->{status}, 200, 'yanks, by the rule');
	is($t->publish($id{lab}, $jwt, 'direct', '1.0.1')->{status}, 403, 'no update, by the rule');
	is(exchange(lab => $jwt)->{status}, 400, 'what is in use is not exchanged');
	my @statuses = do {
		my $parallel = id_token('lab', aud => 'berth');
		$t->parallel(8, sub { read_config(lab => $parallel)->{status} });
	};
	is("@statuses", '200 ' x 7 . '200', 'eight requests of one session at once');
	my $elsewhere = id_token('hub');
	is($t->http(GET => "/api/v4/groups/$id{app}/packages", { token => $elsewhere })->{status}, 401,
	    'a group is no project, though it may have the id of one');
	is(exchange(app => $elsewhere)->{status}, 200, 'in which it is good');
	my $used = id_token('hub');
	is(exchange(app => $used)->{status}, 200, 'one that was exchanged');
	is(read_config(app => $used)->{status}, 401, 'is no token any more');
	is($t->psql("SELECT count(*) FROM tokens WHERE source = 'id_token'"), 2, 'one row for each');
	my $long = id_token('hub', filler => 'x' x 4800);
	cmp_ok(length($long), '>', 6500, 'a long one');
	is(read_config(app => $long)->{status}, 200, 'is let in');
};

# The requests of rust-lang/crates-io-auth-action with the registry as `url`: it asks GitHub for a token for
# that URL without its scheme, exchanges it there, and gives the new one back at the end.
subtest 'the official action for GitHub' => sub {
	my $agent = 'User-Agent: crates-io-auth-action/1.0.0';
	my %url = map { ($_ => $t->url . "/api/v4/projects/$_/packages/cargo") } $id{app}, $id{none}, 'tools%2Fapp',
	    'Tools%2fApp';
	my $rule = $t->berth_ok('trust', 'add', 'tools/none', '--issuer', $issuer{hub}, 'repository=octo/app');
	my $audience = sub { return $_[0] =~ s{^https?://}{}r };
	my $main = sub {
		my ($url, $jwt) = @_;

		return $t->http(POST => "$url/api/v1/trusted_publishing/tokens",
		    { headers => ['Content-Type: application/json', $agent],
			body => JSON::PP->new->encode({ jwt => $jwt }) });
	};
	my $post = sub {
		my ($url, $token) = @_;

		return $t->http(DELETE => "$url/api/v1/trusted_publishing/tokens",
		    { headers => ["Authorization: Bearer $token", $agent] });
	};

	for my $place (sort keys %url) {
		my $res = $main->($url{$place}, id_token('hub', aud => $audience->($url{$place})));

		is($res->{status}, 200, "$place: a token") or diag($res->{body});
		my $token = $t->json($res)->{token} // '';
		is($t->http(GET => "$url{$place}/config.json", { token => $token })->{status}, 200,
		    "$place: which is good there");
		is($post->($url{$place}, $token)->{status}, 204, "$place: until it is given back");
		is($t->http(GET => "$url{$place}/config.json", { token => $token })->{status}, 401,
		    "$place: and no longer");
	}
	my $token = $t->json($main->($url{ $id{app} },
	    id_token('hub', aud => $audience->($url{ $id{app} }))))->{token};
	is($t->publish($id{app}, $token, 'hello', '2.0.0')->{status}, 200, 'cargo publishes with it');
	my $res = $main->($url{ $id{none} }, id_token('hub', aud => $audience->($url{ $id{app} })));
	is($res->{status}, 400, 'one for another project is not for this one');
	my ($this, $that) = map { "/projects/$id{$_}/packages/cargo`" } qw(none app);
	like($t->json($res)->{errors}[0]{detail}, qr{is for the audience `\S+$that; it must be for .*$this},
	    'in the words that the action prints');
	is($main->($url{ $id{app} }, id_token('hub',
	    aud => "elsewhere.example/api/v4/projects/$id{app}/packages/cargo"))->{status}, 400,
	    'nor is one for another host');
	is(read_config(app => id_token('hub', aud => $audience->($url{ $id{app} })))->{status}, 200,
	    'cargo may have it as it is');
	is(read_config(none => id_token('hub', aud => $audience->($url{ $id{app} })))->{status}, 401,
	    'for that project');
	$t->berth_ok('trust', 'remove', 'tools/none', $rule);
};

subtest 'the audit log' => sub {
	my @rows = map { JSON::PP->new->decode($_) }
	    split(/\n/, $t->berth_ok('audit', '--json', '--action', 'crate.publish'));
	my ($hello) = grep { $_->{crate} eq 'hello' } @rows;
	my ($direct) = grep { $_->{crate} eq 'direct' } @rows;

	is_deeply([@$hello{qw(token_kind user pipeline ref commit)}],
	    ['job', undef, 4711, 'refs/heads/main', 'ab' x 20], 'who published');
	is($hello->{job_url}, "$issuer{hub}/octo/app/actions/runs/4711", 'from which run');
	is_deeply([@$direct{qw(token_kind user pipeline job)}], ['job', 'dev', 17, 423],
	    'a job that acts for a user');
	is($direct->{job_url}, "$issuer{lab}/octo/app/-/jobs/423", 'from which job');
	is($hello->{job_issuer}, $issuer{hub}, 'of whom');
	my ($made) = map { JSON::PP->new->decode($_) }
	    split(/\n/, $t->berth_ok('audit', '--json', '--action', 'token.create',
	    '--project', 'tools/app'));
	is_deeply([@{ $made->{detail} }{qw(kind source repository rule_id)}],
	    ['job', 'exchange', 'octo/app', 0 + $rule{app}], 'the token was recorded');
};

# A caller with text that only looks like a job's token learns neither names nor their projects.
subtest 'the registry of a group' => sub {
	my $registry = '/api/v4/groups/' . $t->group('tools') . '/-/packages/cargo';
	my $ask = sub {
		my ($path, $jwt) = @_;
		forget_key_reads();
		return $t->http(GET => "$registry/$path", { token => $jwt });
	};
	my $of_app = $t->url =~ s{^https?://}{}r . $t->registry($id{app});
	my %bad = ('an issuer that is not trusted' => id_token('hub', iss => 'https://elsewhere.example'),
		'another audience' => id_token('hub', aud => 'https://elsewhere.example'),
		'the audience of one project' => $key{lab}->sign(claims('hub', aud => $of_app)),
		'another key' => $key{lab}->sign(claims('hub')),
		'another repository' => id_token('hub', repository => 'octo/other'));

	for my $name (sort keys %bad) {
		my @res = map { $ask->($_, $bad{$name}) } 'he/ll/hello', 'no/th/nothing';
		is("$res[0]{status} $res[0]{body}", "$res[1]{status} $res[1]{body}", "$name: the same for all names");
		is($res[0]{status}, 401, '  refused');
	}
	is($ask->('he/ll/hello', id_token('hub'))->{status}, 200, 'a job reads what its rule lets it read');
	is($ask->('di/re/direct', id_token('hub'))->{status}, 404, 'and nothing of another project');
	# cargo's first request names no crate, and a publish names its crate in the body
	is($ask->('config.json', id_token('hub'))->{status}, 200, 'a job that Berth does not know yet');
	my $publish = sub {
		my ($name, $version, $jwt) = @_;
		my $body = $t->publish_body(Berth::Crate::metadata($name, $version), Berth::Crate::make($name, $version));

		forget_key_reads();
		return $t->http(PUT => "$registry/api/v1/crates/new", { token => $jwt, body => $body });
	};
	is($publish->('hello', '7.0.0', id_token('hub'))->{status}, 200, 'publishes to the group');
	is($publish->('hello', '7.0.1', id_token('hub', repository => 'octo/other'))->{status}, 401,
	    'but not one of another repository');
	is($publish->('hello-new', '7.0.0', id_token('hub'))->{status}, 409, 'a new name needs the default project');
	$t->berth_ok('group', 'set', 'tools', 'default_project=tools/app');
	is($publish->('hello-new', '7.0.0', id_token('hub'))->{status}, 200, 'which the rule is of');
	is($publish->('direct', '7.0.0', id_token('hub'))->{status}, 403, 'nothing that another project has');
	is($publish->('hello', '7.0.1', id_token('lab', aud => 'berth'))->{status}, 403,
	    'nor by a rule of another project');
	$t->berth_ok('flag', 'set', 'trusted_publishing', 'off', '--project', 'tools/app');
	is($ask->('config.json', id_token('hub'))->{status}, 401, 'not where it is switched off');
	unlike($ask->('config.json', id_token('hub', ref => 'refs/tags/1'))->{body}, qr/asks for/,
	    'nor is a rule told that is not in force');
	$t->berth_ok('flag', 'unset', 'trusted_publishing', '--project', 'tools/app');
	like($ask->('config.json', id_token('hub', ref => 'refs/tags/1'))->{body}, qr/rule asks for/,
	    'one that is, is told to the repository that it names');
};

# Two projects of a group trust one repository.  The first rule lets the job into the group; for a crate the
# rule of its project counts.
subtest 'rules of several projects of a group' => sub {
	my $registry = '/api/v4/groups/' . $t->group('shared') . '/-/packages/cargo';
	my %shared = map { $_ => $t->project("shared/$_") } qw(left right bare);
	my %of;
	my $trust = sub {
		my ($project, @args) = @_;

		return $of{$project} = 0 + $t->berth_ok('trust', 'add', "shared/$project", '--issuer', $issuer{hub},
		    'repository=octo/app', @args);
	};
	my $ask = sub {
		my ($method, $path, $jwt, @body) = @_;

		forget_key_reads();
		return $t->http($method => "$registry/$path", { token => $jwt, @body });
	};
	my $publish = sub {
		my ($name, $version, $jwt) = @_;

		return $ask->(PUT => 'api/v1/crates/new', $jwt, body => $t->publish_body(
		    Berth::Crate::metadata($name, $version), Berth::Crate::make($name, $version)));
	};
	my $rule_of = sub {
		my ($name, $version) = @_;

		return $t->psql("SELECT t.trust_rule_id FROM audit_events e JOIN tokens t ON t.id = e.token_id WHERE"
		    . " e.action = 'crate.publish' AND e.crate = '$name' AND e.version = '$version'");
	};

	$t->berth_ok('member', 'set', 'dev', 'shared', 'developer');
	is($t->publish($shared{$_}, $dev, "of-$_", '1.0.0')->{status}, 200, "$_ has a crate") for sort keys %shared;
	# the rule of `left` is the first, and lets its jobs do nothing else
	$trust->(left => '--crates', 'of-left', '--operations', 'publish-update');
	$trust->(right => '--user', 'dev', '--operations', 'publish-new,publish-update,yank');
	$t->berth_ok('group', 'set', 'shared', 'default_project=shared/right');

	my $jwt = id_token('hub');
	is($ask->(GET => 'config.json', $jwt)->{status}, 200, 'the job comes in');
	is($publish->('of-left', '1.1.0', $jwt)->{status}, 200, 'it publishes to one project');
	is($publish->('of-right', '1.1.0', $jwt)->{status}, 200, 'and to the other');
	is($publish->('anew', '1.0.0', $jwt)->{status}, 200, 'and a new crate to the default project');
	is($publish->('of-right', '1.2.0', $jwt)->{status}, 200, 'and again');
	is($rule_of->('of-left', '1.1.0'), $of{left}, 'each by the rule of that project');
	is($rule_of->(@$_), $of{right}, "  @$_") for ['of-right', '1.1.0'], ['anew', '1.0.0'], ['of-right', '1.2.0'];
	my $yank = sub { $ask->(DELETE => "api/v1/crates/$_[0]/1.1.0/yank", $jwt)->{status} };
	is($yank->('of-right'), 200, 'a yank by that of its crate');
	is($yank->('of-left'), 403, 'which one of the two forbids');
	is($ask->(GET => "of/-$_->[0]/of-$_->[1]", $jwt)->{status}, $_->[2], "reads of-$_->[1]")
	    for ['l', 'left', 200], ['r', 'right', 200], ['b', 'bare', 404], ['n', 'none', 404];
	is($publish->('of-bare', '1.1.0', $jwt)->{status}, 403, 'a project without a rule takes nothing');
	is($publish->('of-left', '1.2.0', id_token('hub'))->{status}, 200, 'also as the first request of a job');
	is($rule_of->('of-left', '1.2.0'), $of{left}, '  by the same rule');
	my $tokens = sub { $t->psql("SELECT count(*) FROM tokens WHERE trust_rule_id IN ($of{left}, $of{right})") };
	is($tokens->(), 4, 'a job has a token for each project that lets it in');

	# a search shows what the rule of each project lets the job read
	$t->update_search;
	# or it would remove limits that are full again
	$t->stop_worker;
	my $finds = sub {
		my ($who, $q) = @_;
		my $found = $t->json($ask->(GET => 'api/v1/crates?q=' . ($q // ''), $who));

		is($found->{meta}{total}, @{ $found->{crates} }, 'as many as it says');
		return join(' ', sort map { $_->{name} } @{ $found->{crates} });
	};
	is($finds->($jwt), 'anew of-left of-right', 'a job that has been in both projects searches in both');
	is($finds->($jwt, 'left'), 'of-left', 'by name, too');
	$jwt = id_token('hub');
	is($finds->($jwt), 'anew of-left of-right', 'as does one that has been in none');
	is($tokens->(), 5, 'which gets into one of them alone');
	$t->berth_ok('flag', 'set', 'trusted_publishing', 'off', '--project', "shared/$_") for qw(left right);
	is($finds->($jwt), 'anew of-right', 'where no job may come in any more it finds what it found before');
	$t->berth_ok('flag', 'unset', 'trusted_publishing', '--project', "shared/$_") for qw(left right);
	$t->user('outsider');
	$trust->(bare => '--user', 'outsider');
	is($finds->($jwt), 'anew of-left of-right', 'a rule for a user who may read nothing there shows nothing');
	is($ask->(GET => 'of/-b/of-bare', $jwt)->{status}, 404, 'as that user reads nothing');
	$t->berth_ok('trust', 'remove', 'shared/bare', $of{bare});

	# a token that was revoked does not come back, even if nothing else is known of it
	$jwt = id_token('hub');
	my $reads = sub {
		return join(' ', map { $ask->(GET => "of/-$_", $jwt)->{status} } 'r/of-right', 'l/of-left');
	};
	is($reads->(), '200 200', 'another job reads in both projects');
	my ($second) = $t->psql("SELECT id FROM tokens WHERE trust_rule_id IN ($of{left}, $of{right})"
	    . ' ORDER BY id DESC LIMIT 1');
	$t->psql("UPDATE tokens SET revoked_at = now() WHERE id = $second");
	my $charged = sub {
		return $t->psql("SELECT l FROM rate_limits l WHERE actor = 'rule:$of{left}' ORDER BY action");
	};
	my %before = map { $_ => 1 } $charged->() or die "a log-in uses up no limit\n";
	is($reads->(), '200 404', 'its second token is revoked: as without a rule there') for 1 .. 2;
	is($publish->('of-left', '1.2.1', $jwt)->{status}, 403, 'nor does it publish there');
	# any request may remove a limit that is full again by now
	is(join(' ', grep { !$before{$_} } $charged->()), '', 'which uses up no limit of the rule');
	is($finds->($jwt), 'anew of-right', 'and it finds nothing there');
	$t->conf(keep_ended_tokens => 0);
	$t->run_tasks('sweep_tokens');
	is($reads->(), '200 404', 'also when ended tokens have gone');

	# what one project's maintainer takes back is lost there alone
	$t->berth_ok('trust', 'remove', 'shared/left', $of{left});
	$jwt = id_token('hub');
	is($publish->('of-left', '1.3.0', $jwt)->{status}, 403, 'a rule that is gone lets nobody in');
	is($finds->($jwt), 'anew of-right', 'nor find anything');
	is($publish->('of-right', '1.3.0', $jwt)->{status}, 200, 'and the other stays');
	is($ask->(GET => 'config.json', id_token('hub', repository => 'octo/other'))->{status}, 401,
	    'a job of another repository stays out');
};

# ---- what is refused ----

# Refills the budget for immediate reads of keys.
sub forget_key_reads { $t->psql("DELETE FROM rate_limits WHERE action = 'key_read'"); return; }

sub refused {
	my ($name, $status, $why, $jwt, %opt) = @_;
	my $project = $opt{project} // 'app';
	forget_key_reads();
	my $res = exchange($project => $jwt);

	is($res->{status}, $status, "$name: $status");
	like(message($res), $why, "$name: says why");
	forget_key_reads();
	$res = read_config($project => $jwt);
	is($res->{status}, 401, "$name: no credential either");
	return;
}

subtest 'tokens that are not good' => sub {
	my $now = time;
	my $good = claims('hub');
	my $part = sub { return encode_base64url(JSON::PP->new->canonical->encode($_[0])) };

	my $ours = qr{`\Q@{[$t->url]}\E` or `localhost:\d+/api/v4/projects/$id{app}/packages/cargo`};
	refused('another audience', 400, qr{is for the audience `https://elsewhere.example`; it must be for $ours},
	    id_token('hub', aud => 'https://elsewhere.example'));
	refused('no audience', 400, qr/has no audience \(`aud`\); it must be for `/, id_token('hub', aud => undef));
	refused('audiences without ours', 400, qr/is for the audience `\[ *"a", *"b", *7 *\]`; it must be for `/,
	    id_token('hub', aud => ['a', 'b', 7]));
	my $clock = qr/20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ/;
	my $before = qr/\d+ seconds before this server's clock, $clock \(60 are allowed\)/;
	refused('expired', 400, qr/has expired: its `exp` is $clock, which is $before/,
	    id_token('hub', exp => $now - 61, iat => $now - 600, nbf => undef));
	# (the leeway is a minute, and a slow machine may need some time as well)
	my $after = qr/\d+ seconds after this server's clock, $clock/;
	refused('not valid yet', 400, qr/not valid yet: its `nbf` is $clock, which is $after/,
	    id_token('hub', nbf => time + 120));
	refused('issued later', 400, qr/not valid yet: its `iat` is $clock, which is $after/,
	    id_token('hub', iat => time + 120));
	refused('no end', 400, qr/missing field `exp`/, id_token('hub', exp => undef));
	refused('no beginning', 400, qr/missing field `iat`/, id_token('hub', iat => undef));
	refused('an end that is not a number', 400, qr/must be a number/, id_token('hub', exp => 'soon'));
	refused('valid for years', 400, qr/is valid for 345\d\d\d\d seconds.*; 1 to 2592000 are allowed/,
	    id_token('hub', exp => $now + 40 * 86400));
	refused('an endless jti', 400, qr/`jti` must have 1 to 255 bytes/, id_token('hub', jti => 'x' x 256));
	refused('another issuer', 400, qr{issuer, `https://ci.example.org`, is not trusted here; an admin},
	    id_token('hub', iss => 'https://ci.example.org'));
	my $trusted = 'but the trusted issuer is';
	refused('the issuer with a slash', 400,
	    qr{issuer is `\Q$issuer{hub}\E/`, $trusted `\Q$issuer{hub}\E`, without the slash at the end},
	    id_token('hub', iss => "$issuer{hub}/"));
	{
		$t->berth_ok('issuer', 'add', 'https://slash.example.org/', '--kind', 'github');
		refused('the issuer without its slash', 400,
		    qr{issuer is `https://slash.example.org`, $trusted `https://slash.example.org/`, with the slash},
		    id_token('hub', iss => 'https://slash.example.org'));
		$t->berth_ok('issuer', 'remove', 'https://slash.example.org/');
	}
	for my $claim (qw(iss aud)) {
		my $res = exchange(app => id_token('hub', $claim => 'https://long.example/' . 'x' x 5000));
		is($res->{status}, 400, "an endless $claim");
		cmp_ok(length $res->{body}, '<', 600, 'is told in bounded length');
	}
	refused('alg none', 400, qr/must be signed with RS256 or ES256/,
	    join('.', $part->({ alg => 'none', kid => 'hub-1' }), $part->($good), 'AA'));
	require Digest::SHA;
	my $text = join('.', $part->({ alg => 'HS256', kid => 'hub-1' }), $part->($good));
	refused('HS256 with the public key', 400, qr/must be signed with RS256 or ES256/,
	    "$text." . encode_base64url(Digest::SHA::hmac_sha256($text, $key{hub}->public)));
	refused('signed by a stranger', 400, qr/signature is not valid/,
	    $key{stranger}->sign($good, header => { kid => 'hub-1' }));
	refused('changed', 400, qr/signature is not valid/, do {
		my ($h, $p, $s) = split(/\./, $key{hub}->sign($good));
		join('.', $h, $part->({ %$good, repository => 'evil/app' }), $s);
	});
	refused('the key of the other issuer', 400,
	    qr/key `lab-1`, which its issuer `\Q$issuer{hub}\E` does not have/, $key{lab}->sign(claims('hub')));
	refused('no token at all', 400, qr/not an identity token \(a JWT\), which has three parts/, 'garbage');
	is(message(exchange(app => '')), '400 jwt is missing or empty; it must be the identity token of the job',
	    'a variable that is not set');
	is(exchange(app => id_token('hub', exp => time - 30, iat => time - 600, nbf => undef))->{status}, 200,
	    'within the leeway');
	is(exchange(app => id_token('hub', iat => time + 45, nbf => time + 45))->{status}, 200,
	    'on the other side too');
};

subtest 'jobs that no rule lets in' => sub {
	# the same words, whether there is a rule, a project, or neither
	my $hidden = sub {
		my ($repository, $owner, $issuer) = @_;
		my $text = '403 no trust rule of this project lets this job in: none is for a token of'
		    . " `$issuer{ $issuer // 'hub' }` with the $repository and $owner";

		return qr/\A\Q$text\E\z/;
	};
	my $octo = '`repository` `octo/app`';
	my $of = sub { return "the `repository_owner_id` `$_[0]`" };

	refused('another repository', 403, $hidden->('`repository` `octo/other`', $of->(77)),
	    id_token('hub', repository => 'octo/other'));
	refused('another project', 403, $hidden->($octo, $of->(77)), id_token('hub'), project => 'none');
	$id{missing} = 987654;
	refused('a project that is not there', 403, $hidden->($octo, $of->(77)), id_token('hub'),
	    project => 'missing');
	refused('another owner of that name', 403, $hidden->($octo, $of->(78)),
	    id_token('hub', repository_owner_id => '78'));
	ok($t->wait_for(sub { $t->log('pool') =~ m{status=403 .*detail="no trust rule .*_owner_id` `78`"} }),
	    'the log says whose job it is');
	is(read_config(app => id_token('hub', repository_owner_id => '79'))->{status}, 401, 'as a credential');
	ok($t->wait_for(sub { $t->log('pool') =~ m{status=401 .*detail="no trust rule .*_owner_id` `79`"} }),
	    'too');
	refused('no owner', 403, $hidden->($octo, 'no `repository_owner_id`'),
	    id_token('hub', repository_owner_id => undef));
	refused('the same name at the other issuer', 403,
	    $hidden->('`project_path` `octo/app`', 'the `namespace_id` `77`', 'lab'),
	    id_token('lab', aud => 'berth'));
	refused('and the other way round', 403, $hidden->($octo, $of->(77)), id_token('hub'), project => 'lab');
	refused('another workflow', 403, qr/`workflow` is `evil.yml`, but the rule asks for `release.yml`/,
	    id_token('hub', workflow_ref => 'octo/app/.github/workflows/evil.yml@refs/heads/main'));
	refused('a workflow that looks like it', 403, qr/no claim `workflow`/,
	    id_token('hub', workflow_ref => 'octo/app/.github/workflows/release.yml@evil.yml@refs/heads/main'));
	refused('a tag', 403, qr{`ref` is `refs/tags/v1`, but the rule asks for `refs/heads/\*`},
	    id_token('hub', ref => 'refs/tags/v1'));
	refused('no ref', 403, qr/no claim `ref`/, id_token('hub', ref => undef));
	refused($_, 403, qr/a job of the event `$_` needs a rule with `event_name=$_`; other rules trust/,
	    id_token('hub', event_name => $_))
	    for qw(pull_request_target workflow_run pull_request issue_comment workflow_call repository_dispatch
	    merge_group tomorrows_event);
	is(exchange(app => id_token('hub', event_name => $_))->{status}, 200, $_)
	    for qw(schedule release workflow_dispatch);
	refused($_, 403, qr/a job of the event `$_` needs a rule with `pipeline_source=$_`; other rules trust/,
	    id_token('lab', aud => 'berth', pipeline_source => $_), project => 'lab')
	    for qw(merge_request_event external_pull_request_event parent_pipeline pipeline trigger chat external);
	is(exchange(lab => id_token('lab', aud => 'berth', pipeline_source => $_))->{status}, 200, $_)
	    for qw(schedule web api);
	is(exchange(app => id_token('hub', repository => 'Octo/App'))->{status}, 200,
	    'the case of a repository is none');
	my $named = $t->berth_ok('trust', 'add', 'tools/none', '--issuer', $issuer{hub}, 'repository=octo/app',
	    'event_name=workflow_run');
	is(exchange(none => id_token('hub', event_name => 'workflow_run'))->{status}, 200,
	    'an event that a rule names');
	refused('and that event alone', 403, qr/`event_name` is `push`/, id_token('hub'), project => 'none');
	$t->berth_ok('trust', 'remove', 'tools/none', $named);
};

subtest 'each comes in once' => sub {
	my $jwt = id_token('hub');
	my @statuses = map { $_->{status} }
	    $t->parallel(50, sub { return { status => exchange(app => $jwt)->{status} } });

	is(scalar(grep { $_ == 200 } @statuses), 1, 'of fifty at once one');
	is(scalar(grep { $_ == 400 } @statuses), 49, 'the others not');
	my $res = exchange(app => $jwt);
	is($res->{status}, 400, 'nor later');
	like(message($res), qr/has been used already/, 'says why');
	# at its very end it is still known
	my $late = id_token('hub', exp => time - 40, iat => time - 600, nbf => undef);
	is(exchange(app => $late)->{status}, 200, 'a late one');
	is(exchange(app => $late)->{status}, 400, 'not twice');
	is($t->psql("SELECT count(*) FROM used_id_tokens WHERE until_at < now() + interval '59 minutes'"), 0,
	    'each is remembered for longer than it could be good');
	# what is refused by a rule is not used up
	my $again = id_token('hub', ref => 'refs/tags/v2');
	is(exchange(app => $again)->{status}, 403, 'one that no rule fits');
	my $tags = $t->berth_ok('trust', 'add', 'tools/app', '--issuer', $issuer{hub}, 'repository=octo/app',
	    'ref=refs/tags/*');
	is(exchange(app => $again)->{status}, 200, 'fits when there is one');
	$t->berth_ok('trust', 'remove', 'tools/app', $tags);
	# without a jti, what is signed tells one from another
	my $bare = claims('hub', jti => undef);
	is(exchange(app => $key{hub}->sign($bare))->{status}, 200, 'one without a jti');
	is(exchange(app => $key{hub}->sign($bare))->{status}, 400, 'not twice, signed anew or not');
	$t->psql("UPDATE used_id_tokens SET until_at = now() - interval '1 minute'");
	my $before = $t->psql('SELECT count(*) FROM used_id_tokens');
	is(exchange(app => id_token('hub'))->{status}, 200, 'one more');
	is($t->psql('SELECT count(*) FROM used_id_tokens'), $before - 8 + 1, 'sweeps some that are past their time');
};

subtest 'from the next request on' => sub {
	my $user = $t->json(exchange(lab => id_token('lab', aud => 'berth')))->{token};
	my $rule = $t->berth_ok('trust', 'add', 'tools/none', '--issuer', $issuer{hub}, 'repository=octo/app');
	my $token = $t->json(exchange(none => id_token('hub')))->{token};

	is(read_config(none => $token)->{status}, 200, 'by a rule');
	$t->berth_ok('trust', 'remove', 'tools/none', $rule);
	is(read_config(none => $token)->{status}, 401, 'not without it');
	is(read_config(lab => $user)->{status}, 200, 'by an issuer');
	$t->berth_ok('issuer', 'disable', $issuer{lab});
	is(read_config(lab => $user)->{status}, 401, 'not while it is disabled');
	is(exchange(lab => id_token('lab', aud => 'berth'))->{status}, 400, 'nor by a new token');
	$t->berth_ok('issuer', 'enable', $issuer{lab});
	is(read_config(lab => $user)->{status}, 200, 'again when it is not');
	$t->berth_ok(qw(user block dev));
	is(read_config(lab => $user)->{status}, 401, 'not while its user is blocked');
	$t->berth_ok(qw(user unblock dev));
	$t->member('dev', 'tools', 'none');
	is(read_config(lab => $user)->{status}, 404, 'nor without that user\'s role');
	$t->member('dev', 'tools', 'developer');
	$t->psql("UPDATE tokens SET expires_at = now() WHERE source = 'exchange'");
	is(read_config(lab => $user)->{status}, 401, 'nor when its time is over');
	$rule = $t->berth_ok('trust', 'add', 'tools/none', '--issuer', $issuer{hub}, 'repository=octo/app');
	$t->berth_ok('protect', 'add', 'tools/none', 'secret-*', '--push', 'maintainer');
	$token = $t->json(exchange(none => id_token('hub')))->{token};
	is($t->publish($id{none}, $token, 'secret-x', '1.0.0')->{status}, 403, 'a protected name is not for it');
	is($t->publish($id{none}, $token, 'open-x', '1.0.0')->{status}, 200, 'others are');
};

# ---- keys ----

# As if a minute had passed.
sub minute_later {
	$t->psql("UPDATE trusted_issuers SET jwks_claimed_at = now() - interval '61 seconds'");
	forget_key_reads();
}

subtest 'keys are read when they are needed' => sub {
	minute_later();
	my $asked = $there{hub}->count('/keys');
	my @tokens = map { join('.', encode_base64url("{\"alg\":\"RS256\",\"kid\":\"k$_\"}"),
		encode_base64url(JSON::PP->new->encode(claims('hub'))), 'AAAA') } 1 .. 1000;
	my @counts = $t->parallel(8, sub {
		my ($i) = @_;
		my $path = $t->dir . "/storm.$i";

		# one curl for many requests: the storm is to hit the registry, not this machine
		open(my $list, '>', $path) or die "$path: $!\n";
		for my $k (grep { $_ % 8 == $i } 0 .. $#tokens) {
			print {$list} "next\n" if -s $list || tell($list);
			print {$list} 'url = "', $t->url, $t->registry($id{app}), "/trusted_publishing/tokens\"\n",
			    "header = \"Content-Type: application/json\"\nhttp1.1\n",
			    "data = \"{\\\"jwt\\\":\\\"$tokens[$k]\\\"}\"\ncacert = \"", $t->cacert, "\"\nnoproxy = \"*\"\n",
			    "silent\noutput = \"/dev/null\"\nwrite-out = \"%{http_code}\\n\"\n";
		}
		close($list);
		my (undef, $out) = Berth::Cluster::capture('curl', '-K', $path);
		return scalar(grep { $_ eq '400' || $_ eq '503' } split(/\n/, $out));
	});
	my $sum = 0;
	$sum += $_ for @counts;
	is($sum, 1000, 'a thousand keys that are not there');
	cmp_ok($there{hub}->count('/keys') - $asked, '<=', 2, 'are looked for once a minute, and once at once');
	is(exchange(app => id_token('hub'))->{status}, 200, 'a key that is known is good meanwhile');

	minute_later();
	is(exchange(app => id_token('hub'))->{status}, 200, 'the keys are known');
	$t->psql("UPDATE trusted_issuers SET jwks_claimed_at = now(), jwks_fetched_at = now()"
	    . " WHERE kind = 'github'");
	publish_keys(hub => $key{next});
	$asked = $there{hub}->count('/keys');
	is(exchange(app => $key{next}->sign(claims('hub')))->{status}, 200,
	    'a new key is known at once, within the minute');
	is(read_config(app => $key{next}->sign(claims('hub')))->{status}, 200, 'and as a credential');
	is($there{hub}->count('/keys') - $asked, 1, 'after one look');
	for my $how (['exchanged', \&exchange], ['as a credential', \&read_config]) {
		my $res = $how->[1]->(app => id_token('hub'));
		is($res->{status}, 503, "another key that is not known, $how->[0], has to wait");
		like($res->{headers}{'retry-after'}, qr/^(?:[1-9]|[1-5]\d|60)$/, 'for so long');
		my $wait = $res->{headers}{'retry-after'};
		like($res->{body},
		    qr/keys of the token's issuer were read less than a minute ago.* try again in $wait second/,
		    'and is told so');
	}
	is($there{hub}->count('/keys') - $asked, 1, 'nobody looks for it');

	# of many addresses, so many a minute in all
	forget_key_reads();
	$asked = $there{hub}->count('/keys');
	my @got = map {
		my $body = JSON::PP->new->encode({ jwt => $tokens[$_] });

		fetch($t->socket_path, $t->registry($id{app}) . '/trusted_publishing/tokens', REQUEST_METHOD => 'POST',
		    REMOTE_ADDR => "192.0.2.$_", CONTENT_TYPE => 'application/json', body => $body)->{status};
	} 1 .. 30;
	my $read = $there{hub}->count('/keys') - $asked;
	cmp_ok($read, '>=', 5, 'thirty strangers make us look a few times');
	cmp_ok($read, '<=', 12, 'and no more');
	is(scalar(grep { $_ == 400 } @got), $read, 'those are told that there is no such key');
	is(scalar(grep { $_ == 503 } @got), 30 - $read, 'the others to come again');
	minute_later();
	is(exchange(app => id_token('hub'))->{status}, 400, 'later the old key is none any more');
};

subtest 'an issuer that is away' => sub {
	minute_later();
	$there{hub}->stop;
	is(exchange(app => $key{next}->sign(claims('hub')))->{status}, 200, 'keys that are known stay in use');
	$t->psql("UPDATE trusted_issuers SET jwks_fetched_at = now() - interval '2 hours'");
	is(exchange(app => $key{next}->sign(claims('hub')))->{status}, 200, 'also old ones');
	for my $case (['23 hours', 200], ['25 hours', 503], ['400 days', 503]) {
		my ($age, $status) = @$case;

		$t->psql("UPDATE trusted_issuers SET jwks_fetched_at = now() - interval '$age'");
		forget_key_reads();
		my $res = exchange(app => $key{next}->sign(claims('hub')));
		is($res->{status}, $status, "keys that were read $age ago");
		ok($status == 200 || $res->{headers}{'retry-after'}, 'when to come again');
		is(read_config(app => $key{next}->sign(claims('hub')))->{status}, $status, 'the same as a credential');
	}
	$t->conf(issuer_keys_max_age => '2h');
	$t->stop_pool;
	for my $case ([1, 200], [3, 503]) {
		$t->psql("UPDATE trusted_issuers SET jwks_fetched_at = now() - interval '$case->[0] hours'");
		is(exchange(app => $key{next}->sign(claims('hub')))->{status}, $case->[1],
		    "$case->[0] hours, where two are configured");
	}
	$t->conf(issuer_keys_max_age => undef);
	$t->stop_pool;
	$t->psql("UPDATE trusted_issuers SET jwks_fetched_at = now() - interval '2 hours'");
	ok($t->wait_for(sub { $t->log('pool') =~ /issuer \Q$issuer{hub}\E: its keys cannot be read: GET / }),
	    'which is logged');
	minute_later();
	$t->psql('UPDATE trusted_issuers SET jwks = NULL, jwks_fetched_at = NULL WHERE kind = \'github\'');
	my $res = exchange(app => $key{next}->sign(claims('hub')));
	is($res->{status}, 503, 'without any it is not known who comes');
	like(message($res), qr/the keys of this token's issuer cannot be read now; the log .* has the cause; try/,
	    'says so');
	ok($res->{headers}{'retry-after'}, 'and when to come again');
	is(read_config(app => $dev)->{status}, 200, 'our own tokens do not care');
	$res = exchange(app => $key{next}->sign(claims('hub')));
	is($res->{status}, 503, 'once more it is asked');
	$res = exchange(app => $key{next}->sign(claims('hub')));
	is($res->{status}, 503, 'nobody asks again at once');
	like(message($res), qr/keys of this token's issuer cannot be read now; .*; please try again in \d+ second/,
	    'which gives the same cause');
	$there{hub}->start;
	minute_later();
	my @statuses = do {
		my @tokens = map { $key{next}->sign(claims('hub')) } 1 .. 8;
		my $asked = $there{hub}->count('/keys');
		my @got = $t->parallel(8, sub { exchange(app => $tokens[$_[0]])->{status} });
		is($there{hub}->count('/keys') - $asked, 1, 'eight at once read the keys once');
		@got;
	};
	is("@statuses", '200 ' x 7 . '200', 'and all come in');
};

# Who comes with a key that is not known waits for it a while, and not anew each.
subtest 'an issuer that is slow' => sub {
	my $unknown = sub { return join('.', encode_base64url('{"alg":"RS256","kid":"slow"}'),
		encode_base64url(JSON::PP->new->encode(claims('hub'))), 'AAAA') };
	my $asked = $there{hub}->count('/keys');

	# straight to the pool: two seconds after it was asked for the keys it waits no more, after four it has them
	my $comes = sub {
		my $body = JSON::PP->new->encode({ jwt => $unknown->() });

		return fetch($t->socket_path, $t->registry($id{app}) . '/trusted_publishing/tokens',
		    REQUEST_METHOD => 'POST',
		    REMOTE_ADDR => '127.0.0.1', CONTENT_TYPE => 'application/json', body => $body)->{status};
	};
	minute_later();
	$there{hub}->answer('/keys', { keys => [$key{next}->jwk] }, delay => 4);
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		POSIX::_exit($comes->() == 400 ? 0 : 1);
	}
	$t->wait_for(sub { $there{hub}->count('/keys') > $asked }) or fail('the keys are read');
	is($comes->(), 503, 'is waited for');
	my $start = time;
	is($comes->(), 503, 'but not by whoever comes later');
	cmp_ok(time - $start, '<', 1.5, 'who is told at once');
	is(exchange(app => $key{next}->sign(claims('hub')))->{status}, 200, 'a key that is known is good meanwhile');
	waitpid($pid, 0);
	is($?, 0, 'then it is known which keys there are');
	publish_keys(hub => $key{next});
};

subtest 'what issuers answer' => sub {
	my $good = { issuer => $issuer{hub}, jwks_uri => $there{hub}->url . '/keys' };
	my $well_known = '/.well-known/openid-configuration';
	my $keys = { keys => [$key{hub}->jwk] };
	my %bad = (
		'a redirect' => sub { $there{hub}->answer('/keys', '', status => 302,
		    headers => ['Location: ' . $there{hub}->url . '/more']) },
		'an error' => sub { $there{hub}->answer('/keys', 'oops', status => 500) },
		'no JSON' => sub { $there{hub}->answer('/keys', '<html>') },
		'too much' => sub { $there{hub}->answer('/keys', { keys => [], filler => 'x' x (256 * 1024) }) },
		'no keys' => sub { $there{hub}->answer('/keys', { keys => [] }) },
		'another issuer' => sub { $there{hub}->answer($well_known,
		    { %$good, issuer => 'https://ci.example.org' }) },
		'keys elsewhere' => sub { $there{hub}->answer($well_known,
		    { %$good, jwks_uri => $there{lab}->url . '/keys' }) },
		'keys without TLS' => sub { $there{hub}->answer($well_known,
		    { %$good, jwks_uri => 'http://localhost/keys' }) },
		'keys in a file' => sub { $there{hub}->answer($well_known, { %$good, jwks_uri => 'file:///etc/passwd' }) },
		'a list' => sub { $there{hub}->answer($well_known, []) },
	);

	$there{hub}->answer('/more', $keys);
	for my $name (sort keys %bad) {
		$there{hub}->answer($well_known, $good);
		$there{hub}->answer('/keys', $keys);
		$bad{$name}->();
		minute_later();
		$t->psql('UPDATE trusted_issuers SET jwks = NULL, jwks_fetched_at = NULL WHERE kind = \'github\'');
		is(exchange(app => id_token('hub'))->{status}, 503, $name);
	}
	is($there{hub}->count('/more'), 0, 'no redirect was followed');
	publish_keys(hub => $key{hub});
	$there{hub}->answer('/keys', $keys, delay => 7);
	minute_later();
	my $began = time;
	is(exchange(app => id_token('hub'))->{status}, 503, 'too slow');
	my $took = time - $began;
	ok($took > 4 && $took < 15, "within some seconds: $took");
	$there{hub}->answer('/keys', $keys);
	$t->conf(ci_ca_file => undef);
	$t->stop_pool;
	minute_later();
	$t->psql('UPDATE trusted_issuers SET jwks = NULL, jwks_fetched_at = NULL WHERE kind = \'github\'');
	is(exchange(app => id_token('hub'))->{status}, 503, 'a certificate of nobody that is trusted');
	$t->conf(ci_ca_file => $t->cacert);
	$t->stop_pool;
	minute_later();
	is(exchange(app => id_token('hub'))->{status}, 200, 'and of somebody that is');
};

subtest 'one rule lets in no more than so many in a row' => sub {
	$t->stop_pool;
	$t->conf(job_token_burst => 2, job_token_per_minute => 1);
	$t->start_pool;
	$t->psql('DELETE FROM rate_limits');
	my @res = map { exchange(app => id_token('hub')) } 1 .. 3;
	is("@{[map { $_->{status} } @res]}", '200 200 429', 'the third is told to wait');
	like(message($res[2]), qr/too many tokens of jobs .* try again in \d+ second/, 'and why');
	is(read_config(app => id_token('hub'))->{status}, 429, 'nor does one come in that is shown as it is');
	$t->psql('DELETE FROM rate_limits');
	is(exchange(app => id_token('hub'))->{status}, 200, 'later one does');
	$t->stop_pool;
	$t->conf(job_token_burst => undef, job_token_per_minute => undef);
	$t->start_pool;
};

subtest 'nothing of it is written down' => sub {
	my $jwt = id_token('hub');
	my $token = $t->json(exchange(app => $jwt))->{token};
	my $direct = id_token('hub');

	is(read_config(app => $direct)->{status}, 200, 'a direct one');
	is($t->publish($id{app}, $token, 'hello', '3.0.0')->{status}, 200, 'and one of ours');
	my (undef, $dump) = Berth::Cluster::capture(Berth::Cluster->inherited->tool('pg_dump'), '-d',
	    $t->dsn('postgres'));
	like($dump, qr/COPY public\.tokens/, 'the database is there to be read');
	for my $secret ($jwt, $direct, $token) {
		my $signature = $secret =~ /\.([^.]+)$/ ? $1 : $secret;
		unlike($t->log($_), qr/\Q$signature\E/, "not in $_") for qw(pool nginx-error nginx-berth);
		unlike($dump, qr/\Q$signature\E/, 'not in the database');
	}
	my ($status, $needed) = Berth::Cluster::capture('ldd', $t->build . '/berth-inspect');
	unlike($needed, qr/libcurl/, 'who opens crates loads no libcurl');
};

done_testing();
