#!/bin/sh
# The manual of nginx says that add_header and expires add headers to answers that succeed or redirect, and not to
# errors, unless add_header says `always`.  404 and 412 do not get them, but 416 does (Debian 12's
# 1.22.1-9+deb12u11): nginx adds the headers while the file is still a 200, and finds afterwards that the file has no
# such range.
#
# So if caches may keep a file for a year, they may also keep for a year the answer that the file lacks a range.
# error_page does not remove the headers: the location that it leads to adds its own to them.  A map from $http_range
# to the value of the header helps, if it has another value for ranges that do not begin at the first byte.  This
# script asks for a file of 10 bytes, and prints
#
#	bytes=2-4: 206, Cache-Control: max-age=31536000, immutable
#	bytes=10-: 416, Cache-Control: max-age=31536000, immutable
#	bytes=10-, with error_page: 416, Cache-Control: max-age=31536000, immutable; no-store
#	If-Match that does not match: 412, no Cache-Control
#	no such file: 404, no Cache-Control
#
# The exit status is 0 as long as this is so.  The script needs Debian 12 with what nginx depends on, and curl.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -q download nginx=1.22.1-9+deb12u11 >/dev/null 2>&1
dpkg-deb -x nginx_*.deb root
mkdir files
printf 0123456789 >files/crate
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
		listen unix:$dir/socket;
		location / {
			root files;
			add_header Cache-Control "max-age=31536000, immutable";
		}
		location /page/ {
			alias $dir/files/;
			add_header Cache-Control "max-age=31536000, immutable";
			error_page 416 /416;
		}
		location = /416 {
			internal;
			add_header Cache-Control no-store always;
			return 416;
		}
	}
}
CONF
root/usr/sbin/nginx -p "$dir" -e "$dir/errors" -c conf -g 'daemon off;' &
nginx=$!
trap 'kill "$nginx" 2>/dev/null || true; wait "$nginx" || true; rm -rf "$dir"' EXIT
until [ -S socket ]; do
	kill -0 "$nginx" 2>/dev/null || { cat errors >&2; echo 'the server has ended: see its messages above' >&2; exit 1; }
	sleep 0.1
done

# $1: name, $2: path, $3: header of the request
ask() {
	curl -s -o /dev/null -D answer --unix-socket socket -H "$3" "http://localhost$2"
	values=$(tr -d '\r' <answer | sed -n 's/^Cache-Control: //p' | paste -sd ';' | sed 's/;/; /')
	echo "$1: $(awk 'NR == 1 { print $2 }' answer), ${values:+Cache-Control: }${values:-no Cache-Control}"
}
{
	ask bytes=2-4 /crate 'Range: bytes=2-4'
	ask bytes=10- /crate 'Range: bytes=10-'
	ask 'bytes=10-, with error_page' /page/crate 'Range: bytes=10-'
	ask 'If-Match that does not match' /crate 'If-Match: "other"'
	ask 'no such file' /none 'Range: bytes=10-'
} | tee found
cat >expected <<'EXPECTED'
bytes=2-4: 206, Cache-Control: max-age=31536000, immutable
bytes=10-: 416, Cache-Control: max-age=31536000, immutable
bytes=10-, with error_page: 416, Cache-Control: max-age=31536000, immutable; no-store
If-Match that does not match: 412, no Cache-Control
no such file: 404, no Cache-Control
EXPECTED
cmp found expected
