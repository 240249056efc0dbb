#ifndef STORE_BLOB_BLOB_OBJECTS_H
#define STORE_BLOB_BLOB_OBJECTS_H

/*
 * A store that is a bucket of an object store (net/s3.h).  The object store checks the SHA-256 of each
 * upload, and Berth checks the SHA-256 of each download against its name before anybody gets it.  A
 * collection copies an object to the trash and then removes the original; if it dies in between, the next
 * one continues.
 */

#include "store/blob/blob_kind.h"

extern const struct blob_kind blob_objects;

#endif
