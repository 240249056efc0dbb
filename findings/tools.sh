#!/bin/sh
# osv-scalibr 0.5.3 (Go module github.com/google/osv-scalibr): its reader of Cargo.lock drops the source
# of a package, so that a crate of a private registry gets the package URL, and the ecosystem, of the
# public crate that has its name.  Scanners that look up what it reads report on a stranger's crate, and
# a bill of materials names that one.
#
# The definition of the type cargo of package URLs says that it uses a repository, of which the public
# registry is the default only.  Of a lock file with acme 1.0.0 from another registry and acme 2.0.0 from
# the public one it prints
#
#	pkg:cargo/acme@1.0.0 crates.io
#	pkg:cargo/acme@2.0.0 crates.io
#
# where the first should have the qualifier repository_url.  The exit status is 0 while that is so, and 1
# once it has changed.  Needs go 1.26.3 or later and some minutes.
set -eu
cd "$(dirname "$0")/.."
source=$PWD/t/tools/purls.go
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cp "$source" .
# a cache that the caller has may stay in use
export GOPATH="$dir/go" GOMODCACHE="${GOMODCACHE:-$dir/mod}" GOCACHE="${GOCACHE:-$dir/cache}"
export GOFLAGS=-modcacherw GOTOOLCHAIN=local CGO_ENABLED=0
go mod init purls 2>/dev/null
go get github.com/google/osv-scalibr@v0.5.3 2>/dev/null
go build -p 1 -o purls .

cat >Cargo.lock <<'LOCK'
version = 4

[[package]]
name = "acme"
version = "1.0.0"
source = "sparse+https://registry.example.com/index/"
checksum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

[[package]]
name = "acme"
version = "2.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
LOCK
./purls Cargo.lock | tee found
cat >expected <<'EXPECTED'
pkg:cargo/acme@1.0.0 crates.io
pkg:cargo/acme@2.0.0 crates.io
EXPECTED
cmp found expected && echo 'osv-scalibr 0.5.3: both are the public crate, as before'
