#!/usr/bin/perl

# Reads of a group's registry that nginx answers by itself: only for callers who may read all projects of
# the group, with the same bytes as the pool, and never stale after a change of names or rights.

use strict;
use warnings;

use Compress::Zlib ();
use Digest::SHA qw(sha256);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;

use Berth::Cache;
use Berth::Cluster;
use Berth::Test;

my $t = Berth::Test->new(workers => 3, write_workers => 2, cache_lease => 8);
my %id = map { $_ => $t->project("team/$_") } qw(a b);
my $group = $t->group('team');
$t->user($_) for qw(dev partial admin);
$t->member('dev', 'team', 'maintainer');
$t->member('partial', 'team/a', 'developer');
my %token = map { $_ => $t->token($_) } qw(dev partial);
my $port = Berth::Cache::start($t);
my $R = "/api/v4/groups/$group/-/packages/cargo";

sub get {
	my ($path, $token) = @_;

	return Berth::Cache::get($port, "$R/$path", defined $token ? (Authorization => $token) : ());
}

sub versions { return join(' ', map { /"vers":"([^"]*)"/ ? $1 : () } split(/\n/, $_[0]{body})); }

sub publish {
	my ($project, $name, $version, %opt) = @_;

	return is($t->publish($id{$project}, $token{dev}, $name, $version, %opt)->{status}, 200,
	    "$name $version to $project");
}

# nginx sends it, and the same as the pool, which a query leads to.
sub warm {
	my ($name, $path, $token) = @_;
	my %headers = defined $token ? (Authorization => $token) : ();
	my $res = Berth::Cache::wait_static($t, $port, "$R/$path", %headers);

	ok(defined $res, "$name: nginx sends it") or return { body => '' };
	my $pool = Berth::Cache::get($port, "$R/$path?", %headers);
	ok(!Berth::Cache::is_static($t, $pool), "$name: the pool as well");
	is($res->{body}, $pool->{body}, "$name: the same bytes");
	is($res->{headers}{$_}, $pool->{headers}{$_}, "$name: the same $_")
	    for qw(etag content-type cache-control vary);
	return $res;
}

# Nobody gets the state before the change.
sub changes {
	my ($name, $path, $token, $before, $change, $after) = @_;

	is($before->(warm($name, $path, $token)), 1, "$name: before");
	$change->();
	is($after->(get($path, $token)), 1, "$name: after") for 1 .. 3;
	return;
}

sub has { my ($versions) = @_; return sub { return versions($_[0]) eq $versions ? 1 : 0 }; }
sub status { my ($status) = @_; return sub { return $_[0]{status} == $status ? 1 : 0 }; }

publish(a => 'one_crate', '1.0.0');
my $index_of_a = 'sparse+' . $t->url . $t->registry($id{a}) . '/';
my %dependency = (name => 'one_crate', version_req => '^1', features => [], optional => JSON::PP::false,
    default_features => JSON::PP::true, target => undef, kind => 'normal', registry => $index_of_a);
publish(b => 'other', '1.0.0', metadata => { deps => [\%dependency] },
    toml => "\n[dependencies.one_crate]\nversion = \"1\"\nregistry-index = \"$index_of_a\"\n");

subtest 'each file' => sub {
	like(warm('config.json', 'config.json', $token{dev})->{body}, qr/groups/, 'config.json is of the group');
	like(warm('an index file', 'ot/he/other', $token{dev})->{body}, qr/"registry":null/, 'a dependency inside');
	is(get('on/e_/one_crate/', $token{dev})->{status}, 404, 'no other spelling');
	my $crate = warm('a crate', 'one_crate/1.0.0/download', $token{dev});
	is(length $crate->{body}, $t->psql("SELECT size FROM versions WHERE project_id = $id{a}"), 'its bytes');
	$t->run_tasks('count_downloads') if $t->nginx_logged('nginx-berth-downloads', $crate);
	cmp_ok($t->psql("SELECT sum(downloads) FROM download_days WHERE project_id = $id{a}"), '>=', 2,
	    'its downloads count for its project');
	ok($t->wait_for(sub {
		my $res = get('no/ne/none', $token{dev});
		return $res->{status} == 404 && Berth::Cache::is_static($t, $res);
	}), 'nginx says that there is no such crate');
};

subtest 'who may not read all gets nothing from nginx' => sub {
	for (1 .. 5) {
		my $res = get('on/e_/one_crate', $token{partial});
		ok($res->{status} == 200 && !Berth::Cache::is_static($t, $res), 'the pool answers');
		is(get('ot/he/other', $token{partial})->{status}, 404, 'what they may not read does not exist');
		is(get('other/1.0.0/download', $token{partial})->{status}, 404, 'nor its crate');
		is(get('ot/he/other')->{status}, 401, 'nobody');
	}
	ok(!grep({ -l } glob($t->dir . '/cache/grant/*/' . Berth::Test::token_handle($token{partial}) . "/g$group")),
	    'there is no grant');
	for my $who ([deploy => $t->deploy_token('team', 'read'), 1], [job => $t->job_token('team/a', 'dev'), 0],
	    [project => $t->deploy_token('team/a', 'read'), 0]) {
		my ($name, $token, $all) = @$who;
		if ($all) {
			ok(Berth::Cache::wait_static($t, $port, "$R/on/e_/one_crate", Authorization => $token), "$name: nginx");
		} else {
			ok(!Berth::Cache::is_static($t, get('on/e_/one_crate', $token)), "$name: the pool") for 1 .. 5;
		}
	}
};

changes('a publish', 'on/e_/one_crate', $token{dev}, has('1.0.0'),
    sub { publish(a => 'one_crate', '1.1.0') }, has('1.0.0 1.1.0'));
changes('a yank', 'on/e_/one_crate', $token{dev}, sub { $_[0]{body} !~ /"yanked":true/ ? 1 : 0 }, sub {
	$t->http(DELETE => "$R/api/v1/crates/one_crate/1.1.0/yank", { token => $token{dev} });
}, sub { $_[0]{body} =~ /"yanked":true/ ? 1 : 0 });
changes('a first publish', 'on/e_/one_crate', $token{dev}, has('1.0.0 1.1.0'),
    sub { publish(b => 'one-crate', '7.0.0') }, has('1.0.0 1.1.0'));
my ($grant) = glob($t->dir . '/cache/grant/*/' . Berth::Test::token_handle($token{dev}) . "/g$group");
ok(-l ($grant // ''), 'which ends no grant');
changes('the order', 'on/e_/one_crate', $token{dev}, has('1.0.0 1.1.0'),
    sub { $t->berth_ok('group', 'set', 'team', 'registry_projects=team/b') }, status(404));
changes('what depends on it', 'ot/he/other', $token{dev}, sub { $_[0]{body} =~ /projects/ ? 1 : 0 },
    sub { $t->berth_ok('group', 'set', 'team', 'registry_projects=') },
    sub { $_[0]{body} =~ /"registry":null/ ? 1 : 0 });

# To make the file takes long; who has no grant must not wait for it each time.
subtest 'the pool makes a file once' => sub {
	my $kept = sub { my @files = glob($t->dir . "/cache/extract/$id{b}/*"); map { "$_ " . (stat)[1] } @files };
	my $ask = sub { get('ot/he/other?pool', $token{dev}) };
	my $res = $ask->();
	my @made = $kept->();

	like($res->{body}, qr/"registry":null/, 'the file of the group');
	is(scalar @made, 1, 'a worker keeps it');
	is($ask->()->{body}, $res->{body}, 'it comes again') for 1 .. 6;
	is_deeply([$kept->()], \@made, 'and is not made again');
	my ($path) = split(/ /, $made[0]);
	my $bytes = Berth::Cluster::slurp($path);
	my ($basis) = substr($bytes, 32) =~ /\A(.*?\n)\n/s;
	my $put = sub { Berth::Test::write_file($path, sha256($_[0]) . $_[0]) };
	is($basis, "one-crate -$id{a}\n", 'with what it depends on: others have the name, too');
	$put->("$basis\n" . Compress::Zlib::memGzip('kept'));
	is($ask->()->{body}, 'kept', 'the pool sends what is kept') for 1 .. 3;
	for my $broken ('', 'x', 'a 1', "a b\n\n", "a\n\n") {
		$put->($broken);
		is($ask->()->{body}, $res->{body}, 'but nothing that is broken');
	}
	# the beginnings that a crash of the machine may leave
	for my $left (0, 31, 32, 32 + length("$basis\n"), length($bytes) - 1) {
		Berth::Test::write_file($path, substr($bytes, 0, $left));
		is($ask->()->{body}, $res->{body}, "nor the first $left bytes");
	}

	$t->berth_ok('group', 'set', 'team', 'registry_projects=team/b');
	like($ask->()->{body}, qr/projects/, 'nor what rests on another order') for 1 .. 2;
	$t->berth_ok('group', 'set', 'team', 'registry_projects=');
	is($ask->()->{body}, $res->{body}, 'and back') for 1 .. 2;
	publish(b => 'other', '1.1.0');
	like($ask->()->{body}, qr/"vers":"1\.1\.0"/, 'nor what was before a publish');
};

# What is longer than 32 MiB would take the room of everything else.
subtest 'a file that is too long to be kept' => sub {
	my $kept = sub { return join(' ', sort glob($t->dir . "/cache/extract/$id{b}/*")) };
	my $ask = sub { get('ot/he/other?pool', $token{dev}) };
	my $of = "FROM crates WHERE project_id = $id{b} AND name = 'other'";
	my $usual = $t->psql("SELECT encode(index_body, 'hex') $of");
	my $text = Compress::Zlib::memGunzip(pack('H*', $usual));
	my $put = sub {
		$t->psql("UPDATE crates SET index_body = '\\x$_[0]', index_time = index_time + 1"
		    . " WHERE id = (SELECT id $of)");
	};
	open(my $random, '<:raw', '/dev/urandom') or die "/dev/urandom: $!\n";
	read($random, my $noise, 34 << 20);
	my $long = encode_base64($noise, '');

	is($text =~ s/"features":\{\}/"features":{"long":["$long"]}/, 1, 'a line of 45 MiB, 34 MiB when packed');
	$put->(unpack('H*', Compress::Zlib::memGzip($text)));
	my $before = $kept->();
	for my $which ('the file of the group', 'made again') {
		my $res = $ask->();

		is($res->{status}, 200, $which);
		ok(index($res->{body}, $long) > 0, 'it has the long line');
		like(substr($res->{body}, 0, 1000), qr/"registry":null/, 'and the dependency of the group');
	}
	is($kept->(), $before, 'no worker has kept it');
	$put->($usual);
	like($ask->()->{body}, qr/"registry":null/, 'the usual file');
};

subtest 'a crate that comes' => sub {
	get('ne/w_/new_one', $token{dev});
	ok($t->wait_for(sub { Berth::Cache::is_static($t, get('ne/w_/new_one', $token{dev})) }), 'nginx: not there');
	publish(b => 'new_one', '1.0.0');
	is(versions(get('ne/w_/new_one', $token{dev})), '1.0.0', 'it is there at once');
};

changes('deletion', 'on/e_/one_crate', $token{dev}, has('1.0.0 1.1.0'), sub {
	$t->http(DELETE => "/api/v4/projects/$id{a}/packages/$_", { token => $token{dev} })
	    for $t->psql("SELECT v.id FROM versions v, crates c WHERE c.id = v.crate_id AND c.name = 'one_crate'");
}, status(404));
is(versions(get('on/e-/one-crate', $token{dev})), '7.0.0', 'what was shadowed is served');

# a member of the group may read a new project as well; a deploy token of one project may not
subtest 'a new project' => sub {
	my $lone = $t->project('lone/only');
	my $path = '/api/v4/groups/' . $t->group('lone') . '/-/packages/cargo/ab/cd/abcd';
	$t->member('dev', 'lone', 'maintainer');
	is($t->publish($lone, $token{dev}, 'abcd', '1.0.0')->{status}, 200, 'a crate');
	my $deploy = $t->deploy_token('lone/only', 'read');
	ok(Berth::Cache::wait_static($t, $port, $path, Authorization => $deploy), 'nginx, for the only project');
	my $second = $t->project('lone/second');
	is($t->publish($second, $token{dev}, 'abcd', '2.0.0')->{status}, 200, 'the name again');
	$t->berth_ok('group', 'set', 'lone', 'registry_projects=lone/second');
	my $ask = sub { return Berth::Cache::get($port, $path, Authorization => $_[0]) };
	is($ask->($deploy)->{status}, 404, 'not what they may not read') for 1 .. 3;
	is(versions($ask->($token{dev})), '2.0.0', 'others read the new one');
	$t->psql("UPDATE projects SET group_id = $group, full_path = 'team/second' WHERE id = $second");
	ok($t->wait_for(sub {
		return versions($ask->($token{dev})) eq '1.0.0';
	}), 'a project that moves takes its crates along');
	my $below = $t->group('lone/below');
	my $deep = $t->project('lone/below/deep');
	is($t->publish($deep, $token{dev}, 'nested', '1.0.0')->{status}, 200, 'a crate below');
	my $nested = $path =~ s{ab/cd/abcd}{ne/st/nested}r;
	ok(Berth::Cache::wait_static($t, $port, $nested, Authorization => $token{dev}), 'nginx has it');
	$t->psql("UPDATE groups SET parent_id = $group, ancestor_ids = ARRAY[$group, $below],"
	    . " full_path = 'team/below' WHERE id = $below;"
	    . "UPDATE projects SET full_path = 'team/below/deep' WHERE id = $deep");
	ok($t->wait_for(sub {
		return Berth::Cache::get($port, $nested, Authorization => $token{dev})->{status} == 404;
	}), 'a group that moves takes its crates along');
	is(versions(get('ne/st/nested', $token{dev})), '1.0.0', 'to the other group');
	for my $place ($second, $deep) {
		$t->psql("DELETE FROM versions WHERE project_id = $place; DELETE FROM crates WHERE project_id = $place");
	}
	$t->psql("DELETE FROM projects WHERE id = $deep");
};

subtest 'visibility' => sub {
	$t->berth_ok('project', 'set', "team/$_", 'visibility=public') for qw(a b);
	my $second = $t->psql("SELECT id FROM projects WHERE full_path = 'team/second'");
	is($t->json(get('config.json', $token{dev}))->{'auth-required'}, JSON::PP::true, 'one project is private');
	$t->berth_ok('project', 'set', 'team/second', 'visibility=public');
	is($t->json(warm('config.json', 'config.json'))->{'auth-required'}, JSON::PP::false, 'all are public');
	like(warm('nobody', 'ot/he/other')->{headers}{'cache-control'}, qr/^public/, 'nginx, for nobody');
	changes('private', 'ot/he/other', undef, status(200),
	    sub { $t->berth_ok('project', 'set', 'team/b', 'visibility=private') }, status(401));
	is($t->json(get('config.json'))->{'auth-required'}, JSON::PP::true, 'and config.json says so');
	$t->berth_ok('project', 'set', 'team/b', 'visibility=public');
	changes('a private project', 'ot/he/other', undef, status(200),
	    sub { $t->project('team/sub/hidden') }, status(200));
	ok(!Berth::Cache::is_static($t, get('ot/he/other')), 'which ends the grants');
	changes('packages off', 'ot/he/other', $token{dev}, status(200),
	    sub { $t->berth_ok('project', 'set', 'team/b', 'packages_enabled=false') }, status(404));
};

subtest 'a group with the most projects that a grant is made for, and one more' => sub {
	$t->berth_ok('project', 'set', 'team/b', 'packages_enabled=true');
	my $there = $t->psql("SELECT count(*) FROM projects WHERE full_path LIKE 'team/%' AND packages_enabled");
	my $add = sub {
		my ($from, $to) = @_;

		$t->psql('INSERT INTO projects (group_id, path, full_path)'
		    . " SELECT $group, 'many' || i, 'team/many' || i FROM generate_series($from, $to) i");
	};

	$add->($there + 1, 1000);
	warm('1000', 'ot/he/other', $token{dev});
	$add->(1001, 1001);
	ok($t->wait_for(sub { !Berth::Cache::is_static($t, get('ot/he/other', $token{dev})) }),
	    '1001: the pool');
	for (1 .. 5) {
		my $res = get('ot/he/other', $token{dev});

		ok($res->{status} == 200 && !Berth::Cache::is_static($t, $res), 'and again');
	}
};

done_testing();
