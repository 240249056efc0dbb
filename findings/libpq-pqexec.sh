#!/bin/sh
# If an administrator ends a session, or stops the server, PostgreSQL sends the session an error with SQLSTATE 57P01.
# A program that then calls PQexec of libpq (Debian 12's 15.20-0+deb12u1) does not get it.  libpq reads that error,
# finds that the connection is closed, and makes an error of its own, without a SQLSTATE.  PQexec returns only the
# last result.  PQprepare, PQexecParams and PQexecPrepared do the same.
#
# So a program that tries again after `57P01` does not try again.  It must take a result without a SQLSTATE for a lost
# connection.  Or it calls PQsendQuery and PQgetResult, which return both errors, first that of the server.  This
# script ends two idle sessions, sends a query to each, and prints
#
#	PQexec: none, server closed the connection unexpectedly
#	PQgetResult: 57P01, FATAL:  terminating connection due to administrator command
#	PQgetResult: none, server closed the connection unexpectedly
#
# The exit status is 0 as long as this is so.  The script needs Debian 12 with what postgresql-15 depends on, and
# Python 3.  If root runs it, the server runs as nobody.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -q download libpq5=15.20-0+deb12u1 postgresql-15=15.20-0+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
export PATH="$dir/root/usr/lib/postgresql/15/bin:/usr/bin:/bin"
LD_LIBRARY_PATH=$dir/$(dirname "$(find root -name libpq.so.5)")
export LD_LIBRARY_PATH

as=''
mkdir run
if [ "$(id -u)" -eq 0 ]; then
	as='setpriv --reuid=nobody --regid=nogroup --clear-groups'
	chown nobody:nogroup run
fi
$as initdb -D run/data -U postgres -A trust -N --no-locale >/dev/null
$as pg_ctl -D run/data -l run/log -w start \
    -o "-c listen_addresses= -c unix_socket_directories=$dir/run" >/dev/null
trap '$as pg_ctl -D run/data -m immediate -w stop >/dev/null; rm -rf "$dir"' EXIT

cat >ask.py <<'PYTHON'
import ctypes
import sys

pq = ctypes.CDLL('libpq.so.5')
pq.PQconnectdb.restype = pq.PQexec.restype = pq.PQgetResult.restype = ctypes.c_void_p
pq.PQresultErrorField.restype = pq.PQresultErrorMessage.restype = ctypes.c_char_p


def connect():
    return ctypes.c_void_p(pq.PQconnectdb(('host=%s user=postgres dbname=postgres' % sys.argv[1]).encode()))


def ended():
    """Returns a connection whose session somebody has ended; the server's process is gone."""
    connection = connect()
    statement = b'SELECT pg_terminate_backend(%d, 60000)' % pq.PQbackendPID(connection)
    pq.PQclear(ctypes.c_void_p(pq.PQexec(connect(), statement)))
    return connection


def show(function, result):
    state = pq.PQresultErrorField(ctypes.c_void_p(result), ord('C'))
    message = pq.PQresultErrorMessage(ctypes.c_void_p(result)).decode()
    print('%s: %s, %s' % (function, state.decode() if state else 'none', message.splitlines()[0]))


show('PQexec', pq.PQexec(ended(), b'SELECT 1'))
connection = ended()
pq.PQsendQuery(connection, b'SELECT 1')
while result := pq.PQgetResult(connection):
    show('PQgetResult', result)
PYTHON
python3 ask.py "$dir/run" | tee found
cat >expected <<'EXPECTED'
PQexec: none, server closed the connection unexpectedly
PQgetResult: 57P01, FATAL:  terminating connection due to administrator command
PQgetResult: none, server closed the connection unexpectedly
EXPECTED
cmp found expected
