/*
 * Input: two texts with a NUL between them; each begins with a name and a line feed.  The texts are files
 * of two crates; the pool reads the inspector's answer about them, and all lines of the answer are in the
 * texts.  The pool also reads the input itself as an answer, since an attacker in control of an inspector
 * can send anything.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"
#include "crate/inspect/crate_diff.h"
#include "crate/inspect/diff_text.h"
#include "tarball.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct part {
	const char *name;
	struct slice text;
};

static struct part
part_of(struct arena *a, struct slice bytes)
{
	const char *end = memchr(bytes.p, '\n', bytes.n);
	size_t n = end != NULL ? (size_t)(end - bytes.p) : 0;
	struct part part = { "a", bytes };

	if (end == NULL)
		return part;
	if (n > 0 && n < 80)
		part.name = arena_strndup(a, bytes.p, n);
	part.text = slice_of(end + 1, bytes.n - n - 1);
	return part;
}

static struct slice
crate_of(struct arena *a, const char *folder, const struct part *part)
{
	struct buf tar;

	buf_init(&tar, a, TARBALL_MAX);
	tarball_header(&tar, '0', arena_printf(a, "%s/%s", folder, part->name), part->text.n);
	tarball_data(&tar, part->text.p, part->text.n);
	tarball_end(&tar);
	return tarball_gzip(a, buf_slice(&tar), 1);
}

/* Each line of the answer is in the text, at the number that the answer gives. */
static void
verify_file(const struct diff_file *f, const struct part *old, const struct part *new)
{
	struct slice left[2] = { old->text, new->text };
	int64_t at[2] = { 1, 1 };

	for (const struct diff_line *l = f->lines; l < f->lines + f->nlines; l++) {
		for (int side = 0; side < 2; side++) {
			int64_t number = side == 0 ? l->old : l->new;
			struct slice *text = &left[side];
			size_t n;

			if (l->kind == '@' || (l->kind == '+' && side == 0) || (l->kind == '-' && side == 1))
				continue;
			for (; at[side] < number; at[side]++) {
				const char *end = memchr(text->p, '\n', text->n);

				assert(end != NULL);
				*text = slice_of(end + 1, text->n - (size_t)(end - text->p) - 1);
			}
			assert(text->n >= strlen(l->text) && memcmp(text->p, l->text, strlen(l->text)) == 0);
			n = strlen(l->text) + l->returns;
			assert(!l->returns || text->p[n - 1] == '\r');
			assert(l->ends ? text->p[n] == '\n' : text->n == n);
		}
	}
}

static void
compare(struct arena *a, const struct part *old, const struct part *new)
{
	const struct job job = { .kind = JOB_DIFF, .path = "x-2.0.0",
		.limits = { .max_unpacked = TARBALL_MAX, .max_entries = 10, .folder = "x-1.0.0" } };
	struct crate_diff *diff = crate_diff_new(a, &job);
	struct slice crates[] = { crate_of(a, "x-1.0.0", old), crate_of(a, "x-2.0.0", new) };
	struct diff_text text;
	struct err err = { 0 };

	for (enum crate_diff_side side = CRATE_DIFF_OLD; side <= CRATE_DIFF_NEW; side++) {
		if (crate_diff_push(diff, side, crates[side], &err) == -1 || crate_diff_end(diff, side, &err) == -1) {
			assert(err.status == 400);
			return;
		}
	}
	assert(diff_text_read(a, crate_diff_answer(diff), &text, &err) == 0);
	if (strcmp(old->name, new->name) != 0) {
		assert(text.nfiles == 2);
		return;
	}
	assert(text.nfiles == !slice_equal(old->text, new->text));
	if (text.nfiles > 0)
		verify_file(&text.files[0], old, new);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice all = slice_of((const char *)data, size);
	const char *nul = memchr(all.p, '\0', all.n);
	size_t n = nul != NULL ? (size_t)(nul - all.p) : size;
	struct part old = part_of(a, slice_of(all.p, n));
	struct part new = part_of(a, nul != NULL ? slice_of(nul + 1, size - n - 1) : slice_str(""));
	struct diff_text text;
	struct err err = { 0 };

	compare(a, &old, &new);
	if (diff_text_read(a, all, &text, &err) == -1) {
		assert(err.status == 500);
		text.nfiles = 0;
	}
	for (size_t i = 0; i < text.nfiles; i++)
		assert(utf8_valid(slice_str(text.files[i].path)));
	arena_free(a);
	return 0;
}
