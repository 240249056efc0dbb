#!/usr/bin/perl

# What anyone may read comes from files that nginx sends by itself: the same answers as the pool's,
# to the same people, and never of what was before.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);

use Berth::Cluster;
use Berth::Cache;
use Berth::RoundTrips;
use Berth::Test;
use Berth::Watch;

# The shorter a lease is, the sooner a busy machine is too late to renew it, and nginx asks the pool.
# The other node is the one that is waited for.
my $t = Berth::Test->new(workers => 4, write_workers => 2, cache_lease => 8);
my $elsewhere = Berth::Test->new(workers => 2, cache_lease => 3, database => $t->dsn('berth'),
    store => $t->store);
my $id = $t->project('demo/public', 'public');
my $private = $t->project('demo/private', 'private');
my ($R, $P) = map { $t->registry($_) } $id, $private;
$t->user('dev');
$t->member('dev', 'demo', 'maintainer');
my $token = $t->token('dev');
my @nodes = ($t, $elsewhere);
my @ports = map { Berth::Cache::start($_) } @nodes;
my $index = "$R/on/e_/one_crate";

is($t->publish($_, $token, 'one_crate', '1.0.0')->{status}, 200, 'there is a crate') for $id, $private;

sub get { return Berth::Cache::get($ports[0], @_); }
sub is_static { return Berth::Cache::is_static($t, $_[0]); }
sub versions { return join(' ', $_[0]{body} =~ /"vers":"([^"]+)"/g); }

subtest 'an index file' => sub {
	my $first = get($index);
	ok(!is_static($first), 'the first time the pool answers');
	my $res = Berth::Cache::wait_static($t, $ports[0], $index);
	ok(defined $res, 'then nginx does') or return;

	is($res->{body}, $first->{body}, 'the same bytes');
	for my $name (qw(content-type content-encoding content-length cache-control vary etag last-modified
	    x-content-type-options accept-ranges)) {
		is($res->{headers}{$name}, $first->{headers}{$name}, "the same $name");
	}
	like($res->{headers}{'x-served-by'}, qr/^[0-9a-f]{32}$/, 'a request id');
	is($res->{headers}{'x-request-id'}, $res->{headers}{'x-served-by'}, 'in both headers');
	my $etag = $res->{headers}{etag};
	like($etag, qr/^"/, 'a strong ETag');
	for my $case ([$etag, 304], ["W/$etag", 304], ["\"x\", $etag", 304], ['"x"', 200]) {
		my $again = get($index, 'If-None-Match' => $case->[0]);

		ok(is_static($again), "If-None-Match: $case->[0]: by nginx");
		is($again->{status}, $case->[1], "If-None-Match: $case->[0]: $case->[1]");
	}
	is(get($index, 'If-Modified-Since' => 'Wed, 01 Jan 2070 00:00:00 GMT')->{status}, 200,
	    'a time means nothing');
	is(get($index, Range => 'bytes=0-1')->{status}, 200, 'nor does a range');
	# what cargo of Debian asks for, which can unpack more than is kept here
	for my $accept ('br, zstd, gzip', 'gzip, br, zstd', 'zstd, br;q=0.9, gzip;q=0.1') {
		my $again = get($index, 'Accept-Encoding' => $accept);

		ok(is_static($again), "Accept-Encoding: $accept: by nginx");
		is($again->{body}, $first->{body}, '  the same bytes');
		is($again->{headers}{$_}, $res->{headers}{$_}, "  the same $_")
		    for qw(content-encoding content-length etag vary);
	}
	for my $accept ('br, zstd', 'br, zstd, gzip;q=0') {
		my $again = get($index, 'Accept-Encoding' => $accept);

		ok(!is_static($again), "Accept-Encoding: $accept: by the pool");
		is($again->{headers}{'content-encoding'}, undef, '  as it is');
		is($again->{body}, $first->{body}, '  the same bytes');
		like($again->{headers}{etag}, qr/-plain"$/, '  with an ETag of its own');
	}
	my $head = $t->http(HEAD => $index, { headers => ['Accept-Encoding: gzip'] });
	is($head->{status}, 200, 'HEAD');
	ok(is_static($head), 'by nginx');
	is($head->{headers}{'content-length'}, $res->{headers}{'content-length'}, 'has the length');
	my $h2 = $t->http(GET => $index, { http2 => 1, headers => ['Accept-Encoding: gzip'] });
	ok(is_static($h2), 'over HTTP/2 too');
	# the pool knows the ETags of files, and gives the same
	is($t->http(GET => $index, { token => $token, headers => ["If-None-Match: $etag"] })->{status}, 304,
	    'the pool knows the ETag');
	my $stat = (stat($t->dir . "/cache/project/$id/index/on/e_/one_crate.gz"))[9];
	my ($time) = $t->psql("SELECT index_time FROM crates WHERE project_id = $id");
	is($stat, $time, 'the time is the crate\'s');
};

subtest 'config.json' => sub {
	my $first = get("$R/config.json");
	my $res = Berth::Cache::wait_static($t, $ports[0], "$R/config.json");

	ok(defined $res, 'by nginx') or return;
	is($res->{body}, $first->{body}, 'the same bytes');
	is($res->{headers}{$_}, $first->{headers}{$_}, "the same $_")
	    for qw(content-type cache-control vary content-encoding);
	is(get("$R/config.json", 'If-None-Match' => $res->{headers}{etag})->{status}, 304, 'conditional');
	my $plain = $t->http(GET => "$R/config.json");
	ok(is_static($plain), 'also without gzip');
};

subtest 'a crate' => sub {
	my $path = "$R/one_crate/1.0.0/download";
	my $first = $t->http(GET => $path);
	ok(!is_static($first), 'the first time the pool answers');
	my $res = Berth::Cache::wait_static($t, $ports[0], $path);
	ok(defined $res, 'then nginx does') or return;

	is($res->{body}, $first->{body}, 'the same bytes');
	for my $name (qw(content-type content-encoding content-length cache-control vary etag last-modified
	    accept-ranges)) {
		is($res->{headers}{$name}, $first->{headers}{$name}, "the same $name");
	}
	my $part = get($path, Range => 'bytes=2-5');
	is($part->{status}, 206, 'a range');
	is($part->{body}, substr($first->{body}, 2, 4), 'of the bytes');
	is(get($path, 'If-None-Match' => $res->{headers}{etag})->{status}, 304, 'conditional');
	ok($t->nginx_logged('nginx-berth-downloads', $res), 'it is in the log of downloads');
	my @ids = $t->log('nginx-berth-downloads.log')
	    =~ /id=$res->{headers}{'x-request-id'} .*status=200 .*ids="([^"]*)"/g;
	is("@ids", "$id/one_crate/1.0.0 anyone", 'which says what it was');
	my $count = sub {
		$t->run_tasks('count_downloads');
		return $t->psql("SELECT coalesce(sum(downloads), 0) FROM download_days WHERE project_id = $id");
	};
	my $before = $count->();
	my @answers = map { get($path) } 1 .. 5;
	ok(is_static($_), 'downloaded by nginx') for @answers;
	push @answers, get($path, Range => 'bytes=0-3'), $t->http(HEAD => $path);
	ok($t->nginx_logged('nginx-berth-downloads', @answers), 'which is written down');
	is($count->(), $before + 5, 'and counted, but for a part and HEAD');
	$t->run_tasks('count_answers');
	cmp_ok($t->psql("SELECT sum(answers) FROM nginx_answers WHERE route = 'download'"), '>=', 5,
	    'as are answers of nginx alone');
	is($t->psql("SELECT sum(garbage) FROM download_logs"), 0, 'each line is understood');
	is(get("$R/one_crate/9.9.9/download")->{status}, 404, 'no such version');
	is(get("$R/One_Crate/1.0.0/download")->{status}, 404, 'nor in another spelling');
};

subtest 'who is not answered from files' => sub {
	my %roads = (
		'a bad token' => [$index, 401, Authorization => 'berth_pat_bad'],
		'a bad token in GitLab\'s header' => [$index, 401, 'PRIVATE-TOKEN' => 'bad'],
		'another' => [$index, 401, 'JOB-TOKEN' => 'bad'],
		'and another' => [$index, 401, 'Deploy-Token' => 'bad'],
		'Basic' => [$index, 401, Authorization => 'Basic eDp5'],
		'a query' => ["$index?private_token=x", 200],
		'no gzip' => [$index, 200, 'Accept-Encoding' => 'identity'],
		'a path in another spelling' => ["$R/on/e%5f/one_crate", 200],
		'a name in another spelling' => ["$R/on/e_/One_Crate", 200],
		'a project by its path' => ['/api/v4/projects/demo%2Fpublic/packages/cargo/on/e_/one_crate', 200],
		'a wrong place in the index' => ["$R/on/ee/one_crate", 400],
		'a number with a zero' => ["/api/v4/projects/0$id/packages/cargo/on/e_/one_crate", 401],
		'what is not there' => ["$R/no/th/nothing", 404],
		'a private project' => ["$P/on/e_/one_crate", 401],
		'no project' => ['/api/v4/projects/999999999999999999/packages/cargo/on/e_/one_crate', 401],
	);

	for my $name (sort keys %roads) {
		my ($path, $status, @headers) = @{ $roads{$name} };
		my $res = get($path, @headers);

		is($res->{status}, $status, "$name: $status");
		ok(!is_static($res), "$name: by the pool");
		like($res->{headers}{'x-served-by'}, qr/^[0-9a-f]{32}$/, "$name: with a request id");
		like($res->{body}, qr/^[^\n{<]+\n\z/, "$name: in plain text") if $status >= 400;
	}
	for my $inside ("/-/berth/cache/index/$id/index/on/e_/one_crate", "/-/berth/cache/index/$id/config.json",
	    "/-/berth/cache/crates/$id/crates/one_crate/1.0.0", '/-/berth/cache/crates/crate') {
		is(get($inside)->{status}, 404, "$inside: cannot be asked for");
	}
	is(Berth::Cache::get($ports[0], $index, 'Accept-Encoding' => 'identity')->{body}, get($index)->{body},
	    'without gzip: the same text');
};

subtest 'read your writes' => sub {
	my (%etags, @wrong);
	my $want = '1.0.0';

	for my $i (1 .. 20) {
		my $yank = $i % 4 == 0;
		my $res = $yank ? $t->http($i % 8 == 0 ? 'PUT' : 'DELETE', "$R/api/v1/crates/one_crate/1.0.0/"
		    . ($i % 8 == 0 ? 'unyank' : 'yank'), { token => $token })
		    : $t->publish($id, $token, 'one_crate', "1.$i.0");

		push @wrong, "$i: status $res->{status}" if $res->{status} != 200;
		$want .= " 1.$i.0" unless $yank;
		# on each node, and again when the file is there
		for my $n (0, 0, 1, 1) {
			$res = Berth::Cache::get($ports[$n], $index);
			push @wrong, "$i: node $n says " . versions($res) if versions($res) ne $want;
			push @wrong, "$i: the yank is not seen" if $yank
			    && ($res->{body} =~ /"yanked":true/ ? 1 : 0) != ($i % 8 == 0 ? 0 : 1);
			$etags{ $res->{headers}{etag} }{$i} = 1;
		}
		Berth::Cache::wait_static($_, $ports[ $_ == $t ? 0 : 1 ], $index) // push @wrong, "$i: no file" for @nodes;
	}
	is_deeply(\@wrong, [], 'each publish, yank and unyank is seen by the next read, on both nodes');
	is(scalar(grep { keys %$_ > 1 } values %etags), 0, 'no ETag stands for two of them');
	is(scalar keys %etags, 20, 'and each of them has one, on both nodes alike');
};

# What is asked of both nodes after $change has returned.
sub meanwhile {
	my ($name, $path, $change) = @_;

	return map { [@$_[0 .. 2], versions({ body => $_->[3] })] } Berth::Cache::meanwhile($t, \@ports, $name,
	    $path, {}, $change);
}

sub set { return $t->berth_ok('project', 'set', 'demo/public', @_); }

# Files are there on both nodes.
sub warm_up {
	my ($path) = @_;

	Berth::Cache::wait_static($nodes[$_], $ports[$_], $path) // die "no file on node $_\n" for 0, 1;
	return;
}

for my $flip (['visibility=private', 'visibility=public'],
	['packages_enabled=false', 'packages_enabled=true'],
	['visibility=internal', 'visibility=private public_packages=true'],
	['public_packages=false', 'visibility=public']) {
	my ($off, $on) = @$flip;

	subtest "$off, under load" => sub {
		warm_up($index);
		my @after = meanwhile($off, $index, sub { set($off) });

		is(scalar(grep { $_->[2] == 200 } @after), 0, 'no 200 begins after it has returned');
		is(scalar(grep { $_->[2] != 401 } @after), 0, 'but 401');
		is(get("$R/config.json")->{status}, 401, 'nor is there a config.json');
		is(get("$R/one_crate/1.0.0/download")->{status}, 401, 'nor a crate');
		set(split(/ /, $on));
		is(get($index)->{status}, 200, 'and back');
	};
}

subtest 'a flag, under load' => sub {
	warm_up($index);
	my @flag = ('flag', 'set', 'package_registry_cargo_support', 'off', '--project', 'demo/public');
	my @after = meanwhile("@flag", $index, sub { $t->berth_ok(@flag) });

	is(scalar(grep { $_->[2] == 200 } @after), 0, 'no 200 begins after it has returned');
	is(Berth::Cache::get($ports[$_], $index)->{status}, get("$R/no/th/nothing")->{status},
	    "node $_: as if it were not there") for 0, 1;
	$t->berth_ok('flag', 'set', 'package_registry_cargo_support', 'on', '--project', 'demo/public');
	is(get($index)->{status}, 200, 'and back');
};

subtest 'a publish under load' => sub {
	warm_up($index);
	my $before = versions(get($index));
	my @after = meanwhile('publish', $index, sub {
		my $res = $t->publish($id, $token, 'one_crate', '7.0.0');
		die "$res->{status} $res->{body}\n" if $res->{status} != 200;
	});

	is(scalar(grep { $_->[2] != 200 } @after), 0, 'everybody is answered');
	is(scalar(grep { $_->[3] ne "$before 7.0.0" } @after), 0, 'with the new version, on both nodes');
};

subtest 'a version that is taken away' => sub {
	my $path = "$R/one_crate/7.0.0/download";

	warm_up($path);
	# by whatever way: the triggers see it
	$t->psql("UPDATE versions SET status = 'hidden' WHERE version = '7.0.0'");
	ok($t->wait_for(sub { !-e $t->dir . "/cache/project/$id/crates/one_crate" }),
	    'another status: the files go');
	warm_up($path);
	$t->psql("UPDATE versions SET status = 'error' WHERE version = '7.0.0'");
	ok($t->wait_for(sub { Berth::Cache::get($ports[$_], $path)->{status} == 404 }), "node $_: gone") for 0, 1;
	$t->psql("UPDATE versions SET status = 'default' WHERE version = '7.0.0'");
	unlink(glob($t->store . '/*/*/*'));
	is(get($path)->{status}, 503, 'bytes that are gone are our fault');
};

subtest 'a node that stands still' => sub {
	warm_up($index);
	my $keeper = Berth::Cache::keeper($elsewhere);
	ok(kill('STOP', $keeper), 'its keeper does');
	my $began = Berth::Watch::now();
	is(Berth::Cache::get($ports[1], $index)->{status}, 200, 'it goes on serving');
	set('visibility=private');
	my $took = Berth::Watch::now() - $began;
	is(Berth::Cache::get($ports[$_], $index)->{status}, 401, "node $_: private once that has returned") for 0, 1;
	cmp_ok($took, '<', 3 + 12, 'which takes no longer than the lease');
	my $res = $t->publish($id, $token, 'one_crate', '8.0.0');
	is($res->{status}, 200, 'a publish does not wait for it any more');
	set('visibility=public');
	kill('CONT', $keeper);
	ok(defined Berth::Cache::wait_static($elsewhere, $ports[1], $index), 'it comes back');
	like(versions(Berth::Cache::get($ports[1], $index)), qr/ 8\.0\.0$/, 'with what is');
};

# The file is the same for all readers, and says whether they need a token.
subtest 'config.json after a change of visibility' => sub {
	my $needs_token = sub {
		my $res = Berth::Cache::wait_static($t, $ports[0], "$R/config.json", @_) // return 'no file';

		return $t->json($res)->{'auth-required'} ? 'yes' : 'no';
	};

	is($needs_token->(@$_), 'no', 'public') for [], [Authorization => $token];
	set('visibility=private');
	is($needs_token->(Authorization => $token), 'yes', 'private');
	set('visibility=public');
	is($needs_token->(@$_), 'no', 'public again') for [], [Authorization => $token];
};

subtest 'an administrator does not wait for ever' => sub {
	warm_up($index);
	my $keeper = Berth::Cache::keeper($elsewhere);
	kill('STOP', $keeper);
	my ($status, $out, $err) = $t->berth('project', 'set', 'demo/public', 'visibility=private');
	is($status, 0, 'one that stands still: to the end of its lease') or diag($err);
	kill('CONT', $keeper);
	set('visibility=public');

	# one that is there all the time, and hears nothing
	$t->psql("INSERT INTO cache_nodes (node, host, synced, lease_until)"
	    . " VALUES (repeat('0', 32), 'deaf.example.com', 0, now() + interval '1 hour')");
	my $began = Berth::Watch::now();
	($status, $out, $err) = $t->berth('project', 'set', 'demo/public', 'visibility=private', '--wait', 2);
	my $took = Berth::Watch::now() - $began;
	is($status, 3, 'one that is deaf: it gives up');
	cmp_ok($took, '>=', 2, 'not before its time');
	cmp_ok($took, '<', 2 + 12, 'and soon after it');
	like($err,
	    qr/not acknowledged by deaf\.example\.com; the change is committed, but .* restart berth-fcgi there/,
	    'and says of whom it does not know');
	is($out, "$id\n", 'as it is done');
	is(Berth::Cache::get($ports[$_], $index)->{status}, 401, "node $_: private") for 0, 1;
	is(($t->berth('user', 'list', '--wait', 2))[0], 0, 'what changes nothing does not wait');
	for my $wrong ('x', 0, 99999999, -1, '') {
		is(($t->berth('project', 'set', 'demo/public', 'visibility=public', '--wait', $wrong))[0], 2,
		    "--wait '$wrong'");
	}
	$t->psql("DELETE FROM cache_nodes WHERE host = 'deaf.example.com'");
	set('visibility=public');
};

subtest 'a keeper that is killed' => sub {
	warm_up($index);
	kill('KILL', Berth::Cache::keeper($t));
	is($t->publish($id, $token, 'one_crate', '9.0.0')->{status}, 200, 'a publish');
	like(versions(get($index)), qr/ 9\.0\.0$/, 'is seen');
	ok(defined Berth::Cache::wait_static($t, $ports[0], $index), 'its successor writes files');
	ok(Berth::Cache::reload($t), 'a reload');
	is($t->publish($id, $token, 'one_crate', '10.0.0')->{status}, 200, 'a publish');
	like(versions(get($index)), qr/ 10\.0\.0$/, 'is seen');
	ok(defined Berth::Cache::wait_static($t, $ports[0], $index), 'the new keeper writes files');
};

subtest 'the pool is away' => sub {
	# who waits for a lease waits for three quarters of it at least
	$elsewhere->conf(cache_lease => 20);
	$elsewhere->stop_pool;
	$elsewhere->start_pool;
	warm_up($index);
	is($elsewhere->stop_pool, 0, 'it stops');
	my $res = Berth::Cache::get($ports[1], $index);
	is($res->{status}, 502, 'and nothing is served any more');
	is($res->{headers}{'retry-after'}, 5, 'for a while');
	like($res->{body}, qr/^[^\n{<]+\n\z/, 'in plain text');
	my $began = Berth::Watch::now();
	set('visibility=private');
	cmp_ok(Berth::Watch::now() - $began, '<', 12, 'nobody waits for it');
	set('visibility=public');
};

subtest 'a session that gets no notifications' => sub {
	my $between = $elsewhere->dir . '/pg';

	mkdir($between) or die "$between: $!\n";
	my $proxy = Berth::RoundTrips->start($between, Berth::Cluster->inherited->socket_dir, deaf => 1);
	$elsewhere->conf(database => $t->dsn('berth') =~ s/host=\S+/host=$between/r);
	$elsewhere->start_pool;
	ok($t->wait_for(sub { $elsewhere->log('pool') =~ /cache: the listening session gets no notifications/ }),
	    'its keeper finds out');
	like($elsewhere->http(GET => '/-/readiness')->{body},
	    qr/"cache":"not served","cache_detail":"[^"]*gets no notifications from the database/,
	    'readiness says so');
	is(Berth::Cache::get($ports[1], $index)->{status}, 200, 'the pool answers') for 1 .. 3;
	ok(!Berth::Cache::is_static($elsewhere, Berth::Cache::get($ports[1], $index)), 'and never nginx alone');
	my $began = Berth::Watch::now();
	set('visibility=private');
	cmp_ok(Berth::Watch::now() - $began, '<', 12, 'so that nobody waits for it');
	set('visibility=public');
	$elsewhere->stop_pool;
	$proxy->stop;
	$elsewhere->conf(database => $t->dsn('berth'));
};

subtest 'keys that cannot be read' => sub {
	my $file = $elsewhere->dir . '/broken.key';
	my $good = $elsewhere->{settings}{token_key};

	Berth::Test::write_file($file, "00 \"x\";\n");
	$elsewhere->conf(token_key => $file);
	$elsewhere->start_pool;
	ok(defined Berth::Cache::wait_static($elsewhere, $ports[1], $index), 'nginx sends what is public');
	like($elsewhere->log('pool'), qr/cache: token_key: \Q$file\E: line 1 needs a key of 43/,
	    'and the log says what is wrong');
	$elsewhere->stop_pool;
	$elsewhere->conf(token_key => $good);
};

subtest 'without cache_dir' => sub {
	$elsewhere->conf(cache_dir => undef);
	$elsewhere->start_pool;
	is(Berth::Cache::get($ports[1], $index)->{status}, 200, 'the pool answers') for 1 .. 3;
	ok(!Berth::Cache::is_static($elsewhere, Berth::Cache::get($ports[1], $index)), 'always');
	is(Berth::Cache::get($ports[1], $index)->{headers}{etag},
	    Berth::Cache::get($ports[0], $index)->{headers}{etag}, 'with the same ETag');
};

done_testing();
