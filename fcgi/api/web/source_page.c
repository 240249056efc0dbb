#include "api/web/source_page.h"

#include <stdlib.h>
#include <string.h>

#include "api/web/source_ask.h"
#include "api/web/source_html.h"
#include "api/web/templates.h"
#include "base/utf8.h"
#include "store/package/version.h"

/* Finds the version that the path names.  -1: 404, 503. */
static int
find_version(struct page *page, const struct source_html *s, struct version_blob *blob)
{
	struct request *rq = page->rq;
	struct db_call call = { 0 };

	version_blob_call(&call, rq->arena, page->call->facts.project_id, slice_str(s->crate),
	    slice_str(s->version));
	if (db_run(page_db(page), rq->arena, &call, 1, &rq->err) == -1)
		return -1;
	version_blob_read(&call, blob);
	return blob->is_listed ? 0 : err_set(&rq->err, 404, "Not Found");
}

static int
compare_paths(const void *left, const void *right)
{
	const struct source_file *a = left, *b = right;

	return strcmp(a->path, b->path);
}

bool
source_html_has_page(const char *project, const char *crate, const char *version, const char *file)
{
	enum { AROUND = 64 /* /-/projects/ ... /-/crates/CRATE/VERSION/source/ */ };
	struct buf length;

	buf_init_measure(&length, REQUEST_PATH_MAX);
	html_path(&length, project);
	html_part(&length, crate);
	html_part(&length, version);
	html_path(&length, file);
	return request_takes_path(slice_str(file)) && !buf_full(&length) && length.n + AROUND <= REQUEST_PATH_MAX;
}

/* Sorts the files, and lists each once: a crate may have a path twice (crate/archive/file_twice.h). */
static void
sort_files(struct source_html *s)
{
	size_t n = 0;

	if (s->nfiles > 1)
		qsort(s->files, s->nfiles, sizeof(*s->files), compare_paths);
	for (size_t i = 0; i < s->nfiles; i++) {
		if (n == 0 || compare_paths(&s->files[n - 1], &s->files[i]) != 0)
			s->files[n++] = s->files[i];
	}
	s->nfiles = n;
}

/* Takes the lines of a list apart.  -1: 500. */
static int
read_list(struct arena *a, struct slice answer, struct source_html *s, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < answer.n; i++)
		n += answer.p[i] == '\n';
	s->files = arena_calloc(a, n, sizeof(*s->files));
	for (char *line = arena_slicedup(a, answer), *end; s->nfiles < n; line = end + 1) {
		char *path;
		long long size = strtoll(line, &path, 10);

		end = strchr(line, '\n');
		if (end == NULL || *path != ' ')
			return err_internal(err, 500, "the inspector's list is malformed");
		*end = '\0';
		s->files[s->nfiles++] = (struct source_file) { path + 1, size,
			source_html_has_page(s->path, s->crate, s->version, path + 1) };
	}
	sort_files(s);
	s->nshown = s->nfiles < SOURCE_SHOWN_FILES ? s->nfiles : SOURCE_SHOWN_FILES;
	return 0;
}

/* Takes a text apart, unless there is a reason not to show it. */
static void
read_lines(struct arena *a, struct slice text, struct source_html *s)
{
	size_t n = 0;

	s->size = (int64_t)text.n;
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	n += text.n > 0 && text.p[text.n - 1] != '\n';
	if (text.n == 0)
		s->why = "This file is empty.";
	else if (memchr(text.p, '\0', text.n) != NULL || !utf8_valid(text))
		s->why = "This file is not a text.";
	else if (text.n > SOURCE_SHOWN_BYTES || n > SOURCE_SHOWN_LINES)
		s->why = "This file is too long to be shown here.";
	if (s->why != NULL)
		return;
	s->lines = arena_calloc(a, n, sizeof(*s->lines));
	for (char *line = arena_slicedup(a, text); s->nlines < n;) {
		s->lines[s->nlines++] = line;
		line += strcspn(line, "\n");
		if (*line == '\n')
			*line++ = '\0';
	}
}

static int
show(struct page *page, struct source_html *s)
{
	struct request *rq = page->rq;
	struct source_ask ask = { .kind = s->file == NULL ? JOB_LIST : JOB_READ, .file = s->file };
	struct version_blob blob;
	struct slice answer;

	if (page_decide(page, NAMESPACE_PROJECT, ACTION_READ_PACKAGE, FLAG_CARGO) == -1)
		return -1;
	s->path = page->call->facts.full_path;
	s->crate = arena_slicedup(rq->arena, request_param(rq, "crate"));
	s->version = arena_slicedup(rq->arena, request_param(rq, "version"));
	s->crumbs = page_crumbs(rq->arena, s->path);
	s->crumbs.is_inside = true;
	s->crumbs.crate = s->crate;
	s->crumbs.version = s->version;
	s->crumbs.has_files = s->file != NULL;
	if (find_version(page, s, &blob) == -1)
		return page_miss_version(page, slice_str(s->crate), slice_str(s->version));
	ask.crate = (struct source_crate) { s->crate, s->version, blob.cksum };
	if (source_ask(page, &ask, &answer) == -1) {
		if (rq->err.status != 413)
			return -1;
		s->why = arena_printf(rq->arena, "%s.", rq->err.pub);
		err_clear(&rq->err);
		return 0;
	}
	if (s->file != NULL)
		read_lines(rq->arena, answer, s);
	return s->file == NULL ? read_list(rq->arena, answer, s, &rq->err) : 0;
}

static int
show_list(struct page *page)
{
	struct source_html s = { .file = NULL };

	if (show(page, &s) == -1)
		return -1;
	page->title = arena_printf(page->rq->arena, "Source of %s %s - %s", s.crate, s.version, s.path);
	html_source_list(&page->html, page, &s);
	/* encoded names can be too long for a page */
	while (buf_full(&page->html) && s.nshown > 0) {
		buf_reset(&page->html);
		s.nshown /= 2;
		html_source_list(&page->html, page, &s);
	}
	return 0;
}

/* Is the missing file a directory of this crate?  -1: 503, 500. */
static int
is_directory(struct page *page, const struct source_html *s)
{
	struct source_html list = { .file = NULL };
	struct arena *a = page->rq->arena;
	const char *prefix = arena_printf(a, "%s/", s->file);

	err_clear(&page->rq->err);
	if (show(page, &list) == -1)
		return -1;
	for (size_t i = 0; i < list.nfiles; i++) {
		if (strncmp(list.files[i].path, prefix, strlen(prefix)) == 0)
			return 1;
	}
	return 0;
}

/* A README may link to a file that its author has not packaged. */
static int
refuse_file(struct page *page, const struct source_html *s)
{
	struct arena *a = page->rq->arena;

	page->missing = arena_printf(a, "%s %s has no file %s.", s->crate, s->version, s->file);
	page->above = "All files of this version";
	page->above_path = arena_printf(a, "projects/%s/-/crates/%s/%s/source", s->path, s->crate, s->version);
	return err_set(&page->rq->err, 404, "Not Found");
}

/* A link of a README to a directory leads to all files. */
static int
show_directory(struct page *page, const struct source_html *s)
{
	bool is_there = s->crate != NULL && page->missing == NULL;
	int found = page->rq->err.status == 404 && is_there ? is_directory(page, s) : -1;

	if (found == 0)
		return refuse_file(page, s);
	return found == 1 ? show_list(page) : -1;
}

static int
show_file(struct page *page)
{
	struct source_html s = { .file = arena_slicedup(page->rq->arena, request_param(page->rq, "file")) };

	if (show(page, &s) == -1)
		return show_directory(page, &s);
	page->title = arena_printf(page->rq->arena, "%s - %s %s", s.file, s.crate, s.version);
	html_source_file(&page->html, page, &s);
	return 0;
}

int
source_page_list(struct call *call, struct request *rq, struct response *rs)
{
	return page_run(call, rq, rs, show_list);
}

int
source_page_file(struct call *call, struct request *rq, struct response *rs)
{
	return page_run(call, rq, rs, show_file);
}
