package Berth::Bench::Before;

# Another build of Berth beside this one: a checkout with what `make bench` has built there.  It runs with
# its own modules, configuration, nginx and PostgreSQL (t/bench/stand), and answers as its time did.
#
#	my $before = Berth::Bench::Before->start('/usr/src/berth-before', workers => 8, versions => { small => 1 });
#	my $request = $before->request('index', 'berth', 'small');

use strict;
use warnings;

use IPC::Open2 qw(open2);
use JSON::PP ();

use Berth::Cluster;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub start {
	my ($class, $dir, %opt) = @_;
	my ($in, $out);

	-x "$dir/build/$_" or die "$dir/build/$_ is missing: run make bench there first\n"
	    for qw(berth-fcgi bench/bare_fcgi);
	# it has a cluster of its own
	local %ENV = (%ENV, BERTH_BUILD => 'build');
	delete @ENV{qw(BERTH_TEST_DIR PERL5LIB)};
	my $pid = open2($out, $in, $^X, "-I$dir/t/lib", "$Berth::Cluster::ROOT/t/bench/stand", $opt{workers},
	    $json->encode($opt{versions}));
	my $self = bless { owner => $$, dir => $dir, pid => $pid, in => $in, out => $out }, $class;

	%$self = (%$self, %{ $self->_answer });
	return $self;
}

sub url { $_[0]{url} }
sub port { $_[0]{port} }
sub token { $_[0]{token} }
sub registry { $_[0]{registry} }

# What a method of its stand returns, in scalar context, or a function of its modules that is given the stand.
sub ask {
	my ($self, @what) = @_;

	print { $self->{in} } $json->encode(\@what), "\n";
	$self->{in}->flush;
	return $self->_answer;
}

# A request, as Berth::Bench::Stand has them, that goes to this build.
sub request {
	my ($self, @what) = @_;
	my $request = $self->ask(@what);

	return { %$request, who => 'before', url => $self->{url} . $request->{path}, groups => $self->{groups} };
}

sub _answer {
	my ($self) = @_;
	my $line = readline($self->{out}) // die "the build in $self->{dir} has ended\n";

	return $json->decode($line);
}

sub stop {
	my ($self) = @_;
	my $pid = delete $self->{pid} // return;

	close($self->{in});
	local $?;
	waitpid($pid, 0);
	return;
}

sub DESTROY {
	my ($self) = @_;

	$self->stop if $self->{owner} == $$;
	return;
}

1;
