#!/usr/bin/perl

# Nothing is left open: every route of the application's own table, with every method, asked by
# nobody and by somebody whose token is not good, about what is private.

use strict;
use warnings;

use Test::More;

use Berth::FastCGI qw(fetch);
use Berth::Routes;
use Berth::Test;

my $t = Berth::Test->new(workers => 2, failed_login_burst => 0);
my $id = $t->project('demo/priv');
my $group = $t->psql("SELECT id FROM groups WHERE full_path = 'demo'");
$t->user('owner');
$t->member('owner', 'demo', 'owner');
my $token = $t->token('owner');
is($t->publish($id, $token, 'abcd', '1.0.0')->{status}, 200, 'there is something to be found');

# What needs no token, and why that is no matter.
my %open = (
	me => qr/^30[23]$/, # to the page below
	token_page => qr/^(?:200|30[23])$/, # how to get one
	sign_in_page => qr/^200$/, # asks for the code of a link
	sign_in => qr/^4\d\d$/,
	style => qr/^200$/,
	favicon => qr/^200$/,
	page_front => qr/^200$/, # with what is public: t/461-pages.t
	page_search => qr/^200$/,
	page_projects => qr/^200$/,
	openapi => qr/^200$/, # what there is to be asked, of any registry
	(map { $_ => qr/^(?:200|503)$/ } qw(liveness readiness worker metrics)), # here, to hosts that may
);
my @callers = ([nobody => undef], [malformed => 'x'], [garbage => "Bearer \xff"],
    ['not known' => 'berth_pat_' . 'a' x 43 . '000000'],
    [basic => 'Basic Og==']);

sub ask {
	my ($method, $path, $authorization, %more) = @_;

	return fetch($t->socket_path, $path, REQUEST_METHOD => $method, REMOTE_ADDR => '127.0.0.1', %more,
	    defined $authorization ? (HTTP_AUTHORIZATION => $authorization) : ());
}

my @routes = Berth::Routes::all();
cmp_ok(scalar @routes, '>', 15, 'there are routes');
for my $route (@routes) {
	my $is_group = $route->{pattern} =~ m{^api/v4/groups/};
	my $path = Berth::Routes::path($route, id => $is_group ? $group : $id);
	my %sub = $route->{name} eq 'publish_authorize' ? (BERTH_SUBREQUEST => 1) : ();
	my $web = $route->{pattern} =~ m{^-/};
	# of several routes with one path this one answers for methods that none of them has
	my ($first) = grep { $_->{pattern} eq $route->{pattern} } @routes;

	for my $method (qw(GET HEAD PUT POST DELETE PATCH OPTIONS BREW)) {
		my $known = grep { $_ eq $method } @{ $route->{methods} };

		for my $caller ($web ? $callers[0] : @callers) {
			my ($name, $authorization) = @$caller;
			my $res = ask($method, $path, $authorization, %sub) // { status => 'none', body => '', headers => {} };
			my $what = "$method $route->{name}, $name";
			my $open = $known && !defined $authorization ? $open{ $route->{name} } : undef;

			if (defined $open) {
				like($res->{status}, $open, "$what: is open");
			} elsif ($web || $route->{name} eq 'me' || exists $open{ $route->{name} }) {
				# pages, whose doors are cookies; and what is open with other methods
				like($res->{status}, qr/^(?:2\d\d|30\d|4\d\d)$/, "$what: is answered");
			} elsif (!($known ? $route : $first)->{policy}) {
				# what decides by itself who may: not by what there is
				my $none = ask($method, Berth::Routes::path($route, id => 987654321), $authorization);

				like($res->{status}, qr/^4\d\d$/, "$what: refused") or diag("$path: $res->{body}");
				is("$none->{status} $none->{body}", "$res->{status} $res->{body}", "$what: as where there is nothing");
			} else {
				like($res->{status}, $sub{BERTH_SUBREQUEST} ? qr/^40[13]$/ : qr/^401$/, "$what: 401")
				    or diag("$path: $res->{body}");
			}
			# a link to sign in has the address that was asked for
			my $asked = 'to=' . $path =~ s/([^A-Za-z0-9_.~-])/sprintf('%%%02X', ord $1)/ger;
			my $told = ($res->{body} // '') =~ s/\Q$asked\E"//gr;

			unlike($told, qr/abcd|demo/, "$what: tells nothing")
			    unless $res->{status} =~ /^[24]0[05]$/ && $web;
		}
	}
}
is($t->psql('SELECT count(*) FROM versions WHERE NOT yanked'), 1, 'and nothing has changed');
# the same for somebody who may: the routes do lead somewhere
my $good = grep { $_->{methods}[0] eq 'GET' && ask('GET', Berth::Routes::path($_,
    id => $_->{pattern} =~ m{^api/v4/groups/} ? $group : $id), $token)->{status} == 200 } @routes;
cmp_ok($good, '>=', 8, "$good routes answer 200 to the owner");

done_testing();
