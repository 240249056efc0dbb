#!/usr/bin/perl

# berth-operations(7), A point in time, with a PostgreSQL of its own: a base backup, archived WAL and the
# store bring back the state of a moment, and nothing later; tokens that were revoked after it stay
# revoked.

use strict;
use warnings;

use Test::More;

use Berth::Cluster;
use Berth::Publish;
use Berth::Test;

my $page = Berth::Cluster::slurp("$Berth::Cluster::ROOT/fcgi/man/berth-operations.7");
my ($section) = $page =~ /^\.Ss A point in time\n(.*?)^\.S[sh] /ms;

# The settings of a block of the page, with the archive of this test: the server's directory is where it
# works.
sub settings {
	my ($first) = @_;
	my ($block) = grep { /^\Q$first\E = / } $section =~ /^\.Bd -literal\n(.*?)^\.Ed\n/msg;

	$block =~ s{/backup/wal}{../archive}g;
	return map { /^(\w+) = '?(.*?)'?$/ ? ($1 => $2) : die "$_\n" } split(/\n/, $block);
}

my $cluster = Berth::Cluster->start(settings('wal_level'));
my $pg = $cluster->dir . '/pg';
$cluster->as_server('mkdir', '-m', '0700', "$pg/archive");
my $p = Berth::Publish->new(workers => 2, publish_burst => 0, new_crate_burst => 0);
my $t = $p->test;
my %token = map { ($_ => $t->token('dev')) } qw(stays revoked);

is($p->publish('before', '1.0.0')->{status}, 200, 'a crate before the base backup');
$cluster->as_server($cluster->tool('pg_basebackup'), '-h', $cluster->socket_dir, '-U', 'postgres',
    '-X', 'none', '-c', 'fast', '-D', "$pg/base");
is($p->publish('wanted', '1.0.0')->{status}, 200, 'one after it');
my $registry = $t->psql('SELECT id FROM registry');
my $moment = $t->psql('SELECT clock_timestamp()');
my $unwanted = Berth::Crate::make('unwanted', '1.0.0');
is($p->put_crate('unwanted', '1.0.0', $unwanted)->{status}, 200, 'one after the moment');
$t->berth_ok({ stdin => "$token{revoked}\n" }, 'token', 'revoke');
my $audit = Berth::Test::write_file($t->dir . '/audit.json', ($t->berth('audit', '--json'))[1]);
my $last = $t->psql('SELECT pg_walfile_name(pg_switch_wal())');
ok($t->wait_for(sub { -e "$pg/archive/$last" }), 'the log is archived');
$t->stop_pool;

$cluster->halt('immediate');
rename("$pg/data", "$pg/data.old") or die "$pg/data: $!\n";
rename("$pg/base", "$pg/data") or die "$pg/base: $!\n";
my %target = (settings('restore_command'), recovery_target_time => $moment);
$cluster->as_server('sh', '-c', 'printf %s "$1" >>"$2/postgresql.conf" && touch "$2/recovery.signal"', 'sh',
    join('', map { "$_ = '$target{$_}'\n" } sort keys %target), "$pg/data");
$cluster->resume;
ok($t->wait_for(sub { $t->psql('SELECT pg_is_in_recovery()') eq 'f' }), 'the database is of that moment');

is($t->psql('SELECT id FROM registry'), $registry, 'it is the same registry');
my ($status, $out, $err) = $t->berth('store', 'adopt', '--dry-run', '--audit', $audit);
is($status, 0, 'the store fits') or diag($err);
like($out, qr/^unknown:? +1$/m, 'with the bytes of later');
like($out, qr/^token \d+ \(personal, dev\): valid again$/m, 'a token has come back to life');
is($p->get('/wa/nt/wanted')->{status}, 200, 'what was published before the moment is there');
is($t->http(GET => $p->root . '/config.json', { token => $token{revoked} })->{status}, 200, 'as it is');
($status, $out, $err) = $t->berth('store', 'adopt', '--json', '--audit', $audit, '--revoke');
is($status, 0, 'store and database are joined') or diag($err);
like($out, qr/"revoked":true,"tokens":\[\{"id":\d+,"kind":"personal","user":"dev"/, 'the token ends again');
is($t->http(GET => $p->root . '/config.json', { token => $token{revoked} })->{status}, 401, 'so it does');
is($t->http(GET => $p->root . '/config.json', { token => $token{stays} })->{status}, 200, 'others go on');
is($p->get("/$_/1.0.0/download")->{status}, 200, "$_ can be had") for qw(before wanted);
is($p->get('/un/wa/unwanted')->{status}, 404, 'what was published later is not there');
($status, $out, $err) = $t->berth('fsck', '--deep');
is($status, 0, 'nothing is missing') or diag("$out$err");
like($out, qr/^2 crates, 2 versions and 2 blobs /m, 'of what was published before the moment');
is($p->put_crate('unwanted', '1.0.0', $unwanted)->{status}, 200, 'it can be published again');
is($p->get('/unwanted/1.0.0/download')->{body}, $unwanted, 'with the same bytes');
($status, undef, $err) = $t->berth(qw(store adopt --revoke));
is($status, 2, '--revoke alone') or diag($err);
is(($t->berth(qw(store adopt --revoke-all)))[0], 0, '--revoke-all');
is($t->http(GET => $p->root . '/config.json', { token => $token{stays} })->{status}, 401, 'ends all tokens');

done_testing();
