#!/usr/bin/perl
# The issuers of identity tokens that berth-api(7) names: by the very commands of the page, a project trusts a
# token of the form that each issuer gives its jobs, and none of somebody else.

use strict;
use warnings;

use JSON::PP ();
use MIME::Base64 qw(decode_base64url encode_base64url);
use Test::More;
use Text::ParseWords qw(shellwords);
use Time::HiRes qw(time);

use Berth::Elsewhere;
use Berth::IdToken;
use Berth::Test;

my $t = Berth::Test->new(workers => 2, failed_login_burst => 0);
my $there = Berth::Elsewhere->new($t);
my %key = map { $_ => Berth::IdToken->new($t->dir, $_, "key-$_") } qw(RS256 ES256);
my $id = $t->project('tools/crates');
my $json = JSON::PP->new->canonical->allow_nonref;
my ($true, $false) = (JSON::PP::true, JSON::PP::false);

$t->conf(ci_ca_file => $t->cacert);

# As GitHub's, and Forgejo's, which has them from there.
my %hub = (actor => 'ann', actor_id => '9', base_ref => '', event_name => 'push', head_ref => '',
    ref => 'refs/tags/v1.0.0', ref_protected => 'true', ref_type => 'tag', repository_id => '123',
    repository_owner_id => '77', run_attempt => '1', run_id => '4711', run_number => '12', sha => 'ab' x 20,
    workflow => 'publish');
my $acme = '8268f1d5-9e76-4077-bf49-2c2007b7d71f';
my $project = '7bc34e71-a1cd-4e3e-9144-741acb7b5bf1';
my $repository = '{2e9e429c-7b8b-404f-8648-8c40c27c9ebd}';
my $environment = '{7baee083-4f25-4a97-8a9a-0fde1b623b45}';
my $workspace = 'ari:cloud:bitbucket::workspace/7baee083-4f25-4a97-8a9a-0fde1b623b45';
my $step = '{11111111-4f25-4a97-8a9a-0fde1b623b45}';

# The title on the page => what its tokens have besides the claims in sign, its keys, and claims that make its
# tokens those of somebody else.
my %issuer = (
	'GitHub Actions' => {
		claims => { %hub, sub => 'repo:octo-org/app:environment:release', repository => 'octo-org/app',
			repository_owner => 'octo-org', environment => 'release', runner_environment => 'github-hosted',
			map { ($_ => 'octo-org/app/.github/workflows/publish.yml@refs/tags/v1.0.0') }
			    qw(workflow_ref job_workflow_ref) },
		others => [{ repository => 'octo-org/other' }, { environment => undef },
			{ event_name => 'pull_request' }],
	},
	'GitLab' => {
		claims => { sub => 'project_path:group/app:ref_type:tag:ref:v1.0.0', namespace_id => '72',
			namespace_path => 'group', project_id => '20', project_path => 'group/app', user_id => '1',
			user_login => 'ann', user_access_level => 'maintainer', groups_direct => ['group', 'group/more'],
			pipeline_id => '574', pipeline_source => 'push', job_id => '302', ref => 'v1.0.0', ref_type => 'tag',
			ref_path => 'refs/tags/v1.0.0', ref_protected => 'true', runner_id => 1, sha => 'ab' x 20,
			ci_config_ref_uri => 'gitlab.example.com/group/app//.gitlab-ci.yml@refs/tags/v1.0.0' },
		others => [{ ref_protected => 'false' }, { ref_type => 'branch' },
			{ pipeline_source => 'merge_request_event' }],
	},
	'Forgejo Actions' => {
		claims => { %hub, jti => undef, sub => 'repo:owner/app:ref:refs/tags/v1.0.0', repository => 'owner/app',
			repository_owner => 'owner', workflow_ref => 'owner/app/.forgejo/workflows/x.yml@refs/tags/v1.0.0' },
		others => [{ repository => 'stranger/app' }, { ref => 'refs/heads/main' },
			{ event_name => 'pull_request' }],
	},
	'Buildkite' => {
		claims => { sub => 'organization:acme-inc:pipeline:crates:ref:refs/tags/v1.0.0:commit:abab:step:publish',
			organization_slug => 'acme-inc', organization_id => '0184990a-477b-4fa8-9968-496074483cec',
			pipeline_slug => 'crates', build_number => 1, build_branch => 'main', build_tag => 'v1.0.0',
			build_commit => 'ab' x 20, build_source => 'webhook', step_key => 'publish', job_id => $acme,
			agent_id => $project },
		others => [{ organization_id => $project }, { organization_id => undef },
			{ sub => 'organization:acme-inc:pipeline:crates:ref:refs/heads/main:commit:abab:step:publish' },
			{ sub => 'organization:acme:pipeline:crates:ref:refs/tags/v1.0.0:commit:abab:step:publish' }],
	},
	'CircleCI' => {
		claims => { jti => undef, nbf => undef, sub => "org/$acme/project/$project/user/$step",
			'oidc.circleci.com/org-id' => $acme, 'oidc.circleci.com/project-id' => $project,
			'oidc.circleci.com/context-ids' => [$step], 'oidc.circleci.com/ssh-rerun' => $false,
			'oidc.circleci.com/vcs-origin' => 'github.com/acme/crates',
			'oidc.circleci.com/vcs-ref' => 'refs/tags/v1.0.0' },
		others => [{ 'oidc.circleci.com/ssh-rerun' => $true }, { sub => "org/$acme/project/$acme/user/$step" },
			{ 'oidc.circleci.com/vcs-ref' => 'refs/heads/pull/7' },
			{ 'oidc.circleci.com/vcs-origin' => 'github.com/stranger/crates' }],
	},
	'Bitbucket Pipelines' => {
		claims => { jti => undef, nbf => undef, sub => "$repository:$environment:$step",
			aud => [$workspace, $t->url], repositoryUuid => $repository, workspaceUuid => $environment,
			pipelineUuid => $step, pipelineRunUuid => $step, stepUuid => $step, branchName => 'main',
			deploymentEnvironmentUuid => $environment },
		others => [{ deploymentEnvironmentUuid => undef }, { sub => "$step:$step" }, { aud => [$workspace] }],
	},
	# its header has no type, and its RSA keys begin with a byte 0
	'Jenkins' => {
		header => { typ => undef },
		jwk => sub { return { %{ $_[0] }, n => encode_base64url("\0" . decode_base64url($_[0]{n})) } },
		claims => { jti => undef, nbf => undef, build_number => 7,
			sub => 'https://jenkins.example.com/job/crates/job/main/' },
		others => [{ sub => 'https://jenkins.example.com/job/crates/job/PR-7/' }, { aud => undef },
			{ sub => 'https://jenkins.example.com/job/crates/' }],
	},
	'Kubernetes' => {
		header => { typ => undef },
		claims => { aud => [$t->url], sub => 'system:serviceaccount:ci:publisher', 'kubernetes.io' => {
			namespace => 'ci', node => { name => 'n1', uid => $acme }, pod => { name => 'x7k2p', uid => $project },
			serviceaccount => { name => 'publisher', uid => '488d395f-34b0-4aab-871d-17087fc027f7' } } },
		others => [{ sub => 'system:serviceaccount:ci:default' }, { 'kubernetes.io' => undef },
			{ 'kubernetes.io' => { serviceaccount => { name => 'publisher', uid => $acme } } }],
	},
	# its keys do not tell what they are for
	'SPIFFE' => {
		alg => 'ES256',
		jwk => sub { my %key = %{ $_[0] }; delete @key{qw(use alg)}; return \%key },
		claims => { jti => undef, nbf => undef, aud => [$t->url], sub => 'spiffe://example.org/ci/publisher' },
		others => [map { { sub => "spiffe://$_" } } 'example.org/ci/publisher/x', 'example.com/ci/publisher'],
	},
);

# ---- the page ----

# Title => its commands.
sub examples {
	my ($section) = Berth::Cluster::slurp("$Berth::Cluster::ROOT/fcgi/man/berth-api.7")
	    =~ /^\.Ss Issuers of identity tokens\n(.*?)^\.Ss /ms or die "no section\n";
	my %commands;

	for my $item (split(/^\.It /m, $section)) {
		my ($title) = $item =~ /\A(\w+(?: (?:Actions|Pipelines))?)/;
		my ($block) = $item =~ /^\.Bd -literal\n(.*?)^\.Ed$/ms or next;

		$commands{$title} = [split(/\n/, $block =~ s/\\e\n\s*/ /gr)];
	}
	return %commands;
}

my %commands = examples();
my %url;

is_deeply([sort keys %commands], [sort keys %issuer], 'each issuer of the page has its tokens here');
for my $title (sort keys %commands) {
	for my $command (@{ $commands{$title} }) {
		my ($program, @args) = shellwords($command);

		is($program, 'berth', "$title: $command");
		if ($args[0] eq 'issuer') {
			my ($jwks) = grep { $args[$_] eq '--jwks-url' } 0 .. $#args;
			my $path = '/keys/' . lc($title =~ s/\W//gr);
			my $jwk = $key{ $issuer{$title}{alg} // 'RS256' }->jwk;

			# the keys are here, whoever the issuer is
			splice(@args, $jwks // scalar(@args), 2, '--jwks-url', $there->url . $path);
			$there->answer($path, { keys => [($issuer{$title}{jwk} // sub { $_[0] })->($jwk)] });
			$url{$title} = $args[2];
		}
		my ($status, $out, $err) = $t->berth(@args);
		is("$status $err", '0 ', '  works, without a warning');
	}
}

# the same rules in a file for `berth apply`, in which a name with a slash has quotes
my @rules = @{ $json->decode($t->berth_ok('trust', 'list', 'tools/crates', '--json')) };
my $file = $t->dir . '/rules.toml';
Berth::Test::write_file($file, join('', map {
	my $rule = $_;
	my $claims = join(', ', map { qq("$_" = "$rule->{claims}{$_}") } sort keys %{ $rule->{claims} });

	qq([[trust]]\nproject = "tools/crates"\nissuer = "$rule->{issuer}"\nclaims = { $claims }\n);
} @rules));
is(($t->berth('apply', $file))[1], "nothing to change\n", 'a file can have the same rules');
$t->start_pool;

# ---- tokens ----

my $serial = 0;

sub sign {
	my ($title, %over) = @_;
	my $issuer = $issuer{$title};
	my $now = int(time);
	my %claims = (iss => $url{$title}, aud => $t->url, iat => $now, nbf => $now, exp => $now + 300,
	    jti => 'id-' . ++$serial, %{ $issuer->{claims} }, %over);
	my $key = $key{ $issuer->{alg} // 'RS256' };

	# without an id the text has to differ
	$claims{iat} -= ++$serial if !defined $claims{jti};
	delete @claims{ grep { !defined $claims{$_} } keys %claims };
	return $key->sign(\%claims, header => $issuer->{header});
}

sub exchange {
	my ($token) = @_;
	my $res = $t->http(POST => $t->registry($id) . '/trusted_publishing/tokens', {
		headers => { 'Content-Type' => 'application/json' },
		body => $json->encode({ jwt => $token }),
	});

	return ($res->{status}, $t->json($res));
}

# How a message of the test shows a claim.
sub shown { return ref $_[0] eq '' ? $_[0] // 'nothing' : $json->encode($_[0]); }

for my $title (sort keys %issuer) {
	my $token = sign($title);
	my ($status, $answer) = exchange($token);
	my $crate = lc($title =~ s/\W//gr);

	is($status, 200, "$title: a token") or diag($answer->{message});
	is($t->publish($id, $answer->{token}, $crate, '1.0.0')->{status}, 200, '  publishes');
	is((exchange($token))[0], 400, '  once');
	for my $other (@{ $issuer{$title}{others} }) {
		my ($status, $answer) = exchange(sign($title, %$other));
		my ($claim) = keys %$other;

		is($status, $claim eq 'aud' ? 400 : 403, "  none with $claim=" . shown($other->{$claim}))
		    or diag(explain($answer));
	}
}

done_testing();
