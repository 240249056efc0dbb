#!/usr/bin/perl

# No secret stands in an address, which logs, histories and bookmarks keep: no route takes
# one there, no program prints one there, and no log of nginx, pool or PostgreSQL has one, whether
# the pool answers, is away or hangs.

use strict;
use warnings;

use IO::Socket::UNIX;
use Test::More;

use Berth::Cache;
use Berth::Routes;
use Berth::Test;

my $t = Berth::Test->new(workers => 4);
my $id = $t->project('demo/registry');
my $R = $t->registry($id);

$t->user('alice');
$t->member('alice', 'demo', 'maintainer');
# PostgreSQL logs every statement with its parameters
$t->psql("ALTER DATABASE $t->{database} SET log_statement = 'all'");

my %secret = (
	personal => $t->token('alice'),
	deploy => $t->deploy_token('demo/registry', 'read'),
	job => $t->job_token('demo/registry', 'alice'),
	jwt => join('.', map { 'eyJ' . $_ x 20 } qw(a b)) . '.' . 'c' x 40,
);
my ($url, $code) = split(/\n/, $t->berth_ok('user', 'link', 'alice'));

is($url, $t->url . '/-/sign-in', 'the page is the same for everybody');
like($code, qr/^[0-9A-Za-z]{43}$/, 'the code stands by itself');
$secret{code} = $code;

subtest 'by the table of routes' => sub {
	# what a part of a path can be: names and row numbers
	my %known = map { $_ => 1 }
	    qw(id group crate version range prefix prefix2 package_id file_id token_id user_id rule_id target_id
	    path file);
	my %seen;

	for my $route (Berth::Routes::all()) {
		$seen{$1}++ while $route->{pattern} =~ /:(\w+)/g;
	}
	is(join(' ', grep { !$known{$_} } sort keys %seen), '', 'no path has a place for a secret');
	# the names that the code reads from addresses, and those that it reads from bodies alone
	my (%query, %body);
	for my $file (glob("$Berth::Cluster::ROOT/fcgi/{api,api/*,auth,call}/*.c")) {
		my $text = Berth::Cluster::slurp($file);

		$body{$1}++ while $text =~ /params_secret\([^"]*"(\w+)"/g;
		$query{$1}++ while $text =~ /(?:request_query|params_(?!secret|path_id|has)\w+)\([^"()]*"(\w+)"/g;
	}
	delete $query{jwt}; # asked for again, once it is known to be of the body
	is(join(' ', sort keys %body), 'code form jwt', 'secrets of forms and bodies');
	is(join(' ', grep { /(?:^|_)(?:token|secret|code|form|jwt|password|key)$/ } sort keys %query), '',
	    'nothing like it is read from addresses');
};

sub post {
	my ($path, $fields, @headers) = @_;
	my $body = join('&', map { "$_=$fields->{$_}" } sort keys %$fields);

	return ['POST', $path, { body => $body,
	    headers => ['Content-Type: application/x-www-form-urlencoded', 'Origin: ' . $t->url, @headers] }];
}

# Each way by which a secret comes in, as clients and the pages use it.
sub ways {
	my ($cookie, $form) = @_;
	my $basic = MIME::Base64::encode_base64("x:$secret{personal}", '');

	return (
		post('/-/sign-in', { code => $secret{code} }),
		post('/-/tokens', { form => $form, name => 'n', scope => 'api' }, "Cookie: $cookie"),
		post('/-/sign-out', { form => 'x' x 64 }, "Cookie: $cookie"),
		['GET', '/-/tokens', { headers => ["Cookie: $cookie"] }],
		(map { ['GET', "$R/config.json", { headers => [$_] }] } "Authorization: $secret{personal}",
		    "Authorization: Bearer $secret{deploy}",
		    "Authorization: Basic $basic", "PRIVATE-TOKEN: $secret{personal}", "DEPLOY-TOKEN: $secret{deploy}",
		    "JOB-TOKEN: $secret{job}", "Authorization: $secret{jwt}"),
		['PUT', "$R/api/v1/crates/new", { token => $secret{personal}, body => 'x' }],
		['POST', "$R/trusted_publishing/tokens",
		    { body => qq({"jwt":"$secret{jwt}"}), headers => ['Content-Type: application/json'] }],
		['GET', '/api/v4/job', { headers => ["JOB-TOKEN: $secret{job}"] }],
	);
}

require MIME::Base64;
$t->start_pool;
$t->start_nginx;
my $signed_in = $t->http(@{ post('/-/sign-in',
    { code => (split(/\n/, $t->berth_ok('user', 'link', 'alice')))[1], confirm => 'true' }) });
is($signed_in->{status}, 303, 'signed in');
my ($cookie) = $signed_in->{headers}{'set-cookie'} =~ /^(__Host-berth=[^;]*)/;
my ($form) = $t->http(GET => '/-/tokens',
    { headers => ["Cookie: $cookie"] })->{body} =~ /name="form" value="([0-9a-f]{64})"/;
$secret{session} = $cookie =~ s/.*=//r;
$secret{form} = $form;
$secret{basic} = MIME::Base64::encode_base64("x:$secret{personal}", '');

# Where a secret of these lies.
sub leaks {
	my %log = map { $_ => $t->log($_) }
	    qw(nginx-error nginx-berth.log nginx-berth-cache.log nginx-berth-downloads.log pool);
	my @found;

	$log{postgresql} = Berth::Cluster::slurp(Berth::Cluster->inherited->server_log);
	ok(length $log{$_}, "$_ has something in it") for grep { $_ ne 'nginx-error' } sort keys %log;
	for my $where (sort keys %log) {
		push @found, map { "$_ in $where" } grep { index($log{$where}, $secret{$_}) >= 0 } sort keys %secret;
	}
	return join("\n", @found);
}

# nginx logs downloads, and what it sends by itself, in logs of their own
is($t->publish($id, $secret{personal}, 'one_crate', '1.0.0')->{status}, 200, 'there is a crate');
for my $path ("$R/config.json", "$R/one_crate/1.0.0/download") {
	ok($t->wait_for(sub { return Berth::Cache::is_static($t,
	    $t->http(GET => $path, { token => $secret{personal} })); }), "nginx sends $path by itself");
}

my @ways = ways($cookie, $form);
my %answers;

for my $way (@ways) {
	my $res = $t->http(@$way);

	$answers{ $res->{status} }++;
	$secret{made} = $1 if $res->{body} =~ /(berth_pat_[\w-]{74})/;
	unlike($_->[1], qr/\?/, "$_->[0]: no query") for grep { $_->[0] eq 'location' } @{ $res->{header_list} };
}
ok(defined $secret{made}, 'a token was made on the page');
cmp_ok($answers{200} // 0, '>=', 6, 'most of them work');
is(leaks(), '', 'no log has a secret while the pool answers');

subtest 'a secret in an address is refused' => sub {
	for my $case (['/-/sign-in', 'code', $secret{code}], ['/-/sign-in', 'code', 'x'],
	    ["$R/trusted_publishing/tokens", 'jwt', $secret{jwt}], ['/-/sign-out', 'form', $form]) {
		my ($path, $name, $value) = @$case;
		my $way = post("$path?$name=$value", { x => 1 }, "Cookie: $cookie");
		my $res = $t->http(@$way);

		is($res->{status}, 400, "$path?$name=");
		like($res->{body}, qr/$name belongs in the request body/, '  and told where it belongs');
	}
	is($t->http(GET => "/-/sign-in?code=$secret{code}")->{body}, $t->http(GET => '/-/sign-in')->{body},
	    'the page does not look at its address');
	is($t->http(@{ post('/-/sign-in', { code => $secret{code} }) })->{status}, 200,
	    'the code is still good, where it belongs');
};

is(leaks(), '', 'and even so no log has it');

$t->stop_pool;
for my $way (@ways) {
	like($t->http($way->[0], $way->[1], { %{ $way->[2] // {} }, no_pool => 1 })->{status}, qr/^50[23]$/,
	    "the pool is away: $way->[0] $way->[1]");
}
like($t->log('nginx-error'), qr{"POST /-/sign-in HTTP}, 'nginx complains of it');
is(leaks(), '', 'and no log has a secret');

my @silent = map { IO::Socket::UNIX->new(Type => Socket::SOCK_STREAM(), Listen => 64, Local => $_)
    // die "$_: $!\n" } $t->socket_path, $t->write_socket_path;
$t->stop_nginx;
$t->start_nginx(sub { s/fastcgi_read_timeout \d+s/fastcgi_read_timeout 1s/r });
my ($method, $path, $opt) = @{ post('/-/sign-in', { code => $secret{code} }) };
like($t->http($method, $path, { %$opt, no_pool => 1 })->{status}, qr/^50[34]$/, 'the pool hangs');
is(leaks(), '', 'and no log has a secret');

done_testing();
