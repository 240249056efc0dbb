#!/usr/bin/perl

# The pages about the files of crates: the differences between two versions, files of all names, links of a
# README, and the extracts that the pool keeps.  The table of 461-pages.t says who may see them.

use strict;
use warnings;

use File::Find;
use Test::More;

use Berth::Crate ();
use Berth::Test;

my $t = Berth::Test->new(workers => 3, failed_login_burst => 0, publish_burst => 0, new_crate_burst => 0);
my $id = $t->project('demo/pub', 'public');
$t->user('owner');
$t->member('owner', 'demo', 'owner');
my $token = $t->token('owner');
my $root = '/-/projects/demo/pub/-/crates';

sub get { return $t->http(GET => $_[0]); }

sub publish {
	my ($name, $version, $files, %opt) = @_;
	my $res = $t->publish($id, $token, $name, $version, files => $files, %opt);

	is($res->{status}, 200, "$name $version is published") or diag($res->{body});
	return;
}

# Elements close in order, ids are unique, and the target of each reference exists.
sub faults {
	my ($html) = @_;
	my (@open, @faults, %id);

	for my $tag ($html =~ m{<(/?[a-z][a-z0-9]*)}g) {
		next if $tag =~ /^(?:meta|link|input|br|hr)$/;
		push @open, $tag and next if $tag !~ m{^/};
		push @faults, "$tag closes " . ($open[-1] // 'nothing') if !@open || '/' . pop @open ne $tag;
	}
	$id{$_}++ for $html =~ / id="([^"]+)"/g;
	push @faults, map { "id $_ twice" } grep { $id{$_} > 1 } sort keys %id;
	push @faults, map { "no id $_" } grep { !$id{$_} }
	    $html =~ / (?:for="|aria-labelledby="|href="#|list=")([^"]+)"/g;
	return join('; ', @faults, @open ? "open: @open" : ());
}

# A line of a diff: its kind, its two numbers, its text.
sub lines_of {
	my ($html, $path) = @_;
	my ($file) = $html =~ m{<h3 id="f\d+">\Q$path\E <(.*?)(?:<h3|</main>)}s;

	return map { s/<[^>]+>//gr } $file =~ m{<tr[^>]*>(.*?)</tr>}gs;
}

my $deps = sub {
	my ($req, @more) = @_;

	return { name => 'other', version_req => $req, features => [], optional => JSON::PP::false,
	    default_features => JSON::PP::true, target => undef, kind => 'normal', registry => undef,
	    explicit_name_in_toml => undef, @more };
};

sub with_dependency {
	my ($version, $req, $features, $more) = @_;
	my $url = $t->url . $t->registry($id);

	return Berth::Crate::manifest('changing', $version) . <<"TOML" . $features;

[dependencies.other]
version = "$req"
registry-index = "sparse+$url/"
@{[$more // '']}
TOML
}

subtest 'two versions' => sub {
	my %old = ('src/lib.rs' => join('', map { "line $_\n" } 1 .. 20), 'same.txt' => "same\n",
	    'gone.txt' => "gone\n", 'crlf.txt' => "a\r\nb\r\n", 'end.txt' => "last",
	    'evil.html' => "<script>old()</script>\n",
	    'binary.dat' => "\0\1", 'latin.txt' => "caf\xe9\n", 'large.txt' => 'x' x (300 << 10),
	    'wide.txt' => 'x' x (100 << 10), "&'.txt" => "1\n");
	my %new = (%old, 'new.txt' => "/*\xe2\x80\xae } */\n",
	    'src/lib.rs' => join('', map { $_ == 10 ? "<b>ten</b>\n" : "line $_\n" } 1 .. 20),
	    'crlf.txt' => "a\nb\r\n", 'end.txt' => "last\n",
	    'evil.html' => "<script>new()</script></code></main>\n", 'binary.dat' => "\0\2", 'latin.txt' => "cafe\n",
	    'large.txt' => 'x' x (300 << 10) . 'y', 'wide.txt' => 'y' x (100 << 10), "&'.txt" => "2\n");
	delete $new{'gone.txt'};
	publish('other', $_, {}) for '1.0.0', '2.0.0';
	publish('changing', '1.0.0', \%old,
	    manifest => with_dependency('1.0.0', '1', "[features]\na = []\nb = []\n"),
	    metadata => { deps => [$deps->('^1')], features => { a => [], b => [] } });
	publish('changing', '1.1.0', \%new,
	    manifest => with_dependency('1.1.0', '2', "[features]\nb = [\"c\"]\nc = []\n",
		qq(artifact = ["bin:x", "cdylib"]\ntarget = "t"\nlib = true\n)),
	    metadata => { deps => [$deps->('^2', artifact => ['bin:x', 'cdylib'], bindep_target => 't',
		lib => JSON::PP::true)], features => { b => ['c'], c => [] } });
	$t->update_search;

	my $res = get("$root/changing/diff/1.0.0..1.1.0");
	is($res->{status}, 200, 'a diff');
	is(faults($res->{body}), '', 'sound');
	my $version = '<span class="version">';
	my $built = 'built as bin:x, cdylib for t, and as a library';
	like($res->{body}, qr{<h1>changing from ${version}1\.0\.0</span> to ${version}1\.1\.0<}, 'of two versions');
	like($res->{body},
	    qr{<tr><th scope="row">Dependency other \(normal\)</th><td>\^1</td><td>\^2, $built</td></tr>},
	    'dependencies first');
	like(get("$root/changing")->{body}, qr{normal<br><small>$built</small></td>},
	    'the page of the crate tells the same');
	my ($none, $empty) = map { qq(<span class="dim">$_</span>) } 'not there', 'nothing';
	like($res->{body}, qr{Feature b</th><td>$empty</td><td>c</td>}, 'a feature that changed');
	like($res->{body}, qr{Feature a</th><td>$empty</td><td>$none</td>}, 'one that went');
	like($res->{body}, qr{Feature c</th><td>$none</td><td>$empty</td>}, 'one that came');
	like($res->{body}, qr{10 changed, 1 added, 1 removed\.}, 'files'); # with Cargo.toml
	is_deeply([$res->{body} =~ m{<h3 id="f\d+">([^<]+) <}g], [sort 'Cargo.toml', '&amp;&#39;.txt', 'binary.dat',
	    'crlf.txt', 'end.txt', 'evil.html', 'gone.txt', 'large.txt', 'latin.txt', 'new.txt', 'src/lib.rs',
	    'wide.txt'], 'by path') or diag($res->{body} =~ m{<h3[^\n]*}g);
	is_deeply([lines_of($res->{body}, 'src/lib.rs')], ["\xe2\x80\xa6", map({ "$_$_ line $_" } 7 .. 9),
	    '10-line 10', '10+&lt;b&gt;ten&lt;/b&gt;', map { "$_$_ line $_" } 11 .. 13], 'unified, with numbers');
	like($res->{body}, qr{<tr class="add" id="f11n10">}, 'and anchors');
	is_deeply([lines_of($res->{body}, 'crlf.txt')], ['1-a CR', '1+a', '22 b CR'],
	    'a carriage return is seen') or diag(join('|', lines_of($res->{body}, 'crlf.txt')));
	is_deeply([lines_of($res->{body}, 'end.txt')], ['1-last no line feed at the end', '1+last'],
	    'and so is a line feed that is not there');
	like($res->{body}, qr{<code>\+&lt;script&gt;new\(\)&lt;/script&gt;&lt;/code&gt;}, 'HTML is text');
	unlike($res->{body}, qr/<script|<b>/, 'and nothing else');
	my $visible = "/*\xe2\x80\xb9U+202E\xe2\x80\xba } */";
	is_deeply([lines_of($res->{body}, 'new.txt')], ["1+$visible"], 'a control is visible');
	like(get("$root/changing/1.1.0/source/new.txt")->{body}, qr{<code>\Q$visible\E</code>},
	    '  in a file as well');
	for my $file (['binary.dat', 'not a text'], ['latin.txt', 'not a text'], ['large.txt', 'too large'],
	    ['wide.txt', 'too long']) {
		my ($part) = $res->{body} =~ m{<h3 id="f\d+">\Q$file->[0]\E <(.*?)(?:<h3|</main>)}s;

		like($part, qr{\Q$file->[1]\E}, "$file->[0] is named");
		unlike($part, qr/<table/, '  and not shown');
	}
	like($res->{body}, qr{<a href="\Q$root\E/changing/1\.1\.0/source/new\.txt">1\.1\.0</a>},
	    'files lead to all of them');
	like(get("$root/changing/diff/1.1.0..1.0.0")->{body}, qr{10 changed, 1 added, 1 removed\.},
	    'the other way round');
	like(get("$root/CHANGING/diff/1.0.0..1.0.0")->{body}, qr{All files are the same}, 'one and the same');
};

subtest 'ways there' => sub {
	my $crate = get("$root/changing")->{body};

	is(faults($crate), '', 'the page of a crate is sound');
	like($crate, qr{<form class="compare" action="\Q$root\E/changing/diff">}, 'it has a form');
	like($crate, qr{<option value="1\.0\.0"></option>}, 'which proposes versions');
	for my $page ($crate, get("$root/changing/1.1.0")->{body}) {
		my ($link) = $page =~ m{href="([^"]+)">Since the version before};

		is($link, "$root/changing/diff?to=1.1.0", 'a link to the version before');
		like(get($link)->{body}, qr{<h1>changing from <span class="version">1\.0\.0<}, '  finds it');
	}
	my $version = 'from <span class="version">';
	like(get("$root/changing/diff?from=1.1.0&to=1.0.0")->{body}, qr{${version}1\.1\.0<}, 'the form');
	like(get("$root/changing/diff?from=&to=1.1.0")->{body}, qr{${version}1\.0\.0<}, 'half of it');
	like(get("$root/changing/diff?to=1.0.0")->{body},
	    qr{This is the first version\..*/changing/1\.0\.0/source"}s, 'there is none before the first');
	publish('changing', '1.1.0-rc.2', { 'src/lib.rs' => "rc\n" });
	publish('changing', '1.1.0-rc.10', { 'src/lib.rs' => "rc\n" });
	like(get("$root/changing/diff?to=1.1.0")->{body}, qr{from <span class="version">1\.1\.0-rc\.10<},
	    'before is by version, not by time');
	$t->berth_ok('yank', 'demo/pub', 'changing@1.0.0');
	my $yanked = get("$root/changing/diff/1.0.0..1.1.0");
	is($yanked->{status}, 200, 'one that is yanked can be compared');
	like($yanked->{body}, qr{>1\.0\.0</a> <span class="badge bad">yanked</span>}, 'and is marked');
};

subtest 'what is not there' => sub {
	my %status = map { ($_ => 404) } 'changing/diff/1.0.0..9.0.0', 'changing/diff/9.0.0..1.0.0',
	    'none/diff/1.0.0..1.1.0', 'changing/diff/1.0.0', 'changing/diff/..1.0.0', 'changing/diff/1.0.0..',
	    'changing/diff/1.0.0...1.1.0',
	    'changing/diff/x..y', 'changing/diff/1.0.0..1.1.0/x', 'changing/diff?to=9.0.0', 'changing/diff?to=x',
	    'changing/diff/' . '1' x 200 . '..1.0.0';
	$status{$_} = 404 for 'changing/diff', 'changing/diff?from=1.0.0', 'none/diff?from=1.0.0';
	$status{$_} = 400 for 'changing/diff?to=%ff',
	    'changing/diff/..', 'changing/diff/%c3%a9..1.0.0';

	is(get("$root/$_")->{status}, $status{$_}, substr($_, 0, 60)) for sort keys %status;
	$t->psql("UPDATE versions SET status = 'pending_destruction', status_before = 'default', deleted_at = now()"
	    . " WHERE version = '1.1.0-rc.2'");
	is(get("$root/changing/diff/1.1.0-rc.2..1.1.0")->{status}, 404, 'a version that is deleted');
	my %says = (
		'from=1.0.0&to=0.1' => 'changing has no version 0.1',
		'from=&to=' => 'No version of changing is given',
		'from=9.0.0&to=1.1.0' => 'changing has no version 9.0.0',
		'from=x&to=1.1.0' => 'changing has no version x',
	);
	for my $query (sort keys %says) {
		my $body = get("$root/changing/diff?$query")->{body};

		like($body, qr{<p>\Q$says{$query}\E\.</p>\s*<p><a href="\Q$root\E/changing">changing</a>},
		    "$query: says so");
	}
	for my $page ('none/diff?to=1.0.0', 'none/1.0.0/source', 'none/1.0.0/source/src/lib.rs', 'NO$/1/source') {
		my ($name) = $page =~ m{^([^/]+)};

		like(get("$root/$page")->{body},
		    qr{<p>demo/pub has no crate \Q$name\E\.</p>\s*<p><a href="/-/projects/demo/pub">demo/pub</a>},
		    "$page: so says the page");
	}
	for my $page (map { "changing/9.0.0/source$_" } '', '/src', '/src/lib.rs') {
		my $res = get("$root/$page");

		is($res->{status}, 404, $page);
		like($res->{body}, qr{<p>changing has no version 9\.0\.0\.</p>\s*<p><a href="\Q$root\E/changing">},
		    '  says so');
	}
	is($t->http(POST => "$root/changing/diff")->{status}, 405, 'POST');
};

subtest 'all names' => sub {
	my $crabs = "\xf0\x9f\xa6\x80" x 60;
	my %files = ("caf\xc3\xa9/\xe6\x97\xa5.md" => "day\n", 'a/' x 60 . 'deep.txt' => "deep\n",
	    'a b+c#d%e&f;.txt' => "odd\n", '-/-/x' => "dash\n", "$crabs/$crabs" => "long\n");
	publish('named', '1.0.0', \%files);
	my $list = get("$root/named/1.0.0/source");
	my @links = $list->{body} =~ m{<td class="name"><a href="([^"]+)">}g;

	is(scalar @links, 2 + keys %files, 'each has a page');
	is(get($_)->{status}, 200, substr($_, length $root)) for @links;
	for my $path (sort keys %files) {
		my $encoded = $path =~ s{([^A-Za-z0-9/._~-])}{sprintf('%%%02X', ord $1)}ger;
		my $res = get("$root/named/1.0.0/source/$encoded");

		like($res->{body}, qr{<code>\Q@{[$files{$path} =~ s/\n//r]}\E</code>}, substr($encoded, 0, 50));
	}
	# old cargos packed some files twice
	publish('double', '1.0.0', { 'x.txt' => "x\n" },
	    entries => [Berth::Crate::entry('double-1.0.0/x.txt', "x\n")]);
	my @doubles = get("$root/double/1.0.0/source")->{body} =~ m{<td class="name"><a href="[^"]+/x\.txt">}g;
	is(scalar @doubles, 1, 'a file that comes twice is listed once');
	my $long = join('/', ("\xc3\xa9" x 120) x 4);
	publish('long', '1.0.0', { map { ("$long/$_" => '') } 1 .. 1200 });
	like(get("$root/long/1.0.0/source")->{body}, qr{These are 601 of 1\xc2\xa0202 files},
	    'as many as a page can hold');
	is(get("$root/named/1.0.0/source/$_")->{status}, 400, "$_: refused")
	    for 'caf%E9', 'caf%C3', '%C0%AE%C0%AE/x', "caf%c3%a9%2f%e6%97%a5.md", '%C3%A9/../x', '%ed%a0%80';
	is(get("/-/projects/demo/caf%C3%A9/-/crates/x")->{status}, 400, 'a project has no such name');
	is(get("$root/named/1.0.0/source/" . 'a/' x 60 . 'none')->{status}, 404, 'a deep path that is not there');
	is(get('/' . 'a/' x 60)->{status}, 404, 'nor elsewhere');
};

subtest 'links of a README' => sub {
	my $readme = "[a](LICENSE) [b](docs/x.md#L3) [c](../x) [d](#e) ![f](logo.png) [![g](g.svg)](src/lib.rs)"
	    . ' [h](javascript:x) [i](//evil.example) [j](docs/)';
	my $source = "$root/linked/1.0.0/source";

	publish('linked', '1.0.0', { 'README.md' => $readme, LICENSE => "MIT\n" },
	    manifest => Berth::Crate::manifest('linked', '1.0.0') =~ s/^license.*\K$/\nreadme = "README.md"/mr,
	    metadata => { readme => $readme, readme_file => 'README.md' });
	$t->update_search;
	my ($shown) = get("$root/linked")->{body} =~ m{<div class="readme">\n(.*?)\n}s;
	is($shown, qq(<p><a href="$source/LICENSE">a</a> <a href="$source/docs/x.md#L3">b</a> c d f )
	    . qq(<a href="$source/src/lib.rs">g</a> h i <a href="$source">j</a></p>),
	    'lead to its source, and images are text');
	is(get("$source/LICENSE")->{status}, 200, 'which is there');
	my %no = ('docs/x.md' => 'docs/x.md', '%3Cx%3E.md' => '&lt;x&gt;.md');
	for my $path (sort keys %no) {
		my $res = get("$source/$path");

		is($res->{status}, 404, "$path: not packaged");
		like($res->{body}, qr{<p>linked 1\.0\.0 has no file \Q$no{$path}\E\.</p>\s*<p><a href="\Q$source\E">},
		    '  so the page says, and leads to the files that are');
		is(faults($res->{body}), '', '  sound');
	}
};

# All files below extract/ of a project.
sub extracts {
	my ($project) = @_;
	my @found;
	my $dir = "$t->{settings}{cache_dir}/extract/$project";

	find({ wanted => sub { push @found, $_ if -f }, no_chdir => 1 }, $dir) if -d $dir;
	return @found;
}

subtest 'extracts' => sub {
	my $priv = $t->project('demo/priv');
	my $cookie;
	my $path = '/-/projects/demo/priv/-/crates/kept';

	for my $version ('1.0.0', '1.1.0') {
		my $res = $t->publish($priv, $token, 'kept', $version, files => { 'a.txt' => "kept $version\n" });
		is($res->{status}, 200, $version);
	}
	{
		my (undef, $code) = split(/\n/, $t->berth_ok('user', 'link', 'owner'));
		my $res = $t->http(POST => '/-/sign-in', { body => "code=$code&confirm=true",
		    headers => ['Content-Type: application/x-www-form-urlencoded', 'Origin: ' . $t->url] });

		($cookie) = $res->{headers}{'set-cookie'} =~ /^([^;]*)/;
	}
	my $mine = sub { return $t->http(GET => $path . $_[0], { headers => ["Cookie: $cookie"] }) };
	my @pages = ('/1.0.0/source', '/1.0.0/source/a.txt', '/diff/1.0.0..1.1.0');
	my %first = map { ($_ => $mine->($_)->{body}) } @pages;

	is(scalar(extracts($priv)), 3, 'each answer of the inspector is kept');
	is((stat)[2] & 07777, 0600, 'for the pool alone') for extracts($priv);
	# without the crates there are only these
	my @blobs = $t->psql("SELECT cksum FROM versions WHERE project_id = $priv");
	for my $sum (@blobs) {
		my $blob = join('/', $t->store, unpack('A2 A2', $sum), $sum);
		rename($blob, "$blob.away") or die "$blob: $!\n";
	}
	is($mine->($_)->{body}, $first{$_}, "$_: the second view needs no inspector") for @pages;
	is($mine->('/1.1.0/source')->{status}, 500, 'another one does');
	is(get($path . $_)->{status}, 404, "$_: but only for who may read") for @pages;
	is(get("/-/projects/demo/pub/-/crates/kept$_")->{status}, 404, '  and in its project') for @pages;
	$t->berth_ok(qw(project set demo/priv visibility=public));
	is(scalar(extracts($priv)), 0, 'they go with the other files of the project');
};

done_testing();
