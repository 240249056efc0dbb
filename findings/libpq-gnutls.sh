#!/bin/sh
# Debian 12's libpq (libpq5 15.20-0+deb12u1) encrypts with OpenSSL, and yet each program that links it
# prepares GnuTLS as well, even if it never connects: libpq links libldap (2.5.13+dfsg-5), for servers that
# a directory names, and Debian's libldap links GnuTLS, whose constructor runs when it is loaded.
#
# A program that starts often, such as a command for administrators, pays for that at each start.
# GNUTLS_NO_IMPLICIT_INIT=1 in the environment leaves it out.  This script unpacks both packages and
# loads libpq into a program that does nothing: it looks for the configuration of GnuTLS.  The output is
#
#	libpq links OpenSSL and, by libldap, GnuTLS
#	a program that does nothing looks for /etc/gnutls/config
#	with GNUTLS_NO_IMPLICIT_INIT=1 it does not
#
# The exit status is 0 as long as this is so.  The script needs Debian 12, binutils and strace.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -q download libpq5=15.20-0+deb12u1 libldap-2.5-0=2.5.13+dfsg-5 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
lib=$PWD/$(dirname "$(find root -name libpq.so.5)")

links() { readelf -d "$lib/$1" | grep -q "NEEDED.*$2"; }
links libpq.so.5 libssl && links libpq.so.5 libldap && links libldap-2.5.so.0 libgnutls
if links libpq.so.5 libgnutls; then
	exit 1
fi
echo 'libpq links OpenSSL and, by libldap, GnuTLS'

looks() {
	strace -E LD_LIBRARY_PATH="$lib" -E LD_PRELOAD="$lib/libpq.so.5" "$@" -o calls true
	grep -q '"/etc/gnutls/config"' calls
}
looks -f
echo 'a program that does nothing looks for /etc/gnutls/config'
if looks -E GNUTLS_NO_IMPLICIT_INIT=1; then
	exit 1
fi
echo 'with GNUTLS_NO_IMPLICIT_INIT=1 it does not'
