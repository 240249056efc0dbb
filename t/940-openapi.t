#!/usr/bin/perl
# The description of the routes, conf/openapi.json: it describes every route of the table and no
# other, refers to nothing that is not there, and is what the server serves.

use strict;
use warnings;

use Test::More;

use Berth::OpenAPI;
use Berth::Test;

my $t = Berth::Test->new;
my $api = Berth::OpenAPI->new;
my ($status, $out) = Berth::Cluster::capture($t->build . '/berth-fcgi', '-r');

is($status, 0, 'the program tells its routes');
my (%table, %pattern);
for my $line (split /\n/, $out) {
	my ($method, $pattern, $name) = $line =~ /^([A-Z]+) (\S+) ([a-z0-9_]+)$/ or die "$line?\n";

	# the subrequest has the path of what it asks about
	$table{"$method " . $pattern =~ s/:(\w+)[%*+]?/{$1}/gr}++ unless $name eq 'publish_authorize';
}
cmp_ok(scalar keys %table, '>', 60, 'they are many');
my %described = map { $_ => 1 } $api->operations;
is(join("\n", grep { !$described{$_} } sort keys %table), '', 'every route is described');
is(join("\n", grep { !$table{$_} } sort keys %described), '', 'and nothing that is no route');

my %manual = map { /^\.It Ic ([A-Z]+) Pa (\S+)$/ ? ("$1 " . $2 =~ s/:(\w+)/{$1}/gr => 1) : () }
    split(/\n/, Berth::Cluster::slurp("$Berth::Cluster::ROOT/fcgi/man/berth-api.7"));
is(join("\n", grep { !$manual{$_} } sort keys %table), '', 'every route is in berth-api(7)');
is(join("\n", grep { !$table{$_} } sort keys %manual), '', 'and nothing else');

subtest 'the description itself' => sub {
	my $doc = $api->doc;
	my (%used, %ids);
	my $walk;

	$walk = sub {
		my ($at, $where) = @_;

		if (ref $at eq 'HASH') {
			$used{ $at->{'$ref'} } //= $where if defined $at->{'$ref'} && !ref $at->{'$ref'};
			$walk->($at->{$_}, "$where/$_") for sort keys %$at;
		} elsif (ref $at eq 'ARRAY') {
			$walk->($at->[$_], "$where/$_") for 0 .. $#$at;
		}
	};
	$walk->($doc, '#');
	my @lost = grep { !eval { $api->_follow({ '$ref' => $_ }); 1 } } sort keys %used;
	is("@lost", '', 'refers to what is there');
	my @unused = grep { !$used{"#/components/$_"} } map {
		my $kind = $_;

		map { "$kind/$_" } sort keys %{ $doc->{components}{$kind} };
	}
	    qw(schemas parameters responses headers);
	is("@unused", '', 'and to all of it');
	for my $path (sort keys %{ $doc->{paths} }) {
		my @in_path = sort $path =~ /\{(\w+)\}/g;

		for my $method (sort keys %{ $doc->{paths}{$path} }) {
			my $operation = $doc->{paths}{$path}{$method};
			my @parameters = map { $_->{'$ref'} ? $api->_follow($_) : $_ } @{ $operation->{parameters} // [] };
			my @named = sort map { $_->{name} } grep { $_->{in} eq 'path' } @parameters;

			$ids{ $operation->{operationId} }++;
			is("@named", "@in_path", "$method $path: its parameters");
			# what is a route only to say where another one is has no other answer
			ok(((grep { /^[23]/ } keys %{ $operation->{responses} })
			    || $operation->{operationId} =~ /^index_elsewhere/)
			    && $operation->{summary} =~ /\S/, "$method $path: is told of");
		}
	}
	is(join(' ', grep { $ids{$_} > 1 } sort keys %ids), '', 'no operation has the name of another');
};

subtest 'served' => sub {
	my $res = $t->http(GET => '/api/v4/openapi.json');

	is($res->{status}, 200, 'to anybody');
	is($res->{headers}{'content-type'}, 'application/json', 'as JSON');
	ok($res->{body} eq Berth::Cluster::slurp("$Berth::Cluster::ROOT/conf/openapi.json"), 'as it is');
	is($t->http(HEAD => '/api/v4/openapi.json')->{headers}{'content-length'}, length $res->{body}, 'HEAD');
	is_deeply([$api->complaints(GET => '/api/v4/openapi.json', $res)], [], 'and describes itself');
};

# A validator that finds nothing is easily written.
subtest 'the validator' => sub {
	my $schema = { type => 'object', properties => { a => { type => 'integer', minimum => 1 },
	    b => { type => ['string', 'null'], enum => ['x', undef] },
	    c => { type => 'array', items => { type => 'string', pattern => '^y' } } }, required => ['a'],
	    additionalProperties => JSON::PP::false };
	my @cases = (
		['{"a":1}', ''], ['{"a":1,"b":null,"c":["y","yy"]}', ''], ['{"a":1,"b":"x"}', ''],
		['{}', '$.a is missing'], ['{"a":0}', '$.a is too small'], ['{"a":"1"}', '$.a is string, not integer'],
		['{"a":1.5}', '$.a is number, not integer'], ['{"a":true}', '$.a is boolean, not integer'],
		['{"a":1,"b":"z"}', '$.b is not one of its values'],
		['{"a":1,"c":["y","x"]}', '$.c[1] does not have its form'], ['{"a":1,"c":{}}', '$.c is object, not array'],
		['{"a":1,"d":1}', '$.d is not described in conf/openapi.json'], ['[]', '$ is array, not object'],
		['{"a":null}', '$.a is null, not integer'],
	);

	is(join("\n", $api->check($schema, JSON::PP->new->decode($_->[0]), '$')), $_->[1], $_->[0]) for @cases;
	ok(!eval { $api->check({ type => 'string', oneOf => [] }, 'x', '$'); 1 }, 'dies of what it does not know');
	my $res = { status => 200, headers => { 'content-type' => 'application/json' }, body => '{"version":"1"}' };
	like(join(' ', $api->complaints(GET => '/api/v4/version', $res)), qr/revision is missing/,
	    'complains of an answer');
	$res->{status} = 418;
	like(join(' ', $api->complaints(GET => '/api/v4/version', $res)), qr/418/, 'of a status');
	like(join(' ', $api->complaints(POST => '/api/v4/version', $res)), qr/no such operation/, 'of a route');
};

done_testing();
