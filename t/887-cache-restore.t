#!/usr/bin/perl

# A database that is taken back to an older state: what that state does not allow, or does not hold, is
# sent by nobody, whichever way it was restored and whether the nodes were stopped for it or not.  And one
# that becomes another registry believes no token of the first.

use strict;
use warnings;

use Test::More;

use Berth::Cache;
use Berth::Cluster;
use Berth::Test;

use constant { LEASE => 4, SLOW => 12, AFTER => 5 };

my @settings = (workers => 2, cache_lease => LEASE, failed_login_burst => 0);
my $t = Berth::Test->new(@settings);
my $elsewhere = Berth::Test->new(@settings, database => $t->dsn('berth'), store => $t->store);
my @nodes = ($t, $elsewhere);
my $cluster = Berth::Cluster->inherited;
my ($database, $dump) = ($t->{database}, $t->dir . '/registry.dump');
my ($id, $public) = ($t->project('demo/private'), $t->project('demo/public', 'public'));
my %id = map { $_ => $t->user($_) } qw(dev mate);
$t->member('dev', 'demo', 'maintainer');
my %token = map { $_ => $t->token($_) } qw(dev mate);
my ($R, $P) = map { $t->registry($_) } $id, $public;
my $index = 'on/e_/one_crate';
my @ports = map { Berth::Cache::start($_) } @nodes;

is($t->publish($_, $token{dev}, 'one_crate', '1.0.0')->{status}, 200, 'there is a crate') for $id, $public;

sub handle { return Berth::Test::token_handle($_[0]); }
sub run { return Berth::Cluster::run_command(@_); }

sub get {
	my ($n, $path, $token) = @_;

	return Berth::Cache::get($ports[$n], $path, defined $token ? (Authorization => $token) : ());
}

# The grants of a node, as WHO PROJECT.
sub grants {
	return map { m{/([^/]+)/([^/]+)$} ? "$1 $2" : () } grep { -l } glob($_[0]->dir . '/cache/grant/*/*/*');
}

run($cluster->tool('pg_dump'), '-Fc', '-d', $t->dsn('postgres'), '-f', $dump);
# all but the audit log, whose rows stay
my $data = run($cluster->tool('pg_dump'), '--data-only', '--disable-triggers',
    '--exclude-table=audit_events*', '-d', $t->dsn('postgres'));
my $tables = join(', ', $t->psql("SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'"
    . " AND tablename !~ '^audit_events' ORDER BY 1"));

# What the dump knows nothing of, each of which nginx sends on both nodes: [path, token, what is answered once
# the older state is back].  Nothing of it ends the epoch, so that the dump has the one under
# which all of it is granted.
sub grow {
	my $late = $t->token('dev');
	my $before = $t->psql('SELECT id FROM access_epoch');
	$t->psql("INSERT INTO members (user_id, project_id, access_level) VALUES ($id{mate}, $id, 40)");
	is($t->publish($id, $token{dev}, 'one_crate', '2.0.0')->{status}, 200, 'a version');
	is($t->psql('SELECT id FROM access_epoch'), $before, 'the epoch is that of the dump');
	my @late = (["$R/$index", $late, 401], ["$R/$index", $token{mate}, 404], ["$R/config.json", $late, 401],
	    ["$R/one_crate/2.0.0/download", $token{dev}, 404], ["$R/one_crate/1.0.0/download", $token{mate}, 404]);
	for my $n (0, 1) {
		for my $l (@late) {
			Berth::Cache::wait_static($nodes[$n], $ports[$n], $l->[0], Authorization => $l->[1])
			    // die "node $n: no file of $l->[0]\n";
		}
	}
	return @late;
}

sub shrunk {
	my ($n, @late) = @_;

	return !grep { get($n, @$_[0, 1])->{status} != $_->[2] } @late;
}

# Nothing that came later is sent, and none of it is granted; $wait: once the lease that was has ended.
sub gone {
	my ($wait, @late) = @_;

	for my $n (0, 1) {
		ok($t->wait_for(sub { shrunk($n, @late) }, LEASE + SLOW), "node $n: nothing of it is sent one lease later")
		    if $wait;
		for my $l ((@late) x AFTER) {
			my ($path, $token, $status) = @$l;
			my $res = get($n, $path, $token);
			$res->{status} == $status or is($res->{status}, $status, "node $n: $path");
		}
		my $res = get($n, "$R/$index", $token{dev});
		is($res->{status}, 200, "node $n: those who may, read");
		unlike($res->{body}, qr/2\.0\.0/, "node $n: what is there, and no more");
		ok(defined Berth::Cache::wait_static($nodes[$n], $ports[$n], "$R/$index", Authorization => $token{dev}),
		    "node $n: from a file soon");
		unlike(get($n, "$R/$index", $token{dev})->{body}, qr/2\.0\.0/, "node $n: of what is there");
		is(join(', ', grep { $_ ne handle($token{dev}) . " $id" } grants($nodes[$n])), '',
		    "node $n: nothing else is granted");
	}
	return;
}

# ---- ways to restore ----

my $restore = sub {
	run($cluster->tool('pg_restore'), '-d', $cluster->dsn($database, 'postgres'), @_, $dump);
};
my $recreate = sub {
	$cluster->sql('postgres', "DROP DATABASE $database WITH (FORCE)",
	    "CREATE DATABASE $database OWNER berth_owner", "GRANT CONNECT ON DATABASE $database TO berth");
	$restore->();
};

subtest 'as the manual says' => sub {
	my @late = grow();

	$_->stop_pool for @nodes;
	is(join(', ', map { grants($_) } @nodes), '', 'a pool that has ended leaves no grant');
	$recreate->();
	$t->berth_ok('store', 'adopt');
	$_->start_pool for @nodes;
	gone(0, @late);
};

# In one transaction of a database that is in use; as if the dump were so young that a lease in
# it has not ended.
sub replace_all {
	my ($sql) = @_;
	my ($status, undef, $err) = Berth::Cluster::capture({ stdin => "BEGIN;\n$sql\n"
		. "UPDATE public.cache_nodes SET lease_until = now() + interval '20 s';\nCOMMIT;\n" },
	    $cluster->tool('psql'), '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $cluster->dsn($database, 'postgres'));

	die $err if $status != 0;
	return;
}

# Whoever forgets a node, or all of them.
my @ways = (
	['a new database of that name', $recreate],
	['other tables in the same database', sub {
		replace_all(scalar(run($cluster->tool('pg_restore'), '--clean', '--if-exists', '-f', '-', $dump)));
	}],
	['other rows in the same tables', sub { replace_all("TRUNCATE $tables RESTART IDENTITY;\n$data") }],
);

for my $way (@ways) {
	my ($name, $do) = @$way;

	subtest "$name, under running nodes" => sub {
		my @late = grow();

		$do->();
		gone(1, @late);
	};
}
# A copy for staging, say, with production's keys in its file: they are secret, and not what
# tells the two apart.
subtest 'a database that becomes another registry' => sub {
	my $copy = "${database}_copy";
	my $mine = $t->token('dev');

	$cluster->sql('postgres', "CREATE DATABASE $copy OWNER berth_owner",
	    "GRANT CONNECT ON DATABASE $copy TO berth");
	run($cluster->tool('pg_restore'), '-d', $cluster->dsn($copy, 'postgres'), $dump);
	$cluster->sql($copy, 'UPDATE registry SET id = gen_random_uuid()');
	my ($new) = $cluster->sql($copy, 'SELECT id FROM registry');
	my $u = Berth::Test->new(@settings, database => $cluster->dsn($copy, 'berth'));
	my $port = Berth::Cache::start($u);
	my $read = sub { Berth::Cache::get($port, $_[0], defined $_[1] ? (Authorization => $_[1]) : ())->{status} };

	is($read->("$R/$index", $token{dev}), 503, 'with the file of the first it serves nobody');
	is($read->("$P/$index"), 503, 'nor anyone');
	is(join(', ', grants($u)), '', 'and grants nothing');
	Berth::Test::write_file($u->dir . '/token.key',
	    Berth::Cluster::slurp($cluster->token_key) =~ s/^registry .*/registry "$new";/r);
	$u->conf(token_key => $u->dir . '/token.key');
	$u->stop_pool;
	$u->start_pool;
	ok(defined Berth::Cache::wait_static($u, $port, "$P/$index"),
	    'with a file of its own anyone is sent what is public');
	is($read->("$R/$index", $_), 401, 'a token of the first, while nginx has its old keys')
	    for $token{dev}, $mine, $token{dev};
	$u->stop_nginx;
	$port = Berth::Cache::start($u);
	is($read->("$R/$index", $_), 401, 'and when it has the new ones') for $token{dev}, $mine, $token{dev};
	is($read->("$P/$index", $token{dev}), 401, 'nor where anyone may read');
	my $own = $u->token('dev');
	ok(defined Berth::Cache::wait_static($u, $port, "$R/$index", Authorization => $own),
	    'a token of its own is sent files');
	is(join(', ', sort(grants($u))), join(', ', sort(handle($own) . " $id", "anyone $public")),
	    'nothing else is granted');
	for my $n (0, 1) {
		is(get($n, "$R/$index", $own)->{status}, 401, "node $n of the first: a token of the other");
		ok(defined Berth::Cache::wait_static($nodes[$n], $ports[$n], "$R/$index", Authorization => $mine),
		    "node $n goes on with its own");
		is(join(', ', grep { /^\Q${\ handle($own)}\E / } grants($nodes[$n])), '',
		    "node $n has granted nothing to the other");
	}
	$u->stop;
	$cluster->sql('postgres', "DROP DATABASE $copy WITH (FORCE)");
};

done_testing();
