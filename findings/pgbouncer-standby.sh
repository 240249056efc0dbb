#!/bin/sh
# libpq finds the primary or a standby (target_session_attrs) by two settings, which a server tells each session at
# its beginning.  PgBouncer (Debian 12's 1.18.0-1+deb12u1) keeps the settings of its first session with a database,
# and tells them to each client.  It does not follow them when the server becomes the primary, nor when it begins
# another session with the server.
#
# So after a failover to a standby that has served reads through PgBouncer, clients that look for the primary still
# refuse it, although they could write, and clients that look for a standby take it.  RECONNECT in the console of
# PgBouncer ends this.  A client with target_session_attrs=any that asks pg_is_in_recovery() gets the truth at once.
# This script promotes a standby behind PgBouncer, and prints
#
#	standby: any: t; primary: refused; standby: t
#	promoted: any: f; primary: refused; standby: f
#	with a new session: any: f; primary: refused; standby: f
#	without PgBouncer: any: f; primary: f; standby: refused
#	after RECONNECT: any: f; primary: f; standby: refused
#
# where t and f are the answers to pg_is_in_recovery().  The exit status is 0 as long as this is so.  The script needs
# Debian 12 with what postgresql-15 and pgbouncer depend on.  If root runs it, the servers run as nobody.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -q download pgbouncer=1.18.0-1+deb12u1 postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1 \
    libpq5=15.20-0+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
export PATH="$dir/root/usr/lib/postgresql/15/bin:$dir/root/usr/sbin:/usr/bin:/bin"
LD_LIBRARY_PATH=$dir/$(dirname "$(find root -name libpq.so.5)")
export LD_LIBRARY_PATH PGUSER=postgres PGDATABASE=postgres

as=''
mkdir run run/pooler
cat >run/pooler.ini <<INI
[databases]
postgres = host=$dir/run user=postgres
[pgbouncer]
listen_port = 6432
unix_socket_dir = $dir/run/pooler
auth_type = any
admin_users = postgres
pool_mode = transaction
INI
if [ "$(id -u)" -eq 0 ]; then
	as='setpriv --reuid=nobody --regid=nogroup --clear-groups'
	chown -R nobody:nogroup run
fi
pooler=''
stop() {
	[ -z "$pooler" ] || { kill "$pooler"; wait "$pooler" || true; }
	$as pg_ctl -D run/data -m immediate -w stop >/dev/null || true
	rm -rf "$dir"
}
trap stop EXIT
$as initdb -D run/data -U postgres -A trust -N --no-locale >/dev/null
$as touch run/data/standby.signal
$as pg_ctl -D run/data -l run/log -w start \
    -o "-c listen_addresses= -c unix_socket_directories=$dir/run" >/dev/null
$as pgbouncer run/pooler.ini >run/pooler.log 2>&1 &
pooler=$!
until [ -S run/pooler/.s.PGSQL.6432 ]; do
	kill -0 "$pooler" 2>/dev/null || { cat run/pooler.log >&2; echo 'the server has ended: see its messages above' >&2; exit 1; }
	sleep 0.1
done

# $1: where, $2: which kind of server
ask() {
	psql -XAtc 'SELECT pg_is_in_recovery()' "$1 target_session_attrs=$2" 2>messages ||
	    { grep -q 'hot standby mode' messages && echo refused; }
}
end_others="SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
through="host=$dir/run/pooler port=6432"
# $1: name, $2: where
show() {
	echo "$1: any: $(ask "$2" any); primary: $(ask "$2" primary); standby: $(ask "$2" standby)"
}
{
	show standby "$through"
	$as pg_ctl -D run/data -w promote >/dev/null
	show promoted "$through"
	psql -XAtc "$end_others" "host=$dir/run" >/dev/null
	show 'with a new session' "$through"
	show 'without PgBouncer' "host=$dir/run"
	psql -Xqc RECONNECT "$through dbname=pgbouncer" >/dev/null
	show 'after RECONNECT' "$through"
} | tee found
cat >expected <<'EXPECTED'
standby: any: t; primary: refused; standby: t
promoted: any: f; primary: refused; standby: f
with a new session: any: f; primary: refused; standby: f
without PgBouncer: any: f; primary: f; standby: refused
after RECONNECT: any: f; primary: f; standby: refused
EXPECTED
cmp found expected
