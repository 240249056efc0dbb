#!/usr/bin/perl

# How fast one caller may write: a workspace passes, a flood is told when to try again and leaves
# nothing behind, others go on.  Time passes by moving the buckets, never by waiting.  Class V31 of
# the specification, and row 12 of its publish checks.

use strict;
use warnings;

use Test::More;

use Berth::FastCGI qw(fetch);
use Berth::Publish;
use Berth::Test;

use constant WORKSPACE => 50;

subtest 'as configured by default: a workspace in a row' => sub {
	my $p = Berth::Publish->new;
	my @refused = grep { $_->{status} != 200 } map { $p->publish("member-$_", '1.0.0') } 1 .. WORKSPACE;

	is(scalar @refused, 0, WORKSPACE . ' new crates pass') or diag($refused[0]{body});
	is($p->test->psql('SELECT actor, action, granted FROM write_limits'), 'user:1|new_crate|t',
	    'and were counted, in one bucket');
};

my $p = Berth::Publish->new(new_crate_burst => 2, new_crate_per_minute => 1, publish_burst => 3,
    publish_per_minute => 2, yank_burst => 2, yank_per_minute => 2, failed_login_burst => 3,
    failed_login_per_minute => 1);
my $t = $p->test;
my %token = (dev => $p->token, again => $t->token('dev'));
$t->user('other');
$t->member('other', 'demo', 'developer');
$token{other} = $t->token('other');

# Lets seconds pass, for all buckets.
sub pass_time {
	my ($seconds) = @_;

	$t->psql("UPDATE write_limits SET full_at = full_at - interval '$seconds seconds'");
	return;
}

sub forget { $t->psql('DELETE FROM write_limits'); return; }

sub buckets {
	return join(' ', $t->psql("SELECT actor || '/' || action FROM write_limits ORDER BY 1"));
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
	is(join(' ', $t->routes_of($res, 2)), 'publish_authorize publish', 'it might have been a version of an old one');
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
	limited('counts all the same', put('dev', 'one', '1.1.3'), 'too many versions were published in a short time', 30);
	is(put('dev', $_, '1.0.0')->{status}, 200, "new crates have a count of their own: $_") for qw(eight nine);
	my $res = put('dev', 'ten', '1.0.0');
	limited('where nothing can go', $res, 'too many versions were published.*', 30);
	is(join(' ', $t->routes_of($res, 1)), 'publish_authorize', 'the body is not even read');
	my $before = $t->psql('SELECT string_agg(full_at::text, chr(44) ORDER BY action) FROM write_limits');
	put('dev', 'ten', '1.0.0') for 1 .. 3;
	is($t->psql('SELECT string_agg(full_at::text, chr(44) ORDER BY action) FROM write_limits'), $before,
	    'asking in vain puts nothing off');
	pass_time(30);
	is(put('dev', 'one', '1.1.3')->{status}, 200, 'after half a minute one passes');
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
	limited('the third', yank('dev', '1.0.0', 'yank'), 'too many versions were yanked or unyanked in a short time', 30);
	unlike($p->get('/3/o/one')->{body}, qr/"yanked":true/, 'nothing is yanked');
	is(yank('other', '1.0.0', 'yank')->{status}, 200, 'another user can');
	pass_time(30);
	is(yank('dev', '1.0.0', 'unyank')->{status}, 200, 'after half a minute');
};

# A yank straight to the pool, from an address.
sub yank_from {
	my ($address, $token) = @_;

	return fetch($t->socket_path, $p->root . '/api/v1/crates/one/1.0.0/yank', REQUEST_METHOD => 'DELETE',
	    defined $token ? (HTTP_AUTHORIZATION => $token) : (), REMOTE_ADDR => $address)->{status};
}

subtest 'invalid tokens' => sub {
	my $unknown = 'berth_pat_' . 'A' x 43;

	forget();
	is($t->http(GET => $p->root . '/config.json')->{status}, 401, 'config.json without a token') for 1 .. 5;
	is($t->http(GET => $p->root . '/config.json', { token => 'garbage' })->{status}, 401, 'and with a bad one') for 1 .. 5;
	is($p->put('x', token => undef)->{status}, 401, 'a publish without a token') for 1 .. 5;
	is(buckets(), '', 'none of these counts');

	is($p->put('x', token => $_)->{status}, 401, "a bad token: $_") for $unknown, 'garbage';
	is($t->http(DELETE => $p->root . '/api/v1/crates/one/1.0.0/yank', { token => 'garbage' })->{status}, 401, 'or of a yank');
	is(buckets(), 'address:127.0.0.1/failed_login', 'these do, by address');
	my $sentence = 'too many invalid tokens were sent from this address';
	limited('the next', $p->put('x', token => 'garbage'), $sentence, 60);
	my $res = put('dev', 'one', '1.2.0');
	limited('good tokens from there wait too', $res, $sentence, 60);
	is(join(' ', $t->routes_of($res, 1)), 'publish_authorize', 'and are told before the upload');
	limited('also to yank', yank('dev', '1.0.0', 'yank'), $sentence, 60);
	is($p->get('/config.json')->{status}, 200, 'they can read');
	is($t->http(GET => $p->root . '/config.json', { token => 'garbage' })->{status}, 401, 'a bad one is a bad one');
	is($p->put('x', token => undef)->{status}, 401, 'none is none');
	is(yank_from('192.0.2.7', $token{dev}), 200, 'another address goes on');
	pass_time(60);
	is(put('dev', 'one', '1.2.0')->{status}, 200, 'after a minute all is well');

	forget();
	is(yank_from("2001:db8::$_", 'garbage'), 401, "IPv6 $_") for 1 .. 3;
	is(yank_from('2001:db8::ffff:4', 'garbage'), 429, 'of which one network is one address');
	is(yank_from('2001:db8:0:1::1', 'garbage'), 401, 'and another another');
	is(yank_from("::ffff:192.0.2.$_", 'garbage'), 401, "IPv4 $_ on IPv6") for 1 .. 4;
	is(yank_from('', 'garbage'), 401, 'an address that is not known counts nowhere') for 1 .. 4;
	like(buckets(), qr{address:192\.0\.2\.1/failed_login.* address:2001:db8:0:1::/64/failed_login }, 'their names');
};

subtest 'many at once' => sub {
	forget();
	my @status = $t->parallel(8, sub { return put('dev', "at-once-$_[0]", '1.0.0')->{status} });
	is(join(' ', sort @status), '200 200 429 429 429 429 429 429', 'the burst passes, whoever else asks');
	is($t->psql("SELECT count(*) FROM crates WHERE name LIKE 'at-once-%'"), 2, 'and no more is there');
};

subtest 'old buckets go' => sub {
	forget();
	$t->psql("INSERT INTO write_limits SELECT 'user:' || n, 'publish', true, now() + n * interval '1 hour'"
	    . ' FROM generate_series(-1011, -1000) n');
	$t->psql("INSERT INTO write_limits VALUES ('user:2000', 'publish', false, now() + interval '1 hour')");
	is(put('other', 'one', '1.3.0')->{status}, 200, 'a publish');
	is($t->psql('SELECT count(*) FROM write_limits WHERE full_at < now()'), 4, 'takes the oldest eight away');
	is(put('other', 'one', '1.3.1')->{status}, 200, 'another');
	is(buckets(), 'user:2/publish user:2000/publish', 'the rest, and none that is in use');
};

subtest 'the real cargo' => sub {
	my $missing = Berth::Test::cargo_missing();
	plan skip_all => $missing if $missing;

	forget();
	$t->psql("INSERT INTO write_limits SELECT 'user:1', a, true, now() + interval '1 hour'"
	    . " FROM unnest('{new_crate,publish}'::text[]) a");
	$t->cargo_setup(priv => { id => $p->id, token => $p->token });
	my $dir = $t->dir . '/flood';
	mkdir $_ or die "$_: $!\n" for $dir, "$dir/src";
	Berth::Test::_write("$dir/src/lib.rs", '');
	Berth::Test::_write("$dir/Cargo.toml", "[package]\nname = \"flood\"\nversion = \"1.0.0\"\nedition = \"2021\"\n");
	my ($status, undef, $err) = $t->cargo('publish', '--registry', 'priv', '--no-verify', dir => $dir);
	isnt($status, 0, 'cargo publish fails');
	like($err, qr/429 Too Many Requests\b.*: too many versions were published in a short time; please try again in \d+ seconds/,
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
