#!/usr/bin/perl

# Programs use a store only if it belongs to the database: each way in which it may not, what
# each program says then, and how an administrator joins the two.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path remove_tree);
use Test::More;
use Time::HiRes qw(time);

use Berth::Cluster;
use Berth::Publish;
use Berth::Test;

use constant MONTH => 30 * 86400;

# Makes a blob that no database knows.
sub put_file {
	my ($store, $bytes) = @_;
	my $sha256 = sha256_hex($bytes);
	my $dir = join('/', $store, substr($sha256, 0, 2), substr($sha256, 2, 2));

	make_path($dir);
	Berth::Test::write_file("$dir/$sha256", $bytes);
	return $sha256;
}

sub files {
	my @files = sort grep { m{/[0-9a-f]{64}\z} } glob("$_[0]/[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*");

	return @files;
}

sub trash {
	my @names = sort map { m{([0-9a-f]{64})\z} } glob("$_[0]/trash/*");

	return @names;
}

sub age { my $then = time - MONTH; utime($then, $then, files($_[0])); }

sub psql_known {
	my ($t, $sql) = @_;

	$t->psql($sql) if $t->psql("SELECT to_regclass('store_state') IS NOT NULL") eq 't';
}

# Lets the collector run once; returns its error, or ''.
sub collect {
	my ($t) = @_;

	$t->start_worker;
	ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM tasks WHERE kind = 'collect_blobs'") > 0 }),
	    'there is a collector');
	my $runs = $t->psql("SELECT runs FROM tasks WHERE kind = 'collect_blobs'");
	# a run under way may not see the test's changes: it is counted already, and the next one is waited for
	ok($t->wait_for(sub {
		$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'collect_blobs' AND runs = $runs"
		    . " AND claimed_until IS NULL"
		    . ' AND run_at > now(); NOTIFY berth_tasks');
		return $t->psql("SELECT runs > $runs AND claimed_until IS NULL AND progress IS NULL FROM tasks"
		    . " WHERE kind = 'collect_blobs'") eq 't';
	}), 'which has run');
	return $t->psql("SELECT coalesce(error, '') FROM tasks WHERE kind = 'collect_blobs'");
}

sub tested {
	my ($t, $program) = @_;
	my ($status, undef, $err) = Berth::Cluster::capture($t->build . "/$program", '-t', '-c', $t->conf_path);

	return "$status $err";
}

# A registry of its own: databases of tests are copies of one.
sub another {
	my ($t) = @_;

	psql_known($t, 'UPDATE registry SET id = gen_random_uuid()');
	# with a file of keys that is its own
	my $keys = $t->dir . '/token.key';
	Berth::Test::write_file($keys, Berth::Cluster::slurp(Berth::Cluster->inherited->token_key)
	    =~ s/^registry \S+;/'registry "' . $t->psql('SELECT id FROM registry') . '";'/er);
	chmod(0600, $keys) or die "$keys: $!\n";
	$t->conf(token_key => $keys);
	return $t;
}

# ---- what the collector must not do ----

subtest 'a new database, and a store full of old files' => sub {
	my $t = Berth::Test->new(keep_unused => '1h', store => Berth::Cluster->inherited->dir . "/full$$");

	put_file($t->store, "file $_") for 1 .. 150;
	age($t->store);
	my @before = files($t->store);
	my $why = collect($t);
	is_deeply([files($t->store)], \@before, 'no file goes');
	like($why, qr/has blobs and no registry-id.*berth store adopt/, 'and the worker says why');
	ok(!-e $t->store . '/registry-id', 'it does not take the store for its own');
};

my $p = Berth::Publish->new(keep_unused => '1h', workers => 1);
my $t = $p->test;

sub download { return $p->get("/$_[0]/1.0.0/download") }

is($p->publish($_, '1.0.0')->{status}, 200, "$_ is published") for map { "crate$_" } 1 .. 5;

subtest 'a second registry on a copy of the store' => sub {
	my $copy = $t->dir . '/copy';
	Berth::Cluster::run_command('cp', '-a', $t->store, $copy);
	my $u = another(Berth::Test->new(keep_unused => '1h', store => $copy));

	age($copy);
	my @before = files($copy);
	my $why = collect($u);
	is_deeply([files($copy)], \@before, 'no file goes');
	like($why, qr/belongs to the registry [0-9a-f-]{36}, but the database is the registry/,
	    'and the worker says why');
};

subtest 'a database that was restored from an old dump' => sub {
	my $restored = "$t->{database}_old";

	psql_known($t, "UPDATE store_state"
	    . " SET moved_at = now() - interval '1 h', adopted_at = now() - interval '1 y'");
	collect($t);
	$t->stop_worker;
	$t->stop_pool;
	Berth::Cluster->inherited->sql('postgres',
	    "CREATE DATABASE $restored TEMPLATE $t->{database} OWNER berth_owner",
	    "GRANT CONNECT ON DATABASE $restored TO berth");
	is($p->publish($_, '1.0.0')->{status}, 200, "$_ is published") for map { "later$_" } 1 .. 3;
	psql_known($t, "UPDATE store_state"
	    . " SET moved_at = now() - interval '1 h', adopted_at = now() - interval '1 y'");
	is(collect($t), '', 'later something is collected');
	$t->stop_worker;
	$t->stop_pool;
	age($t->store);
	my @before = files($t->store);
	my $now = $t->{database};
	$t->{database} = $restored;
	$t->conf(database => $t->dsn('berth'));
	my $why = collect($t);
	is_deeply([files($t->store)], \@before, 'no file goes');
	like($why, qr/collection-mark differs from the database's mark.*run `berth store adopt`/,
	    'and the worker says why');
	is($p->get('/crate1/1.0.0/download')->{status}, 200, 'what it knows is served');
	my ($status, $out) = $t->berth(qw(store show));
	like($out, qr/^marks:? +other$/m, 'berth store show');
	($status, $out) = $t->berth(qw(store adopt));
	is($status, 0, 'a third of the files are unknown, but the store has the id of the registry');
	like($out, qr/^unknown:? +3$/m, '  which it says');
	is(collect($t), '', 'adopted anew');
	is_deeply([files($t->store)], \@before, 'and again a first period, in which nothing goes');
	like($t->log('worker'), qr/new to this store: nothing is removed for another 3\d\d\d seconds/,
	    'which is logged');
	$t->stop_worker;
	$t->stop_pool;
	$t->{database} = $now;
	$t->conf(database => $t->dsn('berth'));
	like(collect($t), qr/collection-mark/, 'the other database has the older mark now');
	$t->berth_ok(qw(store adopt));
	psql_known($t, "UPDATE store_state SET adopted_at = now() - interval '1 y'");
	is(collect($t), '', 'until it is adopted');
	Berth::Cluster->inherited->sql('postgres', "DROP DATABASE $restored");
};

subtest 'a database that was restored from a dump after the last collection' => sub {
	my ($now, $restored, $dump) = ($t->{database}, "$t->{database}_new", $t->dir . '/dump');
	my $cluster = Berth::Cluster->inherited;

	$t->stop_worker;
	$t->stop_pool;
	Berth::Cluster::run_command($cluster->tool('pg_dump'), '-Fc', '-f', $dump, '-d', $t->dsn('postgres'));
	is($p->publish('younger', '1.0.0')->{status}, 200, 'a version is published after the dump');
	$t->stop_pool;
	age($t->store);
	$cluster->sql('postgres', "CREATE DATABASE $restored OWNER berth_owner",
	    "GRANT CONNECT ON DATABASE $restored TO berth");
	$t->{database} = $restored;
	Berth::Cluster::run_command($cluster->tool('pg_restore'), '-d', $t->dsn('postgres'), $dump);
	$t->conf(database => $t->dsn('berth'));
	$t->psql("UPDATE store_state SET held_at = now(), held_files = 1");
	$t->berth_ok(qw(store collect --confirm));
	my @before = files($t->store);
	my $why = qr/the database was restored from a dump and may lack blobs of the store.*run `berth store adopt`/;
	like(collect($t), $why, 'the worker says why it removes nothing');
	like(collect($t), $why, 'and says so again');
	is_deeply([files($t->store)], \@before, 'no file goes');
	like($t->berth_ok(qw(store show)), qr/^restored:? +(?:yes|true)$/m, 'berth store show');
	my (undef, $out) = $t->berth(qw(store adopt --dry-run));
	like($out, qr/^unknown:? +1$/m, 'berth store adopt --dry-run counts the unknown file');
	# a store that was copied back lacks what the backup of berth-operations(7) leaves out
	remove_tree(map { $t->store . "/$_" } qw(staging trash));
	$t->berth_ok(qw(store adopt));
	ok(-d $t->store . '/staging', 'the adoption makes what a backup lacks');
	is(collect($t), '', 'the collector runs after the adoption');
	like($t->berth_ok(qw(store show)), qr/^restored:? +(?:no|false)$/m, 'berth store show says so');
	$t->stop_worker;
	$t->stop_pool;
	$t->{database} = $now;
	$t->conf(database => $t->dsn('berth'));
	$t->berth_ok(qw(store adopt));
	psql_known($t, "UPDATE store_state SET adopted_at = now() - interval '1 y'");
	is(collect($t), '', 'the first database goes on');
	$cluster->sql('postgres', "DROP DATABASE $restored");
};

# ---- what everybody says of a store that is another's ----

subtest 'a store of another registry' => sub {
	my $u = another(Berth::Test->new(workers => 1, store => $t->store, node => 'other'));
	my $id = $u->project('demo/registry');
	$u->user('dev');
	$u->member('dev', 'demo', 'developer');
	my $token = $u->token('dev');
	my $sentence = qr/this host's store is not the registry's store: it takes no publish and serves no download/;
	my @before = files($t->store);
	my $res = $u->publish($id, $token, 'foreign', '1.0.0');

	is($res->{status}, 503, 'a publish');
	like($u->json($res)->{errors}[0]{detail}, $sentence, 'is told so in one sentence');
	$u->psql("INSERT INTO blobs (sha256, size) VALUES (repeat('0', 64), 1)");
	$res = $u->http(GET => '/-/readiness');
	is($res->{status}, 503, 'not ready');
	is($u->json($res)->{store}, "not the registry's", 'since the store is not its own');
	like($u->json($res)->{store_detail}, qr/belongs to the registry/, 'and whose it is');
	is($u->http(GET => '/-/readiness?for=reads')->{status}, 503, 'nor for reads');
	is($u->http(GET => '/-/liveness')->{status}, 200, 'but alive');
	like(tested($u, $_), qr/\A1 $_: store .* belongs to the registry/, "$_ -t") for qw(berth-fcgi berth-worker);
	my ($status, undef, $err) = $u->berth('fsck');
	is($status, 1, 'berth fsck');
	like($err, qr/belongs to the registry/, 'says why');
	Berth::Test::write_file($t->store . '/staging/' . 'ab' x 16, 'half a crate');
	utime(time - MONTH, time - MONTH, $t->store . '/staging/' . 'ab' x 16);
	$u->start_worker;
	for my $kind (qw(apply_retention check_store collect_blobs destroy_versions sweep_staging)) {
		ok($u->wait_for(sub { $u->psql("SELECT error FROM tasks"
		    . " WHERE kind = '$kind'") =~ /belongs to the registry/ }), "$kind waits");
	}
	ok($u->wait_for(sub { $u->psql("SELECT done_at IS NOT NULL FROM tasks"
	    . " WHERE kind = 'sweep_limits'") eq 't' }), 'other tasks are done');
	ok(-e $t->store . '/staging/' . 'ab' x 16, 'what it has staged stays');
	unlink($t->store . '/staging/' . 'ab' x 16);
	($status, undef, $err) = $u->berth(qw(store adopt));
	is($status, 1, 'it cannot be adopted');
	like($err, qr/do not match: the store belongs to the registry .*--force/, 'without being forced');
	is_deeply([files($t->store)], \@before, 'nothing has changed in it');
};

subtest 'a store that is not mounted' => sub {
	my $R = '/crate1/1.0.0/download';
	my $away = qr/this host's store is missing or cannot be read/;

	is($p->get($R)->{status}, 200, 'a download');
	rename($t->store, $t->store . '.away') or die "store: $!\n";
	my $gone = $p->get($R);
	is($gone->{status}, 503, 'a download without the directory');
	like($gone->{body}, qr/\A$away[^\n]*\n?\z/, 'says that the store is away, in one sentence');
	$gone = $t->publish($p->id, $p->token, 'nowhere', '1.0.0');
	is($gone->{status}, 503, 'a publish');
	like($t->json($gone)->{errors}[0]{detail}, $away, 'says the same');
	like($t->log('pool'), qr/\Q@{[$t->store]}\E: open: No such file/, 'the log has the reason');
	mkdir($t->store);
	mkdir($t->store . "/$_") for qw(staging trash);
	my $res = $p->get($R);
	is($res->{status}, 503, 'without the file system');
	like($res->{body}, qr/\A[^\n]*this host's store is not the registry's store[^\n]*\n?\z/, 'one sentence');
	is($p->publish('nowhere', '1.0.0')->{status}, 503, 'a publish');
	is($t->http(GET => '/-/readiness')->{status}, 503, 'readiness');
	like(tested($t, 'berth-fcgi'), qr/is it mounted/, '-t');
	rmdir($t->store . "/$_") for qw(staging trash);
	rmdir($t->store) or die "store: $!\n";
	rename($t->store . '.away', $t->store) or die "store: $!\n";
	is($p->get($R)->{status}, 200, 'mounted again, it goes on at once');
	is($p->publish('nowhere', '1.0.0')->{status}, 200, 'a publish, too');
};

subtest 'one blob is missing' => sub {
	my ($sha) = $t->psql("SELECT v.cksum FROM versions v JOIN crates c ON c.id = v.crate_id"
	    . " WHERE c.name = 'crate2'");
	my ($path) = grep { m{/$sha\z} } files($t->store);

	rename($path, "$path.away") or die "$path: $!\n";
	my $res = download('crate2');
	is($res->{status}, 503, 'a download');
	my $missing = qr/the bytes of crate2 1\.0\.0 are missing in this host's store/;
	like($res->{body}, qr/\A$missing; tell the registry's administrator\n?\z/, 'says what is missing');
	like($t->http(GET => '/-/metrics')->{body}, qr/^berth_blobs_missing_total [1-9]/m, 'and is counted');
	rename("$path.away", $path) or die "$path: $!\n";
	is(download('crate2')->{status}, 200, 'there again');
};

# ---- stores of before stores had ids ----

subtest 'a store without an id' => sub {
	my $id = $t->store . '/registry-id';

	$t->stop_worker;
	$t->stop_pool;
	unlink($id, $t->store . '/collection-mark');
	$t->psql('UPDATE store_state SET adopted_at = NULL, mark = NULL');
	is(download('crate1')->{status}, 200, 'a download');
	is($p->publish('unnamed', '1.0.0')->{status}, 200, 'a publish');
	is($t->http(GET => '/-/readiness')->{status}, 200, 'ready');
	like(tested($t, 'berth-worker'), qr/\A0 .*warning: store .* has no registry-id yet/, '-t warns');
	like(collect($t), qr/nothing is removed from it until an administrator has run `berth store adopt`/,
	    'nothing is removed');
	my ($status, $out) = $t->berth(qw(store adopt --dry-run));
	is($status, 0, 'they fit');
	like($out, qr/^missing:? +0$/m, 'it tells what it has compared');
	ok(!-e $id, '--dry-run changes nothing');
	my ($sha) = trash_of_name('crate3');
	rename(path_of('crate3'), path_of('crate3') . '.away');
	($status, undef, my $err) = $t->berth(qw(store adopt));
	is($status, 1, 'a blob is missing');
	like($err, qr/the store lacks 1 of the \d+ blobs that versions need/, 'says so');
	rename(path_of('crate3') . '.away', path_of('crate3'));
	my @unknown = map { put_file($t->store, "unknown $_") } 1 .. 5;
	($status, undef, $err) = $t->berth(qw(store adopt));
	is($status, 1, 'a third of the files are unknown');
	like($err, qr/the database does not know 5 of the \d+ files of the store/, 'says so');
	for my $sha256 (@unknown) {
		unlink(join('/', $t->store, substr($sha256, 0, 2), substr($sha256, 2, 2), $sha256)) or die "$sha256: $!\n";
	}
	$t->berth_ok(qw(store adopt));
	is(Berth::Cluster::slurp($id), $t->psql('SELECT id FROM registry') . "\n", 'adopted');
	is($t->psql("SELECT count(*) FROM audit_events WHERE action = 'store.adopt'"
	    . " AND detail ->> 'registry' IS NOT NULL") > 0, 1, 'in the audit log');
	is(tested($t, 'berth-worker'), '0 ', '-t is content');
};

subtest 'a new installation' => sub {
	my $u = another(Berth::Test->new(workers => 2, store => $t->dir . '/new'));

	is(tested($u, $_) =~ /\A0 / ? 1 : 0, 1, "$_ -t is content") for qw(berth-fcgi berth-worker);
	ok(!-e $u->store . '/registry-id', 'and changes nothing');
	$u->start_pool;
	ok($u->wait_for(sub { -e $u->store . '/registry-id' }), 'the store gets its id by itself');
	is(Berth::Cluster::slurp($u->store . '/registry-id'), $u->psql('SELECT id FROM registry') . "\n",
	    'the right one');
	# the file comes first
	ok($u->wait_for(sub { $u->psql('SELECT adopted_at IS NOT NULL FROM store_state') eq 't' }),
	    'and the database knows since when');
};

# ---- trash, and how much may go at once ----

sub path_of {
	my ($name) = @_;
	my ($sha) = trash_of_name($name);

	return join('/', $t->store, substr($sha, 0, 2), substr($sha, 2, 2), $sha);
}

sub trash_of_name {
	return $t->psql("SELECT v.cksum FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.name = '$_[0]'");
}

subtest 'the trash' => sub {
	my $sha = put_file($t->store, 'nobody knows me');

	age($t->store);
	$t->long_together;
	is(collect($t), '', 'something is collected');
	is_deeply([trash($t->store)], [$sha], 'and lies in the trash');
	is(Berth::Cluster::slurp($t->store . "/trash/$sha"), 'nobody knows me', 'whole');
	is(collect($t), '', 'again');
	is_deeply([trash($t->store)], [$sha], 'it stays there');
	utime(time - MONTH, time - MONTH, $t->store . "/trash/$sha");
	is(collect($t), '', 'after keep_unused');
	is_deeply([trash($t->store)], [], 'it goes');
	# a version's bytes have come there, whoever did that
	my $path = path_of('crate4');
	rename($path, $t->store . '/trash/' . ($path =~ m{([^/]+)\z})[0]) or die "$path: $!\n";
	my ($status, $out) = $t->berth('fsck');
	is($status, 1, 'berth fsck');
	like($out, qr/^blob missing .* \(sha256 \S+ +it is in the trash: --repair puts it back/m, 'finds it');
	is(($t->berth(qw(fsck --repair)))[0], 0, 'and repairs it');
	is(download('crate4')->{status}, 200, 'it can be downloaded');
	is_deeply([trash($t->store)], [], 'and the trash is empty');
	rename($path, $t->store . '/trash/' . ($path =~ m{([^/]+)\z})[0]) or die "$path: $!\n";
	utime(time - MONTH, time - MONTH, glob($t->store . '/trash/*'));
	is(collect($t), '', 'who empties the trash');
	is(download('crate4')->{status}, 200, 'puts it back, too');
	like($t->log('worker'), qr/1 blobs that versions need were in the trash; the store has them again/,
	    'and says so');
	# damaged bytes are no bytes
	Berth::Test::write_file($t->store . '/trash/' . ($path =~ m{([^/]+)\z})[0], 'garbage');
	rename($path, "$path.away");
	is(($t->berth(qw(fsck --repair)))[0], 1, 'other bytes');
	ok(!-e $path, 'are not put back');
	rename("$path.away", $path);
	unlink(glob($t->store . '/trash/*'));
	# a publish of equal bytes while they lie there
	my $crate = $t->make_crate('again', '1.0.0');
	my $lost = put_file($t->store, $crate);
	age($t->store);
	is(collect($t), '', 'bytes that nobody has');
	is_deeply([trash($t->store)], [$lost], 'lie in the trash');
	is($p->put_crate('again', '1.0.0', $crate)->{status}, 200, 'they are published');
	is(download('again')->{status}, 200, 'and there');
	utime(time - MONTH, time - MONTH, glob($t->store . '/trash/*'));
	is(collect($t), '', 'when the trash is emptied');
	is(download('again')->{body}, $crate, 'they stay');
};

subtest 'too many at once' => sub {
	my $stray = 101;
	put_file($t->store, "stray $_") for 1 .. $stray;
	age($t->store);
	my @before = files($t->store);
	my $of = @before;
	my $why = collect($t);

	like($why, qr/nothing is removed: $stray of $of files would go, .*berth store collect --confirm/,
	    'it stops');
	is_deeply([files($t->store)], \@before, 'before anything goes');
	like($t->log('worker'), qr/level=warn .*kind=collect_blobs .*nothing is removed: $stray of $of/,
	    'the log warns');
	like($t->berth_ok(qw(tasks list --kind collect_blobs)), qr/nothing is removed: $stray of $of/,
	    'berth tasks list');
	like($t->http(GET => '/-/metrics')->{body}, qr/^berth_store_collection_held_files $stray$/m, 'a metric');
	like($t->berth_ok(qw(store show)), qr/^held_files:? +$stray$/m, 'berth store show');
	like(collect($t), qr/nothing is removed/, 'it goes on waiting');
	is(($t->berth(qw(store collect)))[0], 2, '--confirm is needed');
	is($t->berth_ok(qw(store collect --confirm)), $stray, 'an administrator confirms it');
	ok($t->wait_for(sub { trash($t->store) == $stray }), 'and they go');
	is(scalar(my @left = files($t->store)), $of - $stray, 'no others');
	ok($t->wait_for(sub { $t->http(GET => '/-/metrics')->{body} =~ /^berth_store_collection_held_files 0$/m }),
	    'nothing waits any more');
	put_file($t->store, "more $_") for 1 .. $stray + 1;
	age($t->store);
	like(collect($t), qr/nothing is removed: @{[$stray + 1]} of/, 'the next run is not confirmed');
	my ($status, undef, $err) = $t->berth(qw(store collect --confirm));
	is($status, 0, 'it can be');
	ok($t->wait_for(sub { trash($t->store) == 2 * $stray + 1 }), 'they go as well');
	($status, undef, $err) = $t->berth(qw(store collect --confirm));
	is($status, 1, 'nothing more to confirm');
	like($err, qr/no collection is waiting for confirmation/, 'says so');
	is($t->psql("SELECT count(*) FROM audit_events WHERE action = 'store.confirm'"), 2,
	    'both are in the audit log');
	is(($t->berth('fsck'))[0], 0, 'all that versions need is there');
};

$t->stop_worker;
done_testing();
