/* crate/registry_url: all spellings of one registry are one. */
#include "crate/registry_url.h"

#include <inttypes.h>

#include "tap.h"

#define SERVER   "https://berth.example"
#define PROJECTS SERVER "/api/v4/projects/"
#define GROUPS   SERVER "/api/v4/groups/"

static struct arena *arena;

static const char *
text_of(const struct registry_url *u)
{
	switch (u->kind) {
	case REGISTRY_ELSEWHERE:
		return "elsewhere";
	case REGISTRY_PUBLIC:
		return "public";
	case REGISTRY_GROUP:
		return u->path != NULL ? arena_printf(arena, "group %s", u->path)
		    : arena_printf(arena, "group %" PRId64, u->group_id);
	case REGISTRY_HERE:
		break;
	}
	return u->path != NULL ? u->path : arena_printf(arena, "%" PRId64, u->project_id);
}

/* What the URL names, or "refused". */
static const char *
read_url(const char *server, const char *url)
{
	struct registry_url u;
	struct err err = { 0 };

	if (registry_url_read(arena, server, url, &u, &err) == 0)
		return text_of(&u);
	return err.status == 400 && strstr(err.pub, "names this server, but no index") != NULL ? "refused" : "?";
}

static const struct {
	const char *url, *want;
} urls[] = {
	{ REGISTRY_PUBLIC_URL, "public" },
	{ REGISTRY_PUBLIC_URL "/", "public" },
	{ REGISTRY_PUBLIC_URL ".git", "public" },
	{ REGISTRY_PUBLIC_URL ".git/", "public" },
	{ "HTTPS://GitHub.com:443/Rust-Lang/crates.io-index", "public" },
	{ "sparse+https://index.crates.io/", "public" },
	{ "sparse+https://index.crates.io", "public" },
	{ "sparse+https://index.crates.io:443/", "public" },
	{ "SPARSE+https://INDEX.crates.io/", "public" },
	{ "https://index.crates.io/", "elsewhere" },
	{ "sparse+" REGISTRY_PUBLIC_URL, "elsewhere" },
	{ REGISTRY_PUBLIC_URL "/x", "elsewhere" },
	{ REGISTRY_PUBLIC_URL "2", "elsewhere" },
	{ "https://github.com.example/rust-lang/crates.io-index", "elsewhere" },
	{ "http://github.com/rust-lang/crates.io-index", "elsewhere" },
	{ "https://github.com:444/rust-lang/crates.io-index", "elsewhere" },

	{ "sparse+" PROJECTS "7/packages/cargo/", "7" },
	{ "sparse+" PROJECTS "a%2Fb/packages/cargo/", "a/b" },
	{ "sparse+" PROJECTS "a%2fb/packages/cargo/", "a/b" },
	{ "sparse+" PROJECTS "A%2fB%2Fc/packages/cargo/", "A/B/c" },
	{ "sparse+" PROJECTS "%61%2F%62/packages/cargo/", "a/b" },
	{ "sparse+" SERVER "/api/v4/p%72ojects/%37/packages/c%61rgo/", "7" },
	{ "sparse+https://berth.example:443/api/v4/projects/7/packages/cargo/", "7" },
	{ "sparse+https://berth.example:/api/v4/projects/7/packages/cargo/", "7" },
	{ "sparse+https://BERTH.Example/api/v4/projects/7/packages/cargo/", "7" },
	{ "Sparse+HTTPS://berth.example/api/v4/projects/7/packages/cargo/", "7" },
	{ "sparse+https://me@berth.example/api/v4/projects/7/packages/cargo/", "7" },
	{ "sparse+" PROJECTS "9223372036854775807/packages/cargo/", "9223372036854775807" },

	{ "sparse+" GROUPS "12/-/packages/cargo/", "group 12" },
	{ "sparse+" GROUPS "tools/-/packages/cargo/", "group tools" },
	{ "sparse+" GROUPS "Tools%2fdeep/-/packages/cargo/", "group Tools/deep" },
	{ "sparse+https://BERTH.Example:443/api/v4/groups/12/-/packages/cargo/", "group 12" },
	{ "sparse+" GROUPS "12/packages/cargo/", "refused" },
	{ "sparse+" GROUPS "12/-/packages/cargo", "refused" },
	{ "sparse+" GROUPS "/-/packages/cargo/", "refused" },
	{ "sparse+" GROUPS "a/b/-/packages/cargo/", "refused" },
	{ GROUPS "12/-/packages/cargo/", "refused" },
	{ "sparse+" PROJECTS "7/-/packages/cargo/", "refused" },

	{ "sparse+" PROJECTS "9223372036854775808/packages/cargo/", "refused" },
	{ "sparse+" PROJECTS "01/packages/cargo/", "refused" },
	{ "sparse+" PROJECTS "0/packages/cargo/", "refused" },
	{ "sparse+" PROJECTS "/packages/cargo/", "refused" },
	{ "sparse+" PROJECTS "a/packages/cargo/", "refused" },
	{ "sparse+" PROJECTS "a/b/packages/cargo/", "refused" },
	{ "sparse+" PROJECTS "a%2Fb%00/packages/cargo/", "refused" },
	{ "sparse+" PROJECTS "a%252Fb/packages/cargo/", "refused" },
	{ "sparse+" PROJECTS "7/packages/cargo", "refused" },
	{ "sparse+" PROJECTS "7/packages/cargo//", "refused" },
	{ "sparse+" PROJECTS "7//packages/cargo/", "refused" },
	{ "sparse+" PROJECTS "7/packages/cargo/?x", "refused" },
	{ "sparse+" PROJECTS "7/packages/cargo/#x", "refused" },
	{ "sparse+" PROJECTS "7/packages/CARGO/", "refused" },
	{ "sparse+" PROJECTS "7/packages/cargo/index/", "refused" },
	{ "sparse+" SERVER "/api/v4/groups/7/packages/cargo/", "refused" },
	{ "sparse+" SERVER "/", "refused" },
	{ "sparse+" SERVER, "refused" },
	{ PROJECTS "7/packages/cargo/", "refused" },

	{ "sparse+http://berth.example/api/v4/projects/7/packages/cargo/", "elsewhere" },
	{ "sparse+https://berth.example:8443/api/v4/projects/7/packages/cargo/", "elsewhere" },
	{ "sparse+https://berth.example:99999999999999/api/v4/projects/7/packages/cargo/", "elsewhere" },
	{ "sparse+https://berth.example.org/api/v4/projects/7/packages/cargo/", "elsewhere" },
	{ "sparse+https://berth.example@evil.example/api/v4/projects/7/packages/cargo/", "elsewhere" },
	{ "", "elsewhere" },
	{ "sparse+", "elsewhere" },
	{ "https:", "elsewhere" },
	{ "berth.example", "elsewhere" },
};

/* Of a server below a path, which shares its host with others. */
static const struct {
	const char *url, *want;
} below[] = {
	{ "sparse+" SERVER "/cargo/api/v4/projects/7/packages/cargo/", "7" },
	{ "sparse+https://BERTH.example:443/cargo/api/v4/projects/a%2Fb/packages/cargo/", "a/b" },
	{ "sparse+" SERVER "/cargo/api/v4/projects/7/packages/cargo", "refused" },
	{ "sparse+" SERVER "/cargo//api/v4/projects/7/packages/cargo/", "refused" },
	{ "sparse+" SERVER "/cargo/", "refused" },
	{ "sparse+" SERVER "/cargo", "refused" },
	{ "sparse+" SERVER "/cargo?/api/v4/projects/7/packages/cargo/", "refused" },
	{ "sparse+" PROJECTS "7/packages/cargo/", "elsewhere" },
	{ "sparse+" SERVER "/cargox/api/v4/projects/7/packages/cargo/", "elsewhere" },
	{ "sparse+" SERVER "/carg/api/v4/projects/7/packages/cargo/", "elsewhere" },
	{ "sparse+" SERVER "/Cargo/api/v4/projects/7/packages/cargo/", "elsewhere" },
	{ "sparse+" SERVER "/%63argo/api/v4/projects/7/packages/cargo/", "elsewhere" },
	{ "sparse+" SERVER "//cargo/api/v4/projects/7/packages/cargo/", "elsewhere" },
	{ "sparse+" SERVER "/x/../cargo/api/v4/projects/7/packages/cargo/", "elsewhere" },
	{ "sparse+" SERVER, "elsewhere" },
};

int
main(void)
{
	arena = arena_new();
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
		is_str(read_url(SERVER, urls[i].url), urls[i].want, urls[i].url);
	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++)
		is_str(read_url(SERVER "/cargo", below[i].url), below[i].want, below[i].url);
	is_str(registry_url_index(arena, SERVER "/cargo", 7),
	    "sparse+" SERVER "/cargo/api/v4/projects/7/packages/cargo/", "its one spelling below a path");
	is_str(read_url("http://[::1]:8080", "sparse+http://[::1]:8080/api/v4/projects/7/packages/cargo/"),
	    "7", "a server with a port");
	is_str(read_url("http://[::1]", "sparse+http://[::1]:80/api/v4/projects/7/packages/cargo/"), "7",
	    "an address, and the port that http has anyway");
	is_str(registry_url_index(arena, SERVER, 7), "sparse+" PROJECTS "7/packages/cargo/", "the one spelling");
	for (size_t i = 0; i < registry_npublic_urls; i++)
		is_str(read_url(SERVER, registry_public_urls[i]), "public", registry_public_urls[i]);
	arena_free(arena);
	return tap_done();
}
