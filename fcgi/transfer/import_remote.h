#ifndef TRANSFER_IMPORT_REMOTE_H
#define TRANSFER_IMPORT_REMOTE_H

/*
 * A registry that is asked over HTTP while an import goes on: for the files of its sparse index, and for
 * crates (Cargo reference, "Index format" and "Web API").  Every answer is bounded.  A request that gets no
 * answer, 429 or 5xx is made three times.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/package.h"
#include "net/https_get.h"

enum { IMPORT_REMOTE_INDEX_MAX = 64 << 20, IMPORT_REMOTE_CRATES_MAX = 1000000 };

struct import_remote {
	const char *index; /* "https://host/index/"; NULL: the index is read from files */
	const char *dl; /* for registry_download_url() */
	const char *api; /* NULL: it has none */
	const char *token; /* as cargo sends it; NULL: none */
	bool auth_required; /* the token is also for other hosts that config.json names; cargo does the same */
	bool plain; /* http:// will do, since the index itself was given so, or is a file */
	const char *ca_file, *proxy, *proxy_except; /* as in struct https_get */
};

/*
 * Reads config.json of the index at a URL: sparse+https://..., https://... or the same with http.  The caller
 * has filled in the token and how to get out; strings are borrowed.  -1: 400 a wrong URL or config.json; 400
 * the registry refuses, such as for want of a token; 503 it does not answer.
 */
int import_remote_open(struct arena *, const char *url, struct import_remote *, struct err *)
    __attribute__((warn_unused_result));

/* The same of an index in files, whose config.json says where its crates are.  -1: 400. */
int import_remote_files(struct arena *, struct slice config, struct import_remote *, struct err *)
    __attribute__((warn_unused_result));

/*
 * The names of all crates, as the search of the registry's API lists them page after page.  -1: 400 it has no
 * API, or does not list all; 503.
 */
int import_remote_list(const struct import_remote *, struct arena *, struct strings *names, struct err *)
    __attribute__((warn_unused_result));

/* The index file of a crate.  *found false: there is none.  -1: 400 refused, 502 too large, 503 no answer. */
int import_remote_index(const struct import_remote *, struct https_connections *, struct arena *,
    const char *crate, struct slice *lines, bool *found, struct err *) __attribute__((warn_unused_result));

/* A crate, and what takes its bytes. */
struct import_download {
	const char *crate, *version, *cksum;
	int (*begin)(void *arg, struct err *); /* before the first byte, again with each attempt */
	int (*take)(void *arg, struct slice piece, struct err *);
	void *arg;
};

/*
 * *found false: the registry does not have it.  -1: 400 it does not send it, and why; 503 no answer; or what
 * begin() and take() have set.
 */
int import_remote_crate(const struct import_remote *, struct https_connections *, struct arena *,
    const struct import_download *, bool *found, struct err *) __attribute__((warn_unused_result));

#endif
