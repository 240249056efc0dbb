package Berth::S3;

# An object store on this machine.  Without BERTH_S3 it is a small one that belongs to the tests, and fails
# on demand in ways in which a real one does not; with BERTH_S3=versitygw, seaweedfs or moto it is that
# program, from BERTH_S3_DIR (scripts/object-stores installs them).
#
#	my $s3 = Berth::S3->new($t->dir);
#	my $t = Berth::Test->new($s3->settings('berth'));
#	$s3->fail('GET', 503);        # or: wrong, cut, hang, close, again (the same page of a list, for ever),
#	                              # empty (a list that says it goes on, without entries),
#	                              # vast (announces 1 TiB), endless (sends ever more);
#	                              # undef: works again; the tests' own one alone
#	$s3->stop; $s3->start;
#	is_deeply([$s3->keys], [...]);
#
# The small one has the functions of a store that Berth uses.  It checks digests, and that each request is
# signed with the right key id; the real ones and t/unit/s3_sign.c check the signatures.

use strict;
use warnings;

use Digest::SHA qw(sha256 sha256_hex);
use File::Find qw(find);
use File::Path qw(make_path);
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use POSIX qw(strftime);
use Socket ();
use Time::HiRes qw(sleep);

use Berth::Cluster;
use Berth::Test;

use constant { ID => 'BERTHTESTS', SECRET => 'a/secret+of=the/tests', BUCKET => 'crates' };

my $count = 0;

sub new {
	my ($class, $dir) = @_;
	my $self = bless { owner => $$, dir => "$dir/s3-" . ++$count, real => $ENV{BERTH_S3} // '' }, $class;

	make_path("$self->{dir}/data" . ($self->{real} eq '' ? '/' . BUCKET : ''));
	$self->{port} = Berth::Test::claim_port();
	Berth::Test::write_file("$self->{dir}/credentials",
	    sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", ID, SECRET));
	chmod(0600, "$self->{dir}/credentials");
	$self->start;
	return $self;
}

# The settings of berth.conf for it.
sub settings {
	my ($self, $prefix) = @_;

	return (store => 's3://' . BUCKET . "/$prefix", store_copies => "$self->{dir}/copies-$prefix",
	    store_endpoint => $self->url, store_credentials => "$self->{dir}/credentials");
}

# The settings for backups, with credentials in a file of their own.
sub backup_settings {
	my ($self) = @_;
	my $file = "$self->{dir}/backup-credentials";

	Berth::Test::write_file($file, Berth::Cluster::slurp("$self->{dir}/credentials"));
	chmod(0600, $file);
	return (backup_endpoint => $self->url, backup_credentials => $file);
}

sub url { "http://127.0.0.1:$_[0]{port}" }

# The URL of an nginx that passes requests to the store, by TLS with the certificate of scripts/tls in that
# directory.
sub tls_url {
	my ($self, $tls) = @_;
	my $port = Berth::Test::claim_port();

	Berth::Test::write_file("$self->{dir}/tls.conf", <<"END");
daemon off; pid $self->{dir}/tls.pid; error_log $self->{dir}/tls.log; worker_processes 1;
events { }
http {
	access_log off; client_body_temp_path $self->{dir}; proxy_temp_path $self->{dir};
	fastcgi_temp_path $self->{dir}; uwsgi_temp_path $self->{dir}; scgi_temp_path $self->{dir};
	server {
		listen 127.0.0.1:$port ssl; ssl_certificate $tls/server.pem; ssl_certificate_key $tls/server.key;
		client_max_body_size 0;
		location / { proxy_pass @{[ $self->url ]}; proxy_set_header Host \$http_host; }
	}
}
END
	$self->{tls} = Berth::Test::spawn("$self->{dir}/tls.out", Berth::Test::nginx_program(), '-e', 'stderr', '-c',
	    "$self->{dir}/tls.conf");
	Berth::Test::wait_for(sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) }, 60)
	    or die "nginx does not start\n";
	return "https://localhost:$port";
}

# The same store, whose bucket is a part of the host's name.
sub host_url { "http://localhost:$_[0]{port}" }

sub is_real { $_[0]{real} ne '' }

my %real = (
	versitygw => sub {
		my ($self) = @_;

		local @ENV{qw(ROOT_ACCESS_KEY ROOT_SECRET_KEY)} = (ID, SECRET);
		return Berth::Test::spawn("$self->{dir}/log", "$ENV{BERTH_S3_DIR}/versitygw", '--port',
		    "127.0.0.1:$self->{port}", '--quiet', 'posix', "$self->{dir}/data");
	},
	moto => sub {
		my ($self) = @_;

		return Berth::Test::spawn("$self->{dir}/log", "$ENV{BERTH_S3_DIR}/moto_server", '-H', '127.0.0.1', '-p',
		    $self->{port});
	},
	seaweedfs => sub {
		my ($self) = @_;
		my @ports = map { Berth::Test::claim_port() } 1 .. 7;
		my $access = sprintf('{"identities": [{"name": "berth", "credentials": [{"accessKey": "%s", '
		    . '"secretKey": "%s"}], "actions": ["Admin", "Read", "Write", "List"]}]}', ID, SECRET);

		Berth::Test::write_file("$self->{dir}/access.json", $access);
		make_path("$self->{dir}/weed");
		return Berth::Test::spawn("$self->{dir}/log", "$ENV{BERTH_S3_DIR}/weed", '-logtostderr', 'server',
		    "-dir=$self->{dir}/weed", '-ip=127.0.0.1', '-ip.bind=127.0.0.1', "-master.port=$ports[0]",
		    "-volume.port=$ports[1]", "-filer.port=$ports[2]", '-filer', '-s3', "-s3.port=$self->{port}",
		    "-master.port.grpc=$ports[3]", "-volume.port.grpc=$ports[4]", "-filer.port.grpc=$ports[5]",
		    "-s3.port.grpc=$ports[6]",
		    "-s3.config=$self->{dir}/access.json", '-volume.max=50', '-master.volumeSizeLimitMB=64');
	},
);

sub start {
	my ($self) = @_;
	my $begin = $real{ $self->{real} };

	if (defined $self->{pid}) {
		kill('CONT', $self->{pid});
		return;
	}
	$self->{pid} = $begin ? $begin->($self) : Berth::Test::spawn("$self->{dir}/log", $^X,
	    "-I$Berth::Cluster::ROOT/t/lib", '-MBerth::S3', '-e',
	    'Berth::S3::serve(@ARGV)', $self->{port}, $self->{dir});
	Berth::Test::wait_for(sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}) }, 60)
	    or die "the object store does not start\n";
	Berth::Test::wait_for(sub { $self->curl('PUT', '')->{status} =~ /^(?:200|409)$/ }, 60)
	    or die "the object store has no bucket\n" if $begin;
	# SeaweedFS makes a volume at its first write, which takes seconds
	Berth::Test::wait_for(sub { $self->curl('PUT', 'first', '-d', 'x')->{status} eq '200' }, 60)
	    or die "the object store takes nothing\n" if $begin;
	return;
}

# moto keeps what it has in memory, so it only stands still until start().
sub stop {
	my ($self) = @_;

	if ($self->{real} eq 'moto') {
		kill('STOP', $self->{pid});
		return;
	}
	$self->_end('TERM');
	return;
}

sub _end {
	my ($self, $signal) = @_;
	my $pid = delete $self->{pid};

	return if $self->{owner} != $$ || !defined $pid;
	local ($?, $!);
	kill($signal, $pid);
	waitpid($pid, 0);
	return;
}

sub DESTROY {
	my ($self) = @_;

	$self->_end($self->{real} eq 'moto' ? 'KILL' : 'TERM');
	return if $self->{owner} != $$ || !defined $self->{tls};
	local ($?, $!);
	kill('TERM', $self->{tls});
	waitpid(delete $self->{tls}, 0);
	return;
}

# One request of an administrator, by curl, whose signature is not ours.
sub curl {
	my ($self, $method, $key, @more) = @_;
	my $out = "$self->{dir}/curl";
	my $status = (Berth::Cluster::capture('curl', '-s', '-o', $out, '-w', '%{http_code}', '-X', $method,
	    '--user', ID . ':' . SECRET, '--aws-sigv4', 'aws:amz:us-east-1:s3',
	    '-H', 'x-amz-content-sha256: UNSIGNED-PAYLOAD',
	    @more, $self->url . '/' . BUCKET . ($key ne '' ? "/$key" : '')))[1];

	return { status => $status, body => -e $out ? Berth::Cluster::slurp($out) : '' };
}

# All keys, sorted.
sub keys {
	my ($self) = @_;
	my $xml = $self->curl('GET', '?list-type=2')->{body};

	return sort $xml =~ m{<Key>([^<]*)</Key>}g;
}

# method: one, or several as PUT|HEAD.  where: in this path; without it in all paths.  code: of an error.
sub fail {
	my ($self, $method, $how, $where, $code) = @_;

	Berth::Test::write_file("$self->{dir}/fail", defined $how ? join(' ', $method, $how, $code // 'SlowDown',
	    $where // '') : '');
	return;
}

# How many requests there were whose "METHOD PATH" matches.
sub asked {
	my ($self, $pattern) = @_;

	my $asked = "$self->{dir}/asked";

	return -e $asked ? scalar grep { $_ =~ $pattern } split(/\n/, Berth::Cluster::slurp($asked)) : 0;
}

# ---- the tests' own one ----

sub serve {
	my ($port, $dir) = @_;
	my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 64,
	    ReuseAddr => 1) or die "port $port: $!\n";

	# children end with the one that listens
	local $SIG{CHLD} = 'IGNORE';
	setpgrp(0, 0);
	local $SIG{TERM} = sub { local $SIG{TERM} = 'IGNORE'; kill('TERM', -$$); POSIX::_exit(0) };
	while (1) {
		my $peer = $listen->accept or next;
		# as real stores do: the end of an answer does not wait for the client's delayed ACK
		setsockopt($peer, Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1);
		my $pid = fork() // die "fork: $!\n";

		if ($pid == 0) {
			$SIG{TERM} = 'DEFAULT';
			while (request($peer, $dir)) { }
			POSIX::_exit(0);
		}
		close($peer);
	}
}

sub request {
	my ($peer, $dir) = @_;
	my $line = <$peer> // return 0;
	my ($method, $path, $query) = $line =~ m{^(\w+) ([^ ?]*)\??(\S*) HTTP} or return 0;
	my (%h, $body);

	while (defined(my $header = <$peer>) ) {
		$header =~ s/\r\n\z//;
		last if $header eq '';
		my ($name, $value) = split(/:\s*/, $header, 2);
		$h{lc $name} = $value;
	}
	read($peer, $body, $h{'content-length'}) if $h{'content-length'};
	# the bucket is in the path, or in the name of the host
	$path = "/$1$path" if ($h{host} // '') =~ /^(\w+)\.localhost:/;
	open(my $asked, '>>', "$dir/asked") or die "asked: $!\n";
	print {$asked} "$method $path\n";
	close($asked);
	my ($what, $how, $code, $where) = split(/ /, -e "$dir/fail" ? Berth::Cluster::slurp("$dir/fail") : '', 4);
	$how = '' unless defined $how && $method =~ /^(?:$what)$/ && index($path, $where) >= 0;
	return 0 if $how eq 'close';
	sleep(60) if $how eq 'hang';
	sleep($1) if $how =~ /^slow(\d+)$/;
	# what knows no start-after
	$query =~ s/&start-after=[^&]*|max-keys=\d+&//g, $query .= '&max-keys=2' if $how eq 'again';
	my ($status, $headers, $text) = $how =~ /^\d+$/ ? (error($how, $code))
	    : answer($dir, $method, decode($path), $query, \%h, $body // '');
	$text =~ s{<IsTruncated>.*}{<IsTruncated>true</IsTruncated></ListBucketResult>} if $how eq 'empty';
	# one byte of what it has is another
	substr($text, -1, 1) ^= "\x01" if $how eq 'wrong' && $text ne '';
	return flood($peer, $dir, $text) if $how eq 'endless';
	my $length = $how eq 'vast' ? 1 << 40 : length($text);
	$text = '' if $method eq 'HEAD' || $status == 204;
	$text = substr($text, 0, $length / 2) if $how eq 'cut';
	print {$peer} join("\r\n", "HTTP/1.1 $status Whatever", 'Content-Length: ' . ($status == 204 ? 0 : $length),
	    @$headers, '', $text);
	$peer->flush;
	return $how !~ /^(?:cut|vast)$/;
}

# Sends ever more until the peer hangs up, or 64 MiB; the file `flood` says how many.
sub flood {
	my ($peer, $dir, $text) = @_;
	my $sent = 0;

	local $SIG{PIPE} = 'IGNORE';
	print {$peer} "HTTP/1.1 200 Whatever\r\nConnection: close\r\n\r\n$text";
	$sent += 65536 while $sent < 64 << 20 && print {$peer} 'x' x 65536;
	Berth::Test::write_file("$dir/flood", $sent);
	return 0;
}

# How many bytes `endless` has sent.
sub flooded { return Berth::Cluster::slurp("$_[0]{dir}/flood") }

sub decode { return $_[0] =~ s/%([0-9A-Fa-f]{2})/chr(hex($1))/gre }

sub error {
	my ($status, $code) = @_;

	return ($status, ['Content-Type: application/xml'], "<Error><Code>$code</Code></Error>");
}

# Status, headers, body.
sub answer {
	my ($dir, $method, $path, $query, $h, $body) = @_;
	my ($bucket, $key) = $path =~ m{^/([^/]+)/?(.*)$} or return error(400, 'InvalidRequest');
	my $id = ID;
	my $file = "$dir/data/$bucket/$key";

	return error(403, 'AccessDenied') if ($h->{authorization} // '') !~ m{^AWS4-HMAC-SHA256 Credential=$id/};
	return error(404, 'NoSuchBucket') unless -d "$dir/data/$bucket";
	return list("$dir/data/$bucket", decode($query)) if $key eq '';
	return put($dir, $file, $h, $body) if $method eq 'PUT';
	if ($method eq 'DELETE') {
		unlink($file);
		return (204, [], '');
	}
	return error(404, 'NoSuchKey') unless -f $file;
	my $bytes = Berth::Cluster::slurp($file);
	return (200, ['Content-Type: application/octet-stream',
	    'x-amz-checksum-sha256: ' . encode_base64(sha256($bytes), ''),
	    'Last-Modified: ' . strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime((stat($file))[9]))], $bytes);
}

sub put {
	my ($dir, $file, $h, $body) = @_;

	if (my $from = $h->{'x-amz-copy-source'}) {
		return error(404, 'NoSuchKey') unless -f "$dir/data" . decode($from);
		$body = Berth::Cluster::slurp("$dir/data" . decode($from));
	} else {
		return error(400, 'XAmzContentSHA256Mismatch') if sha256_hex($body) ne $h->{'x-amz-content-sha256'};
		return error(400, 'BadDigest')
		    if encode_base64(sha256($body), '') ne ($h->{'x-amz-checksum-sha256'} // '');
	}
	return error(412, 'PreconditionFailed') if ($h->{'if-none-match'} // '') eq '*' && -e $file;
	make_path($file =~ s{/[^/]*$}{}r);
	Berth::Test::write_file("$file.new.$$", $body);
	rename("$file.new.$$", $file) or return error(500, 'InternalError');
	return (200, ['Content-Type: application/xml'], '<CopyObjectResult></CopyObjectResult>');
}

sub list {
	my ($dir, $query) = @_;
	my %q = map { (split(/=/, $_, 2), '')[0, 1] } split(/&/, $query);
	my ($prefix, $after, $most) = ($q{prefix} // '', $q{'start-after'} // '', $q{'max-keys'} || 1000);
	my @keys;

	find({ no_chdir => 1, wanted => sub {
		push @keys, substr($_, length($dir) + 1) if -f && !/\.new\.\d+$/;
	} }, $dir);
	@keys = grep { index($_, $prefix) == 0 && $_ gt $after } sort @keys;
	my $more = @keys > $most ? 'true' : 'false';
	return (200, ['Content-Type: application/xml'], '<?xml version="1.0" encoding="UTF-8"?>'
	    . "<ListBucketResult><IsTruncated>$more</IsTruncated>" . join('', map {
		my @st = stat("$dir/$_");
		sprintf('<Contents><Key>%s</Key><LastModified>%s</LastModified><Size>%d</Size></Contents>', $_,
		    strftime('%Y-%m-%dT%H:%M:%S.000Z', gmtime($st[9])), $st[7])
	    } @keys[0 .. ($#keys < $most - 1 ? $#keys : $most - 1)]) . '</ListBucketResult>');
}

1;
