package Berth::Browser;

# A headless Chromium, driven by chromedriver over HTTP (W3C WebDriver).
#
#	my $b = Berth::Browser->start($dir);
#	$b->go($url); $b->type('#name', 'laptop'); $b->click('button.main'); $b->text('h1');
#
# Certificates are not checked: those of the tests are made by an authority of their own.

use strict;
use warnings;

use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 ();
use POSIX qw(:sys_wait_h);

use Berth::Test;

use constant { PATIENCE => 60, ELEMENT => 'element-6066-11e4-a52e-4f735466cecf' };

# Why it cannot be used, for skip: "" where it can.
sub missing {
	for my $program (qw(chromium chromedriver)) {
		return 'no chromium on this machine' unless grep { -x "$_/$program" } split(/:/, $ENV{PATH});
	}
	return '';
}

# Starts both; options: javascript => 0, arguments => [...].
sub start {
	my ($class, $dir, %opt) = @_;
	my $self = bless { port => Berth::Test::claim_port(), owner => $$,
	    http => HTTP::Tiny->new(timeout => PATIENCE) }, $class;

	mkdir("$dir/browser");
	$self->{pid} = fork // die "fork: $!\n";
	if ($self->{pid} == 0) {
		setpgrp;
		open(STDOUT, '>', "$dir/log/chromedriver.log");
		open(STDERR, '>&', \*STDOUT);
		exec('env', "HOME=$dir/browser", "TMPDIR=$dir/browser", 'chromedriver', "--port=$self->{port}")
		    or POSIX::_exit(127);
	}
	Berth::Test::wait_for(sub {
		die "chromedriver ended at once\n" if waitpid($self->{pid}, WNOHANG) != 0;
		return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port});
	}, PATIENCE) or die "chromedriver does not listen\n";
	my %prefs = defined $opt{javascript} && !$opt{javascript}
	    ? (prefs => { 'profile.managed_default_content_settings.javascript' => 2 }) : ();
	my $made = $self->_ask(POST => '', { capabilities => { alwaysMatch => {
		browserName => 'chrome', acceptInsecureCerts => JSON::PP::true,
		'goog:chromeOptions' => { binary => _chromium(), %prefs, args => [
			qw(--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run),
			qw(--disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage),
			'--window-size=1000,900', "--user-data-dir=$dir/browser/profile", @{ $opt{arguments} // [] },
		] },
	} } });
	$self->{session} = $made->{sessionId} // die "no session\n";
	return $self;
}

sub _chromium { return (grep { -x } map { "$_/chromium" } split(/:/, $ENV{PATH}))[0]; }

sub _ask {
	my ($self, $method, $path, $body) = @_;
	my $url = "http://127.0.0.1:$self->{port}/session" . (defined $self->{session} ? "/$self->{session}" : '')
	    . $path;
	my $res = $self->{http}->request($method, $url,
	    defined $body ? { content => JSON::PP->new->utf8->encode($body),
		headers => { 'Content-Type' => 'application/json' } } : {});
	my $json = eval { JSON::PP->new->utf8->decode($res->{content}) }
	    // die "webdriver: $res->{status} $res->{content}\n";

	die "webdriver: $method $path: $json->{value}{message}\n" if !$res->{success};
	return $json->{value};
}

sub go { my ($self, $url) = @_; return $self->_ask(POST => '/url', { url => $url }); }
sub url { return $_[0]->_ask(GET => '/url'); }
sub title { return $_[0]->_ask(GET => '/title'); }
sub source { return $_[0]->_ask(GET => '/source'); }
sub cookies { return @{ $_[0]->_ask(GET => '/cookie') }; }

# Forgets all cookies, and keeps this one, "NAME=VALUE", for a page of that address; undef: none.
sub become {
	my ($self, $url, $cookie) = @_;

	$self->_cdp('Network.clearBrowserCookies');
	return 1 unless defined $cookie;
	my ($name, $value) = split(/=/, $cookie, 2);
	my $set = $self->_cdp('Network.setCookie', name => $name, value => $value, url => $url, path => '/',
	    map { $_ => JSON::PP::true } qw(secure httpOnly));
	return $set->{success} || die "the browser refuses the cookie $name\n";
}

# Elements by CSS selector.
sub all {
	my ($self, $css) = @_;

	return map { $_->{ +ELEMENT } }
	    @{ $self->_ask(POST => '/elements', { using => 'css selector', value => $css }) };
}

sub one {
	my ($self, $css) = @_;
	my ($element) = $self->all($css);

	return $element // die "no $css on " . $self->url . "\n";
}

sub click {
	my ($self, $css) = @_;

	return $self->_ask(POST => '/element/' . $self->one($css) . '/click', {});
}

# Waits until the page has such an element, and shows it: what a click leads to may take its time.
sub await {
	my ($self, $css) = @_;

	return Berth::Test::wait_for(sub { eval { $self->_ask(GET => '/element/' . $self->one($css)
	    . '/displayed') } }, PATIENCE) || die "no $css on " . $self->url . "\n";
}

sub type {
	my ($self, $css, $text) = @_;

	return $self->_ask(POST => '/element/' . $self->one($css) . '/value', { text => $text });
}

# Presses keys, wherever the focus is: "\x{e004}" is Tab, "\x{e007}" is Enter.
sub press {
	my ($self, @keys) = @_;

	return $self->_ask(POST => '/actions', { actions => [{ type => 'key', id => 'keys', actions => [
	    map { ({ type => 'keyDown', value => $_ }, { type => 'keyUp', value => $_ }) } @keys] }] });
}

sub text { my ($self, $css) = @_; return $self->_ask(GET => '/element/' . $self->one($css) . '/text'); }
sub texts { my ($self, $css) = @_; return map { $self->_ask(GET => "/element/$_/text") } $self->all($css); }

sub css {
	my ($self, $css, $property) = @_;

	return $self->_ask(GET => '/element/' . $self->one($css) . "/css/$property");
}

sub property {
	my ($self, $css, $name) = @_;

	return $self->_ask(GET => '/element/' . $self->one($css) . "/property/$name");
}

sub role {
	my ($self, $css) = @_;

	return $self->_ask(GET => '/element/' . $self->one($css) . '/computedrole');
}

sub label {
	my ($self, $css) = @_;

	return $self->_ask(GET => '/element/' . $self->one($css) . '/computedlabel');
}

# Shows pages in so many pixels, as a telephone does: no window is so narrow.
sub resize {
	my ($self, $width, $height) = @_;

	return $self->_cdp('Emulation.setDeviceMetricsOverride', width => $width, height => $height,
	    deviceScaleFactor => 1, mobile => JSON::PP::false);
}

sub _cdp {
	my ($self, $cmd, %params) = @_;

	return $self->_ask(POST => '/goog/cdp/execute', { cmd => $cmd, params => \%params });
}

# Sets the preferred colour scheme, light or dark.
sub prefer {
	my ($self, $scheme) = @_;

	return $self->_cdp('Emulation.setEmulatedMedia',
	    features => [{ name => 'prefers-color-scheme', value => $scheme }]);
}

# A picture of the whole page, as PNG.
sub shot {
	my ($self, $path) = @_;
	my $picture = $self->_cdp('Page.captureScreenshot', captureBeyondViewport => JSON::PP::true);

	open(my $out, '>:raw', $path) or die "$path: $!\n";
	print {$out} MIME::Base64::decode_base64($picture->{data});
	return close($out);
}

# Runs the body of a function, which calls its last argument with the result; whatever the page's policy is.
sub script {
	my ($self, $js, @args) = @_;

	return $self->_ask(POST => '/execute/async', { script => $js, args => \@args });
}

# What the browser has complained about, such as the policy for content.
sub complaints {
	my ($self) = @_;

	return map { $_->{message} } @{ $self->_ask(POST => '/se/log', { type => 'browser' }) };
}

sub stop {
	my ($self) = @_;

	return unless defined $self->{pid} && $self->{owner} == $$;
	eval { $self->_ask(DELETE => '') } if defined $self->{session};
	kill('TERM', -$self->{pid});
	waitpid($self->{pid}, 0);
	delete $self->{pid};
	return;
}

sub DESTROY { local ($?, $@); $_[0]->stop; return; }

1;
