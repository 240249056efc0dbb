#!/usr/bin/perl

# conf/logrotate/berth, run by logrotate itself, beside the rules that Debian's nginx brings: all
# logs are rotated, and each download is counted once, also when the worker was away so long that
# they have been compressed.

use strict;
use warnings;

use Test::More;

use Berth::Cluster;
use Berth::Fault;
use Berth::Test;

my $t = Berth::Test->new(cache_log => '');
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;

my $log = $t->dir . '/log';
my $user = getpwuid($>);
my $group = getgrgid($) + 0);
my $id = $t->project('demo/public', 'public');
my $path = $t->registry($id) . '/one_crate/1.0.0/download';

$t->user('dev');
$t->member('dev', 'demo', 'developer');
$t->start_pool;
$t->start_nginx(sub { s/ buffer=64k flush=1s//r });
is($t->publish($id, $t->token('dev'), 'one_crate', '1.0.0')->{status}, 200, 'there is a crate');

mkdir($t->dir . '/logrotate') or die;
rule('berth', Berth::Cluster::slurp("$Berth::Cluster::ROOT/conf/logrotate/berth"));
# as Debian has it, but for scripts of others
rule('nginx', <<'END');
/var/log/nginx/*.log {
	daily
	missingok
	rotate 14
	compress
	delaycompress
	notifempty
	create 0640 www-data adm
	sharedscripts
	postrotate
		[ ! -s /run/nginx.pid ] || kill -USR1 "$(cat /run/nginx.pid)"
	endscript
}
END
Berth::Test::write_file($t->dir . '/logrotate.conf', 'include ' . $t->dir . "/logrotate\n");
chmod(0644, $t->dir . '/logrotate.conf') or die;

for my $round (1 .. 3) {
	download(4, "round $round");
	append('nginx-access.log', "a line of the fleet's\n");
	rotate("round $round");
	ok(-s "$log/$_.1", "round $round: $_") for qw(nginx-berth.log nginx-berth-downloads.log nginx-access.log);
	download(1, "round $round, after it");
	# before it is compressed: the worker has that long
	$t->run_tasks('count_downloads');
}
is($t->psql('SELECT sum(downloads) FROM download_days'), 3 * 5, 'each download is counted, once');
is(join(' ', map { s{.*/}{}r } sort glob("$log/nginx-berth-downloads.log*")),
    'nginx-berth-downloads.log nginx-berth-downloads.log.1 nginx-berth-downloads.log.2.gz'
    . ' nginx-berth-downloads.log.3.gz', 'nothing was rotated twice');

# as berth's rules are, and as many have theirs
for my $how ('delaycompress', 'compress at once') {
	my $before = $t->psql('SELECT sum(downloads) FROM download_days');

	rule('berth',
	    Berth::Cluster::slurp("$Berth::Cluster::ROOT/conf/logrotate/berth") =~ s/^\tdelaycompress\n//mgr)
	    if $how ne 'delaycompress';
	download(2, $how);
	$t->run_tasks('count_downloads');
	download(1, "$how, which nobody counts");
	is($t->stop_worker, 0, "$how: the worker goes");
	for my $round (1 .. 4) {
		rotate("$how, while it is away");
		download(3, "$how, while it is away");
	}
	is($t->psql('SELECT sum(downloads) FROM download_days'), $before + 2, "$how: nobody has counted");
	my @compressed = glob("$log/nginx-berth-downloads.log.*.gz");
	cmp_ok(scalar @compressed, '>=', 3, "$how: logs were compressed that nobody has read");
	# what it finds on its return: it is killed twice, in one that is read and in one that was counted
	for my $point ('count:checked', 'count:counted') {
		$fault->arm($point, 'kill');
		eval { $t->start_worker };
		$t->psql("UPDATE tasks SET run_at = now() WHERE kind LIKE 'count_%'; NOTIFY berth_tasks");
		ok($t->wait_for(sub { -e "$fault->{file}.taken" && $t->has_ended('worker') }), "$how: it dies at $point");
		delete $t->{workers}{worker};
		$fault->disarm;
	}
	$t->start_worker;
	$t->run_tasks('count_downloads');
	$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'count_compressed'; NOTIFY berth_tasks");
	ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM tasks WHERE kind = 'count_compressed'") == 0 }),
	    "$how: it has read them all");
	is($t->psql('SELECT sum(downloads) FROM download_days'), $before + 2 + 1 + 4 * 3,
	    "$how: each is counted, once");
	is($t->psql("SELECT count(*) FROM download_logs WHERE garbage > 0"), 0, "$how: and understood");
	rotate("$how, and once more");
	download(1, "$how, and once more");
	$t->run_tasks('count_downloads');
	ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM tasks WHERE kind = 'count_compressed'") == 0 }),
	    "$how: what it knows");
	is($t->psql('SELECT sum(downloads) FROM download_days'), $before + 16, "$how: is not counted again");
}

$t->stop_nginx;
is($t->stop_pool, 0, 'the pool ends well');
done_testing();

# So many, and nginx has written them down.
sub download {
	my ($n, $what) = @_;
	my $lines = lines();

	is($t->http(GET => $path)->{status}, 200, "$what: a download") for 1 .. $n;
	ok($t->wait_for(sub { lines() == $lines + $n }), "$what: it is in the log");
	return;
}

sub lines { return $t->log('nginx-berth-downloads.log') =~ tr/\n// }

sub rotate {
	my ($what) = @_;
	my ($status, undef, $err) = Berth::Cluster::capture('logrotate', '-f', '-s', $t->dir . '/logrotate.state',
	    $t->dir . '/logrotate.conf');

	is($status, 0, "$what: rotated") or diag($err);
	# what it wrote to the old one, once that is compressed, would be nowhere
	ok($t->wait_for(sub { !grep { m{/log/nginx-berth-downloads\.log.} } open_by_nginx() }),
	    "$what: nginx has opened its logs again");
	return;
}

sub open_by_nginx {
	my $master = $t->{nginx};
	my @pids = ($master, split(' ', Berth::Cluster::slurp("/proc/$master/task/$master/children")));

	return grep { defined } map { readlink } map { glob("/proc/$_/fd/*") } @pids;
}

# The rules, with this test's places and its user.
sub rule {
	my ($name, $rules) = @_;
	my $file = $t->dir . "/logrotate/$name";
	my $dir = $t->dir;

	$rules =~ s{/var/log/nginx/}{$log/nginx-}g;
	$rules =~ s{/var/log/berth/}{$log/none/}g;
	$rules =~ s{/run/nginx\.pid}{$dir/nginx/nginx.pid}g;
	$rules =~ s{^(\tcreate \d+) .*}{$1 $user $group}mg;
	Berth::Test::write_file($file, $rules);
	chmod(0644, $file) or die;
	return;
}

sub append {
	my ($name, $text) = @_;

	open(my $fh, '>>', "$log/$name") or die "$name: $!\n";
	print {$fh} $text;
	close($fh) or die "$name: $!\n";
	return;
}
