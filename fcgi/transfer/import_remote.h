#ifndef TRANSFER_IMPORT_REMOTE_H
#define TRANSFER_IMPORT_REMOTE_H

/*
 * Reads another registry over HTTP during an import: the files of its sparse index, and its crates (Cargo
 * reference, "Index format" and "Web API").  The size of every answer is bounded.  A request that gets no
 * answer, 429 or 5xx is tried up to three times, or ten times if a 429 has Retry-After; it waits as long as
 * that says, and gives up if that is more than two minutes.  If it then gets 5xx for an index file or a
 * crate, and the same server has config.json, the registry refuses that file.  Errors show no query of a URL.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/package.h"
#include "net/https_get.h"
#include "store/package/crate.h"

/* An index file of the other registry may be as large as one of Berth's own; a process holds one of them. */
enum { IMPORT_REMOTE_INDEX_MAX = CRATE_INDEX_MAX };

/* The status of an error that is the other registry's: 400 would be a wrong use of the command. */
enum { IMPORT_REMOTE_REFUSED = 409 };

/* Gives an error about what the other registry has sent that status, if it has 400.  Returns -1. */
int import_remote_blame(struct err *);

struct import_remote {
	const char *index; /* "https://host/index/"; NULL: the index is read from files */
	const char *dl; /* for registry_download_url() */
	const char *api; /* NULL: it has none */
	const char *token; /* as cargo sends it; NULL: none */
	bool auth_required; /* other hosts in config.json get the token, too, as cargo does it */
	bool plain; /* http:// is allowed, since the index itself is at http://, or is a file */
	const char *ca_file, *proxy, *proxy_except; /* as in struct https_get */
	void (*say)(const char *text); /* tells the person for what the import waits; NULL: nobody is told */
};

/*
 * Reads config.json of the index at a URL: sparse+https://..., https://... or the same with http.  The
 * caller has filled in the token, ca_file and the proxy; strings are borrowed.  -1: 400 a wrong URL;
 * IMPORT_REMOTE_REFUSED a wrong config.json, or the registry refuses, for example because it needs a token;
 * 503 it does not answer.
 */
int import_remote_open(struct arena *, const char *url, struct import_remote *, struct err *)
    __attribute__((warn_unused_result));

/* The same for an index in files, whose config.json has the address of the crates.  -1:
 * IMPORT_REMOTE_REFUSED. */
int import_remote_files(struct arena *, struct slice config, struct import_remote *, struct err *)
    __attribute__((warn_unused_result));

/*
 * The names of all crates, as the search of the registry's API lists them page after page.  -1:
 * IMPORT_REMOTE_REFUSED the registry has no API, or its API does not list all crates; 503.
 */
int import_remote_list(const struct import_remote *, struct arena *, struct strings *names, struct err *)
    __attribute__((warn_unused_result));

/*
 * Gets that URL from the registry: an answer of up to IMPORT_REMOTE_INDEX_MAX bytes.  -1:
 * IMPORT_REMOTE_REFUSED, with the reason; 503.
 */
int import_remote_get(const struct import_remote *, struct https_connections *, struct arena *,
    const char *url, struct slice *body, struct err *) __attribute__((warn_unused_result));

/*
 * The index file of a crate.  *found false: there is none.  -1: IMPORT_REMOTE_REFUSED, also if it is too
 * large; 503 no answer.
 */
int import_remote_index(const struct import_remote *, struct https_connections *, struct arena *,
    const char *crate, struct slice *lines, bool *found, struct err *) __attribute__((warn_unused_result));

/* A crate to download, and the functions that take its bytes. */
struct import_download {
	const char *crate, *version, *cksum;
	int (*begin)(void *arg, struct err *); /* before the first byte, again with each attempt */
	int (*take)(void *arg, struct slice piece, struct err *);
	void *arg;
};

/*
 * *found false: the registry does not have the crate.  -1: IMPORT_REMOTE_REFUSED, with its reason; 503
 * no answer; or the error of begin() or take().
 */
int import_remote_crate(const struct import_remote *, struct https_connections *, struct arena *,
    const struct import_download *, bool *found, struct err *) __attribute__((warn_unused_result));

#endif
