package Berth::Bench::Publish;

# Publishes by one client and by eight, each over one connection; beside them a floor: the
# same bytes written, synced and renamed, and the same rows committed by pgbench, in a cluster of its own, one
# after the other as a publish does it; the build before, and other registries, by the same client.

use strict;
use warnings;

use IO::Handle ();
use Time::HiRes qw(time);

use Berth::Bench::Load;
use Berth::Bench::Stand;
use Berth::Cluster;

# What, bytes, how many publishes in all.
my @sizes = (['10 kB', 10_000, 64], ['145 kB', 145_000, 48], ['10 MB', 9_990_000, 8]);
# The crates of other registries are small.
my $small = ['8 kB', 8_000, 64];

my $count = 0;

# The rows of a publish: crate and index file, blob, version, audit log.
my $rows = <<'SQL';
\set n random(1, 1000000000)
BEGIN;
INSERT INTO crates (project_id, name, normalized_name) VALUES (:project, 'floor-' || :n, 'floor-' || :n)
    ON CONFLICT (project_id, normalized_name) DO UPDATE SET updated_at = now() RETURNING id AS crate \gset
INSERT INTO blobs (sha256, size) VALUES (encode(sha256((random() || '-' || :n)::bytea), 'hex'), 1)
    RETURNING sha256 AS sum \gset
INSERT INTO versions (crate_id, project_id, version, version_base, index_line, cksum, size, published_at)
    VALUES (:crate, :project, '1.0.' || :n, '1.0.' || :n, repeat('x', 200), ':sum', 1, now());
UPDATE crates SET index_body = decode(repeat('00', 200), 'hex'), index_revision = index_revision + 1
    WHERE id = :crate;
INSERT INTO audit_events (action, project_id, crate, version) VALUES ('publish', :project, 'floor', '1.0.0');
COMMIT;
SQL

sub run {
	my ($stand, $report, $opt) = @_;

	return if $opt->{c};
	for my $round (1 .. $opt->{r}) {
		for my $size ($opt->{q} ? $sizes[0] : ($stand->peers ? $small : (), @sizes)) {
			my ($what, $bytes, $n) = @$size;
			my %target = targets($stand, $size == $small ? $stand->peers : ());

			$n = 8 if $opt->{q};
			for my $clients (1, 8) {
				$report->add('publish', sprintf('%s, %d client%s', $what, $clients, $clients > 1 ? 's' : ''), {
					floor => { rate => floor_rate($stand, $bytes, $n, $clients), cpu => {} },
					map { $_ => rate($stand, $target{$_}, $bytes, $n, $clients) } sort keys %target,
				});
			}
		}
	}
	return;
}

# Who is published to: url, token, the groups of processes whose time counts, and the crate, unless each
# publish is of a new one.
sub targets {
	my ($stand, @peers) = @_;
	my $before = $stand->before;

	return (berth => berth($stand), map({ $_->name => $_->publishes } @peers), !$before ? () : (before => {
		url => $before->url . $before->registry . '/api/v1/crates/new', token => $before->token,
		groups => $before->{groups},
	}));
}

sub berth {
	my ($stand) = @_;
	my $t = $stand->test;

	return { url => $t->url . $t->registry($stand->project('berth')) . '/api/v1/crates/new',
		token => $stand->token, groups => { $stand->groups } };
}

# One curl for each client, with a list of uploads.
sub rate {
	my ($stand, $target, $bytes, $n, $clients) = @_;
	my $t = $stand->test;
	my $work = $stand->dir . '/work';
	my %groups = %{ $target->{groups} };

	for my $client (1 .. $clients) {
		my @uploads;

		for my $i (1 .. $n / $clients) {
			my $n = ++$count;
			my ($name, $version) = ($target->{crate} // "bench-$n", "100000.$n.0");

			Berth::Test::write_file("$work/$n", Berth::Bench::Stand::body($name, $version, $bytes));
			push @uploads, "url = \"$target->{url}\"\nupload-file = \"$work/$n\"\n"
			    . "header = \"Authorization: $target->{token}\"\ninsecure\n"
			    . "output = /dev/null\nwrite-out = \"%{http_code}\\n\"\nsilent\nshow-error\n";
		}
		Berth::Test::write_file("$work/client.$client", join("next\n", @uploads));
	}
	my %before = map { $_ => Berth::Bench::Load::cpu_of($groups{$_}) } keys %groups;
	my $start = time;
	my @all = $t->parallel($clients, sub {
		my ($client) = @_;
		my ($status, $out, $err) = Berth::Cluster::capture('curl', '-K', "$work/client." . ($client + 1));

		return [grep { $_ ne '200' } split(/\n/, $out), $status == 0 ? () : $err];
	});
	my $took = time - $start;
	my @bad = map { @$_ } @all;

	die "a publish failed: @bad\n" if @bad;
	unlink(glob("$work/*"));
	return { rate => $n / $took,
		cpu => { map { $_ => (Berth::Bench::Load::cpu_of($groups{$_}) - $before{$_}) / $n } keys %groups } };
}

# Publishes a second of somebody who does no more than must be done.
sub floor_rate {
	my ($stand, $bytes, $n, $clients) = @_;
	my $script = $stand->dir . '/floor.sql';
	my $data = 'x' x $bytes;
	my ($dsn, $project) = $stand->spare_project;
	my $start = time;

	$stand->test->parallel($clients, sub { write_some($stand, $_[0], $data, $n / $clients); return 1; });
	my $written = time - $start;
	Berth::Test::write_file($script, $rows);
	my ($status, $out, $err) = Berth::Cluster::capture('pgbench', '-n', '-c', $clients, '-j', 1, '-t',
	    $n / $clients, '-D', "project=$project", '-f', $script, $dsn);
	my ($rate) = $out =~ /tps = ([\d.]+)/;

	die "pgbench: $out$err" if $status != 0 || !$rate || $out =~ /number of failed transactions: [1-9]/;
	return 1 / ($written / $n + 1 / $rate);
}

sub write_some {
	my ($stand, $client, $data, $n) = @_;
	my $dir = $stand->dir . '/work';

	for my $i (1 .. $n) {
		my $path = "$dir/floor.$client.$i";

		open(my $fh, '>:raw', "$path.new") or die "$path.new: $!\n";
		print {$fh} $data or die "$path.new: $!\n";
		$fh->flush && $fh->sync or die "$path.new: $!\n";
		close($fh) or die "$path.new: $!\n";
		rename("$path.new", $path) or die "$path: $!\n";
		open(my $at, '<', $dir) or die "$dir: $!\n";
		$at->sync or die "$dir: $!\n";
		unlink($path);
	}
	return;
}

1;
