#ifndef JOBS_PUBLIC_KEEPER_H
#define JOBS_PUBLIC_KEEPER_H

/*
 * The keeper of public_dir: the one process of a node that writes what anyone may read, and what
 * the pool has signed addresses for, into files that nginx sends by itself (store/public_dir.h has
 * their places).
 *
 * What holds: once a publish, a yank, a deletion, a change of a project or a right that was taken
 * away has been answered, no node serves a file of what was before.  And whatever crashes, hangs or
 * is cut off, public_lease seconds later at most nothing but the truth is served.
 *
 * 1.  Triggers (sql/migrations) tell the keepers by NOTIFY what has lost its ground, in the
 *     transaction that does it: a crash lies before both or after both, and no path of the
 *     code can forget it.  A keeper takes the file away, and only that: what there is
 *     instead is read anew when somebody wants it.
 * 2.  A file is written from one statement's answer, and notifications are looked at between
 *     files and never between the question and the file.  So a file may be older than a
 *     commit only until the commit's notification, which is still to come, has been done.
 *     One that becomes public gets its files afterwards: the triggers' lock on the project
 *     makes a publish that saw it private end first.
 * 3.  Whoever has written asks, before answering, all nodes to say that they have come so far
 *     (public_settle): a notification like the others, behind those of the commits that it is
 *     about.  Here the same holds for all nodes alike, the publisher's own included.
 * 4.  A node that does not say so may still serve: until its lease ends, and no longer.  The
 *     lease is in the database, for those who wait, before nginx sees it; and nginx sees it by
 *     names that are seconds of its own clock, so that it ends even where nobody ends it.  Both
 *     clocks must run at the same speed, and forwards.
 * 5.  A keeper that has lost its connection may have missed something.  It goes on serving to
 *     the end of its lease (where the database is down nothing can change), and once it is
 *     connected it throws all files away before its lease grows, or it says it has heard.
 *     One that is connected and told nothing, as by a pooler that shares sessions, finds that out: a
 *     second session tells the first one something, before the keeper begins and with each
 *     renewal, and the first must hear it; behind a pooler also before the keeper says that it has
 *     heard anything.  In one session this would prove nothing: it always hears itself.
 * 6.  A keeper that starts throws all files away, and so does whoever cannot take one away.
 * 7.  What is for those whom a decision has let in, crates for signed addresses and index files that
 *     the pool sends, lies below the generation of that decision, and is written only while the
 *     database has that one.  Whatever changes the generation is told like the rest, so that points 1
 *     to 5 hold for rights as well: of an ended generation there is no file.
 *
 * nginx falls back to the pool wherever there is no file.
 */

#include "base/settings.h"

/* Runs until SIGTERM, then ends the lease.  Returns the exit status. */
int public_keeper_run(const struct settings *);

#endif
