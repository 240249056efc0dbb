#!/usr/bin/perl
# Publishing from a job with the real cargo, by the very commands of conf/ci/, in each of the ways
# that there are; and what happens when the job has ended.

use strict;
use warnings;

use File::Path qw(make_path);
use JSON::PP ();
use Test::More;

use Berth::Elsewhere;
use Berth::IdToken;
use Berth::Test;

my $missing = Berth::Test::cargo_missing();
plan skip_all => $missing if $missing;

my $t = Berth::Test->new(workers => 4);
my $there = Berth::Elsewhere->new($t);
$t->conf(ci_ca_file => $t->cacert, gitlab_url => $there->url);

my $project = $t->project('group/app');
my $other = $t->project('group/other');
$t->user('dev');
$t->member('dev', 'group', 'developer');
my $key = Berth::IdToken->new($t->dir, 'ES256', 'ci-1');
$there->answer('/keys', { keys => [$key->jwk] });
$t->berth_ok('issuer', 'add', $there->url, '--kind', 'gitlab', '--jwks-url', $there->url . '/keys');
$t->berth_ok('issuer', 'add', $there->url . '/hub', '--kind', 'github', '--jwks-url', $there->url . '/keys');
$t->berth_ok('issuer', 'add', $there->url . '/forge/api/actions', '--kind', 'gitea', '--jwks-url',
    $there->url . '/keys');
$t->start_pool;
$t->start_nginx;

# ---- the files: only as much of YAML as they need ----

sub lines_of { return split(/\n/, Berth::Cluster::slurp("$Berth::Cluster::ROOT/conf/ci/$_[0]")) }

# The variables of a mapping at the top level.
sub variables {
	my ($file, $name) = @_;
	my %variables;
	my $inside;

	for my $line (lines_of($file)) {
		$inside = $line eq "$name:" if $line =~ /^\S/;
		$variables{$1} = $2 if $inside && $line =~ /^  (\w+): "([^"]*)"$/;
	}
	return %variables;
}

# The commands of a GitLab job.
sub gitlab_script {
	my ($job) = @_;
	my ($inside, $script, @commands);

	for my $line (lines_of('gitlab-ci.yml')) {
		$inside = $line eq "$job:" if $line =~ /^\S/;
		$script = $inside && $line eq '  script:' if $line =~ /^  \S/;
		push @commands, $1 if $script && $line =~ /^    - (?:\|$)?(.*)$/;
		push @commands, $1 if $script && $line =~ /^      (.*)$/;
	}
	return join("\n", @commands) . "\n";
}

# The steps of a workflow that run something: name => commands.
sub steps {
	my ($file) = @_;
	my ($name, $run, @steps);

	for my $line (lines_of($file)) {
		if ($line =~ /^      - (?:name: (.*)|uses: .*)$/) {
			($name, $run) = ($1, 0);
		} elsif (defined $name && $line eq '        run: |') {
			$run = 1;
			push @steps, [$name, ''];
		} elsif ($run) {
			$steps[-1][1] .= ($line =~ s/^ {10}//r) . "\n";
		}
	}
	return @steps;
}

# ---- a crate, and a place to run commands in, as a runner gives it to a job ----

my $dir = $t->dir . '/crate';
my $minor = 0;

sub new_version {
	my ($name) = @_;

	make_path("$dir/src");
	Berth::Test::write_file("$dir/Cargo.toml", "[package]\nname = \"$name\"\nversion = \"1.@{[++$minor]}.0\"\n"
	    . "edition = \"2021\"\ndescription = \"from a job\"\nlicense = \"MIT\"\n");
	Berth::Test::write_file("$dir/src/lib.rs", "pub fn answer() -> u32 { 42 }\n");
	return "1.$minor.0";
}

my %runner = (
	(map { ($_ => undef) } grep { /^(?:CARGO_|CI|GITHUB_|https?_proxy$|all_proxy$)/i } keys %ENV),
	CARGO_HOME => $t->dir . '/job-home', CARGO_TERM_COLOR => 'never', CARGO_NET_RETRY => 0, no_proxy => '*',
	CARGO_HTTP_CAINFO => $t->cacert, CURL_CA_BUNDLE => $t->cacert,
);

# cargo would be as the job finds it: no configuration of ours, no credential.
make_path($t->dir . '/job-home');

sub run_commands {
	my ($script, %env) = @_;
	my $path = $t->dir . '/script';

	# what a job's checkout would be
	$script =~ s/^(\s*cargo publish .*)$/$1 --allow-dirty/mg;
	Berth::Test::write_file($path, $script);
	my ($status, $out, $err) = Berth::Cluster::capture({ dir => $dir, env => { %runner, %env } }, 'timeout', 300,
	    'bash', '-eo', 'pipefail', $path);
	return ($status, "$out$err");
}

# Variables refer to each other.
sub expand {
	my ($text, %variables) = @_;

	1 while $text =~ s/\$(\w+)/$variables{$1} \/\/ die "no variable $1\n"/e;
	return $text;
}

sub claims {
	my (%more) = @_;

	return { aud => $t->url, iat => time, exp => time + 300, jti => "job-" . rand, sha => 'ab' x 20, %more };
}

sub published {
	my ($name, $version) = @_;

	return $t->psql("SELECT count(*) FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.name = '$name'"
	    . " AND v.version = '$version'");
}

# ---- GitLab ----

my %gitlab = (variables('gitlab-ci.yml', 'variables'), BERTH_URL => $t->url, BERTH_PROJECT => $project);
my %gitlab_env = map { ($_ => expand($gitlab{$_}, %gitlab)) } keys %gitlab;

subtest 'GitLab, by an identity token' => sub {
	my ($example) = grep { /^      aud: / } lines_of('gitlab-ci.yml');
	my %example = variables('gitlab-ci.yml', 'variables');

	is($example, "      aud: \"$example{BERTH_URL}\"", 'the audience is the registry');
	$t->berth_ok('trust', 'add', 'group/app', '--issuer', $there->url, 'project_path=group/app', 'ref_type=tag',
	    'ref_protected=true');
	my $version = new_version('by-id-token');
	my $jwt = $key->sign(claims(iss => $there->url, project_path => 'group/app', namespace_id => '3',
	    pipeline_id => '4',
	    job_id => '5', ref => 'v1', ref_type => 'tag', ref_protected => 'true', pipeline_source => 'push'));
	my ($status, $said) = run_commands(gitlab_script('publish-crate'), %gitlab_env, BERTH_ID_TOKEN => $jwt);
	is($status, 0, 'publishes') or diag($said);
	is(published('by-id-token', $version), 1, 'it is there');
	is($t->psql("SELECT t.job FROM versions v JOIN tokens t ON t.id = v.token_id WHERE v.version = '$version'"),
	    5, 'by its job');
	unlike($said, qr/\Q$jwt\E/, 'and nothing has shown the token');

	new_version('by-id-token');
	$t->psql("UPDATE tokens SET expires_at = now() WHERE source = 'id_token'");
	($status, $said) = run_commands(gitlab_script('publish-crate'), %gitlab_env, BERTH_ID_TOKEN => $jwt);
	isnt($status, 0, 'not when its time is over');
	like($said, qr/the token has been used already/, 'it says why');
	$jwt = $key->sign(claims(iss => $there->url, project_path => 'group/app', namespace_id => '3', ref => 'main',
	    ref_type => 'branch', ref_protected => 'true', pipeline_source => 'push'));
	($status, $said) = run_commands(gitlab_script('publish-crate'), %gitlab_env, BERTH_ID_TOKEN => $jwt);
	isnt($status, 0, 'not for a branch');
	like($said, qr/`ref_type` is `branch`, but the rule asks for `tag`/, 'it says why');
};

subtest 'GitLab, by CI_JOB_TOKEN' => sub {
	my $token = 'glcbt-64_jobtokenjobtokenjob1';
	my $tell = sub {
		$there->answer_header('/api/v4/job', 'job-token', { $token => [200, { id => 8, status => $_[0], ref => 'v2',
			web_url => $there->url . '/group/app/-/jobs/8', user => { id => 7, username => 'dev' },
			pipeline => { id => 9, project_id => 10, sha => 'cd' x 20 } }] },
			    [401, { message => '401 Unauthorized' }]);
	};

	$tell->('running');
	my $version = new_version('by-job-token');
	my ($status, $said) = run_commands(gitlab_script('publish-crate-by-job-token'), %gitlab_env,
	    CI_JOB_TOKEN => $token);
	is($status, 0, 'publishes') or diag($said);
	is(published('by-job-token', $version), 1, 'it is there');
	$tell->('success');
	$t->psql("UPDATE tokens SET checked_until = now() WHERE source = 'gitlab'");
	$t->psql("UPDATE users SET name = name || '.'");
	new_version('by-job-token');
	($status, $said) = run_commands(gitlab_script('publish-crate-by-job-token'), %gitlab_env,
	    CI_JOB_TOKEN => $token);
	isnt($status, 0, 'not when the job has ended');
	like($said, qr/GitLab has no running job with this token|invalid, expired or revoked/, 'it says why');
	$there->stop;
	($status, $said) = run_commands(gitlab_script('publish-crate-by-job-token'), %gitlab_env,
	    CI_JOB_TOKEN => "${token}2");
	isnt($status, 0, 'not while GitLab is away');
	like($said, qr/GitLab does not answer, so this job token cannot be checked/, 'it says why');
	$there->start;
};

# ---- GitHub ----

# The runner answers for its own address.
sub give_id_token {
	my ($jwt) = @_;

	$there->answer('/idtoken?api-version=2&audience=' . $t->url, { count => 1, value => $jwt });
	return (ACTIONS_ID_TOKEN_REQUEST_URL => $there->url . '/idtoken?api-version=2',
	    ACTIONS_ID_TOKEN_REQUEST_TOKEN => 'of-the-runner');
}

sub env_file {
	my ($path) = @_;

	return map { /^(\w+)=(.*)$/ ? ($1 => $2) : () } split(/\n/, Berth::Cluster::slurp($path));
}

subtest 'GitHub' => sub {
	my @steps = steps('github-actions.yml');
	# the runner's own, for the steps that follow
	my $file = $t->holds_tokens($t->dir . '/github-env');
	my %env = (variables('github-actions.yml', 'env'), BERTH_URL => $t->url, BERTH_PROJECT => $project,
	    GITHUB_ENV => $file);

	is(scalar @steps, 3, 'three steps');
	$t->berth_ok('trust', 'add', 'group/app', '--issuer', $there->url . '/hub', 'repository=octo-org/app',
	    'workflow=publish.yml', 'environment=release');
	my $jwt = $key->sign(claims(iss => $there->url . '/hub', repository => 'octo-org/app',
	    repository_owner_id => '5', run_id => '6',
	    ref => 'refs/tags/v1', event_name => 'push', environment => 'Release',
	    workflow_ref => 'octo-org/app/.github/workflows/publish.yml@refs/tags/v1'));
	my $version = new_version('from-github');
	my ($status, $said) = run_commands($steps[0][1], %env, give_id_token($jwt));
	is($status, 0, 'gets a token') or diag($said);
	like($said, qr/^::add-mask::berth_job_/m, 'which the log will not show');
	%env = (%env, env_file($file));
	($status, $said) = run_commands($steps[1][1], %env);
	is($status, 0, 'publishes') or diag($said);
	is(published('from-github', $version), 1, 'it is there');
	($status, $said) = run_commands($steps[2][1], %env);
	is($status, 0, 'gives the token back') or diag($said);
	new_version('from-github');
	($status, $said) = run_commands($steps[1][1], %env);
	isnt($status, 0, 'and publishes no more');
	like($said, qr/the token was revoked/, 'it says why');
	($status, $said) = run_commands($steps[0][1], %env, give_id_token($jwt));
	isnt($status, 0, 'nor does the same identity get another one');
	like($said, qr/has been used already/, 'it says why');
};

subtest 'Forgejo' => sub {
	my @steps = steps('forgejo-actions.yml');
	my %env = (variables('forgejo-actions.yml', 'env'), BERTH_URL => $t->url, BERTH_PROJECT => $project);
	my $issuer = $there->url . '/forge/api/actions';

	is(scalar @steps, 1, 'one step');
	like(Berth::Cluster::slurp("$Berth::Cluster::ROOT/conf/ci/forgejo-actions.yml"),
	    qr/^      image: rust:1\n.*^      - run: [^\n]*\binstall\b[^\n]* nodejs\n\s+- uses: /ms,
	    'which first installs what runs actions in this container');
	$t->berth_ok('trust', 'add', 'group/app', '--issuer', $issuer, 'repository=owner/app', 'ref=refs/tags/v*');
	my $version = new_version('from-forgejo');
	my ($status, $said) = run_commands($steps[0][1], %env,
	    give_id_token($key->sign(claims(iss => $issuer, jti => undef,
	    repository => 'owner/app', ref => 'refs/tags/v1.0', event_name => 'push', run_id => '12'))));
	is($status, 0, 'publishes') or diag($said);
	is(published('from-forgejo', $version), 1, 'it is there');
};

# ---- a CI system of one's own ----

subtest 'tokens that are made for jobs' => sub {
	my $service = $t->berth_ok('token', 'add', '--deploy', 'group/app', '--scopes', 'create_job_token');
	my $script = "$Berth::Cluster::ROOT/conf/ci/job-token.sh";
	my %env = (BERTH_URL => $t->url, BERTH_PROJECT => 'group%2Fapp', BERTH_SERVICE_TOKEN => $service);
	my $version = new_version('from-own-ci');
	my ($status, $said) = run_commands("$script dev 17 423 sh -c 'env | grep ^BERTH_SERVICE && exit 9\n"
	    . "printf %s \"\$CARGO_REGISTRIES_BERTH_TOKEN\" >token\ncargo publish --registry berth --allow-dirty'\n",
	    %env);
	is($status, 0, 'publishes') or diag($said);
	is(published('from-own-ci', $version), 1, 'it is there');
	my $token = Berth::Cluster::slurp("$dir/token");
	unlink("$dir/token");
	like($token, qr/^berth_job_/, 'with a token of the job');
	is($t->http(GET => $t->registry($project) . '/config.json', { token => $token })->{status}, 401,
	    'which has ended with it');
	($status, $said) = run_commands("$script dev 17 424 false\n", %env);
	is($status, 1, 'the status is that of the command');
	is($t->psql("SELECT count(*) FROM tokens WHERE source = 'service' AND revoked_at IS NULL"), 0,
	    'none is left');
	($status, $said) = run_commands("$script nobody 17 425 true\n", %env);
	isnt($status, 0, 'not for who is no member');
	like($said, qr/no user `nobody` is a member of this project/, 'it says why');

	# what the service token may do, and what not
	my $jobs = sub {
		my ($token, %more) = @_;
		my $place = delete $more{project} // $project;

		return $t->http(POST => $t->registry($place) . '/job_tokens',
		    { headers => { 'Content-Type' => 'application/json',
			'DEPLOY-TOKEN' => $token },
			    body => JSON::PP->new->encode({ user => 'dev', pipeline => 1, job => 2, %more }) });
	};
	my $made = $jobs->($service, ref => 'main', commit => 'ef' x 20, job_url => 'https://ci.example.org/1',
	    name => 'build', ttl => 60);
	is($made->{status}, 201, 'makes one') or diag($made->{body});
	$made = $t->json($made);
	my $job = $t->json($t->http(GET => '/api/v4/job', { headers => { 'JOB-TOKEN' => $made->{token} } }));
	is_deeply([@$job{qw(id status ref name web_url)}, $job->{pipeline}{id}, $job->{user}{username},
	    $job->{commit}{id}, $job->{project}{path_with_namespace}],
	    [2, 'running', 'main', 'build', 'https://ci.example.org/1', 1, 'dev', 'ef' x 20, 'group/app'],
	    'the job may ask who it is');
	is($t->http(GET => '/api/v4/job', { token => $t->token('dev') })->{status}, 404, 'who is no job is told so');
	is($jobs->($service, project => $other)->{status}, 404, 'none for another project');
	is($jobs->($service, user => 'stranger')->{status}, 404, 'none for who is not there');
	$t->user('root', admin => 1);
	is($jobs->($service, user => 'root')->{status}, 404, 'none for an administrator who is no member');
	$t->user('left');
	$t->member('left', 'group', 'developer');
	is($jobs->($service, user => 'left')->{status}, 201, 'one for a member of the group');
	my $left = "(SELECT id FROM users WHERE username = 'left')";
	for (["UPDATE users SET state = 'blocked' WHERE id = $left", 'none for a blocked member'],
		["UPDATE users SET state = 'active' WHERE id = $left;"
			. " UPDATE members SET expires_at = now() - interval '1 second' WHERE user_id = $left",
			'none for one whose membership has ended']) {
		$t->psql($_->[0]);
		is($jobs->($service, user => 'left')->{status}, 404, $_->[1]);
	}
	is($jobs->($service, $_->[0] => $_->[1])->{status}, 400, "$_->[0]: $_->[1]")
	    for [pipeline => 0], [job => 'x'], [ttl => 8 * 86400], [user => ''], [user => 'a b'], [ref => "a\nb"];
	is($t->http(GET => $t->registry($project) . '/config.json', { token => $service })->{status}, 403,
	    'it reads nothing itself');
	is($t->publish($project, $service, 'by-service', '1.0.0')->{status}, 403, 'and publishes nothing');
	for my $token ($t->token('dev'), $t->deploy_token('group/app', qw(read write)), $made->{token}) {
		my $res = $t->http(POST => $t->registry($project) . '/job_tokens', { token => $token });
		is($res->{status}, 403, 'no other kind of token makes them');
	}
	my $end = sub {
		my ($token, $id, $place) = @_;

		return $t->http(DELETE => $t->registry($place // $project) . "/job_tokens/$id",
		    { token => $token })->{status};
	};
	my $mine = $t->berth_ok(qw(token list --json));
	my ($personal) = grep { $_->{kind} eq 'personal' } @{ JSON::PP->new->decode($mine) };
	is($end->($service, $personal->{id}), 404, 'it ends no token but those');
	is($end->($service, $_), 400, "nor what is not a number: $_") for 'x', '-1', '9' x 20;
	is($end->($t->token('dev'), $made->{id}), 403, 'and nobody else ends them');
	is($end->($service, $made->{id}), 204, 'it ends its own');
	is($end->($service, $made->{id}), 204, 'twice does no harm');
	is($t->http(GET => $t->registry($project) . '/config.json', { token => $made->{token} })->{status}, 401,
	    'which is then none');
};

# ---- rules by API ----

subtest 'rules by API' => sub {
	$t->user('boss');
	$t->member('boss', 'group/app', 'maintainer');
	my %token = (boss => $t->token('boss'), dev => $t->token('dev'));
	my $rules = sub {
		my ($method, $who, $body, $path) = @_;

		return $t->http($method => $t->registry($project) . '/trusted_publishing/rules' . ($path // ''), {
			headers => { 'PRIVATE-TOKEN' => $token{$who}, 'Content-Type' => 'application/json' },
			defined $body ? (body => JSON::PP->new->encode($body)) : () });
	};
	my %rule = (issuer => $there->url, claims => { project_path => 'group/api', ref => 'v*' },
	    crates => ['api-*'], operations => ['publish-update']);

	is($rules->(GET => 'dev')->{status}, 403, 'not for developers');
	is($rules->(POST => 'dev', \%rule)->{status}, 403, 'nor to change');
	is($t->http(GET => $t->registry($project) . '/trusted_publishing/rules')->{status}, 401, 'nor for nobody');
	my $res = $rules->(POST => 'boss', \%rule);
	is($res->{status}, 201, 'a maintainer makes one') or diag($res->{body});
	my $made = $t->json($res);
	is_deeply([@$made{qw(issuer crates operations user)}, $made->{claims}{ref}],
	    [$there->url, ['api-*'], ['publish-update'], undef, 'v*'], 'as it was asked for');
	my ($listed) = grep { $_->{id} == $made->{id} } @{ $t->json($rules->(GET => 'boss')) };
	is_deeply($listed->{claims}, $rule{claims}, 'it is listed');
	my $again = $rules->(POST => 'boss', { %rule, crates => ['other'] });
	is($again->{status}, 409, 'a second one with the same issuer and claims is refused');
	like($again->{body}, qr/409 trust rule $made->{id} of the project already has this issuer/, 'and names it');
	my $other = { %rule, claims => { project_path => 'group/other' } };
	$res = $rules->(POST => 'boss', { %$other, user => 'BOSS' });
	is($res->{status}, 201, 'one that acts for themselves, whatever the case of the name');
	is($t->json($res)->{user}, 'boss', 'which is answered as the user has it');
	is($rules->(POST => 'boss', { %rule, user => 'dev' })->{status}, 403, 'not for somebody else');
	my %wrong = (
		'no claims' => { %rule, claims => undef },
		'a list' => { %rule, claims => ['a'] },
		'no repository' => { %rule, claims => { ref => 'x' } },
		'no text' => { %rule, claims => { project_path => 'a/b', ref => 7 } },
		'no crate' => { %rule, crates => ['a b'] },
		'no operation' => { %rule, operations => ['delete'] },
		'no issuer' => { %rule, issuer => '' },
	);
	is($rules->(POST => 'boss', $wrong{$_})->{status}, 400, $_) for sort keys %wrong;
	is($rules->(POST => 'boss', { %rule, issuer => 'https://ci.example.org' })->{status}, 404,
	    'an issuer that is not there');
	is($rules->(DELETE => 'dev', undef, "/$made->{id}")->{status}, 403, 'not for developers to remove');
	is($rules->(DELETE => 'boss', undef, "/$made->{id}")->{status}, 204, 'a maintainer removes it');
	is($rules->(DELETE => 'boss', undef, "/$made->{id}")->{status}, 404, 'once');
	is($rules->(DELETE => 'boss', undef, '/x')->{status}, 400, 'what is no rule');
	my $many = 0;
	my $next = sub {
		$many++;
		return $rules->(POST => 'boss', { %rule, claims => { project_path => "group/n$many" } });
	};
	while ($many < 60 && $next->()->{status} == 201) { }
	like($next->()->{body}, qr/409 the project has 50 trust rules/, 'there can be so many');
	is($t->psql("SELECT count(*) FROM trust_rules WHERE project_id = $project"), 50, 'fifty');
};

done_testing();
