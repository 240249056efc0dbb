#!/usr/bin/perl

# Private index files, config.json and crates that nginx sends by itself to callers whom the pool has allowed
# to read them: the same answers as the pool's, to nobody else, and never after the loss of a right.

use strict;
use warnings;

use Digest::MD5 qw(md5_base64);
use Test::More;

use Berth::Cluster;
use Berth::Cache;
use Berth::Test;
use Berth::Watch;

# The shorter a lease is, the sooner a busy machine is too late to renew it, and nginx asks the pool.
# Writers wait for the other node.
my $t = Berth::Test->new(workers => 4, write_workers => 2, cache_lease => 8);
my $elsewhere = Berth::Test->new(workers => 2, cache_lease => 3, database => $t->dsn('berth'),
    store => $t->store);
my $id = $t->project('demo/private');
my $other = $t->project('demo/other');
my $R = $t->registry($id);
my %id = map { $_ => $t->user($_) } qw(dev mate stranger);
$t->member($_, 'demo', 'maintainer') for qw(dev mate);
my %token = map { $_ => $t->token($_) } keys %id;
my @nodes = ($t, $elsewhere);
my @ports = map { Berth::Cache::start($_) } @nodes;
my ($index, $config, $crate) = map { "$R/$_" } 'on/e_/one_crate', 'config.json',
    'one_crate/1.1.0+b.1/download';
my ($key) = Berth::Cluster::slurp($t->{settings}{token_key}) =~ /^00 "(\w{43})"/m;
my ($registry) = $t->psql('SELECT id FROM registry');

for my $project ($id, $other) {
	is($t->publish($project, $token{dev}, 'one_crate', $_)->{status}, 200, "project $project has version $_")
	    for qw(1.0.0 1.1.0+b.1);
}

sub get {
	my ($path, $token, %more) = @_;

	return Berth::Cache::get($ports[0], $path, defined $token ? (Authorization => $token) : (), %more);
}

sub is_static { return Berth::Cache::is_static($t, $_[0]); }

# nginx sends it on both nodes.
sub warm_up {
	my ($path, $token) = @_;

	Berth::Cache::wait_static($nodes[$_], $ports[$_], $path, Authorization => $token)
	    // die "no file on node $_\n" for 0, 1;
	return;
}

# The text of a token with some of its parts replaced, and, with its key, the right MAC for it.
sub forged {
	my ($token, %over) = @_;
	my ($kind, $slot, $handle, $secret, $mac) = $token =~ /^berth_(pat|dep|job)_(..)(.{16})_(.{32})_(.{22})$/
	    or die "no token\n";
	my %is = (kind => $kind, slot => $slot, handle => $handle, secret => $secret, %over);
	my $text = "$is{kind}_$is{slot}$is{handle}_$is{secret}";

	if (exists $over{key}) {
		my $of = $over{registry} // $registry;
		$mac = md5_base64("$over{key} $of $text $over{key}") =~ tr{+/}{-_}r;
	}
	$mac = $over{mac} if exists $over{mac};
	return "berth_${text}_$mac";
}

sub handle { return $_[0] =~ /^berth_\w{3}_(\w{18})_/ ? $1 : die "no token\n"; }

is(forged($token{dev}, key => $key), $token{dev}, 'a token is what the manual says');

for my $case (['config.json', $config], ['an index file', $index], ['a crate', $crate]) {
	my ($name, $path) = @$case;

	subtest $name => sub {
		my $first = get($path, $token{dev});
		ok(!is_static($first), 'the first time the pool answers');
		is($first->{status}, 200, 'it does');
		my $res = Berth::Cache::wait_static($t, $ports[0], $path, Authorization => $token{dev});
		ok(defined $res, 'then nginx does') or return;
		is($res->{body}, $first->{body}, 'the same bytes');
		for my $header (qw(content-type content-encoding content-length cache-control vary last-modified
		    accept-ranges x-content-type-options)) {
			is($res->{headers}{$header}, $first->{headers}{$header}, "the same $header");
		}
		like($res->{headers}{'cache-control'}, qr/^private, /, 'for nobody else');
		is($res->{headers}{etag}, $first->{headers}{etag}, 'the same ETag');
		like($res->{headers}{'x-served-by'}, qr/^[0-9a-f]{32}$/, 'a request id');
		is(get($path, $token{dev}, 'If-None-Match' => $res->{headers}{etag})->{status}, 304, 'conditional');
		ok(is_static(get($path, "$_ $token{dev}")), "after $_, too") for qw(Bearer Token);
		my $h2 = $t->http(GET => $path, { http2 => 1, token => $token{dev}, headers => ['Accept-Encoding: gzip'] });
		ok(is_static($h2) && $h2->{status} == 200, 'over HTTP/2, too');
		is(get($path, $token{mate})->{body}, $first->{body}, 'somebody else who may: the same bytes');
		ok(defined Berth::Cache::wait_static($elsewhere, $ports[1], $path, Authorization => $token{dev}),
		    'another host as well');
	};
}

subtest 'each kind of token' => sub {
	my %kinds = (deploy => $t->deploy_token('demo/private', 'read'),
	    job => $t->job_token('demo/private', 'dev'));

	for my $kind (sort keys %kinds) {
		ok(defined Berth::Cache::wait_static($t, $ports[0], $index, Authorization => $kinds{$kind}),
		    "a $kind token");
	}
	my $soon = $t->job_token('demo/private', 'dev', ttl => 5);
	is(get($index, $soon)->{status}, 200, 'one that ends within a lease') for 1 .. 3;
	ok(!is_static(get($index, $soon)), 'is always answered by the pool');
	ok($t->wait_for(sub { get($index, $soon)->{status} == 401 }), 'and ends to the second');
};

subtest 'counted' => sub {
	my $count = sub {
		$t->run_tasks('count_downloads');
		return join(' ', $t->psql("SELECT coalesce(sum(downloads), 0) FROM download_days WHERE project_id = $id"),
		    $t->psql("SELECT coalesce(sum(downloads), 0) FROM usage_months WHERE project_id = $id"
		    . " AND actor = 'user' AND actor_id = $id{mate}"));
	};
	my $first = Berth::Cache::wait_static($t, $ports[0], $crate, Authorization => $token{mate})
	    // die "no file\n";
	$t->nginx_logged('nginx-berth-downloads', $first);
	my ($ids) = $t->log('nginx-berth-downloads.log')
	    =~ /id=$first->{headers}{'x-request-id'} .*status=200 .*ids="([^"]*)"/;
	is($ids, "$id/one_crate/1.1.0+b.1 " . handle($token{mate}), 'the log says what it was, and for whom');
	my ($all, $mate) = split(/ /, $count->());
	my @answers = map { get($crate, $token{mate}) } 1 .. 5;

	ok(is_static($_), 'downloaded by nginx') for @answers;
	push @answers, get($crate, $token{mate}, Range => 'bytes=0-3');
	is($answers[-1]{status}, 206, 'a range');
	ok($t->nginx_logged('nginx-berth-downloads', @answers), 'which is written down');
	is($count->(), ($all + 5) . ' ' . ($mate + 5), 'each once, for whom it was');
};

# Every way to a file without its grant.
subtest 'hostile' => sub {
	my $dead = $t->token('dev');
	my $deploy = $t->deploy_token('demo/other', 'read');
	Berth::Cache::wait_static($t, $ports[0], $_, Authorization => $token{dev}) // die "no file\n"
	    for $index, $crate;
	Berth::Cache::wait_static($t, $ports[0], $index, Authorization => $dead) // die "no file\n";
	$t->berth_ok({ stdin => "$dead\n" }, 'token', 'revoke');
	my $dev = handle($token{dev});
	my %slot_and_handle = (slot => substr($dev, 0, 2), handle => substr($dev, 2));
	my ($own_mac) = $token{stranger} =~ /_(.{22})$/;
	my %roads = (
		'nobody' => [$index, 401, undef],
		'a stranger' => [$index, 404, $token{stranger}],
		'a handle of another with one\'s own MAC' => [$index, 401,
		    forged($token{stranger}, %slot_and_handle, mac => $own_mac)],
		'a handle of another with the right MAC' => [$index, 401,
		    forged($token{stranger}, %slot_and_handle, key => $key), 'nginx'],
		'a secret that was guessed' => [$index, 401, forged($token{dev}, secret => 'x' x 32)],
		'another kind' => [$index, 401, forged($token{dev}, kind => 'job')],
		'a MAC that is cut' => [$index, 401, substr($token{dev}, 0, -1)],
		'no MAC' => [$index, 401, forged($token{dev}, mac => '')],
		'a MAC in another spelling' => [$index, 401,
		    forged($token{dev}, mac => ($token{dev} =~ /_(.{21}).$/)[0] . 'B')],
		'an empty key' => [$index, 401, forged($token{dev}, secret => 'y' x 32, key => '')],
		'an empty key of a slot that is not there' => [$index, 401,
		    forged($token{dev}, slot => 'zz', secret => 'y' x 32, key => '')],
		'a slot in capitals' => [$index, 401, forged($token{dev}, slot => 'ZZ', key => $key)],
		'a token of another registry' => [$index, 401,
		    forged($token{dev}, key => $key, registry => '00000000-0000-4000-8000-000000000000')],
		'the handle of a token that was revoked' => [$index, 401, $dead],
		'a token of another project' => [$index, 404, $deploy],
		'Basic' => [$index, 401, 'Basic eDp5'],
		'two words before it' => [$index, 401, "Bearer Bearer $token{dev}"],
		'a token in the query' => ["$index?private_token=$token{dev}", 401, undef],
		'dots' => ["$R/../$id/packages/cargo/on/e_/one_crate", 400, $token{stranger}],
		'dots that are encoded' => ["$R/%2e%2e/on/e_/one_crate", 400, $token{stranger}],
		'dots in a name' => ["$R/one_crate/../download", 400, $token{stranger}],
		'the cache itself' => ["/-/berth/cache/index/$id/index/on/e_/one_crate", 404, $token{dev}],
		'a crate in the cache' => ["/-/berth/cache/crates/$id/crates/one_crate/1.0.0", 404, $token{dev}],
	);

	for my $name (sort keys %roads) {
		my ($path, $status, $whose) = @{ $roads{$name} };
		next if $name eq 'a handle of another with the right MAC';
		my $res = get($path, $whose);

		is($res->{status}, $status, "$name: $status");
		ok(!is_static($res) || $status != 200, "$name: not served");
	}
	for my $header (qw(PRIVATE-TOKEN JOB-TOKEN Deploy-Token)) {
		ok(!is_static(get($index, $token{dev}, $header => $token{dev})), "$header beside it: not by nginx alone");
	}
	ok(!is_static(get("$index?x=1", $token{dev})), 'a query: not by nginx alone');
	ok(!is_static($t->http(GET => '/api/v4/projects/demo%2Fprivate/packages/cargo/on/e_/one_crate',
	    { token => $token{dev} })), 'a project by its path: not by nginx alone');
	is($t->http(GET => $index, { headers => ["Authorization: $token{dev}",
	    "Authorization: $token{mate}"] })->{status}, 400, 'two of them: 400');
};

sub give_back { $t->member('dev', 'demo', 'maintainer'); return; }

# What is not there, too: nginx says so to whom the pool has said it, until it comes.
subtest 'a crate that does not exist' => sub {
	my ($none, $folder) = ("$R/no/ne/none", $t->dir . "/cache/project/$id/index/no/ne");
	my $first = get($none, $token{dev});

	is($first->{status}, 404, 'the pool says so');
	ok(!is_static($first), 'the first time');
	ok($t->wait_for(sub { is_static(get($none, $token{dev})) }), 'then nginx does');
	my $res = get($none, $token{dev});
	ok(is_static($res), 'by itself');
	is($res->{status}, 404, 'not found');
	is($res->{body}, $first->{body}, 'the same bytes');
	for my $header (sort { $a cmp $b } keys %{ { %{ $first->{headers} }, %{ $res->{headers} } } }) {
		next if $header =~ /^(?:date|x-request-id|x-served-by)$/;
		is($res->{headers}{$header}, $first->{headers}{$header}, "the same $header");
	}
	my $h2 = $t->http(GET => $none, { http2 => 1, token => $token{dev} });
	ok(is_static($h2) && $h2->{status} == 404, 'over HTTP/2 and without gzip, too');
	my $head = $t->http(HEAD => $none, { token => $token{dev} });
	ok(is_static($head) && $head->{status} == 404, 'and to HEAD');

	my %others = ('nobody' => [$none, 401, undef], 'a stranger' => [$none, 404, $token{stranger}],
	    'a token in a query' => ["$none?x", 404, $token{dev}],
	    'another folder' => ["$R/no/no/none", 400, $token{dev}],
	    'the mark itself' => ["$none.absent", 404, $token{dev}],
	    'another project' => [$t->registry($other) . '/no/ne/none', 404, $token{dev}],
	    'the answer itself' => ['/-/berth/cache/absent', 404, $token{dev}]);
	for my $name (sort keys %others) {
		my ($path, $status, $whose) = @{ $others{$name} };
		my $other = get($path, $whose);

		is($other->{status}, $status, "$name: $status");
		ok($name eq 'the answer itself' || !is_static($other), "$name: not by the mark");
	}
	isnt(get($none, $token{stranger})->{body}, $first->{body}, 'a stranger is told of the project alone');

	# another host marks it as well; a publish by either ends both
	ok($elsewhere->wait_for(sub {
		Berth::Cache::is_static($elsewhere, Berth::Cache::get($ports[1], $none, Authorization => $token{dev}));
	}), 'another host says so, too');
	is($t->publish($id, $token{dev}, 'none', '1.0.0')->{status}, 200, 'now it comes');
	is(Berth::Cache::get($ports[$_], $none, Authorization => $token{dev})->{status}, 200,
	    "node $_: at the next request") for 0, 1;
	ok(!-e "$folder/none.absent", 'without a mark');

	# ways to a crate that are no publish; each is told in its transaction
	my %ways = (
		'a name that changes' => ['na/me/named',
		    "UPDATE crates SET name = 'named', normalized_name = 'named' WHERE project_id = $id AND name = 'none'"],
		'a project that changes' => ['mo/ve/moved', "INSERT INTO crates"
		    . " (project_id, name, normalized_name, index_body) VALUES ($other, 'moved', 'moved', '\\x00')",
			"UPDATE crates SET project_id = $id WHERE name = 'moved'"],
		'a row that comes whole' => ['wh/ol/whole', "INSERT INTO crates"
		    . " (project_id, name, normalized_name, index_body) VALUES ($id, 'whole', 'whole', '\\x00')"],
	);
	for my $way (sort keys %ways) {
		my ($file, @sql) = @{ $ways{$way} };
		my $mark = $t->dir . "/cache/project/$id/index/$file.absent";

		ok($t->wait_for(sub { get("$R/$file", $token{dev})->{status} == 404 && -e $mark }), "$way: marked");
		$t->psql($_) for @sql;
		ok($t->wait_for(sub { !-e $mark }), "$way: ends the mark");
	}
	$t->psql("UPDATE crates SET name = 'none', normalized_name = 'none' WHERE name = 'named'; DELETE FROM crates"
	    . " WHERE name IN ('moved', 'whole')");
	# whoever may not read any more is not told
	$t->member('dev', 'demo', 'guest');
	is(get("$R/na/me/named", $token{dev})->{status}, 403, 'nothing without the right');
	give_back();
};

# The right that is taken away, how it comes back, and the answer in between.
my @changes = (
	['a revoked token', 401, sub { $t->berth_ok({ stdin => "$_[0]\n" }, 'token', 'revoke') }],
	['a token revoked through the API', 401, sub { $t->http(DELETE => '/api/v4/personal_access_tokens/self',
	    { headers => ["PRIVATE-TOKEN: $_[0]"] })->{status} == 204 or die "not revoked\n" }],
	['a rotated token', 401, sub { $t->http(POST => '/api/v4/personal_access_tokens/self/rotate',
	    { headers => ["PRIVATE-TOKEN: $_[0]"] })->{status} == 200 or die "not rotated\n" }],
	['a blocked user', 401, sub { $t->berth_ok('user', 'block', 'dev') },
	    sub { $t->berth_ok('user', 'unblock', 'dev') }],
	['no membership', 404, sub { $t->berth_ok('member', 'set', 'dev', 'demo', 'none') }, \&give_back],
	['a lower role', 403, sub { $t->member('dev', 'demo', 'guest') }, \&give_back],
	['no packages', 404, sub { $t->berth_ok('project', 'set', 'demo/private', 'packages_enabled=false') },
		sub { $t->berth_ok('project', 'set', 'demo/private', 'packages_enabled=true') }],
	['a flag', 404,
		sub { $t->berth_ok('flag', 'set', 'package_registry_cargo_support', 'off', '--project', 'demo/private') },
		sub { $t->berth_ok('flag', 'set', 'package_registry_cargo_support', 'on', '--project', 'demo/private') }],
);

for my $change (@changes) {
	my ($name, $status, $take, $give) = @$change;

	subtest "$name, under load" => sub {
		my $mine = $t->token('dev');
		my $mates = $t->wait_for(sub { is_static(get($index, $token{mate})) });

		warm_up($index, $mine);
		my @after = Berth::Cache::meanwhile($t, \@ports, $name, $index, { Authorization => $mine },
		    sub { $take->($mine) });
		is(scalar(grep { $_->[2] == 200 } @after), 0, 'no 200 begins after it has returned');
		is(scalar(grep { $_->[2] != $status } @after), 0, "but $status");
		ok(is_static(get($index, $token{mate})), 'and nobody else is asked again for one token')
		    if $name =~ /token/ && $mates;
		return unless defined $give;
		$give->();
		is(get($index, $mine)->{status}, 200, 'and back');
	};
}

subtest 'a version that is deleted' => sub {
	warm_up($crate, $token{dev});
	$t->berth_ok('delete', 'demo/private', 'one_crate@1.1.0+b.1');
	is(Berth::Cache::get($ports[$_], $crate, Authorization => $token{dev})->{status}, 404, "node $_: gone")
	    for 0, 1;
	unlike(Berth::Cache::get($ports[$_], $index, Authorization => $token{dev})->{body}, qr/1\.1\.0/,
	    "node $_: from the index, too") for 0, 1;
	$t->berth_ok('undelete', 'demo/private', 'one_crate@1.1.0+b.1');
};

subtest 'a slot that is retired' => sub {
	my $file = $t->dir . '/token.key';
	# as an editor may leave it
	Berth::Test::write_file($file, Berth::Cluster::slurp($t->{settings}{token_key}) =~ s/\n\z//r);
	$_->conf(token_key => $file) for @nodes;
	my $slot = $t->berth_ok('key', 'add');
	like($slot, qr/^[0-9a-z]{2}$/, 'berth key add prints a slot');
	isnt($slot, '00', 'another one');
	like(Berth::Cluster::slurp($file), qr/^registry "\Q$registry\E";\n00 "\w{43}";\n$slot "\w{43}";\n\z/,
	    'and adds it to the file');
	for my $n (0, 1) {
		$nodes[$n]->stop_pool;
		$nodes[$n]->stop_nginx;
		$ports[$n] = Berth::Cache::start($nodes[$n]);
	}
	my ($new, $old) = ($t->token('dev'), $token{dev});
	is(substr(handle($new), 0, 2), $slot, 'new tokens have it');
	warm_up($index, $_) for $new, $old;
	my @after = Berth::Cache::meanwhile($t, \@ports, 'retired', $index, { Authorization => $new },
	    sub { $t->berth_ok('key', 'retire', $slot) });
	is(scalar(grep { $_->[2] != 200 } @after), 0, 'its tokens stay valid');
	ok(!Berth::Cache::is_static($nodes[$_], Berth::Cache::get($ports[$_], $index, Authorization => $new)),
	    "node $_: but nginx sends them nothing") for 0, 1;
	ok(defined Berth::Cache::wait_static($t, $ports[0], $index, Authorization => $old),
	    'tokens of another slot are sent everything');
	is(($t->berth('key', 'retire', 'zz'))[0], 1, 'one that there is not');
	Berth::Test::write_file($file, my $whole = Berth::Cluster::slurp($file) . '#' x 8000 . "\n");
	my ($status, undef, $why) = $t->berth('key', 'add');
	is($status, 1, 'a key that finds no room');
	like($why, qr/token\.key is full; remove the lines of retired slots/, 'says so');
	is(Berth::Cluster::slurp($file), $whole, 'the file stays as it is');
	is($t->psql('SELECT count(*) FROM token_slots WHERE retired_at IS NULL'), 1,
	    'and no slot waits for its key');
	Berth::Test::write_file($file, $whole =~ s/^#+\n//mr);
	like(($t->berth('key', 'list'))[1], qr/^00\b.*^$slot\b.*\d{4}-/ms, 'berth key list has both');
	is(substr(handle($t->token('dev')), 0, 2), '00', 'new tokens have the one that is live');
};

subtest 'a key of another registry' => sub {
	my $file = $t->dir . '/token.key';
	my $good = Berth::Cluster::slurp($file);

	Berth::Test::write_file($file, $good =~ s/^registry .*/registry "00000000-0000-4000-8000-000000000000";/r);
	$t->stop_pool;
	$t->start_pool;
	is(get($index, $token{dev})->{status}, 503, 'the pool serves nothing');
	like($t->log('pool'),
	    qr/token_key: \S+ belongs to registry 00000000-\S+, but the database is registry \Q$registry\E/,
	    'and says why');
	like(($t->berth('token', 'add', '--user', 'dev', '--scopes', 'api'))[2],
	    qr/token_key: \S+ belongs to registry/, 'as berth does');
	my $check = sub {
		return (Berth::Cluster::capture($t->build . '/berth-fcgi', '-t', '-c', $t->conf_path))[0, 2];
	};
	my ($status, $err) = $check->();
	is($status, 1, 'berth-fcgi -t: another registry');
	my $belongs = qr/\Q$file\E belongs to registry 00000000-\S+, but the database is registry \Q$registry\E/;
	like($err, qr/^berth-fcgi: token_key: $belongs; use the file/, 'and which');
	my $res = $t->http(GET => '/-/readiness');
	is($res->{status}, 503, 'readiness');
	is($t->json($res)->{token_key}, 'not the registry\'s', 'says what is wrong');
	like($t->json($res)->{token_key_detail}, qr/belongs to registry 00000000-/, 'and why');

	my @live = $t->psql('SELECT slot FROM token_slots WHERE retired_at IS NULL ORDER BY created_at, slot');
	my $slots = join(' ', @live);
	for my $case (['lacks all slots', $good =~ s/^(?!registry).*\n//mgr,
	    qr/\Q$file\E lacks the keys of the slots \Q$slots\E: nginx here asks the pool/],
	    ['has another key', $good =~ s/^(00 ".{42})(.)/$1 . ($2 eq 'a' ? 'b' : 'a')/emr,
	    qr/\Q$file\E has keys that differ from the database's for the slots 00: nginx here asks the pool/],
	    ['no file', undef,
	    qr/no file is set, so this node lacks the keys of the slots \Q$slots\E: nginx here asks the pool/]) {
		my ($name, $text, $want) = @$case;

		$t->stop_pool;
		Berth::Test::write_file($file, $text) if defined $text;
		$t->conf(token_key => defined $text ? $file : undef);
		($status, $err) = $check->();
		is($status, 0, "$name: -t");
		like($err, qr/^berth-fcgi: warning: token_key: $want/m, "$name: -t warns");
		my $before = () = $t->log('pool') =~ /cache: served from/g;
		$t->start_pool;
		ok($t->wait_for(sub { $before < (() = $t->log('pool') =~ /cache: served from/g) }),
		    "$name: the keeper serves");
		is(scalar(() = $t->log('pool') =~ /token_key: $want/g), 1, "$name: the log says so once");
		$res = $t->http(GET => '/-/readiness');
		is($res->{status}, 200, "$name: the pool is ready");
		is($t->json($res)->{token_key}, 'incomplete', "$name: but readiness says so");
		like($t->json($res)->{token_key_detail}, $want, "$name: with the slots");
		is(get($index, $token{dev})->{status}, 200, "$name: tokens are valid");
	}
	$t->conf(token_key => $file);
	Berth::Test::write_file($file, "00 \"x\";\n");
	($status, $err) = $check->();
	is($status, 1, 'berth-fcgi -t: a broken file');
	like($err, qr/^berth-fcgi: token_key: \S+: line 1 needs a key of 43/, 'and what is wrong');
	$t->stop_pool;
	$t->start_pool;
	is(get($index, $token{dev})->{status}, 200, 'the pool goes on without it');
	is($t->json($t->http(GET => '/-/readiness'))->{token_key}, 'unreadable', 'which readiness says');
	Berth::Test::write_file($file, $good);
	$t->stop_pool;
	$t->start_pool;
	ok(defined Berth::Cache::wait_static($t, $ports[0], $index, Authorization => $token{dev}), 'and with it');
	is($t->json($t->http(GET => '/-/readiness'))->{token_key}, 'ok', 'readiness has nothing to complain of');
	unlike(($check->())[1], qr/slots/, 'nor has -t');
	for my $old (qw(public_dir public_lease download_key)) {
		my ($status, undef, $err) = do {
			$t->conf($old => '/x');
			Berth::Cluster::capture($t->build . '/berth-fcgi', '-t', '-c', $t->conf_path);
		};

		is($status, 1, "$old: is a key no more");
		like($err, qr/the key `$old` was replaced by `(?:cache_dir|cache_lease|token_key)`/, 'and which one is');
		$t->conf($old => undef);
	}
};

# A function that a transaction runs before it ends, and that no cancel ends: the COMMIT is answered
# after the waiting client has given up the connection, as with a slow synchronous standby.
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

subtest 'a node that stands still' => sub {
	my $mine = $t->token('dev');

	warm_up($index, $mine);
	my $keeper = Berth::Cache::keeper($elsewhere);
	ok(kill('STOP', $keeper), 'its keeper does');
	is(Berth::Cache::get($ports[1], $index, Authorization => $mine)->{status}, 200, 'it goes on sending');
	my $began = Berth::Watch::now();
	$t->berth_ok({ stdin => "$mine\n" }, 'token', 'revoke');
	my $took = Berth::Watch::now() - $began;
	is(Berth::Cache::get($ports[$_], $index, Authorization => $mine)->{status}, 401,
	    "node $_: not once the token is revoked") for 0, 1;
	cmp_ok($took, '<', 3 + 12, 'which takes no longer than the lease');
	kill('CONT', $keeper);
};

subtest 'a COMMIT that is answered late' => sub {
	my $mine = $t->token('dev');

	# far longer than the COMMIT
	$elsewhere->conf(cache_lease => 12);
	$elsewhere->stop_pool;
	$elsewhere->start_pool;
	warm_up($index, $mine);
	my $keeper = Berth::Cache::keeper($elsewhere);
	$t->psql($SLOW);
	# for the command alone
	$t->conf(database_timeout => 2);
	ok(kill('STOP', $keeper), 'a keeper stands still');
	$t->berth_ok({ stdin => "$mine\n" }, 'token', 'revoke');
	is(Berth::Cache::get($ports[$_], $index, Authorization => $mine)->{status}, 401,
	    "node $_: not once the token is revoked") for 0, 1;
	kill('CONT', $keeper);
	$t->conf(database_timeout => undef);
	$t->psql('DROP FUNCTION slow CASCADE');
};

subtest 'a request whose time is up' => sub {
	my $mine = $t->token('dev');

	$t->conf(request_timeout => 2);
	$t->stop_pool;
	$t->start_pool;
	warm_up($index, $mine);
	my $keeper = Berth::Cache::keeper($elsewhere);
	ok(kill('STOP', $keeper), 'a keeper stands still, with a lease of 12 s');
	my ($node) = Berth::Cluster::slurp($elsewhere->dir . '/cache/node') =~ /^([0-9a-f]{32})/;
	# whoever may connect to the database can say so, and is not believed
	$t->psql("NOTIFY berth_keepers, 'a 9000000000000000000 $node'");
	# another one has lost the database, and may go on
	$t->psql("INSERT INTO cache_nodes (node, host, synced, lease_until, stale_s)"
	    . " VALUES (repeat('a', 32), 'gone', 0, now(), 300)");
	my $res = $t->http(DELETE => '/api/v4/personal_access_tokens/self', { headers => ["PRIVATE-TOKEN: $mine"] });
	is($res->{status}, 503, 'whoever revokes a token is not told that it holds');
	like($res->{body}, qr/the change is committed, but other nodes may serve stale data for up to \d+ s; /,
	    'but what does');
	like($res->{body}, qr/; the nodes that have lost the database, each with the seconds .*: gone;s=29\d"/,
	    'and who may do so for longer');
	$t->psql("DELETE FROM cache_nodes WHERE host = 'gone'");
	is(Berth::Cache::get($ports[0], $index, Authorization => $mine)->{status}, 401, 'it is done');
	ok($t->wait_for(sub { Berth::Cache::get($ports[1], $index, Authorization => $mine)->{status} == 401 }),
	    'everywhere once the lease has ended');
	kill('CONT', $keeper);
};

subtest 'in a server that sends compressed files' => sub {
	# the one version's file has the name of the other's, compressed
	my @versions = qw(3.0.0-a 3.0.0-a.gz);

	$elsewhere->stop_nginx;
	$ports[1] = Berth::Cache::start($elsewhere, sub { s/^(?=server \{)/gzip_static on;\n/mr });
	is($t->publish($id, $token{dev}, 'one_crate', $_)->{status}, 200, $_) for @versions;
	my %path = map { $_ => "$R/one_crate/$_/download" } @versions;
	Berth::Cache::wait_static($elsewhere, $ports[1], $path{$_}, Authorization => $token{dev})
	    // die "no file of $_\n" for @versions;
	my $plain = get("$path{'3.0.0-a'}?x", $token{dev});
	my $res = Berth::Cache::get($ports[1], $path{'3.0.0-a'}, Authorization => $token{dev});
	is($res->{headers}{'content-encoding'}, undef, 'not as such');
	ok($res->{body} eq $plain->{body}, 'but as it is');
};

done_testing();
