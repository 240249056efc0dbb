#!/usr/bin/perl

# A registry below a path of a host that has other services: all that it writes names the path, nginx answers
# below the path what it answers on a host of its own, and Berth answers to no other spelling of the path.

use strict;
use warnings;

use Test::More;

use Berth::Browser;
use Berth::Cache;
use Berth::File qw(write_file);
use Berth::Test;

my $t = Berth::Test->new(workers => 4, cache_lease => 8);
$t->conf(external_url => $t->url . '/cargo');
my ($id, $private) = ($t->project('demo/public', 'public'), $t->project('demo/private'));
my ($R, $P) = map { $t->registry($_) } $id, $private;
$t->user('dev');
$t->member('dev', 'demo', 'maintainer');
my $token = $t->token('dev');

# The site of berth-install(7): another service has the rest of the host, with the paths that are Berth's own
# elsewhere.  nginx has its usual settings, which join slashes.
my $redirects = Berth::Test::claim_port();
sub site {
	s/^map "" \$berth_root \{\n\tdefault "\K/\/cargo/m;
	return $_ if !/^server \{/m;
	s{^\tinclude berth/berth-locations\.conf;}{<<"NGINX"}me;
	include berth/berth-internal.conf;
	location ^~ /cargo/ {
		include berth/berth-registry.conf;
	}
	location ^~ /api/v4/ { return 200 "neighbour\\n"; }
	location ^~ /-/ { return 200 "neighbour\\n"; }
	location ~ \\.json\$ { return 200 "neighbour\\n"; }
	location /redirect/ { proxy_pass http://127.0.0.1:$redirects; }
NGINX
	s{^\tlocation / \{\K\n.*?^\t\}}{ return 200 "neighbour\\n"; \}}ms;
	s/^\tinclude berth\/berth-common\.conf;\n//m;
	s{\z}{<<"NGINX"}e;
server {
	listen 127.0.0.1:$redirects;
	location / {
		add_header X-Accel-Redirect \$arg_to;
		return 200 "neighbour\\n";
	}
}
NGINX
	s/^\tmerge_slashes off;\n//m;
	return s/^server \{\n/include berth\/berth-limits-http.conf;\n${&}\tinclude berth\/berth-limits.conf;\n/mr;
}

my $port = Berth::Cache::start($t, \&site);
my $nginx_t = join('', (Berth::Cluster::capture(Berth::Test::nginx_program(), '-t', '-e', 'stderr', '-c',
    $t->nginx_conf))[1, 2]);
unlike($nginx_t, qr/\[(?:warn|error|alert|emerg|crit)\]/, 'nginx -t has no warning');

sub get { my ($path, %opt) = @_; return $t->http(GET => $path, \%opt); }
sub location_of { return $_[0]{headers}{location} // 'none'; }
sub is_neighbour { return is("$_[0]{status} $_[0]{body}", "200 neighbour\n", $_[1]); }

# ---- what is written names the path ----

subtest 'addresses in answers' => sub {
	is($t->publish($_, $token, 'one_crate', '1.0.0')->{status}, 200, 'a crate') for $id, $private;
	is($t->publish($id, $token, 'two_crate', '1.0.0')->{status}, 200, 'another');
	my $url = $t->url . $R;
	is_deeply($t->json(get("$R/config.json")), { dl => $url, api => $url, 'auth-required' => JSON::PP::false },
	    'config.json');
	my $unknown = get("$P/config.json");
	is($unknown->{status}, 401, 'a private registry');
	is($unknown->{headers}{'www-authenticate'}, 'Cargo login_url="' . $t->url . '/cargo/-/tokens"',
	    'says where tokens are');
	is(location_of(get("$P/me")), $t->url . '/cargo/-/tokens', 'so does me');

	my $list = get("/cargo/api/v4/projects/$id/packages?per_page=1", token => $token);
	is_deeply([$list->{headers}{link} =~ /<([^>]+)>; rel="next"/],
	    [$t->url . "/cargo/api/v4/projects/$id/packages?per_page=1&page=2"], 'the next page of a list');
	my ($package) = @{ $t->json($list) };
	my $path = "/cargo/api/v4/projects/$id/packages/$package->{id}";
	my $page = "/cargo/-/projects/demo/public/-/crates/$package->{name}/1.0.0";
	is_deeply($package->{_links}, { web_path => $page, delete_api_path => $t->url . $path },
	    'links of a package');
	is(get($path, token => $token)->{status}, 200, 'which lead to it');
	like(get($page)->{body}, qr{href="/cargo/-/projects/demo/public"}, 'and to its page');
	my $project = $t->json(get("/cargo/api/v4/projects/$id", token => $token));
	is($project->{web_url}, $t->url . "/cargo/-/projects/demo/public", 'the page of a project');
	my $api = $t->json(get('/cargo/api/v4/openapi.json'));
	is_deeply($api->{servers}, [{ url => '/cargo' }], 'the description of the API: its server');
	my $file = JSON::PP->new->utf8->decode(Berth::Cluster::slurp("$Berth::Cluster::ROOT/conf/openapi.json"));
	is_deeply({ %$api, servers => 0 }, { %$file, servers => 0 }, 'and else what it always is');
	my %dep = (name => 'd', version_req => '^1', features => [], optional => JSON::PP::false,
	    default_features => JSON::PP::true, target => undef, kind => 'normal', explicit_name_in_toml => undef,
	    registry => 'sparse+' . $t->url . '/cargo/');
	my $refused = $t->publish($id, $token, 'three_crate', '1.0.0', metadata => { deps => [\%dep] });
	like($refused->{body}, qr{but no index; the index of a project is `sparse\+\Q@{[$t->url]}\E/cargo/api/v4/},
	    'the index of a dependency');
};

# ---- pages ----

my $code = sub {
	my ($url, $code) = split(/\n/, $t->berth_ok('user', 'link', 'dev'));

	is($url, $t->url . '/cargo/-/sign-in', 'the command prints the address of the page');
	return $code;
};

subtest 'the token page' => sub {
	my $form = sub {
		my ($path, $body, %opt) = @_;
		my @headers = ('Content-Type: application/x-www-form-urlencoded', 'Origin: ' . ($opt{origin} // $t->url),
		    defined $opt{cookie} ? "Cookie: $opt{cookie}" : ());

		return $t->http(POST => "/cargo/-/$path", { headers => \@headers, body => $body });
	};
	my $enter = 'confirm=true&code=' . $code->();

	is($form->('sign-in', $enter, origin => $_)->{status}, 403, "a form of $_")
	    for $t->url . '/cargo', $t->url . '0', 'https://localhost', 'null';
	my $res = $form->('sign-in', $enter);
	is($res->{status}, 303, 'a form of this host');
	is(location_of($res), $t->url . '/cargo/-/tokens', 'leads to the page');
	like($res->{headers}{'set-cookie'},
	    qr{^__Secure-berth=[0-9A-Za-z]{43}; Path=/cargo/; Max-Age=43200; Secure; HttpOnly; SameSite=Lax$},
	    'with a cookie for the path');
	my ($cookie) = $res->{headers}{'set-cookie'} =~ /^([^;]+)/;
	my $page = get('/cargo/-/tokens', headers => { Cookie => $cookie });
	like($page->{body}, qr/Signed in as <strong>dev/, 'signed in');
	my ($secret) = $page->{body} =~ /name="form" value="([0-9a-f]{64})"/;
	my @hash = $page->{body} =~ /\?v=([0-9a-f]{16})"/g;
	my @links = map { [$page->{body} =~ /$_="([^"]*)"/g] } qw(href action);
	is_deeply([map { @$_ } @links], [(map { "/cargo/-/$_" } "style.css?v=$hash[0]", "favicon.svg?v=$hash[1]"),
	    '#main', map { "/cargo/-/$_" } '', qw(tokens search sign-out tokens/1/revoke tokens)],
	    'links name the path');
	$page = get('/cargo/-/tokens', headers => { Cookie => $cookie =~ s/__Secure/__Host/r });
	unlike($page->{body}, qr/Signed in/, 'the cookie has one name');
	my $from = get('/cargo/-/projects/demo/private?page=1', headers => { Accept => 'text/html' });
	my ($to) = $from->{body} =~ m{href="/cargo/-/tokens\?(to=[^"]+)">sign in<};
	is($to, 'to=%2F-%2Fprojects%2Fdemo%2Fprivate%3Fpage%3D1', 'the way back does not name the path');
	is(location_of($form->('sign-in', 'confirm=true&code=' . $code->() . "&$to")),
	    $t->url . '/cargo/-/projects/demo/private?page=1', 'and leads below it');
	$res = $form->('sign-out', "form=$secret", cookie => $cookie);
	is(location_of($res), $t->url . '/cargo/-/tokens', 'signing out leads to the page');
	like($res->{headers}{'set-cookie'}, qr{^__Secure-berth=; Path=/cargo/; Max-Age=0;}, 'and takes the cookie');
};

subtest 'in a browser' => sub {
	my $why = Berth::Browser::missing();
	plan skip_all => $why if $why;
	my $b = Berth::Browser->start($t->dir, javascript => 0);
	my $page = $t->url . '/cargo/-/tokens';

	$b->go($page);
	$b->await('#code');
	$b->type('#code', $code->());
	$b->click('button.main');
	ok($t->wait_for(sub { (eval { $b->text('main') } // '') =~ /signs you in as dev/ }), 'the code is for dev');
	is($b->url, $t->url . '/cargo/-/sign-in', 'says the page of the form');
	$b->click('button.main');
	$b->await('#name');
	is($b->url, $page, 'signed in');
	is($b->css('button.main', 'background-color'), 'rgba(26, 95, 180, 1)', 'with the style sheet');
	$b->type('#name', 'browser');
	$b->click('main button.main');
	$b->await('#token');
	is(get("$P/config.json", token => $b->text('#token'))->{status}, 200, 'a token is made');
	$b->click('tbody tr:first-child summary');
	$b->await('tbody tr:first-child button.bad');
	$b->click('tbody tr:first-child button.bad');
	ok($t->wait_for(sub { (eval { $b->source } // '') !~ /browser/ }), 'and revoked');
	is($b->url, $page, 'back on the page');
	is_deeply([map { "$_->{name} $_->{path}" } $b->cookies], ['__Secure-berth /cargo/'], 'one cookie');
	$b->go($t->url . '/elsewhere');
	is_deeply([$b->cookies], [], 'which the other services do not get');
	$b->stop;
};

subtest 'monitoring' => sub {
	my $res = get('/-/readiness');

	is($res->{status}, 200, 'the server for monitoring has no path') or diag($res->{body});
	is($t->json($res)->{nginx_detail}, undef, 'nginx and the pool have the same');
	is(get('/cargo/-/readiness')->{status}, 404, 'the other server has one, and does not answer this host');
	$t->stop_nginx;
	Berth::Cache::start($t, sub { return site() =~ s{^\tdefault "/cargo";}{\tdefault "/carg";}mr; });
	$res = get('/-/readiness');
	is($res->{status}, 503, 'nginx has another path');
	is($t->json($res)->{nginx_detail}, 'berth-site.conf of nginx has $berth_root "/carg", and berth.conf has '
	    . 'external_url = ' . $t->url . '/cargo; make the paths equal, and reload nginx', 'readiness says so');
	$t->stop_nginx;
	Berth::Cache::start($t, \&site);
};

# ---- nginx ----

sub static {
	my ($path, $who) = @_;
	my @who = defined $who ? (Authorization => $who) : ();

	return Berth::Cache::wait_static($t, $port, $path, @who);
}

subtest 'nginx answers by itself' => sub {
	for my $case ([$R, undef, 'public'], [$P, $token, 'private']) {
		my ($root, $who, $name) = @$case;

		for my $file ('config.json', 'on/e_/one_crate', 'one_crate/1.0.0/download') {
			my $res = static("$root/$file", $who);

			ok(defined $res, "$name: $file") or next;
			is($res->{body}, get("$root/$file?x", token => $token)->{body}, 'as the pool would');
		}
	}
	is(get("$P/on/e_/one_crate")->{status}, 401, 'nobody reads what is private');
	is(get("$P/one_crate/1.0.0/download")->{status}, 401, 'nor its crates');
	like($t->log('nginx-berth-downloads'), qr{ ids="$_"$}m, "the log of downloads: $_")
	    for "$id/one_crate/1.0.0 anyone", "$private/one_crate/1.0.0 \\w{18}";
};

# Each of these paths has another spelling of `/cargo`, or none: who answers?  403 to 405, or the neighbour.
my %wrong = (
	'none' => ['', 'neighbour'], 'longer' => ['/cargox', 'neighbour'], 'shorter' => ['/carg', 'neighbour'],
	'another case' => ['/Cargo', 'neighbour'], 'below another' => ['/x/cargo', 'neighbour'],
	'a parameter' => ['/cargo;x', 'neighbour'], 'an encoded slash' => ['/cargo%2Fx', 404],
	'two slashes before' => ['//cargo', 404], 'an encoded letter' => ['/%63argo', 404],
	'an encoded slash before' => ['/%2Fcargo', 404], 'dots before' => ['/x/../cargo', 404],
	'encoded dots before' => ['/x/%2e%2e/cargo', 404], 'a dot before' => ['/./cargo', 404],
	'twice' => ['/cargo/cargo', 404], 'two slashes after' => ['/cargo/', 400],
	'a dot after' => ['/cargo/.', 400], 'dots after' => ['/cargo/x/..', 400],
	'back to itself' => ['/cargo/../cargo', 400], 'an encoded end' => ['/cargo%', 400],
);

subtest 'no other spelling of the path' => sub {
	my $crates = $t->psql('SELECT count(*) FROM versions');
	my @refused;

	for my $name (sort keys %wrong) {
		my ($root, $want) = @{ $wrong{$name} };

		for my $asked ([GET => "$R/config.json"], [GET => "$R/on/e_/one_crate"],
		    [GET => "$R/one_crate/1.0.0/download"], [GET => "$P/config.json", $token],
		    [GET => "$P/on/e_/one_crate", $token], [GET => "$P/one_crate/1.0.0/download", $token],
		    [GET => '/cargo/api/v4/user', $token], [GET => '/cargo/-/tokens'], [GET => '/cargo/-/liveness'],
		    [DELETE => "$R/api/v1/crates/one_crate/1.0.0/yank", $token], [PUT => "$R/api/v1/crates/new", $token]) {
			my ($method, $path, $who) = @$asked;
			my $at = $root . $path =~ s{^/cargo}{}r;
			my $body = $path =~ /new$/
			    ? $t->publish_body($t->metadata('wrong', '1.0.0'), $t->make_crate('wrong', '1.0.0')) : undef;
			my $res = $t->http($method => $at, { token => $who, body => $body, public => 1 });

			if ($want eq 'neighbour') {
				is_neighbour($res, "$name: $method $at: another service answers");
				next;
			}
			is($res->{status}, $want, "$name: $method $at");
			push @refused, ["$method $at", $res] if $res->{headers}{'x-served-by'};
		}
	}
	# the pool logs no request that nginx refuses by itself
	is(join(' ', $t->routes_of(get('/cargo/-/sign-in'), 1)), 'sign_in_page', 'the log of the pool is complete');
	for my $refused (@refused) {
		my ($asked, $res) = @$refused;

		is_deeply([grep { $_ ne '-' && $_ ne 'publish_authorize' } $t->routes_of($res, 0)], [],
		    "$asked has no route");
	}
	is(location_of(get('/cargo')), '/cargo/', 'without a slash at its end');
	is(location_of(get('/cargo/-/search/?q=x')), $t->url . '/cargo/-/search?q=x', 'a page with one too many');
	is(get('/cargo/')->{status}, 404, 'nothing is there');
	my $whole = $t->raw('GET https://localhost/cargo/-/sign-in HTTP/1.1' . "\r\nHost: localhost\r\n"
	    . "Connection: close\r\n\r\n");
	like($whole, qr{^HTTP/1\.1 200 }, 'an address with the host, which is right');
	is($t->psql('SELECT count(*) FROM versions'), $crates, 'nobody has published');
	is($t->psql('SELECT count(*) FROM versions WHERE yanked'), 0, 'or yanked');
};

subtest 'what is internal' => sub {
	my ($sha) = $t->psql('SELECT sha256 FROM blobs LIMIT 1') =~ /(\w{64})$/;
	my $blob = join('/', '/-/blob', substr($sha, 0, 2), substr($sha, 2, 2), $sha);

	for my $path ($blob, map { "/-/berth/$_" } "cache/index/$id/config.json",
	    "cache/crates/$id/crates/one_crate/1.0.0", 'cache/absent', 'upload-large', 'upload-unsized',
	    'upload-authorize', 'error', 'no-answer', 'no-such-range', 'speaks-https') {
		is(get($path)->{status}, 404, $path);
		is(get("/cargo$path")->{status}, 404, '  below the path');
	}
	# a service of the same host that redirects inside nginx, as the pool does
	my $file = Berth::Cluster::slurp($t->store . $blob =~ s{^/-/blob}{}r);
	for my $to ($blob, "/-/berth/cache/crates/$id/crates/one_crate/1.0.0",
	    "/-/berth/cache/index/$id/config.json", '/-/berth/upload-authorize') {
		my $res = get("/redirect/?to=$to");

		cmp_ok($res->{status}, '>=', 400, "another service redirects to $to");
		isnt($res->{body}, $file, '  and gets no crate');
	}
	is_neighbour(get('/redirect/'), 'without a redirection it answers');
	is_neighbour(get($_), "$_ is another service's")
	    for '/-/', '/-/berth', '/-/berth/', '/-/cache/x', '/-/tokens', '/x.json', '/-/berth/elsewhere';
};

subtest 'logs and limits are those of Berth alone' => sub {
	my @theirs = map { get("/elsewhere?$_") } 1 .. 3;
	my $ours = get('/cargo/-/sign-in?a=b');

	ok($t->nginx_logged('nginx-berth', $ours), 'a request below the path is in the log');
	like($t->log('nginx-berth'), qr{ path="/cargo/-/sign-in" }, 'with its path, without its query');
	unlike($t->log('nginx-berth') . $t->log('nginx-berth-cache'), qr{path="/(?:elsewhere|x\.json|-/)},
	    'one of another service is in none');

	$t->stop_nginx;
	Berth::Cache::start($t, sub { return site() =~ s/burst=\d+/burst=1/gr =~ s{rate=\d+r/s}{rate=1r/m}gr; });
	my @statuses = map { get('/cargo/api/v4/user')->{status} } 1 .. 4;
	is("@statuses", '401 401 429 429', 'who has no token is limited');
	is_neighbour(get('/elsewhere'), 'but not at another service') for 1 .. 4;
	my $pool = $t->log('pool');
	is(get($_)->{status}, 404, "$_ is no address of Berth") for '//cargo/api/v4/user', '/%63argo/api/v4/user';
	is(length $t->log('pool'), length $pool, 'which nginx says without the pool');
	is(get('/cargo/api/v4/user', token => $token)->{status}, 200, 'nor with a token');
	is(get('/cargo/-/tokens', headers => { Cookie => "__$_-berth=" . 'x' x 43 })->{status},
	    $_ eq 'Host' ? 429 : 200, "nor with a session, which __$_-berth is or not") for qw(Host Secure);
	for (1 .. 4) {
		my $res = $t->http(POST => '/cargo/-/sign-in?x', { headers => { Origin => $t->url } });

		is($res->{status}, 403, 'nor with a code');
	}
	$t->stop_nginx;
	Berth::Cache::start($t, \&site);
};

# ---- the real cargo ----

subtest 'cargo' => sub {
	my $why = $t->cargo_missing;
	plan skip_all => $why if $why;
	my $dir = $t->dir . '/work';
	my $manifest = sub { qq([package]\nname = "$_[0]"\nversion = "$_[1]"\nedition = "2021"\ndescription = "x"\n)
	    . qq(license = "MIT"\n[dependencies]\n) };
	my $cargo = sub {
		my ($name, @args) = @_;
		my ($status, $out, $err) = $t->cargo(@args, dir => "$dir/$name");

		is($status, 0, "cargo $args[0]") or diag($err);
		return $out . $err;
	};

	$t->cargo_setup(priv => { id => $private, token => $token });
	for my $version ('1.0.0', '1.1.0') {
		write_file("$dir/leaf/Cargo.toml", $manifest->('leaf', $version));
		write_file("$dir/leaf/src/lib.rs", "pub fn answer() -> u32 { 42 }\n");
		$cargo->('leaf', qw(publish --registry priv --allow-dirty));
	}
	write_file("$dir/stem/Cargo.toml", $manifest->('stem', '1.0.0'));
	write_file("$dir/stem/src/lib.rs", "pub fn answer() -> u32 { leaf::answer() }\n");
	$cargo->('stem', qw(yank --registry priv leaf@1.1.0));
	$cargo->('stem', qw(add leaf --registry priv));
	$cargo->('stem', 'build');
	my $url = quotemeta($t->url . $P);
	like(Berth::Cluster::slurp("$dir/stem/Cargo.lock"), qr{version = "1\.0\.0"\nsource = "sparse\+$url/"},
	    'the lock file has the version that is not yanked, and the path');
	$cargo->('stem', qw(publish --registry priv --allow-dirty));
	ok($t->update_search, 'searches know it');
	like($cargo->('stem', qw(search --registry priv stem)), qr/^stem = "1\.0\.0"/m, 'which finds it');
	my $said = join('', ($t->cargo(qw(login --registry priv)))[1, 2]);
	like($said, qr{\Q@{[$t->url]}\E/cargo/-/tokens|$url/me}, 'cargo login says where to go');
};

done_testing();
