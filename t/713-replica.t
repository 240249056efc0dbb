#!/usr/bin/perl

# A replica of the database answers what the routes read that may read from it, and nobody sees older data:
# it answers only when it has replayed everything that was acknowledged.  If it lags or does not answer, the
# primary answers.  The primary always decides about rights.  Asks each such route of the application's own
# table, at two nodes.  Has a PostgreSQL cluster of its own, with a standby.

use strict;
use warnings;

use File::Path qw(make_path);
use JSON::PP ();
use Test::More;

use Berth::Cache;
use Berth::Cluster;
use Berth::FastCGI qw(fetch);
use Berth::RoundTrips;
use Berth::Routes;
use Berth::Standby;
use Berth::Test;

my $cluster = Berth::Cluster->start(synchronous_commit => 'on');
my $t = Berth::Test->new(workers => 1, cache_dir => undef);
my $cached = Berth::Test->new(workers => 1, database => $t->dsn('berth'), store => $t->store,
    external_url => $t->url);
my @nodes = ($t, $cached);
my $id = $t->project('demo/registry');
my $open = $t->project('away/open', 'public');
$t->user('dev');
$t->member('dev', $_, 'maintainer') for qw(demo away);
my $token = $t->token('dev');
my $group = $t->psql("SELECT id FROM groups WHERE full_path = 'demo'");
# a copy of the database, whose registry does not change any more
$cluster->sql('postgres', "CREATE DATABASE twin TEMPLATE $t->{database}");
my $standby = Berth::Standby->start($cluster, $cluster);

# Which statements the first node sends to which server.
my %trips = map {
	my ($name, $server) = @$_;
	my $dir = $t->dir . "/$name";

	make_path($dir);
	($name => Berth::RoundTrips->start($dir, $server->socket_dir));
} [primary => $cluster], [replica => $standby];

$t->conf(map { $_->[0] => $t->dsn('berth') =~ s/host=\S+/'host=' . $t->dir . "\/$_->[1]"/er }
    [database => 'primary'], [database_read => 'replica']);
$cached->conf(database_read => $t->dsn('berth') =~ s/host=\S+/'host=' . $standby->socket_dir/er);
$_->start_pool for @nodes;
my $port = Berth::Cache::start($cached);
$t->start_worker;
my $cookie = $t->sign_in('dev');

sub on_standby { return Berth::Standby::run($standby, 'postgres', $_[0]); }

# Waits until the standby has replayed everything.
sub caught_up {
	my ($end) = $cluster->sql('postgres', 'SELECT pg_current_wal_lsn()');

	return $t->wait_for(sub { on_standby("SELECT pg_last_wal_replay_lsn() >= '$end'") eq 't' }, 30);
}

# Which server has answered since the last call.
my %before;
sub answered_by {
	my ($node) = @_;
	my %now = $node->http(GET => '/-/metrics')->{body}
	    =~ /^berth_replica_reads_total\{replica="(\w+)"\} (\d+)$/mg;
	my $old = $before{$node} // {};
	my @by = map { my $n = $now{$_} - ($old->{$_} // 0); $n ? "$_:$n" : () } sort keys %now;

	$before{$node} = \%now;
	return "@by";
}

# ---- the routes ----

# Each write adds a version 1.0.$n of the crates that Berth::Routes names, and a new crate.
my $n = 0;
my @crates = qw(a ab abc abcd);
sub publish {
	my ($name, $version) = @_;
	my $res = $t->publish($id, $token, $name, $version);

	$res->{status} == 200 or die "publish: $res->{status} $res->{body}\n";
	return;
}

sub write_unseen {
	$n++;
	publish($_, "1.0.$n") for @crates;
	publish("new-$n", '1.0.0');
	return;
}

# The same, and the tables of searches have it.
sub write_more {
	write_unseen();
	$t->update_search;
	return;
}

# What each route asks for, if not only for the crate, and how it shows the last write.
my %asks = (
	index => {},
	index_group => {},
	crate => {},
	crate_versions => {},
	crate_version => {},
	crate_group => {},
	crate_versions_group => {},
	crate_version_group => {},
	search => { query => sub { 'q=abcd' } },
	search_group => { query => sub { 'q=abcd' } },
	packages => { query => sub { 'package_name=abcd&order_by=version&sort=desc' } },
	packages_group => { query => sub { 'package_name=abcd&order_by=version&sort=desc' }, id => $group },
	page_front => {},
	page_search => { query => sub { 'q=abcd' } },
	page_projects => { shows => sub { my $all = @crates + $n; qr{<td>$all</td>} } },
	page_group => { path => 'demo', shows => sub { my $all = @crates + $n; qr{<td>$all</td>} } },
	page_project => {},
	feed_project => { id => 'demo/registry' },
	feed_crate => { id => 'demo/registry' },
	page_crate => {},
	page_compare => { query => sub { "from=1.0.1&to=1.0.$n" } },
	page_diff => {},
	page_version => {},
	page_source => {},
	page_file => {},
);
my @routes = grep { $_->{replica} } Berth::Routes::all();
is(join(' ', grep { my $route = $_; !grep { $_->{name} eq $route } @routes } sort keys %asks), '',
    'the routes that read from a replica');

sub ask {
	my ($node, $route) = @_;
	my $asks = $asks{ $route->{name} } // die "$route->{name}: how does it show a write?\n";
	my $path = Berth::Routes::path($route, id => $asks->{id} // $id, path => $asks->{path} // 'demo/registry',
	    version => "1.0.$n", range => "1.0.1..1.0.$n", file => 'Cargo.toml');
	my $is_page = $route->{pattern} =~ m{^-/} && $route->{name} !~ /^feed_/;

	return fetch($node->socket_path, $path . (defined $asks->{query} ? '?' . $asks->{query}->() : ''),
	    REQUEST_METHOD => 'GET', REMOTE_ADDR => '127.0.0.1', HTTP_ACCEPT => 'text/html',
	    $is_page ? (HTTP_COOKIE => $cookie) : (HTTP_AUTHORIZATION => $token));
}

sub shows_last {
	my ($route, $res) = @_;
	my $shows = $asks{ $route->{name} }{shows};
	my $wanted = defined $shows ? $shows->() : qr/\b1\.0\.$n\b/;

	return $res->{status} == 200 && $res->{body} =~ $wanted;
}

# Each route of each node shows the last write.
sub all_show {
	my ($why) = @_;

	for my $node (@nodes) {
		my @not = grep { !shows_last($_, ask($node, $_)) } @routes;

		is(join(' ', map { $_->{name} } @not), '', "$why: " . ($node == $t ? 'a node' : 'another node'));
	}
	return;
}

# ---- it is in step ----

write_more();
all_show('after a publish');
write_more();
all_show('after another publish');

# The statements of the last request to that server, without those about the position.
sub sent { return map { grep { !/^session_/ } @$_ } $trips{ $_[0] }->take; }

# They find out who may do what.
my $decides = qr/^(?:access_|session_|token_|registry_id|cache_)/;

for my $route (@routes) {
	my (@primary, @replica);
	# the pool's own writes, as of when a token was used, are on their way
	my $answered = $t->wait_for(sub {
		caught_up();
		answered_by($t);
		$_->take for values %trips;
		my $res = ask($t, $route);

		(@primary, @replica) = ();
		push @primary, sent('primary');
		push @replica, sent('replica');
		return shows_last($route, $res) && answered_by($t) =~ /^answered:[12]$/;
	}, 30);

	ok($answered, "the replica answers $route->{name} ($route->{pattern})");
	isnt("@replica", '', "$route->{name}: by a statement of its own");
	is(join(' ', grep { /$decides/ } @replica), '', "$route->{name}: which decides nothing");
	is(join(' ', grep { my $name = $_; grep { $_ eq $name } @replica } @primary), '',
	    "$route->{name}: and which the primary does not see");
}

# ---- files of a node that are made of what the replica has read ----

# nginx sends a page without asking the pool, and what it shows is never older than the last publish.
my $page = '/-/projects/away/open/-/crates/pub';
my $index = $t->registry($open) . '/3/p/pub';
for my $version (map { "1.0.$_" } 1 .. 5) {
	is($t->publish($open, $token, 'pub', $version)->{status}, 200, "a publish of $version");
	for my $path ($page, $index) {
		like(Berth::Cache::get($port, $path)->{body}, qr/\b\Q$version\E\b/, "$path shows it");
		my $res = Berth::Cache::wait_static($cached, $port, $path);

		like($res->{body}, qr/\b\Q$version\E\b/, 'as the file that nginx sends');
	}
}

# ---- it is of another registry ----

# It has replayed as much of the same log as the right one.
my $wrong = Berth::Test->new(workers => 1, cache_dir => undef, database => $t->dsn('berth'),
    store => $t->store, external_url => $t->url);
$wrong->conf(database_read => $t->dsn('berth') =~ s/host=\S+/'host=' . $standby->socket_dir/er
    =~ s/dbname=\S+/dbname=twin/r);
$wrong->start_pool;
my ($of_index) = grep { $_->{name} eq 'index' } @routes;
caught_up();
answered_by($wrong);
ok(shows_last($of_index, ask($wrong, $of_index)), 'the index file has the last write');
is(answered_by($wrong), 'away:1', 'by the primary: another database of the same server answers nothing');
like($wrong->log('pool'), qr/database_read: database: the server is not a replica/, 'which the log says');
$wrong->stop_pool;

# The first of two servers is not a replica, as after a failover.
$wrong->conf(database_read => $t->dsn('berth') =~ s/host=(\S+)/"host=$1," . $standby->socket_dir/er);
$wrong->start_pool;
answered_by($wrong);
ok($t->wait_for(sub {
	caught_up();
	return shows_last($of_index, ask($wrong, $of_index)) && answered_by($wrong) eq 'answered:1';
}, 30), 'the other one of two servers answers');
$wrong->stop_pool;

# ---- it lags ----

on_standby('SELECT pg_wal_replay_pause()');
write_more();
answered_by($_) for @nodes;
all_show('a replica that replays nothing');
like(answered_by($_), qr/^lags:\d+$/, 'the primary answers all') for @nodes;
is($t->publish($open, $token, 'pub', '1.1.0')->{status}, 200, 'a publish');
for my $path ($page, $index) {
	like(Berth::Cache::get($port, $path)->{body}, qr/\b1\.1\.0\b/, "$path shows it");
	like(Berth::Cache::wait_static($cached, $port, $path)->{body}, qr/\b1\.1\.0\b/, 'as a file');
}

# ---- it still lags, and the worker does not ask it with each read ----

{
	my $reads = 40;

	answered_by($t);
	$trips{replica}->take;
	ok(shows_last($of_index, ask($t, $of_index)), 'the index file has the last write') for 1 .. $reads;
	is(answered_by($t), "lags:$reads", 'by the primary');
	cmp_ok(scalar(grep { grep { $_ eq 'session_replayed' } @$_ } $trips{replica}->take), '<', $reads / 2,
	    'which is mostly asked alone');
}

# ---- rights, while the replica does not hear of them ----

$t->member('dev', 'demo', 'none');
for my $node (@nodes) {
	for my $route (@routes) {
		my $res = ask($node, $route);

		if ($route->{name} =~ /^page_(?:front|search|projects)$/) {
			unlike($res->{body}, qr{demo/registry}, "$route->{name}: shows nothing to somebody who was removed");
			next;
		}
		is($res->{status}, 404, "$route->{name}: refuses somebody who was removed");
	}
}
$t->member('dev', 'demo', 'maintainer');
all_show('a member who was added');
on_standby('SELECT pg_wal_replay_resume()');

# ---- what is not up to date yet is brought up to date at the primary ----

my ($search) = grep { $_->{name} eq 'search' } @routes;
$t->stop_worker;
write_unseen();
ok(caught_up(), 'the replica has a publish that no worker has seen yet');
answered_by($t);
ok(shows_last($search, ask($t, $search)), 'the exact name shows it');
is(answered_by($t), 'lags:1', 'by the primary');
$t->start_worker;
# a node that found it lagging leaves it alone for up to a second, which would count as a lag below
for my $node (@nodes) {
	ok($t->wait_for(sub {
		caught_up();
		answered_by($node);
		return shows_last($of_index, ask($node, $of_index)) && answered_by($node) eq 'answered:1';
	}, 30), 'it answers again');
}

# ---- it is away ----

# commits do not wait for it from here on
Berth::Standby::run($cluster, 'postgres', $_)
    for "ALTER SYSTEM SET synchronous_standby_names = ''", 'SELECT pg_reload_conf()';
for my $signal (qw(STOP KILL)) {
	my $what = $signal eq 'STOP' ? 'cut off' : 'gone';

	Berth::Standby::strike($signal, $standby);
	write_more();
	answered_by($_) for @nodes;
	all_show("a replica that is $what");
	like(answered_by($_), qr/^away:\d+$/, 'the primary answers all') for @nodes;
}
like($_->log('pool'), qr/database_read: /, 'the log says so') for @nodes;
# its processes may still end
ok($t->wait_for(sub { eval { $standby->resume; 1 } }, 60), 'the replica starts');
ok($t->wait_for(sub {
	caught_up();
	answered_by($t);
	return shows_last($search, ask($t, $search)) && answered_by($t) eq 'answered:1';
}, 60), 'a replica that is back answers again');

# ---- the primary does not tell its position ----

$t->psql('REVOKE EXECUTE ON FUNCTION pg_current_wal_lsn() FROM PUBLIC');
all_show('a primary without a position');
like($t->log('pool'), qr/database_read: .*permission denied/, 'the log says so');
$t->psql('GRANT EXECUTE ON FUNCTION pg_current_wal_lsn() TO PUBLIC');

# ---- there is no primary ----

my $alone = Berth::Test->new(workers => 1, cache_dir => undef, store => $t->store, external_url => $t->url,
    map { $_ => $cached->{settings}{database_read} } qw(database database_read));
$alone->start_pool;
my @not = grep { ask($alone, $_)->{status} != 200 } @routes;
is(join(' ', map { $_->{name} } @not), '', 'a pool that reaches nothing but the standby answers reads');
unlike($_->log('pool'), qr/ status=50/, 'no request failed') for @nodes, $alone;

done_testing();
