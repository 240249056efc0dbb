#!/usr/bin/perl

# Nothing that somebody sends makes the registry call anywhere: strace(1) sees every connection that
# pool, inspector and worker make while addresses of a host that listens are put wherever one fits.

use strict;
use warnings;

use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use Test::More;

use Berth::Elsewhere;
use Berth::FastCGI qw(fetch);
use Berth::IdToken;
use Berth::OpenAPI;
use Berth::Routes;
use Berth::Test;

my ($traceable, undef, $why) = Berth::Cluster::capture('strace', '-D', '-o', '/dev/null', 'true');
plan skip_all => 'no ptrace here: ' . ($why =~ /: ([^:\n]+)$/m)[0]
    if $traceable != 0 && $why =~ /Operation not permitted|Permission denied|Function not implemented/;
die "strace: $why" if $traceable != 0;

my $json = JSON::PP->new->utf8->canonical;
# a sanitizer looks for leaks by ptrace itself
my $plain = "$Berth::Cluster::ROOT/build";
plan skip_all => 'the plain build is not there (make check makes it)' unless -x "$plain/berth-worker";
my $t = Berth::Test->new(workers => 2, failed_login_burst => 0, inspector => "$plain/berth-inspect");
my %there = map { $_ => Berth::Elsewhere->new($t) } qw(gitlab hub bait);
my $bait = $there{bait}->url;
my $trace = $t->dir . '/trace';
my @programs = qw(berth-fcgi berth-worker);
my %pid;

# What they do is seen from their first moment on.
mkdir($t->dir . '/traced') or die;
for my $program (@programs) {
	my $path = $t->dir . "/traced/$program";

	Berth::Test::write_file($path, <<"END");
#!/bin/sh
exec strace -D -f -q -s 0 -e trace=connect,sendto,sendmsg,sendmmsg -e signal=none -o '$trace.$program' \\
    '$plain/$program' "\$\@"
END
	chmod(0755, $path) or die;
}
$t->{pool_build} = $t->dir . '/traced';
$ENV{$_} = $bait for qw(http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY);
# the tests' own go nowhere by a proxy
$ENV{no_proxy} = '';
$t->conf(ci_ca_file => $t->cacert, gitlab_url => $there{gitlab}->url,
    allowed_registries => "sparse+$bait/index/");

my %id = map { $_ => $t->project("demo/$_") } qw(app victim);
my $group = $t->psql("SELECT id FROM groups WHERE full_path = 'demo'");
$t->user('owner');
$t->member('owner', 'demo', 'owner');
my $token = $t->token('owner');
my $key = Berth::IdToken->new($t->dir, 'RS256', 'hub-1');
$there{hub}->answer('/.well-known/openid-configuration',
    { issuer => $there{hub}->url, jwks_uri => $there{hub}->url . '/keys' });
$there{hub}->answer('/keys', { keys => [$key->jwk] });
$t->berth_ok('issuer', 'add', $there{hub}->url, '--kind', 'github');
$t->berth_ok('trust', 'add', 'demo/app', '--issuer', $there{hub}->url, 'repository=octo/app',
    'workflow=release.yml');

subtest 'a crate full of addresses' => sub {
	my %urls = map { $_ => "$bait/$_" } qw(documentation homepage repository);
	my $readme = "# A crate\n\n![logo]($bait/logo.png)\n\n<img src=\"$bait/i.png\">\n\n"
	    . "[a]($bait/a) <$bait/b>\n\n[r]: $bait/r\n";
	my $toml = join('', map { "$_ = \"$urls{$_}\"\n" } sort keys %urls);
	my $manifest = Berth::Crate::manifest('hello', '1.0.0') =~ s/^license = .*\n/$&readme = "README.md"\n$toml/mr
	    . "\n[dependencies.other]\nversion = \"1\"\nregistry-index = \"sparse+$bait/index/\"\n"
	    . "\n[badges.travis-ci]\nrepository = \"$bait/badge\"\n";
	my $dependency = { name => 'other', version_req => '^1', features => [], optional => JSON::PP::false,
		default_features => JSON::PP::true, target => undef, kind => 'normal', registry => "sparse+$bait/index/",
		explicit_name_in_toml => undef };
	my $res = $t->publish($id{app}, $token, 'hello', '1.0.0', manifest => $manifest,
	    files => { 'README.md' => $readme },
	    metadata => { %urls, readme => $readme, readme_file => 'README.md', deps => [$dependency],
		badges => { 'travis-ci' => { repository => "$bait/badge" } } });

	is($res->{status}, 200, 'is published') or diag($res->{body});
	is($t->psql("SELECT homepage FROM versions LIMIT 1"), $urls{homepage}, 'with them');
	is($t->http(PUT => $t->registry($id{app}) . '/api/v1/crates/hello/owners', { token => $token,
	    body => $json->encode({ users => [$bait, 'owner'] }) })->{status} =~ /^[24]\d\d$/ ? 1 : 0, 1,
	    'an owner of that name');
	is($t->http(GET => $t->registry($id{app}) . "/api/v1/crates?q=$bait", { token => $token })->{status}, 200,
	    'a search');
};

subtest 'who calls' => sub {
	my $now = time;
	my %claims = (iss => $there{hub}->url, aud => $t->url, iat => $now, nbf => $now, exp => $now + 300,
		jti => 'id-1',
		sub => 'repo:octo/app:ref:refs/heads/main', repository => 'octo/app', repository_owner_id => '77',
		run_id => '1',
		event_name => 'push', ref => 'refs/heads/main', sha => 'ab' x 20,
		workflow_ref => 'octo/app/.github/workflows/release.yml@refs/heads/main');
	my $exchange = sub {
		return $t->http(POST => $t->registry($id{app}) . '/trusted_publishing/tokens',
		    { headers => { 'Content-Type' => 'application/json' },
		    body => $json->encode({ jwt => $_[0] }) })->{status};
	};

	like($exchange->($key->sign({ %claims, iss => $bait })), qr/^4/, 'an issuer that nobody knows');
	like($exchange->($key->sign({ %claims, iss => $there{hub}->url . "\@localhost/../$bait" })), qr/^4/,
	    'nor like that');
	for my $header (qw(jku x5u)) {
		like($exchange->($key->sign(\%claims, header => { $header => "$bait/keys", kid => 'elsewhere' })), qr/^4/,
		    "keys that the token itself points to by $header");
	}
	like($exchange->($key->sign(\%claims, header => { kid => "$bait/key" })), qr/^(?:4|503)/,
	    'by the name of its key');
	is($exchange->($key->sign(\%claims)), 200, 'one that is good');

	my $job = { id => 7, status => 'running', name => $bait, ref => $bait,
		user => { id => 7, username => 'owner', web_url => $bait },
		commit => { id => 'ab' x 20 }, pipeline => { id => 1, project_id => 12, web_url => $bait },
		web_url => $there{gitlab}->url . '/demo/app/-/jobs/7' };
	$there{gitlab}->answer_header('/api/v4/job', 'job-token', { 'glcbt-64_' . 'a' x 20 => [200, $job],
	    'glcbt-64_' . 'c' x 20 => [200, { %$job, web_url => "$bait/demo/app/-/jobs/7" }] }, [401, {}]);
	my $config = $t->registry($id{app}) . '/config.json';
	is($t->http(GET => $config, { token => 'glcbt-64_' . 'a' x 20 })->{status}, 200, 'a job of GitLab\'s');
	like($t->http(GET => $config, { token => 'glcbt-64_' . 'c' x 20 })->{status}, qr/^[45]/,
	    'one that is elsewhere');
	$there{gitlab}->answer('/api/v4/job', '', status => 302, headers => ["Location: $bait/api/v4/job"]);
	like($t->http(GET => $config, { token => 'glcbt-64_' . 'b' x 20 })->{status}, qr/^[45]/,
	    'GitLab sends us elsewhere');
};

subtest 'every route, with addresses in all that it takes' => sub {
	my %names = map { $_ => 1 } qw(url callback webhook redirect_uri next job_url),
	    names_in(Berth::OpenAPI->new->doc);
	my $query = join('&', map { "$_=$bait/q" } sort keys %names);
	my $body = $json->encode({ map { $_ => "$bait/b" } keys %names });
	my %form = map { $_ => 1 } qw(POST PUT PATCH);
	my $asked = 0;

	for my $route (Berth::Routes::all()) {
		my $path = Berth::Routes::path($route,
		    id => $route->{pattern} =~ m{^api/v4/groups/} ? $group : $id{victim});
		# some of them end the token
		my $token = $t->token('owner');

		for my $method (@{ $route->{methods} }) {
			my $bytes = $form{$method} ? $body : '';
			my $res = fetch($t->socket_path, "$path?$query", REQUEST_METHOD => $method, REMOTE_ADDR => '127.0.0.1',
			    HTTP_AUTHORIZATION => $token, CONTENT_TYPE => 'application/json', CONTENT_LENGTH => length $bytes,
			    HTTP_HOST => 'bait.example.com', HTTP_X_FORWARDED_HOST => 'bait.example.com',
			    HTTP_REFERER => "$bait/r",
			    HTTP_ORIGIN => $bait, HTTP_FORWARDED => "host=bait.example.com", stdin => $bytes);

			$asked++ if $res && $res->{status} =~ /^\d{3}$/;
		}
	}
	cmp_ok($asked, '>', 60, "$asked answers");
};

subtest 'jobs' => sub {
	$pid{'berth-worker'} = $t->start_worker;
	ok($t->wait_for(sub { $t->psql('SELECT bool_and(done_at IS NOT NULL) AND count(*) > 5 FROM tasks'
	    . ' WHERE period IS NOT NULL') eq 't' }), 'each kind has run');
	is($t->stop_worker, 0, 'the worker ends');
};

$pid{'berth-fcgi'} = $t->pool_pid;
is($t->stop_pool, 0, 'the pool ends');
my %made = map { $_ => [calls($_)] } @programs;
# the worker looks at the certificate of external_url
my %known = ((map { $there{$_}{port} => $_ } qw(gitlab hub)), $t->port => 'external_url');
my @all = map { @{ $made{$_} } } @programs;
my %seen = map { ($known{ $_->{port} } // '') => 1 } grep { $_->{port} } @all;

ok(scalar(grep { $_->{family} eq 'AF_UNIX' } @{ $made{$_} }), "$_: its connections are seen") for @programs;
ok($seen{$_}, "$_ was asked, as it is configured") for sort values %known;
is(join('', map { "$_->{line}\n" }
    grep { $_->{family} ne 'AF_UNIX' && !($_->{port} && $known{ $_->{port} } && $_->{loopback}) } @all),
    '', 'nobody else was');
is(join(' ', $there{bait}->paths), '', 'nor did anybody come there');

done_testing();

# What a process has said to whom: the address that a call names.
sub calls {
	my ($program) = @_;
	my @calls;

	$t->wait_for(sub { Berth::Cluster::slurp("$trace.$program")
	    =~ /^$pid{$program} +\+\+\+ exited with 0 \+\+\+$/m }) or die "$program: strace does not end\n";
	for my $line (split(/\n/, Berth::Cluster::slurp("$trace.$program"))) {
		my ($family) = $line =~ /\bsa_family=(\w+)/ or next;
		my ($port) = $line =~ /\bsin6?_port=htons\((\d+)\)/;

		push @calls, { family => $family, port => $port,
			loopback => $line =~ /"(?:127\.0\.0\.1|::1|::ffff:127\.0\.0\.1)"/ ? 1 : 0,
			line => "$program: $line" };
	}
	return @calls;
}

# Of parameters and of what bodies have in them.
sub names_in {
	my ($what) = @_;

	return map { names_in($_) } @$what if ref $what eq 'ARRAY';
	return () if ref $what ne 'HASH';
	return (ref $what->{properties} eq 'HASH' ? keys %{ $what->{properties} } : (),
	    defined $what->{in} && !ref $what->{name} ? $what->{name} // () : (),
	    map { names_in($_) } values %$what);
}
