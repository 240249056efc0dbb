package Berth::Cache;

# Reads over plain HTTP/1.1 on a kept connection, as fast as possible, for tests of cache_dir that need
# to know who answered, and when.
#
#	my @ports = map { Berth::Cache::start($_) } $t, $elsewhere;      # pool and nginx of each
#	my $res = Berth::Cache::get($ports[0], $path);
#	ok(Berth::Cache::wait_static($t, $ports[0], $path));

use strict;
use warnings;

use Compress::Zlib ();
use Test::More;

use Berth::Agent;
use Berth::Cluster;
use Berth::Leaks;
use Berth::Test;
use Berth::Watch;

use constant { CLIENTS => 4, BEFORE => 30, AFTER => 30 };

my %agents;

# Starts pool and nginx; returns its port without TLS.
sub start {
	my ($t, $edit) = @_;

	$t->start_pool;
	$t->start_nginx(sub {
		# the log at once
		s/ buffer=64k flush=1s//g;
		return defined $edit ? $edit->() : $_;
	});
	return $t->plain_port;
}

# Any request, on a kept connection: { status, headers, body, began }.  Options: headers (a hash), content.
sub request {
	my ($port, $method, $path, $opt) = @_;
	my $began = Berth::Watch::now();
	my $res = ($agents{"$$ $port"} //= Berth::Agent->new($port))
	    ->request($method => $path, $opt->{headers}, $opt->{content});

	$res->{began} = $began;
	return $res;
}

# As Berth::Test::http(), with token, headers and body: for the tests that ask thousands of times.
sub ask {
	my ($port, $method, $path, $opt) = @_;
	my %headers = map { /^([^:]+): (.*)$/ ? (lc $1 => $2) : () } @{ $opt->{headers} // [] };

	$headers{authorization} = $opt->{token} if defined $opt->{token};
	my $res = request($port, $method, $path,
	    { headers => \%headers, defined $opt->{body} ? (content => $opt->{body}) : () });
	Berth::Leaks::know($res->{body});
	return $res;
}

# A GET; the body as it was before it was compressed.
sub get {
	my ($port, $path, %headers) = @_;
	my $res = request($port, GET => $path, { headers => { 'Accept-Encoding' => 'gzip', %headers } });

	$res->{body} = Compress::Zlib::memGunzip($res->{body}) // die "$path: no gzip\n"
	    if ($res->{headers}{'content-encoding'} // '') eq 'gzip' && length $res->{body};
	return $res;
}

# Did nginx answer by itself?  Its log says so: no time of the pool is there.
sub is_static {
	my ($t, $res) = @_;
	my $id = $res->{headers}{'x-request-id'} // return 0;
	my $line = '';

	$t->wait_for(sub { return $line = (grep { index($_, " id=$id ") > 0 } log_tail($t))[0] // '' }, 10);
	return $line =~ / pool_s=- / ? 1 : 0;
}

# Of these ids of requests, those that nginx has answered from a file: its cache has a log of its own.  Waits
# until each of them is in a log.
sub from_files {
	my ($t, @ids) = @_;
	my %log;

	$t->wait_for(sub {
		%log = map {
			my $log = $_;

			($log => { map { / id=(\S+) / ? ($1 => 1) : () } split(/\n/, $t->log("nginx-$log.log")) });
		}
		    qw(berth berth-cache);
		return !grep { !$log{berth}{$_} && !$log{'berth-cache'}{$_} } @ids;
	}, 30) or die "nginx has not logged all answers\n";
	return grep { $log{'berth-cache'}{$_} } @ids;
}

# The last lines of nginx's logs, which may be long.
sub log_tail {
	my ($t) = @_;

	return map {
		open(my $fh, '<', $t->dir . "/log/nginx-$_.log") or return ();
		seek($fh, -65536, 2);
		local $/;
		split(/\n/, scalar <$fh> // '');
	} qw(berth berth-cache);
}

# Asks until nginx answers by itself; the answer then, or undef.
sub wait_static {
	my ($t, $port, $path, %headers) = @_;
	my $res;

	return $t->wait_for(sub {
		$res = get($port, $path, %headers);
		return $res->{status} == 200 && is_static($t, $res);
	}, 30) ? $res : undef;
}

# The pid of a pool's keeper: the child that holds open the pipe of the hints.
sub keeper {
	my ($t) = @_;
	my $master = $t->pool_pid;
	my $hint = $t->dir . '/cache/hint';

	return $t->wait_for(sub {
		for my $pid (split(/ /, Berth::Cluster::slurp("/proc/$master/task/$master/children"))) {
			return $pid if grep { (readlink($_) // '') eq $hint } glob("/proc/$pid/fd/*");
		}
		return undef;
	});
}

# Lets a pool read its configuration again, and waits until the keeper is another, and serves: until
# then what nginx sends is that of the keeper before.
sub reload {
	my ($t) = @_;
	my $old = keeper($t);

	kill('HUP', $t->pool_pid);
	return $t->wait_for(sub {
		my $pid = keeper($t);

		return $pid != $old && $t->log('pool') =~ / pid=$pid event=message msg="cache: served from /;
	});
}

# Clients ask all nodes for a path while $change happens; returns what they asked and were told
# once it had returned: [began, node, status, answer, id].
sub meanwhile {
	my ($t, $ports, $name, $path, $headers, $change) = @_;
	my ($moment, @asked) = Berth::Watch::change($t, { clients => CLIENTS, before => BEFORE, after => AFTER },
	    sub {
		my ($turn) = @_;
		my $node = $turn % @$ports;
		my $res = get($ports->[$node], $path, %$headers);

		return [$res->{began}, $node, $res->{status}, $res->{body}, $res->{headers}{'x-request-id'}];
	}, $change);
	my @after = grep { $_->[0] > $moment } @asked;

	for my $node (0 .. $#$ports) {
		cmp_ok(scalar(grep { $_->[1] == $node && $_->[0] < $moment && $_->[2] == 200 } @asked), '>', BEFORE,
		    "$name: node $node: before");
		cmp_ok(scalar(grep { $_->[1] == $node } @after), '>', AFTER, "$name: node $node: after");
	}
	return @after;
}

1;
