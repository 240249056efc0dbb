package Berth::Fault;

# Fault points of the build with sanitizers (fcgi/base/fault.h), for one Berth::Test.
#
#	my $fault = Berth::Fault->new($t);              # before the pool starts
#	my @points = $fault->trace('responded:publish', sub { publish() });   # on the way
#	$fault->arm('blob:fsync', 'kill');              # whoever comes there first
#	$t->conf(inspector => $fault->inspector);       # points of berth-inspect, which gets no environment else
#	my $res = $fault->during('send:session_commit', sub { publish() }, sub { meanwhile() });

use strict;
use warnings;

use POSIX ();

use Berth::Cluster;
use Berth::Test;

sub new {
	my ($class, $t) = @_;
	my $self = bless { t => $t, file => $t->dir . '/fault' }, $class;

	$ENV{BERTH_FAULT} = $self->{file};
	return $self;
}

# Why there is nothing to arm, for skip; "" where there is.
sub missing {
	my ($self) = @_;
	my $program = Berth::Cluster->build_dir . '/berth-fcgi';

	return '' if Berth::Cluster::slurp($program) =~ /BERTH_FAULT/;
	return "$program has no fault points: it is not the build with sanitizers";
}

# An inspector that has the fault points.
sub inspector {
	my ($self) = @_;
	my $script = $self->{t}->dir . '/inspector-with-faults';

	Berth::Test::write_file($script, "#!/bin/sh\nBERTH_FAULT='$self->{file}'"
	    . " exec '" . Berth::Cluster->build_dir . "/berth-inspect' \"\$@\"\n");
	chmod(0755, $script) or die "$script: $!\n";
	return $script;
}

# The processes that a point with the action `hold` holds; and lets one of them go on.
sub held {
	my ($self) = @_;

	return map { /\.(\d+)\z/ ? $1 : () } glob("$self->{file}.*");
}

sub release {
	my ($self, $pid) = @_;

	unlink("$self->{file}.$pid") or die "$self->{file}.$pid: $!\n";
}

# Another point and action may follow: it is armed when somebody has come to the first one.
sub arm {
	my ($self, $point, $action, @then) = @_;
	my $file = $self->{file};

	unlink("$file.taken", "$file.next");
	Berth::Test::write_file("$file.next", "@then\n") if @then;
	# at once whole: a worker may look at any moment
	Berth::Test::write_file("$file.new", "$point $action\n");
	rename("$file.new", $file) or die "$file: $!\n";
}

# Was the point reached, or the last of two?  Nothing is armed after this.
sub disarm {
	my ($self) = @_;
	my $file = $self->{file};
	my $reached = -e "$file.taken" && !-e $file ? 1 : 0;

	unlink("$file.next", $file, "$file.taken");
	return $reached;
}

# The points that are passed while $body runs, in order, each once, up to the last.
sub trace {
	my ($self, $last, $body) = @_;
	my $trace = "$self->{file}.trace";
	my %seen;

	Berth::Test::write_file($trace, '');
	$self->arm('*', 'trace');
	$body->();
	# which may come after the answer
	$self->{t}->wait_for(sub { Berth::Cluster::slurp($trace) =~ /^\Q$last\E$/m });
	$self->disarm;
	return grep { !$seen{$_}++ } split(/\n/, Berth::Cluster::slurp($trace));
}

# Runs $body in a process of its own, $meanwhile in this one while a worker waits
# at the point; returns what $body returns (plain data).
sub during {
	my ($self, $point, $body, $meanwhile) = @_;

	$self->arm($point, 'wait');
	pipe(my $in, my $out) or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		Berth::Test::give($out, $body->());
		POSIX::_exit(0);
	}
	close($out);
	my $done = eval {
		$self->{t}->wait_for(sub { -e "$self->{file}.taken" })
		    or die "$point is not reached\n";
		$meanwhile->();
		1;
	};
	my $why = $@;
	$self->disarm;
	my $result = eval { [Berth::Test::take($in)] };
	local $?;
	waitpid($pid, 0);
	die $done ? "$point: $@" : $why unless $done && defined $result;
	return $result->[0];
}

1;
