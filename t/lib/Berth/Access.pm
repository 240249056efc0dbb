package Berth::Access;

# Who may do what with the packages of a project: the one table, which holds for cargo's routes
# (t/570-access.t) and for the pages in a browser (t/461-pages.t).
#
#	for my $caller (Berth::Access::callers()) {
#		my ($read, $write) = Berth::Access::decision($caller, 'priv');
#	}

use strict;
use warnings;

# One group with a project of each visibility, one that is off, and one that is not there.
my @places = qw(pub int priv off missing);
my %visibility = (pub => 'public', int => 'internal', priv => 'private', off => 'public');

# What a cell of the table stands for: the status of reads and of writes, 0 for "it is done".
my %cell = (
	all => [0, 0], # reads and writes
	read => [0, 403], # reads, and knows that it may not write
	anon => [0, 401], # reads as anybody does
	401 => [401, 401], 403 => [403, 403], 404 => [404, 404],
);

my @table = (
	# caller                    pub  int  priv off  missing
	['anonymous', qw(           anon 401  401  401  401)],
	(map { [$_, qw(             401  401  401  401  401)] } qw(garbage malformed unknown expired revoked gone),
	    'deploy, revoked', 'job that has ended', 'job past its time', 'job of gone'),
	(map { [$_, qw(             read read 404  404  404)] } qw(stranger lapsed removed)),
	['guest', qw(               read read 403  404  404)],
	['reporter', qw(            read read read 404  404)],
	(map { [$_, qw(             all  all  all  404  404)] } qw(developer maintainer owner admin)),
	(map { [$_, qw(             all  all  all  404  404)] } 'stranger with the crate', 'guest with the crate'),
	['with the crate, read_api', qw(read read read 404 404)],
	['job of who has the crate', qw(read read all 404 404)],
	['reading job of who has the crate', qw(read read read 404 404)],
	['trusted job of who has the crate', qw(read read all 404 404)],
	['read_api', qw(            read read read 404  404)],
	['deploy, reads', qw(       read read read 404  404)],
	['deploy, writes', qw(      all  all  all  404  404)],
	['deploy of priv, writes', qw(read 404 all 404  404)],
	['deploy of priv, reads', qw(read 404 read 404  404)],
	['deploy without a scope', qw(read 404 404 404  404)],
	['deploy of elsewhere', qw( read 404  404  404  404)],
	['job of stranger', qw(     read read 404  404  404)],
	['job of guest', qw(        read read 403  404  404)],
	['job of reporter', qw(     read read read 404  404)],
	['job of developer', qw(    read read all  404  404)],
	['job of admin', qw(        read read all  404  404)],
	['foreign job of owner', qw(read read 404  404  404)],
	['foreign job of admin', qw(read read 404  404  404)],
	['reading job of stranger', qw(read read 404 404 404)],
	['reading job of guest', qw(read read 403  404  404)],
	['reading job of owner', qw(read read read 404  404)],
	['trusted job of stranger', qw(read read 404 404 404)],
	['trusted job of reporter', qw(read read read 404 404)],
	['trusted job of developer', qw(read read all 404 404)],
);
my %row = map { my ($caller, @cells) = @$_; ($caller => \@cells) } @table;

sub places { return @places; }
sub visibility { return %visibility; }
sub callers { return map { $_->[0] } @table; }

# The statuses of reads and of writes.
sub decision {
	my ($caller, $place) = @_;
	my ($i) = grep { $places[$_] eq $place } 0 .. $#places;

	return @{ $cell{ ($row{$caller} // die "no caller $caller\n")->[$i // die "no place $place\n"] } };
}

1;
