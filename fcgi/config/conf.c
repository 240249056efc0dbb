#include "config/conf.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/slice.h"
#include "base/utf8.h"

enum { CONF_LINE_MAX = 8192 };

struct unit {
	const char *suffix;
	int64_t factor;
};

static const struct unit size_units[] = { { "", 1 }, { "k", INT64_C(1) << 10 }, { "m", INT64_C(1) << 20 },
	{ "g", INT64_C(1) << 30 }, { NULL, 0 } };
static const struct unit time_units[] = { { "", 1 }, { "s", 1 }, { "min", 60 }, { "h", 3600 },
	{ "d", 86400 }, { NULL, 0 } };
static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

/* NULL, or what is wrong with the number. */
static const char *
parse_number(const char *text, int base, const struct unit *units, int64_t *out)
{
	char *end;
	intmax_t v;

	if (!isdigit((unsigned char)text[0]))
		return "must be a number";
	errno = 0;
	v = strtoimax(text, &end, base);
	if (errno != 0)
		return "is too large";
	for (; units->suffix != NULL; units++) {
		if (strcmp(units->suffix, end) == 0)
			return __builtin_mul_overflow(v, units->factor, out) ? "is too large" : NULL;
	}
	return "has an unknown unit";
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
	const struct unit *units = k->type == CONF_SIZE ? size_units
	    : k->type == CONF_SECONDS			? time_units
							: no_units;
	int64_t value = 0;
	const char *wrong = parse_number(text, k->type == CONF_MODE ? 8 : 10, units, &value);

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
	const char *path;
	void *settings;
	bool *seen;
	struct err *err;
};

static int
load_line(struct loader *l, char *line, int number)
{
	char *text = trim(line);
	char *equals = strchr(text, '=');
	const struct conf_key *key;
	const char *name, *wrong;

	if (text[0] == '\0' || text[0] == '#')
		return 0;
	if (equals == NULL)
		return err_internal(l->err, 500, "%s:%d: expected `key = value`", l->path, number);
	*equals = '\0';
	name = trim(text);
	key = conf_find(l->keys, l->nkeys, slice_str(name));
	if (key == NULL)
		return err_internal(l->err, 500, "%s:%d: unknown key `%s`", l->path, number, name);
	if (key->renamed != NULL)
		return err_internal(l->err, 500, "%s:%d: the key `%s` was replaced by `%s`; see "
		    "berth-upgrade(7)", l->path, number, name, key->renamed);
	if (l->seen[key - l->keys])
		return err_internal(l->err, 500, "%s:%d: %s is given twice", l->path, number, name);
	l->seen[key - l->keys] = true;
	wrong = conf_set(l->arena, key, equals + 1, l->settings);
	if (wrong != NULL)
		return err_internal(l->err, 500, "%s:%d: %s %s", l->path, number, name, wrong);
	return 0;
}

static int
load_file(struct loader *l)
{
	char line[CONF_LINE_MAX];
	FILE *f = fopen(l->path, "re");
	int number = 0, rc = 0;

	if (f == NULL)
		return err_sys(l->err, "cannot read %s", l->path);
	while (rc == 0 && fgets(line, sizeof(line), f) != NULL) {
		number++;
		if (strlen(line) == sizeof(line) - 1 && line[sizeof(line) - 2] != '\n')
			rc = err_internal(l->err, 500, "%s:%d: line is too long", l->path, number);
		else if (!utf8_valid(slice_str(line)))
			rc = err_internal(l->err, 500, "%s:%d: not UTF-8", l->path, number);
		else
			rc = load_line(l, line, number);
	}
	if (rc == 0 && ferror(f))
		rc = err_sys(l->err, "cannot read %s", l->path);
	fclose(f);
	return rc;
}

int
conf_load(struct arena *a, const struct conf_key *keys, size_t nkeys, const char *path,
    void *settings, struct err *err)
{
	struct loader l = { a, keys, nkeys, path, settings, arena_calloc(a, nkeys, sizeof(bool)), err };

	for (size_t i = 0; i < nkeys; i++) {
		const char *wrong =
		    keys[i].def == NULL ? NULL : set_value(a, &keys[i], keys[i].def, settings);

		if (wrong != NULL)
			return err_internal(err, 500, "default of %s %s", keys[i].name, wrong);
	}
	if (path != NULL && load_file(&l) == -1)
		return -1;
	for (size_t i = 0; i < nkeys; i++) {
		if (keys[i].def == NULL && keys[i].renamed == NULL && !l.seen[i])
			return err_internal(err, 500, "%s: %s must be given",
			    path != NULL ? path : "configuration", keys[i].name);
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

void
conf_print(FILE *f, const struct conf_key *keys, size_t nkeys, const void *settings, conf_mask *mask)
{
	for (size_t i = 0; i < nkeys; i++) {
		if (keys[i].renamed != NULL)
			continue;
		fprintf(f, "%s = ", keys[i].name);
		if (keys[i].secret)
			mask(f, *(const char *const *)(const void *)((const char *)settings + keys[i].offset));
		else
			print_value(f, &keys[i], settings);
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
