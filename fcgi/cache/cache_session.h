#ifndef CACHE_CACHE_SESSION_H
#define CACHE_CACHE_SESSION_H

/*
 * The two sessions of a keeper: one listens, and the other one sends it probes.  The second one is connected
 * as the workers are, so a probe also shows that both lead to one database.
 */

#include "cache/cache_board.h"
#include "config/settings.h"
#include "store/db/db.h"

struct cache_session {
	struct db *db; /* listens */
	struct db *prober;
	uint64_t listening; /* the connection of db that listens; 0: none yet */
};

void cache_session_new(struct cache_session *, const struct settings *);
void cache_session_free(struct cache_session *);

/*
 * Limits each wait of both sessions to this moment of clock_us(); 0: only the statement timeout limits
 * them.
 */
void cache_session_hurry(struct cache_session *, int64_t until_us);

/*
 * Connects the session that listens.  If it was connected before, the board tells the workers, since the
 * server may be another one.  -1: 503.
 */
int cache_session_connect(struct cache_session *, struct cache_board *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Checks that the session of db still listens: db drops a connection that answers too late, and the next
 * one does not listen.  -1: 503.
 */
int cache_session_listens(const struct cache_session *, struct err *) __attribute__((warn_unused_result));

/* Has one of the sessions ended, because its server has ended it or has not answered in time? */
bool cache_session_is_lost(const struct cache_session *);

/* Call it after a failure: it drops both sessions if the next attempt needs new ones. */
void cache_session_failed(struct cache_session *);
void cache_session_drop(struct cache_session *);

#endif
