#!/usr/bin/perl

# berth fsck: each kind of damage is found and named, an index file made anew, and where nothing is
# wrong nothing is said, also while others publish.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path remove_tree);
use JSON::PP ();
use POSIX ();
use Test::More;

use Berth::Publish;

my $p = Berth::Publish->new(workers => 3);
my $t = $p->test;
my $json = JSON::PP->new;

sub blob_of {
	my ($crate, $version) = @_;
	my $sha = $t->psql('SELECT v.cksum FROM versions v JOIN crates c ON c.id = v.crate_id'
	    . " WHERE c.name = '$crate' AND v.version = '$version'");

	return $t->store . '/' . substr($sha, 0, 2) . '/' . substr($sha, 2, 2) . "/$sha";
}

sub index_of_crate {
	my $res = $p->get('/' . Berth::Publish::index_path($_[0]));

	return "$res->{status} " . ($res->{headers}{etag} // '') . " $res->{body}";
}

# What the last one has looked at.
my $summary;

# (exit status, problems as [problem, repaired, subject, detail] ...)
sub fsck {
	my ($status, $out, $err) = $t->berth('fsck', '--json', @_);

	diag($err) if $status == 2;
	my @lines = map { $json->decode($_) } split(/\n/, $out);
	$summary = pop @lines if @lines && !exists $lines[-1]{problem};
	return ($status, map { [$_->{problem}, $_->{repaired} ? 1 : 0, $_->{subject}, $_->{detail}] } @lines);
}

sub finds {
	my ($name, $want, @args) = @_;
	my ($status, @problems) = fsck(@args);

	is($status, (grep { !$_->[1] } @$want) ? 1 : 0, "$name: exit status");
	is_deeply(\@problems, $want, "$name: what is wrong") or diag(explain(\@problems));
}

for my $crate (qw(alpha Beta_x gamma)) {
	is($p->publish($crate, $_)->{status}, 200, "$crate $_") for '1.0.0', '1.1.0-rc.1+b.1';
}
$p->http(DELETE => $p->root . '/api/v1/crates/alpha/1.0.0/yank', { token => $p->token });
$t->berth_ok(qw(delete demo/registry gamma@1.0.0));
$t->berth_ok(qw(project set demo/registry quota_versions=100));

subtest 'all is well' => sub {
	finds('at once', []);
	is_deeply([@$summary{qw(crates versions blobs unused_blobs bytes_read problems repairs)}],
	    [3, 6, 6, 0, 0, 0, 0], 'it says how much it has looked at');
	finds('deep', [], '--deep');
	is($summary->{bytes_read}, $t->psql('SELECT sum(size) FROM blobs'), 'and how much it has read');
	finds('repair', [], '--repair');
	my ($status, $out) = $t->berth('fsck');
	is($status, 0, 'for people');
	is($out, "3 crates, 6 versions and 6 blobs (0 unused); 0 problems, 0 repaired\n", 'one line');
	like(($t->berth(qw(fsck --deep)))[1], qr/ \(0 unused\), [1-9]\d* bytes read; 0 problems/, 'a deep one');
	$t->berth_ok(qw(delete demo/registry gamma));
	finds('a crate without versions', []);
	$t->berth_ok(qw(undelete demo/registry gamma@1.1.0-rc.1));
};

subtest 'index files' => sub {
	my $good = index_of_crate('alpha');
	my @cases = (
		['another file', "index_body = (SELECT index_body FROM crates WHERE name = 'gamma')",
		    'its lines differ from the versions'],
		['no file', 'index_body = NULL', 'the crate has versions and no index file'],
		['garbage', "index_body = '\\x00'", 'it cannot be unpacked'],
		['another last line', 'index_last = index_last - 1', 'its last line is of another version than recorded'],
		['another count', 'listed_versions = 77', "the crate's number of listed versions is wrong", 'crate_names'],
		['another version', "max_version = '1.0.0'", 'a search shows another version of the crate than it should',
		    'crate_search'],
	);

	for my $case (@cases) {
		my ($name, $set, $detail, $table) = @$case;

		$t->update_search;
		$t->psql('UPDATE ' . ($table // 'crates') . " SET $set WHERE normalized_name = 'alpha'");
		finds($name, [['index', 0, 'demo/registry alpha', $detail]]);
		finds("$name, repaired", [['index', 1, 'demo/registry alpha', $detail]], '--repair');
		finds("$name, after that", []);
		is($t->psql("SELECT crate, project_id, detail ->> 'wrong', detail ->> 'system_user' IS NOT NULL"
		    . " FROM audit_events"
		    . " WHERE action = 'crate.repair' ORDER BY id DESC LIMIT 1"), 'alpha|' . $p->id . "|$detail|t",
		    "$name: the audit log has it");
		is(index_of_crate('alpha'), $good, "$name: the file is as it was");
	}
	$t->update_search;
	finds('up to date', []);
	is($t->psql("SELECT max_version FROM crate_search WHERE normalized_name = 'alpha'"), '1.1.0-rc.1+b.1',
	    'a search is repaired, too');
	$t->psql("DELETE FROM crate_search WHERE normalized_name = 'alpha'");
	finds('not in a search', [['index', 1, 'demo/registry alpha',
	    'a search shows another version of the crate than it should']], '--repair');
	$t->update_search;
	$t->stop_worker;
	$t->psql("UPDATE crates SET index_body = (SELECT index_body FROM crates WHERE name = 'alpha')"
	    . " WHERE name = 'gamma'");
	my ($status, $out, $err) = $t->berth('fsck');
	is($status, 1, 'for people');
	like($out, qr/^index +\S+ +demo\/registry gamma +its lines differ/m, 'a table');
	like($out, qr/^3 crates, .* 1 problem, 0 repaired$/m, 'and a summary');
	is($err, "berth: 1 problem is left\n", 'which the exit status tells');
	fsck('--repair');
	is($t->psql("SELECT count(*) FROM audit_events WHERE action = 'crate.repair'"), @cases + 2,
	    'a row for each repair, and for nothing else');
};

subtest 'blobs' => sub {
	my $path = blob_of('alpha', '1.0.0');
	my ($sha) = $path =~ m{([^/]+)\z};
	my $bytes = Berth::Cluster::slurp($path);
	my $size = length $bytes;

	rename($path, "$path.away") or die "$path: $!\n";
	my $subject = "demo/registry alpha\@1.0.0 (sha256 $sha)";
	finds('one is away', [['blob missing', 0, $subject, 'the store lacks it']]);
	finds('nothing is made up', [['blob missing', 0, $subject, 'the store lacks it']], '--repair');
	Berth::Test::write_file($path, $bytes . 'x');
	finds('too long', [['blob size', 0, $subject, ($size + 1) . " bytes, not $size"]]);
	Berth::Test::write_file($path, $bytes ^ "\1");
	finds('the size tells nothing of bytes', []);
	my @damaged = (['blob bytes', 0, $subject, 'its SHA-256 differs from its name']);
	finds('other bytes', \@damaged, '--deep');
	finds('a check without --deep reads the damaged blob', \@damaged);
	is($summary->{bytes_read}, $size, '  and no other');
	is($t->psql('SELECT problems FROM store_check'), 1, 'monitoring still counts it');
	rename($path, "$path.bad") or die "$path: $!\n";
	finds('the file is gone meanwhile', [['blob missing', 0, $subject, 'the store lacks it']]);
	rename("$path.bad", $path) or die "$path: $!\n";
	finds('the file is back, and still damaged', \@damaged);
	Berth::Test::write_file($path, $bytes);
	finds('the bytes are good', []);
	is($t->psql('SELECT count(*) FROM damaged_blobs'), 0, '  it is forgotten');
	Berth::Test::write_file($path, $bytes ^ "\1");
	fsck('--deep');
	my $trash = $t->store . "/trash/$sha";
	unlink($path);
	Berth::Test::write_file($trash, $bytes ^ "\1");
	finds('a damaged file of the trash', [['blob missing', 0, $subject,
	    'the trash has a file of that name with other bytes, or one that cannot be read']], '--repair');
	ok(-e $trash && !-e $path, '  stays where it is');
	Berth::Test::write_file($trash, $bytes);
	finds('put back from the trash', [['blob missing', 1, $subject,
	    'it was in the trash, and --repair has put it back']], '--repair');
	is($t->psql('SELECT count(*) FROM damaged_blobs'), 0, '  it is forgotten');
	unlink($path);
	symlink("$path.away", $path) or die "$path: $!\n";
	my ($status, $problem) = fsck();
	is("$status $problem->[0]", '1 blob missing', 'a symbolic link is no blob');
	unlink($path);
	POSIX::mkfifo($path, 0600) or die "$path: $!\n";
	finds('a pipe, which is not waited for', [['blob missing', 0, $subject,
	    'there is no regular file at its path']], '--deep');
	unlink($path);
	rename("$path.away", $path) or die "$path: $!\n";
	$t->psql("UPDATE versions SET size = size + 1 WHERE cksum = '$sha'");
	$t->psql('UPDATE quotas SET used_bytes = used_bytes + 1');
	finds('a version with another size', [['blob size', 0, $subject,
	    'the version says another size than its bytes have']]);
	$t->psql("UPDATE versions SET size = size - 1 WHERE cksum = '$sha'");
	$t->psql('UPDATE quotas SET used_bytes = used_bytes - 1');
	$t->psql("INSERT INTO blobs (sha256, size) VALUES (repeat('0', 64), 1)");
	finds('a blob that nobody has is the collector\'s', []);
	$t->psql("INSERT INTO damaged_blobs SELECT repeat('0', 64)");
	finds('nor do its bytes matter', []);
	$t->psql("DELETE FROM blobs WHERE sha256 = repeat('0', 64)");
	is($t->psql('SELECT count(*) FROM damaged_blobs'), 0, 'and it goes with the blob');
};

# What the store lacks may be elsewhere.
subtest 'from elsewhere' => sub {
	my $path = blob_of('alpha', '1.0.0');
	my ($sha) = $path =~ m{([^/]+)\z};
	my $bytes = Berth::Cluster::slurp($path);
	my $subject = "demo/registry alpha\@1.0.0 (sha256 $sha)";
	my $from = $t->dir . '/from';
	my $below = substr($sha, 0, 2) . '/' . substr($sha, 2, 2);
	my %damage = (
		missing => [sub { unlink($path) }, 'blob missing', 'the store lacks it'],
		cut => [sub { Berth::Test::write_file($path, substr($bytes, 0, 99)) }, 'blob size',
		    '99 bytes, not ' . length $bytes],
		changed => [sub { Berth::Test::write_file($path, $bytes ^ "\1") }, 'blob bytes',
		    'its SHA-256 differs from its name'],
	);

	for my $where ("blobs/$below/$sha", "$below/$sha", "trash/$sha", $sha, 'alpha-1.0.0.crate', 'file') {
		my $file = "$from/$where";

		make_path($file =~ s{/[^/]+\z}{}r);
		for my $name (sort keys %damage) {
			my ($damage, $problem, $detail) = @{ $damage{$name} };
			my @from = ('--deep', '--from', $where eq 'file' ? $file : $from);

			$damage->();
			Berth::Test::write_file($file, $bytes ^ "\2");
			finds("$where has other bytes, $name", [[$problem, 0, $subject, $detail]], @from);
			Berth::Test::write_file($file, $bytes);
			finds("$where, $name", [[$problem, 1, $subject, "$detail; it is back, from $from[2]"]], @from);
			ok(Berth::Cluster::slurp($path) eq $bytes, '  the bytes are back');
			is($t->psql('SELECT count(*) FROM damaged_blobs'), 0, '  no blob is known as damaged');
			finds('  and all is well', [], '--deep');
		}
		remove_tree($from);
	}
	is(join(' ', map { sprintf('%o', (stat($_))[2] & 0777) } $path), '640', 'as the store is');
	unlink($path);
	is((fsck('--from', '/nonexistent'))[0], 1, 'from nowhere');
	make_path($from);
	POSIX::mkfifo("$from/$_", 0600) or die "$_: $!\n" for $sha, 'pipe.crate';
	finds('from pipes', [['blob missing', 0, $subject, 'the store lacks it']], '--from', $from);
	# root must not fill a directory for the user of the store
	my ($way, $outside) = ($t->store . '/' . substr($sha, 0, 2), $t->dir . '/outside');
	unlink("$from/$sha");
	Berth::Test::write_file("$from/$sha", $bytes);
	mkdir($outside) or die "$outside: $!\n";
	rename($way, "$way.away") && symlink($outside, $way) or die "$way: $!\n";
	is((fsck('--from', $from))[0], 1, 'a link on the way');
	is_deeply([glob("$outside/*")], [], '  is not followed');
	unlink($way) && rename("$way.away", $way) or die "$way: $!\n";
	Berth::Test::write_file($path, $bytes);
};

# Whoever publishes bytes brings them: a version that lacks the same ones has them again.
subtest 'the same bytes again' => sub {
	my $path = blob_of('alpha', '1.0.0');
	my ($sha) = $path =~ m{([^/]+)\z};
	my $bytes = Berth::Cluster::slurp($path);
	my %damage = (
		'missing' => [sub { unlink($path) or die "$path: $!\n" }, 'blob missing',
		    'the store lacks it'],
		'cut' => [sub { Berth::Test::write_file($path, substr($bytes, 0, 99)) }, 'blob size',
		    '99 bytes, not ' . length $bytes],
	);

	for my $name (sort keys %damage) {
		my ($damage, $problem, $detail) = @{ $damage{$name} };
		my $other = $t->project("demo/$name");

		$damage->();
		finds('the damage is found', [[$problem, 0, "demo/registry alpha\@1.0.0 (sha256 $sha)", $detail]]);
		my (undef, $both) = Berth::Cluster::capture({ env => { BERTH_CONF => $t->conf_path } }, 'sh', '-c',
		    'exec "$0" fsck --deep 2>&1', Berth::Cluster->inherited->build . '/berth');
		like($both, qr/^problem .*\nberth: \d+ problems? (?:is|are) left[^\n]*\n\z/s,
		    'in one pipe, the sum stands behind the table');
		like(($t->berth(qw(fsck --deep --repair)))[2],
		    qr/ left; `berth fsck --deep --from BACKUP` may bring back blobs/, 'and what may mend it');
		is($t->publish($p->id, $p->token, 'alpha', '1.0.0')->{status}, 400, "$name: the same version again");
		finds('a publish that is refused mends it', []);
		ok(Berth::Cluster::slurp($path) eq $bytes, 'with the bytes that were there');
		$damage->();
		is($t->publish($other, $p->token, 'alpha', '1.0.0')->{status}, 200, "$name: in another project");
		finds('one that is not mends it, too', []);
		ok(Berth::Cluster::slurp($path) eq $bytes, 'with the bytes that were there');
		$damage->();
		my (undef, @problems) = fsck();
		is_deeply([map { "$_->[0] $_->[2]" } @problems],
		    [map { "$problem $_ alpha\@1.0.0 (sha256 $sha)" } 'demo/registry', "demo/$name"],
		    'each version that needs it is named');
		Berth::Test::write_file($path, $bytes);
		$t->psql("DELETE FROM versions WHERE project_id = $other;"
		    . " DELETE FROM crates WHERE project_id = $other");
	}
};

subtest 'rows' => sub {
	my $of = sub { "version = '1.1.0-rc.1+b.1' AND crate_id = (SELECT id FROM crates WHERE name = 'Beta_x')" };
	my $where = $of->();
	my $subject = 'demo/registry Beta_x@1.1.0-rc.1+b.1';
	my $line = 'its index line says other than its row';

	$t->psql("UPDATE versions SET yanked = true WHERE $where");
	finds('yanked, and the line does not say so', [['version', 0, $subject, $line]]);
	$t->psql("UPDATE versions SET yanked = false WHERE $where");
	$t->psql("INSERT INTO tombstones (crate_id, version_base, cksum) SELECT crate_id, version_base,"
	    . " repeat('0', 64) FROM versions WHERE $where");
	finds('a tombstone', [['version', 0, $subject, 'its tombstone has other bytes']]);
	$t->psql("DELETE FROM tombstones WHERE cksum = repeat('0', 64)");
	$t->psql("DELETE FROM tombstones");
	finds('deleted without one', [['version', 0, 'demo/registry gamma@1.0.0',
	    'it is deleted and has no tombstone']]);
	$t->psql("INSERT INTO tombstones (crate_id, version_base, cksum) SELECT crate_id, version_base, cksum"
	    . " FROM versions WHERE status = 'pending_destruction'");
	$t->psql('UPDATE quotas SET used_versions = 7');
	my ($status, @problems) = fsck();
	is_deeply([$status, map { @$_[0 .. 2] } @problems], [1, 'quota', 0, 'demo/registry'], 'a quota');
	$t->berth_ok(qw(project set demo/registry quota_versions=100));
	finds('which counts anew', []);
};

subtest 'more than a piece' => sub {
	$t->psql('WITH c AS (INSERT INTO crates (project_id, name, normalized_name) VALUES (' . $p->id
	    . ", 'many', 'many') RETURNING *)"
	    . ' INSERT INTO crate_names (crate_id, project_id, normalized_name, listed_versions)'
	    . ' SELECT id, project_id, normalized_name, 7000 FROM c');
	$t->psql("INSERT INTO blobs (sha256, size) VALUES (repeat('a', 64), 1)");
	$t->psql("INSERT INTO versions (crate_id, project_id, version, version_base, index_line, cksum, size,"
	    . " published_at, status)"
	    . " SELECT c.id, c.project_id, '0.0.' || i, '0.0.' || i, CASE i WHEN 7000 THEN '{}' ELSE"
	    . " format('{\"vers\":\"0.0.%s\",\"cksum\":\"%s\",\"yanked\":false}', i, repeat('a', 64)) END,"
	    . " repeat('a', 64), 1, now(), 'error' FROM crates c, generate_series(1, 7000) i WHERE c.name = 'many'");
	$t->psql("UPDATE quotas SET used_versions = used_versions + 7000, used_bytes = used_bytes + 7000,"
	    . ' used_crates = used_crates + 1');
	my $sha = 'a' x 64;
	finds('the last one of many', [(map { ['blob missing', 0, "demo/registry many\@0.0.$_ (sha256 $sha)",
	    'the store lacks it' . ($_ == 10 ? '; the same holds for 6990 more versions' : '')] } 1 .. 10),
	    ['version', 0, 'demo/registry many@0.0.7000', 'its index line says other than its row']]);
	$t->psql("UPDATE versions SET index_line = '{}'"
	    . " WHERE crate_id = (SELECT id FROM crates WHERE name = 'many')");
	is(scalar(grep { ref $_ && $_->[0] eq 'version' } fsck()), 7000, 'all of them are named');
	$t->psql("DELETE FROM versions WHERE crate_id = (SELECT id FROM crates WHERE name = 'many');"
	    . " DELETE FROM crates WHERE name = 'many'; DELETE FROM blobs WHERE sha256 = repeat('a', 64)");
	$t->berth_ok(qw(project set demo/registry quota_versions=100));
};

subtest 'while others publish' => sub {
	my @results = $t->parallel(3, sub {
		my ($i) = @_;

		return [map { (fsck())[0] } 1 .. 6] if $i == 0;
		return [map { $p->publish("busy$i", "1.$_.0")->{status} } 0 .. 11];
	});

	is("@{ $results[0] }", '0 0 0 0 0 0', 'nothing is wrong');
	is(scalar(grep { $_ == 200 } @{ $results[1] }, @{ $results[2] }), 24, 'all were published');
};

subtest 'by the worker' => sub {
	$t->psql("UPDATE crates SET index_last = 0 WHERE name = 'alpha'");
	$t->run_tasks('check_store');
	ok($t->wait_for(sub { $t->log('worker') =~ /fsck: index: demo\/registry alpha: its last line/ }),
	    'it says so');
	like($t->log('worker'), qr/1 problems: `berth fsck` lists them/, 'and how many');
	is($t->psql("SELECT index_last FROM crates WHERE name = 'alpha'"), 0, 'and repairs nothing');

	my $noted = sub { $t->psql("SELECT problems, now() - checked_at < '1 minute' FROM store_check") };
	is($noted->(), '1|t', 'monitoring knows how many');
	$t->berth_ok(qw(fsck --repair));
	is($noted->(), '0|t', 'and that a repair has left none');
	$t->psql("UPDATE store_check SET checked_at = '2020-01-01'");
	$t->psql("UPDATE tasks SET progress = '{\"step\":3,\"problems\":41}' WHERE kind = 'check_store'");
	$t->psql('UPDATE quotas SET used_versions = 7');
	$t->run_tasks('check_store');
	ok($t->wait_for(sub { $noted->() eq '42|t' }), 'of a check that goes on, with those of its first part')
	    or diag($noted->());
	$t->berth_ok(qw(project set demo/registry quota_versions=100));
};

subtest 'the command' => sub {
	my ($status, $out, $err) = $t->berth({ env => { BERTH_CONF => undef } }, 'fsck', '--database',
	    $t->dsn('berth'));

	is("$status$out", 2, 'without a configuration');
	like($err, qr/-c FILE is missing/, 'says so');
	is(($t->berth('fsck', '--database', 'host=/nonexistent'))[0], 1, 'no database');
};

done_testing();
