#ifndef CACHE_CACHE_PATH_H
#define CACHE_CACHE_PATH_H

/*
 * The places of files and grants below cache_dir (cache/cache_dir.h).  It checks names, versions, handles
 * and epochs, wherever they come from: no part of a path has a dot or a slash that leads out.
 *
 * Pure.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "access/token.h"
#include "base/err.h"
#include "crate/crate_name.h"
#include "crate/semver.h"

enum {
	CACHE_PATH_SIZE = 320, /* project/ID/crates/NAME/VERSION has less than 250 */
	CACHE_EPOCH_SIZE = 37
};

/*
 * Whose registry: a project's, by its id, or a group's, by minus its id.
 * One file of it: config.json, an index file or a crate.
 */
struct cache_file {
	int64_t namespace;
	char name[CRATE_NAME_MAX + 1]; /* "": config.json */
	char version[SEMVER_MAX + 1]; /* "": the index file */
};

/*
 * The holder of a grant: a token by its handle, anyone, or whoever asks without a token from an address:
 * "net-192.0.2.1", with the address in nginx's spelling.
 */
#define CACHE_ANYONE "anyone"
#define CACHE_NET "net-"
enum { CACHE_WHO_SIZE = sizeof(CACHE_NET) + INET6_ADDRSTRLEN };
struct cache_who {
	char name[CACHE_WHO_SIZE];
};

static inline bool
cache_who_is_anyone(const struct cache_who *who)
{
	return strcmp(who->name, CACHE_ANYONE) == 0;
}

static inline bool
cache_who_is_token(const struct cache_who *who)
{
	return !cache_who_is_anyone(who) && strncmp(who->name, CACHE_NET, strlen(CACHE_NET)) != 0;
}

/* The address of a holder that is one; NULL: it is none. */
const char *cache_who_address(const struct cache_who *);

/* Makes the holder of that address.  False: it is no address, as where nginx listens on a Unix socket. */
bool cache_who_at(struct cache_who *, const char *address);

/* "project/7", "group/12"; "extract/7". */
void cache_path_namespace(char path[CACHE_PATH_SIZE], int64_t namespace);
void cache_path_extracts(char path[CACHE_PATH_SIZE], int64_t project_id);

/*
 * "project/7/config.json", "project/7/index/se/rd/serde.gz", "project/7/crates/Serde/1.0.0"; below
 * "group/12" of a group.  -1: 400.
 */
int cache_path_file(char path[CACHE_PATH_SIZE], const struct cache_file *, struct err *)
    __attribute__((warn_unused_result));

/* "project/7/index/se/rd/serde.absent": the mark of an index file whose crate does not exist.  -1: 400. */
int cache_path_absent(char path[CACHE_PATH_SIZE], int64_t namespace, const char *name, struct err *)
    __attribute__((warn_unused_result));

/* "project/7/crates/Serde".  -1: 400, no name of a crate. */
int cache_path_crate(char path[CACHE_PATH_SIZE], int64_t namespace, const char *name, struct err *)
    __attribute__((warn_unused_result));

/*
 * "grant/EPOCH/WHO"; with a namespace "grant/EPOCH/WHO/7", of a group "grant/EPOCH/WHO/g12".  Epoch and
 * holder must be valid.
 */
void cache_path_grant(char path[CACHE_PATH_SIZE], const char *epoch, const struct cache_who *,
    int64_t namespace);

/* "grant/EPOCH/page": no holder has that name. */
void cache_path_pages(char path[CACHE_PATH_SIZE], const char *epoch);

bool cache_epoch_valid(const char *);
bool cache_who_valid(const char *);

#endif
