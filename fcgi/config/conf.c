#include "config/conf.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"
#include "base/utf8.h"

enum { CONF_LINE_MAX = 8192 };

struct unit {
	const char *suffix;
	int64_t factor;
};

/* The forms of numbers, by enum conf_type. */
struct number {
	const struct unit *units;
	int base;
	const char *what;
};

static const struct unit size_units[] = { { "", 1 }, { "k", INT64_C(1) << 10 }, { "m", INT64_C(1) << 20 },
	{ "g", INT64_C(1) << 30 }, { NULL, 0 } };
static const struct unit time_units[] = { { "", 1 }, { "s", 1 }, { "min", 60 }, { "h", 3600 },
	{ "d", 86400 }, { NULL, 0 } };
static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

static const struct number numbers[] = {
	[CONF_INT] = { no_units, 10, "a number without a unit" },
	[CONF_SIZE] = { size_units, 10, "a number of bytes, or of another unit: k, m or g" },
	[CONF_SECONDS] = { time_units, 10, "a number of seconds, or of another unit: min, h or d" },
	[CONF_MODE] = { no_units, 8, "an octal number" },
};

/* NULL, or what is wrong with the number. */
static const char *
parse_number(struct arena *a, const char *text, const struct number *number, int64_t *out)
{
	char *end = NULL;
	intmax_t v = 0;

	errno = 0;
	if (isdigit((unsigned char)text[0]))
		v = strtoimax(text, &end, number->base);
	for (const struct unit *u = number->units; end != NULL && u->suffix != NULL; u++) {
		if (strcmp(u->suffix, end) == 0)
			return errno != 0 || __builtin_mul_overflow(v, u->factor, out)
			    ? "is too large" : NULL;
	}
	return arena_printf(a, "must be %s", number->what);
}

static const char *
set_str(struct arena *a, const struct conf_key *k, const char *text, void *member)
{
	*(const char **)member = arena_strdup(a, text);
	return k->check != NULL ? k->check(text) : NULL;
}

static const char *
set_bool(const char *text, void *member)
{
	bool on = strcmp(text, "on") == 0;

	if (!on && strcmp(text, "off") != 0)
		return "must be on or off";
	*(bool *)member = on;
	return NULL;
}

static const char *
set_number(struct arena *a, const struct conf_key *k, const char *text, void *member)
{
	int64_t value = 0;
	const char *wrong = parse_number(a, text, &numbers[k->type], &value);

	if (wrong != NULL)
		return wrong;
	if (value < k->min || value > k->max)
		return arena_printf(a, "must be from %" PRId64 " to %" PRId64, k->min, k->max);
	*(int64_t *)member = value;
	return NULL;
}

/* NULL, or what is wrong with the value. */
static const char *
set_value(struct arena *a, const struct conf_key *k, const char *text, void *settings)
{
	void *member = (char *)settings + k->offset;

	switch (k->type) {
	case CONF_STR:
		return set_str(a, k, text, member);
	case CONF_BOOL:
		return set_bool(text, member);
	case CONF_INT:
	case CONF_SIZE:
	case CONF_SECONDS:
	case CONF_MODE:
		return set_number(a, k, text, member);
	}
	return "has an unknown type";
}

static char *
trim(char *s)
{
	size_t n;

	while (*s == ' ' || *s == '\t')
		s++;
	n = strlen(s);
	while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL)
		s[--n] = '\0';
	if (n >= 2 && s[0] == '"' && s[n - 1] == '"') {
		s[n - 1] = '\0';
		s++;
	}
	return s;
}

const struct conf_key *
conf_find(const struct conf_key *keys, size_t nkeys, struct slice name)
{
	for (size_t i = 0; i < nkeys; i++) {
		if (slice_is(name, keys[i].name))
			return &keys[i];
	}
	return NULL;
}

const char *
conf_set(struct arena *a, const struct conf_key *k, const char *text, void *settings)
{
	if (strlen(text) >= CONF_LINE_MAX)
		return "is too long";
	if (!utf8_valid(slice_str(text)))
		return "must be UTF-8";
	return set_value(a, k, trim(arena_strdup(a, text)), settings);
}

struct loader {
	struct arena *arena;
	const struct conf_key *keys;
	size_t nkeys;
	void *settings;
	const char **origins;
	size_t source; /* the number of the one that is read, from 1 */
	size_t *given; /* the last source with that key; 0: none */
	struct err *err;
};

/* ": `VALUE`", or "" for what can be a password, also one that was given to the wrong key. */
static const char *
shown(struct arena *a, const struct conf_key *key, const char *text)
{
	const char *value = trim(arena_strdup(a, text));
	bool is_number = key->type != CONF_STR && isdigit((unsigned char)value[0]);

	return is_number ? arena_printf(a, ": `%s`", value) : "";
}

/* Takes one value.  place: "FILE:LINE" or a variable of the environment. */
static int
load_value(struct loader *l, const char *place, const char *name, const char *text)
{
	const struct conf_key *key = conf_find(l->keys, l->nkeys, slice_str(name));
	const char *wrong;
	size_t i;

	if (key == NULL)
		return err_internal(l->err, 500, "%s: unknown key `%s`", place, name);
	if (key->renamed != NULL)
		return err_internal(l->err, 500, "%s: the key `%s` was replaced by `%s`; see "
		    "berth-upgrade(7)", place, name, key->renamed);
	i = (size_t)(key - l->keys);
	if (l->given[i] == l->source)
		return err_internal(l->err, 500, "%s: %s is given twice", place, name);
	wrong = conf_set(l->arena, key, text, l->settings);
	if (wrong != NULL)
		return err_internal(l->err, 500, "%s: %s %s%s", place, name, wrong, shown(l->arena, key, text));
	l->given[i] = l->source;
	l->origins[i] = place;
	return 0;
}

static int
load_line(struct loader *l, char *line, const char *place)
{
	char *text = trim(line);
	char *equals = strchr(text, '=');

	if (text[0] == '\0' || text[0] == '#')
		return 0;
	if (equals == NULL)
		return err_internal(l->err, 500, "%s: expected `key = value`", place);
	*equals = '\0';
	return load_value(l, place, trim(text), equals + 1);
}

static int
load_file(struct loader *l, const char *path)
{
	FILE *f = fopen(path, "re");
	int number = 0, rc = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	if (f == NULL)
		return err_sys(l->err, "cannot read %s", path);
	l->source++;
	while (rc == 0 && (n = getline(&line, &room, f)) != -1) {
		const char *place = arena_printf(l->arena, "%s:%d", path, ++number);

		if (strlen(line) < (size_t)n)
			rc = err_internal(l->err, 500, "%s: has a NUL byte", place);
		else if (n >= CONF_LINE_MAX)
			rc = err_internal(l->err, 500, "%s: line is too long", place);
		else if (!utf8_valid(slice_str(line)))
			rc = err_internal(l->err, 500, "%s: not UTF-8", place);
		else
			rc = load_line(l, line, place);
	}
	if (rc == 0 && ferror(f))
		rc = err_sys(l->err, "cannot read %s", path);
	free(line);
	fclose(f);
	return rc;
}

/* Editors and package managers leave files with other names beside those that are meant. */
static int
is_conf(const struct dirent *entry)
{
	static const char suffix[] = ".conf";
	size_t n = strlen(entry->d_name);

	/* open(2) of a FIFO would wait for a writer */
	return entry->d_type != DT_FIFO && entry->d_name[0] != '.' && n > strlen(suffix) &&
	    strcmp(entry->d_name + n - strlen(suffix), suffix) == 0;
}

/* alphasort() would follow the locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* A configuration in a directory that everybody writes, such as /tmp, has nothing to do with conf.d there. */
static bool
is_foreign(const char *dir, const char *path)
{
	struct stat beside, main;

	return stat(dir, &beside) == 0 && stat(path, &main) == 0 && beside.st_uid != 0 &&
	    beside.st_uid != main.st_uid;
}

/* Reads the files of conf.d beside `path`. */
static int
load_beside(struct loader *l, const char *path)
{
	const char *slash = strrchr(path, '/');
	int above = slash == NULL ? 0 : (int)(slash + 1 - path);
	const char *dir = arena_printf(l->arena, "%.*sconf.d", above, path);
	struct dirent **entries;
	int n = scandir(dir, &entries, is_conf, by_name);
	int rc = 0;

	if (n == -1)
		return errno == ENOENT ? 0 : err_sys(l->err, "cannot read %s", dir);
	if (is_foreign(dir, path))
		rc = err_internal(l->err, 500, "%s belongs neither to root nor to the owner of %s", dir, path);
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = load_file(l, arena_printf(l->arena, "%s/%s", dir, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return rc;
}

/* Takes the variable if its name has the prefix. */
static int
load_variable(struct loader *l, const char *prefix, const char *variable)
{
	const char *equals = strchr(variable, '=');
	const char *place;
	char *name;

	if (equals == NULL || strncmp(variable, prefix, strlen(prefix)) != 0)
		return 0;
	place = arena_printf(l->arena, "%.*s", (int)(equals - variable), variable);
	name = arena_strdup(l->arena, place + strlen(prefix));
	for (char *p = name; *p != '\0'; p++) {
		if (islower((unsigned char)*p))
			return err_internal(l->err, 500, "%s: must be in upper case", place);
		*p = (char)tolower((unsigned char)*p);
	}
	/* a line of its own in what is printed */
	if (strpbrk(equals + 1, "\r\n") != NULL)
		return err_internal(l->err, 500, "%s: %s must be one line", place, name);
	return load_value(l, place, name, equals + 1);
}

static int
load_environment(struct loader *l, const char *prefix)
{
	l->source++;
	for (char **variable = environ; *variable != NULL; variable++) {
		if (load_variable(l, prefix, *variable) == -1)
			return -1;
	}
	return 0;
}

int
conf_load(struct arena *a, const struct conf_key *keys, size_t nkeys, const struct conf_source *from,
    void *settings, const char **origins, struct err *err)
{
	struct loader l = { .arena = a, .keys = keys, .nkeys = nkeys, .settings = settings, .origins = origins,
		.given = arena_calloc(a, nkeys, sizeof(*l.given)), .err = err };

	for (size_t i = 0; i < nkeys; i++) {
		const char *wrong =
		    keys[i].def == NULL ? NULL : set_value(a, &keys[i], keys[i].def, settings);

		if (wrong != NULL)
			return err_internal(err, 500, "default of %s %s", keys[i].name, wrong);
		origins[i] = NULL;
	}
	if (load_file(&l, from->path) == -1 || load_beside(&l, from->path) == -1 ||
	    load_environment(&l, from->prefix) == -1)
		return -1;
	for (size_t i = 0; i < nkeys; i++) {
		if (keys[i].def == NULL && keys[i].renamed == NULL && l.given[i] == 0)
			return err_internal(err, 500, "%s: %s must be given", from->path, keys[i].name);
	}
	return 0;
}

/* The largest unit that divides the value: 10485760 is shown as 10m. */
static void
print_number(FILE *f, const struct unit *units, int64_t value)
{
	const struct unit *best = units;

	for (; units->suffix != NULL; units++) {
		if (value != 0 && value % units->factor == 0 && units->factor > best->factor)
			best = units;
	}
	fprintf(f, "%" PRId64 "%s", value / best->factor, best->suffix);
}

static void
print_value(FILE *f, const struct conf_key *k, const void *settings)
{
	const void *member = (const char *)settings + k->offset;

	switch (k->type) {
	case CONF_STR:
		fputs(*(const char *const *)member, f);
		break;
	case CONF_BOOL:
		fputs(*(const bool *)member ? "on" : "off", f);
		break;
	case CONF_MODE:
		fprintf(f, "%04" PRIo64, (uint64_t)*(const int64_t *)member);
		break;
	case CONF_SIZE:
		print_number(f, size_units, *(const int64_t *)member);
		break;
	case CONF_SECONDS:
		print_number(f, time_units, *(const int64_t *)member);
		break;
	case CONF_INT:
		print_number(f, no_units, *(const int64_t *)member);
		break;
	}
}

/* Would trim() take something off the value, so that it must stand in quotes? */
static bool
is_ambiguous(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && (s[0] == ' ' || s[0] == '\t' || strchr(" \t\r\n", s[n - 1]) != NULL ||
	    (n >= 2 && s[0] == '"' && s[n - 1] == '"'));
}

static void
print_text(FILE *f, const char *value)
{
	const char *quote = is_ambiguous(value) ? "\"" : "";

	fprintf(f, "%s%s%s", quote, value, quote);
}

void
conf_print_value(FILE *f, const struct conf_key *k, const void *settings, conf_mask *mask)
{
	const char *const *text = (const void *)((const char *)settings + k->offset);

	if (k->mask != NULL)
		k->mask(f, *text);
	else if (k->secret)
		mask(f, *text);
	else if (k->type == CONF_STR)
		print_text(f, *text);
	else
		print_value(f, k, settings);
}

void
conf_print(FILE *f, const struct conf_key *keys, size_t nkeys, const void *settings,
    const char *const *origins, conf_mask *mask)
{
	for (size_t i = 0; i < nkeys; i++) {
		if (keys[i].renamed != NULL)
			continue;
		if (origins != NULL && origins[i] != NULL)
			fprintf(f, "# %s\n", origins[i]);
		fprintf(f, "%s = ", keys[i].name);
		conf_print_value(f, &keys[i], settings, mask);
		fputc('\n', f);
	}
}

void
conf_save(FILE *f, const struct conf_key *keys, size_t nkeys, const void *settings)
{
	for (size_t i = 0; i < nkeys; i++) {
		if (keys[i].renamed != NULL)
			continue;
		print_value(f, &keys[i], settings);
		fputc('\0', f);
	}
}

int
conf_restore(struct arena *a, const struct conf_key *keys, size_t nkeys, const char *saved, size_t n,
    void *settings)
{
	for (size_t i = 0; i < nkeys; i++) {
		size_t length = strnlen(saved, n);

		if (keys[i].renamed != NULL)
			continue;
		if (length == n || set_value(a, &keys[i], saved, settings) != NULL)
			return -1;
		saved += length + 1;
		n -= length + 1;
	}
	return n == 0 ? 0 : -1;
}
