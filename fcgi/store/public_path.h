#ifndef STORE_PUBLIC_PATH_H
#define STORE_PUBLIC_PATH_H

/*
 * Where things are in a public_dir (store/public_dir.h).  Names, versions and generations are checked
 * here, whoever has sent them: what becomes a part of a path has neither dots nor slashes that lead
 * out of it.
 *
 * Pure.
 */

#include <stdint.h>

#include "base/err.h"
#include "store/public_dir.h"

enum { PUBLIC_PATH_SIZE = 512 }; /* tree/signed/GENERATION/ID/NAME/VERSION has less than 350 */

/* 7/se/rd/serde, the name in any case, after what it lies below.  -1: 400, no name. */
int public_path_index(char path[PUBLIC_PATH_SIZE], const char *below, int64_t project_id,
    const char *name, struct err *) __attribute__((warn_unused_result));

/* tree/index/7/se/rd/serde.gz.  -1: the same. */
int public_path_public_index(char path[PUBLIC_PATH_SIZE], int64_t project_id, const char *name,
    struct err *) __attribute__((warn_unused_result));

/* tree/crates/7/Serde.  -1: the same. */
int public_path_crate(char path[PUBLIC_PATH_SIZE], int64_t project_id, const char *name,
    struct err *) __attribute__((warn_unused_result));

/* The place of what is wanted.  -1: 400, 500, there is none. */
int public_path_want(char path[PUBLIC_PATH_SIZE], const struct public_want *, struct err *)
    __attribute__((warn_unused_result));

#endif
