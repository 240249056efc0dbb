#ifndef TRANSFER_IMPORT_GITEA_H
#define TRANSFER_IMPORT_GITEA_H

/*
 * Asks the API of Gitea and Forgejo when each version was published ("Gets all packages of an owner"): their
 * index has no times.
 */

#include "base/buf.h"
#include "base/slice.h"
#include "transfer/import_source.h"

/*
 * Lists all versions of the registry whose index `remote` has open; import_remote_index() then reads the
 * index.  -1: 400 no index of Gitea has this URL; IMPORT_REMOTE_REFUSED; 503.
 */
int import_gitea_list(const struct import_remote *, struct arena *, struct import_source *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Adds the packages of one page of the API to a list for import_source_list_parse(); *n: how many.  -1: 400,
 * the page is wrong.
 */
int import_gitea_page(struct arena *, struct slice page, struct buf *list, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
