#!/usr/bin/perl

# Protection rules: under which names who may publish and yank.  The names of a rule are
# compared in their normal form, so no other spelling gets past it (V11).

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Berth::Fault;
use Berth::Publish;

my $p = Berth::Publish->new(workers => 3);
my $t = $p->test;
my $fault = Berth::Fault->new($t);
my $project = 'demo/registry';
my %level = (developer => 30, maintainer => 40, owner => 50, admin => 60);
my %token = (developer => $p->token);

for my $who (qw(maintainer owner)) {
	$t->user($who);
	$t->member($who, 'demo', $who);
	$token{$who} = $t->token($who);
}
# an administrator who is no member
$t->user('admin', admin => 1);
$token{admin} = $t->token('admin');

sub protect { my (@rule) = @_; return $t->berth_ok('protect', 'add', $project, @rule); }
sub unprotect { $t->berth_ok('protect', 'remove', $project, $_) for @_; }

sub body { my ($name, $version) = @_; return $t->publish_body($t->metadata($name, $version),
    $t->make_crate($name, $version)); }

sub refused {
	my ($name, $res, $pattern, $level) = @_;

	$p->refused($name, $res, 403,
	    qr/^package protected: .*level `$level`.*rule `\Q$pattern\E`$/);
}

subtest 'levels' => sub {
	my $minor = 0;

	for my $need (qw(maintainer owner admin)) {
		my $rule = protect("for-$need", '--push', $need);

		for my $who (sort { $level{$a} <=> $level{$b} } keys %level) {
			my $version = '1.' . $minor++ . '.0';
			my $res = $p->put(body("for-$need", $version), token => $token{$who});

			if ($level{$who} >= $level{$need}) {
				is($res->{status}, 200, "$need is needed: $who publishes")
				    or diag($res->{body});
			} else {
				refused("$need is needed, not $who", $res, "for-$need", $need);
			}
		}
		unprotect($rule);
		is($p->put(body("for-$need", '2.0.0'))->{status}, 200, "$need: the rule is gone");
	}
	my $delete = protect('kept', '--delete', 'owner');
	is($p->put(body('kept', '1.0.0'))->{status}, 200, 'a rule for delete lets publish');
	unprotect($delete);
	$p->agrees('levels');
};

subtest 'names and patterns' => sub {
	my @cases = (
		# pattern, what it protects, what not
		['foo_Bar', ['foo-bar', 'Foo_bar', 'FOO-BAR'], ['foobar', 'foo-bar2', 'xfoo-bar']],
		['pre-*', ['pre-a', 'Pre_a', 'pre--'], ['pre', 'prea', 'apre-a']],
		['*_sys', ['a-sys', 'a_SYS', 'A-b-sys'], ['sys', 'a-sys2', 'asys']],
		['mid*dle', ['middle', 'mid-x-dle', 'MIDDLE'], ['midle', 'middles']],
		['*in*', ['in', 'xin', 'inx', 'x_in_x'], ['i-n', 'ni']],
		['q**r', ['qr', 'q-r'], ['q', 'rq']],
		['a' x 64, ['a' x 64], ['a' x 63]],
	);

	for my $case (@cases) {
		my ($pattern, $yes, $no) = @$case;
		my $rule = protect($pattern, '--push', 'maintainer');

		refused("$pattern: $_", $p->put(body($_, '1.0.0')), $pattern,
		    'maintainer') for @$yes;
		for my $name (@$no) {
			my $res = $p->put(body($name, '1.0.0'));

			is($res->{status}, 200, "$pattern: not $name") or diag($res->{body});
		}
		unprotect($rule);
	}
	my $all = protect('*', '--push', 'owner');
	refused('everything', $p->put(body($_, '3.0.0')), '*', 'owner') for qw(a foobar);
	is($p->put(body('a', '3.0.0'), token => $token{owner})->{status}, 200, 'an owner may');
	unprotect($all);
	$p->agrees('names and patterns');
};

subtest 'what LIKE gives a meaning to stands for itself' => sub {
	# the command refuses these, another door to the table may not
	my $find = "SELECT count(*) FROM protection_rules WHERE '%s' LIKE name_like";
	my @cases = (['a%b', 'axb', 0], ['a%b', 'a%b', 1], ['a\\b', 'ab', 0], ['a\\b', 'a\\b', 1],
	    ['a\\*', 'a\\x', 1], ['a\\*', 'a*', 0], ['a\\%', 'a%', 0], ['a\\%', 'a\\%', 1], ['*%',
	    'x', 0], ['*%', 'x%', 1], ['a_b', 'axb', 0], ['a_b', 'a-b', 1]);

	for my $case (@cases) {
		my ($pattern, $name, $matches) = @$case;

		$t->psql('INSERT INTO protection_rules (project_id, package_name_pattern,'
		    . ' normalized_pattern, minimum_access_level_for_push) SELECT ' . $p->id
		    . ", s, replace(lower(s), '_', '-'), 40 FROM (SELECT '$pattern'::text AS s) q");
		is($t->psql(sprintf($find, $name)), $matches, "$pattern and $name");
		$t->psql('DELETE FROM protection_rules');
	}
};

subtest 'several rules' => sub {
	my @rules = (protect('many-*', '--push', 'maintainer'), protect('*-x', '--push', 'admin'),
		protect('many-x', '--delete', 'owner'));

	refused('the strictest is named', $p->put(body('many-x', '1.0.0'), token => $token{owner}),
	    '*-x', 'admin');
	is($p->put(body('many-y', '1.0.0'), token => $token{owner})->{status}, 200,
	    'where only the milder one matches');
	is($p->put(body('many-x', '1.0.0'), token => $token{admin})->{status}, 200,
	    'an administrator meets all');
	my $other = $t->project('demo/other');
	is($t->publish($other, $token{developer}, 'many-x', '1.0.0')->{status}, 200,
	    'another project has its own');
	unprotect(@rules);
};

subtest 'deploy tokens and jobs' => sub {
	my $rule = protect('shared-*', '--push', 'maintainer');
	my %by = (deploy => $t->deploy_token($project, 'read', 'write'),
		map { ("job of a $_" => $t->job_token($project, $_ eq 'developer' ? 'dev' : $_)) }
		    qw(developer maintainer));

	refused("a $_", $p->put(body('shared-a', '1.0.0'), token => $by{$_}), 'shared-*',
	    'maintainer') for 'deploy', 'job of a developer';
	is($p->put(body('shared-a', '1.0.0'), token => $by{'job of a maintainer'})->{status}, 200,
	    'a job is as much as who started it');
	is($p->put(body('own-a', '1.0.0'), token => $by{deploy})->{status}, 200,
	    'a deploy token publishes what is not protected');
	refused('a deploy token does not yank', $p->http(DELETE =>
	    $p->root . '/api/v1/crates/shared-a/1.0.0/yank', { token => $by{deploy} }), 'shared-*',
	    'maintainer');
	unprotect($rule);
};

subtest 'yank' => sub {
	my $R = $p->root . '/api/v1/crates';

	is($p->put(body('Yank_me', '1.0.0'))->{status}, 200, 'published');
	my $rule = protect('yank*', '--push', 'maintainer');
	for my $spelling (qw(Yank_me yank-me YANK_ME)) {
		refused("$spelling: not by a developer",
		    $p->http(DELETE => "$R/$spelling/1.0.0/yank", { token => $token{developer} }),
		    'yank*', 'maintainer');
	}
	is($p->http(DELETE => "$R/yank-me/2.0.0/yank", { token => $token{developer} })->{status},
	    404, 'what does not exist');
	is($p->http(DELETE => "$R/yank-me/1.0.0/yank", { token => $token{maintainer} })->{status},
	    200, 'a maintainer may');
	refused('unyank: not by a developer', $p->http(PUT => "$R/yank-me/1.0.0/unyank",
	    { token => $token{developer} }), 'yank*', 'maintainer');
	is($p->http(GET => $p->root . '/yank-me/1.0.0/download',
	    { token => $token{developer} })->{status}, 404,
	    'a download asks for the name as published');
	is($p->http(GET => $p->root . '/Yank_me/1.0.0/download',
	    { token => $token{developer} })->{status}, 200, 'everybody still reads');
	unprotect($rule);
};

SKIP: {
	my $missing = $fault->missing;

	skip $missing, 1 if $missing;
	subtest 'a rule that comes while a publish is under way' => sub {
		my $before = $t->psql('SELECT count(*) FROM versions');
		my $rule;
		my $res = $fault->during('answered:version_check_new',
		    sub { return $t->http(PUT => $p->new_path,
			{ token => $token{developer}, body => body('racing', '1.0.0') }) },
		    sub { $rule = protect('racing', '--push', 'maintainer') });

		is($res->{status}, 403, 'counts') or diag($res->{body});
		like($res->{body}, qr/package protected/, 'says why');
		is($t->psql('SELECT count(*) FROM versions'), $before, 'no version');
		is($t->psql("SELECT count(*) FROM crates WHERE name = 'racing'"), 0, 'no crate');
		is($t->psql("SELECT count(*) FROM audit_events WHERE crate = 'racing'"), 0,
		    'no audit row');
		is($t->http(GET => $p->root . '/ra/ci/racing',
		    { token => $token{developer} })->{status}, 404, 'no index');
		unprotect($rule);
	};
}

subtest 'the command' => sub {
	my $json = JSON::PP->new;
	my $fails = sub {
		my ($name, $want, $why, @args) = @_;
		my ($status, $out, $err) = $t->berth('protect', @args);

		is("$status$out", $want, "$name: exit status");
		like($err, $why, "$name: says why");
	};

	is($t->psql('SELECT count(*) FROM protection_rules'), 0, 'no rule is left');
	is($t->berth_ok(qw(protect list), $project, '--json'), '[]', 'none');
	my $id = protect('Lib_*', '--push', 'owner', '--delete', 'admin');
	like($id, qr/^[1-9]\d*$/, 'prints the id');
	my $rules = $json->decode($t->berth_ok(qw(protect list Demo/Registry --json)));
	like(delete $rules->[0]{created_at}, qr/^\d{4}-/, 'when');
	is_deeply($rules, [{ id => $id + 0, pattern => 'Lib_*', push => 'owner',
	    delete => 'admin' }], 'list, JSON');
	like($t->berth_ok(qw(protect list), $project), qr/^$id +owner +admin +\S+ +Lib_\*$/m,
	    'list');
	my $more = $json->decode(protect('x', '--delete', 'owner', '--json'));
	is_deeply($more, { id => $more->{id}, pattern => 'x', push => undef, delete => 'owner' },
	    'add, JSON');
	$fails->('the same in another spelling', 1, qr/already has a protection rule for `LIB-\*`/,
	    'add', $project, qw(LIB-* --push admin));
	$fails->('no level', 2, qr/needs a level for push or for delete/, 'add', $project, 'y');
	$fails->('a level that is none', 2, qr/must be maintainer, owner or admin, not `developer`/,
	    'add', $project, qw(y --push developer));
	$fails->('maintainers delete nothing', 2, qr/must be owner or admin, not `maintainer`/,
	    'add', $project, qw(y --delete maintainer));
	$fails->('what no name has', 2, qr/`y\.\*` may contain only/, 'add', $project,
	    qw(y.* --push owner));
	$fails->('an empty pattern', 2, qr/is empty/, 'add', $project, '', qw(--push owner));
	$fails->('256 bytes', 2, qr/longer than 255 bytes/, 'add', $project, 'y' x 256,
	    qw(--push owner));
	$fails->('no project', 1, qr/project `demo\/none` does not exist/,
	    qw(add demo/none y --push owner));
	$fails->('list of no project', 1, qr/does not exist/, qw(list demo/none));
	$fails->('no rule', 1, qr/has no protection rule 999/, 'remove', $project, 999);
	$fails->('a rule of another project', 1, qr/`demo\/other` has no protection rule $id/,
	    qw(remove demo/other), $id);
	$fails->('no id', 2, qr/`one` is not a valid id of a protection rule/, 'remove', $project, 'one');
	is($t->berth_ok(qw(protect remove), $project, $id), $id, 'remove prints the id');
	$fails->('twice', 1, qr/has no protection rule $id/, 'remove', $project, $id);

	$t->psql('INSERT INTO protection_rules (project_id, package_name_pattern,'
	    . ' normalized_pattern, minimum_access_level_for_push) SELECT ' . $p->id
	    . ", 'n' || i, 'n' || i, 40 FROM generate_series(1, 98) i");
	my @done = $t->parallel(4, sub { ($t->berth('protect', 'add', $project, "p$_[0]", '--push',
	    'owner'))[0] });
	is_deeply([sort @done], [0, 1, 1, 1], 'four at once want the hundredth place: one gets it');
	is($t->psql('SELECT count(*) FROM protection_rules'), 100, 'a hundred');
	$fails->('one more', 1, qr/has 100 protection rules, and no more/, 'add', $project,
	    qw(last --push owner));
	is(($t->berth(qw(protect add demo/other last --push owner)))[0], 0,
	    'another project has room');
};

subtest 'what the table refuses' => sub {
	my @cases = (
		["'b', 'b', NULL, NULL", 'protection_rules_check'],
		["'A_b', 'A_b', 40, NULL", 'protection_rules_check'],
		["'b', 'b', 30, NULL", 'protection_rules_minimum_access_level_for_push_check'],
		["'b', 'b', NULL, 40", 'protection_rules_minimum_access_level_for_delete_check'],
		["'', '', 40, NULL", 'protection_rules_package_name_pattern_check'],
		["repeat('a', 256), repeat('a', 256), 40, NULL",
		    'protection_rules_package_name_pattern_check'],
		["'A', 'a', 50, NULL", 'protection_rules_project_id_normalized_pattern_key'],
	);
	my $insert = 'INSERT INTO protection_rules (project_id, package_name_pattern,'
	    . ' normalized_pattern, minimum_access_level_for_push,'
	    . ' minimum_access_level_for_delete) VALUES (' . $p->id;

	$t->psql('DELETE FROM protection_rules');
	$t->psql("$insert, 'a', 'a', 40, NULL)");
	for my $case (@cases) {
		my (undef, undef, $err) = Berth::Cluster::capture('psql', '-XAtq', '-d',
		    $t->dsn('postgres'), '-c', "$insert, $case->[0])");

		like($err, qr/$case->[1]/, $case->[0]);
	}
};

done_testing();
