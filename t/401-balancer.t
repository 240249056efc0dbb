#!/usr/bin/perl

# Behind HAProxy, as berth-install(7) has it: with the balancer's TLS, and by the PROXY protocol.  Whose
# address and whose request id count, up to PostgreSQL; what the world sees of the monitoring; and what of a
# fleet's own nginx configuration holds in Berth's locations.

use strict;
use warnings;

use POSIX ();
use Test::More;

use Berth::Cluster;
use Berth::File qw(slurp write_file);
use Berth::Test;

my $t = Berth::Test->new(workers => 3, write_workers => 2);
my $id = $t->project('demo/priv');
my $open = $t->registry($t->project('demo/pub', 'public'));
my $root = $t->registry($id);
$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');
my $balancer = Berth::Test::claim_port();
my $node = Berth::Test::claim_port();
my $tls = $t->cacert =~ s{/[^/]+$}{}r;
my $haproxy;

# The literal blocks of a part of the page.
sub blocks {
	my ($title) = @_;
	my ($part) = slurp("$Berth::Cluster::ROOT/fcgi/man/berth-install.7") =~
	    /^\.S[sh] \Q$title\E\n(.*?)^\.S[sh] /ms;

	return ($part // '') =~ /^\.Bd .*?\n(.*?)^\.Ed$/msg;
}

# Starts both with what the page says; only places and ports are this test's.
sub start {
	my ($title) = @_;
	my ($ha, $nginx) = blocks($title);

	die "berth-install(7) has no two blocks: $title\n" unless defined $nginx;
	s/10\.0\.0\.11:\d+/127.0.0.1:$node/ for $ha, $nginx;
	$ha =~ s/bind :443/bind 127.0.0.1:$balancer/;
	$ha =~ s{/etc/haproxy/registry\.pem}{$tls/both.pem};
	my $check = 'check addr 127.0.0.1 port ' . $t->monitoring_port;
	$ha =~ s/^(\s+server .*) check(?: port \d+)?$/$1 $check/m or die "no check: $title\n";
	$nginx =~ s/10\.0\.0\.5/127.0.0.1/;
	write_file("$tls/both.pem", slurp("$tls/server.pem") . slurp("$tls/server.key"));
	write_file($t->dir . '/haproxy.cfg',
	    "global\n\tlog stdout format raw local0\ndefaults\n\tlog global\n\toption log-health-checks\n$ha");
	# the listeners of the test stay, for what does not come by the balancer
	$t->start_nginx(sub { s/^(\tlisten [^;]+ ssl http2;\n)/$1$nginx/mr });
	$t->start_pool;
	unlink($t->dir . '/log/haproxy.log');
	$haproxy = Berth::Test::spawn($t->dir . '/log/haproxy.log', 'haproxy', '-db', '-f',
	    $t->dir . '/haproxy.cfg');
	ok($t->wait_for(sub { through(GET => "$open/config.json")->{status} == 200 }), "$title: it serves")
	    or diag(slurp($t->dir . '/log/haproxy.log'));
	ok($t->wait_for(sub {
		slurp($t->dir . '/log/haproxy.log') =~ /succeeded, reason: Layer7 check passed, code: 200/;
	}), "$title: the check asks for readiness") or diag(slurp($t->dir . '/log/haproxy.log'));
	unlike(slurp($t->dir . '/log/haproxy.log'), qr/\[ALERT\]|missing timeouts/,
	    "$title: HAProxy has no complaint");
}

sub stop {
	kill('TERM', $haproxy) or die "haproxy: $!\n";
	waitpid($haproxy, 0);
	$t->stop_nginx;
}

END {
	local $?;
	kill('KILL', $haproxy) if defined $haproxy && waitpid($haproxy, POSIX::WNOHANG()) == 0;
}

# A request by the balancer, from the address 127.0.0.7.
sub through {
	my ($method, $path, %opt) = @_;

	return $t->http($method, "https://localhost:$balancer$path", { may_fail => 1, %opt,
	    curl => ['--interface', '127.0.0.7', @{ $opt{curl} // [] }] });
}

# The line that the pool has logged about an answer.
sub logged {
	my ($res, $log) = @_;
	my $id = $res->{headers}{'x-request-id'} // 'none';
	my $line = '';

	$t->wait_for(sub { ($line) = grep { / id=\Q$id\E / } split(/\n/, $t->log($log)); defined $line }, 10);
	return $line // '';
}

sub in_postgresql {
	my ($id) = @_;

	return $t->psql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
	    . " AND application_name ~ '^berth-fcgi/[0-9]+ \Q$id\E\$'");
}

my $uuid = qr/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
my $own = qr/^[0-9a-f]{32}$/;

for my $case (['The balancer ends TLS', $uuid], ['The balancer passes TLS on', $own]) {
	my ($title, $kind) = @$case;

	subtest $title => sub {
		start($title);
		for my $http2 (0, 1) {
			my $over = $http2 ? 'HTTP/2' : 'HTTP/1.1';
			my $res = through(GET => "$root/api/v1/crates?q=foo", token => $token, http2 => $http2,
			    headers => ['X-Request-Id: chosen-by-the-client', 'X-Forwarded-For: 203.0.113.9']);

			is($res->{status}, 200, "$over: a private read");
			like($res->{headers}{'x-request-id'}, $kind, "$over: whose id it has");
			like(logged($res, 'nginx-berth'), qr/ remote=127\.0\.0\.7 /, "$over: the client's address");
		}
		my $res = through(PUT => "$root/api/v1/crates/new", token => $token, body => $t->publish_body(
		    $t->metadata('foo', $kind == $uuid ? '1.0.0' : '2.0.0'),
		    $t->make_crate('foo', $kind == $uuid ? '1.0.0' : '2.0.0')));
		is($res->{status}, 200, 'a publish') or diag($res->{body});
		my $request = $res->{headers}{'x-request-id'};
		like($request, $kind, 'its id');
		is($t->psql('SELECT request_id, host(remote_addr::inet) FROM audit_events ORDER BY id DESC LIMIT 1'),
		    "$request|127.0.0.7", 'the audit log has both');
		cmp_ok(in_postgresql($request), '>', 0, 'PostgreSQL has the id');
		is(through(GET => "/-/$_")->{status}, 404, "the world sees no $_")
		    for qw(liveness readiness worker metrics);
		is($t->http(GET => '/-/readiness')->{status}, 200, 'this host does');
		stop();
	};
}

subtest 'nobody is trusted' => sub {
	my $res = $t->http(GET => "$root/api/v1/crates?q=foo", { token => $token,
	    headers => ['X-Request-Id: chosen-by-the-client', 'X-Forwarded-For: 203.0.113.9'] });

	like($res->{headers}{'x-request-id'}, $own, 'an id of nginx');
	like(logged($res, 'nginx-berth'), qr/ remote=127\.0\.0\.1 /, 'and the address of the connection');
	$t->stop_nginx;
};

subtest 'a balancer that nginx trusts' => sub {
	my $trust = "\tset_real_ip_from 127.0.0.1;\n\treal_ip_header X-Forwarded-For;\n";
	$t->start_nginx(sub { s/^\tserver_name localhost;\n/$&$trust/mr });
	for my $case (['2f1c0a4e-8d55-4ab1-9a70-0123456789ab', 1], ['x' x 48, 1], ['x' x 49, 0], ['short', 0],
		['with blanks in it', 0], ['quotes"quotes', 0], ['semi;colon', 0], ['$request_id', 0],
		['12345678' . "\xe9", 0]) {
		my ($given, $kept) = @$case;
		my $res = $t->http(GET => "$root/config.json", { token => $token,
		    headers => ["X-Request-Id: $given", 'X-Forwarded-For: 203.0.113.9'] });

		is($res->{status}, 200, "$given: answered");
		$kept ? is($res->{headers}{'x-request-id'}, $given, '  and kept')
		    : like($res->{headers}{'x-request-id'}, $own, '  and replaced');
	}
	my $res = $t->http(GET => "$root/config.json", { token => $token,
	    headers => ['X-Request-Id: its-own-request'] });
	like($res->{headers}{'x-request-id'}, $own, "the balancer's own request has an id of nginx");
	$t->stop_nginx;
};

subtest 'a server of your own, as the page has it' => sub {
	my ($own, $header) = blocks('A SERVER OF YOUR OWN');
	my ($each) = blocks('Monitoring each node');
	($header // '') =~ /^add_header / or die "no header in the page\n";
	my %local = ('443 ssl http2' => '127.0.0.1:' . $t->port . " ssl http2;\n\tlisten 127.0.0.1:$t->{plain_port}",
		'127.0.0.1:9614' => '127.0.0.1:' . $t->monitoring_port, '10.0.0.11:9615' => "127.0.0.1:$node");

	$t->write_nginx_conf;
	write_file($t->dir . '/nginx/berth-headers-fleet.conf', $header);
	for ($own, $each) {
		s/^\s+listen \[::\].*\n//m;
		s/^\s+listen \K([^;]+)/$local{$1} \/\/ die "a new listener: $1\n"/gme;
		s/server_name registry\.example\.com/server_name localhost/;
		s{/etc/ssl/berth/}{$tls/}g;
		s{/var/log/nginx/}{$t->dir . '/log/own-'}ge;
	}
	$t->start_nginx(sub { /^server \{/m ? "$own\n$each" : $_ });
	my $res = $t->http(GET => "$root/foo/1.0.0/download", { token => $token });
	is($res->{status}, 200, 'a crate');
	is(scalar(grep { $_->[0] eq 'x-fleet' } @{ $res->{header_list} }), 1, 'with a header of the fleet');
	$res = $t->http(GET => "$root/foo/1.0.0/download", { token => $token,
	    headers => ['Range: bytes=99999999-'] });
	is($res->{status}, 416, 'a range that it does not have');
	is(scalar(grep { $_->[0] eq 'x-fleet' } @{ $res->{header_list} }), 1, 'has the header once');
	is($t->http(GET => '/elsewhere')->{status}, 404, 'the rest of the host');
	ok($t->wait_for(sub { $t->log('own-berth-downloads') =~ m{ status=200 .* ids="$id/}m }),
	    'downloads are logged');
	is($t->http(GET => '/-/readiness')->{status}, 200, 'this host may ask its server for monitoring');
	is($t->http(GET => "http://127.0.0.1:$node/-/readiness")->{status}, 404, 'and not the one for other hosts');
	$t->stop_nginx;
};

subtest 'a fleet with headers and limits of its own' => sub {
	$t->write_nginx_conf;
	write_file($t->dir . '/nginx/berth-headers-fleet.conf', "add_header X-Fleet yes always;\n"
	    . "add_header Strict-Transport-Security \"max-age=63072000\" always;\n");
	my $fleet = "limit_req_zone \$binary_remote_addr zone=fleet:1m rate=1r/m;\n"
	    . "limit_req zone=fleet burst=9 nodelay;\nlimit_req_status 429;\nexpires 1h;\n";
	$t->start_nginx(sub { s/^# Berth, this site/$fleet$&/mr });
	my @cases = (['200 of the pool', 200, GET => "$root/api/v1/crates?q=foo", token => $token],
		['an index', 200, GET => "$root/3/f/foo", token => $token],
		['a crate', 200, GET => "$root/foo/1.0.0/download", token => $token],
		['401', 401, GET => "$root/config.json"], ['404', 404, GET => '/nothing'],
		['a refused publish', 401, PUT => "$root/api/v1/crates/new", body => 'x'],
		['a page', 200, GET => '/-/sign-in']);

	for my $case (@cases) {
		my ($name, $status, $method, $path, %opt) = @$case;
		my $res = $t->http($method, $path, \%opt);

		is($res->{status}, $status, "$name: $status");
		is(scalar(grep { $_->[0] eq 'x-fleet' } @{ $res->{header_list} }), 1, "$name: has the fleet's header once");
		is($res->{headers}{'strict-transport-security'}, 'max-age=63072000', "$name: and its HSTS");
		unlike(join(' ', map { "@$_" } grep { $_->[0] =~ /^(?:cache-control|expires)\z/ } @{ $res->{header_list} }),
		    qr/expires|max-age=3600/, "$name: but no caching of the fleet");
	}
	my %seen;
	for (1 .. 12) {
		my $res = $t->http(GET => "$root/config.json", { token => $token });

		$seen{ $res->{status} }++;
		like($res->{body}, qr/^too many requests/, 'a sentence of Berth') if $res->{status} == 429;
	}
	is(($seen{200} // 0) + ($seen{429} // 0), 12, 'the limit of the fleet');
	cmp_ok($seen{429} // 0, '>', 8, 'holds here, too');
};

subtest 'addresses that a fleet refuses' => sub {
	$t->stop_nginx;
	$t->start_nginx(sub { s/^# Berth, this site/deny all;\n$&/mr });
	for my $case ([GET => "$root/3/f/foo"], [GET => "$root/foo/1.0.0/download"], [GET => '/-/'],
		[GET => "$root/api/v1/crates?q=foo"], [PUT => "$root/api/v1/crates/new", body => 'x' x 300_000]) {
		my ($method, $path, %opt) = @$case;

		is($t->http($method, $path, { %opt, token => $token })->{status}, 403, "$method $path");
	}
	my $res = $t->http(PUT => "$root/api/v1/crates/new", { token => $token, body => 'x' });
	is($t->json($res)->{errors}[0]{detail}, 'this address has no access', 'cargo prints why');
};

done_testing();
