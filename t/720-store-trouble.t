#!/usr/bin/perl

# Disk and inspector in trouble while somebody publishes: the right status, in cargo's format, and
# nothing half.

use strict;
use warnings;

use Digest::SHA qw(sha256 sha256_hex);
use Test::More;
use Time::HiRes qw(time);

use Berth::Agreement qw(agrees staged);
use Berth::Cluster;
use Berth::Fault;
use Berth::Test;

my $t = Berth::Test->new(workers => 2);
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;

my $id = $t->project('demo/registry');
my $R = $t->registry($id);
$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');
my %sentence = (
	500 => 'internal server error',
	503 => 'the registry is temporarily unavailable, please try again',
);

sub publish {
	my ($name, $version) = @_;

	return $t->publish($id, $token, $name, $version,
	    files => { 'which.txt' => "$name $version\n" });
}

# Fails as it must, leaves nothing, and works again.
sub fails {
	my ($name, $crate, $status, $heal, $break) = @_;

	$break->();
	my $res = publish($crate, '1.0.0');
	is($res->{status}, $status, "$name: $status") or diag($res->{body});
	is($res->{body}, "{\"errors\":[{\"detail\":\"$sentence{$status}\"}]}", "$name: the body");
	is($res->{headers}{'content-type'}, 'application/json', "$name: its type");
	is($res->{headers}{'retry-after'}, $status == 503 ? 5 : undef, "$name: Retry-After");
	is($t->psql("SELECT count(*) FROM crates WHERE name = '$crate'"), 0,
	    "$name: nothing is published");
	ok($t->wait_for(sub { !staged($t) }, 10), "$name: nothing is staged");
	is($t->http(GET => "$R/first/1.0.0/download", { token => $token })->{status}, 200,
	    "$name: downloads are served");
	$heal->();
	is(publish($crate, '1.0.0')->{status}, 200, "$name: the second attempt");
	agrees($t, $name, token => $token, only => [$crate]);
}

is(publish('first', '1.0.0')->{status}, 200, 'a publish');

# ---- disk ----

my $n = 0;
for my $error ([enospc => 503], [edquot => 503], [erofs => 503], [eio => 500]) {
	for my $point (qw(blob:create blob:write blob:fsync blob:mkdir blob:link blob:fsync_dir)) {
		fails("$error->[0] at $point", 'disk-' . ++$n, $error->[1],
		    sub { ok($fault->disarm, "$error->[0] at $point: reached"); },
		    sub { $fault->arm($point, $error->[0]); });
	}
}

# It is only told earlier to write; fsync() finds the errors, also of such a write.
subtest 'the disk does not begin with a large crate' => sub {
	my $noise = join('', map { sha256("large $_") } 1 .. 3 << 15);
	my $large = sub { return $t->publish($id, $token, 'large', $_[0], files => { noise => "$_[0]\n$noise" }) };

	$fault->arm('blob:ahead', 'eio');
	is($large->('1.0.0')->{status}, 200, 'it is published');
	ok($fault->disarm, 'the write ahead has failed');
	is($t->http(GET => "$R/large/1.0.0/download", { token => $token })->{status}, 200, 'it is there');
	my ($ahead) = grep { $_ eq 'blob:ahead' } $fault->trace('responded:publish', sub {
		is($large->('2.0.0')->{status}, 200, 'the next one');
	});
	ok($ahead, 'is written ahead');
	agrees($t, 'large', token => $token, only => ['large']);
};

subtest 'a file of another size in the place of the blob' => sub {
	my $bytes = $t->make_crate('torn', '1.0.0', files => { 'which.txt' => "torn 1.0.0\n" });
	my $sha256 = sha256_hex($bytes);
	my $folder = $t->store . '/' . substr($sha256, 0, 2);

	mkdir($folder);
	mkdir($folder .= '/' . substr($sha256, 2, 2));
	Berth::Test::write_file("$folder/$sha256", substr($bytes, 0, 100));
	$fault->arm('blob:rename', 'kill');
	is(publish('torn', '1.0.0')->{status}, 503, 'killed');
	ok($fault->disarm, 'before it is replaced');
	is($t->psql("SELECT count(*) FROM crates WHERE name = 'torn'"), 0, 'nothing is published');
	is(publish('torn', '1.0.0')->{status}, 200, 'the second attempt');
	unlink(staged($t));
	agrees($t, 'replaced', token => $token, only => ['torn']);
};

# Whoever publishes the same again restores what the store has lost; nobody else changes anything.
subtest 'the bytes of a version are lost' => sub {
	my $bytes = $t->make_crate('lost', '1.0.0', files => { 'which.txt' => "lost 1.0.0\n" });
	my $path = $t->store . '/' . sha256_hex($bytes) =~ s{^(..)(..)}{$1/$2/$1$2}r;
	my $download = sub { return $t->http(GET => "$R/lost/1.0.0/download", { token => $token }) };
	my $again = sub { return $t->http(PUT => "$R/api/v1/crates/new", { token => $_[1] // $token,
	    body => $t->publish_body($t->metadata('lost', '1.0.0'), $_[0] // $bytes) }); };
	my $plain = '{"errors":[{"detail":"crate version `1.0.0` is already uploaded"}]}';

	is(publish('lost', '1.0.0')->{status}, 200, 'a publish');
	is($again->()->{body}, $plain, 'once more: it is there');
	$t->user('other');
	$t->member('other', 'demo', 'guest');
	for my $case (['missing', sub { unlink($path) or die "$path: $!\n" }],
		['of another size', sub { Berth::Test::write_file("$path.new", 'x'); rename("$path.new", $path) }],
		['of the same size', sub { Berth::Test::write_file("$path.new", scalar reverse $bytes);
		    rename("$path.new", $path) }]) {
		my ($what, $break) = @$case;
		my $state = sub { return -e $path ? sha256_hex(Berth::Cluster::slurp($path)) : 'none' };

		$break->();
		my $broken = $state->();
		isnt($broken, sha256_hex($bytes), "$what: lost");
		is($again->($t->make_crate('lost', '1.0.0', files => { a => 'b' }))->{body}, $plain,
		    "$what: other bytes change nothing");
		is($again->("$bytes.")->{body}, $plain, "$what: nor does another size");
		is($again->($bytes, $t->token('other'))->{status}, 403, "$what: nor does somebody who may not publish");
		is($state->(), $broken, "$what: it is as it was");
		my $res = $again->();
		is($res->{status}, 400, "$what: the same bytes");
		like($res->{body}, qr/`1\.0\.0` is already uploaded; the registry had lost its bytes, and has restored/,
		    "$what: are told so");
		is($state->(), sha256_hex($bytes), "$what: and are there again");
		is($download->()->{body}, $bytes, "$what: for everybody");
		is($again->()->{body}, $plain, "$what: then all is as before");
	}
	ok($t->wait_for(sub { !staged($t) }, 10), 'nothing is staged');
	$t->berth_ok('fsck', '--deep');
	agrees($t, 'restored', token => $token, only => ['lost']);
};

# Nothing is read-only for root; there EROFS above has to do.
if ($> != 0) {
	fails('no permission', 'forbidden', 500, sub { chmod(0755, $t->store . '/staging'); },
	    sub { chmod(0555, $t->store . '/staging'); });
}

# ---- inspector ----

my $good = Berth::Cluster->build_dir . '/berth-inspect';
my $bad = $t->dir . '/inspector';

sub inspector {
	my ($path, $script, $timeout) = @_;

	Berth::Test::write_file($path, $script) if defined $script;
	chmod(0755, $path) if defined $script;
	$t->conf(inspector => $path, inspect_timeout => $timeout);
	$t->stop_pool;
}

for my $case (
	['the inspector is missing', 500, undef],
	['the inspector cannot be run', 500, "no program\n"],
	['the inspector is killed', 500, "#!/bin/sh\nkill -KILL \$\$\n"],
	['the inspector ends at once', 500, "#!/bin/sh\nexit 0\n"],
	['the inspector does something else', 503, "#!/bin/sh\nexec /usr/bin/yes\n"],
	['the inspector complains without end', 503, "#!/bin/sh\nexec /usr/bin/yes >&2\n"],
	['the inspector hangs', 503, "#!/bin/sh\nexec /bin/sleep 600\n"],
	['the inspector hangs up and hangs', 500, "#!/bin/sh\nexec /bin/sleep 600 <&- >&- 2>&-\n"],
) {
	my ($name, $status, $script) = @$case;
	my $started;

	unlink($bad);
	fails($name, 'inspect-' . ++$n, $status, sub {
		cmp_ok(time - $started, '<', 25, "$name: in time");
		inspector($good);
	}, sub {
		# one that does not hang may take its time
		inspector($bad, $script, $status == 503 ? 2 : undef);
		$t->start_pool;
		$started = time;
	});
}
agrees($t, 'in the end', token => $token);

done_testing();
