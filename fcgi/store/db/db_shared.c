#include "store/db/db_conn.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"

/*
 * Sessions that a pooler shares.  Any transaction may get any session of the server, also one that another
 * program has used: another version of Berth, with other texts of statements.  So a statement is prepared
 * under a name that has the digest of its text, and whoever finds it under this name may use it.  A round
 * trip takes the statements for granted; the server says if one is missing (26000), and then nothing of the
 * round trip has happened.
 */

enum { DIGEST_BYTES = 8, NAME_SIZE = 64 /* as PostgreSQL keeps them, with a NUL */ };

struct db *
db_new_pooled(const char *conninfo, const char *direct, int64_t timeout_ms)
{
	struct db *db = db_new(conninfo, timeout_ms);

	db->shared = db->pooled = strcmp(conninfo, direct) != 0;
	return db;
}

/* One table for the process, made at the first use. */
static const char *
shared_name(enum stmt stmt)
{
	static char names[STMT__MAX][NAME_SIZE];

	for (size_t i = 0; i < STMT__MAX && names[STMT__MAX - 1][0] == '\0'; i++) {
		unsigned char digest[SHA256_SIZE];
		char hex[2 * DIGEST_BYTES + 1];

		if (!sha256_digest(db_stmts[i].text, strlen(db_stmts[i].text), digest))
			abort();
		hex_encode(digest, DIGEST_BYTES, hex);
		snprintf(names[i], NAME_SIZE, "%s_%.*s", hex, NAME_SIZE - (int)sizeof(hex) - 1,
		    db_stmts[i].name);
	}
	return names[stmt];
}

const char *
db_stmt_name(const struct db *db, enum stmt stmt)
{
	return db->shared ? shared_name(stmt) : db_stmts[stmt].name;
}

void
db_session_name(const struct db *db, char *name, size_t size)
{
	if (db->request == NULL)
		snprintf(name, size, "%s", db->name);
	else
		snprintf(name, size, "%s %s", db->name, db->request);
}

void
db_bind_settings(const struct db *db, struct db_params *p, const char *name)
{
	db_bind_int(p, db->timeout_ms);
	/* shorter, so that waiting for a lock can be told from a slow statement */
	db_bind_int(p, db->timeout_ms / 2 + 1);
	db_bind_int(p, db->timeout_ms);
	db_bind_str(p, name);
	db_bind_bool(p, db->shared);
}

/* Notes which of our statements the session has. */
static void
take_names(void *arg, PGresult *res)
{
	enum { COLUMNS_SESSION_PREPARED };
	const struct db_result r = { .pg = res, .rows = PQntuples(res) };
	struct db *db = arg;

	for (int row = 0; row < r.rows; row++) {
		for (size_t i = 0; i < STMT__MAX; i++) {
			if (strcmp(db_str(&r, row, NAME), shared_name((enum stmt)i)) == 0)
				db->prepared[i] = PREPARED;
		}
	}
}

int
db_claim(struct db *db, struct err *err)
{
	memset(db->prepared, 0, sizeof(db->prepared));
	if (db_ask(db, STMT_SESSION_BEGIN, NULL, NULL, NULL, err) == 0 &&
	    db_ask(db, STMT_SESSION_PREPARED, NULL, take_names, db, err) == 0 && db_prepare_session(db, err) == 0)
		return 0;
	db_drop(db);
	return -1;
}
