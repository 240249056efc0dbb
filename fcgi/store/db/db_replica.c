#include "store/db/db_conn.h"

void
db_set_replica(struct db *db)
{
	db->replica = true;
	db_prepare_late(db);
}

int
db_replica_follows(struct db *replica, struct db *primary, struct arena *a, bool *yes, struct err *err)
{
	enum { COLUMNS_SESSION_POSITION };
	enum { COLUMNS_SESSION_REPLAYED };
	struct db_params p = { .n = 0 };
	struct db_result r;

	*yes = false;
	if (db_exec(primary, a, STMT_SESSION_POSITION, NULL, &r, err) == -1)
		return -1;
	db_bind_str(&p, db_str(&r, 0, POSITION));
	db_bind_int(&p, db_int(&r, 0, TIMELINE));
	if (db_exec(replica, a, STMT_SESSION_REPLAYED, &p, &r, err) == -1)
		return -1;
	*yes = db_bool(&r, 0, REPLAYED);
	return 0;
}

bool
db_defer_to_primary(struct db *db)
{
	db->unfit |= db->replica;
	return db->replica;
}

bool
db_take_unfit(struct db *db)
{
	bool unfit = db->unfit;

	db->unfit = false;
	return unfit;
}
