#!/bin/sh
# If an application redirects a request to an internal location by X-Accel-Redirect, the settings of the new
# location apply.  limit_req and limit_conn are an exception (Debian 12's 1.22.1-9+deb12u11): if the first location
# has checked the request with any limit_req, nginx checks it with no other one, and likewise for limit_conn.
#
# So a strict limit for downloads in the internal location, to which the application redirects, has no effect as
# soon as the public location has a generous limit for all requests.  Put all limits where the request comes in, with
# a key that is empty for the requests that a limit does not concern.  The internal locations of this script have a
# limit of one request a minute, or of one connection while another client downloads.  The script asks for ten bytes,
# and prints
#
#	limit_req in the internal location alone: 206 429
#	with a generous one in front: 206 206
#	both in front: 206 429
#	limit_conn in the internal location alone: 429
#	with a generous one in front: 206
#	both in front: 429
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
head -c 1000000 /dev/zero >files/crate
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

	limit_req_zone \$host zone=requests:1m rate=1000r/s;
	limit_req_zone \$host zone=download_requests:1m rate=1r/m;
	limit_conn_zone \$host zone=connections:1m;
	limit_conn_zone \$host zone=download_connections:1m;
	limit_req_status 429;
	limit_conn_status 429;

	server {
		listen unix:$dir/application;
		location /requests/ {
			add_header X-Accel-Redirect /files/requests/crate;
			return 200;
		}
		location /connections/ {
			add_header X-Accel-Redirect /files/connections/crate;
			return 200;
		}
	}
	server {
		listen unix:$dir/socket;
		limit_rate 10k;

		location /requests/alone {
			proxy_pass http://unix:$dir/application;
		}
		location /requests/behind {
			limit_req zone=requests burst=100 nodelay;
			proxy_pass http://unix:$dir/application;
		}
		location /requests/beside {
			limit_req zone=requests burst=100 nodelay;
			limit_req zone=download_requests;
			proxy_pass http://unix:$dir/application;
		}
		location /files/requests/ {
			internal;
			alias $dir/files/;
			limit_req zone=download_requests;
		}

		location /connections/alone {
			proxy_pass http://unix:$dir/application;
		}
		location /connections/behind {
			limit_conn connections 100;
			proxy_pass http://unix:$dir/application;
		}
		location /connections/beside {
			limit_conn connections 100;
			limit_conn download_connections 1;
			proxy_pass http://unix:$dir/application;
		}
		location /files/connections/ {
			internal;
			alias $dir/files/;
			limit_conn download_connections 1;
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

# $1: host, by which nginx counts; $2: path; asks for ten bytes, and prints the status
status() {
	curl -sr 0-9 -o body -w '%{http_code}' --unix-socket socket "http://$1$2"
}
# $1: name, $2: path, $3: host
requests() {
	echo "$1: $(status "$3" "$2") $(status "$3" "$2")"
}
connections() {
	curl -s -o "other$3" --unix-socket socket "http://$3$2" &
	other=$!
	until [ -s "other$3" ]; do
		kill -0 "$other"
		sleep 0.1
	done
	echo "$1: $(status "$3" "$2")"
	kill "$other"
	wait "$other" 2>/dev/null || true
}
{
	requests 'limit_req in the internal location alone' /requests/alone a
	requests 'with a generous one in front' /requests/behind b
	requests 'both in front' /requests/beside c
	connections 'limit_conn in the internal location alone' /connections/alone d
	connections 'with a generous one in front' /connections/behind e
	connections 'both in front' /connections/beside f
} | tee found
cat >expected <<'EXPECTED'
limit_req in the internal location alone: 206 429
with a generous one in front: 206 206
both in front: 206 429
limit_conn in the internal location alone: 429
with a generous one in front: 206
both in front: 429
EXPECTED
cmp found expected
