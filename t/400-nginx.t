#!/usr/bin/perl

# The edge: what nginx, as conf/nginx/ sets it up, lets in, keeps out and says itself.

use strict;
use warnings;

use IO::Select;
use Test::More;

use Berth::Test;

my $t = Berth::Test->new(max_crate_size => '10m');
my $private = $t->project('demo/registry', 'private');
my $public = $t->project('demo/public', 'public');
$t->user('alice');
$t->member('alice', 'demo', 'maintainer');
my $token = $t->token('alice');
my $root = $t->registry($private);
my $open = $t->registry($public);
my $publish = "$root/api/v1/crates/new";

# That many bytes, which nothing can compress.
sub noise {
	my ($n) = @_;

	open(my $fh, '<:raw', '/dev/urandom') or die "/dev/urandom: $!\n";
	read($fh, my $bytes, $n) == $n or die "/dev/urandom: $!\n";
	return $bytes;
}

subtest 'the configuration is clean' => sub {
	my $conf = $t->write_nginx_conf;
	my ($status, $out, $err) = Berth::Cluster::capture(Berth::Test::nginx_program(), '-t', '-e',
	    'stderr', '-c', $conf);

	is($status, 0, 'nginx -t is content');
	unlike("$out$err", qr/\[(?:warn|error|alert|emerg|crit)\]/, 'and has no warning');
};

subtest 'TLS and HTTP versions' => sub {
	for my $case (['1.0', 'tls1', 0], ['1.1', 'tls1_1', 0], ['1.2', 'tls1_2', 1], ['1.3', 'tls1_3', 1]) {
		my ($name, $flag, $works) = @$case;
		# Security level 0 lets the client itself offer the old versions.
		my $status;

		($status) = Berth::Cluster::capture({ stdin => 'Q' }, 'timeout', 20, 'openssl',
		    's_client', "-$flag", '-cipher', 'ALL:@SECLEVEL=0', '-connect',
		    '127.0.0.1:' . $t->port) if started();

		is($status == 0 ? 1 : 0, $works, "TLS $name " . ($works ? 'is spoken' : 'is refused'));
	}
	is(get("$open/config.json", http2 => 1)->{version}, '2', 'HTTP/2 is negotiated');
	is(get("$open/config.json")->{version}, '1.1', 'HTTP/1.1 still works');
	my $plain = $t->http(GET => 'http://localhost:' . $t->port . "$open/config.json", { may_fail => 1 });
	is($plain->{status}, 400, 'plain HTTP is told off');
	is($plain->{body}, "this port speaks HTTPS: use https://\n", 'and told what to use');
	is($plain->{headers}{location}, undef, 'without a redirect to a host that the client names');
};

subtest 'headers' => sub {
	my %answers = (
		'200' => get("$open/config.json"),
		'401' => get("$root/config.json"),
		'404 of the application' => get('/nowhere'),
		'404 of nginx' => get('/-/blob/ab/cd/' . 'a' x 64),
		'405' => $t->http(POST => "$root/config.json", { token => $token }),
		'413' => $t->http(PUT => $publish, { token => $token, curl => too_large() }),
		'400 of nginx' => $t->http(GET => "$open/config.json",
		    { headers => ["Authorization: $token", "Authorization: $token"] }),
	);

	for my $name (sort keys %answers) {
		my $res = $answers{$name};
		my @ids = grep { $_->[0] eq 'x-served-by' } @{ $res->{header_list} };

		is($res->{status}, substr($name, 0, 3), "$name: is that");
		is(scalar @ids, 1, "$name: one X-Served-By");
		like($ids[0][1] // '', qr/^[0-9a-f]{32}$/, "$name: which is a request id");
		is($res->{headers}{'x-request-id'}, $ids[0][1], "$name: and also X-Request-Id");
		is($res->{headers}{server}, 'nginx', "$name: no version of nginx");
		is($res->{headers}{'x-content-type-options'}, 'nosniff', "$name: nosniff, once");
		is($res->{headers}{$_}, undef, "$name: no $_") for qw(x-berth-download x-accel-redirect);
		unlike($res->{body}, qr/nginx|<html/i, "$name: no page of nginx");
	}
	like($answers{$_}{headers}{'cache-control'} // '', qr/no-store/, "$_: not to be cached")
	    for '401', '404 of nginx', '413', '400 of nginx';
	# without a credential the 200 may be nginx's own
	my $id = $answers{401}{headers}{'x-request-id'};
	ok($t->wait_for(sub { $t->log('pool') =~ /\bid="?\Q$id\E/ }), 'the pool logs the same id');
	ok($t->nginx_logged('nginx-berth', $answers{401}), 'and nginx does');
};

subtest 'errors have the shape of their route' => sub {
	my $res = $t->http(PUT => $publish, { token => $token, curl => too_large() });
	is($res->{status}, 413, 'an upload that is too large');
	is($res->{headers}{'content-type'}, 'application/json', 'JSON for cargo');
	like($t->json($res)->{errors}[0]{detail}, qr/^max upload size is: 10485760 bytes;/, 'which says why');

	$res = $t->http(PUT => $publish, { token => $token, curl => too_large(), http2 => 1 });
	is($res->{status}, 413, 'and over HTTP/2');
	like($t->json($res)->{errors}[0]{detail}, qr/^max upload size is: 10485760 bytes;/, 'the same');

	$res = $t->http(PUT => '/api/v4/projects/demo%2Fregistry/packages/cargo/api/v1/crates/new',
	    { token => $token, curl => too_large() });
	is($res->{status}, 413, 'a project named by its path');
	like($t->json($res)->{errors}[0]{detail}, qr{^max upload size is: 10485760 bytes;}, 'has the same limit');

	$res = $t->http(GET => "$open/config.json", { curl => too_large() });
	is($res->{status}, 413, 'a large body on the index');
	is($res->{headers}{'content-type'}, 'text/plain; charset=utf-8', 'is answered in plain text');
	like($res->{body}, qr/^[^\n{]+\n\z/, 'one sentence');

	$res = $t->http(PUT => '/api/v4/projects/1/deploy_tokens', { curl => too_large() });
	is($res->{status}, 413, 'a large body elsewhere in the API');
	is($t->json($res)->{message}, '413 Request Entity Too Large', 'has that shape');

	$res = $t->http(PUT => '/api/v4/projects/1/packages/cargo_x/api/v1/x', { curl => too_large() });
	is($t->json($res)->{message}, '413 Request Entity Too Large', 'a path that only looks alike');
};

subtest 'sizes' => sub {
	my $body = $t->publish_body($t->metadata('big', '1.0.0'), 'x' x ((10 << 20) + 1));
	my $res = $t->http(PUT => $publish, { token => $token, body => $body });

	is($res->{status}, 413, 'a crate above the limit, a body below that of nginx');
	like($t->json($res)->{errors}[0]{detail}, qr/max upload size is: 10485760/,
	    'is refused by the application, with the number');
	$res = get("$open/config.json", headers => ['X-Long: ' . 'x' x 8192]);
	is($res->{status}, 200, 'a header of 8 kB is let in');
	$res = get("$open/config.json", headers => ['X-Long: ' . 'x' x 20000]);
	is($res->{status}, 400, 'one of 20 kB is not');
	unlike($res->{body}, qr/</, 'without HTML');
	$res = get("$open/config.json?" . 'x' x 20000);
	is($res->{status}, 414, 'nor such a URL');
	unlike($res->{body}, qr/</, 'without HTML');
};

subtest 'who is asking, and for what' => sub {
	my $want = get("$open/config.json")->{body};
	my $base = $t->url . $open;

	is_deeply($t->json({ body => $want }),
	    { dl => $base, api => $base, 'auth-required' => JSON::PP::false() }, 'config.json');
	is(get("$open/config.json", headers => ["$_: evil.example.org"])->{body}, $want,
	    "$_: does not change it") for qw(Host X-Forwarded-Host X-Host Forwarded);
	like($t->raw("GET https://evil.example.org$open/config.json HTTP/1.1\r\n"
	    . "Host: localhost\r\nConnection: close\r\n\r\n"), qr/\Q$want\E/,
	    'nor does an absolute URL in the request line');
	unlike($t->raw("GET $_ HTTP/1.1\r\nHost: evil.example.org\r\nConnection: close\r\n\r\n"),
	    qr/evil/, "$_: no redirect to what the Host header says") for "$open/me", '/api/v4';
	is(get("$open/config.json", headers => ['Proxy: http://evil.example.org:1'])->{body}, $want,
	    'a Proxy header changes nothing');

	unlike($t->raw("GET $open/config.json HTTP/9.9\r\nHost: localhost\r\n\r\n"), qr/<html/,
	    'an HTTP of the future gets no page of nginx');

	my $res = get("$root/config.json", headers => ["Authorization: $token", 'Authorization: other']);
	is($res->{status}, 400, 'two Authorization headers');
	is(get("$root/config.json", token => $token)->{status}, 200, 'one');
	is(get("$open//config.json")->{status}, 400, 'slashes are not merged');
	is(get("$open/%2e%2e/cargo/config.json")->{status}, 400, 'dot segments are refused, not resolved');
	is(get("$root/x/../config.json", token => $token)->{status}, 400, 'also when they are not encoded');
};

subtest 'what is sent in pieces or in doubt' => sub {
	my $get = "GET $open/config.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
	my %refused = (
		'Content-Length twice' => "${get}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
		'Content-Length and chunks' => "${get}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		'Content-Length that is not a number' => "${get}Content-Length: +3\r\n\r\nxxx",
		'Host twice' => "${get}Host: localhost\r\n\r\n",
		'a NUL in a header' => "${get}X-A: a\0b\r\n\r\n",
	);

	for my $name (sort keys %refused) {
		my $answer = $t->raw($refused{$name});

		like($answer, qr{^HTTP/1\.1 400 }, "$name: 400");
		unlike($answer, qr/<html/, "$name: no page of nginx");
	}
	my $res = $t->http(PUT => $publish, { token => $token, body => 'abc',
	    headers => ['Transfer-Encoding: chunked'] });
	is($res->{status}, 400, 'a chunked upload reaches the application');
	like($t->json($res)->{errors}[0]{detail}, qr/\w/, 'which reads it');
};

subtest 'crates' => sub {
	my $crate = $t->make_crate('edge', '1.0.0');
	my $res = $t->publish($private, $token, 'edge', '1.0.0');
	is($res->{status}, 200, 'published') or diag($res->{body});

	$res = get("$root/edge/1.0.0/download", token => $token,
	    headers => ['Accept-Encoding: gzip, deflate']);
	is($res->{status}, 200, 'downloaded');
	ok($res->{body} eq $crate, 'the very bytes');
	is($res->{headers}{'content-encoding'}, undef, 'not encoded');
	is($res->{headers}{'content-length'}, length $crate, 'with their length');
	like($res->{headers}{'cache-control'}, qr/private/, 'for the caller alone');
	like($res->{headers}{etag}, qr/^"/, 'with a strong ETag');
	is($res->{headers}{'x-berth-download'}, undef, 'the ids are for the log');
	ok($t->wait_for(sub { $t->log('nginx-berth-downloads') =~ /status=200 .*ids="[^"-][^"]*"/ }),
	    'which has them');
	is(get("$root/edge/1.0.0/download", token => $token,
	    headers => ["If-None-Match: $res->{headers}{etag}"])->{status}, 304, 'conditional');
	my $part = get("$root/edge/1.0.0/download", token => $token, headers => ['Range: bytes=2-5']);
	is($part->{status}, 206, 'a range');
	is($part->{body}, substr($crate, 2, 4), 'of the bytes');
	my $head = $t->http(HEAD => "$root/edge/1.0.0/download", { token => $token });
	is($head->{headers}{'content-length'}, length $crate, 'HEAD has the length');
	my $other = get("$root/edge/1.0.0/download", token => $token, headers => ['If-Match: "other"']);
	is($other->{status}, 412, 'not if it had to be another one');
	unlike($other->{body}, qr/</, 'without HTML');
	is(get("$root/edge/1.0.0/download", headers => ["If-None-Match: $res->{headers}{etag}",
	    'Range: bytes=0-1'])->{status}, 401, 'none of it without a token');

	my ($blob) = $t->psql('SELECT sha256 FROM blobs');
	ok(defined $blob, 'there is a blob') or return;
	my $sha = $blob =~ s/^\\x//r;
	my $inside = join('/', '/-/blob', substr($sha, 0, 2), substr($sha, 2, 2), $sha);
	my $none = get($inside, token => $token, headers => ['X-Accel-Redirect: ' . $inside]);
	is($none->{status}, 404, 'the blob cannot be asked for directly');
	is(get($inside =~ s/blob/%62lob/r, token => $token)->{status}, 404, 'however it is spelled');
	is(get("/x/..$inside", token => $token)->{status}, 404, 'by whatever way');

	unlink($t->store . $inside =~ s{^/-/blob}{}r) or die "no blob at $inside: $!\n";
	$none = get("$root/edge/1.0.0/download", token => $token);
	is($none->{status}, 503, 'bytes that are gone are our fault, not a 404');
	is($none->{headers}{'content-type'}, 'text/plain; charset=utf-8', 'said in plain text');
	like($none->{headers}{'cache-control'}, qr/no-store/, 'and not cached');
};

# Before 1.23 nginx hands over each of several headers, later it joins them with commas: of what
# must not be there twice neither makes anything good.
subtest 'headers that come twice' => sub {
	my $user = '/api/v4/personal_access_tokens/self';
	my $twice = sub {
		my ($name, @values) = @_;

		return get($user, headers => [map { "$name: $_" } @values])->{status};
	};

	is(get($user, headers => ["Private-Token: $token"])->{status}, 200, 'PRIVATE-TOKEN');
	like($twice->('Private-Token', $token, 'x'), qr/^(?:200|40[01])$/, 'twice: the first, or neither');
	like($twice->('Private-Token', 'x', $token), qr/^40[01]$/, 'never the second');
	is(get($user, headers => ["Private-Token: $token", "Job-Token: $token"])->{status}, 400,
	    'two kinds: neither');
	is(get($user, headers => ["Private-Token: $token", "Authorization: $token"])->{status}, 400,
	    'also beside Authorization');
	is(get("$root/config.json", headers => ["Private-Token: $token"])->{status}, 200,
	    'for cargo\'s routes as well');
	my @from = map { "X-Forwarded-For: 203.0.113.$_" } 1, 2;
	is($t->http(PUT => $publish, { token => $token,
	    headers => [@from, 'X-Real-IP: 203.0.113.3', 'Remote-Addr: 203.0.113.4',
	    'Cookie: a=1', 'Cookie: b=2'],
	    body => $t->publish_body($t->metadata('twice', '1.0.0'), $t->make_crate('twice', '1.0.0')) })->{status},
	    200, 'a publish with addresses in headers');
	is($t->psql("SELECT host(remote_addr::inet) FROM audit_events WHERE action = 'crate.publish'"
	    . " ORDER BY id DESC LIMIT 1"), '127.0.0.1', 'is from where nginx saw it come from');
};

# A header `Proxy` must not become the HTTP_PROXY that programs look for: nobody calls there.
subtest 'a header named Proxy' => sub {
	my $proxy = IO::Socket::INET->new(Listen => 4, LocalAddr => '127.0.0.1', Proto => 'tcp')
	    or die "socket: $!\n";
	my $res = $t->http(PUT => $publish,
	    { token => $token, headers => ['Proxy: http://127.0.0.1:' . $proxy->sockport],
	    body => $t->publish_body($t->metadata('proxied', '1.0.0'), $t->make_crate('proxied', '1.0.0')) });

	is($res->{status}, 200, 'a publish with it, which starts another program');
	ok(!IO::Select->new($proxy)->can_read(0), 'nobody called the proxy');
	my $pid = $t->pool_pid;
	for my $worker ($pid, split ' ', Berth::Cluster::slurp("/proc/$pid/task/$pid/children")) {
		unlike(Berth::Cluster::slurp("/proc/$worker/environ"), qr/(?:^|\0)HTTP_PROXY=/,
		    "process $worker does not have it");
	}
};

subtest 'in a server that has regular expressions of its own' => sub {
	$t->stop_nginx;
	$t->start_nginx(sub { s/^\tlocation \/ \{/\tlocation ~ json { return 410; }\n$&/mr });
	is(get('/some.json')->{status}, 410, 'they are in force');
	is(get("$open/config.json")->{status}, 200, 'and the registry comes first');
	$t->stop_nginx;
	$t->start_nginx;
};

# Somebody who has recorded it could send it again.
subtest 'what comes before the end of the handshake' => sub {
	my %shape = ($publish => qr/^\{"errors":\[\{"detail":"[^"]+ send it again"\}\]\}$/,
		'/api/v4/user' => qr/^\{"message":"[^"]+ send it again"\}$/,
		'/-/tokens' => qr/^[^\n{<]+ send it again\n\z/);

	# a balancer says so (RFC 8470)
	for my $path (sort keys %shape) {
		for my $method (qw(POST PUT DELETE PATCH)) {
			my $res = $t->http($method => $path, { token => $token, body => '{}', headers => ['Early-Data: 1'] });

			is($res->{status}, 425, "$method $path");
			like($res->{body}, $shape{$path}, '  in the form of its route');
		}
	}
	# 1 is the only valid value; any other, and several, mean the same
	for my $values ([''], ['0'], ['x'], ['0', '1'], ['', '1']) {
		is($t->http(PUT => $publish, { token => $token, headers => [map { "Early-Data: $_" } @$values] })->{status},
		    425, "Early-Data: @$values");
	}
	is(get("$open/config.json", headers => ['Early-Data: 1'])->{status}, 200, 'a read is answered');
	my $large = $t->http(PUT => $publish,
	    { token => $token, body => noise(2 << 20), headers => ['Early-Data: 1'] });
	is($large->{status}, 425, 'nor a publish about which nginx asks first');
	# and nginx, where somebody has switched it on
	$t->stop_nginx;
	$t->start_nginx(sub { s/^\tssl_session_tickets off;/\tssl_session_tickets on;\n\tssl_early_data on;/mr });
	my ($session, $early) = map { $t->dir . "/$_" } qw(tls-session early-data);
	my $talk = sub {
		my ($request, @options) = @_;

		return (Berth::Cluster::capture({ stdin => $request }, 'timeout', 20, 'openssl', 's_client', '-tls1_3',
		    '-ign_eof', '-servername', 'localhost', '-connect', '127.0.0.1:' . $t->port, @options))[1];
	};
	for my $case (["GET $open/config.json", '200'], ["PUT $publish", '425'],
		["DELETE $root/api/v1/crates/x/1.0.0/yank", '425']) {
		my ($line, $status) = @$case;
		my $request = join("\r\n", "$line HTTP/1.1", 'Host: localhost', "Authorization: $token",
		    'Content-Length: 0', 'Connection: close', '', '');

		my $answer = '';

		Berth::Test::write_file($early, $request);
		# if the handshake ends before nginx has read the request, nobody can have repeated it: once more
		for (my $tries = 20; $tries > 0 && $answer !~ /^HTTP\/1\.1 $status/m; $tries--) {
			like($talk->($request, '-sess_out', $session), qr/^HTTP\/1\.1 (?!425)\d+/m,
			    "$line: after the handshake");
			$answer = $talk->('', '-sess_in', $session, '-early_data', $early);
		}
		like($answer, qr/^Early data was accepted/m, '  before its end');
		like($answer, qr/^HTTP\/1\.1 $status/m, "  gets $status");
	}
	unlink($early);
	$t->stop_nginx;
	$t->start_nginx;
};

subtest 'the pool is away' => sub {
	is($t->stop_pool, 0, 'it stopped without a complaint');
	my $res = get("$open/config.json", no_pool => 1);
	is($res->{status}, 502, 'the index');
	like($res->{body}, qr/^[^\n{<]+\n\z/, 'answers in plain text');
	is($res->{headers}{'retry-after'}, 5, 'and says when to come back');
	$res = $t->http(PUT => $publish, { body => 'x', no_pool => 1 });
	is($res->{status}, 503, 'the web API, to a write');
	like($t->json($res)->{errors}[0]{detail}, qr/busy or restarting/, 'answers in JSON');
	$res = get('/api/v4/projects/1/packages', no_pool => 1);
	is($t->json($res)->{message}, '502 Bad Gateway', 'the management API in its own');
	like($res->{headers}{'x-served-by'}, qr/^[0-9a-f]{32}$/, 'with a request id');

	# Somebody who accepts and never answers, and nginx told to be impatient.
	my $silent = IO::Socket::UNIX->new(Type => Socket::SOCK_STREAM(), Listen => 8,
	    Local => $t->socket_path) or die "socket: $!\n";
	$t->stop_nginx;
	$t->start_nginx(sub { s/fastcgi_read_timeout \d+s/fastcgi_read_timeout 1s/r });
	$res = $t->http(PUT => $publish, { body => 'x', no_pool => 1 });
	is($res->{status}, 503, 'a pool that does not answer');
	like($t->json($res)->{errors}[0]{detail}, qr/busy/, 'JSON again');
	$res = get("$open/api/v1/crates?q=x", no_pool => 1);
	is($res->{status}, 504, 'to a read: 504');
	like($t->json($res)->{errors}[0]{detail}, qr/too long/, 'in JSON');
	is(get("$open/config.json", no_pool => 1)->{headers}{'content-type'},
	    'text/plain; charset=utf-8', 'and plain text again');
	$t->stop_nginx;
	close($silent);
	$t->start_nginx;
};

# An error log that has a line for each upload hides what is wrong.
subtest 'publishes of all sizes are no errors' => sub {
	my %size = ('10 kB' => 10_000, '145 kB' => 145_000, 'just below 1 MB' => 990_000, '3 MB' => 3_000_000);
	my $patch = 0;

	for my $http2 (0, 1) {
		for my $size (sort keys %size) {
			my $body = $t->publish_body(Berth::Crate::metadata('sized', '1.0.' . ++$patch),
			    Berth::Crate::make('sized', "1.0.$patch", files => { 'x.bin' => noise($size{$size}) }));
			my $before = length $t->log('nginx-error');
			my $res = $t->http(PUT => $publish, { token => $token, body => $body, http2 => $http2 });

			is($res->{status}, 200, "$size over HTTP/" . ($http2 ? 2 : '1.1')) or diag($res->{body});
			is(join("\n", grep { /\[(?:warn|error|crit|alert|emerg)\]/ }
			    split(/\n/, substr($t->log('nginx-error'), $before))), '', 'nginx complains of nothing');
		}
	}
	is($t->http(PUT => '/-/berth/upload-large', { token => $token, body => 'x', may_fail => 1 })->{status}, 404,
	    'the location for large ones is nginx\'s own');
};

done_testing();

sub get {
	my ($path, %opt) = @_;

	return $t->http(GET => $path, \%opt);
}

sub started {
	$t->start_pool;
	$t->start_nginx;
	return 1;
}

# A body one byte above nginx's own limit, announced and not sent.
sub too_large {
	return ['-H', 'Expect: 100-continue', '--expect100-timeout', 10, '-T', large_file()];
}

sub large_file {
	my $path = $t->dir . '/large';

	open(my $fh, '>', $path) or die "$path: $!\n";
	truncate($fh, (12 << 20) + 1) or die "$path: $!\n";
	close($fh);
	return $path;
}
