#include "api/cargo/view_kept.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cache/cache_extract.h"
#include "crate/registry_config.h"

enum {
	FORMAT = 2, /* of what is kept, and of how it is made */
	KEPT_MAX = 32 << 20 /* a longer file is made each time */
};

/* The digest of all that the file depends on, except for the projects that have the names. */
static int
set_key(const struct call *call, struct request *rq, struct slice body, struct cache_extract *e)
{
	const char *text = arena_printf(rq->arena, "group index %d\n%s\n%" PRId64 "\n%" PRId64 "\n", FORMAT,
	    call->app->settings->external_url, call->view.group_id, call->facts.project_id);
	struct sha256 sum;

	*e = (struct cache_extract) { .dir = call->app->settings->cache_dir, .project_id = call->facts.project_id };
	if (sha256_begin(&sum) && sha256_add(&sum, text, strlen(text)) && sha256_add(&sum, body.p, body.n) &&
	    sha256_end(&sum, e->key))
		return 0;
	sha256_drop(&sum);
	return err_internal(&rq->err, 500, "OpenSSL has no SHA-256");
}

/*
 * A line `NAME PROJECT`, as in struct view_basis, for each name, an empty line, and the file; it is empty if
 * it is the project's.
 */
static void
write_kept(struct arena *a, const struct cache_extract *e, const struct view_basis *basis, struct slice body)
{
	struct buf b;

	buf_init(&b, a, KEPT_MAX);
	for (size_t i = 0; i < basis->n; i++)
		buf_printf(&b, "%s %" PRId64 "\n", basis->names[i], basis->projects[i]);
	buf_putc(&b, '\n');
	buf_put_slice(&b, body);
	if (!buf_full(&b))
		cache_extract_write(a, e, buf_slice(&b));
}

static size_t
count_lines(struct slice text)
{
	size_t n = 0;

	while (text.n > 0 && text.p[0] != '\n') {
		const char *end = memchr(text.p, '\n', text.n);
		size_t used = end == NULL ? text.n : (size_t)(end - text.p) + 1;

		text = slice_of(text.p + used, text.n - used);
		n++;
	}
	return n;
}

/* Splits what write_kept() has written.  False: it is something else. */
static bool
read_kept(struct arena *a, struct slice text, struct view_basis *basis, struct slice *body)
{
	size_t n = count_lines(text);
	const char **names = arena_calloc(a, n, sizeof(*names));
	int64_t *projects = arena_calloc(a, n, sizeof(*projects));

	for (size_t i = 0; i < n; i++) {
		const char *end = memchr(text.p, '\n', text.n);
		const char *space = end == NULL ? NULL : memchr(text.p, ' ', (size_t)(end - text.p));
		char *after = NULL;

		if (space != NULL)
			projects[i] = strtoll(space + 1, &after, 10);
		if (after == NULL || after != end)
			return false;
		names[i] = arena_strndup(a, text.p, (size_t)(space - text.p));
		text = slice_of(end + 1, text.n - (size_t)(end + 1 - text.p));
	}
	if (text.n == 0)
		return false;
	*basis = (struct view_basis) { names, projects, n };
	*body = slice_of(text.p + 1, text.n - 1);
	return true;
}

/* *found: the file is kept, and its names stand for the same projects. */
static int
find_kept(struct call *call, struct request *rq, const struct cache_extract *e, struct slice *body,
    bool *found)
{
	struct view_basis basis;
	struct slice text;

	*found = cache_extract_read(rq->arena, e, KEPT_MAX, &text) && read_kept(rq->arena, text, &basis, body);
	return *found ? view_basis_check(replica_choose(&call->replica), rq->arena, call->view.group_id, &basis,
	    found, &rq->err) : 0;
}

int
view_kept_file(struct call *call, struct request *rq, struct view_file *file)
{
	struct slice own = file->body, body;
	struct cache_extract extract;
	struct view_basis basis;
	bool found;

	if (set_key(call, rq, own, &extract) == -1 || find_kept(call, rq, &extract, &body, &found) == -1)
		return -1;
	if (found && body.n > 0)
		*file = (struct view_file) { body, registry_config_time(body) };
	if (found)
		return 0;
	if (view_file_of(replica_choose(&call->replica), rq->arena, call->app->settings->external_url,
	        call->view.group_id, call->facts.project_id, file, &basis, &rq->err) == -1)
		return -1;
	write_kept(rq->arena, &extract, &basis, file->body.p == own.p ? slice_str("") : file->body);
	return 0;
}
