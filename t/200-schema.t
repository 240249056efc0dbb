#!/usr/bin/perl

# Migrations: from nothing, again, from several processes at once, onto databases that they
# must not touch.  What the pool's role may do, and what the tables refuse.

use strict;
use warnings;

use IPC::Open2 qw(open2);
use Test::More;

use Berth::Test;

my $t = Berth::Test->new;
my $berth = $t->build . '/berth';
my @migrations = glob("$Berth::Cluster::ROOT/sql/migrations/*.sql");
my $newest = (sort { $a <=> $b } map { m{/(\d{4})_} ? $1 + 0 : () } @migrations)[-1];
my $databases = 0;
my @made;

# A new, empty database; returns a function that runs SQL in it, and the owner's DSN.
sub empty_database {
	my ($more) = @_;
	my $name = sprintf('schema_%d_%d', $$, ++$databases);
	my $at = $t->dsn('postgres') =~ s/dbname=\S+/dbname=$name/r;

	$t->psql("CREATE DATABASE $name OWNER berth_owner " . ($more // ''));
	push @made, $name;
	my $sql = sub {
		my ($text, $role) = @_;

		return psql_at($at =~ s/user=\S+/'user=' . ($role \/\/ 'postgres')/er, $text);
	};
	return ($sql, $at =~ s/user=\S+/user=berth_owner/r);
}

# (first column of the first row or undef, what went wrong)
sub psql_at {
	my ($dsn, $text) = @_;
	my ($status, $out, $err) = Berth::Cluster::capture('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d',
	    $dsn, '-c', $text);

	chomp $out;
	return wantarray ? ($out, $status == 0 ? '' : $err) : $out;
}

sub migrate {
	my ($dsn, @more) = @_;

	return $t->berth('migrate', '--database', $dsn, @more);
}

subtest 'from nothing, and again' => sub {
	my ($sql, $dsn) = empty_database();
	my ($status, $out, $err) = migrate($dsn);

	is($status, 0, 'it migrates') or diag($err);
	like($out, qr/\A0001_registry\n/, 'prints the first migration');
	is(scalar(split /\n/, $out), scalar @migrations, 'prints each');
	is($sql->('SELECT count(*), max(version), count(DISTINCT checksum) FROM schema_migrations'),
	    @migrations . "|$newest|" . @migrations, 'records each');
	is($sql->("SELECT count(*) FROM schema_migrations WHERE checksum !~ '^[0-9a-f]{64}\$'"), 0,
	    'with a checksum');
	is($sql->('SELECT count(*) FROM schema_migration_steps'), 0, 'and no step that is under way');
	is($sql->('SELECT count(*) FROM pg_index WHERE NOT indisvalid'), 0, 'nor an index that is not valid');
	is($sql->('SELECT count(*) FROM pg_stat_user_tables WHERE last_vacuum IS NOT NULL'), 0,
	    'no table counts as empty, since it will grow');
	my $before = $sql->('SELECT array_agg(applied_at ORDER BY version) FROM schema_migrations');
	for my $how ([], ['--dry-run'], ['--grant-to', 'berth']) {
		($status, $out, $err) = migrate($dsn, @$how);
		is_deeply([$status, $out, $err],
		    [0, '', "berth: the database already has all migrations of this program\n"], "again: @$how");
	}
	is($sql->('SELECT array_agg(applied_at ORDER BY version) FROM schema_migrations'), $before,
	    'changes nothing');
	($status, $out, $err) = migrate($dsn, '--json');
	is($out . $err, "[]\n", 'JSON of nothing');
	(undef, $dsn) = empty_database();
	($status, $out) = migrate($dsn, '--json');
	is(JSON::PP->new->decode($out)->[0]{topic}, 'registry', 'JSON of all');
};

subtest 'the checksum is that of the file' => sub {
	require Digest::SHA;
	my ($sql, $dsn) = empty_database();

	migrate($dsn);
	for my $file (glob("$Berth::Cluster::ROOT/sql/migrations/*.sql")) {
		my ($version) = $file =~ m{/(\d{4})_};

		is($sql->("SELECT checksum FROM schema_migrations WHERE version = $version"),
		    Digest::SHA->new(256)->addfile($file)->hexdigest, "migration $version");
	}
};

subtest 'several at once' => sub {
	my ($sql, $dsn) = empty_database();
	my $pid = open2(my $said, my $say, 'psql', '-XAtq', '-d', $dsn);

	# holds the lock until all of them wait for it
	print {$say} "SELECT 'have ' || pg_advisory_lock(x'4265727468'::bigint)::text;\n";
	$say->flush;
	like(scalar <$said>, qr/^have/, 'the lock is taken');
	my @outputs = map {
		open(my $fh, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', $berth, 'migrate', '--database', $dsn)
		    or die "$berth: $!\n";
		$fh;
	} 1 .. 3;
	ok($t->wait_for(sub {
		return $sql->("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'berth migrate'"
		    . " AND datname = current_database() AND state = 'idle' AND query ~ 'pg_try_advisory_lock'") == 3;
	}), 'three wait for it, outside any statement');
	close($say);
	waitpid($pid, 0);
	my @texts = map { my $fh = $_; [do { local $/; scalar <$fh> } // '', close($fh)] } @outputs;
	is(scalar(grep { $_->[1] } @texts), 3, 'all succeed');
	is(scalar(() = join('', map { $_->[0] } @texts) =~ /^\d{4}_/mg), scalar @migrations,
	    'each migration is applied once');
};

subtest 'databases that it must not touch' => sub {
	my ($sql, $dsn) = empty_database();

	migrate($dsn);
	my $future = $newest + 1;
	$sql->("INSERT INTO schema_migrations (version, topic, checksum) VALUES ($future, 'future', '')");
	my ($status, $out, $err) = migrate($dsn);
	is($status, 1, 'a newer database');
	my $needs = "its migration $future needs a program of version $future at least, and this one has $newest";
	like($err, qr/newer than this program: $needs/, 'says so');
	$sql->("UPDATE schema_migrations SET floor = $newest WHERE version = $future");
	($status, $out, $err) = migrate($dsn, '--grant-to', 'berth');
	is($status, 0, 'a newer database that allows this program');
	like($err, qr/nothing to do: .*it has migration $future, and this program has $newest/, 'says so');
	is($sql->("SELECT has_table_privilege('berth', 'users', 'INSERT')"), 'f', 'also gives no rights');
	$sql->("DELETE FROM schema_migrations WHERE version = $future");
	$sql->("UPDATE schema_migrations SET checksum = repeat('0', 64) WHERE version = 1");
	($status, $out, $err) = migrate($dsn);
	is($status, 1, 'another text');
	like($err, qr/migration 1 \(registry\) was applied with another text/, 'says so');
	$sql->('UPDATE schema_migrations SET version = 0 WHERE version = 1');
	($status, $out, $err) = migrate($dsn);
	is($status, 1, 'another sequence');
	like($err, qr/has migration 0 where this program has 1/, 'says so');
};

subtest 'another encoding' => sub {
	my ($sql, $dsn) = empty_database(q(TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'));
	my $u = Berth::Test->new(database => $dsn, token_key => undef);
	my $why = qr/database: its encoding is SQL_ASCII, and Berth needs UTF8; .*`createdb -E UTF8 -T template0`/;
	my %ask = (
		'berth migrate' => sub { migrate($dsn) },
		'berth migrate --dry-run' => sub { migrate($dsn, '--dry-run') },
		'berth user list' => sub { $t->berth(qw(user list --database), $dsn) },
		map { my $program = $_; ("$_ -t" => sub { Berth::Cluster::capture($t->build . "/$program", '-t', '-c',
		    $u->conf_path) }) } qw(berth-fcgi berth-worker),
	);

	for my $what (sort keys %ask) {
		my ($status, $out, $err) = $ask{$what}->();

		is($status, 1, "$what: refused");
		like($err, $why, "$what: says what to do");
		is($out, '', "$what: and nothing else");
	}
	is($sql->("SELECT to_regclass('schema_migrations') IS NULL"), 't', 'nothing was changed');
};

subtest 'a migration that fails leaves nothing' => sub {
	my ($sql, $dsn) = empty_database();

	$sql->('CREATE TABLE tokens ()');
	my ($status, $out, $err) = migrate($dsn);
	is($status, 1, 'a table is in the way');
	like($err, qr/migration 1 \(registry\): 42P07: relation "tokens" already exists/, 'says which');
	is($out, '', 'claims nothing');
	is($sql->("SELECT to_regclass('users') IS NULL"), 't', 'the tables before it are gone again');
	is($sql->('SELECT count(*) FROM schema_migrations'), 0, 'nothing is recorded');
	$sql->('DROP TABLE tokens');
	($status) = migrate($dsn);
	is($status, 0, 'and it works once the way is free');
};

subtest 'no database' => sub {
	my ($status, undef, $err) = migrate('host=/nonexistent user=x password=hush');
	is($status, 1, 'nobody listens');
	like($err, qr/database: connect: /, 'says so');
	unlike($err, qr/hush/, 'keeps the password');
	($status, undef, $err) = migrate("host=/x password='hush");
	is($status, 1, 'a malformed connection string');
	unlike($err, qr/hush/, 'keeps the password');
	my ($sql, $dsn) = empty_database();
	($status, undef, $err) = $t->berth('user', 'list', '--database', $dsn);
	is($status, 1, 'no schema');
	like($err, qr/run `berth migrate`/, 'says what to do');
};

subtest 'what the role of the pool may do' => sub {
	my ($sql, $dsn) = empty_database();
	my ($status, undef, $err) = migrate($dsn, '--grant-to', 'berth');

	is($status, 0, 'granted') or diag($err);
	for my $statement ('CREATE TABLE x ()', 'CREATE SCHEMA x', 'CREATE TEMPORARY TABLE x ()',
		'DROP TABLE users', 'ALTER TABLE users ADD x int', 'TRUNCATE users', 'CREATE INDEX ON users (name)',
		'UPDATE audit_events SET action = 1', 'DELETE FROM audit_events', 'DELETE FROM schema_migrations',
		'UPDATE registry SET id = gen_random_uuid()', 'DELETE FROM registry',
		"INSERT INTO schema_migrations VALUES (9, '', '')", 'UPDATE schema_migrations SET version = 9',
		'ALTER TABLE users OWNER TO berth', 'CREATE ROLE x', 'SET ROLE berth_owner') {
		my (undef, $why) = $sql->($statement, 'berth');

		like($why, qr/permission denied|must be owner/, "not: $statement");
	}
	for my $statement ("INSERT INTO users (username) VALUES ('u')", 'UPDATE users SET state = $$blocked$$',
		'SELECT * FROM schema_migrations',
		"INSERT INTO audit_events (action) VALUES ('x')", 'SELECT * FROM audit_events') {
		my (undef, $why) = $sql->($statement, 'berth');

		is($why, '', "but: $statement");
	}
	# the whole of it: t/220-grants.t
	$sql->('GRANT TRUNCATE ON users TO berth; GRANT ALL ON audit_events TO berth; GRANT'
	    . ' UPDATE (digest) ON tokens TO berth;'
	    . ' GRANT USAGE ON SEQUENCE audit_events_id_seq TO berth; GRANT CREATE ON SCHEMA public TO PUBLIC');
	($status) = migrate($dsn, '--grant-to', 'berth');
	is($status, 0, 'granted again');
	is($sql->("SELECT has_table_privilege('berth', 'users', 'TRUNCATE'),"
	    . " has_table_privilege('berth', 'audit_events', 'DELETE'),"
	    . " has_column_privilege('berth', 'tokens', 'digest', 'UPDATE'),"
	    . " has_sequence_privilege('berth', 'audit_events_id_seq', 'USAGE'),"
	    . " has_schema_privilege('berth', 'public', 'CREATE')"), 'f|f|f|f|f', 'what was too much is gone');
};

subtest 'roles that get nothing' => sub {
	my ($sql, $dsn) = empty_database();
	my $quoted = "Odd \"role\" $$";

	for my $case (['berth_owner', qr/can still create or drop objects/], ['postgres', qr/can still create/],
		["nobody_$$", qr/role `nobody_$$` does not exist/]) {
		my ($status, undef, $err) = migrate($dsn, '--grant-to', $case->[0]);

		is($status, 1, $case->[0]);
		like($err, $case->[1], 'says why');
	}
	is($sql->("SELECT has_table_privilege('berth_owner', 'users', 'INSERT')"), 't',
	    'the owner has lost nothing');

	# a new database before PostgreSQL 15, and others in which somebody else gives rights in the schema
	for my $case (['every role may create', 'GRANT CREATE ON SCHEMA public TO PUBLIC'],
		['a superuser has let the role create', 'GRANT CREATE ON SCHEMA public TO berth'],
		['a superuser has taken all away', 'REVOKE ALL ON SCHEMA public FROM PUBLIC, berth']) {
		my ($name, $change) = @$case;

		$sql->('ALTER SCHEMA public OWNER TO postgres; GRANT ALL ON SCHEMA public TO berth_owner; ' . $change);
		my ($status, undef, $err) = migrate($dsn, '--grant-to', 'berth');
		is($status, 1, $name);
		like($err, qr/^berth: .* database `\w+`, ALTER SCHEMA public OWNER TO "berth_owner", and run this again$/m,
		    '  says what helps');
		$sql->('ALTER SCHEMA public OWNER TO berth_owner');
		is((migrate($dsn, '--grant-to', 'berth'))[0], 0, '  which it does');
		is($sql->("SELECT has_schema_privilege('berth', 'public', 'CREATE'),"
		    . " has_schema_privilege('berth', 'public', 'USAGE')"), 'f|t', '  the rights are right');
	}
	$t->psql('CREATE ROLE "' . $quoted =~ s/"/""/gr . '"');
	my ($status, undef, $err) = migrate($dsn, '--grant-to', $quoted);
	is($status, 0, 'a name that needs quotes') or diag($err);
	$sql->('DROP OWNED BY "' . $quoted =~ s/"/""/gr . '"');
	$t->psql('DROP ROLE "' . $quoted =~ s/"/""/gr . '"');
};

subtest 'constraints' => sub {
	$t->psql("INSERT INTO users (username) VALUES ('U')");
	$t->psql("INSERT INTO groups (path, full_path, ancestor_ids) VALUES ('g', 'g', '{1}')");
	$t->psql("INSERT INTO projects (group_id, path, full_path) SELECT id, 'p', 'g/p' FROM groups");
	$t->psql("INSERT INTO crates (project_id, name, normalized_name) SELECT id, 'Foo_bar', 'foo-bar'"
	    . " FROM projects");
	my ($u, $g, $p) = map { "(SELECT id FROM $_)" } qw(users groups projects);
	my $digest = 'sha256(\'x\')';
	my $personal = "INSERT INTO tokens (kind, digest, user_id, scopes, crate_patterns, operations)"
	    . " SELECT 'personal', $digest, $u, '{}'";
	my $job = "INSERT INTO tokens (kind, digest, scopes, user_id, project_id, group_id, expires_at, pipeline,"
	    . " job) SELECT 'job', $digest, '{}'";
	my $allow = 'INSERT INTO job_token_allowlist (project_id, from_group_id, from_project_id, policies)';
	my @refused = (
		["INSERT INTO users (username) VALUES ('u')", 'users_username'],
		["INSERT INTO users (username) VALUES ('a/b')", 'users_username_check'],
		["INSERT INTO users (username) VALUES (repeat('a', 256))", 'users_username_check'],
		["UPDATE users SET state = 'away'", 'users_state_check'],
		["INSERT INTO groups (path, full_path, ancestor_ids) VALUES ('G', 'G', '{}')", 'groups_full_path'],
		["INSERT INTO groups (path, full_path, ancestor_ids) VALUES ('.x', '.x', '{}')", 'groups_path_check'],
		["INSERT INTO projects (group_id, path, full_path) VALUES ($g, 'P', 'G/P')", 'projects_full_path'],
		["INSERT INTO projects (group_id, path, full_path) VALUES (0, 'q', 'g/q')", 'projects_group_id_fkey'],
		["UPDATE projects SET visibility = 'secret'", 'projects_visibility_check'],
		["INSERT INTO members (user_id, group_id, access_level) VALUES ($u, $g, 15)", 'members_access_level_check'],
		["INSERT INTO members (user_id, access_level) VALUES ($u, 10)", 'members_check'],
		["INSERT INTO members (user_id, group_id, project_id, access_level) VALUES ($u, $g, $p, 10)",
		    'members_check'],
		["INSERT INTO members (user_id, group_id, access_level) VALUES ($u, $g, 10), ($u, $g, 20)",
		    'members_group'],
		["INSERT INTO members (user_id, project_id, access_level) VALUES ($u, $p, 10), ($u, $p, 20)",
		    'members_project'],
		["INSERT INTO tokens (kind, digest, scopes) VALUES ('personal', $digest, '{}')", 'tokens_check'],
		["INSERT INTO tokens (kind, digest, user_id, scopes) VALUES ('other', $digest, $u, '{}')",
		    'tokens_kind_check'],
		["INSERT INTO tokens (kind, digest, user_id, scopes) VALUES ('personal', 'x', $u, '{}')",
		    'tokens_digest_check'],
		["INSERT INTO tokens (kind, digest, user_id, scopes) SELECT 'personal', $digest, $u, '{}'"
		    . " FROM generate_series(1, 2)", 'tokens_digest_key'],
		["INSERT INTO tokens (kind, digest, user_id, group_id, scopes) SELECT 'deploy', $digest, $u, $g, '{}'",
		    'tokens_deploy'],
		["INSERT INTO tokens (kind, digest, group_id, project_id, scopes) SELECT 'deploy', $digest, $g, $p, '{}'",
		    'tokens_deploy'],
		["INSERT INTO tokens (kind, digest, scopes) VALUES ('deploy', $digest, '{}')", 'tokens_deploy'],
		["INSERT INTO tokens (kind, digest, group_id, scopes, operations)"
		    . " SELECT 'deploy', $digest, $g, '{}', '{yank}'", 'tokens_limits'],
		["INSERT INTO tokens (kind, digest, group_id, scopes, job) SELECT 'deploy', $digest, $g, '{}', 1",
		    'tokens_of_no_job'],
		["$job, NULL, $p, NULL, now(), 1, 1", 'tokens_job'],
		["INSERT INTO tokens (kind, digest, scopes, user_id, issuer) SELECT 'personal', $digest, '{}', $u, 'x'",
		    'tokens_of_no_job'],
		["INSERT INTO tokens (kind, digest, scopes, issuer) SELECT 'job', $digest, '{}', 'x'", 'tokens_job'],
		["INSERT INTO trusted_issuers (url, kind) VALUES ('http://ci.example.org', 'gitlab')",
		    'trusted_issuers_url_check'],
		["INSERT INTO trusted_issuers (url, kind) VALUES ('https://ci.example.org', 'jenkins')",
		    'trusted_issuers_kind_check'],
		["$job, $u, NULL, $g, now(), 1, 1", 'tokens_job'],
		["$job, $u, $p, NULL, NULL, 1, 1", 'tokens_job'],
		["$job, $u, $p, NULL, now(), NULL, 1", 'tokens_job'],
		["$job, $u, $p, NULL, now(), 1, NULL", 'tokens_job'],
		(map { ["$personal, '{$_}', NULL", 'tokens_crate_patterns'] } '', 'A', 'a_b', '"a b"', '**',
		    '"a,B"', 'NULL'),
		(map { ["$personal, NULL, '{$_}'", 'tokens_operations'] } '', 'publish', 'NULL'),
		["$allow SELECT $p, NULL, NULL, '{read_packages}'", 'job_token_allowlist_check'],
		["$allow SELECT $p, $g, $p, '{read_packages}'", 'job_token_allowlist_check'],
		["$allow SELECT $p, $g, NULL, '{}'", 'job_token_allowlist_policies_check'],
		["$allow SELECT $p, $g, NULL, '{write}'", 'job_token_allowlist_policies_check'],
		["$allow SELECT $p, $g, NULL, '{read_packages}' FROM generate_series(1, 2)", 'job_token_allowlist_group'],
		["$allow SELECT $p, NULL, $p, '{read_packages}' FROM generate_series(1, 2)", 'job_token_allowlist_project'],
		["INSERT INTO crates (project_id, name, normalized_name) VALUES ($p, 'foo-bar', 'foo-bar')",
		    'crates_project_id_normalized_name_key'],
		["INSERT INTO crates (project_id, name, normalized_name) VALUES ($p, 'A_b', 'a_b')", 'crates_check'],
		["INSERT INTO crates (project_id, name, normalized_name) VALUES ($p, '1a', '1a')", 'crates_name_check'],
		["INSERT INTO crates (project_id, name, normalized_name) SELECT $p, n, n FROM repeat('a', 65) n",
		    'crates_name_check'],
		["INSERT INTO crates (project_id, name, normalized_name) SELECT $p, n, n FROM concat('a', chr(10)) n",
		    'crates_name_check'],
		["INSERT INTO blobs (sha256, size) VALUES (repeat('A', 64), 1)", 'blobs_sha256_check'],
		["INSERT INTO blobs (sha256, size) VALUES (repeat('a', 63) || chr(10), 1)", 'blobs_sha256_check'],
		["INSERT INTO blobs (sha256, size) VALUES (repeat('a', 65), 1)", 'blobs_sha256_check'],
		["INSERT INTO blobs (sha256, size) VALUES (repeat('a', 64), -1)", 'blobs_size_check'],
	);

	for my $case (@refused) {
		my (undef, $why) = psql_at($t->dsn('postgres'), $case->[0]);

		like($why, qr/"$case->[1]"/, $case->[0]);
	}
	$t->psql("INSERT INTO blobs (sha256, size) VALUES (repeat('a', 64), 1)");
	my $version = "INSERT INTO versions"
	    . " (crate_id, project_id, version, version_base, index_line, cksum, size, published_at)"
	    . " SELECT id, project_id, '%s', '1.0.0', '{}', repeat('%s', 64), 1, now() FROM crates";
	(undef, my $why) = psql_at($t->dsn('postgres'), sprintf($version, '1.0.0', 'b'));
	like($why, qr/"versions_cksum_fkey"/, 'no version without its blob');
	$t->psql(sprintf($version, '1.0.0', 'a'));
	(undef, $why) = psql_at($t->dsn('postgres'), sprintf($version, '1.0.0+build', 'a'));
	like($why, qr/"versions_crate_id_version_base_key"/, 'no second version but for its build metadata');
	(undef, $why) = psql_at($t->dsn('postgres'), 'DELETE FROM blobs');
	like($why, qr/"versions_cksum_fkey"/, 'no blob goes that a version refers to');
};

END {
	if (defined $t) {
		my $status = $?;
		eval { $t->psql("DROP DATABASE $_ WITH (FORCE)"); 1 } or diag($@) for @made;
		$? = $status;
	}
}

done_testing();
