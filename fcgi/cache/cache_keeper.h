#ifndef CACHE_CACHE_KEEPER_H
#define CACHE_CACHE_KEEPER_H

/*
 * The keeper of cache_dir is the one process of a node that writes the files that nginx sends by itself,
 * and the grants that allow it (cache/cache_dir.h has the places).
 *
 * What it promises: once a publish, a yank, a deletion, a change of a project or the loss of a right has
 * been answered, no node serves what was before.  And whatever crashes, hangs or is cut off, at most
 * cache_lease seconds later no node serves anything but the truth.
 *
 * berth-architecture(7), What holds, has the seven points that make this true; the code names them by
 * their numbers.  nginx falls back to the pool wherever there is no file or no grant.
 */

#include "base/settings.h"

/* Runs until SIGTERM, and then ends the lease.  Returns the exit status. */
int cache_keeper_run(const struct settings *);

#endif
