#!/usr/bin/perl

# Checks every kind of page, light and dark, narrow and wide, with axe-core in a browser, for people who
# use a screen reader, need contrast, or zoom.  `make check-pages` installs axe-core, then runs this, and
# leaves pictures of all pages in build/screens/.

use strict;
use warnings;

use File::Path qw(make_path);
use JSON::PP ();
use Test::More;

use Berth::Browser;
use Berth::Crate;
use Berth::Test;

my $axe = Berth::Cluster::slurp($ENV{AXE} // die "AXE must name axe.min.js: run make check-pages\n");
my $missing = Berth::Browser::missing();
BAIL_OUT($missing) if $missing;

my $screens = "$Berth::Cluster::ROOT/build/screens";
my $t = Berth::Test->new(workers => 2, failed_login_burst => 0, publish_burst => 0, new_crate_burst => 0);
my %id = map { $_ => $t->project("demo/$_", 'public') } qw(rich other empty);
$t->project('demo/closed', 'private');
$t->user($_) for qw(owner guest);
$t->member('owner', 'demo', 'owner');
$t->member('guest', 'demo', 'guest');
my $token = $t->token('owner');

# ---- what there is to see ----

my $readme = <<'MD';
# Rich

Text with `code`, **weight**, [a link](https://rich.example/) and ~~nothing~~.

- one
- two
  1. three

> Somebody said so.

| Left | Right |
|------|------:|
| a    |     1 |

```rust
fn main() { println!("a line that is so long that it does not fit into a narrow window, whatever one does"); }
```

## Second

### Third
MD

sub dependency {
	my ($name, %more) = @_;

	return { name => $name, version_req => '^1', features => [], optional => JSON::PP::false,
		default_features => JSON::PP::true, target => undef, kind => 'normal', registry => undef,
		explicit_name_in_toml => undef, %more };
}

sub rich {
	my ($version) = @_;
	my $manifest = Berth::Crate::manifest('rich', $version) =~ s/^\[package\]\n\K/<<'TOML'/mer . <<"TOML";
homepage = "https://rich.example/"
documentation = "https://rich.example/docs"
rust-version = "1.70"
keywords = ["gold", "silver"]
readme = "README.md"
TOML

[dependencies.serde]
version = "1"

[features]
default = ["shiny"]
shiny = []
TOML

	return $t->publish($id{rich}, $token, 'rich', $version, manifest => $manifest,
	    files => { 'README.md' => $readme, 'data.bin' => "\0\1" },
	    metadata => { deps => [dependency('serde', registry => 'https://github.com/rust-lang/crates.io-index')],
		readme => $readme, readme_file => 'README.md', homepage => 'https://rich.example/',
		documentation => 'https://rich.example/docs', rust_version => '1.70', keywords => ['gold', 'silver'],
		features => { default => ['shiny'], shiny => [] } });
}

for my $version (qw(1.0.0 1.1.0)) {
	my $res = rich($version);

	is($res->{status}, 200, "rich $version") or diag($res->{body});
}
my $index = 'sparse+' . $t->url . $t->registry($id{rich}) . '/';
{
	my $res = $t->publish($id{other}, $token, 'user-of-rich', '1.0.0',
	    manifest => Berth::Crate::manifest('user-of-rich', '1.0.0')
		. qq([dependencies.rich]\nversion = "1"\nregistry-index = "$index"\n),
	    metadata => { deps => [dependency('rich', registry => $index)] });

	is($res->{status}, 200, 'who depends on it') or diag($res->{body});
}
is($t->publish($id{rich}, $token, 'plain', '1.0.0')->{status}, 200, 'one more');
$t->berth_ok('yank', 'demo/rich', 'rich@1.0.0', '--message', 'too old');
$t->psql(<<"SQL");
INSERT INTO versions (crate_id, project_id, version, version_base, index_line, cksum, size, published_at)
SELECT crate_id, project_id, '0.9.' || n, '0.9.' || n, index_line, cksum, size, now() - interval '1 year'
  FROM versions CROSS JOIN generate_series(1, 120) n WHERE project_id = $id{rich} AND version = '1.0.0';
INSERT INTO download_days (crate_id, version_id, day, project_id, downloads, last_at)
SELECT v.crate_id, v.id, (now() AT TIME ZONE 'UTC')::date - ago, v.project_id, 100 + ago * ago % 90, now()
  FROM versions v CROSS JOIN generate_series(0, 80) ago
 WHERE v.project_id = $id{rich} AND v.version = '1.1.0';
INSERT INTO download_days (crate_id, version_id, day, project_id, downloads, last_at)
SELECT v.crate_id, v.id, (now() AT TIME ZONE 'UTC')::date - ago, v.project_id, 10 + ago * v.id % 50, now()
  FROM versions v CROSS JOIN generate_series(0, 89) ago WHERE v.project_id = $id{rich}
       AND v.version IN ('1.0.0', '0.9.117', '0.9.118', '0.9.119', '0.9.120')
SQL
$t->update_search;

my $crate = '/-/projects/demo/rich/-/crates/rich';
# name of the picture => path; those of `mine` need a session
my %pages = (
	'front' => '/-/', 'search' => '/-/search?q=rich', 'search-empty' => '/-/search',
	'search-nothing' => '/-/search?q=nothing-like-it', 'search-narrowed' => '/-/search?q=rich&license=MIT',
	'search-list' => '/-/search?project=demo/rich',
	'projects' => '/-/projects', 'group' => '/-/groups/demo', 'project' => '/-/projects/demo/rich',
	'project-empty' => '/-/projects/demo/empty',
	'crate' => $crate, 'crate-page-2' => "$crate?page=2", 'crate-by-date' => "$crate?sort=date",
	'version' => "$crate/1.1.0",
	'version-yanked' => "$crate/1.0.0", 'files' => "$crate/1.1.0/source",
	'file' => "$crate/1.1.0/source/README.md", 'file-binary' => "$crate/1.1.0/source/data.bin",
	'file-none' => "$crate/1.1.0/source/none.md",
	'comparison' => "$crate/diff/1.0.0..1.1.0", 'comparison-none' => "$crate/diff/1.0.0..9.9.9",
	'crate-other' => '/-/projects/demo/other/-/crates/user-of-rich',
	'not-there' => '/-/projects/none', 'no-address' => '/-/none', 'bad' => "$crate?page=x",
	'sign-in' => '/-/sign-in',
);
my %mine = (%pages, 'tokens' => '/-/tokens', 'closed' => '/-/projects/demo/closed');

# ---- looking at it ----

my $b = Berth::Browser->start($t->dir);

# The problems that axe-core finds on the current page, one line each.
sub violations {
	my $found = $b->script($axe . <<'JS');
const done = arguments[arguments.length - 1];
document.querySelectorAll('details').forEach(d => { d.open = true; });
axe.run(document, { resultTypes: ['violations'] }).then(
	r => done(r.violations.flatMap(
		v => v.nodes.map(n => [v.id, n.target.join(' '), n.failureSummary].join(': ')))),
	e => done(['axe: ' + e]));
JS

	return join("\n", @$found);
}

sub look {
	my ($who, %paths) = @_;

	for my $scheme (qw(light dark)) {
		$b->prefer($scheme);
		for my $width (320, 1000) {
			$b->resize($width, 900);
			for my $name (sort keys %paths) {
				my $what = "$who-$name-$scheme-$width";

				$b->go($t->url . $paths{$name});
				is(violations(), '', $what);
				cmp_ok($b->property('html', 'scrollWidth'), '<=', $width, '  fits');
				$b->shot("$screens/$what.png");
			}
		}
	}
	return;
}

make_path($screens);
$b->go($t->url . '/-/');
$b->script('document.querySelector("main").innerHTML = "<img src=x>"; arguments[0]()');
like(violations(), qr/^image-alt: img/m, 'what is wrong is found');
look('nobody', %pages);
$b->go($t->url . '/-/sign-in');
$b->type('#code', (split(/\n/, $t->berth_ok('user', 'link', 'owner')))[1]);
$b->click('button.main');
$b->await('input[name=confirm] + button');
is(violations(), '', 'the question who signs in');
$b->click('input[name=confirm] + button');
$b->await('#name');
look('owner', %mine);
$b->stop;
done_testing();
