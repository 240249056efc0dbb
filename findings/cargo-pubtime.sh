#!/bin/sh
# Since 1.94 cargo reads from a line of the index when the version was published: `pubtime`.  It takes one form of
# RFC 3339 alone, whole seconds in UTC with a Z.  A line with another form, such as a fraction of a second or an
# offset, is no error, and is not read without its time: cargo (Debian 12's cargo-web, 1.96.0+dfsg1-1~deb12u2) passes
# the version over and takes an older one, without a warning.  If only that version meets a requirement, cargo says
# that its entry is invalid, but not why.
#
# So a registry that writes times as to_json() of PostgreSQL or most libraries do hides its versions from these
# clients.  It must drop the fraction and convert the offset, also in lines that it takes from another registry.
# This script asks cargo for versions of an index with three of them, and prints
#
#	1: locked 1.0.0
#	=1.0.0 of 2026-01-02T03:04:05Z: locked 1.0.0
#	=1.1.0 of 2026-01-02T03:04:05.678Z: version 1.1.0's index entry is invalid
#	=1.2.0 of 2026-01-02T03:04:05+00:00: version 1.2.0's index entry is invalid
#
# The exit status is 0 as long as this is so.  The script needs Debian 12, curl and Python 3; it unpacks cargo and the
# libraries that few programs have.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
port=${PORT:-23791}
chmod 755 "$dir"
cd "$dir"
apt-get -q download cargo-web=1.96.0+dfsg1-1~deb12u2 libgit2-1.5=1.5.1+ds-1+deb12u2 libssh2-1=1.10.0-3+deb12u1 \
    libhttp-parser2.9=2.9.4-5 libmbedtls14=2.28.3-1 libmbedcrypto7=2.28.3-1 libmbedx509-1=2.28.3-1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$dir/$(dirname "$(find root -name libgit2.so.1.5)")
export LD_LIBRARY_PATH CARGO_HOME="$dir/home"
export CARGO_REGISTRIES_PRIVATE_INDEX="sparse+http://127.0.0.1:$port/"

mkdir -p index/ac/me package/src
echo "{\"dl\":\"http://127.0.0.1:$port/crates\"}" >index/config.json
# $1: version, $2: pubtime
line() {
	printf '{"name":"acme","vers":"%s","deps":[],"features":{},"yanked":false,"pubtime":"%s","cksum":"%064d"}\n' \
	    "$1" "$2" 0
}
{
	line 1.0.0 2026-01-02T03:04:05Z
	line 1.1.0 2026-01-02T03:04:05.678Z
	line 1.2.0 2026-01-02T03:04:05+00:00
} >index/ac/me/acme
python3 -m http.server --bind 127.0.0.1 --directory index "$port" >log 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
until curl -sf "http://127.0.0.1:$port/config.json" >/dev/null; do
	kill -0 "$server" 2>/dev/null || { cat log >&2; echo 'the server has ended: see its messages above' >&2; exit 1; }
	sleep 0.1
done
: >package/src/lib.rs

# $1: name, $2: requirement
ask() {
	cat >package/Cargo.toml <<TOML
[package]
name = "asks"
version = "1.0.0"
edition = "2021"

[dependencies]
acme = { version = "$2", registry = "private" }
TOML
	rm -f package/Cargo.lock
	if root/usr/bin/cargo generate-lockfile --manifest-path package/Cargo.toml 2>messages; then
		echo "$1: locked $(sed -n '/^name = "acme"$/ { n; s/^version = "\(.*\)"$/\1/p; }' package/Cargo.lock)"
		[ "$(grep -ci -e warning -e invalid messages)" -eq 0 ]
	else
		echo "$1: $(sed -n 's/^ *\(version .* invalid\)$/\1/p' messages)"
	fi
}
{
	ask 1 1
	ask '=1.0.0 of 2026-01-02T03:04:05Z' =1.0.0
	ask '=1.1.0 of 2026-01-02T03:04:05.678Z' =1.1.0
	ask '=1.2.0 of 2026-01-02T03:04:05+00:00' =1.2.0
} >found
cat found
cat >expected <<'EXPECTED'
1: locked 1.0.0
=1.0.0 of 2026-01-02T03:04:05Z: locked 1.0.0
=1.1.0 of 2026-01-02T03:04:05.678Z: version 1.1.0's index entry is invalid
=1.2.0 of 2026-01-02T03:04:05+00:00: version 1.2.0's index entry is invalid
EXPECTED
cmp found expected
