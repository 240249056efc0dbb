package Berth::Fleet;

# Three hosts with etcd, Patroni and PostgreSQL, each in a network namespace, on a bridge of this machine
# that leads nowhere else.  Needs root.
#
#	my $fleet = Berth::Fleet->start;
#	$fleet->dsn('berth', 'berth');       # names all hosts
#	my $host = $fleet->leader;           # 0 to 2
#	$fleet->start_haproxy($section);     # one that leads to the servers
#	$fleet->cut_off($host); $fleet->connect($host);
#	$fleet->kill_postgres($host);
#
# All of it is removed when the object ends.

use strict;
use warnings;

use File::Path qw(make_path);
use File::Temp ();
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep);

use Berth::Cluster;
use Berth::Test;

# The time that a leader may be silent: shorter than what a publish waits for.
use constant { HOSTS => 3, NETWORK => '10.98.47', TTL => 8 };

my $json = JSON::PP->new->utf8;

sub start {
	my ($class) = @_;
	my $dir = File::Temp::tempdir('berth-fleet-XXXXXX', DIR => '/tmp', CLEANUP => 0);
	my $self = bless { owner => $$, dir => $dir, name => "bf$$" }, $class;

	chmod(0755, $dir) or die "$dir: $!\n";
	eval {
		$self->_make_network;
		$self->_start_etcd($_) for 0 .. HOSTS - 1;
		Berth::Test::wait_for(sub { $self->_etcd_is_well }, 120) or die "etcd is not well\n";
		$self->_start_patroni($_) for 0 .. HOSTS - 1;
		$self->wait_whole;
		1;
	} or do {
		my $why = $@;
		my $log = join('', map { "== $_\n" . substr(Berth::Cluster::slurp($_), -2000) } glob("$dir/*/*.log"));

		$self->stop;
		die "$why$log";
	};
	return $self;
}

sub address { return NETWORK . '.' . (11 + $_[1]); }

sub dsn {
	my ($self, $database, $role) = @_;

	return 'host=' . join(',', map { $self->address($_) } 0 .. HOSTS - 1)
	    . " dbname=$database user=$role target_session_attrs=read-write";
}

# Starts HAProxy on this machine, with these lines after its global section.
sub start_haproxy {
	my ($self, $section) = @_;
	my $log = "$self->{dir}/haproxy.log";

	Berth::Test::write_file("$self->{dir}/haproxy.cfg", "global\n    log stdout format raw local0\n"
	    . "defaults\n    log global\n    option log-health-checks\n$section");
	$self->{haproxy} = Berth::Test::spawn($log, 'haproxy', '-db', '-f', "$self->{dir}/haproxy.cfg");
	Berth::Test::wait_for(sub { -e $log && Berth::Cluster::slurp($log) =~ /check passed, code: 200/ }, 60)
	    or die "HAProxy finds no primary:\n" . Berth::Cluster::slurp($log) . "\n";
	return;
}

# One statement as the superuser at the primary, by psql.
sub sql {
	my ($self, $database, $sql) = @_;

	return Berth::Cluster::run_command('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d',
	    $self->dsn($database, 'postgres') . ' connect_timeout=5', '-c', $sql) =~ s/\n\z//r;
}

# The logs of Patroni and PostgreSQL on all hosts, without the lines that come every second.
sub log {
	my ($self) = @_;

	return join('', map { "== $_\n" . join('', grep { !/no action\./ } map { "$_\n" }
	    split(/\n/, Berth::Cluster::slurp($_))) } glob("$self->{dir}/*/patroni.log"));
}

# By Patroni's own interface on one host; undef: it does not answer.
sub _ask {
	my ($self, $host, $path) = @_;
	my ($status, $out) = Berth::Cluster::capture('curl', '-sf', '-m', 2,
	    'http://' . $self->address($host) . ":8008/$path");

	return $status == 0 ? $out : undef;
}

# The role of each member, as one host reports it.
sub _roles {
	my ($self, $host) = @_;
	my $members = eval { $json->decode($self->_ask($host, 'cluster'))->{members} } // [];

	return join(', ', sort map { "$_->{name} $_->{role} $_->{state}" } @$members);
}

# The only one that says so.
sub leader {
	my ($self) = @_;
	my @leaders;

	Berth::Test::wait_for(sub {
		sleep(0.3);
		@leaders = grep { defined $self->_ask($_, 'primary') } 0 .. HOSTS - 1;
		return @leaders == 1;
	}, 60) or die "there is not one leader\n";
	return $leaders[0];
}

# Waits for a leader, a synchronous standby and another standby.
sub wait_whole {
	my ($self) = @_;
	my @roles;

	Berth::Test::wait_for(sub {
		sleep(0.5);
		@roles = map { $self->_roles($_) } 0 .. HOSTS - 1;
		return !(grep { $_ ne $roles[0] } @roles) && ($roles[0] =~ tr/,//) == HOSTS - 1
		    && $roles[0] =~ / leader running/ && $roles[0] =~ / sync_standby (?:running|streaming)/
		    && $roles[0] !~ /start|stop|creat|fail/;
	}, 240) or die "the hosts do not agree:\n" . join("\n", @roles) . "\n";
	return;
}

# Cuts the host off from all others.
sub cut_off { my ($self, $host) = @_; _ip('link', 'set', "$self->{name}v$host", 'down'); return; }

sub connect { my ($self, $host) = @_; _ip('link', 'set', "$self->{name}v$host", 'up'); return; }

sub kill_postgres {
	my ($self, $host) = @_;
	my ($postmaster) = Berth::Cluster::slurp("$self->{dir}/db$host/data/postmaster.pid") =~ /^(\d+)/;
	my @children = grep { (eval { Berth::Cluster::slurp("/proc/$_/stat") } // '') =~ /\) \S $postmaster / }
	    $self->_pids($host);

	kill('KILL', $postmaster, @children);
	return;
}

sub _ip { return Berth::Cluster::run_command('ip', @_); }

sub _pids {
	my ($self, $host) = @_;

	return split(' ', (Berth::Cluster::capture('ip', 'netns', 'pids', "$self->{name}n$host"))[1]);
}

sub _make_network {
	my ($self) = @_;
	my $name = $self->{name};

	_ip('link', 'add', "${name}b", 'type', 'bridge');
	_ip('addr', 'add', NETWORK . '.1/24', 'dev', "${name}b");
	_ip('link', 'set', "${name}b", 'up');
	for my $host (0 .. HOSTS - 1) {
		my ($ns, $veth) = ("${name}n$host", "${name}v$host");

		_ip('netns', 'add', $ns);
		_ip('link', 'add', $veth, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', $ns);
		_ip('link', 'set', $veth, 'master', "${name}b", 'up');
		_ip('-n', $ns, 'addr', 'add', $self->address($host) . '/24', 'dev', 'eth0');
		_ip('-n', $ns, 'link', 'set', $_, 'up') for qw(lo eth0);
	}
	return;
}

# Runs a program on the host, as the user of PostgreSQL.
sub _run {
	my ($self, $host, $what, @command) = @_;
	my $pid = fork // die "fork: $!\n";

	return $pid if $pid;
	open(STDERR, '>', "$self->{dir}/db$host/$what.log") or POSIX::_exit(126);
	open(STDOUT, '>&', \*STDERR) or POSIX::_exit(126);
	open(STDIN, '<', '/dev/null') or POSIX::_exit(126);
	chdir('/');
	{ no warnings 'exec'; exec('ip', 'netns', 'exec', "$self->{name}n$host", 'runuser', '-u', 'postgres', '--',
	    @command); }
	POSIX::_exit(127);
}

sub _start_etcd {
	my ($self, $host) = @_;
	my $url = 'http://' . $self->address($host);
	my $dir = "$self->{dir}/db$host";

	make_path($dir);
	chown((getpwnam('postgres'))[2, 3], $dir) or die "$dir: $!\n";
	push @{ $self->{pids} }, $self->_run($host, 'etcd', 'etcd', '--name', "db$host", '--data-dir', "$dir/etcd",
	    '--listen-peer-urls', "$url:2380", '--initial-advertise-peer-urls', "$url:2380", '--listen-client-urls',
	    "$url:2379", '--advertise-client-urls', "$url:2379", '--initial-cluster',
	    join(',', map { "db$_=http://" . $self->address($_) . ':2380' } 0 .. HOSTS - 1),
	    '--heartbeat-interval', 200, '--election-timeout', 2000,
	    # or a member that comes back makes the others elect a leader again
	    '--pre-vote', '--enable-v2');
	return;
}

sub _etcd_is_well {
	my ($self) = @_;

	sleep(0.5);
	return !grep { (Berth::Cluster::capture('curl', '-s', '-m', 2, 'http://' . $self->address($_)
	    . ':2379/health'))[1] !~ /"true"/ } 0 .. HOSTS - 1;
}

sub _start_patroni {
	my ($self, $host) = @_;
	my ($dir, $address) = ("$self->{dir}/db$host", $self->address($host));
	my $etcd = join(', ', map { '"' . $self->address($_) . ':2379"' } 0 .. HOSTS - 1);
	my ($bin) = reverse sort glob('/usr/lib/postgresql/*/bin');
	my ($ttl, $network) = (TTL, NETWORK . '.0/24');

	open(my $fh, '>', "$dir/patroni.yml") or die "$dir/patroni.yml: $!\n";
	print {$fh} <<"END";
scope: berth
name: db$host
restapi: { listen: "$address:8008", connect_address: "$address:8008" }
# not etcd3: Patroni 3.0.2 then overwrites the key of another leader (findings/patroni-etcd3.sh)
etcd: { hosts: [ $etcd ] }
bootstrap:
  dcs:
    ttl: $ttl
    loop_wait: 1
    retry_timeout: 3
    synchronous_mode: true
    synchronous_mode_strict: true
    primary_start_timeout: 0
    postgresql:
      use_pg_rewind: true
      parameters: { max_connections: 100, wal_log_hints: "on", fsync: "off", shared_buffers: "32MB" }
  initdb: [ { encoding: UTF8 }, { locale: C } ]
postgresql:
  listen: "$address:5432"
  connect_address: "$address:5432"
  data_dir: "$dir/data"
  bin_dir: "$bin"
  pgpass: "$dir/pgpass"
  authentication:
    superuser: { username: postgres, password: fleet }
    replication: { username: replicator, password: fleet }
  parameters: { unix_socket_directories: "$dir" }
  pg_hba: [ "local all all trust", "host all all $network trust", "host replication all $network trust" ]
END
	close($fh) or die "$dir/patroni.yml: $!\n";
	push @{ $self->{pids} }, $self->_run($host, 'patroni', 'patroni', "$dir/patroni.yml");
	return;
}

sub stop {
	my ($self) = @_;

	return if $self->{owner} != $$ || !defined $self->{dir};
	local ($?, $!, $@);
	if (defined $self->{haproxy}) {
		kill('TERM', $self->{haproxy});
		waitpid($self->{haproxy}, 0);
	}
	for my $signal (qw(TERM KILL)) {
		kill($signal, map { $self->_pids($_) } 0 .. HOSTS - 1);
		for (1 .. 50) {
			1 while waitpid(-1, POSIX::WNOHANG()) > 0;
			last if !map { $self->_pids($_) } 0 .. HOSTS - 1;
			sleep(0.1);
		}
	}
	eval { _ip('link', 'del', "$self->{name}v$_") } for 0 .. HOSTS - 1;
	eval { _ip('netns', 'del', "$self->{name}n$_") } for 0 .. HOSTS - 1;
	eval { _ip('link', 'del', "$self->{name}b") };
	system('rm', '-rf', '--', delete $self->{dir});
	return;
}

sub DESTROY { $_[0]->stop; }

1;
