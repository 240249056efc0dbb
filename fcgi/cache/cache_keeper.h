#ifndef CACHE_CACHE_KEEPER_H
#define CACHE_CACHE_KEEPER_H

/*
 * The keeper of cache_dir: the one process of a node that writes what nginx sends by itself, and that
 * grants it (cache/cache_dir.h has the places).
 *
 * What holds: once a publish, a yank, a deletion, a change of a project or the loss of a right has been
 * answered, no node serves what was before.  And whatever crashes, hangs or is cut off, cache_lease
 * seconds later at most nothing but the truth is served.
 *
 * 1.  Triggers (sql/migrations) tell the keepers by NOTIFY what has lost its ground, in the
 *     transaction that does it: a crash lies before both or after both, and no path of the
 *     code can forget it.  A keeper takes away what it is told, and only that: what there is
 *     instead is read anew when somebody asks for it.
 * 2.  A file is written from one statement's answer, and notifications are looked at between
 *     files and never between the question and the file.  So a file may be older than a
 *     commit only until the commit's notification, which is still to come, has been done.
 *     A file says what a project holds, not who may read it.
 * 3.  A grant is made the same way: on a worker's hint the keeper asks the one decision function, from
 *     facts that it reads in one statement by its own listening session, and makes the link before it
 *     looks at any further notification.  So a revocation is either among those facts, and there is no grant, or
 *     its notification is still to come, and ends the grant.  A hint is never taken for a decision.
 *     Nothing is granted that ends within one lease; each renewal first ends what ends within it.
 * 4.  There are two sizes of ends: a change of one token ends the grants of that token; a change of
 *     anything else that decisions rest on makes the epoch another, and one rename ends all grants.
 *     Files stay: to warm up again costs links, not bytes.
 * 5.  Whoever has written asks, before answering, all nodes to say that they have come so far
 *     (cache_barrier): a notification like the others, behind those of the commits that it is
 *     about.  A node that does not say so may still serve: until its lease ends, and no longer.  The
 *     lease is in the database, for those who wait, before nginx sees it; and nginx sees it by
 *     names that are seconds of its own clock, so that it ends even where nobody ends it.  Both
 *     clocks must run at the same speed, and forwards.
 * 6.  A keeper that has lost its connection may have missed something.  It goes on serving to
 *     the end of its lease (where the database is down nothing can change), and once it is
 *     connected it throws everything away before its lease grows, or it says that it has heard.
 *     One that is connected and told nothing, as by a pooler that shares sessions, finds that out: a
 *     second session tells the first one something, before the keeper begins and with each
 *     renewal, and the first must hear it; behind a pooler also before the keeper acknowledges
 *     anything.  In one session this would prove nothing: it always hears itself.
 * 7.  A keeper that starts throws everything away, and so does one that cannot take something away, or
 *     that does not find its row in the database as it has left it: somebody has restored an older
 *     state, which no trigger tells.
 *
 * nginx falls back to the pool wherever there is no file or no grant.
 */

#include "base/settings.h"

/* Runs until SIGTERM, then ends the lease.  Returns the exit status. */
int cache_keeper_run(const struct settings *);

#endif
