#!/usr/bin/perl

# berth report: who publishes and who downloads, month by month, as a table, JSON and a picture.

use strict;
use warnings;

use Test::More;

use Berth::Test;

my $t = Berth::Test->new;
my $private = $t->project('demo/private');
my $public = $t->project('demo/public', 'public');
my $unused = $t->project('demo/unused');
my %user = map { $_ => $t->user($_) } qw(ann bob cid);
$t->member($_, 'demo', 'developer') for qw(ann bob);
my %token = map { $_ => $t->token($_) } qw(ann bob);
$token{again} = $t->token('ann');
$token{deploy} = $t->deploy_token('demo/private', 'read', 'write');
$token{$_} = $t->job_token('demo/private', 'ann') for qw(job1 job2);
my ($month, $last, $older) = map {
	$t->psql("SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') - interval '$_ months', 'YYYY-MM')")
} 0 .. 2;

sub adoption { return JSON::PP->new->decode($t->berth_ok(qw(report adoption --json), @_)) }

# Of one row: publishers and downloaders as people/deploy tokens/jobs, growth, how often.
sub row {
	my ($rows, $project, $of) = @_;
	my ($r) = grep { ($_->{project} // '') eq ($project // '') && $_->{month} eq $of } @$rows;

	return 'none' unless $r;
	return join(' ', map { $_ // 'null' } "$r->{publishers}="
	    . join('/', @{$r}{qw(publishing_users publishing_deploy_tokens publishing_jobs)}),
	    $r->{publisher_growth}, "$r->{downloaders}="
	    . join('/', @{$r}{qw(downloading_users downloading_deploy_tokens downloading_jobs)}),
	    $r->{downloader_growth}, "$r->{publishes}:$r->{downloads}");
}

# One old version and one that is deleted make a difference.
sub storage {
	my $project = $t->project('demo/stored');
	my %size;

	for my $crate (qw(young old gone)) {
		is($t->publish($project, $token{ann}, $crate, '1.0.0')->{status}, 200, "$crate is published");
		$size{$crate} = $t->psql("SELECT size FROM versions v JOIN crates c ON c.id = v.crate_id"
		    . " WHERE c.project_id = $project AND c.name = '$crate'");
	}
	$t->psql("UPDATE versions v SET published_at = now() - interval '31 days' FROM crates c"
	    . " WHERE c.id = v.crate_id AND c.project_id = $project AND c.name = 'old'");
	$t->berth_ok(qw(delete demo/stored gone));
	my $rows = JSON::PP->new->decode($t->berth_ok(qw(report storage --json)));
	my ($stored) = grep { $_->{project} eq 'demo/stored' } @$rows;
	is_deeply([@$stored{qw(project_id versions bytes month_bytes deleted_bytes)}],
	    [$project, 2, $size{young} + $size{old}, @size{qw(young gone)}], 'storage');
	my @sums = map { $_->{bytes} + $_->{deleted_bytes} } @$rows;
	is_deeply(\@sums, [sort { $b <=> $a } @sums], 'the largest first');
	is((grep { $_->{project} eq 'demo/unused' } @$rows) + 0, 0, 'none without versions');
}

subtest 'nothing yet' => sub {
	my $rows = adoption();
	is(scalar @$rows, 12, 'twelve months');
	is($rows->[-1]{month}, $month, 'this one last');
	is(row($rows, undef, $month), '0=0/0/0 null 0=0/0/0 null 0:0', 'of nothing');
	is(scalar @{ adoption('--months', 3, '--project', 'demo/unused') }, 3, 'of one project');
	is($t->berth_ok(qw(report downloads --json)), '[]', 'no downloads');
};

# For real: through nginx, cargo's requests, and the worker.
my %published = (ann => 'a', again => 'b', bob => 'c', deploy => 'd', job1 => 'e', job2 => 'f');
for my $who (sort keys %published) {
	is($t->publish($private, $token{$who}, $published{$who}, '1.0.0')->{status}, 200, "$who publishes");
}
is($t->publish($public, $token{ann}, 'a', '1.0.0')->{status}, 200, 'into the other project too');
is($t->publish($private, $token{ann}, 'a', '1.0.0')->{status}, 400, 'what fails does not count');
my @answers;
for my $get ([$private, 'ann'], [$private, 'again'], [$private, 'again'], [$private, 'deploy'],
    [$private, 'job1'], [$private, 'job2'], [$public, undef], [$public, 'bob']) {
	my ($id, $who) = @$get;

	push @answers, $t->http(GET => $t->registry($id) . '/a/1.0.0/download',
	    { token => defined $who ? $token{$who} : undef });
	is($answers[-1]{status}, 200, ($who // 'anybody') . ' downloads');
}
ok($t->nginx_logged('nginx-berth-downloads', @answers), 'which nginx writes down');
$t->run_tasks('count_downloads');

subtest 'this month' => sub {
	my $rows = adoption();
	is(row($rows, undef, $month), '5=2/1/2 null 5=2/1/2 null 7:8',
	    'all: each once, whatever project and token it was');
	is(row($rows, 'demo/private', $month), '5=2/1/2 null 4=1/1/2 null 6:6', 'one project');
	is(row($rows, 'demo/public', $month), '1=1/0/0 null 1=1/0/0 null 1:2', 'the other');
	is(row($rows, 'demo/unused', $month), 'none', 'one that is not used is not there');
	is(row(adoption('--project', 'Demo/Public'), 'demo/public', $month), '1=1/0/0 null 1=1/0/0 null 1:2',
	    'asked for alone');
	is(scalar @{ adoption('--project', 'demo/public', '--months', 1) }, 1, 'in one month');
};

# What was before: of the database's making.
sub earlier {
	my ($months, $project, $actor, $id, $downloads) = @_;

	$t->psql("INSERT INTO usage_months VALUES (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '$months"
	    . " months', $project, '$actor', $id, $downloads)");
}

sub earlier_publish {
	my ($at, $project, $user, $token) = @_;

	$t->psql("INSERT INTO audit_events (action, at, project_id, user_id, token_id)"
	    . " VALUES ('crate.publish', $at, $project, $user, $token)");
}

subtest 'months before' => sub {
	my $this = "date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'";

	earlier(1, $private, 'user', $_, 10) for $user{ann}, $user{cid};
	earlier(2, $private, 'user', $user{ann}, 1);
	earlier(2, $public, 'user', $user{ann}, 1);
	earlier(2, $public, 'anybody', 0, 100);
	# the first and the last moment of last month, by a user, and by deploy tokens that are gone
	earlier_publish("$this - interval '1 month'", $private, $user{bob}, 'NULL');
	earlier_publish("$this - interval '1 us'", $public, 'NULL', 77777);
	earlier_publish("$this - interval '1 us'", $public, 'NULL', 88888);
	$t->psql("INSERT INTO audit_events (action, at, project_id, user_id, detail) VALUES ('crate.publish', now(),"
	    . " $private, $user{cid}, '{\"imported_from\": \"/old\"}')");
	my $rows = adoption();
	is(row($rows, undef, $older), '0=0/0/0 null 1=1/0/0 null 0:102', 'two months ago: one, in two projects');
	is(row($rows, undef, $last), '3=1/2/0 null 2=2/0/0 100 3:20', 'last month: twice as many');
	is(row($rows, undef, $month), '5=2/1/2 66.7 5=2/1/2 150 7:8', 'this one');
	is(row($rows, 'demo/public', $month), '1=1/0/0 -50 1=1/0/0 null 1:2', 'fewer');
	is(row($rows, 'demo/private', $month), '5=2/1/2 400 4=1/1/2 100 6:6', 'more');
	is(row(adoption('--months', 1), undef, $month), '5=2/1/2 66.7 5=2/1/2 150 7:8',
	    'growth is known also where one month is shown');
	my $gone = "(999)";
	earlier(0, 999, 'user', 1, 1);
	is(row(adoption(), $gone, $month), '0=0/0/0 null 1=1/0/0 null 0:1', 'a project that is gone has a number');
	$t->psql('DELETE FROM usage_months WHERE project_id = 999');
};

subtest 'for people' => sub {
	my @lines = split(/\n/, $t->berth_ok(qw(report adoption --months 2)));
	my $heads = join(' +', qw(month project publishers users deploy jobs growth downloaders users deploy jobs
	    growth publishes downloads));
	like($lines[0], qr/^$heads$/, 'heads');
	like($lines[1], qr/^$last +- +3 +1 +2 +0 +- +2 +2 +0 +0 +\+100\.0% +3 +20$/, 'last month');
	like($lines[2], qr/^$month +- +5 +2 +1 +2 +\+66\.7% +5 +2 +1 +2 +\+150\.0% +7 +8$/, 'this one');
	like($lines[-1], qr{^$month +demo/public +1 +1 +0 +0 +-50\.0% }, 'of a project');
};

subtest 'downloads' => sub {
	my $rows = JSON::PP->new->decode($t->berth_ok(qw(report downloads --json)));
	is(join(' ', map { "$_->{project} $_->{crate} $_->{version} $_->{downloads}" } @$rows),
	    'demo/private a 1.0.0 6 demo/public a 1.0.0 2', 'by version');
	like($rows->[0]{day}, qr/^$month-\d\d$/, 'and day');
	like($rows->[0]{last_at}, qr/^$month-\d\dT[\d:]{8}Z$/, 'and when last');
	is(scalar @{ JSON::PP->new->decode($t->berth_ok(qw(report downloads --json --limit 1))) }, 1, 'so many');
	my $of_one = $t->berth_ok(qw(report downloads --json --project demo/public --crate A));
	is(scalar @{ JSON::PP->new->decode($of_one) }, 1, 'of one crate');
	is($t->berth_ok(qw(report downloads --json --crate b)), '[]', 'of one that nobody has downloaded');
	is($t->berth_ok(qw(report downloads --json --until), $rows->[0]{day}), '[]', 'before');
	is(scalar @{ JSON::PP->new->decode($t->berth_ok(qw(report downloads --json --since), $rows->[0]{day})) },
	    2, 'since');
	storage();
	$t->psql("DELETE FROM versions v USING crates c WHERE c.id = v.crate_id AND c.project_id = $public");
	$rows = JSON::PP->new->decode($t->berth_ok(qw(report downloads --json --project demo/public)));
	is_deeply([@{ $rows->[0] }{qw(crate version downloads)}], ['a', undef, 2], 'of a version that is gone');
};

subtest 'what cannot be' => sub {
	for my $case ([2, qr/`0` is not a valid number of months/, qw(adoption --months 0)],
	    [2, qr/at most 120 months/, qw(adoption --months 121)],
	    [1, qr/project `demo\/none` does not exist/, qw(adoption --project demo/none)],
	    [1, qr/project `demo\/none` does not exist/, qw(downloads --project demo/none)],
	    [1, qr/crate `nope` does not exist/, qw(downloads --crate nope)],
	    [1, qr/project `demo\/public` has no crate `b`/, qw(downloads --crate b --project demo/public)],
	    [1, qr{cannot open /nonexistent/x\.svg}, qw(adoption --svg /nonexistent/x.svg)],
	    [2, qr/invalid character|must/, qw(downloads --crate a/b)], [2, qr/no command `report x`/, 'x']) {
		my ($want, $why, @args) = @$case;
		my ($status, undef, $err) = $t->berth('report', @args);

		is($status, $want, "@args");
		like($err, $why, 'says why');
	}
};

subtest 'a picture' => sub {
	my $file = $t->dir . '/adoption.svg';

	for my $months (1, 12, 60, 120) {
		is($t->berth_ok(qw(report adoption --months), $months, '--svg', $file), '',
		    "$months months: nothing on standard output");
		my $svg = Berth::Cluster::slurp($file);
		well_formed($svg, "$months months");
		my @bars =
		    $svg =~ /<rect fill="#(?:2b6cb0|dd8b1f|4c9a5b)" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"/g;
		my $outside = 0;
		while (my ($x, $y, $w, $h) = splice(@bars, 0, 4)) {
			$outside++ if $x < 64 || $x + $w > 936 || $y < 0 || $y + $h > 720 || $w < 1 || $h < 1;
		}
		is($outside, 0, "$months months: all of it is inside");
	}
	$t->berth_ok(qw(report adoption --months 3 --svg), $file);
	my $svg = Berth::Cluster::slurp($file);
	like($svg, qr/>$month</, 'the month');
	like($svg, qr/class="total"[^>]*>5</, 'how many');
	like($svg, qr/class="rise"[^>]*>\+67%</, 'and by how much more');
	$t->berth_ok(qw(report adoption --svg), $file, '--project', 'demo/public');
	like(Berth::Cluster::slurp($file), qr{>Cargo registry: adoption of demo/public</title>}, 'of one project');
};

# Every tag is closed, in order, and text holds nothing that XML forbids.
sub well_formed {
	my ($xml, $name) = @_;
	my @open;
	my $bad = '';

	$bad = 'no declaration' unless $xml =~ s/\A<\?xml version="1\.0" encoding="UTF-8"\?>\n//;
	while ($xml =~ /\G(?:<(\/?)([a-z]+)((?: [a-zA-Z0-9:]+="[^"<&]*")*)(\/?)>|((?:[^<>&]|&(?:amp|lt|gt);)+))/gc) {
		my ($close, $tag, $self) = ($1, $2, $4);

		next unless defined $tag;
		if ($close) {
			$bad ||= "</$tag> ends " . ($open[-1] // 'nothing') if ($open[-1] // '') ne $tag;
			pop @open;
		} elsif (!$self) {
			push @open, $tag;
		}
	}
	$bad ||= 'at ' . substr($xml, pos($xml) // 0, 40) if (pos($xml) // 0) != length $xml;
	$bad ||= "open: @open" if @open;
	is($bad, '', "$name: well-formed");
}

done_testing();
