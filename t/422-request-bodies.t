#!/usr/bin/perl

# The body of a request, on every location but that of a publish: it is refused or stays in memory,
# and nobody without a token can write to nginx's disk.  Each spelling of a body, on each location.

use strict;
use warnings;

use List::Util qw(uniq);
use Test::More;

use Berth::File qw(slurp);
use Berth::Test;

use constant { KB => 1024, TAKEN => 64 * 1024 };

my $t = Berth::Test->new(workers => 2);
my $id = $t->project('demo/registry', 'public');
my $root = $t->registry($id);

# Each location that nginx has: how a caller without a token reaches it, and the shape of its 413;
# or the reason why nobody sends a body there.
my %location = (
	'^~ /api/v4/' => [
		[GET => "$root/config.json", 'text'], [GET => "$root/fo/oo/fooo", 'text'],
		[GET => "$root/foo/1.0.0/download", 'text'],
		[DELETE => "$root/api/v1/crates/foo/1.0.0/yank", 'cargo'],
		[PUT => "$root/api/v1/crates/foo/owners", 'cargo'],
		[PUT => "$root/api/v1/crates/new/", 'cargo'],
		[POST => "/api/v4/projects/$id/deploy_tokens", 'gitlab'],
		[PATCH => "/api/v4/projects/$id/packages/1", 'gitlab'],
		[POST => '/api/v4/nothing', 'gitlab'], [GET => '/api/v4/user', 'gitlab'],
	],
	'= /api/v4' => [[POST => '/api/v4', 'text']],
	'= /-' => [[POST => '/-', 'text']],
	'^~ /-/' => [[POST => '/-/user_settings/personal_access_tokens', 'text'], [POST => '/-/nothing', 'text'],
	    [PUT => '/-/', 'text']],
	'~ "^/-/(?:liveness|readiness|worker|metrics)$"' => 'on a server for this host alone',
	'= /' => 'a redirect',
	'/' => [[POST => '/nothing', 'text'], [PUT => '/api', 'text'], [GET => '/robots.txt', 'text']],
	# A body over HTTP/2 may have no length: then a missing file leads to this location.
	'@berth_pool' => [[GET => "$root/no/fi/nofile", 'text'], [GET => "$root/nofile/1.0.0/download", 'text']],
	'= /-/berth/error' => [[POST => '/-/berth/error', 'text']],
	'= /-/berth/no-such-range' => [[POST => '/-/berth/no-such-range', 'text']],
	'= /-/berth/speaks-https' => [[POST => '/-/berth/speaks-https', 'text']],
	'^~ /-/blob/' => [[PUT => '/-/blob/ab/cd/' . 'a' x 64, 'text']],
	'= /-/berth/cache/absent' => [[PUT => '/-/berth/cache/absent', 'text']],
	'^~ /-/berth/cache/index/' => [[PUT => '/-/berth/cache/index/1/config.json', 'text']],
	'^~ /-/berth/cache/page/' => [[PUT => '/-/berth/cache/page/projects/demo/public/-/crates/foo.html', 'text']],
	'^~ /-/berth/cache/crates/' => [[PUT => '/-/berth/cache/crates/1/crates/foo/1.0.0', 'text']],
	'~ "/packages/cargo/+api/v1/crates/new$"' => 'a publish: its body is read once the pool has let the caller'
	    . ' in (t/410-upload-authorize.t)',
	'= /-/berth/upload-large' => 'a publish with a large body, whose length the pool has checked',
	'= /-/berth/upload-unsized' => 'a publish without a length (t/550-policy.t)',
	'= /-/berth/upload-authorize' => 'the subrequest of a publish, sent without the body',
	'@berth_upload_wait' => 'the same question',
	'@berth_upload_unknown' => 'an answer to it', '@berth_upload_refused' => 'an answer to it',
	'@berth_network' => 'a second look for a file',
	'@berth_blob_missing' => 'an error of a download', '@berth_error_cargo' => 'an error',
	'@berth_error_gitlab' => 'an error',
	'@berth_no_answer_cargo' => 'an error', '@berth_no_answer_gitlab' => 'an error',
	'= /-/berth/no-answer' => 'an error',
);
my @there = uniq(map { slurp($_) =~ /^\s*location ([^{]+?) \{/mg }
    glob("$Berth::Cluster::ROOT/conf/nginx/*.conf"));
is(join("\n", sort @there), join("\n", sort keys %location),
    'each location of conf/nginx/ is looked at here');

# The three numbers.
my ($pool) = slurp("$Berth::Cluster::ROOT/fcgi/pool/worker.c") =~ /SMALL_BODY_MAX = (\d+) \* 1024/;
is(($pool // 0) * KB, TAKEN, 'the pool takes so much');
my ($memory) =
    slurp("$Berth::Cluster::ROOT/conf/nginx/berth-fastcgi.conf") =~ /^client_body_buffer_size (\d+)k;/m;
cmp_ok(($memory // 0) * KB, '>', TAKEN, 'nginx keeps more than that in memory');
for my $file (glob("$Berth::Cluster::ROOT/conf/nginx/*.conf")) {
	my @blocks = slurp($file) =~ /^(\t?location [^{]+ \{\n(?:\t?\t.*\n|\n)+)/mg;

	for my $block (grep { /^\tfastcgi_pass/m } @blocks) {
		my ($name) = $block =~ /location (.+?) \{/;
		my ($size) = $block =~ /^\tclient_max_body_size (\w+);/m;

		my $unlimited = $name =~ m{/upload-(?:authorize|large)$|^\@berth_upload_wait$|/crates/new\$"$};

		is($size // 'that of the server', $unlimited ? '0' : $name eq '/' ? 'that of the server'
		    : $name eq '= /-/berth/upload-unsized' ? '64m' : '64k', "$name: what nginx takes");
	}
}
like(slurp("$Berth::Cluster::ROOT/conf/nginx/$_.conf"), qr/^\t?client_max_body_size 64k;/m, "so does $_")
    for qw(berth-registry berth-server);

# ---- bodies ----

my $file = $t->dir . '/body';
my $unsized = ['-H', 'Content-Length:', '-H', 'Transfer-Encoding: chunked', '--data-binary', "\@$file"];
my @spellings = (
	['1 MB', 1024 * KB, {}, 413],
	['a byte more than is taken', TAKEN + 1, {}, 413],
	['as much as is taken', TAKEN, {}, undef],
	['1 MB in chunks', 1024 * KB, { curl => $unsized }, 413],
	['as much as is taken, in chunks', TAKEN, { curl => $unsized }, undef],
	['1 MB over HTTP/2', 1024 * KB, { http2 => 1 }, 413],
	['1 MB over HTTP/2 of no told length', 1024 * KB,
	    { http2 => 1, curl => ['-T', $file, '-H', 'Content-Length:'] }, 413],
	['as much as is taken over HTTP/2, of no told length', TAKEN,
	    { http2 => 1, curl => ['-T', $file, '-H', 'Content-Length:'] }, undef],
);
my %shape = (
	text => qr/\A[^\n{<]+\n\z/,
	cargo => qr/\A\{"errors":\[\{"detail":"[^"]+"\}\]\}\z/,
	gitlab => qr/\A\{"message":"413 [^"]+"\}\z/,
);

$t->http(GET => "$root/config.json");
for my $name (sort keys %location) {
	next unless ref $location{$name};
	for my $spelling (@spellings) {
		my ($what, $size, $opt, $want) = @$spelling;

		open(my $fh, '>', $file) or die "$file: $!\n";
		print {$fh} 'x' x $size;
		close($fh) or die "$file: $!\n";
		for my $way (@{ $location{$name} }) {
			my ($method, $path, $shape) = @$way;
			# What is there as a file is sent, whatever follows the request: then nginx reads no more of the body,
			# and curl would go on waiting to send it.
			my $is_file = $what =~ /no told length/ && $path =~ /config\.json$/;
			my %opt = (%$opt, may_fail => 1,
			    curl => [@{ $opt->{curl} // ['--data-binary', "\@$file"] }, $is_file ? ('--max-time', 3) : ()]);
			my $res = $t->http($method => $path, \%opt);
			my $case = "$method $path: $what";

			if (defined $want && !$is_file && $name !~ m{/-/(?:blob|berth)/|berth_pool}) {
				is($res->{status}, $want, $case);
				like($res->{body}, $shape{$shape}, "$case: in its shape");
			} else {
				unlike($res->{status} || 'none', qr/^5|none/, $case);
			}
		}
	}
}
my @buffered = $t->log('nginx-error') =~ /(a client request body is buffered .*)/g;
is(join("\n", @buffered), '', 'nginx has written none of them to its disk');

# Only a body in chunks of a few bytes, six bytes for each of the body, fills that memory before
# the body is as long as is taken.
my $chunks = join('', ("1\r\nx\r\n") x (TAKEN + 1)) . "0\r\n\r\n";
like($t->raw("POST /api/v4/projects/$id/deploy_tokens HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    . "Transfer-Encoding: chunked\r\n\r\n$chunks"),
    qr{^HTTP/1\.1 413}, 'a chunk for each byte: it is refused where the body is too long');
done_testing();
