#!/usr/bin/perl

# What make makes of several files is made again when one of them comes, goes or is renamed: a table
# of migrations that says what was there once would be believed.

use strict;
use warnings;

use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(stat);

use Berth::Cluster;
use Berth::File qw(slurp write_file);

my $root = $Berth::Cluster::ROOT;
my $dir = tempdir(CLEANUP => 1);
my $migrations = "$dir/build/gen/store/migrations.inc";
my $statements = "$dir/build/gen/store/stmt.h";
my $archive = "$dir/build/libberth.a";

# not those of the make that runs the tests
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};

make_path(map { "$dir/$_" } qw(sql/migrations sql/queries scripts fcgi/base fcgi/api/web/html conf/ci));
is(system('cp', "$root/Makefile", $dir), 0, 'a tree of its own');
is(system('cp', map({ "$root/scripts/$_" } qw(sql2c html2c)), "$dir/scripts"), 0, 'with the scripts');
is(system('cp', "$root/conf/openapi.json", "$dir/conf"), 0, 'and what else it takes');
write_file("$dir/fcgi/base/banned.h", '');
write_file("$dir/fcgi/base/one.c", "const char *one(void);\nconst char *one(void) { return SYSCONFDIR; }\n");
write_file("$dir/fcgi/base/two.c", "int two(void);\nint two(void) { return 1; }\n");
write_file("$dir/sql/$_.sql", "-- name: ${_}_look\n-- No table.\nSELECT 1 AS one;\n") for qw(kellnr migrate);
write_file("$dir/fcgi/api/web/html/one.html", "{{ template html_one(int n) }}\n"
    . "{{ n | number }}\n{{ end }}\n");
write_file("$dir/fcgi/api/web/html/style.css", "p{}\n");
write_file("$dir/conf/ci/one.yml", "one: true\n");
write_file("$dir/sql/grants.sql", "GRANT SELECT ON a TO :role;\n");
write_file("$dir/sql/migrations/0001_first.sql", "CREATE TABLE a (b int);\n");
write_file("$dir/sql/migrations/0002_second.sql", "CREATE TABLE c (d int);\n");
write_file("$dir/sql/queries/$_.sql", "-- name: ${_}_look\n-- No table.\nSELECT 1;\n") for qw(one two);

make('the first time');
is_deeply([slurp($migrations) =~ /MIGRATION\((\d+, "\w+")/g], ['1, "first"', '2, "second"'], 'migrations');
is_deeply([slurp($statements) =~ /STMT_(\w+_LOOK)/g], ['ONE_LOOK', 'TWO_LOOK'], 'statements');
is_deeply([slurp("$dir/build/gen/store/migrate_sql.h") =~ /^#define (SQL_.*|COLUMNS_.*)/mg],
    ['SQL_MIGRATE_LOOK "SELECT 1 AS one"', 'COLUMNS_MIGRATE_LOOK ONE'],
    'those of `berth migrate`, and their columns');
is(members(), 'one.o two.o', 'objects');

my %before = map { $_ => (stat)[9] } $migrations, $statements, $archive;
make('again');
is_deeply({ map { $_ => (stat)[9] } sort keys %before }, \%before, 'nothing is made anew for nothing');

# each of them older than what was made of it, as a renamed file is
rename("$dir/sql/migrations/0002_second.sql", "$dir/sql/migrations/0003_second.sql") or die;
unlink("$dir/sql/queries/two.sql", "$dir/fcgi/base/two.c");
make('after some have gone');
is_deeply([slurp($migrations) =~ /MIGRATION\((\d+, "\w+")/g], ['1, "first"', '3, "second"'],
    'one migration was renamed');
is_deeply([slurp($statements) =~ /STMT_(\w+_LOOK)/g], ['ONE_LOOK'], 'a file of statements was removed');
is(members(), 'one.o', 'and a source');

my $object = "$dir/build/obj/base/one.o";
my $made = (stat($object))[9];
make('for another place', 'PREFIX=/opt/berth');
isnt((stat($object))[9], $made, 'the programs look for their files there');
$made = (stat($object))[9];
make('for that place again', 'PREFIX=/opt/berth');
is((stat($object))[9], $made, 'which they do already');

subtest 'what statements have in common' => sub {
	my @shared = ("-- part: shared", '-- Both.', '1,', '  2', '');
	my @first = ('-- name: first', '-- No table.', 'SELECT @shared, 3;', '');

	is((statements(@shared, @first, '-- name: second', '-- No table.', '@shared;'))[1],
	    qq{STMT(FIRST, 0, "first", "SELECT 1, 2, 3")\nSTMT(SECOND, 0, "second", "1, 2")\n},
	    'stands where it is called');
	for my $wrong (['a part that is not there' => @first], ['one that comes later' => @first, @shared],
		['one that nobody uses' => @shared, '-- name: first', '-- No table.', 'SELECT 1;'],
		['one of that name already' => @shared, @shared, @first],
		['without a comment' => @shared[0, 2 .. 4], @first]) {
		my ($what, @lines) = @$wrong;
		my ($status, $table) = statements(@lines);

		isnt($status, 0, $what);
		is($table, '', 'leaves no table');
	}
};

subtest 'the columns of a statement' => sub {
	my %columns = (
		'SELECT a, t.b, c::text, count(*) AS n, (SELECT x, y FROM z) AS d FROM t' => 'A, B, C, N, D',
		'SELECT DISTINCT a, x.b::bigint[] FROM t ORDER BY a, b' => 'A, B',
		'WITH w AS (SELECT a, b FROM t) SELECT w.b FROM w' => 'B',
		q{SELECT ', FROM' AS a, 'it''s, so' AS b WHERE true} => 'A, B',
		'INSERT INTO t (a, b) VALUES ($1, $2) RETURNING id, xmax = 0 AS is_new' => 'ID, IS_NEW',
		'WITH w AS (SELECT 1) INSERT INTO t SELECT a, b FROM w RETURNING t.id' => 'ID',
		'SELECT @shared, c FROM t' => 'A, B, C',
		# nobody can name these, or tell them apart
		'SELECT count(*), a FROM t' => undef,
		'SELECT a, t.a FROM t' => undef,
		'UPDATE t SET a = $1' => undef,
	);

	for my $sql (sort keys %columns) {
		my ($status) = statements('-- part: shared', '-- Both.', 'a,', 't.b', '-- name: first', '-- Why.', "$sql;",
		    '-- name: other', '-- Why.', 'SELECT @shared;');
		my $header = slurp("$dir/out/stmt.h");

		is($status, 0, $sql);
		is($header =~ /^#define COLUMNS_FIRST (.*)$/m ? $1 : undef, $columns{$sql}, '  its columns');
		like($header, qr/^#define COLUMNS_SHARED A, B$/m, '  and those of a part');
	}
};

subtest 'what a migration says of itself' => sub {
	my $sum = '0' x 64;

	for my $good ('-- floor: 0007', '-- floor: 0001', "-- replaces: $sum", '-- step: transaction',
		'-- step: index a_b',
		'-- step: batches crates', '-- a comment about a floor, a step') {
		is((migration($good))[0], 0, $good);
	}
	for my $bad ('-- floor: 7', '-- floor:0007', '-- floor: 0008', '-- floor 0007', '-- replaces: abc',
		"-- replaces:$sum",
		'-- step: index', '-- step: transaction a', '-- step: batches', '-- step: later', '-- step',
		'--step: transaction') {
		my ($status, $table) = migration($bad);

		isnt($status, 0, $bad);
		is($table, '', "$bad: leaves no table");
	}
};

subtest 'templates' => sub {
	my %good = (
		'<p class="{{ s }}">{{ s }}</p>' => qr/html_text\(out, s\);.*html_text\(out, s\);/s,
		"\t<p>\n\t{{ if n }}\n\t\t<b>\"\\</b>\n\t{{ end }}\n\t</p>" =>
		    qr/"<p>\\n", 4\);.*if \(n\) \{\n\tbuf_put\(out, "<b>\\"\\\\<\/b>\\n", 10\);\n\t\}/s,
		'<input value="x"{{ if n }} checked{{ end }}>' => qr/" checked", 8/,
		'{{ if n }}a{{ elif n > 1 }}b{{ else }}c{{ end }}' => qr/\} else if \(n > 1\) \{/,
		'{{ for int i = 0; i < n; i++ }}<br>{{ end }}' => qr/for \(int i = 0; i < n; i\+\+\) \{/,
		'<a href="{{ s | base }}/{{ s | part }}?q={{ s | part }}">x</a>' => qr/html_base.*html_part/s,
		'<a href="{{ s | base }}/x{{ q | query }}">x</a>' => qr/html_query\(out, q\)/,
		'<a href="{{ s | link }}">x</a>' => qr/html_link\(out, s\)/,
		'{{ m | safe }}' => qr/html_safe\(out, m\)/,
		'{{ n ? "a | b" : s }}' => qr/html_text\(out, n \? "a \| b" : s\)/,
		'{{# a comment }}{{ call html_first(s, n) }}' => qr/html_first\(out, s, n\);/,
	);
	my @bad = (
		['<p>{{ s }}</div>', 3, qr/<\/div> closes <p>/],
		["<p>\n{{ if n }}</p>{{ end }}", 4, qr/closes nothing|ends in/],
		["{{ if n }}<p>{{ else }}<b>{{ end }}", 3, qr/this branch of if/],
		["\n\n<p>", 6, qr/this branch of template/],
		['<p {{ s }}>', 3, qr/in a tag/],
		['<p class={{ s }}>', 3, qr/name="value"/],
		['<a href="{{ s }}">x</a>', 3, qr/begins with a text/],
		['<a href="{{ s | part }}">x</a>', 3, qr/begins with a text/],
		['<a href="/{{ s }}">x</a>', 3, qr/use part, path or query/],
		['<a href="/{{ s | base }}">x</a>', 3, qr/use part, path or query/],
		['<p>{{ q | query }}</p>', 3, qr/is for addresses/],
		['<img alt="{{ m | safe }}">', 3, qr/this is an attribute/],
		['<p style="color:red">', 3, qr/policy for content/],
		['<p onclick="x">', 3, qr/policy for content/],
		['<script>', 3, qr/not for our pages/],
		['<!-- x -->', 3, qr/begins no element/],
		['a < b', 3, qr/begins no element/],
		["\n{{ s | raw }}", 4, qr/no filter raw/],
		["{{ if n }}\n\n", 7, qr/template of line 2 has no end/],
		['{{ else }}', 3, qr/else of nothing/],
		['{{ end }}{{ end }}', 3, qr/end of nothing/],
		['{{ s', 3, qr/no \}\}/],
		['{{ call html_nowhere(n) }}', 3, qr/no template html_nowhere/],
		['{{ call nonsense }}', 3, qr/NAME\(ARGUMENTS\)/],
		['{{ body }}{{ body }}', 3, qr/body is for/],
		['{{ template html_second(int n) }}', 3, qr/in another one/],
		['{{ end }}{{ template html_first(int n) }}', 3, qr/two templates/],
		['{{ end }}x{{ template html_second(int n) }}', 3, qr/text outside/],
	);

	for my $html (sort keys %good) {
		my ($status, $c) = templates($html);

		is($status, 0, $html =~ tr/\n\t/  /r) or diag(slurp("$dir/log"));
		like($c, $good{$html}, '  its C');
	}
	for my $case (@bad) {
		my ($html, $line, $why) = @$case;
		my ($status, $c) = templates($html);

		isnt($status, 0, 'refused: ' . $html =~ tr/\n/ /r);
		like(slurp("$dir/log"), qr{^\Q$dir\E/html/one\.html:$line: .*$why}m, '  with its line');
		is($c, '', '  and leaves nothing');
	}
	my $head = '<?xml version="1.0" encoding="utf-8"?>';
	my ($status, $c) = templates("$head<a x=\"{{ s }}\"><link/>{{ s }}{{ n | time }}</a>", 'xml');
	is($status, 0, 'XML') or diag(slurp("$dir/log"));
	like($c, qr/html_xml\(out, s\);.*html_xml\(out, s\);.*html_time/s, '  its texts are those of XML');
	for my $bad ('<link>', '<!DOCTYPE html>', '{{ n | count }}', '{{ s | text }}', '<link a="{{ s | safe }}"/>',
	    '<?php x ?>') {
		isnt((templates($bad, 'xml'))[0], 0, "refused in XML: $bad");
	}
	isnt((templates($head))[0], 0, 'and in HTML what is of XML');
};

done_testing();

# The exit status of html2c for a template with this in it, and its C.
sub templates {
	my $file = "$dir/html/one." . ($_[1] // 'html');

	make_path("$dir/html", "$dir/out");
	write_file($file,
	    "{{ include \"http/html.h\" }}\n{{ template html_first(const char *s, int n) }}\n$_[0]\n{{ end }}\n");
	my $status = system("'$root/scripts/html2c' templates '$dir/out' '$file' >'$dir/log' 2>&1");

	return ($status, table('templates.inc'));
}

# The exit status of sql2c for a migration with this line, and its table.
sub migration {
	write_file("$dir/sql/0007_head.sql", "-- A migration.\n$_[0]\nSELECT 1;\n");
	mkdir("$dir/out");
	my $status = system("'$root/scripts/sql2c' migrations '$dir/out' '$dir/sql/0007_head.sql' >'$dir/log' 2>&1");

	return ($status, table('migrations.inc'));
}

# The exit status of sql2c, and its table.
sub statements {
	write_file("$dir/sql/parts.sql", join("\n", @_, ''));
	mkdir("$dir/out");
	my $status = system("'$root/scripts/sql2c' queries '$dir/out' '$dir/sql/parts.sql' >'$dir/log' 2>&1");

	return ($status, table('stmt.inc'));
}

# '' where there is none.
sub table {
	my ($name) = @_;

	return -e "$dir/out/$name" ? slurp("$dir/out/$name") : '';
}

sub make {
	my ($what, $variable) = @_;

	$variable //= '';
	is(system("make -s -C '$dir' $variable build/gen/store/migrations.inc build/gen/store/stmt.h"
	    . " build/libberth.a >'$dir/log' 2>&1"), 0, "make, $what") or diag(slurp("$dir/log"));
	return;
}

sub members { return join(' ', sort split(/\n/, `ar t '$archive'`)) }
