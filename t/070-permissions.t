#!/usr/bin/perl

# Who can read what after the commands of berth-install(7) and with the shipped units.  The commands run in a
# root directory of their own; then the pool, nginx's workers and others try.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOCK_STREAM);
use Test::More;

use Berth::Cluster;
use Berth::File qw(slurp write_file);

plan skip_all => 'no root: the owners of files cannot be changed' if $> != 0;

my $root = tempdir('berth-root-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $source = $Berth::Cluster::ROOT;

chmod(0755, $root) or die "$root: $!\n";
make_path(map { "$root$_" } qw(/etc /usr/local/etc/berth /var/lib /var/cache /run/berth));
write_file("$root/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n"
    . "stranger:x:4711:4711::/:/bin/sh\n");
write_file("$root/etc/group", "root:x:0:\nwww-data:x:33:\nstranger:x:4711:\n");
write_file("$root/etc/shadow", "root:*:1::::::\nwww-data:*:1::::::\nstranger:*:1::::::\n");
write_file("$root/etc/gshadow", "root:*::\nwww-data:*::\nstranger:*::\n");
# as Debian has it
write_file("$root/etc/login.defs", "USERGROUPS_ENAB yes\nSYS_UID_MIN 100\nSYS_GID_MIN 100\n");
# as `make install` leaves it
write_file("$root/usr/local/etc/berth/berth.conf", "database = password=hush\n");
chmod(0640, "$root/usr/local/etc/berth/berth.conf") or die;

# ---- berth-install(7) ----

my $install = slurp("$source/fcgi/man/berth-install.7") =~ s/\\e$/\\/mgr;
# what the packages do is shown by make check-install
$install =~ s/^\.Sh FROM PACKAGES\n.*?^(?=\.Sh STEP 1)//ms or die "the page has no such section\n";
my @commands =
    $install =~ /^((?:useradd|groupadd|usermod|install|chown|chgrp|chmod|printf|berth key add)\b.*)$/mg;

cmp_ok(scalar @commands, '>=', 10, 'the manual has commands');
for my $command (@commands) {
	my $here = $command;

	if ($command eq 'berth key add') {
		# what it writes, without a database
		write_file("$root/etc/berth/token.key", "registry \"550e8400-e29b-41d4-a716-446655440000\";\n00 \""
		    . 'k' x 43 . "\";\n");
		chmod(0600, "$root/etc/berth/token.key") or die;
		next;
	}
	# commands that name users and groups get the files that define them, and their numbers
	if ($here !~ s/^(useradd|groupadd|usermod) /$1 --prefix '$root' /) {
		$here =~ s{(^| |>)(/\S+)}{$2 eq '/dev/null' ? "$1$2" : "$1'$root$2'"}ge;
		$here =~ s/( -o )(\w[\w-]*)/$1 . id(passwd => $2)/ge;
		$here =~ s/( -g )(\w[\w-]*)/$1 . id(group => $2)/ge;
		$here =~ s/^chown (\w[\w-]*):(\w[\w-]*)/'chown ' . id(passwd => $1) . ':' . id(group => $2)/ge;
		$here =~ s/^chgrp (\w[\w-]*)/'chgrp ' . id(group => $1)/ge;
	}
	my ($status, $out, $err) = Berth::Cluster::capture('sh', '-ec', $here);
	is($status, 0, $command) or diag($err);
}

# ---- who they are ----

# The value of a key of a unit.
sub unit {
	my ($name, $key) = @_;

	return slurp("$source/conf/systemd/$name") =~ /^$key=(.*)$/m ? $1 : undef;
}

# [uid, gid, other groups ...] of a user, by the file of groups and these further ones.
sub who {
	my ($user, $group, @more) = @_;
	my ($uid, $gid) = (split(/:/, entry(passwd => $user)))[2, 3];
	my @listed = map { (split /:/)[2] } grep { /[:,]\Q$user\E(?:,|$)/ } split(/\n/, slurp("$root/etc/group"));

	return [$uid, defined $group ? id(group => $group) : $gid, @listed, map { id(group => $_) } @more];
}

my %who = (
	pool => who(unit('berth-fcgi.service', 'User'), unit('berth-fcgi.service', 'Group'),
	    split(/ /, unit('berth-fcgi.service', 'SupplementaryGroups') // '')),
	worker => who(unit('berth-worker.service', 'User'), unit('berth-worker.service', 'Group'),
	    split(/ /, unit('berth-worker.service', 'SupplementaryGroups') // '')),
	nginx => who('www-data'),
	# the manual's other way: nginx.conf names the group, and no other program of www-data has it
	nginx_alone => [33, id(group => 'berth-store')],
	site => [33, 33],
	stranger => who('stranger'),
);

is_deeply($who{pool}, $who{worker}, 'pool and worker are the same');
ok(!(grep { $_ == id(group => "berth") } @{ $who{nginx} }),
    'nginx is not in the group of berth.conf and the keys');

# Calls the sub as the user and returns its true or false.
sub as {
	my ($name, $do) = @_;
	my ($uid, $gid, @groups) = @{ $who{$name} };
	my $pid = fork // die "fork: $!\n";

	if ($pid == 0) {
		$) = join(' ', $gid, $gid, @groups);
		POSIX::setgid($gid);
		POSIX::setuid($uid);
		POSIX::_exit(111) if $> != $uid || $< != $uid;
		umask(oct(unit('berth-fcgi.service', 'UMask')));
		POSIX::_exit($do->() ? 0 : 1);
	}
	waitpid($pid, 0);
	die "cannot become $name\n" if $? >> 8 == 111;
	return $? == 0;
}

# ---- what there is ----

my %path = (conf => '/usr/local/etc/berth/berth.conf', key => '/etc/berth/token.key',
    store => '/var/lib/berth/ab/cd/crate', public => '/var/cache/berth/epoch/index');
$_ = "$root$_" for values %path;

for my $made (qw(store public)) {
	ok(as(pool => sub {
		make_path(dirname($path{$made}));
		write_file($path{$made}, 'x');
		return -s $path{$made};
	}), "the pool writes $made");
}
# as systemd does
my (@sockets, @listeners);
for my $file (glob("$source/conf/systemd/*.socket")) {
	my ($unit) = $file =~ m{([^/]+)$};
	my $path = $root . unit($unit, 'ListenStream');

	push @listeners, IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $path, Listen => 16)
	    // die "$path: $!\n";
	chmod(oct(unit($unit, 'DirectoryMode')), dirname($path)) or die;
	chown(id(passwd => unit($unit, 'SocketUser')), id(group => unit($unit, 'SocketGroup')), $path) or die;
	chmod(oct(unit($unit, 'SocketMode')), $path) or die;
	$path{$unit} = $path;
	push @sockets, $unit;
}
cmp_ok(scalar @sockets, '>=', 1, 'sockets: ' . join(' ', @sockets));

my %can = (
	reads => sub { open(my $in, '<', $_[0]) or return 0; return defined scalar <$in> ? 1 : 0 },
	writes => sub { return open(my $out, '>>', $_[0]) ? 1 : 0 },
	lists => sub { return opendir(my $dir, dirname($_[0])) ? 1 : 0 },
	adds => sub { return open(my $out, '>', dirname($_[0]) . '/new') ? unlink(dirname($_[0]) . '/new') : 0 },
	connects => sub { return IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $_[0]) ? 1 : 0 },
);

# Who may do what; all others may not.
my @table = (
	[conf => reads => qw(pool worker)],
	[conf => writes =>],
	[key => reads => qw(pool worker)],
	[key => writes =>],
	[key => adds =>],
	[store => reads => qw(pool worker nginx nginx_alone)],
	[store => lists => qw(pool worker nginx nginx_alone)],
	[store => writes => qw(pool worker)],
	[store => adds => qw(pool worker)],
	[public => reads => qw(pool worker nginx nginx_alone)],
	[public => writes => qw(pool worker)],
	[public => adds => qw(pool worker)],
	(map { [$_ => connects => qw(pool worker nginx nginx_alone)] } @sockets),
);

for my $row (@table) {
	my ($what, $verb, @may) = @$row;

	# www-data is in the group of the store, unless nginx.conf names the group: then other sites are not
	for my $name (sort keys %who) {
		my $may = grep { $_ eq $name } @may;

		is(as($name => sub { $can{$verb}->($path{$what}) }) ? 1 : 0, $may ? 1 : 0,
		    "$name $verb $what: " . ($may ? 'yes' : 'no'));
	}
}

# ---- berth-fcgi -t ----

subtest 'berth-fcgi -t' => sub {
	my $build = Berth::Cluster::build_dir();
	my ($conf, $store, $public) = ("$root/test.conf", dirname(dirname(dirname($path{store}))),
	    dirname(dirname($path{public})));
	my $warnings = sub {
		my ($status, $out, $err) = Berth::Cluster::capture("$build/berth-fcgi", '-t', '-c', $conf);

		is($status, 0, 'the configuration is good') or diag($err);
		# nobody answers here
		$err =~ s/\Aberth-fcgi: warning: the database does not answer [^\n]*\n// or fail('says so');
		return $err;
	};

	write_file($conf, "external_url = https://localhost\ndatabase = host=/nonexistent\nstore = $store\n"
	    . "cache_dir = $public\n"
	    . "token_key = $path{key}\ninspector = $build/berth-inspect\nsocket = $root/run/t.sock\n");
	is($warnings->(), '', 'has nothing to say of what the manual does');
	for my $case (
		[store => $store, 0755],
		[cache_dir => $public, 0751],
		[token_key => $path{key}, 0644],
		[store => $store, 0754],
	) {
		my ($key, $file, $mode) = @$case;
		my $old = (stat($file))[2] & 07777;

		chmod($mode, $file) or die;
		my $reached = sprintf('every user of this host can reach %s, mode %04o: ', $file, $mode);
		like($warnings->(), qr/\Aberth-fcgi: warning: $key: \Q$reached\E[^\n]*\n\z/,
		    sprintf('%s of mode %o', $key, $mode));
		chmod($old, $file) or die;
	}
	chmod(0755, $store) or die;
	chmod(0750, $root) or die;
	is($warnings->(), '', 'not where nobody comes that far');
	chmod(0755, $root) or die;
	chmod(0750, $store) or die;
	chown(0, (stat($store))[5], $path{key}) or die;
	like($warnings->(), qr/\Aberth-fcgi: warning: token_key: all who read the store through its group[^\n]*\n\z/,
	    'a key of the group of the store');
	chmod(0600, $path{key}) or die;
	is($warnings->(), '', 'unless it is not for the group');
};

done_testing();

sub entry {
	my ($file, $name) = @_;

	return (grep { /^\Q$name\E:/ } split(/\n/, slurp("$root/etc/$file")))[0] // die "$name is not in $file\n";
}

sub id { return (split(/:/, entry(@_)))[2]; }
