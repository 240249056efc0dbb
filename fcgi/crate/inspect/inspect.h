#ifndef CRATE_INSPECT_INSPECT_H
#define CRATE_INSPECT_INSPECT_H

/*
 * A .crate, read strictly as a stream of bytes: exactly one gzip member, a tar
 * of which every header is understood, one Cargo.toml.  Nothing is unpacked;
 * memory is bounded whatever the crate.  berth-inspect(1) has
 * the rules.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/inspect/verdict.h"

/* As in berth.conf(5). */
enum { INSPECT_ENTRIES_MAX = 1000000 };

struct inspect_limits {
	uint64_t max_unpacked; /* bytes; reaching it is already too much, as cargo counts */
	uint64_t max_entries;
	/*
	 * NAME-VERSION, the folder that everything must be in; NULL: that of the
	 * first entry.  Either way it must be the manifest's.  Must outlive the inspection.
	 */
	const char *folder;
};

struct inspect;

/*
 * Everything lives as long as the arena.  Opens everything that it needs from the system, so that the
 * caller can enter the sandbox before the first byte of the crate.
 */
struct inspect *inspect_new(struct arena *, const struct inspect_limits *);

/*
 * The same in two steps, for a process that gets ready before it knows the crate: inspect_prepare() does what
 * takes long, and is the same for each crate.
 */
struct inspect *inspect_prepare(struct arena *);
void inspect_begin(struct inspect *, const struct inspect_limits *);

/*
 * Hashes no files: only a crate in which a path comes twice needs that, and hardly any is so.  Call it
 * after inspect_begin(), if you can read the crate again.  If a path comes twice after all,
 * inspect_push() returns -1, and inspect_repeats() is true: the inspection has begun anew, now with
 * hashes, and takes the crate from its first byte.  That works in the sandbox, too.
 */
void inspect_expect_once(struct inspect *);
bool inspect_repeats(struct inspect *);

/* Takes the next bytes of the crate.  -1: 400, why it is refused, or 500. */
int inspect_push(struct inspect *, struct slice, struct err *) __attribute__((warn_unused_result));

/*
 * The crate has ended: reads the manifest, compares it with the folder that
 * all entries lie in, fills the verdict.  -1: 400, why it is refused.
 */
int inspect_end(struct inspect *, struct verdict *, struct err *)
    __attribute__((warn_unused_result));

#endif
