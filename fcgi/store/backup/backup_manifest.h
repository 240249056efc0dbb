#ifndef STORE_BACKUP_BACKUP_MANIFEST_H
#define STORE_BACKUP_BACKUP_MANIFEST_H

/*
 * A directory of backups.  Each backup NAME, the time at which it began, has three files:
 *
 *	NAME.dump   the database, as pg_dump -Fc writes it
 *	NAME.blobs  the blobs that the database needs: a line "SHA-256 SIZE" for each, in their order
 *	NAME.json   the manifest, which is written last: without it there is no backup
 *
 * All backups share blobs/ab/cd/<sha256>: a blob never changes.  incoming/ has blobs that are being copied.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define BACKUP_BLOBS    "blobs"
#define BACKUP_INCOMING "incoming"

enum { BACKUP_DIGEST_SIZE = 65 };

struct backup_manifest {
	const char *name; /* "20260131T123456.789Z" */
	const char *registry; /* its id */
	const char *created_at; /* RFC 3339: the database is as it was at that time */
	const char *program; /* the version that made the backup */
	int64_t schema; /* the newest migration of the database */
	int64_t versions; /* rows */
	int64_t dump_bytes;
	char dump_sha256[BACKUP_DIGEST_SIZE];
	int64_t blobs, blob_bytes; /* that the database needs */
	int64_t blobs_missing; /* of these: neither the store nor earlier backups had them */
	char blobs_sha256[BACKUP_DIGEST_SIZE]; /* of the list */
};

/* "DIR/NAME" with that ending: ".dump" ... */
const char *backup_path(struct arena *, const char *dir, const char *name, const char *ending);

/* The names of the backups, oldest first.  -1: 404 there is no such directory, 500. */
int backup_names(struct arena *, const char *dir, const char ***names, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* Removes the files of backups that did not finish, and so have no manifest.  -1: 503, 500. */
int backup_clear(struct arena *, const char *dir, struct err *) __attribute__((warn_unused_result));

/* Writes the manifest; call it when everything else is on the disk.  -1: 503, 500. */
int backup_manifest_write(struct arena *, const char *dir, const struct backup_manifest *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Reads the manifest of a backup; name NULL: of the newest one.  -1: 404 there is none, 409 it is damaged,
 * 500.
 */
int backup_manifest_read(struct arena *, const char *dir, const char *name, struct backup_manifest *,
    struct err *) __attribute__((warn_unused_result));

/*
 * Checks that the file has this digest and this size (-1: any).  -1: 404 there is no file, 409 it differs,
 * 500.
 */
int backup_check_file(const char *path, const char *sha256, int64_t size, struct err *)
    __attribute__((warn_unused_result));

#endif
