#!/usr/bin/perl
# Packages by the management API: lists in every order and with every filter, page by page; one
# package, its file and pipeline; and what is no such thing.

use strict;
use warnings;

use Test::More;

use Berth::OpenAPI;
use Berth::Populate;
use Berth::Cache;
use Berth::Test;

my $described = Berth::OpenAPI->new;
my $t = Berth::Test->new(publish_burst => 0, new_crate_burst => 0);
my $port = Berth::Cache::start($t);
my $id = $t->project('demo/registry');
my $api = "/api/v4/projects/$id/packages";
$t->user($_) for qw(mia ron gus);
$t->member('mia', 'demo', 'maintainer');
$t->member('ron', 'demo', 'reporter');
$t->member('gus', 'demo', 'guest');
my %token = map { $_ => $t->token($_) } qw(mia ron gus);
$token{deploy} = $t->deploy_token('demo', 'read', 'write');
$token{job} = $t->berth_ok(qw(token add --job demo/registry --user mia --pipeline 17 --job 423 --ttl 3600),
    '--job-url', 'https://ci.example.org/job/423', '--ref', 'main', '--commit', 'c0ffee');

# Every answer is as conf/openapi.json says.
sub call {
	my ($method, $path, %opt) = @_;
	my $res = Berth::Cache::ask($port, $method => $path, { token => $token{ $opt{as} // 'ron' },
		defined $opt{json} ? (body => JSON::PP->new->utf8->encode($opt{json}),
		    headers => ['Content-Type: application/json']) : () });
	my @complaints = $res->{status} == 414 ? () : $described->complaints($method, $path, $res);

	fail(join("\n", @complaints)) if @complaints;
	return $res;
}

# Lists by name are up to date, unless they are asked for at once.
sub get {
	my ($path, %opt) = @_;

	$t->update_search if $path =~ /package_name/ && !$opt{at_once};
	return call(GET => $path, %opt);
}

# What is in a list, as words.
sub names {
	my ($res) = @_;

	return "status $res->{status}: $res->{body}" if $res->{status} != 200;
	return join(' ', map { "$_->{name}@" . $_->{version} } @{ $t->json($res) });
}

sub publish {
	my ($as, $name, $version) = @_;
	my $res = $t->publish($id, $token{$as}, $name, $version);

	is($res->{status}, 200, "$as publishes $name $version") or diag($res->{body});
}

is(names(get($api)), '', 'nothing is there');
is(get($api)->{headers}{'x-total'}, 0, 'which the header says');

publish('mia', 'alpha', '1.0.0');
publish('deploy', 'beta_x', '0.2.0');
publish('job', 'alpha', '1.1.0');
publish('mia', 'Gamma', '0.10.0');

subtest 'lists' => sub {
	my $all = 'alpha@1.0.0 beta_x@0.2.0 alpha@1.1.0 Gamma@0.10.0';
	my @cases = (
		['', $all],
		['order_by=created_at&sort=asc', $all],
		['order_by=type', $all],
		['sort=desc', 'Gamma@0.10.0 alpha@1.1.0 beta_x@0.2.0 alpha@1.0.0'],
		['order_by=name', 'alpha@1.0.0 alpha@1.1.0 beta_x@0.2.0 Gamma@0.10.0'],
		['order_by=name&sort=desc', 'Gamma@0.10.0 beta_x@0.2.0 alpha@1.1.0 alpha@1.0.0'],
		['order_by=version', 'beta_x@0.2.0 Gamma@0.10.0 alpha@1.0.0 alpha@1.1.0'],
		['order_by=version&sort=desc', 'alpha@1.1.0 alpha@1.0.0 Gamma@0.10.0 beta_x@0.2.0'],
		['package_name=alpha', 'alpha@1.0.0 alpha@1.1.0'],
		['package_name=MM', 'Gamma@0.10.0'],
		['package_name=a-x&order_by=name', 'beta_x@0.2.0'],
		['package_name=a_x', 'beta_x@0.2.0'],
		['package_name=%25', ''], ['package_name=%5C', ''], ['package_name=%5C%25', ''], ['package_name=.', ''],
		['package_name=', $all],
		['package_name=alpha&exact_name=true', 'alpha@1.0.0 alpha@1.1.0'],
		['package_name=alph&exact_name=true', ''],
		['package_name=lpha&exact_name=true', ''],
		['package_name=alph&exact_name=false', 'alpha@1.0.0 alpha@1.1.0'],
		['package_name=BETA-X&exact_name=true', 'beta_x@0.2.0'], ['package_name=_&exact_name=true', ''],
		['exact_name=true', $all],
		['package_name=alpha&exact_name=true&order_by=version&sort=desc', 'alpha@1.1.0 alpha@1.0.0'],
		['package_name=alpha&exact_name=true&order_by=name&per_page=1', 'alpha@1.0.0'],
		['package_name=alpha&exact_name=true&package_version=1.1.0', 'alpha@1.1.0'],
		['package_version=1.0.0', 'alpha@1.0.0'],
		['package_version=1.0', ''],
		['package_version=1.0.0&package_name=alp&order_by=name', 'alpha@1.0.0'],
		['package_type=cargo', $all], ['package_type=npm', ''],
		['status=default', $all], ['status=hidden', ''], ['status=processing', ''],
		['include_versionless=true', $all],
		['unknown=1&package_name=gamma', 'Gamma@0.10.0'],
		['per_page=2', 'alpha@1.0.0 beta_x@0.2.0'],
		['per_page=2&page=2', 'alpha@1.1.0 Gamma@0.10.0'],
		['per_page=3&page=2&order_by=name&sort=desc', 'alpha@1.0.0'],
		['per_page=2&page=3', ''], ['page=1000000', ''], ['page=1000000&order_by=name', ''],
		['per_page=1000000', $all],
	);

	is(names(get("$api?$_->[0]")), $_->[1], $_->[0] || 'without parameters') for @cases;
};

subtest 'parameters that cannot be' => sub {
	for my $query (qw(order_by=size order_by=project_path sort=up package_type=rust status=gone page=0 page=-1
	    page=x page=99999999999999999999 per_page=0 per_page= include_versionless=maybe package_name=%00
	    package_name=%ff),
	    'package_name=' . 'a' x 9000) {
		my $res = get("$api?$query");

		ok($res->{status} == 400 || $res->{status} == 414, substr($query, 0, 40) . ": $res->{status}");
		like(eval { $t->json($res)->{message} } // '', qr/^4\d\d /, '  says why') if $res->{status} == 400;
	}
	is(get("$api/$_->[0]")->{status}, $_->[1], "package $_->[0]")
	    for ['x', 400], ['0', 404], ['999999999999999999', 404], ['9' x 30, 400], ['-1', 400];
};

subtest 'headers of a page' => sub {
	my $res = get("$api?per_page=1&page=2&order_by=name");
	my %h = %{ $res->{headers} };
	my $url = $t->url . "$api?per_page=1&order_by=name&page=";

	is_deeply([map { $h{"x-$_"} } qw(page per-page total total-pages next-page prev-page)], [2, 1, 4, 4, 3, 1],
	    'numbers');
	is($h{link}, join(', ', map { "<$url$_->[0]>; rel=\"$_->[1]\"" } [1, 'prev'], [3, 'next'], [1, 'first'],
	    [4, 'last']), 'links');
	is($h{'cache-control'}, 'private, no-store', 'kept by nobody');
	my ($next) = get("$api?p%61ge=2&per_page=1")->{headers}{link} =~ /<([^>]+)>; rel="next"/;
	is($next, $t->url . "$api?per_page=1&page=3", 'an encoded name is that name');
	$res = $t->http(GET => $api, { token => $token{mia}, headers => ['Content-Type: application/json'],
		body => '{"per_page":1}' });
	is_deeply([@{ $res->{headers} }{qw(x-per-page x-next-page link)}], [1, 2, undef],
	    'no links where an address does not say all');
};

my %entry = map { ("$_->{name} $_->{version}" => $_) } @{ $t->json(get($api, as => 'mia')) };
my ($by_mia, $by_deploy, $by_job) = @entry{'alpha 1.0.0', 'beta_x 0.2.0', 'alpha 1.1.0'};

subtest 'what is told of a package' => sub {
	my $mia = $t->psql("SELECT id FROM users WHERE username = 'mia'");
	my $path = "$api/$by_mia->{id}";

	like($by_mia->{created_at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'when');
	is_deeply($by_mia, { id => $by_mia->{id}, name => 'alpha', version => '1.0.0', package_type => 'cargo',
	    status => 'default',
	    status_message => undef, created_at => $by_mia->{created_at}, last_downloaded_at => undef,
	    creator_id => $mia, yanked => JSON::PP::false, yank_message => undef, tags => [], pipelines => [],
	    _links => { web_path => '/-/projects/demo/registry/-/crates/alpha/1.0.0',
		delete_api_path => $t->url . $path } }, 'of one by a person');
	is($by_deploy->{creator_id}, undef, 'a deploy token is nobody');
	is($by_job->{creator_id}, undef, 'nor is a job');
	my ($pipeline) = @{ $by_job->{pipelines} };
	like($pipeline->{created_at}, qr/^\d{4}-.*Z$/, 'a pipeline began');
	is_deeply($pipeline, { id => 17, project_id => $id, status => undef, ref => 'main', sha => 'c0ffee',
	    web_url => 'https://ci.example.org/job/423', created_at => $pipeline->{created_at},
	    updated_at => $pipeline->{created_at},
	    user => { id => $mia, username => 'mia', name => 'mia', state => 'active' } }, 'and is told of');
	ok(!exists $t->json(get($api))->[0]{_links}{delete_api_path}, 'no link to delete for who may not');

	my $show = $t->json(get($path));
	my ($other) = @{ delete $show->{versions} };
	delete $by_mia->{_links}{delete_api_path};
	is_deeply($show, $by_mia, 'the same when it is shown');
	is_deeply($other, { id => $by_job->{id}, version => '1.1.0', created_at => $by_job->{created_at}, tags => [],
	    pipelines => $by_job->{pipelines} }, 'with other versions');
	is_deeply($t->json(get("$api/$by_deploy->{id}"))->{versions}, [], 'or without');
};

subtest 'when it was last downloaded' => sub {
	my $days = "INSERT INTO download_days (crate_id, version_id, day, project_id, downloads, last_at)"
	    . " SELECT crate_id, id, '%s', project_id, 1, '%s' FROM versions WHERE id = $by_deploy->{id}";

	$t->psql(sprintf($days, @$_)) for ['2026-01-30', '2026-01-30 10:00:00Z'],
	    ['2026-01-31', '2026-01-31 12:34:56.789Z'], ['2026-01-29', '2026-01-29 23:00:00Z'];
	is($t->json(get("$api/$by_deploy->{id}"))->{last_downloaded_at}, '2026-01-31T12:34:56.789Z',
	    'of one that was');
	is($t->json(get("$api/$by_mia->{id}"))->{last_downloaded_at}, undef, 'and of another');
};

subtest 'its file' => sub {
	my $path = "$api/$by_job->{id}/package_files";
	my $res = get($path);
	my ($line) = grep { /"vers":"1.1.0"/ } split(/\n/, get($t->registry($id) . '/al/ph/alpha')->{body});
	my ($file, @more) = @{ $t->json($res) };

	is(scalar @more, 0, 'is one');
	is($res->{headers}{'x-total'}, 1, 'which the header says');
	is_deeply([@$file{qw(package_id file_name file_md5 file_sha1)}],
	    [$by_job->{id}, 'alpha-1.1.0.crate', undef, undef], 'is the crate');
	is($file->{file_sha256}, JSON::PP->new->decode($line)->{cksum}, 'with the checksum of the index');
	is($file->{size}, length(get($t->registry($id) . '/alpha/1.1.0/download')->{body}),
	    'and the size of the download');
	is_deeply($file->{pipelines}, $by_job->{pipelines}, 'from its pipeline');
	is(get("$path?page=2")->{body}, '[]', 'and no more');
	is(get("$path?order_by=size")->{status}, 400, 'in a known order');
};

subtest 'its pipelines' => sub {
	is_deeply($t->json(get("$api/$by_job->{id}/pipelines")), $by_job->{pipelines}, 'one');
	is(get("$api/$by_mia->{id}/pipelines")->{body}, '[]', 'none');
	is(get("$api/$by_job->{id}/pipelines?cursor=17")->{body}, '[]', 'none after it');
	is(get("$api/$by_job->{id}/pipelines?cursor=x")->{status}, 400, 'after what?');
};

subtest 'packages of another project' => sub {
	my $other = $t->project('demo/other');

	for my $path ('', '/package_files', '/pipelines') {
		my $res = get("/api/v4/projects/$other/packages/$by_mia->{id}$path");

		is($res->{status}, 404, "$path are not there");
		is($res->{body}, '{"message":"404 Package Not Found"}', 'as if there were none');
	}
	is(names(get('/api/v4/projects/demo%2Fother/packages')), '', 'nor in its list');
};

subtest 'packages of a group' => sub {
	my $deep = $t->project('demo/deep/down', 'public');
	my $secret = $t->project('demo/secret');
	my $off = $t->project('demo/off', 'public');

	$t->user('eve');
	$t->token('eve');
	my $eve = $token{eve} = $t->token('eve');
	for my $to ($deep, $secret, $off) {
		is($t->publish($to, $token{mia}, "crate-$to", '1.0.0')->{status}, 200, "published into $to");
	}
	$t->berth_ok(qw(project set demo/off packages_enabled=false));
	my $list = sub { return names(get("/api/v4/groups/demo/packages$_[0]", as => $_[1])); };
	my $own = 'alpha@1.0.0 beta_x@0.2.0 alpha@1.1.0 Gamma@0.10.0';

	is($list->('', 'ron'), "$own crate-$deep\@1.0.0 crate-$secret\@1.0.0",
	    'a member sees all, but of what is off');
	is($list->('', 'gus'), "crate-$deep\@1.0.0", 'a guest what is public');
	is($list->('', 'eve'), "crate-$deep\@1.0.0", 'a stranger as well');
	is(names($t->http(GET => '/api/v4/groups/demo/packages')), "crate-$deep\@1.0.0", 'and anybody');
	is($list->('?exclude_subgroups=true', 'ron'), "$own crate-$secret\@1.0.0", 'without groups below');
	is($list->('?exclude_subgroups=true', 'eve'), '', 'where nothing is left');
	is($list->('', 'deploy'), "$own crate-$deep\@1.0.0 crate-$secret\@1.0.0", 'a deploy token of the group');
	is($list->('?per_page=2&page=2', 'ron'), 'alpha@1.1.0 Gamma@0.10.0', 'page by page');
	is($list->('?package_name=crate&sort=desc', 'ron'), "crate-$secret\@1.0.0 crate-$deep\@1.0.0", 'filtered');
	is($list->('?order_by=name&sort=desc&per_page=2', 'ron'), 'Gamma@0.10.0 ' . "crate-$secret\@1.0.0",
	    'by name');
	is($list->('?order_by=version&sort=desc&per_page=1', 'ron'), 'alpha@1.1.0', 'by version');
	is($list->('?order_by=project_path&per_page=1', 'ron'), "crate-$deep\@1.0.0", 'by project');
	my ($entry) = @{ $t->json(get('/api/v4/groups/demo/packages?order_by=project_path', as => 'ron')) };
	is_deeply([@$entry{qw(project_id project_path)}], [$deep, 'demo/deep/down'], 'which is told');
	ok(!exists $entry->{_links}{delete_api_path}, 'a reporter deletes nothing');
	($entry) = @{ $t->json(get('/api/v4/groups/demo/packages', as => 'mia')) };
	is($entry->{_links}{delete_api_path}, $t->url . "$api/$entry->{id}", 'a maintainer may');
	is($t->http(GET => '/api/v4/groups/nowhere/packages', { token => $token{ron} })->{status}, 404,
	    'no such group');
	$t->group('hidden');
	$t->project('hidden/p');
	is(get('/api/v4/groups/hidden/packages', as => 'eve')->{body}, '{"message":"404 Group Not Found"}',
	    'nor one that nobody may know of');
};

subtest 'more than are counted' => sub {
	my $many = $t->project('demo/many');
	my $pages = sub {
		return join(' ', map { $_ // 'none' }
		    @{ get("/api/v4/projects/$many/packages?per_page=100&page=$_[0]")->{headers} }{qw(x-total x-prev-page
		    x-next-page)});
	};

	Berth::Populate::add($t->dsn('postgres'), project => $many, crates => [map { ["many-$_", 1001] } 1 .. 10]);
	is($pages->(1), 'none  2', 'the first page');
	is($pages->(100), 'none 99 101', 'one that is full');
	is($pages->(101), 'none 100 ', 'the last, which is not');
	is($pages->(102), 'none 101 ', 'and past the end');
	$t->psql('VACUUM ANALYZE versions');
	my $counted = $t->psql(<<"SQL");
BEGIN;
ALTER TABLE versions DROP CONSTRAINT versions_crate_id_version_base_key;
SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;
EXPLAIN SELECT count(*) FROM versions
 WHERE crate_id = (SELECT min(id) FROM crates WHERE project_id = $many) AND project_id = $many
   AND status = ANY ('{default,deprecated,error}'::text[]);
ROLLBACK
SQL
	like($counted, qr/Index Only Scan using versions_listed_crate/,
	    'those of a crate are counted without looking at them');

	# the statement itself, in the order of versions
	my ($list) = Berth::Cluster::slurp("$Berth::Cluster::ROOT/sql/queries/package.sql")
	    =~ /^-- name: package_list\n(?:--[^\n]*\n)*(.*?;)/ms;
	for my $descending ('false', 'true') {
		my %value = (1 => $many, 2 => q('{default,deprecated,error}'), 3 => 'NULL', 4 => 'NULL', 5 => q('version'),
		    6 => $descending, 7 => 20, 8 => 500);

		like($t->psql('EXPLAIN ' . $list =~ s/\@package/e.id/r =~ s/\$(\d)/$value{$1}/gr),
		    qr/Index Only Scan (?:Backward )?using versions_listed_version/,
		    "versions come from an index alone, in its order, descending: $descending");
	}

	# by a part of the name: as the database would have it without any of what makes that fast.  Few crates
	# with many versions, many crates with few.
	my $some = $t->project('demo/some');
	my %order = (created_at => 'v.published_at', version => 'version_order(v.version_base) COLLATE "C"',
	    name => 'c.normalized_name');

	Berth::Populate::add($t->dsn('postgres'), project => $some, crates => [map { ["some-$_", 19] } 1 .. 600]);
	for my $case ([$many, 'many', 10010], [$many, 'many-1', 2002], [$many, 'MANY_10', 1001],
		[$many, 'y-1', 2002], [$many, '-1', 2002],
		[$many, 'many-10', 1001], [$many, 'any', 10010], [$many, 'a', 10010], [$many, '', 10010],
		[$many, 'many-11', 0],
		[$many, 'many--1', 0], [$many, '1', 2002], [$many, '-', 10010], [$many, '0', 1001], [$many, 'zz', 0],
		[$many, '--', 0], [$many, 'ny-', 10010], [$some, 'some', 11400], [$some, 'ome-1', 2109],
		[$some, 'some_60', 38],
		[$some, 'm', 11400], [$some, '00', 114], [$some, 'e-6', 228], [$some, 'e-0', 0], [$some, '0', 1995]) {
		my ($project, $part, $n) = @$case;
		my $like = lc($part) =~ tr/_/-/r;

		for my $by (['created_at', 'asc', 20, 1], ['created_at', 'desc', 3, 300], ['created_at', 'asc', 100, 101],
			['created_at', 'desc', 100, 200],
			['version', 'desc', 5, 2], ['name', 'asc', 7, 3]) {
			my ($order, $sort, $size, $page) = @$by;
			my $res = get("/api/v4/projects/$project/packages?package_name=$part&order_by=$order&sort=$sort"
			    . "&per_page=$size&page=$page");
			my $offset = ($page - 1) * $size;
			my @want = $t->psql("SELECT c.name || '\@' || v.version FROM versions v JOIN crates c ON c.id = v.crate_id"
			    . " WHERE c.project_id = $project"
			    . " AND strpos(c.normalized_name, '$like') > 0 ORDER BY $order{$order} $sort, v.id $sort"
			    . " LIMIT $size OFFSET $offset");

			is(names($res), join(' ', grep { length } @want), "`$part` by $order, $sort, page $page of $size");
			is($res->{headers}{'x-total'}, $n > 10000 ? undef : $n, '  counted') if $size != 3;
		}
	}
};

# The order of semver.org, and where letter by letter, by length or by number alone goes wrong.
subtest 'by SemVer precedence' => sub {
	my $ordered = $t->project('ordered/one');
	my @versions = qw(0.0.1-0 0.0.1 0.2.0 0.10.0 1.0.0--1 1.0.0 1.0.1-0 1.0.1-2 1.0.1-10
	    1.0.1-99999999999999999999 1.0.1-100000000000000000000 1.0.1-- 1.0.1--0 1.0.1-0a 1.0.1-A 1.0.1-a
	    1.0.1-a.0 1.0.1-a.0.0 1.0.1-a.a 1.0.1-a- 1.0.1-a-.1 1.0.1-a-b 1.0.1-a0 1.0.1-alpha 1.0.1-alpha.1
	    1.0.1-alpha.beta 1.0.1-beta 1.0.1-beta.2 1.0.1-beta.11 1.0.1-beta2 1.0.1-rc.1 1.0.1 1.2.9 1.2.10 1.10.0
	    2.0.0-rc.1 2.0.0 9.0.0 10.0.0 18446744073709551615.0.0);
	my @mixed = map { $versions[$_ * 17 % @versions] } 0 .. $#versions;

	$t->member('mia', 'ordered', 'maintainer');
	for my $version (@mixed) {
		my $res = $t->publish($ordered, $token{mia}, 'ordered', $version . ($version =~ /^1\.10/ ? '+0' : ''));

		is($res->{status}, 200, $version) or diag($res->{body});
	}
	for my $list ("/api/v4/projects/$ordered/packages?",
	    "/api/v4/projects/$ordered/packages?package_name=order&", '/api/v4/groups/ordered/packages?') {
		for my $sort ('asc', 'desc') {
			my @got = map { $_->{version} =~ s/\+.*//r }
			    map { @{ $t->json(get("${list}order_by=version&sort=$sort&per_page=15&page=$_", as => 'mia')) } }
			    1 .. 3;

			is("@got", join(' ', $sort eq 'asc' ? @versions : reverse @versions), "$list $sort");
		}
	}
};

subtest 'before the worker has looked' => sub {
	my $late = $t->project('late/one');
	my $names = sub {
		my ($query, $of) = @_;

		return names(get('/api/v4/' . ($of // "projects/$late") . "/packages$query", as => 'mia', at_once => 1));
	};

	$t->stop_worker;
	$t->member('mia', 'late', 'maintainer');
	is($t->publish($late, $token{mia}, $_, '1.0.0')->{status}, 200, "$_ is published")
	    for qw(late_one late_two late_three);
	is($names->('?order_by=name'), 'late_one@1.0.0 late_three@1.0.0 late_two@1.0.0',
	    'a list without a name has all');
	is($names->(''), 'late_one@1.0.0 late_two@1.0.0 late_three@1.0.0', 'in any order');
	is($names->('?package_name=late'), '', 'one by a part of a name none yet');
	is($names->('?package_name=Late-One'), 'late_one@1.0.0', 'the exact name finds it at once');
	is($names->('?package_name=late_two&exact_name=true'), 'late_two@1.0.0', 'as the whole name');
	is($names->('?package_name=late_three', 'groups/late'), 'late_three@1.0.0', 'and in a group');
	is($t->psql('SELECT count(*) FROM crates_due'), 0, 'so that nothing is left to do');
	$t->start_worker;
};

subtest 'how many a crate lists' => sub {
	my $counts = sub {
		my ($name, $n) = @_;

		is(get("$api?package_name=alpha")->{headers}{'x-total'}, $n, $name);
		is($t->psql("SELECT count(*) FROM crate_names c WHERE project_id = $id"
		    . " AND listed_versions <> (SELECT count(*) FROM versions v"
		    . " WHERE v.crate_id = c.crate_id AND v.status IN ('default', 'deprecated', 'error'))"), 0,
		    '  and each crate knows');
	};
	my $status = sub {
		my ($to) = @_;
		my $res = $t->http(PATCH => "$api/$by_mia->{id}",
		    { token => $token{mia}, body => qq({"status":"$to"}), headers => ['Content-Type: application/json'] });

		is($res->{status}, 200, "status $to") or diag($res->{body});
	};

	$counts->('at first', 2);
	is($t->publish($id, $token{mia}, 'alpha', '1.2.0')->{status}, 200, 'another is published');
	$counts->('one more', 3);
	is($t->http(DELETE => $t->registry($id) . '/api/v1/crates/alpha/1.2.0/yank',
	    { token => $token{mia} })->{status}, 200, 'and yanked');
	$counts->('which is listed', 3);
	$t->berth_ok('delete', 'demo/registry', 'alpha@1.2.0');
	$counts->('deleted', 2);
	$t->berth_ok('undelete', 'demo/registry', 'alpha@1.2.0');
	$counts->('and back', 3);
	$status->('hidden');
	$counts->('hidden', 2);
	$status->('error');
	$counts->('in error', 3);
	$status->('default');
	$t->update_search;
	$t->psql("UPDATE crate_names SET listed_versions = 77 WHERE project_id = $id AND normalized_name = 'alpha'");
	my (undef, $out) = $t->berth('fsck', '--repair');
	like($out, qr/^index .*alpha +the crate's number of listed versions is wrong/m,
	    'fsck finds one that is wrong');
	$counts->('and repairs it', 3);

	my $many = sub {
		my ($name, $is) = @_;

		$t->update_search;
		is($t->psql("SELECT lists_many FROM crate_names WHERE project_id = $id AND normalized_name = 'alpha'"),
		    $is, $name);
	};
	is($t->publish($id, $token{mia}, 'alpha', "2.0.$_")->{status}, 200, "2.0.$_") for 1 .. 16;
	$many->('19 are not many', 'f');
	is($t->publish($id, $token{mia}, 'alpha', '2.0.17')->{status}, 200, 'one more');
	$many->('20 are', 't');
	$t->berth_ok('delete', 'demo/registry', 'alpha@2.0.3');
	$many->('until one goes', 'f');
	is($t->psql("SELECT count(*) FROM versions v JOIN crates c ON c.id = v.crate_id"
	    . " WHERE v.normalized_name <> c.normalized_name"), 0, 'each version has its crate\'s name');
};

# What tools ask the public registry's API beside cargo: Renovate for homepage and source, cargo-binstall for
# versions and checksums.
subtest 'crates and versions, as the public registry shows them' => sub {
	my $told = $t->project('demo/told');
	my $R = "/api/v4/projects/$told/packages/cargo/api/v1/crates";
	my $put = sub {
		my ($version, %about) = @_;
		my %lists = (keywords => ['json', 'fast'], categories => ['encoding'], %about);
		my $manifest = "[package]\nname = \"Told_crate\"\nversion = \"$version\"\nedition = \"2021\"\n"
		    . "description = \"of $version\"\nlicense = \"MIT\"\n"
		    . "homepage = \"https://told.example\"\nrepository = \"https://git.example/told\"\n"
		    . "rust-version = \"1.70\"\n"
		    . join('', map { "$_ = [" . join(', ', map { "\"$_\"" } @{ $lists{$_} }) . "]\n" } sort keys %lists)
		    . "[lib]\nname = \"told_crate\"\npath = \"src/lib.rs\"\n[features]\nextra = []\n";
		my $res = $t->publish($told, $token{mia}, 'Told_crate', $version, manifest => $manifest,
		    metadata => { %lists,
			description => "of $version", homepage => 'https://told.example', repository => 'https://git.example/told',
			rust_version => '1.70',
			features => { extra => [] } });

		is($res->{status}, 200, "Told_crate $version") or diag($res->{body});
	};
	my $json = sub {
		my $res = get(@_);

		is($res->{status}, 200, $_[0]) or diag($res->{body});
		return $t->json($res);
	};
	my $nums = sub { return join(' ', map { $_->{num} } @{ $_[0]{versions} }) };

	is(get("$R/Told_crate", as => 'mia')->{status}, 404, 'there is none');
	$put->($_) for qw(1.9.0 1.10.0+b7 2.0.0-rc.1 1.2.0 0.1.0);

	my $short = $json->("$R/Told_crate?include=");
	is_deeply([@{ $short->{crate} }{qw(name description homepage repository documentation versions keywords)}],
	    ['Told_crate', 'of 1.10.0+b7',
	    'https://told.example', 'https://git.example/told', undef, undef, undef], 'what Renovate reads');
	is_deeply([@$short{qw(versions keywords categories)}], [undef, undef, undef], 'and nothing more');
	is_deeply($json->("$R/$_?include="), $short, "$_ is the same crate")
	    for qw(told_crate told-crate TOLD-CRATE T%6fld_crate);

	my $full = $json->("$R/Told_crate");
	my ($highest) = grep { $_->{num} eq '1.10.0+b7' } @{ $full->{versions} };
	is($nums->($full), '2.0.0-rc.1 1.10.0+b7 1.9.0 1.2.0 0.1.0', 'the highest version first');
	is_deeply($full->{crate}{versions}, [map { $_->{id} } @{ $full->{versions} }], 'by their ids as well');
	is_deeply([@{ $full->{crate} }{qw(default_version max_version max_stable_version newest_version num_versions
	    yanked)}],
	    ['1.10.0+b7', '2.0.0-rc.1', '1.10.0+b7', '0.1.0', 5, JSON::PP::false], 'which of them is which');
	is_deeply([map { $_->{keyword} } @{ $full->{keywords} }], ['json', 'fast'], 'keywords');
	is_deeply([map { $_->{slug} } @{ $full->{categories} }], ['encoding'], 'categories');
	is($highest->{checksum}, $t->psql("SELECT cksum FROM versions WHERE id = $highest->{id}"),
	    'what cargo-binstall compares');
	is_deeply([@$highest{qw(rust_version edition license has_lib yanked)}, $highest->{features}],
	    ['1.70', '2021', 'MIT', JSON::PP::true, JSON::PP::false, { extra => [] }], 'and the rest');
	is(get($highest->{dl_path})->{status}, 200, 'it is downloaded from there');
	is($highest->{published_by}{login}, 'mia', 'a reporter sees who published it');
	is($nums->($json->("$R/Told_crate?include=default_version")), '1.10.0+b7', 'the one that is shown');
	is_deeply([map { ref } @{ $json->("$R/Told_crate?include=keywords,unknown") }{qw(versions keywords
	    categories)}], ['', 'ARRAY', ''], 'one list');

	is_deeply($json->("$R/told-crate/$_")->{version}, $highest, "version $_")
	    for '1.10.0+b7', '1.10.0', '1.10.0%2Bb7';
	my ($next, @pages) = ('?per_page=2');
	while (defined $next) {
		my $page = $json->("$R/Told_crate/versions$next");

		push @pages, $nums->($page);
		is($page->{meta}{total}, 5, 'of five');
		$next = $page->{meta}{next_page};
	}
	is_deeply(\@pages, ['2.0.0-rc.1 1.10.0+b7', '1.9.0 1.2.0', '0.1.0'], 'page by page');
	is_deeply($json->("$R/Told_crate/versions")->{versions}, $full->{versions}, 'or all');
	is($nums->($json->("$R/Told_crate/versions?seek=9")), '', 'after the last');
	is(get("$R/Told_crate/versions?$_")->{status}, 400, $_) for qw(per_page=0 per_page=x seek=-1);

	is($t->http(DELETE => "$R/Told_crate/1.10.0/yank",
	    { token => $token{mia}, body => '{"message":"it is broken"}',
		headers => ['Content-Type: application/json'] })->{status}, 200, 'one is yanked');
	is_deeply([@{ $json->("$R/Told_crate/1.10.0")->{version} }{qw(yanked yank_message)}],
	    [JSON::PP::true, 'it is broken'], 'which is told');
	is($json->("$R/Told_crate?include=")->{crate}{max_stable_version}, '1.9.0', 'and it is the highest no more');
	my ($hide) = map { $_->{id} } grep { $_->{num} eq '1.9.0' } @{ $full->{versions} };
	is(call(PATCH => "/api/v4/projects/$told/packages/$hide", as => 'mia',
	    json => { status => 'hidden' })->{status}, 200, 'one is hidden');
	is($nums->($json->("$R/Told_crate")), '2.0.0-rc.1 1.10.0+b7 1.2.0 0.1.0', 'and not listed');
	for my $path ('Told_crate/1.9.0', 'Told_crate/3.0.0', 'Told_crate/latest', 'nothing', 'nothing/versions',
	    'nothing/1.0.0', '9nothing') {
		my $res = get("$R/$path");

		is($res->{status}, 404, "$path: none");
		like($t->json($res)->{errors}[0]{detail}, qr/^crate `\w+` does not (?:exist|have a version `[\w.]+`)$/,
		    '  in the words of cargo');
	}

	# as versions may be that were published before these had limits
	for my $large ([features => "jsonb_build_object('a', repeat('x', 1200000))", "'{}'"],
	    [bins => "ARRAY[repeat('x', 1200000)]", "'{}'"], [license => "repeat('x', 1200000)", 'NULL']) {
		my ($column, $much, $little) = @$large;
		my $set = sub {
			$t->psql("UPDATE versions SET $column = $_[0]"
			    . " WHERE crate_id = (SELECT id FROM crates WHERE project_id = $told)");
		};

		$set->($much);
		my $part = $json->("$R/Told_crate/versions");
		is_deeply([$nums->($part), $part->{meta}{next_page}], ['2.0.0-rc.1 1.10.0+b7', '?per_page=1000&seek=2'],
		    "$column: no answer grows without a bound");
		$set->($little);
	}

	is(get("$R/Told_crate", as => 'gus')->{status}, 403, 'a guest does not read packages');
	is(get("$R/Told_crate", as => 'nobody')->{status}, 401, 'nobody is to sign in');
	$t->berth_ok(qw(project set demo/told visibility=public));
	my $public = $json->("$R/Told_crate/0.1.0", as => 'nobody')->{version};
	is_deeply([@$public{qw(num published_by)}], ['0.1.0', undef], 'all read what is public, but not who it was');
};

done_testing();
