#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

void
json_out_init(struct json_out *o, struct buf *b)
{
	*o = (struct json_out) { .b = b };
}

/* A comma before every value but the first of its object or array, and none after a key. */
static void
separate(struct json_out *o)
{
	if (o->comma[o->depth])
		buf_putc(o->b, ',');
	o->comma[o->depth] = true;
}

void
json_out_open(struct json_out *o, char bracket)
{
	separate(o);
	buf_putc(o->b, bracket);
	assert(o->depth + 1 < JSON_OUT_DEPTH);
	o->comma[++o->depth] = false;
}

void
json_out_close(struct json_out *o, char bracket)
{
	assert(o->depth > 0);
	o->depth--;
	buf_putc(o->b, bracket);
}

static void
put_string(struct buf *b, struct slice s)
{
	static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	size_t start = 0;

	buf_putc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		const char *e = NULL;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_put(b, s.p + start, i - start);
		start = i + 1;
		for (size_t k = 0; escapes[k] != '\0'; k += 2) {
			if ((unsigned char)escapes[k] == c)
				e = &escapes[k + 1];
		}
		if (e != NULL) {
			buf_putc(b, '\\');
			buf_putc(b, *e);
		} else {
			buf_printf(b, "\\u%04x", c);
		}
	}
	buf_put(b, s.p + start, s.n - start);
	buf_putc(b, '"');
}

void
json_out_key(struct json_out *o, const char *key)
{
	separate(o);
	put_string(o->b, slice_str(key));
	buf_putc(o->b, ':');
	o->comma[o->depth] = false; /* the value follows at once */
}

void
json_out_str(struct json_out *o, const char *value)
{
	if (value == NULL)
		json_out_null(o);
	else
		json_out_slice(o, slice_str(value));
}

void
json_out_slice(struct json_out *o, struct slice value)
{
	separate(o);
	put_string(o->b, value);
}

void
json_out_int(struct json_out *o, int64_t value)
{
	separate(o);
	buf_printf(o->b, "%" PRId64, value);
}

void
json_out_bool(struct json_out *o, bool value)
{
	separate(o);
	buf_puts(o->b, value ? "true" : "false");
}

void
json_out_null(struct json_out *o)
{
	separate(o);
	buf_puts(o->b, "null");
}

void
json_out_raw(struct json_out *o, struct slice json)
{
	separate(o);
	buf_put_slice(o->b, json);
}

void
json_out_key_str(struct json_out *o, const char *key, const char *value)
{
	json_out_key(o, key);
	json_out_str(o, value);
}

void
json_out_key_bool(struct json_out *o, const char *key, bool value)
{
	json_out_key(o, key);
	json_out_bool(o, value);
}

void
json_out_key_int(struct json_out *o, const char *key, int64_t value)
{
	json_out_key(o, key);
	json_out_int(o, value);
}

void
json_out_key_id(struct json_out *o, const char *key, int64_t value)
{
	json_out_key(o, key);
	if (value == 0)
		json_out_null(o);
	else
		json_out_int(o, value);
}

void
json_out_key_time(struct json_out *o, const char *key, int64_t value)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339((time_t)value, text);
	json_out_key_str(o, key, text);
}

void
json_out_key_words(struct json_out *o, const char *key, const char *list)
{
	json_out_key(o, key);
	if (list == NULL) {
		json_out_null(o);
		return;
	}
	json_out_open(o, '[');
	while (*list != '\0') {
		size_t n = strcspn(list, ",");

		json_out_slice(o, slice_of(list, n));
		list += n + (list[n] == ',');
	}
	json_out_close(o, ']');
}
