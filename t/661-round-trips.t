#!/usr/bin/perl

# What a decision costs: no request has more than one round trip to the database for the sake of
# it, and those that builds are made of have none beside what they read anyway, once the caller has
# been here.  Who is refused is refused after one, before anything else is read.  For every route of
# the application's table, counted by somebody who sits on the connection.

use strict;
use warnings;

use File::Path qw(make_path);
use Test::More;

use Berth::Cluster;
use Berth::FastCGI qw(fetch);
use Berth::RoundTrips;
use Berth::Routes;
use Berth::Test;

# One worker, one connection: what comes after another comes after it there as well.
my $t = Berth::Test->new(cache_dir => undef, workers => 1, failed_login_burst => 0);
my $between = $t->dir . '/pg';
make_path($between);
my $cluster = Berth::Cluster->inherited;
my $trips = Berth::RoundTrips->start($between, $cluster->socket_dir);
my %id = (priv => $t->project('demo/priv'), pub => $t->project('demo/pub', 'public'), missing => 987654321);
my $group = $t->psql("SELECT id FROM groups WHERE full_path = 'demo'");

$t->user($_) for qw(owner stranger);
$t->member('owner', 'demo', 'owner');
my %token = (owner => $t->token('owner'), stranger => $t->token('stranger'), anonymous => undef,
    malformed => 'x', unknown => $t->token('stranger'));
$t->psql('DELETE FROM tokens WHERE id = (SELECT max(id) FROM tokens)');
is($t->publish($id{$_}, $token{owner}, 'abcd', '1.0.0')->{status}, 200, "a crate in $_") for qw(priv pub);
$t->stop_pool;
$t->conf(database => "host=$between dbname=$t->{database} user=berth");
$t->start_pool;

my ($began, $confirmed) = (time, 0);

# Asks; the round trips of that request.  What the worker does while nobody asks is not among them, nor is the
# commit that it has confirmed once in cache_lease.
sub ask {
	my ($route, $method, $place, $caller) = @_;
	my $place_id = $route->{pattern} =~ m{^api/v4/groups/} ? $place eq 'missing' ? $id{missing} : $group
	    : $id{$place};
	my $path = Berth::Routes::path($route, id => $place_id, package_id => $place eq 'pub' ? 2 : 1);
	my %param = (REQUEST_METHOD => $method, REMOTE_ADDR => '127.0.0.1');

	$param{HTTP_AUTHORIZATION} = $token{$caller} if defined $token{$caller};
	$param{BERTH_SUBREQUEST} = 1 if $route->{name} eq 'publish_authorize';
	$trips->take;
	my $res = fetch($t->socket_path, $path, %param);
	return ($res->{status}, own($trips->take));
}

sub own {
	$confirmed += grep { "@$_" eq 'session_confirm' } @_;
	return grep { "@$_" !~ /^(?:token_use_record|session_confirm)$/ } @_;
}

my %access = map { $_ => 1 } qw(access_facts access_facts_group access_facts_view access_facts_view_name);

sub is_access { return $access{ $_[0] }; }

# Those that are made for the decision alone.
sub extra { return grep { my $trip = $_; !grep { !is_access($_) } @$trip } @_; }

sub shown { return join(' | ', map { "@$_" } @_); }

# Reads that go along with the decision; some of them only if the worker knows the caller.
my %at_once = map { $_ => 1 } qw(config_json publish_authorize publish index download);

# Connecting is not of any request, nor is what the worker that writes does when it starts.
fetch($t->write_socket_path, '/-/liveness', REQUEST_METHOD => 'GET', REMOTE_ADDR => '127.0.0.1');
ask((grep { $_->{name} eq 'config_json' } Berth::Routes::all())[0], 'GET', 'pub', 'anonymous');

my $seen = 0;
for my $route (grep { $_->{policy} && $_->{pattern} !~ m{^-/} } Berth::Routes::all()) {
	my ($method) = @{ $route->{methods} };
	my $name = "$method $route->{name} ($route->{pattern})";
	# Writes of the management API are tried by those alone who may not.
	my @rounds = $method eq 'GET' || $route->{pattern} =~ m{/cargo/} ? (1, 2) : ();

	for my $round (@rounds) {
		my ($status, @trips) = ask($route, $method, 'priv', 'owner');

		# the group decides about a name that none of its projects has
		cmp_ok(scalar extra(@trips), '<=', $route->{name} eq 'index_group' ? 2 : 1,
		    "$name: one round trip at most for the decision")
		    or diag(shown(@trips));
		next unless $round == 2;
		$seen++ if $status == 200;
		next unless $at_once{ $route->{name} };
		# what these need comes with the decision
		is(scalar extra(@trips), $route->{name} =~ /^(?:config_json|publish|publish_authorize)$/ ? 1 : 0,
		    "$name: and then none beside the route's own") or diag(shown(@trips));
		next unless $method eq 'GET';
		is(scalar @trips, 1, "$name: which is one") or diag(shown(@trips));
	}
	for my $case (
		['priv', 'anonymous'],
		['priv', 'stranger'],
		['priv', 'unknown'],
		['missing', 'owner'],
		['priv', 'malformed'],
	) {
		my ($place, $caller) = @$case;
		# who asks about themselves is refused for a bad token alone; a group that has something public may be known
		next if $route->{pattern} !~ m{^api/v4/projects/:id} && $caller !~ /^(?:unknown|malformed)$/;
		my ($status, @trips) = ask($route, $method, $place, $caller);
		# somebody who writes with a token that is not good is counted
		my @rest = grep { "@$_" ne 'rate_limit_charge' } @trips;

		like($status, qr/^40[134]$/, "$name: $caller, $place: refused");
		cmp_ok(scalar @rest, '<=', 1, "$name: $caller, $place: after one round trip") or diag(shown(@trips));
		is(join(' ', grep { !is_access($_) } map { @$_ } @rest), '',
		    "$name: $caller, $place: and nothing of the project was read");
	}
}
cmp_ok($seen, '>=', 5, 'routes that lead to something');

is((ask({ pattern => '-/liveness', name => 'liveness' }, 'GET', 'pub', 'owner'))[1], undef,
    'what needs no decision asks nothing');

# A worker that has let a caller in lately reads at once what the client asks for, and uses it only if the
# caller still has the right.
$t->user('reader');
$t->member('reader', 'demo', 'reporter');
$token{reader} = $t->token('reader');
is($t->publish($id{pub}, $token{owner}, 'else', '1.0.0')->{status}, 200, 'a crate of one project alone');

sub get {
	my ($path, $caller, %param) = @_;

	$param{HTTP_AUTHORIZATION} = $token{$caller} if defined $token{$caller};
	$trips->take;
	my $res = fetch($t->socket_path, $path, REQUEST_METHOD => 'GET', REMOTE_ADDR => '127.0.0.1', %param);
	return ($res, shown(own($trips->take)));
}

my %root = (map({ $_ => $t->registry($id{$_}) } qw(priv pub)),
    group => "/api/v4/groups/$group/-/packages/cargo");
my $two = 'access_facts | crate_index';
my $one = 'access_facts crate_index';
my $body = (get("$root{priv}/ab/cd/abcd", 'owner'))[0]{body};
for my $case (
	['a caller who is new here', 'priv', 'ab/cd/abcd', 'reader', 200, $two],
	['the same caller', 'priv', 'ab/cd/abcd', 'reader', 200, $one],
	['another crate', 'priv', 'ef/gh/efgh', 'reader', 404, $one],
	['what no crate can have as its name', 'priv', 'ef/gh/efgh.', 'reader', 404, 'access_facts'],
	['another project', 'pub', 'ab/cd/abcd', 'reader', 200, $two],
	['another route', 'priv', 'abcd/1.0.0/download', 'reader', 200, 'access_facts | version_blob'],
	['the same again', 'priv', 'abcd/1.0.0/download', 'reader', 200, 'access_facts version_blob'],
	['nobody', 'pub', 'ab/cd/abcd', 'anonymous', 200, $two],
	['somebody else without a token', 'pub', 'ab/cd/abcd', 'anonymous', 200, $one],
	['a stranger', 'priv', 'ab/cd/abcd', 'stranger', 404, 'access_facts'],
	['the same stranger', 'priv', 'ab/cd/abcd', 'stranger', 404, 'access_facts'],
) {
	my ($name, $place, $path, $caller, $status, $expected) = @$case;
	my ($res, $trips) = get("$root{$place}/$path", $caller);

	is($res->{status}, $status, "$name: $status");
	is($trips, $expected, "$name: round trips");
	is($res->{body}, $body, "$name: the file") if $status == 200 && $place eq 'priv' && $path eq 'ab/cd/abcd';
}
{
	my $etag = (get("$root{priv}/ab/cd/abcd", 'reader'))[0]{headers}{etag};
	my ($res, $trips) = get("$root{priv}/ab/cd/abcd", 'reader', HTTP_IF_NONE_MATCH => $etag);

	is("$res->{status} $trips", "304 $one", 'what the client has is not sent');
}
for my $case (
	['not a member', 404, sub { $t->psql('DELETE FROM members'
	    . " WHERE user_id = (SELECT id FROM users WHERE username = 'reader')") },
	    sub { $t->member('reader', 'demo', 'reporter') }],
	['blocked', 401, sub { $t->psql("UPDATE users SET state = 'blocked' WHERE username = 'reader'") },
	    sub { $t->psql("UPDATE users SET state = 'active' WHERE username = 'reader'") }],
	['without the registry', 404,
	    sub { $t->psql("UPDATE projects SET packages_enabled = false WHERE id = $id{priv}") },
	    sub { $t->psql("UPDATE projects SET packages_enabled = true WHERE id = $id{priv}") }],
) {
	my ($name, $status, $change, $undo) = @$case;
	my @lost;

	$change->();
	for my $expected ($one, 'access_facts') {
		my ($res, $trips) = get("$root{priv}/ab/cd/abcd", 'reader');

		is($res->{status}, $status, "$name: refused");
		isnt($res->{body}, $body, "$name: without the file");
		is($trips, $expected, "$name: round trips");
		push @lost, $res->{body};
	}
	is($lost[0], $lost[1], "$name: the same answer to one who is known and to one who is not");
	$undo->();
	for my $expected ($two, $one) {
		my ($res, $trips) = get("$root{priv}/ab/cd/abcd", 'reader');

		is($res->{status}, 200, "$name no more");
		is($trips, $expected, "$name no more: round trips");
	}
}
# in the registry of a group the worker tries the project of the last read
for my $case (['ab/cd/abcd', 0], ['ab/cd/abcd', 1], ['el/se/else', 0], ['el/se/else', 1]) {
	my ($path, $known) = @$case;
	my ($res, $trips) = get("$root{group}/$path", 'reader');

	is($res->{status}, 200, "$path of the group: 200");
	like($trips, $known ? qr/^access_facts_view_name crate_index\b/
	    : qr/^access_facts_view_name(?: crate_index)? \| crate_index\b/, "$path of the group: round trips");
	like($res->{body}, qr/^\{"name":"@{[ $path =~ s{.*\/}{}r ]}"/, "$path of the group: its file");
}

# A worker that remembers the caller of a publish asks together with its other statements whether the facts
# still hold.  If not, it reads the current ones, and checks again.
my $versions = 0;

sub upload {
	my (%opt) = @_;
	my @id = ($opt{name} // 'abcd', '2.0.' . $versions++);
	my $body = $opt{body} // $t->publish_body($t->metadata(@id), $t->make_crate(@id));

	$trips->take;
	my $res = fetch($t->socket_path, $t->registry($id{priv}) . '/api/v1/crates/new', REQUEST_METHOD => 'PUT',
	    REMOTE_ADDR => '127.0.0.1', HTTP_AUTHORIZATION => $token{writer}, body => $body);
	return ($res, grep { "@$_" !~ /^(?:token_use_record|registry_id|rate_limit_charge$)/ } $trips->take);
}

sub said { return $t->json($_[0])->{errors}[0]{detail}; }

$t->user('writer');
$t->member('writer', 'demo', 'developer');
$token{writer} = $t->token('writer');
upload(); # asks once which store the registry has
for my $case (['known', 3, sub { }],
    ['in another role', 5, sub { $t->member('writer', 'demo', 'owner') }],
    ['known again', 3, sub { }],
    ['with another policy', 5, sub { $t->berth_ok('project', 'set', 'demo/priv', 'max_features=7') }]) {
	my ($name, $n, $change) = @$case;

	$change->();
	my ($res, @trips) = upload();
	is($res->{status}, 200, "$name: publishes") or diag($res->{body});
	is(scalar @trips, $n, "$name: round trips") or diag(shown(@trips));
	is(scalar(grep { "@$_" =~ /rate_limit_charge/ } @trips), 1, "$name: counts once");
	# the row of the crate is locked and written by one statement, the first
	is("@{ $trips[-2] }", 'session_begin crate_grow_index protection_find version_add audit_add quota_charge'
	    . ' access_grounds_hold', "$name: what it writes") or diag(shown(@trips));
}
# the client never gets an answer by facts that are out of date
$t->berth_ok('project', 'set', 'demo/priv', 'reserved_names=abcd');
my ($res) = upload();
is($res->{status}, 400, 'a new rule') or diag($res->{body});
like(said($res), qr/reserved name/, '  says why');
$t->berth_ok('project', 'set', 'demo/priv', 'reserved_names=efgh');
($res) = upload();
is($res->{status}, 200, 'another rule') or diag($res->{body});
$t->berth_ok('project', 'set', 'demo/priv', 'reserved_names=');
($res) = upload(name => 'efgh');
is($res->{status}, 200, 'a rule was removed') or diag($res->{body});
($res) = upload(body => 'x');
is($res->{status}, 400, 'a body that is no publish');
$t->berth_ok('flag', 'set', 'writes', 'off');
($res) = upload();
is($res->{status}, 503, 'writes are off');
$t->berth_ok('flag', 'unset', 'writes');
$t->psql("DELETE FROM members WHERE user_id = (SELECT id FROM users WHERE username = 'writer')");
for my $body ('x', undef) {
	($res) = upload(body => $body);
	is($res->{status}, 404, 'no member any more') or diag($res->{body});
}
$t->member('writer', 'demo', 'owner');
($res) = upload();
is($res->{status}, 200, 'a member again');
$t->psql('UPDATE tokens SET revoked_at = now()'
    . " WHERE user_id = (SELECT id FROM users WHERE username = 'writer')");
for my $body ('x', undef) {
	($res, my @trips) = upload(body => $body);
	is($res->{status}, 401, 'a revoked token');
	like(said($res), qr/revoked|invalid/, '  and nothing else is said');
	is(scalar(grep { "@$_" =~ /version_check_new/ } @trips), 0, '  refused at once') if !defined $body;
}
# one too many, since the first falls due at once
cmp_ok($confirmed, '<=', 2 + (time - $began) / 10, 'a commit is confirmed once in cache_lease');
$t->stop_pool;
$trips->stop;

done_testing();
