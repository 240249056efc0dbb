#!/usr/bin/perl

# berth backup and restore.  The drill: a backup while others publish, the end of everything, and a
# restore elsewhere, which has every version that was acknowledged before the backup began.  And what each
# refuses, what a crash leaves, what verify finds, and which tokens come back to life.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use POSIX ();
use Test::More;

use Berth::Cluster;
use Berth::Fault;
use Berth::Publish;
use Berth::Test;

my $cluster = Berth::Cluster->inherited // Berth::Cluster->start;
my $p = Berth::Publish->new(workers => 3, keep_unused => 0, cache_lease => 3);
my $t = $p->test;
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;
my $json = JSON::PP->new;
my $dir = $t->dir . '/backup';
my @owner = ('--database', $t->dsn('berth_owner'));

# by this time of joining backups tell two databases of one registry apart
$t->long_together;

# (exit status, what was printed, standard error)
sub backup {
	my (@args) = @_;
	my ($status, $out, $err) = $t->berth('backup', '--json', @owner, @args, $dir);

	return ($status, eval { $json->decode($out) } // {}, $err);
}

sub backed_up {
	my ($name, @args) = @_;
	my ($status, $said, $err) = backup(@args);

	is($status, 0, $name) or diag($err);
	return $said;
}

sub verify {
	my ($status, $out, $err) = $t->berth('backup', 'verify', '--json', @_, $dir);

	return ($status, eval { $json->decode($out) } // {}, $err);
}

sub manifests {
	my @names = sort map { m{/(2\d{7}T\d{6}\.\d{3}Z)\.json\z} } glob("$dir/*.json");

	return @names;
}

sub id_of {
	return $t->psql("SELECT id FROM tokens WHERE handle = '" . Berth::Test::token_handle($_[0]) . "'");
}

sub path_of { my ($sha) = @_; return substr($sha, 0, 2) . '/' . substr($sha, 2, 2) . "/$sha"; }

sub sha_of {
	my ($crate) = @_;

	return $t->psql("SELECT v.cksum FROM versions v JOIN crates c ON c.id = v.crate_id"
	    . " WHERE c.name = '$crate'");
}

subtest 'one backup after the other' => sub {
	is($p->publish("crate$_", '1.0.0')->{status}, 200, "crate$_") for 1 .. 3;
	my $first = backed_up('the first');
	is_deeply([@$first{qw(versions blobs copied missing removed)}], [3, 3, 3, 0, 0],
	    'counts what it has');
	is($first->{registry}, $t->psql('SELECT id FROM registry'), 'of this registry');
	is(join(' ', map { sprintf('%o', (stat)[2] & 07777) } $dir, glob("$dir/2*"), glob("$dir/blobs")),
	    '700 600 600 600 700', 'only its owner reads it');
	my $second = backed_up('the second');
	is_deeply([@$second{qw(versions blobs copied)}], [3, 3, 0], 'copies nothing again');
	is($p->publish('crate4', '1.0.0')->{status}, 200, 'another crate');
	is(backed_up('the third')->{copied}, 1, 'copies what is new');
	is(join(' ', verify())  =~ s/HASH.*//r, '0 ', 'it is good');
	is_deeply([@{ (verify('--at', $first->{backup}))[1] }{qw(versions blobs good bad)}], [3, 3, 3, 0],
	    'and so is the first');
	is(backed_up('with --keep', '--keep', 2)->{removed}, 2, 'older ones go');
	is(scalar(manifests()), 2, 'two are left');
	is(scalar(my @files = glob("$dir/2*")), 6, 'with their files');
	is((verify('--at', $first->{backup}))[0], 1, 'the first is gone');
	my ($status, $out) = $t->berth('backup', @owner, $dir);
	is($status, 0, 'for people');
	like($out, qr/^backup: 2\S+\nregistry: .*^blobs: 4$/ms, 'a line for each');

	my $open = $t->dir . '/open';
	mkdir($open, 0755) && chmod(0755, $open) or die "$open: $!\n";
	is(($t->berth('backup', @owner, $open))[0], 0, 'into a directory that all may read');
	my $blob = "$open/blobs/" . path_of(sha_of('crate1'));
	is(join(' ', map { sprintf('%o', (stat)[2] & 07777) } "$open/blobs", $blob), '700 600',
	    'only its owner reads what is in it');
};

subtest 'the command is killed while PostgreSQL dumps' => sub {
	my $bin = $t->dir . '/bin';

	mkdir($bin) or die "$bin: $!\n";
	Berth::Test::write_file("$bin/pg_dump",
	    "#!/bin/sh\necho \$\$ >$bin/new && mv $bin/new $bin/pid && exec sleep 60\n");
	chmod(0755, "$bin/pg_dump") or die;
	local $ENV{PATH} = "$bin:$ENV{PATH}";
	my $pid = Berth::Test::spawn("$bin/log", Berth::Cluster->build_dir . '/berth', '-c', $t->conf_path,
	    'backup', @owner, $dir);
	ok($t->wait_for(sub { -e "$bin/pid" }), 'it dumps');
	my ($dump) = Berth::Cluster::slurp("$bin/pid") =~ /(\d+)/;
	kill('KILL', $pid);
	waitpid($pid, 0);
	ok($t->wait_for(sub { !kill(0, $dump) }), 'pg_dump ends, too') or kill('KILL', $dump);
};

subtest 'what is refused' => sub {
	my @cases = (
		['no name of a bucket', 2, qr/must name a bucket/, 's3://b/x'],
		['below nothing', 1, qr/mkdir/, '/nonexistent/x'],
		['no rights', 1, qr/pg_dump has failed.* role that owns them, with --database/, '--database',
		    $t->dsn('berth'), $t->dir . '/other'],
		['no database', 1, qr/connect/, '--database', 'host=/nonexistent', $t->dir . '/other'],
	);

	for my $case (@cases) {
		my ($name, $want, $why, @args) = @$case;
		my @as = (grep { $_ eq '--database' } @args) ? () : @owner;
		my ($status, $out, $err) = $t->berth('backup', @as, @args);

		is("$status$out", $want, $name);
		like($err, $why, '  says why');
	}
	is(join(' ', glob($t->dir . '/other/*')), '', 'which leaves nothing');
	my $registry = $t->psql('SELECT id FROM registry');
	$t->psql("UPDATE registry SET id = '00000000-0000-4000-8000-000000000000'");
	my ($status, undef, $err) = backup();
	$t->psql("UPDATE registry SET id = '$registry'");
	is($status, 1, 'backups of another registry');
	like($err, qr/has backups of the registry \Q$registry\E/, '  says so');
	my ($newest) = reverse manifests();
	my $later = "$dir/20990101T000000.000Z.json";
	Berth::Test::write_file($later, Berth::Cluster::slurp("$dir/$newest.json")
	    =~ s/("created_at":")[^"]*/${1}2099-01-01T00:00:00Z/r);
	($status, undef, $err) = backup();
	unlink($later);
	is($status, 1, 'a backup of later');
	like($err, qr/has a backup of 2099-\S+, and by the clock of the database's host it is only 20\d\d-\S+: set/,
	    '  says so');
	is((verify('--at', 'x'))[0], 1, 'verify of no backup');
	is(($t->berth('backup', 'verify', '/nonexistent'))[0], 1, 'verify of no directory');
};

subtest 'verify finds each damage' => sub {
	my ($newest) = reverse manifests();
	my $blob = "$dir/blobs/" . path_of(sha_of('crate1'));
	my @cases = (
		['a byte of the dump', "$dir/$newest.dump", sub { $_[0] ^ ("\0" x 8 . "\1") },
		    qr/dump is damaged/],
		['the end of the dump', "$dir/$newest.dump", sub { substr($_[0], 0, -1) },
		    qr/bytes instead of/],
		['no dump', "$dir/$newest.dump", undef, qr/dump is missing/],
		['a line of the list', "$dir/$newest.blobs", sub { $_[0] =~ s/^./x/r }, qr/blobs is damaged/],
		['no list', "$dir/$newest.blobs", undef, qr/blobs is missing/],
		['no JSON', "$dir/$newest.json", sub { "x$_[0]" }, qr/json: /],
		['a manifest of later', "$dir/$newest.json", sub { $_[0] =~ s/"format":1/"format":2/r },
		    qr/json has format 2, and this program knows format 1: use the version of Berth/],
		['a manifest without a number', "$dir/$newest.json", sub { $_[0] =~ s/"schema":/"x":/r },
		    qr/schema/],
		['a byte of a blob', $blob, sub { $_[0] ^ "\1" },
		    qr/blobs\/\S+ is damaged: .*: 0, damaged or unreadable: 1\): remove the damaged files, and the next/s],
		['no blob', $blob, undef, qr/blobs\/\S+ is missing\n.*: 1, damaged or unreadable: 0\): the next/s],
	);

	for my $case (@cases) {
		my ($name, $file, $damage, $why) = @$case;
		my $bytes = Berth::Cluster::slurp($file);

		defined $damage ? Berth::Test::write_file($file, $damage->($bytes)) : unlink($file);
		my ($status, undef, $err) = verify();
		is($status, 1, $name);
		like($err, $why, '  says what');
		Berth::Test::write_file($file, $bytes);
		chmod(0600, $file);
	}
	is((verify())[0], 0, 'without damage it is good');
	unlink($blob);
	is(backed_up('the next one')->{copied}, 1, 'brings a blob back');
	is((verify())[0], 0, 'and is good');
};

# A store that has lost a blob is still backed up, which has to be known.
subtest 'a store without a blob' => sub {
	my $sha = sha_of('crate2');
	my $path = $t->store . '/' . path_of($sha);

	rename($path, "$path.away") or die;
	is((backup())[0], 0, 'earlier backups have it');
	unlink("$dir/blobs/" . path_of($sha));
	my ($status, $said, $err) = backup();
	is("$status $said->{missing}", '1 1', 'or nobody has');
	like($err, qr/the backup is there, but neither .* can give 1 of the blobs/, 'which it says');
	is((verify())[0], 0, 'it is what it says');
	rename("$path.away", $t->store . "/trash/$sha") or die;
	is((backup())[0], 0, 'from the trash');
	rename($t->store . "/trash/$sha", $path) or die;
};

# Waits until a program has come to that point; returns what ends the wait.
sub held_backup {
	my ($point) = @_;

	$fault->arm($point, 'wait');
	pipe(my $in, my $out) or die;
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		Berth::Test::give($out, [backup()]);
		POSIX::_exit(0);
	}
	close($out);
	$t->wait_for(sub { -e $t->dir . '/fault.taken' }) or die "$point was not reached\n";
	return sub {
		$fault->disarm;
		my $result = Berth::Test::take($in);
		waitpid($pid, 0);
		return @$result;
	};
}

sub collect {
	$t->long_together;
	$t->psql('UPDATE store_state SET moved_at = NULL');
	$t->run_tasks('collect_blobs') for 1, 2;
}

subtest 'the collector waits for a backup' => sub {
	is($p->publish('leaves', '1.0.0')->{status}, 200, 'a crate');
	my $path = $t->store . '/' . path_of(my $sha = sha_of('leaves'));
	my $end = held_backup('backup:dumped');

	is((backup())[0], 1, 'another one at the same time is refused');
	$t->psql("DELETE FROM versions WHERE cksum = '$sha'; DELETE FROM crates WHERE name = 'leaves'");
	my $unknown = sha256_hex('unknown');
	mkdir($t->store . '/' . substr(path_of($unknown), 0, 2));
	mkdir($t->store . '/' . substr(path_of($unknown), 0, 5));
	Berth::Test::write_file($t->store . '/' . path_of($unknown), 'unknown');
	collect();
	ok(-e $path, 'a blob that the dump refers to stays');
	ok(-e $t->store . '/' . path_of($unknown), 'as all do');
	my ($status, $said, $err) = $end->();
	is($status, 0, 'the backup ends') or diag($err);
	ok(-e "$dir/blobs/" . path_of($sha), 'and has it');
	collect();
	ok(!-e $path && !-e $t->store . '/' . path_of($unknown), 'then they go');
};

# PostgreSQL has this setting from version 14 on.
subtest 'a database that ends idle sessions' => sub {
	my $set = sub {
		$t->psql("DO \$\$ BEGIN IF EXISTS (SELECT FROM pg_settings WHERE name = 'idle_session_timeout') THEN"
		    . " EXECUTE format('ALTER DATABASE %I $_[0]', current_database()); END IF; END \$\$");
	};

	$set->("SET idle_session_timeout = ''200ms''");
	my $end = held_backup('backup:dumped');
	my $sessions = sub {
		return $t->psql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
		    . " AND application_name ~ '^berth/'$_[0]");
	};
	ok($t->wait_for(sub { $sessions->(" AND state_change > now() - interval '1 second'") == 0 }),
	    'the copying takes longer than that');
	is($sessions->(''), 1, 'the session of the backup stays');
	my ($status, undef, $err) = $end->();
	is($status, 0, 'and the backup is taken') or diag($err);
	$set->('RESET idle_session_timeout');
};

# PostgreSQL has this setting from version 17 on: functions stand in for it, and log what is set.
subtest 'a database that ends long transactions' => sub {
	my $idle = $t->psql("SELECT count(*) FROM pg_settings WHERE name = 'idle_session_timeout'");
	my $lifts = sub {
		my ($name, @command) = @_;
		my $count = sub {
			return scalar(() = Berth::Cluster::slurp($cluster->server_log) =~ /is set: $name = 0$/mg);
		};
		my $before = $count->();

		$t->berth_ok(@command);
		return $count->() > $before ? 1 : 0;
	};

	$t->psql(<<'SQL');
ALTER FUNCTION pg_catalog.current_setting(text, boolean) RENAME TO real_current_setting;
CREATE FUNCTION pg_catalog.current_setting(name text, missing_ok boolean) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN $1 = 'transaction_timeout' THEN '5s' ELSE pg_catalog.real_current_setting($1, $2) END
$$;
ALTER FUNCTION pg_catalog.set_config(text, text, boolean) RENAME TO real_set_config;
CREATE FUNCTION pg_catalog.set_config(name text, value text, is_local boolean) RETURNS text
LANGUAGE plpgsql AS $$ BEGIN
	IF name LIKE '%\_timeout' THEN
		RAISE LOG 'is set: % = %', name, value;
	END IF;
	RETURN CASE name WHEN 'transaction_timeout' THEN value
		ELSE pg_catalog.real_set_config(name, value, is_local) END;
END $$;
SQL
	is($lifts->('transaction_timeout', 'user', 'list'), 1, 'each session of a program lifts it');
	is($lifts->('idle_session_timeout', 'migrate', @owner), $idle, 'a migration also that of idle sessions');
	$t->psql(<<'SQL');
DROP FUNCTION pg_catalog.set_config(text, text, boolean);
ALTER FUNCTION pg_catalog.real_set_config(text, text, boolean) RENAME TO set_config;
DROP FUNCTION pg_catalog.current_setting(text, boolean);
ALTER FUNCTION pg_catalog.real_current_setting(text, boolean) RENAME TO current_setting;
SQL
};

subtest 'a crash' => sub {
	for my $point (qw(backup:dumped backup:synced backup:copied)) {
		my @before = manifests();

		is($p->publish("crash$_", '1.0.0')->{status}, 200, 'a crate') for $point =~ /:(\w+)/;
		$fault->arm($point, 'kill');
		isnt((backup())[0], 0, "at $point");
		ok($fault->disarm, '  which was reached');
		is_deeply([manifests()], \@before, '  is no backup');
		is((verify())[0], 0, '  the one before is good');
		backed_up('  the next one');
		is(join(' ', grep { !-e s/\.\w+\z/.json/r } glob("$dir/2*")), '', '  clears up');
		is(join(' ', glob("$dir/incoming/*")), '', '  everywhere');
		is((verify())[0], 0, '  and is good');
	}
	is($p->publish('full', '1.0.0')->{status}, 200, 'a crate');
	for my $case (['disk:lock', 'eio', qr/lock .*Input.output error/],
	    ['backup:write', 'enospc', qr/No space left/],
	    ['backup:sync', 'eio', qr/Input.output error/]) {
		my ($point, $error, $why) = @$case;

		$fault->arm($point, $error);
		my ($status, undef, $err) = backup();
		is($status, 1, "$point: $error");
		like($err, $why, '  says so');
		ok($fault->disarm, '  which was reached');
	}
	is(backed_up('a disk that works again')->{missing}, 0, 'and all is there');
};

# What a directory does not list might be taken for what is not there: backups without a manifest are removed.
subtest 'a directory that cannot be read' => sub {
	my @before = manifests();
	my $file = $t->dir . '/fault-of-backup';

	# pool and worker read directories, too
	local $ENV{BERTH_FAULT} = local $fault->{file} = $file;
	$fault->arm('disk:readdir', 'eio');
	my ($status, undef, $why) = backup();
	is($status, 1, 'when the backup begins');
	like($why, qr/Input.output error/, '  says so');
	ok($fault->disarm, '  which was reached');

	$fault->arm('send:backup_snapshot', 'wait', 'disk:readdir', 'eio');
	my $pid = Berth::Test::spawn("$file.log", Berth::Cluster->build_dir . '/berth', '-c', $t->conf_path,
	    'backup', @owner, $dir);
	ok($t->wait_for(sub { -e "$file.taken" && -e $file }), 'it has begun');
	Berth::Test::write_file("$file.next", "disk:readdir eio\n");
	unlink("$file.taken");
	waitpid($pid, 0);
	is($? >> 8, 1, 'when it looks for earlier backups');
	like(Berth::Cluster::slurp("$file.log"), qr/Input.output error/, '  says so');
	unlink($file, "$file.next", "$file.taken");
	is_deeply([manifests()], \@before, '  and all of them are still there');
	is((verify())[0], 0, '  as they were');
};

# ---- the drill ----

my %token = map { ($_ => $t->token('dev')) } qw(stays revoked rotated);
$t->user('eve');
$t->member('eve', 'demo', 'developer');
$token{blocked} = $t->token('eve');
my %id = map { ($_ => id_of($token{$_})) } keys %token;
my (@acknowledged, $audit);

$t->psql(<<'SQL');
INSERT INTO tasks (kind, key, node, period) VALUES ('probe_store', 'old', 'old', 30);
UPDATE store_nodes SET seen_at = now() - interval '1 hour';
INSERT INTO sessions (digest, user_id, by_sso, expires_at)
SELECT sha256('s'), id, false, now() + '1 day' FROM users WHERE username = 'dev';
INSERT INTO sign_in_links (digest, user_id, expires_at)
SELECT sha256('l'), id, now() + '1 day' FROM users WHERE username = 'dev';
SQL

subtest 'a backup under load' => sub {
	my $began = $t->dir . '/began';
	my @results = $t->parallel(4, sub {
		my ($i) = @_;
		my @done;

		if ($i == 0) {
			$t->wait_for(sub { $t->psql("SELECT count(*) FROM versions v JOIN crates c ON c.id = v.crate_id"
			    . " WHERE c.name LIKE 'load%'") > 12 }) or die "nobody publishes\n";
			Berth::Test::write_file($began, '');
			my ($status, $said, $err) = backup();
			Berth::Test::write_file("$began.done", '');
			return [$status, $said, $err];
		}
		for (my $n = 0; !-e "$began.done" && $n < 500; $n++) {
			my $before = !-e $began;
			my $res = $p->publish("load$i", "1.$n.0", files => { 'n.txt' => "$i $n" });

			# acknowledged before the backup began
			push @done, "load$i 1.$n.0" if $res->{status} == 200 && $before && !-e $began;
		}
		return \@done;
	});
	my ($status, $said, $err) = @{ shift @results };
	is($status, 0, 'the backup') or diag($err);
	@acknowledged = map { @$_ } @results;
	cmp_ok(scalar @acknowledged, '>', 3, 'versions were acknowledged before it began');
	cmp_ok($t->psql('SELECT count(*) FROM versions'), '>', $said->{versions}, 'and others after that');
	# what happens after the backup
	$t->berth_ok('token', 'revoke', $id{revoked});
	my $res = $t->http(POST => '/api/v4/personal_access_tokens/self/rotate', { headers =>
	    { 'PRIVATE-TOKEN' => $token{rotated} } });
	is($res->{status}, 200, 'a token is replaced') or diag($res->{body});
	$t->berth_ok('user', 'block', 'eve');
	$audit = $t->dir . '/audit.json';
	Berth::Test::write_file($audit, ($t->berth('audit', '--json'))[1]);
};

# After a restore, new tokens get ids that an export of the audit log has for other tokens: times tell them
# apart.
subtest 'an id that another token has now' => sub {
	my $made = $t->psql("SELECT extract(epoch FROM created_at)::bigint FROM tokens WHERE id = $id{stays}");
	my $user = $t->psql("SELECT id FROM users WHERE username = 'dev'");
	my $user_made = $t->psql("SELECT extract(epoch FROM created_at)::bigint FROM users WHERE id = $user");
	my $event = sub {
		my ($action, $at, %detail) = @_;

		return $json->encode({ action => $action, detail => \%detail,
		    at => POSIX::strftime('%Y-%m-%dT%H:%M:%S.123456Z', gmtime($at)) }) . "\n";
	};
	my $create = sub { $event->('token.create', $_[0], token_id => 0 + $id{stays}) };
	my $revoke = sub { $event->('token.revoke', $_[0], token_id => 0 + $id{stays}) };
	my $block = sub { $event->("user.$_[0]", $_[1], user_id => 0 + $user) };
	my @cases = (
		['revoked later', 1, $revoke->($made + 60)],
		['revoked before it was made', 0, $revoke->($made - 60)],
		['made then, and revoked', 1, $create->($made), $revoke->($made + 60)],
		['lines in the other order', 1, $revoke->($made + 60), $create->($made)],
		['another one, made earlier', 0, $create->($made - 600), $revoke->($made + 60)],
		['another one, made later', 0, $create->($made + 600), $revoke->($made + 660)],
		['both', 1, $create->($made), $revoke->($made + 60), $create->($made + 600),
		    $revoke->($made + 660)],
		['replaced', 1, $event->('token.rotate', $made + 60, token_id => 99, in_place_of => 0 + $id{stays})],
		['its user was blocked', 1, $block->(block => $user_made + 60)],
		['and let in again', 0, $block->(unblock => $user_made + 70), $block->(block => $user_made + 60)],
		['another user was blocked', 0, $block->(create => $user_made - 600),
		    $block->(block => $user_made + 60)],
	);

	for my $case (@cases) {
		my ($name, $want, @lines) = @$case;
		my $file = Berth::Test::write_file($t->dir . '/events.json', join('', @lines));
		my ($status, $out, $err) = $t->berth(qw(store adopt --dry-run --json --audit), $file);

		is($status, 0, $name) or diag($err);
		my ($said) = map { $_->{tokens} } grep { $_->{tokens} } map { $json->decode($_) } split(/\n/, $out);
		is(scalar(grep { $_->{id} == $id{stays} } @{ $said // [] }), $want, $want ? '  counts' : '  does not');
	}
};

# everything ends
$t->stop;

my $count = 0;
my @create = qw(--create --grant-to berth);

# Another database and another store.
sub elsewhere {
	my $name = "$t->{database}_r" . ++$count;
	my $store = $t->dir . "/elsewhere$count";

	mkdir($store, 0750) or die "$store: $!\n";
	my $r = Berth::Test->new(database => $cluster->dsn($name, 'berth'), store => $store, workers => 2);
	$r->{database} = $name;
	return ($r, $store, '--database', $cluster->dsn($name, 'postgres'));
}

sub works { my ($r, $token) = @_; return $r->http(GET => '/api/v4/user', { headers =>
    { 'PRIVATE-TOKEN' => $token } })->{status} == 200 ? 1 : 0; }

subtest 'a restore elsewhere' => sub {
	my ($r, $store, @database) = elsewhere();
	my ($status, $out, $err) = $r->berth('restore', '--json', @database, @create, $dir);

	is($status, 0, 'the restore') or diag($err);
	my $said = $json->decode($out);
	is($said->{missing}, 0, 'nothing is missing');
	is($said->{copied}, $said->{blobs}, 'and all is copied');
	my @next = map { qr/^berth: next: $_.*\n/m } qr/copy the file of token_key, /, qr/look for tokens/,
	    qr/compare with `berth fsck --deep`, start pool and worker, and run `berth check`$/;
	like($err, qr/\A$next[0]$next[1]$next[2]\z/, 'it says what is next');
	is($r->psql("SELECT count(*) FROM tasks WHERE node = 'old'"), 0, 'tasks of the nodes of that time are gone');
	cmp_ok($r->psql('SELECT count(*) FROM tasks WHERE node IS NULL'), '>', 0, 'those of any node are not');
	is(($r->berth('fsck', '--deep'))[0], 0, 'fsck --deep finds nothing');
	is($r->psql('SELECT id FROM registry'), $t->psql('SELECT id FROM registry'), 'the same registry');
	my $signed_in = 'SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM sign_in_links)';
	is(join(' ', map { $_->psql($signed_in) } $t, $r), '1|1 0|0', 'nobody is signed in by it');
	my $root = $r->registry($p->id);
	my @wrong;
	for my $version (@acknowledged) {
		my ($crate, $n) = split(/ /, $version);
		my $res = $r->http(GET => "$root/$crate/$n/download", { token => $token{stays} });
		my $want = $t->psql("SELECT v.cksum FROM versions v JOIN crates c ON c.id = v.crate_id"
		    . " WHERE c.name = '$crate' AND v.version = '$n'");

		push @wrong, "$version: $res->{status}"
		    if $res->{status} != 200 || sha256_hex($res->{body}) ne $want;
	}
	is(join(' ', @wrong), '', 'each version that was acknowledged before has its bytes');
	my $res = $r->http(GET => "$root/" . Berth::Publish::index_path('load1'), { token => $token{stays} });
	like($res->{body}, qr/"vers":"1\.0\.0"/, 'the index has them');
	is($r->publish($p->id, $token{stays}, 'after', '1.0.0')->{status}, 200, 'a publish');
	is($r->psql('SELECT written_by = xmin FROM store_state'), 't', 'the collector may work');
	ok(!-e "$store/restore-of", 'no mark is left');
	is(join(' ', map { works($r, $token{$_}) } qw(stays revoked rotated blocked)), '1 1 1 1',
	    'tokens that ended after the backup are valid again');
	SKIP: {
		skip($r->cargo_missing, 1) if $r->cargo_missing;
		$r->cargo_setup(priv => { id => $p->id, token => $token{stays} });
		like(($r->cargo(qw(search load1 --registry priv)))[1], qr/^load1 = /m, 'cargo reads');
	}
	is(($r->berth('restore', @database, $dir))[0], 1, 'nothing is restored into what is in use');
};

subtest 'tokens that ended after the backup' => sub {
	my @lost = sort { $a <=> $b } @id{qw(revoked rotated blocked)};

	my $again = qr/next: revoke each token with `berth token revoke ID`: 3 were revoked after the backup, and/;

	my $never = qr/\A((?!valid).)*\z/s;

	for my $case (['listed', [], '1 1 1 1', $again], ['ended', ['--revoke'], '1 0 0 0', $never],
	    ['all', ['--revoke-all'], '0 0 0 0', $never]) {
		my ($name, $args, $works, $says) = @$case;
		my ($r, $store, @database) = elsewhere();
		my @file = $name eq 'all' ? () : ('--audit', $audit);
		my ($status, $out, $err) = $r->berth('restore', '--json', @database, @create, @file, @$args,
		    $dir);

		is($status, 0, $name) or diag($err);
		my $said = $json->decode($out);
		my @ids = map { $_->{id} } @{ $said->{tokens} };
		is("@ids", $name eq 'all' ? join(' ', sort { $a <=> $b } @ids) : "@lost", '  which');
		like($err, $says, '  and says what they are now');
		is(join(' ', map { works($r, $token{$_}) } qw(stays revoked rotated blocked)), $works,
		    '  they are');
		$r->stop;
	}
	my ($r, $store, @database) = elsewhere();
	my @restore = ('restore', @database, @create);
	is(($r->berth(@restore, '--revoke', $dir))[0], 2, '--revoke without --audit');
	my $event = (split(/^/, Berth::Cluster::slurp($audit)))[-1];
	for my $case (['{}', "{}\n", qr/bad:1: missing field `action`/],
	    ['an event that is cut', $event . substr($event, 0, -3), qr/bad:2: /],
	    ['NUL before an event', "$event\0$event", qr/bad:2: expected a value at line 1 column 1$/m],
	    ['NUL behind an event', $event =~ s/$/\0/r, qr/bad:1: /],
	    ['NUL at the end', $event . "\0" x 5000, qr/bad:2: expected a value/],
	    ['another zone', $event =~ s/"at":"[^"]+\KZ"/+05:00"/r, qr/`\S+:\d\d\+05:00` is not a date/],
	    ['a long line', ' ' x (1 << 20) . $event, qr/bad:1: the line is longer than 1048576 bytes$/m]) {
		my ($what, $text, $why) = @$case;
		my $bad = Berth::Test::write_file($r->dir . '/bad', $text);
		my ($status, undef, $err) = $r->berth(@restore, '--audit', $bad, $dir);

		is($status, 2, "what is no export: $what");
		like($err, $why, '  says where');
	}
	is(join(' ', glob("$store/*")), '', '  and nothing is done');
};

subtest 'an export that does not begin before the backup' => sub {
	my @later = (split(/^/, Berth::Cluster::slurp($audit)))[-1];
	my $look = qr/next: look for tokens that were revoked after/;

	$_ =~ s/"at":"\d{4}/"at":"2999/ or die "no time: $_" for @later;
	for my $case (['has no events'], ['begins later', @later]) {
		my ($why, @lines) = @$case;
		my ($r, $store, @database) = elsewhere();
		my $file = Berth::Test::write_file($r->dir . '/part', join('', @lines));
		my @restore = ('restore', @database, @create, '--audit', $file);
		my ($status, $out, $err) = $r->berth(@restore, '--revoke', $dir);

		is($status, 1, "$why: --revoke");
		like($err, qr/part $why, so tokens may be missing.*--revoke-all/, '  says why, and what to do');
		is(join(' ', glob("$store/*")), '', '  and nothing is done');
		($status, undef, $err) = $r->berth(@restore, $dir);
		is($status, 0, '  without it') or diag($err);
		like($err, qr/warning: .*part $why, so tokens may be missing/, '    it warns');
		like($err, $look, '    and says what to look for');
		next if @lines > 0;
		($status, undef, $err) = $r->berth(qw(store adopt --audit), $file, '--revoke');
		is($status, 1, '  to adopt a store with --revoke');
		like($err, qr/part $why/, '    is refused, too');
	}
};

subtest 'what a restore refuses, and a second attempt' => sub {
	my ($r, $store, @database) = elsewhere();
	my @restore = ('restore', @database, @create);
	my ($newest) = reverse manifests();
	my $manifest = Berth::Cluster::slurp("$dir/$newest.json");
	my $refused = sub {
		my ($name, $why, @args) = @_;
		my ($status, $out, $err) = $r->berth(@restore, @args ? @args : $dir);

		is("$status$out", 1, $name);
		like($err, $why, '  says why');
		is($r->psql("SELECT to_regclass('versions') IS NULL"), 't', '  that stays empty');
	};

	mkdir("$store/ab");
	$refused->('a store that is not empty', qr/is not empty: it has ab/);
	rmdir("$store/ab");
	rename($store, "$store.away");
	$refused->('no store', qr/does not exist; make it for the pool's user: install -d/);
	rename("$store.away", $store);
	Berth::Test::write_file("$dir/$newest.json", $manifest =~ s/"schema":\d+/"schema":9999/r);
	$refused->('a newer schema', qr/has migration 9999, and this program has \d+: install Berth/);
	Berth::Test::write_file("$dir/$newest.json", $manifest =~ s/("dump_sha256":")./$1x/r);
	$refused->('a damaged manifest', qr/is not a SHA-256/);
	my $other = $manifest =~ s/("dump_sha256":")(.)/$1 . ($2 eq '0' ? '1' : '0')/er;
	Berth::Test::write_file("$dir/$newest.json", $other);
	$refused->('a damaged dump', qr/dump is damaged/);
	Berth::Test::write_file("$dir/$newest.json", $manifest);
	$refused->('no backup', qr/there is no backup/, '--at', '20200101T000000.000Z', $dir);

	# it dies between store and database
	$fault->arm('restore:filled', 'kill');
	isnt(($r->berth(@restore, $dir))[0], 0, 'a crash');
	ok($fault->disarm, '  which was reached');
	ok(-e "$store/restore-of", '  leaves a mark');
	my ($older) = manifests();
	$refused->('another backup', qr/has a part of the backup/, '--at', $older, $dir) if $older ne $newest;
	# it dies with all tables in the database, before it joins the two
	$fault->arm('send:registry_id', 'kill');
	isnt(($r->berth(@restore, $dir))[0], 0, 'a later crash');
	ok($fault->disarm, '  which was reached');
	my ($status, $out, $err) = $r->berth('check');
	like($out, qr/store .*: `berth restore` was interrupted; drop the database, and run it again/,
	    '  which a check sees');
	($status, $out, $err) = $r->berth(@restore, $dir);
	like("$status $err", qr/^1 .*this restore, which was interrupted, drop the database, and run the command/,
	    '  a second attempt says what to do');
	$cluster->sql('postgres', "DROP DATABASE $r->{database} WITH (FORCE)", "CREATE DATABASE $r->{database}");
	($status, $out, $err) = $r->berth('restore', @database, '--grant-to', 'nobody', $dir);
	like("$status $err", qr/^1 berth: role `nobody` does not exist; store and database have all .* remedy this/,
	    'a wrong role is named');
	$cluster->sql('postgres', "DROP DATABASE $r->{database} WITH (FORCE)");
	($status, $out, $err) = $r->berth(@restore, $dir);
	is($status, 0, 'then an attempt goes on') or diag($err);
	like($out, qr/^versions: \d+\nblobs: [1-9]\d*\nblob_bytes: [1-9]\d*\ncopied: 0\ncopied_bytes: 0\n/m,
	    '  and says what the backup has, not only what was left to copy');
	is(($r->berth('fsck', '--deep'))[0], 0, 'and is whole');
	($status, $out, $err) = $r->berth(@restore, $dir);
	is($status, 1, 'a third is refused');
	like($err, qr/is not empty/, '  says why');
};

$cluster->sql('postgres', "DROP DATABASE IF EXISTS $t->{database}_r$_ WITH (FORCE)") for 1 .. $count;
done_testing();
