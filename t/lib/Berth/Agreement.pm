package Berth::Agreement;

# Database, index and blob store of a Berth::Test tell the same story, or what is wrong.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256_hex);
use Exporter qw(import);
use File::Find ();
use Test::More ();

use Berth::Cluster;
use Berth::Json;

our @EXPORT_OK = qw(agrees index_of staged);

# One row for each version, in the order of the index; what must be one row is counted.
my $VERSIONS = <<'SQL';
SELECT c.project_id, c.name,
       md5((SELECT string_agg(l.index_line || E'\n', '' ORDER BY l.id) FROM versions l
             WHERE l.crate_id = c.id AND l.status IN ('default', 'hidden', 'deprecated')))
           || ' ' || to_hex(c.index_time) || '-' || to_hex(octet_length(c.index_body)) || '-plain',
       v.version, v.cksum, v.size, v.yanked,
       (SELECT count(*) FROM blobs b WHERE b.sha256 = v.cksum AND b.size = v.size),
       (SELECT count(*) FROM audit_events a WHERE a.action = 'crate.publish'
           AND a.project_id = c.project_id AND a.crate = c.name AND a.version = v.version)
  FROM versions v JOIN crates c ON c.id = v.crate_id ORDER BY c.id, v.id
SQL

# What a publish that was rolled back must not leave.
my %LEFTOVERS = (
	'crate without a version' => 'SELECT name FROM crates c'
	    . ' WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.crate_id = c.id)',
	'blob row without a version' => 'SELECT sha256 FROM blobs b'
	    . ' WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.cksum = b.sha256)',
	'publish in the audit log without a version' => <<'SQL',
SELECT a.crate || ' ' || a.version FROM audit_events a
 WHERE a.action = 'crate.publish' AND NOT EXISTS
    (SELECT 1 FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.project_id = a.project_id
        AND c.name = a.crate AND v.version = a.version)
SQL
);

# The index file of a crate, over HTTP: ([lines as hashes], ETag without quotes, text).
sub index_of {
	my ($t, $id, $name, $token) = @_;
	my $n = lc $name;
	my $path = length $n < 3 ? length($n) . "/$n" : length $n == 3 ? '3/' . substr($n, 0, 1)
	    . "/$n"
	    : substr($n, 0, 2) . '/' . substr($n, 2, 2) . "/$n";
	my $res = $t->http(GET => $t->registry($id) . "/$path", { token => $token });

	return ([], '', '') if $res->{status} == 404;
	die "index of $name: $res->{status} $res->{body}\n" if $res->{status} != 200;
	die "index of $name: the last line is cut\n" if $res->{body} !~ /\n\z/;
	return ([map { Berth::Json::decode($_) } split(/\n/, $res->{body})],
	    $res->{headers}{etag} =~ s/^"|"$//gr, $res->{body});
}

# Staging files that are there.
sub staged {
	my ($t) = @_;

	return glob($t->store . '/staging/*');
}

# One test.  Options: token => who reads the index; only => [names of crates] whose index is
# read, instead of all.
sub agrees {
	my ($t, $name, %opt) = @_;
	my @wrong = (_leftovers($t), _check_blobs($t), _check_versions($t, %opt));

	return Test::More::is(join("\n", @wrong), '', "$name: database, index and store agree");
}

sub _leftovers {
	my ($t) = @_;
	my @found;

	for my $what (sort keys %LEFTOVERS) {
		push @found, map { "$what: $_" } $t->psql($LEFTOVERS{$what});
	}
	return @found;
}

sub _blobs {
	my ($t) = @_;
	my %blob;

	File::Find::find({ no_chdir => 1, wanted => sub {
		$blob{$1} = $_ if -f && m{/(?:[0-9a-f]{2}/){2}([0-9a-f]{64})\z};
	} }, $t->store);
	return %blob;
}

sub _check_blobs {
	my ($t) = @_;
	my %blob = _blobs($t);

	return map { "$_ is not what its name says" }
	    grep { sha256_hex(Berth::Cluster::slurp($blob{$_})) ne $_ } sort keys %blob;
}

sub _check_versions {
	my ($t, %opt) = @_;
	my %blob = _blobs($t);
	my %only = map { ($_ => 1) } @{ $opt{only} // [] };
	my (%crate, @wrong);

	for my $row (map { [split /\|/] } $t->psql($VERSIONS)) {
		my ($id, $crate, $etag, $version, $cksum, $size, $yanked, $blobs, $audits) = @$row;

		push @wrong, "$crate $version: its bytes are not there" if !$blob{$cksum};
		push @wrong, "$crate $version: wrong size" if $blob{$cksum}
		    && -s $blob{$cksum} != $size;
		push @wrong, "$crate $version: $blobs rows of its blob" if $blobs != 1;
		push @wrong, "$crate $version: $audits rows in the audit log" if $audits != 1;
		push @{ $crate{"$id/$crate"}{lines} }, "$version $cksum $yanked";
		$crate{"$id/$crate"}{etag} = $etag;
	}
	for my $key (sort keys %crate) {
		my ($id, $name) = split(/\//, $key);
		next if defined $opt{only} && !$only{$name};
		my ($lines, $etag, $text) = index_of($t, $id, $name, $opt{token});
		my @told = map { "$_->{vers} $_->{cksum} " . ($_->{yanked} ? 't' : 'f') } @$lines;

		push @wrong,
		    "$name: the index says\n@told\nthe database says\n@{ $crate{$key}{lines} }"
		    if "@told" ne "@{ $crate{$key}{lines} }";
		my $want = md5_hex($text) . " $etag";
		push @wrong, "$name: its text and ETag are $want, in the database $crate{$key}{etag}"
		    if $want ne $crate{$key}{etag};
	}
	return @wrong;
}

1;
