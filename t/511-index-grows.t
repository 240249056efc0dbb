#!/usr/bin/perl

# A publish adds its line to the stored index file and renders no other: the file stays one gzip member, which
# every reader unpacks, whatever else happens to the crate's versions, and however many publish at once.

use strict;
use warnings;

use Compress::Raw::Zlib;
use Digest::MD5 qw(md5_hex);
use Test::More;

use Berth::Agreement qw(agrees);
use Berth::Cluster;
use Berth::Test;

my $t = Berth::Test->new(workers => 4, deleted_name_wait => 0);
my $id = $t->project('demo/registry');
my $R = $t->registry($id);
my $path = "$R/gr/ow/grows";

$t->user('dev');
$t->member('dev', 'demo', 'maintainer');
my $token = $t->token('dev');

sub publish { return $t->publish($id, $token, 'grows', $_[0]); }

sub stored {
	return pack('H*', $t->psql("SELECT encode(index_body, 'hex') FROM crates WHERE name = 'grows'"));
}

# The text of the stored file by zlib, which reads one member: nothing may be behind it.
sub text_of {
	my ($body) = @_;
	my $z = Compress::Raw::Zlib::Inflate->new(-WindowBits => WANT_GZIP, -ConsumeInput => 1);
	my $status = $z->inflate($body, my $text);

	return $status != Z_STREAM_END ? "it does not end: $status"
	    : length $body ? 'something is behind it' : $text;
}

# A text compressed at once.
sub packed {
	my ($text) = @_;
	my $z = Compress::Raw::Zlib::Deflate->new(-WindowBits => WANT_GZIP, -AppendOutput => 1);
	my $body = '';

	$z->deflate($text, $body) == Z_OK && $z->flush($body) == Z_OK or die "it cannot be compressed\n";
	return $body;
}

sub versions { return join(' ', $_[0] =~ /"vers":"([^"]+)"/g); }

# What every reader sees, and what the database has.
sub is_good {
	my ($name, @versions) = @_;
	my $body = stored();
	my $text = text_of($body);

	is(versions($text), "@versions", "$name: versions");
	is(($t->berth('fsck'))[0], 0, "$name: fsck");
	return $body;
}

# What nginx makes the ETag of, with the length.
sub time_of { return hex(substr(md5_hex($_[0]), 0, 8)) & 0x7fffffff; }

# One that grows keeps all of its bytes but the tail.
sub has_grown { return substr($_[1], 0, length($_[0]) - 10) eq substr($_[0], 0, -10); }

subtest 'one after the other' => sub {
	my ($body, @versions) = ('');

	for my $version (map { "1.$_.0" } 0 .. 11) {
		is(publish($version)->{status}, 200, "$version is published");
		push @versions, $version;
		my $next = stored();
		# of the first file as well, which is not an update
		is($t->psql("SELECT index_time FROM crates WHERE name = 'grows'"), time_of($next),
		    "$version: the file's time is a hash of its bytes");
		ok(has_grown($body, $next), "$version: the file has grown") if length $body;
		$body = $next;
	}
	is_good('twelve', @versions);
	agrees($t, 'twelve', token => $token);
	my $whole = packed(text_of($body));
	cmp_ok(length $body, '<', 1.5 * length $whole,
	    length($body) . ' bytes, and ' . length($whole) . ' rendered at once');
};

subtest 'readers' => sub {
	my $text = text_of(stored());
	my @curl = ('curl', '-sS', '--fail', '--cacert', $t->cacert, '-H', "Authorization: $token", $t->url . $path);
	my $python = 'import gzip,sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))';

	is((Berth::Cluster::capture(@curl, '--compressed'))[1], $text, 'curl unpacks it');
	is((Berth::Cluster::capture(@curl))[1], $text, 'who takes no gzip gets the text');
	is((Berth::Cluster::capture({ stdin => stored() }, 'gzip', '-dc'))[1], $text, 'gzip');
	is((Berth::Cluster::capture({ stdin => stored() }, 'python3', '-c', $python))[1], $text, 'Python');
};

subtest 'other changes, and publishes after them' => sub {
	my @versions = map { "1.$_.0" } 0 .. 11;
	my @changes = (
		['a yank', sub { $t->http(DELETE => "$R/api/v1/crates/grows/1.11.0/yank", { token => $token })->{status} }],
		['an unyank',
		    sub { $t->http(PUT => "$R/api/v1/crates/grows/1.11.0/unyank", { token => $token })->{status} }],
		['a deletion of the last', sub {
			$t->berth_ok('delete', 'demo/registry', "grows\@$versions[-1]");
			pop @versions;
			200;
		}],
		['a file that another program has rendered', sub {
			my $body = unpack('H*', packed(text_of(stored())));

			$t->psql("UPDATE crates SET index_body = decode('$body', 'hex') WHERE name = 'grows'");
			return 200;
		}],
		['a last line that is not known', sub {
			$t->psql("UPDATE crates SET index_last = NULL WHERE name = 'grows'");
			200;
		}],
		map { my $body = $_; ["a file that is lost or damaged ($body)", sub {
			$t->psql("UPDATE crates SET index_body = $body WHERE name = 'grows'");
			200;
		}] } 'NULL', "''",
		# the last eight bytes are the checksum and the size; each of these sizes is an impossible one
		(map { sprintf(q{substr(index_body, 1, octet_length(index_body) - 8) || '\x%s'}, $_) } 'ee' x 8,
		    '0000000000000010', '00' x 8, '0000000001000000'),
		'substr(index_body, 1, octet_length(index_body) - 3)',
	);

	for my $i (0 .. $#changes) {
		my ($name, $change) = @{ $changes[$i] };

		is($change->(), 200, $name);
		is(publish("2.$i.0")->{status}, 200, "$name: a publish");
		push @versions, "2.$i.0";
		my $before = is_good($name, @versions);
		is(publish("2.$i.1")->{status}, 200, "$name: and one more");
		push @versions, "2.$i.1";
		ok(has_grown($before, is_good("$name, and one more", @versions)), "$name: it grows again");
	}
	$t->berth_ok('delete', 'demo/registry', "grows\@$_") for @versions;
	# the time of a deletion is rounded to a second
	ok($t->wait_for(sub { publish('3.0.0')->{status} == 200 }), 'a publish after all were deleted');
	is_good('after all were deleted', '3.0.0');
};

subtest 'many at once' => sub {
	my @res = $t->parallel(16, sub { return $t->publish($id, $token, 'at_once', "1.$_[0].0")->{status}; });

	is("@res", join(' ', (200) x 16), 'all are published, of a crate that was new');
	agrees($t, 'many at once', token => $token, only => ['at_once']);
	is(($t->berth('fsck'))[0], 0, 'fsck');
	# one version, by all: the check behind the insert that fails says why
	@res = $t->parallel(8, sub {
		my $res = $t->publish($id, $token, 'at_once', '2.0.0');

		return "$res->{status} $res->{body}";
	});
	is(scalar(grep { /^200 / } @res), 1, 'one of them is published');
	is(scalar(grep { /^400 .*crate version `2\.0\.0` is already uploaded/ } @res), 7,
	    'the others are told why not') or diag(join("\n", @res));
};

$t->stop;
done_testing;
