#!/bin/sh
# An object store that speaks S3 sends ETags and ranges as any server of HTTP does, but versitygw v1.8.0 and moto
# 5.2.5 do not evaluate conditions as HTTP does.  They ignore If-Range: if an object has changed since a client got
# its first half, they send the second half of the new one with 206, and the client joins two halves that do not
# belong together.  They compare If-None-Match letter by letter, with one ETag: if a proxy that compresses has put W/
# before the ETag, or if a client sends two ETags, they send the whole object and not 304.
#
# So do not let clients reach the store through a proxy that passes these headers on, unless a key always has the same
# bytes; a proxy with copies of its own evaluates them itself.  This script asks both stores, and nginx (Debian 12's
# 1.22.1-9+deb12u11) for comparison, and prints
#
#	versitygw: If-Range of another: 206; If-None-Match: same 304, weak 200, second of a list 200
#	moto: If-Range of another: 206; If-None-Match: same 304, weak 200, second of a list 200
#	nginx: If-Range of another: 200; If-None-Match: same 304, weak 304, second of a list 304
#
# The exit status is 0 as long as this is so.  The script needs Debian 12 with what nginx depends on, curl 7.83 or
# later, Go 1.25 or later and Python 3.10 or later with venv, and takes some minutes.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
port=${PORT:-23793}
chmod 755 "$dir"
cd "$dir"
apt-get -q download nginx=1.22.1-9+deb12u11 >/dev/null 2>&1
dpkg-deb -x nginx_*.deb root
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check 'moto[s3,server]==5.2.5'
# use the caches of the caller if there are any
export GOPATH="$dir/go" GOMODCACHE="${GOMODCACHE:-$dir/mod}" GOCACHE="${GOCACHE:-$dir/cache}"
export GOFLAGS=-modcacherw GOTOOLCHAIN=local GOBIN="$dir"
go install -p 1 github.com/versity/versitygw/cmd/versitygw@v1.8.0 2>/dev/null

mkdir store files files/bucket
cat >conf <<CONF
pid $dir/pid;
events { }
http {
	access_log off;
	client_body_temp_path temp;
	proxy_temp_path temp;
	fastcgi_temp_path temp;
	uwsgi_temp_path temp;
	scgi_temp_path temp;
	server {
		listen 127.0.0.1:$port;
		root files;
	}
}
CONF
printf 0123456789 >files/bucket/key
root/usr/sbin/nginx -p "$dir" -e "$dir/errors" -c conf -g 'daemon off;' &
nginx=$!
ROOT_ACCESS_KEY=access ROOT_SECRET_KEY=secret-secret ./versitygw --port "127.0.0.1:$((port + 1))" posix store \
    >log 2>&1 &
versitygw=$!
venv/bin/moto_server -H 127.0.0.1 -p "$((port + 2))" >moto.log 2>&1 &
moto=$!
trap 'kill "$nginx" "$versitygw" "$moto" 2>/dev/null || true; wait || true; rm -rf "$dir"' EXIT

# $1: port, $2: path; the rest: options of curl.  moto reads no body of a form, and checks no signature.
ask() {
	url=http://127.0.0.1:$1/$2
	shift 2
	curl -s -o body -w '%{http_code}' --aws-sigv4 aws:amz:us-east-1:s3 -u access:secret-secret \
	    -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@" "$url"
}
# $1: name, $2: port
show() {
	etag=$(ask "$2" bucket/key -D - | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')
	range=$(ask "$2" bucket/key -H 'Range: bytes=5-' -H 'If-Range: "other"')
	same=$(ask "$2" bucket/key -H "If-None-Match: $etag")
	weak=$(ask "$2" bucket/key -H "If-None-Match: W/$etag")
	list=$(ask "$2" bucket/key -H "If-None-Match: \"other\", $etag")
	echo "$1: If-Range of another: $range; If-None-Match: same $same, weak $weak, second of a list $list"
}
# $1: port, $2: process, $3: its log
fill() {
	until curl -s -o body "http://127.0.0.1:$1/"; do
		kill -0 "$2" 2>/dev/null || { cat "$3" >&2; echo 'the server has ended: see its messages above' >&2; exit 1; }
		sleep 0.2
	done
	ask "$1" bucket -X PUT
	ask "$1" bucket/key -T files/bucket/key
}
{
	fill $((port + 1)) "$versitygw" log
	fill $((port + 2)) "$moto" moto.log
} >statuses
{
	show versitygw $((port + 1))
	show moto $((port + 2))
	show nginx "$port"
} | tee found
cat >expected <<'EXPECTED'
versitygw: If-Range of another: 206; If-None-Match: same 304, weak 200, second of a list 200
moto: If-Range of another: 206; If-None-Match: same 304, weak 200, second of a list 200
nginx: If-Range of another: 200; If-None-Match: same 304, weak 304, second of a list 304
EXPECTED
cmp found expected
