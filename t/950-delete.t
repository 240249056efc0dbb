#!/usr/bin/perl

# Deleting versions: what leaves at once, what can come back, and what never can: other bytes
# under a version that somebody may have in a lock file.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Berth::Agreement qw(agrees);
use Berth::Crate;
use Berth::Fault;
use Berth::Populate;
use Berth::Publish;

my $p = Berth::Publish->new(workers => 3);
my $t = $p->test;
my $fault = Berth::Fault->new($t);
my $project = 'demo/registry';
my $json = JSON::PP->new;

sub delete_ok { return $t->berth_ok('delete', $project, @_); }
sub undelete_ok { return $t->berth_ok('undelete', $project, @_); }
sub versions_of { return join(' ', map { $_->{vers} } $p->index_lines($_[0])); }
sub index_status { return $p->get('/' . Berth::Publish::index_path($_[0]))->{status}; }
sub etag_of { return $p->get('/' . Berth::Publish::index_path($_[0]))->{headers}{etag}; }
sub published { my ($crate, @versions) = @_;
	is($p->publish($crate, $_)->{status}, 200, "$crate $_ is published") for @versions; }

sub fails {
	my ($name, $want, $why, @args) = @_;
	my ($status, $out, $err) = $t->berth(@args);

	is("$status$out", $want, "$name: exit status");
	like($err, $why, "$name: says why");
}

# As Berth::Publish::refused; what there was before is what is there now.
sub refused {
	my ($name, $publish, $detail) = @_;

	delete $p->{before};
	$p->refused($name, $publish->(), 400, $detail);
}

# Destroys what is deleted, as time and the worker do.
sub destroy {
	$t->psql("UPDATE versions SET deleted_at = deleted_at - interval '8 days'"
	    . " WHERE status = 'pending_destruction'");
	$t->run_tasks('destroy_versions');
	is($t->psql("SELECT count(*) FROM versions WHERE status = 'pending_destruction'"), 0,
	    'what was deleted long ago is destroyed');
}

# Other bytes for the same version.
sub other { my ($crate, $version) = @_;
	return Berth::Crate::make($crate, $version, files => { 'src/lib.rs' => "// other\n" }); }

subtest 'one version' => sub {
	published('Foo_bar', '1.0.0', '1.1.0+meta', '1.2.0');
	my $etag = etag_of('Foo_bar');
	is($json->decode(delete_ok(qw(foo-BAR@1.1.0 --dry-run --json)))->[0]{version}, '1.1.0+meta',
	    'a dry run names it');
	is(etag_of('Foo_bar'), $etag, 'and changes nothing');
	my $done = $json->decode(delete_ok(qw(foo-BAR@1.1.0+other --json)));
	my $id = $t->psql("SELECT id FROM versions WHERE version = '1.1.0+meta'") + 0;
	is_deeply([map { [@$_{qw(version_id crate version)}] } @$done],
	    [[$id, 'Foo_bar', '1.1.0+meta']], 'what was deleted');
	is(versions_of('Foo_bar'), '1.0.0 1.2.0', 'it has left the index');
	isnt(etag_of('Foo_bar'), $etag, 'which has another ETag');
	is($p->get('/Foo_bar/1.1.0+meta/download')->{status}, 404, 'and cannot be downloaded');
	is($p->get('/Foo_bar/1.2.0/download')->{status}, 200, 'the others can');
	is($p->http(DELETE => $p->root . '/api/v1/crates/foo-bar/1.1.0/yank',
	    { token => $p->token })->{status}, 404, 'nor be yanked');
	is_deeply($json->decode($t->psql("SELECT to_jsonb(e) - 'id' - 'at' FROM audit_events e"
	    . " WHERE action = 'crate.delete'"))->{detail}{version_id}, $id, 'the audit log has it');
	fails('again', '1', qr/is already deleted/, 'delete', $project, 'foo-bar@1.1.0');
	is(($t->berth('delete', $project, 'Foo_bar', '--dry-run'))[2], "berth: dry run: nothing is deleted\n",
	    'which it says');
	is(delete_ok('Foo_bar', '--dry-run') =~ tr/\n//, 2, 'a dry run of all lists the two others');
	agrees($t, 'one is deleted', only => []);
};

subtest 'other bytes' => sub {
	my $same = Berth::Crate::make('Foo_bar', '1.1.0+meta');
	my $other = sub { $p->put_crate('Foo_bar', '1.1.0', other('Foo_bar', '1.1.0')) };

	refused('a deleted version', $other, qr/^crate version `1\.1\.0` was deleted; it can be restored/);
	refused('and with its own bytes', sub { $p->put_crate('Foo_bar', '1.1.0+meta', $same) },
	    qr/^crate version `1\.1\.0` was deleted; it can be restored/);
	destroy();
	refused('one that is destroyed', $other, qr/cannot be published again with other bytes$/);
	$p->taken('its own bytes are taken', 'Foo_bar', '1.1.0+meta', $same);
	is(versions_of('Foo_bar'), '1.0.0 1.2.0 1.1.0+meta', 'it is back, as the newest');
	delete_ok('Foo_bar@1.1.0');
	destroy();
	refused('still no others', $other, qr/cannot be published again with other bytes$/);
};

subtest 'and back' => sub {
	published('back', '1.0.0', '2.0.0');
	is($p->http(DELETE => $p->root . '/api/v1/crates/back/1.0.0/yank',
	    { token => $p->token })->{status}, 200, 'one is yanked');
	$t->psql("UPDATE versions SET status = 'deprecated' WHERE version = '2.0.0'");
	my $etag = etag_of('back');
	is(delete_ok('back') =~ tr/\n//, 2, 'all of a crate');
	is(index_status('back'), 404, 'no index is left');
	is($t->psql('SELECT count(*) FROM tombstones t JOIN crates c ON c.id = t.crate_id'
	    . " WHERE name = 'back'"), 2, 'two tombstones');
	undelete_ok('back@1.0.0');
	is_deeply([map { [@$_{qw(vers yanked)}] } $p->index_lines('back')], [['1.0.0', JSON::PP::true]],
	    'one is back, yanked as it was');
	is(undelete_ok('BACK') =~ tr/\n//, 1, 'and the other');
	is(etag_of('back'), $etag, 'all is as it was');
	is($t->psql("SELECT status FROM versions WHERE version = '2.0.0'"), 'deprecated',
	    'with its status');
	is($p->get('/back/1.0.0/download')->{status}, 200, 'it can be downloaded');
	is($t->psql("SELECT string_agg(version, ' ' ORDER BY id) FROM audit_events"
	    . " WHERE action = 'crate.undelete'"), '1.0.0 2.0.0', 'the audit log has both');
	fails('nothing to bring back', '1', qr/`back` is not deleted/, 'undelete', $project, 'back');
	delete_ok('back@2.0.0');
	$t->run_tasks('destroy_versions');
	undelete_ok('back@2.0.0');
	delete_ok('back@2.0.0');
	destroy();
	fails('what is destroyed', '1', qr/does not have a version `2\.0\.0`/, 'undelete', $project,
	    'back@2.0.0');
};

subtest 'another spelling' => sub {
	published('Old_Name', '1.0.0');
	is(index_status('old-name'), 404, 'a crate under one spelling');
	# the deletion leaves its row in place until a task or a search
	$t->update_search;
	delete_ok('old-name');
	destroy();
	refused('at first nobody may use the name', sub { $p->publish('old-name', '2.0.0') }, qr/recently deleted/);
	is($t->psql("SELECT name FROM crates WHERE normalized_name = 'old-name'"), 'Old_Name',
	    'which changes nothing');
	$t->psql("UPDATE crates SET deleted_at = deleted_at - interval '25 hours' WHERE name = 'Old_Name'");
	refused('and the bytes of a version stay', sub { $p->put_crate('old-name', '1.0.0',
	    other('old-name', '1.0.0')) }, qr/cannot be published again/);
	published('old-name', '2.0.0');
	is(versions_of('old-name'), '2.0.0', 'then another spelling is free');
	is(index_status('old_name'), 404, 'and the one before leads nowhere');
	refused('it rules from then on', sub { $p->publish('Old_Name', '3.0.0') },
	    qr/^crate was previously named `old-name`$/);
	my $found = $t->json($t->http(GET => $p->root . '/api/v1/crates?q=old-name', { token => $p->token }));
	is($found->{crates}[0]{name}, 'old-name', 'a search finds it by the new one');
	$t->update_search;
	is($t->psql('SELECT count(*) FROM crate_search s JOIN crates c ON c.id = s.crate_id WHERE s.name <> c.name'),
	    0, 'as do the pages that list crates');
	published('old-name', '2.1.0');
	$t->berth_ok('fsck');
};

subtest 'the name of a deleted crate' => sub {
	published('Lately', '1.0.0');
	delete_ok('lately');
	my $wait =
	    qr/^crate `Lately` was recently deleted; its name will be available after \d{4}-\d\d-\d\dT[\d:]{8}Z$/;
	my $next = sub { $p->publish('Lately', '2.0.0') };
	refused('case 38: a name deleted lately', $next, $wait);
	refused('another spelling', sub { $p->publish('lately', '2.0.0') },
	    qr/^crate was previously named `Lately`; you can use another spelling once .* its deleted versions$/);
	is($p->publish('user', '1.0.0', deps => ['lately'],
	    metadata => { deps => [dependency('lately')] })->{status}, 400, 'nobody can depend on it');
	destroy();
	refused('case 38: its versions are destroyed', $next, $wait);
	$t->psql("UPDATE crates SET deleted_at = deleted_at - interval '25 hours' WHERE name = 'Lately'");
	published('Lately', '2.0.0');
	is(versions_of('Lately'), '2.0.0', 'a day later it can be used');
	refused('but not the version', sub { $p->put_crate('Lately', '1.0.0',
	    other('Lately', '1.0.0')) }, qr/cannot be published again/);
	delete_ok('lately');
	is($t->psql("SELECT deleted_at > now() - interval '1 hour' FROM crates"
	    . " WHERE name = 'Lately'"), 't', 'the day begins anew');
	$t->conf(deleted_name_wait => 0);
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { $p->publish('Lately', '3.0.0')->{status} == 200 }),
	    'unless the configuration says so');
	$t->conf(deleted_name_wait => undef);
	kill('HUP', $t->pool_pid);
	delete_ok('lately');
	$p->covers(38);
};

SKIP: {
	my $missing = $fault->missing;

	skip $missing, 3 if $missing;
	for my $case (['version', 'racing@1.0.0', 200, '1.0.1 1.1.0'], ['crate', 'racing', 400, '']) {
		my ($what, $word, $status, $left) = @$case;

		subtest "a $what that is deleted while a publish is under way" => sub {
			published('racing', '1.0.0', '1.0.1') if $what eq 'version';
			my $next = $what eq 'version' ? '1.1.0' : '1.2.0';
			my $res = $fault->during('answered:version_check_new',
			    sub { return $p->publish('racing', $next) }, sub { delete_ok($word) });

			is($res->{status}, $status, 'the publish') or diag($res->{body});
			is(versions_of('racing'), $left, 'the index');
		};
	}
	subtest 'a dependency that is deleted while a publish is under way' => sub {
		published('needed', '1.0.0');
		my $own = 'sparse+' . $t->url . $p->root . '/';
		my $res = $fault->during('answered:version_check_new', sub {
			return $p->publish('needs', '1.0.0',
			    toml => qq([dependencies.needed]\nversion = "1"\nregistry-index = "$own"\n),
			    metadata => { deps => [dependency('needed')] });
		}, sub { delete_ok('needed') });

		is($res->{status}, 400, 'the publish');
		like($res->{body}, qr/no known crate named `needed`/, 'says why');
		is($t->psql("SELECT count(*) FROM crates WHERE name = 'needs'"), 0, 'no crate');
	};
}

subtest 'many at once' => sub {
	my @versions = map { "1.$_.0" } 0 .. 11;
	published('many', @versions);
	my @done = $t->parallel(6, sub {
		my ($i) = @_;
		return [map { ($t->berth('delete', $project, "many\@1.$_.0"))[0] } $i, $i + 1];
	});

	is(scalar(grep { $_ == 0 } map { @$_ } @done), 7, 'each is deleted once');
	is(versions_of('many'), '1.7.0 1.8.0 1.9.0 1.10.0 1.11.0', 'the index has the others');
	is($t->psql("SELECT count(*) FROM audit_events WHERE crate = 'many'"
	    . " AND action = 'crate.delete'"), 7, 'one audit row each');
};

subtest 'the command' => sub {
	fails('no project', '1', qr/project `demo\/none` does not exist/, qw(delete demo/none x));
	fails('no crate', '1', qr/crate `none` does not exist/, 'delete', $project, 'none');
	fails('no version', '1', qr/`many` does not have a version `9\.0\.0`/, 'delete', $project,
	    'many@9.0.0');
	fails('no name', '2', qr/invalid character/, 'delete', $project, 'a.b');
	fails('no semver', '2', qr/"1" is an invalid semver version/, 'delete', $project, 'many@1');
	$t->berth_ok('protect', 'add', $project, 'many', '--delete', 'owner');
	delete_ok('many@1.7.0');
	is(versions_of('many'), '1.8.0 1.9.0 1.10.0 1.11.0', 'an administrator meets every rule');
};

# Rows of versions that have been read so far; a session reports its own when it ends.
sub rows_read {
	$t->wait_for(sub {
		return !$t->psql("SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^berth( |\$)'");
	}) or die "a session stays\n";
	return $t->psql("SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_user_tables WHERE relname = 'versions'");
}

# To render the index file takes as long as there are versions; all versions of a crate must not do so each.
subtest 'the cost of a crate with many versions' => sub {
	my %versions = (hundreds => 500, thousands => 5000);
	my $id = $t->psql("SELECT id FROM projects WHERE full_path = '$project'");
	my %cost;

	Berth::Populate::add($t->dsn('postgres'), project => $id, crates => [map { [$_, $versions{$_}] } sort keys
	    %versions]);
	$t->stop_pool;
	for my $crate (sort keys %versions) {
		for my $command (qw(delete undelete)) {
			my $before = rows_read();
			my $rows = $json->decode($t->berth_ok('--json', $command, $project, $crate));

			is(scalar @$rows, $versions{$crate}, "$command: all versions of $crate");
			$cost{$command}{$crate} = (rows_read() - $before) / $versions{$crate};
		}
	}
	# it would be 10; PostgreSQL's statistics change meanwhile, and with them whether it reads some rows twice
	cmp_ok($cost{$_}{thousands} / $cost{$_}{hundreds}, '<', 4, "$_: a version costs as much in a large crate")
	    or diag(explain(\%cost)) for sort keys %cost;
};

sub dependency {
	my ($name) = @_;

	return { name => $name, version_req => '^1', features => [], optional => JSON::PP::false,
		default_features => JSON::PP::true, target => undef, kind => 'normal',
		registry => undef, explicit_name_in_toml => undef };
}

subtest 'what it says' => sub {
	published('undo', '1.0.0');
	my $said = ($t->berth('delete', $project, 'undo'))[2];
	like($said, qr{\Aberth:\ 1\ version\ deleted;\ `berth\ undelete\ \Q$project\E\ CRATE\@VERSION`
	    \ brings\ one\ back\ until\ [\d-]{10}T[\d:]{8}Z\n\z}x, 'a deletion: how to undo it');
	is(($t->berth('undelete', $project, 'undo'))[2], '', 'and back: nothing, since no policy undoes it again');
	is(($t->berth('delete', $project, 'undo', '--json'))[2], '', 'JSON');
};

done_testing();
