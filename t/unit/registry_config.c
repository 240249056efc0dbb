/* crate/registry_config: the config.json of another registry, and the addresses of its crates. */
#include "crate/registry_config.h"

#include "tap.h"

static struct arena *arena;

static const struct {
	const char *dl, *name, *want;
} urls[] = {
	{ "https://r/dl", "serde", "https://r/dl/serde/1.0.0+b/download" },
	{ "https://r/{crate}/{version}.crate", "serde", "https://r/serde/1.0.0+b.crate" },
	{ "https://r/{prefix}/{crate}", "SeRde", "https://r/Se/Rd/SeRde" },
	{ "https://r/{lowerprefix}/{crate}", "SeRde", "https://r/se/rd/SeRde" },
	{ "https://r/{prefix}", "A", "https://r/1" },
	{ "https://r/{lowerprefix}", "Ab", "https://r/2" },
	{ "https://r/{prefix}", "Abc", "https://r/3/A" },
	{ "https://r/{lowerprefix}", "Abc", "https://r/3/a" },
	{ "https://r/{sha256-checksum}", "x", "https://r/00ff" },
	{ "https://r/{crate}{crate}/{other}/{", "x", "https://r/xx/{other}/{" },
};

static const struct {
	const char *text, *dl, *api;
	bool auth_required;
	const char *wrong;
} configs[] = {
	{ "{\"dl\":\"https://d\",\"api\":\"https://a\"}", "https://d", "https://a", false, NULL },
	{ "{\"dl\":\"d\",\"api\":null,\"auth-required\":true,\"more\":[]}", "d", NULL, true, NULL },
	{ "{}", NULL, NULL, false, "missing field `dl`" },
	{ "[]", NULL, NULL, false, "is not an object" },
	{ "{\"dl\":1}", NULL, NULL, false, "field `dl` must be a string" },
	{ "{\"dl\":\"d\",\"auth-required\":1}", NULL, NULL, false, "field `auth-required` must be true or false" },
	{ "<html>", NULL, NULL, false, "config.json of the index: " },
};

static void
test_configs(void)
{
	for (size_t i = 0; i < sizeof(configs) / sizeof(*configs); i++) {
		struct registry_said said;
		struct err err = { 0 };
		int rc = registry_config_parse(arena, slice_str(configs[i].text), &said, &err);

		is_int(rc, configs[i].wrong == NULL ? 0 : -1, configs[i].text);
		if (rc == -1) {
			ok(err.status == 400 && strstr(err.pub, configs[i].wrong) != NULL, "says: %s", err.pub);
			continue;
		}
		is_str(said.dl, configs[i].dl, "dl");
		ok(configs[i].api == NULL ? said.api == NULL : strcmp(said.api, configs[i].api) == 0, "api");
		is_int(said.auth_required, configs[i].auth_required, "auth-required");
	}
}

int
main(void)
{
	arena = arena_new();
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
		is_str(registry_download_url(arena, urls[i].dl, urls[i].name, "1.0.0+b", "00ff"), urls[i].want,
		    urls[i].dl);
	test_configs();
	arena_free(arena);
	return tap_done();
}
