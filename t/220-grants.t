#!/usr/bin/perl
# The rights of the pool's role in the database: exactly what the statements of sql/queries/ and the
# functions behind triggers need, table by table, and to insert and to update column by column.  The test
# reads the needs from PostgreSQL's own plans of the statements, and the rights from its catalogue.

use strict;
use warnings;

use Test::More;
use Text::Wrap qw(wrap);

use Berth::Cluster;
use Berth::Test;

my $t = Berth::Test->new;
$Text::Wrap::columns = 110;
my %bit = (INSERT => 1, SELECT => 2, UPDATE => 4, DELETE => 8);

# ---- what is needed ----

# Functions run with the rights of their caller.  What each of them does to tables, as statements.
my %functions = (
	access_changed => ['UPDATE access_epoch SET id = gen_random_uuid()'],
	project_is_public => [], # inside of the next one
	cache_tell => [],
	crates_tell_cache => [],
	versions_tell_cache => ['SELECT project_id, name FROM crates'],
	projects_tell_cache => [],
	tokens_tell_cache => [],
	views_tell => ['SELECT ancestor_ids FROM groups WHERE id = 1'],
	crates_tell_views => ['SELECT group_id FROM projects WHERE id = 1'],
	projects_tell_views => [],
	groups_tell_views => [],
	groups_tell_order => [],
	view_project => ['SELECT w.project_id, w.id, w.index_body, o.id, d.ancestor_ids, v.registry_projects'
	    . ' FROM groups v, crates w JOIN projects o ON o.id = w.project_id JOIN groups d ON d.id = o.group_id'
	    . " WHERE w.normalized_name = 'x'"],
	versions_set_name => [], # by versions_name
	versions_name => ['SELECT normalized_name FROM crates'],
	index_file_time => [],
	crates_tell_index => ['INSERT INTO crates_due (crate_id) VALUES (1)',
	    'SELECT g.ancestor_ids FROM projects p, groups g WHERE p.id = 1 AND g.id = p.group_id'],
	trust_rule_holds => ['SELECT r.id FROM trust_rules r JOIN trusted_issuers i ON i.id = r.issuer_id'
	    . ' WHERE i.enabled'],
	job_token_policy => ['SELECT policies, project_id, from_project_id, from_group_id FROM job_token_allowlist',
	    'SELECT o.ancestor_ids FROM projects f JOIN groups o ON o.id = f.group_id WHERE f.id = 1'],
	group_networks => ['SELECT a.anonymous_networks FROM groups g JOIN groups a ON a.id = ANY (g.ancestor_ids)'],
	dependencies_set_crate => ['SELECT crate_id, project_id FROM versions WHERE id = 1'],
	crate_shown => ["SELECT id FROM versions WHERE crate_id = 1 AND status = 'default'"
	    . " ORDER BY yanked, version_base"],
	search_yanked => ["SELECT yanked FROM versions WHERE crate_id = 1 AND status = 'default'"],
	crate_search_count => ['INSERT INTO search_counts AS c (project_id, part, crates) VALUES (1, 1, 1)'
	    . ' ON CONFLICT (project_id, part) DO UPDATE SET crates = c.crates + 1',
	    'UPDATE search_counts SET crates = crates - 1 WHERE part = 1'],
);

sub statements {
	my %text;

	for my $line (split(/\n/, Berth::Cluster::slurp("$Berth::Cluster::ROOT/build/gen/store/stmt.inc"))) {
		my ($n, $name, $sql) = $line =~ /^STMT\(\w+, (\d+), "(\w+)", "(.*)"\)$/ or die "stmt.inc: $line\n";

		# a list declares a cursor for a statement
		$text{$name} = [$n, $sql =~ s/\\(.)/$1/gr =~ s/^DECLARE \w+ [A-Z ]+ FOR //r];
	}
	for my $function (keys %functions) {
		my $k = 0;

		$text{ "function_$function" . $k++ } = [0, $_] for @{ $functions{$function} };
	}
	return \%text;
}

# The plans of all statements, made for any values, as the server prints them.
sub plans {
	my ($statements) = @_;
	my $script = "SET debug_pretty_print = off;\nSET plan_cache_mode = force_generic_plan;\n";

	for my $name (sort keys %$statements) {
		my ($n, $sql) = @{ $statements->{$name} };

		# BEGIN, LISTEN and the like have no plan, and need no right to a table
		next if $sql !~ /^(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b/;
		$script .= "\\warn STATEMENT $name\nPREPARE s_$name AS $sql;\n"
		    . "SET client_min_messages = log; SET debug_print_plan = on;\n"
		    . "EXPLAIN EXECUTE s_$name" . ($n ? '(' . join(', ', ('NULL') x $n) . ')' : '')
		    . ";\nSET debug_print_plan = off; RESET client_min_messages;\n";
	}
	my ($status, undef, $err) = Berth::Cluster::capture({ stdin => $script }, 'psql', '-XAtq', '-d',
	    $t->dsn('postgres'));
	my @wrong = $err =~ /(ERROR:.*)/g;

	is_deeply(\@wrong, [], 'every statement has a plan');
	return $err;
}

my (%columns, %table_of);
for my $row ($t->psql("SELECT c.oid, c.relname, a.attnum, a.attname FROM pg_class c"
    . " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
    . " AND NOT a.attisdropped WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')"
    . " ORDER BY 1, 3")) {
	my ($oid, $table, $number, $column) = split(/\|/, $row);

	$table_of{$oid} = $table;
	$columns{$table}{$number} = $column;
}

# Attribute numbers in a plan begin at -7, the lowest of system columns.
sub attributes {
	my ($table, $set) = @_;
	my @numbers = map { $_ - 7 } $set =~ /\d+/g;

	return (grep { $_ == 0 } @numbers) ? values %{ $columns{$table} }
	    : map { $columns{$table}{$_} } grep { $_ > 0 } @numbers;
}

sub needs {
	my ($statements) = @_;
	my %need;

	for my $part (split(/^STATEMENT /m, plans($statements))) {
		my ($name) = $part =~ /^(\w+)/;

		$part =~ s/\s+/ /g;
		my $columns = join(' ', map { ":${_}Cols \\(b([^)]*)\\)" } qw(selected inserted updated));
		while ($part =~ /:relid (\d+) [^{}]*?:requiredPerms (\d+) :checkAsUser 0 $columns/g) {
			my ($oid, $perms, $selected, $inserted, $updated) = ($1, $2, $3, $4, $5);
			my $table = $table_of{$oid} or next;
			my $n = $need{$table} //= {};

			for (grep { $perms & $bit{$_} } keys %bit) {
				$n->{$_} //= {};
			}
			$n->{INSERT}{$_} = $name for attributes($table, $inserted);
			$n->{UPDATE}{$_} = $name for attributes($table, $updated);
		}
	}
	# a lock by itself, which reads and changes nothing
	for my $name (sort keys %$statements) {
		my ($table) = $statements->{$name}[1] =~ /^LOCK TABLE (\w+) IN SHARE MODE/ or next;

		ok($need{$table}{DELETE}, "$name: by the right to delete");
	}
	# a lock on rows needs the right to change one column, whichever
	for my $table (keys %need) {
		my $update = $need{$table}{UPDATE};
		my @all = sort values %{ $columns{$table} };

		$update->{ (grep { $_ eq 'created_at' } @all)[0] // $all[-1] } = 'a lock' if $update && !%$update;
	}
	return \%need;
}

# ---- what there is ----

sub rights {
	my %have;

	for my $row ($t->psql("SELECT c.relname, p, has_table_privilege('berth', c.oid, p),"
	    . " coalesce((SELECT string_agg(a.attname, ',') FROM pg_attribute a"
	    . " WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND p IN ('INSERT', 'UPDATE')"
	    . " AND has_column_privilege('berth', c.oid, a.attnum, p)), '')"
	    . " FROM pg_class c, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p"
	    . " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p')")) {
		my ($table, $right, $whole, $list) = split(/\|/, $row, -1);
		my @some = split(/,/, $list);

		$have{$table}{$right} = { map { $_ => 1 } @some } if $whole eq 't' || @some;
	}
	return \%have;
}

# As sql/grants.sql has it.
sub grants {
	my ($rights) = @_;
	my @lines;

	for my $table (sort keys %$rights) {
		my $r = $rights->{$table};
		my @rights = map { my $c = join(', ', sort keys %{ $r->{$_} }); /^(?:INSERT|UPDATE)$/ ? "$_ ($c)" : $_ }
		    grep { $r->{$_} } qw(SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER);

		push @lines, wrap('', "\t", 'GRANT ' . join(', ', @rights) . " ON $table TO :role;") if @rights;
	}
	return @lines;
}

my $statements = statements();
my $need = needs($statements);
# for the functions that check the schema
$need->{schema_migrations}{SELECT} //= {};
my $have = rights();
my @want = grants($need);

# Rights that only the build before needs, so that both can run side by side.
my (undef, $before) = split(/^-- Needed by the build before alone:$/m,
    Berth::Cluster::slurp("$Berth::Cluster::ROOT/sql/grants.sql"));
for my $grant (($before // '') =~ /^GRANT (.*?) TO :role;$/msg) {
	my ($rights, $table) = $grant =~ s/\s+/ /gr =~ /^(.*) ON (\w+)$/;

	while ($rights =~ /(\w+)(?: \(([^)]*)\))?(?:, |$)/g) {
		my ($right, $list) = ($1, $2);

		$need->{$table}{$right} //= {};
		$need->{$table}{$right}{$_} = 1 for split(/, /, $list // '');
	}
}
is(join("\n", grants($have)), join("\n", grants($need)), 'the role may do what is needed, and no more')
    or diag(join("\n", 'sql/grants.sql must have:', @want));

my %sequences = map { $_ => 1 } map { $_->[1] =~ /\b(?:next|curr)val\('(\w+)'\)/g } values %$statements;
is(join(' ', $t->psql("SELECT c.relname, p FROM pg_class c, unnest('{USAGE,SELECT,UPDATE}'::text[]) p"
    . " WHERE c.relkind = 'S' AND has_sequence_privilege('berth', c.oid, p) ORDER BY 1")),
    join(' ', map { "$_|USAGE" } sort keys %sequences), 'and may use the sequences that they name');

my @unknown = grep { !$functions{$_} }
    $t->psql("SELECT DISTINCT proname FROM pg_proc, pg_class c WHERE pronamespace = 'public'::regnamespace"
    . " AND c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
    . " AND prosrc ~* ('(from|join|into|update)\\s+' || c.relname || '\\y')");
is(join(' ', @unknown), '', 'every function that touches a table is known here');

# A right that the build before has and loses makes its `berth check` critical while both run.
is($t->psql("SELECT has_column_privilege('berth', 'tasks', 'run_at', 'INSERT'),"
    . " has_column_privilege('berth', 'tasks', 'again', 'UPDATE')"), 't|t',
    'the build before finds its rights to tasks');

# ---- what must never be among it, whatever the statements need ----

$t->psql("INSERT INTO users (username) VALUES ('u'); INSERT INTO groups (path, full_path, ancestor_ids)"
    . " VALUES ('g', 'g', '{1}');"
    . " INSERT INTO projects (group_id, path, full_path) VALUES (1, 'p', 'g/p');"
    . " INSERT INTO crates (project_id, name, normalized_name) VALUES (1, 'c', 'c');"
    . " INSERT INTO tombstones VALUES (1, '1.0.0', repeat('a', 64)); INSERT INTO audit_events (action)"
    . " VALUES ('x')");
for my $refused ("INSERT INTO audit_events (id, action) OVERRIDING SYSTEM VALUE VALUES (7, 'x')",
	"INSERT INTO audit_events (at, action) VALUES ('2020-01-01', 'x')",
	'UPDATE audit_events SET at = now()', 'DELETE FROM audit_events', 'DELETE FROM tombstones',
	"UPDATE tombstones SET cksum = repeat('b', 64)",
	"INSERT INTO tombstones VALUES (1, '2.0.0', repeat('a', 64), '2020-01-01')",
	"UPDATE versions SET cksum = 'x'", "UPDATE versions SET version = '9.0.0'",
	"UPDATE tokens SET digest = digest", "UPDATE tokens SET scopes = '{api}'", 'UPDATE tokens SET user_id = 1',
	'DELETE FROM users', 'DELETE FROM crates', 'DELETE FROM projects',
	"UPDATE blobs SET sha256 = repeat('b', 64)",
	'INSERT INTO users (id, username) OVERRIDING SYSTEM VALUE VALUES (9, $$v$$)', 'DELETE FROM access_epoch',
	"SELECT setval('audit_events_id_seq', 1)", "SELECT nextval('audit_events_id_seq')", 'TRUNCATE tombstones') {
	my (undef, undef, $err) = Berth::Cluster::capture('psql', '-XAtq', '-d', $t->dsn('berth'), '-c', $refused);

	like($err, qr/permission denied/, "not: $refused");
}
my (undef, $out, $err) = Berth::Cluster::capture('psql', '-XAtq', '-d', $t->dsn('berth'), '-c',
    "INSERT INTO audit_events (action) VALUES ('y') RETURNING id, at > now() - interval '1 minute'");
like($out, qr/^\d+\|t$/m, 'but: an audit row, whose id and time are the database\'s') or diag($err);

done_testing();
