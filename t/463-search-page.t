#!/usr/bin/perl

# The search page narrowed by project, keyword, licence, Rust and yanked versions, for callers with
# different rights.
# Crates that depend on a crate of another project, and links to them.  Errors as pages, and addresses with a
# slash too many.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Berth::Crate;
use Berth::Routes;
use Berth::Test;

my $t = Berth::Test->new(workers => 2, failed_login_burst => 0, publish_burst => 0, new_crate_burst => 0);
my %id = (pub => $t->project('demo/pub', 'public'), priv => $t->project('demo/priv', 'private'),
    far => $t->project('far/away', 'private'));
$t->user($_) for qw(owner stranger keeper);
for my $place (qw(demo far)) {
	$t->member($_, $place, 'owner') for qw(owner keeper);
}
my $token = $t->token('owner');
my %cookie = map { $_ => $t->sign_in($_) } qw(owner stranger);

sub get {
	my ($path, $who, @headers) = @_;

	return $t->http(GET => $path, { headers => [defined $who ? "Cookie: $cookie{$who}" : (), @headers] });
}

# options: license, rust, keywords, deps => [[NAME, REQ, PLACE]...]
sub publish {
	my ($place, $name, $version, %opt) = @_;
	my @keywords = @{ $opt{keywords} // [] };
	my $index = sub { return 'sparse+' . $t->url . $t->registry($id{ $_[0] }) . '/'; };
	my $manifest = Berth::Crate::manifest($name, $version)
	    =~ s/^license = \K.*/'"' . ($opt{license} \/\/ 'MIT') . '"'/mer
	    =~ s/^\[package\]\n\K/$opt{rust} ? qq(rust-version = "$opt{rust}"\n) : ''/mer
	    =~ s/^\[package\]\n\K/'keywords = [' . join(', ', map { qq("$_") } @keywords) . "]\n"/mer;
	my @deps;

	for my $dep (@{ $opt{deps} // [] }) {
		my ($on, $req, $where) = @$dep;

		$manifest .= qq([dependencies.$on]\nversion = "$req"\nregistry-index = "@{[$index->($where)]}"\n);
		push @deps, { name => $on, version_req => $req, features => [], optional => JSON::PP::false,
			default_features => JSON::PP::true, target => undef, kind => 'normal', explicit_name_in_toml => undef,
			registry => $where eq $place ? undef : $index->($where) };
	}
	my $res = $t->publish($id{$place}, $token, $name, $version, manifest => $manifest,
	    metadata => { license => $opt{license} // 'MIT', keywords => \@keywords, rust_version => $opt{rust},
		deps => \@deps });

	is($res->{status}, 200, "$name $version in $place") or diag($res->{body});
	return;
}

# ---- the search narrowed ----

publish('pub', 'item-a', '1.0.0', license => 'MIT', rust => '1.60', keywords => ['Gold', 'red']);
publish('pub', 'item-b', '1.0.0', license => 'MIT OR Apache-2.0', rust => '1.70.1', keywords => ['gold']);
publish('pub', 'item-b', '1.1.0', license => 'MIT OR Apache-2.0', rust => '1.70.1', keywords => ['gold']);
publish('pub', 'item-c', '1.0.0', license => 'MIT');
publish('priv', 'item-d', '1.0.0', license => 'Zlib', rust => '1.80', keywords => ['secret']);
$t->berth_ok('yank', 'demo/pub', $_) for 'item-b@1.0.0', 'item-c@1.0.0';
$t->update_search;

sub crates_of { return join(' ', sort map { s/^item-//r } $_[0] =~ /class="crate"[^>]*>([^<]+)</g); }

# title => { label => number }
sub facets {
	my ($body) = @_;
	my %found;

	while ($body =~ m{<ul class="facets" aria-label="([^"]+)">(.*?)</ul>}gs) {
		my ($title, $list) = ($1, $2);

		my %choices = $list =~ m{<a href="[^"]*">([^<]*)</a> <span class="dim">(\d+)</span>}g;
		$found{$title} = \%choices;
	}
	return \%found;
}

{
	my $body = get('/-/search?q=item', 'owner')->{body};

	is(crates_of($body), 'a b c d', 'all that the owner may read');
	is_deeply(facets($body), {
		Project => { 'demo/pub' => 3, 'demo/priv' => 1 },
		Keyword => { gold => 2, red => 1, secret => 1 },
		Licence => { MIT => 3, 'Apache-2.0' => 1, Zlib => 1 },
		Rust => { '1.80 or earlier' => 3, '1.70.1 or earlier' => 2, '1.60 or earlier' => 1 },
		'Yanked versions' => { some => 2, all => 1 },
	}, 'and by what it can be narrowed');
	my $other = get('/-/search?q=item', 'stranger')->{body};
	is(crates_of($other), 'a b c', 'others see less');
	is_deeply(facets($other), {
		Keyword => { gold => 2, red => 1 },
		Licence => { MIT => 3, 'Apache-2.0' => 1 },
		Rust => { '1.70.1 or earlier' => 2, '1.60 or earlier' => 1 },
		'Yanked versions' => { some => 2, all => 1 },
	}, 'and count no more');
	unlike($other, qr/Zlib|secret|priv|1\.80/, 'nor hear of it');
}
# a version has its marks wherever it is listed
{
	my $row = qr{class="crate"[^>]*>item-(\w)</a> <span class="version">(?:<a [^>]*>)?([^<]+)(?:</a>)?</span>};
	my $mark = qr{( <span class="badge bad">\w+</span>)};

	$t->psql("UPDATE versions v SET status = 'deprecated' FROM crates c WHERE c.id = v.crate_id"
	    . " AND c.name IN ('item-a', 'item-c')");
	for my $path ((map { "/-/search?$_" } qw(q=item project=demo/pub)), '/-/projects/demo/pub') {
		my @marked = get($path, 'owner')->{body} =~ /$row$mark$mark?/g;

		is(join(' ', map { s/<[^>]+>//gr } grep { defined } @marked),
		    'a 1.0.0  deprecated c 1.0.0  yanked  deprecated', "$path: all marks of the version that is shown");
	}
	my ($new) = get('/-/', 'owner')->{body} =~ m{<h2 id="new">(.*?)</section>}s;
	is(join(' ', map { s/<[^>]+>//gr } grep { defined } $new =~ /$row$mark?$mark?/g),
	    'd 1.0.0 c 1.0.0  yanked  deprecated b 1.1.0 b 1.0.0  yanked a 1.0.0  deprecated',
	    'a new version also if it is deprecated');
	$t->psql("UPDATE versions SET status = 'default' WHERE status = 'deprecated'");
}
# the page of each link has the number of crates that the link says
for my $who ('owner', 'stranger') {
	my $body = get('/-/search?q=item', $who)->{body};
	my @links = $body =~ m{<li><a href="(/-/search\?[^"]+)">[^<]*</a> <span class="dim">(\d+)</span>}g;

	ok(@links > 0, "$who: there are links");
	while (my ($href, $number) = splice(@links, 0, 2)) {
		my $there = get($href =~ s/&amp;/&/gr, $who)->{body};

		is(scalar(split / /, crates_of($there)), $number, "$who: $href");
		like($there, qr{<li><strong>[^<]+</strong> <a href="/-/search\?q=item">any</a>}, '  and back');
	}
}
# the same without words
for my $who ('owner', 'stranger') {
	my $body = get('/-/search?project=demo/pub', $who)->{body};
	my @links = $body =~ m{<li><a href="(/-/search\?[^"]+)">[^<]*</a> <span class="dim">(\d+)</span>}g;

	is(crates_of($body), 'a b c', "$who: all crates of a project");
	like($body, qr{<p role="status">3 crates match your filters\.}, '  says how many');
	ok(@links > 0, '  offers filters');
	while (my ($href, $number) = splice(@links, 0, 2)) {
		is(scalar(split / /, crates_of(get($href =~ s/&amp;/&/gr, $who)->{body})), $number, "  $href");
	}
}
my %want = (
	'keyword=gold' => 'a b', 'keyword=GOLD' => 'a b', 'license=MIT' => 'a b c', 'license=mit' => 'a b c',
	'license=Apache-2.0' => 'b', 'license=Apache' => '', 'license=2.0' => '',
	'license=MIT%20OR%20Apache-2.0' => 'b', 'rust=1.70' => 'a', 'rust=1.70.1' => 'a b', 'rust=2' => 'a b d',
	'yanked=some' => 'b c', 'yanked=all' => 'c', 'keyword=gold&license=MIT' => 'a b', 'project=demo/priv' => 'd',
	'keyword=secret&project=demo/pub' => '', 'license=%27%3B--' => '', 'keyword=' . '%3Cb%3E' => '',
	'rust=&yanked=&license=' => 'a b c d',
);
for my $narrow (sort keys %want) {
	my $res = get("/-/search?q=item&$narrow", 'owner');

	is($res->{status}, 200, $narrow);
	is(crates_of($res->{body}), $want{$narrow}, '  finds');
	unlike($res->{body}, qr/<b>/, '  with nothing as markup');
}
my %list = (
	'keyword=Gold' => 'a b', 'keyword=secret' => 'd', 'license=MIT' => 'a b c', 'license=Zlib' => 'd',
	'license=Apache-2.0' => 'b', 'license=MIT%20OR%20Apache-2.0' => 'b',
	'license=apache-2.0' => 'b', 'license=MIT%20or%20APACHE-2.0' => 'b',
	'rust=1.70' => 'a', 'yanked=some' => 'b c', 'yanked=all' => 'c', 'keyword=gold&license=MIT' => 'a b',
	'license=MIT&yanked=all' => 'c', 'rust=2&yanked=some' => 'b', 'project=demo/priv' => 'd',
	'project=DEMO/pub&license=MIT' => 'a b c', 'project=demo/none' => '', 'keyword=%3A*' => '',
	'license=%25' => '', 'q=%20&keyword=red' => 'a',
);
for my $narrow (sort keys %list) {
	my $res = get("/-/search?$narrow", 'owner');

	is("$res->{status} " . crates_of($res->{body}), "200 $list{$narrow}", "without words: $narrow");
	is(crates_of(get("/-/search?$narrow", 'stranger')->{body}), $list{$narrow} =~ s/ ?d//r, '  less for others');
}
for my $nothing ('', '?q=', '?q=%2B&license=') {
	my $body = get("/-/search$nothing", 'owner')->{body};

	like($body, qr{<p>Type a part of a crate’s name}, "/-/search$nothing: what to do");
	unlike($body, qr/class="crate"|class="facets"/, '  and nothing else');
}
{
	my $body = get('/-/projects/demo/pub/-/crates/item-a')->{body};
	my @links = map { s/&amp;/&/gr } $body =~ m{<a href="(/-/search\?[^"]+)"}g;

	is_deeply([map { crates_of(get($_)->{body}) } @links], ['a b c', 'a b', 'a'],
	    'licence and keywords of a crate lead to all crates that have them');
}

# ---- crates of projects that are switched off do not count ----

{
	my $cargo = 'package_registry_cargo_support';
	my $counted = sub {
		my $body = get("/-/search?$_[0]", 'owner')->{body};

		return join(' ', crates_of($body), $body =~ m{<p role="status">(\d+) },
		    'Zlib=' . (facets($body)->{Licence}{Zlib} // 0));
	};

	is($counted->('q=item'), 'a b c d 4 Zlib=1', 'with all projects on');
	$t->berth_ok(qw(flag set), $cargo, qw(off --project demo/priv));
	is($counted->('q=item'), 'a b c 3 Zlib=0', 'a project that is off is not counted');
	like(get('/-/search?project=demo/priv', 'owner')->{body},
	    qr/No crate that you may see matches your filters\./, 'nor listed');
	unlike(get('/-/', 'owner')->{body}, qr/item-d/, 'nor on the front page');
	$t->berth_ok(qw(flag set), $cargo, 'off');
	$t->berth_ok(qw(flag set), $cargo, qw(on --project demo/priv));
	is($counted->('q=item'), 'd 1 Zlib=0', 'a project that is on is counted while all others are off');
	$t->psql('DELETE FROM feature_flags WHERE project_id IS NOT NULL');
	for my $percentage (0, 20, 40, 60, 80, 100) {
		$t->berth_ok(qw(flag set), $cargo, "$percentage%");
		my ($shown, $total) = $counted->('q=item') =~ /^((?:[a-d] ?)*) (\d+) / ? ($1, $2) : ('', 0);
		is($total, scalar(split / /, $shown), "$percentage% of all projects: counts as many as it shows");
		is($shown =~ /d/ ? 200 : 404, get('/-/projects/demo/priv/-/crates/item-d', 'owner')->{status},
		    '  shows crates that have a page');
	}
	$t->psql('DELETE FROM feature_flags');
	is($counted->('q=item'), 'a b c d 4 Zlib=1', 'and as before');
}
is(get("/-/search?q=item&$_")->{status}, 400, "$_: is refused")
    for qw(rust=x rust=1. rust=1.2.3.4 rust=-1 rust=1..2 rust=9999 yanked=x);
is(crates_of(get('/-/search?q=item&keyword=secret', 'stranger')->{body}), '',
    'nothing that one may not read');
$t->berth_ok('unyank', 'demo/pub', 'item-c@1.0.0');
$t->update_search;
is(crates_of(get('/-/search?q=item&yanked=all', 'owner')->{body}), '', 'it follows what is put back');
$t->psql("UPDATE crate_search SET yanked = NULL, license = NULL WHERE name = 'item-a'");
$t->run_tasks('weigh_crates');
$t->update_search;
is(crates_of(get('/-/search?q=item&license=MIT', 'owner')->{body}), 'a b c',
    'what an older program left out is made up for');
{
	$t->psql(<<"SQL");
INSERT INTO crates (project_id, name, normalized_name)
SELECT $id{pub}, 'many-' || n, 'many-' || n FROM generate_series(1, 50) n;
INSERT INTO crate_search (crate_id, project_id, name, normalized_name, max_version, document, license, yanked)
SELECT id, project_id, name, normalized_name, '1.0.0', search_document(normalized_name, '{}', ''),
       CASE WHEN normalized_name LIKE '%1' THEN 'Zlib' ELSE 'MIT' END, 0
  FROM crates WHERE project_id = $id{pub} AND name LIKE 'many-%';
SQL
	my ($next, @seen) = '/-/search?q=many&license=MIT';

	while (defined $next) {
		my $body = get($next)->{body};

		push @seen, $body =~ /class="crate"[^>]*>([^<]+)</g;
		($next) = map { s/&amp;/&/gr } $body =~ /rel="next" href="([^"]+)"/;
	}
	is(scalar @seen, 45, 'pages go on in what it is narrowed to');
	is(scalar(grep { /1$/ } @seen), 0, '  and nothing else');
}

# ---- words that are too short to be found inside names ----

{
	my $hint = qr/Fewer than three letters match only the beginning of a name\./;

	is(crates_of(get('/-/search?q=it')->{body}), 'a b c', 'two letters that begin names');
	unlike(get('/-/search?q=it')->{body}, $hint, '  need no hint');
	is(crates_of(get('/-/search?q=em')->{body}), '', 'two letters inside names');
	like(get('/-/search?q=em')->{body}, $hint, '  the page says why it finds nothing');
	unlike(get('/-/search?q=emx')->{body}, $hint, 'three letters');
}

# ---- names with a wrong letter ----

for my $slip ('itme-a', 'iten-a', 'itm-a', 'itemm-a', 'Iten_a') {
	my $body = get("/-/search?q=$slip")->{body};

	is(crates_of($body), 'a', "$slip: finds the similar name");
	like($body, qr{matches “$slip”\.\s+Did you mean this one\?</p>}, '  asks whether you mean it');
}
like(get('/-/search?q=tmie-d', 'owner')->{body}, qr{No crate[^<]*“tmie-d”\.</p>}, 'two letters are too many');
is(crates_of(get('/-/search?q=iten-d', 'owner')->{body}), 'd', 'a member also finds a private crate');
is(crates_of(get('/-/search?q=iten-d', 'stranger')->{body}), '', '  and nobody else');
is(crates_of(get('/-/search?q=iten-a&license=MIT')->{body}), '', 'not where filters are');

is(get('/-/search?q=' . 'x' x $_)->{status}, $_ > 255 ? 400 : 200, "$_ letters") for 255, 256;

# ---- more names than a search looks at ----

# inserted before the exact name, so a scan reads these first
$t->psql("INSERT INTO crates (project_id, name, normalized_name)"
    . " SELECT $id{pub}, 'a' || n || '-zinc', 'a' || n || '-zinc' FROM generate_series(1, 1500) n");
$t->update_search;
$t->psql("INSERT INTO crate_search (crate_id, project_id, name, normalized_name, document, max_version)"
    . " SELECT id, project_id, name, normalized_name, search_document(normalized_name, '{}', ''), '1.0.0'"
    . " FROM crates WHERE name LIKE 'a%-zinc'");
publish('pub', 'zinc', '1.0.0');
$t->update_search;
like(get('/-/search?q=zinc')->{body}, qr/class="crate"[^>]*>zinc</, 'the exact name is among them');
is((get('/-/search?q=zinc')->{body} =~ /class="crate"[^>]*>([^<]+)</)[0], 'zinc', 'and is the first');
like(get('/-/search?q=zinc')->{body}, qr{<p role="status">At least 401 crates match “zinc”\.},
    'and there may be more');
$t->psql("DELETE FROM crates WHERE name LIKE 'a%-zinc'");

# what a licence of a crate names, and how many of them a search counts
{
	my %text = (e => 'MIT/Apache-2.0', f => 'MIT / Zlib', g => '(MIT OR Apache-2.0) AND Unicode-DFS-2016',
		h => 'Apache-2.0 WITH LLVM-exception', i => 'MIT License', j => 'GPL-2.0+', k => 'See LICENSE (ours)',
		l => 'mit OR zlib');
	my %count = (MIT => '5 e f g i l', 'Apache-2.0' => '3 e g h', Zlib => '2 f l', 'Unicode-DFS-2016' => '1 g',
		'MIT License' => '1 i', 'GPL-2.0+' => '1 j', 'See LICENSE (ours)' => '1 k');

	publish('pub', "text-$_", '1.0.0', license => $text{$_}) for sort keys %text;
	$t->update_search;
	my $listed = sub {
		my $body = get('/-/search?q=text&license=' . $_[0] =~ s/([^\w.-])/sprintf('%%%02X', ord $1)/ger)->{body};

		return map { s/^text-//r } sort($body =~ /class="crate"[^>]*>([^<]+)</g);
	};
	my $found = facets(get('/-/search?q=text')->{body})->{Licence};
	is_deeply({ map { ($_ => join(' ', $found->{$_}, $listed->($_))) } keys %$found }, \%count,
	    'each, and what its link lists');
	like(get('/-/search?q=text&license=LLVM-exception')->{body}, qr/>text-h</, 'an exception by its name');
	$t->berth_ok('delete', 'demo/pub', "text-$_") for sort keys %text;
	$t->update_search;
}

# ---- across projects ----

publish('pub', 'base', '1.2.0');
publish('pub', 'near', '1.0.0', deps => [['base', '^1', 'pub']]);
publish('priv', 'base', '9.0.0');
publish('priv', 'Uses_Base', '1.0.0', deps => [['base', '^1.2', 'pub']]);
publish('priv', 'Uses_Base', '1.1.0', deps => [['base', '^1.3', 'pub']]);
publish('priv', 'own', '1.0.0', deps => [['base', '^9', 'priv']]);
publish('far', 'hidden', '1.0.0', deps => [['base', '=1.2.0', 'pub'], ['own', '^1', 'priv']]);
$t->update_search;

# Rows of the crates that depend on it: name, project, newest version, requirement, whether this version
# matches.
sub users {
	my ($body) = @_;
	my ($table) = $body =~ m{<h2 id="dependents">(.*?)<h2}s;

	return [map { [m{<td><a\ [^>]*>([^<]*)</a>(?:<br><small>in\ <a[^>]*>([^<]*)</a></small>)?</td>
	    <td>([^<]*)</td><td>([^<]*)</td><td>([^<]*)<}x] }
	    $table =~ m{<tr>(<td>.*?)</tr>}gs];
}

my $base = '/-/projects/demo/pub/-/crates/base';
is_deeply(users(get($base)->{body}), [['near', undef, '1.0.0', '^1', 'yes']], 'nobody sees what is public');
is_deeply(users(get($base, 'stranger')->{body}), users(get($base)->{body}), 'so does a stranger');
is_deeply(users(get($base, 'owner')->{body}), [['near', undef, '1.0.0', '^1', 'yes'],
	['hidden', 'far/away', '1.0.0', '=1.2.0', 'yes'], ['Uses_Base', 'demo/priv', '1.1.0', '^1.3', 'no']],
    'who may read more sees more: first of the same project, and of each crate the newest');
is_deeply(users(get('/-/projects/demo/priv/-/crates/base', 'owner')->{body}),
    [['own', undef, '1.0.0', '^9', 'yes']], 'a crate of the same name elsewhere has its own');
$t->berth_ok(qw(member set owner far none));
is_deeply([map { $_->[0] } @{ users(get($base, 'owner')->{body}) }], ['near', 'Uses_Base'],
    'a right that is lost is lost');
$t->member('owner', 'far', 'guest');
is_deeply([map { $_->[0] } @{ users(get($base, 'owner')->{body}) }], ['near', 'Uses_Base'],
    'a guest of a private project does not read its crates');
$t->member('owner', 'far', 'owner');
{
	my $body = get('/-/projects/far/away/-/crates/hidden', 'owner')->{body};
	my %link = map { $_ => qq(<a href="/-/projects/$_">$_</a>) } qw(demo/pub demo/priv);

	like($body, qr{<a href="\Q$base\E">base</a></td>\s*<td>=1\.2\.0</td>.*?<td>\Q$link{'demo/pub'}\E</td>}s,
	    'a dependency of another project is a link');
	like($body, qr{\Q$link{'demo/priv'}\E}, 'to whatever one may read');
	$t->berth_ok(qw(member set owner demo none));
	$t->berth_ok(qw(project set demo/pub visibility=internal));
	my $less = get('/-/projects/far/away/-/crates/hidden', 'owner')->{body};
	like($less, qr{\Q$link{'demo/pub'}\E}, 'what is internal as well');
	unlike($less, qr{demo/priv}, 'but nothing of what one may not read');
	like($less, qr{<td>own</td>.*?<td>project $id{priv}</td>}s, '  than what the crate says itself');
}

# ---- a crate that many use ----

$t->berth_ok(qw(project set demo/pub visibility=public));
$t->member('owner', 'demo', 'owner');
# writes rows as a program does that does not know the columns crate_id and project_id
sub depend {
	my ($place, $prefix, $crates, $versions, $on, $registry) = @_;
	my $where = "FROM crates WHERE project_id = $id{$place} AND name LIKE '$prefix-%'";

	$t->psql(<<"SQL");
INSERT INTO crates (project_id, name, normalized_name)
SELECT $id{$place}, '$prefix-' || n, '$prefix-' || n FROM generate_series(1, $crates) n;
INSERT INTO versions (crate_id, project_id, version, version_base, index_line, cksum, size, published_at)
SELECT id, project_id, n || '.0.0', n || '.0.0', '{}', (SELECT sha256 FROM blobs LIMIT 1), 1, now()
  FROM (SELECT * $where) c CROSS JOIN generate_series(1, $versions) n ORDER BY n;
INSERT INTO dependencies (version_id, name, normalized_name, req, kind, optional, default_features, registry)
SELECT v.id, '$on', '$on', '^' || v.version, k.kind, false, true, $registry
  FROM (SELECT * $where) c JOIN versions v ON v.crate_id = c.id
 CROSS JOIN (VALUES ('dev'), ('normal'), ('build')) k (kind)
SQL
	return;
}

sub table_of { return join(' ', map { join('/', grep { defined } @{$_}[0, 2, 3]) } @{ users($_[0]) }); }

my $url = "'sparse+" . $t->url . $t->registry($id{pub}) . "/'";
publish('pub', 'star', '1.0.0');
depend('pub', 'plain', 3, 20, 'star', 'NULL');
depend('pub', 'elsewhere', 2, 2, 'star', "'https://github.com/rust-lang/crates.io-index'");
depend('priv', 'hidden', 2, 3, 'star', $url);
depend('priv', 'own', 2, 2, 'star', 'NULL');
depend('far', 'more', 2, 2, 'star', $url);
$t->psql("UPDATE versions SET status = 'hidden' WHERE version = '20.0.0' AND crate_id ="
    . " (SELECT id FROM crates WHERE name = 'plain-2')");
my $star = '/-/projects/demo/pub/-/crates/star';
my $plain = 'plain-1/20.0.0/^20.0.0 plain-2/19.0.0/^19.0.0 plain-3/20.0.0/^20.0.0';
is(table_of(get($star, 'stranger')->{body}), $plain, 'each crate once, by its newest version that is listed');
is(table_of(get($star, 'owner')->{body}),
    "$plain hidden-1/3.0.0/^3.0.0 hidden-2/3.0.0/^3.0.0 more-1/2.0.0/^2.0.0 more-2/2.0.0/^2.0.0",
    'and those of other projects that one may read');
$t->berth_ok(qw(member set owner far none));
my $hidden = 'hidden-1/3.0.0/^3.0.0 hidden-2/3.0.0/^3.0.0';
is(table_of(get($star, 'owner')->{body}), "$plain $hidden", '  no others');
is((get($star)->{body} =~ m{<td>\^20\.0\.0</td><td>no</td><td>(\w+)<})[0], 'normal',
    'of several kinds the one that it needs to run');
depend('pub', 'crowd', 120, 1, 'star', 'NULL');
{
	my $body = get($star, 'owner')->{body};

	is(scalar @{ users($body) }, 50, 'of many, some');
	like($body, qr/These are 50 of them\./, '  and so it says');
}
$t->psql("DELETE FROM dependencies WHERE project_id = $id{pub} AND name = 'star' AND registry IS NULL");
is(table_of(get($star, 'owner')->{body}), $hidden, 'none of its own');
depend('far', 'crowd', 1100, 1, 'star', $url);
is(scalar @{ users(get($star, 'owner')->{body}) }, 2, 'what one may not read does not hide the rest');
is($t->psql('SELECT count(*) FROM dependencies d JOIN versions v ON v.id = d.version_id'
    . ' WHERE (d.crate_id, d.project_id) <> (v.crate_id, v.project_id)'), 0, 'all say whose they are');

# ---- errors ----

my @html = 'Accept: text/html,application/xhtml+xml,*/*;q=0.8';
for my $path ('/-/none', '/-/groups', '/-/tokens/1/revoke', '/-/projects/demo/priv/-/none') {
	my ($text, $page) = (get($path), get($path, undef, @html));

	is($text->{headers}{'content-type'}, 'text/plain; charset=utf-8', "$path: one sentence for programs");
	is($page->{status}, $text->{status}, '  the same status');
	is($page->{headers}{'content-type'}, 'text/html; charset=utf-8', '  and a page for browsers');
	like($page->{body}, qr{<h1>$page->{status}|<h1>[A-Z]}, '  with a heading');
	like($page->{headers}{'content-security-policy'}, qr/^default-src 'none'/, '  that does nothing');
	is($page->{headers}{'cache-control'}, 'private, no-store', '  and is not kept');
	is($page->{headers}{allow}, $text->{headers}{allow}, '  and has the same headers');
}
{
	my $page = get('/-/none', undef, @html)->{body};
	my $link = qr{<a rel="nofollow" href="/-/tokens\?to=%2F-%2Fnone">};
	like($page, qr{<form class="search".*${link}Sign in</a>}s, 'with a way to sign in');
	like($page, qr{<p>There is no such page, or you must ${link}sign in</a> to see it\.}, '  and why one might');
	my $mine = get('/-/none', 'owner', @html);
	like($mine->{body}, qr{Signed in as <strong>owner<}, '  unless one is signed in');
	is($mine->{headers}{'set-cookie'}, undef, '  without a new cookie');
}
is($t->http(GET => '/api/v4/none', { headers => \@html })->{headers}{'content-type'}, 'application/json',
    'the API speaks JSON to browsers, too');

# ---- the mark of a crate that is used most ----

publish('pub', 'most', '1.0.0');
$t->berth_ok('yank', 'demo/pub', 'most@1.0.0');
$t->update_search;
$t->psql("UPDATE crate_search SET weight = 1000 WHERE name = 'most'");
{
	my ($used) = get('/-/')->{body} =~ m{<h2 id="used">(.*?)</section>}s;

	like($used, qr{>most</a> <span class="version">1\.0\.0</span> <span class="badge bad">yanked</span>},
	    'a crate that is used most and yanked is marked');
}

# ---- an end that is too much: a slash, a list without a page of its own ----

{
	my @pages = map { Berth::Routes::path($_, path => 'demo/none') } grep {
		$_->{name} =~ /^(?:page_|token_page$|sign_in_page$)/ && $_->{pattern} !~ m{/$}
	} Berth::Routes::all();
	my $priv = '/-/projects/demo/priv';
	# method, address, and where it leads, or the status without a redirect
	my @table = (
		(map { my $page = $_; map { [$_ => "$page/", $page] } qw(GET HEAD) } @pages),
		(map { [GET => "$_/", $_] } '/-/projects/demo/pub', $priv, "$priv/-/crates/item-d", '/-/projects',
		    '/-/projects/demo/pub/-/feed.atom', '/-/projects/https:%2Fevil.example', '/%2D/search'),
		(map { [$_ => '/-', '/-/'] } qw(GET HEAD)), [GET => '/-?x=%2F', '/-/?x=%2F'], [POST => '/-', 404],
		[GET => '/api/v4', 404],
		[GET => '/-/search/?q=item&x=%2F%2F', '/-/search?q=item&x=%2F%2F'], [GET => '/-/search/?', '/-/search'],
		[GET => "/-/search/?q=\xc3\xa9\xff'<\"", "/-/search?q=%C3%A9%FF'%3C%22"],
		[GET => '/-/search/?q=' . "\xff" x 8000, '/-/search?q=' . '%FF' x 8000],
		(map { [$_ => "$priv/-/crates", $priv] } qw(GET HEAD)), [GET => "$priv/-/crates?page=2", "$priv?page=2"],
		[GET => '/-/projects/a/b/c/-/crates', '/-/projects/a/b/c'], [POST => "$priv/-/crates", 404],
		(map { [GET => $_, 404] } '/-/projects/-/crates', '/-/groups/demo/-/crates', '/-/crates', '/x/-/crates'),
		(map { [GET => $_, 400] } '/-/search//', '/-//search/', '//-/search/', '/-/./search/', '/-//evil.example/',
		    '/-/search/%2e%2e/', '/-/projects/https:%2F%2Fevil.example/', '/-/groups/%0d%0aX-Evil:1/',
		    '/-/search/\\evil.example/'),
		(map { [GET => $_, 404] } '/-/none/', '/-/style.css/', '/-/liveness/', '/-/berth/error/', '/search/',
		    "/api/v4/projects/$id{pub}/", "/api/v4/projects/$id{pub}/packages/", '/api/v4/user/'),
		(map { [$_ => '/-/tokens/', 404] } qw(POST PUT DELETE)),
	);

	cmp_ok(scalar @pages, '>=', 11, 'there are many pages');
	for my $case (@table) {
		my ($method, $path, $to) = @$case;
		my $want = $to =~ m{^/} ? '308 ' . $t->url . $to : $to;
		my $shown = substr($path, 0, 80);

		for my $headers ([], \@html, ["Cookie: $cookie{owner}"]) {
			my $res = $t->http($method => $path, { headers => $headers });

			is(join(' ', $res->{status}, $res->{headers}{location} // ()), $want, "$method $shown, @$headers");
		}
	}
}
done_testing();
