#!/usr/bin/perl

# `make install`: what is installed knows where it is.  In a copy of the tree: other tests run
# the programs of this one.

use strict;
use warnings;

use File::Find qw(find);
use File::Temp qw(tempdir);
use Test::More;

use Berth::Cluster;
use Berth::File qw(slurp);

my $root = $Berth::Cluster::ROOT;
my $dir = tempdir(CLEANUP => 1);

# not those of the make that runs the tests
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL DESTDIR PREFIX)};

my $copy = "$dir/tree";
is(system("mkdir '$copy' && tar -C '$root' --exclude=./.git --exclude=./build/san --exclude=./build/fuzz"
    . " --exclude=./build/tools -cf - . | tar -C '$copy' -xf -"), 0, 'a copy');

for my $case (['/usr/local', '/usr/local/etc'], ['/usr', '/etc'], ["$dir/own", "$dir/own/etc"]) {
	my ($prefix, $etc) = @$case;
	my $to = "$dir/" . $prefix =~ tr{/}{-}r;

	is(system("make -s -C '$copy' install DESTDIR='$to' PREFIX=$prefix >'$dir/log' 2>&1"), 0,
	    "$prefix: installed") or diag(slurp("$dir/log"));
	ok(-x "$to$_", "$prefix: $_") for "$prefix/sbin/berth-fcgi", "$prefix/sbin/berth-worker",
	    "$prefix/bin/berth", "$prefix/libexec/berth-inspect";
	like((Berth::Cluster::capture("$to$prefix/sbin/berth-fcgi", '-t'))[2], qr{\Q$etc/berth/berth.conf\E},
	    "$prefix: where berth-fcgi looks for its configuration");
	ok(-f "$to$_", "$prefix: $_") for "$etc/berth/berth.conf", "$prefix/share/man/man8/berth-fcgi.8",
	    "$prefix/share/man/man8/berth-worker.8";
	is_deeply([map { s{^\Q$to\E}{}r } names_elsewhere($to, $prefix)], [],
	    "$prefix: no page and no sample names another place");
	for my $program (qw(berth-fcgi berth-worker)) {
		my $unit = slurp("$to$prefix/share/berth/systemd/$program.service");

		is_deeply([$unit =~ /^ExecStart.*=-?(.*)/mg], ["$prefix/sbin/$program -t -c $etc/berth/berth.conf",
		    "$prefix/sbin/$program -c $etc/berth/berth.conf"],
		    "$prefix: $program: the service starts what is there");
		is_deeply([$unit =~ /^ExecReload=(.*)/mg], ["$prefix/sbin/$program -t -c $etc/berth/berth.conf",
		    '/bin/kill -HUP $MAINPID'], "$prefix: $program: a reload tests the configuration first");
		is_deeply([$unit =~ /^LimitCORE=(.*)/mg], [0],
		    "$prefix: $program: no core, which would hold tokens and keys");
	}
}

# Below the last prefix, no host has a configuration.
my $berth = "$dir/" . "$dir/own" =~ tr{/}{-}r . "$dir/own/bin/berth";
like((Berth::Cluster::capture({ env => { BERTH_CONF => undef } }, $berth, qw(config show)))[2],
    qr{\Aberth: cannot read \Q$dir\E/own/etc/berth/berth\.conf: .* with -c FILE or in BERTH_CONF\n\z},
    'berth without a configuration says how to name one');

# What an upgrade replaces holds nothing that a site changes.
for my $file (grep { !/berth-(?:site|server)\.conf\z/ } glob("$root/conf/nginx/*.conf")) {
	my $text = slurp($file) =~ s/^\s*#.*//mgr;

	is(join(' ', $text =~ m{[" ](/(?:etc|run|srv|usr|var)/\S*)}g), '', "$file: no path of a host");
}

# One version, everywhere; Debian sorts 1.0.0~rc.1 before 1.0.0.
my ($version) = slurp("$root/Makefile") =~ /^VERSION = (\S+)$/m;
my $of_packages = $version =~ s/-/~/r;
like(slurp("$root/conf/debian/changelog"), qr/\Aberth \(\Q$of_packages\E-\d+\) /,
    'the version of the packages');
like(slurp("$root/conf/openapi.json"), qr/^    "version": "\Q$version\E",$/m, 'of the API');
like(slurp("$root/fcgi/man/berth-upgrade.7"), qr/^\.Sh WHAT CHANGES IN \Q$version\E$/m, 'what it brings');

# What a container is configured with; make check-install does all that the two files say.
my $compose = slurp("$root/conf/container/compose.yaml");
my @keys = $compose =~ /BERTH_CONF_(\w+):/g;
my $known = slurp("$root/conf/berth.conf");
my @unknown = grep { $known !~ /^#?\Q@{[lc]}\E = /m } @keys;
cmp_ok(scalar @keys, '>=', 3, 'the Compose file has keys of the configuration');
is("@unknown", '', 'and knows them all');
like($compose, qr/^ *healthcheck: .*\bpg_isready, -h, 127\.0\.0\.1\b/m,
    'no server that only prepares the volume passes for the database');

SKIP: {
	skip 'no repository of git: make dist packs what is committed', 3 unless -e "$root/.git";
	my @made = map {
		is(system('make', '-s', '-C', $root, 'dist', "DIST=$dir/$_.tar.gz"), 0, 'make dist');
		slurp("$dir/$_.tar.gz");
	} 1, 2;

	ok($made[0] eq $made[1], 'makes the same file twice');
	my %in = map { $_ => 1 } `tar -tzf $dir/1.tar.gz`;
	my @lacking = grep { !$in{"berth-$version/$_\n"} } qw(README COPYING Makefile fcgi/berth_fcgi.c t/run);
	is("@lacking", '', 'with what one needs to build and test it');
	is(join('', grep { m{/build/|/run/} } sort keys %in), '', 'and nothing that was made');
}

done_testing();

# The files that name /usr/local although it is not there that they are.
sub names_elsewhere {
	my ($to, $prefix) = @_;
	my @files;

	return () if $prefix eq '/usr/local';
	find({ no_chdir => 1, wanted => sub { push @files, $_ if -f && -T } }, $to);
	die "nothing is installed\n" unless @files;
	return grep { slurp($_) =~ m{/usr/local\b} } @files;
}
