package Berth::Bench::Cargo;

# The real cargo: `cargo update` of a package with 400 dependencies, without and with a cache of
# the index, over a line of 0 and of 50 ms there and back.

use strict;
use warnings;

use File::Path qw(make_path remove_tree);
use Time::HiRes qw(time);

use Berth::Bench::Delay;
use Berth::Cluster;
use Berth::Populate;
use Berth::Publish;

use constant DEPENDENCIES => 400;

my %lines = (0 => '0 ms', 50 => '50 ms');

sub run {
	my ($stand, $report, $opt) = @_;
	my $missing = Berth::Test::cargo_missing();

	if ($missing ne '') {
		print "cargo: $missing\n";
		return;
	}
	return if $opt->{c};
	my @names = map { 'dep-' . Berth::Populate::crate_name($_) } 0 .. DEPENDENCIES - 1;
	prepare($stand, @names);
	$stand->before->ask('Berth::Bench::Cargo::prepare', @names) if $stand->before;
	for my $delay (sort { $a <=> $b } keys %lines) {
		my $proxy = Berth::Bench::Delay->start($stand->test->port, $delay / 2000);
		my $other = $stand->before && Berth::Bench::Delay->start($stand->before->port, $delay / 2000);

		for my $round (1 .. $opt->{r}) {
			my (%cold, %warm);

			for my $who ($stand->contenders(qw(static before berth public))) {
				my $dir = $who eq 'before'
				    ? $stand->before->ask('Berth::Bench::Cargo::package_for', 'berth', $other->port, @names)
				    : package_for($stand, $who, $proxy->port, @names);

				$cold{$who} = { rate => 1 / update($stand, $who, $dir), cpu => {} };
				$warm{$who} = { rate => 1 / update($stand, $who, $dir), cpu => {} };
				remove_tree($dir);
			}
			$report->add('cargo', "cargo update, cold, $lines{$delay}", \%cold);
			$report->add('cargo', "cargo update, warm, $lines{$delay}", \%warm);
		}
		$_->stop for grep { $_ } $proxy, $other;
	}
	return;
}

# The crates in both projects, and the files of a registry that nginx sends alone.
sub prepare {
	my ($stand, @names) = @_;
	my $t = $stand->test;
	my ($from, $to) = map { $stand->project($_) } qw(berth public);
	my $list = join(',', map { "'$_'" } @names);

	Berth::Populate::add($stand->dsn, project => $from, crates => [map { [$_, 10] } @names]);
	$t->psql("INSERT INTO crates (project_id, name, normalized_name, index_body)"
	    . " SELECT $to, name, normalized_name, index_body FROM crates"
	    . " WHERE project_id = $from AND name IN ($list)");
	for my $row ($t->psql("SELECT name, encode(index_body, 'hex') FROM crates"
	    . " WHERE project_id = $from AND name IN ($list)")) {
		my ($name, $hex) = split(/\|/, $row);
		my $path = Berth::Publish::index_path($name);

		make_path($stand->dir . '/registry/' . $path =~ s{/[^/]+$}{}r);
		# nginx wants the plain file beside the compressed one
		$stand->save("registry/$path", '');
		$stand->save("registry/$path.gz", pack('H*', $hex));
	}
	return;
}

# A package whose registry is reached over that port; returns its folder.
sub package_for {
	my ($stand, $who, $port, @names) = @_;
	my $t = $stand->test;
	my $dir = $stand->dir . "/cargo-$who";
	my $url = "https://localhost:$port";
	my $root = $who eq 'static' ? '/bench/static/registry' : $t->registry($stand->project($who));

	make_path("$dir/src", "$dir/home");
	$stand->save('registry/config.json', qq({"dl":"$url$root","api":"$url$root"}));
	Berth::Test::write_file("$dir/src/lib.rs", '');
	Berth::Test::write_file("$dir/Cargo.toml", "[package]\nname = \"all\"\nversion = \"0.1.0\"\n"
	    . "edition = \"2021\"\n[dependencies]\n"
	    . join('', map { "$_ = { version = \"*\", registry = \"bench\" }\n" } @names));
	Berth::Test::write_file("$dir/home/config.toml", "[http]\ncainfo = \"" . $t->cacert . "\"\n"
	    . "[registry]\nglobal-credential-providers = [\"cargo:token\"]\n"
	    . "[registries.bench]\nindex = \"sparse+$url$root/\"\n");
	Berth::Test::write_file("$dir/home/credentials.toml",
	    "[registries.bench]\ntoken = \"" . $stand->token . "\"\n") if $who eq 'berth';
	return $dir;
}

# Seconds that it takes.
sub update {
	my ($stand, $who, $dir) = @_;
	my %env = map { ($_ => undef) } grep { /^(?:CARGO_|https?_proxy$|all_proxy$)/i } keys %ENV;
	my $start = time;
	my ($status, $out, $err) = Berth::Cluster::capture({ dir => $dir,
		env => { %env, CARGO_HOME => "$dir/home", no_proxy => '*' } }, 'cargo', 'update');

	die "cargo update from $who: $out$err" if $status != 0;
	return time - $start;
}

1;
