#!/usr/bin/perl

# Yank and unyank: twice is once, build metadata does not count, a message that says why, seen at
# once by everybody; by HTTP, by berth(1), by the real cargo.

use strict;
use warnings;

use Encode ();
use Test::More;

use Berth::Test;

my $t = Berth::Test->new(workers => 4, yank_burst => 0);
my $id = $t->project('demo/priv');

$t->user($_) for qw(dev reporter);
$t->member('dev', 'demo', 'developer');
$t->member('reporter', 'demo', 'reporter');
my %token = map { $_ => $t->token($_) } qw(dev reporter);
is($t->publish($id, $token{dev}, 'Foo_Lib', $_)->{status}, 200, "$_ is there") for qw(1.0.0+b.1 1.1.0);

sub ask {
	my ($method, $what, $crate, $version, %opt) = @_;
	my $body = ref $opt{body} ? JSON::PP->new->utf8->encode($opt{body}) : $opt{body};

	return $t->http($method => $t->registry($id) . "/api/v1/crates/$crate/$version/$what",
	    { token => $opt{token} // $token{dev}, body => $body,
		headers => defined $body ? { 'Content-Type' => $opt{type} // 'application/json' } : {} });
}

sub yank { return ask(DELETE => 'yank', @_); }
sub unyank { return ask(PUT => 'unyank', @_); }
sub detail { return eval { $t->json($_[0])->{errors}[0]{detail} } // "no error: $_[0]{body}"; }
sub row { return scalar $t->psql("SELECT yanked, yank_message FROM versions WHERE version_base = '$_[0]'"); }
sub audits { return scalar $t->psql("SELECT count(*) FROM audit_events WHERE action = 'crate.$_[0]'"); }

sub index_text {
	return $t->http(GET => $t->registry($id) . '/fo/o_/foo_lib', { token => $token{reporter} })->{body};
}

sub in_index {
	my ($line) = grep { /"vers":"\Q$_[0]\E"/ } split(/\n/, index_text());
	return $line =~ /"yanked":true/ ? 1 : 0;
}

# ---- twice is once; build metadata does not count ----

for my $version ('1.0.0', '1.0.0+b.1', '1.0.0+other') {
	my $before = audits('yank');
	my $text = index_text();

	is(yank('foo-lib', $version)->{body}, '{"ok":true}', "yank $version");
	is_deeply([map { in_index('1.0.0+b.1') } 1 .. 8], [(1) x 8], 'every worker shows it at once');
	my $revision = $t->psql('SELECT index_revision FROM crates');
	is(yank('FOO_lib', $version)->{body}, '{"ok":true}', 'again');
	is($t->psql('SELECT index_revision FROM crates'), $revision, 'changes nothing');
	is(audits('yank'), $before + 1, 'and is one row in the audit log');
	is(unyank('foo_lib', $version)->{body}, '{"ok":true}', "unyank $version");
	is(unyank('foo_lib', $version)->{body}, '{"ok":true}', 'again');
	is_deeply([map { in_index('1.0.0+b.1') } 1 .. 8], [(0) x 8], 'every worker shows it at once');
	is(index_text(), $text, 'the index is what it was');
}
is($t->psql("SELECT DISTINCT crate, version FROM audit_events WHERE action = 'crate.yank'"),
    'Foo_Lib|1.0.0+b.1', 'the audit log has the names as they are');

# ---- why ----

my $why = "broken on Tuesdays: \x{201c}yes\x{201d}";
my $bytes = Encode::encode('UTF-8', $why);

is(yank('foo-lib', '1.0.0', body => { message => $why })->{status}, 200, 'yank with a message');
is(row('1.0.0'), "t|$bytes", 'is kept');
is($t->psql("SELECT detail ->> 'message' FROM audit_events ORDER BY id DESC LIMIT 1"), $bytes,
    'in the audit log as well');
my $package = "/api/v4/projects/$id/packages/"
    . $t->psql("SELECT id FROM versions WHERE version_base = '1.0.0'");
my $told = sub {
	return join('|', map { Encode::encode('UTF-8', $_ // 'none') } @{ $t->json($t->http(GET => $package,
	    { token => $token{reporter} })) }{qw(status status_message yank_message)});
};
is($told->(), "default|$bytes|$bytes", 'and told of the package, where its status has no message');
$t->psql("UPDATE versions SET status_message = 'of the status' WHERE version_base = '1.0.0'");
is($told->(), "default|of the status|$bytes", 'which comes first');
$t->psql("UPDATE versions SET status_message = NULL WHERE version_base = '1.0.0'");
is($t->json($t->http(GET => "/api/v4/projects/$id/packages?package_name=foo-lib",
    { token => $token{reporter} }))->[0]{yank_message}, $why, 'in lists as well');
my $rows = audits('yank');
is(yank('foo-lib', '1.0.0')->{status}, 200, 'again without one');
is(row('1.0.0'), "t|$bytes", 'which takes nothing back');
is(yank('foo-lib', '1.0.0', body => { message => $why })->{status}, 200, 'again with the same');
is(audits('yank'), $rows, 'nothing has changed');
is(yank('foo-lib', '1.0.0', body => 'message=and+on+Fridays',
    type => 'application/x-www-form-urlencoded')->{status}, 200, 'another one, as a form');
is(row('1.0.0'), 't|and on Fridays', 'takes its place');
is(audits('yank'), $rows + 1, 'which is a change');
is(unyank('foo-lib', '1.0.0', body => { message => 'ignored' })->{status}, 200, 'unyank');
is(row('1.0.0'), 'f|', 'takes the message with it');
is($told->(), 'default|none|none', 'also from the package');
is(yank('foo-lib', '1.0.0', body => $_)->{status}, 200, 'no message')
    for { message => undef }, { message => '' }, {}, { other => 1 };
is(row('1.0.0'), 't|', 'there is none');
unyank('foo-lib', '1.0.0');
for my $case (
	[{ message => 'x' x 256 }, 400, qr/message is longer than 255/],
	[{ message => "two\nlines" }, 400, qr/control character/], [{ message => [] }, 400, qr/message is invalid/],
	['{"message":', 400, qr/request body/], ['{"message":"\u0000"}', 400, qr/./],
	['[]', 400, qr/must be a JSON object/], ['{"message":"' . 'x' x 70000 . '"}', 413, qr/./],
) {
	my $res = yank('foo-lib', '1.0.0', body => $case->[0]);

	is($res->{status}, $case->[1], 'a bad message: refused');
	like(detail($res), $case->[2], '  and why');
}
is(row('1.0.0'), 'f|', 'nothing has changed');
is(yank('foo-lib', '1.0.0', body => { message => 'x' x 255 })->{status}, 200, 'the longest');
unyank('foo-lib', '1.0.0');

# ---- errors ----

for my $case (['none', '1.0.0', 404, qr/^crate `none` does not exist$/],
	['Foo_Lib', '9.9.9', 404, qr/^crate `Foo_Lib` does not have a version `9.9.9`$/],
	['Foo_Lib', 'x', 404, qr/does not have a version `x`/],
	['fo%20o', '1.0.0', 404, qr/^crate `fo o` does not exist$/]) {
	is($_->{status}, $case->[2], "$case->[0] $case->[1]"), like(detail($_), $case->[3], '  and why')
	    for yank(@$case[0, 1]), unyank(@$case[0, 1]);
}
is(yank('foo-lib', '1.0.0', token => $token{reporter})->{status}, 403, 'a reporter may not');
is($t->http(DELETE => $t->registry($id) . '/api/v1/crates/foo-lib/1.0.0/yank')->{status}, 401,
    'nor may nobody');

# ---- many at once ----

my @answers = $t->parallel(12, sub { return ($_[0] % 2 ? yank('foo-lib', '1.1.0',
    body => { message => "no $_[0]" }) : unyank('foo-lib', '1.1.0'))->{status}; });
is(join(' ', @answers), join(' ', (200) x 12), 'many at once: all are answered');
is($t->psql("SELECT yanked = (yank_message IS NOT NULL) FROM versions WHERE version = '1.1.0'"), 't',
    'yanked with a message, or neither');
is(in_index('1.1.0'), $t->psql("SELECT yanked::int FROM versions WHERE version = '1.1.0'"),
    'and the index says the same');
unyank('foo-lib', '1.1.0');

# ---- berth(1) ----

is($t->berth_ok('yank', 'demo/priv', 'foo-lib@1.0.0', '--message', 'by hand'), 'foo-lib@1.0.0', 'berth yank');
is(row('1.0.0'), 't|by hand', 'with a message');
is(in_index('1.0.0+b.1'), 1, 'is in the index');
is($t->psql("SELECT detail ->> 'message', detail ->> 'system_user' IS NOT NULL FROM audit_events"
    . " ORDER BY id DESC LIMIT 1"), 'by hand|t', 'and in the audit log');
is(JSON::PP->new->decode($t->berth_ok('unyank', 'demo/priv', 'Foo_Lib@1.0.0+x', '--json'))->{yanked},
    JSON::PP::false, 'berth unyank');
is(row('1.0.0'), 'f|', 'takes it back');
for my $case ([['demo/priv', 'foo-lib'], 2, qr/CRATE\@VERSION/],
	[['demo/priv', 'foo-lib@9.9.9'], 1, qr/does not have a version `9.9.9`/],
	[['demo/none', 'foo-lib@1.0.0'], 1, qr/`demo\/none` does not exist/],
	[['demo/priv', 'foo-lib@x'], 2, qr/semver/], [['demo/priv', 'foo-lib@1.0.0', '--message', ''], 2, qr/empty/],
	[['demo/priv', 'foo-lib@1.0.0', '--message', "a\nb"], 2, qr/control/]) {
	my ($status, undef, $err) = $t->berth('yank', @{ $case->[0] });

	is($status, $case->[1], "yank " . join(" ", @{ $case->[0] }) =~ s{\n}{\\n}r . ": exit status");
	like($err, $case->[2], '  and why');
}

# ---- the real cargo ----

SKIP: {
	my $missing = $t->cargo_missing;
	skip $missing, 1 if $missing;
	$t->cargo_setup(priv => { id => $id, token => $token{dev} });
	my ($status, $out, $err) = $t->cargo(qw(yank --registry priv foo-lib@1.0.0));

	is($status, 0, 'cargo yank') or diag($err);
	like($err, qr/^ +Yank foo-lib\@1\.0\.0$/m, 'what it says');
	is(in_index('1.0.0+b.1'), 1, 'a version with build metadata, named without');
	($status, $out, $err) = $t->cargo(qw(yank --registry priv --undo foo-lib@1.0.0));
	is($status, 0, 'cargo yank --undo') or diag($err);
	like($err, qr/^ +Unyank foo-lib\@1\.0\.0$/m, 'what it says');
	is(in_index('1.0.0+b.1'), 0, 'is undone');
	($status, $out, $err) = $t->cargo(qw(yank --registry priv foo-lib@9.9.9));
	isnt($status, 0, 'a version that is not there');
	like($err, qr/\(status 404 Not Found\): crate `Foo_Lib` does not have a version `9\.9\.9`/, 'what it says');
	$t->cargo_setup(priv => { id => $id, token => $token{reporter} });
	($status, $out, $err) = $t->cargo(qw(yank --registry priv foo-lib@1.0.0));
	like($err, qr/\(status 403 Forbidden\): /, 'by who may not');
}

done_testing();
