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
print_json(const struct output *out, const struct cell *cells, size_t n, bool array)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, out->arena, OUTPUT_MAX);
	json_out_init(&o, &b);
	if (array)
		json_out_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		json_row(out, &o, &cells[i * out->nkeys]);
	if (array)
		json_out_close(&o, ']');
	buf_putc(&b, '\n');
	flush(&b);
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
		print_json(out, row, 1, false);
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
	const struct output *out = &rows->out;

	if (!out->json)
		print_table(out, cells, n, rows->widths);
	for (size_t i = 0; out->json && i < n; i++)
		print_json(out, &cells[i * out->nkeys], 1, false);
}

void
output_table(const struct output *out, const struct cell *cells, size_t n)
{
	if (out->json)
		print_json(out, cells, n, true);
	else
		print_table(out, cells, n, arena_calloc(out->arena, out->nkeys, sizeof(size_t)));
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
