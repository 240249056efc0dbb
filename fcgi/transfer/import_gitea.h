#ifndef TRANSFER_IMPORT_GITEA_H
#define TRANSFER_IMPORT_GITEA_H

/*
 * What Gitea and Forgejo say of their crates beside the index, which has no times: each version with the
 * moment at which it was published (Gitea's API, "Gets all packages of an owner").
 */

#include "base/buf.h"
#include "base/slice.h"
#include "transfer/import_source.h"

/*
 * Lists all versions of the registry whose index is open, for which import_remote_index() has the rest.
 * -1: 400 the URL is none of Gitea's, or the API refuses; 503.
 */
int import_gitea_list(const struct import_remote *, struct arena *, struct import_source *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Adds the packages of one page of the API to a list of import_source_list_parse(); *n: how many.  -1: 400,
 * what is wrong with the page.
 */
int import_gitea_page(struct arena *, struct slice page, struct buf *list, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
