#ifndef CRATE_RETENTION_H
#define CRATE_RETENTION_H

/* Decides which versions of a crate a retention policy deletes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RETENTION_ALL = -1 };

struct retention_policy {
	int64_t keep_prereleases; /* the newest so many; RETENTION_ALL: all of them */
	int64_t unused_days; /* not downloaded for so long; RETENTION_ALL: that is no reason */
	int64_t keep_newest; /* these stay in any case, at least 1 */
	/* when downloads were counted: what nobody has looked at is not unused; 0: never */
	int64_t counted_from;
	int64_t counted_to;
};

enum retention_why { RETENTION_KEEP, RETENTION_PRERELEASE, RETENTION_UNUSED };

/* "", "pre-release", "unused" */
extern const char *const retention_why_names[];

struct retention_version {
	const char *version;
	bool yanked;
	int64_t published_at;
	int64_t last_used_at; /* 0: never, which counts from the publication */
	enum retention_why why; /* what retention_judge() says */
};

/*
 * Judges all versions of one crate, in the order of their publication.  These always stay: the newest
 * version; the latest stable version that is not yanked, or, if all are yanked, the latest stable one; and
 * a text that is no version.  Returns the index of that stable version, or of the newest one if none is
 * stable, and n of no versions.
 */
size_t retention_judge(const struct retention_policy *, struct retention_version *, size_t n,
    int64_t now);

#endif
