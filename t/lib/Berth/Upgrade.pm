package Berth::Upgrade;

# Databases of earlier builds, and traffic during their
# upgrade: the SQL of the pool of that time, since a pool of today serves no such old schema.
#
#	my $build = Berth::Upgrade::next_build($cluster->build);
#	Berth::Upgrade::older($cluster, 'name', 18);            # an empty database with the first 18
#	Berth::Upgrade::fill($cluster, 'name', 1000, 10_000);   # crates, versions
#	my $load = Berth::Upgrade::Load->start($cluster, 'name', $dir, crates => 1000);
#	...
#	my $seen = $load->end;   # { read => { n, max, p99, median }, publish => {...}, errors => [...] }

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);

use Berth::Cluster;

# The directory of the later build (t/next/).  A test that runs alone makes it; make check has
# made it already.
sub next_build {
	my ($build) = @_;
	my ($variant) = "$build/next" =~ m{^\Q$Berth::Cluster::ROOT\E/(.*)$} or return "$build/next";
	my ($status, $out, $err) = Berth::Cluster::capture({ dir => $Berth::Cluster::ROOT,
		env => { map { $_ => undef } qw(MAKEFLAGS MFLAGS MAKELEVEL) } }, 'make', '-s', 'WERROR=-Werror',
	    map { "$variant/$_" } qw(berth berth-fcgi berth-worker));

	die "make: $out$err" if $status != 0;
	return "$build/next";
}

# The files of migrations up to that number, each as it was first released.
sub texts {
	my ($last) = @_;
	my %at = map { m{/((\d{4})_\w+)\.sql$} ? ($1 => $_) : () }
	    glob("$Berth::Cluster::ROOT/sql/migrations/*.sql"), glob("$Berth::Cluster::ROOT/t/migrations/*.sql");

	return map { [$_, $at{$_}] } grep { substr($_, 0, 4) <= $last } sort keys %at;
}

# Makes a database with the migrations up to that number, in their text of that time, and the role
# of the pool with its rights of that time.
sub older {
	my ($cluster, $name, $last) = @_;
	my @sql = ('CREATE TABLE schema_migrations (version integer PRIMARY KEY, topic text NOT NULL,'
	    . ' checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())');

	for my $text (texts($last)) {
		my ($version, $topic) = $text->[0] =~ /^(\d+)_(\w+)$/;
		my $bytes = Berth::Cluster::slurp($text->[1]);

		push @sql, $bytes, sprintf("INSERT INTO schema_migrations VALUES (%d, '%s', '%s')", $version, $topic,
		    sha256_hex($bytes));
	}
	$cluster->sql('postgres', "CREATE DATABASE $name OWNER berth_owner",
	    "GRANT CONNECT ON DATABASE $name TO berth");
	$cluster->sql_as('berth_owner', $name, @sql,
	    'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO berth',
	    'REVOKE UPDATE, DELETE ON audit_events FROM berth');
	return;
}

# Crates and versions of one project, with index files and search rows, for the schema of 0018.
sub fill {
	my ($cluster, $name, $crates, $versions) = @_;
	my $each = int($versions / $crates);

	$cluster->sql_as('postgres', $name,
	    "INSERT INTO users (username) VALUES ('ann')",
	    "INSERT INTO groups (path, full_path, ancestor_ids) VALUES ('demo', 'demo', '{1}')",
	    "INSERT INTO projects (group_id, path, full_path, visibility) VALUES (1, 'many', 'demo/many', 'public')",
	    <<"SQL", <<"SQL", <<"SQL", <<"SQL", <<"SQL", 'VACUUM ANALYZE');
INSERT INTO crates (project_id, name, normalized_name, index_body, index_etag, index_revision)
SELECT 1, 'crate-' || i || '-' || left(md5(i::text), 6), 'crate-' || i || '-' || left(md5(i::text), 6),
       decode(repeat(md5(i::text), 5 * $each), 'hex'), md5(i::text), $each
  FROM generate_series(1, $crates) i
SQL
INSERT INTO blobs (sha256, size)
SELECT encode(sha256((c || ' ' || v)::bytea), 'hex'), 5000
  FROM generate_series(1, $crates) c, generate_series(1, $each) v
SQL
INSERT INTO versions (crate_id, project_id, version, version_base, index_line, cksum, size, published_at,
       user_id, description, license, readme, keywords, has_lib)
SELECT c.id, 1, '0.' || v || '.0', '0.' || v || '.0', repeat(md5(c.id::text), 9),
       encode(sha256((c.id || ' ' || v)::bytea), 'hex'), 5000, now() - v * interval '1 hour',
       1, 'what ' || c.name || ' is good for', 'MIT', repeat(md5(v::text), 12), '{net,io}', true
  FROM generate_series(1, $each) v, crates c
SQL
INSERT INTO dependencies (version_id, name, normalized_name, req, kind, optional, default_features)
SELECT id, 'crate-1', 'crate-1', '^1', 'normal', false, true FROM versions
SQL
INSERT INTO crate_search (crate_id, project_id, name, normalized_name, max_version, description, document)
SELECT c.id, 1, c.name, c.normalized_name, '0.$each.0', 'what it is good for',
       search_document(c.normalized_name, '{net,io}', 'what it is good for')
  FROM crates c
SQL
	return;
}

package Berth::Upgrade::Load;

use strict;
use warnings;

use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep);

# Seconds of one round: rounds follow each other until the load ends.
use constant ROUND => 3;

# The most frequent reads: an index file, a download, a search by name, packages of a project.
my %scripts = (read => <<'SQL', publish => <<'SQL');
\set c random(1, :crates)
SELECT index_revision, index_body FROM crates WHERE id = :c;
SELECT v.id, v.cksum, v.size FROM crates c JOIN versions v ON v.crate_id = c.id
 WHERE c.id = :c AND v.version_base = '0.1.0';
SELECT name, max_version FROM crate_search WHERE project_id = 1 AND normalized_name >= 'crate-' || :c
 ORDER BY normalized_name LIMIT 10;
SELECT id, name, version, created_at FROM package_entries
 WHERE project_id = 1 AND status IN ('default', 'deprecated', 'error') ORDER BY id DESC LIMIT 20;
SQL
\set c random(1, :crates)
\set v random(1, 2000000000)
BEGIN;
UPDATE crates SET updated_at = now() WHERE id = :c;
INSERT INTO blobs (sha256, size) VALUES (encode(sha256((:c || '+' || :v)::bytea), 'hex'), 1)
    ON CONFLICT DO NOTHING;
INSERT INTO versions (crate_id, project_id, version, version_base, index_line, cksum, size, published_at,
           user_id)
    SELECT :c, 1, '1.0.' || :v, '1.0.' || :v, '{}',
           encode(sha256((:c || '+' || :v)::bytea), 'hex'), 1, now(), 1
    ON CONFLICT (crate_id, version_base) DO NOTHING;
INSERT INTO dependencies (version_id, name, normalized_name, req, kind, optional, default_features)
    SELECT id, 'a', 'a', '^1', 'normal', false, true FROM versions
     WHERE crate_id = :c AND version_base = '1.0.' || :v;
SELECT index_line, id FROM versions WHERE crate_id = :c ORDER BY id;
UPDATE crates SET index_body = index_body || '\x00', index_revision = index_revision + 1 WHERE id = :c;
DELETE FROM crate_search WHERE crate_id = :c;
INSERT INTO crate_search (crate_id, project_id, name, normalized_name, max_version, document)
    SELECT id, 1, name, normalized_name, '1.0.' || :v, search_document(normalized_name, '{}', '') FROM crates
     WHERE id = :c;
INSERT INTO audit_events (action, project_id) VALUES ('crate.publish', 1);
COMMIT;
SQL

# Options: crates; readers (2), writers (2), each a session; rate: reads and publishes a second (0: as
# many as there can be).
sub start {
	my ($class, $cluster, $name, $dir, %opt) = @_;
	my $self = bless { cluster => $cluster, name => $name, dir => $dir, rate => 0, readers => 2, writers => 2,
	    %opt }, $class;

	mkdir($dir);
	for my $kind (sort keys %scripts) {
		Berth::Test::write_file("$dir/$kind.sql", $scripts{$kind});
		$self->{pids}{$kind} = $self->_rounds($kind);
	}
	return $self;
}

# A process that runs round after round until it is told to end.
sub _rounds {
	my ($self, $kind) = @_;
	my $pid = fork // die "fork: $!\n";

	return $pid if $pid;
	for (my $n = 0; !-e "$self->{dir}/end"; $n++) {
		my ($status, $out, $err) = Berth::Cluster::capture($self->{cluster}->tool('pgbench'), '-n', '-M',
		    'prepared', '-T', ROUND,
		    '-c', $self->{$kind eq 'read' ? 'readers' : 'writers'}, '-f', "$self->{dir}/$kind.sql", '-D',
		    "crates=$self->{crates}",
		    '-l', '--log-prefix', "$self->{dir}/$kind.$n", ($self->{rate} ? ('-R', $self->{rate}) : ()),
		    $self->{cluster}->dsn($self->{name}, 'berth'));
		my ($failed) = $out =~ /^number of failed transactions: ([1-9]\d*)/m;

		Berth::Test::write_file("$self->{dir}/$kind.$n.errors", "$err$out")
		    if $status != 0 || defined $failed || $err =~ /error/i;
	}
	POSIX::_exit(0);
}

# Ends the load and returns its results, in milliseconds.
sub end {
	my ($self) = @_;
	my %seen = (errors => []);

	Berth::Test::write_file("$self->{dir}/end", '');
	waitpid($_, 0) for values %{ $self->{pids} };
	for my $kind (sort keys %scripts) {
		my @ms = sort { $a <=> $b } map { (split ' ', $_)[2] / 1000 }
		    map { split(/\n/, Berth::Cluster::slurp($_)) } grep { !/errors$/ } glob("$self->{dir}/$kind.*.*");

		$seen{$kind} = { n => scalar @ms, max => $ms[-1] // 0, p99 => $ms[0.99 * @ms] // 0,
		    median => $ms[@ms / 2] // 0 };
	}
	$seen{errors} = [map { Berth::Cluster::slurp($_) } glob("$self->{dir}/*.errors")];
	return \%seen;
}

1;
