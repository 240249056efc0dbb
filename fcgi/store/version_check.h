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
 * Asked before the crate's bytes are kept, so that a publish that is refused leaves
 * no file.  Another publish may still come between: version_publish() asks again for
 * name, version and limits, and a rule may be added: it asks again for that too.  Crates that a
 * version depends on never go away.
 * -1: 403 as above, 403 "package protected: ...", 400 "crate was previously named ...", 400 "crate
 * version ... is already uploaded", 400 "no known crate named ..." of a dependency in the same
 * registry, 503.
 */
int version_check_new(struct db *, struct arena *, const struct version_new *, struct err *)
    __attribute__((warn_unused_result));

#endif
