#ifndef TRANSFER_IMPORT_SOURCE_H
#define TRANSFER_IMPORT_SOURCE_H

/*
 * The crates to import, with their versions and the places of their bytes.  All of it is in memory, some 500
 * bytes for each version of a directory or list.  An index has some 500 bytes for each crate: its lines are
 * read when the turn of the crate comes.
 */

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/package.h"
#include "transfer/import_finding.h"
#include "transfer/import_remote.h"

/* A version that a lock file names. */
struct import_wanted {
	const char *name, *version;
	const char *cksum; /* NULL: it says none */
};

struct import_crate {
	const char *name;
	const char *alias; /* the spelling of the list, if the index has another one; or NULL */
	struct import_version *versions; /* in the order in which they are to be published */
	size_t nversions;
	const struct import_version **by_text; /* the same, sorted by strcmp() */
	struct strings owners; /* of a list: usernames there */
	const struct import_crate *only; /* of a lock file: no versions but these; NULL: all */
	const char *index; /* the file that has its versions, for import_source_lines(); NULL: they are here */
	const char *wrong; /* why the source refuses the crate, which has no versions then; NULL: it does not */
};

struct import_source {
	/* in the order of normal forms: names that differ only in spelling follow each other */
	struct import_crate *crates;
	size_t ncrates, nversions;
	const struct import_source *files; /* has the bytes; NULL: `path` of each version, or `remote` */
	const struct import_remote *remote; /* NULL: nothing is asked over HTTP */
	/* `remote` also has the index: the versions here have only downloads and times */
	bool is_indexed_there;
};

/*
 * Finds all files NAME-VERSION.crate in the directory and in all folders below it, as mirrors and
 * registries keep them.  It ignores files with other names, links, and names that begin with a dot.
 * Versions of a crate are ordered by precedence.  -1: 400, the directory cannot be read, or two files are
 * the same version.
 */
int import_source_directory(struct arena *, const char *path, struct import_source *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Finds the crates of an index, laid out as cargo's index format says: a work tree of git, or the files of a
 * sparse index.  `files` has the bytes of their versions; NULL: there are none.  A crate is refused alone if
 * its file is larger than CRATE_INDEX_MAX, or has lines of other crates, or if two files have the crate.
 * -1: 400, a file or line of the index is wrong; the error names it.
 */
int import_source_index(struct arena *, const char *path, const struct import_source *files,
    struct import_source *, struct err *) __attribute__((warn_unused_result));

/*
 * Reads a list, a file with three kinds of lines, in any order of the crates: lines of an index, which may
 * also have the number `downloads`; objects {"name":...,"owners":[...]}; and names of crates.  -1: 400, as
 * above.  import_source_list_parse() has the lines in memory; `what` names them in errors.
 */
int import_source_list(struct arena *, const char *path, const struct import_source *files,
    struct import_source *, struct err *) __attribute__((warn_unused_result));
int import_source_list_parse(struct arena *, struct slice lines, const char *what,
    const struct import_source *files, struct import_source *, struct err *)
    __attribute__((warn_unused_result));

/* Makes a source of crates of which only the names are known. */
void import_source_names(struct arena *, const struct strings *, struct import_source *);

/* Makes a source of versions of which only that is known. */
void import_source_wanted(struct arena *, const struct import_wanted *, size_t n, struct import_source *);

/*
 * Leaves only the crates of `wanted` in a source, and of their versions those of `wanted`, which also says
 * their checksums.  A version that the source does not have stays without line and bytes.
 */
void import_source_select(struct arena *, struct import_source *, const struct import_source *wanted);

/*
 * Reads the lines of one index file; `what` names it in errors.  Versions have the order of the lines; of
 * several lines about one version the last counts.  listed: the crate of a list, whose versions give their
 * downloads, and their times where the lines have none, and whose `only` says which versions are
 * left.  If there are no lines, the crate has no versions but those of `only`.  -1: 400.
 */
int import_source_lines(struct arena *, struct slice lines, const char *what,
    const struct import_crate *listed, const struct import_source *files, struct import_crate *, struct err *)
    __attribute__((warn_unused_result));

#endif
