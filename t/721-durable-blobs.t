#!/usr/bin/perl

# What a publish syncs to the disk, and in which order: strace(1) sees that the bytes of a crate and all names
# on the way to them are there before COMMIT is sent.  Only a crash of the machine would show that one is not.

use strict;
use warnings;

use Test::More;

use Berth::Cluster;
use Berth::File qw(slurp);
use Berth::Test;

my ($traceable, undef, $why) = Berth::Cluster::capture('strace', '-D', '-o', '/dev/null', 'true');
plan skip_all => 'no ptrace here: ' . ($why =~ /: ([^:\n]+)$/m)[0]
    if $traceable != 0 && $why =~ /Operation not permitted|Permission denied|Function not implemented/;
die "strace: $why" if $traceable != 0;

my $t = Berth::Test->new(workers => 1, cache_dir => undef);
my %id = map { $_ => $t->project("demo/$_") } qw(first second third);

$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');
$t->start_pool;
my $worker;
$t->wait_for(sub {
	($worker) = grep { slurp("/proc/$_/cmdline") =~ /^berth-fcgi: write worker/ }
	    map { split(' ') } slurp('/proc/' . $t->pool_pid . '/task/' . $t->pool_pid . '/children');
	return $worker;
}) or die "no write worker\n";
# some kernels let a process trace only its own children (kernel.yama.ptrace_scope)
(undef, undef, $why) = Berth::Cluster::capture(qw(timeout -s INT 1 strace -o /dev/null -p), $worker);
plan skip_all => "no ptrace here: of others: $1" if $why =~ /: (Operation not permitted)$/m;

# Publishes into that project; the steps of the worker in their order, in words.
sub steps {
	my ($project) = @_;
	my $file = $t->dir . "/log/strace.$project";
	my $pid = Berth::Test::spawn("$file.said", qw(strace -y -s 4096 -e signal=none),
	    '-e', 'trace=fsync,fdatasync,linkat,sendto', '-o', $file, '-p', $worker);

	$t->wait_for(sub { -e "$file.said" && slurp("$file.said") =~ /attached/ })
	    or die 'strace: ' . slurp("$file.said");
	is($t->publish($id{$project}, $token, 'same', '1.0.0')->{status}, 200, "a publish into $project");
	kill('INT', $pid);
	waitpid($pid, 0);
	return map {
		/^linkat\(/ ? 'link'
		    : /^sendto\(.*session_commit/ ? 'COMMIT'
		    : m{^f(?:data)?sync\(\d+<\Q@{[$t->store]}\E(?:/([^>]*))?>\)\s*= 0} ? sync_of($1 // '')
		    : ()
	} split(/\n/, slurp($file));
}

sub sync_of {
	my ($path) = @_;

	return 'sync the ' . ($path eq '' ? 'store' : $path =~ m{^staging/} ? 'bytes'
	    : $path =~ m{^\w\w$} ? 'first folder' : $path =~ m{^\w\w/\w\w$} ? 'second folder' : 'blob');
}

# the first of all makes what the store consists of
is($t->publish($id{first}, $token, 'before', '1.0.0')->{status}, 200, 'the first publish');
my @name = ('link', 'sync the second folder', 'COMMIT');
is_deeply([steps('first')], ['sync the bytes', 'sync the first folder', @name],
    'the bytes, then the name, then COMMIT');
my $cksum = $t->psql('SELECT cksum FROM versions ORDER BY id DESC LIMIT 1');
# a process that has written it a moment ago may not have synced it
is_deeply([steps('second')], ['sync the bytes', 'sync the first folder', 'link', 'sync the blob',
    'sync the second folder', 'COMMIT'], 'a blob that is there');
my $folder = $t->store . '/' . substr($cksum, 0, 2);
unlink(glob("$folder/*/*"));
rmdir for glob("$folder/*"), $folder;
ok(!-e $folder, 'the folder is gone');
is_deeply([steps('third')], ['sync the bytes', 'sync the first folder', 'sync the store', @name],
    'a folder that has just been made');

done_testing();
