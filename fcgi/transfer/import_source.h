#ifndef TRANSFER_IMPORT_SOURCE_H
#define TRANSFER_IMPORT_SOURCE_H

/*
 * What there is to import: crates with their versions, and where the bytes of each are.  All of it is in
 * memory, some 200 bytes for each version; of a registry that is asked over HTTP only the names are.
 */

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/package.h"
#include "transfer/import_remote.h"

struct import_version {
	const char *version;
	const char *path; /* of the .crate; NULL: there is none */
	struct slice line; /* of the index; empty: there is none */
	int64_t downloads; /* of a list: how many there were; 0: none are known */
};

struct import_crate {
	const char *name;
	const char *alias; /* as the list spells it, where the index spells it otherwise; or NULL */
	struct import_version *versions; /* in the order in which they are to be published */
	size_t nversions;
	struct strings owners; /* of a list: usernames there */
};

struct import_source {
	struct import_crate *crates; /* by name */
	size_t ncrates, nversions;
	const struct import_source *files; /* has the bytes; NULL: each version says, or `remote` has them */
	const struct import_remote *remote; /* NULL: nothing is asked over HTTP */
	/* `remote` has the index, too: of the versions here only the downloads count */
	bool is_indexed_there;
};

/*
 * Finds all files NAME-VERSION.crate in the directory and below it, in whatever folders: so mirrors,
 * vendors and registries keep them.  Files of other names, links and names that begin with a dot are left
 * alone.  Versions of a crate come in the order of their precedence.  -1: 400, the directory cannot be
 * read, or two files are the same version.
 */
int import_source_directory(struct arena *, const char *path, struct import_source *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Reads an index, laid out as cargo's index format says: a work tree of git, or the files of a sparse
 * index. Versions come in the order of its lines.  Their bytes are those of `files`; NULL: it has none.
 * -1: 400, a file or line of the index is wrong; which one.
 */
int import_source_index(struct arena *, const char *path, const struct import_source *files,
    struct import_source *, struct err *) __attribute__((warn_unused_result));

/*
 * Reads a list: a file with lines of an index, in any order of the crates, which may have the number
 * `downloads` besides; with objects {"name":...,"owners":[...]}; and with names of crates alone.  -1: 400, as
 * above.
 */
int import_source_list(struct arena *, const char *path, const struct import_source *files,
    struct import_source *, struct err *) __attribute__((warn_unused_result));
int import_source_list_parse(struct arena *, struct slice lines, const char *what,
    const struct import_source *files, struct import_source *, struct err *)
    __attribute__((warn_unused_result));

/* Crates of which only the names are known. */
void import_source_names(struct arena *, const struct strings *, struct import_source *);

/*
 * Reads the lines of one index file, `what`, of a crate that a list has; a version that the list has as well
 * keeps its downloads.  No versions: the lines are empty.  -1: 400.
 */
int import_source_lines(struct arena *, struct slice lines, const char *what,
    const struct import_crate *listed, const struct import_source *files, struct import_crate *, struct err *)
    __attribute__((warn_unused_result));

/* Reads a file of up to `max` bytes.  -1: 400, it is larger, or cannot be read. */
int import_source_read(struct arena *, const char *path, size_t max, struct slice *, struct err *)
    __attribute__((warn_unused_result));

#endif
