#include "api/web/source_ask.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cache/cache_extract.h"
#include "call/bring.h"
#include "call/inspect_slot.h"
#include "crate/inspect/inspector.h"
#include "crate/inspect/verdict.h"
#include "store/blob/blob.h"

enum {
	WAIT_US = 2 * CLOCK_SECOND,
	TIME_US = 10 * CLOCK_SECOND,
	STATUS_DIGITS = 3,
	FORMAT = 2 /* of the inspector's answers; a new number makes older extracts invalid */
};

static void
close_fd(void *arg)
{
	int *fd = arg;

	if (*fd != -1)
		close(*fd);
}

/* Opens the bytes of a crate; they are closed with the request.  -1: 503; 500, the store has lost them. */
static int
open_crate(struct page *page, const struct source_crate *c)
{
	struct request *rq = page->rq;
	int *fd = arena_alloc(rq->arena, sizeof(*fd));

	if (bring_blob(page->call->app, rq, c->cksum, BLOB_SIZE_MAX, NULL) == -1)
		return -1;
	*fd = open(arena_printf(rq->arena, "%s/%s", page->call->app->settings->blobs->dir,
	    blob_path(rq->arena, c->cksum)), BLOB_OPEN);
	if (*fd == -1)
		return err_sys(&rq->err, "the blob %s of %s %s", c->cksum, c->name, c->version);
	arena_defer(rq->arena, close_fd, fd);
	return *fd;
}

static const char *
folder_of(struct arena *a, const struct source_crate *c)
{
	return arena_printf(a, "%s-%s", c->name, c->version);
}

/* The refusal that the inspector has written, as crate/inspect/source.h says. */
static int
refuse(struct request *rq, struct slice answer)
{
	char *text = arena_slicedup(rq->arena, answer), *sentence;
	long status = strtol(text, &sentence, 10);

	if (sentence != text + STATUS_DIGITS || *sentence != ' ' || status < 400 || status > 499)
		return err_internal(&rq->err, 500, "the inspector's refusal is malformed");
	return err_set(&rq->err, (int)status, "%s", sentence + 1);
}

/* Runs the inspector in a slot.  -1: 503, 500. */
static int
run(struct page *page, const struct job *job, int fd, struct inspector_result *result)
{
	const struct worker_app *app = page->call->app;
	struct request *rq = page->rq;
	int rc;

	if (inspect_slot_take(app, inspect_slot_reader, clock_us() + WAIT_US) == -1) {
		err_internal(&rq->err, 503, "no slot to open the crate was free in time");
		return err_tell(&rq->err, "too many crates are open at this moment; please try again in a minute");
	}
	rc = inspector_run(app->inspector, rq->arena, job, fd, clock_us() + TIME_US, result, &rq->err);
	inspect_slot_leave(app, inspect_slot_reader);
	return rc == -1 ? -1 : inspector_check_status(result, &rq->err);
}

static int
make(struct page *page, const struct source_ask *ask, struct slice *answer)
{
	const struct settings *settings = page->call->app->settings;
	struct request *rq = page->rq;
	bool compares = ask->kind == JOB_DIFF;
	struct job job = {
		.kind = ask->kind,
		.path = compares ? folder_of(rq->arena, &ask->other) : ask->file,
		.limits = { (uint64_t)settings->max_unpacked_size, (uint64_t)settings->max_entries,
			folder_of(rq->arena, &ask->crate) },
		.other = -1,
	};
	struct inspector_result result = { .status = -1 };
	int fd = open_crate(page, &ask->crate);

	if (fd == -1)
		return -1;
	if (compares && (job.other = open_crate(page, &ask->other)) == -1)
		return -1;
	if (run(page, &job, fd, &result) == -1)
		return -1;
	*answer = result.verdict;
	return WEXITSTATUS(result.status) == JOB_ACCEPTED ? 0 : refuse(rq, *answer);
}

/* A digest of all that the answer depends on; each part ends with a line feed, which none of them has. */
static int
set_key(struct page *page, const struct source_ask *ask, struct cache_extract *e)
{
	struct arena *a = page->rq->arena;
	bool compares = ask->kind == JOB_DIFF;
	const char *text = arena_printf(a, "%d\n%d\n%s\n%s\n%s\n%s\n%s\n", FORMAT, (int)ask->kind,
	    folder_of(a, &ask->crate), ask->crate.cksum, ask->file != NULL ? ask->file : "",
	    compares ? folder_of(a, &ask->other) : "", compares ? ask->other.cksum : "");

	e->dir = page->call->app->settings->cache_dir;
	e->project_id = page->call->facts.project_id;
	return sha256_digest(text, strlen(text), e->key) ? 0 : err_internal(&page->rq->err, 500, "OpenSSL fails");
}

int
source_ask(struct page *page, const struct source_ask *ask, struct slice *answer)
{
	struct arena *a = page->rq->arena;
	struct cache_extract extract;

	if (ask->file != NULL && strlen(ask->file) > JOB_PATH_MAX)
		return err_set(&page->rq->err, 404, "Not Found");
	if (set_key(page, ask, &extract) == -1)
		return -1;
	if (cache_extract_read(a, &extract, VERDICT_MAX, answer))
		return 0;
	if (make(page, ask, answer) == -1)
		return -1;
	cache_extract_write(a, &extract, *answer);
	return 0;
}
