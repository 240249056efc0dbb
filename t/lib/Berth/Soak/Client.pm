package Berth::Soak::Client;

# One client of the soak: asks the nodes, in turn or at random, at a steady rate, and checks each answer.
# At the end it returns how long answers took in each period, which were wrong, and when there was no
# answer.
#
#	my $client = Berth::Soak::Client->new(world => $world, name => 'reader 1');
#	$client->run(12, sub { my ($client) = @_; ... });      # so often a second, until the soak is over
#	my $seen = $client->seen;

use strict;
use warnings;

use Compress::Zlib ();
use Time::HiRes qw(sleep);

use Berth::Agent;
use Berth::Watch;

# A period's durations lie in buckets, each so many times as long as the one before.
use constant { BUCKET => 1.1, WRONG_MAX => 20, PATIENCE => 180, PAUSE => 0.25 };

# Nobody has answered: nginx had no pool, or the pool no database.
my %away = map { $_ => 1 } (502, 503, 504, 599);

sub new {
	my ($class, %opt) = @_;
	my $self = bless { %opt, seen => { name => $opt{name}, took => {}, wrong => [], wrongs => 0, away => [],
	    answers => 0 } }, $class;

	$self->{agents} = [map { Berth::Agent->new($_) } @{ $opt{world}{ports} }];
	return $self;
}

sub seen { $_[0]{seen} }
sub world { $_[0]{world} }
sub nodes { return 0 .. $#{ $_[0]{agents} } }
sub some_node { return int(rand(@{ $_[0]{agents} })) }

# So many times a second; it does not make up for delays.
sub run {
	my ($self, $per_second, $step) = @_;
	my $next = Berth::Watch::now() + rand(1 / $per_second);

	until (-e $self->{world}{over}) {
		my $ahead = $next - Berth::Watch::now();

		sleep($ahead) if $ahead > 0;
		$step->($self);
		$next = $ahead < -1 ? Berth::Watch::now() : $next + 1 / $per_second;
	}
	return;
}

# Sends one request once: { status, headers, body }, the body uncompressed.
sub ask_once {
	my ($self, $kind, $node, $method, $path, %opt) = @_;
	my %headers = (Accept => '*/*', 'User-Agent' => 'soak', %{ $opt{headers} // {} });

	$headers{Authorization} = $opt{token} if defined $opt{token};
	$headers{'Accept-Encoding'} //= 'gzip' if $method eq 'GET' && rand() < 0.8;
	# if nginx has closed the connection, the client cannot know whether the request arrived
	$self->{agents}[$node] = Berth::Agent->new($self->{world}{ports}[$node]) if $method eq 'POST';
	my $began = Berth::Watch::now();
	my $res = $self->{agents}[$node]->request($method, $path, \%headers, $opt{body});
	my $told = Berth::Watch::now();

	if ($away{ $res->{status} }) {
		push @{ $self->{seen}{away} }, [$began, $told, $node, $res->{status}, "$kind: $method $path"];
		return $res;
	}
	$self->{seen}{answers}++;
	$self->{seen}{took}{$kind}{ $self->_period($began) }{ int(log(1 + 1e6 * ($told - $began)) / log(BUCKET)) }++;
	if (($res->{headers}{'content-encoding'} // '') eq 'gzip' && length $res->{body}) {
		$res->{body} = Compress::Zlib::memGunzip($res->{body}) // '(no gzip)';
	}
	return $res;
}

# Sends a request until there is an answer.  Only for requests that you can repeat.
sub ask {
	my ($self, @request) = @_;
	my $until = Berth::Watch::now() + PATIENCE;
	my $res;

	while (1) {
		$res = $self->ask_once(@request);
		return $res unless $away{ $res->{status} };
		last if Berth::Watch::now() > $until;
		sleep(PAUSE);
	}
	$self->wrong("@request[0 .. 3]: nobody answers: $res->{status}");
	return $res;
}

sub is_away { return $away{ $_[1]{status} } }

sub _period { return int(($_[1] - $_[0]{world}{began}) / $_[0]{world}{period}) }

# Records a wrong answer.
sub wrong {
	my ($self, $why) = @_;
	my $seen = $self->{seen};

	$seen->{wrongs}++;
	push @{ $seen->{wrong} }, sprintf('%.3f %s: %s', Berth::Watch::now() - $self->{world}{began},
	    $self->{name}, $why) if @{ $seen->{wrong} } < WRONG_MAX;
	return 0;
}

# Checks a condition; if it is false, records a wrong answer.
sub expect {
	my ($self, $good, $what, $res) = @_;

	return 1 if $good;
	return $self->wrong("$what: $res->{status} " . substr($res->{body} // '', 0, 200) =~ s/\s+/ /gr);
}

# Seconds of this bucket, its upper end.
sub seconds { return BUCKET ** ($_[0] + 1) / 1e6 }

1;
