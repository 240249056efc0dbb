package Berth::OpenAPI;

# conf/openapi.json: which routes it describes, and whether an answer is as it says.
#
#	my $api = Berth::OpenAPI->new;
#	is_deeply([$api->complaints(GET => '/api/v4/user', $t->http(GET => '/api/v4/user', ...))], []);
#
# The validator knows the keywords that the description uses, and dies of any other one: nothing is
# passed over in silence.

use strict;
use warnings;

use JSON::PP ();
use Scalar::Util qw(looks_like_number);

use Berth::Cluster;
use Berth::Json;

sub new {
	my ($class) = @_;
	my $self = bless { doc =>
	    Berth::Json::decode(Berth::Cluster::slurp("$Berth::Cluster::ROOT/conf/openapi.json")) }, $class;

	for my $path (sort keys %{ $self->{doc}{paths} }) {
		my $pattern = join('', map { /^\{/ ? '([^/?]+)' : quotemeta } split(/(\{\w+\})/, $path));

		push @{ $self->{patterns} }, [qr/\A$pattern\z/, $path, scalar(() = $path =~ /\{/g)];
	}
	# of two that fit, the one with more words is meant
	@{ $self->{patterns} } = sort { $a->[2] <=> $b->[2] } @{ $self->{patterns} };
	return $self;
}

sub doc { $_[0]{doc} }

# "GET /api/v4/projects/{id}": every operation.
sub operations {
	my ($self) = @_;
	my $paths = $self->{doc}{paths};

	return map { my $path = $_; map { uc($_) . " $path" } sort keys %{ $paths->{$path} } } sort keys %$paths;
}

# The operation of a request, and its path with braces.
sub operation {
	my ($self, $method, $path) = @_;
	my $key = lc($method eq 'HEAD' ? 'GET' : $method);

	$path =~ s/\?.*//s;
	for my $known (@{ $self->{patterns} }) {
		my ($pattern, $name) = @$known;

		return ($self->{doc}{paths}{$name}{$key}, $name)
		    if $path =~ $pattern && $self->{doc}{paths}{$name}{$key};
	}
	return;
}

# What is wrong with an answer: a list of sentences.
sub complaints {
	my ($self, $method, $path, $res) = @_;
	my ($operation, $name) = $self->operation($method, $path);

	return "$method $path: no such operation" unless $operation;
	my $response = $operation->{responses}{ $res->{status} }
	    or return "$method $name: a status $res->{status} that is not described";
	$response = $self->_follow($response) if $response->{'$ref'};
	my @bad = map { defined $res->{headers}{ lc $_ } || /^X-Total/ || $_ eq 'Link' ? () : "no header $_" }
	    sort keys %{ $response->{headers} // {} };
	my ($type) = ($res->{headers}{'content-type'} // '') =~ /^([^;]*)/;
	my $content = $response->{content};

	if (!$content) {
		push @bad, 'a body where none is described' if $res->{status} == 204 && $res->{body} ne '';
	} elsif (!$content->{$type}) {
		push @bad, "the type `$type`";
	} elsif ($type eq 'application/json' && $method ne 'HEAD') {
		my $value = eval { Berth::Json::decode($res->{body}) };

		push @bad, $@ ? 'no JSON' : $self->check($content->{$type}{schema}, $value, '$');
	}
	return map { "$method $name, $res->{status}: $_" } @bad;
}

# A value against a schema: what is wrong with it.
my %known = map { $_ => 1 } qw($ref type enum properties required additionalProperties items pattern minimum
    maximum description format default maxLength);

sub check {
	my ($self, $schema, $value, $at) = @_;

	for my $keyword (keys %$schema) {
		die "$at: the validator does not know `$keyword`\n" unless $known{$keyword};
	}
	return $self->check($self->_follow($schema), $value, $at) if $schema->{'$ref'};
	my $type = _type_of($value);
	my @types = ref $schema->{type} ? @{ $schema->{type} } : ($schema->{type} // ());

	return "$at is $type, not @types"
	    unless grep { $_ eq $type || ($_ eq 'number' && $type eq 'integer') } @types;
	return "$at is not one of its values"
	    if $schema->{enum} && !grep { defined $_ ? defined $value && $_ eq $value : !defined $value }
	    @{ $schema->{enum} };
	return "$at does not have its form"
	    if $schema->{pattern} && $type eq 'string' && $value !~ /$schema->{pattern}/;
	return "$at is too small" if defined $schema->{minimum} && $type eq 'integer' && $value < $schema->{minimum};
	return "$at is too large" if defined $schema->{maximum} && $type eq 'integer' && $value > $schema->{maximum};
	return $self->_object($schema, $value, $at) if $type eq 'object' && $schema->{properties};
	return $self->_array($schema, $value, $at) if $type eq 'array';
	return;
}

# All of one kind: the first that is wrong stands for the others.
sub _array {
	my ($self, $schema, $value, $at) = @_;

	for my $i (0 .. $#$value) {
		my @bad = $self->check($schema->{items}, $value->[$i], "$at\[$i]");

		return @bad if @bad;
	}
	return;
}

sub _object {
	my ($self, $schema, $value, $at) = @_;
	my $properties = $schema->{properties};
	my @bad = map { exists $value->{$_} ? () : "$at.$_ is missing" } @{ $schema->{required} // [] };

	for my $key (sort keys %$value) {
		if ($properties->{$key}) {
			push @bad, $self->check($properties->{$key}, $value->{$key}, "$at.$key");
		} elsif (defined $schema->{additionalProperties} && !$schema->{additionalProperties}) {
			push @bad, "$at.$key is not described in conf/openapi.json";
		}
	}
	return @bad;
}

sub _follow {
	my ($self, $ref) = @_;
	my $at = $self->{doc};

	for my $step (split(m{/}, substr($ref->{'$ref'}, 2))) {
		$at = $at->{$step} // die "$ref->{'$ref'} is nowhere\n";
	}
	return $at;
}

sub _type_of {
	my ($value) = @_;

	return 'null' unless defined $value;
	return 'boolean' if JSON::PP::is_bool($value);
	return ref $value eq 'HASH' ? 'object' : 'array' if ref $value;
	# a number of JSON has no string in it
	my $json = JSON::PP->new->allow_nonref->encode($value);

	return $json =~ /^"/ ? 'string' : $json =~ /^-?\d+\z/ ? 'integer' : 'number';
}

1;
