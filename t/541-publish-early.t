#!/usr/bin/perl

# Berth refuses a publish by its metadata before it inspects the crate, or reads a large one: with the same
# words and the same status as ever.  The crates here are no crates, and the inspector records its calls.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(stat);

use Berth::Metrics;
use Berth::Publish;

my $p = Berth::Publish->new(workers => 2, cache_dir => undef);
my $t = $p->test;
my $project = 'demo/registry';
my $called = $t->dir . '/inspected';
Berth::Test::write_file($t->dir . '/inspector', <<"END");
#!/bin/sh
echo >'$called'
exec @{[ $t->build ]}/berth-inspect "\$@"
END
chmod(0755, $t->dir . '/inspector');

$t->user($_) for qw(maintainer outsider);
$t->member('maintainer', 'demo', 'maintainer');
my %token = (dev => $p->token, maintainer => $t->token('maintainer'), outsider => $t->token('outsider'),
    other => $t->token('dev', crates => 'other-*'),
    update => $t->token('dev', operations => 'publish-update'));

# What there is before.
is($p->publish('there', $_)->{status}, 200, "there $_") for qw(1.0.0 1.1.0 1.2.0);
is($p->publish($_, '1.0.0')->{status}, 200, $_) for qw(gone guarded given);
$t->berth_ok('delete', $project, 'there@1.1.0');
$t->berth_ok('delete', $project, 'gone');
$t->berth_ok('protect', 'add', $project, 'guarded', '--push', 'maintainer');
$t->psql(q(INSERT INTO crate_owners (crate_id, user_id, project_id)
    SELECT c.id, u.id, c.project_id FROM crates c, users u
     WHERE c.name = 'given' AND u.username = 'outsider'));
# a destroyed version, whose checksum is known
$t->psql(q(INSERT INTO tombstones (crate_id, version_base, cksum)
    SELECT id, '1.3.0', repeat('0', 64) FROM crates WHERE name = 'there'));
$t->conf(inspector => $t->dir . '/inspector');
$t->stop_pool;
$t->start_pool;

sub stages {
	my $m = Berth::Metrics->parse($t->http(GET => '/-/metrics')->{body});

	return { map { $_ => $m->value('berth_publish_stage_duration_seconds_count', stage => $_) // 0 }
		qw(read inspect store) };
}

sub put {
	my ($who, $name, $version, %opt) = @_;
	my $metadata = Berth::Crate::metadata($name, $version, %{ $opt{metadata} // {} });

	return $p->put($t->publish_body($metadata, 'x' x ($opt{size} // 1000)), token => $token{$who});
}

my $dependency = { name => 'unheard-of', version_req => '^1', features => [], optional => \0,
	default_features => \1,
	target => undef, kind => 'normal', registry => undef, explicit_name_in_toml => undef };

# name, who, crate, version, status, sentence, options; quota => keys of the project for the time
my @cases = (
	['a version that is there', 'dev', 'there', '1.0.0', 400, qr/^crate version `1\.0\.0` is already uploaded$/],
	['with other build metadata', 'dev', 'there', '1.0.0+x', 400,
	    qr/^crate version `1\.0\.0` is already uploaded$/],
	['a deleted one that can come back', 'dev', 'there', '1.1.0', 400,
	    qr/^crate version `1\.1\.0` was deleted; it can be restored/],
	['the name of a deleted crate', 'dev', 'gone', '2.0.0', 400,
	    qr/^crate `gone` was recently deleted; its name will be available after/],
	['another spelling', 'dev', 'There', '2.0.0', 400, qr/^crate was previously named `there`$/],
	['a protected name', 'dev', 'guarded', '2.0.0', 403, qr/^package protected: .*`maintainer`.*`guarded`$/],
	['a crate that was not given', 'outsider', 'there', '2.0.0', 403, qr/or ownership of the crate$/],
	['a token for other crates', 'other', 'there', '2.0.0', 403,
	    qr/does not have the required permissions .*: it does not cover the crate `there`, only `[^`]+`$/],
	['a token for no new crates', 'update', 'brand-new', '1.0.0', 403,
	    qr/does not have the required permissions .*: it lacks the operation `publish-new`$/],
	['a dependency that is not there', 'dev', 'there', '2.0.0', 400,
		qr/^no known crate named `unheard-of` in this registry;/,
		metadata => { deps => [$dependency] }],
	['a malformed dependency', 'dev', 'there', '2.0.0', 400, qr/^wildcard/,
		metadata => { deps => [{ %$dependency, version_req => '*' }] }],
	['a quota of crates', 'dev', 'brand-new', '1.0.0', 403, qr/^the quota of `demo\/registry` is 3 crates:/,
	    quota => 'quota_crates=3'],
	['a quota of bytes', 'dev', 'there', '2.0.0', 403, qr/^the quota of .* and this needs 5000 more$/,
	    size => 5000, quota => 'bytes'],
);
my $used = $t->psql(q(SELECT sum(size) FROM versions WHERE status <> 'pending_destruction'));
my $before = stages();

for my $case (@cases) {
	my ($name, $who, $crate, $version, $status, $detail, %opt) = @$case;
	my $quota = $opt{quota};

	# for a body of this size there is room, as nginx's subrequest sees it: a part might be metadata
	$quota = 'quota_bytes=' . ($used + 4999) if defined $quota && $quota eq 'bytes';
	$t->berth_ok('project', 'set', $project, $quota) if defined $quota;
	my $res = put($who, $crate, $version, %opt);
	$p->refused($name, $res, $status, $detail);
	is(join(' ', $t->routes_of($res, 1)), 'publish', "$name: by the publish");
	$t->berth_ok('project', 'set', $project, $quota =~ s/=.*/=/r) if defined $quota;
}
ok(!-e $called, 'nothing was inspected');
is_deeply(stages(), $before, 'and no publish passed the checks');

# The worker reads a small crate while the database answers, but no large one.
sub staged { return (stat($t->dir . '/store/staging'))[9] // die "no staging\n"; }
my $staged = staged();
my $there = qr/^crate version `1\.0\.0` is already uploaded$/;
$p->refused('with a large crate', put('dev', 'there', '1.0.0', size => 262_145), 400, $there);
is(staged(), $staged, 'which was not read');
$p->refused('with a small one', put('dev', 'there', '1.0.0', size => 262_144), 400, $there);
isnt(staged(), $staged, 'which was read, and removed');
is_deeply([glob($t->dir . '/store/staging/*')], [], 'nothing is left of it');
for my $case (['1.0.0', $there], ['2.0.0', qr/^invalid tarball length for remaining payload: 1000$/]) {
	my ($version, $detail) = @$case;
	my $body = $t->publish_body(Berth::Crate::metadata('there', $version), 'x' x 1000);

	$p->refused("$version, cut off", $p->put(substr($body, 0, -1), token => $token{dev}), 400, $detail);
}

# Refusals that need the bytes, but no inspection.
$before = stages();
$p->refused('a deleted version with other bytes', put('dev', 'there', '1.3.0'), 400,
    qr/^crate version `1\.3\.0` was deleted and cannot be published again with other bytes$/);
ok(!-e $called, 'without an inspection, too');
is(stages()->{read}, $before->{read} + 1, 'the crate was read');

# The rate limit comes first, and a refused publish counts.
$t->conf(publish_burst => 2, publish_per_minute => 1, new_crate_burst => 2, new_crate_per_minute => 1);
$t->stop_pool;
$t->psql('DELETE FROM rate_limits'); # what was spent above, which these would pay for
is(put('dev', 'there', '1.0.0')->{status}, 400, 'a version that is there') for 1, 2;
$p->refused('too many of them', put('dev', 'there', '1.0.0'), 429,
    qr/^too many versions were published in a short time/);

# A good publish is still inspected and accepted.
is(put('maintainer', 'guarded', '2.0.0')->{status}, 400, 'a maintainer gets past the rule, with no crate');
ok(-e $called, 'that was inspected');
is($p->put($t->publish_body($t->metadata('given', '1.0.1'), $t->make_crate('given', '1.0.1')),
    token => $token{outsider})->{status}, 200, 'who was given the crate publishes it');

done_testing();
