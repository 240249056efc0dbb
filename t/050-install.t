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

for my $case (['/usr/local', '/usr/local/etc'], ['/usr', '/etc'], ['/opt/berth', '/opt/berth/etc']) {
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

# What an upgrade replaces holds nothing that a site changes.
for my $file (grep { !/berth-(?:site|server)\.conf\z/ } glob("$root/conf/nginx/*.conf")) {
	my $text = slurp($file) =~ s/^\s*#.*//mgr;

	is(join(' ', $text =~ m{[" ](/(?:etc|run|srv|usr|var)/\S*)}g), '', "$file: no path of a host");
}

# The packages have the version of the programs.
my ($version) = slurp("$root/Makefile") =~ /^VERSION = (\S+)$/m;
like(slurp("$root/conf/debian/changelog"), qr/\Aberth \(\Q$version\E-\d+\) /, 'the version of the packages');

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
