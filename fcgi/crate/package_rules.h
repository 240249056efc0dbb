#ifndef CRATE_PACKAGE_RULES_H
#define CRATE_PACKAGE_RULES_H

/* The groups of rules that package_check() applies; nothing else includes it. */

#include "base/arena.h"
#include "base/err.h"
#include "crate/package.h"

/* The name by which a package's own code and features know a dependency. */
static inline const char *
dependency_local_name(const struct dependency *d)
{
	return d->alias != NULL ? d->alias : d->name;
}

/* Description, URLs, rust-version, links, keywords and categories. */
int package_check_about(const struct package *, const struct package_limits *, struct err *)
    __attribute__((warn_unused_result));

/* Each dependency, made canonical in place. */
int package_check_dependencies(struct arena *, struct package *, const struct package_limits *,
    struct err *) __attribute__((warn_unused_result));

/* Names and number of features and of their values. */
int package_check_features(const struct package *, const struct package_limits *, struct err *)
    __attribute__((warn_unused_result));

/* Whether features refer to what is there; the names have been checked. */
int package_check_references(struct arena *, const struct package *, struct err *)
    __attribute__((warn_unused_result));

#endif
