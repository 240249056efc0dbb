#!/usr/bin/perl

# Search: what is found and in which order, which version is shown, who may see it, what strange
# queries do; and `cargo search`.

use strict;
use warnings;

use Test::More;

use Berth::Populate;
use Berth::Test;

my $t = Berth::Test->new(publish_burst => 0, new_crate_burst => 0, yank_burst => 0);
my $id = $t->project('demo/priv');
my %other = (pub => $t->project('demo/pub', 'public'), off => $t->project('demo/off', 'public'));

$t->user($_) for qw(dev stranger);
$t->member('dev', 'demo', 'developer');
my %token = map { $_ => $t->token($_) } qw(dev stranger);

sub publish {
	my ($name, $version, %opt) = @_;
	my $project = delete $opt{project} // $id;
	my %about = map { ($_ => $opt{$_}) } grep { exists $opt{$_} } qw(description keywords);
	my $manifest = join('', map {
		my $v = $about{$_};
		defined $v ? "$_ = " . (ref $v ? '[' . join(', ', map { "\"$_\"" } @$v) . ']' : "\"$v\"") . "\n" : ();
	} sort keys %about);

	utf8::encode($manifest);
	my $res = $t->publish($project, $token{dev}, $name, $version, metadata => { description => undef, %about },
	    manifest => "[package]\nname = \"$name\"\nversion = \"$version\"\nedition = \"2021\"\n$manifest"
	    . '[lib]' . "\nname = \"" . $name =~ tr/-/_/r . "\"\npath = \"src/lib.rs\"\n");

	is($res->{status}, 200, "$name $version is there") or diag($res->{body});
}

sub yank {
	my ($name, $version, $undo) = @_;

	return $t->http($undo ? 'PUT' : 'DELETE', $t->registry($id) . "/api/v1/crates/$name/$version/"
	    . ($undo ? 'unyank' : 'yank'), { token => $token{dev} })->{status};
}

sub ask {
	my ($query, %opt) = @_;

	return $t->http(GET => $t->registry($opt{project} // $id) . "/api/v1/crates?$query",
	    { token => exists $opt{token} ? $opt{token} : $token{dev} });
}

# At once: before the worker has looked for what has changed.
sub found {
	my (undef, %opt) = @_;

	$t->update_search unless $opt{at_once};
	my $res = ask(@_);
	is($res->{status}, 200, "$_[0]: status") or diag($res->{body});
	return $t->json($res);
}

sub names { return join(' ', map { $_->{name} } @{ found(@_)->{crates} }); }

sub shown {
	return (grep { $_->{name} eq $_[0] } @{ found("q=$_[0]", at_once => 1)->{crates} })[0]{max_version};
}

is_deeply(found('q=serde'), { crates => [], meta => { total => 0 } }, 'nothing is there');
is_deeply(found(''), { crates => [], meta => { total => 0 } }, 'nothing at all');

# ---- before the worker has looked ----

{
	my $late = $t->project('demo/late');
	my @late = (project => $late, at_once => 1);
	my $due = sub {
		return $t->psql("SELECT count(*) FROM crates_due d JOIN crates c ON c.id = d.crate_id"
		    . " WHERE c.project_id = $late");
	};
	my $shows = sub {
		my ($q) = @_;

		return join(' ', map { "$_->{name}\@$_->{max_version}" } @{ found("q=$q", @late)->{crates} });
	};

	publish($_, '1.0.0', project => $late) for qw(late_one late_two late_three);
	publish('late_one', '1.1.0', project => $late);
	is($due->(), 4, 'each publish leaves a row');
	is($shows->('late'), '', 'a part of a name finds nothing yet');
	is(found('', @late)->{meta}{total}, 0, 'nor do all');
	is($due->(), 4, 'which changes nothing');
	is($shows->('LATE-one'), 'late_one@1.1.0', 'the exact name does, at once');
	is($due->(), 2, 'and the others wait');
	is($shows->('late'), 'late_one@1.1.0', 'now all see it');
	is(found('', @late)->{meta}{total}, 1, 'and it is counted');
	my @said = $t->parallel(8, sub { return [map { "$_->{name}\@$_->{max_version}" }
	    @{ $t->json(ask('q=late_two', @late))->{crates} }]; });
	is(join(' ', map { @$_ } @said), join(' ', ('late_two@1.0.0') x 8), 'many ask at once');
	$t->berth_ok('yank', 'demo/late', 'late_one@1.1.0');
	is($shows->('late_one'), 'late_one@1.0.0', 'yanked');
	$t->berth_ok('delete', 'demo/late', 'late_one');
	is($shows->('late_one'), '', 'deleted');
	$t->berth_ok('undelete', 'demo/late', 'late_one');
	is($shows->('late_one'), 'late_one@1.0.0', 'and back');
	# where this database only reads, what is there is shown
	publish('late_one', '1.2.0', project => $late);
	$t->psql("ALTER ROLE berth IN DATABASE $t->{database} SET default_transaction_read_only = on");
	$t->psql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'berth'"
	    . " AND datname = current_database()");
	is($shows->('late_one'), 'late_one@1.0.0', 'while the database only reads: what there is');
	$t->psql("ALTER ROLE berth IN DATABASE $t->{database} RESET default_transaction_read_only");
	$t->psql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'berth'"
	    . " AND datname = current_database()");
	is($shows->('late_one'), 'late_one@1.2.0', 'and then what is new');
	is($due->(), 1, 'late_three waits');
	$t->update_search;
	is($due->(), 0, 'the worker leaves nothing');
	is(found('', @late)->{meta}{total}, 3, 'and all is there');
}

publish('serde', '1.0.0', description => 'A framework for turning data structures into bytes');
publish('serde_json', '1.0.0', description => 'JSON for everybody');
publish('serde-yaml', '0.9.0');
publish('my-serde', '0.1.0', description => 'Another one');
publish('json-tools', '0.1.0', description => 'Parsing and printing', keywords => ['serde']);
publish('unrelated', '0.1.0', description => 'It was made with serde, and parses configuration');
publish('tokio-util', '0.7.0', description => 'Bits and pieces');
publish('a', '0.1.0');
publish('serde', '1.0.0', project => $other{pub}, description => 'Public');
publish('other-public', '1.0.0', project => $other{pub});
publish('hidden-away', '1.0.0', project => $other{off});
$t->berth_ok(qw(project set demo/off packages_enabled=false));

# ---- what is found, in which order ----

is(names('q=serde'), 'serde serde_json serde-yaml my-serde json-tools unrelated',
    'exact, beginning, words by weight');
is(names("q=$_"), names('q=serde'), "$_: case makes no difference") for qw(SERDE Serde);
is((split / /, names("q=$_"))[0], 'serde_json', "$_: exact, however it is spelled")
    for qw(serde_json serde-json Serde_JSON serde+json serde%2Bjson serde%20json);
is(names('q=ser'), 'serde serde_json serde-yaml my-serde json-tools unrelated', 'the beginning of a word');
is(names('q=json'), 'json-tools serde_json', 'a part of a name');
is(names('q=parse'), 'json-tools unrelated', 'the stem of a word');
is(names('q=printing+parse'), 'json-tools', 'all words count');
is(names('q=printing+nothing'), '', 'each of them');
is(names('q=okio-ut'), 'tokio-util', 'a part of a name that begins no word');
is(names('q=tokio-utli'), 'tokio-util', 'letters that changed places');
is(names("q=$_"), 'serde', "$_: a slip of the finger in a short name")
    for qw(sedre sserde serdde srde serbe xserde);
is(names("q=$_"), '', "$_: more than one") for qw(esdre sre xserdes);
is(names('q=jsontools'), 'json-tools', 'without the dash');
is(names('q=tokioo-utill'), 'tokio-util', 'none is one slip away: names that look alike');
is(names('q=a'), 'a', 'one letter: names that begin with it');
is(names('q='), 'a json-tools my-serde serde serde_json serde-yaml tokio-util unrelated',
    'nothing asked: all, by name');
is(names('per_page=3'), 'a json-tools my-serde', 'as many as are asked for');
is_deeply(found('q=serde')->{crates}[0], { id => 'serde', name => 'serde', max_version => '1.0.0',
	description => 'A framework for turning data structures into bytes' }, 'what is said of one');
is(found('q=serde-yaml')->{crates}[0]{description}, undef, 'without a description');

# ---- letters beyond ASCII ----

publish('patisserie', '0.1.0', description => "\x{c9}clairs und \x{dc}berraschungen,"
    . " \x{431}\x{443}\x{43b}\x{43e}\x{447}\x{43a}\x{430}", keywords => ['dessert']);
is(names("q=$_"), 'patisserie', "$_: case makes no difference")
    for '%C3%A9clairs', '%C3%89clairs', '%C3%89CLAIRS', '%C3%BCberraschungen', '%C3%9CBERRASCHUNGEN',
    '%D0%B1%D1%83%D0%BB%D0%BE%D1%87%D0%BA%D0%B0', '%D0%91%D0%A3%D0%9B%D0%9E%D0%A7%D0%9A%D0%90';
$t->berth_ok('delete', 'demo/priv', 'patisserie');
is(names('q=dessert'), '', 'for the rest it is not there');

# ---- pages ----

for my $case (['q=serde&per_page=2', 'serde serde_json'],
	['q=serde&per_page=2&page=2', 'serde-yaml my-serde'],
	['q=serde&per_page=2&page=3', 'json-tools unrelated'], ['q=serde&per_page=2&page=4', ''],
	['q=serde&page=200&per_page=100', ''], ['per_page=3&page=3', 'tokio-util unrelated'], ['page=200', '']) {
	is(names($case->[0]), $case->[1], "$case->[0]: crates");
	is(found($case->[0])->{meta}{total}, $case->[0] =~ /q=/ ? 6 : 8, "$case->[0]: how many in all");
}

# ---- which version is shown ----

publish('ranked', $_) for qw(0.9.0-alpha.9 0.9.0-alpha.10);
is(shown('ranked'), '0.9.0-alpha.10', 'only pre-releases: the highest');
publish('ranked', $_) for qw(0.10.0 0.9.0 1.0.0-rc.1 0.2.0);
is(shown('ranked'), '0.10.0', 'a release before pre-releases, the highest by number');
is(yank('ranked', '0.10.0'), 200, 'yanked');
is(shown('ranked'), '0.9.0', 'the highest that is not');
yank('ranked', $_) for qw(0.9.0 0.2.0);
is(shown('ranked'), '1.0.0-rc.1', 'all releases are yanked: a pre-release');
yank('ranked', $_) for qw(1.0.0-rc.1 0.9.0-alpha.9 0.9.0-alpha.10);
is(shown('ranked'), '0.10.0', 'all of them: the highest release, never nothing');
yank('ranked', '0.2.0', 1);
is(shown('ranked'), '0.2.0', 'unyanked: at once');
publish('ranked', '0.3.0+linux.1', description => 'Now it has one');
is(shown('ranked'), '0.3.0+linux.1', 'with its build metadata');
is(found('q=ranked')->{crates}[0]{description}, 'Now it has one', 'the description is that of the version');
is(names('q=now+has'), '', 'words that say nothing find nothing');
publish('big-numbers', $_) for qw(1.9.0 1.10.0 1.0.18446744073709551615);
is(shown('big-numbers'), '1.10.0', 'numbers count as such');
$t->berth_ok('delete', 'demo/priv', 'big-numbers@1.10.0');
is(shown('big-numbers'), '1.9.0', 'what is deleted is not shown');
$t->berth_ok('delete', 'demo/priv', 'big-numbers');
is(names('q=big-numbers'), '', 'nor a crate without versions');
$t->berth_ok('undelete', 'demo/priv', 'big-numbers');
is(shown('big-numbers'), '1.10.0', 'until they come back');

# how many there are in all is kept, not counted
sub counted {
	my ($name, $n) = @_;

	is(found('per_page=1')->{meta}{total}, $n, "$name: how many there are in all");
	is($t->psql('SELECT c.project_id FROM (SELECT project_id, sum(crates) AS n FROM search_counts GROUP BY 1) c'
	    . ' FULL JOIN (SELECT project_id, count(*) AS n FROM crate_search GROUP BY 1) s USING (project_id)'
	    . ' WHERE coalesce(c.n, 0) <> coalesce(s.n, 0)'), '', '  and in each project');
}

my $all = found('')->{meta}{total};
counted('at first', $all);
publish('counted', '1.0.0');
counted('a new crate', $all + 1);
publish('counted', '1.1.0');
yank('counted', $_) for qw(1.0.0 1.1.0);
counted('another version, both yanked', $all + 1);
$t->berth_ok('delete', 'demo/priv', 'counted@1.0.0');
counted('one version is deleted', $all + 1);
$t->berth_ok('delete', 'demo/priv', 'counted@1.1.0');
counted('both are', $all);
$t->berth_ok('undelete', 'demo/priv', 'counted');
counted('both are back', $all + 1);
$t->berth_ok('delete', 'demo/priv', 'counted');
$t->psql("DELETE FROM versions WHERE crate_id = (SELECT id FROM crates WHERE name = 'counted')");
counted('destroyed', $all);
$t->parallel(8, sub {
	my ($i) = @_;

	return [map { $t->publish($id, $token{dev}, "at-once-$i-$_", '1.0.0')->{status} } 1 .. 4];
});
counted('many at once', $all + 32);

# Every page has its part of the whole list, wherever in the first letters of names it begins.
publish($_, '1.0.0') for qw(b b1 ba B_c bcd z);
$t->update_search;
my @sorted = sort { ($a =~ tr/A-Z_/a-z-/r) cmp ($b =~ tr/A-Z_/a-z-/r) }
    $t->psql("SELECT name FROM crate_search WHERE project_id = $id");
counted('those that are paged', scalar @sorted);
for my $size (1, 2, 7, 100) {
	my @pages = map { names("per_page=$size&page=$_") } 1 .. @sorted / $size + 2;

	is(join(' ', grep { length } @pages), "@sorted", "$size a page: all of them, in order");
	is($pages[-1], '', '  and none after the last');
}
{
	my ($migration) = glob("$Berth::Cluster::ROOT/sql/migrations/*_search_parts.sql");
	my ($fill) = Berth::Cluster::slurp($migration)
	    =~ /^(INSERT INTO search_counts \(project_id, part, crates\)\nSELECT [^;]*;)/ms;

	$t->psql("DELETE FROM search_counts; $fill");
	counted('the migration comes to the same', scalar @sorted);
}

# what a migration writes for crates that are there is what each change of a version has written
my ($migration) = glob("$Berth::Cluster::ROOT/sql/migrations/*_search.sql");
my ($fill) = Berth::Cluster::slurp($migration) =~ /^(INSERT INTO crate_search\b.*)\z/ms;
my ($migration2) = glob("$Berth::Cluster::ROOT/sql/migrations/*_search_facets.sql");
my ($facets) = Berth::Cluster::slurp($migration2) =~ /^-- step: batches crate_search\n(.*)\z/ms;
my $before = $t->psql('SELECT s::text FROM crate_search s ORDER BY crate_id');
$t->psql("DELETE FROM crate_search; $fill " . $facets =~ s/\$1/0/r);
is($t->psql('SELECT s::text FROM crate_search s ORDER BY crate_id'), $before,
    'the migration comes to the same');

# ---- who may see it ----

is(ask('q=serde', token => undef)->{status}, 401, 'nobody sees what is private');
is(ask('q=serde', token => $token{stranger})->{status}, 404, 'nor a stranger');
is($t->json(ask('q=serde', token => $token{stranger}))->{errors}[0]{detail}, 'Project Not Found',
    'to whom it is not there');
is(ask('q=%00', token => $token{stranger})->{status}, 404, 'whatever is asked');
is(ask('q=x', token => $token{dev}, project => $other{off})->{status}, 404, 'packages are off');
is(names('q=serde', project => $other{pub}, token => undef), 'serde', 'what is public');
is(found('', project => $other{pub}, token => undef)->{meta}{total}, 2, 'of this project alone');
like(ask('q=serde')->{headers}{'cache-control'}, qr/private/, 'an answer for a token is nobody else\'s');

# ---- odd queries ----

for my $case (
	['q=%00', qr/holds a NUL/], ['q=%ff', qr/not valid UTF-8/], ['q=%zz', qr/bad escape/],
	['q=' . 'x' x 256, qr/longer than 255/],
	(map { ["per_page=$_", qr/per_page must be a number from 1 to 100/] }
	    qw(0 -1 101 x 1.5 99999999999999999999), ''),
	(map { ["page=$_", qr/page must be a number from 1 to 200/] } qw(0 -1 201 1000000000 x)),
) {
	my $res = ask($case->[0]);

	is($res->{status}, 400, substr($case->[0], 0, 40) . ': refused');
	like($t->json($res)->{errors}[0]{detail}, $case->[1], '  and why');
}
is(ask('q=' . 'x' x 10_000)->{status}, 414, 'a query of 10 kB');
for my $q ('%25', '_', '%5C', '%25%25%25', '___', "'", "''':*", '%27%3B%20DROP%20TABLE%20crates', '!', '%26',
	'%7C', '(', '%3C-%3E', '%3A*', '%2A', '-',
	'%C3%A9', '%F0%9F%A6%80', '%E2%80%AE', ('a+' x 100), 'x' x 255, '%0A%0D%09', 'the', 'the+of+and', '1', '1.0',
	'http%3A%2F%2Fexample.com%2Fa%2Fb', '%ED%9F%BF') {
	my $res = ask("q=$q");

	is($res->{status}, 200, 'q=' . substr($q, 0, 30) . ': harmless') or diag($res->{body});
}
is(names('q=%25'), '', '`%` stands for itself');
is(names('q=___'), '', 'so does `_`');
is(ask('q=serde&unknown=1&sort=downloads')->{status}, 200, 'what is not known is ignored');
is($t->http(HEAD => $t->registry($id) . '/api/v1/crates?q=serde', { token => $token{dev} })->{status},
    200, 'HEAD');
is($t->http(POST => $t->registry($id) . '/api/v1/crates', { token => $token{dev} })->{status}, 405, 'POST');

# ---- what is found is enough ----

publish($_, '0.1.0') for qw(link-time time-links);
is(names('q=lin+time'), 'link-time time-links', 'no name begins so: all words may be unfinished');
is(names('q=link+tim'), 'link-time', 'a name does: only the last');
is(names('q=link+t'), 'link-time', 'the beginning of a name: not the stems of the rest');
is(names('q=links+time'), 'time-links link-time', 'in any order, and by their stems');

Berth::Populate::add($t->dsn('postgres'), project => $id,
    crates => [map { ["lots$_", 1] } '', map { "-of-$_" } 1 .. 498]);
publish('other-lots', '0.1.0');
is(found('q=lots')->{meta}{total}, 500, 'fewer than 500 names begin so, and a word of another');
is(names('q=lots&per_page=1'), 'lots', 'the exact one');
is(names('q=lots&per_page=100&page=5') =~ / (\S+)\z/ ? $1 : '', 'other-lots', 'by its word, at the end');
Berth::Populate::add($t->dsn('postgres'), project => $id, crates => [['lots-more', 1], ['lots-most', 1]]);
is(found('q=lots')->{meta}{total}, 500, '500 names: words are not looked for');
is(names('q=lots&per_page=1'), 'lots', 'the exact one still');
is(scalar(split(/ /, names('q=lots&per_page=100&page=5'))), 100, 'the last page');
is(names('q=lots&per_page=100&page=6'), '', 'after it');
is(found('q=program')->{meta}{total}, 500, 'a word that more than 500 have in their descriptions');
{
	my %seen = map { $_ => 1 } map { split / /, names("q=program&per_page=100&page=$_") } 1 .. 5;

	is(scalar(keys %seen), 500, 'each of 500 is on one page, whether few are ranked or all');
}
$t->psql("UPDATE crate_search SET weight = 1 WHERE name = 'lots-most'");
is(names('q=program&per_page=1'), 'lots-most', 'the one that is used comes first, the last of 501');
$t->psql("UPDATE crate_search SET weight = 0 WHERE name = 'lots-most'");

# ---- what an index finds is not looked for in all names ----

for my $case (['q-4', ''], ['-fo', ''], ['lot-of-7', 'lots-of-7']) {
	my ($q, $found) = @$case;
	my $function = $t->psql("SELECT pg_get_functiondef('search_slips'::regproc)");

	$t->psql(<<"SQL");
CREATE OR REPLACE FUNCTION search_slips(normalized_name text) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE COST 1000 AS \$\$
BEGIN
	IF normalized_name <> '$q' THEN RAISE EXCEPTION 'of a name'; END IF;
	RETURN (SELECT array_agg(hashtextextended(left('$q', i - 1) || substr('$q', i + 1), 0))
	          FROM generate_series(1, length('$q') + 1) AS i);
END
\$\$
SQL
	is((split / /, names("q=$q"))[0] // '', $found, "$q: no name is taken apart");
	$t->psql($function);
}
is(names("q=$_"), '', "$_: too few letters") for qw(--- -_- %C3%A9%C3%A9%C3%A9);

# ---- how it is written ----

is($t->psql("SELECT string_agg(c.relname, ' ') FROM pg_class c JOIN pg_am a ON a.oid = c.relam"
    . " JOIN pg_index i ON i.indexrelid = c.oid"
    . " WHERE a.amname = 'gin'"
    . " AND i.indrelid IN ('crates'::regclass, 'crate_names'::regclass, 'crate_search'::regclass)"
    . " AND NOT coalesce(c.reloptions, '{}') @> '{fastupdate=off}'"), '',
    'no index puts entries aside, for one publish to sort in');

# ---- who is used most comes first ----

publish('weight-one', '0.1.0', keywords => ['heavy']);
publish('weight-two', '0.1.0', keywords => ['heavy']);
for my $case (
	['nobody uses them', undef, 'weight-one weight-two'],
	['downloads', "INSERT INTO download_days SELECT c.id, v.id, current_date - d.ago, c.project_id, d.n, now()"
	    . " FROM crates c JOIN versions v ON v.crate_id = c.id"
	    . " JOIN (VALUES ('weight-one', 40, 1000), ('weight-two', 29, 3)) d (name, ago, n) USING (name)",
	    'weight-two weight-one'],
	['who depends on it', 'INSERT INTO dependencies'
	    . ' (version_id, name, normalized_name, req, kind, optional, default_features, registry)'
	    . " SELECT v.id, d.name, d.name, '1', 'normal', false, true, d.registry FROM crates c"
	    . " JOIN versions v ON v.crate_id = c.id"
	    . " JOIN (VALUES ('weight-two', 'weight-two', NULL), ('serde', 'weight-two', 'https://example.com'),"
	    . " ('serde', 'weight-one', NULL)) d (crate, name, registry)"
	    . " ON d.crate = c.name WHERE c.project_id = $id", 'weight-one weight-two'],
	['who no longer does', "DELETE FROM dependencies WHERE name = 'weight-one'", 'weight-two weight-one'],
) {
	my ($name, $sql, $order) = @$case;

	$t->psql($sql) if defined $sql;
	$t->run_tasks('weigh_crates');
	is(names('q=heavy'), $order, $name);
	is(names('q=weight'), $order, '  by their names as well');
}
is(names('q=weight-one'), 'weight-one', 'the exact name');
publish('campus', '0.1.0', description => 'University courses');
publish('cosmos', '0.1.0', description => 'The universe in numbers');
is(names('q=universe'), 'cosmos campus', 'a word as it stands before one of the same stem');

# ---- real crates ----

# What one looks for among them, and with which words: it shall be among the first five.  Sorted by how short
# names are, half of them were.
{
	my $real = $t->project('demo/real');
	my %want = map { /^(.+?): (.+)$/ } split /\n/, <<'END';
async: tokio futures async-trait
channel: crossbeam-channel flume
cli: clap
command line: clap
compression: flate2 zstd
crypto: ring sha2
csv: csv
database: sqlx diesel
date: chrono time
error: thiserror anyhow
hash: hashbrown sha2
http: http hyper reqwest
http client: reqwest hyper
json: serde_json
logging: log tracing env_logger
parallel: rayon
parser: nom syn
random: rand getrandom
regex: regex
serialization: serde
sqlite: rusqlite sqlx
template: tera handlebars
terminal: crossterm console
time: time chrono
tls: rustls native-tls
toml: toml
url: url
web framework: actix-web axum rocket
websocket: tungstenite tokio-tungstenite
xml: quick-xml
yaml: serde_yaml
zip: zip
END
	my $normal = sub { return lc($_[0]) =~ tr/_/-/r; };
	my @crates = map { [$normal->($_->[0]), @$_[1 .. 3]] } map { [split /\|/] } grep { !/^#/ } split /\n/,
	    Berth::Cluster::slurp("$Berth::Cluster::ROOT/t/data/crates.txt");
	my $text = sub { return "'" . $_[0] =~ s/'/''/gr . "'"; };
	my ($found, $all, @lost) = (0, 0);

	Berth::Populate::add($t->dsn('postgres'), project => $real, crates => [map { [$_->[0], 1] } @crates]);
	while (my @some = splice(@crates, 0, 200)) {
		my $rows = join(', ', map { '(' . join(', ', map { $text->($_) } @$_) . ')' } @some);

		$t->psql("WITH real (name, depends_on, keywords, description) AS (VALUES $rows),"
		    . " found AS (SELECT r.*, c.id, c.normalized_name FROM real r"
		    . " JOIN crates c ON c.project_id = $real AND c.name = r.name),"
		    . " used AS (INSERT INTO dependencies (version_id, name, normalized_name, req, kind, optional,"
		    . " default_features) SELECT v.id, d, replace(lower(d), '_', '-'), '1', 'normal', false, true"
		    . " FROM found f JOIN versions v ON v.crate_id = f.id,"
		    . " unnest(string_to_array(f.depends_on, ' ')) d WHERE d <> '') UPDATE crate_search s"
		    . " SET description = f.description,"
		    . " document = search_document(f.normalized_name, string_to_array(f.keywords, ' '), f.description)"
		    . " FROM found f WHERE s.crate_id = f.id");
	}
	$t->run_tasks('weigh_crates');
	for my $words (sort keys %want) {
		my %first = map { $_ => 1 } split / /, names('per_page=5&q=' . $words =~ tr/ /+/r, project => $real);

		for my $crate (split / /, $want{$words}) {
			$all++;
			$first{ $normal->($crate) } ? $found++ : push @lost, "$words: $crate";
		}
	}
	is($all, 56, 'so many are looked for');
	cmp_ok($found, '>=', 45, 'four of five are there') or diag(join("\n", @lost));
	note("$found of $all; not: ", join(', ', @lost));
}

# ---- the real cargo ----

SKIP: {
	my $why = $t->cargo_missing;
	skip $why, 1 if $why;
	$t->cargo_setup(priv => { id => $id, token => $token{dev} });
	my ($status, $out, $err) = $t->cargo(qw(search --registry priv serde json));

	is($status, 0, 'cargo search') or diag($err);
	is($out, "serde_json = \"1.0.0\"    # JSON for everybody\n"
	    . "json-tools = \"0.1.0\"    # Parsing and printing\n", 'what it shows');
	($status, $out, $err) = $t->cargo(qw(search --registry priv --limit 2 serde));
	is($out, "serde = \"1.0.0\"         # A framework for turning data structures into bytes\n"
	    . "serde_json = \"1.0.0\"    # JSON for everybody\n"
	    . "... and 4 crates more (use --limit N to see more)\n", 'with a limit');
	($status, $out, $err) = $t->cargo(qw(search --registry priv nothing-like-it));
	is($status . $out, '0', 'nothing is found');
	$t->cargo_setup(priv => { id => $id, token => $token{stranger} });
	($status, $out, $err) = $t->cargo(qw(search --registry priv serde));
	isnt($status, 0, 'by somebody who may not');
	like($err, qr/404|Project Not Found/, 'what it says');
}

done_testing();
