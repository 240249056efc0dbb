#!/usr/bin/perl

# berth import from a registry over HTTP: from another Berth, by its API and sparse index; from a server
# that gives wrong answers or none; with owners and downloads from a list; and into a mirror.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path);
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use Test::More;

use Berth::Agreement qw(agrees staged);
use Berth::Crate;
use Berth::Elsewhere;
use Berth::Fault;
use Berth::Publish;
use Berth::Test;

my $t = Berth::Test->new(workers => 2, publish_burst => 0, new_crate_burst => 0);
my $json = JSON::PP->new->utf8->canonical;
my %id = map { $_ => $t->project("demo/$_") } qw(old new other mirror);

$t->conf(ci_ca_file => $t->cacert);
$t->user($_) for qw(dev ann blocked);
$t->member('dev', 'demo', 'developer');
$t->berth_ok(qw(user block blocked));
my $token = $t->token('dev');
my $token_file = secret('token', "$token\n");
my $there = Berth::Elsewhere->new($t);
my $apart = Berth::Elsewhere->new($t);
my $fault = Berth::Fault->new($t);

$t->start_pool;

# A file with a token.
sub secret {
	my ($name, $text) = @_;

	return $t->holds_tokens(Berth::Test::write_file($t->dir . "/$name-token", $text));
}

# Status, the lines about versions and crates as JSON, the summary, and standard error.
sub import_of {
	my ($from, $into, @args) = @_;
	my @from = ref $from ? @$from : (index => $from);
	my ($status, $out, $err) = $t->berth('--json', 'import', @from, '--into', $into, @args);
	my @rows = map { $json->decode($_) } split(/\n/, $out);
	my $summary = @rows ? pop @rows : {};

	return ($status, $summary, { map { ("$_->{crate} $_->{version}" => $_) } @rows }, $err);
}

sub list {
	my (@lines) = @_;

	return Berth::Test::write_file($t->dir . '/list', join('', map { (ref ? $json->encode($_) : $_) . "\n" }
	    @lines));
}

sub index_bodies {
	my ($project) = @_;

	return { map { $_ => $t->http(GET => $t->registry($project) . '/' . Berth::Publish::index_path($_),
	    { token => $token })->{body} } $t->psql("SELECT name FROM crates WHERE project_id = $project") };
}

# A line of an index; %opt has values that are wrong on purpose.
sub line_of {
	my ($name, $version, $bytes, %opt) = @_;

	return $json->encode({ name => $opt{name} // $name, vers => $version, deps => [], features => {},
		cksum => $opt{cksum} // sha256_hex($bytes), yanked => JSON::PP::false }) . "\n";
}

# Puts a version of a crate on the other server, and returns its bytes; %opt has values that are wrong on
# purpose.
sub offer {
	my ($name, $version, %opt) = @_;
	my $bytes = $opt{bytes} // Berth::Crate::make($name, $version);

	$there->answer('/index/' . Berth::Publish::index_path($name), line_of($name, $version, $bytes, %opt));
	$there->answer("/dl/$_-$version.crate", $bytes, status => $opt{status} // 200, headers => $opt{headers})
	    for $name, $opt{name} // ();
	return $bytes;
}

subtest 'another Berth' => sub {
	my $from = 'sparse+' . $t->url . "/api/v4/projects/$id{old}/packages/cargo/";
	my ($status, $summary, $rows, $err);

	is($t->publish($id{old}, $token, @$_)->{status}, 200, "$_->[0] $_->[1] is there") for ['base', '1.0.0'],
	    ['base', '1.1.0+b'], ['x', '0.1.0'], ['up_per', '0.1.0'];
	is($t->publish($id{old}, $token, 'needs', '1.0.0', toml => "[dependencies.base]\nversion = \"1\"\n"
	    . "registry-index = \"$from\"\n", metadata => { deps => [{ name => 'base', version_req => '^1',
		features => [], optional => JSON::PP::false, default_features => JSON::PP::true, target => undef,
		kind => 'normal', registry => undef }] })->{status}, 200, 'one that depends on another');
	$t->update_search;
	$t->berth_ok('yank', 'demo/old', 'base@1.0.0', '--message', 'too slow');
	$t->psql("UPDATE versions SET status = 'deprecated', status_message = 'old' WHERE version = '1.1.0+b'");

	($status, undef, undef, $err) = import_of($from, 'demo/new');
	like("$status $err", qr{^1 .*config\.json answers 401: give a token with --token-file}s, 'no token');
	($status, undef, undef, $err) = import_of($from, 'demo/new', '--token-file', secret('wrong', 'berth_x'));
	like("$status $err", qr/^1 .*answers 401: the registry does not accept the token of --token-file[^\n]*\n\z/s,
	    'nor with a wrong one');
	($status, undef, undef, $err) = import_of($from, 'demo/new', '--token-file', secret('long', 'x' x 16385));
	like("$status $err", qr/^2 .*long-token is longer than 16384 bytes\n\z/s, 'a file that is too long');
	($status, $summary, $rows, $err) = import_of($from, 'demo/new', '--token-file', $token_file, '--dry-run');
	is_deeply([$status, $summary->{imported}, $rows], [0, 5, {}], '--dry-run finds five') or diag $err;
	is($t->psql("SELECT count(*) FROM versions WHERE project_id = $id{new}"), 0, 'and imports none');
	($status, $summary, $rows, $err) = import_of($from, 'demo/new', '--token-file', $token_file);
	is_deeply([$status, @$summary{qw(imported unresolved)}, $rows], [0, 5, 0, {}], 'all are imported')
	    or diag $err;
	is_deeply(index_bodies($id{new}), index_bodies($id{old}), 'with the same bytes of the index');
	is($t->psql("SELECT bool_or(yanked), count(yank_message), count(status_message),"
	    . " count(*) FILTER (WHERE status <> 'default') FROM versions WHERE project_id = $id{new}"), 't|0|0|0',
	    'messages and status stay behind, as berth-operations(7) says');
	agrees($t, 'imported', token => $token);
	{
		local $ENV{BERTH_IMPORT_TOKEN} = $token;
		my $url = $from =~ s{^sparse\+|/\z}{}gr;

		($status, $summary) = import_of($url, 'demo/new');
		is_deeply([$status, @$summary{qw(imported there)}], [0, 0, 5], 'again, with the token of the environment');
		($status, $summary) = import_of($url, 'demo/other', '--list', list("\xef\xbb\xbfx\r", 'Base', "\r"));
		is_deeply([$status, $summary->{imported}], [0, 3], 'a list names some, as Windows writes texts');
	}
	($status, $summary, undef, $err) = import_of($from, 'demo/other', '--token-file',
	    secret('windows', "\xef\xbb\xbf" . Berth::Cluster::slurp($token_file) =~ s/\n?\z/\r\n/r), '--list',
	    list('x'));
	is_deeply([$status, $summary->{there}], [0, 1], 'a token, too') or diag $err;
	my ($link, $pipe) = map { $t->dir . "/$_" } qw(link-token pipe);
	symlink $token_file, $t->holds_tokens($link) or die "$link: $!\n";
	POSIX::mkfifo($pipe, 0600) or die "$pipe: $!\n";
	my $writer = fork // die "fork: $!\n";
	if ($writer == 0) {
		Berth::Test::write_file($pipe, "x\nbase\n");
		POSIX::_exit(0);
	}
	($status, $summary, undef, $err) = import_of($from, 'demo/other', '--token-file', $link, '--list', $pipe);
	kill KILL => $writer;
	waitpid $writer, 0;
	is_deeply([$status, $summary->{there}], [0, 3], 'the token behind a link, the list in a pipe') or diag $err;
	ok($t->wait_for(sub { !staged($t) }), 'nothing is left in staging');

	# the end of a move, as berth-operations(7) describes it
	$t->berth_ok('project', 'set', 'demo/old', 'mirror_url=' . $from =~ s{projects/\d+}{projects/$id{new}}r);
	my $res = $t->publish($id{old}, $token, 'late', '1.0.0');
	like("$res->{status} $res->{body}", qr{^403 .*the project is a mirror of \S+/projects/$id{new}/}s,
	    'the old project can refuse a publish, and name the new one');
	is_deeply(index_bodies($id{old}), index_bodies($id{new}), 'while old lock files find what they name');
	$t->berth_ok('project', 'set', 'demo/old', 'mirror_url=');
};

subtest 'a server that is not what it should be' => sub {
	my $url = $there->url;
	my $source = "sparse+$url/index/";
	my $config = { dl => "$url/dl/{crate}-{version}.crate" };
	my ($status, $summary, $rows, $err);

	offer('good', '1.0.0');
	offer('other-sum', '1.0.0', cksum => 'a' x 64);
	offer('Lower_Case', '1.0.0', name => 'lower_case');
	offer('gone', '1.0.0', status => 404);
	offer('denied', '1.0.0', status => 403);
	offer('large', '1.0.0', bytes => 'x' x 3000);
	offer('names-else', '1.0.0', name => 'else-where');
	$there->answer('/index/no/js/nojson', "{\n");
	$there->answer('/index/em/pt/empty', '');
	$t->berth_ok('project', 'set', 'demo/other', 'max_crate_size=2k');
	my $list = list(qw(good Lower_Case other-sum gone denied large names-else nojson empty absent));

	$there->answer('/index/config.json', $config);
	($status, undef, undef, $err) = import_of($source, 'demo/other');
	like("$status $err", qr/^1 .*has no API that lists its crates; write the names of all crates into a file/s,
	    'no list, no API');
	($status, $summary, $rows, $err) = import_of($source, 'demo/other', '--list', $list);
	is_deeply([$status, @$summary{qw(imported refused missing)}], [1, 2, 5, 3], 'two are good') or diag $err;
	my %why = ('other-sum 1.0.0' => qr/has the SHA-256 [0-9a-f]{64}, and the index says a{64}/,
		'gone 1.0.0' => qr/does not have its bytes/, 'denied 1.0.0' => qr/answers 403/,
		'large 1.0.0' => qr/crate `large` 1\.0\.0 has at least 3000 bytes, and .* allows 2048: raise it/,
		'names-else ' => qr/has lines of the crate `else-where`, not only of `names-else`$/,
		'nojson ' => qr/the index file:1: /,
		'empty ' => qr/does not have the crate/, 'absent ' => qr/does not have the crate/);
	like($rows->{$_}{reason}, $why{$_}, "$_: why") for sort keys %why;
	is_deeply([sort keys %$rows], [sort keys %why], 'no more rows');
	is($t->psql("SELECT name FROM crates WHERE name ~ 'ower'"), 'Lower_Case', 'the crate knows its name');
	is((split(/\n/, $err))[-1], 'berth: 4 of 6 versions are not imported; crates that are refused as a whole: 2;'
	    . ' crates that the source does not have: 2', 'and it says how many are not');

	# its page is larger than that of any error that is read
	offer('later', '1.0.0', bytes => 'x' x (300 << 10), status => 429);
	($status, undef, undef, $err) = import_of($source, 'demo/other', '--list', list('later'));
	like($err, qr/later-1\.0\.0\.crate: the server answers 429; .*run the same command/, 'one that is busy');
	is($there->count('/dl/later-1.0.0.crate'), 3, 'is asked three times');

	offer('hourly', '1.0.0', status => 429, headers => ['Retry-After: 3600']);
	($status, undef, undef, $err) = import_of($source, 'demo/other', '--list', list('hourly'));
	like($err, qr/: the server answers 429, and asks to come again in 3600 seconds; .*run the same/, 'too long');
	is($there->count('/dl/hourly-1.0.0.crate'), 1, 'is not waited for');

	# once it is told when to come again, it has the crate
	my $soon = offer('soon', '1.0.0', status => 429, headers => ['Retry-After: 3']);
	my $log = $t->dir . '/soon.log';
	my $pid = Berth::Test::spawn($log, $t->build . '/berth', '-c', $t->conf_path, 'import', 'index', $source,
	    '--into', 'demo/other', '--list', list('soon'));
	ok($t->wait_for(sub { $there->count('/dl/soon-1.0.0.crate') }), 'a server that is busy for a while');
	$there->answer('/dl/soon-1.0.0.crate', $soon);
	waitpid($pid, 0);
	is($?, 0, 'has the crate then');
	like(Berth::Cluster::slurp($log), qr{^berth: GET \Q$url\E/dl/soon-1\.0\.0\.crate: .* 429, .* in 3 seconds}m,
	    'and the command says for what it waits');
	is($there->count('/dl/soon-1.0.0.crate'), 2, 'it waits as long as that');

	# it redirects to a host that fails; what signs the address is a secret
	for (['1.0.0', 500], ['1.1.0', 403]) {
		my ($version, $status) = @$_;
		my $path = "/$version?X-Amz-Signature=5ec3e7";

		offer('signed', $version, status => 302, headers => ['Location: ' . $apart->url . $path]);
		$apart->answer($path, '', status => $status);
	}
	$there->answer('/index/si/gn/signed', join('', map { line_of('signed', $_, 'x') } '1.0.0', '1.1.0'));
	($status, $summary, $rows, $err) = import_of($source, 'demo/other', '--list', list(qw(signed good)));
	is_deeply([$status, @$summary{qw(refused there)}], [1, 2, 1], 'crates that another host does not give');
	my ($host) = $apart->url =~ m{//(.*)};
	like($rows->{'signed 1.0.0'}{reason}, qr/signed-1\.0\.0\.crate, redirected to $host: .* answers 500$/,
	    'are refused, and it names the host');
	like($rows->{'signed 1.1.0'}{reason}, qr/signed-1\.1\.0\.crate, redirected to $host, answers 403$/,
	    'and says nothing of tokens');
	unlike($err . $json->encode($rows), qr/5ec3e7|Signature/, 'but no secret');

	# neither a year ago, nor what is no time, nor an endless time makes it wait
	my $year_ago = 'Sat, 01 Nov 2025 00:00:00 GMT';
	for (['-5', 3, ''], [$year_ago, 3, ''], ['soon', 3, ''], ['9999999999', 1, ', and asks to come .*']) {
		my ($after, $times, $said) = @$_;
		my $before = $there->count('/dl/odd-1.0.0.crate');

		offer('odd', '1.0.0', status => 429, headers => ["Retry-After: $after"]);
		($status, undef, undef, $err) = import_of($source, 'demo/other', '--list', list('odd'));
		like($err, qr/: the server answers 429$said; at odd/, "Retry-After: $after");
		is($there->count('/dl/odd-1.0.0.crate') - $before, $times, "  it is asked $times times");
	}

	$there->answer('/index/to/om/toomany', '', length => 300 << 20, headers => ['X-Accel-Buffering: no']);
	($status, $summary, $rows) = import_of($source, 'demo/other', '--list', list(qw(toomany good)));
	is_deeply([$status, @$summary{qw(refused there)}], [1, 1, 1], 'an index file that is too large');
	like($rows->{'toomany '}{reason}, qr/toomany: the answer is longer than 268435456 bytes$/, 'ends no import');

	# it has lost the bytes of a version, and an index file
	my $bytes = offer('lost', '1.1.0');
	$there->answer('/index/lo/st/lost', join('', map { line_of('lost', $_, $bytes) } '1.0.0', '1.1.0'));
	$there->answer('/dl/lost-1.0.0.crate', '', status => 503);
	$there->answer('/index/no/in/noindex', '', status => 500);
	($status, $summary, $rows, $err) = import_of($source, 'demo/other', '--processes', 1, '--list',
	    list(qw(lost noindex good)));
	is_deeply([$status, @$summary{qw(imported refused there)}], [1, 1, 2, 1], 'the others are imported')
	    or diag $err;
	like($rows->{'lost 1.0.0'}{reason}, qr/lost-1\.0\.0\.crate: the server answers 503$/, 'with the reason');
	like($rows->{'noindex '}{reason}, qr/noindex: the server answers 500$/, 'of both');

	# config.json says nothing about another host
	$apart->answer('/dl/lost-1.0.0.crate', '', status => 503);
	$there->answer('/index/config.json', { dl => $apart->url . '/dl/{crate}-{version}.crate' });
	($status, undef, undef, $err) = import_of($source, 'demo/other', '--list', list('lost'));
	like("$status $err", qr/^1 .*lost-1\.0\.0\.crate: the server answers 503; .*run the same command/s,
	    'the host of the crates, which may be away');
	$there->answer('/index/config.json', $config);

	my %wrong = (
		"sparse+ftp://host/" => qr/is not the URL of an index/,
		"https://user:secret\@host/" => qr/is not the URL of an index/,
		"$url/none" => qr{/none/config\.json answers 404},
		"$url/text/" => qr/config\.json of the index/,
		"$url/file/" => qr/must be a URL with https/,
	);
	$there->answer('/text/config.json', 'no json');
	$there->answer('/file/config.json', { dl => 'file:///etc/{crate}' });
	for my $from (sort keys %wrong) {
		($status, undef, undef, $err) = import_of($from, 'demo/other', '--list', $list);
		my $want = $from =~ /^\Q$url/ ? 1 : 2;

		like("$status $err", qr/^$want .*$wrong{$from}/s, $from =~ s/^\Q$url\E//r);
		unlike($err, qr/secret/, '  without its password');
	}
	$there->answer("/api/v1/crates?q=&per_page=100&page=$_", { crates => [{ name => 'good' }],
		meta => { total => 2 } }) for 1, 2;
	$there->answer('/index/config.json', { %$config, api => $url });
	($status, undef, undef, $err) = import_of($source, 'demo/other');
	like($err, qr/lists 1 of 2 crates; write the names/, 'an API that sends the first page again');

	# a crate that goes while the pages are read shifts the later ones, and one entry falls between them
	my $first = '/api/v1/crates?q=&per_page=100&page=1';
	my $before = $there->count($first);
	$there->answer($first, { crates => [map { { name => "c$_" } } 1 .. 100], meta => { total => 102 } });
	$there->answer('/api/v1/crates?q=&per_page=100&page=2', { crates => [{ name => 'c102' }],
		meta => { total => 101 } });
	($status, undef, undef, $err) = import_of($source, 'demo/other');
	like("$status $err", qr/^1 .*list of crates changes while it is read; try again/s, 'a list that shifts');
	is($there->count($first) - $before, 3, 'is read again before');
	$there->answer($first, { crates => [], meta => { total => 0 } });
	($status, undef, undef, $err) = import_of($source, 'demo/other');
	like("$status $err", qr/^1 .*the registry lists no crates, so nothing is imp/s, 'one without crates');
	($status, undef, undef, $err) = import_of($source, 'demo/other', '--list', list());
	like("$status $err", qr/^2 .*has no crates, so nothing is imported/s, 'an empty list');
};

# A server that makes up as many crates as somebody wants to read: a process of its own, without TLS.
sub endless {
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 8) or die "listen: $!\n";
	my $url = 'http://127.0.0.1:' . $listener->sockport;
	my $pid = fork // die "fork: $!\n";

	return ($url, $pid) if $pid;
	while (my $client = $listener->accept) {
		my ($path) = (<$client> // '') =~ m{^GET (\S+)} or next;
		my $page = $path =~ /&page=(\d+)$/ ? $1 : 0;
		my $body = $page == 0 ? $json->encode({ dl => "$url/dl", api => $url })
		    : '{"crates":[' . join(',', map { qq({"name":"c$page-$_"}) } 1 .. 25_000)
		    . '],"meta":{"total":2000000}}';

		1 while (<$client> // "\r\n") ne "\r\n";
		print {$client} "HTTP/1.0 200 OK\r\nContent-Length: ", length($body), "\r\n\r\n", $body;
	}
	POSIX::_exit(0);
}

subtest 'more crates than anybody imports' => sub {
	my ($url, $pid) = endless();
	my ($status, undef, undef, $err) = import_of("sparse+$url/", 'demo/other');

	kill KILL => $pid;
	waitpid $pid, 0;
	like("$status $err", qr/^1 .*lists 1000000 of 2000000 crates; write the names/s, 'it says where it stops');
};

subtest 'a token, and who gets it' => sub {
	my $url = $there->url;
	my $secret = 'Bearer a-secret';
	my $bytes = offer('near', '1.0.0');
	my $line = line_of('near', '1.0.0', $bytes);
	my $file = secret('there', $secret);
	my ($status, $summary, $rows, $err);

	$there->answer_header('/index/ne/ar/near', 'authorization', { $secret => [200, $line] }, [401, '']);
	$apart->answer_header('/dl/near-1.0.0.crate', 'authorization', { $secret => [400, ''] }, [200, $bytes]);
	my %config = (
		'another host that config.json names' => { dl => $apart->url . '/dl/{crate}-{version}.crate' },
		'another host to which it is sent on' => { dl => "$url/on/{crate}-{version}.crate" },
	);
	$there->answer_header('/on/near-1.0.0.crate', 'authorization',
	    { $secret => [302, '', ['Location: ' . $apart->url . '/dl/near-1.0.0.crate']] }, [401, '']);
	for my $what (sort keys %config) {
		my $project = $t->project('demo/' . ($what =~ s/ /-/gr));

		$there->answer('/index/config.json', $config{$what});
		($status, $summary, $rows, $err) = import_of("sparse+$url/index/", 'demo/' . ($what =~ s/ /-/gr), '--list',
		    list('near'), '--token-file', $file);
		is_deeply([$status, $summary->{imported}], [0, 1], "not $what") or diag explain $rows, $err;
	}
	$apart->answer_header('/dl/near-1.0.0.crate', 'authorization', { $secret => [200, $bytes] }, [401, '']);
	$there->answer('/index/config.json', { dl => $apart->url . '/dl/{crate}-{version}.crate',
		'auth-required' => JSON::PP::true });
	($status, $summary, $rows, $err) = import_of("sparse+$url/index/", 'demo/other', '--list', list('near'),
	    '--token-file', $file);
	is_deeply([$status, $summary->{imported}], [0, 1], 'unless config.json says that it must')
	    or diag explain $rows;
	$there->answer('/on/near-1.0.0.crate', '', status => 302, headers => ['Location: http://localhost:1/']);
	$there->answer('/index/config.json', { dl => "$url/on/{crate}-{version}.crate" });
	($status, undef, undef, $err) = import_of("sparse+$url/index/", 'demo/mirror', '--list', list('near'),
	    '--token-file', $file);
	like($err, qr/near-1\.0\.0\.crate, redirected to localhost:1: /, 'https does not become http');
	is($t->psql("SELECT count(*) FROM versions WHERE project_id = $id{mirror}"), 0, 'and nothing is imported');
	for (["a\nb", 0], ["", qr/the token is empty/], ["\x01", qr/visible ASCII/]) {
		my ($text, $pattern) = @$_;

		($status, undef, undef, $err) = import_of("sparse+$url/index/", 'demo/mirror', '--list', list('near'),
		    '--token-file', secret('bad', $text));
		like("$status $err", qr/^2 .*$pattern/s, 'a token that is none') if $pattern;
	}
	$t->conf(ci_ca_file => undef);
	($status, undef, undef, $err) = import_of("sparse+$url/index/", 'demo/mirror', '--list', list('near'));
	$t->conf(ci_ca_file => $t->cacert);
	like("$status $err", qr/^1 .*certificate problem: [^;]*; if you trust its authority, .*ci_ca_file/s,
	    'an authority that this host does not know');
	$there->stop;
	($status, undef, undef, $err) = import_of("sparse+$url/index/", 'demo/mirror', '--list', list('near'));
	like("$status $err", qr{^1 .*GET \Q$url\E/index/config\.json: }s, 'nobody is there');
	$there->start;
};

# A Cargo.lock; a package is [name, version, source, checksum], of which the end may be missing.
sub lock_file {
	my (@packages) = @_;
	my @keys = qw(name version source checksum);
	my $text = "version = 4\n";

	for my $package (@packages) {
		$text .= "\n[[package]]\n" . join('', map { "$keys[$_] = \"$package->[$_]\"\n" } 0 .. $#$package);
	}
	return Berth::Test::write_file($t->dir . '/Cargo.lock', $text);
}

subtest 'a lock file' => sub {
	my $here = 'sparse+' . $there->url . '/index/';
	my $mirror = $t->project('demo/locked');
	my (%sum, $status, $summary, $rows, $err);

	$there->answer('/index/config.json', { dl => $there->url . '/dl/{crate}-{version}.crate' });
	for my $name (qw(first second third)) {
		my %bytes = map { $_ => Berth::Crate::make($name, $_) } qw(0.9.0 1.0.0 1.1.0+b);

		$there->answer('/index/' . Berth::Publish::index_path($name),
		    join('', map { line_of($name, $_, $bytes{$_}) } sort keys %bytes));
		$there->answer("/dl/$name-$_.crate", $bytes{$_}) for keys %bytes;
		$sum{"$name $_"} = sha256_hex($bytes{$_}) for keys %bytes;
	}
	my @lock = ([qw(app 0.1.0)], ['first', '1.1.0+b', $here, $sum{'first 1.1.0+b'}],
	    ['first', '0.9.0', $here, $sum{'first 0.9.0'}], ['second', '1.0.0', $here]);
	my @elsewhere = (['outside', '1.0.0', 'git+https://git.example.com/outside?rev=1#2'],
	    [qw(public 1.0.0 registry+https://github.com/rust-lang/crates.io-index), 'a' x 64]);

	($status, $summary, $rows, $err) = import_of($here, 'demo/locked', '--lock', lock_file(@lock, @elsewhere));
	is_deeply([$status, @$summary{qw(imported missing)}, $rows], [0, 3, 0, {}], 'only what it names')
	    or diag $err;
	like($err, qr/^berth: warning: \S+Cargo\.lock has packages of other registries .*: 2, such as `outside`$/m,
	    'and what comes from elsewhere');
	is_deeply([$t->psql("SELECT name || ' ' || version FROM versions v JOIN crates c ON c.id = v.crate_id"
	    . " WHERE v.project_id = $mirror ORDER BY name, v.id")],
	    ['first 0.9.0', 'first 1.1.0+b', 'second 1.0.0'], 'in the order of the index');
	is($there->count($_), 0, "the server is not asked for $_") for '/dl/first-1.0.0.crate', '/index/th/ir/third';
	($status, $summary) = import_of($here, 'demo/locked', '--lock', lock_file(@lock, [qw(third 1.0.0), $here]));
	is_deeply([$status, @$summary{qw(imported there)}], [0, 1, 3], 'a later one adds to it');

	($status, $summary, $rows, $err) = import_of($here, 'demo/locked', '--lock', lock_file(
	    ['first', '1.0.0', $here, 'b' x 64], ['first', '0.9.0', $here, 'b' x 64], ['first', '2.0.0', $here],
	    ['absent', '1.0.0', $here], ['second', '1.0.0', $here]));
	is_deeply([$status, @$summary{qw(refused missing there)}], [1, 2, 2, 1], 'bytes that it does not mean')
	    or diag $err;
	like($rows->{"first $_"}{reason}, qr/^the line of the index has .* $sum{"first $_"}, .* says b+$/, "$_: why")
	    for qw(0.9.0 1.0.0);
	is($rows->{$_}{reason}, 'the source does not have the version', "and that $_ is not there")
	    for 'first 2.0.0', 'absent 1.0.0';
	like($err, qr/^berth: 4 of 5 versions are not imported$/m, 'and how many versions that are');

	my $third = Berth::Publish::index_path('third');
	$there->answer("/index/$third", '', status => 404);
	($status, $summary, $rows, $err) = import_of($here, 'demo/locked', '--lock', lock_file(['third', '1.0.0',
	    $here, $sum{'third 1.0.0'}]));
	is_deeply([$status, $summary->{there}], [0, 1], 'the source has lost a crate that the project has')
	    or diag $err;

	my $crates = $t->dir . '/cache';
	make_path("$crates/there-0");
	Berth::Test::write_file("$crates/there-0/second-$_.crate", Berth::Crate::make('second', $_))
	    for qw(0.9.0 1.0.0);
	$t->project('demo/cached');
	my @from = ([directory => $crates], 'demo/cached', '--registry-url', $here, '--lock');
	($status, $summary, $rows, $err) = import_of(@from, lock_file(['second', '1.0.0', $here, 'b' x 64]));
	like("$status " . $rows->{'second 1.0.0'}{reason}, qr/^1 the crate has .*, and the lock file says b{64}$/,
	    'files with other bytes') or diag $err;
	($status, $summary, $rows, $err) = import_of(@from, lock_file(['second', '1.0.0', $here,
	    $sum{'second 1.0.0'}], ['second', '9.0.0', $here]));
	is_deeply([$status, @$summary{qw(imported missing)}, $rows->{'second 9.0.0'}{result}], [1, 1, 1, 'missing'],
	    'files with those that it means') or diag $err;
	($status, $summary, $rows, $err) = import_of(@from, lock_file(['second', '1.0.0', $here, 'b' x 64]));
	like("$status " . $rows->{'second 1.0.0'}{reason}, qr/^1 the project's crate has .* says b{64}$/,
	    'the project has others') or diag $err;
	unlink("$crates/there-0/second-1.0.0.crate");
	($status, $summary, $rows, $err) = import_of(@from, lock_file(['second', '1.0.0', $here,
	    $sum{'second 1.0.0'}]));
	is_deeply([$status, $summary->{there}], [0, 1], 'the project has those of a version that the source lacks')
	    or diag $err;

	my $first = "[[package]]\nname = \"second\"\nversion = \"1.0.0\"\nsource = \"$here\"\n";
	my %others = ('a name that no registry takes' => "$first\n[[package]]\nname = \"\xc3\xbcber 1\"\n"
	    . "version = \"1.0.0\"\nsource = \"git+https://git.example.com/x#1\"\n",
	    'version 1' => "$first\n[metadata]\n\"checksum second 1.0.0 ($here)\" = \"$sum{'second 1.0.0'}\"\n",
	    'many packages' => join('', $first, map { "[[package]]\nname = \"own$_\"\nversion = \"1.0.0\"\n"
		. "dependencies = [\n" . qq( "a",\n) x 10 . "]\n" } 1 .. 10000));
	for my $what (sort keys %others) {
		($status, $summary, $rows, $err) = import_of($here, 'demo/locked', '--lock',
		    Berth::Test::write_file($t->dir . '/Cargo.lock', $others{$what}));
		is_deeply([$status, $summary->{there}], [0, 1], "a lock file: $what") or diag $err;
	}
	($status, $summary, $rows) = import_of($here, 'demo/locked', '--lock', Berth::Test::write_file($t->dir
	    . '/Cargo.lock', $others{'version 1'} =~ s/"\w{64}"/'"' . 'b' x 64 . '"'/er));
	like("$status $rows->{'second 1.0.0'}{reason}", qr/^1 .* lock file says b+$/, 'checksums of version 1');
	($status, undef, undef, $err) = import_of([directory => $crates], 'demo/cached', '--lock', lock_file(@lock));
	like("$status $err", qr/^2 .*nothing says which .* --registry-url URL .*`first`/s,
	    'nothing says which registry it is') or diag $err;

	for (['name = "x"' => qr/has no \[\[package\]\]: give a Cargo\.lock/],
	    ['[package' => qr/: line 1, column 9: /],
	    ["package = 1" => qr/has no \[\[package\]\]/],
	    ["package = [1]" => qr/: line 1: `package` must be tables/],
	    ["[[package]]\nversion = \"1.0.0\"" => qr/: line 1: `name` of the package must be a string/],
	    ["[[package]]\nname = \"x\"\nversion = 1" => qr/: line 3: `version` of the package must be a string/],
	    ["[[package]]\nname = \"x\"\nversion = \"1.0.0\"" => qr/has no package of a registry/],
	    ["[[package]]\nname = \"x y\"\nversion = \"1.0.0\"\nsource = \"$here\"" => qr/: line 1: .*`x y`/],
	    ["[[package]]\nname = \"x\"\nversion = \"1\"\nsource = \"$here\"" => qr/: line 1: "1" is an invalid/],
	    ["[[package]]\nname = \"x\"\nversion = \"1.0.0\"\nsource = \"$here\"\nchecksum = \"b\""
		=> qr/: line 1: the checksum must have 64/],
	    [join("\n", map { "[[package]]\nname = \"x\"\nversion = \"1.0.0\"\nsource = \"$here\"\nchecksum = \""
		. $_ x 64 . '"' } qw(b a))
		=> qr/has the crate `x` 1\.0\.0 twice, with the checksums (?:a{64} and b|b{64} and a)/],
	    ["[[package]]\nname = \"x\"\nversion = \"1.0.0\"\nsource = \"sparse+https://other.example.com/\""
		=> qr/no package of the registry that you import from, \Q$here\E; `x`, for example, comes from/]) {
		my ($text, $why) = @$_;

		($status, undef, undef, $err) = import_of($here, 'demo/locked', '--lock',
		    Berth::Test::write_file($t->dir . '/Cargo.lock', "$text\n"));
		like("$status $err", qr/^2 .*Cargo\.lock/s, 'a wrong file: ' . $text =~ s/\n.*//sr);
		like($err, $why, 'and why');
		unlike($err, qr/^usage: /m, 'and no more');
	}
	my $asked = $there->count('/index/config.json');
	import_of($here, 'demo/locked', '--lock', $t->dir . '/nowhere');
	is($there->count('/index/config.json'), $asked, 'before the server is asked');
	($status, $summary, $rows, $err) = import_of($here, 'demo/locked', '--lock', lock_file(
	    ['second', '1.0.0', $here, 'b' x 64], ['second', '1.0.0', $here]));
	like($rows->{'second 1.0.0'}{reason}, qr/says b{64}$/, 'a checksum counts for the same version without one')
	    or diag $err, explain $rows;
	($status, undef, undef, $err) = import_of('crates-io', 'demo/locked');
	like("$status $err", qr/^2 .*crates-io does not list all crates: give the Cargo\.lock .* --lock FILE/s,
	    'all of the public registry is not asked for');
};

subtest 'an index or crates in files, and the rest over HTTP' => sub {
	my $url = $there->url;
	my ($index, $crates) = map { $t->dir . "/$_" } qw(git crates);
	my $config = $json->encode({ dl => "$url/dl/{crate}-{version}.crate" });
	my ($status, $summary, $rows, $err);

	offer($_, '1.0.0') for qw(here there);
	Berth::Test::write_file("$index/" . Berth::Publish::index_path($_), line_of($_, '1.0.0',
	    Berth::Crate::make($_, '1.0.0'))) for qw(here there);
	Berth::Test::write_file("$index/config.json", $config);
	($status, $summary, $rows, $err) = import_of($index, 'demo/new');
	is_deeply([$status, $summary->{imported}, $rows], [0, 2, {}], 'a work tree, whose config.json has dl')
	    or diag $err;
	my $huge = "$index/" . Berth::Publish::index_path('huge');
	make_path($huge =~ s{/[^/]*$}{}r);
	truncate(Berth::Test::write_file($huge, ''), 300 << 20) or die "$huge: $!\n";
	($status, $summary, $rows, $err) = import_of($index, 'demo/new');
	is_deeply([$status, @$summary{qw(refused there)}], [1, 1, 2], 'an index file that is too large')
	    or diag $err;
	like($rows->{'huge '}{reason}, qr{/hu/ge/huge has 314572800 bytes, and 268435456 is the most$}, 'says so');
	unlink($huge);
	my $before = $there->count('/dl/here-1.0.0.crate');
	Berth::Test::write_file("$crates/here-1.0.0.crate", Berth::Crate::make('here', '1.0.0'));
	$there->answer('/index/config.json', $config);
	$t->project('demo/both');
	($status, $summary, $rows, $err) = import_of("sparse+$url/index/", 'demo/both', '--crates', $crates,
	    '--list', list(qw(here there)));
	is_deeply([$status, $summary->{imported}, $rows], [0, 2, {}], 'crates of a directory and of the server')
	    or diag $err;
	is($there->count('/dl/here-1.0.0.crate'), $before, 'what is in the directory is not downloaded');
	Berth::Test::write_file("$index/" . Berth::Publish::index_path('away'), line_of('away', '1.0.0', 'x'));
	$there->answer('/dl/away-1.0.0.crate', '', status => 503);
	($status, undef, undef, $err) = import_of($index, 'demo/new');
	like($err, qr/away-1\.0\.0\.crate: the server answers 503; .*run the same command/,
	    'nobody says whether the server is busy or lacks this crate');
	Berth::Test::write_file("$index/config.json", '{}');
	($status, undef, undef, $err) = import_of($index, 'demo/both');
	like("$status $err", qr/^1 .*config\.json of the index: missing field `dl`/s, 'a config.json without dl');
};

# The next two cannot be run here: these are the forms that their manuals, and reports of their users, have.
# A crate `needs` that depends on `base`, by each of these registries in its line.
sub needing {
	my (@registries) = @_;
	my $n = 0;
	my @deps = map { my $name = $n++ ? "base$n" : 'base';
	    { name => $name, req => '^1', features => [], optional => JSON::PP::false,
		default_features => JSON::PP::true, target => undef, kind => 'normal', registry => $_,
		package => $name eq 'base' ? undef : 'base' } } @registries;
	my $bytes = Berth::Crate::make('needs', '1.0.0', toml => join('', map {
	    "[dependencies.$_->{name}]\nversion = \"1\"\nregistry-index = \"https://elsewhere.example/\"\n"
	    . ($_->{package} ? "package = \"base\"\n" : '') } @deps));

	return ($bytes, $json->encode({ name => 'needs', vers => '1.0.0', deps => \@deps, features => {},
		features2 => {}, cksum => uc sha256_hex($bytes), yanked => undef, links => undef, internal => { id => 7 } })
	    . "\n");
}

subtest 'Artifactory' => sub {
	my $root = '/artifactory/api/cargo/rust-local';
	my $url = $there->url . $root;
	my $git = $there->url . '/artifactory/git/rust-local.git';
	my $secret = 'Bearer eyJ-of-artifactory';
	my @token = ('--token-file', secret('artifactory', $secret));
	my $from = "sparse+$url/index/";
	my $id = $t->project('demo/artifactory');
	my $refused = $json->encode({ errors => [{ status => 401, message => 'Authentication is required' }] });
	my $put = sub { $there->answer_header($_[0], 'authorization', { $secret => [200, @_[1 .. $#_]] },
	    [401, $refused]) };
	my ($needs, $line) = needing(undef, $from, $url . '/index', $git);
	my %bytes = (base => Berth::Crate::make('base', '1.0.0'), needs => $needs);
	my ($status, $summary, $rows, $err);

	$put->("$root/index/config.json", $json->encode({ dl => "$url/v1/crates", api => $url,
	    'auth-required' => JSON::PP::true }));
	$put->("$root/index/ba/se/base", line_of('base', '1.0.0', $bytes{base}));
	$put->("$root/index/ne/ed/needs", $line);
	# a crate may be on another server
	for (sort keys %bytes) {
		$there->answer_header("$root/v1/crates/$_/1.0.0/download", 'authorization',
		    { $secret => [302, '', ['Location: ' . $apart->url . "/filestore/$_?sig=x"]] }, [401, $refused]);
		$apart->answer_header("/filestore/$_?sig=x", 'authorization', { $secret => [400, ''] }, [200, $bytes{$_}]);
	}
	($status, undef, undef, $err) = import_of($from, 'demo/artifactory');
	like("$status $err", qr{^1 .*config\.json answers 401: give a token with --token-file}s, 'no token');
	($status, undef, undef, $err) = import_of($from, 'demo/artifactory', @token);
	like("$status $err", qr/^1 .*answers 404; or write the names of all crates into a file/s, 'no search');
	$put->('/artifactory/api/storage/rust-local/crates', my $storage = $json->encode({ repo => 'rust-local',
	    path => '/crates', children => [map { { uri => "/$_", folder => JSON::PP::true } } sort keys %bytes] }));
	my @names = map { substr($_->{uri}, 1) } @{ $json->decode($storage)->{children} };
	($status, $summary, $rows, $err) = import_of($from, 'demo/artifactory', @token, '--list', list(@names),
	    '--registry-url', $git);
	is_deeply([$status, $summary->{imported}, $rows], [0, 2, {}], 'all that its storage API names') or diag $err;
	is_deeply([map { $_->{registry} } @{ $json->decode(index_bodies($id)->{needs})->{deps} }], [(undef) x 4],
	    'its own index, in all spellings, and its git index, become the project');
	($status, $summary) = import_of($from, 'demo/artifactory', @token, '--list', list(@names));
	is_deeply([$status, $summary->{there}], [0, 2], 'again: they are there');

	# as before 7.50 and 7.56: 400 to who sends no token, and for a crate that it does not have
	$there->answer("$root/index/$_", $json->encode({ errors => [{ status => 400, message => 'Bad Request' }] }),
	    status => 400) for 'config.json', 'ab/se/absent';
	($status, undef, undef, $err) = import_of($from, 'demo/artifactory');
	like("$status $err", qr{^1 .*config\.json answers 400: give a token with --token-file}s, 'formerly');
	$put->("$root/index/config.json", $json->encode({ dl => "$url/v1/crates", api => $url }));
	($status, $summary, $rows) = import_of($from, 'demo/artifactory', @token, '--list', list('absent', 'base'));
	is_deeply([$status, @$summary{qw(refused there)}], [1, 1, 1], 'one that it does not have ends nothing');
	like($rows->{'absent '}{reason}, qr/index\/ab\/se\/absent answers 400$/, 'and is reported');
};

subtest 'Nexus' => sub {
	my $root = '/repository/cargo-hosted';
	my $url = $there->url . $root;
	my $secret = 'Basic YWxpY2U6c2VjcmV0';
	my @token = ('--token-file', secret('nexus', $secret));
	my $from = "sparse+$url/";
	my $id = $t->project('demo/nexus');
	my $put = sub { $there->answer_header($_[0], 'authorization', { $secret => [200, $_[1]] }, [401, '']) };
	my ($needs, $line) = needing(undef, $from);
	my @base = map { Berth::Crate::make('base', $_) } '1.0.0', '1.1.0';
	my ($status, $summary, $rows, $err);

	$put->("$root/config.json", $json->encode({ dl => "$url/crates", api => "$url/",
	    'auth-required' => JSON::PP::true }));
	$put->("$root/ba/se/base", line_of('base', '1.0.0', $base[0]) . line_of('base', '1.1.0', $base[1]));
	$put->("$root/ne/ed/needs", $line);
	$put->("$root/crates/base/1.$_.0/download", $base[$_]) for 0, 1;
	$put->("$root/crates/needs/1.0.0/download", $needs);
	($status, undef, undef, $err) = import_of($from, 'demo/nexus', @token);
	like("$status $err", qr/^1 .*answers 404; or write the names of all crates into a file/s, 'no search');
	is($there->count("$root/api/v1/crates?q=&per_page=100&page=1"), 1, 'at the address of its API');
	# components are versions, and pages end anywhere
	my @pages = ({ items => [map { { name => 'base', version => $_, format => 'cargo' } } '1.0.0', '1.1.0'],
		continuationToken => 'af' }, { items => [{ name => 'needs', version => '1.0.0' }],
		continuationToken => undef });
	my @names = map { map { $_->{name} } @{ $_->{items} } } @pages;
	($status, $summary, $rows, $err) = import_of($from, 'demo/nexus', @token, '--list', list(@names));
	is_deeply([$status, $summary->{imported}, $rows], [0, 3, {}], 'each of the components that it lists')
	    or diag $err;
	is_deeply([map { $_->{registry} } @{ $json->decode(index_bodies($id)->{needs})->{deps} }], [undef, undef],
	    'and its URL becomes the project');
};

# The API adds times, which the index of Gitea does not have; t/tools/import.t imports from a real Gitea.
subtest 'Gitea' => sub {
	my $root = '/sub/api/packages/team/cargo';
	my @from = (gitea => 'sparse+' . $there->url . "$root/");
	my $id = $t->project('demo/gitea');
	my $page = sub { "/sub/api/v1/packages/team?type=cargo&limit=50&page=$_[0]" };
	my %time = ('one 1.0.0' => ['2023-11-15T00:13:20+02:00', '2023-11-14T22:13:20Z'],
		'one 1.1.0' => ['2023-11-14T18:43:21-03:30', '2023-11-14T22:13:21Z'],
		'two 1.0.0' => ['2023-11-14T22:13:20Z', '2023-11-14T22:13:20Z']);
	my (%lines, $status, $summary, $rows, $err);

	$there->answer("$root/config.json", { dl => $there->url . '/dl/{crate}-{version}.crate' });
	for (sort keys %time) {
		my ($name, $version) = split(/ /);
		my $bytes = Berth::Crate::make($name, $version);

		$there->answer("/dl/$name-$version.crate", $bytes);
		$there->answer("$root/" . Berth::Publish::index_path($name), $lines{$name} .= line_of($name, $version,
		    $bytes));
	}
	my @packages = map { my ($name, $version) = split(/ /);
	    { name => $name, version => $version, created_at => $time{$_}[0] } } sort keys %time;
	$there->answer($page->(1), $json->encode([@packages[0, 1]]));
	$there->answer($page->(2), $json->encode([$packages[2]]));
	$there->answer($page->(3), '[]');
	($status, $summary, $rows, $err) = import_of(\@from, 'demo/gitea');
	is_deeply([$status, $summary->{imported}, $rows], [0, 3, {}], 'all versions of all pages') or diag $err;
	is_deeply([map { my $line = $json->decode($_); ["$line->{name} $line->{vers}", $line->{pubtime}] }
	    map { split(/
/) } @{ index_bodies($id) }{qw(one two)}], [map { [$_, $time{$_}[1]] } sort keys %time],
	    'with their times, in UTC');
	for (['{}', qr/is not an array/], ['[1]', qr/is not an object/], ['[', qr/list of packages/],
	    ['[{"name":"a"}]', qr/missing field `version`/]) {
		my ($body, $pattern) = @$_;

		$there->answer($page->(1), $body);
		($status, undef, undef, $err) = import_of(\@from, 'demo/gitea');
		like("$status $err", qr/^1 .*$pattern/s, "a page that is wrong: $body");
	}
	$there->answer($page->(1), '[]');
	($status, undef, undef, $err) = import_of(\@from, 'demo/gitea');
	like("$status $err", qr/^1 .*has no crates, so nothing is imported/s, 'none');
	$there->answer($page->(1), '', status => 403);
	($status, undef, undef, $err) = import_of(\@from, 'demo/gitea');
	like("$status $err", qr/^1 .*answers 403: give a token with --token-file/s, 'one that it does not send');
	$there->answer('/index/config.json', { dl => $there->url . '/dl/{crate}-{version}.crate' });
	($status, undef, undef, $err) = import_of([gitea => 'sparse+' . $there->url . '/index/'], 'demo/gitea');
	like("$status $err", qr/^2 .*is not the index of a Gitea/s, 'an index of others');
};

# One odd time must not keep hundreds of crates from coming in.
subtest 'times that are none' => sub {
	my %odd = (today => qr/`today` is not a date/, '2023-02-30T00:13:20Z' => qr/no date `2023-02-30T00:13:20Z`/,
		'1970-01-01T00:00:00Z' => qr/no date/, '10000-01-01T00:00:00Z' => qr/is not a time/,
		'9999-12-31T23:59:59-01:00' => qr/no date/, '2023-11-15T00:13:20+2' => qr/is not a time/,
		'2023-11-15T00:13:20+02-00' => qr/is not a time/, '2023-11-15T00:13:20+xx:00' => qr/is not a time/,
		'2023-11-15T00:13:20.Z' => qr/is not a time/, '2023-11-15T00:13:20+24:00' => qr/is not a time/,
		'2023-11-15T00:13:20-00:60' => qr/is not a time/, '1971-01-01T00:59:59+01:00' => qr/no date/,
		1700000000 => qr/`pubtime` must be a string/);
	my @odd = sort keys %odd;
	my %time = (none => undef, '2023-11-15' => '2023-11-15T00:00:00Z',
		'2023-11-15T00:13:20.999999Z' => '2023-11-15T00:13:20Z',
		'2023-11-15T00:13:20.5+02:00' => '2023-11-14T22:13:20Z');
	my $crates = $t->dir . '/times';
	my $project = $t->project('demo/times');
	my $before = POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime);
	my ($n, %version, @lines) = (0);

	make_path($crates);
	for my $time (@odd, sort keys %time) {
		my $version = $version{$time} = $n++ . '.0.0';
		my $bytes = Berth::Crate::make('timed', $version);

		Berth::Test::write_file("$crates/timed-$version.crate", $bytes);
		push @lines, { name => 'timed', vers => $version, deps => [], cksum => sha256_hex($bytes),
			yanked => JSON::PP::false, $time eq 'none' ? () : (pubtime => $time =~ /^\d{10}\z/ ? $time + 0 : $time) };
	}
	for my $how (['--dry-run'], []) {
		my ($status, $summary, $rows, $err) = import_of(list(@lines), 'demo/times', '--crates', $crates, @$how);

		is_deeply([$status, @$summary{qw(imported refused untimed)}], [0, $n, 0, @odd + 1], "all are taken @$how")
		    or diag $err;
		is_deeply([sort map { "$_->{result} $_->{version}" } values %$rows],
		    [sort map { "untimed $version{$_}" } @odd], 'and those with an odd time listed');
		like($rows->{"timed $version{$_}"}{reason}, $odd{$_}, "$_: why") for @odd;
	}
	my %is = map { my $line = $json->decode($_); ($line->{vers} => $line->{pubtime}) }
	    split(/\n/, index_bodies($project)->{timed});
	is_deeply([map { $is{ $version{$_} } } grep { $time{$_} } sort keys %time],
	    [map { $time{$_} } grep { $time{$_} } sort keys %time], 'good times stay');
	cmp_ok($is{ $version{$_} }, 'ge', $before, "$_: the time of the import") for @odd, 'none';
	is($t->psql("SELECT count(*) FROM audit_events WHERE action = 'crate.publish' AND project_id = $project"
	    . " AND detail ->> 'published_at' = 'import'"), @odd + 1, 'which the audit log marks');

	# a time of the list stands in for one that the index has not
	my $source = 'sparse+' . $there->url . '/index/';
	$there->answer('/index/config.json', { dl => $there->url . '/dl/{crate}-{version}.crate' });
	my $line = $json->decode(line_of('late', '1.0.0', offer('late', '1.0.0')));
	$there->answer('/index/' . Berth::Publish::index_path('late'), $json->encode({ %$line, pubtime => 'x' }));
	my ($status, $summary, $rows) = import_of($source, 'demo/times', '--list',
	    list({ name => 'late', vers => '1.0.0', pubtime => '2021-01-02' }));
	is_deeply([$status, @$summary{qw(imported untimed)}, $rows], [0, 1, 0, {}], 'a time of the list');
	is($json->decode(index_bodies($project)->{late})->{pubtime}, '2021-01-02T00:00:00Z', 'counts instead');
};

subtest 'killed, and again' => sub {
	my $source = 'sparse+' . $there->url . '/index/';
	my $id = $t->project('demo/killed');
	my @names = map { sprintf('many-%02d', $_) } 1 .. 20;
	my $list = list(@names);

	$there->answer('/index/config.json', { dl => $there->url . '/dl/{crate}-{version}.crate' });
	my %bytes = map { $_ => offer($_, '1.0.0') } @names;
	$there->answer("/dl/$names[10]-1.0.0.crate", $bytes{ $names[10] }, delay => 60);
	my $pid = Berth::Test::spawn($t->dir . '/killed.log', $t->build . '/berth', '-c', $t->conf_path, 'import',
	    'index', $source, '--into', 'demo/killed', '--list', $list, '--processes', 1);
	ok($t->wait_for(sub { $there->count("/dl/$names[10]-1.0.0.crate") }), 'it waits for a crate');
	is($t->psql("SELECT count(*) FROM versions WHERE project_id = $id"), 10, 'and has those before');
	kill('KILL', $pid);
	waitpid($pid, 0);
	$there->answer("/dl/$names[10]-1.0.0.crate", $bytes{ $names[10] });
	my ($status, $summary) = import_of($source, 'demo/killed', '--list', $list);
	is_deeply([$status, @$summary{qw(imported there)}], [0, 10, 10], 'the same command goes on');
	agrees($t, 'after a kill', token => $token);
};

# The wait for the nodes at the end meets the trouble as well, tries again, and succeeds.
subtest 'the database goes for a moment' => sub {
	plan skip_all => $fault->missing if $fault->missing;
	my $source = 'sparse+' . $there->url . '/index/';
	my $log = $t->dir . '/moment.log';
	my $cut_off = sub { $t->psql('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity'
	    . " WHERE datname = current_database() AND application_name LIKE 'berth/%'") };

	$t->project('demo/moment');
	offer($_, '1.0.0') for qw(moment-a moment-b);
	$fault->arm('send:inventory_versions', 'hold');
	my $pid = Berth::Test::spawn($log, $t->build . '/berth', '-c', $t->conf_path, 'import', 'index', $source,
	    '--into', 'demo/moment', '--list', list(qw(moment-a moment-b)), '--processes', 1);
	ok($t->wait_for(sub { $fault->held }), 'the first crate');
	$fault->release($fault->held);
	ok($t->wait_for(sub { $fault->held }), 'the second one');
	ok($cut_off->(), 'its session ends');
	$fault->arm('send:cache_sync_left', 'wait');
	$fault->release($fault->held);
	ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'it waits for the nodes');
	ok($cut_off->(), 'and the session ends once more');
	$fault->disarm;
	waitpid($pid, 0);
	like(Berth::Cluster::slurp($log), qr/^berth: the import has stopped: database: .*57P01.*; what is imported/m,
	    'it says why it has stopped');
};

subtest 'lines of an index in a file; owners, and downloads of before' => sub {
	my $crates = $t->dir . '/crates';
	my (@lines, $status, $summary, $rows, $err);

	make_path($crates);
	for (['kept', '1.0.0', 7], ['kept', '1.1.0+b', 5], ['plain', '1.0.0', undef]) {
		my ($name, $version, $downloads) = @$_;
		my $bytes = Berth::Crate::make($name, $version);

		Berth::Test::write_file("$crates/$name-$version.crate", $bytes);
		push @lines, { name => $name, vers => $version, deps => [], cksum => sha256_hex($bytes), yanked =>
			$version eq '1.0.0' && $name eq 'kept' ? JSON::PP::true : JSON::PP::false,
			pubtime => '2020-01-02T03:04:05Z', defined $downloads ? (downloads => $downloads) : () };
	}
	my @owners = ({ name => 'kept', owners => ['ann', 'DEV', 'ghost', 'blocked'] });
	my $file = list(@owners, @lines);
	my @args = ($file, 'demo/mirror', '--crates', $crates);
	my @missing = ('owners_missing `blocked` owns the crate there, but is not an active user here',
		'owners_missing `ghost` owns the crate there, but is not an active user here');

	for my $how (['--dry-run'], []) {
		my ($status, $out, $err) = $t->berth('--json', 'import', 'index', $args[0], '--into', @args[1 .. 3], @$how);
		my @rows = map { $json->decode($_) } split(/\n/, $out);

		$summary = pop @rows;
		is_deeply([$status, @$summary{qw(imported owners owners_missing downloads)}], [0, 3, 2, 2, @$how ? 0 : 2],
		    "what there is @$how") or diag $err;
		is_deeply([sort map { "$_->{result} $_->{reason}" } @rows], \@missing, 'who is not here');
	}
	my $long = "\x{1f980}" x 255;
	(undef, undef, $rows) = import_of(list({ name => 'kept', owners => [$long] }, @lines), @args[1 .. 3],
	    '--dry-run');
	is($rows->{'kept '}{reason}, "`$long` owns the crate there, but is not an active user here",
	    'a long name is whole');
	(undef, $summary) = import_of(list({ %{ $lines[0] }, owners => ['ghost'] }, @lines), @args[1 .. 3],
	    '--dry-run');
	is_deeply([@$summary{qw(there owners_missing)}], [3, 1],
	    'a line about a version that comes again names the owners of the crate');
	is_deeply([map { $_->{username} } @{ $json->decode($t->berth_ok('--json', 'owner', 'list', 'demo/mirror',
	    'kept')) }], ['ann', 'dev'], 'ann and dev own it');
	my $counts = "SELECT v.version || ' ' || coalesce(d.downloads, 0) FROM versions v JOIN crates c"
	    . ' ON c.id = v.crate_id LEFT JOIN version_downloads d ON d.crate_id = c.id AND d.version_id = v.id'
	    . " WHERE v.project_id = $id{mirror} ORDER BY c.name, v.id";
	is_deeply([$t->psql($counts)], ['1.0.0 7', '1.1.0+b 5', '1.0.0 0'], 'downloads are counted');
	is($t->psql("SELECT count(*) FROM versions WHERE project_id = $id{mirror}"
	    . " AND published_at = '2020-01-02T03:04:05Z'"), 3, 'with its time');

	$lines[0]{downloads} = 9;
	($status, $summary, $rows) = import_of(list(@owners, @lines), @args[1 .. 3]);
	is_deeply([$status, @$summary{qw(there owners owners_missing downloads)}], [0, 3, 0, 2, 1],
	    'again: what has changed');
	$lines[0]{downloads} = 8;
	import_of(list(@owners, @lines), @args[1 .. 3]);
	is_deeply([$t->psql($counts)], ['1.0.0 9', '1.1.0+b 5', '1.0.0 0'], 'no number becomes smaller');
	for ([{ name => 'kept', owners => 'ann' }, qr/list:1: field `owners` must be an array/],
	    [{ name => 'kept', owners => [1] }, qr/list:1: an owner is not a string/],
	    [{ name => 'kept', owners => ["\e[2J"] }, qr/list:1: an owner holds a control character/],
	    (map { [{ name => 'kept', vers => '1.0.0', downloads => $_ }, qr/list:1: field `downloads` must be a/] }
	        -1, 10**12 + 1),
	    ['no name', qr/list:1: .*no name/], [{ name => '1' }, qr/list:1: /],
	    [{ name => 'kept', vers => '1' }, qr/list:1: /]) {
		my ($line, $pattern) = @$_;

		($status, undef, undef, $err) = import_of(list($line), @args[1 .. 3]);
		like("$status $err", qr/^2 .*$pattern/s, 'a wrong line');
	}
};

subtest 'a mirror' => sub {
	my $crates = $t->dir . '/public';
	my @add = (qw(project add demo/public --visibility public --mirror));
	my ($status, $out, $err) = $t->berth(@add, 'here');

	like("$status $err", qr/^2 .*mirror_url .*must be crates-io or the URL of an index/s, 'a wrong URL');
	my ($mirror) = $t->berth_ok(@add, 'crates-io') =~ /(\d+)/;
	is($json->decode($t->berth_ok(qw(--json project show demo/public)))->{mirror_url}, 'crates-io', 'shown');
	my $res = $t->publish($mirror, $token, 'own', '1.0.0');
	is($res->{status}, 403, 'nobody publishes');
	like($res->{body}, qr/the project is a mirror of crates-io: `berth import` brings its crates/, 'and why');

	make_path($crates);
	Berth::Test::write_file("$crates/stem-1.0.0.crate", Berth::Crate::make('stem', '1.0.0',
	    toml => "[dependencies.leaf]\nversion = \"1\"\n"));
	($status, $out, $err) = $t->berth('--json', 'import', 'directory', $crates, '--into', 'demo/public');
	is_deeply([$status, @{ $json->decode($out) }{qw(imported unresolved)}], [0, 1, 1], 'an import comes in')
	    or diag $err;
	is_deeply([map { $_->{registry} } map { @{ $json->decode($_)->{deps} } } split(/\n/, $t->http(GET =>
	    $t->registry($mirror) . '/' . Berth::Publish::index_path('stem'))->{body})], [undef],
	    'dependencies are in the project, whether it has them or not');
	$t->berth_ok('project', 'set', 'demo/public', 'mirror_url=');
	is($t->publish($mirror, $token, 'own', '1.0.0')->{status}, 200, 'a project that is no mirror any more');
};

$_->stop for $there, $apart;
$t->stop;
done_testing;
