#!/usr/bin/perl

# Quotas: of a project and of the groups above it; nobody gets past one, also not many at once,
# and what is deleted makes room.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Berth::Crate;
use Berth::Fault;
use Berth::Publish;

my $p = Berth::Publish->new(workers => 6);
my $t = $p->test;
my $fault = Berth::Fault->new($t);
my $json = JSON::PP->new;
my $project = 'demo/registry';
my $other = $t->project('demo/deep/other');

sub quota { return $t->berth_ok('project', 'set', $project, @_); }
sub group_quota { return $t->berth_ok('group', 'set', 'demo', @_); }
sub shown { return $json->decode($t->berth_ok('project', 'show', $_[0] // $project, '--json')); }
sub group { return $json->decode($t->berth_ok(qw(group show demo --json))); }
sub size_of { return length Berth::Crate::make(@_); }

sub published {
	my ($name, @versions) = @_;

	is($p->publish($name, $_)->{status}, 200, "$name $_ is published") for @versions;
}

sub refused {
	my ($name, $publish, $detail) = @_;

	delete $p->{before};
	$p->refused($name, $publish->(), 403, $detail);
}

# Of a crate that was deleted just now.
sub refused_name {
	my ($crate, $version) = @_;

	delete $p->{before};
	$p->refused("$crate is deleted", $p->publish($crate, $version), 400, qr/was recently deleted/);
}

# Each quota says how much there is.
sub counts_right {
	my ($name) = @_;
	my $sql = <<'SQL';
SELECT q.id FROM quotas q WHERE (q.used_bytes, q.used_versions, q.used_crates) <>
    (SELECT coalesce(sum(v.size), 0)::bigint, count(*), count(DISTINCT v.crate_id) FROM versions v
       JOIN projects p ON p.id = v.project_id JOIN groups g ON g.id = p.group_id
      WHERE v.status <> 'pending_destruction' AND (p.id = q.project_id OR q.group_id = ANY (g.ancestor_ids)))
SQL
	is($t->psql($sql), '', "$name: the counts are right");
}

subtest 'versions' => sub {
	published('alpha', '1.0.0');
	is(quota('quota_versions=3'), $p->id, 'a quota is set');
	is_deeply([@{ shown() }{qw(quota_versions used_versions used_crates quota_bytes)}],
	    [3, 1, 1, undef], 'what was there before counts');
	published('alpha', '1.1.0', '1.2.0');
	refused('one more', sub { $p->publish('alpha', '1.3.0') },
	    qr/^the quota of `demo\/registry` is 3 versions: 3 are used, and this needs 1 more$/);
	refused('of another crate', sub { $p->publish('beta', '1.0.0') }, qr/is 3 versions/);
	$t->berth_ok('delete', $project, 'alpha@1.1.0');
	counts_right('deleted');
	published('alpha', '1.3.0');
	my (undef, undef, $err) = $t->berth('undelete', $project, 'alpha@1.1.0');
	like($err, qr/quota of `demo\/registry` is 3 versions/, 'what comes back needs room, too');
	is($t->psql("SELECT status FROM versions WHERE version = '1.1.0'"), 'pending_destruction',
	    'and stays away without');
	quota('quota_versions=');
	is($t->psql('SELECT count(*) FROM quotas'), 0, 'without a limit there is no quota');
	ok(!exists shown()->{quota_versions}, 'nor is it shown');
	$t->berth_ok('undelete', $project, 'alpha@1.1.0');
};

subtest 'bytes' => sub {
	my $used = $t->psql("SELECT sum(size) FROM versions WHERE status <> 'pending_destruction'");
	my $size = size_of('alpha', '2.0.0');

	quota('quota_bytes=' . ($used + $size - 1));
	refused('a byte too many', sub { $p->publish('alpha', '2.0.0') },
	    qr/ is @{[$used + $size - 1]} bytes of crates: $used are used, and this needs $size more$/);
	quota('quota_bytes=' . ($used + $size));
	my $res = $p->publish('alpha', '2.0.0');
	is($res->{status}, 200, 'just enough');
	like($t->json($res)->{warnings}{other}[0], qr/^the quota of `demo\/registry` is nearly used up: /,
	    'a warning says that it is nearly used up');
	is($t->json($p->publish('alpha', '2.1.0'))->{errors}[0]{detail} =~ /bytes of crates/, 1,
	    'then nothing more');
	quota('quota_bytes=1g');
	$res = $p->publish('alpha', '2.1.0');
	is_deeply($t->json($res)->{warnings}{other}, [], 'no warning far from it');
	quota('quota_bytes=100');
	refused('a quota below what is there', sub { $p->publish('alpha', '2.2.0') },
	    qr/is 100 bytes of crates/);
	is($p->http(DELETE => $p->root . '/api/v1/crates/alpha/2.0.0/yank',
	    { token => $p->token })->{status}, 200, 'yanking needs no room');
	quota('quota_bytes=');
};

subtest 'crates' => sub {
	quota('quota_crates=2');
	published('beta', '1.0.0');
	refused('a third', sub { $p->publish('gamma', '1.0.0') },
	    qr/is 2 crates: 2 are used, and this needs 1 more/);
	published('beta', '1.1.0');
	$t->berth_ok('delete', $project, 'beta@1.0.0');
	refused('one that is not all gone', sub { $p->publish('gamma', '1.0.0') }, qr/2 crates/);
	$t->berth_ok('delete', $project, 'beta');
	published('gamma', '1.0.0');
	counts_right('one for another');
	$t->psql("UPDATE crates SET deleted_at = deleted_at - interval '2 days' WHERE name = 'beta'");
	refused('the deleted one again', sub { $p->publish('beta', '2.0.0') }, qr/2 crates/);
	quota('quota_crates=3');
	published('beta', '2.0.0');
	counts_right('and again');
	$t->berth_ok('undelete', $project, 'beta');
	counts_right('its versions are back');
	quota('quota_crates=default');
};

subtest 'versions in error' => sub {
	$t->user('mia');
	$t->member('mia', 'demo', 'maintainer');
	my $mia = $t->token('mia');
	my $status = sub {
		my ($version, $to) = @_;
		my $id = $t->psql("SELECT v.id FROM versions v JOIN crates c ON c.id = v.crate_id"
		    . " WHERE c.name = 'delta' AND v.version = '$version'");

		return $t->http(PATCH => '/api/v4/projects/' . $p->id . "/packages/$id", { token => $mia,
		    body => qq({"status":"$to"}), headers => ['Content-Type: application/json'] })->{status};
	};

	quota('quota_crates=100');
	published('delta', '1.0.0');
	is($status->('1.0.0', 'error'), 200, 'the only version of a crate is in error');
	counts_right('it is there');
	published('delta', '1.0.1');
	counts_right('its crate was there before');
	is($status->('1.0.1', 'error'), 200, 'all versions are in error');
	$t->berth_ok('delete', $project, 'delta@1.0.1');
	counts_right('one is deleted');
	$t->berth_ok('delete', $project, 'delta');
	counts_right('both are');
	refused_name('delta', '1.0.2');
	$t->berth_ok('undelete', $project, 'delta@1.0.0');
	counts_right('one is back');
	published('delta', '1.0.3');
	quota('quota_crates=default');
};

subtest 'groups' => sub {
	my $there = $t->psql("SELECT count(*) FROM versions WHERE status <> 'pending_destruction'");
	my $put = sub { return $t->publish($other, $p->token, 'deep', $_[0]) };

	like(group_quota('quota_versions=' . ($there + 2)), qr/^\d+$/, 'prints the id');
	is($put->('1.0.0')->{status}, 200, 'from below');
	published('alpha', '3.0.0');
	is($t->json($put->('1.1.0'))->{errors}[0]{detail},
	    "the quota of `demo` is @{[$there + 2]} versions: @{[$there + 2]} are used, and this needs 1 more",
	    'all projects together');
	refused('in the other too', sub { $p->publish('alpha', '3.1.0') }, qr/quota of `demo` is/);
	$t->berth_ok(qw(project set demo/deep/other quota_versions=1));
	group_quota('quota_versions=1000');
	like($t->json($put->('1.1.0'))->{errors}[0]{detail}, qr/quota of `demo\/deep\/other` is 1 /,
	    'the nearest holds as well');
	counts_right('two levels');
	is_deeply([@{ group() }{qw(full_path quota_versions used_versions)}], ['demo', 1000, $there + 2],
	    'group show');
	my ($listed) = grep { $_->{id} == $other }
	    @{ $json->decode($t->berth_ok(qw(project list --json))) };
	is_deeply([@$listed{qw(quota_versions used_versions quota_crates)}], [1, 1, undef],
	    'project list');
	($listed) = grep { $_->{full_path} eq 'demo' } @{ $json->decode($t->berth_ok(qw(group list --json))) };
	is($listed->{quota_versions}, 1000, 'group list');
	unlike($t->berth_ok(qw(group list)), qr/1000/, 'but no wide table for people');
};

subtest 'many at once' => sub {
	my $used = group()->{used_versions};

	group_quota('quota_versions=' . ($used + 5));
	my @status = map { @$_ } $t->parallel(6, sub {
		my ($i) = @_;
		return [map { $p->publish("many$i", "1.$_.0")->{status} } 0 .. 2];
	});
	is(scalar(grep { $_ == 200 } @status), 5, 'five get in');
	is(scalar(grep { $_ == 403 } @status), 13, 'the others are refused');
	is(group()->{used_versions}, $used + 5, 'all is used');
	counts_right('after them');
	group_quota('quota_versions=');
};

SKIP: {
	my $missing = $fault->missing;

	skip $missing, 1 if $missing;
	subtest 'a quota that comes while a publish is under way' => sub {
		my $now = $t->psql("SELECT count(*) FROM versions WHERE status <> 'pending_destruction'"
		    . ' AND project_id = ' . $p->id);
		my $res = $fault->during('answered:version_check_new',
		    sub { return $p->publish('late', '1.0.0') },
		    sub { quota("quota_versions=$now") });

		is($res->{status}, 403, 'counts') or diag($res->{body});
		is($t->psql("SELECT count(*) FROM versions WHERE version = '1.0.0' AND crate_id IN"
		    . " (SELECT id FROM crates WHERE name = 'late')"), 0, 'no version');
		counts_right('nothing is charged');
		quota('quota_versions=');
	};
}

subtest 'the command' => sub {
	my @cases = (
		[2, qr/quota_bytes must be/, 'project', 'set', $project, 'quota_bytes=many'],
		[2, qr/quota_versions must be/, 'project', 'set', $project, 'quota_versions=-1'],
		[2, qr/quota_versions must be a number .*: `1k`/, 'project', 'set', $project, 'visibility=public',
		    'quota_versions=1k'],
		[2, qr/must be KEY=VALUE; KEY is anonymous_networks, default_project/, 'group', 'set', 'demo',
		    'visibility=public'],
		[2, qr/must be KEY=VALUE/, 'group', 'set', 'demo', 'quota_bytes'],
		[1, qr/group `none` does not exist/, 'group', 'set', 'none', 'quota_bytes=1'],
		[1, qr/group `none` does not exist/, 'group', 'show', 'none'],
		[1, qr/group `\Q$project\E` does not exist/, 'group', 'set', $project, 'quota_bytes=1'],
		[1, qr/does not exist/, 'project', 'set', 'demo/none', 'quota_bytes=1'],
	);

	for my $case (@cases) {
		my ($want, $why, @args) = @$case;
		my ($status, $out, $err) = $t->berth(@args);

		is("$status$out", $want, "@args");
		like($err, $why, 'says why');
	}
	is(shown()->{visibility}, 'private', 'a bad quota changes nothing else');
	for my $place (['group', 'demo'], ['project', $project]) {
		my $since = $t->psql('SELECT max(id) FROM audit_events');

		$t->berth_ok($place->[0], 'set', $place->[1], 'anonymous_networks=192.0.2.1', 'quota_crates=100');
		is($t->psql("SELECT count(*) || ' in ' || count(DISTINCT xmin::text) FROM audit_events WHERE id > $since"),
		    '2 in 1', "networks and quotas of a $place->[0] are set together");
		$t->berth_ok($place->[0], 'set', $place->[1], 'anonymous_networks=', 'quota_crates=');
	}
	quota('quota_bytes=2m', 'quota_crates=7');
	quota('quota_crates=8');
	is_deeply([@{ shown() }{qw(quota_bytes quota_crates)}], [2 << 20, 8], 'one key leaves the others');
	is($t->psql("SELECT detail ->> 'quota_crates' FROM audit_events WHERE action = 'quota.set'"
	    . ' ORDER BY id DESC LIMIT 1'), 8, 'the audit log has it');
};

done_testing();
