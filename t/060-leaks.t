#!/usr/bin/perl

# Would the harness find a token that lies about?  Every other test relies on it.

use strict;
use warnings;

use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

use Berth::Leaks;
use Berth::Test;

my $dir = tempdir(CLEANUP => 1);
my $token = 'berth_pat_' . 'Ab1' x 16 . 'z';
my $proven = 'berth_job_00' . 'aB3' x 5 . 'x_' . 'Cd5' x 10 . 'yz_' . 'Ef-' x 6 . 'gh_A';
my $jwt = join('.', 'eyJhbGciOiJSUzI1NiJ9', 'eyJpc3MiOiJodHRwczovL2EifQ', 'c2lnbmF0dXJlLXNpZ25hdHVyZQ');

sub put {
	my ($path, $text) = @_;

	make_path("$dir/$path" =~ s{/[^/]+$}{}r);
	open(my $fh, '>', "$dir/$path") or die "$path: $!\n";
	print {$fh} $text;
	close($fh);
}

is_deeply([Berth::Leaks::in_files($dir, {})], [], 'nothing');
put('log/a', "what has no token: berth_pat_, berth_pat_short, eyJ.eyJ.x, \0\xff\n" x 1000);
is_deeply([Berth::Leaks::in_files($dir, {})], [], 'still nothing');
put('log/b', "Authorization: $token\n");
put('c', 'x' x (2 << 20) . $jwt . 'x' x 100);
put('tmp/1/2/d', 'x' x ((1 << 20) - 30) . $token . 'x' x (1 << 20));
put('cargo-home/credentials.toml', "token = \"$token\"\n");
is_deeply([sort(Berth::Leaks::in_files($dir, {}))],
    ["$dir/c: eyJhbGciOiJSUz...", "$dir/log/b: berth_pat_Ab1A...",
    "$dir/tmp/1/2/d: berth_pat_Ab1A..."], 'each is found, wherever it lies');
is_deeply([Berth::Leaks::in_files($dir, { "$dir/c" => 1, "$dir/log/b" => 1, "$dir/tmp/1/2/d" => 1 })], [],
    'but for those that are known');
is_deeply([in_pieces("Authorization: $token")], ['it: berth_pat_Ab1A...'], 'in one piece');
is_deeply([in_pieces('x' x ((1 << 20) - 30), substr($token, 0, 40), substr($token, 40), 'x' x (1 << 20))],
    ['it: berth_pat_Ab1A...'], 'in two of them');
is_deeply([in_pieces("Authorization: $token", 'x' x (2 << 20), 'x' x (2 << 20))], ['it: berth_pat_Ab1A...'],
    'long before the last one');
is_deeply([in_pieces('nothing')], [], 'nothing');
is_deeply([Berth::Leaks::in_pieces('it', sub { die "gone\n" })], ["it: cannot be read: gone\n"],
    'what could not be looked at is no "nothing"');
put('core.17', $token);
is_deeply([Berth::Leaks::in_cores($dir)], ["$dir/core.17: berth_pat_Ab1A..."], 'in a core file');

# ---- secrets and MACs, which have no form ----

my ($handle, $secret, $mac) = $proven =~ /^berth_job_(\w{18})_(\w{32})_(.{22})$/;
my $old = substr($token, length 'berth_pat_', 43);
my %part = ('a secret' => $secret, 'a MAC' => $mac, 'a secret of the older form' => $old);
for my $what (sort keys %part) {
	my $at = "parts/$what" =~ tr/ /_/r;
	put("$at/log", "x=$part{$what} y=1\n");
	put("$at/names/$part{$what}", '');
	mkdir("$dir/$at/links");
	symlink("../$part{$what}", "$dir/$at/links/x") or die "symlink: $!\n";
}
is_deeply([Berth::Leaks::in_files("$dir/parts", {})], [], 'of a token that nobody knows a part has no form');
Berth::Leaks::know("made: $proven\n{\"token\":\"$token\"}");
for my $what (sort keys %part) {
	my $at = "$dir/parts/$what" =~ tr/ /_/r;
	is_deeply([Berth::Leaks::in_files("$at/log", {})], ["$at/log: the secret or MAC of a token"],
	    "$what in a file");
	is_deeply([Berth::Leaks::in_files("$at/names", {})], ["the name of $at/names/..."],
	    "$what in the name of a file");
	is_deeply([Berth::Leaks::in_files("$at/links", {})], ["the name of $at/links/..."],
	    "$what where a link leads");
	is_deeply([in_pieces("x=$part{$what}", ' y=1')], ['it: the secret or MAC of a token'], "$what in pieces");
}
put('fine/log', "who=$handle\n");
put("fine/cache/grant/1/$handle/7", '');
is_deeply([Berth::Leaks::in_files("$dir/fine", {})], [], 'slot and handle are no secret');

# ---- the whole way: a test in which one lies about fails, whatever it says itself ----

my %bad = (
	'in the log' => '$t->start_pool; open(my $l, ">>", $t->dir . "/log/pool.log"); print $l "x $x\n";'
	    . ' close($l);',
	'in a comment' => '$t->psql("COMMENT ON TABLE users IS \'$x\'");',
	'in a function' => '$t->psql("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS \$\$SELECT \'$x\'\$\$");',
	'in the database' => '$t->psql("UPDATE users SET name = \'$x\'");',
	'a MAC in the log' => '$t->start_pool; open(my $l, ">>", $t->dir . "/log/pool.log"); print $l "x ",'
	    . ' substr($x, -22), "\n"; close($l);',
	'a secret in the database' => '$t->psql("UPDATE users SET name = \'" . substr($x, -55, 32) . "\'");',
	'a secret for the name of a file of the cache' => 'mkdir($t->dir . "/cache/" . substr($x, -55, 32)) or die;',
	'a MAC of a token that was rotated' => '$x = $t->json($t->http(POST =>'
	    . ' "/api/v4/personal_access_tokens/self/rotate", { headers => ["PRIVATE-TOKEN: $x"] }))->{token};'
	    . ' open(my $l, ">>", $t->dir . "/log/pool.log"); print $l "x ", substr($x, -22), "\n"; close($l);',
	'in a query that nginx logs not' => '$t->http(GET => "/-/tokens?private_token=$x");',
);
my $cluster = Berth::Test->new;
for my $how (sort keys %bad) {
	put('test.t', "use Test::More; use Berth::Test; my \$t = Berth::Test->new; \$t->user('a');\n"
	    . "my \$x = \$t->token('a'); $bad{$how} ok(1); done_testing();\n");
	my ($status, $out, $err) = Berth::Cluster::capture($^X, "-I$Berth::Cluster::ROOT/t/lib", "$dir/test.t");

	if ($how =~ /not/) {
		is($status, 0, "$how: fine") or diag($err);
	} else {
		isnt($status, 0, "$how: the test fails");
		my $what = qr/(?:berth_pat_|the secret or MAC of a token)/;
		like($err, qr/a token lies about: (?:.*(?:pool\.log|the database): $what|the name of )/,
		    "$how: and says where");
	}
}

done_testing();

sub in_pieces {
	my (@pieces) = @_;

	return Berth::Leaks::in_pieces('it', sub { $_[0]->($_) for @pieces });
}
