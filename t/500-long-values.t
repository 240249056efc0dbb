#!/usr/bin/perl
# An error has at most 512 characters, whatever a client has sent: every route, with a long value in
# each place of its path, its query, its form and its JSON.

use strict;
use warnings;

use Encode ();
use JSON::PP ();
use Test::More;

use Berth::OpenAPI;
use Berth::Routes;
use Berth::Test;

my $t = Berth::Test->new(publish_burst => 0, new_crate_burst => 0, failed_login_burst => 0);
my $id = $t->project('demo/registry');

$t->user('dev', admin => 1);
my $token = $t->token('dev');
is($t->publish($id, $token, 'abcd', '1.0.0')->{status}, 200, 'a crate');

# Letters of one byte and of two, signs that JSON writes in two, and what is no name at all.
my %long = (letters => 'x' x 3000, umlauts => '%C3%A9' x 500, quotes => '%22' x 1000,
    dots => '1.0.' . 'x' x 3000);
my $api = Berth::OpenAPI->new;
my $json = JSON::PP->new->canonical;
my ($asked, $cut) = (0, 0);

# The names of what the operation takes, in its query and its body.
sub names {
	my ($method, $pattern) = @_;
	my $operation = $api->doc->{paths}{ '/' . $pattern =~ s/:(\w+)%?/{$1}/gr }{ lc $method } or return ();
	my @parameters = map { $_->{'$ref'} ? $api->_follow($_) : $_ } @{ $operation->{parameters} // [] };
	my %names = map { $_->{name} => 1 } grep { $_->{in} eq 'query' } @parameters;

	for my $type (values %{ $operation->{requestBody}{content} // {} }) {
		my $schema = $type->{schema}{'$ref'} ? $api->_follow($type->{schema}) : $type->{schema};

		$names{$_} = 1 for keys %{ $schema->{properties} // {} };
	}
	return sort keys %names;
}

# Why the answer is no good: nothing, or a line.
sub wrong {
	my ($what, $res) = @_;
	my $text = eval { Encode::decode('UTF-8', $res->{body}, Encode::FB_CROAK) };

	$asked++;
	return () if $res->{status} < 400;
	return "$what: $res->{status}, not UTF-8" unless defined $text;
	# what a page says, without what is around it
	$text = $1 =~ s/<[^>]+>//gr if $text =~ m{<main[^>]*>(.*)</main>}s;
	$cut++ if $text =~ /\x{2026}/;
	return length($text) > 512 ? "$what: $res->{status}, " . length($text) . ' characters' : ();
}

sub ask {
	my ($method, $path, %opt) = @_;

	return $t->http($method => $path, { token => $token, %opt });
}

for my $route (Berth::Routes::all()) {
	my @bad;
	my $path = Berth::Routes::path($route, id => $id);

	next if $route->{name} =~ /^(?:publish_authorize|sign_out)$/;
	for my $method (@{ $route->{methods} }) {
		next if $method eq 'HEAD';
		for my $kind (sort keys %long) {
			my @parts = split(m{/}, $route->{pattern});

			for my $at (grep { $parts[$_] =~ /^:/ } 0 .. $#parts) {
				my @values = split(m{/}, $path);

				$values[$at + 1] = $long{$kind};
				push @bad, wrong("$method, $parts[$at] of $kind", ask($method, join('/', @values)));
			}
		}
		for my $name (names($method, $route->{pattern})) {
			push @bad, wrong("$method, $name in the query", ask($method, "$path?$name=$long{umlauts}"));
			next if $method =~ /^(?:GET|HEAD)$/;
			push @bad, wrong("$method, $name in a form", ask($method, $path, body => "$name=$long{letters}",
				headers => { 'Content-Type' => 'application/x-www-form-urlencoded' }));
			push @bad, wrong("$method, $name in JSON",
			    ask($method, $path, body => $json->encode({ $name => "\"\n" x 1500 }),
				headers => { 'Content-Type' => 'application/json' }));
		}
	}
	is(join("\n", @bad), '', "$route->{name}: errors of at most 512 characters");
}

# What a publish quotes.
my %metadata = (
	name => sub { ('x' x 3000, '1.0.0') }, version => sub { ('abcd', '1.' x 1500) },
);
for my $what (sort keys %metadata) {
	my ($name, $version) = $metadata{$what}->();
	my $res = ask(PUT => $t->registry($id) . '/api/v1/crates/new',
	    body => $t->publish_body($t->metadata($name, $version), $t->make_crate('abcd', '1.0.0')));

	is($res->{status}, 400, "a long $what: refused");
	is(join("\n", wrong($what, $res)), '', "a long $what: in at most 512 characters");
}
cmp_ok($asked, '>', 300, 'they are many');
cmp_ok($cut, '>', 0, 'and some are cut');

done_testing();
