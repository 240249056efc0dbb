#ifndef STORE_BLOB_BLOB_OBJECTS_H
#define STORE_BLOB_BLOB_OBJECTS_H

/*
 * A store that is a bucket of an object store (net/s3.h).  The store compares the SHA-256 of what it gets,
 * and whatever comes back is compared with its name before anybody has it.  A collection copies an object
 * to the trash and removes the first one; where it dies in between, the next one goes on.
 */

#include "store/blob/blob_kind.h"

extern const struct blob_kind blob_objects;

#endif
