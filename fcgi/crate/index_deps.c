#include "crate/index_deps.h"

struct index_deps
index_deps_of(struct slice text)
{
	return (struct index_deps) { .text = text };
}

static char
peek(const struct index_deps *d)
{
	return d->at < d->text.n ? d->text.p[d->at] : '\0';
}

static bool
take(struct index_deps *d, char c)
{
	if (peek(d) != c || d->at == d->text.n)
		return false;
	d->at++;
	return true;
}

/* Takes a string, without its quotes.  False: there is none. */
static bool
take_string(struct index_deps *d, struct slice *string)
{
	size_t start = d->at + 1;

	if (!take(d, '"'))
		return false;
	while (d->at < d->text.n && d->text.p[d->at] != '"')
		d->at += d->text.p[d->at] == '\\' ? 2 : 1;
	if (d->at >= d->text.n)
		return false;
	*string = slice_of(d->text.p + start, d->at - start);
	d->at++;
	return true;
}

/* Takes any value, with its quotes or brackets.  False: it does not end. */
static bool
take_value(struct index_deps *d, struct slice *value)
{
	size_t start = d->at, depth = 0;
	struct slice string;

	do {
		char c = peek(d);

		if (c == '"') {
			if (!take_string(d, &string))
				return false;
			continue;
		}
		if (d->at == d->text.n || ((c == ',' || c == '}' || c == ']') && depth == 0))
			break;
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		d->at++;
	} while (depth > 0 || (peek(d) != ',' && peek(d) != '}' && peek(d) != ']'));
	*value = slice_of(d->text.p + start, d->at - start);
	return depth == 0 && value->n > 0;
}

static bool
take_key(struct index_deps *d, struct slice *key)
{
	return take_string(d, key) && take(d, ':');
}

static int
refuse(struct err *err)
{
	return err_internal(err, 500, "an index file has a line that Berth has not written");
}

/* Goes on to the next list of dependencies.  As index_deps_next(). */
static int
enter(struct index_deps *d, struct err *err)
{
	struct slice key, value;

	while (d->at < d->text.n) {
		if (take(d, '\n') || take(d, '{') || take(d, ',') || take(d, '}'))
			continue;
		if (!take_key(d, &key))
			return refuse(err);
		if (slice_is(key, "deps") && take(d, '[')) {
			d->inside = true;
			return 1;
		}
		if (!take_value(d, &value))
			return refuse(err);
	}
	return 0;
}

/* A string without its quotes; anything else is empty. */
static struct slice
unquoted(struct slice value)
{
	return value.n >= 2 && value.p[0] == '"' ? slice_of(value.p + 1, value.n - 2) : slice_of(value.p, 0);
}

static int
read_dep(struct index_deps *d, struct index_dep *dep, struct err *err)
{
	struct slice name = slice_str(""), package = name, key, value;

	*dep = (struct index_dep) { .registry = name };
	while (!take(d, '}')) {
		if (!take_key(d, &key) || !take_value(d, &value))
			return refuse(err);
		if (slice_is(key, "name"))
			name = unquoted(value);
		else if (slice_is(key, "package"))
			package = unquoted(value);
		else if (slice_is(key, "registry"))
			dep->registry = value;
		(void)take(d, ',');
	}
	dep->crate = package.n > 0 ? package : name;
	return dep->crate.n > 0 && dep->registry.n > 0 ? 1 : refuse(err);
}

int
index_deps_next(struct index_deps *d, struct index_dep *dep, struct err *err)
{
	for (;;) {
		int rc = d->inside ? 1 : enter(d, err);

		if (rc != 1)
			return rc;
		(void)take(d, ',');
		if (take(d, '{'))
			return read_dep(d, dep, err);
		if (!take(d, ']'))
			return refuse(err);
		d->inside = false;
	}
}
