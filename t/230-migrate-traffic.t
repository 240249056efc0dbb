#!/usr/bin/perl

# Migrations while the pool serves: no request waits long for one, none fails, and one call is enough,
# even after a killed run.  Databases of earlier builds end with the same schema as new ones.
# The test has a PostgreSQL cluster of its own, which logs waits for locks.

use strict;
use warnings;

use IPC::Open2 qw(open2);
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

use Berth::Cluster;
use Berth::Test;
use Berth::Upgrade;

# the oldest schema that is upgraded here, and its size
use constant { BACK => 18, CRATES => 600, VERSIONS => 9000 };

my $cluster = Berth::Cluster->start(log_lock_waits => 'on', deadlock_timeout => '1s',
    max_wal_size => '256MB');
my $berth = $cluster->build . '/berth';
my $next = Berth::Upgrade::next_build($cluster->build) . '/berth';
my $databases = 0;

# ---- sessions and programs ----

# A session that stays open; $ask->($sql) returns its answer in one line.
sub session {
	my ($name, $role) = @_;
	my $pid = open2(my $out, my $in, $cluster->tool('psql'), '-XAtq', '-d',
	    $cluster->dsn($name, $role // 'berth'));
	my $n = 0;

	return sub {
		my ($sql) = @_;
		my $said = '';

		if (!defined $sql) {
			close($in);
			waitpid($pid, 0);
			return;
		}
		print {$in} "$sql;\n\\echo done-" . ++$n . "\n";
		$in->flush;
		while (defined(my $line = <$out>)) {
			return $said if $line eq "done-$n\n";
			$said .= $line;
		}
		return "$said (the session has ended)";
	};
}

sub database { return sprintf('traffic_%d_%d', $$, ++$databases); }
sub sql { my ($name, @sql) = @_; return join("\n", $cluster->sql($name, @sql)); }

# `berth migrate` in the background.
sub begin_migrate {
	my ($name, $program) = @_;
	my $log = $cluster->dir . "/migrate.$name";
	my $pid = fork // die "fork: $!\n";

	return { pid => $pid, log => $log } if $pid;
	open(STDOUT, '>', $log) or POSIX::_exit(126);
	open(STDERR, '>&', \*STDOUT) or POSIX::_exit(126);
	exec($program // $berth, 'migrate', '--database', $cluster->dsn($name, 'berth_owner'), '--grant-to', 'berth')
	    or POSIX::_exit(127);
}

# (exit status, what it printed)
sub end_migrate {
	my ($m) = @_;

	waitpid($m->{pid}, 0);
	return ($? & 127 ? 128 + ($? & 127) : $? >> 8, Berth::Cluster::slurp($m->{log}));
}

sub migrates {
	my ($name, $what, $program) = @_;
	my ($status, $said) = end_migrate(begin_migrate($name, $program));

	is($status, 0, "$what: one call is enough") or diag($said);
	return;
}

# The schema of a database, without its owner.
sub dump_of {
	my ($name) = @_;
	my ($status, $out, $err) = Berth::Cluster::capture($cluster->tool('pg_dump'), '-s', '-d',
	    $cluster->dsn($name, 'postgres'));

	die $err if $status != 0;
	return join("\n", grep { !/^(?:--|\\(?:un)?restrict|$)/ } split(/\n/, $out));
}

sub same_schema {
	my ($name, $want, $what) = @_;
	my $have = dump_of($name);

	ok($have eq $want, "$what: the schema is that of a new database") or do {
		my (%in) = map { $_ => 1 } split(/\n/, $want);
		diag("only here: $_") for grep { !$in{$_} } split(/\n/, $have);
	};
	is(sql($name, 'SELECT count(*) FROM pg_index WHERE NOT indisvalid'), 0, "$what: no index is broken");
	is(sql($name, 'SELECT count(*) FROM schema_migration_steps'), 0, "$what: no step is left");
}

# Counters that migrations have filled from existing rows.
sub counts_are_right {
	my ($name, $what) = @_;

	is(sql($name, 'SELECT count(*) FROM crates c LEFT JOIN crate_names n ON n.crate_id = c.id'
	    . ' WHERE NOT EXISTS (SELECT FROM crates_due d WHERE d.crate_id = c.id)'
	    . ' AND (n.normalized_name = c.normalized_name'
	    . ' AND n.listed_versions = (SELECT count(*) FROM versions v WHERE v.crate_id = c.id)) IS NOT TRUE'), 0,
	    "$what: the versions of crates are counted, where they are not due");
	cmp_ok(sql($name, 'SELECT count(*) FROM crate_names'), '>', 0, "$what: there are some");
	is(sql($name, 'SELECT count(*) FROM versions v JOIN crates c ON c.id = v.crate_id'
	    . ' WHERE v.normalized_name <> c.normalized_name'), 0, "$what: versions know their names");
	is(sql($name, 'SELECT sum(crates) FROM search_counts'), sql($name, 'SELECT count(*) FROM crate_search'),
	    "$what: what is searched is counted");
}

# The output of `berth migrate --dry-run`, which changes nothing.
sub planned {
	my ($name, $what) = @_;
	my $state = sub {
		return dump_of($name) . sql($name,
		    'SELECT string_agg(m::text, $$ $$ ORDER BY version) FROM schema_migrations m');
	};
	my $before = $state->();
	my ($status, $out, $err) = Berth::Cluster::capture($berth, 'migrate', '--dry-run', '--json', '--database',
	    $cluster->dsn($name, 'berth_owner'));

	is($status, 0, "$what: it is told") or diag($err);
	ok($state->() eq $before, "$what: and not done");
	return $status == 0 ? JSON::PP->new->decode($out) : [];
}

# Records, with each statement that changes the schema, the locks that others could wait for.
sub watch {
	my ($name) = @_;

	sql($name, 'CREATE SCHEMA watch', 'CREATE TABLE watch.seen (version integer, relation text, mode text)',
	    'CREATE FUNCTION watch.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN'
	    . ' INSERT INTO watch.seen SELECT (SELECT max(version) FROM public.schema_migrations), c.relname, l.mode'
	    . ' FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE l.pid = pg_backend_pid() AND l.granted'
	    . " AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace; END \$\$",
	    'CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watch.note()');
}

# "37 crates ACCESS EXCLUSIVE": the strongest lock of each migration, if it blocks writes.
my @modes = ('SHARE', 'SHARE ROW EXCLUSIVE', 'ACCESS EXCLUSIVE');

sub strongest {
	my %strength = map { $modes[$_] => $_ + 1 } 0 .. $#modes;
	my %most;

	for my $lock (@_) {
		my ($of, $mode) = @$lock;

		$most{$of} = $mode if ($strength{$mode} // 0) > ($strength{ $most{$of} // '' } // 0);
	}
	return sort map { "$_ $most{$_}" } keys %most;
}

sub locks_of {
	return strongest(map { ["$_->{version} $_->{table}", $_->{lock}] } grep { defined $_->{table} } @{ $_[0] });
}

# The same, as recorded, for these tables.
sub watched {
	my ($name, @tables) = @_;
	my %there = map { $_ => 1 } @tables;
	my @versions = map { m{/(\d{4})_} ? $1 + 0 : () } sort glob("$Berth::Cluster::ROOT/sql/migrations/*.sql");
	# the rights come with the last one, when that is recorded
	my %after = ($versions[-1] => $versions[-1], map { $versions[$_ - 1] => $versions[$_] } 1 .. $#versions);
	# what a migration renames is seen by its new name
	my %was = map {
		my %new = Berth::Cluster::slurp($_) =~ /^ALTER TABLE (\w+) RENAME TO (\w+);/mg;

		reverse %new;
	}
	    glob("$Berth::Cluster::ROOT/sql/migrations/*.sql");
	my @seen = $cluster->sql($name, 'SELECT DISTINCT version, relation, mode FROM watch.seen');

	sql($name, 'DROP EVENT TRIGGER watch', 'DROP SCHEMA watch CASCADE');
	return strongest(map {
		my ($version, $table, $mode) = split /\|/;
		$table = $was{$table} // $table;
		my $words = join(' ', map { uc } $mode =~ /([A-Z][a-z]+)(?=[A-Z])/g);

		$there{$table} ? ["$after{$version} $table", $words] : ();
	} @seen);
}

# ---- tests ----

my $new = database();
sql('postgres', "CREATE DATABASE $new OWNER berth_owner");
migrates($new, 'a new database');
my $first = sql($new, 'SELECT checksum FROM schema_migrations WHERE version = 1');
my $schema = dump_of($new);

subtest 'a dry run' => sub {
	my $name = database();

	is_deeply(planned($new, 'nothing'), [], 'nothing is to be done');
	sql('postgres', "CREATE DATABASE $name OWNER berth_owner");
	my ($status, $out, $err) = Berth::Cluster::capture($berth, 'migrate', '--dry-run', '--database',
	    $cluster->dsn($name, 'berth_owner'));
	is($status, 0, 'of an empty database') or diag($err);
	like($out, qr/\Aversion +topic +step +table +lock +work +rows +bytes\n1 +registry +1 /, 'a table');
	is($out =~ tr/\n//, 1 + sql($new, 'SELECT count(*) FROM schema_migrations'),
	    'a row for each: no table is there');
	is(sql($name, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"), 0,
	    'and none is made');
	sql($new, 'UPDATE schema_migrations SET checksum = $$x$$ WHERE version = 1');
	($status, undef, $err) = Berth::Cluster::capture($berth, 'migrate', '--dry-run', '--database',
	    $cluster->dsn($new, 'berth_owner'));
	is($status, 1, 'of another text');
	like($err, qr/applied with another text/, 'says so');
	sql($new, "UPDATE schema_migrations SET checksum = '$first' WHERE version = 1");
};

subtest 'every text that was ever applied' => sub {
	my $name = database();

	Berth::Upgrade::older($cluster, $name, 56);
	is(sql($name, "SELECT attgenerated FROM pg_attribute WHERE attrelid = 'crates'::regclass"
	    . " AND attname = 'lists_many'"), 's', 'a database of the earlier texts');
	my $before = sql($name, 'SELECT max(version) FROM schema_migrations');
	for my $case (['berth-fcgi', 'a pool that does not tell its schema'],
	    ['berth-worker/56', 'an older worker'], ['berth-fcgi: read worker/56', 'a process of an older pool'],
	    ['berth-fcgi/56 0123456789abcdef0123456789abcdef', 'a pool that had a request']) {
		my ($called, $what) = @$case;
		my $program = session($name);

		$program->("SET application_name = '$called'");
		my ($status, $said) = end_migrate(begin_migrate($name));
		is($status, 1, "$what is connected: an upgrade fails");
		my ($plain) = $called =~ m{^([^/: ]+)};
		like($said, qr/\Aberth: an older build of $plain uses this database \(sessions: 1\).*stop it on all hosts/,
		    'who, and what to do');
		is(sql($name, 'SELECT max(version) FROM schema_migrations'), $before, 'and nothing is');
		$program->();
	}
	# a program that waits for this schema, and one of another kind
	my @wait = map { session($name) } 1, 2;
	$wait[0]->('SET application_name = "berth-fcgi/' . sql($new, 'SELECT max(version) FROM schema_migrations')
	    . '"');
	$wait[1]->("SET application_name = 'berth-fcgi-exporter'");
	migrates($name, 'of the earlier texts');
	$_->() for @wait;
	same_schema($name, $schema, 'of the earlier texts');
};

subtest 'an upgrade under load' => sub {
	my $name = database();
	my $nodes = "SELECT string_agg(relname || relfilenode, ' ' ORDER BY relname) FROM pg_class"
	    . " WHERE relname IN ('crates', 'versions', 'dependencies', 'crate_search', 'tokens', 'audit_events',"
	    . " 'blobs')";

	Berth::Upgrade::older($cluster, $name, BACK);
	Berth::Upgrade::fill($cluster, $name, CRATES, VERSIONS);
	# a job of another CI system, from before tokens had checked_until
	sql($name, "INSERT INTO tokens (kind, digest, scopes, project_id, expires_at, source, issuer)"
	    . " VALUES ('job', sha256('x'), '{}', 1,"
	    . " now() + interval '1 day', 'gitlab', 'https://gitlab.example.org')");
	my $files = sql($name, $nodes);
	my $plan = planned($name, 'what will be done');
	watch($name);
	my $before = length(Berth::Cluster::slurp($cluster->server_log));
	my $load = Berth::Upgrade::Load->start($cluster, $name, $cluster->dir . "/load.$name", crates => CRATES,
	    rate => 40);
	migrates($name, 'under load');
	is(sql($name, "SELECT count(*) FROM pg_stat_user_tables WHERE last_vacuum IS NOT NULL"
	    . " AND relname IN ('crates', 'versions', 'crate_search')"), 3,
	    'tables that it may have written anew are vacuumed');
	my $seen = $load->end;
	my @waits = substr(Berth::Cluster::slurp($cluster->server_log),
	    $before) =~ /^(.*(?:still waiting for|deadlock detected).*)$/mg;

	is_deeply($seen->{errors}, [], 'no read or publish fails');
	# a batch or an index build may wait long: only other sessions must not
	is(join("\n", grep { !/berth migrate/ } @waits), '', 'none waits for a lock for a second');
	cmp_ok($seen->{$_}{n}, '>', 10, "there were some: $_") for qw(read publish);
	note(join(' ', map { sprintf('%s: %d, median %.0f, max %.0f ms;', $_, @{ $seen->{$_} }{qw(n median max)}) }
	    qw(read publish)));
	is(sql($name, $nodes), $files, 'no table was written anew');
	is(join("\n", watched($name, map { $_->{table} // () } @$plan)), join("\n", locks_of($plan)),
	    'the locks are those that were announced');
	cmp_ok(scalar @$plan, '>', 20, 'which are not few');
	ok(!grep({ ($_->{work} // '') =~ /anew/ } @$plan), 'which speak of no table that is written anew');
	same_schema($name, $schema, 'under load');
	counts_are_right($name, 'under load');
	is(sql($name, 'SELECT checked_until = expires_at FROM tokens'), 't',
	    "a job's token of another system is asked again when it ends");
};

# A publish locks its crate and then versions; a migration locks them the other way round.
subtest 'the locks of a publish' => sub {
	my %case = ('one that was put in order' => [53, undef], 'one that was not' => [undef, $next]);

	for my $what (sort keys %case) {
		my ($version, $program) = @{ $case{$what} };
		my $name = database();

		if (defined $version) {
			Berth::Upgrade::older($cluster, $name, $version);
		} else {
			sql('postgres', "CREATE DATABASE $name TEMPLATE $new OWNER berth_owner",
			    "GRANT CONNECT ON DATABASE $name TO berth");
		}
		sql($name, "INSERT INTO groups (path, full_path, ancestor_ids) VALUES ('g', 'g', '{1}')",
		    "INSERT INTO projects (group_id, path, full_path) VALUES (1, 'p', 'g/p')",
		    "INSERT INTO crates (project_id, name, normalized_name) VALUES (1, 'a', 'a')",
		    'GRANT SELECT ON schema_migrations TO berth',
		    "ALTER DATABASE $name SET deadlock_timeout = '30s'");
		my $publish = session($name);

		$publish->("BEGIN; UPDATE crates SET updated_at = now() WHERE id = 1; INSERT INTO blobs (sha256, size)"
		    . " VALUES (repeat('a', 64), 1)");
		my $m = begin_migrate($name, $program);
		ok(Berth::Test::wait_for(sub {
			return sql($name, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'crates'::regclass") > 0;
		}), "$what: it comes to the crates, which a publish has");
		my $started = time;
		my $said = $publish->("INSERT INTO versions"
		    . " (crate_id, project_id, version, version_base, index_line, cksum, size, published_at)"
		    . " VALUES (1, 1, '1.0.0', '1.0.0', '{}', repeat('a', 64), 1, now()) RETURNING version");
		is($said, "1.0.0\n", "$what: the publish goes on");
		cmp_ok(time - $started, '<', 20, "$what: at once, not when a deadlock is found");
		is($publish->('COMMIT'), '', "$what: and is done");
		my ($status, $out) = end_migrate($m);
		is($status, 0, "$what: and so is the migration, in one call") or diag($out);
		is(sql($name, "SELECT count(*) FROM versions WHERE version = '1.0.0'"), 1, "$what: both are there");
		$publish->(undef);
	}
};

# Ends the program and its session in the middle, as a crash of its host does.
sub kill_migrate {
	my ($m, $name) = @_;

	kill('KILL', $m->{pid});
	waitpid($m->{pid}, 0);
	sql($name, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
	    . " WHERE application_name = 'berth migrate' AND datname = '$name'");
}

subtest 'killed half-way' => sub {
	my $name = database();

	Berth::Upgrade::older($cluster, $name, BACK);
	Berth::Upgrade::fill($cluster, $name, CRATES, VERSIONS);
	# an index build waits for sessions that may see older rows
	my $old = session($name);
	$old->('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM users');
	my $m = begin_migrate($name);
	ok(Berth::Test::wait_for(sub { sql($name, 'SELECT count(*) FROM pg_index WHERE NOT indisvalid') > 0 }),
	    'it builds an index');
	kill_migrate($m, $name);
	is(sql($name, 'SELECT count(*) FROM pg_index WHERE NOT indisvalid'), 1, 'which it leaves as it is');
	$old->('COMMIT');
	# one batch succeeds, and the next one does not
	sql($name, 'CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM'
	    . ' pg_advisory_xact_lock(7); RETURN NEW; END $$',
	    'CREATE TRIGGER hold BEFORE UPDATE ON crates FOR EACH ROW WHEN (NEW.id = 550) EXECUTE FUNCTION hold()');
	$old->('BEGIN; SELECT pg_advisory_xact_lock(7)');
	$m = begin_migrate($name);
	ok(Berth::Test::wait_for(sub {
		sql($name, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'berth migrate'"
		    . " AND wait_event_type = 'Lock' AND query ~ 'crates_fill_listed'") > 0;
	}), 'it comes to a crate that is held');
	is(sql($name, 'SELECT count(*) FROM crates WHERE listed_versions > 0'), 500, 'a batch is done');
	is(sql($name, 'SELECT version, max(step) FROM schema_migration_steps GROUP BY 1'), '37|1', 'and a step');
	kill_migrate($m, $name);
	$old->('COMMIT');
	$old->(undef);
	sql($name, 'DROP FUNCTION hold() CASCADE');
	migrates($name, 'after both');
	same_schema($name, $schema, 'after both');
	counts_are_right($name, 'after both');
	# another version has begun the migration with another text
	my $last = sql($name, 'SELECT max(version) FROM schema_migrations');
	sql($name, "DELETE FROM schema_migrations WHERE version = $last",
	    "INSERT INTO schema_migration_steps VALUES ($last, 1, 'x')");
	my ($status, $said) = end_migrate(begin_migrate($name));
	is($status, 1, 'begun with another text');
	my $begun = qr/another version of the program has begun migration \d+ \(\w+\) with another text/;
	like($said, qr/$begun; finish it with `berth migrate` of that version/, 'says what to do');
};

done_testing();
