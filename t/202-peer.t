#!/usr/bin/perl

# PostgreSQL's method `peer`: root connects as the system user that is called like the role, with nothing in
# pg_ident.conf; nobody else gets further than before.

use strict;
use warnings;

use Test::More;

use Berth::Cluster;
use Berth::File qw(write_file);

plan skip_all => 'no root' if $> != 0;

# A system user that each Debian has; it owns no file.
use constant USER => 'daemon';

my $cluster = Berth::Cluster->start;
$cluster->ensure_template;
$cluster->sql('postgres', 'CREATE ROLE ' . USER . ' LOGIN', 'GRANT berth, berth_owner TO ' . USER,
    'CREATE ROLE "no-such-user" LOGIN', 'GRANT berth TO "no-such-user"');
write_file("$cluster->{pg}/data/pg_hba.conf", "local all postgres trust\nlocal all all peer\n");
$cluster->_pg_ctl('reload');
chmod(0711, $cluster->{pg}, $cluster->socket_dir) == 2 or die "chmod: $!\n";

sub conninfo { return 'host=' . $cluster->socket_dir . " dbname=berth_template $_[0]"; }
sub berth { return Berth::Cluster::capture($cluster->build_dir . '/berth', '--database', @_); }

my ($status, $out, $err) = berth(conninfo('user=' . USER), qw(migrate --grant-to berth));
is($status, 0, 'root connects as the system user of the role: migrate') or diag($err);
($status, $out, $err) = berth(conninfo('user=' . USER), qw(user add alice --email alice@people.example));
is($status, 0, 'and a command') or diag($err);
($status, $out, $err) = berth(conninfo('user=' . USER), qw(audit));
like($out, qr/\broot\b/, 'which the audit log knows as one of root') or diag($err);
{
	local $ENV{PGUSER} = USER;
	is((berth(conninfo(''), qw(user list)))[0], 0, 'the role may come from the environment');
}

for my $case (['no role: root is root', ''], ['a role without a system user', 'user=no-such-user'],
    ['a role with a password, which counts', 'user=' . USER . ' password=x'],
    ['a system user that is no role', 'user=bin']) {
	($status, $out, $err) = berth(conninfo($case->[1]), qw(user list));
	is($status, 1, "$case->[0]: refused") or diag($out);
	like($err, qr/FATAL/, '  by PostgreSQL');
}
($status, $out, $err) = Berth::Cluster::capture('setpriv', '--reuid=bin', '--clear-groups',
    $cluster->build_dir . '/berth', '--database', conninfo('user=' . USER), qw(user list));
is($status, 1, 'nobody but root becomes another user');
like($err, qr/Peer authentication failed/, '  since PostgreSQL refuses it');
{
	# a password of root's own, which the user could not read
	local $ENV{HOME} = $cluster->dir;
	write_file("$ENV{HOME}/.pgpass", "*:*:*:*:x\n");
	is((berth(conninfo('user=' . USER), qw(user list)))[0], 1, 'with ~/.pgpass root stays root');
	unlink("$ENV{HOME}/.pgpass") or die "$ENV{HOME}/.pgpass: $!\n";
}
is((berth(conninfo('user=' . USER) =~ s{ dbname}{,/nowhere dbname}r, qw(user list)))[0], 1,
    'with two hosts, too');

# ---- the database itself ----

$cluster->sql('template1', 'ALTER ROLE ' . USER . ' CREATEDB CREATEROLE');
my $new = 'host=' . $cluster->socket_dir . ' dbname=new user=' . USER;
for my $time ('the first time', 'the second time') {
	($status, $out, $err) = berth($new, qw(migrate --create --grant-to new_pool));
	is($status, 0, "migrate --create, $time") or diag($err);
}
is(join('', $cluster->sql('template1', 'SELECT pg_encoding_to_char(encoding), datcollate, datctype,'
    . ' pg_get_userbyid(datdba), (SELECT count(*) FROM aclexplode(datacl) WHERE grantee = 0)'
    . " FROM pg_database WHERE datname = 'new'")),
    'UTF8|C|C.UTF-8|' . USER . '|0', 'encoding, order, letters, owner; open to nobody');
is(join('', $cluster->sql('template1', 'SELECT rolcanlogin, rolsuper,'
    . " has_database_privilege('new_pool', 'new', 'CONNECT') FROM pg_roles WHERE rolname = 'new_pool'")),
    't|f|t', 'the role may connect');
is((berth($new, qw(user list)))[0], 0, 'and commands work');
($status, $out, $err) = berth('host=' . $cluster->socket_dir . ' user=' . USER, qw(migrate --create));
is($status, 2, 'without a name');
like($err, qr/dbname=NAME/, '  it is told');

done_testing();
END { $cluster->stop if $cluster }
