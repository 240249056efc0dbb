#!/usr/bin/perl

# What may not be known cannot be told by the clock either: how long a refusal takes depends neither
# on what there is to be refused nor on how much of a token was right.
#
# Medians of many requests, one of each kind in turn, so that a busy machine slows both; a difference
# that is real is there in every round, one that is not is gone in one of them.

use strict;
use warnings;

use Digest::MD5 qw(md5_base64);
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use Berth::FastCGI qw(fetch);
use Berth::Test;

use constant { ROUNDS => 15, WITHIN => 1.25 };

my $t = Berth::Test->new(workers => 1, pool_build => "$Berth::Cluster::ROOT/build", log_level => 'error',
    failed_login_burst => 1000000, failed_login_per_minute => 1000000);
my %id = (priv => $t->project('demo/priv'), small => $t->project('demo/small'), missing => 987654321);

$t->user($_) for qw(owner stranger);
$t->member('owner', 'demo', 'owner');
my %token = map { $_ => $t->token($_) } qw(owner stranger);
is($t->publish($id{$_}, $token{owner}, 'abcd', '1.0.0')->{status}, 200, "a crate in $_") for qw(priv small);
# an index file of 8 MB, which nothing makes smaller
$t->psql("UPDATE crates SET index_body = (SELECT string_agg(decode(md5(i::text), 'hex'), '')"
    . " FROM generate_series(1, 524288) i) WHERE project_id = $id{priv}");
$t->psql("INSERT INTO crates (project_id, name, normalized_name) SELECT $id{priv}, 'many-' || i, 'many-' || i"
    . " FROM generate_series(1, 5000) i");
my $group = $t->psql("SELECT id FROM groups WHERE full_path = 'demo'");
$t->psql("INSERT INTO projects (group_id, path, full_path, visibility)"
    . " SELECT $group, 'many-' || i, 'demo/many-' || i, 'private' FROM generate_series(1, 3000) i");
$t->psql('VACUUM ANALYZE');

sub median {
	my @sorted = sort { $a <=> $b } @_;

	return $sorted[@sorted / 2];
}

# Seconds of one request, which must have that status.
sub seconds {
	my ($want, $path, $authorization, %more) = @_;
	my $began = clock_gettime(CLOCK_MONOTONIC);
	my $res = fetch($t->socket_path, $path, REMOTE_ADDR => '192.0.2.1', %more,
	    defined $authorization ? (HTTP_AUTHORIZATION => $authorization) : ());
	my $took = clock_gettime(CLOCK_MONOTONIC) - $began;

	$res->{status} == $want or die "$path: $res->{status}, not $want\n";
	return $took;
}

# The ratio of the two medians, the larger to the smaller.
sub ratio {
	my ($n, $one, $other) = @_;
	my (@one, @other);

	for (1 .. $n) {
		push @one, $one->();
		push @other, $other->();
	}
	my ($small, $large) = sort { $a <=> $b } median(@one), median(@other);
	return $large / $small;
}

sub alike {
	my ($name, $n, $one, $other) = @_;
	my @ratios;

	for (1 .. ROUNDS) {
		push @ratios, ratio($n, $one, $other);
		last if $ratios[-1] < WITHIN;
	}
	cmp_ok($ratios[-1], '<', WITHIN, "$name: takes the same time") or diag("ratios @ratios");
}

# Would it be seen?  What may be read takes longer where there is more of it.
cmp_ok(ratio(20, sub { seconds(200, $t->registry($id{priv}) . '/ab/cd/abcd', $token{owner},
    HTTP_ACCEPT_ENCODING => 'gzip') },
    sub { seconds(200, $t->registry($id{small}) . '/ab/cd/abcd', $token{owner},
    HTTP_ACCEPT_ENCODING => 'gzip') }), '>', 3,
    'a large file takes longer than a small one, for somebody who may read it');

for my $case (['nobody', undef, 401], ['a stranger', $token{stranger}, 404]) {
	my ($who, $token, $status) = @$case;

	for my $path ('config.json', 'ab/cd/abcd', 'abcd/1.0.0/download', 'api/v1/crates?q=many',
	    'api/v1/crates/abcd/owners') {
		alike("$who, $path, private or missing", 300,
		    sub { seconds($status, $t->registry($id{priv}) . "/$path", $token) },
		    sub { seconds($status, $t->registry($id{missing}) . "/$path", $token) });
	}
	alike("$who, an index file or none", 300,
	    sub { seconds($status, $t->registry($id{priv}) . '/ab/cd/abcd', $token) },
	    sub { seconds($status, $t->registry($id{priv}) . '/no/ne/none', $token) });
	alike("$who, a group of many projects", 300, sub { seconds($status, '/api/v4/groups/demo', $token) },
	    sub { seconds($status, '/api/v4/groups/none', $token) });
	alike("$who, the list of packages", 300,
	    sub { seconds($status, "/api/v4/projects/$id{priv}/packages", $token) },
	    sub { seconds($status, "/api/v4/projects/$id{missing}/packages", $token) });
}

# ---- tokens that are nearly right ----

my ($key) = Berth::Cluster::slurp($t->{settings}{token_key}) =~ /^00 "(\w{43})"/m;
my $registry = $t->psql('SELECT id FROM registry');
my $start = length 'berth_pat_' . 'kkhhhhhhhhhhhhhhhh_'; # of the secret

# As $token with another character at that place, and with the MAC that belongs to it, or its old one.
sub nearly {
	my ($token, $place, $signed) = @_;

	substr($token, $place, 1) = substr($token, $place, 1) eq '0' ? '1' : '0';
	return $signed ? with_mac($token) : $token;
}

sub with_mac {
	my ($text) = $_[0] =~ /^berth_(.*)_.{22}$/ or die "no token\n";

	return "berth_${text}_" . md5_base64("$key $registry $text $key") =~ tr{+/}{-_}r;
}

is(with_mac($token{owner}), $token{owner}, 'MACs are made as ours');
my $config = $t->registry($id{priv}) . '/config.json';
my ($wrong_first, $wrong_last) = map { nearly($token{owner}, $_, 1) } $start, $start + 31;
my ($mac_first, $mac_last) = map { nearly($token{owner}, $_, 0) } $start + 33, $start + 33 + 20;
my $unknown = $t->token('stranger');
$t->psql('DELETE FROM tokens WHERE id = (SELECT max(id) FROM tokens)');
alike('a token that is wrong at its beginning or at its end', 1500,
    sub { seconds(401, $config, $wrong_first) }, sub { seconds(401, $config, $wrong_last) });
alike('one that has all but one digit, or none', 500, sub { seconds(401, $config, $wrong_last) },
    sub { seconds(401, $config, $unknown) });
alike('a MAC that is wrong at its beginning or at its end', 1500, sub { seconds(401, $config, $mac_first) },
    sub { seconds(401, $config, $mac_last) });

done_testing();
