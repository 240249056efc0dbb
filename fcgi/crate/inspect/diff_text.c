#include "crate/inspect/diff_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* The state of the reading. */
struct cursor {
	char *next; /* NUL-terminated lines, one behind the other */
	char *end;
	struct diff_line *lines; /* room for those to come */
	int64_t old, new; /* the numbers of the next line */
	bool in_hunk;
};

/* " 12": moves *text behind the number.  False: there is none. */
static bool
take_number(char **text, int64_t *number)
{
	enum { DIGITS_MAX = 18 };
	size_t n;

	if (**text != ' ')
		return false;
	++*text;
	n = strspn(*text, "0123456789");
	if (n == 0 || n > DIGITS_MAX)
		return false;
	*number = strtoll(*text, text, 10);
	return true;
}

static bool
read_file(char *line, struct diff_file *f)
{
	if (line[0] == '\0' || strchr("ADM", line[0]) == NULL || line[1] != ' ' || line[2] == '\0' ||
	    strchr("-bfl", line[2]) == NULL)
		return false;
	*f = (struct diff_file) { .change = (enum diff_change)line[0], .why = (enum diff_why)line[2] };
	line += 3;
	if (!take_number(&line, &f->old_size) || !take_number(&line, &f->new_size) || line[0] != ' ' ||
	    line[1] == '\0')
		return false;
	f->path = line + 1;
	return true;
}

static bool
read_hunk(char *line, struct cursor *c, struct diff_file *f)
{
	if (!take_number(&line, &c->old) || !take_number(&line, &c->new) || *line != '\0')
		return false;
	c->in_hunk = true;
	f->lines[f->nlines++] = (struct diff_line) { '@', true, false, c->old, c->new, "" };
	return true;
}

static bool
read_line(char *line, struct cursor *c, struct diff_file *f)
{
	size_t n = strlen(line);
	bool returns = line[n - 1] == '\r';

	if (!c->in_hunk)
		return false;
	if (returns)
		line[n - 1] = '\0';
	f->lines[f->nlines++] = (struct diff_line) { line[0], true, returns, c->old, c->new, line + 1 };
	f->added += line[0] == '+';
	f->removed += line[0] == '-';
	c->old += line[0] != '+';
	c->new += line[0] != '-';
	return true;
}

/* One line that belongs to a file. */
static bool
read_part(char *line, struct cursor *c, struct diff_file *f)
{
	if (f == NULL || f->why != DIFF_SHOWN)
		return false;
	if (line[0] == '@')
		return read_hunk(line + 1, c, f);
	if (line[0] != '\0' && strchr(" -+", line[0]) != NULL)
		return read_line(line, c, f);
	if (strcmp(line, "\\") != 0 || f->nlines == 0 || f->lines[f->nlines - 1].kind == '@')
		return false;
	f->lines[f->nlines - 1].ends = false;
	return true;
}

static bool
read_all(struct cursor *c, struct diff_text *out)
{
	struct diff_file *f = NULL;

	while (c->next < c->end) {
		char *line = c->next;

		c->next += strlen(line) + 1;
		if (line[0] == 'E') {
			line++;
			return take_number(&line, &out->unlisted) && *line == '\0' && c->next == c->end;
		}
		if (line[0] != 'F') {
			if (!read_part(line, c, f))
				return false;
			continue;
		}
		if (f != NULL)
			c->lines += f->nlines;
		f = &out->files[out->nfiles++];
		if (line[1] != ' ' || !read_file(line + 2, f))
			return false;
		f->lines = c->lines;
		c->in_hunk = false;
	}
	return false;
}

static int
compare_paths(const void *left, const void *right)
{
	const struct diff_file *a = left, *b = right;

	return strcmp(a->path, b->path);
}

/* Sorts the files, and lists each once: a crate may have a path twice (crate/archive/file_twice.h). */
static void
sort_files(struct diff_text *out)
{
	size_t n = 0;

	if (out->nfiles > 1)
		qsort(out->files, out->nfiles, sizeof(*out->files), compare_paths);
	for (size_t i = 0; i < out->nfiles; i++) {
		if (n == 0 || compare_paths(&out->files[n - 1], &out->files[i]) != 0)
			out->files[n++] = out->files[i];
	}
	out->nfiles = n;
}

int
diff_text_read(struct arena *a, struct slice text, struct diff_text *out, struct err *err)
{
	struct cursor c = { .next = arena_slicedup(a, text) };
	size_t nlines = 0, nfiles = 0;

	*out = (struct diff_text) { NULL, 0, 0 };
	if (!utf8_valid(text) || memchr(text.p, '\0', text.n) != NULL || text.n == 0 || text.p[text.n - 1] != '\n')
		return err_internal(err, 500, "the inspector's diff is malformed");
	c.end = c.next + text.n;
	for (char *p = c.next; (p = memchr(p, '\n', (size_t)(c.end - p))) != NULL;) {
		*p++ = '\0';
		nlines++;
		nfiles += p < c.end && *p == 'F';
	}
	c.lines = arena_calloc(a, nlines, sizeof(*c.lines));
	out->files = arena_calloc(a, nfiles + 1, sizeof(*out->files));
	if (!read_all(&c, out))
		return err_internal(err, 500, "the inspector's diff is malformed");
	sort_files(out);
	return 0;
}
