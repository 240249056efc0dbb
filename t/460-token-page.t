#!/usr/bin/perl

# The token page: signing in by a code or by the fleet's sign-on, making and revoking one's own
# tokens, what keeps others out; over HTTP, and with a browser that runs no scripts.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Test::More;

use Berth::Browser;
use Berth::File qw(slurp);
use Berth::Test;

my $t = Berth::Test->new(workers => 4);
my $id = $t->project('demo/priv');

$t->user($_) for qw(alice bob Carol);
$t->member('alice', 'demo', 'developer');

# The output of the command: the address, and the code.
my $LINK = qr{\A\Q@{[$t->url]}\E/-/sign-in\n([0-9A-Za-z]{43})\z};

sub link_of { my ($who, @more) = @_; return $t->berth_ok('user', 'link', $who, @more); }
sub code_of { return $_[0] =~ $LINK ? $1 : die "no code: $_[0]\n"; }

# A form, as a browser sends it.  Options: cookie, origin (undef: none), headers.
sub post {
	my ($path, $fields, %opt) = @_;
	my $body = join('&', map {
		my $k = $_;

		map { "$k=" . s/([^A-Za-z0-9_.-])/sprintf('%%%02X', ord $1)/ger } ref $fields->{$k} ? @{ $fields->{$k} }
		    : $fields->{$k};
	} sort keys %$fields);
	my $origin = exists $opt{origin} ? $opt{origin} : $t->url;

	return $t->http(POST => $path,
	    { body => $body, headers => ['Content-Type: application/x-www-form-urlencoded',
		defined $origin ? "Origin: $origin" : (), defined $opt{cookie} ? "Cookie: $opt{cookie}" : (),
		@{ $opt{headers} // [] }] });
}

sub get {
	my ($path, $cookie, @headers) = @_;

	return $t->http(GET => $path, { headers => [defined $cookie ? "Cookie: $cookie" : (), @headers] });
}

sub cookie_of { return ($_[0]{headers}{'set-cookie'} // '') =~ /^(__Host-berth=[^;]*)/ ? $1 : undef; }
sub form_of { return $_[0]{body} =~ /name="form" value="([0-9a-f]{64})"/ ? $1 : undef; }
sub enter { my ($code, %opt) = @_; return post('/-/sign-in', { code => $code, confirm => 'true' }, %opt); }

sub sign_in {
	my $res = enter(code_of(link_of($_[0])));

	die "sign in: $res->{status} $res->{body}" if $res->{status} != 303;
	return cookie_of($res);
}

# ---- nobody is signed in ----

my $res = get('/-/tokens');
is($res->{status}, 200, 'without a session');
like($res->{body}, qr/berth user link/, 'the page says how to come by one');
is(join(' ', $res->{body} =~ /<form method="post" action="(.*?)"/g), '/-/sign-in', 'and has the form for it');
unlike($res->{body}, qr/Your tokens/, 'and nothing else');
$res = get($t->registry($id) . '/me');
is($res->{status}, 302, 'where cargo login sends people');
is($res->{headers}{location}, $t->url . '/-/tokens', 'leads there');
is(post('/-/tokens', { name => 'x', scope => 'api', form => '0' x 64 })->{status}, 403,
    'nobody makes a token');
is(get('/-/tokens', undef, 'Authorization: ' . $t->token('alice'))->{body}, get('/-/tokens')->{body},
    'a token is no session: it makes no tokens');

# ---- headers of every page ----

for my $page ('/-/tokens', '/-/sign-in') {
	my $headers = get($page)->{headers};

	is($headers->{'cache-control'}, 'no-store', "$page: kept by nobody");
	is($headers->{'content-security-policy'}, "default-src 'none'; style-src 'self'; img-src 'self';"
	    . " form-action 'self'; base-uri 'none'; frame-ancestors 'none'", "$page: no script, no frame");
	is($headers->{'x-content-type-options'}, 'nosniff', "$page: nosniff");
	is($headers->{'x-frame-options'}, 'DENY', "$page: no frame, for old browsers");
	is($headers->{'referrer-policy'}, 'strict-origin', "$page: tells nobody where one was");
	is($headers->{'content-type'}, 'text/html; charset=utf-8', "$page: HTML");
}
for my $asset (['style.css', 'text/css; charset=utf-8'], ['favicon.svg', 'image/svg+xml']) {
	my ($name, $type) = @$asset;
	my ($address) = get('/-/sign-in')->{body} =~ m{ href="(/-/\Q$name\E\?v=[0-9a-f]{16})"};
	my $answer = get($address);

	is($answer->{headers}{'content-type'}, $type, $name);
	is($answer->{headers}{'cache-control'}, 'public, max-age=31536000, immutable',
	    '  is kept for as long as it has this address');
	ok($answer->{body} eq slurp("$Berth::Cluster::ROOT/fcgi/api/web/html/$name"), '  as it is in the sources');
	is(get("/-/$name?v=0")->{headers}{'cache-control'}, 'public, max-age=3600', '  under another for an hour');
}
cmp_ok(length(get('/-/style.css')->{body}), '<', 12_000, 'there is one style sheet, and it is small');

# ---- codes ----

my $link = link_of('alice');
my $code = code_of($link);
like(($t->berth(qw(user link alice)))[2],
    qr/\Aberth: `alice` opens that address .*; it works once, until [\d-]{10}T[\d:]{8}Z\n\z/,
    'people are told how');
my %printed = %{ $t->json({ body => $t->berth_ok('user', 'link', 'alice', '--json') }) };
is($printed{url}, $t->url . '/-/sign-in', 'with --json: the address of the page');
like($printed{code}, qr/^[0-9A-Za-z]{43}$/, 'and the code');
is($t->psql("SELECT count(*) FROM sign_in_links WHERE encode(digest, 'hex') = '" . sha256_hex($code) . "'"),
    1, 'the database has its digest');
is($t->psql("SELECT count(*) FROM audit_events WHERE action = 'user.link' AND detail::text LIKE '%$code%'"),
    0, 'the audit log does not have it');
$res = get('/-/sign-in');
is($res->{status}, 200, 'the page');
like($res->{body}, qr{<form method="post" action="/-/sign-in">.*<input type="text" id="code" name="code"}s,
    'asks for it, by a form that puts it into no address');
like($res->{body}, qr{<header>\s*<a class="home" href="/-/">}, 'under the header of all pages');
is(get("/-/sign-in?code=$code")->{body}, $res->{body}, 'an address with a code is nothing else');
$res = post('/-/sign-in', { code => $code });
is($res->{status}, 200, 'entering it') or diag($res->{body});
is(cookie_of($res), undef, 'does not sign in');
like($res->{body}, qr{signs you in as\s+<strong>alice</strong>.*<button[^>]*>Sign in as alice</button>}s,
    'it says as whom');
is(post('/-/sign-in', { code => "  $code\r\n" })->{status}, 200, 'blanks around it do no harm');
like(post('/-/sign-in', { code => code_of(link_of('CAROL')) })->{body}, qr{<strong>Carol</strong>},
    'by the name that the registry has');
for my $origin (undef, 'null', 'https://evil.example', 'https://localhost', $t->url . '.evil.example') {
	is(enter($code, origin => $origin)->{status}, 403, 'nor does a form of ' . ($origin // 'nowhere'));
}
$res = enter($code);
is($res->{status}, 303, 'the button does') or diag($res->{body});
is($res->{headers}{location}, $t->url . '/-/tokens', 'and leads to the page');
like($res->{headers}{'set-cookie'},
    qr{^__Host-berth=[0-9A-Za-z]{43}; Path=/; Max-Age=43200; Secure; HttpOnly; SameSite=Lax$},
    'with a cookie that stays here');
my $alice = cookie_of($res);
is($t->psql("SELECT count(*) FROM sessions WHERE encode(digest, 'hex') = '" . sha256_hex($alice =~ s/.*=//r)
    . "'"), 1, 'of which the database has the digest');
is(enter($code)->{status}, 403, 'once');

sub dead_code {
	my ($name, $dead) = @_;

	for my $confirm ('false', 'true') {
		my $r = post('/-/sign-in', { code => $dead, confirm => $confirm });

		is($r->{status}, 403, "a code that $name");
		my $why = join('|', 'has been used or has expired; ask an administrator for a new one',
		    'is not valid; paste the whole code that you were given');
		like($r->{body}, qr{role="alert"><p>This code (?:$why)\.</p>}, '  the page says so');
		like($r->{body}, qr{name="code"}, '  and asks again');
		unlike($r->{body}, qr/alice|bob/, '  and nothing else');
		is(cookie_of($r), undef, '  nobody is signed in');
	}
}

dead_code('was used', $code);
dead_code('is none', $_) for 'x', '', 'x' x 43, '<b>', "$code $code", 'x' x 44, "'; DROP";
{
	my $bobs = code_of(link_of('bob'));

	$t->berth_ok(qw(user block bob));
	dead_code('is of somebody who is blocked', $bobs);
	$t->berth_ok(qw(user unblock bob));
}
{
	my $once = code_of(link_of('bob'));
	is(join(' ', sort { $a <=> $b } $t->parallel(8, sub { return enter($once)->{status}; })), '303' . ' 403' x 7,
	    'and be it for eight at the same time');
}
is(post('/-/sign-in', { code => "\0", confirm => 'true' })->{status}, 400, 'no text');
is(post('/-/sign-in', { code => $printed{code}, confirm => 'x' })->{status}, 400, 'a button that is none');
my $late = code_of(link_of('alice', '--ttl', 60));
$t->psql("UPDATE sign_in_links SET expires_at = now()");
dead_code('is too old', $late);
for my $case (
	[['nobody'], 1, qr/`nobody` does not exist/],
	[['alice', '--ttl', 0], 2, qr/ttl/],
	[['alice', '--ttl', 604801], 2, qr/ttl/],
) {
	my ($status, undef, $err) = $t->berth('user', 'link', @{ $case->[0] });
	is($status, $case->[1], "user link @{ $case->[0] }: exit status");
	like($err, $case->[2], '  and why');
}

# ---- tokens ----

$res = get('/-/tokens', $alice);
like($res->{body}, qr{Signed in as <strong>alice</strong>}, 'alice is signed in');
my $form = form_of($res);
$res = post('/-/tokens', { form => $form, name => 'laptop <b>&"\'', scope => 'api', expires => '2099-12-31',
    crates => "Foo_bar,\n baz*", 'operations[]' => ['yank', 'publish-new'] }, cookie => $alice);
is($res->{status}, 200, 'a token is made') or diag($res->{body});
my ($token) = $res->{body} =~ m{<output id="token">(berth_pat_[\w-]{74})</output>};
ok(defined $token, 'and shown');
like($res->{body}, qr/laptop &lt;b&gt;&amp;&quot;&#39;/, 'names are text');
unlike($res->{body}, qr/laptop <b>/, 'and never markup');
is($t->psql("SELECT name, scopes, crate_patterns, operations, expires_at, user_id FROM tokens"
    . " WHERE handle = '" . Berth::Test::token_handle($token) . "'"),
    "laptop <b>&\"'|{api}|{foo-bar,baz*}|{publish-new,yank}|2099-12-31 00:00:00+00|1", 'as it was asked for');
unlike(get('/-/tokens', $alice)->{body}, qr/\Q$token/, 'shown once');
my $laptop = $t->psql("SELECT id FROM tokens WHERE handle = '" . Berth::Test::token_handle($token) . "'");
like(get('/-/tokens', $alice)->{body}, qr/laptop [^\n]*<small>id $laptop</,
    'the row has the id that berth token list has');
unlike(get('/-/tokens', $alice)->{body}, qr/slot/, 'and not the slot of its key');
is($t->http(GET => $t->registry($id) . '/config.json', { token => $token })->{status}, 200, 'it can be used');
is($t->psql("SELECT user_id, token_id, remote_addr IS NOT NULL FROM audit_events"
    . " WHERE action = 'token.create' ORDER BY id DESC LIMIT 1"), '1||t', 'the audit log says who made it');
for my $case ([{ name => '' }, qr/give the token a name/], [{ name => 'x' x 256 }, qr/longer than 255/],
	[{ scope => 'sudo' }, qr/scope/], [{ scope => 'api,read_api,admin' }, qr/scope/],
	[{ expires => 'soon' }, qr/soon/], [{ expires => '2001-01-01' }, qr/the date 2001-01-01 is past/],
	[{ crates => 'not ok!' }, qr/ok!/], [{ 'operations[]' => ['rule'] }, qr/rule/],
	[{ scope => 'read_api', crates => 'foo' }, qr/read-only/]) {
	my $r = post('/-/tokens', { form => $form, name => 'n', scope => 'api', %{ $case->[0] } }, cookie => $alice);
	is($r->{status}, 400, join(' ', %{ $case->[0] }) =~ s/x{9,}/.../r . ': refused');
	my ($said) = lc($r->{body}) =~ m{role="alert"><p>(.*?)</p>};
	unlike($said, qr/`/, '  names in the sentence are code');
	like($said =~ s{</?code>}{`}gr, qr/$case->[1]/, '  and told on the page');
}
is($t->psql('SELECT count(*) FROM tokens WHERE user_id = 1'), 2, 'nothing else was made');
my $number = $t->psql("SELECT id FROM tokens WHERE handle = '" . Berth::Test::token_handle($token) . "'");

# ---- what keeps others out ----

my $bob = sign_in('bob');
my $bobs = form_of(get('/-/tokens', $bob));
isnt($bobs, $form, 'each session has its own forms');
my %good = (name => 'n', scope => 'api');
for my $case (
	['without the form\'s secret', { %good }, cookie => $alice],
	['with another one', { %good, form => '0' x 64 }, cookie => $alice],
	['with bob\'s', { %good, form => $bobs }, cookie => $alice],
	['of another origin', { %good, form => $form }, cookie => $alice, origin => 'https://evil.example'],
	['without an origin', { %good, form => $form }, cookie => $alice, origin => undef],
	['without a cookie', { %good, form => $form }],
	['with two', { %good, form => $form }, cookie => "$alice; $bob"],
	['with a cookie that is none', { %good, form => $form }, cookie => '__Host-berth=' . 'x' x 43],
) {
	my ($name, $fields, %opt) = @$case;

	is(post('/-/tokens', $fields, %opt)->{status}, 403, "$name: no token");
	is(post("/-/tokens/$number/revoke", $fields, %opt)->{status}, 403, "$name: nothing is revoked");
}
is(post("/-/tokens/$number/revoke", { form => $bobs }, cookie => $bob)->{status}, 404,
    'bob cannot revoke what is alice\'s');
unlike(get('/-/tokens', $bob)->{body}, qr/laptop/, 'nor see it');
is(post("/-/tokens/0/revoke", { form => $bobs }, cookie => $bob)->{status}, 404, 'nor one that is not there');
is(post("/-/tokens/$_/revoke", { form => $bobs }, cookie => $bob)->{status}, 400, "token $_")
    for 'x', '99999999999999999999', '-1';
is($t->http(GET => $t->registry($id) . '/config.json', { token => $token })->{status}, 200, 'it still works');
is($t->http(PUT => '/-/tokens', { headers => ["Cookie: $alice"] })->{status}, 405, 'other methods');
is($t->http(GET => $t->registry($id) . '/config.json', { headers => ["Cookie: $alice"] })->{status}, 401,
    'a session is no token');
is(post('/-/tokens', { form => $form, name => 'x' x 70000, scope => 'api' }, cookie => $alice)->{status}, 413,
    'a form that is too long');

# ---- revoking, the end of a session ----

$res = post("/-/tokens/$number/revoke", { form => $form }, cookie => $alice);
is($res->{status}, 303, 'alice revokes it');
is($t->http(GET => $t->registry($id) . '/config.json', { token => $token })->{status}, 401,
    'it is of no use from then on');
unlike(get('/-/tokens', $alice)->{body}, qr/laptop/, 'and not listed');
is(post("/-/tokens/$number/revoke", { form => $form }, cookie => $alice)->{status}, 303, 'twice is once');
is($t->psql("SELECT count(*) FROM audit_events WHERE action = 'token.revoke'"), 1,
    'in the audit log as well');
my $second = sign_in('alice');
for my $path ('/-/', '/-/projects/demo/priv', '/-/projects/none') {
	my $cookie = sign_in('alice');
	my ($header) = get($path, $cookie, 'Accept: text/html')->{body} =~ m{<header>(.*)</header>}s;

	like($header, qr{<a href="/-/tokens">Tokens</a>.*<form method="post" action="/-/sign-out">.*Sign out<}s,
	    "$path: one can sign out");
	is(post('/-/sign-out', { form => form_of({ body => $header }) }, cookie => $cookie)->{status}, 303,
	    '  with its form');
	unlike(get($path, $cookie)->{body}, qr/Signed in/, '  which ends the session');
	unlike(get($path)->{body}, qr/Sign out|name="form"/, '  and nobody else sees');
}
$res = post('/-/sign-out', { form => $form }, cookie => $alice);
is($res->{status}, 303, 'alice signs out');
like($res->{headers}{'set-cookie'}, qr/^__Host-berth=; .*Max-Age=0/, 'the cookie goes');
unlike(get('/-/tokens', $alice)->{body}, qr/Signed in/, 'and is of no use any more');
like(get('/-/tokens', $second)->{body}, qr/Signed in as <strong>alice/, 'her other session is still there');
$t->berth_ok(qw(user block alice));
unlike(get('/-/tokens', $second)->{body}, qr/Signed in/, 'until she is blocked');
my ($status, undef, $why) = $t->berth(qw(user link alice));
is($status, 1, 'and gets no link');
like($why, qr/user `alice` is blocked: `berth user unblock alice` unblocks the user/,
    'the administrator learns why');
$t->berth_ok(qw(user unblock alice));
like(get('/-/tokens', $second)->{body}, qr/Signed in/, 'unblocked');
$t->psql("UPDATE sessions SET expires_at = now()");
unlike(get('/-/tokens', $second)->{body}, qr/Signed in/, 'its time is over');
my $logs = join('', map { $t->log($_) } qw(pool nginx-error nginx-berth.log));
unlike($logs, qr/\Q$_/, 'no log has a secret') for $token, $code, map { s/.*=//r } $alice, $bob;

subtest 'a cookie of no session' => sub {
	my $made_up = '__Host-berth=' . 'x' x 43;

	$t->stop_pool;
	$t->conf(failed_login_burst => 3, failed_login_per_minute => 1);
	$t->psql('DELETE FROM rate_limits');
	my @res = map { get('/-/', $made_up) } 1 .. 4;
	is(join(' ', map { $_->{status} } @res), '200 200 200 429', 'counts as a bad credential');
	like($res[0]{headers}{'set-cookie'}, qr/^__Host-berth=; Path=\/; Max-Age=0;/, 'the browser is to forget it');
	like($res[3]{headers}{'retry-after'}, qr/^[1-9][0-9]*$/, 'Retry-After');
	my @html = map { get($_, $made_up, 'Accept: text/html') } '/-/', '/-/nothing';
	is(join(' ', map { $_->{status} } @html), '429 429', 'to a browser, also where there is no page');
	like($_->{headers}{'set-cookie'}, qr/^__Host-berth=; .*Max-Age=0;/, 'which is to forget it') for @html;
	is(get('/-/tokens', $made_up)->{status}, 429, 'at each page');
	is(get('/-/', $_)->{status}, 200, 'what is none does not count')
	    for undef, '__Host-berth=x', 'other=' . 'x' x 43;
	my $cookie = sign_in('alice');
	is(join(' ', map { get('/-/', $cookie)->{status} } 1 .. 5), join(' ', (200) x 5), 'nor does a good one');
	$t->stop_pool;
	$t->conf(failed_login_burst => undef, failed_login_per_minute => undef);
};

# ---- the page from which one comes ----

subtest 'the way back' => sub {
	my $private = '/-/projects/demo/priv?page=1&x=%2F%22';
	my @leads = ('/-/', '/-/search', $private, '/-/search?q=a+b', '/-/projects/demo/none',
	    '/-/none', '/-/a%2Fb');
	my %refused = (
		'another host' => ['//evil.example', '/\\evil.example', 'https://evil.example/-/', 'evil.example',
		    '@evil.example', '.evil.example', ':1', "\t//evil.example", '/-//evil.example', '/-/\\evil.example',
		    '/-/%2f%2fevil.example', '/-/%5c%5cevil.example', '/%2f/evil.example'],
		'another path' => ['/-', '/', '/elsewhere', '/-x', '/-/..', '/-/../x', '/-/./x', '/-/%2e%2e/x', '/-/.%2E/x',
		    '/-/..%2f..%2fx', '/-/x/..', '/-/x//', '/-/x#y', '/%2D/search'],
		'no address' => ['', "/-/x\r\nX-Evil: 1", '/-/%0d%0aX-Evil:%201', "/-/\x7f", '/-/%', '/-/%zz',
		    "/-/\xc3\xa9", '/-/' . 'x' x 1100],
	);
	my $enc = sub { return $_[0] =~ s/([^A-Za-z0-9_.~-])/sprintf('%%%02X', ord $1)/ger; };
	my $code_of_bob = sub { return code_of(link_of('bob')); };
	my $sign_in_to = sub {
		return post('/-/sign-in', { code => $code_of_bob->(), confirm => 'true', to => $_[0] });
	};

	for my $page ('/-/', '/-/search?q=a', $private, '/-/none') {
		my $body = get($page, undef, 'Accept: text/html')->{body};
		my $to = 'to=' . $enc->($page);
		my $links = () = $body =~ m{<a rel="nofollow" href="/-/tokens\?\Q$to\E">[Ss]ign in</a>}g;

		is($links, $page =~ /none|priv/ ? 2 : 1, "$page: its links to sign in say where one comes from");
		my $field = '<input type="hidden" name="to" value="' . $page =~ s/&/&amp;/gr . '">';
		my %form = (to => $page);
		for my $at (qw(tokens sign-in)) {
			my ($form) = get("/-/$at?$to")->{body} =~ m{<form [^>]*action="/-/sign-in">(.*?)</form>}s;

			ok(index($form, $field) > 0 && $form =~ /id="code"/, "  $at has the form for a code, which keeps it");
		}
		ok(index(post('/-/sign-in', { %form, code => 'x' })->{body}, $field) > 0, '  after a wrong code');
		ok(index(post('/-/sign-in', { %form, code => $code_of_bob->() })->{body}, $field) > 0,
		    '  after a good one');
	}
	my $cookie = sign_in('alice');
	for my $to (@leads) {
		my $r = get('/-/tokens?to=' . $enc->($to), $cookie);
		is("$r->{status} $r->{headers}{location}", '303 ' . $t->url . $to, "$to: a user who is signed in goes on");
		$r = $sign_in_to->($to);

		is("$r->{status} $r->{headers}{location}", '303 ' . $t->url . $to, "$to: the sign-in leads back");
		ok(cookie_of($r), '  with a session');
	}
	is($sign_in_to->("/-/search?q=\r\nX: \xc3\xa9\"<")->{headers}{location},
	    $t->url . '/-/search?q=%0D%0AX:%20%C3%A9%22%3C', 'a query cannot end the header');
	for my $what (sort keys %refused) {
		for my $to (@{ $refused{$what} }) {
			my $r = $sign_in_to->($to);
			my $shown = substr($to, 0, 40) =~ s/([^!-~])/sprintf('\\x%02x', ord $1)/ger;

			is("$r->{status} $r->{headers}{location}", '303 ' . $t->url . '/-/tokens',
			    "$what, $shown: leads to the tokens");
			is($r->{headers}{'x-evil'}, undef, '  and to no header');
			unlike(get("/-/$_?to=" . $enc->($to))->{body}, qr/name="to"/, "  the form of $_ does not pass it on")
			    for qw(tokens sign-in);
			my $in = get('/-/tokens?to=' . $enc->($to), $cookie);
			is("$in->{status} " . ($in->{headers}{location} // ''), '200 ', '  a user who is signed in is not led on');
		}
	}
	is(get("/-/$_?to=%00")->{status}, 400, "$_: a NUL") for qw(tokens sign-in);
};

# ---- the fleet's sign-on ----

subtest 'single sign-on' => sub {
	my $by = sub {
		my ($who, $cookie, @more) = @_;

		return get('/-/tokens', $cookie, "X-Test-Sso: $who", @more);
	};

	unlike(get('/-/tokens', undef, 'BERTH-SSO-USER: alice', 'Berth_Sso_User: alice', 'berth_sso_user: alice',
	    'X-Berth-Sso-User: alice')->{body}, qr/Signed in/, 'off: no header counts');
	$t->conf(sso => 'on');
	kill('HUP', $t->pool_pid);
	ok($t->wait_for(sub { get('/-/tokens')->{body} =~ /sign-on/ }), 'on');
	unlike(get('/-/tokens', undef, 'BERTH-SSO-USER: alice', 'Berth_Sso_User: alice',
	    'X-Berth-Sso-User: alice')->{body}, qr/Signed in/, 'on: still no header of a client');
	$t->stop_nginx;
	# the fleet's nginx knows who it is from a sign-on of its own: here it takes our word
	$t->start_nginx(sub {
		s/map "" \$berth_sso_user \{\n\tdefault "";/map "" \$berth_sso_user {\n\tdefault \$http_x_test_sso;/;
		return $_;
	});
	my $kept = sub {
		return $t->psql("SELECT (SELECT count(*) FROM sessions WHERE by_sso), (SELECT count(*) FROM audit_events"
		    . " WHERE action = 'user.signin' AND detail ->> 'by' = 'sso')");
	};
	my $before = $kept->();
	my $r = $by->('Alice');
	like($r->{body}, qr/Signed in as <strong>alice/, 'whom nginx names is signed in');
	my $cookie = cookie_of($r);
	like($by->('alice', $cookie)->{body}, qr/Signed in/, 'with a session');
	my $on = $t->http(GET => '/-/tokens?to=/-/search', { headers => ['X-Test-Sso: Alice'] });
	is("$on->{status} $on->{headers}{location}", '303 ' . $t->url . '/-/search', 'or goes on to `to`');
	like(get('/-/tokens?to=/-/search')->{body}, qr/sign-on.*id="code"/s, 'others get the form for a code');
	is(cookie_of($by->('alice', $cookie)), undef, 'that is kept');
	isnt(cookie_of($by->('alice')), $cookie, 'each browser has its own');
	is($by->('alice')->{status}, 200, 'who never keeps one, as monitoring does, is shown the page') for 1 .. 20;
	my $front = $t->http(GET => '/-/', { headers => ['X-Test-Sso: Alice'] });
	like($front->{body}, qr/Signed in as <strong>alice.*demo.priv/s, 'pages to read know who it is as well');
	is(cookie_of($front), undef, 'without a cookie');
	unlike($front->{body}, qr/Sign out/, 'so there is no session to end');
	is($kept->(), $before, 'and leaves nothing, as long as they only look');
	is(post('/-/tokens', { form => form_of($r), name => 'n', scope => 'api' },
	    cookie => $cookie, headers => ['X-Test-Sso: bob'])->{status}, 403,
	    'a form of alice is not bob\'s, before there is a session');
	is(post('/-/tokens', { form => form_of($r), name => 'n', scope => 'api' }, cookie => $cookie,
	    headers => ['X-Test-Sso: mallory'])->{status}, 403, 'nor of somebody who is not known');
	is(post('/-/tokens', { form => form_of($r), name => 'n', scope => 'api' }, cookie => $cookie,
	    origin => 'https://evil.example', headers => ['X-Test-Sso: alice'])->{status}, 403,
	    'nor does it come from another site');
	is($kept->(), $before, 'nothing of that opens one');
	unlike(get('/-/tokens', $cookie)->{body}, qr/Signed in/, 'and worth nothing alone');
	like($by->('bob', $cookie)->{body}, qr/Signed in as <strong>bob/, 'nor for somebody else');
	my $f = form_of($by->('alice', $cookie));
	is(form_of($r), $f, 'a page that was left open stays good');
	my @statuses = $t->parallel(4, sub {
		return post('/-/tokens', { form => $f, name => "by sso $_[0]", scope => 'api' }, cookie => $cookie,
		    headers => ['X-Test-Sso: alice'])->{status};
	});
	is_deeply(\@statuses, [(200) x 4], 'a token, and be it four at once');
	is($t->psql("SELECT count(*) FROM sessions WHERE encode(digest, 'hex') = '" . sha256_hex($cookie =~ s/.*=//r)
	    . "' AND by_sso"), 1, 'is of one session');
	my $after = $kept->();
	is(post('/-/tokens', { form => $f, name => 'by sso', scope => 'api' }, cookie => $cookie,
	    headers => ['X-Test-Sso: ALICE'])->{status}, 200, 'another');
	is($kept->(), $after, 'of the same');
	is(post('/-/tokens', { form => $f, name => 'by sso', scope => 'api' }, cookie => $cookie)->{status}, 403,
	    'not without the name');
	is(post('/-/tokens', { form => $f, name => 'by sso', scope => 'api' },
	    headers => ['X-Test-Sso: alice'])->{status}, 403,
	    'nor without the session: no other site\'s form works');
	$r = $by->('mallory');
	my $advice = 'this registry has no active user of that name. '
	    . 'Ask an administrator to add or unblock that user.';
	is($r->{status}, 403, 'whom the registry does not know');
	like($r->{body}, qr{>Single sign-on calls you <code>mallory</code>, and \Q$advice\E<},
	    'is told the name and what to ask an administrator for');
	unlike($r->{body}, qr/berth user link|alice/, 'and nothing of codes that would not help, nor of others');
	my $same = $r->{body};
	my $refused = sub {
		my $n = () = $t->log('pool') =~ /event=sso id=\S+ refused="?\Q$_[0]\E/g;

		return $n;
	};
	my $logged = $refused->('mallory');
	$r = $t->http(GET => '/-/', { headers => ['X-Test-Sso: mallory'] });
	is($r->{status}, 200, 'who may read what is public');
	unlike($r->{body}, qr/Signed in|demo.priv/, 'and no more');
	is($refused->('mallory'), $logged + 1, 'the log has the name, once for each request');
	$t->berth_ok(qw(user block bob));
	$r = $by->('bob');
	is("$r->{status} " . $r->{body} =~ s/<code>bob</<code>mallory</r, "403 $same",
	    'whom it has blocked is told the same');
	my %shown = ('al@example.com' => 'al@example.com', '<b>' => '&lt;b&gt;', "J\xf6rg" => "J?rg",
		'x' x 300 => 'x' x 64);
	for my $name (sort keys %shown) {
		$r = $by->($name);
		is($r->{status}, 403, "$shown{$name}: refused");
		like($r->{body},
		    qr{>Single sign-on calls you <code>\Q$shown{$name}\E</code>, which cannot .*\(\$berth_sso_user\)\.<},
		    '  as a name that nginx has to map');
	}
	like($t->log('pool'), qr/ refused="?al\@example\.com/, 'in the log as well');
	like(get('/-/tokens', sign_in('Carol'))->{body}, qr/Signed in as <strong>Carol/, 'codes work beside it');
	is(($after =~ /\|(\d+)/)[0] >= 1, 1, 'in the audit log');
};

# ---- with a browser ----

SKIP: {
	my $why = Berth::Browser::missing();
	skip $why, 1 if $why;
	$t->stop_nginx;
	$t->start_nginx;
	$t->token('alice') for 1 .. 12;
	my $b = Berth::Browser->start($t->dir, javascript => 0);

	$b->go($t->url . '/-/sign-in');
	is($b->title, 'Sign in', 'the page');
	is($b->label('#code'), 'Code', 'asks for the code');
	$b->type('#code', code_of(link_of('alice')));
	$b->click('button.main');
	ok($t->wait_for(sub { (eval { $b->text('main') } // '') =~ /signs you in as alice/ }),
	    'says whom it signs in');
	is($b->url, $t->url . '/-/sign-in', 'no address has it');
	$b->click('button.main');
	$b->await('#name');
	is($b->url, $t->url . '/-/tokens', 'the button signs in');
	is($b->title, 'Tokens', 'the page');
	like($b->text('header'), qr/Signed in as alice/, 'says who one is');
	my ($cookie) = grep { $_->{name} eq '__Host-berth' } $b->cookies;
	ok($cookie->{httpOnly} && $cookie->{secure}, 'a cookie that no script sees');
	is($cookie->{sameSite}, 'Lax', 'nor another site\'s form');
	is($b->css('button.main', 'background-color'), 'rgba(26, 95, 180, 1)', 'the style sheet is let through');
	is($b->label($_->[0]), $_->[1], "$_->[0] has a label")
	    for ['#name', 'Name'], ['#expires', 'Ends on'], ['#crates', 'Only these crates'];
	$b->type('#name', 'browser <i>');
	$b->type('#crates', 'foo_bar');
	$b->click('input[value="publish-update"]');
	$b->shot("$ENV{BERTH_SHOTS}/tokens-form.png") if $ENV{BERTH_SHOTS};
	$b->click('main button.main');
	$b->await('#token');
	my $made = $b->text('#token');
	like($made, qr/^berth_pat_[\w-]{74}$/, 'a token is made');
	is($b->role('.box'), 'status', 'and announced');
	$b->shot("$ENV{BERTH_SHOTS}/tokens-made.png") if $ENV{BERTH_SHOTS};
	is($t->http(GET => $t->registry($id) . '/config.json', { token => $made })->{status}, 200, 'it works');
	my $newest = $t->psql('SELECT max(id) FROM tokens');
	is(($b->texts('td.name'))[0], "browser <i>\nonly publish-update\nonly crates foo-bar\nid $newest",
	    'and is listed, as text');
	$b->go($t->url . '/-/tokens');
	unlike($b->source, qr/\Q$made/, 'shown once');
	for my $width (320, 1000) {
		$b->resize($width, 900);
		my ($right, $label) = @{ $b->script(<<'JS') };
const done = arguments[arguments.length - 1];
done([document.querySelector('tbody summary').getBoundingClientRect().right,
    getComputedStyle(document.querySelector('td[data-is=Scope]'), '::before').content]);
JS

		cmp_ok($right, '<=', $width, "$width pixels: the button to revoke is in sight");
		my ($whole, $seen) = map { $b->property('.scroll', $_) } qw(scrollHeight clientHeight);
		is($whole > $seen ? 'some' : 'all', $width < 640 ? 'all' : 'some', '  and so many of a long list');
		is($label, $width < 640 ? '"Scope: "' : 'none', '  and each value has a label, or its column has');
	}
	my $tokens = () = $b->texts('td.name');
	$b->click('tbody tr:first-child summary');
	$b->await('tbody tr:first-child button.bad');
	$b->click('tbody tr:first-child button.bad');
	ok($t->wait_for(sub { (eval { scalar(() = $b->texts('td.name')) } // $tokens) == $tokens - 1 }), 'revoked');
	is($b->url, $t->url . '/-/tokens', 'and back on the page');
	is($t->http(GET => $t->registry($id) . '/config.json', { token => $made })->{status}, 401, 'it is');
	is(join("\n", grep { /Content Security Policy|Refused/ } $b->complaints), '',
	    'nothing is against the policy');
	$b->click('form[action="/-/sign-out"] button');
	ok($t->wait_for(sub { eval { $b->title } eq 'Sign in' }), 'sign out');
	like($b->text('main'), qr/berth user link/, 'signed out');
	$b->shot("$ENV{BERTH_SHOTS}/tokens-out.png") if $ENV{BERTH_SHOTS};
	# with keys alone, from a page that one may not see yet
	$b->go($t->url . '/-/projects/demo/priv?page=1');
	is($b->title, 'Not Found', 'nobody sees a private project');
	my $tab_to = sub {
		my ($id_or_text) = @_;

		for (1 .. 30) {
			$b->press("\x{e004}");
			return if grep { $_ eq $id_or_text } $b->property(':focus', 'id'), $b->text(':focus');
		}
		die "no key leads to $id_or_text\n";
	};
	my $press = sub { $tab_to->(@_); $b->press("\x{e007}"); return; };
	$press->('sign in');
	$b->await('#code');
	$tab_to->('code');
	$b->press(split(//, code_of(link_of('alice'))), "\x{e007}");
	$b->await('input[name=confirm] + button');
	$press->('Sign in as alice');
	ok($t->wait_for(sub { eval { $b->title } eq 'demo/priv' }), 'who signs in from there sees it');
	is($b->url, $t->url . '/-/projects/demo/priv?page=1', 'at the same address');
	$press->('Tokens');
	$b->await('#name');
	$tab_to->('name');
	$b->press(split(//, 'by keys'), "\x{e007}");
	$b->await('#token');
	my ($row) = grep { /^by keys/ } $b->texts('tr:has(td.name)');
	ok(defined $row, 'keys make a token');
	$tokens = () = $b->texts('td.name');
	$press->('Revoke');
	$press->('Revoke for good');
	ok($t->wait_for(sub { (eval { scalar(() = $b->texts('td.name')) } // $tokens) == $tokens - 1 }),
	    'and revoke one');
	$b->stop;
}

# ---- the real cargo ----

SKIP: {
	my $why = $t->cargo_missing;
	skip $why, 1 if $why;
	$t->cargo_setup(priv => { id => $id });
	my (undef, $out, $err) = $t->cargo(qw(login --registry priv));

	like($out . $err, qr{\Q@{[$t->url]}\E/(?:-/tokens|api/v4/projects/$id/packages/cargo/me)},
	    'cargo login says where to go');
}

done_testing();
