#!/bin/sh
# Debian 12's Patroni (3.0.2-1), configured with `etcd3`, takes the leader's key from another server.  A
# leader that was cut off and lost its lease writes the key again, and does not look which server has it now.
# The old primary becomes primary again, with its old data, and the new one gives up.  Both begin a timeline
# of the same number, so the old primary takes a standby of the new one for its own synchronous standby.  Then
# commits succeed that no other server has: `make check-fleet` lost acknowledged publishes.  Patroni 3.0.3
# compares first, and so does 3.0.2 with `etcd`, the older interface (etcd: --enable-v2).
#
# The script starts etcd on the loopback interface, and lets two of Patroni's own objects compete.  It prints
#
#	etcd3: b leads; a, which has led before, says that it leads: True, and the key has a
#	etcd: b leads; a, which has led before, says that it leads: False, and the key has b
#
# The exit status is 0 as long as this is so.  The script needs Debian 12 and curl; it unpacks Patroni, etcd and
# what they import.
set -eu
dir=$(mktemp -d)
port=${PORT:-23790}
chmod 755 "$dir"
cd "$dir"
apt-get -q download patroni=3.0.2-1 etcd-server=3.4.23-4+b4 python3-etcd=0.4.5-4 python3-dnspython \
    python3-urllib3 python3-dateutil python3-six python3-yaml python3-psutil python3-click python3-prettytable \
    python3-wcwidth python3-cryptography python3-psycopg2 libyaml-0-2 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
export PYTHONPATH="$dir/root/usr/lib/python3/dist-packages"
root/usr/bin/etcd --data-dir "$dir/data" --listen-client-urls "http://127.0.0.1:$port" --enable-v2 \
    --advertise-client-urls "http://127.0.0.1:$port" --listen-peer-urls "http://127.0.0.1:$((port + 1))" \
    --initial-advertise-peer-urls "http://127.0.0.1:$((port + 1))" \
    --initial-cluster "default=http://127.0.0.1:$((port + 1))" >"$dir/log" 2>&1 &
etcd=$!
trap 'kill "$etcd" 2>/dev/null || true; wait "$etcd" 2>/dev/null || true; rm -rf "$dir"' EXIT
until curl -sf "http://127.0.0.1:$port/health" >/dev/null; do
	kill -0 "$etcd" 2>/dev/null || { cat log >&2; echo 'the server has ended: see its messages above' >&2; exit 1; }
	sleep 0.2
done

cat >"$dir/compete.py" <<'PYTHON'
import logging
import sys
import time
from patroni.dcs import get_dcs

logging.disable(logging.CRITICAL)
kind, port = sys.argv[1:]


def member(name):
    return get_dcs({kind: {'host': '127.0.0.1:' + port}, 'scope': kind, 'namespace': '/service/', 'name': name,
                    'ttl': 3, 'loop_wait': 1, 'retry_timeout': 3})


def leader(of):
    return of.get_cluster().leader.name


a, b = member('a'), member('b')
assert a.attempt_to_acquire_leader() and leader(a) == 'a'
before = a.cluster
time.sleep(5)  # a is cut off
assert b.attempt_to_acquire_leader() and leader(b) == 'b'
a._cluster = before  # its view is still that
print('%s: b leads; a, which has led before, says that it leads: %s, and the key has %s'
      % (kind, bool(a.update_leader(None)), leader(member('c'))))
PYTHON
/usr/bin/python3 "$dir/compete.py" etcd3 "$port" >"$dir/out"
/usr/bin/python3 "$dir/compete.py" etcd "$port" >>"$dir/out"
cat "$dir/out"
grep -q '^etcd3: .* True, and the key has a$' "$dir/out" && grep -q '^etcd: .* False, and the key has b$' "$dir/out"
