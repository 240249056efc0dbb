#include "cache/cache_session.h"

void
cache_session_new(struct cache_session *s, const struct settings *settings)
{
	int64_t timeout_ms = settings->database_timeout * 1000;

	*s = (struct cache_session) {
		.db = db_new(settings->database_direct, timeout_ms),
		.prober = db_new_pooled(settings->database, settings->database_direct, timeout_ms),
	};
	db_prepare_late(s->db);
	db_prepare_late(s->prober);
}

void
cache_session_free(struct cache_session *s)
{
	db_free(s->prober);
	db_free(s->db);
}

void
cache_session_hurry(struct cache_session *s, int64_t until_us)
{
	db_set_deadline(s->db, until_us);
	db_set_deadline(s->prober, until_us);
}

int
cache_session_connect(struct cache_session *s, struct cache_board *board, struct err *err)
{
	if (db_connect(s->db, err) == -1)
		return -1;
	if (s->listening != 0 && s->listening != db_connections(s->db))
		board->reconnects++;
	s->listening = db_connections(s->db);
	return 0;
}

int
cache_session_listens(const struct cache_session *s, struct err *err)
{
	return db_fd(s->db) != -1 && db_connections(s->db) == s->listening ? 0
	    : err_internal(err, 503, "the listening session has ended");
}

bool
cache_session_is_lost(const struct cache_session *s)
{
	/* of a host that does not answer any more the one that is used first hears */
	return db_fd(s->db) == -1 || db_fd(s->prober) == -1;
}

void
cache_session_failed(struct cache_session *s)
{
	/*
	 * A pooler goes on sharing a session that it has shared.  And if one session was lost, the other
	 * one may wait for a server that is cut off.
	 */
	if (db_is_pooled(s->db) || cache_session_is_lost(s))
		cache_session_drop(s);
}

void
cache_session_drop(struct cache_session *s)
{
	db_disconnect(s->db);
	db_disconnect(s->prober);
}
