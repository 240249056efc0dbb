package Berth::Soak::Actors;

# The users of the registry during a soak, and the answers that each must get.  An actor is a sub that is
# called with its client (Berth::Soak::Client) at a steady rate, and one that is called at the end, or
# undef.
#
# The world that they have in common (t/bench/soak makes it): ports, one for each node; registries
# { private, public }; base { private => { NAME => { index, crate } }, public }, which nobody changes; tokens.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use JSON::PP ();

use Berth::Crate;
use Berth::Publish;
use Berth::Test;

use constant { CRATES => 5, VERSIONS => 12 };

my $json = JSON::PP->new->utf8->canonical;

# ---- readers ----

# How often it runs, and the sub.
my @reads = (
	[40, \&read_index], [12, \&read_unchanged], [10, \&read_config], [6, \&read_absent], [12, \&read_crate],
	[5, \&search], [4, \&read_page], [4, \&list_packages], [4, \&be_refused], [3, \&be_a_stranger],
);
my $all = 0;
$all += $_->[0] for @reads;

sub reader {
	my ($client) = @_;

	return (sub {
		my $n = rand($all);

		for my $read (@reads) {
			$n -= $read->[0];
			return $read->[1]->($client) if $n < 0;
		}
	}, undef);
}

sub some { return $_[rand @_] }

# A place, a token that may read it, and one of its crates.
sub somewhere {
	my ($client) = @_;
	my $world = $client->world;
	my $where = rand() < 0.75 ? 'private' : 'public';
	my $token = some(@{ $world->{tokens}{$where} });
	my $name = some(@{ $world->{names}{$where} });

	return ($world->{registries}{$where}, $token, $name, $world->{base}{$where}{$name}, $where);
}

sub read_index {
	my ($client) = @_;
	my ($root, $token, $name, $base) = somewhere($client);
	my $res = $client->ask('index', $client->some_node, GET => "$root/" . Berth::Publish::index_path($name),
	    token => $token);

	$client->expect($res->{status} == 200 && $res->{body} eq $base->{index}, "index of $name", $res);
	$base->{etag}{ $res->{headers}{'content-encoding'} // '' } = $res->{headers}{etag};
	return;
}

sub read_unchanged {
	my ($client) = @_;
	my ($root, $token, $name, $base) = somewhere($client);
	my $etag = $base->{etag}{gzip} // return read_index($client);
	my $res = $client->ask('index 304', $client->some_node, GET => "$root/" . Berth::Publish::index_path($name),
	    token => $token, headers => { 'If-None-Match' => $etag, 'Accept-Encoding' => 'gzip' });

	$client->expect($res->{status} == 304, "unchanged index of $name", $res);
	return;
}

sub read_config {
	my ($client) = @_;
	my ($root, $token, undef, undef, $where) = somewhere($client);
	my $res = $client->ask('config.json', $client->some_node, GET => "$root/config.json", token => $token);
	my $config = eval { $json->decode($res->{body}) } // {};

	$client->expect($res->{status} == 200 && ($config->{api} // '') =~ /\Q$root\E\z/
	    && !!$config->{'auth-required'} eq ($where eq 'private'), 'config.json', $res);
	return;
}

sub read_absent {
	my ($client) = @_;
	my ($root, $token, $name) = somewhere($client);
	my $res = $client->ask('index 404', $client->some_node,
	    GET => "$root/" . Berth::Publish::index_path("no-$name"), token => $token);

	$client->expect($res->{status} == 404, "index of no-$name", $res);
	return;
}

sub read_crate {
	my ($client) = @_;
	my ($root, $token, $name, $base) = somewhere($client);
	my $res = $client->ask('download', $client->some_node, GET => "$root/$name/1.0.0/download",
	    token => $token);

	$client->expect($res->{status} == 200 && sha256_hex($res->{body}) eq $base->{cksum}, "bytes of $name",
	    $res);
	return;
}

sub search {
	my ($client) = @_;
	my ($root, $token, $name) = somewhere($client);
	my $res = $client->ask('search', $client->some_node, GET => "$root/api/v1/crates?q=$name&per_page=5",
	    token => $token);
	my $found = eval { $json->decode($res->{body})->{crates} } // [];

	$client->expect($res->{status} == 200 && (grep { $_->{name} eq $name && $_->{max_version} eq '1.0.0' }
	    @$found), "search of $name", $res);
	return;
}

sub read_page {
	my ($client) = @_;
	my $world = $client->world;
	my $name = some(@{ $world->{names}{public} });
	my $path = some('/-/', "/-/search?q=$name", '/-/projects/soak/public',
	    map { "/-/projects/soak/public/-/crates/$name$_" } '', '/1.0.0');
	my $res = $client->ask('page', $client->some_node, GET => $path);

	$client->expect($res->{status} == 200 && $res->{body} =~ m{</html>\s*\z}
	    && ($path eq '/-/' || $path =~ m{public\z} || index($res->{body}, $name) >= 0), "page $path", $res);
	return;
}

sub list_packages {
	my ($client) = @_;
	my $world = $client->world;
	my $res = $client->ask('packages', $client->some_node,
	    GET => "/api/v4/projects/$world->{id}{private}/packages?per_page=50&order_by=created_at&sort=asc",
	    token => $world->{tokens}{private}[0]);
	my $list = eval { $json->decode($res->{body}) } // [];

	$client->expect($res->{status} == 200 && @$list > 0 && !(grep { !length($_->{name} // '') } @$list),
	    'packages', $res);
	return;
}

# Requests with a revoked token, without one, and with one that does not exist.
sub be_refused {
	my ($client) = @_;
	my $world = $client->world;
	my $name = some(@{ $world->{names}{private} });
	my $token = some(@{ $world->{tokens}{refused} });
	my $res = $client->ask('401', $client->some_node,
	    GET => "$world->{registries}{private}/" . Berth::Publish::index_path($name), token => $token);

	$client->expect($res->{status} == 401, 'a token that is not good', $res);
	return;
}

sub be_a_stranger {
	my ($client) = @_;
	my $world = $client->world;
	my $name = some(@{ $world->{names}{private} });
	my $res = $client->ask('404', $client->some_node,
	    GET => "$world->{registries}{private}/$name/1.0.0/download", token => $world->{tokens}{stranger});

	$client->expect($res->{status} == 404, 'a stranger', $res);
	return;
}

# ---- publishers ----

# Each has crates of its own, so it knows what is in their index: { NAME => { VERSION => { cksum, yanked } }
# }.
sub publisher {
	my ($client, $n) = @_;
	my $self = { client => $client, root => $client->world->{registries}{private},
		token => $client->world->{tokens}{publisher}, next => 1,
		crates => { map { ("load-$n-$_" => {}) } 1 .. CRATES } };

	return (sub {
		my $name = some(sort keys %{ $self->{crates} });
		my @versions = in_order($self->{crates}{$name});

		return rand() < 0.5 ? delete_version($self, $name, $versions[0]) : publish($self, $name)
		    if @versions > VERSIONS;
		return rand() < 0.3 && @versions ? yank($self, $name, some(@versions)) : publish($self, $name);
	}, sub { check_crate($self, $_, 1) for sort keys %{ $self->{crates} } });
}

sub in_order {
	my ($versions) = @_;

	return sort { $versions->{$a}{n} <=> $versions->{$b}{n} } keys %$versions;
}

# Asks until the answer is clear: $done tells whether the answer confirms the change, by this attempt or by
# an earlier one whose answer was lost.  Returns the node that answered.
sub make_it_so {
	my ($self, $what, $done, @request) = @_;
	my $client = $self->{client};
	my $node = $client->some_node;
	my $until = Berth::Watch::now() + Berth::Soak::Client::PATIENCE();
	my $unclear = 0;

	while (1) {
		my ($kind, @rest) = @request;
		my $res = $client->ask_once($kind, $node, @rest, token => $self->{token});

		return $node if $res->{status} =~ /^20[0124]$/ || ($unclear && $done->($res));
		if (!$client->is_away($res) || Berth::Watch::now() > $until) {
			$client->expect(0, $what, $res);
			return undef;
		}
		$unclear++;
		$node = $client->some_node;
		Time::HiRes::sleep(Berth::Soak::Client::PAUSE());
	}
}

sub publish {
	my ($self, $name) = @_;
	my $n = $self->{next}++;
	my $version = "1.$n.0";
	my $bytes = pack('N*', map { rand(2**32) } 1 .. 64 + rand(1000));
	my $crate = Berth::Crate::make($name, $version, files => { 'data.bin' => $bytes });
	my $body = Berth::Test->publish_body(Berth::Crate::metadata($name, $version), $crate);
	my $node = make_it_so($self, "publish $name $version", sub { $_[0]{body} =~ /already uploaded/ },
	    'publish', PUT => "$self->{root}/api/v1/crates/new", body => $body) // return;

	$self->{crates}{$name}{$version} = { n => $n, cksum => sha256_hex($crate), yanked => 0 };
	check_crate($self, $name);
	check_bytes($self, $name, $version, 1 - $node);
	return;
}

sub yank {
	my ($self, $name, $version) = @_;
	my $now = $self->{crates}{$name}{$version};
	my ($method, $verb) = $now->{yanked} ? (PUT => 'unyank') : (DELETE => 'yank');

	make_it_so($self, "$verb $name $version", sub { 0 }, $verb,
	    $method => "$self->{root}/api/v1/crates/$name/$version/$verb") // return;
	$now->{yanked} = !$now->{yanked};
	check_crate($self, $name);
	return;
}

# Deletes by the id from the list of packages, which must have the package.
sub delete_version {
	my ($self, $name, $version) = @_;
	my $client = $self->{client};
	my $packages = "/api/v4/projects/" . $client->world->{id}{private} . '/packages';
	my $res = $client->ask('packages', $client->some_node,
	    GET => "$packages?package_name=$name&per_page=100", token => $self->{token});
	my $list = eval { $json->decode($res->{body}) } // [];
	my ($package) = grep { $_->{name} eq $name && $_->{version} eq $version } @$list;

	# the list by name may be a second late
	$client->expect(defined $package, "$name $version in the list of packages", $res) or return;
	make_it_so($self, "delete $name $version", sub { $_[0]{status} == 404 }, 'delete',
	    DELETE => "$packages/$package->{id}") // return;
	delete $self->{crates}{$name}{$version};
	check_crate($self, $name);
	return;
}

# On each node the index has exactly what was acknowledged.
sub check_crate {
	my ($self, $name, $bytes) = @_;
	my $client = $self->{client};
	my $versions = $self->{crates}{$name};
	my $want = join(' ', map { "$_ $versions->{$_}{cksum} " . ($versions->{$_}{yanked} ? 'yanked' : 'good') }
	    in_order($versions));

	for my $node ($client->nodes) {
		my $res = $client->ask('index, fresh', $node,
		    GET => "$self->{root}/" . Berth::Publish::index_path($name), token => $self->{token});
		my $is = $res->{status} == 200 ? join(' ', map {
			my $line = eval { $json->decode($_) } // {};

			($line->{vers} // '?') . ' ' . ($line->{cksum} // '?') . ' ' . ($line->{yanked} ? 'yanked' : 'good');
		} split(/\n/, $res->{body})) : $res->{status} == 404 ? '' : "status $res->{status}";

		$client->expect($is eq $want, "index of $name on node $node is $is and not $want", $res);
		next unless $bytes;
		check_bytes($self, $name, $_, $node) for in_order($versions);
	}
	return;
}

sub check_bytes {
	my ($self, $name, $version, $node) = @_;
	my $client = $self->{client};
	my $res = $client->ask('download, fresh', $node, GET => "$self->{root}/$name/$version/download",
	    token => $self->{token});

	$client->expect($res->{status} == 200
	    && sha256_hex($res->{body}) eq $self->{crates}{$name}{$version}{cksum}, "bytes of $name $version", $res);
	return;
}

# ---- jobs, people who come and go, tokens that are replaced ----

# A token of a job, which is valid on each node until it ends, and then on none.
sub jobs {
	my ($client) = @_;
	my $world = $client->world;
	my $tokens = "$world->{registries}{private}/job_tokens";
	my $n = 0;

	return (sub {
		my $path = "$world->{registries}{private}/"
		    . Berth::Publish::index_path(some(@{ $world->{names}{private} }));
		my $made = $client->ask('job token', $client->some_node, POST => $tokens,
		    token => $world->{tokens}{ci}, headers => { 'Content-Type' => 'application/x-www-form-urlencoded' },
		    body => 'user=publisher&pipeline=1&job=' . ++$n);
		my $job = eval { $json->decode($made->{body}) } // {};

		$client->expect($made->{status} == 201 && defined $job->{token}, 'a token of a job', $made) or return;
		for my $node ($client->nodes) {
			my $res = $client->ask('index, by a job', $node, GET => $path, token => $job->{token});
			$client->expect($res->{status} == 200, "a job on node $node", $res);
		}
		my $end = $client->ask('job token', $client->some_node, DELETE => "$tokens/$job->{id}",
		    token => $world->{tokens}{ci});
		$client->expect($end->{status} =~ /^(?:204|404)$/, 'the end of a job', $end) or return;
		refused_everywhere($client, 'a job that has ended', $path, $job->{token});
	}, undef);
}

# From the next request on, every answer must be this one.
sub refused_everywhere {
	my ($client, $what, $path, $token, $status) = @_;

	for my $node ($client->nodes) {
		my $res = $client->ask('401, fresh', $node, GET => $path, token => $token);
		$client->expect($res->{status} == ($status // 401), "$what on node $node", $res);
	}
	return;
}

# A user is blocked and unblocked; a token is rotated, then used again, which ends its successor; another
# token is revoked.
sub people {
	my ($client) = @_;
	my $world = $client->world;
	my $path = "$world->{registries}{private}/" . Berth::Publish::index_path($world->{names}{private}[0]);
	my $members = "/api/v4/projects/$world->{id}{private}/members";
	my $tokens = '/api/v4/personal_access_tokens/self';
	my $form = { 'Content-Type' => 'application/x-www-form-urlencoded' };
	my @turns = (sub {
		my $res = $client->ask('member', $client->some_node, DELETE => "$members/$world->{visitor}",
		    token => $world->{tokens}{owner});
		$client->expect($res->{status} =~ /^(?:204|404)$/, 'a member goes', $res) or return;
		refused_everywhere($client, 'who is no member', $path, $world->{tokens}{visitor}, 404);
		$res = $client->ask('member', $client->some_node, POST => $members, token => $world->{tokens}{owner},
		    headers => $form, body => "user_id=$world->{visitor}&access_level=20");
		$client->expect($res->{status} =~ /^(?:201|409)$/, 'a member comes', $res) or return;
		for my $node ($client->nodes) {
			$res = $client->ask('index, fresh', $node, GET => $path, token => $world->{tokens}{visitor});
			$client->expect($res->{status} == 200, "a new member on node $node", $res);
		}
	}, sub {
		my $old = $world->{new_token}->() // return;
		my $res = $client->ask_once('token', $client->some_node, POST => "$tokens/rotate", token => $old);
		my $new = eval { $json->decode($res->{body})->{token} };

		return if $client->is_away($res);
		$client->expect($res->{status} == 200 && defined $new, 'a token is replaced', $res) or return;
		for my $node ($client->nodes) {
			$res = $client->ask('index, fresh', $node, GET => $path, token => $new);
			$client->expect($res->{status} == 200, "the new token on node $node", $res);
		}
		refused_everywhere($client, 'the token before', $path, $old);
		refused_everywhere($client, 'the successor of a token that was shown again', $path, $new);
	}, sub {
		my $token = $world->{new_token}->() // return;
		my $res = $client->ask('index, fresh', $client->some_node, GET => $path, token => $token);
		$client->expect($res->{status} == 200, 'a new token', $res);
		$res = $client->ask('token', $client->some_node, DELETE => $tokens, token => $token);
		# the answer to an earlier attempt may have been lost
		$client->expect($res->{status} =~ /^(?:204|401)$/, 'a token is revoked', $res) or return;
		refused_everywhere($client, 'a token that was revoked', $path, $token);
	});
	my $n = 0;

	return (sub { $turns[$n++ % @turns]->() }, undef);
}

1;
