#ifndef ADMIN_PROVISION_NAMESPACE_WORDS_H
#define ADMIN_PROVISION_NAMESPACE_WORDS_H

/* KEY=VALUE words that change a project or a group: all of them in one transaction, or none. */

#include "admin/provision/provision.h"

/* -1: 400, 404; nothing is changed then. */
int namespace_words_set_project(const struct provision *, const char *path, const char *const *words,
    size_t n, int64_t *id, struct err *) __attribute__((warn_unused_result));
int namespace_words_set_group(const struct provision *, const char *path, const char *const *words,
    size_t n, struct err *) __attribute__((warn_unused_result));

#endif
