#!/usr/bin/perl

# What ends while two nodes send it as fast as they can, for the changes that t/884-cache-private.t does not
# make: no request that begins once it has ended is answered from a file.

use strict;
use warnings;

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Berth::Cache;
use Berth::Cluster;
use Berth::Test;
use Berth::Watch;

use constant { LEASE => 3, SLOW => 12 };

my @settings = (workers => 2, cache_lease => LEASE, failed_login_burst => 0);
my $t = Berth::Test->new(@settings);
my $elsewhere = Berth::Test->new(@settings, database => $t->dsn('berth'), store => $t->store);
my @nodes = ($t, $elsewhere);
my $id = $t->project('demo/private');
my $away = $t->group('away');
my %id = map { $_ => $t->user($_) } qw(dev mate guest stranger);
$t->member($_, 'demo', 'maintainer') for qw(dev mate guest);
my ($index, $crate) = map { $t->registry($id) . "/$_" } 'on/e_/one_crate', 'one_crate/1.0.0/download';

# One slot for each way to retire it, with a token of its own, before anybody reads the file.
my $file = $t->dir . '/token.key';
Berth::Test::write_file($file, Berth::Cluster::slurp($t->{settings}{token_key}));
$_->conf(token_key => $file) for @nodes;
my %token = map { $_ => $t->token($_) } qw(dev mate stranger);
my %slot = map {
	my $slot = $t->berth_ok('key', 'add');

	($_ => { slot => $slot, token => $t->token('mate') });
} qw(plainly stopped killed);
my @ports = map { Berth::Cache::start($_) } @nodes;
is($t->publish($id, $token{mate}, 'one_crate', '1.0.0')->{status}, 200, 'there is a crate');

sub get {
	my ($n, $path, $token) = @_;

	return Berth::Cache::get($ports[$n], $path, defined $token ? (Authorization => $token) : ());
}

# Until nginx sends it on both nodes.
sub warm_up {
	my ($path, $token) = @_;

	for my $n (0, 1) {
		Berth::Cache::wait_static($nodes[$n], $ports[$n], $path, defined $token ? (Authorization => $token) : ())
		    // die "no file on node $n\n";
	}
	return;
}

# Both are read by that token (undef: by nobody) while $change happens; all that begin once it is done get
# $status, and none from a file.
sub ends {
	my ($name, $path, $token, $status, $change) = @_;

	warm_up($path, $token);
	my @after = Berth::Cache::meanwhile($t, \@ports, $name, $path,
	    defined $token ? { Authorization => $token } : {}, $change);
	is(scalar(grep { $_->[2] != $status } @after), 0, "$name: all that begin afterwards: $status");
	for my $n (0, 1) {
		my @sent = Berth::Cache::from_files($nodes[$n], map { $_->[4] } grep { $_->[1] == $n } @after);
		is(scalar @sent, 0, "$name: node $n: none from a file");
	}
	return;
}

# What no command does: the change, and then, as each command, the question whether all nodes have heard.
sub change_and_wait {
	my ($sql) = @_;

	$t->psql($sql);
	my ($number) = $t->psql("SELECT n FROM (SELECT pg_current_xact_id()::text AS n) x,"
	    . " LATERAL (SELECT pg_notify('berth_cache', 's ' || n)) y");
	$t->wait_for(sub { $t->psql("SELECT count(*) FROM cache_nodes WHERE synced < $number"
	    . " AND lease_until > now()") eq '0' }) or die "not acknowledged\n";
	return;
}

subtest 'a project that is moved' => sub {
	my ($group) = $t->psql("SELECT group_id FROM projects WHERE id = $id");
	my $move = sub {
		my ($to, $path) = @_;

		change_and_wait("UPDATE projects SET group_id = $to, full_path = '$path' WHERE id = $id");
	};

	for my $path ($index, $crate) {
		ends('moved', $path, $token{dev}, 404, sub { $move->($away, 'away/private') });
		$move->($group, 'demo/private');
	}
	is(get(0, $index, $token{dev})->{status}, 200, 'and back');
};

subtest 'visibility' => sub {
	my $set = sub {
		my ($to) = @_;

		return sub { $t->berth_ok('project', 'set', 'demo/private', "visibility=$to") };
	};

	$set->('internal')->();
	ends('internal no more', $index, $token{stranger}, 404, $set->('private'));
	$set->('public')->();
	ends('public no more', $index, undef, 401, $set->('private'));
	$set->('public')->();
	ends('public no more, for a stranger', $crate, $token{stranger}, 404, $set->('private'));
};

subtest 'to the second' => sub {
	my $job = $t->job_token('demo/private', 'mate', ttl => LEASE + 4);
	my $guest = $t->token('guest');
	$t->psql("UPDATE members SET expires_at = clock_timestamp() + interval '@{[LEASE + 4]} s'"
	    . " WHERE user_id = $id{guest}");
	my ($token_end) = $t->psql("SELECT extract(epoch FROM expires_at) FROM tokens WHERE handle = '"
	    . Berth::Test::token_handle($job) . q('));
	my ($member_end) = $t->psql("SELECT extract(epoch FROM expires_at) FROM members WHERE user_id = $id{guest}");
	my %case = (token => [$job, $token_end, 401], membership => [$guest, $member_end, 404]);
	my (%sent, %late, %bad);

	warm_up($index, $_) for $job, $guest;
	my $until = ($token_end > $member_end ? $token_end : $member_end) + 0.5;
	# a busy machine asks less often
	while (time() < $until || grep { grep { @{ $_ // [] } <= 5 } @{ $late{$_} // [] }[0, 1] } keys %case) {
		for my $name (sort keys %case) {
			my ($token, $end, $status) = @{ $case{$name} };
			for my $n (0, 1) {
				my $began = time();
				my $res = get($n, $index, $token);

				push @{ ($began < $end ? \%sent : \%late)->{$name}[$n] }, $res->{headers}{'x-request-id'};
				$bad{$name}++ if $began >= $end && $res->{status} != $status;
			}
		}
		sleep(0.01);
	}
	for my $name (sort keys %case) {
		is($bad{$name} // 0, 0, "$name: all that begin once it has ended: $case{$name}[2]");
		for my $n (0, 1) {
			cmp_ok(scalar(Berth::Cache::from_files($nodes[$n], @{ $sent{$name}[$n] })), '>', 0,
			    "$name: node $n: some were sent from a file");
			cmp_ok(scalar @{ $late{$name}[$n] // [] }, '>', 5, "$name: node $n: asked afterwards, too");
			is(scalar(Berth::Cache::from_files($nodes[$n], @{ $late{$name}[$n] })), 0,
			    "$name: node $n: none of these from a file");
		}
	}
};

# Its tokens stay valid: the pool answers.
my %how = (
	plainly => sub { },
	stopped => sub { kill('STOP', Berth::Cache::keeper($elsewhere)) == 1 or die "not stopped\n" },
	killed => sub { kill('KILL', Berth::Cache::keeper($elsewhere)) == 1 or die "not killed\n" },
);
for my $way (qw(plainly stopped killed)) {
	my ($slot, $token) = @{ $slot{$way} }{qw(slot token)};

	subtest "a slot that is retired, $way" => sub {
		is(substr(Berth::Test::token_handle($token), 0, 2), $slot, 'a token of it');
		my $keeper = Berth::Cache::keeper($elsewhere);
		ends("retired, $way", $index, $token, 200, sub {
			$how{$way}->();
			my $began = Berth::Watch::now();
			$t->berth_ok('key', 'retire', $slot);
			Berth::Test::write_file($t->dir . '/took', Berth::Watch::now() - $began);
		});
		cmp_ok(Berth::Cluster::slurp($t->dir . '/took'), '<', LEASE + SLOW, 'which takes no longer than the lease');
		kill('CONT', $keeper) if $way eq 'stopped';
		warm_up($index, $token{mate});
		is(get($_, $index, $token)->{status}, 200, "node $_: the pool answers") for (0, 1) x 5;
		warm_up($crate, $token{mate});
		is(scalar(grep { m{/\Q${\ Berth::Test::token_handle($token)}\E/} }
		    map { glob($_->dir . '/cache/grant/*/*/*') } @nodes), 0, 'no grant comes again');
	};
}

done_testing();
