#ifndef ADMIN_PROVISION_WISHES_H
#define ADMIN_PROVISION_WISHES_H

/*
 * The file of berth apply: TOML with an array of tables for each kind of object, [[user]] ... [[trust]], and
 * in them the keys of provision.h.
 */

#include <stdint.h>

#include "admin/provision/provision.h"

struct wish {
	struct provision_thing thing;
	uint32_t line;
};

struct wishes {
	const char *file; /* as it is called in sentences */
	struct wish *all; /* in the order in which they are to be made */
	size_t n;
};

/* Reads text into `wishes`, whose `file` is set.  -1: 409 "FILE:LINE: what is wrong". */
int wishes_read(struct arena *, struct slice text, struct wishes *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Puts "FILE:LINE: [[KIND]] NAMES: " before the sentence of an error about one object, and makes it a 409.
 * Returns -1.
 */
int wishes_blame_wish(struct arena *, const struct wishes *, const struct wish *, struct err *);

#endif
