#!/bin/sh
# PostgreSQL (Debian 12's 15.20-0+deb12u1) has one lock for all transactions that notify, in all databases of a server.
# COMMIT takes it before it writes, and holds it until the transaction has ended.  With synchronous replication, that
# is when the standby has confirmed.
#
# So while no standby confirms, one COMMIT with NOTIFY holds up every other COMMIT with NOTIFY: also in another
# database, also with synchronous_commit=local or off.  Transactions that do not notify go on.  lock_timeout ends such
# a wait, with the error 55P03, and the transaction is not committed.  A registry whose triggers notify stops with its
# first write to a primary that is cut off, although its own sessions ask for no standby.
#
# The primary of this script waits for a standby that does not exist.  The script prints
#
#	database one: INSERT and NOTIFY: waits for IPC SyncRep
#	database two, synchronous_commit=off: INSERT: done
#	database two, synchronous_commit=off: NOTIFY: waits for Lock object
#	database two, with lock_timeout: NOTIFY: 55P03
#	without the standby: INSERT and NOTIFY: done; NOTIFY: done
#
# The exit status is 0 as long as this is so.  The script needs Debian 12 with what postgresql-15 depends on.  If root
# runs it, the server runs as nobody.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -q download postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1 \
    libpq5=15.20-0+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
export PATH="$dir/root/usr/lib/postgresql/15/bin:/usr/bin:/bin"
LD_LIBRARY_PATH=$dir/$(dirname "$(find root -name libpq.so.5)")
export LD_LIBRARY_PATH PGUSER=postgres PGHOST="$dir/run"

as=''
mkdir run
if [ "$(id -u)" -eq 0 ]; then
	as='setpriv --reuid=nobody --regid=nogroup --clear-groups'
	chown nobody:nogroup run
fi
stop() {
	$as pg_ctl -D run/data -m immediate -w stop >/dev/null || true
	rm -rf "$dir"
}
trap stop EXIT
$as initdb -D run/data -U postgres -A trust -N --no-locale >/dev/null
$as pg_ctl -D run/data -l run/log -w start \
    -o "-c listen_addresses= -c unix_socket_directories=$dir/run" >/dev/null

sql() { psql -XAtq -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate "$@"; }
for database in one two; do
	createdb "$database"
	sql -d "$database" -c 'CREATE TABLE t (n int)'
done
sql -d one -c "ALTER SYSTEM SET synchronous_standby_names = 'elsewhere'" -c 'SELECT pg_reload_conf()' >/dev/null
until [ "$(sql -d one -c 'SHOW synchronous_standby_names')" = elsewhere ]; do sleep 0.1; done

# $1: what the session is called; prints for what it waits, as soon as it waits
waits() {
	wait_for=''
	until [ -n "$wait_for" ]; do
		sleep 0.1
		wait_for=$(sql -d one -c "SELECT wait_event_type || ' ' || wait_event FROM pg_stat_activity
		    WHERE application_name = '$1' AND wait_event_type IN ('IPC', 'Lock')")
	done
	echo "waits for $wait_for"
}
{
	PGAPPNAME=first sql -d one -c 'BEGIN' -c 'INSERT INTO t VALUES (1)' -c 'NOTIFY a' -c 'COMMIT' &
	first=$!
	echo "database one: INSERT and NOTIFY: $(waits first)"
	export PGOPTIONS='-c synchronous_commit=off'
	sql -d two -c 'INSERT INTO t VALUES (1)'
	echo 'database two, synchronous_commit=off: INSERT: done'
	PGAPPNAME=second sql -d two -c 'NOTIFY b' &
	second=$!
	echo "database two, synchronous_commit=off: NOTIFY: $(waits second)"
	echo "database two, with lock_timeout: NOTIFY: $(PGOPTIONS='-c lock_timeout=100' sql -d two -c 'NOTIFY b' 2>&1 |
	    grep -o '[0-9A-Z]*$')"
	sql -d one -c 'ALTER SYSTEM RESET synchronous_standby_names' -c 'SELECT pg_reload_conf()' >/dev/null
	wait "$first" && one='done' || one=failed
	wait "$second" && two='done' || two=failed
	echo "without the standby: INSERT and NOTIFY: $one; NOTIFY: $two"
} 2>messages | tee found
cat messages >&2
cat >expected <<'EXPECTED'
database one: INSERT and NOTIFY: waits for IPC SyncRep
database two, synchronous_commit=off: INSERT: done
database two, synchronous_commit=off: NOTIFY: waits for Lock object
database two, with lock_timeout: NOTIFY: 55P03
without the standby: INSERT and NOTIFY: done; NOTIFY: done
EXPECTED
cmp found expected
