package Berth::Publish;

# A registry to publish to, and what is asked after each publish: was it refused
# in the shape that cargo prints, and did it leave nothing behind; or was it taken,
# and can the same bytes be had again.
#
#	my $p = Berth::Publish->new(max_entries => 50);     # keys of berth.conf
#	$p->refused('case 1: empty', $p->put(''), 400, qr/length/);
#	my $line = $p->taken('case 63: directories', 'foo', '1.0.0', $crate);
#	$p->covers(1 .. 16);
#
# A test that stands for a numbered case has a name that begins with `case N`.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Find ();
use Test::More;

use Berth::File qw(slurp);
use Berth::Json;
use Berth::Test;

# The private registry demo/registry and `dev`, a developer who may publish there.
sub new {
	my ($class, %settings) = @_;
	my $t = Berth::Test->new(%settings);
	my $self = bless { t => $t, id => $t->project('demo/registry') }, $class;

	$t->user('dev');
	$t->member('dev', 'demo', 'developer');
	$self->{token} = $t->token('dev');
	return $self;
}

sub test { $_[0]{t} }
sub id { $_[0]{id} }
sub token { $_[0]{token} }
sub root { $_[0]{t}->registry($_[0]{id}) }
sub new_path { $_[0]->root . '/api/v1/crates/new' }

# ---- requests ----

# As Berth::Test::http; remembers what there was before, for refused().
sub http {
	my ($self, $method, $path, $opt) = @_;

	$self->{before} //= $self->settled;
	my $res = $self->{t}->http($method, $path, $opt);
	delete $self->{before} if $res->{status} < 300;
	return $res;
}

# A publish, with the bytes of its body.
sub put {
	my ($self, $body, %opt) = @_;

	return $self->http(PUT => $self->new_path,
	    { token => $self->{token}, body => $body, %opt });
}

# A publish of these bytes; %over replaces keys of the metadata.
sub put_crate {
	my ($self, $name, $version, $crate, %over) = @_;

	my $metadata = Berth::Crate::metadata($name, $version, %over);

	return $self->put($self->{t}->publish_body($metadata, $crate));
}

# Something below the registry's root.
sub get {
	my ($self, $path) = @_;

	return $self->{t}->http(GET => $self->root . $path, { token => $self->{token} });
}

# As Berth::Test::publish.
sub publish {
	my ($self, $name, $version, %opt) = @_;
	my $over = delete $opt{metadata} // {};

	return $self->put_crate($name, $version, Berth::Crate::make($name, $version, %opt), %$over);
}

# ---- what a publish leaves ----

# Everything that one could leave behind: files of the store, rows, indexes.
sub state_of_things {
	my ($self) = @_;
	my $rows = $self->{t}->psql(<<'SQL');
SELECT (SELECT count(*) FROM crates), (SELECT count(*) FROM versions),
       (SELECT count(*) FROM dependencies), (SELECT count(*) FROM blobs),
       (SELECT count(*) FROM audit_events WHERE crate IS NOT NULL),
       (SELECT string_agg(concat_ws(' ', name, md5(index_body), index_revision), ', ' ORDER BY id)
          FROM crates)
SQL

	return join("\n", $rows, $self->files);
}

# The same when no upload is staged any more: a worker answers first and clears up after that.
sub settled {
	my ($self) = @_;

	$self->uploads_are_over;
	return $self->state_of_things;
}

# Files that a test itself puts into staging are named abab... and cdcd...
sub uploads_are_over {
	my ($self) = @_;
	my $staging = $self->{t}->store . '/staging';

	return $self->{t}->wait_for(sub { !grep { !m{/(?:(?:ab)+|(?:cd)+)$} } glob("$staging/" . '?' x 32) });
}

sub files {
	my ($self) = @_;
	my @files;
	my $wanted = sub { push @files, $_ if -f };

	File::Find::find({ no_chdir => 1, wanted => $wanted }, $self->{t}->store);
	return sort @files;
}

# The answer is an error as cargo reads it, and everything is as it was before.
sub refused {
	my ($self, $name, $res, $status, $detail) = @_;
	my $json = eval { $self->{t}->json($res) };

	is($res->{status}, $status, "$name: status") or diag($res->{body});
	is($res->{headers}{'content-type'}, 'application/json', "$name: JSON");
	is_deeply([map { ref } $json, $json->{errors}, $json->{errors}[0]],
	    ['HASH', 'ARRAY', 'HASH'], "$name: shape of cargo");
	like($json->{errors}[0]{detail} // '', $detail, "$name: detail");
	# a worker answers first
	my $now;
	$self->{t}->wait_for(sub { ($now = $self->state_of_things) eq $self->{before} });
	is($now, $self->{before}, "$name: nothing is left") or $self->show_holders;
	# what stays fails this case alone: the next one does not wait for it again
	$self->{before} = $now;
}

# Says which processes have files of the store open, and what each of their threads waits for.
sub show_holders {
	my ($self) = @_;
	my $store = $self->{t}->store;
	# a process may end while it is looked at
	my $read = sub { eval { slurp($_[0]) } // '?' };

	for my $fd (glob('/proc/[0-9]*/fd/*')) {
		my $path = readlink($fd) // next;
		next unless index($path, "$store/") == 0;
		my ($proc) = $fd =~ m{^(/proc/\d+)};
		my $program = $read->("$proc/cmdline") =~ tr/\0/ /r;
		diag("$proc: $program has $path open; its threads wait in ",
		    join(', ', map { $read->($_) } glob("$proc/task/*/wchan")));
	}
	diag("the pool says:\n", $self->{t}->log('pool'));
}

# Publishes the bytes, which must succeed; the same bytes can be downloaded and
# their line is in the index.  Returns { line, warnings }.
sub taken {
	my ($self, $name, $crate, $version, $bytes, %over) = @_;
	my $res = $self->put_crate($crate, $version, $bytes, %over);

	is($res->{status}, 200, "$name: taken") or diag($res->{body}), return {};
	my $warnings = $self->{t}->json($res)->{warnings}{other};
	$res = $self->get("/$crate/$version/download");
	ok($res->{status} == 200 && $res->{body} eq $bytes, "$name: the same bytes come back");
	my ($line) = grep { $_->{vers} eq $version } $self->index_lines($crate);
	is($line->{cksum}, sha256_hex($bytes), "$name: cksum in the index");
	return { line => $line, warnings => $warnings };
}

# The index of a crate, line by line.
sub index_lines {
	my ($self, $crate) = @_;
	my $res = $self->get('/' . index_path($crate));

	return () if $res->{status} != 200;
	return map { Berth::Json::decode($_) } split(/\n/, $res->{body});
}

# Where a crate is in the index.
sub index_path {
	my $n = lc shift;

	return length $n < 3 ? length($n) . "/$n" : length $n == 3 ? '3/' . substr($n, 0, 1) . "/$n"
	    : substr($n, 0, 2) . '/' . substr($n, 2, 2) . "/$n";
}

# Store and database hold the same bytes, each for a version, and nothing is half done.
sub agrees {
	my ($self, $name) = @_;
	my @names = grep { $_ ne 'registry-id' } map { (split m{/})[-1] } $self->files; # which is of the store
	my @blobs = $self->{t}->psql('SELECT sha256 FROM blobs ORDER BY sha256 COLLATE "C"');
	my @versions = $self->{t}->psql('SELECT DISTINCT cksum COLLATE "C" FROM versions'
	    . ' ORDER BY 1');
	my $empty = 'SELECT name FROM crates c'
	    . ' WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.crate_id = c.id)';

	is(join(' ', glob($self->{t}->store . '/staging/*')), '', "$name: nothing is half done");
	is_deeply([sort @names], \@blobs, "$name: each file of the store is known");
	is_deeply(\@blobs, \@versions, "$name: each is that of a version");
	is($self->{t}->psql($empty), '', "$name: no crate without a version");
}

# Each of these cases had a test.
sub covers {
	my ($self, @numbers) = @_;
	my %seen;

	for my $test (Test::More->builder->details) {
		$seen{$_}++ for $test->{name} =~ /^case (\d+(?:, \d+)*)/ ? split(/, /, $1) : ();
	}
	is(join(' ', grep { !$seen{$_} } @numbers), '', 'every case has its test');
}

1;
