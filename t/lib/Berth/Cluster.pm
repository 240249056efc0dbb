package Berth::Cluster;

# One temporary PostgreSQL cluster, a template database, a certificate authority:
# what all tests of a run share.  t/run makes one for the whole run; a test that
# is started by itself makes its own (Berth::Test does it).  Everything lies in
# one new directory, whose name tells our processes from all others.

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex);
use File::Basename qw(dirname);
use File::Temp ();
use POSIX qw(:sys_wait_h);
use Scalar::Util ();
use Time::HiRes qw(sleep time);

use Berth::File qw(slurp);
use Berth::Session;

our $ROOT = abs_path(dirname(__FILE__) . '/../../..');

# The most bytes that the path of a Unix socket may have.
use constant SOCKET_PATH_MAX => 107;

# Where files are in memory, and how many bytes must be free there.
use constant { MEMORY => '/dev/shm', MEMORY_MIN => 8 << 30 };

my @started;

# Sessions of this process, by process and database.
my %kept;

# Those that have not gone yet, for who has to end them while everything is still there.
sub started { return grep { defined } @started }

# Makes the directory and starts PostgreSQL in it, with these of its settings (undef: its own
# default in place of ours); dies with a sentence.
sub start {
	my ($class, %settings) = @_;
	my $self = bless { owner => $$, build => build_dir(), settings => \%settings }, $class;

	push @started, $self;
	Scalar::Util::weaken($started[-1]);
	$self->{dir} = $self->_make_dir;
	$self->{bin} = _postgres_bin();
	eval {
		$self->_init;
		$self->resume;
		$self->_prepare;
		run_command("$ROOT/scripts/tls", "$self->{dir}/tls");
		1;
	} or do {
		my $why = $@;
		$self->stop;
		die $why;
	};
	$self->export;
	return $self;
}

# The cluster that t/run (or an earlier start in this process) has exported, or undef.
sub inherited {
	my ($class) = @_;

	return undef unless defined $ENV{BERTH_TEST_DIR} && -d $ENV{BERTH_TEST_DIR};
	return bless {
		owner => 0,
		build => build_dir(),
		dir => $ENV{BERTH_TEST_DIR},
		pg => "$ENV{BERTH_TEST_DIR}/pg",
		bin => _postgres_bin(),
	}, $class;
}

# Lets the programs that this process starts find the cluster.
sub export {
	my ($self) = @_;

	$ENV{BERTH_TEST_DIR} = $self->{dir};
	$ENV{BERTH_BUILD} = $self->{build};
	delete @ENV{grep { /^PG[A-Z]/ } keys %ENV};
}

sub dir { $_[0]{dir} }
sub build { $_[0]{build} }
sub server_log { "$_[0]{pg}/log" }
sub socket_dir { "$_[0]{pg}/sock" }

# How a database is copied with least work, by those that know more than one way.
sub by_files {
	my ($self) = @_;

	return $self->version >= 15 ? ' STRATEGY file_copy' : '';
}

# The number of the server's major version.
sub version {
	my ($self) = @_;

	$self->{version} //= slurp("$self->{pg}/data/PG_VERSION") + 0;
	return $self->{version};
}

# Path of a PostgreSQL program.  Builds for embedding have only the server: then the clients are those of an
# installed version.
sub tool {
	my ($self, $name) = @_;
	my ($found) = grep { -x } map { "$_/$name" } $self->{bin}, _installed();

	return $found // "$self->{bin}/$name";
}

# A libpq connection string.
sub dsn {
	my ($self, $database, $role) = @_;

	return sprintf("host=%s dbname=%s user=%s", $self->socket_dir, $database, $role);
}

# Makes the template that every test's database is a copy of, if the admin
# command exists; called again by each test, so that it may be built later.
sub ensure_template {
	my ($self) = @_;
	my $berth = "$self->{build}/berth";

	die "$berth is missing: run make first\n" unless -x $berth;
	return if -e "$self->{dir}/template-ready";
	open(my $lock, '>', "$self->{dir}/template-lock") or die "template-lock: $!\n";
	flock($lock, 2) or die "flock: $!\n";
	return if -e "$self->{dir}/template-ready";
	$self->sql('postgres', 'DROP DATABASE IF EXISTS berth_template',
	    'CREATE DATABASE berth_template OWNER berth_owner');
	run_command($berth, 'migrate', '--database', $self->dsn('berth_template', 'berth_owner'),
	    '--grant-to', 'berth');
	# all copies of it are the same registry
	my ($id) = map { $self->sql('berth_template', 'SELECT id FROM registry') }
	    grep { $_ eq 't' } $self->sql('berth_template', "SELECT to_regclass('registry') IS NOT NULL");
	open(my $registry, '>', "$self->{dir}/registry-id") or die "registry-id: $!\n";
	print {$registry} defined $id ? "$id\n" : '';
	close($registry) or die "registry-id: $!\n";
	$self->_make_token_key;
	open(my $fh, '>', "$self->{dir}/template-ready") or die "template-ready: $!\n";
	close($fh);
}

# The file of token_key: all databases that are copies of the template know its one slot.
sub token_key { "$_[0]{dir}/token.key" }

sub _make_token_key {
	my ($self) = @_;
	my $key = join('', map { ('a' .. 'z', 'A' .. 'Z', 0 .. 9)[rand 62] } 1 .. 43);
	my ($registry) = $self->sql('berth_template', 'SELECT id FROM registry');

	$self->sql('berth_template', "INSERT INTO token_slots (slot, fingerprint) VALUES ('00', '"
	    . sha256_hex($key) . "')");
	open(my $fh, '>', $self->token_key) or die $self->token_key . ": $!\n";
	chmod(0600, $fh) or die $self->token_key . ": $!\n";
	print {$fh} qq(registry "$registry";\n00 "$key";\n);
	close($fh) or die $self->token_key . ": $!\n";
}

# Runs statements as the superuser, each in its own transaction; returns rows as strings.
sub sql {
	my ($self, $database, @statements) = @_;

	return $self->sql_as('postgres', $database, @statements);
}

# In a new session, as a psql would have.
sub sql_as {
	my ($self, $role, $database, @statements) = @_;
	my $out = eval {
		my $session = $self->_session($database, $role);
		# what they change may be for new sessions, or need a database that nobody uses
		%kept = ();
		join('', map { $session->run($_) } @statements);
	} // die "psql: $@";

	return _lines($out);
}

# One text as the superuser, in a session that this process keeps, but that looks like a new one.
sub sql_again {
	my ($self, $database, $text) = @_;
	my $name = "$$ $database";
	my $session = delete $kept{$name};
	my $out = eval {
		$session = $self->_session($database, 'postgres') if !defined $session || $session->has_ended;
		$session->run($text);
	} // die "psql: $@";

	$kept{$name} = $session if $text !~ /\bALTER\s+(?:DATABASE|ROLE|SYSTEM)\b/i && $session->forget;
	return _lines($out);
}

# Gives $take what was written into a database, row by row: tables, and the texts of functions and comments.
sub read_all {
	my ($self, $database, $take) = @_;
	my $session = $self->_session($database, 'postgres');

	$session->run("COPY ($_) TO STDOUT", $take) for split(/\n/, $session->run(<<'SQL'));
SELECT 'TABLE ' || oid::regclass FROM pg_class
 WHERE relkind IN ('r', 'm') AND relnamespace::regnamespace::text !~ '^(pg_|information_schema$)'
UNION ALL VALUES ('SELECT prosrc FROM pg_proc WHERE oid >= 16384'),
       ('SELECT description FROM pg_description WHERE objoid >= 16384')
SQL
	return;
}

sub _session {
	my ($self, $database, $role) = @_;

	return Berth::Session->new($self->socket_dir . '/.s.PGSQL.5432', $database, $role);
}

sub _lines {
	my ($out) = @_;

	return split(/\n/, $out, -1) if $out =~ s/\n\z//;
	return length($out) ? ($out) : ();
}

# Starts the server anew, having stopped it in this mode: `immediate` is as good as a crash.
sub restart {
	my ($self, $mode) = @_;

	$self->_pg_ctl('-m', $mode, 'restart');
}

# The same in two steps.
sub halt {
	my ($self, $mode) = @_;

	$self->_pg_ctl('-m', $mode, 'stop');
}

sub resume {
	my ($self) = @_;

	$self->_pg_ctl('start');
}

sub _pg_ctl {
	my ($self, @command) = @_;

	%kept = ();
	$self->_run_as_postgres("$self->{bin}/pg_ctl", '-D', "$self->{pg}/data", '-w', '-t', 60,
	    '-s', '-l', "$self->{pg}/log", @command);
}

# Called before a cluster is stopped: what still uses it ends first.
our @before_stop;

# Stops the cluster and every process that names our directory, removes it.
sub stop {
	my ($self) = @_;

	return if $self->{owner} != $$ || !defined $self->{dir};
	$_->($self) for @before_stop;
	my $dir = delete $self->{dir};
	local $?;
	_stop_leftovers($dir, "$dir/pg/data");
	if (-e "$dir/pg/data/postmaster.pid") {
		$self->_run_as_postgres_quietly("$self->{bin}/pg_ctl", '-D', "$dir/pg/data", '-w', '-t', 30,
		    '-m', 'immediate', '-s', 'stop');
	}
	_stop_leftovers($dir, undef);
	# several hundred thousand files: a module of Perl's takes several times as long
	system('rm', '-rf', '--', $dir, $self->{memory} // ());
}

sub DESTROY {
	my ($self) = @_;

	$self->stop;
}

# build/san where it exists: the tests' variant.
sub build_dir {
	my $build = $ENV{BERTH_BUILD} // (-x "$ROOT/build/san/berth-fcgi" ? 'build/san' : 'build');

	return $build =~ m{^/} ? $build : "$ROOT/$build";
}

# Runs a command to its end: (exit status or 128 + signal, standard output, standard error).
sub capture {
	my (@command) = @_;
	my %opt = ref $command[0] eq 'HASH' ? %{ shift @command } : ();
	my $out = File::Temp->new;
	my $err = File::Temp->new;
	my $in = File::Temp->new;

	binmode $in;
	print {$in} $opt{stdin} // '' or die "temporary file: $!\n";
	$in->flush;
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
		open(STDIN, '<', $in->filename) or POSIX::_exit(126);
		open(STDOUT, '>&', $out) or POSIX::_exit(126);
		open(STDERR, '>&', $err) or POSIX::_exit(126);
		if (defined $opt{dir}) {
			chdir($opt{dir}) or POSIX::_exit(126);
		}
		for my $name (keys %{ $opt{env} // {} }) {
			if (defined $opt{env}{$name}) {
				$ENV{$name} = $opt{env}{$name};
			} else {
				delete $ENV{$name};
			}
		}
		{ no warnings 'exec'; exec { $command[0] } @command; }
		print STDERR "$command[0]: $!\n";
		POSIX::_exit(127);
	}
	waitpid($pid, 0);
	my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	return ($status, slurp($out->filename), slurp($err->filename));
}

sub run_command {
	my (@command) = @_;
	my ($status, $out, $err) = capture(@command);

	die "@command: exit status $status\n$out$err" if $status != 0;
	return $out;
}

# Runs as the user who owns the files of the server.
sub as_server { my ($self, @command) = @_; $self->_run_as_postgres(@command); return; }

# PostgreSQL refuses to run as root.
sub _step_down {
	my ($self) = @_;

	return () unless $> == 0;
	return ('runuser', '-u', $self->{user}, '--');
}

sub _run_as_postgres {
	my ($self, @command) = @_;
	my ($status, $out, $err) = capture({ dir => '/' }, $self->_step_down, @command);
	my $log = "$self->{pg}/log";

	die "@command: exit status $status\n$out$err" . (-e $log ? slurp($log) : '') if $status != 0;
}

sub _run_as_postgres_quietly {
	my ($self, @command) = @_;

	capture({ dir => '/' }, $self->_step_down, @command);
}

# The directories of Debian's packages, the newest version first.
sub _installed {
	return sort { ($b =~ m{/(\d+)/bin})[0] <=> ($a =~ m{/(\d+)/bin})[0] }
	    grep { -x "$_/initdb" } glob('/usr/lib/postgresql/*/bin');
}

# BERTH_POSTGRES names another version's directory of programs, DIR/13/bin.
sub _postgres_bin {
	my $asked = $ENV{BERTH_POSTGRES} // '';
	my ($newest) = _installed();

	if ($asked ne '') {
		die "BERTH_POSTGRES is `$asked`: give the whole path of a directory with initdb and pg_ctl\n"
		    if grep { !m{^/} || !-x } map { "$asked/$_" } qw(initdb pg_ctl);
		return $asked;
	}
	return $newest if defined $newest;
	for my $dir (split /:/, $ENV{PATH}) {
		return $dir if -x "$dir/initdb" && -x "$dir/pg_ctl";
	}
	die "PostgreSQL's initdb is not installed (scripts/packages lists what is needed)\n";
}

# A new directory that the cluster's user can reach and whose sockets have short names.
sub _make_dir {
	my ($self) = @_;
	my @user = $> == 0 ? grep { defined getpwnam($_) } qw(postgres nobody) : ();

	$self->{user} = $user[0];
	for my $base ($ENV{TMPDIR} // '/tmp', '/tmp') {
		next unless -d $base && -w _;
		next if length("$base/berth-XXXXXX/pg/sock/.s.PGSQL.5432") > SOCKET_PATH_MAX;
		my $dir = abs_path(File::Temp::tempdir('berth-XXXXXX', DIR => $base, CLEANUP => 0));
		chmod(0711, $dir) or die "$dir: $!\n";
		my ($status) = capture({ dir => '/' }, $self->_step_down, 'test', '-x', $dir);
		return $dir if $status == 0;
		rmdir($dir);
	}
	die "no directory for a temporary PostgreSQL cluster: neither TMPDIR nor /tmp will do\n";
}

# Hundreds of databases are copied, which takes a sixth of the time of a test if a disk has them.  So memory
# has them where there is room, unless a bench measures what a disk costs.
sub _make_pg_dir {
	my ($self) = @_;

	if (!exists $self->{settings}{fsync} && _has_memory()) {
		$self->{memory} = File::Temp::tempdir('berth-XXXXXX', DIR => MEMORY, CLEANUP => 0);
		chmod(0711, $self->{memory}) or die "$self->{memory}: $!\n";
		symlink("$self->{memory}/pg", $self->{pg}) or die "$self->{pg}: $!\n";
	}
	mkdir(readlink($self->{pg}) // $self->{pg}, 0700) or die "$self->{pg}: $!\n";
	return;
}

sub _has_memory {
	my (undef, $line) = split(/\n/, (capture('df', '-B1', '--output=fstype,avail', MEMORY))[1]);
	my ($type, $free) = split(' ', $line // '');
	my ($available) = (eval { slurp('/proc/meminfo') } // '') =~ /^MemAvailable: +(\d+) kB$/m;

	return ($type // '') eq 'tmpfs' && -w MEMORY && $free >= MEMORY_MIN
	    && ($available // 0) * 1024 >= 2 * MEMORY_MIN;
}

sub _init {
	my ($self) = @_;

	$self->{pg} = "$self->{dir}/pg";
	$self->_make_pg_dir;
	chown((getpwnam($self->{user}))[2, 3], $self->{pg}) if defined $self->{user};
	$self->_run_as_postgres('mkdir', '-m', '0700', $self->socket_dir);
	$self->_run_as_postgres("$self->{bin}/initdb", '-D', "$self->{pg}/data", '-U', 'postgres',
	    '-E', 'UTF8', '--locale=C', '--lc-ctype=C.UTF-8', '--auth=trust', '--no-sync');
	# Nobody but us can reach the socket's directory, hence `trust`.
	my %conf = (unix_socket_directories => $self->socket_dir, listen_addresses => '',
	    fsync => 'off', synchronous_commit => 'off', full_page_writes => 'off',
	    autovacuum => 'off', max_connections => 200, shared_buffers => '32MB', log_line_prefix => '%m %d %a ',
	    %{ $self->{settings} });
	my $conf = join('', map { "$_ = '$conf{$_}'\n" } grep { defined $conf{$_} } sort keys %conf);
	my $tmp = "$self->{dir}/postgresql.conf";
	open(my $fh, '>', $tmp) or die "$tmp: $!\n";
	print {$fh} $conf or die "$tmp: $!\n";
	close($fh) or die "$tmp: $!\n";
	open($fh, '>>', "$self->{pg}/data/postgresql.conf") or die "postgresql.conf: $!\n";
	print {$fh} "include '$tmp'\n" or die "postgresql.conf: $!\n";
	close($fh) or die "postgresql.conf: $!\n";
}

# What later versions of PostgreSQL have from the beginning.
sub _catch_up {
	my ($self) = @_;
	my @sql;

	push @sql, 'ALTER SCHEMA public OWNER TO berth_owner' if $self->version < 15;
	push @sql, <<'SQL' if $self->version < 14;
CREATE FUNCTION pg_catalog.pg_terminate_backend(which integer, timeout bigint) RETURNS boolean
LANGUAGE plpgsql AS $$ DECLARE
	until timestamptz := clock_timestamp() + timeout * interval '1 ms';
BEGIN
	IF NOT pg_terminate_backend(which) THEN
		RETURN false;
	END IF;
	WHILE EXISTS (SELECT FROM pg_stat_activity WHERE pid = which) LOOP
		IF clock_timestamp() > until THEN
			RETURN false;
		END IF;
		PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
	END LOOP;
	RETURN true;
END $$
SQL
	return \@sql;
}

sub _prepare {
	my ($self) = @_;

	$self->sql('postgres', 'CREATE ROLE berth_owner LOGIN', 'CREATE ROLE berth LOGIN');
	$self->sql($_, @{ $self->_catch_up }) for qw(template1 postgres);
	$self->ensure_template if -x "$self->{build}/berth";
}

# Processes whose command line names our directory were started by this run.
# Those of PostgreSQL ($spare) are left to pg_ctl.
sub _leftovers {
	my ($dir, $spare) = @_;
	my @pids;

	for my $proc (glob('/proc/[0-9]*')) {
		my ($pid) = $proc =~ /(\d+)$/;
		next if $pid == $$ || $pid == getppid();
		my $line = eval { slurp("$proc/cmdline") } // next;
		next if index($line, "$dir/") == -1 || $line =~ /\bt\/run\0/;
		next if defined $spare && index($line, $spare) != -1;
		push @pids, $pid;
	}
	return @pids;
}

sub _stop_leftovers {
	my ($dir, $spare) = @_;

	for my $step ([TERM => 5], [KILL => 5]) {
		my ($signal, $seconds) = @$step;
		my @pids = _leftovers($dir, $spare) or return;
		kill($signal, @pids);
		my $deadline = time + $seconds;
		while (time < $deadline && _leftovers($dir, $spare)) {
			1 while waitpid(-1, WNOHANG) > 0;
			sleep(0.02);
		}
	}
}

1;
