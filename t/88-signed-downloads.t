#!/usr/bin/perl

# Crates of private projects that nginx sends by itself, by addresses that the pool has signed: the
# same answers as the pool's, to nobody else, and never once a right has been taken away.

use strict;
use warnings;

use Digest::MD5 qw(md5_base64);
use JSON::PP ();
use Test::More;

use Berth::Cluster;
use Berth::Public;
use Berth::Test;
use Berth::Watch;

# The shorter a lease is, the sooner a busy machine is too late to renew it, and nginx asks the pool.
# The other node is the one that is waited for.
my $t = Berth::Test->new(workers => 4, public_lease => 8);
my $elsewhere = Berth::Test->new(workers => 2, public_lease => 3, database => $t->dsn('berth'), store => $t->store,
    download_key => $t->dir . '/download.key');
my $id = $t->project('demo/private');
my $other = $t->project('demo/other');
my $open = $t->project('demo/open', 'public');
my $R = $t->registry($id);
my %id = map { $_ => $t->user($_) } qw(dev mate stranger);
$t->member($_, 'demo', 'maintainer') for qw(dev mate);
my %token = map { $_ => $t->token($_) } keys %id;
my @nodes = ($t, $elsewhere);
my @ports = map { Berth::Public::start($_) } @nodes;

for my $project ($id, $other, $open) {
	is($t->publish($project, $token{dev}, 'one_crate', $_)->{status}, 200, "project $project has version $_") for qw(1.0.0 1.1.0+b.1);
}

sub is_static { return Berth::Public::is_static($t, $_[0]); }

# What config.json says to somebody.
sub config {
	my ($project, $authorization) = @_;
	my $res = $t->http(GET => $t->registry($project) . '/config.json', { defined $authorization ? (token => $authorization) : () });

	is($res->{status}, 200, 'config.json') or diag($res->{body});
	return JSON::PP::decode_json($res->{body});
}

# The path that cargo makes of it.
sub path {
	my ($project, $authorization, $version) = @_;
	my $dl = config($project, $authorization)->{dl};

	$dl =~ s/\{crate\}/one_crate/;
	$dl =~ s/\{version\}/$version \/\/ '1.0.0'/e;
	return substr($dl, length $t->url);
}

# What $ask says both times, within one hour: the next one has other signatures.
sub twice {
	my ($ask) = @_;

	while (1) {
		my $hour = int(time / 3600);
		my @said = map { $ask->($_) } 1, 2;

		return @said if int(time / 3600) == $hour;
	}
}

# As the key's owners sign: in place of what is in a path.
sub signed {
	my ($key, $path, $authorization, %over) = @_;
	my ($project) = $path =~ m{/projects/(\d+)/};
	my %is = ($path =~ /([gue])=([^&]*)/g, p => $project, %over);
	my $s = md5_base64("$key $is{p} $is{g} $is{u} $is{e} $authorization $key") =~ tr{+/}{-_}r;

	return $path =~ s/\?.*//r . "?g=$is{g}&u=$is{u}&e=$is{e}&s=$s";
}

sub key { return Berth::Cluster::_slurp($t->dir . '/download.key') =~ /"(\w{32,})"/ ? $1 : die "no key\n"; }

subtest 'config.json' => sub {
	my $config = config($id, $token{dev});
	my $root = $t->url . $R;

	like($config->{dl}, qr{^\Q$root\E/\{crate\}/\{version\}/download\?g=[0-9a-f-]{36}&u=user:$id{dev}&e=\d+&s=[\w-]{22}$}, 'dl is signed');
	is($config->{api}, $root, 'api is as ever');
	my ($path, $again) = twice(sub { return path($id, $token{dev}) });
	is($again, $path, 'and the same bytes next time');
	is($path, signed(key(), $path, $token{dev}), 'as the manual says');
	my ($mine, $others) = twice(sub { return path($id, $token{ ('dev', 'mate')[$_[0] - 1] }) =~ s/.*s=//r });
	isnt($others, $mine, 'each caller has another signature');
	like(config($open, $token{dev})->{dl}, qr/\?g=/, 'a caller with a token, also of a public project');
	is(config($open)->{dl}, $t->url . $t->registry($open), 'but not somebody without one');
	my ($until) = $config->{dl} =~ /e=(\d+)/;
	cmp_ok(abs($until - time - 86400), '<=', 3600, 'for a day');
	my $job = $t->job_token('demo/private', 'dev', ttl => 300);
	like(config($id, $job)->{dl}, qr/&u=job:\d+&/, 'a job');
	($until) = config($id, $job)->{dl} =~ /e=(\d+)/;
	cmp_ok($until, '<=', time + 300, 'for no longer than its token lasts');
	cmp_ok($until, '>=', time + 240, 'and hardly shorter');
	my $deploy = $t->deploy_token('demo/private', 'read');
	like(config($id, $deploy)->{dl}, qr/&u=deploy:\d+&/, 'a deploy token');
	like(config($id, "Bearer $token{dev}")->{dl}, qr/\?g=/, 'a Bearer');
};

subtest 'a download' => sub {
	for my $version ('1.0.0', '1.1.0+b.1') {
		my $path = path($id, $token{dev}, $version);
		my $plain = $t->http(GET => $path =~ s/\?.*//r, { token => $token{dev} });
		my $first = $t->http(GET => $path, { token => $token{dev} });

		is($first->{status}, 200, "$version: the first time");
		ok(!is_static($first), 'the pool answers');
		my $res = Berth::Public::wait_static($t, $ports[0], $path, Authorization => $token{dev});
		ok(defined $res, 'then nginx does') or return;
		is($res->{body}, $plain->{body}, 'the same bytes');
		for my $name (qw(content-type content-encoding content-length cache-control vary etag last-modified accept-ranges x-content-type-options)) {
			is($res->{headers}{$name}, $plain->{headers}{$name}, "the same $name");
		}
		like($res->{headers}{'x-served-by'}, qr/^[0-9a-f]{32}$/, 'a request id');
		ok($t->nginx_logged('nginx-berth-downloads', $res), 'it is in the log of downloads');
		my ($ids) = $t->log('nginx-berth-downloads') =~ /id=$res->{headers}{'x-request-id'} .*status=200 .*ids="([^"]*)"/;
		is($ids, "$id/one_crate/$version user:$id{dev}", 'which says what it was, and for whom');
		my $part = Berth::Public::get($ports[0], $path, Authorization => $token{dev}, Range => 'bytes=2-5');
		is($part->{status}, 206, 'a range');
		is($part->{body}, substr($plain->{body}, 2, 4), 'of the bytes');
		ok(is_static($part), 'by nginx');
		is(Berth::Public::get($ports[0], $path, Authorization => $token{dev}, 'If-None-Match' => $res->{headers}{etag})->{status}, 304, 'conditional');
		my $h2 = $t->http(GET => $path, { http2 => 1, token => $token{dev} });
		ok(is_static($h2) && $h2->{body} eq $plain->{body}, 'over HTTP/2 too');
		my $head = $t->http(HEAD => $path, { token => $token{dev} });
		ok(is_static($head) && $head->{headers}{'content-length'} == length($plain->{body}), 'HEAD');
	}
	ok(defined Berth::Public::wait_static($elsewhere, $ports[1], path($id, $token{dev}), Authorization => $token{dev}),
	    'another host with the same key sends it as well');
	unlike(join('', map { $t->log($_) } qw(nginx-berth nginx-berth-downloads pool)), qr/s=[\w-]{22}/, 'no log has the address');
};

subtest 'counted' => sub {
	my $count = sub {
		$t->run_jobs('count_downloads');
		return join(' ', $t->psql("SELECT coalesce(sum(downloads), 0) FROM download_days WHERE project_id = $id"),
		    $t->psql("SELECT coalesce(sum(downloads), 0) FROM usage_months WHERE project_id = $id AND actor = 'user' AND actor_id = $id{mate}"));
	};
	my $path = path($id, $token{mate});
	my $first = Berth::Public::wait_static($t, $ports[0], $path, Authorization => $token{mate}) // die "no file\n";
	$t->nginx_logged('nginx-berth-downloads', $first);
	my ($all, $mate) = split(/ /, $count->());
	my @answers = map { Berth::Public::get($ports[0], $path, Authorization => $token{mate}) } 1 .. 5;

	ok(is_static($_), 'downloaded by nginx') for @answers;
	push @answers, Berth::Public::get($ports[0], $path, Authorization => $token{mate}, Range => 'bytes=0-3');
	ok($t->nginx_logged('nginx-berth-downloads', @answers), 'which is written down');
	is($count->(), ($all + 5) . ' ' . ($mate + 5), 'each once, for whom it was');
};

subtest 'whoever the pool has to decide about' => sub {
	my $path = path($id, $token{dev});
	ok(defined Berth::Public::wait_static($t, $ports[0], $path, Authorization => $token{dev}), 'nginx sends this');
	my $change = sub { my ($from, $to) = @_; my $p = $path; $p =~ s/$from/$to/ or die "$from\n"; return $p };
	my %roads = (
		'another token' => [$path, 200, $token{mate}],
		'another token of the same user' => [$path, 200, $t->token('dev')],
		'the same in another form' => [$path, 200, "Bearer $token{dev}"],
		'a stranger' => [$path, 404, $token{stranger}],
		'nobody' => [$path, 401, undef],
		'a bad token' => [$path, 401, 'berth_pat_bad'],
		'another project' => [$change->("projects/$id/", "projects/$other/"), 200, $token{dev}],
		'another user in it' => [$change->("user:$id{dev}", "user:$id{mate}"), 200, $token{dev}],
		'another time' => [$change->('e=', 'e=9'), 200, $token{dev}],
		'another generation' => [$path =~ s/g=(.)/'g=' . ($1 eq '0' ? '1' : '0')/er, 200, $token{dev}],
		'another signature' => [$path =~ s/s=(.)/'s=' . ($1 eq 'A' ? 'B' : 'A')/er, 200, $token{dev}],
		'no signature' => [$change->('&s=.*', ''), 200, $token{dev}],
		'something more' => ["$path&x=1", 200, $token{dev}],
		'another order' => [$change->('\?(g=[^&]*)&(u=[^&]*)', '?x=1&$2'), 200, $token{dev}],
		'two of one' => [$change->('&s=', '&g=1&s='), 200, $token{dev}],
		'another crate' => [$change->('one_crate', 'no_crate'), 404, $token{dev}],
		'another spelling' => [$change->('one_crate', 'One_crate'), 404, $token{dev}],
		'another version' => [$change->('1\.0\.0', '9.9.9'), 404, $token{dev}],
		'dots' => [$change->('one_crate', '..'), 400, $token{dev}],
		'a project by its path' => [$change->("projects/$id/", 'projects/demo%2Fprivate/'), 200, $token{dev}],
		'a time that is over' => [signed(key(), $path, $token{dev}, e => time - 2), 200, $token{dev}],
		'another key' => [signed('k' x 40, $path, $token{dev}), 200, $token{dev}],
		'no key' => [signed('', $path, $token{dev}), 200, $token{dev}],
		'an ended generation' => [signed(key(), $path, $token{dev}, g => '00000000-0000-4000-8000-000000000000'), 200, $token{dev}],
	);

	for my $name (sort keys %roads) {
		my ($where, $status, $whose) = @{ $roads{$name} };
		my $res = Berth::Public::get($ports[0], $where, defined $whose ? (Authorization => $whose) : ());

		is($res->{status}, $status, "$name: $status");
		ok(!is_static($res), "$name: not by nginx alone");
	}
	for my $header (qw(PRIVATE-TOKEN JOB-TOKEN Deploy-Token)) {
		ok(!is_static(Berth::Public::get($ports[0], $path, Authorization => $token{dev}, $header => 'x')), "$header beside it");
	}
	is(Berth::Public::get($ports[0], "/-/signed/x/$id/one_crate/1.0.0", Authorization => $token{dev})->{status}, 404, 'the place itself cannot be asked for');
	ok(is_static(Berth::Public::get($ports[0], signed(key(), $path, $token{dev}, e => time + 60), Authorization => $token{dev})), 'what is signed rightly is sent');
};

sub give_back { $t->member('dev', 'demo', 'maintainer'); return; }

subtest 'a version of another crate' => sub {
	my $path = path($id, $token{dev});
	my $file = sub { return scalar(() = glob($t->dir . "/public/tree/signed/*/$id/$_[0]")) };

	is($t->publish($id, $token{dev}, 'two_crate', '1.0.0')->{status}, 200, 'there is one');
	Berth::Public::wait_static($t, $ports[0], $_, Authorization => $token{dev}) // die "no file\n"
	    for $path, path($id, $token{dev}) =~ s/one_crate/two_crate/r;
	is($file->('two_crate'), 1, 'nginx sends it');
	$t->berth_ok('delete', 'demo/private', 'two_crate@1.0.0');
	is($file->('two_crate'), 0, 'not once it is deleted');
	is($file->('one_crate/1.0.0'), 1, 'the first one is there');
	ok(is_static(Berth::Public::get($ports[0], $path, Authorization => $token{dev})), 'and nginx sends it at once');
};

# What is taken away, how it is given back, and what is answered in between.
my @changes = (
	['a revoked token', 401, sub { $t->berth_ok({ stdin => "$_[0]\n" }, 'token', 'revoke') }],
	['a token revoked through the API', 401, sub { $t->http(DELETE => '/api/v4/personal_access_tokens/self', { headers => ["PRIVATE-TOKEN: $_[0]"] })->{status} == 204 or die "not revoked\n" }],
	['a blocked user', 401, sub { $t->berth_ok('user', 'block', 'dev') }, sub { $t->berth_ok('user', 'unblock', 'dev') }],
	['no membership', 404, sub { $t->berth_ok('member', 'set', 'dev', 'demo', 'none') }, \&give_back],
	['a lower role', 403, sub { $t->member('dev', 'demo', 'guest') }, \&give_back],
	['no packages', 404, sub { $t->berth_ok('project', 'set', 'demo/private', 'packages_enabled=false') },
		sub { $t->berth_ok('project', 'set', 'demo/private', 'packages_enabled=true') }],
	['a flag', 404, sub { $t->berth_ok('flag', 'set', 'package_registry_cargo_support', 'off', '--project', 'demo/private') },
		sub { $t->berth_ok('flag', 'set', 'package_registry_cargo_support', 'on', '--project', 'demo/private') }],
	['a deleted version', 404, sub { $t->berth_ok('delete', 'demo/private', 'one_crate@1.0.0') }],
);

for my $change (@changes) {
	my ($name, $status, $take, $give) = @$change;

	subtest "$name, under load" => sub {
		my $mine = $t->token('dev');
		my $path = path($id, $mine);

		Berth::Public::wait_static($nodes[$_], $ports[$_], $path, Authorization => $mine) // die "no file on node $_\n" for 0, 1;
		my @after = Berth::Public::meanwhile($t, \@ports, $name, $path, { Authorization => $mine }, sub { $take->($mine) });
		is(scalar(grep { $_->[2] == 200 } @after), 0, 'no 200 begins after it has returned');
		is(scalar(grep { $_->[2] != $status } @after), 0, "but $status");
		return unless defined $give;
		$give->();
		is(Berth::Public::get($ports[0], $path, Authorization => $mine)->{status}, 200, 'and back');
		isnt(path($id, $mine), $path, 'with another signature');
	};
}

subtest 'in a server that sends compressed files' => sub {
	# the one version's file has the name of the other's, compressed
	my @versions = qw(3.0.0-a 3.0.0-a.gz);

	$elsewhere->stop_nginx;
	$ports[1] = Berth::Public::start($elsewhere, sub { s/^(?=server \{)/gzip_static on;\n/mr });
	for my $project ($id, $open) {
		my %mine = $project == $id ? (Authorization => $token{dev}) : ();

		is($t->publish($project, $token{dev}, 'one_crate', $_)->{status}, 200, "$project: $_") for @versions;
		my %path = map { $_ => $project == $id ? path($id, $token{dev}, $_) : $t->registry($open) . "/one_crate/$_/download" } @versions;
		Berth::Public::wait_static($elsewhere, $ports[1], $path{$_}, %mine) // die "no file of $_\n" for @versions;
		my $plain = Berth::Public::get($ports[0], $path{'3.0.0-a'} =~ s/\?.*//r, Authorization => $token{dev});
		my $res = Berth::Public::get($ports[1], $path{'3.0.0-a'}, %mine);
		is($res->{headers}{'content-encoding'}, undef, "$project: not as such");
		ok($res->{body} eq $plain->{body}, "$project: but as it is");
	}
};

subtest 'by whatever way' => sub {
	my $mine = $t->token('dev');
	my $path = path($id, $mine, '1.1.0+b.1');
	my %who = ($path => { Authorization => $mine }, $t->registry($open) . '/one_crate/1.0.0/download' => {});

	for my $where (keys %who) {
		Berth::Public::wait_static($nodes[$_], $ports[$_], $where, %{ $who{$where} }) // die "no file on node $_\n" for 0, 1;
	}
	$t->psql("UPDATE crates SET name = 'One_crate' WHERE name = 'one_crate'");
	for my $where (keys %who) {
		ok($t->wait_for(sub { Berth::Public::get($ports[$_], $where, %{ $who{$where} })->{status} == 404 }), "node $_: another name") for 0, 1;
	}
	$t->psql("UPDATE crates SET name = 'one_crate' WHERE name = 'One_crate'");

	Berth::Public::wait_static($nodes[$_], $ports[$_], $path, Authorization => $mine) // die "no file on node $_\n" for 0, 1;
	# nobody waits for the keepers here, but they hear of it
	$t->psql("DELETE FROM tokens WHERE id = (SELECT max(id) FROM tokens)");
	ok($t->wait_for(sub { Berth::Public::get($ports[$_], $path, Authorization => $mine)->{status} == 401 }), "node $_: gone") for 0, 1;
};

subtest 'a node that stands still' => sub {
	my $mine = $t->token('dev');
	my $path = path($id, $mine, '1.1.0+b.1');

	Berth::Public::wait_static($nodes[$_], $ports[$_], $path, Authorization => $mine) // die "no file on node $_\n" for 0, 1;
	my $keeper = Berth::Public::keeper($elsewhere);
	ok(kill('STOP', $keeper), 'its keeper does');
	is(Berth::Public::get($ports[1], $path, Authorization => $mine)->{status}, 200, 'it goes on sending');
	my $began = Berth::Watch::now();
	$t->berth_ok({ stdin => "$mine\n" }, 'token', 'revoke');
	my $took = Berth::Watch::now() - $began;
	is(Berth::Public::get($ports[$_], $path, Authorization => $mine)->{status}, 401, "node $_: not once the token is revoked") for 0, 1;
	cmp_ok($took, '<', 3 + 12, 'which takes no longer than the lease');
	kill('CONT', $keeper);
};

# A function that a transaction runs before it ends, and that no cancel ends: so its COMMIT is answered
# when whoever waits has given up the connection, as with a standby that does not follow.
my $SLOW = <<'SQL';
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	until CONSTANT timestamptz := clock_timestamp() + interval '3.4 s';
BEGIN
	WHILE clock_timestamp() < until LOOP
		BEGIN
			PERFORM pg_sleep(0.05);
		EXCEPTION WHEN query_canceled THEN
			NULL;
		END;
	END LOOP;
	RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER slow AFTER UPDATE OF revoked_at ON tokens DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION slow();
SQL

subtest 'a COMMIT that is answered late' => sub {
	my $mine = $t->token('dev');
	my $path = path($id, $mine, '1.1.0+b.1');

	# far longer than the COMMIT
	$elsewhere->conf(public_lease => 12);
	$elsewhere->stop_pool;
	$elsewhere->start_pool;
	Berth::Public::wait_static($nodes[$_], $ports[$_], $path, Authorization => $mine) // die "no file on node $_\n" for 0, 1;
	my $keeper = Berth::Public::keeper($elsewhere);
	$t->psql($SLOW);
	# for the command alone
	$t->conf(database_timeout => 2);
	ok(kill('STOP', $keeper), 'a keeper stands still');
	$t->berth_ok({ stdin => "$mine\n" }, 'token', 'revoke');
	is(Berth::Public::get($ports[$_], $path, Authorization => $mine)->{status}, 401, "node $_: not once the token is revoked") for 0, 1;
	kill('CONT', $keeper);
	$t->conf(database_timeout => undef);
	$t->psql('DROP FUNCTION slow CASCADE');
};

subtest 'a request whose time is up' => sub {
	my $mine = $t->token('dev');
	my $path = path($id, $mine, '1.1.0+b.1');

	$t->conf(request_timeout => 2);
	$t->stop_pool;
	$t->start_pool;
	Berth::Public::wait_static($nodes[$_], $ports[$_], $path, Authorization => $mine) // die "no file on node $_\n" for 0, 1;
	my $keeper = Berth::Public::keeper($elsewhere);
	ok(kill('STOP', $keeper), 'a keeper stands still, with a lease of 12 s');
	my $res = $t->http(DELETE => '/api/v4/personal_access_tokens/self', { headers => ["PRIVATE-TOKEN: $mine"] });
	is($res->{status}, 503, 'whoever revokes a token is not told that it holds');
	like($res->{body}, qr/it is done, but hosts of this registry may go on for a while as before/, 'but what does');
	is(Berth::Public::get($ports[0], $path, Authorization => $mine)->{status}, 401, 'it is done');
	ok($t->wait_for(sub { Berth::Public::get($ports[1], $path, Authorization => $mine)->{status} == 401 }), 'everywhere once the lease has ended');
	kill('CONT', $keeper);
};

subtest 'without a key' => sub {
	my $path = path($id, $token{dev}, '1.1.0+b.1');

	Berth::Public::wait_static($elsewhere, $ports[1], $path, Authorization => $token{dev}) // die "no file\n";
	$elsewhere->stop_nginx;
	$elsewhere->conf(download_key => undef);
	$ports[1] = Berth::Public::start($elsewhere);
	for my $where ($path, signed('', $path, $token{dev})) {
		my $res = Berth::Public::get($ports[1], $where, Authorization => $token{dev});

		is($res->{status}, 200, 'nginx has none: 200');
		ok(!Berth::Public::is_static($elsewhere, $res), 'by the pool');
	}
	$elsewhere->stop_pool;
	$elsewhere->start_pool;
	is(JSON::PP::decode_json($elsewhere->http(GET => "$R/config.json", { token => $token{dev} })->{body})->{dl}, $elsewhere->url . $R,
	    'the pool has none: config.json is as ever');
};

subtest 'a key that cannot be read' => sub {
	my ($key, $file) = (key(), $t->dir . '/download.key');

	for my $bad ('', "\"\" \"short\";\n", $key) {
		Berth::Test::_write($file, $bad);
		my ($status, undef, $err) = Berth::Cluster::capture($t->build . '/berth-fcgi', '-t', '-c', $t->conf_path);

		is($status, 1, 'berth-fcgi -t: 1');
		like($err, qr/^berth-fcgi: download_key: there (?:is no key|must be one line)/, 'and why');
	}
	$t->stop_pool;
	$t->start_pool;
	ok($t->wait_for(sub { $t->log('pool') =~ /level=error .*msg="download_key: there must be one line/ }), 'the pool says so');
	is(config($id, $token{dev})->{dl}, $t->url . $R, 'and goes on without');
	Berth::Test::_write($file, "\"\" \"$key\";\n");
	$t->conf(public_dir => undef);
	my ($status, undef, $err) = Berth::Cluster::capture($t->build . '/berth-fcgi', '-t', '-c', $t->conf_path);
	is("$status $err", "1 berth-fcgi: download_key: it needs public_dir\n", 'nor is it of use without public_dir');
};

done_testing();
