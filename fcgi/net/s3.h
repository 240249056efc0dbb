#ifndef NET_S3_H
#define NET_S3_H

/*
 * A bucket of an object store that speaks Amazon's S3 (docs.aws.amazon.com, "Amazon S3 API Reference"): as
 * few requests as a store of blobs needs.  Each is signed (net/s3_sign.h), has a bound in time, and is
 * repeated where the store was not reached or answers 429, 500, 502, 503 or 504.  No redirect is followed,
 * and nothing of the environment but credentials is used.  Keys are relative to the prefix.  One request at
 * a time: others of the same process wait.
 *
 * -1 is 503 where the store does not answer, or answers what is neither success nor "no such key"; the
 * client is told that the store is away, and `detail` has method, key and the store's code, and never a
 * credential.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "net/s3_list.h"
#include "net/s3_request.h"

enum { S3_DIGEST_SIZE = 65, S3_TEXT_MAX = 4 * 1024 };

struct s3_object {
	int64_t size, modified; /* modified: seconds since 1970; 0: unknown */
	char sha256[S3_DIGEST_SIZE]; /* "": unknown */
};

/* 1: it is there, with the SHA-256 that the store has kept of it, if it keeps any; 0: no; -1: err. */
int s3_head(struct s3 *, struct arena *, const char *key, struct s3_object *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Writes its bytes to the beginning of fd, at most `max`, and has their size and SHA-256, as they came.
 * 1: done, 0: no such key, -1: also 500, 503 of the disk.
 */
int s3_get(struct s3 *, struct arena *, const char *key, int fd, int64_t max, struct s3_object *,
    struct err *)
    __attribute__((warn_unused_result));

/* The same of a text of S3_TEXT_MAX bytes at most. */
int s3_get_text(struct s3 *, struct arena *, const char *key, struct slice *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Puts size bytes of fd, from its beginning, whose SHA-256 the store compares.  only_new: leaves an object
 * that is there alone, if the store can do that.  1: it is stored, 0: there was one, -1: err.
 */
int s3_put(struct s3 *, struct arena *, const char *key, int fd, int64_t size, const char *sha256,
    bool only_new,
    struct err *) __attribute__((warn_unused_result));

/* The same of a text. */
int s3_put_text(struct s3 *, struct arena *, const char *key, struct slice, bool only_new, struct err *)
    __attribute__((warn_unused_result));

/* Copies within the bucket; the copy is new.  1: done, 0: no such key, -1: err. */
int s3_copy(struct s3 *, struct arena *, const char *from, const char *to, struct err *)
    __attribute__((warn_unused_result));

/* Also where it is not there. */
int s3_remove(struct s3 *, struct arena *, const char *key, struct err *) __attribute__((warn_unused_result));

/*
 * The next keys, in the order of their bytes, that begin with `under` and come after `after` ("": from the
 * first).
 */
int s3_list(struct s3 *, struct arena *, const char *under, const char *after, struct s3_page *, struct err *)
    __attribute__((warn_unused_result));

#endif
