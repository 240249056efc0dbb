package Berth::Soak::Sample;

# The resources of a node: private memory of its processes (kB), open descriptors, bytes of the cache and
# of the logs.  Processes are summed by their role, since those of a pool come and go.
#
#	my $sample = Berth::Soak::Sample::take(a => $t, b => $other, postgres => $pid);
#	# { memory => { 'a master' => 1024, ... }, descriptors => { ... }, processes => { ... }, disk => { ... } }

use strict;
use warnings;

use File::Find ();

use Berth::Bench::Load;
use Berth::Cluster;

# The names of a pool's children, as ps(1) shows them.
my %child = ('berth-fcgi: read worker' => 'read workers', 'berth-fcgi: write worker' => 'write workers',
    'berth-fcgi: keeper' => 'keeper');

sub take {
	my (%node) = @_;
	my $postgres = delete $node{postgres};
	my %sample = map { $_ => {} } qw(memory descriptors processes disk);

	for my $name (sort keys %node) {
		my $t = $node{$name};

		add(\%sample, "$name, master", $t->pool_pid);
		add(\%sample, "$name, " . role($_), $_) for eval { Berth::Bench::Load::children($t->pool_pid) };
		add(\%sample, "$name, tasks", $t->{worker});
		add(\%sample, "$name, nginx", $_) for $t->{nginx}, eval { Berth::Bench::Load::children($t->{nginx}) };
		$sample{disk}{"$name, $_"} = bytes($t->dir . "/$_") for qw(cache log);
	}
	my %server = map { $_ => {} } qw(memory descriptors processes);
	add(\%server, 'all', $_) for $postgres, grep { !passes($_) } Berth::Bench::Load::descendants($postgres);
	# a worker connects when it has something to do
	$sample{$_}{'PostgreSQL, a process'} = int($server{$_}{all} / $server{processes}{all}) for keys %server;
	return \%sample;
}

# The role of a child of a master.
sub role {
	my ($pid) = @_;
	my ($name) = split(/\0/, eval { Berth::Cluster::slurp("/proc/$pid/cmdline") } // '');

	# one that has just been started, or an inspector
	return $child{ $name // '' } // 'others';
}

# Processes of PostgreSQL that come and go by themselves.
sub passes {
	my ($pid) = @_;

	return (eval { Berth::Cluster::slurp("/proc/$pid/cmdline") } // '') =~ /autovacuum worker|parallel worker/;
}

# A process that has ended has no memory.
sub add {
	my ($sample, $what, $pid) = @_;
	my $text = eval { Berth::Cluster::slurp("/proc/$pid/smaps_rollup") } // return;
	my ($kb) = $text =~ /^Pss_Anon:\s+(\d+) kB/m ? $1 : $text =~ /^Anonymous:\s+(\d+) kB/m;

	opendir(my $fds, "/proc/$pid/fd") or return;
	$sample->{memory}{$what} += $kb // 0;
	$sample->{descriptors}{$what} += grep { !/^\./ } readdir($fds);
	$sample->{processes}{$what}++;
	return;
}

# The bytes of the files below a folder; links are not followed.
sub bytes {
	my ($dir) = @_;
	my $sum = 0;

	File::Find::find({ no_chdir => 1, wanted => sub {
		my @stat = lstat($_);

		$sum += $stat[12] * 512 if @stat && -f _;
	} }, $dir);
	return $sum;
}

1;
