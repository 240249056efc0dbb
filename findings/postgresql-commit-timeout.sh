#!/bin/sh
# PostgreSQL's manual says that statement_timeout aborts any statement that takes longer.  It does not abort COMMIT,
# nor the commit of a statement outside a transaction block (Debian 12's 15.20-0+deb12u1): PostgreSQL stops the
# clock before it begins to commit.  So deferred triggers have no limit, and neither has the wait for a synchronous
# standby.
#
# A cancel does end a deferred trigger, with an error.  But if it ends the wait for the standby, the statement
# succeeds: its result is INSERT 0 1, and only a warning with SQLSTATE 01000, which libpq passes to the
# notice processor, says that no standby has the transaction.
#
# So a registry that must answer in time cannot leave that to statement_timeout.  It needs a clock of its own, and
# after a cancel it must read the warnings before it tells a client that a version is published.  This script
# commits with a statement_timeout of 100 ms, and prints
#
#	SELECT of 2 s: 57014
#	a trigger of 2 s: 57014
#	a deferred trigger of 2 s: INSERT 0 1
#	COMMIT with a deferred trigger of 2 s: COMMIT
#	COMMIT with a deferred trigger of 60 s, cancelled: 57014
#	INSERT without its standby: waits, cancelled after 2 s: 01000 INSERT 0 1
#	rows: 3
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
export LD_LIBRARY_PATH PGUSER=postgres PGDATABASE=postgres PGHOST="$dir/run"

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

sql() { psql -XAtq -v ON_ERROR_STOP=1 "$@"; }
# prints the SQLSTATEs and the tags of a session's statements with the timeout
timed() {
	PGAPPNAME=timed PGOPTIONS='-c statement_timeout=100' psql -XAt -v VERBOSITY=sqlstate "$@" 2>&1 |
	    sed 's/^[A-Z]*:  //' | paste -sd ' '
}
# $1: what the session of timed() waits for; cancels it after 2 seconds of that
cancel() {
	tries=300
	until [ "$(sql -c "SELECT wait_event FROM pg_stat_activity
	    WHERE application_name = 'timed' AND state = 'active'")" = "$1" ]; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || { echo "no session waits for $1" >&2; exit 1; }
		sleep 0.1
	done
	sleep 2
	sql -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
	    WHERE application_name = 'timed' AND wait_event = '$1'" >cancelled
}
sql <<'SQL'
CREATE TABLE plain (n int);
CREATE TABLE triggered (n int);
CREATE TABLE deferred (n int);
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(NEW.n); RETURN NULL; END';
CREATE TRIGGER t AFTER INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION wait();
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON deferred DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait();
SQL
{
	echo "SELECT of 2 s: $(timed -c 'SELECT pg_sleep(2)')"
	echo "a trigger of 2 s: $(timed -c 'INSERT INTO triggered VALUES (2)')"
	echo "a deferred trigger of 2 s: $(timed -c 'INSERT INTO deferred VALUES (2)')"
	echo "COMMIT with a deferred trigger of 2 s: $(timed -q -c BEGIN -c 'INSERT INTO deferred VALUES (2)' \
	    -c '\set QUIET off' -c COMMIT)"
	cancel PgSleep &
	echo "COMMIT with a deferred trigger of 60 s, cancelled: $(timed -q -c BEGIN \
	    -c 'INSERT INTO deferred VALUES (60)' -c '\set QUIET off' -c COMMIT)"
	wait "$!"
	sql -c "ALTER SYSTEM SET synchronous_standby_names = 'elsewhere'" -c 'SELECT pg_reload_conf()' >reloaded
	until [ "$(sql -c 'SHOW synchronous_standby_names')" = elsewhere ]; do sleep 0.1; done
	cancel SyncRep &
	echo "INSERT without its standby: waits, cancelled after 2 s: $(timed -c 'INSERT INTO plain VALUES (1)')"
	wait "$!"
	echo "rows: $(sql -c 'SELECT count(*) FROM (TABLE plain UNION ALL TABLE triggered UNION ALL TABLE deferred) a')"
} | tee found
cat >expected <<'EXPECTED'
SELECT of 2 s: 57014
a trigger of 2 s: 57014
a deferred trigger of 2 s: INSERT 0 1
COMMIT with a deferred trigger of 2 s: COMMIT
COMMIT with a deferred trigger of 60 s, cancelled: 57014
INSERT without its standby: waits, cancelled after 2 s: 01000 INSERT 0 1
rows: 3
EXPECTED
cmp found expected
