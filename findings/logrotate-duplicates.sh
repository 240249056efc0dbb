#!/bin/sh
# logrotate (Debian 12's 3.21.0-1) allows one rule for each log.  If a pattern of a later file matches a log that has
# a rule already, logrotate says `found error in file web, skipping`.  In fact it skips a part of that pattern only:
# it rotates the logs before this one in the alphabet, but none of those behind it, and it obeys the other rules of
# the file.  So people see fresh archives, and miss the others when a log has filled the disk.
#
# A package with a rule for its own logs in /var/log/nginx does this to Debian's rule for *.log there, if the name of
# its file comes before `nginx`.  Its rule needs `ignoreduplicates`, although it is not the one that logrotate
# complains of; or its logs need another directory.  This script rotates a pattern of three logs, of which the middle
# one has a rule of its own, and prints
#
#	rotated: access.log app.log other.log; not rotated: error.log; exit status 1
#	with ignoreduplicates: rotated: access.log app.log error.log other.log; exit status 0
#
# The exit status is 0 as long as this is so.  The script needs Debian 12.
set -eu
umask 022
dir=$(mktemp -d)
export LC_ALL=C
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -q download logrotate=3.21.0-1 >/dev/null 2>&1
dpkg-deb -x logrotate_*.deb root

# $1: a line for the first rule.  Prints what became of the logs.
rotate() {
	rm -rf logs rules state
	mkdir logs logs/other rules
	for log in access app error other/other; do echo line >"logs/$log.log"; done
	printf '%s {\n\trotate 2\n\t%s\n}\n' "$dir/logs/app.log" "$1" >rules/app
	printf '%s {\n\trotate 2\n}\n' "$dir/logs/*.log" "$dir/logs/other/*.log" >rules/web
	status=0
	root/usr/sbin/logrotate --force --state state rules 2>messages || status=$?
	printf 'rotated:'
	find logs -name '*.log.1' -printf ' %f\n' | sed 's/\.1$//' | sort | tr -d '\n'
	[ -z "$(find logs -name '*.log')" ] || printf '; not rotated:'
	find logs -name '*.log' -printf ' %f'
	echo "; exit status $status"
}
first=$(rotate '')
grep -q 'found error in file web, skipping' messages
second=$(rotate ignoreduplicates)
echo "$first"
echo "with ignoreduplicates: $second"
[ "$first" = 'rotated: access.log app.log other.log; not rotated: error.log; exit status 1' ]
[ "$second" = 'rotated: access.log app.log error.log other.log; exit status 0' ]
