#ifndef STORE_BACKUP_BACKUP_MANIFEST_H
#define STORE_BACKUP_BACKUP_MANIFEST_H

/*
 * The files of a target (backup_target.h).  NAME of a backup is the time at which it began; it has three
 * files:
 *
 *	NAME.dump   the database, as pg_dump -Fc writes it
 *	NAME.blobs  the blobs that the database needs: a line "SHA-256 SIZE" for each, in their order
 *	NAME.json   the manifest, which is written last: without it there is no backup
 *
 * All backups share blobs/ab/cd/<sha256>: a blob never changes.  In a directory, incoming/ has the blobs that
 * a backup is copying, and a file that it is writing has a name that ends in .new.  In a bucket, backups-of
 * has the id of the registry.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/backup/backup_target.h"

enum { BACKUP_DIGEST_SIZE = 65 };

struct backup_manifest {
	const char *name; /* "20260131T123456.789Z" */
	const char *registry; /* its id */
	const char *created_at; /* RFC 3339: the database is as it was at that time */
	/*
	 * When the database adopted its store, in the form of `name` but with microseconds.  It tells a
	 * restored database from its original.  "": never; NULL: an older program made the backup.
	 */
	const char *adopted_at;
	const char *program; /* the version that made the backup */
	int64_t schema; /* the newest migration of the database */
	int64_t versions; /* rows */
	int64_t dump_bytes;
	char dump_sha256[BACKUP_DIGEST_SIZE];
	int64_t blobs, blob_bytes; /* that the database needs */
	int64_t blobs_missing; /* of these: neither the store nor earlier backups had them */
	char blobs_sha256[BACKUP_DIGEST_SIZE]; /* of the list */
};

/* The names of the backups, oldest first.  -1: 404 there is no such target, 503, 500. */
int backup_names(struct arena *, const struct backup_target *, const char ***names, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* Removes a backup, but for its blobs.  -1: 503, 500. */
int backup_remove(struct arena *, const struct backup_target *, const char *name, struct err *)
    __attribute__((warn_unused_result));

/* Removes the files of backups that did not finish, and so have no manifest.  -1: 503, 500. */
int backup_clear(struct arena *, const struct backup_target *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Keeps a file of target->kind->create(), and returns its size and its SHA-256.  -1: as target->kind->keep().
 */
int backup_keep(struct arena *, const struct backup_target *, const char *file, int fd,
    char sha256[BACKUP_DIGEST_SIZE], int64_t *size, struct err *) __attribute__((warn_unused_result));

/* Writes the manifest; call it when everything else is on the disk.  -1: 503, 500. */
int backup_manifest_write(struct arena *, const struct backup_target *, const struct backup_manifest *,
    struct err *) __attribute__((warn_unused_result));

/*
 * Reads the manifest of a backup; name NULL: of the newest one.  -1: 404 there is none, 409 it is damaged,
 * 503, 500.
 */
int backup_manifest_read(struct arena *, const struct backup_target *, const char *name,
    struct backup_manifest *, struct err *) __attribute__((warn_unused_result));

#endif
