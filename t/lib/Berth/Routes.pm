package Berth::Routes;

# The routes as the application has them, read from its own table, with a path for each that leads
# to something: so that what must hold for every route is tested for those that come later, too.
#
#	for my $route (Berth::Routes::all()) {
#		my $path = Berth::Routes::path($route, id => 7, crate => 'abcd', version => '1.0.0');
#	}
#
# A route is { name, methods => ['GET', ...], pattern, policy => bool, writes => WRITES_... or undef,
# replica => bool }.

use strict;
use warnings;

use Berth::Cluster;

sub all {
	my $text = Berth::Cluster::slurp("$Berth::Cluster::ROOT/fcgi/api/routes.c");
	my (%macro, @routes);

	while ($text =~ /^#define (\w+)[ \t]+(.+)$/mg) {
		$macro{$1} = $2;
	}
	my ($table) = $text =~ /struct route routes\[\] = \{\n(.*?)\n\};/s or die "no table in routes.c\n";
	while ($table =~ /\{ (\.name = .*?) \},(?:\n|\z)/gs) {
		my $row = $1 =~ s/\s+/ /gr;
		my ($name) = $row =~ /\.name = "(\w+)"/ or die "no name: $row\n";
		my ($methods) = $row =~ /\.methods = ([^,]+),/ or die "$name: no methods\n";
		my ($pattern) = $row =~ /\.pattern = ((?:"[^"]*"|[A-Z]+| )+),/ or die "$name: no pattern\n";

		push @routes, {
			name => $name,
			methods => [_expand($methods, \%macro) =~ /METHOD_([A-Z]+)/g],
			pattern => join('', _expand($pattern, \%macro) =~ /"([^"]*)"/g),
			policy => $row =~ /\.policy = / ? 1 : 0,
			writes => $row =~ /\.writes = (\w+)/ ? $1 : undef,
			replica => $row =~ /\.replica = true/ ? 1 : 0,
		};
	}
	die "routes.c: not all of its rows are understood\n" unless @routes == (() = $table =~ /\.name = /g);
	return @routes;
}

# What stands for a parameter of which nobody said anything.
my %usual = (path => 'demo/priv', group => 'demo', crate => 'abcd', version => '1.0.0', file => 'src/lib.rs',
    range => '1.0.0..1.0.0', prefix => 'ab', prefix2 => 'cd');

sub path {
	my ($route, %param) = @_;
	# the index has a place for each length of a name
	my %crate = ('/1/:crate' => 'a', '/2/:crate' => 'ab', '/3/:prefix/:crate' => 'abc');
	my ($short) = grep { $route->{pattern} =~ /\Q$_\E$/ } keys %crate;
	my %known = (%usual, %param, defined $short ? (crate => $crate{$short}, prefix => 'a') : ());

	return '/' . join('/', map { /^:(\w+)/ ? $known{$1} // 1 : $_ } split(m{/}, $route->{pattern}, -1));
}

# Macros are names of capital letters; what is in quotes is none.
sub _expand {
	my ($text, $macro) = @_;

	return join(' ', map { /^[A-Z]+$/ && defined $macro->{$_} ? _expand($macro->{$_}, $macro) : $_ }
	    $text =~ /"[^"]*"|\w+/g);
}

1;
