#!/usr/bin/perl

# A URL that somebody sends must be a web page's, on every way in, and one that came
# in before that check is not handed out: a link of the registry never leads to a script.

use strict;
use warnings;

use Test::More;

use Berth::Publish;
use Berth::Test;

my $p = Berth::Publish->new(workers => 2);
my $t = $p->test;
my $id = $p->id;
my $R = $p->root;
my $deploy = $t->berth_ok(qw(token add --deploy demo/registry --scopes create_job_token));
my @bad = ('javascript:alert(1)', "javascript://h.example/%0aalert(1)", 'JavaScript:alert(1)',
    'data:text/html,x', 'vbscript:x',
    'file:///etc/passwd', '//h.example/x', '/x', 'https://', 'https:///x', ' https://h.example/x',
    'https://h.example/"onclick="x', 'https://h.example/<b>', 'https://h.example\\x');
my $good = 'https://ci.example/demo/-/jobs/1';

sub mint {
	my ($url) = @_;

	return $t->http(POST => "$R/job_tokens", { token => $deploy, headers => ['Content-Type: application/json'],
		body => JSON::PP->new->utf8->encode({ user => 'dev', pipeline => 1, job => 2, ttl => 60,
		    job_url => $url }) });
}

sub program {
	my (@args) = @_;
	my ($status, undef, $err) = $t->berth(@args);

	return { status => $status, body => $err };
}

sub config {
	my ($key, $value) = @_;

	$t->conf($key => qq("$value"));
	my ($status, undef, $err) = Berth::Cluster::capture($t->build . '/berth-fcgi', '-t', '-c', $t->conf_path);
	return { status => $status, body => $err };
}

# A publish whose metadata and manifest have the URL.
my $version = 0;
sub publish_with {
	my ($field, $url) = @_;
	my $v = '1.0.' . ++$version;
	my $toml = sprintf(qq(%s = "%s"\n), $field, $url =~ s/([\\"])/\\$1/gr);
	my $manifest = Berth::Crate::manifest('linked', $v) =~ s/^license.*\n\K/$toml/mr;

	return $p->publish('linked', $v, manifest => $manifest, metadata => { $field => $url });
}

sub depend_on {
	my ($url) = @_;

	return $p->put_crate('dependent', '1.0.' . ++$version, 'x',
	    deps => [{ name => 'd', version_req => '^1', features => [],
		optional => JSON::PP::false, default_features => JSON::PP::true, target => undef, kind => 'normal',
		registry => $url,
		explicit_name_in_toml => undef }]);
}

# The ways in: name => [the request with a URL, the status for a bad one (HTTP or exit status),
# for a good one].
my %ways = (
	'job_url of a job token' => [\&mint, 400, 201],
	'--job-url of berth token add' => [sub { program(qw(token add --job demo/registry --user dev --pipeline 1
	    --job 2 --ttl 60 --job-url), $_[0]) }, 2, 0],
	'an issuer' => [sub { program(qw(issuer add), $_[0], qw(--kind generic --audience x)) }, 2, 0],
	'the address of its keys' => [sub { program(qw(issuer add https://i.example --kind generic --audience x
	    --jwks-url), $_[0]) }, 2, 0],
	(map { my $field = $_; ("$field of a crate" => [sub { publish_with($field, $_[0]) }, 400, 200]) }
	    qw(homepage documentation repository)),
	'the registry of a dependency' => [\&depend_on, 400, undef],
	'external_url' => [sub { config(external_url => $_[0]) }, 1, undef],
	'gitlab_url' => [sub { config(gitlab_url => $_[0]) }, 1, 0],
	'allowed_registries' => [sub { config(allowed_registries => $_[0]) }, 1, 0],
);

for my $way (sort keys %ways) {
	my ($ask, $refused, $taken) = @{ $ways{$way} };

	for my $url (@bad) {
		# a list of words has blanks, and no quotes stand in a value of the configuration
		next if $way =~ /_(?:url|registries)$/ && $way !~ /job/ && $url =~ /["\\]/ || $way eq 'allowed_registries'
		    && $url =~ /^ /;
		next if $way =~ /^(?:external|gitlab)_url$/ && $url =~ /^ /;
		my $res = $ask->($url);
		# a private crate may name a repository that is no web page, which becomes no link
		my $told = $way =~ / of a crate$/ && $url !~ /^(?:javascript|data|vbscript|file):/i;

		is($res->{status}, $told ? 200 : $refused, "$way: $url") or diag($res->{body});
		like($res->{body}, qr/is not a web address, so nothing links to it/, "$way: $url: with a warning") if $told;
	}
	is($ask->($good)->{status}, $taken, "$way: $good") if defined $taken;
	$t->conf(external_url => $t->url, gitlab_url => undef, allowed_registries => undef);
}
my $about = $t->http(GET => "$R/api/v1/crates/linked", { token => $p->token });
is($about->{status}, 200, 'what the public registry would tell of the crate');
unlike($about->{body}, qr{"(?:homepage|documentation|repository)":"(?!https?://)},
    'has no link that is none');
is($t->psql(q(SELECT count(*) FROM tokens WHERE job_url !~ '^https?://')), 0, 'no other is stored');

# What is stored already, from before.
my $job = $t->job_token('demo/registry', 'dev');
is($t->publish($id, $job, 'old', '1.0.0')->{status}, 200, 'a publish by a job');
$t->psql(q(UPDATE tokens SET job_url = 'javascript:alert(1)' WHERE kind = 'job'));
my $package = $t->psql("SELECT v.id FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.name = 'old'");
for my $path ('/api/v4/job', map { "/api/v4/projects/$id/packages$_" } '', "/$package",
    "/$package/pipelines") {
	my $res = $t->http(GET => $path, { token => $path =~ /job$/ ? $job : $p->token });

	is($res->{status}, 200, $path) or diag($res->{body});
	unlike($res->{body}, qr/javascript/, "$path: no link to it");
}

done_testing();
