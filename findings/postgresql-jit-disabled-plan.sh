#!/bin/sh
# PostgreSQL (Debian 12's 15.20-0+deb12u1) does not forbid a kind of plan that enable_nestloop=off or another enable_
# setting switches off: it adds 1e10 to its cost.  If no other plan exists, as for a join without an equality, the query
# runs as before, but its cost is far above jit_above_cost (100000), jit_inline_above_cost and
# jit_optimize_above_cost (500000).  So PostgreSQL compiles it with all optimizations, however few rows it has.
#
# A function in SQL starts its query at each call, and compiles it anew each time.  So a session that switches nested
# loops off to fill a table, and calls such a function for each row, is slower by orders of magnitude.  EXPLAIN
# of the statement that calls the function says nothing about that.  Set jit=off with the other setting.
#
# The query of this script has nine rows.  The script prints
#
#	nested loops on: Nested Loop
#	nested loops off: Nested Loop, compiled: inlining, optimization
#	nested loops off, jit off: Nested Loop
#	a function of this query, 50 calls: compiled, more than 20 times the time of jit off; EXPLAIN says nothing
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

sql() { psql -XAtq -v ON_ERROR_STOP=1 "$@"; }
query='SELECT sum(a * b) FROM generate_series(1, 3) a JOIN generate_series(1, 3) b ON a <> b'
sql -c "CREATE FUNCTION f(n int) RETURNS bigint LANGUAGE sql VOLATILE
    AS 'SELECT sum(a * b * n) FROM generate_series(1, 3) a JOIN generate_series(1, 3) b ON a <> b'"

# $1: settings; prints how the query runs
plan() {
	PGOPTIONS="$1" sql -c "EXPLAIN (ANALYZE, TIMING off, SUMMARY off) $query" >plan
	printf '%s' "$(grep -o 'Nested Loop' plan)"
	grep -q '^JIT:' plan || { echo; return; }
	printf ', compiled:'
	grep -q 'Inlining true' plan && printf ' inlining,'
	grep -q 'Optimization true' plan && echo ' optimization'
}
# $1: settings; prints how many microseconds 50 calls take
calls() {
	PGOPTIONS="$1" sql -c "EXPLAIN (ANALYZE, FORMAT json) SELECT f(n) FROM generate_series(1, 50) n" >calls
	grep -q JIT calls && echo 'EXPLAIN shows it' >&2
	sed -n 's/.*"Execution Time": \([0-9]*\)\.\([0-9]*\).*/\1\2/p' calls
}
{
	echo "nested loops on: $(plan '')"
	echo "nested loops off: $(plan '-c enable_nestloop=off')"
	echo "nested loops off, jit off: $(plan '-c enable_nestloop=off -c jit=off')"
	compiled=$(calls '-c enable_nestloop=off')
	plain=$(calls '-c enable_nestloop=off -c jit=off')
	[ "$compiled" -gt $((20 * plain)) ] && how='more than 20 times' || how="$compiled beside $plain us, not 20 times"
	echo "a function of this query, 50 calls: compiled, $how the time of jit off; EXPLAIN says nothing"
} 2>messages | tee found
cat messages >&2
cat >expected <<'EXPECTED'
nested loops on: Nested Loop
nested loops off: Nested Loop, compiled: inlining, optimization
nested loops off, jit off: Nested Loop
a function of this query, 50 calls: compiled, more than 20 times the time of jit off; EXPLAIN says nothing
EXPECTED
cmp found expected
[ ! -s messages ]
