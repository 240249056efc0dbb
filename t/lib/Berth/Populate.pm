package Berth::Populate;

# Fills a database with crates, as if each version had been published: rows, index files,
# dependencies.  By COPY, for benches that need many; the blob store stays empty.
#
#	Berth::Populate::fill($dsn, project => 1, crates => 250_000, versions => 2_500_000);
#	Berth::Populate::add($dsn, project => 1, crates => [['small', 1], ['large', 1000]]);
#
# The connection must be a superuser's: foreign keys are not checked row by row, and no trigger
# runs.  What stands here is the same in every run: names, versions, checksums.

use strict;
use warnings;

use Compress::Raw::Zlib qw(Z_OK Z_BEST_SPEED WANT_GZIP);
use Digest::SHA qw(sha256_hex);
use POSIX qw(strftime);

use Berth::Cluster;

use constant {
	EPOCH => 1_600_000_000,
	HOUR => 3600,
	MANY => 20_000, # versions, from which on indexes are made anew rather than added to
};

# How many versions crates have, one after the other; then from the beginning.
my @share = (1, 3, 1, 8, 2, 1, 55, 2, 5, 22);

# About as often as in the public registry.
my @licenses = (('MIT OR Apache-2.0') x 9, ('MIT') x 5, ('MIT/Apache-2.0') x 2, ('Apache-2.0') x 2,
	'BSD-3-Clause', 'MPL-2.0', 'GPL-3.0-or-later', 'Apache-2.0 OR MIT', 'Zlib OR Apache-2.0 OR MIT',
	'(MIT OR Apache-2.0) AND Unicode-DFS-2016');

my @words = qw(
	async atlas audio binary bitset bloom buffer bytes cache chain chart cipher client clock codec
	config cookie cursor daemon delta digest disk driver error event fetch field filter float forest
	frame future geo graph grid hash header heap http image index input json kernel key lambda layer
	lexer link list log macro map matrix memory merge metric mime mirror mock module mutex native
	netlink node object option packet parser path pixel plugin pool proto proxy query queue random
	range reader regex render ring router rpc schema scope script search serial server shard shell
	signal slab socket sort span sparse state stream string sync syntax table task tensor text thread
	tile timer token toml trace tree trie tuple type unicode uuid value vector version vfs view wasm
	watch web widget window worker writer xml yaml zip zone);

# What update_search and weigh_crates record.  No version here is yanked, a pre-release or older than one
# before it.  What a trigger would count one by one is counted at the end.
my $SEARCH = <<'SQL';
SET session_replication_role = replica;
-- tables that grow meanwhile are not what the planner takes them for
SET enable_nestloop = off;
-- a plan that has nested loops all the same is not as dear as that says: it is not worth compiling
SET jit = off;
ANALYZE crates, versions;
INSERT INTO crate_search (crate_id, project_id, name, normalized_name, max_version, description, document,
       keywords, license, rust, yanked)
SELECT DISTINCT ON (c.id) c.id, c.project_id, c.name, c.normalized_name, v.version, v.description,
       search_document(c.normalized_name, v.keywords, v.description), v.keywords, v.license,
       search_rust(v.rust_version), 0
  FROM crates c JOIN versions v ON v.crate_id = c.id
 WHERE NOT EXISTS (SELECT FROM crate_search s WHERE s.crate_id = c.id)
 ORDER BY c.id, v.id DESC;
INSERT INTO crate_names (crate_id, project_id, normalized_name, listed_versions)
SELECT c.id, c.project_id, c.normalized_name, v.n
  FROM crates c JOIN (SELECT crate_id, count(*) AS n FROM versions GROUP BY crate_id) v ON v.crate_id = c.id
 WHERE NOT EXISTS (SELECT FROM crate_names n WHERE n.crate_id = c.id);
UPDATE crate_search s SET weight = search_weight(d.crates, 0)
  FROM (SELECT v.project_id, d.normalized_name, count(DISTINCT v.crate_id) AS crates
          FROM dependencies d JOIN versions v ON v.id = d.version_id
         WHERE d.registry IS NULL GROUP BY 1, 2) d
 WHERE d.project_id = s.project_id AND d.normalized_name = s.normalized_name
   AND s.weight <> search_weight(d.crates, 0);
DELETE FROM search_counts;
INSERT INTO search_counts (project_id, part, crates)
SELECT project_id, search_part(normalized_name), count(*) FROM crate_search GROUP BY 1, 2;
RESET enable_nestloop
SQL

# ---- what is published ----

# The crate number $i: name, in lower case with dashes.
sub crate_name {
	my ($i) = @_;
	my $n = @words;

	return join('-', $words[$i % $n], $words[$i / $n % $n], $i < $n * $n ? () : int($i / $n / $n));
}

sub version {
	my ($j) = @_;

	return sprintf('%d.%d.%d', $j / 100, $j / 10 % 10, $j % 10);
}

# Bytes and checksum of no file: the store does not have them.
sub cksum { return sha256_hex("$_[0] $_[1]") }
sub size { return 2000 + hex(substr($_[0], 0, 4)) }

# The crate that the crate number $i depends on, or undef; few are popular.
sub depends_on {
	my ($i) = @_;
	my $u = ($i * 2654435761 & 0xffffffff) / 2**32;

	return $i == 0 ? undef : int($u ** 3 * $i);
}

# A line of an index file, as fcgi/crate/index_line.c writes it.
sub index_line {
	my ($name, $version, $cksum, $time, $dependency) = @_;
	my $deps = defined $dependency ? qq({"name":"$dependency","req":"^0.0.0","features":[],)
	    . q("optional":false,"default_features":true,"target":null,"kind":"normal","registry":null})
	    : '';

	return qq({"name":"$name","vers":"$version","deps":[$deps],"cksum":"$cksum","features":{},)
	    . '"yanked":false,"pubtime":"' . strftime('%Y-%m-%dT%H:%M:%SZ', gmtime($time)) . '"}';
}

# What the database keeps of an index file: (gzip bytes, ETag).
sub index_file {
	my ($text) = @_;
	my ($z, $status) = Compress::Raw::Zlib::Deflate->new(-WindowBits => WANT_GZIP,
	    -Level => Z_BEST_SPEED, -AppendOutput => 1);
	my $body = '';

	$status == Z_OK && $z->deflate($text, $body) == Z_OK && $z->flush($body) == Z_OK
	    or die "cannot compress an index file\n";
	return $body;
}

# ---- into the database ----

# So many crates and versions in all, named and shared out by the words and numbers above.
sub fill {
	my ($dsn, %opt) = @_;
	my ($n, $left) = ($opt{crates}, $opt{versions} - $opt{crates});
	my ($sum, $before) = (0, 0);
	my (@weight, @counts);

	die "each crate has a version\n" if $left < 0;
	push @weight, $sum += $share[$_ % @share] for 0 .. $n - 1;
	for my $weight (@weight) {
		my $upto = int($left * $weight / $sum);

		push @counts, 1 + $upto - $before;
		$before = $upto;
	}
	return load($dsn, $opt{project}, \&crate_name, \@counts, \&depends_on);
}

# Crates of these names with so many versions, which depend on nothing.
sub add {
	my ($dsn, %opt) = @_;
	my @names = map { $_->[0] } @{ $opt{crates} };
	my @counts = map { $_->[1] } @{ $opt{crates} };

	return load($dsn, $opt{project}, sub { $names[$_[0]] }, \@counts, sub { undef });
}

# Each table is filled by a process of its own, at the same time.
sub load {
	my ($dsn, $project, $name, $counts, $depends_on) = @_;
	my $total = 0;

	# to the planner a table that was vacuumed without rows stays empty
	return if !@$counts;
	my @first = map { $total += $_; $total - $_ } @$counts;
	my %id = map { $_ => next_id($dsn, $_) } qw(crates versions dependencies);
	my %c = (project => $project, name => $name, counts => $counts, first => \@first,
	    depends_on => $depends_on, id => \%id);
	my @indexes = $total < MANY ? () : drop_indexes($dsn);
	my @pids = map { copy($dsn, $_, \%c) } \&crates, \&blobs, \&versions, \&dependencies;

	for my $pid (@pids) {
		waitpid($pid, 0);
		die "the database is half filled\n" if $? != 0;
	}
	sql($dsn, $SEARCH, @indexes,
	    (map { "SELECT setval(pg_get_serial_sequence('$_', 'id'), greatest(1, (SELECT max(id) FROM $_)))" }
		sort keys %id), map { "VACUUM ANALYZE $_" }
		    qw(crates versions blobs dependencies crate_names crate_search));
	return;
}

# Rows of crates: how, and a sub that prints one for each crate.
sub crates {
	my ($c) = @_;

	return ('crates (id, project_id, name, normalized_name, index_body, index_revision)', sub {
		my ($out, $i, $name) = @_;
		my $text = join('', map { line_of($c, $i, $name, $_) . "\n" } 0 .. $c->{counts}[$i] - 1);
		my $body = index_file($text);

		print {$out} join("\t", $c->{id}{crates} + $i, $c->{project}, $name, $name,
		    '\\\\x' . unpack('H*', $body), $c->{counts}[$i]), "\n";
	});
}

sub blobs {
	my ($c) = @_;

	return ('blobs (sha256, size)', sub {
		my ($out, $i, $name) = @_;

		for my $j (0 .. $c->{counts}[$i] - 1) {
			my $cksum = cksum($name, version($j));

			print {$out} "$cksum\t", size($cksum), "\n";
		}
	});
}

sub versions {
	my ($c) = @_;

	return ('versions (id, crate_id, project_id, normalized_name, version, version_base, index_line, cksum,'
	    . ' size, published_at, description, license, keywords, categories, has_lib)', sub {
		my ($out, $i, $name) = @_;
		my @parts = split(/-/, $name);

		for my $j (0 .. $c->{counts}[$i] - 1) {
			my $version = version($j);
			my $cksum = cksum($name, $version);

			print {$out} join("\t", $c->{id}{versions} + $c->{first}[$i] + $j, $c->{id}{crates} + $i,
			    $c->{project}, $name, $version, $version, line_of($c, $i, $name, $j), $cksum, size($cksum),
			    strftime('%Y-%m-%d %H:%M:%S+00', gmtime(time_of($i, $j))),
			    "A $parts[0] for the $parts[-1] of a program", $licenses[$i % @licenses], "{$parts[0]}",
			    '{development-tools}', 't'), "\n";
		}
	});
}

sub dependencies {
	my ($c) = @_;

	return ('dependencies (id, version_id, crate_id, project_id, name, normalized_name, req, kind, optional,'
	    . ' default_features)', sub {
		my ($out, $i) = @_;
		my $on = $c->{depends_on}->($i) // return;
		my $name = $c->{name}->($on);

		for my $j (0 .. $c->{counts}[$i] - 1) {
			my $n = $c->{first}[$i] + $j;

			print {$out} join("\t", $c->{id}{dependencies} + $n, $c->{id}{versions} + $n, $c->{id}{crates} + $i,
			    $c->{project}, $name, $name, '^0.0.0', 'normal', 'f', 't'), "\n";
		}
	});
}

sub time_of {
	my ($i, $j) = @_;

	return EPOCH + $j * HOUR + $i % HOUR;
}

sub line_of {
	my ($c, $i, $name, $j) = @_;
	my $on = $c->{depends_on}->($i);
	my $version = version($j);

	return index_line($name, $version, cksum($name, $version), time_of($i, $j),
	    defined $on ? $c->{name}->($on) : undef);
}

# A process that fills one table.
sub copy {
	my ($dsn, $table, $c) = @_;
	my ($what, $print) = $table->($c);
	my $pid = fork // die "fork: $!\n";

	return $pid if $pid;
	open(my $out, '|-', psql($dsn), '-c', 'SET session_replication_role = replica', '-c',
	    "COPY $what FROM STDIN") or die "psql: $!\n";
	$print->($out, $_, $c->{name}->($_)) for 0 .. $#{ $c->{counts} };
	POSIX::_exit(close($out) ? 0 : 1);
}

# Those that no constraint stands on; returns the statements that make them again.
sub drop_indexes {
	my ($dsn) = @_;
	my %definition = map { split(/\|/, $_, 2) } sql($dsn, <<'SQL');
SELECT i.indexrelid::regclass, pg_get_indexdef(i.indexrelid) FROM pg_index i
 WHERE i.indrelid IN ('crates'::regclass, 'versions'::regclass, 'blobs'::regclass, 'dependencies'::regclass,
       'crate_names'::regclass, 'crate_search'::regclass)
   AND NOT i.indisunique AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)
SQL

	sql($dsn, map { "DROP INDEX $_" } sort keys %definition);
	return map { $definition{$_} } sort keys %definition;
}

sub next_id {
	my ($dsn, $table) = @_;
	my ($max) = sql($dsn, "SELECT coalesce(max(id), 0) FROM $table");

	return $max + 1;
}

sub psql {
	my ($dsn) = @_;

	return ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-F', '|', '-d', $dsn);
}

# Statements, each by itself; their rows, columns joined by `|`.
sub sql {
	my ($dsn, @statements) = @_;

	return () unless @statements;
	my ($status, $out, $err) = Berth::Cluster::capture(psql($dsn), map { ('-c', $_) } @statements);

	die "psql: $err" if $status != 0;
	return split(/\n/, $out);
}

1;
