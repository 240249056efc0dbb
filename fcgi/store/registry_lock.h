#ifndef STORE_REGISTRY_LOCK_H
#define STORE_REGISTRY_LOCK_H

/*
 * Who changes many objects of the registry as a whole, or makes one only if it is missing, does so one after
 * the other.
 */

#include "store/db/db.h"

/* Inside a transaction, until it ends.  -1: 503 another one takes too long. */
int registry_lock(struct db *, struct arena *, struct err *) __attribute__((warn_unused_result));

#endif
