package Berth::Bench::Workspace;

# The real cargo publishes a workspace of 50 crates: five layers of ten, each crate depends on one of the
# layer before, so that cargo waits for each layer until the index shows it.

use strict;
use warnings;

use File::Path qw(make_path remove_tree);
use Time::HiRes qw(time);

use Berth::Bench::Cargo;
use Berth::Cluster;
use Berth::Test;

use constant { LAYERS => 5, WIDTH => 10 };

my $count = 0;

sub run {
	my ($stand, $report, $opt) = @_;
	my $missing = Berth::Test::cargo_missing();

	if ($missing ne '') {
		print "cargo: $missing\n";
		return;
	}
	return if $opt->{c};
	for my $round (1 .. $opt->{r}) {
		my %measured;

		for my $who ($stand->contenders(qw(before berth))) {
			my $dir = $who eq 'before'
			    ? $stand->before->ask('Berth::Bench::Cargo::package_for', 'berth', $stand->before->port)
			    : Berth::Bench::Cargo::package_for($stand, $who, $stand->test->port);

			$measured{$who} = { rate => 1 / publish($dir), cpu => {} };
			remove_tree($dir);
		}
		$report->add('workspace', 'cargo publish, ' . LAYERS * WIDTH . ' crates', \%measured);
	}
	return;
}

# Seconds until all crates can be used; $dir has cargo's settings.
sub publish {
	my ($dir) = @_;
	my $workspace = workspace("$dir/workspace", 'ws' . $$ . '-' . ++$count);
	my %env = map { ($_ => undef) } grep { /^(?:CARGO_|https?_proxy$|all_proxy$)/i } keys %ENV;
	my $start = time;
	my ($status, $out, $err) = Berth::Cluster::capture({ dir => $workspace,
		env => { %env, CARGO_HOME => "$dir/home", no_proxy => '*' } },
	    qw(cargo publish --workspace --no-verify --allow-dirty --registry bench));

	die "cargo publish: $out$err" if $status != 0;
	return time - $start;
}

# Makes it, with names that begin so; returns its folder.
sub workspace {
	my ($dir, $prefix) = @_;
	my $name = sub { "$prefix-$_[0]-$_[1]" };

	for my $layer (0 .. LAYERS - 1) {
		for my $i (0 .. WIDTH - 1) {
			my $crate = $name->($layer, $i);
			my $below = $layer == 0 ? '' : $name->($layer - 1, $i);

			make_path("$dir/$crate/src");
			Berth::Test::write_file("$dir/$crate/src/lib.rs", '');
			Berth::Test::write_file("$dir/$crate/Cargo.toml", "[package]\nname = \"$crate\"\n"
			    . "version = \"1.0.0\"\nedition = \"2021\"\nlicense = \"MIT\"\ndescription = \"x\"\n"
			    . "[dependencies]\n" . ($below eq '' ? ''
				: "$below = { version = \"1\", path = \"../$below\", registry = \"bench\" }\n"));
		}
	}
	Berth::Test::write_file("$dir/Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"*-*-*\"]\n");
	return $dir;
}

1;
