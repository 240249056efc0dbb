#include "api/web/diff_page.h"

#include <string.h>

#include "api/web/diff_html.h"
#include "api/web/source_ask.h"
#include "api/web/templates.h"
#include "call/params.h"
#include "crate/index_line.h"

/* Room for all words of a dependency: a difference must not be cut off. */
enum { WORDS_MAX = 2 * INDEX_LINE_MAX };

const char *
diff_html_why(const struct diff_file *f)
{
	if (f->why == DIFF_BINARY)
		return "This file is not a text.";
	return f->why == DIFF_TOO_LARGE ? "This file is too large to be compared by lines."
	    : "The difference is too long to be shown here.";
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Adds a row if the values differ. */
static void
add_row(struct diff_rows *rows, const char *name, const char *old, const char *new)
{
	if (!is_same(old, new))
		rows->v[rows->n++] = (struct diff_row) { name, old, new };
}

static struct diff_rows
rows_new(struct arena *a, size_t n)
{
	return (struct diff_rows) { arena_calloc(a, n, sizeof(struct diff_row)), 0 };
}

static void
compare_manifests(struct arena *a, struct diff_html *d)
{
	enum { ROWS = 4 };

	d->manifest = rows_new(a, ROWS);
	add_row(&d->manifest, "Rust", d->old->shown.rust, d->new->shown.rust);
	add_row(&d->manifest, "Edition", d->old->shown.edition, d->new->shown.edition);
	add_row(&d->manifest, "Licence", d->old->shown.license, d->new->shown.license);
	add_row(&d->manifest, "Licence file", d->old->shown.license_file, d->new->shown.license_file);
}

static size_t
shown_features(const struct page_crate *c)
{
	return c->nfeatures < PAGE_CRATE_FEATURES ? c->nfeatures : PAGE_CRATE_FEATURES;
}

static const char *
name_of(const struct page_crate_dependency *d)
{
	return d->alias != NULL ? d->alias : d->name;
}

/* Finds the dependency with the same name, kind and target; NULL: there is none. */
static const struct page_crate_dependency *
find_dependency(const struct page_crate *c, const struct page_crate_dependency *like)
{
	for (size_t i = 0; i < page_crate_dependencies(c); i++) {
		const struct page_crate_dependency *d = &c->dependencies[i];

		if (is_same(name_of(d), name_of(like)) && is_same(d->kind, like->kind) && is_same(d->target, like->target))
			return d;
	}
	return NULL;
}

/* Describes everything of a dependency but name, kind and target. */
static const char *
describe(struct arena *a, const struct page_crate_dependency *d)
{
	struct buf b;

	buf_init(&b, a, WORDS_MAX);
	buf_printf(&b, "%s%s", d->req, d->optional ? ", optional" : "");
	if (d->features != NULL)
		buf_printf(&b, ", with %s", d->features);
	if (!d->default_features)
		buf_puts(&b, ", without default features");
	if (d->artifact != NULL)
		buf_printf(&b, ", built as %s", d->artifact);
	if (d->alias != NULL)
		buf_printf(&b, ", the crate %s", d->name);
	if (d->registry != NULL)
		buf_printf(&b, ", from %s", d->registry);
	return buf_str(&b);
}

/* Describes the dependency with the same name, kind and target; NULL: there is none. */
static const char *
describe_same(struct arena *a, const struct page_crate *c, const struct page_crate_dependency *like)
{
	const struct page_crate_dependency *d = find_dependency(c, like);

	return d == NULL ? NULL : describe(a, d);
}

static const char *
title_of(struct arena *a, const struct page_crate_dependency *d)
{
	return arena_printf(a, "%s (%s%s%s)", name_of(d), d->kind, d->target != NULL ? ", " : "",
	    d->target != NULL ? d->target : "");
}

static void
compare_dependencies(struct arena *a, struct diff_html *d)
{
	size_t n = page_crate_dependencies(d->old), m = page_crate_dependencies(d->new);

	d->dependencies = rows_new(a, n + m);
	for (size_t i = 0; i < m; i++) {
		const struct page_crate_dependency *new = &d->new->dependencies[i];

		add_row(&d->dependencies, title_of(a, new), describe_same(a, d->old, new), describe(a, new));
	}
	for (size_t i = 0; i < n; i++) {
		const struct page_crate_dependency *old = &d->old->dependencies[i];

		if (find_dependency(d->new, old) == NULL)
			add_row(&d->dependencies, title_of(a, old), describe(a, old), NULL);
	}
}

/* The values that the feature enables; "": none; NULL: there is no such feature. */
static const char *
find_feature(const struct page_crate *c, const char *name)
{
	for (size_t i = 0; i < shown_features(c); i++) {
		if (strcmp(c->features[i].name, name) == 0)
			return c->features[i].enables != NULL ? c->features[i].enables : "";
	}
	return NULL;
}

static void
compare_features(struct arena *a, struct diff_html *d)
{
	size_t n = shown_features(d->old), m = shown_features(d->new);

	d->features = rows_new(a, n + m);
	for (size_t i = 0; i < m; i++) {
		const char *name = d->new->features[i].name;

		add_row(&d->features, name, find_feature(d->old, name), find_feature(d->new, name));
	}
	for (size_t i = 0; i < n; i++) {
		const char *name = d->old->features[i].name;

		if (find_feature(d->new, name) == NULL)
			add_row(&d->features, name, find_feature(d->old, name), NULL);
	}
}

static int
compare_files(struct page *page, struct diff_html *d)
{
	const struct source_ask ask = {
		.kind = JOB_DIFF,
		.crate = { d->old->name, d->old->shown.version, d->old->cksum },
		.other = { d->new->name, d->new->shown.version, d->new->cksum },
	};
	struct request *rq = page->rq;
	struct slice answer;

	if (strcmp(d->old->cksum, d->new->cksum) == 0)
		return 0;
	if (source_ask(page, &ask, &answer) == -1) {
		if (rq->err.status != 413)
			return -1;
		d->why = arena_printf(rq->arena, "%s.", rq->err.pub);
		err_clear(&rq->err);
		return 0;
	}
	if (diff_text_read(rq->arena, answer, &d->text, &rq->err) == -1)
		return -1;
	for (const struct diff_file *f = d->text.files; f < d->text.files + d->text.nfiles; f++) {
		d->added += f->change == DIFF_ADDED;
		d->removed += f->change == DIFF_REMOVED;
		d->changed += f->change == DIFF_CHANGED;
	}
	return 0;
}

static int
compare(struct page *page, struct diff_html *d)
{
	struct arena *a = page->rq->arena;

	page->title = arena_printf(a, "%s from %s to %s - %s", d->new->name, d->old->shown.version,
	    d->new->shown.version, d->path);
	compare_manifests(a, d);
	compare_dependencies(a, d);
	compare_features(a, d);
	return compare_files(page, d);
}

static int
show(struct page *page, struct slice old, struct slice new)
{
	struct request *rq = page->rq;
	struct page_crate_pair pair = { .name = request_param(rq, "crate"), .old = old, .new = new };
	struct page_crate crates[2];
	struct diff_html d = { .old = &crates[0], .new = &crates[1] };

	if (page_decide(page, NAMESPACE_PROJECT, ACTION_READ_PACKAGE, FLAG_CARGO) == -1)
		return -1;
	d.path = page->call->facts.full_path;
	pair.project_id = page->call->facts.project_id;
	if (page_crate_read_pair(page_db(page), rq->arena, &pair, &crates[0], &crates[1], &rq->err) == -1)
		return page_refuse_version(page, crates[1].name);
	d.crumbs = page_crumbs(rq->arena, d.path);
	d.crumbs.is_inside = true;
	d.crumbs.crate = d.new->name;
	if (crates[0].name == NULL) {
		d.old = NULL;
		page->title = arena_printf(rq->arena, "%s %s - %s", d.new->name, d.new->shown.version, d.path);
	} else if (compare(page, &d) == -1) {
		return -1;
	}
	html_diff(&page->html, page, &d);
	if (!buf_full(&page->html))
		return 0;
	buf_reset(&page->html);
	d.why = "The differences are too long to be shown on a page.";
	d.dependencies.n = d.features.n = d.text.nfiles = 0;
	html_diff(&page->html, page, &d);
	return 0;
}

static int
show_range(struct page *page)
{
	struct slice range = request_param(page->rq, "range");
	const char *dots = memmem(range.p, range.n, "..", 2);
	size_t n = dots != NULL ? (size_t)(dots - range.p) : 0;

	/* no part of a version is empty, so the first two dots are the separator */
	if (n == 0)
		return err_set(&page->rq->err, 404, "Not Found");
	return show(page, slice_of(range.p, n), slice_of(dots + 2, range.n - n - 2));
}

static int
show_form(struct page *page)
{
	struct params params = { .rq = page->rq, .form = slice_str("") };
	const char *from = "", *to = "";

	if (params_str(&params, "from", &from) == -1 || params_str(&params, "to", &to) == -1)
		return -1;
	return show(page, slice_str(from != NULL ? from : ""), slice_str(to != NULL ? to : ""));
}

int
diff_page_range(struct call *call, struct request *rq, struct response *rs)
{
	return page_run(call, rq, rs, show_range);
}

int
diff_page_form(struct call *call, struct request *rq, struct response *rs)
{
	return page_run(call, rq, rs, show_form);
}
