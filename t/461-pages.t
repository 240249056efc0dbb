#!/usr/bin/perl

# The pages to read about crates: who sees which, what they show, what hostile texts do there; over HTTP, and
# with a browser that runs no scripts.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Berth::Access;
use Berth::Browser;
use Berth::Cluster;
use Berth::Routes;
use Berth::Test;

my $t = Berth::Test->new(workers => 4, failed_login_burst => 0, publish_burst => 0, new_crate_burst => 0);

# ---- places, people, crates ----

my %visibility = (Berth::Access::visibility(), open => 'private');
my @places = (Berth::Access::places(), 'open');
my %id = map { $_ => $t->project("demo/$_", $visibility{$_}) } sort keys %visibility;
$t->berth_ok(qw(project set demo/open public_packages=true));
my @roles = qw(guest reporter developer maintainer owner);
$t->user($_) for @roles, qw(stranger keeper);
$t->user('admin', admin => 1);
$t->member($_, 'demo', $_) for @roles;
my $token = $t->token('owner');

for my $place (sort keys %id) {
	is($t->publish($id{$place}, $token, $_, '1.0.0')->{status}, 200, "$_ is in $place") for "abcd-$place";
}
$t->berth_ok('owner', 'add', 'demo/priv', 'abcd-priv', 'keeper');
$t->berth_ok(qw(project set demo/off packages_enabled=false));
$t->project('hidden/deep/secret');
$t->update_search;

my %cookie = map { $_ => $t->sign_in($_) } @roles, qw(stranger keeper admin);

sub get {
	my ($path, $who, @headers) = @_;

	return $t->http(GET => $path,
	    { headers => [defined $who && $cookie{$who} ? "Cookie: $cookie{$who}" : (), @headers] });
}

# ---- who sees what ----

# The status of what the table of access lets a viewer read; `open` is private, but its packages are public.
sub status_of {
	my ($who, $place) = @_;
	my $caller = $who ne 'keeper' ? $who : $place eq 'priv' ? 'stranger with the crate' : 'stranger';
	my ($read) = $place eq 'open' ? 0 : Berth::Access::decision($caller, $place);

	# pages tell nobody that an address would be there after signing in
	return $read == 0 ? 200 : $read == 401 ? 404 : $read;
}

# What a viewer may see of a project: c its crates and its members, p its members, o its crates, n that it is
# there; 4 nothing.
sub cell_of {
	my ($who, $place) = @_;
	my $status = status_of($who, $place);
	my $is_guest = $who eq 'anonymous' || ($place eq 'open' && status_of($who eq 'keeper' ? 'stranger' : $who,
	    'priv') == 404);

	return $is_guest ? 'o' : 'c' if $status == 200;
	return 'p' if $status == 403;
	# it is public, and only its registry is not there
	return $who eq 'anonymous' ? 'n' : 'p' if $place eq 'off';
	return '4';
}

# Each viewer, and the cells of all places, of the group demo, and of a hidden one; of a group: g that it is
# there, and 4.
my @table = map {
	my $who = $_;
	[$who, (map { cell_of($who, $_) } @places), 'g', $who eq 'admin' ? 'g' : '4']
} 'anonymous', 'stranger', 'keeper', @roles, 'admin';

# The crates that a page lists.
sub crates_of { return $_[0] =~ /class="crate"[^>]*>([^<]+)</g; }

# What a page lets its viewer see.
sub shown {
	my ($res, $crate) = @_;
	my ($crates, $members) = map { scalar($res->{body} =~ /$_/) } qr/\Q$crate\E</, qr{<h2>Members</h2>};

	return '4' if $res->{status} == 404;
	return "status $res->{status}" if $res->{status} != 200;
	return $crates ? $members ? 'c' : 'o' : $members ? 'p' : 'n';
}

# A page without its own address, which it gives to the links to sign in.
sub placeless {
	my ($path, $body) = @_;
	my $to = $path =~ s/([^A-Za-z0-9_.~-])/sprintf('%%%02X', ord $1)/ger;

	return $body =~ s/\?to=\Q$to\E"/"/gr;
}

sub placeless_of { my ($path, $who) = @_; return placeless($path, get($path, $who)->{body}); }

for my $row (@table) {
	my ($who, @cells) = @$row;
	my (@found, @listed);

	for my $place (@places) {
		my $res = get("/-/projects/demo/$place", $who);
		my $cell = shown($res, "abcd-$place");

		push @found, $cell;
		is(placeless("/-/projects/demo/$place", $res->{body}), placeless_of('/-/projects/demo/missing', $who),
		    "$who, $place: as what is not there") if $cell eq '4';
		is($res->{headers}{'cache-control'}, $who ne 'anonymous' ? 'no-store'
		    : $cell eq '4' ? 'private, no-store' : 'private, no-cache', "$who, $place: kept by nobody else");
	}
	push @found, map { my $res = get("/-/groups/$_", $who); $res->{status} == 200 ? 'g' : shown($res, 'x') }
	    qw(demo hidden/deep);
	is("@found", "@cells", "$who: pages");
	for my $i (0 .. $#places) {
		my $place = $places[$i];
		my $want = status_of($who, $place);

		for my $page ('', '/1.0.0', '/1.0.0/source', '/1.0.0/source/Cargo.toml', '/diff/1.0.0..1.0.0',
		    '/diff?to=1.0.0') {
			my $path = "/-/projects/demo/$place/-/crates/abcd-$place$page";
			my $res = get($path, $who);

			is($res->{status}, $want, "$who: $path");
			is(placeless($path, $res->{body}), placeless_of("/-/projects/demo/missing/-/crates/x$page", $who),
			    '  as what is not there') if $want == 404;
			is($res->{body}, get("/-/projects/demo/$place/-/crates/none$page", $who)->{body},
			    '  whether it is there or not') if $want == 403;
			like($res->{body}, qr{<h1>(?:Source of )?abcd-$place (?:from )?<|<h1>Cargo\.toml</h1>}, '  shows it')
			    if $want == 200;
			my $owners = scalar($res->{body} =~ /id="owners"/);
			is($owners, $want == 200 && $page eq '' && $who ne 'anonymous' ? 1 : '', '  owners for who may know them');
			# who publishes is for members, and for who keeps a crate there
			my $knows = $page eq '/1.0.0' && $want == 200 && $who !~ /^(?:anonymous|stranger|guest)$/
			    && ($who ne 'keeper' || $place eq 'priv');
			is(scalar($res->{body} =~ /Where it came from/), $knows ? 1 : '', '  and where it came from');
		}
	}
	# the same, by the lists, and by the API with a token
	my @crates = grep { $cells[$_] =~ /[co]/ } 0 .. $#places;
	my $want = join(' ', sort map { "abcd-$places[$_]" } @crates);
	my %listed = (
		search => get('/-/search?q=abcd', $who)->{body},
		front => get('/-/', $who)->{body},
	);
	is(join(' ', sort(crates_of($listed{$_}))), $want, "$who: $_") for sort keys %listed;
	my %known = map { $_ => 1 } $listed{front} =~ m{href="/-/projects/([^"]+?)(?:/-/[^"]+)?"}g;
	is(join(' ', sort keys %known), join(' ', sort map({ "demo/$places[$_]" } grep { $cells[$_] ne '4' }
	    0 .. $#places), $who eq 'admin' ? 'hidden/deep/secret' : ()), "$who: projects of the front page");
	my @group = get('/-/groups/demo', $who)->{body} =~ m{class="name"><a href="/-/projects/([^"]+)"}g;
	is(join(' ', @group), join(' ', sort map { "demo/$places[$_]" } grep { $cells[$_] ne '4' } 0 .. $#places),
	    "$who: projects of the group");
	my @every = get('/-/projects', $who)->{body} =~ m{class="name"><a href="/-/projects/([^"]+)"}g;
	is(join(' ', @every), join(' ', @group, $who eq 'admin' ? 'hidden/deep/secret' : ()), "$who: all projects");
	next if $who eq 'anonymous';
	my $mine = $t->token($who, scopes => 'read_api');
	my @api = grep { $t->http(GET => $t->registry($id{$_}) . '/api/v1/crates?q=abcd',
	    { token => $mine })->{status} == 200 } sort keys %id;
	is(join(' ', map { "abcd-$_" } @api), $want, "$who: as the API");
}

# ---- every page ----

# What is wrong with the structure of a page: it holds for people who see it, hear it, or use keys.
sub faults {
	my ($html) = @_;
	my @faults;
	my %count = map { my $tag = $_; $tag => scalar(() = $html =~ s/<svg.*?<\/svg>//gsr =~ /<$tag[ >]/g) }
	    qw(h1 main title header);

	push @faults, map { "$count{$_} <$_>" } grep { $count{$_} != 1 } sort keys %count;
	push @faults, 'no language' unless $html =~ /<html lang="en">/;
	push @faults, 'no skip link' unless $html =~ m{<body>\n<a class="skip" href="#main">};
	my %id;
	$id{$_}++ for $html =~ / id="([^"]+)"/g;
	push @faults, map { "id $_ twice" } grep { $id{$_} > 1 } sort keys %id;
	push @faults, map { "no id $_" } grep { !$id{$_} } map { split / / }
	    $html =~ / (?:for="|aria-labelledby="|aria-describedby="|href="#)([^"]+)"/g;
	my $level = 0;
	for my $next ($html =~ /<h([1-6])/g) {
		push @faults, "h$next after h$level" if $next > $level + 1;
		$level = $next;
	}
	push @faults, 'scripts or styles' if $html =~ /<(?:script|style)| on\w+="| style="|javascript:/i;
	my @open;
	for my $tag ($html =~ m{<(/?[a-z][a-z0-9]*)}g) {
		next if $tag =~ /^(?:meta|link|input|br|hr|img|path)$/;
		push @open, $tag and next if $tag !~ m{^/};
		push @faults, "$tag closes " . ($open[-1] // 'nothing') if !@open || '/' . pop @open ne $tag;
	}
	push @faults, "open: @open" if @open;
	return join('; ', @faults);
}

my @all = ('/-/', '/-/projects', '/-/search', '/-/search?q=abcd', '/-/search?q=nothing', '/-/groups/demo',
    '/-/groups/none', '/-/projects/demo/pub', '/-/projects/demo/off',
    '/-/projects/demo/pub/-/crates/abcd-pub', '/-/projects/demo/pub/-/crates/ABCD_pub/1.0.0',
    '/-/projects/demo/pub/-/crates/none', '/-/projects/demo/pub/-/crates/abcd-pub/2.0.0', '/-/projects/none',
    '/-/projects/demo/pub?page=x',
    '/-/tokens', '/-/sign-in');
for my $path (@all) {
	for my $who ('anonymous', 'owner') {
		my $res = get($path, $who);

		is(faults($res->{body}), '', "$path, $who: the structure is sound");
		like($res->{headers}{'content-security-policy'},
		    qr/^default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'/,
		    '  no script, and nothing of others');
		is($res->{headers}{'x-frame-options'}, 'DENY', '  no frame');
		is($res->{headers}{'content-type'}, 'text/html; charset=utf-8', '  HTML');
		next if $path =~ m{^/-/(?:tokens|sign-in)};
		is($res->{headers}{'set-cookie'}, undef, '  no cookie');
		is($res->{headers}{'referrer-policy'}, 'same-origin', '  other sites are not told where one was');
	}
}
is(get('/-/projects/demo/pub?page=x')->{status}, 400, 'a page that is no number');
like(get($_, undef, 'Accept: text/html')->{body},
    qr{<h1>Bad Request</h1>\n<p>[A-Z](?:[^<`]|</?code>)*[^.<]\.</p>}, "$_: a whole sentence")
    for '/-/projects/demo/pub?page=x', '/-/projects//x', '/-/search?q=%00';
is(get('/-/')->{body}, get('/-/', undef, "Authorization: $token")->{body}, 'a token is no session');
is($t->http(HEAD => '/-/')->{headers}{'content-length'}, length get('/-/')->{body}, 'HEAD');
is($t->http($_ => '/-/')->{status}, 405, "$_: not for pages") for qw(POST PUT DELETE);
for my $path ('/', '/?x=y') {
	my $res = get($path);

	is("$res->{status} $res->{headers}{location}", '302 /-/', "$path leads to the front page");
}
{
	my ($plain, $packed) = map { get('/-/projects/demo/pub', $_, 'Accept-Encoding: gzip') } qw(owner anonymous);

	is($plain->{headers}{'content-encoding'}, undef, 'what one viewer sees is not compressed');
	is($packed->{headers}{'content-encoding'}, 'gzip', 'what everybody sees is');
	require IO::Uncompress::Gunzip;
	IO::Uncompress::Gunzip::gunzip(\$packed->{body}, \my $html) or die;
	is($html, get('/-/projects/demo/pub')->{body}, 'and is the same');
}

for my $path ('/-/', '/-/projects/demo/pub', '/-/search?q=abcd-pub') {
	my $crate = '/-/projects/demo/pub/-/crates/abcd-pub';
	my ($version) = get($path)->{body} =~ m{href="$crate">abcd-pub</a> <span class="version">(.*?)</span>};

	is($version, $path eq '/-/' ? qq(<a href="$crate/1.0.0">1.0.0</a>) : '1.0.0',
	    "$path: only a new version leads to a page of its own");
}

# ---- what a project's page says ----

# The registries that a page tells cargo, in its order.
sub registries_of { return get(@_)->{body} =~ /\[registries\.([^\]]+)\]\nindex/g; }

{
	my $body = get('/-/projects/demo/priv', 'owner')->{body};
	my $url = $t->url;

	like($body, qr{\[registries\.priv\]\nindex = "sparse\+\Q$url@{[$t->registry($id{priv})]}\E/"\n},
	    'the lines for cargo');
	like($body, qr{<p>Make a token <a.*<p>Then you can use a crate}s, 'that one needs a token to read');
	like(get('/-/projects/demo/pub', 'owner')->{body},
	    qr{<p>To publish, make a token <a.*<p>You can use a crate without}s, 'or none, of a public project');
	like($body, qr{<a href="/-/groups/demo">demo</a>, has one address for all crates}, 'its group');
	like($body, qr{CARGO_REGISTRIES_PRIV_TOKEN}, 'the variable of the token');
	like($body, qr{name the registry <code>priv</code>}, 'where the name of the registry comes from');
	like($body, qr{cargo publish --registry priv$}m, 'and the name of the registry');
	unlike($body, qr/registry berth|REGISTRIES_BERTH/, 'which is no other');
	for my $file (qw(gitlab-ci.yml github-actions.yml forgejo-actions.yml job-token.sh)) {
		my ($last) = reverse grep { /\S/ && !/example|[<>&"']|registry berth|_BERTH_/ }
		    split(/\n/, Berth::Cluster::slurp("$Berth::Cluster::ROOT/conf/ci/$file"));

		ok(index($body, $last) >= 0, "the text of $file");
	}
	like($body, qr/BERTH_PROJECT: &quot;$id{priv}&quot;/, 'with the number of the project');
	like($body, qr/BERTH_URL: &quot;\Q$url\E&quot;/, 'the address of the registry');
	like($body, qr{berth trust add demo/priv }, 'and the path of the project');
	like($body, qr/^# BERTH_PROJECT +$id{priv}$/m, 'the number in the script, too');
	like($body, qr{berth token add --deploy demo/priv }, 'and the path');
	unlike($body, qr/registry\.example\.com|tools.crates|GROUP.PROJECT|%2F/, 'and none of an example');
	unlike($body, qr/^# Replace /m, 'so nothing is left to replace');
	like(Berth::Cluster::slurp("$Berth::Cluster::ROOT/conf/ci/$_"), qr/^# Replace registry/m, "unlike in $_")
	    for qw(gitlab-ci.yml github-actions.yml forgejo-actions.yml);
	like($body, qr{<td class="name">maintainer</td><td class="name">[^<]*</td><td>maintainer</td>}, 'members');
}

{
	my $body = get('/-/groups/demo', 'owner')->{body};

	like($body, qr{\[registries\.demo\]\nindex = "sparse\+\S+/groups/\d+/-/},
	    'a group: its lines');
	like($body, qr{name the registry <code>demo</code>}, 'where its name comes from');
	like($body, qr{<a href="/-/tokens">here</a>.*cargo login --registry demo<}s, 'a token for it');
	like($body, qr{cargo add CRATE --registry demo\n}, 'and how to use it');
	like($body, qr{are different registries}, 'it is not one of its projects');
	my $says = sub {
		my ($said) = get('/-/groups/demo', $_[0])->{body}
		    =~ m{cargo add CRATE --registry demo\n(.*?</pre>\n(?:<p>.*?</p>|))}s;

		return $said;
	};
	for my $who ('anonymous', 'stranger', @roles, 'admin') {
		my $can = $who =~ /^(?:maintainer|owner|admin)$/ ? '  An administrator can set one: '
		    . '<code>berth group set demo default_project=GROUP/PROJECT</code>' : '';

		is($says->($who), '</code></pre>' . "\n" . '<p>Publish a new crate to the registry of '
		    . '<a href="#projects">a project</a>, since the group has no default project for it.' . "$can</p>",
		    "$who: a group without a default project publishes nothing new");
	}
	$t->berth_ok(qw(group set demo default_project=demo/priv));
	my $publish = "cargo publish --registry demo\n</code></pre>\n";
	is($says->('owner'), qq($publish<p>New crates go to <a href="/-/projects/demo/priv">demo/priv</a>.</p>),
	    'a group with one');
	is($says->('stranger'), $publish, '  which the viewer may not know');
	my %said = map { $_ => [registries_of("/-/projects/demo/$_", 'owner')] } qw(priv pub);
	is_deeply($said{$_}, ['demo', $_], "$_: the group is first, and then the project") for sort keys %said;
	is_deeply([registries_of('/-/projects/demo/pub')], ['pub'], '  unless nobody is signed in');
	my $only = qr{To publish a new crate to this project, use the address of the project};
	unlike(get('/-/projects/demo/priv', 'owner')->{body}, $only, 'new crates of the group go to this project');
	my $other = get('/-/projects/demo/pub', 'owner')->{body};
	like($other, $only, '  and not to another one');
	is(faults($other), '', '  whose page is sound');
	like($other, qr{\[registries\.demo\].*cargo\ login\ --registry\ demo<.*cargo\ publish\ --registry\ demo\n.*
	    <summary>The\ address\ of\ this\ project\ alone</summary>\n<p>A\ CI\ job\ or\ a\ deploy\ token.*
	    \[registries\.pub\].*cargo\ publish\ --registry\ pub\n}xs, '  with all lines of both');
	$t->berth_ok(qw(group set demo default_project=));
	$t->project('demo/v1.2');
	like(get('/-/projects/demo/v1.2', 'owner')->{body}, qr{\[registries\.berth\]},
	    'a path that cargo takes for no name');
}

# Only what needs no token can be downloaded by a browser.
for my $place (@places) {
	my $crate = "abcd-$place";
	my @found = get("/-/projects/demo/$place/-/crates/$crate", 'owner')->{body}
	    =~ m{<a download="\Q$crate\E-1\.0\.0\.crate" href="([^"]+)">};
	my $is_public = $place eq 'pub' || $place eq 'open';

	is(scalar @found, $is_public ? 1 : 0, "$place: " . ($is_public ? 'a' : 'no') . ' link to the crate');
	like(get($_)->{body}, qr/^\x1f\x8b/, '  which leads there') for @found;
}

# ---- lists in pages ----

{
	my $many = $t->project('demo/many');
	$t->psql(<<"SQL");
INSERT INTO crates (project_id, name, normalized_name) SELECT $many, 'many-' || lpad(n::text, 3, '0'),
       'many-' || lpad(n::text, 3, '0') FROM generate_series(1, 120) n;
INSERT INTO crate_search (crate_id, project_id, name, normalized_name, max_version, description, document)
SELECT id, project_id, name, normalized_name, '1.0.0', 'one of many',
       search_document(normalized_name, '{}', 'one of many')
  FROM crates WHERE project_id = $many;
SQL
	my @seen;
	my $next = '/-/projects/demo/many';

	while (defined $next) {
		my $res = get($next, 'owner');

		is(faults($res->{body}), '', "$next: sound");
		push @seen, crates_of($res->{body});
		($next) = map { s/&amp;/&/gr } $res->{body} =~ /rel="next" href="([^"]+)"/;
	}
	is_deeply(\@seen, [map { sprintf('many-%03d', $_) } 1 .. 120], 'a project: each crate once, by name');
	@seen = ();
	$next = '/-/search?q=many';
	while (defined $next) {
		my $res = get($next, 'owner');

		push @seen, crates_of($res->{body});
		like($res->{body}, qr/120 crates match/, "$next: how many") if @seen <= 20;
		($next) = map { s/&amp;/&/gr } $res->{body} =~ /rel="next" href="([^"]+)"/;
	}
	is(scalar @seen, 120, 'a search: all of them');
	is(join(' ', sort @seen), join(' ', map { sprintf('many-%03d', $_) } 1 .. 120), 'each once');
	unlike(get('/-/search?q=many')->{body}, qr/many-0/, 'not for nobody');
	like(get('/-/projects/demo/many?page=9', 'owner')->{body},
	    qr{rel="prev" href="[^"]*\?page=3">Previous page</a>\s*<span>There is no page 9. The last page is 3<},
	    'past the end one finds back');
	my $facets = get('/-/search?q=abcd', 'owner')->{body};
	like($facets, qr{href="/-/search\?q=abcd&amp;project=demo%2Fpriv">demo/priv</a>}, 'a search by projects');
	is(join(' ', get('/-/search?q=abcd&project=demo/priv', 'owner')->{body} =~ /class="crate"[^>]*>([\w-]+)</g),
	    'abcd-priv', 'in one of them');
	is(scalar(() = get('/-/search?q=abcd&project=demo/priv')->{body} =~ /class="crate"[^>]*>/g), 0,
	    'which tells nothing to who may not see it');
}

# ---- hostile texts ----

{
	my $evil = qq(<script>alert(1)</script>"'><img src=x onerror=alert(1)>&amp;</h1></main>);
	my $id = $t->project('demo/evil', 'public');

	my $manifest = Berth::Crate::manifest('evil-crate', '1.0.0')
	    =~ s/^description = \K.*$/JSON::PP->new->allow_nonref->encode($evil)/mer;
	is($t->publish($id, $token, 'evil-crate', '1.0.0', metadata => { description => $evil },
	    manifest => $manifest)->{status}, 200, 'a crate with a hostile description');
	$t->psql("UPDATE users SET name = '<b onclick=x>\$&' WHERE username = 'guest'");
	$t->update_search;
	for my $path ('/-/', '/-/projects/demo/evil', '/-/search?q=evil', '/-/groups/demo',
	    '/-/search?q=' . $evil =~ s/([^A-Za-z0-9])/sprintf('%%%02X', ord $1)/ger,
	    '/-/search?q=a&project=' . $evil =~ s/([^A-Za-z0-9])/sprintf('%%%02X', ord $1)/ger,
	    '/-/projects/%3Cscript%3E', "/-/groups/demo%22%3E%3Cx", '/-/search?q=%00', '/-/search?q=%ff',
	    '/-/search?q=' . 'x' x 7000, '/-/search?q=' . '%20%27%3B' x 500, '/-/search?q=%25_%5C',
	    '/-/search?q=%3A*%20%26%20!') {
		my $res = get($path, 'owner');
		my $shown = substr($path, 0, 60);

		like($res->{status}, qr/^(?:200|400|404)$/, "$shown: answered");
		next if $res->{headers}{'content-type'} !~ /html/;
		is(faults($res->{body}), '', '  and the page stays whole');
		unlike($res->{body}, qr/<script|<img|<b |onclick=x>/, '  with nothing of it as markup');
	}
	like(get('/-/search?q=evil')->{body}, qr/&lt;script&gt;alert\(1\)/, 'a description is text');
}

# ---- a crate ----

my $rich = $t->project('demo/rich');
my $job = $t->job_token('demo/rich', 'developer');

my %dep = (features => [], optional => JSON::PP::false, default_features => JSON::PP::true, target => undef,
    kind => 'normal', registry => undef, explicit_name_in_toml => undef);

sub rich {
	my ($version, %opt) = @_;
	my $readme = $opt{readme} // "# Rich\n\nIt says **hello**.\n";
	my $manifest = Berth::Crate::manifest('rich', $version) =~ s/^\[package\]\n\K/<<'TOML'/mer . <<"TOML";
homepage = "https://rich.example/"
repository = "https://rich.example/?<x>"
documentation = "https://rich.example/docs"
rust-version = "1.70"
keywords = ["gold", "silver"]
readme = "README.md"
TOML

[dependencies.poor]
version = "1.2"
features = ["thin"]
default-features = false
registry-index = "sparse+@{[$t->url . $t->registry($rich)]}/"

[dependencies.other]
package = "serde"
version = "1"
optional = true

[target."cfg(unix)".dev-dependencies.libc]
version = "0.2"

[features]
default = ["shiny"]
shiny = ["dep:other"]
TOML
	my $deps = [
		{ %dep, name => 'poor', version_req => '^1.2', features => ['thin'], default_features => JSON::PP::false },
		{ %dep, name => 'serde', version_req => '^1', optional => JSON::PP::true, explicit_name_in_toml => 'other',
		    registry => 'https://github.com/rust-lang/crates.io-index' },
		{ %dep, name => 'libc', version_req => '^0.2', kind => 'dev', target => 'cfg(unix)',
		    registry => 'https://github.com/rust-lang/crates.io-index' },
	];

	return $t->publish($rich, $opt{token} // $token, 'rich', $version, manifest => $manifest,
	    files => { 'README.md' => $readme }, metadata => { deps => $deps, readme => $readme,
		readme_file => 'README.md', homepage => 'https://rich.example/', keywords => ['gold', 'silver'],
		repository => 'https://rich.example/?<x>', documentation => 'https://rich.example/docs',
		rust_version => '1.70', features => { default => ['shiny'], shiny => ['dep:other'] } });
}

is($t->publish($rich, $token, 'poor', '1.2.0')->{status}, 200, 'what it depends on');
for my $version (qw(1.0.0 1.1.0+build 2.0.0-beta.1)) {
	my $res = rich($version, $version eq '1.0.0' ? (token => $job) : ());

	is($res->{status}, 200, "rich $version") or diag($res->{body});
}
$t->berth_ok('yank', 'demo/rich', 'rich@1.0.0', '--message', 'too <rich>');
$t->update_search;
$t->psql(<<"SQL");
INSERT INTO download_days (crate_id, version_id, day, project_id, downloads, last_at)
SELECT v.crate_id, v.id, (now() AT TIME ZONE 'UTC')::date - ago, v.project_id, 1000 + ago, now()
  FROM versions v CROSS JOIN (VALUES (0), (8), (89), (90)) d (ago) WHERE v.version = '1.1.0+build';
INSERT INTO download_days (crate_id, version_id, day, project_id, downloads, last_at)
SELECT v.crate_id, v.id, (now() AT TIME ZONE 'UTC')::date - ago, v.project_id, 222 + ago / 89, now()
  FROM versions v CROSS JOIN (VALUES (0), (89)) d (ago) WHERE v.version = '1.0.0' AND v.project_id = $rich
SQL
my $root = '/-/projects/demo/rich/-/crates';

# A row of a table with these cells.
sub row {
	my $cells = join('\s*', map { "<td>\Q$_\E</td>" } @_);

	return qr{<tr>$cells</tr>};
}

sub versions_of {
	my ($table) = $_[0] =~ m{<h2 id="versions">(.*?)</table>}s;

	return $table =~ m{<tr><td><a href="\Q$root\E/rich/([^"]+)">}g;
}

# Where a group is set up as a registry, its address is the one to copy.
subtest 'the registry in the lines of a crate' => sub {
	my $body = sub { return get("$root/poor", $_[0])->{body}; };
	my $add = sub { return $body->(@_) =~ m{<code>cargo add poor --registry (\S+)\n} ? $1 : ''; };
	my $lines = sub { return $body->(@_) =~ m{<summary>Where .*?</details>}s ? $& : ''; };
	my ($group) = $t->group('demo');

	is($add->('developer'), 'rich', 'the project, if no group is');
	$t->berth_ok(qw(group set demo default_project=demo/rich));
	is($add->('developer'), 'demo', 'the group, if it has a default project');
	my $index = 'sparse+' . $t->url . "/api/v4/groups/$group/-/packages/cargo/";
	like($lines->('developer'), qr{\[registries\.demo\]\nindex = "\Q$index\E"}, 'its address');
	like($lines->('developer'), qr{the group <a href="/-/groups/demo">demo</a>; its page}, 'and its page');
	is($t->publish($t->project('demo/early'), $token, 'poor', '9.0.0')->{status}, 200, 'another has its name');
	$t->berth_ok(qw(group set demo default_project= registry_projects=demo/early));
	is($add->('developer'), 'rich', 'the project, if the group has another crate of this name');
	like($lines->('developer'), qr{<a href="/-/groups/demo">demo</a>\s+does not have}, 'says why');
	$t->berth_ok(qw(group set demo registry_projects=));
	unlike($lines->('developer'), qr{<a href="/-/groups/demo">}, 'not of a group that nobody has set up');

	# cargo replaces the public registry by its mirror, and another one has the name that the workspace gives it
	my $listed = sub {
		my %url = map { $_->{full_path} => $_->{mirror_url} }
		    @{ JSON::PP->new->decode($t->berth_ok(qw(--json project list))) };
		return $url{'demo/rich'};
	};
	my $set = sub {
		my ($own, $all) = @_;

		$t->berth_ok(qw(project set demo/rich), "mirror_url=$own");
		return if ($t->{settings}{mirror_url} // '') eq $all;
		$t->stop_pool;
		$t->conf(mirror_url => $all eq '' ? undef : $all);
		$t->start_pool;
	};
	my $other = 'sparse+https://old.example/i/';
	for (['crates-io', ''], [$other, ''], [qq("$other"), ''], ['default', 'crates-io'], ['default', $other],
	    [$other, 'crates-io']) {
		my ($own, $all) = @$_;
		my $url = $own eq 'default' ? $all : $own =~ tr/"//dr;
		my $command = $url eq 'crates-io' ? qr{cargo add poor\n} : qr{cargo add poor --registry NAME\n};
		my $config = $url eq 'crates-io' ? qr{\[source\.crates-io\]\nreplace-with = "mirror"\n}
		    : qr{\[source\.mirrored\]\nregistry = "\Q$url\E"\nreplace-with = "mirror"\n};
		my $registry = qr{\n\[registries\.mirror\]\nindex = "[^"]*/projects/$rich/[^"]*"\n};

		$set->($own, $all);
		like($body->('developer'), qr{<code>$command</code>.*<code>$config$registry}s, "a mirror: @$_");
		my $page = get('/-/projects/demo/rich', 'developer')->{body};
		like($page, qr{<h2>Use this mirror</h2>.*<code>$config$registry}s, 'and the page of the project');
		unlike($page, qr{cargo publish|Publish from CI}, 'to which nobody can publish');
		my ($crates) = $page =~ m{<ul class="crates">(.*?)</ul>}s;
		unlike($crates, qr{\b20\d\d-}, 'and whose crates have no date, which would be that of an import');
		unlike(get('/-/', 'developer')->{body} =~ m{id="new">(.*?)</section>}s ? $1 : '',
		    qr{in <a [^>]*>demo/rich<}, 'nor are its versions new ones of this registry');
		is($listed->(), $url, '`project list` agrees');
	}
	for (['""', 'crates-io'], ['default', '']) {
		$set->(@$_);
		like(get('/-/', 'developer')->{body}, qr{id="new">.*in <a [^>]*>demo/rich<.*</section>}s,
		    "no mirror: @$_");
		like(get('/-/projects/demo/rich', 'developer')->{body},
		    qr{<ul class="crates">.*\b20\d\d-.*?</ul>}s, 'with a date');
		is($listed->(), undef, '`project list` agrees');
	}
	for (['Published', 'NULL'], ['Published', "published_at + interval '1 day'"], ['Imported', 'published_at']) {
		my ($label, $time) = @$_;

		$t->psql("UPDATE versions SET imported_at = $time WHERE project_id = $rich");
		my $page = $body->('developer');
		my ($table) = $page =~ m{<h2 id="versions">(.*?)</table>}s;
		my $pair = get("$root/rich/diff/1.0.0..1.1.0", 'developer')->{body};
		my $cell = $label eq 'Imported' ? qr{<td>imported <time} : qr{<td><time};
		like($page, qr{<dt>$label</dt>}, "imported: $time");
		like($table, $cell, 'the list of versions agrees');
		like($pair, qr{>Published</th>$cell.*?$cell}, 'and the comparison of two');
	}
	$t->psql("UPDATE versions SET imported_at = NULL WHERE project_id = $rich");

	my $told = sub {
		return get('/-/projects/hidden/deep/secret', 'admin')->{body}
		    =~ m{>([^<]*)</a>(?:, has one address| is a registry)} ? $1 : '';
	};
	is($told->(), 'hidden/deep', 'the page of a project names the group around it');
	$t->berth_ok(qw(group set hidden default_project=hidden/deep/secret));
	is($told->(), 'hidden', 'or the one that is set up');
	$t->berth_ok(qw(group set hidden default_project=));
};

subtest 'the page of a crate' => sub {
	my $body = get("$root/RICH", 'developer')->{body};

	is(faults($body), '', 'sound');
	like($body, qr{<h1>rich <span class="version">1\.1\.0\+build</span></h1>}, 'the version that search shows');
	like($body, qr{<pre tabindex="0"><code>cargo add rich --registry rich\n</code></pre>}, 'how to add it');
	my $index = $t->url . $t->registry($rich);
	my $lines = qr{\[registries\.rich\]\nindex = "sparse\+\Q$index\E/"\n};
	like($body, qr{<summary>Where <code>rich</code> comes from</summary>.*$lines}s,
	    'the lines of cargo that name the registry');
	like($body, qr{<h3>Rich</h3>\n<p>It says <strong>hello</strong>\.</p>}, 'the README');
	like($body, qr{href="https://rich\.example/docs">https://rich\.example/docs</a>}, 'links');
	unlike($body, qr{<dt>Repository</dt>}, 'but not what is none');
	like($body, qr{href="/-/search\?keyword=gold">gold</a>}, 'keywords');
	like($body, qr{<dt>Rust</dt><dd>1\.70 or later</dd>}, 'the Rust that it needs');
	my @versions = versions_of($body);
	is_deeply(\@versions, ['2.0.0-beta.1', '1.1.0%2Bbuild', '1.0.0'], 'versions, the newest first');
	like($body, qr{>1\.0\.0</a>\s*<span class="badge bad">yanked</span>\s*<br><small>too &lt;rich&gt;</small>},
	    'yanked, and why');
	like($body, row(qq(<a href="$root/poor">poor</a>), '^1.2', 'normal',
	    'thin <small>without default features</small>', 'this project'), 'a dependency in this project');
	like($body, row('<a rel="nofollow noopener noreferrer" href="https://crates.io/crates/serde">serde</a>'
	    . '<br><small>as other</small>', '^1', 'normal, optional', '', 'crates-io'),
	    'one in the public registry, under another name');
	like($body, qr{<td>dev<br><small>cfg\(unix\)</small></td>}, 'one of a platform');
	like($body, qr{Put this into <code>\.cargo/config\.toml</code>:}, 'where a library has its registry from');
	like($body, qr{<td>default</td><td>shiny</td>.*<td>shiny</td><td>dep:other</td>}s, 'features');
	like($body, qr{<p>3\xc2\xa0542 in the last 90 days\.</p>}, 'downloads of 90 days');
	my ($plot) = $body =~ m{(<svg class="plot".*?</svg>)}s;
	my @bands = $plot =~ m{<path fill="url\(#band-(\d)\)" d="([^"]*)"/>}g;
	my ($first, $second) = map { [$_ =~ /M\S+ \S+?h6v\d+h-6z/g] } @bands[1, 3];
	is("@bands[0, 2] " . scalar(@bands), '0 1 4', 'a band for each version, with a pattern of its own');
	is(join(' ', @$first), 'M0 27h6v133h-6z M648 37h6v123h-6z M712 38h6v122h-6z', 'the most downloaded one');
	is(join(' ', @$second), 'M0 0h6v27h-6z M712 10h6v28h-6z', 'and on top of it the other one');
	my @legend = $body =~ m{#band-(\d)\)" d="M0 0h24v12H0z"/></svg>\s*(\S+)\s*<span class="dim">([^<]*)</span>}g;
	is(join(' ', @legend), "0 1.1.0+build 3\xc2\xa0097 1 1.0.0 445", 'the legend names them, bottom up');
	like($body, qr{<th scope="row">$_->[0]</th><td>1\xc2\xa0$_->[1]</td><td>$_->[2]</td>},
	    "and in a table: $_->[0] days ago")
	    for ['0 to 6', '000', '222'], ['7 to 13', '008', '0'], ['84 to 89', '089', '223'];
	like($body, qr{<li>maintainer .*<span class="badge">maintainer</span>}, 'owners');
	like(get("$root/poor", 'developer')->{body},
	    row(qq(<a href="$root/rich">rich</a>), '2.0.0-beta.1', '^1.2', 'yes', 'normal'), 'who depends on it');
};

subtest 'the page of a version' => sub {
	my $body = get("$root/rich/1.0.0", 'developer')->{body};

	is(faults($body), '', 'sound');
	like($body, qr{<div class="box wrong"><p>Yanked: too &lt;rich&gt;</p>}, 'yanked, and why');
	unlike($body, qr{cargo add}, 'so nobody is told how to add it');
	unlike($body, qr{Since the version before}, 'it is the first');
	my $second = get("$root/rich/1.1.0", 'developer')->{body};
	like($second, qr{cargo add rich\@1\.1\.0\+build --registry rich}, 'how to add another one');
	like($second, qr{Since the version before}, 'which is not the first');
	my $sum = $t->psql("SELECT cksum FROM versions WHERE version = '1.0.0' AND project_id = $rich AND yanked");
	like($body, qr{<code>$sum</code>}, 'its checksum');
	like($body, qr{<dd>developer</dd>.*<dd>a job token}s, 'who published it, with what');
	like($body,
	    qr{<td>yanked: too &lt;rich&gt;</td><td>an administrator</td>.*<td>published</td><td>developer</td>}s,
	    'what was done, by whom');
	like($body, qr{<td><code>\w{32}</code></td>}, 'and by which request');
	my $yank = "action = 'crate.yank' AND project_id = $rich";
	my $by = $t->psql("SELECT detail->>'system_user' FROM audit_events WHERE $yank");
	my $set = 'SET session_replication_role = replica; UPDATE audit_events'
	    . " SET detail = detail || jsonb_build_object('system_user', '%s') WHERE $yank;"
	    . ' RESET session_replication_role';
	$t->psql(sprintf($set, 'berth-worker'));
	like(get("$root/rich/1.0.0?again", 'developer')->{body}, qr{<td>the retention policy</td>},
	    'or by the worker');
	$t->psql(sprintf($set, $by));
	$t->psql("UPDATE versions SET homepage = 'git\@<x>', license = 'Mine', description = NULL"
	    . " WHERE version = '1.2.0' AND project_id = $rich");
	my ($warnings) = get("$root/poor/1.2.0", 'developer')->{body} =~ m{<h3>Warnings.*?</h3>(.*?)</ul>}s;
	is_deeply([map { s/:? .*//r } $warnings =~ m{<li>(?:the )?(.*?)</li>}g],
	    ['crate', '<code>license</code>', '<code>homepage</code>'],
	    'what cargo was warned of when it published');
	like($warnings, qr{has no description.*not an SPDX.*git\@&lt;x&gt;}s, '  in its words');
	$t->psql("UPDATE versions SET description = NULL WHERE project_id = $id{pub}");
	my $pub = '/-/projects/demo/pub/-/crates/abcd-pub/1.0.0';
	is(join(' ', grep { get($pub, $_)->{body} =~ /<h3>Warnings/ } qw(stranger developer)), 'developer',
	    '  for who sees who has published');
	for my $spelling ('1.1.0+build', '1.1.0%2Bbuild', '1.1.0', '1.1.0+other') {
		like(get("$root/rich/$spelling", 'developer')->{body}, qr{<span class="version">1\.1\.0\+build</span>},
		    "$spelling: with or without build metadata");
	}
	$t->psql("UPDATE versions SET index_line = jsonb_set(index_line::jsonb, '{features,default}', (SELECT"
	    . " jsonb_agg('feature-' || i) FROM generate_series(1, 3000) i))::text"
	    . " WHERE version = '2.0.0-beta.1'");
	like(get("$root/rich/2.0.0-beta.1", 'developer')->{body}, qr{feature-1, .*feature-3000</td>},
	    'all that a feature switches on');
	is(get("$root/$_", 'developer')->{status}, 404, "$_: is not there")
	    for 'rich/1', 'rich/x', 'rich/1.0.0/x', 'none', '%3Cx%3E', 'r' x 100;
	like(get("$root/RICH/$_", 'developer')->{body},
	    qr{<p>rich has no version $_\.</p>\s*<p><a href="\Q$root\E/rich">rich</a></p>}, "rich/$_: it says so")
	    for '9.9.9', '1';
	for my $page ('', '/1.0.0', '/1.0.0/source', '/1.0.0/source/Cargo.toml', '/diff/1.0.0..1.1.0') {
		my $res = get("$root/none%3C$page", 'developer');

		my $above = '<a href="/-/projects/demo/rich">demo/rich</a>';
		like($res->{body}, qr{<p>demo/rich has no crate none&lt;\.</p>\s*<p>$above}, "none$page: it says so");
		is($res->{status}, 404, '  with its status');
		unlike(get("$root/$_$page", 'stranger')->{body}, qr{has no|none|demo/rich}, "  but not to a stranger: $_")
		    for qw(none rich);
	}
	$t->psql("UPDATE versions SET status = 'hidden' WHERE version = '1.0.0' AND project_id = $rich");
	like(get("$root/rich/1.0.0", 'developer')->{body}, qr{<p>rich has no version 1\.0\.0\.</p>},
	    'nor of a version that is hidden');
	$t->psql("UPDATE versions SET status = 'deprecated' WHERE version = '1.0.0' AND project_id = $rich");
	my $marks = join('\s*', map { qq(<span class="badge bad">$_</span>) } qw(yanked deprecated));
	like(get("$root/$_", 'developer')->{body}, qr{>1\.0\.0</\w+>\s*$marks}, "$_: one that is deprecated")
	    for 'rich', 'rich/1.0.0', 'rich/diff/1.0.0..1.1.0';
	my $why = qr{<div class="box wrong"><p>Deprecated: use &lt;2&gt;</p></div>};
	unlike(get("$root/rich/1.0.0", 'developer')->{body}, qr{Deprecated:}, 'without a reason');
	$t->psql("UPDATE versions SET status = 'deprecated', status_message = 'use <2>'"
	    . " WHERE project_id = $rich AND version IN ('1.0.0', '1.1.0+build')");
	my $shown = get("$root/rich", 'developer')->{body};
	like($shown, $why, 'or with one, on the page of the crate');
	my $reasons = join('<br>', map { "<small>$_</small>" } 'too &lt;rich&gt;', 'use &lt;2&gt;');
	like($shown, qr{>1\.0\.0</a>\s*$marks\s*<br>$reasons</td>}, '  in its table');
	like(get("$root/rich/1.0.0", 'developer')->{body}, $why, '  and on that of the version');
	$t->psql("UPDATE versions SET status = 'default' WHERE project_id = $rich AND status = 'deprecated'");
	unlike(get("$root/rich", 'developer')->{body}, qr{use &lt;2}, 'the message of another status is none');
	$t->psql("UPDATE versions SET status_message = NULL WHERE project_id = $rich");
};

subtest 'a tool of which there are only pre-releases' => sub {
	for (['1.0.0-rc.1+a-b', ' --version 1.0.0-rc.1+a-b'], ['1.0.0+a-b', '']) {
		my ($version, $option) = @$_;
		my $res = $t->publish($rich, $token, 'early', $version, files => { 'main.rs' => "fn main() {}\n" },
		    toml => qq(\n[[bin]]\nname = "early"\npath = "main.rs"\n));

		is($res->{status}, 200, "$version is published") or diag($res->{body});
		$t->update_search;
		like(get("$root/early", 'developer')->{body}, qr{cargo install early\Q$option\E --registry rich\n},
		    $option ne '' ? 'cargo takes it only by its version' : 'which needs none');
		like(get("$root/early", 'developer')->{body},
		    qr{Put this into <code>\.cargo/config\.toml</code>\.  For <code>cargo install</code>,},
		    '  and has another file than a library');
	}
};

subtest 'a program without a library' => sub {
	my $manifest = Berth::Crate::manifest('tool', '1.0.0') =~ s/^\[lib\].*//msr;
	my $res = $t->publish($rich, $token, 'tool', '1.0.0', files => { 'main.rs' => "fn main() {}\n" },
	    manifest => qq($manifest\n[[bin]]\nname = "tool"\npath = "main.rs"\n));

	is($res->{status}, 200, 'is published') or diag($res->{body});
	my $body = get("$root/tool/1.0.0", 'developer')->{body};
	like($body, qr{Put this into <code>~/\.cargo/config\.toml</code>, since}, 'cargo reads only that file');
	unlike($body, qr{cargo add}, 'nobody can add it');
};

subtest 'a dependency in another project' => sub {
	my $index = 'sparse+' . $t->url . $t->registry($id{pub}) . '/';
	my $res = $t->publish($rich, $token, 'across', '1.0.0',
	    toml => qq(\n[dependencies.abcd-pub]\nversion = "1"\nregistry-index = "$index"\n),
	    metadata => { deps => [{ %dep, name => 'abcd-pub', version_req => '^1', registry => $index }] });
	my $hint = qr{<p class="hint">Another project is another registry\.};

	is($res->{status}, 200, 'is published') or diag($res->{body});
	my $body = get("$root/across/1.0.0", 'developer')->{body};
	is(faults($body), '', 'its page is sound');
	like($body, qr{<td><a href="/-/projects/demo/pub">demo/pub</a></td></tr>}, 'and names the project');
	like($body, $hint, 'and says that cargo has to know it');
	unlike(get("$root/rich/1.0.0", 'developer')->{body}, $hint, 'no other page does');
};

subtest 'a licence in a file' => sub {
	my %at = ('LICENCE' => 'LICENCE', 'legal/Yours & mine.txt' => 'legal/Yours%20%26%20mine.txt',
	    './LICENCE' => undef, '../LICENCE' => undef, 'legal//LICENCE' => undef,
	    'legal\\LICENCE' => undef, "LICENCE\t" => undef);
	my $n = 0;
	my (%cell, @paths);

	for my $file (sort keys %at) {
		my $version = '1.0.' . $n++;
		my $manifest = Berth::Crate::manifest('filed', $version)
		    =~ s/^license = .*/'license-file = ' . JSON::PP->new->allow_nonref->encode($file)/mer;
		my $res = $t->publish($rich, $token, 'filed', $version, manifest => $manifest,
		    files => { LICENCE => "Use it.\n", 'legal/Yours & mine.txt' => "Do not use it.\n" },
		    metadata => { license => undef, license_file => $file });

		is($res->{status}, 200, "$file: published") or diag($res->{body});
		$cell{$version} = $file =~ s/&/&amp;/gr;
		if (defined $at{$file}) {
			push @paths, "$root/filed/$version/source/$at{$file}";
			$cell{$version} = qq(<a href="$paths[-1]">$cell{$version}</a>);
		}
		like(get("$root/filed/$version", 'developer')->{body},
		    qr{<dt>Licence</dt><dd>in the file \Q$cell{$version}\E</dd>}, '  its page leads to the file');
	}
	$t->update_search;
	my $body = get("$root/filed", 'developer')->{body};
	is(faults($body), '', 'the page of the crate is sound');
	like($body, qr{<td>\Q$cell{$_}\E</td></tr>}, "$_: the table does so, too") for sort keys %cell;
	is(join(' ', map { get($_, 'developer')->{body} =~ /<code>(.*? it)\./ } @paths), 'Use it Do not use it',
	    'the links lead there');
	is($t->publish($rich, $token, 'filed', '2.0.0')->{status}, 200, 'then it has a licence that has a name');
	my $rows = get("$root/filed/diff/1.0.2..2.0.0", 'developer')->{body};
	like($rows, qr{<th scope="row">$_</th>}, "  and the comparison says so: $_") for 'Licence', 'Licence file';
};

subtest 'a hostile README' => sub {
	my $readme = join("\n\n", '<script>alert(1)</script>', '</div></main><h1>x</h1>', '[a](javascript:alert(1))',
	    '![x](https://evil.example/x.png)', '<img src=x onerror=alert(1)>', '<style>*{display:none}</style>',
	    '[![y](https://evil.example/y.svg)](https://good.example/)', "| a |\n|---|\n| <b onclick=x> |");

	is(rich('3.0.0', readme => $readme)->{status}, 200, 'is published');
	$t->update_search;
	my $body = get("$root/rich", 'developer')->{body};
	is(faults($body), '', 'the page stays whole');
	unlike($body, qr/<script|<img|<style|onclick|onerror|javascript|evil\.example/, 'nothing of it is there');
	like($body, qr{<a href="https://good\.example/">y</a>}, 'but what it may say');
	like($body, qr{<p>x</p>}, 'an image is a text');

	# and where the project lets images in
	$t->berth_ok(qw(project set demo/rich readme_images=true));
	my $res = get("$root/rich", 'developer');
	is(faults($res->{body}), '', 'with images the page stays whole as well');
	unlike($res->{body}, qr/<script|<style|onclick|onerror|javascript/, 'nothing else of it is there');
	is(join(' ', $res->{body} =~ /(<img[^>]*>)/g),
	    '<img loading="lazy" referrerpolicy="no-referrer" src="https://evil.example/x.png" alt="x" /> '
	    . '<img loading="lazy" referrerpolicy="no-referrer" src="https://evil.example/y.svg" alt="y" />',
	    'two images, which tell their server as little as possible');
	like($res->{headers}{'content-security-policy'}, qr/; img-src 'self' https:; form-action/, 'the policy');
	for my $path ("$root/poor", "$root/rich/1.0.0", '/-/projects/demo/rich',
	    "$root/rich/3.0.0/source/README.md") {
		like(get($path, 'developer')->{headers}{'content-security-policy'}, qr/; img-src 'self'; /,
		    "$path: without an image it is the usual one");
	}
	$t->berth_ok(qw(project set demo/rich readme_images=false));
	is(get("$root/rich", 'developer')->{body}, $body, 'as it was');
	is(rich('3.0.1', readme => "# Long\n" . "word\n" x 20_000)->{status}, 200, 'a long one');
	like(get("$root/rich/3.0.1", 'developer')->{body}, qr/This is the beginning of the README/, 'is cut');
};

subtest 'the source of a version' => sub {
	my $long = join('', map { "line $_\n" } 1 .. 10_001);
	my %files = (
		'src/main.rs' => "fn main() {\n\tprintln!(\"<script>alert('&')</script>\");\n}\n",
		'src/-/odd name.rs' => "// here\r\n",
		'src/end.rs' => "first\nno line feed at the end",
		'evil.html' => "<script>alert(1)</script>\n",
		'evil.svg' => '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
		"caf\xc3\xa9.md" => "caf\xc3\xa9\n",
		'a/' x 15 . 'deep.txt' => "deep\n",
		'binary.dat' => "\0\1\2",
		'latin.txt' => "caf\xe9\n",
		'empty.txt' => '',
		'long.txt' => $long,
		'wide.txt' => 'x' x (256 << 10),
		'huge.txt' => "y\n" x (600 << 10),
	);
	is($t->publish($rich, $token, 'files', '1.0.0', files => \%files)->{status}, 200, 'a crate with all kinds');
	my $source = "$root/files/1.0.0/source";
	my $list = get($source, 'developer');

	is($list->{status}, 200, 'its files');
	is(faults($list->{body}), '', 'sound');
	my @listed = $list->{body} =~ m{<td class="name"><a href="\Q$source\E/([^"]+)">}g;
	my @paths = sort 'Cargo.toml', 'src/lib.rs', keys %files;
	is_deeply(\@listed, [map { s/([ \x80-\xff])/sprintf('%%%02X', ord $1)/ger } @paths], 'all, by path');
	like($list->{body}, qr{>empty\.txt</a></td><td>0[^<]*B</td>}, 'and sizes');
	for my $path (@listed) {
		my $res = get("$source/$path", 'developer');

		is($res->{status}, 200, $path);
		is(faults($res->{body}), '', '  sound');
		unlike($res->{body}, qr{<script|<svg|onload="}, '  and nothing of it as markup');
		like($res->{headers}{'content-type'}, qr{^text/html}, '  a page');
	}
	my $main = get("$source/src/main.rs", 'developer')->{body};
	like($main, qr{<tr id="L2"><th scope="row"><a href="\#L2">2</a></th><td><code>\tprintln!\(&quot;&lt;script},
	    'lines');
	like($main, qr{<p class="dim">56[^<]*B, 3 lines</p>}, 'so many');
	my $end = get("$source/src/end.rs", 'developer')->{body};
	like($end, qr{<tr id="L2">.*no line feed at the end</code>}, 'the last line counts without a line feed');
	unlike($end, qr{id="L3"}, 'and no other');
	my %why = ('binary.dat' => 'is not a text', 'latin.txt' => 'is not a text', 'empty.txt' => 'is empty',
		'long.txt' => 'is too long to be shown here', 'huge.txt' => 'has 1228800 bytes');
	like(get("$source/$_", 'developer')->{body}, qr/$why{$_}/, "$_ $why{$_}") for sort keys %why;
	ok(index(get("$source/wide.txt", 'developer')->{body}, "<code>$files{'wide.txt'}</code>") > 0,
	    'a long line is one line');
	like(get("$root/files/1.0.0", 'developer')->{body}, qr{<a href="\Q$source\E">All files</a>},
	    'its page leads there');
	is(get("$source/src", 'developer')->{body}, $list->{body}, 'a directory leads to all of them');
	for my $no ('none.rs', 'sr', '../Cargo.toml', 'src/../Cargo.toml', 'src//main.rs', 'src%2Fmain.rs',
	    '%2e%2e/Cargo.toml', '/etc/passwd', 'x' x 1025, 'CARGO.TOML') {
		my $res = get("$source/$no", 'developer');

		like($res->{status}, qr/^40[04]$/, 'not there: ' . substr($no, 0, 40));
		unlike($res->{body}, qr/\[package\]|root:/, '  nor anything else');
	}
	is(get("$root/$_", 'developer')->{status}, 404, "$_: no source")
	    for 'files/2.0.0/source', 'FILES/1.0.0/source', 'none/1.0.0/source/Cargo.toml';
	like(get("$root/$_", 'developer')->{body},
	    qr{<p>files has no version 2\.0\.0\.</p>\s*<p><a href="\Q$root\E/files">files</a></p>}, "$_: says so")
	    for 'files/2.0.0/source', 'files/2.0.0/source/src', 'Files/2.0.0/source/Cargo.toml';
	$t->berth_ok('yank', 'demo/rich', 'files@1.0.0');
	is(get($source, 'developer')->{status}, 200, 'of a yanked version, too');
	$t->psql("UPDATE versions SET status = 'pending_destruction', status_before = 'default', deleted_at = now()"
	    . " FROM crates c WHERE c.id = crate_id AND c.name = 'files'");
	is(get($source, 'developer')->{status}, 404, 'but not of a deleted one');
	for my $status ('pending_destruction', 'hidden') {
		$t->psql("UPDATE versions SET status = '$status', status_before = NULL, deleted_at = NULL FROM crates c"
		    . " WHERE c.id = crate_id AND c.name = 'files'") if $status eq 'hidden';
		like(get("$root/files$_", 'developer')->{body}, qr{<p>demo/rich has no crate files\.</p>},
		    "files$_: all versions are $status, so it is as if there were no such crate")
		    for '', '/9.9.9', '/diff/1.0.0..9.9.9', '/diff/9.9.9..1.0.0', '/diff';
	}
};

# cargo can install it, and that is all: no list and no page knows it.
subtest 'a version that is hidden' => sub {
	my %installs = map { $_ => 1 } qw(download download_group);
	my @reads = grep {
		$_->{pattern} =~ /:(?:version|range|package_id)\b|diff$/ && grep { $_ eq 'GET' } @{ $_->{methods} }
	} Berth::Routes::all();
	my $group = $t->psql("SELECT id FROM groups WHERE full_path = 'demo'");

	for my $version (qw(1.0.0 1.1.0)) {
		is($t->publish($rich, $token, 'veiled', $version)->{status}, 200, "$version is published");
	}
	my %package = map { $_ => $t->psql("SELECT v.id FROM versions v JOIN crates c ON c.id = v.crate_id"
	    . " WHERE c.name = 'veiled' AND v.version = '$_'") } qw(1.0.0 1.1.0);
	$package{'9.9.9'} = 999999;
	is($t->http(PATCH => "/api/v4/projects/$rich/packages/$package{'1.0.0'}", { token => $token,
	    body => '{"status":"hidden"}', headers => ['Content-Type: application/json'] })->{status}, 200,
	    'one is hidden');
	cmp_ok(scalar @reads, '>=', 12, 'there are many ways to read a version');
	for my $route (@reads) {
		my @queries = $route->{name} eq 'page_compare' ? ('?from=VERSION&to=1.1.0', '?from=1.1.0&to=VERSION') : '';
		my @ranges = $route->{pattern} =~ /:range/ ? ('VERSION..1.1.0', '1.1.0..VERSION', 'VERSION..VERSION') : 'x';

		for my $query (@queries) {
			for my $range (@ranges) {
				my $ask = sub {
					my ($version) = @_;
					my $path = Berth::Routes::path($route, path => 'demo/rich', id => $rich, group => $group,
					    crate => 'veiled', version => $version, package_id => $package{$version},
					    file => 'Cargo.toml', range => $range =~ s/VERSION/$version/gr)
					    . $query =~ s/VERSION/$version/gr;

					return ($route->{pattern} =~ m{^-/} ? get($path, 'developer')
					    : $t->http(GET => $path, { token => $token }), $path);
				};
				my ($hidden, $path) = $ask->('1.0.0');
				my ($none) = $ask->('9.9.9');

				is(($ask->('1.1.0'))[0]{status}, 200, "$route->{name}: another one is there");
				is($hidden->{status}, $installs{ $route->{name} } ? 200 : 404, "  the hidden one: $path");
				is($hidden->{body} =~ s/1\.0\.0/9.9.9/gr, $none->{body}, '  as if there were none')
				    if !$installs{ $route->{name} };
			}
		}
	}
	unlike(get($_, 'developer')->{body}, qr/1\.0\.0/, "$_ does not list it")
	    for "$root/veiled", "$root/veiled/feed.atom";
};

subtest 'a crate of many versions' => sub {
	$t->psql(<<"SQL");
INSERT INTO versions (crate_id, project_id, version, version_base, index_line, cksum, size, published_at)
SELECT crate_id, project_id, '4.0.' || n, '4.0.' || n, index_line, cksum, size, now()
  FROM versions CROSS JOIN generate_series(1, 250) n WHERE project_id = $rich AND version = '3.0.0'
SQL
	my @new = map { "4.0.$_" } reverse 1 .. 250;
	my @old = qw(3.0.1 3.0.0 2.0.0-beta.1 1.1.0%2Bbuild 1.0.0);

	is_deeply([all_versions("$root/rich")], [@new, @old], 'lists all of them, the newest first');
	is_deeply([all_versions("$root/rich?sort=version")], [@new, @old], 'the same by version');
	$t->psql("UPDATE versions SET status = 'hidden' WHERE version ~ '^4\\.0\\.[1-5]\$' AND project_id = $rich");
	my ($hint) = get("$root/rich", 'developer')->{body} =~ m{id="versions">.*?<p class="hint">(.*?)</p>}s;
	is($hint =~ s/<[^>]*>//gr, 'The highest is first. Sort by date', '250 are sorted by version');
};

# The versions of a crate on this page and all that follow.
sub all_versions {
	my ($next) = @_;
	my @seen;

	while (defined $next) {
		my $body = get($next, 'developer')->{body};

		is(faults($body), '', "$next: sound");
		push @seen, versions_of($body);
		($next) = map { s/&amp;/&/gr } $body =~ /rel="next" href="([^"]+)#versions"/;
	}
	return @seen;
}

subtest 'the order of versions' => sub {
	my @sorted = qw(18446744073709551615.0.0 10.0.0 2.3.0 2.3.0-rc.10 2.3.0-rc.2 2.3.0-rc 2.3.0-alpha.1 2.3.0-1
	    2.0.0 1.0.10 1.0.9+b-1 1.0.1-a 1.0.0 0.10.0 0.9.9 0.0.1);
	my %at = map { $sorted[$_] => ($_ + 1) * 7 % 17 } 0 .. $#sorted;
	my @dated = sort { $at{$b} <=> $at{$a} } @sorted;
	my $link = qr{<a href="\Q$root\E/poor\?sort=(\w+)#versions">};

	for my $version (reverse @dated) {
		$t->psql("INSERT INTO versions (crate_id, project_id, version, version_base, index_line, cksum, size,"
		    . " published_at) SELECT v.crate_id, v.project_id, '$version', split_part('$version', '+', 1),"
		    . " v.index_line, v.cksum, v.size, now() FROM versions v JOIN crates c ON c.id = v.crate_id"
		    . " WHERE c.name = 'poor' AND v.version = '1.2.0'");
	}
	$t->psql("UPDATE versions v SET status = 'hidden' FROM crates c WHERE c.id = v.crate_id AND c.name = 'poor'"
	    . " AND v.version = '1.2.0'");
	# the parameter, the versions, and the order to which the page leads
	for my $case (['', \@sorted, 'date'], ['?sort=version', \@sorted, 'date'],
	    ['?sort=date', \@dated, 'version']) {
		my ($query, $want, $other) = @$case;
		my $body = get("$root/poor$query", 'developer')->{body};
		my ($table) = $body =~ m{<h2 id="versions">(.*?)</table>}s;

		is(join(' ', map { s/%2B/+/r } $table =~ m{<tr><td><a href="\Q$root\E/poor/([^"]+)">}g), "@$want",
		    "poor$query");
		is(($table =~ $link)[0], $other, '  and leads to the other one');
	}
	# as an import does, which keeps the time of each version
	$t->psql("UPDATE versions SET published_at = now() + interval '1 hour' WHERE version = '1.0.9+b-1'");
	is((get("$root/poor?sort=date", 'developer')->{body} =~ m{<tr><td><a href="\Q$root\E/poor/([^"]+)">})[0],
	    '1.0.9%2Bb-1', 'the date is that of the publish, not of the import');
	my $next = 'rel="next" href="' . $root . '/rich?page=2';
	like(get("$root/rich?sort=date", 'developer')->{body}, qr{\Q$next\E&amp;sort=date#versions">Older versions<},
	    'the next page has the same order');
	like(get("$root/rich", 'developer')->{body}, qr{\Q$next\E#versions">Lower versions<}, 'or the usual one');
	is(get("$root/poor?sort=$_", 'developer')->{status}, 400, "$_: no order")
	    for 'x', 'Version', 'date,version', '';
};

subtest 'groups of the front page' => sub {
	my $groups_of = sub { return join(' ', get('/-/', $_[0])->{body} =~ m{href="/-/groups/([^"]+)"}g) };
	my %project = (demo => 'demo/priv', 'hidden/deep' => 'hidden/deep/secret', inner => 'inner/int',
	    lone => 'lone/priv');

	is($groups_of->('admin'), '', 'none, if none is set up as a registry');
	unlike(get('/-/', 'admin')->{body}, qr/id="groups"/, '  nor the part for them');
	$t->project('inner/int', 'internal');
	$t->project('lone/priv');
	$t->member('keeper', 'lone/priv', 'guest');
	$t->berth_ok('group', 'set', $_, ($_ eq 'lone' ? 'registry_projects' : 'default_project') . "=$project{$_}")
	    for sort keys %project;
	for my $who ('anonymous', 'stranger', 'keeper', @roles, 'admin') {
		my @may = grep { get("/-/groups/$_", $who)->{status} == 200 } sort keys %project;

		is($groups_of->($who), "@may", "$who: those whose pages one may see");
	}
	unlike(get('/-/', 'admin')->{body}, qr/There are more groups/, 'no more than these');
	is($groups_of->($_->[0]), $_->[1], "$_->[0]: $_->[1]") for ['anonymous', 'demo'],
	    ['stranger', 'demo inner'], ['keeper', 'demo inner lone'], ['admin', 'demo hidden/deep inner lone'];
	is(faults(get('/-/', 'admin')->{body}), '', 'sound');
	for my $n (10 .. 25) {
		$t->project("many$n/p", 'public');
		$t->berth_ok('group', 'set', "many$n", "default_project=many$n/p");
	}
	is($groups_of->('stranger'), join(' ', 'demo', 'inner', map { "many$_" } 10 .. 19), 'twelve by path');
	like(get('/-/', 'stranger')->{body}, qr/There are more groups\./, '  and the page says so');
	$t->berth_ok('group', 'set', $_, 'default_project=', 'registry_projects=')
	    for sort(keys %project), map { "many$_" } 10 .. 25;
};

subtest 'many projects' => sub {
	my $group = $t->group('crowd');
	my $listed = sub {
		return get($_[0], 'stranger')->{body} =~ m{class="name"><a href="/-/projects/([^"]+)"}g;
	};

	$t->psql('INSERT INTO projects (group_id, path, full_path, visibility)'
	    . " SELECT $group, 'p' || n, 'crowd/p' || n,"
	    . " CASE n % 2 WHEN 0 THEN 'public' ELSE 'private' END FROM generate_series(1001, 1300) n");
	my @first = $listed->('/-/projects');
	my @second = $listed->('/-/projects?page=2');
	is(scalar @first, 100, 'a page of them');
	is_deeply([@first, @second], [sort { lc $a cmp lc $b } @first, @second], 'by path');
	is(scalar(grep { m{^crowd/p\d+[02468]$} } @first, @second), 150, 'all that are public, once');
	is(scalar(grep { m{^crowd/p\d+[13579]$} } @first, @second), 0, 'and none that is private');
	my $page = get('/-/projects?page=2', 'stranger')->{body};
	like($page, qr{<a rel="prev" href="/-/projects\?page=1">}, 'back');
	is(faults($page), '', 'sound');
	like(get('/-/projects?page=9', 'stranger')->{body}, qr/There is no page 9\./, 'a page too many');
	like(get('/-/', 'stranger')->{body}, qr{<a href="/-/projects">All projects</a>},
	    'the front page leads there');
	$t->psql("DELETE FROM projects WHERE group_id = $group");
};

# ---- with a browser ----

SKIP: {
	my $why = Berth::Browser::missing();
	skip $why, 1 if $why;
	my $b = Berth::Browser->start($t->dir, javascript => 0);

	$b->resize(320, 800);
	$b->go($t->url . '/');
	is($b->url, $t->url . '/-/', 'the front page');
	is($b->role('main'), 'main', 'has a main part');
	is($b->label('#q'), 'Search crates', 'the search has a label');
	$b->type('#q', 'abcd');
	$b->click('.search button');
	$b->await('.crates');
	is($b->url, $t->url . '/-/search?q=abcd', 'finds');
	$b->click('.crates li a');
	$b->await('#versions');
	like($b->url, qr{/-/projects/demo/[^/]+/-/crates/abcd-}, 'and leads to a crate');
	$b->click('#versions + .scroll a');
	$b->await('.long');
	like($b->text('.long dd'), qr/^[0-9a-f]{64}$/, 'and to its version');
	$b->go($t->url . '/-/sign-in');
	$b->type('#code', (split(/\n/, $t->berth_ok('user', 'link', 'owner')))[1]);
	$b->click('button.main');
	$b->await('input[name=confirm] + button');
	$b->click('input[name=confirm] + button');
	$b->await('#name');
	my ($name, $pre, $inner) = ('n' x 64, '1.0.0-' . 'x' x 140, 'src/' . 'f' x 90 . '.rs');
	my $place = $t->project('demo/' . 'p' x 200);
	for my $version ('0.9.0', $pre) {
		my $res = $t->publish($place, $token, $name, $version, files => { $inner => "// $version\n" });

		is($res->{status}, 200, 'a crate of long words is published') or diag($res->{body});
	}
	my $deep = join('', map { '  ' x $_ . "- x\n" } 0 .. 25) . '> ' x 20 . "x\n";
	$t->psql("UPDATE versions SET description = repeat('W', 255), readme = '$deep',"
	    . " homepage = 'https://x.example/' || repeat('u', 230) WHERE project_id = $place");
	$t->psql("UPDATE users SET name = repeat('N', 255) WHERE username = 'owner'");
	$t->update_search;
	my $wide = '/-/projects/demo/' . 'p' x 200;
	my $crate = "$wide/-/crates/$name";
	my @long = ($wide, $crate, "$crate/$pre", "$crate/$pre/source", "$crate/$pre/source/$inner",
	    "$crate/diff/0.9.0..$pre", "/-/search?q=$name", '/-/search?q=' . 'Z' x 200,
	    '/-/search?license=' . 'L' x 100, "$wide/-/crates/" . 'N' x 64);
	for my $path (@all, @long, "$root/rich", "$root/rich/1.0.0", "$root/rich/diff/1.0.0..3.0.0",
	    '/-/groups/demo') {
		$b->go($t->url . $path);
		cmp_ok($b->property('html', 'scrollWidth'), '<=', 320, substr($path, 0, 80) . ': fits into 320 pixels');
	}
	# no list scrolls within the page of a phone, and a wide one scrolls to the side
	$b->resize(360, 800);
	for my $path ("$root/rich", "$root/rich/1.0.0") {
		$b->go($t->url . $path);
		my ($whole, $seen) = map { my $name = $_; [map { $_->{$name} } @{ $b->script(<<'JS') }] } qw(whole seen);
arguments[arguments.length - 1]([...document.querySelectorAll('.scroll')]
    .map((e) => ({ whole: e.scrollHeight, seen: e.clientHeight })));
JS
		is_deeply($seen, $whole, "$path: all rows are in sight on a phone");
	}
	$b->shot("$ENV{BERTH_SHOTS}/version.png") if $ENV{BERTH_SHOTS};
	$b->resize(320, 800);
	$b->go($t->url . $crate);
	is($b->css('.lead', 'unicode-bidi'), 'plaintext', 'a text has the direction of its script');
	# keys alone lead past the header, into each list and table in its order, and along a link
	for my $path ('/-/', "$root/rich", "$root/rich/1.0.0") {
		$b->go($t->url . $path);
		$b->press("\x{e004}");
		is($b->text(':focus'), 'Skip to the content', "$path: the first key leads past the header");
		$b->press("\x{e007}");
		$b->await('main:target');
		my $closed = 'details:not([open]) > :not(summary)';
		my @want = $b->all("main :is(a, input, button, summary, [tabindex]):not($closed, $closed *)");
		my @found = map { $b->press("\x{e004}"); $b->one(':focus') } @want;
		is_deeply(\@found, \@want, '  and the next ones to all that one can use, in its order');
		is($b->css(':focus', 'outline-style'), 'solid', '  which is seen');
	}
	# each visibility and each kind of page for each role, as the table of access has it; all of them are above
	my %kinds = (pub => ['', '/diff/1.0.0..1.0.0'], int => ['/1.0.0', '/1.0.0/source'],
	    priv => ['', '/1.0.0/source/Cargo.toml']);
	for my $who ('anonymous', @roles, 'admin') {
		my @bad;
		my $look = sub {
			my ($path) = @_;

			$b->go($t->url . $path);
			my $html = $b->source;
			my ($h1) = $html =~ m{<h1>([^<]*)};
			push @bad, "$path: not as $who" if $who eq 'anonymous' ? $html =~ /Signed in as/
			    : $html !~ /Signed in as <strong>\Q$who\E</;
			return ($h1 // '', $html);
		};

		$b->become($t->url, $cookie{$who});
		for my $path ('/-/', '/-/search?q=abcd', '/-/groups/demo', '/-/tokens') {
			my ($h1) = $look->($path);

			push @bad, "$path: $h1" if $h1 =~ /Not Found|Forbidden|^$/;
		}
		for my $place (sort keys %kinds) {
			my $project = "/-/projects/demo/$place";
			my ($h1, $html) = $look->($project);
			my $cell = $h1 =~ /^Not Found/ ? '4' : shown({ status => 200, body => $html }, "abcd-$place");

			push @bad, "$project: $cell" if $cell ne cell_of($who, $place);
			for my $page (@{ $kinds{$place} }) {
				my $want = { 200 => qr/abcd-$place|Cargo\.toml/, 403 => qr/^Forbidden/, 404 => qr/^Not Found/ }
				    ->{ status_of($who, $place) };

				($h1) = $look->("$project/-/crates/abcd-$place$page");
				push @bad, "$project $page: $h1" if $h1 !~ $want;
			}
		}
		is(join("\n", @bad), '', "$who: every kind of page in a browser");
	}
	is(join("\n", grep { /Content Security Policy|Refused/ } $b->complaints), '',
	    'nothing is against the policy');
	$b->stop;
}

done_testing();
