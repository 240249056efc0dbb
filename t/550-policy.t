#!/usr/bin/perl

# What may be published, by berth.conf and by what a project has of its own: each limit is
# met and passed by one, through nginx; after each refusal nothing is left.

use strict;
use warnings;

use IO::Uncompress::Gunzip qw(gunzip);
use Test::More;

use Berth::Publish;

my ($house, $other) = map { "sparse+https://$_.example/index/" } qw(house other);

# A version of a crate that has so many of something, or just something.  Names are
# counted, so that each publish is the first of its crate.
my $made = 0;

sub crate_with {
	my (%opt) = @_;
	my $name = $opt{name} // 'made-' . ++$made;
	my $about = $opt{about} // qq(description = "d"\nlicense = "MIT"\nhomepage = "https://h.example"\n);
	my $manifest = qq([package]\nname = "$name"\nversion = "1.0.0"\nedition = "2021"\n$about);
	my @features = map { "f$_" } 1 .. ($opt{features} // 0);
	my @deps = map { "d$_" } 1 .. ($opt{dependencies} // 0);
	my $registry = $opt{registry} // $house;

	$manifest .= list(keywords => $opt{keywords}) . list(categories => $opt{categories});
	$manifest .= "\n[features]\n" . join('', map { "$_ = []\n" } @features) if @features;
	$manifest .= "\n[dependencies.$_]\nversion = \"1\"\nregistry-index = \"$registry\"\n" for @deps;
	return {
		name => $name,
		bytes => Berth::Crate::make($name, '1.0.0', manifest => $manifest, files => $opt{files} // {}),
		metadata => {
			features => { map { ($_ => []) } @features },
			deps => [map { { name => $_, version_req => '^1', features => [], optional => JSON::PP::false(),
				default_features => JSON::PP::true(), target => undef, kind => 'normal',
				registry => $registry } } @deps],
		},
	};
}

sub list {
	my ($key, $n) = @_;

	return defined $n ? "$key = [" . join(', ', map { "\"w$_\"" } 1 .. $n) . "]\n" : '';
}

sub unpacked {
	my ($crate) = @_;

	gunzip(\$crate->{bytes}, \my $tar) or die "gunzip\n";
	return length $tar;
}

my $sample = crate_with(name => 'sample',
    files => { data => join('', map { chr(int(rand(256))) } 1 .. 3000) });

# ---- the configuration ----

my $p = Berth::Publish->new(
	max_crate_size => length $sample->{bytes}, max_unpacked_size => unpacked($sample) + 1,
	max_entries => 5, max_dependencies => 3, max_features => 4, max_keywords => 2, max_categories => 1,
	required_metadata => 'homepage', reserved_names => 'garden In_House', allowed_registries => $house,
);
my $t = $p->test;

sub put {
	my ($crate) = @_;

	return $p->put_crate($crate->{name}, '1.0.0', $crate->{bytes}, %{ $crate->{metadata} });
}

sub takes {
	my ($name, $crate) = @_;

	return $p->taken($name, $crate->{name}, '1.0.0', $crate->{bytes}, %{ $crate->{metadata} })->{warnings};
}

sub refuses {
	my ($name, $crate, $status, $detail) = @_;

	$p->refused($name, put($crate), $status, $detail);
}

sub project {
	my (%own) = @_;

	$t->berth_ok(qw(project set demo/registry), map { "$_=$own{$_}" } sort keys %own);
}

# Limits that are numbers of something: as many are taken, one more is refused.
my $most = qr/^a crate can have at most (\d+)/;
my @counted = (
	[111, dependencies =>
	    qr/$most dependencies, but this one declares (\d+); .*max_dependencies for the project$/],
	[114, features => qr/$most features, but this one declares (\d+); .*max_features for the project$/],
	[104, keywords =>
	    qr/^expected at most (\d+) keywords per crate, but this one has (\d+); .*max_keywords for /],
	[105, categories =>
	    qr/^expected at most (\d+) categories per crate, but this one has (\d+); .*max_categories for /],
	[73, entries => qr/^uploaded tarball contains more than (\d+) entries; .*max_entries for the project$/],
);

sub counted_crate {
	my ($what, $n) = @_;

	# Cargo.toml and src/lib.rs are there already
	return crate_with(files => { map { ("file$_" => '') } 1 .. $n - 2 }) if $what eq 'entries';
	return crate_with($what => $n);
}

sub limit_is {
	my ($whose, $n, $what, $detail, $limit) = @_;
	my $res;

	takes("case $n: $limit $what, $whose", counted_crate($what, $limit));
	$res = put(counted_crate($what, $limit + 1));
	$p->refused("case $n: one more, $whose", $res, 400, $detail);
	my ($said, $declared) = $t->json($res)->{errors}[0]{detail} =~ $detail;
	is($said, $limit, "case $n: the limit is told");
	is($declared // $limit + 1, $limit + 1, "case $n: and what there was");
}

my %configured = (dependencies => 3, features => 4, keywords => 2, categories => 1, entries => 5);

sub configuration_holds {
	my ($whose) = @_;

	limit_is($whose, @$_, $configured{ $_->[1] }) for @counted;
	refuses("case 99: no homepage, $whose", crate_with(about => qq(description = "d"\nlicense = "MIT"\n)), 400,
	    qr/^missing or empty metadata fields: homepage$/);
	refuses("case 34: $_, $whose", crate_with(name => $_), 400,
	    qr/^cannot upload a crate with the reserved name `$_`$/) for qw(garden GARDEN in-house IN_House std New);
	takes("case 109: a registry on the list, $whose", crate_with(dependencies => 1));
	refuses("case 109: another one, $whose", crate_with(dependencies => 1, registry => $other), 400,
	    qr/^dependency `d1` is hosted on the registry `\Q$other\E`, which is not among those/);
	refuses("case 8: a byte too large, $whose", { %$sample, bytes => "$sample->{bytes}x" }, 413,
	    qr/^max upload size is: ${\ length $sample->{bytes}} bytes;/);
	refuses("case 75: a block too large unpacked, $whose",
	    crate_with(name => 'simple', files => { data => 'x' x 3584 }),
	    400, qr/malformed or too large when decompressed/);
}

subtest 'the configuration' => sub {
	configuration_holds('configuration');
	takes('case 8, 75: as large as allowed', $sample);
	is_deeply(takes('case 99: only what is required', crate_with(about => qq(homepage = "https://h.example"\n))),
	    ['the crate has no description: set `description` in Cargo.toml',
		'the crate has no license: set `license` or `license-file` in Cargo.toml'], 'the rest are warnings');
};

# ---- a project with its own ----

subtest 'more, or less, than the configuration' => sub {
	my %limits = (dependencies => 1, features => 6, keywords => 0, categories => 3, entries => 7);

	project(map { ("max_$_" => $limits{$_}) } keys %limits);
	limit_is('project', @$_, $limits{ $_->[1] }) for @counted;
};

subtest 'case 99: required metadata' => sub {
	my %fields = (
		description => 'description = "d"', license => 'license-file = "L"', readme => 'readme = "README.md"',
		documentation => 'documentation = "https://d.example"', homepage => 'homepage = "https://h.example"',
		repository => 'repository = "https://r.example"', keywords => 'keywords = ["k"]',
		categories => 'categories = ["c"]', 'rust-version' => 'rust-version = "1.70"',
	);
	my %files = (readme => { 'README.md' => "# Read me\n" });

	project(max_keywords => 'default', max_categories => 'default');
	for my $field (sort keys %fields) {
		my $without = join("\n", map { $fields{$_} } grep { $_ ne $field } sort keys %fields);
		my $with = join("\n", values %fields);

		project(required_metadata => $field);
		refuses("without $field", crate_with(about => "$without\n",
		    files => $field eq 'readme' ? {} : $files{readme}),
		    400, qr/^missing or empty metadata fields: $field$/);
		takes("with $field", crate_with(about => "$with\n", files => $files{readme}));
	}
	project(required_metadata => 'license description');
	refuses('several', crate_with(about => ''), 400,
	    qr/^missing or empty metadata fields: description, license$/);
	refuses('empty', crate_with(about => qq(description = ""\nlicense = ""\n)), 400,
	    qr/^missing or empty metadata fields: description, license$/);
	refuses('one of them', crate_with(about => qq(license = "MIT"\n)), 400,
	    qr/^missing or empty metadata fields: description$/);
	is_deeply(takes('not that of the configuration',
	    crate_with(about => qq(description = "d"\nlicense = "MIT"\n))), [], 'no warnings');
	project(required_metadata => 'readme');
	refuses('a readme that is named but not there', crate_with(about => qq(readme = "README.md"\n)), 400,
	    qr/^missing or empty metadata fields: readme$/);
	project(required_metadata => '""');
	is(scalar @{ takes('nothing is required', crate_with(about => '')) }, 2, 'two warnings');
};

subtest 'cases 101, 103: where the rules of the public registry hold' => sub {
	my %wrong = (license => ['Proprietary', qr/^unknown or invalid license expression `Proprietary`;/],
		map { ($_ => ['git@h.example:x.git', qr/^URL for field `$_` must begin with http/]) }
		    qw(documentation homepage repository));

	for my $field (sort keys %wrong) {
		my ($value, $detail) = @{ $wrong{$field} };
		my $about = join('', map { qq($_ = "$wrong{$_}[0]"\n) } sort keys %wrong);

		project(strict_metadata => $field);
		refuses("$field = $value", crate_with(about => $about), 400, $detail);
		takes('the others', crate_with(about => $about =~ s/^$field = .*\n//mr));
	}
	project(strict_metadata => 'documentation homepage license repository');
	is_deeply(takes('all are right', crate_with(about => qq(description = "d"\nlicense = "MIT OR Apache-2.0"\n)
	    . join('', map { qq($_ = "https://h.example/x"\n) } qw(documentation homepage repository)))), [],
	    'no warnings');
	project(strict_metadata => '');
	is(scalar @{ takes('none is strict', crate_with(about => join('', qq(description = "d"\n),
	    map { qq($_ = "$wrong{$_}[0]"\n) } sort keys %wrong))) }, 4, 'each is a warning');
};

subtest 'cases 34, 35: reserved names' => sub {
	project(reserved_names => 'Tree_House');
	refuses($_, crate_with(name => $_), 400, qr/reserved name `$_`$/) for qw(tree-house TREE_HOUSE std nul);
	takes('not that of the configuration', crate_with(name => 'garden'));
	project(reserved_names => '""');
	takes('none', crate_with(name => 'tree-house'));
	refuses('but those that always are', crate_with(name => 'core'), 400, qr/reserved name `core`$/);
	project(reserved_names => 'tree-house');
	refuses('a crate that was there before', crate_with(name => 'tree-house'), 400, qr/reserved name/);
};

subtest 'case 109: registries' => sub {
	project(allowed_registries => $other);
	takes('its own', crate_with(dependencies => 1, registry => $other));
	refuses('not that of the configuration', crate_with(dependencies => 1), 400, qr/is hosted on the registry/);
	project(allowed_registries => '*');
	takes('any', crate_with(dependencies => 1, registry => 'sparse+https://third.example/'));
};

subtest 'cases 8, 75: sizes' => sub {
	my $small = crate_with(files => { data => 'y' x 2000 });
	my $size = length $small->{bytes} < 1024 ? 1024 : length $small->{bytes};

	project(max_crate_size => $size);
	refuses('a byte too large', { %$small,
	    bytes => $small->{bytes} . 'x' x ($size + 1 - length $small->{bytes}) }, 413,
	    qr/^max upload size is: $size bytes;/);
	refuses('what the configuration allows', { %$sample, name => 'again' }, 413,
	    qr/^max upload size is: $size bytes;/);
	# as cargo counts, a crate must stay below the limit
	project(max_unpacked_size => unpacked($small));
	refuses('as large as the limit, unpacked', $small, 400, qr/malformed or too large when decompressed/);
	project(max_unpacked_size => unpacked($small) + 1);
	takes('below it', $small);
	project(max_crate_size => '', max_unpacked_size => '1g');
	takes('larger than in the configuration, unpacked', crate_with(files => { data => 'z' x 100_000 }));
	my ($status, undef, $err) = $t->berth(qw(project set demo/registry max_crate_size=1g));
	is($status, 2, 'a larger crate than in the configuration');
	like($err, qr/cannot be larger than in the configuration/, 'is not for a project to allow');
	# as if the configuration had been larger then
	$t->psql(q(UPDATE projects SET policy = policy || '{"max_crate_size": "1g"}'));
	refuses('the smaller one counts', { %$sample, bytes => "$sample->{bytes}x" }, 413,
	    qr/^max upload size is: ${\ length $sample->{bytes}} bytes;/);
};

subtest 'back to the configuration' => sub {
	project(map { ($_ => 'default') } map({ "max_$_" } keys %configured, 'crate_size', 'unpacked_size'),
	    'required_metadata', 'reserved_names', 'allowed_registries');
	is($t->psql('SELECT policy FROM projects'), '{}', 'nothing of its own is left');
	configuration_holds('configuration again');
};

subtest 'another project has its own' => sub {
	my $id = $t->project('demo/second');
	my $crate = crate_with(keywords => 9);

	$t->berth_ok(qw(project set demo/second max_keywords=9 required_metadata="" reserved_names=""));
	is($p->http(PUT => $t->registry($id) . '/api/v1/crates/new', { token => $p->token,
		body => $t->publish_body($t->metadata($crate->{name}, '1.0.0'), $crate->{bytes}) })->{status}, 200,
		    'taken there');
	is($p->http(PUT => $t->registry('demo%2Fsecond') . '/api/v1/crates/new', { token => $p->token,
		body => $t->publish_body($t->metadata('garden', '1.0.0'),
		    crate_with(name => 'garden', keywords => 9)->{bytes}) })
	    ->{status}, 200, 'by its path too');
	refuses('not here', $crate, 400, qr/^expected at most 2 keywords per crate, but this one has \d+;/);
};

subtest 'a policy that is not understood' => sub {
	$t->psql(q(UPDATE projects SET policy = '{"max_colour": "1"}' WHERE full_path = 'demo/registry'));
	refuses('lets nothing in', crate_with(), 500, qr/^internal server error/);
	ok($t->wait_for(sub { $t->log('pool') =~ /policy of the project: max_colour is not a key of a project/ },
	    10), 'the log says why');
	is($t->http(GET => $p->root . '/config.json', { token => $p->token })->{status}, 200, 'reading goes on');
	project(max_keywords => '');
	$t->psql(q(UPDATE projects SET policy = '{}'));
	takes('and so does publishing once it is gone', crate_with());
};

# ---- one size, which the application says before nginx reads the body ----

subtest 'the size that is configured' => sub {
	my $q = Berth::Publish->new;
	my $json = '{"name":"big","vers":"1.0.0"}';
	my $body = sub { pack('V/a* V', $json, $_[0]) . 'x' x ($_[1] // $_[0]) };
	my $unsized = { headers => ['Transfer-Encoding: chunked'] };

	for my $limit (10 << 20, 14 << 20) {
		my $too_large = qr/^max upload size is: $limit bytes;/;

		$q->test->conf(max_crate_size => $limit);
		$q->test->stop_pool;
		$q->refused('case 8: as large as allowed is looked into', $q->put($body->($limit)), 400, qr/malformed/);
		$q->refused('case 8: a byte more', $q->put($body->($limit + 1)), 413, $too_large);
		$q->refused('case 8: only said to be', $q->put($body->($limit + 1, 100)), 413, $too_large);
		$q->refused("case 15: far more$_->[0]", $q->put($body->(2 * $limit), %{ $_->[1] }), 413, $too_large)
		    for ['', {}], [', over HTTP/2', { http2 => 1 }];
		$q->refused('case 15: far more, in chunks', $q->put($body->(2 * $limit), %$unsized), 413, $too_large);
	}
	$q->refused("case 15: more than any without a length$_->[0]", $q->put('x' x (65 << 20), %{ $_->[1] }), 413,
	    qr/^the body of the request is too large$/)
	    for [', in chunks', $unsized], [', over HTTP/2', { http2 => 1, headers => ['Content-Length:'] }];
};

$p->agrees('in the end');

done_testing();
