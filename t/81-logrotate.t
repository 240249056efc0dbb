#!/usr/bin/perl

# conf/logrotate/berth, run by logrotate itself, beside the rules that Debian's nginx brings: all
# logs are rotated, and each download is counted once.

use strict;
use warnings;

use Test::More;

use Berth::Cluster;
use Berth::Test;

my $t = Berth::Test->new;
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
rule('berth', Berth::Cluster::_slurp("$Berth::Cluster::ROOT/conf/logrotate/berth"));
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
Berth::Test::_write($t->dir . '/logrotate.conf', 'include ' . $t->dir . "/logrotate\n");
chmod(0644, $t->dir . '/logrotate.conf') or die;

for my $round (1 .. 3) {
	is($t->http(GET => $path)->{status}, 200, "round $round: a download") for 1 .. 4;
	append('nginx-access.log', "a line of the fleet's\n");
	my ($status, undef, $err) = Berth::Cluster::capture('logrotate', '-f', '-s', $t->dir . '/logrotate.state',
	    $t->dir . '/logrotate.conf');
	is($status, 0, "round $round: rotated") or diag($err);
	ok(-s "$log/$_.1", "round $round: $_") for qw(nginx-berth.log nginx-berth-downloads.log nginx-access.log);
	is($t->http(GET => $path)->{status}, 200, "round $round: a download after it");
	ok($t->wait_for(sub { -s "$log/nginx-berth-downloads.log" }), "round $round: nginx has opened its log again");
	# before it is compressed: the worker has that long
	$t->run_jobs('count_downloads');
}
is($t->psql('SELECT sum(downloads) FROM download_days'), 3 * 5, 'each download is counted, once');
is(join(' ', map { s{.*/}{}r } sort glob("$log/nginx-berth-downloads.log*")),
    'nginx-berth-downloads.log nginx-berth-downloads.log.1 nginx-berth-downloads.log.2.gz nginx-berth-downloads.log.3.gz',
    'nothing was rotated twice');

$t->stop_nginx;
is($t->stop_pool, 0, 'the pool ends well');
done_testing();

# The rules, with this test's places and its user.
sub rule {
	my ($name, $rules) = @_;
	my $file = $t->dir . "/logrotate/$name";
	my $dir = $t->dir;

	$rules =~ s{/var/log/nginx/}{$log/nginx-}g;
	$rules =~ s{/var/log/berth/}{$log/none/}g;
	$rules =~ s{/run/nginx\.pid}{$dir/nginx/nginx.pid}g;
	$rules =~ s{^(\tcreate \d+) .*}{$1 $user $group}mg;
	Berth::Test::_write($file, $rules);
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
