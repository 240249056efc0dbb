package Berth::Pooler;

# A real PgBouncer between a test's programs and its database, on a socket of its own.
#
#	my $pooler = Berth::Pooler->start($t, pool_mode => 'session');
#	$t->conf(database => $pooler->dsn('berth'));
#	$pooler->set(pool_mode => 'transaction');      # and RELOAD
#
# It ends with the object, or with the cluster.

use strict;
use warnings;

use File::Path qw(make_path);
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOCK_STREAM);

use Berth::Cluster;
use Berth::Test;

# There is no TCP port: the number is a part of the socket's name.
use constant PORT => 6432;

# PATH comes first, for another version.
sub program {
	my ($found) = grep { -x } map({ "$_/pgbouncer" } split(/:/, $ENV{PATH})), '/usr/sbin/pgbouncer';

	return $found // die "pgbouncer is not installed (scripts/packages lists what is needed)\n";
}

# Keys of pgbouncer.ini: pool_mode, default_pool_size and the like; dsn: another database than the test's.
sub start {
	my ($class, $t, %settings) = @_;
	my $dsn = delete $settings{dsn} // $t->dsn('berth');
	my ($server) = $dsn =~ /host=(\S+)/ or die "the cluster has no socket\n";
	my ($database) = $dsn =~ /dbname=(\S+)/;
	my $dir = $t->dir . '/pooler';
	my $self = bless { t => $t, owner => $$, dir => $dir, server => $server, database => $database,
		settings => { default_pool_size => 40, %settings } }, $class;
	my @user = $> == 0 ? grep { defined getpwnam($_) } qw(postgres nobody) : ();

	make_path($dir);
	$self->_write;
	chown((getpwnam($user[0]))[2, 3], $dir, glob("$dir/*")) if @user;
	$self->{pid} = fork // die "fork: $!\n";
	if ($self->{pid} == 0) {
		# a shell lets what it runs in the background ignore it, and stop() sends it
		$SIG{QUIT} = 'DEFAULT';
		open(STDERR, '>', "$dir/stderr") or POSIX::_exit(126);
		open(STDOUT, '>&', \*STDERR) or POSIX::_exit(126);
		{ no warnings 'exec'; exec(program(), @user ? ('-u', $user[0]) : (), "$dir/pgbouncer.ini"); }
		POSIX::_exit(127);
	}
	Berth::Test::wait_for(sub {
		die "pgbouncer ended at once:\n" . $self->log . "\n" if waitpid($self->{pid}, POSIX::WNOHANG()) != 0;
		return IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$dir/.s.PGSQL." . PORT);
	}, 60) or die "pgbouncer does not listen:\n" . $self->log . "\n";
	return $self;
}

# A connection string for the test's database, by way of the pooler.
sub dsn {
	my ($self, $role) = @_;

	return sprintf('host=%s port=%d dbname=%s user=%s', $self->{dir}, PORT, $self->{database}, $role);
}

sub log {
	my ($self) = @_;

	return join('', map { -e "$self->{dir}/$_" ? Berth::Cluster::slurp("$self->{dir}/$_") : '' } qw(stderr log));
}

# Changes keys while it runs.
sub set {
	my ($self, %settings) = @_;

	%{ $self->{settings} } = (%{ $self->{settings} }, %settings);
	$self->_write;
	kill('HUP', $self->{pid});
	my ($key, $value) = %settings;
	Berth::Test::wait_for(sub { $self->_show($key) eq $value }, 60)
	    or die "pgbouncer does not take $key = $value:\n" . $self->log . "\n";
	return;
}

# What the pooler's own console says of a key.
sub _show {
	my ($self, $key) = @_;
	my ($status, $out, $err) = Berth::Cluster::capture('psql', '-XAtq', '-F', '|', '-d',
	    sprintf('host=%s port=%d dbname=pgbouncer user=berth', $self->{dir}, PORT), '-c', 'SHOW CONFIG');

	die "psql: $err" if $status != 0;
	return $out =~ /^\Q$key\E\|([^|]*)/m ? $1 : '';
}

sub stop {
	my ($self) = @_;

	return if $self->{owner} != $$ || !defined $self->{pid};
	local ($?, $!);
	# from 1.23 on TERM waits for the clients
	kill('QUIT', $self->{pid});
	waitpid(delete $self->{pid}, 0);
	return;
}

sub DESTROY { $_[0]->stop; }

sub _write {
	my ($self) = @_;
	my %keys = (listen_addr => '', listen_port => PORT, unix_socket_dir => $self->{dir}, auth_type => 'trust',
		auth_file => "$self->{dir}/users",
		logfile => "$self->{dir}/log", max_client_conn => 200, ignore_startup_parameters => 'extra_float_digits',
		admin_users => 'berth', %{ $self->{settings} });
	my $path = "$self->{dir}/pgbouncer.ini";

	open(my $fh, '>', $path) or die "$path: $!\n";
	print {$fh} "[databases]\n", "$self->{database} = host=$self->{server} dbname=$self->{database}\n",
	    "[pgbouncer]\n", map { "$_ = $keys{$_}\n" } sort keys %keys;
	close($fh) or die "$path: $!\n";
	open($fh, '>', "$self->{dir}/users") or die "$self->{dir}/users: $!\n";
	print {$fh} map { "\"$_\" \"\"\n" } qw(berth berth_owner postgres);
	close($fh) or die "$self->{dir}/users: $!\n";
	return;
}

1;
