#!/usr/bin/perl

# What nodes send is never older than what was answered: one change after the other is made, at random,
# to versions, rights, tokens, visibility and flags, while clients read private and public index files
# from two nodes, directly and through nginx, and keepers are stopped and killed, pools reloaded,
# sessions ended and PostgreSQL restarted.  A pool that keeps nothing tells what is true after each
# change; an answer must be one of those between the last change that was answered before the client
# asked and the last that had begun when it was told.  Has a PostgreSQL cluster of its own.
# SEED and CHANGES of the environment make another run of it, or a longer one.

use strict;
use warnings;

use Compress::Zlib ();
use Digest::MD5 qw(md5_hex);
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);

use Berth::Cluster;
use Berth::FastCGI qw(fetch);
use Berth::Cache;
use Berth::Test;
use Berth::Watch;

use constant { SEED => $ENV{SEED} // 20, CHANGES => $ENV{CHANGES} // 20 };
use constant { READERS => 4, LEASE => 3, PATIENCE => 120 };

my $cluster = Berth::Cluster->start;
my @settings = (failed_login_burst => 0, workers => 3, cache_lease => LEASE);
my $t = Berth::Test->new(@settings);
my @shared = (database => $t->dsn('berth'), store => $t->store);
my @nodes = ($t, Berth::Test->new(@settings, @shared));
my $truth = Berth::Test->new(workers => 1, cache_dir => undef, @shared);
my %id = (private => $t->project('demo/private'), public => $t->project('demo/public', 'public'));
my $json = JSON::PP->new->canonical;

# whoever is answered before a crash of the database must find it done after that
# (what a sequence of a database that was copied has counted so far is in no log before a checkpoint)
$cluster->sql('postgres', "ALTER DATABASE $t->{database} SET synchronous_commit = on", 'CHECKPOINT');
$t->user($_) for qw(owner dev stranger);
$t->member('owner', 'demo', 'owner');
$t->member('dev', 'demo', 'developer');
my %token = (
	owner => $t->token('owner'),
	dev => $t->token('dev'),
	stranger => $t->token('stranger'),
	deploy => $t->deploy_token('demo/private', 'read'),
	anonymous => undef,
	map { ("lost$_" => $t->token('dev')) } 1 .. 3,
);
my @ports = map { Berth::Cache::start($_) } @nodes;
$truth->start_pool;
my %path = (
	private => $t->registry($id{private}) . '/on/e_/one_crate',
	public => $t->registry($id{public}) . '/on/e_/One_Crate',
	by_path => '/api/v4/projects/demo%2Fprivate/packages/cargo/on/e_/one_crate',
);
my @keys = map { my $who = $_; map { "$who $_" } sort keys %path } sort keys %token;

sub now { return Berth::Watch::now(); }

# Status, and which bytes.
sub digest {
	my ($res) = @_;

	return $res->{status} if $res->{status} != 200;
	my @all = $res->{body} =~ /"vers":"([^"]+)"/g;
	my @yanked = $res->{body} =~ /"vers":"([^"]+)"[^\n]*?"yanked":true/g;
	return "200 @all, yanked @yanked, " . md5_hex($res->{body});
}

sub ask {
	my ($key, $node, %more) = @_;
	my ($who, $where) = split(/ /, $key);
	my $res = fetch($node->socket_path, $path{$where}, REMOTE_ADDR => '192.0.2.1', %more,
	    (defined $token{$who} ? (HTTP_AUTHORIZATION => $token{$who}) : ())) // { status => 502 };

	$res->{body} = Compress::Zlib::memGunzip($res->{body}) // die "no gzip\n"
	    if ($res->{headers}{'content-encoding'} // '') eq 'gzip' && length $res->{body};
	return $res;
}

# ---- what is true ----

sub look {
	return { map {
		my ($key, $res) = ($_);

		$t->wait_for(sub { $res = ask($key, $truth); $res->{status} < 500 }, PATIENCE)
		    or die "$key: $res->{status}\n";
		($key => digest($res));
	} @keys };
}

# ---- changes ----

my %versions = (private => ['1.0.0'], public => ['1.0.0']);

# Each is a description and what makes it, which is done again until it is answered.  What was taken
# is given back next, or soon nobody could read anything.
my @next;

sub by_api {
	my ($method, $where, $what, $path, @more) = @_;
	my $node = $nodes[rand @nodes];

	return ["$what $where $path", sub {
		return $node->http($method, $t->registry($id{$where}) . "/api/v1/crates/$path",
		    { token => $token{owner}, may_fail => 1, @more })->{status};
	}];
}

sub by_command {
	my @args = @_;

	return [join(' ', grep { !ref } @args), sub {
		my ($status, undef, $err) = $t->berth(@args);

		# what is so already is refused, as it is where it cannot be
		return $status == 0 ? 200 : $err =~ /no answer|database|not acknowledged/ ? 503 : 400;
	}];
}

sub taken { push @next, by_command(@{ $_[1] }); return by_command(@{ $_[0] }); }

sub some_content {
	my $where = rand() < 0.8 ? 'private' : 'public';
	my $version = $versions{$where}[rand @{ $versions{$where} }];
	my @crate = ("demo/$where", "one_crate\@$version");

	return (
		sub {
			push @{ $versions{$where} }, $version = '1.' . @{ $versions{$where} } . '.0';
			return by_api(PUT => $where, "publish $version", 'new', body => $t->publish_body(
			    Berth::Crate::metadata('one_crate', $version), Berth::Crate::make('one_crate', $version)));
		},
		sub { by_api(DELETE => $where, 'yank', "one_crate/$version/yank") },
		sub { by_api(PUT => $where, 'unyank', "one_crate/$version/unyank") },
		sub { by_command('yank', @crate) },
		sub { taken(['delete', @crate], ['undelete', @crate]) },
	)[rand 5]->();
}

sub some_right {
	my $place = (qw(private public))[rand 2];
	my @flag = ('flag', 'set', 'package_registry_cargo_support');
	my @member = ('member', 'set', 'dev', 'demo');
	my @project = ('project', 'set', "demo/$place");

	return (
		sub { taken([@member, (qw(none guest))[rand 2]], [@member, 'developer']) },
		sub { taken(['user', 'block', 'dev'], ['user', 'unblock', 'dev']) },
		sub { taken(['project', 'set', 'demo/public', 'visibility=' . (qw(private internal))[rand 2]],
		    ['project', 'set', 'demo/public', 'visibility=public']) },
		sub { taken([@project, 'packages_enabled=false'], [@project, 'packages_enabled=true']) },
		sub { taken([@flag, 'off', '--project', "demo/$place"], [@flag, 'on', '--project', "demo/$place"]) },
		sub { by_command({ stdin => $token{ 'lost' . (1 + int(rand 3)) } . "\n" }, 'token', 'revoke') },
	)[rand 6]->();
}

sub some_change { return @next ? shift @next : rand() < 0.65 ? some_content() : some_right(); }

# nginx sends existing files before the change; a node that hangs sends nothing.
sub let_them_send {
	my @files = map { $_->dir . "/cache/project/$id{private}/index/on/e_/one_crate.gz" } @nodes;

	return $t->wait_for(sub { @nodes == grep { -e } @files }, LEASE);
}

# ---- havoc ----

# What goes wrong, one after the other; each ends with everything at work again.
sub havoc {
	my ($over) = @_;
	my $done = '';
	my @kinds = (
		['a keeper hangs', sub {
			my $keeper = Berth::Cache::keeper($nodes[rand 2]);
			kill('STOP', $keeper);
			sleep(rand(LEASE + 2));
			kill('CONT', $keeper);
		}],
		['a keeper is killed', sub { kill('KILL', Berth::Cache::keeper($nodes[rand 2])) }],
		['a pool is reloaded', sub { kill('HUP', $nodes[rand 2]->pool_pid); sleep(0.5) }],
		['sessions end', sub {
			# the database may be starting
			eval { $t->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
			    . " WHERE usename = 'berth' AND random() < 0.5") };
		}],
		['PostgreSQL is restarted', sub { $cluster->restart((qw(fast immediate))[rand 2]) }],
		['nothing', sub { sleep(rand(2)) }],
	);

	while (!-e $over) {
		my ($name, $make) = @{ $kinds[rand @kinds] };
		my $began = now();

		$make->();
		$done .= sprintf("%.3f-%.3f %s\n", $began, now(), $name);
		sleep(rand(0.5));
	}
	return $done;
}

# ---- readers ----

sub read_on {
	my ($n, $over) = @_;
	my (@seen, %had);

	srand(SEED + 100 + $n);
	until (-e $over) {
		my $key = $keys[rand @keys];
		my ($who, $where) = split(/ /, $key);
		my $node = int(rand(2));
		my $by_nginx = rand() < 0.7;
		my $had = rand() < 0.3 ? $had{$key} : undef;
		my (%header, $res);

		$header{'If-None-Match'} = $had->[0] if defined $had;
		$header{'Accept-Encoding'} = 'gzip' if rand() < 0.5;
		$header{Authorization} = $token{$who} if defined $token{$who};
		my $began = now();
		if ($by_nginx) {
			$res = Berth::Cache::get($ports[$node], $path{$where}, %header);
		} else {
			delete $header{Authorization};
			$res = ask($key, $nodes[$node], map { 'HTTP_' . uc(tr/-/_/r) => $header{$_} } keys %header);
		}
		my $told = now();
		my $what = $res->{status} eq '304' ? $had->[1] : digest($res);

		$had{$key} = [$res->{headers}{etag}, $what] if $res->{status} eq '200';
		push @seen, [$began, $told, $key, $what, "reader $n, node $node" . ($by_nginx ? ', nginx' : '')];
	}
	return \@seen;
}

# ---- all at once ----

for my $where (sort keys %id) {
	is($t->publish($id{$where}, $token{owner}, 'one_crate', '1.0.0')->{status}, 200, "a crate, $where");
}
srand(SEED);
diag('SEED=' . SEED . ' CHANGES=' . CHANGES);
my $over = $t->dir . '/over';
my $quiet = $t->dir . '/quiet';
my $havoc_done = $t->dir . '/havoc';
my @states = ([0, 0, look(), 'the beginning']); # began, answered, what is true, what it was
my $changes = $t->dir . '/changes.json';
my $actor = fork // die "fork: $!\n";
if ($actor == 0) {
	my $done = eval {
		for my $i (1 .. CHANGES) {
			my ($what, $make) = @{ some_change() };
			let_them_send() if rand() < 0.7 && $states[-1][2]{'dev private'} =~ /^200/;
			my $began = now();
			my ($status, $tries) = (0, 0);

			while ($status !~ /^[24]/) {
				die "$what: $status\n" if now() > $began + PATIENCE;
				sleep(0.1) if $tries++;
				$status = $make->();
			}
			my $answered = now();
			push @states, [$began, $answered, look(), "$what: $status, $tries times"];
		}
		1;
	} or warn $@;
	Berth::Test::write_file($changes, $json->encode(\@states));
	Berth::Test::write_file($quiet, '');
	POSIX::_exit($done ? 0 : 1);
}
my $havoc = fork // die "fork: $!\n";
if ($havoc == 0) {
	srand(SEED + 1);
	my $done = eval { havoc($quiet) } // warn $@;
	Berth::Test::write_file($havoc_done, $done);
	Berth::Test::write_file($over, '');
	POSIX::_exit(length $done > 1 ? 0 : 1);
}
my @seen = map { @$_ } $t->parallel(READERS, sub { return read_on($_[0], $over); });
waitpid($_, 0), is($?, 0, 'it ran') for $actor, $havoc;
@states = @{ $json->decode(Berth::Cluster::slurp($changes)) };
is(scalar @states, CHANGES + 1, 'all changes were made');

my ($good, $away, @bad) = (0, 0);
for my $seen (@seen) {
	my ($began, $told, $key, $what, $who) = @$seen;
	my ($first, $last) = (0, 0);

	for my $i (1 .. $#states) {
		$first = $i if $states[$i][1] < $began;
		$last = $i if $states[$i][0] < $told;
	}
	if ($what =~ /^(?:50[234]|599)$/) {
		$away++;
	} elsif (grep { $states[$_][2]{$key} eq $what } $first .. $last) {
		$good++;
	} else {
		push @bad, sprintf("%s: %s at %.3f-%.3f: `%s`, not %s\n", $who, $key, $began, $told, $what,
		    join(' or ', map { "`$states[$_][2]{$key}` ($states[$_][3])" } $first .. $last));
	}
}
for my $node (@nodes) {
	my @sent = grep { / pool_s=- / && / status=(?:200|304) / } split(/\n/, $node->log('nginx-berth-cache.log'));
	my @private = grep { m{/projects/$id{private}/} } @sent;

	cmp_ok(scalar @private, '>', 50, @private . ' private ones of ' . @sent . ' by nginx alone, of '
	    . $node->dir);
}
note(Berth::Cluster::slurp($havoc_done));
note(sprintf('%.3f-%.3f %s', @$_[0, 1, 3])) for @states;
cmp_ok($good, '>', 1000, "$good answers were true, $away refused");
is(scalar @bad, 0, 'and none was of before') or diag(grep { defined } @bad[0 .. 20]);

done_testing();
