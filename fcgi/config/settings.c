#include "config/settings.h"

#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cidr.h"
#include "base/hosts.h"
#include "base/log.h"
#include "base/url.h"
#include "base/words.h"
#include "store/blob/blob_store.h"

/* Of external_url: nginx compares it byte by byte, and it is in links, headers and the path of a cookie. */
static const char *
check_url_path(const char *path)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	while (*path == '/') {
		size_t n = strspn(++path, bytes);

		if (n == 0 && *path == '/')
			return "must not have two slashes side by side in its path";
		if ((n == 1 || n == 2) && strncmp(path, "..", n) == 0)
			return "must not have `.` or `..` in its path";
		path += n;
	}
	return *path == '\0' ? NULL : "may have only letters, digits and - . _ ~ / in its path, and no %-escapes";
}

static const char *
check_visible(const char *v)
{
	for (const char *p = v; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~')
			return "must have only visible ASCII characters";
	}
	return NULL;
}

/* What stands between the host of a URL and its path: ":3128", or nothing. */
static struct slice
port_of(struct slice url)
{
	struct slice host = url_host(url), place = url_host_port(url);

	return slice_of(host.p + host.n, place.n - host.n);
}

static bool
is_port(struct slice s)
{
	enum { LENGTH_MAX = sizeof(":65535") - 1 };
	long port = 0;

	if (s.n < 2 || s.n > LENGTH_MAX || s.p[0] != ':' || s.p[1] == '0')
		return false;
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		port = port * 10 + (s.p[i] - '0');
	}
	return port <= UINT16_MAX;
}

static bool
has_good_port(const char *url)
{
	struct slice port = port_of(slice_str(url));

	return port.n == 0 || is_port(port);
}

static const char *
check_url(const char *v)
{
	size_t n = strlen(v);

	if (strncmp(v, "http://", 7) == 0)
		return "must begin with https://: cargo would send tokens to http:// in clear text";
	if (strncmp(v, "https://", 8) != 0)
		return "must begin with https://";
	if (v[n - 1] == '/' && n > strlen("https://"))
		return "must not end in a slash";
	/* it becomes part of headers; a host in other letters has its ASCII form (xn--...) */
	if (check_visible(v) != NULL)
		return check_visible(v);
	if (strpbrk(v, "?#") != NULL)
		return "must have no query and no fragment";
	if (!url_is_https(slice_str(v)) || strchr(v, '@') != NULL || !has_good_port(v))
		return "must be https://host[:port][/path]";
	return check_url_path(url_path(v));
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

/* The secret key never goes there, only signatures: so http:// is allowed, for a network that is trusted. */
static const char *
check_endpoint(const char *v)
{
	struct slice url = slice_str(v), place = url_host_port(url);

	if (v[0] == '\0')
		return NULL;
	return url_is_web(url) && url_user(url).n == 0 && place.p + place.n == v + url.n && has_good_port(v) ? NULL :
	    "must be http://host[:port] or https://host[:port], without a slash at its end";
}

static const char *
check_region(const char *v)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	enum { LONGEST = 64 };
	size_t n = strlen(v);

	return n > 0 && n <= LONGEST && strspn(v, bytes) == n ? NULL : "must be 1 to 64 letters, digits, - and _";
}

static const char *
check_log_level(const char *v)
{
	enum log_level level;

	return log_level_named(v, &level) ? NULL : "must be error, warn, info or debug";
}

static const char *
check_node(const char *v)
{
	enum { NODE_MAX = 255 };
	size_t n = 0;

	while (v[n] > ' ' && v[n] <= '~')
		n++;
	return n <= NODE_MAX && v[n] == '\0' ? NULL : "must be at most 255 visible ASCII characters";
}

static const char *
check_networks(const char *v)
{
	return cidr_list_valid(v) ? NULL :
				    "must be addresses and networks (10.0.0.0/8), separated by spaces";
}

/* What cargo's metadata has and a registry may insist on, by its name in Cargo.toml. */
#define METADATA_FIELDS \
	"description license readme documentation homepage repository keywords categories " \
	"rust-version"

/* Of those, what cargo takes as any text, and the public registry does not. */
#define STRICT_FIELDS "documentation homepage license repository"

/* Is each word of the list one of these? */
static bool
all_among(const char *v, const char *fields)
{
	struct slice word;

	while (words_next(&v, &word)) {
		const char *rest = fields;
		struct slice field;

		while (words_next(&rest, &field) && !slice_equal(field, word))
			;
		if (field.n == 0)
			return false;
	}
	return true;
}

static const char *
check_required_metadata(const char *v)
{
	return all_among(v, METADATA_FIELDS) ? NULL : "must be a list of these words: " METADATA_FIELDS;
}

static const char *
check_strict_metadata(const char *v)
{
	return all_among(v, STRICT_FIELDS) ? NULL : "must be a list of these words: " STRICT_FIELDS;
}

/* A word that no crate can be named, such as one with a comma after it, would protect nothing. */
static const char *
check_crate_names(const char *v)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_";
	enum { LETTERS = 2 * 26, LONGEST = 64 };
	struct slice word;

	while (words_next(&v, &word)) {
		if (memchr(bytes, word.p[0], LETTERS) == NULL || word.n > LONGEST ||
		    strspn(word.p, bytes) != word.n)
			return "must be names of crates, separated by spaces";
	}
	return NULL;
}

static const char *
check_registries(const char *v)
{
	struct slice word;

	for (const char *p = v; *p != '\0'; p++) {
		if ((*p < ' ' || *p > '~') && *p != '\t')
			return "must be index URLs, separated by spaces";
	}
	while (words_next(&v, &word)) {
		size_t sparse = slice_has_prefix(word, "sparse+") ? strlen("sparse+") : 0;
		struct slice url = slice_of(word.p + sparse, word.n - sparse);

		if (!slice_is(word, "*") && !url_is_web(url))
			return "must be index URLs, separated by spaces, or `*`";
	}
	return NULL;
}

static const char *
check_mirror_url(const char *v)
{
	const char *rest = v;
	struct slice word;

	if (v[0] == '\0' || strcmp(v, "crates-io") == 0)
		return NULL;
	return check_registries(v) == NULL && words_next(&rest, &word) && !slice_is(word, "*") &&
	    !words_next(&rest, &word) ? NULL : "must be crates-io or the URL of an index";
}

/* An address that tokens are sent to: nothing but TLS will do.  A GitLab can be below a path. */
static const char *
check_gitlab_url(const char *v)
{
	size_t n = strlen(v);

	if (n == 0)
		return NULL;
	if (!url_is_https(slice_str(v)) || strpbrk(v, "?#@") != NULL || !has_good_port(v))
		return "must be https://host[:port][/path]";
	return v[n - 1] == '/' ? "must not end in a slash" : check_visible(v);
}

/* nginx's server for monitoring is reached without TLS, on this host. */
static const char *
check_monitoring_url(const char *v)
{
	static const char scheme[] = "http://";
	const char *host = v + strlen(scheme);

	if (strncmp(v, scheme, strlen(scheme)) != 0 || *host == '\0' || strpbrk(host, "/?#@") != NULL ||
	    !has_good_port(v))
		return "must be http://host[:port]";
	return check_visible(v);
}

/* Each % is before two hexadecimal digits of a byte that is no control character. */
static bool
is_escaped(struct slice user)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	for (size_t i = 0; i < user.n; i++) {
		const char *hex = user.p + i + 1;

		if (user.p[i] == '%' && (strspn(hex, digits) < 2 || hex[0] == '0' || hex[0] == '1'))
			return false;
	}
	return true;
}

/* libcurl would take other schemes as well, and has a default port that nobody expects. */
static const char *
check_proxy(const char *v)
{
	static const char form[] = "must be http://[user:password@]host:port or https://[user:password@]host:port";
	struct slice url = slice_str(v), user = url_user(url), place = url_host_port(url);

	if (v[0] == '\0')
		return NULL;
	if (strstr(v, "://") != NULL && strncmp(v, "http://", 7) != 0 && strncmp(v, "https://", 8) != 0)
		return "must begin with http:// or https://: Berth uses no other kind of proxy";
	if (!url_is_web(url) || place.p + place.n != v + url.n || memchr(user.p, '@', user.n) != NULL)
		return form;
	return is_port(port_of(url)) && is_escaped(user) ? NULL : form;
}

static const char *
check_hosts(const char *v)
{
	return hosts_valid(v) ? NULL :
	    "must be host names, domains (.example.com), addresses and networks (10.0.0.0/8), without "
	    "ports, separated by spaces";
}

/* All but the password. */
static void
mask_proxy(FILE *f, const char *v)
{
	struct slice user = url_user(slice_str(v));
	const char *colon = memchr(user.p, ':', user.n);

	if (colon == NULL)
		fputs(v, f);
	else
		fprintf(f, "%.*s:****%s", (int)(colon - v), v, user.p + user.n);
}

static const char *
check_gitlab_projects(const char *v)
{
	struct slice word;

	while (words_next(&v, &word)) {
		size_t digits = strspn(word.p, "0123456789");

		if (digits == 0 || digits >= word.n || word.p[digits] != '=' ||
		    digits + 1 == word.n)
			return "must be ID=GROUP/PROJECT, separated by spaces";
	}
	return NULL;
}

/* Berth sends GitLab tokens with these prefixes: none may match a token of Berth or an identity token. */
static const char *
check_token_prefixes(const char *v)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_";
	enum { SHORTEST = 3, LONGEST = 64 };
	const char *list = v;
	struct slice word;

	while (words_next(&list, &word)) {
		if (word.n < SHORTEST || word.n > LONGEST || strspn(word.p, bytes) < word.n ||
		    slice_has_prefix(word, "ey") || slice_has_prefix(word, "ber"))
			return "must be prefixes of GitLab's job tokens, separated by spaces";
	}
	return v[strspn(v, WORDS_BLANKS)] != '\0' ? NULL : "must name at least one prefix";
}

enum { HOUR = 3600, DAY = 24 * HOUR };

#define MEMBER(key) .name = #key, .offset = offsetof(struct settings, key)

const struct conf_key settings_keys[] = {
	{ MEMBER(external_url), .type = CONF_STR, .check = check_url },
	{ MEMBER(sso), .type = CONF_BOOL, .def = "off" },
	{ MEMBER(socket), .type = CONF_STR, .def = "/run/berth/berth.sock", .check = check_path },
	{ MEMBER(write_socket), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(socket_mode), .type = CONF_MODE, .def = "0660", .min = 0, .max = 0777 },
	{ MEMBER(socket_owner), .type = CONF_STR, .def = "" },
	{ MEMBER(database), .type = CONF_STR, .def = "dbname=berth user=berth", .secret = true },
	{ MEMBER(database_direct), .type = CONF_STR, .def = "", .secret = true },
	{ MEMBER(database_read), .type = CONF_STR, .def = "", .secret = true },
	{ MEMBER(store), .type = CONF_STR, .def = "/var/lib/berth", .check = blob_store_name_check },
	{ MEMBER(store_endpoint), .type = CONF_STR, .def = "", .check = check_endpoint },
	{ MEMBER(store_region), .type = CONF_STR, .def = "us-east-1", .check = check_region },
	{ MEMBER(store_credentials), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(store_ca_file), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(store_path_style), .type = CONF_BOOL, .def = "on" },
	{ MEMBER(store_copies), .type = CONF_STR, .def = "/var/lib/berth", .check = check_path },
	{ MEMBER(store_copies_size), .type = CONF_SIZE, .def = "10g", .min = 1 << 20, .max = INT64_MAX },
	{ MEMBER(backup_endpoint), .type = CONF_STR, .def = "", .check = check_endpoint },
	{ MEMBER(backup_region), .type = CONF_STR, .def = "us-east-1", .check = check_region },
	{ MEMBER(backup_credentials), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(backup_ca_file), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(backup_path_style), .type = CONF_BOOL, .def = "on" },
	{ MEMBER(cache_dir), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(cache_lease), .type = CONF_SECONDS, .def = "10", .min = 3, .max = 20 },
	{ MEMBER(cache_stale_max), .type = CONF_SECONDS, .def = "0", .max = 86400 },
	{ MEMBER(token_key), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(workers), .type = CONF_INT, .def = "8", .min = 1, .max = 1024 },
	{ MEMBER(write_workers), .type = CONF_INT, .def = "4", .min = 1, .max = 1024 },
	{ MEMBER(max_requests), .type = CONF_INT, .def = "10000", .min = 0, .max = INT32_MAX },
	{ MEMBER(request_timeout), .type = CONF_SECONDS, .def = "28", .min = 1, .max = DAY },
	{ MEMBER(drain_timeout), .type = CONF_SECONDS, .def = "30", .min = 0, .max = DAY },
	{ MEMBER(traceable), .type = CONF_BOOL, .def = "off" },
	{ MEMBER(database_timeout), .type = CONF_SECONDS, .def = "10", .min = 1, .max = DAY },
	{ MEMBER(pid_file), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(log_file), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(log_level), .type = CONF_STR, .def = "info", .check = check_log_level },
	{ MEMBER(monitoring_allow), .type = CONF_STR, .def = "127.0.0.0/8 ::1/128",
	    .check = check_networks },
	{ MEMBER(monitoring_url), .type = CONF_STR, .def = "http://127.0.0.1:9614",
	    .check = check_monitoring_url },
	{ MEMBER(node), .type = CONF_STR, .def = "", .check = check_node },
	{ MEMBER(download_log), .type = CONF_STR, .def = "/var/log/nginx/berth-downloads.log",
	    .check = check_optional_path },
	{ MEMBER(cache_log), .type = CONF_STR, .def = "/var/log/nginx/berth-cache.log",
	    .check = check_optional_path },
	{ MEMBER(keep_unused), .type = CONF_SECONDS, .def = "7d", .min = 0,
	    .max = INT64_C(3650) * DAY },
	{ MEMBER(keep_ended_tokens), .type = CONF_SECONDS, .def = "90d", .min = 0,
	    .max = INT64_C(3650) * DAY },
	{ MEMBER(worker_pid_file), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(worker_log_file), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(max_crate_size), .type = CONF_SIZE, .def = "10m", .min = 1024, .max = UINT32_MAX,
	    .project = true },
	{ MEMBER(max_metadata_size), .type = CONF_SIZE, .def = "1m", .min = 1024, .max = 64 << 20 },
	{ MEMBER(max_index_line_size), .type = CONF_SIZE, .def = "128k", .min = 1024, .max = 1 << 20 },
	{ MEMBER(max_index_size), .type = CONF_SIZE, .def = "32m", .min = 1024, .max = 256 << 20 },
	{ MEMBER(max_unpacked_size), .type = CONF_SIZE, .def = "512m", .min = 1024,
	    .max = INT64_MAX, .project = true },
	{ MEMBER(max_entries), .type = CONF_INT, .def = "20000", .min = 1, .max = 1000000,
	    .project = true },
	{ MEMBER(max_dependencies), .type = CONF_INT, .def = "500", .min = 0, .max = 10000,
	    .project = true },
	{ MEMBER(max_features), .type = CONF_INT, .def = "5000", .min = 0, .max = 10000,
	    .project = true },
	{ MEMBER(max_keywords), .type = CONF_INT, .def = "5", .min = 0, .max = 1000,
	    .project = true },
	{ MEMBER(max_categories), .type = CONF_INT, .def = "5", .min = 0, .max = 1000,
	    .project = true },
	{ MEMBER(required_metadata), .type = CONF_STR, .def = "",
	    .check = check_required_metadata, .project = true },
	{ MEMBER(strict_metadata), .type = CONF_STR, .def = "", .check = check_strict_metadata,
	    .project = true },
	{ MEMBER(reserved_names), .type = CONF_STR, .def = "", .check = check_crate_names,
	    .project = true },
	{ MEMBER(allowed_registries), .type = CONF_STR,
	    .def = "https://github.com/rust-lang/crates.io-index", .check = check_registries,
	    .project = true },
	{ MEMBER(mirror_url), .type = CONF_STR, .def = "", .check = check_mirror_url, .project = true },
	{ MEMBER(deleted_name_wait), .type = CONF_SECONDS, .def = "1d", .min = 0,
	    .max = INT64_C(365) * DAY },
	{ MEMBER(deletion_grace), .type = CONF_SECONDS, .def = "7d", .min = 0,
	    .max = INT64_C(365) * DAY },
	{ MEMBER(inspector), .type = CONF_STR, .def = LIBEXECDIR "/berth-inspect", .check = check_path },
	{ MEMBER(inspect_slots), .type = CONF_INT, .def = "0", .min = 0, .max = 1024 },
	{ MEMBER(inspect_timeout), .type = CONF_SECONDS, .def = "15", .min = 1, .max = 3600 },
	{ MEMBER(gitlab_url), .type = CONF_STR, .def = "", .check = check_gitlab_url },
	{ MEMBER(gitlab_projects), .type = CONF_STR, .def = "", .check = check_gitlab_projects },
	{ MEMBER(gitlab_token_prefixes), .type = CONF_STR, .def = "glcbt-",
	    .check = check_token_prefixes },
	{ MEMBER(issuer_keys_max_age), .type = CONF_SECONDS, .def = "1d", .min = HOUR,
	    .max = INT64_C(30) * DAY },
	{ MEMBER(ci_ca_file), .type = CONF_STR, .def = "", .check = check_optional_path },
	{ MEMBER(outbound_proxy), .type = CONF_STR, .def = "", .mask = mask_proxy, .check = check_proxy },
	{ MEMBER(outbound_proxy_except), .type = CONF_STR, .def = "", .check = check_hosts },
	{ MEMBER(new_crate_burst), .type = CONF_INT, .def = "500", .min = 0, .max = 1000000 },
	{ MEMBER(new_crate_per_minute), .type = CONF_INT, .def = "30", .min = 1, .max = 1000000 },
	{ MEMBER(publish_burst), .type = CONF_INT, .def = "1000", .min = 0, .max = 1000000 },
	{ MEMBER(publish_per_minute), .type = CONF_INT, .def = "120", .min = 1, .max = 1000000 },
	{ MEMBER(yank_burst), .type = CONF_INT, .def = "500", .min = 0, .max = 1000000 },
	{ MEMBER(yank_per_minute), .type = CONF_INT, .def = "60", .min = 1, .max = 1000000 },
	{ MEMBER(change_burst), .type = CONF_INT, .def = "600", .min = 0, .max = 1000000 },
	{ MEMBER(change_per_minute), .type = CONF_INT, .def = "60", .min = 1, .max = 1000000 },
	{ MEMBER(token_burst), .type = CONF_INT, .def = "60", .min = 0, .max = 1000000 },
	{ MEMBER(token_per_minute), .type = CONF_INT, .def = "6", .min = 1, .max = 1000000 },
	{ MEMBER(job_token_burst), .type = CONF_INT, .def = "2000", .min = 0, .max = 1000000 },
	{ MEMBER(job_token_per_minute), .type = CONF_INT, .def = "600", .min = 1, .max = 1000000 },
	{ MEMBER(failed_login_burst), .type = CONF_INT, .def = "1000", .min = 0, .max = 1000000 },
	{ MEMBER(failed_login_per_minute), .type = CONF_INT, .def = "60", .min = 1, .max = 1000000 },
	{ .name = "public_dir", .renamed = "cache_dir" },
	{ .name = "public_lease", .renamed = "cache_lease" },
	{ .name = "download_key", .renamed = "token_key" },
};
const size_t settings_nkeys = sizeof(settings_keys) / sizeof(*settings_keys);

const struct conf_key *
settings_project_key(struct slice name)
{
	const struct conf_key *key = conf_find(settings_keys, settings_nkeys, name);

	return key != NULL && key->project ? key : NULL;
}

/* "/run/berth/berth.sock" has "/run/berth/berth-write.sock" beside it. */
static const char *
write_socket_beside(struct arena *a, const char *path)
{
	static const char suffix[] = ".sock";
	size_t n = strlen(path);
	bool has = n >= strlen(suffix) && strcmp(path + n - strlen(suffix), suffix) == 0;
	int stem = (int)(has ? n - strlen(suffix) : n);

	return arena_printf(a, "%.*s-write%s", stem, path, has ? suffix : "");
}

int64_t
settings_store_patience_ms(const struct settings *s)
{
	enum { SPARE_S = 3 }; /* a request answers in its time, whether the store does or not */

	return (s->request_timeout > SPARE_S ? s->request_timeout - SPARE_S : 1) * 1000;
}

struct blob_store *
settings_store(struct arena *a, const struct settings *s, const char *name)
{
	struct s3_conf conf = { .keys = "store", .endpoint = s->store_endpoint, .region = s->store_region,
		.credentials = s->store_credentials, .ca_file = s->store_ca_file, .path_style = s->store_path_style,
		.patience_ms = settings_store_patience_ms(s) };

	return blob_store_new(a, name, s->store_copies, &conf);
}

int64_t
settings_staging_age(const struct settings *s)
{
	enum { SLACK_S = 60 };

	return 2 * s->request_timeout + SLACK_S;
}

const struct s3_conf *
settings_backup(struct arena *a, const struct settings *s)
{
	struct s3_conf *conf = arena_alloc(a, sizeof(*conf));

	*conf = (struct s3_conf) { .keys = "backup", .endpoint = s->backup_endpoint, .region = s->backup_region,
		.credentials = s->backup_credentials, .ca_file = s->backup_ca_file,
		.path_style = s->backup_path_style };
	return conf;
}

int
settings_load(struct arena *a, const char *path, struct settings *s, struct err *err)
{
	const struct conf_source from = { path, SETTINGS_VARIABLES };
	const char **origins = arena_calloc(a, settings_nkeys, sizeof(*origins));

	*s = (struct settings) { .origins = origins };
	if (conf_load(a, settings_keys, settings_nkeys, &from, s, origins, err) == -1)
		return -1;
	if (s->write_socket[0] == '\0')
		s->write_socket = write_socket_beside(a, s->socket);
	if (s->database_direct[0] == '\0')
		s->database_direct = s->database;
	s->blobs = settings_store(a, s, s->store);
	return 0;
}

int
settings_save(const struct settings *s, int *fd, struct err *err)
{
	FILE *f;
	int copy;

	*fd = memfd_create("settings", MFD_CLOEXEC);
	copy = *fd == -1 ? -1 : fcntl(*fd, F_DUPFD_CLOEXEC, 0);
	f = copy == -1 ? NULL : fdopen(copy, "w");
	if (f != NULL) {
		conf_save(f, settings_keys, settings_nkeys, s);
		if (fclose(f) == 0)
			return 0;
	} else if (copy != -1) {
		close(copy);
	}
	err_sys(err, "cannot save the settings for new workers");
	if (*fd != -1)
		close(*fd);
	*fd = -1;
	return -1;
}

int
settings_restore(struct arena *a, int fd, struct settings *s, struct err *err)
{
	struct stat st;
	size_t n;
	char *saved;

	*s = (struct settings) { 0 };
	if (fstat(fd, &st) == -1)
		return err_sys(err, "settings");
	n = (size_t)st.st_size;
	saved = arena_alloc(a, n);
	/* not read(2): the position is shared with all who have the descriptor */
	if (pread(fd, saved, n, 0) != (ssize_t)n ||
	    conf_restore(a, settings_keys, settings_nkeys, saved, n, s) == -1)
		return err_internal(err, 500, "cannot read the settings that the master has saved");
	s->blobs = settings_store(a, s, s->store);
	return 0;
}
