#!/usr/bin/perl
# A request without a scope, or with an unknown one, is refused, on every way to a token; and a limit that is
# empty, cannot be read, or is for another route never means that there is none.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Berth::Cluster;
use Berth::Routes;
use Berth::Test;

my $t = Berth::Test->new(publish_burst => 0, new_crate_burst => 0, failed_login_burst => 0, token_burst => 0,
    job_token_burst => 0);
my $json = JSON::PP->new->canonical;
my $id = $t->project('demo/registry');
my $other = $t->project('demo/other');
my $group = $t->psql("SELECT id FROM groups WHERE full_path = 'demo'");
my $idp = 'https://ci.example.com';

$t->user('own');
$t->member('own', 'demo', 'owner');
my $token = $t->token('own');
my $minting = $t->berth_ok(qw(token add --deploy demo/registry --scopes create_job_token));
$t->psql("INSERT INTO trusted_issuers (url, kind, audience) VALUES ('$idp', 'generic', 'berth')");

# ---- the token page ----

my ($code) = $t->berth_ok(qw(user link own)) =~ /([0-9A-Za-z]{43})$/;
my $res = $t->http(POST => '/-/sign-in', { body => "code=$code&confirm=true",
    headers => ['Content-Type: application/x-www-form-urlencoded', 'Origin: ' . $t->url] });
my ($cookie) = ($res->{headers}{'set-cookie'} // '') =~ /^(__Host-berth=[^;]*)/;
my ($form) = $t->http(GET => '/-/tokens',
    { headers => ["Cookie: $cookie"] })->{body} =~ /name="form" value="([0-9a-f]{64})"/;

sub escape { return $_[0] =~ s/([^A-Za-z0-9_.-])/sprintf('%%%02X', ord $1)/ger; }

# Fields as [name, value] pairs, in their order.
sub page {
	my (@fields) = @_;

	return $t->http(POST => '/-/tokens',
	    { body => join('&', map { escape($_->[0]) . '=' . escape($_->[1]) } ['form', $form], @fields),
		headers => ["Cookie: $cookie", 'Content-Type: application/x-www-form-urlencoded',
		    'Origin: ' . $t->url] })->{status};
}

# The status, and what the answer says.
sub said {
	my ($method, $path, $body, $as) = @_;
	my $res = $t->http($method => $path, { token => $as // $token, body => $json->encode($body),
	    headers => ['Content-Type: application/json'] });

	return "$res->{status} $res->{body}";
}

sub api { return said(@_) =~ s/ .*//sr; }

sub command { return ($t->berth(@_))[0] == 2 ? 400 : 'done'; }

my @name = (['name', 'x']);
my @api = (@name, ['scope', 'api']);
my $project = "/api/v4/projects/$id";
my $cargo = "$project/packages/cargo";
my %trust = (issuer => $idp, claims => { sub => 'x' });
my %job = (user => 'own', pipeline => 1, job => 1);

# What limits a token on some route, but not on one that reads only those named.
sub foreign_limits {
	my %read = map { $_ => 1 } @_;
	my %limit = (scope => 'read_api', scopes => ['read_api'], crates => ['a'], operations => ['yank'],
	    expires => '2099-01-01', expires_at => '2099-01-01', expires_in => 60, ttl => 60);

	# no route reads a time as a list
	return (map { { $_ => $limit{$_} } } grep { !$read{$_} } sort keys %limit),
	    map { { "$_\[]" => $limit{$_} } } grep { !$read{$_} || !ref $limit{$_} } sort keys %limit;
}

# The ways, by route or command: what each refuses, and what it accepts.
my %ways = (
	token_page_create => {
		refused => [map { my $fields = $_; [$json->encode($fields), sub { page(@$fields) }] }
		    [@name], [@name, ['scope', '']], [@name, ['scope', ' ']], [@name, ['scope', 'all']],
		    [@name, ['scope', 'API']], [@name, ['scope', 'api,all']],
		    [@name, ['scopes', 'api']], [@name, ['scope', 'sudo']], [@name, ['scope', 'api,']],
		    [@api, ['operations', '']], [@api, ['operations[]', '']], [@api, ['operations[]', 'all']],
		    [@api, ['operations[]', 'yank'], ['operations[]', '']],
		    [@api, ['crates', ' ']], [@api, ['crates', ',']], [@api, ['crates', "\t, ,"]], [@api, ['crates', '**']],
		    [@api, ['crates', 'a b/c']]],
		taken => [map { my $fields = $_; [$json->encode($fields), sub { page(@$fields) }] } [@api],
		    [@name, ['scope', 'read_api']],
		    [@api, ['crates', '']], [@api, ['crates', 'abc, d*'], ['operations[]', 'yank']]],
	},
	(map { my ($name, $path) = @$_; $name => {
		refused => [map {
			my $body = { name => 'x', %$_ };

			[$json->encode($body), sub { api(POST => $path, $body) }];
		}
		    {}, { scopes => undef }, { scopes => [] }, { scopes => '' }, { scopes => [''] }, { scopes => ['all'] },
		    { scopes => ['api'] },
		    { scopes => ['read_package_registry', 'all'] }, { scopes => ['read_package_registry', ''] },
		    { scope => 'read_package_registry' },
		    (map { { scopes => ['read_package_registry'], %$_ } } foreign_limits(qw(scopes expires_at)))],
		taken => [[read => sub { api(POST => $path, { name => 'x', scopes => ['read_package_registry'] }) }]],
	} } ['deploy_token_create', "$project/deploy_tokens"],
	    ['deploy_token_create_group', "/api/v4/groups/$group/deploy_tokens"]),
	# the new one has what the old one has
	(map { my ($name, $path) = @$_; $name => {
		refused => [map { my $body = $_; [$json->encode($body), sub { api(POST => $path->(), $body) }] }
		    { scopes => ['read_api'] }, { scopes => [] }, { scopes => ['all'] }, { crates => [] },
		    foreign_limits('expires_at')],
	} } ['personal_token_rotate_self', sub { '/api/v4/personal_access_tokens/self/rotate' }],
	    ['personal_token_rotate',
	    sub { '/api/v4/personal_access_tokens/' . $t->psql('SELECT min(id) FROM tokens') . '/rotate' }]),
	job_token_create => {
		refused => [map {
			my $body = { %job, %$_ };

			[$json->encode($body), sub { api(POST => "$cargo/job_tokens", $body, $minting) }];
		}
		    { scopes => [] }, { operations => [] }, foreign_limits('ttl')],
		taken => [[job => sub { api(POST => "$cargo/job_tokens", \%job, $minting) }]],
	},
	trusted_exchange => {
		refused => [map {
			my $body = { jwt => 'a.b.c', %$_ };

			# the identity token is refused, too, but later
			[$json->encode($body), sub {
				return said(POST => "$cargo/trusted_publishing/tokens", $body) =~ /^(400) .* cannot be set here; / ? $1
				    : 'another reason';
			}];
		}
		    foreign_limits()],
	},
	trust_rule_add => {
		refused => [map {
			my $body = { %trust, %$_ };

			[$json->encode($body), sub { api(POST => "$cargo/trusted_publishing/rules", $body) }];
		}
		    { operations => [] }, { operations => '' }, { operations => [''] }, { operations => ['all'] },
		    { operations => ['yank', ''] },
		    { crates => [] }, { crates => '' }, { crates => [''] }, { crates => ['a', ''] }, { crates => ['a/b'] },
		    foreign_limits(qw(crates operations))],
		taken => [[rule => sub { api(POST => "$cargo/trusted_publishing/rules",
		    { %trust, operations => ['yank'], crates => ['a'] }) }]],
	},
	(map { my ($name, $path, $key, $target) = @$_; $name => {
		refused => [map {
			my $body = { $key => $target + 0, job_token_policies => $_ };

			[$json->encode($body), sub { api(POST => "$project/job_token_scope/$path", $body) }];
		}
		    [], '', [''], ['all'], ['read_packages', '']],
		taken => [[read => sub { api(POST => "$project/job_token_scope/$path",
		    { $key => $target + 0, job_token_policies => ['read_packages'] }) }]],
	} } ['job_token_allowlist_add', 'allowlist', 'target_project_id', $other],
	    ['job_token_groups_allowlist_add', 'groups_allowlist', 'target_group_id', $group]),
	'berth token add' => {
		refused => [map { my $args = $_; ["@$args", sub { command(qw(token add), @$args) }] }
		    [qw(--user own)], [qw(--user own --scopes), ''], [qw(--user own --scopes all)],
		    ['--user', 'own', '--scopes', 'api,'], [qw(--user own --scopes api --crates), ''],
		    [qw(--user own --scopes api --operations), ''], [qw(--user own --scopes api --operations all)],
		    ['--user', 'own', '--scopes', 'api', '--crates', 'a,'],
		    [qw(--deploy demo)], [qw(--deploy demo --scopes), ''], [qw(--deploy demo --scopes api)],
		    ['--deploy', 'demo', '--scopes', 'read_package_registry,']],
	},
	'berth trust add' => {
		refused => [map {
			my $args = $_;

			["@$args", sub { command(qw(trust add demo/registry sub=x --issuer), $idp, @$args) }];
		}
		    ['--operations', ''], [qw(--operations all)], ['--crates', ''], ['--crates', 'a,']],
	},
	'berth project allow' => {
		refused => [map {
			my $args = $_;

			["@$args", sub { command(qw(project allow demo/registry --from demo/other), @$args) }];
		} ['--policies', ''], [qw(--policies all)]],
	},
);

sub rows {
	return $t->psql('SELECT (SELECT count(*) FROM tokens) || \' \' || (SELECT count(*)'
	    . ' FROM trust_rules) || \' \' || (SELECT count(*) FROM job_token_allowlist)');
}

for my $way (sort keys %ways) {
	my $before = rows();
	my @wrong = map { my $status = $_->[1]->(); $status eq '400' ? () : "$_->[0]: $status" }
	    @{ $ways{$way}{refused} };

	is(join("\n", @wrong), '', "$way: refused");
	is(rows(), $before, '  and nothing comes of it');
	for my $taken (@{ $ways{$way}{taken} // [] }) {
		like($taken->[1]->(), qr/^20[01]$/, "  but $taken->[0]: taken");
	}
}

# The list is complete: all routes that make a token, or a rule that gives tokens.
my %no_way = map { $_ => 1 }
    qw(sign_in sign_out token_page_revoke member_add member_add_group protection_rule_create);
for my $route (Berth::Routes::all()) {
	next if !grep { $_ eq 'POST' } @{ $route->{methods} };
	ok($ways{ $route->{name} } || $no_way{ $route->{name} }, "$route->{name}: is known here");
}

# An unreadable limit in the database allows nothing, never everything: the table refuses it, or
# the token may do nothing.
for my $limit ("operations = '{}'", "operations = '{all}'", "crate_patterns = '{}'",
    "crate_patterns = '{/}'") {
	my $limited = $t->token('own', operations => 'publish-new', crates => 'a*');
	my (undef, undef, $err) = Berth::Cluster::capture('psql', '-XAtq', '-d', $t->dsn('postgres'), '-c',
	    "UPDATE tokens SET $limit WHERE id = (SELECT max(id) FROM tokens)");

	ok($err =~ /violates check constraint/ || $t->publish($id, $limited, 'abcd', '1.0.0')->{status} == 403,
	    "$limit: nothing");
}

done_testing();
