package Berth::Bench::Tokens;

# One index file for jobs of CI that take turns, each with a token of its own; and the first read of a token.

use strict;
use warnings;

use HTTP::Tiny;
use Time::HiRes qw(time);

use Berth::Bench::Load;
use Berth::Bench::Report;
use Berth::Test;

use constant { WARM_UPS => 20, FIRST_READS => 30 };

my @numbers = (1, 20, 200, 2000);
my %tokens;

sub run {
	my ($stand, $report, $opt) = @_;
	my @n = $opt->{q} ? 20 : @numbers;

	return if $opt->{c};
	for my $n (@n) {
		warm_up($stand, 'h1', several($stand, 'berth', $n));
	}
	for my $round (1 .. $opt->{r}) {
		for my $n (@n) {
			for my $status (200, 304) {
				my %measured = map {
					$_ => Berth::Bench::Load::measure($stand, 'h1', several($stand, $_, $n, unchanged => $status == 304),
					    $opt->{s})
				} $stand->contenders(qw(static bare sql berth before));

				$report->add('tokens', "h1 $status, $n token" . ($n > 1 ? 's' : ''), \%measured);
			}
		}
	}
	return;
}

# The request for an index file, by so many tokens in turn.  A build of before has tokens of its own.
sub several {
	my ($stand, $who, $n, %opt) = @_;
	my $request = $stand->index($who, 'few-versions', %opt);

	@{ $request->{headers} } = grep { !/^Authorization/ } @{ $request->{headers} };
	$request->{script} = "$Berth::Cluster::ROOT/t/bench/tokens.lua";
	$request->{env} = { BENCH_TOKENS => list($stand, $who, $n) };
	return $request;
}

# A file with the first n tokens.
sub list {
	my ($stand, $who, $n) = @_;
	my $whose = $who eq 'before' ? 'before' : 'berth';
	my $all = $tokens{$whose} //= [];
	my $path = $stand->dir . "/tokens.$whose.$n";

	return $path if -e $path;
	push @$all, make($stand, $whose, $n - @$all) if $n > @$all;
	Berth::Test::write_file($stand->test->holds_tokens($path), join('', map { "$_\n" } @{$all}[0 .. $n - 1]));
	return $path;
}

# So many tokens of jobs, made as a CI system makes them.
sub make {
	my ($stand, $whose, $n) = @_;
	my @command = qw(token add --deploy demo/private --scopes create_job_token);
	my ($url, $token) = $whose eq 'before'
	    ? ($stand->before->url . $stand->before->registry, $stand->before->ask('main::berth', @command))
	    : ($stand->test->url . $stand->test->registry($stand->project('berth')),
	    $stand->test->berth_ok(@command));
	my $config = join("next\n", map { "url = \"$url/job_tokens\"\nheader = \"Authorization: $token\"\n"
		    . "data = \"user=dev&pipeline=1&job=$_&ttl=86400\"\ninsecure\nsilent\n" } 1 .. $n);
	my ($status, $out, $err) = Berth::Cluster::capture({ stdin => $config }, 'curl', '-K', '-');
	my @made = $out =~ /"token":"([^"]+)"/g;

	die "$url/job_tokens: $err$out\n" if $status != 0 || @made != $n;
	return @made;
}

# Reads until nginx answers all of them by itself.
sub warm_up {
	my ($stand, $proto, $request) = @_;

	for (1 .. WARM_UPS) {
		my $asked = $stand->asked;

		Berth::Bench::Load::measure($stand, $proto, $request, 1);
		return if $stand->asked == $asked;
	}
	die "$request->{path}: the pool is still asked after " . WARM_UPS . " s\n";
}

# The first read of a token in a project, which the pool answers and lets nginx answer from then on, beside
# one that the pool answers for a token that it has seen.  They take turns, on one connection.
sub cold {
	my ($stand, $report, $opt) = @_;
	my $n = $opt->{q} ? 3 : FIRST_READS;
	my $request = $stand->index('berth', 'few-versions');
	my %ms;

	return if $opt->{c};
	for my $round (1 .. $opt->{r}) {
		my @new = map { $stand->test->token('dev') } 1 .. $n;
		my $client = HTTP::Tiny->new(keep_alive => 1);
		my %round;

		for my $token (@new) {
			push @{ $round{first} }, read_ms($client, $stand, $request->{path}, $token);
			# another spelling, which nginx leaves to the pool
			push @{ $round{pool} }, read_ms($client, $stand, $request->{path} =~ s/-versions$/%2dversions/r, $token);
		}
		push @{ $ms{$_} }, Berth::Bench::Report::median(@{ $round{$_} }) for keys %round;
		push @{ $ms{more} }, $ms{first}[-1] - $ms{pool}[-1];
	}
	$report->note('cold', 'first read of a token', 'ms',
	    map { $_ => Berth::Bench::Report::median(@{ $ms{$_} }) } keys %ms);
	return;
}

sub read_ms {
	my ($client, $stand, $path, $token) = @_;
	my $began = time;
	my $res = $client->get($stand->plain_url . $path,
	    { headers => { 'Accept-Encoding' => 'gzip', Authorization => $token } });

	die "$path: $res->{status}\n$res->{content}" if $res->{status} != 200;
	return 1000 * (time - $began);
}

1;
