#include "store/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/command.h"
#include "admin/number.h"
#include "admin/output.h"
#include "admin/report_svg.h"
#include "base/date.h"

enum { MONTHS_DEFAULT = 12, MONTHS_MAX = 120, SVG_MAX = 4 << 20 };

enum { ADOPTION_MONTHS, ADOPTION_PROJECT, ADOPTION_SVG };

static const struct option_def adoption_options[] = {
	[ADOPTION_MONTHS] = { "months", 0, "N", false },
	[ADOPTION_PROJECT] = { "project", 0, "GROUP/PROJECT", false },
	[ADOPTION_SVG] = { "svg", 0, "FILE", false },
};

/* As a JSON number, or, for people, with its sign. */
static struct cell
growth_cell(struct arena *a, struct report_growth g, bool json)
{
	int64_t whole = g.tenths / 10, rest = g.tenths % 10;

	if (!g.known)
		return json ? cell_json("null") : cell_str(NULL);
	if (rest < 0)
		rest = -rest;
	/* -0.5 has no whole part to carry the sign */
	return cell_json(arena_printf(a, "%s%" PRId64 ".%" PRId64 "%s",
	    g.tenths < 0 && whole == 0 ? "-" : g.tenths > 0 && !json ? "+" : "", whole, rest,
	    json ? "" : "%"));
}

static const char *
project_name(struct arena *a, const struct report_month *m)
{
	if (m->project != NULL || m->project_id == 0)
		return m->project;
	return arena_printf(a, "(%" PRId64 ")", m->project_id);
}

/* rows begin with the month before the first one that is shown, for its growth. */
static void
print_adoption(const struct invocation *in, const struct report_month *rows, size_t n,
    size_t months)
{
	static const char *const keys[] = { "month", "project", "publishers", "publishing_users",
		"publishing_deploy_tokens", "publishing_jobs", "publisher_growth", "downloaders",
		"downloading_users", "downloading_deploy_tokens", "downloading_jobs",
		"downloader_growth", "publishes", "downloads" };
	/* what the columns are called where they stand side by side */
	static const char *const heads[] = { "month", "project", "publishers", "users", "deploy",
		"jobs", "growth", "downloaders", "users", "deploy", "jobs", "growth", "publishes",
		"downloads" };
	enum { NKEYS = sizeof(keys) / sizeof(*keys) };
	struct output out = { in->arena, in->json, in->json ? keys : heads, NKEYS };
	struct cell *cells = arena_calloc(in->arena, n, NKEYS * sizeof(*cells));
	size_t shown = 0;

	for (size_t i = 0; i < n; i++) {
		const struct report_month *m = &rows[i], *before = m - 1;

		if (i % (months + 1) == 0)
			continue;
		struct cell row[NKEYS] = { cell_str(m->month), cell_str(project_name(in->arena, m)),
			cell_int(report_sum(m->publishers)), cell_int(m->publishers[REPORT_USERS]),
			cell_int(m->publishers[REPORT_DEPLOY_TOKENS]), cell_int(m->publishers[REPORT_JOBS]),
			growth_cell(in->arena, report_growth(before->publishers, m->publishers), in->json),
			cell_int(report_sum(m->downloaders)), cell_int(m->downloaders[REPORT_USERS]),
			cell_int(m->downloaders[REPORT_DEPLOY_TOKENS]), cell_int(m->downloaders[REPORT_JOBS]),
			growth_cell(in->arena, report_growth(before->downloaders, m->downloaders), in->json),
			cell_int(m->publishes), cell_int(m->downloads) };

		memcpy(&cells[shown++ * NKEYS], row, sizeof(row));
	}
	output_table(&out, cells, shown);
}

static int
write_svg(struct invocation *in, const char *path, const struct report_month *months, size_t n)
{
	const char *title = months->project != NULL
	    ? arena_printf(in->arena, "Cargo registry: adoption of %s", months->project)
	    : "Cargo registry: adoption";
	FILE *f = fopen(path, "w");
	struct buf b;

	if (f == NULL)
		return err_sys(&in->err, "cannot open %s", path);
	buf_init(&b, in->arena, SVG_MAX);
	report_svg_write(&b, title, months, n);
	fwrite(buf_str(&b), 1, b.n, f);
	if (fflush(f) == EOF || ferror(f)) {
		err_sys(&in->err, "cannot write %s", path);
		fclose(f);
		return -1;
	}
	fclose(f);
	return 0;
}

static int
adoption(struct invocation *in)
{
	const char *const *given = in->options.values;
	int64_t months = MONTHS_DEFAULT;
	struct report_month *rows;
	size_t n;

	if (given[ADOPTION_MONTHS] != NULL &&
	    number_parse(given[ADOPTION_MONTHS], "number of months", &months, &in->err) == -1)
		return -1;
	if (months > MONTHS_MAX)
		return err_set(&in->err, 400, "at most %d months can be shown", MONTHS_MAX);
	if (report_adoption(in->db, in->arena, given[ADOPTION_PROJECT], months + 1, &rows, &n,
	        &in->err) == -1)
		return -1;
	if (given[ADOPTION_SVG] != NULL)
		return write_svg(in, given[ADOPTION_SVG], rows + 1, (size_t)months);
	print_adoption(in, rows, n, (size_t)months);
	return 0;
}

enum { DOWNLOADS_PROJECT, DOWNLOADS_CRATE, DOWNLOADS_SINCE, DOWNLOADS_UNTIL, DOWNLOADS_LIMIT };

static const struct option_def downloads_options[] = {
	[DOWNLOADS_PROJECT] = { "project", 0, "GROUP/PROJECT", false },
	[DOWNLOADS_CRATE] = { "crate", 0, "NAME", false },
	[DOWNLOADS_SINCE] = { "since", 0, "DATE", false },
	[DOWNLOADS_UNTIL] = { "until", 0, "DATE", false },
	[DOWNLOADS_LIMIT] = { "limit", 0, "N", false },
};

static const char *const downloads_keys[] = { "day", "project", "project_id", "crate", "version",
	"downloads", "last_at" };

enum { NDOWNLOADS = sizeof(downloads_keys) / sizeof(*downloads_keys) };

/* A list of downloads; `some`: it has rows. */
struct downloads {
	struct invocation *in;
	struct report_filter filter;
	bool some;
};

static int
next_downloads(void *arg, struct arena *page, struct cell **cells, size_t *n)
{
	struct downloads *d = arg;
	struct invocation *in = d->in;
	struct report_download *rows;

	if (report_downloads_next(in->db, page, &rows, n, &in->err) == -1)
		return -1;
	/* a report without rows must not hide a misspelt name */
	if (*n == 0 && !d->some && report_check_crate(in->db, page, &d->filter, &in->err) == -1)
		return -1;
	d->some = true;
	*cells = arena_calloc(page, *n, NDOWNLOADS * sizeof(**cells));
	for (size_t i = 0; i < *n; i++) {
		const struct report_download *r = &rows[i];
		const struct cell row[NDOWNLOADS] = { cell_str(r->day), cell_str(r->project),
			cell_int(r->project_id), cell_str(r->crate), cell_str(r->version),
			cell_int(r->downloads), cell_time(r->last_at) };

		memcpy(&(*cells)[i * NDOWNLOADS], row, sizeof(row));
	}
	return 0;
}

static int
downloads(struct invocation *in)
{
	const struct output out = { in->arena, in->json, downloads_keys, NDOWNLOADS };
	const char *const *given = in->options.values;
	struct downloads d = { .in = in, .filter = { .project = given[DOWNLOADS_PROJECT],
		.crate = given[DOWNLOADS_CRATE], .limit = INT64_MAX } };

	if ((given[DOWNLOADS_SINCE] != NULL &&
	        date_parse(given[DOWNLOADS_SINCE], &d.filter.since, &in->err) == -1) ||
	    (given[DOWNLOADS_UNTIL] != NULL &&
	        date_parse(given[DOWNLOADS_UNTIL], &d.filter.until, &in->err) == -1) ||
	    (given[DOWNLOADS_LIMIT] != NULL &&
	        number_parse(given[DOWNLOADS_LIMIT], "number of rows", &d.filter.limit, &in->err) == -1) ||
	    report_downloads(in->db, in->arena, &d.filter, &in->err) == -1)
		return -1;
	return output_list(&out, next_downloads, &d);
}

static int
storage(struct invocation *in)
{
	static const char *const keys[] = { "project", "project_id", "versions", "bytes", "month_bytes",
		"deleted_bytes" };
	enum { NKEYS = sizeof(keys) / sizeof(*keys) };
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct report_storage *rows;
	struct cell *cells;
	size_t n;

	if (report_storage(in->db, in->arena, &rows, &n, &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n, NKEYS * sizeof(*cells));
	for (size_t i = 0; i < n; i++) {
		const struct report_storage *r = &rows[i];
		struct cell row[NKEYS] = { cell_str(r->project), cell_int(r->project_id), cell_int(r->versions),
			cell_int(r->bytes), cell_int(r->month_bytes), cell_int(r->deleted_bytes) };

		memcpy(&cells[i * NKEYS], row, sizeof(row));
	}
	output_table(&out, cells, n);
	return 0;
}

static const struct command commands[] = {
	{ "adoption", "[--months N] [--project GROUP/PROJECT] [--svg FILE]",
	    "Shows how many people, deploy tokens and CI jobs published and downloaded in each\n"
	    "month, and the growth over the month before, for all projects and for each.  --svg\n"
	    "draws a chart into FILE.",
	    COMMAND_OPTIONS(adoption_options), 0, 0, adoption },
	{ "downloads",
	    "[--project GROUP/PROJECT] [--crate NAME] [--since DATE] [--until DATE] [--limit N]",
	    "Shows the downloads of each version on each day, newest first.",
	    COMMAND_OPTIONS(downloads_options), 0, 0, downloads },
	{ "storage", "",
	    "Shows how many bytes the versions of each project have, those of the last 30 days, and\n"
	    "those of deleted versions that can still come back; the largest project first.",
	    NULL, 0, 0, 0, storage },
};

const struct noun admin_report = { "report", COMMAND_LIST(commands) };
