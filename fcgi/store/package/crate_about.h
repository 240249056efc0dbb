#ifndef STORE_PACKAGE_CRATE_ABOUT_H
#define STORE_PACKAGE_CRATE_ABOUT_H

/*
 * Reads the details of one crate and of its listed versions, yanked or not.  Versions that are hidden, in
 * error or deleted are not listed; a crate without any listed version does not exist here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "crate/semver.h"
#include "store/db/db.h"

struct about_number {
	int64_t id;
	const char *version;
	struct semver semver;
	bool yanked;
};

struct about_crate {
	int64_t id;
	const char *name;
	const char *created_at, *updated_at;
	/* of the version that search shows as well */
	int64_t shown_id;
	const char *shown;
	bool shown_is_yanked; /* then all are */
	const char *description, *homepage, *documentation, *repository; /* NULL: none */
	const char *keywords, *categories; /* arrays of JSON */
	struct about_number *numbers; /* the newest 10000, the highest first */
	size_t n;
};

struct about_version {
	const char *crate;
	int64_t id;
	const char *version;
	const char *published_at;
	bool yanked;
	const char *yank_message;
	int64_t size;
	const char *cksum;
	const char *license, *links, *rust_version, *edition;
	bool has_lib;
	const char *bins; /* an array of JSON */
	const char *description, *homepage, *documentation, *repository;
	const char *features; /* an object of JSON */
	int64_t downloads;
	int64_t user_id; /* who published it; 0: nobody that is known */
	const char *username, *user_name;
};

/* By name in any spelling.  -1: 404 "crate `x` does not exist", 503. */
int crate_about_find(struct db *, struct arena *, int64_t project_id, struct slice name,
    struct about_crate *, struct err *) __attribute__((warn_unused_result));

/* By name in any spelling and version, with or without build metadata.  -1: 404, 503. */
int crate_about_find_version(struct db *, struct arena *, int64_t project_id, struct slice name,
    struct slice version, struct about_version *, struct err *) __attribute__((warn_unused_result));

/*
 * Reads n versions of one crate, in the order of the ids.  It stops after the version with which the texts
 * of the publishers pass 2 MB, so *nfound may be less than n, but is at least 1 unless n is 0.  -1: 503.
 */
int crate_about_versions(struct db *, struct arena *, const int64_t *ids, size_t n,
    struct about_version **, size_t *nfound, struct err *) __attribute__((warn_unused_result));

/* The downloads of all versions, deleted ones included; *recent: in the last 90 days.  -1: 503. */
int crate_about_downloads(struct db *, struct arena *, int64_t crate_id, int64_t *all, int64_t *recent,
    struct err *) __attribute__((warn_unused_result));

#endif
