package Berth::Test;

# A private Berth for one test: its own database (a copy of the template), blob
# store, configuration, and, once asked for, pool, worker and nginx.
#
#	# keys of berth.conf; pool_build: whose berth-fcgi and berth-worker
#	my $t = Berth::Test->new(workers => 4);
#	my $id = $t->project('demo/registry');
#	my $res = $t->http(GET => "/api/v4/projects/$id/packages/cargo/config.json");
#	is($res->{status}, 401);
#
# At the end everything is stopped; if the test failed, the ends of the logs are shown, and
# build/failed/NUMBER-NAME/ keeps berth.conf and the whole logs.  A
# sanitizer's report in a log makes the test fail, whatever it checked itself; so does a token, or the
# secret or MAC of one that this process was given, in a log, in the database, in the name of a file, or in
# any other file that is not known to hold one.

use strict;
use warnings;

use File::Basename ();
use File::Copy ();
use File::Path qw(make_path);
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP ();
use POSIX qw(:sys_wait_h);
use Socket qw(SOCK_STREAM);
use Storable ();
use Test::More ();
use Time::HiRes qw(clock_gettime sleep CLOCK_MONOTONIC);

use Berth::Cluster;
use Berth::Crate;
use Berth::File qw(write_file);
use Berth::Http;
use Berth::Json;
use Berth::Leaks;

my (%live, $cluster, $count);

# Set at the end: the test died; a sanitizer had something to say.
my ($died, $broken) = (0, 0);

# Seconds that a program may take; generous, since sanitizers are slow.
use constant PATIENCE => 60;

# Lines of each log that a failed test shows.
use constant SHOWN => 40;

# These have a server of their own.
use constant MONITORING => qr{^/-/(?:liveness|readiness|worker|metrics)(?:\?|\z)};

# From here on curl asks before it sends a body (Expect: 100-continue).
use constant UPLOAD_MAX => 1 << 20;

sub new {
	my ($class, %settings) = @_;

	$cluster //= Berth::Cluster->inherited // Berth::Cluster->start;
	my $pool_build = delete $settings{pool_build} // $cluster->build;
	# process numbers come again in a long run
	my $name = sprintf('t%d_%x_%d', $$, $^T & 0xffff, ++$count);
	my $self = bless {
		owner => $$,
		name => $name,
		dir => $cluster->dir . "/$name",
		database => $name,
		pool_build => $pool_build,
		has_write_workers => _has_write_workers($pool_build),
		settings => {},
	}, $class;
	make_path(map { "$self->{dir}/$_" } qw(store cache log));
	chmod(0750, "$self->{dir}/store", "$self->{dir}/cache") == 2 or die "$self->{dir}: $!\n";
	($self->{port}, $self->{plain_port}, $self->{monitoring_port}) = map { claim_port() } 1 .. 3;
	if (!defined $settings{database}) {
		$cluster->ensure_template;
		$cluster->sql('postgres',
		    "CREATE DATABASE $name TEMPLATE berth_template OWNER berth_owner" . $cluster->by_files,
		    "GRANT CONNECT ON DATABASE $name TO berth");
		$self->{has_database} = 1;
		# a test may fill its database before the first use of the store
		my $id = Berth::Cluster::slurp($cluster->dir . '/registry-id');
		write_file("$self->{dir}/store/registry-id", $id) if $id ne '' && !defined $settings{store};
	}
	$self->conf(
		external_url => "https://localhost:$self->{port}",
		socket => "$self->{dir}/berth.sock",
		database => $self->dsn('berth'),
		store => "$self->{dir}/store",
		cache_dir => "$self->{dir}/cache",
		token_key => $cluster->token_key,
		inspector => $cluster->build . '/berth-inspect',
		pid_file => "$self->{dir}/berth.pid",
		download_log => "$self->{dir}/log/nginx-berth-downloads.log",
		cache_log => "$self->{dir}/log/nginx-berth-cache.log",
		workers => 2,
		# tests look into /proc, and not all of them are root
		$self->{has_write_workers} ? (write_workers => $settings{workers} // 2, traceable => 'on') : (),
		drain_timeout => 10,
		log_level => 'debug',
		%settings,
	);
	$live{$name} = $self;
	Scalar::Util::weaken($live{$name});
	return $self;
}

sub dir { $_[0]{dir} }
# The directory that nginx sends crates from.
sub store {
	my ($self) = @_;

	return $self->{settings}{store} =~ m{^/} ? $self->{settings}{store} : $self->{settings}{store_copies};
}

sub socket_path { $_[0]{settings}{socket} }
sub write_socket_path { return $_[0]{settings}{socket} =~ s/\.sock\z//r . '-write.sock' }
sub conf_path { "$_[0]{dir}/berth.conf" }
sub port { $_[0]{port} }
sub plain_port { $_[0]{plain_port} }
sub monitoring_port { $_[0]{monitoring_port} }
sub url { "https://localhost:$_[0]{port}" }
sub cacert { $cluster->dir . '/tls/ca.pem' }
sub build { $cluster->build }

# A connection string for this test's database: roles berth (the pool's),
# berth_owner, postgres.
sub dsn {
	my ($self, $role) = @_;

	return $cluster->dsn($self->{database}, $role // 'berth');
}

# Changes keys (undef: back to the default) and writes berth.conf; returns its
# path.  A running pool sees it on SIGHUP or its next start.
sub conf {
	my ($self, %over) = @_;
	my $path = $self->conf_path;

	$self->{settings} = { %{ $self->{settings} }, %over };
	delete @{ $self->{settings} }{ grep { !defined $over{$_} } keys %over };
	open(my $fh, '>', "$path.new") or die "$path.new: $!\n";
	print {$fh} map { "$_ = $self->{settings}{$_}\n" } sort keys %{ $self->{settings} };
	close($fh) or die "$path.new: $!\n";
	rename("$path.new", $path) or die "$path: $!\n";
	return $path;
}

# Rows as strings, columns joined by `|`; in scalar context one text.  As the
# superuser, or as `role`.
sub psql {
	my ($self, $sql, %opt) = @_;
	my @rows = defined $opt{role} ? $cluster->sql_as($opt{role}, $self->{database}, $sql)
	    : $cluster->sql_again($self->{database}, $sql);

	return wantarray ? @rows : join("\n", @rows);
}

# Runs the admin command: (exit status, standard output, standard error).  A first
# argument { stdin => ... } is what it reads.
sub berth {
	my ($self, @args) = @_;
	my %opt = ref $args[0] eq 'HASH' ? %{ shift @args } : ();

	my @result = Berth::Cluster::capture(
	    { stdin => $opt{stdin}, env => { BERTH_CONF => $self->conf_path, %{ $opt{env} // {} } } },
	    $cluster->build . '/berth', @args);
	Berth::Leaks::know($result[1]);
	return @result;
}

# As berth(), for what must succeed: what it printed, without the newline.
sub berth_ok {
	my ($self, @args) = @_;
	my ($status, $out, $err) = $self->berth(@args);

	die "berth @args: exit status $status\n$err" if $status != 0;
	chomp $out;
	return $out;
}

# ---- people, places, tokens: each makes one and returns its id, or the token ----

sub user {
	my ($self, $name, %opt) = @_;

	return $self->berth_ok('user', 'add', $name, '--email', $opt{email} // "$name\@example.org",
	    $opt{admin} ? '--admin' : ());
}

# Groups above it that are missing are made as well.
sub group {
	my ($self, $path) = @_;

	if ($path =~ m{^(.*)/} && !$self->{groups}{$1}) {
		$self->group($1);
	}
	return $self->{groups}{$path} //= $self->berth_ok('group', 'add', $path);
}

sub project {
	my ($self, $path, $visibility) = @_;

	$self->group($path =~ m{^(.+)/[^/]+$} ? $1 : die "$path: no group\n");
	return $self->berth_ok('project', 'add', $path, '--visibility', $visibility // 'private');
}

sub member {
	my ($self, $user, $path, $level) = @_;

	$self->berth_ok('member', 'set', $user, $path, $level);
	return;
}

sub token {
	my ($self, $user, %opt) = @_;

	return $self->berth_ok('token', 'add', '--user', $user, '--scopes', $opt{scopes} // 'api',
	    map { ("--$_", $opt{$_}) } grep { defined $opt{$_} } qw(expires crates operations));
}

# One that has ended.
sub ended_token {
	my ($self, $user) = @_;
	my $token = $self->token($user);

	$self->psql("UPDATE tokens SET expires_at = '2020-01-01' WHERE handle = '" . token_handle($token) . "'");
	return $token;
}

# The slot and handle of a token, by which the database finds it.
sub token_handle { return $_[0] =~ /^berth_\w{3}_([0-9A-Za-z]{18})_/ ? $1 : die "no token with a handle\n"; }

# Of a group or project; scopes as in GitLab, without their end: read, write.
sub deploy_token {
	my ($self, $place, @scopes) = @_;

	return $self->berth_ok('token', 'add', '--deploy', $place, '--scopes',
	    join(',', map { "${_}_package_registry" } @scopes));
}

# Of a job of that project, which that user has started.
sub job_token {
	my ($self, $project, $user, %opt) = @_;

	return $self->berth_ok('token', 'add', '--job', $project, '--user', $user, '--pipeline', 17,
	    '--job', 423, '--ttl', $opt{ttl} // 3600);
}

# Signs a user in with a browser: the cookie of the session.
sub sign_in {
	my ($self, $user) = @_;
	my (undef, $code) = split(/\n/, $self->berth_ok('user', 'link', $user));
	my $res = $self->http(POST => '/-/sign-in', { body => "code=$code&confirm=true",
	    headers => ['Content-Type: application/x-www-form-urlencoded', 'Origin: ' . $self->url] });

	return ($res->{headers}{'set-cookie'} // die "sign in: $res->{status}\n") =~ /^([^;]*)/ ? $1 : die;
}

# ---- the pool ----

sub start_pool {
	my ($self) = @_;

	return if $self->{pool};
	$self->{pool} = spawn("$self->{dir}/log/pool.log", "$self->{pool_build}/berth-fcgi", '-c',
	    $self->conf_path);
	my $up = wait_for(sub {
		die "berth-fcgi ended at once:\n" . $self->log('pool') . "\n" if $self->has_ended('pool');
		# a build of before opens the socket for writes last
		return !grep { !IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $_) } $self->socket_path,
		    $self->{has_write_workers} ? $self->write_socket_path : ();
	}, PATIENCE);
	die "berth-fcgi does not listen:\n" . $self->log('pool') . "\n" unless $up;
	return;
}

# The master's pid; starts the pool if need be.
sub pool_pid {
	my ($self) = @_;

	$self->start_pool;
	return $self->{pool};
}

# Ends the pool by SIGTERM; returns its wait status ($?), or undef if there was none.
sub stop_pool {
	my ($self) = @_;

	return $self->_stop('pool', 'TERM');
}

# ---- workers ----

# Starts berth-worker; several at once by other names than `worker`, each with its own log.  Keys
# of berth.conf may differ from the test's.
sub start_worker {
	my ($self, $name, %over) = @_;

	$name //= 'worker';
	return if $self->{workers}{$name};
	my $conf = $self->conf_path;
	if (%over) {
		my %settings = (%{ $self->{settings} }, %over);

		$conf = "$self->{dir}/$name.conf";
		write_file($conf, join('', map { "$_ = $settings{$_}\n" } sort keys %settings));
	}
	# what an earlier one of that name has said is no sign of this one
	my $said = length($self->log($name));
	$self->{$name} = spawn("$self->{dir}/log/$name.log", "$self->{pool_build}/berth-worker", '-c', $conf);
	$self->{workers}{$name} = 1;
	my $up = wait_for(sub {
		die "berth-worker ended at once:\n" . $self->log($name) . "\n" if $self->has_ended($name);
		return substr($self->log($name), $said) =~ /ready: node/;
	}, PATIENCE);
	die "berth-worker does not start:\n" . $self->log($name) . "\n" unless $up;
	return $self->{$name};
}

# Ends a worker by SIGTERM, or another signal; returns its wait status ($?).
sub stop_worker {
	my ($self, $name, $signal) = @_;

	$name //= 'worker';
	delete $self->{workers}{$name};
	return $self->_stop($name, $signal // 'TERM');
}

# Ends the first period of database and store (keep_unused of berth.conf).
sub long_together {
	my ($self) = @_;

	$self->psql("UPDATE store_state SET adopted_at = '2016-01-01 00:00Z'");
}

# Lets the tasks of a kind that has a period run now, and waits until each was done once more.
sub run_tasks {
	my ($self, $kind) = @_;

	$self->start_worker unless %{ $self->{workers} // {} };
	wait_for(sub { $self->psql("SELECT count(*) FROM tasks WHERE kind = '$kind'") > 0 })
	    or die "there is no task $kind\n";
	my $since = $self->psql('SELECT clock_timestamp()');
	$self->psql("UPDATE tasks SET run_at = now() WHERE kind = '$kind'; NOTIFY berth_tasks");
	return 1 if wait_for(sub {
		# a run that was ending has set another time
		$self->psql("UPDATE tasks SET run_at = now() WHERE kind = '$kind' AND claimed_until IS NULL"
		    . " AND run_at > now() AND coalesce(done_at <= '$since', true); NOTIFY berth_tasks");
		return $self->psql("SELECT bool_and(done_at > '$since' AND claimed_until IS NULL AND run_at > now())"
		    . " FROM tasks WHERE kind = '$kind'") eq 't';
	});
	die "$kind is not done:\n" . $self->psql("SELECT error FROM tasks WHERE kind = '$kind'") . "\n";
}

# Lets searches and lists by name know all changes of crates, as a worker does within a second.
sub update_search {
	my ($self) = @_;

	return $self->psql('SELECT count(*) FROM crates_due') == 0 || $self->run_tasks('update_search');
}

# ---- nginx ----

sub nginx_conf { "$_[0]{dir}/nginx/nginx.conf" }

# Writes nginx's configuration: that of conf/nginx/ with this test's paths.
sub write_nginx_conf {
	my ($self) = @_;
	my ($status, undef, $err) = Berth::Cluster::capture("$Berth::Cluster::ROOT/scripts/nginx-conf",
	    "$self->{dir}/nginx", $self->port, $self->{monitoring_port}, $self->socket_path, $self->store,
	    "$self->{dir}/cache", $cluster->dir . '/tls', "$self->{dir}/log", $self->{settings}{token_key} // '');

	die $err if $status != 0;
	return $self->nginx_conf;
}

# A sub changes the text of each piece of the configuration, in $_, and returns it.
sub start_nginx {
	my ($self, $edit) = @_;

	return if $self->{nginx};
	$self->write_nginx_conf;
	for my $piece (glob("$self->{dir}/nginx/berth/*.conf")) {
		local $_ = Berth::Cluster::slurp($piece);
		# an older build listens on one socket
		s/-write\.sock"/.sock"/ unless $self->{has_write_workers};
		s/^(\tlisten 127\.0\.0\.1:)\d+ ssl http2;/$&\n$1$self->{plain_port};/m;
		write_file($piece, defined $edit ? $edit->() : $_);
	}
	$self->{nginx} = spawn("$self->{dir}/log/nginx-error.log", nginx_program(), '-e', 'stderr', '-c',
	    $self->nginx_conf, '-g', 'daemon off;');
	my $up = wait_for(sub {
		die "nginx ended at once:\n" . $self->log('nginx-error') . "\n" if $self->has_ended('nginx');
		# it listens on one after the other
		return 2 == grep { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $_) } $self->port,
		    $self->{plain_port};
	}, PATIENCE);
	die "nginx does not listen\n" unless $up;
	return;
}

sub stop_nginx {
	my ($self) = @_;

	return $self->_stop('nginx', 'TERM');
}

# ---- HTTP ----

# One request through nginx, over plain HTTP/1.1 on a second port unless an option needs curl and TLS.
# Starts what is not running.  Options: headers (a hash, or a list of "Name: value"), token, body, http2, tls,
# curl (more arguments for curl), public (monitoring, too, by the public server).  $path goes over the wire
# as it is.  Returns { status, headers (lower-case names), header_list, body, version }.
sub http {
	my ($self, $method, $path, $opt) = @_;
	my @headers = ref $opt->{headers} eq 'ARRAY' ? @{ $opt->{headers} }
	    : map { "$_: $opt->{headers}{$_}" } sort keys %{ $opt->{headers} // {} };

	$self->start_pool unless $opt->{no_pool};
	$self->start_nginx;
	push @headers, "Authorization: $opt->{token}" if defined $opt->{token};
	my $by_curl = $opt->{http2} || $opt->{tls} || $opt->{curl} || $path =~ m{^https?://}
	    || length($opt->{body} // '') > UPLOAD_MAX || grep { /^transfer-encoding:/i } @headers;
	my $res = $by_curl ? $self->_http_by_curl($method, $path, \@headers, $opt)
	    : $self->_http_plain($method, $path, \@headers, $opt);
	Berth::Leaks::know($res->{body});
	Test::More::diag("$method $path: $res->{error}") if defined $res->{error} && !$opt->{may_fail};
	return $res;
}

sub _http_plain {
	my ($self, $method, $path, $headers, $opt) = @_;
	# as curl reads them: `Name:` is no header, `Name;` one without a value
	my @headers = map { s/^([^:;]+);\z/$1:/r } grep { !/^[^:]+:\z/ } @$headers;
	my %has = map { /^([^:]+):/ ? (lc $1 => 1) : () } @headers;

	# as curl does
	push @headers, 'Host: localhost:' . $self->port unless $has{host};
	push @headers, 'User-Agent: curl/7.88.1' unless $has{'user-agent'};
	push @headers, 'Accept: */*' unless $has{accept};
	my $port = !$opt->{public} && $path =~ MONITORING ? $self->{monitoring_port} : $self->{plain_port};
	my $got = Berth::Http::request($port, $method, $path, \@headers, $opt->{body}, PATIENCE + 60);
	my $res = { body => $got->{body}, error => $got->{error}, header_list => [] };

	($res->{version}, $res->{status}) = $got->{head} =~ m{\AHTTP/(\S+) (\d{3})} ? ($1, $2) : (0, '000');
	_parse_head($res, $got->{head});
	return $res;
}

sub _http_by_curl {
	my ($self, $method, $path, $headers, $opt) = @_;
	my $base = "$self->{dir}/http.$$." . ++$self->{requests};
	my @argv = ('curl', '-sS', '--noproxy', '*', '--path-as-is', '-g', '--max-time', PATIENCE + 60,
	    '--cacert', $self->cacert, $opt->{http2} ? '--http2' : '--http1.1', '-D', "$base.head",
	    '-o', "$base.body", '-w', '%{http_code} %{http_version}');

	push @argv, $method eq 'HEAD' ? '-I' : ('-X', $method);
	push @argv, map { ('-H', $_) } @$headers, grep { !grep { /^content-type:/i } @$headers } 'Content-Type:';
	if (defined $opt->{body}) {
		write_file("$base.in", $opt->{body});
		push @argv, '--data-binary', "\@$base.in";
	}
	push @argv, @{ $opt->{curl} // [] };
	push @argv, $path =~ m{^https?://} ? $path : $self->url . $path;
	my ($status, $out, $err) = Berth::Cluster::capture(@argv);
	my $res = { error => $status == 0 ? undef : $err, header_list => [] };

	($res->{status}, $res->{version}) = split / /, $out;
	$res->{body} = -e "$base.body" ? Berth::Cluster::slurp("$base.body") : '';
	_parse_head($res, -e "$base.head" ? Berth::Cluster::slurp("$base.head") : '');
	unlink("$base.head", "$base.body", "$base.in");
	return $res;
}

# Runs $body->(0) .. $body->($n - 1) at the same time, each in a process of its
# own; returns what they return (one value each, of plain data) in order.
sub parallel {
	my ($self, $n, $body) = @_;
	my (@pipes, @pids);

	$self->start_pool;
	$self->start_nginx;
	for my $i (0 .. $n - 1) {
		pipe($pipes[$i], my $out) or die "pipe: $!\n";
		$pids[$i] = fork // die "fork: $!\n";
		if ($pids[$i] == 0) {
			give($out, $body->($i));
			POSIX::_exit(0);
		}
		close($out);
	}
	my @results = map { take($_) } @pipes;
	waitpid($_, 0) for @pids;
	return @results;
}

# A value of plain data on its way to another process.  Not as JSON: what many clients have seen would take
# Perl seconds.
sub give {
	my ($out, $value) = @_;

	print {$out} Storable::freeze([$value]) or die "pipe: $!\n";
	close($out) or die "pipe: $!\n";
	return;
}

sub take {
	my ($in) = @_;
	my $bytes = do { local $/; <$in> };

	return length($bytes // '') ? Storable::thaw($bytes)->[0] : die "the other process has ended\n";
}

# The body of a response, read as JSON.
sub json {
	my ($self, $res) = @_;

	return Berth::Json::decode($res->{body});
}

# Sends bytes over TLS as they are (end them with `Connection: close`); returns what came back.
sub raw {
	my ($self, $bytes, %opt) = @_;

	$self->start_pool unless $opt{no_pool};
	$self->start_nginx;
	my (undef, $out) = Berth::Cluster::capture({ stdin => $bytes }, 'timeout', PATIENCE, 'openssl',
	    's_client', '-quiet', '-CAfile', $self->cacert, '-servername', 'localhost', '-connect',
	    '127.0.0.1:' . $self->port, @{ $opt{s_client} // [] });
	return $out;
}

# The path of external_url: "" for a host of its own.
sub path { return ($_[0]{settings}{external_url} // '') =~ m{^https://[^/]+(/.*)} ? $1 : ''; }

# The registry root of a project.
sub registry {
	my ($self, $id) = @_;

	return $self->path . "/api/v4/projects/$id/packages/cargo";
}

# ---- crates ----

# A .crate in memory; see Berth::Crate.
sub make_crate { my $self = shift; return Berth::Crate::make(@_); }

# What cargo would send beside it: a hash, %over replaces keys.
sub metadata { my $self = shift; return Berth::Crate::metadata(@_); }

# The body of a publish; $json is text or a reference to what becomes JSON.
sub publish_body {
	my ($self, $json, $crate) = @_;

	$json = JSON::PP->new->utf8->canonical->encode($json) if ref $json;
	return pack('V/a* V/a*', $json, $crate);
}

# Publishes a crate made of the rest; options of make_crate, and metadata => {...}.
sub publish {
	my ($self, $id, $token, $name, $version, %opt) = @_;
	my $over = delete $opt{metadata} // {};
	my $body = $self->publish_body(Berth::Crate::metadata($name, $version, %$over),
	    Berth::Crate::make($name, $version, %opt));

	return $self->http(PUT => $self->registry($id) . '/api/v1/crates/new',
	    { token => $token, body => $body });
}

# ---- the real cargo ----

# The reason why it cannot be used, for skip: "" where it can.
sub cargo_missing {
	my ($status, $out) = Berth::Cluster::capture('cargo', '--version');

	return 'no cargo on this machine' if $status != 0;
	my ($major, $minor) = $out =~ /^cargo (\d+)\.(\d+)/ or return "no cargo that tells its version";
	return '' if $major > 1 || $minor >= 74;
	return "no cargo of 1.74 or newer on this machine ($major.$minor does not know auth-required)";
}

# A private CARGO_HOME that knows registries: name => { id => project id, token => ... }.
sub cargo_setup {
	my ($self, %registries) = @_;
	my $home = "$self->{dir}/cargo-home";
	my $credentials = '';
	my $config = "[http]\ncainfo = \"" . $self->cacert . "\"\n[net]\nretry = 0\n"
	    . "[registry]\nglobal-credential-providers = [\"cargo:token\"]\n";

	make_path($home);
	for my $name (sort keys %registries) {
		my $r = $registries{$name};

		$config .= "[registries.$name]\nindex = \"sparse+" . $self->url . $self->registry($r->{id})
		    . "/\"\ncredential-provider = \"cargo:token\"\n";
		$credentials .= "[registries.$name]\ntoken = \"$r->{token}\"\n" if defined $r->{token};
	}
	write_file("$home/config.toml", $config);
	write_file("$home/credentials.toml", $credentials);
	return $home;
}

# Runs cargo: (exit status, standard output, standard error).  Ends in options:
# dir => where, env => { NAME => value or undef }.
sub cargo {
	my ($self, @args) = @_;
	my %opt;

	while (@args > 2 && $args[-2] =~ /^(?:dir|env)$/) {
		my ($key, $value) = splice(@args, -2);
		$opt{$key} = $value;
	}
	$self->start_pool;
	$self->start_nginx;
	my %env = map { ($_ => undef) } grep { /^(?:CARGO_|https?_proxy$|all_proxy$)/i } keys %ENV;
	return Berth::Cluster::capture({
		dir => $opt{dir} // $self->{dir},
		env => {
			%env,
			CARGO_HOME => "$self->{dir}/cargo-home",
			CARGO_TERM_COLOR => 'never',
			no_proxy => '*',
			%{ $opt{env} // {} },
		},
	}, 'timeout', 300, 'cargo', @args);
}

# ---- logs and waiting ----

# The text of a log: pool, worker, nginx-error, nginx-berth.log, nginx-berth-downloads.log.
sub log {
	my ($self, $which) = @_;
	my ($path) = grep { -e $_ } map { "$self->{dir}/log/$which$_" } '', '.log';

	return defined $path ? Berth::Cluster::slurp($path) : '';
}

# The routes that the pool has logged for a response's request, in order: $n of them, whose lines
# come after the answer.
sub routes_of {
	my ($self, $res, $n) = @_;
	my @routes;

	wait_for(sub {
		@routes = map { / route=(\S+)/ ? $1 : () }
		    grep { /event=request id=$res->{headers}{'x-served-by'} / } split(/\n/, $self->log('pool'));
		return @routes >= $n;
	}, 5);
	return @routes;
}

# Waits until that log of nginx has a line about each of these answers, which comes after them.
sub nginx_logged {
	my ($self, $which, @answers) = @_;
	my @ids = map { $_->{headers}{'x-request-id'} } @answers;

	return wait_for(sub {
		my $text = $self->log($which);
		return !grep { index($text, " id=$_ ") < 0 } @ids;
	});
}

# wait_for(sub, seconds), also as a method: asks until the answer is true, at most
# so long; returns the last answer.
sub wait_for {
	my ($ask, $seconds) = grep { !Scalar::Util::blessed($_) } @_;
	my $deadline = clock_gettime(CLOCK_MONOTONIC) + ($seconds // PATIENCE);

	while (1) {
		my $answer = $ask->();
		return $answer if $answer || clock_gettime(CLOCK_MONOTONIC) > $deadline;
		sleep(0.02);
	}
}

# ---- inside ----

sub nginx_program {
	my ($path) = grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin';

	return $path // die "nginx is not installed (scripts/packages lists what is needed)\n";
}

# A port that is free and that no other test of this run takes.  Below the range
# from which the kernel takes ports for outgoing connections.
sub claim_port {
	$cluster //= Berth::Cluster->inherited // Berth::Cluster->start;
	my $ports = $cluster->dir . '/ports';

	make_path($ports);
	for (1 .. 500) {
		my $port = 20000 + int(rand(12000));

		sysopen(my $claim, "$ports/$port", POSIX::O_CREAT() | POSIX::O_EXCL()) or next;
		close($claim);
		return $port if IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1',
		    LocalPort => $port, ReuseAddr => 1);
	}
	die "no free port\n";
}

sub spawn {
	my ($log, @argv) = @_;
	my $pid = fork // die "fork: $!\n";

	return $pid if $pid;
	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
	POSIX::setsid();
	open(STDIN, '<', '/dev/null') or POSIX::_exit(126);
	open(STDOUT, '>>', $log) or POSIX::_exit(126);
	open(STDERR, '>&', \*STDOUT) or POSIX::_exit(126);
	{ no warnings 'exec'; exec { $argv[0] } @argv; }
	print STDERR "$argv[0]: $!\n";
	POSIX::_exit(127);
}

# The build before has one socket, and does not know the keys of the other one.
my %knows_writers;

sub _has_write_workers {
	my ($build) = @_;

	return $knows_writers{$build} //= Berth::Cluster::slurp("$build/berth-fcgi") =~ /write_workers/ ? 1 : 0;
}

sub has_ended {
	my ($self, $what) = @_;

	return 0 if waitpid($self->{$what}, WNOHANG) == 0;
	delete $self->{$what};
	return 1;
}

sub _stop {
	my ($self, $what, $signal) = @_;
	my $pid = delete $self->{$what} // return undef;
	my $result;

	kill($signal, $pid);
	local $?;
	my $gone = wait_for(sub {
		my $got = waitpid($pid, WNOHANG);
		$result = $? if $got == $pid;
		return $got != 0;
	}, PATIENCE + 15);
	if (!$gone) {
		kill('KILL', $pid);
		waitpid($pid, 0);
		$result = $?;
		Test::More::diag("$what did not end by SIG$signal and was killed");
	}
	return $result;
}

# The last block of headers counts: a 100 Continue may stand before it.
sub _parse_head {
	my ($res, $text) = @_;
	my ($last) = (grep { length } split(/\r\n\r\n/, $text))[-1];
	my (undef, @lines) = split(/\r\n/, $last // '');

	for my $line (@lines) {
		my ($name, $value) = split(/:\s*/, $line, 2);

		push @{ $res->{header_list} }, [lc $name, $value];
		$res->{headers}{ lc $name } = defined $res->{headers}{ lc $name }
		    ? "$res->{headers}{ lc $name }, $value" : $value;
	}
}

# The test writes tokens into this file itself, or lets somebody do so.  Returns the path.
sub holds_tokens {
	my ($self, $path) = @_;

	$self->{token_files}{$path} = 1;
	return $path;
}

sub _leaks {
	my ($self) = @_;

	return (Berth::Leaks::in_files($self->{dir}, $self->{token_files} // {}),
	    Berth::Leaks::in_cores($Berth::Cluster::ROOT),
	    $self->{has_database} ? Berth::Leaks::in_pieces('the database',
		sub { $cluster->read_all($self->{database}, $_[0]) }) : ());
}

sub _report_leaks {
	my (@leaks) = @_;

	Test::More::diag("a token lies about: $_") for @leaks;
	$broken = 1 if @leaks;
}

# Stops all that this object has started.
sub stop {
	my ($self) = @_;

	return if $self->{owner} != $$;
	$self->stop_nginx;
	$self->stop_pool;
	$self->stop_worker($_) for keys %{ $self->{workers} // {} };
	return;
}

sub _sanitizer_reports {
	my ($self) = @_;

	return grep { /AddressSanitizer|LeakSanitizer|ThreadSanitizer|: runtime error: / }
	    map { split(/\n/, $self->log($_)) } 'pool', $self->_worker_logs;
}

# The names of all workers that there ever were.
sub _worker_logs {
	my ($self) = @_;

	return map { m{/(worker[^/]*)\.log$} ? $1 : () } glob("$self->{dir}/log/worker*.log");
}

sub _show_logs {
	my ($self) = @_;

	for my $which ('pool', 'nginx-error', $self->_worker_logs) {
		my @lines = split(/\n/, $self->log($which));
		splice(@lines, 0, @lines - SHOWN) if @lines > SHOWN;
		Test::More::diag("---- $which") if @lines;
		Test::More::diag($_) for @lines;
	}
	$self->_keep_logs;
}

# Each run of a test replaces what the one before has left.
my $kept = 0;

sub _keep_logs {
	my ($self) = @_;
	my $to = "$Berth::Cluster::ROOT/build/failed/" . File::Basename::basename($0, '.t');

	# whatever the directory does not allow, the rest must still be stopped
	eval {
		File::Path::remove_tree($to) if !$kept++;
		make_path("$to/$self->{name}");
		File::Copy::copy($_, "$to/$self->{name}/") or die "$to: $!\n"
		    for grep { -f } $self->conf_path, glob("$self->{dir}/log/*");
		Test::More::diag("berth.conf and all logs are in $to/$self->{name}/");
		1;
	} or Test::More::diag("the logs are not kept: $@");
}

sub DESTROY {
	my ($self) = @_;

	return if $self->{owner} != $$ || $self->{done}++;
	local ($?, $@);
	$self->stop;
	delete $live{ $self->{name} };
	my @reports = $self->_sanitizer_reports;
	if (@reports) {
		Test::More::diag("a sanitizer has reported: $_") for @reports;
		$broken = 1;
	}
	my @leaks = $self->_leaks;
	_report_leaks(@leaks);
	$self->_show_logs if @reports || $died || !Test::More->builder->is_passing;
}


# Not in END alone where a test has a cluster of its own: its variables go before that.
push @Berth::Cluster::before_stop, sub {
	my $dir = $_[0]->dir;

	$_->DESTROY for grep { defined && index($_->dir, "$dir/") == 0 } values %live;
	_report_leaks(Berth::Leaks::in_files($_[0]->server_log, {}));
};

# A signal must lead through END as well.
BEGIN {
	require Scalar::Util;
	for my $signal (qw(INT TERM HUP)) {
		$SIG{$signal} = sub { exit(1) };
	}
}

END {
	my $status = $?;

	$died = $status != 0;
	for my $t (grep { defined } values %live) {
		$t->DESTROY;
	}
	$_->stop for Berth::Cluster::started();
	$cluster->stop if defined $cluster;
	$? = $status != 0 ? $status : $broken;
}

1;
