#ifndef CACHE_CACHE_KEEPER_H
#define CACHE_CACHE_KEEPER_H

/*
 * The keeper of cache_dir is the one process of a node that writes the files that nginx sends by itself,
 * except pages, which workers write (cache/cache_page.h), and the grants that allow it (cache/cache_dir.h has
 * the places).
 *
 * It promises: once Berth has answered a publish, a yank, a deletion, a change of a project or the loss of
 * a right, no node serves the state before it.  Whatever crashes, hangs or is cut off, all answers are
 * right again at most cache_lease seconds later.
 *
 * berth-architecture(7), What Berth guarantees, has the seven points that make this true; the code names
 * some by their numbers.  nginx asks the pool wherever it finds no file or no grant.
 */

#include "cache/cache_board.h"
#include "config/settings.h"

/* Runs until SIGTERM, and then ends the lease.  It writes the board of its pool.  Returns the exit status. */
int cache_keeper_run(const struct settings *, struct cache_board *);

#endif
