#!/usr/bin/perl

# `make install`: what is installed knows where it is.

use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;

use Berth::Cluster;

my $root = $Berth::Cluster::ROOT;
my $dir = tempdir(CLEANUP => 1);

# not those of the make that runs the tests
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL DESTDIR PREFIX)};

for my $case (['/usr/local', '/usr/local/etc'], ['/usr', '/etc'], ['/opt/berth', '/opt/berth/etc']) {
	my ($prefix, $etc) = @$case;
	my $to = "$dir/" . $prefix =~ tr{/}{-}r;

	is(system("make -s -C '$root' install DESTDIR='$to' PREFIX=$prefix >'$dir/log' 2>&1"), 0,
	    "$prefix: installed") or diag(slurp("$dir/log"));
	ok(-x "$to$_", "$prefix: $_") for "$prefix/sbin/berth-fcgi", "$prefix/sbin/berth-worker",
	    "$prefix/bin/berth", "$prefix/libexec/berth-inspect";
	ok(-f "$to$_", "$prefix: $_") for "$etc/berth/berth.conf", "$prefix/share/man/man8/berth-fcgi.8",
	    "$prefix/share/man/man8/berth-worker.8";
	for my $program (qw(berth-fcgi berth-worker)) {
		my $unit = slurp("$to$prefix/share/berth/systemd/$program.service");

		is_deeply([$unit =~ /^ExecStart.*=(.*)/mg], ["$prefix/sbin/$program -t -c $etc/berth/berth.conf",
		    "$prefix/sbin/$program -c $etc/berth/berth.conf"], "$prefix: $program: the service starts what is there");
	}
}

done_testing();

sub slurp {
	my ($path) = @_;

	open(my $fh, '<', $path) or return '';
	local $/;
	return scalar <$fh>;
}
