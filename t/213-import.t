#!/usr/bin/perl

# berth import: crates that are elsewhere, in a directory or beside an index, come into a project as a publish
# would bring them; what is there already is left alone, so that an import that was killed goes on.

use strict;
use warnings;

use Compress::Zlib ();
use Digest::SHA qw(sha256_hex);
use Fcntl qw(LOCK_EX);
use File::Find ();
use File::Path qw(make_path);
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

use Berth::Agreement qw(agrees staged);
use Berth::Cluster;
use Berth::Crate;
use Berth::Fault;
use Berth::Publish;
use Berth::Test;

my $t = Berth::Test->new(workers => 2);
my $json = JSON::PP->new->utf8->canonical;
my $id = $t->project('demo/new');
$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');
my $dir = $t->dir . '/source';

$t->start_pool;

sub write_crate {
	my ($path, $name, $version, %opt) = @_;
	my $bytes = Berth::Crate::make($name, $version, %opt);

	make_path("$dir/$path" =~ s{/[^/]+\z}{}r);
	Berth::Test::write_file("$dir/$path", $bytes);
	return sha256_hex($bytes);
}

# What the command says: its status, the lines about single versions as JSON, the summary, and standard error.
sub import_of {
	my ($kind, $from, @args) = @_;
	my ($status, $out, $err) = $t->berth('--json', 'import', $kind, $from, '--into', @args);
	my @rows = map { $json->decode($_) } split(/\n/, $out);
	my $summary = @rows ? pop @rows : {};

	return ($status, $summary, { map { ("$_->{crate} $_->{version}" => $_) } @rows }, $err);
}

# The lines of a crate's index file.
sub lines_of {
	my ($project, $name) = @_;
	my $res = $t->http(GET => $t->registry($project) . '/' . Berth::Publish::index_path($name),
	    { token => $token });

	return $res->{status} == 200 ? map { $json->decode($_) } split(/\n/, $res->{body}) : ();
}

subtest 'a directory, in whatever folders' => sub {
	my %sum = (
		'alpha 0.9.0' => write_crate('al/ph/alpha/alpha-0.9.0.crate', 'alpha', '0.9.0'),
		'alpha 0.10.0' => write_crate('al/ph/alpha/0.10.0/alpha-0.10.0.crate', 'alpha', '0.10.0'),
		'alpha 1.0.0-rc.1+b' => write_crate('alpha-1.0.0-rc.1+b.crate', 'alpha', '1.0.0-rc.1+b'),
		'num-2 3.0.0' => write_crate('num-2-3.0.0.crate', 'num-2', '3.0.0'),
	);

	Berth::Test::write_file("$dir/README.crate", 'not a crate by its name');
	Berth::Test::write_file("$dir/.hidden-1.0.0.crate", 'hidden');
	symlink("$dir/num-2-3.0.0.crate", "$dir/num-2-3.0.1.crate") or die $!;
	my ($status, $summary, $rows, $err) = import_of('directory', $dir, 'demo/new', '--dry-run');
	is_deeply([$status, $summary->{imported}, $rows], [0, 4, {}], '--dry-run finds four') or diag $err;
	is($t->psql('SELECT count(*) FROM versions'), 0, 'and imports none');

	($status, $summary, $rows, $err) = import_of('directory', $dir, 'demo/new');
	is_deeply([$status, $summary->{imported}, $rows], [0, 4, {}], 'all are imported') or diag $err;
	is_deeply([map { "$_->{vers} $_->{cksum}" } lines_of($id, 'alpha')],
	    [map { "$_ " . $sum{"alpha $_"} } '0.9.0', '0.10.0', '1.0.0-rc.1+b'], 'by precedence, the same bytes');
	is(sha256_hex($t->http(GET => $t->registry($id) . '/num-2/3.0.0/download',
	    { token => $token })->{body}), $sum{'num-2 3.0.0'}, 'a download');
	agrees($t, 'imported', token => $token);
	is($t->psql("SELECT string_agg(DISTINCT detail ->> 'imported_from', ' ') FROM audit_events"
	    . " WHERE action = 'crate.publish'"), $dir, 'the audit log names the source');

	($status, $summary) = import_of('directory', $dir, 'demo/new');
	is_deeply([$status, @$summary{qw(imported there)}], [0, 0, 4], 'again: all are there');
	($status, undef, $rows) = import_of('directory', $dir, 'demo/new', '--processes', 1);
	is_deeply([$status, $rows], [0, {}], 'also with one process');
	is($t->psql("SELECT count(*) FROM audit_events WHERE action = 'crate.publish'"), 4, 'and no more is done');
};

subtest 'what is not imported, and why' => sub {
	my $bad = $t->dir . '/bad';
	my ($status, $summary, $rows, $err);

	make_path("$bad/second");
	for (['broken-1.0.0.crate' => 'no gzip'], ['alpha-0.9.0.crate' => Berth::Crate::make('alpha', '0.9.0',
	    files => { other => 'bytes' })], ['wrong-1.0.0.crate' => Berth::Crate::make('right', '1.0.0')],
	    ['wild-1.0.0.crate' => Berth::Crate::make('wild', '1.0.0', manifest => <<'TOML')],
[package]
name = "wild"
version = "1.0.0"
[dependencies]
anything = "*"
TOML
	    ['good-1.0.0.crate' => Berth::Crate::make('good', '1.0.0')]) {
		Berth::Test::write_file("$bad/$_->[0]", $_->[1]);
	}
	($status, $summary, $rows, $err) = import_of('directory', $bad, 'demo/new');
	is_deeply([$status, @$summary{qw(imported refused differs)}], [1, 1, 3, 1], 'the others are');
	like($err, qr/^berth: 4 of 5 versions are not imported$/m, 'and it says how many are not');
	my %why = ('broken 1.0.0' => qr/gzip/, 'alpha 0.9.0' => qr/^the project has it with other bytes/,
		'wrong 1.0.0' => qr/right-1\.0\.0/, 'wild 1.0.0' => qr/wildcard/);
	like($rows->{$_}{reason}, $why{$_}, "$_: why") for sort keys %why;
	is_deeply([sort keys %$rows], [sort keys %why], 'no more rows');
	ok($t->wait_for(sub { !staged($t) }), 'nothing is left in staging');

	($status, $summary, $rows) = import_of('directory', $bad, 'demo/new', '--accept-legacy');
	is_deeply([@$summary{qw(legacy refused)}, $rows->{'wild 1.0.0'}{result}], [1, 2, 'legacy'],
	    '--accept-legacy takes what clients read');
	like($rows->{'wild 1.0.0'}{reason}, qr/wildcard/, 'and lists it');
	is((lines_of($id, 'wild'))[0]{deps}[0]{req}, '*', 'as it is');

	Berth::Test::write_file("$bad/second/good-1.0.0.crate", 'twice');
	($status, undef, undef, $err) = import_of('directory', $bad, 'demo/new');
	is($status, 2, 'a version that is there twice');
	like($err, qr{good-1\.0\.0\.crate and \S+good-1\.0\.0\.crate are the same version with different bytes},
	    'names both files');
	my ($copied, $copy) = ($t->dir . '/copied', Berth::Crate::make('copied', '1.0.0'));
	make_path("$copied/$_") for qw(one other);
	Berth::Test::write_file("$copied/$_/copied-1.0.0.crate", $copy) for qw(one other);
	($status, $summary, $rows, $err) = import_of('directory', $copied, 'demo/new', '--dry-run');
	is_deeply([$status, $summary->{imported}, $rows], [0, 1, {}], 'copies of a file count as one') or diag $err;
	my %wrong = (
		'no project' => [qr/`demo\/none`/, 'directory', $dir, 'demo/none'],
		'no mirror' => [qr{cannot read \Q$dir\E/none: No such file}, 'mirror', "$dir/none", 'demo/new'],
		'no directory' => [qr/cannot read the directory/, 'directory', "$dir/none", 'demo/new'],
		'too many processes' => [qr/must be 1 to 64/, 'directory', $dir, 'demo/new', '--processes', 65],
		'an index without crates' => [qr{/config\.json is missing, .*--crates DIR}, 'index', $dir, 'demo/new'],
		'lines without crates' => [qr/give the directory with its crates as --crates DIR/, 'index',
		    "$dir/README.crate", 'demo/new'],
		'a list for files' => [qr/--list is only for the URL/, 'index', $dir, 'demo/new', '--list',
		    $dir],
		'a directory without crates' => [qr/\Aberth: no file in \Q$bad\E\/empty is called NAME-VERSION\.crate$/m,
		    'directory', "$bad/empty", 'demo/new'],
		'an empty index' => [qr{\Aberth: no file in \Q$bad\E/empty has the place .* se/rd/serde$}m,
		    'index', "$bad/empty", 'demo/new', '--crates', $dir],
		'an empty index of a mirror' => [qr{\Aberth: no file in \Q$bad\E/mirror/index has the place},
		    'mirror', "$bad/mirror", 'demo/new'],
		'a directory with --crates' => [qr/--crates/, 'directory', $dir, 'demo/new', '--crates', $dir],
	);
	make_path("$bad/empty", "$bad/mirror/index");
	symlink($dir, "$bad/mirror/crates") or die "$bad/mirror/crates: $!\n";
	for my $what (sort keys %wrong) {
		my ($pattern, @args) = @{ $wrong{$what} };
		my ($status, undef, undef, $err) = import_of(@args);

		isnt($status, 0, $what);
		like($err, $pattern, "$what: says so");
	}
};

subtest 'a crate that is larger than the project allows' => sub {
	my $from = $t->dir . '/large';

	$t->project('demo/small');
	$t->berth_ok('project', 'set', 'demo/small', 'max_crate_size=2k');
	make_path($from);
	Berth::Test::write_file("$from/large-1.0.0.crate", 'x' x 3000);
	my ($status, $summary, $rows) = import_of('directory', $from, 'demo/small');
	is_deeply([$status, $summary->{refused}], [1, 1], 'is refused');
	is($rows->{'large 1.0.0'}{reason}, 'crate `large` 1.0.0 has 3000 bytes, and max_crate_size of the project'
	    . ' allows 2048: raise it with `berth project set`, and import again', 'with the remedy');
};

subtest 'two spellings of a name' => sub {
	my $from = $t->dir . '/spellings';
	my $project = $t->project('demo/spellings');
	my $why = qr/^`Two-Ways` of the source is the same name in another spelling, .* or leave `Two-Ways` out$/;

	make_path($from);
	for my $name (qw(two_ways Two-Ways two-ways)) {
		Berth::Test::write_file("$from/$name-$_.crate", Berth::Crate::make($name, $_)) for '1.0.0', '2.0.0';
	}
	# the order of the processes does not matter, and a dry run and a second import say the same
	for my $run (['--dry-run'], [], ['--processes', 1]) {
		my ($status, $summary, $rows) = import_of('directory', $from, 'demo/spellings', @$run);

		is_deeply([$status, $summary->{imported} + $summary->{there}, $summary->{refused}], [1, 2, 4],
		    "takes one spelling: @$run");
		like($rows->{"$_ 1.0.0"}{reason}, $why, "refuses $_") for qw(two_ways two-ways);
	}
	is($t->psql("SELECT name FROM crates WHERE project_id = $project"), 'Two-Ways',
	    'takes the first in the order of names');
	my $other = $t->project('demo/spelled');
	is($t->publish($other, $token, 'two_ways', '0.1.0')->{status}, 200, 'a project has another spelling');
	for my $run (['--dry-run'], []) {
		my ($status, $summary, $rows) = import_of('directory', $from, 'demo/spelled', @$run);

		is_deeply([$status, @$summary{qw(imported refused)}], [1, 2, 4], "keeps it: @$run");
		like($rows->{'Two-Ways 1.0.0'}{reason}, qr/previously named `two_ways`/, 'refuses the first');
	}
};

# The tables of Kellnr 6 that an import reads; t/tools/import.t imports from a real Kellnr.
sub kellnr_tables {
	my (%type) = @_;

	return <<"SQL";
CREATE TABLE "user" (id integer PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE krate (id integer PRIMARY KEY, name text NOT NULL UNIQUE, original_name text NOT NULL);
CREATE TABLE owner (id integer PRIMARY KEY, crate_fk integer NOT NULL, user_fk integer NOT NULL);
CREATE TABLE crate_index (id integer PRIMARY KEY, name text NOT NULL, vers text NOT NULL, deps $type{json},
    cksum text NOT NULL, features $type{json}, yanked boolean NOT NULL DEFAULT false, links text,
    v integer NOT NULL DEFAULT 1, crate_fk integer NOT NULL, pubtime $type{time});
CREATE TABLE crate_meta (id integer PRIMARY KEY, version text NOT NULL, created text NOT NULL,
    downloads integer NOT NULL DEFAULT 0, crate_fk integer NOT NULL);
SQL
}

subtest 'Kellnr' => sub {
	my $data = $t->dir . '/kellnr';
	my %sum;

	make_path("$data/crates");
	for (['Both_Ways', '1.0.0'], ['Both_Ways', '1.1.0'], ['needs', '0.1.0'], ['needs', '0.2.0']) {
		my $bytes = Berth::Crate::make(@$_, toml => $_->[0] eq 'needs' ? "[dependencies.Both_Ways]\n"
		    . "version = \"1\"\nregistry-index = \"sparse+https://kellnr.example/api/v1/crates/\"\n" : '');

		Berth::Test::write_file("$data/crates/$_->[0]-$_->[1].crate", $bytes);
		$sum{"@$_"} = sha256_hex($bytes);
	}
	my $deps = $json->encode([{ name => 'Both_Ways', req => '^1', features => [], optional => JSON::PP::false,
		default_features => JSON::PP::true, target => undef, kind => 'normal', registry => undef }]);
	my $rows = <<"SQL";
INSERT INTO "user" VALUES (1, 'dev'), (2, 'gone');
INSERT INTO krate VALUES (1, 'both_ways', 'Both_Ways'), (2, 'needs', 'needs');
INSERT INTO owner VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1);
INSERT INTO crate_index (id, name, vers, deps, cksum, yanked, crate_fk, pubtime) VALUES
    (1, 'Both_Ways', '1.1.0', '[]', '$sum{'Both_Ways 1.1.0'}', false, 1, '2024-05-06 07:08:09.123'),
    (2, 'Both_Ways', '1.0.0', NULL, '$sum{'Both_Ways 1.0.0'}', true, 1, NULL),
    (3, 'needs', '0.1.0', '$deps', '$sum{'needs 0.1.0'}', false, 2, NULL),
    (4, 'needs', '0.2.0', '$deps', '$sum{'needs 0.2.0'}', false, 2, NULL);
INSERT INTO crate_meta VALUES (1, '1.1.0', '2020-01-01 00:00:00', 5, 1),
    (2, '1.0.0', '2023-01-02 03:04:05.678', 0, 1), (3, '0.1.0', '2023-01-02 03:04:06', 7, 2),
    (4, '0.2.0', 'a day in May', 0, 2);
SQL
	my ($status, undef, $err) = Berth::Cluster::capture({ stdin => kellnr_tables(json => 'text', time => 'text')
	    . $rows }, 'sqlite3', "$data/db.sqlite");
	is($status, 0, 'its database') or diag $err;
	Berth::Cluster::capture('sqlite3', "$data/db.sqlite", ".backup $data/kellnr=5.sqlite");
	Berth::Cluster::capture('sqlite3', "$data/kellnr=5.sqlite", 'ALTER TABLE crate_index DROP COLUMN pubtime');
	$t->psql('CREATE DATABASE kellnr');
	my $conninfo = $t->dsn('postgres') =~ s/\bdbname=\S+/dbname=kellnr/r;
	($status, undef, $err) = Berth::Cluster::capture({ stdin => kellnr_tables(json => 'jsonb',
	    time => 'timestamp') . $rows }, 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $conninfo);
	is($status, 0, 'one of PostgreSQL') or diag $err;

	# psql before 15 prints only the last result of one -c
	my ($psql) = grep { -x } map { "$_/psql" } split(/:/, $ENV{PATH});
	my $older = Berth::Test::write_file($t->dir . '/older/psql',
	    "#!/bin/sh\nexec '$psql' -v SHOW_ALL_RESULTS=off \"\$@\"\n");
	chmod(0755, $older) or die "$older: $!\n";

	my %time = ('Both_Ways 1.1.0' => '2024-05-06T07:08:09Z', 'Both_Ways 1.0.0' => '2023-01-02T03:04:05Z',
	    'needs 0.1.0' => '2023-01-02T03:04:06Z');
	for (['SQLite', $data], ['PostgreSQL', $conninfo, '--crates', "$data/crates"],
	    ['PostgreSQL-14', $conninfo, '--crates', "$data/crates"],
	    ['before', "$data/kellnr=5.sqlite", '--crates', "$data/crates"]) {
		my ($what, @from) = @$_;
		my $project = $t->project('demo/kellnr-' . lc($what));
		local $ENV{PATH} = $t->dir . "/older:$ENV{PATH}" if $what eq 'PostgreSQL-14';
		my ($status, $summary, $rows, $err) = import_of('kellnr', $from[0], 'demo/kellnr-' . lc($what),
		    @from[1 .. $#from]);

		is_deeply([$status, @$summary{qw(imported owners owners_missing downloads unresolved untimed)}],
		    [0, 4, 2, 1, 2, 0, 1], "$what: all") or diag $err, explain $rows;
		like($rows->{'needs 0.2.0'}{reason}, qr/`a day in May` is not a/, "$what: a time that is none");
		local $time{'Both_Ways 1.1.0'} = '2020-01-01T00:00:00Z' if $what eq 'before';
		is_deeply([map { [@$_{qw(vers cksum pubtime yanked)}] } lines_of($project, 'both_ways')],
		    [map { [$_, @{ \%sum }{"Both_Ways $_"}, $time{"Both_Ways $_"}, $json->decode($_ eq '1.0.0' ? '[true]'
		    : '[false]')->[0]] } '1.1.0', '1.0.0'], "$what: in its order, with sums, times and yanks");
		my ($line) = lines_of($project, 'needs');
		is_deeply([$line->{pubtime}, map { @$_{qw(name registry)} } @{ $line->{deps} }],
		    [$time{'needs 0.1.0'}, 'Both_Ways', undef], "$what: a dependency in the same registry");
	}
	# the data may be somebody else's: a view must not do what a program does
	my $made = $t->dir . '/made';
	for my $call ("edit('', 'touch $made; true')", "writefile('$made', 'x')") {
		unlink("$data/hostile.sqlite");
		Berth::Cluster::capture({ stdin => kellnr_tables(json => 'text', time => 'text') . $rows
		    . "DROP TABLE user; CREATE VIEW user AS SELECT 1 AS id, $call AS name;" }, 'sqlite3',
		    "$data/hostile.sqlite");
		my ($status, undef, undef, $err) = import_of('kellnr', "$data/hostile.sqlite", 'demo/new', '--crates',
		    "$data/crates");
		like("$status $err", qr/^1 .*sqlite3 has failed/s, "$call: fails");
		ok(!-e $made, "$call: nothing is done");
	}
	my $berth = Berth::Cluster->inherited->build . '/berth';
	($status, undef, $err) = Berth::Cluster::capture({ env => { BERTH_CONF => $t->conf_path } }, 'prlimit',
	    '--fsize=400', $berth, 'import', 'kellnr', $data, '--into', 'demo/new');
	like("$status $err", qr/^2 .*lists more than 400 bytes/s, 'an answer has an end');
	my $mirror = $t->dir . '/mirror-of-nothing';
	mkdir($_) or die "$_: $!\n" for $mirror, "$mirror/index";
	for ([kellnr => "$data/db.sqlite"], [kellnr => $data, '--processes', 0],
	    [directory => $data, '--processes', 0], [mirror => $mirror, '--processes', 0]) {
		my ($call, $from, @args) = @$_;
		my ($status, undef, undef, $err) = import_of($call, $from, 'demo/new', @args);

		like("$status $err", qr/^2 .*^usage: berth import $call /ms, "$call @args: wrong usage");
	}
	for ([qr/needs --crates DIR/, "$data/db.sqlite"],
	    [qr{cannot read \Q$data\E/none: No such file}, "$data/none"],
	    [qr/cannot read the directory/, "$data/db.sqlite", '--crates', "$data/none"],
	    [qr/sqlite3 has failed, .*; check that \Q$data\E\/text is the database of a Kellnr, and that you may/,
	    Berth::Test::write_file("$data/text", 'no database' x 100), '--crates', "$data/crates"],
	    [qr/psql has failed, .* in the connection string/, 'host=/nonexistent', '--crates', "$data/crates"]) {
		my ($why, $from, @args) = @$_;
		my ($status, undef, undef, $err) = import_of('kellnr', $from, 'demo/new', @args);

		like("$status $err", qr/^[12] .*$why/s, "$from: says so");
	}
};

subtest 'dependencies in the registry that crates come from' => sub {
	my $from = $t->dir . '/private';
	my $url = 'sparse+https://old.example/index/';
	my $manifest = <<"TOML";
[package]
name = "user"
version = "1.0.0"
[dependencies.used]
version = "1"
registry-index = "$url"
[dependencies.serde]
version = "1"
[dev-dependencies.bench]
version = "1"
registry-index = "$url"
TOML
	make_path($from);
	Berth::Test::write_file("$from/user-1.0.0.crate",
	    Berth::Crate::make('user', '1.0.0', manifest => $manifest));
	my ($status, $summary, $rows, $err) = import_of('directory', $from, 'demo/new');
	like($rows->{'user 1.0.0'}{reason}, qr/the registry `\Q$url\E`.* you import from, give --registry-url URL$/,
	    'not without --registry-url');
	($status, $summary, $rows, $err) = import_of('directory', $from, 'demo/new', '--registry-url', 'crates-io',
	    '--dry-run');
	like($rows->{'user 1.0.0'}{reason}, qr/is hosted on the registry `\Q$url\E`/, 'nor with that of another');
	for my $wrong ('foo', 'https://', 'old.example/index', 'sparse+foo', 'https://old.example/a b',
	    "https://old.example/a\x7f", '') {
		($status, undef, undef, $err) = import_of('directory', $from, 'demo/new', '--registry-url', $wrong);
		my $shown = $wrong =~ tr/\x7f/?/r;
		like("$status $err", qr{^2 berth: --registry-url \Q$shown\E: must be the URL .* sparse\+https://},
		    "`$shown` is no URL");
	}
	($status, undef, undef, $err) = import_of('directory', $from, 'demo/new', '--registry-url',
	    'https://old.example/' . 'a' x 1005);
	like("$status $err", qr/^2 berth: --registry-url: the URL has 1025 bytes; the limit is 1024: give/,
	    'a URL that is too long is not repeated');
	for my $git ('ssh://git@old.example/index', 'https://old.example/index.git',
	    'registry+https://old.example/git') {
		($status, $summary) = import_of('directory', $from, 'demo/new', '--registry-url', $git,
		    '--registry-url', $url, '--dry-run');
		is_deeply([$status, $summary->{imported}], [0, 1], "one of two URLs, beside $git");
	}
	($status, $summary, $rows, $err) = import_of('directory', $from, 'demo/new', '--registry-url', $url);
	is_deeply([$status, $summary->{imported}, $summary->{unresolved}], [0, 1, 1], 'with it') or diag $err;
	($status, undef, $err) = $t->berth('import', 'directory', $from, '--into', 'demo/new',
	    '--registry-url', $url);
	like($err, qr/^berth: warning: crates of the project depend on `used`, which the project does not have$/m,
	    'a dependency that is not there is told');
	unlike($err, qr/`bench`/, 'but not one that only its own tests use');
	($status, undef, $err) = $t->berth('import', 'directory', $from, '--into', 'demo/new',
	    '--registry-url', $url, '--lock', Berth::Test::write_file($t->dir . '/Cargo.lock',
	    "version = 4\n\n[[package]]\nname = \"user\"\nversion = \"1.0.0\"\nsource = \"$url\"\n"));
	like($err, qr/^berth: crates that dependencies name and the project does not have: 1 \(`unresolved`\), /m,
	    'with a lock file how many');
	like($err, qr/, such as `used`; a build with \S+Cargo\.lock needs only what that file names$/m,
	    'and which, for example');
	is_deeply([map { "$_->{name} " . ($_->{registry} // 'here') } @{ (lines_of($id, 'user'))[0]{deps} }],
	    ['bench here', 'serde https://github.com/rust-lang/crates.io-index', 'used here'],
	    'each has its registry');
};

subtest 'dependencies in the registry of a group here' => sub {
	my $other = $t->project('demo/beside');
	my $from = $t->dir . '/group';
	my $group = $t->group('demo');
	my $index = sub { 'sparse+' . $t->url . $t->path . "/api/v4/groups/$_[0]/-/packages/cargo/" };
	my $write = sub {
		my ($name, $dep, $url) = @_;
		my $manifest = Berth::Crate::manifest($name, '1.0.0')
		    . "\n[dependencies.$dep]\nversion = \"1\"\nregistry-index = \"$url\"\n";

		Berth::Test::write_file("$from/$name-1.0.0.crate",
		    Berth::Crate::make($name, '1.0.0', manifest => $manifest));
	};

	make_path($from);
	is($t->publish($other, $token, 'neighbour', '1.0.0')->{status}, 200, 'a crate beside');
	$write->('by-path', 'neighbour', $index->('demo'));
	$write->('by-id', 'neighbour', $index->($group));
	$write->('in-vain', 'nobody-has', $index->('demo'));
	my ($status, $summary, $rows, $err) = import_of('directory', $from, 'demo/new');
	is_deeply([$status != 0, $summary->{imported}, $summary->{refused}], [1, 2, 1], 'imported') or diag $err;
	like($rows->{'in-vain 1.0.0'}{reason}, qr/no crate of that name is in the registry .*--registry-url/,
	    'but not without the crate');
	is((lines_of($id, $_))[0]{deps}[0]{registry}, 'sparse+' . $t->url . $t->registry($other) . '/',
	    "$_: the project of the crate") for qw(by-path by-id);
	(undef, my $out) = $t->berth('import', 'directory', $from, '--into', 'demo/new', '--dry-run');
	like($out, qr/^dry run: nothing was written/m, 'a dry run says that it is one');
};

subtest 'an index' => sub {
	my $index = $t->dir . '/index';
	my $crates = $t->dir . '/crates';
	my $project = $t->project('demo/index');
	my (@lines, $status, $summary, $rows, $err);

	make_path("$index/se/co", "$index/.git/objects", $crates, "$index/3/o");
	for (['2.0.0', 1, '2020-01-02T03:04:05Z'], ['1.0.0', 0, undef], ['3.0.0', 0, undef]) {
		my ($version, $yanked, $time) = @$_;
		my $name = 'second';
		my $bytes = Berth::Crate::make($name, $version);
		my $line = { name => $name, vers => $version, deps => [], cksum => sha256_hex($bytes), features => {},
			yanked => $yanked ? JSON::PP::true : JSON::PP::false, defined $time ? (pubtime => $time) : () };

		Berth::Test::write_file("$crates/$name-$version.crate", $version eq '3.0.0' ? 'other' : $bytes);
		push @lines, $json->encode($line);
	}
	push @lines, $json->encode({ name => 'second', vers => '4.0.0', deps => [], cksum => '0' x 64,
		features => {}, yanked => JSON::PP::false });
	Berth::Test::write_file("$index/se/co/second", join("\n", @lines) . "\n");
	Berth::Test::write_file("$index/config.json", '{}');
	Berth::Test::write_file("$index/LICENSE", 'not an index file');
	# the name was free again long after the time of the first version
	$t->psql("INSERT INTO crates (project_id, name, normalized_name, deleted_at)"
	    . " VALUES ($project, 'second', 'second', now() - interval '1 day')");
	my @args = ('index', $index, 'demo/index', '--crates', $crates);
	($status, $summary, $rows, $err) = import_of(@args);
	is_deeply([$status, @$summary{qw(imported refused missing)}], [1, 2, 1, 1], 'two are imported') or diag $err;
	like($rows->{'second 3.0.0'}{reason}, qr/has the SHA-256 \S+, and the index says /, 'not with other bytes');
	like($rows->{'second 4.0.0'}{reason}, qr/does not have its bytes/, 'nor without any');
	my @got = lines_of($project, 'second');
	is_deeply([map { "$_->{vers} " . ($_->{yanked} ? 'yanked' : '') } @got], ['2.0.0 yanked', '1.0.0 '],
	    'in the order of the index, yanked as there');
	is($got[0]{pubtime}, '2020-01-02T03:04:05Z', 'with its time');
	cmp_ok($got[1]{pubtime}, 'gt', '2026', 'or that of the import');
	is($t->psql("SELECT count(*) FROM versions WHERE project_id = $project AND now() - imported_at < '1 hour'"
	    . " AND (published_at < imported_at - interval '1 hour') = (version = '2.0.0')"), 2,
	    'which is kept besides');
	agrees($t, 'imported', token => $token);

	# an index file may be larger than 64 MiB
	Berth::Test::write_file("$index/se/co/second", "\n" x (65 << 20)
	    . join("\n", map { s/"yanked":true/"yanked":false/r } @lines[0, 1]) . "\n");
	($status, $summary, $rows) = import_of(@args);
	is_deeply([$status, @$summary{qw(there yanked)}], [0, 1, 1], 'what is yanked follows the index');
	is((lines_of($project, 'second'))[0]{yanked}, JSON::PP::false, 'unyanked');
	Berth::Test::write_file("$index/3/o/one", "{\n");
	($status, undef, undef, $err) = import_of(@args);
	like($err, qr{index/3/o/one:1}, 'a line that is wrong is named');
	for (['../x', '1.0.0', qr/invalid character/], ['one', '1.0', qr/semver/]) {
		my ($name, $version, $why) = @$_;

		my $line = $json->encode({ name => $name, vers => $version });
		Berth::Test::write_file("$index/3/o/one", "\n$line\n");
		($status, undef, undef, $err) = import_of(@args);
		like($err, qr{index/3/o/one:2: .*$why}, "as is one with $name $version");
	}
	# files of the index with the names in their lines, and what is wrong with them
	my $own = qr{3/o/one has lines of the crate `two`, not only of `one`};
	for (['its crate and another' => { '3/o/one' => [qw(one two)] }, 'one ', $own],
	    ['another crate and its own' => { '3/o/one' => [qw(two one)] }, 'one ', $own],
	    ['another crate alone' => { '3/o/one' => ['second'] }, 'one ', qr/lines of the crate `second`/],
	    ['another crate that has a file' => { '3/o/one' => ['two'], '3/t/two' => ['two'] }, 'one ', $own, 1],
	    ['two spellings' => { '3/o/one' => [qw(One one)] }, 'One ', qr/the crate `one`, not only of `One`/],
	    ['two trees' => { '3/o/one' => ['one'], 'old/3/o/one' => ['one'] }, 'one ',
	        qr{has two files with the crate, \S+/3/o/one and \S+/3/o/one; remove the wrong one}]) {
		my ($what, $files, $row, $why, $others) = @$_;

		for my $file (sort keys %$files) {
			make_path("$index/$file" =~ s{/[^/]+\z}{}r);
			Berth::Test::write_file("$index/$file",
			    join('', map { $json->encode({ name => $_, vers => '1.0.0' }) . "\n" } @{$files->{$file}}));
		}
		($status, $summary, $rows) = import_of(@args);
		is_deeply([$status, @$summary{qw(there refused)}], [1, 2, 1 + ($others // 0)],
		    "$what: the file is refused alone");
		like($rows->{$row}{reason}, $why, 'and the command says why');
		unlink("$index/$_") or die "$_: $!\n" for keys %$files;
	}
};

# Two crates of the public registry, one of which needs the other.
sub public_crates {
	my ($root) = @_;
	my %line;

	make_path("$root/crates");
	for (['leaf-crate', ''], ['stem-crate', "[dependencies.leaf-crate]\nversion = \"1\"\n"]) {
		my ($name, $deps) = @$_;
		my $bytes = Berth::Crate::make($name, '1.0.0', toml => $deps);

		Berth::Test::write_file("$root/crates/$name-1.0.0.crate", $bytes);
		make_path("$root/index/" . (Berth::Publish::index_path($name) =~ s{/[^/]+\z}{}r));
		Berth::Test::write_file("$root/index/" . Berth::Publish::index_path($name), $json->encode({ name => $name,
			vers => '1.0.0', cksum => sha256_hex($bytes), features => {}, yanked => JSON::PP::false,
			deps => [$deps ? { name => 'leaf-crate', req => '^1', features => [], optional => JSON::PP::false,
			    default_features => JSON::PP::true, target => undef, kind => 'normal' } : ()] }) . "\n");
	}
	return ("$root/index", "$root/crates");
}

# berth-mirror(7) as it stands there: what cargo makes of it, and that nobody is asked but us.
subtest 'a mirror of the public registry' => sub {
	my ($index, $crates) = public_crates($t->dir . '/public');
	my %project = map { $_ => $t->project("demo/mirror-$_", $_ eq 'open' ? 'public' : 'private') } qw(open shut);
	my ($status, $summary, $rows, $err);

	$t->berth_ok('project', 'set', "demo/mirror-$_", 'mirror_url=crates-io') for sort keys %project;
	($status, $summary, $rows, $err) = import_of('index', $index, 'demo/mirror-open', '--crates', $crates);

	is_deeply([$status, @$summary{qw(imported unresolved)}], [0, 2, 0], 'from the index') or diag $err;
	for my $layout (qw(crates.io-index git/crates.io-index index)) {
		my $mirror = $t->dir . '/mirror-' . $layout =~ tr{/}{-}r;

		make_path($mirror, "$mirror/git");
		rename($index, "$mirror/$layout") or die "$!\n";
		rename($crates, "$mirror/crates") or die "$!\n";
		($status, $summary, $rows, $err) = import_of('mirror', $mirror, 'demo/mirror-open');
		is_deeply([$status, $summary->{there}], [0, 2], "from a mirror with $layout") or diag $err;
		rename("$mirror/$layout", $index) or die "$!\n";
		($status, $summary, $rows, $err) = import_of('mirror', $mirror, 'demo/mirror-open');
		like("$status $err", qr{^2 .*crates\.io-index, git/crates\.io-index and index}s, 'but not without one');
		rename("$mirror/crates", $crates) or die "$!\n";
	}
	($status, $summary, $rows, $err) = import_of('directory', $crates, 'demo/mirror-shut');
	is_deeply([$status, @$summary{qw(imported unresolved)}], [0, 2, 0], 'from the crates alone') or diag $err;
	is_deeply([map { $_->{registry} } map { @{ $_->{deps} } } lines_of($project{$_}, 'stem-crate')], [undef],
	    "$_: its crates depend on each other") for sort keys %project;

	SKIP: {
		skip Berth::Test::cargo_missing(), 2 if Berth::Test::cargo_missing();
		my %lock;

		for my $kind (sort keys %project) {
			my $app = $t->dir . "/app-$kind";
			my $home = $t->cargo_setup(mirror => { id => $project{$kind},
				$kind eq 'shut' ? (token => $token) : () });
			my $page = Berth::Cluster::slurp("$Berth::Cluster::ROOT/fcgi/man/berth-mirror.7");
			my ($config) = $page =~ /^\.Bd -literal -offset indent\n(\[source\.crates-io\].*?)^\.Ed/ms;

			make_path("$app/src", "$app/.cargo");
			Berth::Test::write_file("$app/.cargo/config.toml", $config);
			Berth::Test::write_file("$app/src/main.rs", "fn main() {}\n");
			Berth::Test::write_file("$app/Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\n"
			    . "edition = \"2021\"\n[dependencies]\nstem-crate = \"1\"\n");
			($status, undef, $err) = $t->cargo('fetch', dir => $app);
			is($status, 0, "$kind: cargo fetches from it") or diag $err;
			like($err, qr/Downloaded leaf-crate v1\.0\.0 \(registry `mirror`\)/, "$kind: what its crates need, too");
			$lock{$kind} = Berth::Cluster::slurp("$app/Cargo.lock");
		}
		is($lock{shut}, $lock{open}, 'the same lock file');
		is_deeply({ map { $_ => 1 } $lock{open} =~ /^source = "(.*)"$/mg },
		    { 'registry+https://github.com/rust-lang/crates.io-index' => 1 }, 'which names the public registry');
		my $file = Berth::Test::write_file($t->dir . '/Cargo.lock', $lock{open});
		($status, $summary, undef, $err) = import_of('index', $index, 'demo/mirror-open', '--crates', $crates,
		    '--lock', $file);
		is_deeply([$status, @$summary{qw(there missing)}], [0, 2, 0], "cargo's lock file names what there is")
		    or diag $err;
	}
};

# The processes of root's import become the owner of the store; from then on the kernel no longer ends them
# with their parent, unless it is asked again.
# Here the user is that of the cluster, who can reach its socket.
my @owner = $> == 0 ? (stat(Berth::Cluster->inherited->{pg}))[4, 5] : ();

sub give_store {
	my (@ids) = @_;

	File::Find::find({ no_chdir => 1, wanted => sub { chown(@ids, $_) or die "$_: $!\n" } }, $t->store)
	    if @owner;
	return;
}

subtest 'killed, and again' => sub {
	my $many = $t->dir . '/many';
	my $n = 60;

	give_store(@owner);
	make_path($many);
	Berth::Test::write_file("$many/many-$_.0.0.crate", Berth::Crate::make('many', "$_.0.0")) for 1 .. $n;
	my $pid = Berth::Test::spawn("$many.log", Berth::Cluster->build_dir . '/berth', '-c', $t->conf_path,
	    'import', 'directory', $many, '--into', 'demo/new', '--processes', 2);
	ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM versions v JOIN crates c ON c.id = v.crate_id"
	    . " WHERE c.name = 'many'") > 5 }), 'it has begun');
	my @processes = split(/ /, Berth::Cluster::slurp("/proc/$pid/task/$pid/children"));
	cmp_ok(scalar @processes, '>', 0, 'by processes');
	# they cannot end by themselves
	kill('STOP', @processes);
	kill('KILL', $pid);
	waitpid($pid, 0);
	ok($t->wait_for(sub { !grep { kill(0, $_) } @processes }), 'which end with it')
	    or kill('KILL', @processes);
	my ($status, $summary) = import_of('directory', $many, 'demo/new');
	is($status, 0, 'the same command goes on');
	is($summary->{imported} + $summary->{there}, $n, 'and finds all');
	cmp_ok($summary->{there}, '>', 5, 'some of them were there');
	is(scalar(lines_of($id, 'many')), $n, 'each once');
	agrees($t, 'after a kill', token => $token);

	my $mask = umask(0077);
	Berth::Test::write_file("$many/mode-1.0.0.crate", Berth::Crate::make('mode', '1.0.0'));
	chmod(0755, $many);
	chmod(0644, "$many/mode-1.0.0.crate");
	($status, $summary) = import_of('directory', $many, 'demo/new');
	umask($mask);
	is_deeply([$status, $summary->{imported}], [0, 1], 'with a strict umask');
	my $sha = sha256_hex(Berth::Cluster::slurp("$many/mode-1.0.0.crate"));
	# a worker of the pool has made the directory above
	my $at = join('/', $t->store, substr($sha, 0, 2), substr($sha, 2, 2));
	is(join(' ', map { sprintf('%o', (stat($_))[2] & 0777) } $at, "$at/$sha"),
	    '750 640', 'nginx can read what the store lets it');
	give_store(0, 0);
};

# All files below a directory, and what is in them.
sub files_of {
	my ($root) = @_;
	my %bytes;

	File::Find::find({ no_chdir => 1, wanted => sub {
		$bytes{ substr($_, length($root) + 1) } = Berth::Cluster::slurp($_) if -f;
	} }, $root);
	return \%bytes;
}

# Files and links of others in the export's directory: the export does not follow, overwrite or remove
# them.
sub prepared {
	my ($out, @args) = @_;
	my $other = $t->dir . '/other';
	my @cases = (
		map({
			my $name = $_;
			["$name elsewhere", qr{/\Q$name\E is not a directory \(a symbolic link\?\): use a directory without},
			    sub { symlink($other, "$_[0]/$name") }]
		} qw(index crates index.new index.replaced)),
		['an index of others', qr/index without config\.json/,
		    sub { mkdir("$_[0]/index") }],
		['a file as index', qr{/index is not a directory},
		    sub { Berth::Test::write_file("$_[0]/index", 'mine') }],
		['a pipe as crates', qr{/crates is not a directory},
		    sub { POSIX::mkfifo("$_[0]/crates", 0600) }],
		['another export', qr/another export to \S+ runs/,
		    sub { my $dir; open($dir, '<', $_[0]) && flock($dir, LOCK_EX) && $dir }],
	);

	make_path($other);
	Berth::Test::write_file("$other/mine", 'mine');
	for my $case (@cases) {
		my ($name, $why, $prepare) = @$case;
		my $dir = $t->dir . '/prepared-' . $name =~ s/\W/-/gr;

		make_path($dir);
		my $kept = $prepare->($dir) or die "$name: $!\n";
		my @there = glob("$dir/*");
		my ($status, $printed, $err) = $t->berth('export', $args[0], $dir, @args[2 .. $#args]);
		is($status, $name eq 'another export' ? 1 : 2, $name);
		like($err, $why, '  says so');
		is_deeply([glob("$dir/*")], \@there, '  before it writes anything');
		is_deeply(files_of($other), { mine => 'mine' }, '  and what is there stays');
	}
	my ($status, undef, $err) = $t->berth('export', $args[0], '', @args[2 .. $#args]);
	like("$status $err", qr/^2 berth: DIR is an empty string/, 'no name of a directory');
	# a name that exists, as a file with a second name
	unlink("$out/crates/alpha/alpha-0.9.0.crate") or die $!;
	my $sum = (lines_of($id, 'alpha'))[0]{cksum};
	link("$other/mine", "$out/crates/alpha/.$sum") or die $!;
	is($json->decode($t->berth_ok('--json', 'export', @args))->{copied}, 1, 'a file with two names');
	is_deeply(files_of($other), { mine => 'mine' }, '  is not overwritten');
	return;
}

# Two hundred crates, with index files of 200 kB, which do not fit into a socket's buffer.
sub large_project {
	my $project = $t->project('demo/large');
	my $sha = $t->psql('SELECT max(sha256) FROM blobs');
	my $line = $json->encode({ vers => '1.0.0', cksum => $sha,
		pad => join('', map { sha256_hex($_) } 1 .. 6000) });

	$t->psql(sprintf("INSERT INTO crates (project_id, name, normalized_name, index_body) SELECT %d, n, n,"
	    . " decode('%s', 'hex') FROM (SELECT 'large-' || i AS n FROM generate_series(100, 299) i) x",
	    $project, unpack('H*', Compress::Zlib::memGzip("$line\n"))));
	return;
}

# A statement whose result is written to a disk lasts as long as the writes.
subtest 'an export that takes longer than a statement may' => sub {
	my $out = $t->dir . '/large';

	large_project();
	$t->conf(database_timeout => 1);
	my $pid = Berth::Test::spawn("$out.log", Berth::Cluster->build_dir . '/berth', '-c', $t->conf_path,
	    'export', 'demo/large', $out, '--url', 'https://static.example');
	$t->wait_for(sub { -e "$out/index.new/la/rg/large-100" });
	kill('STOP', $pid);
	ok(!-e "$out/index.new/la/rg/large-299", 'it is under way');
	sleep(1.5);
	kill('CONT', $pid);
	waitpid($pid, 0);
	is($?, 0, 'and ends well') or diag(Berth::Cluster::slurp("$out.log"));
	is(scalar keys %{ files_of("$out/index") }, 201, 'with all');
	$t->conf(database_timeout => undef);
};

subtest 'export, and back' => sub {
	my $out = $t->dir . '/static';
	my $url = $t->url . '/static';
	my @args = ('demo/new', $out, '--url', "$url/");
	my $first = $json->decode($t->berth_ok('--json', 'export', @args));
	my ($all) = $t->psql("SELECT count(*) FROM versions WHERE project_id = $id");

	is_deeply([@$first{qw(versions copied index)}], [$all, $all, "sparse+$url/index/"], 'all versions');
	my $files = files_of($out);
	is_deeply($json->decode($files->{'index/config.json'}),
	    { dl => "$url/crates/{crate}/{crate}-{version}.crate" }, 'config.json');
	my @names = $t->psql("SELECT name FROM crates WHERE project_id = $id ORDER BY name");
	is($files->{ 'index/' . Berth::Publish::index_path($_) }, $t->http(GET => $t->registry($id) . '/'
	    . Berth::Publish::index_path($_), { token => $token })->{body}, "the index file of $_") for @names;
	is_deeply([grep { !m{^(?:index|crates)/} || m{/\.} } keys %$files], [], 'and nothing else');

	my $back = $t->project('demo/back');
	my ($status, $summary, $rows, $err) = import_of('index', "$out/index", 'demo/back', '--crates',
	    "$out/crates", '--accept-legacy');
	is_deeply([$status, $summary->{imported} + $summary->{legacy}], [0, $all], 'the same comes in elsewhere')
	    or diag $err;
	is_deeply([$t->psql("SELECT name, md5(index_body) FROM crates WHERE project_id = $back ORDER BY name")],
	    [$t->psql("SELECT name, md5(index_body) FROM crates WHERE project_id = $id ORDER BY name")],
	    'with the same bytes of the index');

	is($json->decode($t->berth_ok('--json', 'export', @args))->{copied}, 0, 'again: nothing is copied');
	is_deeply(files_of($out), $files, 'and nothing differs');
	truncate("$out/crates/good/good-1.0.0.crate", 10) or die $!;
	unlink("$out/crates/alpha/alpha-0.9.0.crate") or die $!;
	make_path("$out/index.new/le/ft");
	Berth::Test::write_file("$out/index.new/le/ft/left", '{"of an export that was kil');
	$t->psql("UPDATE crates SET index_body = NULL WHERE project_id = $id AND name = 'wild'");
	is($json->decode($t->berth_ok('--json', 'export', @args))->{copied}, 2, 'what is not there is copied');
	my $now = files_of($out);
	is_deeply([grep { !defined $now->{$_} || $now->{$_} ne $files->{$_} } sort keys %$files],
	    ['crates/wild/wild-1.0.0.crate', 'index/wi/ld/wild'],
	    'a crate that is gone leaves the directory, and the rest is as before');
	is_deeply([grep { !defined $files->{$_} } keys %$now], [], 'nothing is left of the killed one');

	subtest 'a directory that somebody else has prepared' => sub { prepared($out, @args) };
	unlink($t->store . '/' . substr(sha256_hex($files->{'crates/alpha/alpha-0.9.0.crate'}), 0, 2) . '/'
	    . substr(sha256_hex($files->{'crates/alpha/alpha-0.9.0.crate'}), 2, 2) . '/'
	    . sha256_hex($files->{'crates/alpha/alpha-0.9.0.crate'})) or die $!;
	unlink("$out/crates/alpha/alpha-0.9.0.crate") or die $!;
	($status, undef, $err) = $t->berth('export', @args);
	like("$status $err", qr/^1 berth: alpha 0\.9\.0: cannot read its blob [0-9a-f]{64}/,
	    'a missing blob is named');
	is_deeply(files_of("$out/index"), { map { s{^index/}{}r => $now->{$_} } grep { m{^index/} } keys %$now },
	    'and the index stays as it was');
	(undef, $err) = Berth::Cluster::capture({ env => { BERTH_CONF => $t->conf_path } }, '/bin/sh', '-c',
	    "trap '' XFSZ; prlimit --fsize=100 " . $t->build . "/berth export demo/new $out-full --url $url 2>&1"
	    . ' | cat');
	like($err, qr/^berth: cannot write index\.new\/\S+: File too large; crate \w/m, 'a full disk is named');
	for ((map { [$_, qr/must be the http:/] } 'ftp://x', "$url?a=b", "$url#a", 'https://me:secret@x/static'),
		[$url, qr/`demo\/none`/, 'demo/none']) {
		my ($u, $pattern, $project) = @$_;

		($status, undef, $err) = $t->berth('export', $project // 'demo/new', $out, '--url', $u);
		like($err, $pattern, 'a wrong ' . ($project // $u));
		unlike($err, qr/secret/, '  and its password is not shown');
	}

	SKIP: {
		skip Berth::Test::cargo_missing(), 2 if Berth::Test::cargo_missing();
		my $location = "\tlocation /static/ { root " . $t->dir . "; }\n";
		$t->stop_nginx;
		$t->start_nginx(sub { s/^(?=\tinclude berth\/berth-locations.conf;)/$location/m; return $_; });
		$t->cargo_setup;
		my $app = $t->dir . '/app';
		make_path("$app/src", "$app/.cargo");
		Berth::Test::write_file("$app/.cargo/config.toml", "[registries.static]\nindex = \"sparse+$url/index/\"\n");
		Berth::Test::write_file("$app/src/main.rs", "fn main() {}\n");
		Berth::Test::write_file("$app/Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\n"
		    . "edition = \"2021\"\n[dependencies]\nnum-2 = { version = \"3\", registry = \"static\" }\n");
		($status, undef, $err) = $t->cargo('fetch', dir => $app);
		is($status, 0, 'cargo fetches from it') or diag $err;
		like($err, qr/Downloaded num-2 v3\.0\.0 \(registry `static`\)/, 'the crate');
	}
};

# All names below a directory, with those of directories.
sub names_of {
	my ($root) = @_;
	my %bytes = %{ files_of($root) };

	File::Find::find({ no_chdir => 1, wanted => sub {
		$bytes{ substr($_, length($root)) } = 'a directory' if -d;
	} }, $root);
	return \%bytes;
}

# Runs export into DIR, and tells how many crates it removed.
sub export_to {
	my ($out) = @_;

	return $json->decode($t->berth_ok('--json', 'export', 'demo/going', $out, '--url',
	    'https://static.example'))->{removed};
}

subtest 'an export of what has gone meanwhile' => sub {
	my ($out, $fresh, $from) = map { $t->dir . "/going-$_" } qw(out fresh from);

	$t->project('demo/going');
	make_path($from);
	Berth::Test::write_file("$from/$_->[0]-$_->[1].crate", Berth::Crate::make(@$_))
	    for map { my $name = $_; map { [$name, $_] } '1.0.0', '1.1.0', '1.2.0' } qw(whole some stay);
	is((import_of('directory', $from, 'demo/going'))[0], 0, 'three crates');
	is(export_to($out), 0, 'the first export removes nothing');
	my $first = names_of($out);

	# what others have put there: beside crates, in place of one, and in the index
	my %theirs = ('crates/whole/whole-9.0.0.crate' => 'another version', 'crates/some/notes' => 'notes',
		'crates/whole/whole-1.1.0.crate' => 'other bytes', 'crates/own/own-1.0.0.crate' => 'own',
		'index/robots.txt' => 'robots', 'index/.htaccess' => 'access', 'index/so/me/notes' => 'below');
	my $put = sub {
		make_path("$out/crates/own");
		Berth::Test::write_file("$out/$_", $theirs{$_}) for sort keys %theirs;
	};
	$put->();
	$t->berth_ok('delete', 'demo/going', 'whole');
	$t->berth_ok('delete', 'demo/going', 'some@1.1.0');
	is(export_to($out), 3, 'the versions that are gone, except the one with other bytes');
	export_to($fresh);
	my $expected = names_of($fresh);
	is_deeply($expected, { map { ($_ => $expected->{$_}) } grep { !m{whole|some-1\.1} } keys %$expected },
	    'as an export into an empty directory');
	my $with_theirs = { %$expected, %theirs, '/crates/whole' => 'a directory', '/crates/own' => 'a directory' };
	is_deeply(names_of($out), $with_theirs, 'and the files of others');
	is(export_to($out), 0, 'again: none');
	is_deeply(names_of($out), $with_theirs, 'nothing changes');

	# what a killed export leaves: an index that is replaced, and all crates
	my $restore = sub {
		my (@index) = @_;
		for my $path (grep { m{^crates/} && !m{^crates/stay} } keys %$first) {
			make_path("$out/$path" =~ s{/[^/]+\z}{}r);
			Berth::Test::write_file("$out/$path", $first->{$path});
		}
		for my $path (grep { m{^index/} } keys %$first) {
			for my $index (@index) {
				my $to = "$out/" . $path =~ s{^index/}{$index/}r;

				make_path($to =~ s{/[^/]+\z}{}r);
				Berth::Test::write_file($to, $first->{$path});
			}
		}
	};
	for (['after the exchange', 'index.new'], ['before the removal', 'index.replaced'],
	    ['twice', 'index.new', 'index.replaced']) {
		my ($when, @index) = @$_;

		$restore->(@index);
		is(export_to($out), 4, "killed $when: goes on");
		$put->();
		is_deeply(names_of($out), $with_theirs, 'to the same end');
	}

	# an index file may be as large as the registry lets it become
	open(my $large, '>>', "$out/index/st/ay/stay") or die $!;
	print {$large} 'x' x (1 << 20) for 1 .. 65;
	close($large) or die $!;
	is(export_to($out), 0, 'an index file of 65 MiB');
	is_deeply(names_of($out), $with_theirs, 'is replaced');

	# killed in the middle of a copy: what has been copied is not copied again
	my $again = $t->dir . '/going-again';
	make_path("$again/crates/stay", "$again/index.new/st/ay");
	Berth::Test::write_file("$again/crates/stay/stay-1.0.0.crate", $first->{'crates/stay/stay-1.0.0.crate'});
	Berth::Test::write_file("$again/crates/stay/." . sha256_hex($first->{'crates/stay/stay-1.1.0.crate'}),
	    'half');
	Berth::Test::write_file("$again/index.new/st/ay/stay", $first->{'index/st/ay/stay'});
	is($json->decode($t->berth_ok('--json', 'export', 'demo/going', $again, '--url',
	    'https://static.example'))->{copied}, 4, 'killed in the middle: copies the rest');
	is_deeply(names_of($again), $expected, 'to the same end');
};

# Every line of the index in DIR has its bytes there; returns the lines.
sub named_in {
	my ($dir) = @_;
	my $files = files_of($dir);
	my %named;

	for my $path (grep { m{^index/} && $_ ne 'index/config.json' } sort keys %$files) {
		for (map { $json->decode($_) } split(/\n/, $files->{$path})) {
			my $bytes = $files->{"crates/$_->{name}/$_->{name}-$_->{vers}.crate"} // 'nothing';

			is(sha256_hex($bytes), $_->{cksum}, "the bytes of $_->{name} $_->{vers} are those of its line");
			$named{"$_->{name} $_->{vers}"} = $_->{cksum};
		}
	}
	return \%named;
}

subtest 'a crate that the inspector does not survive' => sub {
	local $ENV{BERTH_FAULT};
	my $fault = Berth::Fault->new($t);
	my $from = $t->dir . '/deadly';
	plan skip_all => $fault->missing if $fault->missing;

	make_path($from);
	Berth::Test::write_file("$from/deadly-$_.crate", Berth::Crate::make('deadly', $_)) for '1.0.0', '1.1.0';
	$t->conf(inspector => $fault->inspector);
	$fault->arm('inspect:judged', 'kill');
	my ($status, $summary, $rows, $err) = import_of('directory', $from, 'demo/new');
	ok($fault->disarm, 'it dies');
	is_deeply([$summary->{imported}, map { $_->{reason} } values %$rows],
	    [1, 'the inspector ended with wait status 0x9'], 'that one is refused, and the other imported')
	    or diag($err);
	($status, $summary) = import_of('directory', $from, 'demo/new');
	is_deeply([$status, $summary->{imported}], [0, 1], 'a second run imports it');
	$t->conf(inspector => $t->build . '/berth-inspect');
};

# The database has committed, and the answer is lost on its way.
subtest 'a version that is there, though nobody has said so' => sub {
	local $ENV{BERTH_FAULT};
	my $fault = Berth::Fault->new($t);
	my $project = $t->project('demo/unsaid');
	my ($crates, $index) = map { $t->dir . "/unsaid-$_" } qw(crates index);
	my $bytes = Berth::Crate::make('unsaid', '1.0.0');
	plan skip_all => $fault->missing if $fault->missing;

	make_path($crates, "$index/un/sa");
	Berth::Test::write_file("$crates/unsaid-1.0.0.crate", $bytes);
	Berth::Test::write_file("$index/un/sa/unsaid", $json->encode({ name => 'unsaid', vers => '1.0.0', deps => [],
	    features => {}, cksum => sha256_hex($bytes), yanked => JSON::PP::true }) . "\n");
	$fault->arm('sent:session_commit', 'eio');
	my ($status, $summary, $rows, $err) = import_of('index', $index, 'demo/unsaid', '--crates', $crates,
	    '--processes', 1);
	ok($fault->disarm, 'the answer is lost');
	is_deeply([$status, @$summary{qw(imported refused)}, $rows], [0, 1, 0, {}], 'it is imported') or diag $err;
	is_deeply([map { $_->{yanked} } lines_of($project, 'unsaid')], [JSON::PP::true],
	    'and yanked, as in the source');
};

# A web server sends DIR all the time.  Two projects have other bytes of a version, so bytes and line cannot
# change at once.
subtest 'an export over that of another project' => sub {
	local $ENV{BERTH_FAULT};
	my $fault = Berth::Fault->new($t);
	my ($fresh, $n) = ($t->dir . '/over-fresh', 0);
	my $export = sub { return $t->berth('export', "demo/$_[0]", $_[1], '--url', 'https://static.example') };
	plan skip_all => $fault->missing if $fault->missing;

	for my $project (qw(ours theirs)) {
		my $from = $t->dir . "/over-$project";

		$t->project("demo/$project");
		make_path($from);
		Berth::Test::write_file("$from/$_->[0]-$_->[1].crate", Berth::Crate::make(@$_))
		    for ['both', '0.9.0'], ['both', '2.0.0'], ["of-$project", '1.0.0'],
		    map({ [$_, '1.0.0', files => { project => $project }] } qw(both else));
		is((import_of('directory', $from, "demo/$project"))[0], 0, "five versions of $project");
	}
	is(($export->('theirs', $fresh))[0], 0, 'an export to an empty directory');
	for my $case (['due', 'as before', 5, 0], ['withdrawn', 'one line has gone', 4, 0],
	    ['moved', 'its bytes are new', 4, 1]) {
		my ($point, $what, $lines, $moved) = @$case;
		my $dir = $t->dir . '/over' . $n++;
		my $file = "$dir/crates/both/both-1.0.0.crate";

		is(($export->('ours', $dir))[0], 0, "$point: our export");
		my ($ours, $whole_ours) = (named_in($dir), names_of($dir));
		my $bytes = Berth::Cluster::slurp($file);
		$fault->arm("export:$point", 'kill');
		isnt(($export->('theirs', $dir))[0], 0, 'theirs is killed');
		ok($fault->disarm, "  at $point");
		my $now = named_in($dir);
		is(scalar keys %$now, $lines, "  $what");
		is_deeply($now, { map { $_ => $ours->{$_} } keys %$now }, '  the others are ours');
		is(Berth::Cluster::slurp($file) ne $bytes ? 1 : 0, $moved, '  and the bytes');
		is((Berth::Cluster::capture({}, 'cp', '-a', $dir, "$dir-ours"))[0], 0, '  a copy of it');
		is(($export->('ours', "$dir-ours"))[0], 0, '  gets an export of ours');
		is_deeply(names_of("$dir-ours"), $whole_ours, '  to the same end as before');
		is(($export->('theirs', $dir))[0], 0, '  again');
		is_deeply(names_of($dir), names_of($fresh), '  to the same end as in an empty directory');
	}
	# the bytes of a damaged crate come back, and its line never goes
	my $file = "$fresh/crates/both/both-1.0.0.crate";
	my $whole = names_of($fresh);
	truncate($file, 10) or die $!;
	$fault->arm('export:due', 'kill');
	is(($export->('theirs', $fresh))[0], 0, 'a damaged crate is replaced at once');
	ok(!$fault->disarm, '  without a change of the index');
	is_deeply(names_of($fresh), $whole, '  and whole again');
};

# A registry where a version can be published again adds a line; for cargo the last one counts.
subtest 'lines of an index about one version' => sub {
	my $index = $t->dir . '/repeated';
	my $bytes = Berth::Crate::make('again', '1.0.0');
	my $line = sub {
		return $json->encode({ name => 'again', vers => '1.0.0', deps => [], cksum => $_[0],
			yanked => $_[1] ? JSON::PP::true : JSON::PP::false }) . "\n";
	};
	my $sum = sha256_hex($bytes);

	make_path("$index/ag/ai", "$index/crates");
	Berth::Test::write_file("$index/crates/again-1.0.0.crate", $bytes);
	Berth::Test::write_file("$index/ag/ai/again", $line->('0' x 64, 0) . $line->($sum, 0) . $line->($sum, 1));
	for my $result (qw(imported there)) {
		my ($status, $summary, $rows, $err) = import_of('index', $index, 'demo/new', '--crates', "$index/crates");

		is_deeply([$status, $summary->{$result}, [sort keys %$rows]], [0, 1, []], "$result: the last one counts")
		    or diag $err;
		is_deeply([map { "$_->{vers} $_->{cksum} $_->{yanked}" } lines_of($id, 'again')], ["1.0.0 $sum 1"],
		    'also for a yank');
	}
};

$t->stop;
done_testing;
