#ifndef STORE_NAMESPACE_REF_H
#define STORE_NAMESPACE_REF_H

/* Namespaces: projects and groups. */

#include <stdint.h>

#include "base/slice.h"
#include "store/db/db.h"

/* A project, or a group, as a URL names it: by id, or by full path (id is 0 then). */
struct namespace_ref {
	int64_t id;
	struct slice path;
};

/* Binds id or path as two parameters, one of them null. */
void namespace_ref_bind(struct db_params *, struct arena *, const struct namespace_ref *);

#endif
