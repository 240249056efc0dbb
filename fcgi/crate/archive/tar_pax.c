#include "crate/archive/tar_pax.h"

#include <string.h>

#include "base/utf8.h"
#include "crate/archive/tar_path.h"

/* Not the "too large" of crate/archive/malformed.h: these bytes were read and understood. */
#define MALFORMED_PAX "uploaded tarball is malformed: "

/*
 * No line feed: the length of a record counts one in, but cargo cuts the text at
 * every one of them, and would take what follows for another record: a path, say.
 */
static bool
text_valid(struct slice s)
{
	return memchr(s.p, '\0', s.n) == NULL && memchr(s.p, '\n', s.n) == NULL && utf8_valid(s);
}

static bool
path_valid(struct slice s)
{
	/* an empty path would take back one that was given before */
	return s.n > 0 && memchr(s.p, '\0', s.n) == NULL;
}

/* At most 19 digits, so that every number fits 64 bits. */
static bool
decimal_valid(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n > 0 && s.n < 20;
}

/* Seconds: decimal digits, perhaps a sign before and a fraction behind. */
static bool
time_valid(struct slice s)
{
	const char *dot;

	if (s.n > 0 && s.p[0] == '-')
		s = slice_of(s.p + 1, s.n - 1);
	dot = memchr(s.p, '.', s.n);
	if (dot == NULL)
		return decimal_valid(s);
	return decimal_valid(slice_of(s.p, (size_t)(dot - s.p))) &&
	    decimal_valid(slice_of(dot + 1, s.n - (size_t)(dot - s.p) - 1));
}

enum key { PATH, SIZE, ATIME, CTIME, MTIME, UID, GID, UNAME, GNAME, COMMENT, KEYS };

static const struct {
	const char *name;
	bool (*valid)(struct slice);
} keys[KEYS] = {
	[PATH] = { "path", path_valid },
	[SIZE] = { "size", decimal_valid },
	[ATIME] = { "atime", time_valid },
	[CTIME] = { "ctime", time_valid },
	[MTIME] = { "mtime", time_valid },
	[UID] = { "uid", decimal_valid },
	[GID] = { "gid", decimal_valid },
	[UNAME] = { "uname", text_valid },
	[GNAME] = { "gname", text_valid },
	[COMMENT] = { "comment", text_valid },
};

static enum key
key_find(struct slice name)
{
	enum key k = 0;

	while (k < KEYS && !slice_is(name, keys[k].name))
		k++;
	return k;
}

static uint64_t
decimal_value(struct slice s)
{
	uint64_t value = 0;

	for (size_t i = 0; i < s.n; i++)
		value = value * 10 + (uint64_t)(s.p[i] - '0');
	return value;
}

/*
 * Takes one record, "LENGTH KEY=VALUE\n", off the front.  LENGTH counts the
 * whole record, itself included.
 */
static int
record_cut(struct slice *in, struct slice *key, struct slice *value, struct err *err)
{
	const char *blank = memchr(in->p, ' ', in->n), *equals;
	struct slice length, rest;

	if (blank == NULL)
		return err_set(err, 400, MALFORMED_PAX "a PAX record without a length");
	length = slice_of(in->p, (size_t)(blank - in->p));
	if (!decimal_valid(length) || length.p[0] == '0' || decimal_value(length) > in->n ||
	    decimal_value(length) < length.n + 2)
		return err_set(err, 400, MALFORMED_PAX "a PAX record with a wrong length");
	rest = slice_of(blank + 1, (size_t)decimal_value(length) - length.n - 1);
	equals = memchr(rest.p, '=', rest.n);
	if (equals == NULL || rest.p[rest.n - 1] != '\n')
		return err_set(err, 400, MALFORMED_PAX "a PAX record that is no `key=value` line");
	*key = slice_of(rest.p, (size_t)(equals - rest.p));
	*value = slice_of(equals + 1, rest.n - key->n - 2);
	in->p += length.n + 1 + rest.n;
	in->n -= length.n + 1 + rest.n;
	return 0;
}

int
tar_pax_parse(struct slice in, struct tar_pax *pax, struct err *err)
{
	bool seen[KEYS] = { false };

	*pax = (struct tar_pax) { 0 };
	while (in.n > 0) {
		struct slice name = in, value = in;
		enum key k;

		if (record_cut(&in, &name, &value, err) == -1)
			return -1;
		k = key_find(name);
		if (k == KEYS || seen[k])
			return err_set(err, 400, MALFORMED_PAX "the PAX key `%.*s` is %s",
			    tar_path_shown(name), name.p,
			    k == KEYS ? "not allowed" : "given twice");
		if (!keys[k].valid(value))
			return err_set(err, 400, MALFORMED_PAX "bad value for the PAX key `%s`",
			    keys[k].name);
		seen[k] = true;
		if (k == PATH)
			pax->path = value;
		if (k == SIZE)
			pax->size = decimal_value(value);
	}
	pax->has_path = seen[PATH];
	pax->has_size = seen[SIZE];
	return 0;
}
