#!/usr/bin/perl
# A token that replaces another one never ends later than that one; and when somebody shows the old one
# again within its life, the token that came of it ends.

use strict;
use warnings;

use POSIX qw(strftime);
use Test::More;

use Berth::Cluster;
use Berth::Session;
use Berth::Test;

my $t = Berth::Test->new(workers => 4, publish_burst => 0, new_crate_burst => 0, failed_login_burst => 0);
my $cluster = Berth::Cluster->inherited // Berth::Cluster->start;
my $id = $t->project('demo/registry');
my $tokens = '/api/v4/personal_access_tokens';

$t->user($_) for qw(ann bob);
$t->member($_, 'demo', 'developer') for qw(ann bob);

sub day { return strftime('%Y-%m-%d', gmtime(time + $_[0] * 86400)); }

sub rotate {
	my ($token, $end) = @_;
	my $res = $t->http(POST => "$tokens/self/rotate", { token => $token, defined $end
	    ? (body => "{\"expires_at\":\"$end\"}", headers => ['Content-Type: application/json']) : () });

	return $res->{status} == 200 ? $t->json($res)
	    : { status => $res->{status}, message => eval { $t->json($res)->{message} } // $res->{body} };
}

sub good { return $t->http(GET => "$tokens/self", { token => $_[0] })->{status} == 200; }
sub id_of { return $t->json($t->http(GET => "$tokens/self", { token => $_[0] }))->{id}; }

sub reuse {
	return $t->psql("SELECT detail ->> 'shown' || ' ' || (detail ->> 'token_id') || ' ' || user_id || ' ' ||"
	    . " token_id FROM audit_events WHERE action = 'token.reuse' ORDER BY id");
}

subtest 'when the new one ends' => sub {
	my @cases = ( # the end of the old one, what is asked for, what comes of it: days from now; undef: none
		[undef, undef, 7], [undef, 300, 300], [undef, 401, 400 => 'within'],
		[30, undef, 7], [30, 30, 30], [30, 10, 10], [30, 31, 400 => 'must not be after'],
		[30, 399, 400 => 'must not be after'],
		[7, undef, 7], [3, undef, 3], [1, undef, 1], [3, 2, 2], [3, 4, 400 => 'must not be after'],
	);

	for my $case (@cases) {
		my ($old, $asked, $want, $why) = @$case;
		my $token = $t->token('ann', defined $old ? (expires => day($old)) : ());
		my $new = rotate($token, defined $asked ? day($asked) : undef);
		my $name = join(', ', defined $old ? "ends in $old days" : 'does not end',
		    defined $asked ? "asks for $asked" : 'asks for nothing');

		if (defined $why) {
			is($new->{status}, 400, "$name: refused");
			like($new->{message}, qr/$why/, '  and told why');
			ok(good($token), '  and the old one goes on');
		} else {
			is($new->{expires_at}, day($want), "$name: ends in $want");
			ok(good($new->{token}) && !good($token), '  in place of the old one');
		}
	}
	my $token = $t->token('ann', expires => day(5));
	my $by_hour = $t->psql("UPDATE tokens SET expires_at = expires_at + interval '7 hours 30 minutes'"
	    . " WHERE id = " . id_of($token) . ' RETURNING expires_at');
	for my $n (1 .. 5) {
		$token = rotate($token)->{token};
	}
	is($t->psql('SELECT expires_at FROM tokens WHERE id = ' . id_of($token)), $by_hour,
	    'however often: to the second');
	is($t->psql("SELECT count(*) FROM audit_events WHERE action = 'token.rotate'"
	    . " AND (detail ->> 'expires_at')::timestamptz = '$by_hour'"), 5, 'as the audit log says');
};

# A token, and its successor after n rotations.
sub chain {
	my ($n, %opt) = @_;
	my @chain = $t->token('ann', %opt);

	push @chain, rotate($chain[-1])->{token} for 1 .. $n;
	return @chain;
}

subtest 'the old one is shown again' => sub {
	my $other = $t->token('ann');
	my @ways = ( # where it is shown
		['the management API', sub { $t->http(GET => '/api/v4/user', { token => $_[0] }) }],
		['PRIVATE-TOKEN',
		    sub { $t->http(GET => "/api/v4/projects/$id/packages", { headers => ["PRIVATE-TOKEN: $_[0]"] }) }],
		['the index', sub { $t->http(GET => $t->registry($id) . '/ab/cd/abcd', { token => $_[0] }) }],
		['a download',
		    sub { $t->http(GET => $t->registry($id) . '/abcd/1.0.0/download', { token => "Bearer $_[0]" }) }],
		['a publish', sub { $t->publish($id, $_[0], 'abcd', '1.0.0') }],
		['to rotate', sub { $t->http(POST => "$tokens/self/rotate", { token => $_[0] }) }],
	);

	for my $way (@ways) {
		my ($name, $show) = @$way;

		for my $n (1, 3) {
			my @chain = chain($n);
			my ($first, $last) = map { id_of_row($_) } @chain[0, -1];
			my @before = reuse();
			my $res = $show->($chain[0]);

			is($res->{status}, 401, "$name, $n times replaced: refused") or diag($res->{body});
			ok(!good($chain[-1]), '  and the last one is not good any more');
			is_deeply([(reuse())[@before .. $#before + 1]], ["$first $last "
			    . $t->psql("SELECT id FROM users WHERE username = 'ann'") . " $first"], '  the audit log has it');
			is(scalar(() = reuse()), @before + 1, '  once');
			$show->($chain[$_]) for 0 .. $#chain;
			is(scalar(() = reuse()), @before + 1, '  however often they are shown');
		}
	}
	ok(good($other), 'another token of the same user goes on');
	my @chain = chain(3);
	ok($t->http(GET => '/api/v4/user', { token => $chain[2] })->{status} == 401 && !good($chain[3]),
	    'one from the middle does the same');
};

# By its digest, as a token that has ended tells nothing of itself.
sub id_of_row {
	return $t->psql("SELECT id FROM tokens WHERE handle = '" . Berth::Test::token_handle($_[0]) . "'");
}

subtest 'what ends nothing' => sub {
	my $before = scalar(() = reuse());
	my @chain = chain(1, expires => day(3));

	$t->psql("UPDATE tokens SET expires_at = now() - interval '1 second' WHERE id = " . id_of_row($chain[0]));
	is($t->http(GET => '/api/v4/user', { token => $chain[0] })->{status}, 401, 'one whose own end has come');
	ok(good($chain[1]), '  leaves the other');
	my ($plain, $beside) = ($t->token('ann'), $t->token('ann'));
	$t->berth_ok({ stdin => $plain }, qw(token revoke));
	is($t->http(GET => '/api/v4/user', { token => $plain })->{status}, 401,
	    'one that was revoked and not replaced');
	ok(good($beside), '  leaves others');
	my @ended = chain(2);
	is($t->http(DELETE => "$tokens/self", { token => $ended[2] })->{status}, 204, 'the last one was revoked');
	is($t->http(GET => '/api/v4/user', { token => $_ })->{status}, 401, '  then') for @ended;
	is(scalar(() = reuse()), $before, 'nothing is in the audit log');
};

subtest 'both at once' => sub {
	my @chain = chain(2);
	# one replaces the last, again and again, while others show the first
	my @seen = $t->parallel(4, sub {
		my ($n) = @_;
		my ($token, @status) = ($chain[-1]);

		for (1 .. 6) {
			if ($n == 0) {
				my $new = rotate($token);
				push @status, $new->{status} // 200;
				$token = $new->{token} // $token;
			} else {
				push @status, $t->http(GET => '/api/v4/user', { token => $chain[0] })->{status};
			}
		}
		return join(' ', @status);
	});
	ok(!grep({ !/^(?:(?:200|401|404) ?)+$/ } @seen), 'no error') or diag(explain(\@seen));
	$t->http(GET => '/api/v4/user', { token => $chain[0] });
	is($t->psql('SELECT count(*) FROM tokens WHERE family = ' . id_of_row($chain[0])
	    . ' AND revoked_at IS NULL'), 0, 'in the end none is good');
};

# The revocation is under way when the rotation reads the token.
subtest 'revoked meanwhile' => sub {
	my $token = $t->token('ann');
	my $token_id = id_of($token);
	my $before = $t->psql('SELECT max(id) FROM tokens');
	my $session = Berth::Session->new($cluster->socket_dir . '/.s.PGSQL.5432', $t->{database}, 'postgres');

	$session->run("BEGIN; UPDATE tokens SET revoked_at = now() WHERE id = $token_id");
	my ($new, $waited) = $t->parallel(2, sub {
		return rotate($token) if $_[0] == 0;
		my $waits = $t->wait_for(sub { $t->psql('SELECT count(*) FROM pg_stat_activity'
		    . " WHERE wait_event_type = 'Lock' AND datname = current_database()") == 1 });
		$session->run('COMMIT');
		return $waits;
	});
	ok($waited, 'the rotation waits for it');
	like($new->{status}, qr/^40[14]$/, '  is refused');
	is($t->psql('SELECT max(id) FROM tokens'), $before, '  and no other token comes of it');
};

done_testing();
