#ifndef CRATE_ARCHIVE_TAR_PAX_H
#define CRATE_ARCHIVE_TAR_PAX_H

/*
 * The records of a PAX extended header ("27 path=..."), for the few keys that
 * cannot make two readers see two archives.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct tar_pax {
	bool has_path, has_size;
	struct slice path; /* points into the records */
	uint64_t size;
};

/* -1: 400, a record is malformed, or its key is unknown or given twice. */
int tar_pax_parse(struct slice records, struct tar_pax *, struct err *)
    __attribute__((warn_unused_result));

#endif
