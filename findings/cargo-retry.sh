#!/bin/sh
# cargo sends a request again if a server answers 503, as often as its setting `net.retry` says.  This holds for files
# of the index.  But cargo (Debian 12's cargo-web, 1.96.0+dfsg1-1~deb12u2) sends a request to the web API only once: a
# 503 with `Retry-After: 1` ends cargo publish, yank, owner and search, whatever net.retry says.  A publish of a
# workspace then ends between two of its crates.
#
# So a registry that cannot answer for a second, as in a restart or a failover of its database, must let these
# requests wait, and answer 503 only if that takes too long.  The registry of this script answers 503 to the first
# request for each address, and 200 to the next.  The script prints what cargo got:
#
#	index file: 503 200, cargo succeeds
#	search: 503, cargo fails
#	owner: 503, cargo fails
#	yank: 503, cargo fails
#	publish: 503, cargo fails
#
# The exit status is 0 as long as this is so.  The script needs Debian 12, curl and Python 3; it unpacks cargo and the
# libraries that few programs have.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
port=${PORT:-23792}
chmod 755 "$dir"
cd "$dir"
apt-get -q download cargo-web=1.96.0+dfsg1-1~deb12u2 libgit2-1.5=1.5.1+ds-1+deb12u2 libssh2-1=1.10.0-3+deb12u1 \
    libhttp-parser2.9=2.9.4-5 libmbedtls14=2.28.3-1 libmbedcrypto7=2.28.3-1 libmbedx509-1=2.28.3-1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$dir/$(dirname "$(find root -name libgit2.so.1.5)")
export LD_LIBRARY_PATH CARGO_HOME="$dir/home" CARGO_NET_RETRY=3
export CARGO_REGISTRIES_PRIVATE_INDEX="sparse+http://127.0.0.1:$port/"
export CARGO_REGISTRIES_PRIVATE_TOKEN=token CARGO_REGISTRIES_PRIVATE_CREDENTIAL_PROVIDER=cargo:token

cat >registry.py <<'PYTHON'
import http.server
import json
import sys

URL = 'http://127.0.0.1:' + sys.argv[1]
LINE = {'name': 'acme', 'vers': '1.0.0', 'deps': [], 'features': {}, 'yanked': False, 'cksum': '0' * 64}
seen = set()


class Registry(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self):
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        again = self.path in seen
        seen.add(self.path)
        status, value = 200, {'ok': True, 'msg': 'done', 'users': [], 'crates': [], 'meta': {'total': 0}}
        if self.path == '/config.json':
            value = {'dl': URL + '/crates', 'api': URL}
        elif self.path == '/ac/me/acme':
            value = LINE
        elif self.path == '/as/ks/asks':
            status = 404
        if self.path not in ('/config.json', '/as/ks/asks'):
            status = 200 if again else 503
            with open('statuses', 'a') as statuses:
                print(status, file=statuses)
        self.send_response(status)
        if status == 503:
            self.send_header('Retry-After', '1')
        self.end_headers()
        self.wfile.write(json.dumps(value if status == 200 else {'errors': [{'detail': 'later'}]}).encode())

    do_GET = do_PUT = do_DELETE = answer


http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Registry).serve_forever()
PYTHON
python3 registry.py "$port" 2>log &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
until curl -sf "http://127.0.0.1:$port/config.json" >/dev/null; do
	kill -0 "$server" 2>/dev/null || { cat log >&2; echo 'the server has ended: see its messages above' >&2; exit 1; }
	sleep 0.1
done
mkdir -p package/src
: >package/src/lib.rs
cat >package/Cargo.toml <<'TOML'
[package]
name = "asks"
version = "1.0.0"
edition = "2021"
description = "asks"
license = "MIT"

[dependencies]
acme = { version = "1", registry = "private" }
TOML
cd package

# $1: name; the rest: arguments of cargo
try() {
	name=$1
	shift
	: >../statuses
	end=fails
	if ../root/usr/bin/cargo "$@" >>../log 2>&1; then end=succeeds; fi
	echo "$name: $(paste -sd ' ' <../statuses), cargo $end"
}
{
	try 'index file' generate-lockfile
	sed -i '/^\[dependencies\]/,$d' Cargo.toml
	try search search --registry private acme
	try owner owner --registry private --list acme
	try yank yank --registry private --version 1.0.0 acme
	try publish publish --registry private --no-verify --allow-dirty
} | tee ../found
cat >../expected <<'EXPECTED'
index file: 503 200, cargo succeeds
search: 503, cargo fails
owner: 503, cargo fails
yank: 503, cargo fails
publish: 503, cargo fails
EXPECTED
cmp ../found ../expected
