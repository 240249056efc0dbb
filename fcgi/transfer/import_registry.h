#ifndef TRANSFER_IMPORT_REGISTRY_H
#define TRANSFER_IMPORT_REGISTRY_H

/* The URLs by which crates name the registry that they come from. */

#include <stdbool.h>

#include "base/err.h"

enum { IMPORT_REGISTRIES_MAX = 4, IMPORT_REGISTRY_URL_MAX = 1024 };

/*
 * Is it the URL of an index, as cargo writes it into index lines and manifests, of a sparse index or a git
 * one?  -1: 400, with the forms, or with the limit of IMPORT_REGISTRY_URL_MAX bytes.
 */
int import_registry_check(const char *url, struct err *) __attribute__((warn_unused_result));

/*
 * Is the registry one of them, in another spelling or not, such as that of a lock file?  NULL ends a shorter
 * list.
 */
bool import_registry_is_among(const char *const urls[IMPORT_REGISTRIES_MAX], const char *registry);

#endif
