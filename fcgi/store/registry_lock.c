#include "store/registry_lock.h"

int
registry_lock(struct db *db, struct arena *a, struct err *err)
{
	return db_exec(db, a, STMT_REGISTRY_LOCK, NULL, NULL, err);
}
