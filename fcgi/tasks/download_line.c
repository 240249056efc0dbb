#include "tasks/download_line.h"

#include <stdbool.h>

#include "base/base62.h"

enum {
	DIGITS_MAX = 18, /* fit into 63 bits, whatever they are */
	NAME_MAX_BYTES = 64,
	VERSION_MAX_BYTES = 150,
	HANDLE_BYTES = 18
};

const char *const download_actor_names[DOWNLOAD__ACTORS] = {
	[DOWNLOAD_ANYBODY] = "anybody",
	[DOWNLOAD_USER] = "user",
	[DOWNLOAD_DEPLOY_TOKEN] = "deploy",
	[DOWNLOAD_JOB] = "job",
};

/* The next word up to `end`, which is dropped; all that is left where there is none. */
static struct slice
take(struct slice *s, char end)
{
	const char *p = s->n > 0 ? memchr(s->p, end, s->n) : NULL;
	struct slice word = { s->p, p != NULL ? (size_t)(p - s->p) : s->n };
	size_t used = word.n + (p != NULL);

	*s = slice_of(s->p + used, s->n - used);
	return word;
}

static bool
number(struct slice s, int64_t *out)
{
	if (s.n == 0 || s.n > DIGITS_MAX)
		return false;
	*out = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*out = *out * 10 + (s.p[i] - '0');
	}
	return true;
}

/* `key=`, then what follows it up to the next blank. */
static bool
pair(struct slice *line, const char *key, struct slice *value)
{
	struct slice word = take(line, ' ');
	size_t n = strlen(key);

	if (!slice_has_prefix(word, key) || word.n == n || word.p[n] != '=')
		return false;
	*value = slice_of(word.p + n + 1, word.n - n - 1);
	return true;
}

/* A name or version: what is in neither is in no path that nginx has found a file for. */
static bool
is_word(struct slice s, size_t max)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.+";

	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (memchr(bytes, s.p[i], sizeof(bytes) - 1) == NULL)
			return false;
	}
	return true;
}

static bool
parse_actor(struct slice text, struct download *d)
{
	struct slice kind;

	if (slice_is(text, "anyone"))
		return true;
	if (text.n == HANDLE_BYTES && base62_valid(text)) {
		d->handle = text;
		return true;
	}
	kind = take(&text, ':');
	for (int i = DOWNLOAD_USER; i < DOWNLOAD__ACTORS; i++) {
		if (slice_is(kind, download_actor_names[i])) {
			d->actor = (enum download_actor)i;
			return number(text, &d->actor_id);
		}
	}
	return false;
}

/* What stands between the quotes of ids="…". */
static bool
parse_ids(struct slice ids, struct download *d)
{
	bool has_actor = ids.n > 0 && memchr(ids.p, ' ', ids.n) != NULL;
	struct slice path = take(&ids, ' '), project = take(&path, '/'), crate = take(&path, '/');
	bool of_group = project.n > 0 && project.p[0] == 'g';
	int64_t crate_id;

	if (of_group)
		project = slice_of(project.p + 1, project.n - 1);
	if (!number(project, of_group ? &d->group_id : &d->project_id) || (has_actor && !parse_actor(ids, d)))
		return false;
	/* no crate's name begins with a digit */
	if (number(crate, &crate_id))
		return !of_group && number(path, &d->version_id) && d->version_id > 0;
	d->crate = crate;
	d->version = path;
	return is_word(crate, NAME_MAX_BYTES) && is_word(path, VERSION_MAX_BYTES);
}

/* The quotes' content, from the start of what is left. */
static bool
quoted(struct slice *line, const char *key, struct slice *value)
{
	size_t n = strlen(key);

	if (!slice_has_prefix(*line, key) || line->n < n + 2 || line->p[n] != '=' ||
	    line->p[n + 1] != '"')
		return false;
	*line = slice_of(line->p + n + 2, line->n - n - 2);
	/* it has to end */
	if (line->n == 0 || memchr(line->p, '"', line->n) == NULL)
		return false;
	*value = take(line, '"');
	return line->n == 0 || line->p[0] == ' ';
}

enum download_line
download_line_parse(struct slice line, struct download *d)
{
	struct slice moment = take(&line, ' '), id, method, status, complete, bytes, ids;
	int64_t fraction, code;
	bool over;

	*d = (struct download) { .crate = { "", 0 }, .version = { "", 0 },
		.handle = { "", 0 } };
	if (!number(take(&moment, '.'), &d->at) || !number(moment, &fraction) ||
	    !pair(&line, "id", &id) || !pair(&line, "method", &method) ||
	    !pair(&line, "status", &status) || !number(status, &code) ||
	    !pair(&line, "complete", &complete) || !pair(&line, "bytes", &bytes) ||
	    !number(bytes, &d->bytes) || !quoted(&line, "ids", &ids))
		return DOWNLOAD_LINE_GARBAGE;
	over = slice_is(complete, "OK") && slice_is(method, "GET");
	if (!over || (code != 200 && code != 206))
		return DOWNLOAD_LINE_OTHER;
	return parse_ids(ids, d) ? DOWNLOAD_LINE_WHOLE : DOWNLOAD_LINE_GARBAGE;
}
