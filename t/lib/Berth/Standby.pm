package Berth::Standby;

# A synchronous standby of a server, on a socket of its own, that can take its place.
#
#	my $cluster = Berth::Cluster->start(synchronous_commit => 'on');
#	my $standby = Berth::Standby->start($cluster, $cluster);     # of the cluster's own server
#	$standby->promote;
#	my $next = Berth::Standby->start($cluster, $standby);        # of the new primary
#
# It ends with the object, or with the cluster.

use strict;
use warnings;

use Berth::Cluster;
use Berth::Session;
use Berth::Test;

my $made = 0;

# $of: a Berth::Cluster or Berth::Standby.  Returns when the server's commits wait for it.
sub start {
	my ($class, $cluster, $of) = @_;
	my $dir = $cluster->dir . '/standby' . ++$made;
	my $self = bless { cluster => $cluster, owner => $$, dir => $dir, name => "standby$made" }, $class;

	mkdir($dir, 0700) or die "$dir: $!\n";
	chown((getpwnam($cluster->{user}))[2, 3], $dir) if defined $cluster->{user};
	$cluster->_run_as_postgres('mkdir', '-m', '0700', $self->socket_dir);
	my $primary = "user=postgres application_name=$self->{name} host=" . $of->socket_dir;
	$cluster->_run_as_postgres($cluster->tool('pg_basebackup'), '-D', "$dir/data", '-d', $primary, '-X',
	    'stream', '-c', 'fast', '--no-sync');
	# not by its -R: that of version 15 writes an option, sslsni, which version 13 refuses
	$cluster->_run_as_postgres('touch', "$dir/data/standby.signal");
	open(my $conf, '>>', "$dir/data/postgresql.auto.conf") or die "postgresql.auto.conf: $!\n";
	print {$conf} "primary_conninfo = '$primary'\n" or die "postgresql.auto.conf: $!\n";
	close($conf) or die "postgresql.auto.conf: $!\n";
	$self->resume;
	run($of, 'postgres', "ALTER SYSTEM SET synchronous_standby_names = '$self->{name}'");
	run($of, 'postgres', 'SELECT pg_reload_conf()');
	Berth::Test::wait_for(sub {
		return run($of, 'postgres', "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 1;
	}, 60) or die "no standby\n";
	return $self;
}

sub socket_dir { return "$_[0]{dir}/sock"; }

sub data_dir { return "$_[0]{dir}/data"; }

sub resume {
	my ($self) = @_;

	# it has the settings of the cluster, except the socket
	return $self->_pg_ctl('-o', '-c unix_socket_directories=' . $self->socket_dir, 'start');
}

# The server accepts writes, and does not wait for a standby.
sub promote {
	my ($self) = @_;

	return $self->_pg_ctl('promote');
}

sub _pg_ctl {
	my ($self, @command) = @_;

	$self->{cluster}->_run_as_postgres($self->{cluster}->tool('pg_ctl'), '-D', $self->data_dir, '-w', '-t', 60,
	    '-s', '-l', "$self->{dir}/log", @command);
	return;
}

# One statement as the superuser; its rows as a text.
sub run {
	my ($of, $database, $sql) = @_;
	my $out = Berth::Session->new($of->socket_dir . '/.s.PGSQL.5432', $database, 'postgres')->run($sql);

	return $out =~ s/\n\z//r;
}

# Sends a signal to all processes of a server: STOP acts like a host that is cut off, KILL like one that is
# off.
sub strike {
	my ($signal, $of) = @_;
	my $data = $of->isa('Berth::Standby') ? $of->data_dir : "$of->{pg}/data";
	my ($postmaster) = Berth::Cluster::slurp("$data/postmaster.pid") =~ /^(\d+)/;
	my @children = grep { (eval { Berth::Cluster::slurp("/proc/$_/stat") } // '') =~ /\) \S $postmaster / }
	    map { /(\d+)$/ } glob('/proc/[0-9]*');

	# the one that starts others first
	kill($signal, $postmaster, @children);
	return;
}

sub stop {
	my ($self) = @_;

	return if $self->{owner} != $$ || !defined $self->{dir} || !defined $self->{cluster};
	local ($?, $!);
	strike('CONT', $self) if -e $self->data_dir . '/postmaster.pid';
	$self->{cluster}->_run_as_postgres_quietly($self->{cluster}->tool('pg_ctl'), '-D', $self->data_dir, '-w',
	    '-t', 30, '-m', 'immediate', '-s', 'stop');
	delete $self->{dir};
	return;
}

sub DESTROY { $_[0]->stop; }

1;
