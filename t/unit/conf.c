/* config/conf and config/settings. */
#include "config/settings.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remove_tree.h"
#include "tap.h"

static char dir[] = "/tmp/berth-conf-XXXXXX";
static char path[64];

static void
write_conf(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) == EOF)
		abort();
}

static int
load(struct arena *a, const char *text, struct settings *s, struct err *e)
{
	*e = (struct err) { 0 };
	write_conf(path, text);
	return settings_load(a, path, s, e);
}

static void
mask(FILE *f, const char *value)
{
	fputs(value[0] != '\0' ? "masked" : "", f);
}

/* Where the value is from. */
static const char *
origin(const struct settings *s, const char *name)
{
	return s->origins[conf_find(settings_keys, settings_nkeys, slice_str(name)) - settings_keys];
}

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

#define URL "external_url = https://crates.example\n"

static const char *const below[] = {
	"https://h/x",
	"https://h:8443/Cargo-1/v_2.0~x/.y/..z/...",
	"https://[::1]:1/a",
};

static const struct {
	const char *text;
	const char *wrong;
} refused[] = {
	{ "", "external_url must be given" },
	{ URL "nonsense = 1\n", ":2: unknown key `nonsense`" },
	{ URL "workers 4\n", ":2: expected `key = value`" },
	{ URL "workers = 4\nworkers = 5\n", ":3: workers is given twice" },
	{ URL "workers = 0\n", ":2: workers must be from 1 to 1024: `0`" },
	{ URL "workers = 1025\n", "must be from 1 to 1024" },
	{ URL "workers = -1\n", "must be a number" },
	{ URL "workers = four\n", ":2: workers must be a number without a unit" },
	{ URL "workers = 4k\n", "workers must be a number without a unit: `4k`" },
	{ URL "workers = 99999999999999999999\n", "is too large: `99999999999999999999`" },
	{ URL "max_crate_size = 9223372036854775807g\n", "is too large" },
	{ URL "socket_mode = 0999\n", "must be an octal number: `0999`" },
	{ URL "socket = berth.sock\n", "must be an absolute path" },
	{ URL "log_level = loud\n", "must be error, warn, info or debug" },
	{ "external_url = crates.example\n", "must begin with https://" },
	{ "external_url = http://crates.example\n",
	    "must begin with https://: cargo would send tokens to http:// in clear text" },
	{ "external_url = https://crates.example/\n", "must not end in a slash" },
	{ "external_url = https://\n", "must be https://host" },
	{ "external_url = https://crates.example/x/\n", "must not end in a slash" },
	{ "external_url = https://crates.example/x//\n", "must not end in a slash" },
	{ "external_url = https://crates.example//\n", "must not end in a slash" },
	{ "external_url = https://crates.example//x\n", "must not have two slashes side by side in its path" },
	{ "external_url = https://crates.example/x//y\n", "must not have two slashes side by side in its path" },
	{ "external_url = https://crates.example/.\n", "must not have `.` or `..` in its path" },
	{ "external_url = https://crates.example/x/..\n", "must not have `.` or `..` in its path" },
	{ "external_url = https://crates.example/x/./y\n", "must not have `.` or `..` in its path" },
	{ "external_url = https://crates.example/x%2Fy\n", "and no %-escapes" },
	{ "external_url = https://crates.example/x%79\n", "and no %-escapes" },
	{ "external_url = https://crates.example/x;y\n", "may have only letters, digits and - . _ ~ / in its path" },
	{ "external_url = https://crates.example?x\n", "must have no query and no fragment" },
	{ "external_url = https://crates.example/x?y\n", "must have no query and no fragment" },
	{ "external_url = https://crates.example/x#y\n", "must have no query and no fragment" },
	{ "external_url = https://me@crates.example/x\n", "must be https://host[:port][/path]" },
	{ "external_url = https://crates.example:https\n", "must be https://host[:port][/path]" },
	{ "external_url = https://crates.example:/x\n", "must be https://host[:port][/path]" },
	{ "external_url = https://crates.example:84443/x\n", "must be https://host[:port][/path]" },
	{ "external_url = https://[::1]8443/x\n", "must be https://host[:port][/path]" },
	{ URL "store_endpoint = http://store.example:900O\n", "store_endpoint must be http://host[:port]" },
	{ URL "backup_endpoint = http://store.example:0\n", "backup_endpoint must be http://host[:port]" },
	{ URL "gitlab_url = https://git.example:84443/x\n", "gitlab_url must be https://host[:port][/path]" },
	{ URL "monitoring_url = http://127.0.0.1:96140\n", "monitoring_url must be http://host[:port]" },
	{ "external_url = https://a b\n", "external_url must have only visible ASCII characters" },
	{ "external_url = https://b\xc3\xbc" "cher.example\n", "must have only visible ASCII characters" },
	{ URL "outbound_proxy = socks5://proxy.example:1080\n",
	    "outbound_proxy must begin with http:// or https://: Berth uses no other kind of proxy" },
	{ URL "outbound_proxy = proxy.example:3128\n", "must be http://[user:password@]host:port or https" },
	{ URL "outbound_proxy = http://proxy.example\n", "must be http://[user:password@]host:port" },
	{ URL "outbound_proxy = http://proxy.example:\n", "must be http://[user:password@]host:port" },
	{ URL "outbound_proxy = http://proxy.example:03128\n", "must be http://[user:password@]host:port" },
	{ URL "outbound_proxy = http://proxy.example:65536\n", "must be http://[user:password@]host:port" },
	{ URL "outbound_proxy = http://proxy.example:3128/\n", "must be http://[user:password@]host:port" },
	{ URL "outbound_proxy = http://u:p@x@proxy.example:3128\n", "must be http://[user:password@]host:port" },
	{ URL "outbound_proxy = http://u:50%@proxy.example:3128\n", "must be http://[user:password@]host:port" },
	{ URL "outbound_proxy = http://u:%0a@proxy.example:3128\n", "must be http://[user:password@]host:port" },
	{ URL "outbound_proxy_except = *.example.com\n",
	    "outbound_proxy_except must be host names, domains (.example.com), addresses and networks" },
	{ URL "# \xff\n", "not UTF-8" },
	{ URL "max_keywords = 1001\n", "max_keywords must be from 0 to 1000" },
	{ URL "max_categories = -1\n", "max_categories must be a number" },
	{ URL "required_metadata = description, license\n",
	    "required_metadata must be a list of these words: description license" },
	{ URL "strict_metadata = license, homepage\n",
	    "strict_metadata must be a list of these words: documentation homepage license repository" },
	{ URL "required_metadata = Description\n", "must be a list of these words" },
	{ URL "required_metadata = license-file\n", "must be a list of these words" },
	{ URL "reserved_names = a,b\n", "reserved_names must be names of crates" },
	{ URL "reserved_names = a 1b\n", "must be names of crates" },
	{ URL "reserved_names = -b\n", "must be names of crates" },
	{ URL "reserved_names = " X64 "x\n", "must be names of crates" },
	{ URL "reserved_names = \xc3\xa9\n", "must be names of crates" },
	{ URL "allowed_registries = crates-io\n", "allowed_registries must be index URLs" },
	{ URL "allowed_registries = https://a, https://b *x\n", "must be index URLs" },
	{ URL "allowed_registries = https://\x01\n", "must be index URLs" },
	{ URL "monitoring_allow = localhost\n", "monitoring_allow must be addresses and networks" },
	{ URL "monitoring_allow = 10.0.0.1/8\n", "must be addresses and networks" },
	{ URL "monitoring_allow = 10.0.0.1, ::1\n", "must be addresses and networks" },
};

/* Some file systems leave zeroes where a machine has lost its power: no such file is an empty one. */
static void
test_zeroes(struct arena *a)
{
	static const char text[] = "workers = 1\0" "0\n";
	struct settings s;
	struct err e = { 0 };
	FILE *f;

	write_conf(path, URL);
	f = fopen(path, "a");
	if (f == NULL || fwrite(text, 1, sizeof(text) - 1, f) != sizeof(text) - 1 || fclose(f) == EOF)
		abort();
	ok(settings_load(a, path, &s, &e) == -1 && strstr(e.detail, "berth.conf:2: has a NUL byte") != NULL,
	    "a value with a zero in it: %s", e.detail);
	write_conf(path, URL);
	ok(truncate(path, 100000) == 0, "zeroes at the end");
	e = (struct err) { 0 };
	ok(settings_load(a, path, &s, &e) == -1 && strstr(e.detail, "berth.conf:2: has a NUL byte") != NULL,
	    "are an error: %s", e.detail);
}

/* conf_set: one value, as after the `=` of a line. */
static void
test_set(struct arena *a, struct settings *s)
{
	const struct conf_key *key = conf_find(settings_keys, settings_nkeys, slice_str("workers"));
	char *longest = arena_alloc(a, 8192);

	is_str(key->name, "workers", "a key is found by its name");
	ok(conf_find(settings_keys, settings_nkeys, slice_str("worker")) == NULL, "by all of it");
	is_str(conf_set(a, key, " \"12\" ", s), NULL, "blanks and quotes");
	is_int(s->workers, 12, "are dropped");
	is_str(conf_set(a, key, "0", s), "must be from 1 to 1024", "bounds hold");
	key = conf_find(settings_keys, settings_nkeys, slice_str("reserved_names"));
	is_str(conf_set(a, key, "\xff", s), "must be UTF-8", "not UTF-8");
	memset(longest, ' ', 8191);
	is_str(conf_set(a, key, longest, s), NULL, "as long as a line");
	longest = arena_alloc(a, 8193);
	memset(longest, ' ', 8192);
	is_str(conf_set(a, key, longest, s), "is too long", "longer than a line");
}

static void
write_beside(struct arena *a, const char *name, const char *text)
{
	write_conf(arena_printf(a, "%s/conf.d/%s", dir, name), text);
}

/* Files of conf.d replace what berth.conf has, the later name what the earlier has. */
static void
test_beside(struct arena *a)
{
	static const char *const others[] = { "30.conf~", "30.conf.dpkg-new", ".30.conf", ".conf", "conf" };
	const char *beside = arena_printf(a, "%s/conf.d", dir);
	struct settings s;
	struct err e;

	write_conf(beside, "");
	ok(load(a, URL, &s, &e) == -1 && strstr(e.detail, arena_printf(a, "cannot read %s", beside)) != NULL,
	    "conf.d is no directory: %s", e.detail);
	ok(unlink(beside) == 0 && mkdir(beside, 0700) == 0, "a directory");
	ok(load(a, URL, &s, &e) == 0, "which is empty: %s", e.detail);
	write_beside(a, "9.conf", "workers = 9\nmax_entries = 9\n");
	write_beside(a, "10.conf", "\nworkers = 10\nmax_features = 10\n");
	write_beside(a, "Z.conf", "max_features = 11\n");
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		write_beside(a, others[i], "nonsense\n");
	ok(load(a, URL "workers = 3\nwrite_workers = 3\n", &s, &e) == 0, "files in it: %s", e.detail);
	is_int(s.workers, 9, "`9` comes after `10`");
	is_int(s.max_entries, 9, "a key of one file");
	is_int(s.max_features, 11, "capitals come after digits");
	is_int(s.write_workers, 3, "a key that only berth.conf has");
	is_str(origin(&s, "workers"), arena_printf(a, "%s/9.conf:1", beside), "it is known from where");
	is_str(origin(&s, "write_workers"), arena_printf(a, "%s:3", path), "also from berth.conf");
	is_str(origin(&s, "max_keywords"), NULL, "a default is from nowhere");

	write_beside(a, "10.conf", "workers = 10\nworkers = 10\n");
	ok(load(a, URL, &s, &e) == -1 && strstr(e.detail, "conf.d/10.conf:2: workers is given twice") != NULL,
	    "twice in one file: %s", e.detail);
	write_beside(a, "10.conf", "workers = ten\n");
	ok(load(a, URL, &s, &e) == -1 && strstr(e.detail, "conf.d/10.conf:1: workers must be a number") != NULL,
	    "a bad value, which another would replace: %s", e.detail);
	ok(unlink(arena_printf(a, "%s/10.conf", beside)) == 0 &&
	    mkdir(arena_printf(a, "%s/10.conf", beside), 0700) == 0, "a file that is none");
	ok(load(a, URL, &s, &e) == -1 && strstr(e.detail, "conf.d/10.conf: Is a directory") != NULL,
	    "cannot be read: %s", e.detail);
	remove_tree(beside);
}

static const struct {
	const char *variable, *value, *wrong;
} bad_variables[] = {
	{ "BERTH_CONF_NONSENSE", "hunter2", "BERTH_CONF_NONSENSE: unknown key `nonsense`" },
	{ "BERTH_CONF_", "hunter2", "BERTH_CONF_: unknown key ``" },
	{ "BERTH_CONF_workers", "3", "BERTH_CONF_workers: must be in upper case" },
	{ "BERTH_CONF_WORKERS", "hunter2", "BERTH_CONF_WORKERS: workers must be a number" },
	{ "BERTH_CONF_DATABASE", "password=hunter2\nworkers = 3",
	    "BERTH_CONF_DATABASE: database must be one line" },
	{ "BERTH_CONF_DATABASE", "password=hunter2 \xff", "BERTH_CONF_DATABASE: database must be UTF-8" },
	{ "BERTH_CONF_PUBLIC_DIR", "/hunter2", "BERTH_CONF_PUBLIC_DIR: the key `public_dir` was replaced" },
};

/* Variables of the environment replace what the files have. */
static void
test_environment(struct arena *a)
{
	struct settings s;
	struct err e;

	setenv("BERTH_CONF_WORKERS", "7", 1);
	setenv("BERTH_CONF_RESERVED_NAMES", "", 1);
	setenv("BERTH_CONF_EXTERNAL_URL", " \"https://h.example\" ", 1);
	setenv("BERTH_CONF", "/nonexistent", 1);
	ok(load(a, "workers = 3\nreserved_names = a\nsso = on\n", &s, &e) == 0, "variables: %s", e.detail);
	is_int(s.workers, 7, "instead of a file's value");
	is_str(s.reserved_names, "", "also an empty one");
	is_str(s.external_url, "https://h.example", "what must be given may be given so");
	ok(s.sso, "what has no variable is the file's");
	is_str(origin(&s, "workers"), "BERTH_CONF_WORKERS", "it is known from where");
	unsetenv("BERTH_CONF_WORKERS");
	for (size_t i = 0; i < sizeof(bad_variables) / sizeof(*bad_variables); i++) {
		setenv(bad_variables[i].variable, bad_variables[i].value, 1);
		ok(load(a, "", &s, &e) == -1 && strstr(e.detail, bad_variables[i].wrong) == e.detail,
		    "refused: %s (%s)", bad_variables[i].wrong, e.detail);
		ok(strstr(e.detail, "hunter2") == NULL, "without the value");
		unsetenv(bad_variables[i].variable);
	}
	unsetenv("BERTH_CONF_RESERVED_NAMES");
	unsetenv("BERTH_CONF_EXTERNAL_URL");
}

/* Another process of the same program gets exactly what this one has. */
static void
test_save(struct arena *a)
{
	struct settings s, back;
	struct err e = { 0 };
	char shown[2][16384] = { "", "" };
	int fd, bad;

	ok(load(a, URL "database = \"host=\"x\" password='a = # b '\"\nsso = on\nreserved_names = \"\"\n"
	       "max_crate_size = 1025\nkeep_unused = 90\nsocket_mode = 0007\ntraceable = on\n", &s, &e) == 0,
	    "odd values: %s", e.detail);
	is_int(settings_save(&s, &fd, &e), 0, "are saved");
	is_int(unlink(path), 0, "whatever becomes of the file");
	is_int(settings_restore(a, fd, &back, &e), 0, "and restored");
	is_int(settings_restore(a, fd, &back, &e), 0, "as often as one likes");
	is_str(back.database, s.database, "a string with everything in it");
	ok(back.sso && back.traceable && back.socket_mode == 0007, "switches, modes");
	for (size_t i = 0; i < 2; i++) {
		FILE *f = fmemopen(shown[i], sizeof(shown[i]), "w");

		conf_print(f, settings_keys, settings_nkeys, i == 0 ? &s : &back, NULL, mask);
		fclose(f);
	}
	ok(strlen(shown[0]) > 1000, "much is shown");
	is_str(shown[1], shown[0], "all of it is the same");
	bad = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	ok(ftruncate(bad, 100) == 0 && settings_restore(a, bad, &back, &e) == -1, "half of it is refused");
	close(bad);
	close(fd);
}

/* The caller, who closes what it has, closes nothing of another. */
static void
test_save_fails(struct arena *a)
{
	struct rlimit before, few;
	struct settings s;
	struct err e = { 0 };
	int next, fd = -1, rc;

	ok(load(a, URL, &s, &e) == 0, "settings: %s", e.detail);
	next = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(next);
	getrlimit(RLIMIT_NOFILE, &before);
	few = before;
	few.rlim_cur = (rlim_t)next + 1;
	setrlimit(RLIMIT_NOFILE, &few);
	rc = settings_save(&s, &fd, &e);
	setrlimit(RLIMIT_NOFILE, &before);
	is_int(rc, -1, "with one descriptor too few they are not saved");
	is_int(fd, -1, "and no descriptor is left");
	is_int(fcntl(next, F_GETFD), -1, "nor open");
}

int
main(void)
{
	struct arena *a = arena_new();
	struct settings s;
	struct err e;
	char line[64];
	bool masked = false, size = false, from = false, secret = false;
	FILE *f;

	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/berth.conf", dir);
	ok(load(a, URL, &s, &e) == 0, "only what must be given: %s", e.detail);
	is_int(s.max_crate_size, 10 << 20, "default of a size");
	is_int(s.request_timeout, 28, "default of a time");
	is_int(s.socket_mode, 0660, "default of a mode");
	is_str(s.log_file, "", "default of a text");
	ok(load(a,
	       "# comment\n\n  external_url =  \"https://h:8443\"  \nworkers=3\n"
	       "request_timeout = 2min\nmax_crate_size = 1g\nsocket_mode = 0600\n",
	       &s, &e) == 0,
	    "spaces, quotes, comments, units: %s", e.detail);
	is_str(s.external_url, "https://h:8443", "quotes are taken off");
	is_int(s.workers, 3, "number");
	is_int(s.request_timeout, 120, "minutes");
	is_int(s.max_crate_size, 1 << 30, "gigabytes");
	is_int(s.socket_mode, 0600, "octal");
	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++)
		ok(load(a, arena_printf(a, "external_url = %s\n", below[i]), &s, &e) == 0 &&
		    strcmp(s.external_url, below[i]) == 0, "below a path: %s (%s)", below[i], e.detail);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		ok(load(a, refused[i].text, &s, &e) == -1 && strstr(e.detail, refused[i].wrong) != NULL,
		    "refused: %s (%s)", refused[i].wrong, e.detail);
	ok(load(a,
	       URL "reserved_names = A b_c-1 " X64 "\nrequired_metadata = \"\"\nmax_keywords = 0\n"
	       "allowed_registries = * sparse+http://a/* https://b\n", &s, &e) == 0,
	    "lists, some of them empty: %s", e.detail);
	is_str(s.required_metadata, "", "an empty list");
	test_set(a, &s);
	test_zeroes(a);
	ok(settings_load(a, "/nonexistent/berth.conf", &s, &e) == -1, "a missing file: %s", e.detail);

	ok(load(a, URL "database = host=x password=hunter2\n", &s, &e) == 0, "a secret");
	f = tmpfile();
	conf_print(f, settings_keys, settings_nkeys, &s, s.origins, mask);
	rewind(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		masked = masked || (from && strcmp(line, "database = masked\n") == 0);
		from = strcmp(line, arena_printf(a, "# %s:2\n", path)) == 0;
		size = size || strcmp(line, "max_crate_size = 10m\n") == 0;
		secret = secret || strstr(line, "hunter2") != NULL;
	}
	fclose(f);
	ok(masked && !secret, "secrets are masked, and the line before says where the value is from");
	ok(size, "values are shown as one would write them");
	test_save(a);
	test_save_fails(a);
	test_beside(a);
	test_environment(a);
	remove_tree(dir);
	arena_free(a);
	return tap_done();
}
