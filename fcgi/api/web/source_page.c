#include "api/web/source_page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/web/source_html.h"
#include "api/web/templates.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "call/inspect_slot.h"
#include "crate/inspect/inspector.h"
#include "crate/inspect/source.h"
#include "store/blob/blob.h"
#include "store/package/version.h"

enum { WAIT_US = 2000000, TIME_US = 10 * 1000000, STATUS_DIGITS = 3 };

/* All who read source are one actor: a crawler takes no slot from two people who publish. */
static const char reader[] = "pages";

static void
close_fd(void *arg)
{
	int *fd = arg;

	if (*fd != -1)
		close(*fd);
}

/* Opens the bytes of the version that the path names.  -1: 404; 500, the store has lost them. */
static int
open_crate(struct page *page, const struct source_html *s, int *fd)
{
	struct request *rq = page->rq;
	struct db_call call = { 0 };
	struct version_blob blob;

	/* no crate has such a path, and no job either */
	if (s->file != NULL && strlen(s->file) > JOB_PATH_MAX)
		return err_set(&rq->err, 404, "Not Found");
	version_blob_call(&call, rq->arena, page->call->facts.project_id, slice_str(s->crate),
	    slice_str(s->version));
	if (db_run(page->call->app->db, rq->arena, &call, 1, &rq->err) == -1)
		return -1;
	version_blob_read(&call, &blob);
	if (!blob.found)
		return err_set(&rq->err, 404, "Not Found");
	if (app_bring_blob(page->call->app, rq, blob.cksum) == -1)
		return -1;
	*fd = open(arena_printf(rq->arena, "%s/%s", page->call->app->settings->blobs->dir,
	    blob_path(rq->arena, blob.cksum)), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return *fd == -1 ? err_sys(&rq->err, "the blob %s of %s %s", blob.cksum, s->crate, s->version) : 0;
}

/* What the inspector has refused, as crate/inspect/source.h writes it. */
static int
refuse(struct request *rq, struct slice answer)
{
	char *text = arena_slicedup(rq->arena, answer), *sentence;
	long status = strtol(text, &sentence, 10);

	if (sentence != text + STATUS_DIGITS || *sentence != ' ' || status < 400 || status > 499)
		return err_internal(&rq->err, 500, "the inspector's refusal is malformed");
	return err_set(&rq->err, (int)status, "%s", sentence + 1);
}

static int
ask_inspector(struct page *page, const struct source_html *s, int fd, struct slice *answer)
{
	const struct settings *settings = page->call->app->settings;
	struct request *rq = page->rq;
	const struct job job = {
		.kind = s->file == NULL ? JOB_LIST : JOB_READ,
		.path = s->file,
		.limits = { (uint64_t)settings->max_unpacked_size, (uint64_t)settings->max_entries,
			arena_printf(rq->arena, "%s-%s", s->crate, s->version) },
	};
	struct inspector_result result;
	int rc;

	if (inspect_slot_take(page->call->app, reader, clock_us() + WAIT_US) == -1) {
		err_internal(&rq->err, 503, "no slot to open the crate was free in time");
		return err_tell(&rq->err, "too many crates are open at this moment; please try again in a minute");
	}
	rc = inspector_run(page->call->app->inspector, rq->arena, &job, fd, clock_us() + TIME_US, &result, &rq->err);
	inspect_slot_leave(page->call->app, reader);
	if (rc == -1)
		return -1;
	if (!job_is_judged(result.status))
		return err_internal(&rq->err, 500, "inspector ended with wait status %#x", (unsigned)result.status);
	*answer = result.verdict;
	return WEXITSTATUS(result.status) == JOB_ACCEPTED ? 0 : refuse(rq, *answer);
}

static int
compare_paths(const void *left, const void *right)
{
	const struct source_file *a = left, *b = right;

	return strcmp(a->path, b->path);
}

/* Addresses are ASCII, and have a bound on the folders that they go through (http/request.h). */
static bool
has_page(const struct source_html *s, const char *path)
{
	enum { AROUND = 7 /* -/projects/ ... /-/crates/CRATE/VERSION/source */ };
	size_t n = AROUND + 2;

	for (const char *p = s->path; *p != '\0'; p++)
		n += *p == '/';
	for (const char *p = path; *p != '\0'; p++) {
		if ((unsigned char)*p > '~')
			return false;
		n += *p == '/';
	}
	return n <= REQUEST_SEGMENTS_MAX;
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
		s->files[s->nfiles++] = (struct source_file) { path + 1, size, has_page(s, path + 1) };
	}
	if (n > 1)
		qsort(s->files, n, sizeof(*s->files), compare_paths);
	s->nshown = n < SOURCE_SHOWN_FILES ? n : SOURCE_SHOWN_FILES;
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
	struct slice answer;
	int *fd = arena_alloc(rq->arena, sizeof(*fd));

	*fd = -1;
	arena_defer(rq->arena, close_fd, fd);
	if (page_decide(page, NAMESPACE_PROJECT, ACTION_READ_PACKAGE, FLAG_CARGO) == -1)
		return -1;
	s->path = page->call->facts.full_path;
	s->crate = arena_slicedup(rq->arena, request_param(rq, "crate"));
	s->version = arena_slicedup(rq->arena, request_param(rq, "version"));
	if (open_crate(page, s, fd) == -1)
		return -1;
	if (ask_inspector(page, s, *fd, &answer) == -1) {
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
	return 0;
}

static int
show_file(struct page *page)
{
	struct source_html s = { .file = arena_slicedup(page->rq->arena, request_param(page->rq, "file")) };

	if (show(page, &s) == -1)
		return -1;
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
