package Berth::IdToken;

# Keys of an issuer, and identity tokens signed with them, by openssl(1).
#
#	my $rsa = Berth::IdToken->new($dir, 'RS256', 'kid-1');
#	$there->answer('/keys', { keys => [$rsa->jwk] });
#	my $token = $rsa->sign({ iss => ..., ... });            # header => { alg => 'none', typ => undef } replaces
#	                                                        # keys, and leaves them out

use strict;
use warnings;

use JSON::PP ();
use MIME::Base64 qw(encode_base64url);

use Berth::Cluster;

my $json = JSON::PP->new->utf8->canonical;

my %generate = (
	RS256 => ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
	ES256 => ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
);

sub new {
	my ($class, $dir, $alg, $kid) = @_;
	my $self = bless { alg => $alg, kid => $kid, key => "$dir/$kid.key" }, $class;

	Berth::Cluster::run_command('openssl', 'genpkey', '-quiet', @{ $generate{$alg} }, '-out', $self->{key})
	    unless -e $self->{key};
	return $self;
}

# The public key in PEM, and as issuers publish it.
sub public { return Berth::Cluster::run_command('openssl', 'pkey', '-in', $_[0]{key}, '-pubout') }

sub jwk {
	my ($self) = @_;
	my %key = (kid => $self->{kid}, use => 'sig', alg => $self->{alg});
	my $der = Berth::Cluster::run_command('openssl', 'pkey', '-in', $self->{key}, '-pubout', '-outform', 'DER');

	if ($self->{alg} eq 'ES256') {
		my ($x, $y) = unpack('a32 a32', substr($der, -64));
		return { %key, kty => 'EC', crv => 'P-256', x => encode_base64url($x), y => encode_base64url($y) };
	}
	my ($modulus) = Berth::Cluster::run_command('openssl', 'rsa', '-in', $self->{key}, '-noout', '-modulus')
	    =~ /^Modulus=([0-9A-F]+)$/m;
	return { %key, kty => 'RSA', n => encode_base64url(pack('H*', $modulus)), e => 'AQAB' };
}

sub sign {
	my ($self, $claims, %opt) = @_;
	my $header = { alg => $self->{alg}, kid => $self->{kid}, typ => 'JWT', %{ $opt{header} // {} } };
	delete @$header{ grep { !defined $header->{$_} } keys %$header };
	my $text = join('.', map { encode_base64url($json->encode($_)) } $header, $claims);
	my ($status, $signature, $err) = Berth::Cluster::capture({ stdin => $text }, 'openssl', 'dgst', '-sha256',
	    '-sign', $self->{key});

	die $err if $status != 0;
	$signature = _raw($signature) if $self->{alg} eq 'ES256';
	return "$text." . encode_base64url($signature);
}

# An ECDSA signature's two numbers, 32 bytes each, from the DER that openssl writes.
sub _raw {
	my ($der) = @_;
	my ($r, $s) = unpack('x2 x C/a x C/a', $der);

	return join('', map { substr(("\0" x 32) . $_, -32) } $r, $s);
}

1;
