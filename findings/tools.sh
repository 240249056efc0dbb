#!/bin/sh
# osv-scalibr 0.5.3 (Go module github.com/google/osv-scalibr) reads Cargo.lock and drops the source of each
# package.  So a crate of a private registry gets the package URL and the ecosystem of the public crate
# with the same name.  Scanners then report on a stranger's crate, and a bill of materials names it.
#
# The definition of package URLs of type cargo says that a URL has a repository, and that the public
# registry is only the default.  This script reads a lock file with acme 1.0.0 from another registry and
# acme 2.0.0 from the public one.  osv-scalibr prints
#
#	pkg:cargo/acme@1.0.0 crates.io
#	pkg:cargo/acme@2.0.0 crates.io
#
# but the first line should have the qualifier repository_url.  The exit status is 0 as long as
# osv-scalibr prints this, and 1 when it prints something else.  The script needs Go 1.26.3 or later, and
# takes some minutes.
set -eu
cd "$(dirname "$0")/.."
source=$PWD/t/tools/purls.go
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cp "$source" .
# use the caches of the caller if there are any
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
cmp found expected && echo 'osv-scalibr 0.5.3 still takes both for the public crate'
