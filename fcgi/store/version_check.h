#ifndef STORE_VERSION_CHECK_H
#define STORE_VERSION_CHECK_H

/* What the database knows against a publish. */

#include "store/version.h"

/*
 * May the token publish this, by its limits, now that it is known whether the crate is there?
 * -1: 403.
 */
int version_check_limits(const struct version_new *, bool is_new, struct err *)
    __attribute__((warn_unused_result));

/*
 * Is the name free, or still that of a crate deleted at that moment (0: not deleted)?  -1: 400
 * "crate ... was recently deleted ...".
 */
int version_check_name_free(const struct version_new *, time_t deleted_at, struct err *)
    __attribute__((warn_unused_result));

/*
 * Is there room for one more line in the crate's index file, which has so many bytes now?  Before the
 * line is known only a file that is full already is refused.  -1: 400, telling how many there would be
 * and by which setting they are too many.
 */
int version_check_index_size(const struct version_new *, int64_t size, struct err *)
    __attribute__((warn_unused_result));

/*
 * Inside a transaction, with the crate locked: the version could not be added.  -1: 400, telling
 * why, or 503.
 */
int version_refuse(struct db *, struct arena *, const struct version_new *, int64_t crate_id,
    struct err *);

/*
 * Asked of the metadata, before a byte of the crate is read: most of what is refused costs no more than
 * this round trip.  It can only refuse.  Much can happen until the crate is read and
 * inspected, and version_publish() asks again, with the crate locked; but for the crates that a
 * version depends on, which may be deleted at any time, before as after.
 * -1: 403 as above, 403 where the crate is not the caller's, 403 "package protected: ...", 400
 * "crate was previously named ...", 400 "crate ... was recently deleted ...", 400 where the index file
 * is full, 400 where the version is
 * there already, or was deleted and can come back, 400 "no known crate named ..." of a dependency
 * in the same registry, 403 where a quota has no room, 503.
 */
int version_check_new(struct db *, struct arena *, struct version_new *, struct err *)
    __attribute__((warn_unused_result));

/* What that could not know without the bytes.  -1: 400 where the version was deleted and had others. */
int version_check_bytes(const struct version_new *, struct err *) __attribute__((warn_unused_result));

#endif
