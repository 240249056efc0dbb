#!/usr/bin/perl

# The limits that nginx can have for each address: not in force as installed; as the example has
# them, a build's burst passes; and what is limited is told so in the shape that its client reads.
# Cases 30 and 33 of the client's.

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 ();
use Test::More;
use Time::HiRes qw(stat);

use Berth::File;
use Berth::Test;

my $t = Berth::Test->new(workers => 4);
my $id = $t->project('demo/registry', 'public');
$t->user('alice');
$t->member('alice', 'demo', 'maintainer');
my $token = $t->token('alice');
my $root = $t->registry($id);
my $publish = "$root/api/v1/crates/new";

# Starts nginx with the two files, changed by $edit, included where they say.
sub limited {
	my ($edit) = @_;

	$t->stop_nginx;
	$t->start_nginx(sub {
		my $text = $edit->();

		$text =~ s/^server \{\n/include berth\/berth-limits-http.conf;\n${&}include berth\/berth-limits.conf;\n/m;
		return $text;
	});
}

# The statuses of $n requests at once over one HTTP/2 connection.
sub burst {
	my ($n, $path) = @_;

	$t->start_pool;
	my (undef, $out) = Berth::Cluster::capture('curl', '-sS', '--noproxy', '*', '--http2', '-Z',
	    '--parallel-max', 100, '--cacert', $t->cacert, '-w', '\n%{http_code}\n', '-o', '/dev/null',
	    $t->url . "$path?[1-$n]");
	my %count;

	$count{$_}++ for $out =~ /^(\d{3})$/mg;
	return \%count;
}

sub told {
	my ($res, $name) = @_;

	is($res->{status}, 429, "$name: 429") or diag($res->{body});
	like($res->{headers}{'retry-after'}, qr/^(?:[1-9]|10)$/, "$name: Retry-After, no more than cargo waits");
	like($res->{headers}{'cache-control'}, qr/no-store/, "$name: not to be cached");
	like($res->{headers}{'x-served-by'}, qr/^[0-9a-f]{32}$/, "$name: a request id");
	unlike($res->{body}, qr/<html/i, "$name: no page of nginx");
}

unlike(join('', map { Berth::Cluster::slurp($_) } grep { !/-limits/ }
    glob("$Berth::Cluster::ROOT/conf/nginx/*.conf")),
    qr/^\s*(?:include .*-limits|limit_)/m, 'off unless somebody includes them');

subtest 'case 30: as the example has them' => sub {
	limited(sub { $_ });
	my ($status, $out, $err) = Berth::Cluster::capture(Berth::Test::nginx_program(), '-t', '-e', 'stderr', '-c',
	    $t->nginx_conf);
	is($status, 0, 'nginx -t is content');
	unlike("$out$err", qr/\[(?:warn|error|alert|emerg|crit)\]/, 'and has no warning');
	is_deeply(burst(500, "$root/config.json"), { 200 => 500 },
	    'five hundred reads at once over one connection pass');
	my $res = $t->publish($id, $token, 'foo', '1.0.0');
	is($res->{status}, 200, 'and so does a publish') or diag($res->{body});
};

subtest 'case 33: too many of them' => sub {
	limited(sub { s/burst=\d+/burst=2/r =~ s{rate=\d+r/s}{rate=1r/m}gr });
	is_deeply(burst(8, "$root/config.json"), { 200 => 3, 429 => 5 }, 'reads: one, the burst, and no more');
	my $res = $t->http(GET => "$root/config.json");
	told($res, 'index');
	is($res->{headers}{'content-type'}, 'text/plain; charset=utf-8', 'index: plain text');
	like($res->{body}, qr/^too many requests [^\n]+\n\z/, 'index: one sentence');
	$res = $t->http(GET => '/api/v4/projects/1/packages');
	told($res, 'management API');
	is($t->json($res)->{message}, '429 Too Many Requests', 'management API: its shape');
};

# nginx -t accepts a new key for a zone, but a reload does not: nginx goes on with the old configuration.
subtest 'a zone keeps its key' => sub {
	my %key = (berth_reads => q($berth_reader), berth_writes => q($berth_writer),
	    berth_strangers => q($berth_stranger));
	my %found;

	for my $file (glob 'conf/nginx/*.conf') {
		my $text = Berth::File::slurp($file);

		$found{$2} = $1 while $text =~ /^\s*limit_\w+_zone (\S+) zone=(\w+):/mg;
	}
	is_deeply(\%found, \%key, 'names and keys are those of before: a new key needs a new name');
};

subtest 'writes have a count of their own' => sub {
	limited(sub { s/berth_writes burst=\d+/berth_writes burst=1/r
	    =~ s{(zone=berth_writes:10m rate=)\d+r/s}{${1}1r/m}r });
	my $write = sub { return $t->http(DELETE => "$root/api/v1/crates/foo/1.0.0/yank", {}) };
	is($write->()->{status}, 401, "write $_") for 1, 2;
	my $res = $write->();
	told($res, 'write');
	like($t->json($res)->{errors}[0]{detail}, qr/^too many requests from this address/, 'in the shape of cargo');
	my $read = $t->http(GET => "$root/index.json", {});
	isnt($read->{status}, 429, 'reads go on');
	unlike($t->log('pool'), qr/ id=$res->{headers}{'x-served-by'} /, 'and the pool was not asked');
};

# nginx cannot tell a good credential from a bad one: the pool does, and counts the bad ones.
subtest 'a credential is never refused for what its address did' => sub {
	limited(sub { s/burst=\d+/burst=1/r =~ s{rate=\d+r/s}{rate=1r/m}gr
	    =~ s/limit_conn berth_strangers \d+/limit_conn berth_strangers 1/r });
	my $basic = 'Basic ' . MIME::Base64::encode_base64("x:$token", '');
	my $jwt = JSON::PP->new->encode({ jwt => 'garbage' });
	my $code = sub { return $t->berth_ok('user', 'link', 'alice') =~ /^(\w{43})$/m ? $1 : die };
	my $form = { 'Content-Type' => 'application/x-www-form-urlencoded', Origin => $t->url };
	my $signed_in = $t->http(POST => '/-/sign-in',
	    { headers => $form, body => 'code=' . $code->() . '&confirm=true' });
	my ($cookie) = $signed_in->{headers}{'set-cookie'} =~ /^([^;]+)/;
	my @requests = (
		['Authorization', 200, GET => "$root/config.json", { token => $token }],
		['Basic', 200, GET => "$root/config.json", { token => $basic }],
		(map { [$_, 200, GET => '/api/v4/user', { headers => { $_ => $token } }] } 'PRIVATE-TOKEN'),
		(map { [$_, 401, GET => '/api/v4/user', { headers => { $_ => 'garbage' } }] } 'DEPLOY-TOKEN', 'JOB-TOKEN'),
		['a write', 404, DELETE => "$root/api/v1/crates/none/1.0.0/yank", { token => $token }],
		['a session', 200, GET => '/-/tokens', { headers => { Cookie => "a=b; $cookie" } }],
		['a session among other cookies', 200, GET => '/-/', { headers => { Cookie => "a=b; $cookie; c=d" } }],
		(map { ["a token at $_", 200, GET => "/-/projects/demo/registry/-/$_", { token => $token }] } 'feed.atom',
		    'crates/foo/feed.atom'),
		['a sign-in code', 200, POST => '/-/sign-in', { headers => $form, body => 'code=' . $code->() }],
		['its page', 200, GET => '/-/sign-in', {}],
		['an exchange', 400, POST => "$root/api/v1/trusted_publishing/tokens",
		    { headers => { 'Content-Type' => 'application/json' }, body => $jwt }],
	);

	$t->http(GET => "$root/config.json", {}) for 1 .. 4;
	$t->http(DELETE => "$root/config.json", {}) for 1 .. 4;
	told($t->http(GET => "$root/config.json", {}), 'without a credential');
	for my $case (@requests) {
		my ($name, $status, @request) = @$case;

		is(join(' ', map { $t->http(@request)->{status} } 1 .. 4), join(' ', ($status) x 4), "$name: four times");
	}
	is($t->publish($id, $token, 'foo', "1.2.$_")->{status}, 200, "publish $_") for 1 .. 4;
	my @status = $t->parallel(6, sub { return $t->publish($id, $token, 'foo', "1.3.$_[0]")->{status} });
	is("@status", join(' ', (200) x 6), 'and six at once');
};

# What a request occupies before the pool can check its credential, and the limit for it.
subtest 'all requests of an address, as berth-install(7) limits them' => sub {
	my $page = Berth::Cluster::slurp("$Berth::Cluster::ROOT/fcgi/man/berth-install.7");
	my ($http) = $page =~ /^(limit_conn_zone .*\n(?:limit_conn_\w+ \w+;\n)+)/m or die "no zone in the page\n";
	my ($server, $most) = $page =~ /^(limit_conn berth_addresses (\d+);\n)/m or die "no limit in the page\n";
	my $conf = Berth::Cluster::slurp("$Berth::Cluster::ROOT/conf/nginx/berth-server.conf");
	my ($requests) = $conf =~ /http2_max_concurrent_streams (\d+);/;
	my ($buffers, $kb) = $conf =~ /large_client_header_buffers (\d+) (\d+)k;/;
	my $each = $buffers * $kb * 1024 + 200_000; # t/410-upload-authorize.t

	my $connection = sprintf('%.0f', $requests * $each / 1e6);
	my $address = 10 * sprintf('%.0f', $most * $each / 1e7);

	like($page, qr/which occupy $connection MB\.$/m, 'of a connection');
	like($page, qr/ about $address MB at most\.$/m, 'of an address');
	like($page, qr/ up to @{[ $buffers * $kb ]} kB, for $_ seconds \(client_header_timeout\)/m, 'of headers')
	    for $conf =~ /client_header_timeout (\d+)s;/;

	$server =~ s/\d+(?=;)/2/;
	limited(sub { s/^server \{\n/$http$&$server/mr });
	my $disk = sub { return (stat($t->dir . '/nginx/tmp/body'))[9] };
	my $unused = $disk->();
	my @held;
	my $read = sub { return $t->http(GET => "$root/config.json", { token => $token }) };
	my $res;

	# nginx may refuse a publish that comes while it counts a read: then another one takes its place
	ok($t->wait_for(sub {
		push @held, half_a_publish();
		return ($res = $read->())->{status} == 429;
	}), 'while two are on their way, no third');
	told($res, 'a read');
	told($t->publish($id, $token, 'foo', '2.0.0'), 'a publish');
	my @answers = map { end_of_publish($_) } @held;
	is(scalar(grep { $_ eq '401' } @answers), 2, 'a bad credential, once all of it is there')
	    or diag("@answers");
	is($disk->(), $unused, 'whose body was in no file');
	ok($t->wait_for(sub { $read->()->{status} == 200 }), 'then there is room');
	is($t->publish($id, $token, 'foo', '2.0.0')->{status}, 200, 'also for a publish');
};

# The largest that nginx reads before it asks, but for its last byte.
sub half_a_publish {
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->plain_port)
	    or die "plain port: $!\n";

	print {$socket} "PUT $publish HTTP/1.1\r\nHost: localhost\r\nAuthorization: garbage\r\nConnection: close\r\n"
	    . "Content-Length: 199999\r\n\r\n" . 'x' x 199_998;
	return $socket;
}

# Sends the last byte.  The status of the answer, '' if there is none.
sub end_of_publish {
	my ($socket) = @_;
	local $SIG{PIPE} = 'IGNORE';

	print {$socket} 'x';
	return do { local $/; <$socket> // '' } =~ m{^HTTP/1\.1 (\d+) } ? $1 : '';
}

# The application does not read it there, so it would not count it either.
subtest 'what is no credential at an address lifts no limit' => sub {
	limited(sub { s/burst=\d+/burst=1/r =~ s{rate=\d+r/s}{rate=1r/m}gr });
	my $cookie = '__Host-berth=' . 'x' x 43;
	my $file = '/-/projects/demo/registry/-/crates/foo/1.2.1/source/trusted_publishing/tokens';

	$t->http(GET => "$root/config.json", {}) for 1 .. 4;
	for my $case (['a cookie at the registry', "$root/config.json", { Cookie => $cookie }],
	    ['a cookie at the API', "/api/v4/projects/$id/packages", { Cookie => $cookie }],
	    (map { ["the cookie $_", '/-/', { Cookie => $_ }] } '__Host-berth=x', "x$cookie", "$cookie; $cookie",
	        "$cookie ;a=b", '__Secure-berth=' . 'x' x 43),
	    ['a token at a page', '/-/search?q=foo', { Authorization => $token }],
	    ['a token at a page that is called as a feed', '/-/search?q=/feed.atom', { Authorization => $token }],
	    ['a file that is called as an exchange', $file, {}],
	    ['a file that is called as a feed', $file =~ s{[^/]+/[^/]+$}{-/feed.atom}r, { Authorization => $token }],
	    ['a query that is', "/api/v4/projects/$id/packages?x=/trusted_publishing/tokens", {}]) {
		my ($name, $path, $headers) = @$case;

		is($t->http(GET => $path, { headers => $headers })->{status}, 429, $name);
	}
};

done_testing();
