#!/usr/bin/perl
# outbound_proxy: issuers and GitLab are reached by it and not without it, exceptions directly, and the
# log says what is wrong with a proxy; nothing but the configuration names one.

use strict;
use warnings;

use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;

use Berth::Elsewhere;
use Berth::IdToken;
use Berth::Proxy;
use Berth::Test;

my $t = Berth::Test->new(workers => 2, failed_login_burst => 0);
my $json = JSON::PP->new->utf8->canonical;
my $there = Berth::Elsewhere->new($t);
my $proxy = Berth::Proxy->new($t);
my $bait = Berth::Proxy->new($t);
my $key = Berth::IdToken->new($t->dir, 'RS256', 'hub-1');
my $issuer = $there->url;
my $port = $there->{port};
my $serial = 0;

# all that a daemon's environment and home can say
$ENV{$_} = 'http://user:pw@' . $bait->place
    for qw(http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY);
$ENV{HOME} = $ENV{CURL_HOME} = $t->dir;
Berth::Test::write_file($t->dir . '/.netrc', "machine localhost login u password p\n");
Berth::Test::write_file($t->dir . "/$_", 'proxy = ' . $bait->place . "\n") for qw(.curlrc _curlrc);
$there->answer('/.well-known/openid-configuration', { issuer => $issuer, jwks_uri => "$issuer/keys" });
$there->answer('/keys', { keys => [$key->jwk] });
$t->conf(ci_ca_file => $t->cacert, gitlab_url => $issuer);
my $id = $t->project('tools/app');
$t->user('dev');
$t->member('dev', 'tools', 'developer');
$t->berth_ok('issuer', 'add', $issuer, '--kind', 'github');
$t->berth_ok('trust', 'add', 'tools/app', '--issuer', $issuer, 'repository=octo/app', 'workflow=release.yml');
my $glcbt = 'glcbt-64_' . 'a' x 20;
$there->answer_header('/api/v4/job', 'job-token', { $glcbt => [200, { id => 7, status => 'running',
    name => 'publish', ref => 'main', user => { id => 7, username => 'dev' },
    pipeline => { id => 1, project_id => 12 }, web_url => "$issuer/tools/app/-/jobs/7" }] }, [401, {}]);

# A job asks for a token, and nobody has the issuer's keys.
sub exchange {
	my (%settings) = @_;
	my $now = time;

	$t->stop_pool;
	$t->conf(%settings);
	$t->start_pool;
	$t->psql('UPDATE trusted_issuers SET jwks = NULL, jwks_fetched_at = NULL, jwks_claimed_at = NULL,'
	    . ' jwks_failed_at = NULL;'
	    . ' DELETE FROM rate_limits');
	my $jwt = $key->sign({ iss => $issuer, aud => $t->url, iat => $now, nbf => $now, exp => $now + 300,
	    jti => 'id-' . ++$serial, sub => 'repo:octo/app:ref:refs/heads/main', repository => 'octo/app',
	    repository_owner_id => '77', run_id => '1', event_name => 'push', ref => 'refs/heads/main',
	    sha => 'ab' x 20,
	    workflow_ref => 'octo/app/.github/workflows/release.yml@refs/heads/main' });
	return $t->http(POST => $t->registry($id) . '/trusted_publishing/tokens',
	    { headers => { 'Content-Type' => 'application/json' },
	    body => $json->encode({ jwt => $jwt }) })->{status};
}

sub with_gitlab {
	# it must be asked, whatever was known; and the cache of those who were let in is void
	$t->psql("UPDATE tokens SET checked_until = now() WHERE source = 'gitlab';"
	    . " UPDATE users SET name = name || '.'; DELETE FROM refused_job_tokens; DELETE FROM ci_outages");
	return $t->http(GET => $t->registry($id) . '/config.json', { token => $glcbt })->{status};
}

# What the log of the pool says from now on.
sub said {
	my ($do) = @_;
	my $before = length $t->log('pool');

	$do->();
	$t->stop_pool;
	return substr($t->log('pool'), $before);
}

my $by = 'http://berth:hush%40hush@' . $proxy->place;

subtest 'without the key' => sub {
	is(exchange(), 200, 'an issuer is reached directly');
	is(with_gitlab(), 200, 'so is GitLab');
	is(scalar $proxy->asked + $bait->asked, 0, 'nobody asks a proxy');
};

subtest 'by the proxy' => sub {
	# whom NO_PROXY would except
	local $ENV{no_proxy} = 'localhost';
	local $ENV{NO_PROXY} = '*';
	my $secrets = $t->dir . '/tls-secrets';
	local $ENV{SSLKEYLOGFILE} = $secrets;
	$proxy->set(user => 'berth:hush@hush');
	is(exchange(outbound_proxy => $by), 200, 'an issuer');
	my @asked = $proxy->asked;
	is(scalar @asked, 2, 'document and keys');
	is($_->{line}, "CONNECT localhost:$port HTTP/1.1", 'by CONNECT') for @asked;
	is(with_gitlab(), 200, 'GitLab');
	is(scalar $proxy->asked, 3, 'as well');
	unlike($json->encode([$proxy->asked]), qr/glcbt|job-token/i, 'the proxy sees no token');
	ok(!-e $secrets, 'nobody writes down the secrets of TLS');
	is(scalar $bait->asked, 0, 'the environment is not asked');
};

subtest 'exceptions' => sub {
	my $before = $proxy->asked;

	is(exchange(outbound_proxy_except => 'other.example localhost'), 200, 'a name');
	is(with_gitlab(), 200, 'GitLab');
	is(scalar $proxy->asked, $before, 'no proxy is asked');
	is(exchange(outbound_proxy_except => '127.0.0.0/8 notlocalhost'), 200, 'other exceptions');
	is(scalar $proxy->asked, $before + 2, 'go by the proxy: nobody looks the name up here');
	is(scalar $bait->asked, 0, 'the environment is not asked');
};

subtest 'what is wrong is told' => sub {
	my $place = $proxy->place;
	my $document = "$issuer/.well-known/openid-configuration";
	my $delayed = Berth::Proxy->new($t);
	$delayed->set(delay => 30);
	my @cases = (
		['no password', 'http://' . $place, {},
			"the proxy $place answers 407: set a user and a password that it accepts in outbound_proxy"],
		['a wrong one', 'http://berth:hush@' . $place, {},
			"the proxy $place answers 407: set a user and a password that it accepts in outbound_proxy"],
		['a proxy that refuses', $by, { status => 403 },
			"the proxy $place answers 403: allow the host there, or name it in outbound_proxy_except"],
		['one that reaches nobody', $by, { status => 502 },
			"the proxy $place answers 502: allow the host there, or name it in outbound_proxy_except"],
		['one that does not answer', $by =~ s/:\d+$/:$delayed->{port}/r, {},
			qr/the proxy @{[$delayed->place]} does not answer: [^;]*time[^;]*; check outbound_proxy/],
		['one that is not there', $by =~ s/@.*/\@nowhere.invalid:3128/r, {},
			qr/the proxy nowhere\.invalid:3128 does not answer: Could not resolve proxy: [^;]*; check outbound_proxy/],
		['a name that no host has', $by =~ s/@.*/\@pro!xy:3128/r, {},
			qr/the proxy pro!xy:3128 does not answer: [^;]*; check outbound_proxy/],
		['TLS, with a proxy that does not do CONNECT', 'https://berth:hush%40hush@localhost:' . $port, {},
			qr/the proxy localhost:$port answers 40\d: allow/],
		['TLS, with one that has none', $by =~ s/^http/https/r, {},
			qr/the proxy $place does not answer: [^;]*; check outbound_proxy/],
	);

	for (@cases) {
		my ($name, $at, $answers, $expected) = @$_;
		my $log = said(sub {
			$proxy->set(user => 'berth:hush@hush', %$answers);
			is(exchange(outbound_proxy => $at, outbound_proxy_except => undef,
			    request_timeout => $name =~ /does not answer/ ? 3 : undef), 503, $name);
			is(with_gitlab(), 503, "$name: GitLab");
		});

		$expected = qr/\Q$expected\E/ unless ref $expected;
		like($log, qr{issuer \Q$issuer\E: its keys cannot be read: GET \Q$document\E: $expected}, "$name: is told");
		like($log, qr{GitLab: GET \Q$issuer\E/api/v4/job: $expected}, "$name: for GitLab as well");
		unlike($log, qr/hush/, "$name: without the password");
	}
	my $log = said(sub {
		$proxy->stop;
		exchange(outbound_proxy => $by);
		$proxy->start;
	});
	like($log, qr/the proxy $place does not answer: Failed to connect [^;]*; check outbound_proxy/,
	    'a dead proxy');
	$log = said(sub {
		$proxy->set(user => 'berth:hush@hush');
		exchange(ci_ca_file => undef);
		$t->conf(ci_ca_file => $t->cacert);
	});
	like($log, qr/through the proxy $place: SSL certificate problem: [^;]*; .* in ci_ca_file/,
	    'who is behind the proxy is checked, and blamed');
	is(exchange(), 200, 'all is well again');
	is(scalar $bait->asked, 0, 'nobody has asked another proxy');
};

subtest 'a registry without TLS' => sub {
	my $file = $t->dir . '/import-token';

	Berth::Test::write_file($file, "secret-of-the-registry\n");
	$t->conf(outbound_proxy => $by);
	# it refuses at once
	$proxy->set(user => 'berth:hush@hush', status => 403);
	my ($status, undef, $err) = $t->berth(qw(import index sparse+http://crates.example:8000/index/ --into
	    tools/app --token-file), $file);
	is($status, 1, 'an import');
	like($err, qr/the proxy \Q@{[$proxy->place]}\E answers 403: allow the host there/, 'is told by the proxy');
	my $asked = ($proxy->asked)[-1];
	is($asked->{line}, 'CONNECT crates.example:8000 HTTP/1.1', 'which learns the name of the host');
	unlike($json->encode($asked), qr/secret-of/, 'and a CONNECT has no token');
	$t->conf(outbound_proxy => undef);
};

subtest 'the password is not shown' => sub {
	$t->conf(outbound_proxy => $by);
	my $shown = 'http://berth:****@' . $proxy->place;
	my ($status, $out) = Berth::Cluster::capture($t->build . '/berth-fcgi', '-t', '-c', $t->conf_path);

	is($status, 0, 'berth-fcgi -t');
	like($out, qr/^outbound_proxy = \Q$shown\E$/m, 'masks it');
	is($t->berth_ok('config', 'show', 'outbound_proxy'), $shown, 'so does berth config show');
	unlike($t->berth_ok('config', 'show') . $t->berth_ok('config', 'show', '--json'), qr/hush/, 'in all forms');
	$t->conf(outbound_proxy => 'http://proxy.example:3128');
	is($t->berth_ok('config', 'show', 'outbound_proxy'), 'http://proxy.example:3128', 'there is none');
	$t->conf(outbound_proxy => 'socks5://berth:hush@' . $proxy->place);
	($status, undef, my $err) = Berth::Cluster::capture($t->build . '/berth-fcgi', '-t', '-c', $t->conf_path);
	is($status, 1, 'another kind of proxy');
	like($err, qr{outbound_proxy must begin with http:// or https://}, 'is refused');
	unlike($err, qr/hush/, 'without the password');
	$t->conf(outbound_proxy => undef);
};

done_testing();
