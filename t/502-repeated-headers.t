#!/usr/bin/perl
# A request has each credential header at most once: of two, nginx and the pool could each take another one.
# Over HTTP/1.1 and HTTP/2, and by FastCGI as other versions of nginx pass them.

use strict;
use warnings;

use Test::More;

use Berth::FastCGI qw(begin params stdin);
use Berth::Test;

my $t = Berth::Test->new(publish_burst => 0, new_crate_burst => 0, failed_login_burst => 0);
my $id = $t->project('demo/registry');

$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');
my %good = ('Authorization' => "Bearer $token", 'PRIVATE-TOKEN' => $token,
    'JOB-TOKEN' => $t->job_token('demo/registry', 'dev'),
    'DEPLOY-TOKEN' => $t->deploy_token('demo/registry', 'read', 'write'));
is($t->publish($id, $token, 'abcd', '1.0.0')->{status}, 200, 'a crate');

my $cargo = "/api/v4/projects/$id/packages/cargo";
# method, path, body; by the shape of the error
my %routes = (
	text => [[GET => "$cargo/config.json"], [GET => "$cargo/ab/cd/abcd"], [GET => "$cargo/abcd/1.0.0/download"]],
	cargo => [[GET => "$cargo/api/v1/crates"], [PUT => "$cargo/api/v1/crates/new", 'x'],
	    [DELETE => "$cargo/api/v1/crates/abcd/1.0.0/yank"]],
	gitlab => [[GET => "/api/v4/projects/$id/packages"], [DELETE => "/api/v4/projects/$id/packages/1"]],
);
my %shape = (text => qr/^[^{\n]+\n?$/, cargo => qr/^\{"errors":\[\{"detail":"[^"]+"\}\]\}$/,
    gitlab => qr/^\{"message":"400 [^"]+"\}$/);

# The repetition: the same value, a wrong one before or behind, an empty one before or behind, two empty ones.
sub twice {
	my ($value) = @_;

	return ([$value, $value], ['x', $value], [$value, 'x'], ['', $value], [$value, ''], ['', '']);
}

# curl: "Name;" is a header without a value.
sub header { my ($name, $value) = @_; return $value ne '' ? "$name: $value" : "$name;"; }

for my $name (sort keys %good) {
	for my $shape (sort keys %routes) {
		for my $route (@{ $routes{$shape} }) {
			my ($method, $path, $body) = @$route;

			for my $http2 (0, 1) {
				my @bad;

				# every pair at one route, and the first at all
				for my $pair ($path =~ /config\.json|\/packages$/ ? twice($good{$name}) : (twice($good{$name}))[0]) {
					my $res = $t->http($method => $path, { headers => [map { header($name, $_) } @$pair], http2 => $http2,
					    defined $body ? (body => $body) : () });
					my $shown = join(' and ', map { substr($_, 0, 9) || 'empty' } @$pair);

					push @bad, "$shown: $res->{status} $res->{body}"
					    if $res->{status} != 400 || $res->{body} !~ $shape{$shape};
				}
				is(join("\n", @bad), '', "$name twice, $method $path, HTTP/" . ($http2 ? 2 : 1.1) . ': 400');
			}
		}
	}
	is($t->http(GET => "/api/v4/projects/$id/packages", { headers => ["$name: $good{$name}"] })->{status}, 200,
	    "$name once is good");
	# blanks alone, which curl does not send
	like($t->raw("GET /api/v4/projects/$id/packages HTTP/1.1\r\nHost: localhost\r\n$name:  \t\r\n$name:"
	    . " $good{$name}\r\nConnection: close\r\n\r\n"), qr{^HTTP/1\.1 400 }, "$name of blanks and $name: 400");
}
is($t->psql('SELECT count(*) FROM versions WHERE NOT yanked'), 1, 'nothing was done');

# The cookie of the token page is a credential as well.
for my $http2 (0, 1) {
	my $res = $t->http(GET => '/-/tokens',
	    { headers => ['Cookie: __Host-berth=x', 'Cookie: a=b'], http2 => $http2 });

	# in HTTP/2 one header may come in pieces
	is($res->{status}, $http2 ? 200 : 400, 'Cookie twice, HTTP/' . ($http2 ? 2 : 1.1));
}

# A form has one origin.
my ($ours, $evil) = ($t->url, 'https://evil.example.org');
for my $http2 (0, 1) {
	my $sign_in = sub {
		my $res = $t->http(POST => '/-/sign-in', { body => 'code=x', http2 => $http2, headers => [
			'Content-Type: application/x-www-form-urlencoded', map { "Origin: $_" } @_] });

		return $res->{status} == 403 && $res->{body} =~ /^this form was not sent by a page of the registry$/m;
	};

	ok(!$sign_in->($ours), 'one Origin, HTTP/' . ($http2 ? 2 : 1.1));
	is(join(' ', map { $sign_in->(@$_) ? 'refused' : 'taken' } [], [$evil], [$ours, $ours], [$ours, $evil],
	    [$evil, $ours]), join(' ', ('refused') x 5), 'none, another one, or two');
}

# As nginx 1.22 passes two, and as later ones pass them.
sub ask {
	my ($path, @headers) = @_;
	my $c = Berth::FastCGI->connect($t->socket_path) or die "no pool\n";

	$c->send_bytes(begin() . params(REQUEST_METHOD => 'GET', REQUEST_URI => $path, REMOTE_ADDR => '127.0.0.1',
	    CONTENT_LENGTH => 0, @headers) . params() . stdin());
	return $c->answer->{status};
}

for my $name (grep { $_ ne 'Authorization' } sort keys %good) {
	my $fcgi = 'HTTP_' . ($name =~ tr/-/_/r);
	my $packages = "/api/v4/projects/$id/packages";

	is(ask($packages, $fcgi => $good{$name}), 200, "$name: one parameter");
	is(join(' ', map { my $pair = $_; ask($packages, map { ($fcgi => $_) } @$pair) } twice($good{$name})),
	    join(' ', (400) x 6), "$name: two parameters");
	is(join(' ', map { ask($packages, $fcgi => join(', ', @$_)) } twice($good{$name})), join(' ', (400) x 6),
	    "$name: one with a comma");
}
is(ask("$cargo/config.json", map { (HTTP_AUTHORIZATION => $_) } $token, $token), 400,
    'Authorization: two parameters');

done_testing();
