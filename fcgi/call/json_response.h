#ifndef CALL_JSON_RESPONSE_H
#define CALL_JSON_RESPONSE_H

/* An answer in JSON, written piece by piece, made for one caller. */

#include "base/buf.h"
#include "base/json.h"
#include "call/pagination.h"

struct json_response {
	struct json_out o;
	struct buf b;
};

/* Do not move the struct: o points into it. */
void json_response_init(struct json_response *, struct request *);

/* -1: 500 where it is longer than any answer may be. */
int json_response_send(const struct json_response *, struct request *, struct response *, int status)
    __attribute__((warn_unused_result));

/* Answers 204, without a body. */
int json_response_empty(struct response *);

/*
 * An answer that is a list in pages: begin, put entries, end.  `total` of them are in all pages
 * together.  -1 as json_response_send().
 */
void json_response_begin_list(struct json_response *, struct request *);
int json_response_end_list(struct json_response *, const struct worker_app *, struct request *,
    struct response *, const struct pagination *, size_t total) __attribute__((warn_unused_result));

/* Which of n entries, all in memory, are on the page: those from *from to before *to. */
void json_response_page(const struct pagination *, size_t n, size_t *from, size_t *to);

#endif
