#!/usr/bin/perl

# Bytes that no version refers to are removed from the store, and a publish of equal bytes, at
# whatever moment it comes, always has its file.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Berth::Cluster;
use Berth::Fault;
use Berth::Test;

my $t = Berth::Test->new(workers => 6, keep_unused => '1h', publish_burst => 0, new_crate_burst => 0,
    log_level => 'info');
my $fault = Berth::Fault->new($t);
plan skip_all => $fault->missing if $fault->missing;

my @projects = map { $t->project("demo/p$_") } 1 .. 6;
$t->user('dev');
$t->member('dev', 'demo', 'developer');
my $token = $t->token('dev');

# The same bytes, whatever the project.
sub crate {
	my ($name) = @_;

	return $t->make_crate($name, '1.0.0', files => { 'noise' => $name x 100 });
}

sub publish {
	my ($name, $project) = @_;

	return $t->http(PUT => $t->registry($project // $projects[0]) . '/api/v1/crates/new',
	    { token => $token, body => $t->publish_body($t->metadata($name, '1.0.0'), crate($name)) });
}

sub path_of {
	my ($name) = @_;
	my $sha256 = sha256_hex(crate($name));

	return $t->store . '/' . substr($sha256, 0, 2) . '/' . substr($sha256, 2, 2) . "/$sha256";
}

sub row_of { return $t->psql("SELECT count(*) FROM blobs WHERE sha256 = '" . sha256_hex(crate($_[0])) . "'") }

# As a task that destroys versions would.
sub destroy {
	my ($name, $project) = @_;

	$t->psql("DELETE FROM versions v USING crates c WHERE c.id = v.crate_id AND c.name = '$name'"
	    . (defined $project ? " AND c.project_id = $project" : ''));
}

sub collect { $t->run_tasks('collect_blobs') }

# Each version that there is can be downloaded, byte for byte.
sub whole {
	my ($what, $name) = @_;
	my @ids = $t->psql("SELECT c.project_id FROM versions v JOIN crates c ON c.id = v.crate_id"
	    . " WHERE c.name = '$name'");
	my @bad = grep {
		my $res = $t->http(GET => $t->registry($_) . "/$name/1.0.0/download", { token => $token });
		$res->{status} != 200 || $res->{body} ne crate($name);
	} @ids;

	is("@bad", '', "$what: each of " . @ids . ' is there, byte for byte');
	return scalar @ids;
}

subtest 'what goes and what stays' => sub {
	is(publish($_)->{status}, 200, "$_ is published") for qw(used gone shared young);
	is(publish('shared', $projects[1])->{status}, 200, 'shared by two');
	my %foreign = map { $_ => $t->store . "/$_" } 'README', '00/README', 'ab/cd/' . 'ab' x 32;
	mkdir($t->store . "/$_") for qw(00 ab ab/cd);
	Berth::Test::write_file($_, 'x') for values %foreign;
	my $lost = 'abcd' . 'ef' x 30;
	Berth::Test::write_file($t->store . "/ab/cd/$lost", 'lost');
	destroy('gone');
	destroy('shared', $projects[1]);
	$t->long_together;
	$t->start_worker;
	collect();
	is(join(' ', map { -e path_of($_) ? 1 : 0 } qw(used gone shared young)), '1 1 1 1', 'nothing is old enough');
	ok(-e $t->store . "/ab/cd/$lost", 'nor is a file without a row');
	is($t->psql("SELECT count(*) FROM blobs WHERE unused_since IS NOT NULL"), 1, 'what is unused is known');
	is(publish('gone', $projects[2])->{status}, 200, 'it is used again');
	is($t->psql("SELECT count(*) FROM blobs WHERE unused_since IS NOT NULL"), 0, 'and that is known');
	destroy('gone');
	collect();
	$t->psql("UPDATE blobs SET unused_since = unused_since - interval '2 h'");
	utime(time - 7200, time - 7200, $t->store . "/ab/cd/$lost", values %foreign);
	collect();
	is(join(' ', map { -e path_of($_) ? 1 : 0 } qw(used gone shared young)), '1 0 1 1',
	    'what was unused for so long is gone');
	is(row_of('gone'), 0, 'with its row');
	ok(!-e $t->store . "/ab/cd/$lost", 'and so is the file without one');
	is(join(' ', map { -e $foreign{$_} ? 1 : 0 } 'README', '00/README', 'ab/cd/' . 'ab' x 32), '1 1 1',
	    'what is no blob, or lies where it does not belong, stays');
	like($t->log('worker'),
	    qr/kind=collect_blobs .* detail="1 blobs and 1 unknown files removed, 0 files of the trash"/, 'logged');
	whole('those that stay', $_) for qw(used shared);
	$t->conf(keep_unused => 0);
	kill('HUP', $t->{worker});
	ok($t->wait_for(sub { (() = $t->log('worker') =~ /msg=reloaded/g) == 1 }), 'from here on nothing is kept');
};

subtest 'a version needs a file of the trash' => sub {
	my $path = path_of('needed');
	my $trash = $t->store . '/trash/' . sha256_hex(crate('needed'));
	my $collect = sub {
		Berth::Test::write_file($trash, @_);
		utime(time - 7200, time - 7200, $trash);
		collect();
		return join(' ', map { -e $_ ? 1 : 0 } $path, $trash);
	};

	is(publish('needed')->{status}, 200, 'a version');
	unlink($path);
	is($collect->(crate('needed') ^ "\1"), '0 1', 'a damaged file stays, since there is no other copy');
	is($collect->(crate('needed')), '1 0', 'a sound file is put back');
	whole('afterwards', 'needed');
};

# A publish that has been held up at each of its steps for as long as one likes: meanwhile all
# that nothing refers to is collected, twice.
my @points = qw(blob:fsynced blob:linked blob:placed blob:directory_fsynced blob:kept
    send:crate_grow_index answered:crate_grow_index send:version_add answered:version_add
    send:session_commit sent:session_commit);
for my $there (0, 1) {
	my $what = $there ? 'its bytes are there' : 'its bytes are new';

	for my $point (map { $there && $_ eq 'blob:linked' ? 'blob:renewed' : $_ } @points) {
		my $name = ($there ? 'b-' : 'a-') . $point =~ tr/:_/--/r;

		if ($there) {
			publish($name, $projects[1]);
			destroy($name);
		}
		my $res = $fault->during($point, sub { publish($name) }, sub { collect() for 1, 2 });
		is($res->{status}, 200, "$what: $point: published") or diag($res->{body});
		is(whole("$what: $point", $name), 1, "$what: $point: it is one");
		destroy($name);
	}
}

# The other way round: the collector is held up, and a publish comes.
for my $known (1, 0) {
	for my $point ($known ? qw(send:blob_take answered:blob_take collect:taken collect:trashed collect:collected)
	    : qw(send:blob_take_name answered:blob_take_name collect:taken collect:trashed send:blob_drop_name
	    collect:collected)) {
		my $what = ($known ? 'an unused row' : 'a file without a row') . ": $point";
		my $name = ($known ? 'c-' : 'd-') . $point =~ tr/:_/--/r;

		is(publish($name)->{status}, 200, "$what: published");
		destroy($name);
		$t->psql("DELETE FROM blobs WHERE sha256 = '" . sha256_hex(crate($name)) . "'") unless $known;
		# marked, but not yet due
		$fault->arm($point, 'wait');
		$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'collect_blobs'; NOTIFY berth_tasks");
		ok($t->wait_for(sub { -e "$fault->{file}.taken" }), "$what: reached");
		my ($pid, $out) = in_background(sub { publish($name, $projects[3])->{status} });
		# it is through, or waits for the collector
		ok($t->wait_for(sub {
			return waitpid($pid, POSIX::WNOHANG()) == $pid || $t->psql("SELECT count(*) FROM pg_stat_activity"
			    . " WHERE datname = current_database() AND wait_event_type = 'Lock'"
			    . " AND application_name LIKE 'berth-fcgi%'") > 0;
		}), "$what: a publish comes");
		$fault->disarm;
		is(scalar <$out>, 200, "$what: it is published");
		waitpid($pid, 0);
		ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM tasks WHERE claimed_until IS NOT NULL") == 0 }),
		    "$what: the collector goes on");
		is(whole($what, $name), 1, "$what: it is one");
		destroy($name);
	}
}

# What the collector has read of a blob before it takes the blob need not be true any more.
subtest 'a blob that is used again' => sub {
	my $again = sub {
		my ($what, $change) = @_;
		my $name = 'again-' . $what =~ tr/ /-/r;

		publish($name);
		destroy($name);
		$fault->arm('send:blob_take', 'wait');
		$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'collect_blobs'; NOTIFY berth_tasks");
		ok($t->wait_for(sub { -e "$fault->{file}.taken" }), "$what: reached");
		is(publish($name)->{status}, 200, "$what: published");
		$change->($name);
		$fault->disarm;
		ok($t->wait_for(sub { $t->psql("SELECT count(*) FROM tasks WHERE claimed_until IS NOT NULL") == 0 }),
		    "$what: the collector goes on");
		is(row_of($name) . (-e path_of($name) ? 1 : 0), '11', "$what: it stays");
		destroy($name);
	};

	$again->('and then not', \&destroy);
	$again->('but counts as unused', sub { $t->psql("UPDATE blobs SET unused_since = '2020-01-01'"
	    . " WHERE sha256 = '" . sha256_hex(crate($_[0])) . "'") });
};

subtest 'the collector dies' => sub {
	for my $point (qw(answered:blob_take collect:taken collect:trashed send:session_commit collect:collected)) {
		my $name = 'e-' . $point =~ tr/:_/--/r;

		is(publish($name)->{status}, 200, "$point: published");
		destroy($name);
		$fault->arm($point, 'kill');
		$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'collect_blobs'; NOTIFY berth_tasks");
		ok($t->wait_for(sub { $t->has_ended('worker') }), "$point: it is dead") or last;
		delete $t->{workers}{worker};
		ok($fault->disarm, "$point: there");
		ok($t->wait_for(sub {
			return $t->psql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'berth-worker%'"
			    . " AND datname = current_database()") == 0;
		}), "$point: with its transaction");
		is(publish($name, $projects[4])->{status}, 200, "$point: published again");
		is(whole($point, $name), 1, "$point: whole");
		destroy($name);
		$t->start_worker;
		collect();
		ok(!-e path_of($name), "$point: the next one does it");
		is(row_of($name), 0, "$point: with its row");
	}
	is(publish('eio')->{status}, 200, 'published');
	destroy('eio');
	$fault->arm('collect:trash', 'eio');
	$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'collect_blobs'; NOTIFY berth_tasks");
	ok($t->wait_for(sub { $t->psql("SELECT error FROM tasks"
	    . " WHERE kind = 'collect_blobs'") =~ /rename .*: Input\/output error/ }),
	    'a disk that does not let it: fails');
	is(row_of('eio'), 1, 'the row stays');
	collect();
	is(row_of('eio') . (-e path_of('eio') ? 1 : 0), '00', 'until it does');
};

# Blobs are taken in the order of their names: this one comes before others and after others.  A run that has
# to stop after it and goes on later reports it, too.
for my $stops (0, 1) {
	subtest 'one that cannot be removed' . ($stops ? ', and a run that stops' : '') => sub {
		my @names = sort { sha256_hex(crate($a)) cmp sha256_hex(crate($b)) } map { "stuck$stops$_" } 1 .. 5;
		my $stuck = $names[2];
		my $is_told = sub { $t->psql("SELECT error FROM tasks WHERE kind = 'collect_blobs'")
		    =~ /1 files could not be removed: .*; the first one: .* is not a regular file/ };

		for my $name (@names) {
			is(publish($name)->{status}, 200, "$name is published");
			destroy($name);
		}
		unlink(path_of($stuck));
		mkdir(path_of($stuck)) or die path_of($stuck) . ": $!\n";
		# the run stops when it is through the page of rows
		$fault->arm('collect:collected', 'wait') if $stops;
		$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'collect_blobs'; NOTIFY berth_tasks");
		if ($stops) {
			ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'at work');
			kill('TERM', $t->{worker});
			$fault->disarm;
			is($t->stop_worker, 0, 'it ends');
			like($t->psql("SELECT progress FROM tasks WHERE kind = 'collect_blobs'"), qr/"failed": 1/,
			    'and has written down that one is left');
			$t->start_worker;
		}
		ok($t->wait_for($is_told), 'is reported');
		is(join(' ', grep { -e path_of($_) || row_of($_) } @names), $stuck, 'and does not keep the others');
		rmdir(path_of($stuck));
		collect();
		is(row_of($stuck), 0, 'later it goes as well');
	};
}

# Four publishers of the same bytes and two collectors without a waiting time, at full speed; versions
# are destroyed as soon as they are there.  So long that both have been at it often: some seconds, or
# more of them where all is slow.
subtest 'under load' => sub {
	my ($seconds, $most, $often, $published) = (12, 180, 30, 0);
	my $over = $t->dir . '/over';
	my $collected = sub {
		return scalar(() = join('', map { $t->log($_) }
		    qw(worker worker2)) =~ /detail="(?!0 blobs and 0 )\d+ blobs and/g);
	};
	my $before = $collected->();
	my $both = sub {
		my $good = 0;

		$good += Berth::Cluster::slurp($_) || 0 for glob("$over.*");
		return $good > $often && $collected->() > $before + 5;
	};

	$t->start_worker('worker2');
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		my ($enough, $latest) = map { time + $_ } $seconds, $most;
		my $done = eval {
			until (time > $latest || time > $enough && $both->()) {
				$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'collect_blobs';"
				    . " INSERT INTO tasks (kind) SELECT 'collect_blobs'"
				    . " WHERE (SELECT count(*) FROM tasks) < 12; NOTIFY berth_tasks");
				sleep(0.02);
			}
			1;
		} or warn $@;
		Berth::Test::write_file($over, '');
		POSIX::_exit($done ? 0 : 1);
	}
	# with more publishers one almost always has the bytes, and hardly anything is collected
	my @results = $t->parallel(2, sub {
		my ($n) = @_;
		my ($good, @said) = (0);

		while (!-e $over) {
			my $res = publish('twin', $projects[$n]);
			if ($res->{status} != 200) {
				push @said, "publish $res->{status} $res->{body}";
				next;
			}
			my $got = $t->http(GET => $t->registry($projects[$n]) . '/twin/1.0.0/download', { token => $token });
			if ($got->{status} == 200 && $got->{body} eq crate('twin')) {
				$good++;
				Berth::Test::write_file("$over.$n", $good);
			} else {
				push @said, "download $got->{status}";
			}
			destroy('twin', $projects[$n]);
		}
		return { good => $good, said => \@said };
	});
	waitpid($pid, 0);
	is($?, 0, 'collectors were woken all the time');
	my @said = map { @{ $_->{said} } } @results;
	$published += $_->{good} for @results;
	is("@said", '', 'nobody has to wait too long, no bytes are missing');
	cmp_ok($published, '>', $often, "$published publishes");
	my $times = $collected->() - $before;
	cmp_ok($times, '>', 5, "between which $times times something was collected");
	my $missing = () = $t->log('pool') =~ /was removed again/g;
	is($missing, 0, 'no publish has failed for it');
	$t->stop_worker('worker2');
};

# A run that has to stop goes on from there.
subtest 'a little at a time' => sub {
	$t->psql("INSERT INTO blobs (sha256, size) SELECT encode(sha256(n::text::bytea), 'hex'), 1"
	    . " FROM generate_series(1, 2500) n;"
	    . ' UPDATE blobs b SET unused_since = now()'
	    . ' WHERE NOT EXISTS (SELECT FROM versions v WHERE v.cksum = b.sha256)');
	$fault->arm('collect:collected', 'wait');
	$t->psql("UPDATE tasks SET run_at = now() WHERE kind = 'collect_blobs'; NOTIFY berth_tasks");
	ok($t->wait_for(sub { -e "$fault->{file}.taken" }), 'at work');
	kill('TERM', $t->{worker});
	$fault->disarm;
	is($t->stop_worker, 0, 'it ends');
	like($t->psql("SELECT progress FROM tasks WHERE kind = 'collect_blobs'"), qr/"rows_after": "[0-9a-f]{64}"/,
	    'and has written down where it was');
	cmp_ok($t->psql('SELECT count(*) FROM blobs'), '>', 1000, 'which is not the end');
	$t->start_worker;
	ok($t->wait_for(sub { $t->psql("SELECT progress IS NULL AND run_at > now() FROM tasks"
	    . " WHERE kind = 'collect_blobs'") eq 't' }), 'the next one goes on');
	is($t->psql('SELECT count(*) FROM blobs b'
	    . ' WHERE NOT EXISTS (SELECT FROM versions v WHERE v.cksum = b.sha256)'), 0, 'to the end');
};

done_testing();

# Runs the function in a process of its own: its pid, and where its answer comes out.
sub in_background {
	my ($body) = @_;

	pipe(my $in, my $out) or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		print {$out} $body->();
		close($out);
		POSIX::_exit(0);
	}
	close($out);
	return ($pid, $in);
}
