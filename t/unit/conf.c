/* config/conf and config/settings. */
#include "config/settings.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

static char path[] = "/tmp/berth-conf-XXXXXX";

static int
load(struct arena *a, const char *text, struct settings *s, struct err *e)
{
	FILE *f = fopen(path, "w");

	*e = (struct err) { 0 };
	if (f == NULL)
		return -1;
	fputs(text, f);
	fclose(f);
	return settings_load(a, path, s, e);
}

static void
mask(FILE *f, const char *value)
{
	fputs(value[0] != '\0' ? "masked" : "", f);
}

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

#define URL "external_url = https://crates.example\n"

static const struct {
	const char *text;
	const char *wrong;
} refused[] = {
	{ "", "external_url must be given" },
	{ URL "nonsense = 1\n", ":2: unknown key `nonsense`" },
	{ URL "workers 4\n", ":2: expected `key = value`" },
	{ URL "workers = 4\nworkers = 5\n", ":3: workers is given twice" },
	{ URL "workers = 0\n", ":2: workers must be from 1 to 1024" },
	{ URL "workers = 1025\n", "must be from 1 to 1024" },
	{ URL "workers = -1\n", "must be a number" },
	{ URL "workers = four\n", "must be a number" },
	{ URL "workers = 4k\n", "has an unknown unit" },
	{ URL "workers = 99999999999999999999\n", "is too large" },
	{ URL "max_crate_size = 9223372036854775807g\n", "is too large" },
	{ URL "socket_mode = 0999\n", "has an unknown unit" },
	{ URL "socket = berth.sock\n", "must be an absolute path" },
	{ URL "log_level = loud\n", "must be error, warn, info or debug" },
	{ "external_url = crates.example\n", "must begin with https://" },
	{ "external_url = http://crates.example\n",
	    "must begin with https://: cargo would send tokens to http:// in clear text" },
	{ "external_url = https://crates.example/\n", "must not end in a slash" },
	{ "external_url = https://\n", "must be https://host" },
	{ "external_url = https://crates.example/x\n", "must be https://host[:port]" },
	{ "external_url = https://a b\n", "external_url must be of visible ASCII characters" },
	{ "external_url = https://b\xc3\xbc" "cher.example\n", "must be of visible ASCII characters" },
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

		conf_print(f, settings_keys, settings_nkeys, i == 0 ? &s : &back, mask);
		fclose(f);
	}
	ok(strlen(shown[0]) > 1000, "much is shown");
	is_str(shown[1], shown[0], "all of it is the same");
	bad = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	ok(ftruncate(bad, 100) == 0 && settings_restore(a, bad, &back, &e) == -1, "half of it is refused");
	close(bad);
	close(fd);
}

int
main(void)
{
	struct arena *a = arena_new();
	struct settings s;
	struct err e;
	int fd = mkstemp(path);
	char line[64];
	bool masked = false, size = false, secret = false;
	FILE *f;

	close(fd);
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
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		ok(load(a, refused[i].text, &s, &e) == -1 && strstr(e.detail, refused[i].wrong) != NULL,
		    "refused: %s (%s)", refused[i].wrong, e.detail);
	ok(load(a,
	       URL "reserved_names = A b_c-1 " X64 "\nrequired_metadata = \"\"\nmax_keywords = 0\n"
	       "allowed_registries = * sparse+http://a/* https://b\n", &s, &e) == 0,
	    "lists, some of them empty: %s", e.detail);
	is_str(s.required_metadata, "", "an empty list");
	test_set(a, &s);
	ok(settings_load(a, "/nonexistent/berth.conf", &s, &e) == -1, "a missing file: %s", e.detail);

	ok(load(a, URL "database = host=x password=hunter2\n", &s, &e) == 0, "a secret");
	f = tmpfile();
	conf_print(f, settings_keys, settings_nkeys, &s, mask);
	rewind(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		masked = masked || strcmp(line, "database = masked\n") == 0;
		size = size || strcmp(line, "max_crate_size = 10m\n") == 0;
		secret = secret || strstr(line, "hunter2") != NULL;
	}
	fclose(f);
	ok(masked && !secret, "secrets are masked");
	ok(size, "values are shown as one would write them");
	test_save(a);
	unlink(path);
	arena_free(a);
	return tap_done();
}
