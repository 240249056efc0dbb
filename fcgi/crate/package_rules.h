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

/* A total order: a sort by it does not depend on the order before.  The requirements are given. */
int dependency_order(const struct dependency *, const char *req, const struct dependency *,
    const char *other_req);

/* The end of a sentence about a limit that a project can have for itself. */
#define LIMIT_RAISE(key) "; an administrator can raise " key " for the project"

/* Description, URLs, rust-version, links, keywords and categories. */
int package_check_about(const struct package *, const struct package_limits *, struct err *)
    __attribute__((warn_unused_result));

/* Each dependency, made canonical in place. */
int package_check_dependencies(struct arena *, struct package *, const struct package_limits *,
    struct err *) __attribute__((warn_unused_result));

/* The artifacts of a dependency: cargo skips a line whose artifacts it cannot read.  -1: 400. */
int package_check_artifact(const struct dependency *, struct err *)
    __attribute__((warn_unused_result));

/* Names and number of features and of their values. */
int package_check_features(const struct package *, const struct package_limits *, struct err *)
    __attribute__((warn_unused_result));

/* Checks that features refer only to features and dependencies that exist; the names have been checked. */
int package_check_references(struct arena *, const struct package *, struct err *)
    __attribute__((warn_unused_result));

#endif
