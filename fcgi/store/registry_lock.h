#ifndef STORE_REGISTRY_LOCK_H
#define STORE_REGISTRY_LOCK_H

/*
 * Serializes transactions that change many objects of the registry, or that make an object only if it is
 * missing.
 */

#include "store/db/db.h"

/* Takes the lock until the open transaction ends.  -1: 503 another transaction holds it too long. */
int registry_lock(struct db *, struct arena *, struct err *) __attribute__((warn_unused_result));

#endif
