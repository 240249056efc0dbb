#!/bin/sh
# cargo (Debian 12's cargo-web, 1.96.0+dfsg1-1~deb12u2) asks a registry for its config.json each time it updates its
# copy of the index.  A command with a complete Cargo.lock, such as `cargo vendor --locked`, does not update it, and
# `cargo search` does not either.  They take dl, api and auth-required from the file that some earlier command has
# left in CARGO_HOME, however old it is.  If the registry refuses a request, they fail, and do not ask for the file
# again.
#
# So a developer, or a CI job that keeps CARGO_HOME/registry/index, uses the old addresses after they have moved.
# If a registry was open to all and now needs a token, cargo sends none with a download, although it has one.  Keep
# the old addresses working.  `cargo update --dry-run` helps a user: it updates the index.  This script changes
# config.json after cargo has written Cargo.lock.  It prints each request that the registry gets from a command, and
# its status
#
#	moved, vendor --locked: /old/acme without token 404
#	moved, search: /old/api/v1/crates without token 404
#	moved, update --dry-run: /config.json without token 200, /ac/me/acme without token 200
#	moved, vendor --locked: /new/acme without token 200
#	private, vendor --locked: /old/acme without token 401
#	private, search: /old/api/v1/crates without token 401
#	private, update --dry-run: /config.json without token 401, /config.json with token 200, /ac/me/acme with token 200
#	private, vendor --locked: /old/acme with token 200
#
# The exit status is 0 as long as this is so.  The script needs Debian 12, curl and Python 3; it unpacks cargo and the
# libraries that few programs have.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
port=${PORT:-23800}
chmod 755 "$dir"
cd "$dir"
apt-get -q download cargo-web=1.96.0+dfsg1-1~deb12u2 libgit2-1.5=1.5.1+ds-1+deb12u2 libssh2-1=1.10.0-3+deb12u1 \
    libhttp-parser2.9=2.9.4-5 libmbedtls14=2.28.3-1 libmbedcrypto7=2.28.3-1 libmbedx509-1=2.28.3-1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$dir/$(dirname "$(find root -name libgit2.so.1.5)")
export LD_LIBRARY_PATH CARGO_HOME="$dir/home" CARGO_NET_RETRY=0
export CARGO_REGISTRIES_PRIVATE_INDEX="sparse+http://127.0.0.1:$port/"
export CARGO_REGISTRIES_PRIVATE_TOKEN=token CARGO_REGISTRIES_PRIVATE_CREDENTIAL_PROVIDER=cargo:token

mkdir -p acme-1.0.0/src project/src
cat >acme-1.0.0/Cargo.toml <<'TOML'
[package]
name = "acme"
version = "1.0.0"
edition = "2021"
TOML
: >acme-1.0.0/src/lib.rs
tar -czf acme.crate acme-1.0.0
cat >project/Cargo.toml <<'TOML'
[package]
name = "project"
version = "0.1.0"
edition = "2021"

[dependencies]
acme = { version = "1", registry = "private" }
TOML
: >project/src/lib.rs

cat >registry.py <<'PYTHON'
import hashlib
import http.server
import json
import sys

URL = 'http://127.0.0.1:' + sys.argv[1]
with open('acme.crate', 'rb') as file:
    CRATE = file.read()
LINE = {'name': 'acme', 'vers': '1.0.0', 'deps': [], 'cksum': hashlib.sha256(CRATE).hexdigest(), 'features': {},
        'yanked': False}


class Registry(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        with open('state') as state:
            base, access = state.read().split()
        token = 'Authorization' in self.headers
        path = self.path.split('?')[0]
        answers = {
            '/config.json': {'dl': URL + base + '/{crate}', 'api': URL + base, 'auth-required': access == 'private'},
            '/ac/me/acme': LINE,
            base + '/acme': CRATE,
            base + '/api/v1/crates': {'crates': [], 'meta': {'total': 0}},
        }
        status = 401 if access == 'private' and not token else 200 if path in answers else 404
        body = answers[path] if status == 200 else {'errors': [{'detail': 'refused'}]}
        with open('requests', 'a') as requests:
            print(path, 'with' if token else 'without', 'token', status, file=requests)
        self.send_response(status)
        if status == 401:
            self.send_header('WWW-Authenticate', 'Cargo login_url="%s/me"' % URL)
        self.end_headers()
        self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())


http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Registry).serve_forever()
PYTHON
echo /old open >state
python3 registry.py "$port" 2>log &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
until curl -sf -o config "http://127.0.0.1:$port/config.json"; do
	kill -0 "$server" 2>/dev/null || { cat log >&2; echo 'the server has ended: see its messages above' >&2; exit 1; }
	sleep 0.1
done

# $1: what has changed; the rest: arguments of cargo
try() {
	name=$1
	shift
	: >requests
	(cd project && ../root/usr/bin/cargo "$@") >>log 2>&1 || true
	echo "$name, ${command:-$*}: $(paste -sd ',' requests | sed 's/,/, /g')"
}
# $1: name, $2: the state after the change
change() {
	rm -rf home project/Cargo.lock
	echo /old open >state
	try before generate-lockfile >>log
	echo "$2" >state
	try "$1" vendor --locked
	command=search try "$1" search --registry private acme
	try "$1" update --dry-run
	try "$1" vendor --locked
}
{
	change moved '/new open'
	change private '/old private'
} | tee found
cat >expected <<'EXPECTED'
moved, vendor --locked: /old/acme without token 404
moved, search: /old/api/v1/crates without token 404
moved, update --dry-run: /config.json without token 200, /ac/me/acme without token 200
moved, vendor --locked: /new/acme without token 200
private, vendor --locked: /old/acme without token 401
private, search: /old/api/v1/crates without token 401
private, update --dry-run: /config.json without token 401, /config.json with token 200, /ac/me/acme with token 200
private, vendor --locked: /old/acme with token 200
EXPECTED
cmp found expected
