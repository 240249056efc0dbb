package Berth::Bench::Load;

# Asks for one thing as often as it can for so long, over TLS: h2load over HTTP/2, wrk over
# HTTP/1.1.  Reports what came, and what the servers' processes had to do for it.

use strict;
use warnings;

use POSIX ();
use Time::HiRes ();

use Berth::Cluster;

use constant { CLIENTS => 16, STREAMS => 4, SHORT => 0.2, FEW => 200 };

my %tools = (h2 => \&h2load, h1 => \&wrk);

# One measurement: requests per second, and CPU microseconds of a request in each group of
# processes.  Dies where an answer is not as expected.
sub measure {
	my ($stand, $proto, $request, $seconds) = @_;
	my %groups = $request->{groups} ? %{ $request->{groups} } : $stand->groups;
	my %before = map { $_ => cpu_of($groups{$_}) } keys %groups;
	my ($rate, $requests) = $tools{$proto}->($stand, $request, $seconds);
	my %cpu = map { $_ => (cpu_of($groups{$_}) - $before{$_}) / $requests } keys %groups;

	return { rate => $rate, cpu => \%cpu };
}

sub url {
	my ($stand, $request) = @_;

	return $request->{url} // $stand->test->url . $request->{path};
}

# HTTP/2, some requests at a time on each of a few connections, as cargo does.
sub h2load {
	my ($stand, $request, $seconds) = @_;
	# so short a time may be over before a connection stands
	my @long = $seconds < SHORT ? ('-n', FEW) : ('-D', int($seconds * 1000) . 'ms');
	my ($status, $out, $err) = Berth::Cluster::capture('h2load', '-t', 1, '-c', CLIENTS / STREAMS,
	    '-m', STREAMS, @long, (map { ('-H', $_) } @{ $request->{headers} }),
	    defined $request->{list} ? ('-i', $request->{list}) : url($stand, $request));
	my ($rate) = $out =~ m{finished in .*?, ([\d.]+) req/s};
	# what is answered 404 it calls failed
	my ($bad) = $out =~ /(\d+) errored/;
	my %status;
	@status{2 .. 5} = $out =~ /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/;
	my $good = delete $status{ int($request->{status} / 100) } // 0;

	die "h2load $request->{path}: exit status $status\n$out$err"
	    if $status != 0 || !$rate || !$good || $bad || grep { $_ } values %status;
	return ($rate, $good);
}

# HTTP/1.1, one request at a time on each of the same number of connections.
sub wrk {
	my ($stand, $request, $seconds) = @_;
	my $script = $request->{script};
	# it counts whole seconds only, and less where it is told to stop
	my $whole = $seconds < 1 ? 1 : int($seconds);
	my @stop = $seconds < SHORT ? ('timeout', '--preserve-status', '-s', 'INT', SHORT) : ();
	my @wrk = ('wrk', '-t', 1, '-c', CLIENTS, '-d', "${whole}s", '--timeout', '30s',
	    (map { ('-H', $_) } @{ $request->{headers} }), defined $script ? ('-s', $script) : (),
	    url($stand, $request));
	my ($status, $out, $err, $requests);
	# on a busy machine there may be no answer in so short a time
	for my $stop (@stop ? [@stop] : (), []) {
		($status, $out, $err) = Berth::Cluster::capture({ env => $request->{env} // {} }, @$stop, @wrk);
		($requests) = $out =~ /(\d+) requests in/;
		last if $requests;
	}
	my ($rate) = $out =~ m{Requests/sec:\s*([\d.]+)};
	my ($bad) = $out =~ /Non-2xx or 3xx responses: (\d+)/;
	my ($trouble) = $out =~ /(Socket errors.*)/;

	die "wrk $request->{path}: exit status $status\n$out$err"
	    if $status != 0 || !$requests || defined $trouble
	    || ($bad // 0) != ($request->{status} >= 400 ? $requests : 0);
	return ($rate, $requests);
}

# The microseconds that a process and all below it have had so far, each with the children that it has waited
# for, whose time is counted in ticks.  Who ends is with its parent from then on.
sub cpu_of {
	my ($pid) = @_;
	my $sum = 0;

	for my $p ($pid, descendants($pid)) {
		$sum += eval { own_us($p) + children_us($p) } // 0;
	}
	return $sum;
}

# All threads of a process, also those that have ended: its CPU clock, as clock_getcpuclockid(3) numbers it.
sub own_us {
	my ($pid) = @_;
	# -$pid - 1 has the bits of ~$pid; `~` would turn the characters of a string around
	my $seconds = Time::HiRes::clock_gettime((-$pid - 1) * 8 + 2);

	die "process $pid has no CPU clock\n" if $seconds < 0;
	return $seconds * 1_000_000;
}

# In ticks, of which a few requests make none.
sub children_us {
	my ($pid) = @_;
	my @stat = split(/ /, (Berth::Cluster::slurp("/proc/$pid/stat") =~ s/.*\) //r));

	return ($stat[13] + $stat[14]) * 1_000_000 / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

sub children {
	my ($pid) = @_;

	return split(/ /, Berth::Cluster::slurp("/proc/$pid/task/$pid/children"));
}

sub descendants {
	my ($pid) = @_;

	return map { ($_, descendants($_)) } eval { children($pid) };
}

# The most memory in kB that any process has had so far, of these and all below them, by what they are called.
sub peaks_kb {
	my %peak;

	for my $pid (map { ($_, descendants($_)) } @_) {
		my $text = eval { Berth::Cluster::slurp("/proc/$pid/status") } // next;
		my ($name, $kb) = $text =~ /^Name:\s+(.+?)\n.*^VmHWM:\s+(\d+) kB/ms or next;

		$peak{$name} = $kb if $kb > ($peak{$name} // 0);
	}
	return \%peak;
}

# Memory of a process and its children in kB, what is shared counted by shares.
sub pss_kb {
	my ($pid) = @_;
	my @sizes;

	for my $p ($pid, children($pid)) {
		my $text = eval { Berth::Cluster::slurp("/proc/$p/smaps_rollup") } // next;

		push @sizes, $1 if $text =~ /^Pss:\s+(\d+) kB/m;
	}
	return @sizes;
}

1;
