#ifndef NET_S3_LIST_H
#define NET_S3_LIST_H

/* The answer of an object store to ListObjectsV2, an XML document. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum { S3_KEY_MAX = 1024, S3_PAGE_MAX = 1000 };

struct s3_entry {
	const char *key;
	int64_t size, modified; /* modified: seconds since 1970 */
};

struct s3_page {
	struct s3_entry *entries;
	size_t n;
	bool more;
};

/*
 * Parses the answer; its strings live in the arena.  -1: 503: the text is not such a list, or has more than
 * S3_PAGE_MAX entries.
 */
int s3_list_parse(struct arena *, struct slice xml, struct s3_page *, struct err *)
    __attribute__((warn_unused_result));

#endif
