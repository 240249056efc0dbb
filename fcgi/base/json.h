#ifndef BASE_JSON_H
#define BASE_JSON_H

/*
 * JSON in and out.
 *
 * In: json_parse() first walks the bytes with a strict grammar of RFC 8259
 * (json-c alone lets NaN, comments, duplicate keys, lone surrogates, NUL and
 * trailing bytes pass) and only then builds json-c's tree.  Refused, each with
 * 400: anything after the value, a key given twice in one object, invalid
 * UTF-8, raw control bytes, \u0000, lone surrogates, numbers that are not
 * finite, nesting over the limit, truncation, an empty text.
 *
 * Out: struct json_out writes into a buf and keeps the commas.
 */

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum { JSON_DEPTH_MAX = 32 };

/*
 * The value in *out lives as long as the arena.  -1: 400 with the sentence
 * "<what>: <reason> at line L column C", or "<what>: field `key` must not hold a NUL character (U+0000)",
 * where `key` is of the outermost object.
 */
int json_parse(struct arena *, struct slice text, const char *what, struct json_object **out,
    struct err *) __attribute__((warn_unused_result));

/* Only the strict walk, as json_parse does it; no tree is built. */
int json_check(struct arena *, struct slice text, const char *what, struct err *)
    __attribute__((warn_unused_result));

/*
 * Typed members of an object.  A missing member and null count as absent: *out
 * is then left as it is and 0 is returned, unless `required`.  Errors are 400
 * "<what>: missing field `key`" and "<what>: field `key` must be a string".
 * Strings are borrowed from the tree and hold no NUL.
 */
struct json_get {
	struct json_object *obj;
	const char *what; /* starts each sentence, e.g. "invalid upload request" */
	struct err *err;
};

int json_get_str(const struct json_get *, const char *key, bool required, const char **out)
    __attribute__((warn_unused_result));
int json_get_bool(const struct json_get *, const char *key, bool required, bool *out)
    __attribute__((warn_unused_result));
int json_get_int(const struct json_get *, const char *key, bool required, int64_t *out)
    __attribute__((warn_unused_result));
int json_get_array(const struct json_get *, const char *key, bool required,
    struct json_object **out) __attribute__((warn_unused_result));
int json_get_object(const struct json_get *, const char *key, bool required,
    struct json_object **out) __attribute__((warn_unused_result));

enum { JSON_OUT_DEPTH = 32 };

struct json_out {
	struct buf *b;
	int depth;
	bool comma[JSON_OUT_DEPTH];
};

void json_out_init(struct json_out *, struct buf *);
void json_out_open(struct json_out *, char bracket); /* '{' or '[' */
void json_out_close(struct json_out *, char bracket); /* '}' or ']' */
void json_out_key(struct json_out *, const char *key);
void json_out_str(struct json_out *, const char *value); /* NULL: null */
void json_out_slice(struct json_out *, struct slice value);
void json_out_int(struct json_out *, int64_t value);
void json_out_bool(struct json_out *, bool value);
void json_out_null(struct json_out *);
/* A value that is JSON already. */
void json_out_raw(struct json_out *, struct slice json);
/* A key and its value. */
void json_out_key_str(struct json_out *, const char *key, const char *value); /* NULL: null */
void json_out_key_bool(struct json_out *, const char *key, bool value);
void json_out_key_int(struct json_out *, const char *key, int64_t value);
/* ["a", "b"] of "a,b"; NULL: null. */
void json_out_key_words(struct json_out *, const char *key, const char *list);
void json_out_key_id(struct json_out *, const char *key, int64_t value); /* 0: null */
/* Seconds since 1970: "2026-01-31T12:34:56Z". */
void json_out_key_time(struct json_out *, const char *key, int64_t value);

#endif
