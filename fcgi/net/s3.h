#ifndef NET_S3_H
#define NET_S3_H

/*
 * The requests to a bucket of an object store with Amazon's S3 API (docs.aws.amazon.com, "Amazon S3 API
 * Reference") that a store of blobs needs.  Each is signed (net/s3_sign.h) and has a time limit, and is
 * repeated if the store cannot be reached or answers 429, 500, 502, 503 or 504.  It follows no redirect,
 * and uses no environment variables but those of the credentials.  Keys are relative to the prefix.  A
 * process makes one request at a time; others wait.
 *
 * -1: 503, the store does not answer in time, or its answer is neither success nor "no such key".  The
 * client learns that the store is away, or refuses a request; `detail` has method, key, status, the store's
 * error code and a remedy, and never a credential.  500: there are no credentials, or a library of this host
 * fails.
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

/* Looks for an object.  1: it exists, with its SHA-256 if the store keeps one; 0: no such key; -1: err. */
int s3_head(struct s3 *, struct arena *, const char *key, struct s3_object *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Reads an object of at most `max` bytes and writes it to the beginning of fd; *out gets the size and
 * SHA-256 of the bytes that came.  1: done, 0: no such key, -1: also 409, the object is larger; 500, 503 of
 * the disk.
 */
int s3_get(struct s3 *, struct arena *, const char *key, int fd, int64_t max, struct s3_object *,
    struct err *)
    __attribute__((warn_unused_result));

/* The same for a text of at most S3_TEXT_MAX bytes. */
int s3_get_text(struct s3 *, struct arena *, const char *key, struct slice *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Writes an object: `size` bytes of fd, from its beginning.  The store checks their SHA-256.  only_new: does
 * not replace an existing object, if the store supports that.  1: it is stored, 0: an object exists already,
 * -1: err.
 */
int s3_put(struct s3 *, struct arena *, const char *key, int fd, int64_t size, const char *sha256,
    bool only_new, struct err *) __attribute__((warn_unused_result));

/* The same for a text. */
int s3_put_text(struct s3 *, struct arena *, const char *key, struct slice, bool only_new, struct err *)
    __attribute__((warn_unused_result));

/*
 * Copies an object within the bucket; the copy has a new modification time.  1: done, 0: no such key, -1:
 * err.
 */
int s3_copy(struct s3 *, struct arena *, const char *from, const char *to, struct err *)
    __attribute__((warn_unused_result));

/* Removes an object; a missing one is no error. */
int s3_remove(struct s3 *, struct arena *, const char *key, struct err *) __attribute__((warn_unused_result));

/*
 * Lists the next keys that begin with `under` and come after `after` ("": from the first), in the order of
 * their bytes.  page->more: there are keys after the last one here, which exists.
 */
int s3_list(struct s3 *, struct arena *, const char *under, const char *after, struct s3_page *, struct err *)
    __attribute__((warn_unused_result));

#endif
