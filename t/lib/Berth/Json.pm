package Berth::Json;

# Reads JSON as JSON::PP->new->utf8->allow_nonref->decode() does, which takes microseconds for each character:
# tests read megabytes.
#
#	my $value = Berth::Json::decode($res->{body});      # dies where it is no JSON

use strict;
use warnings;
no warnings 'recursion';

use JSON::PP ();

use constant DEPTH_MAX => 512;

my %word = (true => JSON::PP::true(), false => JSON::PP::false(), null => undef);
my %escaped = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");

sub decode {
	my ($bytes) = @_;

	utf8::downgrade($bytes, 1) && utf8::decode($bytes) || $bytes !~ /[^\x00-\x7f]/ or die "no UTF-8\n";
	local $_ = $bytes;
	my $value = _value(1);
	/\G[ \t\r\n]*\z/ or _malformed();
	return $value;
}

# Each of these reads $_ from where it was left.
sub _value {
	my ($depth) = @_;

	/\G[ \t\r\n]*/gc;
	return _string() if /\G"/gc;
	return _object($depth) if /\G\{/gc;
	return _array($depth) if /\G\[/gc;
	return $word{$1} if /\G(true|false|null)/gc;
	return 0 + $1 if /\G(-?(?:0(?![0-9])|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)/gc;
	_malformed();
}

sub _object {
	my ($depth) = @_;
	my %object;

	_malformed() if $depth > DEPTH_MAX;
	return \%object if /\G[ \t\r\n]*\}/gc;
	do {
		/\G[ \t\r\n]*"/gc or _malformed();
		my $key = _string();
		/\G[ \t\r\n]*:/gc or _malformed();
		$object{$key} = _value($depth + 1);
	} while (/\G[ \t\r\n]*,/gc);
	/\G[ \t\r\n]*\}/gc or _malformed();
	return \%object;
}

sub _array {
	my ($depth) = @_;
	my @array;

	_malformed() if $depth > DEPTH_MAX;
	return \@array if /\G[ \t\r\n]*\]/gc;
	do {
		push @array, _value($depth + 1);
	} while (/\G[ \t\r\n]*,/gc);
	/\G[ \t\r\n]*\]/gc or _malformed();
	return \@array;
}

# Behind its first quote.
sub _string {
	my $text = '';

	while (1) {
		$text .= $1 if /\G([^"\\\x00-\x1f]+)/gc;
		return $text if /\G"/gc;
		if (/\G\\(["\\\/bfnrt])/gc) {
			$text .= $escaped{$1} // $1;
		} elsif (/\G\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/gc) {
			$text .= chr(0x10000 + (hex($1) - 0xd800 << 10) + hex($2) - 0xdc00);
		} elsif (/\G\\u(?![dD][89abAB])([0-9a-fA-F]{4})/gc && $1 !~ /\A[dD][c-fC-F]/) {
			$text .= chr(hex($1));
		} else {
			_malformed();
		}
	}
}

sub _malformed { die 'no JSON at character ' . (pos // 0) . "\n" }

1;
