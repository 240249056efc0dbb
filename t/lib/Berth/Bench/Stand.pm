package Berth::Bench::Stand;

# What is measured, all behind one nginx, on one port: files that nginx sends by itself, the bare
# responder (t/bench/bare_fcgi.c) without and with a statement, and Berth, for a private project
# with a token and for a public one without, and for the group of both and of 198 projects more.  Every one of
# them has the same bytes.  Another build of Berth
# can stand beside it, behind an nginx of its own, with a private project.
#
# 	my $stand = Berth::Bench::Stand->new(workers => 8, versions => { small => 1, large => 1000 },
# before => $dir);
#	# postgres => { ... }: more settings of its PostgreSQL; peers => [...]: other registries
#	my $request = $stand->index('berth', 'small', unchanged => 1);

use strict;
use warnings;

use File::Path qw(make_path);
use JSON::PP ();

use Berth::Bench::Before;
use Berth::Cluster;
use Berth::Crate;
use Berth::Populate;
use Berth::Publish;
use Berth::Test;

# As a server has them that nobody has tuned, but for the memory.
use constant GROUP_PROJECTS => 200;
use constant POSTGRES => (
	fsync => undef, synchronous_commit => undef, full_page_writes => undef,
	shared_buffers => '256MB', max_wal_size => '4GB', max_connections => 200,
);

sub new {
	my ($class, %opt) = @_;
	my $cluster = Berth::Cluster->start(POSTGRES, %{ $opt{postgres} // {} });
	my $t = Berth::Test->new(workers => $opt{workers}, log_level => 'info', publish_burst => 0,
	    new_crate_burst => 0, yank_burst => 0, change_burst => 0, job_token_burst => 0);
	my $self = bless { cluster => $cluster, t => $t, workers => $opt{workers}, peers => $opt{peers} // [] },
	    $class;

	$self->{project} = { berth => $t->project('demo/private'), public => $t->project('demo/public', 'public') };
	$self->{group} = $t->group('demo');
	$t->psql('INSERT INTO projects (group_id, path, full_path, visibility)'
	    . " SELECT $self->{group}, 'more' || n, 'demo/more' || n, 'private'"
	    . ' FROM generate_series(3, ' . GROUP_PROJECTS . ') n');
	$t->user('dev');
	$t->member('dev', 'demo', 'developer');
	$self->{token} = $t->token('dev');
	$self->_documents($opt{versions});
	$self->_start;
	$self->{before} = Berth::Bench::Before->start($opt{before}, %opt{qw(workers versions)})
	    if defined $opt{before};
	return $self;
}

sub test { $_[0]{t} }
sub cluster { $_[0]{cluster} }
sub token { $_[0]{token} }
sub before { $_[0]{before} } # undef: there is none
sub peers { @{ $_[0]{peers} } } # other registries, Berth::Bench::Peer
sub project { $_[0]{project}{ $_[1] } }
sub dir { $_[0]{t}->dir . '/bench' }

# Those of them that there are.
sub contenders {
	my ($self, @who) = @_;

	return grep { $_ ne 'before' || $self->{before} } @who;
}

# Of a superuser.
sub dsn { $_[0]{t}->dsn('postgres') }

# An empty project in a cluster of its own, as dsn and id, for rows that nobody reads: what they leave to do
# later, such as searches and vacuums, must not burden Berth.
sub spare_project {
	my ($self) = @_;
	my $database = 'berth_template';

	if (!$self->{spare}) {
		$self->{spare} = Berth::Cluster->start(POSTGRES);
		$self->{spare}->ensure_template;
		$self->{spare}->sql($database,
		    q(INSERT INTO groups (path, full_path, ancestor_ids) VALUES ('demo', 'demo', '{}')),
		    q(INSERT INTO projects (group_id, path, full_path) SELECT id, 'spare', 'demo/spare' FROM groups));
		$self->{cluster}->export;
	}
	my ($id) = $self->{spare}->sql($database, 'SELECT id FROM projects');
	return ($self->{spare}->dsn($database, 'postgres'), $id);
}

# The index files, as rows and as files with the same bytes.
sub _documents {
	my ($self, $versions) = @_;
	my @crates = map { [$_, $versions->{$_}] } sort keys %$versions;
	my $t = $self->{t};

	make_path(map { $self->dir . "/$_" } qw(index blob registry work));
	Berth::Populate::add($self->dsn, project => $self->{project}{berth}, crates => \@crates);
	# for reads of the index their versions need not be there twice
	$t->psql("INSERT INTO crates (project_id, name, normalized_name, index_body)"
	    . " SELECT $self->{project}{public}, name, normalized_name, index_body FROM crates");
	for my $name (map { $_->[0] } @crates) {
		my ($etag, $hex) = split(/\|/, $t->psql("SELECT to_hex(index_time) || '-' || to_hex(length(index_body)),"
		    . " encode(index_body, 'hex')"
		    . " FROM crates WHERE project_id = $self->{project}{berth} AND name = '$name'"));

		$self->{etag}{$name} = $etag;
		$self->save("index/$name", pack('H*', $hex));
	}
	return;
}

# A file that nginx serves as /bench/static/PATH.
sub save {
	my ($self, $path, $bytes) = @_;

	Berth::Test::write_file($self->dir . "/$path", $bytes);
	return;
}

sub _start {
	my ($self) = @_;
	my $t = $self->{t};
	my $dir = $self->dir;
	my @bare = ("$Berth::Cluster::ROOT/build/bench/bare_fcgi", '-n', $self->{workers}, '-s');

	$self->{bare} = Berth::Test::spawn("$dir/bare.log", @bare, "$dir/bare.sock", '-f', "$dir/index");
	$self->{sql} = Berth::Test::spawn("$dir/bare.log", @bare, "$dir/sql.sock", '-d',
	    $t->dsn('berth'), '-p', $self->{project}{berth});
	Berth::Test::wait_for(sub { -S "$dir/bare.sock" && -S "$dir/sql.sock" })
	    or die "the bare responder does not start:\n" . Berth::Cluster::slurp("$dir/bare.log");
	$self->save('locations.conf', $self->_locations);
	$t->start_pool;
	$t->start_nginx(sub {
		# h2load does not come again when nginx ends a connection
		s/^\tkeepalive_requests \K\d+/1000000000/m;
		return s{^(\tinclude berth/berth-locations.conf;)}{$1\n\tinclude "$dir/locations.conf";}mr;
	});
	return;
}

# Without TLS, for who changes something while others read.
sub plain_url { "http://127.0.0.1:" . $_[0]{t}->plain_port }

# How often the pool has been asked: moves with each answer that is not nginx's own.
sub asked { -s $_[0]{t}->dir . '/log/nginx-berth.log' }

# Beside Berth, in its server: the same TLS, the same log, the same headers of nginx's own.
sub _locations {
	my ($self) = @_;
	my $dir = $self->dir;
	my $log = 'access_log "' . $self->{t}->dir . '/log/nginx-bench.log" berth;';
	my $static = sub {
		my ($folder, @more) = @_;

		return "location ^~ /bench/static/$folder/ {\n", "\tinclude berth/berth-common.conf;\n",
		    "\t$log\n", "\talias \"$dir/$folder/\";\n", "\ttypes { }\n", "\tsendfile on;\n",
		    "\ttcp_nopush on;\n", map({ "\t$_;\n" } @more), "}\n";
	};
	my $bare = sub {
		my ($who) = @_;

		return "location ^~ /bench/$who/ {\n", "\tinclude berth/berth-common.conf;\n",
		    "\tinclude berth/berth-fastcgi.conf;\n", "\t$log\n",
		    "\tfastcgi_pass \"unix:$dir/$who.sock\";\n", "}\n";
	};

	return join('', $static->('index', 'default_type "text/plain; charset=utf-8"',
		'add_header Content-Encoding gzip'),
	    $static->('registry', 'default_type "text/plain; charset=utf-8"', 'gzip_static on'),
	    $static->('blob', 'default_type application/gzip'), $bare->('bare'), $bare->('sql'));
}

# Publishes a crate of about this size to all projects, once; nginx has it as blob/NAME.
sub publish {
	my ($self, $name, $size) = @_;
	my $t = $self->{t};

	return if $self->{published}{$name}++;
	my $body = body($name, '1.0.0', $size);
	my $before = $self->{before};

	for my $who ($self->contenders(qw(berth public before))) {
		my ($root, $token) = $who eq 'before' ? ($before->url . $before->registry, $before->token)
		    : ($t->registry($self->{project}{$who}), $self->{token});
		my $res = $t->http(PUT => "$root/api/v1/crates/new", { token => $token, body => $body, curl => ['-k'] });

		die "publish $name: $who: $res->{status} $res->{body}\n" if $res->{status} != 200;
	}
	my $crate = substr($body, 4 + unpack('V', $body) + 4);
	$self->save("blob/$name", $crate);
	return;
}

# The body of a publish of a crate of about this size, which nothing can compress.
sub body {
	my ($name, $version, $size) = @_;
	my $bytes = '';

	open(my $random, '<:raw', '/dev/urandom') or die "/dev/urandom: $!\n";
	read($random, $bytes, $size > 1024 ? $size - 1024 : 1);
	return Berth::Test->publish_body(Berth::Crate::metadata($name, $version),
	    Berth::Crate::make($name, $version, files => { 'data.bin' => $bytes }));
}

# ---- requests: { who, path, headers, status }; of another build also url and groups ----

sub _request {
	my ($self, $who, $path, %opt) = @_;
	my @headers = @{ $opt{headers} // [] };

	push @headers, "Authorization: $self->{token}" if $who =~ /^(?:berth|group)$/;
	return { who => $who, path => $path, headers => \@headers, status => $opt{status} // 200 };
}

# The root URL of a project's registry, or of the group's.
sub _root {
	my ($self, $who) = @_;

	return $who eq 'group' ? $self->{t}->path . "/api/v4/groups/$self->{group}/-/packages/cargo"
	    : $self->{t}->registry($self->{project}{$who});
}

# The index file of a crate; unchanged: of which the client has that version.
sub index {
	my ($self, $who, $name, %opt) = @_;

	return $self->{before}->request('index', 'berth', $name, %opt) if $who eq 'before';
	my @headers = $opt{plain} ? () : ('Accept-Encoding: gzip');
	my $path = $who eq 'group' || $self->{project}{$who}
	    ? $self->_root($who) . '/' . Berth::Publish::index_path($name)
	    : $who eq 'static' ? "/bench/static/index/$name" : "/bench/$who/$name";

	push @headers, 'If-None-Match: ' . $self->_etag($who, $path, $name) if $opt{unchanged};
	return $self->_request($who, $path, headers => \@headers, status => $opt{unchanged} ? 304 : 200);
}

# nginx makes its own from the time of a file, and the pool makes the same.
sub _etag {
	my ($self, $who, $path, $name) = @_;
	my @token = $who =~ /^(?:berth|group)$/ ? ("Authorization: $self->{token}") : ();

	return "\"$self->{etag}{$name}\"" unless $who =~ /^(?:static|public|berth|group)$/;
	return $self->{t}->http(HEAD => $path, { headers => ['Accept-Encoding: gzip', @token] })->{headers}{etag};
}

# Something below the root of a registry, or a file beside the others.
sub get {
	my ($self, $who, $path, %opt) = @_;

	return $self->{before}->request('get', 'berth', $path, %opt) if $who eq 'before';
	return $self->_request($who, $who eq 'static' ? "/bench/static/$path"
	    : $self->_root($who) . "/$path", %opt);
}

# A crate, by the address that config.json gives; pool: with a query, which is for the pool to answer.
sub download {
	my ($self, $who, $name) = @_;

	return $self->{before}->request('download', 'berth', $name) if $who eq 'before';
	my $whose = $who eq 'pool' ? 'berth' : $who;
	my $config = $self->get($whose, 'config.json');
	my $dl = JSON::PP::decode_json($self->{t}->http(GET => $config->{path},
	    { headers => $config->{headers} })->{body})->{dl};

	$dl .= "/$name/1.0.0/download";
	$dl .= '?pool' if $who eq 'pool';
	return { %$config, who => $who, path => substr($dl, length $self->{t}->url) };
}

# ---- processes ----

# The groups of processes whose time is counted.
sub groups {
	my ($self) = @_;
	my $postmaster = (split(/\n/, Berth::Cluster::slurp($self->{cluster}->dir . '/pg/data/postmaster.pid')))[0];

	return (nginx => $self->{t}{nginx}, berth => $self->{t}->pool_pid, bare => $self->{bare},
	    sql => $self->{sql}, postgres => $postmaster);
}

sub stop {
	my ($self) = @_;

	$self->{before}->stop if $self->{before};
	for my $pid (grep { defined } delete @$self{qw(bare sql)}) {
		kill('TERM', $pid);
		waitpid($pid, 0);
	}
	$self->{t}->stop;
	return;
}

1;
