#!/usr/bin/perl
# Many at once: exactly the right winners, and index, database and blob store agree.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Find ();
use JSON::PP ();
use Test::More;

use Berth::Test;

my $t = Berth::Test->new(workers => 8);
my $id = $t->project('demo/registry');
my $R = $t->registry($id);
my $new = "$R/api/v1/crates/new";
$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');

sub publish {
	my ($name, $version, %opt) = @_;
	my $res = $t->publish($id, $token, $name, $version, %opt);

	return [$res->{status}, $res->{body}];
}

sub index_lines {
	my ($path) = @_;
	my $res = $t->http(GET => "$R/$path", { token => $token });

	return map { JSON::PP->new->utf8->decode($_) } split(/\n/, $res->{body});
}

sub tally {
	my %n;

	$n{ $_->[0] }++ for @_;
	return \%n;
}

# Index, rows and blobs tell the same story.
sub check_agreement {
	my ($name) = @_;
	my (%blob, %row);

	File::Find::find({ no_chdir => 1, wanted => sub { $blob{ (split m{/})[-1] } = $_ if -f } }, $t->store);
	$row{$_} = 1 for split(/\n/, $t->psql('SELECT cksum FROM versions'));
	my @lost = grep { !$blob{$_} } keys %row;
	my @wrong = grep { sha256_hex(do { local (@ARGV, $/) = $blob{$_}; <> }) ne $_ } keys %blob;
	my @staging = glob($t->store . '/staging/*');

	is_deeply(\@lost, [], "$name: every version has its bytes");
	is_deeply(\@wrong, [], "$name: every blob is what its name says");
	is_deeply(\@staging, [], "$name: nothing is left in staging");
	is($t->psql('SELECT count(*) FROM blobs b WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.cksum = b.sha256)'), 0,
	    "$name: no blob row without a version");
	is($t->psql('SELECT count(*) FROM crates c WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.crate_id = c.id)'), 0,
	    "$name: no crate without a version");
}

# 20 publishes of one version; each with bytes of its own
my @res = $t->parallel(20, sub { publish('same', '1.0.0', files => { 'who.txt' => "publisher $_[0]\n" }) });
is_deeply(tally(@res), { 200 => 1, 400 => 19 }, 'one version: one 200, the rest 400') or diag(map { "$_->[0] $_->[1]\n" } @res);
is(scalar(grep { $_->[1] =~ /crate version `1\.0\.0` is already uploaded/ } @res), 19, 'each loser is told why');
my @lines = index_lines('sa/me/same');
is(scalar @lines, 1, 'one line');
is(sha256_hex($t->http(GET => "$R/same/1.0.0/download", { token => $token })->{body}), $lines[0]{cksum}, 'the bytes of the winner');
check_agreement('one version');

# 20 versions of one new crate
@res = $t->parallel(20, sub { publish('many', "1.$_[0].0") });
is_deeply(tally(@res), { 200 => 20 }, 'different versions: all 200') or diag(map { "$_->[0] $_->[1]\n" } @res);
is_deeply([sort map { $_->{vers} } index_lines('ma/ny/many')], [sort map { "1.$_.0" } 0 .. 19], 'all lines are there');
check_agreement('different versions');

# equal bytes under two names go to one blob each time; spellings of one name to one crate
@res = $t->parallel(16, sub { publish($_[0] % 2 ? 'two-names' : 'two_names', "1.0.$_[0]") });
my $tally = tally(@res);
is_deeply([sort keys %$tally], [200, 400], 'two spellings: some win, some are refused');
is($tally->{200}, 8, 'all of one spelling win');
is($t->psql("SELECT count(*) FROM crates WHERE normalized_name = 'two-names'"), 1, 'one crate');
is(scalar(grep { $_->[0] == 400 && $_->[1] =~ /crate was previously named `two[-_]names`/ } @res), 8, 'the others are told why');
check_agreement('two spellings');

# publishing against yanking: each yank holds, no line is lost
publish('duel', '1.0.0');
@res = $t->parallel(20, sub {
	my ($i) = @_;

	return publish('duel', "2.0.$i") if $i % 2;
	my $res = $t->http($i % 4 ? 'DELETE' : 'PUT', "$R/api/v1/crates/duel/1.0.0/" . ($i % 4 ? 'yank' : 'unyank'), { token => $token });
	return [$res->{status}, $res->{body}];
});
is_deeply(tally(@res), { 200 => 20 }, 'publish against yank: all 200') or diag(map { "$_->[0] $_->[1]\n" } @res);
@lines = index_lines('du/el/duel');
is(scalar @lines, 11, 'no line is lost');
is($lines[0]{yanked} ? 't' : 'f', $t->psql("SELECT v.yanked FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.name = 'duel' AND v.version = '1.0.0'"),
    'index and row agree on the yank');
check_agreement('publish against yank');

is(scalar(grep { /deadlock|40P01/ } map { $_->[1] } @res), 0, 'no deadlock reaches a client');
is(scalar(grep { / status=5\d\d / } split(/\n/, $t->log('pool'))), 0, 'no server error');

done_testing();
