#!/usr/bin/perl

# Rules that the sources keep: which folder may know which, where libraries are
# used, what documentation has to agree with the code.

use strict;
use warnings;

use Cwd qw(abs_path);
use Encode qw(decode);
use File::Basename qw(basename dirname);
use File::Find qw(find);
use File::Temp qw(tempdir);
use Test::More;

use Berth::File qw(slurp);

chdir(abs_path(dirname(__FILE__)) . '/..') or die "chdir: $!\n";

# What each folder of fcgi/ includes, besides itself: by its README.
my %rings = map { ($_ => [ring_of($_)]) } folders();

# Libraries with one door: header => what may include it.
my %doors = (
	'libpq-fe.h' => qr{^fcgi/store/(?:db|migrate)/},
	'fcgiapp.h' => qr{^fcgi/http/fcgi\.c$},
	'fcgi_stdio.h' => qr{^$},
	'curl/curl.h' => qr{^fcgi/net/},
	'cmark-gfm.h' => qr{^fcgi/api/web/readme(?:_\w+)?\.c$},
);

use constant { FILE_LINES_MAX => 600, LINE_MAX => 110, FOLDER_MODULES_MAX => 30 };

# Statements whose rows one function reads: the one whose columns it takes => the others.
my %readers = (
	ACCESS_FACTS => ['CACHE_DECIDE', map({ "ACCESS_FACTS_$_" }
	    qw(GROUP GROUPS LISTED PROJECTS VIEWER VIEWER_GROUP VIEWER_LISTED))],
	ACCESS_PROJECTS_COUNT => ['ACCESS_GROUPS_COUNT'],
	ACCESS_PROJECTS_PAGE => [qw(ACCESS_PROJECTS_PAGE_DESC ACCESS_GROUPS_PAGE ACCESS_GROUPS_PAGE_DESC)],
	AUDIT_NEWEST => ['AUDIT_OLDEST'],
	BLOB_UNKNOWN => ['STORE_USED'],
	CACHE_RENEW => ['CACHE_ACKNOWLEDGE'],
	GITLAB_UNPIN_USER => ['GITLAB_UNPIN_PROJECT'],
	PACKAGE => [map { "PACKAGE_$_" }
	    qw(LIST LIST_BY_NAME LIST_NAMED LIST_GROUP LIST_GROUP_BY_NAME FIND OTHER_VERSIONS)],
	PACKAGE_COUNT => ['PACKAGE_COUNT_GROUP'],
	PAGE_ROW => [map { "PAGE_$_" } qw(FRONT SEARCH GROUP PROJECT)],
	PERSONAL_TOKEN_ROTATE => ['PERSONAL_TOKEN_END_SUCCESSOR'],
	PROTECTION_FIND => ['PROTECTION_FIND_DELETE'],
	QUOTA_CHARGE => [qw(QUOTA_LOOK QUOTA_LIST)],
	RETENTION_FIND => ['RETENTION_NEXT'],
	RULE_COLUMNS => [qw(PROTECTION_LIST PROTECTION_GET)],
	SEARCH_NAMES => [qw(SEARCH_RANKED SEARCH_ALIKE SEARCH_ALL)],
	SESSION_LINK_TAKE => ['SESSION_USER'],
	TASK_REMOVE => ['TASK_RETRY'],
);

my @sources;
find({ no_chdir => 1, wanted => sub { push @sources, $_ if /\.[ch]\z/ } }, 'fcgi');
@sources = sort @sources;
my %text = map { $_ => slurp($_) } @sources;
# Comments replaced by nothing, line by line, so that numbers still fit.
my %code = map { $_ => without_comments($text{$_}) } @sources;
# The tests and the scripts.
my %beside = map { $_ => slurp($_) } beside();

cmp_ok(scalar @sources, '>', 30, 'there are sources to look at');
rule('folders include only what their README says', \%text, \&outside_ring,
    "Add the other folder to `Includes' in the README of the including one, unless that makes a circle.");
is(join(' ', map { unused_ring($_) } sort keys %rings), '',
    "`Includes' in the README of a folder names no folder that it does not include");
is(join("\n", circles(\%rings)), '', 'no folder includes itself by way of others');
is(join("\n", circles(modules())), '', 'nor does a module');
is(join(' ', grep { modules_in($_) > FOLDER_MODULES_MAX } sort keys %rings), '',
    'no folder has more than ' . FOLDER_MODULES_MAX . ' modules');
cmp_ok(scalar keys %beside, '>', 150, 'there are tests and scripts');
rule('no line is longer than ' . LINE_MAX . ' characters', { %text, %beside },
    sub { length(decode('UTF-8', $_[1])) > LINE_MAX });
my %shipped = map { $_ => slurp($_) } installed();
rule('no line of conf/ and sql/ is longer than ' . LINE_MAX . ' characters', \%shipped, sub {
	my (undef, $line) = @_;

	# nginx reads a quoted string as it stands
	return length(decode('UTF-8', $line)) > LINE_MAX && $line !~ /"[^"]{80,}"|\S{80,}/;
});
# nor the text of manual pages; macros and what stands there literally end where they must
rule('nor a line of text in a manual page', {
	map { $_ => slurp($_) =~ s/^\.Bd -literal.*?^\.Ed$/"\n" x ($& =~ tr{\n}{})/gmser } glob('fcgi/man/*.[1-8]')
}, sub { $_[1] !~ /^\./ && length(decode('UTF-8', $_[1])) > LINE_MAX });
rule('each library has one door', \%text, \&outside_door,
    'Call a function of the folder that may include this header: %doors of this test has them.');
rule('only store/db and store/migrate call PostgreSQL', \%code, sub {
	my ($file, $line) = @_;

	return $file !~ m{^fcgi/store/(?:db|migrate)/} && $line =~ /\bPQ[a-z]\w*\s*\(/;
});
# The plan of migrations reads the SQL of others.
rule('no SQL text outside sql/', \%code, sub {
	my ($file, $line) = @_;

	return $file ne 'fcgi/store/migrate/migrate_plan.c'
	    && $line =~ /"\s*(?:SELECT\s|INSERT\s+INTO\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b|CREATE\s+TABLE\b)/;
}, "Write the statement into sql/queries/ below `-- name: NAME', and call it as STMT_NAME.");
subtest 'columns of rows' => sub {
	my %columns = columns();
	my @unequal;

	cmp_ok(scalar keys %columns, '>', 150, 'statements with columns were found');
	is(join("\n", map { columns_by_hand($_, \%columns) } @sources), '',
	    'C takes them from COLUMNS_STATEMENT, and counts none')
	    or diag('Declare enum { COLUMNS_STATEMENT } in the function, and use the names of the columns.');
	for my $first (sort keys %readers) {
		push @unequal, map { "$_: $columns{$_}" } grep { "$columns{$_}, " !~ /^$columns{$first}, / }
		    @{ $readers{$first} };
	}
	is(join("\n", @unequal), '', 'statements of one reader begin with the same columns')
	    or diag('%readers of this test says which statements one function reads.');
	is(join("\n", grep { $columns{$_} =~ /\bCHANGED\b/ && $columns{$_} !~ /^ID, CHANGED\b/ } sort keys %columns),
	    '', 'and those of audit_change() with id and changed');
};
# Reports are files, which the worker writes; what browsers get is made by templates.
rule('no HTML in strings', \%code, sub {
	my ($file, $line) = @_;

	return $file !~ m{^fcgi/(?:http/html\.c|api/web/readme\.c|admin/)}
	    && $line =~ m{"(?:[^"\\]|\\.)*<(?:/?[a-z][a-z0-9]*(?: [^"]*)?>|!DOCTYPE)};
});
# A signature and an HMAC need OpenSSL's own.
rule('SHA-256 is looked up in one place', \%code, sub {
	my ($file, $line) = @_;

	return $file !~ m{^fcgi/(?:base/sha256|base/keyed_hash|access/jwt|access/secret|net/s3_sign)\.c$}
	    && $line =~ /\bEVP_sha256\b|\bSHA256\s*\(|"SHA2-256"/;
});
rule('nothing is left to do', \%text, sub { $_[1] =~ /\b(?:TODO|FIXME|XXX|HACK)\b/ });
rule('only programs and the pool exit', \%code, sub {
	my ($file, $line) = @_;

	return $file !~ m{^fcgi/(?:[^/]+\.c|pool/(?:master|generation|worker)\.c)$} && $line =~ /\bexit\s*\(/;
});

my @long = grep { ($text{$_} =~ tr/\n//) > FILE_LINES_MAX } @sources;
is("@long", '', 'no file is longer than ' . FILE_LINES_MAX . ' lines')
    or diag('Move what belongs together into a module of its own.');

my @vague = grep { basename($_) =~ /^(?:util|utils|common|misc|helpers?)\.[ch]$/ } @sources;
is("@vague", '', 'no file is named after nothing in particular');

my @guards = grep { /\.h\z/ && $text{$_} !~ guard_of($_) } @sources;
is("@guards", '', 'each header has the guard that its path gives it');

my @first = grep { !includes_own_header_first($_) } grep { /\.c\z/ } @sources;
is("@first", '', 'each .c file includes its own header first');

subtest 'configuration keys: the code, the sample and the manual page agree' => sub {
	my %code_keys = keys_of_code();
	my %sample = keys_of_sample();
	my %manual = keys_of_manual();

	cmp_ok(scalar keys %code_keys, '>', 20, 'keys were found in the code');
	is_deeply(\%sample, \%code_keys, 'conf/berth.conf has the keys of the code, with their defaults');
	is_deeply(\%manual, \%code_keys, 'and so has fcgi/man/berth.conf.5');
};

subtest 'manual pages' => sub {
	my @pages = sort glob('fcgi/man/*.[1-8]');

	for my $page (@pages) {
		my @complaints = grep { !/ STYLE: / } `mandoc -Tlint -Wwarning $page 2>&1`;

		is(join('', @complaints), '', "$page: mandoc has nothing to say");
		my ($name, $section) = basename($page) =~ /^(.+)\.(\d)$/;
		like(slurp('README'), qr/(?<![\w-])\Q$name($section)\E/, "$page: README names it");
	}
	for my $main (sort grep { m{^fcgi/[^/]+\.c$} } @sources) {
		my $name = basename($main, '.c') =~ tr/_/-/r;
		my @found = grep { basename($_) =~ /^\Q$name\E\.[1-8]$/ } @pages;

		is(scalar @found, 1, "$name has a manual page") or next;
		my @options = options_of($name, $main);
		my @missing = undocumented(slurp($found[0]), @options);
		cmp_ok(scalar @options, '>=', 2, "$name: options were found");
		is("@missing", '', "$name: each option is in $found[0]");
	}
};

subtest 'berth-architecture(7) names what there is' => sub {
	my ($part) = slurp('fcgi/man/berth-architecture.7') =~ /^\.Sh WHERE TO CHANGE WHAT\n(.*?)^\.Sh /ms
	    or die "no part WHERE TO CHANGE WHAT\n";
	my $all = join("\n", values %text, values %beside,
	    map { slurp($_) } glob('conf/nginx/*.conf sql/queries/*.sql'));
	my @names = map { /\w+/g } $part =~ /^\.(?:Fn|Va|Vt) (.*)$/mg;
	my @paths = map { split(/[ ,]+/, s/ (?:Pq|No|in|with|Pa)\b//gr) } $part =~ /^\.Pa ([^*\n]*)$/mg;
	my @bad = grep { $all !~ /\b$_\b/ } grep { length > 2 && $_ ne 'rq' } @names;

	cmp_ok(scalar @names, '>', 20, 'names were found');
	cmp_ok(scalar @paths, '>', 100, 'and paths');
	is("@bad", '', 'each function, variable and type of WHERE TO CHANGE WHAT');
	is(join(' ', grep { m{/} && !-e && !-e "fcgi/$_" } @paths), '', 'each file and folder');
};

subtest 'berth-architecture(7) has the folders' => sub {
	my ($table) = slurp('fcgi/man/berth-architecture.7') =~ /^\.Sh FOLDERS\n.*?^\.Bd -literal\n(.*?)^\.Ed$/ms
	    or die "no table of folders\n";
	my @manual = map { (split)[0] } split(/\n/, $table);

	is(join(' ', sort @manual), join(' ', sort keys %rings, 'man'), 'each of them');
};

subtest 'berth-tools(7) has the tools of scripts/tools, at their versions' => sub {
	my ($table) = slurp('fcgi/man/berth-tools.7') =~ /^\.Bd -literal\n(tool .*?)^\.Ed$/ms
	    or die "no table of tools\n";
	my %manual = map { /^([\w-]+)\s+([\d.]+)/ ? (lc $1 => $2) : () } split(/\n/, $table);
	my %installed = map { (split)[0, 1] } `scripts/tools --list`;

	cmp_ok(scalar keys %installed, '>=', 9, 'tools were found');
	is_deeply({ map { $_ => $manual{$_} } keys %installed }, \%installed, 'the same versions');
};

# Who is woken by an alert finds it in the manual.
subtest 'each alert has its section in berth-operations(7)' => sub {
	my ($part) = slurp('fcgi/man/berth-operations.7') =~ /^\.Sh ALERTS\n(.*?)^\.Sh /ms or die "no alerts\n";
	my @sections = map { [/\A(Berth\w+)\n(.*)\z/s] } split(/^\.Ss /m, $part);
	my @alerts = slurp('conf/prometheus/berth-rules.yml') =~ /^ *- alert: (\w+)$/mg;

	@sections = grep { defined $_->[0] } @sections;
	cmp_ok(scalar @alerts, '>', 15, 'alerts were found');
	is(join(' ', map { $_->[0] } @sections), "@alerts", 'all of them, in their order');
	for my $section (@sections) {
		my ($name, $text) = @$section;
		my @items = $text =~ /^\.It (.+)\n(?=[^.\n]|\.(?!It|El))/mg;

		is("@items", 'Meaning Users see Look at Remedy', "$name: meaning, users, where to look, what to do");
	}
	my @named = $part =~ /^\.(?:Li|Sx) (Berth\w+)/mg;
	my %is = map { ($_ => 1) } @alerts;
	is(join(' ', grep { !$is{$_} } @named), '', 'and names no other');
};

# Words that are not used as names, each with the one that is; berth-architecture(7) has a glossary.
my %retired = (
	access_token => 'personal_token',
	heard => 'notified',
	intake => 'upload',
	memo => 'cache',
	need => 'policy',
	opinion => 'tar_crosscheck',
	place => 'namespace',
	project_ref => 'namespace_ref',
	public_dir => 'cache_dir',
	recall => 'cache',
	seat => 'slot',
	settle => 'barrier',
	shape => 'error_format',
	tale => 'message',
	visit => 'web_session',
	want => 'expected',
	write_limit => 'rate_limit',
);

subtest 'one thing has one name' => sub {
	my %defined;

	for my $file (@sources) {
		# functions, types, members and enumerators: what a name is given to
		push @{ $defined{$_} }, $file
		    for $code{$file} =~ /\b(?:struct|enum)\s+(\w+)\s*\{/g, $code{$file} =~ /^(\w+)\(/mg;
	}
	cmp_ok(scalar keys %defined, '>', 1000, 'names were found');
	for my $word (sort keys %retired) {
		my @bad = grep { /(?:^|_)${word}s?(?:_|$)/i } sort keys %defined;

		is(join(' ', map { "$_ in $defined{$_}[0]" } @bad), '', "$word is called $retired{$word}");
	}
};

# nginx refuses a directive that is twice in one block, so people need to know which ones Berth's files have.
subtest 'directives of nginx' => sub {
	my ($list) = slurp('fcgi/man/berth-install.7') =~ /^nginx refuses most directives(.*?)^\.El/ms;
	my %free = map { ($_ => 1) } qw(add_header error_page if include location set); # may be there twice
	my %told;

	for (split /^\.It /m, $list // '') {
		/^Pa (\S+)\n(.*)/s and $told{$1} = { map { ($_ => 1) } split /[\s,]+/, $2 };
	}
	is(join(' ', sort keys %told), join(' ', map { "berth-$_.conf" } qw(common limits monitoring registry)),
	    'each file that stands in a block of others');
	for my $file (sort keys %told) {
		my @has = grep { !$free{$_} && !/^fastcgi_/ } slurp("conf/nginx/$file") =~ /^([a-z]\w*)/mg;

		is(join(' ', grep { !$told{$file}{$_} } @has), '', "berth-install(7) has those of $file");
	}
};

subtest 'tests' => sub {
	my %number;
	push @{ $number{ substr(basename($_), 0, 3) } }, basename($_) for glob('t/[0-9]*.t');
	my ($legend) = slurp('t/README');
	my %module = map { (basename($_, '.c') => 1) } @sources;

	is(join('; ', map { "@{ $number{$_} }" } grep { @{ $number{$_} } > 1 } sort keys %number), '',
	    'no two have one number');
	is(join(' ', grep { !/^\d{3}$/ } sort keys %number), '', 'each has a number of three digits');
	my ($long) = slurp('Makefile') =~ /^LONG = (.*)$/m;
	is(join(' ', grep { !$number{$_} } split(/ /, $long)), '', 'those that start first are there');
	# a unit is a module, or the small ones of a folder
	is(join(' ', grep { !$module{$_} && !-d "fcgi/$_" && !-d "fcgi/store/$_" } map { basename($_, '.c') }
	    glob('t/unit/*.c')), '', 'a unit is named after what it tests');
	my %about = map {
		my ($from, $to) = /^(\d\d)(?:(?: to |, )(\d\d))?$/;

		map { ($_ + 0 => 1) } $from .. $to // $from;
	} $legend =~ /^\t(\d\d(?:(?: to |, )\d\d)?) /mg;
	is(join(' ', grep { !$about{ substr($_, 0, 2) + 0 } } sort keys %number), '',
	    't/README says what each is about');
};

# What a person reads holds no word that only the authors know.
subtest 'sentences' => sub {
	my @lines = map { [split(/\t/, $_, 2)] } split(/\n/, `scripts/messages`);
	my $private = join('|', qw(namespace_ref arena struct memo intake settle barrier grantee), 'route policy',
	    'error format', 'tar cross-check');

	is($?, 0, 'scripts/messages lists them');
	cmp_ok(scalar @lines, '>', 800, scalar(@lines) . ' of them');
	is(join("\n", map { "$_->[0]: $_->[1]" } grep { $_->[1] =~ /\b(?:$private)\b/ } @lines), '',
	    'in words that a user knows') or diag("These words are not for users: $private");
	is(join("\n", map { "$_->[0]: $_->[1]" } grep { $_->[1] =~ /(?<![Tt]here )\bis no (?!longer\b)\w+/ } @lines),
	    '', 'and not as in another language');
};

subtest 'scripts' => sub {
	for my $script (grep { -f } glob('scripts/* .ci/run t/run')) {
		my ($first) = slurp($script) =~ /\A#!(\S+)/;

		ok(-x $script, "$script can be run");
		my @check = $first =~ /perl/ ? ('perl', '-It/lib', '-c') : ($first, '-n');
		my $said = `@check $script 2>&1`;
		is($?, 0, "$script is in order") or diag($said);
	}
};

done_testing();

sub without_comments {
	my ($c) = @_;

	# Strings first, so that what looks like a comment in one stays.
	$c =~ s{("(?:[^"\\\n]|\\.)*")|/\*(.*?)\*/|//[^\n]*}
	    {defined $1 ? $1 : "\n" x (($2 // '') =~ tr/\n//)}gse;
	return $c;
}

# One test: no line of any file is against the rule.  $remedy: what to do if one is.
sub rule {
	my ($name, $files, $against, $remedy) = @_;
	my @bad;

	for my $file (sort keys %$files) {
		my $number = 0;

		for my $line (split /\n/, $files->{$file}) {
			$number++;
			push @bad, "$file:$number: $line" if $against->($file, $line);
		}
	}
	is(join("\n", @bad), '', $name) or defined $remedy && diag($remedy);
}

# The statements and lists that have COLUMNS_: name => the columns in their order.
sub columns {
	my $dir = tempdir(CLEANUP => 1);

	system('scripts/sql2c', 'queries', $dir, sort glob('sql/queries/*.sql')) == 0 or die "scripts/sql2c\n";
	system('scripts/sql2c', 'macros', $dir, 'sql/migrate.sql') == 0 or die "scripts/sql2c\n";
	return (slurp("$dir/stmt.h") . slurp("$dir/migrate_sql.h")) =~ /^#define COLUMNS_(\w+) (.*)$/mg;
}

# Columns that a file reads by a number, or by an enumerator of its own.
sub columns_by_hand {
	my ($file, $columns) = @_;
	# functions, each with what stands before it
	my @parts = split(/^\}\n/m, $code{$file});
	my %global = map { ($_ => 1) } enumerators($columns, map { (split /^\{\n/m)[0] } @parts);
	my @bad;

	for my $part (@parts) {
		# the one column of a batch is a migration's own
		my %known = (%global, BATCH_LAST => 1, map { ($_ => 1) } enumerators($columns, $part));

		my $reader = qr/db_(?:str|int|bool|is_null|time|slice|bytes|double)|PQget(?:value|isnull|length)/;

		while ($part =~ /\b((?:$reader)(\((?:[^()]++|(?2))*\)))/g) {
			my $call = $1;
			my ($column) = $call =~ /^.*,\s*(.*)\)$/s;

			push @bad, "$file: $call" if $column =~ /^\d/ || grep { !$known{$_} } $column =~ /\b([A-Z][A-Z0-9_]+)\b/g;
		}
	}
	return @bad;
}

# What enum { COLUMNS_STATEMENT } gives.
sub enumerators {
	my ($columns, @texts) = @_;

	return map { split(/, /, $columns->{$_} // '') } map { /\benum \{ COLUMNS_(\w+)/g } @texts;
}

# Neither data nor what fuzzing has found, nor schemas, which stay as they were released.
sub beside {
	my @files = grep { -f } glob('scripts/* .ci/run conf/ci/*.sh');

	find({ no_chdir => 1, wanted => sub {
		push @files, $_ if -f && !m{^t/(?:data|fuzz/corpus|migrations)/};
	} }, 't');
	return @files;
}

# Samples, units and statements.  A migration stays as it was released.
sub installed {
	my @files = glob('sql/*.sql sql/queries/*.sql');

	find({ no_chdir => 1, wanted => sub { push @files, $_ if -f && !/\.json\z/ } }, 'conf');
	return @files;
}

sub folders {
	my %folders;

	find({ no_chdir => 1, wanted => sub { $folders{ dirname($_) } = 1 if /\.c\z/ } }, glob('fcgi/*/'));
	return map { s{^fcgi/}{}r } sort keys %folders;
}

sub ring_of {
	my ($folder) = @_;
	my ($ring) = slurp("fcgi/$folder/README") =~ /^Includes: (.+)\n\z/m
	    or die "fcgi/$folder/README: no line `Includes: FOLDER ...` at the end\n";

	return grep { $_ ne 'nothing' } split(/ /, $ring);
}

# The folders of others that this line includes; what is generated belongs to the folder that needs it.
sub included_folder {
	my ($line) = @_;

	return $line =~ m{^\s*#\s*include\s+"((.+)/[^/"]+\.h)"} && -f "fcgi/$1" ? $2 : undef;
}

sub outside_ring {
	my ($file, $line) = @_;
	my ($folder) = $file =~ m{^fcgi/(.+)/[^/]+$} or return 0;
	my $known = included_folder($line) // return 0;

	return !grep { $_ eq $known } $folder, @{ $rings{$folder} };
}

sub unused_ring {
	my ($folder) = @_;
	my %used = map { ($_ => 1) } map { included_folder($_) // () }
	    map { split(/\n/, $text{$_}) } grep { dirname($_) eq "fcgi/$folder" } @sources;

	return map { "$folder:$_" } grep { !$used{$_} } @{ $rings{$folder} };
}

sub modules_in {
	my ($folder) = @_;

	return scalar(() = glob("fcgi/$folder/*.c"));
}

# What each module includes: a .c file with its header.  A header without a .c file is a part of
# those that include it.
sub modules {
	my %known;

	for my $file (grep { -f s/\.\w\z/.c/r } @sources) {
		my $module = $file =~ s{^fcgi/}{}r =~ s/\.\w\z//r;

		push @{ $known{$module} }, grep { $_ ne $module && -f "fcgi/$_.c" }
		    $text{$file} =~ m{^#include "(\w[\w/]*)\.h"}mg;
	}
	return \%known;
}

# Of a graph (name => names): each circle, by what takes part in it.
sub circles {
	my ($graph) = @_;
	my %left = map { my $from = $_; ($from => { map { ($_ => 1) } @{ $graph->{$from} } }) } keys %$graph;

	# what leads nowhere, or where nothing leads to, is in no circle
	while (1) {
		my %led = map { ($_ => 1) } map { keys %{ $left{$_} } } keys %left;
		my @out = grep { !$led{$_} || !grep { $left{$_} } keys %{ $left{$_} } } keys %left;

		last unless @out;
		delete @left{@out};
		delete @{ $left{$_} }{@out} for keys %left;
	}
	return map { "$_: " . join(' ', sort grep { $left{$_} } keys %{ $left{$_} }) } sort keys %left;
}

sub outside_door {
	my ($file, $line) = @_;
	my ($header) = $line =~ /^\s*#\s*include\s+[<"]([^>"]+)[>"]/ or return 0;
	my $door = $doors{$header} or return 0;

	return $file !~ $door;
}

sub guard_of {
	my ($file) = @_;
	my $guard = uc($file =~ s{^fcgi/}{}r) =~ tr{/.\-}{___}r;

	return qr/^#ifndef \Q$guard\E\n#define \Q$guard\E$/m;
}

sub includes_own_header_first {
	my ($file) = @_;
	my $own = $file =~ s{^fcgi/}{}r =~ s/\.c\z/.h/r;

	return 1 unless $text{"fcgi/$own"};
	my ($first) = $text{$file} =~ /^\s*#\s*include\s+[<"]([^>"]+)[>"]/m;
	return ($first // '') eq $own;
}

# ---- configuration: name => default, undef where you must set it ----

sub keys_of_code {
	my ($table) = $text{'fcgi/config/settings.c'} =~ /settings_keys\[\] = \{(.*?)\n\};/s
	    or die "no table in settings.c\n";
	my %keys;

	while ($table =~ /\{\s*MEMBER\((\w+)\)(.*?)\}/gs) {
		my ($key, $rest) = ($1, $2);
		my ($default) = $rest =~ /\.def\s*=\s*((?:LIBEXECDIR\s*)?"[^"]*")/;

		$default =~ s/^LIBEXECDIR\s*"/"\/usr\/local\/libexec/ if defined $default;
		$keys{$key} = defined $default ? $default =~ s/^"|"$//gr : undef;
	}
	return %keys;
}

sub keys_of_sample {
	my %keys;

	for my $line (split /\n/, slurp('conf/berth.conf')) {
		my ($off, $key, $value) = $line =~ /^(#?)([a-z_]+) = (.*)$/ or next;

		die "conf/berth.conf: $key is there twice\n" if exists $keys{$key};
		$keys{$key} = $off ? $value =~ s/^"(.*)"$/$1/r : undef;
	}
	return %keys;
}

sub keys_of_manual {
	my %keys;
	my $key;

	for my $line (split /\n/, slurp('fcgi/man/berth.conf.5')) {
		if ($line =~ /^\.It Ic (\w+) Ar \w+$/) {
			$key = $1;
			die "berth.conf.5: $key is there twice\n" if exists $keys{$key};
			$keys{$key} = 'no default is given';
		} elsif ($line =~ /^Default: (none; you must set it|empty)\.$/) {
			$keys{$key} = $1 eq 'empty' ? '' : undef;
		} elsif (defined $key && $keys{$key} && $line =~ /^\.Ql (\S.*)$/) {
			$keys{$key} = $1;
		}
	}
	return %keys;
}

# ---- options ----

# The options of a program: letters of its getopt string, names of its long
# options.  The admin command has tables of its own, spread over fcgi/admin/.
sub options_of {
	my ($name, $main) = @_;
	# the daemons share theirs; what only one of them has, its usage says
	my $is_daemon = $code{$main} =~ /\bprogram_main\(/;
	my $source = join("\n", map { $code{$_} } $main, $is_daemon ? 'fcgi/config/program.c' : (),
	    $name eq 'berth' ? grep { m{^fcgi/admin/} } @sources : ());
	my %options;

	while ($source =~ /getopt(?:_long)?\s*\([^;"]*"([^"]*)"/g) {
		$options{$_}++ for grep { !$is_daemon || $code{$main} =~ /"  -$_ / } $1 =~ /[A-Za-z0-9]/g;
	}
	while ($source =~ /\{\s*"([a-z][a-z-]+)",\s*(?:no|required|optional)_argument/g) {
		my $long = $1;

		$options{"-$long"}++ if !$is_daemon || $long =~ /^(?:help|version)$/ || $code{$main} =~ /"  --$long /;
	}
	while ($source =~ /struct option_def \w+\[\] = (\{.*?\});/gs) {
		for my $row ($1 =~ /(\{\s*"[^{}]*\})/g) {
			my ($long, $letter) = $row =~ /^\{\s*"([a-z-]+)",\s*(?:'(\w)'|0),/
			    or die "an option of $name that is not understood: $row\n";

			$options{"-$long"}++;
			$options{$letter}++ if defined $letter;
		}
	}
	return sort keys %options;
}

sub undocumented {
	my ($page, @options) = @_;
	my @missing;

	for my $option (@options) {
		# A long one is written `Fl -name` or `Fl Fl name`, a hyphen perhaps as `\-`.
		my ($long, $name) = $option =~ /^(-?)(.+)$/;
		my $written = ($long ? '(?:Fl |\\\\?-)' : '') . join('\\\\?-', split(/-/, $name));

		push @missing, $option unless $page =~ /\bFl $written(?![\w-])/;
	}
	return @missing;
}
