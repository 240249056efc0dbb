#!/bin/sh
# `nginx -t` says whether nginx would start with a configuration, but not whether a running nginx accepts it.  A
# zone of limit_req_zone or limit_conn_zone keeps its memory over a reload, so it must keep its key as well, and a
# cache must keep its levels.  If one of them changes, nginx (Debian 12's 1.22.1-9+deb12u11) goes on with the whole
# old configuration.  `nginx -t` and `nginx -s reload` succeed all the same.  Only the error log has a line, such as
# `limit_req "zone" uses the "$new" key while previously it used the "$old" key`.
#
# So an upgrade that counts tokens in place of addresses passes every check and changes nothing.  Give a zone another
# name with its new key, and look into the error log after a reload.  This script changes a zone and the text that the
# server answers with, reloads, and prints
#
#	limit_req_zone, another key: nginx -t 0, reload 0, answer: old
#	limit_conn_zone, another key: nginx -t 0, reload 0, answer: old
#	proxy_cache_path, other levels: nginx -t 0, reload 0, answer: old
#	limit_req_zone, another rate: nginx -t 0, reload 0, answer: new
#	limit_req_zone, another key and name: nginx -t 0, reload 0, answer: new
#
# The exit status is 0 as long as this is so.  The script needs Debian 12 with what nginx depends on, and curl.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -q download nginx=1.22.1-9+deb12u11 >/dev/null 2>&1
dpkg-deb -x nginx_*.deb root

# $1: a directive, $2: what the server answers
configure() {
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
	$1
	server {
		listen unix:$dir/socket;
		return 200 "$2\n";
	}
}
CONF
}
control() { root/usr/sbin/nginx -p "$dir" -e "$dir/$1" -c conf -q "$2" ${3:+"$3"}; }
answer() { curl -s --unix-socket socket http://localhost/; }

nginx=''
stop() {
	[ -z "$nginx" ] || { kill "$nginx" 2>/dev/null || true; wait "$nginx" || true; }
	nginx=''
}
trap 'stop; rm -rf "$dir"' EXIT

# $1: name, $2: the directive at the start, $3: the directive at the reload
change() {
	: >errors
	configure "$2" old
	root/usr/sbin/nginx -p "$dir" -e "$dir/errors" -c conf -g 'daemon off;' &
	nginx=$!
	until [ -S socket ] && [ -s pid ]; do
		kill -0 "$nginx" 2>/dev/null || { cat errors >&2; echo 'the server has ended: see its messages above' >&2; exit 1; }
		sleep 0.1
	done
	configure "$3" new
	control messages -t && test=0 || test=$?
	control messages -s reload && reload=0 || reload=$?
	tries=100
	# after the first new answer, a worker of the old configuration may still give some old ones
	until got=$(answer); [ "$tries" -eq 0 ] || grep -q emerg errors || [ "$got" = new ]; do
		sleep 0.1
		tries=$((tries - 1))
	done
	echo "$1: nginx -t $test, reload $reload, answer: $got"
	stop
}
{
	# shellcheck disable=SC2016 # nginx's variables
	{
		change 'limit_req_zone, another key' 'limit_req_zone $binary_remote_addr zone=zone:1m rate=1r/s;' \
		    'limit_req_zone $http_authorization zone=zone:1m rate=1r/s;'
		change 'limit_conn_zone, another key' 'limit_conn_zone $binary_remote_addr zone=zone:1m;' \
		    'limit_conn_zone $http_authorization zone=zone:1m;'
		change 'proxy_cache_path, other levels' "proxy_cache_path $dir/cache keys_zone=zone:1m levels=1:2;" \
		    "proxy_cache_path $dir/cache keys_zone=zone:1m levels=2:2;"
		change 'limit_req_zone, another rate' 'limit_req_zone $binary_remote_addr zone=zone:1m rate=1r/s;' \
		    'limit_req_zone $binary_remote_addr zone=zone:1m rate=2r/s;'
		change 'limit_req_zone, another key and name' 'limit_req_zone $binary_remote_addr zone=zone:1m rate=1r/s;' \
		    'limit_req_zone $http_authorization zone=other:1m rate=1r/s;'
	}
} | tee found
cat >expected <<'EXPECTED'
limit_req_zone, another key: nginx -t 0, reload 0, answer: old
limit_conn_zone, another key: nginx -t 0, reload 0, answer: old
proxy_cache_path, other levels: nginx -t 0, reload 0, answer: old
limit_req_zone, another rate: nginx -t 0, reload 0, answer: new
limit_req_zone, another key and name: nginx -t 0, reload 0, answer: new
EXPECTED
cmp found expected
