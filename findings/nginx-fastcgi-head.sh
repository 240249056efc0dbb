#!/bin/sh
# If nginx wants to cache the answer of an HTTP server, it asks with GET also for a client's HEAD
# (proxy_cache_convert_head).  For FastCGI it does not (Debian 12's 1.22.1-9+deb12u11): the application gets HEAD,
# rightly answers without a body, and nginx caches that.  The key in the manual's example is the address, without
# the method.  So the next GET gets a 200 out of the cache, without a body.
#
# One `curl -I`, or one probe of a balancer, empties an index file in this way.  cargo (Debian 12's cargo-web,
# 1.96.0+dfsg1-1~deb12u2) then finds no such crate, and keeps this answer, so it still finds none when nginx's cache
# is right again.  Put $request_method into fastcgi_cache_key, or tell the application GET: nginx leaves out the body
# for HEAD by itself.
#
# This script asks for an index file with one version, by HEAD and then by GET, and prints
#
#	HTTP: HEAD, the application sees GET: MISS; GET: HIT, 1 line
#	FastCGI: HEAD, the application sees HEAD: MISS; GET: HIT, 0 lines
#	FastCGI, method in the key: HEAD, the application sees HEAD: MISS; GET: MISS, 1 line
#	FastCGI, told GET: HEAD, the application sees GET: MISS; GET: HIT, 1 line
#	cargo, FastCGI: no matching package named `acme` found
#	the same, after nginx's cache has been emptied: GET: MISS, 1 line
#	cargo, FastCGI: no matching package named `acme` found
#	cargo, FastCGI, method in the key: locked 1.0.0
#
# The exit status is 0 as long as this is so.  The script needs Debian 12 with what nginx depends on, and curl; it
# unpacks cargo and the libraries that few programs have.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
port=${PORT:-23798}
chmod 755 "$dir"
cd "$dir"
apt-get -q download nginx=1.22.1-9+deb12u11 fcgiwrap=1.1.0-14+deb12u1 libfcgi0ldbl=2.4.2-2+deb12u1 \
    cargo-web=1.96.0+dfsg1-1~deb12u2 libgit2-1.5=1.5.1+ds-1+deb12u2 libssh2-1=1.10.0-3+deb12u1 \
    libhttp-parser2.9=2.9.4-5 libmbedtls14=2.28.3-1 libmbedcrypto7=2.28.3-1 libmbedx509-1=2.28.3-1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$dir/$(dirname "$(find root -name libgit2.so.1.5)")
export LD_LIBRARY_PATH CARGO_HOME="$dir/home"

cat >application <<SH
#!/bin/sh
printf 'Content-Type: text/plain\nCache-Control: max-age=3600\nETag: "one"\nX-Method: %s\n\n' "\$REQUEST_METHOD"
[ "\$REQUEST_METHOD" = GET ] || exit 0
case \$REQUEST_URI in
*/config.json) echo '{"dl":"http://127.0.0.1:$port/crates"}' ;;
*) printf '{"name":"acme","vers":"1.0.0","deps":[],"features":{},"yanked":false,"cksum":"%064d"}\n' 0 ;;
esac
SH
chmod 755 application
# $1: path, $2: cache, $3: key, $4: method that the application gets
location() {
	cat <<CONF
		location $1/ {
			fastcgi_cache $2;
			fastcgi_cache_key $3;
			fastcgi_param SCRIPT_FILENAME $dir/application;
			fastcgi_param REQUEST_URI \$request_uri;
			fastcgi_param REQUEST_METHOD $4;
			fastcgi_pass unix:$dir/application.fastcgi;
		}
CONF
}
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
	proxy_cache_path cache/http keys_zone=http:1m;
	fastcgi_cache_path cache/fastcgi keys_zone=fastcgi:1m;
	server {
		listen unix:$dir/application.http;
$(location '' off none "\$request_method")
	}
	server {
		listen 127.0.0.1:$port;
		add_header X-Cache \$upstream_cache_status;
		location /http/ {
			proxy_cache http;
			proxy_cache_key \$request_uri;
			proxy_pass http://unix:$dir/application.http;
		}
$(location /fastcgi fastcgi "\$request_uri" "\$request_method")
$(location /key fastcgi "\$request_method\$request_uri" "\$request_method")
$(location /told fastcgi "\$request_uri" GET)
	}
}
CONF
mkdir -m 755 cache
LD_LIBRARY_PATH=$dir/$(dirname "$(find root -name libfcgi.so.0)") root/usr/sbin/fcgiwrap \
    -s "unix:$dir/application.fastcgi" 2>application.log &
application=$!
root/usr/sbin/nginx -p "$dir" -e "$dir/errors" -c conf -g 'daemon off;' &
nginx=$!
trap 'kill "$nginx" "$application" 2>/dev/null || true; wait || true; rm -rf "$dir"' EXIT
until curl -so body "http://127.0.0.1:$port/" && [ -S application.fastcgi ]; do
	kill -0 "$nginx" "$application" 2>/dev/null || {
		cat errors application.log >&2
		echo 'a server has ended: see its messages above' >&2
		exit 1
	}
	sleep 0.1
done
chmod 777 application.fastcgi

# $1: header; prints its value in the last answer
value() { tr -d '\r' <headers | sed -n "s/^$1: //p"; }
# $1: path
get() {
	curl -s -D headers -o body "http://127.0.0.1:$port$1/ac/me/acme"
	lines=$(wc -l <body)
	echo "GET: $(value X-Cache), $lines line$([ "$lines" -eq 1 ] || echo s)"
}
# $1: name, $2: path
ask() {
	curl -sI -o headers "http://127.0.0.1:$port$2/ac/me/acme"
	echo "$1: HEAD, the application sees $(value X-Method): $(value X-Cache); $(get "$2")"
}
mkdir -p package/src
: >package/src/lib.rs
cat >package/Cargo.toml <<'TOML'
[package]
name = "asks"
version = "1.0.0"
edition = "2021"

[dependencies]
acme = { version = "1", registry = "private" }
TOML
# $1: name, $2: path
lock() {
	rm -f package/Cargo.lock
	if CARGO_REGISTRIES_PRIVATE_INDEX="sparse+http://127.0.0.1:$port$2/" root/usr/bin/cargo generate-lockfile \
	    --manifest-path package/Cargo.toml 2>messages; then
		end="locked $(sed -n '/^name = "acme"$/ { n; s/^version = "\(.*\)"$/\1/p; }' package/Cargo.lock)"
	else
		end=$(sed -n 's/^error: //p' messages)
	fi
	echo "cargo, $1: $end"
}
{
	ask HTTP /http
	ask FastCGI /fastcgi
	ask 'FastCGI, method in the key' /key
	ask 'FastCGI, told GET' /told
	lock FastCGI /fastcgi
	find cache/fastcgi -type f -delete
	echo "the same, after nginx's cache has been emptied: $(get /fastcgi)"
	lock FastCGI /fastcgi
	lock 'FastCGI, method in the key' /key
} | tee found
cat >expected <<'EXPECTED'
HTTP: HEAD, the application sees GET: MISS; GET: HIT, 1 line
FastCGI: HEAD, the application sees HEAD: MISS; GET: HIT, 0 lines
FastCGI, method in the key: HEAD, the application sees HEAD: MISS; GET: MISS, 1 line
FastCGI, told GET: HEAD, the application sees GET: MISS; GET: HIT, 1 line
cargo, FastCGI: no matching package named `acme` found
the same, after nginx's cache has been emptied: GET: MISS, 1 line
cargo, FastCGI: no matching package named `acme` found
cargo, FastCGI, method in the key: locked 1.0.0
EXPECTED
cmp found expected
