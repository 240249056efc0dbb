#!/usr/bin/perl

# `make run` as a newcomer would: a whole registry of its own comes up, takes a crate, and is what
# the manual says it is: what was allowed once comes from nginx alone.  It stops, keeps its data, and goes.

use strict;
use warnings;

use Fcntl qw(LOCK_EX);
use File::Temp qw(tempdir);
use Test::More;

use Berth::Cluster;
use Berth::Crate;
use Berth::Test;

my $root = $Berth::Cluster::ROOT;
my $dir = tempdir('/tmp/berth-run-XXXXXX', CLEANUP => 1);
my $run = "$dir/run";
# Monitoring has the port that is 10000 higher.  It must be below the range from which the kernel takes
# ports for outgoing connections, or one of these may have it.
my $monitoring;
do { $monitoring = Berth::Test::claim_port() } until $monitoring < 30000;
my $port = $monitoring - 10000;
my $body = "$dir/body";

# not those of the make that runs the tests
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL BERTH_BUILD BERTH_CONF)};

# (exit status, what it printed)
sub dev_at {
	my ($at, @args) = @_;
	my ($status, $out, $err) = Berth::Cluster::capture({ env => { BERTH_RUN => $run, BERTH_PORT => $at } },
	    "$root/scripts/dev", @args);

	return ($status, $out . $err);
}

sub dev { return dev_at($port, @_); }

END {
	my $status = $?;
	dev('reset') if -e "$run/.berth";
	$? = $status;
}

my %env;

sub ask {
	my ($path, @curl) = @_;
	my ($status, $out, $err) = Berth::Cluster::capture('curl', '-sS', '--cacert', $env{BERTH_CACERT}, '-D',
	    "$dir/headers", @curl, $path =~ /^http/ ? $path : "$env{BERTH_URL}$path");

	die "curl $path: $status\n$err" if $status != 0;
	my $headers = Berth::Cluster::slurp("$dir/headers");
	return { status => ($headers =~ m{^HTTP/\S+ (\d+)})[0], id => ($headers =~ /^x-request-id: (\w+)/mi)[0],
	    body => $out };
}

sub log_lines {
	return map { split(/\n/, Berth::Cluster::slurp("$run/log/nginx-$_.log")) } qw(berth berth-cache);
}

# Asks until the answer is nginx's own.
sub by_nginx {
	my (@request) = @_;

	return Berth::Test::wait_for(sub {
		my $res = ask(@request);
		my $line;

		# that of the cache is written once a second
		Berth::Test::wait_for(sub { ($line) = grep { index($_, " id=$res->{id} ") > 0 } log_lines() }, 10);
		return $res->{status} == 200 && ($line // '') =~ / pool_s=- /;
	});
}

my ($status, $said) = dev('start');
# the reason is in the last line, and BAIL_OUT prints only the first one
is($status, 0, 'scripts/dev start') or do { diag($said); BAIL_OUT('scripts/dev does not start') };
my $first = $said;
like($said, qr{^index = "sparse\+https://localhost:$port/api/v4/projects/\d+/packages/cargo/"$}m,
    'the index to paste');
like($said, qr{^cainfo = "\Q$run\E/tls/bundle.pem"$}m, 'the certificate');
my ($token) = $said =~ /^export CARGO_REGISTRIES_BERTH_TOKEN=(berth_pat_[\w-]+)$/m;
ok(defined $token, 'a token');
%env = Berth::Cluster::slurp("$run/env") =~ /^export (\w+)='?([^'\n]*)'?$/mg;
is($env{BERTH_TOKEN}, $token, 'run/env has it as well');
is($env{CARGO_REGISTRIES_BERTH_TOKEN}, $token, 'and for cargo');
($status, $said) = dev('status');
is($status, 0, 'status: all') or diag($said);
is(scalar(() = $said =~ /^berth: (?:postgresql|pool|worker|nginx) is running, pid \d+$/mg), 4, 'of four');
for my $asked ($port, undef) {
	is_deeply([dev_at($asked, 'start')], [0, "berth: is running already at https://localhost:$port; its"
	    . " addresses are in $run/env\n"], 'a second start, with BERTH_PORT=' . ($asked // ''));
}
for my $what (qw(start run)) {
	my $another = $port + 1;

	is_deeply([dev_at($another, $what)], [1, "berth: the registry runs on port $port, not on"
	    . " BERTH_PORT=$another; run scripts/dev stop first\n"], "$what, with another BERTH_PORT");
}
{
	my $conf = Berth::Cluster::slurp("$run/berth.conf");
	my $worker = Berth::Cluster::slurp("$run/worker.pid") + 0;

	kill('TERM', $worker);
	ok(Berth::Test::wait_for(sub { !kill(0, $worker) }), 'one part ends');
	is((dev_at($port + 1, 'start'))[0], 1, 'another BERTH_PORT does not move the rest');
	my $pool = Berth::Cluster::slurp("$run/berth.pid") + 0;
	open(my $lock, '>>', "$run/.lock") or die "$run/.lock: $!\n";
	flock($lock, LOCK_EX) or die "$run/.lock: $!\n";
	is_deeply([dev('start')], [1, "berth: another scripts/dev works on $run\n"],
	    'a start while another one is at work');
	ok(kill(0, $pool), '  stops nothing of it');
	close($lock);
	($status, $said) = dev_at(undef, 'start');
	is($status, 0, 'a start without BERTH_PORT') or diag($said);
	like($said, qr{^Berth is at https://localhost:$port,}m, '  keeps the port');
	is(Berth::Cluster::slurp("$run/berth.conf"), $conf, '  and the configuration');
}

my ($R, $P) = map { "/api/v4/projects/$_/packages/cargo" } @env{qw(BERTH_PROJECT_ID BERTH_PUBLIC_PROJECT_ID)};
Berth::Test::write_file($body, Berth::Test->publish_body(Berth::Crate::metadata('hello', '0.1.0'),
    Berth::Crate::make('hello', '0.1.0')));
for my $registry ($R, $P) {
	my $res = ask("$registry/api/v1/crates/new", '-X', 'PUT', '-H', "Authorization: $token", '--data-binary',
	    "\@$body");

	is($res->{status}, 200, 'a crate is published') or diag($res->{body});
}
ok(by_nginx("$P/config.json"), 'public: config.json comes from nginx alone');
ok(by_nginx("$P/he/ll/hello", '-H', 'Accept-Encoding: gzip', '-o', "$dir/index"), 'an index file, too');
ok(by_nginx("$P/hello/0.1.0/download", '-o', "$dir/crate"), 'and a crate');
is(ask("$R/he/ll/hello")->{status}, 401, 'private: not without a token');
is(ask('/api/v4/groups/1/-/packages/cargo/he/ll/hello', '-H', "Authorization: $token")->{status}, 200,
    'the group of both projects is the registry that README says');
for my $what ('config.json', 'he/ll/hello', 'hello/0.1.0/download') {
	ok(by_nginx("$R/$what", '-H', "Authorization: $token", '-H', 'Accept-Encoding: gzip', '-o', "$dir/answer"),
	    "private, with a token: $what, too");
}


# A user who has pasted the lines can use the commands of the pages as they are.
{
	my (undef, $link) = Berth::Cluster::capture("$root/build/berth", '-c', "$run/berth.conf",
	    qw(user link demo));
	my @form = ('-H', "Origin: $env{BERTH_URL}", '-d', 'confirm=true&code=' . (split(/\n/, $link))[1]);
	my ($lines) = $first =~ /^(\[registries\.\w+\]\n.*?)\n\n/ms;
	my $page;

	is(ask('/-/sign-in', '-c', "$dir/cookies", @form)->{status}, 303, 'the demo user signs in');
	$page = ask('/-/projects/demo/berth/-/crates/hello', '-b', "$dir/cookies")->{body};
	ok(defined $lines && index($page, $lines) >= 0, 'the page of a crate shows the lines to paste');
	like($page, qr/^<pre[^>]*><code>cargo add hello --registry berth$/m, 'and the command for them');
}

SKIP: {
	my $why = Berth::Test->cargo_missing;
	skip $why, 1 if $why;
	my %clean = map { ($_ => undef) } grep { /^(?:CARGO_|https?_proxy$|all_proxy$)/i } keys %ENV;
	my ($failed, $out, $err) = Berth::Cluster::capture({ dir => $dir,
	    env => { %clean, no_proxy => '*', CARGO_HOME => "$dir/cargo-home",
		map { ($_ => $env{$_}) } grep { /^CARGO_/ } keys %env } }, 'timeout', 300,
		    qw(cargo search --registry berth hello));

	like($out, qr/^hello = "0\.1\.0"/, 'cargo needs nothing but run/env') or diag("$failed: $err");
}

# Within a minute of its start, the worker has done everything once.
my ($well, $checked, $complaint);
Berth::Test::wait_for(sub {
	($well, $checked, $complaint) = Berth::Cluster::capture("$root/build/berth", '-c', "$run/berth.conf",
	    'check');
	return $well == 0;
}, 20);
is($well, 0, 'berth check: all is well') or diag($checked, $complaint);

{
	my ($failed, undef, $err) = Berth::Cluster::capture("$root/build/berth", '-c', "$run/berth.conf", 'backup',
	    '--database', $env{BERTH_OWNER_DSN}, "$dir/backup");

	is("$failed $err", '0 ', 'a backup as the owner of the database');
}

($status, $said) = dev('stop');
is("$status $said", "0 berth: stopped; the data stays\n", 'stop');
is((dev('status'))[0], 3, 'status: nothing');
is((dev('start'))[0], 0, 'another start');
is(ask("$R/he/ll/hello", '-H', "Authorization: $token")->{status}, 200, 'with what there was');
is((dev('reset'))[0], 0, 'reset');
ok(!-e $run, 'leaves nothing');

done_testing();
