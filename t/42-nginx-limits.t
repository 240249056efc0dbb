#!/usr/bin/perl

# The limits that nginx can have for each address: not in force as installed; as the example has
# them, a build's burst passes; and what is limited is told so in the shape that its client reads.
# Cases 30 and 33 of the client's.

use strict;
use warnings;

use Test::More;

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

unlike(join('', map { Berth::Cluster::_slurp($_) } grep { !/-limits/ } glob("$Berth::Cluster::ROOT/conf/nginx/*.conf")),
    qr/^\s*(?:include .*-limits|limit_)/m, 'off unless somebody includes them');

subtest 'case 30: as the example has them' => sub {
	limited(sub { $_ });
	my ($status, $out, $err) = Berth::Cluster::capture(Berth::Test::_nginx(), '-t', '-e', 'stderr', '-c', $t->nginx_conf);
	is($status, 0, 'nginx -t is content');
	unlike("$out$err", qr/\[(?:warn|error|alert|emerg|crit)\]/, 'and has no warning');
	is_deeply(burst(500, "$root/config.json"), { 200 => 500 }, 'five hundred reads at once over one connection pass');
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

subtest 'writes have a count of their own' => sub {
	limited(sub { s/berth_writes burst=\d+/berth_writes burst=1/r =~ s{(zone=berth_writes:10m rate=)\d+r/s}{${1}1r/m}r });
	is($t->publish($id, $token, 'foo', "1.0.$_")->{status}, 200, "publish $_") for 1, 2;
	my $res = $t->publish($id, $token, 'foo', '1.0.3');
	told($res, 'publish');
	like($t->json($res)->{errors}[0]{detail}, qr/^too many requests from this address/, 'in the shape of cargo');
	my $read = $t->http(GET => "$root/config.json", { token => $token });
	is($read->{status}, 200, 'reads go on');
	is(join(' ', $t->routes_of($read, 1)), 'config_json', 'which the pool logs');
	unlike($t->log('pool'), qr/ id=$res->{headers}{'x-served-by'} /, 'and it was not asked before');
};


done_testing();
