#!/bin/sh
# cargo 1.100 can leave out versions that are too young: `global-min-publish-age` sets the age for all registries, and
# `registries.NAME.min-publish-age = "0"` exempts one, such as a company's own, whose releases are needed at once.
# cargo reads nearly every key from the environment as well, and the global one is CARGO_REGISTRY_GLOBAL_MIN_PUBLISH_AGE.
# But cargo (1.100.0-beta.7 of 2026-10-17, and the nightly 1.101.0 of 2026-10-27) ignores
# CARGO_REGISTRIES_NAME_MIN_PUBLISH_AGE without a word: if no file has the key, and if one has another value.
#
# So a CI job that names its registry by CARGO_REGISTRIES_NAME_INDEX alone cannot use what it has just published, as
# soon as the repository sets a global age.  --config works, as does the key in a file.
#
# The registry of this script has version 1.0.0 of a crate, of January, and 1.1.0, an hour old.  The script lets cargo
# choose, with an age of 7 days for all registries, and prints
#
#	no exemption: 1.0.0
#	"0" in the environment: 1.0.0
#	"0" in the environment, index in a file: 1.0.0
#	"0" in the environment, "30 days" in a file: 1.0.0
#	"0" in a file, index in the environment: 1.1.0
#	"0" by --config: 1.1.0
#	global "0" in the environment, global "30 days" in a file: 1.1.0
#
# The exit status is 0 as long as this is so.  The script needs curl and Python 3.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
port=${PORT:-23797}
cd "$dir"
curl -fsS -o cargo.tar.gz https://static.rust-lang.org/dist/2026-10-18/cargo-beta-x86_64-unknown-linux-gnu.tar.gz
echo '93cbe8803b40a693f1403ddce6732493b5f08ad63ce7c70be02c9fdcb2a4d1ea  cargo.tar.gz' | sha256sum -c --quiet
tar -xzf cargo.tar.gz --strip-components=2
bin/cargo --version | grep -q '^cargo 1\.100\.0-beta\.7 '

index="sparse+http://127.0.0.1:$port/"
mkdir -p registry/yo/un project/src project/.cargo
line() {
	printf '{"name":"young","vers":"%s","deps":[],"cksum":"%064d","features":{},"yanked":false,"pubtime":"%s"}\n' "$@"
}
{
	line 1.0.0 0 2026-01-01T00:00:00Z
	line 1.1.0 0 "$(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:%SZ)"
} >registry/yo/un/young
echo "{\"dl\":\"http://127.0.0.1:$port\"}" >registry/config.json
cat >project/Cargo.toml <<TOML
[package]
name = "project"
version = "0.1.0"
edition = "2021"
[dependencies]
young = { version = "1", registry = "priv" }
TOML
touch project/src/lib.rs

python3 -m http.server -d registry --bind 127.0.0.1 "$port" >log 2>&1 &
server=$!
trap 'kill "$server"; rm -rf "$dir"' EXIT
until curl -fs -o config "http://127.0.0.1:$port/config.json"; do
	kill -0 "$server" 2>/dev/null || { cat log >&2; echo 'the server has ended: see its messages above' >&2; exit 1; }
	sleep 0.1
done

# $1: what is set; $2: the configuration file; then the environment of cargo
with() {
	what=$1
	printf "%b" "$2" >project/.cargo/config.toml
	shift 2
	rm -f project/Cargo.lock
	(cd project && env -i CARGO_HOME="$dir/home" "$@" "$dir/bin/cargo" update ${config:+--config "$config"}) 2>messages ||
	    cat messages >&2
	echo "$what: $(sed -n '/^name = "young"/{n;s/.*"\(.*\)"/\1/p}' project/Cargo.lock)"
}
named="CARGO_REGISTRIES_PRIV_INDEX=$index"
all='CARGO_REGISTRY_GLOBAL_MIN_PUBLISH_AGE=7 days'
own='CARGO_REGISTRIES_PRIV_MIN_PUBLISH_AGE=0'
{
	with 'no exemption' '' "$named" "$all"
	with '"0" in the environment' '' "$named" "$all" "$own"
	with '"0" in the environment, index in a file' "[registries.priv]\nindex = \"$index\"\n" "$all" "$own"
	with '"0" in the environment, "30 days" in a file' '[registries.priv]\nmin-publish-age = "30 days"\n' \
	    "$named" "$own"
	with '"0" in a file, index in the environment' '[registries.priv]\nmin-publish-age = "0"\n' "$named" "$all"
	config='registries.priv.min-publish-age="0"' with '"0" by --config' '' "$named" "$all"
	with 'global "0" in the environment, global "30 days" in a file' \
	    '[registry]\nglobal-min-publish-age = "30 days"\n' "$named" CARGO_REGISTRY_GLOBAL_MIN_PUBLISH_AGE=0
} | tee found
cat >expected <<'EXPECTED'
no exemption: 1.0.0
"0" in the environment: 1.0.0
"0" in the environment, index in a file: 1.0.0
"0" in the environment, "30 days" in a file: 1.0.0
"0" in a file, index in the environment: 1.1.0
"0" by --config: 1.1.0
global "0" in the environment, global "30 days" in a file: 1.1.0
EXPECTED
cmp found expected
