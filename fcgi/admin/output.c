#include "admin/output.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"

/* Far more than any listing; what passes it is a mistake in here. */
enum { OUTPUT_MAX = 1 << 30 };

static const char *
cell_text(struct arena *a, const struct cell *c)
{
	char *text;

	switch (c->type) {
	case CELL_INT:
		return arena_printf(a, "%" PRId64, c->num);
	case CELL_ID:
		return c->num == 0 ? "-" : arena_printf(a, "%" PRId64, c->num);
	case CELL_BOOL:
		return c->num != 0 ? "true" : "false";
	case CELL_TIME:
		if (c->num == 0)
			return "never";
		text = arena_alloc(a, CLOCK_RFC3339_SIZE);
		clock_rfc3339((time_t)c->num, text);
		return text;
	case CELL_STR:
	case CELL_WORDS:
	case CELL_JSON:
		break;
	}
	return c->str != NULL && c->str[0] != '\0' ? c->str : "-";
}

static void
json_words(struct json_out *o, const char *words)
{
	json_out_open(o, '[');
	while (*words != '\0') {
		size_t n = strcspn(words, ",");

		json_out_slice(o, slice_of(words, n));
		words += n + (words[n] == ',');
	}
	json_out_close(o, ']');
}

static void
json_cell(struct arena *a, struct json_out *o, const struct cell *c)
{
	switch (c->type) {
	case CELL_INT:
		json_out_int(o, c->num);
		break;
	case CELL_ID:
		if (c->num == 0)
			json_out_null(o);
		else
			json_out_int(o, c->num);
		break;
	case CELL_BOOL:
		json_out_bool(o, c->num != 0);
		break;
	case CELL_TIME:
		json_out_str(o, c->num == 0 ? NULL : cell_text(a, c));
		break;
	case CELL_STR:
		json_out_str(o, c->str);
		break;
	case CELL_WORDS:
		json_words(o, c->str);
		break;
	case CELL_JSON:
		json_out_raw(o, slice_str(c->str));
		break;
	}
}

static void
json_row(const struct output *out, struct json_out *o, const struct cell *row)
{
	json_out_open(o, '{');
	for (size_t i = 0; i < out->nkeys; i++) {
		json_out_key(o, out->keys[i]);
		json_cell(out->arena, o, &row[i]);
	}
	json_out_close(o, '}');
}

static void
flush(struct buf *b)
{
	assert(!buf_full(b));
	/* whether it arrived is asked once, at the end of the program */
	fwrite(buf_str(b), 1, b->n, stdout);
}

static void
print_json(const struct output *out, const struct cell *row)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, out->arena, OUTPUT_MAX);
	json_out_init(&o, &b);
	json_row(out, &o, row);
	flush(&b);
}

/* n elements of an array, of which some may have been printed. */
static void
print_elements(const struct output *out, const struct cell *cells, size_t n, bool *first)
{
	for (size_t i = 0; i < n; i++) {
		if (!*first)
			putchar(',');
		*first = false;
		print_json(out, &cells[i * out->nkeys]);
	}
}

static void
print_lines(const struct output *out, const struct cell *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		print_json(out, &cells[i * out->nkeys]);
		putchar('\n');
	}
}

void
output_id(const struct output *out, const struct cell *row)
{
	bool alone = out->nkeys == 1 || isatty(STDOUT_FILENO) != 1;

	if (!out->json && alone)
		printf("%s\n", cell_text(out->arena, &row[0]));
	else
		output_row(out, row);
}

void
output_row(const struct output *out, const struct cell *row)
{
	if (out->json) {
		print_lines(out, row, 1);
		return;
	}
	for (size_t i = 0; i < out->nkeys; i++)
		printf("%s: %s\n", out->keys[i], cell_text(out->arena, &row[i]));
}

/* One line of the table: texts of nkeys cells, each but the last padded to its width. */
static void
put_line(struct buf *b, const char *const *texts, const size_t *widths, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_puts(b, texts[i]);
		for (size_t k = utf8_length(slice_str(texts[i])); i + 1 < n && k < widths[i] + 2;
		     k++)
			buf_putc(b, ' ');
	}
	buf_putc(b, '\n');
}

static void
print_table(const struct output *out, const struct cell *cells, size_t n, size_t *widths)
{
	size_t nkeys = out->nkeys;
	const char **texts = arena_calloc(out->arena, (n + 1) * nkeys, sizeof(*texts));
	size_t first = widths[0] == 0 ? 0 : 1; /* the keys are the first line of the first part */
	struct buf b;

	for (size_t i = 0; i < (n + 1) * nkeys; i++) {
		size_t width;

		texts[i] = i < nkeys ? out->keys[i] : cell_text(out->arena, &cells[i - nkeys]);
		width = utf8_length(slice_str(texts[i]));
		if (width > widths[i % nkeys])
			widths[i % nkeys] = width;
	}
	buf_init(&b, out->arena, OUTPUT_MAX);
	for (size_t line = first; line <= n; line++)
		put_line(&b, &texts[line * nkeys], widths, nkeys);
	flush(&b);
}

void
output_part(const struct output_rows *rows, const struct cell *cells, size_t n)
{
	if (rows->out.json)
		print_lines(&rows->out, cells, n);
	else
		print_table(&rows->out, cells, n, rows->widths);
}

void
output_table(const struct output *out, const struct cell *cells, size_t n)
{
	bool first = true;

	if (!out->json) {
		print_table(out, cells, n, arena_calloc(out->arena, out->nkeys, sizeof(size_t)));
		return;
	}
	putchar('[');
	print_elements(out, cells, n, &first);
	puts("]");
}

/* Of a list, as a JSON array. */
static int
print_array(const struct output *out, output_next_fn *next, void *arg)
{
	bool begun = false, first = true;
	struct cell *cells;
	size_t n;

	for (;;) {
		if (next(arg, out->arena, &cells, &n) == -1)
			return -1;
		if (!begun)
			putchar('[');
		begun = true;
		if (n == 0 || ferror(stdout))
			break;
		print_elements(out, cells, n, &first);
		arena_reset(out->arena);
	}
	puts("]");
	return 0;
}

/* The parts of a list; `head`: the table has its head also without rows. */
static int
print_parts(const struct output_rows *rows, output_next_fn *next, void *arg, bool head)
{
	struct cell *cells;
	size_t n;

	for (;;) {
		if (next(arg, rows->out.arena, &cells, &n) == -1)
			return -1;
		if ((n == 0 && !head) || ferror(stdout))
			return 0;
		output_part(rows, cells, n);
		head = false;
		arena_reset(rows->out.arena);
	}
}

/* The same as `out`, with memory and widths for parts. */
static struct output_rows
rows_of(const struct output *out)
{
	struct output_rows rows = { *out, arena_calloc(out->arena, out->nkeys, sizeof(size_t)) };

	rows.out.arena = arena_new();
	return rows;
}

int
output_list(const struct output *out, output_next_fn *next, void *arg)
{
	struct output_rows rows = rows_of(out);
	int rc = out->json ? print_array(&rows.out, next, arg) : print_parts(&rows, next, arg, true);

	arena_free(rows.out.arena);
	return rc;
}

int
output_log(const struct output *out, output_next_fn *next, void *arg)
{
	struct output_rows rows = rows_of(out);
	int rc = print_parts(&rows, next, arg, false);

	arena_free(rows.out.arena);
	return rc;
}

void
output_note(const char *fmt, ...)
{
	va_list args;

	/* whether it arrived is asked once, at the end of the program */
	fflush(stdout);
	fputs("berth: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}
