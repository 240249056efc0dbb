#!/usr/bin/perl
# A client that was made for GitLab: Debian's python3-gitlab.  What it does is in the script beside
# this, which writes TAP; here is what it finds.

use strict;
use warnings;

use Test::More;

use Berth::Test;

my $t = Berth::Test->new(publish_burst => 0, new_crate_burst => 0, failed_login_burst => 0);
my $id = $t->project('demo/registry');
my %user = map { $_ => $t->user($_) } qw(mia ron sam);
$user{root} = $t->user('root', admin => 1);
my $foreign = $t->project('apps/web');
my %token = (
	maintainer => $t->token('mia'),
	reporter => $t->token('ron'),
	stranger => $t->token('sam'),
	spare => $t->token('mia'),
	admin => $t->token('root'),
	job => $t->job_token('demo/registry', 'mia'),
	foreign_job => $t->job_token('apps/web', 'mia'),
);
$t->member('mia', 'demo', 'maintainer');
$t->member('ron', 'demo', 'reporter');
my ($stranger, $spare) = map { $t->psql("SELECT max(id) FROM tokens t WHERE user_id = $user{$_} AND kind = 'personal'") } qw(sam mia);

for my $crate ((map { [sprintf('crate-%02d', $_), '0.1.0'] } 1 .. 22), ['alpha', '1.0.0'], ['alpha', '1.1.0']) {
	is($t->publish($id, $token{maintainer}, @$crate)->{status}, 200, "@$crate is there") or BAIL_OUT('nothing to look at');
}
is($t->publish($id, $token{job}, 'from-job', '1.0.0')->{status}, 200, 'and one from a job');

my $given = JSON::PP->new->canonical->encode({ %token, spare_id => $spare + 0, foreign_id => $stranger + 0,
	stranger_user_id => $user{sam} + 0, reporter_user_id => $user{ron} + 0, foreign_project_id => $foreign + 0,
	foreign_group_id => $t->group('apps') + 0 });
my ($status, $out, $err) = Berth::Cluster::capture({ env => { no_proxy => '*' } }, '/usr/bin/python3', 't/901-gitlab-client.py', $t->url,
    $t->cacert, 'demo', 'demo/registry', $given);

subtest 'python-gitlab' => sub {
	my $lines = 0;

	for my $line (split /\n/, $out) {
		if ($line =~ /^(not )?ok \d+ - (.*)$/) {
			ok(!$1, $2);
			$lines++;
		} elsif ($line =~ /^# (.*)$/) {
			diag($1);
		}
	}
	is($status, 0, 'the client ends well') or diag($err);
	like($out, qr/^1\.\.$lines$/m, 'and has done all that it was to do');
};

is($t->psql("SELECT count(*) FROM audit_events WHERE action = 'crate.delete' AND user_id = $user{mia}"), 3, 'what was deleted is in the audit');
is($t->psql("SELECT string_agg(DISTINCT action, ' ' ORDER BY action) FROM audit_events WHERE request_id IS NOT NULL"),
    'crate.delete crate.publish member.remove member.set project.allow project.disallow project.set protection.change'
    . ' protection.create protection.remove token.create token.revoke token.rotate', 'and so is all else');
is($t->psql("SELECT count(*) FROM audit_events WHERE request_id IS NOT NULL AND (user_id IS NULL OR token_id IS NULL OR remote_addr IS NULL)"), 0,
    'with who it was and from where');
unlike(join('', map { $t->log($_) } qw(pool nginx-error nginx-berth)), qr/berth_(?:pat|dep|job)_/, 'no log has a token');

done_testing();
