#!/usr/bin/perl

# Every way to reach a file of cache_dir without a grant for it.  Each is tried twice: cold, while nothing
# is granted to anybody, and warm, while those who may read have files and grants.  The pool answers all
# of them, or nginx refuses them: the log of nginx's cache has a line for what was sent from a file.

use strict;
use warnings;

use Digest::MD5 qw(md5_base64);
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use Test::More;

use Berth::Cache;
use Berth::Cluster;
use Berth::Test;

my $t = Berth::Test->new(workers => 4, cache_lease => 20, failed_login_burst => 0);
my ($id, $other, $public) = ($t->project('demo/private'), $t->project('else/private'),
    $t->project('demo/public', 'public'));
my @users = qw(dev mate guest stranger reader gone);
my %user = map { $_ => $t->user($_) } @users;
$t->member($_, 'demo', 'maintainer') for qw(dev mate gone);
$t->member('guest', 'demo', 'guest');
$t->member('reader', 'else', 'reporter');
my %token = map { $_ => $t->token($_) } @users;
# whose rights end once they have been used
my %ended = (revoked => $t->token('dev'), expired => $t->token('mate'), blocked => $token{gone});
my $deploy = $t->deploy_token('else/private', 'read');
my $job = $t->job_token('else/private', 'reader');
my $port = Berth::Cache::start($t);
my ($key) = Berth::Cluster::slurp($t->{settings}{token_key}) =~ /^00 "(\w{43})"/m;
my ($registry) = $t->psql('SELECT id FROM registry');
my ($R, $P) = map { $t->registry($_) } $id, $public;
my @files = ('config.json', 'on/e_/one_crate', 'one_crate/1.0.0/download');

is($t->publish($_, $token{dev}, 'one_crate', '1.0.0')->{status}, 200, 'there is a crate') for $id, $public;

# ---- tokens that are nearly right ----

# Its parts, some of them replaced; `key`: with the MAC that this key makes.
sub forged {
	my ($token, %over) = @_;
	my ($kind, $slot, $handle, $secret, $mac) = $token =~ /^berth_(pat|dep|job)_(..)(.{16})_(.{32})_(.{22})$/
	    or die "no token\n";
	my %is = (kind => $kind, slot => $slot, handle => $handle, secret => $secret, mac => $mac, %over);
	my $text = "$is{kind}_$is{slot}$is{handle}_$is{secret}";

	if (exists $over{key}) {
		my $of = $over{registry} // $registry;
		$is{mac} = md5_base64("$over{key} $of $text $over{key}") =~ tr{+/}{-_}r;
	}
	return "berth_${text}_$is{mac}";
}

sub parts {
	my ($token) = @_;
	my %p;

	@p{qw(kind slot handle secret mac)} = $token =~ /^berth_(pat|dep|job)_(..)(.{16})_(.{32})_(.{22})$/
	    or die "no token\n";
	return %p;
}

# The same bytes of a MAC in another spelling: its last digit has four bits that mean nothing.
sub respelled {
	my ($mac) = @_;
	my @digits = ('A' .. 'Z', 'a' .. 'z', 0 .. 9, '-', '_');
	my ($last) = grep { $digits[$_] eq substr($mac, -1) } 0 .. $#digits;

	return substr($mac, 0, -1) . $digits[$last + 1];
}

is(forged($token{dev}, key => $key), $token{dev}, 'a token is what the manual says');
my %dev = parts($token{dev});
my %own = parts($token{stranger});
# What a stranger, or nobody, might put into Authorization; each is refused with this status.
my @credentials = (
	['nobody', 401, undef],
	['a stranger', 404, $token{stranger}],
	['a stranger, after Bearer', 404, "Bearer $token{stranger}"],
	['a guest', 403, $token{guest}],
	['a reader of another project', 404, $token{reader}],
	['a deploy token of another project', 404, $deploy],
	['a job token of another project', 404, $job],
	['the handle of another', 401, forged($token{stranger}, handle => $dev{handle})],
	['the handle of another, and one\'s own kind of everything else', 401,
	    forged($token{dev}, secret => $own{secret}, mac => $own{mac})],
	['the handle and secret of another', 401, forged($token{dev}, mac => $own{mac})],
	['the secret of another', 401, forged($token{stranger}, secret => $dev{secret}, mac => $dev{mac})],
	['the MAC of another', 401, forged($token{stranger}, mac => $dev{mac})],
	['a secret that was guessed', 401, forged($token{dev}, secret => 'x' x 32)],
	['a MAC that was guessed', 401, forged($token{dev}, mac => 'A' x 22)],
	['a deploy token\'s kind', 401, forged($token{dev}, kind => 'dep')],
	['a job token\'s kind', 401, forged($token{dev}, kind => 'job')],
	['a kind that there is not', 401, $token{dev} =~ s/_pat_/_adm_/r],
	['a kind in capitals', 401, $token{dev} =~ s/_pat_/_PAT_/r],
	['a beginning in capitals', 401, $token{dev} =~ s/^berth/BERTH/r],
	['a handle in another case', 401, forged($token{dev}, handle => $dev{handle} =~ tr/a-zA-Z/A-Za-z/r)],
	['a secret in another case', 401, forged($token{dev}, secret => $dev{secret} =~ tr/a-zA-Z/A-Za-z/r)],
	['a MAC in another case', 401, forged($token{dev}, mac => $dev{mac} =~ tr/a-zA-Z/A-Za-z/r)],
	['a MAC in another spelling', 401, forged($token{dev}, mac => respelled($dev{mac}))],
	['a MAC with padding', 401, "$token{dev}=="],
	['a MAC that is cut', 401, substr($token{dev}, 0, -1)],
	['a MAC that is cut to its first digit', 401, substr($token{dev}, 0, -21)],
	['a MAC that is empty', 401, substr($token{dev}, 0, -22)],
	['no MAC', 401, substr($token{dev}, 0, -23)],
	['a MAC and a digit more', 401, "$token{dev}A"],
	['a MAC and when it ends', 401, "$token{dev},4000000000"],
	['a handle alone', 401, $dev{slot} . $dev{handle}],
	['a handle and nothing behind it', 401, "berth_pat_$dev{slot}$dev{handle}__"],
	['a slot that there is not', 401, forged($token{dev}, slot => 'zz')],
	['a slot that there is not, with a MAC of no key', 401, forged($token{dev}, slot => 'zz', key => '')],
	['a slot in capitals, with a MAC of the key', 401, forged($token{dev}, slot => 'ZZ', key => $key)],
	['a MAC of no key', 401, forged($token{dev}, key => '')],
	['a MAC of half of the key', 401, forged($token{dev}, key => substr($key, 0, 21))],
	['a MAC of the registry\'s id for a key', 401, forged($token{dev}, key => $registry)],
	['a MAC of no registry', 401, forged($token{dev}, key => $key, registry => '')],
	['a MAC of another registry', 401,
	    forged($token{dev}, key => $key, registry => '00000000-0000-4000-8000-000000000000')],
	['anyone', 401, 'anyone'],
	['anyone, after Bearer', 401, 'Bearer anyone'],
	['a token named anyone', 401, 'berth_pat_anyone'],
	['Bearer and nothing', 401, 'Bearer'],
	['an empty header', 401, ''],
	['a network', 401, 'net-127.0.0.1'],
	['two words before it', 401, "Bearer Bearer $token{stranger}"],
	['another word before it', 401, "Digest $token{dev}"],
	['Token twice', 401, "Token Token $token{dev}"],
	['a stranger, after Token', 404, "Token $token{stranger}"],
	['two tokens in one header', 401, "$token{dev} $token{stranger}"],
	['two tokens with a comma', 401, "$token{dev}, $token{dev}"],
	['Basic with a stranger', 404, 'Basic ' . encode_base64("x:$token{stranger}", '')],
	['Basic with a handle', 401, 'Basic ' . encode_base64("$dev{slot}$dev{handle}:x", '')],
	['Basic with no base64', 401, "Basic $token{dev}"],
);

# What nginx must not take for the read of a file, whoever asks: [name, status, method, path, headers, body].
# Where the caller really may read it is the pool that answers 200.
my ($index, $open) = map { "$_/on/e_/one_crate" } $R, $P;
my @dev = ("Authorization: $token{dev}");
my @stranger = ("Authorization: $token{stranger}");
my @beside = qw(PRIVATE-TOKEN JOB-TOKEN Deploy-Token);
# these over HTTP/2, too
my @twice = (
	['two tokens', 400, GET => $index, [@dev, "Authorization: $token{mate}"]],
	['one token twice', 400, GET => $index, [@dev, @dev]],
	['a reader before a stranger', 400, GET => $index, [@dev, @stranger]],
	['a stranger before a reader', 400, GET => $index, [@stranger, @dev]],
	['an empty header before a reader', 400, GET => $index, ['Authorization;', @dev]],
	['a token of nobody\'s beside none', 400, GET => $open, ['Authorization;', 'Authorization: anyone']],
	(map { ["$_ beside it", 400, GET => $index, [@dev, "$_: $token{dev}"]] } @beside),
	(map { ["a stranger's $_ beside it", 400, GET => $index, [@dev, "$_: $token{stranger}"]] } @beside),
	['Basic', 200, GET => $index, ['Authorization: Basic ' . encode_base64("x:$token{dev}", '')]],
	['a query', 200, GET => "$index?x=1", \@dev],
	['a body', 200, GET => $index, \@dev, 'hello'],
	['a stranger\'s body', 404, GET => $index, \@stranger, 'hello'],
	['another method', 405, DELETE => $index, \@dev],
	['anyone, where anyone may', 401, GET => $open, ['Authorization: anyone']],
	['a nought, where anyone may', 401, GET => $open, ['Authorization: 0']],
);
my @roads = (
	@twice,
	['a token as PRIVATE-TOKEN', 200, GET => $index, ["PRIVATE-TOKEN: $token{dev}"]],
	['a handle as PRIVATE-TOKEN', 401, GET => $index, ["PRIVATE-TOKEN: $dev{slot}$dev{handle}"]],
	['Basic, as the user', 200, GET => $index, ['Authorization: Basic ' . encode_base64("$token{dev}:", '')]],
	(map { ["a token as $_ in the query", 401, GET => "$index?$_=$token{dev}", []] }
	    qw(private_token access_token job_token token)),
	['an empty query', 200, GET => "$index?", \@dev],
	['a stranger\'s token in the query', 200, GET => "$index?private_token=$token{stranger}", \@dev],
	['a body of nothing', 200, GET => $index, [@dev, 'Content-Length: 0']],
	['a body in chunks', 200, GET => $index, [@dev, 'Transfer-Encoding: chunked'], "5\r\nhello\r\n0\r\n\r\n"],
	(map { ["the method $_", 405, $_ => $index, \@dev] } qw(POST PUT PATCH OPTIONS TRACE PROPFIND)),
	['a method in small letters', 400, get => $index, \@dev],
	(map { ["half of a method, whose rest is $_", 400, HE => $index, [@dev, "$_: AD"]] } @beside),
	['a stranger\'s HEAD', 404, HEAD => $index, \@stranger],
	['nobody\'s HEAD', 401, HEAD => $index, []],
	['a secret that was guessed, where anyone may', 401, GET => $open,
	    ["Authorization: " . forged($token{dev}, secret => 'x' x 32)]],
);

# Paths: [name, what a reader is told, a stranger, nobody, the path].
my @paths = (
	['a path for the number', 200, 404, 401, $index =~ s{/$id/}{/demo%2Fprivate/}r],
	['a nought before the number', 404, 404, 401, $index =~ s{/$id/}{/0$id/}r],
	['a plus before the number', 404, 404, 401, $index =~ s{/$id/}{/+$id/}r],
	['a long number', 404, 404, 401, $index =~ s{/$id/}{/1000000000000000000/}r],
	['another project', 404, 404, 401, $index =~ s{/$id/}{/$other/}r],
	['out of a public project', 400, 400, 400, $index =~ s{/$id/}{/$public/../$id/}r],
	['out of a public project, encoded', 400, 400, 400, $index =~ s{/$id/}{/$public%2f..%2f$id/}r],
	['two dots', 400, 400, 400, "$R/../cargo/on/e_/one_crate"],
	['two dots, encoded', 400, 400, 400, "$R/%2e%2e/cargo/on/e_/one_crate"],
	['two dots, half of them encoded', 400, 400, 400, "$R/.%2E/cargo/on/e_/one_crate"],
	['two dots behind the prefix', 400, 400, 400, "$R/on/e_/../../config.json"],
	['two dots for a name', 400, 400, 400, "$R/one_crate/../download"],
	['two dots behind a version', 400, 400, 400, "$R/one_crate/1.0.0/../1.0.0/download"],
	['two dots in a version, encoded', 400, 400, 400, "$R/one_crate/1.0.0%2f..%2f1.0.0/download"],
	['two dots that end a version', 404, 404, 401, "$R/one_crate/1../download"],
	['up to the lease', 400, 400, 400, "$R/../../../../../now/0/anyone/$id/config.json"],
	['one dot', 400, 400, 400, "$R/./on/e_/one_crate"],
	['two slashes', 400, 400, 400, "$R//on/e_/one_crate"],
	['two slashes at the beginning', 400, 400, 400, "/$index"],
	['two slashes in the middle', 400, 400, 400, $index =~ s{^/api}{/api/}r],
	['a slash, encoded', 404, 404, 404, "$R/on%2Fe_/one_crate"],
	['a letter, encoded', 200, 404, 401, "$R/on/e_/%6fne_crate"],
	['a NUL, encoded', 400, 400, 400, "$R/one_crate/1.0.0%00/download"],
	['a number sign, encoded', 404, 404, 401, "$index%23"],
	['a number sign', 400, 400, 400, "$index#x"],
	['a question mark, encoded', 404, 404, 401, "$index%3fx"],
	['a semicolon', 404, 404, 401, "$index;x"],
	['a blank, encoded', 404, 404, 401, "$index%20"],
	['backslashes', 400, 400, 400, "$R\\on\\e_\\one_crate"],
	['a slash at the end of an index file', 404, 404, 404, "$index/"],
	['a slash at the end of config.json', 404, 404, 401, "$R/config.json/"],
	['a slash at the end of a crate', 404, 404, 404, "$R/one_crate/1.0.0/download/"],
	['capitals in a name', 200, 404, 401, "$R/on/e_/One_Crate"],
	['capitals in a prefix', 200, 404, 401, "$R/ON/E_/one_crate"],
	['capitals in config.json', 404, 404, 404, "$R/CONFIG.JSON"],
	['capitals in a crate', 404, 404, 401, "$R/One_Crate/1.0.0/download"],
	['capitals in download', 404, 404, 404, "$R/one_crate/1.0.0/Download"],
	['capitals at the beginning', 404, 404, 404, $index =~ s/^\/api/\/API/r],
	['the file itself', 404, 404, 401, "$index.gz"],
	['the file itself, of config.json', 404, 404, 404, "$R/config.json.gz"],
	['its folder', 404, 404, 404, "$R/index/on/e_/one_crate"],
	['the folder of crates', 404, 404, 404, "$R/crates/one_crate/1.0.0"],
	['the location of index files', 404, 404, 404, "/-/berth/cache/index/$id/index/on/e_/one_crate"],
	['the location of index files, for config.json', 404, 404, 404, "/-/berth/cache/index/$id/config.json"],
	['the location of index files, for what is public', 404, 404, 404,
	    "/-/berth/cache/index/$public/index/on/e_/one_crate"],
	['the location of crates', 404, 404, 404, "/-/berth/cache/crates/$id/crates/one_crate/1.0.0"],
	['the location by its full address', 404, 404, 404, "http://localhost/-/berth/cache/index/$id/config.json"],
	['the location, dots', 400, 400, 400, "/-/berth/cache/index/../index/$id/config.json"],
	['the location, encoded', 404, 404, 404, "/-/%63ache/index/$id/config.json"],
	['the location, capitals', 404, 404, 404, "/-/Cache/index/$id/config.json"],
	['the location, two slashes', 400, 400, 400, "/-//cache/index/$id/config.json"],
	['the locations', 404, 404, 404, '/-/berth/cache/'],
	['the location of blobs', 404, 404, 404, '/-/blob/'],
	(map { ["$_", 404, 404, 404, $_] } '/now/', "/now/0/anyone/$id/config.json", '/grant/',
	    "/project/$id/config.json", "/extract/$id/" . '0' x 64, "/-/berth/cache/extract/$id/" . '0' x 64,
	    '/api/v4/now/', "/api/v4/grant/$id", "/api/v4/project/$id/config.json", "$R/now/anyone",
	    "$R/grant/anyone", "$R/project/$id"),
);

# ---- how they are asked, and who answered ----

# One request as it is, over HTTP/1.1.
sub raw {
	my ($method, $path, $headers, $body) = @_;
	my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 30)
	    or die "connect: $!\n";
	my @lines = ((map { s/;$/:/r } @$headers), 'Host: localhost', 'Accept-Encoding: gzip', 'Connection: close');

	push @lines, 'Content-Length: ' . length($body) if defined $body && !grep { /^Transfer-Encoding/ } @$headers;
	print {$s} join("\r\n", "$method $path HTTP/1.1", @lines, '', $body // '');
	my ($head) = split(/\r\n\r\n/, do { local $/; <$s> } // '', 2);
	my %headers = map { /^([^:]+): *(.*)$/ ? (lc $1 => $2) : () } split(/\r\n/, $head // '');

	return { status => ($head // '') =~ m{^HTTP/1\.1 (\d+)} ? $1 : 0, headers => \%headers };
}

# The same over HTTP/2.
sub raw2 {
	my ($method, $path, $headers, $body) = @_;

	return $t->http($method => $path, { http2 => 1, headers => ['Accept-Encoding: gzip', @$headers],
		defined $body ? (body => $body) : () });
}

sub id_of { return $_[0]{headers}{'x-request-id'}; }

# The ids of those answers that were sent from a file.
sub from_files { return map { $_ => 1 } Berth::Cache::from_files($t, map { id_of($_) } @_); }

sub check {
	my ($when) = @_;
	my @asked;
	my $ask = sub {
		my ($name, $status, $how, @request) = @_;

		push @asked, [$name, $status, $how->(@request)];
	};

	for my $c (@credentials) {
		my ($name, $status, $value) = @$c;
		$ask->("$name: $_", $status, \&raw, GET => "$R/$_", defined $value ? ["Authorization: $value"] : [])
		    for @files;
	}
	$ask->("$_->[0], over HTTP/2", $_->[1], \&raw2, GET => $index,
	    defined $_->[2] ? ["Authorization: $_->[2]"] : [])
	    for grep { $_->[0] =~ /^(?:nobody|a stranger|the handle of another|a MAC that is cut|anyone)$/ }
	    @credentials;
	$ask->($_->[0], $_->[1], \&raw, @$_[2 .. $#$_]) for @roads;
	$ask->("$_->[0], over HTTP/2", $_->[1], \&raw2, @$_[2 .. $#$_]) for @twice;
	for my $p (@paths) {
		my ($name, $reader, $stranger, $nobody, $path) = @$p;
		$ask->("$name: a reader", $reader, \&raw, GET => $path, \@dev);
		$ask->("$name: a stranger", $stranger, \&raw, GET => $path, \@stranger);
		$ask->("$name: nobody", $nobody, \&raw, GET => $path, []);
	}
	# nginx takes the full address for the path: what a reader is sent so may be the file
	$ask->("the full address: $_->[0]", $_->[1], \&raw, GET => "http://localhost$index", $_->[2])
	    for ['a stranger', 404, \@stranger], ['nobody', 401, []];

	my %file = from_files(map { $_->[2] } @asked);
	is($_->[2]{status}, $_->[1], "$when: $_->[0]: $_->[1]") for @asked;
	my @served = grep { $file{ id_of($_->[2]) } } @asked;
	is(join('; ', map { $_->[0] } @served), '', "$when: none of @{[scalar @asked]} was sent from a file");
	return;
}

# WHO PROJECT of each grant that there is.
sub grants {
	return sort map { m{/([^/]+)/([^/]+)$} ? "$1 $2" : () } grep { -l } glob($t->dir . '/cache/grant/*/*/*');
}

sub handle { return Berth::Test::token_handle($_[0]); }

# ---- cold, then warm ----

my $keeper = Berth::Cache::keeper($t);
ok(kill('STOP', $keeper), 'the keeper stands still');
check('cold');
is(join(', ', grants()), '', 'and nothing is granted');
kill('CONT', $keeper);

for my $file (@files) {
	ok(defined Berth::Cache::wait_static($t, $port, "$R/$file", Authorization => $_), "a reader is sent $file")
	    for $token{dev}, $token{mate}, values %ended;
	ok(defined Berth::Cache::wait_static($t, $port, "$P/$file"), "anyone is sent a public $file");
}
check('warm');
my %may = map { $_ => 1 } "anyone $public", map { handle($_) . " $id" } $token{dev}, $token{mate},
    values %ended;
is(join(', ', grep { !$may{$_} } grants()), '', 'what was asked for has granted nothing');
cmp_ok(scalar(grep { $may{$_} } grants()), '==', scalar(keys %may), 'those who may read still have theirs');

# Over HTTP/2 nginx cannot tell a request that has a body from one that has none, where no length is given:
# what is sent then is sent to whom it is granted, and the body is thrown away.
subtest 'a body without a length, over HTTP/2' => sub {
	my %opt = (http2 => 1, body => 'hello', curl => ['-H', 'Content-Length:']);

	is($t->http(GET => $index, { %opt, headers => [@{ $_->[1] }, 'Accept-Encoding: gzip'] })->{status}, $_->[2],
	    "$_->[0]: $_->[2]") for ['a reader', \@dev, 200], ['a stranger', \@stranger, 404], ['nobody', [], 401];
};

# Where nginx has lost a key, or somebody has taken it from the file too early or cut it, there may be grants.
for my $key ('', 'k' x 42) {
	my $name = $key eq '' ? 'no key' : 'a key that is cut';

	subtest "an nginx with $name" => sub {
		my $bare = $t->dir . '/bare.key';
		my $filled = 'PRIVATE-TOKEN: ' . 'k' x (43 - length(' 1 GET ')) . ' 1 GET ';

		Berth::Test::write_file($bare, qq(registry "$registry";\n) . ($key eq '' ? '' : qq($dev{slot} "$key";\n)));
		$t->stop_nginx;
		$port = Berth::Cache::start($t, sub { s/include "[^"]*token\.key"/include "$bare"/gr });
		my @asked = map { [@$_[0, 1], $_->[3]->(GET => $index, ["Authorization: $_->[2]", @$_[4 .. $#$_]])] }
		    ["a MAC of $name", 401, forged($token{dev}, key => $key), \&raw],
		    ['a header that makes it longer', 400, forged($token{dev}, key => $key), \&raw, $filled],
		    ['the same over HTTP/2', 400, forged($token{dev}, key => $key), \&raw2, $filled],
		    ['a secret of one\'s own with it', 401, forged($token{dev}, key => $key, secret => 'x' x 32), \&raw],
		    ['the right one', 200, $token{dev}, \&raw];
		my %file = from_files(map { $_->[-1] } @asked);
		ok((grep { /^${\ handle($token{dev})} / } grants()), 'there is a grant');
		is($_->[-1]{status}, $_->[1], "$_->[0]: $_->[1]") for @asked;
		is(scalar(grep { $file{ id_of($_->[-1]) } } @asked), 0, 'none was sent from a file');
	};
}

subtest 'what has ended' => sub {
	$t->berth_ok({ stdin => "$ended{revoked}\n" }, 'token', 'revoke');
	$t->berth_ok('user', 'block', 'gone');
	# as a clock would, but at once
	$t->psql("UPDATE tokens SET expires_at = now() - interval '1 s' WHERE handle = '"
	    . handle($ended{expired}) . q('));
	for my $who (map { handle($_) } values %ended) {
		ok($t->wait_for(sub { !grep { /^$who / } grants() }), 'its grants are gone');
	}
	my @asked = map {
		my $who = $_;

		map { [$who, $_, raw(GET => "$R/$_", ["Authorization: $ended{$who}"])] } @files;
	} sort keys %ended;
	my %file = from_files(map { $_->[2] } @asked);

	is($_->[2]{status}, 401, "a token that is $_->[0]: $_->[1]") for @asked;
	is(scalar(grep { $file{ id_of($_->[2]) } } @asked), 0, 'none was sent from a file');
	is(raw(GET => $index, ["Authorization: $token{dev}"])->{status}, 200, 'others read on');
};

done_testing();
