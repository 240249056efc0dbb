#!/usr/bin/perl

# Atom feeds of projects and crates: who may read them, by a session and by a token; their content, as an
# XML parser that is not ours reads it; hostile texts; and that a reader with the current feed gets 304.

use strict;
use warnings;

use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;

use Berth::Test;

my $t = Berth::Test->new(workers => 2, failed_login_burst => 0, publish_burst => 0, new_crate_burst => 0);
my %visibility = (pub => 'public', int => 'internal', priv => 'private', off => 'public');
my %id = map { $_ => $t->project("demo/$_", $visibility{$_}) } sort keys %visibility;
my @roles = qw(guest reporter owner);
$t->user($_) for @roles, 'stranger';
$t->member($_, 'demo', $_) for @roles;
my %token = (map({ $_ => $t->token($_) } qw(owner)),
    map { $_ => $t->token($_, scopes => 'read_api') } qw(guest reporter stranger));
$token{deploy} = $t->deploy_token('demo/priv', 'read');

for my $place (sort keys %id) {
	is($t->publish($id{$place}, $token{owner}, "Acme_$place", '1.0.0')->{status}, 200, "a crate in $place");
}
$t->berth_ok(qw(project set demo/off packages_enabled=false));

my %cookie = map { $_ => $t->sign_in($_) } @roles, 'stranger';

sub get { my ($path, @headers) = @_; return $t->http(GET => $path, { headers => \@headers }); }

# A feed as a parser reads it: { id, title, updated, links, entries }.  Dies if it is not XML.
sub parsed {
	my ($res) = @_;
	my ($status, $out, $err) = Berth::Cluster::capture({ stdin => $res->{body} }, 'python3', '-c', <<'PY');
import json, sys, xml.etree.ElementTree as tree
A = '{http://www.w3.org/2005/Atom}'
def read(e):
    found = {'links': {l.get('rel'): l.get('href') for l in e.findall(A + 'link')}}
    for c in e:
        name = c.tag.replace(A, '')
        if name not in ('link', 'entry'):
            assert name not in found, name
            found[name] = ''.join(c.itertext())
    return found
root = tree.fromstring(sys.stdin.buffer.read())
assert root.tag == A + 'feed', root.tag
feed = read(root)
feed['entries'] = [read(e) for e in root.findall(A + 'entry')]
print(json.dumps(feed))
PY

	die "no XML: $err\n$res->{body}\n" if $status != 0;
	return JSON::PP->new->utf8->decode($out);
}

# ---- who may read ----

# place => by whom; a page and its feed are for the same people
for my $place (sort keys %id) {
	for my $feed (map { "/-/projects/demo/$place/-/${_}feed.atom" } '', "crates/acme-$place/") {
		my $page = "/-/projects/demo/$place/-/crates/acme-$place";

		for my $who ('nobody', sort keys %cookie) {
			my @cookie = $cookie{$who} ? "Cookie: $cookie{$who}" : ();
			my ($as_page, $res) = (get($page, @cookie), get($feed, @cookie));
			my $want = $as_page->{status};

			if ($want == 200) {
				is($as_page->{body} =~ /as the password of HTTP Basic/ ? 1 : 0, $place eq 'pub' ? 0 : 1,
				    "$place: a page says that a program needs a token if it does");
			}

			# a page answers 404 without a session; a feed asks for a token, since its reader
			# can send one
			$want = 401 if $who eq 'nobody' && $want == 404;
			is($res->{status}, $want, "$who by a session: $feed");
			next if !$token{$who};
			is(get($feed, "Authorization: Bearer $token{$who}")->{status}, $as_page->{status}, '  by a token');
			my $basic = encode_base64("$who:$token{$who}", '');
			is(get($feed, "Authorization: Basic $basic")->{status}, $as_page->{status}, '  by HTTP Basic');
		}
		my $deploy = get($feed, "Authorization: Bearer $token{deploy}")->{status};
		is($deploy, $place eq 'priv' || $place eq 'pub' ? 200 : 404, 'a deploy token where it is from');
	}
}
{
	my $res = get('/-/projects/demo/priv/-/feed.atom');

	is($res->{headers}{'www-authenticate'}, 'Basic realm="Berth", charset="UTF-8"', 'readers know how to ask');
	is(get('/-/projects/demo/none/-/feed.atom')->{body}, $res->{body}, 'the same where nothing is');
	is(get('/-/projects/demo/priv/-/feed.atom', 'Authorization: Bearer ' . 'x' x 40,
	    "Cookie: $cookie{owner}")->{status}, 401, 'a bad token is not helped by a session');
	is(get('/-/projects/demo/pub/-/crates/none/feed.atom')->{status}, 404, 'no such crate');
	is(get('/-/projects/demo/pub/-/crates/%3Cx/feed.atom')->{status}, 404, 'no name of a crate');
}

# ---- what it says ----

my $url = $t->url;
my $root = "$url/-/projects/demo/pub";
$t->publish($id{pub}, $token{owner}, 'Acme_pub', '1.1.0+build');
$t->publish($id{pub}, $token{owner}, 'other', '0.1.0');
$t->berth_ok('yank', 'demo/pub', 'acme-pub@1.1.0', '--message', 'bad <news> & "more"');
$t->berth_ok('yank', 'demo/pub', 'other@0.1.0');
$t->berth_ok('unyank', 'demo/pub', 'other@0.1.0');
{
	my $res = get('/-/projects/demo/pub/-/feed.atom');
	my $feed = parsed($res);
	my $registry = $url . $t->registry($id{pub});

	is($res->{headers}{'content-type'}, 'application/atom+xml; charset=utf-8', 'Atom');
	is($feed->{id}, "$registry/", 'its id');
	is($feed->{title}, 'Crates of demo/pub', 'its title');
	is($feed->{author}, 'demo/pub', 'its author');
	is_deeply($feed->{links}, { self => "$root/-/feed.atom", alternate => $root }, 'its links');
	is_deeply([map { $_->{title} } @{ $feed->{entries} }], ['other 0.1.0 is no longer yanked',
		'other 0.1.0 is yanked', 'Acme_pub 1.1.0+build is yanked', 'other 0.1.0', 'Acme_pub 1.1.0+build',
		'Acme_pub 1.0.0'], 'entries, the newest first');
	is($feed->{updated}, $feed->{entries}[0]{updated}, 'it is as new as the first');
	my ($yanked, $published) = @{ $feed->{entries} }[2, 4];
	is($yanked->{summary}, 'bad <news> & "more"', 'why it was yanked');
	is($published->{summary}, 'made for a test', 'what it is');
	is($published->{id}, "$registry/Acme_pub/1.1.0%2Bbuild/download", 'an id with the number of the project');
	like($yanked->{id}, qr/^\Q$published->{id}\E#event-\d+$/, 'and one of the event');
	is($published->{links}{alternate}, "$root/-/crates/Acme_pub/1.1.0%2Bbuild", 'its page');
	is($t->http(GET => $published->{links}{alternate} =~ s/^\Q$url\E//r)->{status}, 200, 'which is there');
	my %ids = map { $_->{id} => 1 } @{ $feed->{entries} };
	is(scalar keys %ids, 6, 'no id twice');
	like($published->{$_}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, "a time: $_") for qw(published updated);

	my $one = parsed(get('/-/projects/demo/pub/-/crates/ACME-PUB/feed.atom'));
	is(scalar(grep { $_->{title} !~ /^Acme_pub / } @{ $one->{entries} }), 0, 'of a crate its own entries alone');
	is(scalar @{ $one->{entries} }, 3, 'all of them');
	is_deeply([map { $_->{id} } @{ $one->{entries} }],
	    [map { $_->{id} } grep { $_->{title} =~ /^Acme/ } @{ $feed->{entries} }], 'with the same ids');
	my $again = parsed(get('/-/projects/demo/pub/-/crates/acme_pub/feed.atom'));
	is($again->{id}, $one->{id}, 'one feed, in whatever spelling');
	for my $page ('/-/projects/demo/pub', '/-/projects/demo/pub/-/crates/acme-pub') {
		my ($href) = get($page)->{body} =~ m{<link rel="alternate" type="application/atom\+xml"[^>]* href="(.*?)">};

		is(get($href // '/none')->{status}, 200, "$page names its feed");
	}
	my $empty = $t->project('demo/empty', 'public');
	my $none = parsed(get('/-/projects/demo/empty/-/feed.atom'));
	is(scalar @{ $none->{entries} }, 0, 'a feed without entries');
	like($none->{updated}, qr/^\d{4}-/, 'has a time all the same');
}

# As pages, a feed tells no time of a publish that nobody knows.
for (['NULL', '', 1], ["published_at + interval '1 day'", '', 1], ['published_at', ' is imported', 0],
    ["published_at - interval '9 minutes'", ' is imported', 0]) {
	my ($imported_at, $ending, $has) = @$_;

	$t->psql("UPDATE versions SET imported_at = $imported_at WHERE project_id = $id{pub}");
	for my $feed ('', 'crates/acme-pub/') {
		my @entries = @{ parsed(get("/-/projects/demo/pub/-/${feed}feed.atom"))->{entries} };
		my ($version) = grep { $_->{title} eq "Acme_pub 1.0.0$ending" } @entries;

		is(defined $version->{published} ? 1 : 0, $has, "imported at $imported_at: published, $feed");
		is($version->{published}, $version->{updated}, '  with the time of the entry') if $has;
		is(scalar(grep { !/^\d{4}-/ } map { $_->{updated} } @entries), 0, '  every entry has a time');
		is(scalar(grep { !defined $_->{published} } grep { $_->{title} =~ /yanked/ } @entries), 0,
		    '  as has every event');
	}
	$t->psql("UPDATE versions SET imported_at = NULL WHERE project_id = $id{pub}");
}

# ---- what is not told again ----

{
	my $feed = '/-/projects/demo/pub/-/feed.atom';
	my $first = get($feed);
	my $etag = $first->{headers}{etag};
	my $packed = get($feed, 'Accept-Encoding: gzip');

	is($packed->{headers}{'content-encoding'}, 'gzip', 'what all may read is compressed');
	isnt($packed->{headers}{etag}, $etag, 'and has another ETag');
	is(get('/-/projects/demo/priv/-/feed.atom', "Cookie: $cookie{owner}",
	    'Accept-Encoding: gzip')->{headers}{'content-encoding'}, undef, 'other things are not');
	for my $tag ($etag, $packed->{headers}{etag}, "W/$etag", "\"x\", $etag", '*') {
		my $res = get($feed, "If-None-Match: $tag");

		is("$res->{status} $res->{body}", '304 ', "nothing again: $tag");
		is($res->{headers}{etag}, $etag, '  with its ETag');
	}
	is(get($feed, 'If-None-Match: "x"')->{status}, 200, 'but to who has another');
	is(get('/-/projects/demo/priv/-/feed.atom', 'If-None-Match: *')->{status}, 401, 'nothing without a right');
	$t->publish($id{pub}, $token{owner}, 'other', '0.2.0');
	is(get($feed, "If-None-Match: $etag")->{status}, 200, 'what is new is told at once');
}

# ---- hostile texts ----

{
	my $evil = "]]>\x01\x08<![CDATA[</summary>&amp;&#1;\"'\x{fffe}\x{ffff}\x{1f600}\t";
	my $bytes = $evil;
	utf8::encode($bytes);
	$t->psql("UPDATE versions SET description = '" . $bytes =~ s/'/''/gr . "' WHERE version = '0.2.0'");
	my $res = get('/-/projects/demo/pub/-/feed.atom');
	my ($entry) = grep { $_->{title} eq 'other 0.2.0' } @{ parsed($res)->{entries} };

	is($entry->{summary}, $evil =~ s/[\x01\x08\x{fffe}\x{ffff}]/\x{fffd}/gr, 'a text is a text');
}
$t->berth_ok(qw(flag set web_pages off));
is(get('/-/projects/demo/pub/-/feed.atom')->{status}, 404, 'where there are no pages there are no feeds');
done_testing();
