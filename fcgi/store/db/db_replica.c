#include "store/db/db_conn.h"

void
db_position_call(struct db_call *call)
{
	*call = (struct db_call) { .stmt = STMT_SESSION_POSITION };
}

void
db_position_read(const struct db_call *call, struct db_position *out)
{
	enum { COLUMNS_SESSION_POSITION };
	const struct db_result *r = &call->result;

	*out = (struct db_position) { .lsn = NULL };
	if (!db_is_null(r, 0, POSITION))
		*out = (struct db_position) { db_str(r, 0, POSITION), db_int(r, 0, TIMELINE),
			db_str(r, 0, DATABASE) };
}

void
db_set_replica(struct db *db)
{
	db->replica = true;
	db_prepare_late(db);
}

void
db_set_position(struct db *replica, const struct db_position *position, int64_t wait_us)
{
	replica->position = *position;
	replica->position_wait_us = wait_us;
	replica->position_connection = 0;
}

bool
db_defer_to_primary(struct db *db)
{
	if (db->replica)
		db->unfit = DB_UNFIT_WRITES;
	return db->replica;
}

enum db_unfit
db_take_unfit(struct db *replica)
{
	enum db_unfit unfit = replica->unfit;

	replica->unfit = DB_FIT;
	return unfit;
}
