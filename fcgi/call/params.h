#ifndef CALL_PARAMS_H
#define CALL_PARAMS_H

/*
 * The parameters of a management call: of the query, and of a body that is a JSON object or a form
 * (application/x-www-form-urlencoded), as GitLab's clients send them.  The body goes before the query.  A
 * parameter that nobody asks for is ignored; null is as good as none.
 *
 * Each getter leaves *out as it is where there is no such parameter, and gives -1 with 400 for a
 * value that is of another kind: "name is invalid", "page must be a number from 1 to 100".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/slice.h"
#include "http/request.h"

enum {
	PARAMS_BODY_MAX = 64 * 1024, /* bytes of the body: 413 above, by the router's body_rule */
	PARAMS_TEXT_MAX = 8 * 1024, /* bytes of one value */
	PARAMS_LIST_MAX = 100 /* entries of one list */
};

struct params {
	struct request *rq;
	struct json_object *json; /* NULL: the body is none of JSON */
	struct slice form; /* empty: it is no form */
};

/*
 * Reads the body, if there is one; the route's body rule must be BODY_PARAMS.  -1: 400 for a body
 * that is malformed, 413 for one that is too large, 415 for one of another kind.
 */
int params_read(struct request *, struct params *) __attribute__((warn_unused_result));

/* Text, without NUL, valid UTF-8; a number or true or false of JSON counts as its text. */
int params_str(struct params *, const char *name, const char **out)
    __attribute__((warn_unused_result));

/* As params_str; -1: 400 "name is missing" where there is none or it is empty. */
int params_required(struct params *, const char *name, const char **out)
    __attribute__((warn_unused_result));

/*
 * As params_str, for a secret.  -1: 400, also where the query has one, good or not: addresses
 * end up in logs.
 */
int params_secret(struct params *, const char *name, const char **out)
    __attribute__((warn_unused_result));

/* A whole number from min to max. */
int params_int(struct params *, const char *name, int64_t min, int64_t max, int64_t *out)
    __attribute__((warn_unused_result));

/* true, false, 1 or 0; also True and False, as clients in Python say. */
int params_bool(struct params *, const char *name, bool *out) __attribute__((warn_unused_result));

/* Points *out to *value if the request has the parameter; else *out stays as it is. */
int params_bool_given(struct params *, const char *name, bool *value, const bool **out)
    __attribute__((warn_unused_result));

/* One of n words: *out is which. */
int params_word(struct params *, const char *name, const char *const *words, size_t n,
    size_t *out) __attribute__((warn_unused_result));

/*
 * A list: an array of JSON, `name[]` as often as there are entries, or one text with commas
 * between.  *n is left as it is where there is none.
 */
int params_list(struct params *, const char *name, const char *const **out, size_t *n)
    __attribute__((warn_unused_result));

/* As params_list, of ids; *n is 0 where there is none. */
int params_ids(struct params *, const char *name, const int64_t **out, size_t *n)
    __attribute__((warn_unused_result));

/*
 * As params_list, in one text with commas between, as access/token_words.h takes it.  -1: 400, also for
 * an empty list or entry: nobody can mean all by it.
 */
int params_words(struct params *, const char *name, const char **out)
    __attribute__((warn_unused_result));

/* The beginning of a day (base/date.h).  An empty text is as good as none. */
int params_date(struct params *, const char *name, int64_t *out) __attribute__((warn_unused_result));

/* The same for the end of something, which must be after now. */
int params_date_end(struct params *, const char *name, int64_t *out) __attribute__((warn_unused_result));

/* Refuses a parameter that would have no effect.  -1: 400 the request has a value for it. */
int params_refuse(struct params *, const char *name) __attribute__((warn_unused_result));

/* An id in the path, by the name that the route gives it.  -1: 400. */
int params_path_id(struct request *, const char *name, int64_t *out)
    __attribute__((warn_unused_result));

/* Is the parameter there, even as null?  That tells "take it away" from "leave it as it is". */
bool params_has(struct params *, const char *name);

/* Has the parameter a value, even a bad one?  null is none. */
bool params_gives(struct params *, const char *name);

#endif
