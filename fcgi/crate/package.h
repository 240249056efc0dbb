#ifndef CRATE_PACKAGE_H
#define CRATE_PACKAGE_H

/*
 * The metadata of one published version.  Two readers fill it: the metadata that the client sends beside
 * the crate (crate/metadata.h) and the Cargo.toml inside the crate (crate/manifest/manifest.h), which is
 * the truth.  The index line (crate/index_line.h) and the database rows are made from it.
 *
 * Every string is valid UTF-8, holds no NUL and lives in the arena of the
 * reader; NULL means "not given".  Arrays may be NULL where their count is 0.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum dep_kind { DEP_NORMAL, DEP_BUILD, DEP_DEV, DEP__MAX };

/* "normal", "build", "dev": the words of the index and of the publish metadata. */
extern const char *const dep_kind_names[DEP__MAX];

struct strings {
	const char **v;
	size_t n;
};

/* The files that cargo builds from a dependency and hands over to this package (RFC 3028, still unstable). */
struct artifact {
	struct strings kinds; /* "bin", "bin:NAME", "cdylib", "staticlib"; none: an ordinary dependency */
	const char *target; /* a triple, or "target"; NULL: as for any other dependency of its kind */
	bool lib; /* it is a library for this package as well */
};

struct dependency {
	const char *name; /* of the package that is depended on */
	/*
	 * explicit_name_in_toml: the name used here, NULL where `package` is not given.
	 * Where it is, and is the same name, it still overrides that of the library.
	 */
	const char *alias;
	const char *req; /* as the index has it: "^1.0", "*" */
	const char *target; /* triple or cfg(...), NULL: all */
	const char *registry; /* index URL, NULL: the registry that the crate is in */
	enum dep_kind kind;
	bool optional;
	bool default_features;
	struct strings features;
	struct artifact artifact;
};

struct feature {
	const char *name;
	struct strings values;
};

enum target_kind { TARGET_LIB, TARGET_BIN, TARGET_EXAMPLE, TARGET_TEST, TARGET_BENCH, TARGET__MAX };

/* The targets that a manifest declares; crate/manifest/targets.h compares them with the files. */
struct package_targets {
	const char *lib_path, *lib_name; /* as [lib] has them */
	bool declared; /* there is a [[bin]], [[example]], [[test]] or [[bench]] */
	bool manual[TARGET__MAX]; /* `autobins = false`: no file makes a target by itself */
};

struct package {
	const char *name;
	const char *version;
	struct dependency *deps;
	size_t ndeps;
	/*
	 * On crates of the toolchain (RFC 3875); with req "*" and no registry, and in no registry to be
	 * looked for.  None: std, alloc and core.
	 */
	struct dependency *builtins;
	size_t nbuiltins;
	struct feature *features;
	size_t nfeatures;
	const char *links;
	const char *rust_version;
	const char *edition;
	const char *description;
	/* these three: any text; only where url_is_web() is it a link */
	const char *homepage;
	const char *documentation;
	const char *repository;
	const char *license;
	const char *license_file;
	const char *readme_file;
	const char *readme; /* the text; NULL where it was not sent or is not in the crate */
	struct strings authors;
	struct strings keywords;
	struct strings categories;
	struct strings bins; /* names of binaries: what `cargo install` would install */
	bool has_lib;
	struct package_targets targets; /* of a manifest alone */
};

/*
 * Puts dependencies and features into the order of the index: dependencies by
 * name in the manifest, kind (normal, build, dev), requirement, optional,
 * default features, target, package, features and artifact; features by name; all in byte order.
 * Two packages that say the same are equal after it.
 */
void package_sort(struct package *);

/*
 * The metadata must agree with the manifest on everything that reaches the
 * index: name, version, dependencies (builtin ones too), features, links, rust_version.  Both
 * must be checked and sorted; of name and version the metadata's alone, since the manifest's are
 * the same.  Metadata from cargo before 1.81 may leave out
 * features of a renamed dependency from feature values, and before 1.71 the
 * rust_version; these alone are let pass.  Requirements are compared by what they mean.
 * -1: 400, naming the first field that differs and both values.
 */
int package_agree(struct arena *, const struct package *metadata, const struct package *manifest,
    struct err *) __attribute__((warn_unused_result));

/* The limits of every package (berth-api(7), Publishing). */
struct package_limits {
	size_t max_dependencies;
	size_t max_features; /* also of the values of one feature */
	size_t max_keywords;
	size_t max_categories;
	/* words of documentation, homepage, license, repository: there the public registry's rule holds */
	const char *strict;
	/* the index URL of the project itself: becomes "same registry" */
	const char *own_registry;
	/*
	 * The allow-list: space-separated index URLs.  One may hold one `*`: at its end it stands
	 * for any rest, before that for a part of the path without a slash.  Any name of the public
	 * registry allows it.
	 */
	const char *allowed_registries;
	/*
	 * The last words of an error about a registry.  If it is NULL, the error about a registry that is not in
	 * the list advises to ask an administrator, and other errors have no advice.
	 */
	const char *registry_advice;
	/*
	 * For an import: accepts what registries once accepted and clients still read: `*` requirements,
	 * descriptions of any length, and any keywords and categories.
	 */
	bool legacy;
};

/* The identity of a version in a project. */
struct package_id {
	const char *normalized_name; /* crate_name_normalize() */
	const char *version_base; /* without build metadata */
};

/*
 * Checks name and version, and fills in the id.  -1: 400 with the sentences of crate_name_check() and
 * semver_parse().
 */
int package_check_id(struct arena *, const struct package *, struct package_id *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Checks everything else that is copied to an index line, so that no version can
 * silently vanish at a client: names of dependencies, requirements, targets, artifacts,
 * feature names, values and what they refer to, links, rust_version, registries, and
 * the counts.  Registries have the one spelling of their index by then.  Also the
 * description, URLs, keywords and categories.  Rewrites requirements and targets into
 * their canonical form and own_registry to NULL, in place (hence the arena).  -1: 400
 * naming field, value and rule.
 */
int package_check(struct arena *, struct package *, const struct package_limits *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Does the package have all of these fields?  They are words of [package], with spaces
 * between (settings.h: required_metadata); `license` is also met by license-file,
 * `readme` by the text alone.  Asked of the manifest: metadata from older clients lacks
 * some.  -1: 400 "missing or empty metadata fields: description, license".
 */
int package_check_required(struct arena *, const struct package *, const char *required,
    struct err *) __attribute__((warn_unused_result));

/*
 * Appends the warnings that cargo prints, one sentence each: about what is allowed but incomplete, or
 * breaks a rule that is not strict.
 */
void package_warnings(struct arena *, const struct package *, struct strings *out);

#endif
