package Berth::Bench::Peer;

# Another registry that runs beside Berth, and is asked and published to as cargo does it: t/bench/bench -p.
#
#	my $peer = Berth::Bench::Peer->new('kellnr=http://127.0.0.1:8000/api/v1/crates/,TOKEN');
#
# The address is that of its index, where config.json is.  It needs room for as many publishes
# as are measured.

use strict;
use warnings;

use JSON::PP ();

use Berth::Bench::Stand;
use Berth::Cluster;
use Berth::Publish;

sub new {
	my ($class, $text) = @_;
	my ($name, $index, $token) = $text =~ /^([a-z]\w*)=(https?:[^,]+?)\/?,(.*)$/
	    or die "-p: $text is not NAME=ADDRESS,TOKEN\n";
	my $self = bless { name => $name, index => $index, token => $token }, $class;

	$self->{config} = JSON::PP::decode_json($self->_curl("$index/config.json"));
	return $self;
}

sub name { $_[0]{name} }

# As Berth::Bench::Publish has targets.
sub publishes {
	my ($self) = @_;

	return { url => "$self->{config}{api}/api/v1/crates/new", token => $self->{token}, groups => {} };
}

# A crate with so many versions, which nobody has published before.
sub fill {
	my ($self, $crate, $versions) = @_;

	for my $i (0 .. $versions - 1) {
		# cargo names no type of the body; Gitea reads one of curl's default type as a form
		my $got = $self->_curl("$self->{config}{api}/api/v1/crates/new", '-X', 'PUT', '-H', 'Content-Type:',
		    '--data-binary', '@-', \Berth::Bench::Stand::body($crate, "1.$i.0", 2000));

		$got =~ /^\{/ or die "$self->{name}: $crate 1.$i.0: $got\n";
	}
	return;
}

# A request for its index file, as Berth::Bench::Stand has them.
sub index {
	my ($self, $crate) = @_;

	return { who => $self->{name}, url => "$self->{index}/" . Berth::Publish::index_path($crate), path => '',
		headers => ["Authorization: $self->{token}", 'Accept-Encoding: gzip'], status => 200, groups => {} };
}

sub _curl {
	my ($self, $url, @options) = @_;
	my $stdin = ref $options[-1] ? ${ pop @options } : '';
	my ($status, $out, $err) = Berth::Cluster::capture({ stdin => $stdin }, 'curl', '-sSk', '--fail-with-body',
	    '-H', "Authorization: $self->{token}", @options, $url);

	die "$self->{name}: $url: $err$out\n" if $status != 0;
	return $out;
}

1;
