#!/usr/bin/perl

# Each way in which files leave the store, as berth-operations(7) lists them: what goes and what stays, and
# that nothing goes in a store of another registry.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Find ();
use File::Path qw(make_path);
use Test::More;
use Time::HiRes qw(time);

use Berth::Cluster;
use Berth::Publish;
use Berth::Test;

use constant MONTH => 30 * 86400;

my $p = Berth::Publish->new(workers => 1, keep_unused => '1h', deletion_grace => '1h');
my $t = $p->test;
my $store = $t->store;

# path below the store => its bytes' digest
sub snapshot {
	my %files;

	$p->uploads_are_over;

	File::Find::find({ no_chdir => 1, wanted => sub {
		$files{ s{^\Q$store\E/}{}r } = sha256_hex(Berth::Cluster::slurp($_)) if -f;
	} }, $store);
	return \%files;
}

# The files that are gone or changed, without node files, which come and go.
sub gone {
	my ($before) = @_;
	my $after = snapshot();

	return join(' ', grep { !m{^(?:nodes/|collection-mark$)} && ($after->{$_} // '') ne $before->{$_} }
	    sort keys %$before);
}

sub age { utime(time - MONTH, time - MONTH, map { "$store/$_" } @_); }

# The path of a blob below the store.
sub blob { return join('/', substr($_[0], 0, 2), substr($_[0], 2, 2), $_[0]); }

sub put_unknown {
	my ($bytes) = @_;
	my $path = blob(sha256_hex($bytes));

	make_path("$store/" . substr($path, 0, 5));
	Berth::Test::write_file("$store/$path", $bytes);
	return $path;
}

sub put_at {
	my ($path, $bytes) = @_;

	Berth::Test::write_file("$store/$path", $bytes);
	return $path;
}

sub blob_of {
	return blob($t->psql("SELECT v.cksum FROM versions v JOIN crates c ON c.id = v.crate_id"
	    . " WHERE c.name = '$_[0]'"));
}

sub task {
	my ($kind) = @_;

	$t->run_tasks($kind);
}

# A staging file that is too old, and files that only look like one.
sub stage {
	my @old = map { put_at("staging/$_", 'half') } 'ab' x 16;
	my @other = map { put_at("staging/$_", 'half') } 'cd' x 16, 'README';

	age(@old, 'staging/README');
	return @old;
}

my %way = (
	'upload-end' => sub {
		is($p->publish('taken', '1.0.0')->{status}, 200, 'a publish that succeeds');
		is($p->put_crate('bad', '1.0.0', 'no crate')->{status}, 400, 'one that does not');
		return ();
	},
	readiness => sub {
		is($t->http(GET => '/-/readiness')->{status}, 200, 'ready');
		return ();
	},
	'pool-start' => sub {
		my @old = stage();
		my $before = snapshot();

		$t->stop_pool;
		$t->start_pool;
		$t->wait_for(sub { !grep { -e "$store/$_" } @old });
		return ($before, @old);
	},
	sweep_staging => sub {
		# each worker of a pool sweeps when it starts, the last one perhaps only now
		$t->stop_pool;
		my @old = stage();
		my $before = snapshot();

		task('sweep_staging');
		$t->start_pool;
		return ($before, @old);
	},
	'publish-replaces' => sub {
		my $crate = $t->make_crate('torn', '1.0.0');
		my $path = put_unknown($crate);

		put_at($path, 'torn');
		my $before = snapshot();
		is($p->put_crate('torn', '1.0.0', $crate)->{status}, 200, 'it is published');
		is($p->get('/torn/1.0.0/download')->{body}, $crate, 'whole');
		return ($before, $path);
	},
	'collect-unused' => sub {
		$p->publish($_, '1.0.0') for qw(unused used);
		my $path = blob_of('unused');

		$t->psql("DELETE FROM versions v USING crates c WHERE c.id = v.crate_id AND c.name = 'unused'");
		$t->psql("UPDATE blobs SET unused_since = now() - interval '2 h' WHERE sha256 = '"
		    . substr($path, 6) . "'");
		my $before = snapshot();
		task('collect_blobs');
		is(snapshot()->{ 'trash/' . substr($path, 6) }, $before->{$path}, 'it lies in the trash');
		return ($before, $path);
	},
	'collect-unknown' => sub {
		my ($path) = map { put_unknown($_) } 'old and unknown', 'young and unknown';

		age($path);
		my $before = snapshot();
		task('collect_blobs');
		is(snapshot()->{ 'trash/' . substr($path, 6) }, $before->{$path}, 'it lies in the trash');
		return ($before, $path);
	},
	'empty-trash' => sub {
		my @paths = map { put_at('trash/' . sha256_hex($_), $_) } 'rotten', 'fresh', 'needed';
		my $needed = blob_of('used');

		put_at('trash/README', 'stays');
		rename("$store/$needed", "$store/trash/" . substr($needed, 6)) or die "$needed: $!\n";
		age($paths[0], 'trash/README', 'trash/' . substr($needed, 6));
		my $before = snapshot();
		task('collect_blobs');
		is($p->get('/used/1.0.0/download')->{status}, 200, 'what a version needs is back in its place');
		return ($before, $paths[0], 'trash/' . substr($needed, 6));
	},
	'fsck-repair' => sub {
		my $needed = blob_of('used');

		rename("$store/$needed", "$store/trash/" . substr($needed, 6)) or die "$needed: $!\n";
		my $before = snapshot();
		$t->berth_ok(qw(fsck --repair));
		is(snapshot()->{$needed}, $before->{ 'trash/' . substr($needed, 6) }, 'it is back in its place');
		return ($before, 'trash/' . substr($needed, 6));
	},
	'fsck-from' => sub {
		my $needed = blob_of('used');
		my $bytes = Berth::Cluster::slurp("$store/$needed");

		put_at($needed, "$bytes and more");
		Berth::Test::write_file($t->dir . '/kept.crate', $bytes);
		my $before = snapshot();
		$t->berth_ok('fsck', '--from', $t->dir . '/kept.crate');
		ok(Berth::Cluster::slurp("$store/$needed") eq $bytes, 'it is as it was');
		return ($before, $needed);
	},
	restore => sub {
		my @owner = ('--database', $t->dsn('berth_owner'));

		$t->berth_ok('backup', @owner, $t->dir . '/backup');
		my $before = snapshot();
		is(($t->berth('restore', @owner, $t->dir . '/backup'))[0], 1, 'a store that is in use is refused');
		return ($before);
	},
	probe_store => sub {
		put_at('nodes/' . 'ab' x 16, "1 gone\n");
		age('nodes/' . 'ab' x 16);
		my $before = snapshot();
		task('probe_store');
		ok(!-e "$store/nodes/" . 'ab' x 16, 'the file of a node goes');
		return ($before);
	},
	adopt => sub {
		my $before = snapshot();

		$t->berth_ok(qw(store adopt --force));
		isnt(snapshot()->{'collection-mark'}, $before->{'collection-mark'}, 'there is another mark');
		$t->long_together;
		return ($before);
	},
	delete => sub {
		is($p->publish('deleted', '1.0.0')->{status}, 200, 'a publish');
		my $before = snapshot();
		$t->berth_ok(qw(delete demo/registry deleted@1.0.0));
		return ($before);
	},
	apply_retention => sub {
		$p->publish('many', $_) for '1.0.0-a', '1.0.0-b', '1.0.0-c';
		$t->psql("UPDATE versions SET published_at = published_at - interval '3 years'");
		$t->berth_ok(qw(retention set demo/registry keep_prereleases=1 enabled=on));
		my $before = snapshot();
		task('apply_retention');
		is($t->psql("SELECT count(*) FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.name = 'many'"
		    . " AND status = 'pending_destruction'"), 2, 'versions are deleted');
		$t->berth_ok(qw(retention set demo/registry enabled=off));
		return ($before);
	},
	destroy_versions => sub {
		my $before = snapshot();

		$t->psql("UPDATE versions SET deleted_at = deleted_at - interval '2 h'"
		    . " WHERE status = 'pending_destruction'");
		task('destroy_versions');
		is($t->psql("SELECT count(*) FROM versions WHERE status = 'pending_destruction'"), 0, 'rows are gone');
		return ($before);
	},
	uninstall => sub {
		my $before = snapshot();
		my ($status, $out) = Berth::Cluster::capture({ dir => $Berth::Cluster::ROOT }, 'make', '-n', 'uninstall',
		    'DESTDIR=/there', 'PREFIX=/usr');

		is($status, 0, 'make uninstall');
		my @else = grep { !m{^/there/usr/(?:sbin|bin|libexec)/berth[a-z-]*$|^/there/usr/share/(?:berth$|man/)} }
		    $out =~ m{(/there/\S+)}g;
		is("@else", '', 'removes programs, manual pages and samples');
		return ($before);
	},
);

my $page = Berth::Cluster::slurp("$Berth::Cluster::ROOT/fcgi/man/berth-operations.7");
my ($section) = $page =~ /^\.Ss What leaves the store\n(.*?)^\.Ss /ms;
my @listed = $section =~ /^\.It Cm (\S+)$/mg;
my @order = grep { $way{$_} } @listed;

is_deeply([sort @listed], [sort keys %way], 'the manual page lists the ways that are tested here');

# A new call needs a new way in the list.
my %calls;
for my $file (glob("$Berth::Cluster::ROOT/fcgi/{store,store/*,tasks,admin,api,api/*,crate,crate/*}/*.c")) {
	my $n = () = Berth::Cluster::slurp($file)
	    =~ /\b(?:unlink|unlinkat|rename|renameat|renameat2|rmdir|remove|truncate|ftruncate)\(/g;
	$calls{ $file =~ s{.*/}{}r } = $n if $n > 0;
}
# key.c replaces the file of keys, or removes the new one, and backup_target.c files of backups: they lie
# elsewhere.
# blob_copies.c and blob_copy.c work on a node's copies of an object store, not on the store.
is_deeply(\%calls, { 'backup_copy.c' => 2, 'backup_manifest.c' => 1, 'backup_restore.c' => 1,
    'backup_target.c' => 3, 'blob.c' => 1, 'blob_copies.c' => 1, 'blob_copy.c' => 3, 'blob_dir.c' => 1,
    'blob_files.c' => 3, 'blob_line.c' => 2, 'blob_stage.c' => 2, 'blob_trash.c' => 1, 'key.c' => 2,
    'store_node.c' => 1 }, 'the code has no other calls that remove or replace files');

is($p->publish('base', '1.0.0')->{status}, 200, 'a publish');
$t->long_together;
$t->start_worker;
# the one that a worker begins with
task('sweep_staging');

for my $name (@order) {
	subtest $name => sub {
		my $first = snapshot();
		my ($before, @goes) = $way{$name}->();

		is(gone($before // $first), join(' ', sort @goes), 'this goes, and nothing else');
		ok($p->uploads_are_over, 'and no upload is left');
	};
}

subtest 'a store of another registry' => sub {
	my $unused = blob_of('used');
	my @old = (stage(), put_unknown('stays'), put_at('trash/' . sha256_hex('stays too'), 'stays too'));

	$t->stop_worker;
	$t->stop_pool;
	age(@old[1, 2]);
	$t->psql("DELETE FROM versions v USING crates c WHERE c.id = v.crate_id AND c.name = 'used'");
	$t->psql("UPDATE blobs SET unused_since = now() - interval '2 h' WHERE sha256 = '"
	    . substr($unused, 6) . "'");
	$t->psql('UPDATE registry SET id = gen_random_uuid(); UPDATE tasks SET run_at = now(), error = NULL');
	my $before = snapshot();
	$t->start_pool;
	$t->start_worker;
	for my $kind (qw(apply_retention collect_blobs destroy_versions probe_store sweep_staging)) {
		ok($t->wait_for(sub { $t->psql("SELECT error FROM tasks"
		    . " WHERE kind = '$kind'") =~ /belongs to the registry/ }), "$kind is not done");
	}
	is($p->publish('foreign', '1.0.0')->{status}, 503, 'nothing is published');
	is($t->http(GET => '/-/readiness')->{status}, 503, 'nor is it ready');
	is(($t->berth(qw(fsck --repair)))[0], 1, 'nor repaired');
	is(($t->berth(qw(store adopt)))[0], 1, 'nor adopted');
	is(gone($before), '', 'nothing goes');
};

$t->stop_worker;
done_testing();
