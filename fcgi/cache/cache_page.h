#ifndef CACHE_CACHE_PAGE_H
#define CACHE_CACHE_PAGE_H

/*
 * Pages that nginx sends by itself to callers without a credential, below grant/EPOCH/page of cache_dir
 * (cache/cache_dir.h).  Only workers can make a page, so they write these files, and the keeper removes
 * them: all of them whenever a notification could make one wrong, and once in cache_lease seconds, since
 * nobody notifies of downloads.
 *
 * No page that is wrong stays, since a worker reads the number of removals before it reads anything for the
 * page, and keeps the page only if the number is still the same once it has opened the directory.  A commit
 * that the page does not show comes after the number was read; its notification raises the number and then
 * moves the directory away.  If the worker has looked at the number before that, the file goes into the
 * directory that is moved away.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "cache/cache_board.h"
#include "cache/cache_dir.h"
#include "cache/cache_message.h"

enum { CACHE_PAGES_MAX = 2000 /* files, until the keeper removes them all */ };

/* Returns the number of removals; call it before you read anything for the page. */
uint64_t cache_page_begin(const struct cache_board *);

/*
 * Keeps the page with that path below /-/, which consists of names: "projects/demo/pub/-/crates/serde".
 * `gzip`: its bytes.  It keeps no page that may be wrong, and none if there are too many, if the disk is
 * full, or if no grant exists in this epoch.  In the last case it leaves a hint to grant the project to
 * anyone, so that there is a place for the next page.
 */
void cache_page_keep(const char *cache_dir, struct cache_board *, uint64_t begun, int64_t project_id,
    const char *path, struct slice gzip);

/*
 * For the keeper: each removes all pages; cache_page_told() only if a notification of that kind can make
 * one wrong, and cache_page_renew() only if `seconds` have passed since the last removal.  -1: 500, 503,
 * nginx may still send them.
 */
int cache_page_remove(struct cache_dir *, struct cache_board *, struct err *)
    __attribute__((warn_unused_result));
int cache_page_told(struct cache_dir *, struct cache_board *, enum cache_message_kind, struct err *)
    __attribute__((warn_unused_result));
int cache_page_renew(struct cache_dir *, struct cache_board *, int64_t seconds, struct err *)
    __attribute__((warn_unused_result));

#endif
