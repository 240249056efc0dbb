#!/usr/bin/perl
# CI_JOB_TOKEN of a GitLab that is asked about each: who comes in, for how long an answer counts, and
# what happens when GitLab is away.

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
use Berth::Test;

my $t = Berth::Test->new(workers => 4);
my $gitlab = Berth::Elsewhere->new($t);
$t->conf(ci_ca_file => $t->cacert, gitlab_url => $gitlab->url);

my %id = (app => $t->project('group/app'), other => $t->project('group/other'),
    mapped => $t->project('tools/mapped'));
$t->conf(gitlab_projects => '901=tools/mapped 902=tools/nowhere');
for my $user (qw(dev reporter stranger gone)) {
	$t->user($user);
}
$t->member('dev', 'group', 'developer');
$t->member('dev', 'tools', 'developer');
$t->member('gone', 'group', 'developer');
$t->member('reporter', 'group', 'reporter');
my $own = $t->token('dev');
my $own_job = $t->job_token('group/app', 'dev');

# As GitLab's documentation has it ("Get job token's job"), and a little less.
sub job {
	my ($id, %over) = @_;
	my $project = delete $over{project} // 'group/app';
	my $user = delete $over{user} // 'dev';
	# each username has a number of its own
	$user = { id => { dev => 7 }->{$user} // 100 + unpack('%32C*', $user), username => $user, name => "\u$user",
	    state => 'active' } unless ref $user;

	return {
		id => $id, status => 'running', stage => 'test', name => 'publish', ref => 'v1.0.0', tag => JSON::PP::true,
		coverage => undef, allow_failure => JSON::PP::false, created_at => '2026-01-01T00:00:00.000Z',
		started_at => '2026-01-01T00:00:01.000Z', finished_at => undef, duration => 0.5, queued_duration => 0.1,
		user => $user,
		commit => { id => 'ab' x 20, short_id => 'abababab', message => "a commit\n", parent_ids => [] },
		pipeline => { id => 4711, iid => 3, project_id => $over{project_id} // 12, sha => 'ab' x 20,
			ref => 'v1.0.0',
			status => 'running', source => 'push' },
		web_url => $gitlab->url . "/$project/-/jobs/$id",
		project => { ci_job_token_scope_enabled => JSON::PP::false },
		artifacts => [], runner => undef, artifacts_expire_at => undef, tag_list => [],
		map { ($_ => $over{$_}) } grep { $_ ne 'project_id' } keys %over,
	};
}

my (%jobs, $serial);

# A token of a job that GitLab knows.
sub job_token {
	my (%over) = @_;
	my $token = 'glcbt-64_' . substr(join('', map { ('a' .. 'z', 0 .. 9)[rand 36] } 1 .. 40), 0, 20) . ++$serial;

	$jobs{$token} = [200, job(400 + $serial, %over)];
	let_gitlab_know();
	return $token;
}

sub let_gitlab_know {
	$gitlab->answer_header('/api/v4/job', 'job-token', \%jobs, [401, { message => '401 Unauthorized' }]);
}

sub asked { return $gitlab->count('/api/v4/job') }

sub read_config {
	my ($project, $token, %opt) = @_;

	return $t->http(GET => $t->registry($id{$project}) . '/config.json', { token => $token, %opt });
}

# The same straight to the pool, which costs no time of its own: [status, body, when it came].
sub ask {
	my ($token) = @_;
	my $res = fetch($t->socket_path, $t->registry($id{app}) . '/config.json', HTTP_AUTHORIZATION => $token,
	    REMOTE_ADDR => '127.0.0.1');

	return [@$res{qw(status body)}, time];
}

# As if the time that an answer counts had passed.
sub minute_later {
	$t->psql("UPDATE tokens SET checked_until = now() WHERE source = 'gitlab'");
	# those who were let in are remembered until then as well
	$t->psql("UPDATE users SET name = name || '.'");
	$t->psql('UPDATE refused_job_tokens SET until_at = now()');
}

subtest 'a job that runs' => sub {
	my $token = job_token();

	my $first = read_config(app => $token);
	is($first->{status}, 200, 'reads') or diag($first->{body});
	is(read_config(app => "Bearer $token")->{status}, 200, 'again');
	is($t->publish($id{app}, $token, 'hello', '1.0.0')->{status}, 200, 'publishes');
	is(asked(), 1, 'GitLab was asked once');
	is(read_config(other => $token)->{status}, 404, 'knows no other project');
	$t->berth_ok('project', 'allow', 'group/other', '--from', 'group/app');
	is(read_config(other => $token)->{status}, 200, 'but one that allows its project');
	my ($row) = map { JSON::PP->new->decode($_) }
	    split(/\n/, $t->berth_ok('audit', '--json', '--action', 'crate.publish'));
	is_deeply([@$row{qw(user token_kind job_issuer job_project pipeline job ref commit)}],
	    ['dev', 'job', $gitlab->url, 'group/app', 4711, 401, 'v1.0.0', 'ab' x 20],
	    'the log says which job it was');
	is($row->{job_url}, $gitlab->url . '/group/app/-/jobs/401', 'and where it is');
	is(scalar(grep { /"gitlab"/ } split(/\n/, $t->berth_ok('audit', '--json', '--action', 'token.create'))), 1,
	    'its coming is recorded once');
	is($t->json($t->http(GET => '/api/v4/job', { headers => { 'JOB-TOKEN' => $token } }))->{id}, 401,
	    'it may ask who it is');
};

subtest 'a job that ends' => sub {
	my $token = job_token();

	is(read_config(app => $token)->{status}, 200, 'runs');
	$jobs{$token}[1]{status} = 'success';
	let_gitlab_know();
	my $before = asked();
	is(read_config(app => $token)->{status}, 200, 'an answer counts for a while');
	is(asked(), $before, 'in which nobody asks');
	minute_later();
	is(read_config(app => $token)->{status}, 401, 'then it is refused');
	is(asked(), $before + 1, 'since GitLab was asked');
	is($t->publish($id{app}, $token, 'hello', '1.1.0')->{status}, 401, 'and publishes no more');
	is(asked(), $before + 1, 'nor is GitLab asked again');
	my $longer = job_token();
	is(read_config(app => $longer)->{status}, 200, 'one that runs for longer');
	minute_later();
	is(read_config(app => $longer)->{status}, 200, 'comes in again');
	is($t->psql("SELECT count(*) FROM tokens WHERE source = 'gitlab' AND job = "
	    . $jobs{$longer}[1]{id}), 1, 'as the same token');
	# a worker that has seen the job before does not take the end of that time for the end of the job
	for my $patch (1 .. 5) {
		minute_later();
		is($t->publish($id{app}, $longer, 'longer', "1.0.$patch")->{status}, 200, "publishes 1.0.$patch");
	}
	my $row = $t->psql('SELECT id FROM tokens WHERE job = ' . $jobs{$longer}[1]{id});
	$t->berth_ok('token', 'revoke', $row);
	is(read_config(app => $longer)->{status}, 401, 'unless it was revoked here');
	minute_later();
	is(read_config(app => $longer)->{status}, 401, 'for good');
};

subtest 'who is not let in' => sub {
	my @cases = (
		['a job that waits', [401], app => job_token(status => 'pending')],
		['a job that has failed', [401], app => job_token(status => 'failed')],
		['of a project that is not here', [401], app => job_token(project => 'group/nowhere')],
		['of a user who is not here', [401], app => job_token(user => 'nobody')],
		['of a user who is blocked', [401], app => job_token(user => 'gone')],
		['of a user without a role', [404], app => job_token(user => 'stranger')],
		['of a project that is mapped to none', [401], app => job_token(project_id => 902)],
		['of a project with the path of another\'s', [401], mapped => job_token(project => 'tools/mapped')],
		['in whatever case', [401], mapped => job_token(project => 'Tools/mapped')],
		['nobody', [401], app => 'glcbt-64_garbagegarbagegarbage'],
	);

	$t->berth_ok(qw(user block gone));
	for my $case (@cases) {
		my ($name, $statuses, $project, $token) = @$case;
		my $before = asked();

		my $res = read_config($project => $token);
		ok((grep { $_ == $res->{status} } @$statuses), "$name: $res->{status}");
		cmp_ok(asked() - $before, '<=', 1, "$name: asked once at most");
		$before = asked();
		read_config($project => $token) for 1 .. 3;
		is(asked(), $before, "$name: and not again");
	}
	is($t->publish($id{app}, job_token(user => 'reporter'), 'hello', '2.0.0')->{status}, 403,
	    'a reporter\'s job reads only');
	is(read_config(mapped => job_token(project_id => 901))->{status}, 200, 'a project by its id');
	is(read_config(app => job_token(project_id => 901))->{status}, 404, 'is not the one of that path');
	my $res = read_config(app => job_token(project => 'group/nowhere'));
	like($res->{body}, qr/project `group\/nowhere` and the user `dev`/, 'says what is missing');
};

subtest 'what is not for GitLab to see' => sub {
	my $before = asked();
	my $encode = sub { return encode_base64url(JSON::PP->new->encode($_[0])) };
	my $jwt = sub {
		return join('.', $encode->({ alg => 'RS256', kid => 'x', typ => 'JWT' }), $encode->($_[0]), 'AAAA');
	};

	is(read_config(app => $own)->{status}, 200, 'a token of ours');
	is(read_config(app => $own_job)->{status}, 200, 'a job\'s of ours');
	my $wrong = substr($own, 0, -1) . ($own =~ /0\z/ ? '1' : '0');
	is(read_config(app => $wrong)->{status}, 401, 'one that looks like it');
	is(read_config(app => $_)->{status}, 401, 'one with more around it')
	    for "token-$own", "x.$own_job", "_$wrong", "glcbt-$own", "glcbt-$wrong";
	is(read_config(app => 'short')->{status}, 401, 'one that is too short');
	is(read_config(app => 'x' x 30 . '/' . 'y' x 30)->{status}, 401, 'one with other characters');
	is(read_config(app => $jwt->({ iss => 'https://elsewhere.example', aud => 'x' }))->{status}, 401,
	    'a token of somebody else');
	is(read_config(app => $jwt->({ sub => 'x' }))->{status}, 401, 'a token of nobody');
	my %tail = (short => 'garbagegarbagegarbage',
	    JWT => $jwt->({ iss => $gitlab->url, aud => 'gitlab', sub => 'job:1' }));
	for my $prefix ('', qw(glpat- gldt- glft- glrt- glptt- glagent- gloas- glsoat- glcbt ghp_ ghs_ github_pat_
	    npm_ pypi- sk- xoxb- AKIA cio acme-glcbt- GLCBT- xglcbt- 64_ eyJ)) {
		is(read_config(app => "$prefix$tail{$_}")->{status}, 401, "`$prefix` and a $_ token") for sort keys %tail;
	}
	is(asked(), $before, 'GitLab has seen none of them');
	my $new = 'glcbt-' . $jwt->({ iss => $gitlab->url, aud => 'gitlab', sub => 'job:1', filler => 'x' x 1500 });
	$jobs{$new} = [200, job(999)];
	let_gitlab_know();
	is(read_config(app => $new)->{status}, 200, 'job tokens that are JSON Web Tokens');
	is(asked(), $before + 1, 'it is asked about');

	# an administrator of GitLab can set a prefix for all its tokens
	$t->conf(gitlab_token_prefixes => 'glcbt- acme-glcbt-');
	$t->stop_pool;
	my $custom = 'acme-glcbt-' . $jwt->({ sub => 'job:2' });
	$jobs{$custom} = [200, job(998)];
	let_gitlab_know();
	is(read_config(app => $custom)->{status}, 200, 'with a prefix that is configured');
	is(read_config(app => job_token())->{status}, 200, 'and with the usual one');
	for my $bad ('', ' ', 'gl', 'berth_', 'eyJ', 'glcbt-,acme-', 'a/b-') {
		my $path = $t->conf(gitlab_token_prefixes => $bad eq '' ? '""' : $bad);
		my ($status, undef, $err) = Berth::Cluster::capture($t->build . '/berth-fcgi', '-t', '-c', $path);
		isnt($status, 0, "`$bad` can be none");
	}
	$t->conf(gitlab_token_prefixes => undef);
	$t->stop_pool;
};

subtest 'both ways at once' => sub {
	my $key = Berth::IdToken->new($t->dir, 'RS256', 'both-1');

	$gitlab->answer('/keys', { keys => [$key->jwk] });
	$t->berth_ok('issuer', 'add', $gitlab->url, '--kind', 'gitlab', '--jwks-url', $gitlab->url . '/keys');
	$t->berth_ok('trust', 'add', 'group/app', '--issuer', $gitlab->url, 'project_path=group/app');
	my %claims = (iss => $gitlab->url, iat => time, exp => time + 300, project_path => 'group/app',
	    namespace_id => '1', pipeline_id => '1', job_id => '2', pipeline_source => 'push');
	my $before = asked();
	is(read_config(app => $key->sign({ %claims, aud => $t->url, jti => 'a' }))->{status}, 200,
	    'an identity token for us');
	is(read_config(app => $key->sign({ %claims, aud => 'https://vault.example', jti => 'b' }))->{status}, 401,
	    'one for somebody else');
	is(asked(), $before, 'are judged by their key');
	my $job_token = 'glcbt-' . $key->sign({ %claims, aud => 'gitlab', jti => 'c' });
	$jobs{$job_token} = [200, job(1001)];
	let_gitlab_know();
	is(read_config(app => $job_token)->{status}, 200, 'a job token, which is for GitLab');
	is(asked(), $before + 1, 'is asked about');
};

# Names find users and projects the first time.
subtest 'users and projects are GitLab\'s by its numbers' => sub {
	my $user = sub { return { id => $_[0], username => $_[1], name => 'Somebody', state => 'active' } };
	my $comes = sub { my ($id, $name, %over) = @_; return job_token(%over, user => $user->($id, $name)) };
	my $pins = sub {
		return join(' ', map { "$_->{username}=$_->{gitlab_id}" } grep { $_->{username} =~ /^(?:anna|berta|dev)$/ }
		    @{ JSON::PP->new->decode($t->berth_ok('user', 'pins', '--json')) });
	};

	$t->user($_) for qw(anna berta);
	$t->member($_, 'group', 'developer') for qw(anna berta);
	is($pins->(), 'dev=7', 'who has been here');
	is(read_config(app => $comes->(21, 'anna'))->{status}, 200, 'the first job of a user');
	is($pins->(), 'anna=21 dev=7', 'tells who it is');
	is(read_config(app => $comes->(21, 'Anna'))->{status}, 200, 'the next one is the same, whatever the case');

	my $res = read_config(app => $comes->(22, 'anna'));
	is($res->{status}, 401, 'another user of GitLab under that name is not');
	my $pinned = 'user `anna` here is pinned to number 21 in GitLab';
	like($res->{body},
	    qr/$pinned, but this job belongs to `anna`, number 22 there; .*`berth user unpin anna`/,
	    'who is told why');
	$res = read_config(app => $comes->(21, 'berta'));
	is($res->{status}, 401, 'nor is the user who took somebody else\'s name');
	like($res->{body}, qr/$pinned, but this job belongs to `berta`, number 21/, 'who is told so');
	is($pins->(), 'anna=21 dev=7', 'and nothing is kept of that');
	is($t->psql("SELECT count(*) FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.source = 'gitlab'"
	    . " AND u.username = 'berta'"), 0, 'nor any token');
	my $before = asked();
	my $again = $comes->(22, 'anna');
	read_config(app => $again) for 1 .. 3;
	is(asked() - $before, 1, 'GitLab is not asked again');

	# Berth asks again each minute about a job that it has let in
	my $running = $comes->(21, 'anna');
	is(read_config(app => $running)->{status}, 200, 'a job that runs');
	$jobs{$running}[1]{user}{id} = 22;
	let_gitlab_know();
	minute_later();
	is(read_config(app => $running)->{status}, 401, 'is refused when its user becomes another one');

	my ($status, undef, $err) = $t->berth(qw(user unpin nobody-at-all));
	is($status, 1, 'unpin of a user who is not there');
	$t->berth_ok(qw(user unpin Anna));
	is($pins->(), 'dev=7', 'unpinned');
	is(read_config(app => $comes->(22, 'anna'))->{status}, 200, 'the next one counts');
	is(read_config(app => $comes->(21, 'anna'))->{status}, 401, 'and the other one does not');
	like($t->berth_ok('audit', '--json', '--action', 'user.unpin'), qr/"Anna"/, 'the audit log has it');

	# the same of projects
	$t->project('group/moved');
	is(read_config(app => job_token(project_id => 12))->{status}, 200, 'a project that was here');
	$res = read_config(app => job_token(project_id => 13));
	is($res->{status}, 401, 'another one of its path');
	$pinned = 'project `group/app` here is pinned to number 12 in GitLab';
	like($res->{body}, qr{$pinned, .* number 13 there; .*`berth project unpin group/app`}, 'says so');
	is(read_config(app => job_token(project_id => 12, project => 'group/moved'))->{status}, 401,
	    'one that has moved');
	my ($app) = grep { $_->{project} eq 'group/app' }
	    @{ JSON::PP->new->decode($t->berth_ok('project', 'pins', '--json')) };
	is_deeply([@$app{qw(gitlab gitlab_id gitlab_name)}], [$gitlab->url, 12, 'group/app'], 'listed');
	$t->berth_ok('project', 'unpin', 'group/app');
	is(read_config(app => job_token(project_id => 13))->{status}, 200, 'after an unpin the next one counts');
	$t->berth_ok('project', 'unpin', 'group/app');

	my @statuses = do {
		my @tokens = map { $comes->(30 + $_, 'berta') } 0 .. 7;
		$t->parallel(8, sub { return read_config(app => $tokens[$_[0]])->{status} });
	};
	is(scalar(grep { $_ == 200 } @statuses), 1, 'of eight at once one is the first');
	$t->berth_ok('project', 'unpin', 'group/app');
};

subtest 'GitLab is away' => sub {
	my $known = job_token();

	is(read_config(app => $known)->{status}, 200, 'a job that is known');
	$gitlab->stop;
	my $res = read_config(app => job_token());
	is($res->{status}, 503, 'one that is not');
	like($res->{body},
	    qr/GitLab does not answer, so this job token cannot be checked; .* other tokens are not affected/,
	    'says why');
	ok($res->{headers}{'retry-after'}, 'and when to come again');
	$res = $t->publish($id{app}, job_token(), 'hello', '5.0.0');
	is($res->{status}, 503, 'a publish as well');
	like($t->json($res)->{errors}[0]{detail}, qr/GitLab does not answer/, 'in cargo\'s words');
	is(read_config(app => $known)->{status}, 200, 'the known one still counts');
	is(read_config(app => $own)->{status}, 200, 'tokens of ours do not care');
	is(read_config(app => $own_job)->{status}, 200, 'nor those of jobs');
	minute_later();
	is(read_config(app => $known)->{status}, 503, 'later it is not known whether the job still runs');
	$gitlab->start;
	$t->psql('UPDATE ci_outages SET until_at = now()');
	is(read_config(app => job_token_unknown())->{status}, 401, 'back again, it does not know a job');
	is($t->psql('SELECT count(*) FROM ci_outages'), 0, 'which is an answer');
	is(read_config(app => $known)->{status}, 200, 'and keeps nobody from asking');

	$gitlab->answer('/api/v4/job', 'oops', status => 502);
	is(read_config(app => job_token_unknown())->{status}, 503, 'an error of its own');
	my $before = asked();
	is(read_config(app => job_token_unknown())->{status}, 503, 'for a while');
	is(asked(), $before, 'nobody asks');
	$t->psql('UPDATE ci_outages SET until_at = now()');
	$gitlab->answer('/api/v4/job', { message => 'slow' }, delay => 8);
	my $began = time;
	my @got = $t->parallel(4, sub { return ask($_[0] == 0 ? 'glcbt-64_hanginghanginghang' : $own) });
	is($got[0][0], 503, 'it hangs');
	is_deeply([map { $_->[0] } @got[1 .. 3]], [200, 200, 200], 'tokens of ours come in');
	cmp_ok($_->[2], '<', $got[0][2], 'before that ends') for @got[1 .. 3];
	cmp_ok($got[0][2] - $began, '<', 8, 'and nobody waits until GitLab answers');
	$t->psql('DELETE FROM ci_outages');
	for my $nonsense (
		[{ status => 'running' }, qr/missing field/],
		[[job(1)], qr/GitLab's answer is not an object/],
		[{ %{ job(1) }, web_url => 'https://other.example/group/app/-/jobs/1' },
			qr/GitLab's answer describes a job of another server/],
		[{ %{ job(1) }, web_url => $gitlab->url . '/group/app' }, qr/describes a job of another server/],
		[{ %{ job(1) }, user => 7 }, qr/`user`/],
		[job(1, project_id => 0), qr/`project_id` is 0, not a positive number/],
		[{ %{ job(1) }, id => -1 }, qr/`id` is -1, not a positive number/],
		[{ %{ job(1) }, pipeline => undef }, qr/`pipeline`/],
		['no JSON', qr/GitLab's answer/],
	) {
		my ($answer, $why) = @$nonsense;
		my $logged = length $t->log('pool');

		$gitlab->answer('/api/v4/job', $answer);
		is(read_config(app => job_token_unknown())->{status}, 503, "nonsense: $why");
		ok($t->wait_for(sub { substr($t->log('pool'), $logged) =~ /GitLab: .*$why/ }), 'is logged');
	}
	is($t->psql('SELECT count(*) FROM ci_outages'), 0, 'and keeps no other job from coming in');
	$gitlab->answer('/api/v4/job', '', status => 302, headers => ['Location: ' . $gitlab->url . '/login']);
	my $redirected = job_token_unknown();
	is(read_config(app => $redirected)->{status}, 503, 'a redirect is no answer');
	is($gitlab->count('/login'), 0, 'and is not followed');
	ok($t->wait_for(sub { $t->log('pool') =~ /GitLab: status 302/ }), 'which is logged');
	is($t->psql('SELECT count(*) FROM ci_outages'), 0, 'and keeps nobody from asking');
	$jobs{$redirected} = [200, job(1003)];
	let_gitlab_know();
	is(read_config(app => $redirected)->{status}, 200, 'nor is the job refused for it');
	let_gitlab_know();
};

# Slow, but not so slow that it would be left alone: who sends garbage keeps half of the workers waiting.
subtest 'GitLab is slow' => sub {
	my %pending;

	$gitlab->answer('/api/v4/job', { message => '401 Unauthorized' }, status => 401, delay => 4);
	my $before = asked();
	for my $i (1 .. 8) {
		my $pid = fork // die "fork: $!\n";

		if (!$pid) {
			my $start = time;
			my ($status, $body, $came) = @{ ask(job_token_unknown() . "slow$i") };
			POSIX::_exit($status == 503 && $came - $start < 3 && $body =~ /too many jobs/ ? 1 : 0);
		}
		$pending{$pid} = 1;
	}
	$t->wait_for(sub { asked() - $before >= 2 }) or fail('GitLab is asked');
	$t->psql("INSERT INTO ci_outages (system, until_at) VALUES ('gitlab', now())");
	like(ask(job_token_unknown())->[1], qr/too many jobs/, 'a job that finds no slot');
	is($t->psql('SELECT until_at <= now() FROM ci_outages'), 't', 'lets others find out whether GitLab is back');
	my $start = time;
	my $came = ask($own);
	is($came->[0], 200, 'tokens of ours come in');
	cmp_ok($came->[2] - $start, '<', 3, 'at once');
	is($t->publish($id{app}, $own, 'hello', '6.0.0')->{status}, 200, 'and publish');
	my $refused = 0;
	for my $pid (keys %pending) {
		waitpid($pid, 0);
		$refused += $? >> 8;
	}
	is(asked() - $before, 2, 'half of the workers have asked');
	is($refused, 6, 'the others said so at once');
	is($t->psql('SELECT count(*) FROM ci_outages'), 0, 'an answer ends an outage that began after the question');

	# half of the write workers stay free as well
	$t->stop_pool;
	$t->conf(write_workers => 2);
	$t->start_pool;
	$before = asked();
	%pending = ();
	for my $i (1 .. 4) {
		my $pid = fork // die "fork: $!\n";

		if (!$pid) {
			my $res = fetch($t->write_socket_path, $t->registry($id{app}) . '/api/v1/crates/hello/1.0.0/yank',
			    REQUEST_METHOD => 'DELETE', REMOTE_ADDR => '127.0.0.1',
			    HTTP_AUTHORIZATION => job_token_unknown() . "write$i");
			POSIX::_exit($res->{status} == 503 ? 1 : 0);
		}
		$pending{$pid} = 1;
	}
	$t->wait_for(sub { asked() > $before }) or fail('GitLab is asked');
	is($t->publish($id{app}, $own, 'hello', '6.1.0')->{status}, 200, 'a token of ours publishes meanwhile');
	$refused = 0;
	for my $pid (keys %pending) {
		waitpid($pid, 0);
		$refused += $? >> 8;
	}
	is(asked() - $before, 1, 'half of the write workers have asked');
	is($refused, 3, 'for the others it is said so at once');
	let_gitlab_know();
	is(read_config(app => job_token())->{status}, 200, 'then there are slots again');
};

sub job_token_unknown { return 'glcbt-64_unknownunknownunkno' . ++$serial }

subtest 'a storm of garbage' => sub {
	$t->conf(failed_login_burst => 20, failed_login_per_minute => 1);
	$t->stop_pool;
	$t->psql('DELETE FROM rate_limits');
	my $running = job_token();
	is(read_config(app => $running)->{status}, 200, 'a job that runs');
	minute_later();
	$t->psql('DELETE FROM rate_limits');
	my $before = asked();
	my @statuses = map { read_config(app => job_token_unknown())->{status} } 1 .. 60;
	cmp_ok(asked() - $before, '<=', 25, 'GitLab is asked about a few');
	ok(scalar(grep { $_ == 429 } @statuses) > 20, 'the others are too many');
	is(read_config(app => $own)->{status}, 200, 'our own tokens come in from there');
	is(read_config(app => $running)->{status}, 200,
	    'and a job that GitLab has vouched for, which is asked about anew');
	minute_later();
	$t->psql("INSERT INTO ci_outages (system, until_at) VALUES ('gitlab', now())");
	is(read_config(app => job_token_unknown())->{status}, 429, 'after an outage garbage is too much as well');
	is(read_config(app => $running)->{status}, 200, 'and lets others find out whether GitLab is back');
};

# Job tokens of many strangers, each from an address of its own.
subtest 'in total' => sub {
	$t->conf(failed_login_burst => 3, failed_login_per_minute => 1);
	$t->stop_pool;
	$t->start_pool;
	$t->psql('DELETE FROM rate_limits');
	my $before = asked();
	my @statuses = map {
		fetch($t->socket_path, $t->registry($id{app}) . '/config.json', HTTP_AUTHORIZATION => job_token_unknown(),
		    REMOTE_ADDR => "192.0.2.$_")->{status}
	} 1 .. 60;
	cmp_ok(asked() - $before, '>=', 30, 'GitLab is asked ten times as often as for one');
	# (and once more for each six seconds that this takes)
	is(asked() - $before, scalar(grep { $_ == 401 } @statuses), 'about those that it has refused');
	cmp_ok(scalar(grep { $_ == 429 } @statuses), '>', 0, 'then nobody new is asked about');
	is(ask($own)->[0], 200, 'tokens of ours do not care');
};

subtest 'nothing of it is written down' => sub {
	my (undef, $dump) = Berth::Cluster::capture(Berth::Cluster->inherited->tool('pg_dump'), '-d',
	    $t->dsn('postgres'));

	like($dump, qr/COPY public\.tokens/, 'the database is there to be read');
	for my $token (keys %jobs) {
		unlike($t->log($_), qr/\Q$token\E/, "not in $_") for qw(pool nginx-error nginx-berth);
		unlike($dump, qr/\Q$token\E/, 'not in the database');
	}
};

done_testing();
