#!/usr/bin/perl

# The inspector's standard error becomes one line of the pool's log, whatever it is: a
# crate that makes it write cannot forge log lines.

use strict;
use warnings;

use Test::More;

use Berth::Test;

my $t = Berth::Test->new(cache_dir => undef);
my $id = $t->project('demo/registry');
$t->user('alice');
$t->member('alice', 'demo', 'maintainer');
my $token = $t->token('alice');
my $inspect = $t->build . '/berth-inspect';
my $forged = 'time=2026-01-01T00:00:00.000Z level=info program=berth-fcgi pid=1 event=request id=forged';
my %say = (
	'a line like those of the log' => "printf '%s\\n' '$forged' >&2",
	'bytes that a terminal acts on' => q{printf 'a\\033[2J\\r\\n\\001\\377"quoted"\\n' >&2},
	'much of it' => "head -c 300000 /dev/zero | tr '\\0' e >&2",
	'nothing' => 'true',
	# BERTH_CONF_DATABASE may have a password
	'what it gets of the environment' => 'env | grep BERTH_ >&2; echo environment >&2',
);
my $n = 0;

for my $what (sort keys %say) {
	my $script = $t->dir . '/inspect.' . ++$n;

	Berth::Test::write_file($script, "#!/bin/sh\nPATH=/usr/bin:/bin\n$say{$what}\nexec '$inspect' \"\$\@\"\n");
	chmod(0755, $script) or die "$script: $!\n";
	$t->stop_pool;
	$t->conf(inspector => $script);
	local $ENV{BERTH_CONF_MAX_ENTRIES} = 1000;
	my $before = length $t->log('pool');
	my $res = $t->publish($id, $token, 'noisy', "1.0.$n");

	is($res->{status}, 200, "$what: published all the same") or diag($res->{body});
	is(join(' ', $t->routes_of($res, 1)), 'publish', "$what: by one request");
	my $log = substr($t->log('pool'), $before);
	my @strange = grep { !/^time=\S+ level=\w+ program=berth-fcgi pid=\d+ event=\w+ / || /^\Q$forged\E/
	    || /[^ -~]/ } split(/\n/, $log);

	is(join("\n", @strange), '', "$what: no line of the log is another's");
	my @lines = grep { / event=inspector / } split(/\n/, $log);
	is(scalar @lines, $what eq 'nothing' ? 0 : 1, "$what: lines about it");
	like($_, qr/ level=warn .* id=$res->{headers}{'x-request-id'} stderr=./, "$what: with the request's id")
	    for @lines;
	cmp_ok(length $_, '<', 4096, "$what: of a bounded length") for @lines;
}
# the inspector starts with this publish
$t->stop_pool;
$t->conf(inspector => $t->dir . '/inspect.1');
my $refused = $t->publish($id, $token, 'noisy', '2.0.0', metadata => { links => 'other' });
is($refused->{status}, 400, 'a crate that the inspector accepts and the rest of the publish refuses');
my $line = qr/ event=inspector id=$refused->{headers}{'x-request-id'} stderr=./;
ok($t->wait_for(sub { $t->log('pool') =~ $line }),
    'what it wrote then is there, too');

like($t->log('pool'), qr/stderr="?environment\\x0a"?$/m, 'it gets nothing of the environment');
like($t->log('pool'), qr/stderr="time=2026-01-01T00:00:00\.000Z level=info [^\n]*id=forged\\x0a"/,
    'what it wrote is there, escaped');
like($t->log('pool'), qr/stderr="a\\x1b\[2J\\x0d\\x0a\\x01\\xff\\"quoted\\"\\x0a"/, 'byte by byte');
done_testing();
