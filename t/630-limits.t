#!/usr/bin/perl

# How fast one caller may write: a workspace passes, a flood is told when to try again and leaves
# nothing behind, others go on.  Time passes by moving the buckets, never by waiting.

use strict;
use warnings;

use Test::More;

use Berth::FastCGI qw(fetch);
use Berth::Publish;
use Berth::Routes;
use Berth::Test;

use constant WORKSPACE => 50;

subtest 'as configured by default: a workspace in a row' => sub {
	my $p = Berth::Publish->new;
	my @refused = grep { $_->{status} != 200 } map { $p->publish("member-$_", '1.0.0') } 1 .. WORKSPACE;

	is(scalar @refused, 0, WORKSPACE . ' new crates pass') or diag($refused[0]{body});
	is($p->test->psql('SELECT actor, action, granted FROM rate_limits'), 'user:1|new_crate|t',
	    'and were counted, in one bucket');
};

my $p = Berth::Publish->new(new_crate_burst => 2, new_crate_per_minute => 1, publish_burst => 3,
    publish_per_minute => 2, yank_burst => 2, yank_per_minute => 2, failed_login_burst => 3,
    failed_login_per_minute => 1);
my $t = $p->test;
my %token = (dev => $p->token, again => $t->token('dev'));
$t->user('other');
$t->user('nobody');
$t->member('other', 'demo', 'developer');
$token{$_} = $t->token($_) for qw(other nobody);

# Lets seconds pass, for all buckets.
sub pass_time {
	my ($seconds) = @_;

	$t->psql("UPDATE rate_limits SET full_at = full_at - interval '$seconds seconds'");
	return;
}

sub forget { $t->psql('DELETE FROM rate_limits'); return; }

sub buckets {
	return join(' ', $t->psql("SELECT actor || '/' || action FROM rate_limits ORDER BY 1"));
}

sub body_of {
	my ($name, $version) = @_;

	return $t->publish_body($t->metadata($name, $version), $t->make_crate($name, $version));
}

# A publish by somebody.
sub put {
	my ($who, $name, $version) = @_;

	return $p->put(body_of($name, $version), token => $token{$who});
}

# Refused for a while: at most so many seconds, which the sentence says as well.
sub limited {
	my ($name, $res, $sentence, $most) = @_;
	my $seconds = $res->{headers}{'retry-after'} // 0;

	$p->refused($name, $res, 429, qr/^$sentence; please try again in $seconds seconds?$/);
	cmp_ok($seconds, '>=', 1, "$name: Retry-After says how long");
	cmp_ok($seconds, '<=', $most, "$name: and no longer than one token takes");
}

sub yank {
	my ($who, $version, $verb) = @_;

	return $p->http($verb eq 'yank' ? 'DELETE' : 'PUT', $p->root . "/api/v1/crates/one/$version/$verb",
	    { token => $token{$who} });
}

subtest 'new crates' => sub {
	is(put('dev', $_, '1.0.0')->{status}, 200, "$_ is new") for qw(one two);
	my $res = put('dev', 'three', '1.0.0');
	limited('V31: the third', $res, 'too many new crates were published in a short time', 60);
	is(join(' ', $t->routes_of($p->put('x' x 200_000), 2)), 'publish_authorize publish',
	    'nginx cannot tell whether a body is a new crate');
	limited('another token of the same user', put('again', 'three', '1.0.0'), 'too many new crates.*', 60);
	is(put('other', 'three', '1.0.0')->{status}, 200, 'another user');
	is(put('dev', 'One', '1.0.0')->{status}, 400, 'another spelling is no new crate');
	pass_time(60);
	is(put('dev', 'four', '1.0.0')->{status}, 200, 'after a minute there is one more');
	limited('and one only', put('dev', 'five', '1.0.0'), 'too many new crates.*', 60);
	pass_time(3600);
	is(put('dev', $_, '1.0.0')->{status}, 200, "after an hour: $_") for qw(five six);
	limited('no more than the burst', put('dev', 'seven', '1.0.0'), 'too many new crates.*', 60);
};

subtest 'new versions' => sub {
	forget();
	is(put('dev', 'one', "1.1.$_")->{status}, 200, "1.1.$_") for 1, 2;
	is($p->put($t->publish_body($t->metadata('one', '1.1.3'), 'no crate'))->{status}, 400,
	    'row 12: what is wrong with the crate');
	limited('counts all the same', put('dev', 'one', '1.1.3'),
	    'too many versions were published in a short time', 30);
	is(put('dev', $_, '1.0.0')->{status}, 200, "new crates have a count of their own: $_") for qw(eight nine);
	limited('where nothing can go', put('dev', 'ten', '1.0.0'), 'too many new crates were published.*', 60);
	my $res = $p->put('x' x 200_000);
	limited('however large', $res, 'too many versions were published.*', 30);
	is(join(' ', $t->routes_of($res, 1)), 'publish_authorize', 'the body is not even read');
	my $before = $t->psql('SELECT string_agg(full_at::text, chr(44) ORDER BY action) FROM rate_limits');
	put('dev', 'ten', '1.0.0') for 1 .. 3;
	is($t->psql('SELECT string_agg(full_at::text, chr(44) ORDER BY action) FROM rate_limits'), $before,
	    'asking in vain puts nothing off');
	pass_time(30);
	is(put('dev', 'one', '1.1.3')->{status}, 200, 'after half a minute one passes');
};

subtest 'names of a group' => sub {
	my $open = $t->project('demo/open');
	my $path = '/api/v4/groups/demo/-/packages/cargo/api/v1/crates/new';
	my $put = sub { $p->http(PUT => $path, { token => $token{nobody}, body => body_of($_[0], "9.0.0") }) };

	forget();
	$t->member('nobody', 'demo/open', 'developer');
	$t->berth_ok('group', 'set', 'demo', 'default_project=demo/open');
	$p->refused('a name that is taken', $put->('one'), 403, qr/`one` is taken in group `demo`/) for 1, 2;
	limited('a caller who tries names', $put->('one'), 'too many new crates.*', 60);
	limited('and who tries another name', $put->('no-such-name'), 'too many new crates.*', 60);
	is($t->psql("SELECT string_agg(action, ' ') FROM rate_limits"), 'new_crate',
	    'counts like a new crate');
	$t->member('nobody', 'demo/open', 'none');
	$t->berth_ok('group', 'set', 'demo', 'default_project=');
};

subtest 'only looked at before the upload' => sub {
	forget();
	my $res = fetch($t->socket_path, $p->new_path, REQUEST_METHOD => 'PUT', BERTH_SUBREQUEST => 1,
	    HTTP_AUTHORIZATION => $token{dev}, REMOTE_ADDR => '192.0.2.1');
	is($res->{status}, 204, 'nginx may ask');
	is(buckets(), '', 'nothing is charged');
};

subtest 'yanks' => sub {
	is(yank('dev', '1.0.0', 'yank')->{status}, 200, 'yank');
	is(yank('dev', '1.0.0', 'unyank')->{status}, 200, 'unyank counts with it');
	limited('the third', yank('dev', '1.0.0', 'yank'),
	    'too many versions were yanked or unyanked in a short time', 30);
	unlike($p->get('/3/o/one')->{body}, qr/"yanked":true/, 'nothing is yanked');
	is(yank('other', '1.0.0', 'yank')->{status}, 200, 'another user can');
	pass_time(30);
	is(yank('dev', '1.0.0', 'unyank')->{status}, 200, 'after half a minute');
};

# ---- credentials that are not good ----

my $sentence = 'too many invalid credentials were sent from this address';

# Sends a request straight to the pool, from an address.  Options: method, header => value of
# FastCGI parameters, body, type.
sub from {
	my ($address, $path, %opt) = @_;
	my $body = $opt{body} // '';

	return fetch($t->socket_path, $path, REQUEST_METHOD => $opt{method} // 'GET', REMOTE_ADDR => $address,
	    CONTENT_TYPE => $opt{type} // 'application/json', body => $body, %{ $opt{param} // {} });
}

sub yank_from {
	my ($address, $token) = @_;

	return from($address, $p->root . '/api/v1/crates/one/1.0.0/yank', method => 'DELETE',
	    param => { defined $token ? (HTTP_AUTHORIZATION => $token) : () })->{status};
}

# Uses up the budget of the address.
sub use_up {
	my ($address) = @_;

	$t->psql("INSERT INTO rate_limits"
	    . " VALUES ('address:$address', 'failed_login', true, now() + interval '180 seconds')"
	    . ' ON CONFLICT (actor, action) DO UPDATE SET full_at = excluded.full_at');
	return;
}

subtest 'invalid tokens' => sub {
	my $unknown = 'berth_pat_' . 'A' x 43;

	forget();
	is($t->http(GET => $p->root . '/config.json')->{status}, 401, 'config.json without a token') for 1 .. 5;
	is($p->put('x', token => undef)->{status}, 401, 'a publish without a token') for 1 .. 5;
	is(buckets(), '', 'neither counts');

	is($p->put('x', token => $_)->{status}, 401, "a bad token: $_") for $unknown, 'garbage';
	is($t->http(GET => $p->root . '/config.json', { token => 'garbage' })->{status}, 401, 'or of a read');
	is(buckets(), 'address:127.0.0.1/failed_login', 'these do, by address');
	limited('the next', $p->put('x', token => 'garbage'), $sentence, 60);
	my $before = $t->psql('SELECT full_at FROM rate_limits');
	limited('and the one after that', $p->put('x', token => $unknown), $sentence, 60) for 1 .. 3;
	is($t->psql('SELECT full_at FROM rate_limits'), $before, 'asking in vain puts nothing off');
	my $xmin = $t->psql('SELECT xmin FROM rate_limits');
	is(yank_from('127.0.0.1', 'garbage'), 429, 'one more');
	is($t->psql('SELECT xmin FROM rate_limits'), $xmin, 'nor does it write anything');
	is(put('dev', 'one', '1.2.0')->{status}, 200, 'a good token publishes from there');
	is(yank('dev', '1.0.0', 'yank')->{status}, 200, 'yanks');
	is($p->get('/config.json')->{status}, 200, 'and reads');
	is($p->put('x', token => undef)->{status}, 401, 'none is none');
	is(yank_from('192.0.2.7', 'garbage'), 401, 'another address has a count of its own');
	pass_time(60);
	is($p->put('x', token => 'garbage')->{status}, 401, 'after a minute a bad one is a bad one');

	forget();
	is(yank_from("2001:db8::$_", 'garbage'), 401, "IPv6 $_") for 1 .. 3;
	is(yank_from('2001:db8::ffff:4', 'garbage'), 429, 'of which one network is one address');
	is(yank_from('2001:db8:0:1::1', 'garbage'), 401, 'and another another');
	is(yank_from("::ffff:192.0.2.$_", 'garbage'), 401, "IPv4 $_ on IPv6") for 1 .. 4;
	is(yank_from('', 'garbage'), 401, 'an address that is not known counts nowhere') for 1 .. 4;
	like(buckets(), qr{address:192\.0\.2\.1/failed_login.* address:2001:db8:0:1::/64/failed_login },
	    'their names');
};

subtest 'a thousand bad tokens' => sub {
	my $path = $t->dir . '/flood.curl';

	forget();
	open(my $list, '>', $path) or die "$path: $!\n";
	for my $n (1 .. 1000) {
		print {$list} $n > 1 ? "next\n" : '', 'url = "', $t->url, $p->root, "/config.json\"\n",
		    "header = \"Authorization: flood-$n\"\ncacert = \"", $t->cacert, "\"\nnoproxy = \"*\"\nsilent\n",
		    "output = \"/dev/null\"\nwrite-out = \"%{http_code}\\n\"\n";
	}
	close($list);
	my (undef, $out) = Berth::Cluster::capture('curl', '-K', $path);
	my %count;
	$count{$_}++ for split(/\n/, $out);
	is_deeply([sort keys %count], [401, 429], 'all are refused');
	cmp_ok($count{401}, '<', 20, 'few are answered more than that there are too many');
	is(put('dev', 'one', '1.2.1')->{status}, 200, 'a good one publishes');
	is(yank('dev', '1.2.1', 'yank')->{status}, 200, 'and yanks');
};

# Each kind of bad credential, in each place of a request.
subtest 'the kinds of them' => sub {
	my $config = $p->root . '/config.json';
	my $exchange = $p->root . '/api/v1/trusted_publishing/tokens';
	my $revoked = $t->token('dev');
	my ($row) = $t->psql('SELECT max(id) FROM tokens');
	my $jwt = 'eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJodHRwczovL2Vsc2V3aGVyZS5leGFtcGxlIn0.AAAA';
	my %header = (HTTP_ORIGIN => $t->url);
	my @bad = (
		['a token that is unknown', 401, $config, param => { HTTP_AUTHORIZATION => 'berth_pat_' . 'A' x 43 }],
		['of no known form', 401, $config, param => { HTTP_AUTHORIZATION => 'garbage' }],
		['with Bearer', 401, $config, param => { HTTP_AUTHORIZATION => 'Bearer garbage' }],
		['with Basic', 401, $config, param => { HTTP_AUTHORIZATION => 'Basic Z2FyYmFnZTpnYXJiYWdl' }],
		['that cannot be read', 401, $config, param => { HTTP_AUTHORIZATION => 'Basic !' }],
		['that is revoked', 401, $config, param => { HTTP_AUTHORIZATION => $revoked }],
		['an identity token of nobody', 401, $config, param => { HTTP_AUTHORIZATION => $jwt }],
		(map { ["under $_", 401, '/api/v4/user', param => { "HTTP_$_" => 'garbage' }] }
		    qw(PRIVATE_TOKEN DEPLOY_TOKEN JOB_TOKEN)),
		['an identity token to exchange', 400, $exchange, method => 'POST', body => qq({"jwt":"$jwt"})],
		['garbage to exchange', 400, $exchange, method => 'POST', body => '{"jwt":"garbage"}'],
		(map { ["a sign-in code, `$_`", 403, '/-/sign-in', method => 'POST', param => \%header,
		    type => 'application/x-www-form-urlencoded', body => $_] } 'code=' . 'A' x 43, 'code=x',
		    'code=' . 'A' x 43 . '&confirm=true'),
	);
	my $n = 0;

	$t->berth_ok('token', 'revoke', $row);
	for my $case (@bad) {
		my ($name, $status, @request) = @$case;
		my $address = '198.51.100.' . ++$n;

		is(from($address, @request)->{status}, $status, "$name: refused");
		is($t->psql("SELECT count(*) FROM rate_limits WHERE actor = 'address:$address'"), 1, "$name: and counted");
		use_up($address);
		my $res = from($address, @request);
		is($res->{status}, 429, "$name: then too many");
		like($res->{body}, qr/\Q$sentence\E/, "$name: it says so");
		like($res->{headers}{'retry-after'} // '', qr/^[1-9][0-9]*$/, "$name: with Retry-After");
	}

	# a good credential works in each place
	my ($code) = $t->berth_ok('user', 'link', 'dev') =~ /^(\w{43})$/m or die;
	my @good = (
		['a token', 200, $config, param => { HTTP_AUTHORIZATION => $token{dev} }],
		['under PRIVATE-TOKEN', 200, '/api/v4/user', param => { HTTP_PRIVATE_TOKEN => $token{dev} }],
		(map { ["a sign-in code, $_->[0]", $_->[1], '/-/sign-in', method => 'POST', param => \%header,
		    type => 'application/x-www-form-urlencoded', body => "code=$code$_->[2]"] } ['entered', 200, ''],
		    ['confirmed', 303, '&confirm=true']),
	);
	use_up('198.51.100.250');
	is(from('198.51.100.250', @$_[2 .. $#$_])->{status}, $_->[1], "$_->[0]: good all the same") for @good;
};

# The same holds on every route.
subtest 'every route' => sub {
	my $unknown = 'berth_pat_' . 'A' x 43;
	my @others = (401, 429);
	my $seen = 0;

	use_up('203.0.113.9');
	for my $route (grep { $_->{policy} && $_->{pattern} !~ m{^-/} } Berth::Routes::all()) {
		my $path = Berth::Routes::path($route, id => $p->id);

		for my $method (@{ $route->{methods} }) {
			my %opt = (method => $method,
			    param => { BERTH_SUBREQUEST => $route->{name} eq 'publish_authorize' ? 1 : '' });
			my $name = "$method $route->{name}";
			my $nothing = $route->{name} =~ /revoke_self|rotate_self/;

			$opt{param}{HTTP_AUTHORIZATION} = $unknown;
			my $res = from('203.0.113.9', $path, %opt);
			is($res->{headers}{'x-berth-status'} // $res->{status}, 429, "$name: a bad token");
			# a user with few rights, so that the request has an effect
			$opt{param}{HTTP_AUTHORIZATION} = $nothing ? $t->token('nobody') : $token{nobody};
			my $status = from('203.0.113.9', $path, %opt)->{status};
			ok((!grep { $_ == $status } @others), "$name: a good one: $status");
			$seen++;
		}
	}
	cmp_ok($seen, '>', 60, "$seen of them");
};

subtest 'many at once' => sub {
	forget();
	my @status = $t->parallel(8, sub { return put('dev', "at-once-$_[0]", '1.0.0')->{status} });
	is(join(' ', sort @status), '200 200 429 429 429 429 429 429', 'the burst passes, whoever else asks');
	is($t->psql("SELECT count(*) FROM crates WHERE name LIKE 'at-once-%'"), 2, 'and no more is there');
};

subtest 'old buckets go' => sub {
	forget();
	$t->psql("INSERT INTO rate_limits SELECT 'user:' || n, 'publish', true, now() + n * interval '1 hour'"
	    . ' FROM generate_series(-1011, -1000) n');
	$t->psql("INSERT INTO rate_limits VALUES ('user:2000', 'publish', false, now() + interval '1 hour')");
	is(put('other', 'one', '1.3.0')->{status}, 200, 'a publish');
	is($t->psql('SELECT count(*) FROM rate_limits WHERE full_at < now()'), 4, 'takes the oldest eight away');
	is(put('other', 'one', '1.3.1')->{status}, 200, 'another');
	is(buckets(), 'user:2/publish user:2000/publish', 'the rest, and none that is in use');
};

subtest 'the real cargo' => sub {
	my $missing = Berth::Test::cargo_missing();
	plan skip_all => $missing if $missing;

	forget();
	$t->psql("INSERT INTO rate_limits SELECT 'user:1', a, true, now() + interval '1 hour'"
	    . " FROM unnest('{new_crate,publish}'::text[]) a");
	$t->cargo_setup(priv => { id => $p->id, token => $p->token });
	my $dir = $t->dir . '/flood';
	mkdir $_ or die "$_: $!\n" for $dir, "$dir/src";
	Berth::Test::write_file("$dir/src/lib.rs", '');
	Berth::Test::write_file("$dir/Cargo.toml", "[package]\nname = \"flood\"\nversion = \"1.0.0\"\n"
	    . "edition = \"2021\"\n");
	my ($status, undef, $err) = $t->cargo('publish', '--registry', 'priv', '--no-verify', dir => $dir);
	isnt($status, 0, 'cargo publish fails');
	my $why = 'too many new crates were published in a short time';
	like($err, qr/429 Too Many Requests\b.*: $why; please try again in \d+ seconds/,
	    'and shows why, and for how long');
	pass_time(3600);
	($status, undef, $err) = $t->cargo('publish', '--registry', 'priv', '--no-verify', dir => $dir);
	is($status, 0, 'later it succeeds') or diag($err);
};

subtest '0 is no limit' => sub {
	$t->stop_pool;
	$t->conf(map { ("${_}_burst" => 0) } qw(new_crate publish yank failed_login));
	forget();
	is(put('dev', "free-$_", '1.0.0')->{status}, 200, "new crate $_") for 1 .. 4;
	is(put('dev', 'one', "1.4.$_")->{status}, 200, "new version $_") for 1 .. 4;
	is(yank('dev', '1.0.0', $_)->{status}, 200, $_) for qw(yank unyank yank unyank);
	is($p->put('x', token => 'garbage')->{status}, 401, 'a bad token') for 1 .. 4;
	is(buckets(), '', 'nothing is counted');
};

done_testing();
