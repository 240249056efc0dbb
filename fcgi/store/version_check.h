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
 * Inside a transaction, with the crate locked: the version could not be added.  -1: 400, telling
 * why, or 503.
 */
int version_refuse(struct db *, struct arena *, const struct version_new *, int64_t crate_id,
    struct err *);

/*
 * Asked before the crate's bytes are kept, so that a publish that is refused leaves
 * no file.  Another publish may still come between: version_publish() asks again for
 * name, version and limits, and a rule may be added: it asks again for that too.  A crate that a
 * version depends on may be deleted at any time, before as after.
 * -1: 403 as above, 403 where the crate is not the caller's, 403 "package protected: ...", 400
 * "crate was previously named ...", 400 "crate ... was recently deleted ...", 400 where the version is
 * there already, or was deleted and had other bytes, 400 "no known crate named ..." of a dependency
 * in the same registry, 403 where a quota has no room, 503.
 */
int version_check_new(struct db *, struct arena *, const struct version_new *, struct err *)
    __attribute__((warn_unused_result));

#endif
