#!/usr/bin/perl

# Fifty at once: exactly the right winners, and index, database and blob store agree.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Test::More;

use Berth::Agreement qw(agrees index_of staged);
use Berth::Test;

use constant N => 50;

my $t = Berth::Test->new(workers => 8);
my $id = $t->project('demo/registry');
my $R = $t->registry($id);
$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');
my @all;

sub publish {
	my ($name, $version, %opt) = @_;
	my $res = $t->publish($id, $token, $name, $version, %opt);

	return [$res->{status}, $res->{body}];
}

# Runs it N times at once; each returns [status, body].
sub race {
	my ($body) = @_;
	my @res = $t->parallel(N, $body);

	push @all, @res;
	return @res;
}

sub tally {
	my %n;

	$n{ $_->[0] }++ for @_;
	return \%n;
}

sub said {
	my ($pattern, @res) = @_;

	return scalar(grep { $_->[0] == 400 && $_->[1] =~ $pattern } @res);
}

sub show { return map { "$_->[0] $_->[1]\n" } @_; }

sub agreed {
	my ($name) = @_;

	agrees($t, $name, token => $token);
	ok($t->wait_for(sub { !staged($t) }, 10), "$name: nothing is left in staging");
}

# one version, with other bytes from each
my @res = race(sub { publish('same', '1.0.0', files => { 'who.txt' => "publisher $_[0]\n" }) });
is_deeply(tally(@res), { 200 => 1, 400 => N - 1 }, 'one version: one 200, the rest 400')
    or diag(show(@res));
is(said(qr/crate version `1\.0\.0` is already uploaded/, @res), N - 1, 'each loser is told why');
my ($lines) = index_of($t, $id, 'same', $token);
is(scalar @$lines, 1, 'one line');
is(sha256_hex($t->http(GET => "$R/same/1.0.0/download", { token => $token })->{body}),
    $lines->[0]{cksum}, 'the bytes of the winner');
agreed('one version');

# versions of one new crate
@res = race(sub { publish('many', "1.$_[0].0") });
is_deeply(tally(@res), { 200 => N }, 'different versions: all 200') or diag(show(@res));
my ($many, $etag) = index_of($t, $id, 'many', $token);
is_deeply([sort map { $_->{vers} } @$many], [sort map { "1.$_.0" } 0 .. N - 1],
    'all lines are there');
is($t->http(GET => "$R/ma/ny/many",
    { token => $token, headers => { 'If-None-Match' => "\"$etag\"" } })->{status},
    304, 'the ETag is that of all lines');
is($t->psql("SELECT index_revision FROM crates WHERE name = 'many'"), N,
    'the index was made once for each');
agreed('different versions');

# two spellings of one new name go to one crate
@res = race(sub { publish($_[0] % 2 ? 'foo-bar' : 'foo_bar', "1.0.$_[0]") });
is_deeply(tally(@res), { 200 => N / 2, 400 => N / 2 }, 'two spellings: one wins')
    or diag(show(@res));
is(said(qr/crate was previously named `foo[-_]bar`/, @res), N / 2, 'the others are told why');
is($t->psql("SELECT count(*) FROM crates WHERE normalized_name = 'foo-bar'"), 1, 'one crate');
is($t->psql("SELECT count(DISTINCT right(v.version, 1)::int % 2) FROM versions v JOIN crates c"
    . " ON c.id = v.crate_id WHERE c.normalized_name = 'foo-bar'"), 1,
    'with versions of one spelling');
agreed('two spellings');

# publishing against yanking: each yank holds, no line is lost
publish('duel', '1.0.0');
@res = race(sub {
	my ($i) = @_;

	return publish('duel', "2.0.$i") if $i % 2;
	my ($method, $what) = $i % 4 ? ('DELETE', 'yank') : ('PUT', 'unyank');
	my $res = $t->http($method => "$R/api/v1/crates/duel/1.0.0/$what", { token => $token });
	return [$res->{status}, $res->{body}];
});
is_deeply(tally(@res), { 200 => N }, 'publish against yank: all 200') or diag(show(@res));
($lines) = index_of($t, $id, 'duel', $token);
is(scalar @$lines, 1 + N / 2, 'no line is lost');
is($lines->[0]{vers}, '1.0.0', 'the first stays the first');
is($t->psql("SELECT count(*) FILTER (WHERE action = 'crate.yank')"
    . " - count(*) FILTER (WHERE action = 'crate.unyank') FROM audit_events WHERE crate = 'duel'"),
    $lines->[0]{yanked} ? 1 : 0, 'yanks and their undoing add up');
agreed('publish against yank');

# equal bytes in two projects at once: one blob, two versions
my $other = $t->project('demo/other');
@res = race(sub {
	my $res = $t->publish($_[0] % 2 ? $id : $other, $token, 'twin-' . ($_[0] >> 1), '1.0.0');
	return [$res->{status}, $res->{body}];
});
is_deeply(tally(@res), { 200 => N }, 'equal bytes: all 200') or diag(show(@res));
is($t->psql("SELECT count(DISTINCT v.cksum) FROM versions v JOIN crates c ON c.id = v.crate_id"
    . " WHERE c.name LIKE 'twin-%'"), N / 2, 'one blob for two');
agreed('equal bytes');

is(scalar(grep { /deadlock|40P01/ } map { $_->[1] } @all), 0, 'no deadlock reaches a client');
is(scalar(grep { / status=5\d\d / } split(/\n/, $t->log('pool'))), 0, 'no server error');

done_testing();
