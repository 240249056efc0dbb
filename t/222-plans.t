#!/usr/bin/perl

# Plans of the statements of sql/queries/: each finds its rows by an index, however many rows a table gets.
# The tables of a test are almost empty, so the planner is told to avoid scans of whole tables.  Where it
# plans one all the same, no index serves the statement.

use strict;
use warnings;

use Test::More;

use Berth::Cluster;
use Berth::Test;

my $t = Berth::Test->new;

# name => [how many parameters, the statement]
sub statements {
	my %text;

	for my $line (split(/\n/, Berth::Cluster::slurp("$Berth::Cluster::ROOT/build/gen/store/stmt.inc"))) {
		my ($n, $name, $sql) = $line =~ /^STMT\(\w+, (\d+), "(\w+)", "(.*)"\)$/ or die "stmt.inc: $line\n";

		# a list declares a cursor for a statement
		$sql =~ s/^DECLARE \w+ [A-Z ]+ FOR //;
		# BEGIN, LISTEN and the like have no plan
		$text{$name} = [$n, $sql =~ s/\\(.)/$1/gr] if $sql =~ /^(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b/;
	}
	return \%text;
}

# name => the plan for any values.
sub plans {
	my ($statements) = @_;
	my $script = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;\n";

	for my $name (sort keys %$statements) {
		my ($n, $sql) = @{ $statements->{$name} };

		$script .= "\\echo STATEMENT $name\nPREPARE s_$name AS $sql;\n"
		    . "EXPLAIN EXECUTE s_$name" . ($n ? '(' . join(', ', ('NULL') x $n) . ')' : '') . ";\n";
	}
	my ($status, $out, $err) = Berth::Cluster::capture({ stdin => $script }, 'psql', '-XAtq', '-d',
	    $t->dsn('postgres'));
	my @wrong = $err =~ /(ERROR:.*)/g;

	is_deeply(\@wrong, [], 'every statement has a plan');
	return map { /^(\w+)\n(.*)/s ? ($1 => $2) : () } split(/^STATEMENT /m, $out);
}

my $statements = statements();
my %plan = plans($statements);

# An index does not serve a comparison in another collation.  Names in normal form are stored in two: where a
# statement compares one with the other, it says `COLLATE "default"` or `COLLATE "C"`.  Otherwise the plan
# compares each row that another condition leaves.
subtest 'an index serves each comparison of two names' => sub {
	my %more = (%plan, plans({ known => [0, <<'SQL' =~ s/\s+/ /gr] }));
SELECT FROM crate_search s CROSS JOIN LATERAL
       (SELECT FROM crates c
         WHERE c.project_id = s.project_id AND c.normalized_name = s.normalized_name OFFSET 0) c
SQL
	my $compares = qr/^\s*Filter: .*\bnormalized_name = \(?\w+\.normalized_name\b/m;
	my @compare = grep { $more{$_} =~ $compares } sort keys %more;

	is("@compare", 'known', 'no statement but the one that does it on purpose');
};

# table that grows with what people and jobs do => the statements that may read all of its rows, for an
# administrator at a terminal, or once a minute
my %whole = (map({ $_ => '' } qw(audit_events crate_names crate_owners crate_search crates dependencies
    download_days members projects sessions tokens tombstones usage_months users)), blobs => 'health_blobs',
    versions => 'report_storage');

subtest 'no statement reads a whole table that grows' => sub {
	my %found = map { $_ => [] } keys %whole;

	for my $name (sort keys %plan) {
		my %tables = map { $_ => 1 } $plan{$name} =~ /Seq Scan on (\w+)/g;

		push @{ $found{$_} }, $name for grep { defined $whole{$_} } keys %tables;
	}
	is(join(' ', @{ $found{$_} }), $whole{$_}, $_) for sort keys %whole;
};

# The order of versions is in the index: to compute it again for each row takes longer than all else.
subtest 'lists in the order of versions read an index alone' => sub {
	my $settings = 'SET enable_seqscan = off; SET enable_bitmapscan = off;';
	my $values = q('{default,deprecated,error}', NULL, NULL, 'version', true, 20, 0);

	for my $list (['package_list', 1], ['package_list_group', q('{1,2}')]) {
		my ($name, $where) = @$list;
		my $plan = join("\n", $t->psql("$settings PREPARE s AS $statements->{$name}[1];"
		    . " EXPLAIN EXECUTE s($where, $values)"));

		like($plan, qr/Index Only Scan Backward using versions_listed_version\b/, $name);
	}
};

# A version has a row for each day on which somebody has downloaded it: the last one is found by its end.
subtest 'no statement reads all days of each version' => sub {
	my $all_days = qr/SubPlan \d+\n\s*->\s+Aggregate [^\n]*\n\s*->\s+Index[^\n]* on download_days/;

	is(join(' ', grep { $plan{$_} =~ $all_days } sort keys %plan), 'about_versions',
	    'only the one that adds them up');
};

# The project that has a crate for a group is found among all that have the name, which may be thousands.
subtest 'downloads of one crate by a group are looked up once' => sub {
	my ($held, $rest) = $plan{download_log_count} =~ /^\s*CTE held\n(.*?)(^\s*CTE .*)/ms;

	like($held // '', qr/(?:Aggregate|Unique)\b.*\bancestor_ids\b|\bancestor_ids\b.*(?:Aggregate|Unique)\b/s,
	    'once for each name');
	unlike($rest // 'ancestor_ids', qr/\bancestor_ids\b/, 'and not for each line');
};

$t->stop;
done_testing();
