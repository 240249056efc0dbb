#!/usr/bin/perl

# A secret goes with its request: after requests with secrets of every kind, in every place, no process of
# the pool has any of them in its memory.  It uses the plain build, since sanitizers keep freed
# memory.

use strict;
use warnings;

use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Test::More;

use Berth::Test;

my $plain = "$Berth::Cluster::ROOT/build";
plan skip_all => 'the plain build is not there (make check makes it)' unless -x "$plain/berth-fcgi";

my $t = Berth::Test->new(workers => 1, write_workers => 1, failed_login_burst => 0, pool_build => $plain,
    inspector => "$plain/berth-inspect");
my $id = $t->project('demo/registry');
my $R = $t->registry($id);
my $json = JSON::PP->new->utf8;
$t->user('alice');
$t->member('alice', 'demo', 'owner');
$t->start_pool;
$t->start_nginx;
my ($worker) = children();
open(my $mem, '<:raw', "/proc/$worker/mem") or plan skip_all => "no ptrace here: $!";
close($mem);

# name => [where it was sent, the text that must not stay]
my @secrets;

sub secret {
	my ($where, $text) = @_;

	# what comes first is the same in all
	push @secrets, [$where, substr($text, -24)];
	return $text;
}

sub pat { return secret($_[0], $t->token('alice')); }

sub ask {
	my ($want, $what, $method, $path, %opt) = @_;
	my $res = $t->http($method => $path, \%opt);

	like($res->{status}, $want, "$what: $res->{status}") or diag($res->{body});
	return $res;
}

subtest 'requests with secrets' => sub {
	my $self = '/api/v4/personal_access_tokens/self';
	my $basic = sub { return 'Basic ' . secret('Basic, as it came', encode_base64("alice:$_[0]", '')) };

	ask(qr/^200/, 'bare', GET => "$R/config.json", token => pat('Authorization'));
	ask(qr/^200/, 'Bearer', GET => "$R/config.json", token => 'Bearer ' . pat('Bearer'));
	ask(qr/^200/, 'Basic', GET => "$R/config.json", token => $basic->(pat('Basic')));
	ask(qr/^200/, 'PRIVATE-TOKEN', GET => $self, headers => { 'Private-Token' => pat('PRIVATE-TOKEN') });
	ask(qr/^200/, 'DEPLOY-TOKEN', GET => "/api/v4/projects/$id/packages",
	    headers => { 'Deploy-Token' => secret('DEPLOY-TOKEN', $t->deploy_token('demo/registry', 'read')) });
	ask(qr/^200/, 'JOB-TOKEN', GET => '/api/v4/job',
	    headers => { 'Job-Token' => secret('JOB-TOKEN', $t->job_token('demo/registry', 'alice')) });
	ask(qr/^40/, 'two of them', GET => $self,
	    headers => { 'Private-Token' => pat('the first of two'), 'Job-Token' => pat('the second') });
	ask(qr/^401/, 'revoked', GET => "$R/config.json", token => do {
		my $token = pat('revoked');
		$t->berth_ok({ stdin => $token }, qw(token revoke));
		$token;
	});
	ask(qr/^401/, 'spelled wrong', GET => "$R/config.json",
	    token => secret('spelled wrong', 'berth_pat_' . 'wrong-Spelled' x 3));
	ask(qr/^401/, 'another system\'s', GET => "$R/config.json",
	    token => secret('of another system', 'glpat-' . join('', map { ('a' .. 'z')[rand 26] } 1 .. 40)));
	ask(qr/^404/, 'in a query', GET => "/api/v4/nothing?private_token=" . pat('query'));
	ask(qr/^200/, 'in a header that means nothing', GET => "$R/config.json", token => pat('beside a header'),
	    headers => { 'X-Other' => pat('header') });
	ask(qr/^200/, 'between long headers', GET => "$R/config.json", token => pat('long headers'),
	    headers => { map { ("X-Long-$_" => 'x' x 3000) } 1 .. 3 });
	ask(qr/^200/, 'a search', GET => "$R/api/v1/crates?q=none", token => pat('search'));
	for my $n (1, 2) {
		my $res = $t->publish($id, pat("publish $n"), 'secret', "1.0.$n");
		is($res->{status}, 200, "publish $n") or diag($res->{body});
	}
	ask(qr/^200/, 'a download', GET => "$R/secret/1.0.1/download", token => pat('download'));
	ask(qr/^200/, 'an index file', GET => "$R/se/cr/secret", token => pat('index'));
	ask(qr/^200/, 'a yank', DELETE => "$R/api/v1/crates/secret/1.0.1/yank", token => pat('yank'));
	ask(qr/^4/, 'a publish that is none', PUT => "$R/api/v1/crates/new", token => pat('bad publish'),
	    body => pat('its body') . 'x' x 100_000);

	my $res = ask(qr/^20/, 'a token that is made', POST => "$self/rotate",
	    headers => { 'Private-Token' => pat('rotated') });
	secret('made by rotation', $t->json($res)->{token});
	$res = ask(qr/^20/, 'a deploy token', POST => "/api/v4/projects/$id/deploy_tokens",
	    headers => { 'Private-Token' => pat('maker'),
	    'Content-Type' => 'application/json' },
	    body => $json->encode({ name => 'd', scopes => ['read_package_registry'] }));
	secret('made: a deploy token', $t->json($res)->{token});
	my $jwt = join('.', map { encode_base64($_, '') =~ s/=+$//r =~ tr{+/}{-_}r } '{"alg":"RS256","kid":"x"}',
	    '{"iss":"https://issuer.example.com","aud":"x","sub":"' . 's' x 60 . '"}',
	    join('', map { chr(rand 256) } 1 .. 256));
	ask(qr/^4/, 'an identity token', POST => "$R/trusted_publishing/tokens",
	    headers => { 'Content-Type' => 'application/json' },
	    body => $json->encode({ jwt => secret('identity token', $jwt) }));
	ask(qr/^4/, 'one as a credential', GET => "$R/config.json",
	    token => 'Bearer ' . secret('identity token as credential', reverse($jwt) =~ tr/./_/r));

	$res = ask(qr/^[2-4]/, 'a form', POST => '/-/sign-in',
	    headers => { Origin => $t->url, 'Content-Type' => 'application/x-www-form-urlencoded' },
	    body => 'confirm=true&code='
	    . secret('sign-in code', (split(/\n/, $t->berth_ok(qw(user link alice))))[-1]));
	my ($cookie) = ($res->{headers}{'set-cookie'} // '') =~ /=([^;]{20,})/;
	ok(defined $cookie, 'a session') or return;
	ask(qr/^200/, 'its page', GET => '/-/tokens',
	    headers => { Cookie => $res->{headers}{'set-cookie'} =~ s/;.*//r });
	secret('session cookie', $cookie);
};

subtest 'what is left of them' => sub {
	my @pids = ($t->pool_pid, children());

	cmp_ok(scalar @secrets, '>', 30, 'secrets were sent');
	cmp_ok(scalar @pids, '>=', 3, 'processes');
	# to be sure that the search finds a text
	cmp_ok(scalar(grep { found($_, ['configuration', $t->dir]) } @pids), '==', scalar @pids,
	    'memory can be searched');
	for my $pid (@pids) {
		my @found = map { "$_->[0]: $_->[2]" } map { found($pid, @secrets) } 1;

		is(join("\n", @found), '', "process $pid has none of them");
	}
};

# A process of the same user, without the capability to look into others; the pool has none either.
subtest 'who may look' => sub {
	my @as = $> == 0 ? qw(setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace) : ();
	my $sees = sub { return (Berth::Cluster::capture(@as, 'sh', '-c', "exec 3</proc/$_[0]/mem"))[0] == 0 };

	mkdir($t->dir . '/lesser') or die;
	for my $program (qw(berth-fcgi berth-worker)) {
		my $path = $t->dir . "/lesser/$program";

		Berth::Test::write_file($path, "#!/bin/sh\nexec @as '$plain/$program' \"\$\@\"\n");
		chmod(0755, $path) or die;
	}
	$t->{pool_build} = $t->dir . '/lesser';
	for my $traceable (qw(on off)) {
		$t->stop_pool;
		$t->conf(traceable => $traceable);
		my %pids = (worker => $t->start_worker($traceable), master => $t->pool_pid);

		ok($t->wait_for(sub { (() = $t->log('pool') =~ /ready: /g) == ($traceable eq 'on' ? 2 : 3) }),
		    'the pool is ready');
		@pids{map { "child $_" } 1 .. 3} = children();
		# the keeper may still be starting
		ok($t->wait_for(sub { !grep { $sees->($pids{$_}) != ($traceable eq 'on') } keys %pids }, 20),
		    "traceable = $traceable: whether the same user sees into them")
		    or diag(map { "$_: " . $sees->($pids{$_}) . "\n" } sort keys %pids);
		next if $traceable eq 'on';
		like(Berth::Cluster::slurp("/proc/$pids{$_}/limits"), qr/^Max core file size +0 +0 /m, "$_: no core")
		    for sort keys %pids;
	}
};

done_testing();

sub children {
	my $pid = $t->pool_pid;
	my @pids;

	# two workers, and the keeper
	$t->wait_for(sub { return (@pids = split ' ',
	    Berth::Cluster::slurp("/proc/$pid/task/$pid/children")) >= 3 });
	return sort { $a <=> $b } @pids;
}

# The texts in the memory of that process: [where it was sent, text, the region] each.
sub found {
	my ($pid, @texts) = @_;
	my %seen;

	no warnings 'portable';

	open(my $in, '<:raw', "/proc/$pid/mem") or die "mem: $!\n";
	for my $line (split(/\n/, Berth::Cluster::slurp("/proc/$pid/maps"))) {
		my ($from, $to, $name) = $line =~ /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \d+\s*(.*)$/ or next;
		my $bytes = '';

		next if $name =~ /^\[v/;
		sysseek($in, hex $from, 0) or next;
		my $n = hex($to) - hex($from);
		while (length $bytes < $n) {
			sysread($in, $bytes, $n - length $bytes, length $bytes) or last;
		}
		for my $text (@texts) {
			$seen{"@$text"} //= [@$text, $name || 'heap of its own'] if index($bytes, $text->[1]) >= 0;
		}
	}
	return values %seen;
}
