#!/usr/bin/perl

# What the harness does by itself, to save time, is what the programs do in whose place it is: its session
# with PostgreSQL answers as psql does and remembers nothing, and its JSON is that of JSON::PP.  A run names
# what has failed at its end, and one that hangs the test.

use strict;
use warnings;

use File::Path qw(remove_tree);
use JSON::PP ();
use Test::More;

use Berth::Cluster;
use Berth::File qw(slurp write_file);
use Berth::Json;
use Berth::Test;

my $t = Berth::Test->new;
my $cluster = Berth::Cluster->inherited;

# ---- a session that is kept ----

sub by_psql {
	my ($status, $out, $err) = Berth::Cluster::capture($cluster->tool('psql'), '-XAtq', '-v', 'ON_ERROR_STOP=1',
	    '-F', '|', '-d', $t->dsn('postgres'), '-c', $_[0]);

	return $status == 0 ? $out : $err =~ s/^LINE \d+:.*\n.*\n//mr;
}

sub by_session {
	my ($sql) = @_;

	return eval { join('', map { "$_\n" } $t->psql($sql)) } // $@ =~ s/^psql: //r;
}

for my $sql (
	"SELECT 1, NULL, 'a|b', '' UNION ALL SELECT 2, 'x', E'two\\nlines', 'ö'",
	'SELECT 1 WHERE false',
	"SELECT true, '\\x00ff'::bytea, 1.50, '{a,b}'::text[], now() - now()",
	'SELECT 1; SELECT 2, 3',
	'CREATE TABLE of_one_text (i int); SELECT 1; SELECT 1 / 0',
	'SELECT * FROM of_one_text',
	'CREATE TABLE users ()',
	'DROP TABLE users',
	"DO \$\$ BEGIN RAISE 'no' USING DETAIL = 'this', HINT = 'that'; END \$\$",
	'COPY (SELECT 1, NULL, 2) TO STDOUT',
	"SELECT repeat('x', 300000)",
	'nonsense',
) {
	is(by_session($sql), by_psql($sql), $sql);
}
my $same = $t->psql('SELECT pg_backend_pid()');
is($t->psql('SELECT pg_backend_pid()'), $same, 'a session is kept');
$t->psql("SET lock_timeout = '7s'; SELECT pg_advisory_lock(7); CREATE TEMPORARY TABLE mine ()");
is($t->psql("SELECT current_setting('lock_timeout'), to_regclass('mine'),"
	. " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())"), '0||0',
    'nothing of a text is left');
$t->psql('BEGIN; CREATE TABLE of_a_transaction ()');
is($t->psql("SELECT to_regclass('of_a_transaction')"), '', 'nor a transaction');
$same = $t->psql('SELECT pg_backend_pid()');
$cluster->sql($t->{database}, "SELECT pg_terminate_backend($same, 10000)");
is($t->psql('SELECT 1'), 1, 'whoever ends it does not matter');
$t->psql("ALTER DATABASE $t->{database} SET lock_timeout = '8s'");
is($t->psql('SHOW lock_timeout'), '8s', 'what is for new sessions holds at once');

# ---- JSON ----

my $perl = JSON::PP->new->utf8->allow_nonref->canonical;
my @texts = ('', ' ', '1', '-1', '-', '01', '-0', '1.', '1.0', '1.5e3', '1e+', '.5', '+1',
    '12345678901234567890', 'true', 'nul', 'nullx', 'true false', '"a"', '"a', '\'a\'',
    '"\u00e9\ud83d\ude00"', '"\ud83d"', '"\ude00"', '"\x"', '"\/\b\f\n\r\t\\\""', '"\u0000"', "\"\x01\"",
    "\"a\nb\"", "\"\x7f\"", "\"\xc3\xa4\"", "\"\xff\"", "\xef\xbb\xbf1", '[]', '[1,]', '[1 2]', '[,]', '{}',
    '{"a":1,}', '{"a" 1}', '{a:1}', '{"a":1,"a":2}', '{"a":{"b":[true,false,null]}}',
    " [ 1 , { \"a\" :\t1 } ]\r\n", '[1]x', '[1,//x' . "\n1]", '"' . '\n' x 70_000 . '"',
    map { '[' x $_ . ']' x $_ } 511 .. 513);

push @texts, map { slurp($_) } glob("$Berth::Cluster::ROOT/t/fuzz/corpus/fuzz_{json,jwk,metadata}/*");
cmp_ok(scalar @texts, '>', 60, 'there are texts');
is(ours($_), theirs($_), 'JSON: ' . substr($_, 0, 40) =~ s/[^ -~]/./gr) for @texts;

# ---- what has failed is named at the end ----

my $fails = write_file($t->dir . '/fails.t', <<'END');
use Test::More;
ok(1, 'good');
ok(0, 'bad');
subtest outer => sub {
	subtest inner => sub { ok(1, 'good'); ok(0, "bad $_") for 1, 2; done_testing(); };
	subtest other => sub { ok(1, 'good'); done_testing(); };
	done_testing();
};
{ local $TODO = 'later'; ok(0, 'to do'); }
ok(0, "many $_") for 1 .. 30;
done_testing();
END
{
	my (undef, undef, $said) = Berth::Cluster::capture('prove', '--harness', 'Berth::Harness', $fails);
	my @named = $said =~ /^not ok: \Q$fails\E: (.*)$/mg;

	is_deeply(\@named, ['bad', 'outer: inner: bad 1', 'outer: inner: bad 2', map({ "many $_" } 1 .. 17),
	    'and 13 more'], 'each failure, with the subtests around it');
}

my $keeps = write_file($t->dir . '/of-061-that-fails.t',
    'use Test::More; use Berth::Test; my $t = Berth::Test->new; $t->start_pool; ok(0); done_testing();');
{
	my (undef, undef, $said) = Berth::Cluster::capture('perl', '-It/lib', $keeps);
	my $kept = "$Berth::Cluster::ROOT/build/failed/of-061-that-fails";
	my ($dir) = $said =~ /^# berth\.conf and all logs are in (\Q$kept\E\S*)$/m;

	my @names = map { s{.*/}{}r } glob(($dir // '/nonexistent') . '/*');

	is(scalar(grep { /^(?:berth\.conf|pool\.log)$/ } @names), 2, 'the logs of a failed test are kept')
	    or diag("@names");
	remove_tree($kept);
}

# ---- a test that is not there ----

{
	my $name = $t->dir . '/does-not-exist.t';
	my ($status, undef, $said) = Berth::Cluster::capture('prove', '--harness', 'Berth::Harness', $name);

	is("$status $said", "2 there is no test $name\n", 'a test that is not there is all that is said');
}

# ---- a run that hangs ----

my $hangs = write_file($t->dir . '/hangs.t', "print qq(1..1\\n); sleep 600;\n");
{
	local $ENV{BERTH_TIME_LIMIT} = 1;
	my ($status, undef, $said) = Berth::Cluster::capture('prove', '-It/lib', '--harness',
	    'Berth::Harness', $hangs);

	isnt($status, 0, 'a run that hangs is ended');
	like($said, qr/^the tests have not ended after 1 s; still running: \Q$hangs\E for \d+ s$/m,
	    'and the test is named');
}

done_testing();

# The value as text, by which numbers and strings differ.
sub ours { return eval { $perl->encode(Berth::Json::decode($_[0])) } // 'none'; }
sub theirs { return eval { $perl->encode($perl->decode($_[0])) } // 'none'; }
