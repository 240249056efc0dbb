#include "tasks/log_count.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/json.h"
#include "store/package/download.h"
#include "tasks/download_line.h"

enum {
	JSON_MAX = 4 * LOG_PIECE, /* a line becomes no longer than this allows */
	EARLIEST = 1577836800, /* 2020: before that there were no such lines */
	CLOCK_SLACK = 86400
};

void
log_count_init(struct log_count *c, struct task_ctx *ctx, log_count_lines *lines)
{
	*c = (struct log_count) { .ctx = ctx, .lines = lines, .piece = arena_alloc(ctx->arena, LOG_PIECE) };
}

static void
put_download(struct json_out *o, const struct download *d)
{
	json_out_open(o, '{');
	json_out_key_int(o, "at", d->at);
	json_out_key_int(o, "bytes", d->bytes);
	json_out_key_str(o, "actor", download_actor_names[d->actor]);
	json_out_key_int(o, "actor_id", d->actor_id);
	if (d->handle.n > 0) {
		json_out_key(o, "handle");
		json_out_slice(o, d->handle);
	}
	json_out_key_int(o, d->group_id != 0 ? "group_id" : "project_id",
	    d->group_id != 0 ? d->group_id : d->project_id);
	if (d->version_id != 0) {
		json_out_key_int(o, "version_id", d->version_id);
	} else {
		json_out_key(o, "crate");
		json_out_slice(o, d->crate);
		json_out_key(o, "version");
		json_out_slice(o, d->version);
	}
	json_out_close(o, '}');
}

/* The lines of a piece, up to its last line's end. */
static void
put_lines(struct json_out *o, struct slice lines, int64_t *garbage)
{
	int64_t latest = (int64_t)time(NULL) + CLOCK_SLACK;

	while (lines.n > 0) {
		size_t n = (size_t)((const char *)memchr(lines.p, '\n', lines.n) - lines.p);
		struct download d;
		enum download_line kind = download_line_parse(slice_of(lines.p, n), &d);

		lines = slice_of(lines.p + n + 1, lines.n - n - 1);
		if (kind == DOWNLOAD_LINE_WHOLE && (d.at < EARLIEST || d.at > latest))
			kind = DOWNLOAD_LINE_GARBAGE;
		if (kind == DOWNLOAD_LINE_WHOLE)
			put_download(o, &d);
		*garbage += kind == DOWNLOAD_LINE_GARBAGE;
	}
}

int
log_count_downloads(struct log_count *c, struct arena *a, struct download_part *part, struct slice lines,
    int64_t *counted, struct err *err)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, a, JSON_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '[');
	put_lines(&o, lines, &part->garbage);
	json_out_close(&o, ']');
	part->downloads = buf_slice(&b);
	if (buf_full(&b))
		return err_internal(err, 500, "%s: too many downloads in one piece, at byte "
		    "%" PRId64, part->path, part->from);
	return download_log_count(c->ctx->db, a, part, counted, err);
}

/*
 * Counts what was read from the position on.  *used: how much of it; what comes after the last
 * line's end waits until it has one, unless it is so long that it is no line, or gets none.
 */
static int
count_piece(struct log_count *c, struct download_part *part, struct slice piece, bool last,
    size_t *used, struct err *err)
{
	const char *end = memrchr(piece.p, '\n', piece.n);
	bool torn = end == NULL && piece.n > 0 && (last || piece.n == LOG_PIECE);
	struct arena *a = arena_new();
	int64_t counted = 0;
	int rc = 0;

	*used = torn ? piece.n : end != NULL ? (size_t)(end - piece.p) + 1 : 0;
	part->garbage = torn;
	part->to = part->from + (int64_t)*used;
	if (*used > 0)
		rc = c->lines(c, a, part, slice_of(piece.p, torn ? 0 : *used), &counted, err);
	arena_free(a);
	if (rc == -1)
		return -1;
	/* somebody else has read on from there: the rest is theirs */
	c->lost = counted == -1;
	if (c->lost)
		*used = 0;
	c->counted += *used > 0 ? counted : 0;
	if (*used > 0 && part->garbage > 0) {
		c->garbage += part->garbage;
		c->garbage_path = part->path;
	}
	FAULT_POINT("count", "counted");
	return 0;
}

int
log_count_file(struct log_count *c, struct log_file *f, struct err *err)
{
	struct download_part part = {
		.log = { .node = c->ctx->node, .fingerprint = f->fingerprint }, .path = f->path };
	size_t have = 0, got, used;

	c->lost = false;
	if (download_log_position(c->ctx->db, c->ctx->arena, &part.log, &part.from, err) == -1)
		return -1;
	/* at least one piece: in a compressed log it takes a while to come to the position */
	do {
		if (log_file_read(c->ctx->arena, f, part.from + (int64_t)have, c->piece + have,
			LOG_PIECE - have, &got, err) == -1)
			return -1;
		FAULT_POINT("count", "read");
		have += got;
		if (count_piece(c, &part, slice_of(c->piece, have), f->compressed && have < LOG_PIECE,
			&used, err) == -1)
			return -1;
		part.from = part.to;
		have -= used;
		memmove(c->piece, c->piece + used, have);
		c->more = used > 0 && task_must_stop(c->ctx);
	} while (used > 0 && !c->more);
	return 0;
}

void
log_count_note(const struct log_count *c, const char *of, const char *format)
{
	if (c->garbage > 0)
		task_note(c->ctx, "%" PRId64 " %s counted; skipped %" PRId64 " lines that do not have the form of "
		    "log_format %s in berth-http.conf: compare the last ones, which are in %s", c->counted, of,
		    c->garbage, format, c->garbage_path);
	else if (c->counted > 0)
		task_note(c->ctx, "%" PRId64 " %s counted", c->counted, of);
}

int
log_count_all(struct log_count *c, const char *path, const char *of, const char *format,
    struct log_file **files, size_t *n, struct err *err)
{
	if (log_files_find(c->ctx->arena, path, files, n, err) == -1)
		return -1;
	for (size_t i = 0; i < *n && !c->more; i++) {
		if (!(*files)[i].compressed && log_count_file(c, &(*files)[i], err) == -1)
			return -1;
	}
	log_count_note(c, of, format);
	if (c->more)
		task_again(c->ctx, NULL);
	return 0;
}
