#!/usr/bin/perl

# Half-done publishes are impossible: at each step that a publish takes, the worker is killed.

use strict;
use warnings;

use Digest::SHA qw(sha256);
use Test::More;

use Berth::Agreement qw(agrees index_of staged);
use Berth::Cluster;
use Berth::Crate;
use Berth::FastCGI ();
use Berth::Fault;
use Berth::Test;

# a keeper passes points of its own at any time: t/890-cache-crash.t
my $t = Berth::Test->new(workers => 2, cache_dir => undef);
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;

my $id = $t->project('demo/registry');
my $NEW = $t->registry($id) . '/api/v1/crates/new';
$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');

# These bytes do not compress: the crate is so large that it takes several writes, and that nginx asks first.
my $noise = join('', map { sha256($_) } 1 .. 9000);

sub publish {
	my ($name, $version) = @_;

	return $t->publish($id, $token, $name, $version,
	    files => { 'noise' => "$name $version\n$noise" });
}

sub detail {
	my ($res) = @_;
	my $json = eval { $t->json($res) } // return "no JSON: $res->{body}";

	return $json->{errors}[0]{detail} // "no detail: $res->{body}";
}

# What a killed worker had begun has ended in the database as well.
sub settled {
	my $open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
	    . " AND pid <> pg_backend_pid() AND usename = 'berth' AND state <> 'idle'";

	return $t->wait_for(sub { $t->psql($open) == 0 });
}

sub versions {
	my ($name) = @_;

	return join(' ',
	    $t->psql("SELECT v.version FROM versions v JOIN crates c ON c.id = v.crate_id"
	    . " WHERE c.name = '$name' ORDER BY v.id"));
}

# What was left in staging is old now; workers that start sweep it.
sub sweep {
	my ($point) = @_;
	my @left = staged($t) or return;

	utime(time - 86400, time - 86400, @left);
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { !staged($t) }), "$point: the staging file goes at the next start");
}

$t->start_pool;
# a worker asks once which registry, keys and server it has, with the first of its requests: not in those that
# follow; and the inspector has t/705-inspector-crash.t
my $once = qr/:(?:cache_server|registry_id|token_slot_live|session_confirm)$|^inspect:/;
my @points = grep { !/$once/ } $fault->trace('responded:publish', sub {
	is(publish('first', '1.0.0')->{status}, 200, 'a publish');
});

subtest 'the points' => sub {
	my %at = map { ($points[$_] => $_) } 0 .. $#points;
	# the worker syncs the bytes and gives them their name while the database writes
	my %order = (
		'the bytes are kept before COMMIT' => [qw(blob:create blob:write publish:inspect blob:fsync
			blob:fsynced blob:fsync_dir blob:ready blob:link blob:linked blob:placed blob:directory_fsynced
			blob:kept send:session_commit)],
		'the database writes before COMMIT, and the answer comes after it' => [qw(publish:inspect
			send:crate_grow_index send:version_add sent:crate_grow_index answered:crate_grow_index
			answered:version_add send:session_commit sent:session_commit answered:session_commit
			respond:publish responded:publish)],
	);
	my %in_source;

	for my $what (sort keys %order) {
		my @order = @{ $order{$what} };
		my @known = grep { defined $at{$_} } @order;

		is("@known", "@order", "each is passed: $what");
		is_deeply([map { $at{$_} } @known], [sort { $a <=> $b } map { $at{$_} } @known], $what);
	}
	# those of berth-worker and of backups are passed elsewhere
	for my $file (grep { !m{/tasks/|/backup/|/(?:blob_collect|blob_files|blob_line|blob_trash|store_mark)\.c$} }
	    glob("$Berth::Cluster::ROOT/fcgi/{*,*/*}/*.c")) {
		my $source = Berth::Cluster::slurp($file);

		$in_source{"$1:$2"}++ while $source =~ /\bFAULT_\w+\("(\w+)", "(\w+)"\)/g;
	}
	# if the blob exists already: below, in t/720-store-trouble.t and t/830-collect.t; of a large crate:
	# t/720-store-trouble.t; with an object store: t/755-object-store.t; of the pid file: t/unit/daemon.c
	delete @in_source{'blob:renewed', 'blob:rename', 'blob:missing', 'blob:ahead'};
	my $others = qr/^(?:cache|collect|copy|disk|export|inspect|page|pid_file|s3):/;
	is_deeply([grep { !defined $at{$_} && !/$others/ } sort keys %in_source], [],
	    'none in the sources is missed');
};

subtest 'a refused crate does not go to the disk' => sub {
	my $crate = Berth::Crate::make('another', '1.0.0', files => { noise => $noise });
	my @passed = $fault->trace('responded:publish', sub {
		is($t->http(PUT => $NEW, { token => $token, body =>
		    $t->publish_body(Berth::Crate::metadata('refused', '1.0.0'), $crate) })->{status}, 400, 'refused');
	});

	is_deeply([grep { /^blob:(?:write|fsync|link)$/ } @passed], ['blob:write'], 'it is written and has no name');
	ok($t->wait_for(sub { !staged($t) }), 'nothing is left in staging');
};

SKIP: {
	my $plain = "$Berth::Cluster::ROOT/build/berth-fcgi";

	skip 'no plain build', 1 unless -e $plain;
	unlike(Berth::Cluster::slurp($plain), qr/BERTH_FAULT|fault_point/,
	    'what is installed has no fault points');
}

# Kills the worker at the point while it publishes; then a retry.
sub crash {
	my ($point, $name, $version, $before, $committed, $given) = @_;
	my $after = join(' ', grep { length } $before, $version);

	$fault->arm($point, 'kill');
	my $res = publish($name, $version);
	ok($t->wait_for(sub { -e $t->dir . '/fault.taken' }), "$point: reached");
	$fault->disarm;
	ok(settled(), "$point: no transaction is left");
	if ($given) {
		is($res->{status}, 200, "$point: the answer was given");
	} else {
		is($res->{status}, 503, "$point: the answer of nginx");
		like(detail($res), qr/^the registry is busy or restarting/, "$point: in cargo's shape");
	}
	is(versions($name), $committed ? $after : $before, "$point: "
	    . ($committed ? 'wholly there' : 'wholly not there'));
	agrees($t, $point, token => $token, only => [$name]);
	my ($lines) = index_of($t, $id, $name, $token);
	is(join(' ', map { $_->{vers} } @$lines), versions($name),
	    "$point: the index says the same");
	sweep($point);
	$res = publish($name, $version);
	is($res->{status}, $committed ? 400 : 200, "$point: the second attempt")
	    or diag($res->{body});
	is(detail($res), "crate version `$version` is already uploaded", "$point: is told why")
	    if $committed;
	is(versions($name), $after, "$point: once");
}

my $committed = 0;
my ($question_ends) = grep { $points[$_] eq 'respond:publish_authorize' } 0 .. $#points;
for my $i (0 .. $#points) {
	$committed ||= $points[$i] eq 'sent:session_commit';
	# the question whether to upload is another request: nginx asks another worker, which writes,
	# where no answer came
	# (its answer can be noted after the first steps of the publish)
	my $question = ($i <= $question_ends || $points[$i] eq 'responded:publish_authorize')
	    && $points[$i] !~ /^blob:/;
	crash($points[$i], "crash-$i", '1.0.0', '', $committed || $question,
	    $question || $points[$i] =~ /^responded:/);
}
# of a crate that is there, at the steps where it could matter
for my $point (qw(send:crate_grow_index answered:crate_grow_index send:session_commit)) {
	my $version = '2.0.' . length $point;

	crash($point, 'first', $version, versions('first'), 0, 0);
}
# equal bytes are in the store already
is($t->psql("SELECT count(*) FROM blobs") + 0, scalar(@points) + 4, 'one blob each');
$fault->arm('blob:renewed', 'kill');
my $other = $t->project('demo/other');
my $body = $t->publish_body($t->metadata('first', '1.0.0'),
    $t->make_crate('first', '1.0.0', files => { 'noise' => "first 1.0.0\n$noise" }));
my $there = $t->registry($other) . '/api/v1/crates/new';
is($t->http(PUT => $there, { token => $token, body => $body })->{status}, 503,
    'blob:renewed: killed');
ok($fault->disarm, 'blob:renewed: reached');
agrees($t, 'blob:renewed', token => $token, only => ['first']);
is($t->http(PUT => $there, { token => $token, body => $body })->{status}, 200,
    'blob:renewed: the second attempt');
sweep('blob:renewed');
agrees($t, 'in the end', token => $token);

# The inspector runs when its worker dies.
my $inspector = $t->dir . '/inspector';
Berth::Test::write_file($inspector, "#!/bin/sh\nkill -KILL \$PPID\n");
chmod(0755, $inspector);
$t->conf(inspector => $inspector);
$t->stop_pool;
is(publish('inspected', '1.0.0')->{status}, 503, 'while the inspector runs: killed');
is(versions('inspected'), '', 'while the inspector runs: nothing is there');
$t->conf(inspector => Berth::Cluster->build_dir . '/berth-inspect');
$t->stop_pool;
is(publish('inspected', '1.0.0')->{status}, 200, 'while the inspector runs: the second attempt');
sweep('while the inspector runs');

subtest 'case 13: the client goes away' => sub {
	my $versions = $t->psql('SELECT count(*) FROM versions');
	my $whole = $t->publish_body($t->metadata('gone', '1.0.0'),
	    $t->make_crate('gone', '1.0.0', files => { 'noise' => $noise }));
	my $length = length $whole;
	my $refused = sub { scalar(() = $t->log('pool') =~ /route=publish status=400/g) };
	my $before = $refused->();
	my $part = substr($whole, 0, $length / 2);

	# openssl hangs up at the end of its input
	unlike($t->raw("PUT $NEW HTTP/1.1\r\nHost: localhost\r\nAuthorization: $token\r\n"
	    . "Content-Length: $length\r\nConnection: close\r\n\r\n$part",
	    s_client => ['-no_ign_eof']), qr/ 200 /, 'halfway: no 200');
	# past nginx: the pool sees the connection end
	my $c = Berth::FastCGI->connect($t->socket_path);
	$c->send_bytes(Berth::FastCGI::begin()
	    . Berth::FastCGI::params(REQUEST_METHOD => 'PUT', REQUEST_URI => $NEW,
	    CONTENT_LENGTH => $length, HTTP_AUTHORIZATION => $token) . Berth::FastCGI::params()
	    . join('', map { Berth::FastCGI::stdin($_) } unpack('(a60000)*', $part)));
	# the pool ignores a request whose client is gone before a worker takes it
	$c->shut;
	ok($t->wait_for(sub { $refused->() > $before }), 'the pool: refused');
	undef $c;
	is($t->psql('SELECT count(*) FROM versions'), $versions, 'nothing is published');
	ok($t->wait_for(sub { !staged($t) }), 'nothing is staged');
	agrees($t, 'the client goes away', token => $token, only => ['gone']);
};

SKIP: {
	my $missing = Berth::Test::cargo_missing();

	skip $missing, 8 if $missing;
	$t->cargo_setup(berth => { id => $id, token => $token });
	for my $case (['send:session_commit', 0], ['answered:session_commit', 101]) {
		my ($point, $status) = @$case;
		my $name = 'cargo-' . $point =~ tr/:_/--/r;
		my $dir = $t->dir . "/$name";

		mkdir($dir);
		mkdir("$dir/src");
		Berth::Test::write_file("$dir/Cargo.toml", Berth::Crate::manifest($name, '1.0.0')
		    . "[workspace]\n");
		Berth::Test::write_file("$dir/src/lib.rs", "pub fn answer() -> u32 { 42 }\n");
		my @publish = ('publish', '--registry', 'berth', '--allow-dirty', '--no-verify',
		    dir => $dir);
		$fault->arm($point, 'kill');
		my ($first, undef, $said) = $t->cargo(@publish);
		isnt($first, 0, "cargo, $point: fails");
		ok($fault->disarm, "cargo, $point: reached") or diag($said);
		ok(settled(), "cargo, $point: no transaction is left");
		my ($second, undef, $then) = $t->cargo(@publish);
		is($second, $status, "cargo, $point: the second attempt") or diag($then);
		like($then, qr/already (?:exists|uploaded)/, "cargo, $point: is told why")
		    if $status != 0;
		is(versions($name), '1.0.0', "cargo, $point: published once");
	}
	sweep('cargo');
}

# What searches and lists need is brought up to date after the publish, by berth-worker, which is killed at
# each step.  Of all crates, or of those that are not due: which of them are not known as they are?
sub unknown {
	my ($but) = @_;

	return join(' ', $t->psql('SELECT c.name FROM crates c LEFT JOIN crate_search s ON s.crate_id = c.id LEFT'
	    . ' JOIN crate_names n ON n.crate_id = c.id'
	    . ' WHERE (s.max_version IS DISTINCT'
	    . ' FROM (SELECT v.version FROM versions v WHERE v.id = crate_shown(c.id))'
	    . " OR coalesce(n.listed_versions, 0) <> (SELECT count(*) FROM versions v WHERE v.crate_id = c.id"
	    . " AND v.status = 'default'))"
	    . ($but ? ' AND NOT EXISTS (SELECT FROM crates_due d WHERE d.crate_id = c.id)' : '')
	    . ' ORDER BY c.id'));
}

sub due { return $t->psql('SELECT count(*) FROM crates_due'); }

subtest 'what searches and lists need' => sub {
	my $runs = 0;
	my $run = sub {
		$t->psql("UPDATE tasks SET attempts = 0, run_at = now() WHERE kind = 'update_search'");
		return $t->start_worker('search' . ++$runs);
	};

	isnt(unknown(), '', 'all that was published is still to be done');
	is(unknown(1), '', 'and nothing else');
	my @steps = $fault->trace('ran:update_search', sub {
		$run->();
		ok($t->wait_for(sub { due() == 0 }), 'the worker does it');
	});
	$t->stop_worker("search$runs");
	is(unknown(), '', 'all of it');
	my ($from) = grep { $steps[$_] eq 'task:update_search' } 0 .. $#steps;
	my ($to) = grep { $steps[$_] eq 'ran:update_search' } 0 .. $#steps;
	# the pool may record meanwhile that a token was used, and look which keys there are
	@steps = grep { !/:(?:token_use_record|token_slot_live|session_confirm)$/ } @steps[$from .. $to];
	is(join(' ', grep { /crate_due_update|update_search/ } @steps),
	    'task:update_search send:crate_due_update answered:crate_due_update'
	    . ' update_search:some ran:update_search', 'its steps');
	for my $point (@steps) {
		my $name = "late-$runs";

		is(publish($_, "3.0.$runs")->{status}, 200, "$point: $_ is published") for 'first', $name;
		$fault->arm($point, 'kill');
		$run->();
		ok($t->wait_for(sub { $t->has_ended("search$runs") }), "$point: the worker is killed");
		ok($fault->disarm, "$point: there");
		ok(settled(), "$point: no transaction is left");
		my ($due, $shown) = (due(), $t->psql("SELECT count(*) FROM crate_search WHERE name = '$name'"));
		is("$due $shown", $due ? '2 0' : '0 1', "$point: it is wholly done, or not at all");
		is(unknown(1), '', "$point: what is not known is due");
		$run->();
		ok($t->wait_for(sub { due() == 0 }), "$point: the next one does it");
		is(unknown(), '', "$point: all is known");
		is($t->psql('SELECT sum(crates) = (SELECT count(*) FROM crate_search) FROM search_counts'), 't',
		    "$point: and counted once");
		$t->stop_worker("search$runs");
	}
};

agrees($t, 'everything', token => $token);
my @crashes = $t->log('pool') =~ /was ended by signal (\d+)/g;
cmp_ok(scalar @crashes, '>=', scalar @points, 'that many workers died');
is_deeply([grep { $_ != 9 } @crashes], [], 'and none but by SIGKILL');

done_testing();
