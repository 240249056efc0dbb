#include "base/settings.h"

#include <stddef.h>
#include <string.h>

static const char *
check_url(const char *v)
{
	size_t n = strlen(v);
	const char *host;

	if (strncmp(v, "https://", 8) == 0)
		host = v + 8;
	else if (strncmp(v, "http://", 7) == 0)
		host = v + 7;
	else
		return "must begin with https:// or http://";
	if (host[0] == '\0' || strpbrk(host, " \t\"\\<>?#@") != NULL)
		return "must be https://host[:port][/path]";
	if (v[n - 1] == '/')
		return "must not end in a slash";
	return NULL;
}

static const char *
check_path(const char *v)
{
	return v[0] == '/' ? NULL : "must be an absolute path";
}

static const char *
check_optional_path(const char *v)
{
	return v[0] == '\0' ? NULL : check_path(v);
}

static const char *
check_log_level(const char *v)
{
	static const char *const levels[] = { "error", "warn", "info", "debug" };

	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
		if (strcmp(levels[i], v) == 0)
			return NULL;
	}
	return "must be error, warn, info or debug";
}

enum { DAY = 86400 };

#define MEMBER(key) .name = #key, .offset = offsetof(struct settings, key)

const struct conf_key settings_keys[] = {
	{ MEMBER(external_url), .type = CONF_STR, .check = check_url },
	{ MEMBER(socket), .type = CONF_STR, .def = "/run/berth/berth.sock", .check = check_path },
	{ MEMBER(socket_mode), .type = CONF_MODE, .def = "0660", .min = 0, .max = 0777 },
	{ MEMBER(socket_owner), .type = CONF_STR, .def = "" },
	{ MEMBER(database), .type = CONF_STR, .def = "dbname=berth", .secret = true },
	{ MEMBER(store), .type = CONF_STR, .def = "/var/lib/berth", .check = check_path },
	{ MEMBER(workers), .type = CONF_INT, .def = "8", .min = 1, .max = 1024 },
	{ MEMBER(max_requests), .type = CONF_INT, .def = "10000", .min = 0, .max = INT32_MAX },
	{ MEMBER(request_timeout), .type = CONF_SECONDS, .def = "60", .min = 1, .max = DAY },
	{ MEMBER(drain_timeout), .type = CONF_SECONDS, .def = "30", .min = 0, .max = DAY },
	{ MEMBER(database_timeout), .type = CONF_SECONDS, .def = "10", .min = 1, .max = DAY },
	{ MEMBER(pid_file), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(log_file), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(log_level), .type = CONF_STR, .def = "info", .check = check_log_level },
	{ MEMBER(max_crate_size), .type = CONF_SIZE, .def = "10m", .min = 1024, .max = UINT32_MAX },
	{ MEMBER(max_metadata_size), .type = CONF_SIZE, .def = "1m", .min = 1024, .max = 64 << 20 },
	{ MEMBER(max_unpacked_size), .type = CONF_SIZE, .def = "512m", .min = 1024, .max = INT64_MAX },
	{ MEMBER(max_entries), .type = CONF_INT, .def = "20000", .min = 1, .max = 1000000 },
	{ MEMBER(max_dependencies), .type = CONF_INT, .def = "500", .min = 0, .max = 10000 },
	{ MEMBER(max_features), .type = CONF_INT, .def = "300", .min = 0, .max = 10000 },
	{ MEMBER(allowed_registries), .type = CONF_STR,
	    .def = "https://github.com/rust-lang/crates.io-index" },
	{ MEMBER(inspector), .type = CONF_STR, .def = LIBEXECDIR "/berth-inspect", .check = check_path },
	{ MEMBER(inspect_timeout), .type = CONF_SECONDS, .def = "30", .min = 1, .max = 3600 },
};
const size_t settings_nkeys = sizeof(settings_keys) / sizeof(*settings_keys);

int
settings_load(struct arena *a, const char *path, struct settings *s, struct err *err)
{
	*s = (struct settings) { 0 };
	return conf_load(a, settings_keys, settings_nkeys, path, s, err);
}
