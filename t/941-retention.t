#!/usr/bin/perl

# Retention: what a policy lets go of, listed before anything goes; what never goes; and that
# nothing goes where nobody has said so.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Berth::Fault;
use Berth::Publish;

my $p = Berth::Publish->new(workers => 2);
my $t = $p->test;
my $json = JSON::PP->new;
my $project = 'demo/registry';

sub policy { return $t->berth_ok('retention', 'set', $project, @_); }
sub shown { return $json->decode($t->berth_ok('retention', 'show', $project, '--json')); }
sub versions_of { return join(' ', map { $_->{vers} } $p->index_lines($_[0])); }

# What a run lists: "crate version why", ...
sub run_lists {
	my (@args) = @_;

	return [map { my $i = $json->decode($_); "$i->{crate} $i->{version} $i->{why}" }
	    split(/\n/, $t->berth_ok('retention', 'run', $project, '--json', @args))];
}

sub publish_all {
	my ($crate, @versions) = @_;

	$p->publish($crate, $_)->{status} == 200 or die "$crate $_\n" for @versions;
}

# As if the version had been published, and last downloaded, that many days ago.
sub aged {
	my ($crate, $version, $published, $used) = @_;
	my $id = $t->psql("UPDATE versions v SET published_at = now() - interval '$published days' FROM crates c"
	    . " WHERE c.id = v.crate_id AND c.name = '$crate' AND v.version = '$version' RETURNING v.id");

	$t->psql('INSERT INTO download_days (crate_id, version_id, day, project_id, downloads, last_at)'
	    . " SELECT crate_id, id, now() - interval '$used days', project_id, 1, now() - interval '$used days'"
	    . " FROM versions WHERE id = $id") if defined $used;
}

# As if downloads had been counted up to so many days ago, since two years.
sub counted {
	my ($days) = @_;

	$t->psql("INSERT INTO usage_months"
	    . " VALUES (date_trunc('month', now() - interval '2 years'), 1, 'anybody', 0, 1)"
	    . ' ON CONFLICT DO NOTHING');
	$t->psql("INSERT INTO download_logs VALUES ('n', repeat('0', 64), 1, 'x', 0, now() - interval '$days days')"
	    . ' ON CONFLICT (node, fingerprint) DO UPDATE SET read_at = excluded.read_at');
}

publish_all('alpha', qw(1.0.0-a 1.0.0-b 1.0.0-c 1.0.0 1.1.0 1.2.0));
publish_all('beta', qw(1.0.0 1.1.0));
publish_all('kept-one', qw(0.1.0-a 0.1.0-b 0.1.0-c));
publish_all('ruled', qw(0.1.0-a 0.1.0-b 0.1.0-c));
aged('alpha', $_, 100) for qw(1.0.0-a 1.0.0-b 1.0.0-c 1.0.0 1.1.0 1.2.0);
aged('alpha', '1.0.0', 100, 3);
aged('beta', '1.0.0', 200, 99);

subtest 'nobody has said anything' => sub {
	my ($status, $out, $err) = $t->berth('retention', 'run', $project);

	is("$status$out", '1', 'there is nothing to run');
	like($err, qr/has no retention policy; set one with: berth retention set \Q$project\E KEY=VALUE/, 'says so');
	is_deeply(shown(), { id => $p->id + 0, project => $project, enabled => JSON::PP::false,
	    keep_prereleases => undef, unused_days => undef, keep_newest => 1, exclude => [] },
	    'nor anything to show');
	$t->run_tasks('apply_retention');
	is($t->psql("SELECT count(*) FROM versions WHERE status = 'pending_destruction'"), 0,
	    'the worker deletes nothing');
};

subtest 'a dry run' => sub {
	is(policy('keep_prereleases=1'), $p->id, 'set prints the id');
	is_deeply(run_lists(), ['alpha 1.0.0-a pre-release', 'alpha 1.0.0-b pre-release',
	    'kept-one 0.1.0-a pre-release', 'kept-one 0.1.0-b pre-release',
	    'ruled 0.1.0-a pre-release', 'ruled 0.1.0-b pre-release'], 'pre-releases');
	policy('exclude=KEPT_*');
	$t->berth_ok('protect', 'add', $project, 'ruled', '--delete', 'owner');
	is_deeply(run_lists('--dry-run'), ['alpha 1.0.0-a pre-release', 'alpha 1.0.0-b pre-release'],
	    'but for what is excluded, and what a rule protects');
	policy('unused_days=90');
	is_deeply(run_lists(), ['alpha 1.0.0-a pre-release', 'alpha 1.0.0-b pre-release'],
	    'where nobody counts downloads nothing is unused');
	counted(30);
	is_deeply(run_lists(), ['alpha 1.0.0-a pre-release', 'alpha 1.0.0-b pre-release'],
	    'nor where nobody does any more');
	counted(0);
	is_deeply(run_lists(), ['alpha 1.0.0-a pre-release', 'alpha 1.0.0-b pre-release',
	    'alpha 1.0.0-c unused', 'alpha 1.1.0 unused', 'beta 1.0.0 unused'],
	    'unused ones: what was downloaded of late stays, as does the latest');
	policy('keep_newest=4');
	is_deeply(run_lists(), ['alpha 1.0.0-a pre-release', 'alpha 1.0.0-b pre-release'],
	    'four stay in any case');
	policy('keep_newest=1');
	$t->psql("UPDATE versions SET status = 'error' WHERE version = '1.2.0'");
	is_deeply([grep { /unused/ } @{ run_lists() }], ['alpha 1.0.0-c unused', 'beta 1.0.0 unused'],
	    'the latest that can be installed stays');
	$t->psql("UPDATE versions SET status = 'default' WHERE version = '1.2.0'");
	policy('keep_prereleases=', 'keep_newest=', 'unused_days=100');
	is_deeply(run_lists(), ['alpha 1.0.0-a unused', 'alpha 1.0.0-b unused', 'alpha 1.0.0-c unused',
	    'alpha 1.1.0 unused'], 'the hundredth day');
	$t->psql("UPDATE versions SET imported_at = now() - interval '99 days' WHERE version = '1.0.0-a'");
	$t->psql("UPDATE versions SET imported_at = now() - interval '101 days' WHERE version = '1.0.0-b'");
	is_deeply(run_lists(), ['alpha 1.0.0-b unused', 'alpha 1.0.0-c unused', 'alpha 1.1.0 unused'],
	    'of an imported version after the import');
	$t->psql('UPDATE versions SET imported_at = NULL');
	$t->run_tasks('apply_retention');
	is($t->psql("SELECT count(*) FROM versions WHERE status = 'pending_destruction'"), 0,
	    'all that has deleted nothing, since the policy is not enabled');
	is_deeply([@{ shown() }{qw(enabled keep_prereleases unused_days keep_newest exclude)}],
	    [JSON::PP::false, undef, 100, 1, ['kept-*']], 'show');
};

subtest 'for good, by hand' => sub {
	policy('unused_days=', 'keep_prereleases=2');
	is_deeply(run_lists('--apply'), ['alpha 1.0.0-a pre-release'], 'what was deleted');
	is(versions_of('alpha'), '1.0.0-b 1.0.0-c 1.0.0 1.1.0 1.2.0', 'it is gone');
	is_deeply(run_lists('--apply'), [], 'nothing is left to do');
	is($t->psql("SELECT detail ->> 'why' FROM audit_events WHERE action = 'crate.delete'"),
	    'retention', 'the audit log says why');
	$t->berth_ok('undelete', $project, 'alpha@1.0.0-a');
	is(versions_of('alpha'), '1.0.0-a 1.0.0-b 1.0.0-c 1.0.0 1.1.0 1.2.0', 'it can come back');
};

subtest 'by the worker' => sub {
	my $other = $t->project('demo/other');
	$t->publish($other, $p->token, 'gamma', "1.0.0-$_")->{status} == 200 or die for qw(a b c);
	$t->berth_ok(qw(retention set demo/other keep_prereleases=0 enabled=on));
	policy('unused_days=90', 'keep_prereleases=', 'enabled=on');
	$t->run_tasks('apply_retention');
	is(versions_of('alpha'), '1.0.0 1.2.0', 'what was unused is gone');
	is(versions_of('beta'), '1.1.0', 'of another crate');
	is(versions_of('ruled'), '0.1.0-a 0.1.0-b 0.1.0-c', 'what is protected stays');
	is($t->psql("SELECT string_agg(version, ' ' ORDER BY v.id) FROM versions v WHERE project_id = $other"
	    . " AND status <> 'pending_destruction'"), '1.0.0-c', 'of another project');
	is($t->psql("SELECT count(*) FROM audit_events WHERE action = 'crate.delete'"
	    . " AND detail ->> 'system_user' = 'berth-worker' AND detail ->> 'why' = 'retention'"), 7,
	    'the audit log names the worker');
	policy('enabled=off');
	aged('beta', '1.1.0', 400);
	publish_all('beta', '1.2.0');
	$t->run_tasks('apply_retention');
	is(versions_of('beta'), '1.1.0 1.2.0', 'switched off, nothing goes');
};

subtest 'large index files' => sub {
	my $large = $t->project('demo/large');
	# what the sanitizer keeps back is no memory of the worker's
	local $ENV{ASAN_OPTIONS} = join(':', $ENV{ASAN_OPTIONS} // (), 'quarantine_size_mb=1');

	$t->psql("INSERT INTO blobs (sha256, size) VALUES (repeat('1', 64), 1)");
	$t->psql("INSERT INTO crates (project_id, name, normalized_name, index_body)"
	    . " VALUES ($large, 'large', 'large', '')");
	$t->psql("INSERT INTO versions (crate_id, project_id, version, version_base, index_line, cksum, size,"
	    . " published_at) SELECT c.id, $large, '1.0.0-' || i, '1.0.0-' || i, repeat('x', 100000),"
	    . " repeat('1', 64), 1, now() FROM crates c, generate_series(1, 60) i WHERE c.project_id = $large");
	$t->berth_ok(qw(retention set demo/large keep_prereleases=1 enabled=on));
	$t->stop_worker;
	$t->start_worker;
	$t->run_tasks('apply_retention');
	my ($kb) = Berth::Cluster::slurp("/proc/$t->{worker}/status") =~ /^VmHWM:\s+(\d+)/m;
	is($t->psql("SELECT count(*) FROM versions WHERE project_id = $large AND status = 'default'"), 1,
	    'all but one are deleted');
	cmp_ok($kb, '<', 200_000, "the worker came to $kb kB");
};

# The worker deletes 100 versions at a time, and writes the index file once for these.
subtest 'many versions' => sub {
	my $project = $t->project('demo/versions');
	my $left = sub {
		return $t->psql("SELECT string_agg(version, ' ' ORDER BY id) FROM versions WHERE project_id = $project"
		    . " AND status <> 'pending_destruction'");
	};
	my $add = sub {
		my ($crate, @more) = @_;

		$t->psql("INSERT INTO crates (project_id, name, normalized_name, index_body)"
		    . " VALUES ($project, '$crate', '$crate', '')");
		$t->psql("INSERT INTO versions (crate_id, project_id, version, version_base, index_line, cksum, size,"
		    . " published_at) SELECT c.id, $project, '1.0.0-' || i, '1.0.0-' || i, '{\"vers\":\"1.0.0-' || i"
		    . " || '\"}', repeat('1', 64), 1, now() FROM crates c, generate_series(1, $_[1]) i"
		    . " WHERE c.project_id = $project AND c.name = '$crate'");
	};

	$add->('series', 250);
	$t->berth_ok(qw(retention set demo/versions keep_prereleases=1 enabled=on));
	$t->run_tasks('apply_retention');
	is($left->(), '1.0.0-250', 'all but the newest are deleted');
	is(join(' ', $t->psql('SELECT count(*) FROM audit_events WHERE action = \'crate.delete\' AND project_id ='
	    . " $project GROUP BY at ORDER BY at")), '100 100 49', 'in a few transactions');
	is($t->psql("SELECT count(*) FROM tombstones t JOIN crates c ON c.id = t.crate_id WHERE c.project_id ="
	    . " $project"), 249, 'each with its tombstone');

	# while the command waits for the crate, somebody else deletes one of its versions
	$add->('raced', 150);
	my $done = $t->dir . '/raced';
	my $holder = Berth::Test::spawn("$done.log", 'psql', '-XAtqv', 'ON_ERROR_STOP=1', '-d',
	    $t->dsn('postgres'), '-c',
	    "BEGIN; SELECT id FROM crates WHERE name = 'raced' FOR UPDATE; UPDATE versions SET status ="
	    . " 'pending_destruction', status_before = status, deleted_at = now() WHERE version = '1.0.0-70' AND"
	    . " crate_id = (SELECT id FROM crates WHERE name = 'raced');"
	    . " DO \$\$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted) LOOP PERFORM pg_sleep(0.01);"
	    . ' END LOOP; END $$; COMMIT');
	ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE"
	    . " 'BEGIN; SELECT id FROM crates%'") }), 'the crate is locked');
	my ($status, $out, $err) = $t->berth('retention', 'run', 'demo/versions', '--apply', '--json');
	waitpid($holder, 0);
	is("$status$?", '00', 'the others are deleted') or diag($err, Berth::Cluster::slurp("$done.log"));
	is($left->(), '1.0.0-250 1.0.0-150', 'all but the newest');
	$t->berth_ok(qw(retention set demo/versions enabled=off));
};

# The latest stable version always stays, whatever happens while the command works.
subtest 'the version that was to stay goes' => sub {
	local $ENV{BERTH_FAULT};
	my $fault = Berth::Fault->new($t);
	my $id = $t->project('demo/meanwhile');
	my %meanwhile = (deleted => sub { $t->berth_ok(qw(delete demo/meanwhile deleted@1.1.0)) },
	    yanked => sub { $t->berth_ok(qw(yank demo/meanwhile yanked@1.1.0)) },
	    failed => sub { $t->psql("UPDATE versions SET status = 'error' WHERE version = '1.1.0'"
	        . " AND normalized_name = 'failed'") });
	plan skip_all => $fault->missing if $fault->missing;

	$t->berth_ok(qw(retention set demo/meanwhile unused_days=90));
	for my $name (sort keys %meanwhile) {
		$t->publish($id, $p->token, $name, $_)->{status} == 200 or die for '1.0.0', '1.1.0';
		$t->psql("UPDATE versions SET published_at = now() - interval '100 days' WHERE normalized_name = '$name'");
		my $ran = $fault->during('send:version_lock_crate', sub {
			join(' ', ($t->berth(qw(retention run demo/meanwhile --apply --json)))[0, 1])
		}, $meanwhile{$name});
		is($ran, '0 ', "$name: the command lists nothing as deleted");
		is($t->psql("SELECT string_agg(version, ' ') FROM versions WHERE normalized_name = '$name'"
		    . " AND status NOT IN ('pending_destruction', 'error') AND NOT yanked"), '1.0.0',
		    'leaves the version before it');
	}
};

# A policy deletes what nobody can install: not what somebody has made available meanwhile.
subtest 'a version that is to go can be installed again' => sub {
	local $ENV{BERTH_FAULT};
	my $fault = Berth::Fault->new($t);
	my $id = $t->project('demo/again');
	my $error = sub { $t->psql("UPDATE versions SET status = '$_[0]' WHERE project_id = $id"
	    . " AND version = '1.1.0' AND normalized_name = 'mended'") };
	my %before = (unyanked => sub { $t->berth_ok(qw(yank demo/again unyanked@1.1.0)) },
	    mended => sub { $error->('error') });
	my %meanwhile = (unyanked => sub { $t->berth_ok(qw(unyank demo/again unyanked@1.1.0)) },
	    mended => sub { $error->('default') });
	plan skip_all => $fault->missing if $fault->missing;

	$t->berth_ok(qw(retention set demo/again unused_days=90));
	for my $name (sort keys %before) {
		$t->publish($id, $p->token, $name, $_)->{status} == 200 or die for qw(0.9.0 1.0.0 1.1.0 1.1.1-a);
		$t->psql("UPDATE versions SET published_at = now() - interval '100 days' WHERE project_id = $id"
		    . " AND normalized_name = '$name'");
		$before{$name}->();
		my $ran = $fault->during('send:version_lock_crate', sub {
			join(' ', ($t->berth(qw(retention run demo/again --apply --json)))[0, 1])
		}, $meanwhile{$name});
		like($ran, qr/^0 [^\n]*"version":"0\.9\.0"[^\n]*\n\z/, "$name: the other version is deleted");
		is($t->psql("SELECT string_agg(version, ' ' ORDER BY id) FROM versions WHERE project_id = $id"
		    . " AND normalized_name = '$name' AND status <> 'pending_destruction'"), '1.0.0 1.1.0 1.1.1-a',
		    '  the latest stable version stays');
		$t->psql("UPDATE versions SET published_at = now() WHERE project_id = $id");
	}
};

subtest 'a crate that fails' => sub {
	my %project = map { $_ => $t->project("demo/$_") } qw(broken whole);
	my $left = sub { return join(' ', $t->psql("SELECT c.name || ' ' || v.version FROM versions v"
	    . " JOIN crates c ON c.id = v.crate_id WHERE v.project_id IN ($project{broken}, $project{whole})"
	    . " AND v.status <> 'pending_destruction' ORDER BY v.id")) };

	for my $name (qw(broken whole)) {
		for my $crate ("$name-a", "$name-b") {
			$t->publish($project{$name}, $p->token, $crate, "1.0.0-$_")->{status} == 200 or die for 1, 2;
		}
		$t->berth_ok('retention', 'set', "demo/$name", 'keep_prereleases=1', 'enabled=on');
	}
	$t->psql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
	    . " \$\$ BEGIN RAISE 'damaged'; END \$\$");
	$t->psql("CREATE TRIGGER refuse BEFORE UPDATE ON versions FOR EACH ROW"
	    . " WHEN (OLD.normalized_name = 'broken-a') EXECUTE FUNCTION refuse()");
	my ($status, $out, $err) = $t->berth(qw(retention run demo/broken --apply --json));
	is($status, 1, 'the command fails');
	like($err, qr/^berth: crate `broken-a`: .+\n.*versions could not all be deleted: 1\n\z/, 'names the crate');
	like($out, qr/^[^\n]*"crate":"broken-b"[^\n]*\n\z/, 'and has deleted what it can');
	$t->publish($project{broken}, $p->token, 'broken-c', "1.0.0-$_")->{status} == 200 or die for 1, 2;
	$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'apply_retention'; NOTIFY berth_tasks");
	ok($t->wait_for(sub { $t->psql("SELECT error FROM tasks WHERE kind = 'apply_retention'") ne '' }),
	    'the task fails');
	is($left->(), 'broken-a 1.0.0-1 broken-a 1.0.0-2 broken-b 1.0.0-2 whole-a 1.0.0-2 whole-b 1.0.0-2'
	    . ' broken-c 1.0.0-2', 'and has deleted what it can');
	like($t->psql("SELECT error FROM tasks WHERE kind = 'apply_retention'"),
	    qr{^not all .*: demo/broken, crate broken-a: .*}, 'it names the crate');
	is($t->psql("SELECT run_at > now() + interval '5 hours' FROM tasks WHERE kind = 'apply_retention'"), 't',
	    'it waits for somebody to mend the cause');
	$t->psql('DROP FUNCTION refuse() CASCADE');
	$t->run_tasks('apply_retention');
	is($left->(), 'broken-a 1.0.0-2 broken-b 1.0.0-2 whole-a 1.0.0-2 whole-b 1.0.0-2 broken-c 1.0.0-2',
	    'then the rest goes');
	$t->berth_ok('retention', 'set', "demo/$_", 'enabled=off') for sort keys %project;
};

subtest 'many crates' => sub {
	my $many = $t->project('demo/many');

	$t->psql("INSERT INTO blobs (sha256, size) VALUES (repeat('0', 64), 1) ON CONFLICT DO NOTHING");
	$t->psql("INSERT INTO crates (project_id, name, normalized_name, index_body)"
	    . " SELECT $many, 'c' || i, 'c' || i, '' FROM generate_series(1, 250) i");
	$t->psql("INSERT INTO versions (crate_id, project_id, version, version_base, index_line, cksum, size,"
	    . " published_at) SELECT c.id, $many, v, v, '{}', repeat('0', 64), 1, now() FROM crates c,"
	    . " unnest('{1.0.0-a,1.0.0-b}'::text[]) v WHERE c.project_id = $many ORDER BY v, c.id");
	$t->berth_ok(qw(retention set demo/many keep_prereleases=1));
	my @lines = split(/\n/, $t->berth_ok(qw(retention run demo/many)));
	is(scalar(grep { / pre-release +c\d+ +1\.0\.0-a$/ } @lines), 250, 'each is listed once');
};

# The list is the same in a dry run and after it: standard error says what it means.
subtest 'what the list means' => sub {
	my $id = $t->project('demo/meaning');
	my $says = sub { return ($t->berth('retention', @_))[2] };

	like($says->(qw(set demo/meaning keep_prereleases=1)),
	    qr/\Aberth: the policy is not enabled: .* set demo\/meaning enabled=on`; .*\n\z/, 'not enabled');
	is($says->(qw(set demo/meaning enabled=off)), '', 'says nothing to a user who switches it off');
	is($says->(qw(run demo/meaning)), "berth: the policy deletes no version now\n", 'nothing');
	$t->publish($id, $p->token, 'meaning', "1.0.0-$_")->{status} == 200 or die for qw(a b c);
	my $dry = qr/\Aberth: dry run: nothing is deleted; to delete the 2 versions: .* demo\/meaning --apply\n\z/;
	like($says->(qw(run demo/meaning), @$_), $dry, "a dry run @$_") for [], ['--dry-run'];
	is($says->(qw(run demo/meaning --json)), '', 'JSON');
	my (undef, $both) = Berth::Cluster::capture({ env => { BERTH_CONF => $t->conf_path } }, 'sh', '-c',
	    '"$0" retention run demo/meaning 2>&1', $t->build . '/berth');
	like($both, qr/\Aversion_id .* meaning +1\.0\.0-b\nberth: dry run/s, 'below the list, also in one file');
	like($says->(qw(run demo/meaning --apply)), qr{\Aberth:\ 2\ versions\ deleted;
	    \ `berth\ undelete\ demo/meaning\ CRATE\@VERSION`\ brings\ one\ back\ until\ [\d-]{10}T[\d:]{8}Z\n\z}x,
	    'applied');
	is($says->(qw(run demo/meaning --apply)), "berth: the policy deletes no version now\n", 'nothing more');

	my $undelete = sub { return ($t->berth('undelete', 'demo/meaning', @_))[2] };
	is($undelete->('meaning@1.0.0-a'), '', 'one is back, and no policy that is enabled deletes it');
	$t->berth_ok(qw(retention set demo/meaning enabled=on exclude=x*));
	like($undelete->('meaning@1.0.0-b'), qr/\Aberth: the retention policy deletes 1 of 1 again;/, 'another');
	$t->berth_ok(qw(delete demo/meaning meaning@1.0.0-b));
	my $note = $undelete->('meaning@1.0.0-b');
	my ($set) = $note =~ /berth (retention set .*), or enabled=off\n\z/ or diag($note);
	is($set, "retention set demo/meaning exclude='x*,meaning'", 'with the remedy');
	$t->berth_ok(split(/ /, $set =~ s/'//gr));
	$t->berth_ok(qw(delete demo/meaning meaning@1.0.0-b));
	is($undelete->('meaning@1.0.0-b'), '', 'which helps');
};

subtest 'the command' => sub {
	my @cases = (
		[2, qr/must be KEY=VALUE; KEY is enabled/, 'set', $project, 'x=1'],
		[2, qr/must be KEY=VALUE/, 'set', $project, 'enabled'],
		[2, qr/keep_newest must be from 1 /, 'set', $project, 'keep_newest=0'],
		[2, qr/unused_days must be from 1 /, 'set', $project, 'unused_days=0'],
		[2, qr/enabled /, 'set', $project, 'enabled=perhaps'],
		[2, qr/may contain only letters/, 'set', $project, 'exclude=a.b'],
		[2, qr/the pattern is empty/, 'set', $project, 'exclude=a,,b'],
		[2, qr/not both/, 'run', $project, '--apply', '--dry-run'],
		[1, qr/project `demo\/none` does not exist/, 'set', 'demo/none', 'enabled=on'],
		[1, qr/does not exist/, 'show', 'demo/none'],
		[1, qr/does not exist/, 'run', 'demo/none'],
	);

	for my $case (@cases) {
		my ($want, $why, @args) = @$case;
		my ($status, $out, $err) = $t->berth('retention', @args);

		is("$status$out", $want, "@args");
		like($err, $why, 'says why');
	}
};

done_testing();
