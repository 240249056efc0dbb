#ifndef ADMIN_PROVISION_QUOTA_WORDS_H
#define ADMIN_PROVISION_QUOTA_WORDS_H

/* KEY=VALUE for quotas, of projects and of groups. */

#include <stdbool.h>

#include "admin/provision/provision.h"
#include "base/slice.h"
#include "store/package/quota.h"

/* Is this one of the keys? */
bool quota_words_is_key(struct slice key);

/* A number, or a size with a unit; "" and `default` are no limit.  -1: 400. */
int quota_words_parse(struct arena *, enum quota_kind, const char *value, int64_t *max, struct err *)
    __attribute__((warn_unused_result));

/* A size for people: "2g (2147483648)", or only the digits if it is no multiple of a unit. */
const char *quota_words_size(struct arena *, const char *bytes);

/*
 * Reads the words that set quotas and skips the others.  max has QUOTA__MAX entries; *any: a word sets a
 * quota.
 */
int quota_words_read(struct arena *, const char *const *words, size_t n, int64_t *max, bool *any,
    struct err *)
    __attribute__((warn_unused_result));

#endif
