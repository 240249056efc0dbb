#include "api/web/heading_names.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

enum { NAME_MAX_BYTES = 256 };

/* Punctuation and symbols, emoji among them, in blocks that have few letters. */
static const struct {
	uint32_t first, last;
} dropped[] = {
	{ 0x80, 0xa9 }, { 0xab, 0xb4 }, { 0xb6, 0xb9 }, { 0xbb, 0xbf }, { 0xd7, 0xd7 }, { 0xf7, 0xf7 },
	{ 0x2000, 0x2bff }, { 0x3000, 0x3004 }, { 0x3008, 0x3020 }, { 0xfe00, 0xfe0f }, { 0xff00, 0xff0f },
	{ 0xff1a, 0xff20 }, { 0x1f000, 0x1faff },
};

static bool
is_dropped(uint32_t cp)
{
	if (cp < 0x80)
		return !isalnum((int)cp) && cp != '-' && cp != '_';
	for (size_t i = 0; i < sizeof(dropped) / sizeof(*dropped); i++) {
		if (cp >= dropped[i].first && cp <= dropped[i].last)
			return true;
	}
	return false;
}

/* Capitals of the scripts in which READMEs are written most, and how far their small letters are away. */
static const struct {
	uint32_t first, last, away, step; /* each step-th character is one */
} capitals[] = {
	{ 'A', 'Z', 0x20, 1 }, { 0xc0, 0xd6, 0x20, 1 }, { 0xd8, 0xde, 0x20, 1 }, { 0x391, 0x3a9, 0x20, 1 },
	{ 0x400, 0x40f, 0x50, 1 }, { 0x410, 0x42f, 0x20, 1 },
	/* Czech, Polish, Turkish (without the I with a dot) and others */
	{ 0x100, 0x12e, 1, 2 }, { 0x132, 0x136, 1, 2 }, { 0x139, 0x147, 1, 2 }, { 0x14a, 0x176, 1, 2 },
	{ 0x179, 0x17d, 1, 2 },
};

static uint32_t
lower(uint32_t cp)
{
	for (size_t i = 0; i < sizeof(capitals) / sizeof(*capitals); i++) {
		if (cp >= capitals[i].first && cp <= capitals[i].last && (cp - capitals[i].first) % capitals[i].step == 0)
			return cp + capitals[i].away;
	}
	return cp;
}

/* "What's new?" is "whats-new".  "": nothing is left, or too much. */
static const char *
name_of(struct arena *a, struct slice text)
{
	struct buf b;
	char character[4];
	uint32_t cp;
	size_t n;

	buf_init(&b, a, NAME_MAX_BYTES);
	for (; text.n > 0 && (n = utf8_decode(text.p, text.n, &cp)) > 0; text = slice_of(text.p + n, text.n - n)) {
		if (cp == ' ')
			buf_putc(&b, '-');
		else if (!is_dropped(cp))
			buf_put(&b, character, utf8_encode(lower(cp), character));
	}
	return buf_full(&b) ? "" : buf_str(&b);
}

static size_t
find(const struct heading_names *names, const char *name)
{
	size_t i = 0;

	while (i < names->n && strcmp(names->v[i].name, name) != 0)
		i++;
	return name[0] == '\0' ? names->n : i;
}

void
heading_names_add(struct arena *a, struct heading_names *names, struct slice text)
{
	const char *base = name_of(a, text), *name = base;
	size_t same = 0;

	assert(names->n < HEADING_NAMES_MAX);
	for (size_t i = 0; i < names->n; i++)
		same += strcmp(names->v[i].base, base) == 0;
	if (same > 0 && base[0] != '\0')
		name = arena_printf(a, "%s-%zu", base, same);
	names->v[names->n].base = base;
	names->v[names->n].name = find(names, name) < names->n ? "" : name;
	names->n++;
}

size_t
heading_names_find(struct arena *a, const struct heading_names *names, struct slice name)
{
	return find(names, name_of(a, name));
}
