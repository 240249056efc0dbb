#ifndef API_ANSWER_H
#define API_ANSWER_H

/* An answer of the management API: JSON, written piece by piece, made for one caller. */

#include "api/page.h"
#include "base/buf.h"
#include "base/json.h"

struct answer {
	struct json_out o;
	struct buf b;
};

/* Whoever has the answer must not move it: o points into it. */
void answer_init(struct answer *, struct request *);

/* -1: 500 where it is longer than any answer may be. */
int answer_send(const struct answer *, struct request *, struct response *, int status)
    __attribute__((warn_unused_result));

/* 204, for what leaves nothing to tell. */
int answer_nothing(struct response *);

/*
 * An answer that is a list in pages: begin, put entries, end.  `total` of them are in all pages
 * together.  -1 as answer_send().
 */
void answer_list_begin(struct answer *, struct request *);
int answer_list_end(struct answer *, const struct worker_app *, struct request *,
    struct response *, const struct page *, size_t total) __attribute__((warn_unused_result));

/* Which of n entries, all in memory, are on the page: those from *from to before *to. */
void answer_page(const struct page *, size_t n, size_t *from, size_t *to);

#endif
