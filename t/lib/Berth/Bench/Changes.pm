package Berth::Bench::Changes;

# Reads of one index file while something else changes: tokens of jobs that are made, used once and ended,
# 1,000 a minute; memberships, 60 a minute; ten publishes a second to the project that is read.  Beside
# them what nginx's own file loses meanwhile, since whoever changes and whoever reads share the machine.

use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);

use Berth::Bench::Load;
use Berth::Bench::Report;
use Berth::Bench::Stand;
use Berth::Bench::Tokens;

# How many times as long as other measurements: some changes must come in it.
use constant { LONGER => 6, MANY_TOKENS => 200 };

# What is done, in turn, and how often a minute.
my %changes = (
	jobs => [1000, \&job],
	members => [60, \&member],
	publishes => [600, \&publish],
);
my $published = 0;

sub run {
	my ($stand, $report, $opt) = @_;
	my $tokens = $opt->{q} ? 20 : MANY_TOKENS;
	my @rows = (['h2 200, 30 versions', 'h2', $stand->index('berth', 'few-versions')],
		["h1 200, $tokens tokens", 'h1', Berth::Bench::Tokens::several($stand, 'berth', $tokens)],
		['h2 static', 'h2', $stand->index('static', 'few-versions')]);
	my %per_minute;

	return if $opt->{c};
	@rows = $rows[1] if $opt->{q};
	prepare($stand);
	for my $round (1 .. $opt->{r}) {
		for my $row (@rows) {
			my ($name, $proto, $request) = @$row;
			my $seconds = LONGER * $opt->{s};
			my %measured;

			# the members of the row before have ended all grants
			Berth::Bench::Tokens::warm_up($stand, $proto, $request);
			$measured{quiet} = Berth::Bench::Load::measure($stand, $proto, $request, $seconds);
			for my $what (sort keys %changes) {
				my $end = start($stand, @{ $changes{$what} });

				$measured{$what} = Berth::Bench::Load::measure($stand, $proto, $request, $seconds);
				push @{ $per_minute{$what} }, $end->();
			}
			$report->add('changes', $name, \%measured);
		}
	}
	$report->note('changes', 'changes meanwhile', 'a minute',
	    map { $_ => Berth::Bench::Report::median(@{ $per_minute{$_} }) } keys %per_minute);
	return;
}

# Jobs are of the project that is read, members of another one of the same group.
sub prepare {
	my ($stand) = @_;
	my $t = $stand->test;

	return if $stand->{changing};
	$t->user('keeper');
	$t->member('keeper', 'demo', 'maintainer');
	my $project = $t->project('demo/changing');
	$stand->{changing} = { project => $project, token => $t->token('keeper'), visitor => $t->user('visitor'),
		ci => $t->berth_ok('token', 'add', '--deploy', 'demo/private', '--scopes', 'create_job_token') };
	return;
}

# Does it so often, in a process of its own, from now until what is returned is called, which tells how often
# a minute it was done.
sub start {
	my ($stand, $per_minute, $do) = @_;
	my $began = time;

	pipe(my $told, my $tell) or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		my $stop = 0;
		my $client = HTTP::Tiny->new(keep_alive => 1);

		$SIG{$_} = 'DEFAULT' for qw(INT HUP);
		$SIG{TERM} = sub { $stop = 1 };
		my $n = eval { repeat($stand, $client, $per_minute, $do, \$stop) };
		syswrite($tell, $n // "-1 $@");
		POSIX::_exit(0);
	}
	close($tell);
	return sub {
		my $minutes = (time - $began) / 60;

		kill('TERM', $pid);
		my ($n, $why) = split(/ /, do { local $/; <$told> } // '-1', 2);
		waitpid($pid, 0);
		die 'what should change does not: ' . ($why // 'it died') if $n < 0;
		return $n / $minutes;
	};
}

# How often it was done.
sub repeat {
	my ($stand, $client, $per_minute, $do, $stop) = @_;
	my $began = time;
	my $n = 0;

	while (!$$stop) {
		$do->($stand, $client, $n++);
		my $ahead = $began + $n * 60 / $per_minute - time;
		# a signal ends it early
		sleep($ahead) if $ahead > 0 && !$$stop;
	}
	return $n;
}

sub job {
	my ($stand, $client, $n) = @_;
	my $t = $stand->test;
	my $registry = $t->registry($stand->project('berth'));
	my $made = JSON::PP::decode_json(ask($stand, $client, POST => "$registry/job_tokens", $stand->{changing}{ci},
		{ user => 'keeper', pipeline => 1, job => $n + 1 }));

	ask($stand, $client, GET => $stand->index('berth', 'few-versions')->{path}, $made->{token});
	ask($stand, $client, DELETE => "$registry/job_tokens/$made->{id}", $stand->{changing}{ci});
	return;
}

# Goes, or comes again who has gone.
sub member {
	my ($stand, $client) = @_;
	my $members = "/api/v4/projects/$stand->{changing}{project}/members";
	my $id = $stand->{changing}{visitor};

	ask($stand, $client, DELETE => "$members/$id", $stand->{changing}{token}, undef, 404)
	    // ask($stand, $client, POST => $members, $stand->{changing}{token},
	    { user_id => $id, access_level => 20 });
	return;
}

sub publish {
	my ($stand, $client, $n) = @_;
	my $body = Berth::Bench::Stand::body('changing', "1.$$.$n", 10_000);

	ask($stand, $client, PUT => $stand->test->registry($stand->project('berth')) . '/api/v1/crates/new',
	    $stand->token, $body);
	return;
}

# One request, which must succeed; a hash is a form.  Returns the body of the answer, or undef
# for that status.
sub ask {
	my ($stand, $client, $method, $path, $token, $content, $status) = @_;
	my %headers = (Authorization => $token);

	if (ref $content) {
		$headers{'Content-Type'} = 'application/x-www-form-urlencoded';
		$content = $client->www_form_urlencode($content);
	}
	my $res = $client->request($method, $stand->plain_url . $path,
	    { headers => \%headers, defined $content ? (content => $content) : () });

	return undef if defined $status && $res->{status} == $status;
	die "$method $path: $res->{status} $res->{content}\n" unless $res->{success};
	return $res->{content};
}

1;
