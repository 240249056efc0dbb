#ifndef STORE_BLOB_BLOB_FILES_H
#define STORE_BLOB_BLOB_FILES_H

/* A store that is a directory, on a file system that all nodes share. */

#include "store/blob/blob_kind.h"

extern const struct blob_kind blob_files;

#endif
